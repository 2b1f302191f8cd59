package policies

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/steps/access"
	"rolecall/steps/screen"

	"github.com/spf13/cobra"

	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
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
		Example: "  rolecall policy show --products ocean --minify\n  rolecall policy show --format terraform --external-id " +
			"spotinst:aws:extid:0123456789abcdef",
		Args: a.NoArgs,
		RunE: func(*cobra.Command, []string) error { return showPolicy(a, f) },
	}
	f.connect.Bind(cmd, flags.Showing)
	given := cmd.Flags()
	given.BoolVar(&f.minify, "minify", false, "the shortest document that grants exactly the same")
	given.StringVar(&f.format, "format", "json", "json, cloudformation, terraform or cli")
	return cmd
}

func showPolicy(a *cli.App, f *showFlags) error {
	if err := a.CheckFormat(&f.format, "json", "cloudformation", "terraform", "cli"); err != nil {
		return err
	}
	request, err := f.request()
	if err != nil {
		return err
	}
	if f.format == "json" {
		return showJSON(a, request)
	}
	setup, err := f.setup(a, request)
	if err != nil {
		return err
	}
	write := map[string]func() (string, error){"cloudformation": setup.CloudFormation, "terraform": setup.Terraform,
		"cli": setup.Shell}[f.format]
	text, err := write()
	if err != nil {
		return err
	}
	return page(a, text)
}

// request is what the flags want the vendor to get.
func (f *showFlags) request() (access.Request, error) {
	c := &f.connect
	kind := c.Text("access")
	if kind != "" && kind != describe.AccessRole && kind != describe.AccessUser {
		return access.Request{}, cli.Usage(fmt.Sprintf("--access: there is no %q.", draw.Clean(kind)), "role or user", "Correct --access.")
	}
	vendor := c.Text("vendor")
	if vendor == "" {
		vendor = flags.DefaultVendor()
	}
	p, err := flags.Select(c, vendor, kind, true)
	if err != nil {
		return access.Request{}, err
	}
	request := p.Answers.Request(p.Vendor)
	request.Minify = f.minify
	return request, nil
}

// granted resolves one role or user, and tells what a restriction does not
// reach.
func granted(a *cli.App, request access.Request, purpose string) (access.Grant, error) {
	g, err := request.Grant(purpose)
	if len(describe.MistakesOf(err)) > 0 {
		return g, cli.FlagRefused("the policy of "+purpose, err)
	}
	sayKept(a, g.Kept)
	return g, err
}

// sayKept tells which entries of a policy a restriction left as they were, and
// why.
func sayKept(a *cli.App, kept []access.Kept) {
	type reason struct{ by, why string }
	entries := map[reason][]string{}
	var order []reason
	for _, k := range kept {
		r := reason{k.By, k.Reason}
		if entries[r] == nil {
			order = append(order, r)
		}
		if !slices.Contains(entries[r], k.Entry) {
			entries[r] = append(entries[r], k.Entry)
		}
	}
	for _, r := range order {
		text := fmt.Sprintf("Not limited by %s: %s. %s", r.by, strings.Join(entries[r], ", "), r.why)
		for _, line := range draw.Wrap(draw.Clean(text), 79) {
			a.Say("%s", line)
		}
	}
}

func showJSON(a *cli.App, request access.Request) error {
	role, err := onlyRole(request)
	if err != nil {
		return err
	}
	g, err := granted(a, request, role.Purpose)
	if g.Whole == nil && err != nil {
		return err // one that does not fit is shown all the same
	}
	if n := g.Whole.Characters(); n > role.Limit() {
		a.Say("%s characters, and AWS takes %s in one policy.\n--minify writes it shorter; the other formats divide it.",
			screen.Thousands(n), screen.Thousands(role.Limit()))
	}
	return page(a, g.Whole.Pretty())
}

// setup is policy, role and attachment of every role that the products need.
func (f *showFlags) setup(a *cli.App, request access.Request) (*policy.Setup, error) {
	c, needed := &f.connect, request.Needed()
	if request.Access == describe.AccessUser || len(needed) == 0 {
		return nil, cli.Usage(
			request.Vendor.Title+"'s IAM user is not in these formats.",
			"--access role, or --format json",
			"Print the policy with --format json.",
		)
	}
	if len(needed) > 1 && (c.Given("role-name") || c.Given("policy-name")) {
		return nil, cli.Usage(
			"These products need several roles, and one name was given.",
			"no --role-name and --policy-name",
			"Leave them out, or choose the products of one role.",
		)
	}
	for _, role := range needed {
		if _, err := granted(a, request, role.Purpose); err != nil {
			return nil, err
		}
	}
	return request.Setup()
}
