package draw_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

var update = flag.Bool("update", false, "write the golden files anew")

type variant struct {
	name          string
	look          draw.Look
	width, height int
}

func variants() []variant {
	var out []variant
	for _, size := range [][2]int{{120, 30}, {100, 30}, {80, 24}, {44, 20}} {
		for _, look := range []struct {
			name string
			look draw.Look
		}{{"dark", draw.Look{Links: true}}, {"light", draw.Look{Light: true}}, {"no colour", draw.Look{NoColor: true}}} {
			out = append(out, variant{fmt.Sprintf("%dx%d %s", size[0], size[1], look.name), look.look, size[0], size[1]})
		}
	}
	return append(out, variant{"80x24 ASCII", draw.Look{NoColor: true, ASCII: true}, 80, 24})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to write it)", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

// visibleEscapes makes a golden file readable: the escape character is written
// as a word.
func visibleEscapes(s string) string { return strings.ReplaceAll(s, "\x1b", "␛") }

// TestScenes draws the step of every scene in every size and look. What stands
// around a step has golden files of its own, TestHeaders and TestFooters; one
// scene is drawn whole.
func TestScenes(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			golden(t, s.name, everyLook(t, s, func(f *draw.Frame) { f.Rail, f.Keys, f.Status, f.Question = nil, nil, draw.Status{}, "" }, stepOf))
		})
	}
	golden(t, "whole-role", everyLook(t, find(t, "role"), func(*draw.Frame) {}, wholeFrame))
}

func TestHeaders(t *testing.T) {
	var b strings.Builder
	for _, h := range []struct {
		name   string
		header draw.Header
	}{
		{"a rehearsal", draw.Header{Vendor: "Spot", How: "by hand", Account: "1234-5678-9012 prod", Banner: "REHEARSAL"}},
		{"nobody signed in", draw.Header{Vendor: "Spot"}},
		{"another endpoint", draw.Header{Vendor: "Sprinters", How: "by CloudFormation", Account: "1234-5678-9012", Banner: "NOT AWS: " +
			"https://iam.a-rather-long-name.example.com:8443"}},
	} {
		fmt.Fprintf(&b, "##### %s\n%s", h.name, everyLook(t, find(t, "field-empty"), func(f *draw.Frame) { f.Header = h.header }, headerOf))
	}
	golden(t, "headers", b.String())
}

func TestFooters(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{"role-short", "role", "problem", "confirm", "help"} {
		fmt.Fprintf(&b, "##### %s\n%s", name, everyLook(t, find(t, name), func(*draw.Frame) {}, footerOf))
	}
	golden(t, "footers", b.String())
}

// The parts of a frame.
func wholeFrame(_ draw.Drawn, lines []string) []string { return lines }
func headerOf(d draw.Drawn, lines []string) []string   { return lines[:d.Head] }
func stepOf(d draw.Drawn, lines []string) []string     { return lines[d.Head : len(lines)-d.Foot] }
func footerOf(d draw.Drawn, lines []string) []string   { return lines[len(lines)-d.Foot:] }

// everyLook draws a part of a scene in every size and look. Empty lines at its
// end say nothing.
func everyLook(t *testing.T, s scene, change func(*draw.Frame), part func(draw.Drawn, []string) []string) string {
	t.Helper()
	var b strings.Builder
	for _, v := range variants() {
		f := frame(s, v.width, v.height)
		fits(t, v, draw.NewTheme(v.look).Draw(f))
		change(&f)
		d := draw.NewTheme(v.look).Draw(f)
		fits(t, v, d)
		text := strings.TrimRight(strings.Join(part(d, strings.Split(d.Content, "\n")), "\n"), "\n ")
		fmt.Fprintf(&b, "=== %s\n%s\n", v.name, visibleEscapes(text))
	}
	return b.String()
}

// fits holds every frame to its screen.
func fits(t *testing.T, v variant, d draw.Drawn) {
	t.Helper()
	lines := strings.Split(d.Content, "\n")
	if len(lines) > v.height {
		t.Errorf("%s: %d lines", v.name, len(lines))
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > v.width {
			t.Errorf("%s: a line of %d cells: %q", v.name, w, line)
		}
	}
	if v.look.ASCII {
		for _, r := range ansi.Strip(d.Content) {
			if r > 0x7e {
				t.Errorf("%s: %q is not ASCII", v.name, r)
			}
		}
	}
	if v.look.NoColor && strings.Contains(d.Content, "\x1b[38;") {
		t.Errorf("%s: there is colour in it", v.name)
	}
}

func find(t *testing.T, name string) scene {
	t.Helper()
	for _, s := range scenes() {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no scene %s", name)
	return scene{}
}

// whole draws a scene on a screen so high that nothing scrolls.
func whole(s scene, width int) string {
	return ansi.Strip(draw.NewTheme(draw.Look{}).Draw(frame(s, width, 200)).Content)
}

func TestValuesToCopyAreNeverCutNorWrapped(t *testing.T) {
	for width := 40; width <= 130; width++ {
		text := whole(find(t, "role"), width)
		for _, value := range []string{"9227-6141-1349", externalID, roleARN} {
			if strings.Contains(text, value) {
				continue
			}
			// Narrower than the value: then its pieces fill lines of their own.
			joined := strings.ReplaceAll(text, "\n", "")
			if len(value) <= width-4 || !strings.Contains(joined, value) {
				t.Errorf("%d columns: %s is not there in one piece", width, value)
			}
		}
	}
}

func TestTheDifferenceIsMarked(t *testing.T) {
	for _, width := range []int{40, 44, 80} {
		lines := strings.Split(whole(find(t, "role"), width), "\n")
		found := false
		for i, line := range lines {
			if strings.TrimSpace(line) == "^" {
				at := strings.Index(line, "^")
				above := lines[i-1]
				found = at < len(above) && above[at:at+1] == "e"
			}
		}
		if !found {
			t.Errorf("%d columns: no ^ under the differing character:\n%s", width, strings.Join(lines, "\n"))
		}
	}
}

func TestTheMarkedLineIsAlwaysOnTheScreen(t *testing.T) {
	s := find(t, "role")
	for _, item := range draw.Items(s.screen, nil) {
		for height := 12; height < 40; height++ {
			f := frame(s, 80, height)
			f.Marked, f.Moved = item.Key, true
			d := draw.NewTheme(draw.Look{}).Draw(f)
			if !strings.Contains(ansi.Strip(d.Content), "› ") {
				t.Errorf("%d lines: the mark on %s is not to be seen", height, item.Label)
			}
		}
	}
}

func TestProblemsAreSeenOnSmallScreens(t *testing.T) {
	s := find(t, "role")
	for _, size := range [][2]int{{80, 24}, {44, 20}} {
		d := draw.NewTheme(draw.Look{}).Draw(frame(s, size[0], size[1]))
		if !strings.Contains(ansi.Strip(d.Content), "✗ Spot-Role trusts Spot") {
			t.Errorf("%v: the problem is not to be seen", size)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	for _, width := range []int{40, 44, 80} {
		if text := whole(find(t, "secret"), width); strings.Contains(text, "hunter") {
			t.Errorf("the secret is on the screen:\n%s", text)
		}
	}
}

func TestHostileTextMovesNothing(t *testing.T) {
	d := draw.NewTheme(draw.Look{}).Draw(frame(find(t, "hostile"), 80, 24))
	for _, bad := range []string{"\x1b[2J", "\x1b]0;", "\a", "\u202e", "\u200b", "\u0085", "\r", "\t"} {
		if strings.Contains(d.Content, bad) {
			t.Errorf("%q reached the screen", bad)
		}
	}
}

func TestSheet(t *testing.T) {
	var b strings.Builder
	for _, v := range variants() {
		sheet := draw.NewTheme(v.look).Sheet(policyCode(), v.width, false)
		d := sheet.Draw(draw.Frame{Width: v.width, Height: v.height}, draw.Reading{})
		lines := strings.Split(d.Content, "\n")
		fmt.Fprintf(&b, "=== %s\n%s\n", v.name, visibleEscapes(strings.Join(lines[:len(lines)-d.Foot], "\n")))
		fits(t, v, d)
	}
	golden(t, "sheet", b.String())
}

func TestSheetFinds(t *testing.T) {
	sheet := draw.NewTheme(draw.Look{}).Sheet(screen.Code{Body: "one\ntwo\nthree\nTwo\n"}, 80, false)
	for i, want := range []int{2, 4, 2, 4, 2} {
		line, around, ok := sheet.Find("two", []int{1, 2, 4, 2, 4}[i], []int{1, 1, 1, -1, -1}[i])
		if !ok || line != want || around != (i == 2 || i == 3) {
			t.Errorf("%d: found in line %d, want %d; around %v", i, line, want, around)
		}
	}
	if _, _, ok := sheet.Find("four", 1, 1); ok {
		t.Error("found what is not there")
	}
}

func TestItemsAreOneFlatList(t *testing.T) {
	s := of(values(), tree(), policyCode(), screen.Link{Label: "l", URL: "u"}, screen.Input{ID: "i"})
	count := func(folds draw.Folds) (n int, numbers []int) {
		for _, item := range draw.Items(s, folds) {
			n++
			if item.Number > 0 {
				numbers = append(numbers, item.Number)
			}
		}
		return n, numbers
	}
	if n, numbers := count(nil); n != 3+5+1+1+1 || !cmp.Equal(numbers, []int{1, 2, 3, 4}) {
		t.Errorf("%d items, numbers %v", n, numbers)
	}
	if n, _ := count(draw.Folds{"node/products/elastigroup": {Closed: true}}); n != 9 {
		t.Errorf("%d items with a closed node", n)
	}
}

func TestClock(t *testing.T) {
	for seconds, want := range map[int]string{-5: "0:00", 0: "0:00", 42: "0:42", 725: "12:05", 3723: "1:02:03"} {
		if got := screen.Clock(time.Duration(seconds) * time.Second); got != want {
			t.Errorf("%d s: %s, want %s", seconds, got, want)
		}
	}
}
