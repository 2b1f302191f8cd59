package step

import (
	"cmp"
	"crypto/rand"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/record"
)

// Prepare fills in what the description suggests and no answer has set, and
// which roles are needed. It is called whenever vendor or selection change.
func (s *Session) Prepare() {
	request := s.Request()
	for _, role := range s.Vendor.Roles {
		needed := s.needs(role.Purpose)
		noPolicy := needed && !request.OwnPolicy(role.Purpose)
		s.SetPart(role.Purpose, func(p *record.Part) {
			p.Needed, p.NoPolicy = needed, noPolicy
			p.PolicyName = cmp.Or(p.PolicyName, role.PolicyName)
			p.RoleName = cmp.Or(p.RoleName, role.RoleName)
			p.UserName = cmp.Or(p.UserName, role.UserName)
			if role.Later() && p.Closed == "" {
				p.Closed = aws.ClosedPrefix + rand.Text()
			}
		})
	}
	if all := s.Vendor.PartitionsOf(); len(all) == 1 && s.Partition == "" {
		s.Partition = all[0] // there is nothing to ask
	}
	if s.Vendor.Account.Label == "" {
		s.VendorAccount, s.VendorAccountName, s.NewVendorAccount = "", "", ""
	}
	if s.Rehearsal && s.Unattended && s.Vendor.API == "" {
		s.rehearseExternalIDs()
	}
}

// rehearseExternalIDs fills in what a person would read in the vendor's
// console, which a rehearsal does not have and nobody is there to be asked for.
func (s *Session) rehearseExternalIDs() {
	for _, role := range s.Request().Needed() {
		if role.Access == describe.AccessRole && s.needsExternalID(role.Purpose) && !role.Later() {
			s.SetPart(role.Purpose, func(p *record.Part) { p.ExternalID = cmp.Or(p.ExternalID, s.Vendor.ExternalID.Example) })
		}
	}
}
