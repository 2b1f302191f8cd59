package wizard

import (
	"fmt"
	"strings"
	"time"

	"rolecall/steps/screen"
	"rolecall/ui/draw"

	tea "charm.land/bubbletea/v2"
)

// A key belongs to what the person saw when it was pressed. Keys that confirm
// something are checked against how long it stood on the screen, whether the
// key was held down, and whether all of its text was shown.
const (
	// aFrame is how long a question takes until the terminal shows it.
	aFrame = 2 * time.Second / framesPerSecond
	// quietTime has to pass between two presses of one key; a key that is held
	// down repeats faster. A new question asks for it no longer than longestQuiet.
	quietTime    = 400 * time.Millisecond
	longestQuiet = 1500 * time.Millisecond
	// standTime is how long what writes has to have stood before enter confirms
	// it; y confirms it at once.
	standTime = 500 * time.Millisecond
)

// consent is what is known of the question on the screen and of the keys.
type consent struct {
	question string               // what stands there now, in one text
	since    time.Time            // since when
	shown    int                  // how many of its lines were on the screen
	whole    bool                 // all of them were, in the size that the terminal had
	last     map[string]time.Time // when each key was last pressed
}

// stand notes what stands on the screen now.
func (c *consent) stand(question string, now time.Time) {
	if question != c.question {
		c.question, c.since, c.shown, c.whole = question, now, 0, false
	}
}

// held notes a press and tells whether the key was held down.
func (c *consent) held(stroke string, repeats bool, now time.Time) bool {
	before, pressed := c.last[stroke]
	if c.last == nil {
		c.last = map[string]time.Time{}
	}
	c.last[stroke] = now
	return repeats || pressed && now.Sub(before) < quietTime
}

// tooEarly tells whether a press cannot have been meant for the question.
func (c *consent) tooEarly(b *binding, stroke string, held bool, now time.Time) bool {
	stood := now.Sub(c.since)
	if stood < aFrame {
		return true
	}
	if b.writes {
		return held || stroke == "enter" && stood < standTime
	}
	return held && stood < longestQuiet
}

// question is what the person decides on with the screen as it is, in one text:
// it changes when something else is asked, and not while a clock counts.
func (w *Wizard) question() string {
	var b strings.Builder
	fmt.Fprintln(&b, w.walk.Visit(), w.screen.Heading, w.asking != nil)
	for _, a := range w.screen.Actions {
		fmt.Fprintln(&b, a.ID, a.Label, a.Disabled, a.Default)
	}
	for _, block := range w.screen.Blocks {
		switch block := block.(type) {
		case screen.Waiting, screen.Tasks, screen.Meter, screen.Instructions, screen.Picture:
		case screen.Input:
			fmt.Fprintln(&b, block.ID, block.Label)
		case screen.Code:
			fmt.Fprintln(&b, block.Label, block.Name, block.About)
		case screen.Tree:
			fmt.Fprintln(&b, block.ID)
		case screen.Text, screen.Facts, screen.Choices, screen.Checks, screen.Link, screen.Problem:
			fmt.Fprintln(&b, block)
		}
	}
	return b.String()
}

// unread is how many lines of the screen were never shown since it stands there.
func (w *Wizard) unread() int {
	if w.consent.whole {
		return 0
	}
	return max(w.drawn.Lines-w.consent.shown, 0)
}

// see notes what is on the screen now.
func (c *consent) see(drawn draw.Drawn) {
	c.shown = max(c.shown, drawn.Last)
	c.whole = c.whole || drawn.Lines > 0 && c.shown >= drawn.Lines
}

// slips reports whether a press of a key that confirms is to be ignored, and
// says so where the person may wonder.
func (w *Wizard) slips(b *binding, msg tea.KeyPressMsg) bool {
	now, stroke := w.session.Now(), msg.String()
	held := w.consent.held(stroke, msg.IsRepeat, now)
	if !b.confirms || !w.consent.tooEarly(b, stroke, held, now) {
		return false
	}
	if b.writes {
		w.say(screen.Warning, "Not taken: this stood there too short to be read. Press enter again, or y.")
	}
	return true
}

// writing makes a key confirm something that changes things outside. While text
// of it was not shown yet, the key reads on instead.
func (w *Wizard) writing(b binding) binding {
	b.writes = true
	if n := w.unread(); n > 0 && b.Disabled == "" {
		b.Label, b.Help = fmt.Sprintf("read on: %d more", n), "scroll to the rest of what is agreed to"
		b.writes, b.confirms = false, false
		b.press = silent(func() { w.scroll(max(w.drawn.Rows-3, 1)) })
	}
	return b
}
