package draw

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestWriteJSON escapes what a terminal would obey or hide, and says the same.
func TestWriteJSON(t *testing.T) {
	text := "a\u009b31m \u202e\u2066 \u200f\u007f \u0085 \U000e0041 \u2028 é 漢 <&>\n\t"
	var b strings.Builder
	if err := WriteJSON(&b, map[string]string{text: text}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && visible(r) != r {
			t.Errorf("%U is written as it is", r)
		}
	}
	if !strings.Contains(b.String(), "é 漢 <&>") {
		t.Errorf("what can be seen is escaped: %s", b.String())
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back[text] != text {
		t.Errorf("%v: %q", err, back)
	}
}
