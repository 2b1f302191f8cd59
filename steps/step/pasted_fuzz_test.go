package step

import (
	"strings"
	"testing"
	"unicode"
)

// FuzzPasted: what is pasted is clean at once, and no character of it was made.
func FuzzPasted(f *testing.F) {
	for _, seed := range []string{"spotinst:aws:extid:0123", "\ufeff'\u200b“x y”\u2060\n",
		"\x1b[200~arn:aws:iam::111122223333:role/x\x1b[201~\r", "\xff\u202e", "``"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Pasted(text)
		if again := Pasted(got); again != got {
			t.Errorf("cleaning twice differs: %q, %q", got, again)
		}
		for _, r := range got {
			if !unicode.IsSpace(r) && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Errorf("%q holds %U", got, r)
			}
			if r != unicode.ReplacementChar && !strings.ContainsRune(text, r) {
				t.Errorf("%q was not in %q", r, text)
			}
		}
	})
}
