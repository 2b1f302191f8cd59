package aws

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
)

// trustFacts is what a trust policy means for one vendor.
type trustFacts struct {
	trusted   []string            // the vendor's accounts that may assume the role
	missing   []string            // the vendor's accounts that may not
	partial   []string            // principals inside the vendor's accounts, not the whole account
	named     bool                // some Allow names the vendor, for whatever action
	grants    []policy.TrustGrant // those of sts:AssumeRole that name the vendor
	wildcards []string            // actions with wildcards among those grants
	own       []string            // principals of the role's own account
	strangers []string            // everybody else
}

// readTrust sorts a trust policy's principals. accountID is the role's own
// account.
func readTrust(d *policy.Document, want Want, accountID string) trustFacts {
	var f trustFacts
	for i := range d.Statements {
		if d.Statements[i].Effect == policy.Allow {
			f.sortPrincipals(&d.Statements[i], want, accountID)
		}
	}
	for _, g := range d.Trusts() {
		var whole bool
		for _, p := range g.Principals {
			if isVendor(p, want) && p.Whole {
				whole = true
				f.trusted = append(f.trusted, p.AccountID)
			}
		}
		if whole {
			f.grants = append(f.grants, g)
			f.wildcards = append(f.wildcards, wildcards(d.Statements[g.Statement].Action)...)
		}
	}
	for _, id := range want.Principals {
		if !slices.Contains(f.trusted, id) {
			f.missing = append(f.missing, id)
		}
	}
	return f
}

func isVendor(p policy.Principal, want Want) bool {
	samePartition := p.Partition == "" || want.Partition == "" || p.Partition == want.Partition
	return p.AccountID != "" && samePartition && slices.Contains(want.Principals, p.AccountID)
}

func wildcards(actions []string) []string {
	return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return !strings.ContainsAny(a, "*?") })
}

func (f *trustFacts) sortPrincipals(s *policy.Statement, want Want, accountID string) {
	if s.NotPrincipal != nil {
		f.strangers = append(f.strangers, "everyone but a few (NotPrincipal)")
	}
	for kind, values := range s.Principal {
		for _, value := range values {
			f.sortPrincipal(kind, value, want, accountID)
		}
	}
	slices.Sort(f.own)
	slices.Sort(f.strangers)
	f.own, f.strangers = slices.Compact(f.own), slices.Compact(f.strangers)
}

func (f *trustFacts) sortPrincipal(kind, value string, want Want, accountID string) {
	p := policy.ParsePrincipal(value)
	aws := kind == "AWS" || kind == "*"
	switch {
	case aws && isVendor(p, want):
		f.named = true
		if !p.Whole {
			f.partial = append(f.partial, value)
		}
	case p.AccountID == accountID && accountID != "":
		f.own = append(f.own, value)
	default:
		f.strangers = append(f.strangers, value)
	}
}

func (j *judging) trustChecks() {
	vendor := "the vendor's account"
	if len(j.want.Principals) > 0 {
		vendor = "account " + strings.Join(j.want.Principals, " and ")
	}
	if j.role == nil || j.role.Trust == nil {
		v := j.unseen("")
		if j.role != nil {
			v.got, v.fix = "the trust policy cannot be read", "Open the role's page, Trust relationships, and look at it there."
		}
		wants := map[string]string{"trust-principal": vendor, "trust-action": "sts:AssumeRole", "trust-external-id": orElse(j.want.ExternalID, "the vendor's external ID"),
			"trust-extra-principals": "nobody but the vendor"}
		for _, id := range []string{"trust-principal", "trust-action", "trust-external-id", "trust-extra-principals"} {
			v.want = wants[id]
			j.add(id, v)
		}
		return
	}
	arn, _ := SplitARN(j.role.ARN)
	f := readTrust(j.role.Trust, j.want, arn.AccountID)
	j.add("trust-principal", j.principal(f, vendor))
	j.add("trust-action", trustAction(f))
	j.add("trust-external-id", j.externalID(f))
	j.add("trust-extra-principals", extraPrincipals(f))
}

func (j *judging) principal(f trustFacts, vendor string) verdict {
	v := verdict{status: Pass, want: vendor, got: "account " + strings.Join(slices.Compact(f.trusted), " and ")}
	v.fix = "On the role's page, Trust relationships, Edit trust policy: set the principal to " + strings.Join(j.wantedPrincipals(), " and ") + "."
	switch {
	case len(f.missing) > 0 && len(f.partial) > 0:
		v.status, v.got = Fail, "only "+someOf(f.partial, 3)
	case len(f.missing) > 0 && f.named && len(f.trusted) == 0:
		v.got = "named, but not for sts:AssumeRole" // trust-action says the rest
	case len(f.missing) > 0:
		v.status, v.got = Fail, orElse(someOf(append(slices.Clone(f.trusted), append(f.strangers, f.own...)...), 3), "nobody")
	default:
		j.narrowed(f, &v)
	}
	return v
}

func (j *judging) wantedPrincipals() []string {
	var all []string
	for _, id := range j.want.Principals {
		all = append(all, "arn:"+orElse(j.want.Partition, "aws")+":iam::"+id+":root")
	}
	return all
}

// narrowed looks for what may keep a trusted vendor out all the same: further
// conditions and Deny statements.
func (j *judging) narrowed(f trustFacts, v *verdict) {
	for _, g := range f.grants {
		for _, n := range g.Denied {
			status, text := j.denial(n)
			if status == Pass {
				continue
			}
			v.status, v.got = status, text
			v.fix = fmt.Sprintf("On the role's page, Trust relationships, remove statement %d, which denies it.", n+1)
			if status == Fail {
				return
			}
		}
		if len(g.Conditions) > 0 && v.status == Pass {
			v.status, v.got = Unknown, "trusted only under further conditions: "+someOf(conditionKeys(g.Conditions), 4)
			v.fix = "rolecall cannot tell whether the vendor meets them. Remove them from the trust policy, or ask the vendor."
		}
	}
}

func conditionKeys(all []policy.Condition) []string {
	var keys []string
	for _, c := range all {
		keys = append(keys, c.Operator+" "+c.Key)
	}
	return keys
}

// denial judges a Deny statement that names the vendor: Fail when it hits a
// caller with the wanted external ID, Pass when it cannot, else Unknown.
func (j *judging) denial(statement int) (Status, string) {
	s := j.role.Trust.Statements[statement]
	var id policy.ExternalID
	for _, c := range s.Condition {
		if !strings.EqualFold(c.Key, "sts:ExternalId") {
			return Unknown, fmt.Sprintf("statement %d may deny it", statement+1)
		}
		id.Conditions = append(id.Conditions, c)
	}
	switch {
	case len(s.Condition) > 0 && !id.Accepts(j.want.ExternalID):
		return Pass, ""
	case s.NotPrincipal != nil:
		return Unknown, fmt.Sprintf("statement %d may deny it", statement+1)
	}
	return Fail, fmt.Sprintf("statement %d denies it", statement+1)
}

func trustAction(f trustFacts) verdict {
	v := verdict{status: Pass, want: "sts:AssumeRole", got: "sts:AssumeRole",
		fix: "On the role's page, Trust relationships, Edit trust policy: set the action to sts:AssumeRole."}
	switch {
	case !f.named:
		v.status, v.got, v.fix = Unknown, "no statement trusts the vendor", "Correct the principal first."
	case len(f.grants) == 0 && len(f.partial) == 0:
		v.status, v.got = Fail, "another action"
	case len(f.wildcards) > 0:
		v.status, v.got = Warn, someOf(f.wildcards, 3)
	}
	return v
}

func extraPrincipals(f trustFacts) verdict {
	v := verdict{status: Pass, want: "nobody but the vendor", got: "nobody else",
		fix: "On the role's page, Trust relationships, Edit trust policy: remove the other principals."}
	switch {
	case len(f.strangers) > 0:
		v.status, v.got = Fail, someOf(f.strangers, 4)
	case len(f.own) > 0:
		v.status, v.got = Warn, someOf(f.own, 4)+" (this account)"
	}
	return v
}
