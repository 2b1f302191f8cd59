package policies

import (
	"os"
	"os/exec"
	"path/filepath"
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
	keys, remove := lessKeys(a)
	defer remove()
	cmd := exec.Command(pager[0], pager[1:]...) //nolint:gosec,noctx // PAGER is the person's own choice, and they end it.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(a.Out().Written(text)), a.Env.Stdout, a.Env.Stderr
	cmd.Env = append(append(slices.Clone(a.Env.Environ), "LESS=FRXMA"), keys...) // M: which lines of how many; A: ] begins behind the top line
	if err := cmd.Run(); err != nil {
		return a.Out().Text(text)
	}
	return nil
}

// findingKeys teach less the two keys of the wizard's viewer that it has not:
// ] and [ go from finding to finding, by the words that these begin with in text.
const findingKeys = "#command\n" +
	"] forw-search \\^(NO|HIGH|MED|LOW)\\n\n" +
	"[ back-search \\^(NO|HIGH|MED|LOW)\\n\n"

// lessKeys writes findingKeys to a file and says where it is in less's own way
// (LESSKEYIN, since version 582; an older one passes over it), unless the person
// has keys of their own. remove takes the file away again.
func lessKeys(a *cli.App) (environ []string, remove func()) {
	none := func() {}
	if ownLessKeys(a) {
		return nil, none
	}
	f, err := os.CreateTemp("", "rolecall-less-*")
	if err != nil {
		return nil, none // paging is more than keys
	}
	remove = func() { _ = os.Remove(f.Name()) }
	_, err = f.WriteString(findingKeys)
	if closed := f.Close(); err != nil || closed != nil {
		return nil, remove
	}
	return []string{"LESSKEYIN=" + f.Name()}, remove
}

// ownLessKeys reports whether the person has keys of their own for less.
func ownLessKeys(a *cli.App) bool {
	files := []string{}
	for _, e := range a.Env.Environ {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "LESSKEY", "LESSKEYIN", "LESSKEY_CONTENT":
			return true
		case "HOME":
			files = append(files, filepath.Join(value, ".lesskey"), filepath.Join(value, ".less"), filepath.Join(value, ".config", "lesskey"))
		case "XDG_CONFIG_HOME":
			files = append(files, filepath.Join(value, "lesskey"))
		}
	}
	return slices.ContainsFunc(files, func(file string) bool {
		_, err := os.Stat(file)
		return err == nil
	})
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
