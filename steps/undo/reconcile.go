package undo

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
	making "rolecall/steps/make"
	"rolecall/steps/record"
)

// shownIn is how long after a request AWS may still not show what it made: until
// then, that it is not there is no proof that it was not made.
const shownIn = 20 * time.Second

// reconcile finds out, before anything is judged, what became of every request that
// was never seen answered, and writes that down. What carries others comes first,
// since they are known by it.
func (r *Remover) reconcile(ctx context.Context) error {
	items := slices.Clone(r.Receipt.Items)
	slices.SortStableFunc(items, func(a, b record.Item) int { return removalOrder(b.Kind) - removalOrder(a.Kind) })
	for _, item := range items {
		if _, err := r.reconciled(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// reconciled is what is known of an item after a look at it, where anything was
// left open.
func (r *Remover) reconciled(ctx context.Context, item record.Item) (record.Item, error) {
	known, ok := item, false
	var err error
	switch {
	case item.Unproven():
		known, ok, err = r.proven(ctx, item)
	case item.Pending != "" && item.State != record.ItemRemoved:
		known, ok, err = r.written(ctx, item)
	}
	if err != nil || !ok {
		return item, err
	}
	if err := r.Ledger.Put(r.Receipt, known); err != nil {
		return item, err
	}
	r.Receipt = r.Receipt.Knowing(known)
	return known, nil
}

// proven is what a request made whose answer was never seen; ok is false where
// nothing proves it. A thing on a role or user has no time of creation of its own,
// and is judged with that.
func (r *Remover) proven(ctx context.Context, item record.Item) (known record.Item, ok bool, err error) {
	found, err := r.found(ctx, item)
	if aws.KindOf(err) == aws.NotFound {
		return item, false, nil
	}
	if err != nil {
		return item, false, err
	}
	found = slices.DeleteFunc(found, func(f making.Found) bool { return r.listed(f.Item) })
	known, ok = making.Proven(item, found)
	return known, ok, nil
}

// listed tells whether a receipt says that it was made, this one or another: then
// it is not what an open request made.
func (r *Remover) listed(found record.Item) bool {
	all := append(slices.Clone(r.Others), r.Receipt)
	return slices.ContainsFunc(all, func(one record.Receipt) bool { return r.sameAccount(one) && claims(one, found) })
}

// found is what exists of what a request asked for.
func (r *Remover) found(ctx context.Context, item record.Item) ([]making.Found, error) {
	switch item.Kind {
	case record.ItemRole:
		role, err := r.Account.Role(ctx, item.Name)
		return []making.Found{making.FoundRole(role, item)}, err
	case record.ItemPolicy:
		p, err := r.Account.Policy(ctx, item.ARN)
		return []making.Found{making.FoundPolicy(p, item)}, err
	case record.ItemUser:
		user, err := r.Account.User(ctx, item.Name)
		return []making.Found{making.FoundUser(user, item)}, err
	case record.ItemProvider:
		p, err := r.Account.OIDCProvider(ctx, item.ARN)
		return []making.Found{making.FoundProvider(p, item)}, err
	case record.ItemKey:
		return r.foundKeys(ctx, item)
	case record.ItemStack:
		return r.foundStack(ctx, item)
	case record.ItemAttachment, record.ItemInline, record.ItemUserAttachment:
	}
	return nil, nil
}

// foundKeys are the keys of the user that a key was asked for.
func (r *Remover) foundKeys(ctx context.Context, item record.Item) ([]making.Found, error) {
	user, err := r.Account.User(ctx, item.User)
	if err != nil || item.UserID == "" || user.ID != item.UserID {
		return nil, err
	}
	keys, err := r.Account.AccessKeys(ctx, user.Name)
	return making.FoundKeys(item, user.Ref(), keys), err
}

// foundStack is the stack of that name, in the one region where it can be.
func (r *Remover) foundStack(ctx context.Context, item record.Item) ([]making.Found, error) {
	if region := r.Receipt.Region; region == "" || region != r.Account.Region() {
		return nil, nil
	}
	stack, err := r.Account.Stack(ctx, item.Name)
	if err != nil {
		return nil, err
	}
	if stack.Status == aws.StackReview {
		found, err := making.FoundInReview(ctx, r.Account, stack, item)
		return []making.Found{found}, err
	}
	found, _, err := making.FoundStack(ctx, r.Account, stack, item)
	return []making.Found{found}, err
}

// written settles a document that was sent and never seen answered: it is there,
// or, once nothing more can come of the request, it was not taken.
func (r *Remover) written(ctx context.Context, item record.Item) (known record.Item, ok bool, err error) {
	digest, err := r.digest(ctx, item)
	if aws.KindOf(err) == aws.NotFound {
		return item, false, nil
	}
	if err != nil {
		return item, false, err
	}
	known = item
	switch {
	case digest == item.Pending:
		known.Digest, known.Pending = item.Pending, ""
	case r.Now().Sub(item.At) > mostClockSkew:
		known.Pending = ""
	default:
		return item, false, nil
	}
	return known, true, nil
}

// digest is that of the document that a policy, an inline policy or a role has
// now; empty where it is another one of the name.
func (r *Remover) digest(ctx context.Context, item record.Item) (string, error) {
	switch item.Kind {
	case record.ItemPolicy:
		p, err := r.Account.Policy(ctx, item.ARN)
		if err != nil || p.ID != item.ID || p.Document == nil {
			return "", err
		}
		return p.Document.Digest(), nil
	case record.ItemRole:
		role, err := r.Account.Role(ctx, item.Name)
		if err != nil || role.ID != item.ID || role.Trust == nil {
			return "", err
		}
		return role.Trust.Digest(), nil
	case record.ItemInline:
		role, err := r.Account.Role(ctx, item.Role)
		if err != nil || role.ID != item.RoleID {
			return "", err
		}
		i := slices.IndexFunc(role.Inline, func(p aws.InlinePolicy) bool { return p.Name == item.Name && p.Document != nil })
		if i < 0 {
			return "", nil
		}
		return role.Inline[i].Document.Digest(), nil
	case record.ItemAttachment, record.ItemStack, record.ItemUser, record.ItemUserAttachment, record.ItemKey, record.ItemProvider:
	}
	return "", nil
}

// early tells that an open request may still come to something: AWS does not show
// at once what it made.
func (r *Remover) early(item record.Item) bool {
	return item.Unproven() && r.Now().Sub(item.At) < shownIn
}
