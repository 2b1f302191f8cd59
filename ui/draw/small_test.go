package draw_test

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"rolecall/ui/draw"
)

// TestTooSmall draws what has no room: one line that fits and says what is needed,
// and no more of the step than a person can read.
func TestTooSmall(t *testing.T) {
	theme := draw.NewTheme(draw.Look{})
	for width := 1; width <= 60; width++ {
		for height := 1; height <= 20; height++ {
			d := theme.Draw(frame(find(t, "role"), width, height))
			small := width < 40 || height < 12
			switch {
			case small != (d.Rows == 0):
				t.Errorf("%d×%d: %d rows of the step", width, height, d.Rows)
			case small && (strings.Contains(d.Content, "\n") || ansi.StringWidth(d.Content) > width):
				t.Errorf("%d×%d: more than its line: %q", width, height, d.Content)
			case small && width >= 20 && (!strings.Contains(d.Content, "40×12") || !strings.Contains(d.Content, "ctrl+c")):
				t.Errorf("%d×%d: does not say what is needed: %q", width, height, d.Content)
			}
		}
	}
	for _, size := range [][2]int{{0, 0}, {-1, 3}} {
		_ = theme.Draw(frame(find(t, "role"), size[0], size[1])) // does not end the program
	}
}

// TestLeavingNeverFallsOffTheFooter gives more keys than three lines hold.
func TestLeavingNeverFallsOffTheFooter(t *testing.T) {
	theme := draw.NewTheme(draw.Look{})
	f := frame(find(t, "role"), 80, 24)
	f.Keys = []draw.Key{{Name: "enter", Label: "go on"}}
	for range 30 {
		f.Keys = append(f.Keys, draw.Key{Name: "x", Label: "another action"})
	}
	f.Keys = append(f.Keys, draw.Key{Name: "?", Label: "help", Obvious: true}, draw.Key{Name: "ctrl+c", Label: "leave"})
	for width := 40; width <= 300; width += 13 {
		f.Width = width
		lines := strings.Split(ansi.Strip(theme.Draw(f).Content), "\n")
		foot := strings.Join(lines[len(lines)-4:], "\n")
		for _, want := range []string{"enter go on", "?", "ctrl+c leave"} {
			if !strings.Contains(foot, want) {
				t.Errorf("%d columns: no %q in\n%s", width, want, foot)
			}
		}
	}
}

// TestActionsStandNearTheirText draws every screen 300 columns wide: nothing but
// the header, the keys and values that are longer goes beyond the eye's measure.
func TestActionsStandNearTheirText(t *testing.T) {
	for _, s := range scenes() {
		f := frame(s, 300, 60)
		d := draw.NewTheme(draw.Look{}).Draw(f)
		lines := strings.Split(ansi.Strip(d.Content), "\n")
		for _, l := range lines[d.Head:max(d.Head, len(lines)-d.Foot)] {
			if len([]rune(l)) > 300/4+100 && longestGap(l) > 30 {
				t.Errorf("%s: stands far from its text: %q", s.name, l)
			}
		}
	}
}

// longestGap is the longest run of spaces within text.
func longestGap(text string) int {
	longest, run := 0, 0
	for _, r := range strings.TrimSpace(text) {
		if r != ' ' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
