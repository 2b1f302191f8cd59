package draw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	"rolecall/steps/screen"
)

func (p *page) tone(tone screen.Tone) (style lipgloss.Style, sign string) {
	switch tone {
	case screen.Dim:
		return p.t.dim, ""
	case screen.Good:
		return p.t.ok, p.t.glyph.ok + " "
	case screen.Warning:
		return p.t.warn, p.t.glyph.warn + " "
	default:
		return lipgloss.NewStyle(), ""
	}
}

// body is how the words of a text are drawn. Of a warning only the sign has its
// colour: in three lines of it, nothing would outshine it that is to do next.
func (p *page) body(tone screen.Tone, style lipgloss.Style) lipgloss.Style {
	if tone == screen.Warning {
		return lipgloss.NewStyle()
	}
	return style
}

func (p *page) text(b screen.Text) {
	style, sign := p.tone(b.Tone)
	body := b.Body
	for _, bullet := range []string{"· ", "• ", "- "} { // a list item hangs behind its bullet
		if rest, ok := strings.CutPrefix(body, bullet); ok && sign == "" {
			sign, body = p.t.plain(bullet), rest
		}
	}
	start := len(p.lines)
	p.paragraph(p.body(b.Tone, style), style.Render(sign), body, width(sign))
	if b.Tone == screen.Good {
		p.focusAt(start, news)
	}
}

// instructions are the vendor's list. Where there is little room, what is done
// folds away, and of the rest only those from the next one on are shown, or
// those around the one that is marked, and how many are left out.
func (p *page) instructions(b screen.Instructions) {
	from, to := p.shown(b)
	p.before(b[:from])
	digits, next := 1, b.Next()
	for _, one := range b {
		digits = max(digits, len(strconv.Itoa(one.Number)))
	}
	for i := from; i < to; i++ {
		p.instruction(b[i], digits, i == next)
		var notes []string
		if b[i].Page != screen.PageNothing {
			notes = append(notes, "o "+string(b[i].Page))
		}
		if after := len(b) - to; after > 0 && i == to-1 {
			notes = append(notes, strconv.Itoa(after)+" more "+p.t.glyph.down)
		}
		p.atEnd(strings.Join(notes, p.t.glyph.dot))
	}
}

func (p *page) instruction(one screen.Instruction, digits int, next bool) {
	sign := " "
	switch {
	case one.Done:
		sign = p.t.ok.Render(p.t.glyph.done)
	case next:
		sign = p.t.accent.Render(p.t.glyph.next)
	}
	start := len(p.lines)
	p.hanging(lipgloss.NewStyle(), instructionKey(one), sign+" "+pad(strconv.Itoa(one.Number), digits)+"  ", one.Text, digits+4)
	if p.marked(instructionKey(one)) {
		p.focusLast(len(p.lines)-start, p.markFocus())
	}
}

// before says in one line what is not shown above the first instruction.
func (p *page) before(b screen.Instructions) {
	if len(b) == 0 {
		return
	}
	numbers := strconv.Itoa(b[0].Number)
	if len(b) > 1 {
		numbers += "-" + strconv.Itoa(b[len(b)-1].Number)
	}
	if b.Next() == len(b) {
		p.put(p.t.ok.Render(p.t.glyph.done) + " " + p.t.dim.Render(numbers+" done"))
		return
	}
	p.put(p.t.dim.Render(p.t.glyph.up + " " + numbers))
}

// atEnd says something in grey at the right end of the last line, or below it
// where there is no room.
func (p *page) atEnd(text string) {
	if text == "" {
		return
	}
	say := p.t.dim.Render(text)
	last := &p.lines[len(p.lines)-1]
	if gap := min(p.width, p.indent+measure+1) - 1 - width(last.text) - width(say); gap >= 2 {
		last.text += strings.Repeat(" ", gap) + say
		return
	}
	p.put(p.sides("", say))
}

// shown is the range of instructions from the next one on, or around the one
// that is marked. The line that says what is before them takes the place of one.
// Where all are done, that line says all.
func (p *page) shown(b screen.Instructions) (from, to int) {
	n, next := len(b), b.Next()
	if p.window == 0 || p.window >= n {
		return 0, n
	}
	marked := slices.IndexFunc(b, func(one screen.Instruction) bool { return p.marked(instructionKey(one)) })
	if marked < 0 && next == n {
		return n, n
	}
	fit := p.window - 1
	switch from = min(next, n-fit); {
	case marked >= 0 && marked < from:
		from = marked
	case marked >= from+fit:
		from = marked - fit + 1
	}
	if from == 0 {
		return 0, p.window
	}
	return from, from + fit
}

func (p *page) choices(b screen.Choices) {
	if b.Label != "" {
		p.paragraph(p.t.bold, "", b.Label, 0)
		p.blank()
	}
	on := b.Picked
	for _, o := range b.Options {
		if p.marked(optionKey(b, o)) {
			on = o.ID
		}
	}
	column := 0
	for _, o := range b.Options {
		column = max(column, width(p.t.plain(o.Label)))
	}
	for _, o := range b.Options {
		p.option(b, o, o.ID == on, min(column, p.room()/2))
	}
}

func (p *page) option(b screen.Choices, o screen.Option, on bool, column int) {
	key := optionKey(b, o)
	sign := p.t.glyph.radioOff
	style := lipgloss.NewStyle()
	if on {
		sign = p.t.glyph.radioOn
	}
	detail := o.Detail
	if o.Disabled != "" {
		style, detail = p.t.dim, o.Disabled
	}
	p.pair(key, style.Render(sign)+" ", width(sign)+1, style, o.Label, detail, column)
}

// pair puts a label and a detail in grey beside it, or under it where it does
// not fit.
func (p *page) pair(key, first string, hang int, style lipgloss.Style, label, detail string, column int) {
	label, detail = p.t.plain(label), p.t.plain(detail)
	if hang+max(column, width(label))+2+width(detail) > p.room() {
		column = width(label) // not in line with the others, but beside its label
	}
	if detail == "" || hang+max(column, width(label))+2+width(detail) > p.room() {
		p.hanging(style, key, first, label, hang)
		if detail != "" {
			p.paragraph(p.t.dim, "", detail, hang)
		}
		return
	}
	p.item(key, first+style.Render(pad(label, column))+"  "+p.t.dim.Render(detail))
}

func (p *page) tree(b screen.Tree, nodes []screen.Node, depth int) {
	column := 0
	for i := range nodes {
		column = max(column, width(p.t.plain(nodes[i].Label)))
	}
	for i := range nodes {
		n := &nodes[i]
		p.node(b, n, depth, column)
		fold := p.f.Folds[nodeKey(b, n)]
		if fold.Details {
			p.details(n, depth)
		}
		if !fold.Closed {
			p.tree(b, n.Children, depth+1)
		}
	}
}

// node is one line: box, label, detail, and the note at the right end. Detail
// is cut first, then the note is left out, then the label is cut.
func (p *page) node(b screen.Tree, n *screen.Node, depth, column int) {
	key := nodeKey(b, n)
	p.itemLater(key, func() string { return p.nodeLine(b, n, depth, column) })
	if p.marked(key) && n.Fixed != "" {
		space := strings.Repeat(" ", depth*p.nesting())
		p.paragraph(p.t.dim, space+"    ", n.Fixed, len(space)+4)
	}
}

// nesting is how far a child stands behind what holds it.
func (p *page) nesting() int {
	if p.width < narrowBelow {
		return 2
	}
	return 4
}

func (p *page) nodeLine(b screen.Tree, n *screen.Node, depth, column int) string {
	style, boxStyle := lipgloss.NewStyle(), lipgloss.NewStyle()
	if n.Fixed != "" {
		style, boxStyle = p.t.dim, p.t.dim
	}
	space := strings.Repeat(" ", depth*p.nesting())
	label := p.t.plain(n.Label)
	room := p.room() - len(space) - 4
	label = p.t.cut(label, room)
	note := p.note(b, n)
	left, grey := space+boxStyle.Render(p.box(n.Tick))+" "+style.Render(label), ""
	if detail := p.t.plain(n.Detail); detail != "" {
		used := max(column, width(label)) + 3 + width(note) + 2
		if space := room - used; space >= 12 || space >= width(detail) {
			left += strings.Repeat(" ", max(column-width(label), 0)+3)
			grey = p.t.cut(detail, space)
		}
	}
	return left + p.t.dim.Render(p.sidesAfter(width(left), grey, note))
}

func (p *page) note(b screen.Tree, n *screen.Node) string {
	note := p.t.plain(n.Note)
	if len(n.Children)+len(n.Details) == 0 {
		if note != "" {
			note += "  " // in line with those that have a sign behind them
		}
		return note
	}
	fold := p.f.Folds[nodeKey(b, n)]
	sign := p.t.glyph.folded
	if fold.Details || len(n.Details) == 0 && !fold.Closed {
		sign = p.t.glyph.open
	}
	return strings.TrimSpace(note + " " + sign)
}

func (p *page) box(tick screen.Tick) string {
	switch tick {
	case screen.On:
		return p.t.glyph.boxOn
	case screen.Partly:
		return p.t.glyph.boxP
	default:
		return p.t.glyph.boxOff
	}
}

// details are lines in grey under a node; one that begins with a space belongs
// to the line before it.
func (p *page) details(n *screen.Node, depth int) {
	space := strings.Repeat(" ", depth*2+4)
	for _, d := range n.Details {
		bullet := p.t.glyph.bullet
		if strings.HasPrefix(d, " ") {
			bullet = " "
		}
		p.paragraph(p.t.dim, space+p.t.dim.Render(bullet+" "), strings.TrimSpace(d), len(space)+2)
	}
}

// CheckFold is the key in Folds of what is right: its Details are shown or not.
const CheckFold = "checks"

// CheckKey is the key that shows the checks that are right.
const CheckKey = "f"

// FoldsChecks reports whether checks of a screen are shown in short, so that
// there is more to open.
func FoldsChecks(view screen.Screen) bool {
	return slices.ContainsFunc(view.Blocks, func(b screen.Block) bool {
		checks, ok := b.(screen.Checks)
		return ok && checks.Right() > 1
	})
}

// checks are what is wrong, and what is right in one line. Where something
// failed, the first of that is said whole, and of the rest what was found: it may
// be a consequence.
func (p *page) checks(b screen.Checks) {
	folded := b.Right() > 1
	open := p.f.Folds[CheckFold].Details || !folded
	failed := slices.IndexFunc(b, func(c screen.Check) bool { return c.State == screen.Fail })
	told := slices.ContainsFunc(b, func(c screen.Check) bool { return c.Told })
	for i, c := range b {
		if !c.Told && (c.State != screen.Pass || !folded) {
			p.oneCheck(c, open || failed < 0 || i == failed && !told)
		}
	}
	if !folded {
		return
	}
	word := "show"
	if open {
		word = "hide"
	}
	count := fmt.Sprintf("%d of %d right", b.Right(), len(b))
	p.put(p.sides(p.t.ok.Render(p.t.glyph.ok+" "+count), p.t.bold.Render(CheckKey)+"  "+p.t.dim.Render(pad(word, 6))))
	for _, c := range b {
		if open && c.State == screen.Pass {
			p.oneCheck(c, true)
		}
	}
}

// oneCheck is a check that is right, or said in short, in a line; any other with
// what is needed, what was found and what to do.
func (p *page) oneCheck(c screen.Check, whole bool) {
	style, sign, word := p.check(c.State)
	label, plain := c.Label, lipgloss.NewStyle()
	whole = whole && c.State != screen.Pass
	if !whole && c.Got != "" {
		label += ": " + c.Got
	}
	start := len(p.lines)
	p.paragraph(plain, style.Render(sign+" "+pad(word, checkHang-2)), label, checkHang)
	if c.State == screen.Fail {
		p.focusAt(start, trouble)
	}
	if !whole {
		return
	}
	p.indent += checkHang
	for _, part := range [][2]string{{"wanted  ", c.Want}, {"found   ", c.Got}} {
		if part[1] != "" {
			p.paragraph(plain, p.t.dim.Render(part[0]), part[1], len(part[0]))
		}
	}
	if c.Fix != "" {
		p.paragraph(p.t.bold, "", c.Fix, 0)
	}
	p.indent -= checkHang
}

// checkHang is where the text of a check begins, behind its sign and word.
const checkHang = 10

func (p *page) check(state screen.CheckState) (style lipgloss.Style, sign, word string) {
	g := p.t.glyph
	switch state {
	case screen.Pass:
		return p.t.ok, g.ok, "right"
	case screen.Fail:
		return p.t.fail, g.fail, "wrong"
	case screen.Warn:
		return p.t.warn, g.warn, "look"
	case screen.Unknown:
		return p.t.warn, g.unknown, "unknown"
	default:
		return p.t.dim, g.pending, "waits"
	}
}
