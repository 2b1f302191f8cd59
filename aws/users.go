package aws

import (
	"context"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rolecall/policy"
)

// User is an IAM user with, where they were fetched, the policies it has.
type User struct {
	ARN, Name, ID, Path string
	Boundary            string // the permissions boundary's ARN, empty for none
	Attached            []AttachedPolicy
	Inline              []InlinePolicy
	Groups              []string // names of the groups that it is in
	Created             time.Time
	PasswordLastUsed    time.Time // zero: no password, or never used
	Tags                []Tag
}

// Ref is the user's names.
func (u User) Ref() UserRef { return UserRef{ARN: u.ARN, ID: u.ID, Name: u.Name, Path: u.Path} }

// UserRef names a user: ARN, immutable ID (AIDA…), name, and path.
type UserRef struct {
	ARN  string `json:"arn"`
	ID   string `json:"id"`
	Name string `json:"name"`
	Path string `json:"path"`
}

// NewUser is what CreateUser sends.
type NewUser struct {
	Name     string
	Path     string // empty: "/"
	Boundary string // ARN of the permissions boundary, empty for none
	Tags     []Tag
}

// UserARN is the ARN that a user of this name and path has.
func UserARN(partition, accountID, path, name string) string {
	return "arn:" + partition + ":iam::" + accountID + ":user" + orSlash(path) + name
}

// User gets a user by name with everything on it: one request for the user,
// one or more for each list (policies, inline policies, groups), and one for
// each inline policy. Kind NotFound when there is none. Attached policies come
// without documents.
func (a *Account) User(ctx context.Context, name string) (User, error) {
	u, err := a.userOnly(ctx, name)
	if err != nil {
		return u, err
	}
	if u.Attached, err = a.userPolicies(ctx, name); err != nil {
		return u, err
	}
	if u.Inline, err = a.userInlinePolicies(ctx, name); err != nil {
		return u, err
	}
	u.Groups, err = a.userGroups(ctx, name)
	return u, err
}

func (a *Account) userOnly(ctx context.Context, name string, opts ...func(*iam.Options)) (User, error) {
	out, err := a.iam().GetUser(ctx, &iam.GetUserInput{UserName: &name}, opts...)
	if err != nil {
		return User{}, a.fail(err, "iam:GetUser", "get user %s", cleanText(name))
	}
	return newUser(*out.User), nil
}

func newUser(u types.User) User {
	user := User{
		ARN: cleanText(awssdk.ToString(u.Arn)), Name: cleanText(awssdk.ToString(u.UserName)), ID: cleanText(awssdk.ToString(u.UserId)),
		Path: cleanText(awssdk.ToString(u.Path)), Created: awssdk.ToTime(u.CreateDate), PasswordLastUsed: awssdk.ToTime(u.PasswordLastUsed),
		Tags: fromSDKTags(u.Tags),
	}
	if u.PermissionsBoundary != nil {
		user.Boundary = cleanText(awssdk.ToString(u.PermissionsBoundary.PermissionsBoundaryArn))
	}
	return user
}

func (a *Account) userPolicies(ctx context.Context, name string, opts ...func(*iam.Options)) ([]AttachedPolicy, error) {
	var all []AttachedPolicy
	err := EveryPage("the policies of user "+cleanText(name), func(at *string) (*string, error) {
		out, err := a.iam().ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: &name, Marker: at}, opts...)
		if err != nil {
			return nil, a.fail(err, "iam:ListAttachedUserPolicies", "list the policies of user %s", cleanText(name))
		}
		all = append(all, attachedFrom(out.AttachedPolicies)...)
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	return all, err
}

func (a *Account) userInlinePolicies(ctx context.Context, name string, opts ...func(*iam.Options)) ([]InlinePolicy, error) {
	var all []InlinePolicy
	err := EveryPage("the inline policies of user "+cleanText(name), func(at *string) (*string, error) {
		out, err := a.iam().ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: &name, Marker: at}, opts...)
		if err != nil {
			return nil, a.fail(err, "iam:ListUserPolicies", "list the inline policies of user %s", cleanText(name))
		}
		for _, inline := range out.PolicyNames {
			p, err := a.userInlinePolicy(ctx, name, inline, opts...)
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	return all, err
}

func (a *Account) userInlinePolicy(ctx context.Context, user, name string, opts ...func(*iam.Options)) (InlinePolicy, error) {
	out, err := a.iam().GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &user, PolicyName: &name}, opts...)
	if err != nil {
		return InlinePolicy{}, a.fail(err, "iam:GetUserPolicy", "get inline policy %s of user %s", cleanText(name), cleanText(user))
	}
	p := InlinePolicy{Name: cleanText(name)}
	p.Text, p.Document = decodeDocument(awssdk.ToString(out.PolicyDocument), policy.Identity)
	return p, nil
}

func (a *Account) userGroups(ctx context.Context, name string, opts ...func(*iam.Options)) ([]string, error) {
	var all []string
	err := EveryPage("the groups of user "+cleanText(name), func(at *string) (*string, error) {
		out, err := a.iam().ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: &name, Marker: at}, opts...)
		if err != nil {
			return nil, a.fail(err, "iam:ListGroupsForUser", "list the groups of user %s", cleanText(name))
		}
		for _, g := range out.Groups {
			all = append(all, cleanText(awssdk.ToString(g.GroupName)))
		}
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	return all, err
}

// CreateUser creates a user without a password: one request.
func (a *Account) CreateUser(ctx context.Context, n NewUser) (User, error) {
	in := &iam.CreateUserInput{UserName: &n.Name, Tags: sdkTags(n.Tags)}
	if n.Path != "" {
		in.Path = &n.Path
	}
	if n.Boundary != "" {
		in.PermissionsBoundary = &n.Boundary
	}
	out, err := a.iam().CreateUser(ctx, in, once)
	if err != nil {
		return User{}, a.fail(err, "iam:CreateUser", "create user %s", cleanText(n.Name))
	}
	return newUser(*out.User), nil
}

// AttachUserPolicy attaches a managed policy: one request, and none the worse
// when it is attached already.
func (a *Account) AttachUserPolicy(ctx context.Context, userName, policyARN string) error {
	_, err := a.iam().AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &userName, PolicyArn: &policyARN})
	return a.fail(err, "iam:AttachUserPolicy", "attach policy %s to user %s", cleanText(policyARN), cleanText(userName))
}

// DetachUserPolicy detaches a managed policy: one request.
func (a *Account) DetachUserPolicy(ctx context.Context, userName, policyARN string) error {
	_, err := a.iam().DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &userName, PolicyArn: &policyARN}, once)
	return a.fail(err, "iam:DetachUserPolicy", "detach policy %s from user %s", cleanText(policyARN), cleanText(userName))
}

// DeleteUser deletes a user with nothing on it: one request. Kind Conflict
// while it has policies, access keys, a password or groups.
func (a *Account) DeleteUser(ctx context.Context, userName string) error {
	_, err := a.iam().DeleteUser(ctx, &iam.DeleteUserInput{UserName: &userName}, once)
	return a.fail(err, "iam:DeleteUser", "delete user %s", cleanText(userName))
}
