package ui_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	xterm "github.com/charmbracelet/x/term"
	"github.com/creack/pty"
)

// terminal is the built program in a real pseudo-terminal.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File

	fresh *xterm.State // the modes of a terminal that nothing changed

	mu   sync.Mutex
	seen bytes.Buffer
	done chan struct{}
}

func (term *terminal) modes() (*xterm.State, error) { return xterm.GetState(term.file.Fd()) }

func freshModes(t *testing.T) *xterm.State {
	t.Helper()
	master, line, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer func() { _, _ = line.Close(), master.Close() }()
	modes, err := xterm.GetState(master.Fd())
	if err != nil {
		t.Fatal(err)
	}
	return modes
}

func inTerminal(t *testing.T, state string, args ...string) *terminal {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"TERM=xterm-256color", "HOME=" + state, "XDG_STATE_HOME=" + state, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if errors.Is(err, pty.ErrUnsupported) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, cmd: cmd, file: file, done: make(chan struct{}), fresh: freshModes(t)}
	go term.read()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = file.Close() })
	return term
}

// read collects what is drawn, and answers the one question that programs ask a
// terminal and wait for: what it is.
func (term *terminal) read() {
	defer close(term.done)
	chunk := make([]byte, 4096)
	for {
		n, err := term.file.Read(chunk)
		term.mu.Lock()
		term.seen.Write(chunk[:n])
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.seen.String()
}

// sees waits until text was drawn.
func (term *terminal) sees(text string) {
	term.t.Helper()
	for range 1000 {
		if strings.Contains(term.text(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	term.t.Fatalf("never drew %q; what was drawn:\n%q", text, term.text())
}

// enterTo presses enter as a person does who has read the screen, and waits until
// text was drawn. It presses again where the program says that it was too early,
// and on a screen that stands in between.
func (term *terminal) enterTo(text string) {
	term.t.Helper()
	const tooEarly = "Not taken"
	for range 8 {
		time.Sleep(200 * time.Millisecond)
		early := strings.Count(term.text(), tooEarly)
		term.types("\r")
		for range 300 {
			time.Sleep(10 * time.Millisecond)
			if strings.Contains(term.text(), text) {
				return
			}
			if strings.Count(term.text(), tooEarly) > early {
				break
			}
		}
	}
	term.t.Fatalf("enter never led to %q; what was drawn:\n%q", text, term.text())
}

func (term *terminal) types(keys string) {
	term.t.Helper()
	if _, err := term.file.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// exits waits for the end and returns the exit code.
func (term *terminal) exits() int {
	term.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- term.cmd.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			term.t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		term.t.Fatalf("did not end; what was drawn:\n%q", term.text())
	}
	// The last bytes are read before the other side is gone.
	select {
	case <-term.done:
	case <-time.After(2 * time.Second):
	}
	return term.cmd.ProcessState.ExitCode()
}

const (
	altScreenOn  = "\x1b[?1049h"
	altScreenOff = "\x1b[?1049l"
	cursorShown  = "\x1b[?25h"
)

// restored wants the terminal as it was: back on the main screen, with a cursor.
func (term *terminal) restored() {
	term.t.Helper()
	text := term.text()
	if !strings.Contains(text, altScreenOn) {
		term.t.Error("the wizard did not use the alternate screen")
	}
	if strings.LastIndex(text, altScreenOff) < strings.LastIndex(text, altScreenOn) {
		term.t.Error("the terminal was left on the alternate screen")
	}
	if strings.LastIndex(text, cursorShown) < strings.LastIndex(text, "\x1b[?25l") {
		term.t.Error("the cursor was left hidden")
	}
	for _, mode := range []string{"?2004", "?1000", "?1002", "?1003"} { // bracketed paste, the mouse
		if on := strings.LastIndex(text, "\x1b["+mode+"h"); on > strings.LastIndex(text, "\x1b["+mode+"l") {
			term.t.Errorf("mode %s was left on", mode)
		}
	}
	modes, err := term.modes()
	if err != nil {
		term.t.Fatal(err)
	}
	if !reflect.DeepEqual(modes, term.fresh) {
		term.t.Errorf("the terminal was left with other modes: %+v, was %+v", modes, term.fresh)
	}
}

func TestInATerminal(t *testing.T) {
	t.Parallel()
	binary, state := builtProgram(t), t.TempDir()

	t.Run("ctrl+c", func(t *testing.T) {
		term := inTerminal(t, state, binary, "rehearse", "--vendor", "spot", "--method", "manual")
		term.sees("Step 1 of ")
		term.enterTo("GovCloud")
		term.types("\x03")
		if code := term.exits(); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
		term.restored()
		if text := term.text(); !strings.Contains(text[strings.LastIndex(text, altScreenOff):], "rolecall resume") {
			t.Errorf("after leaving it does not say how to go on: %q", text[strings.LastIndex(text, altScreenOff):])
		}
	})
	for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			term := inTerminal(t, state, binary, "rehearse", "--vendor", "spot", "--method", "manual")
			term.sees("Step 1 of ")
			if err := term.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := term.exits(); code != 130 {
				t.Errorf("exit code %d, want 130", code)
			}
			term.restored()
		})
	}
	t.Run("ctrl+c where a value is printed plain", func(t *testing.T) {
		term := inTerminal(t, state, binary, "rehearse", "--vendor", "spot", "--method", "manual")
		term.sees("Step 1 of ")
		term.types("p")
		term.sees("\r\n" + signUp + "\r\n")
		term.sees("ctrl+c leaves.")
		term.types("\x03")
		if code := term.exits(); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
		term.restored()
	})
	t.Run("resume", func(t *testing.T) {
		term := inTerminal(t, state, binary, "resume")
		term.sees("REHEARSAL")
		term.sees("Step ")
		term.types("\x03")
		if code := term.exits(); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
	})
	t.Run("help asks nothing of a dumb terminal", func(t *testing.T) {
		cmd := exec.Command(binary, "--help")
		cmd.Env = []string{"TERM=dumb"}
		out, err := cmd.Output()
		if err != nil || bytes.ContainsRune(out, '\x1b') {
			t.Errorf("%v: %q", err, out)
		}
	})
	t.Run("secret not shown", func(t *testing.T) {
		term := inTerminal(t, state, binary, "connect", "--plain", "--vendor", "spot", "--method", "manual")
		term.sees("There is no API token of Spot here")
		term.types("2\r")
		term.sees("API token")
		time.Sleep(100 * time.Millisecond)
		term.types("hunter2-is-a-secret\r")
		time.Sleep(300 * time.Millisecond)
		term.types("\x03")
		if code := term.exits(); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
		if strings.Contains(term.text(), "hunter2") {
			t.Error("the secret is on the screen")
		}
	})
}

func TestSignalsSaveTheSession(t *testing.T) {
	t.Parallel()
	binary := builtProgram(t)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			state := t.TempDir()
			cmd := exec.Command(binary, "rehearse", "--yes", "--json", "--vendor", "spot", "--method", "manual",
				"--scenario", "slow-aws", "--wait", "5m") // it is not over before the signal comes
			cmd.Env = []string{"HOME=" + state, "XDG_STATE_HOME=" + state}
			var out, talk bytes.Buffer
			cmd.Stdout = &out
			progress, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for !strings.Contains(talk.String(), "Create IAM policy") {
				chunk := make([]byte, 512)
				n, err := progress.Read(chunk)
				talk.Write(chunk[:n])
				if err != nil {
					t.Fatalf("%v\n%s", err, talk.String())
				}
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_, _ = talk.ReadFrom(progress)
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit code %d, want 130\n%s", code, talk.String())
			}
			if !strings.Contains(talk.String(), "rolecall resume") || !strings.Contains(out.String(), `"error"`) {
				t.Errorf("stdout:\n%s\nstderr:\n%s", out.String(), talk.String())
			}
			entries, err := os.ReadDir(filepath.Join(state, "rolecall", "sessions"))
			if err != nil || len(entries) != 1 {
				t.Errorf("%d sessions are saved, %v, want one", len(entries), err)
			}
		})
	}
}

// hearSignals makes the programs that a test starts hear a lost terminal and an
// interrupt, also where the tests themselves run with both ignored (nohup, a
// script's background): a signal that is caught here is default there.
func hearSignals(t *testing.T) {
	t.Helper()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP, syscall.SIGINT)
	t.Cleanup(func() { signal.Stop(caught) })
}
