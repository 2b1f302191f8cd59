package review

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/assets"
	"rolecall/policy"
)

var update = flag.Bool("update", false, "write assets/review/levels.txt anew")

// The table of counts repeats what the catalogue knows, so it is made from it.
func TestLevelsAreTheCatalogues(t *testing.T) {
	var b strings.Builder
	b.WriteString("# How many actions each service has: service | List Read Write Tagging Permissions-management.\n")
	b.WriteString("# Made from the catalogue by go test ./policy/review -run Levels -update.\n")
	for _, s := range policy.AWS().Services() {
		var n sums
		for _, a := range s.Actions() {
			n[a.Level]++
		}
		fmt.Fprintf(&b, "%s|%d %d %d %d %d\n", s.Prefix, n[0], n[1], n[2], n[3], n[4])
	}
	if *update {
		file := filepath.Join("..", "..", "assets", "review", "levels.txt")
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if assets.ReviewLevels != b.String() {
		t.Error("the table differs from the catalogue; run with -update")
	}
}
