package step

import (
	"errors"
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
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
		p := fault.Problem
		return &p
	}
	if refused := (*vendorapi.Error)(nil); errors.As(err, &refused) {
		p := refused.Problem()
		return &p
	}
	if mistakes := describe.MistakesOf(err); len(mistakes) > 0 {
		m := mistakes[0]
		return &screen.Problem{What: m.What, Expected: m.Expected, Next: m.Next, Kind: screen.Usage}
	}
	e := aws.Explain(err)
	kind := screen.Failure
	switch e.Kind {
	case aws.NotSignedIn, aws.Expired, aws.NeedsMFA, aws.Denied:
		kind = screen.AWSRefused
	case aws.WrongAccount, aws.WrongPartition:
		kind = screen.NotAsNeeded
	}
	return &screen.Problem{What: e.What, Expected: e.Expected, Next: e.Next, Quoted: e.AWS, Kind: kind}
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

// Refused tells whether an error means for certain that nothing was done.
func Refused(err error) bool {
	if own := (*screen.Fault)(nil); errors.As(err, &own) {
		return true // rolecall refused by itself
	}
	switch aws.KindOf(err) {
	case aws.Denied, aws.Throttled, aws.NotFound, aws.Limit, aws.Conflict, aws.Malformed, aws.Expired, aws.NotSignedIn, aws.WrongAccount:
		return true
	}
	return false
}

// Passes tells whether an error is worth another look: an answer that got lost,
// a server that is not well, or a use that IAM has not forgotten yet.
func Passes(err error) bool {
	switch aws.KindOf(err) {
	case aws.Network, aws.Unavailable, aws.Throttled, aws.Conflict, aws.NotFound:
		return true
	}
	return false
}
