package update

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"rolecall/aws"
	"rolecall/policy"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// prepare reads what writing a managed policy's new version takes, and refuses
// where there is no room for one. CloudFormation makes room by itself; stackMade
// says that rolecall wrote the stack's template, and so made what is in it.
func (u *Updater) prepare(ctx context.Context, policies []PolicyUpdate, stackMade bool) error {
	for i := range policies {
		p := &policies[i]
		if p.Kind != record.ItemPolicy || p.New || p.Gone {
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
		if ours := made || p.ofStack && (stackMade || !p.Beside); !ours {
			return making.NoRoom(p.Name, p.ARN, versions)
		}
		if p.Drop, err = u.dropped(ctx, *p, versions); err != nil {
			return err
		}
	}
	return nil
}

// dropped is the oldest version that is not the default one, with what it grants:
// that is lost for good.
func (u *Updater) dropped(ctx context.Context, p PolicyUpdate, versions []aws.PolicyVersion) (*Dropped, error) {
	id := making.OldestVersion(versions)
	d := &Dropped{ID: id}
	if at := slices.IndexFunc(versions, func(v aws.PolicyVersion) bool { return v.ID == id }); at >= 0 {
		d.Created = versions[at].Created
	}
	document, err := u.Account.PolicyVersionDocument(ctx, p.ARN, id)
	if err != nil {
		return nil, err
	}
	if d.Unread = document == nil; d.Unread {
		return d, nil
	}
	d.Lost = policy.Compare(p.After, document).Added
	return d, nil
}

// madeHere tells whether a receipt proves that rolecall made the policy.
func (u *Updater) madeHere(p PolicyUpdate) (bool, error) {
	receipts, err := u.Store.Receipts()
	return slices.ContainsFunc(receipts, func(r record.Receipt) bool {
		return slices.ContainsFunc(r.Items, func(i record.Item) bool { return u.about(r, i, p.item("")) && i.State == record.ItemMade })
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
	var things []record.Item
	if update.Stack != nil {
		things = append(things, stackItem(update.Stack.Stack))
	}
	for _, p := range update.Policies {
		things = append(things, p.item(update.Role.ID))
	}
	for _, r := range receipts {
		for _, like := range things {
			if slices.ContainsFunc(r.Items, func(i record.Item) bool { return u.about(r, i, like) }) {
				return r.Session, nil
			}
		}
	}
	return "", nil
}

// about tells whether an entry of a receipt is about this very thing.
func (u *Updater) about(r record.Receipt, i, like record.Item) bool {
	if r.Rehearsal || r.AccountID != u.Session.AccountID || r.Endpoint != u.Session.Endpoint || i.Kind != like.Kind {
		return false
	}
	if like.Kind == record.ItemInline {
		return i.Name == like.Name && i.RoleID == like.RoleID
	}
	return i.ARN == like.ARN && i.ID == like.ID
}

// item is the policy as a receipt lists it, with the digest of what it holds now.
func (p PolicyUpdate) item(roleID string) record.Item {
	item := record.Item{Kind: p.Kind, Name: p.Name, ARN: p.ARN, ID: p.ID, RoleID: roleID}
	if p.Before != nil {
		item.Digest = p.Before.Digest()
	}
	if p.Kind != record.ItemInline {
		item.RoleID = ""
	}
	return item
}

// Apply writes one policy and, where the policy is in a receipt, its new digest
// there: as pending before it is sent, and as written after. An answer that got
// lost is settled by reading the policy again.
func (u *Updater) Apply(ctx context.Context, role aws.Role, p *PolicyUpdate) error {
	note := u.noter(role, *p)
	if err := note(func(known record.Item) record.Item {
		known.Pending = p.After.Digest()
		return known
	}); err != nil {
		return err // nothing was sent
	}
	ctx, cancel := screen.Writing(ctx)
	defer cancel()
	write := u.writeVersion
	if p.Kind == record.ItemInline {
		write = func(ctx context.Context, p *PolicyUpdate) error { return u.writeInline(ctx, role, p) }
	}
	switch err := write(ctx, p); {
	case err != nil && step.Refused(err):
		return errors.Join(err, note(func(known record.Item) record.Item {
			known.Pending = ""
			return known
		}))
	case err != nil:
		return err // it stays pending: whoever reads the receipt next looks
	}
	return note(func(known record.Item) record.Item {
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

// noter writes down what is known of a policy. Of one that a stack keeps, the
// stack's template tells, and the receipt that knew the policy before.
func (u *Updater) noter(role aws.Role, p PolicyUpdate) func(func(record.Item) record.Item) error {
	like := p.item(role.ID)
	if p.Kind == record.ItemInline {
		like.Role = role.Name
	}
	return func(change func(record.Item) record.Item) error {
		if p.ofStack {
			_, err := u.noteKnown(like, change)
			return err
		}
		return u.note(like, change)
	}
}

// note writes down what is known of a thing in every receipt that knows it. One
// that none knows goes into that of the session that connected its role: rolecall
// only found it.
func (u *Updater) note(like record.Item, change func(record.Item) record.Item) error {
	s := u.Session
	if known, err := u.noteKnown(like, change); err != nil || known || s.ID == "" {
		return err
	}
	item := like
	item.State, item.Purpose, item.At, item.By = record.ItemAdopted, u.Purpose, s.Now().UTC(), u.By
	head := s.ReceiptHead()
	head.Access = cmp.Or(head.Access, s.AccessOrRole())
	return u.Store.Ledger(s.ID).Put(head, change(item))
}

// noteKnown writes down what is known of a thing in every receipt that knows it,
// and tells whether one does. A receipt that cannot be read could be the one, and
// would be wrong then.
func (u *Updater) noteKnown(like record.Item, change func(record.Item) record.Item) (known bool, err error) {
	receipts, err := u.Store.Receipts()
	if err != nil {
		return false, err
	}
	for _, r := range receipts {
		for _, i := range r.Items {
			if i.State == record.ItemRemoved || i.State == record.ItemNotMade || !u.about(r, i, like) {
				continue
			}
			known = true
			changed := change(i)
			same := changed.Digest == i.Digest && changed.Pending == i.Pending && changed.ChangeSet == i.ChangeSet && changed.Earlier == i.Earlier
			if same {
				continue
			}
			if err := u.Store.Ledger(r.Session).Put(r, changed); err != nil {
				return known, err
			}
		}
	}
	return known, nil
}

// reconcile writes down, of each thing that was found, what came of an update that
// was sent and never seen answered. The things have the digests of what they hold
// now.
func (u *Updater) reconcile(found []record.Item) error {
	receipts, err := u.Store.ListReceipts()
	if err != nil {
		return err
	}
	for _, one := range receipts {
		for _, i := range one.Receipt.Items {
			at := slices.IndexFunc(found, func(like record.Item) bool {
				if like.ID == "" {
					like.ID = i.ID // a role's list tells no IDs of policies
				}
				return i.Pending != "" && u.about(one.Receipt, i, like) && like.Digest == i.Pending
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

// itemsOf are the policies of a role as receipts list them.
func itemsOf(role aws.Role) []record.Item {
	held, _ := heldPolicies(role)
	var all []record.Item
	for _, p := range held {
		all = append(all, p.item(role.ID))
	}
	return all
}

// unseen refuses to write over what nobody saw.
func unseen(name, expected string) error {
	return &screen.Fault{Problem: screen.Problem{What: name + " was changed while you looked at the difference.",
		Expected: expected, Next: "Run this again and look at the new difference.", Kind: screen.NotAsNeeded}}
}

// writeInline writes an inline policy, of which IAM keeps no earlier version: it
// has to be the one that was shown, on the role that was looked at.
func (u *Updater) writeInline(ctx context.Context, role aws.Role, p *PolicyUpdate) error {
	now, err := u.inline(ctx, role, p.Name)
	if err != nil {
		return err
	}
	if digestOf(now) != digestOf(p.Before) {
		return unseen(p.Name, "the policy that was shown, on the role "+role.ID)
	}
	err = u.Journal.Do(ctx, "write inline policy "+p.Name+" of "+role.Name, func(ctx context.Context) error {
		return u.Account.PutRolePolicy(ctx, role.Name, p.Name, p.After)
	})
	if err == nil || step.Refused(err) {
		return err
	}
	look, cancel := screen.LookUp(ctx)
	defer cancel()
	if now, lookErr := u.inline(look, role, p.Name); lookErr == nil && now != nil && now.Equal(p.After) {
		return nil
	}
	return err
}

// inline is an inline policy of this very role as it is now; nil where there is
// none, or none that can be read.
func (u *Updater) inline(ctx context.Context, role aws.Role, name string) (*policy.Document, error) {
	now, err := u.Account.Role(ctx, role.Name)
	if err != nil || now.ID != role.ID {
		return nil, err
	}
	for _, p := range now.Inline {
		if p.Name == name {
			return p.Document, nil
		}
	}
	return nil, nil
}

func (u *Updater) writeVersion(ctx context.Context, p *PolicyUpdate) error {
	now, err := u.Account.Policy(ctx, p.ARN)
	if err != nil {
		return err
	}
	if now.ID != p.ID || now.VersionID != p.Version {
		return unseen(p.Name, "version "+p.Version+" as its default")
	}
	if p.Drop != nil {
		call := "delete version " + p.Drop.ID + " of policy " + p.Name
		drop := func(ctx context.Context) error { return u.Account.DeletePolicyVersion(ctx, p.ARN, p.Drop.ID) }
		if err := u.Journal.Do(ctx, call, drop); err != nil {
			return err
		}
		p.Dropped = true
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
