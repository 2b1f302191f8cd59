package step

import (
	"strings"

	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Described is what every step takes from the vendor's description.
type Described struct{ Spec describe.Step }

// ID is the step's name in the description; a step that is walked once for each
// role has the role's purpose behind it, except for the vendor's first role.
func (b Described) ID() record.StepID { return IDOf(b.Spec) }

// IDOf is the ID of a step of a description.
func IDOf(d describe.Step) record.StepID {
	if d.Role == "" {
		return record.StepID(d.ID)
	}
	return record.StepID(d.ID + ":" + d.Role)
}

// Description is what the step was made from.
func (b *Described) Description() describe.Step { return b.Spec }

// Redescribe gives the step another description: another vendor's, or another
// method's, has other words.
func (b *Described) Redescribe(d describe.Step) { b.Spec = d }

// Title is the description's.
func (b Described) Title() string { return b.Spec.Title }

// NewScreen begins a screen with the step's heading and the vendor's own number.
func (b Described) NewScreen(s *Session) screen.Screen {
	screen := screen.Screen{Heading: b.Spec.Title}
	if b.Spec.Number != "" && s.Vendor != nil {
		screen.Place = s.Vendor.Wizard + " " + b.Spec.Number
	}
	return screen
}

// Instructions are the description's, with the names of this session filled in
// and the one to do next marked: the furthest that what was done leads to.
func (b Described) Instructions(s *Session, done map[string]bool) screen.Instructions {
	part := s.Part(b.Spec.Role)
	policies := part.PolicyName
	if len(part.Policies) > 0 {
		policies = part.Policies[0].Name
	}
	managed := access.Grant{Managed: s.Request().Managed(b.Spec.Role)}
	fill := strings.NewReplacer("{policy}", policies, "{role}", part.RoleName, "{user}", part.UserName,
		"{managed_policies}", managed.ManagedNames())
	in := screen.Instructions{}
	for _, item := range b.Spec.Instructions {
		in.Items = append(in.Items, fill.Replace(item))
	}
	for mark, number := range b.Spec.Marks {
		if done[mark] {
			in.Next = min(max(in.Next, number-1), len(in.Items))
		}
	}
	return in
}

// MarkDone remembers what the person did, for the marker: a page that was
// opened, or a copied value by its label.
func MarkDone(done map[string]bool, msg screen.Msg) {
	switch msg := msg.(type) {
	case screen.Opened:
		if msg.Err == nil {
			done[describe.MarkOpened] = true
		}
	case screen.Copied:
		if msg.Err == nil {
			done[msg.Label] = true
		}
	}
}
