// Package report writes a policy's review, and an audit of an account's roles, for people and for other tools:
// as text for 80 columns, Markdown for a ticket, one HTML file, and SARIF. It
// stands in ui: what comes from a document is cleaned here before it is shown.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"rolecall/policy/review"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// Options says how a report is written.
type Options struct {
	Name    string // of the document: a file's name, or "standard input"
	Details bool   // in text: why and what to change, and the notes
	// Theme colours the severities in text; nil: no colours.
	Theme *draw.Theme
}

// width is what a report in text keeps to.
const width = 79

// Text writes the review for a terminal or a pipe: the verdict, one entry for
// each finding, and what to change first.
func Text(w io.Writer, r *review.Report, o Options) error {
	t := &text{theme: o.Theme}
	t.head(r, o)
	t.summary(r)
	shown, notes := split(r.Findings, o.Details)
	t.space()
	for i := range shown {
		t.finding(&shown[i], i+1, o.Details)
	}
	t.foot(r, len(notes), o.Details)
	_, err := io.WriteString(w, strings.TrimRight(t.b.String(), "\n")+"\n")
	return err
}

// split keeps the notes back unless they were asked for.
func split(all []review.Finding, details bool) (shown, notes []review.Finding) {
	for _, f := range all {
		if f.Severity == review.Note && !details {
			notes = append(notes, f)
			continue
		}
		shown = append(shown, f)
	}
	return shown, notes
}

type text struct {
	theme *draw.Theme // nil: no colours
	b     strings.Builder
	blank bool
}

func (t *text) line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
	t.blank = false
}

func (t *text) space() {
	if !t.blank && t.b.Len() > 0 {
		t.b.WriteByte('\n')
	}
	t.blank = true
}

// sides writes one text at the left and one at the right edge, on two lines
// where they do not fit on one.
func (t *text) sides(left, right string) {
	gap := width - ansi.StringWidth(left) - ansi.StringWidth(right)
	if gap < 2 {
		t.line("%s", left)
		t.line("%s%s", strings.Repeat(" ", max(0, width-ansi.StringWidth(right))), right)
		return
	}
	t.line("%s%s%s", left, strings.Repeat(" ", gap), right)
}

func (t *text) head(r *review.Report, o Options) {
	t.sides("Policy review: "+ansi.Truncate(draw.Clean(o.Name), 40, "…"), "actions of "+r.Data.Date)
	if r.Where != "" {
		t.line("%s", draw.Clean(insideOf(r)))
	}
	t.space()
}

// insideOf says which document in a text was reviewed.
func insideOf(r *review.Report) string {
	return fmt.Sprintf("In %s: %s, %s policy.", r.Read, r.Where, r.Kind)
}

func (t *text) summary(r *review.Report) {
	left := "AWS will accept it."
	if r.Verdict == "refused" {
		left = "AWS will refuse it."
	}
	t.sides(left+counted(r), sizeOf(r))
	if r.Actions.OnEverything > 0 && r.Actions.Scopable > 0 {
		t.line("%s on every resource; %s of them could be limited.", screen.Counted(r.Actions.OnEverything, "action"),
			screen.Thousands(r.Actions.Scopable))
	}
}

// counted is "   4 high  3 medium  4 low".
func counted(r *review.Report) string {
	if r.Count(review.High)+r.Count(review.Medium) == 0 && r.Verdict != "refused" {
		return " Nothing high or medium."
	}
	var parts []string
	for _, s := range []review.Severity{review.High, review.Medium, review.Low} {
		if n := r.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("  %d %s", n, s))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts, "")
}

func sizeOf(r *review.Report) string {
	size := fmt.Sprintf("size %s/%s", screen.Thousands(r.Policy.Characters), screen.Thousands(r.Policy.Limit))
	if left := r.Policy.Limit - r.Policy.Characters; left >= 0 && left*10 < r.Policy.Limit {
		size += fmt.Sprintf(" (%s left)", screen.Thousands(left))
	}
	return size
}

func label(s review.Severity) string {
	switch s {
	case review.SeverityRefused:
		return "NO"
	case review.High:
		return "HIGH"
	case review.Medium:
		return "MED"
	case review.Low:
		return "LOW"
	case review.Note:
	}
	return "NOTE"
}

// inColour is a word in the colour of a severity, which the word says itself.
func (t *text) inColour(s review.Severity, word string) string {
	if t.theme == nil {
		return word
	}
	switch s {
	case review.SeverityRefused, review.High:
		return t.theme.Severe(word)
	case review.Medium:
		return t.theme.Careful(word)
	case review.Low, review.Note:
	}
	return t.theme.Quiet(word)
}

const indent = "         "

func (t *text) finding(f *review.Finding, number int, details bool) {
	if details {
		t.space()
	}
	t.line("%s %2d  %s", t.inColour(f.Severity, fmt.Sprintf("%-4s", label(f.Severity))), number, draw.Clean(f.Title))
	t.sides(indent+granted(f), Where(f))
	if f.Severity == review.SeverityRefused && !details {
		t.wrapped(f.Why)
		t.wrapped(f.Fix)
	}
	if !details {
		return
	}
	t.wrapped(f.Why)
	if f.Cost != "" {
		t.wrapped(f.Cost)
	}
	if f.PartOf != "" {
		t.wrapped("It goes with the finding " + f.PartOf + ".")
	}
	if len(f.Actions) > 3 {
		t.wrapped("Actions: " + strings.Join(f.Actions, ", ") + ".")
	}
	t.fix(f.Fix)
}

// fix writes the words wrapped and the JSON as it is, to be pasted.
func (t *text) fix(fix string) {
	words, paste, _ := strings.Cut(fix, "\n")
	t.wrapped("Fix: " + words)
	for line := range strings.SplitSeq(paste, "\n") {
		if paste != "" {
			t.line("%s  %s", indent, strings.ReplaceAll(cleanIndented(line), "\t", "  "))
		}
	}
}

// cleanIndented cleans a line and keeps its indent.
func cleanIndented(line string) string {
	body := strings.TrimLeft(line, " ")
	return line[:len(line)-len(body)] + draw.Clean(body)
}

func (t *text) wrapped(s string) {
	for _, line := range draw.Wrap(draw.Clean(s), width-len(indent)) {
		t.line("%s%s", indent, line)
	}
}

// granted is the entry as written, how many actions more, and where.
func granted(f *review.Finding) string {
	entry := ""
	if len(f.Actions) > 0 {
		entry = f.Actions[0]
	}
	for _, p := range f.Places {
		if p.Line == f.Line && p.Column == f.Column {
			entry = p.Entry
			break
		}
	}
	if entry == "" {
		return string(f.Class) + " · " + f.Category
	}
	entry = ansi.Truncate(draw.Clean(entry), 44, "…")
	if n := len(f.Actions) - 1; n > 0 {
		entry += fmt.Sprintf(" + %d", n)
	}
	if f.On != "" && f.Class == review.Risk {
		entry += " on " + ansi.Truncate(draw.Clean(f.On), 30, "…")
	}
	return entry
}

// Where names a finding's statement and lines.
func Where(f *review.Finding) string {
	var lines []int
	for _, p := range f.Places {
		if !slices.Contains(lines, p.Line) {
			lines = append(lines, p.Line)
		}
	}
	slices.Sort(lines)
	prefix := ""
	if f.Document != "" {
		prefix = f.Document + ": "
	}
	switch {
	case f.Index < 0 && len(lines) == 0 && f.Class != review.Refused:
		return prefix
	case f.ID == "pass-role": // what goes with it stands elsewhere
	case len(lines) == 2:
		return prefix + fmt.Sprintf("lines %d and %d", lines[0], lines[1])
	case len(lines) > 2:
		return prefix + fmt.Sprintf("%d lines, first %d", len(lines), f.Line)
	}
	if f.Statement != "" {
		return prefix + fmt.Sprintf("%s, line %d", ansi.Truncate(draw.Clean(f.Statement), 40, "…"), f.Line)
	}
	return prefix + fmt.Sprintf("line %d, column %d", f.Line, f.Column)
}

func (t *text) foot(r *review.Report, notes int, details bool) {
	t.space()
	var parts []string
	if first := first(r); first != "" {
		parts = append(parts, first)
	}
	if notes > 0 {
		parts = append(parts, screen.Counted(notes, "note")+" more.")
	}
	if !details && len(r.Findings) > 0 {
		parts = append(parts, "Why and what to change: --details.")
	}
	for _, line := range draw.Wrap(strings.Join(parts, " "), width) {
		if line != "" {
			t.line("%s", line)
		}
	}
}

// first is the one change that closes most escalation paths.
func first(r *review.Report) string {
	best := -1
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Of > 1 && f.Closes > 1 && f.PartOf == "" && (best < 0 || f.Closes > r.Findings[best].Closes) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	f := &r.Findings[best]
	return fmt.Sprintf("Fix first: limit %s (closes %d of %d paths).", draw.Clean(f.Actions[0]), f.Closes, f.Of)
}
