package update

import (
	"context"
	"slices"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// PlanUndo finds for each managed policy of the role that rolecall wrote the
// version before the one that counts, which Apply makes the default one again.
// It changes nothing in AWS. The error is a Fault where there is nothing to restore.
func (u *Updater) PlanUndo(ctx context.Context, roleName string) (Update, error) {
	g, err := u.Session.Grant(u.Purpose)
	if err != nil {
		return Update{}, err
	}
	seen, _, err := u.look(ctx, g, roleName)
	if err != nil {
		return Update{}, err
	}
	if err := u.reconcile(itemsOf(*seen.Role)); err != nil {
		return Update{}, err
	}
	if stack, err := u.keptBy(ctx, *seen.Role); err != nil || stack != "" {
		return u.planned(ctx, *seen.Role, stack, true, err)
	}
	update := Update{Role: *seen.Role}
	held, others := heldPolicies(update.Role)
	update.Others = others
	for _, p := range held {
		restorable, err := u.before(ctx, &p)
		if err != nil {
			return Update{}, err
		}
		if !restorable {
			update.Others = append(update.Others, p.Name)
			continue
		}
		update.Policies = append(update.Policies, p)
	}
	if len(update.Policies) == 0 {
		return update, &screen.Fault{Problem: screen.Problem{
			What: "There is no earlier version to go back to: of the policies of " + roleName +
				", none that rolecall wrote has a version before the one that counts.",
			Expected: "a managed policy with an earlier version",
			Next:     "Look at its versions in the AWS console. An inline policy has none.",
			Kind:     screen.NotAsNeeded,
		}}
	}
	return update, u.markEdited(update.Policies, update.Role.ID)
}

// before finds the version before the default one of a policy that a receipt
// knows; false where there is none.
func (u *Updater) before(ctx context.Context, p *PolicyUpdate) (bool, error) {
	if p.Kind != record.ItemPolicy {
		return false, nil
	}
	now, err := u.Account.Policy(ctx, p.ARN)
	if err != nil {
		return false, err
	}
	p.ID, p.Version = now.ID, now.VersionID
	if known, err := u.known(p.item("")); err != nil || known == nil {
		return false, err
	}
	versions, err := u.Account.PolicyVersions(ctx, p.ARN)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(versions, func(v aws.PolicyVersion) bool { return v.IsDefault })
	if at < 0 || at+1 >= len(versions) {
		return false, nil
	}
	p.Restore = versions[at+1].ID
	if p.After, err = u.Account.PolicyVersionDocument(ctx, p.ARN, p.Restore); err != nil || p.After == nil {
		return false, err
	}
	p.Difference = policy.Compare(p.Before, p.After)
	return true, nil
}

// known is what a receipt knows of a thing that rolecall wrote; nil where none
// does.
func (u *Updater) known(like record.Item) (*record.Item, error) {
	receipts, err := u.Store.Receipts()
	if err != nil {
		return nil, err
	}
	for _, r := range receipts {
		for _, i := range r.Items {
			if u.about(r, i, like) && (i.State == record.ItemMade || i.State == record.ItemUpdated) {
				return &i, nil
			}
		}
	}
	return nil, nil
}

// markEdited marks the policies that somebody edited since rolecall wrote them, and
// that grant what is lost when they are written anew.
func (u *Updater) markEdited(policies []PolicyUpdate, roleID string) error {
	for i := range policies {
		item, err := u.known(policies[i].item(roleID))
		if err != nil {
			return err
		}
		policies[i].Edited = item != nil && policies[i].Difference.Less() && item.Digest != "" && !item.Writes(policies[i].Before.Digest())
	}
	return nil
}
