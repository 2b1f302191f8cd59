package ui

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rolecall/ui/cli"
)

// TestREADME holds the README and the manual to the program: each command line in
// them is one that rolecall understands, and each file that they point to is there.
func TestREADME(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "assets", "manual", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, page := range append(pages, filepath.Join("..", "README.md"), filepath.Join("..", "SECURITY.md")) {
		lines += commandsAndLinks(t, page)
	}
	if lines < 40 {
		t.Errorf("only %d command lines were found", lines)
	}
}

// commandsAndLinks checks a page, and counts its command lines.
func commandsAndLinks(t *testing.T, page string) int {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			if args, ok := strings.CutPrefix(line, "rolecall"); ok {
				lines++
				understood(t, strings.TrimSpace(line), args)
			}
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(text), -1) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(page), link[1])); err != nil {
			t.Errorf("%s points to a file that is not there: %v", page, err)
		}
	}
	return lines
}

// understood parses a command line as the program does, and runs nothing.
func understood(t *testing.T, line, rest string) {
	t.Helper()
	rest, _, _ = strings.Cut(rest, " #")
	rest, _, _ = strings.Cut(rest, ">")
	args := strings.Fields(strings.ReplaceAll(rest, "'", ""))
	a := &cli.App{Env: cli.Env{Now: time.Now}}
	cmd, left, err := rootCommand(a).Find(args)
	if err != nil {
		t.Errorf("%s: %v", line, err)
		return
	}
	if err := cmd.ParseFlags(left); err != nil {
		t.Errorf("%s: %v", line, err)
		return
	}
	if cmd.Args != nil {
		if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
