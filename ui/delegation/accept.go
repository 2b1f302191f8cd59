package delegation

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps/delegate"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

type acceptFlags struct {
	common
	digest    string
	yes       bool
	sendToken bool
}

func acceptCommand(a *cli.App) *cobra.Command {
	f := &acceptFlags{}
	cmd := &cobra.Command{
		Use:   "accept ID|LINK",
		Short: "Accept exactly the request that was reviewed, and release the access",
		Long: "accept reads the request again just before it accepts it: one that is not what you were shown, or what the approved plan says, " +
			"is exit 3, and nothing is accepted. An accepted request gives nobody access yet: that is a second question, and unattended " +
			"--send-token. A request whose access was not released can still be rejected; later, access ends with its time, or is revoked in the " +
			"IAM console. Unattended, --yes needs an approved --plan, or the --digest that review printed.",
		Example: "  rolecall delegation accept e4bdcdae-4f66-11ed-a1b2-c3d4e5f60718\n" +
			"  rolecall delegation accept e4bdcdae-4f66-11ed-a1b2-c3d4e5f60718 --plan request.plan.json --yes --send-token --json",
		Args: cli.ExactlyOne,
		RunE: func(cmd *cobra.Command, args []string) error { return f.accept(cmd.Context(), a, args) },
	}
	f.bind(cmd)
	cmd.Flags().StringVar(&f.digest, "digest", "", "what was reviewed: the digest that show and review print")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "accept without asking what --plan or --digest names")
	cmd.Flags().BoolVar(&f.sendToken, "send-token", false, "release the access too: the request cannot be rejected any more then")
	return cmd
}

// accepting is one run of accept.
type accepting struct {
	*run
	flags    *acceptFlags
	judged   *delegate.Judged
	decision decisionJSON
}

func (f *acceptFlags) accept(ctx context.Context, a *cli.App, args []string) error {
	id, r, err := deciding(ctx, a, args, &f.common, f.check)
	if err != nil {
		return err
	}
	if err := r.approved(f.plan); err != nil {
		return err
	}
	u := &accepting{run: r, flags: f}
	if u.judged, err = r.look(ctx, id); err == nil {
		err = u.decideOn(ctx)
	}
	if err != nil {
		return failed(err, u.judged, u.note)
	}
	if a.JSON {
		doc := documentOf(u.judged)
		u.note(doc)
		a.WriteJSON(doc)
	}
	return nil
}

// check refuses an unattended run that nobody said what it may accept.
func (f *acceptFlags) check(a *cli.App) error {
	switch {
	case f.yes && f.plan == "" && f.digest == "":
		return cli.Usage("--yes accepts nothing that nobody reviewed.",
			"an approved plan (--plan FILE), or the digest of what was reviewed (--digest)",
			"Review it: rolecall delegation review ID. Nothing was accepted.")
	case !f.yes && (a.JSON || !a.Env.StdinTTY):
		return cli.Usage("accept asks before it accepts anything, and nobody can be asked here.", "a terminal, or --yes with --plan or --digest",
			"Add --yes. Nothing was accepted.")
	}
	return nil
}

func (u *accepting) note(doc *requestJSON) { doc.decisionJSON = &u.decision }

// decideOn decides on the request that was looked at.
func (u *accepting) decideOn(ctx context.Context) error {
	reviewed := u.judged.Plan
	if digest := u.flags.digest; digest != "" && digest != reviewed.Digest() {
		return &screen.Fault{Problem: screen.Problem{What: "The delegation request is not what was reviewed.", Wanted: digest,
			Found:    reviewed.Digest(),
			Expected: "the digest that show and review print under Digest", Next: "Review it again: rolecall delegation review " +
				u.judged.Request.ID + ". Nothing was accepted.",
			Kind: screen.NotAsNeeded}}
	}
	if err := u.judge.Acceptable(u.judged); err != nil {
		return err
	}
	if !u.app.JSON {
		if err := printReview(u.app, u.judged, false); err != nil {
			return err
		}
		u.app.Print("")
		printFacts(u.app, u.judged) // last, so that it stands above the question
	}
	if u.judged.Request.State == aws.DelegationAccepted {
		u.app.Say("It is accepted already, by %s. The requestor has no access yet.", cli.Dash(u.judged.Request.Approver))
	} else if err := u.agree(ctx, fmt.Sprintf("Accept it for account %s? y or n", screen.Grouped(u.judge.Identity.AccountID)),
		"Nothing was accepted."); err != nil {
		return err
	}
	return u.decide(ctx, reviewed)
}

// agree asks, where no flag answered.
func (u *accepting) agree(ctx context.Context, question, otherwise string) error {
	if u.flags.yes {
		return nil
	}
	agreed, err := u.app.Agree(ctx, question)
	if err == nil && !agreed {
		u.app.Say("%s", otherwise)
		err = cli.ErrCancelled
	}
	return err
}

// decide accepts, and then releases the access where that is wanted.
func (u *accepting) decide(ctx context.Context, reviewed *plan.Plan) error {
	if u.judged.Request.State != aws.DelegationAccepted {
		err := u.within(ctx, func(ctx context.Context, d *delegate.Decider) error {
			now, done, err := d.Accept(ctx, reviewed)
			if now != nil {
				u.judged = now
			}
			u.decision.Accepted = done
			return err
		})
		if err != nil {
			return err
		}
		u.app.Say("Accepted. The requestor has no access yet.")
	}
	defer func() {
		if u.decision.Receipt != "" {
			u.app.Say("Kept: rolecall sessions show %s", u.decision.Receipt)
		}
	}()
	if wanted, err := u.releases(ctx); err != nil || !wanted {
		return err
	}
	return u.release(ctx, reviewed)
}

// release gives the requestor its access.
func (u *accepting) release(ctx context.Context, reviewed *plan.Plan) error {
	err := u.within(ctx, func(ctx context.Context, d *delegate.Decider) error {
		now, err := d.Release(ctx, reviewed)
		if now != nil {
			u.judged = now
		}
		u.decision.Released = err == nil
		return err
	})
	if err == nil {
		u.app.Say("Released. %s has access for %s from now on.", requestorOf(u.judged.Request), screen.Hours(u.judged.Request.Duration))
		u.app.Say("%s", draw.Clean(delegate.Revoking(u.judged.Request.Approver)))
	}
	return err
}

// releases says whether the access is to be released now.
func (u *accepting) releases(ctx context.Context) (bool, error) {
	d := u.judged.Request
	later := "Release it later: rolecall delegation accept " + d.ID + " --send-token. Take it back: rolecall delegation reject " + d.ID + "."
	refusal := u.judge.Releasable(d)
	switch {
	case refusal != nil && u.flags.sendToken:
		return false, refusal
	case refusal != nil:
		u.app.Say("%s", draw.Clean(cli.ProblemOf(refusal).What))
		return false, nil
	}
	if u.flags.sendToken {
		return true, nil
	}
	if u.flags.yes {
		u.app.Say("%s", later)
		return false, nil
	}
	agreed, err := u.app.Agree(
		ctx,
		fmt.Sprintf("Release the access now? It lasts %s, and the request cannot be rejected any more then. y or n",
			screen.Hours(d.Duration)),
	)
	if err == nil && !agreed {
		u.app.Say("%s", later)
	}
	return agreed, err
}

// within opens the receipt and the journal, and does something with them in the
// time that is left.
func (r *run) within(ctx context.Context, id string, kept *decisionJSON, do func(context.Context, *delegate.Decider) error) error {
	store, err := r.app.Store()
	if err != nil {
		return err
	}
	account := r.judge.Identity
	head := record.Receipt{Method: plan.MethodDelegation, Access: "temporary", Partition: account.Partition, AccountID: account.AccountID,
		Profile: r.app.Profile, Region: r.app.Region, Endpoint: r.judge.Account.Endpoint()}
	if r.judge.Vendor != nil {
		head.Vendor = r.judge.Vendor.Name
	}
	decisions, release, err := store.OpenDecisions(head, id, "delegation", r.app.Whoami(), r.app.Env.Now)
	if err != nil {
		return err
	}
	defer release()
	decisions.SetBy(account.ARN)
	kept.Receipt = decisions.ID
	return r.budget.Within(ctx, func(ctx context.Context) error {
		return do(ctx, &delegate.Decider{Judge: r.judge, Decisions: decisions})
	})
}

func (u *accepting) within(ctx context.Context, do func(context.Context, *delegate.Decider) error) error {
	return u.run.within(ctx, u.judged.Request.ID, &u.decision, do)
}
