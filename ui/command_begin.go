package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"rolecall/steps"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/desk"
	"rolecall/ui/draw"
)

// front is how a person, or nobody, meets the steps.
type front int

const (
	frontScreen     front = iota // the full-screen wizard
	frontPlain                   // line by line
	frontUnattended              // --yes
)

// frontFor picks the front, and refuses where none fits.
func (a *app) frontFor(yes bool) (front, error) {
	switch {
	case yes:
		return frontUnattended, nil
	case a.json:
		return 0, usage("--json prints a result for a script, and the wizard is for a person.", "--json together with --yes", "Add --yes, or leave out --json.")
	case a.plain, a.dumb() && a.env.StdinTTY:
		return frontPlain, nil
	case !a.interactive():
		return 0, usage("There is no terminal for the wizard.", "stdin and stdout to be a terminal, or --yes, or --plain",
			"Run it in a terminal, add --yes for an unattended run, or --plain to go line by line.")
	}
	return frontScreen, nil
}

// begin makes a new session and walks through it.
func (a *app) begin(ctx context.Context, s *step.Session, f front, wait time.Duration, command string) error {
	walk := steps.NewWalk(s)
	if f == frontUnattended {
		s.Wait = wait
		if err := missingFlags(walk, command); err != nil {
			return err
		}
	}
	store, err := a.store()
	if err != nil {
		return err
	}
	held, answers, err := store.Create(s.Answers, a.env.Now())
	if err != nil {
		return err
	}
	held.Now = a.env.Now
	s.Answers = answers
	r := &run{app: a, walk: walk, held: held, wait: wait, store: store, fresh: true}
	return r.walkThrough(ctx, f)
}

// walkThrough runs the front, lets go of the session and says how it ended.
func (r *run) walkThrough(ctx context.Context, f front) (err error) {
	r.walk.Session.Ledger = r.store.Ledger(r.held.ID)
	if r.walk.Session.Rehearsal && f != frontScreen {
		r.app.say("REHEARSAL: this AWS and this vendor are inside the program. Nothing of it is real.")
	}
	r.walk.Session.ScreenStays = f != frontScreen
	switch f {
	case frontUnattended:
		err = r.unattended(ctx)
	case frontPlain:
		err = r.plain(ctx)
	case frontScreen:
		if r.app.env.Hush != nil {
			r.app.env.Hush(true)
			defer r.app.env.Hush(false)
		}
		err = r.screen(ctx)
	}
	return r.finish(err)
}

// finish prints the result and lets go of the session. A session in which
// nothing was answered is not kept.
func (r *run) finish(err error) error {
	saved := r.held.Changed() || !r.fresh
	released := r.held.Release()
	id := r.held.ID
	if err != nil && !saved {
		_ = r.store.Remove(id, r.app.env.Now()) // it stays in the list then, and can be removed there
		id = ""
	}
	if err == nil {
		err = released
	}
	result := r.walk.Session.Result()
	if err != nil {
		if errors.Is(err, errCancelled) {
			err = &cancelledError{session: id}
		} else if id != "" {
			r.app.say("Your answers are saved. Go on: rolecall resume %s", id)
		}
		return &failure{err: err, document: func(e *errorJSON) any { return resultJSON{Result: result, Error: e} }}
	}
	if r.app.json {
		r.app.writeJSON(resultJSON{Result: result})
		return nil
	}
	r.app.summary(result, r.walk.Session)
	return nil
}

// resultJSON is what connect and rehearse print with --json.
type resultJSON struct {
	step.Result
	Error *errorJSON `json:"error,omitempty"`
}

// summary prints what exists now. It stays in the terminal's scrollback.
func (a *app) summary(r step.Result, s *step.Session) {
	if s.Vendor == nil {
		return
	}
	a.print("%s", draw.Clean(handOverLine(r, s.Vendor.Title)))
	if r.Rehearsal {
		a.print("This was a rehearsal: nothing of it exists outside.")
	}
	a.print("")
	row := func(label, value string) {
		if value != "" {
			a.print("  %-12s  %s", label, draw.Clean(value))
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
		row("", fmt.Sprintf("%d characters", p.Characters))
		a.print("  %s", draw.Clean(p.Digest))
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
	a.print("\nNext:")
	for _, link := range s.Vendor.Next {
		a.print("  %s\n    %s", draw.Clean(link.Label), draw.Clean(link.URL))
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

// screen runs the full-screen wizard.
func (r *run) screen(ctx context.Context) error {
	env := r.app.env
	w := NewWizard(WizardOptions{
		Session: r.walk.Session, Desk: desk.New(), Journal: r.held, Save: r.held.Save, Getenv: env.Getenv,
	})
	if err := w.Run(ctx, env.Stdin, env.Stdout); err != nil {
		return err
	}
	if !w.Ended() {
		return errCancelled
	}
	return nil
}
