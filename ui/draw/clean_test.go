package draw_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                             "plain",
		"":                                  "",
		"a\nb\tc\r":                         "a b c ",
		"\x1b[31mred\x1b[0m":                "red",
		"\x1b]8;;https://x\x1b\\link":       "link",
		"\x1b]52;c;AAAA\a!":                 "!",
		"a\x00b\x7fc\u0085d\u009be":         "abcde",
		"abc\u202edef\u2066x\u2069":         "abcdefx",
		"zero\u200bwidth\ufeff\u200d\u00ad": "zerowidth",
		"line\u2028sep":                     "line sep",
		"ü é 日本 e\u0301":                    "ü é 日本 e\u0301",
		"bad\xff\xfeutf8":                   "bad\uFFFDutf8",
		"tag\U000e0041":                     "tag",
	} {
		if got := draw.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[31mred", "\x1b", "\x9b31m", "a\u202eb", "\x1b]52;c;\x07", "\xff\x1b[", "\x1bP\x1b\\", "日本語"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := draw.Clean(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q is not UTF-8", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf) || r == '\u2028' || r == '\u2029' {
				t.Errorf("%q let %U through", s, r)
			}
		}
		if again := draw.Clean(got); again != got {
			t.Errorf("cleaning twice gives %q, once %q", again, got)
		}
	})
}

// FuzzDraw holds every frame to its size, whatever a step was told to say.
func FuzzDraw(f *testing.F) {
	f.Add("text", "value", 80, 24, 3, 2)
	f.Add("\x1b[2J\u202e", "日本語日本語日本語", 12, 4, 100, -1)
	f.Add("a\n\n\nb", strings.Repeat("x", 300), 44, 20, 0, 0)
	f.Fuzz(func(t *testing.T, text, value string, width, height, top, next int) {
		if width < 12 || width > 300 || height < 4 || height > 100 || len(text)+len(value) > 4000 {
			t.Skip("no terminal, or more than a fuzzer should draw")
		}
		s := scene{screen: of(
			screen.Text{Body: text},
			screen.Numbered(next, text, value, text, "d"),
			screen.Facts{{Label: text, Value: value, Copy: true, Note: text}},
			screen.Input{ID: "i", Label: text, Value: value, Problem: text},
			screen.Link{Label: text, URL: value},
			screen.Problem{What: text, Wanted: value, Found: text, Next: text},
			screen.Meter{
				Label: text,
				Used:  top,
				Limit: next,
			},
			screen.Choices{ID: "c", Label: text, Options: []screen.Option{{ID: "1", Label: value, Detail: text}}},
			screen.Tree{ID: "t", Nodes: []screen.Node{{ID: "n", Label: text, Detail: value, Note: text, Details: []string{value}}}},
			screen.Code{Label: text, Name: value, About: text, Body: text},
		)}
		fr := frame(s, width, height)
		fr.Top, fr.Follow, fr.Caret, fr.Status = top, next%2 == 0, next, draw.Status{Text: text}
		for _, look := range []draw.Look{{}, {ASCII: true, NoColor: true}} {
			d := draw.NewTheme(look).Draw(fr)
			lines := strings.Split(d.Content, "\n")
			if len(lines) > height {
				t.Fatalf("%d lines on %d", len(lines), height)
			}
			for _, line := range lines {
				if w := ansi.StringWidth(line); w > width {
					t.Fatalf("a line of %d cells on %d: %q", w, width, line)
				}
			}
		}
		sheet := draw.NewTheme(draw.Look{}).Sheet(screen.Code{Body: text, Notes: []screen.Note{{Line: 1, Text: value}}}, width, false)
		for line := range strings.SplitSeq(sheet.Draw(fr, draw.Reading{Top: fr.Top}).Content, "\n") {
			if w := ansi.StringWidth(line); w > width {
				t.Fatalf("a line of %d cells in the viewer", w)
			}
		}
	})
}
