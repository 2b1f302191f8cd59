package aws

import (
	"context"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rolecall/policy"
)

// Role is a role with its trust policy and, where they were fetched, the
// policies it has.
type Role struct {
	ARN, Name, ID, Path string
	Description         string
	Boundary            string           // the permissions boundary's ARN, empty for none
	Trust               *policy.Document // nil when it cannot be parsed
	TrustText           string
	Attached            []AttachedPolicy
	Inline              []InlinePolicy
	MaxSession          time.Duration
	Created, LastUsed   time.Time
	Tags                []Tag
	// AsOf is the time by AWS's clock when it told of the role; zero where a list
	// or a paste did.
	AsOf time.Time
}

// Age is how old the role is by AWS's clock, never below zero; false where that
// is not known.
func (r Role) Age() (time.Duration, bool) {
	if r.AsOf.IsZero() || r.Created.IsZero() {
		return 0, false
	}
	return max(r.AsOf.Sub(r.Created), 0), true
}

// Ref is the role's names.
func (r Role) Ref() RoleRef { return RoleRef{ARN: r.ARN, ID: r.ID, Name: r.Name, Path: r.Path} }

// AttachedPolicy is a managed policy on a role or user. Document is nil when
// it was not fetched or cannot be parsed.
type AttachedPolicy struct {
	ARN, Name string
	Document  *policy.Document
}

// InlinePolicy is a policy that lives inside a role or user.
type InlinePolicy struct {
	Name     string
	Document *policy.Document
	Text     string
}

// NewRole is what CreateRole sends. MaxSession 0 leaves AWS's hour.
type NewRole struct {
	Name        string
	Path        string // empty: "/"
	Description string
	Trust       *policy.Document
	Boundary    string // ARN of the permissions boundary, empty for none
	MaxSession  time.Duration
	Tags        []Tag
}

// Role gets a role by name with everything on it: one request for the role,
// one or more for each list of policies, and one for each inline policy. Kind
// NotFound when there is none. Attached policies come without documents.
func (a *Account) Role(ctx context.Context, name string) (Role, error) {
	r, err := a.roleOnly(ctx, name)
	if err != nil {
		return r, err
	}
	if r.Attached, err = a.attachedPolicies(ctx, name); err != nil {
		return r, err
	}
	r.Inline, err = a.inlinePolicies(ctx, name)
	return r, err
}

func (a *Account) roleOnly(ctx context.Context, name string, opts ...func(*iam.Options)) (Role, error) {
	out, err := a.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: &name}, opts...)
	if err != nil {
		return Role{}, a.fail(err, "iam:GetRole", "get role %s", cleanText(name))
	}
	role := newRole(*out.Role)
	role.AsOf, _ = middleware.GetServerTime(out.ResultMetadata)
	return role, nil
}

func (a *Account) attachedPolicies(ctx context.Context, name string, opts ...func(*iam.Options)) ([]AttachedPolicy, error) {
	var all []AttachedPolicy
	err := EveryPage("the policies of role "+cleanText(name), func(at *string) (*string, error) {
		out, err := a.iam().ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name, Marker: at}, opts...)
		if err != nil {
			return nil, a.fail(err, "iam:ListAttachedRolePolicies", "list the policies of role %s", cleanText(name))
		}
		all = append(all, attachedFrom(out.AttachedPolicies)...)
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	return all, err
}

func attachedFrom(list []types.AttachedPolicy) []AttachedPolicy {
	var all []AttachedPolicy
	for _, p := range list {
		all = append(all, AttachedPolicy{ARN: cleanText(awssdk.ToString(p.PolicyArn)), Name: cleanText(awssdk.ToString(p.PolicyName))})
	}
	return all
}

func (a *Account) inlinePolicies(ctx context.Context, name string, opts ...func(*iam.Options)) ([]InlinePolicy, error) {
	var all []InlinePolicy
	err := EveryPage("the inline policies of role "+cleanText(name), func(at *string) (*string, error) {
		out, err := a.iam().ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name, Marker: at}, opts...)
		if err != nil {
			return nil, a.fail(err, "iam:ListRolePolicies", "list the inline policies of role %s", cleanText(name))
		}
		for _, inline := range out.PolicyNames {
			p, err := a.inlinePolicy(ctx, name, inline, opts...)
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	return all, err
}

func (a *Account) inlinePolicy(ctx context.Context, role, name string, opts ...func(*iam.Options)) (InlinePolicy, error) {
	out, err := a.iam().GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name}, opts...)
	if err != nil {
		return InlinePolicy{}, a.fail(err, "iam:GetRolePolicy", "get inline policy %s of role %s", cleanText(name), cleanText(role))
	}
	p := InlinePolicy{Name: cleanText(name)}
	p.Text, p.Document = decodeDocument(awssdk.ToString(out.PolicyDocument), policy.Identity)
	return p, nil
}

func newRole(r types.Role) Role {
	role := Role{
		ARN: cleanText(awssdk.ToString(r.Arn)), Name: cleanText(awssdk.ToString(r.RoleName)), ID: cleanText(awssdk.ToString(r.RoleId)),
		Path: cleanText(awssdk.ToString(r.Path)), Description: cleanText(awssdk.ToString(r.Description)),
		MaxSession: time.Duration(awssdk.ToInt32(r.MaxSessionDuration)) * time.Second,
		Created:    awssdk.ToTime(r.CreateDate), Tags: fromSDKTags(r.Tags),
	}
	if r.PermissionsBoundary != nil {
		role.Boundary = cleanText(awssdk.ToString(r.PermissionsBoundary.PermissionsBoundaryArn))
	}
	if r.RoleLastUsed != nil {
		role.LastUsed = awssdk.ToTime(r.RoleLastUsed.LastUsedDate)
	}
	role.TrustText, role.Trust = decodeDocument(awssdk.ToString(r.AssumeRolePolicyDocument), policy.Trust)
	return role
}

// newRoleDetail is newRole for an entry of GetAccountAuthorizationDetails,
// which has the policies too but neither description nor session duration.
func newRoleDetail(r types.RoleDetail) Role {
	role := roleHead(r)
	role.Attached = attachedFrom(r.AttachedManagedPolicies)
	for _, p := range r.RolePolicyList {
		inline := InlinePolicy{Name: cleanText(awssdk.ToString(p.PolicyName))}
		inline.Text, inline.Document = decodeDocument(awssdk.ToString(p.PolicyDocument), policy.Identity)
		role.Inline = append(role.Inline, inline)
	}
	return role
}

// roleHead is newRoleDetail without the policies.
func roleHead(r types.RoleDetail) Role {
	return newRole(types.Role{Arn: r.Arn, RoleName: r.RoleName, RoleId: r.RoleId, Path: r.Path, CreateDate: r.CreateDate, Tags: r.Tags,
		PermissionsBoundary: r.PermissionsBoundary, RoleLastUsed: r.RoleLastUsed, AssumeRolePolicyDocument: r.AssumeRolePolicyDocument})
}

// CreateRole creates a role: one request. Just after the vendor's account or
// another principal was created AWS may answer Malformed ("Invalid principal").
func (a *Account) CreateRole(ctx context.Context, n NewRole) (Role, error) {
	in := &iam.CreateRoleInput{RoleName: &n.Name, AssumeRolePolicyDocument: awssdk.String(n.Trust.Compact()), Tags: sdkTags(n.Tags)}
	if n.Path != "" {
		in.Path = &n.Path
	}
	if n.Description != "" {
		in.Description = &n.Description
	}
	if n.Boundary != "" {
		in.PermissionsBoundary = &n.Boundary
	}
	if n.MaxSession != 0 {
		in.MaxSessionDuration = awssdk.Int32(int32(n.MaxSession / time.Second)) //nolint:gosec // IAM takes 43,200 seconds at most
	}
	out, err := a.iam().CreateRole(ctx, in, once)
	if err != nil {
		return Role{}, nameTrusted(a.fail(err, "iam:CreateRole", "create role %s", cleanText(n.Name)), n.Trust)
	}
	return newRole(*out.Role), nil
}

// AttachRolePolicy attaches a managed policy: one request, and none the worse
// when it is attached already.
func (a *Account) AttachRolePolicy(ctx context.Context, roleName, policyARN string) error {
	_, err := a.iam().AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &roleName, PolicyArn: &policyARN})
	return a.fail(err, "iam:AttachRolePolicy", "attach policy %s to role %s", cleanText(policyARN), cleanText(roleName))
}

// DetachRolePolicy detaches a managed policy: one request.
func (a *Account) DetachRolePolicy(ctx context.Context, roleName, policyARN string) error {
	_, err := a.iam().DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &roleName, PolicyArn: &policyARN}, once)
	return a.fail(err, "iam:DetachRolePolicy", "detach policy %s from role %s", cleanText(policyARN), cleanText(roleName))
}

// PutRolePolicy writes an inline policy: one request, replacing one of that
// name.
func (a *Account) PutRolePolicy(ctx context.Context, roleName, policyName string, d *policy.Document) error {
	_, err := a.iam().PutRolePolicy(
		ctx,
		&iam.PutRolePolicyInput{RoleName: &roleName, PolicyName: &policyName, PolicyDocument: awssdk.String(d.Compact())},
	)
	return a.fail(err, "iam:PutRolePolicy", "write inline policy %s of role %s", cleanText(policyName), cleanText(roleName))
}

// DeleteRolePolicy deletes an inline policy: one request.
func (a *Account) DeleteRolePolicy(ctx context.Context, roleName, policyName string) error {
	_, err := a.iam().DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &roleName, PolicyName: &policyName}, once)
	return a.fail(err, "iam:DeleteRolePolicy", "delete inline policy %s of role %s", cleanText(policyName), cleanText(roleName))
}

// UpdateTrust replaces a role's trust policy: one request.
func (a *Account) UpdateTrust(ctx context.Context, roleName string, trust *policy.Document) error {
	_, err := a.iam().UpdateAssumeRolePolicy(
		ctx,
		&iam.UpdateAssumeRolePolicyInput{RoleName: &roleName, PolicyDocument: awssdk.String(trust.Compact())},
	)
	return nameTrusted(a.fail(err, "iam:UpdateAssumeRolePolicy", "update the trust policy of role %s", cleanText(roleName)), trust)
}

// DeleteRole deletes a role with nothing on it: one request. Kind Conflict
// while policies are attached or inside it.
func (a *Account) DeleteRole(ctx context.Context, roleName string) error {
	_, err := a.iam().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &roleName}, once)
	return a.fail(err, "iam:DeleteRole", "delete role %s", cleanText(roleName))
}
