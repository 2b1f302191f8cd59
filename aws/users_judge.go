package aws

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/policy"
)

// WantUser describes the IAM user that a vendor needs.
type WantUser struct {
	Partition, AccountID string             // where the user has to be; empty: not checked
	Name                 string             // to look for; for a watch only the first to look at
	Policies             []*policy.Document // what the user has to grant, all together
	PolicyARNs           []string           // managed policies that have to be attached, by ARN
	Key                  bool               // an access key that works has to be there
	Boundary             string             // ARN
	BoundaryGiven        bool               // as in Want
	Approved             []string           // digests of the documents that may exist; nil: no plan binds
}

// SeenUser is what was observed of a user.
type SeenUser struct {
	User   *User // nil: not found
	Keys   []AccessKey
	Denied []string // IAM actions that were refused
	// Refusal is the first of those refusals as AWS worded it.
	Refusal *Error
	// PoliciesUnknown, InlineUnknown, GroupsUnknown and KeysUnknown say which
	// lists could not be read.
	PoliciesUnknown, InlineUnknown, GroupsUnknown, KeysUnknown bool
	Missing                                                    []Missing // as in Seen
	Now                                                        time.Time // for the keys' ages
}

// UserReport is the verdict on one user. OK is as in Report.
type UserReport struct {
	OK     bool     `json:"ok"`
	User   *UserRef `json:"user"` // nil when no user was found
	Checks []Check  `json:"checks"`
}

// Check finds a check by its id; false when it was not made.
func (r UserReport) Check(id string) (Check, bool) { return Report{Checks: r.Checks}.Check(id) }

// UserCheckIDs are the ids of a user's checks in the order of a UserReport. One that
// has a permissions boundary, or has to, has permissions-boundary too.
func UserCheckIDs() []string {
	return []string{"user-exists", "user-policy-attached", "user-policy-matches", "user-keys"}
}

// JudgeUser compares what was seen of a user with what is wanted. It is pure.
func JudgeUser(want WantUser, seen SeenUser) UserReport {
	j := judging{
		holder: "user",
		want: Want{
			Partition:  want.Partition,
			AccountID:  want.AccountID,
			Policies:   want.Policies,
			PolicyARNs: want.PolicyARNs,
			Approved:   want.Approved,
			Boundary:   want.Boundary, BoundaryGiven: want.BoundaryGiven,
		},
		seen: Seen{Denied: seen.Denied, Refusal: seen.Refusal, PoliciesUnknown: seen.PoliciesUnknown, InlineUnknown: seen.InlineUnknown,
			Missing: seen.Missing},
	}
	if u := seen.User; u != nil {
		j.role = &Role{ARN: u.ARN, Name: u.Name, Boundary: u.Boundary, Attached: u.Attached, Inline: u.Inline}
		j.seen.BoundaryUnknown = slices.ContainsFunc(seen.Missing, func(m Missing) bool { return m.Part == PartHolder })
	}
	j.add("user-exists", j.userExists(want, seen))
	j.add("user-policy-attached", j.attached())
	if len(want.Policies) > 0 {
		j.add("user-policy-matches", j.withGroups(j.matches(), seen))
	}
	if want.Key || len(seen.Keys) > 0 {
		j.add("user-keys", j.keys(want, seen))
	}
	if want.BoundaryGiven || j.role != nil && j.role.Boundary != "" {
		j.boundary()
	}
	j.approved()
	r := UserReport{OK: true, Checks: j.checks}
	if seen.User != nil && seen.User.ARN != "" {
		ref := seen.User.Ref()
		r.User = &ref
	}
	for _, c := range r.Checks {
		if c.Status == Fail || c.Status == Unknown {
			r.OK = false
		}
	}
	return r
}

func (j *judging) userExists(want WantUser, seen SeenUser) verdict {
	v := verdict{status: Pass, want: "a user named " + cmp.Or(want.Name, "as you like")}
	if v, ok := j.missing(v, PartHolder); ok && (seen.User == nil || seen.User.ARN == "") {
		return v
	}
	if seen.User == nil {
		v.status, v.got, v.fix = Fail, "no such user", "Create the user, or correct its name. A user made just now may take a few seconds to "+
			"show."
		if len(seen.Denied) > 0 {
			return v.notAllowed(seen.Denied)
		}
		return v
	}
	v.got = seen.User.ARN
	arn, _ := SplitARN(seen.User.ARN)
	switch {
	case want.AccountID != "" && arn.AccountID != want.AccountID:
		v.status, v.want, v.fix = Fail, "a user in account "+want.AccountID, "Make the user in account "+want.AccountID+"."
	case want.Partition != "" && arn.Partition != want.Partition:
		v.status, v.want, v.fix = Fail, "a user in the partition "+want.Partition, "Make the user there, or choose the other partition."
	}
	return v
}

// withGroups says what rolecall does not look at: a user may do what its
// groups may do, too.
func (j *judging) withGroups(v verdict, seen SeenUser) verdict {
	if lacking, ok := j.missing(v, PartGroups); ok && seen.User != nil && (v.status == Pass || v.status == Fail) {
		return lacking
	}
	if seen.User != nil && seen.GroupsUnknown && v.status == Fail {
		return v.notAllowed(seen.Denied) // its groups may grant the rest
	}
	if seen.User != nil && seen.GroupsUnknown && v.status == Pass {
		v.status, v.got, v.fix = Warn, "the same; nobody can see what its groups grant", askFor(seen.Denied)
	}
	if seen.User == nil || len(seen.User.Groups) == 0 {
		return v
	}
	groups := someOf(seen.User.Groups, 3)
	switch v.status {
	case Pass:
		v.status, v.got = Warn, "the same, and what its groups grant: "+groups
		v.fix = "Take the user out of its groups, if it was not meant."
	case Warn:
		v.got += "; and what its groups grant: " + groups
	case Fail:
		v.status, v.got = Unknown, v.got+"; its groups may grant the rest: "+groups
	}
	return v
}

// oldKey is the age at which a key is worth changing: CIS AWS Foundations
// Benchmark v3.0, 1.14.
const oldKey = 90 * 24 * time.Hour

func (j *judging) keys(want WantUser, seen SeenUser) verdict {
	v := verdict{status: Pass, want: "one active access key", fix: "On the user's page, Security credentials, Create access key."}
	if seen.User == nil {
		v.status, v.got = Unknown, "no user to look at"
		v, _ = j.missing(v, PartHolder)
		return v
	}
	if v, ok := j.missing(v, PartKeys); ok {
		return v
	}
	if seen.KeysUnknown {
		return v.notAllowed(seen.Denied)
	}
	active := 0
	var words []string
	old := false
	for _, k := range seen.Keys {
		words = append(words, k.Describe(seen.Now))
		if k.Active {
			active++
			old = old || seen.Now.Sub(k.Created) >= oldKey
		}
	}
	v.got = cmp.Or(strings.Join(words, "; "), "none")
	switch {
	case active == 0 && want.Key:
		v.status = Fail
	case active > 1:
		v.status, v.fix = Warn, "Deactivate the key that nothing uses, wait a day, then delete it."
	case old:
		v.status, v.fix = Warn, "Make a second key, hand it over, then delete the old one. A role needs no keys at all."
	}
	return v
}

// Describe says in a few words how old a key is and when it was last used:
// "AKIA… active, made 12 days ago, last used 3 hours ago with ec2". The ID is
// whole.
func (k AccessKey) Describe(now time.Time) string {
	state := "active"
	if !k.Active {
		state = "inactive"
	}
	text := k.ID + " " + state + ", made " + Ago(now.Sub(k.Created))
	if k.UseUnknown {
		return text
	}
	if k.LastUsed.IsZero() {
		return text + ", never used"
	}
	text += ", last used " + Ago(now.Sub(k.LastUsed))
	if k.Service != "" && k.Service != "N/A" {
		text += " with " + k.Service
	}
	return text
}

// Ago says a duration as people do: "12 days ago".
func Ago(d time.Duration) string {
	units := []struct {
		name string
		span time.Duration
	}{{"year", 365 * 24 * time.Hour}, {"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}}
	for _, u := range units {
		if n := int(d / u.span); n == 1 {
			return "1 " + u.name + " ago"
		} else if n > 1 {
			return fmt.Sprintf("%d %ss ago", n, u.name)
		}
	}
	return "just now"
}

// VerifyUser looks at the user that want names and judges it. A user that does
// not exist is a report, not an error. A refused request makes checks unknown;
// errors are left for what prevents any judgement (credentials, network).
func (a *Account) VerifyUser(ctx context.Context, want WantUser) (UserReport, error) {
	_, report, err := LookUser(ctx, a, want)
	return report, err
}

// LookUser is VerifyUser with what was seen beside the verdict.
func (a *Account) LookUser(ctx context.Context, want WantUser) (SeenUser, UserReport, error) {
	return LookUser(ctx, a, want)
}

// denied remembers a refusal and swallows it; any other error is returned.
func (s *SeenUser) denied(err error) (bool, error) {
	if KindOf(err) != Denied {
		return false, err
	}
	s.Denied, s.Refusal = append(s.Denied, Explain(err).Action), cmp.Or(s.Refusal, Explain(err))
	return true, nil
}

// observeUser reads a user with its policies and their documents, without its
// keys.
func (o *observer) observeUser(ctx context.Context, name string) (SeenUser, error) {
	seen := SeenUser{Now: o.account.options.Now()}
	u, err := o.account.userOnly(ctx, name, o.opts...)
	if KindOf(err) == NotFound {
		return seen, nil
	}
	if gone, err := seen.denied(err); gone || err != nil {
		return seen, err
	}
	seen.User = &u
	u.Attached, err = o.account.userPolicies(ctx, name, o.opts...)
	if seen.PoliciesUnknown, err = seen.denied(err); err != nil {
		return seen, err
	}
	u.Inline, err = o.account.userInlinePolicies(ctx, name, o.opts...)
	if seen.InlineUnknown, err = seen.denied(err); err != nil {
		return seen, err
	}
	u.Groups, err = o.account.userGroups(ctx, name, o.opts...)
	if seen.GroupsUnknown, err = seen.denied(err); err != nil {
		return seen, err
	}
	documents := Seen{Role: &Role{Attached: u.Attached}}
	err = o.readAttached(ctx, &documents)
	seen.Denied, seen.Refusal = append(seen.Denied, documents.Denied...), cmp.Or(seen.Refusal, documents.Refusal)
	return seen, err
}
