package policy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The little of HCL's native syntax that a set-up needs, in the form that
// terraform fmt leaves alone: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md.
// The library that writes HCL would cost every command a third of its start,
// for a file of a hundred lines; the tests read every file back with it.

// hclFile is the text of a file, block after block.
type hclFile struct {
	strings.Builder
	blocks int
}

// hclBlock is a block with its attributes, and the blocks inside of it.
type hclBlock struct {
	head       string
	attributes []hclAttribute
	blocks     []hclBlock
}

// hclAttribute is a name and an expression, which may be of several lines.
type hclAttribute struct{ name, value string }

func (f *hclFile) comment(text string) { f.WriteString("# " + text + "\n") }

// block writes a block. An empty line parts it from the one before.
func (f *hclFile) block(b hclBlock) {
	if f.blocks > 0 {
		f.WriteString("\n")
	}
	f.blocks++
	f.WriteString(b.String() + "\n")
}

// add adds an attribute whose value is an expression.
func (b *hclBlock) add(name, expression string) {
	b.attributes = append(b.attributes, hclAttribute{name, expression})
}

// text adds an attribute whose value is a string, unless it is empty.
func (b *hclBlock) text(name, value string) {
	if value != "" {
		b.add(name, hclString(value))
	}
}

func (b hclBlock) String() string {
	lines := hclLines(b.attributes)
	for _, inner := range b.blocks {
		lines = append(lines, inner.String())
	}
	return b.head + " " + hclBraces(lines, "{\n}")
}

// hclHead is the head of a block: its type, and its labels in quotes.
func hclHead(kind string, labels ...string) string {
	words := []string{kind}
	for _, label := range labels {
		words = append(words, hclString(label))
	}
	return strings.Join(words, " ")
}

// hclObject is an object as an expression, a line for each attribute.
func hclObject(attributes []hclAttribute) string { return hclBraces(hclLines(attributes), "{}") }

func hclBraces(lines []string, empty string) string {
	if len(lines) == 0 {
		return empty
	}
	return "{\n" + hclIndent(strings.Join(lines, "\n")) + "\n}"
}

// hclList is a list as an expression, on several lines where it has more than
// one item.
func hclList(items []string) string {
	if len(items) < 2 {
		return "[" + strings.Join(items, "") + "]"
	}
	return "[\n" + hclIndent(strings.Join(items, ",\n")+",") + "\n]"
}

// hclLines writes attributes. The equal signs of neighbours of one line each
// stand below each other.
func hclLines(attributes []hclAttribute) []string {
	lines := make([]string, len(attributes))
	for from := 0; from < len(attributes); {
		to, width := from, 0
		for to < len(attributes) && !strings.Contains(attributes[to].value, "\n") {
			width = max(width, utf8.RuneCountInString(hclName(attributes[to].name)))
			to++
		}
		if to == from { // of several lines, for itself
			lines[from] = hclName(attributes[from].name) + " = " + attributes[from].value
			from++
			continue
		}
		for i := from; i < to; i++ {
			lines[i] = fmt.Sprintf("%-*s = %s", width, hclName(attributes[i].name), attributes[i].value)
		}
		from = to
	}
	return lines
}

// hclIndent moves lines to the right by one step. A string never holds a
// line's end: it is escaped there.
func hclIndent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// hclName quotes a name that is no identifier, such as "sts:ExternalId".
func hclName(name string) string {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '-' && (r < '0' || r > '9')) {
			return hclString(name)
		}
	}
	return name
}

func hclString(text string) string { return `"` + hclEscape(text) + `"` }

// hclEscape escapes what a quoted template would understand: quotes, escapes,
// and the beginnings of interpolations and directives.
func hclEscape(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '"', r == '\\':
			b.WriteString(`\` + string(r))
		case (r == '$' || r == '%') && strings.HasPrefix(text[i+1:], "{"):
			b.WriteString(strings.Repeat(string(r), 2))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
