package update

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"rolecall/aws"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// MakeChangeSet has CloudFormation work out what updating the stack takes, and
// waits for it. What an earlier run left is deleted first. The error is a Fault
// where the change set is one that rolecall does not execute: then it is deleted
// again. Afterwards it is to be executed or discarded.
func (u *Updater) MakeChangeSet(ctx context.Context, update *Update) error {
	up := update.Stack
	if !up.Needed {
		return nil
	}
	if err := u.clearLeft(ctx, up); err != nil {
		return err
	}
	token := up.want.Token
	if err := u.noteStack(update, func(i record.Item) record.Item {
		i.ChangeSet = token
		return i
	}); err != nil {
		return err // nothing was sent
	}
	op := up.want.ChangeSet(up.Stack.ID, up.want.Kept(up.Stack))
	err := u.send(ctx, op)
	up.Set = *up.want.Set
	if err != nil && !step.Refused(err) { // the answer got lost
		look, cancel := screen.LookUp(ctx)
		defer cancel()
		if set, lookErr := u.Account.ChangeSetOf(look, up.Stack.ID, token); lookErr == nil {
			up.Set, err = set, nil
		}
	}
	if err != nil {
		return err
	}
	if err := u.workedOut(ctx, up); err != nil {
		return errors.Join(err, u.Discard(ctx, update))
	}
	if up.Set.Empty() {
		up.Needed = false
		return u.Discard(ctx, update)
	}
	if err := u.allowed(up); err != nil {
		return errors.Join(err, u.Discard(ctx, update))
	}
	return nil
}

// clearLeft deletes the change sets that earlier runs made and never executed. A
// receipt tells their names.
func (u *Updater) clearLeft(ctx context.Context, up *StackUpdate) error {
	receipts, err := u.Store.Receipts()
	if err != nil {
		return err
	}
	like := stackItem(up.Stack)
	for _, r := range receipts {
		for _, i := range r.Items {
			if i.ChangeSet == "" || !u.about(r, i, like) {
				continue
			}
			set, err := u.Account.ChangeSetOf(ctx, up.Stack.ID, i.ChangeSet)
			if aws.KindOf(err) == aws.NotFound {
				continue
			}
			if err != nil {
				return err
			}
			if set.StackID != up.Stack.ID || strings.HasPrefix(set.Execution, "EXECUTE_") {
				continue
			}
			if err := u.drop(ctx, up, set); err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends an operation on the stack, with the journal written before and after.
func (u *Updater) send(ctx context.Context, op making.Operation) error {
	writing, cancel := screen.Writing(ctx)
	defer cancel()
	return u.Journal.Do(writing, op.Name, func(ctx context.Context) error { return op.Do(ctx, u.Account, &op.Item) })
}

// workedOut waits until CloudFormation knows what the change set does.
func (u *Updater) workedOut(ctx context.Context, up *StackUpdate) error {
	for tries := 0; ; tries++ {
		set, err := u.Account.ChangeSet(ctx, up.Set.ID)
		switch {
		case err != nil && !step.Passes(err), aws.KindOf(err) == aws.NotFound:
			return err
		case err != nil:
		case set.Ready() || set.Empty():
			up.Set = set
			return nil
		case set.Failed():
			return &screen.Fault{Problem: *making.Unworkable(set)}
		}
		if err := u.pause(ctx, making.Pause(min(tries, 1))); err != nil {
			return err
		}
	}
}

// allowed refuses a change set after which the vendor has no access any more, and
// one that deletes what nobody can prove that rolecall made.
func (u *Updater) allowed(up *StackUpdate) error {
	title := u.Session.Vendor.Title
	for _, change := range up.Set.Changes {
		what := change.Type + " " + cmp.Or(change.PhysicalID, change.LogicalID)
		switch {
		case !change.Removes():
		case change.Type == "AWS::IAM::Role" && change.Action == "Remove":
			return refuse("The change set would delete the role "+change.PhysicalID+
				", which "+title+" uses. It was not executed, and is deleted again.",
				"a change that leaves the stack's roles", "Name the products that need that role, too: --products.")
		case change.Type == "AWS::IAM::Role":
			return refuse("The change set would replace the role "+change.PhysicalID+": AWS would make another one, and "+title+
				" holds the ARN of this one. It was not executed, and is deleted again.", "a change that leaves the role as it is",
				"Leave out what names or moves the role, such as --path. To move it all the same, make a new one and hand that over: rolecall connect.")
		case !up.known:
			return refuse("The change set would delete "+what+", and no receipt here proves that rolecall made it. It was not executed, and is "+
				"deleted again.", "a stack whose template rolecall wrote last",
				"Look at the stack's template: somebody changed it, or it was made from another machine. Update it there.")
		}
	}
	return nil
}

// Discard deletes the change set that was not executed, also when the time is up.
func (u *Updater) Discard(ctx context.Context, update *Update) error {
	up := update.Stack
	if up.Set.ID == "" {
		return nil
	}
	look, cancel := screen.LookUp(ctx)
	defer cancel()
	return u.drop(look, up, up.Set)
}

func (u *Updater) drop(ctx context.Context, up *StackUpdate, set aws.ChangeSet) error {
	w := *up.want
	w.Set = &set
	err := u.send(ctx, w.Discard(nil, up.Stack.ID, "", false))
	if aws.KindOf(err) == aws.NotFound {
		return nil
	}
	return err
}

// Execute does what the change set says, follows it to its end, and writes into
// the receipt which template the stack has then.
func (u *Updater) Execute(ctx context.Context, update *Update) error {
	up := update.Stack
	if !up.Needed {
		return nil
	}
	known := map[string]record.Item{} // by session, to be put back
	earlier := &record.Earlier{Digest: aws.TemplateDigest(up.template), Template: []byte(up.template),
		Parameters: maps.Clone(up.Stack.Parameters)}
	if up.back {
		earlier = nil
	}
	if err := u.noteStack(update, func(i record.Item) record.Item {
		known[i.Digest] = i
		i.Pending, i.Earlier = up.Digest, earlier
		return i
	}); err != nil {
		return err // nothing was sent
	}
	undone := func(i record.Item) record.Item {
		if before, ok := known[i.Digest]; ok {
			i.Earlier = before.Earlier
		}
		i.Pending, i.ChangeSet = "", ""
		return i
	}
	if err := u.notePolicies(update, (*PolicyUpdate).begun); err != nil {
		return errors.Join(err, u.noteStack(update, undone))
	}
	token := u.Session.StackToken()
	err := u.send(ctx, up.want.Execute(up.Stack.ID, token))
	if err != nil && !step.Refused(err) && u.begun(ctx, up) {
		err = nil // the answer got lost
	}
	if err != nil && step.Refused(err) {
		return errors.Join(err, u.noteStack(update, undone), u.notePolicies(update, (*PolicyUpdate).refused), u.Discard(ctx, update))
	}
	if err != nil {
		return err // it stays pending: whoever reads the receipt next looks
	}
	cause, err := u.follow(ctx, up, token)
	if err != nil {
		return err
	}
	if cause == nil && up.Status.Good() && up.Status != aws.StackUpdateUndone {
		return errors.Join(u.noteStack(update, func(i record.Item) record.Item {
			i.At, i.By, i.ChangeSet = u.Session.Now().UTC(), u.By, ""
			return written(i, up.Digest)
		}), u.notePolicies(update, (*PolicyUpdate).done))
	}
	p := *making.StackFailure(up.Status, cause)
	p.What += " The stack is " + making.StatusWords(string(up.Status)) + "."
	if up.Status == aws.StackUpdateUndone {
		p.What += " CloudFormation took everything back: it is as it was."
	}
	return errors.Join(&screen.Fault{Problem: p}, u.noteStack(update, undone), u.notePolicies(update, (*PolicyUpdate).refused))
}

// begun tells whether the change set is being executed, after an answer got lost.
func (u *Updater) begun(ctx context.Context, up *StackUpdate) bool {
	look, cancel := screen.LookUp(ctx)
	defer cancel()
	set, err := u.Account.ChangeSet(look, up.Set.ID)
	return err == nil && strings.HasPrefix(set.Execution, "EXECUTE_")
}

// follow waits for the end of a run. The cause is that of its first failure.
func (u *Updater) follow(ctx context.Context, up *StackUpdate, token string) (cause *aws.Error, err error) {
	watch := u.Account.WatchStack(up.Stack.ID, token)
	for told := map[string]string{}; ; {
		next, done, err := watch.Fetch(ctx)
		if err != nil && !step.Passes(err) {
			return nil, err
		}
		for _, r := range watch.Resources() {
			if told[r.LogicalID] != r.Status {
				told[r.LogicalID] = r.Status
				u.say("  " + r.LogicalID + ": " + making.StatusWords(r.Status))
			}
		}
		if done {
			up.Status = watch.Status()
			if e, failed := aws.FirstFailure(watch.Events()); failed {
				cause = aws.ExplainStack(e)
			}
			return cause, nil
		}
		if err := u.pause(ctx, next); err != nil {
			return nil, &screen.Fault{Err: err, Problem: screen.Problem{What: "CloudFormation is still at work on the stack " + up.Stack.Name +
				", and goes on with it.", Expected: "a stack that is complete", Next: "Run rolecall update again: it waits for the end."}}
		}
	}
}

// Prove looks until every role of the stack grants what the update is for, and is
// still the same role.
func (u *Updater) Prove(ctx context.Context, update Update) error {
	up := update.Stack
	for tries := 0; ; tries++ {
		wrong, err := u.unproven(ctx, up)
		if err == nil && wrong == nil {
			return nil
		}
		if err != nil && !step.Passes(err) {
			return err
		}
		if u.pause(ctx, making.Pause(tries)) != nil {
			if wrong == nil {
				return err
			}
			return wrong
		}
	}
}

func (u *Updater) unproven(ctx context.Context, up *StackUpdate) (wrong, err error) {
	for _, purpose := range up.purposes() {
		was := up.roles[purpose]
		want := up.want.Wants[purpose]
		want.RoleARN, want.RoleName = was.ARN, was.Name
		seen, _, err := u.Account.Look(ctx, want)
		if err == nil && seen.Refusal != nil {
			err = seen.Refusal
		}
		if err != nil {
			return nil, err
		}
		if seen.Role == nil || seen.Role.ID != was.ID {
			return refuse("The role "+was.Name+" is not the one that it was before the update.", "the role "+was.ID,
				"Ask why: rolecall diagnose --role "+was.Name+"."), nil
		}
		now := documentsOf(*seen.Role)
		for key, wanted := range documentsOf(up.after[strings.ToLower(was.Name)]) {
			if now[key] == nil || !now[key].Equal(wanted) {
				return &screen.Fault{Problem: screen.Problem{What: "The " + key + " of " + was.Name + " is not seen to be as wanted yet.",
					Expected: "the document of the template", Next: "Look again: rolecall update. It shows what still differs.",
					Kind: screen.TimedOut}}, nil
			}
		}
	}
	return nil, nil
}

// noteStack writes down what is known of the stack, in every receipt that knows
// it.
func (u *Updater) noteStack(update *Update, change func(record.Item) record.Item) error {
	return u.note(update.Stack.item(), change)
}

// notePolicies writes down what becomes of the stack's policies, where a receipt
// knows them from before the stack took them over.
func (u *Updater) notePolicies(update *Update, change func(*PolicyUpdate, record.Item) record.Item) error {
	for _, p := range update.Policies {
		if !p.ofStack || p.New || p.Gone || p.Beside {
			continue
		}
		if _, err := u.noteKnown(p.item(update.Role.ID), func(i record.Item) record.Item { return change(&p, i) }); err != nil {
			return err
		}
	}
	return nil
}

func (p *PolicyUpdate) begun(i record.Item) record.Item {
	i.Pending = p.After.Digest()
	return i
}

func (p *PolicyUpdate) refused(i record.Item) record.Item {
	i.Pending = ""
	return i
}

func (p *PolicyUpdate) done(i record.Item) record.Item { return written(i, p.After.Digest()) }

// Lines are what the change set does: for each resource what happens to it and,
// on a line of its own, what it is called in AWS.
func (up *StackUpdate) Lines() []string {
	var all []string
	for _, c := range up.Set.Changes {
		stays := ""
		switch {
		case c.Replaces():
			stays = " · is replaced"
		case c.Removes() && c.Action == "Modify":
			stays = " · may be replaced"
		case c.Action == "Modify":
			stays = " · stays, changed in place"
		}
		all = append(all, fmt.Sprintf("%-7s %s · %s%s", c.Action, c.LogicalID, c.Type, stays))
		if c.PhysicalID != "" {
			all = append(all, "        "+c.PhysicalID)
		}
	}
	return all
}
