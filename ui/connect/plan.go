package connect

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/policy/review"
	"rolecall/steps/describe"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

// PlanCommand is rolecall plan.
func PlanCommand(a *cli.App) *cobra.Command {
	given := &flags.Flags{}
	var output string
	cmd := &cobra.Command{
		Use:   "plan -o FILE",
		Short: "Write everything that would be created into one file, for review",
		Long: "plan writes every document that connect would create with the same flags: with digest, findings, sizes and names. " +
			"It needs no network and mints nothing: an external ID that is not given stays open. " +
			"A reviewer approves it with rolecall approve FILE, and connect --plan FILE then creates nothing else.",
		Example: "  rolecall plan --vendor spot -o spot.plan.json\n  rolecall approve spot.plan.json\n  rolecall connect --plan spot.plan.json",
		Args:    a.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runPlan(a, given, output) },
	}
	given.Bind(cmd, flags.Connecting)
	for _, unused := range []string{"yes", "wait", "plan", "secret-file", "replace-role", "acknowledge-iam-capabilities", "account-name"} {
		_ = cmd.Flags().MarkHidden(unused) // the flag exists: bind made it
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write; - prints the plan")
	return cmd
}

func runPlan(a *cli.App, given *flags.Flags, output string) error {
	if output == "" && !a.JSON {
		return cli.Usage("plan has no file to write to.", "-o FILE, or -o - to print the plan", "Add -o spot.plan.json.")
	}
	given.TakeDefaults()
	prepared, err := flags.Prepare(a, given)
	if err != nil {
		return err
	}
	if prepared.Open() {
		return cli.Usage(
			"Which access the plan is for is open.",
			"one of: "+flags.OfferList(prepared.Offers),
			"Give --vendor, --method and --access.",
		)
	}
	session := prepared.Session(a)
	session.Partition = cmp.Or(session.Partition, describe.Commercial)
	planned, err := plan.Make(
		session.Request(),
		plan.Head{Tool: "rolecall " + cli.Version(), Vendor: session.Answers.Vendor, Method: session.Method,
			VendorAccount: session.VendorAccount, StackName: session.Stack.Name},
		a.Env.Now(),
	)
	if err != nil {
		return err
	}
	text, err := planned.JSON()
	if err != nil {
		return err
	}
	if output == "" || output == "-" {
		_, err := a.Env.Stdout.Write(text)
		return err
	}
	if err := flags.WritePlan(output, text); err != nil {
		return err
	}
	if a.JSON {
		_, err := a.Env.Stdout.Write(text)
		return err
	}
	sayPlan(a, planned, output)
	return nil
}

func sayPlan(a *cli.App, planned *plan.Plan, name string) {
	a.Say("Planned in %s: nothing was created, nothing was sent.", draw.Clean(name))
	for _, d := range planned.Documents {
		a.Say("  %-11s  %-36s  %5d of %5d characters  %s", d.Kind, draw.Clean(d.Name), d.Characters, d.Limit, worst(d.Findings))
		a.Say("               %s", d.Digest)
	}
	sayManaged(a, planned)
	for _, role := range planned.Roles {
		if role.ExternalID == plan.UnknownExternalID {
			a.Say("The external ID is not known yet: it stands as %s in the trust policy.", plan.UnknownExternalID)
			break
		}
	}
	a.Say("Next: have it reviewed, then rolecall approve %s, then rolecall connect --plan %s.", draw.Clean(name), draw.Clean(name))
}

// sayManaged lists the managed policies of a plan that exist already, which are no
// documents of its own, and warns of those that grant nearly everything.
func sayManaged(a *cli.App, plan *plan.Plan) {
	for _, role := range plan.Roles {
		for _, arn := range role.ManagedPolicies {
			a.Say("  %-11s  %s", map[bool]string{true: "AWS managed", false: "yours"}[aws.OfAWS(arn)], draw.Clean(arn))
			if grants := describe.Sweeping(arn); grants != "" {
				a.Say("Warning: it grants nearly everything: the vendor can do %s.", grants)
			}
		}
	}
}

// sayTargets lists where a plan of an organization goes.
func sayTargets(a *cli.App, plan *plan.Plan) {
	for _, target := range plan.Targets {
		a.Say("  %-11s  %s", "in", draw.Clean(target))
	}
	if plan.Automatic {
		a.Say("  %-11s  %s", "in", "accounts that come there later, by automatic deployment")
	}
}

// worst counts findings by severity, the worst two.
func worst(findings []review.Finding) string {
	var words []string
	for _, severity := range review.Severities() {
		n := 0
		for _, f := range findings {
			if f.Severity == severity {
				n++
			}
		}
		if n > 0 && severity != review.Note {
			words = append(words, fmt.Sprintf("%d %s", n, severity))
		}
	}
	if len(words) == 0 {
		return "no finding"
	}
	return strings.Join(words, ", ")
}

// approved is what approve prints for scripts.
type approved struct {
	Plan      string        `json:"plan"`
	Approval  plan.Approval `json:"approval"`
	Approvals int           `json:"approvals"` // in the file now
}

// ApproveCommand is rolecall approve.
func ApproveCommand(a *cli.App) *cobra.Command {
	var who string
	cmd := &cobra.Command{
		Use:   "approve FILE",
		Short: "Record an approval of exactly a plan's documents, in the plan",
		Long: "approve records in the file who approved which documents, by digest, and when. It is a record, not a signature: " +
			"whoever can write the file can write one. A file whose digests do not match its documents is refused.",
		Args: cli.ExactlyOne,
		RunE: func(_ *cobra.Command, args []string) error { return approve(a, args[0], who) },
	}
	cmd.Flags().StringVar(&who, "as", "", "who approves, where it is not the user signed in here")
	return cmd
}

func approve(a *cli.App, name, who string) error {
	text, err := cli.ReadFile(name)
	if err != nil {
		return err
	}
	plan, err := plan.Read(text)
	if err != nil {
		return err
	}
	for i := range plan.Documents {
		// What the file says of a document may have been edited: it is said anew.
		plan.Documents[i].ReviewAgain(plan.Partition, a.Env.Now())
		if d := plan.Documents[i]; d.Verdict == "refused" {
			return &screen.Fault{Problem: screen.Problem{What: fmt.Sprintf("AWS will refuse the %s document %s.", d.Kind, d.Name),
				Expected: "documents that AWS accepts", Next: "See why: rolecall policy review. Then plan anew.", Kind: screen.NotAsNeeded}}
		}
	}
	if who = strings.TrimSpace(draw.Clean(who)); who == "" {
		who = a.Whoami()
	}
	approval := plan.Approve(who, a.Env.Now())
	out, err := plan.JSON()
	if err != nil {
		return err
	}
	if err := record.WriteAtomic(name, out); err != nil {
		return cli.Usage(
			draw.Clean(name)+" cannot be written: "+draw.Clean(err.Error())+".",
			"a file that you may write to",
			"Copy it to a folder of yours and approve it there.",
		)
	}
	if a.JSON {
		a.WriteJSON(approved{Plan: name, Approval: approval, Approvals: len(plan.Approvals)})
		return nil
	}
	a.Say("Recorded in %s: %s approved %d documents. This is a record, not a signature.", draw.Clean(name), who, len(approval.Digests))
	for _, d := range plan.Documents {
		a.Say("  %-11s  %-36s  %s", d.Kind, draw.Clean(d.Name), worst(d.Findings))
		a.Say("               %s", d.Digest)
	}
	sayManaged(a, plan)
	sayTargets(a, plan)
	next := "rolecall connect --plan "
	switch {
	case plan.Template != "":
		next = "rolecall org apply --plan "
	case plan.Delegation != nil:
		next = "rolecall delegation accept " + draw.Clean(plan.Delegation.ID) + " --plan "
	}
	a.Say("Next: %s%s.", next, draw.Clean(name))
	return nil
}
