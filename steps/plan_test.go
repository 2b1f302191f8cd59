package steps_test

import (
	"strings"
	"testing"
	"time"

	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/step"
)

// planOf is the plan of what a session wants.
func planOf(s *step.Session) (*plan.Plan, error) {
	return plan.Make(
		s.Request(),
		plan.Head{Tool: "rolecall test", Vendor: s.Answers.Vendor, Method: s.Method, VendorAccount: s.VendorAccount},
		s.Now(),
	)
}

// planned makes the plan of a world's session and approves it.
func planned(t *testing.T, w *world, approve bool) *plan.Plan {
	t.Helper()
	w.session.Partition = "aws"
	p, err := planOf(w.session)
	if err != nil {
		t.Fatal(err)
	}
	if approve {
		p.Approve("someone@example", time.Now())
	}
	text, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	read, err := plan.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestAnApprovedPlanLetsTheManualMethodThrough(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.session.Plan = planned(t, w, true).Binding()
		w.session.Rehearsal = true
		w.toPolicy().enter().sees("Found Spot-Policy").enter().at(roleStep)
		w.sees("do it in the rehearsal account").enter().sees("Found Spot-Role", "plan-approved").enter()
		w.at("connect").enter().sees("accepted the role")
	})
}

func TestNothingIsMadeWithoutAnApproval(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.session.Plan = planned(t, w, false).Binding()
		w.session.Rehearsal = true
		w.toPolicy().sees("approval does not name the policy Spot-Policy")
		for _, call := range w.aws.Calls() {
			if strings.HasPrefix(call.Action, "iam:Create") {
				t.Fatalf("made all the same: %s", call.Action)
			}
		}
	})
}

func TestAnotherSelectionThanThePlansIsRefused(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.session.Plan = planned(t, w, true).Binding()
		w.session.Bundles = []string{"ocean", "ocean/eks"}
		w.session.Prepare()
		w.start().enter().sees("prod").enter()
		w.arrives("partition").enter().until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
		w.at("permissions").chooses("kind", "choose").presses("use").at(policyStep).sees("approval does not name")
	})
}

func TestARoleChangedBehindThePlanIsNotHandedOver(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.session.Plan = planned(t, w, true).Binding()
		w.session.Rehearsal = true
		w.toPolicy().enter().sees("Found Spot-Policy").enter().at(roleStep)
		w.sees("do it in the rehearsal account").enter().sees("Found Spot-Role").enter().at("connect")
		extra := w.wantedPolicy().Select("OpsWorks")
		if err := w.hands().PutRolePolicy(t.Context(), "Spot-Role", "extra", extra); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		w.enter().sees("not as approved", "extra")
		if held := w.spot.Accounts()[0].Role; held != "" {
			t.Fatalf("handed over: %s", held)
		}
	})
}

func TestAChangedPlanIsRefused(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		text, err := planned(t, w, true).JSON()
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.ReplaceAll(string(text), "iam:PassRole", "iam:CreateUser")
		_, err = plan.Read([]byte(changed))
		if err == nil || !strings.Contains(err.Error(), "was changed after the plan was made") {
			t.Fatalf("%v", err)
		}
		for _, text := range []string{"", "{}", "[]", `{"kind":"rolecall plan","format":1,"unknown":1}`, strings.Repeat("[", 1<<20)} {
			if _, err := plan.Read([]byte(text)); err == nil {
				t.Errorf("read as a plan: %.40s", text)
			}
		}
	})
}

func TestAnotherNameThanThePlansIsRefused(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct().session.Plan = planned(t, w, true).Binding()
		w.session.SetPart("SpotinstRoleArn", func(p *record.Part) { p.RoleName = "Admin" }) // as the person may in the step
		w.toCreate().sees("The name of the role is Admin, and the plan says Spot-Role.")
		if w.requests("iam:CreateRole") != 0 || w.requests("iam:CreatePolicy") != 0 {
			t.Fatal("made all the same")
		}
	})
}

// TestADocumentIsApprovedForItsRole gives a role the documents that were
// approved for another.
func TestADocumentIsApprovedForItsRole(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		p := planned(t, w, true).Binding()
		for i := range p.Documents {
			p.Documents[i].Purpose = "SpotFinOpsRoleArn"
		}
		w.session.Plan = p
		if problem := w.session.PlanProblem("SpotinstRoleArn"); problem == nil ||
			!strings.Contains(problem.What, "approval does not name the policy Spot-Policy") {
			t.Errorf("%+v", problem)
		}
	})
}
