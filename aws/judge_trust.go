package aws

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
)

// trustFacts is what a trust policy means for one vendor: who gets in, as the
// evaluator says, and how the document puts it, for the texts.
type trustFacts struct {
	verdict   policy.Verdict
	named     bool     // some Allow names the vendor, for whatever action
	grants    bool     // some Allow of sts:AssumeRole does
	actions   []string // that lead to it otherwise than by its name: wildcards, NotAction
	partial   []string // principals inside the vendor's accounts that may assume the role
	listed    []string // everybody whom an Allow names
	ids       []string // external IDs that the vendor's grants name
	asked     []string // further conditions of the vendor's grants
	own       string   // the role's account
	sealed    bool     // each Allow asks for an external ID that nobody knows
	unknownID bool     // which external ID the vendor sends is not known
}

// readTrust asks who gets in by a trust policy. accountID is the role's own
// account.
func readTrust(d *policy.Document, want Want, accountID string, seen Seen) trustFacts {
	f := trustFacts{own: accountID, unknownID: want.ExternalID == "" && !want.NoExternalID}
	f.verdict = d.Inquire(policy.Inquiry{Partition: want.Partition, Account: accountID, Vendor: want.Principals,
		ExternalID: want.ExternalID, NoExternalID: want.NoExternalID, Now: seen.Now, Organization: want.Organization,
		Members: want.Members, Web: want.Web})
	f.sealed = len(d.Statements) > 0
	for i := range d.Statements {
		if d.Statements[i].Effect == policy.Allow {
			f.sealed = f.sealed && sealed(&d.Statements[i])
			f.read(&d.Statements[i], want)
		}
	}
	for _, list := range []*[]string{&f.actions, &f.partial, &f.listed, &f.ids, &f.asked} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return f
}

// read notes how an Allow names the vendor.
func (f *trustFacts) read(s *policy.Statement, want Want) {
	assumes := s.Covers(policy.AssumeRole)
	var vendor bool
	for kind, values := range s.Principal {
		for _, value := range values {
			f.listed = append(f.listed, value)
			p := policy.ParsePrincipal(value)
			if kind != "AWS" || !isVendor(p, want) {
				vendor = vendor || assumes && kind != "Service" && p.Anyone
				continue
			}
			vendor, f.named = true, true
			if assumes && !p.Whole && !slices.Contains(want.Principals, value) {
				f.partial = append(f.partial, value)
			}
		}
	}
	if !vendor || !assumes {
		return
	}
	f.grants = true
	f.actions = append(f.actions, indirect(s)...)
	for i := range s.Condition {
		c := &s.Condition[i]
		operator, _, _ := c.Base()
		switch {
		case !strings.EqualFold(c.Key, policy.ExternalIDKey):
			f.asked = append(f.asked, c.Operator+" "+c.Key)
		case operator != "Null": // whose values are yes and no
			f.ids = append(f.ids, c.Values...)
		}
	}
}

// sealed tells whether a statement asks for nothing but an external ID that
// nobody knows.
func sealed(s *policy.Statement) bool {
	return slices.ContainsFunc(s.Condition, func(c policy.Condition) bool {
		return c.Operator == "StringEquals" && strings.EqualFold(c.Key, policy.ExternalIDKey) && len(c.Values) == 1 &&
			strings.HasPrefix(c.Values[0], ClosedPrefix)
	})
}

func isVendor(p policy.Principal, want Want) bool {
	samePartition := p.Partition == "" || want.Partition == "" || p.Partition == want.Partition
	return p.AccountID != "" && samePartition && slices.ContainsFunc(want.Principals, func(who string) bool {
		return who == p.Value || who == p.AccountID || p.Whole && policy.ParsePrincipal(who).AccountID == p.AccountID
	})
}

// Principals names who is trusted in one phrase: "account 111122223333", or an
// ARN.
func Principals(principals []string) string {
	var accounts, all []string
	for _, who := range principals {
		if strings.HasPrefix(who, "arn:") {
			all = append(all, who)
		} else {
			accounts = append(accounts, who)
		}
	}
	if len(accounts) > 0 {
		all = append([]string{"account " + strings.Join(accounts, " and ")}, all...)
	}
	return strings.Join(all, " and ")
}

// indirect are the entries by which a statement covers sts:AssumeRole without
// naming it.
func indirect(s *policy.Statement) []string {
	if len(s.NotAction) > 0 {
		return []string{"all but " + strings.Join(s.NotAction, ", ")}
	}
	return slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return !strings.ContainsAny(a, "*?") })
}

// enters reports whether the vendor may get in by its own external ID.
func (f *trustFacts) enters() bool {
	return slices.ContainsFunc(f.verdict.Vendor, func(e policy.Entry) bool { return e.OwnID && e.Outcome != policy.Denied })
}

// shut reports whether nobody of the vendor gets in, whatever the external ID.
func (f *trustFacts) shut() bool {
	return !slices.ContainsFunc(f.verdict.Vendor, func(e policy.Entry) bool { return e.Outcome != policy.Denied })
}

// trustChecks adds the four checks of the trust policy.
func (j *judging) trustChecks() {
	vendor := "the vendor's account"
	if len(j.want.Principals) > 0 {
		vendor = Principals(j.want.Principals)
	}
	if j.role == nil || j.role.Trust == nil {
		j.trustUnseen(vendor)
		return
	}
	arn, _ := SplitARN(j.role.ARN)
	own := cmp.Or(arn.AccountID, j.want.AccountID)
	f := readTrust(j.role.Trust, j.want, own, j.seen)
	if f.closed() && !strings.HasPrefix(j.want.ExternalID, ClosedPrefix) {
		j.trustClosed(vendor)
		return
	}
	j.add("trust-principal", j.principal(&f, vendor))
	j.add("trust-action", trustAction(&f))
	j.add("trust-external-id", j.externalID(&f))
	extra := extraPrincipals(&f)
	if own == "" && extra.status == Fail && j.perhapsOwn(&f) {
		extra.status, extra.got = Unknown, extra.got+", unless that is the role's own account"
		extra.fix = "Say which account the role is in: --aws-account."
	}
	j.add("trust-extra-principals", extra)
}

// ClosedPrefix begins the external IDs, known to nobody, of roles that are made
// before their vendor tells whom to trust.
const ClosedPrefix = "rolecall-closed-"

// closed reports whether the role was made so that nobody gets in yet: it trusts
// its own account alone, under an external ID that nobody knows.
func (f *trustFacts) closed() bool {
	return f.sealed && len(f.verdict.Strangers) == 0 && len(f.verdict.Gone) == 0
}

// trustClosed says of a role that waits for its second phase that it is closed.
func (j *judging) trustClosed(vendor string) {
	v := verdict{status: Fail, want: vendor, got: "nobody: the role is closed until the vendor's values are in its trust policy",
		fix: "Go on with the session that made it (rolecall resume): it takes what the vendor shows, and completes the trust policy."}
	j.add("trust-principal", v)
	v.want, v.got = "sts:AssumeRole", "nobody of the vendor gets in yet"
	j.add("trust-action", v)
	v.want, v.got = cmp.Or(j.want.ExternalID, "the vendor's external ID"), "one that nobody knows, until the vendor shows its own"
	j.add("trust-external-id", v)
	j.add("trust-extra-principals", verdict{status: Pass, want: "nobody but the vendor", got: "nobody else"})
}

// perhapsOwn tells whether everybody who gets in beside the vendor may be of
// the role's own account, which nobody told.
func (j *judging) perhapsOwn(f *trustFacts) bool {
	return slices.ContainsFunc(f.verdict.Strangers, func(a policy.Admission) bool {
		own := policy.ParsePrincipal(a.Who).AccountID
		if own == "" {
			return false
		}
		as := readTrust(j.role.Trust, j.want, own, j.seen)
		return len(as.verdict.Strangers) == 0
	})
}

func (j *judging) trustUnseen(vendor string) {
	j.trustUnseenIn(map[string]string{
		"trust-principal":        vendor,
		"trust-action":           "sts:AssumeRole",
		"trust-external-id":      cmp.Or(j.want.ExternalID, "the vendor's external ID"),
		"trust-extra-principals": "nobody but the vendor",
	}, []string{"trust-principal", "trust-action", "trust-external-id", "trust-extra-principals"})
}

// trustUnseenIn are checks of a trust policy that nobody saw, with what is wanted
// by each.
func (j *judging) trustUnseenIn(wants map[string]string, ids []string) {
	v := j.unseen("")
	if j.role != nil && (j.role.TrustText != "" || len(j.seen.Missing) == 0) {
		v.missing, v.got, v.fix = nil, "the trust policy cannot be read", "Open the role's page, Trust relationships, and look at it there."
	}
	for _, id := range ids {
		v.want = wants[id]
		j.add(id, v)
	}
}

// principal judges whether the vendor's accounts get in, always.
func (j *judging) principal(f *trustFacts, vendor string) verdict {
	v := verdict{status: Pass, want: vendor, fix: j.setPrincipal()}
	var in []string
	missing := ""
	for i := range f.verdict.Vendor {
		e := &f.verdict.Vendor[i]
		switch {
		case e.Outcome == policy.Allowed:
			in = append(in, e.Account)
		case !e.Named && !e.Whole:
			missing = e.Account
		default:
			return j.keptOut(f, e, v)
		}
	}
	v.got = Principals(in)
	switch {
	case len(j.want.Principals) == 0:
		v.status, v.got = Unknown, cmp.Or(someOf(f.listed, 3), "nobody")
		v.fix = "Say whom the vendor's console tells you to trust: --trusted-account."
	case missing != "" && f.named && len(in) == 0:
		v.got = "named, but not for sts:AssumeRole" // trust-action says the rest
	case missing != "":
		v.status, v.got = Fail, cmp.Or(someOf(f.listed, 3), "nobody")
		v.request = "Nobody of " + Principals([]string{missing}) + " gets in."
	default:
		ends(f, &v)
	}
	return v
}

// ends warns of a date after which the vendor is kept out.
func ends(f *trustFacts, v *verdict) {
	for _, e := range f.verdict.Vendor {
		if e.Until != "" && e.Outcome == policy.Allowed {
			v.status, v.got = Warn, v.got+", until before "+e.Until
			v.fix = "On the role's page, Trust relationships, take out the date, or note when it has to be renewed."
		}
	}
}

func (j *judging) setPrincipal() string {
	var all []string
	for _, who := range j.want.Principals {
		all = append(all, policy.PrincipalARN(cmp.Or(j.want.Partition, "aws"), who))
	}
	return "On the role's page, Trust relationships, Edit trust policy: set the principal to " + strings.Join(all, " and ") + "."
}

// keptOut says why an account that some Allow names does not get in always.
func (j *judging) keptOut(f *trustFacts, e *policy.Entry, v verdict) verdict {
	if e.Out != nil {
		v.request = e.Out.String() + " does not get in."
	}
	switch {
	case e.Statement >= 0 && j.denies(e.Statement):
		v.status, v.got = Unknown, fmt.Sprintf("statement %d may deny it", e.Statement+1)
		if e.Outcome == policy.Denied {
			v.status, v.got = Fail, fmt.Sprintf("statement %d denies it", e.Statement+1)
		}
		v.fix = fmt.Sprintf("On the role's page, Trust relationships, remove statement %d, which denies it.", e.Statement+1)
	case !e.Whole:
		v.status, v.got = Fail, "only "+cmp.Or(someOf(f.partial, 3), someOf(f.listed, 3))
	case e.Outcome == policy.Denied:
		v.status, v.got = Fail, "trusted only under conditions that it does not meet: "+someOf(f.asked, 4)
		v.fix = "Remove them from the trust policy, on the role's page under Trust relationships."
	default:
		v.status, v.got = Unknown, "trusted only under further conditions: "+cmp.Or(someOf(f.asked, 4), e.Key)
		v.fix = "rolecall cannot tell whether the vendor meets them. Remove them from the trust policy, or ask the vendor."
		if e.Key != "" {
			v.request = strings.TrimSpace(v.request + " It depends on " + e.Key + ".")
		}
	}
	return v
}

func (j *judging) denies(statement int) bool {
	all := j.role.Trust.Statements
	return statement < len(all) && all[statement].Effect == policy.Deny
}

func trustAction(f *trustFacts) verdict {
	v := verdict{status: Pass, want: "sts:AssumeRole", got: "sts:AssumeRole",
		fix: "On the role's page, Trust relationships, Edit trust policy: set the action to sts:AssumeRole."}
	switch {
	case !f.named && f.shut():
		v.status, v.got, v.fix = Unknown, "no statement trusts the vendor", "Correct the principal first."
	case !f.grants:
		v.status, v.got = Fail, "another action"
	case len(f.actions) > 0:
		v.status, v.got = Warn, someOf(f.actions, 3)
	}
	return v
}

// extraPrincipals judges who gets in beside the vendor.
func extraPrincipals(f *trustFacts) verdict {
	v := verdict{status: Pass, want: "nobody but the vendor", got: "nobody else",
		fix: "On the role's page, Trust relationships, Edit trust policy: remove the other principals."}
	certain := slices.DeleteFunc(slices.Clone(f.verdict.Strangers), func(a policy.Admission) bool { return a.Request == nil })
	switch {
	case len(certain) > 0:
		v.status, v.got, v.request = Fail, someOf(names(certain), 4), gotIn(&certain[0])
	case len(f.verdict.Strangers) > 0:
		first := f.verdict.Strangers[0]
		v.status, v.got = Unknown, "perhaps "+someOf(names(f.verdict.Strangers), 4)
		v.request = gotIn(&first)
	case len(f.verdict.Own) > 0:
		v.status, v.got, v.request = Warn, someOf(names(f.verdict.Own), 4)+f.whose(), gotIn(&f.verdict.Own[0])
	case len(f.verdict.Gone) > 0:
		v.status, v.got = Warn, someOf(f.verdict.Gone, 4)+" (a deleted principal, which lets nobody in)"
	}
	return v
}

// whose says of which account those are that are no strangers.
func (f *trustFacts) whose() string {
	if slices.ContainsFunc(f.verdict.Own, func(a policy.Admission) bool { return policy.ParsePrincipal(a.Who).AccountID != f.own }) {
		return " (this organization)"
	}
	return " (this account)"
}

func names(all []policy.Admission) []string {
	var out []string
	for _, a := range all {
		out = append(out, a.Who)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// gotIn says which request is let in.
func gotIn(a *policy.Admission) string {
	if a.Request == nil {
		return "It depends on " + a.Key + ", which rolecall cannot tell."
	}
	return fmt.Sprintf("%s gets in by statement %d.", a.Request, a.Statement+1)
}
