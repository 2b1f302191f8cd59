package wizard

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// The size of a picture's letters in pixels. A cell is as wide as most
// monospaced fonts have it: six tenths of the letters' size.
const (
	letterSize = 14.0
	cellWidth  = 8.4
	cellHeight = 19.0
	margin     = 14.0
)

// A picture's background and the colour of text that has none.
const (
	pictureGround = "#0d1117"
	pictureText   = "#e6edf3"
)

// paper is a background and the colour of text that has none.
type paper struct{ ground, text string }

func dark() paper { return paper{pictureGround, pictureText} }

// svg turns a frame of a terminal of the given size into a picture that needs
// nothing else: no font, style sheet or script.
func svg(frame, title string, columns, rows int) string {
	return svgOn(dark(), frame, title, columns, rows)
}

func svgOn(on paper, frame, title string, columns, rows int) string {
	var b strings.Builder
	b.WriteString(sheet(on, title, columns, rows))
	drawFrame(&b, on, frame, columns, rows)
	b.WriteString("</svg>\n")
	return b.String()
}

// sheet is the beginning of a picture: its size, letters and ground.
func sheet(on paper, title string, columns, rows int) string {
	width, height := float64(columns)*cellWidth+2*margin, float64(rows)*cellHeight+2*margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %g %g" width="%g" height="%g" xml:space="preserve"`,
		width, height, width, height) +
		fmt.Sprintf(` font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace" `+
			`font-size="%g" fill="%s">`, letterSize, on.text) +
		fmt.Sprintf("\n<title>%s</title>\n", escaped(title)) + `<rect width="100%" height="100%" rx="8" fill="` + on.ground + `"/>` + "\n"
}

// stacked is pictures of one width, one under the other.
func stacked(title string, pictures []string, columns, rows int) string {
	width, height := float64(columns)*cellWidth+2*margin, float64(rows)*cellHeight+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %g %g" width="%g">`+"\n<title>%s</title>\n",
		width, float64(len(pictures))*(height+margin)-margin, width, escaped(title))
	for i, picture := range pictures {
		b.WriteString(strings.Replace(picture, "<svg ", fmt.Sprintf(`<svg y="%g" `, float64(i)*(height+margin)), 1))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawFrame(b *strings.Builder, on paper, frame string, columns, rows int) {
	screen := uv.NewScreenBuffer(columns, rows)
	screen.Method = ansi.GraphemeWidth
	uv.NewStyledString(frame).Draw(screen, screen.Bounds())
	for y, line := range screen.Lines {
		for _, r := range stretches(line) {
			r.write(b, y, on)
		}
	}
}

// standing is how long each frame of a moving picture stands, in seconds.
const standing = 3

// movingSVG shows frames one after the other, for ever, by nothing but a style
// sheet, which also works where pictures may run no script. Who asked their
// system for less movement, and a program that moves nothing, has the last frame.
func movingSVG(frames []string, title string, columns, rows int) string {
	var b strings.Builder
	b.WriteString(sheet(dark(), title, columns, rows))
	fmt.Fprintf(&b, "<style>\n.f{visibility:hidden}\n.f:last-of-type{visibility:visible}\n@media (prefers-reduced-motion:no-preference){\n"+
		".f,.f:last-of-type{visibility:hidden;animation:f %ds step-end infinite}\n", standing*len(frames))
	fmt.Fprintf(&b, "@keyframes f{0%%{visibility:visible}%.4f%%{visibility:hidden}}\n}\n</style>\n", 100/float64(len(frames)))
	for i, frame := range frames {
		fmt.Fprintf(&b, "<g class=\"f\" style=\"animation-delay:%ds\">\n", standing*i)
		drawFrame(&b, dark(), frame, columns, rows)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// stretch is text of one style from one column on.
type stretch struct {
	column, cells int
	text          string
	style         uv.Style
}

// stretches cuts a line where the style changes, at gaps, and around what is not
// ASCII: such a letter may come from another font, whose width must not shift
// the rest of the line.
func stretches(line uv.Line) []stretch {
	var all []stretch
	column, apart := 0, true
	for _, cell := range line {
		if cell.Width == 0 {
			continue
		}
		here := stretch{column: column, cells: cell.Width, text: cell.Content, style: cell.Style}
		column += cell.Width
		if here.blank() {
			apart = true
			continue
		}
		if n := len(all); !apart && all[n-1].takes(here) {
			all[n-1].text += here.text
			all[n-1].cells += here.cells
		} else {
			all = append(all, here)
		}
		apart = false
	}
	return all
}

// blank reports a cell that shows nothing.
func (r stretch) blank() bool {
	return strings.TrimSpace(r.text) == "" && r.style.Bg == nil && r.style.Underline == uv.UnderlineNone && r.style.Attrs&uv.AttrReverse == 0
}

// takes reports whether the next cell can be drawn together with this one.
func (r stretch) takes(next stretch) bool {
	if !r.style.Equal(&next.style) {
		return false
	}
	if _, drawn := shape(next.text); drawn || next.text[0] >= 0x80 {
		return strings.HasPrefix(r.text, next.text) // a bar or a rule
	}
	return r.text[0] < 0x80
}

// box is a drawn character: how much of the cell it fills, from where down.
type box struct{ top, height, opacity float64 }

// shape is how bars and rules are drawn, so that they have no gaps in any font.
func shape(text string) (box, bool) {
	switch {
	case strings.HasPrefix(text, "█"):
		return box{0.15, 0.7, 1}, true
	case strings.HasPrefix(text, "░"):
		return box{0.15, 0.7, 0.3}, true
	case strings.HasPrefix(text, "─"):
		return box{0.5, 0.05, 1}, true
	}
	return box{}, false
}

func (r stretch) write(b *strings.Builder, y int, on paper) {
	x, top, width := margin+float64(r.column)*cellWidth, margin+float64(y)*cellHeight, float64(r.cells)*cellWidth
	front, ground := hex(r.style.Fg, on.text), hex(r.style.Bg, "")
	if r.style.Attrs&uv.AttrReverse != 0 {
		front, ground = hex(r.style.Bg, on.ground), hex(r.style.Fg, on.text)
	}
	if ground != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, top, width, cellHeight, ground)
	}
	if s, ok := shape(r.text); ok {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" opacity="%g"/>`+"\n",
			x, top+s.top*cellHeight, width, s.height*cellHeight, front, s.opacity)
		return
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f"`, x, top+cellHeight*0.72)
	if front != on.text {
		fmt.Fprintf(b, ` fill="%s"`, front)
	}
	if r.style.Attrs&uv.AttrBold != 0 {
		b.WriteString(` font-weight="bold"`)
	}
	if r.style.Attrs&uv.AttrFaint != 0 {
		b.WriteString(` opacity="0.6"`)
	}
	if r.style.Underline != uv.UnderlineNone {
		b.WriteString(` text-decoration="underline"`)
	}
	fmt.Fprintf(b, ` textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n", width, escaped(r.text))
}

func hex(c color.Color, none string) string {
	if c == nil {
		return none
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
	return b.String()
}

func TestSVGKeepsColumnsStylesAndText(t *testing.T) {
	got := svg("ab \x1b[1;38;2;255;148;146m<x>\x1b[m  ✓ done\n██░ \x1b[7mon\x1b[m", "a & b", 20, 2)
	for _, want := range []string{
		"<title>a &amp; b</title>",
		`<text x="14.0" y="27.7" textLength="16.8" lengthAdjust="spacingAndGlyphs">ab</text>`,
		`<text x="39.2" y="27.7" fill="#ff9492" font-weight="bold" textLength="25.2" lengthAdjust="spacingAndGlyphs">&lt;x&gt;</text>`,
		`<text x="81.2" y="27.7" textLength="8.4" lengthAdjust="spacingAndGlyphs">✓</text>`,
		`<rect x="14.0" y="35.9" width="16.8" height="13.3" fill="#e6edf3" opacity="1"/>`,
		`<text x="47.6" y="46.7" fill="#0d1117"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	var document struct {
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal([]byte(got), &document); err != nil || len(document.Texts) != 5 {
		t.Errorf("%d texts, %v: %q", len(document.Texts), err, document.Texts)
	}
}
