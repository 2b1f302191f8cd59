package wizard

import (
	"testing"
	"time"

	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/step"
)

// stop is one golden file: what leads to it since the stop before, and words
// that have to be on the screen, so that no picture shows another stage than its
// name says.
type stop struct {
	name string
	lead func(w *fluent, p *pictured)
	sees []string
}

// methodScreens are the stops of one method.
type methodScreens struct {
	name, vendor, method, access string
	stops                        []stop
}

// methodGoldens are the steps of the methods that create something, each in its
// states. To have another screen drawn, add a stop and run with -update.
func methodGoldens() []methodScreens {
	return []methodScreens{
		{"direct", "spot", "direct", describe.AccessRole, directStops()},
		{"direct-differs", "spot", "direct", describe.AccessRole, directDiffersStops()},
		{"stack", "spot", "automatic", describe.AccessRole, stackStops()},
		{"stack-failed", "spot", "automatic", describe.AccessRole, stackFailedStops()},
		{"stack-ways", "spot", "automatic", describe.AccessRole, stackWaysStops()},
		{"user", "sprinters", "manual", describe.AccessUser, userStops()},
		{"user-direct", "sprinters", "direct", describe.AccessUser, userDirectStops()},
		{"user-direct-full", "sprinters", "direct", describe.AccessUser, userFullStops()},
	}
}

// method draws the real steps over the rehearsal, in virtual time.
func (a *album) method(t *testing.T, m methodScreens) {
	p := picturedMethod(t, m.vendor, m.method, m.access)
	w := begin(
		t,
		WizardOptions{Session: p.session, Terminal: testTerminal(t, "SSH_CONNECTION=1", "TERM=xterm"), Getenv: func(string) string { return "" }},
	)
	w.size(80, 90) // all of a screen is read, also what a person scrolls to
	for _, s := range m.stops {
		s.lead(w, p)
		w.Sees(s.sees...)
		d := w.everySize()
		p.hides(w, d.header+d.body+d.footer)
		a.take(t, "method-"+s.name, d)
		w.size(80, 90)
	}
	a.methods++
}

// picturedMethod is a session of one method that is signed in to the rehearsal.
// It is not marked as a rehearsal: the person's own hands are the test's.
func picturedMethod(t *testing.T, name, method, access string) *pictured {
	t.Helper()
	p := newPictured(t)
	s := p.session
	v, err := steps.Library().Load(name)
	if err != nil {
		t.Fatal(err)
	}
	s.Vendor = v
	s.Answers = record.Answers{Vendor: name, Method: method, Access: access, Partition: "aws", VendorAccount: s.VendorAccount,
		AccountID: s.AccountID, AccountPinned: true}
	s.Offers = []step.Offer{{Vendor: name, Method: method, Access: access, Label: v.Title}}
	s.Prepare()
	return p
}

// press presses keys.
func press(keys ...string) func(*fluent, *pictured) {
	return func(w *fluent, _ *pictured) { w.Press(keys...) }
}

// toStep presses enter until a step is there.
func toStep(id record.StepID) func(*fluent, *pictured) {
	return func(w *fluent, _ *pictured) { w.reach(id) }
}

// enterAnd presses enter and lets time pass.
func enterAnd(d time.Duration) func(*fluent, *pictured) {
	return func(w *fluent, _ *pictured) { w.Enter().Wait(d) }
}

// slowly lets every answer of AWS take five seconds, so that what is under way
// can be seen; what follows runs until it is on the screen.
func slowly(w *fluent, p *pictured) { p.aws.SetLatency(5 * time.Second) }

// quickly ends slowly and lets all come to rest.
func quickly(w *fluent, p *pictured) {
	p.aws.SetLatency(0)
	w.Wait(time.Minute)
}

func (p *pictured) does(w *fluent, action string, params map[string]string) {
	w.t.Helper()
	if err := p.aws.Do(action, params); err != nil {
		w.t.Fatal(err)
	}
}

// foreignRole is a role of the suggested name that trusts somebody else.
func (p *pictured) foreignRole(w *fluent) {
	w.t.Helper()
	trust := policy.NewTrust("aws", []string{"444455556666"}, "")
	p.does(w, "iam:CreateRole", map[string]string{"RoleName": "Spot-Role", "AssumeRolePolicyDocument": trust.Pretty()})
}

func directStops() []stop {
	return []stop{
		{
			"direct-plan",
			toStep(record.StepCreate),
			[]string{"rolecall does this in account 1234-5678-9012", "create policy Spot-Policy", "You are allowed to do all of it"},
		},
		{"direct-names", press("n"), []string{"Choose the names", "Policy name", "Role name"}},
		{"direct-running", func(w *fluent, p *pictured) {
			w.Enter().Wait(10 * time.Second)
			w.Sees("create these")
			slowly(w, p)
			w.Enter().Wait(12 * time.Second)
		}, []string{"create policy Spot-Policy", "create role Spot-Role"}},
		{"direct-done", quickly, []string{"Made, and seen to be right", "arn:aws:iam::123456789012:role/Spot-Role"}},
	}
}

func directDiffersStops() []stop {
	return []stop{
		{"direct-difference", func(w *fluent, p *pictured) {
			p.foreignRole(w)
			w.reach(record.StepCreate)
		}, []string{"Use another name", "Update it", "nothing is changed"}},
		{"direct-stopped", func(w *fluent, _ *pictured) {
			w.Press("down", "down").Enter().Wait(5 * time.Second)
		}, []string{"Stopped. Nothing was changed.", "look again"}},
		{"direct-half-way", func(w *fluent, p *pictured) {
			p.does(w, "iam:DeleteRole", map[string]string{"RoleName": "Spot-Role"})
			w.Enter().Wait(10 * time.Second)
			w.Sees("create these")
			p.aws.Deny("iam:AttachRolePolicy")
			w.Enter().Wait(time.Minute)
		}, []string{"iam:AttachRolePolicy", "This session made, and it exists", "remove what was made"}},
	}
}

func stackStops() []stop {
	return []stop{
		{"stack-names", toStep(record.StepStack), []string{"Stack name"}},
		{"stack-ways", enterAnd(10 * time.Second), []string{"Who creates the stack?", "You, in the AWS console"}},
		{"stack-acknowledge", enterAnd(10 * time.Second), []string{"AWS asks you to acknowledge", "acknowledge, see the change set"}},
		{"stack-change-set", func(w *fluent, _ *pictured) {
			w.Enter().Sees("Do you acknowledge").Press("y").Wait(time.Minute)
		}, []string{"The change set is ready. Nothing was made yet.", "execute the change set"}},
		{"stack-running", enterAnd(9 * time.Second), []string{"CloudFormation to make the stack spot-access"}},
		{"stack-done", func(w *fluent, _ *pictured) { w.Wait(2 * time.Minute) }, []string{"The stack is complete, and what it made is right"}},
	}
}

func stackFailedStops() []stop {
	return []stop{
		{"stack-rolled-back", func(w *fluent, p *pictured) {
			p.foreignRole(w)
			w.reach(record.StepStack)
			w.Enter().Wait(time.Minute).Enter().Wait(time.Minute).Enter().Press("y").Wait(time.Minute)
			w.Sees("The change set is ready").Enter().Wait(5 * time.Minute)
		}, []string{"The role Spot-Role exists already", "took back what it had made", "delete the failed stack"}},
		{"stack-delete-asked", press("x"), []string{"Delete the stack spot-access with all that is left of it"}},
	}
}

func stackWaysStops() []stop {
	return []stop{
		{"stack-console", func(w *fluent, _ *pictured) {
			w.reach(record.StepStack).Enter().Wait(10 * time.Second)
			w.Press("down").Enter().Wait(10 * time.Second)
		}, []string{"Choose Upload a template file", "Waiting for a stack made from this template"}},
		{"stack-cli", func(w *fluent, _ *pictured) {
			w.Press("w").Wait(10 * time.Second)
			w.Sees("Who creates the stack?").Press("down", "down").Enter().Wait(10 * time.Second)
		}, []string{"for the AWS CLI", "Waiting for a stack made from this template"}},
	}
}
