package policies

import (
	"fmt"
	"strings"
	"testing"
)

// Each hunk names the line of the new text that its first line stands on.
func TestUnifiedNumbersTheNewLines(t *testing.T) {
	var before, after []string
	for i := range 60 {
		before = append(before, fmt.Sprintf("line %d", i))
		if i%20 != 5 && i%20 != 6 {
			after = append(after, fmt.Sprintf("line %d", i))
		}
	}
	lines := strings.Split(unified("a", "b", strings.Join(before, "\n")+"\n", strings.Join(after, "\n")+"\n"), "\n")
	hunks := 0
	for i, line := range lines {
		var fromLine, fromCount, toLine, toCount int
		if n, _ := fmt.Sscanf(line, "@@ -%d,%d +%d,%d @@", &fromLine, &fromCount, &toLine, &toCount); n != 4 {
			continue
		}
		hunks++
		if first := lines[i+1]; first != " "+after[toLine-1] || first != " "+before[fromLine-1] {
			t.Errorf("%s stands above %q", line, first)
		}
	}
	if hunks != 3 {
		t.Errorf("%d hunks, want 3", hunks)
	}
}
