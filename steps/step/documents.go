package step

import (
	"cmp"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/record"
)

// PolicyHints describes the wanted documents; what was seen of the same
// document before is kept as a hint.
func PolicyHints(before []record.PartPolicy, wanted []access.Document) []record.PartPolicy {
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
	g, _ := s.Grant(purpose) // what is missing is said where the documents are shown
	want := g.Want()
	if g.Closed {
		want.Principals, want.ExternalID = g.Trusted, g.ExternalID
	}
	want.RoleARN, want.Approved = s.Part(purpose).RoleARN, s.approvedDigests(g)
	return want
}

// PoliciesOf describes the policies of a made role, for the session.
func (s *Session) PoliciesOf(purpose string, role *aws.Role) []record.PartPolicy {
	g, err := s.Grant(purpose)
	if err != nil {
		return nil
	}
	var all []record.PartPolicy
	for _, d := range g.Documents {
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
	g, _ := s.Grant(purpose) // what is missing is said where the documents are shown
	want := g.WantUser()
	want.PolicyARNs, want.Approved = s.Part(purpose).PolicyARNs(), s.approvedDigests(g)
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

// Request is what this session wants the vendor to get.
func (s *Session) Request() access.Request { return s.Answers.Request(s.Vendor) }

// Grant is what the role or user of one purpose gets. With an error everything
// but the permission documents is there.
func (s *Session) Grant(purpose string) (access.Grant, error) { return s.Request().Grant(purpose) }

// AccessOrRole is what the vendor gets: role, unless user was chosen.
func (s *Session) AccessOrRole() string { return cmp.Or(s.Access, describe.AccessRole) }

// needs reports whether the ticked products need the role of this purpose.
func (s *Session) needs(purpose string) bool {
	return slices.ContainsFunc(s.Request().Needed(), func(role *describe.Role) bool { return role.Purpose == purpose })
}
