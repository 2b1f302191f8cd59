package step

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/steps/record"
)

// TagList is the session's tags, sorted by key.
func (s *Session) TagList() []aws.Tag {
	var tags []aws.Tag
	for key, value := range s.Tags {
		tags = append(tags, aws.Tag{Key: key, Value: value})
	}
	slices.SortFunc(tags, func(a, b aws.Tag) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return tags
}

// PolicyHints describes the wanted documents; what was seen of the same
// document before is kept as a hint.
func PolicyHints(before []record.PartPolicy, wanted []WantedDocument) []record.PartPolicy {
	policies := make([]record.PartPolicy, len(wanted))
	for i, w := range wanted {
		policies[i] = record.PartPolicy{Name: w.Name, Digest: w.Document.Digest(), Characters: w.Document.Characters()}
		j := slices.IndexFunc(before, func(p record.PartPolicy) bool { return p.Digest == policies[i].Digest })
		if j >= 0 {
			policies[i].Name, policies[i].ARN = before[j].Name, before[j].ARN
		}
	}
	return policies
}

// MayAccept reports whether a plan, if one binds, names the policy's document.
func (s *Session) MayAccept(p aws.Policy) bool {
	return s.Plan == nil || p.Document != nil && s.Plan.Approves(p.Document.Digest())
}

// WantedRole is what the role of this purpose has to be.
func (s *Session) WantedRole(purpose string) aws.Want {
	part, role := s.Part(purpose), s.Role(purpose)
	want := aws.Want{
		Partition: s.Partition, AccountID: s.AccountID,
		Principals: s.TrustedAccounts(purpose),
		ExternalID: part.ExternalID, NoExternalID: role.NoExternal != "" && part.ExternalID == "",
		RoleName: part.RoleName, RoleARN: part.RoleARN,
		Path: s.Path, PathGiven: s.Path != "",
		Boundary: s.Boundary, BoundaryGiven: s.Boundary != "",
		PolicyARNs: s.ManagedPolicies(purpose), Approved: s.approvedDigests(purpose),
	}
	if doc, err := s.WantedPolicy(purpose); err == nil && doc != nil {
		want.Policies = append(want.Policies, doc)
	}
	return want
}

// PoliciesOf describes the policies of a made role, for the session.
func (s *Session) PoliciesOf(purpose string, role *aws.Role) []record.PartPolicy {
	documents, err := s.WantedDocuments(purpose)
	if err != nil {
		return nil
	}
	var all []record.PartPolicy
	for _, d := range documents {
		p := record.PartPolicy{Name: d.Name, Digest: d.Document.Digest(), Characters: d.Document.Characters()}
		if role != nil {
			if i := slices.IndexFunc(role.Attached, func(a aws.AttachedPolicy) bool { return strings.EqualFold(a.Name, d.Name) }); i >= 0 {
				p.Name, p.ARN = role.Attached[i].Name, role.Attached[i].ARN
			}
		}
		all = append(all, p)
	}
	return all
}

// WantedUser is what the user of this purpose has to be.
func (s *Session) WantedUser(purpose string) aws.WantUser {
	part := s.Part(purpose)
	want := aws.WantUser{Partition: s.Partition, AccountID: s.AccountID, Name: part.UserName, PolicyARNs: part.PolicyARNs(), Approved: s.approvedDigests(purpose)}
	if doc, err := s.WantedPolicy(purpose); err == nil && doc != nil {
		want.Policies = append(want.Policies, doc)
	}
	return want
}

// PolicyNames are the names of the part's policies.
func (s *Session) PolicyNames(purpose string) string {
	var names []string
	for _, p := range s.Part(purpose).Policies {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// WantedDocument is a policy that has to exist, under a name that is only a
// suggestion.
type WantedDocument struct {
	Name     string
	Document *policy.Document
}

// NeededRoles lists the roles that the ticked products need, or the users where
// the vendor gets those.
func (s *Session) NeededRoles() []*describe.Role {
	return s.Vendor.RolesFor(s.Bundles, s.AccessOrRole())
}

// AccessOrRole is what the vendor gets: role, unless user was chosen.
func (s *Session) AccessOrRole() string { return cmp.Or(s.Access, describe.AccessRole) }

// needs reports whether the ticked products need the role of this purpose.
func (s *Session) needs(purpose string) bool {
	return slices.ContainsFunc(s.NeededRoles(), func(role *describe.Role) bool { return role.Purpose == purpose })
}

// Role finds a role that the description is known to have.
func (s *Session) Role(purpose string) *describe.Role {
	role, ok := s.Vendor.Role(purpose)
	if !ok {
		return &describe.Role{Purpose: purpose}
	}
	return role
}

// ManagedPolicies are the ARNs of the AWS managed policies that a role has to
// have attached.
func (s *Session) ManagedPolicies(purpose string) []string {
	return s.Role(purpose).ManagedARNs(s.Partition)
}

// ManagedPolicyNames are the names of those, as the console lists them, in one
// phrase.
func (s *Session) ManagedPolicyNames(purpose string) string {
	var names []string
	for _, arn := range s.ManagedPolicies(purpose) {
		names = append(names, PolicyNameOf(arn))
	}
	return strings.Join(names, " and ")
}

// PolicyNameOf is the name in the ARN of a managed policy, without its path.
func PolicyNameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// WantedPolicy is all that the vendor's own policy has to grant a role, in one
// document: composed from what is ticked, with parameters filled in and
// restrictions applied. It is nil when nothing ticked needs that policy. The error names a parameter
// without a value.
func (s *Session) WantedPolicy(purpose string) (*policy.Document, error) {
	role := s.Role(purpose)
	doc := s.Vendor.Compose(role, s.Bundles, s.Partition)
	if doc == nil {
		return nil, nil
	}
	if len(role.Parameters) > 0 {
		filled, err := role.Fill(doc, s.Parameters)
		if err != nil {
			return nil, err
		}
		doc = filled
	}
	return s.Restricted(doc).Document, nil
}

// Restricted limits a document to the regions and the tag that were asked for.
func (s *Session) Restricted(doc *policy.Document) policy.Restriction {
	restriction := policy.Restriction{Document: doc}
	if len(s.Regions) > 0 {
		restriction = doc.RestrictRegions(s.Regions...)
	}
	if key, value, ok := strings.Cut(s.RestrictTag, "="); ok {
		kept := restriction.Kept
		restriction = restriction.Document.RestrictTag(key, value)
		restriction.Kept = append(kept, restriction.Kept...)
	}
	return restriction
}

// WantedDocuments are the policies that have to exist for a role: one, or as
// few as possible where one would exceed what IAM takes. There is none where
// AWS managed policies are all that it needs.
func (s *Session) WantedDocuments(purpose string) ([]WantedDocument, error) {
	whole, err := s.WantedPolicy(purpose)
	if whole == nil || err != nil {
		return nil, err
	}
	name := s.Part(purpose).PolicyName
	if s.Role(purpose).Inline {
		return []WantedDocument{{name, whole}}, nil
	}
	parts, err := whole.Split(policy.MaxManaged, policy.MaxAttached-len(s.ManagedPolicies(purpose)))
	if err != nil {
		return nil, err
	}
	documents := make([]WantedDocument, len(parts))
	for i, part := range parts {
		documents[i] = WantedDocument{name, part}
		if i > 0 {
			documents[i].Name = fmt.Sprintf("%s-%d", name, i+1)
		}
	}
	return documents, nil
}

// TrustedAccounts are the vendor's AWS accounts that a role has to trust.
func (s *Session) TrustedAccounts(purpose string) []string {
	accounts := s.Vendor.TrustedAccounts(s.Role(purpose), s.Partition)
	if len(accounts) == 0 && s.TrustedAccount != "" {
		return []string{s.TrustedAccount}
	}
	return accounts
}

// WantedTrust is the trust policy that a role has to have.
func (s *Session) WantedTrust(purpose string) *policy.Document {
	return s.Vendor.Trust(s.Role(purpose), s.Partition, s.TrustedAccount, s.Part(purpose).ExternalID)
}
