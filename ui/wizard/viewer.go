package wizard

import (
	"rolecall/steps/screen"

	tea "charm.land/bubbletea/v2"

	"rolecall/ui/draw"
)

// viewer shows one document over the whole screen.
type viewer struct {
	code  screen.Code
	sheet *draw.Sheet
	at    draw.Reading
	cut   bool // long lines are cut and scrolled sideways, not wrapped
	line  findLine
}

// linesAbove is how many rows stay above a line that is jumped to.
const linesAbove = 2

// view opens a document: where there are findings, at the first of the worst.
func (w *Wizard) view(code screen.Code) {
	w.viewer = &viewer{code: code}
	w.status = draw.Status{}
	w.layOut()
	if line, ok := w.viewer.sheet.Worst(); ok {
		w.viewer.jump(line)
	}
}

// layOut lays the document out for the size and the look that there are now.
func (w *Wizard) layOut() {
	w.viewer.sheet = w.theme.Sheet(w.viewer.code, max(w.width, 20), w.viewer.cut)
}

// relayViewer lays the document out anew, after the size or the look changed, and
// stays at the line where it was.
func (w *Wizard) relayViewer() {
	v := w.viewer
	if v == nil {
		return
	}
	line, marked := v.sheet.LineAt(v.at, w.viewerRows()), v.at.Line
	above := v.sheet.Row(line) - v.at.Top
	w.layOut()
	v.at = draw.Reading{Top: max(v.sheet.Row(line)-above, 0), Left: min(v.at.Left, v.sheet.Sideways()), Line: marked}
}

// viewerRows is how many rows of the document are on the screen.
func (w *Wizard) viewerRows() int { return max(w.drawn.Rows, 1) }

// jump goes to a line, and marks it.
func (v *viewer) jump(line int) {
	v.at.Line, v.at.Top = line, max(v.sheet.Row(line)-linesAbove, 0)
}

func (w *Wizard) viewerKeys() []binding {
	keys := []binding{
		bound("esc", "close", "close the document (also b, q, v)", silent(func() { w.viewer, w.follow = nil, true }), "esc", "b", "q", "v"),
	}
	keys = append(keys, w.viewerMoves()...)
	keys = append(keys, w.viewerFinds()...)
	keys = append(keys, w.viewerSides()...)
	code := w.viewer.code
	item := draw.Item{Label: code.Label, Text: code.Body, Kind: draw.Document, Code: code}
	keys = append(keys, w.checkKey()...)
	return append(keys,
		bound("c", "copy", "copy the document", func() tea.Cmd { return w.copy("", screen.Copy{Label: code.Label, Text: code.Body}) }, "c"),
		bound("s", "save", "save the document", func() tea.Cmd {
			return w.saveFile("", screen.Save{Label: code.Label, Name: code.Name, Text: code.Body})
		}, "s"),
		w.plainKey(item))
}

// viewerMoves scroll up and down.
func (w *Wizard) viewerMoves() []binding {
	v, room := w.viewer, w.viewerRows()
	to := func(row int) func() tea.Cmd {
		return silent(func() {
			v.at.Top, v.at.Line = min(max(row, 0), max(v.sheet.Rows()-room, 0)), 0
		})
	}
	top, half := v.at.Top, max(room/2, 1)
	return []binding{
		obvious(bound(draw.Arrows, "scroll", "scroll (also j and k)", to(top+1), "down", "j", "enter")),
		hidden("k", "scroll up", to(top-1), "up", "k"),
		obvious(bound("pgdn", "page", "a page on (also space; pgup back)", to(top+room-1), "pgdown", "space", "f", "ctrl+f")),
		hidden("pgup", "a page back", to(top-room+1), "pgup", "ctrl+b"),
		hidden("d", "half a page on (u: back)", to(top+half), "d", "ctrl+d"),
		hidden("u", "half a page back", to(top-half), "u", "ctrl+u"),
		hidden("g", "to the beginning", to(0), "g", "home"),
		hidden("G", "to the end", to(v.sheet.Rows()), "G", "end"),
	}
}

// viewerFinds look for text, and for what the review found.
func (w *Wizard) viewerFinds() []binding {
	v := w.viewer
	keys := []binding{
		bound("/", "find", "find text (n: the next, N: the one before)", silent(func() { v.line = findLine{typing: true} }), "/"),
		hidden("n", "find the next", silent(func() { w.findNext(1) }), "n"),
		hidden("N", "find the one before", silent(func() { w.findNext(-1) }), "N"),
	}
	if v.sheet.Findings() > 0 {
		keys = append(
			keys,
			bound("] [", "finding", "the next finding of the review ([: the one before)", silent(func() { w.nextFinding(1) }), "]"),
			hidden("[", "the finding before", silent(func() { w.nextFinding(-1) }), "["),
		)
	}
	return keys
}

// viewerSides are for lines that are longer than the screen is wide.
func (w *Wizard) viewerSides() []binding {
	v := w.viewer
	if v.sheet.Sideways() == 0 {
		return nil
	}
	word := "cut lines"
	if v.cut {
		word = "wrap lines"
	}
	keys := []binding{bound("w", word, "cut long lines and scroll sideways, or wrap them", silent(func() {
		v.cut, v.at.Left = !v.cut, 0
		w.relayViewer()
	}), "w")}
	if !v.cut {
		return keys
	}
	by := func(cells int) func() tea.Cmd {
		return silent(func() { v.at.Left = min(max(v.at.Left+cells, 0), v.sheet.Sideways()) })
	}
	const step = 16
	return append(keys, bound("← →", "sideways", "scroll sideways (also h and l; 0: to the margin)", by(step), "right", "l"),
		hidden("←", "scroll back", by(-step), "left", "h"), hidden("0", "to the margin", by(-v.at.Left), "0"))
}

// findNext goes to the next line that has what is looked for, or to the one
// before where by is negative.
func (w *Wizard) findNext(by int) {
	v := w.viewer
	if v.line.text == "" {
		w.say(screen.Dim, "Nothing is looked for yet: / does.")
		return
	}
	line, around, ok := v.sheet.Find(v.line.text, v.sheet.LineAt(v.at, w.viewerRows()), by)
	if !ok {
		w.say(screen.Warning, "Not in this document: "+v.line.text)
		return
	}
	w.status = draw.Status{}
	switch {
	case around && by > 0:
		w.say(screen.Dim, "From the beginning again.")
	case around:
		w.say(screen.Dim, "From the end again.")
	}
	v.jump(line)
}

// nextFinding goes to the next line that the review says something about, or to
// the one before.
func (w *Wizard) nextFinding(by int) {
	v := w.viewer
	line, ok := v.sheet.Finding(v.sheet.LineAt(v.at, w.viewerRows()), by)
	switch {
	case ok:
		v.jump(line)
	case by > 0:
		w.say(screen.Dim, "There is no finding behind this.")
	default:
		w.say(screen.Dim, "There is no finding before this.")
	}
}
