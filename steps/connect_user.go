package steps

import (
	"cmp"
	"fmt"
	"time"

	"rolecall/aws"
)

// connectUser hands a user's access key over: by copy, since no vendor that
// rolecall knows takes keys by an API. The secret is copied on a key press, taken
// off the clipboard again, and shown only when asked.
type connectUser struct {
	described
	shown   bool // the secret is on the screen
	busy    bool
	since   time.Time
	done    map[string]bool
	problem *Problem
}

// clearSecretAfter is how long a secret stays on the clipboard.
const clearSecretAfter = 45 * time.Second

const labelSecret = "Secret access key"

func (c *connectUser) basis(a Answers) []string {
	basis := []string{a.Vendor, a.AccountID}
	for _, purpose := range sortedPurposes(a.Parts) {
		basis = append(basis, purpose, a.Parts[purpose].UserName, a.Parts[purpose].KeyID)
	}
	return basis
}

// Status is Done once the person handed the key over.
func (c *connectUser) Status(a Answers) Status {
	if a.settled(stepConnect, c.basis(a)...) {
		return Done
	}
	return Todo
}

// Enter hides what was shown.
func (c *connectUser) Enter(*Session) []Effect {
	*c = connectUser{described: c.described, done: map[string]bool{}}
	return nil
}

// part is the one user that is handed over: a description has no more.
func (c *connectUser) part(s *Session) (string, Part) {
	for _, role := range s.NeededRoles() {
		return role.Purpose, s.Part(role.Purpose)
	}
	return "", Part{}
}

// Update follows the person's hands.
func (c *connectUser) Update(s *Session, msg Msg) (Move, []Effect) {
	purpose, _ := c.part(s)
	switch msg := msg.(type) {
	case Chose:
		return c.chose(s, purpose, msg.ID)
	case keyDeleted:
		c.busy = false
		if c.problem = problemOf(msg.err); c.problem != nil {
			return Stay, nil
		}
		s.dropKey(purpose)
		return Goto(ID(string(stepCredentials) + ":" + purpose)), nil
	case Broke:
		c.busy, c.problem = false, brokenProblem(msg)
	default:
		note(c.done, msg)
	}
	return Stay, nil
}

func (c *connectUser) chose(s *Session, purpose, id string) (Move, []Effect) {
	switch id {
	case "copy-secret":
		return Stay, []Effect{Copy{Label: labelSecret, Text: string(s.Secrets[purpose]), ClearAfter: clearSecretAfter}}
	case "reveal":
		c.shown = !c.shown && !s.ScreenStays
	case "handed":
		c.shown = false
		s.setPart(purpose, func(p *Part) { p.HandedOver = true })
		s.settle(stepConnect, c.basis(s.Answers)...)
	case "delete":
		c.busy, c.shown, c.since = true, false, s.Now()
		return Stay, []Effect{s.deleteKey(purpose)}
	case "finish":
		s.keepInMind(purpose, "")
		return Next, nil
	}
	return Stay, nil
}

// Screen shows both halves, the secret masked, and what exists afterwards.
func (c *connectUser) Screen(s *Session) Screen {
	screen := c.screen(s)
	purpose, part := c.part(s)
	switch {
	case c.busy:
		screen.Blocks = []Block{Tasks{{Name: "Deleting access key " + part.KeyID, State: Running, Since: c.since}}}
	case c.Status(s.Answers) == Done:
		screen.Heading = "Connected"
		screen.Blocks = c.summary(s)
		screen.Actions = []Action{{ID: "finish", Label: "finish", Default: true}}
	default:
		screen.Blocks, screen.Actions = c.handOver(s, purpose, part)
	}
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	return screen
}

func (c *connectUser) handOver(s *Session, purpose string, part Part) ([]Block, []Action) {
	secret := s.Secrets[purpose]
	facts := Facts{{Label: "Access key", Value: part.KeyID, Copy: true}}
	blocks := []Block{Text{Body: "Copy both halves of the access key and paste them in " + s.Vendor.Whose() + " console."}, c.instructions(s, c.done)}
	actions := []Action{{ID: "handed", Label: "both are pasted", Default: true}}
	switch {
	case secret != "" && c.shown:
		facts = append(facts, Fact{Label: labelSecret, Value: string(secret), Note: "x hides it"})
	case secret != "":
		facts = append(facts, Fact{Label: labelSecret, Value: secret.String()})
	}
	blocks = append(blocks, facts)
	if secret == "" {
		blocks = append(blocks, Text{Body: "The secret access key is in the AWS console, on the page Retrieve access keys: Show, then copy it from there."})
	} else {
		reveal := Action{ID: "reveal", Key: "x", Label: "show the secret"}
		if c.shown {
			reveal.Label = "hide the secret"
		}
		if s.ScreenStays {
			reveal.Disabled = "what is shown here stays in the terminal"
		}
		actions = append(actions, Action{ID: "copy-secret", Key: "y", Label: "copy the secret"}, reveal)
	}
	if page := s.Vendor.Links.Connect; page != "" {
		blocks = append(blocks, Link{Label: s.Vendor.Whose() + " console", URL: page})
	}
	if part.KeyMade && s.AWS != nil {
		actions = append(actions, Action{ID: "delete", Key: "d", Label: "not handed over: delete the key",
			Confirm: &Confirm{Question: "Delete access key " + part.KeyID + " of " + part.UserName + "?"}})
	}
	return blocks, actions
}

func (c *connectUser) summary(s *Session) []Block {
	_, part := c.part(s)
	blocks := []Block{Text{Tone: Good, Body: "Handed over by you. " + s.Vendor.Whose() + " console shows whether it accepted the key."}}
	facts := Facts{}
	if s.AccountID != "" {
		facts = append(facts, Fact{Label: "AWS account", Value: s.AccountID, Shown: Grouped(s.AccountID), Note: s.Seen.Alias})
	}
	facts = append(facts, Fact{Label: "User", Value: cmp.Or(part.UserARN, part.UserName), Note: part.UserID, Copy: true},
		Fact{Label: "Access key", Value: part.KeyID})
	for _, p := range part.Policies {
		facts = append(facts, Fact{Label: "Policy", Value: cmp.Or(p.ARN, p.Name), Note: fmt.Sprintf("%s characters · %s", thousands(p.Characters), shortDigest(p.Digest))})
	}
	blocks = append(blocks, facts)
	if console, ok := aws.ConsoleFor(s.Partition); ok && part.UserName != "" {
		blocks = append(blocks, Link{Label: "The user's keys, to change them every 90 days", URL: console.User(part.UserName)})
	}
	return append(blocks, s.nextLinks()...)
}

// nextLinks are what the vendor's description leads on to.
func (s *Session) nextLinks() []Block {
	if len(s.Vendor.Next) == 0 {
		return nil
	}
	blocks := []Block{Text{Body: "What to do next:"}}
	for _, next := range s.Vendor.Next {
		blocks = append(blocks, Link(next))
	}
	return blocks
}
