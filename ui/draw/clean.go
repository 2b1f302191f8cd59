package draw

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Clean is the one door through which text from anywhere reaches a screen: it
// takes out escape sequences, control characters (C0, C1), invisible and
// direction-changing characters, and makes one line of it. Line breaks and tabs
// become spaces. What is copied or saved does not pass here.
func Clean(s string) string {
	if printableASCII(s) {
		return s
	}
	s = ansi.Strip(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(visible, s)
}

// cleanLines cleans text in which line breaks mean something.
func cleanLines(s string) []string {
	if strings.ContainsRune(s, '\r') {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Clean(line)
	}
	return lines
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// visible maps a rune to what may be drawn of it; -1 drops it. Format
// characters (Cf) hold the bidirectional overrides, zero-width characters and
// tags; variation selectors change a width after it was measured.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
		return ' '
	case r < 0x20 || r >= 0x7f && r <= 0x9f:
		return -1
	case r < utf8.RuneSelf:
		return r
	case unicode.In(r, unicode.Cf, unicode.Co, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
		return -1
	}
	return r
}

// FileName is the name of the file that a value of this label is saved to:
// "account-id.txt".
func FileName(label string) string {
	name := strings.ToLower(strings.Join(strings.Fields(Clean(label)), "-"))
	return cmp.Or(name, "value") + ".txt"
}
