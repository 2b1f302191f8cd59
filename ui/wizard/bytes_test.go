package wizard

import (
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/ui/draw"
)

// What a key may cost on the wire, in bytes.
const (
	mostOfACursorKey = 120
	mostOfATick      = 60
	// A tick in a tree changes the box of what holds it too, and the characters at
	// the other end of that line: the renderer writes a line from its first change
	// to its last.
	mostOfATreeTick = 110
	// A fold moves every line under it.
	mostOfAFold = 1000
)

// TestBytesOfAKey walks through every method with the real renderer and measures
// what moving the mark costs on each screen. A key that scrolls, or that writes an
// address out, draws what was not there and is not counted.
func TestBytesOfAKey(t *testing.T) {
	for _, method := range []string{describe.Manual, describe.Direct, describe.Automatic} {
		for _, profile := range []colorprofile.Profile{colorprofile.ANSI, colorprofile.ANSI256, colorprofile.TrueColor} {
			t.Run(method+" "+profile.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := picturedMethod(t, "spot", method, describe.AccessRole)
					p.session.AccountPinned = false
					w := inColours(t, p, profile)
					screens := map[string]bool{}
					for range 25 {
						if w.Wait(3 * time.Second); w.ending() {
							break
						}
						if here := w.here(); !screens[here] {
							screens[here] = true
							w.cursorKeys(mostOfACursorKey)
						}
						w.Enter()
					}
					if len(screens) < 5 {
						t.Errorf("only %d screens were seen", len(screens))
					}
				})
			})
		}
	}
}

// TestBytesOfATick ticks instructions, and what is to be granted, and folds.
func TestBytesOfATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inColours(t, picturedMethod(t, "spot", describe.Manual, describe.AccessRole), colorprofile.ANSI256)
		w.reach(record.StepPermissions).Press("down").Enter().Sees("[x] Elastigroup").Press("down", "down")
		for range 2 {
			w.costs("space", mostOfATreeTick)
		}
		for _, key := range []string{"right", "left"} {
			w.costs(key, mostOfAFold)
		}
		w.Press("esc", "up").reach(record.StepPolicy).size(80, 44) // the whole list: where it is cut, a tick shows the next line
		for range 3 {
			w.costs("space", mostOfATick)
		}
	})
}

func inColours(t *testing.T, p *pictured, profile colorprofile.Profile) *fluent {
	t.Helper()
	return begin(t, WizardOptions{Session: p.session, Terminal: testTerminal(t, "TERM=xterm"), Getenv: func(string) string { return "" }},
		tea.WithColorProfile(profile), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
}

// cursorKeys goes down through what can be marked, and up again.
func (w *fluent) cursorKeys(most int) {
	w.t.Helper()
	for _, key := range []string{"down", "up"} {
		for range w.wizard.items {
			item, before := w.marking()
			n := w.bytesOf(key)
			next, after := w.marking()
			scrolled := before.Top != after.Top || before.Lines != after.Lines || before.Last != after.Last
			if !scrolled && item.Kind != draw.Page && next.Kind != draw.Page && item.Kind != draw.ToDo && n > most {
				w.t.Errorf("%s from %q to %q costs %d bytes, at most %d:\n%s", key, item.Label, next.Label, n, most, w.Screen())
			}
		}
	}
}

// ending reports that enter would end the walk.
func (w *fluent) ending() bool {
	w.watched.mu.Lock()
	defer w.watched.mu.Unlock()
	return w.wizard.walk.Complete()
}

// here is the step, and what it shows of itself now.
func (w *fluent) here() string {
	step := string(w.step())
	w.watched.mu.Lock()
	defer w.watched.mu.Unlock()
	return step + w.wizard.screen.Heading
}

func (w *fluent) marking() (draw.Item, draw.Drawn) {
	w.watched.mu.Lock()
	defer w.watched.mu.Unlock()
	item, _ := w.wizard.item()
	return item, w.wizard.drawn
}

func (w *fluent) costs(key string, most int) {
	w.t.Helper()
	if n := w.bytesOf(key); n > most || n == 0 {
		w.t.Errorf("%s costs %d bytes, at most %d:\n%s", key, n, most, w.Screen())
	}
}

// bytesOf presses a key and is what its frame costs, without the clocks on the
// screen, which stand still for it.
func (w *fluent) bytesOf(key string) int {
	w.t.Helper()
	w.Wait(pace)
	w.quiet()
	w.Send(namedKeys[key])
	time.Sleep(frameTime)
	synctest.Wait()
	return len(w.out.String())
}

// frameTime is in which a change is drawn.
const frameTime = time.Second / 50

// quiet waits for a moment in which nothing on the screen moves for a while.
func (w *fluent) quiet() {
	for range 50 {
		w.out.Reset()
		time.Sleep(frameTime)
		synctest.Wait()
		if w.out.String() != "" {
			break // a clock ticked just now: the next is a second away
		}
	}
	time.Sleep(2 * frameTime)
	synctest.Wait()
	w.out.Reset()
}
