package draw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"rolecall/steps"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Draw makes one frame: header, rail, step and footer. Header and footer always
// stay; what is between them scrolls.
func (t *Theme) Draw(f Frame) Drawn {
	if TooSmall(f.Width, f.Height) {
		return t.tooSmall(&f)
	}
	top := t.header(&f)
	bottom := t.bottom(&f)
	side := t.sideRail(&f)
	stepWidth, sideWidth := f.Width, 0
	if side != nil {
		sideWidth = t.sideWidth(&f)
		stepWidth -= sideWidth
	}
	top = append(top, indented(sideWidth, t.heading(&f, stepWidth))...)
	rows := f.Height - len(top) - len(bottom)
	for rows < 3 && len(top) > 1 { // a very low terminal: the step matters more
		top = top[1:]
		rows++
	}
	for rows < 1 && len(bottom) > 0 {
		bottom = bottom[1:]
		rows++
	}
	body, drawn := t.middle(&f, stepWidth, rows)
	drawn.CursorY += len(top)
	drawn.Head, drawn.Foot = len(top), len(bottom)
	if side != nil {
		body = beside(side, body, sideWidth)
		drawn.CursorX += sideWidth
	}
	all := append(append(top, body...), bottom...)
	for i := range all {
		all[i] = strings.TrimRight(all[i], " ")
		if width(all[i]) > f.Width {
			all[i] = t.cut(all[i], f.Width)
		}
	}
	drawn.Content = strings.Join(all[:min(len(all), f.Height)], "\n")
	return drawn
}

// sideLeast is the column of the rail in a wide terminal, if its names need no
// more.
const sideLeast = 28

// sideWidth is the column of the rail: as wide as its names need, and a quarter
// of the terminal at most.
func (t *Theme) sideWidth(f *Frame) int {
	longest := 0
	for _, item := range f.Rail {
		longest = max(longest, width(t.plain(item.Title)))
	}
	return max(min(longest+besideTitle, f.Width/4), sideLeast)
}

// besideTitle is what of the rail's column is no title: sign, number, and the
// space to the step.
const besideTitle = 8

func indented(sideWidth int, lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.Repeat(" ", sideWidth) + l
	}
	return out
}

func beside(side, body []string, sideWidth int) []string {
	out := make([]string, len(body))
	for i := range body {
		left := ""
		if i < len(side) {
			left = side[i]
		}
		out[i] = pad(left, sideWidth) + body[i]
	}
	return out
}

// header is who and where, the rail unless it stands at the side, and a rule.
func (t *Theme) header(f *Frame) []string {
	if f.Width < narrowBelow {
		return t.narrowHeader(f)
	}
	name := " " + t.accent.Render("rolecall")
	banner := t.banner(f)
	who := t.who(f, f.Width-width(name)-width(banner)-6)
	gap := max(f.Width-width(name)-3-width(who)-width(banner)-1, 1)
	lines := []string{name + "   " + who + strings.Repeat(" ", gap) + banner}
	if f.Width < wideFrom {
		lines = append(lines, " "+t.rail(f))
	}
	return append(lines, t.rule(f))
}

func (t *Theme) rule(f *Frame) string {
	return " " + t.dim.Render(strings.Repeat(t.glyph.rule, max(f.Width-2, 1)))
}

func (t *Theme) banner(f *Frame) string {
	if f.Header.Banner == "" {
		return ""
	}
	return t.warn.Bold(true).Render(t.cut(t.plain(f.Header.Banner), f.Width-14))
}

// who is vendor, method and account, as far as there is room; the account is
// the last to go.
func (t *Theme) who(f *Frame, room int) string {
	h := f.Header
	for _, parts := range [][]string{{h.Vendor, h.How, h.Account}, {h.Vendor, h.Account}, {h.Account}, {h.Vendor}} {
		if text := t.join(parts); width(text) <= room {
			return text
		}
	}
	return ""
}

func (t *Theme) join(parts []string) string {
	var there []string
	for _, part := range parts {
		if part = t.plain(part); part != "" {
			there = append(there, part)
		}
	}
	return strings.Join(there, t.glyph.dot)
}

// narrowHeader has the rail as a fraction, and the banner in place of the name.
func (t *Theme) narrowHeader(f *Frame) []string {
	place := ""
	for _, item := range f.Rail {
		if item.Here {
			place = fmt.Sprintf("%d/%d", item.Number, len(f.Rail))
		}
	}
	left := t.banner(f)
	if left == "" {
		left = t.accent.Render("rolecall")
	}
	place = t.bold.Render(place)
	gap := max(f.Width-width(left)-width(place)-2, 1)
	lines := []string{" " + left + strings.Repeat(" ", gap) + place}
	if who := t.who(f, f.Width-2); who != "" && f.Height >= 14 {
		lines = append(lines, " "+who)
	}
	return append(lines, t.rule(f))
}

func (t *Theme) railMark(f *Frame, item steps.RailItem) (sign string, style lipgloss.Style) {
	switch {
	case item.Here && !complete(f.Rail):
		return t.glyph.next, t.accent
	case item.Status == step.Done:
		return t.glyph.done, t.ok
	default:
		return t.glyph.ahead, t.dim
	}
}

// complete reports whether every step is done.
func complete(rail []steps.RailItem) bool {
	return len(rail) > 0 && !slices.ContainsFunc(rail, func(item steps.RailItem) bool { return item.Status != step.Done })
}

func (t *Theme) rail(f *Frame) string {
	parts := make([]string, len(f.Rail))
	for i, item := range f.Rail {
		sign, style := t.railMark(f, item)
		parts[i] = style.Render(sign + strconv.Itoa(item.Number))
	}
	return strings.Join(parts, "  ")
}

// sideRail is the rail with the steps' names; nil where it is not wide enough.
func (t *Theme) sideRail(f *Frame) []string {
	if f.Width < wideFrom {
		return nil
	}
	lines, room := make([]string, 0, len(f.Rail)), t.sideWidth(f)-besideTitle
	for _, item := range f.Rail {
		sign, style := t.railMark(f, item)
		title := t.cut(t.plain(item.Title), room)
		text := fmt.Sprintf("%d  %s", item.Number, title)
		if item.Here {
			text = style.Render(text)
		} else {
			text = t.dim.Render(text)
		}
		lines = append(lines, " "+style.Render(sign)+" "+text)
	}
	return lines
}

// heading is the step's place in this wizard and in the vendor's.
func (t *Theme) heading(f *Frame, room int) []string {
	number := 0
	for _, item := range f.Rail {
		if item.Here {
			number = item.Number
		}
	}
	place := fmt.Sprintf("Step %d of %d%s", number, len(f.Rail), t.glyph.dot)
	text := Heading(f.Rail, f.Screen, t.glyph.dot)
	if f.Over {
		text = Clean(f.Screen.Heading)
	}
	lines := wrap(text, room-2)
	for i, l := range lines {
		l = t.plain(l)
		title := t.bold
		if complete(f.Rail) {
			title = t.ok.Bold(true)
		}
		if rest, ok := strings.CutPrefix(l, place); ok && i == 0 {
			l = t.dim.Render(place) + title.Render(rest)
		} else {
			l = title.Render(l)
		}
		lines[i] = " " + l
	}
	if f.Height >= 16 && f.Width >= narrowBelow || f.Height >= 22 {
		lines = append(lines, "")
	}
	return lines
}

// Heading reads "Step 5 of 7 · Create IAM policy · Spot wizard 3.5". Every front
// begins a step with it.
func Heading(rail []steps.RailItem, screen screen.Screen, dot string) string {
	number := 0
	for _, item := range rail {
		if item.Here {
			number = item.Number
		}
	}
	text := fmt.Sprintf("Step %d of %d%s%s", number, len(rail), dot, Clean(screen.Heading))
	if screen.Place != "" {
		text += dot + Clean(screen.Place)
	}
	return text
}

// middle draws the step, or what lies over it, into exactly rows lines.
func (t *Theme) middle(f *Frame, width, rows int) ([]string, Drawn) {
	page := t.over(f, width)
	if page == nil {
		page = t.fitted(f, width, rows)
	}
	return t.scroll(f, page, rows)
}

// fitted draws the step; if it is too tall, with fewer of its instructions.
func (t *Theme) fitted(f *Frame, width, rows int) *page {
	page := t.newPage(f, width, 0)
	if width < narrowBelow {
		page.window = instructionsAround
	}
	page.step()
	if len(page.lines) <= rows {
		return page
	}
	most := instructionsOf(f.Screen)
	if page.window > 0 {
		most = min(most, page.window)
	}
	// The most instructions that fit, found by halving; at least those around
	// the next one.
	for low, high := instructionsAround, most; low < high; {
		n := (low + high) / 2
		fewer := t.newPage(f, width, n)
		fewer.step()
		if len(fewer.lines) > rows && n > instructionsAround {
			high = n
			continue
		}
		page, low = fewer, n+1
	}
	return page
}

// instructionsAround is how many instructions are shown at least.
const instructionsAround = 3

func instructionsOf(view screen.Screen) int {
	n := 0
	for _, b := range view.Blocks {
		if in, ok := b.(screen.Instructions); ok {
			n = max(n, len(in))
		}
	}
	return n
}

// scroll cuts the rows out of a page, such that what has to be seen is. The
// first and the last row say how much is hidden.
func (t *Theme) scroll(f *Frame, p *page, rows int) ([]string, Drawn) {
	d := Drawn{Lines: len(p.lines), Rows: rows, CursorX: -1}
	if len(p.lines) <= rows {
		body := t.cutRows(p, 0, rows, &d)
		d.Last = len(p.lines)
		return body, d
	}
	top, visible := t.view(f, p, rows)
	d.Top, d.Last = top, top+visible
	d.Shown = textOf(p.lines[top : top+visible])
	d.Unmarked = f.Marked != "" && !slices.ContainsFunc(p.lines[top:top+visible], func(l line) bool { return l.marked })
	body := t.cutRows(p, top, visible, &d)
	if rows < 3 {
		return body, d
	}
	if above := p.lines[:top]; len(above) > 0 {
		d.CursorY++
		body = append([]string{atRight(t.hidden(above, "above", t.glyph.up), min(p.width, p.indent+measure+1))}, body...)
	}
	if below := p.lines[top+visible:]; len(below) > 0 {
		body = append(body, atRight(t.hidden(below, "below", t.glyph.down), min(p.width, p.indent+measure+1)))
	}
	return body, d
}

// hidden says how many lines there are above or below, and whether something
// that is wrong begins among them, or, above, something was found.
func (t *Theme) hidden(lines []line, where, sign string) string {
	more := t.dim.Render(strconv.Itoa(len(lines)) + " more " + sign)
	has := func(f focus) bool { return slices.ContainsFunc(lines, func(l line) bool { return l.focus == f }) }
	switch {
	case has(trouble):
		return t.fail.Render(t.glyph.fail+" wrong "+where) + t.dim.Render(t.glyph.dot) + more
	case has(news) && where == "above":
		return t.ok.Render(t.glyph.ok+" news "+where) + t.dim.Render(t.glyph.dot) + more
	default:
		return more
	}
}

// textOf is what stands on lines, without any look.
func textOf(lines []line) []string {
	out := make([]string, len(lines))
	for i := range lines {
		if out[i] = lines[i].same; out[i] == "" {
			out[i] = strings.TrimSpace(ansi.Strip(lines[i].text))
		}
	}
	return out
}

// hold is where lines that somebody reads have to begin so that they stay on
// their rows: the first of them that is there, once, decides. A page that has
// none of them is another one, and begins at its top.
func hold(lines []line, held []string) int {
	at := map[string]int{}
	for i, text := range textOf(lines) {
		if _, twice := at[text]; twice {
			i = -1
		}
		at[text] = i
	}
	for i, text := range held {
		if now, ok := at[text]; ok && now >= 0 && text != "" {
			return now - i
		}
	}
	return 0
}

// view is which lines are shown: all rows but those that say how much is hidden.
func (t *Theme) view(f *Frame, p *page, rows int) (top, visible int) {
	top = f.Top
	if !f.Follow && len(f.Held) > 0 && top > 0 {
		top = hold(p.lines, f.Held)
	}
	if rows < 3 {
		return min(max(top, 0), len(p.lines)-rows), rows
	}
	visible = max(rows-2, 1)
	top = min(max(top, 0), len(p.lines)-visible)
	if f.Follow {
		top = follow(p.lines, top, visible)
	}
	switch {
	case top <= 1 && follow(p.lines, 0, rows-1) == 0 || top == 0:
		return 0, rows - 1
	case top+visible+1 >= len(p.lines):
		return len(p.lines) - rows + 1, rows - 1
	}
	return top, visible
}

func atRight(text string, room int) string {
	if text == "" {
		return ""
	}
	return strings.Repeat(" ", max(room-1-width(text), 0)) + text
}

func (t *Theme) cutRows(p *page, top, rows int, d *Drawn) []string {
	out := make([]string, rows)
	for i := range out {
		if top+i >= len(p.lines) {
			break
		}
		l := &p.lines[top+i]
		out[i] = l.drawn()
		if l.caret >= 0 {
			d.CursorX, d.CursorY = l.caret, i
		}
	}
	return out
}

// follow moves top such that what is to be seen is: of each rank as many lines
// as fit, the highest rank last, so that it wins.
func follow(lines []line, top, visible int) int {
	for rank := underWay; rank <= underMark; rank++ {
		for i := len(lines) - 1; i >= 0; i-- {
			if lines[i].focus == rank {
				top = into(top, visible, i)
			}
		}
	}
	return min(max(top, 0), max(len(lines)-visible, 0))
}

func into(top, visible, line int) int {
	if line < top {
		return line
	}
	if line >= top+visible {
		return line - visible + 1
	}
	return top
}
