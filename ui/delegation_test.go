package ui_test

import (
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	awsrehearsal "rolecall/aws/rehearsal"
)

// askDelegation has a product provider ask for access: delegation ID
// policy=@file requestor=922761411349 name=Spot duration=3600 …
func askDelegation(ts *testscript.TestScript, _ bool, args []string) {
	d := awsrehearsal.Delegation{ID: args[0], Requestor: "922761411349", RequestorName: "Spot", Description: "Connect your account."}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		if file, ok := strings.CutPrefix(value, "@"); ok {
			value = ts.ReadFile(file)
		}
		switch name {
		case "policy":
			d.Policy = value
		case "becomes":
			d.Becomes = value
		case "requestor":
			d.Requestor = value
		case "name":
			d.RequestorName = value
		case "says":
			d.Message = strings.ReplaceAll(value, "ESC", "\x1b")
		case "account":
			d.Account = value
		case "leaks":
			d.Leaks = true
		case "owner":
			d.Owner = value
		case "state":
			d.State = value
		case "boundary":
			d.Boundaries = append(d.Boundaries, value)
		case "only-owner":
			d.OnlySendByOwner = true
		case "duration":
			seconds, err := strconv.Atoi(value)
			ts.Check(err)
			d.Duration = time.Duration(seconds) * time.Second
		case "huge":
			n, err := strconv.Atoi(value)
			ts.Check(err)
			d.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"` +
				strings.Repeat(`,"s3:PutObjectRetention"`, n) + `],"Resource":"*"}]}`
		case "over":
			d.Expires = time.Now().Add(-time.Hour)
		default:
			d.Parameters = append(d.Parameters, awsrehearsal.DelegationParameter{Name: name, Type: "string", Values: []string{value}})
		}
	}
	worldOf(ts).aws.RequestDelegation(d)
}

// delegationState wants a request to be in a state: delegationstate ID ACCEPTED.
func delegationState(ts *testscript.TestScript, _ bool, args []string) {
	if got := worldOf(ts).aws.DelegationState(args[0]); got != args[1] {
		ts.Fatalf("request %s is %s, want %s", args[0], got, args[1])
	}
}

// loseAnswer breaks the connection once: after the action was done, or, with !,
// before.
func loseAnswer(ts *testscript.TestScript, neg bool, args []string) {
	kind := awsrehearsal.DropAfter
	if neg {
		kind = awsrehearsal.DropBefore
	}
	worldOf(ts).aws.Inject(awsrehearsal.Fault{Kind: kind, Actions: args, Times: 1})
}
