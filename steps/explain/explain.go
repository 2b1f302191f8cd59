// Package explain says what an error means in the three lines that a front
// prints, with AWS's or the vendor's own words beside them, and which kind of
// problem it is, which decides the exit code. It is the one place that does so.
// It stands on screen, whose values it makes, and on the rooms whose errors it
// knows: aws, describe and vendorapi. Everything that shows an error stands on
// it.
package explain

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// Problem says what any error means. It gives nil for nil.
func Problem(err error) *screen.Problem {
	if err == nil {
		return nil
	}
	var p screen.Problem
	var fault *screen.Fault
	var vendor *vendorapi.Error
	switch mistakes := describe.MistakesOf(err); {
	case errors.As(err, &fault):
		p = ofFault(fault)
	case len(mistakes) > 0:
		p = ofMistakes(mistakes)
	case errors.As(err, &vendor):
		p = ofVendor(vendor)
	default:
		p = ofAWS(err)
	}
	return &p
}

// ofFault is the problem as rolecall worded it. What AWS named in the error that
// led to it is of use all the same.
func ofFault(fault *screen.Fault) screen.Problem {
	p := fault.Problem
	var known *aws.Error
	if errors.As(fault.Err, &known) && p.Named == (screen.Named{}) {
		p.Named, p.Quoted = named(known), cmp.Or(p.Quoted, known.AWS)
	}
	return p
}

// ofAWS is about an error of AWS, of the way to it, or of this machine.
func ofAWS(err error) screen.Problem {
	e := aws.Explain(err)
	if e.Kind == aws.Other && e.Code == "" && !isAWS(err) {
		return screen.Problem{What: screen.Sentence(err.Error())}
	}
	return screen.Problem{What: e.What, Expected: e.Expected, Next: e.Next, Quoted: e.AWS, Named: named(e), Kind: kindOf(e.Kind)}
}

func isAWS(err error) bool {
	var known *aws.Error
	return errors.As(err, &known)
}

// kindOf sorts AWS's refusals by their exit code.
func kindOf(kind aws.ErrorKind) screen.ProblemKind {
	switch kind {
	case aws.NotSignedIn, aws.Expired, aws.NeedsMFA, aws.Denied:
		return screen.AWSRefused
	case aws.WrongAccount, aws.WrongPartition:
		return screen.NotAsNeeded
	}
	return screen.Failure
}

func named(e *aws.Error) screen.Named {
	n := screen.Named{Code: e.Code, RequestID: e.RequestID, Principal: e.Principal, Resource: e.Resource, DeniedBy: e.DeniedBy,
		PolicyARN: e.PolicyARN, Parameter: e.Parameter}
	if e.Kind == aws.Denied || e.Code != "" {
		n.Action = e.Action
	}
	if n != (screen.Named{}) {
		n.By = "AWS"
	}
	return n
}

// ofMistakes puts a file's mistakes into one problem: all of what is wrong, and
// the first one's way out.
func ofMistakes(mistakes describe.Mistakes) screen.Problem {
	p := screen.Problem{
		What:     mistakes[0].What,
		Expected: mistakes[0].Expected,
		Next:     mistakes[0].Next,
		Flag:     mistakes[0].Flag,
		Kind:     screen.Usage,
	}
	if len(mistakes) > 1 {
		lines := make([]string, len(mistakes))
		for i, m := range mistakes {
			lines[i] = m.Error()
		}
		p.What = strings.Join(lines, "\n")
	}
	return p
}

// ofVendor is about a call to a vendor's API. What was refused before anything
// was sent (an address, a token, a credentials file) is for the person to
// correct. Only a vendor that understood and said no refused: one that is not
// well, or that nobody reached, did not.
func ofVendor(e *vendorapi.Error) screen.Problem {
	p := screen.Problem{What: e.What(), Expected: e.Expected(), Next: e.Next(), Quoted: e.Quoted()}
	p.Named = screen.Named{Code: e.Code, RequestID: e.RequestID, Parameter: e.Field}
	if p.Named != (screen.Named{}) {
		p.Named.By = e.Vendor.Title
	}
	switch {
	case e.Unsent():
		p.Kind = screen.Usage
	case e.SaidNo():
		p.Kind = screen.VendorRefuse
	}
	return p
}

// Unseen is the first check that nobody can judge because a permission is
// missing; nil where there is none, or where something is wrong for certain,
// which counts more. It is the caller's trouble, not the role's.
func Unseen(checks []aws.Check) *screen.Problem {
	failed := slices.ContainsFunc(checks, func(c aws.Check) bool { return c.Status == aws.Fail })
	i := slices.IndexFunc(checks, func(c aws.Check) bool { return c.Status == aws.Unknown && len(c.Denied) > 0 })
	if failed || i < 0 {
		return nil
	}
	c := checks[i]
	p := screen.Problem{What: "You are not allowed " + strings.Join(c.Denied, ", ") + ".", Expected: c.Want, Next: c.Fix}
	p.Named.Action = c.Denied[0]
	if c.Refusal != nil {
		p.Quoted, p.Named = c.Refusal.AWS, named(c.Refusal)
	}
	p.Kind = screen.AWSRefused
	return &p
}

// Unfit says why a role or user that is called name is not as needed: the first
// check that failed, else that a permission is missing to see it, else the first
// that is unknown. It is nil when none is.
func Unfit(name string, checks []aws.Check) *screen.Problem {
	if p := Unseen(checks); p != nil {
		p.What = name + " cannot be judged. " + p.What
		return p
	}
	for _, status := range []aws.Status{aws.Fail, aws.Unknown} {
		for _, c := range checks {
			if c.Status == status {
				return &screen.Problem{What: name + " is not as needed: " + c.Got + ".", Expected: c.Want, Next: c.Fix, Kind: screen.NotAsNeeded}
			}
		}
	}
	return nil
}

// Line is a problem in one line: what is wrong and what to do.
func Line(err error) string {
	p := Problem(err)
	if p == nil {
		return ""
	}
	expected := ""
	if p.Expected != "" {
		expected = "Expected: " + p.Expected + "."
	}
	return strings.Join(strings.Fields(strings.Join([]string{p.What, expected, p.Next}, " ")), " ")
}
