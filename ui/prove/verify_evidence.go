package prove

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"

	"rolecall/aws"
	"rolecall/aws/evidence"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

// evidenceJSON is what the verdict rests on, where it is not the account itself.
type evidenceJSON struct {
	Forms   []string `json:"forms"`   // "aws iam get-role"
	Notes   []string `json:"notes"`   // what was taken for granted, and what was not used
	Missing []string `json:"missing"` // commands whose outputs would tell what is unknown, each once
}

// from opens what the role or user is looked at in: the evidence, or the account
// that the credentials are for.
func (f *verifyFlags) from(ctx context.Context, a *cli.App, p *flags.Prepared) (*step.Session, aws.Source, error) {
	if f.evidence == "" {
		session, account, _, err := f.SignIn(ctx, a, p)
		return session, account, err
	}
	session := p.Session(a)
	view, err := f.readEvidence(ctx, a, evidence.Ask{
		Role: f.Role, User: f.user, AccountID: a.Account, Partition: cmp.Or(session.Partition, "aws"), Now: a.Env.Now()})
	if err != nil {
		return nil, nil, err
	}
	partition, account, err := view.Place(ctx)
	if err != nil {
		return nil, nil, err
	}
	session.Partition, session.AccountID = cmp.Or(session.Partition, partition, "aws"), cmp.Or(a.Account, account)
	sayEvidence(a, view)
	return session, view, nil
}

// checkEvidence refuses what cannot be meant together with evidence.
func (f *verifyFlags) checkEvidence(a *cli.App) error {
	switch {
	case f.evidence == "":
		return nil
	case f.wait > 0:
		return cli.Usage("--wait goes with a live account: evidence does not change.", "--evidence alone", "Leave out --wait.")
	case a.Profile != "":
		return cli.Usage("--profile goes with a live account: with --evidence nobody signs in.", "--evidence alone", "Leave out --profile.")
	}
	return nil
}

// readEvidence reads the file, or standard input, beside the command.
func (f *verifyFlags) readEvidence(ctx context.Context, a *cli.App, ask evidence.Ask) (*evidence.View, error) {
	in, name, err := f.openEvidence(a)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	return f.view(ctx, in, name, ask)
}

// view reads evidence from a reader.
func (f *verifyFlags) view(ctx context.Context, in io.Reader, name string, ask evidence.Ask) (*evidence.View, error) {
	var view *evidence.View
	_, err := cli.Await(ctx, func() ([]byte, error) {
		read, err := evidence.Read(in, ask)
		view = read
		return nil, err
	})
	var refused *evidence.Refusal
	switch {
	case errors.As(err, &refused):
		return nil, evidenceRefused(name, refused)
	case errors.Is(err, cli.ErrCancelled):
		return nil, err
	case err != nil:
		return nil, cli.CannotRead(f.evidence, err)
	}
	return view, nil
}

func (f *verifyFlags) openEvidence(a *cli.App) (in io.ReadCloser, name string, err error) {
	if f.evidence == "-" {
		if a.Env.StdinTTY {
			a.Say("Paste what AWS answered, then press ctrl+d on a line of its own.")
		}
		return io.NopCloser(a.Env.Stdin), "standard input", nil
	}
	// A pipe that nobody writes to ends at once, rather than hanging in the opening.
	file, err := os.OpenFile(f.evidence, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", cli.CannotRead(f.evidence, err)
	}
	return file, draw.Clean(f.evidence), nil
}

// evidenceRefused says what is wrong with the evidence. What cannot be understood
// is for the person to correct; what contradicts itself proves nothing.
func evidenceRefused(name string, r *evidence.Refusal) error {
	p := screen.Problem{What: "The evidence in " + name + " cannot be used. " + r.What, Expected: r.Expected, Next: r.Next, Kind: screen.Usage}
	if !r.Contradiction {
		return &screen.Fault{Problem: p, Err: r}
	}
	p.What, p.Kind = "The evidence in "+name+" contradicts itself. "+r.What, screen.NotAsNeeded
	return &cli.Failure{Err: &screen.Fault{Problem: p, Err: r}, Document: func(e *cli.ErrorJSON) any {
		return verifyJSON{Report: aws.Report{Checks: []aws.Check{}}, Error: e}
	}}
}

// contradicted words the error of a source that shows several things where one
// is meant.
func (f *verifyFlags) contradicted(err error) error {
	var refused *evidence.Refusal
	if errors.As(err, &refused) {
		return evidenceRefused(draw.Clean(f.evidence), refused)
	}
	return err
}

// sayEvidence tells what the evidence consists of, and what was assumed.
func sayEvidence(a *cli.App, view *evidence.View) {
	a.Say("Judged by the evidence alone: %s.", strings.Join(view.Forms(), ", "))
	for _, note := range view.Notes() {
		a.Say("%s", draw.Clean(note))
	}
}

// evidenceOf is what the verdict rests on; nil for a live account.
func evidenceOf(source aws.Source, missing []aws.Missing) *evidenceJSON {
	view, ok := source.(*evidence.View)
	if !ok {
		return nil
	}
	e := &evidenceJSON{Forms: view.Forms(), Notes: append([]string{}, view.Notes()...), Missing: []string{}}
	for _, m := range missing {
		e.Missing = append(e.Missing, m.Command)
	}
	return e
}

// sayUnchecked sums up what the evidence could not tell.
func sayUnchecked(a *cli.App, checks []aws.Check, e *evidenceJSON) {
	if e == nil {
		return
	}
	var unknown []string
	for _, c := range checks {
		if c.Status == aws.Unknown {
			unknown = append(unknown, c.ID)
		}
	}
	if len(unknown) == 0 {
		a.Say("All %d checks could be made.", len(checks))
		return
	}
	a.Say("%d of %d checks could be made. Not: %s.", len(checks)-len(unknown), len(checks), strings.Join(unknown, ", "))
}
