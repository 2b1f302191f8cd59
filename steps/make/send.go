package making

import (
	"context"
	"errors"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/steps/explain"
	"rolecall/steps/record"
)

const (
	// skew is how far this machine's clock may be from AWS's: AWS refuses requests
	// that were signed more than 15 minutes ago ("Signature expired … (15 min.)").
	skew = 15 * time.Minute
	// lookUpFor is how long rolecall looks what became of a request whose answer
	// got lost, also when the time is up.
	lookUpFor = 10 * time.Second
)

// Send carries out one operation. What it makes is on record before it is sent,
// and with its ID before the answer is handed on, so that nothing is lost when
// the program is killed between any two of these. When the answer gets lost, or
// says no more than that it exists already, it looks once whether what exists is
// what was asked for. It gives what is on record then; the error is nil when the
// operation was done.
func (h Host) Send(ctx context.Context, op Operation) (record.Item, error) {
	limited, cancel := h.limit(ctx)
	defer cancel()
	if err := limited.Err(); err != nil {
		return op.Item, aws.Explain(err) // nothing was sent
	}
	if op.Removes {
		return h.remove(limited, op)
	}
	item, lost, over, err := h.before(op)
	if err != nil {
		return op.Item, err // nothing was sent
	}
	if over { // what was made is written anew: it stays on record as made, whatever comes of that
		op.Makes, op.Rewrites = false, true
	}
	traced, trace := aws.Traced(limited)
	err = op.Do(traced, h.Account, &item)
	item.RequestID = trace.RequestID()
	switch {
	case err == nil:
		item.State, item.Looked = op.after(), false
	case op.Once && !lost && (explain.Refused(err) || aws.KindOf(err) == aws.Exists):
		item = h.never(op, item)
	default:
		item, err = h.lookUp(ctx, op, item, lost, err)
	}
	if putErr := h.put(item); putErr != nil && err == nil {
		err = putErr
	}
	return item, err
}

// remove sends a request that deletes something. That it is gone is written down
// by whoever sees it.
func (h Host) remove(ctx context.Context, op Operation) (record.Item, error) {
	if err := h.Ledger.Leaving(h.Head, op.Item, h.Now().UTC()); err != nil {
		return op.Item, err // nothing was sent
	}
	traced, trace := aws.Traced(ctx)
	err := op.Do(traced, h.Account, &op.Item)
	op.Item.RequestID = trace.RequestID()
	if explain.Refused(err) {
		err = errors.Join(err, h.Ledger.Leaving(h.Head, op.Item, time.Time{}))
	}
	return op.Item, err
}

// limit ends a request when the time is up.
func (h Host) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if h.Until.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, h.Until.Sub(h.Now()))
}

// after is the state of what was done.
func (op Operation) after() record.ItemState {
	if op.Makes {
		return record.ItemMade
	}
	return record.ItemUpdated
}

// never is what is on record of what was not done.
func (h Host) never(op Operation, item record.Item) record.Item {
	if op.Makes {
		item.State = record.ItemNotMade
		return item
	}
	receipt, _ := h.Ledger.Receipt() // it was read just before
	if known, ok := receipt.Find(item); ok && known.Pending != "" {
		known.Pending = ""
		return known
	}
	return item
}

// before writes down that the request is about to be sent. lost tells that an
// earlier one for the same thing may still have been done; over that the thing
// is one that was made here.
func (h Host) before(op Operation) (item record.Item, lost, over bool, err error) {
	receipt, err := h.Ledger.Receipt()
	if err != nil {
		return op.Item, false, false, err
	}
	item = placed(op.Item, receipt)
	item.At, item.By = h.Now().UTC(), h.By
	known, ok := receipt.Find(item)
	over = ok && known.State == record.ItemMade && known.Identical(item)
	switch {
	case op.Makes && !over:
		lost = ok && known.Unproven() && item.At.Sub(known.At) < skew
		item.State, item.Sent = record.ItemSent, item.At
		return item, lost, false, h.put(item)
	case over && known.Digest != item.Digest:
		// What was made stays on record as such, and is still known for it should
		// the answer get lost.
		known.Pending = item.Digest
		return item, false, over, h.put(known)
	}
	return item, false, over, nil
}

// placed fills in on which very role or user a thing is, where that was made
// just before.
func placed(item record.Item, receipt record.Receipt) record.Item {
	if item.Role != "" && item.RoleID == "" {
		role, _ := receipt.Find(record.Item{Kind: record.ItemRole, Name: item.Role})
		item.RoleID = role.ID
	}
	if item.User != "" && item.UserID == "" {
		user, _ := receipt.Find(record.Item{Kind: record.ItemUser, Name: item.User})
		item.UserID = user.ID
	}
	return item
}

// lookUp finds out once what became of a request whose answer tells too little.
// It outlives the request's own time.
func (h Host) lookUp(ctx context.Context, op Operation, item record.Item, lost bool, err error) (record.Item, error) {
	item.State = ""
	if op.Makes {
		item.State = record.ItemUnknown
	}
	switch {
	case !op.Makes && !op.Rewrites:
		return item, err // the next plan shows whether it was done
	case op.Look == nil && explain.Refused(err) && !lost:
		return h.never(op, item), err
	case op.Look == nil:
		return item, err // whoever follows it looks
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUpFor)
	defer cancel()
	found, lookErr := op.Look(ctx, h.Account)
	if lookErr != nil {
		return item, err
	}
	if done, ok := the(item, found, op.Makes); ok {
		settled := item
		settled.ID, settled.ARN, settled.Name, settled.Digest = done.ID, done.ARN, done.Name, done.Digest
		settled.RoleID, settled.UserID = done.RoleID, done.UserID
		settled.State, settled.At, settled.Looked = op.after(), h.Now().UTC(), op.Makes
		done = settled
		if op.OnlyAnswer {
			return done, err
		}
		return done, nil
	}
	taken := aws.KindOf(err) == aws.Exists && slices.ContainsFunc(found, func(f Found) bool { return foreign(item, f) })
	if explain.Refused(err) && !lost || taken {
		return h.never(op, item), err
	}
	return item, err
}

// foreign tells that what has the name is for certain not what a request made.
func foreign(sent record.Item, found Found) bool {
	if !sameThing(sent, found.Item) {
		return false
	}
	return !found.Alike || sent.Digest != found.Digest || sent.Token != "" && found.Token != "" && sent.Token != found.Token
}

// the finds the one thing that a request made, or changed to what was asked for.
func the(sent record.Item, found []Found, makes bool) (record.Item, bool) {
	ours := slices.DeleteFunc(slices.Clone(found), func(f Found) bool {
		if makes {
			return !Ours(sent, f)
		}
		return !sameThing(sent, f.Item) || !sent.Identical(f.Item) || f.Digest != sent.Digest
	})
	if len(ours) != 1 {
		return record.Item{}, false
	}
	return ours[0].Item, true
}

// Ours tells whether a thing that exists is the one that a request made whose
// answer was never seen. The name was free just before the request, so that what
// has its content and settings, and was made when it was sent, is that one. A
// stack's events say it for certain.
func Ours(sent record.Item, found Found) bool {
	switch {
	case !sent.Unproven(), !found.Alike, !sameThing(sent, found.Item), sent.Digest != found.Digest:
		return false
	case sent.RoleID != "" && sent.RoleID != found.RoleID, sent.UserID != "" && sent.UserID != found.UserID:
		return false
	case slices.Contains(sent.Beside, found.ID):
		return false // the user had that key before
	case sent.Token != "" && found.Token != "":
		return sent.Token == found.Token
	}
	return found.Created.IsZero() || found.Created.Sub(sent.At).Abs() <= skew
}

// sameThing compares names; a key has none before it is made.
func sameThing(sent, found record.Item) bool {
	receipt := record.Receipt{Items: []record.Item{sent}}
	_, ok := receipt.Find(found)
	return ok
}

// reconcile compares requests that were sent and never seen answered with what
// exists, and writes down what is found out. What rolecall made in this session
// it marks as such among what was found.
func (h Host) reconcile(found []Found) error {
	receipt, err := h.Ledger.Receipt()
	if err != nil {
		return err
	}
	for i := range found {
		f := &found[i]
		known, ok := receipt.Find(f.Item)
		switch {
		case !ok:
			continue
		case known.Unproven():
			one, is := Proven(known, found)
			if !is || one.ID != f.ID {
				continue
			}
			known = one
			known.At = h.Now().UTC()
		case known.Pending != "" && known.Identical(f.Item) && f.Digest == known.Pending:
			known.Digest, known.Pending, known.Closed, known.At = known.Pending, "", false, h.Now().UTC()
		default:
			if known.State == record.ItemMade && known.Identical(f.Item) {
				f.State = record.ItemMade
			}
			continue
		}
		if err := h.put(known); err != nil {
			return err
		}
		f.State = known.State
	}
	return nil
}

// adopt writes down what exists and is right. What was made here stays on record
// as such.
func (h Host) adopt(items []record.Item) error {
	for _, item := range items {
		item.State, item.At, item.By = record.ItemAdopted, h.Now().UTC(), h.By
		if err := h.put(item); err != nil {
			return err
		}
	}
	return nil
}

func (h Host) put(item record.Item) error {
	if item.State == "" || item.Kind == "" {
		return nil
	}
	return h.Ledger.Put(h.Head, item)
}

// Removed writes down that a thing was taken away again, if it is on record.
func (h Host) Removed(item record.Item) error {
	receipt, err := h.Ledger.Receipt()
	if err != nil {
		return err
	}
	known, ok := receipt.Find(item)
	if !ok || known.ID != item.ID {
		return nil
	}
	known.State, known.At, known.By = record.ItemRemoved, h.Now().UTC(), h.By
	return h.put(known)
}

// Outstanding is what this session made, or may have made, and did not remove.
func (h Host) Outstanding() []record.Item {
	receipt, err := h.Ledger.Receipt()
	if err != nil {
		return nil
	}
	return receipt.Outstanding()
}

// Passes tells whether an error is worth another look: an answer that got lost,
// a server that is not well, or a use that IAM has not forgotten yet.
func Passes(err error) bool {
	switch aws.KindOf(err) {
	case aws.Network, aws.Unavailable, aws.Throttled, aws.Conflict, aws.NotFound:
		return true
	}
	return false
}
