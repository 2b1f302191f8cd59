//go:build unix

package cli_test

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"rolecall/ui/cli"
)

// TestAPipeWithoutAWriterEnds names a pipe that nobody writes to: reading it
// must not hang where no signal reaches.
func TestAPipeWithoutAWriterEnds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	if text, err := cli.ReadFile(name); err != nil || len(text) > 0 {
		t.Errorf("got %q and %v, want nothing", text, err)
	}
}

// TestASignalEndsTheWaitForInput reads what never comes.
func TestASignalEndsTheWaitForInput(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	cancel()
	_, err := cli.Await(ctx, func() ([]byte, error) { <-never; return nil, nil })
	if !errors.Is(err, cli.ErrCancelled) {
		t.Errorf("got %v, want %v", err, cli.ErrCancelled)
	}
}
