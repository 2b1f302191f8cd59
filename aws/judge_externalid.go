package aws

import (
	"cmp"
	"slices"

	"rolecall/policy"
)

// externalID judges whether the vendor gets in with its external ID, and with
// nothing else. One way in without it undoes all others.
func (j *judging) externalID(f *trustFacts) verdict {
	v := verdict{status: Pass, want: cmp.Or(j.want.ExternalID, "the vendor's external ID"), got: cmp.Or(someOf(f.ids, 4), "none is required")}
	v.fix = "On the role's page, Trust relationships, Edit trust policy: set sts:ExternalId under StringEquals to " + v.want + "."
	seen := &f.verdict
	switch {
	case j.want.NoExternalID && !f.shut():
		return noExternalID(f, v)
	case seen.Without != nil:
		return open(v, seen.Without, "none is required", "none may be required")
	case seen.Loose != nil:
		return open(v, seen.Loose, loose(seen.Loose, f.ids), someOf(f.ids, 4)+" (others may be accepted too)")
	case f.shut():
		v.status, v.got, v.fix = Unknown, "no statement lets the vendor in", "Correct the principal and the action first."
	case f.unknownID:
		v.status = Unknown
		v.fix = "Compare it with the external ID on the vendor's page, or give that with --external-id."
	case !f.enters():
		v.status, v.request = Fail, outOf(seen.Vendor)
	case len(seen.OtherIDs) > 0:
		all := someOf(append([]string{j.want.ExternalID}, seen.OtherIDs...), 4)
		return open(v, seen.Other, all, all+" (perhaps)")
	default:
		v.got = j.want.ExternalID
	}
	return v
}

// open is a way in that should not be.
func open(v verdict, a *policy.Admission, certain, perhaps string) verdict {
	v.status, v.got, v.request = Fail, certain, gotIn(a)
	if a.Request == nil {
		v.status, v.got = Unknown, perhaps
	}
	return v
}

// loose names an external ID that should not be accepted and is.
func loose(a *policy.Admission, ids []string) string {
	if a.Request == nil {
		return ""
	}
	if len(ids) == 0 {
		return "any is accepted, such as " + a.Request.ExternalID()
	}
	return someOf(ids, 4) + " (others are accepted too, such as " + a.Request.ExternalID() + ")"
}

func outOf(entries []policy.Entry) string {
	i := slices.IndexFunc(entries, func(e policy.Entry) bool { return e.Out != nil })
	if i < 0 {
		return ""
	}
	return entries[i].Out.String() + " does not get in."
}

func noExternalID(f *trustFacts, v verdict) verdict {
	v.want = "none"
	if f.enters() {
		v.got = "none is required"
		return v
	}
	v.status, v.request = Fail, outOf(f.verdict.Vendor)
	v.fix = "The vendor sends no external ID. Remove the condition from the trust policy, or set the same one at the vendor."
	return v
}
