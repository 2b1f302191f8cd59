package delegation

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps/delegate"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
)

type rejectFlags struct {
	common
	reason string
	yes    bool
}

func rejectCommand(a *cli.App) *cobra.Command {
	f := &rejectFlags{}
	cmd := &cobra.Command{
		Use:   "reject ID|LINK",
		Short: "Reject a request, also an accepted one whose access was not released",
		Long: "reject tells AWS that the request is refused, with a reason that the requestor can read. It cannot be accepted any more then: " +
			"the requestor has to ask anew.",
		Example: "  rolecall delegation reject e4bdcdae-4f66-11ed-a1b2-c3d4e5f60718 --reason PassRole-on-every-role",
		Args:    cli.ExactlyOne,
		RunE:    func(cmd *cobra.Command, args []string) error { return f.reject(cmd.Context(), a, args) },
	}
	f.bind(cmd)
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, for the requestor (at most 500 characters)")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "reject without asking")
	return cmd
}

func (f *rejectFlags) reject(ctx context.Context, a *cli.App, args []string) error {
	id, r, err := deciding(ctx, a, args, &f.common, f.check)
	if err != nil {
		return err
	}
	var done decisionJSON
	note := func(doc *requestJSON) { doc.decisionJSON = &done }
	judged, err := r.look(ctx, id)
	if err == nil {
		err = f.decide(ctx, r, judged, &done)
	}
	if err != nil {
		return failed(err, judged, note)
	}
	if a.JSON {
		doc := documentOf(judged)
		note(doc)
		a.WriteJSON(doc)
	}
	return nil
}

func (f *rejectFlags) decide(ctx context.Context, r *run, judged *delegate.Judged, done *decisionJSON) error {
	a := r.app
	if err := r.judge.Rejectable(judged.Request); err != nil {
		return err
	}
	if judged.Request.State == aws.DelegationRejected {
		a.Say("It is rejected already. There is nothing to do.")
		return nil
	}
	if !f.yes {
		printFacts(a, judged)
		agreed, err := a.Agree(ctx, "Reject it? The requestor has to ask anew then. y or n")
		if err == nil && !agreed {
			a.Say("Nothing was rejected.")
			err = cli.ErrCancelled
		}
		if err != nil {
			return err
		}
	}
	err := r.within(ctx, judged.Request.ID, done, func(ctx context.Context, d *delegate.Decider) error {
		return d.Reject(ctx, judged, f.reason)
	})
	done.Rejected = err == nil
	if err == nil {
		a.Say("Rejected. Kept: rolecall sessions show %s", done.Receipt)
	}
	return err
}

// check refuses what AWS would refuse, and a question that nobody can answer.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_RejectDelegationRequest.html
func (f *rejectFlags) check(a *cli.App) error {
	f.reason = strings.TrimSpace(f.reason)
	if n := utf8.RuneCountInString(f.reason); n > aws.MaxDelegationNote {
		return cli.Usage(
			fmt.Sprintf("--reason has %s.", screen.Counted(n, "character")),
			fmt.Sprintf("at most %d", aws.MaxDelegationNote),
			"Shorten it.",
		)
	}
	for _, c := range f.reason {
		if c != '\t' && c != '\n' && c != '\r' && (c < ' ' || c > '~' && c < 0xA1 || c > 0xFF) {
			return cli.Usage(fmt.Sprintf("--reason holds %q, which AWS does not take there.", c), "letters as in Western European languages",
				"Write it in other letters.")
		}
	}
	if !f.yes && (a.JSON || !a.Env.StdinTTY) {
		return cli.Usage(
			"reject asks before it rejects anything, and nobody can be asked here.",
			"a terminal, or --yes",
			"Add --yes. Nothing was rejected.",
		)
	}
	return nil
}
