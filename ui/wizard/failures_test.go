package wizard

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// byHand drives the real manual method over the rehearsal's AWS, where the test is
// the person's hands in the console.
func byHand(t *testing.T, what func(w *fluent, p *pictured)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := picturedMethod(t, "spot", describe.Manual, describe.AccessRole)
		what(
			begin(
				t,
				WizardOptions{
					Session:  p.session,
					Terminal: testTerminal(t, "SSH_CONNECTION=1", "TERM=xterm"),
					Getenv:   func(string) string { return "" },
				},
			),
			p,
		)
	})
}

// toTheRole makes the policy and waits at the role.
func (w *fluent) toTheRole(p *pictured) *fluent {
	w.t.Helper()
	w.reach(record.StepPolicy)
	p.wantedPolicy(w.t)
	return w.Wait(20 * time.Second).Sees("Found Spot-Policy.").reach(record.StepRole)
}

// TestAHalfRightRoleSaysFirstWhatIsWrong makes the role without its policy.
func TestAHalfRightRoleSaysFirstWhatIsWrong(t *testing.T) {
	byHand(t, func(w *fluent, p *pictured) {
		w.toTheRole(p)
		p.wantedRole(t, false)
		w.Wait(20 * time.Second)
		for _, size := range [][2]int{{80, 24}, {44, 20}, {100, 40}} {
			w.size(size[0], size[1]).Sees("✗ Spot-Role trusts Spot under this external ID, and is not right yet. Policy: no policy.",
				"Expected: the vendor's policy", "Add permissions, Attach policies: tick", "e open its permissions")
		}
		w.size(80, 40).Sees("✗ wrong What it grants: nothing", "✓ 9 of 11 right f show").
			SeesNot("✓ right", "edit its trust policy")
		w.Press("f").Sees("✓ right   External ID: spotinst:aws:extid:", "f  hide").Press("f").SeesNot("✓ right")
		w.Press("e").Sees("the permissions of Spot-Role", "Spot-Role?section=permiss").Press("esc")
		p.attach(t)
		w.Wait(20*time.Second).Sees("✓ Found Spot-Role. It is right.", "✓ 11 of 11 right").SeesNot("✗")
	})
}

// TestTheKeyFitsTheFault slips in the external ID.
func TestTheKeyFitsTheFault(t *testing.T) {
	byHand(t, func(w *fluent, p *pictured) {
		w.toTheRole(p)
		p.nearMiss(t)
		w.Wait(20*time.Second).
			Sees("✗ Spot-Role trusts Spot, but under another external ID.", "Paste the wanted one into its trust policy. e edit its trust policy")
		w.Press("e").Sees("the trust policy of Spot-Role", "roles/details/Spot-Role?section=trust_r")
	})
}

// TestADifferenceOpensWhole makes a policy of the name that lacks a statement and
// adds an action: v shows all of it, by service, e leads to that policy.
func TestADifferenceOpensWhole(t *testing.T) {
	byHand(t, func(w *fluent, p *pictured) {
		w.reach(record.StepPolicy)
		full := p.grant(t).Documents[0].Document
		other := policy.NewDocument(append(full.Statements[:len(full.Statements)-3:len(full.Statements)-3],
			policy.Statement{Effect: "Allow", Action: []string{"kendra:Query", "kendra:Retrieve"}, Resource: []string{"*"}})...)
		p.does(w, "iam:CreatePolicy", map[string]string{"PolicyName": "Spot-Policy", "PolicyDocument": other.Compact()})
		d := policy.Compare(full, other)
		w.Wait(20*time.Second).Sees("✗ Spot-Policy exists and differs: it lacks ", "e edit that policy", "What differs", "lacks ", "adds 2").
			SeesNot("1 copy What")
		w.Press("v").Sees("Spot-Policy-differences.txt", "Spot-Policy, compared with what is needed", "It lacks")
		var whole strings.Builder
		for range 20 {
			whole.WriteString(w.Screen())
			w.Press("pgdown")
		}
		for _, action := range append(append([]string{"kendra (2)", "It adds 2 actions"}, d.Removed...), d.Added...) {
			if !strings.Contains(whole.String(), action) {
				t.Errorf("%s is not in the difference", action)
			}
		}
		w.Press("esc", "e").Sees("policies/details/arn")
		w.Press("esc").Press("c").Sees("Policy document sent")
	})
}

// TestWhatIsSaidOfAPastedRoleGoesWithItsCause pastes a role that is wrong, mends
// it in the console, and presses nothing.
func TestWhatIsSaidOfAPastedRoleGoesWithItsCause(t *testing.T) {
	byHand(t, func(w *fluent, p *pictured) {
		w.toTheRole(p)
		p.foreignRole(w)
		w.Press("p").Paste("arn:aws:iam::123456789012:role/Spot-Role").Enter().Wait(time.Second).Sees("✗ Spot-Role is not right yet. Trusts:")
		p.does(w, "iam:UpdateAssumeRolePolicy", map[string]string{"RoleName": "Spot-Role", "PolicyDocument": p.grant(t).Trust.Pretty()})
		w.Wait(30*time.Second).Sees("and is not right yet. Policy: no policy.", "open its permissions").SeesNot("Trusts:")
		p.attach(t)
		w.Wait(30 * time.Second).Sees("✓ Found Spot-Role. It is right.").SeesNot("not right yet")
	})
}

// TestTheChecksOfAnotherTextGo edits the pasted ARN: what was said is about the
// one before.
func TestTheChecksOfAnotherTextGo(t *testing.T) {
	byHand(t, func(w *fluent, p *pictured) {
		w.toTheRole(p)
		w.Press("p").Paste("arn:aws:iam::123456789012:role/nobody").Enter().Wait(time.Second)
		w.size(80, 40).Sees("nobody", "✗ wrong").Send(namedKeys["backspace"]).SeesNot("✗")
	})
}

// TestFoundIsAboveTheFold on every size, also with warnings behind it.
func TestFoundIsAboveTheFold(t *testing.T) {
	byHand(t, func(w *fluent, p *pictured) {
		w.reach(record.StepPolicy)
		full := p.grant(t).Documents[0].Document
		more := policy.NewDocument(slices.Clone(full.Statements)...)
		more.Statements[0].Action = append(slices.Clone(more.Statements[0].Action), "kendra:Query")
		p.does(w, "iam:CreatePolicy", map[string]string{"PolicyName": "Spot-Policy", "PolicyDocument": more.Compact()})
		w.Wait(20 * time.Second)
		for _, size := range [][2]int{{200, 50}, {80, 24}, {44, 20}, {40, 12}} {
			w.size(size[0], size[1]).Sees("✓ Found Spot-Policy.")
		}
		w.size(80, 24).Sees("It grants more than Spot asks for: kendra:Query").Press("v").Sees("It adds 1 action", "kendra:Query")
	})
}

// TestANoticeGoesWithTheNextKey and is not read as the answer to it.
func TestANoticeGoesWithTheNextKey(t *testing.T) {
	drive(
		t,
		[]step.Step{still("Values", screen.Facts{{Label: "One", Value: "1", Copy: true}, {Label: "Two", Value: "2", Copy: true}})},
		nil,
		func(w *fluent) {
			w.Paste("lost").Sees("There is no field here").Press("down").SeesNot("There is no field here")
		},
	)
}

// TestWhyAKeyWasOffGoesWhenItWorks presses enter while something is awaited.
func TestWhyAKeyWasOffGoesWhenItWorks(t *testing.T) {
	found := false
	s := comes(5*time.Second, "x", func() []screen.Block { return paragraphs("Before", 1) }, func() []screen.Block {
		found = true
		return paragraphs("Then", 1)
	})
	plain := s.screen
	s.screen = func() screen.Screen {
		view := plain()
		if !found {
			view.Actions[0].Disabled = "waits for the role"
		}
		return view
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Press("enter").Sees("Next is off: waits for the role").Wait(5 * time.Second).Sees("Then 1.").SeesNot("is off: ")
	})
}
