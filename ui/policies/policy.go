// Package policies holds the commands on policy documents: show, review, diff
// and explain.
package policies

import (
	"context"
	"fmt"
	"io"
	"strings"

	"rolecall/steps/access"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// PolicyCommand is the parent of the commands on permissions policies.
func PolicyCommand(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Show and review permissions policies, without a network",
		Args:  a.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(policyShowCommand(a), policyReviewCommand(a), policyDiffCommand(a), policyExplainCommand(a))
	return cmd
}

// source is a document that was named on the command line.
type source struct {
	name   string // for people
	text   []byte
	vendor *describe.Vendor // of vendor:NAME
	role   *describe.Role
}

// readSource reads a file, standard input ("-"), a vendor's published policy
// (vendor:NAME), or a managed policy of the account (its ARN).
func readSource(ctx context.Context, a *cli.App, name string) (*source, error) {
	switch {
	case name == "-" || name == "":
		text, err := cli.Await(ctx, func() ([]byte, error) { return readStdin(a) })
		return &source{name: "standard input", text: text}, err
	case strings.HasPrefix(name, "vendor:"):
		return vendorSource(strings.TrimPrefix(name, "vendor:"))
	case strings.HasPrefix(name, "arn:"):
		return accountSource(ctx, a, name)
	}
	text, err := cli.Await(ctx, func() ([]byte, error) { return cli.ReadFile(name) })
	return &source{name: name, text: text}, err
}

func readStdin(a *cli.App) ([]byte, error) {
	if a.Env.StdinTTY {
		return nil, cli.Usage("No policy was given, and standard input is the keyboard.", "a file, or a policy on standard input",
			"Name a file: rolecall policy review policy.json.")
	}
	text, err := io.ReadAll(io.LimitReader(a.Env.Stdin, cli.MaxPolicyText+1))
	if err != nil {
		return nil, cli.Usage("Standard input cannot be read: "+draw.Clean(err.Error())+".", "a policy on standard input", "Name a file instead.")
	}
	return text, cli.TooMuch("standard input", text)
}

// vendorSource is the permissions policy that a vendor publishes for its
// default products.
func vendorSource(name string) (*source, error) {
	v, err := steps.Library().Load(name)
	if err != nil {
		return nil, cli.FlagRefused("vendor:"+draw.Clean(name), err)
	}
	request := access.Request{Vendor: v, Partition: v.DefaultPartition()}
	if len(request.Needed()) == 0 {
		request.Access = describe.AccessUser
	}
	role, err := onlyRole(request)
	if err != nil {
		return nil, err
	}
	return &source{name: "vendor:" + name, text: []byte(request.Open(role.Purpose).Pretty()), vendor: v, role: role}, nil
}

// awsPoliciesAlone refuses to show a policy where there is none of the vendor's.
func awsPoliciesAlone(v *describe.Vendor, role *describe.Role, request access.Request) error {
	all := request.Managed(role.Purpose)
	if len(all) == 0 {
		return cli.Usage(draw.Clean(v.Title)+" has no policy of its own: you choose one for its role.", "a vendor with a policy of its own",
			"Read the one that you mean: rolecall policy review ARN. The formats cloudformation, terraform and cli attach it.")
	}
	arns := strings.Join(all, ", ")
	return cli.Usage(
		draw.Clean(v.Title)+" has no policy of its own for this. Its role has AWS managed policies: "+arns+".",
		"a vendor with a policy of its own",
		"Read AWS's: rolecall policy review "+all[0]+". The formats cloudformation, terraform and cli attach them.",
	)
}

// onlyRole is the one role (or user) that a request needs, and that has a policy
// of the vendor's own.
func onlyRole(request access.Request) (*describe.Role, error) {
	v, roles := request.Vendor, request.Needed()
	switch len(roles) {
	case 0:
		return nil, cli.Usage(v.Title+" has no policy for this.", "another access or other products", "See rolecall vendors show "+v.Name+".")
	case 1:
		if !request.OwnPolicy(roles[0].Purpose) {
			return nil, awsPoliciesAlone(v, roles[0], request)
		}
		return roles[0], nil
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.Purpose
	}
	return nil, cli.Usage("These products need several policies: "+strings.Join(names, ", ")+".", "the products of one role",
		"Choose with --products, or take --format cloudformation, which holds them all.")
}

// accountSource reads a managed policy of the account, or one of AWS's own.
func accountSource(ctx context.Context, a *cli.App, arn string) (*source, error) {
	arn = aws.CleanARN(arn)
	if err := cli.CheckPolicyARN(arn); err != nil {
		return nil, err
	}
	if err := a.CheckCommon(); err != nil {
		return nil, err
	}
	account, err := aws.Open(ctx, a.AWSOptions(a.Profile, "", a.AskCode()))
	if err != nil {
		return nil, err
	}
	found, err := account.Policy(ctx, arn)
	if err != nil {
		return nil, err
	}
	return &source{name: arn, text: []byte(found.Text)}, nil
}

// parseSource reads a source as a document of a kind, also one inside of an
// answer of the AWS CLI; what AWS would refuse is exit 3.
func parseSource(s *source, kind policy.Kind) (*policy.Document, error) {
	read := policy.Recognise(s.text, kind)
	switch {
	case read.Form.Next != "":
		return nil, notAsNeeded(draw.Clean(s.name)+" is "+draw.Clean(read.Form.What)+".", "a document of --kind "+kind.String(),
			draw.Clean(strings.ReplaceAll(read.Form.Next, "FILE", s.name)))
	case read.Kind != kind:
		return nil, notAsNeeded(draw.Clean(s.name)+" is "+draw.Clean(read.Form.What)+", which holds a policy of another kind.",
			"a document of --kind "+kind.String(), "Compare it with --kind "+read.Kind.String()+".")
	case len(read.Refusals) > 0:
		refused := &read.Refusals[0]
		return nil, notAsNeeded(
			fmt.Sprintf("%s: AWS refuses it. Line %d, column %d: %s.", draw.Clean(s.name), refused.Line, refused.Column, draw.Clean(refused.What)),
			draw.Clean(refused.Expected),
			"rolecall policy review shows all that is wrong.",
		)
	}
	return read.Document, nil
}
