package organisation

import (
	"cmp"
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

	at string // ID of that
}

// Preflight reads the service and resource control policies of the organization,
// each once, and names those on the path of an account that is meant which forbid
// the stack's role, or the vendor's use of it. What a policy is attached to is
// asked only where it forbids something: the size of the organization makes no
// more requests.
func Preflight(ctx context.Context, c Clock, cloud *organisation.Client, tree *Tree, want *Wanted, chosen []Chosen) ([]Obstacle, error) {
	order, above := tree.above(chosen)
	var all []Obstacle
	for _, kind := range []string{organisation.ServiceControl, organisation.ResourceControl} {
		policies, err := pages(ctx, c, func(token string) ([]organisation.Policy, string, error) { return cloud.Policies(ctx, kind, token) })
		if is(err, aws.Malformed) {
			continue // that kind of policy is not used here
		}
		if err != nil {
			return all, err
		}
		for _, p := range policies {
			found, err := forbids(ctx, c, cloud, p, kind, want, above)
			if err != nil {
				return all, err
			}
			all = append(all, found...)
		}
	}
	slices.SortStableFunc(all, func(a, b Obstacle) int { return cmp.Compare(order[a.at], order[b.at]) })
	return all, nil
}

// target is a unit, or an account, with how many of the accounts that are meant
// are in it.
type target struct {
	at       string // path, or number
	accounts int
	single   bool // an account
}

// above are the accounts that are meant with the units above them, by ID; and
// their order in the tree.
func (t *Tree) above(chosen []Chosen) (order map[string]int, all map[string]target) {
	order, all = map[string]int{}, map[string]target{}
	units := map[string]Unit{}
	for i, u := range t.Units {
		units[u.ID], order[u.ID] = u, i
	}
	for i, a := range chosen {
		if a.Excluded != nil {
			continue
		}
		all[a.ID], order[a.ID] = target{at: a.ID, accounts: 1, single: true}, len(units)+i
		for at := a.Unit; at != ""; at = units[at].Parent {
			all[at] = target{at: units[at].Path, accounts: all[at].accounts + 1}
		}
	}
	return order, all
}

// forbids is what one policy forbids, at each place on a path where it is
// attached. Accounts that it is attached to one by one are told of together.
func forbids(ctx context.Context, c Clock, cloud *organisation.Client, p organisation.Policy, kind string, want *Wanted,
	above map[string]target) ([]Obstacle, error) {
	if p.AWSManaged {
		return nil, nil
	}
	var text string
	err := c.patiently(ctx, func() (err error) {
		text, err = cloud.PolicyText(ctx, p.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	doc, err := policy.ParseGuardrail([]byte(text))
	if err != nil {
		return nil, nil //nolint:nilerr // AWS took it, and what it says cannot be told here
	}
	var denied []Obstacle
	for _, s := range doc.Statements {
		if o, ok := obstacle(s, kind, want); ok {
			o.Policy, o.PolicyID, o.Kind, o.Sid = p.Name, p.ID, kind, screen.CleanLine(s.Sid)
			denied = append(denied, o)
		}
	}
	if len(denied) == 0 {
		return nil, nil
	}
	targets, err := pages(ctx, c, func(token string) ([]string, string, error) { return cloud.Targets(ctx, p.ID, token) })
	if err != nil {
		return nil, err
	}
	var all []Obstacle
	for _, o := range denied {
		all = append(all, o.attached(targets, above)...)
	}
	return all, nil
}

// attached is an obstacle at each of its targets that is on a path.
func (o Obstacle) attached(targets []string, above map[string]target) []Obstacle {
	var all []Obstacle
	single := -1
	for _, id := range targets {
		t, ok := above[id]
		switch {
		case !ok:
		case t.single && single >= 0:
			all[single].Accounts++
		default:
			if t.single {
				single = len(all)
			}
			o.At, o.at, o.Accounts = t.at, id, t.accounts
			all = append(all, o)
		}
	}
	if single >= 0 && all[single].Accounts > 1 {
		all[single].At += fmt.Sprintf(" and %s", count(all[single].Accounts-1, "other account"))
	}
	return all
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
