package draw

import (
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Look is what a terminal can show.
type Look struct {
	Light   bool // a light background
	Pinned  bool // a person named the background: the terminal's answer changes nothing
	Depth   Depth
	NoColor bool // NO_COLOR, or a terminal without colours
	ASCII   bool // a locale or terminal that shows no other characters
	Links   bool // OSC 8 hyperlinks do no harm
}

// Theme holds the tokens of a Look: one accent, ok, warn, fail and dim. Colour
// is never the only sign: a glyph and a word stand beside it.
type Theme struct {
	look                                      Look
	accent, ok, warn, fail, dim, bold, strong lipgloss.Style
	glyph                                     glyphs
}

type glyphs struct {
	done, next, ahead, partly              string
	ok, fail, warn, unknown, pending       string
	radioOn, radioOff, boxOn, boxOff, boxP string
	mark, down, up, folded, open           string
	rule, dot, ellipsis, bullet, wait      string
	barFull, barEmpty, caret, arrows       string
	spin                                   []string
}

// Arrows is the Name of the Key that moves the mark up and down.
const Arrows = "↑↓"

func unicodeGlyphs() glyphs {
	return glyphs{
		done: "✓", next: "▸", ahead: "·", partly: "~",
		ok: "✓", fail: "✗", warn: "!", unknown: "?", pending: "·",
		radioOn: "(•)", radioOff: "( )", boxOn: "[x]", boxOff: "[ ]", boxP: "[-]",
		mark: "›", down: "▾", up: "▴", folded: "▸", open: "▾",
		rule: "─", dot: " · ", ellipsis: "…", bullet: "•", wait: "◌",
		barFull: "█", barEmpty: "░", caret: "^", arrows: Arrows,
		spin: []string{"◐", "◓", "◑", "◒"},
	}
}

func asciiGlyphs() glyphs {
	return glyphs{
		done: "+", next: ">", ahead: ".", partly: "~",
		ok: "+", fail: "x", warn: "!", unknown: "?", pending: ".",
		radioOn: "(*)", radioOff: "( )", boxOn: "[x]", boxOff: "[ ]", boxP: "[-]",
		mark: ">", down: "v", up: "^", folded: ">", open: "v",
		rule: "-", dot: " - ", ellipsis: "...", bullet: "*", wait: "o",
		barFull: "#", barEmpty: ".", caret: "^", arrows: "up/down",
		spin: []string{"|", "/", "-", "\\"},
	}
}

// NewTheme makes the theme of a look.
func NewTheme(look Look) *Theme {
	t := &Theme{look: look, glyph: unicodeGlyphs()}
	if look.ASCII {
		t.glyph = asciiGlyphs()
	}
	t.bold = lipgloss.NewStyle().Bold(true)
	t.strong = t.bold
	if look.NoColor {
		t.accent, t.fail = t.bold, t.bold
		t.dim = lipgloss.NewStyle().Faint(true)
		return t
	}
	p := paletteOf(look.Depth, look.Light)
	t.accent = inColour(p.accent, true)
	t.ok = inColour(p.ok, false)
	t.warn = inColour(p.warn, p.boldWarn)
	t.fail = inColour(p.fail, p.boldFail)
	t.dim = inColour(p.dim, false)
	return t
}

// plain cleans text and, where only ASCII can be shown, writes it in ASCII.
func (t *Theme) plain(s string) string {
	s = Clean(s)
	if !t.look.ASCII {
		return s
	}
	return ASCII(s)
}

func (t *Theme) plainLines(s string) []string {
	lines := cleanLines(s)
	for i := range lines {
		lines[i] = t.plain(lines[i])
	}
	return lines
}

// ASCII writes text with the ASCII twins of the characters that rolecall's own
// words use, and a question mark for any other.
func ASCII(s string) string {
	if printableASCII(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		b.WriteString(inASCII(r))
	}
	return b.String()
}

// inASCII is the twin of one character.
func inASCII(r rune) string {
	switch r {
	case '·', '•', '–', '—', '‑':
		return "-"
	case '›', '▸', '→':
		return ">"
	case '‹', '←':
		return "<"
	case '…':
		return "..."
	case '“', '”', '„':
		return `"`
	case '‘', '’':
		return "'"
	case '✓':
		return "+"
	case '✗', '×':
		return "x"
	case '█':
		return "#"
	case '░':
		return "."
	case '≤':
		return "<="
	case '≥':
		return ">="
	}
	if r < utf8.RuneSelf {
		return string(r)
	}
	return "?"
}

// link wraps drawn text in a hyperlink where the terminal understands it.
func (t *Theme) link(url, text string) string {
	if !t.look.Links {
		return text
	}
	return ansi.SetHyperlink(Clean(url)) + text + ansi.ResetHyperlink()
}

// cut shortens plain text to n cells, with an ellipsis where it was cut.
func (t *Theme) cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if width(s) <= n {
		return s
	}
	return ansi.Truncate(s, n, t.glyph.ellipsis)
}
