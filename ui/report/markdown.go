package report

import (
	"fmt"
	"io"
	"strings"

	"rolecall/policy/review"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// Markdown writes the review for a ticket or a pull request.
func Markdown(w io.Writer, r *review.Report, o Options) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Policy review: %s\n\n", escape(o.Name))
	if r.Where != "" {
		fmt.Fprintf(&b, "%s\n\n", escape(insideOf(r)))
	}
	verdict := "AWS will accept it."
	if r.Verdict == "refused" {
		verdict = "**AWS will refuse it.**"
	}
	fmt.Fprintf(&b, "%s%s\n\n", verdict, counted(r))
	fmt.Fprintf(&b, "| | |\n| --- | --- |\n| Size | %s of %s characters |\n| Statements | %d |\n", screen.Thousands(r.Policy.Characters),
		screen.Thousands(r.Policy.Limit), r.Policy.Statements)
	if r.Policy.Digest != "" {
		fmt.Fprintf(&b, "| Digest | `%s` |\n", r.Policy.Digest)
	}
	fmt.Fprintf(
		&b,
		"| Actions | %s written, %s granted: %s |\n",
		screen.Thousands(r.Actions.Entries),
		screen.Thousands(r.Actions.Granted),
		levels(r),
	)
	fmt.Fprintf(&b, "| Data | actions of %s |\n", r.Data.Date)
	if len(r.Findings) > 0 {
		b.WriteString("\n## Findings\n\n| | Severity | What | Where |\n| --- | --- | --- | --- |\n")
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", i+1, f.Severity, escape(f.Title), escape(Where(f)))
	}
	for i := range r.Findings {
		writeMarkdown(&b, &r.Findings[i], i+1)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeMarkdown(b *strings.Builder, f *review.Finding, number int) {
	fmt.Fprintf(b, "\n### %d. %s\n\n%s · %s · %s · %s\n\n", number, escape(f.Title), f.Severity, f.Class, f.Category, escape(Where(f)))
	if len(f.Actions) > 0 {
		fmt.Fprintf(b, "Actions: %s\n\n", code(f.Actions))
	}
	fmt.Fprintf(b, "%s\n", escape(f.Why))
	if f.Cost != "" {
		fmt.Fprintf(b, "\n%s\n", escape(f.Cost))
	}
	words, paste, _ := strings.Cut(f.Fix, "\n")
	fmt.Fprintf(b, "\n**Fix.** %s\n", escape(words))
	if paste == "" {
		return
	}
	b.WriteString("\n```json\n")
	for line := range strings.SplitSeq(paste, "\n") {
		b.WriteString(strings.ReplaceAll(cleanIndented(line), "```", "'''") + "\n")
	}
	b.WriteString("```\n")
}

func levels(r *review.Report) string {
	var parts []string
	for _, level := range accessLevels() {
		if n := r.Actions.ByAccess[level]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", level, screen.Thousands(n)))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// accessLevels in the order in which they are shown.
func accessLevels() []string {
	return []string{"List", "Read", "Write", "Permissions management", "Tagging"}
}

// escape keeps text from being taken for Markdown or HTML.
func escape(s string) string {
	s = draw.Clean(s)
	return strings.NewReplacer(
		"&",
		"&amp;",
		"<",
		"&lt;",
		">",
		"&gt;",
		"|",
		`\|`,
		"*",
		`\*`,
		"_",
		`\_`,
		"`",
		"\\`",
		"[",
		`\[`,
		"]",
		`\]`,
		"#",
		`\#`,
	).Replace(
		s,
	)
}

func code(names []string) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = "`" + strings.ReplaceAll(draw.Clean(n), "`", "'") + "`"
	}
	return strings.Join(parts, ", ")
}
