package wizard

import (
	"fmt"
	"strings"
	"time"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
	"rolecall/ui/terminal"

	tea "charm.land/bubbletea/v2"
)

// copiedText is what was copied last, and how.
type copiedText struct {
	label, text string
	route       terminal.Route
}

// pasteCheck is a text coming back: whole as a paste, or key by key from a
// terminal that does not mark pastes.
type pasteCheck struct {
	typed  strings.Builder
	number int // counts what came key by key
}

// pasteEnds is how long a terminal that pastes key by key has to be silent.
const pasteEnds = 700 * time.Millisecond

// pausedMsg tells that nothing may have come for a while.
type pausedMsg struct{ number int }

// foundMsg tells how keeping what was found went.
type foundMsg struct{ err error }

// checkKey offers to check what was copied.
func (w *Wizard) checkKey() []binding {
	if w.last == nil {
		return nil
	}
	return []binding{bound("=", "check", "paste back what you copied, to see that it arrived whole", silent(func() {
		w.check = &pasteCheck{}
		w.say(screen.Plain, "Paste "+w.last.label+" here now. rolecall compares it, and shows nothing of it.")
	}), "=")}
}

func (w *Wizard) checkKeys() []binding {
	return []binding{
		bound("enter", "nothing came", "say that nothing was pasted", func() tea.Cmd { return w.judge(w.check.typed.String()) }, "enter"),
		bound("esc", "not now", "leave it unchecked", silent(func() { w.check, w.status = nil, draw.Status{} }), "esc"),
	}
}

// types takes a key that belongs to a pasted text. The first enter does not: it
// says that nothing came.
func (c *pasteCheck) types(msg tea.KeyPressMsg) bool {
	text := msg.Text
	switch stroke := msg.String(); {
	case (stroke == "enter" || stroke == "ctrl+j") && c.typed.Len() > 0:
		text = "\n"
	case stroke == "tab":
		text = "\t"
	}
	if text == "" {
		return false
	}
	c.typed.WriteString(text)
	c.number++
	return true
}

// checkLater judges what comes key by key when it is over.
func (w *Wizard) checkLater() tea.Cmd {
	number := w.check.number
	return tea.Tick(pasteEnds, func(time.Time) tea.Msg { return pausedMsg{number} })
}

func (w *Wizard) checkPaused(msg pausedMsg) tea.Cmd {
	if w.check == nil || w.check.number != msg.number {
		return nil
	}
	return w.judge(w.check.typed.String())
}

// judge compares what was pasted with what was copied, and notes for this
// terminal whether the route works.
func (w *Wizard) judge(pasted string) tea.Cmd {
	last, d := w.last, w.terminal
	w.check = nil
	if last == nil {
		return nil
	}
	wrong := terminal.Compare(last.text, pasted)
	if wrong == "" {
		w.say(screen.Good, fmt.Sprintf("%s arrived whole (%s). rolecall goes this way first in this terminal.", last.label, size(len(last.text))))
	} else {
		w.status = draw.Status{
			Bad:  true,
			Text: fmt.Sprintf("%s did not arrive: %s. c tries the next way, p shows it plain, s saves it.", last.label, wrong),
		}
	}
	return func() tea.Msg { return foundMsg{d.Found(last.route, wrong == "")} }
}

func (w *Wizard) found(msg foundMsg) tea.Cmd {
	if msg.err != nil {
		w.say(screen.Warning, "It is not remembered: "+msg.err.Error()+".")
	}
	return nil
}
