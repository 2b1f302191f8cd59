package draw

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"rolecall/steps"
	"rolecall/steps/screen"
)

// Frame is everything that one frame is drawn from.
type Frame struct {
	Width, Height int
	Header        Header
	Rail          []steps.RailItem
	Screen        screen.Screen
	Over          bool // the screen is none of a step: it lies over one

	Marked  string            // the Key of the marked item; empty: none
	Numbers map[string]int    // the keys that copy, by Key, where they are kept; nil: counted
	Moved   bool              // the person moved the mark
	Folds   Folds             //
	Texts   map[string]string // what is typed in a Field, by its ID
	Caret   int               // runes before the caret in the marked Field
	Sent    map[string]string // by Key: "copied", "sent", "saved"

	Now  time.Time
	Turn int // how far the spinner is; negative: it stands still

	Status   Status
	Question string // a Confirm: shown instead of the status
	Keys     []Key
	Help     []Key        // not empty: this list of keys lies over the step
	Sought   string       // what is looked for in the help: only what holds it is shown
	Shown    *screen.Link // this link lies over the step, whole

	Top    int  // the first line of the step that is shown
	Follow bool // scroll so that what is marked is visible
	// Held are lines that somebody reads, as Drawn gave them: those that are still
	// there stay on their rows, whatever came above them.
	Held []string
}

// Header says who and where.
type Header struct {
	Vendor  string // "Spot"
	How     string // "by hand"
	Account string // "1234-5678-9012 prod"
	Banner  string // "REHEARSAL"
}

// Status is the one line above the footer: what just happened.
type Status struct {
	Tone screen.Tone
	Bad  bool
	Text string
}

// Key is one key that works now. Footer, help and the keyboard share the list.
type Key struct {
	Name     string // "enter", "c", "↑↓"
	Label    string // a verb, for the footer: "copy"
	Help     string // a sentence for the help; Label when empty
	Disabled string // why it is off; then only enter is drawn in the footer
	Hidden   bool   // in the help alone
	Obvious  bool   // needs no label where there is little room
}

// Drawn is one frame.
type Drawn struct {
	Content string
	Top     int // the first line that is shown, after scrolling
	Lines   int // of the step in all
	Rows    int // of the step on the screen
	Last    int // how many lines of the step end on the screen: Lines when its end is shown
	// Shown are the lines of the step that are on the screen, and Unmarked says
	// that what is marked is not among them.
	Shown    []string
	Unmarked bool
	// Head and Foot are how many lines of Content stand above and below the
	// step: header and heading, status and keys.
	Head, Foot int
	// CursorX and CursorY are where the terminal's own cursor belongs; CursorX
	// is negative when it is hidden.
	CursorX, CursorY int
}

// line is one drawn line of a step.
type line struct {
	text   string
	later  func() string // draws text once it is seen; nil: it is drawn. A tree of thousands is not drawn for a few rows.
	same   string        // what tells it from others until it is drawn
	focus  focus
	marked bool // it is what is marked
	caret  int  // column of the caret; -1 for none
}

// drawn is the line's text.
func (l *line) drawn() string {
	if l.later != nil {
		l.text, l.later = l.later(), nil
	}
	return l.text
}

// focus says why a line matters. A screen is read from its top: only what the
// person put a mark on, and the work that is watched, scroll it; of the rest that
// is hidden, it is said that it is there.
type focus int

const (
	unimportant focus = iota
	news              // found, or not as it should be
	trouble           // a problem
	underWay          // what is worked on
	underMark         // where the person is
)

// page collects the lines of a step.
type page struct {
	t       *Theme
	f       *Frame
	width   int // cells in a line
	indent  int // before what blocks draw
	lines   []line
	numbers map[string]int // of the copyable items, by Key
	window  int            // how many instructions are shown; 0: all
	column  int            // where values begin behind their labels
	opens   string         // the Key of the link that o opens
}

const (
	narrowBelow = 60  // columns: one column, short rail
	wideFrom    = 110 // columns: the rail on the left, notes beside a document
	textLimit   = 16 << 10
	measure     = 96 // longest line of running text, and how far what belongs to it stands away, for the eye
)

func (t *Theme) newPage(f *Frame, width, window int) *page {
	p := &page{t: t, f: f, width: width, indent: 3, window: window, numbers: map[string]int{}}
	if width < narrowBelow {
		p.indent = 2
	}
	items := Items(f.Screen, f.Folds)
	p.lines = make([]line, 0, len(items)+32)
	for i := range items {
		item := &items[i]
		if n, kept := f.Numbers[item.Key]; kept {
			item.Number = n
		}
		if item.Number > 0 {
			p.numbers[item.Key] = item.Number
		}
		if item.Kind == Page && (p.opens == "" || item.Key == f.Marked) {
			p.opens = item.Key
		}
	}
	p.column = p.labels()
	return p
}

// longestLabel is the longest label that the values line up behind; longer ones
// push their own value aside.
const longestLabel = 24

func (p *page) labels() int {
	column := 0
	for _, block := range p.f.Screen.Blocks {
		for _, label := range labelsOf(block) {
			if w := width(p.t.plain(label)); w <= min(longestLabel, p.room()/3) {
				column = max(column, w)
			}
		}
	}
	return column
}

// labelsOf are the labels of a block that line up with those of others.
func labelsOf(block screen.Block) []string {
	if facts, ok := block.(screen.Facts); ok {
		labels := make([]string, len(facts))
		for i, f := range facts {
			labels[i] = f.Label
		}
		return labels
	}
	if link, ok := block.(screen.Link); ok {
		return []string{link.Label}
	}
	if code, ok := block.(screen.Code); ok {
		return []string{code.Label}
	}
	return nil
}

// room is what a block can fill: one column stays free on the right.
func (p *page) room() int { return max(p.width-p.indent-1, 8) }

func (p *page) put(text string) {
	p.lines = append(p.lines, line{text: strings.Repeat(" ", p.indent) + text, caret: -1})
}

func (p *page) blank() {
	if n := len(p.lines); n > 0 && (p.lines[n-1].same != "" || p.lines[n-1].text != "") {
		p.lines = append(p.lines, line{caret: -1})
	}
}

// item puts the first line of something that can be marked, with the mark in
// front of it. The mark is all that tells it from what is not marked: the
// renderer writes anew what looks different, and on a slow line that is seen.
func (p *page) item(key, text string) {
	if key == "" || key != p.f.Marked {
		p.put(text)
		return
	}
	space := strings.Repeat(" ", p.indent-2)
	text = space + p.t.accent.Render(p.t.glyph.mark) + " " + text
	p.lines = append(p.lines, line{text: text, marked: true, focus: p.markFocus(), caret: -1})
}

// itemLater is an item of which nothing but its key is known until it is seen.
func (p *page) itemLater(key string, text func() string) {
	if p.marked(key) {
		p.item(key, text())
		p.lines[len(p.lines)-1].same = key
		return
	}
	space := strings.Repeat(" ", p.indent)
	p.lines = append(p.lines, line{same: key, later: func() string { return space + text() }, caret: -1})
}

// markFocus keeps the mark in sight where the person put it. Elsewhere a screen
// is read from its top.
func (p *page) markFocus() focus {
	if p.f.Moved {
		return underMark
	}
	return unimportant
}

func (p *page) marked(key string) bool { return key != "" && key == p.f.Marked }

// bare puts a line without any decoration, from the first column on.
func (p *page) bare(text string) { p.lines = append(p.lines, line{text: text, caret: -1}) }

// focusAt says how much the line where something begins wants to be seen.
func (p *page) focusAt(start int, f focus) {
	if start < len(p.lines) {
		p.lines[start].focus = max(p.lines[start].focus, f)
	}
}

// focusLast says how much the last n lines want to stay visible.
func (p *page) focusLast(n int, f focus) {
	for i := max(0, len(p.lines)-n); i < len(p.lines); i++ {
		p.lines[i].focus = max(p.lines[i].focus, f)
	}
}

// paragraph wraps text, styled, with a hanging indent of hang cells.
func (p *page) paragraph(style lipgloss.Style, first, text string, hang int) {
	p.hanging(style, "", first, text, hang)
}

// hanging is a paragraph that may be marked. first is drawn before the text on
// the first line and fills hang cells.
func (p *page) hanging(style lipgloss.Style, key, first, text string, hang int) {
	if len(text) > textLimit {
		text = text[:textLimit]
	}
	space := strings.Repeat(" ", hang)
	begun := false
	for _, para := range p.t.plainLines(text) {
		for _, row := range wrap(para, min(p.room()-hang, measure)) {
			if begun {
				p.put(space + style.Render(row))
				continue
			}
			begun = true
			p.item(key, pad(first, hang)+style.Render(row))
		}
	}
}

// sides puts left and right at the two ends of a line, no further apart than the
// eye goes; where there is no room for both, right is left out.
func (p *page) sides(left, right string) string { return p.sidesAfter(0, left, right) }

// sidesAfter is sides behind what takes so many cells of the line already.
func (p *page) sidesAfter(taken int, left, right string) string {
	room := min(p.room(), max(measure, taken+width(left)+2+width(right))) - taken
	gap := room - width(left) - width(right)
	if width(right) == 0 || gap < 1 {
		return left
	}
	return left + strings.Repeat(" ", gap) + right
}

// value puts text that is copied or compared: whole, on a line of its own if it
// has to be, and undecorated from the first column on if even that is too short.
func (p *page) value(style lipgloss.Style, text string) {
	text = p.t.plain(text)
	if width(text) <= p.room() {
		p.put(style.Render(text))
		return
	}
	for _, row := range chunks(text, p.width) {
		p.bare(row)
	}
}

func (p *page) block(block screen.Block) {
	switch b := block.(type) {
	case screen.Text:
		p.text(b)
	case screen.Instructions:
		p.instructions(b)
	case screen.Facts:
		p.facts(b)
	case screen.Choices:
		p.choices(b)
	case screen.Tree:
		p.tree(b, b.Nodes, 0)
	case screen.Input:
		p.input(b)
	case screen.Meter:
		p.meter(b)
	case screen.Code:
		p.code(b)
	case screen.Checks:
		p.checks(b)
	case screen.Tasks:
		p.tasks(b)
	case screen.Waiting:
		p.waiting(b)
	case screen.Link:
		p.link(b)
	case screen.Problem:
		p.problem(b)
	case screen.Picture:
		p.picture(b)
	}
}

// step draws all blocks of the screen, with an empty line between those that do
// not belong together.
func (p *page) step() {
	var before screen.Block
	for _, block := range p.f.Screen.Blocks {
		if before != nil && !together(before, block) {
			p.blank()
		}
		p.block(block)
		before = block
	}
}

// together reports whether two blocks stand together: lines of the same list.
func together(a, b screen.Block) bool {
	if a, ok := a.(screen.Text); ok {
		b, ok := b.(screen.Text)
		return ok && a.Tone == screen.Dim && b.Tone == screen.Dim
	}
	return ofValues(a) && ofValues(b)
}

// ofValues reports whether a block is lines with a label and a value.
func ofValues(b screen.Block) bool {
	if _, ok := b.(screen.Meter); ok {
		return true
	}
	return len(labelsOf(b)) > 0
}
