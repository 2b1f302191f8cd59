// Package undo takes away what a receipt proves rolecall made, and nothing
// else: every thing is looked at again before it goes. It stands on record.
package undo

import (
	"cmp"
	"context"
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

	stack  string   // of a role and what is on it: the stack of the receipt that holds the role now
	uses   int      // of a policy: what it is attached to; of a provider: len(trusts)
	trusts []string // of an OIDC provider: the roles that trust it
}

// RemovalVerdict says what happens to an item.
type RemovalVerdict string

// The verdicts on an item.
const (
	Remove  RemovalVerdict = "remove"  // rolecall made it and it is unchanged
	Gone    RemovalVerdict = "gone"    // it does not exist any more
	Stays   RemovalVerdict = "keep"    // it is not what rolecall made, or not any more
	Removed RemovalVerdict = "removed" // it was removed just now
)

// Remover removes what a receipt proves rolecall made and that is unchanged.
type Remover struct {
	Account *aws.Account
	Ledger  *record.Ledger
	Journal *record.Journal // of what is sent; nil: nothing is written down
	Receipt record.Receipt
	Others  []record.Receipt // of the other sessions: a thing that several claim is one's
	Resumes bool             // the session is still there to be resumed
	Now     func() time.Time
	By      string // the ARN of who is signed in
	// After is like time.After, on the clock of Now; nil: it is that.
	After func(time.Duration) <-chan time.Time
}

// mostClockSkew is how far this machine's clock may have been from AWS's when
// the receipt was written. With more than that no request is signed right.
const mostClockSkew = 24 * time.Hour

// removalOrder is how things have to go: what uses others first.
func removalOrder(kind record.ItemKind) int {
	return slices.Index([]record.ItemKind{record.ItemStack, record.ItemKey, record.ItemAttachment, record.ItemUserAttachment,
		record.ItemInline, record.ItemRole, record.ItemUser, record.ItemPolicy, record.ItemProvider}, kind)
}

// Plan looks at everything that the receipt lists, in the order in which it
// would be removed. It changes nothing in AWS; what it finds out of requests that
// were never seen answered goes into the receipt.
func (r *Remover) Plan(ctx context.Context) ([]Removal, error) {
	if err := r.reconcile(ctx); err != nil {
		return nil, err
	}
	items := slices.Clone(r.Receipt.Outstanding())
	slices.SortStableFunc(items, func(a, b record.Item) int { return removalOrder(a.Kind) - removalOrder(b.Kind) })
	var plan []Removal
	for _, item := range items {
		one, err := r.judge(ctx, item)
		if err != nil {
			return nil, err
		}
		plan = append(plan, one)
	}
	return keepUsed(plan), nil
}

// judge looks at one item now and says what may happen to it.
func (r *Remover) judge(ctx context.Context, item record.Item) (Removal, error) {
	if arn, ok := aws.SplitARN(item.ARN); ok && arn.AccountID != "aws" && arn.AccountID != r.Receipt.AccountID {
		return stays(item, "It is of account "+screen.CleanLine(arn.AccountID)+", and the receipt is of "+r.Receipt.AccountID+".",
			"Delete it there by hand if it is not needed any more."), nil
	}
	owner, err := r.owner(ctx, item)
	if err != nil {
		return Removal{}, err
	}
	if owner != r.Receipt.Session {
		return Removal{
			Item:    item,
			Verdict: Gone,
			Why: "The one that exists is what session " + owner + " made, as its receipt and AWS's time of creation show. Of this session " +
				"nothing is left of it.",
			Next: "It goes with that session: rolecall disconnect " + owner + ".",
		}, nil
	}
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
	case record.ItemProvider:
		return r.judgeProvider(ctx, item)
	}
	return stays(item, "This version of rolecall cannot remove a "+screen.CleanLine(string(item.Kind))+".",
		"Remove it in the AWS console."), nil
}

func stays(item record.Item, why, next string) Removal {
	return Removal{Item: item, Verdict: Stays, Why: why, Next: next}
}

// unproven is what becomes of a request that was never seen answered.
func (r *Remover) unproven(item record.Item) Removal {
	next := deleteByHand(item)
	if r.Resumes {
		next = "Have rolecall look whether it is, and go on: rolecall resume " + r.Receipt.Session + ". Or delete it: " +
			strings.TrimPrefix(next, byHand)
	}
	return stays(item, "rolecall sent the request to make it and never saw the answer, and it cannot prove that this one is its own: "+
		"it was created at another time, has other tags, settings or content, or shows nothing of that.", next)
}

const byHand = "If it is not needed any more, delete it in the console: "

// deleteByHand names the place in the console where an item is deleted.
func deleteByHand(item record.Item) string {
	place := "IAM, Policies, " + item.Name
	switch item.Kind {
	case record.ItemRole:
		place = "IAM, Roles, " + item.Name
	case record.ItemAttachment, record.ItemInline:
		place = "IAM, Roles, " + item.Role + ", Permissions, " + item.Name
	case record.ItemUser:
		place = "IAM, Users, " + item.Name
	case record.ItemUserAttachment:
		place = "IAM, Users, " + item.User + ", Permissions, " + item.Name
	case record.ItemKey:
		place = "IAM, Users, " + item.User + ", Security credentials, " +
			cmp.Or(item.ID, "the key made at "+item.At.UTC().Format(time.DateTime)+" UTC")
	case record.ItemStack:
		place = "CloudFormation, Stacks, " + item.Name
	case record.ItemProvider:
		place = "IAM, Identity providers, " + item.Name
	case record.ItemPolicy:
	}
	return byHand + place + "."
}

// madeThen tells whether AWS's own time of creation fits the receipt: what is
// older than the receipt was not made by its session, whatever is written
// there. An unknown time says nothing.
func (r *Remover) madeThen(created time.Time, item record.Item) bool {
	return created.IsZero() || r.Receipt.Created.IsZero() ||
		!created.Before(r.Receipt.Created.Add(-mostClockSkew)) && !created.After(item.At.Add(mostClockSkew))
}

// another says that a name was given to something else since.
func another(what, found, made string) string {
	return "It is another " + what + " of that name: its ID is " + found + ", and rolecall made " +
		cmp.Or(made, "one whose ID is not on record") + "."
}

func notThen(created time.Time) string {
	return "AWS says that it was created " + created.UTC().Format(time.DateTime) + " UTC, when this session made nothing."
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
		return stays(item, change, deleteByHand(item)), nil
	}
	return r.unlessHeld(ctx, role, Removal{Item: item, Verdict: Remove})
}

// unlessHeld keeps a role, and what is on it, in the stack that holds it. Only a
// stack of this receipt may go before it. The tags stay on a role that outlives
// its stack.
func (r *Remover) unlessHeld(ctx context.Context, role aws.Role, one Removal) (Removal, error) {
	at := slices.IndexFunc(role.Tags, func(t aws.Tag) bool { return t.Key == "aws:cloudformation:stack-id" })
	if at < 0 || one.Verdict != Remove {
		return one, nil
	}
	id := role.Tags[at].Value
	listed := slices.IndexFunc(r.Receipt.Items, func(i record.Item) bool { return i.Kind == record.ItemStack && i.ID == id })
	if listed >= 0 && r.Receipt.Items[listed].State == record.ItemRemoved {
		return one, nil
	}
	stack, err := r.Account.Stack(ctx, id)
	switch {
	case aws.KindOf(err) == aws.NotFound || err == nil && stack.Status == aws.StackDeleted:
		return one, nil
	case err != nil:
		return Removal{}, err
	case listed < 0:
		return stays(one.Item, "The CloudFormation stack "+stack.Name+" holds the role, and this session did not make that stack.",
			"Take it out of the stack first, or delete the stack."), nil
	}
	one.stack = id
	return one, nil
}

// roleChange says how a role differs from the one that rolecall made; empty
// when it does not.
func (r *Remover) roleChange(role aws.Role, item record.Item) string {
	switch {
	case item.ID == "" || role.ID != item.ID:
		return another("role", role.ID, item.ID)
	case !r.madeThen(role.Created, item):
		return notThen(role.Created)
	case role.Trust == nil || !item.Writes(role.Trust.Digest()):
		return "Its trust policy was changed since rolecall made it."
	}
	if foreign := r.foreign(role); len(foreign) > 0 {
		return "Somebody gave it more since: " + strings.Join(foreign, ", ") + "."
	}
	if changed := r.changedInline(role); changed != "" {
		return "Its inline policy " + changed + " was changed since rolecall wrote it."
	}
	return ""
}

// foreign are the policies of a role that the receipt does not list.
func (r *Remover) foreign(role aws.Role) []string {
	var names []string
	known := func(kind record.ItemKind, name string) bool {
		return slices.ContainsFunc(r.Receipt.Outstanding(), func(i record.Item) bool {
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

// changedInline is an inline policy of the receipt that is not as it was written;
// empty when there is none.
func (r *Remover) changedInline(role aws.Role) string {
	for _, p := range role.Inline {
		item, ok := r.Receipt.Find(record.Item{Kind: record.ItemInline, Name: p.Name, Role: role.Name})
		if ok && (p.Document == nil || !item.Writes(p.Document.Digest())) {
			return p.Name
		}
	}
	return ""
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
	case item.RoleID == "":
		return r.unproven(item), nil // nobody knows which role of that name was meant
	case role.ID != item.RoleID:
		return Removal{Item: item, Verdict: Gone}, nil // the role it was on is gone
	}
	own, ok := r.Receipt.Find(record.Item{Kind: record.ItemRole, Name: item.Role})
	made := ok && own.State == record.ItemMade
	if made {
		if change := r.roleChange(role, own); change != "" {
			return stays(item, "The role stays as it is: "+change, ""), nil
		}
	}
	if item.Kind == record.ItemInline {
		return r.unlessHeld(ctx, role, r.judgeInline(role, item, made))
	}
	attached := slices.ContainsFunc(role.Attached, func(p aws.AttachedPolicy) bool { return p.ARN == item.ARN })
	switch {
	case !attached:
		return Removal{Item: item, Verdict: Gone}, nil
	case item.Unproven() && !made && !r.madePolicy(item.ARN):
		return r.unproven(item), nil
	}
	return r.unlessHeld(ctx, role, Removal{Item: item, Verdict: Remove})
}

// madePolicy tells whether this session made the policy: then nobody else had it
// to attach before.
func (r *Remover) madePolicy(arn string) bool {
	return slices.ContainsFunc(r.Receipt.Items, func(i record.Item) bool {
		return i.Kind == record.ItemPolicy && i.State == record.ItemMade && i.ARN == arn
	})
}

// judgeInline judges an inline policy. On a role that rolecall made, one with
// the very document that was sent needs no answer to be its own.
func (r *Remover) judgeInline(role aws.Role, item record.Item, roleMade bool) Removal {
	i := slices.IndexFunc(role.Inline, func(p aws.InlinePolicy) bool { return p.Name == item.Name })
	switch {
	case i < 0:
		return Removal{Item: item, Verdict: Gone}
	case item.Unproven() && !roleMade:
		return r.unproven(item)
	case role.Inline[i].Document == nil || !item.Writes(role.Inline[i].Document.Digest()):
		return stays(item, "It was changed since rolecall wrote it.", deleteByHand(item))
	}
	return Removal{Item: item, Verdict: Remove}
}

func (r *Remover) judgePolicy(ctx context.Context, item record.Item) (Removal, error) {
	if arn, ok := aws.SplitARN(item.ARN); ok && arn.AccountID == "aws" {
		return stays(item, "It is AWS's own policy, which nobody else can delete.", ""), nil
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
		return stays(item, another("policy", p.ID, item.ID), deleteByHand(item)), nil
	case !r.madeThen(p.Created, item):
		return stays(item, notThen(p.Created), deleteByHand(item)), nil
	case p.Document == nil || !item.Writes(p.Document.Digest()):
		return stays(item, "It was changed since rolecall made it.", deleteByHand(item)), nil
	case p.Boundaries > 0:
		return stays(item, "It is somebody's permissions boundary.", "See whose: IAM, Policies, "+item.Name+", Entities attached."), nil
	}
	return Removal{Item: item, Verdict: Remove, uses: p.Attachments}, nil
}

// keepUsed takes back what the plan would remove and cannot: a role or user
// stays with what stays on it, and a policy while something else than the
// attachments of the receipt uses it.
func keepUsed(plan []Removal) []Removal {
	for i := range plan {
		held := plan[i].stack != "" && !slices.ContainsFunc(plan, func(o Removal) bool {
			return o.Kind == record.ItemStack && o.ID == plan[i].stack && o.Verdict == Remove
		})
		if held {
			plan[i] = inStack(plan[i].Item)
		}
	}
	for i := range plan {
		if item := plan[i].Item; plan[i].Verdict == Remove && (item.Kind == record.ItemRole || item.Kind == record.ItemUser) {
			if on := staysOn(plan, item); on != "" {
				plan[i] = stays(item, "It has "+on+", which stays.", "")
			}
		}
	}
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
	return keepTrusted(plan)
}

func inStack(item record.Item) Removal {
	return stays(item, "The CloudFormation stack that holds the role stays.", "")
}

// staysOn names what stays on a role or user; empty when nothing does.
func staysOn(plan []Removal, owner record.Item) string {
	for _, one := range plan {
		on := one.Role
		if owner.Kind == record.ItemUser {
			on = one.User
		}
		if strings.EqualFold(on, owner.Name) && one.Verdict == Stays {
			return strings.TrimSpace("the " + string(one.Kind) + " " + one.Name)
		}
	}
	return ""
}

func inUse(item record.Item) Removal {
	return stays(item, "Something else uses it too.", "See who: IAM, Policies, "+item.Name+", Entities attached.")
}
