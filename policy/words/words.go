// Package words counts things in English, as all rooms say them: 6,144, "1 action",
// "2 policies".
package words

import (
	"fmt"
	"strconv"
	"strings"
)

// Plural is the word for this many: "key", "keys"; "policy", "policies".
func Plural(n int, word string) string {
	if n == 1 {
		return word
	}
	if stem, ok := strings.CutSuffix(word, "y"); ok && !strings.HasSuffix(stem, "e") && !strings.HasSuffix(stem, "a") {
		return stem + "ies"
	}
	return word + "s"
}

// Thousands groups a number's digits: 6,144.
func Thousands(n int) string {
	if n < 0 {
		return "-" + Thousands(-n)
	}
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", Thousands(n/1000), n%1000)
}

// Counted is "1 action" or "6,144 actions".
func Counted(n int, word string) string { return Thousands(n) + " " + Plural(n, word) }
