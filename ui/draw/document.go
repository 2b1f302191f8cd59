package draw

import (
	"fmt"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	"rolecall/steps/screen"
)

// Sheet is a document laid out for one width: made once, then only cut, so that
// scrolling through a long one costs nothing.
type Sheet struct {
	theme *Theme
	code  screen.Code
	width int
	rows  []string
	first []int    // the row on which each line of the document begins
	plain []string // the lines, for Find
}

// Sheet lays out a document: line numbers, highlighted JSON, and the notes
// beside their lines where there is room, else under them.
func (t *Theme) Sheet(code screen.Code, width int) *Sheet {
	s := &Sheet{theme: t, code: code, width: width, plain: t.plainLines(untabbed(code.Body))}
	notes := map[int][]screen.Note{}
	for _, n := range code.Notes {
		notes[n.Line] = append(notes[n.Line], n)
	}
	json := looksLikeJSON(code.Body)
	digits := len(strconv.Itoa(len(s.plain)))
	for i, text := range s.plain {
		s.first = append(s.first, len(s.rows))
		s.line(i+1, digits, text, json, notes[i+1])
	}
	return s
}

func untabbed(body string) string {
	return strings.ReplaceAll(strings.TrimSuffix(body, "\n"), "\t", "    ")
}

func (s *Sheet) line(number, digits int, text string, json bool, notes []screen.Note) {
	t := s.theme
	gutter := t.dim.Render(fmt.Sprintf(" %*d  ", digits, number))
	empty := strings.Repeat(" ", digits+3)
	aside := s.aside(notes)
	room := s.width - len(empty) - 1
	if aside != nil {
		room = s.width*3/5 - len(empty) - 2
	}
	begin := len(s.rows)
	for i, row := range chunks(text, max(room, 8)) {
		if i > 0 {
			gutter = empty
		}
		if json {
			row = t.json(row)
		}
		s.rows = append(s.rows, gutter+row)
	}
	if s.width < wideFrom {
		s.under(notes, empty)
		return
	}
	for i, note := range aside {
		for begin+i >= len(s.rows) {
			s.rows = append(s.rows, "")
		}
		s.rows[begin+i] = pad(s.rows[begin+i], s.width*3/5) + note
	}
}

// aside draws the notes for the column beside the document; nil where there is
// no room or nothing to say.
func (s *Sheet) aside(notes []screen.Note) []string {
	if s.width < wideFrom {
		return nil
	}
	var out []string
	for _, n := range notes {
		style, sign := s.note(n)
		for i, row := range wrap(s.theme.plain(n.Text), s.width*2/5-5) {
			if i > 0 {
				sign = " "
			}
			out = append(out, style.Render(sign+" "+row))
		}
	}
	return out
}

func (s *Sheet) under(notes []screen.Note, empty string) {
	for _, n := range notes {
		style, sign := s.note(n)
		for i, row := range wrap(s.theme.plain(n.Text), max(s.width-len(empty)-3, 8)) {
			if i > 0 {
				sign = " "
			}
			s.rows = append(s.rows, empty+style.Render(sign+" "+row))
		}
	}
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

// Find looks for text, without regard to case, in the lines that begin below
// row, and from the start again. It returns the row to scroll to.
func (s *Sheet) Find(text string, row int) (int, bool) {
	text = strings.ToLower(text)
	n := len(s.plain)
	start := 0
	for start < n && s.first[start] <= row {
		start++
	}
	for i := range n {
		at := (start + i) % n
		if strings.Contains(strings.ToLower(s.plain[at]), text) {
			return s.first[at], true
		}
	}
	return 0, false
}

// Draw makes one frame of the viewer, from row top on.
func (s *Sheet) Draw(f Frame) Drawn {
	t := s.theme
	f.Width, f.Height = max(f.Width, 12), max(f.Height, 4)
	keys := t.footer(&f)
	room := max(f.Height-3-len(keys), 1)
	top := min(max(f.Top, 0), max(len(s.rows)-room, 0))
	title := t.accent.Render(t.plain(s.code.Name))
	if about := t.plain(s.code.About); about != "" {
		title += t.dim.Render(t.glyph.dot + about)
	}
	lines := []string{" " + title, t.rule(&f)}
	for i := range room {
		if top+i < len(s.rows) {
			lines = append(lines, s.rows[top+i])
		} else {
			lines = append(lines, "")
		}
	}
	lines = append(lines, s.place(&f, top, room))
	lines = append(lines, keys...)
	for i := range lines {
		if width(lines[i]) > f.Width {
			lines[i] = t.cut(lines[i], f.Width)
		}
	}
	return Drawn{Content: strings.Join(lines[:min(len(lines), f.Height)], "\n"), Top: top, Lines: len(s.rows), Rows: room, Head: 2, Foot: 1 + len(keys), CursorX: -1}
}

// place is the status, or else how far the document was read.
func (s *Sheet) place(f *Frame, top, room int) string {
	if f.Status.Text != "" {
		return s.theme.status(f)[0]
	}
	last := min(top+room, len(s.rows))
	return " " + s.theme.dim.Render(fmt.Sprintf("rows %d to %d of %d", min(top+1, last), last, len(s.rows)))
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
