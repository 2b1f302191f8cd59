package guide

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// create makes the key. onRecord is false for the rehearsal's stand-in for the
// browser, which leaves no receipt. A secret that cannot be kept where it was
// wanted makes the key worthless, so it is deleted again at once.
func (c *Credentials) create(s *step.Session, onRecord bool) screen.Effect {
	host, user, keep := s.Host(), c.user(s), s.KeepSecret
	if !onRecord {
		host.Ledger = &record.Ledger{}
	}
	var made keyCreated
	op := making.NewKey(c.Spec.Role, user, c.keys, func(key aws.AccessKey, secret aws.SecretKey) {
		made.key, made.secret = key, screen.Secret(secret)
	})
	return screen.Call{Name: op.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		item, err := host.Send(ctx, op)
		made.lost, made.requestID, made.err = item.ID, item.RequestID, err
		if made.err == nil && keep != nil {
			made.kept = keep(item.ID, made.secret)
		}
		if made.kept != nil {
			made.gone = host.Journal.Do(ctx, "delete access key "+item.ID, func(ctx context.Context) error {
				host.Until = time.Time{} // a key whose secret nobody has must not stay because the time is up
				_, err := host.DeleteKey(ctx, item)
				return err
			}) == nil
		}
		return made
	}}
}

// Outcome says how the request for the key went.
func (m keyCreated) Outcome() screen.Outcome {
	return step.OutcomeOf(m.err, screen.ResultMade).With(m.requestID)
}

// user is whose keys these are.
func (c *Credentials) user(s *step.Session) aws.UserRef {
	part := s.Part(c.Spec.Role)
	return aws.UserRef{Name: part.UserName, ARN: part.UserARN, ID: part.UserID}
}

func (c *Credentials) created(s *step.Session, msg keyCreated) (step.Move, []screen.Effect) {
	switch {
	case msg.err != nil && msg.key.ID == "" && msg.lost != "" && s.MakesKey():
		c.orphaned(s, msg.lost)
		return step.Stay, []screen.Effect{c.look(s, 0)}
	case msg.err != nil && msg.key.ID == "":
		c.stage, c.problem = keyFailed, step.ProblemOf(msg.err)
		if !step.Refused(msg.err) {
			c.problem.Next = "A key may have been made whose secret nobody has. Look at the keys."
		}
		if !s.Until.IsZero() && !s.Now().Before(s.Until) {
			c.problem.Kind = screen.TimedOut
		}
		return step.Stay, nil
	case msg.gone:
		c.stage, c.problem = keyFailed, step.ProblemOf(msg.kept)
		c.problem.What = "The secret access key could not be written, so rolecall deleted the key again. " + c.problem.What
		return step.Stay, nil
	}
	s.KeepInMind(c.Spec.Role, msg.secret)
	kept := s.KeepSecret != nil && msg.kept == nil && msg.err == nil
	s.SetPart(c.Spec.Role, func(p *record.Part) { p.KeyID, p.KeyMade, p.KeyKept = msg.key.ID, s.MakesKey(), kept })
	c.keys = append(slices.Clone(c.keys), msg.key)
	if err := msg.err; err != nil || msg.kept != nil {
		c.stage, c.problem = keyFailed, step.ProblemOf(err)
		if msg.kept != nil {
			c.problem = step.ProblemOf(msg.kept)
		}
		return step.Stay, nil
	}
	return c.try(s, msg.key.ID, msg.secret)
}

// orphaned is about a key that this session made and whose secret nobody has:
// the answer got lost, or the program was killed before it was saved.
func (c *Credentials) orphaned(s *step.Session, id string) {
	s.SetPart(c.Spec.Role, func(p *record.Part) { p.KeyID, p.KeyMade = id, true })
	c.stage, c.problem, c.lost = keyOrphan, nil, true
}

// try finds out whether both halves belong together, and whose they are. AWS
// needs some seconds until it knows a new key everywhere.
func (c *Credentials) try(s *step.Session, id string, secret screen.Secret) (step.Move, []screen.Effect) {
	c.stage, c.since, c.until = keyTrying, s.Now(), s.Now().Add(tryKeyFor)
	return step.Stay, []screen.Effect{c.tryAfter(s, id, secret, 0)}
}

func (c *Credentials) tryAfter(s *step.Session, id string, secret screen.Secret, pause time.Duration) screen.Effect {
	account := s.AWS
	return screen.Call{Name: "try the access key", After: pause, Do: func(ctx context.Context) screen.Msg {
		whose, err := account.TryKey(ctx, id, aws.SecretKey(secret))
		return keyTried{id, secret, whose, err}
	}}
}

func (c *Credentials) tried(s *step.Session, msg keyTried) (step.Move, []screen.Effect) {
	part := s.Part(c.Spec.Role)
	err := msg.err
	if err == nil {
		err = msg.whose.CheckOwner(c.user(s), s.AccountID)
	}
	if err == nil {
		c.whose, c.typed = &msg.whose, ""
		s.KeepInMind(c.Spec.Role, msg.secret)
		c.take(s, msg.id, part.KeyMade && part.KeyID == msg.id)
		return step.Stay, nil
	}
	soon := aws.KindOf(msg.err) == aws.NotSignedIn || aws.KindOf(msg.err) == aws.Network || aws.KindOf(msg.err) == aws.Throttled
	if soon && s.Now().Add(tryKeyPause).Before(c.until) {
		c.problem = step.ProblemOf(err).AsPassing()
		return step.Stay, []screen.Effect{c.tryAfter(s, msg.id, msg.secret, tryKeyPause)}
	}
	if part.KeyMade && part.KeyID == msg.id {
		c.stage, c.problem = keyFailed, step.ProblemOf(err)
		return step.Stay, nil
	}
	c.stage, c.problem, c.typed, c.field = keyTypingID, nil, "", step.InputProblem(err)
	return step.Stay, nil
}

// delete takes away a key that this session made. Its secret is worth nothing
// from then on.
func (c *Credentials) delete(s *step.Session) []screen.Effect {
	c.stage, c.since = keyMaking, s.Now()
	return []screen.Effect{s.DeleteKey(c.Spec.Role)}
}

func (c *Credentials) deleted(s *step.Session, msg step.KeyDeleted) (step.Move, []screen.Effect) {
	if msg.Err != nil {
		c.stage, c.problem = keyFailed, step.ProblemOf(msg.Err)
		return step.Stay, nil
	}
	c.drop(s)
	return step.Stay, c.begin(s)
}
