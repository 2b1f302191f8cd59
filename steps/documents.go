package steps

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
	"rolecall/steps/describe"
)

// WantedDocument is a policy that has to exist, under a name that is only a
// suggestion.
type WantedDocument struct {
	Name     string
	Document *policy.Document
}

// NeededRoles lists the roles that the ticked products need, or the users where
// the vendor gets those.
func (s *Session) NeededRoles() []*describe.Role {
	return s.Vendor.RolesFor(s.Bundles, s.access())
}

// access is what the vendor gets: role, unless user was chosen.
func (s *Session) access() string { return cmp.Or(s.Access, describe.AccessRole) }

// needs reports whether the ticked products need the role of this purpose.
func (s *Session) needs(purpose string) bool {
	return slices.ContainsFunc(s.NeededRoles(), func(role *describe.Role) bool { return role.Purpose == purpose })
}

// role finds a role that the description is known to have.
func (s *Session) role(purpose string) *describe.Role {
	role, ok := s.Vendor.Role(purpose)
	if !ok {
		return &describe.Role{Purpose: purpose}
	}
	return role
}

// ManagedPolicies are the ARNs of the AWS managed policies that a role has to
// have attached.
func (s *Session) ManagedPolicies(purpose string) []string {
	return s.role(purpose).ManagedARNs(s.Partition)
}

// managedPolicyNames are the names of those, as the console lists them, in one
// phrase.
func (s *Session) managedPolicyNames(purpose string) string {
	var names []string
	for _, arn := range s.ManagedPolicies(purpose) {
		names = append(names, policyNameOf(arn))
	}
	return strings.Join(names, " and ")
}

// policyNameOf is the name in the ARN of a managed policy, without its path.
func policyNameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// WantedPolicy is all that the vendor's own policy has to grant a role, in one
// document: composed from what is ticked, with parameters filled in and
// restrictions applied. It is nil when nothing ticked needs that policy. The error names a parameter
// without a value.
func (s *Session) WantedPolicy(purpose string) (*policy.Document, error) {
	role := s.role(purpose)
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
	return s.restricted(doc).Document, nil
}

// restricted limits a document to the regions and the tag that were asked for.
func (s *Session) restricted(doc *policy.Document) policy.Restriction {
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
	if s.role(purpose).Inline {
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
	accounts := s.Vendor.TrustedAccounts(s.role(purpose), s.Partition)
	if len(accounts) == 0 && s.TrustedAccount != "" {
		return []string{s.TrustedAccount}
	}
	return accounts
}

// WantedTrust is the trust policy that a role has to have.
func (s *Session) WantedTrust(purpose string) *policy.Document {
	return s.Vendor.Trust(s.role(purpose), s.Partition, s.TrustedAccount, s.Part(purpose).ExternalID)
}

// documentsBasis is what the documents of a role rest on.
func (a *Answers) documentsBasis() []string {
	return []string{a.Vendor, a.Partition, strings.Join(a.Bundles, ","), fmt.Sprint(a.Parameters), strings.Join(a.Regions, ","), a.RestrictTag}
}
