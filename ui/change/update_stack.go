package change

import (
	"context"
	"errors"

	"rolecall/steps/update"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// updateStackJSON is the stack that keeps the role.
type updateStackJSON struct {
	Name     string            `json:"name"`
	ID       string            `json:"id"`
	Status   string            `json:"status"`
	Digest   string            `json:"digest"`  // of the template that is wanted
	Drift    []string          `json:"drift"`   // what somebody changed beside the stack
	Changes  []stackChangeJSON `json:"changes"` // of the change set; empty where none was made
	Set      string            `json:"change_set,omitempty"`
	Executed bool              `json:"executed"`
}

type stackChangeJSON struct {
	Action      string `json:"action"` // Add, Modify, Remove
	Resource    string `json:"resource"`
	Type        string `json:"type"`
	PhysicalID  string `json:"physical_id,omitempty"`
	Replacement string `json:"replacement,omitempty"` // True, False, Conditional
}

func stackOf(up *update.StackUpdate, executed bool) *updateStackJSON {
	if up == nil {
		return nil
	}
	out := &updateStackJSON{Name: up.Stack.Name, ID: up.Stack.ID, Status: string(up.Stack.Status), Digest: up.Digest,
		Drift: cli.OrEmpty(up.Drift), Changes: []stackChangeJSON{}, Set: up.Set.ID, Executed: executed}
	if up.Status != "" {
		out.Status = string(up.Status)
	}
	for _, c := range up.Set.Changes {
		out.Changes = append(out.Changes, stackChangeJSON{c.Action, c.LogicalID, c.Type, c.PhysicalID, c.Replacement})
	}
	return out
}

// runStack brings the stack to another template: the acknowledgement first, which
// CloudFormation wants for the change set already, then the change set is shown,
// agreed to and executed, and what it made is proven. What somebody edited beside
// the stack is put back to what the template says.
func (u *updating) runStack(ctx context.Context, f *updateFlags) error {
	if err := u.acknowledge(ctx, f); err != nil {
		return err
	}
	d, err := u.openDoor()
	if err != nil {
		return err
	}
	defer d.Release()
	err = u.budget.Within(ctx, func(ctx context.Context) error { return u.updater.MakeChangeSet(ctx, &u.plan) })
	if err != nil {
		return u.left(ctx, err)
	}
	u.showChangeSet()
	if err := u.ask(ctx, f.Connect.Yes()); err != nil {
		if lost := u.updater.Discard(ctx, &u.plan); lost != nil {
			return errors.Join(err, lost)
		}
		return err
	}
	if err := u.left(ctx, u.budget.Within(ctx, u.execute)); err != nil || f.undo {
		return err
	}
	return u.keepChoices(d)
}

// left says of a run that somebody left that it was left.
func (u *updating) left(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		u.app.Say("%s", draw.Clean(cli.ProblemOf(err).What))
		return cli.ErrCancelled
	}
	return err
}

// acknowledge wants the word that AWS's console asks for, too, from a flag of its
// own or from the person: --yes does not give it.
func (u *updating) acknowledge(ctx context.Context, f *updateFlags) error {
	if !u.plan.Stack.Needed || f.Connect.Text(flagAcknowledge) == "true" {
		return nil
	}
	if f.Connect.Yes() || u.unasked() {
		return cli.Usage("The role belongs to a CloudFormation stack, and nobody has acknowledged that "+
			"AWS CloudFormation might create IAM resources.",
			"--"+flagAcknowledge, "Add --"+flagAcknowledge+" to update the stack. Nothing was changed.")
	}
	return u.agreed(ctx, "Do you acknowledge that AWS CloudFormation might create IAM resources? y or n")
}

const flagAcknowledge = "acknowledge-iam-capabilities"

// showChangeSet prints what CloudFormation would do. With --json it is in the
// document.
func (u *updating) showChangeSet() {
	up := u.plan.Stack
	if u.app.JSON || !up.Needed {
		return
	}
	u.app.Print("\nThe change set is ready. Executing it does this:")
	for _, line := range up.Lines() {
		u.app.Print("  %s", draw.Clean(line))
	}
}

// execute does what was agreed to, and proves it.
func (u *updating) execute(ctx context.Context) error {
	needed := u.plan.Stack.Needed
	if err := u.updater.Execute(ctx, &u.plan); err != nil {
		return err
	}
	if needed {
		u.executed = true
		u.app.Say("Updated the stack %s.", draw.Clean(u.plan.Stack.Stack.Name))
	}
	if err := u.apply(ctx); err != nil {
		return err
	}
	if err := u.updater.Prove(ctx, u.plan); err != nil {
		return err
	}
	for _, p := range u.plan.Policies {
		u.updated(p)
	}
	return nil
}
