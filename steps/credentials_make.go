package steps

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
)

// create makes the key. onRecord is false for the rehearsal's stand-in for the
// browser, which leaves no receipt. A secret that cannot be kept where it was
// wanted makes the key worthless, so it is deleted again at once.
func (c *credentials) create(s *Session, onRecord bool) Effect {
	account, part, keep := s.AWS, s.Part(c.d.Role), s.KeepSecret
	record := s.recorder(onRecord)
	item := Item{Kind: ItemKey, Purpose: c.d.Role, User: part.UserName, UserID: part.UserID}
	return Call{Name: "create an access key for " + part.UserName, Writes: true, Do: func(ctx context.Context) Msg {
		key, secret, err := account.CreateAccessKey(ctx, part.UserName)
		if err != nil {
			return keyCreated{err: err}
		}
		item.Name, item.ID = key.ID, key.ID
		made := keyCreated{key: key, secret: Secret(secret)}
		if made.err = record(item, ItemMade); made.err == nil && keep != nil {
			made.kept = keep(key.ID, Secret(secret))
		}
		if made.kept != nil {
			made.gone = account.DeleteAccessKey(ctx, part.UserName, key.ID) == nil && record(item, ItemRemoved) == nil
		}
		return made
	}}
}

// recorder writes items into the receipt, with who made them and when.
func (s *Session) recorder(on bool) func(Item, ItemState) error {
	ledger, head, by, now := s.ledger(), s.receiptHead(), s.caller(), s.Now
	return func(item Item, state ItemState) error {
		if !on {
			return nil
		}
		item.State, item.At, item.By = state, now().UTC(), by
		return ledger.Put(head, item)
	}
}

func (c *credentials) created(s *Session, msg keyCreated) (Move, []Effect) {
	switch {
	case msg.err != nil && msg.key.ID == "":
		c.stage, c.problem = keyFailed, problemOf(msg.err)
		if aws.KindOf(msg.err) == aws.Network {
			c.problem.Next = "A key may have been made whose secret nobody has. Press enter to look at the keys."
		}
		return Stay, nil
	case msg.gone:
		c.stage, c.problem = keyFailed, problemOf(msg.kept)
		c.problem.What = "The secret access key could not be written, so rolecall deleted the key again. " + c.problem.What
		return Stay, nil
	}
	s.keepInMind(c.d.Role, msg.secret)
	s.setPart(c.d.Role, func(p *Part) { p.KeyID, p.KeyMade = msg.key.ID, s.makesKey() })
	c.keys = append(slices.Clone(c.keys), msg.key)
	if err := msg.err; err != nil || msg.kept != nil {
		c.stage, c.problem = keyFailed, problemOf(err)
		if msg.kept != nil {
			c.problem = problemOf(msg.kept)
		}
		return Stay, nil
	}
	return c.try(s, msg.key.ID, msg.secret)
}

// try finds out whether both halves belong together, and whose they are. AWS
// needs some seconds until it knows a new key everywhere.
func (c *credentials) try(s *Session, id string, secret Secret) (Move, []Effect) {
	c.stage, c.since, c.until = keyTrying, s.Now(), s.Now().Add(tryKeyFor)
	return Stay, []Effect{c.tryAfter(s, id, secret, 0)}
}

func (c *credentials) tryAfter(s *Session, id string, secret Secret, pause time.Duration) Effect {
	account := s.AWS
	return Call{Name: "try the access key", After: pause, Do: func(ctx context.Context) Msg {
		whose, err := account.TryKey(ctx, id, aws.SecretKey(secret))
		return keyTried{id, secret, whose, err}
	}}
}

func (c *credentials) tried(s *Session, msg keyTried) (Move, []Effect) {
	part := s.Part(c.d.Role)
	err := msg.err
	if err == nil {
		err = msg.whose.CheckOwner(aws.UserRef{Name: part.UserName, ARN: part.UserARN, ID: part.UserID}, s.AccountID)
	}
	if err == nil {
		c.whose, c.typed = &msg.whose, ""
		s.keepInMind(c.d.Role, msg.secret)
		c.take(s, msg.id, part.KeyMade && part.KeyID == msg.id)
		return Stay, nil
	}
	soon := aws.KindOf(msg.err) == aws.NotSignedIn || aws.KindOf(msg.err) == aws.Network || aws.KindOf(msg.err) == aws.Throttled
	if soon && s.Now().Add(tryKeyPause).Before(c.until) {
		c.problem = problemOf(err).passing()
		return Stay, []Effect{c.tryAfter(s, msg.id, msg.secret, tryKeyPause)}
	}
	if part.KeyMade && part.KeyID == msg.id {
		c.stage, c.problem = keyFailed, problemOf(err)
		return Stay, nil
	}
	c.stage, c.problem, c.typed, c.field = keyTypingID, nil, "", inputProblem(err)
	return Stay, nil
}

// delete takes away a key that this session made. Its secret is worth nothing
// from then on.
func (c *credentials) delete(s *Session) []Effect {
	c.stage, c.since = keyMaking, s.Now()
	return []Effect{s.deleteKey(c.d.Role)}
}

// deleteKey deletes a part's key and records it.
func (s *Session) deleteKey(purpose string) Effect {
	account, part, record := s.AWS, s.Part(purpose), s.recorder(true)
	item := Item{Kind: ItemKey, Purpose: purpose, Name: part.KeyID, ID: part.KeyID, User: part.UserName, UserID: part.UserID}
	return Call{Name: "delete access key " + part.KeyID, Writes: true, Do: func(ctx context.Context) Msg {
		err := account.DeleteAccessKey(ctx, part.UserName, part.KeyID)
		if err != nil && aws.KindOf(err) != aws.NotFound {
			return keyDeleted{err}
		}
		return keyDeleted{record(item, ItemRemoved)}
	}}
}

func (c *credentials) deleted(s *Session, msg keyDeleted) (Move, []Effect) {
	if msg.err != nil {
		c.stage, c.problem = keyFailed, problemOf(msg.err)
		return Stay, nil
	}
	c.drop(s)
	return Stay, c.begin(s)
}

// keyDeleted is the answer of deleteKey.
type keyDeleted struct{ err error }
