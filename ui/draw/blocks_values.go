package draw

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"

	"rolecall/steps/screen"
)

func (p *page) facts(facts screen.Facts) {
	for _, f := range facts {
		p.fact(f)
	}
}

// fact is one value with its label. Where there is not enough room the note
// goes under it, then the word of the key is cut, then the label, and last the
// value stands on lines of its own: what may be copied is never wrapped among
// words, never cut. A sentence wraps within the column of the values.
func (p *page) fact(f screen.Fact) {
	key := ""
	if f.Copy {
		key = factKey(f)
	}
	value := p.t.plain(cmp.Or(f.Shown, f.Value))
	note := p.t.plain(f.Note)
	hint := p.hints(key, f.Copy)
	style := lipgloss.NewStyle()
	if f.Copy {
		style = p.t.strong
	}
	left := p.label(p.t.dim, f.Label, width(value)+3) + style.Render(value)
	if note != "" && width(left)+2+width(note)+2+width(hint[0]) <= p.room() {
		left, note = left+"  "+p.t.dim.Render(note), ""
	}
	switch {
	case !f.Copy && strings.Contains(value, " ") && max(width(f.Label), p.column)+2+width(value) > p.room():
		p.sentence(f.Label, value)
		p.noteUnder(note, p.column+2)
	case width(left)+2+width(hint[0]) <= p.room():
		p.item(key, p.sides(left, hint[0]))
		p.noteUnder(note, p.column+2)
	case width(left) <= p.room():
		p.item(key, p.sides(left, hint[1]))
		p.noteUnder(note, p.column+2)
	default:
		label := p.t.cut(p.t.plain(f.Label), p.room()-width(hint[0])-2)
		p.item(key, p.sides(p.t.dim.Render(label), hint[0]))
		p.value(style, value)
		p.noteUnder(note, 0)
	}
}

// sentence is a value in words: beside its label, or under it where the label is
// wider than the column, or a name in the sentence wider than what is left.
func (p *page) sentence(label, value string) {
	label, hang := p.t.cut(p.t.plain(label), p.room()), p.column+2
	longest := 0
	for word := range strings.FieldsSeq(value) {
		longest = max(longest, width(word))
	}
	if longest > p.room()-hang {
		hang = 2
	}
	if width(label) > hang-2 {
		p.put(p.t.dim.Render(label))
		label = ""
	}
	p.paragraph(lipgloss.NewStyle(), p.t.dim.Render(label), value, hang)
}

// label is padded to the column of the values. One that is longer is cut where
// the need cells behind it would not fit otherwise.
func (p *page) label(style lipgloss.Style, text string, need int) string {
	text = p.t.plain(text)
	if over := width(text) + 2 + need - p.room(); over > 0 {
		text = p.t.cut(text, max(width(text)-over, p.column))
	}
	return style.Render(pad(text, p.column)) + "  "
}

func (p *page) noteUnder(note string, hang int) {
	if note != "" {
		p.paragraph(p.t.dim, "", note, hang)
	}
}

// hints are what stands at the right end of something to copy: key and word,
// and the key alone for where there is little room.
func (p *page) hints(key string, copies bool) [2]string {
	if !copies {
		return [2]string{}
	}
	number := ""
	if n := p.numbers[key]; n > 0 {
		number = strconv.Itoa(n)
	}
	word, style := "copy", p.t.dim
	if sent := p.f.Sent[key]; sent != "" {
		word, style = sent, p.t.ok
	}
	short := p.t.bold.Render(number)
	return [2]string{short + "  " + style.Render(pad(word, 6)), short}
}

// code is one line: name and size of the document, which v shows whole.
func (p *page) code(b screen.Code) {
	key := codeKey(b)
	hint := p.hints(key, !b.Aside)
	if b.Aside {
		hint[0] = p.t.bold.Render("v") + "  " + p.t.dim.Render("view  ")
	}
	name, about := p.t.plain(b.Name), p.t.plain(b.About)
	style := p.t.strong
	left := p.label(p.t.dim, b.Label, width(name)) + style.Render(name)
	if about != "" && width(left)+width(about)+5+width(hint[0]) <= p.room() {
		left, about = left+"  "+p.t.dim.Render(about), ""
	}
	hang := p.column + 2
	if width(left)+2+width(hint[0]) > p.room() {
		left, hang = style.Render(p.t.cut(p.t.plain(b.Label), p.room()-width(hint[0])-2)), 2
		about = p.t.join([]string{name, about})
	}
	p.item(key, p.sides(left, hint[0]))
	p.noteUnder(about, hang)
}

// link is drawn on one line; the whole address is inside the hyperlink, and is
// written out where it fits or when the link is marked.
func (p *page) link(b screen.Link) {
	key := linkKey(b)
	url := p.t.plain(b.URL)
	style, hint := lipgloss.NewStyle(), ""
	if key == p.opens {
		hint = p.t.bold.Render("o") + "  " + p.t.dim.Render("open  ")
	}
	left := p.label(style, b.Label, 0)
	room := p.room() - width(left) - 2 - width(hint)
	switch {
	case width(url) <= room:
		p.item(key, p.sides(left+p.t.link(b.URL, p.t.dim.Render(url)), hint))
	case p.marked(key):
		p.item(key, p.sides(left, hint))
		p.value(p.t.dim, url)
	case room >= 16:
		p.item(key, p.sides(left+p.t.link(b.URL, p.t.dim.Render(p.t.cut(url, room))), hint))
	default:
		p.item(key, p.sides(p.t.link(b.URL, left), hint))
	}
}

func (p *page) input(b screen.Input) {
	key := inputKey(b)
	marked := p.marked(key)
	label := ""
	if b.Filter { // a word beside it: the list below needs the room
		label = p.t.bold.Render(p.t.plain(b.Label)) + " "
	} else {
		p.paragraph(p.t.bold, "", b.Label, 0)
	}
	text, caret := b.Value, 0
	if typed, ok := p.f.Texts[b.ID]; ok {
		text = typed
	}
	if marked {
		caret = p.f.Caret
	}
	room := min(p.room()-2-width(label), 72)
	shown, at := p.field(text, caret, b.Secret, room)
	if shown == "" && b.Hint != "" {
		shown = p.t.dim.Render(p.t.cut(p.t.plain(b.Hint), room))
	}
	p.item(key, label+p.t.dim.Render("[")+pad(shown, room)+p.t.dim.Render("]"))
	if marked {
		p.lines[len(p.lines)-1].caret = p.indent + width(label) + 1 + at
	}
	if b.Problem != "" {
		p.paragraph(p.t.fail, p.t.fail.Render(p.t.glyph.fail)+" ", b.Problem, 2)
		p.focusLast(1, trouble)
		if marked {
			p.focusLast(1, p.markFocus())
		}
	}
}

// field is the part of a text that fits around its caret, and the cell of the
// caret in it.
func (p *page) field(text string, caret int, secret bool, room int) (shown string, at int) {
	before, after := splitRunes(text, caret)
	if secret {
		dot := p.t.glyph.bullet
		before = strings.Repeat(dot, min(utf8.RuneCountInString(before), room))
		after = strings.Repeat(dot, min(utf8.RuneCountInString(after), room))
	} else {
		before, after = p.t.plain(before), p.t.plain(cutRunes(after, room))
	}
	if over := width(before) - (room - 1); over > 0 {
		before = dropCells(before, over)
	}
	at = width(before)
	return cutCells(before+after, room), at
}

func splitRunes(s string, n int) (before, after string) {
	for i := range s {
		if n == 0 {
			return s[:i], s[i:]
		}
		n--
	}
	return s, ""
}

func cutRunes(s string, n int) string {
	before, _ := splitRunes(s, n)
	return before
}

func dropCells(s string, n int) string {
	for i, r := range s {
		if n <= 0 {
			return s[i:]
		}
		n -= width(string(r))
	}
	return ""
}

func cutCells(s string, n int) string {
	for i, r := range s {
		n -= width(string(r))
		if n < 0 {
			return s[:i]
		}
	}
	return s
}

// meter is a part of a limit, with what is left or too much in words.
func (p *page) meter(b screen.Meter) {
	style, word := p.t.ok, screen.Thousands(b.Limit-b.Used)+" left"
	switch {
	case b.Used > b.Limit:
		style, word = p.t.fail, screen.Thousands(b.Used-b.Limit)+" too many"
	case float64(b.Used) > 0.95*float64(b.Limit):
		style = p.t.warn
	}
	label := p.t.plain(b.Label) + "  "
	numbers := strings.TrimSpace(screen.Thousands(b.Used) + " of " + screen.Thousands(b.Limit) + " " + p.t.plain(b.Unit))
	room := p.room() - width(label) - width(numbers) - 2
	rest := p.t.dim.Render(p.t.glyph.dot + word)
	if room-width(rest) >= 10 {
		room -= width(rest)
		numbers += rest
	}
	if room < 10 && width(label) > 2 {
		p.paragraph(lipgloss.NewStyle(), "", label, 0)
		room, label = room+width(label), ""
	}
	bar := p.bar(b, min(room, 46), style)
	if bar != "" {
		bar += "  "
	}
	p.put(label + bar + numbers)
}

func (p *page) bar(b screen.Meter, cells int, style lipgloss.Style) string {
	if cells < 6 || b.Limit <= 0 {
		return ""
	}
	full := int(min(max(float64(b.Used)/float64(b.Limit), 0), 1) * float64(cells))
	return style.Render(strings.Repeat(p.t.glyph.barFull, full)) +
		p.t.dim.Render(strings.Repeat(p.t.glyph.barEmpty, cells-full))
}

// problem is three lines: what happened, what was expected, what to do.
func (p *page) problem(b screen.Problem) {
	start := len(p.lines)
	style := p.t.fail.Bold(true)
	if b.Passing {
		style = p.t.warn
	}
	p.paragraph(style, style.Render(p.t.glyph.fail)+" ", b.What, 2)
	p.indent += 2
	if b.Wanted != "" || b.Found != "" {
		p.difference(b.Wanted, b.Found)
	}
	if b.Expected != "" {
		p.paragraph(p.t.dim, p.t.dim.Render("Expected: "), b.Expected, 10)
	}
	if b.Next != "" {
		p.paragraph(p.t.bold, "", b.Next, 0)
	}
	p.mends(b.Action)
	if b.Quoted != "" {
		says := quoter(b)
		p.paragraph(p.t.dim, p.t.dim.Render(says), b.Quoted, width(says))
	}
	p.indent -= 2
	p.focusAt(start, trouble)
}

// mends is the key of the action that mends a problem.
func (p *page) mends(id string) {
	for _, a := range p.f.Screen.Actions {
		if id != "" && a.ID == id && a.Key != "" && a.Disabled == "" {
			p.paragraph(p.t.accent, p.t.accent.Render(a.Key), a.Label, width(a.Key)+2)
		}
	}
}

func quoter(b screen.Problem) string {
	switch {
	case b.Named.By != "":
		return Clean(b.Named.By) + " says: "
	case b.Kind == screen.AWSRefused:
		return "AWS says: "
	case b.Kind == screen.VendorRefuse:
		return "The vendor says: "
	default:
		return "In its words: "
	}
}

// difference puts two values one under the other with the first differing part
// marked.
func (p *page) difference(wanted, found string) {
	wanted, found = p.t.plain(wanted), p.t.plain(found)
	const hang = 8 // "wanted  "
	same := width(common(wanted, found))
	caret := p.t.fail.Render(p.t.glyph.caret)
	if hang+max(width(wanted), width(found))+1 <= p.room() {
		p.put(p.t.dim.Render("wanted  ") + p.t.ok.Render(wanted))
		p.put(p.t.dim.Render("found   ") + p.t.fail.Render(found))
		p.put(strings.Repeat(" ", hang+same) + caret)
		return
	}
	p.put(p.t.dim.Render("wanted"))
	for _, row := range chunks(wanted, p.width) {
		p.bare(row)
	}
	p.put(p.t.dim.Render("found"))
	for i, row := range chunks(found, p.width) {
		p.bare(row)
		if i == same/p.width {
			p.bare(strings.Repeat(" ", same%p.width) + caret)
		}
	}
}

// common is what two values begin with alike.
func common(a, b string) string {
	end := 0
	for i, r := range a {
		next := i + utf8.RuneLen(r)
		if next > len(b) || a[i:next] != b[i:next] {
			break
		}
		end = next
	}
	return a[:end]
}

func (p *page) picture(b screen.Picture) {
	for _, l := range b.Lines {
		if l = Clean(l); width(l) > p.room() || p.t.look.ASCII && !printableASCII(l) {
			p.paragraph(p.t.dim, "", b.Alt, 0)
			return
		}
	}
	for _, l := range b.Lines {
		p.put(Clean(l))
	}
}
