package cli

import (
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"rolecall/ui/draw"
)

// stderrGuard stands between the terminal and whatever else writes to standard error:
// a profile's credential_process gets the file that os.Stderr names, and what it
// says is as hostile as anything from outside. It takes its place when the first
// thing is about to be asked that may start such a program: a pipe and somebody
// who reads from it cost a twentieth of a start.
type stderrGuard struct {
	terminal io.Writer
	once     sync.Once
	muted    atomic.Bool // the full-screen wizard owns the terminal
}

// stand puts the guard in the place of os.Stderr. Where there is no pipe to be
// had, os.Stderr stays as it is.
func (g *stderrGuard) stand() {
	g.once.Do(func() {
		in, out, err := os.Pipe()
		if err != nil {
			return
		}
		os.Stderr = out
		go func() { _, _ = io.Copy(g, in) }()
	})
}

// mute keeps what others write off the screen, or lets it pass again.
func (g *stderrGuard) mute(on bool) {
	g.stand()
	g.muted.Store(on)
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
