package wizard

import (
	tea "charm.land/bubbletea/v2"
)

// help lies over a step: what it is for, and its keys.
type help struct{ line findLine }

// findLine is what a person looks for, in a document or in the help.
type findLine struct {
	typing bool
	text   string
}

// finding is the line that is being typed; nil when none is.
func (w *Wizard) finding() *findLine {
	switch {
	case w.viewer != nil && w.viewer.line.typing:
		return &w.viewer.line
	case w.help != nil && w.help.line.typing:
		return &w.help.line
	}
	return nil
}

// key edits what is looked for.
func (l *findLine) key(msg tea.KeyPressMsg, w *Wizard) tea.Cmd {
	switch msg.String() {
	case "ctrl+c":
		return w.leaveByKey()
	case "esc":
		l.typing = false
		if w.help != nil {
			l.text = ""
		}
	case "enter":
		l.typing = false
		if w.viewer != nil {
			w.findNext(1)
		}
	case "backspace":
		if runes := []rune(l.text); len(runes) > 0 {
			l.text = string(runes[:len(runes)-1])
		}
	default:
		if len(l.text) < fieldLimit {
			l.text += msg.Text
		}
	}
	return nil
}

func (w *Wizard) helpKeys() []binding {
	find := bound("/", "find", "show only what holds a word", silent(func() { w.help.line, w.top = findLine{typing: true}, 0 }), "/")
	return append(w.closeKeys(func() { w.help = nil }), find)
}
