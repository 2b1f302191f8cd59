package aws_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

func TestExplainEveryCode(t *testing.T) {
	for code, want := range map[string]aws.ErrorKind{
		"ExpiredToken": aws.Expired, "ExpiredTokenException": aws.Expired, "InvalidClientTokenId": aws.NotSignedIn,
		"SignatureDoesNotMatch": aws.NotSignedIn,
		"AccessDenied":          aws.Denied, "AccessDeniedException": aws.Denied, "Throttling": aws.Throttled, "TooManyRequestsException": aws.Throttled,
		"NoSuchEntity": aws.NotFound, "EntityAlreadyExists": aws.Exists, "LimitExceeded": aws.Limit, "DeleteConflict": aws.Conflict,
		"MalformedPolicyDocument": aws.Malformed, "ValidationError": aws.Malformed, "ServiceFailure": aws.Unavailable, "Unheard": aws.Other,
	} {
		e := aws.Explain(fmt.Errorf("wrapped: %w", &smithy.GenericAPIError{Code: code, Message: "AWS's \x1b[31mown\u202e words"}))
		if e.Kind != want || e.What == "" || e.Next == "" || e.AWS != "AWS's [31mown words" {
			t.Errorf("%s: %+v", code, e)
		}
		for _, word := range []string{"please", "Please", "failed to", " we ", "We "} {
			if strings.Contains(e.Error(), word) {
				t.Errorf("%s says %q: %s", code, word, e)
			}
		}
	}
	if aws.Explain(nil) != nil || aws.KindOf(nil) != aws.Other {
		t.Error("nil is explained")
	}
	if e := aws.Explain(context.Canceled); e.Kind != aws.Canceled || !errors.Is(e, context.Canceled) {
		t.Errorf("%+v", e)
	}
	if e := aws.Explain(errors.New("a\nb\x07")); e.Kind != aws.Other || strings.ContainsAny(e.Error(), "\n\x07") {
		t.Errorf("%q", e.Error())
	}
}

func TestRefusalsNameTheActionAndWhoForbidsIt(t *testing.T) {
	s, a := start(t, rehearsal.Options{})
	s.Inject(rehearsal.Fault{Kind: rehearsal.Denied, Actions: []string{"iam:CreateRole"}, Times: 1})
	_, err := a.CreateRole(t.Context(), aws.NewRole{Name: "Spot-Role", Trust: someTrust()})
	kindIs(t, err, aws.Denied)
	if e := aws.Explain(err); e.Action != "iam:CreateRole" || e.Op != "create role Spot-Role" || !strings.Contains(e.Next, "iam:CreateRole") {
		t.Errorf("%+v", e)
	}
	s.Inject(rehearsal.Fault{Kind: rehearsal.DeniedSCP, Actions: []string{"iam:CreateRole"}, Times: 1})
	_, err = a.CreateRole(t.Context(), aws.NewRole{Name: "Spot-Role", Trust: someTrust()})
	if e := aws.Explain(err); e.Kind != aws.Denied || !strings.Contains(e.Next, "service control policies") {
		t.Errorf("%+v", e)
	}
}

func TestCreationsAreSentOnce(t *testing.T) {
	for kind, want := range map[rehearsal.FaultKind]aws.ErrorKind{rehearsal.DropAfter: aws.Network, rehearsal.DropBefore: aws.Network,
		rehearsal.Broken: aws.Unavailable} {
		virtual(t, rehearsal.Options{Propagation: -1}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
			s.Inject(rehearsal.Fault{Kind: kind, Actions: []string{"iam:CreateRole"}, Times: 1})
			_, err := a.CreateRole(t.Context(), aws.NewRole{Name: "Spot-Role", Trust: someTrust()})
			kindIs(t, err, want)
			n := 0
			for _, c := range s.Calls() {
				if c.Action == "iam:CreateRole" {
					n++
				}
			}
			if n != 1 {
				t.Errorf("sent %d times", n)
			}
			_, err = a.Role(t.Context(), "Spot-Role")
			if exists := err == nil; exists != (kind == rehearsal.DropAfter) {
				t.Errorf("exists: %v", exists)
			}
		})
	}
}

func TestThrottledCreationIsRepeated(t *testing.T) {
	virtual(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		s.Inject(rehearsal.Fault{Kind: rehearsal.Throttled, Actions: []string{"iam:CreateRole"}, Times: 2})
		_, err := a.CreateRole(t.Context(), aws.NewRole{Name: "Spot-Role", Trust: someTrust()})
		ok(t, err)
	})
}

func TestReadsAreRepeatedAFewTimes(t *testing.T) {
	virtual(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		s.Inject(rehearsal.Fault{Kind: rehearsal.Away, Actions: []string{"iam:ListAccountAliases"}, Times: 2})
		_, err := a.Alias(t.Context())
		ok(t, err)
		s.Inject(rehearsal.Fault{Kind: rehearsal.Away, Actions: []string{"iam:ListAccountAliases"}})
		began := time.Now()
		_, err = a.Alias(t.Context())
		kindIs(t, err, aws.Unavailable)
		if time.Since(began) > 30*time.Second {
			t.Errorf("gave up after %v", time.Since(began))
		}
	})
}

func TestVerifyLooksOnlyWhereItCanSee(t *testing.T) {
	s, a := start(t, rehearsal.Options{Propagation: -1})
	makeRole(t, a)
	want := aws.Want{Principals: []string{vendor}, ExternalID: extID, Policies: []*policy.Document{somePolicy(t)},
		RoleARN: "arn:aws:iam::" + stranger + ":role/Spot-Role"}
	r := must[aws.Report](t)(a.Verify(t.Context(), want))
	if c, _ := r.Check("role-account"); r.OK || r.Role != nil || c.Status != aws.Fail || c.Got != stranger {
		t.Errorf("role of another account: %+v", r)
	}
	want.RoleARN, want.RoleName = "", "Spot-Role"
	for _, action := range []string{"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetPolicy",
		"iam:GetPolicyVersion"} {
		s.ClearFaults()
		s.Deny(action)
		r := must[aws.Report](t)(a.Verify(t.Context(), want))
		named := false
		for _, c := range r.Checks {
			named = named || c.Status == aws.Unknown && strings.Contains(c.Got+c.Fix, action)
		}
		if r.OK || !named {
			t.Errorf("without %s: %+v", action, r)
		}
	}
	s.ClearFaults()
	s.ExpireCredentials()
	_, err := a.Verify(t.Context(), want)
	kindIs(t, err, aws.Expired)
}

func BenchmarkJudge(b *testing.B) {
	want, seen := rightWant(b), aws.Seen{Role: rightRole(b)}
	for b.Loop() {
		aws.Judge(want, seen)
	}
}
