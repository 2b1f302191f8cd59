package terminal

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// tool is a program of this machine that reaches its clipboard, or where system
// is true, the system's own clipboard by the library.
type tool struct {
	name   string
	system bool
	copy   []string // takes the text from its input
	paste  []string // writes it to its output
	probe  []string // fails, with words on its display, where there is none; changes nothing
	needs  string   // the environment variable that names its display
}

// windowsCopy and windowsPaste pass the text on as UTF-8, which clip.exe would
// not.
const (
	windowsCopy  = "[Console]::InputEncoding = [Text.Encoding]::UTF8; Set-Clipboard -Value ([Console]::In.ReadToEnd())"
	windowsPaste = "[Console]::OutputEncoding = [Text.Encoding]::UTF8; [Console]::Out.Write((Get-Clipboard -Raw))"
)

func (t *Terminal) tools() []tool {
	shell := []string{"-NoProfile", "-NonInteractive", "-Command"}
	windows := tool{name: "powershell.exe", copy: append(shell[:3:3], windowsCopy), paste: append(shell[:3:3], windowsPaste)}
	if t.GOOS == "windows" || t.GOOS == "darwin" {
		return []tool{{name: "the system", system: true}}
	}
	linux := []tool{
		{name: "wl-copy", copy: []string{"--type", "text/plain;charset=utf-8"}, probe: []string{"--list-types"}, needs: "WAYLAND_DISPLAY"},
		{name: "xclip", copy: []string{"-in", "-selection", "clipboard"}, paste: []string{"-out", "-selection", "clipboard"},
			probe: []string{"-out", "-selection", "clipboard", "-target", "TARGETS"}, needs: "DISPLAY"},
		{name: "xsel", copy: []string{"--input", "--clipboard"}, paste: []string{"--output", "--clipboard"},
			probe: []string{"--output", "--clipboard"}, needs: "DISPLAY"},
		{name: "termux-clipboard-set"},
	}
	if t.Getenv("WSL_DISTRO_NAME") != "" {
		return append(linux, windows)
	}
	return linux
}

// reader is the program that reads the clipboard a tool wrote, with the
// arguments for it.
func (c tool) reader() (name string, args []string) {
	switch c.name {
	case "wl-copy":
		return "wl-paste", []string{"--no-newline"}
	case "termux-clipboard-set":
		return "termux-clipboard-get", nil
	}
	return c.name, c.paste
}

// toolRoute is the first tool that reaches a clipboard, tried without changing
// it. away is true where the person sits at another machine.
func (t *Terminal) toolRoute(ctx context.Context, away bool) Way {
	way := Way{Route: Tool, Standing: Off, Why: "there is no clipboard tool here"}
	for _, c := range t.tools() {
		if !t.reaches(c) {
			continue
		}
		if err := t.tryTool(ctx, c, away); err != nil {
			way.Why = c.name + ": " + err.Error()
			continue
		}
		return Way{Route: Tool, Why: c.name + " reaches the clipboard", tool: c, send: t.byTool(c)}
	}
	return way
}

// reaches tells whether a tool is there at all.
func (t *Terminal) reaches(c tool) bool {
	if c.system {
		return system{}.there()
	}
	return t.has(c.name)
}

// write puts a text on the clipboard of a tool.
func (t *Terminal) write(ctx context.Context, c tool, text string) error {
	if !c.system {
		_, err := t.run(ctx, text, c.name, c.copy...)
		return err
	}
	_, err := within(ctx, func() (string, error) { return "", system{}.write(text) })
	return err
}

// read is what the clipboard of a tool holds.
func (t *Terminal) read(ctx context.Context, c tool) (string, error) {
	if !c.system {
		name, args := c.reader()
		return t.run(ctx, "", name, args...)
	}
	return within(ctx, system{}.read)
}

// within waits for the system's clipboard no longer than for a helper program:
// another program may hold it open.
func within(ctx context.Context, do func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan answer, 1)
	go func() {
		text, err := do()
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			return "", fmt.Errorf("reach the system's clipboard: %w", a.err)
		}
		return a.text, nil
	case <-ctx.Done():
		return "", fmt.Errorf("reach the system's clipboard: no answer within %s", patience)
	}
}

// tryTool finds out whether a tool has a display, and the person's.
func (t *Terminal) tryTool(ctx context.Context, c tool, away bool) error {
	display := t.Getenv(c.needs)
	forwarded := c.needs == "DISPLAY" && strings.HasPrefix(display, "localhost:") // ssh -X
	switch {
	case away && !forwarded:
		return errors.New("it would fill the clipboard of this machine, and you sit at another")
	case c.needs != "" && display == "":
		return errors.New("there is no display (" + c.needs + " is not set)")
	case c.probe == nil:
		return nil
	}
	name, _ := c.reader()
	_, err := t.run(ctx, "", name, c.probe...)
	if err != nil && !noDisplay(err.Error()) {
		return nil // an empty clipboard is a failure to these tools
	}
	return err
}

// noDisplay tells the words of a tool that cannot reach its display from those
// of one that found nothing there.
func noDisplay(said string) bool {
	said = strings.ToLower(said)
	for _, word := range []string{"display", "connect", "compositor", "no answer within", "not found", "no such file"} {
		if strings.Contains(said, word) {
			return true
		}
	}
	return false
}
