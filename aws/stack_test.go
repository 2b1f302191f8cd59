package aws_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

// template is one role with its policy, as the exports write it.
func template(t testing.TB, change func(*policy.SetupRole)) string {
	t.Helper()
	role := policy.SetupRole{ID: "SpotRole", Name: "Spot-Role", Principals: []string{vendor}, ExternalID: extID, Output: "SpotinstRoleArn",
		Policies: []policy.SetupPolicy{{ID: "SpotPolicy", Name: "Spot-Policy", Document: somePolicy(t)}}}
	if change != nil {
		change(&role)
	}
	setup := policy.Setup{Description: "For Spot", Roles: []policy.SetupRole{role}}
	text, err := setup.CloudFormation()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newStack(t testing.TB, token string) aws.NewStack {
	return aws.NewStack{Name: "spot-access", Template: template(t, nil), Acknowledged: true, Token: token}
}

// follow watches a stack to its end.
func follow(t *testing.T, a *aws.Account, id, token string) *aws.StackWatch {
	t.Helper()
	w := a.WatchStack(id, token)
	for range 200 {
		next, done, err := w.Fetch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return w
		}
		if next < 2*time.Second || next > 3*time.Second {
			t.Fatalf("next look after %s", next)
		}
		time.Sleep(next)
	}
	t.Fatalf("no end: %+v", w.Events())
	return nil
}

// stackContract is what rehearsal and moto have in common.
var stackContract = map[string]func(*testing.T, place, *aws.Account){
	"stack": func(t *testing.T, p place, a *aws.Account) {
		ctx := t.Context()
		_, err := a.Stack(ctx, "spot-access")
		kindIs(t, err, aws.NotFound)
		if p.strict {
			described := must[aws.Template](t)(a.ValidateTemplate(ctx, template(t, nil)))
			if described.Description != "For Spot" || !slices.Equal(described.Parameters, []string{"ExternalId"}) ||
				!slices.Equal(described.Capabilities, []string{"CAPABILITY_NAMED_IAM"}) {
				t.Errorf("template %+v", described)
			}
		}
		id := must[string](t)(a.CreateStack(ctx, newStack(t, "token-1")))
		token := "token-1"
		if !p.strict {
			token = "" // moto's events carry none
		}
		w := follow(t, a, id, token)
		if w.Status() != aws.StackCreated {
			t.Fatalf("status %s, events %+v", w.Status(), w.Events())
		}
		stack := must[aws.Stack](t)(a.Stack(ctx, "spot-access"))
		if stack.ID != id || !stack.Status.Good() || stack.Outputs["SpotinstRoleArn"] != "arn:aws:iam::123456789012:role/Spot-Role" ||
			stack.Parameters["ExternalId"] != extID || aws.StackRegion(id) != "us-east-1" {
			t.Errorf("stack %+v", stack)
		}
		if text := must[string](t)(a.Template(ctx, id)); !aws.SameTemplate(text, template(t, nil)) {
			t.Errorf("template %s", text)
		}
		if all := must[[]aws.Stack](t)(a.Stacks(ctx)); len(all) != 1 || all[0].ID != id {
			t.Errorf("stacks %+v", all)
		}
		_, err = a.CreateStack(ctx, newStack(t, "token-2"))
		kindIs(t, err, aws.Exists)
		role := must[aws.Role](t)(a.Role(ctx, "Spot-Role"))
		if role.Trust.Digest() != someTrust().Digest() {
			t.Errorf("trust %s", role.TrustText)
		}
		if p.strict { // moto attaches no ManagedPolicyArns
			want := aws.Want{Principals: []string{vendor}, ExternalID: extID, RoleName: "Spot-Role", Policies: []*policy.Document{somePolicy(t)}}
			if r := must[aws.Report](t)(a.Verify(ctx, want)); !r.OK {
				t.Errorf("report %+v", r)
			}
		}
		ok(t, a.DeleteStack(ctx, id, "token-3"))
		if p.strict {
			if w := follow(t, a, id, "token-3"); w.Status() != aws.StackDeleted {
				t.Errorf("status %s", w.Status())
			}
			kindIs(t, a.DeleteRole(ctx, "Spot-Role"), aws.NotFound)
		}
		_, err = a.Stack(ctx, "spot-access")
		kindIs(t, err, aws.NotFound)
		if all := must[[]aws.Stack](t)(a.Stacks(ctx)); len(all) != 0 {
			t.Errorf("stacks after the deletion %+v", all)
		}
		ok(t, a.DeleteStack(ctx, "spot-access", ""))
	},
	"change set": func(t *testing.T, p place, a *aws.Account) {
		ctx := t.Context()
		made := must[aws.ChangeSet](t)(a.CreateChangeSet(ctx, aws.NewChangeSet{NewStack: newStack(t, "token-1"), ChangeSet: "rolecall-1"}))
		if aws.StackRegion(made.ID) != "us-east-1" || made.StackID == "" {
			t.Fatalf("change set %+v", made)
		}
		stack := must[aws.Stack](t)(a.Stack(ctx, "spot-access"))
		if stack.Status != aws.StackReview || stack.ID != made.StackID || stack.Status.Moving() {
			t.Errorf("stack %+v", stack)
		}
		set := must[aws.ChangeSet](t)(a.ChangeSet(ctx, made.ID))
		if !set.Ready() || len(set.Changes) != 2 || set.StackID != made.StackID {
			t.Fatalf("change set %+v", set)
		}
		for _, c := range set.Changes {
			if c.Action != "Add" || !strings.HasPrefix(c.Type, "AWS::IAM::") || c.LogicalID == "" {
				t.Errorf("change %+v", c)
			}
		}
		ok(t, a.ExecuteChangeSet(ctx, made.ID, "token-2"))
		if w := follow(t, a, made.StackID, ""); w.Status() != aws.StackCreated {
			t.Fatalf("status %s", w.Status())
		}
		if p.strict { // moto has no outputs after a change set
			stack = must[aws.Stack](t)(a.Stack(ctx, made.StackID))
			if stack.Outputs["SpotinstRoleArn"] != "arn:aws:iam::123456789012:role/Spot-Role" {
				t.Errorf("outputs %+v", stack.Outputs)
			}
		}
		_, err := a.ChangeSet(ctx, "arn:aws:cloudformation:us-east-1:123456789012:changeSet/none/00000000-0000-4000-8000-000000000000")
		kindIs(t, err, aws.NotFound)
	},
	"stack that somebody else makes": func(t *testing.T, _ place, a *aws.Account) {
		ctx := t.Context()
		search := a.SearchStack(
			aws.WantStack{Template: template(t, nil), Outputs: []string{"SpotinstRoleArn"}, Name: "spot-access", Since: time.Now()},
		)
		if _, done, err := search.Fetch(ctx); done || err != nil {
			t.Fatalf("in an empty account: %v %v", done, err)
		}
		n := newStack(t, "")
		n.Name = "called-otherwise"
		n.Template = strings.ReplaceAll(n.Template, "\n", "\r\n") + "\r\n"
		id := must[string](t)(a.CreateStack(ctx, n))
		if _, done, err := search.Fetch(ctx); !done || err != nil || len(search.Matches()) != 1 || search.Matches()[0].ID != id {
			t.Fatalf("%v %v %+v", done, err, search.Matches())
		}
	},
}

// at runs a test in virtual time against an account in memory, where making a
// resource takes its four seconds.
func at(t *testing.T, o rehearsal.Options, run func(t *testing.T, s *rehearsal.Server, a *aws.Account)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := rehearsal.New(o)
		listener, client := rehearsal.Pipe()
		done := make(chan error, 1)
		go func() { done <- s.Serve(listener) }()
		synctest.Wait()
		target := aws.RehearsalTarget(s.Target())
		a, err := aws.Open(t.Context(), aws.Options{Rehearsal: &target, HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			client.CloseIdleConnections()
			_ = s.Close()
			_ = listener.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		run(t, s, a)
	})
}

func TestAStacksResourcesAreMadeOneAfterTheOther(t *testing.T) {
	at(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		began := time.Now()
		id := must[string](t)(a.CreateStack(t.Context(), newStack(t, "token")))
		w := a.WatchStack(id, "token")
		var seen []string
		for {
			next, done, err := w.Fetch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var line []string
			for _, r := range w.Resources() {
				line = append(line, r.LogicalID+" "+r.Status)
			}
			if now := strings.Join(line, ", "); len(seen) == 0 || seen[len(seen)-1] != now {
				seen = append(seen, now)
			}
			if done {
				break
			}
			time.Sleep(next)
		}
		want := []string{
			"",
			"SpotPolicy CREATE_IN_PROGRESS",
			"SpotPolicy CREATE_COMPLETE, SpotRole CREATE_IN_PROGRESS",
			"SpotPolicy CREATE_COMPLETE, SpotRole CREATE_COMPLETE",
		}
		if !slices.Equal(seen, want) {
			t.Errorf("seen %q", seen)
		}
		if took := time.Since(began); took < 8*time.Second || took > 20*time.Second {
			t.Errorf("took %s", took)
		}
		for _, r := range w.Resources() {
			if r.PhysicalID == "" || !r.Changed.After(r.Began) {
				t.Errorf("resource %+v", r)
			}
		}
		if err := s.AssumeRole(vendor, "arn:aws:iam::123456789012:role/Spot-Role", extID); err != nil {
			t.Errorf("the vendor: %v", err)
		}
	})
}

// failedRun makes a stack that fails, and returns how it ended.
func failedRun(t *testing.T, a *aws.Account, n aws.NewStack) (*aws.StackWatch, *aws.Error) {
	t.Helper()
	id := must[string](t)(a.CreateStack(t.Context(), n))
	w := follow(t, a, id, n.Token)
	e, found := aws.FirstFailure(w.Events())
	if !found {
		t.Fatalf("no failure in %+v", w.Events())
	}
	return w, aws.ExplainStack(e)
}

func TestTheFirstFailureIsTheCauseAndIsExplained(t *testing.T) {
	cases := map[string]struct {
		prepare func(*testing.T, *rehearsal.Server, *aws.Account)
		role    func(*policy.SetupRole)
		kind    aws.ErrorKind
		what    string
		next    string
	}{
		"role's name taken": {prepare: func(t *testing.T, _ *rehearsal.Server, a *aws.Account) {
			must[aws.Role](t)(a.CreateRole(t.Context(), aws.NewRole{Name: "spot-ROLE", Trust: someTrust()}))
		}, kind: aws.Exists, what: "The role Spot-Role exists already", next: "another name"},
		"policy's name taken": {prepare: func(t *testing.T, _ *rehearsal.Server, a *aws.Account) {
			must[aws.Policy](t)(a.CreatePolicy(t.Context(), aws.NewPolicy{Name: "Spot-Policy", Document: somePolicy(t)}))
		}, kind: aws.Exists, what: "The policy Spot-Policy exists already", next: "another name"},
		"not allowed": {prepare: func(_ *testing.T, s *rehearsal.Server, _ *aws.Account) { s.Deny("iam:CreateRole") },
			kind: aws.Denied, what: "not allowed iam:CreateRole", next: "Ask your administrator for iam:CreateRole"},
		"forbidden by the organisation": {prepare: func(_ *testing.T, s *rehearsal.Server, _ *aws.Account) {
			s.Inject(rehearsal.Fault{Kind: rehearsal.DeniedSCP, Actions: []string{"iam:CreatePolicy"}})
		}, kind: aws.Denied, what: "not allowed iam:CreatePolicy", next: "service control policies"},
		"boundary missing": {role: func(r *policy.SetupRole) { r.Boundary = "arn:aws:iam::123456789012:policy/none" },
			kind: aws.NotFound, what: "does not exist", next: "ARN"},
		"too many policies": {role: func(r *policy.SetupRole) {
			for range 11 {
				r.ManagedPolicies = append(
					r.ManagedPolicies,
					"arn:aws:iam::aws:policy/SecurityAudit",
					"arn:aws:iam::aws:policy/ReadOnlyAccess",
					"arn:aws:iam::aws:policy/AdministratorAccess",
				)
			}
			for i := range 10 {
				r.Policies = append(
					r.Policies,
					policy.SetupPolicy{ID: fmt.Sprintf("P%d", i), Name: fmt.Sprintf("p-%d", i), Document: r.Policies[0].Document},
				)
			}
		}, kind: aws.Limit, what: "PoliciesPerRole, at most 10", next: "quota"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			at(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
				if c.prepare != nil {
					c.prepare(t, s, a)
				}
				n := newStack(t, "token")
				n.Template = template(t, c.role)
				w, e := failedRun(t, a, n)
				if e.Kind != c.kind || !strings.Contains(e.What, c.what) || !strings.Contains(e.Next, c.next) || e.AWS == "" {
					t.Errorf("kind %s: %+v", e.Kind, e)
				}
				stack := must[aws.Stack](t)(a.Stack(t.Context(), w.ID()))
				if w.Status() != aws.StackRolledBack || stack.Status != aws.StackRolledBack || len(stack.Outputs) != 0 {
					t.Fatalf("status %s, stack %+v", w.Status(), stack)
				}
				if stack.Explain() == nil || stack.Explain().Kind != aws.Exists {
					t.Errorf("the blocked stack: %+v", stack.Explain())
				}
				s.ClearFaults()
				_, err := a.CreateStack(t.Context(), newStack(t, "another"))
				kindIs(t, err, aws.Exists)
				_, err = a.CreateChangeSet(t.Context(), aws.NewChangeSet{NewStack: newStack(t, "another"), ChangeSet: "one", Update: true})
				kindIs(t, err, aws.Exists)
				ok(t, a.DeleteStack(t.Context(), w.ID(), "gone"))
				follow(t, a, w.ID(), "gone")
				if name == "not allowed" {
					_, err = a.PolicyByName(t.Context(), "Spot-Policy", "")
					kindIs(t, err, aws.NotFound) // rolled back
				}
			})
		})
	}
}

func TestWhatARollbackMayNotDeleteStays(t *testing.T) {
	at(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		s.Deny("iam:CreateRole", "iam:DeletePolicy")
		w, e := failedRun(t, a, newStack(t, "token"))
		if e.Action != "iam:CreateRole" {
			t.Errorf("cause %+v", e)
		}
		if w.Status() != aws.StackRollbackFailed {
			t.Errorf("status %s", w.Status())
		}
		s.ClearFaults()
		must[aws.Policy](t)(a.PolicyByName(t.Context(), "Spot-Policy", ""))
		ok(t, a.DeleteStack(t.Context(), w.ID(), "gone"))
		if w := follow(t, a, w.ID(), "gone"); w.Status() != aws.StackDeleted {
			t.Errorf("status %s, %+v", w.Status(), w.Events())
		}
		_, err := a.PolicyByName(t.Context(), "Spot-Policy", "")
		kindIs(t, err, aws.NotFound)
	})
}

func TestAStackWhosePolicyIsUsedElsewhereIsNotDeleted(t *testing.T) {
	at(t, rehearsal.Options{Propagation: -1}, func(t *testing.T, _ *rehearsal.Server, a *aws.Account) {
		id := must[string](t)(a.CreateStack(t.Context(), newStack(t, "token")))
		must[aws.Role](t)(a.CreateRole(t.Context(), aws.NewRole{Name: "other", Trust: someTrust()}))
		ok(t, a.AttachRolePolicy(t.Context(), "other", "arn:aws:iam::123456789012:policy/Spot-Policy"))
		ok(t, a.DeleteStack(t.Context(), id, "gone"))
		w := follow(t, a, id, "gone")
		e, _ := aws.FirstFailure(w.Events())
		if x := aws.ExplainStack(e); w.Status() != aws.StackDeleteFailed || x.Kind != aws.Conflict ||
			!strings.Contains(x.What, "policy Spot-Policy") {
			t.Errorf("status %s: %+v", w.Status(), x)
		}
	})
}

func TestCloudFormationRefusesBeforeItBegins(t *testing.T) {
	cases := map[string]struct {
		change func(*aws.NewStack)
		kind   aws.ErrorKind
		says   string
	}{
		"capability": {func(n *aws.NewStack) { n.Acknowledged = false }, aws.Malformed, "Requires capabilities : [CAPABILITY_NAMED_IAM]"},
		"name":       {func(n *aws.NewStack) { n.Name = "spot_access" }, aws.Malformed, "[a-zA-Z][-a-zA-Z0-9]*"},
		"long name":  {func(n *aws.NewStack) { n.Name = strings.Repeat("a", 129) }, aws.Malformed, "128"},
		"size":       {func(n *aws.NewStack) { n.Template += strings.Repeat("#", aws.MaxTemplate) }, aws.Limit, ""},
		"parameter": {
			func(n *aws.NewStack) { n.Template = strings.ReplaceAll(n.Template, "    Default: \""+extID+"\"\n", "") },
			aws.Malformed,
			"Parameters: [ExternalId] must have values",
		},
		"short parameter": {
			func(n *aws.NewStack) { n.Parameters = map[string]string{"ExternalId": "x"} },
			aws.Malformed,
			"must contain at least 2 characters",
		},
		"parameter pattern": {
			func(n *aws.NewStack) { n.Parameters = map[string]string{"ExternalId": "a b"} },
			aws.Malformed,
			"must match pattern",
		},
		"strange parameter": {
			func(n *aws.NewStack) { n.Parameters = map[string]string{"Token": "x"} },
			aws.Malformed,
			"Parameters: [Token] do not exist in the template",
		},
		"no YAML":      {func(n *aws.NewStack) { n.Template = "{a: [" }, aws.Malformed, "Template format error"},
		"no resources": {func(n *aws.NewStack) { n.Template = "Description: x\n" }, aws.Malformed, "At least one Resources member"},
		"unknown reference": {
			func(n *aws.NewStack) { n.Template = strings.ReplaceAll(n.Template, "!Ref SpotPolicy", "!Ref Nothing") },
			aws.Malformed,
			"Unresolved resource dependencies [Nothing]",
		},
		"a Lambda": {func(n *aws.NewStack) {
			n.Template = strings.ReplaceAll(n.Template, "AWS::IAM::Role", "AWS::Lambda::Function")
		}, aws.Malformed, "Unrecognized resource types"},
	}
	_, a := start(t, rehearsal.Options{Propagation: -1})
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			n := newStack(t, "token")
			c.change(&n)
			_, err := a.CreateStack(t.Context(), n)
			kindIs(t, err, c.kind)
			_, setErr := a.CreateChangeSet(t.Context(), aws.NewChangeSet{NewStack: n, ChangeSet: "one"})
			kindIs(t, setErr, c.kind)
			if e := aws.Explain(err); !strings.Contains(e.AWS, c.says) || e.Next == "" {
				t.Errorf("%+v", e)
			}
		})
	}
	if all := must[[]aws.Stack](t)(a.Stacks(t.Context())); len(all) != 0 {
		t.Errorf("made %+v", all)
	}
}

func TestAStackIsChangedThroughAChangeSet(t *testing.T) {
	at(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		ctx := t.Context()
		id := must[string](t)(a.CreateStack(ctx, newStack(t, "token")))
		follow(t, a, id, "token")
		before := must[aws.Role](t)(a.Role(ctx, "Spot-Role"))
		changed := func(n aws.NewStack) aws.ChangeSet {
			t.Helper()
			made := must[aws.ChangeSet](t)(a.CreateChangeSet(ctx, aws.NewChangeSet{NewStack: n, ChangeSet: "c-" + n.Token, Update: true}))
			for range 20 {
				set := must[aws.ChangeSet](t)(a.ChangeSet(ctx, made.ID))
				if set.Ready() || set.Failed() {
					return set
				}
				time.Sleep(time.Second)
			}
			t.Fatal("the change set is never ready")
			return aws.ChangeSet{}
		}
		if set := changed(newStack(t, "same")); !set.Empty() {
			t.Fatalf("no change: %+v", set)
		}
		other := newStack(t, "trust")
		other.Parameters = map[string]string{"ExternalId": "spotinst:aws:extid:fedcba9876543210"}
		set := changed(other)
		if len(set.Changes) != 1 || set.Changes[0].LogicalID != "SpotRole" || set.Changes[0].Action != "Modify" ||
			set.Changes[0].Replacement != "False" ||
			set.Changes[0].PhysicalID != "Spot-Role" {
			t.Fatalf("changes %+v", set.Changes)
		}
		ok(t, a.ExecuteChangeSet(ctx, set.ID, "run"))
		if w := follow(t, a, id, "run"); w.Status() != aws.StackUpdated || len(w.Resources()) != 1 {
			t.Fatalf("status %s %+v", w.Status(), w.Events())
		}
		after := must[aws.Role](t)(a.Role(ctx, "Spot-Role"))
		if after.ID != before.ID || after.Trust.Digest() == before.Trust.Digest() {
			t.Errorf("role %+v", after)
		}
		renamed := newStack(t, "name")
		renamed.Parameters = other.Parameters
		renamed.Template = template(t, func(r *policy.SetupRole) { r.Name = "Spot-Role-2" })
		set = changed(renamed)
		if len(set.Changes) != 1 || set.Changes[0].Replacement != "True" {
			t.Fatalf("changes %+v", set.Changes)
		}
		ok(t, a.ExecuteChangeSet(ctx, set.ID, "rename"))
		follow(t, a, id, "rename")
		must[aws.Role](t)(a.Role(ctx, "Spot-Role-2"))
		_, err := a.Role(ctx, "Spot-Role")
		kindIs(t, err, aws.NotFound)
		if arn := must[aws.Stack](t)(a.Stack(ctx, id)).Outputs["SpotinstRoleArn"]; !strings.HasSuffix(arn, "Spot-Role-2") {
			t.Errorf("output %s", arn)
		}
		s.Deny("iam:UpdateAssumeRolePolicy")
		back := newStack(t, "back")
		back.Template = renamed.Template
		ok(t, a.ExecuteChangeSet(ctx, changed(back).ID, "fail"))
		w := follow(t, a, id, "fail")
		if e, found := aws.FirstFailure(w.Events()); !found || aws.ExplainStack(e).Action != "iam:UpdateAssumeRolePolicy" {
			t.Errorf("status %s, %+v", w.Status(), w.Events())
		}
	})
}

func TestARequestSentTwiceMakesOneStack(t *testing.T) {
	_, a := start(t, rehearsal.Options{Propagation: -1})
	one := must[string](t)(a.CreateStack(t.Context(), newStack(t, "token")))
	two := must[string](t)(a.CreateStack(t.Context(), newStack(t, "token")))
	if one != two {
		t.Errorf("%s and %s", one, two)
	}
}

func TestADroppedConnectionMakesOneStack(t *testing.T) {
	s, a := start(t, rehearsal.Options{Propagation: -1})
	s.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"cloudformation:CreateStack"}, Times: 1})
	id := must[string](t)(a.CreateStack(t.Context(), newStack(t, "token")))
	if all := must[[]aws.Stack](t)(a.Stacks(t.Context())); len(all) != 1 || all[0].ID != id {
		t.Errorf("%+v", all)
	}
}

func TestAStackWatchOutlivesTroubleAndRefusals(t *testing.T) {
	at(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		ctx := t.Context()
		id := must[string](t)(a.CreateStack(ctx, newStack(t, "token")))
		s.Inject(rehearsal.Fault{Kind: rehearsal.Throttled, Actions: []string{"cloudformation:DescribeStackEvents"}, Times: 2})
		w := a.WatchStack(id, "token")
		for range 2 {
			next, done, err := w.Fetch(ctx)
			if err != nil || done || next < 3*time.Second || !strings.Contains(w.Note(), "slow down") {
				t.Fatalf("%s %v %v %q", next, done, err, w.Note())
			}
		}
		s.ExpireCredentials()
		if _, _, err := w.Fetch(ctx); aws.KindOf(err) != aws.Expired {
			t.Fatalf("expired: %v", err)
		}
		s.RenewCredentials()
		if _, _, err := w.Fetch(ctx); err != nil || w.Note() != "" {
			t.Fatalf("renewed: %v %q", err, w.Note())
		}
		s.Deny("cloudformation:DescribeStackEvents")
		w = a.WatchStack(id, "token")
		if _, done, err := w.Fetch(ctx); err != nil || done || w.Status() != aws.StackCreating ||
			!strings.Contains(w.Note(), "cloudformation:DescribeStackEvents") {
			t.Fatalf("without events: %v %v %s %q", done, err, w.Status(), w.Note())
		}
		time.Sleep(time.Minute)
		if _, done, err := w.Fetch(ctx); err != nil || !done || w.Status() != aws.StackCreated {
			t.Fatalf("without events: %v %v %s", done, err, w.Status())
		}
		s.ClearFaults()
		w = a.WatchStack(id, "a token of something else")
		for range 10 {
			if _, done, _ := w.Fetch(ctx); done {
				break
			}
		}
		if !w.Done() || w.Status() != aws.StackCreated {
			t.Errorf("with another token: %s", w.Status())
		}
	})
}

func TestASearchGoesByContent(t *testing.T) {
	at(t, rehearsal.Options{}, func(t *testing.T, s *rehearsal.Server, a *aws.Account) {
		ctx := t.Context()
		other := newStack(t, "")
		other.Template = template(t, func(r *policy.SetupRole) { r.Name, r.Policies[0].Name = "Other-Role", "Other-Policy" })
		must[string](t)(a.CreateStack(ctx, other))
		want := aws.WantStack{Template: template(t, nil), Outputs: []string{"SpotinstRoleArn"}, Name: "spot-access", Since: time.Now()}
		search := a.SearchStack(want)
		if _, done, err := search.Fetch(ctx); done || err != nil || search.Named() == nil || search.Named().Name != "spot-access" {
			t.Fatalf("%v %v %+v", done, err, search.Named())
		}
		n := newStack(t, "")
		n.Name = "mine"
		id := must[string](t)(a.CreateStack(ctx, n))
		if _, done, err := search.Fetch(ctx); !done || err != nil || search.Matches()[0].ID != id {
			t.Fatalf("%v %v %+v", done, err, search.Matches())
		}
		calls := len(s.Calls())
		if _, _, err := search.Fetch(ctx); err != nil || len(s.Calls()) != calls+1 {
			t.Errorf("templates are read again: %v", s.Calls()[calls:])
		}
		s.Deny("cloudformation:GetTemplate")
		time.Sleep(time.Minute)
		search = a.SearchStack(want)
		if _, done, err := search.Fetch(ctx); !done || err != nil || search.Note() == "" {
			t.Errorf("by outputs: %v %v", done, err)
		}
		s.Deny("cloudformation:ListStacks")
		want.Name = "mine"
		search = a.SearchStack(want)
		if _, done, err := search.Fetch(ctx); !done || err != nil || search.Matches()[0].ID != id {
			t.Errorf("by name: %v %v", done, err)
		}
	})
}

func TestTemplatesInOtherPartitions(t *testing.T) {
	for partition, region := range map[string]string{"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"} {
		at(t, rehearsal.Options{Partition: partition}, func(t *testing.T, _ *rehearsal.Server, a *aws.Account) {
			id := must[string](t)(a.CreateStack(t.Context(), newStack(t, "token")))
			follow(t, a, id, "token")
			stack := must[aws.Stack](t)(a.Stack(t.Context(), id))
			if stack.Outputs["SpotinstRoleArn"] != "arn:"+partition+":iam::123456789012:role/Spot-Role" || aws.StackRegion(id) != region {
				t.Errorf("%+v", stack)
			}
			role := must[aws.Role](t)(a.Role(t.Context(), "Spot-Role"))
			if role.Trust.Digest() != policy.NewTrust(partition, []string{vendor}, extID).Digest() {
				t.Errorf("trust %s", role.TrustText)
			}
		})
	}
}

func TestExplainStackKnowsAWSsSentences(t *testing.T) {
	// The sentences are AWS's: aws-modern-application-workshop#72, eks-hybrid#741,
	// aws-waf-security-automations#33 and IAM's and CloudFormation's user guides.
	cases := map[string]aws.ErrorKind{
		"Spot-Role already exists": aws.Exists,
		"Spot-Role already exists in stack arn:aws:cloudformation:us-east-1:123456789012:stack/other/1":                                                                                              aws.Exists,
		`Resource handler returned message: "Cannot exceed quota for PoliciesPerRole: 10 (Service: Iam, Status Code: 409, Request ID: 1)" (RequestToken: 1, HandlerErrorCode: ServiceLimitExceeded)`: aws.Limit,
		"API: iam:CreateRole User: arn:aws:iam::123456789012:user/a is not authorized to perform: iam:CreateRole on resource: " +
			"arn:aws:iam::123456789012:role/x": aws.Denied,
		"User: arn:aws:iam::123456789012:user/a is not authorized to perform: iam:CreateRole on resource: x with an explicit deny in a " +
			"service control policy": aws.Denied,
		`Resource handler returned message: "Invalid principal in policy: \"AWS\":\"arn:aws:iam::999999999999:root\" (Service: Iam, Status Code: 400, Request ID: 1)" (RequestToken: 1, HandlerErrorCode: InvalidRequest)`: aws.Malformed,
		"MalformedPolicyDocument: Syntax errors in policy. (Service: AmazonIdentityManagement; Status Code: 400)":                                                                                                          aws.Malformed,
		"Requires capabilities : [CAPABILITY_NAMED_IAM]":                                                                      aws.Malformed,
		"Cannot delete a policy attached to entities.":                                                                        aws.Conflict,
		"Rate exceeded (Service: AmazonIdentityManagement; Status Code: 400; Error Code: Throttling)":                         aws.Throttled,
		"Stack:arn:aws:cloudformation:us-east-1:123456789012:stack/x/1 is in ROLLBACK_COMPLETE state and can not be updated.": aws.Exists,
		"Internal Failure": aws.Other,
	}
	for _, reason := range slices.Sorted(maps.Keys(cases)) {
		e := aws.ExplainStack(aws.StackEvent{LogicalID: "SpotRole", Type: "AWS::IAM::Role", Status: "CREATE_FAILED", Reason: reason})
		if e.Kind != cases[reason] || e.What == "" || e.Next == "" || e.AWS != reason {
			t.Errorf("%s: %s, %+v", reason, e.Kind, e)
		}
	}
	events := []aws.StackEvent{
		{LogicalID: "A", Status: "CREATE_FAILED", Reason: "Resource creation cancelled"},
		{LogicalID: "B", Status: "CREATE_FAILED", Reason: "Spot-Role already exists"},
	}
	if e, found := aws.FirstFailure(events); !found || e.LogicalID != "B" {
		t.Errorf("cause %+v", e)
	}
	if _, found := aws.FirstFailure(events[:1]); found {
		t.Error("what was cancelled is no cause")
	}
}

func TestStackNames(t *testing.T) {
	for _, name := range []string{"a", "spot-access", "A1-", strings.Repeat("a", 128)} {
		ok(t, aws.CheckStackName(name))
	}
	for _, name := range []string{"", "1a", "-a", "a_b", "a b", "ä", strings.Repeat("a", 129), "a\x1b[2J"} {
		err := aws.CheckStackName(name)
		kindIs(t, err, aws.Malformed)
		if strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%q", err)
		}
	}
}

func TestACancelledLookEnds(t *testing.T) {
	_, a := start(t, rehearsal.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := a.WatchStack("arn:aws:cloudformation:us-east-1:123456789012:stack/x/1", "").Fetch(ctx)
	if !errors.Is(err, context.Canceled) && aws.KindOf(err) != aws.Canceled {
		t.Error(err)
	}
}
