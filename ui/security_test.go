package ui

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/ui/cli"
)

// TestSECURITY: each test that a claim of SECURITY.md rests on exists, and each
// claim has one.
func TestSECURITY(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := testNames(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`").FindAllStringSubmatch(string(text), -1)
	for _, one := range named {
		if !known[one[1]] {
			t.Errorf("SECURITY.md rests on %s, which is no test", one[1])
		}
	}
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, row := range regexp.MustCompile(`(?m)^\| [^|\n]+ \| [^|\n]+ \| ([^|\n]+) \|$`).FindAllStringSubmatch(string(text), -1) {
		if row[1] != "held by" && row[1] != "---" && !strings.Contains(row[1], "`Test") && !strings.Contains(row[1], "`Fuzz") {
			t.Errorf("a claim has no test: %s", row[0])
		}
	}
}

// testNames are the tests and fuzz targets of the whole module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range function.FindAllStringSubmatch(string(text), -1) {
			known[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// TestNoFlagTakesASecret: other users of a host see the flags of a process.
func TestNoFlagTakesASecret(t *testing.T) {
	secret := regexp.MustCompile(`secret|token|password|access-key|credential`)
	files := map[string]bool{"secret-file": true} // says where to
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		check := func(flag *pflag.Flag) {
			if secret.MatchString(flag.Name) && flag.Value.Type() != "bool" && !files[flag.Name] {
				t.Errorf("%s --%s", cmd.CommandPath(), flag.Name)
			}
		}
		cmd.Flags().VisitAll(check)
		cmd.PersistentFlags().VisitAll(check)
		for _, below := range cmd.Commands() {
			look(below)
		}
	}
	look(rootCommand(&cli.App{Env: cli.Env{Now: time.Now}}))
}
