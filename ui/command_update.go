package ui

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/update"
	"rolecall/ui/draw"
)

func (a *app) updateCommand() *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Bring a role's policy to what the vendor needs now",
		Long: "update compares what a role's policies grant with what the vendor's description wants now, shows the difference, and " +
			"after your yes writes it: as a new version of the managed policy, or into the inline policy. What was chosen when the role " +
			"was connected (products, regions, tag) is taken from its session where there is one. It changes neither the trust policy nor " +
			"what belongs to a CloudFormation stack. Exit 0: the role grants what is wanted; 3: rolecall cannot update it.",
		Example: "  rolecall update\n  rolecall update --role arn:aws:iam::123456789012:role/Spot-Role --yes --json",
		Args:    a.noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.update(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	c := &f.connect
	c.given, c.wait = flags.Changed, defaultWait
	flags.StringVar(&c.vendor, "vendor", "", "vendor: a name, or a file such as ./acme.yaml")
	flags.StringVar(&f.role, "role", "", "name or ARN of the role (default: the name that the vendor suggests)")
	flags.StringVar(&c.partition, "partition", "", "aws, aws-cn or aws-us-gov (default: that of the credentials)")
	flags.StringVar(&c.trustedAccount, "trusted-account", "", "the vendor's AWS account, where rolecall does not know it")
	flags.StringSliceVar(&c.products, "products", nil, "products and integrations: a,b/c (default: as when it was connected)")
	flags.StringSliceVar(&c.regions, "regions", nil, "regions that the policy is limited to: r1,r2")
	flags.StringVar(&c.restrictTag, "restrict-tag", "", "tag that the policy is limited to: k=v")
	flags.StringVar(&c.policyName, "policy-name", "", "name of the policy to update, where the role has several")
	flags.StringVar(&c.reportBucket, "report-bucket", "", "bucket of the Cost and Usage Report")
	flags.BoolVarP(&c.yes, "yes", "y", false, "update without asking")
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
	Error    *errorJSON         `json:"error,omitempty"`
}

type updatePolicyJSON struct {
	Name       string    `json:"name"`
	ARN        string    `json:"arn,omitempty"` // empty for an inline policy
	Digest     string    `json:"digest"`        // of the document that is wanted
	Characters int       `json:"characters"`    // as IAM counts them
	Dropped    string    `json:"dropped_version,omitempty"`
	Updated    bool      `json:"updated"`
	Difference *diffJSON `json:"difference"`
}

// updating is one run of update.
type updating struct {
	app     *app
	updater *update.Updater
	plan    update.Update
	done    int // policies that were written
	looked  bool
}

func (a *app) update(ctx context.Context, f *verifyFlags) error {
	if err := a.checkCommon(); err != nil {
		return err
	}
	u, err := a.newUpdating(ctx, f)
	if err != nil {
		return err
	}
	if err := u.run(ctx, f); err != nil {
		return &failure{err: err, document: func(e *errorJSON) any { return u.document(e) }}
	}
	if a.json {
		a.writeJSON(u.document(nil))
	}
	return nil
}

// newUpdating checks the flags, signs in and finds out which role is meant.
func (a *app) newUpdating(ctx context.Context, f *verifyFlags) (*updating, error) {
	prepared, role, err := f.wanted()
	if err != nil {
		return nil, err
	}
	if err := f.connect.checkRestriction(prepared.answers.Partition); err != nil {
		return nil, err
	}
	role = f.anyRole(prepared.vendor, role)
	if err := f.checkRole(role); err != nil {
		return nil, err
	}
	prepared.answers.Vendor = describe.Canonical(prepared.answers.Vendor) // as sessions name it
	prepared.answers.Parts = map[string]record.Part{role.Purpose: {PolicyName: f.connect.policyName}}
	prepared.answers.Regions, prepared.answers.RestrictTag = f.connect.regions, f.connect.restrictTag
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	account, err := aws.Open(ctx, a.awsOptions(a.profile, prepared.answers.Partition, a.askCode()))
	if err != nil {
		return nil, err
	}
	identity, err := account.Identity(ctx)
	if err != nil {
		return nil, err
	}
	session := prepared.session(a)
	if session.Partition == "" {
		session.Partition = identity.Partition
	}
	if session.Partition != identity.Partition {
		return nil, usage("--partition is "+session.Partition+", and you are signed in to "+identity.Partition+".", "credentials of that partition", "Correct --partition, or sign in there.")
	}
	session.AccountID, session.Endpoint, session.Region = identity.AccountID, account.Endpoint(), a.region
	return &updating{app: a, updater: &update.Updater{Session: session, Purpose: role.Purpose, Account: account, Store: store, By: identity.ARN}}, f.nameRole(session)
}

// anyRole is the vendor's role of the given name, also one that the default
// products do not need.
func (f *verifyFlags) anyRole(v *describe.Vendor, picked *describe.Role) *describe.Role {
	for i := range v.Roles {
		role := &v.Roles[i]
		if role.Access == describe.AccessRole && f.role != "" && strings.EqualFold(f.role[strings.LastIndex(f.role, "/")+1:], role.RoleName) {
			return role
		}
	}
	return picked
}

// nameRole turns --role into a name, having checked where an ARN points.
func (f *verifyFlags) nameRole(s *step.Session) error {
	if !f.isARN() {
		return nil
	}
	ref, err := aws.ParseRoleARN(f.role, s.Partition, s.AccountID)
	if err != nil {
		return flagRefused("--role", err)
	}
	f.role = ref.Name
	return nil
}

func (u *updating) run(ctx context.Context, f *verifyFlags) error {
	a, s := u.app, u.updater.Session
	id, err := u.updater.Recall(f.role, f.connect.given)
	if err != nil {
		return err
	}
	if id != "" {
		a.say("Products, regions and tag are those of session %s, where no flag says otherwise.", id)
	}
	if len(s.TrustedAccounts(u.updater.Purpose)) == 0 {
		return usage("rolecall does not know "+s.Vendor.Title+"'s account in "+s.Partition+".", "--trusted-account", s.Vendor.Partitions[s.Partition].Why)
	}
	u.plan, err = u.updater.Plan(ctx, f.role)
	if err != nil {
		return err
	}
	u.looked = true
	u.show()
	if len(u.plan.Policies) == 0 {
		return nil
	}
	if err := u.ask(ctx, f.connect.yes); err != nil {
		return err
	}
	for _, p := range u.plan.Policies {
		if ctx.Err() != nil {
			return errCancelled
		}
		if err := u.updater.Apply(ctx, u.plan.Role, p); err != nil {
			return err
		}
		u.done++
		a.say("Updated %s.", draw.Clean(p.Name))
	}
	return nil
}

// ask wants a yes, where no flag gave one.
func (u *updating) ask(ctx context.Context, yes bool) error {
	a := u.app
	if yes {
		return nil
	}
	if a.json || !a.env.StdinTTY {
		return usage("update asks before it changes anything, and nobody can be asked here.", "a terminal, or --yes", "Add --yes to update without being asked. Nothing was changed.")
	}
	agreed, err := a.agree(ctx, fmt.Sprintf("Update %s in account %s? y or n", strings.Join(u.names(), " and "), screen.Grouped(u.updater.Session.AccountID)))
	if err == nil && !agreed {
		a.say("Nothing was changed.")
		err = errCancelled
	}
	return err
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
	if a.json {
		return
	}
	a.print("Role %s", draw.Clean(role.ARN))
	if len(u.plan.Policies) == 0 {
		a.print("  It grants what %s needs. There is nothing to do.", draw.Clean(u.updater.Session.Vendor.Title))
	}
	for _, p := range u.plan.Policies {
		a.print("\n%s · %d of %d characters after the update", draw.Clean(p.Name), p.After.Characters(), limitOf(p.Kind))
		a.print("%s", diffText(diffOf(p.Difference), p.Before, p.After, p.Name+" now", p.Name+" after the update"))
		if p.Drop != "" {
			a.print("IAM keeps five versions: %s, the oldest, is deleted first.", draw.Clean(p.Drop))
		}
	}
	if len(u.plan.Others) > 0 {
		a.print("The role also has %s. rolecall leaves that as it is.", draw.Clean(strings.Join(u.plan.Others, ", ")))
	}
}

func limitOf(kind record.ItemKind) int {
	if kind == record.ItemInline {
		return policy.MaxRoleInline
	}
	return policy.MaxManaged
}

func (u *updating) document(e *errorJSON) updateJSON {
	s := u.updater.Session
	doc := updateJSON{Vendor: s.Answers.Vendor, Session: s.ID, Policies: []updatePolicyJSON{}, Others: u.plan.Others, Error: e}
	if u.plan.Role.Name != "" {
		ref := u.plan.Role.Ref()
		doc.Role, doc.Equal = &ref, u.looked && len(u.plan.Policies) == 0
	}
	for i, p := range u.plan.Policies {
		one := updatePolicyJSON{Name: p.Name, ARN: p.ARN, Digest: p.After.Digest(), Characters: p.After.Characters(), Updated: i < u.done, Difference: diffOf(p.Difference)}
		if one.Updated {
			one.Dropped = p.Drop
		}
		doc.Policies = append(doc.Policies, one)
	}
	doc.Updated = u.done > 0 && u.done == len(u.plan.Policies)
	return doc
}
