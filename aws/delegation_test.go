package aws_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
)

const request = "e4bdcdae-4f66-11eD-ELEG-ATIONEXAMPLE"

func TestParseDelegationID(t *testing.T) {
	for given, want := range map[string]string{
		request:                            request,
		"  " + request + "\n":              request,
		"abcdefghijklmnop":                 "abcdefghijklmnop",
		"abcdefghijklmno":                  "",
		"abcdefghijklmnop/../x":            "",
		"--------------------------------": "",
		"arn:aws:iam::123456789012:delegation-request/" + request:                                                    request,
		"arn:aws:iam::123456789012:role/" + request:                                                                  "",
		"https://console.aws.amazon.com/iam/home#/delegation/" + request:                                             request,
		"https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/d?id=" + request + "&x=1":               request,
		"https://signin.aws.amazon.com/oauth?redirect_uri=https%3A%2F%2Fconsole.aws.amazon.com%2F%3Fid%3D" + request: request,
		"https://console.aws.amazon.com/" + request + "/?again=" + request:                                           request,
		"https://console.aws.amazon.com/" + request + "/00000000-0000-4000-8000-000000000000":                        "",
		"http://console.aws.amazon.com/" + request:                                                                   "",
		"https://console.aws.amazon.com.evil.example/" + request:                                                     "",
		"https://evilconsole.aws.amazon.com/" + request:                                                              "",
		"https://console.aws.amazon.com@evil.example/" + request:                                                     "",
		"https://evil.example/?https://console.aws.amazon.com/" + request:                                            "",
	} {
		got, err := aws.ParseDelegationID(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", given, got, err, want)
		}
	}
}

func TestDelegation(t *testing.T) {
	s, a := start(t, rehearsal.Options{LargestPage: 2})
	ctx := t.Context()
	if _, err := a.Delegation(ctx, request); aws.KindOf(err) != aws.NotFound {
		t.Fatal(err)
	}
	s.RequestDelegation(rehearsal.Delegation{ID: request, Requestor: vendor, RequestorName: "Spot", Policy: somePolicy(t).Compact(),
		Duration: 2 * time.Hour,
		Template: "arn:aws:iam:::delegation-template/x", Parameters: []rehearsal.DelegationParameter{{Name: "names", Type: "stringList",
			Values: []string{"a", "b"}}},
		Boundaries: []string{"arn:aws:iam::aws:policy/SecurityAudit"}, Message: "line one\nline\u202e two"})
	d := must[aws.Delegation](t)(a.Delegation(ctx, request))
	if d.Document == nil || !d.Document.Equal(somePolicy(t)) || d.Duration != 2*time.Hour || d.State != aws.DelegationAssigned ||
		d.Covered != "ALLOWED" ||
		d.AccountID != "123456789012" || d.Message != "line one line two" ||
		d.Expires.Sub(d.Created) != 7*24*time.Hour {
		t.Fatalf("%+v", d)
	}
	if diff := cmp.Diff([]aws.DelegationParameter{{Name: "names", Type: "stringList", Values: []string{"a", "b"}}}, d.Parameters); diff != "" {
		t.Fatal(diff)
	}
	for i := range 4 {
		s.RequestDelegation(rehearsal.Delegation{ID: fmt.Sprintf("request-of-a-vendor-%d", i), Requestor: vendor})
	}
	s.RequestDelegation(rehearsal.Delegation{ID: "nobody-took-this-up", Requestor: vendor, Owner: "-"})
	n, marker := 0, ""
	for {
		page, next, err := a.Delegations(ctx, marker)
		ok(t, err)
		if n += len(page); next == "" {
			break
		}
		marker = next
	}
	if n != 5 {
		t.Fatalf("%d requests are listed, want 5", n)
	}
	var e *aws.Error
	if err := a.SendDelegationToken(ctx, request); !errors.As(err, &e) || e.Kind != aws.Malformed {
		t.Fatal(err)
	}
	ok(t, a.AcceptDelegation(ctx, request))
	ok(t, a.SendDelegationToken(ctx, request))
	if err := a.RejectDelegation(ctx, request, "no"); aws.KindOf(err) != aws.Malformed {
		t.Fatal(err)
	}
	ok(t, a.RejectDelegation(ctx, "request-of-a-vendor-1", "Not this."))
	if d := must[aws.Delegation](t)(a.Delegation(ctx, "request-of-a-vendor-1")); d.State != aws.DelegationRejected || d.Rejection != "Not "+
		"this." {
		t.Fatalf("%+v", d)
	}
}
