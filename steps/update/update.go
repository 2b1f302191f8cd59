// Package update brings the policies of a role that exists to what its vendor
// needs now. It stands on record and on what the session wants.
package update

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Updater brings the policies of a role that exists to what its vendor needs
// now. Session says which vendor, selection, partition and account.
type Updater struct {
	Session *step.Session
	Purpose string
	Account *aws.Account
	Store   *record.Store
	Journal *record.Journal // of what is sent; nil: nothing is written down
	By      string          // the ARN of who is signed in
	// Say tells how far CloudFormation is; After is like time.After. Both may be nil.
	Say   func(string)
	After func(time.Duration) <-chan time.Time
}

// Update is what has to change; nothing where no policy differs.
type Update struct {
	Role     aws.Role
	Policies []PolicyUpdate // those that differ
	Others   []string       // names of policies on the role that are not the vendor's
	Stack    *StackUpdate   // the stack that keeps the role; nil: none does
}

// PolicyUpdate is one policy that grants something else than the vendor needs.
type PolicyUpdate struct {
	Kind       record.ItemKind // ItemPolicy or ItemInline
	Name       string
	ARN        string   // of a managed policy
	ID         string   // of a managed policy
	Version    string   // of a managed policy: the default one, as compared
	Drop       *Dropped // the version that goes, to make room; nil: none has to
	Dropped    bool     // Drop is done, whatever came of the rest
	Restore    string   // the version that becomes the default one again, instead of a new one
	Edited     bool     // somebody edited it since rolecall wrote it, and what it grants beside would be lost
	Before     *policy.Document
	After      *policy.Document
	Difference policy.Difference // what After grants that Before does not, and the reverse

	// New and Gone say that the stack makes the policy, or deletes it; Beside that the
	// stack's template has the wanted document, and somebody edited the policy beside it.
	New, Gone, Beside bool

	ofStack bool
}

// Apart tells whether rolecall itself writes the policy, and not CloudFormation.
func (p PolicyUpdate) Apart() bool { return !p.ofStack || p.Beside }

// Dropped is a version of a managed policy that is deleted to make room for
// another: IAM keeps five.
type Dropped struct {
	ID      string
	Created time.Time
	Lost    []string // what it grants and the update does not
	Unread  bool     // its document cannot be read: Lost is not known
}

// Plan reads the role and compares its policies with the wanted ones. It
// changes nothing in AWS; what came of an earlier update that was never seen
// answered goes into the receipts. The error is a Fault where the role is not one to update.
func (u *Updater) Plan(ctx context.Context, roleName string) (Update, error) {
	g, err := u.Session.Grant(u.Purpose)
	if err != nil {
		return Update{}, err
	}
	documents, managed := g.Documents, g.Managed
	if len(documents) == 0 && len(managed) > 0 {
		return Update{}, &screen.Fault{Problem: screen.Problem{What: "The role " + roleName +
			" needs AWS managed policies alone, which AWS itself keeps up to date.",
			Expected: "a vendor with a policy of its own", Next: "Check the role: rolecall verify.", Kind: screen.Usage}}
	}
	if len(documents) == 0 {
		return Update{}, &screen.Fault{Problem: screen.Problem{What: "Nothing that is ticked needs the role " + roleName + ".",
			Expected: "products that it is for", Next: "Name them with --products.", Kind: screen.Usage}}
	}
	seen, report, err := u.look(ctx, g, roleName)
	if err != nil {
		return Update{}, err
	}
	for _, arn := range managed {
		if !slices.ContainsFunc(seen.Role.Attached, func(p aws.AttachedPolicy) bool { return p.ARN == arn }) && !seen.PoliciesUnknown {
			return Update{}, &screen.Fault{Problem: screen.Problem{What: "The role " + roleName +
				" does not have the " + access.PolicyKind(arn) + " " + access.PolicyNameOf(arn) + ".",
				Expected: arn, Next: "Have rolecall attach it: rolecall connect --method direct --role-name " + roleName + ".",
				Kind: screen.NotAsNeeded}}
		}
	}
	if err := u.reconcile(itemsOf(*seen.Role)); err != nil {
		return Update{}, err
	}
	if stack, err := u.keptBy(ctx, *seen.Role); err != nil || stack != "" {
		return u.planned(ctx, *seen.Role, stack, false, err)
	}
	update := Update{Role: *seen.Role}
	if matches, _ := report.Check("policy-matches"); matches.Status == aws.Pass {
		return update, nil
	}
	if update.Policies, update.Others, err = u.pair(update.Role, documents); err != nil {
		return update, err
	}
	if err := u.prepare(ctx, update.Policies, false); err != nil {
		return update, err
	}
	return update, u.markEdited(update.Policies, update.Role.ID)
}

// look reads the role of a name, and refuses one that update has to leave alone.
func (u *Updater) look(ctx context.Context, g access.Grant, roleName string) (aws.Seen, aws.Report, error) {
	want := g.Want()
	want.RoleName = roleName
	seen, report, err := u.Account.Look(ctx, want)
	if err == nil && seen.Refusal != nil {
		err = seen.Refusal
	}
	if err != nil {
		return aws.Seen{}, aws.Report{}, err
	}
	return seen, report, u.fit(seen, report, roleName)
}

// fit refuses a role that is not the vendor's.
func (u *Updater) fit(seen aws.Seen, report aws.Report, roleName string) error {
	title := u.Session.Vendor.Title
	if seen.Role == nil {
		return refuse("There is no role "+roleName+" in account "+u.Session.AccountID+".", "the role that "+title+" uses",
			"Name it with --role, or make it: rolecall connect.")
	}
	if trusts, _ := report.Check("trust-principal"); trusts.Status != aws.Pass && trusts.Status != aws.Warn {
		return refuse("The role "+roleName+" does not trust "+title+": "+trusts.Got+".", trusts.Want,
			"Name "+title+"'s role with --role. rolecall gives "+title+"'s policy to no other.")
	}
	for _, id := range []string{"role-path", "permissions-boundary"} {
		if check, _ := report.Check(id); check.Status == aws.Fail { // asked for by a flag
			return refuse("The role "+roleName+" is another one than was asked for. "+id+": "+check.Got+".", check.Want,
				"Correct the flags, or name another role with --role.")
		}
	}
	return nil
}

// pair finds for each wanted document the policy that holds it now: the one
// that grants the same, else the one of its name, else the only one left.
func (u *Updater) pair(role aws.Role, documents []access.Document) (differ []PolicyUpdate, others []string, err error) {
	left, others := heldPolicies(role)
	open := slices.Clone(documents)
	take := func(fits func(PolicyUpdate, access.Document) bool) {
		open = slices.DeleteFunc(open, func(doc access.Document) bool {
			i := slices.IndexFunc(left, func(p PolicyUpdate) bool { return fits(p, doc) })
			if i < 0 {
				return false
			}
			p := left[i]
			left = slices.Delete(left, i, i+1)
			p.After, p.Difference = doc.Document, policy.Compare(p.Before, doc.Document)
			if !p.Difference.Equal {
				differ = append(differ, p)
			}
			return true
		})
	}
	take(func(p PolicyUpdate, doc access.Document) bool {
		return policy.Compare(p.Before, doc.Document).Equal
	})
	take(func(p PolicyUpdate, doc access.Document) bool { return strings.EqualFold(p.Name, doc.Name) })
	if len(open) == 1 && len(left) == 1 {
		take(func(PolicyUpdate, access.Document) bool { return true })
	}
	for _, p := range left {
		others = append(others, p.Name)
	}
	if len(open) == 0 {
		return differ, others, nil
	}
	if len(left) == 0 {
		return differ, others, &screen.Fault{Problem: screen.Problem{
			What: fmt.Sprintf("What %s needs takes %d policies, and %s has only some of them.", u.Session.Vendor.Title,
				len(documents), role.Name),
			Expected: "a policy for " + open[0].Name + " too",
			Next:     "Have rolecall make it: rolecall connect --method direct --role-name " + role.Name + ".", Kind: screen.NotAsNeeded}}
	}
	return differ, others, &screen.Fault{Problem: screen.Problem{
		What: fmt.Sprintf("rolecall cannot tell which policy of %s holds what %s needs. It has: %s.", role.Name,
			u.Session.Vendor.Title, strings.Join(others, ", ")),
		Expected: "one named " + open[0].Name, Next: "Name it with --policy-name.", Kind: screen.NotAsNeeded}}
}

// heldPolicies are a role's policies that can be changed, and the names of the
// others: AWS's own, and what cannot be read.
func heldPolicies(role aws.Role) (held []PolicyUpdate, others []string) {
	for _, p := range role.Attached {
		if arn, _ := aws.SplitARN(p.ARN); p.Document == nil || arn.AccountID == "aws" {
			others = append(others, p.Name)
			continue
		}
		held = append(held, PolicyUpdate{Kind: record.ItemPolicy, Name: p.Name, ARN: p.ARN, Before: p.Document})
	}
	for _, p := range role.Inline {
		if p.Document == nil {
			others = append(others, p.Name)
			continue
		}
		held = append(held, PolicyUpdate{Kind: record.ItemInline, Name: p.Name, Before: p.Document})
	}
	return held, others
}
