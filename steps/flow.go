package steps

import (
	"cmp"
	"strings"

	"rolecall/steps/describe"
)

// Flow lists the steps of the chosen vendor and method in their order. A walk
// calls it again after every answer and keeps the steps it knows. Without a
// vendor, or without a method, there is only the step that asks for it.
func (s *Session) Flow() []Step {
	described := []describe.Step{{ID: string(stepVendor), Title: "Vendor and method"}}
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
	stepCreate      ID = "create"
	stepStack       ID = "stack"
	stepUser        ID = "user"
	stepCredentials ID = "credentials"
	stepConnect     ID = "connect"
)

// StepNames lists what a description may name as a step.
func StepNames() []ID {
	ids := describe.StepIDs()
	names := make([]ID, len(ids))
	for i, id := range ids {
		names[i] = ID(id)
	}
	return names
}

func (s *Session) step(d describe.Step) Step {
	base := described{d: d}
	switch ID(d.ID) {
	case stepVendor:
		return &chooseVendor{described: base}
	case stepPartition:
		return &choosePartition{described: base}
	case stepLogin:
		return &login{described: base}
	case stepPermissions:
		if len(s.Vendor.Products) == 0 {
			return &showPermissions{choosePermissions{described: base}}
		}
		return &choosePermissions{described: base}
	case stepPolicy:
		return &createPolicy{described: base}
	case stepRole:
		return &createRole{described: base}
	case stepCreate:
		if s.Access == describe.AccessUser {
			return &createUserDirect{described: base}
		}
		return &createDirect{described: base}
	case stepUser:
		return &createUser{described: base}
	case stepCredentials:
		return &credentials{described: base}
	case stepStack:
		return &createStack{described: base}
	case stepConnect:
		if s.Access == describe.AccessUser {
			return &connectUser{described: base}
		}
		if s.Vendor.HandOver.URL != "" {
			return &connectRequest{connect: connect{described: base}}
		}
		return &connect{described: base}
	}
	return nil
}

// described is what every step takes from the vendor's description.
type described struct{ d describe.Step }

// ID is the step's name in the description; a step that is walked once for each
// role has the role's purpose behind it, except for the vendor's first role.
func (b described) ID() ID {
	if b.d.Role == "" {
		return ID(b.d.ID)
	}
	return ID(b.d.ID + ":" + b.d.Role)
}

func (b *described) words() describe.Step { return b.d }

func (b *described) reword(d describe.Step) { b.d = d }

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
// and the one to do next marked: the furthest that what was done leads to.
func (b described) instructions(s *Session, done map[string]bool) Instructions {
	part := s.Part(b.d.Role)
	policies := part.PolicyName
	if len(part.Policies) > 0 {
		policies = part.Policies[0].Name
	}
	fill := strings.NewReplacer("{policy}", policies, "{role}", part.RoleName, "{user}", part.UserName,
		"{managed_policies}", s.managedPolicyNames(b.d.Role))
	in := Instructions{}
	for _, item := range b.d.Instructions {
		in.Items = append(in.Items, fill.Replace(item))
	}
	for event, number := range b.d.Marks {
		if done[event] {
			in.Next = min(max(in.Next, number-1), len(in.Items))
		}
	}
	return in
}

// markOpened is the event that a page was opened; a copy's event is its label.
const markOpened = "opened"

// note remembers what the person did, for the marker.
func note(done map[string]bool, msg Msg) {
	switch msg := msg.(type) {
	case Opened:
		if msg.Err == nil {
			done[markOpened] = true
		}
	case Copied:
		if msg.Err == nil {
			done[msg.Label] = true
		}
	}
}

// Prepare fills in what the description suggests and no answer has set, and
// which roles are needed. It is called whenever vendor or selection change.
func (s *Session) Prepare() {
	for _, role := range s.Vendor.Roles {
		needed := s.needs(role.Purpose)
		noPolicy := needed && s.Vendor.Compose(s.role(role.Purpose), s.Bundles, s.Partition) == nil
		s.setPart(role.Purpose, func(p *Part) {
			p.Needed, p.NoPolicy = needed, noPolicy
			p.PolicyName = cmp.Or(p.PolicyName, role.PolicyName)
			p.RoleName = cmp.Or(p.RoleName, role.RoleName)
			p.UserName = cmp.Or(p.UserName, role.UserName)
		})
	}
	if all := s.Vendor.PartitionsOf(); len(all) == 1 && s.Partition == "" {
		s.Partition = all[0] // there is nothing to ask
	}
	if s.Vendor.Account.Label == "" {
		s.VendorAccount, s.VendorAccountName, s.NewVendorAccount = "", "", ""
	}
	if s.Rehearsal && s.Vendor.API == "" {
		s.rehearseExternalIDs()
	}
}

// rehearseExternalIDs fills in what a person would read in the vendor's
// console, which a rehearsal does not have.
func (s *Session) rehearseExternalIDs() {
	for _, role := range s.NeededRoles() {
		if role.Access == describe.AccessRole && s.needsExternalID(role.Purpose) {
			s.setPart(role.Purpose, func(p *Part) { p.ExternalID = cmp.Or(p.ExternalID, s.Vendor.ExternalID.Example) })
		}
	}
}
