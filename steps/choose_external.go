package steps

import (
	"slices"

	"rolecall/aws"
	"rolecall/steps/describe"
)

const (
	optionWithout     = "without"
	optionOwnExternal = "own"
	fieldOwnExternal  = "own-external-id"
)

// withoutExternal asks about a role for which the vendor's template has no
// external ID: that is told, and one can be set. It is the last question of
// the step.
func (c *choosePermissions) withoutExternal(s *Session) (Move, []Effect) {
	for _, role := range s.NeededRoles() {
		if role.Access == describe.AccessRole && role.NoExternal != "" && !slices.Contains(c.without, role.Purpose) {
			c.stage, c.field = askWithout, ""
			c.without = append(c.without, role.Purpose)
			return Stay, nil
		}
	}
	s.settle(stepPermissions, c.basis(s.Answers)...)
	return Next, nil
}

// asked is the purpose of the role that is asked about.
func (c *choosePermissions) asked() string { return c.without[len(c.without)-1] }

// ownExternal takes the external ID to set; empty: none.
func (c *choosePermissions) ownExternal(s *Session, id string) (Move, []Effect) {
	err := aws.CheckExternalID(id)
	if err == nil {
		err = s.Vendor.CheckExternalID(id)
	}
	if err != nil && id != "" {
		c.field = inputProblem(err)
		return Stay, nil
	}
	s.setPart(c.asked(), func(p *Part) { p.ExternalID = id })
	return c.withoutExternal(s)
}

func (c *choosePermissions) externalBlocks(s *Session) []Block {
	role, part := s.role(c.asked()), s.Part(c.asked())
	blocks := []Block{Text{Body: "The role for " + role.Title + ": " + part.RoleName}, Text{Tone: Warning, Body: role.NoExternal}}
	if c.stage == askOwnExternal {
		return append(blocks, Input{ID: fieldOwnExternal, Label: labelExternalID, Value: part.ExternalID, Hint: "as " + s.Vendor.Title + "'s console shows it", Problem: c.field})
	}
	picked := optionWithout
	if part.ExternalID != "" {
		picked = optionOwnExternal
	}
	return append(blocks, Choices{ID: "without", Picked: picked, Options: []Option{
		{ID: optionWithout, Label: "Without an external ID", Detail: "as in " + s.Vendor.Title + "'s own template"},
		{ID: optionOwnExternal, Label: "Set one", Detail: "only if " + s.Vendor.Title + "'s console shows you one for this role"},
	}})
}
