package policies

import (
	"os"
	"os/exec"
	"slices"
	"strings"

	"rolecall/ui/cli"

	"github.com/charmbracelet/x/term"
)

// page writes text to standard output: through a pager where that is a
// terminal and the text is longer than it.
func page(a *cli.App, text string) error {
	pager := strings.Fields(pager(a))
	if len(pager) == 0 || !longer(a, text) {
		return a.Out().Text(text)
	}
	cmd := exec.Command(pager[0], pager[1:]...) //nolint:gosec,noctx // PAGER is the person's own choice, and they end it.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(a.Out().Written(text)), a.Env.Stdout, a.Env.Stderr
	cmd.Env = append(slices.Clone(a.Env.Environ), "LESS=FRX")
	if err := cmd.Run(); err != nil {
		return a.Out().Text(text)
	}
	return nil
}

// pager is the command to show long text with, "" for none.
func pager(a *cli.App) string {
	if !a.Env.StdoutTTY || a.Plain || a.Dumb() || a.JSON {
		return ""
	}
	for _, e := range a.Env.Environ {
		if value, ok := strings.CutPrefix(e, "PAGER="); ok {
			return value // also an empty one, which turns paging off
		}
	}
	return "less"
}

// longer reports whether a text does not fit on the terminal.
func longer(a *cli.App, text string) bool {
	out, ok := a.Env.Stdout.(*os.File)
	if !ok {
		return false
	}
	_, height, err := term.GetSize(out.Fd())
	return err == nil && strings.Count(text, "\n") >= height
}
