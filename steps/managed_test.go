package steps_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/step"
)

const (
	securityAudit = "arn:aws:iam::aws:policy/SecurityAudit"
	viewOnly      = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
)

// audit makes the session one of the invented vendor whose role has AWS managed
// policies; edit changes its description.
func (w *world) audit(method string, edit ...string) *world {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("describe", "check", "testdata", "acme-audit.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := steps.Library().ReadForeign([]byte(strings.NewReplacer(edit...).Replace(string(text))), "acme-audit.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	w.session.Vendor = v
	w.session.Answers = record.Answers{ID: "260131-7k2m", Vendor: v.Name, Method: method, Access: "role",
		Parts: map[string]record.Part{"AcmeRoleArn": {ExternalID: "acme-0123456789ab"}}}
	w.session.Ledger = record.OpenStore(w.t.TempDir()).Ledger(w.session.ID)
	w.session.Prepare()
	w.walk = steps.NewWalk(w.session)
	return w
}

// withOwn gives the vendor's role a policy of its own too.
func withOwn() []string {
	return []string{
		"    managed_policies: [",
		"    policy_name: Acme-Extra\n    policy: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Look\",\"Effect\":\"Allow\"," +
			"\"Action\":\"s3:GetBucketTagging\",\"Resource\":\"*\"}]}'\n    why: {Look: {for: Read tags., without: No tags.}}\n    " +
			"managed_policies: [",
	}
}

// pastPermissions walks to the permissions step and past it.
func (w *world) pastPermissions() *world {
	w.t.Helper()
	w.start().at("vendor").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	return w.at("permissions").sees("SecurityAudit", viewOnly, "AWS can change what it grants").enter()
}

// hasAttached checks that the role has exactly these policies attached.
func (w *world) hasAttached(want ...string) {
	w.t.Helper()
	role, err := w.hands().Role(w.t.Context(), "Acme-Audit")
	if err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for _, p := range role.Attached {
		got = append(got, p.ARN)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.t.Fatalf("attached %v, want %v", got, want)
	}
}

func TestManagedPoliciesByHand(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.audit("manual")
		w.session.Rehearsal = true
		w.pastPermissions().at("role:AcmeRoleArn")
		w.sees("Tick SecurityAudit and ViewOnlyAccess", "AWS managed policy: SecurityAudit", "AWS managed policy: ViewOnlyAccess")
		for _, one := range w.walk.Steps() {
			if one.ID() == "policy:AcmeRoleArn" && one.Status(w.session.Answers) != step.NotNeeded {
				t.Fatalf("the policy step is %v", one.Status(w.session.Answers))
			}
		}
		w.enter().sees("Found Acme-Audit", "pass policy-attached", "pass policy-matches").enter().at("connect")
		w.hasAttached(securityAudit, viewOnly)
		if w.requests("iam:CreatePolicy") != 0 {
			t.Fatal("a policy was made")
		}
	})
}

// TestTheWatchWaitsForEveryManagedPolicy is somebody who forgets to tick one,
// then ticks one too many.
func TestTheWatchWaitsForEveryManagedPolicy(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.audit("manual").pastPermissions().at("role:AcmeRoleArn").sees("waiting")
		hands := w.hands()
		role := aws.NewRole{Name: "Acme-Audit", Trust: w.grant("AcmeRoleArn").Trust}
		if _, err := hands.CreateRole(t.Context(), role); err != nil {
			t.Fatal(err)
		}
		if err := hands.AttachRolePolicy(t.Context(), "Acme-Audit", securityAudit); err != nil {
			t.Fatal(err)
		}
		w.until("the missing one", func() bool { return strings.Contains(w.text(), "tick "+viewOnly) })
		if err := hands.AttachRolePolicy(t.Context(), "Acme-Audit", viewOnly); err != nil {
			t.Fatal(err)
		}
		w.until("the role is right", func() bool { return strings.Contains(w.text(), "Found Acme-Audit") })
		w.sees("pass policy-matches")
		if err := hands.AttachRolePolicy(t.Context(), "Acme-Audit", "arn:aws:iam::aws:policy/AdministratorAccess"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		report, err := hands.Verify(
			t.Context(),
			aws.Want{RoleName: "Acme-Audit", Partition: "aws", AccountID: account, Principals: []string{"444455556666"},
				ExternalID: "acme-0123456789ab", PolicyARNs: []string{securityAudit, viewOnly}},
		)
		check, _ := report.Check("policy-matches")
		if err != nil || !report.OK || check.Status != aws.Warn {
			t.Fatalf("%v %+v", err, report)
		}
	})
}

func TestManagedPoliciesByRolecall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit    []string
		made    []string
		removed string
	}{
		"alone": {nil, []string{"attachment SecurityAudit made", "attachment ViewOnlyAccess made", "role Acme-Audit made"},
			"attachment SecurityAudit removed, attachment ViewOnlyAccess removed, role Acme-Audit removed"},
		"beside its own": {withOwn(), []string{"attachment Acme-Extra made", "attachment SecurityAudit made", "attachment ViewOnlyAccess made",
			"policy Acme-Extra made", "role Acme-Audit made"},
			"attachment Acme-Extra removed, attachment SecurityAudit removed, attachment ViewOnlyAccess removed, role Acme-Audit removed, policy " +
				"Acme-Extra removed"},
	} {
		t.Run(name, func(t *testing.T) {
			rehearse(t, func(t *testing.T, w *world) {
				w.audit("direct", test.edit...).pastPermissions().at("create").sees("create these", "You are allowed to do all of it")
				if tasks := w.tasks(); !strings.Contains(tasks, "ahead: attach SecurityAudit to Acme-Audit, AWS managed policy") {
					t.Fatal(tasks)
				}
				w.enter().sees("seen to be right", "pass policy-attached", "pass policy-matches", securityAudit)
				attached := []string{securityAudit, viewOnly}
				if test.edit != nil {
					attached = []string{"arn:aws:iam::123456789012:policy/Acme-Extra", securityAudit, viewOnly}
				}
				w.hasAttached(attached...)
				if got := states(w.receipt()); !slices.Equal(got, test.made) {
					t.Fatalf("the receipt says %v", got)
				}
				// A second run finds all of it and changes nothing.
				made := len(w.receipt().Items)
				w.presses("next").at("connect")
				removed, err := w.remover().All(t.Context())
				wantVerdicts(t, removed, err, strings.Split(test.removed, ", ")...)
				if p, n := w.left(); p != 0 || n != 0 || made != len(test.made) {
					t.Fatalf("%d policies and %d roles are left of %d things", p, n, made)
				}
				if _, err := w.hands().Policy(t.Context(), securityAudit); err != nil {
					t.Fatalf("AWS's own policy: %v", err)
				}
			})
		})
	}
}

// TestARoleThatLacksAManagedPolicyIsCompleted finds a role made before the
// vendor wanted the second policy.
func TestARoleThatLacksAManagedPolicyIsCompleted(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.audit("direct").pastPermissions().at("create").sees("create these")
		hands := w.hands()
		if _, err := hands.CreateRole(t.Context(), aws.NewRole{Name: "Acme-Audit", Trust: w.grant("AcmeRoleArn").Trust}); err != nil {
			t.Fatal(err)
		}
		if err := hands.AttachRolePolicy(t.Context(), "Acme-Audit", securityAudit); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		w.presses("rename").sees("Role name").seesNot("Policy name").presses("use").sees("attach ViewOnlyAccess")
		if tasks := w.tasks(); strings.Contains(tasks, "ahead: attach SecurityAudit") || strings.Contains(tasks, "ahead: role") {
			t.Fatal(tasks)
		}
		w.enter().sees("seen to be right")
		w.hasAttached(securityAudit, viewOnly)
		// What was there before stays.
		removed, err := w.remover().All(t.Context())
		wantVerdicts(t, removed, err, "attachment ViewOnlyAccess removed")
		w.hasAttached(securityAudit)
	})
}

func TestManagedPoliciesByAStack(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.audit("automatic").pastPermissions().at(stackStep).seesNot("Policy name").enter().sees("You, in the AWS console").enter().
			sees("acknowledge that AWS CloudFormation")
		for _, arn := range []string{"${AWS::Partition}:iam::aws:policy/SecurityAudit",
			"${AWS::Partition}:iam::aws:policy/job-function/ViewOnlyAccess"} {
			if body := w.code("Template").Body; !strings.Contains(body, arn) || strings.Contains(body, "AWS::IAM::ManagedPolicy") {
				t.Fatal(body)
			}
		}
		w.enter().sees("Nothing was made yet").enter().sees("complete, and what it made is right", "pass policy-attached", "pass policy-matches")
		w.hasAttached(securityAudit, viewOnly)
	})
}

func TestAManagedPolicyThatGrantsEverythingIsSaid(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.audit("direct", "[SecurityAudit,", "[AdministratorAccess,")
		w.start().at("vendor").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
		w.at("permissions").sees("AdministratorAccess grants nearly everything: it lets Acme Audit do everything in the account")
	})
}

func TestAPlanNamesManagedPolicies(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.audit("direct")
		p, err := planOf(w.session)
		if err != nil || !slices.Equal(p.Roles[0].ManagedPolicies, []string{securityAudit, viewOnly}) || len(p.Documents) != 1 {
			t.Fatalf("%+v, %v", p, err)
		}
		p.Approve("someone@example", time.Now())
		text, err := p.JSON()
		if err != nil {
			t.Fatal(err)
		}
		read, err := plan.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		w.session.Plan = read.Binding()
		w.pastPermissions().at("create").sees("create these").enter().sees("seen to be right", "pass plan-approved")
	})
	rehearse(t, func(t *testing.T, w *world) {
		w.audit("direct")
		p, err := planOf(w.session)
		if err != nil {
			t.Fatal(err)
		}
		p.Approve("someone@example", time.Now())
		p.Roles[0].ManagedPolicies = []string{securityAudit, "arn:aws:iam::aws:policy/AdministratorAccess"} // behind the approval
		w.session.Plan = p.Binding()
		w.pastPermissions().at("create").sees("approval does not name the AWS managed policy SecurityAudit")
		if w.requests("iam:CreateRole") != 0 {
			t.Fatal("made all the same")
		}
	})
}

func TestDisconnectNeverDeletesAWSsOwnPolicy(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		r := w.connected()
		// A receipt that somebody changed claims that rolecall made it.
		r.Receipt.Items = []record.Item{{Kind: record.ItemPolicy, State: record.ItemMade, Name: "SecurityAudit", ARN: securityAudit, ID: "ANPAI"}}
		plan, err := r.Plan(t.Context())
		wantVerdicts(t, plan, err, "policy SecurityAudit keep")
		if !strings.Contains(plan[0].Why, "AWS's own") {
			t.Fatalf("%+v", plan)
		}
	})
}

func TestAVendorsOwnPolicyLeavesRoomForManagedOnes(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.audit("direct", withOwn()...)
		documents := w.grant("AcmeRoleArn").Documents
		if len(documents) != 1 || documents[0].Document.Characters() > policy.MaxManaged {
			t.Fatalf("%+v", documents)
		}
	})
}
