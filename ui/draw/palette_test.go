package draw

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"testing"

	"charm.land/lipgloss/v2"
)

// sixteen are the palettes of terminals: xterm's, the Linux console's (VGA), Tango (GNOME), Campbell (Windows).
// Sources: XTerm-col.ad of xterm, the console_codes(4) colours, the GNOME palette, Windows Terminal's colour schemes.
var sixteen = map[string][16]string{
	"xterm": {"#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
		"#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"},
	"vga": {"#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa",
		"#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"},
	"tango": {"#2e3436", "#cc0000", "#4e9a06", "#c4a000", "#3465a4", "#75507b", "#06989a", "#d3d7cf",
		"#555753", "#ef2929", "#8ae234", "#fce94f", "#729fcf", "#ad7fa8", "#34e2e2", "#eeeeec"},
	"campbell": {"#0c0c0c", "#c50f1f", "#13a10e", "#c19c00", "#0037da", "#881798", "#3a96dd", "#cccccc",
		"#767676", "#e74856", "#16c60c", "#f9f1a5", "#3b78ff", "#b4009e", "#61d6d6", "#f2f2f2"},
}

// TestEveryPaletteCanBeRead computes the contrast of every text token on black, white and Solarized's two backgrounds, by WCAG 2.1.
func TestEveryPaletteCanBeRead(t *testing.T) {
	t.Parallel()
	backgrounds := map[bool][]string{false: {"#000000", "#002b36"}, true: {"#ffffff", "#fdf6e3"}}
	for _, depth := range []Depth{Truecolor, Colors256, Colors16} {
		for light, behind := range backgrounds {
			p := paletteOf(depth, light)
			for name, token := range map[string]string{"accent": p.accent, "ok": p.ok, "warn": p.warn, "fail": p.fail, "dim": p.dim} {
				for _, shown := range shownAs(token) {
					for _, background := range behind {
						if got := contrast(lipgloss.Color(shown), lipgloss.Color(background)); got < 4.5 {
							t.Errorf("depth %d, light %v: %s is %s, %.1f to 1 on %s", depth, light, name, shown, got, background)
						}
					}
				}
			}
		}
	}
}

// shownAs are the colours that a token is on different terminals; none where it is the terminal's own.
func shownAs(token string) []string {
	n, err := strconv.Atoi(token)
	switch {
	case token == "":
		return nil
	case err != nil:
		return []string{token}
	case n >= 16:
		return []string{hex(n)}
	}
	var all []string
	for _, terminal := range sixteen {
		all = append(all, terminal[n])
	}
	return all
}

// hex is a colour of xterm's cube or of its greys.
func hex(n int) string {
	if n >= 232 {
		grey := 8 + 10*(n-232)
		return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
	}
	level := func(i int) int { return []int{0, 95, 135, 175, 215, 255}[i] }
	n -= 16
	return fmt.Sprintf("#%02x%02x%02x", level(n/36), level(n/6%6), level(n%6))
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// TestWarningsAndFailuresLookDifferent in every palette, by colour or by weight.
func TestWarningsAndFailuresLookDifferent(t *testing.T) {
	t.Parallel()
	for _, depth := range []Depth{Truecolor, Colors256, Colors16} {
		for _, light := range []bool{false, true} {
			p := paletteOf(depth, light)
			if p.warn == p.fail && p.boldWarn == p.boldFail || p.ok == p.fail && !p.boldFail {
				t.Errorf("depth %d, light %v: %+v", depth, light, p)
			}
		}
	}
}

func TestTheBackgroundFromTheEnvironment(t *testing.T) {
	t.Parallel()
	for value, light := range map[string]bool{"": false, "15;0": false, "0;15": true, "0;default;15": true, "12;8": false, "0;7": true,
		"7": false, "x;y": false, "0;255": false} {
		if got := LookOf(func(name string) string { return map[string]string{"COLORFGBG": value}[name] }).Light; got != light {
			t.Errorf("%q: light is %v", value, got)
		}
	}
}

// TestWhatATerminalOfDECShows: neither colours nor UTF-8, unlike VTE, whose name
// begins alike.
func TestWhatATerminalOfDECShows(t *testing.T) {
	t.Parallel()
	for term, bare := range map[string]bool{"vt100": true, "vt220-8bit": true, "vte-256color": false, "vt": false, "xterm": false} {
		look := LookOf(func(name string) string { return map[string]string{"TERM": term, "LANG": "C.UTF-8"}[name] })
		if look.NoColor != bare || look.ASCII != bare {
			t.Errorf("%s: %+v", term, look)
		}
	}
}
