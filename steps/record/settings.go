package record

import (
	"slices"
	"time"

	"rolecall/aws"
)

// Settings are what a role, user, policy or stack was asked to have beside its
// document. What is zero was not asked for.
type Settings struct {
	Path       string        `json:"path,omitempty"`
	Boundary   string        `json:"boundary,omitempty"` // permissions boundary, an ARN
	SessionFor time.Duration `json:"session_ns,omitempty"`
	Tags       []aws.Tag     `json:"tags,omitempty"`
}

// Fit tells whether a thing that exists has what was asked for. Tags that were
// added do not count; a permissions boundary that was not asked for does.
func (s Settings) Fit(found Settings) bool {
	for _, t := range s.Tags {
		if !slices.Contains(found.Tags, t) {
			return false
		}
	}
	return (s.Path == "" || s.Path == found.Path) && s.Boundary == found.Boundary && (s.SessionFor == 0 || s.SessionFor == found.SessionFor)
}
