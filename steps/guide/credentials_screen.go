package guide

import (
	"fmt"

	"rolecall/aws"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Screen shows the stage. No screen of this step holds a secret.
func (c *Credentials) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	switch c.stage {
	case keyLooking:
		view.Blocks = []screen.Block{
			screen.Tasks{{Name: "Looking at the access keys of " + s.Part(c.Spec.Role).UserName, State: screen.Running, Since: c.since}},
		}
	case keyFull:
		view.Blocks, view.Actions = c.full(s)
	case keyWaiting:
		view.Blocks, view.Actions = c.waiting(s)
	case keyReady:
		view.Blocks, view.Actions = c.ready(s)
	case keyMaking:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Waiting for AWS", State: screen.Running, Since: c.since}}}
	case keyTrying:
		view.Blocks = []screen.Block{
			screen.Tasks{{Name: "Trying the access key", State: screen.Running, Since: c.since, Detail: "a new one takes some seconds"}},
		}
	case keyTypingID, keyTypingSecret:
		view.Blocks = c.typing()
		view.Actions = []screen.Action{{ID: "again", Key: "w", Label: "watch for a new key instead"}}
		if s.AWS == nil {
			view.Actions = nil
		}
	case keyOrphan:
		view.Blocks, view.Actions = c.orphan(s)
	case keyFound:
		view.Blocks = c.found(s)
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
	case keyFailed:
		view.Actions = c.failedActions(s)
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	return view
}

// keyFacts lists the user's keys with their ages and last uses.
func (c *Credentials) keyFacts(s *step.Session) screen.Facts {
	var facts screen.Facts
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
		facts = append(
			facts,
			screen.Fact{Label: "Access key", Value: k.ID, Note: fmt.Sprintf("%s, made %s, %s", state, aws.Ago(s.Now().Sub(k.Created)), used)},
		)
	}
	return facts
}

// full refuses a third key. Which of the two can go is not for rolecall to say.
func (c *Credentials) full(s *step.Session) ([]screen.Block, []screen.Action) {
	part := s.Part(c.Spec.Role)
	blocks := []screen.Block{
		screen.Problem{What: part.UserName + " has two access keys, and IAM allows no third.", Expected: "a user with one key at most",
			Next: "Delete the one that nothing uses on the user's page, then look again. rolecall does not delete keys that it did not make.",
			Kind: screen.NotAsNeeded},
		c.keyFacts(s),
	}
	if console, ok := aws.ConsoleFor(s.Partition); ok {
		blocks = append(blocks, screen.Link{Label: "The user's keys", URL: console.User(part.UserName)})
	}
	actions := []screen.Action{{ID: "again", Label: "look again", Default: true}}
	if !s.MakesKey() {
		actions = append(actions, screen.Action{ID: "paste", Key: "p", Label: "use one of them"})
	}
	return blocks, actions
}

func (c *Credentials) waiting(s *step.Session) ([]screen.Block, []screen.Action) {
	part := s.Part(c.Spec.Role)
	console, ok := aws.ConsoleFor(s.Partition)
	blocks := c.Guide(s, pageOf(ok)...)
	if ok {
		blocks = append(blocks, screen.Link{Label: "Create access key", URL: console.CreateAccessKey(part.UserName)})
	}
	if s.AWS == nil {
		blocks = append(
			blocks,
			screen.Text{Tone: screen.Dim, Body: "rolecall cannot look into the account. Paste what this prints, or enter the access key, " +
				"which is no secret, when it exists."},
		)
		if aws.CheckUserName(part.UserName) == nil {
			blocks = append(blocks, commandFacts([]string{"aws iam list-access-keys --user-name " + part.UserName + " --output json"})...)
		}
		blocks = append(blocks, screen.Input{ID: fieldKeyID, Label: "Access key, or what AWS printed", Long: true, Value: part.KeyID,
			Hint: "AKIA…", Problem: c.field})
		return blocks, nil
	}
	if len(c.keys) > 0 {
		blocks = append(blocks, screen.Text{Body: "Keys that " + part.UserName + " has:"}, c.keyFacts(s))
	}
	if s.Now().Before(c.until) {
		blocks = append(blocks, screen.Waiting{For: "a new access key of " + part.UserName, Since: c.since, Until: c.until, Next: c.next})
	} else {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: "rolecall stopped looking."})
	}
	if c.note != "" {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: c.note})
	}
	return blocks, c.waitingActions(s)
}

func (c *Credentials) waitingActions(s *step.Session) []screen.Action {
	actions := []screen.Action{
		{ID: "next", Label: "next", Default: true, Disabled: "waits for the key"},
		{ID: "paste", Key: "p", Label: "paste a key to try it"},
	}
	if s.Rehearsal {
		actions[0] = step.Act()
	}
	if !s.Now().Before(c.until) {
		actions = append(actions, screen.Action{ID: "extend", Key: "e", Label: "go on looking"})
	}
	return actions
}

// ready says what a key means before it is made.
func (c *Credentials) ready(s *step.Session) ([]screen.Block, []screen.Action) {
	part := s.Part(c.Spec.Role)
	blocks := []screen.Block{
		screen.Text{
			Body: "rolecall makes an access key for " + part.UserName + " in account " + screen.Grouped(s.AccountID) + step.AccountAlias(s) + ".",
		},
		screen.Text{
			Body: "AWS shows its secret once. rolecall keeps it in memory until it ends, masked, and writes it nowhere" + exceptFile(s) + ".",
		},
	}
	if len(c.keys) > 0 {
		blocks = append(
			blocks,
			screen.Text{Tone: screen.Warning, Body: part.UserName + " has a key already. This makes a second one, and the first stays as it is."},
			c.keyFacts(s),
		)
	}
	return append(
			blocks,
			c.Guide(s)...), []screen.Action{
			{
				ID:      "create",
				Label:   "make the key",
				Default: true,
				Writes:  true,
				Confirm: &screen.Confirm{Flag: "--secret-file", Given: s.KeepSecret != nil},
			},
		}
}

func exceptFile(s *step.Session) string {
	if s.KeepSecret == nil {
		return ""
	}
	return " but into the file that you named"
}

func (c *Credentials) typing() []screen.Block {
	blocks := []screen.Block{
		screen.Text{Body: "Paste both halves from the page Retrieve access keys. rolecall signs in with them once, to see whose they are."},
	}
	if c.stage == keyTypingID {
		return append(blocks, screen.Input{ID: fieldKeyID, Label: "Access key", Value: c.typedID, Hint: "AKIA…", Problem: c.field})
	}
	return append(blocks, screen.Facts{{Label: "Access key", Value: c.typedID}},
		screen.Input{ID: fieldSecret, Label: "Secret access key", Problem: c.field, Secret: true})
}

// orphan is about a key that an earlier run of this session made.
func (c *Credentials) orphan(s *step.Session) ([]screen.Block, []screen.Action) {
	part := s.Part(c.Spec.Role)
	word := "This session made the access key " + part.KeyID + ", and then ended. Its secret was in memory alone: it is gone."
	if c.lost {
		word = "This session made the access key " + part.KeyID + ", whose secret nobody has: it was never seen, or not kept."
	}
	return []screen.Block{
			screen.Text{Tone: screen.Warning, Body: word},
			c.keyFacts(s),
			screen.Text{Body: "If you did not hand it over, it is of no use to anybody. Delete it, and rolecall makes another."},
		}, []screen.Action{
			{
				ID:      "delete",
				Label:   "delete that key",
				Default: true,
				Confirm: &screen.Confirm{Question: "Delete access key " + part.KeyID + " of " + part.UserName + "?"},
			},
			{ID: "handed", Key: "h", Label: "it was handed over"},
		}
}

func (c *Credentials) found(s *step.Session) []screen.Block {
	part := s.Part(c.Spec.Role)
	word := "Found a key of " + part.UserName + "."
	if part.KeyMade {
		word = "The key of " + part.UserName + " is made."
	}
	blocks := []screen.Block{screen.Text{Tone: screen.Good, Body: word}, screen.Facts{{Label: "Access key", Value: part.KeyID, Copy: true}}}
	if c.whose != nil {
		blocks = append(blocks, screen.Text{Tone: screen.Good, Body: "It works: AWS knows it as " + c.whose.ARN + "."})
	}
	switch {
	case s.Secrets[c.Spec.Role] != "":
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: "Its secret is in memory. The next step copies it, and shows it if you ask."})
	case !part.KeyMade:
		blocks = append(
			blocks,
			screen.Text{Body: "Leave the console's page with the secret access key open: it is shown only there, and the next step needs it."},
		)
	}
	return blocks
}

func (c *Credentials) failedActions(s *step.Session) []screen.Action {
	actions := []screen.Action{{ID: "again", Label: "look at the keys", Default: true}}
	if part := s.Part(c.Spec.Role); part.KeyMade && part.KeyID != "" {
		actions = append(actions, screen.Action{ID: "delete", Key: "d", Label: "delete the key",
			Confirm: &screen.Confirm{Question: "Delete access key " + part.KeyID + " of " + part.UserName + "?"}})
	}
	return actions
}
