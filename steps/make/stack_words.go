package making

import (
	"strings"

	"rolecall/aws"
	"rolecall/steps/screen"
)

// StackFailure says why a run of a stack failed, and what to do. The cause is
// that of its first failure; nil: AWS told none.
func StackFailure(ended aws.StackStatus, cause *aws.Error) *screen.Problem {
	if cause == nil {
		return &screen.Problem{What: "The stack ended as " + string(ended) + ".", Expected: "a stack that is complete",
			Next: "Look at its events in the console, delete it, then try again."}
	}
	p := &screen.Problem{What: cause.What, Expected: cause.Expected, Next: cause.Next, Quoted: cause.AWS, Kind: screen.Failure}
	switch cause.Kind {
	case aws.Denied:
		p.Kind = screen.AWSRefused
	case aws.Exists:
		p.Kind = screen.NotAsNeeded
	}
	return p
}

// Unworkable says that CloudFormation could not work out a change set.
func Unworkable(set aws.ChangeSet) *screen.Problem {
	return &screen.Problem{What: "CloudFormation cannot work out the change set.", Expected: "a change set that can be executed",
		Next: "Read AWS's words, then look again.", Quoted: set.Reason}
}

// ChangeWords say what a change set does to a resource, beside the verb: its type,
// what it is called in AWS, and whether it stays.
func ChangeWords(change aws.StackChange) string {
	words := change.PhysicalID
	switch {
	case change.Replaces():
		words = "replaced: AWS makes a new one and deletes " + change.PhysicalID
	case change.Removes() && change.Action == "Modify":
		words += " (may be replaced: AWS finds out while it is at work)"
	}
	return strings.TrimSpace(change.Type + " " + words)
}
