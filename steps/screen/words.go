package screen

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"rolecall/policy/words"
)

// Plural is words.Plural.
func Plural(n int, word string) string { return words.Plural(n, word) }

// Thousands is words.Thousands.
func Thousands(n int) string { return words.Thousands(n) }

// Counted is words.Counted.
func Counted(n int, word string) string { return words.Counted(n, word) }

// Clock writes a duration as people read one: 0:42, 12:05, 1:02:03.
func Clock(d time.Duration) string {
	s := max(int64(d/time.Second), 0)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Hours writes a session's duration without what is zero: 3h, 1h30m0s.
func Hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}

// Grouped is an account number in groups of four, for reading only.
func Grouped(accountID string) string {
	if len(accountID) != 12 {
		return accountID
	}
	return accountID[:4] + "-" + accountID[4:8] + "-" + accountID[8:]
}

// UpperFirst begins a sentence.
func UpperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Sentence makes a sentence of an error's text.
func Sentence(s string) string {
	s = CleanLine(s)
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return UpperFirst(s) + "."
}

// LowerFirst fits a headline into a sentence.
func LowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// CleanLine drops control characters and invisible formatting from a text that
// will stand on one line.
func CleanLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}

// ShortDigest shows enough of a digest to compare it by eye.
func ShortDigest(digest string) string {
	const keep = len("sha256:") + 4
	if len(digest) <= keep+2 {
		return digest
	}
	return digest[:keep] + "…" + digest[len(digest)-2:]
}
