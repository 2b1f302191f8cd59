package draw

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"rolecall/steps/screen"
)

// Sheet is a document laid out for one width: made once, then only cut, so that
// scrolling through a long one costs nothing.
type Sheet struct {
	theme   *Theme
	code    screen.Code
	width   int
	cut     bool // long lines are cut, and scrolled sideways; else they are wrapped
	rows    []row
	first   []int    // the row on which each line of the document begins
	text    []string // the lines with their notes, in lower case, for Find
	longest int      // cells of the longest line
	notes   []int    // the line of each note, from 1, ascending
}

// row is one row of a sheet.
type row struct {
	line  int    // of the document, from 1
	begin bool   // the line begins here
	text  string // of the document, drawn
	cells int    // of text
	note  string // drawn, beside the document or, where text is empty, under the line
}

// Reading is where somebody is in a document.
type Reading struct {
	Top  int // the first row that is shown
	Left int // how many cells of cut lines are scrolled over
	Line int // the line that was jumped to, from 1; 0: none
}

// Sheet lays out a document: line numbers, highlighted JSON, and the notes
// beside their lines where there is room, else under them. With cut, long lines
// take one row each.
func (t *Theme) Sheet(code screen.Code, cells int, cut bool) *Sheet {
	s := &Sheet{theme: t, code: code, width: cells, cut: cut}
	plain := t.plainLines(untabbed(code.Body))
	notes := map[int][]screen.Note{}
	for _, n := range code.Notes {
		line := min(max(n.Line, 1), len(plain))
		notes[line] = append(notes[line], n)
		s.notes = append(s.notes, line)
	}
	slices.Sort(s.notes)
	json := looksLikeJSON(code.Body)
	for i, text := range plain {
		s.first = append(s.first, len(s.rows))
		s.longest = max(s.longest, width(text))
		s.line(i+1, s.gutter(len(plain)), text, json, notes[i+1])
		search := []string{text}
		for _, n := range notes[i+1] {
			search = append(search, t.plain(n.Text))
		}
		s.text = append(s.text, strings.ToLower(strings.Join(search, "\n")))
	}
	return s
}

func untabbed(body string) string {
	return strings.ReplaceAll(strings.TrimSuffix(body, "\n"), "\t", "    ")
}

// gutter is how many cells the numbers of that many lines take.
func (s *Sheet) gutter(lines int) int { return len(strconv.Itoa(lines)) + 3 }

// room is how many cells a row of the document has, beside notes or alone.
func (s *Sheet) room(gutter int, beside bool) int {
	room := s.width - gutter - 1
	if beside {
		room = s.width*3/5 - gutter - 2
	}
	return max(room, 8)
}

func (s *Sheet) line(number, gutter int, text string, json bool, notes []screen.Note) {
	aside := s.aside(notes)
	begin := len(s.rows)
	parts := []string{text}
	if !s.cut {
		parts = chunks(text, s.room(gutter, aside != nil))
	}
	for i, part := range parts {
		one := row{line: number, begin: i == 0, text: part, cells: width(part)}
		if json {
			one.text = s.theme.json(part)
		}
		s.rows = append(s.rows, one)
	}
	if s.width < wideFrom {
		s.under(number, gutter, notes)
		return
	}
	for i, note := range aside {
		for begin+i >= len(s.rows) {
			s.rows = append(s.rows, row{line: number})
		}
		s.rows[begin+i].note = note
	}
}

// aside draws the notes for the column beside the document; nil where there is
// no room or nothing to say.
func (s *Sheet) aside(notes []screen.Note) []string {
	if s.width < wideFrom {
		return nil
	}
	return s.noteRows(notes, s.width*2/5-5)
}

func (s *Sheet) under(number, gutter int, notes []screen.Note) {
	for _, note := range s.noteRows(notes, max(s.width-gutter-3, 8)) {
		s.rows = append(s.rows, row{line: number, note: note})
	}
}

func (s *Sheet) noteRows(notes []screen.Note, room int) []string {
	var out []string
	for _, n := range notes {
		style, sign := s.note(n)
		for i, part := range wrap(s.theme.plain(n.Text), room) {
			if i > 0 {
				sign = " "
			}
			out = append(out, style.Render(sign+" "+part))
		}
	}
	return out
}

func (s *Sheet) note(n screen.Note) (lipgloss.Style, string) {
	switch n.Tone {
	case screen.Warning:
		return s.theme.warn, s.theme.glyph.warn
	case screen.Good:
		return s.theme.ok, s.theme.glyph.ok
	default:
		return s.theme.dim, s.theme.glyph.mark
	}
}

// Rows is how many rows the whole document takes.
func (s *Sheet) Rows() int { return len(s.rows) }

// Sideways is how far cut lines can be scrolled, in cells; where no line is
// longer than the room there is, it is 0.
func (s *Sheet) Sideways() int { return max(s.longest-s.room(s.gutter(len(s.first)), false), 0) }

// Row is the row on which a line begins; the line is counted from 1.
func (s *Sheet) Row(line int) int { return s.first[min(max(line, 1), len(s.first))-1] }

// LineAt is the line that somebody is at: the one that was jumped to, while it is
// among the room rows that are shown, else the first of them.
func (s *Sheet) LineAt(r Reading, room int) int {
	if r.Line > 0 && s.Row(r.Line) >= r.Top && s.Row(r.Line) < r.Top+room {
		return r.Line
	}
	return s.rows[min(max(r.Top, 0), len(s.rows)-1)].line
}

// Worst is the line of the first of the notes that matter most; false where none
// is a warning.
func (s *Sheet) Worst() (line int, ok bool) {
	worst := screen.Note{}
	for _, n := range s.code.Notes {
		if n.Tone == screen.Warning && (!ok || cmp.Or(cmp.Compare(worst.Rank, n.Rank), cmp.Compare(n.Line, worst.Line)) < 0) {
			worst, ok = n, true
		}
	}
	return worst.Line, ok
}

// Finding is the line of the next note behind a line, or of the one before it
// where by is negative; false where there is none.
func (s *Sheet) Finding(line, by int) (int, bool) {
	if by < 0 {
		i, _ := slices.BinarySearch(s.notes, line)
		if i == 0 {
			return 0, false
		}
		return s.notes[i-1], true
	}
	i, _ := slices.BinarySearch(s.notes, line+1)
	if i == len(s.notes) {
		return 0, false
	}
	return s.notes[i], true
}

// Findings is how many notes there are.
func (s *Sheet) Findings() int { return len(s.notes) }

// Find looks for text, without regard to case, in the lines and notes behind a
// line, or before it where by is negative, and then from the other end, which it
// says.
func (s *Sheet) Find(text string, line, by int) (found int, around, ok bool) {
	text = strings.ToLower(text)
	n := len(s.text)
	for i := 1; i <= n; i++ {
		at := line - 1 + i*by
		if at = (at%n + n) % n; strings.Contains(s.text[at], text) {
			return at + 1, (at+1-line)*by <= 0, true
		}
	}
	return 0, false, false
}

// Draw makes one frame of the viewer.
func (s *Sheet) Draw(f Frame, r Reading) Drawn {
	t := s.theme
	if TooSmall(f.Width, f.Height) {
		f.Top = r.Top
		return t.tooSmall(&f)
	}
	keys := t.footer(&f)
	room := max(f.Height-3-len(keys), 1)
	r.Top = min(max(r.Top, 0), max(len(s.rows)-room, 0))
	title := t.accent.Render(t.plain(s.code.Name))
	if about := t.plain(s.code.About); about != "" {
		title += t.dim.Render(t.glyph.dot + about)
	}
	lines := []string{" " + title, t.rule(&f)}
	for i := range room {
		lines = append(lines, s.drawRow(r, r.Top+i))
	}
	lines = append(lines, s.foot(&f, r, room))
	lines = append(lines, keys...)
	for i := range lines {
		if width(lines[i]) > f.Width {
			lines[i] = t.cut(lines[i], f.Width)
		}
	}
	return Drawn{
		Content: strings.Join(lines[:min(len(lines), f.Height)], "\n"),
		Top:     r.Top,
		Lines:   len(s.rows),
		Rows:    room,
		Head:    2,
		Foot:    1 + len(keys),
		CursorX: -1,
	}
}

// drawRow is one row with its line's number; that of the line that was jumped to
// has a mark.
func (s *Sheet) drawRow(r Reading, at int) string {
	if at >= len(s.rows) {
		return ""
	}
	one, t, size := s.rows[at], s.theme, s.gutter(len(s.first))
	gutter := strings.Repeat(" ", size)
	switch {
	case one.begin && one.line == r.Line:
		gutter = t.accent.Render(fmt.Sprintf("%s%*d  ", t.glyph.mark, size-3, one.line))
	case one.begin:
		gutter = t.dim.Render(fmt.Sprintf(" %*d  ", size-3, one.line))
	}
	beside := s.width >= wideFrom && one.note != ""
	text := gutter + s.part(one, r.Left, s.room(size, beside))
	if beside {
		text = pad(text, s.width*3/5)
	}
	return text + one.note
}

// part is what is shown of a row: all of it, or of a cut line as much as fits.
func (s *Sheet) part(one row, left, room int) string {
	if !s.cut || left == 0 && one.cells <= room {
		return one.text
	}
	more := s.theme.dim.Render(s.theme.glyph.ellipsis)
	from, to, before, after := left, left+room, "", ""
	if left > 0 && one.cells > 0 {
		from, before = from+width(more), more
	}
	if one.cells > to {
		to, after = to-width(more), more
	}
	return before + ansi.Cut(one.text, from, max(to, from)) + after
}

// foot is the status, and at the right end where in the document it is.
func (s *Sheet) foot(f *Frame, r Reading, room int) string {
	place := s.place(r, room)
	if f.Status.Text == "" {
		return " " + s.theme.dim.Render(place)
	}
	status := s.theme.status(f)[0]
	if gap := f.Width - 1 - width(status) - width(place); gap >= 2 {
		return status + strings.Repeat(" ", gap) + s.theme.dim.Render(place)
	}
	return status
}

// place says where in the document it is: "line 120 of 317, finding 3 of 12".
func (s *Sheet) place(r Reading, room int) string {
	line := s.LineAt(r, room)
	text := fmt.Sprintf("line %d of %d", line, len(s.first))
	if n := len(s.notes); n > 0 {
		from, _ := slices.BinarySearch(s.notes, line)
		to, _ := slices.BinarySearch(s.notes, line+1)
		switch {
		case to == 0:
			text += fmt.Sprintf(", %d %s", n, screen.Plural(n, "finding"))
		case to-from > 1:
			text += fmt.Sprintf(", findings %d to %d of %d", from+1, to, n)
		default:
			text += fmt.Sprintf(", finding %d of %d", to, n)
		}
	}
	if r.Left > 0 {
		text += fmt.Sprintf(", from column %d", r.Left+1)
	}
	if r.Top+room >= len(s.rows) {
		text += ", end"
	}
	return text
}

func looksLikeJSON(body string) bool {
	body = strings.TrimSpace(body)
	return strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[")
}

// json colours one row of JSON: keys in the accent, punctuation dim. A string
// never spans lines, so a row is enough.
func (t *Theme) json(row string) string {
	var b strings.Builder
	for row != "" {
		n := token(row)
		part := row[:n]
		row = row[n:]
		switch {
		case part[0] == '"' && strings.HasPrefix(strings.TrimLeft(row, " "), ":"):
			b.WriteString(t.accent.Bold(false).Render(part))
		case part[0] == '"':
			b.WriteString(part)
		case strings.Trim(part, " {}[]:,") == "":
			b.WriteString(t.dim.Render(part))
		default:
			b.WriteString(t.warn.Render(part))
		}
	}
	return b.String()
}

// token is the length of the string, punctuation or literal at the start of row.
func token(row string) int {
	const marks = " {}[]:,"
	if row[0] == '"' {
		for i := 1; i < len(row); i++ {
			switch row[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return len(row)
	}
	mark := strings.IndexByte(marks, row[0]) >= 0
	for i := 1; i < len(row); i++ {
		if row[i] == '"' || strings.IndexByte(marks, row[i]) >= 0 != mark {
			return i
		}
	}
	return len(row)
}
