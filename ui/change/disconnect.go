package change

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/undo"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/sessions"
)

// DisconnectCommand is rolecall disconnect.
func DisconnectCommand(a *cli.App) *cobra.Command {
	var yes bool
	wait := cli.DefaultWait
	cmd := &cobra.Command{
		Use:   "disconnect [SESSION]",
		Short: "Remove what rolecall made and can prove it made",
		Long: "disconnect shows what the receipt of a session lists, and removes what rolecall made and nobody changed since: " +
			"the immutable ID and the digest of each thing are compared just before it is deleted. What differs stays, and is named. " +
			"Without a session it takes the newest receipt with something left, and stops where one cannot be read, since that could be the one. " +
			"Each request is journalled before and after. Interrupted in the middle, it goes on when it is run again. " +
			"The vendor's account is never deleted. Exit 0: all of it is gone; 3: something stays.",
		Example:           "  rolecall disconnect\n  rolecall disconnect 260131-7k2m --yes --json",
		Args:              cli.UpToOne,
		ValidArgsFunction: sessions.Complete(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return disconnect(cmd.Context(), a, args, yes, wait) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "remove without asking")
	cmd.Flags().DurationVar(&wait, "wait", cli.DefaultWait, "how long AWS may take for all of it")
	return cmd
}

// disconnectJSON is what disconnect prints with --json.
type disconnectJSON struct {
	Session       string         `json:"session"`
	AccountID     string         `json:"account_id"`
	Items         []undo.Removal `json:"items"` // in the order of their removal
	Done          bool           `json:"done"`  // nothing that rolecall made is left
	VendorAccount string         `json:"vendor_account,omitempty"`
	VendorPage    string         `json:"vendor_page,omitempty"` // where the person removes the vendor's account
	Rehearsal     bool           `json:"rehearsal,omitempty"`
	Error         *cli.ErrorJSON `json:"error,omitempty"`
}

// undoing is one run of disconnect.
type undoing struct {
	app     *cli.App
	store   *record.Store
	door    sessions.Door
	remover *undo.Remover
	plan    []undo.Removal
	vendor  *describe.Vendor // nil when its description is gone
	budget  cli.Budget
}

func disconnect(ctx context.Context, a *cli.App, args []string, yes bool, wait time.Duration) error {
	if err := cli.CheckWait(wait); err != nil {
		return err
	}
	if !yes && (a.JSON || !a.Env.StdinTTY) {
		return cli.Usage("disconnect asks before it removes anything, and nobody can be asked here.", "a terminal, or --yes",
			"Add --yes to remove without being asked. Nothing was removed.")
	}
	if err := a.CheckCommon(); err != nil {
		return err
	}
	store, err := a.Store()
	if err != nil {
		return err
	}
	receipt, err := pickReceipt(store, args)
	if err != nil {
		return err
	}
	u := &undoing{
		app:     a,
		store:   store,
		remover: &undo.Remover{Ledger: store.Ledger(receipt.Session), Receipt: receipt, Now: a.Env.Now, After: a.Env.After},
	}
	u.vendor, _ = steps.Library().Load(receipt.Vendor) // its words are a help; a vendor file may be gone
	if receipt.Rehearsal {
		return u.ofRehearsal()
	}
	if err := u.prepare(); err != nil {
		return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any { return u.document(e) }}
	}
	defer u.door.Release()
	u.budget = cli.Budget{Wait: wait, Next: "Go on later: rolecall disconnect " + receipt.Session + ", or give it longer: --wait 10m."}
	err = u.run(ctx, yes)
	if err == nil && u.door.Open != nil {
		err = u.door.Open.Save(u.door.Answers.Disconnected())
	}
	if errors.Is(err, cli.ErrCancelled) && ctx.Err() != nil {
		a.Say("Interrupted. Go on: rolecall disconnect %s", receipt.Session)
	}
	if err != nil {
		return &cli.Failure{Err: err, Document: func(e *cli.ErrorJSON) any { return u.document(e) }}
	}
	if a.JSON {
		a.WriteJSON(u.document(nil))
	}
	return nil
}

// prepare takes the session's lock and journal, and reads what the other
// sessions made: what two receipts claim, neither proves.
func (u *undoing) prepare() (err error) {
	receipt := u.remover.Receipt
	if u.remover.Others, err = otherReceipts(u.app, u.store); err != nil {
		return err
	}
	u.door, err = sessions.OpenDoor(u.app, u.store, receipt.Session, receipt.Rehearsal, "disconnect")
	u.remover.Journal, u.remover.Resumes = u.door.Journal, u.door.Open != nil
	return err
}

// otherReceipts are those of all sessions, as far as they can be read.
func otherReceipts(a *cli.App, store *record.Store) ([]record.Receipt, error) {
	listed, err := store.ListReceipts()
	var others []record.Receipt
	for _, one := range listed {
		switch {
		case one.Err != nil:
			a.Say("%s It is left out here.", draw.Clean(cli.ProblemOf(one.Err).What))
		case !one.Receipt.Rehearsal:
			others = append(others, one.Receipt)
		}
	}
	return others, err
}

// pickReceipt reads the named receipt, or the newest with something left.
func pickReceipt(store *record.Store, args []string) (record.Receipt, error) {
	if len(args) == 1 {
		r, err := store.Receipt(args[0])
		if errors.Is(err, fs.ErrNotExist) && store.HasSession(args[0]) {
			return r, noReceipt(store, args[0])
		}
		if err == nil && r.Method == record.MethodOrganisation {
			err = cli.Usage("Session "+args[0]+" connected an organization.", "a session on one account", "Remove its stacks: rolecall org remove.")
		}
		return r, err
	}
	all, err := store.ListReceipts()
	if err != nil {
		return record.Receipt{}, err
	}
	var left []record.Receipt
	for _, one := range all {
		if one.Err != nil {
			err = cmp.Or(err, one.Err)
		} else if len(one.Receipt.Outstanding()) > 0 && !one.Receipt.Rehearsal && one.Receipt.Method != record.MethodOrganisation {
			left = append(left, one.Receipt)
		}
	}
	switch {
	case err != nil && len(left) > 0:
		return record.Receipt{}, sessions.AlsoNext(err, "Or name the session that you mean: rolecall disconnect "+left[0].Session+".")
	case err != nil:
		return record.Receipt{}, err
	case len(left) == 0:
		return record.Receipt{}, cli.Usage("There is no receipt with anything left to remove.", "a session in which rolecall made something",
			"What you made by hand, you remove in the AWS console.")
	}
	return left[0], nil
}

// noReceipt says what it means that a session has no receipt: nothing was made,
// or the receipt was taken away.
func noReceipt(store *record.Store, id string) error {
	answers, err := store.Load(id)
	if err != nil {
		return err
	}
	entries, err := store.SessionJournal(id)
	if err != nil {
		return err
	}
	var sent []string
	for _, e := range entries {
		if e.State == record.EntrySent && !slices.Contains(sent, e.Call) {
			sent = append(sent, e.Call)
		}
	}
	if len(sent) == 0 || answers.Method == "manual" {
		return cli.Usage("Session "+id+" made nothing in AWS, so there is nothing to remove.", "a session whose policy and role rolecall made",
			"What you made by hand, you remove in the AWS console.")
	}
	return &screen.Fault{Problem: screen.Problem{
		What: "Session " + id + " has no receipt, so nothing is proven to be its own. Its journal says that it sent: " +
			strings.Join(sent, ", ") + ".",
		Expected: "the receipt, if any of this made something in AWS",
		Next:     "Put the receipt back from a backup. Or have rolecall look what is there: rolecall resume " + id + ".",
	}}
}

// ofRehearsal says that there is nothing to remove: the account is gone.
func (u *undoing) ofRehearsal() error {
	u.app.Say("Session %s was a rehearsal. Its account ended with it: there is nothing to remove.", u.remover.Receipt.Session)
	if u.app.JSON {
		u.app.WriteJSON(u.document(nil))
	}
	return nil
}

func (u *undoing) run(ctx context.Context, yes bool) error {
	err := u.budget.Within(ctx, func(ctx context.Context) (err error) {
		if err := u.signIn(ctx); err != nil {
			return err
		}
		u.plan, err = u.remover.Plan(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if !u.app.JSON {
		u.show()
	}
	going := slices.ContainsFunc(u.plan, func(r undo.Removal) bool { return r.Verdict == undo.Remove })
	if going && !yes {
		agreed, err := u.app.Agree(ctx, "Remove these from account "+screen.Grouped(u.remover.Receipt.AccountID)+"? y or n")
		if err != nil {
			return err
		}
		if !agreed {
			u.app.Say("Nothing was removed.")
			return cli.ErrCancelled
		}
	}
	if err := u.budget.Within(ctx, u.carryOut); err != nil {
		return err
	}
	return u.verdict()
}

// signIn opens the account of the receipt and refuses every other.
func (u *undoing) signIn(ctx context.Context) error {
	account, identity, err := signInTo(ctx, u.app, u.remover.Receipt)
	if err != nil {
		return err
	}
	if err := sameEndpoint(account, u.remover.Receipt); err != nil {
		return err
	}
	u.remover.Account, u.remover.By = account, identity.ARN
	u.door.Journal.SetBy(identity.ARN)
	return nil
}

// signInTo opens the account in which a session made its things, and refuses every
// other.
func signInTo(ctx context.Context, a *cli.App, r record.Receipt) (*aws.Account, aws.Identity, error) {
	if a.Account != "" && a.Account != r.AccountID {
		return nil, aws.Identity{}, cli.Usage("--aws-account is "+a.Account+".",
			"account "+r.AccountID+", in which session "+r.Session+" made its things", "Correct or leave out --aws-account.")
	}
	a.Account = r.AccountID
	profile := a.Profile
	if profile == "" {
		profile = r.Profile
	}
	if a.Region == "" {
		a.Region = r.Region
	}
	account, err := aws.Open(ctx, a.AWSOptions(profile, r.Partition, a.AskCode()))
	if err != nil {
		return nil, aws.Identity{}, err
	}
	identity, err := account.Identity(ctx)
	return account, identity, err
}

// sameEndpoint refuses another place than the one where a session made its things.
func sameEndpoint(account *aws.Account, r record.Receipt) error {
	if account.Endpoint() != r.Endpoint {
		return &screen.Fault{Problem: screen.Problem{
			What: "Requests go to " + endpointName(account.Endpoint()) + ", and this session made its things at " +
				endpointName(r.Endpoint) + ".",
			Expected: "the same endpoint: elsewhere everything would look removed",
			Next:     "Set or unset AWS_ENDPOINT_URL, or the profile's endpoint_url.", Kind: screen.NotAsNeeded,
		}}
	}
	return nil
}

func endpointName(endpoint string) string {
	if endpoint == "" {
		return "AWS"
	}
	return endpoint
}

// show prints the plan.
func (u *undoing) show() {
	a, r := u.app, u.remover.Receipt
	a.Print("Session %s · account %s · made %s", draw.Clean(r.Session), screen.Grouped(r.AccountID),
		r.Created.Local().Format("2006-01-02 15:04"))
	if len(u.plan) == 0 {
		a.Print("  Nothing that rolecall made is left.")
	}
	for _, one := range u.plan {
		u.say(one)
	}
}

// say writes one line of plan or outcome, with the reason under it.
func (u *undoing) say(one undo.Removal) {
	u.app.Print("  %-8s %s %s", one.Verdict, one.Kind, draw.Clean(one.Label()))
	if id := one.ID; id != "" && one.Verdict != undo.Removed {
		if one.ARN != "" && one.ARN != id { // a stack's ID is its ARN
			id += " · " + one.ARN
		}
		u.app.Print("           %s", draw.Clean(id))
	}
	for _, line := range []string{one.Why, one.Next} {
		if line != "" {
			u.app.Print("           %s", draw.Clean(line))
		}
	}
}

// carryOut removes one thing after the other. Each removal is on record before
// the next one begins.
func (u *undoing) carryOut(ctx context.Context) error {
	for i := range u.plan {
		if u.plan[i].Verdict == undo.Stays {
			continue
		}
		if ctx.Err() != nil {
			return cli.ErrCancelled
		}
		planned := u.plan[i].Verdict
		one, err := u.remover.Remove(ctx, u.plan[i].Item)
		if ctx.Err() != nil && err != nil {
			return cli.ErrCancelled
		}
		if err != nil {
			u.app.Say("Go on later: rolecall disconnect %s", u.remover.Receipt.Session)
			return err
		}
		u.plan[i] = one
		if !u.app.JSON && one.Verdict != planned {
			u.say(one)
		}
	}
	return nil
}

// verdict says what is left, and where the vendor's side is removed.
func (u *undoing) verdict() error {
	u.sayVendor()
	var kept []string
	for _, one := range u.plan {
		if one.Verdict == undo.Stays {
			kept = append(kept, string(one.Kind)+" "+one.Label())
		}
	}
	if len(kept) == 0 {
		if len(u.plan) > 0 {
			u.app.Say("Everything that this session made in AWS is gone.")
		}
		return nil
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     "Not everything was removed: " + strings.Join(kept, ", ") + " stays.",
		Expected: "things that are as rolecall made them",
		Next: "Read above why. Remove by hand what is not needed any more, then run rolecall disconnect " +
			u.remover.Receipt.Session + " again.",
		Kind: screen.NotAsNeeded,
	}}
}

// sayVendor names the vendor's account, which rolecall never deletes.
func (u *undoing) sayVendor() {
	account := u.remover.Receipt.VendorAccount
	if account == "" || u.vendor == nil {
		return
	}
	line := u.vendor.Account.Label + " " + account + " is still there: rolecall never deletes it."
	u.app.Say("%s", draw.Clean(line))
	if page := u.vendorPage(); page != "" {
		u.app.Say("Remove it there:\n  %s", draw.Clean(page))
	}
}

func (u *undoing) vendorPage() string {
	if u.vendor == nil {
		return ""
	}
	return u.vendor.Links.Remove
}

func (u *undoing) document(e *cli.ErrorJSON) disconnectJSON {
	r := u.remover.Receipt
	doc := disconnectJSON{Session: r.Session, AccountID: r.AccountID, Items: u.plan, VendorAccount: r.VendorAccount,
		VendorPage: u.vendorPage(), Rehearsal: r.Rehearsal, Error: e}
	if doc.Items == nil {
		doc.Items = []undo.Removal{}
	}
	doc.Done = e == nil
	return doc
}
