package check

import (
	"bytes"
	"fmt"
	"strings"

	"rolecall/steps/describe"
)

// What a description may be before it is given to the YAML library, which takes
// quadratic time for a mapping of many keys and for deep nesting. The largest
// built-in one has 750 lines, 8 levels of brackets and lines of 300 characters.
const (
	maxLines   = 4_000
	maxLine    = 20_000 // bytes
	maxNesting = 64     // brackets that are open at once
	maxChain   = 64     // "- - -", "a: b: c:" or "? ? ?" on one line
)

// bounded notes a text that is too large or too deep to be read, and takes a
// byte order mark off.
func (r *reader) bounded(text []byte) ([]byte, bool) {
	if len(text) > describe.MaxFile {
		r.wrongAt(1, 1, "The file is larger than 256 KB.", "a vendor's description", "Check that this is the right file.")
		return nil, false
	}
	if bytes.HasPrefix(text, []byte{0xFF, 0xFE}) || bytes.HasPrefix(text, []byte{0xFE, 0xFF}) {
		r.wrongAt(1, 1, "The file is UTF-16 text.", "YAML in UTF-8", "Save the file as UTF-8.")
		return nil, false
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	open, number := 0, 0
	for line := range strings.Lines(string(text)) {
		number++
		what := ""
		switch {
		case number > maxLines:
			what = fmt.Sprintf("The file has more than %d lines.", maxLines)
		case len(line) > maxLine:
			what = fmt.Sprintf("The line has more than %d bytes.", maxLine)
		case nests(line, &open) > maxNesting:
			what = fmt.Sprintf("Brackets are nested more than %d deep here.", maxNesting)
		case chains(line) > maxChain:
			what = "The line begins more lists or mappings in each other than rolecall reads."
		}
		if what != "" {
			r.wrongAt(number, 1, what, "a vendor's description", "Check that this is the right file: rolecall vendors schema has the keys.")
			return nil, false
		}
	}
	return text, true
}

// nests counts how many brackets are open at once in a line at most. What is in
// quotes counts too: no description needs that many there either.
func nests(line string, open *int) (deepest int) {
	for i := range len(line) {
		switch line[i] {
		case '[', '{':
			*open++
		case ']', '}':
			*open = max(0, *open-1)
		}
		deepest = max(deepest, *open)
	}
	return deepest
}

// chains counts the marks at the beginning of a line that open one level each.
func chains(line string) int {
	n := 0
	for {
		line = strings.TrimLeft(line, " \t")
		rest, ok := strings.CutPrefix(line, "- ")
		if !ok {
			rest, ok = strings.CutPrefix(line, "? ")
		}
		if !ok {
			_, rest, ok = strings.Cut(line, ": ")
			if !ok || strings.ContainsAny(line[:len(line)-len(rest)-2], ` "'#`) {
				return n
			}
		}
		n, line = n+1, rest
	}
}
