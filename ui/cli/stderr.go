package cli

import (
	"io"
	"os"
	"strings"
	"sync/atomic"

	"rolecall/ui/draw"
)

// stderrGuard stands between the terminal and whatever else writes to standard error:
// a profile's credential_process gets the file that os.Stderr names, and what it
// says is as hostile as anything from outside.
type stderrGuard struct {
	terminal io.Writer
	muted    atomic.Bool // the full-screen wizard owns the terminal
}

// guardStderr puts a guard in the place of os.Stderr and returns it with the
// real one. Where there is no pipe to be had, os.Stderr stays as it is.
func guardStderr() (terminal *os.File, g *stderrGuard) {
	terminal = os.Stderr
	g = &stderrGuard{terminal: terminal}
	in, out, err := os.Pipe()
	if err != nil {
		return terminal, g
	}
	os.Stderr = out
	go func() { _, _ = io.Copy(g, in) }()
	return terminal, g
}

// Write passes text on without its control characters, and nothing while the
// screen belongs to the wizard.
func (g *stderrGuard) Write(text []byte) (int, error) {
	if !g.muted.Load() {
		lines := strings.Split(string(text), "\n")
		for i := range lines {
			lines[i] = draw.Clean(lines[i])
		}
		if _, err := io.WriteString(g.terminal, strings.Join(lines, "\n")); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}
