package wizard

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// comes is a step that is told something after a while, and then shows blocks
// after instead of before.
func comes(after time.Duration, msg screen.Msg, before, then func() []screen.Block) *testStep {
	s, came := &testStep{title: "Role"}, false
	s.screen = func() screen.Screen {
		blocks := before
		if came {
			blocks = then
		}
		return screen.Screen{Heading: "Role", Blocks: blocks(), Actions: []screen.Action{{ID: "next", Label: "next", Default: true}}}
	}
	s.enter = func() []screen.Effect {
		return []screen.Effect{screen.Call{Name: "look", After: after, Do: func(context.Context) screen.Msg { return msg }}}
	}
	s.update = func(m screen.Msg) (step.Move, []screen.Effect) {
		came = came || m == msg
		return step.Stay, nil
	}
	return s
}

func paragraphs(word string, n int) []screen.Block {
	var blocks []screen.Block
	for i := range n {
		blocks = append(blocks, screen.Text{Body: fmt.Sprintf("%s %d.", word, i+1)})
	}
	return blocks
}

// rowOf is the row of the screen that a text stands on, -1 for none.
func (w *fluent) rowOf(text string) int {
	for i, line := range strings.Split(w.Screen(), "\n") {
		if strings.Contains(line, text) {
			return i
		}
	}
	return -1
}

// TestWhatOneReadsDoesNotMove scrolls down and reads, while a problem appears
// above: the lines stay on their rows, and it is said that something is wrong.
func TestWhatOneReadsDoesNotMove(t *testing.T) {
	plain := func() []screen.Block { return paragraphs("Line", 40) }
	s := comes(5*time.Second, "bad", plain, func() []screen.Block {
		return append([]screen.Block{screen.Problem{What: "Spot-Role is wrong.", Expected: "another", Next: "Mend it."}}, plain()...)
	})
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Press("pgdown").Sees("Line 12.")
		row := w.rowOf("Line 12.")
		w.Wait(6 * time.Second)
		if now := w.rowOf("Line 12."); now != row {
			t.Fatalf("line 12 was on row %d and is on row %d:\n%s", row, now, w.Screen())
		}
		w.Sees("✗ wrong above").Press("pgup", "pgup").Sees("Spot-Role is wrong.")
	})
}

// TestFoundIsSaidToWhoScrolled is the same with good news.
func TestFoundIsSaidToWhoScrolled(t *testing.T) {
	plain := func() []screen.Block { return paragraphs("Line", 40) }
	s := comes(5*time.Second, "good", plain, func() []screen.Block {
		return append([]screen.Block{screen.Text{Tone: screen.Good, Body: "Found Spot-Role."}}, plain()...)
	})
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Press("pgdown").Wait(6*time.Second).Sees("Line 12.", "✓ news above").SeesNot("Found Spot-Role.")
		w.Press("pgup", "pgup").Sees("✓ Found Spot-Role.")
	})
}

// TestAnotherScreenBeginsAtItsTop also where a choice stands at its end.
func TestAnotherScreenBeginsAtItsTop(t *testing.T) {
	long := &testStep{title: "Long", screen: func() screen.Screen {
		return screen.Screen{Heading: "Long", Blocks: append(paragraphs("Said", 40),
			screen.Choices{ID: "c", Picked: "yes", Options: []screen.Option{{ID: "yes", Label: "delete it"}}})}
	}}
	drive(t, []step.Step{asks("First", "a", "a"), long}, nil, func(w *fluent) {
		w.Enter().Sees("Said 1.", "read on: ").SeesNot("delete it", "choose")
		for range 8 {
			w.Enter()
		}
		if told := fmt.Sprint(long.told); !strings.Contains(told, "yes") || w.rowOf("delete it") < 0 {
			t.Errorf("enter does not read on to what it chooses: %s\n%s", told, w.Screen())
		}
	})
}

// TestWhatWasJumpedOverWasNotShown goes to the last line by the cursor: what lay
// between is still to be read.
func TestWhatWasJumpedOverWasNotShown(t *testing.T) {
	s := agrees("Create", 0)
	s.screen = func() screen.Screen {
		blocks := append([]screen.Block{screen.Facts{{Label: "First", Value: "1", Copy: true}}}, paragraphs("It makes thing", 60)...)
		return screen.Screen{Heading: "Create", Blocks: append(blocks, screen.Facts{{Label: "Last", Value: "2", Copy: true}}),
			Actions: []screen.Action{{ID: "make", Label: "create these", Default: true, Writes: true}}}
	}
	drive(t, []step.Step{s, still("Made")}, nil, func(w *fluent) {
		w.Press("down").Sees("Last").SeesNot("create these").Enter().SeesNot("Made").Sees("It makes thing 9.")
		for range 12 {
			if strings.Contains(w.Screen(), "create these") {
				break
			}
			w.Enter()
		}
		w.Sees("create these").Press("y").Sees("Made")
	})
}

// TestAListIsNotTakenFromWhoMovesInIt moves the mark while an answer comes.
func TestAListIsNotTakenFromWhoMovesInIt(t *testing.T) {
	list := func(ids ...string) func() []screen.Block {
		return func() []screen.Block {
			c := screen.Choices{ID: "c", Picked: ids[0]}
			for _, id := range ids {
				c.Options = append(c.Options, screen.Option{ID: id, Label: "account " + id})
			}
			return []screen.Block{c}
		}
	}
	s := comes(3*time.Second, "list", list("a", "b", "c"), list("new", "a", "b", "c"))
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Wait(2*time.Second).Press("down").Wait(time.Second).Sees("An answer came.", "› (•) account b").SeesNot("account new")
		w.Enter().Wait(3*time.Second).Sees("account new", "› (•) account b")
		for _, msg := range s.told {
			if c, ok := msg.(screen.Chose); ok && c.ID != "b" {
				t.Errorf("chose %s", c.ID)
			}
		}
	})
}

// TestANewsWaitsForTheQuestion leaves a question alone that is on the screen.
func TestANewsWaitsForTheQuestion(t *testing.T) {
	s := comes(
		3*time.Second,
		"x",
		func() []screen.Block { return paragraphs("Before", 1) },
		func() []screen.Block { return paragraphs("Then", 1) },
	)
	plain := s.screen
	s.screen = func() screen.Screen {
		view := plain()
		view.Actions = []screen.Action{{ID: "wipe", Key: "x", Label: "wipe", Confirm: &screen.Confirm{Question: "Wipe it?"}}}
		return view
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Press("x").Wait(5*time.Second).Sees("Wipe it?", "Before 1.").Press("n").Sees("Then 1.").SeesNot("Wipe it?")
	})
}

// TestTheRolesNewsStandsBesideTheField types an ARN into the real step while the
// role appears: it is said, the letters stay letters, and esc shows it.
func TestTheRolesNewsStandsBesideTheField(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := picturedMethod(t, "spot", describe.Manual, describe.AccessRole)
		w := begin(t, WizardOptions{Session: p.session, Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }})
		w.reach(record.StepPolicy)
		p.wantedPolicy(t)
		w.Wait(20 * time.Second).Sees("Found Spot-Policy.").reach(record.StepRole)
		w.Press("p").Sees("Role ARN").Wait(10 * time.Second).SeesNot("An answer came")
		p.wantedRole(t, true)
		for _, letter := range "arn:aws:iam::123456789012:role/swab" {
			w.Wait(time.Second).Type(string(letter))
		}
		w.Sees("role/swab", "Found Spot-Role. It is shown when you leave the field: esc.", "esc show it")
		w.Press("esc").Sees("✓ Found Spot-Role. It is right.", "Create IAM role")
	})
}

// TestSixtyEntersMakeNothing holds enter down through the real methods: no
// account is agreed to, nothing is made and nothing is handed over.
func TestSixtyEntersMakeNothing(t *testing.T) {
	for _, method := range []string{describe.Direct, describe.Automatic, describe.Manual} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := picturedMethod(t, "spot", method, describe.AccessRole)
				p.session.AccountPinned = false
				w := begin(t, WizardOptions{Session: p.session, Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }})
				w.hold(100*time.Millisecond, 6*time.Second).Wait(time.Minute)
				if made := p.aws.Snapshot().Things(); len(made) > 0 {
					t.Errorf("it made %q:\n%s", made, w.Screen())
				}
			})
		})
	}
}

// TestThePlanIsReadBeforeItIsAgreedTo reads the plan of the direct method on a
// small terminal: enter creates nothing before each of its lines was shown.
func TestThePlanIsReadBeforeItIsAgreedTo(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {44, 20}} {
		for method, agree := range map[string]string{describe.Direct: "create these", describe.Automatic: "acknowledge"} {
			synctest.Test(t, func(t *testing.T) {
				p := picturedMethod(t, "spot", method, describe.AccessRole)
				p.session.Selection = access.Selection{
					Bundles:    []string{"elastigroup", "ocean", "cloud-analyzer"},
					Parameters: map[string]string{"REPORT_BUCKET": "reports"},
				}
				p.session.Prepare()
				w := begin(t, WizardOptions{Session: p.session, Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }})
				id := record.StepCreate
				if method == describe.Automatic {
					id = record.StepStack
				}
				w.reach(id)
				w.size(size[0], size[1])
				for range 20 {
					if strings.Contains(w.Screen(), "read on") || strings.Contains(w.Screen(), "enter "+agree) {
						break
					}
					w.Enter().Wait(10 * time.Second)
				}
				tasks, shown := w.tasks(), w.readOn(agree)
				for _, task := range tasks {
					if !strings.Contains(shown, task) {
						t.Errorf("%s at %v: %q was not shown before it is agreed to:\n%s", method, size, task, shown)
					}
				}
			})
		}
	}
}

// tasks are the names of what the screen says that will be done.
func (w *fluent) tasks() []string {
	w.watched.mu.Lock()
	defer w.watched.mu.Unlock()
	var names []string
	for _, block := range w.wizard.screen.Blocks {
		if tasks, ok := block.(screen.Tasks); ok {
			for _, task := range tasks {
				names = append(names, task.Name)
			}
		}
	}
	if len(names) < 3 {
		w.t.Errorf("the plan has only %q", names)
	}
	return names
}

// readOn presses enter until it would agree, and returns all that was shown.
func (w *fluent) readOn(agree string) string {
	w.t.Helper()
	shown := w.Screen()
	for range 20 {
		if strings.Contains(w.Screen(), "enter "+agree) {
			return oneLine(shown)
		}
		w.Sees("enter read on: ").Enter()
		shown += w.Screen()
	}
	w.t.Fatalf("enter never agrees:\n%s", w.Screen())
	return ""
}

// wantedPolicy makes the policy that this session wants, as the person would.
func (p *pictured) wantedPolicy(t *testing.T) {
	t.Helper()
	doc := p.grant(t).Documents[0]
	if err := p.aws.Do("iam:CreatePolicy", map[string]string{"PolicyName": doc.Name, "PolicyDocument": doc.Document.Compact()}); err != nil {
		t.Fatal(err)
	}
}

// wantedRole makes the role that this session wants, with its policy or without.
func (p *pictured) wantedRole(t *testing.T, attach bool) {
	t.Helper()
	g := p.grant(t)
	if err := p.aws.Do("iam:CreateRole", map[string]string{"RoleName": g.Name, "AssumeRolePolicyDocument": g.Trust.Pretty()}); err != nil {
		t.Fatal(err)
	}
	if attach {
		p.attach(t)
	}
}

func (p *pictured) attach(t *testing.T) {
	t.Helper()
	g := p.grant(t)
	arn := "arn:aws:iam::123456789012:policy/" + g.Documents[0].Name
	if err := p.aws.Do("iam:AttachRolePolicy", map[string]string{"RoleName": g.Name, "PolicyArn": arn}); err != nil {
		t.Fatal(err)
	}
}

func (p *pictured) grant(t *testing.T) access.Grant {
	t.Helper()
	g, err := p.session.Grant("SpotinstRoleArn")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestReadingOnEndsOnEverySize agrees on terminals that show a line or two at once.
func TestReadingOnEndsOnEverySize(t *testing.T) {
	for _, size := range [][2]int{{40, 12}, {41, 13}, {60, 12}, {300, 90}} {
		drive(t, []step.Step{agrees("Create", 12), still("Made")}, nil, func(w *fluent) {
			w.size(size[0], size[1])
			for range 60 {
				w.Enter()
			}
			if w.wizard.screen.Heading != "Made" {
				t.Errorf("%v: 60 enters at a person's pace do not lead through:\n%s", size, w.Screen())
			}
		})
	}
}

// TestAKeyForTheScreenBeforeIsNotTaken presses enter just after an answer put
// another list there.
func TestAKeyForTheScreenBeforeIsNotTaken(t *testing.T) {
	list := func(id string) func() []screen.Block {
		return func() []screen.Block {
			return []screen.Block{screen.Choices{ID: "c", Picked: id, Options: []screen.Option{{ID: id, Label: "account " + id}}}}
		}
	}
	s := comes(3*time.Second, "list", list("mine"), list("other"))
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Wait(3150*time.Millisecond).Send(namedKeys["enter"]).Sees("account other", "Not taken: the screen just changed.")
		for _, msg := range s.told {
			if _, chose := msg.(screen.Chose); chose {
				t.Errorf("chose %v", msg)
			}
		}
	})
}
