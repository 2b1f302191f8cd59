package choose

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// FixedPermissions is the permissions step of a vendor without products to
// choose from: it shows what the vendor gets, action by action with its reason,
// and what it does not get.
type FixedPermissions struct{ Permissions }

// Update takes the parameters, and shows once more what is granted where they
// decide about it.
func (c *FixedPermissions) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	asked := c.stage == askParameter
	move, effects := c.Permissions.Update(s, msg)
	if asked && move == step.Next && slices.ContainsFunc(s.Request().Needed(), (*describe.Role).Settled) {
		c.stage = pickKind
		return step.Stay, effects
	}
	return move, effects
}

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
		if facts := tokenFacts(s, role); facts != nil {
			view.Blocks = append(view.Blocks, facts)
		}
		view.Blocks = append(view.Blocks, managedBlocks(s, role)...)
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

// managedBlocks name the managed policies of a role that exist already. What they
// grant is for AWS or the customer to say; of those that grant nearly everything it
// is said here.
func managedBlocks(s *step.Session, role *describe.Role) []screen.Block {
	var facts screen.Facts
	var warnings []screen.Block
	for _, arn := range s.Request().Managed(role.Purpose) {
		note := "AWS can change what it grants"
		if !aws.OfAWS(arn) {
			note = "yours: rolecall does not know what it grants"
		}
		facts = append(facts, screen.Fact{Label: access.PolicyNameOf(arn), Value: access.PolicyKind(arn) + ", " + arn, Note: note})
		if grants := describe.Sweeping(arn); grants != "" {
			warnings = append(warnings, screen.Text{Tone: screen.Warning,
				Body: access.PolicyNameOf(arn) + " grants nearly everything: it lets " + s.Vendor.Title + " do " + grants + "."})
		}
	}
	if facts == nil {
		return nil
	}
	return append([]screen.Block{facts}, warnings...)
}

// tokenFacts say whose tokens get in, as far as that was said.
func tokenFacts(s *step.Session, role *describe.Role) screen.Facts {
	if role.WebIdentity.None() {
		return nil
	}
	w := role.WebIdentity
	facts := screen.Facts{{Label: "Tokens of", Value: describe.FillWords(w.Issuer, s.Parameters)},
		{Label: "For", Value: describe.FillWords(w.Audience, s.Parameters)},
		{Label: "About", Value: describe.FillWords(w.Subject, s.Parameters)}}
	for _, name := range role.ParameterNames() {
		if p := role.Parameters[name]; p.Check(s.Parameters[name]) != nil {
			facts = append(facts, screen.Fact{Label: "{" + name + "}", Value: "asked for next: " + p.Label})
		}
	}
	return facts
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
