package steps

import (
	"cmp"
	"fmt"

	"rolecall/steps/describe"
)

// Screen shows the hand-over, then what exists now and what to do next.
func (c *connect) Screen(s *Session) Screen {
	screen := c.screen(s)
	switch c.stage {
	case readyToSubmit:
		screen.Blocks = append([]Block{Text{Body: "rolecall hands the role to " + s.Vendor.Title + ", which then tries to assume it."}}, c.roles(s)...)
		screen.Actions = []Action{{ID: "connect", Label: "connect", Default: true}}
	case submitting, checking, pausing:
		screen.Blocks = c.progress(s)
	case confirmReplace:
		screen.Blocks = append([]Block{Text{Tone: Warning, Body: "This " + s.Vendor.Account.Label + " holds another role now. Connecting replaces it."},
			Facts{{Label: "Held now", Value: c.held, Copy: true}}}, c.roles(s)...)
		screen.Actions = []Action{{ID: "replace", Label: "replace it", Default: true, Confirm: &Confirm{Flag: "--replace-role",
			Question: "Replace the role that " + s.Vendor.Title + " holds?", Given: s.ReplaceRole}}}
	case gaveUp:
		screen.Blocks = appendProblem(c.roles(s), c.problem)
		screen.Actions = c.gaveUpActions()
	case handOver:
		screen.Blocks, screen.Actions = c.handOverBlocks(s)
	case connected:
		screen.Heading = "Connected"
		screen.Blocks = c.summary(s)
		screen.Actions = []Action{{ID: "finish", Label: "finish", Default: true}}
	}
	return screen
}

func (c *connect) gaveUpActions() []Action {
	actions := []Action{{ID: "again", Label: "try again", Default: true}}
	if c.problem != nil && c.problem.Kind == NotAsNeeded {
		actions = append(actions, Action{ID: "role", Key: "r", Label: "back to the role"})
	}
	return actions
}

func (c *connect) roles(s *Session) []Block {
	facts := Facts{}
	for _, role := range s.NeededRoles() {
		facts = append(facts, Fact{Label: role.Title, Value: s.Part(role.Purpose).RoleARN, Copy: true})
	}
	if s.VendorAccount != "" {
		facts = append(facts, Fact{Label: s.Vendor.Account.Label, Value: s.VendorAccount, Note: s.VendorAccountName})
	}
	return []Block{facts}
}

func (c *connect) progress(s *Session) []Block {
	blocks := c.roles(s)
	if c.refusal == nil {
		return append(blocks, Tasks{{Name: "Waiting for " + s.Vendor.Title + " to assume the role", State: Running, Since: c.since}})
	}
	refused := *c.refusal
	refused.Passing, refused.Expected = true, s.Vendor.Title+" to assume the role"
	if c.report != nil && c.report.OK {
		refused.Next = "The role is right: AWS needs a little time until a new one can be assumed. rolecall tries again."
	} else {
		refused.Next = "rolecall tries again."
	}
	waiting := Waiting{For: s.Vendor.Title + " to accept the role", Since: c.since, Until: c.until}
	if c.stage == pausing {
		waiting.Next = c.next
	}
	return append(blocks, waiting, refused)
}

func (c *connect) handOverBlocks(s *Session) ([]Block, []Action) {
	what, facts := "the ARN", Facts{}
	for _, role := range s.NeededRoles() {
		part := s.Part(role.Purpose)
		switch {
		case !part.Submitted.IsZero():
		case role.HandOver == describe.HandOverAccount:
			what = "the AWS account ID"
			facts = append(facts, Fact{Label: "AWS account ID", Value: s.AccountID, Copy: true, Note: role.Field})
		default:
			facts = append(facts, Fact{Label: role.Title, Value: part.RoleARN, Copy: true, Note: role.Field})
		}
	}
	blocks := []Block{Text{Body: "Copy " + what + " and paste it in " + s.Vendor.Whose() + " console, then press Connect there."}, facts}
	if s.Unattended {
		blocks = append(blocks, leftByHand(s, facts)...)
	}
	if len(c.d.Instructions) > 0 {
		blocks = append(blocks, c.instructions(s, nil))
	}
	if page := s.Vendor.Links.Connect; page != "" {
		blocks = append(blocks, Link{Label: s.Vendor.Whose() + " console", URL: page})
	}
	return blocks, []Action{{ID: "handed", Label: "it is pasted", Default: true}}
}

// leftByHand says what nobody pasted yet, where nobody looks at the screen.
func leftByHand(s *Session, facts Facts) []Block {
	where := s.Vendor.Whose() + " console"
	if page := s.Vendor.Links.Connect; page != "" {
		where += " (" + page + ")"
	}
	var blocks []Block
	for _, f := range facts {
		into := ""
		if f.Note != "" {
			into = " into " + f.Note
		}
		blocks = append(blocks, Text{Tone: Warning, Body: "Left for you: paste " + f.Value + into + " in " + where + "."})
	}
	return blocks
}

func (c *connect) summary(s *Session) []Block {
	blocks := []Block{Text{Tone: Good, Body: c.verdict(s)}}
	account := Fact{Label: "AWS account", Value: s.AccountID, Shown: Grouped(s.AccountID), Note: s.Seen.Alias}
	facts := Facts{account}
	if s.AccountID == "" {
		facts = Facts{}
	}
	for _, role := range s.NeededRoles() {
		part := s.Part(role.Purpose)
		facts = append(facts, Fact{Label: "Role", Value: part.RoleARN, Note: part.RoleID, Copy: true})
		for _, p := range part.Policies {
			facts = append(facts, Fact{Label: "Policy", Value: cmp.Or(p.ARN, p.Name), Note: thousands(p.Characters) + " characters · " + shortDigest(p.Digest)})
		}
	}
	if s.VendorAccount != "" {
		facts = append(facts, Fact{Label: s.Vendor.Account.Label, Value: s.VendorAccount, Note: s.VendorAccountName})
	}
	blocks = append(blocks, facts)
	if len(s.Vendor.Next) > 0 {
		blocks = append(blocks, Text{Body: "What to do next:"})
	}
	for _, next := range s.Vendor.Next {
		blocks = append(blocks, Link(next))
	}
	return blocks
}

func (c *connect) verdict(s *Session) string {
	switch {
	case s.posted():
		return "Sent. " + s.Vendor.Whose() + " server took it."
	case s.submits() == nil || s.Part(s.submits().Purpose).Submitted.IsZero():
		return "Handed over by you. " + s.Vendor.Whose() + " console shows whether it accepted the role."
	case c.tries == 0:
		return s.Vendor.Title + " holds this role."
	case c.tries == 1:
		return s.Vendor.Title + " accepted the role at the first try."
	}
	return fmt.Sprintf("%s accepted the role after %s (%d tries).", s.Vendor.Title, clock(c.took), c.tries)
}

// Summary is the last screen's blocks, for the scrollback.
func (s *Session) Summary() []Block {
	if s.Access == describe.AccessUser {
		if c := (&connectUser{}); s.settled(stepConnect, c.basis(s.Answers)...) {
			return c.summary(s)
		}
		return nil
	}
	if !s.settled(stepConnect, (&connect{}).basis(s.Answers)...) {
		return nil
	}
	return (&connect{}).summary(s)
}
