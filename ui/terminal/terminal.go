// Package terminal reaches what lies around the terminal: the clipboard, the
// browser and files in the working directory. It draws nothing and knows no
// step; the fronts use it to carry out screen.Copy, screen.Open and screen.Save.
package terminal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Terminal holds what it depends on as functions, so that a test can run the
// real thing with another PATH, environment or tmux server.
type Terminal struct {
	Getenv   func(string) string
	LookPath func(file string) (string, error)
	// Command makes a process that has not begun. It inherits the environment.
	Command func(ctx context.Context, name string, args ...string) *exec.Cmd
	GOOS    string
	// Dir is where documents are saved; empty means the working directory.
	Dir string
	// ProcessEnv reads the environment of another process of this user, as far as
	// the system shows it; nil where it does not.
	ProcessEnv func(pid string) func(string) string
	// Setting is the copy route that the settings name, empty for none; nil: there
	// are no settings.
	Setting func() (string, error)
	// Memory keeps which route worked; nil: nothing is kept.
	Memory Memory

	mu    sync.Mutex // a front copies beside its loop
	known knowledge
}

// knowledge is what was found out about a terminal while it was used.
type knowledge struct {
	layers []program // what answered when it was asked, innermost first
	asked  bool
	failed map[Route]bool              // what a person found not to arrive
	proven Route                       // and what did
	took   map[[sha256.Size]byte]Route // by which route a text went last, by its digest
}

// knows is a copy of what is known now.
func (t *Terminal) knows() knowledge {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.known
	k.layers, k.failed = slices.Clone(k.layers), maps.Clone(k.failed)
	return k
}

// learn changes what is known.
func (t *Terminal) learn(change func(*knowledge)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.known)
}

// Memory keeps between runs which route was seen to arrive in a terminal.
type Memory interface {
	// Route is the one that arrived there last; empty when none is known.
	Route(terminal string) string
	KeepRoute(terminal, route string) error
}

// New makes the terminal of this process. It runs nothing and looks nothing up
// yet.
func New() *Terminal {
	return &Terminal{
		Getenv:     os.Getenv,
		LookPath:   exec.LookPath,
		Command:    exec.CommandContext,
		GOOS:       runtime.GOOS,
		ProcessEnv: processEnv,
	}
}

// Remote reports whether the program runs over SSH, where the clipboard and the
// browser of this machine are not those of the person.
func (t *Terminal) Remote() bool { return overSSH(t.Getenv) }

func overSSH(getenv func(string) string) bool {
	for _, name := range []string{"SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"} {
		if getenv(name) != "" {
			return true
		}
	}
	return false
}

// patience is how long a helper program may take before it counts as stuck.
const patience = 3 * time.Second

// straggler is how long what a helper left running may keep its output open.
const straggler = 100 * time.Millisecond

// run runs a helper with stdin as its input and returns its output. A helper
// that leaves a child behind, as xclip does, is not waited for longer than that
// child needs to be seen.
func (t *Terminal) run(ctx context.Context, stdin, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out, problem bytes.Buffer
	cmd := t.Command(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &problem
	cmd.WaitDelay = straggler
	err := cmd.Run()
	switch said := firstLine(problem.String()); {
	case ctx.Err() != nil && err != nil:
		return "", fmt.Errorf("run %s: no answer within %s", name, patience)
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return out.String(), nil
	case said != "":
		return "", fmt.Errorf("run %s: %s", name, said)
	default:
		return "", fmt.Errorf("run %s: %w", name, err)
	}
}

// firstLine is the first line of what a helper said, without control characters.
func firstLine(said string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, line)
}

func (t *Terminal) has(tool string) bool {
	_, err := t.LookPath(tool)
	return err == nil
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
