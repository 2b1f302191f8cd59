package wizard

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"
)

// asks is a step with a choice that goes on when it is answered.
func asks(title string, picked string, ids ...string) *testStep {
	choices := screen.Choices{ID: "q", Picked: picked}
	for _, id := range ids {
		choices.Options = append(choices.Options, screen.Option{ID: id, Label: "option " + id})
	}
	s := still(title, choices)
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		if _, ok := msg.(screen.Chose); ok {
			return step.Next, nil
		}
		return step.Stay, nil
	}
	return s
}

// polls is a step that looks every three seconds until found.
func polls(title string, found func() bool, calls *int) *testStep {
	s := still(title, screen.Waiting{For: "a role", Since: time.Now(), Until: time.Now().Add(time.Minute)})
	look := func(after time.Duration) []screen.Effect {
		return []screen.Effect{screen.Call{Name: "look", After: after, Do: func(context.Context) screen.Msg {
			*calls++
			return found()
		}}}
	}
	s.enter = func() []screen.Effect { return look(0) }
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		if msg == screen.Msg(true) {
			return step.Next, nil
		}
		return step.Stay, look(3 * time.Second)
	}
	return s
}

func TestEnterAloneLeadsThrough(t *testing.T) {
	calls := 0
	first, last := asks("First", "b", "a", "b"), asks("Last", "", "a", "b")
	drive(t, []step.Step{first, nil, last}, func(o *WizardOptions) {
		start := time.Now()
		o.walk.(*testWalk).all[1] = polls("Wait", func() bool { return time.Since(start) > 9*time.Second }, &calls)
	}, func(w *fluent) {
		w.Sees("Step 1 of 3 · First", "› (•) option b").Enter()
		w.Sees("Step 2 of 3 · Wait", "Waiting for a role · 0:00 of 1:00")
		w.Wait(8 * time.Second).Sees("0:08 of 1:00").Wait(5 * time.Second)
		w.Sees("Step 3 of 3 · Last", "› (•) option a").Press("down").Sees("› (•) option b").Enter().Ends()
		if !w.wizard.Ended() {
			t.Error("not ended")
		}
	})
	if calls < 4 || calls > 5 {
		t.Errorf("looked %d times in 12 s", calls)
	}
	if diff := cmp.Diff([]screen.Msg{screen.Chose{Block: "q", ID: "b"}}, last.told); diff != "" {
		t.Error(diff)
	}
}

func TestBackFromAWaitEndsItsCalls(t *testing.T) {
	calls := 0
	drive(t, []step.Step{asks("First", "a", "a"), nil}, func(o *WizardOptions) {
		o.walk.(*testWalk).all[1] = polls("Wait", func() bool { return false }, &calls)
	}, func(w *fluent) {
		w.Enter().Sees("Wait").Press("b").Sees("First")
		before := calls
		w.Wait(time.Minute).Sees("First")
		if calls != before {
			t.Errorf("%d calls after leaving", calls-before)
		}
		w.Enter().Sees("Wait").Press("esc").Sees("First")
	})
}

func TestResizeWhilePolling(t *testing.T) {
	calls := 0
	drive(t, []step.Step{nil}, func(o *WizardOptions) {
		o.walk.(*testWalk).all[0] = polls("Wait", func() bool { return false }, &calls)
	}, func(w *fluent) {
		for width := 120; width > 10; width -= 7 {
			w.Send(tea.WindowSizeMsg{Width: width, Height: 2 + width/5}).Wait(time.Second)
		}
		w.Send(tea.WindowSizeMsg{Width: 44, Height: 20}).Sees("Waiting for a role")
		if calls < 4 {
			t.Errorf("%d calls: polling did not go on", calls)
		}
	})
}

func TestCopyOverSSHSendsTheBytes(t *testing.T) {
	s := still("Role", screen.Facts{
		{Label: "Account ID", Value: "922761411349", Shown: "9227-6141-1349", Copy: true},
		{
			Label: "External ID",
			Value: "spotinst:aws:extid:1",
			Copy:  true,
		},
	}, screen.Code{Label: "Policy", Name: "p.json", Body: "{\n\t\"a\": 1\n}\n"})
	sent := func(w *fluent, text string) {
		t.Helper()
		if !strings.Contains(w.Output(), "\x1b]52;c;"+base64.StdEncoding.EncodeToString([]byte(text))+"\a") {
			t.Errorf("%q was not sent to the terminal", text)
		}
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Press("c").Sees("Account ID sent (12 bytes)", "1  sent", "› External ID")
		sent(w, "922761411349")
		w.Press("c").Sees("2  sent", "› Policy")
		sent(w, "spotinst:aws:extid:1")
		w.Press("c")
		sent(w, "{\n\t\"a\": 1\n}\n")
		w.Press("1")
		sent(w, "922761411349")
	})
	want := []screen.Msg{screen.Copied{Label: "Account ID", Sent: true}, screen.Copied{Label: "External ID", Sent: true},
		screen.Copied{Label: "Policy", Sent: true}, screen.Copied{Label: "Account ID", Sent: true}}
	if diff := cmp.Diff(want, s.told); diff != "" {
		t.Error(diff)
	}
}

func TestCopyThatFailsOffersSaving(t *testing.T) {
	s := still("Role", screen.Facts{{Label: "Account ID", Value: "922761411349", Copy: true}})
	drive(t, []step.Step{s}, func(o *WizardOptions) { o.Terminal = testTerminal(t, "TERM=linux") }, func(w *fluent) {
		w.Press("c").Sees("Account ID was not copied", "takes no text from programs").SeesNot("sent")
		w.Press("s").Sees("Saved to ", "account-id.txt")
		if got, _ := os.ReadFile(filepath.Join(w.wizard.terminal.Dir, "account-id.txt")); string(got) != "922761411349" {
			t.Errorf("saved %q", got)
		}
	})
}

func TestOverSSHTheLinkIsShownWhole(t *testing.T) {
	url := "https://console.aws.amazon.com/iam/home#/roles/create?" + strings.Repeat("awsAccount=922761411349&", 10)
	s := still("Role", screen.Facts{{Label: "A", Value: "b", Copy: true}}, screen.Link{Label: "Create role", URL: url})
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Press("o")
		if joined := strings.ReplaceAll(w.Screen(), "\n", ""); !strings.Contains(joined, url) {
			t.Errorf("the link is not whole:\n%s", w.Screen())
		}
		w.Press("c")
		if !strings.Contains(w.Output(), base64.StdEncoding.EncodeToString([]byte(url))) {
			t.Error("the link was not copied")
		}
		w.Press("esc").Sees("› A")
	})
	if !cmp.Equal(s.told[0], screen.Msg(screen.Opened{URL: url, Shown: true})) {
		t.Errorf("told %+v", s.told)
	}
}

func TestAFieldTakesLettersAsText(t *testing.T) {
	value := ""
	s := &testStep{title: "Field"}
	s.screen = func() screen.Screen {
		return screen.Screen{
			Heading: "Field",
			Blocks:  []screen.Block{screen.Input{ID: "arn", Label: "ARN", Value: value}, screen.Facts{{Label: "Copy me", Value: "x", Copy: true}}},
		}
	}
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		if c, ok := msg.(screen.Changed); ok {
			value = c.Text
		}
		return step.Stay, nil
	}
	drive(t, []step.Step{asks("First", "a", "a"), s}, nil, func(w *fluent) {
		w.Enter().Type("cosvb?jk q1").Sees("[cosvb?jk q1").Press("backspace", "home").Type("x").Sees("[xcosvb?jk q")
		w.Press("tab").Sees("› Copy me").Press("c").Sees("Copy me sent").Press("up").Enter()
		w.Press("esc").Sees("First")
	})
	if last := s.told[len(s.told)-1]; last != screen.Msg(screen.Entered{ID: "arn", Text: "xcosvb?jk q"}) {
		t.Errorf("told %+v last", last)
	}
}

func TestAPasteGoesToTheFieldWhereverTheMarkIs(t *testing.T) {
	s := still("Field", screen.Facts{{Label: "Copy me", Value: "x", Copy: true}}, screen.Input{ID: "arn", Label: "ARN"})
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Sees("› Copy me").Paste("  arn:aws:iam::123456789012:role/x\r\n").Sees("[arn:aws:iam::123456789012:role/x").Enter()
	})
	if last := s.told[len(s.told)-1]; last != screen.Msg(screen.Entered{ID: "arn", Text: "arn:aws:iam::123456789012:role/x"}) {
		t.Errorf("told %+v last", last)
	}
}

func TestAMegabyteInAFieldIsCutAndSaid(t *testing.T) {
	s := still("Field", screen.Input{ID: "arn", Label: "ARN"})
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Paste(strings.Repeat("a\x1b[2Jé", 200_000)).Sees("only its first 4096 characters were taken")
	})
	text := s.told[0].(screen.Changed).Text
	if n := len([]rune(text)); n == 0 || n > fieldLimit {
		t.Errorf("%d characters", n)
	}
}

func TestTheStepCanEmptyAField(t *testing.T) {
	value := ""
	s := &testStep{title: "Field"}
	s.screen = func() screen.Screen {
		return screen.Screen{Heading: "Field", Blocks: []screen.Block{screen.Input{ID: "i", Label: "Name", Value: value}}}
	}
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		switch msg := msg.(type) {
		case screen.Changed:
			value = msg.Text
		case screen.Entered:
			value = ""
		}
		return step.Stay, nil
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Type("abc").Sees("[abc").Enter().SeesNot("abc").Type("d").Sees("[d ")
	})
}

func TestASecretIsNeverOnTheScreen(t *testing.T) {
	s := still("Token", screen.Input{ID: "token", Label: "API token", Secret: true})
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Type("hunter2").Sees("[•••••••").Paste("-swordfish")
		if out := w.Output(); strings.Contains(out, "hunter") || strings.Contains(out, "swordfish") {
			t.Error("the secret was written to the terminal")
		}
		w.Enter()
	})
	if last := s.told[len(s.told)-1]; last != screen.Msg(screen.Entered{ID: "token", Text: "hunter2-swordfish"}) {
		t.Error("the secret did not reach the step")
	}
}

func TestTicksAndFolds(t *testing.T) {
	s := still("Tree", screen.Tree{ID: "t", Nodes: []screen.Node{
		{ID: "a", Label: "Alpha", Tick: screen.Partly, Children: []screen.Node{{ID: "a1", Label: "Child", Details: []string{"because"}}}},
		{ID: "b", Label: "Beta", Tick: screen.On, Fixed: "it is needed"}}})
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Sees("› [-] Alpha", "Child").SeesNot("because").Press("space")
		w.Press("down", "right").Sees("because").Press("left").SeesNot("because").Press("left").Sees("› [-] Alpha")
		w.Press("left").SeesNot("Child").Press("right").Sees("Child")
		w.Press("j", "j", "space").Sees("Tick is off: it is needed")
	})
	if diff := cmp.Diff([]screen.Msg{screen.Ticked{ID: "a", On: true}}, s.told); diff != "" {
		t.Error(diff)
	}
}

func TestAnActionThatAsksFirst(t *testing.T) {
	s := still("Ask")
	s.screen = func() screen.Screen {
		return screen.Screen{Heading: "Ask", Actions: []screen.Action{
			{ID: "go", Label: "create", Default: true, Confirm: &screen.Confirm{Question: "Let rolecall create Spot-Role?"}},
			{ID: "x", Key: "x", Label: "extend", Disabled: "nothing is awaited"}}}
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Enter().Sees("? Let rolecall create Spot-Role?", "y yes", "n no").Press("n").SeesNot("Let rolecall create")
		w.Press("x").Sees("Extend is off: nothing is awaited")
		w.Enter().Press("esc").Enter().Press("y")
	})
	if diff := cmp.Diff([]screen.Msg{screen.Chose{ID: "go"}}, s.told); diff != "" {
		t.Error(diff)
	}
}

func TestAFieldThatWasAskedForHasTheFocus(t *testing.T) {
	s := still("Role")
	open := false
	s.screen = func() screen.Screen {
		view := screen.Screen{Heading: "Role", Blocks: []screen.Block{screen.Facts{{Label: "Account", Value: "123456789012", Copy: true}}},
			Actions: []screen.Action{{ID: "paste", Key: "p", Label: "paste the ARN"}}}
		if open {
			view.Blocks = append(view.Blocks, screen.Input{ID: "arn", Label: "Role ARN"})
		}
		return view
	}
	s.update = func(screen.Msg) (step.Move, []screen.Effect) { open = true; return step.Stay, nil }
	drive(t, []step.Step{s}, nil, func(w *fluent) { w.Sees("› Account").Press("p").Sees("› [").Press("c").Sees("› [c") })
}

func TestAScreenThatIsTheQuestionIsAnsweredByItsKey(t *testing.T) {
	s := still("Is this the account?")
	s.screen = func() screen.Screen {
		return screen.Screen{Heading: "Is this the account?", Actions: []screen.Action{
			{ID: "go", Label: "yes", Default: true, Confirm: &screen.Confirm{Flag: "--aws-account"}}}}
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) { w.Enter().SeesNot("y yes") })
	if diff := cmp.Diff([]screen.Msg{screen.Chose{ID: "go"}}, s.told); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersAreSavedAfterEveryChangeAndOnlyThen(t *testing.T) {
	var saved []string
	var session *step.Session
	fail := false
	s := asks("First", "a", "a", "b")
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		session.Method = msg.(screen.Chose).ID
		return step.Stay, nil
	}
	drive(t, []step.Step{s}, func(o *WizardOptions) {
		session = o.Session
		o.Save = func(a record.Answers) error {
			saved = append(saved, a.Method)
			if fail {
				return errors.New("disk full")
			}
			return nil
		}
	}, func(w *fluent) {
		w.Enter().Enter().Press("down").Enter()
		fail = true
		w.Press("up").Enter().Sees("This session is not saved: disk full")
		fail = false
		w.Enter() // nothing new, and still it is tried again
	})
	if diff := cmp.Diff([]string{"", "a", "b", "a", "a"}, saved); diff != "" {
		t.Error(diff)
	}
}

func TestShowOpensTheViewer(t *testing.T) {
	code := screen.Code{Label: "Policy", Name: "p.json", Body: "{\n" + strings.Repeat("  \"a\": 1,\n", 60) + "  \"needle\": 2\n}\n"}
	s := still("Policy", code)
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Press("v").Sees("p.json", "  1  {", "line 1 of 63").Press("pgdown").SeesNot("  1  {").Press("G").Sees(" 63  }")
		w.Press("g").Press("/").Type("NEEDLE").Sees("/NEEDLE").Enter().Sees("needle").Press("/").Type("absent").Enter().
			Sees("Not in this document: absent")
		w.Press("c").Sees("Policy sent").Press("s").Sees("Saved to ").Press("q").Sees("Step 1 of 1 · Policy")
	})
}

func TestHelpListsTheKeysOfTheStep(t *testing.T) {
	drive(t, []step.Step{asks("First", "a", "a", "b")}, nil, func(w *fluent) {
		w.Press("?").Sees("Keys that work here", "choose what is marked", "move the mark").Press("?").Sees("option a")
	})
}

// TestTheFooterSaysTheTruth presses every key that the footer names, and every
// letter that it does not.
func TestTheFooterSaysTheTruth(t *testing.T) {
	drive(t, []step.Step{asks("First", "a", "a"), still("Second", screen.Facts{{Label: "A", Value: "b", Copy: true}})}, nil, func(w *fluent) {
		w.Enter().Sees("c copy", "s save", "b back", "? help", "ctrl+c leave").SeesNot("o open", "v view", "space tick")
		before := w.Screen()
		for _, key := range strings.Split("a d e f g h i l m n o p q r t u v w x y z space left right", " ") {
			if after := w.Press(key).Screen(); after != before {
				t.Fatalf("%s does something that the footer does not say:\n%s", key, after)
			}
		}
	})
}

func TestTheFocusStaysWhereSomebodyTypes(t *testing.T) {
	s := still("Field", screen.Input{ID: "i", Label: "Name"})
	show := s.screen
	s.enter = func() []screen.Effect {
		return []screen.Effect{screen.Call{Name: "look", After: time.Second, Do: func(context.Context) screen.Msg { return "found" }}}
	}
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		if msg == screen.Msg("found") {
			s.screen = func() screen.Screen {
				view := show()
				view.Blocks = append(view.Blocks, screen.Choices{ID: "q", Picked: "a", Options: []screen.Option{{ID: "a", Label: "Found one"}}})
				return view
			}
		}
		return step.Stay, nil
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Type("ab").Wait(2 * time.Second).Sees("An answer came.").SeesNot("Found one").Type("cd").Sees("› [abcd")
		w.Enter().Sees("Found one")
	})
}
