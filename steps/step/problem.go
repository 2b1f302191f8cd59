package step

import (
	"errors"
	"strings"

	"rolecall/steps/describe"
	making "rolecall/steps/make"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// ProblemOf says in three lines what an error of AWS, of the vendor or of this
// machine means. It gives nil for nil.
func ProblemOf(err error) *screen.Problem {
	if err == nil {
		return nil
	}
	if fault := (*screen.Fault)(nil); errors.As(err, &fault) {
		return making.ProblemOf(fault)
	}
	if refused := (*vendorapi.Error)(nil); errors.As(err, &refused) {
		p := refused.Problem()
		return &p
	}
	if mistakes := describe.MistakesOf(err); len(mistakes) > 0 {
		m := mistakes[0]
		return &screen.Problem{What: m.What, Expected: m.Expected, Next: m.Next, Kind: screen.Usage}
	}
	return making.ProblemOf(err)
}

// InputProblem is the one line under a field: what is wrong and what to do.
func InputProblem(err error) string {
	if err == nil {
		return ""
	}
	p := ProblemOf(err)
	expected := ""
	if p.Expected != "" {
		expected = "Expected: " + p.Expected + "."
	}
	return strings.Join(strings.Fields(strings.Join([]string{p.What, expected, p.Next}, " ")), " ")
}

// Refused is making.Refused.
func Refused(err error) bool { return making.Refused(err) }

// Passes is making.Passes.
func Passes(err error) bool { return making.Passes(err) }
