package guide

import (
	"context"
	"slices"
	"strconv"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Credentials is the step in which the user gets its access key: the person
// makes it in the console, or rolecall makes it in the direct method. A secret
// is in the session's memory at most, and on a screen only when it was asked
// for.
type Credentials struct {
	step.Described
	stage   keyStage
	watch   *aws.KeyWatch
	keys    []aws.AccessKey // all of the user's, as last seen
	fresh   []aws.AccessKey // made since this step looked first
	lost    bool            // the secret of the key that was made was never seen
	note    string
	since   time.Time
	until   time.Time
	next    time.Time
	typedID string        // the pasted half that is no secret
	typed   screen.Secret // the other one, until it was tried
	whose   *aws.Identity // of the key that was tried
	field   string
	problem *screen.Problem
}

type keyStage int

const (
	keyLooking  keyStage = iota
	keyFull              // the user has two keys
	keyWaiting           // manual: until one appears
	keyReady             // direct: before it is made
	keyMaking            // a request that writes is under way
	keyTrying            // whose key is it?
	keyTypingID          // the pasted access key
	keyTypingSecret
	keyOrphan // made by an earlier run, whose secret is gone
	keyFound
	keyFailed
)

const (
	fieldKeyID  = "access-key-id"
	fieldSecret = "secret-access-key"
)

// How long a key that AWS does not know yet is tried again, and how often.
const (
	tryKeyFor   = 30 * time.Second
	tryKeyPause = 2 * time.Second
)

type (
	keysLooked struct {
		next        time.Duration
		keys, fresh []aws.AccessKey
		made        []string // by this session, as its receipt says
		note        string
		err         error
	}
	keyCreated struct {
		key    aws.AccessKey
		secret screen.Secret
		lost   string // the ID of a key that was made, where its answer got lost
		kept   error  // writing the secret where it was wanted
		gone   bool   // the key was deleted again, since its secret could not be kept
		err    error

		requestID string
	}
	keyTried struct {
		id     string
		secret screen.Secret
		whose  aws.Identity
		err    error
	}
)

func (c *Credentials) basis(a record.Answers) []string {
	part := a.Part(c.Spec.Role)
	return []string{a.Vendor, a.ChosenAccount(), part.UserName, part.UserARN, part.KeyID, strconv.FormatBool(a.GuideOnly)}
}

// Status is Done once this run has seen the key among the user's active ones,
// or without credentials, once the person said that it exists.
func (c *Credentials) Status(a record.Answers) step.Status {
	if !a.PartNeeded(c.Spec.Role) {
		return step.NotNeeded
	}
	if (a.GuideOnly || a.Seen.Parts[c.Spec.Role].Key) && a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the file for the secret of a key that would be made.
func (c *Credentials) Asks(s *step.Session) []step.Need {
	if !s.MakesKey() || s.KeepSecret != nil || s.Part(c.Spec.Role).KeyID != "" {
		return nil
	}
	return []step.Need{{Flag: "--secret-file", Why: "the file for the secret access key, which AWS shows only once"}}
}

// Enter looks at the user's keys.
func (c *Credentials) Enter(s *step.Session) []screen.Effect {
	*c = Credentials{Described: c.Described}
	if s.AWS == nil {
		c.stage = keyWaiting
		return nil
	}
	return c.begin(s)
}

// begin looks anew: what is there now counts as old.
func (c *Credentials) begin(s *step.Session) []screen.Effect {
	c.stage, c.problem, c.fresh = keyLooking, nil, nil
	c.since, c.until = s.Now(), s.Now().Add(s.Patience(step.LookFor))
	c.watch = s.AWS.WatchKeys(s.Part(c.Spec.Role).UserName)
	return []screen.Effect{c.look(s, 0)}
}

func (c *Credentials) look(s *step.Session, after time.Duration) screen.Effect {
	watch, host, user, purpose := c.watch, s.Host(), c.user(s), c.Spec.Role
	return screen.Call{Name: "look at the access keys", After: after, Do: func(ctx context.Context) screen.Msg {
		next, _, err := watch.Fetch(ctx)
		msg := keysLooked{next: next, keys: watch.Keys(), fresh: watch.New(), note: watch.Note(), err: err}
		if err == nil {
			msg.made, msg.err = host.MadeKeys(purpose, user, msg.keys)
		}
		return msg
	}}
}

// Update follows the person's hands and what AWS shows.
func (c *Credentials) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case keysLooked:
		return c.looked(s, msg)
	case keyCreated:
		return c.created(s, msg)
	case keyTried:
		return c.tried(s, msg)
	case step.KeyDeleted:
		return c.deleted(s, msg)
	case screen.Chose:
		return c.chose(s, msg.ID)
	case evidenceRead:
		if msg.err != nil {
			c.field = msg.problem()
			return step.Stay, nil
		}
		return c.tookKeys(s, msg.text+"\n")
	case screen.Changed:
		c.field = ""
	case screen.Entered:
		return c.entered(s, msg)
	case screen.Broke:
		c.stage, c.problem = keyFailed, screen.BrokenProblem(msg)
	}
	return step.Stay, nil
}

// News says what a look at the keys brings to somebody in the middle of something.
func (m keysLooked) News() string {
	switch {
	case m.err != nil:
		return step.InputProblem(m.err)
	case len(m.fresh) > 0:
		return "The user has a new access key."
	}
	return ""
}

func (c *Credentials) looked(s *step.Session, msg keysLooked) (step.Move, []screen.Effect) {
	c.note, c.problem = msg.note, s.Awaited(msg.err)
	c.next = s.Now().Add(msg.next)
	if msg.err != nil {
		return c.lookAgain(s, msg)
	}
	c.keys, c.fresh = msg.keys, msg.fresh
	switch {
	case c.stage == keyTypingID || c.stage == keyTypingSecret || c.stage == keyTrying:
		return step.Stay, nil // the person is quicker than the looking
	case c.known(s) != nil:
		return c.resume(s)
	case len(msg.made) > 0 && s.MakesKey():
		c.orphaned(s, msg.made[0])
		return step.Stay, nil
	case c.stage != keyWaiting && len(c.keys) >= aws.MaxAccessKeys:
		c.stage = keyFull
		return step.Stay, nil
	case s.MakesKey():
		c.stage = keyReady
		return step.Stay, nil
	case len(c.fresh) == 1:
		c.take(s, c.fresh[0].ID, false)
		return step.Stay, nil
	}
	c.stage = keyWaiting
	return c.lookAgain(s, msg)
}

func (c *Credentials) lookAgain(s *step.Session, msg keysLooked) (step.Move, []screen.Effect) {
	if aws.KindOf(msg.err) == aws.Denied && s.MakesKey() {
		c.stage, c.problem = keyFailed, step.ProblemOf(msg.err) // a key is not made blindly
		return step.Stay, nil
	}
	if msg.err != nil && aws.KindOf(msg.err) == aws.Denied {
		c.stage, c.problem = keyWaiting, s.Awaited(msg.err)
		return step.Stay, nil
	}
	if !s.Now().Before(c.until) {
		return step.Stay, nil
	}
	return step.Stay, []screen.Effect{c.look(s, msg.next)}
}

// known is the session's key among those that were seen, nil when it is not
// there or not active.
func (c *Credentials) known(s *step.Session) *aws.AccessKey {
	id := s.Part(c.Spec.Role).KeyID
	i := slices.IndexFunc(c.keys, func(k aws.AccessKey) bool { return id != "" && k.ID == id && k.Active })
	if i < 0 {
		return nil
	}
	return &c.keys[i]
}

// resume takes a key that this session knew already. One that rolecall made is
// of no use without its secret.
func (c *Credentials) resume(s *step.Session) (step.Move, []screen.Effect) {
	part := s.Part(c.Spec.Role)
	if part.KeyMade && s.Secrets[c.Spec.Role] == "" && !part.KeyKept && !part.HandedOver {
		c.stage = keyOrphan
		return step.Stay, nil
	}
	c.take(s, part.KeyID, part.KeyMade)
	if s.Resuming {
		return step.Next, nil
	}
	return step.Stay, nil
}

// take keeps a key that was seen.
func (c *Credentials) take(s *step.Session, id string, made bool) {
	s.SetPart(c.Spec.Role, func(p *record.Part) { p.KeyID, p.KeyMade = id, made })
	s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.Key = true })
	s.Answered(c.ID(), c.basis(s.Answers)...)
	c.stage, c.problem = keyFound, nil
}

// drop forgets the key and its secret.
func (c *Credentials) drop(s *step.Session) {
	s.DropKey(c.Spec.Role)
	s.Unanswered(c.ID())
	c.whose, c.typed, c.lost = nil, "", false
}

func (c *Credentials) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	switch id {
	case "next":
		return step.Next, nil
	case "made":
		c.stage, c.field = keyTypingID, ""
	case "paste":
		c.stage, c.field = keyTypingID, ""
	case "again":
		return step.Stay, c.begin(s)
	case "extend":
		c.until = s.Now().Add(step.LookFor)
		return step.Stay, []screen.Effect{c.look(s, 0)}
	case "create", "act":
		c.stage, c.since = keyMaking, s.Now()
		return step.Stay, []screen.Effect{c.create(s, id == "create")}
	case "delete":
		return step.Stay, c.delete(s)
	case "handed":
		c.take(s, s.Part(c.Spec.Role).KeyID, true)
		return step.Next, nil
	}
	return step.Stay, nil
}

// tookKeys takes the list of the user's keys that was pasted, where rolecall cannot
// look.
func (c *Credentials) tookKeys(s *step.Session, text string) (step.Move, []screen.Effect) {
	c.field = ""
	if read, ok := fileIn(text); ok {
		return step.Stay, []screen.Effect{read}
	}
	id, wrong := keyIn(s, c.Spec.Role, text)
	if c.field = wrong; wrong != "" {
		return step.Stay, nil
	}
	c.typedID = id
	c.take(s, id, false)
	return step.Stay, nil
}

func (c *Credentials) entered(s *step.Session, msg screen.Entered) (step.Move, []screen.Effect) {
	if msg.ID == fieldKeyID && s.AWS == nil && isEvidence(msg.Text) {
		return c.tookKeys(s, msg.Text)
	}
	switch text := aws.CleanARN(msg.Text); msg.ID {
	case fieldKeyID:
		if err := aws.CheckAccessKeyID(text); err != nil {
			c.field = step.InputProblem(err)
			return step.Stay, nil
		}
		c.typedID, c.field = text, ""
		if s.AWS == nil {
			c.take(s, text, false)
			return step.Next, nil
		}
		c.stage = keyTypingSecret
	case fieldSecret:
		if err := aws.CheckSecretKey(aws.SecretKey(text)); err != nil {
			c.field = step.InputProblem(err)
			return step.Stay, nil
		}
		return c.try(s, c.typedID, screen.Secret(text))
	}
	return step.Stay, nil
}

// Deeper reports whether b only leaves the fields for a pasted key.
func (c *Credentials) Deeper() bool {
	return c.watch != nil && (c.stage == keyTypingID || c.stage == keyTypingSecret)
}

// Up looks at the keys again.
func (c *Credentials) Up(s *step.Session) []screen.Effect { return c.begin(s) }
