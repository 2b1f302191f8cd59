package steps

import (
	"fmt"

	"rolecall/policy"
	"rolecall/steps/describe"
)

// showPermissions is the permissions step of a vendor without products to
// choose from: it shows what the vendor gets, action by action with its reason,
// and what it does not get.
type showPermissions struct{ choosePermissions }

// Screen shows the actions, or the field for a parameter.
func (c *showPermissions) Screen(s *Session) Screen {
	if c.stage != pickKind {
		return c.choosePermissions.Screen(s)
	}
	screen := c.screen(s)
	if c.d.About != "" {
		screen.Blocks = append(screen.Blocks, Text{Body: c.d.About})
	}
	for _, role := range s.NeededRoles() {
		if facts := grantFacts(role); len(facts) > 0 {
			screen.Blocks = append(screen.Blocks, facts)
		}
		screen.Blocks = append(screen.Blocks, awsPolicyBlocks(s, role)...)
		for _, size := range c.sizes {
			screen.Blocks = append(screen.Blocks, Text{Tone: Dim, Body: fmt.Sprintf("The policy has %s of %s characters.", thousands(size.used), thousands(limitOf(role)))})
		}
	}
	var not Facts
	for _, no := range s.Vendor.NoAccess {
		not = append(not, Fact{Label: "Not granted", Value: no})
	}
	if len(not) > 0 {
		screen.Blocks = append(screen.Blocks, not)
	}
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	screen.Actions = []Action{{ID: optionStandard, Label: "next", Default: true}}
	return screen
}

// awsPolicyBlocks name the AWS managed policies of a role. What they grant is
// AWS's to say; of those that grant nearly everything it is said here.
func awsPolicyBlocks(s *Session, role *describe.Role) []Block {
	var facts Facts
	var warnings []Block
	for i, arn := range s.ManagedPolicies(role.Purpose) {
		facts = append(facts, Fact{Label: policyNameOf(arn), Value: "AWS's own policy, " + arn, Note: "AWS can change what it grants"})
		if grants := describe.Sweeping(role.ManagedPolicies[i]); grants != "" {
			warnings = append(warnings, Text{Tone: Warning, Body: policyNameOf(arn) + " lets " + s.Vendor.Title + " do " + grants + "."})
		}
	}
	if facts == nil {
		return nil
	}
	return append([]Block{facts}, warnings...)
}

// limitOf is how many characters the role's policy may have.
func limitOf(role *describe.Role) int {
	if role.Inline {
		return policy.MaxRoleInline
	}
	return policy.MaxManaged
}

// grantFacts lists each action once, with what it is for: its own reason, else
// its statement's.
func grantFacts(role *describe.Role) Facts {
	var facts Facts
	listed := map[string]bool{}
	for _, statement := range role.Document.Statements {
		why := role.Why[statement.Sid]
		for _, action := range statement.Action {
			if listed[action] {
				continue
			}
			listed[action] = true
			reason := why.Actions[action]
			if reason == "" {
				reason = why.For
			}
			facts = append(facts, Fact{Label: action, Value: reason})
		}
	}
	return facts
}
