package draw

import (
	"fmt"
	"strings"
)

// The smallest terminal that a step is drawn in.
const (
	leastWidth  = 40 // columns
	leastHeight = 12 // lines
)

// TooSmall reports whether a terminal has no room for a step. Then a frame says
// that, and nothing else: no key but those that leave may do anything.
func TooSmall(columns, lines int) bool { return columns < leastWidth || lines < leastHeight }

// tooSmall is the frame that says what is needed, in the longest words that fit
// on one line.
func (t *Theme) tooSmall(f *Frame) Drawn {
	d := Drawn{Top: f.Top, Lines: 1, CursorX: -1} // of the step there is something, and none of it was seen
	if f.Width < 1 || f.Height < 1 {
		return d
	}
	times := "×"
	if t.look.ASCII {
		times = "x"
	}
	least := fmt.Sprintf("%d%s%d", leastWidth, times, leastHeight)
	for _, text := range []string{
		fmt.Sprintf("This terminal is %d%s%d, rolecall needs %s at least: make it larger, or leave with ctrl+c.", f.Width, times, f.Height,
			least),
		fmt.Sprintf("rolecall needs %s: enlarge, or ctrl+c", least),
		fmt.Sprintf("Needs %s; ctrl+c", least),
		"Needs " + least, least,
	} {
		d.Content = text
		if width(text) <= f.Width {
			break
		}
	}
	d.Content = strings.TrimSpace(t.cut(d.Content, f.Width))
	return d
}
