package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"rolecall/policy/review"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// File is one of several documents that were reviewed together.
type File struct {
	Name    string
	Report  *review.Report // nil where the file could not be read
	Problem string         // why it could not be read, one sentence
}

// Totals counts files, and findings by their severity.
type Totals struct {
	Files      int `json:"files"`
	Refused    int `json:"refused"`
	High       int `json:"high"`
	Medium     int `json:"medium"`
	Low        int `json:"low"`
	Note       int `json:"note"`
	Unreadable int `json:"unreadable,omitempty"` // files, not findings
}

// TotalsOf counts over all files.
func TotalsOf(files []File) Totals {
	t := Totals{Files: len(files)}
	for i := range files {
		r := files[i].Report
		if r == nil {
			t.Unreadable++
			continue
		}
		t.Refused += r.Count(review.SeverityRefused)
		t.High += r.Count(review.High)
		t.Medium += r.Count(review.Medium)
		t.Low += r.Count(review.Low)
		t.Note += r.Count(review.Note)
	}
	return t
}

// String is "3 policies: 1 refused, 4 high, 2 low".
func (t Totals) String() string {
	var parts []string
	for _, one := range []struct {
		n    int
		name string
	}{{t.Unreadable, "not read"}, {t.Refused, "refused"}, {t.High, "high"}, {t.Medium, "medium"}, {t.Low, "low"}, {t.Note,
		screen.Plural(t.Note, "note")}} {
		if one.n > 0 {
			parts = append(parts, screen.Thousands(one.n)+" "+one.name)
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to say against them"}
	}
	return screen.Counted(t.Files, "policy") + ": " + strings.Join(parts, ", ")
}

// worst is the severity that a file is sorted by: what could not be read first.
func (f *File) worst() int {
	if f.Report == nil {
		return review.SeverityRefused.Rank() + 1
	}
	worst := -1
	for i := range f.Report.Findings {
		worst = max(worst, f.Report.Findings[i].Severity.Rank())
	}
	return worst
}

// byWorst is the files with the worst ones first, otherwise as they were given.
func byWorst(files []File) []*File {
	sorted := make([]*File, len(files))
	for i := range files {
		sorted[i] = &files[i]
	}
	slices.SortStableFunc(sorted, func(a, b *File) int { return cmp.Compare(b.worst(), a.worst()) })
	return sorted
}

// ManyText writes the reviews of several documents: what is to be done in which
// file, the worst first; with details each whole review.
func ManyText(w io.Writer, files []File, o Options) error {
	t := &text{theme: o.Theme}
	t.line("%s.", TotalsOf(files))
	t.space()
	clean, noted := 0, 0
	for _, f := range byWorst(files) {
		switch {
		case f.Report == nil:
			t.name(f)
			t.under(review.SeverityRefused, "not read", f.Problem)
		case o.Details:
			t.whole(f)
		case f.worst() <= review.Note.Rank():
			clean++
			noted += len(f.Report.Findings)
		default:
			t.name(f)
			noted += t.brief(f.Report)
		}
	}
	t.space()
	if clean > 0 {
		t.line("%s without a finding above a note.", screen.Counted(clean, "policy"))
	}
	if noted > 0 {
		are := "are"
		if noted == 1 {
			are = "is"
		}
		t.line("%s %s left out; --details shows them, and what to change.", screen.Counted(noted, "note"), are)
	}
	_, err := io.WriteString(w, strings.TrimRight(t.b.String(), "\n")+"\n")
	return err
}

func (t *text) name(f *File) {
	t.space()
	t.line("%s", draw.Clean(f.Name))
}

// whole writes one review as it is written when it stands alone.
func (t *text) whole(f *File) {
	var b strings.Builder
	_ = Text(&b, f.Report, Options{Name: f.Name, Details: true, Theme: t.theme}) // a builder takes everything
	t.space()
	t.b.WriteString(b.String())
}

// brief writes a line for each finding but the notes, whose number it returns.
func (t *text) brief(r *review.Report) int {
	shown, notes := split(r.Findings, false)
	for i := range shown {
		f := &shown[i]
		sentence := draw.Clean(f.Title)
		if where := Where(f); where != "" {
			sentence += " (" + where + ")"
		}
		t.under(f.Severity, string(f.Severity), sentence)
	}
	return len(notes)
}

// under writes a label and a sentence below a file's name.
func (t *text) under(s review.Severity, label, sentence string) {
	label = t.inColour(s, fmt.Sprintf("%-8s", label))
	for _, line := range draw.Wrap(sentence, width-12) {
		t.line("  %s  %s", label, line)
		label = strings.Repeat(" ", 8)
	}
}

// ManyMarkdown writes a table of the files and then each review.
func ManyMarkdown(w io.Writer, files []File, o Options) error {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"# Policy reviews\n\n%s.\n\n| File | Verdict | High | Medium | Low | Note |\n| --- | --- | ---: | ---: | ---: | ---: |\n",
		TotalsOf(files),
	)
	sorted := byWorst(files)
	for _, f := range sorted {
		if f.Report == nil {
			fmt.Fprintf(&b, "| %s | not read: %s | | | | |\n", escape(f.Name), escape(f.Problem))
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d |\n", escape(f.Name), f.Report.Verdict,
			f.Report.Count(review.High), f.Report.Count(review.Medium), f.Report.Count(review.Low), f.Report.Count(review.Note))
	}
	for _, f := range sorted {
		if f.Report == nil {
			continue
		}
		b.WriteByte('\n')
		if err := Markdown(&b, f.Report, Options{Name: f.Name, Details: o.Details}); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ManyHTML writes one page with a table of the files and then each review.
func ManyHTML(w io.Writer, files []File, o Options) error {
	sorted := byWorst(files)
	var rows, reviews g.Group
	for i, f := range sorted {
		anchor := fmt.Sprintf("file-%d", i+1)
		rows = append(rows, f.row(anchor))
		if f.Report != nil {
			p := pageOf(f.Report, Options{Name: f.Name, Details: o.Details})
			reviews = append(reviews, h.Section(h.ID(anchor), p.body()))
		}
	}
	return Document(
		"Policy reviews",
		h.H1(g.Text("Policy reviews")),
		h.P(h.Class("verdict"), g.Text(TotalsOf(files).String()+".")),
		h.Table(
			h.THead(
				h.Tr(g.Map([]string{"File", "Verdict", "High", "Medium", "Low", "Note"}, func(name string) g.Node { return h.Th(g.Text(name)) })),
			),
			h.TBody(rows),
		),
		reviews,
	).Render(w)
}

func (f *File) row(anchor string) g.Node {
	if f.Report == nil {
		return h.Tr(h.Td(g.Text(draw.Clean(f.Name))), h.Td(h.ColSpan("5"), g.Text("not read: "+draw.Clean(f.Problem))))
	}
	cells := g.Group{h.Td(h.A(h.Href("#"+anchor), g.Text(draw.Clean(f.Name)))), h.Td(g.Text(f.Report.Verdict))}
	for _, s := range []review.Severity{review.High, review.Medium, review.Low, review.Note} {
		cells = append(cells, h.Td(g.Text(screen.Thousands(f.Report.Count(s)))))
	}
	return h.Tr(cells)
}
