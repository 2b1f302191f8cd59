package organisation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/aws/organisation"
	"rolecall/policy"
	"rolecall/steps/screen"
)

// Obstacle is a policy of the organisation that forbids the role, or may.
type Obstacle struct {
	Policy   string   `json:"policy"` // name
	PolicyID string   `json:"policy_id"`
	Kind     string   `json:"kind"` // SERVICE_CONTROL_POLICY, RESOURCE_CONTROL_POLICY
	At       string   `json:"at"`   // path of the unit, or number of the account, that it is attached to
	Accounts int      `json:"accounts"`
	Actions  []string `json:"actions"`
	// Certain is false where a condition decides, which nobody can tell before.
	Certain bool   `json:"certain"`
	Sid     string `json:"sid,omitempty"`
	Fix     string `json:"fix"`
}

// Preflight reads the service and resource control policies on the path of every
// account that is meant, and names those that forbid the stack's role, or the
// vendor's use of it. Policies of single accounts are read where a few are meant.
func Preflight(ctx context.Context, c Clock, cloud *organisation.Client, tree *Tree, want *Wanted, chosen []Chosen) ([]Obstacle, error) {
	targets := tree.paths(chosen)
	var all []Obstacle
	texts := map[string]string{}
	for _, target := range targets {
		for _, kind := range []string{organisation.ServiceControl, organisation.ResourceControl} {
			found, err := atTarget(ctx, c, cloud, target, kind, texts, want)
			if is(err, aws.Malformed) {
				continue // that kind of policy is not used here
			}
			if err != nil {
				return all, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// target is what policies are attached to.
type target struct {
	id, at   string
	accounts int
}

// mostSingle is up to how many accounts the policies of each are read.
const mostSingle = 50

// paths are the units above the accounts that are meant, and a few accounts.
func (t *Tree) paths(chosen []Chosen) []target {
	count := map[string]int{}
	meant := 0
	for _, a := range chosen {
		if a.Excluded != nil {
			continue
		}
		meant++
		for at := a.Unit; at != ""; {
			count[at]++
			u, _ := t.Unit(at)
			at = u.Parent
		}
	}
	var all []target
	for _, u := range t.Units {
		if count[u.ID] > 0 {
			all = append(all, target{u.ID, u.Path, count[u.ID]})
		}
	}
	for _, a := range chosen {
		if a.Excluded == nil && meant <= mostSingle {
			all = append(all, target{a.ID, a.ID, 1})
		}
	}
	return all
}

func atTarget(ctx context.Context, c Clock, cloud *organisation.Client, t target, kind string, texts map[string]string,
	want *Wanted) ([]Obstacle, error) {
	var policies []organisation.Policy
	err := c.patiently(ctx, func() (err error) {
		policies, err = cloud.Policies(ctx, t.id, kind)
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []Obstacle
	for _, p := range policies {
		if _, read := texts[p.ID]; !read {
			err := c.patiently(ctx, func() (err error) {
				texts[p.ID], err = cloud.PolicyText(ctx, p.ID)
				return err
			})
			if err != nil {
				return all, err
			}
		}
		doc, err := policy.ParseGuardrail([]byte(texts[p.ID]))
		if err != nil {
			continue // AWS took it, and what it says cannot be told here
		}
		for _, s := range doc.Statements {
			if o, ok := obstacle(s, kind, want); ok {
				o.Policy, o.PolicyID, o.Kind, o.At, o.Accounts, o.Sid = p.Name, p.ID, kind, t.at, t.accounts, screen.CleanLine(s.Sid)
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// needed are the actions that the stack's making takes, with what they act on.
func needed(want *Wanted) map[string]string {
	role := want.RoleARN("*")
	all := map[string]string{"iam:CreateRole": role}
	for _, g := range want.Grants {
		switch {
		case g.Role.Inline:
			all["iam:PutRolePolicy"] = role
		case len(g.Documents) > 0:
			all["iam:CreatePolicy"] = aws.PolicyARN(g.Partition, "*", g.Path, g.PolicyName)
			all["iam:AttachRolePolicy"] = role
		default:
			all["iam:AttachRolePolicy"] = role
		}
	}
	return all
}

// obstacle tells whether a statement denies what is needed.
func obstacle(s policy.Statement, kind string, want *Wanted) (Obstacle, bool) {
	o := Obstacle{Certain: len(s.Condition) == 0}
	if s.Effect != policy.Deny {
		return o, false
	}
	acts := needed(want)
	if kind == organisation.ResourceControl {
		acts = map[string]string{"sts:AssumeRole": want.RoleARN("*")}
	}
	for action, resource := range acts {
		if denies(s, action, resource) {
			o.Actions = append(o.Actions, action)
		}
	}
	slices.Sort(o.Actions)
	o.Fix = fmt.Sprintf("Except the role by a condition in that statement: \"ArnNotLike\": {\"aws:PrincipalArn\": "+
		"\"arn:%s:iam::*:role/stacksets-exec-*\"}.", want.Request.Partition)
	if kind == organisation.ResourceControl {
		o.Fix = "Except the vendor by a condition in that statement: \"StringNotEquals\": {\"aws:PrincipalAccount\": " +
			"\"" + strings.Join(want.Grants[0].Trusted, "\", \"") + "\"}."
	}
	return o, len(o.Actions) > 0
}

// denies tells whether a statement is about an action on a resource, whatever its
// conditions say.
func denies(s policy.Statement, action, resource string) bool {
	acts := slices.ContainsFunc(s.Action, func(p string) bool { return policy.MatchesAction(p, action) }) ||
		len(s.NotAction) > 0 && !slices.ContainsFunc(s.NotAction, func(p string) bool { return policy.MatchesAction(p, action) })
	on := slices.ContainsFunc(s.Resource, func(p string) bool { return policy.Covers(p, resource) }) ||
		len(s.NotResource) > 0 && !slices.ContainsFunc(s.NotResource, func(p string) bool { return policy.Covers(p, resource) })
	return acts && on
}
