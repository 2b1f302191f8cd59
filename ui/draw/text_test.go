package draw_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"rolecall/ui/draw"
)

// TestWrapKeepsEveryWord on seeded random texts: no word is broken, lost or moved,
// and only a word that is longer than a line sticks out.
func TestWrapKeepsEveryWord(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 11))
	for range 20_000 {
		words := make([]string, rng.IntN(12))
		for i := range words {
			words[i] = strings.Repeat([]string{"a", "-", "é", "世", "x/"}[rng.IntN(5)], 1+rng.IntN(9))
		}
		text, n := strings.Join(words, strings.Repeat(" ", 1+rng.IntN(2))), 1+rng.IntN(30)
		rows := draw.Wrap(text, n)
		if got := strings.Fields(strings.Join(rows, " ")); strings.Join(got, " ") != strings.Join(words, " ") {
			t.Fatalf("%q in %d: %q", text, n, rows)
		}
		for _, row := range rows {
			if draw.Width(row) > n && strings.Contains(row, " ") {
				t.Fatalf("%q in %d: %q is too long", text, n, row)
			}
		}
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	for want, got := range map[string][]string{
		"  next:     Name it --vendor\n            spot.":        draw.Hang("  next:     ", "Name it --vendor spot.", 32),
		"  next:     Name it --vendor spot.":                     draw.Hang("  next:     ", "Name it --vendor spot.", 0),
		"    --a-long-flag text  what\n        it says and more": draw.Hang("    --a-long-flag text  ", "what it says and more", 32),
		"  short": draw.Hang("  ", "short", 80),
	} {
		if strings.Join(got, "\n") != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestWrapKeepsANumberAtItsUnit breaks a line elsewhere, as long as it can.
func TestWrapKeepsANumberAtItsUnit(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		text string
		n    int
		want []string
	}{
		{"Waiting · next look in 4 s", 24, []string{"Waiting · next look in", "4 s"}},
		{"Waiting · next look in 4 s", 25, []string{"Waiting · next look in", "4 s"}},
		{"6,097 of 6,144 characters", 16, []string{"6,097 of", "6,144 characters"}},
		{"at most (12.5 MB)", 13, []string{"at most", "(12.5 MB)"}},
		{"123 characters", 5, []string{"123", "characters"}},
		{"in 4 s", 4, []string{"in", "4 s"}},
		{"chapter 7 1 2 3", 11, []string{"chapter 7 1", "2 3"}},
	} {
		if got := draw.Wrap(one.text, one.n); strings.Join(got, "\n") != strings.Join(one.want, "\n") {
			t.Errorf("%q in %d: %q, want %q", one.text, one.n, got, one.want)
		}
	}
}
