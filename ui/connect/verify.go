package connect

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	connect  flags.Flags // those that describe what is wanted
	role     string
	user     string
	evidence string
	wait     time.Duration
}

// VerifyCommand is rolecall verify.
func VerifyCommand(a *cli.App) *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check a role against what the vendor needs",
		Long: "verify looks at one role and checks, one by one, what the vendor needs of it: whom it trusts, under which external ID, " +
			"and what it grants. It changes nothing. Exit 0: as required; 3: not as required.",
		Example: "  rolecall verify --role Spot-Role --external-id spotinst:aws:extid:0123456789abcdef\n  rolecall verify --role arn:aws:iam::123456789012:role/Spot-Role --json",
		Args:    a.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return verify(cmd.Context(), a, f) },
	}
	given := cmd.Flags()
	c := &f.connect
	c.Given, c.Wait = given.Changed, flags.DefaultWait
	given.StringVar(&c.Vendor, "vendor", "", "vendor: a name, or a file such as ./acme.yaml")
	given.StringVar(&f.role, "role", "", "name or ARN of the role (default: the name that the vendor suggests)")
	given.StringVar(&f.user, "user", "", "name of an IAM user")
	given.StringVar(&c.ExternalID, "external-id", "", "external ID that the role has to require")
	given.StringVar(&f.evidence, "evidence", "", "file with what somebody else read from AWS, or -")
	given.StringVar(&c.Partition, "partition", "", "partition: aws, aws-cn or aws-us-gov (default: that of the credentials)")
	given.StringVar(&c.TrustedAccount, "trusted-account", "", "the vendor's AWS account, where rolecall does not know it")
	given.StringSliceVar(&c.Products, "products", nil, "products and integrations: a,b/c")
	given.StringVar(&c.Path, "path", "", "path that the role has to have: /team/")
	given.StringVar(&c.Boundary, "permissions-boundary", "", "permissions boundary that the role has to have, by its ARN")
	given.StringVar(&c.ReportBucket, "report-bucket", "", "bucket of the Cost and Usage Report")
	given.DurationVar(&f.wait, "wait", 0, "how long to wait for the role to become right")
	return cmd
}

// verify checks the role now, and again until it is right or the wait is over.
func verify(ctx context.Context, a *cli.App, f *verifyFlags) error {
	if f.user != "" && f.wait >= 0 {
		return verifyUser(ctx, a, f)
	}
	if err := f.refuseLater(); err != nil {
		return err
	}
	if err := a.CheckCommon(); err != nil {
		return err
	}
	prepared, role, err := f.wanted()
	if err != nil {
		return err
	}
	if err := f.checkRole(role); err != nil {
		return err
	}
	code := a.AskCode()
	account, err := aws.Open(ctx, a.AWSOptions(a.Profile, prepared.Answers.Partition, code))
	if err != nil {
		return err
	}
	identity, err := account.Identity(ctx)
	if err != nil {
		return err
	}
	want, err := f.want(prepared, role, identity)
	if err != nil {
		return err
	}
	report, err := waitForRole(ctx, a.Env, account, want, f.wait)
	if err != nil {
		return err
	}
	return printReport(a, report, want)
}

// refuseLater refuses what this version cannot do yet.
func (f *verifyFlags) refuseLater() error {
	switch {
	case f.evidence != "":
		return cli.Usage("--evidence is not in this version of rolecall.", "credentials of the account", "Sign in to the account and leave out --evidence.")
	case f.wait < 0:
		return cli.Usage("--wait is "+f.wait.String()+".", "a time such as 2m", "Correct --wait.")
	}
	return nil
}

// wanted reads the vendor's description and checks the flags against it.
func (f *verifyFlags) wanted() (*flags.Prepared, *describe.Role, error) {
	c := &f.connect
	name := c.Vendor
	if name == "" {
		name = flags.DefaultVendor()
	}
	v, err := steps.Library().Load(name)
	if err != nil {
		return nil, nil, cli.FlagRefused("--vendor", err)
	}
	p := &flags.Prepared{Vendor: v, Load: steps.Library().Load}
	p.Answers.Vendor, p.Answers.Access = name, describe.AccessRole
	for _, check := range []func() error{
		c.CheckShapes,
		func() error { return c.FillPartition(p) },
		func() error { return c.FillSelection(p) },
		func() error { return c.FillParameters(p) },
		func() error { return c.FillParts(p) },
	} {
		if err := check(); err != nil {
			return nil, nil, err
		}
	}
	roles := v.RolesFor(p.Answers.Bundles, describe.AccessRole)
	if len(roles) == 0 {
		return nil, nil, cli.Usage(v.Title+" gets no role.", "a vendor that gets a role", "See rolecall vendors show "+v.Name+".")
	}
	return p, f.pickRole(roles), nil
}

// pickRole is the vendor's role of the given name, else its first.
func (f *verifyFlags) pickRole(roles []*describe.Role) *describe.Role {
	for _, role := range roles {
		if f.role != "" && strings.EqualFold(f.role, role.RoleName) {
			return role
		}
	}
	return roles[0]
}

// checkRole takes --role as a name or an ARN; without it, the vendor's name.
func (f *verifyFlags) checkRole(role *describe.Role) error {
	if f.role == "" {
		f.role = role.RoleName
	}
	if f.isARN() {
		f.role = aws.CleanARN(f.role)
		return nil
	}
	if err := aws.CheckRoleName(f.role); err != nil {
		return cli.FlagRefused("--role", err)
	}
	return nil
}

func (f *verifyFlags) isARN() bool { return strings.Contains(f.role, ":") }

// want describes the role, now that the account is known.
func (f *verifyFlags) want(p *flags.Prepared, role *describe.Role, id aws.Identity) (aws.Want, error) {
	partition := p.Answers.Partition
	if partition == "" {
		partition = id.Partition
	}
	principals := p.Vendor.TrustedAccounts(role, partition)
	if len(principals) == 0 && p.Answers.TrustedAccount != "" {
		principals = []string{p.Answers.TrustedAccount}
	}
	if len(principals) == 0 {
		return aws.Want{}, cli.Usage("rolecall does not know "+p.Vendor.Title+"'s account in "+partition+".", "--trusted-account", p.Vendor.Partitions[partition].Why)
	}
	want := aws.Want{
		Partition: partition, AccountID: id.AccountID, Principals: principals,
		ExternalID: f.connect.ExternalID, NoExternalID: role.NoExternal != "" && f.connect.ExternalID == "",
		Path: f.connect.Path, PathGiven: f.connect.Path != "", Boundary: f.connect.Boundary, BoundaryGiven: f.connect.Boundary != "",
	}
	want.RoleName = f.role
	if f.isARN() {
		ref, err := aws.ParseRoleARN(f.role, partition, id.AccountID)
		if err != nil {
			return aws.Want{}, cli.FlagRefused("--role", err)
		}
		want.RoleName, want.RoleARN = ref.Name, ref.ARN
	}
	want.PolicyARNs = role.ManagedARNs(partition)
	document := p.Vendor.Compose(role, p.Answers.Bundles, partition)
	if document == nil {
		return want, nil // AWS managed policies are all that it needs
	}
	if len(role.Parameters) > 0 {
		filled, err := role.Fill(document, p.Answers.Parameters)
		if err != nil {
			return aws.Want{}, cli.FlagRefused("parameters of the policy", err)
		}
		document = filled
	}
	want.Policies = append(want.Policies, document)
	return want, nil
}

// lookAgain is the pause between two looks of verify --wait.
const lookAgain = 5 * time.Second

// waitForRole looks until the role is right or the wait is over.
func waitForRole(ctx context.Context, env cli.Env, account *aws.Account, want aws.Want, wait time.Duration) (aws.Report, error) {
	deadline := env.Now().Add(wait)
	for {
		report, err := account.Verify(ctx, want)
		if err != nil || report.OK || !env.Now().Add(lookAgain).Before(deadline) {
			return report, err
		}
		select {
		case <-env.Alarm(lookAgain):
		case <-ctx.Done():
			return report, ctx.Err()
		}
	}
}

// verifyJSON is what verify prints with --json.
type verifyJSON struct {
	aws.Report
	Error *cli.ErrorJSON `json:"error,omitempty"`
}

func printReport(a *cli.App, report aws.Report, want aws.Want) error {
	if report.Checks == nil {
		report.Checks = []aws.Check{}
	}
	if !a.JSON {
		reportText(a, report)
	}
	if report.OK {
		if a.JSON {
			a.WriteJSON(verifyJSON{Report: report})
		}
		return nil
	}
	return &cli.Failure{
		Err:      &screen.Fault{Problem: verdict(report, want)},
		Document: func(e *cli.ErrorJSON) any { return verifyJSON{Report: report, Error: e} },
	}
}

// verdict says why the role is not as required: the first failure, else the
// first thing that could not be looked at. A permission that is missing is the
// caller's trouble, not the role's, and another exit code.
func verdict(report aws.Report, want aws.Want) screen.Problem {
	for _, status := range []aws.Status{aws.Fail, aws.Unknown} {
		for _, c := range report.Checks {
			if c.Status == status {
				return checkProblem(c, want)
			}
		}
	}
	return screen.Problem{What: "The role " + want.RoleName + " is not as required.", Kind: screen.NotAsNeeded}
}

func checkProblem(c aws.Check, want aws.Want) screen.Problem {
	p := screen.Problem{Expected: c.Want, Next: c.Fix, Kind: screen.NotAsNeeded}
	p.What = fmt.Sprintf("The role %s is not as required. %s: %s.", want.RoleName, c.ID, c.Got)
	if c.Status == aws.Unknown {
		p.What = fmt.Sprintf("rolecall cannot tell whether the role %s is as required. %s: %s.", want.RoleName, c.ID, c.Got)
		if strings.HasPrefix(c.Got, notVisible) {
			p.Kind = screen.AWSRefused
		}
	}
	return p
}

// notVisible begins what a check found where a permission was missing.
const notVisible = "not visible"

// reportText prints one line for each check, and under it why and what to do
// where it is not right.
func reportText(a *cli.App, report aws.Report) {
	for _, c := range report.Checks {
		mark := map[aws.Status]string{aws.Pass: "✓", aws.Fail: "✗", aws.Warn: "!", aws.Unknown: "?"}[c.Status]
		a.Print("%s %-7s %s", mark, c.Status, c.ID)
		if c.Status == aws.Pass {
			continue
		}
		for _, more := range [][2]string{{"wanted", c.Want}, {"found", c.Got}, {"why", c.Why}, {"fix", c.Fix}} {
			if more[1] != "" {
				a.Print("            %-7s %s", more[0], draw.Clean(more[1]))
			}
		}
	}
}
