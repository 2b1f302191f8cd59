package organisation

import (
	"cmp"
	"context"
	"fmt"

	"rolecall/aws"
	"rolecall/aws/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Status looks how each account stands, and changes nothing. members is the
// ledger as it was read, set the StackSet's ID.
func Status(ctx context.Context, c Clock, cloud *organisation.Client, want *Wanted, receipt record.Receipt, members []record.Member,
	chosen []Chosen) (*Report, error) {
	out := &Report{Session: receipt.Session, Vendor: receipt.Vendor, Rehearsal: receipt.Rehearsal, Submitted: !want.ByHand(),
		Next: want.HandOver()}
	set, instances, err := look(ctx, c, cloud, want, receipt)
	if err != nil {
		return nil, err
	}
	out.StackSet = StackSet{Name: set.Name, ID: set.ID, Digest: aws.TemplateDigest(set.Template), Automatic: set.Automatic}
	known := map[string]record.Member{}
	for _, m := range members {
		known[m.Account] = m
	}
	for _, one := range chosen {
		row := statusOf(want, one, known[one.ID], instances[one.ID])
		row.fits(want, set)
		out.Accounts = append(out.Accounts, row)
	}
	return out.count(), nil
}

// fits says of an account that is connected whether its StackSet is still as it is
// wanted.
func (row *Row) fits(want *Wanted, set organisation.Set) {
	if row.State != Connected {
		return
	}
	if want.Shared != "" {
		found, right := want.admits(want.Shared, nil, set.Parameters)
		row.ExternalID = found // what is there, and not what was there when it was made
		if !right {
			row.State, row.Gap = Failed, GapExternalID
			row.Cause = &Cause{What: "The StackSet has its role ask for another external ID than " + want.Shared + ".",
				Next: "Run rolecall org apply."}
			return
		}
	}
	if row.Gap == "" && !aws.SameTemplate(set.Template, want.Template) {
		row.Gap = GapTemplate
		row.Cause = &Cause{What: "The StackSet's template is another than what is wanted.", Next: "Run rolecall org apply."}
	}
}

// look reads the StackSet that a receipt proves, with all of its stacks by their
// accounts; the zero Set where nothing was made.
func look(ctx context.Context, c Clock, cloud *organisation.Client, want *Wanted, receipt record.Receipt) (organisation.Set,
	map[string]*organisation.Instance, error) {
	item, ok := receipt.Find(record.Item{Kind: record.ItemStackSet, Name: want.SetName()})
	if !ok || item.ID == "" {
		return organisation.Set{}, nil, nil
	}
	var set organisation.Set
	err := c.patiently(ctx, func() (err error) {
		set, err = cloud.Set(ctx, item.ID)
		return err
	})
	if is(err, aws.NotFound) {
		return organisation.Set{}, nil, nil
	}
	if err != nil {
		return set, nil, err
	}
	all, err := pages(ctx, c, func(token string) ([]organisation.Instance, string, error) {
		return cloud.Instances(ctx, set.ID, token)
	})
	by := map[string]*organisation.Instance{}
	for i := range all {
		by[all[i].Account] = &all[i]
	}
	return set, by, err
}

// The gaps between what is and what should be. Org apply closes all but a drift,
// which is undone in the account.
const (
	GapNew     = "new"             // a stack, and no connection at the vendor
	GapGone    = "role gone"       // a connection, and no stack
	GapDrifted = "drifted"         // somebody changed what the stack made
	GapOpen    = "not handed over" // a role that the vendor does not have yet

	GapExternalID = "another external ID" // than the one of all accounts
	GapTemplate   = "another template"    // than what is wanted now
)

// statusOf is how one account stands.
func statusOf(want *Wanted, c Chosen, m record.Member, i *organisation.Instance) Row {
	row := rowOf(c, m, i)
	apply := "Run rolecall org apply."
	switch {
	case c.Excluded != nil:
		row.State, row.Cause = Excluded, causeOf(c.Excluded)
	case i == nil && m.Connected:
		row.State, row.Gap, row.Cause = Failed, GapGone, &Cause{What: "It is connected at the vendor, and its stack is gone.", Next: apply}
	case i == nil:
		row.State, row.Cause = Waiting, &Cause{What: "It has no stack yet.", Next: apply}
	case i.Moving():
		row.State, row.Cause = Waiting, &Cause{What: "AWS is at work on its stack.", Next: "Look again in a minute."}
	case !i.Good():
		row.State, row.Cause = Failed, causeOf(explainInstance(*i))
	case m.Connected:
		row.State = Connected
		if i.Drift == "DRIFTED" {
			row.Gap, row.Cause = GapDrifted, &Cause{What: "Somebody changed what the stack made.",
				Next: "See what: the stack's drift in the account's console. Undo it there."}
		}
	case m.Operation == "":
		row.State, row.Gap, row.Cause = Waiting, GapNew, &Cause{What: "Its role is there by automatic deployment, and not connected.",
			Next: apply}
	default:
		row.State, row.Gap, row.Cause = Waiting, GapOpen, &Cause{What: "Its role was not handed over yet.", Next: apply}
	}
	if i != nil && i.Good() {
		row.RoleARN = want.RoleARN(c.ID)
	}
	return row
}

// Verified is what Verify needs beside what Status does.
type Verified struct {
	Account    *aws.Account // of the organisation
	ReaderRole string       // a role of every account that may read IAM; empty: nobody looks into the accounts
	Session    string       // marks the drift detection
	Drift      bool         // have AWS compare the stacks with what is there
}

// bounded is how many accounts are looked into at the same time.
const bounded = 8

// Verify judges the role of every account: without access to them, by what
// StackSets says of their stacks; with a reader role, by the roles themselves.
func Verify(ctx context.Context, c Clock, cloud *organisation.Client, want *Wanted, receipt record.Receipt, members []record.Member,
	chosen []Chosen, v Verified) (*Report, error) {
	var before map[string]*organisation.Instance
	if v.Drift {
		var err error
		if before, err = detect(ctx, c, cloud, want, receipt, v.Session); err != nil {
			return nil, err
		}
	}
	report, err := Status(ctx, c, cloud, want, receipt, members, chosen)
	if err != nil {
		return nil, err
	}
	set, instances, err := look(ctx, c, cloud, want, receipt)
	if err != nil {
		return nil, err
	}
	for id, i := range instances {
		if was := before[id]; was != nil && i.Checked.Equal(was.Checked) {
			i.Drift = "NOT_CHECKED" // what AWS says of it is from an earlier time
		}
	}
	same := set.ID != "" && aws.SameTemplate(set.Template, want.Template)
	slots := make(chan struct{}, bounded)
	done := make(chan error, len(report.Accounts))
	for n := range report.Accounts {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			done <- verifyOne(ctx, c, cloud, want, set, instances, same, v, &report.Accounts[n])
		}()
	}
	for range report.Accounts {
		if e := <-done; e != nil && err == nil {
			err = e
		}
	}
	return report, err
}

// detect has AWS compare all stacks with what is there, and waits for the end.
// It gives the stacks as they were before: an account in which AWS could not
// compare, or whose part was stopped, keeps what was found out earlier.
func detect(ctx context.Context, c Clock, cloud *organisation.Client, want *Wanted, receipt record.Receipt, session string) (
	map[string]*organisation.Instance, error) {
	set, all, err := look(ctx, c, cloud, want, receipt)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	token := fmt.Sprintf("rolecall-%s-drift-%d", session, c.Now().Unix())
	everything := organisation.Preferences{Tolerance: 100, TolerancePercent: true, Concurrent: 100, ConcurrentPercent: true}
	err = c.patiently(ctx, func() error { return cloud.DetectDrift(ctx, set.ID, token, everything) })
	if err != nil && !is(err, aws.Exists) {
		return nil, err
	}
	for {
		var op organisation.Operation
		err := c.patiently(ctx, func() (err error) {
			op, err = cloud.Operation(ctx, set.ID, token)
			return err
		})
		if err != nil || op.Ended() {
			return all, err
		}
		if err := c.pause(ctx, lookPace); err != nil {
			return nil, err
		}
	}
}

// verifyOne judges one account.
func verifyOne(ctx context.Context, c Clock, cloud *organisation.Client, want *Wanted, set organisation.Set,
	all map[string]*organisation.Instance, same bool,
	v Verified, row *Row) error {
	if row.State == Excluded {
		return nil
	}
	if v.ReaderRole != "" {
		return lookInto(ctx, want, v, row)
	}
	i := all[row.AccountID]
	row.Checks = append(row.Checks, judged("role-exists", i != nil && i.Good(), "a stack that is whole", stateOf(i)))
	if len(want.Parameters) > 0 && i != nil {
		var overrides map[string]string
		err := c.patiently(ctx, func() (err error) {
			overrides, err = cloud.Overrides(ctx, set.ID, row.AccountID, i.Region)
			return err
		})
		if err != nil {
			return err
		}
		wanted := cmp.Or(want.Shared, row.ExternalID)
		parameters := set.Parameters
		if want.Minted() {
			parameters = nil // its default is nobody's
		}
		found, right := want.admits(wanted, overrides, parameters)
		row.Checks = append(row.Checks, judged("trust-external-id", right, wanted, orNone(found)))
	}
	policy := judged("policy-matches", same && i != nil && i.Drift == "IN_SYNC", "the planned template, and no drift", driftOf(i, same))
	switch {
	case !same || i == nil:
	case i.Drift == "DRIFTED":
		policy.Fix = "Undo the change in the account: its stack shows it under Drifts."
	case i.Drift != "IN_SYNC":
		policy.Status, policy.Fix = aws.Unknown, "Have AWS detect drift: leave --drift on. If it was on, see in the StackSet's operations why "+
			"AWS could not."
	}
	row.Checks = append(row.Checks, policy)
	if i != nil {
		row.Drift = i.Drift
	}
	row.conclude()
	return nil
}

// conclude is the verdict over the checks.
func (row *Row) conclude() {
	ok := true
	for _, check := range row.Checks {
		ok = ok && (check.Status == aws.Pass || check.Status == aws.Warn)
	}
	row.OK = &ok
}

func judged(id string, right bool, want, got string) aws.Check {
	check := aws.Check{ID: id, Status: aws.Pass, Want: want, Got: got}
	if !right {
		check.Status, check.Fix = aws.Fail, "Run rolecall org apply."
	}
	return check
}

func stateOf(i *organisation.Instance) string {
	if i == nil {
		return "no stack"
	}
	return i.Status + ", " + i.Detailed
}

func driftOf(i *organisation.Instance, same bool) string {
	switch {
	case i == nil:
		return "no stack"
	case !same:
		return "another template"
	}
	return i.Drift
}

func orNone(s string) string {
	if s == "" {
		return "none of its own"
	}
	return s
}

// lookInto judges the roles of an account by the reader role. What cannot be seen
// is unknown, and says why.
func lookInto(ctx context.Context, want *Wanted, v Verified, row *Row) error {
	reader := aws.RoleARN(want.Request.Partition, row.AccountID, "", v.ReaderRole)
	account, err := v.Account.As(ctx, reader, "rolecall")
	var reports []aws.Report
	if err == nil {
		reports, err = judge(ctx, account, want, row)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e := aws.Explain(err)
		row.Checks = []aws.Check{{ID: "role-exists", Status: aws.Unknown, Want: "to look with " + reader, Got: e.What, Fix: e.Next}}
	}
	for _, r := range reports {
		row.Checks = append(row.Checks, r.Checks...)
	}
	row.conclude()
	return nil
}

func judge(ctx context.Context, account *aws.Account, want *Wanted, row *Row) ([]aws.Report, error) {
	grants, err := want.Grant(row.AccountID, row.ExternalID)
	if err != nil {
		return nil, err
	}
	var all []aws.Report
	for _, g := range grants {
		report, err := account.Verify(ctx, g.Want())
		if err != nil {
			return nil, err
		}
		all = append(all, report)
	}
	return all, nil
}

// Unfit says how many accounts are not as they should be; nil: all are.
func (r *Report) Unfit() error {
	bad, all := 0, 0
	for _, row := range r.Accounts {
		if row.State == Excluded {
			continue
		}
		all++
		if row.OK == nil || !*row.OK {
			bad++
		}
	}
	if bad == 0 {
		return nil
	}
	return &screen.Fault{Problem: screen.Problem{What: screen.Thousands(bad) + " of " + count(all, "account") + " are not as required.",
		Expected: "every check to pass",
		Next:     "See which and why in the list; rolecall org apply mends what it can.", Kind: screen.NotAsNeeded}}
}
