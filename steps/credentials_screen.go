package steps

import (
	"fmt"

	"rolecall/aws"
)

// Screen shows the stage. No screen of this step holds a secret.
func (c *credentials) Screen(s *Session) Screen {
	screen := c.screen(s)
	switch c.stage {
	case keyLooking:
		screen.Blocks = []Block{Tasks{{Name: "Looking at the access keys of " + s.Part(c.d.Role).UserName, State: Running, Since: c.since}}}
	case keyFull:
		screen.Blocks, screen.Actions = c.full(s)
	case keyWaiting:
		screen.Blocks, screen.Actions = c.waiting(s)
	case keyReady:
		screen.Blocks, screen.Actions = c.ready(s)
	case keyMaking:
		screen.Blocks = []Block{Tasks{{Name: "Waiting for AWS", State: Running, Since: c.since}}}
	case keyTrying:
		screen.Blocks = []Block{Tasks{{Name: "Trying the access key", State: Running, Since: c.since, Detail: "a new one takes some seconds"}}}
	case keyTypingID, keyTypingSecret:
		screen.Blocks = c.typing()
		screen.Actions = []Action{{ID: "again", Key: "w", Label: "watch for a new key instead"}}
		if s.AWS == nil {
			screen.Actions = nil
		}
	case keyOrphan:
		screen.Blocks, screen.Actions = c.orphan(s)
	case keyFound:
		screen.Blocks = c.found(s)
		screen.Actions = []Action{{ID: "next", Label: "next", Default: true}}
	case keyFailed:
		screen.Actions = c.failedActions(s)
	}
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	return screen
}

// keyFacts lists the user's keys with their ages and last uses.
func (c *credentials) keyFacts(s *Session) Facts {
	var facts Facts
	for _, k := range c.keys {
		state := "active"
		if !k.Active {
			state = "inactive"
		}
		used := "never used"
		if !k.LastUsed.IsZero() {
			used = "last used " + aws.Ago(s.Now().Sub(k.LastUsed))
			if k.Service != "" && k.Service != "N/A" {
				used += " with " + k.Service
			}
		}
		facts = append(facts, Fact{Label: "Access key", Value: k.ID, Note: fmt.Sprintf("%s, made %s, %s", state, aws.Ago(s.Now().Sub(k.Created)), used)})
	}
	return facts
}

// full refuses a third key. Which of the two can go is not for rolecall to say.
func (c *credentials) full(s *Session) ([]Block, []Action) {
	part := s.Part(c.d.Role)
	blocks := []Block{
		Problem{What: part.UserName + " has two access keys, and IAM allows no third.", Expected: "a user with one key at most",
			Next: "Delete the one that nothing uses on the user's page, then look again. rolecall does not delete keys that it did not make.",
			Kind: NotAsNeeded},
		c.keyFacts(s),
	}
	if console, ok := aws.ConsoleFor(s.Partition); ok {
		blocks = append(blocks, Link{Label: "The user's keys", URL: console.User(part.UserName)})
	}
	actions := []Action{{ID: "again", Label: "look again", Default: true}}
	if !s.makesKey() {
		actions = append(actions, Action{ID: "paste", Key: "p", Label: "use one of them"})
	}
	return blocks, actions
}

func (c *credentials) waiting(s *Session) ([]Block, []Action) {
	part := s.Part(c.d.Role)
	blocks := []Block{c.instructions(s, c.done)}
	if console, ok := aws.ConsoleFor(s.Partition); ok {
		blocks = append(blocks, Link{Label: "Create access key", URL: console.CreateAccessKey(part.UserName)})
	}
	if s.AWS == nil {
		blocks = append(blocks, Text{Tone: Dim, Body: "rolecall cannot look into the account. Enter the access key, which is no secret, when it exists."},
			Input{ID: fieldKeyID, Label: "Access key", Value: part.KeyID, Hint: "AKIA…", Problem: c.field})
		return blocks, nil
	}
	if len(c.keys) > 0 {
		blocks = append(blocks, Text{Body: "Keys that " + part.UserName + " has:"}, c.keyFacts(s))
	}
	if s.Now().Before(c.until) {
		blocks = append(blocks, Waiting{For: "a new access key of " + part.UserName, Since: c.since, Until: c.until, Next: c.next})
	} else {
		blocks = append(blocks, Text{Tone: Warning, Body: "rolecall stopped looking. Press e to go on."})
	}
	if c.note != "" {
		blocks = append(blocks, Text{Tone: Warning, Body: c.note})
	}
	return blocks, c.waitingActions(s)
}

func (c *credentials) waitingActions(s *Session) []Action {
	if s.Rehearsal {
		return []Action{{ID: "act", Label: "do it in the rehearsal account", Default: true}}
	}
	actions := []Action{{ID: "next", Label: "next", Default: true, Disabled: "waits for the key"}, {ID: "paste", Key: "p", Label: "paste a key to try it"}}
	if !s.Now().Before(c.until) {
		actions = append(actions, Action{ID: "extend", Key: "e", Label: "go on looking"})
	}
	return actions
}

// ready says what a key means before it is made.
func (c *credentials) ready(s *Session) ([]Block, []Action) {
	part := s.Part(c.d.Role)
	blocks := []Block{
		Text{Body: "rolecall makes an access key for " + part.UserName + " in account " + Grouped(s.AccountID) + accountAlias(s) + "."},
		Text{Body: "AWS shows its secret once. rolecall keeps it in memory until it ends, masked, and writes it nowhere" + exceptFile(s) + "."},
	}
	if len(c.keys) > 0 {
		blocks = append(blocks, Text{Tone: Warning, Body: part.UserName + " has a key already. This makes a second one, and the first stays as it is."}, c.keyFacts(s))
	}
	return blocks, []Action{{ID: "create", Label: "make the key", Default: true, Confirm: &Confirm{Flag: "--secret-file", Given: s.KeepSecret != nil}}}
}

func exceptFile(s *Session) string {
	if s.KeepSecret == nil {
		return ""
	}
	return " but into the file that you named"
}

func (c *credentials) typing() []Block {
	blocks := []Block{Text{Body: "Paste both halves from the page Retrieve access keys. rolecall signs in with them once, to see whose they are."}}
	if c.stage == keyTypingID {
		return append(blocks, Input{ID: fieldKeyID, Label: "Access key", Value: c.typedID, Hint: "AKIA…", Problem: c.field})
	}
	return append(blocks, Facts{{Label: "Access key", Value: c.typedID}},
		Input{ID: fieldSecret, Label: "Secret access key", Problem: c.field, Secret: true})
}

// orphan is about a key that an earlier run of this session made.
func (c *credentials) orphan(s *Session) ([]Block, []Action) {
	part := s.Part(c.d.Role)
	return []Block{
			Text{Tone: Warning, Body: "This session made the access key " + part.KeyID + ", and then ended. Its secret was in memory alone: it is gone."},
			c.keyFacts(s),
			Text{Body: "If you did not hand it over, it is of no use to anybody. Delete it, and rolecall makes another."},
		}, []Action{
			{ID: "delete", Label: "delete that key", Default: true, Confirm: &Confirm{Question: "Delete access key " + part.KeyID + " of " + part.UserName + "?"}},
			{ID: "handed", Key: "h", Label: "it was handed over"},
		}
}

func (c *credentials) found(s *Session) []Block {
	part := s.Part(c.d.Role)
	word := "Found a key of " + part.UserName + "."
	if part.KeyMade {
		word = "The key of " + part.UserName + " is made."
	}
	blocks := []Block{Text{Tone: Good, Body: word}, Facts{{Label: "Access key", Value: part.KeyID, Copy: true}}}
	if c.whose != nil {
		blocks = append(blocks, Text{Tone: Good, Body: "It works: AWS knows it as " + c.whose.ARN + "."})
	}
	switch {
	case s.Secrets[c.d.Role] != "":
		blocks = append(blocks, Text{Tone: Dim, Body: "Its secret is in memory. The next step copies it, and shows it if you ask."})
	case !part.KeyMade:
		blocks = append(blocks, Text{Body: "Leave the console's page with the secret access key open: it is shown only there, and the next step needs it."})
	}
	return blocks
}

func (c *credentials) failedActions(s *Session) []Action {
	actions := []Action{{ID: "again", Label: "look at the keys", Default: true}}
	if part := s.Part(c.d.Role); part.KeyMade && part.KeyID != "" {
		actions = append(actions, Action{ID: "delete", Key: "d", Label: "delete the key",
			Confirm: &Confirm{Question: "Delete access key " + part.KeyID + " of " + part.UserName + "?"}})
	}
	return actions
}
