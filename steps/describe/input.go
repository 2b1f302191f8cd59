package describe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// ErrInterrupted says that a signal ended the wait for input that did not come.
var ErrInterrupted = errors.New("the wait for input was interrupted")

// ReadInput reads a file that somebody named, up to one byte more than limit, so
// that what is larger is noticed. A pipe that nobody writes to ends at once, and
// the first signal ends the wait for one whose writer says nothing: whoever reads
// it has no other work that a signal could be waiting for.
func ReadInput(name string, limit int64) ([]byte, error) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	defer close(done)
	waited := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		waited = append(waited, syscall.SIGHUP)
	}
	signal.Notify(signals, waited...)
	defer signal.Stop(signals)
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	go func() {
		select {
		case <-signals:
			_ = f.SetReadDeadline(time.Now()) // of a regular file there is none, nor any wait
		case <-done:
		}
	}()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("read %s: %w", name, ErrInterrupted)
	}
	return text, err
}
