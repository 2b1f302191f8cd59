package steps

import (
	"cmp"
	"strings"

	"rolecall/policy"
	"rolecall/steps/vendor"
)

// Flow lists the steps of the chosen vendor and method in their order. A walk
// calls it again after every answer and keeps the steps it knows. Without a
// vendor, or without a method, there is only the step that asks for it.
func (s *Session) Flow() []Step {
	described := []vendor.Step{{ID: string(stepVendor), Title: "Vendor and method"}}
	if s.Vendor != nil {
		if method, ok := s.Vendor.Method(s.Method, s.Access); ok {
			described = method.Steps
		}
	}
	flow := make([]Step, 0, len(described))
	for _, d := range described {
		if step := s.step(d); step != nil {
			flow = append(flow, step)
		}
	}
	return flow
}

// The steps that descriptions can name. A new step is its file and a line here.
const (
	stepVendor      ID = "vendor"
	stepPartition   ID = "partition"
	stepLogin       ID = "login"
	stepPermissions ID = "permissions"
	stepPolicy      ID = "policy"
	stepRole        ID = "role"
	stepConnect     ID = "connect"
)

// StepNames lists what a description may name as a step.
func StepNames() []ID {
	return []ID{stepVendor, stepPartition, stepLogin, stepPermissions, stepPolicy, stepRole, stepConnect}
}

func (s *Session) step(d vendor.Step) Step {
	base := described{d: d}
	switch ID(d.ID) {
	case stepVendor:
		return &chooseVendor{described: base}
	case stepPartition:
		return &choosePartition{described: base}
	case stepLogin:
		return &login{described: base}
	case stepPermissions:
		return &choosePermissions{described: base}
	case stepPolicy:
		return &createPolicy{described: base}
	case stepRole:
		return &createRole{described: base}
	case stepConnect:
		return &connect{described: base}
	}
	return nil
}

// described is what every step takes from the vendor's description.
type described struct{ d vendor.Step }

// ID is the step's name in the description; a step that is walked once for each
// role has the role's purpose behind it, except for the vendor's first role.
func (b described) ID() ID {
	if b.d.Role == "" {
		return ID(b.d.ID)
	}
	return ID(b.d.ID + ":" + b.d.Role)
}

// Title is the description's.
func (b described) Title() string { return b.d.Title }

// screen begins a screen with the step's heading and the vendor's own number.
func (b described) screen(s *Session) Screen {
	screen := Screen{Heading: b.d.Title}
	if b.d.Number != "" && s.Vendor != nil {
		screen.Place = s.Vendor.Wizard + " " + b.d.Number
	}
	return screen
}

// instructions are the description's, with the names of this session filled in
// and the one to do next marked.
func (b described) instructions(s *Session, next int) Instructions {
	part := s.Part(b.d.Role)
	fill := strings.NewReplacer("{policy}", part.PolicyName, "{role}", part.RoleName)
	in := Instructions{Next: min(next, len(b.d.Instructions))}
	for _, item := range b.d.Instructions {
		in.Items = append(in.Items, fill.Replace(item))
	}
	return in
}

// NeededRoles lists the roles that the ticked products need.
func (s *Session) NeededRoles() []*vendor.Role {
	return s.Vendor.RolesFor(s.Bundles, vendor.AccessRole)
}

// needs reports whether the ticked products need the role of this purpose.
func (s *Session) needs(purpose string) bool {
	for _, role := range s.NeededRoles() {
		if role.Purpose == purpose {
			return true
		}
	}
	return false
}

// role finds a role that the description is known to have.
func (s *Session) role(purpose string) *vendor.Role {
	role, ok := s.Vendor.Role(purpose)
	if !ok {
		return &vendor.Role{Purpose: purpose}
	}
	return role
}

// WantedPolicy is the permissions policy that a role has to have, nil when
// nothing ticked needs the role. The error names a parameter without a value.
func (s *Session) WantedPolicy(purpose string) (*policy.Document, error) {
	role := s.role(purpose)
	doc := s.Vendor.Compose(role, s.Bundles, s.Partition)
	if doc == nil || len(role.Parameters) == 0 {
		return doc, nil
	}
	return role.Fill(doc, s.Parameters)
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

// Prepare fills in what the description suggests and no answer has set, and
// which roles are needed. It is called whenever vendor or selection change.
func (s *Session) Prepare() {
	for _, role := range s.Vendor.Roles {
		needed := s.needs(role.Purpose)
		s.setPart(role.Purpose, func(p *Part) {
			p.Needed = needed
			p.PolicyName = cmp.Or(p.PolicyName, role.PolicyName)
			p.RoleName = cmp.Or(p.RoleName, role.RoleName)
		})
	}
}
