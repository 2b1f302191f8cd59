package explain

import (
	"strings"

	"rolecall/aws/diagnose"
	"rolecall/steps/screen"
)

// Cause says in three lines why a vendor cannot use a role: the likeliest cause,
// what speaks for it, and what to do. Others that were found are named behind
// it. It is nil where nothing was found.
func Cause(vendor string, causes []diagnose.Cause) *screen.Problem {
	found := diagnose.Found(causes)
	if len(found) == 0 {
		return nil
	}
	first := found[0]
	p := screen.Problem{
		What:     vendor + " cannot use the role. " + CauseLine(first) + " " + first.Evidence[0],
		Expected: "a role that " + vendor + " can assume and use", Next: first.Fix, Kind: screen.NotAsNeeded,
	}
	var others []string
	for _, c := range found[1:] {
		others = append(others, strings.TrimSuffix(CauseLine(c), "."))
	}
	if len(others) > 0 {
		p.What += " Also found: " + strings.Join(others, "; ") + "."
	}
	return &p
}

// CauseLine is a cause in one line: "Likely: external ID."
func CauseLine(c diagnose.Cause) string {
	likelihood := string(c.Likelihood)
	return strings.ToUpper(likelihood[:1]) + likelihood[1:] + ": " + c.ID.Title() + "."
}
