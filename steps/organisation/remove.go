package organisation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/aws/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Removal is what org remove would delete.
type Removal struct {
	Set      organisation.Set
	Accounts []Row
	// Whole tells that no stack would be left, so that the StackSet goes, too.
	Whole bool

	instances map[string]*organisation.Instance
}

// PlanRemoval lists what a receipt proves to be deletable: the stacks of the
// StackSet that it names. Nothing else is looked for.
func (h *Host) PlanRemoval(ctx context.Context, chosen []Chosen) (*Removal, error) {
	receipt, err := h.Kept.Ledger.Receipt()
	if err != nil {
		return nil, err
	}
	set, all, err := look(ctx, h.Clock, h.Cloud, h.Wanted, receipt)
	if err != nil {
		return nil, err
	}
	r := &Removal{Set: set, instances: all}
	for _, c := range chosen {
		if i := all[c.ID]; i != nil {
			row := rowOf(c, h.Kept.Members.Get(c.ID), i)
			row.State, row.RoleARN = Waiting, h.Wanted.RoleARN(c.ID)
			r.Accounts = append(r.Accounts, row)
		}
	}
	r.Whole = set.ID != "" && len(r.Accounts) == len(all)
	return r, nil
}

// Remove deletes the stacks in waves, and then the StackSet. The accounts that
// the vendor has stay there: they are the customer's.
func (h *Host) Remove(ctx context.Context, plan *Removal) (*Report, error) {
	r := &run{Host: h, byID: map[string]*work{}, set: plan.Set, began: h.Now()}
	wave := max(1, h.Options.Concurrent.of(len(plan.Accounts)))
	rows := slices.Clone(plan.Accounts)
	var err error
	for n, part := 0, slices.Clone(rows); len(part) > 0 && err == nil; n++ {
		now := part[:min(wave, len(part))]
		part = part[len(now):]
		err = r.removeWave(ctx, plan, now)
		r.tell(fmt.Sprintf("%d of %d stacks", len(rows)-len(part), len(rows)))
	}
	report := &Report{Session: h.Kept.ID, Vendor: h.Wanted.Request.Vendor.Name, Rehearsal: h.Head.Rehearsal,
		StackSet: StackSet{Name: plan.Set.Name, ID: plan.Set.ID}}
	_, left, lookErr := look(ctx, h.Clock, h.Cloud, h.Wanted, h.receipt())
	for _, row := range rows {
		row.State = Removed
		if i := left[row.AccountID]; i != nil || lookErr != nil {
			row.State, row.Cause = Failed, &Cause{What: "Its stack is still there.", Next: "Run rolecall org remove again."}
			if i != nil && !i.Moving() && i.Reason != "" {
				row.Cause = causeOf(explainInstance(*i))
			}
		} else if err := h.removed(row); err != nil {
			return report, err
		}
		report.Accounts = append(report.Accounts, row)
	}
	for _, row := range rows {
		delete(left, row.AccountID)
	}
	report.Others = slices.Sorted(maps.Keys(left))
	if err == nil {
		err = lookErr
	}
	if err == nil && report.count().Totals.Failed == 0 && len(left) == 0 && plan.Set.ID != "" {
		err = r.deleteSet(ctx)
	}
	return report.count(), err
}

// Removed is the state of an account whose stack was deleted.
const Removed State = "removed"

func (h *Host) receipt() record.Receipt {
	receipt, _ := h.Kept.Ledger.Receipt() // it was read before
	return receipt
}

func (h *Host) removed(row Row) error {
	m := h.Kept.Members.Get(row.AccountID)
	m.Connected, m.Removed, m.Made, m.Offered, m.At, m.By = false, true, false, "", h.Now(), h.By
	return h.Kept.Members.Put(m)
}

// removeWave deletes the stacks of some accounts and waits for the end of it.
func (r *run) removeWave(ctx context.Context, plan *Removal, rows []Row) error {
	units := map[string]bool{}
	d := organisation.Deployment{Set: plan.Set.ID, Region: r.Region, Preferences: organisation.Preferences{Tolerance: 100,
		TolerancePercent: true, Concurrent: len(rows)},
		Token: fmt.Sprintf("rolecall-%s-remove-%s-%d", r.Kept.ID, rows[0].AccountID, r.Now().Unix())}
	for _, row := range rows {
		i := plan.instances[row.AccountID]
		d.Accounts, d.Region = append(d.Accounts, row.AccountID), i.Region
		if !units[i.Unit] {
			units[i.Unit] = true
			d.Units = append(d.Units, i.Unit)
		}
	}
	if err := r.send(ctx, "delete stacks: operation "+d.Token, func(ctx context.Context) error {
		return r.Cloud.DeleteStacks(ctx,
			d)
	}); err != nil {
		return err
	}
	return r.await(ctx, d.Token)
}

func (r *run) deleteSet(ctx context.Context) error {
	item, err := r.setItem()
	if err != nil {
		return err
	}
	err = r.send(ctx, "delete StackSet "+r.set.Name, func(ctx context.Context) error { return r.Cloud.Delete(ctx, r.set.ID) })
	if err != nil && !is(err, aws.NotFound) {
		return err
	}
	return r.put(item, record.ItemRemoved)
}

// LeftAll is Left where everything was meant: no other stack may be left either.
func (r *Report) LeftAll() error {
	if r.Totals.Failed > 0 || len(r.Others) == 0 {
		return r.Left()
	}
	return &screen.Fault{Problem: screen.Problem{What: "The StackSet stays, since it has stacks in accounts that are not in this " +
		"organization now, or that came meanwhile: " + strings.Join(r.Others, ", ") + ".",
		Expected: "no stack to be left",
		Next: "Run rolecall org remove again. Stacks of accounts that left the organization: delete them there, and take them off the " +
			"StackSet (delete-stack-instances with --retain-stacks).", Kind: screen.NotAsNeeded}}
}

// Left says that stacks are left; nil: none is.
func (r *Report) Left() error {
	if r.Totals.Failed == 0 {
		return nil
	}
	return &screen.Fault{Problem: screen.Problem{What: count(r.Totals.Failed, "stack") + " could not be deleted.",
		Expected: "all of them to be deleted",
		Next:     "Run rolecall org remove again.", Kind: screen.NotAsNeeded}}
}
