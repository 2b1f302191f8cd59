package wizard

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"rolecall/steps/screen"
	"rolecall/ui/draw"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
)

// plainValue leaves the full screen for a moment and prints one value as it is,
// to be selected with the mouse. It is a tea.ExecCommand.
type plainValue struct {
	label, text string
	fetch       string // the command that brings the saved file; empty here
	saved       bool

	in   io.Reader
	out  io.Writer
	over <-chan struct{} // closed when the program is to end: ctrl+c is a signal here
}

// plainShownMsg tells that the person came back.
type plainShownMsg struct{ err error }

// plainKey prints a value plain. Where the step itself needs p, the capital
// letter does it: there it is the only one.
func (w *Wizard) plainKey(item draw.Item) binding {
	name, strokes := "p", []string{"p", "P"}
	taken := func(a screen.Action) bool { return strings.EqualFold(a.Key, "p") }
	if w.viewer == nil && slices.ContainsFunc(w.screen.Actions, taken) {
		name, strokes = "P", []string{"P"}
	}
	key := bound(name, "plain", "leave the screen for a moment and print "+item.Label+" plain, to select it with the mouse",
		func() tea.Cmd { return w.printPlain(item) }, strokes...)
	key.Hidden = w.last == nil // the footer has room for it when a copy may have failed
	return key
}

func (w *Wizard) printPlain(item draw.Item) tea.Cmd {
	path := w.files[item.Key]
	saved := path != ""
	path = cmp.Or(path, filepath.Join(w.terminal.Dir, fileName(item)))
	value := &plainValue{label: cmp.Or(item.Label, "The text"), text: item.Text, fetch: w.terminal.Fetch(path), saved: saved, over: w.over}
	return tea.Exec(value, func(err error) tea.Msg { return plainShownMsg{err} })
}

func (w *Wizard) plainShown(msg plainShownMsg) tea.Cmd {
	if msg.err != nil {
		w.fail("It was not printed: " + msg.err.Error() + ".")
	}
	return nil
}

func (v *plainValue) SetStdin(r io.Reader)  { v.in = r }
func (v *plainValue) SetStdout(o io.Writer) { v.out = o }
func (v *plainValue) SetStderr(io.Writer)   {}

// Run prints the value and waits for enter.
func (v *plainValue) Run() error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s (%s):\n\n", draw.Clean(v.label), size(len(v.text)))
	for line := range strings.Lines(v.text) {
		b.WriteString(draw.Clean(strings.TrimRight(line, "\r\n")) + "\n")
	}
	b.WriteString("\n")
	switch {
	case v.fetch != "" && v.saved:
		fmt.Fprintf(&b, "It is saved; fetch it from your own machine: %s\n", draw.Clean(v.fetch))
	case v.fetch != "":
		fmt.Fprintf(&b, "s saves it; then fetch it from your own machine: %s\n", draw.Clean(v.fetch))
	}
	b.WriteString("Press enter to go back to rolecall; ctrl+c leaves. ")
	if _, err := io.WriteString(v.out, b.String()); err != nil {
		return err
	}
	return v.awaitEnter()
}

// awaitEnter waits for enter, the end of the input or that of the program.
func (v *plainValue) awaitEnter() error {
	if v.in == nil {
		return nil
	}
	in, err := uv.NewCancelReader(v.in)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	pressed := make(chan error, 1)
	go func() {
		_, err := bufio.NewReader(in).ReadString('\n')
		pressed <- err
	}()
	select {
	case err = <-pressed:
	case <-v.over:
		if in.Cancel() {
			<-pressed //nolint:errcheck // the read that was cut off
		}
		return nil
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
