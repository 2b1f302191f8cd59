package step

import "rolecall/policy"

// Setup is all that the needed roles take, for the exports: the same documents
// as in every other method. The error names what is not known.
func (s *Session) Setup() (*policy.Setup, error) { return s.Request().Setup() }
