package handover

import (
	"cmp"
	"fmt"
	"time"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// User hands a user's access key over: by copy, since no vendor that
// rolecall knows takes keys by an API. The secret is copied on a key press, taken
// off the clipboard again, and shown only when asked.
type User struct {
	step.Described
	shown   bool // the secret is on the screen
	busy    bool
	since   time.Time
	problem *screen.Problem
}

// clearSecretAfter is how long a secret stays on the clipboard.
const clearSecretAfter = 45 * time.Second

// The labels of the key's halves. They are part of the format of descriptions,
// which name them as marks.
const (
	labelKey    = "Access key"
	labelSecret = "Secret access key"
)

// UserMarks are the marks of the step User.
func UserMarks() []string { return []string{describe.MarkOpened, labelKey, labelSecret} }

func (c *User) basis(a record.Answers) []string {
	basis := []string{a.Vendor, a.AccountID}
	for _, purpose := range record.SortedPurposes(a.Parts) {
		basis = append(basis, purpose, a.Parts[purpose].UserName, a.Parts[purpose].KeyID)
	}
	return basis
}

// Status is Done once the person handed the key over.
func (c *User) Status(a record.Answers) step.Status {
	if a.IsAnswered(record.StepConnect, c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Enter hides what was shown.
func (c *User) Enter(*step.Session) []screen.Effect {
	*c = User{Described: c.Described}
	return nil
}

// part is the one user that is handed over: a description has no more.
func (c *User) part(s *step.Session) (string, record.Part) {
	for _, role := range s.Request().Needed() {
		return role.Purpose, s.Part(role.Purpose)
	}
	return "", record.Part{}
}

// Update follows the person's hands.
func (c *User) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	purpose, _ := c.part(s)
	switch msg := msg.(type) {
	case screen.Chose:
		return c.chose(s, purpose, msg.ID)
	case step.KeyDeleted:
		c.busy = false
		if c.problem = step.ProblemOf(msg.Err); c.problem != nil {
			return step.Stay, nil
		}
		s.DropKey(purpose)
		return step.Goto(record.StepID(string(record.StepCredentials) + ":" + purpose)), nil
	case screen.Broke:
		c.busy, c.problem = false, screen.BrokenProblem(msg)
	}
	return step.Stay, nil
}

func (c *User) chose(s *step.Session, purpose, id string) (step.Move, []screen.Effect) {
	switch id {
	case "copy-secret":
		return step.Stay, []screen.Effect{screen.Copy{Label: labelSecret, Text: string(s.Secrets[purpose]), ClearAfter: clearSecretAfter}}
	case "reveal":
		c.shown = !c.shown && !s.ScreenStays
	case "handed":
		c.shown = false
		s.SetPart(purpose, func(p *record.Part) { p.HandedOver = true })
		s.Answered(record.StepConnect, c.basis(s.Answers)...)
	case "delete":
		c.busy, c.shown, c.since = true, false, s.Now()
		return step.Stay, []screen.Effect{s.DeleteKey(purpose)}
	case "finish":
		s.KeepInMind(purpose, "")
		return step.Next, nil
	}
	return step.Stay, nil
}

// Screen shows both halves, the secret masked, and what exists afterwards.
func (c *User) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	purpose, part := c.part(s)
	switch {
	case c.busy:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Deleting access key " + part.KeyID, State: screen.Running, Since: c.since}}}
	case c.Status(s.Answers) == step.Done:
		view.Heading = "Connected"
		view.Blocks = c.summary(s)
		view.Actions = []screen.Action{{ID: "finish", Label: "finish", Default: true}}
	default:
		view.Blocks, view.Actions = c.handOver(s, purpose, part)
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	return view
}

func (c *User) handOver(s *step.Session, purpose string, part record.Part) ([]screen.Block, []screen.Action) {
	secret := s.Secrets[purpose]
	facts := screen.Facts{{Label: labelKey, Value: part.KeyID, Copy: true}}
	blocks := append(
		[]screen.Block{screen.Text{Body: "Copy both halves of the access key and paste them in " + s.Vendor.Whose() + " console."}},
		c.Guide(s)...)
	actions := []screen.Action{{ID: "handed", Label: "both are pasted", Default: true}}
	switch {
	case secret != "" && c.shown:
		facts = append(facts, screen.Fact{Label: labelSecret, Value: string(secret), Note: "x hides it"})
	case secret != "":
		facts = append(facts, screen.Fact{Label: labelSecret, Value: secret.String()})
	}
	blocks = append(blocks, facts)
	if secret == "" {
		blocks = append(
			blocks,
			screen.Text{Body: "The secret access key is in the AWS console, on the page Retrieve access keys: Show, then copy it from there."},
		)
	} else {
		reveal := screen.Action{ID: "reveal", Key: "x", Label: "show the secret"}
		if c.shown {
			reveal.Label = "hide the secret"
		}
		if s.ScreenStays {
			reveal.Disabled = "what is shown here stays in the terminal"
		}
		actions = append(actions, screen.Action{ID: "copy-secret", Key: "y", Label: "copy the secret"}, reveal)
	}
	if page := s.Vendor.Links.Connect; page != "" {
		blocks = append(blocks, screen.Link{Label: s.Vendor.Whose() + " console", URL: page})
	}
	if part.KeyMade && s.AWS != nil {
		actions = append(actions, screen.Action{ID: "delete", Key: "d", Label: "not handed over: delete the key",
			Confirm: &screen.Confirm{Question: "Delete access key " + part.KeyID + " of " + part.UserName + "?"}})
	}
	return blocks, actions
}

func (c *User) summary(s *step.Session) []screen.Block {
	_, part := c.part(s)
	blocks := []screen.Block{
		screen.Text{Tone: screen.Good, Body: "Handed over by you. " + s.Vendor.Whose() + " console shows whether it accepted the key."},
	}
	facts := screen.Facts{}
	if s.AccountID != "" {
		facts = append(facts, screen.Fact{Label: "AWS account", Value: s.AccountID, Shown: screen.Grouped(s.AccountID), Note: s.Seen.Alias})
	}
	facts = append(facts, screen.Fact{Label: "User", Value: cmp.Or(part.UserARN, part.UserName), Note: part.UserID, Copy: true},
		screen.Fact{Label: labelKey, Value: part.KeyID})
	for _, p := range part.Policies {
		facts = append(
			facts,
			screen.Fact{
				Label: "Policy",
				Value: cmp.Or(p.ARN, p.Name),
				Note:  fmt.Sprintf("%s characters · %s", screen.Thousands(p.Characters), step.ShortDigest(p.Digest)),
			},
		)
	}
	blocks = append(blocks, facts)
	if console, ok := aws.ConsoleFor(s.Partition); ok && part.UserName != "" {
		blocks = append(blocks, screen.Link{Label: "The user's keys, to change them every 90 days", URL: console.User(part.UserName)})
	}
	return append(blocks, s.NextLinks()...)
}
