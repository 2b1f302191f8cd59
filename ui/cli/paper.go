package cli

import (
	"fmt"
	"io"
	"strings"

	"rolecall/ui/draw"
)

// Paper is a stream that text is written to in lines. On a terminal they are as
// long as it is wide, elsewhere as long as they are: who reads them by a program
// wants each whole. Where only ASCII can be shown, it is written in ASCII.
type Paper struct {
	w       io.Writer
	columns int // 0: nothing is wrapped
	ascii   bool
	bold    bool // headings
}

const (
	// widest is the longest line of text, for the eye.
	widest = 100
	// narrowest is what a terminal that says nothing sensible is taken for.
	narrowest = 20
	// usual is how wide a page is that nobody knows the width of.
	usual = 80
)

// Out is standard output.
func (a *App) Out() Paper { return a.paper(a.Env.Stdout, a.Env.StdoutTTY) }

// Talk is standard error.
func (a *App) Talk() Paper { return a.paper(a.Env.Stderr, a.Env.StderrTTY) }

func (a *App) paper(w io.Writer, terminal bool) Paper {
	if !terminal {
		return Paper{w: w}
	}
	look := draw.LookOf(a.Env.Getenv)
	return Paper{w: w, columns: a.columns(), ascii: look.ASCII, bold: !look.NoColor && !a.LineByLine()}
}

// columns is how wide text is written on the terminal.
func (a *App) columns() int {
	columns := usual
	if a.Env.Size != nil {
		if known, _ := a.Env.Size(); known > 0 {
			columns = known
		}
	}
	return min(max(columns, narrowest), widest)
}

// Page is the paper, wrapped also where it is no terminal: for what is only ever
// read by people, such as help.
func (p Paper) Page() Paper {
	if p.columns == 0 {
		p.columns = usual
	}
	return p
}

// On is the paper as it is, with its text going elsewhere: to a buffer for a
// pager, say.
func (p Paper) On(w io.Writer) Paper {
	p.w = w
	return p
}

// Heading writes a heading, bold where the terminal can show that.
func (p Paper) Heading(text string) {
	if p.bold {
		text = "\x1b[1m" + text + "\x1b[m"
	}
	fmt.Fprintln(p.w, text)
}

// Line writes one line of clean text. Where it is wrapped, the other lines keep
// its indent.
func (p Paper) Line(text string) {
	body := strings.TrimLeft(text, " ")
	p.Hang(text[:len(text)-len(body)], body)
}

// lines writes formatted text, each of its lines for itself.
func (p Paper) lines(format string, args []any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		p.Line(line)
	}
}

// Hang writes clean text behind what its first line begins with, and its other
// lines under it.
func (p Paper) Hang(first, text string) {
	if p.ascii {
		first, text = draw.ASCII(first), draw.ASCII(text)
	}
	fmt.Fprintln(p.w, strings.Join(draw.Hang(first, text, p.columns), "\n"))
}

// Question writes a question, at whose end the answer is typed.
func (p Paper) Question(text string) {
	if p.ascii {
		text = draw.ASCII(text)
	}
	space := text[len(strings.TrimRight(text, " ")):]
	fmt.Fprint(p.w, strings.Join(draw.Hang("", text, p.columns), "\n")+space)
}

// Text writes text that is laid out already, line breaks and all. The error is
// that of the stream.
func (p Paper) Text(text string) error {
	_, err := io.WriteString(p.w, p.Written(text))
	return err
}

// Written is text as it is written here: in ASCII where nothing else can be shown.
func (p Paper) Written(text string) string {
	if !p.ascii {
		return text
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = draw.ASCII(lines[i])
	}
	return strings.Join(lines, "\n")
}

// gutter is what stands between two columns.
const gutter = "  "

// Table writes rows of clean cells in columns, the first row their headings where
// titled says so. The last column is wrapped; where there is no room even for
// that, each row is written as lines of a heading and a cell.
func (p Paper) Table(titled bool, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	widths := columnWidths(rows)
	before := 0
	for _, width := range widths[:len(widths)-1] {
		before += width + len(gutter)
	}
	last := widths[len(widths)-1]
	if p.columns > 0 && titled && before+min(last, draw.Least) > p.columns {
		p.stacked(rows)
		return
	}
	for _, row := range rows {
		var first strings.Builder
		for i, cell := range row[:len(row)-1] {
			first.WriteString(cell + strings.Repeat(" ", widths[i]-draw.Width(cell)) + gutter)
		}
		p.Hang(first.String(), row[len(row)-1])
	}
}

func columnWidths(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], draw.Width(cell))
		}
	}
	return widths
}

// stacked writes each row with its headings in front of its cells.
func (p Paper) stacked(rows [][]string) {
	for _, row := range rows[1:] {
		for i, cell := range row {
			indent := ""
			if i > 0 {
				indent = gutter
			}
			p.Hang(indent+strings.ToLower(rows[0][i])+gutter, cell)
		}
	}
}
