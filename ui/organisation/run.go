package organisation

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"rolecall/steps/organisation"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

func planCommand(a *cli.App) *cobra.Command {
	c := &command{app: a}
	cmd := &cobra.Command{
		Use:   "plan [-o FILE]",
		Short: "Show which accounts would get what, and what stands in the way",
		Long: "plan reads the organization and shows which accounts would be connected, which are left out and why, what every account " +
			"would get, " +
			"and which control policies of the organization forbid it. It changes nothing. With -o it writes a plan: a reviewer approves it " +
			"with rolecall approve FILE, and rolecall org apply --plan FILE then makes nothing else.",
		Example: "  rolecall org plan --ou /prod -o org.plan.json",
		Args:    a.NoArgs,
		RunE:    c.within(c.runPlan),
	}
	c.bind(cmd)
	c.bindDeployment(cmd)
	cmd.Flags().StringVarP(&c.output, "output", "o", "", "file to write the plan to")
	hide(cmd, "yes", "acknowledge-iam-capabilities", "plan")
	return cmd
}

// planJSON is what org plan prints.
type planJSON struct {
	Organisation  string                  `json:"organization"`
	Management    string                  `json:"management_account"`
	TrustedAccess bool                    `json:"trusted_access"`
	StackSet      organisation.StackSet   `json:"stack_set"`
	Bytes         int                     `json:"template_bytes"`
	Roles         []string                `json:"roles"`
	Totals        organisation.Totals     `json:"totals"`
	Accounts      []organisation.Row      `json:"accounts"`
	Obstacles     []organisation.Obstacle `json:"obstacles"`
	Unread        string                  `json:"obstacles_unknown,omitempty"` // why not all control policies could be read
	Tolerance     string                  `json:"failure_tolerance"`
	Concurrency   string                  `json:"concurrency"`
	Plan          string                  `json:"plan,omitempty"`
}

func (c *command) runPlan(ctx context.Context) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	out := planJSON{Organisation: s.tree.ID, Management: s.tree.Management, Bytes: len(s.want.Template),
		Obstacles: []organisation.Obstacle{}, Plan: c.output,
		StackSet:  organisation.StackSet{Name: s.want.SetName(), Digest: s.want.Digest, Automatic: c.automatic},
		Tolerance: c.tolerance, Concurrency: c.concurrency}
	if out.TrustedAccess, err = s.cloud.TrustedAccess(ctx); err != nil {
		return err
	}
	found, err := organisation.Preflight(ctx, s.clock, s.cloud, s.tree, s.want, s.chosen)
	if err != nil {
		out.Unread = draw.Clean(err.Error())
		c.app.Say("The control policies could not be read, so that nobody knows what they forbid: %s", out.Unread)
	}
	out.Obstacles = append(out.Obstacles, found...)
	for _, g := range s.want.Grants {
		out.Roles = append(out.Roles, g.Name)
	}
	report, err := c.status(ctx, s)
	if err != nil {
		return err
	}
	out.Totals, out.Accounts = report.Totals, report.Accounts
	if err := c.writePlan(s); err != nil {
		return err
	}
	if c.format == formatText {
		c.planText(s, out)
		return nil
	}
	return c.write(report, out, "Plan of "+s.prepared.Vendor.Title)
}

// writePlan writes the reviewable file.
func (c *command) writePlan(s *scene) error {
	if c.output == "" {
		return nil
	}
	head := plan.Head{Tool: "rolecall " + cli.Version(), Vendor: s.prepared.Answers.Vendor, Method: "automatic", StackName: s.want.SetName()}
	p, err := plan.Make(s.want.Request, head, c.app.Env.Now())
	if err != nil {
		return err
	}
	p.Template, p.Automatic = s.want.Digest, c.automatic
	if p.Targets, err = s.targets(s.choice); err != nil {
		return err
	}
	text, err := p.JSON()
	if err != nil {
		return err
	}
	if err := flags.WritePlan(c.output, text); err != nil {
		return err
	}
	c.app.Say("Planned in %s. Next: have it reviewed, then rolecall approve %s, then rolecall org apply --plan %s.",
		draw.Clean(c.output), draw.Clean(c.output), draw.Clean(c.output))
	return nil
}

func applyCommand(a *cli.App) *cobra.Command {
	c := &command{app: a}
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Connect the accounts that are not connected yet",
		Long: "apply makes or updates the StackSet, has AWS deploy it to the accounts that are not connected yet, and hands each role over " +
			"as it becomes " +
			"ready. Run again, it goes on where it stopped, tries those that failed, connects new accounts, and does nothing to the others: it " +
			"can run on a " +
			"schedule. Exit 0: all are connected; 3: some failed; 8: the time was up.",
		Example: "  rolecall org apply --ou /prod --yes --acknowledge-iam-capabilities --wait 1h",
		Args:    a.NoArgs,
		RunE:    c.within(c.runApply),
	}
	c.bind(cmd)
	c.bindDeployment(cmd)
	cmd.Flags().BoolVar(&c.resend, "resend", false, "send a declared request again whose answer got lost")
	return cmd
}

func (c *command) runApply(ctx context.Context) error {
	yes := c.given.Yes()
	if yes && c.given.Text("acknowledge-iam-capabilities") != "true" && c.rehearsed == nil {
		return cli.Usage("Nobody acknowledged that CloudFormation makes IAM roles in every account.",
			"--acknowledge-iam-capabilities beside --yes",
			"Add --acknowledge-iam-capabilities.")
	}
	if !yes && c.rehearsed == nil && !c.app.Env.StdinTTY {
		return cli.Usage("There is no terminal to ask at.", "a terminal, or --yes with --acknowledge-iam-capabilities",
			"Add --yes --acknowledge-iam-capabilities.")
	}
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	trusted, err := s.cloud.TrustedAccess(ctx)
	if err == nil && !trusted {
		return organisation.Untrusted(nil)
	}
	client, err := c.vendor(s)
	if err != nil {
		return err
	}
	if err := c.planned(s); err != nil {
		return err
	}
	if err := c.agreeToSend(ctx, s); err != nil {
		return err
	}
	if err := c.agree(ctx, s); err != nil {
		return err
	}
	h, release, err := c.host(s, "org apply")
	if err != nil {
		return err
	}
	defer release()
	h.Vendor, h.Post = client, c.post()
	for {
		report, err := h.Apply(ctx, s.chosen)
		c.telling.end()
		report.Organisation = s.tree.ID
		again := err == nil && report.Totals.Failed > 0 && !yes && c.format == formatText && c.app.Env.StdinTTY
		if !again {
			return c.end(report, err, (*organisation.Report).Worst)
		}
		c.failures(report)
		if ok, err := c.app.Agree(ctx, "\nTry the accounts that failed again? [y/N]"); err != nil || !ok {
			return c.end(report, err, (*organisation.Report).Worst)
		}
	}
}

// agreeToSend settles whether the request goes out that a vendor's file declares.
// Only a person says so, or the flag that names its address.
func (c *command) agreeToSend(ctx context.Context, s *scene) error {
	to, named := s.want.PostTo(), c.given.SendTo()
	switch {
	case named != "" && (!s.want.Posts() || named != to):
		return cli.Usage("--send-to names another address than the description of "+draw.Clean(s.prepared.Vendor.Title)+".",
			cmp.Or(to, "a vendor that declares a request"), "Correct --send-to, or leave it out.")
	case !s.want.Posts():
		return nil
	case named == to || c.rehearsed != nil:
		c.sends = true
		return nil
	case c.given.Yes():
		return cli.Usage("Nobody said whether each role is sent to "+draw.Clean(to)+", as the vendor's description declares.",
			"--send-to "+draw.Clean(to), "Add it. Without --yes you are asked, and can say no.")
	}
	var err error
	c.app.Say("The description of %s asks rolecall to send this for each account:\n%s", draw.Clean(s.prepared.Vendor.Title),
		draw.Clean(s.want.PostBody("111122223333", s.want.Shared)))
	c.sends, err = c.app.Agree(ctx, "Send it to "+draw.Clean(to)+"? n: you hand the roles over by hand. [y/N]")
	return err
}

// post is how the declared request is sent; nil: it is not.
func (c *command) post() organisation.Post {
	switch {
	case !c.sends:
		return nil
	case c.rehearsed != nil:
		return func(context.Context, string, string) (int, string, time.Duration, error) {
			return http.StatusOK, "taken", 0, nil
		}
	}
	return func(ctx context.Context, url, body string) (int, string, time.Duration, error) {
		return cli.PostAsked(ctx, cli.PostClient(), url, body)
	}
}

// agree has a person say that it may be done. --yes says so, too.
func (c *command) agree(ctx context.Context, s *scene) error {
	if c.given.Yes() || c.rehearsed != nil {
		return nil
	}
	n := 0
	for _, one := range s.chosen {
		if one.Excluded == nil {
			n++
		}
	}
	c.app.Say("StackSet %s: the role %s, with a policy, in each of %d accounts of organization %s. Template %s.", s.want.SetName(),
		s.want.Grants[0].Name, n, s.tree.ID, s.want.Digest)
	return c.sure(ctx, "CloudFormation makes these IAM roles by name. Go on? [y/N]")
}

func (c *command) sure(ctx context.Context, question string) error {
	ok, err := c.app.Agree(ctx, question)
	if err != nil {
		return err
	}
	if !ok {
		return cli.ErrCancelled
	}
	return nil
}

// end prints the report, also of a run that failed, and gives the verdict.
func (c *command) end(report *organisation.Report, err error, verdict func(*organisation.Report) error) error {
	if err = c.late(err); err == nil {
		err = verdict(report)
	}
	if errors.Is(err, context.Canceled) {
		err = cli.ErrCancelled
	}
	if err != nil && c.format == formatJSON {
		return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any { return reportJSON{Report: report, Error: e} }}
	}
	if writeErr := c.write(report, reportJSON{Report: report}, "Connections"); writeErr != nil && err == nil {
		err = writeErr
	}
	return err
}

type reportJSON struct {
	*organisation.Report

	Error *cli.ErrorJSON `json:"error,omitempty"`
}

func statusCommand(a *cli.App) *cobra.Command {
	c := &command{app: a}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "How each account stands, and what org apply would close",
		Long: "status compares the organization, the StackSet's stacks and what was handed over: accounts that are new, whose role is gone, " +
			"that drifted. " +
			"It changes nothing. Exit 0: all are connected; 3: some are not.",
		Example: "  rolecall org status --format csv\n  rolecall org status --format html > org.html",
		Args:    a.NoArgs,
		RunE:    c.within(c.runStatus),
	}
	c.bind(cmd)
	hide(cmd, "yes", "acknowledge-iam-capabilities")
	return cmd
}

func (c *command) runStatus(ctx context.Context) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	report, err := c.status(ctx, s)
	if err != nil {
		return err
	}
	return c.end(report, nil, (*organisation.Report).Worst)
}

// status is how all stand, by what was kept.
func (c *command) status(ctx context.Context, s *scene) (*organisation.Report, error) {
	members, err := s.members()
	if err != nil {
		return nil, err
	}
	report, err := organisation.Status(ctx, s.clock, s.cloud, s.want, s.receipt, members, s.chosen)
	if err == nil {
		report.Organisation, report.Vendor = s.tree.ID, s.prepared.Answers.Vendor
	}
	return report, err
}

func (s *scene) members() ([]record.Member, error) {
	if s.receipt.Session == "" {
		return nil, nil
	}
	return s.store.Members(s.receipt.Session)
}

func verifyCommand(a *cli.App) *cobra.Command {
	c := &command{app: a}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check the role of every account",
		Long: "verify checks every account without access to it: by its stack, the stack's own external ID, and AWS's drift detection. With " +
			"--reader-role, " +
			"a role that exists in every account and may read IAM, it looks at the roles themselves, eight accounts at a time. Exit 3: not as " +
			"required.",
		Example: "  rolecall org verify --format html > org.html\n  rolecall org verify --reader-role OrganizationAccountAccessRole",
		Args:    a.NoArgs,
		RunE:    c.within(c.runVerify),
	}
	c.bind(cmd)
	cmd.Flags().StringVar(&c.reader, "reader-role", "", "a role of every account that may read IAM, by its name")
	cmd.Flags().BoolVar(&c.drift, "drift", true, "have AWS detect drift first")
	hide(cmd, "yes", "acknowledge-iam-capabilities")
	return cmd
}

func (c *command) runVerify(ctx context.Context) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	members, err := s.members()
	if err != nil {
		return err
	}
	if s.receipt.Session == "" {
		return &screen.Fault{Problem: screen.Problem{What: "No account of this organization was connected to " + s.prepared.Vendor.Title +
			" from here.",
			Expected: "the receipt of rolecall org apply", Next: "Run rolecall org apply, or set XDG_STATE_HOME to where its receipts " +
				"are.", Kind: screen.NotAsNeeded}}
	}
	report, err := organisation.Verify(ctx, s.clock, s.cloud, s.want, s.receipt, members, s.chosen,
		organisation.Verified{Account: s.account, ReaderRole: c.reader, Session: s.receipt.Session, Drift: c.drift && c.reader == ""})
	if err != nil {
		return err
	}
	report.Organisation = s.tree.ID
	return c.end(report, nil, (*organisation.Report).Unfit)
}

func removeCommand(a *cli.App) *cobra.Command {
	c := &command{app: a}
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Delete the stacks that the StackSet of a receipt made",
		Long: "remove deletes the stacks of the StackSet that the receipt names, in waves, and then the StackSet. It shows what goes first. " +
			"Nothing else is deleted: the vendor's accounts stay, and so does what others made.",
		Example: "  rolecall org remove --ou /sandbox\n  rolecall org remove --yes",
		Args:    a.NoArgs,
		RunE:    c.within(c.runRemove),
	}
	c.bind(cmd)
	c.bindDeployment(cmd)
	hide(cmd, "acknowledge-iam-capabilities", "automatic-deployment", "failure-tolerance")
	return cmd
}

func (c *command) runRemove(ctx context.Context) error {
	if !c.given.Yes() && !c.app.Env.StdinTTY {
		return cli.Usage("There is no terminal to ask at.", "a terminal, or --yes", "Add --yes.")
	}
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	if s.receipt.Session == "" {
		return &screen.Fault{Problem: screen.Problem{What: "There is no receipt of a StackSet in this organization. Nothing was removed.",
			Expected: "the receipt of rolecall org apply", Next: "Set XDG_STATE_HOME to where its receipts are.", Kind: screen.NotAsNeeded}}
	}
	h, release, err := c.host(s, "org remove")
	if err != nil {
		return err
	}
	defer release()
	removal, err := h.PlanRemoval(ctx, s.chosen)
	if err != nil {
		return err
	}
	if removal.Set.ID == "" {
		c.app.Say("The StackSet is gone already: there is nothing to remove.")
		return c.end(&organisation.Report{Session: s.receipt.Session, Accounts: []organisation.Row{}}, nil, (*organisation.Report).Left)
	}
	c.app.Say("StackSet %s: the stacks of %d accounts go, with the role in each.", removal.Set.Name, len(removal.Accounts))
	if removal.Whole {
		c.app.Say("Then the StackSet goes, too.")
	}
	if !c.given.Yes() {
		if err := c.sure(ctx, "Delete them? [y/N]"); err != nil {
			return err
		}
	}
	report, err := h.Remove(ctx, removal)
	c.telling.end()
	report.Organisation = s.tree.ID
	if len(s.choice.Units)+len(s.choice.Accounts)+len(s.choice.Tags) > 0 {
		return c.end(report, err, (*organisation.Report).Left)
	}
	return c.end(report, err, (*organisation.Report).LeftAll)
}
