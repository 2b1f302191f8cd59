package explain_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/steps/explain"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

func TestEveryErrorHasItsKindAndItsWords(t *testing.T) {
	spot := vendorapi.Vendor{Title: "Spot", Token: "Make a new token.", Address: "ROLECALL_SPOT_URL"}
	vendor := func(e vendorapi.Error) error {
		e.Vendor, e.Op = spot, "ask Spot"
		return &e
	}
	denied := &aws.Error{Kind: aws.Denied, What: "You are not allowed iam:GetRole.", AWS: "User: ann is not authorized", Code: "AccessDenied",
		Action: "iam:GetRole", RequestID: "r1", Principal: "ann", DeniedBy: "service control policy", PolicyARN: "arn:p"}
	for name, c := range map[string]struct {
		err  error
		kind screen.ProblemKind
		what string
		said string
		name screen.Named
	}{
		"a missing permission": {fmt.Errorf("look: %w", denied), screen.AWSRefused, "You are not allowed iam:GetRole.", "User: ann is not " +
			"authorized",
			screen.Named{By: "AWS", Code: "AccessDenied", RequestID: "r1", Principal: "ann", Action: "iam:GetRole",
				DeniedBy: "service control policy", PolicyARN: "arn:p"}},
		"expired":         {&aws.Error{Kind: aws.Expired, What: "Expired."}, screen.AWSRefused, "Expired.", "", screen.Named{}},
		"another account": {&aws.Error{Kind: aws.WrongAccount, What: "Other."}, screen.NotAsNeeded, "Other.", "", screen.Named{}},
		"throttled":       {&aws.Error{Kind: aws.Throttled, What: "Slow."}, screen.Failure, "Slow.", "", screen.Named{}},
		"no answer":       {context.DeadlineExceeded, screen.Failure, "AWS did not answer in time.", "", screen.Named{}},
		"this machine": {&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission}, screen.Failure, "Open /x: permission denied.", "",
			screen.Named{}},
		"own words, AWS's facts": {&screen.Fault{Problem: screen.Problem{What: "Ours.", Kind: screen.Usage}, Err: denied}, screen.Usage,
			"Ours.", "User: ann is not authorized",
			screen.Named{By: "AWS", Code: "AccessDenied", RequestID: "r1", Principal: "ann", Action: "iam:GetRole",
				DeniedBy: "service control policy", PolicyARN: "arn:p"}},
		"the vendor refused": {vendor(vendorapi.Error{Status: 400, Message: "No.", Code: "C", Field: "f", RequestID: "s1"}),
			screen.VendorRefuse, "Spot refused (HTTP 400).", "No.",
			screen.Named{By: "Spot", Code: "C", RequestID: "s1", Parameter: "f"}},
		"the token is not good": {vendor(vendorapi.Error{Status: 401}), screen.VendorRefuse, "Spot does not accept the token (HTTP 401).",
			"", screen.Named{}},
		"the vendor is not well": {vendor(vendorapi.Error{Status: 503, Message: "later"}), screen.Failure, "Spot is not well (HTTP 503).",
			"later", screen.Named{}},
		"slow down": {vendor(vendorapi.Error{Status: 429}), screen.Failure, "Spot asks to slow down (HTTP 429).", "",
			screen.Named{}},
		"no answer of the vendor": {vendor(vendorapi.Error{Err: errors.New("connection refused")}), screen.Failure, "No answer came from " +
			"Spot: connection refused.", "", screen.Named{}},
		"too slow": {vendor(vendorapi.Error{Err: context.DeadlineExceeded}), screen.Failure, "Spot did not answer in time.", "",
			screen.Named{}},
		"a login page": {vendor(vendorapi.Error{Status: 403, Foreign: "a web page"}), screen.Failure, "What answered is not Spot: " +
			"a web page (HTTP 403).", "", screen.Named{}},
		"not sent": {vendor(vendorapi.Error{Words: vendorapi.Words{What: "No token."}}), screen.Usage, "No token.", "",
			screen.Named{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := explain.Problem(c.err)
			if p.Kind != c.kind || p.What != c.what || p.Quoted != c.said || p.Named != c.name {
				t.Errorf("got %+v", *p)
			}
			if strings.Contains(p.What, "unexpected") {
				t.Error("it is told as something unexpected")
			}
		})
	}
	if explain.Problem(nil) != nil || explain.Line(nil) != "" {
		t.Error("nothing is a problem")
	}
}

func TestWhatCannotBeSeenIsNotWrong(t *testing.T) {
	refusal := &aws.Error{Kind: aws.Denied, Action: "iam:GetPolicy", AWS: "no", Code: "AccessDenied", RequestID: "r1"}
	pass := aws.Check{ID: "role-exists", Status: aws.Pass}
	hidden := aws.Check{ID: "policy-matches", Status: aws.Unknown, Denied: []string{"iam:GetPolicy"}, Refusal: refusal, Fix: "Ask."}
	unknown := aws.Check{ID: "trust-external-id", Status: aws.Unknown, Got: "a condition"}
	wrong := aws.Check{ID: "trust-principal", Status: aws.Fail, Got: "nobody"}
	for name, c := range map[string]struct {
		checks []aws.Check
		kind   screen.ProblemKind // of Unfit
		unseen bool
		none   bool
	}{
		"all right":                             {[]aws.Check{pass}, 0, false, true},
		"a permission is missing":               {[]aws.Check{pass, hidden}, screen.AWSRefused, true, false},
		"and something is wrong":                {[]aws.Check{hidden, wrong}, screen.NotAsNeeded, false, false},
		"and something cannot be known":         {[]aws.Check{unknown, hidden}, screen.AWSRefused, true, false},
		"something cannot be known for another": {[]aws.Check{unknown}, screen.NotAsNeeded, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if p := explain.Unseen(c.checks); (p != nil) != c.unseen ||
				p != nil && (p.Named.Action != "iam:GetPolicy" || p.Named.RequestID != "r1" || p.Quoted != "no") {
				t.Errorf("unseen: %+v", p)
			}
			if p := explain.Unfit("Spot-Role", c.checks); (p == nil) != c.none ||
				p != nil && (p.Kind != c.kind || !strings.HasPrefix(p.What, "Spot-Role ")) {
				t.Errorf("unfit: %+v", p)
			}
		})
	}
}

// A file that ends in the middle is no connection that did.
func TestAFileIsNotTheWayToAWS(t *testing.T) {
	t.Parallel()
	for _, err := range []error{io.ErrUnexpectedEOF, io.EOF, fmt.Errorf("read settings.json: %w", io.ErrUnexpectedEOF)} {
		if p := explain.Problem(err); strings.Contains(p.What+p.Expected+p.Next, "AWS") {
			t.Errorf("%v: %+v", err, p)
		}
	}
}
