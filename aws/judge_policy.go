package aws

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/policy"
)

// policyChecks judge what the role may do: whether something is attached, and
// whether all of it together grants what is wanted.
func (j *judging) policyChecks() {
	j.add("policy-attached", j.attached())
	if len(j.want.Policies) > 0 || slices.ContainsFunc(j.want.PolicyARNs, j.want.exists) {
		j.add("policy-matches", j.matches())
	}
}

func (j *judging) attached() verdict {
	v := verdict{status: Pass, want: cmp.Or(someOf(j.want.PolicyARNs, 3), "the vendor's policy")}
	if j.role == nil {
		return j.unseen(v.want)
	}
	var names, missing []string
	for _, p := range j.role.Attached {
		names = append(names, p.Name)
	}
	for _, p := range j.role.Inline {
		names = append(names, p.Name+" (inline)")
	}
	for _, arn := range j.want.PolicyARNs {
		if !slices.ContainsFunc(j.role.Attached, func(p AttachedPolicy) bool { return p.ARN == arn }) {
			missing = append(missing, arn)
		}
	}
	v.got = cmp.Or(someOf(names, 4), "no policy")
	v.fix = "On the " + j.holder + "'s page, Permissions, Add permissions, Attach policies: tick " +
		cmp.Or(someOf(missing, 3), "the vendor's policy") + "."
	switch {
	case j.listsIncomplete() && (len(missing) > 0 || len(names) == 0):
		v = j.hidden(v)
	case len(missing) > 0, len(names) == 0 && len(j.want.Policies) > 0:
		v.status = Fail
	}
	return v
}

func (j *judging) listsIncomplete() bool { return j.seen.PoliciesUnknown || j.seen.InlineUnknown }

// hidden is the verdict where policies could not be seen: after a refusal, or
// because a list of roles does not tell them and nobody has asked yet.
func (j *judging) hidden(v verdict) verdict {
	if len(j.seen.Denied) > 0 {
		return v.notAllowed(j.seen.Denied)
	}
	if v, ok := j.missing(v, PartPolicies, PartDocuments); ok {
		return v
	}
	v.status, v.got, v.fix = Unknown, "not looked at yet", "Correct the trust policy first; rolecall then looks at the policies."
	return v
}

func askFor(actions []string) string {
	return "Ask your administrator for " + strings.Join(actions, " and ") + ", or sign in as someone who has it."
}

// OfAWS tells whether a managed policy is AWS's own.
func OfAWS(arn string) bool {
	parsed, ok := SplitARN(arn)
	return ok && parsed.AccountID == "aws"
}

// exists tells whether a managed policy is wanted as it is.
func (w Want) exists(arn string) bool { return OfAWS(arn) || slices.Contains(w.Existing, arn) }

// matches compares the sum of the holder's policies with the sum of the wanted
// ones: it does not matter how either is split. AWS managed policies that are
// wanted by ARN stand on neither side: AWS changes what they grant.
func (j *judging) matches() verdict {
	wanted := policy.Merge(j.want.Policies...)
	v := verdict{
		status: Pass,
		want:   fmt.Sprintf("what the vendor's policy grants (%s)", statements(len(wanted.Statements))),
		got:    "the same as the vendor's policy",
	}
	if len(wanted.Statements) == 0 {
		v.want, v.got = "nothing beside "+someOf(j.want.PolicyARNs, 3), "nothing"
	}
	if j.role == nil {
		return j.unseen(v.want)
	}
	documents, unread := j.documents()
	if len(documents) == 0 && unread == 0 && !j.listsIncomplete() && len(wanted.Statements) > 0 {
		v.status, v.got, v.fix = Fail, "nothing", "Attach the vendor's policy to the "+j.holder+" first."
		return v
	}
	d := policy.Compare(wanted, policy.Merge(documents...))
	switch {
	case d.Equal && !j.listsIncomplete() && unread == 0:
	case j.listsIncomplete() || unread > 0:
		v = j.hidden(v)
		if len(j.seen.Denied) == 0 && len(v.missing) == 0 && unread > 0 {
			v.got, v.fix = "a policy that rolecall cannot read", "Open the policy on the "+j.holder+"'s page and compare it there."
		}
	case d.Less():
		v.status, v.got = Fail, "less: "+difference(d.Removed, d)
		v.fix = "Edit the policy on the " + j.holder + "'s page, or attach the vendor's policy as rolecall shows it."
	case d.More():
		v.status, v.got = Warn, "more: "+difference(d.Added, d)
		v.fix = "Remove what the vendor does not need, if it was not meant."
	default: // a denial of what is not granted here, which takes from what others grant
		v.status, v.got = Warn, "the same, and otherwise: "+difference(nil, d)
		v.fix = "Remove what the vendor did not ask for, if it was not meant."
	}
	return v
}

func statements(n int) string {
	if n == 1 {
		return "1 statement"
	}
	return fmt.Sprintf("%d statements", n)
}

// GrantsDifference is how what a role grants differs from what is wanted of it,
// as the check policy-matches sees it; ok is false where the role has no policy
// or not all of them could be read.
func GrantsDifference(want Want, role Role) (d policy.Difference, ok bool) {
	j := judging{holder: "role", want: want, role: &role}
	documents, unread := j.documents()
	if unread > 0 || len(documents) == 0 {
		return policy.Difference{}, false
	}
	return policy.Compare(policy.Merge(want.Policies...), policy.Merge(documents...)), true
}

// documents are the role's policies that could be read, and how many could
// not, without those that are wanted as they are.
func (j *judging) documents() (all []*policy.Document, unread int) {
	add := func(d *policy.Document) {
		if d == nil {
			unread++
			return
		}
		if d = j.withoutRevoked(d); len(d.Statements) > 0 {
			all = append(all, d)
		}
	}
	for _, p := range j.role.Attached {
		if !j.want.exists(p.ARN) || !slices.Contains(j.want.PolicyARNs, p.ARN) {
			add(p.Document)
		}
	}
	for _, p := range j.role.Inline {
		add(p.Document)
	}
	return all, unread
}

// withoutRevoked leaves out what keeps out nobody but sessions that began before
// now: the console's Revoke sessions denies those everything, by a policy that stays
// (AWSRevokeOlderSessions). Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html.
func (j *judging) withoutRevoked(d *policy.Document) *policy.Document {
	now := j.seen.Now
	if now.IsZero() {
		now = j.role.AsOf
	}
	past := func(s policy.Statement) bool {
		if s.Effect != policy.Deny || len(s.Condition) != 1 || len(s.Condition[0].Values) != 1 {
			return false
		}
		c := s.Condition[0]
		at, err := time.Parse(time.RFC3339, c.Values[0])
		return err == nil && c.Operator == "DateLessThan" && strings.EqualFold(c.Key, "aws:TokenIssueTime") && at.Before(now)
	}
	if !slices.ContainsFunc(d.Statements, past) {
		return d
	}
	left := *d
	left.Statements = slices.DeleteFunc(slices.Clone(d.Statements), past)
	return &left
}

// difference says what differs: the actions where they do, else the statements.
func difference(actions []string, d policy.Difference) string {
	if len(actions) > 0 {
		return someOf(actions, 4)
	}
	var changed []string
	for _, c := range d.Changed {
		words := c.What + " of " + cmp.Or(c.Statement, "a statement")
		switch {
		case c.What == "deny" && c.New:
			words = "it denies something in " + cmp.Or(c.Statement, "a statement")
		case c.What == "deny":
			words = "it lacks the denial in " + cmp.Or(c.Statement, "a statement")
		}
		changed = append(changed, words)
	}
	return cmp.Or(someOf(changed, 3), "conditions or resources differ")
}
