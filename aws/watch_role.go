package aws

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rolecall/policy"
)

// candidatesPerRound bounds how many matching roles one round reads in full.
const candidatesPerRound = 3

// RoleSighting is a role that has to do with the vendor, with its verdict.
type RoleSighting struct {
	Role        Role
	Report      Report
	ExternalIDs []string // what the trust policy names for the vendor
}

// Miss is the check that says why a near miss does not let the vendor in.
func (s RoleSighting) Miss() Check {
	for _, status := range [...]Status{Fail, Unknown} {
		for _, id := range [...]string{"trust-external-id", "trust-subject", "trust-audience", "trust-principal", "trust-action"} {
			if c, ok := s.Report.Check(id); ok && c.Status == status {
				return c
			}
		}
	}
	return Check{}
}

// RoleWatch finds roles as they appear, by what they trust. Its methods are
// not safe for concurrent use: a step has one Fetch running at a time.
type RoleWatch struct {
	watch
	want     Want
	observer observer
	arrived  bool
	marker   *string
	listed   map[string]bool       // names of the listing under way
	known    map[string]*knownRole // by name
	unlisted int                   // rounds since the last listing
}

// knownRole is what is kept of a role between rounds.
type knownRole struct {
	id, trust string // to see whether it changed
	role      Role
	standing  standing
	seen      Seen
	complete  bool // seen holds its policies
	boundary  bool // role.Boundary is known
}

// standing is what a role's trust policy means for the vendor.
type standing int

const (
	unrelated standing = iota // does not name the vendor
	named                     // has the wanted name but does not let the vendor in
	nearMiss                  // names the vendor, but its external ID or action is wrong
	match                     // lets the vendor in under the external ID
)

// WatchRole begins to look for a role that trusts want.Principals under
// want.ExternalID. It sends nothing before the first Fetch.
func (a *Account) WatchRole(want Want) *RoleWatch {
	w := &RoleWatch{watch: watch{account: a}, want: want, listed: map[string]bool{}, known: map[string]*knownRole{}}
	w.observer = observer{account: a, opts: []func(*iam.Options){w.watched}, web: want.Web}
	return w
}

// Fetch does one round of at most five list requests and what it takes to read
// the matching roles. It returns as PolicyWatch.Fetch does; done means that a
// role is there whose report is OK.
func (w *RoleWatch) Fetch(ctx context.Context) (next time.Duration, done bool, err error) {
	w.spent, w.note = 0, ""
	next, err = w.finish(w.round(ctx))
	return next, w.Done(), err
}

// Done tells whether some role is right in every respect.
func (w *RoleWatch) Done() bool {
	return slices.ContainsFunc(w.Matches(), func(s RoleSighting) bool { return s.Report.OK })
}

// Note says in a sentence what is limited just now, empty when nothing is.
func (w *RoleWatch) Note() string { return w.note }

func (w *RoleWatch) round(ctx context.Context) error {
	if w.want.AccountID == "" || w.want.Partition == "" {
		id, err := w.account.knownIdentity(ctx)
		if err != nil {
			return err
		}
		w.want.AccountID, w.want.Partition = cmp.Or(w.want.AccountID, id.AccountID), cmp.Or(w.want.Partition, id.Partition)
	}
	if w.listingCanWait() {
		w.unlisted++
		return w.readCandidates(ctx)
	}
	w.unlisted = 0
	if err := w.look(ctx); err != nil {
		return err
	}
	return w.readCandidates(ctx)
}

// listingCanWait tells whether this round looks only at the roles found: while
// one waits for its policy, that shows sooner when two of three rounds spend
// nothing on lists.
func (w *RoleWatch) listingCanWait() bool {
	if !w.arrived || w.marker != nil || len(w.denied) > 0 || w.unlisted >= 2 {
		return false
	}
	return slices.ContainsFunc(w.sorted(match), func(k *knownRole) bool { return k.complete && !w.judge(k).OK })
}

// look brings the roles up to date by the best means that is allowed.
func (w *RoleWatch) look(ctx context.Context) error {
	if !w.arrived && w.may("iam:GetAccountAuthorizationDetails") {
		err := w.list(ctx, w.detailsPage)
		if err := w.deny("iam:GetAccountAuthorizationDetails", err); err != nil {
			return err
		}
		if w.may("iam:GetAccountAuthorizationDetails") {
			return nil
		}
	}
	if w.may("iam:ListRoles") {
		err := w.list(ctx, w.listPage)
		if err := w.deny("iam:ListRoles", err); err != nil {
			return err
		}
		if w.may("iam:ListRoles") {
			return nil
		}
	}
	w.note = limited("iam:ListRoles", "rolecall looks only for a role of the suggested name")
	return w.byName(ctx)
}

func (w *RoleWatch) list(ctx context.Context, page func(context.Context) error) error {
	for range listCalls {
		if err := page(ctx); err != nil {
			return err
		}
		if w.marker == nil {
			w.arrived = true
			w.forgetUnlisted()
			return nil
		}
	}
	w.note = "This account has many roles. rolecall goes on looking through them."
	return nil
}

func (w *RoleWatch) forgetUnlisted() {
	for name := range w.known {
		if !w.listed[name] {
			delete(w.known, name)
		}
	}
	clear(w.listed)
}

func (w *RoleWatch) detailsPage(ctx context.Context) error {
	out, err := w.account.iam().GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeRole}, MaxItems: awssdk.Int32(pageSize), Marker: w.marker}, w.watched)
	if err != nil {
		return w.account.fail(err, "iam:GetAccountAuthorizationDetails", "list the account's roles")
	}
	for _, r := range out.RoleDetailList {
		name, trust := awssdk.ToString(r.RoleName), awssdk.ToString(r.AssumeRolePolicyDocument)
		if !w.changed(name, awssdk.ToString(r.RoleId), trust) {
			continue
		}
		w.sort(name, trust, func() Role { return newRoleDetail(r) }, true)
	}
	w.marker = nextMarker(out.IsTruncated, out.Marker)
	return nil
}

func (w *RoleWatch) listPage(ctx context.Context) error {
	out, err := w.account.iam().ListRoles(ctx, &iam.ListRolesInput{MaxItems: awssdk.Int32(pageSize), Marker: w.marker}, w.watched)
	if err != nil {
		return w.account.fail(err, "iam:ListRoles", "list the account's roles")
	}
	for _, r := range out.Roles {
		name, trust := awssdk.ToString(r.RoleName), awssdk.ToString(r.AssumeRolePolicyDocument)
		if !w.changed(name, awssdk.ToString(r.RoleId), trust) {
			continue
		}
		w.sort(name, trust, func() Role { return newRole(r) }, false)
	}
	w.marker = nextMarker(out.IsTruncated, out.Marker)
	return nil
}

// changed marks a role as listed and tells whether its trust policy is new. A
// role that was deleted and made anew has another ID.
func (w *RoleWatch) changed(name, id, trust string) bool {
	w.listed[name] = true
	old, ok := w.known[name]
	if ok && old.id == id && old.trust == trust {
		return false
	}
	w.known[name] = &knownRole{id: id, trust: trust}
	return true
}

// sort decides what a new or changed role is. Most roles of a large account do
// not mention the vendor at all and are not parsed.
func (w *RoleWatch) sort(name, trust string, read func() Role, detailed bool) {
	k := w.known[name]
	suggested := w.want.RoleName != "" && strings.EqualFold(name, w.want.RoleName)
	if !suggested && !w.mentionsVendor(trust) {
		return
	}
	k.role = read()
	k.boundary = detailed
	k.standing = w.standing(k.role)
	if k.standing == unrelated && suggested {
		k.standing = named
	}
	k.seen = Seen{Role: &k.role, PoliciesUnknown: !detailed, InlineUnknown: !detailed}
}

// mentionsVendor is a cheap test that errs towards yes: an escape could spell
// a digit.
func (w *RoleWatch) mentionsVendor(trust string) bool {
	if strings.Contains(trust, `\u`) || strings.Contains(trust, "%5Cu") {
		return true
	}
	if web := w.want.Web; web != nil {
		host, _, _ := strings.Cut(web.Host(), "/") // a slash may be encoded
		return strings.Contains(trust, host)
	}
	return slices.ContainsFunc(w.want.Principals, func(who string) bool {
		return strings.Contains(trust, policy.ParsePrincipal(who).AccountID)
	})
}

// standing judges a trust policy. Without a known external ID every role that
// lets the vendor in is a match.
func (w *RoleWatch) standing(r Role) standing {
	if r.Trust == nil {
		return unrelated
	}
	f := readTrust(r.Trust, w.want, w.want.AccountID, Seen{Now: time.Now()})
	switch web := f.verdict.Web; {
	case web != nil && web.Enters():
		return match
	case web != nil && web.Named:
		return nearMiss
	case f.enters():
		return match
	case f.named:
		return nearMiss
	}
	return unrelated
}

// byName asks for the wanted role alone.
func (w *RoleWatch) byName(ctx context.Context) error {
	name := w.want.RoleName
	if arn, ok := SplitARN(w.want.RoleARN); ok {
		_, name = splitPath(arn.Resource)
	}
	if name == "" {
		return refuse(Denied, "You are not allowed iam:ListRoles, and no role's name is known.", "iam:ListRoles, or a name",
			"Paste the role's ARN, or ask your administrator for iam:ListRoles.")
	}
	r, err := w.account.roleOnly(ctx, name, w.watched)
	if KindOf(err) == NotFound {
		delete(w.known, name)
		return nil
	}
	if err != nil {
		return err
	}
	if w.changed(name, r.ID, r.TrustText) {
		w.sort(name, r.TrustText, func() Role { return r }, false)
		w.known[name].boundary = true
	}
	return nil
}

// readCandidates reads the policies of the matching roles that are not right
// yet, a few in each round: policies can be attached without any sign of it in
// a list of roles.
func (w *RoleWatch) readCandidates(ctx context.Context) error {
	left := candidatesPerRound
	for _, k := range w.sorted(match) {
		if left == 0 {
			return nil
		}
		if k.complete && w.judge(k).OK {
			continue
		}
		left--
		err := w.read(ctx, k)
		switch {
		case KindOf(err) == NotFound && k.complete:
			delete(w.known, k.role.Name) // deleted; before, it may just not be visible everywhere yet
		case err != nil && KindOf(err) == Other: // one answer that cannot be read must not hide the other roles
			w.note = "AWS's answer about " + k.role.Name + " cannot be read. rolecall looks again."
		case err != nil && KindOf(err) != NotFound:
			return err
		}
	}
	return nil
}

// read fetches what the list did not tell of a role. A fresh role may be in
// the list before it can be read.
func (w *RoleWatch) read(ctx context.Context, k *knownRole) error {
	if !k.boundary {
		full, err := w.account.roleOnly(ctx, k.role.Name, w.watched)
		switch {
		case KindOf(err) == Denied: // the rest of the role can still be judged
		case err != nil:
			return err
		default:
			k.role.Boundary, k.role.MaxSession, k.role.Tags = full.Boundary, full.MaxSession, full.Tags
		}
		k.boundary = true
	}
	if !k.complete && !k.seen.PoliciesUnknown {
		// The first listing told the policies' names; only documents are missing.
		k.complete = true
		if err := w.observer.provider(ctx, &k.seen); err != nil {
			return err
		}
		return w.observer.readAttached(ctx, &k.seen)
	}
	seen, err := w.observer.complete(ctx, k.role)
	if err != nil {
		return err
	}
	k.seen, k.complete = seen, true
	return nil
}

// sorted are the roles of a standing, the wanted name first, then the newest.
func (w *RoleWatch) sorted(s standing) []*knownRole {
	var all []*knownRole
	for _, k := range w.known {
		if k.standing == s {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b *knownRole) int {
		return cmp.Or(
			-compareBool(w.hasWantedName(a), w.hasWantedName(b)),
			b.role.Created.Compare(a.role.Created),
			strings.Compare(a.role.ARN, b.role.ARN),
		)
	})
	return all
}

func (w *RoleWatch) hasWantedName(k *knownRole) bool {
	return strings.EqualFold(k.role.Name, w.want.RoleName) || w.want.RoleARN != "" && k.role.ARN == w.want.RoleARN
}

// Matches are the roles that let the vendor in under the external ID, each
// with its checks: the wanted name first, then the newest.
func (w *RoleWatch) Matches() []RoleSighting { return w.sightings(match) }

// NearMisses are roles that name the vendor but with another external ID,
// none, or for another action.
func (w *RoleWatch) NearMisses() []RoleSighting { return w.sightings(nearMiss) }

// NearMiss is the first of NearMisses, nil when there is none.
func (w *RoleWatch) NearMiss() *RoleSighting {
	if all := w.NearMisses(); len(all) > 0 {
		return &all[0]
	}
	return nil
}

// Named is a role of the wanted name that does not name the vendor at all, nil
// when there is none.
func (w *RoleWatch) Named() *RoleSighting {
	if all := w.sightings(named); len(all) > 0 {
		return &all[0]
	}
	return nil
}

func (w *RoleWatch) sightings(s standing) []RoleSighting {
	var all []RoleSighting
	for _, k := range w.sorted(s) {
		found := RoleSighting{Role: *k.seen.Role, Report: w.judge(k)}
		if k.role.Trust != nil {
			found.ExternalIDs = readTrust(k.role.Trust, w.want, w.want.AccountID, Seen{Now: time.Now()}).ids
		}
		all = append(all, found)
	}
	return all
}

// judge leaves the wanted name and ARN out: a role is right by what it trusts
// and grants, whatever it was called.
func (w *RoleWatch) judge(k *knownRole) Report {
	want := w.want
	want.RoleName, want.RoleARN = "", ""
	seen := k.seen
	seen.Now = time.Now()
	return Judge(want, seen)
}
