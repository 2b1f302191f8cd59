package choose

import (
	"fmt"
	"strings"

	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// FixedPermissions is the permissions step of a vendor without products to
// choose from: it shows what the vendor gets, action by action with its reason,
// and what it does not get.
type FixedPermissions struct{ Permissions }

// Screen shows the actions, or the field for a parameter.
func (c *FixedPermissions) Screen(s *step.Session) screen.Screen {
	if c.stage != pickKind {
		return c.Permissions.Screen(s)
	}
	view := c.NewScreen(s)
	if c.Spec.About != "" {
		view.Blocks = append(view.Blocks, screen.Text{Body: c.Spec.About})
	}
	if len(s.Vendor.NoAccess) > 0 {
		view.Blocks = append(view.Blocks, screen.Text{Body: strings.Join(s.Vendor.NoAccess, " ")})
	}
	view.Blocks = append(view.Blocks, c.Guide(s)...)
	for _, role := range s.Request().Needed() {
		if facts := grantFacts(role); len(facts) > 0 {
			view.Blocks = append(view.Blocks, facts)
		}
		view.Blocks = append(view.Blocks, awsPolicyBlocks(s, role)...)
		for _, size := range c.sizes {
			view.Blocks = append(
				view.Blocks,
				screen.Text{
					Tone: screen.Dim,
					Body: fmt.Sprintf("The policy has %s of %s characters.", screen.Thousands(size.used), screen.Thousands(role.Limit())),
				},
			)
		}
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	view.Actions = []screen.Action{{ID: optionStandard, Label: "next", Default: true}}
	return view
}

// awsPolicyBlocks name the AWS managed policies of a role. What they grant is
// AWS's to say; of those that grant nearly everything it is said here.
func awsPolicyBlocks(s *step.Session, role *describe.Role) []screen.Block {
	var facts screen.Facts
	var warnings []screen.Block
	for i, arn := range s.Request().Managed(role.Purpose) {
		facts = append(
			facts,
			screen.Fact{Label: access.PolicyNameOf(arn), Value: "AWS's own policy, " + arn, Note: "AWS can change what it grants"},
		)
		if grants := describe.Sweeping(role.ManagedPolicies[i]); grants != "" {
			warnings = append(
				warnings,
				screen.Text{Tone: screen.Warning, Body: access.PolicyNameOf(arn) + " lets " + s.Vendor.Title + " do " + grants + "."},
			)
		}
	}
	if facts == nil {
		return nil
	}
	return append([]screen.Block{facts}, warnings...)
}

// grantFacts lists each action once, with what it is for: by itself where it has
// a reason of its own, else with the others of its statement.
func grantFacts(role *describe.Role) screen.Facts {
	var facts screen.Facts
	listed := map[string]bool{}
	for _, statement := range role.Document.Statements {
		why := role.Why[statement.Sid]
		var together []string
		for _, action := range statement.Action {
			switch {
			case listed[action]:
				continue
			case why.Actions[action] != "":
				facts = append(facts, screen.Fact{Label: action, Value: why.Actions[action]})
			default:
				together = append(together, action)
			}
			listed[action] = true
		}
		switch len(together) {
		case 0:
		case 1:
			facts = append(facts, screen.Fact{Label: together[0], Value: why.For})
		default:
			count := screen.Counted(len(together), "action")
			facts = append(facts, screen.Fact{Label: count, Value: why.For, Note: strings.Join(together, ", ")})
		}
	}
	return facts
}
