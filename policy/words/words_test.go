package words_test

import (
	"testing"

	"rolecall/policy/words"
)

func TestCounted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    int
		word string
		want string
	}{
		{0, "action", "0 actions"}, {1, "action", "1 action"}, {2, "policy", "2 policies"}, {2, "key", "2 keys"}, {3, "day", "3 days"},
		{999, "role", "999 roles"}, {1000, "role", "1,000 roles"}, {6144, "character", "6,144 characters"},
		{1000001, "line", "1,000,001 lines"}, {-6144, "line", "-6,144 lines"},
	} {
		if got := words.Counted(c.n, c.word); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
