package change

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/migrate"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/sessions"
)

// migrateFlags are the flags of migrate.
type migrateFlags struct {
	access, method       string
	externalID, roleName string
	stackName            string
	deleteAfter          string
	handedOver, used     bool
	acknowledged, yes    bool
	wait                 time.Duration

	days int // of deleteAfter
}

// MigrateCommand is rolecall migrate.
func MigrateCommand(a *cli.App) *cobra.Command {
	f := &migrateFlags{}
	cmd := &cobra.Command{
		Use:   "migrate SESSION",
		Short: "Turn a user into a role, or take a role into a stack and out of it",
		Long: "migrate changes how a connection is made, and keeps it working meanwhile. --access role makes the role that takes the place " +
			"of an IAM user, proves it, and has you hand it over; only then is the user's access key deactivated, and from a named day on the " +
			"same command deletes the user. --method automatic has CloudFormation take over the role as it is (a change set that imports), and " +
			"--method manual deletes the stack and keeps the role. A role is never made anew, and its trust policy never changed. What no receipt " +
			"proves to be rolecall's is left alone. Each step is shown and asked for. Interrupted, it goes on when it is run again. " +
			"Exit 0: done; 3: something is not as it has to be, or the hand-over is still open.",
		Example: "  rolecall migrate 260131-7k2m --access role --external-id octo-org\n" +
			"  rolecall migrate 260131-7k2m --method automatic",
		Args:              cli.ExactlyOne,
		ValidArgsFunction: sessions.Complete(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return runMigrate(cmd.Context(), a, f, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.access, "access", "", "what the vendor gets afterwards: role")
	flags.StringVar(&f.method, "method", "", "automatic: into a CloudFormation stack; manual: out of it")
	flags.StringVar(&f.externalID, "external-id", "", "the role's external ID, where the vendor's page tells it")
	flags.StringVar(&f.roleName, "role-name", "", "name of the role (default: as the vendor suggests)")
	flags.StringVar(&f.stackName, "stack-name", "", "name of the stack (default: from the vendor's name)")
	flags.StringVar(&f.deleteAfter, "delete-after", "7d", "days between deactivating the key and deleting the user: 1d to 365d")
	flags.BoolVar(&f.handedOver, "handed-over", false, "you say that the vendor has the role now")
	flags.BoolVar(&f.used, "although-used", false, "deactivate a key that was used since the role was handed over")
	flags.BoolVar(&f.acknowledged, "acknowledge-iam-capabilities", false, "acknowledge that CloudFormation manages IAM resources")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	flags.DurationVar(&f.wait, "wait", cli.DefaultWait, "how long AWS may take for all of it")
	return cmd
}

// migrateJSON is what migrate prints with --json.
type migrateJSON struct {
	Session   string               `json:"session"`
	AccountID string               `json:"account_id"`
	Vendor    string               `json:"vendor"`
	Access    string               `json:"access"` // as the connection is now
	Method    string               `json:"method"`
	Done      bool                 `json:"done"`
	State     string               `json:"state"` // see the manual, "Methods"
	Roles     []migrateRoleJSON    `json:"roles"`
	Planned   []string             `json:"planned"` // what was still to do when it was looked at
	Keys      []migrateKeyJSON     `json:"keys,omitempty"`
	HandedAt  *time.Time           `json:"handed_over,omitempty"`
	DeleteOn  string               `json:"delete_from,omitempty"` // a day, in UTC: "2026-02-07"
	Removed   []migrateRemovedJSON `json:"removed,omitempty"`
	Stack     *migrateStackJSON    `json:"stack,omitempty"`
	Checks    []aws.Check          `json:"checks"`
	Error     *cli.ErrorJSON       `json:"error,omitempty"`
}

type migrateRoleJSON struct {
	Purpose string `json:"purpose"`
	ARN     string `json:"arn"`
	ID      string `json:"id"`
}

type migrateStackJSON struct {
	Name string `json:"name"`
	ID   string `json:"id,omitempty"`
}

// The states of a migration, as scripts read them.
const (
	statePlanned     = "planned"
	stateRoleProven  = "role-proven" // and not said to be handed over
	stateHandedOver  = "handed-over"
	stateDeactivated = "key-deactivated"
	stateDone        = "done"
)

// migrating is one run of migrate.
type migrating struct {
	app    *cli.App
	flags  *migrateFlags
	store  *record.Store
	door   sessions.Door
	m      *migrate.Migration
	budget cli.Budget
	doc    migrateJSON
}

func runMigrate(ctx context.Context, a *cli.App, f *migrateFlags, id string) error {
	if err := f.check(a); err != nil {
		return err
	}
	store, err := a.Store()
	if err != nil {
		return err
	}
	u := &migrating{app: a, flags: f, store: store, budget: cli.Budget{Wait: f.wait,
		Next: "Run it again: it goes on where it stopped. Or give it longer: --wait 10m."}}
	u.doc = migrateJSON{Session: id, State: statePlanned, Roles: []migrateRoleJSON{}, Planned: []string{}, Checks: []aws.Check{}}
	err = u.run(ctx, id)
	if u.door.Release != nil {
		u.door.Release()
	}
	if errors.Is(err, cli.ErrCancelled) && ctx.Err() != nil {
		a.Say("Interrupted. Go on: run the same command again.")
	}
	if err != nil {
		return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any {
			u.doc.Error = e
			return u.doc
		}}
	}
	if a.JSON {
		a.WriteJSON(u.doc)
	}
	return nil
}

// check refuses flags that cannot be meant, before anything is read.
func (f *migrateFlags) check(a *cli.App) error {
	if err := a.CheckCommon(); err != nil {
		return err
	}
	if err := cli.CheckWait(f.wait); err != nil {
		return err
	}
	switch {
	case (f.access == "") == (f.method == ""):
		return cli.Usage("migrate takes one of two flags.", "--access role, or --method automatic or manual",
			"Say what the connection is to become.")
	case f.access != "" && f.access != describe.AccessRole:
		return cli.Usage("--access is "+draw.Clean(f.access)+".", "role: nothing is turned into a user with a key", "Use --access role.")
	case f.method != "" && f.method != describe.Automatic && f.method != describe.Manual:
		return cli.Usage("--method is "+draw.Clean(f.method)+".", "automatic or manual", "Correct --method.")
	}
	if f.roleName != "" {
		if err := aws.CheckRoleName(f.roleName); err != nil {
			return cli.FlagRefused("--role-name", err)
		}
	}
	if f.stackName != "" {
		if err := aws.CheckStackName(f.stackName); err != nil {
			return cli.FlagRefused("--stack-name", err)
		}
	}
	if f.access != "" && (f.stackName != "" || f.acknowledged) {
		return cli.Usage("--stack-name and --acknowledge-iam-capabilities are about a stack, and --access role makes none.",
			"flags that say one thing",
			"Leave them out, or use --method automatic.")
	}
	if f.method != "" && (f.externalID != "" || f.roleName != "" || f.handedOver || f.used) {
		return cli.Usage("--method changes nothing about the role: --external-id, --role-name, --handed-over and --although-used do not fit.",
			"flags that say one thing", "Leave them out, or use --access role.")
	}
	days, err := strconv.Atoi(strings.TrimSuffix(f.deleteAfter, "d"))
	if err != nil || !strings.HasSuffix(f.deleteAfter, "d") || days < 1 || days > 365 {
		return cli.Usage("--delete-after is "+draw.Clean(f.deleteAfter)+".", "a number of days from 1d to 365d", "Correct --delete-after.")
	}
	f.days = days
	if !f.yes && (a.JSON || !a.Env.StdinTTY) {
		return cli.Usage("migrate asks before it changes anything, and nobody can be asked here.", "a terminal, or --yes",
			"Add --yes to migrate without being asked. Nothing was changed.")
	}
	if f.method == describe.Automatic && f.yes && !f.acknowledged {
		return cli.Usage("CloudFormation wants the acknowledgement that it manages IAM resources, and --yes does not give it.",
			"--acknowledge-iam-capabilities", "Add it. Nothing was changed.")
	}
	return nil
}

// run opens the session and signs in, then does what was asked for.
func (u *migrating) run(ctx context.Context, id string) error {
	if err := u.open(id); err != nil {
		return err
	}
	if err := u.prepare(); err != nil {
		return err
	}
	s := u.m.Session
	u.doc.AccountID, u.doc.Vendor, u.doc.Access, u.doc.Method = s.AccountID, s.Answers.Vendor, u.door.Answers.Access, u.door.Answers.Method
	if err := u.budget.Within(ctx, u.signIn); err != nil {
		return err
	}
	switch {
	case u.flags.access != "":
		return u.toRole(ctx)
	case u.flags.method == describe.Automatic:
		return u.intoStack(ctx)
	}
	return u.outOfStack(ctx)
}

// open takes the session's lock, and reads what it decided and made. Of a session
// that was removed, the receipt is enough.
func (u *migrating) open(id string) error {
	receipt, err := pickReceipt(u.store, []string{id})
	none := errors.Is(err, fs.ErrNotExist) || err != nil && u.store.HasSession(id) && cli.ProblemOf(err).Kind == screen.Usage &&
		receipt.Method != record.MethodOrganisation
	switch {
	case none && u.store.HasSession(id): // what a person made by hand is in no receipt
		receipt = record.Receipt{}
	case err != nil:
		return err
	}
	if receipt.Rehearsal {
		return rehearsed(id)
	}
	if u.door, err = sessions.OpenDoor(u.app, u.store, id, false, "migrate"); err != nil {
		return err
	}
	if u.door.Open == nil {
		u.door.Answers = record.Answers{ID: receipt.Session, Vendor: receipt.Vendor, VendorAccount: receipt.VendorAccount, Method: receipt.Method,
			Access: receipt.Access, Partition: receipt.Partition, AccountID: receipt.AccountID, Profile: receipt.Profile, Region: receipt.Region}
	}
	u.m = &migrate.Migration{Ledger: u.store.Ledger(id), Journal: u.door.Journal, Receipt: receipt, Resumes: u.door.Open != nil,
		Now: u.app.Env.Now, After: u.app.Env.Alarm}
	u.m.Others, err = otherReceipts(u.app, u.store)
	return err
}

func rehearsed(id string) error {
	return cli.Usage("Session "+id+" was a rehearsal. Its account ended with it: there is nothing to migrate.", "a session in an AWS account",
		"List them: rolecall sessions list.")
}

// prepare makes the session again, as the connection is to be afterwards.
func (u *migrating) prepare() error {
	a, f, answers := u.app, u.flags, u.door.Answers
	if answers.AccountID == "" {
		return cli.Usage("Session "+answers.ID+" knows no AWS account yet.", "a session that connected an account",
			"Go on with it: rolecall resume "+answers.ID+".")
	}
	if f.access != "" && answers.Access != describe.AccessRole { // a role that is there may be in a stack
		answers.Access, answers.Method = describe.AccessRole, describe.Direct
	}
	s, err := sessions.Resumed(a, answers)
	if err != nil {
		return err
	}
	if s.Vendor == nil || len(s.Request().Needed()) == 0 {
		return cli.Usage("What session "+answers.ID+" connects gets no role.", "a vendor that gets a role", "See rolecall vendors list.")
	}
	if f.method != "" && answers.Access == describe.AccessUser {
		return cli.Usage("Session "+answers.ID+" made an IAM user, and a stack holds a role.", "a connection with a role",
			"Turn the user into a role first: rolecall migrate "+answers.ID+" --access role.")
	}
	s.Unattended, s.Ledger, s.Journal = true, u.m.Ledger, u.m.Journal
	u.m.Session = s
	if u.m.Receipt.Session == "" {
		u.m.Receipt = s.ReceiptHead()
		u.m.Receipt.Access, u.m.Receipt.Method = u.door.Answers.Access, u.door.Answers.Method
	}
	return nil
}

func (u *migrating) signIn(ctx context.Context) error {
	account, identity, err := signInTo(ctx, u.app, u.m.Receipt)
	if err == nil && len(u.m.Receipt.Items) > 0 { // else nothing was made, and nothing tells where
		err = sameEndpoint(account, u.m.Receipt)
	}
	if err != nil {
		return err
	}
	s := u.m.Session
	s.AWS, s.Endpoint, s.Seen.Identity = account, account.Endpoint(), &identity
	u.m.Account, u.m.By = account, identity.ARN
	u.m.Receipt.Region, u.m.Receipt.Endpoint = account.Region(), account.Endpoint()
	u.door.Journal.SetBy(identity.ARN)
	return nil
}

// agree asks one question; with --yes nobody is asked.
func (u *migrating) agree(ctx context.Context, question string) error {
	if u.flags.yes {
		return nil
	}
	agreed, err := u.app.Agree(ctx, draw.Clean(question)+" y or n")
	if err == nil && !agreed {
		u.app.Say("Nothing more was changed.")
		err = cli.ErrCancelled
	}
	return err
}

// say prints a line of the plan for people; scripts have it in the document.
func (u *migrating) say(format string, args ...string) {
	if !u.app.JSON {
		u.app.Print("%s", cleaned(format, args))
	}
}

// talk says a line to whoever is there.
func (u *migrating) talk(format string, args ...string) { u.app.Say("%s", cleaned(format, args)) }

// cleaned fills cleaned texts into a line: they may come from AWS or a file.
func cleaned(format string, args []string) string {
	clean := make([]any, len(args))
	for i, arg := range args {
		clean[i] = draw.Clean(arg)
	}
	return fmt.Sprintf(format, clean...)
}

func (u *migrating) planned(text string) {
	u.doc.Planned = append(u.doc.Planned, draw.Clean(text))
	u.say("  %s", text)
}

func (u *migrating) heading() {
	u.say("Session %s · account %s", u.doc.Session, screen.Grouped(u.doc.AccountID))
}

// tell puts the roles that were proven into the document.
func (u *migrating) tell(roles []migrate.Proven) {
	u.doc.Roles, u.doc.Checks = []migrateRoleJSON{}, []aws.Check{}
	for _, one := range roles {
		u.doc.Roles = append(u.doc.Roles, migrateRoleJSON{one.Purpose, one.Role.ARN, one.Role.ID})
		u.doc.Checks = append(u.doc.Checks, one.Report.Checks...)
	}
}

// keep saves what the connection is now, where the session is still there, and
// says so in the receipt.
func (u *migrating) keep(roles []migrate.Proven, change func(*record.Answers)) error {
	s := u.m.Session
	for _, one := range roles {
		policies := s.PoliciesOf(one.Purpose, &one.Role)
		s.SetPart(one.Purpose, func(p *record.Part) {
			p.RoleARN, p.RoleID, p.RoleName, p.Policies, p.Needed = one.Role.ARN, one.Role.ID, one.Role.Name, policies, true
		})
	}
	change(&s.Answers)
	u.m.Receipt.Access, u.m.Receipt.Method = s.Access, s.Method
	u.doc.Access, u.doc.Method = s.Access, s.Method
	if err := u.m.Ledger.Rename(u.m.Receipt); err != nil {
		return err
	}
	if u.door.Open == nil {
		return nil
	}
	return u.door.Open.Save(s.Answers)
}
