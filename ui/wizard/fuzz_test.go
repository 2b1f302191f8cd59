package wizard

import (
	"strings"
	"testing"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/step"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// FuzzKeys presses anything on a screen that has everything, at any size: no
// key may panic, and no frame may be larger than the terminal.
func FuzzKeys(f *testing.F) {
	f.Add("cosvb?jk \r\t123", uint8(80), uint8(24))
	f.Add("v/a\r\x1bnGgq", uint8(44), uint8(20))
	f.Add("?\x1b\x1b\x1bldurldur", uint8(12), uint8(4))
	f.Fuzz(func(t *testing.T, keys string, width, height uint8) {
		if len(keys) > 200 {
			t.Skip("more keys than tell something new")
		}
		w := NewWizard(fuzzOptions(t))
		w.Init()
		w.Update(tea.WindowSizeMsg{Width: int(width), Height: int(height)})
		for i, r := range keys {
			w.Update(fuzzKey(r))
			if i%7 == 0 {
				w.Update(tea.WindowSizeMsg{Width: int(width)/(i%3+1) + i%5, Height: int(height) - i%4})
			}
			frameFits(t, w)
		}
	})
}

func fuzzKey(r rune) tea.Msg {
	named := map[rune]string{
		'\r':   "enter",
		'\x1b': "esc",
		'\t':   "tab",
		'l':    "left",
		'r':    "right",
		'u':    "up",
		'd':    "down",
		' ':    "space",
		'\x7f': "backspace",
		'\x02': "pgup",
		'\x06': "pgdown",
	}
	switch name := named[r]; {
	case name != "":
		return namedKeys[name]
	case r == '\x16':
		return tea.PasteMsg{Content: "pasted\x1b[2J\ntext"}
	}
	return tea.KeyPressMsg{Code: r, Text: string(r)}
}

func frameFits(t *testing.T, w *Wizard) {
	t.Helper()
	if w.width < 1 || w.height < 1 {
		return // no terminal
	}
	lines := strings.Split(w.View().Content, "\n")
	if len(lines) > w.height {
		t.Fatalf("%d lines on a screen of %d", len(lines), w.height)
	}
	for _, line := range lines {
		if n := ansi.StringWidth(line); n > w.width {
			t.Fatalf("a line of %d cells on %d: %q", n, w.width, line)
		}
	}
}

func fuzzOptions(t *testing.T) WizardOptions {
	session := &step.Session{Now: time.Now}
	tree := screen.Tree{
		ID: "t",
		Nodes: []screen.Node{
			{ID: "a", Label: "A", Children: []screen.Node{{ID: "b", Label: "B", Details: []string{"d"}}}},
			{ID: "c", Label: "C", Fixed: "so"},
		},
	}
	all := still(
		"All",
		screen.Text{Body: "text"},
		screen.Numbered(1, "one", "two", "three", "four", "five"),
		screen.Facts{
			{Label: "F", Value: "value", Copy: true},
		},
		tree,
		screen.Input{ID: "i", Label: "In"},
		screen.Code{Label: "Code", Name: "c.json", Body: "{\"a\": 1}\n"},
		screen.Link{
			Label: "Link",
			URL:   "https://example.com",
		},
		screen.Choices{ID: "q", Options: []screen.Option{{ID: "1", Label: "One"}, {ID: "2", Label: "Two", Disabled: "no"}}},
		screen.Waiting{For: "x", Since: time.Now()},
		screen.Problem{What: "w", Wanted: "abc", Found: "abd"},
	)
	show := all.screen
	all.screen = func() screen.Screen {
		s := show()
		s.Actions = []screen.Action{
			{ID: "go", Label: "go", Default: true, Confirm: &screen.Confirm{Question: "Sure?"}},
			{ID: "e", Key: "e", Label: "extend", Disabled: "not yet"},
		}
		return s
	}
	return WizardOptions{Session: session, Terminal: testTerminal(t, "SSH_TTY=1"), Getenv: func(string) string { return "" },
		walk: &testWalk{session: session, all: []step.Step{all, all}}}
}
