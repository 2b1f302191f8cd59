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
	"rolecall/ui/front"
	"rolecall/ui/lines"
)

// begin makes a new session and walks through it.
func begin(ctx context.Context, a *cli.App, s *step.Session, f front.Front, wait time.Duration, command string) error {
	walk := steps.NewWalk(s)
	if f == front.Unattended {
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
func walkThrough(ctx context.Context, r *lines.Run, f front.Front) error {
	r.Walk.Session.Ledger, r.Walk.Session.Journal = r.Store.Ledger(r.Open.ID), r.Open.Journal
	return finish(r, front.Run(ctx, r, f))
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
