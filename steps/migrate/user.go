package migrate

import (
	"context"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/describe"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/undo"
)

// Key is one access key of the user that a role takes the place of.
type Key struct {
	Item record.Item // what the receipt says of it; without an ID it says nothing
	Now  aws.AccessKey
	Ours bool
	Why  string // why it is not ours to touch
	Next string
}

// UsedSince tells whether the key was used, or may have been, after a time.
func (k Key) UsedSince(t time.Time) bool {
	return k.Now.UseUnknown || !t.IsZero() && k.Now.LastUsed.After(t)
}

// Replacing is how far a user is on its way to a role.
type Replacing struct {
	User    string // its name; empty: it is gone
	Keys    []Key
	Making  *making.Run // of the roles: what has to be done, or what was done
	Roles   []Proven    // once they were found right
	Handed  time.Time   // when the vendor had the role; zero: nobody said so
	Removes []undo.Removal
}

// Active are the keys of ours that work.
func (r Replacing) Active() []Key {
	return slices.DeleteFunc(slices.Clone(r.Keys), func(k Key) bool { return !k.Ours || !k.Now.Active })
}

// Leaves is the day from which the user is deleted; zero where none is named.
func (r Replacing) Leaves() time.Time {
	var last time.Time
	for _, one := range r.Removes {
		if one.DeleteFrom.After(last) {
			last = one.DeleteFrom
		}
	}
	return last
}

// Ours tells whether anything of the user is proven to be rolecall's.
func (r Replacing) Ours() bool {
	return slices.ContainsFunc(r.Removes, func(one undo.Removal) bool { return one.Verdict == undo.Remove })
}

// userItem tells the items of a receipt that belong to the user, and not to the
// role.
func (m *Migration) userItem(i record.Item) bool {
	role, known := m.Session.Vendor.Role(i.Purpose)
	return i.Kind == record.ItemKey || i.Kind == record.ItemUser || i.Kind == record.ItemUserAttachment ||
		i.Kind == record.ItemPolicy && known && role.Access == describe.AccessUser
}

// PlanRole looks at the user and its keys, and at what there is of the role. It
// changes nothing.
func (m *Migration) PlanRole(ctx context.Context) (Replacing, error) {
	r := Replacing{Making: &making.Run{}}
	remover := m.remover()
	plan, err := remover.Plan(ctx)
	if err != nil {
		return r, err
	}
	if err := m.reread(); err != nil {
		return r, err
	}
	for _, one := range plan {
		if m.userItem(one.Item) {
			r.Removes = append(r.Removes, one)
		}
	}
	if err := m.lookAtKeys(ctx, &r); err != nil {
		return r, err
	}
	var planners []making.Planner
	for _, purpose := range m.roles() {
		g, err := m.Session.Grant(purpose)
		if err != nil {
			return r, err
		}
		planners = append(planners, making.NewRole(g, g.Want()))
	}
	if err := m.drive(ctx, r.Making, r.Making.Begin(m.host(), planners...)); err != nil {
		return r, err
	}
	if r.Making.Stage == making.Differs {
		return r, &screen.Fault{Problem: r.Making.Plan.Differences[0].Problem}
	}
	if r.Making.Stage == making.Made {
		if r.Roles, err = m.prove(ctx); err != nil {
			return r, err
		}
		r.Handed = m.handed(r.Roles)
	}
	return r, nil
}

// lookAtKeys reads the keys of the user, with their last use, and what the receipt
// proves of each.
func (m *Migration) lookAtKeys(ctx context.Context, r *Replacing) error {
	name := m.userName()
	if name == "" {
		return nil
	}
	keys, err := m.Account.AccessKeys(ctx, name)
	if aws.KindOf(err) == aws.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	r.User = name
	for _, key := range keys {
		one := Key{Now: key, Why: "No receipt proves that rolecall made it.",
			Next: "Deactivate it by hand when nothing uses it: IAM, Users, " + name +
				", Security credentials, " + key.ID + "."}
		i := slices.IndexFunc(r.Removes, func(v undo.Removal) bool {
			return v.Kind == record.ItemKey && v.ID == key.ID && strings.EqualFold(v.User, name)
		})
		if i >= 0 && r.Removes[i].Verdict == undo.Remove {
			one.Item, one.Ours, one.Why, one.Next = r.Removes[i].Item, true, "", ""
		} else if i >= 0 {
			one.Why, one.Next = r.Removes[i].Why, r.Removes[i].Next
		}
		r.Keys = append(r.Keys, one)
	}
	return nil
}

// userName is the user of the connection: what the receipt says, else what the
// session saw.
func (m *Migration) userName() string {
	for _, i := range m.Receipt.Items {
		switch {
		case i.State == record.ItemRemoved:
		case i.Kind == record.ItemKey:
			return i.User
		case i.Kind == record.ItemUser:
			return i.Name
		}
	}
	for _, purpose := range record.SortedPurposes(m.Session.Parts) {
		if name := m.Session.Part(purpose).UserName; name != "" && m.Session.Part(purpose).UserID != "" {
			return name
		}
	}
	return ""
}

// handed is when the vendor had all of these very roles; zero where it has not.
func (m *Migration) handed(roles []Proven) time.Time {
	var last time.Time
	for _, one := range roles {
		item, ok := m.Receipt.Find(record.Item{Kind: record.ItemRole, Name: one.Role.Name})
		if !ok || item.ID != one.Role.ID || item.HandedOver.IsZero() {
			return time.Time{}
		}
		if item.HandedOver.After(last) {
			last = item.HandedOver
		}
	}
	return last
}

// MakeRole makes what is missing of the roles, and proves them.
func (m *Migration) MakeRole(ctx context.Context, r *Replacing) error {
	if r.Making.Stage == making.Ready {
		if err := m.drive(ctx, r.Making, r.Making.Agree(m.host())); err != nil {
			return err
		}
	}
	if r.Making.Stage == making.Differs {
		return &screen.Fault{Problem: r.Making.Plan.Differences[0].Problem}
	}
	if err := m.reread(); err != nil {
		return err
	}
	roles, err := m.prove(ctx)
	if err != nil {
		return err
	}
	r.Roles, r.Handed = roles, m.handed(roles)
	return nil
}

// HandedOver writes down that the vendor has the roles now.
func (m *Migration) HandedOver(r *Replacing) error {
	at := m.AWSNow()
	for _, one := range r.Roles {
		like := record.Item{Kind: record.ItemRole, Name: one.Role.Name}
		item, ok := m.Receipt.Find(like)
		if !ok || item.ID != one.Role.ID {
			return notAsNeeded("The receipt does not list the role "+one.Role.Name+" with the ID "+one.Role.ID+".", "the role that was looked at",
				"Run this again: it looks anew.")
		}
		item.HandedOver = at
		if err := m.put(item); err != nil {
			return err
		}
	}
	r.Handed = at
	return nil
}

// Deactivate proves the roles once more, and then makes the keys of the user
// useless that the receipt proves to be rolecall's. From is the day from which
// the user may be deleted, which is on record before, for each thing that goes: a
// deletion that was killed half-way finds the rest by it.
func (m *Migration) Deactivate(ctx context.Context, r *Replacing, from time.Time) error {
	after, err := m.prove(ctx)
	if err != nil {
		return err
	}
	if err := same(r.Roles, after); err != nil {
		return err
	}
	if err := m.unusedSince(ctx, *r); err != nil {
		return err
	}
	for i := range r.Removes {
		one := &r.Removes[i]
		if one.Verdict != undo.Remove {
			continue
		}
		one.DeleteFrom, one.Deactivated = from, time.Time{}
		if err := m.put(one.Item); err != nil {
			return err
		}
	}
	for i := range r.Keys {
		if k := &r.Keys[i]; k.Ours && k.Now.Active {
			if err := m.deactivate(ctx, k, from); err != nil {
				return err
			}
		}
	}
	return nil
}

// unusedSince refuses a key that was first used after the hand-over while somebody
// was asked: a question may stand for long.
func (m *Migration) unusedSince(ctx context.Context, r Replacing) error {
	now := Replacing{Removes: r.Removes}
	if err := m.lookAtKeys(ctx, &now); err != nil {
		return err
	}
	for _, k := range r.Active() {
		i := slices.IndexFunc(now.Keys, func(o Key) bool { return o.Now.ID == k.Now.ID })
		if i >= 0 && !k.UsedSince(r.Handed) && now.Keys[i].Now.LastUsed.After(r.Handed) {
			return notAsNeeded("The access key "+k.Now.ID+" was used while you were asked.", "a key that nothing uses any more",
				"Find out what uses it, then run this again.")
		}
	}
	return nil
}

func (m *Migration) deactivate(ctx context.Context, k *Key, from time.Time) error {
	writing, cancel := screen.Writing(ctx)
	defer cancel()
	err := m.Journal.Do(writing, "deactivate access key "+k.Item.ID, func(ctx context.Context) error {
		return m.Account.DeactivateAccessKey(ctx, k.Item.User, k.Item.ID)
	})
	if err != nil {
		return err
	}
	k.Now.Active, k.Item.DeleteFrom, k.Item.Deactivated = false, from, m.Now().UTC()
	return m.put(k.Item)
}

// Due tells whether the day is there from which the user may be deleted.
func (m *Migration) Due(r Replacing) bool {
	day := r.Leaves()
	return !day.IsZero() && !m.AWSNow().Before(day)
}

// Delete deletes the user with its keys and policies, as far as the receipt proves
// them and nobody changed them. It refuses while a key of ours works or was
// deactivated by nobody knows whom.
func (m *Migration) Delete(ctx context.Context, r *Replacing) error {
	after, err := m.prove(ctx)
	if err != nil {
		return err
	}
	if err := same(r.Roles, after); err != nil {
		return err
	}
	keys, err := m.Account.AccessKeys(ctx, r.User)
	if err != nil && aws.KindOf(err) != aws.NotFound {
		return err
	}
	for _, k := range keys {
		if k.Active && slices.ContainsFunc(r.Keys, func(o Key) bool { return o.Ours && o.Now.ID == k.ID }) {
			return notAsNeeded("The access key "+k.ID+" works again: somebody activated it.", "a key that nobody uses any more",
				"Find out who needs it, then run this again.")
		}
	}
	remover := m.remover()
	for i := range r.Removes {
		if r.Removes[i].Verdict == undo.Stays {
			continue
		}
		if r.Removes[i], err = remover.Remove(ctx, r.Removes[i].Item); err != nil {
			return err
		}
		if remover.Receipt, err = m.Ledger.Receipt(); err != nil {
			return err
		}
	}
	return m.reread()
}
