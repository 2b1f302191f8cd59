package plan

import (
	"cmp"
	"time"

	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/access"
)

// Head is what a plan says beside its request.
type Head struct {
	Tool          string // "rolecall 1.2.3"
	Vendor        string // as --vendor takes it
	Method        string
	VendorAccount string // the vendor's own account, when it was given
	StackName     string // of the CloudFormation stack, where one makes the roles; empty: as rolecall suggests
}

// Make writes down what a request would create. It sends nothing. The error
// names what is missing.
func Make(r access.Request, head Head, now time.Time) (*Plan, error) {
	p := &Plan{
		Kind: FileKind, Format: Format, Created: now.UTC(), Tool: head.Tool,
		Data:   review.Source{Version: policy.AWS().Version(), Date: policy.AWS().Date()},
		Vendor: head.Vendor, Method: head.Method, Access: r.Access, Partition: r.Partition, AccountID: r.AccountID,
		VendorAccount: head.VendorAccount, Selection: r.Selection, Settings: r.Settings,
		Roles: []Role{}, Documents: []Document{}, Approvals: []Approval{},
	}
	if head.Method == "automatic" {
		p.StackName = cmp.Or(head.StackName, r.StackName())
	}
	grants, err := r.Grants()
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		if err := r.UnknownAccount(g.Purpose); err != nil {
			return nil, err
		}
		p.addGrant(r, g, now)
	}
	return p, nil
}

// addGrant writes down one role or user with its documents.
func (p *Plan) addGrant(r access.Request, g access.Grant, now time.Time) {
	for _, d := range g.Documents {
		p.Add(Document{Purpose: g.Purpose, Kind: Permissions, Name: d.Name}, d.Document, review.Options{
			Limit: g.Role.Limit(), Partition: g.Partition, Account: g.AccountID, Now: now,
			Cost: func(sid string, _ []string) string { return r.Cost(g.Purpose, sid) },
		})
	}
	planned := Role{Purpose: g.Purpose, PolicyName: g.PolicyName}
	if g.User {
		planned.UserName = g.Name
		p.Roles = append(p.Roles, planned)
		return
	}
	planned.RoleName, planned.ManagedPolicies, planned.Trusts, planned.ExternalID = g.Name, g.Managed, g.Trusted, g.ExternalID
	if g.Web != nil {
		planned.Trusts = []string{g.Web.Provider(), g.Web.Audience, g.Web.Subject}
	}
	if planned.ExternalID == "" && g.NeedsExternalID() {
		planned.ExternalID = UnknownExternalID
	}
	p.Roles = append(p.Roles, planned)
	p.Add(Document{Purpose: g.Purpose, Kind: Trust, Name: g.Name}, g.TrustUnder(planned.ExternalID),
		review.Options{Kind: policy.Trust, Partition: g.Partition, Account: g.AccountID, Vendors: g.Trusted, Now: now})
}
