package wizard

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"rolecall/ui/draw"

	"github.com/charmbracelet/x/ansi"
)

// TestEveryScreenOnEveryTerminal goes through all stories of all vendors, and looks
// at each screen, and at its help, on small and on large terminals: nothing sticks
// out, how to leave and how to go on are always named, and what does not fit can be
// scrolled to by keys that the footer names.
func TestEveryScreenOnEveryTerminal(t *testing.T) {
	for _, s := range stories(t) {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &film{fluent: begin(t, WizardOptions{Session: s.session(t), Terminal: testTerminal(t, "TERM=xterm"),
					Getenv: func(string) string { return "" }}), story: s, instructions: map[string]bool{}}
				seen := map[string]bool{}
				f.each = func() {
					asked := f.asked()
					if seen[asked] {
						return // read further: to be made larger and smaller again would begin at its top
					}
					seen[asked] = true
					for _, size := range [][2]int{{40, 12}, {44, 20}, {79, 13}, {80, 24}, {300, 50}} {
						f.size(size[0], size[1])
						f.fits()
						if !s.everything && !s.guideOnly && !s.noToken {
							f.helps()
						}
					}
					f.size(80, 24)
				}
				f.size(80, 24)
				f.Wait(pace)
				f.walk()
			})
		})
	}
}

// fits looks at what is drawn now.
func (f *film) fits() {
	f.t.Helper()
	f.watched.mu.Lock()
	defer f.watched.mu.Unlock()
	w := f.wizard
	lines := strings.Split(ansi.Strip(w.drawn.Content), "\n")
	wrong := func(what string) {
		f.t.Helper()
		f.t.Errorf("%d×%d: %s:\n%s", w.width, w.height, what, strings.Join(lines, "\n"))
	}
	if len(lines) > w.height || slices.ContainsFunc(lines, func(l string) bool { return ansi.StringWidth(l) > w.width }) {
		wrong("it sticks out")
	}
	foot := strings.Join(lines[max(len(lines)-w.drawn.Foot, 0):], "\n")
	named := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(foot, key) })
	}
	if !named("ctrl+c leave") {
		wrong("the footer does not say how to leave")
	}
	enter := slices.ContainsFunc(w.bindings, func(b binding) bool { return b.Name == "enter" && !b.Hidden })
	if enter && !named("enter") {
		wrong("the footer does not say how to go on")
	}
	if w.drawn.Lines > w.drawn.Rows && !named(draw.Arrows, "pgdn", "read on", "tab") {
		wrong("no key that scrolls is named")
	}
}

// helps opens the help, where there is one, and reads it to its end.
func (f *film) helps() {
	f.t.Helper()
	if f.answering() {
		return
	}
	f.key("?")
	if !f.helpShown() {
		f.t.Errorf("no help:\n%s", f.Screen())
		return
	}
	f.fits()
	_, before := f.marking()
	f.key("down")
	if _, drawn := f.marking(); before.Lines > before.Rows && drawn.Last <= before.Last {
		f.t.Errorf("the arrow does not scroll:\n%s", f.Screen())
	}
	for range 30 {
		_, drawn := f.marking()
		if drawn.Last >= drawn.Lines {
			break
		}
		f.Sees(draw.Arrows)
		f.key("pgdown")
	}
	if _, drawn := f.marking(); drawn.Last < drawn.Lines {
		f.t.Errorf("the help does not scroll to its end:\n%s", f.Screen())
	}
	f.fits()
	f.key("esc")
	if f.helpShown() {
		f.t.Errorf("the help does not close:\n%s", f.Screen())
	}
}

// key presses a key without looking first.
func (f *film) key(name string) {
	if msg, ok := namedKeys[name]; ok {
		f.Send(msg)
		return
	}
	f.Type(name)
}

func (f *film) asked() string {
	f.watched.mu.Lock()
	defer f.watched.mu.Unlock()
	return f.wizard.question()
}

// answering reports that a letter is text, or the answer to a question.
func (f *film) answering() bool {
	f.watched.mu.Lock()
	defer f.watched.mu.Unlock()
	return f.wizard.focused() != nil || f.wizard.asking != nil
}

func (f *film) helpShown() bool {
	f.watched.mu.Lock()
	defer f.watched.mu.Unlock()
	return f.wizard.help != nil
}
