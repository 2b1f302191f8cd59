// Package undo takes away what a receipt proves rolecall made, and nothing
// else: every thing is looked at again before it goes. It stands on record.
package undo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Removal is one item of a receipt and what disconnecting does with it.
type Removal struct {
	record.Item
	Verdict RemovalVerdict `json:"verdict"`
	Why     string         `json:"why,omitempty"` // a sentence, for what is not removed
	Next    string         `json:"next,omitempty"`

	uses int // of a policy: what it is attached to
}

// RemovalVerdict says what happens to an item.
type RemovalVerdict string

// The verdicts on an item.
const (
	Remove  RemovalVerdict = "remove"  // rolecall made it and it is unchanged
	Gone    RemovalVerdict = "gone"    // it does not exist any more
	Keep    RemovalVerdict = "keep"    // it is not what rolecall made, or not any more
	Removed RemovalVerdict = "removed" // it was removed just now
)

// Remover removes what a receipt proves rolecall made and that is unchanged.
type Remover struct {
	Account *aws.Account
	Ledger  *record.Ledger
	Receipt record.Receipt
	Now     func() time.Time
	By      string // the ARN of who is signed in
}

// removalOrder is how things have to go: what uses others first.
func removalOrder(kind record.ItemKind) int {
	return slices.Index([]record.ItemKind{record.ItemStack, record.ItemKey, record.ItemAttachment, record.ItemUserAttachment, record.ItemInline, record.ItemRole, record.ItemUser, record.ItemPolicy}, kind)
}

// Plan looks at everything that the receipt lists, in the order in which it
// would be removed. It changes nothing.
func (r *Remover) Plan(ctx context.Context) ([]Removal, error) {
	plan, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	return r.settled(plan), nil
}

func (r *Remover) look(ctx context.Context) ([]Removal, error) {
	items := slices.Clone(r.Receipt.Left())
	slices.SortStableFunc(items, func(a, b record.Item) int { return removalOrder(a.Kind) - removalOrder(b.Kind) })
	var plan []Removal
	for _, item := range items {
		one, err := r.judge(ctx, item)
		if err != nil {
			return nil, err
		}
		plan = append(plan, one)
	}
	return plan, nil
}

// judge looks at one item now and says what may happen to it.
func (r *Remover) judge(ctx context.Context, item record.Item) (Removal, error) {
	switch item.Kind {
	case record.ItemRole:
		return r.judgeRole(ctx, item)
	case record.ItemPolicy:
		return r.judgePolicy(ctx, item)
	case record.ItemAttachment, record.ItemInline:
		return r.judgeGrant(ctx, item)
	case record.ItemUser, record.ItemUserAttachment, record.ItemKey:
		return r.judgeUserItem(ctx, item)
	case record.ItemStack:
		return r.judgeStack(ctx, item)
	}
	return keep(item, "This version of rolecall cannot remove a "+screen.CleanLine(string(item.Kind))+".", "Remove it in the AWS console."), nil
}

func keep(item record.Item, why, next string) Removal {
	return Removal{Item: item, Verdict: Keep, Why: why, Next: next}
}

// unproven is what becomes of a request that was never seen answered.
func (r *Remover) unproven(item record.Item) Removal {
	return keep(item, "rolecall sent the request to make it and never saw the answer, so it cannot prove that this one is its own.",
		"Look first: rolecall resume "+r.Receipt.Session+". Or remove it in the console.")
}

func (r *Remover) judgeRole(ctx context.Context, item record.Item) (Removal, error) {
	role, err := r.Account.Role(ctx, item.Name)
	switch {
	case aws.KindOf(err) == aws.NotFound:
		return Removal{Item: item, Verdict: Gone}, nil
	case err != nil:
		return Removal{}, err
	}
	if item.Unproven() {
		return r.unproven(item), nil
	}
	if change := r.roleChange(role, item); change != "" {
		return keep(item, change, "If it is not needed any more, delete it in the console: IAM, Roles, "+item.Name+"."), nil
	}
	return Removal{Item: item, Verdict: Remove}, nil
}

// roleChange says how a role differs from the one that rolecall made; empty
// when it does not.
func (r *Remover) roleChange(role aws.Role, item record.Item) string {
	switch {
	case item.ID == "" || role.ID != item.ID:
		return fmt.Sprintf("It is another role of that name: its ID is %s, and rolecall made %s.", role.ID, item.ID)
	case role.Trust == nil || role.Trust.Digest() != item.Digest:
		return "Its trust policy was changed since rolecall made it."
	}
	if foreign := r.foreign(role); len(foreign) > 0 {
		return "Somebody gave it more since: " + strings.Join(foreign, ", ") + "."
	}
	return ""
}

// foreign are the policies of a role that the receipt does not list.
func (r *Remover) foreign(role aws.Role) []string {
	var names []string
	known := func(kind record.ItemKind, name string) bool {
		return slices.ContainsFunc(r.Receipt.Left(), func(i record.Item) bool {
			return i.Kind == kind && i.RoleID == role.ID && (i.ARN == name || kind == record.ItemInline && i.Name == name)
		})
	}
	for _, p := range role.Attached {
		if !known(record.ItemAttachment, p.ARN) {
			names = append(names, p.Name)
		}
	}
	for _, p := range role.Inline {
		if !known(record.ItemInline, p.Name) {
			names = append(names, p.Name+" (inline)")
		}
	}
	return names
}

// judgeGrant judges an attachment or an inline policy: it goes with its role
// or, from a role that rolecall only found, by itself.
func (r *Remover) judgeGrant(ctx context.Context, item record.Item) (Removal, error) {
	role, err := r.Account.Role(ctx, item.Role)
	switch {
	case aws.KindOf(err) == aws.NotFound:
		return Removal{Item: item, Verdict: Gone}, nil
	case err != nil:
		return Removal{}, err
	case role.ID != item.RoleID:
		if item.Unproven() && item.RoleID == "" {
			return r.unproven(item), nil
		}
		return Removal{Item: item, Verdict: Gone}, nil // the role it was on is gone
	}
	if own, ok := r.Receipt.Find(record.Item{Kind: record.ItemRole, Name: item.Role}); ok && own.State == record.ItemMade {
		if change := r.roleChange(role, own); change != "" {
			return keep(item, "The role stays as it is: "+change, ""), nil
		}
	}
	if item.Kind == record.ItemInline {
		return judgeInline(role, item), nil
	}
	if !slices.ContainsFunc(role.Attached, func(p aws.AttachedPolicy) bool { return p.ARN == item.ARN }) {
		return Removal{Item: item, Verdict: Gone}, nil
	}
	return Removal{Item: item, Verdict: Remove}, nil
}

func judgeInline(role aws.Role, item record.Item) Removal {
	i := slices.IndexFunc(role.Inline, func(p aws.InlinePolicy) bool { return p.Name == item.Name })
	switch {
	case i < 0:
		return Removal{Item: item, Verdict: Gone}
	case role.Inline[i].Document == nil || role.Inline[i].Document.Digest() != item.Digest:
		return keep(item, "It was changed since rolecall wrote it.", "Remove it on the role's page if it is not needed any more.")
	}
	return Removal{Item: item, Verdict: Remove}
}

func (r *Remover) judgePolicy(ctx context.Context, item record.Item) (Removal, error) {
	if arn, ok := aws.SplitARN(item.ARN); ok && arn.AccountID == "aws" {
		return keep(item, "It is AWS's own policy, which nobody else can delete.", ""), nil
	}
	p, err := r.Account.Policy(ctx, item.ARN)
	switch {
	case aws.KindOf(err) == aws.NotFound:
		return Removal{Item: item, Verdict: Gone}, nil
	case err != nil:
		return Removal{}, err
	case item.Unproven():
		return r.unproven(item), nil
	case item.ID == "" || p.ID != item.ID:
		return keep(item, fmt.Sprintf("It is another policy of that name: its ID is %s, and rolecall made %s.", p.ID, item.ID), ""), nil
	case p.Document == nil || p.Document.Digest() != item.Digest:
		return keep(item, "It was changed since rolecall made it.", "If it is not needed any more, delete it in the console: IAM, Policies, "+item.Name+"."), nil
	}
	return Removal{Item: item, Verdict: Remove, uses: p.Attachments}, nil
}

// settled takes back what the plan would remove and cannot: a policy stays
// while something else than the attachments of the receipt uses it.
func (r *Remover) settled(plan []Removal) []Removal {
	for i := range plan {
		item := plan[i].Item
		if plan[i].Verdict != Remove || item.Kind != record.ItemPolicy {
			continue
		}
		going := 0
		for _, other := range plan {
			attached := other.Kind == record.ItemAttachment || other.Kind == record.ItemUserAttachment
			if other.Verdict == Remove && attached && other.ARN == item.ARN {
				going++
			}
		}
		if plan[i].uses > going {
			plan[i] = inUse(item)
		}
	}
	return plan
}

func inUse(item record.Item) Removal {
	return keep(item, "Something else uses it too.", "See who: IAM, Policies, "+item.Name+", Entities attached.")
}
