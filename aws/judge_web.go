package aws

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
)

// webCheckIDs are those of a role that trusts web identities, in their order.
func webCheckIDs() []string {
	return []string{"oidc-provider", "trust-principal", "trust-action", "trust-audience", "trust-subject", "trust-external-id",
		"trust-extra-principals"}
}

// webChecks are the checks of a role that trusts the holders of an OIDC
// provider's tokens: the provider is there, and who of it gets in.
func (j *judging) webChecks() {
	w := *j.want.Web
	j.add("oidc-provider", j.provider(w))
	if j.role == nil || j.role.Trust == nil {
		j.trustUnseenIn(map[string]string{"trust-principal": w.Provider(), "trust-action": policy.AssumeRoleWithWebIdentity,
			"trust-audience": w.Audience, "trust-subject": w.Subject, "trust-external-id": "none",
			"trust-extra-principals": "nobody but the vendor"}, webCheckIDs()[1:])
		return
	}
	arn, _ := SplitARN(j.role.ARN)
	f := readTrust(j.role.Trust, j.want, cmp.Or(arn.AccountID, j.want.AccountID), j.seen)
	v := f.verdict.Web
	j.add("trust-principal", j.webPrincipal(&f, w))
	j.add("trust-action", j.webAction(v, w))
	j.add("trust-audience", j.claim(v, "audience", w.AudienceKey(), w.Audience, v.OffAudience, v.Audience))
	j.add("trust-subject", j.claim(v, "subject", w.SubjectKey(), w.Subject, v.OffSubject, v.Subject))
	j.add("trust-external-id", j.noIDInToken())
	j.add("trust-extra-principals", extraPrincipals(&f))
}

// provider judges whether the account has the OIDC provider, for the audience.
func (j *judging) provider(w policy.WebIdentity) verdict {
	v := verdict{status: Pass, want: w.Provider() + " for the audience " + w.Audience}
	p := j.seen.Provider
	switch {
	case p == nil && !j.seen.ProviderKnown && slices.Contains(j.seen.Denied, "iam:GetOpenIDConnectProvider"):
		return v.notAllowed([]string{"iam:GetOpenIDConnectProvider"})
	case p == nil && !j.seen.ProviderKnown:
		if v, ok := j.missing(v, PartProvider); ok {
			return v
		}
		v.status, v.got = Unknown, "not known"
		v.fix = "Open IAM, Identity providers, and look whether it is there."
	case p == nil:
		v.status, v.got = Fail, "no such provider in this account"
		v.fix = "In IAM, Identity providers, Add provider: OpenID Connect, the provider URL " + w.Issuer + ", the audience " + w.Audience + "."
	case !p.Takes(w.Audience):
		v.status, v.got = Fail, "the provider, for "+cmp.Or(someOf(p.ClientIDs, 4), "no audience")
		v.fix = "On the provider's page in IAM, Actions, Add audience: " + w.Audience + "."
	default:
		v.got = p.ARN
	}
	return v
}

// webPrincipal judges whether the provider's tokens get in, whatever audience and
// subject they have: those have checks of their own.
func (j *judging) webPrincipal(f *trustFacts, w policy.WebIdentity) verdict {
	seen := f.verdict.Web
	v := verdict{status: Pass, want: w.Provider(), got: w.Provider(),
		fix: "On the role's page, Trust relationships, Edit trust policy: set the principal to \"Federated\": \"" + w.Provider() + "\"."}
	switch {
	case !seen.Named:
		v.status, v.got = Fail, cmp.Or(someOf(f.listed, 3), "nobody")
	case !seen.Grants, seen.Enters(), seen.OffAudience || seen.OffSubject: // another check says the rest
		v.got = w.Provider()
	case seen.Outcome == policy.Denied && seen.Statement >= 0 && j.denies(seen.Statement):
		v.status, v.got = Fail, fmt.Sprintf("statement %d denies it", seen.Statement+1)
		v.fix = fmt.Sprintf("On the role's page, Trust relationships, remove statement %d, which denies it.", seen.Statement+1)
	case seen.Outcome == policy.Denied:
		v.status, v.got = Fail, "trusted only under conditions that its tokens do not meet: "+someOf(askedOf(j.role.Trust), 4)
		v.fix = "On the role's page, Trust relationships, remove the conditions beside " + w.AudienceKey() + " and " + w.SubjectKey() + "."
	default:
		v.status, v.got = Unknown, "trusted only under further conditions: "+cmp.Or(seen.Key, someOf(askedOf(j.role.Trust), 4))
		v.fix = "rolecall cannot tell whether all tokens that are meant meet them. Remove them from the trust policy, or ask whoever added them."
	}
	if v.status != Pass && seen.Out != nil {
		v.request = seen.Out.String() + " does not get in."
	}
	return v
}

// askedOf are the conditions of a document, as it puts them.
func askedOf(d *policy.Document) []string {
	var all []string
	for i := range d.Statements {
		for _, c := range d.Statements[i].Condition {
			all = append(all, c.Operator+" "+c.Key)
		}
	}
	return all
}

func (j *judging) webAction(v *policy.WebVerdict, w policy.WebIdentity) verdict {
	const action = policy.AssumeRoleWithWebIdentity
	out := verdict{status: Pass, want: action, got: action,
		fix: "On the role's page, Trust relationships, Edit trust policy: set the action to " + action + "."}
	var loose []string
	for i := range j.role.Trust.Statements {
		s := &j.role.Trust.Statements[i]
		if s.Effect == policy.Allow && slices.Contains(s.Principal["Federated"], w.Provider()) && s.Covers(action) {
			loose = append(loose, indirect(s)...)
		}
	}
	switch {
	case !v.Named:
		out.status, out.got, out.fix = Unknown, "no statement trusts the provider", "Correct the principal first."
	case !v.Grants:
		out.status, out.got = Fail, "another action"
	case len(loose) > 0:
		out.status, out.got = Warn, someOf(loose, 3)
	}
	return out
}

// claim judges whether tokens with what is wanted of a claim get in, and no
// others.
func (j *judging) claim(seen *policy.WebVerdict, name, key, want string, off bool, other *policy.Admission) verdict {
	asked := j.valuesOf(key)
	v := verdict{status: Pass, want: want, got: want}
	v.fix = "On the role's page, Trust relationships, Edit trust policy: set " + key + " under " + operatorFor(want) + " to " + want +
		", and nothing else for it."
	switch {
	case other != nil:
		return open(v, other, cmp.Or(someOf(asked, 4), "any "+name), cmp.Or(someOf(asked, 4), "any "+name)+" (others may be accepted too)")
	case !seen.Grants:
		v.status, v.got, v.fix = Unknown, "no statement lets the provider's tokens in", "Correct the principal and the action first."
	case off:
		v.status, v.got = Fail, cmp.Or(someOf(asked, 4), "something else")
	case seen.Outcome == policy.Denied:
		v.status, v.got, v.fix = Unknown, "no statement lets the provider's tokens in", "Correct the other conditions first."
	}
	return v
}

func operatorFor(want string) string {
	if strings.HasSuffix(want, "*") {
		return "StringLike"
	}
	return "StringEquals"
}

// valuesOf are the values that the trust policy compares a key with.
func (j *judging) valuesOf(key string) []string {
	var all []string
	for i := range j.role.Trust.Statements {
		for _, c := range j.role.Trust.Statements[i].Condition {
			if strings.EqualFold(c.Key, key) {
				all = append(all, c.Values...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// noIDInToken says that web identities bring no external ID: a condition on it
// keeps all of them out, which trust-principal says.
func (j *judging) noIDInToken() verdict {
	v := verdict{status: Pass, want: "none", got: "none is required: audience and subject take its place"}
	for i := range j.role.Trust.Statements {
		for _, c := range j.role.Trust.Statements[i].Condition {
			if strings.EqualFold(c.Key, policy.ExternalIDKey) {
				v.status, v.got = Warn, c.Operator+" "+c.Key
				v.fix = "Remove the condition: tokens of an OIDC provider bring no external ID."
			}
		}
	}
	return v
}
