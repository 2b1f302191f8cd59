// Package wizard is the full-screen front: the only Bubble Tea model, which
// shows the steps of a walk and turns keys into messages. It stands on calls
// and draw.
package wizard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"charm.land/bubbles/v2/textinput"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/calls"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"rolecall/steps"
	"rolecall/ui/draw"
	"rolecall/ui/terminal"
)

// WizardOptions are what the full-screen wizard depends on.
type WizardOptions struct {
	Session  *step.Session
	Walk     *steps.Walk // nil: through the session's own steps
	Terminal *terminal.Terminal
	Journal  calls.Journal // nil: nothing is kept
	// Save is called with the answers after every change; nil: nothing is kept.
	Save   func(record.Answers) error
	Getenv func(string) string // locale, TERM, NO_COLOR
	Theme  string              // one of draw.Themes; "" asks the terminal
	// After is like time.After, on the clock of the session; nil: the wall clock.
	After func(time.Duration) <-chan time.Time
	// StartAt names the step to begin with; empty: the first that is not done.
	StartAt record.StepID

	walk walker // in tests, instead of the session's own flow
}

// walker is what the wizard needs of steps.Walk.
type walker interface {
	Start() steps.Turn
	StartAt(record.StepID) steps.Turn
	Tell(screen.Msg) steps.Turn
	Back() steps.Turn
	Leave() (turn steps.Turn, asks bool)
	Screen() screen.Screen
	Rail() []steps.RailItem
	Visit() int
	Ended() bool
	Complete() bool
	CanGoBack() bool
}

// Wizard is the full-screen front and the only tea.Model. It knows no step: it
// hands messages to the walk, carries out effects and draws what comes of it.
type Wizard struct {
	walk     walker
	session  *step.Session
	terminal *terminal.Terminal
	calls    *calls.Calls
	save     func(record.Answers) error
	saved    []byte
	unsaved  string // why the last change is not
	startAt  record.StepID
	getenv   func(string) string

	look          draw.Look
	theme         *draw.Theme
	width, height int

	// What the person sees and marks now; computed by refresh.
	screen   screen.Screen
	items    []draw.Item
	bindings []binding
	drawn    draw.Drawn
	tall     bool // the step does not fit: scrolling works

	marked  string // key of the marked item
	moved   bool   // the person moved the mark in this screen
	chose   bool   // the person just chose something: a field that appears was asked for
	top     int
	follow  bool
	stage   string   // what the step asked for, when it was last drawn
	reading []string // the lines of the step that are on the screen
	folds   draw.Folds
	fields  map[string]*field
	sent    map[string]string
	status  draw.Status
	refused bool // the status says why a key was not taken
	asking  *screen.Action
	consent consent
	help    *help          // nil: it is not shown
	numbers map[string]int // the keys that copy, by item: they stay while the step stands
	shown   *screen.Link
	viewer  *viewer

	under *place // the list of mistakes lies over the step, at this place of it

	leaving leaving
	gone    bool            // tea.Quit is on its way
	over    <-chan struct{} // closed when the program is to end
	held    []heldMsg       // told once the writing call was answered
	news    []heldMsg       // told once the person is not busy
	pressed time.Time       // when a key was last pressed
	byKey   bool            // what happens now comes of a key
	lost    time.Time       // when an answer took the focus from a field
	ticking bool
	secrets map[string]time.Time // on the clipboard, until when
	files   map[string]string    // where what was saved lies, by the key of its item
	last    *copiedText          // what was copied last; it can be checked
	check   *pasteCheck          // and is being checked
	meeting meeting
}

// field is an Input being edited.
type field struct {
	edit textinput.Model
	last string // the step's value when it was last seen

	typed bool // the person changed the text, and did not hand it over yet
	asked bool // the person asked for the field, and did not leave it yet
}

// heldMsg is a message that waits until a writing call was answered. It is
// dropped if the step was left meanwhile.
type heldMsg struct {
	visit int
	msg   screen.Msg
}

// leaving is where the person wants to go while a writing call is under way.
type leaving int

const (
	staying leaving = iota
	goingBack
	quitting // asked first, where a key would be left behind
	stopping // at once: by a signal, or at the end
)

// Messages of the wizard to itself.
type (
	leaveMsg struct{} // a signal, or the end of the context
	tickMsg  struct{}
	clearMsg struct{ text string } // take a secret off the clipboard
)

// NewWizard makes the wizard. Nothing happens before Run.
func NewWizard(o WizardOptions) *Wizard {
	switch {
	case o.walk != nil:
	case o.Walk != nil:
		o.walk = o.Walk
	default:
		o.walk = steps.NewWalk(o.Session)
	}
	if o.Save == nil {
		o.Save = func(record.Answers) error { return nil }
	}
	w := &Wizard{
		walk: o.walk, session: o.Session, terminal: o.Terminal, save: o.Save, startAt: o.StartAt, getenv: o.Getenv,
		secrets: map[string]time.Time{},
	}
	w.calls = calls.NewCalls(context.Background(), o.Journal, o.Session.Now)
	if o.After != nil {
		w.calls.After = o.After
	}
	w.look = draw.LookOf(o.Getenv)
	w.look, _ = w.look.Themed(o.Theme)
	w.theme = draw.NewTheme(w.look)
	w.forget()
	return w
}

// Ended reports whether the walk came to its end, or was left when nothing was
// left to do.
func (w *Wizard) Ended() bool { return w.walk.Ended() || w.walk.Complete() }

// framesPerSecond bounds how often a change is drawn, and so how long the first
// frame and a key's answer wait for their turn: 17 ms at most. Bubble Tea wakes as
// often while nothing happens, which is what idling costs. Nothing is drawn that did
// not change.
const framesPerSecond = 60

// Run shows the wizard until the walk ended or the person left. When ctx ends
// it leaves as by ctrl+c: a writing call under way is waited for and its answer
// saved. The error is that of the terminal, or a panic after which the terminal
// was restored; leaving is none.
func (w *Wizard) Run(ctx context.Context, in io.Reader, out io.Writer, opts ...tea.ProgramOption) error {
	// Signals come by ctx alone: a second handler, Bubble Tea's own, hands over its
	// message to a loop that may have ended by then, and the program waits for it.
	opts = append(
		[]tea.ProgramOption{tea.WithInput(in), tea.WithOutput(keepingTitle(out)), tea.WithFilter(w.filter), tea.WithFPS(framesPerSecond),
			tea.WithoutSignalHandler()},
		opts...)
	program := tea.NewProgram(w, opts...)
	w.over = ctx.Done()
	stop := context.AfterFunc(ctx, func() { program.Send(leaveMsg{}) })
	defer stop()
	_, err := program.Run()
	w.finish(context.WithoutCancel(ctx))
	if errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// finish leaves nothing behind: no secret on the clipboard, and where the
// program ended from outside, no writing call whose answer is not saved.
func (w *Wizard) finish(ctx context.Context) {
	for _, msg := range w.calls.Drain() {
		w.walk.Tell(msg)
	}
	w.keep()
	w.clearSecrets(ctx)
}

// filter turns the signals into the same leaving as ctrl+c, so that they wait
// for a writing call too.
func (w *Wizard) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg.(type) {
	case tea.InterruptMsg:
		return leaveMsg{}
	case tea.QuitMsg:
		if !w.gone {
			return leaveMsg{}
		}
	}
	return msg
}

// Init starts the walk.
func (w *Wizard) Init() tea.Cmd {
	turn := w.begin()
	return tea.Batch(tea.RequestBackgroundColor, w.turn(0, turn), w.refresh())
}

func (w *Wizard) begin() steps.Turn {
	if w.startAt != "" {
		return w.walk.StartAt(w.startAt)
	}
	return w.walk.Start()
}

// Update takes one message of the terminal or of a command.
func (w *Wizard) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, w.byKey = msg.(tea.KeyPressMsg)
	cmd := w.update(msg)
	return w, tea.Batch(cmd, w.catchUp(), w.refresh())
}

func (w *Wizard) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		w.resize(msg.Width, msg.Height)
	case tea.BackgroundColorMsg:
		w.restyle(func(l *draw.Look) { l.Light = l.Pinned && l.Light || !l.Pinned && !msg.IsDark() })
	case tea.ColorProfileMsg:
		w.restyle(func(l *draw.Look) {
			l.NoColor, l.Depth = l.NoColor || msg.Profile < colorprofile.ANSI, draw.DepthOf(msg.Profile)
		})
	case tea.KeyPressMsg:
		return w.press(msg)
	case tea.PasteMsg:
		return w.paste(msg.Content)
	case calls.Reply:
		return w.reply(msg)
	case terminalMsg:
		return w.fromTerminal(msg)
	case tickMsg:
		w.ticking = false
	case clearMsg:
		return w.clear(msg.text)
	case clearedMsg:
		w.say(msg.tone, msg.text)
	case leaveMsg:
		return w.leave(stopping)
	default:
		return w.fromOutside(msg)
	}
	return nil
}

// tell hands a message to the step, unless a writing call is under way: then it
// waits, so that no move can come between the call and its answer.
func (w *Wizard) tell(msg screen.Msg) tea.Cmd {
	if w.walk.Ended() {
		return nil
	}
	if _, busy := w.calls.Writing(); busy {
		w.held = append(w.held, heldMsg{w.walk.Visit(), msg})
		return nil
	}
	return w.tellNow(msg)
}

func (w *Wizard) tellNow(msg screen.Msg) tea.Cmd {
	visit := w.walk.Visit()
	return w.turn(visit, w.walk.Tell(msg))
}

// reply takes what came of a call.
func (w *Wizard) reply(r calls.Reply) tea.Cmd {
	writes := r.Flight.Call.Writes
	msg, ok := w.calls.Take(r)
	var cmd tea.Cmd
	switch {
	case ok && writes:
		cmd = w.tellNow(msg)
	case ok:
		_, field := w.fields[w.fieldMarked()]
		cmd = w.late(msg)
		w.lookAgain()
		if field && w.focused() == nil {
			w.lost = w.session.Now()
		}
	}
	return tea.Batch(cmd, w.release())
}

// release does what waited for a writing call, once there is none any more.
func (w *Wizard) release() tea.Cmd {
	var cmds []tea.Cmd
	for len(w.held) > 0 {
		if _, busy := w.calls.Writing(); busy {
			return tea.Batch(cmds...)
		}
		next := w.held[0]
		w.held = w.held[1:]
		if next.visit == w.walk.Visit() {
			cmds = append(cmds, w.tell(next.msg))
		}
	}
	if _, busy := w.calls.Writing(); !busy && w.leaving != staying {
		cmds = append(cmds, w.leave(w.leaving))
	}
	return tea.Batch(cmds...)
}

// turn carries out what the walk asks for after it was told something.
func (w *Wizard) turn(visit int, turn steps.Turn) tea.Cmd {
	if turn.Arrived {
		w.calls.Arrive(w.walk.Visit())
		w.forget()
		if w.leaving == goingBack {
			w.leaving = staying // the step moved on by itself meanwhile
		}
	}
	cmds := w.effects(visit, turn.Effects)
	if turn.Arrived {
		cmds = append(cmds, w.effects(w.walk.Visit(), turn.Entry)...)
	}
	w.keep()
	if turn.Ended || turn.Left {
		cmds = append(cmds, w.leave(stopping))
	}
	return tea.Batch(cmds...)
}

// leave goes back or out, once no writing call is under way.
func (w *Wizard) leave(where leaving) tea.Cmd {
	if _, busy := w.calls.Writing(); busy {
		w.leaving = where
		return nil
	}
	w.leaving = staying
	switch where {
	case goingBack:
		return w.goBack()
	case quitting:
		visit := w.walk.Visit()
		if turn, asks := w.walk.Leave(); asks {
			return w.turn(visit, turn)
		}
	}
	w.gone = true
	w.calls.Close()
	return tea.Quit
}

func (w *Wizard) goBack() tea.Cmd {
	visit := w.walk.Visit()
	return w.turn(visit, w.walk.Back())
}

// keep saves the answers if they changed. A failure is shown and is not the end.
func (w *Wizard) keep() {
	data, err := json.Marshal(w.session.Answers)
	if err == nil && bytes.Equal(data, w.saved) {
		return
	}
	if err == nil {
		err = w.save(w.session.Answers)
	}
	w.unsaved = ""
	if err != nil {
		w.unsaved = "This session is not saved: " + err.Error()
		return
	}
	w.saved = data
}

// forget clears what belongs to one visit.
func (w *Wizard) forget() {
	w.under = nil
	w.marked, w.moved, w.chose, w.top, w.follow = "", false, false, 0, true
	w.folds, w.fields, w.sent = draw.Folds{}, map[string]*field{}, map[string]string{}
	w.numbers = map[string]int{}
	w.status, w.asking, w.help, w.shown, w.viewer, w.held, w.news = draw.Status{}, nil, nil, nil, nil, nil, nil
	w.files, w.last, w.check = map[string]string{}, nil, nil
}

func (w *Wizard) say(tone screen.Tone, text string) { w.status = draw.Status{Tone: tone, Text: text} }
func (w *Wizard) fail(text string)                  { w.status = draw.Status{Bad: true, Text: text} }
