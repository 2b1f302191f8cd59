package cli

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
)

// Env is what a command runs in. The AWS SDK reads the environment
// and files of the process by itself, so Environ has to be the process's own.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string // "NAME=value"

	// The clock of everything that waits for AWS or the vendor. After is like
	// time.After; nil: the wall clock's.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time

	// Which of the three streams is a terminal.
	StdinTTY, StdoutTTY, StderrTTY bool
	// Size is the terminal's size in columns and rows, 0 for what it does not say;
	// nil where there is no terminal.
	Size func() (columns, rows int)
	// ReadSecret reads one line from the terminal without showing it. It is nil
	// where there is no terminal.
	ReadSecret func() (string, error)
	// GuardStderr takes control characters out of what a program writes to standard
	// error that something else starts, as the SDK does for a credential_process.
	// MuteStderr keeps all of that off the screen. Both are nil where nothing stands
	// in between.
	GuardStderr func()
	MuteStderr  func(on bool)
}

// System is the environment of the process.
func System() Env {
	guard := &stderrGuard{terminal: os.Stderr}
	env := Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		GuardStderr: guard.stand, MuteStderr: guard.mute,
		Environ:   os.Environ(),
		Now:       time.Now,
		After:     time.After,
		StdinTTY:  term.IsTerminal(os.Stdin.Fd()),
		StdoutTTY: term.IsTerminal(os.Stdout.Fd()),
		StderrTTY: term.IsTerminal(os.Stderr.Fd()),
	}
	if env.StdoutTTY || env.StderrTTY {
		env.Size = terminalSize
	}
	if env.StdinTTY {
		env.ReadSecret = func() (string, error) {
			text, err := term.ReadPassword(os.Stdin.Fd())
			return string(text), err
		}
	}
	return env
}

// terminalSize is the size of the terminal that stdout, or else stdin, is.
func terminalSize() (columns, rows int) {
	for _, file := range []*os.File{os.Stdout, os.Stdin} {
		if columns, rows, err := term.GetSize(file.Fd()); err == nil {
			return columns, rows
		}
	}
	return 0, 0
}

// Alarm rings after d, by the clock of the world.
func (e Env) Alarm(d time.Duration) <-chan time.Time {
	if e.After == nil {
		return time.After(d)
	}
	return e.After(d)
}

// Getenv is the value of an environment variable, empty when it is not set.
func (e Env) Getenv(name string) string {
	for i := len(e.Environ) - 1; i >= 0; i-- {
		if key, value, _ := strings.Cut(e.Environ[i], "="); key == name {
			return value
		}
	}
	return ""
}
