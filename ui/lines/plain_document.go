package lines

import (
	"strings"

	"rolecall/steps/screen"
)

// gathering is a document of several lines on its way into a field that takes
// documents.
type gathering struct {
	text  strings.Builder
	depth int // of its braces and brackets
}

// gather takes a line of a document: from the one that opens a brace to the one
// that closes it, so that no line of it is a command. It reports whether it took
// the line.
func (p *plain) gather(in screen.Input, line string) bool {
	opens := strings.HasPrefix(strings.TrimPrefix(strings.TrimSpace(line), "\ufeff"), "{")
	if p.gathered == nil && (!in.Long || !opens) {
		return false
	}
	if p.gathered == nil {
		p.gathered = &gathering{}
	}
	d := p.gathered
	d.text.WriteString(line + "\n")
	d.depth += nesting(line)
	if d.depth > 0 && d.text.Len() < longestLine && !p.eof {
		return true
	}
	p.gathered = nil
	p.driver.tell(screen.Entered{ID: in.ID, Text: d.text.String()})
	return true
}

// nesting is how many more braces and brackets a line opens than it closes,
// outside of strings. A string of JSON ends on its line.
func nesting(line string) int {
	depth, inside, escaped := 0, false, false
	for _, c := range line {
		switch {
		case escaped:
			escaped = false
		case inside:
			inside, escaped = c != '"', c == '\\'
		case c == '"':
			inside = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	return depth
}
