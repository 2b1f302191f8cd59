package lines

import (
	"fmt"
	"strconv"
	"strings"
)

// scenario carries out what only a rehearsal takes: ! lists the mistakes, with a
// name or a number it makes one, and m mends it. It reports whether it was one of
// these.
func (p *plain) scenario(text string) bool {
	scenarios := p.run.Walk.Session.Scenarios
	if scenarios == nil {
		return false
	}
	rest, chosen := strings.CutPrefix(strings.TrimSpace(text), "!")
	switch name := strings.TrimSpace(rest); {
	case chosen && name == "":
		for i, option := range scenarios.List() {
			line := fmt.Sprintf("  !%d  %s: %s", i+1, option.ID, option.Detail)
			if option.Disabled != "" {
				line += " (not now: " + option.Disabled + ")"
			}
			p.say(line)
		}
	case chosen:
		p.beginScenario(name)
	case strings.EqualFold(strings.TrimSpace(text), "m"):
		p.mend()
	default:
		return false
	}
	return true
}

func (p *plain) beginScenario(name string) {
	scenarios := p.run.Walk.Session.Scenarios
	for i, option := range scenarios.List() {
		if option.ID != name && strconv.Itoa(i+1) != name {
			continue
		}
		if option.Disabled != "" {
			p.say("Not now: " + option.Disabled + ".")
			return
		}
		if said, err := scenarios.Begin(option.ID); err == nil {
			p.say("Rehearsing: " + said + " m mends it.")
		}
		return
	}
	p.say("There is no scenario " + name + ". ! lists them.")
}

func (p *plain) mend() {
	if said := p.run.Walk.Session.Scenarios.Mend(); said != "" {
		p.say("Mended. " + said)
		return
	}
	p.say("Nothing goes wrong now. ! lists what can.")
}
