package wizard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"

	tea "charm.land/bubbletea/v2"

	"rolecall/ui/draw"
)

// refresh looks at the screen again after something happened, and draws it. It
// schedules the next tick if anything on it moves.
func (w *Wizard) refresh() tea.Cmd {
	w.screen = w.current()
	w.items = draw.Items(w.screen, w.folds)
	w.keepNumbers()
	w.settleMark()
	w.syncFields()
	w.beginAtTheTop()
	w.consent.stand(w.question(), w.asking != nil, w.byKey, w.session.Now())
	unmarked := w.drawn.Unmarked
	w.bindings = w.bind()
	w.draw()
	tall, unread := w.drawn.Lines > w.drawn.Rows, w.unread()
	if w.plainStep() && !w.tooSmall() {
		w.consent.see(w.drawn)
	}
	if tall != w.tall || unread != w.unread() || unmarked != w.drawn.Unmarked {
		w.tall = tall // other keys work now: those that scroll, and what was read
		w.bindings = w.bind()
		w.draw()
	}
	return w.tick()
}

// beginAtTheTop shows another stage of a step from its first line on, except to
// somebody who scrolled: what one reads does not move.
func (w *Wizard) beginAtTheTop() {
	if stage := w.stageOf(); stage != w.stage {
		w.stage = stage
		if w.refused {
			w.status, w.refused = draw.Status{}, false // why it was goes with what it was about
		}
		if w.follow {
			w.top = 0
		}
	}
}

// stageOf is what a step asks for now, in one text: it changes when the step goes
// on to something else, and not with what is told about it.
func (w *Wizard) stageOf() string {
	var b strings.Builder
	fmt.Fprintln(&b, w.walk.Visit(), w.screen.Heading)
	for _, a := range w.screen.Actions {
		if a.Default {
			fmt.Fprintln(&b, a.ID, a.Disabled == "")
		}
	}
	for _, item := range w.items {
		if item.Kind == draw.Option || item.Kind == draw.Field {
			fmt.Fprintln(&b, item.Block, item.ID)
		}
	}
	return b.String()
}

func (w *Wizard) draw() {
	if w.width == 0 {
		return
	}
	w.drawn = w.paint(w.frame())
	w.reading = w.drawn.Shown
	if w.viewer != nil {
		w.viewer.at.Top = w.drawn.Top
		return
	}
	w.top = w.drawn.Top
}

// paint draws a frame of the step, or of the viewer that lies over it.
func (w *Wizard) paint(frame draw.Frame) draw.Drawn {
	if w.viewer != nil {
		return w.viewer.sheet.Draw(frame, w.viewer.at)
	}
	return w.theme.Draw(frame)
}

func (w *Wizard) frame() draw.Frame {
	f := draw.Frame{
		Width: w.width, Height: w.height, Header: w.header(), Rail: w.walk.Rail(), Screen: w.screen,
		Marked: w.marked, Numbers: w.numbers, Folds: w.folds, Texts: map[string]string{}, Sent: w.sent,
		Now: w.session.Now(), Turn: w.turning(), Status: w.currentStatus(), Shown: w.shown,
		Top: w.top, Follow: w.follow, Moved: w.moved, Over: w.under != nil, Held: w.reading,
	}
	for id, field := range w.fields {
		f.Texts[id] = field.edit.Value()
	}
	if field := w.focused(); field != nil {
		f.Caret = field.edit.Position()
	}
	if w.asking != nil {
		f.Question = w.asking.Confirm.Question
	}
	if w.help != nil {
		f.Sought = w.help.line.text
		for _, b := range append(w.plainKeys(), w.everyKeys()...) {
			f.Help = append(f.Help, b.Key)
		}
	}
	for _, b := range w.bindings {
		f.Keys = append(f.Keys, b.Key)
	}
	return f
}

// currentStatus is what was said last, unless a writing call is waited for.
func (w *Wizard) currentStatus() draw.Status {
	if line := w.finding(); line != nil {
		return draw.Status{Text: "/" + line.text}
	}
	writing, busy := w.calls.Writing()
	if !busy && len(w.news) > 0 {
		return draw.Status{Tone: screen.Good, Text: w.newsLine()}
	}
	if !busy || w.leaving == staying && len(w.held) == 0 {
		if w.status.Text == "" && w.unsaved != "" {
			return draw.Status{Bad: true, Text: w.unsaved}
		}
		return w.counting(w.status)
	}
	then := "Then rolecall goes on."
	switch w.leaving {
	case quitting, stopping:
		then = "Then rolecall leaves; nothing is lost."
	case goingBack:
		then = "Then rolecall goes back."
	case staying:
	}
	return draw.Status{Tone: screen.Warning, Text: fmt.Sprintf("Waiting for %q · %s. %s",
		writing.Name, screen.Clock(w.session.Now().Sub(writing.Since)), then)}
}

// counting adds how long a secret stays on the clipboard.
func (w *Wizard) counting(status draw.Status) draw.Status {
	var last time.Duration
	for _, until := range w.secrets {
		last = max(last, until.Sub(w.session.Now()))
	}
	if last > 0 && !status.Bad {
		status.Text = strings.TrimSpace(fmt.Sprintf("%s Off the clipboard again in %d s.", status.Text, (last+time.Second-1)/time.Second))
	}
	return status
}

// header is who and where.
func (w *Wizard) header() draw.Header {
	s := w.session
	h := draw.Header{How: how(s.Method), Account: accountWords(s)}
	if s.Vendor != nil {
		h.Vendor = s.Vendor.Title
	}
	switch {
	case s.Rehearsal:
		h.Banner = "REHEARSAL"
		if w.session.Scenarios != nil && w.width >= bannerFrom && w.session.Scenarios.Now() != "" {
			h.Banner += ": " + w.session.Scenarios.Now()
		}
	case s.Endpoint != "":
		h.Banner = "NOT AWS: " + s.Endpoint
	}
	return h
}

// bannerFrom is the width from which the header has room for what goes wrong.
const bannerFrom = 100

// how says who does the AWS part, in the header's words.
func how(method string) string {
	switch method {
	case describe.Manual:
		return "by hand"
	case describe.Automatic:
		return "by CloudFormation"
	case describe.Direct:
		return "by rolecall"
	case record.MethodOrganisation:
		return "all of an organization"
	}
	return method
}

func accountWords(s *step.Session) string {
	id := s.AccountID
	if s.Seen.Identity != nil {
		id = cmp.Or(id, s.Seen.Identity.AccountID)
	}
	if len(id) != 12 {
		return id
	}
	return strings.TrimSpace(id[:4] + "-" + id[4:8] + "-" + id[8:] + " " + s.Seen.Alias)
}

// View is the last frame drawn.
func (w *Wizard) View() tea.View {
	v := tea.NewView(w.drawn.Content)
	v.AltScreen = true
	v.WindowTitle = "rolecall"
	if w.screen.Heading != "" {
		v.WindowTitle = "rolecall: " + draw.Clean(w.screen.Heading)
	}
	if w.drawn.CursorX >= 0 && w.plainStep() && w.focused() != nil {
		v.Cursor = tea.NewCursor(w.drawn.CursorX, w.drawn.CursorY)
		v.Cursor.Blink = false
	}
	return v
}

// tooSmall reports that the terminal has no room for what would be shown.
func (w *Wizard) tooSmall() bool { return w.width > 0 && draw.TooSmall(w.width, w.height) }

func (w *Wizard) resize(width, height int) {
	if width <= 0 || height <= 0 {
		return
	}
	w.width, w.height, w.follow = width, height, true
	if !w.consent.whole {
		w.consent.shown = 0 // the lines are others now
	}
	w.relayViewer()
}

func (w *Wizard) restyle(change func(*draw.Look)) {
	before := w.look
	change(&w.look)
	if w.look == before {
		return
	}
	w.theme = draw.NewTheme(w.look)
	w.relayViewer()
}

const (
	spinAfter  = 300 * time.Millisecond
	spinEvery  = 250 * time.Millisecond
	spinRemote = 500 * time.Millisecond
)

// spinInterval is four turns a second, over SSH two.
func (w *Wizard) spinInterval() time.Duration {
	if w.terminal != nil && w.terminal.Remote() {
		return spinRemote
	}
	return spinEvery
}

// turning is how far the spinner is; it stands still while no call is under way
// for longer than people notice.
func (w *Wizard) turning() int {
	now := w.session.Now()
	for _, s := range w.calls.Sending() {
		if d := now.Sub(s.Since); d >= spinAfter {
			return int(d / w.spinInterval())
		}
	}
	return -1
}

// tick schedules the next frame if something on the screen moves: the spinner,
// or a clock, which changes once a second.
func (w *Wizard) tick() tea.Cmd {
	if w.ticking || !w.moving() {
		return nil
	}
	w.ticking = true
	return tea.Tick(w.tickDelay(), func(time.Time) tea.Msg { return tickMsg{} })
}

func (w *Wizard) moving() bool {
	if w.viewer != nil || w.gone {
		return false
	}
	if _, busy := w.calls.Writing(); busy || len(w.secrets) > 0 || len(w.news) > 0 {
		return true
	}
	return slices.ContainsFunc(w.screen.Blocks, counts)
}

// counts reports whether a block shows time that goes on.
func counts(block screen.Block) bool {
	if tasks, ok := block.(screen.Tasks); ok {
		return slices.ContainsFunc(tasks, func(t screen.Task) bool { return t.State == screen.Running })
	}
	_, waits := block.(screen.Waiting)
	return waits
}

func (w *Wizard) tickDelay() time.Duration {
	if w.turning() >= 0 {
		return w.spinInterval()
	}
	if len(w.calls.Sending()) > 0 {
		return spinAfter
	}
	now := w.session.Now()
	for _, block := range w.screen.Blocks {
		if b, ok := block.(screen.Waiting); ok && !b.Since.IsZero() {
			return time.Second - now.Sub(b.Since)%time.Second
		}
	}
	return time.Second
}
