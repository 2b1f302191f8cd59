package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/charmbracelet/x/term"
)

// Paged writes text to standard output: through a pager where that is a
// terminal and the text is longer than it. keys are those that less learns for
// it, as lesskey takes them; "" for none.
func (a *App) Paged(text, keys string) error {
	pager := strings.Fields(a.pager())
	if len(pager) == 0 || !a.longer(text) {
		return a.Out().Text(text)
	}
	taught, remove := a.lessKeys(keys)
	defer remove()
	cmd := exec.Command(pager[0], pager[1:]...) //nolint:gosec,noctx // PAGER is the person's own choice, and they end it.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(a.Out().Written(text)), a.Env.Stdout, a.Env.Stderr
	cmd.Env = append(
		append(slices.Clone(a.Env.Environ), "LESS=FRXMA"),
		taught...) // M: which lines of how many; A: ] begins behind the top line
	if err := cmd.Run(); err != nil {
		return a.Out().Text(text)
	}
	return nil
}

// lessKeys writes keys to a file and says where it is in less's own way
// (LESSKEYIN, since version 582; an older one passes over it), unless the person
// has keys of their own. remove takes the file away again.
func (a *App) lessKeys(keys string) (environ []string, remove func()) {
	none := func() {}
	if keys == "" || a.ownLessKeys() {
		return nil, none
	}
	f, err := os.CreateTemp("", "rolecall-less-*")
	if err != nil {
		return nil, none // paging is more than keys
	}
	remove = func() { _ = os.Remove(f.Name()) }
	_, err = f.WriteString(keys)
	if closed := f.Close(); err != nil || closed != nil {
		return nil, remove
	}
	return []string{"LESSKEYIN=" + f.Name()}, remove
}

// ownLessKeys reports whether the person has keys of their own for less.
func (a *App) ownLessKeys() bool {
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
func (a *App) pager() string {
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
func (a *App) longer(text string) bool {
	out, ok := a.Env.Stdout.(*os.File)
	if !ok {
		return false
	}
	_, height, err := term.GetSize(out.Fd())
	return err == nil && strings.Count(text, "\n") >= height
}
