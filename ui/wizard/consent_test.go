package wizard

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// agrees is a step that makes something once it is agreed to. lines is how much
// text stands there.
func agrees(title string, lines int) *testStep {
	s := &testStep{title: title}
	s.screen = func() screen.Screen {
		view := screen.Screen{Heading: title, Actions: []screen.Action{{ID: "make", Label: "create these", Default: true, Writes: true}}}
		for i := range lines {
			view.Blocks = append(view.Blocks, screen.Text{Body: fmt.Sprintf("It makes thing %d.", i+1)})
		}
		return view
	}
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		if msg == (screen.Chose{ID: "make"}) {
			return step.Next, nil
		}
		return step.Stay, nil
	}
	return s
}

// hold holds enter down, as a terminal repeats it.
func (w *fluent) hold(every, long time.Duration) *fluent {
	for range int(long / every) {
		w.Wait(every).Send(namedKeys["enter"])
	}
	return w
}

func TestEnterHeldDownCreatesNothing(t *testing.T) {
	for _, every := range []time.Duration{33 * time.Millisecond, 100 * time.Millisecond} {
		s := agrees("Create", 1)
		drive(t, []step.Step{asks("First", "a", "a"), s, still("Made")}, nil, func(w *fluent) {
			w.hold(every, 6*time.Second).Sees("Create", "Press enter again, or y").SeesNot("Made")
			w.Wait(time.Second).Press("enter").Sees("Made")
		})
	}
}

func TestABurstStopsAtTheNextQuestion(t *testing.T) {
	drive(t, []step.Step{asks("First", "a", "a"), asks("Second", "b", "b"), still("Third")}, nil, func(w *fluent) {
		w.Wait(time.Second)
		for range 5 {
			w.program.Send(namedKeys["enter"])
		}
		w.Wait(100 * time.Millisecond).Sees("Second")
	})
}

func TestYConfirmsAtOnceAndEnterWhenItCouldBeRead(t *testing.T) {
	drive(t, []step.Step{asks("First", "a", "a"), agrees("Create", 1), still("Made")}, nil, func(w *fluent) {
		w.Press("enter").Wait(50 * time.Millisecond).Send(namedKeys["enter"]).Sees("Create").SeesNot("Made")
		w.Type("y").Sees("Made")
	})
}

// TestWhatIsAgreedToWasShown reads on with enter until all was on the screen.
func TestWhatIsAgreedToWasShown(t *testing.T) {
	drive(t, []step.Step{agrees("Create", 40), still("Made")}, nil, func(w *fluent) {
		w.Sees("It makes thing 1.", "read on: ").SeesNot("create these").Press("y").SeesNot("Made")
		for range 10 {
			if strings.Contains(w.Screen(), "create these") {
				break
			}
			w.Enter()
		}
		w.Sees("It makes thing 40.", "create these").Enter().Sees("Made")
	})
}

// TestPeopleAreNotSlowedDown replays how people press keys: every press counts.
func TestPeopleAreNotSlowedDown(t *testing.T) {
	for name, gaps := range map[string][]int{
		"reads": {900, 2100, 1500}, "knows the way": {520, 450, 610}, "in a hurry": {410, 430, 420},
	} {
		drive(t, []step.Step{asks("One", "a", "a"), asks("Two", "a", "a"), asks("Three", "a", "a"), still("Four")}, nil, func(w *fluent) {
			w.Wait(time.Second)
			for _, gap := range gaps {
				w.Wait(time.Duration(gap) * time.Millisecond).Send(namedKeys["enter"])
			}
			if !strings.Contains(w.Screen(), "Four") {
				t.Errorf("%s: a press was lost:\n%s", name, w.Screen())
			}
		})
	}
}

// TestAnAnswerNeverTurnsLettersIntoCommands types an ARN while an answer takes
// the field away: not one letter does something else.
func TestAnAnswerNeverTurnsLettersIntoCommands(t *testing.T) {
	s := &testStep{title: "Role"}
	found := false
	s.screen = func() screen.Screen {
		if found {
			return screen.Screen{
				Heading: "Role",
				Blocks:  []screen.Block{screen.Facts{{Label: "ARN", Value: "x", Copy: true}}},
				Actions: []screen.Action{
					{ID: "next", Default: true, Label: "next"},
					{ID: "again", Key: "a", Label: "again"},
					{ID: "wipe", Key: "w", Label: "wipe"},
				},
			}
		}
		return screen.Screen{Heading: "Role", Blocks: []screen.Block{screen.Input{ID: "arn", Label: "ARN"}}}
	}
	s.enter = func() []screen.Effect {
		return []screen.Effect{screen.Call{Name: "look", After: 2 * time.Second, Do: func(context.Context) screen.Msg { return "found" }}}
	}
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		found = found || msg == screen.Msg("found")
		return step.Stay, nil
	}
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		for _, letter := range "arn:aws:iam::123456789012:role/swab" {
			w.Wait(120 * time.Millisecond).Type(string(letter))
		}
		for _, msg := range s.told {
			if _, chose := msg.(screen.Chose); chose {
				t.Fatalf("a letter became a command: %v", s.told)
			}
		}
		w.Sees("123456789012:role/swab", "An answer came.").Enter().Sees("next")
	})
}
