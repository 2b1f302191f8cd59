package step

import (
	"strings"
	"unicode"
)

// Pasted takes away what comes along when a value is copied: white space and
// quotes around it, and characters that nobody sees, such as a zero-width space
// or a byte order mark. A space inside stays: there the person has to look.
func Pasted(text string) string {
	visible := strings.Map(func(r rune) rune {
		if !unicode.IsSpace(r) && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, text)
	return strings.TrimFunc(visible, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`“”‘’«»", r) })
}
