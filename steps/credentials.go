package steps

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"rolecall/aws"
)

// credentials is the step in which the user gets its access key: the person
// makes it in the console, or rolecall makes it in the direct method. A secret
// is in the session's memory at most, and on a screen only when it was asked
// for.
type credentials struct {
	described
	stage   keyStage
	watch   *aws.KeyWatch
	keys    []aws.AccessKey // all of the user's, as last seen
	fresh   []aws.AccessKey // made since this step looked first
	note    string
	since   time.Time
	until   time.Time
	next    time.Time
	done    map[string]bool // what the person did, for the marker
	typedID string          // the pasted half that is no secret
	typed   Secret          // the other one, until it was tried
	whose   *aws.Identity   // of the key that was tried
	field   string
	problem *Problem
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
		note        string
		err         error
	}
	keyCreated struct {
		key    aws.AccessKey
		secret Secret
		kept   error // writing the secret where it was wanted
		gone   bool  // the key was deleted again, since its secret could not be kept
		err    error
	}
	keyTried struct {
		id     string
		secret Secret
		whose  aws.Identity
		err    error
	}
)

func (c *credentials) basis(a Answers) []string {
	part := a.Part(c.d.Role)
	return []string{a.Vendor, a.AccountID, part.UserName, part.UserARN, part.KeyID, strconv.FormatBool(a.GuideOnly)}
}

// Status is Done once this run has seen the key among the user's active ones,
// or without credentials, once the person said that it exists.
func (c *credentials) Status(a Answers) Status {
	if !a.partNeeded(c.d.Role) {
		return NotNeeded
	}
	if (a.GuideOnly || a.Seen.Parts[c.d.Role].Key) && a.settled(c.ID(), c.basis(a)...) {
		return Done
	}
	return Todo
}

// makes reports whether rolecall itself makes the key.
func (s *Session) makesKey() bool { return s.Method == "direct" }

// Asks names the file for the secret of a key that would be made.
func (c *credentials) Asks(s *Session) []Need {
	if !s.makesKey() || s.KeepSecret != nil || s.Part(c.d.Role).KeyID != "" {
		return nil
	}
	return []Need{{Flag: "--secret-file", Why: "the file for the secret access key, which AWS shows only once"}}
}

// Enter looks at the user's keys.
func (c *credentials) Enter(s *Session) []Effect {
	*c = credentials{described: c.described, done: map[string]bool{}}
	if s.AWS == nil {
		c.stage = keyWaiting
		return nil
	}
	return c.begin(s)
}

// begin looks anew: what is there now counts as old.
func (c *credentials) begin(s *Session) []Effect {
	c.stage, c.problem, c.fresh = keyLooking, nil, nil
	c.since, c.until = s.Now(), s.Now().Add(s.patience(lookFor))
	c.watch = s.AWS.WatchKeys(s.Part(c.d.Role).UserName)
	return []Effect{c.look(0)}
}

func (c *credentials) look(after time.Duration) Effect {
	watch := c.watch
	return Call{Name: "look at the access keys", After: after, Do: func(ctx context.Context) Msg {
		next, _, err := watch.Fetch(ctx)
		return keysLooked{next, watch.Keys(), watch.New(), watch.Note(), err}
	}}
}

// Update follows the person's hands and what AWS shows.
func (c *credentials) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case keysLooked:
		return c.looked(s, msg)
	case keyCreated:
		return c.created(s, msg)
	case keyTried:
		return c.tried(s, msg)
	case keyDeleted:
		return c.deleted(s, msg)
	case Chose:
		return c.chose(s, msg.ID)
	case Changed:
		c.field = ""
	case Entered:
		return c.entered(s, msg)
	case Broke:
		c.stage, c.problem = keyFailed, brokenProblem(msg)
	default:
		note(c.done, msg)
	}
	return Stay, nil
}

func (c *credentials) looked(s *Session, msg keysLooked) (Move, []Effect) {
	c.note, c.problem = msg.note, problemOf(msg.err).passing()
	c.next = s.Now().Add(msg.next)
	if msg.err != nil {
		return c.lookAgain(s, msg)
	}
	c.keys, c.fresh = msg.keys, msg.fresh
	switch {
	case c.stage == keyTypingID || c.stage == keyTypingSecret || c.stage == keyTrying:
		return Stay, nil // the person is quicker than the looking
	case c.known(s) != nil:
		return c.resume(s)
	case c.stage != keyWaiting && len(c.keys) >= aws.MaxAccessKeys:
		c.stage = keyFull
		return Stay, nil
	case s.makesKey():
		c.stage = keyReady
		return Stay, nil
	case len(c.fresh) == 1:
		c.take(s, c.fresh[0].ID, false)
		return Stay, nil
	}
	c.stage = keyWaiting
	return c.lookAgain(s, msg)
}

func (c *credentials) lookAgain(s *Session, msg keysLooked) (Move, []Effect) {
	if msg.err != nil && aws.KindOf(msg.err) == aws.Denied {
		c.stage, c.problem = keyWaiting, problemOf(msg.err).passing()
		return Stay, nil
	}
	if !s.Now().Before(c.until) {
		return Stay, nil
	}
	return Stay, []Effect{c.look(msg.next)}
}

// known is the session's key among those that were seen, nil when it is not
// there or not active.
func (c *credentials) known(s *Session) *aws.AccessKey {
	id := s.Part(c.d.Role).KeyID
	i := slices.IndexFunc(c.keys, func(k aws.AccessKey) bool { return id != "" && k.ID == id && k.Active })
	if i < 0 {
		return nil
	}
	return &c.keys[i]
}

// resume takes a key that this session knew already. One that rolecall made is
// of no use without its secret.
func (c *credentials) resume(s *Session) (Move, []Effect) {
	part := s.Part(c.d.Role)
	if part.KeyMade && s.Secrets[c.d.Role] == "" && s.KeepSecret == nil {
		c.stage = keyOrphan
		return Stay, nil
	}
	c.take(s, part.KeyID, part.KeyMade)
	if s.Resuming {
		return Next, nil
	}
	return Stay, nil
}

// take keeps a key that was seen.
func (c *credentials) take(s *Session, id string, made bool) {
	s.setPart(c.d.Role, func(p *Part) { p.KeyID, p.KeyMade = id, made })
	s.setSeen(c.d.Role, func(p *SeenPart) { p.Key = true })
	s.settle(c.ID(), c.basis(s.Answers)...)
	c.stage, c.problem = keyFound, nil
}

// drop forgets the key and its secret.
func (c *credentials) drop(s *Session) {
	s.dropKey(c.d.Role)
	s.unsettle(c.ID())
	c.whose, c.typed = nil, ""
}

// dropKey forgets a part's key and its secret.
func (s *Session) dropKey(purpose string) {
	s.keepInMind(purpose, "")
	s.setPart(purpose, func(p *Part) { p.KeyID, p.KeyMade = "", false })
	s.setSeen(purpose, func(p *SeenPart) { p.Key = false })
}

// keepInMind keeps a secret in memory; an empty one is forgotten.
func (s *Session) keepInMind(purpose string, secret Secret) {
	secrets := maps.Clone(s.Secrets)
	if secrets == nil {
		secrets = map[string]Secret{}
	}
	delete(secrets, purpose)
	if secret != "" {
		secrets[purpose] = secret
	}
	s.Secrets = secrets
}

func (c *credentials) chose(s *Session, id string) (Move, []Effect) {
	switch id {
	case "next":
		return Next, nil
	case "made":
		c.stage, c.field = keyTypingID, ""
	case "paste":
		c.stage, c.field = keyTypingID, ""
	case "again":
		return Stay, c.begin(s)
	case "extend":
		c.until = s.Now().Add(lookFor)
		return Stay, []Effect{c.look(0)}
	case "create", "act":
		c.stage, c.since = keyMaking, s.Now()
		return Stay, []Effect{c.create(s, id == "create")}
	case "delete":
		return Stay, c.delete(s)
	case "handed":
		c.take(s, s.Part(c.d.Role).KeyID, true)
		return Next, nil
	}
	return Stay, nil
}

func (c *credentials) entered(s *Session, msg Entered) (Move, []Effect) {
	switch text := aws.CleanARN(msg.Text); msg.ID {
	case fieldKeyID:
		if err := aws.CheckAccessKeyID(text); err != nil {
			c.field = inputProblem(err)
			return Stay, nil
		}
		c.typedID, c.field = text, ""
		if s.AWS == nil {
			c.take(s, text, false)
			return Next, nil
		}
		c.stage = keyTypingSecret
	case fieldSecret:
		if err := aws.CheckSecretKey(aws.SecretKey(text)); err != nil {
			c.field = inputProblem(err)
			return Stay, nil
		}
		return c.try(s, c.typedID, Secret(text))
	}
	return Stay, nil
}

// Deeper reports whether b only leaves the fields for a pasted key.
func (c *credentials) Deeper() bool {
	return c.watch != nil && (c.stage == keyTypingID || c.stage == keyTypingSecret)
}

// Up looks at the keys again.
func (c *credentials) Up(s *Session) []Effect { return c.begin(s) }
