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
	top   int
	line  findLine
}

func (w *Wizard) view(code screen.Code) {
	w.viewer = &viewer{code: code, sheet: w.theme.Sheet(code, max(w.width, 20))}
	w.status = draw.Status{}
}

// relayViewer lays the document out anew, after the size or the look changed.
func (w *Wizard) relayViewer() {
	if w.viewer != nil {
		w.viewer.sheet = w.theme.Sheet(w.viewer.code, max(w.width, 20))
	}
}

func (w *Wizard) viewerKeys() []binding {
	v := w.viewer
	room := max(w.drawn.Rows, 1)
	to := func(row int) func() tea.Cmd {
		return silent(func() {
			v.top = min(max(row, 0), max(v.sheet.Rows()-room, 0))
			w.status = draw.Status{}
		})
	}
	code := v.code
	item := draw.Item{Label: code.Label, Text: code.Body, Kind: draw.Document, Code: code}
	keys := []binding{
		bound("esc", "close", "close the document (also b, q, v)", silent(func() { w.viewer, w.follow = nil, true }), "esc", "b", "q", "v"),
		bound(draw.Arrows, "scroll", "scroll (also j and k)", to(v.top+1), "down", "j", "enter"),
		hidden("k", "scroll up", to(v.top-1), "up", "k"),
		bound("pgdn", "page", "a page on (also space; pgup back)", to(v.top+room-1), "pgdown", "space"),
		hidden("pgup", "a page back", to(v.top-room+1), "pgup"),
		hidden("g", "to the beginning", to(0), "g", "home"),
		hidden("G", "to the end", to(v.sheet.Rows()), "G", "end"),
		bound("/", "find", "find text (n: the next)", silent(func() { v.line = findLine{typing: true} }), "/"),
		hidden("n", "find the next", silent(w.findNext), "n"),
		bound("c", "copy", "copy the document", func() tea.Cmd { return w.copy("", screen.Copy{Label: code.Label, Text: code.Body}) }, "c"),
		bound("s", "save", "save the document", func() tea.Cmd {
			return w.saveFile("", screen.Save{Label: code.Label, Name: code.Name, Text: code.Body})
		}, "s"),
		w.plainKey(item),
	}
	return append(keys, w.checkKey()...)
}

func (w *Wizard) findNext() {
	v := w.viewer
	if v.line.text == "" {
		return
	}
	row, ok := v.sheet.Find(v.line.text, v.top)
	if !ok {
		w.say(screen.Warning, "Not in this document: "+v.line.text)
		return
	}
	v.top, w.status = row, draw.Status{}
}
