// Package organisation is an AWS organisation and its StackSets seen through the
// SDK, from the management account or from a delegated administrator's. Every
// method is one request or one page, and none waits: throttling is the caller's,
// who has a clock. It stands on aws.
package organisation

import (
	"context"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rolecall/aws"
)

// Client asks Organizations and StackSets.
type Client struct {
	account *aws.Account
	callAs  cfntypes.CallAs
}

// New makes a client and sends nothing. delegated tells that the account is not
// the management account, but administers StackSets for it.
func New(account *aws.Account, delegated bool) *Client {
	c := &Client{account: account, callAs: cfntypes.CallAsSelf}
	if delegated {
		c.callAs = cfntypes.CallAsDelegatedAdmin
	}
	return c
}

// plainly asks once: the caller has a clock, and asks again when it is time.
func plainly(o *organizations.Options) { o.Retryer = awssdk.NopRetryer{} }

func plainlyToo(o *cloudformation.Options) { o.Retryer = awssdk.NopRetryer{} }

// Description is what DescribeOrganization tells.
type Description struct {
	ID, Management string // "o-…", and the management account's number
}

// Describe asks which organisation the account is in. Kind NotFound: in none.
func (c *Client) Describe(ctx context.Context) (Description, error) {
	out, err := c.account.Organizations().DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{}, plainly)
	if err != nil || out.Organization == nil {
		return Description{}, c.account.Explained(err, "organizations:DescribeOrganization", "get the organization")
	}
	return Description{ID: clean(out.Organization.Id), Management: clean(out.Organization.MasterAccountId)}, nil
}

// Unit is the root or an organisational unit.
type Unit struct{ ID, Name string }

// Account is one account of the organisation.
type Account struct {
	ID, Name string
	Status   string // ACTIVE, SUSPENDED, PENDING_CLOSURE
}

// Active is the status of an account that can be worked in.
const Active = string(types.AccountStatusActive)

// Roots lists the roots; there is one.
func (c *Client) Roots(ctx context.Context) ([]Unit, error) {
	out, err := c.account.Organizations().ListRoots(ctx, &organizations.ListRootsInput{}, plainly)
	if err != nil {
		return nil, c.account.Explained(err, "organizations:ListRoots", "list the roots of the organization")
	}
	var all []Unit
	for _, r := range out.Roots {
		all = append(all, Unit{clean(r.Id), clean(r.Name)})
	}
	return all, nil
}

// Units lists a page of the units right below one; token is empty for the first
// page, and next for the last.
func (c *Client) Units(ctx context.Context, parent, token string) (all []Unit, next string, err error) {
	out, err := c.account.Organizations().ListOrganizationalUnitsForParent(ctx,
		&organizations.ListOrganizationalUnitsForParentInput{ParentId: &parent, NextToken: optional(token)}, plainly)
	if err != nil {
		return nil, "", c.account.Explained(err, "organizations:ListOrganizationalUnitsForParent", "list the organizational units")
	}
	for _, u := range out.OrganizationalUnits {
		all = append(all, Unit{clean(u.Id), clean(u.Name)})
	}
	return all, awssdk.ToString(out.NextToken), nil
}

// AccountsOf lists a page of the accounts right below a unit.
func (c *Client) AccountsOf(ctx context.Context, parent, token string) (all []Account, next string, err error) {
	out, err := c.account.Organizations().ListAccountsForParent(ctx,
		&organizations.ListAccountsForParentInput{ParentId: &parent, NextToken: optional(token)}, plainly)
	if err != nil {
		return nil, "", c.account.Explained(err, "organizations:ListAccountsForParent", "list the accounts of the organization")
	}
	for _, a := range out.Accounts {
		all = append(all, Account{clean(a.Id), clean(a.Name), aws.CleanText(string(a.Status))})
	}
	return all, awssdk.ToString(out.NextToken), nil
}

// Tags lists the tags of an account.
func (c *Client) Tags(ctx context.Context, account string) (map[string]string, error) {
	out, err := c.account.Organizations().ListTagsForResource(ctx, &organizations.ListTagsForResourceInput{ResourceId: &account}, plainly)
	if err != nil {
		return nil, c.account.Explained(err, "organizations:ListTagsForResource", "list the tags of account "+account)
	}
	tags := map[string]string{}
	for _, t := range out.Tags {
		tags[clean(t.Key)] = clean(t.Value)
	}
	return tags, nil
}

// TrustedAccess tells whether StackSets may work in the organisation.
func (c *Client) TrustedAccess(ctx context.Context) (bool, error) {
	out, err := c.account.CloudFormation().DescribeOrganizationsAccess(ctx,
		&cloudformation.DescribeOrganizationsAccessInput{CallAs: c.callAs}, plainlyToo)
	if err != nil {
		return false, c.account.Explained(err, "cloudformation:DescribeOrganizationsAccess", "look whether StackSets has trusted access")
	}
	return out.Status == cfntypes.OrganizationStatusEnabled, nil
}

// Policy is a policy of the organisation.
type Policy struct {
	ID, Name string
	// AWSManaged is AWS's own: FullAWSAccess, which denies nothing and is attached to
	// everything.
	AWSManaged bool
}

// The kinds of policies that can forbid a role.
const (
	ServiceControl  = string(types.PolicyTypeServiceControlPolicy)
	ResourceControl = string(types.PolicyTypeResourceControlPolicy)
)

// Policies lists a page of the policies of one kind, attached or not.
func (c *Client) Policies(ctx context.Context, kind, token string) (all []Policy, next string, err error) {
	out, err := c.account.Organizations().ListPolicies(ctx,
		&organizations.ListPoliciesInput{Filter: types.PolicyType(kind), NextToken: optional(token)}, plainly)
	if err != nil {
		return nil, "", c.account.Explained(err, "organizations:ListPolicies", "list the policies of the organization")
	}
	for _, p := range out.Policies {
		all = append(all, Policy{clean(p.Id), clean(p.Name), p.AwsManaged})
	}
	return all, awssdk.ToString(out.NextToken), nil
}

// Targets lists a page of what a policy is attached to: IDs of roots, units and
// accounts.
func (c *Client) Targets(ctx context.Context, policy, token string) (all []string, next string, err error) {
	out, err := c.account.Organizations().ListTargetsForPolicy(ctx,
		&organizations.ListTargetsForPolicyInput{PolicyId: &policy, NextToken: optional(token)}, plainly)
	if err != nil {
		return nil, "", c.account.Explained(err, "organizations:ListTargetsForPolicy", "list what policy "+policy+" is attached to")
	}
	for _, t := range out.Targets {
		all = append(all, clean(t.TargetId))
	}
	return all, awssdk.ToString(out.NextToken), nil
}

// PolicyText reads a policy's document.
func (c *Client) PolicyText(ctx context.Context, id string) (string, error) {
	out, err := c.account.Organizations().DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: &id}, plainly)
	if err != nil || out.Policy == nil {
		return "", c.account.Explained(err, "organizations:DescribePolicy", "read policy "+id)
	}
	return awssdk.ToString(out.Policy.Content), nil
}

func clean(s *string) string { return aws.CleanText(awssdk.ToString(s)) }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
