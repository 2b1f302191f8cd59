package aws_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

// place is one implementation that the contract suite runs against.
type place struct {
	name   string
	strict bool // has the real limits; moto lacks many of them
	open   func(t *testing.T) *aws.Account
}

// TestContract runs one suite against aws/rehearsal, and against moto's server
// where that is installed, so that the box stays honest.
func TestContract(t *testing.T) {
	for _, p := range []place{rehearsalPlace(), motoPlace(t)} {
		t.Run(p.name, func(t *testing.T) {
			if p.open == nil {
				t.Skip("moto_server is not installed: the contract ran against aws/rehearsal only")
			}
			t.Logf("the contract runs against %s", p.name)
			for _, tests := range []map[string]func(*testing.T, place, *aws.Account){contract, stackContract} {
				for name, test := range tests {
					t.Run(name, func(t *testing.T) { test(t, p, p.open(t)) })
				}
			}
		})
	}
}

func rehearsalPlace() place {
	return place{name: "rehearsal", strict: true, open: func(t *testing.T) *aws.Account {
		_, a := start(t, rehearsal.Options{Propagation: -1})
		return a
	}}
}

// start serves a rehearsal account and opens it.
func start(t *testing.T, o rehearsal.Options) (*rehearsal.Server, *aws.Account) {
	t.Helper()
	s := rehearsal.New(o)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, open(t, s, aws.Options{})
}

func open(t *testing.T, s *rehearsal.Server, o aws.Options) *aws.Account {
	t.Helper()
	target := aws.RehearsalTarget(s.Target())
	o.Rehearsal = &target
	a, err := aws.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const (
	vendor = "922761411349" // Spot's public account
	extID  = "spotinst:aws:extid:0123456789abcdef"
)

func parse(t testing.TB, text string, kind policy.Kind) *policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text), kind)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func somePolicy(t testing.TB) *policy.Document {
	return parse(
		t,
		`{"Version":"2012-10-17","Statement":[{"Sid":"Look","Effect":"Allow","Action":["ec2:Describe*","iam:ListRoles"],"Resource":["*"]}]}`,
		policy.Identity,
	)
}

func someTrust() *policy.Document { return policy.NewTrust("aws", []string{vendor}, extID) }

func kindIs(t *testing.T, err error, want aws.ErrorKind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of kind %q", want)
	}
	if got := aws.KindOf(err); got != want {
		t.Fatalf("kind %q, want %q: %v", got, want, err)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// makeRole makes the policy and role that a vendor needs.
func makeRole(t *testing.T, a *aws.Account) (aws.Policy, aws.Role) {
	t.Helper()
	ctx := t.Context()
	p := must[aws.Policy](t)(a.CreatePolicy(ctx, aws.NewPolicy{Name: "Spot-Policy", Document: somePolicy(t)}))
	r := must[aws.Role](t)(a.CreateRole(ctx, aws.NewRole{Name: "Spot-Role", Trust: someTrust()}))
	ok(t, a.AttachRolePolicy(ctx, r.Name, p.ARN))
	return p, r
}

var contract = map[string]func(*testing.T, place, *aws.Account){
	"identity": func(t *testing.T, _ place, a *aws.Account) {
		id := must[aws.Identity](t)(a.Identity(t.Context()))
		if id.AccountID != "123456789012" || id.Partition != "aws" || id.Kind != aws.IsUser {
			t.Errorf("identity %+v", id)
		}
	},
	"alias": func(t *testing.T, _ place, a *aws.Account) {
		if alias := must[string](t)(a.Alias(t.Context())); alias != "" {
			t.Errorf("alias %q of a new account", alias)
		}
	},
	"quotas": func(t *testing.T, _ place, a *aws.Account) {
		q := must[aws.Quotas](t)(a.Quotas(t.Context()))
		if q.PolicySize != 6144 || q.PoliciesPerRole != 10 || q.VersionsPerPolicy != 5 || q.AccessKeysPerUser != 2 {
			t.Errorf("quotas %+v", q)
		}
	},
	"policy and its versions": func(t *testing.T, p place, a *aws.Account) {
		ctx := t.Context()
		made := must[aws.Policy](
			t,
		)(
			a.CreatePolicy(ctx, aws.NewPolicy{Name: "Spot-Policy", Path: "/vendors/", Description: "For Spot", Document: somePolicy(t),
				Tags: []aws.Tag{{Key: "made-by", Value: "rolecall"}}}),
		)
		if made.ARN != "arn:aws:iam::123456789012:policy/vendors/Spot-Policy" {
			t.Errorf("ARN %s", made.ARN)
		}
		got := must[aws.Policy](t)(a.Policy(ctx, made.ARN))
		if got.ID != made.ID || got.VersionID != "v1" || got.Document == nil || !policy.Compare(somePolicy(t), got.Document).Equal {
			t.Errorf("policy %+v", got)
		}
		if named := must[aws.Policy](t)(a.PolicyByName(ctx, "Spot-Policy", "/vendors/")); named.ID != made.ID {
			t.Errorf("by name %+v", named)
		}
		for i := 2; i <= 5; i++ {
			v := must[aws.PolicyVersion](t)(a.CreatePolicyVersion(ctx, made.ARN, somePolicy(t)))
			if v.ID != fmt.Sprintf("v%d", i) || !v.IsDefault {
				t.Errorf("version %+v", v)
			}
		}
		_, err := a.CreatePolicyVersion(ctx, made.ARN, somePolicy(t))
		kindIs(t, err, aws.Limit)
		if p.strict { // moto deletes a policy with all its versions
			kindIs(t, a.DeletePolicy(ctx, made.ARN), aws.Conflict)
		}
		versions := must[[]aws.PolicyVersion](t)(a.PolicyVersions(ctx, made.ARN))
		if len(versions) != 5 {
			t.Fatalf("%d versions", len(versions))
		}
		for _, v := range versions {
			if !v.IsDefault {
				ok(t, a.DeletePolicyVersion(ctx, made.ARN, v.ID))
			}
		}
		ok(t, a.DeletePolicy(ctx, made.ARN))
		_, err = a.Policy(ctx, made.ARN)
		kindIs(t, err, aws.NotFound)
	},
	"taken names": func(t *testing.T, p place, a *aws.Account) {
		ctx := t.Context()
		makeRole(t, a)
		_, err := a.CreatePolicy(ctx, aws.NewPolicy{Name: "Spot-Policy", Document: somePolicy(t)})
		kindIs(t, err, aws.Exists)
		_, err = a.CreateRole(ctx, aws.NewRole{Name: "Spot-Role", Trust: someTrust()})
		kindIs(t, err, aws.Exists)
		if !p.strict {
			return // moto tells cases apart
		}
		_, err = a.CreatePolicy(ctx, aws.NewPolicy{Name: "SPOT-policy", Document: somePolicy(t)})
		kindIs(t, err, aws.Exists)
		_, err = a.CreateRole(ctx, aws.NewRole{Name: "SPOT-role", Trust: someTrust()})
		kindIs(t, err, aws.Exists)
	},
	"role": func(t *testing.T, _ place, a *aws.Account) {
		ctx := t.Context()
		made := must[aws.Role](t)(a.CreateRole(ctx, aws.NewRole{Name: "Spot-Role", Path: "/vendors/", Description: "For Spot", Trust: someTrust(),
			MaxSession: 2 * time.Hour, Tags: []aws.Tag{{Key: "made-by", Value: "rolecall"}}}))
		p := must[aws.Policy](t)(a.CreatePolicy(ctx, aws.NewPolicy{Name: "Spot-Policy", Document: somePolicy(t)}))
		ok(t, a.AttachRolePolicy(ctx, made.Name, p.ARN))
		ok(t, a.AttachRolePolicy(ctx, made.Name, p.ARN)) // again is none the worse
		ok(t, a.PutRolePolicy(ctx, made.Name, "extra", somePolicy(t)))
		r := must[aws.Role](t)(a.Role(ctx, "Spot-Role"))
		if r.ARN != "arn:aws:iam::123456789012:role/vendors/Spot-Role" || r.ID != made.ID || r.MaxSession != 2*time.Hour ||
			len(r.Attached) != 1 || r.Attached[0].ARN != p.ARN || len(r.Inline) != 1 || r.Inline[0].Document == nil ||
			len(r.Tags) != 1 || r.Description != "For Spot" {
			t.Errorf("role %+v", r)
		}
		if r.Trust == nil || r.Trust.Digest() != someTrust().Digest() {
			t.Errorf("trust %s", r.TrustText)
		}
		kindIs(t, a.DeleteRole(ctx, r.Name), aws.Conflict)
		ok(t, a.DetachRolePolicy(ctx, r.Name, p.ARN))
		ok(t, a.DeleteRolePolicy(ctx, r.Name, "extra"))
		ok(t, a.DeleteRole(ctx, r.Name))
		_, err := a.Role(ctx, r.Name)
		kindIs(t, err, aws.NotFound)
	},
	"trust": func(t *testing.T, _ place, a *aws.Account) {
		ctx := t.Context()
		_, r := makeRole(t, a)
		other := policy.NewTrust("aws", []string{vendor}, "spotinst:aws:extid:another")
		ok(t, a.UpdateTrust(ctx, r.Name, other))
		got := must[aws.Role](t)(a.Role(ctx, r.Name))
		if got.Trust == nil || got.Trust.Digest() != other.Digest() {
			t.Errorf("trust %s", got.TrustText)
		}
	},
	"missing things": func(t *testing.T, _ place, a *aws.Account) {
		ctx := t.Context()
		_, err := a.Role(ctx, "nobody")
		kindIs(t, err, aws.NotFound)
		_, err = a.PolicyByName(ctx, "nothing", "")
		kindIs(t, err, aws.NotFound)
		kindIs(t, a.AttachRolePolicy(ctx, "nobody", "arn:aws:iam::123456789012:policy/nothing"), aws.NotFound)
		kindIs(t, a.DeleteRole(ctx, "nobody"), aws.NotFound)
	},
	"attached policy cannot be deleted": func(t *testing.T, p place, a *aws.Account) {
		made, _ := makeRole(t, a)
		if p.strict { // moto deletes it all the same
			kindIs(t, a.DeletePolicy(t.Context(), made.ARN), aws.Conflict)
		}
	},
	"verify": func(t *testing.T, _ place, a *aws.Account) {
		makeRole(t, a)
		want := aws.Want{Principals: []string{vendor}, ExternalID: extID, RoleName: "Spot-Role", Policies: []*policy.Document{somePolicy(t)}}
		r := must[aws.Report](t)(a.Verify(t.Context(), want))
		if !r.OK || r.Role == nil || r.Role.Name != "Spot-Role" {
			t.Errorf("report %+v", r)
		}
		want.ExternalID = "another"
		r = must[aws.Report](t)(a.Verify(t.Context(), want))
		if c, _ := r.Check("trust-external-id"); r.OK || c.Status != aws.Fail || c.Got != extID {
			t.Errorf("report %+v", r)
		}
	},
	"watches": func(t *testing.T, _ place, a *aws.Account) {
		ctx := t.Context()
		policies := a.WatchPolicy(aws.WantPolicy{Document: somePolicy(t), SuggestedName: "Spot-Policy"})
		roles := a.WatchRole(
			aws.Want{Principals: []string{vendor}, ExternalID: extID, RoleName: "Spot-Role", Policies: []*policy.Document{somePolicy(t)}},
		)
		if next, done, err := policies.Fetch(ctx); done || err != nil || next <= 0 {
			t.Fatalf("policies in an empty account: %v %v %v", next, done, err)
		}
		if _, done, err := roles.Fetch(ctx); done || err != nil {
			t.Fatalf("roles in an empty account: %v %v", done, err)
		}
		p := must[aws.Policy](t)(a.CreatePolicy(ctx, aws.NewPolicy{Name: "Called-Otherwise", Document: somePolicy(t)}))
		r := must[aws.Role](t)(a.CreateRole(ctx, aws.NewRole{Name: "Also-Otherwise", Trust: someTrust()}))
		if _, _, err := policies.Fetch(ctx); err != nil {
			t.Fatal(err)
		}
		if m := policies.Matches(); len(m) != 1 || m[0].Policy.ARN != p.ARN || !m[0].Exact || !policies.Done() {
			t.Errorf("policies %+v", m)
		}
		if _, done, err := roles.Fetch(ctx); done || err != nil {
			t.Fatalf("role without a policy: %v %v", done, err)
		}
		if m := roles.Matches(); len(m) != 1 || m[0].Role.ARN != r.ARN || m[0].Report.OK {
			t.Errorf("roles %+v", m)
		}
		ok(t, a.AttachRolePolicy(ctx, r.Name, p.ARN))
		if _, done, err := roles.Fetch(ctx); !done || err != nil {
			t.Errorf("role with its policy: %v %v %+v", done, err, roles.Matches())
		}
	},
	"refused documents": func(t *testing.T, _ place, a *aws.Account) {
		d := parse(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`, policy.Identity)
		d.Statements[0].Resource = nil
		_, err := a.CreatePolicy(t.Context(), aws.NewPolicy{Name: "Broken", Document: d})
		kindIs(t, err, aws.Malformed)
		var e *aws.Error
		if !errors.As(err, &e) || !strings.Contains(e.AWS, "resource") {
			t.Errorf("AWS says %v", err)
		}
	},
	"cancelled": func(t *testing.T, _ place, a *aws.Account) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := a.Identity(ctx)
		kindIs(t, err, aws.Canceled)
	},
}
