// Package change holds the commands that change a connection that was made
// before: update and disconnect.
package change

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/update"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
	"rolecall/ui/policies"
	"rolecall/ui/sessions"
)

// updateFlags are the flags of update.
type updateFlags struct {
	sessions.RoleFlags
	wait time.Duration
	undo bool
}

// UpdateCommand is rolecall update.
func UpdateCommand(a *cli.App) *cobra.Command {
	f := &updateFlags{}
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Bring a role's policy to what the vendor needs now",
		Long: "update compares what a role's policies grant with what the vendor's description wants now, shows the difference, and " +
			"after your yes writes it: as a new version of the managed policy, or into the inline policy. What was chosen when the role " +
			"was connected (products, regions, tag) is taken from its session where there is one. It does not change the trust policy. " +
			"What would be lost of a policy that somebody edited since rolecall wrote it is named first. A role that belongs to a " +
			"CloudFormation stack is updated through that stack: by a change set that is shown first, and deleted again when it is not " +
			"executed; --yes needs --acknowledge-iam-capabilities then. --undo makes the version before the one that counts the default one " +
			"again, or gives the stack its earlier template. Exit 0: the role grants what is wanted; 3: rolecall cannot update it.",
		Example: "  rolecall update\n  rolecall update --role arn:aws:iam::123456789012:role/Spot-Role --yes --json",
		Args:    a.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runUpdate(cmd.Context(), a, f) },
	}
	f.Connect.Bind(cmd, flags.Updating)
	cmd.Flags().StringVar(&f.Role, "role", "", "name or ARN of the role (default: the name that the vendor suggests)")
	cmd.Flags().BoolVar(&f.undo, "undo", false, "make the version before the one that counts the default one again")
	cmd.Flags().DurationVar(&f.wait, "wait", cli.DefaultWait, "how long AWS may take for all of it")
	return cmd
}

// updateJSON is what update prints with --json.
type updateJSON struct {
	Role     *aws.RoleRef       `json:"role"`
	Vendor   string             `json:"vendor"`
	Session  string             `json:"session,omitempty"` // whose choices were taken
	Equal    bool               `json:"equal"`             // there was nothing to do
	Updated  bool               `json:"updated"`           // everything that differed was written
	Policies []updatePolicyJSON `json:"policies"`
	Stack    *updateStackJSON   `json:"stack,omitempty"`  // that keeps the role
	Others   []string           `json:"others,omitempty"` // policies on the role that are not the vendor's
	Error    *cli.ErrorJSON     `json:"error,omitempty"`
}

type updatePolicyJSON struct {
	Name       string             `json:"name"`
	ARN        string             `json:"arn,omitempty"`              // empty for an inline policy
	Digest     string             `json:"digest"`                     // of the document that is wanted
	Characters int                `json:"characters"`                 // as IAM counts them
	Restored   string             `json:"restored_version,omitempty"` // with --undo
	Edited     bool               `json:"edited"`                     // since rolecall wrote it
	Dropped    string             `json:"dropped_version,omitempty"`
	Drop       *dropJSON          `json:"drop,omitempty"` // the version that goes to make room
	Updated    bool               `json:"updated"`
	Difference *policies.DiffJSON `json:"difference"`
}

type dropJSON struct {
	Version string    `json:"version"`
	Created time.Time `json:"created,omitzero"`
	Lost    []string  `json:"lost"` // those that the update does not grant
}

// updating is one run of update.
type updating struct {
	app      *cli.App
	updater  *update.Updater
	plan     update.Update
	done     map[string]bool // policies that were written, by their names
	looked   bool
	executed bool // the stack's change set

	budget cli.Budget
}

func runUpdate(ctx context.Context, a *cli.App, f *updateFlags) error {
	if err := a.CheckCommon(); err != nil {
		return err
	}
	if err := cli.CheckWait(f.wait); err != nil {
		return err
	}
	budget := cli.Budget{Wait: f.wait, Next: "Run it again, or give it longer: --wait 10m."}
	var u *updating
	err := budget.Within(ctx, func(ctx context.Context) (err error) {
		u, err = newUpdating(ctx, a, f)
		return err
	})
	if err != nil {
		return err
	}
	u.budget = budget
	if err := u.run(ctx, f); err != nil {
		return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any { return u.document(e) }}
	}
	if a.JSON {
		a.WriteJSON(u.document(nil))
	}
	return nil
}

// newUpdating checks the flags, signs in and finds out which role is meant.
func newUpdating(ctx context.Context, a *cli.App, f *updateFlags) (*updating, error) {
	prepared, role, err := f.Wanted()
	if err != nil {
		return nil, err
	}
	store, err := a.Store()
	if err != nil {
		return nil, err
	}
	session, account, identity, err := f.SignIn(ctx, a, prepared)
	if err != nil {
		return nil, err
	}
	if session.Partition != identity.Partition {
		return nil, cli.Usage("--partition is "+session.Partition+", and you are signed in to "+identity.Partition+".",
			"credentials of that partition", "Correct --partition, or sign in there.")
	}
	updater := &update.Updater{Session: session, Purpose: role.Purpose, Account: account, Store: store, By: identity.ARN,
		Say: func(text string) { a.Say("%s", draw.Clean(text)) }, After: a.Env.Alarm}
	return &updating{app: a, updater: updater}, f.NameRole(session)
}

func (u *updating) run(ctx context.Context, f *updateFlags) error {
	a, s := u.app, u.updater.Session
	purpose, err := f.Connect.Recall(a, s, u.updater.Purpose, f.Role, false)
	if err != nil {
		return err
	}
	u.updater.Purpose = purpose
	if err := s.Request().UnknownAccount(purpose); err != nil {
		return err
	}
	sessions.SayUnseen(a, &f.Connect)
	err = u.budget.Within(ctx, func(ctx context.Context) (err error) {
		if f.undo {
			u.plan, err = u.updater.PlanUndo(ctx, f.Role)
			return err
		}
		u.plan, err = u.updater.Plan(ctx, f.Role)
		return err
	})
	if err != nil {
		return err
	}
	u.looked = true
	u.show()
	u.sayEdited()
	switch {
	case u.still():
		return nil
	case u.plan.Stack != nil:
		return u.runStack(ctx, f)
	}
	if err := u.ask(ctx, f.Connect.Yes()); err != nil {
		return err
	}
	d, err := u.openDoor()
	if err != nil {
		return err
	}
	defer d.Release()
	if err := u.budget.Within(ctx, u.apply); err != nil {
		return err
	}
	if f.undo {
		return nil
	}
	return u.keepChoices(d)
}

// still reports that there is nothing to do.
func (u *updating) still() bool {
	return len(u.plan.Policies) == 0 && (u.plan.Stack == nil || !u.plan.Stack.Needed)
}

// apply writes one policy after the other: those that no stack writes.
func (u *updating) apply(ctx context.Context) error {
	for i := range u.plan.Policies {
		p := &u.plan.Policies[i]
		if !p.Apart() {
			continue
		}
		if ctx.Err() != nil {
			return cli.ErrCancelled
		}
		err := u.updater.Apply(ctx, u.plan.Role, p)
		if err != nil && ctx.Err() != nil {
			u.app.Say("Nobody knows whether %s was updated. Run rolecall update again: it looks first.", draw.Clean(p.Name))
			return cli.ErrCancelled
		}
		if err != nil && p.Dropped {
			u.app.Say("Version %s of %s is deleted, and the new one was not written.", draw.Clean(p.Drop.ID), draw.Clean(p.Name))
		}
		if err != nil {
			return err
		}
		u.updated(*p)
		u.app.Say("Updated %s.", draw.Clean(p.Name))
	}
	return nil
}

// openDoor opens the journal in which the update is written down.
func (u *updating) openDoor() (sessions.Door, error) {
	id, err := u.updater.JournalOf(u.plan)
	if err != nil {
		return sessions.Door{}, err
	}
	d, err := sessions.OpenDoor(u.app, u.updater.Store, id, false, "update")
	if err != nil {
		return sessions.Door{}, err
	}
	d.Journal.SetBy(u.updater.By)
	u.updater.Journal = d.Journal
	return d, nil
}

// keepChoices writes what the role grants now into the session that its choices
// were recalled from: verify and the next update expect that.
func (u *updating) keepChoices(d sessions.Door) error {
	if d.Open == nil || d.Answers.ID != u.updater.Session.ID {
		return nil
	}
	answers := d.Answers
	answers.Selection = u.updater.Session.Selection
	return d.Open.Save(answers)
}

// ask wants a yes, where no flag gave one; first to each version of a policy that
// is deleted for good.
func (u *updating) ask(ctx context.Context, yes bool) error {
	if yes {
		return nil
	}
	if u.unasked() {
		return cli.Usage("update asks before it changes anything, and nobody can be asked here.", "a terminal, or --yes",
			"Add --yes to update without being asked. Nothing was changed.")
	}
	for _, p := range u.plan.Policies {
		if p.Drop == nil {
			continue
		}
		question := fmt.Sprintf("Delete version %s of %s for good, to make room? y or n", draw.Clean(p.Drop.ID), draw.Clean(p.Name))
		if err := u.agreed(ctx, question); err != nil {
			return err
		}
	}
	what := strings.Join(u.names(), " and ")
	if u.plan.Stack != nil && u.plan.Stack.Needed {
		what = "the stack " + draw.Clean(u.plan.Stack.Stack.Name)
	}
	return u.agreed(ctx, fmt.Sprintf("Update %s in account %s? y or n", what, screen.Grouped(u.updater.Session.AccountID)))
}

// unasked tells whether nobody can be asked.
func (u *updating) unasked() bool { return u.app.JSON || !u.app.Env.StdinTTY }

// agreed asks one question; no is the end of it.
func (u *updating) agreed(ctx context.Context, question string) error {
	yes, err := u.app.Agree(ctx, question)
	if err == nil && !yes {
		u.app.Say("Nothing was changed.")
		err = cli.ErrCancelled
	}
	return err
}

// sayEdited names what would be lost of a policy that somebody edited by hand,
// whatever else is shown: with --yes nobody is asked.
func (u *updating) sayEdited() {
	if u.plan.Stack != nil {
		for _, line := range u.plan.Stack.Drift {
			u.app.Say("%s", draw.Clean(line))
		}
	}
	for _, p := range u.plan.Policies {
		if !p.Edited {
			continue
		}
		text := "Somebody edited " + draw.Clean(p.Name) + " since rolecall wrote it. This would be lost:"
		if p.Restore != "" {
			text = "Somebody edited " + draw.Clean(p.Name) + " since rolecall wrote it. This would not count any more, and stays in version " +
				draw.Clean(p.Version) + ":"
		} else if p.Kind == record.ItemPolicy && u.plan.Stack == nil {
			text = "Somebody edited " + draw.Clean(p.Name) + " since rolecall wrote it. This would be lost, until rolecall update --undo:"
		}
		u.app.Say("%s", text)
		for _, line := range policies.DiffOf(p.Difference).Removed {
			u.app.Say("  - %s", draw.Clean(line))
		}
	}
}

// updated takes down what was written.
func (u *updating) updated(p update.PolicyUpdate) {
	if u.done == nil {
		u.done = map[string]bool{}
	}
	u.done[p.Name] = true
}

func (u *updating) names() []string {
	var names []string
	for _, p := range u.plan.Policies {
		names = append(names, draw.Clean(p.Name))
	}
	return names
}

// show prints what differs. With --json it is in the document.
func (u *updating) show() {
	a, role := u.app, u.plan.Role
	if a.JSON {
		return
	}
	a.Print("Role %s", draw.Clean(role.ARN))
	if u.plan.Stack != nil {
		a.Print("  It belongs to the CloudFormation stack %s.", draw.Clean(u.plan.Stack.Stack.Name))
	}
	if u.still() {
		a.Print("  It grants what %s needs. There is nothing to do.", draw.Clean(u.updater.Session.Vendor.Title))
	}
	for _, p := range u.plan.Policies {
		a.Print("\n%s · %d of %d characters after the update", draw.Clean(p.Name), p.After.Characters(), limitOf(p.Kind))
		a.Print("%s", policies.DiffText(policies.DiffOf(p.Difference), p.Before, p.After, p.Name+" now", p.Name+" after the update"))
		if p.Restore != "" {
			a.Print("Version %s becomes the default one again. Version %s stays.", draw.Clean(p.Restore), draw.Clean(p.Version))
		}
		if p.Drop != nil {
			a.Print("%s", dropText(*p.Drop))
		}
	}
	if len(u.plan.Others) > 0 {
		a.Print("The role also has %s. rolecall leaves that as it is.", draw.Clean(strings.Join(u.plan.Others, ", ")))
	}
}

// dropText says which version goes to make room, and what it granted.
func dropText(d update.Dropped) string {
	text := fmt.Sprintf("IAM keeps five versions: %s, the oldest", draw.Clean(d.ID))
	if !d.Created.IsZero() {
		text += ", of " + d.Created.UTC().Format("2006-01-02 15:04 MST")
	}
	text += ", is deleted for good to make room."
	switch {
	case d.Unread:
		return text + " rolecall cannot read what it granted."
	case len(d.Lost) == 0:
		return text + " It granted nothing that the update does not grant."
	}
	lost := d.Lost
	more := ""
	if len(lost) > mostLost {
		more = fmt.Sprintf(" and %d more", len(lost)-mostLost)
		lost = lost[:mostLost]
	}
	return text + " Of what it granted, the update does not grant " + draw.Clean(strings.Join(lost, ", ")) + more + "."
}

// mostLost bounds the actions that are named of a version that goes.
const mostLost = 8

func limitOf(kind record.ItemKind) int {
	if kind == record.ItemInline {
		return policy.MaxRoleInline
	}
	return policy.MaxManaged
}

func (u *updating) document(e *cli.ErrorJSON) updateJSON {
	s := u.updater.Session
	doc := updateJSON{Vendor: s.Answers.Vendor, Session: s.ID, Policies: []updatePolicyJSON{}, Others: u.plan.Others, Error: e}
	if u.plan.Role.Name != "" {
		ref := u.plan.Role.Ref()
		doc.Role, doc.Equal = &ref, u.looked && u.still() && u.done == nil
	}
	for _, p := range u.plan.Policies {
		one := updatePolicyJSON{Name: p.Name, ARN: p.ARN, Digest: p.After.Digest(), Characters: p.After.Characters(),
			Restored: p.Restore, Edited: p.Edited, Updated: u.done[p.Name], Difference: policies.DiffOf(p.Difference)}
		if !one.Updated {
			one.Restored = ""
		}
		if p.Drop != nil {
			one.Drop = &dropJSON{p.Drop.ID, p.Drop.Created, cli.OrEmpty(p.Drop.Lost)}
			if one.Updated || p.Dropped {
				one.Dropped = p.Drop.ID
			}
		}
		doc.Policies = append(doc.Policies, one)
	}
	doc.Stack = stackOf(u.plan.Stack, u.executed)
	doc.Updated = (len(u.done) > 0 || u.executed) && len(u.done) == len(u.plan.Policies)
	return doc
}
