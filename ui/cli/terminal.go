package cli

import (
	"os"

	"rolecall/steps/record"
	"rolecall/ui/terminal"
)

// Terminal is what lies around this run's terminal, with the person's settings
// and what was learned of terminals before. Nothing is looked up before it is
// used.
func (a *App) Terminal() *terminal.Terminal {
	t := terminal.New()
	t.Getenv = a.Env.Getenv
	t.Setting = func() (string, error) {
		settings, err := record.ReadPreferences(a.Env.Getenv)
		return settings.Clipboard, err
	}
	if folder, err := record.StateFolder(a.Env.Getenv); err == nil {
		t.Memory = record.OpenTerminals(folder)
	}
	return t
}

// AskTerminal has the terminal say what it is, where this run has one that
// nobody else reads from.
func (a *App) AskTerminal(t *terminal.Terminal) {
	in, isFile := a.Env.Stdin.(*os.File)
	out, toFile := a.Env.Stdout.(*os.File)
	if isFile && toFile && a.Env.StdinTTY && a.Env.StdoutTTY {
		t.AskOn(in, out)
	}
}
