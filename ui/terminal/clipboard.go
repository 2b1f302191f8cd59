package terminal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Way is how text reaches the person's clipboard.
type Way string

// The ways, in the order in which they are tried.
const (
	Tmux   Way = "tmux"              // tmux load-buffer -w: tmux passes it to its terminal
	Screen Way = "GNU screen"        // OSC 52 passed through GNU screen
	Native Way = "clipboard"         // a clipboard tool or API of this machine
	OSC52  Way = "terminal (OSC 52)" // the terminal is asked by an escape sequence
	NoWay  Way = ""
)

// ErrNoClipboard says that nothing here takes text.
var ErrNoClipboard = errors.New("this terminal takes no text from programs; save it to a file instead (s)")

// screenLimit is the longest string sequence that GNU screen passes on: 768
// bytes with its introducer and terminator (MAXSTR in screen.h).
const screenLimit = 760

// Copied is how a copy went.
type Copied struct {
	Way Way
	// Sent is true when a terminal or tmux was asked: they never confirm.
	Sent bool
	// Escape has to be written to the terminal by the caller, as it is; empty
	// when the text is already where it belongs.
	Escape string
}

// Word is "copied" when the copy is certain and "sent" when a terminal was asked.
func (c Copied) Word() string {
	if c.Sent {
		return "sent"
	}
	return "copied"
}

// Ways lists how text would be copied here, best first; none where the terminal
// is known to ignore it and there is no tool.
//
// Source for the terminals that ignore OSC 52: VTE parses and drops it
// (vteseq.cc), Apple's Terminal and the Linux console do not know it.
func (t *Terminal) Ways() []Way {
	var ways []Way
	inside := false // a multiplexer swallows plain OSC 52
	if t.Getenv("TMUX") != "" && t.has("tmux") {
		ways, inside = append(ways, Tmux), true
	} else if t.Getenv("STY") != "" {
		ways, inside = append(ways, Screen), true
	}
	if !t.Remote() && t.NativeTool() {
		ways = append(ways, Native)
	}
	if !inside && t.takesOSC52() {
		ways = append(ways, OSC52)
	}
	return ways
}

func (t *Terminal) takesOSC52() bool {
	if t.Getenv("VTE_VERSION") != "" || t.Getenv("TERM_PROGRAM") == "Apple_Terminal" {
		return false
	}
	switch t.Getenv("TERM") {
	case "linux", "dumb", "":
		return t.GOOS == "windows"
	}
	return true
}

// Copy puts text on the clipboard, byte for byte. Inside tmux on the person's
// own machine it goes both to tmux and to the native clipboard, since tmux's
// terminal may ignore it.
func (t *Terminal) Copy(ctx context.Context, text string) (Copied, error) {
	var done []Copied
	var problem error
	for _, way := range t.Ways() {
		if len(done) > 0 && way == OSC52 {
			break
		}
		copied, err := t.copyBy(ctx, way, text)
		if err != nil {
			problem = errors.Join(problem, err)
			continue
		}
		done = append(done, copied)
	}
	if len(done) == 0 {
		if problem == nil {
			return Copied{}, ErrNoClipboard
		}
		return Copied{}, fmt.Errorf("copy: %w", problem)
	}
	best := done[0]
	for _, copied := range done[1:] {
		if !copied.Sent {
			best.Way, best.Sent = copied.Way, false
		}
	}
	return best, nil
}

func (t *Terminal) copyBy(ctx context.Context, way Way, text string) (Copied, error) {
	switch way {
	case Tmux:
		_, err := t.tmux(ctx, text, "load-buffer", "-w", "-")
		return Copied{Way: way, Sent: true}, err
	case Screen:
		return Copied{Way: way, Sent: true, Escape: ansi.ScreenPassthrough(ansi.SetSystemClipboard(text), screenLimit)}, nil
	case Native:
		return Copied{Way: way}, t.bounded(func() error { return t.NativeWrite(text) })
	case OSC52, NoWay:
	}
	return Copied{Way: OSC52, Sent: true, Escape: ansi.SetSystemClipboard(text)}, nil
}

// bounded gives up on a clipboard tool that does not come back, as one does
// whose display is gone.
func (t *Terminal) bounded(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return errors.New("use the clipboard tool: no answer within 3 s")
	}
}

// Clear takes a secret off the clipboard again, where that is possible: the
// native clipboard and tmux's buffers are emptied only if they still hold it.
// left says what could not be emptied, for the person to read; empty when
// nothing is left.
func (t *Terminal) Clear(ctx context.Context, text string) (left string, err error) {
	for _, way := range t.Ways() {
		switch way {
		case Tmux:
			err = errors.Join(err, t.clearTmux(ctx, text))
			left = "the clipboard of the terminal around tmux cannot be emptied from here"
		case Native:
			err = errors.Join(err, t.bounded(func() error { return t.clearNative(text) }))
		case Screen, OSC52:
			left = "the terminal's clipboard cannot be emptied from here"
		case NoWay:
		}
		if way == Native && err == nil {
			return "", nil
		}
	}
	return left, err
}

func (t *Terminal) clearNative(text string) error {
	held, err := t.NativeRead()
	if err != nil || strings.TrimRight(held, "\r\n") != strings.TrimRight(text, "\r\n") {
		return err
	}
	return t.NativeWrite("")
}

func (t *Terminal) clearTmux(ctx context.Context, text string) error {
	list, err := t.tmux(ctx, "", "list-buffers", "-F", "#{buffer_name}")
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(list) {
		held, err := t.tmux(ctx, "", "show-buffer", "-b", name)
		if err != nil || held != text {
			continue // gone meanwhile, or another one's
		}
		if _, err := t.tmux(ctx, "", "delete-buffer", "-b", name); err != nil {
			return err
		}
	}
	return nil
}

func (t *Terminal) has(tool string) bool {
	_, err := t.LookPath(tool)
	return err == nil
}
