package draw

import (
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// Depth is how many colours a terminal has.
type Depth int

// The depths that there are palettes for. Truecolor is the zero value: what is
// drawn before the terminal was asked is converted by the front.
const (
	Truecolor Depth = iota
	Colors256
	Colors16
)

// DepthOf is the palette for what a terminal can show.
func DepthOf(p colorprofile.Profile) Depth {
	switch p {
	case colorprofile.TrueColor:
		return Truecolor
	case colorprofile.ANSI256:
		return Colors256
	}
	return Colors16
}

// Severe draws what must not stay.
func (t *Theme) Severe(word string) string { return t.fail.Render(word) }

// Careful draws what is to be looked at.
func (t *Theme) Careful(word string) string { return t.warn.Render(word) }

// Quiet draws what can wait.
func (t *Theme) Quiet(word string) string { return t.dim.Render(word) }

// palette is the colours of the tokens. Each is what lipgloss.Color takes: "#rrggbb",
// a number of the 256 colours, or one of the 16. "" is the terminal's own.
type palette struct {
	accent, ok, warn, fail, dim string
	boldWarn, boldFail          bool // told from the others by weight too
}

// paletteOf gives the designed palette. Nothing is converted from another depth:
// every text has a contrast of 4.5 to 1 at least, on black, on white and on
// Solarized's two backgrounds, which a test computes. Of the sixteen colours of
// xterm, the Linux console, Tango and Windows only few reach that: what none
// reaches keeps the terminal's own colour, and its sign and its weight tell it.
func paletteOf(depth Depth, light bool) palette {
	switch {
	case depth == Truecolor && light:
		return palette{accent: "#0550ae", ok: "#116329", warn: "#7d4e00", fail: "#a40e26", dim: "#57606a"}
	case depth == Truecolor:
		return palette{accent: "#79b8ff", ok: "#7ee787", warn: "#f2cc60", fail: "#ff9492", dim: "#8b949e"}
	case depth == Colors256 && light:
		return palette{accent: "25", ok: "22", warn: "94", fail: "124", dim: "240"}
	case depth == Colors256:
		return palette{accent: "117", ok: "114", warn: "221", fail: "210", dim: "248"}
	case light:
		return palette{accent: "4", fail: "1", boldWarn: true, boldFail: true}
	}
	return palette{accent: "14", ok: "10", warn: "11", boldFail: true}
}

// inColour is a style in a colour of the palette.
func inColour(color string, bold bool) lipgloss.Style {
	s := lipgloss.NewStyle().Bold(bold)
	if color == "" {
		return s
	}
	return s.Foreground(lipgloss.Color(color))
}
