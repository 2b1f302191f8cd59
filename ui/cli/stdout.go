package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"rolecall/steps/screen"
)

// stdoutWatch remembers that something could not be written: a script that got
// half a document must not take it for a whole one.
type stdoutWatch struct {
	mu  sync.Mutex
	out io.Writer
	err error // the first one
}

// Write passes text on.
func (s *stdoutWatch) Write(text []byte) (int, error) {
	n, err := s.out.Write(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	return n, err
}

func (s *stdoutWatch) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// WatchStdout has Finish tell whether stdout took everything. A terminal stays as
// it is: who sees it sees what is missing.
func (a *App) WatchStdout() {
	if !a.Env.StdoutTTY {
		a.stdout = &stdoutWatch{out: a.Env.Stdout}
		a.Env.Stdout = a.stdout
	}
}

// StdoutFile is the file behind stdout, where it is one.
func (a *App) StdoutFile() (*os.File, bool) {
	out := a.Env.Stdout
	if a.stdout != nil {
		out = a.stdout.out
	}
	file, ok := out.(*os.File)
	return file, ok
}

// unwritten says that stdout did not take everything; nil when it did.
func (a *App) unwritten() *screen.Problem {
	if a.stdout == nil {
		return nil
	}
	err := a.stdout.failure()
	if err == nil {
		return nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &screen.Problem{What: "stdout cannot be written: " + screen.CleanLine(err.Error()) + ".", Expected: "room for the whole output",
		Next: "Make room, or send the output elsewhere, then run it again. What the command changed stays changed."}
}
