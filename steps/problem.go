package steps

import (
	"errors"
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/spot"
)

// problemOf says in three lines what an error of AWS, of the vendor or of this
// machine means. It gives nil for nil.
func problemOf(err error) *Problem {
	if err == nil {
		return nil
	}
	if fault := (*Fault)(nil); errors.As(err, &fault) {
		p := fault.Problem
		return &p
	}
	if refused := (*spot.Error)(nil); errors.As(err, &refused) {
		return &Problem{What: refused.What(), Expected: refused.Expected(), Next: refused.Next(), Quoted: refused.Quoted(), Kind: VendorRefuse}
	}
	if mistakes := describe.MistakesOf(err); len(mistakes) > 0 {
		m := mistakes[0]
		return &Problem{What: m.What, Expected: m.Expected, Next: m.Next, Kind: Usage}
	}
	e := aws.Explain(err)
	kind := Failure
	switch e.Kind {
	case aws.NotSignedIn, aws.Expired, aws.NeedsMFA, aws.Denied:
		kind = AWSRefused
	case aws.WrongAccount, aws.WrongPartition:
		kind = NotAsNeeded
	}
	return &Problem{What: e.What, Expected: e.Expected, Next: e.Next, Quoted: e.AWS, Kind: kind}
}

// inputProblem is the one line under a field: what is wrong and what to do.
func inputProblem(err error) string {
	if err == nil {
		return ""
	}
	p := problemOf(err)
	expected := ""
	if p.Expected != "" {
		expected = "Expected: " + p.Expected + "."
	}
	return strings.Join(strings.Fields(strings.Join([]string{p.What, expected, p.Next}, " ")), " ")
}

// passing marks a problem that rolecall is still working on.
func (p *Problem) passing() *Problem {
	if p == nil {
		return nil
	}
	kept := *p
	kept.Passing = true
	return &kept
}

// appendProblem puts a problem, if there is one, at the end of the blocks.
func appendProblem(blocks []Block, p *Problem) []Block {
	if p == nil {
		return blocks
	}
	return append(blocks, *p)
}

// brokenProblem tells that a call of rolecall itself went wrong.
func brokenProblem(msg Broke) *Problem {
	return &Problem{What: "rolecall stumbled while it wanted to " + msg.Name + ": " + msg.Text + ".",
		Expected: "An answer.", Next: "Press enter to try again. If it comes back, report it with the words above."}
}
