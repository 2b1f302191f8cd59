package choose

import (
	"path"
	"strings"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/step"
)

// replaces is the flag that an unattended run needs before rolecall makes a
// role in place of the one that the vendor holds; empty where it makes none, or
// where that very role would be adopted.
func (c *Vendor) replaces(s *step.Session) string {
	role := s.Submits()
	if role == nil || !s.HasStep(record.StepCreate) && !s.HasStep(record.StepStack) {
		return ""
	}
	held, ok := aws.SplitARN(c.held)
	if ok && held.AccountID == s.AccountID && strings.EqualFold(path.Base(held.Resource), s.Part(role.Purpose).RoleName) {
		return ""
	}
	return "--replace-role"
}
