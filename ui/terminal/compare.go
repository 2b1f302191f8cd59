package terminal

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode"
)

// Compare says in a few words how a pasted text differs from the one that was
// copied, without telling either; empty when they are the same. Terminals paste
// the end of a line as a carriage return, so that ends of lines count as one.
func Compare(copied, pasted string) string {
	copied, pasted = lineEnds(copied), lineEnds(pasted)
	switch {
	case sha256.Sum256([]byte(copied)) == sha256.Sum256([]byte(pasted)):
		return ""
	case pasted == "":
		return "nothing came"
	case strings.HasPrefix(copied, pasted):
		return fmt.Sprintf("it is cut off after byte %d of %d", len(pasted), len(copied))
	case strings.HasPrefix(pasted, copied):
		return fmt.Sprintf("more follows than was copied: %d bytes", len(pasted)-len(copied))
	case withoutSpace(copied) == withoutSpace(pasted):
		return "white space was changed"
	}
	return fmt.Sprintf("another text came: it differs from byte %d on", firstDifference(copied, pasted)+1)
}

func lineEnds(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

func withoutSpace(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

// firstDifference is the offset in bytes from which two texts differ.
func firstDifference(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
