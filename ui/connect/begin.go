package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rolecall/steps"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/lines"
	"rolecall/ui/wizard"
)

// front is how a person, or nobody, meets the steps.
type front int

const (
	frontScreen     front = iota // the full-screen wizard
	frontPlain                   // line by line
	frontUnattended              // --yes
)

// frontFor picks the front, and refuses where none fits.
func frontFor(a *cli.App, yes bool) (front, error) {
	switch {
	case yes:
		return frontUnattended, nil
	case a.JSON:
		return 0, cli.Usage("--json prints a result for a script, and the wizard is for a person.", "--json together with --yes",
			"Add --yes, or leave out --json.")
	case a.LineByLine():
		return frontPlain, nil
	case !a.Interactive():
		return 0, cli.Usage("There is no terminal for the wizard.", "stdin and stdout to be a terminal, or --yes, or --plain",
			"Run it in a terminal, add --yes for an unattended run, or --plain to go line by line.")
	}
	return frontScreen, nil
}

// begin makes a new session and walks through it.
func begin(ctx context.Context, a *cli.App, s *step.Session, f front, wait time.Duration, command string) error {
	walk := steps.NewWalk(s)
	if f == frontUnattended {
		s.Wait = wait
		if err := s.ConnectAPI(); err != nil {
			return err
		}
		if err := lines.MissingFlags(walk, command); err != nil {
			return err
		}
	}
	store, err := a.Store()
	if err != nil {
		return err
	}
	open, answers, err := store.Create(s.Answers, a.Env.Now())
	if err != nil {
		return err
	}
	open.Begin(strings.TrimPrefix(command, "rolecall "), a.Whoami(), a.Env.Now)
	s.Answers = answers
	r := &lines.Run{App: a, Walk: walk, Open: open, Wait: wait, Store: store, Fresh: true}
	return walkThrough(ctx, r, f)
}

// walkThrough runs the front, lets go of the session and says how it ended.
func walkThrough(ctx context.Context, r *lines.Run, f front) (err error) {
	r.Walk.Session.Ledger, r.Walk.Session.Journal = r.Store.Ledger(r.Open.ID), r.Open.Journal
	if r.Walk.Session.Rehearsal && f != frontScreen {
		r.App.Say("REHEARSAL: this AWS and this vendor are inside the program. Nothing of it is real.")
	}
	r.Walk.Session.ScreenStays = f != frontScreen
	switch f {
	case frontUnattended:
		err = r.Unattended(ctx)
	case frontPlain:
		err = r.Plain(ctx)
	case frontScreen:
		if r.App.Env.MuteStderr != nil {
			r.App.Env.MuteStderr(true)
			defer r.App.Env.MuteStderr(false)
		}
		err = fullScreen(ctx, r)
	}
	return finish(r, err)
}

// finish prints the result and lets go of the session. A session in which
// nothing was answered is not kept, and then nothing names it.
func finish(r *lines.Run, err error) error {
	id := r.Open.ID
	saved := r.Open.Changed() || !r.Fresh || err != nil && strings.Contains(cli.ProblemOf(err).Next, id)
	released := r.Open.Release()
	if err != nil && !saved && r.Store.Remove(id, r.App.Env.Now()) == nil {
		id = ""
	}
	if err == nil {
		err = released
	}
	result := r.Walk.Session.Result()
	result.Session = id
	if err != nil {
		if errors.Is(err, cli.ErrCancelled) {
			err = &cli.CancelledError{Session: id}
		} else if id != "" {
			r.App.Say("Your answers are saved. Go on: rolecall resume %s", id)
		}
		return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any { return ResultJSON{Result: result, Error: e} }}
	}
	if r.App.JSON {
		r.App.WriteJSON(ResultJSON{Result: result})
		return nil
	}
	summary(r.App, result, r.Walk.Session)
	return nil
}

// ResultJSON is what connect and rehearse print with --json.
type ResultJSON struct {
	step.Result
	Error *cli.ErrorJSON `json:"error,omitempty"`
}

// summary prints what exists now. It stays in the terminal's scrollback.
func summary(a *cli.App, r step.Result, s *step.Session) {
	if s.Vendor == nil {
		return
	}
	a.Print("%s", draw.Clean(handOverLine(r, s.Vendor.Title)))
	if r.Rehearsal {
		a.Print("This was a rehearsal: nothing of it exists outside.")
	}
	a.Print("")
	row := func(label, value string) {
		if value != "" {
			a.Out().Hang(fmt.Sprintf("  %-12s  ", label), draw.Clean(value))
		}
	}
	row("AWS account", screen.Grouped(r.AccountID))
	for _, user := range r.Users {
		row("User", cmp.Or(user.ARN, user.Name))
		row("Access key", user.AccessKeyID)
	}
	for _, role := range r.Roles {
		row("Role", role.ARN)
	}
	for _, p := range r.Policies {
		row("Policy", p.ARN)
		row("", screen.Counted(p.Characters, "character"))
		a.Print("  %s", draw.Clean(p.Digest))
	}
	for _, arn := range r.ManagedPolicies {
		row("Policy", arn)
	}
	row("External ID", r.ExternalID)
	if label := s.Vendor.Account.Label; label != "" {
		row(label, r.VendorAccount)
	}
	row("Session", r.Session)
	if len(s.Vendor.Next) == 0 {
		return
	}
	a.Print("\nNext:")
	for _, link := range s.Vendor.Next {
		a.Print("  %s\n    %s", draw.Clean(link.Label), draw.Clean(link.URL))
	}
}

func handOverLine(r step.Result, vendorTitle string) string {
	if r.Submitted {
		return "Connected. " + vendorTitle + " accepted the role."
	}
	what := "role"
	if len(r.Users) > 0 {
		what = "access key"
	}
	return "You handed the " + what + " over to " + vendorTitle + " yourself; rolecall cannot see whether it was accepted."
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
