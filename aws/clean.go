package aws

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestRemark bounds what is kept of a text that AWS sent: error texts can
// quote a whole policy, and a screen has room for a few lines.
const longestRemark = 600

// cleanText makes a text from AWS fit for a screen: control characters and
// invisible formatting go, white space becomes single spaces, and a very long
// text is cut.
func cleanText(s string) string {
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
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > longestRemark {
		return string(runes[:longestRemark]) + "…"
	}
	return s
}
