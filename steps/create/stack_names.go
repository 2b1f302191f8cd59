package create

import (
	"strings"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

const (
	fieldStackName = "stack-name"
	fieldOutput    = "output "
)

// beginNaming opens the fields for the names of the stack and of what it makes.
func (c *Stack) beginNaming(s *step.Session) {
	c.stage, c.problem, c.field = inStackNaming, nil, map[string]string{}
	c.draft = map[string]string{fieldStackName: stackName(s)}
	for _, role := range s.NeededRoles() {
		part := s.Part(role.Purpose)
		c.draft[fieldRoleName+role.Purpose] = part.RoleName
		if !part.NoPolicy {
			c.draft[fieldPolicyName+role.Purpose] = part.PolicyName
		}
	}
}

func (c *Stack) typed(id, text string) {
	delete(c.field, id)
	if _, ok := c.draft[id]; ok && c.stage == inStackNaming {
		c.draft[id] = strings.TrimSpace(text)
	}
}

// useNames takes the names when all of them are such, and looks at the stack.
func (c *Stack) useNames(s *step.Session) []screen.Effect {
	if c.stage != inStackNaming {
		return nil
	}
	for id, name := range c.draft {
		check := aws.CheckStackName
		switch {
		case strings.HasPrefix(id, fieldRoleName):
			check = aws.CheckRoleName
		case strings.HasPrefix(id, fieldPolicyName):
			check = aws.CheckPolicyName
		}
		if err := check(name); err != nil {
			c.field[id] = step.InputProblem(err)
		}
	}
	if len(c.field) > 0 {
		return nil
	}
	if name := c.draft[fieldStackName]; name != s.Stack.Name {
		s.Stack.Name, s.Stack.ID, s.Stack.Token = name, "", ""
	}
	for _, role := range s.NeededRoles() {
		roleName, policyName := c.draft[fieldRoleName+role.Purpose], c.draft[fieldPolicyName+role.Purpose]
		s.SetPart(role.Purpose, func(p *record.Part) {
			p.NameGiven = p.NameGiven || roleName != p.RoleName
			p.RoleName, p.PolicyName = roleName, policyName
		})
	}
	return c.look(s)
}

// naming shows the fields. Unattended, the flags that fill them are named.
func (c *Stack) naming(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{
		screen.Text{Body: "What should the stack and what it makes be called?"},
		screen.Input{ID: fieldStackName, Label: "Stack name", Value: c.draft[fieldStackName], Problem: c.field[fieldStackName], Flag: "--stack-name"},
	}
	for _, role := range s.NeededRoles() {
		suffix := ""
		if len(s.NeededRoles()) > 1 {
			suffix = " · " + role.Title
		}
		for _, f := range []struct{ id, label, flag string }{
			{fieldRoleName + role.Purpose, "Role name", "--role-name"}, {fieldPolicyName + role.Purpose, "Policy name", "--policy-name"},
		} {
			if _, asked := c.draft[f.id]; !asked {
				continue // the role has no policy of the vendor's
			}
			blocks = append(blocks, screen.Input{ID: f.id, Label: f.label + suffix, Value: c.draft[f.id], Problem: c.field[f.id], Flag: f.flag})
		}
	}
	return blocks, []screen.Action{{ID: "use", Label: "use these names", Default: true}}
}
