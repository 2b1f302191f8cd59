package describe

import _ "embed"

// The comments of the format are the schema's, so that the two cannot differ.
//
//go:embed vendor.go
var format string

// Format is the Go source of a description's types.
func Format() string { return format }
