package aws

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestRemark bounds what is kept of a text that AWS sent: error texts can
// quote a whole policy, and a screen has room for a few lines.
const longestRemark = 600

// CleanText makes a text that came from outside fit for a screen: one line,
// without control characters, at most 600 characters long.
func CleanText(s string) string { return cleanText(s) }

// cleanText makes a text from AWS fit for a screen: control characters and
// invisible formatting go, white space becomes single spaces, and a very long
// text is cut.
func cleanText(s string) string {
	s = cleanAll(s)
	if runes := []rune(s); len(runes) > longestRemark {
		return string(runes[:longestRemark]) + "…"
	}
	return s
}

// cleanAll is cleanText for values that have to stay whole.
func cleanAll(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// cleanDocument keeps a document's lines and drops every other control
// character, so that its text can be drawn.
func cleanDocument(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// Clean makes a text of whatever origin fit for a screen, whole and in one line.
func Clean(s string) string { return cleanAll(s) }
