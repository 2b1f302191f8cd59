package wizard

import (
	"time"

	"rolecall/steps/screen"

	tea "charm.land/bubbletea/v2"

	"rolecall/ui/draw"
)

// listPause is how long after its last key a person counts as being in the
// middle of a list.
const listPause = 2 * time.Second

// teller is a message that can say in a few words what it brings.
type teller interface{ News() string }

// busy reports whether the person is in the middle of something that an answer
// must not take away: a field being filled in, a question, a list that is moved
// through, or text that lies over the step.
func (w *Wizard) busy() bool {
	if !w.plainStep() {
		return true
	}
	item, ok := w.item()
	switch {
	case !ok:
		return false
	case item.Filter:
		return false // what comes goes on in the list
	case item.Kind == draw.Field:
		f := w.fields[item.ID]
		return f != nil && (f.asked || f.typed && f.edit.Value() != "")
	case item.Kind == draw.Option || item.Kind == draw.Node:
		return w.moved && w.session.Now().Sub(w.pressed) < listPause
	}
	return false
}

// late takes the answer of a reading call: at once where nothing is interrupted
// or the answer says that it brings nothing new, else when the person has
// finished. Until then a line says that it is there.
func (w *Wizard) late(msg screen.Msg) tea.Cmd {
	if t, ok := msg.(teller); !w.busy() || ok && t.News() == "" && len(w.news) == 0 {
		return w.tell(msg)
	}
	w.news = append(w.news, heldMsg{w.walk.Visit(), msg})
	return nil
}

// catchUp tells the step what came while the person was busy. What belongs to a
// step that was left meanwhile is dropped.
func (w *Wizard) catchUp() tea.Cmd {
	var cmds []tea.Cmd
	for len(w.news) > 0 && !w.busy() {
		next := w.news[0]
		w.news = w.news[1:]
		if next.visit == w.walk.Visit() {
			cmds = append(cmds, w.tell(next.msg))
			w.lookAgain()
		}
	}
	return tea.Batch(cmds...)
}

// lookAgain makes what busy looks at that of the step as it is now.
func (w *Wizard) lookAgain() {
	w.screen = w.current()
	w.items = draw.Items(w.screen, w.folds)
	w.settleMark()
	w.syncFields()
}

// newsLine says that something came, and how to see it.
func (w *Wizard) newsLine() string {
	text := "An answer came."
	for _, held := range w.news {
		if t, ok := held.msg.(teller); ok && t.News() != "" {
			text = t.News()
		}
	}
	if w.focused() != nil && w.plainStep() {
		return text + " It is shown when you leave the field: esc."
	}
	return text + " It is shown when you are done here."
}
