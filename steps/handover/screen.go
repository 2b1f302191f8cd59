package handover

import (
	"cmp"
	"fmt"

	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Screen shows the hand-over, then what exists now and what to do next.
func (c *Connect) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	switch c.stage {
	case readyToSubmit:
		view.Blocks = append(
			[]screen.Block{screen.Text{Body: "rolecall hands the role to " + s.Vendor.Title + ", which then tries to assume it."}},
			c.roles(s)...)
		view.Actions = []screen.Action{{ID: "connect", Label: "connect", Default: true, Writes: true}}
	case submitting, checking, pausing:
		view.Blocks = c.progress(s)
	case confirmReplace:
		view.Blocks = append(
			[]screen.Block{
				screen.Text{Tone: screen.Warning, Body: "This " + s.Vendor.Account.Label + " holds another role now. Connecting replaces it."},
				screen.Facts{{Label: "Held now", Value: c.held, Copy: true}},
			},
			c.roles(s)...)
		view.Actions = []screen.Action{
			{ID: "replace", Label: "replace it", Default: true, Writes: true, Confirm: &screen.Confirm{Flag: "--replace-role",
				Question: "Replace the role that " + s.Vendor.Title + " holds?", Given: s.ReplaceRole}},
		}
	case gaveUp:
		view.Actions = c.gaveUpActions()
		view.Blocks = screen.ProblemFirst(append(c.causesFound(), c.roles(s)...), c.mended())
	case handOver:
		view.Blocks, view.Actions = c.handOverBlocks(s)
	case connected:
		view.Heading = "Connected"
		view.Blocks = c.summary(s)
		view.Actions = []screen.Action{{ID: "finish", Label: "finish", Default: true}}
	}
	return view
}

// mended is the problem with the action that mends it: the role is mended where it
// was made.
func (c *Connect) mended() *screen.Problem {
	if c.problem == nil || c.problem.Kind != screen.NotAsNeeded {
		return c.problem
	}
	p := *c.problem
	p.Action = actionRole
	return &p
}

const actionRole = "role"

func (c *Connect) gaveUpActions() []screen.Action {
	actions := []screen.Action{{ID: "again", Label: "try again", Default: true}}
	if c.problem != nil && c.problem.Kind == screen.NotAsNeeded {
		actions = append(actions, screen.Action{ID: actionRole, Key: "r", Label: "back to the role"})
	}
	return actions
}

func (c *Connect) roles(s *step.Session) []screen.Block {
	facts := screen.Facts{}
	for _, role := range s.Request().Needed() {
		facts = append(facts, screen.Fact{Label: role.Title, Value: s.Part(role.Purpose).RoleARN, Copy: true})
	}
	if s.VendorAccount != "" {
		facts = append(facts, screen.Fact{Label: s.Vendor.Account.Label, Value: s.VendorAccount, Note: s.VendorAccountName})
	}
	return []screen.Block{facts}
}

func (c *Connect) progress(s *step.Session) []screen.Block {
	blocks := c.roles(s)
	if c.refusal == nil {
		return append(
			blocks,
			screen.Tasks{{Name: "Waiting for " + s.Vendor.Title + " to assume the role", State: screen.Running, Since: c.since}},
		)
	}
	refused := *c.refusal
	refused.Passing, refused.Expected = true, s.Vendor.Title+" to assume the role"
	if c.report != nil && c.report.OK {
		refused.Next = "The role is right: AWS needs a little time until a new one can be assumed. rolecall tries again."
	} else {
		refused.Next = "rolecall tries again."
	}
	waiting := screen.Waiting{For: s.Vendor.Title + " to accept the role", Since: c.since, Until: c.until}
	if c.stage == pausing {
		waiting.Next = c.next
	}
	return append(blocks, waiting, refused)
}

func (c *Connect) handOverBlocks(s *step.Session) ([]screen.Block, []screen.Action) {
	what, facts := "the ARN", screen.Facts{}
	for _, role := range s.Request().Needed() {
		part := s.Part(role.Purpose)
		switch {
		case !part.Submitted.IsZero():
		case role.HandOver == describe.HandOverAccount:
			what = "the AWS account ID"
			facts = append(facts, screen.Fact{Label: "AWS account ID", Value: s.AccountID, Copy: true, Note: role.Field})
		default:
			facts = append(facts, screen.Fact{Label: role.Title, Value: part.RoleARN, Copy: true, Note: role.Field})
		}
	}
	paste := " and paste it in "
	if len(facts) > 1 {
		what, paste = "the ARNs", ", and paste each where it belongs in "
	}
	blocks := []screen.Block{screen.Text{Body: "Copy " + what + paste + s.Vendor.Whose() + " console, then press Connect there."}, facts}
	if s.Unattended {
		blocks = append(blocks, leftByHand(s, facts)...)
	}
	blocks = append(blocks, c.Guide(s)...)
	if page := s.Vendor.Links.Connect; page != "" {
		blocks = append(blocks, screen.Link{Label: s.Vendor.Whose() + " console", URL: page})
	}
	return blocks, []screen.Action{{ID: "handed", Label: "it is pasted", Default: true}}
}

// leftByHand says what nobody pasted yet, where nobody looks at the screen.
func leftByHand(s *step.Session, facts screen.Facts) []screen.Block {
	where := s.Vendor.Whose() + " console"
	if page := s.Vendor.Links.Connect; page != "" {
		where += " (" + page + ")"
	}
	var blocks []screen.Block
	for _, f := range facts {
		into := ""
		if f.Note != "" {
			into = " into " + f.Note
		}
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: "Left for you: paste " + f.Value + into + " in " + where + "."})
	}
	return blocks
}

func (c *Connect) summary(s *step.Session) []screen.Block {
	blocks := []screen.Block{screen.Text{Tone: screen.Good, Body: c.verdict(s)}}
	account := screen.Fact{Label: "AWS account", Value: s.AccountID, Shown: screen.Grouped(s.AccountID), Note: s.Seen.Alias}
	facts := screen.Facts{account}
	if s.AccountID == "" {
		facts = screen.Facts{}
	}
	for _, role := range s.Request().Needed() {
		part := s.Part(role.Purpose)
		facts = append(facts, screen.Fact{Label: "Role", Value: part.RoleARN, Note: part.RoleID, Copy: true})
		for _, p := range part.Policies {
			facts = append(
				facts,
				screen.Fact{
					Label: "Policy",
					Value: cmp.Or(p.ARN, p.Name),
					Note:  screen.Thousands(p.Characters) + " characters · " + step.ShortDigest(p.Digest),
				},
			)
		}
	}
	if s.VendorAccount != "" {
		facts = append(facts, screen.Fact{Label: s.Vendor.Account.Label, Value: s.VendorAccount, Note: s.VendorAccountName})
	}
	blocks = append(blocks, facts)
	if len(s.Vendor.Next) > 0 {
		blocks = append(blocks, screen.Text{Body: "What to do next:"})
	}
	for _, next := range s.Vendor.Next {
		blocks = append(blocks, screen.Link(next))
	}
	return blocks
}

func (c *Connect) verdict(s *step.Session) string {
	switch {
	case s.Posted():
		return "Sent. " + s.Vendor.Whose() + " server took it."
	case s.Submits() == nil || s.Part(s.Submits().Purpose).Submitted.IsZero():
		return "Handed over by you. " + s.Vendor.Whose() + " console shows whether it accepted the role."
	case c.tries == 0:
		return s.Vendor.Title + " holds this role."
	case c.tries == 1:
		return s.Vendor.Title + " accepted the role at the first try."
	}
	return fmt.Sprintf("%s accepted the role after %s (%s).", s.Vendor.Title, screen.Clock(c.took), screen.Counted(c.tries, "try"))
}

// Summary is the last screen's blocks, for the scrollback.
func Summary(s *step.Session) []screen.Block {
	if s.Access == describe.AccessUser {
		if c := (&User{}); s.IsAnswered(record.StepConnect, c.basis(s.Answers)...) {
			return c.summary(s)
		}
		return nil
	}
	if !s.IsAnswered(record.StepConnect, (&Connect{}).basis(s.Answers)...) {
		return nil
	}
	return (&Connect{}).summary(s)
}
