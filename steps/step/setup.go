package step

import (
	"fmt"
	"strings"

	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
)

// Setup is all that the needed roles take, for the exports: the same documents
// as in every other method. The error names what is not known.
func (s *Session) Setup() (*policy.Setup, error) {
	setup := &policy.Setup{Description: "Access of " + s.Vendor.Title + " to this account, made by rolecall", Partition: s.Partition}
	for _, role := range s.NeededRoles() {
		made, err := s.setupRole(role)
		if err != nil {
			return nil, err
		}
		setup.Roles = append(setup.Roles, made)
	}
	return setup, nil
}

func (s *Session) setupRole(role *describe.Role) (policy.SetupRole, error) {
	part := s.Part(role.Purpose)
	out := policy.SetupRole{ID: templateName(role.Purpose, "Arn"), Name: part.RoleName, Path: s.Path, Description: role.Description,
		AccountIDs: s.TrustedAccounts(role.Purpose), ExternalID: part.ExternalID, ManagedPolicies: s.ManagedPolicies(role.Purpose), Boundary: s.Boundary, SessionDuration: s.SessionFor, Output: role.Purpose}
	for _, tag := range s.TagList() {
		out.Tags = append(out.Tags, policy.SetupTag{Key: tag.Key, Value: tag.Value})
	}
	if len(out.AccountIDs) == 0 {
		return out, &screen.Fault{Problem: screen.Problem{What: "The AWS account of " + s.Vendor.Title + " is not known.",
			Expected: "an account for the trust policy of " + part.RoleName, Next: "Go back to the partition, or give --trusted-account.", Kind: screen.Usage}}
	}
	documents, err := s.WantedDocuments(role.Purpose)
	if err != nil {
		return out, err
	}
	notes := map[string]string{}
	for sid, why := range role.Why {
		notes[sid] = why.For
	}
	for i, d := range documents {
		p := policy.SetupPolicy{ID: templateName(role.Purpose, "RoleArn", "Arn") + "Policy", Name: d.Name, Description: role.Description,
			Document: d.Document, Inline: role.Inline, Notes: notes}
		if i > 0 {
			p.ID = fmt.Sprintf("%s%d", p.ID, i+1)
		}
		out.Policies = append(out.Policies, p)
	}
	return out, nil
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
