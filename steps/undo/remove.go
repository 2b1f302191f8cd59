package undo

import (
	"context"
	"errors"
	"time"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// How often a removal whose answer got lost, or that AWS is not ready for, is
// looked at again, and how long rolecall waits between.
const (
	removalTries = 5
	removalPause = 2 * time.Second
)

// Remove looks at an item once more, removes it if it is still what rolecall
// made, and writes that into the receipt. An item that is gone already is
// written down too. When an answer gets lost, it looks whether the item is
// gone. A request that was sent has until the end of the time for its answer.
func (r *Remover) Remove(ctx context.Context, item record.Item) (Removal, error) {
	if item.Kind == record.ItemProvider && !r.pause(ctx, shownIn) { // a role that was made a moment ago is in no list yet
		return r.lookOnce(ctx, item)
	}
	sent := false
	for try := 1; ; try++ {
		now, err := r.attempt(ctx, item)
		item, sent = now.Item, sent || !now.Leaving.IsZero()
		switch {
		case err == nil && now.Verdict == Gone && sent:
			now.Verdict = Removed // by the try whose answer got lost
			return now, r.record(now.Item)
		case err == nil && now.Verdict == Gone && r.early(item):
			try = 0 // what was asked for a moment ago may show yet
		case err == nil && (now.Verdict == Gone || now.Verdict == Removed):
			return now, r.record(now.Item)
		case err == nil && now.Verdict == Stays:
			return now, nil
		case err == nil && try == removalTries && item.Kind == record.ItemProvider:
			return trusted(item, now.trusts), nil
		case err == nil && try == removalTries:
			return inUse(item), nil
		case err != nil && ctx.Err() == nil && (try == removalTries || !step.Passes(err)):
			return Removal{Item: item, Verdict: Stays}, err
		}
		if !r.pause(ctx, removalPause) {
			return r.lookOnce(ctx, item)
		}
	}
}

// pause waits; false where the time was up before.
func (r *Remover) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-r.after(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// lookOnce finds out, after the time was up, whether an item is gone.
func (r *Remover) lookOnce(ctx context.Context, item record.Item) (Removal, error) {
	look, cancel := screen.LookUp(ctx)
	defer cancel()
	if now, err := r.judge(look, item); err == nil && now.Verdict == Gone {
		now.Verdict = Removed
		return now, r.record(item)
	}
	return Removal{Item: item, Verdict: Stays}, ctx.Err()
}

func (r *Remover) after(d time.Duration) <-chan time.Time {
	if r.After != nil {
		return r.After(d)
	}
	return time.After(d)
}

// attempt is one look and one removal, written down before it is sent. The
// verdict stays Remove while a policy is in use: IAM may not have forgotten the
// attachment yet.
func (r *Remover) attempt(ctx context.Context, item record.Item) (Removal, error) {
	item, err := r.reconciled(ctx, item)
	if err != nil {
		return Removal{Item: item}, err
	}
	now, err := r.judge(ctx, item)
	now.Item = item
	if err == nil && now.Verdict == Remove && now.stack != "" {
		return inStack(item), nil
	}
	if err != nil || now.Verdict != Remove || now.uses > 0 {
		return now, err
	}
	now.Leaving = r.Now().UTC()
	if err := r.Ledger.Put(r.Receipt, now.Item); err != nil {
		return now, err
	}
	writing, cancel := screen.Writing(ctx)
	defer cancel()
	if err := r.delete(writing, item); err != nil {
		if step.Refused(err) {
			now.Leaving = time.Time{}
			err = errors.Join(err, r.Ledger.Put(r.Receipt, now.Item))
		}
		return now, err
	}
	if item.Kind == record.ItemStack {
		if err := r.awaitStack(ctx, item); err != nil {
			return now, err
		}
	}
	now.Verdict = Removed
	return now, nil
}

func (r *Remover) record(item record.Item) error {
	item.State, item.At, item.By, item.Leaving = record.ItemRemoved, r.Now().UTC(), r.By, time.Time{}
	return r.Ledger.Put(r.Receipt, item)
}

// delete sends the request that removes an item, through the journal.
func (r *Remover) delete(ctx context.Context, item record.Item) error {
	switch item.Kind {
	case record.ItemAttachment:
		return r.Journal.Do(
			ctx,
			"detach "+item.Name+" from "+item.Role,
			func(ctx context.Context) error { return r.Account.DetachRolePolicy(ctx, item.Role, item.ARN) },
		)
	case record.ItemInline:
		return r.Journal.Do(ctx, "delete inline policy "+item.Name+" of "+item.Role, func(ctx context.Context) error {
			return r.Account.DeleteRolePolicy(ctx,
				item.Role, item.Name)
		})
	case record.ItemRole:
		return r.Journal.Do(ctx, "delete role "+item.Name, func(ctx context.Context) error { return r.Account.DeleteRole(ctx, item.Name) })
	case record.ItemPolicy:
		return r.deletePolicy(ctx, item)
	case record.ItemUser, record.ItemUserAttachment, record.ItemKey:
		return r.deleteUserItem(ctx, item)
	case record.ItemProvider:
		return r.Journal.Do(ctx, "delete OIDC provider "+item.Name,
			func(ctx context.Context) error { return r.Account.DeleteOIDCProvider(ctx, item.ARN) })
	case record.ItemStack:
		return r.Journal.Do(ctx, "delete stack "+item.Name, func(ctx context.Context) error { return r.Account.DeleteStack(ctx, item.ID, "") })
	}
	return nil
}

// deletePolicy deletes the older versions first: IAM asks for that.
func (r *Remover) deletePolicy(ctx context.Context, item record.Item) error {
	versions, err := r.Account.PolicyVersions(ctx, item.ARN)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v.IsDefault {
			continue
		}
		call := "delete version " + v.ID + " of policy " + item.Name
		if err := r.Journal.Do(
			ctx,
			call,
			func(ctx context.Context) error { return r.Account.DeletePolicyVersion(ctx, item.ARN, v.ID) },
		); err != nil {
			return err
		}
	}
	return r.Journal.Do(ctx, "delete policy "+item.Name, func(ctx context.Context) error { return r.Account.DeletePolicy(ctx, item.ARN) })
}

// All removes everything that may be removed, in order, and says what became
// of each. It stops at the first error; what was done until then is on record.
func (r *Remover) All(ctx context.Context) ([]Removal, error) {
	plan, err := r.Plan(ctx)
	if err != nil {
		return nil, err
	}
	for i := range plan {
		if plan[i].Verdict == Stays {
			continue
		}
		plan[i], err = r.Remove(ctx, plan[i].Item)
		if err != nil {
			return plan, err
		}
	}
	return plan, nil
}
