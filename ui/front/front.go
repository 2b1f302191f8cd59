// Package front picks how a person, or nobody, meets the steps of a walk, and runs
// that front. Commands that walk stand on it.
package front

import (
	"context"

	"rolecall/ui/cli"
	"rolecall/ui/lines"
	"rolecall/ui/wizard"
)

// Front is how a person, or nobody, meets the steps.
type Front int

// The fronts.
const (
	Screen     Front = iota // the full-screen wizard
	Plain                   // line by line
	Unattended              // --yes
)

// For picks the front, and refuses where none fits.
func For(a *cli.App, yes bool) (Front, error) {
	switch {
	case yes:
		return Unattended, nil
	case a.JSON:
		return 0, cli.Usage("--json prints a result for a script, and the wizard is for a person.", "--json together with --yes",
			"Add --yes, or leave out --json.")
	case a.LineByLine():
		return Plain, nil
	case !a.Interactive():
		return 0, cli.Usage("There is no terminal for the wizard.", "stdin and stdout to be a terminal, or --yes, or --plain",
			"Run it in a terminal, add --yes for an unattended run, or --plain to go line by line.")
	}
	return Screen, nil
}

// Run walks through the steps by the front.
func Run(ctx context.Context, r *lines.Run, f Front) error {
	if r.Walk.Session.Rehearsal && f != Screen {
		r.App.Say("REHEARSAL: this AWS and this vendor are inside the program. Nothing of it is real.")
	}
	r.Walk.Session.ScreenStays = f != Screen
	switch f {
	case Unattended:
		return r.Unattended(ctx)
	case Plain:
		return r.Plain(ctx)
	case Screen:
	}
	if r.App.Env.MuteStderr != nil {
		r.App.Env.MuteStderr(true)
		defer r.App.Env.MuteStderr(false)
	}
	return fullScreen(ctx, r)
}

// fullScreen runs the full-screen wizard.
func fullScreen(ctx context.Context, r *lines.Run) error {
	env := r.App.Env
	theme, err := r.App.ThemeName()
	if err != nil {
		return err
	}
	w := wizard.NewWizard(wizard.WizardOptions{
		Session:  r.Walk.Session,
		Walk:     r.Walk,
		Terminal: r.App.Terminal(),
		Journal:  r.Open,
		Save:     r.Open.Save,
		Getenv:   env.Getenv,
		After:    env.After,
		Theme:    theme,
	})
	if err := w.Run(ctx, env.Stdin, env.Stdout); err != nil {
		return err
	}
	if !w.Ended() {
		return cli.ErrCancelled
	}
	return nil
}
