// Package delegation holds the commands on AWS's temporary delegation requests:
// list, show, review, accept and reject.
package delegation

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps/delegate"
	"rolecall/steps/describe"
	"rolecall/steps/plan"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

// Command is rolecall delegation.
func Command(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delegation",
		Short: "Review AWS's temporary delegation requests, and decide on them",
		Long: "Some vendors ask through AWS for temporary access to an account, with a link into the AWS console. delegation shows who asks, " +
			"for how long and for what, reviews the policy as any other, compares it with what the vendor's description says that it needs, and " +
			"accepts exactly what was reviewed, or rejects it.",
		Args: a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(listCommand(a), showCommand(a), reviewCommand(a), acceptCommand(a), rejectCommand(a))
	return cmd
}

// common are the flags that more than one of the commands has.
type common struct {
	vendor string
	plan   string
	wait   time.Duration
}

func (c *common) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.vendor, "vendor", "", "whose request it is: a vendor's name, or a file such as ./acme.yaml (default: by its "+
		"AWS account)")
	cmd.Flags().StringVar(&c.plan, "plan", "", "the plan of this request, as review -o wrote it: what changed since is exit 3")
	c.bindWait(cmd)
}

func (c *common) bindWait(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&c.wait, "wait", cli.DefaultWait, "how long AWS may take for all of it")
}

// run is one run of a command: the account that it looks into, and the time for
// that.
type run struct {
	app     *cli.App
	judge   *delegate.Judge
	planned *plan.Plan // of --plan; nil without
	budget  cli.Budget
}

// begin checks the flags, reads the plan and signs in.
func begin(ctx context.Context, a *cli.App, c *common) (*run, error) {
	if err := a.CheckCommon(); err != nil {
		return nil, err
	}
	if err := cli.CheckWait(c.wait); err != nil {
		return nil, err
	}
	r := &run{app: a, judge: &delegate.Judge{Now: a.Env.Now}, budget: cli.Budget{Wait: c.wait,
		Next: "Try again, or give it longer: --wait 10m."}}
	if err := r.load(c.vendor); err != nil {
		return nil, err
	}
	if err := r.readPlan(c.plan); err != nil {
		return nil, err
	}
	return r, r.budget.Within(ctx, r.signIn)
}

func (r *run) signIn(ctx context.Context) (err error) {
	a := r.app
	r.judge.Account, err = aws.Open(ctx, a.AWSOptions(a.Profile, "", a.AskCode()))
	if err != nil {
		return err
	}
	r.judge.Identity, err = r.judge.Account.Identity(ctx)
	return err
}

// load reads the descriptions of vendors. One of the user's that is broken stops
// nothing, unless it was named.
func (r *run) load(named string) error {
	library := flags.Library()
	for _, name := range describe.List() {
		if v, err := library.Load(name); err == nil {
			r.judge.Vendors = append(r.judge.Vendors, v)
		}
	}
	if named == "" {
		return nil
	}
	v, err := library.Load(named)
	if err != nil {
		return cli.FlagRefused("--vendor", err)
	}
	r.judge.Vendor = v
	return nil
}

// readPlan reads --plan. Its account is the only one allowed.
func (r *run) readPlan(name string) error {
	if name == "" {
		return nil
	}
	text, err := cli.ReadFile(name)
	if err != nil {
		return err
	}
	p, err := plan.Read(text)
	if err != nil {
		return err
	}
	if p.Delegation == nil {
		return cli.Usage(draw.Clean(name)+" is the plan of a connection, not of a delegation request.",
			"a file written by rolecall delegation review ID -o FILE",
			"Name the right file. A connection is made by: rolecall connect --plan "+draw.Clean(name)+".")
	}
	r.planned = p
	r.app.Account = cmp.Or(r.app.Account, p.AccountID)
	return nil
}

// look reads and judges the request that was named, and holds it against the
// plan.
func (r *run) look(ctx context.Context, id string) (judged *delegate.Judged, err error) {
	err = r.budget.Within(ctx, func(ctx context.Context) error {
		judged, err = r.judge.Look(ctx, id)
		return err
	})
	if err == nil && r.planned != nil {
		err = delegate.Same(r.planned, judged.Plan)
	}
	return judged, err
}

// parseID reads the argument.
func parseID(args []string) (string, error) {
	id, err := aws.ParseDelegationID(args[0])
	if err != nil {
		p := cli.ProblemOf(err)
		return "", cli.Usage(p.What, p.Expected, p.Next)
	}
	return id, nil
}

// approved refuses a plan that nobody approved as it is now.
func (r *run) approved(name string) error {
	if r.planned == nil {
		return nil
	}
	return flags.Approved(name, r.planned)
}

// failed is an error with what is known of the request beside it.
func failed(err error, judged *delegate.Judged, change func(*requestJSON)) error {
	if err == nil || judged == nil {
		return err
	}
	return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any {
		doc := documentOf(judged)
		if change != nil {
			change(doc)
		}
		doc.Error = e
		return doc
	}}
}

// deciding begins a decision about one request: first what was given is checked,
// then somebody signs in.
func deciding(ctx context.Context, a *cli.App, args []string, c *common, check func(*cli.App) error) (id string, r *run, err error) {
	if id, err = parseID(args); err != nil {
		return "", nil, err
	}
	if err = check(a); err != nil {
		return "", nil, err
	}
	r, err = begin(ctx, a, c)
	return id, r, err
}
