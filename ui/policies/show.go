package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
	"rolecall/ui/report"
)

// showFlags are the flags of policy show. Those that describe the selection
// are connect's.
type showFlags struct {
	connect flags.Flags
	format  string
	minify  bool
}

func policyShowCommand(a *cli.App) *cobra.Command {
	f := &showFlags{}
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the policy that a vendor gets, or policy and role for other tools",
		Long: "show prints the permissions policy for the chosen products as JSON. The other formats make policy, role and " +
			"attachment: cloudformation, terraform and cli.",
		Example: "  rolecall policy show --products ocean --minify\n  rolecall policy show --format terraform --external-id spotinst:aws:extid:0123456789abcdef",
		Args:    a.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return showPolicy(a, f) },
	}
	given := cmd.Flags()
	c := &f.connect
	c.Given, c.Wait = given.Changed, flags.DefaultWait
	given.StringVar(&c.Vendor, "vendor", "", "vendor: a name, or a file such as ./acme.yaml")
	given.StringVar(&c.Access, "access", "", "what the vendor gets: role or user")
	given.StringSliceVar(&c.Products, "products", nil, "products and integrations: a,b/c")
	given.StringVar(&c.Partition, "partition", "", "aws, aws-cn or aws-us-gov")
	given.StringVar(&c.TrustedAccount, "trusted-account", "", "the vendor's AWS account, where rolecall does not know it")
	given.StringSliceVar(&c.Regions, "regions", nil, "regions that the policy is limited to: r1,r2")
	given.StringVar(&c.RestrictTag, "restrict-tag", "", "tag that the policy is limited to: k=v")
	given.StringVar(&c.ExternalID, "external-id", "", "external ID that the role requires")
	given.StringVar(&c.RoleName, "role-name", "", "name of the role")
	given.StringVar(&c.PolicyName, "policy-name", "", "name of the policy")
	given.StringVar(&c.Path, "path", "", "path of role and policy: /team/")
	given.StringVar(&c.Boundary, "permissions-boundary", "", "ARN of the role's permissions boundary")
	given.StringVar(&c.ReportBucket, "report-bucket", "", "bucket of the Cost and Usage Report")
	given.BoolVar(&f.minify, "minify", false, "the shortest document that grants exactly the same")
	given.StringVar(&f.format, "format", "json", "json, cloudformation, terraform or cli")
	return cmd
}

func showPolicy(a *cli.App, f *showFlags) error {
	if err := checkFormat(a, &f.format, "json", "cloudformation", "terraform", "cli"); err != nil {
		return err
	}
	p, err := f.selection()
	if err != nil {
		return err
	}
	if f.format == "json" {
		return showJSON(a, f, p)
	}
	setup, err := setup(a, f, p)
	if err != nil {
		return err
	}
	write := map[string]func() (string, error){"cloudformation": setup.CloudFormation, "terraform": setup.Terraform, "cli": setup.Shell}[f.format]
	text, err := write()
	if err != nil {
		return err
	}
	return page(a, text)
}

// selection checks the flags that say what the policy grants.
func (f *showFlags) selection() (*flags.Prepared, error) {
	c := &f.connect
	name := c.Vendor
	if name == "" {
		name = flags.DefaultVendor()
	}
	v, err := steps.Library().Load(name)
	if err != nil {
		return nil, cli.FlagRefused("--vendor", err)
	}
	if c.Access != "" && c.Access != describe.AccessRole && c.Access != describe.AccessUser {
		return nil, cli.Usage(fmt.Sprintf("--access: there is no %q.", draw.Clean(c.Access)), "role or user", "Correct --access.")
	}
	p := &flags.Prepared{Vendor: v, Load: steps.Library().Load}
	p.Answers.Vendor, p.Answers.Access = name, c.Access
	for _, check := range []func() error{
		c.CheckShapes,
		func() error { return c.FillPartition(p) },
		func() error { return c.FillSelection(p) },
		func() error { return c.FillParameters(p) },
		func() error { return c.FillParts(p) },
		func() error { return c.CheckRestriction(cli.OrElse(p.Answers.Partition, describe.Commercial)) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	if p.Answers.Partition == "" {
		p.Answers.Partition = describe.Commercial
	}
	return p, nil
}

// document is the policy of one role as the flags want it.
func document(a *cli.App, f *showFlags, p *flags.Prepared, role *describe.Role) (*policy.Document, error) {
	doc := p.Vendor.Compose(role, p.Answers.Bundles, p.Answers.Partition)
	if doc == nil {
		return nil, awsPoliciesAlone(p.Vendor, role, p.Answers.Partition)
	}
	if len(role.Parameters) > 0 {
		filled, err := role.Fill(doc, p.Answers.Parameters)
		if err != nil {
			return nil, cli.FlagRefused("the policy of "+role.Purpose, err)
		}
		doc = filled
	}
	if regions := f.connect.Regions; len(regions) > 0 {
		doc = restricted(a, doc.RestrictRegions(regions...), "region")
	}
	if key, value, ok := strings.Cut(f.connect.RestrictTag, "="); ok {
		doc = restricted(a, doc.RestrictTag(key, value), "tag")
	}
	if f.minify {
		doc = doc.Minify()
	}
	return doc, nil
}

// restricted tells what a restriction does not reach, and why.
func restricted(a *cli.App, r policy.Restriction, what string) *policy.Document {
	byReason := map[string][]string{}
	var order []string
	for _, k := range r.Kept {
		if byReason[k.Reason] == nil {
			order = append(order, k.Reason)
		}
		if !slices.Contains(byReason[k.Reason], k.Entry) {
			byReason[k.Reason] = append(byReason[k.Reason], k.Entry)
		}
	}
	for _, reason := range order {
		text := fmt.Sprintf("Not limited by %s: %s. %s", what, strings.Join(byReason[reason], ", "), reason)
		for _, line := range report.Wrap(draw.Clean(text), 79) {
			a.Say("%s", line)
		}
	}
	return r.Document
}

func showJSON(a *cli.App, f *showFlags, p *flags.Prepared) error {
	role, err := onlyRole(p.Vendor, p.Answers.Bundles, f.connect.Access)
	if err != nil {
		return err
	}
	doc, err := document(a, f, p, role)
	if err != nil {
		return err
	}
	limit := policy.MaxManaged
	if role.Inline {
		limit = policy.MaxRoleInline
	}
	if n := doc.Characters(); n > limit {
		a.Say("%s characters, and AWS takes %s in one policy.\n--minify writes it shorter; the other formats divide it.",
			report.Thousands(n), report.Thousands(limit))
	}
	return page(a, doc.Pretty())
}

// setup is policy, role and attachment of every role that the products need.
func setup(a *cli.App, f *showFlags, p *flags.Prepared) (*policy.Setup, error) {
	c := &f.connect
	roles := p.Vendor.RolesFor(p.Answers.Bundles, describe.AccessRole)
	if c.Access == describe.AccessUser || len(roles) == 0 {
		return nil, cli.Usage(p.Vendor.Title+"'s IAM user is not in these formats.", "--access role, or --format json", "Print the policy with --format json.")
	}
	if len(roles) > 1 && (c.RoleName != "" || c.PolicyName != "") {
		return nil, cli.Usage("These products need several roles, and one name was given.", "no --role-name and --policy-name", "Leave them out, or choose the products of one role.")
	}
	setup := &policy.Setup{Description: "Access of " + p.Vendor.Title + " to this account, made by rolecall", Partition: p.Answers.Partition}
	for _, role := range roles {
		made, err := setupRole(a, f, p, role)
		if err != nil {
			return nil, err
		}
		setup.Roles = append(setup.Roles, made)
	}
	return setup, nil
}

func setupRole(a *cli.App, f *showFlags, p *flags.Prepared, role *describe.Role) (policy.SetupRole, error) {
	c := &f.connect
	out := policy.SetupRole{
		ID: letters(role.Purpose, "Arn"), Name: cli.OrElse(c.RoleName, role.RoleName), Path: c.Path, Description: role.Description,
		AccountIDs: p.Vendor.TrustedAccounts(role, p.Answers.Partition), Boundary: c.Boundary, Output: role.Purpose,
	}
	if len(out.AccountIDs) == 0 && c.TrustedAccount != "" {
		out.AccountIDs = []string{c.TrustedAccount}
	}
	if len(out.AccountIDs) == 0 {
		return out, cli.Usage("rolecall does not know "+p.Vendor.Title+"'s account in "+p.Answers.Partition+".", "--trusted-account",
			p.Vendor.Partitions[p.Answers.Partition].Why)
	}
	if role.NoExternal == "" {
		out.ExternalID, out.AskExternalID = c.ExternalID, c.ExternalID == ""
	}
	out.ManagedPolicies = role.ManagedARNs(p.Answers.Partition)
	if p.Vendor.Compose(role, p.Answers.Bundles, p.Answers.Partition) == nil {
		return out, nil // AWS managed policies are all that it needs
	}
	doc, err := document(a, f, p, role)
	if err != nil {
		return out, err
	}
	out.Policies, err = policiesOf(role, doc, cli.OrElse(c.PolicyName, role.PolicyName))
	return out, err
}

// policiesOf divides a document that is too long for one policy.
func policiesOf(role *describe.Role, doc *policy.Document, name string) ([]policy.SetupPolicy, error) {
	documents := []*policy.Document{doc}
	if !role.Inline {
		parts, err := doc.Split(policy.MaxManaged, policy.MaxAttached-len(role.ManagedPolicies))
		if err != nil {
			return nil, notAsNeeded("The policy does not fit: "+draw.Clean(err.Error())+".", "at most ten policies of 6,144 characters, AWS's own included",
				"Choose fewer products, or leave restrictions out.")
		}
		documents = parts
	}
	notes := map[string]string{}
	for sid, why := range role.Why {
		notes[sid] = why.For
	}
	var out []policy.SetupPolicy
	for i, part := range documents {
		p := policy.SetupPolicy{ID: letters(role.Purpose, "RoleArn", "Arn") + "Policy", Name: name, Description: role.Description,
			Document: part, Inline: role.Inline, Notes: notes}
		if i > 0 {
			p.ID, p.Name = fmt.Sprintf("%s%d", p.ID, i+1), fmt.Sprintf("%s-%d", name, i+1)
		}
		out = append(out, p)
	}
	return out, nil
}

// letters makes a name for templates of a role's purpose.
func letters(purpose string, endings ...string) string {
	for _, ending := range endings {
		if cut, ok := strings.CutSuffix(purpose, ending); ok {
			purpose = cut
			break
		}
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, purpose)
}
