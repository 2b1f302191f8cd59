package aws

import (
	"context"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rolecall/policy"
)

// Sweep is what one pass over all roles of an account found. Of the roles that
// nobody wants to keep nothing is held.
type Sweep struct {
	Roles []Seen // those that were kept, with their policies, in the order of the list
	Total int    // how many roles there are
	// Refusal is why the account's details could not be read in one pass; nil
	// where they could.
	Refusal *Error
}

// Sweeper is a Source that shows all its roles.
type Sweeper interface {
	Source
	// Sweep looks at every role, with its trust policy and without its policies,
	// and reads the policies of those that keep chooses.
	Sweep(ctx context.Context, keep func(Role) bool) (Sweep, error)
}

// Sweep goes once through the list of roles, page by page, and then through that
// of the customer managed policies, of which it holds what the chosen roles
// have attached. Who may not call GetAccountAuthorizationDetails gets the roles from ListRoles,
// and each chosen one by requests of its own.
func (a *Account) Sweep(ctx context.Context, keep func(Role) bool) (Sweep, error) {
	s, err := a.sweepDetails(ctx, keep)
	if KindOf(err) == Denied {
		refusal := Explain(err)
		s, err = a.sweepList(ctx, keep)
		s.Refusal = refusal
	}
	for i := range s.Roles {
		s.Roles[i].Now = a.options.Now()
	}
	return s, err
}

func (a *Account) sweepDetails(ctx context.Context, keep func(Role) bool) (Sweep, error) {
	var s Sweep
	err := a.details(ctx, types.EntityTypeRole, "list the account's roles", func(out *iam.GetAccountAuthorizationDetailsOutput) {
		for _, r := range out.RoleDetailList {
			s.Total++
			if !keep(roleHead(r)) {
				continue
			}
			role := newRoleDetail(r)
			s.Roles = append(s.Roles, Seen{Role: &role})
		}
	})
	if err != nil {
		return s, err
	}
	return s, a.readSwept(ctx, s.Roles)
}

// details goes through the pages of GetAccountAuthorizationDetails.
func (a *Account) details(
	ctx context.Context,
	kind types.EntityType,
	doing string,
	page func(*iam.GetAccountAuthorizationDetailsOutput),
) error {
	return EveryPage("the account's details", func(at *string) (*string, error) {
		in := &iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{kind}, MaxItems: awssdk.Int32(pageSize), Marker: at}
		out, err := a.iam().GetAccountAuthorizationDetails(ctx, in)
		if err != nil {
			return nil, a.fail(err, "iam:GetAccountAuthorizationDetails", "%s", doing)
		}
		page(out)
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
}

// readSwept fills in the documents of the attached policies: the customer's from
// one more list, AWS's own, of which the lists hold over a thousand, one by one
// and each once.
func (a *Account) readSwept(ctx context.Context, roles []Seen) error {
	wanted := map[string]*policy.Document{}
	own := false
	for _, seen := range roles {
		for _, p := range seen.Role.Attached {
			wanted[p.ARN] = nil
			own = own || !OfAWS(p.ARN)
		}
	}
	if own {
		err := a.details(
			ctx,
			types.EntityTypeLocalManagedPolicy,
			"list the account's policies",
			func(out *iam.GetAccountAuthorizationDetailsOutput) {
				for _, p := range out.Policies {
					arn := cleanText(awssdk.ToString(p.Arn))
					if _, ok := wanted[arn]; ok {
						wanted[arn] = defaultVersion(p)
					}
				}
			},
		)
		if err != nil {
			return err
		}
	}
	o := &observer{account: a}
	for i := range roles {
		if err := o.fillIn(ctx, &roles[i], wanted); err != nil {
			return err
		}
	}
	return nil
}

// fillIn gives a role's attached policies their documents, those of AWS by a
// request when they are needed first.
func (o *observer) fillIn(ctx context.Context, seen *Seen, known map[string]*policy.Document) error {
	for i := range seen.Role.Attached {
		p := &seen.Role.Attached[i]
		p.Document = known[p.ARN]
	}
	if err := o.readAttached(ctx, seen); err != nil {
		return err
	}
	for _, p := range seen.Role.Attached {
		known[p.ARN] = p.Document
	}
	return nil
}

// defaultVersion is the document that counts of a policy with its versions.
func defaultVersion(p types.ManagedPolicyDetail) *policy.Document {
	i := slices.IndexFunc(p.PolicyVersionList, func(v types.PolicyVersion) bool { return v.IsDefaultVersion })
	if i < 0 {
		return nil
	}
	_, document := decodeDocument(awssdk.ToString(p.PolicyVersionList[i].Document), policy.Identity)
	return document
}

func (a *Account) sweepList(ctx context.Context, keep func(Role) bool) (Sweep, error) {
	var s Sweep
	var names []string
	err := EveryPage("the account's roles", func(at *string) (*string, error) {
		out, err := a.iam().ListRoles(ctx, &iam.ListRolesInput{MaxItems: awssdk.Int32(pageSize), Marker: at})
		if err != nil {
			return nil, a.fail(err, "iam:ListRoles", "list the account's roles")
		}
		for _, r := range out.Roles {
			s.Total++
			if keep(newRole(r)) {
				names = append(names, awssdk.ToString(r.RoleName))
			}
		}
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	if err != nil {
		return s, err
	}
	o := &observer{account: a}
	for _, name := range names {
		seen, err := o.observe(ctx, Want{RoleName: name})
		if err != nil {
			return s, err
		}
		if seen.Role != nil && keep(*seen.Role) { // it may have changed meanwhile
			s.Roles = append(s.Roles, seen)
		}
	}
	return s, nil
}
