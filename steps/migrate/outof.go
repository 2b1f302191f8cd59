package migrate

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/record"
)

// Release is a connection's way out of its stack: the roles with their policies
// stay, and the stack goes.
type Release struct {
	Stack     aws.Stack
	Roles     []Proven
	Retained  bool // the stack's template keeps everything already
	Done      bool // the stack is gone already
	item      record.Item
	templates struct{ now, kept template }
}

// PlanRelease looks at the stack that the receipt names, and at its roles. The
// error is a Fault where the stack is not as rolecall made it. It changes nothing
// in AWS.
func (m *Migration) PlanRelease(ctx context.Context) (*Release, error) {
	// One that an earlier run deleted is the stack of the session until that is
	// written down in the session too.
	i := slices.IndexFunc(m.Receipt.Items, func(i record.Item) bool {
		return i.Kind == record.ItemStack && (i.State == record.ItemMade || i.State == record.ItemRemoved && i.ID == m.Session.Stack.ID)
	})
	if i < 0 || m.Receipt.Items[i].ID == "" {
		return nil, notAsNeeded("The receipt of session "+m.Receipt.Session+" proves no stack to be rolecall's.",
			"a stack that this session made",
			"Look at what is on record: rolecall sessions show "+m.Receipt.Session+".")
	}
	r := &Release{item: m.Receipt.Items[i]}
	var exists bool
	var err error
	if r.Stack, exists, err = m.stackOf(ctx, r.item); err != nil {
		return nil, err
	}
	if !exists && r.item.State == record.ItemMade && r.item.Leaving.IsZero() {
		return nil, notAsNeeded("The stack "+r.item.Name+" is gone, and rolecall did not delete it.", "the stack "+r.item.ID,
			"Look whether its role is still there: rolecall verify.")
	}
	if r.Roles, err = m.prove(ctx); err != nil {
		return nil, err
	}
	if r.Done = !exists; r.Done {
		return r, nil
	}
	return r, m.proveStack(ctx, r)
}

// proveStack refuses a stack that was not last made from rolecall's template.
func (m *Migration) proveStack(ctx context.Context, r *Release) error {
	text, err := m.Account.Template(ctx, r.Stack.ID)
	if err != nil {
		return err
	}
	r.templates.now, r.templates.kept = templateOf(text), templateOf(policy.Retained(text))
	r.Retained = r.templates.now.digest == r.templates.kept.digest
	if !r.item.Writes(r.templates.now.digest) && !r.item.Writes(r.templates.kept.digest) {
		return notAsNeeded("The stack "+r.Stack.Name+" was updated since rolecall made it.", "the template of this session",
			"Look at its template in the AWS console. rolecall takes nothing out of a stack that it cannot prove to be its own.")
	}
	return nil
}

// Release has the template keep everything, writes down what was in the stack,
// deletes the stack, and proves that every role is the very one of before.
func (m *Migration) Release(ctx context.Context, r *Release) error {
	for {
		done, err := m.releaseOnce(ctx, r)
		if err != nil {
			return err
		}
		if done {
			return m.released(ctx, r)
		}
	}
}

func (m *Migration) releaseOnce(ctx context.Context, r *Release) (done bool, err error) {
	if item, ok := m.Receipt.Find(r.item); ok {
		r.item = item
	}
	stack, exists, err := m.stackOf(ctx, r.item)
	switch {
	case err != nil:
		return false, err
	case !exists:
		return true, nil
	case stack.Status.Moving():
		return false, m.pause(ctx, lookEvery)
	case stack.Status == aws.StackDeleteFailed:
		return false, ended(stack, "Read AWS's words, then run this again. The roles are as they were.")
	case !stack.Status.Good() || stack.Status == aws.StackUpdateUndone && m.executed:
		return false, ended(stack, "Look at it in the AWS console. The roles are as they were.")
	}
	r.Stack = stack
	if err := m.proveStack(ctx, r); err != nil {
		return false, err
	}
	if !r.Retained {
		return false, m.change(ctx, r.item, r.templates.kept.setFor(stack, "keep", stack.Parameters), m.keepsAll(ctx))
	}
	if err := m.listRoles(ctx, r); err != nil {
		return false, err
	}
	return false, m.deleteStack(ctx, r)
}

// listRoles writes down what the stack made, before it goes: it is rolecall's as
// much as the stack was. What the stack took over when it was there before is not.
func (m *Migration) listRoles(ctx context.Context, r *Release) error {
	after, err := m.prove(ctx)
	if err != nil {
		return err
	}
	if err := same(r.Roles, after); err != nil {
		return err
	}
	resources, err := m.Account.StackResources(ctx, r.Stack.ID)
	if err != nil {
		return err
	}
	for _, one := range after {
		items, err := m.itemsOf(ctx, one, resources, r.Stack.Created.Truncate(time.Second))
		if err != nil {
			return err
		}
		for _, item := range items {
			if known, ok := m.Receipt.Find(item); ok && known.Identical(item) && known.State == record.ItemMade {
				continue
			}
			item.State, item.At, item.By = record.ItemMade, m.Now().UTC(), m.By
			if err := m.put(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// itemsOf are the role and what is on it, as far as the stack made that, which
// exists since then.
func (m *Migration) itemsOf(ctx context.Context, one Proven, resources []aws.StackResource, since time.Time) ([]record.Item, error) {
	role := one.Role
	holds := func(kind, physical string) bool {
		return slices.ContainsFunc(resources, func(r aws.StackResource) bool { return r.Type == kind && r.PhysicalID == physical })
	}
	if !holds(typeRole, role.Name) || role.Created.Before(since) {
		return nil, nil
	}
	g, err := m.Session.Grant(one.Purpose)
	if err != nil {
		return nil, err
	}
	items := []record.Item{{Kind: record.ItemRole, Purpose: one.Purpose, Name: role.Name, ARN: role.ARN, ID: role.ID}}
	if g.Trust != nil {
		items[0].Digest = g.Trust.Digest()
	}
	for _, p := range role.Inline {
		if written := wrote(g, p.Document); g.Role.Inline && written != "" {
			items = append(items, record.Item{Kind: record.ItemInline, Purpose: one.Purpose, Name: p.Name, Role: role.Name, RoleID: role.ID,
				Digest: written})
		}
	}
	for _, p := range role.Attached {
		attached := slices.Contains(g.Managed, p.ARN)
		if holds(typePolicy, p.ARN) {
			now, err := m.Account.Policy(ctx, p.ARN)
			if err != nil {
				return nil, err
			}
			if now.Created.Before(since) {
				continue
			}
			attached = true
			items = append(items, record.Item{Kind: record.ItemPolicy, Purpose: one.Purpose, Name: now.Name, ARN: now.ARN, ID: now.ID,
				Digest: wrote(g, now.Document)})
		}
		if attached {
			items = append(items, record.Item{Kind: record.ItemAttachment, Purpose: one.Purpose, Name: p.Name, ARN: p.ARN, Role: role.Name,
				RoleID: role.ID})
		}
	}
	return items, nil
}

// wrote is the digest of a document that the template wrote; empty for another one,
// which somebody edited since.
func wrote(g access.Grant, d *policy.Document) string {
	if d == nil || !slices.ContainsFunc(g.Documents, func(o access.Document) bool { return o.Document.Digest() == d.Digest() }) {
		return ""
	}
	return d.Digest()
}

// deleteStack asks for the deletion. What the template retains stays.
func (m *Migration) deleteStack(ctx context.Context, r *Release) error {
	op := making.DeleteStack(r.Stack, "rolecall-release-"+r.templates.kept.setName("keep"))
	err := m.send(ctx, op)
	return m.again(ctx, err)
}

func (m *Migration) released(ctx context.Context, r *Release) error {
	after, err := m.prove(ctx)
	if err != nil {
		return err
	}
	if err := same(r.Roles, after); err != nil {
		return err
	}
	item, ok := m.Receipt.Find(r.item)
	if !ok {
		return nil
	}
	item.State, item.At, item.By, item.Leaving = record.ItemRemoved, m.Now().UTC(), m.By, time.Time{}
	return m.put(item)
}
