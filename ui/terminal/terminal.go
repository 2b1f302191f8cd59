// Package terminal reaches what lies around the terminal: the clipboard, the
// browser and files in the working directory. It draws nothing and knows no
// step; ui uses it to carry out steps.Copy, steps.Open and steps.Save.
package terminal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/atotto/clipboard"
)

// Terminal holds what it depends on as functions, so that a test can run the real
// thing with another PATH, environment or tmux server.
type Terminal struct {
	Getenv   func(string) string
	LookPath func(file string) (string, error)
	// Command makes a process that has not begun. It inherits the environment.
	Command func(ctx context.Context, name string, args ...string) *exec.Cmd
	GOOS    string
	// Dir is where documents are saved; empty means the working directory.
	Dir string
	// NativeWrite and NativeRead reach the clipboard of this machine.
	NativeWrite func(text string) error
	NativeRead  func() (string, error)
	// NativeTool reports whether there is something for NativeWrite to use.
	NativeTool func() bool
}

// New makes the terminal of this process. It runs nothing yet.
func New() *Terminal {
	return &Terminal{
		Getenv:      os.Getenv,
		LookPath:    exec.LookPath,
		Command:     exec.CommandContext,
		GOOS:        runtime.GOOS,
		NativeWrite: clipboard.WriteAll,
		NativeRead:  clipboard.ReadAll,
		NativeTool:  func() bool { return !clipboard.Unsupported },
	}
}

// Remote reports whether the program runs over SSH, where the clipboard and the
// browser of this machine are not those of the person.
func (t *Terminal) Remote() bool {
	for _, name := range []string{"SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"} {
		if t.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// patience is how long a helper program may take before it counts as stuck.
const patience = 3 * time.Second

// tmux runs a command of tmux with stdin as its input and returns its output.
func (t *Terminal) tmux(ctx context.Context, stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out, problem bytes.Buffer
	cmd := t.Command(ctx, "tmux", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &problem
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if said := strings.TrimSpace(problem.String()); said != "" {
			return "", fmt.Errorf("run tmux: %s", said)
		}
		return "", fmt.Errorf("run tmux: %w", err)
	}
	return out.String(), nil
}

// start starts a helper and does not wait for it. Its output goes nowhere, and
// it gets no terminal, so that it cannot draw over the screen.
func (t *Terminal) start(name string, args ...string) error {
	cmd := t.Command(context.Background(), name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, io.Discard, io.Discard
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	go func() { _ = cmd.Wait() }() // reaps it; how it ended concerns nobody
	return nil
}
