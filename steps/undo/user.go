package undo

import (
	"context"
	"fmt"
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
	case item.Unproven():
		return r.unproven(item), nil
	case id == "" || user.ID != id:
		if item.Kind != record.ItemUser {
			return Removal{Item: item, Verdict: Gone}, nil // the user it was on is gone
		}
		return keep(item, fmt.Sprintf("It is another user of that name: its ID is %s, and rolecall made %s.", user.ID, item.ID), ""), nil
	}
	keys, err := r.Account.AccessKeys(ctx, user.Name)
	if err != nil {
		return Removal{}, err
	}
	switch item.Kind {
	case record.ItemKey:
		if !slices.ContainsFunc(keys, func(k aws.AccessKey) bool { return k.ID == item.ID }) {
			return Removal{Item: item, Verdict: Gone}, nil
		}
	case record.ItemUserAttachment:
		if !slices.ContainsFunc(user.Attached, func(p aws.AttachedPolicy) bool { return p.ARN == item.ARN }) {
			return Removal{Item: item, Verdict: Gone}, nil
		}
	default:
		if foreign := r.foreignToUser(user, keys); foreign != "" {
			return keep(item, "Somebody gave it more since: "+foreign+".", "If it is not needed any more, delete it in the console: IAM, Users, "+item.Name+"."), nil
		}
	}
	return Removal{Item: item, Verdict: Remove}, nil
}

// foreignToUser names what a user has that the receipt does not list.
func (r *Remover) foreignToUser(user aws.User, keys []aws.AccessKey) string {
	known := func(kind record.ItemKind, match func(record.Item) bool) bool {
		return slices.ContainsFunc(r.Receipt.Items, func(i record.Item) bool {
			return i.Kind == kind && i.UserID == user.ID && (i.State == record.ItemMade || i.Unproven()) && match(i)
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
		return r.Account.DeleteAccessKey(ctx, item.User, item.ID)
	case record.ItemUserAttachment:
		return r.Account.DetachUserPolicy(ctx, item.User, item.ARN)
	default:
		return r.Account.DeleteUser(ctx, item.Name)
	}
}
