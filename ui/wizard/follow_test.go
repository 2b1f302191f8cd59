package wizard

import (
	"testing"

	"testing/synctest"

	"rolecall/steps/record"
)

// unaided goes to the policy without credentials.
func (w *fluent) unaided() *fluent {
	w.t.Helper()
	w.reach(record.StepLogin).Press("down", "down", "down").Enter().Sees("AWS account ID").Enter()
	return w.reach(record.StepPolicy)
}

func TestInstructionsAreTickedByHandAndTheListFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(t, WizardOptions{Session: guided(t), Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }})
		w.unaided().Sees("▸ 1", "3 In the policy editor, choose JSON. 5 more ▾").SeesNot("4 Look at the policy document")

		// Without a mark on an instruction, space is about the next one.
		w.Press("space", "space", "space").Sees("✓ 1-3 done", "▸ 4", "5 Copy it: c. 3 more ▾").SeesNot("choose Policies in the sidebar")

		// The mark goes where it likes, and takes the list along.
		w.Press("down", "down").Sees("› ✓ 1", "space tick").Press("space").Sees("› ▸ 1", "space tick")
		for range 7 {
			w.Press("down")
		}
		w.Sees("› 8 In Spot's wizard, choose Next").Press("space").Sees("› ✓ 8")

		// A screen that is left and entered again still knows.
		w.Press("b").reach(record.StepPolicy).Sees("▸ 1", "✓ 2", "✓ 3")
		w.Press("space").Sees("✓ 1-3 done", "▸ 4")
	})
}

func TestOpeningAPageSaysWhatItSparedAndMarksTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := begin(
			t,
			WizardOptions{
				Session:  guided(t),
				Terminal: testTerminal(t, "SSH_CONNECTION=1", "TERM=xterm"),
				Getenv:   func(string) string { return "" },
			},
		)
		w.unaided().Sees("sidebar. o opens", "2 Choose Create policy. o opens")
		w.Press("o").Press("esc").Sees("✓ 1-2 done", "▸ 3").SeesNot("o opens")
	})
}
