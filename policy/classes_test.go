package policy

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// textsOf are all texts of some letters up to a length.
func textsOf(letters string, length int) []string {
	out := []string{""}
	for begin := 0; length > 0; length-- {
		end := len(out)
		for _, text := range out[begin:end] {
			for i := range len(letters) {
				out = append(out, text+letters[i:i+1])
			}
		}
		begin = end
	}
	return out
}

// TestClassesAreAll holds the classes of random patterns against all short
// texts: each text falls into a class that was found, each class is found
// once, and one that is said to be single has no second text.
func TestClassesAreAll(t *testing.T) {
	const letters = "ab:"
	texts := textsOf(letters, 6)
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		var tests []pattern
		var raw []string
		for range 1 + r.IntN(4) {
			var b strings.Builder
			for range 1 + r.IntN(5) {
				b.WriteByte("ab:*?*"[r.IntN(6)])
			}
			p := textOperand(b.String()).glob()
			if r.IntN(4) == 0 {
				p = p.folded()
			}
			raw, tests = append(raw, b.String()), append(tests, p)
		}
		classes, complete := splitter{tests: tests, domains: []pattern{pattern{}.many(bytesOf(letters))}}.split()
		mark := func(text string) string {
			var b strings.Builder
			for _, p := range tests {
				b.WriteByte(map[bool]byte{true: '1', false: '0'}[p.matches(text)])
			}
			return b.String()
		}
		found, members := map[string]bool{}, map[string]int{}
		for _, c := range classes {
			found[mark(c.example)] = true
		}
		for _, text := range texts {
			members[mark(text)]++
			if !found[mark(text)] {
				t.Fatalf("%q is in no class of %q: %v", text, raw, classes)
			}
		}
		for _, c := range classes {
			if c.single && members[mark(c.example)] > 1 {
				t.Fatalf("%q is not the only one of its class: %q", c.example, raw)
			}
		}
		if !complete || len(found) != len(classes) {
			t.Fatalf("complete %v, %d classes, %d of them differ: %q", complete, len(classes), len(found), raw)
		}
	}
}

// TestPatternsMatch holds patterns against the comparison of the catalogue.
func TestPatternsMatch(t *testing.T) {
	texts := textsOf("ab*", 5)
	for _, glob := range []string{"", "*", "a", "?", "a*", "*a", "a*b", "*a*b*", "??*", "a?*b", "**", "*?"} {
		p := textOperand(glob).glob()
		for _, text := range texts {
			if p.matches(text) != Matches(glob, text) {
				t.Errorf("%q and %q: %v", glob, text, p.matches(text))
			}
		}
	}
}
