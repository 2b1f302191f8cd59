package describe

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/agext/levenshtein"
)

// Mistake is one thing that is wrong in a description, or with what was asked
// of one. Its texts are free of control characters.
type Mistake struct {
	File         string // empty when it was no file that was wrong
	Line, Column int    // from 1; 0 where there is no place
	What         string // what is wrong, a sentence
	Expected     string // what was expected instead
	Next         string // what to do next, a sentence
	Flag         string // the flag that answers it; empty where none does
}

// Error is the place, what is wrong, what was expected and the next step.
func (m Mistake) Error() string {
	var b strings.Builder
	if m.File != "" {
		b.WriteString(m.File)
		if m.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", m.Line, m.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(m.What)
	if m.Expected != "" {
		b.WriteString(" Expected: " + m.Expected + ".")
	}
	if m.Next != "" {
		b.WriteString(" " + m.Next)
	}
	if m.Flag != "" {
		b.WriteString(" Unattended: " + m.Flag + ".")
	}
	return b.String()
}

// Mistakes are all mistakes of one description, in the order of their lines.
type Mistakes []Mistake

// Error lists them, one on a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single mistakes.
func (m Mistakes) Unwrap() []error {
	all := make([]error, len(m))
	for i, one := range m {
		all[i] = one
	}
	return all
}

// MistakesOf are the mistakes that err carries: none for an error from
// elsewhere.
func MistakesOf(err error) Mistakes {
	var all Mistakes
	if errors.As(err, &all) {
		return all
	}
	var one Mistake
	if errors.As(err, &one) {
		return Mistakes{one}
	}
	return nil
}

// DidYouMean is a sentence with the nearest of the known words, or empty.
func DidYouMean(word string, known []string) string {
	best, distance := "", 1+len(word)/3
	for _, k := range known {
		if d := levenshtein.Distance(word, k, nil); d <= distance && d < len(k) {
			best, distance = k, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("Did you mean %s? ", best)
}

// Clean makes a stranger's text fit for a message: no control characters, and
// not endless.
func Clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' {
			return ' '
		}
		if !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, s)
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return s
}
