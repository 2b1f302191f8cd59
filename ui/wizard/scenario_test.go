package wizard

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/rehearse"
)

// rehearsed makes the scenarios of the rehearsal in an account that is reached in
// memory.
type rehearsed struct {
	pictured *pictured
	now      string
}

func (r *rehearsed) List() []screen.Option {
	var options []screen.Option
	for _, c := range rehearse.Scenarios() {
		c = c.Of("Spot")
		options = append(options, screen.Option{ID: c.Name, Label: c.Title, Detail: c.Detail, Disabled: c.Lacks(r.pictured.session)})
	}
	return options
}

func (r *rehearsed) Now() string { return r.now }

func (r *rehearsed) Begin(names ...string) (string, error) {
	name := names[0]
	c, err := rehearse.Find(name)
	if err != nil {
		return "", err
	}
	r.pictured.aws.Mend()
	r.now = c.Of("Spot").Title
	switch name {
	case "expired-sign-in":
		r.pictured.aws.ExpireCredentials()
	default:
		r.pictured.aws.Make(awsrehearsal.Mistake(name))
	}
	return c.Of("Spot").Detail, nil
}

func (r *rehearsed) Mend() string {
	r.pictured.aws.Mend()
	r.now = ""
	return "It is right now."
}

// rehearsing begins a rehearsal of one of Spot's methods, in virtual time.
func rehearsing(t *testing.T, method string, what func(w *fluent, p *pictured)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := picturedMethod(t, "spot", method, describe.AccessRole)
		p.session.Rehearsal = true
		p.session.Scenarios = &rehearsed{pictured: p}
		what(begin(t, WizardOptions{Session: p.session, Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }}), p)
	})
}

// choose picks a mistake from the list as a person does: down to it, then enter.
func (w *fluent) rehearse(name string) *fluent {
	w.t.Helper()
	w.Press("!").Sees("Rehearse a mistake", "What should go wrong?")
	var names []string
	for _, c := range rehearse.Scenarios() {
		names = append(names, c.Name)
	}
	for range slices.Index(names, name) {
		w.Press("down")
	}
	return w.Enter().SeesNot("What should go wrong?")
}

// TestNearMiss: the picture of the README can be reached by hand, and is mended by
// another key. What a key did is said.
func TestNearMiss(t *testing.T) {
	rehearsing(t, describe.Manual, func(w *fluent, _ *pictured) {
		w.size(100, 50)
		w.reach(record.StepPolicy).Sees("r the role has it", "! mistakes").SeesNot("m mend")
		w.Enter().Sees("Created Spot-Policy in the rehearsal account").Wait(20 * time.Second).Sees("Found Spot-Policy")
		w.Enter().Wait(time.Second).Sees("p paste the ARN", "a older form")
		w.rehearse("wrong-external-id").Sees("REHEARSAL: Wrong external ID", "m mend")
		w.Enter().Wait(20*time.Second).Sees("Created Spot-Role in the rehearsal account", "but under another external ID", "wanted", "found")
		w.Press("m").Sees("Mended.").SeesNot("m mend").Wait(20*time.Second).Sees("Found Spot-Role", "It is right")
		w.Enter().Wait(time.Second).Enter().Wait(time.Minute).Sees("Connected", "accepted the role")
	})
}

// enterUntil presses enter, and looks on for a while each time, until a text is
// there.
func (w *fluent) enterUntil(text string) *fluent {
	w.t.Helper()
	for range 12 {
		for range 16 {
			if strings.Contains(oneLine(w.Screen()), text) {
				return w
			}
			w.Wait(10 * time.Second)
		}
		w.Enter()
	}
	return w
}

// TestMistakesOfEveryMethod shows a mistake as the real thing would be, mends it,
// and goes on to the end.
func TestMistakesOfEveryMethod(t *testing.T) {
	for _, c := range []struct {
		method, scenario string
		at               record.StepID
		sees             string
	}{
		{describe.Direct, "policy-missing", record.StepCreate, "no policy"},
		{describe.Direct, "wrong-account", record.StepCreate, "arn:aws:iam::123456789012:root"},
		{describe.Automatic, "policy-edited", record.StepPermissions, "less"},
		{describe.Direct, "rcp", record.StepConnect, "Certain: Resource control policy"},
		{describe.Direct, "path-lost", record.StepConnect, "the role is wrong"},
		{describe.Manual, "sts-region", record.StepConnect, "still refuses the role"},
	} {
		t.Run(c.method+" "+c.scenario, func(t *testing.T) {
			rehearsing(t, c.method, func(w *fluent, _ *pictured) {
				w.size(100, 60)
				w.reach(c.at)
				w.rehearse(c.scenario)
				w.enterUntil(c.sees).Sees(c.sees).Press("m").Sees("Mended.")
				w.enterUntil("accepted the role").Sees("Connected", "accepted the role")
			})
		})
	}
}

// TestListLiesOverTheStep: the list takes no key that the step would take, and
// leaves the person where they were.
func TestListLiesOverTheStep(t *testing.T) {
	rehearsing(t, describe.Manual, func(w *fluent, p *pictured) {
		w.reach(record.StepPolicy).Press("down")
		before := w.wizard.marked
		w.Press("!").Sees("Wrong external ID").SeesNot("Step 5 of 7 · Rehearse")
		w.Press("c", "o", "s", "v", "r", "space", "m", "?").Sees("What should go wrong?")
		w.Press("esc").Sees("Create IAM policy").SeesNot("What should go wrong?")
		if w.wizard.marked != before {
			t.Errorf("the mark was on %q and is on %q", before, w.wizard.marked)
		}
		if got := p.aws.Snapshot().Things(); len(got) != 0 {
			t.Errorf("something was made: %v", got)
		}
		// What shows nothing here says why, and is not begun.
		w.Press("!")
		for range slices.IndexFunc(rehearse.Scenarios(), func(c rehearse.Scenario) bool { return c.Name == "stack-fails" }) {
			w.Press("down")
		}
		w.Enter().Sees("CloudFormation makes nothing here").Press("esc").SeesNot("m mend")
	})
}

// TestMistakesFromAField: where letters are text, other keys do the same.
func TestMistakesFromAField(t *testing.T) {
	rehearsing(t, describe.Automatic, func(w *fluent, _ *pictured) {
		w.reach(record.StepStack).Type("!m").Sees("spot-access!m", "F2 mistakes").SeesNot("What should go wrong?")
		w.Press("f2").Sees("What should go wrong?").Enter().Sees("spot-access!m", "F3 mend", "F3 mends it").Press("f3").Sees("Mended.").
			SeesNot("F3 mend")
	})
}

// TestNoScenariosInEarnest: only a rehearsal has the keys.
func TestNoScenariosInEarnest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := picturedMethod(t, "spot", describe.Manual, describe.AccessRole)
		w := begin(t, WizardOptions{Session: p.session, Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }})
		w.reach(record.StepPolicy).Press("!", "m", "f2", "f3").SeesNot("What should go wrong?", "Mended")
	})
}
