package access

import (
	"fmt"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/describe"
)

// Grant is what one role or user gets, whole.
type Grant struct {
	Purpose string // what the vendor uses it for: "SpotinstRoleArn"
	Role    *describe.Role
	Vendor  string // the vendor's title
	User    bool   // an IAM user instead of a role
	Name    string // of the role or the user

	Partition string
	AccountID string // empty while it is not known
	Settings

	Trusted    []string            // the vendor's AWS accounts; empty: not known, or a user
	Web        *policy.WebIdentity // whom the role trusts instead; nil: accounts
	ExternalID string              // empty: not known yet, or the vendor uses none
	Trust      *policy.Document    // nil for a user, and where no account is known

	// Shut lets nobody of the vendor in: the trust policy of a role whose vendor
	// tells only later whom to trust. Closed says that Trust is that for now.
	Shut   *policy.Document
	Closed bool

	PolicyName string
	Whole      *policy.Document // all that the vendor's own policy grants; nil: AWS managed policies are all
	Kept       []Kept           // what a restriction could not narrow
	Documents  []Document       // Whole, divided where one policy cannot hold it
	Managed    []string         // ARNs of the AWS managed policies
}

// TrustUnder is the trust policy with this external ID; nil where no account is
// known.
func (g Grant) TrustUnder(externalID string) *policy.Document {
	if g.Web != nil {
		if g.Web.AccountID == "" {
			return nil
		}
		return policy.NewWebTrust(*g.Web)
	}
	if len(g.Trusted) == 0 {
		return nil
	}
	return policy.NewTrust(g.Partition, g.Trusted, externalID)
}

// NeedsExternalID tells whether the role has to ask for one.
func (g Grant) NeedsExternalID() bool { return !g.User && g.Role.NeedsExternalID() }

// Trusts says in one phrase whom the role trusts.
func (g Grant) Trusts() string {
	if g.Web != nil {
		return "tokens of " + g.Web.Host() + " for " + g.Web.Audience + " about " + g.Web.Subject
	}
	return strings.Join(g.Trusted, " and ")
}

// ARN is that of the role or the user under its name.
func (g Grant) ARN() string {
	if g.User {
		return aws.UserARN(g.Partition, g.AccountID, g.Path, g.Name)
	}
	return aws.RoleARN(g.Partition, g.AccountID, g.Path, g.Name)
}

// ManagedNames are the names of the AWS managed policies, as the console lists
// them, in one phrase.
func (g Grant) ManagedNames() string {
	var names []string
	for _, arn := range g.Managed {
		names = append(names, PolicyNameOf(arn))
	}
	return strings.Join(names, " and ")
}

// PolicyNameOf is the name in the ARN of a managed policy, without its path.
func PolicyNameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// PolicyKind says in AWS's term whose a managed policy is, by its ARN.
func PolicyKind(arn string) string {
	if aws.OfAWS(arn) {
		return "AWS managed policy"
	}
	return "customer managed policy"
}

// Want is what the role has to be, to be judged by.
func (g Grant) Want() aws.Want {
	want := aws.Want{
		Partition: g.Partition, AccountID: g.AccountID, Principals: g.Trusted, Web: g.Web,
		ExternalID: g.ExternalID, NoExternalID: g.Role.NoExternal != "" && g.ExternalID == "",
		RoleName: g.Name, Path: g.Path, PathGiven: g.Path != "", Boundary: g.Boundary, BoundaryGiven: g.Boundary != "",
		PolicyARNs: g.Managed, Existing: g.Managed,
	}
	if g.Closed { // which is not what the role has to be in the end
		want.Principals, want.ExternalID = nil, ""
	}
	if g.Whole != nil {
		want.Policies = []*policy.Document{g.Whole}
	}
	return want
}

// WantUser is what the user has to be, to be judged by.
func (g Grant) WantUser() aws.WantUser {
	want := aws.WantUser{Partition: g.Partition, AccountID: g.AccountID, Name: g.Name, Boundary: g.Boundary, BoundaryGiven: g.Boundary != ""}
	if g.Whole != nil {
		want.Policies = []*policy.Document{g.Whole}
	}
	return want
}

// SetupRole is the role for the exports.
func (g Grant) SetupRole() policy.SetupRole {
	out := policy.SetupRole{
		ID: templateName(g.Purpose, "Arn"), Name: g.Name, Path: g.Path, Description: g.Role.Description,
		Principals: g.Trusted, Web: g.Web, ExternalID: g.ExternalID, AskExternalID: g.ExternalID == "" && g.NeedsExternalID(),
		ManagedPolicies: g.Managed, Boundary: g.Boundary, SessionDuration: g.SessionFor, Output: g.Purpose,
	}
	for _, tag := range g.TagList() {
		out.Tags = append(out.Tags, policy.SetupTag{Key: tag.Key, Value: tag.Value})
	}
	notes := map[string]string{}
	for sid, why := range g.Role.Why {
		notes[sid] = why.For
	}
	for i, d := range g.Documents {
		p := policy.SetupPolicy{ID: templateName(g.Purpose, "RoleArn", "Arn") + "Policy", Name: d.Name, Description: g.Role.Description,
			Document: d.Document, Inline: g.Role.Inline, Notes: notes}
		if i > 0 {
			p.ID = fmt.Sprintf("%s%d", p.ID, i+1)
		}
		out.Policies = append(out.Policies, p)
	}
	return out
}

// templateName makes a resource's name in templates of a role's purpose. It
// stays the same whatever role and policy are called.
func templateName(purpose string, endings ...string) string {
	for _, ending := range endings {
		if cut, ok := strings.CutSuffix(purpose, ending); ok {
			purpose = cut
			break
		}
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, purpose)
}
