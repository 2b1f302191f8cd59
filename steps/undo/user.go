package undo

import (
	"context"
	"slices"

	"rolecall/aws"
	"rolecall/steps/record"
)

// judgeUserItem judges a user, its key or its policy: only what this session
// made, by its ID.
func (r *Remover) judgeUserItem(ctx context.Context, item record.Item) (Removal, error) {
	name, id := item.User, item.UserID
	if item.Kind == record.ItemUser {
		name, id = item.Name, item.ID
	}
	user, err := r.Account.User(ctx, name)
	switch {
	case aws.KindOf(err) == aws.NotFound:
		return Removal{Item: item, Verdict: Gone}, nil
	case err != nil:
		return Removal{}, err
	case item.Kind == record.ItemUser && item.Unproven(), item.Kind != record.ItemUser && id == "":
		return r.unproven(item), nil
	case user.ID != id && item.Kind != record.ItemUser:
		return Removal{Item: item, Verdict: Gone}, nil // the user it was on is gone
	case user.ID != id:
		return stays(item, another("user", user.ID, id), deleteByHand(item)), nil
	}
	keys, err := r.Account.AccessKeys(ctx, user.Name)
	if err != nil {
		return Removal{}, err
	}
	switch item.Kind {
	case record.ItemKey:
		return r.judgeKey(keys, item), nil
	case record.ItemUserAttachment:
		return r.judgeUserAttachment(user, item), nil
	}
	if !r.madeThen(user.Created, item) {
		return stays(item, notThen(user.Created), deleteByHand(item)), nil
	}
	if foreign := r.foreignToUser(user, keys); foreign != "" {
		return stays(item, "Somebody gave it more since: "+foreign+".", deleteByHand(item)), nil
	}
	return Removal{Item: item, Verdict: Remove}, nil
}

// judgeKey judges an access key. One that was asked for and never seen has no
// ID on record, so that none of the user's keys is proven to be it.
func (r *Remover) judgeKey(keys []aws.AccessKey, item record.Item) Removal {
	i := slices.IndexFunc(keys, func(k aws.AccessKey) bool { return k.ID == item.ID })
	switch {
	case item.Unproven() && !slices.ContainsFunc(keys, func(k aws.AccessKey) bool { return !r.listsKey(k.ID) }):
		return Removal{Item: item, Verdict: Gone} // it was never made, or is deleted
	case item.Unproven():
		return r.unproven(item)
	case i < 0:
		return Removal{Item: item, Verdict: Gone}
	case !r.madeThen(keys[i].Created, item):
		return stays(item, notThen(keys[i].Created), deleteByHand(item))
	}
	return Removal{Item: item, Verdict: Remove}
}

// listsKey tells whether the receipt says that this session made the key.
func (r *Remover) listsKey(id string) bool {
	return slices.ContainsFunc(r.Receipt.Items, func(i record.Item) bool {
		return i.Kind == record.ItemKey && i.ID == id && i.State == record.ItemMade
	})
}

// judgeUserAttachment judges a policy on a user. On a user that rolecall made,
// the answer to the request is not needed to know whose it is.
func (r *Remover) judgeUserAttachment(user aws.User, item record.Item) Removal {
	own, ok := r.Receipt.Find(record.Item{Kind: record.ItemUser, Name: item.User})
	made := ok && own.State == record.ItemMade && own.ID == user.ID
	switch {
	case !slices.ContainsFunc(user.Attached, func(p aws.AttachedPolicy) bool { return p.ARN == item.ARN }):
		return Removal{Item: item, Verdict: Gone}
	case item.Unproven() && !made && !r.madePolicy(item.ARN):
		return r.unproven(item)
	}
	return Removal{Item: item, Verdict: Remove}
}

// foreignToUser names what a user has that the receipt does not list.
func (r *Remover) foreignToUser(user aws.User, keys []aws.AccessKey) string {
	known := func(kind record.ItemKind, match func(record.Item) bool) bool {
		return slices.ContainsFunc(r.Receipt.Outstanding(), func(i record.Item) bool {
			return i.Kind == kind && i.UserID == user.ID && match(i)
		})
	}
	for _, k := range keys {
		if !known(record.ItemKey, func(i record.Item) bool { return i.ID == k.ID }) {
			return "access key " + k.ID
		}
	}
	for _, p := range user.Attached {
		if !known(record.ItemUserAttachment, func(i record.Item) bool { return i.ARN == p.ARN }) {
			return "policy " + p.Name
		}
	}
	if len(user.Inline) > 0 {
		return "inline policy " + user.Inline[0].Name
	}
	if len(user.Groups) > 0 {
		return "group " + user.Groups[0]
	}
	return ""
}

// deleteUserItem removes a user, its key or its policy.
func (r *Remover) deleteUserItem(ctx context.Context, item record.Item) error {
	switch item.Kind {
	case record.ItemKey:
		return r.Journal.Do(
			ctx,
			"delete access key "+item.ID,
			func(ctx context.Context) error { return r.Account.DeleteAccessKey(ctx, item.User, item.ID) },
		)
	case record.ItemUserAttachment:
		return r.Journal.Do(
			ctx,
			"detach "+item.Name+" from "+item.User,
			func(ctx context.Context) error { return r.Account.DetachUserPolicy(ctx, item.User, item.ARN) },
		)
	default:
		return r.Journal.Do(ctx, "delete user "+item.Name, func(ctx context.Context) error { return r.Account.DeleteUser(ctx, item.Name) })
	}
}
