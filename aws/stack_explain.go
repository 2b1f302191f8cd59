package aws

import (
	"cmp"
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/smithy-go"
)

// apiCode is the code of an answer that AWS sent, empty for anything else.
func apiCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// cancelled is what CloudFormation says of resources that it stopped because
// another one had failed.
const cancelled = "cancelled"

// FirstFailure is the event that made a run fail: the first *_FAILED in time
// of a resource. Those that AWS stopped because of it are not the cause.
// Events come oldest first.
func FirstFailure(events []StackEvent) (StackEvent, bool) {
	for _, e := range events {
		if e.Failed() && !e.OfStack() && !strings.Contains(e.Reason, cancelled) {
			return e, true
		}
	}
	for _, e := range events { // a stack can fail before its first resource
		if e.OfStack() && (e.Failed() || e.Status == string(StackRolledBack)) && e.Reason != "" {
			return e, true
		}
	}
	return StackEvent{}, false
}

// ExplainStack says what a failed event of a stack means: what happened, what
// was expected and what to do. AWS's own words are in its AWS field. The
// sentences are those that IAM and CloudFormation are seen to answer (AWS's
// user guides and public issue trackers); both the older form, the API's error
// as it is, and the newer one, "Resource handler returned message", are known.
func ExplainStack(e StackEvent) *Error {
	x := &Error{Op: "make " + e.LogicalID, AWS: e.Reason}
	x.Err = errors.New(strings.ToLower(e.Status))
	subject := e.subject()
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(e.Reason, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("not authorized to perform"):
		x.Kind = Denied
		explainDenied(x)
		x.What = "CloudFormation is not allowed " + cmp.Or(x.Action, "what it needs") + ": it acts with your permissions."
	case has("already exists"):
		x.Kind, x.What = Exists, "The "+subject+" exists already in this account."
		x.Expected, x.Next = "a name that is free", "Choose another name, or remove the one that exists if nobody needs it."
	case has("Cannot exceed quota", "LimitExceeded", "ServiceLimitExceeded", "limit exceeded"):
		x.Kind, x.What = Limit, "A limit of this AWS account is reached"+quotaOf(e.Reason)+"."
		x.Next = "Remove what is no longer used, or ask AWS Support to raise the quota."
	case has("Invalid principal in policy"):
		x.Kind, x.What = Malformed, "AWS does not know the account that the "+subject+" is to trust."
		x.Expected, x.Next = "an account of the same partition", "Check the vendor's account number and the partition."
	case has("does not exist or is not attachable"):
		x.Kind, x.What = NotFound, "A policy that the "+subject+" names does not exist."
		x.Expected, x.Next = "the permissions boundary, or the policy to attach, to be there", "Check its ARN."
	case has("MalformedPolicy", "Syntax errors in policy", "legacy parsing", "policy document", "Policy document"):
		x.Kind, x.What = Malformed, "AWS refuses the policy document of the "+subject+"."
		x.Next = "Correct what AWS names, or use the template as rolecall writes it."
	case has("Requires capabilities"):
		x.Kind, x.What = Malformed, "Nobody has acknowledged that the stack makes IAM resources."
		x.Expected, x.Next = "the acknowledgement (CAPABILITY_NAMED_IAM)", "Acknowledge it, then try again."
	case has("attached to entities", "must detach", "must delete policies first", "DeleteConflict"):
		x.Kind, x.What = Conflict, "The "+subject+" cannot be deleted: something else uses it."
		x.Next = "Look in IAM what it is attached to, detach it there, and delete the stack again."
	case has("Rate exceeded", "Throttling"):
		x.Kind, x.What, x.Next = Throttled, "AWS asked CloudFormation to slow down.", "Delete what is left, wait a minute and try again."
	case has("ROLLBACK_COMPLETE"):
		x.Kind, x.What, x.Next = Exists, "A stack of that name failed earlier, and its remains take the name.", "Delete that stack first, or "+
			"choose another name."
	default:
		x.What, x.Next = "CloudFormation could not make the "+subject+".", "Read AWS's words, then try again."
	}
	x.Expected = cmp.Or(x.Expected, x.wanted())
	return x
}

// subject is what the event is about, as people call it.
func (e StackEvent) subject() string {
	name := cmp.Or(e.named(), e.LogicalID)
	switch e.Type {
	case "AWS::IAM::Role":
		return "role " + name
	case "AWS::IAM::ManagedPolicy":
		return "policy " + name
	case stackType:
		return "stack " + e.LogicalID
	}
	return "resource " + e.LogicalID
}

// takenName finds the name in AWS's sentences about one that is taken.
var takenName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(
		`(?:with identifier '([^']+)'|with name ([\w+=,.@-]+) already|policy called ([\w+=,.@-]+) already|^([\w+=,.@-]+) already exists)`,
	)
})

func (e StackEvent) named() string {
	if m := takenName().FindStringSubmatch(e.Reason); m != nil {
		for _, name := range m[1:] {
			if name != "" {
				return name[strings.LastIndexByte(name, '/')+1:]
			}
		}
	}
	return e.PhysicalID[strings.LastIndexByte(e.PhysicalID, '/')+1:]
}

var quotaName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`quota for (\w+): (\d+)`)
})

func quotaOf(reason string) string {
	if m := quotaName().FindStringSubmatch(reason); m != nil {
		return ": " + m[1] + ", at most " + m[2]
	}
	return ""
}

// Explain says what keeps a stack from being used again, nil when nothing
// does.
func (s Stack) Explain() *Error {
	if !s.Status.Blocked() {
		return nil
	}
	e := refuse(Exists, "The stack "+s.Name+" exists and is "+string(s.Status)+": it failed earlier, and its remains take the name.",
		"a name that is free", "Delete that stack first, or choose another name.")
	e.AWS = s.Reason
	return e
}
