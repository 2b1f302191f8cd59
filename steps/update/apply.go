package update

import (
	"cmp"
	"context"
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
// there. An answer that got lost is settled by reading the policy again.
func (u *Updater) Apply(ctx context.Context, role aws.Role, p PolicyUpdate) error {
	if err := u.ready(role, p); err != nil {
		return err
	}
	ctx, cancel := screen.Writing(ctx)
	defer cancel()
	write := u.writeVersion
	if p.Kind == record.ItemInline {
		write = func(ctx context.Context, p PolicyUpdate) error {
			return u.Journal.Do("write inline policy "+p.Name+" of "+role.Name, func() error {
				return u.Account.PutRolePolicy(ctx,
					role.Name, p.Name, p.After)
			})
		}
	}
	if err := write(ctx, p); err != nil {
		return err
	}
	return u.record(role, p)
}

// ready makes sure that the update can be written down, before it is sent. A
// receipt that cannot be read could be the policy's, and would be wrong then.
func (u *Updater) ready(role aws.Role, p PolicyUpdate) error {
	receipts, err := u.Store.Receipts()
	if err != nil {
		return err
	}
	for _, r := range receipts {
		if slices.ContainsFunc(r.Items, func(i record.Item) bool { return u.about(r, i, p, role.ID) && i.State != record.ItemRemoved }) {
			if err := u.Store.Ledger(r.Session).Ready(r); err != nil {
				return err
			}
		}
	}
	if u.Session.ID == "" {
		return nil
	}
	return u.Store.Ledger(u.Session.ID).Ready(u.Session.ReceiptHead())
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
		if err := u.Journal.Do(call, func() error { return u.Account.DeletePolicyVersion(ctx, p.ARN, p.Drop) }); err != nil {
			return err
		}
	}
	err = u.Journal.Do("update policy "+p.Name, func() error {
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

// record writes the new digest into the receipt that knows the policy, so that
// disconnect still takes it for what rolecall made. A policy that rolecall only
// found is recorded as changed, with the session that connected its role.
func (u *Updater) record(role aws.Role, p PolicyUpdate) error {
	receipts, err := u.Store.Receipts()
	if err != nil {
		return err
	}
	s := u.Session
	item := record.Item{Kind: p.Kind, State: record.ItemUpdated, Purpose: u.Purpose, Name: p.Name, ARN: p.ARN, ID: p.ID,
		Digest: p.After.Digest(),
		At:     s.Now().UTC(), By: u.By}
	if p.Kind == record.ItemInline {
		item.Role, item.RoleID = role.Name, role.ID
	}
	known := false
	for _, r := range receipts {
		if slices.ContainsFunc(r.Items, func(i record.Item) bool { return u.about(r, i, p, role.ID) && i.State != record.ItemRemoved }) {
			known = true
			if err := u.Store.Ledger(r.Session).Put(r, item); err != nil {
				return err
			}
		}
	}
	if known || s.ID == "" {
		return nil
	}
	head := s.ReceiptHead()
	head.Access = cmp.Or(head.Access, s.AccessOrRole())
	return u.Store.Ledger(s.ID).Put(head, item)
}
