package wizard

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"rolecall/steps"
	"rolecall/ui/terminal"
)

// fluent drives the real program as a person would, in virtual time: it reads
// the screen and presses keys.
//
//	w.Sees("Create IAM role").Press("c").Type("arn:…").Enter()
type fluent struct {
	t       *testing.T
	wizard  *Wizard
	watched *watched
	program *tea.Program
	out     *lockedBuffer
	done    chan error
	ended   bool
}

// lockedBuffer is what the program writes to its terminal.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

// drive runs what as a test in virtual time, with a wizard over these steps.
func drive(t *testing.T, all []step.Step, change func(*WizardOptions), what func(w *fluent)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		session := &step.Session{Now: time.Now}
		o := WizardOptions{
			Session: session, Terminal: testTerminal(t, "SSH_CONNECTION=1", "TERM=xterm"), Getenv: func(string) string { return "" },
			walk: &testWalk{session: session, all: all},
		}
		if change != nil {
			change(&o)
		}
		what(begin(t, o))
	})
}

// begin starts the program. It has to run inside a synctest bubble.
func begin(t *testing.T, o WizardOptions, more ...tea.ProgramOption) *fluent {
	t.Helper()
	w := &fluent{t: t, wizard: NewWizard(o), out: &lockedBuffer{}, done: make(chan error, 1)}
	w.watched = &watched{Wizard: w.wizard}
	w.program = tea.NewProgram(w.watched, append([]tea.ProgramOption{
		tea.WithInput(nil),
		tea.WithOutput(w.out),
		tea.WithoutSignalHandler(),
		tea.WithFilter(w.wizard.filter),
		tea.WithWindowSize(80, 24),
		tea.WithColorProfile(colorprofile.NoTTY),
		tea.WithEnvironment(nil),
	}, more...)...)
	go func() { _, err := w.program.Run(); w.done <- err }()
	t.Cleanup(w.stop)
	synctest.Wait()
	return w
}

// testTerminal has the environment that is named and no tools.
func testTerminal(t *testing.T, env ...string) *terminal.Terminal {
	t.Helper()
	d := terminal.New()
	d.Getenv = func(name string) string {
		for _, pair := range env {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value
			}
		}
		return ""
	}
	d.LookPath = func(string) (string, error) { return "", context.Canceled }
	d.Answer(terminal.Reply{}, false) // it was asked, and does not answer
	d.Dir = t.TempDir()
	return d
}

// stop ends the program and lets its timers run out.
func (w *fluent) stop() {
	if !w.ended {
		w.program.Kill()
		if err := <-w.done; !errors.Is(err, tea.ErrProgramKilled) {
			w.t.Error(err)
		}
	}
	w.wizard.calls.Drain()
	time.Sleep(time.Hour)
}

// watched is the wizard with a lock, so that a test may look at it while the
// program's own clock goes on.
type watched struct {
	*Wizard
	mu sync.Mutex
}

func (w *watched) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, cmd := w.Wizard.Update(msg)
	return w, cmd
}

func (w *watched) View() tea.View {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Wizard.View()
}

// Output is what was written to the terminal since it was last asked for.
func (w *fluent) Output() string {
	w.Wait(time.Second / 10) // the renderer writes sixty times a second
	defer w.out.Reset()
	return w.out.String()
}

// Screen is the frame as a person reads it.
func (w *fluent) Screen() string { return ansi.Strip(w.watched.View().Content) }

// Sees fails unless every text is on the screen.
func (w *fluent) Sees(texts ...string) *fluent {
	w.t.Helper()
	for _, text := range texts {
		if !strings.Contains(oneLine(w.Screen()), oneLine(text)) {
			w.t.Fatalf("%q is not on the screen:\n%s", text, w.Screen())
		}
	}
	return w
}

// SeesNot fails if the text is on the screen.
func (w *fluent) SeesNot(texts ...string) *fluent {
	w.t.Helper()
	for _, text := range texts {
		if strings.Contains(oneLine(w.Screen()), oneLine(text)) {
			w.t.Fatalf("%q is on the screen:\n%s", text, w.Screen())
		}
	}
	return w
}

// oneLine makes text comparable wherever it was wrapped.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

var namedKeys = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
	"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight},
	"pgdown": {Code: tea.KeyPgDown}, "pgup": {Code: tea.KeyPgUp}, "home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd},
	"space": {Code: tea.KeySpace, Text: " "}, "backspace": {Code: tea.KeyBackspace},
	"f2": {Code: tea.KeyF2}, "f3": {Code: tea.KeyF3},
	"ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+z": {Code: 'z', Mod: tea.ModCtrl},
}

// pace is how long a person looks before a key is pressed.
const pace = 600 * time.Millisecond

// Press presses keys, one after the other, as a person does who looks first.
func (w *fluent) Press(keys ...string) *fluent {
	w.t.Helper()
	for _, key := range keys {
		w.Wait(pace)
		msg, ok := namedKeys[key]
		if !ok {
			r := []rune(key)
			msg = tea.KeyPressMsg{Code: r[0], Text: key}
		}
		w.Send(msg)
	}
	return w
}

// Enter presses enter.
func (w *fluent) Enter() *fluent { return w.Press("enter") }

// Type types letters.
func (w *fluent) Type(text string) *fluent {
	for _, r := range text {
		w.Send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return w
}

// Paste pastes as a terminal does.
func (w *fluent) Paste(text string) *fluent { return w.Send(tea.PasteMsg{Content: text}) }

// Send hands the program a message and waits until all is quiet again.
func (w *fluent) Send(msg tea.Msg) *fluent {
	w.program.Send(msg)
	synctest.Wait()
	return w
}

// Wait lets virtual time pass.
func (w *fluent) Wait(d time.Duration) *fluent {
	time.Sleep(d)
	synctest.Wait()
	return w
}

// Ends waits for the program to be over.
func (w *fluent) Ends() *fluent {
	w.t.Helper()
	if err := <-w.done; err != nil {
		w.t.Fatal(err)
	}
	w.ended = true
	return w
}

// testWalk walks through given steps by the rules of steps.Walk, for steps that
// no vendor's description names.
type testWalk struct {
	session *step.Session
	all     []step.Step
	at      int
	visit   int
	ended   bool
}

func (w *testWalk) Start() steps.Turn                   { return w.arrive(0) }
func (w *testWalk) StartAt(record.StepID) steps.Turn    { return w.arrive(w.at) }
func (w *testWalk) Step() step.Step                     { return w.all[w.at] }
func (w *testWalk) Screen() screen.Screen               { return w.Step().Screen(w.session) }
func (w *testWalk) Visit() int                          { return w.visit }
func (w *testWalk) Ended() bool                         { return w.ended }
func (w *testWalk) Complete() bool                      { return false }
func (w *testWalk) CanGoBack() bool                     { return w.at > 0 }
func (w *testWalk) Leave() (turn steps.Turn, asks bool) { return steps.Turn{}, false }

func (w *testWalk) Back() steps.Turn { return w.follow(step.Back) }

func (w *testWalk) Tell(msg screen.Msg) steps.Turn {
	move, effects := w.Step().Update(w.session, msg)
	turn := w.follow(move)
	turn.Effects = effects
	return turn
}

func (w *testWalk) follow(move step.Move) steps.Turn {
	switch {
	case move == step.Next && w.at+1 < len(w.all):
		return w.arrive(w.at + 1)
	case move == step.Next, move == step.Stop:
		w.ended = true
		return steps.Turn{Ended: true}
	case move == step.Back && w.at > 0:
		return w.arrive(w.at - 1)
	}
	return steps.Turn{}
}

func (w *testWalk) arrive(at int) steps.Turn {
	w.at = at
	w.visit++
	return steps.Turn{Arrived: true, Entry: w.Step().Enter(w.session)}
}

func (w *testWalk) Rail() []steps.RailItem {
	var rail []steps.RailItem
	for i, s := range w.all {
		rail = append(rail, steps.RailItem{Number: i + 1, Title: s.Title(), Here: i == w.at})
	}
	return rail
}

// testStep is a step made of functions; it keeps what it was told.
type testStep struct {
	title  string
	screen func() screen.Screen
	enter  func() []screen.Effect
	update func(screen.Msg) (step.Move, []screen.Effect)
	told   []screen.Msg
}

func (s *testStep) ID() record.StepID                  { return record.StepID(s.title) }
func (s *testStep) Title() string                      { return s.title }
func (s *testStep) Status(record.Answers) step.Status  { return step.Todo }
func (s *testStep) Screen(*step.Session) screen.Screen { return s.screen() }

func (s *testStep) Enter(*step.Session) []screen.Effect {
	if s.enter == nil {
		return nil
	}
	return s.enter()
}

func (s *testStep) Update(_ *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	s.told = append(s.told, msg)
	if s.update == nil {
		return step.Stay, nil
	}
	return s.update(msg)
}

// still is a step that shows these blocks and stays.
func still(title string, blocks ...screen.Block) *testStep {
	return &testStep{title: title, screen: func() screen.Screen { return screen.Screen{Heading: title, Blocks: blocks} }}
}
