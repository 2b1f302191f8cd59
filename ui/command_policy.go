package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/ui/draw"
)

// policyCommand is the parent of the commands on permissions policies.
func policyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Show and review permissions policies, without a network",
		Args:  a.noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.policyShowCommand(), a.policyReviewCommand(), a.policyDiffCommand(), a.policyExplainCommand())
	return cmd
}

// maxPolicyText is far more than any policy, and little enough to be read
// whole before it is refused.
const maxPolicyText = 16 << 20

// source is a document that was named on the command line.
type source struct {
	name   string // for people
	text   []byte
	vendor *describe.Vendor // of vendor:NAME
	role   *describe.Role
}

// readSource reads a file, standard input ("-"), a vendor's published policy
// (vendor:NAME), or a managed policy of the account (its ARN).
func (a *app) readSource(ctx context.Context, name string) (*source, error) {
	switch {
	case name == "-" || name == "":
		text, err := a.readStdin()
		return &source{name: "standard input", text: text}, err
	case strings.HasPrefix(name, "vendor:"):
		return vendorSource(strings.TrimPrefix(name, "vendor:"))
	case strings.HasPrefix(name, "arn:"):
		return a.accountSource(ctx, name)
	}
	text, err := readFile(name)
	return &source{name: name, text: text}, err
}

func (a *app) readStdin() ([]byte, error) {
	if a.env.StdinTTY {
		return nil, usage("No policy was given, and standard input is the keyboard.", "a file, or a policy on standard input",
			"Name a file: rolecall policy review policy.json.")
	}
	text, err := io.ReadAll(io.LimitReader(a.env.Stdin, maxPolicyText+1))
	if err != nil {
		return nil, usage("Standard input cannot be read: "+draw.Clean(err.Error())+".", "a policy on standard input", "Name a file instead.")
	}
	return text, tooMuch("standard input", text)
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, cannotRead(name, err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxPolicyText+1))
	if err != nil {
		return nil, cannotRead(name, err)
	}
	return text, tooMuch(name, text)
}

func tooMuch(name string, text []byte) error {
	if len(text) <= maxPolicyText {
		return nil
	}
	return usage(draw.Clean(name)+" is larger than 16 MB.", "a policy; AWS takes 131,072 characters at most", "Name the right file.")
}

func cannotRead(name string, err error) error {
	why := err.Error()
	var path *fs.PathError
	if errors.As(err, &path) {
		why = path.Err.Error()
	}
	return usage(fmt.Sprintf("%s cannot be read: %s.", draw.Clean(name), draw.Clean(why)), "a file, or - for standard input", "Check the name.")
}

// vendorSource is the permissions policy that a vendor publishes for its
// default products.
func vendorSource(name string) (*source, error) {
	v, err := describe.Load(name)
	if err != nil {
		return nil, flagRefused("vendor:"+draw.Clean(name), err)
	}
	role, err := onlyRole(v, nil, "")
	if err != nil {
		return nil, err
	}
	doc := v.Compose(role, nil, describe.Commercial)
	if doc == nil {
		return nil, awsPoliciesAlone(v, role, describe.Commercial)
	}
	return &source{name: "vendor:" + name, text: []byte(doc.Pretty()), vendor: v, role: role}, nil
}

// awsPoliciesAlone refuses to show a policy where there is none of the vendor's.
func awsPoliciesAlone(v *describe.Vendor, role *describe.Role, partition string) error {
	arns := strings.Join(role.ManagedARNs(partition), ", ")
	return usage(draw.Clean(v.Title)+" has no policy of its own for this. Its role has AWS managed policies: "+arns+".",
		"a vendor with a policy of its own", "Read AWS's: rolecall policy review "+role.ManagedARNs(partition)[0]+". The formats cloudformation, terraform and cli attach them.")
}

// onlyRole is the one role (or user) that a selection needs. The role comes
// first where a vendor has both.
func onlyRole(v *describe.Vendor, bundles []string, access string) (*describe.Role, error) {
	roles := v.RolesFor(bundles, access)
	if access == "" {
		if roles = v.RolesFor(bundles, describe.AccessRole); len(roles) == 0 {
			roles = v.RolesFor(bundles, describe.AccessUser)
		}
	}
	switch len(roles) {
	case 0:
		return nil, usage(v.Title+" has no policy for this.", "another access or other products", "See rolecall vendors show "+v.Name+".")
	case 1:
		return roles[0], nil
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.Purpose
	}
	return nil, usage("These products need several policies: "+strings.Join(names, ", ")+".", "the products of one role",
		"Choose with --products, or take --format cloudformation, which holds them all.")
}

// accountSource reads a managed policy of the account, or one of AWS's own.
func (a *app) accountSource(ctx context.Context, arn string) (*source, error) {
	arn = aws.CleanARN(arn)
	if err := checkPolicyARN(arn); err != nil {
		return nil, err
	}
	if err := a.checkCommon(); err != nil {
		return nil, err
	}
	account, err := aws.Open(ctx, a.awsOptions(a.profile, "", a.askCode()))
	if err != nil {
		return nil, err
	}
	found, err := account.Policy(ctx, arn)
	if err != nil {
		return nil, err
	}
	return &source{name: arn, text: []byte(found.Text)}, nil
}

// parseSource reads a source as an identity policy; what AWS would refuse is
// exit 3.
func parseSource(s *source) (*policy.Document, error) {
	doc, err := policy.Parse(s.text, policy.Identity)
	var refused *policy.Refusal
	switch {
	case errors.As(err, &refused):
		return nil, notAsNeeded(fmt.Sprintf("%s: AWS refuses it. Line %d, column %d: %s.", draw.Clean(s.name), refused.Line, refused.Column, refused.What),
			refused.Expected, "rolecall policy review shows all that is wrong.")
	case err != nil:
		return nil, err
	}
	return doc, nil
}
