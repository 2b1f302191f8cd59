package prove

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/aws/audit"
	"rolecall/aws/evidence"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/report"
)

// auditJSON is what verify --all prints with --format json.
type auditJSON struct {
	AccountID string         `json:"account_id"`
	Roles     []audit.Role   `json:"roles"`
	Looked    int            `json:"looked_at"` // roles of the account, also those that are not shown
	Wrong     int            `json:"not_as_required"`
	Notes     []string       `json:"notes"`
	Evidence  *evidenceJSON  `json:"evidence,omitempty"`
	Error     *cli.ErrorJSON `json:"error,omitempty"`
}

// verifyAll is one run of verify --all.
type verifyAll struct {
	surroundings
	flags *verifyFlags
}

// checkAll refuses what cannot be meant together with --all.
func (f *verifyFlags) checkAll(a *cli.App) error {
	if err := a.CheckFormat(&f.format, "text", "json", "csv", "html", "markdown"); err != nil {
		return err
	}
	if !f.all {
		if f.format != "text" && f.format != "json" {
			return cli.Usage("--format "+f.format+" goes with --all.", "--format json, or --all", "Add --all, or leave out --format.")
		}
		a.JSON = f.format == "json"
		return nil
	}
	a.JSON = f.format == "json"
	given := []struct {
		flag  string
		given bool
	}{{"--role", f.Role != ""}, {"--user", f.user != ""}, {"--receipt", f.receipt != ""}, {"--external-id", f.Connect.Given("external-id")},
		{"--products", f.Connect.Given("products")}}
	for _, one := range given {
		if one.given {
			return cli.Usage(one.flag+" says what one role has to be, and --all looks at every role.", "--all alone", "Leave out one of them.")
		}
	}
	return nil
}

// verifyEvery shows every role that lets in a vendor or a stranger.
func verifyEvery(ctx context.Context, a *cli.App, f *verifyFlags) error {
	until := a.Env.Now().Add(f.wait)
	if err := a.CheckCommon(); err != nil {
		return err
	}
	if err := f.checkEvidence(a); err != nil {
		return err
	}
	v := &verifyAll{surroundings: surroundings{app: a}, flags: f}
	if err := v.load(f.Connect.Text("vendor")); err != nil {
		return err
	}
	source, err := v.open(ctx)
	if err != nil {
		return err
	}
	view, pasted := source.(*evidence.View)
	out, err := lookUntil(ctx, a.Env, until, func() (*report.Roles, bool, error) {
		r, err := v.look(ctx, source)
		return r, err == nil && r.Wrong() == 0, err
	})
	if err != nil {
		return f.contradicted(err)
	}
	partial := pasted && !view.Whole()
	if partial {
		out.Notes = append(out.Notes, "The evidence does not list all roles of the account: those that it does not show may let others in.")
	}
	return v.print(out, partial, evidenceOf(source, nil))
}

// open finds out which account is looked at, and what stands around it.
func (v *verifyAll) open(ctx context.Context) (aws.Sweeper, error) {
	a := v.app
	v.known.Now = a.Env.Now()
	if v.flags.evidence != "" {
		return v.openEvidence(ctx)
	}
	account, err := aws.Open(ctx, a.AWSOptions(a.Profile, v.flags.Connect.Text("partition"), a.AskCode()))
	if err != nil {
		return nil, err
	}
	identity, err := account.Identity(ctx)
	if err != nil {
		return nil, err
	}
	v.known.Partition, v.known.Account = identity.Partition, identity.AccountID
	v.know()
	return account, v.readOrganization(ctx, account)
}

func (v *verifyAll) openEvidence(ctx context.Context) (aws.Sweeper, error) {
	a := v.app
	v.known.Partition, v.known.Account = cmp.Or(v.flags.Connect.Text("partition"), "aws"), a.Account
	v.know()
	// An account that nobody named is that of each role as it comes; it is the same
	// for all of one listing.
	keep := func(role aws.Role) bool {
		if arn, ok := aws.SplitARN(role.ARN); ok && v.known.Account == "" {
			v.known.Partition, v.known.Account = arn.Partition, arn.AccountID
			v.know()
		}
		return v.known.Outside(role)
	}
	view, err := v.flags.readEvidence(ctx, a, evidence.Ask{AccountID: a.Account, Partition: v.known.Partition, Now: v.known.Now, Keep: keep})
	if err != nil {
		return nil, err
	}
	if v.known.Account == "" {
		return nil, cli.Usage("The evidence shows no role.", "the output of aws iam get-account-authorization-details",
			"Paste it whole: aws iam get-account-authorization-details --filter Role LocalManagedPolicy AWSManagedPolicy --output json.")
	}
	sayEvidence(a, view)
	v.note("The evidence does not tell which accounts are of the same organization: all count as strangers.")
	return view, nil
}

// look goes through the account once.
func (v *verifyAll) look(ctx context.Context, source aws.Sweeper) (*report.Roles, error) {
	sweep, err := source.Sweep(ctx, v.known.Outside)
	if err != nil {
		return nil, err
	}
	out := &report.Roles{Account: v.known.Account, Total: sweep.Total, Titles: map[string]string{}, Notes: slices.Clone(v.notes)}
	for _, vendor := range v.known.Vendors {
		out.Titles[vendor.Name] = vendor.Title
	}
	if sweep.Refusal != nil {
		out.Notes = append(
			out.Notes,
			"iam:GetAccountAuthorizationDetails is not allowed: each role was read by requests of its own, which takes longer.",
		)
	}
	auditor := audit.Auditor{Known: v.known}
	for _, seen := range sweep.Roles {
		out.Roles = append(out.Roles, auditor.Judge(seen))
	}
	return out, nil
}

// print writes the audit. What is not as required is exit 3, whatever the
// format, and so is an audit of some of the roles, which shows nothing of the rest.
func (v *verifyAll) print(r *report.Roles, partial bool, e *evidenceJSON) error {
	a := v.app
	document := auditJSON{AccountID: r.Account, Roles: r.Roles, Looked: r.Total, Wrong: r.Wrong(), Notes: r.Notes, Evidence: e}
	if document.Roles == nil {
		document.Roles = []audit.Role{}
	}
	if document.Notes == nil {
		document.Notes = []string{}
	}
	for _, note := range r.Notes {
		a.Say("%s", note)
	}
	write := map[string]func() error{
		"text": func() error {
			var b strings.Builder
			_ = report.RolesText(&b, r) // a builder takes everything
			return a.Out().Text(b.String())
		},
		"csv":      func() error { return report.RolesCSV(a.Env.Stdout, r) },
		"html":     func() error { return report.RolesHTML(a.Env.Stdout, r) },
		"markdown": func() error { return report.RolesMarkdown(a.Env.Stdout, r) },
	}[v.flags.format]
	if write != nil {
		if err := write(); err != nil {
			return err
		}
	}
	if document.Wrong == 0 && !partial {
		if a.JSON {
			a.WriteJSON(document)
		}
		return nil
	}
	problem := screen.Problem{What: "rolecall cannot tell whether all roles are as required: the evidence does not list them all.",
		Expected: "a list of all roles of the account",
		Next:     "Paste all of: aws iam get-account-authorization-details --filter Role LocalManagedPolicy AWSManagedPolicy --output json.",
		Kind:     screen.NotAsNeeded}
	if document.Wrong > 0 {
		problem = unfitRoles(r)
	}
	return &cli.Failure{Err: &screen.Fault{Problem: problem}, Document: func(e *cli.ErrorJSON) any {
		document.Error = e
		return document
	}}
}

// unfitRoles says which roles are not as required.
func unfitRoles(r *report.Roles) screen.Problem {
	var first *audit.Role
	for i := range r.Roles {
		if !r.Roles[i].OK && first == nil {
			first = &r.Roles[i]
		}
	}
	p := screen.Problem{
		What:     fmt.Sprintf("%s that others get into are not as required, %s among them.", screen.Counted(r.Wrong(), "role"), first.ARN),
		Expected: "vendors under their external ID or by tokens about one subject, and nobody else",
		Next: "Look at what each is marked for, and correct its trust policy. Whose account a stranger's is, a vendor file can tell: " +
			"rolecall vendors schema.",
		Kind: screen.NotAsNeeded,
	}
	if r.Wrong() == 1 {
		p.What = "The role " + first.ARN + ", which others get into, is not as required."
	}
	return p
}
