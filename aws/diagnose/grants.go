package diagnose

import (
	"fmt"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
)

// assumable is what stands before causes that let the role be assumed and little
// else: a vendor that tries the role reports them alike.
func (in *inquest) assumable() string {
	if in.causes[Principal].cleared && in.causes[ExternalID].cleared {
		return "The role can be assumed, and then may do too little. "
	}
	return "Whoever gets into the role may do too little then. "
}

// grants judges what the role may do, by the checks of its policies.
func (in *inquest) grants() {
	if in.role() == nil {
		return
	}
	for _, id := range []string{"policy-attached", "policy-matches"} {
		switch c, ok := in.facts.Report.Check(id); {
		case !ok:
		case c.Status == aws.Fail:
			in.suspect(Permissions, Likely, in.assumable()+"Found: "+c.Got+"; wanted: "+c.Want+".", c.Fix)
			return
		case c.Status == aws.Unknown:
			in.unjudged(Permissions, "What the role's policies grant is not known: "+c.Got+".")
			return
		}
	}
	in.clear(Permissions, "The role's policies grant what "+in.vendor()+" needs.")
}

// boundary judges whether the permissions boundary cuts off what the policies
// grant. Nobody needs it to allow sts:AssumeRole: who assumes the role is asked
// about by the trust policy. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html.
func (in *inquest) boundary() {
	role := in.role()
	if role == nil || in.facts.Seen.BoundaryUnknown {
		return
	}
	if c, failed := in.failed("permissions-boundary"); failed {
		in.suspect(Boundary, Likely, "The role's permissions boundary is "+c.Got+"; wanted is "+c.Want+".", c.Fix)
	}
	want := policy.Merge(in.facts.Want.Policies...)
	const fix = "Ask whoever set the boundary to allow what the vendor's policy grants, or put another one in its place: the role's page, " +
		"Permissions boundary."
	switch {
	case role.Boundary == "":
		if !in.causes[Boundary].found() {
			in.clear(Boundary, "The role has no permissions boundary.")
		}
	case in.facts.BoundaryDocument == nil, len(want.Statements) == 0:
		in.suspect(Boundary, Possible, "The role has the permissions boundary "+role.Boundary+", and what it allows is not known.",
			"Check that the boundary allows what the vendor's policy grants.")
	default:
		lost, all := denied(actionsOf(want), func(action string) bool { return allows(in.facts.BoundaryDocument, action) })
		if len(lost) > 0 {
			in.suspect(Boundary, Likely, in.assumable()+"The permissions boundary "+role.Boundary+" allows "+share(lost, all)+".", fix)
		} else if !in.causes[Boundary].found() {
			in.clear(Boundary, "The permissions boundary "+role.Boundary+" allows every action that "+in.vendor()+" needs.")
		}
	}
}

// share says how much is lost.
func share(lost []string, all int) string {
	if len(lost) == all {
		return fmt.Sprintf("none of the %d actions that the vendor needs", all)
	}
	shown := lost[:min(len(lost), 3)]
	text := fmt.Sprintf("%d of the %d actions that the vendor needs, and not %s", all-len(lost), all, strings.Join(shown, ", "))
	if more := len(lost) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// actionsOf are the actions that a document allows, each once.
func actionsOf(d *policy.Document) []string {
	var all []string
	seen := map[string]bool{}
	for i := range d.Statements {
		if d.Statements[i].Effect != policy.Allow {
			continue
		}
		known, _ := d.Statements[i].Actions()
		for _, a := range known {
			if !seen[a.Name] {
				seen[a.Name] = true
				all = append(all, a.Name)
			}
		}
	}
	return all
}

// denied are the actions that are not allowed, beside the number of all.
func denied(actions []string, allowed func(action string) bool) (lost []string, all int) {
	for _, action := range actions {
		if !allowed(action) {
			lost = append(lost, action)
		}
	}
	return lost, len(actions)
}

// allows reports whether a permissions policy allows an action on anything, under
// any condition, and does not deny it outright.
func allows(d *policy.Document, action string) bool {
	allowed := false
	for i := range d.Statements {
		s := &d.Statements[i]
		switch {
		case !s.Covers(action):
		case s.Effect == policy.Allow:
			allowed = true
		case len(s.Condition) == 0 && everywhere(s):
			return false
		}
	}
	return allowed
}

// everywhere reports whether a statement is about every resource.
func everywhere(s *policy.Statement) bool {
	for _, r := range s.Resource {
		if policy.EveryResource(r) {
			return true
		}
	}
	return len(s.Resource)+len(s.NotResource) == 0
}
