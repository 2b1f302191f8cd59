package update

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"rolecall/aws"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// prepare reads what writing a managed policy's new version takes, and refuses
// where there is no room for one.
func (u *Updater) prepare(ctx context.Context, policies []PolicyUpdate) error {
	for i := range policies {
		p := &policies[i]
		if p.Kind != record.ItemPolicy {
			continue
		}
		now, err := u.Account.Policy(ctx, p.ARN)
		if err != nil {
			return err
		}
		p.ID, p.Version = now.ID, now.VersionID
		versions, err := u.Account.PolicyVersions(ctx, p.ARN)
		if err != nil {
			return err
		}
		if len(versions) < making.MostVersions {
			continue
		}
		made, err := u.madeHere(*p)
		if err != nil {
			return err
		}
		if !made {
			return making.NoRoom(p.Name, p.ARN, versions)
		}
		p.Drop = making.OldestVersion(versions)
	}
	return nil
}

// madeHere tells whether a receipt proves that rolecall made the policy.
func (u *Updater) madeHere(p PolicyUpdate) (bool, error) {
	receipts, err := u.Store.Receipts()
	return slices.ContainsFunc(receipts, func(r record.Receipt) bool {
		return slices.ContainsFunc(r.Items, func(i record.Item) bool { return u.about(r, i, p, "") && i.State == record.ItemMade })
	}), err
}

// JournalOf is the session whose journal tells of an update: the one that
// connected the role, else one whose receipt knows a policy that differs; empty
// when nothing that is kept knows of it.
func (u *Updater) JournalOf(update Update) (string, error) {
	receipts, err := u.Store.Receipts()
	if err != nil || u.Session.ID != "" {
		return u.Session.ID, err
	}
	for _, r := range receipts {
		for _, p := range update.Policies {
			if slices.ContainsFunc(r.Items, func(i record.Item) bool { return u.about(r, i, p, update.Role.ID) }) {
				return r.Session, nil
			}
		}
	}
	return "", nil
}

// about tells whether an entry of a receipt is about this very policy.
func (u *Updater) about(r record.Receipt, i record.Item, p PolicyUpdate, roleID string) bool {
	if r.Rehearsal || r.AccountID != u.Session.AccountID || r.Endpoint != u.Session.Endpoint || i.Kind != p.Kind {
		return false
	}
	if p.Kind == record.ItemInline {
		return i.Name == p.Name && i.RoleID == roleID
	}
	return i.ARN == p.ARN && i.ID == p.ID
}

// Apply writes one policy and, where the policy is in a receipt, its new digest
// there: as pending before it is sent, and as written after. An answer that got
// lost is settled by reading the policy again.
func (u *Updater) Apply(ctx context.Context, role aws.Role, p PolicyUpdate) error {
	if err := u.note(role, p, func(known record.Item) record.Item {
		known.Pending = p.After.Digest()
		return known
	}); err != nil {
		return err // nothing was sent
	}
	ctx, cancel := screen.Writing(ctx)
	defer cancel()
	write := u.writeVersion
	if p.Kind == record.ItemInline {
		write = func(ctx context.Context, p PolicyUpdate) error {
			return u.Journal.Do(ctx, "write inline policy "+p.Name+" of "+role.Name, func(ctx context.Context) error {
				return u.Account.PutRolePolicy(ctx, role.Name, p.Name, p.After)
			})
		}
	}
	switch err := write(ctx, p); {
	case err != nil && step.Refused(err):
		return errors.Join(err, u.note(role, p, func(known record.Item) record.Item {
			known.Pending = ""
			return known
		}))
	case err != nil:
		return err // it stays pending: whoever reads the receipt next looks
	}
	return u.note(role, p, func(known record.Item) record.Item {
		known.At, known.By = u.Session.Now().UTC(), u.By
		return written(known, p.After.Digest())
	})
}

// written is what is known of a policy that has a new document.
func written(known record.Item, digest string) record.Item {
	if known.State == record.ItemAdopted {
		known.State = record.ItemUpdated
	}
	known.Digest, known.Pending = digest, ""
	return known
}

// note writes down what is known of a policy in every receipt that knows it. One
// that none knows goes into that of the session that connected its role: rolecall
// only found it. A receipt that cannot be read could be the policy's, and would be
// wrong then.
func (u *Updater) note(role aws.Role, p PolicyUpdate, change func(record.Item) record.Item) error {
	receipts, err := u.Store.Receipts()
	if err != nil {
		return err
	}
	s, known := u.Session, false
	for _, r := range receipts {
		for _, i := range r.Items {
			if i.State == record.ItemRemoved || i.State == record.ItemNotMade || !u.about(r, i, p, role.ID) {
				continue
			}
			known = true
			if changed := change(i); changed.Digest != i.Digest || changed.Pending != i.Pending {
				if err := u.Store.Ledger(r.Session).Put(r, changed); err != nil {
					return err
				}
			}
		}
	}
	if known || s.ID == "" {
		return nil
	}
	item := record.Item{Kind: p.Kind, State: record.ItemUpdated, Purpose: u.Purpose, Name: p.Name, ARN: p.ARN, ID: p.ID,
		Digest: p.Before.Digest(), At: s.Now().UTC(), By: u.By}
	if p.Kind == record.ItemInline {
		item.Role, item.RoleID = role.Name, role.ID
	}
	head := s.ReceiptHead()
	head.Access = cmp.Or(head.Access, s.AccessOrRole())
	return u.Store.Ledger(s.ID).Put(head, change(item))
}

// settle writes down, of each policy that the role has now, what came of an
// update that was sent and never seen answered.
func (u *Updater) settle(role aws.Role) error {
	var held []PolicyUpdate
	for _, p := range role.Attached {
		if p.Document != nil {
			held = append(held, PolicyUpdate{Kind: record.ItemPolicy, Name: p.Name, ARN: p.ARN, After: p.Document})
		}
	}
	for _, p := range role.Inline {
		if p.Document != nil {
			held = append(held, PolicyUpdate{Kind: record.ItemInline, Name: p.Name, After: p.Document})
		}
	}
	receipts, err := u.Store.ListReceipts()
	if err != nil {
		return err
	}
	for _, one := range receipts {
		for _, i := range one.Receipt.Items {
			at := slices.IndexFunc(held, func(p PolicyUpdate) bool {
				p.ID = i.ID // a role's list tells no IDs
				return i.Pending != "" && u.about(one.Receipt, i, p, role.ID) && p.After.Digest() == i.Pending
			})
			if one.Err != nil || at < 0 {
				continue
			}
			if err := u.Store.Ledger(one.Session).Put(one.Receipt, written(i, i.Pending)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *Updater) writeVersion(ctx context.Context, p PolicyUpdate) error {
	now, err := u.Account.Policy(ctx, p.ARN)
	if err != nil {
		return err
	}
	if now.ID != p.ID || now.VersionID != p.Version {
		return &screen.Fault{Problem: screen.Problem{What: p.Name + " was changed while you looked at the difference.",
			Expected: "version " + p.Version + " as its default",
			Next:     "Run this again and look at the new difference.", Kind: screen.NotAsNeeded}}
	}
	if p.Drop != "" {
		call := "delete version " + p.Drop + " of policy " + p.Name
		if err := u.Journal.Do(
			ctx,
			call,
			func(ctx context.Context) error { return u.Account.DeletePolicyVersion(ctx, p.ARN, p.Drop) },
		); err != nil {
			return err
		}
	}
	call := "update policy " + p.Name
	if p.Restore != "" {
		call = "restore version " + p.Restore + " of policy " + p.Name
	}
	err = u.Journal.Do(ctx, call, func(ctx context.Context) error {
		if p.Restore != "" {
			return u.Account.SetDefaultPolicyVersion(ctx, p.ARN, p.Restore)
		}
		_, err := u.Account.CreatePolicyVersion(ctx, p.ARN, p.After)
		return err
	})
	if err == nil || step.Refused(err) {
		return err
	}
	look, cancel := screen.LookUp(ctx)
	defer cancel()
	if now, lookErr := u.Account.Policy(look, p.ARN); lookErr == nil && now.Document != nil && now.Document.Equal(p.After) {
		return nil
	}
	return err
}
