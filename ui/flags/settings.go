package flags

import (
	"fmt"
	"strings"
	"time"

	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// What IAM takes as a role's longest session, and as tags (IAM API reference,
// CreateRole and Tag).
const (
	shortestSession = time.Hour
	longestSession  = 12 * time.Hour
	longestTagKey   = 128
	longestTagValue = 256
	mostTags        = 50
)

// fillSettings takes what is set on things that rolecall makes.
func (f *Flags) fillSettings(p *Prepared) error {
	if f.Given("session-duration") {
		if f.sessionDuration < shortestSession || f.sessionDuration > longestSession || f.sessionDuration%time.Second != 0 {
			return cli.Usage("--session-duration is "+f.sessionDuration.String()+".", "whole seconds from 1h to 12h", "Correct --session-duration.")
		}
		p.Answers.SessionFor = f.sessionDuration
	}
	if len(f.tags) > mostTags {
		return cli.Usage(fmt.Sprintf("--tag is given %d times.", len(f.tags)), fmt.Sprintf("at most %d tags", mostTags), "Leave some out.")
	}
	for _, tag := range f.tags {
		key, value, ok := strings.Cut(tag, "=")
		if !ok || key == "" || len(key) > longestTagKey || len(value) > longestTagValue || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return cli.Usage(fmt.Sprintf("--tag: %q is not a tag.", draw.Clean(tag)), "KEY=VALUE, such as team=platform; the key not beginning with aws:", "Correct --tag.")
		}
		if _, twice := p.Answers.Tags[key]; twice {
			return cli.Usage(fmt.Sprintf("--tag: the key %q stands there twice.", draw.Clean(key)), "each key once", "Leave one out.")
		}
		if p.Answers.Tags == nil {
			p.Answers.Tags = map[string]string{}
		}
		p.Answers.Tags[key] = value
	}
	return nil
}
