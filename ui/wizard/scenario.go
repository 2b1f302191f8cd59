package wizard

import (
	"strings"

	"rolecall/steps/screen"

	tea "charm.land/bubbletea/v2"
)

// The keys of a rehearsal, which no step has; the second ones are for where
// letters are text.
const (
	keyMistakes, fieldMistakes = "!", "F2"
	keyMend, fieldMend         = "m", "F3"
)

// place is where the person was on the step while a list lies over it.
type place struct {
	marked        string
	moved, follow bool
	top           int
	field         bool // letters were text
}

// current is what is on the screen: the step, or the list of mistakes over it.
func (w *Wizard) current() screen.Screen {
	if w.under == nil {
		return w.walk.Screen()
	}
	return screen.Screen{Heading: "Rehearse a mistake", Blocks: []screen.Block{
		screen.Text{Body: "What should go wrong? You see it as the real thing would show it, until you mend it."},
		screen.Choices{ID: "scenario", Options: w.session.Scenarios.List()},
	}}
}

// rehearsalKeys offer the mistakes, and mend the one that is made.
func (w *Wizard) rehearsalKeys() []binding {
	if w.session.Scenarios == nil {
		return nil
	}
	choose, mend := keyMistakes, keyMend
	if w.focused() != nil {
		choose, mend = fieldMistakes, fieldMend
	}
	keys := []binding{
		bound(choose, "mistakes", "choose a typical mistake or fault to rehearse", silent(w.openScenarios), strings.ToLower(choose)),
	}
	if now := w.session.Scenarios.Now(); now != "" {
		keys = append(keys, bound(mend, "mend", "put right what goes wrong now: "+now, silent(w.mend), strings.ToLower(mend)))
	}
	return keys
}

func (w *Wizard) openScenarios() {
	w.under = &place{w.marked, w.moved, w.follow, w.top, w.focused() != nil}
	w.marked, w.moved, w.follow, w.top = "", false, true, 0
}

func (w *Wizard) closeScenarios() {
	if w.under != nil {
		w.marked, w.moved, w.follow, w.top, w.under = w.under.marked, w.under.moved, w.under.follow, w.under.top, nil
		w.reading = nil
	}
}

func (w *Wizard) mend() {
	if said := w.session.Scenarios.Mend(); said != "" {
		w.say(screen.Good, "Mended. "+said)
	}
}

// scenarioKeys are those of the list.
func (w *Wizard) scenarioKeys() []binding {
	item, _ := w.item()
	begin := bound("enter", "rehearse it", "have this go wrong", func() tea.Cmd {
		w.beginScenario(item.ID)
		return nil
	}, "enter")
	begin.Disabled, begin.confirms = item.Disabled, true
	keys := append([]binding{begin}, w.arrowKeys()...)
	keys = append(keys, w.moveKeys()...)
	return append(keys, bound("esc", "close", "close the list (also b and q)", silent(w.closeScenarios), "esc", "b", "q", keyMistakes, "f2"))
}

func (w *Wizard) beginScenario(name string) {
	mend := keyMend
	if w.under.field {
		mend = fieldMend
	}
	w.closeScenarios()
	said, err := w.session.Scenarios.Begin(name)
	if err != nil {
		w.fail(err.Error())
		return
	}
	w.say(screen.Warning, "Rehearsing: "+said+" "+mend+" mends it.")
}
