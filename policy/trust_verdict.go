package policy

import (
	"slices"
	"strings"
	"time"
)

// Inquiry is what is asked of a role's trust policy on behalf of a vendor.
type Inquiry struct {
	Partition    string   // the role's; "" for any that the document names
	Account      string   // the role's own
	Vendor       []string // who has to get in: accounts as a whole, and users and roles by their ARNs
	ExternalID   string   // the one they send; "" where it is not known, or none is sent
	NoExternalID bool     // they send none
	Now          time.Time
	// Organization is the ID of the role's organisation and Members are the
	// accounts of it beside the role's own, as far as they are known. Then
	// everybody else is asked about as somebody outside of it. Empty: whose
	// organisation a caller is of stays open.
	Organization string
	Members      []string
	// Web is whom the role trusts by web identity; nil: nobody. Vendor is empty then.
	Web *WebIdentity
	// Sure adds what is certain beside of every request of the vendor; nil:
	// nothing is.
	Sure func(Request) Request
}

// Verdict is who gets in by a trust policy. It rests on requests alone: one of
// every kind that the document can tell apart was put to it.
type Verdict struct {
	Vendor []Entry // one for each of the vendor's principals, in their order
	// Web is who of the wanted OIDC provider gets in; nil where none is wanted.
	Web *WebVerdict
	// Without is a request of the vendor without an external ID that gets in,
	// Loose one with an ID that the document does not name. Nil for none, and
	// where the vendor sends no external ID.
	Without, Loose *Admission
	// OtherIDs are the IDs beside the vendor's that the document names and that
	// let the vendor in, Other a request with one of them: each is another customer
	// of the vendor.
	OtherIDs []string
	Other    *Admission
	// Strangers are principals of other accounts, services and federations that
	// get in; Own are those of the role's own account and of the members.
	Strangers, Own []Admission
	// Gone are the unique IDs of deleted principals, which let nobody in.
	Gone []string
}

// Entry is whether one principal of the vendor gets in with its external ID,
// or, where that is not accepted, with the one that is.
type Entry struct {
	Account string // its number, or the ARN of a user or role
	// Outcome is Allowed only where every user and role of the account gets in,
	// whatever the keys hold that are not certain.
	Outcome Outcome
	Key     string // Depends: the key that decides
	// Named is true where some Allow of sts:AssumeRole names the account or a
	// principal of it, Whole where one names all of what has to get in.
	Named, Whole bool
	ExternalID   string
	OwnID        bool     // it is the vendor's, or the vendor's is not known
	In, Out      *Request // examples, nil for none
	Statement    int      // of the Deny that keeps Out out, -1 where no Allow lets it in
	Until        string   // the moment when it ends, "" for not within ten years
}

// Admission is somebody who gets in.
type Admission struct {
	Who       string   // as the document names it
	Request   *Request // that gets in; nil where it could not be told that none does
	Statement int      // that lets it in
	Key       string   // that decides, "" for none
}

// Right reports whether the trust policy is what the vendor needs and nothing
// more: the vendor gets in, always, with its external ID and no other, and
// nobody else does save principals of the role's own account.
func (v *Verdict) Right() bool {
	return v.Enters() && !v.Door() && len(v.OtherIDs) == 0
}

// Enters reports whether every account of the vendor gets in, always.
func (v *Verdict) Enters() bool {
	return (v.Web == nil || v.Web.Enters()) &&
		!slices.ContainsFunc(v.Vendor, func(e Entry) bool { return e.Outcome != Allowed || !e.OwnID })
}

// Door reports whether somebody gets in who should not: the vendor without its
// external ID, or with any, or a stranger.
func (v *Verdict) Door() bool {
	return v.Without != nil || v.Loose != nil || len(v.Strangers) > 0 || v.Web != nil && (v.Web.Audience != nil || v.Web.Subject != nil)
}

// Inquire asks who gets in.
func (d *Document) Inquire(q Inquiry) Verdict {
	var v Verdict
	partitions := d.partitions(q.Partition)
	var all []callerKind
	complete := true
	for _, partition := range partitions {
		callers, whole := d.callers(partition, slices.Concat(q.Vendor, d.named(q.Members), []string{q.Account}))
		all, complete = append(all, callers...), complete && whole
	}
	slices.SortStableFunc(all, func(a, b callerKind) int { return strings.Compare(rank(a), rank(b)) })
	i := &inquest{d: d, q: q, callers: all, verdict: &v, memo: map[string]found{}}
	for _, account := range q.Vendor {
		v.Vendor = append(v.Vendor, i.entry(account))
	}
	if q.Web != nil {
		v.Web = i.web(*q.Web)
	}
	i.doors()
	i.others()
	if !complete {
		v.Strangers = append(v.Strangers, Admission{Who: "principals that could not all be tried", Statement: -1, Key: "aws:PrincipalArn"})
	}
	v.Gone = d.gone()
	return v
}

// named are those of some accounts that the document names: the others are like
// anybody's.
func (d *Document) named(accounts []string) []string {
	if len(accounts) == 0 {
		return nil
	}
	all := d.Accounts()
	return slices.DeleteFunc(slices.Clone(accounts), func(id string) bool { return !slices.Contains(all, id) })
}

// rank puts roles first: they are who calls as a rule, so they make the better
// example.
func rank(c callerKind) string {
	switch c.Type() {
	case "AssumedRole":
		return "a"
	case "User":
		return "b"
	}
	return "c"
}

// partitions are the role's own, and others that principals are named in.
func (d *Document) partitions(own string) []string {
	var out []string
	if own != "" {
		out = append(out, own)
	}
	for i := range d.Statements {
		for _, p := range awsPrincipals(d.Statements[i].Principal) {
			if p.Partition != "" && !slices.Contains(out, p.Partition) {
				out = append(out, p.Partition)
			}
		}
	}
	if len(out) == 0 {
		out = append(out, "aws")
	}
	return out
}

// inquest is one run of Inquire.
type inquest struct {
	d       *Document
	q       Inquiry
	callers []callerKind
	memo    map[string]found
	verdict *Verdict
}

// isVendor reports whether a caller is of one of the vendor's accounts, in the
// role's partition, or the user or role that the vendor calls as.
func (i *inquest) isVendor(c Caller) bool {
	p := ParsePrincipal(c.ARN)
	return (i.q.Partition == "" || p.Partition == i.q.Partition) &&
		slices.ContainsFunc(i.q.Vendor, func(who string) bool { return isOf(c, who) })
}

// isOf tells whether a caller is who a vendor's principal means: anybody of an
// account, or one user or role.
func isOf(c Caller, who string) bool { return c.ARN == who || c.AccountID() == who }

// request is a call of sts:AssumeRole of which nothing is known but who calls.
// What is true of the one caller's name and account must not be taken as true
// of all of its kind.
func (i *inquest) request(c callerKind) Request {
	r := NewRequest(AssumeRole, c.Caller, i.q.Now).Open()
	r.memo = i.memo
	account := c.AccountID()
	known := c.single || account == i.q.Account ||
		slices.ContainsFunc(i.q.Vendor, func(who string) bool { return ParsePrincipal(who).AccountID == account })
	r = r.set("aws:principalarn", setting{values: []string{c.ARN}, example: !c.single}).
		set("aws:principalaccount", setting{values: []string{account}, example: !known}).
		set("aws:username", setting{open: c.Type() == "User"})
	if i.q.Account != "" {
		r = r.With("aws:ResourceAccount", i.q.Account)
	}
	r = i.membership(r, account)
	if i.q.Sure != nil && i.isVendor(c.Caller) {
		r = i.q.Sure(r)
	}
	return r
}

// membership says of which organisation a caller is: nobody is of two.
func (i *inquest) membership(r Request, account string) Request {
	switch {
	case i.q.Organization == "":
		return r
	case i.isOwn(account):
		return r.With("aws:PrincipalOrgID", i.q.Organization)
	}
	return r.Without("aws:PrincipalOrgID", Texts{Values: []string{i.q.Organization}, Fold: true, Optional: true}).
		Without("aws:PrincipalOrgPaths", Texts{Prefixes: []string{i.q.Organization + "/"}, Fold: true, Optional: true})
}

// isOwn tells whether an account is the role's own, or a member beside it.
func (i *inquest) isOwn(account string) bool {
	return account != "" && (account == i.q.Account || slices.Contains(i.q.Members, account))
}

// later leaves the time open, from now on.
func later(r Request) Request { return r.Unknown("aws:CurrentTime", "aws:EpochTime") }

// entry judges one principal of the vendor.
func (i *inquest) entry(who string) Entry {
	e := Entry{Account: who, Statement: -1}
	e.Named, e.Whole = i.d.names(ParsePrincipal(who), i.q.Partition)
	var callers []callerKind
	for _, c := range i.callers {
		if i.isVendor(c.Caller) && isOf(c.Caller, who) && (c.Type() == "User" || c.Type() == "AssumedRole") {
			callers = append(callers, c)
		}
	}
	for _, id := range i.ids(callers) {
		try := e
		try.ExternalID = id
		try.OwnID = id == i.q.ExternalID && (id != "" || i.q.NoExternalID) || i.q.ExternalID == "" && !i.q.NoExternalID
		i.enter(&try, callers)
		if try.Outcome != Denied {
			return try
		}
		if e.Out == nil {
			e = try
		}
	}
	return e
}

// ids are the external IDs to try, the wanted one first. "" is none.
func (i *inquest) ids(callers []callerKind) []string {
	var out []string
	if i.q.ExternalID != "" || i.q.NoExternalID {
		out = append(out, i.q.ExternalID)
	}
	if len(callers) == 0 {
		return out
	}
	r := i.request(callers[0])
	for _, single := range [...]bool{true, false} {
		for _, c := range i.d.choices(strings.ToLower(ExternalIDKey), &r) {
			if c.single != single || c.sealed {
				continue
			}
			id := strings.Join(c.values, "")
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// enter asks whether all callers get in with an external ID.
func (i *inquest) enter(e *Entry, callers []callerKind) {
	kept := false
	for _, c := range callers {
		r := i.request(c).WithExternalID(e.ExternalID).With("aws:ViaAWSService", "false").
			With("aws:CalledVia").With("aws:CalledViaFirst").With("aws:CalledViaLast")
		a := i.d.Ask(r)
		if a.Allowed != nil && e.In == nil {
			e.In = a.Allowed
		}
		if a.Possible() && e.Outcome == Denied {
			e.Outcome = Allowed
		}
		if a.Outcome != Allowed {
			kept = true
			if e.Out == nil || e.Key == "" && a.Key != "" {
				e.Out, e.Key, e.Statement = a.Denied, a.Key, a.Statement
			}
			continue
		}
		if b := i.d.Ask(later(r)); b.Outcome != Allowed && b.Denied != nil {
			e.Until = earlier(e.Until, moment(b.Denied))
		}
	}
	if kept && e.Outcome == Allowed {
		e.Outcome = Depends
	}
}

// moment is the time of a request.
func moment(r *Request) string {
	for _, key := range [...]string{"aws:CurrentTime", "aws:EpochTime"} {
		if s := r.get(strings.ToLower(key)); s.tried && len(s.values) > 0 {
			if at, ok := parseDate(s.values[0]); ok {
				return formatDate(at)
			}
		}
	}
	return ""
}

func earlier(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// doors asks whether the vendor gets in without its external ID.
func (i *inquest) doors() {
	v := i.verdict
	for _, c := range i.callers {
		if i.q.NoExternalID || !i.isVendor(c.Caller) { // an ID that nobody asks for does not matter
			continue
		}
		r := later(i.request(c))
		for _, id := range i.d.choices(strings.ToLower(ExternalIDKey), &r, i.q.ExternalID) {
			i.door(r, c.Caller, id)
		}
	}
	slices.Sort(v.OtherIDs)
	v.OtherIDs = slices.Compact(v.OtherIDs)
}

// door asks about one kind of external ID.
func (i *inquest) door(r Request, c Caller, id choice) {
	v := i.verdict
	given := strings.Join(id.values, "")
	if !id.sealed && given == i.q.ExternalID && (given != "" || i.q.NoExternalID) {
		return
	}
	a := i.d.Ask(r.choose(ExternalIDKey, id))
	if !a.Possible() {
		return
	}
	found := i.admission(c, a)
	switch {
	case !id.sealed && len(id.values) == 0:
		v.Without = firstOf(v.Without, found)
	case id.single:
		v.OtherIDs, v.Other = append(v.OtherIDs, given), firstOf(v.Other, found)
	default:
		v.Loose = firstOf(v.Loose, found)
	}
}

// firstOf keeps the first admission, a certain one before others.
func firstOf(have *Admission, found Admission) *Admission {
	if have == nil || have.Request == nil && found.Request != nil {
		return &found
	}
	return have
}

func (i *inquest) admission(c Caller, a Answer) Admission {
	out := Admission{Request: a.Allowed, Statement: a.Statement, Key: a.Key, Who: c.String()}
	if s := out.Statement; s >= 0 && s < len(i.d.Statements) {
		out.Who = i.d.Statements[s].principalOf(c)
	}
	return out
}

// principalOf is the principal by which a statement names a caller.
func (s *Statement) principalOf(c Caller) string {
	if s.NotPrincipal != nil {
		return "everyone but a few (NotPrincipal)"
	}
	for _, v := range append(wholeAccount(c.ARN), c.ARN, c.Session) {
		if v != "" && slices.Contains(s.Principal["AWS"], v) {
			return v
		}
	}
	if c.ARN != "" && s.Principal.Anyone() {
		return "*"
	}
	return c.String()
}

// others asks everybody else.
func (i *inquest) others() {
	for _, c := range i.callers {
		if !i.isVendor(c.Caller) {
			i.other(later(i.request(c)), i.isOwn(c.AccountID()))
		}
	}
	for n := range i.d.Statements {
		s := &i.d.Statements[n]
		if s.Effect != Allow {
			continue
		}
		services, providers := s.Principal["Service"], s.Principal["Federated"]
		if s.NotPrincipal != nil || len(s.Principal["*"]) > 0 {
			services, providers = append(slices.Clone(services), "any service"), append(slices.Clone(providers), "any identity provider")
		}
		for _, service := range services {
			i.other(later(NewRequest(AssumeRole, Caller{Service: service}, i.q.Now).Open()), false)
		}
		for _, provider := range providers {
			if i.q.Web != nil && provider == i.q.Web.Provider() {
				continue // asked already
			}
			for _, action := range [...]string{AssumeRoleWithSAML, AssumeRoleWithWebIdentity} {
				i.other(later(NewRequest(action, Caller{Provider: provider}, i.q.Now).Open()), false)
			}
		}
		if s.Covers(AssumeRole) {
			for _, user := range s.Principal["CanonicalUser"] {
				i.verdict.Strangers = admit(i.verdict.Strangers, Admission{Who: user, Statement: n})
			}
		}
	}
}

func (i *inquest) other(r Request, own bool) {
	a := i.d.Ask(r)
	if !a.Possible() {
		return
	}
	found := i.admission(r.Caller, a)
	if own {
		i.verdict.Own = admit(i.verdict.Own, found)
	} else {
		i.verdict.Strangers = admit(i.verdict.Strangers, found)
	}
}

// admit adds a principal once.
func admit(all []Admission, found Admission) []Admission {
	for i := range all {
		if all[i].Who == found.Who {
			if all[i].Request == nil {
				all[i] = found
			}
			return all
		}
	}
	return append(all, found)
}

// names reports whether an Allow of sts:AssumeRole names the account of a
// principal or somebody of it, and whether one names all that the principal
// means.
func (d *Document) names(who Principal, partition string) (some, whole bool) {
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != Allow || !s.Covers(AssumeRole) {
			continue
		}
		for _, p := range awsPrincipals(s.Principal) {
			samePartition := p.Partition == "" || partition == "" || p.Partition == partition
			if p.AccountID == who.AccountID && samePartition {
				some, whole = true, whole || p.Whole || p.Value == who.Value
			}
			if p.Anyone {
				whole = true
			}
		}
	}
	return some, whole
}

// gone are the unique IDs that an Allow of sts:AssumeRole names.
func (d *Document) gone() []string {
	var out []string
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != Allow || !s.Covers(AssumeRole) {
			continue
		}
		for _, p := range awsPrincipals(s.Principal) {
			if p.AccountID == "" && !p.Anyone && !slices.Contains(out, p.Value) {
				out = append(out, p.Value)
			}
		}
	}
	return out
}
