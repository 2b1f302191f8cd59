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
	// reactTime is how long people take to see that a screen changed by itself: a
	// key that comes sooner was meant for the one before.
	reactTime = 300 * time.Millisecond
)

// consent is what is known of the question on the screen and of the keys.
type consent struct {
	question string               // what stands there now, in one text
	since    time.Time            // since when
	itself   bool                 // it came by itself, not with a key
	text     string               // what has to be read before it is answered
	shown    int                  // how many of its lines were on the screen, from the first on
	whole    bool                 // all of them were, in the size that the terminal had
	last     map[string]time.Time // when each key was last pressed
}

// stand notes what stands on the screen now, and whether it is being asked about.
// To be asked, and to say no, makes nothing unread. byKey says that the person
// just pressed a key.
func (c *consent) stand(text string, asking, byKey bool, now time.Time) {
	if question := fmt.Sprint(asking, text); question != c.question {
		c.question, c.since, c.itself = question, now, !byKey && c.question != ""
	}
	if text != c.text {
		c.text, c.shown, c.whole = text, 0, false
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
	if stood < aFrame || c.itself && stood < reactTime {
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
	fmt.Fprintln(&b, w.walk.Visit(), w.screen.Heading)
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
	if w.width == 0 {
		return 1 // nothing was drawn yet
	}
	return max(w.drawn.Lines-w.consent.shown, 0)
}

// see notes what is on the screen now. What was jumped over was not shown.
func (c *consent) see(drawn draw.Drawn) {
	if drawn.Top <= c.shown {
		c.shown = max(c.shown, drawn.Last)
	}
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
	switch {
	case b.writes && held:
		w.refuse("Not taken: a key that is held down agrees to nothing. Press enter again, or y.")
	case w.consent.itself:
		w.refuse("Not taken: the screen just changed. Press it again if it is still meant.")
	case b.writes:
		w.refuse("Not taken: this stood there too short to be read. Press enter again, or y.")
	}
	return true
}

// writing makes a key confirm something that changes things outside, or ask
// about it. While text of it was not shown yet, the key reads on instead.
func (w *Wizard) writing(b binding, asks bool) binding {
	b.writes = !asks
	if n := w.unread(); n > 0 && b.Disabled == "" {
		return w.readOn(b, n, w.consent.shown)
	}
	return b
}

// readOn makes a key show what comes behind a line of the step, instead of
// deciding something that is not on the screen.
func (w *Wizard) readOn(b binding, n, line int) binding {
	b.Label, b.Help = fmt.Sprintf("read on: %d more", n), "scroll to the rest of what is asked"
	b.writes, b.confirms, b.Disabled = false, false, ""
	if w.drawn.Rows >= 6 {
		line-- // one line stays, for who reads on
	}
	b.press = silent(func() { w.scroll(line - w.top) })
	return b
}

// seen makes a key that decides about what is marked read on, while the mark is
// not on the screen.
func (w *Wizard) seen(b binding) binding {
	below := w.drawn.Lines - w.drawn.Last
	switch {
	case !w.drawn.Unmarked:
		return b
	case below > 0:
		return w.readOn(b, below, w.drawn.Last)
	}
	b.Label, b.Help, b.confirms = "show what is marked", "scroll to what is marked", false
	b.press = silent(func() { w.mark(w.at()) })
	return b
}
