package terminal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// Copied is how a copy went.
type Copied struct {
	Route Route
	// Sent is true when a terminal or tmux was asked: they never confirm.
	Sent bool
	// Doubt says why it will not have arrived, unless somebody switched it on, and
	// what does; empty where nothing speaks against it.
	Doubt string
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

// Copy puts text on the clipboard, byte for byte, by the first way that takes
// it. The error says why none did.
func (t *Terminal) Copy(ctx context.Context, text string) (Copied, error) {
	var refused []string
	for _, way := range t.Ways(ctx) {
		if way.Standing == Off {
			refused = append(refused, way.Why)
			continue
		}
		copied, err := way.send(ctx, text)
		if err != nil {
			refused = append(refused, err.Error())
			continue
		}
		if way.Standing == Doubtful {
			copied.Doubt = strings.TrimSuffix(way.Why+"; "+way.Fix, "; ")
		}
		t.learn(func(k *knowledge) {
			if k.took == nil {
				k.took = map[[sha256.Size]byte]Route{}
			}
			k.took[sha256.Sum256([]byte(text))] = copied.Route
		})
		return copied, nil
	}
	if len(refused) == 0 {
		return Copied{}, ErrNoClipboard
	}
	return Copied{}, fmt.Errorf("%w: %s", ErrNoClipboard, strings.Join(refused, "; "))
}

// Clear takes a secret off the clipboard again, where that is possible: the
// clipboard of a tool and tmux's buffers are emptied only if they still hold it.
// left says what could not be emptied, for the person to read; empty when
// nothing is left.
func (t *Terminal) Clear(ctx context.Context, text string) (left string, err error) {
	t.mu.Lock()
	route := t.known.took[sha256.Sum256([]byte(text))]
	t.mu.Unlock()
	switch route {
	case Tool:
		return "", t.clearTool(ctx, text)
	case Tmux:
		return "the clipboard of the terminal around tmux cannot be emptied from here", t.clearAllTmux(ctx, text)
	case Command:
		return "what your own command filled cannot be emptied from here", nil
	case OSC52:
		return "the terminal's clipboard cannot be emptied from here", nil
	case None:
	}
	return "", nil
}

// clearTool empties the clipboard that a tool wrote, if it still holds the text.
func (t *Terminal) clearTool(ctx context.Context, text string) error {
	for _, way := range t.Ways(ctx) {
		if way.Route != Tool || way.Standing == Off {
			continue
		}
		held, err := t.read(ctx, way.tool)
		if err != nil || strings.TrimRight(held, "\r\n") != strings.TrimRight(text, "\r\n") {
			return err
		}
		_, err = way.send(ctx, "")
		return err
	}
	return errors.New("the clipboard cannot be reached any more")
}

// clearAllTmux takes the text out of the buffers of every tmux that got it.
func (t *Terminal) clearAllTmux(ctx context.Context, text string) error {
	socket := ""
	for range deepest {
		if err := t.clearTmux(ctx, socket, text); err != nil {
			return err
		}
		c, err := t.tmuxClient(ctx, socket)
		if err != nil {
			return err
		}
		if c.tty == "" {
			return nil
		}
		if socket = t.tmuxAround(ctx, c.tty, socket); socket == "" {
			return nil
		}
	}
	return nil
}
