package ui

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/charmbracelet/x/term"
)

// page writes text to standard output: through a pager where that is a
// terminal and the text is longer than it.
func (a *app) page(text string) error {
	pager := strings.Fields(a.pager())
	if len(pager) == 0 || !a.longer(text) {
		_, err := fmt.Fprint(a.env.Stdout, text)
		return err
	}
	cmd := exec.Command(pager[0], pager[1:]...) //nolint:gosec,noctx // PAGER is the person's own choice, and they end it.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), a.env.Stdout, a.env.Stderr
	cmd.Env = append(slices.Clone(a.env.Environ), "LESS=FRX")
	if err := cmd.Run(); err != nil {
		_, err = fmt.Fprint(a.env.Stdout, text)
		return err
	}
	return nil
}

// pager is the command to show long text with, "" for none.
func (a *app) pager() string {
	if !a.env.StdoutTTY || a.plain || a.dumb() || a.json {
		return ""
	}
	for _, e := range a.env.Environ {
		if value, ok := strings.CutPrefix(e, "PAGER="); ok {
			return value // also an empty one, which turns paging off
		}
	}
	return "less"
}

// longer reports whether a text does not fit on the terminal.
func (a *app) longer(text string) bool {
	out, ok := a.env.Stdout.(*os.File)
	if !ok {
		return false
	}
	_, height, err := term.GetSize(out.Fd())
	return err == nil && strings.Count(text, "\n") >= height
}
