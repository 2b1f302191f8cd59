package aws

import (
	"context"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// SetBoundary puts a permissions boundary on a role, replacing the one it has:
// one request.
func (a *Account) SetBoundary(ctx context.Context, roleName, policyARN string) error {
	_, err := a.iam().PutRolePermissionsBoundary(
		ctx,
		&iam.PutRolePermissionsBoundaryInput{RoleName: &roleName, PermissionsBoundary: &policyARN},
	)
	return a.fail(err, "iam:PutRolePermissionsBoundary", "update the permissions boundary of role %s", cleanText(roleName))
}

// SetMaxSession sets the longest session of a role, one hour to twelve: one
// request.
func (a *Account) SetMaxSession(ctx context.Context, roleName string, d time.Duration) error {
	seconds := int32(d / time.Second) //nolint:gosec // IAM takes 43,200 seconds at most
	_, err := a.iam().UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: &roleName, MaxSessionDuration: &seconds})
	return a.fail(err, "iam:UpdateRole", "update the session duration of role %s", cleanText(roleName))
}

// TagRole adds tags to a role, replacing values of the same keys: one request.
func (a *Account) TagRole(ctx context.Context, roleName string, tags []Tag) error {
	_, err := a.iam().TagRole(ctx, &iam.TagRoleInput{RoleName: &roleName, Tags: sdkTags(tags)})
	return a.fail(err, "iam:TagRole", "update the tags of role %s", cleanText(roleName))
}

// TagPolicy adds tags to a managed policy, replacing values of the same keys:
// one request.
func (a *Account) TagPolicy(ctx context.Context, arn string, tags []Tag) error {
	_, err := a.iam().TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: &arn, Tags: sdkTags(tags)})
	return a.fail(err, "iam:TagPolicy", "update the tags of policy %s", cleanText(arn))
}

// FindPolicy finds the customer managed policy that takes a name, whatever its
// path: names are unique in an account without regard to case or path. One
// request for each thousand policies. Kind NotFound when there is none.
func (a *Account) FindPolicy(ctx context.Context, name string) (Policy, error) {
	var found *Policy
	err := EveryPage("the account's policies", func(at *string) (*string, error) {
		in := &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal, MaxItems: awssdk.Int32(1000), Marker: at}
		out, err := a.iam().ListPolicies(ctx, in)
		if err != nil {
			return nil, a.fail(err, "iam:ListPolicies", "find policy %s", cleanText(name))
		}
		for _, p := range out.Policies {
			if strings.EqualFold(awssdk.ToString(p.PolicyName), name) {
				policy := newPolicy(p)
				found = &policy
				return nil, nil //nolint:nilnil // The search ends here.
			}
		}
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	switch {
	case err != nil:
		return Policy{}, err
	case found == nil:
		return Policy{}, refuse(NotFound, "There is no policy named "+cleanText(name)+".", "a policy of that name", "Check the name.")
	}
	return *found, nil
}
