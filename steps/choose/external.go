package choose

import (
	"slices"

	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

const (
	optionWithout     = "without"
	optionOwnExternal = "own"
	fieldOwnExternal  = "own-external-id"
)

// withoutExternal asks about a role for which the vendor's template has no
// external ID: that is told, and one can be set. It is the last question of
// the step.
func (c *Permissions) withoutExternal(s *step.Session) (step.Move, []screen.Effect) {
	for _, role := range s.Request().Needed() {
		if role.Access == describe.AccessRole && role.NoExternal != "" && !slices.Contains(c.without, role.Purpose) {
			c.stage, c.field = askWithout, ""
			c.without = append(c.without, role.Purpose)
			return step.Stay, nil
		}
	}
	s.Answered(record.StepPermissions, c.basis(s.Answers)...)
	return step.Next, nil
}

// asked is the purpose of the role that is asked about.
func (c *Permissions) asked() string { return c.without[len(c.without)-1] }

// ownExternal takes the external ID to set; empty: none.
func (c *Permissions) ownExternal(s *step.Session, text string) (step.Move, []screen.Effect) {
	id, err := s.PastedExternalID(text)
	if err != nil && id != "" {
		c.field = step.InputProblem(err)
		return step.Stay, nil
	}
	s.SetPart(c.asked(), func(p *record.Part) { p.ExternalID = id })
	return c.withoutExternal(s)
}

func (c *Permissions) externalBlocks(s *step.Session) []screen.Block {
	role, part := s.Request().Role(c.asked()), s.Part(c.asked())
	blocks := []screen.Block{
		screen.Text{Body: "The role for " + role.Title + ": " + part.RoleName},
		screen.Text{Tone: screen.Warning, Body: role.NoExternal},
	}
	if c.stage == askOwnExternal {
		return append(
			blocks,
			screen.Input{
				ID:      fieldOwnExternal,
				Label:   step.LabelExternalID,
				Value:   part.ExternalID,
				Hint:    "as " + s.Vendor.Title + "'s console shows it",
				Problem: c.field,
			},
		)
	}
	picked := optionWithout
	if part.ExternalID != "" {
		picked = optionOwnExternal
	}
	return append(blocks, screen.Choices{ID: "without", Picked: picked, Options: []screen.Option{
		{ID: optionWithout, Label: "Without an external ID", Detail: "as in " + s.Vendor.Title + "'s own template"},
		{ID: optionOwnExternal, Label: "Set one", Detail: "only if " + s.Vendor.Title + "'s console shows you one for this role"},
	}})
}
