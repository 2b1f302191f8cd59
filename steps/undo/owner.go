package undo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
)

// claim is how well one receipt shows that its session made a thing. The least
// one is the best.
type claim struct {
	session string
	looked  int           // 0: the answer to its request was seen; 1: a look told
	apart   time.Duration // between its request and AWS's own time of creation
	beside  int           // things on record that belong to it
}

func (c claim) compare(other claim) int {
	return cmp.Or(cmp.Compare(c.looked, other.looked), cmp.Compare(c.apart, other.apart), cmp.Compare(other.beside, c.beside),
		cmp.Compare(c.session, other.session))
}

// owner is the session that made a thing which several receipts claim: the one
// that saw AWS's answer, else the one whose request AWS's time of creation fits,
// else the one whose receipt lists what belongs to it. Whichever receipt asks,
// the answer is the same, so that the thing is removed by one of them.
func (r *Remover) owner(ctx context.Context, item record.Item) (string, error) {
	var rivals []record.Receipt
	for _, other := range r.Others {
		if other.Session != r.Receipt.Session && r.sameAccount(other) && claims(other, item) {
			rivals = append(rivals, other)
		}
	}
	if len(rivals) == 0 || !claims(r.Receipt, item) {
		return r.Receipt.Session, nil
	}
	created, err := r.created(ctx, item)
	if err != nil && aws.KindOf(err) != aws.NotFound {
		return "", err
	}
	claimed := []claim{claimOf(r.Receipt, item, created)}
	for _, rival := range rivals {
		claimed = append(claimed, claimOf(rival, item, created))
	}
	return slices.MinFunc(claimed, claim.compare).session, nil
}

func (r *Remover) sameAccount(other record.Receipt) bool {
	return !other.Rehearsal && other.AccountID == r.Receipt.AccountID && other.Endpoint == r.Receipt.Endpoint
}

// claims tells whether a receipt says that its session made this very thing.
func claims(r record.Receipt, item record.Item) bool { return claimed(r, item) >= 0 }

func claimed(r record.Receipt, item record.Item) int {
	return slices.IndexFunc(r.Items, func(i record.Item) bool {
		if i.Kind != item.Kind || i.State != record.ItemMade {
			return false
		}
		if item.ID != "" || i.ID != "" {
			return i.ID == item.ID
		}
		owner := item.RoleID + item.UserID
		return owner != "" && i.RoleID+i.UserID == owner && i.ARN == item.ARN && i.Name == item.Name
	})
}

// claimOf weighs a receipt that claims a thing.
func claimOf(r record.Receipt, item record.Item, created time.Time) claim {
	own := r.Items[claimed(r, item)]
	c := claim{session: r.Session}
	if own.Looked {
		c.looked = 1
	}
	if sent := own.Sent; !created.IsZero() {
		if sent.IsZero() {
			sent = own.At
		}
		c.apart = created.Sub(sent).Abs().Round(time.Second)
	}
	for _, i := range r.Items {
		if i.State == record.ItemMade && (belongs(i, item) || onOne(i, item)) {
			c.beside++
		}
	}
	return c
}

// belongs tells whether two things are one on the other: a policy on a role, a key
// of a user.
func belongs(a, b record.Item) bool {
	on := func(thing, owner record.Item) bool {
		switch owner.Kind {
		case record.ItemRole:
			return thing.RoleID != "" && thing.RoleID == owner.ID
		case record.ItemUser:
			return thing.UserID != "" && thing.UserID == owner.ID
		case record.ItemPolicy:
			return thing.Kind != record.ItemPolicy && thing.ARN != "" && thing.ARN == owner.ARN
		case record.ItemAttachment, record.ItemInline, record.ItemStack, record.ItemUserAttachment, record.ItemKey, record.ItemProvider:
		}
		return false
	}
	return on(a, b) || on(b, a)
}

// onOne tells whether two things are on one role or user.
func onOne(a, b record.Item) bool {
	return a.RoleID+a.UserID != "" && a.RoleID+a.UserID == b.RoleID+b.UserID
}

// created is when AWS says that a thing was created; zero for what has no such
// time.
func (r *Remover) created(ctx context.Context, item record.Item) (time.Time, error) {
	switch item.Kind {
	case record.ItemRole:
		role, err := r.Account.Role(ctx, item.Name)
		return role.Created, err
	case record.ItemPolicy:
		p, err := r.Account.Policy(ctx, item.ARN)
		return p.Created, err
	case record.ItemUser:
		user, err := r.Account.User(ctx, item.Name)
		return user.Created, err
	case record.ItemStack:
		stack, err := r.Account.Stack(ctx, item.ID)
		return stack.Created, err
	case record.ItemKey:
		keys, err := r.Account.AccessKeys(ctx, item.User)
		if i := slices.IndexFunc(keys, func(k aws.AccessKey) bool { return k.ID == item.ID }); i >= 0 {
			return keys[i].Created, err
		}
		return time.Time{}, err
	case record.ItemProvider:
		p, err := r.Account.OIDCProvider(ctx, item.ARN)
		return p.Created, err
	case record.ItemAttachment, record.ItemInline, record.ItemUserAttachment:
	}
	return time.Time{}, nil
}
