package audit

import (
	"cmp"
	"slices"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/policy/review"
)

// Auditor judges roles. It keeps the reviews that it made: the roles of one
// account often have the same policies.
type Auditor struct {
	Known   Known
	reviews map[string]reviewed
}

type reviewed struct {
	grants   Grants
	findings []Finding
}

// Judge says who gets into a role, what it may do, and whether that is as
// required.
func (u *Auditor) Judge(seen aws.Seen) Role {
	role := *seen.Role
	r := Role{ARN: role.ARN, ID: role.ID, Boundary: role.Boundary, Findings: []Finding{}}
	in := u.Known.admissions(role)
	r.Admits, r.Federated, r.Others = in.admits, in.federated, in.others
	if r.Admits == nil {
		r.Admits = []Admission{}
	}
	if !role.LastUsed.IsZero() {
		at := role.LastUsed.UTC()
		r.LastUsed = &at
	}
	r.Grants, r.Findings = u.review(role)
	r.Checks = u.checks(seen, r.Admits, r.Federated)
	r.OK = !slices.ContainsFunc(r.Checks, func(c aws.Check) bool { return c.Status == aws.Fail || c.Status == aws.Unknown })
	return r
}

// review reads all policies of a role together, with its trust policy.
func (u *Auditor) review(role aws.Role) (Grants, []Finding) {
	documents, unread := documentsOf(role)
	all := policy.Merge(documents...)
	key := all.Digest() + role.TrustText
	if u.reviews == nil {
		u.reviews = map[string]reviewed{}
	}
	found, ok := u.reviews[key]
	if !ok {
		found = u.reviewNew(documents, role.TrustText)
		u.reviews[key] = found
	}
	found.grants.Unread = unread
	return found.grants, found.findings
}

// together is the length up to which policies are reviewed as one document.
const together = 65536

func (u *Auditor) reviewNew(documents []*policy.Document, trust string) reviewed {
	texts := []string{policy.Merge(documents...).Compact()}
	if policy.Characters(texts[0]) > together { // then each alone; the counts are those of the largest
		texts = nil
		for _, d := range documents {
			texts = append(texts, d.Compact())
		}
	}
	if len(documents) == 0 {
		texts = nil
	}
	out := reviewed{grants: Grants{Worst: string(review.Note)}, findings: []Finding{}}
	for i := range texts {
		o := u.Known.options(policy.Identity)
		o.Limit = together
		out.add(review.Review([]byte(texts[i]), o), "")
	}
	if trust != "" {
		out.add(review.Review([]byte(trust), u.Known.options(policy.Trust)), "trust")
	}
	slices.SortStableFunc(out.findings, func(a, b Finding) int {
		return cmp.Compare(review.Severity(b.Severity).Rank(), review.Severity(a.Severity).Rank())
	})
	return out
}

// add takes the risks of a review. AWS has taken these documents: what it would
// refuse, and what is only untidy, is not of this audit.
func (v *reviewed) add(r review.Report, document string) {
	v.grants.Actions = max(v.grants.Actions, r.Actions.Granted)
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Class != review.Risk {
			continue
		}
		if document == "" && (v.grants.Title == "" || f.Severity.Rank() > review.Severity(v.grants.Worst).Rank()) {
			v.grants.Worst, v.grants.Title = string(f.Severity), aws.CleanText(f.Title)
		}
		v.findings = append(v.findings, Finding{ID: f.ID, Severity: string(f.Severity), Title: aws.CleanText(f.Title), Document: document})
	}
}

func documentsOf(role aws.Role) (all []*policy.Document, unread int) {
	add := func(d *policy.Document) {
		if d == nil {
			unread++
			return
		}
		all = append(all, d)
	}
	for _, p := range role.Attached {
		add(p.Document)
	}
	for _, p := range role.Inline {
		add(p.Document)
	}
	return all, unread
}

// checks judges the role as its vendor's where one gets in, else only who gets
// in: what a stranger needs, nobody here knows.
func (u *Auditor) checks(seen aws.Seen, admits []Admission, federated []Federation) []aws.Check {
	want := aws.Want{Partition: u.Known.Partition, AccountID: u.Known.Account}
	i := slices.IndexFunc(admits, func(a Admission) bool { return a.Vendor != "" })
	if i < 0 && len(federated) > 0 {
		return u.federated(seen, federated)
	}
	if i >= 0 {
		want = u.wantOf(*seen.Role, admits, admits[i].Vendor)
	}
	checks := u.judge(want, seen)
	if i >= 0 {
		return checks
	}
	return slices.DeleteFunc(checks, func(c aws.Check) bool { return c.ID != "role-exists" && c.ID != "trust-extra-principals" })
}

// wantOf is what the vendor needs: as it was connected, else what the role itself
// says, whose external ID nobody can compare.
func (u *Auditor) wantOf(role aws.Role, admits []Admission, vendor string) aws.Want {
	if u.Known.Want != nil {
		if want, ok := u.Known.Want(role, vendor); ok {
			return want
		}
	}
	want := aws.Want{Partition: u.Known.Partition, AccountID: u.Known.Account}
	for _, a := range admits {
		if a.Vendor != vendor {
			continue
		}
		want.Principals = append(want.Principals, a.Account)
		want.NoExternalID = want.NoExternalID || u.Known.sendsNone(a.Account)
		if want.ExternalID == "" && len(a.IDs) > 0 {
			want.ExternalID = a.IDs[0]
		}
	}
	if want.NoExternalID {
		want.ExternalID = ""
	}
	return want
}

func (k *Known) sendsNone(account string) bool {
	return slices.ContainsFunc(k.Vendors, func(v Vendor) bool { return slices.Contains(v.NoID, account) })
}
