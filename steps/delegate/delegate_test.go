package delegate_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy/review"
	"rolecall/steps"
	"rolecall/steps/delegate"
	"rolecall/steps/describe"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

const (
	id     = "e4bdcdae-4f66-11ed-a1b2-c3d4e5f60718"
	setup  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	vendor = "922761411349"
)

// world is a customer's account with one request in it.
func world(t *testing.T, o rehearsal.Options, d rehearsal.Delegation) *rehearsal.Server {
	t.Helper()
	s := rehearsal.New(o)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	d.ID, d.Requestor, d.RequestorName = id, orElse(d.Requestor, vendor), orElse(d.RequestorName, "Spot")
	d.Policy = orElse(d.Policy, setup)
	s.RequestDelegation(d)
	return s
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// decider is somebody with a machine of their own who decides on the request.
func decider(t *testing.T, s *rehearsal.Server) *delegate.Decider {
	t.Helper()
	target := aws.RehearsalTarget(s.Target())
	account, err := aws.Open(t.Context(), aws.Options{Rehearsal: &target})
	if err != nil {
		t.Fatal(err)
	}
	who, err := account.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	judge := &delegate.Judge{Account: account, Identity: who, Now: time.Now}
	for _, name := range describe.List() {
		v, err := steps.Library().Load(name)
		if err != nil {
			t.Fatal(err)
		}
		judge.Vendors = append(judge.Vendors, v)
	}
	store := record.OpenStore(filepath.Join(t.TempDir(), "rolecall"))
	decisions, release, err := store.OpenDecisions(record.Receipt{AccountID: who.AccountID}, id, "delegation", "me", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return &delegate.Decider{Judge: judge, Decisions: decisions}
}

func look(t *testing.T, d *delegate.Decider) *delegate.Judged {
	t.Helper()
	judged, err := d.Look(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return judged
}

func kindOf(err error) screen.ProblemKind {
	var fault *screen.Fault
	if errors.As(err, &fault) {
		return fault.Problem.Kind
	}
	return screen.Failure
}

func sent(s *rehearsal.Server, action string) int {
	n := 0
	for _, call := range s.Calls() {
		if call.Action == action {
			n++
		}
	}
	return n
}

// Two people accept at once, each having reviewed the same: one of them did, and
// nobody's answer says otherwise.
func TestTwoPeopleAtOnce(t *testing.T) {
	for range 5 {
		s := world(t, rehearsal.Options{}, rehearsal.Delegation{})
		people := []*delegate.Decider{decider(t, s), decider(t, s), decider(t, s)}
		reviewed := look(t, people[0]).Plan
		var wait sync.WaitGroup
		done, errs := make([]bool, len(people)), make([]error, len(people))
		for i, d := range people {
			wait.Go(func() { _, done[i], errs[i] = d.Accept(t.Context(), reviewed) })
		}
		wait.Wait()
		for i, err := range errs {
			if err != nil && (done[i] || kindOf(err) != screen.NotAsNeeded || !strings.Contains(err.Error(), "Somebody else decided")) {
				t.Fatal(err)
			}
		}
		accepted := len(slices.DeleteFunc(slices.Clone(done), func(is bool) bool { return !is }))
		if accepted != 1 || s.DelegationState(id) != "ACCEPTED" {
			t.Fatalf("%v accepted it, and it is %s", done, s.DelegationState(id))
		}
	}
}

// Whatever of a request changes after it was reviewed, it is not accepted.
func TestWhatChangedIsNotAccepted(t *testing.T) {
	changes := map[string]func(*rehearsal.Delegation){
		"policy":    func(d *rehearsal.Delegation) { d.Policy = strings.Replace(setup, "s3:GetObject", "s3:*", 1) },
		"resource":  func(d *rehearsal.Delegation) { d.Policy = strings.Replace(setup, `"*"`, `"arn:aws:s3:::x/*"`, 1) },
		"duration":  func(d *rehearsal.Delegation) { d.Duration = 2 * time.Hour },
		"boundary":  func(d *rehearsal.Delegation) { d.Boundaries = []string{"arn:aws:iam::aws:policy/SecurityAudit"} },
		"requestor": func(d *rehearsal.Delegation) { d.Requestor = "444455556666" },
		"name":      func(d *rehearsal.Delegation) { d.RequestorName = "Another" },
		"template":  func(d *rehearsal.Delegation) { d.Template = "arn:aws:iam:::delegation-template/another" },
		"parameter": func(d *rehearsal.Delegation) {
			d.Parameters = []rehearsal.DelegationParameter{{Name: "a", Values: []string{"b"}}}
		},
		"only owner": func(d *rehearsal.Delegation) { d.OnlySendByOwner = true },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := world(t, rehearsal.Options{}, rehearsal.Delegation{})
			d := decider(t, s)
			reviewed := look(t, d).Plan
			changed := rehearsal.Delegation{ID: id, Requestor: vendor, RequestorName: "Spot", Policy: setup}
			change(&changed)
			s.RequestDelegation(changed)
			_, done, err := d.Accept(t.Context(), reviewed)
			if done || kindOf(err) != screen.NotAsNeeded || sent(s, "iam:AcceptDelegationRequest") > 0 {
				t.Fatalf("%v %v", done, err)
			}
			if digest := look(t, d).Plan.Digest(); digest == reviewed.Digest() {
				t.Fatal("the digest is the same")
			}
			if _, err := d.Release(t.Context(), reviewed); err == nil {
				t.Fatal("released")
			}
		})
	}
	s := world(t, rehearsal.Options{}, rehearsal.Delegation{Policy: setup})
	d := decider(t, s)
	reviewed := look(t, d).Plan
	s.RequestDelegation(rehearsal.Delegation{ID: id, Requestor: vendor, RequestorName: "Spot",
		Policy: `{"Statement":{"Sid":"Other","Resource":["*"],"Action":["S3:getobject"],"Effect":"Allow"},"Version":"2012-10-17"}`})
	if _, done, err := d.Accept(t.Context(), reviewed); !done || err != nil {
		t.Fatalf("another spelling of the same: %v", err)
	}
}

// What was changed to and fro by a server that lies is never released.
func TestAcceptanceIsTakenBack(t *testing.T) {
	s := world(t, rehearsal.Options{}, rehearsal.Delegation{Becomes: strings.Replace(setup, "s3:GetObject", "*", 1)})
	d := decider(t, s)
	_, _, err := d.Accept(t.Context(), look(t, d).Plan)
	if kindOf(err) != screen.NotAsNeeded || s.DelegationState(id) != "REJECTED" || sent(s, "iam:SendDelegationToken") > 0 {
		t.Fatalf("%v, and it is %s", err, s.DelegationState(id))
	}
	entries, err := d.Decisions.Entries()
	if err != nil || len(entries) != 5 { // begun, accept, reject
		t.Fatalf("%+v %v", entries, err)
	}
}

func TestRootAcceptsShortOnesAlone(t *testing.T) {
	root := rehearsal.Options{CallerARN: "arn:aws:iam::123456789012:root"}
	s := world(t, root, rehearsal.Delegation{Duration: 5 * time.Hour})
	d := decider(t, s)
	judged := look(t, d)
	if _, _, err := d.Accept(t.Context(), judged.Plan); kindOf(err) != screen.NotAsNeeded || sent(s, "iam:AcceptDelegationRequest") > 0 {
		t.Fatal(err)
	}
	if !found(judged, "delegation-root") {
		t.Fatalf("%+v", judged.Findings)
	}
	s = world(t, root, rehearsal.Delegation{Duration: 4 * time.Hour})
	d = decider(t, s)
	if _, done, err := d.Accept(t.Context(), look(t, d).Plan); err != nil || !done {
		t.Fatal(err)
	}
}

func found(j *delegate.Judged, id string) bool {
	return slices.ContainsFunc(j.Findings, func(f review.Finding) bool { return f.ID == id })
}

func TestRolesWithoutABoundary(t *testing.T) {
	const create = `{"Version":"2012-10-17","Statement":[{"Effect":"EFFECT","Action":"iam:Create*","Resource":"*","Condition":{"OPERATOR":{"iam:PermissionsBoundary":"VALUE"}}}]}`
	const boundary = "arn:aws:iam::aws:policy/SecurityAudit"
	for name, c := range map[string]struct {
		effect, operator, value string
		want                    bool
	}{
		"named":       {"Allow", "StringEquals", boundary, false},
		"any":         {"Allow", "StringLike", "*", true},
		"any policy":  {"Allow", "ArnLike", "arn:aws:iam::*:policy/*", true},
		"a family":    {"Allow", "ArnLike", "arn:aws:iam::*:policy/spot-*", false},
		"if it has":   {"Allow", "StringEqualsIfExists", boundary, true},
		"not another": {"Allow", "StringNotEquals", boundary, true},
		"denied":      {"Deny", "StringNotEquals", boundary, false},
	} {
		text := strings.NewReplacer("EFFECT", c.effect, "OPERATOR", c.operator, "VALUE", c.value).Replace(create)
		s := world(t, rehearsal.Options{}, rehearsal.Delegation{Policy: text})
		if got := found(look(t, decider(t, s)), "delegation-unbounded-role"); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A plan of a request survives its file, and its approval holds for it alone.
func TestPlanOfARequest(t *testing.T) {
	s := world(t, rehearsal.Options{}, rehearsal.Delegation{Boundaries: []string{"arn:aws:iam::aws:policy/SecurityAudit",
		"arn:aws:iam::123456789012:policy/none"}})
	judged := look(t, decider(t, s))
	if len(judged.Plan.Documents) != 2 || judged.Boundaries[1].Unread == "" {
		t.Fatalf("%+v", judged.Boundaries)
	}
	judged.Plan.Approve("alice", time.Now())
	text, err := judged.Plan.JSON()
	if err != nil {
		t.Fatal(err)
	}
	read, err := plan.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := delegate.Same(read, judged.Plan); err != nil || read.Digest() != judged.Plan.Digest() || len(read.Unapproved()) > 0 {
		t.Fatal(err)
	}
	for from, to := range map[string]string{`"duration_s": 3600`: `"duration_s": 36000`, vendor: "444455556666",
		`"boundaries"`: `"Boundaries"`, `"purpose": "boundary"`: `"purpose": "delegation"`} {
		changed := strings.Replace(string(text), from, to, 1)
		if p, err := plan.Read([]byte(changed)); err == nil && len(p.Unapproved()) == 0 {
			t.Errorf("%s is approved as %s", from, to)
		}
	}
}
