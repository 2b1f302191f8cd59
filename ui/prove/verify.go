// Package prove holds the commands that look at a connection and change nothing:
// verify, which says whether it is as required, and diagnose, which says why a
// vendor cannot use it.
package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/aws/diagnose"
	"rolecall/steps/explain"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
	"rolecall/ui/sessions"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	sessions.RoleFlags
	user     string
	evidence string
	wait     time.Duration
	all      bool
	receipt  string
	format   string
}

// VerifyCommand is rolecall verify.
func VerifyCommand(a *cli.App) *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check a role against what the vendor needs",
		Long: "verify looks at one role and checks, one by one, what the vendor needs of it: whom it trusts, under which external ID, " +
			"and what it grants. What was chosen when the role was connected (products, regions, tag, external ID, path, boundary) is taken " +
			"from its newest session in this account; a flag wins, and an empty one (--restrict-tag '') takes nothing. " +
			"It changes nothing. Exit 0: as required; 3: not as required.\n\n" +
			"With --evidence nobody signs in: what somebody else read from AWS is judged instead, by the same checks. It may be the JSON output " +
			"of " +
			"aws iam get-role, list-attached-role-policies, list-role-policies, get-role-policy, get-policy, get-policy-version, get-user, " +
			"list-access-keys, get-open-id-connect-provider and get-account-authorization-details, several in a row, also as a " +
			"terminal shows them with their commands; the " +
			"trust policy " +
			"from the console; a Terraform state or terraform show -json; a CloudFormation template. What it does not tell is unknown, and the " +
			"command whose output is missing is named.\n\n" +
			"With --all every role of the account is looked at that lets in a vendor or a stranger, an account outside the organization: who " +
			"gets in, under " +
			"which external ID, what it may do, when it was last used, and what was found.\n\n" +
			"With --receipt it tells what was changed since rolecall made it: a policy that was edited by hand, a role that was made anew under " +
			"the " +
			"same name, somebody new in the trust policy. The file is a receipt of rolecall, as it stands in its state folder.",
		Example: "  rolecall verify --role Spot-Role --external-id spotinst:aws:extid:0123456789abcdef\n  rolecall verify --role " +
			"arn:aws:iam::123456789012:role/Spot-Role --json\n  rolecall verify --role Spot-Role --external-id " +
			"spotinst:aws:extid:0123456789abcdef --evidence pasted.json\n" +
			"  rolecall verify --all --format csv > roles.csv\n" +
			"  rolecall verify --receipt receipts/260131-7k2m.json --json",
		Args: a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return verify(cmd.Context(), a, f) },
	}
	f.Connect.Bind(cmd, flags.Checking)
	given := cmd.Flags()
	given.StringVar(&f.Role, "role", "", "name or ARN of the role (default: the name that the vendor suggests)")
	given.StringVar(&f.user, "user", "", "name of an IAM user")
	given.StringVar(&f.evidence, "evidence", "", "file with what somebody else read from AWS, or - (no credentials are needed)")
	given.DurationVar(&f.wait, "wait", 0, "how long to wait for the role to become right")
	given.BoolVar(&f.all, "all", false, "look at every role that lets in a vendor or a stranger")
	given.StringVar(&f.receipt, "receipt", "", "file with a receipt, to tell what was changed since")
	given.StringVar(&f.format, "format", "text", "text or json; with --all also csv, html or markdown")
	return cmd
}

// verify checks the role now, and again until it is right or the wait is over.
func verify(ctx context.Context, a *cli.App, f *verifyFlags) error {
	if f.wait < 0 {
		return cli.Usage("--wait is "+f.wait.String()+".", "a time such as 2m", "Correct --wait.")
	}
	if err := f.checkAll(a); err != nil {
		return err
	}
	look := func(ctx context.Context) error {
		switch {
		case f.all:
			return verifyEvery(ctx, a, f)
		case f.receipt != "":
			return verifyReceipt(ctx, a, f)
		case f.user != "":
			return verifyUser(ctx, a, f)
		}
		return verifyRole(ctx, a, f)
	}
	if f.evidence != "" {
		return look(ctx) // nobody is asked but who pastes, and takes the time that it takes
	}
	budget := cli.Budget{Wait: cmp.Or(f.wait, cli.DefaultWait), Next: "Try again, or give it longer: --wait 10m."}
	return budget.Within(ctx, look)
}

func verifyRole(ctx context.Context, a *cli.App, f *verifyFlags) error {
	until := a.Env.Now().Add(f.wait)
	if err := a.CheckCommon(); err != nil {
		return err
	}
	if err := f.checkEvidence(a); err != nil {
		return err
	}
	prepared, role, err := f.Wanted()
	if err != nil {
		return err
	}
	session, source, err := f.from(ctx, a, prepared)
	if err != nil {
		return err
	}
	want, err := f.Want(a, session, role)
	if err != nil {
		return err
	}
	sessions.SayUnseen(a, &f.Connect)
	seen := aws.Seen{}
	report, err := lookUntil(ctx, a.Env, until, func() (report aws.Report, right bool, err error) {
		seen, report, err = aws.Look(ctx, source, want)
		return report, report.OK, err
	})
	if err != nil {
		return f.contradicted(err)
	}
	if _, live := source.(*aws.Account); live && f.wait == 0 {
		sayYoung(a, seen.Role, report.OK)
	}
	document := verifyJSON{Report: report, Session: session.ID, Evidence: evidenceOf(source, seen.Missing)}
	if !report.OK {
		document.Causes = diagnose.Rank(around(ctx, source, session, want, seen, report))
	}
	return printReport(a, document, want, session.Vendor.Title)
}

// around are the facts about a role that was seen, with what stands around it
// where a live account was looked at.
func around(ctx context.Context, source aws.Source, s *step.Session, want aws.Want, seen aws.Seen, report aws.Report) diagnose.Facts {
	facts := diagnose.Facts{Vendor: s.Vendor.Title, Want: want, Session: s.SessionFor, Looked: true, Seen: seen, Report: report}
	if account, ok := source.(*aws.Account); ok {
		facts.Surroundings = account.Surroundings(ctx, want.AccountID, seen, s.Regions)
	}
	return facts
}

// lookAgain is the pause between two looks of verify --wait.
const lookAgain = 5 * time.Second

// lookUntil looks until what is there is right, or the time is up. What may pass
// is no reason to stop before that, and what was seen counts when the last look
// was cut off: the answer, else why the look before had none.
func lookUntil[R any](ctx context.Context, env cli.Env, until time.Time, look func() (R, bool, error)) (R, error) {
	var seen R
	looked := false
	var before error
	for {
		now, right, err := look()
		switch {
		case err == nil:
			seen, looked = now, true
		case ctx.Err() != nil && before != nil:
			err = before
		default:
			before = err
		}
		over := ctx.Err() != nil || !env.Now().Add(lookAgain).Before(until)
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			return seen, ctx.Err() // somebody left
		case right, over, err != nil && !step.Passes(err):
			return seen, unless(looked && over, err)
		}
		select {
		case <-env.Alarm(lookAgain):
		case <-ctx.Done():
		}
	}
}

// unless drops an error that does not matter any more.
func unless(settled bool, err error) error {
	if settled {
		return nil
	}
	return err
}

// verifyJSON is what verify prints with --json.
type verifyJSON struct {
	aws.Report
	Causes   []diagnose.Cause `json:"causes,omitempty"`   // why the vendor cannot use the role, where it is not as required
	Session  string           `json:"session,omitempty"`  // whose choices were taken
	Evidence *evidenceJSON    `json:"evidence,omitempty"` // that was judged instead of the account
	Error    *cli.ErrorJSON   `json:"error,omitempty"`
}

func printReport(a *cli.App, document verifyJSON, want aws.Want, vendor string) error {
	if document.Checks == nil {
		document.Checks = []aws.Check{}
	}
	if !a.JSON {
		reportText(a, document.Report)
	}
	sayUnchecked(a, document.Checks, document.Evidence)
	if document.OK {
		if a.JSON {
			a.WriteJSON(document)
		}
		return nil
	}
	if first := explain.Cause(vendor, document.Causes); first != nil && !a.JSON {
		a.Print("%s", draw.Clean(first.What))
	}
	return &cli.Failure{
		Err: &screen.Fault{Problem: verdict(document.Report, want)},
		Document: func(e *cli.ErrorJSON) any {
			document.Error = e
			return document
		},
	}
}

// verdict says why the role is not as required: the first failure, else the
// first thing that could not be looked at. A permission that is missing is the
// caller's trouble, not the role's, and another exit code.
func verdict(report aws.Report, want aws.Want) screen.Problem {
	return unfit("role "+want.RoleName, report.Checks)
}

// unfit says why something is not as required.
func unfit(what string, checks []aws.Check) screen.Problem {
	if p := explain.Unseen(checks); p != nil {
		p.What = "rolecall cannot tell whether the " + what + " is as required. " + p.What
		return *p
	}
	if p, ok := incomplete(what, checks); ok {
		return p
	}
	words := map[aws.Status]string{
		aws.Fail:    "The %s is not as required. %s: %s.",
		aws.Unknown: "rolecall cannot tell whether the %s is as required. %s: %s.",
	}
	for _, status := range []aws.Status{aws.Fail, aws.Unknown} {
		for _, c := range checks {
			if c.Status == status {
				return screen.Problem{What: fmt.Sprintf(words[status], what, c.ID, c.Got), Expected: c.Want, Next: c.Fix, Kind: screen.NotAsNeeded}
			}
		}
	}
	return screen.Problem{What: "The " + what + " is not as required.", Kind: screen.NotAsNeeded}
}

// incomplete says that nothing is wrong in the evidence and that it does not show
// everything; the checks name the commands.
func incomplete(what string, checks []aws.Check) (screen.Problem, bool) {
	lacking := ""
	for _, c := range checks {
		if c.Status == aws.Fail {
			return screen.Problem{}, false
		}
		if len(c.Missing) > 0 && lacking == "" {
			lacking = c.ID
		}
	}
	return screen.Problem{What: "rolecall cannot tell whether the " + what + " is as required: the evidence does not show it all.",
		Expected: "what the checks that are unknown ask for, from " + lacking + " on",
		Next:     "Add those outputs to what is there already, and run the same again.", Kind: screen.NotAsNeeded}, lacking != ""
}
