package ui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/ui/draw"
	"rolecall/ui/report"
)

// showFlags are the flags of policy show. Those that describe the selection
// are connect's.
type showFlags struct {
	connect connectFlags
	format  string
	minify  bool
}

func (a *app) policyShowCommand() *cobra.Command {
	f := &showFlags{}
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the policy that a vendor gets, or policy and role for other tools",
		Long: "show prints the permissions policy for the chosen products as JSON. The other formats make policy, role and " +
			"attachment: cloudformation, terraform and cli.",
		Example: "  rolecall policy show --products ocean --minify\n  rolecall policy show --format terraform --external-id spotinst:aws:extid:0123456789abcdef",
		Args:    a.noArgs,
		RunE:    func(*cobra.Command, []string) error { return a.showPolicy(f) },
	}
	flags := cmd.Flags()
	c := &f.connect
	c.given, c.wait = flags.Changed, defaultWait
	flags.StringVar(&c.vendor, "vendor", "", "vendor: a name, or a file such as ./acme.yaml")
	flags.StringVar(&c.access, "access", "", "what the vendor gets: role or user")
	flags.StringSliceVar(&c.products, "products", nil, "products and integrations: a,b/c")
	flags.StringVar(&c.partition, "partition", "", "aws, aws-cn or aws-us-gov")
	flags.StringVar(&c.trustedAccount, "trusted-account", "", "the vendor's AWS account, where rolecall does not know it")
	flags.StringSliceVar(&c.regions, "regions", nil, "regions that the policy is limited to: r1,r2")
	flags.StringVar(&c.restrictTag, "restrict-tag", "", "tag that the policy is limited to: k=v")
	flags.StringVar(&c.externalID, "external-id", "", "external ID that the role requires")
	flags.StringVar(&c.roleName, "role-name", "", "name of the role")
	flags.StringVar(&c.policyName, "policy-name", "", "name of the policy")
	flags.StringVar(&c.path, "path", "", "path of role and policy: /team/")
	flags.StringVar(&c.boundary, "permissions-boundary", "", "ARN of the role's permissions boundary")
	flags.StringVar(&c.reportBucket, "report-bucket", "", "bucket of the Cost and Usage Report")
	flags.BoolVar(&f.minify, "minify", false, "the shortest document that grants exactly the same")
	flags.StringVar(&f.format, "format", "json", "json, cloudformation, terraform or cli")
	return cmd
}

func (a *app) showPolicy(f *showFlags) error {
	if err := a.checkFormat(&f.format, "json", "cloudformation", "terraform", "cli"); err != nil {
		return err
	}
	p, err := f.selection()
	if err != nil {
		return err
	}
	if f.format == "json" {
		return a.showJSON(f, p)
	}
	setup, err := a.setup(f, p)
	if err != nil {
		return err
	}
	write := map[string]func() (string, error){"cloudformation": setup.CloudFormation, "terraform": setup.Terraform, "cli": setup.Shell}[f.format]
	text, err := write()
	if err != nil {
		return err
	}
	return a.page(text)
}

// selection checks the flags that say what the policy grants.
func (f *showFlags) selection() (*prepared, error) {
	c := &f.connect
	name := c.vendor
	if name == "" {
		name = defaultVendor()
	}
	v, err := describe.Load(name)
	if err != nil {
		return nil, flagRefused("--vendor", err)
	}
	if c.access != "" && c.access != describe.AccessRole && c.access != describe.AccessUser {
		return nil, usage(fmt.Sprintf("--access: there is no %q.", draw.Clean(c.access)), "role or user", "Correct --access.")
	}
	p := &prepared{vendor: v, load: describe.Load}
	p.answers.Vendor, p.answers.Access = name, c.access
	for _, check := range []func() error{
		c.checkShapes,
		func() error { return c.fillPartition(p) },
		func() error { return c.fillSelection(p) },
		func() error { return c.fillParameters(p) },
		func() error { return c.fillParts(p) },
		func() error { return c.checkRestriction(orElse(p.answers.Partition, describe.Commercial)) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	if p.answers.Partition == "" {
		p.answers.Partition = describe.Commercial
	}
	return p, nil
}

// checkRestriction checks --regions and --restrict-tag. Regions of another
// partition than the policy's would leave a policy that grants nothing; where
// the partition is not known yet, "", they have to be of one.
func (f *connectFlags) checkRestriction(partition string) error {
	for _, region := range f.regions {
		if err := aws.CheckRegion(region); err != nil {
			return flagRefused("--regions", err)
		}
		of, _ := aws.PartitionOf(region)
		partition = orElse(partition, of)
		if of != partition {
			return usage(fmt.Sprintf("--regions: %s is a region of %s.", draw.Clean(region), of), "regions of "+draw.Clean(partition),
				"Correct --regions, or --partition.")
		}
	}
	if !f.given("restrict-tag") {
		return nil
	}
	key, value, ok := strings.Cut(f.restrictTag, "=")
	// Letters, digits, spaces and the signs that AWS takes in tags.
	valid := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	if !ok || key == "" || len(key) > 128 || len(value) > 256 || !valid.MatchString(key) || !valid.MatchString(value) {
		return usage(fmt.Sprintf("--restrict-tag: %q is no tag.", draw.Clean(f.restrictTag)), "a key and a value: team=spot", "Correct --restrict-tag.")
	}
	return nil
}

// document is the policy of one role as the flags want it.
func (a *app) document(f *showFlags, p *prepared, role *describe.Role) (*policy.Document, error) {
	doc := p.vendor.Compose(role, p.answers.Bundles, p.answers.Partition)
	if doc == nil {
		return nil, awsPoliciesAlone(p.vendor, role, p.answers.Partition)
	}
	if len(role.Parameters) > 0 {
		filled, err := role.Fill(doc, p.answers.Parameters)
		if err != nil {
			return nil, flagRefused("the policy of "+role.Purpose, err)
		}
		doc = filled
	}
	if regions := f.connect.regions; len(regions) > 0 {
		doc = a.restricted(doc.RestrictRegions(regions...), "region")
	}
	if key, value, ok := strings.Cut(f.connect.restrictTag, "="); ok {
		doc = a.restricted(doc.RestrictTag(key, value), "tag")
	}
	if f.minify {
		doc = doc.Minify()
	}
	return doc, nil
}

// restricted tells what a restriction does not reach, and why.
func (a *app) restricted(r policy.Restriction, what string) *policy.Document {
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
			a.say("%s", line)
		}
	}
	return r.Document
}

func (a *app) showJSON(f *showFlags, p *prepared) error {
	role, err := onlyRole(p.vendor, p.answers.Bundles, f.connect.access)
	if err != nil {
		return err
	}
	doc, err := a.document(f, p, role)
	if err != nil {
		return err
	}
	limit := policy.MaxManaged
	if role.Inline {
		limit = policy.MaxRoleInline
	}
	if n := doc.Characters(); n > limit {
		a.say("%s characters, and AWS takes %s in one policy.\n--minify writes it shorter; the other formats divide it.",
			report.Thousands(n), report.Thousands(limit))
	}
	return a.page(doc.Pretty())
}

// setup is policy, role and attachment of every role that the products need.
func (a *app) setup(f *showFlags, p *prepared) (*policy.Setup, error) {
	c := &f.connect
	roles := p.vendor.RolesFor(p.answers.Bundles, describe.AccessRole)
	if c.access == describe.AccessUser || len(roles) == 0 {
		return nil, usage(p.vendor.Title+"'s IAM user is not in these formats.", "--access role, or --format json", "Print the policy with --format json.")
	}
	if len(roles) > 1 && (c.roleName != "" || c.policyName != "") {
		return nil, usage("These products need several roles, and one name was given.", "no --role-name and --policy-name", "Leave them out, or choose the products of one role.")
	}
	setup := &policy.Setup{Description: "Access of " + p.vendor.Title + " to this account, made by rolecall", Partition: p.answers.Partition}
	for _, role := range roles {
		made, err := a.setupRole(f, p, role)
		if err != nil {
			return nil, err
		}
		setup.Roles = append(setup.Roles, made)
	}
	return setup, nil
}

func (a *app) setupRole(f *showFlags, p *prepared, role *describe.Role) (policy.SetupRole, error) {
	c := &f.connect
	out := policy.SetupRole{
		ID: letters(role.Purpose, "Arn"), Name: orElse(c.roleName, role.RoleName), Path: c.path, Description: role.Description,
		AccountIDs: p.vendor.TrustedAccounts(role, p.answers.Partition), Boundary: c.boundary, Output: role.Purpose,
	}
	if len(out.AccountIDs) == 0 && c.trustedAccount != "" {
		out.AccountIDs = []string{c.trustedAccount}
	}
	if len(out.AccountIDs) == 0 {
		return out, usage("rolecall does not know "+p.vendor.Title+"'s account in "+p.answers.Partition+".", "--trusted-account",
			p.vendor.Partitions[p.answers.Partition].Why)
	}
	if role.NoExternal == "" {
		out.ExternalID, out.AskExternalID = c.externalID, c.externalID == ""
	}
	out.ManagedPolicies = role.ManagedARNs(p.answers.Partition)
	if p.vendor.Compose(role, p.answers.Bundles, p.answers.Partition) == nil {
		return out, nil // AWS managed policies are all that it needs
	}
	doc, err := a.document(f, p, role)
	if err != nil {
		return out, err
	}
	out.Policies, err = policiesOf(role, doc, orElse(c.policyName, role.PolicyName))
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

func orElse(value, otherwise string) string {
	if value != "" {
		return value
	}
	return otherwise
}
