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
			"was connected (products, regions, tag) is taken from its session where there is one. It changes neither the trust policy nor " +
			"what belongs to a CloudFormation stack. What would be lost of a policy that somebody edited since rolecall wrote it is named first. " +
			"--undo makes the version before the one that counts the default one again. Exit 0: the role grants what is wanted; 3: rolecall " +
			"cannot update it.",
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
	Updated    bool               `json:"updated"`
	Difference *policies.DiffJSON `json:"difference"`
}

// updating is one run of update.
type updating struct {
	app     *cli.App
	updater *update.Updater
	plan    update.Update
	done    int // policies that were written
	looked  bool
	budget  cli.Budget
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
	return &updating{app: a, updater: &update.Updater{Session: session, Purpose: role.Purpose, Account: account, Store: store,
		By: identity.ARN}}, f.NameRole(session)
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
	if len(u.plan.Policies) == 0 {
		return nil
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

// apply writes one policy after the other.
func (u *updating) apply(ctx context.Context) error {
	for _, p := range u.plan.Policies {
		if ctx.Err() != nil {
			return cli.ErrCancelled
		}
		err := u.updater.Apply(ctx, u.plan.Role, p)
		if err != nil && ctx.Err() != nil {
			u.app.Say("Nobody knows whether %s was updated. Run rolecall update again: it looks first.", draw.Clean(p.Name))
			return cli.ErrCancelled
		}
		if err != nil {
			return err
		}
		u.done++
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

// ask wants a yes, where no flag gave one.
func (u *updating) ask(ctx context.Context, yes bool) error {
	a := u.app
	if yes {
		return nil
	}
	if a.JSON || !a.Env.StdinTTY {
		return cli.Usage("update asks before it changes anything, and nobody can be asked here.", "a terminal, or --yes",
			"Add --yes to update without being asked. Nothing was changed.")
	}
	agreed, err := a.Agree(ctx, fmt.Sprintf("Update %s in account %s? y or n", strings.Join(u.names(), " and "),
		screen.Grouped(u.updater.Session.AccountID)))
	if err == nil && !agreed {
		a.Say("Nothing was changed.")
		err = cli.ErrCancelled
	}
	return err
}

// sayEdited names what would be lost of a policy that somebody edited by hand,
// whatever else is shown: with --yes nobody is asked.
func (u *updating) sayEdited() {
	for _, p := range u.plan.Policies {
		if !p.Edited {
			continue
		}
		text := "Somebody edited " + draw.Clean(p.Name) + " since rolecall wrote it. This would be lost:"
		if p.Kind == record.ItemPolicy {
			text = "Somebody edited " + draw.Clean(p.Name) + " since rolecall wrote it. This would be lost, until rolecall update --undo:"
		}
		u.app.Say("%s", text)
		for _, line := range policies.DiffOf(p.Difference).Removed {
			u.app.Say("  - %s", draw.Clean(line))
		}
	}
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
	if len(u.plan.Policies) == 0 {
		a.Print("  It grants what %s needs. There is nothing to do.", draw.Clean(u.updater.Session.Vendor.Title))
	}
	for _, p := range u.plan.Policies {
		a.Print("\n%s · %d of %d characters after the update", draw.Clean(p.Name), p.After.Characters(), limitOf(p.Kind))
		a.Print("%s", policies.DiffText(policies.DiffOf(p.Difference), p.Before, p.After, p.Name+" now", p.Name+" after the update"))
		if p.Restore != "" {
			a.Print("Version %s becomes the default one again. Version %s stays.", draw.Clean(p.Restore), draw.Clean(p.Version))
		}
		if p.Drop != "" {
			a.Print("IAM keeps five versions: %s, the oldest, is deleted first.", draw.Clean(p.Drop))
		}
	}
	if len(u.plan.Others) > 0 {
		a.Print("The role also has %s. rolecall leaves that as it is.", draw.Clean(strings.Join(u.plan.Others, ", ")))
	}
}

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
		doc.Role, doc.Equal = &ref, u.looked && len(u.plan.Policies) == 0
	}
	for i, p := range u.plan.Policies {
		one := updatePolicyJSON{Name: p.Name, ARN: p.ARN, Digest: p.After.Digest(), Characters: p.After.Characters(),
			Restored: p.Restore, Edited: p.Edited, Updated: i < u.done, Difference: policies.DiffOf(p.Difference)}
		if !one.Updated {
			one.Restored = ""
		} else {
			one.Dropped = p.Drop
		}
		doc.Policies = append(doc.Policies, one)
	}
	doc.Updated = u.done > 0 && u.done == len(u.plan.Policies)
	return doc
}
