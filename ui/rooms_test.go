package ui_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("update", false, "write the map of the rooms in .github/CONTRIBUTING.md anew")

// module is the root of the repository, seen from here.
const module = ".."

// room is one package without its tests.
type room struct {
	name     string   // steps/record
	purpose  string   // the first sentence of its package comment
	lines    int      // of Go
	imports  []string // rooms of this module
	foreign  []string // packages of other modules
	storey   int      // 0: it imports no other room
	comments int      // files with a package comment
}

// rooms reads every package, from the ground up.
func rooms(t *testing.T) []*room {
	t.Helper()
	found := map[string]*room{}
	err := filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != module && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		name, err := filepath.Rel(module, filepath.Dir(path))
		if err != nil {
			return err
		}
		r := found[filepath.ToSlash(name)]
		if r == nil {
			r = &room{name: filepath.ToSlash(name)}
			found[r.name] = r
		}
		return r.read(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return inOrder(found)
}

// read takes one file in.
func (r *room) read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	r.lines += strings.Count(string(text), "\n")
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments|parser.ImportsOnly)
	if err != nil {
		return err
	}
	if file.Doc != nil {
		r.comments++
		r.purpose = purposeOf(file.Doc)
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		own, isOwn := strings.CutPrefix(name, "rolecall/")
		host, _, _ := strings.Cut(name, "/")
		switch {
		case isOwn && !slices.Contains(r.imports, own):
			r.imports = append(r.imports, own)
		case strings.Contains(host, ".") && !slices.Contains(r.foreign, name):
			r.foreign = append(r.foreign, name)
		}
	}
	return nil
}

// purposeOf is the first sentence of a package comment, without the words that
// every one begins with.
func purposeOf(comment *ast.CommentGroup) string {
	text := strings.Join(strings.Fields(comment.Text()), " ")
	sentence, _, _ := strings.Cut(text+" ", ". ")
	return regexp.MustCompile(`^(Package|Command) \w+ `).ReplaceAllString(strings.TrimSuffix(sentence, "."), "")
}

// inOrder sorts rooms by their storeys: none stands on one that comes later.
func inOrder(found map[string]*room) []*room {
	var storey func(r *room) int
	storey = func(r *room) int {
		for _, below := range r.imports {
			r.storey = max(r.storey, storey(found[below])+1)
		}
		return r.storey
	}
	var all []*room
	for _, r := range found {
		storey(r)
		slices.Sort(r.imports)
		slices.Sort(r.foreign)
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *room) int {
		if a.storey != b.storey {
			return a.storey - b.storey
		}
		return strings.Compare(a.name, b.name)
	})
	return all
}

// layered reports whether a room is one of those whose size and comment are
// held.
func (r *room) layered() bool {
	return r.name == "steps" || r.name == "ui" || strings.HasPrefix(r.name, "steps/") || strings.HasPrefix(r.name, "ui/")
}

// mostLines is how large a room of steps or ui may grow, without its tests.
const mostLines = 4000

// TestRooms wants every room small enough to know, with one comment that says
// what it is.
func TestRooms(t *testing.T) {
	t.Parallel()
	for _, r := range rooms(t) {
		if r.comments != 1 || r.purpose == "" {
			t.Errorf("%s has %d package comments, want one: its first sentence says what the room is", r.name, r.comments)
		}
		if r.layered() && r.lines > mostLines {
			t.Errorf("%s has %d lines without tests, at most %d are wanted: cut it where its imports part", r.name, r.lines, mostLines)
		}
	}
}

const (
	mapBegin = "<!-- The map is written by: go test ./ui -run TestContributing -update -->\n"
	mapEnd   = "<!-- End of the map. -->\n"
)

// TestContributing holds the map of the rooms in CONTRIBUTING.md to the
// imports. Sizes are rounded, and may drift by a fifth before they are stale.
func TestContributing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(module, ".github", "CONTRIBUTING.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), mapBegin)
	drawn, after, ended := strings.Cut(rest, mapEnd)
	if !found || !ended {
		t.Fatalf("%s has no place for the map: %s … %s", path, mapBegin, mapEnd)
	}
	want := mapOf(rooms(t), drawn)
	if drawn == want {
		return
	}
	if !*rewrite {
		t.Fatalf(
			"%s shows other rooms than there are (-shown +real). Run go test ./ui -run TestContributing -update\n%s",
			path,
			cmp.Diff(drawn, want),
		)
	}
	if err := os.WriteFile(path, []byte(before+mapBegin+want+mapEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mapOf is the map as a table. shown is the one that stands there: its sizes are
// kept while they are about right.
func mapOf(all []*room, shown string) string {
	var b strings.Builder
	b.WriteString("\n| room | lines | what it is | imports |\n| --- | ---: | --- | --- |\n")
	for _, r := range all {
		if r.name == "." {
			continue
		}
		arrows := "–"
		if len(r.imports) > 0 {
			arrows = "`" + strings.Join(r.imports, "` `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.name, r.size(shown), r.purpose, arrows)
	}
	b.WriteString("\n")
	return b.String()
}

// size is the number of lines in hundreds.
func (r *room) size(shown string) string {
	row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(r.name) + "` \\| (\\d+) \\|").FindStringSubmatch(shown)
	if row != nil {
		if n, err := strconv.Atoi(row[1]); err == nil && max(n-r.lines, r.lines-n) <= max(r.lines/5, 100) {
			return row[1]
		}
	}
	return strconv.Itoa(max((r.lines+50)/100, 1) * 100)
}

// TestTheLinterKnowsEveryRoom wants a rule for each room in .golangci.yml that
// allows what the room imports, and no rule without a room.
func TestTheLinterKnowsEveryRoom(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(module, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Mode  string   `yaml:"list-mode"`
		Files []string `yaml:"files"`
		Allow []string `yaml:"allow"`
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]rule `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	rules := config.Linters.Settings.Depguard.Rules
	for _, r := range rooms(t) {
		if r.name == "." {
			continue
		}
		files := []string{"**/" + r.name + "/*.go", "!$test"}
		if one := rules[r.name]; one.Mode != "strict" || !slices.Equal(one.Files, files) {
			t.Errorf("the room %s has no rule. Below depguard's rules, say:\n        %s: {list-mode: strict, files: [%q, %q], allow: [%s]}",
				r.name, r.name, files[0], files[1], strings.Join(append([]string{"$gostd"}, r.allowed()...), ", "))
			continue
		}
		for _, name := range r.allowed() {
			if !allows(rules[r.name].Allow, name) {
				t.Errorf("the rule of %s does not allow %s. If this arrow is meant, add it there", r.name, name)
			}
		}
		delete(rules, r.name)
	}
	for name, left := range rules {
		if left.Mode == "strict" && name != "main" {
			t.Errorf("there is a rule for the room %s, and no such room", name)
		}
	}
}

// allowed is what a rule of the room has to allow.
func (r *room) allowed() []string {
	var names []string
	for _, name := range r.imports {
		names = append(names, "rolecall/"+name+"$")
	}
	return append(names, r.foreign...)
}

func allows(list []string, name string) bool {
	return slices.ContainsFunc(list, func(one string) bool { return one == name || strings.HasPrefix(name, one) })
}
