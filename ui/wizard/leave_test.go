package wizard

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/step"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
)

// writes is a step whose default action sends a writing call that takes five
// seconds.
func writes(title string) *testStep {
	s := still(title)
	s.screen = func() screen.Screen {
		return screen.Screen{Heading: title, Actions: []screen.Action{{ID: "go", Label: "submit", Default: true}}}
	}
	s.update = func(msg screen.Msg) (step.Move, []screen.Effect) {
		if _, ok := msg.(screen.Chose); ok {
			return step.Stay, []screen.Effect{screen.Call{Name: "submit role", Writes: true, Do: func(context.Context) screen.Msg {
				time.Sleep(5 * time.Second)
				return "accepted"
			}}}
		}
		return step.Stay, nil
	}
	return s
}

func TestLeavingWaitsForAWrite(t *testing.T) {
	s := writes("Connect")
	journal := &notes{}
	drive(t, []step.Step{asks("First", "a", "a"), s}, func(o *WizardOptions) { o.Journal = journal }, func(w *fluent) {
		w.Enter().Enter().Wait(1400 * time.Millisecond).Press("ctrl+c").Sees(`Waiting for "submit role" · 0:02. Then rolecall leaves`)
		w.Press("ctrl+c").Wait(700 * time.Millisecond).Sees("0:03")
		w.Wait(3 * time.Second).Ends()
		if w.wizard.Ended() {
			t.Error("left, not ended")
		}
	})
	if diff := cmp.Diff([]screen.Msg{screen.Chose{ID: "go"}, "accepted"}, s.told); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"before submit role", "after submit role unknown"}, journal.lines); diff != "" {
		t.Error(diff)
	}
}

func TestBackWaitsForAWriteAndItsAnswerReachesTheStepThatAsked(t *testing.T) {
	first, s := asks("First", "a", "a"), writes("Connect")
	drive(t, []step.Step{first, s}, nil, func(w *fluent) {
		w.Enter().Enter().Wait(time.Second).Press("b").Sees("Connect", "Then rolecall goes back").Wait(5 * time.Second).
			Sees("Step 1 of 2 · First")
	})
	if diff := cmp.Diff([]screen.Msg{screen.Chose{ID: "go"}, "accepted"}, s.told); diff != "" {
		t.Error(diff)
	}
	if len(first.told) != 1 {
		t.Errorf("the first step was told %v", first.told)
	}
}

func TestNothingComesBetweenAWriteAndItsAnswer(t *testing.T) {
	s := writes("Connect")
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Enter().Wait(time.Second).Enter()
		if len(s.told) != 1 {
			t.Errorf("told %v during the write", s.told)
		}
		w.Sees("Then rolecall goes on").Wait(20 * time.Second)
	})
	if diff := cmp.Diff([]screen.Msg{screen.Chose{ID: "go"}, "accepted", screen.Chose{ID: "go"}, "accepted"}, s.told); diff != "" {
		t.Error(diff)
	}
}

func TestASignalWaitsForAWriteToo(t *testing.T) {
	for _, signal := range []tea.Msg{tea.QuitMsg{}, tea.InterruptMsg{}, leaveMsg{}} {
		s := writes("Connect")
		drive(t, []step.Step{s}, nil, func(w *fluent) {
			w.Enter().Send(signal).Wait(2 * time.Second).Send(signal).Sees("Then rolecall leaves").Wait(4 * time.Second).Ends()
		})
		if len(s.told) != 2 {
			t.Errorf("%T: told %v", signal, s.told)
		}
	}
}

func TestAKilledProgramStillHearsTheAnswer(t *testing.T) {
	s := writes("Connect")
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		w.Enter()
		w.program.Kill()
		if err := <-w.done; !errors.Is(err, tea.ErrProgramKilled) {
			t.Error(err)
		}
		w.ended = true
		w.wizard.finish(t.Context())
	})
	if diff := cmp.Diff([]screen.Msg{screen.Chose{ID: "go"}, "accepted"}, s.told); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsLeaveTheClipboard(t *testing.T) {
	bin := t.TempDir()
	board := filepath.Join(bin, "board")
	tools := map[string]string{"termux-clipboard-set": "cat >" + board, "termux-clipboard-get": "cat " + board}
	for name, body := range tools {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+body), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	get := func() string { text, _ := os.ReadFile(board); return string(text) }
	s := still("Keys")
	s.enter = func() []screen.Effect {
		return []screen.Effect{screen.Copy{Label: "Secret key", Text: "hunter2", ClearAfter: 20 * time.Second}}
	}
	native := func(o *WizardOptions) {
		o.Terminal = testTerminal(t, "TERM=linux")
		o.Terminal.LookPath = func(name string) (string, error) {
			return name, map[bool]error{false: os.ErrNotExist}[tools[name] != ""]
		}
		o.Terminal.Command = func(ctx context.Context, name string, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, filepath.Join(bin, name), args...)
		}
	}
	drive(t, []step.Step{s}, native, func(w *fluent) {
		w.Sees("Secret key copied (7 bytes). Off the clipboard again in 20 s.").Wait(19 * time.Second).Sees("again in 1 s")
		if get() != "hunter2" {
			t.Errorf("the clipboard holds %q", get())
		}
		if w.Wait(2 * time.Second).Sees("off the clipboard"); get() != "" {
			t.Errorf("the clipboard holds %q", get())
		}
	})
	drive(t, []step.Step{s}, native, func(w *fluent) {
		w.Press("ctrl+c").Ends()
		w.wizard.finish(context.Background())
		if get() != "" {
			t.Errorf("after leaving the clipboard holds %q", get())
		}
	})
}

func TestAPanicInAStepGivesTheTerminalBack(t *testing.T) {
	s := asks("First", "a", "a")
	s.update = func(screen.Msg) (step.Move, []screen.Effect) { panic("mistake") }
	drive(t, []step.Step{s}, nil, func(w *fluent) {
		if !strings.Contains(w.Output(), "\x1b[?1049h") {
			t.Error("there is no alternate screen")
		}
		w.program.Send(tea.KeyPressMsg{Code: tea.KeyEnter})
		err := <-w.done
		w.ended = true
		if !errors.Is(err, tea.ErrProgramPanic) {
			t.Errorf("%v", err)
		}
		if !strings.Contains(w.out.String(), "\x1b[?1049l") {
			t.Error("the alternate screen was not left")
		}
	})
}

// TestAPanicGivesARealTerminalBack has a step panic in a pseudo-terminal.
func TestAPanicGivesARealTerminalBack(t *testing.T) {
	if raceDetector {
		t.Skip("Bubble Tea closes its reader while that reads when it recovers from a panic")
	}
	master, line, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer func() { _, _ = line.Close(), master.Close() }()
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(line.Fd())
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan struct{})
	s := asks("First", "a", "a")
	s.enter = func() []screen.Effect {
		return []screen.Effect{screen.Call{Name: "look", Do: func(context.Context) screen.Msg { <-shown; return screen.Chose{} }}}
	}
	s.update = func(screen.Msg) (step.Move, []screen.Effect) { panic("mistake") }
	session := &step.Session{Now: time.Now}
	w := NewWizard(WizardOptions{Session: session, Terminal: testTerminal(t), Getenv: func(string) string { return "" },
		walk: &testWalk{session: session, all: []step.Step{s}}})
	var drawn lockedBuffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		chunk := make([]byte, 4096)
		for told := false; ; {
			n, err := master.Read(chunk)
			_, _ = drawn.Write(chunk[:n])
			if !told && (err != nil || strings.Contains(drawn.String(), "First")) {
				told = true
				close(shown)
			}
			if err != nil {
				return
			}
		}
	}()
	if err := w.Run(t.Context(), line, line, tea.WithEnvironment([]string{"TERM=xterm-256color"})); !errors.Is(err, tea.ErrProgramPanic) {
		t.Errorf("it ended with %v", err)
	}
	after, err := term.GetState(line.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the terminal was left with other modes: %+v, was %+v", after, before)
	}
	_ = line.Close()
	<-read
	for _, pair := range [][2]string{{"\x1b[?1049h", "\x1b[?1049l"}, {"\x1b[?25l", "\x1b[?25h"}, {"\x1b[?2004h", "\x1b[?2004l"}} {
		if text := drawn.String(); strings.LastIndex(text, pair[0]) > strings.LastIndex(text, pair[1]) {
			t.Errorf("%q was not taken back", pair[0])
		}
	}
}

// notes is a journal in memory.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) Before(name string) error { return n.note("before " + name) }

func (n *notes) After(name string, outcome screen.Outcome) error {
	return n.note("after " + name + " " + string(outcome.Result))
}

func (n *notes) note(line string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
	return nil
}
