package wizard

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"

	"rolecall/steps/screen"

	tea "charm.land/bubbletea/v2"

	"rolecall/ui/draw"
)

// fieldLimit is the longest text of a field, in characters: nothing that is
// asked for comes near it, and a paste beyond it would only hang the editor.
const fieldLimit = 4096

// keepNumbers gives each value the number that it had: a key must not copy
// another thing because one appeared above it. A value that is new gets the
// first number that no other had. Where none of the values was there before, it
// is another screen, and counts from 1.
func (w *Wizard) keepNumbers() {
	known := func(item draw.Item) bool { return copyable(item) && w.numbers[item.Key] > 0 }
	if !slices.ContainsFunc(w.items, known) {
		clear(w.numbers)
	}
	for i, item := range w.items {
		if !copyable(item) {
			continue
		}
		if _, known := w.numbers[item.Key]; !known {
			w.numbers[item.Key] = w.freeNumber()
		}
		w.items[i].Number = w.numbers[item.Key]
	}
}

// freeNumber is the next number, 0 once nine are given.
func (w *Wizard) freeNumber() int {
	if n := len(w.numbers) + 1; n <= 9 {
		return n
	}
	return 0
}

// at is the index of the marked item, -1 when nothing is marked.
func (w *Wizard) at() int {
	for i, item := range w.items {
		if item.Key == w.marked {
			return i
		}
	}
	return -1
}

func (w *Wizard) item() (draw.Item, bool) {
	if i := w.at(); i >= 0 {
		return w.items[i], true
	}
	return draw.Item{}, false
}

// settleMark keeps the mark where it was, as long as that is on the screen and
// the person put it there; otherwise it goes to where a person would start.
func (w *Wizard) settleMark() {
	if w.chose {
		w.chose = false
		if i := w.newField(); i >= 0 {
			w.mark(i)
			w.syncFields()
			w.focused().asked = true
			return
		}
	}
	if w.moved && w.at() >= 0 {
		return
	}
	w.moved = false
	w.marked = ""
	if i := draw.Start(w.items); i >= 0 {
		w.marked = w.items[i].Key
	}
}

// newField is the index of a field that was not there before, -1 when there is
// none.
func (w *Wizard) newField() int {
	return slices.IndexFunc(w.items, func(item draw.Item) bool {
		return item.Kind == draw.Field && !item.Filter && w.fields[item.ID] == nil
	})
}

func (w *Wizard) mark(i int) {
	if i < 0 || i >= len(w.items) {
		return
	}
	w.marked, w.moved, w.follow = w.items[i].Key, true, true
	if f := w.focused(); f != nil {
		f.edit.CursorEnd()
	}
}

// step moves the mark; at the ends it scrolls, so that text without anything to
// mark can be read too.
func (w *Wizard) step(by int) {
	to := w.at() + by
	if to < 0 || to >= len(w.items) {
		w.scroll(by)
		return
	}
	w.mark(to)
}

func (w *Wizard) scroll(by int) {
	w.follow, w.reading = false, nil
	if w.top == 0 && by == 1 {
		by = 2 // the row that says how much is above takes the place of the first line
	}
	w.top = min(max(w.top+by, 0), max(w.drawn.Lines-max(w.drawn.Rows-2, 1), 0))
}

// tab goes to the first item of the next block, or of the one before.
func (w *Wizard) tab(by int) {
	n := len(w.items)
	if n == 0 {
		return
	}
	at := max(w.at(), 0)
	to := at
	for range n {
		to = (to + by + n) % n
		if !sameGroup(w.items[to], w.items[at]) {
			break
		}
	}
	for by < 0 && to > 0 && sameGroup(w.items[to-1], w.items[to]) {
		to--
	}
	w.mark(to)
}

func sameGroup(a, b draw.Item) bool {
	return a.Kind == b.Kind && a.Block == b.Block && a.Kind != draw.Field
}

// markNextToCopy moves on to what was not copied yet, if what was just copied is
// marked.
func (w *Wizard) markNextToCopy(key, word string) {
	if key != w.marked || word == "saved" {
		return
	}
	n, at := len(w.items), w.at()
	for i := 1; i < n; i++ {
		item := w.items[(at+i)%n]
		if copyable(item) && !item.Code.Aside && w.sent[item.Key] == "" {
			w.mark((at + i) % n)
			return
		}
	}
}

func copyable(item draw.Item) bool { return item.Kind == draw.Value || item.Kind == draw.Document }

// toCopy is what c copies: what is marked, else the next not copied yet, else
// the first.
func (w *Wizard) toCopy() (draw.Item, bool) {
	if item, ok := w.item(); ok && (copyable(item) || item.Kind == draw.Page) {
		return item, true
	}
	first, found := draw.Item{}, false
	for _, item := range w.items {
		if !copyable(item) || item.Code.Aside {
			continue
		}
		if w.sent[item.Key] == "" {
			return item, true
		}
		if !found {
			first, found = item, true
		}
	}
	return first, found
}

// find is the marked item if it is of that kind, else the first that is.
func (w *Wizard) find(kind draw.Kind) (draw.Item, bool) {
	if item, ok := w.item(); ok && item.Kind == kind {
		return item, true
	}
	for _, item := range w.items {
		if item.Kind == kind {
			return item, true
		}
	}
	return draw.Item{}, false
}

// syncFields gives every Input an editor and takes over what the step put into
// it.
func (w *Wizard) syncFields() {
	for _, item := range w.items {
		if item.Kind != draw.Field {
			continue
		}
		f := w.fields[item.ID]
		if f == nil {
			f = newField(item.Value)
			w.fields[item.ID] = f
		}
		if item.Value != f.last {
			f.last = item.Value
			if item.Value != f.edit.Value() {
				f.edit.SetValue(item.Value)
				f.edit.CursorEnd()
			}
		}
	}
}

func newField(value string) *field {
	edit := textinput.New()
	edit.CharLimit = fieldLimit
	edit.KeyMap.Paste = key.NewBinding(key.WithDisabled()) // the terminal pastes
	edit.SetValue(value)
	edit.CursorEnd()
	edit.Focus()
	return &field{edit: edit, last: value}
}

// focused is the field that letters go to; nil when none is marked.
func (w *Wizard) focused() *field { return w.fields[w.fieldMarked()] }

// fieldMarked is the ID of the marked field; empty when none is.
func (w *Wizard) fieldMarked() string {
	item, ok := w.item()
	if !ok || item.Kind != draw.Field {
		return ""
	}
	return item.ID
}

// typed gives a key to the field and tells the step what became of the text.
func (w *Wizard) typed(msg tea.Msg) tea.Cmd {
	item, _ := w.item()
	f := w.focused()
	before := f.edit.Value()
	w.moved = true // whoever types is here, whatever appears meanwhile
	f.edit, _ = f.edit.Update(msg)
	w.follow = true
	if f.edit.Value() == before {
		return nil
	}
	f.typed = true
	return w.tell(screen.Changed{ID: item.ID, Text: f.edit.Value()})
}

// paste goes to the field that has the focus, else to the first one there is.
func (w *Wizard) paste(text string) tea.Cmd {
	if w.tooSmall() {
		return nil // nobody sees where it would go
	}
	if w.check != nil {
		return w.judge(text)
	}
	if w.viewer != nil || w.asking != nil {
		return nil
	}
	field, ok := w.find(draw.Field)
	if !ok {
		w.say(screen.Warning, "There is no field here to paste into.")
		return nil
	}
	for i, item := range w.items {
		if item.Key == field.Key && item.Key != w.marked {
			w.mark(i)
		}
	}
	w.help, w.shown = nil, nil
	if field.Long && screen.HoldsSecret(text) { // it is not even shown
		w.say(screen.Warning, screen.SecretPasted)
		return nil
	}
	if whole := strings.TrimSpace(text); field.Long && (len(whole) > fieldLimit || strings.ContainsAny(whole, "\r\n")) {
		w.moved = true
		return w.tell(screen.Entered{ID: field.ID, Text: strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)})
	}
	text, cut := pasted(text)
	if cut {
		w.say(screen.Warning, fmt.Sprintf("The paste was too long: only its first %d characters were taken.", fieldLimit))
	}
	return w.typed(tea.PasteMsg{Content: text})
}

// pasted makes one line of at most fieldLimit characters, without looking at
// more of a long paste than that.
func pasted(text string) (line string, cut bool) {
	text = strings.TrimSpace(text)
	if len(text) > fieldLimit*utf8.UTFMax {
		text, cut = text[:fieldLimit*utf8.UTFMax], true
	}
	text = strings.ToValidUTF8(text, "")
	n := 0
	for i := range text {
		if n == fieldLimit {
			return text[:i], true
		}
		n++
	}
	return text, cut
}
