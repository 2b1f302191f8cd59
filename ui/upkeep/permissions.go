package upkeep

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps"
)

// command is one of rolecall's, with what it asks of AWS for a vendor's role or
// user, under the names that the vendor suggests. What it can do without, such as
// the account's alias, is not in it.
type command struct {
	name string // "permissions-verify"
	says string // "verify"
	role, user, policy,
	stack, any []string // IAM actions, by what they act on
}

// asking are those that ask AWS, with what they need. A test compares it with
// what they call.
func asking() []command {
	policy := []string{"iam:GetPolicy", "iam:GetPolicyVersion"}
	role := []string{"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"}
	user := []string{"iam:GetUser", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:ListGroupsForUser", "iam:ListAccessKeys"}
	return []command{
		{name: "permissions-verify", says: "verify", role: role, policy: policy},
		{name: "permissions-verify-user", says: "verify --user", user: user, policy: policy, any: []string{"iam:GetAccessKeyLastUsed"}},
		{name: "permissions-manual", says: "connect --method manual", policy: policy, any: []string{"iam:GetAccountAuthorizationDetails"}},
		{name: "permissions-direct", says: "connect --method direct", role: with(role, "iam:CreateRole", "iam:AttachRolePolicy"),
			policy: with(policy, "iam:CreatePolicy")},
		{name: "permissions-direct-user", says: "connect --method direct --access user",
			user:   with(user, "iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"),
			policy: with(policy, "iam:CreatePolicy")},
		{name: "permissions-automatic", says: "connect --method automatic", role: with(role, "iam:CreateRole", "iam:AttachRolePolicy"),
			policy: with(policy, "iam:CreatePolicy"),
			stack: []string{"cloudformation:CreateStack", "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents",
				"cloudformation:GetTemplate"}},
		{name: "permissions-update", says: "update", role: role, policy: with(policy, "iam:ListPolicyVersions", "iam:CreatePolicyVersion")},
		{name: "permissions-disconnect", says: "disconnect", role: with(role, "iam:DetachRolePolicy", "iam:DeleteRole"),
			policy: with(policy, "iam:ListPolicyVersions", "iam:DeletePolicy")},
	}
}

func with(actions []string, more ...string) []string { return append(slices.Clone(actions), more...) }

// names are those of a vendor's things in an account.
type names struct{ role, user, policy string }

// suggested are the names that the default vendors suggest: the permissions of a
// person may be bound to such.
func suggested() names {
	var n names
	for _, name := range []string{"spot", "sprinters"} {
		vendor, err := steps.Library().Load(name)
		if err != nil {
			continue // the program's own are tested; what is left has names of its own
		}
		for _, role := range vendor.Roles {
			n.role, n.user, n.policy = cmp.Or(n.role, role.RoleName), cmp.Or(n.user, role.UserName), cmp.Or(n.policy, role.PolicyName)
		}
	}
	return n
}

// needs are the permissions of a command in the account of an identity.
func (c command) needs(id aws.Identity, n names, region string) []aws.Permission {
	arn := func(service, region, resource string) string {
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s", id.Partition, service, region, id.AccountID, resource)
	}
	var all []aws.Permission
	for _, on := range []struct {
		actions  []string
		resource string
	}{
		{c.role, arn("iam", "", "role/"+n.role)}, {c.user, arn("iam", "", "user/"+n.user)}, {c.policy, arn("iam", "", "policy/"+n.policy)},
		{c.stack, arn("cloudformation", region, "stack/"+n.role+"/*")}, {c.any, "*"},
	} {
		for _, action := range on.actions {
			all = append(all, aws.Permission{Action: action, Resource: on.resource})
		}
	}
	return all
}

// findPermissions says for each command which permission it would lack, as IAM's
// simulator sees it: one request for each thing that the commands act on. That one
// is missing is a warning, since nobody has to use every command.
func findPermissions(ctx context.Context, account *aws.Account, id aws.Identity) []line {
	if account == nil {
		return unknownPermissions("nobody is signed in to AWS", "Sign in, then run doctor again.")
	}
	if id.Kind == aws.IsRoot {
		return unknownPermissions("the simulator takes no root user, which may do everything that the organization lets it",
			"Sign in as a role or user with no more than it needs.")
	}
	var needs []aws.Permission
	n, region := suggested(), account.Region()
	for _, c := range asking() {
		for _, need := range c.needs(id, n, region) {
			if !slices.Contains(needs, need) {
				needs = append(needs, need)
			}
		}
	}
	missing, known, err := account.Missing(ctx, needs)
	if err != nil || !known {
		return unknownPermissions("the policy simulator could not be asked",
			"Allow iam:SimulatePrincipalPolicy, and for a role iam:GetRole on itself; or try: a command names what it lacks.")
	}
	var lines []line
	for _, c := range asking() {
		lines = append(lines, c.line(missing, c.needs(id, n, region)))
	}
	return lines
}

func (c command) line(missing, needs []aws.Permission) line {
	l := line{Name: c.name, Status: pass, Detail: c.says + " lacks nothing that the simulator knows of"}
	for _, need := range needs {
		if slices.Contains(missing, need) && !slices.Contains(l.Missing, need.Action) {
			l.Missing = append(l.Missing, need.Action)
		}
	}
	if len(l.Missing) > 0 {
		slices.Sort(l.Missing)
		l.Status, l.Detail = warn, c.says+" lacks "+strings.Join(l.Missing, ", ")
		l.Fix = "Have that allowed, if you want to use that command."
	}
	return l
}

func unknownPermissions(why, fix string) []line {
	var lines []line
	for _, c := range asking() {
		lines = append(lines, line{Name: c.name, Status: unknown, Detail: c.says + ": " + why, Fix: fix})
	}
	return lines
}
