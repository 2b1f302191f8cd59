// Package delegate judges AWS's temporary delegation requests and decides on
// them: what was reviewed is what is accepted. It stands on plan, which binds
// what was reviewed, and on record.
package delegate

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/plan"
	"rolecall/steps/screen"
)

// Judge looks at delegation requests in one account.
type Judge struct {
	Account  *aws.Account
	Identity aws.Identity
	Vendors  []*describe.Vendor // those that rolecall knows
	Vendor   *describe.Vendor   // the one that the request is said to be of; nil: found by its account
	Now      func() time.Time
}

// Judged is a delegation request with all that there is to say about it.
type Judged struct {
	Request    aws.Delegation
	Policy     review.Report
	Boundaries []Boundary
	Findings   []review.Finding // about the request itself, then those of its policy

	Vendor *describe.Vendor // whose request it is; nil: not known
	Needs  *policy.Document // what that vendor's description says that it needs; nil: no policy of its own
	Beyond *policy.Difference
	Plan   *plan.Plan // what would be accepted
}

// Boundary is a permissions boundary for the roles that the requestor may
// create: the most that those can do when its own access is over.
type Boundary struct {
	ARN      string
	Document *policy.Document // nil when it cannot be read
	Report   review.Report
	Beyond   *policy.Difference // what it lets beyond the vendor's needs
	Unread   string             // why it cannot be read, a sentence
}

// Look reads one request with its boundaries and judges it. It changes nothing.
func (j *Judge) Look(ctx context.Context, id string) (*Judged, error) {
	d, err := j.Account.Delegation(ctx, id)
	if aws.KindOf(err) == aws.NotFound {
		return nil, &screen.Fault{Err: err, Problem: screen.Problem{
			What:     "AWS knows no delegation request " + screen.CleanLine(id) + " that is of account " + j.Identity.AccountID + ".",
			Expected: "a request for this account", Kind: screen.NotAsNeeded,
			Next: "Check the ID and the account. AWS forgets what nobody took up after a day, and what was decided on after seven."}}
	}
	if err != nil {
		return nil, err
	}
	if err := j.ours(d, id); err != nil {
		return nil, err
	}
	judged := &Judged{Request: d, Vendor: j.vendorOf(d)}
	judged.Needs = needsOf(judged.Vendor, j.Identity.Partition)
	judged.Policy = review.Review([]byte(d.Text), review.Options{Limit: limitOf(d.Text), Account: d.AccountID,
		Partition: j.Identity.Partition, Now: j.Now()})
	judged.Beyond = beyond(judged.Needs, d.Document)
	for _, arn := range d.Boundaries {
		b, err := j.boundary(ctx, arn, judged.Needs)
		if err != nil {
			return nil, err
		}
		judged.Boundaries = append(judged.Boundaries, b)
	}
	judged.Findings = slices.Concat(j.concerns(judged), judged.Policy.Findings)
	slices.SortStableFunc(judged.Findings, func(a, b review.Finding) int { return b.Severity.Rank() - a.Severity.Rank() })
	judged.Plan = j.plan(judged)
	return judged, nil
}

// ours refuses an answer that is about something else than was asked for.
func (j *Judge) ours(d aws.Delegation, id string) error {
	if d.ID != id {
		return &screen.Fault{Problem: screen.Problem{What: "AWS answered with another delegation request.", Wanted: id, Found: d.ID,
			Expected: "the request that was asked for", Next: "Check the endpoint that requests go to.", Kind: screen.NotAsNeeded}}
	}
	if d.AccountID != "" && d.AccountID != j.Identity.AccountID {
		return &screen.Fault{Problem: screen.Problem{What: "The delegation request " + d.ID + " is for account " + d.AccountID +
			", and you are signed in to another.",
			Wanted: j.Identity.AccountID, Found: d.AccountID, Expected: "a request for the account that you are signed in to",
			Next: "Sign in to account " + d.AccountID + ", or ask the requestor for a request of this account.", Kind: screen.NotAsNeeded}}
	}
	return nil
}

// limitOf is what a request's policy may have: as AWS documents it, or as much
// as it has, since AWS took it.
func limitOf(text string) int { return max(aws.MaxDelegationPolicy, policy.Characters(text)) }

// vendorOf is whose request it is: the vendor that was named, else the one whose
// AWS account it comes from.
func (j *Judge) vendorOf(d aws.Delegation) *describe.Vendor {
	if j.Vendor != nil {
		return j.Vendor
	}
	for _, v := range j.Vendors {
		if slices.Contains(accountsOf(v), d.Requestor) {
			return v
		}
	}
	return nil
}

// accountsOf are the AWS accounts that a vendor's description names.
func accountsOf(v *describe.Vendor) []string {
	var all []string
	for i := range v.Roles {
		for _, partition := range v.PartitionsOf() {
			all = append(all, v.TrustedAccounts(&v.Roles[i], partition)...)
		}
	}
	return all
}

// needsOf is all that a vendor's description says that it needs by default, in
// one document; nil where it has no policy of its own.
func needsOf(v *describe.Vendor, partition string) *policy.Document {
	if v == nil {
		return nil
	}
	request := access.Request{Vendor: v, Partition: partition}
	if len(request.Needed()) == 0 {
		request.Access = describe.AccessUser
	}
	var statements []policy.Statement
	for _, role := range request.Needed() {
		if doc := request.Open(role.Purpose); doc != nil {
			statements = append(statements, doc.Statements...)
		}
	}
	if len(statements) == 0 {
		return nil
	}
	return policy.NewDocument(statements...)
}

func beyond(needs, asked *policy.Document) *policy.Difference {
	if needs == nil || asked == nil {
		return nil
	}
	d := policy.Compare(needs, asked)
	return &d
}

// boundary reads one permissions boundary. What AWS does not show is told, and
// stops nothing; no answer at all does.
func (j *Judge) boundary(ctx context.Context, arn string, needs *policy.Document) (Boundary, error) {
	b := Boundary{ARN: arn}
	found, err := j.Account.Policy(ctx, arn)
	switch aws.KindOf(err) {
	case aws.Denied, aws.NotFound, aws.Malformed:
		b.Unread = aws.Explain(err).What
		return b, nil
	}
	if err != nil {
		return b, err
	}
	if found.Document == nil {
		b.Unread = "It is no policy that rolecall can read."
	}
	b.Document, b.Beyond = found.Document, beyond(needs, found.Document)
	b.Report = review.Review([]byte(found.Text), review.Options{Limit: max(policy.MaxManaged, policy.Characters(found.Text)),
		Account: j.Identity.AccountID, Partition: j.Identity.Partition, Now: j.Now()})
	return b, nil
}

// plan is what would be accepted: everything of the request that must not have
// changed when it is.
func (j *Judge) plan(judged *Judged) *plan.Plan {
	d := judged.Request
	p := &plan.Plan{Kind: plan.FileKind, Format: plan.Format, Created: j.Now().UTC(),
		Data:   review.Source{Version: policy.AWS().Version(), Date: policy.AWS().Date()},
		Method: plan.MethodDelegation, Partition: j.Identity.Partition, AccountID: j.Identity.AccountID,
		Delegation: &plan.Delegation{ID: d.ID, Requestor: d.Requestor, RequestorName: d.RequestorName, Description: d.Description,
			DurationSeconds: int(d.Duration / time.Second), OnlySendByOwner: d.OnlySendByOwner, Template: d.Template, Boundaries: d.Boundaries},
		Roles: []plan.Role{}, Documents: []plan.Document{}, Approvals: []plan.Approval{}}
	for _, one := range d.Parameters {
		p.Delegation.Parameters = append(p.Delegation.Parameters, plan.Parameter(one))
	}
	options := review.Options{Partition: j.Identity.Partition, Account: j.Identity.AccountID, Now: j.Now()}
	if d.Document != nil {
		options.Limit = limitOf(d.Text)
		p.Add(plan.Document{Purpose: plan.DelegatedAccess, Kind: plan.Permissions, Name: d.ID}, d.Document, options)
	}
	for _, b := range judged.Boundaries {
		if b.Document != nil {
			options.Limit = b.Report.Policy.Limit
			p.Add(plan.Document{Purpose: plan.DelegatedRoles, Kind: plan.Permissions, Name: b.ARN}, b.Document, options)
		}
	}
	return p
}
