package policy

import (
	"errors"
	"slices"
)

// ParseGuardrail reads a policy of an organisation: a service control policy,
// which has no principals, or a resource control policy, whose principal is
// everybody. What AWS asks of a permissions policy alone is not asked of it.
// Source: docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
// and orgs_manage_policies_rcps_syntax.html.
func ParseGuardrail(text []byte) (*Document, error) {
	d, refusals := Check(text, Identity)
	refusals = slices.DeleteFunc(refusals, ofKind)
	switch {
	case len(refusals) > 0:
		return nil, &refusals[0]
	case d == nil || len(d.Statements) == 0:
		return nil, errors.New("find statements in the policy")
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect == "" || len(s.Action)+len(s.NotAction) == 0 {
			return nil, errors.New("find effect and actions in each statement")
		}
	}
	return d, nil
}

// About keeps the statements that are about a resource, as requests about it
// alone are to be asked: Ask and Inquire know no resources. A statement without
// principals is about everybody. Statements keep their index: one that is about
// other resources stays as a Deny of nothing.
func (d *Document) About(resource string) *Document {
	out := &Document{Version: d.Version, ID: d.ID, Statements: slices.Clone(d.Statements)}
	for i := range out.Statements {
		s := &out.Statements[i]
		if !s.about(resource) {
			s.Effect, s.Action, s.NotAction = Deny, nil, nil
		}
		s.Resource, s.NotResource = nil, nil
		if s.Principal == nil && s.NotPrincipal == nil {
			s.Principal = Principals{"AWS": {"*"}}
		}
	}
	return out
}

// about reports whether a statement is about a resource. A variable in a
// pattern may be anything.
func (s *Statement) about(resource string) bool {
	match := func(pattern string) bool { return pattern == "*" || Matches(anyVariable(pattern), resource) }
	if len(s.NotResource) > 0 {
		return !slices.ContainsFunc(s.NotResource, match)
	}
	return len(s.Resource) == 0 || slices.ContainsFunc(s.Resource, match)
}
