package aws

import (
	"slices"
	"strings"

	"rolecall/policy"
)

// externalID judges what all the vendor's grants together require. One grant
// that lets the vendor in without the external ID undoes all others.
func (j *judging) externalID(f trustFacts) verdict {
	v := verdict{status: Pass, want: orElse(j.want.ExternalID, "the vendor's external ID"), got: f.idsText()}
	v.fix = "On the role's page, Trust relationships, Edit trust policy: set sts:ExternalId under StringEquals to " + v.want + "."
	if len(f.grants) == 0 {
		v.status, v.got, v.fix = Unknown, "no statement lets the vendor in", "Correct the principal and the action first."
		return v
	}
	open := f.accepts("")
	switch {
	case j.want.NoExternalID:
		return noExternalID(f, open)
	case open:
		v.status, v.got = Fail, "none is required"
	case j.want.ExternalID == "":
		v.status = Unknown
		v.fix = "Compare it with the external ID on the vendor's page, or give that with --external-id."
	case !f.accepts(j.want.ExternalID):
		v.status = Fail
	default:
		v.status, v.got = f.others(j.want.ExternalID)
	}
	return v
}

func noExternalID(f trustFacts, open bool) verdict {
	v := verdict{status: Pass, want: "none", got: "none is required"}
	if !open {
		v.status, v.got = Fail, f.idsText()
		v.fix = "The vendor sends no external ID. Remove the condition from the trust policy, or set the same one at the vendor."
	}
	return v
}

// accepts tells whether a caller from the vendor with this external ID gets in
// by some grant; "" is a caller without one.
func (f trustFacts) accepts(id string) bool {
	return slices.ContainsFunc(f.grants, func(g policy.TrustGrant) bool { return g.ExternalID.Accepts(id) })
}

// ids are the external IDs that the vendor's grants name.
func (f trustFacts) ids() []string {
	var all []string
	for _, g := range f.grants {
		for _, c := range g.ExternalID.Conditions {
			all = append(all, c.Values...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (f trustFacts) idsText() string { return orElse(someOf(f.ids(), 4), "none is required") }

// others judges what else is accepted beside the wanted external ID.
func (f trustFacts) others(wanted string) (Status, string) {
	status, got := Pass, wanted
	for _, g := range f.grants {
		if !g.ExternalID.Accepts(wanted) {
			status, got = Warn, f.idsText()
			continue
		}
		switch {
		case !g.ExternalID.Exact && len(wildcards(g.ExternalID.Values)) > 0:
			return Fail, someOf(g.ExternalID.Values, 4) + " (a wildcard accepts others too)"
		case !g.ExternalID.Exact && !strings.HasSuffix(operators(g.ExternalID), "StringLike"):
			status, got = Warn, someOf(g.ExternalID.Values, 4)+" ("+operators(g.ExternalID)+")"
		case len(g.ExternalID.Values) > 1:
			status, got = Warn, someOf(g.ExternalID.Values, 4)
		}
	}
	return status, got
}

func operators(e policy.ExternalID) string {
	var all []string
	for _, c := range e.Conditions {
		all = append(all, c.Operator)
	}
	return strings.Join(all, ", ")
}
