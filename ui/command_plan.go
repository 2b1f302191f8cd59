package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"rolecall/policy/review"
	"rolecall/steps/describe"
	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

func (a *app) planCommand() *cobra.Command {
	flags := &connectFlags{}
	var output string
	cmd := &cobra.Command{
		Use:   "plan -o FILE",
		Short: "Write everything that would be created into one file, for review",
		Long: "plan writes every document that connect would create with the same flags: with digest, findings, sizes and names. " +
			"It needs no network and mints nothing: an external ID that is not given stays open. " +
			"A reviewer approves the file with rolecall approve, and connect --plan FILE then creates nothing else.",
		Example: "  rolecall plan --vendor spot -o spot.plan.json\n  rolecall approve spot.plan.json\n  rolecall connect --plan spot.plan.json",
		Args:    a.noArgs,
		RunE:    func(*cobra.Command, []string) error { return a.plan(flags, output) },
	}
	flags.bind(cmd)
	for _, unused := range []string{"yes", "wait", "plan", "secret-file", "replace-role", "acknowledge-iam-capabilities", "account-name"} {
		_ = cmd.Flags().MarkHidden(unused) // the flag exists: bind made it
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write; - prints the plan")
	return cmd
}

func (a *app) plan(flags *connectFlags, output string) error {
	if output == "" && !a.json {
		return usage("plan has no file to write to.", "-o FILE, or -o - to print the plan", "Add -o spot.plan.json.")
	}
	flags.yes = true // a plan asks nothing: what is left open takes its default
	prepared, err := a.prepare(flags)
	if err != nil {
		return err
	}
	session := prepared.session(a)
	if prepared.open() {
		return usage("Which access the plan is for is open.", "one of: "+offerList(prepared.offers), "Give --vendor, --method and --access.")
	}
	if session.Partition == "" {
		session.Partition = describe.Commercial
	}
	plan, err := session.MakePlan("rolecall " + version())
	if err != nil {
		return err
	}
	text, err := plan.JSON()
	if err != nil {
		return err
	}
	if output == "" || output == "-" {
		_, err := a.env.Stdout.Write(text)
		return err
	}
	if err := a.writePlan(output, text); err != nil {
		return err
	}
	if a.json {
		_, err := a.env.Stdout.Write(text)
		return err
	}
	a.sayPlan(plan, output)
	return nil
}

// writePlan writes a plan for its owner only. One that carries approvals is
// not overwritten.
func (a *app) writePlan(name string, text []byte) error {
	old, err := os.ReadFile(name)
	if err == nil {
		plan, err := plan.Read(old)
		if err != nil || len(plan.Approvals) > 0 {
			return usage(draw.Clean(name)+" exists, and is not a plan that nobody approved yet.", "a new file", "Give another name with -o, or remove the file first.")
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return cannotRead(name, err)
	}
	if err := renameio.WriteFile(name, text, 0o600); err != nil {
		return usage(draw.Clean(name)+" cannot be written: "+draw.Clean(err.Error())+".", "a folder that you may write to", "Give another name with -o.")
	}
	return nil
}

func (a *app) sayPlan(planned *plan.Plan, name string) {
	a.say("Planned in %s: nothing was created, nothing was sent.", draw.Clean(name))
	for _, d := range planned.Documents {
		a.say("  %-11s  %-36s  %5d of %5d characters  %s", d.Kind, draw.Clean(d.Name), d.Characters, d.Limit, worst(d.Findings))
		a.say("               %s", d.Digest)
	}
	a.sayManaged(planned)
	for _, role := range planned.Roles {
		if role.ExternalID == plan.UnknownExternalID {
			a.say("The external ID is not known yet: it stands as %s in the trust policy.", plan.UnknownExternalID)
			break
		}
	}
	a.say("Next: have it reviewed, then rolecall approve %s, then rolecall connect --plan %s.", draw.Clean(name), draw.Clean(name))
}

// sayManaged lists the AWS managed policies of a plan, which are no documents
// of its own.
func (a *app) sayManaged(plan *plan.Plan) {
	for _, role := range plan.Roles {
		for _, arn := range role.ManagedPolicies {
			a.say("  %-11s  %s", "AWS managed", draw.Clean(arn))
		}
	}
}

// worst counts findings by severity, the worst two.
func worst(findings []review.Finding) string {
	var words []string
	for _, severity := range review.Severities() {
		n := 0
		for _, f := range findings {
			if f.Severity == severity {
				n++
			}
		}
		if n > 0 && severity != review.Note {
			words = append(words, fmt.Sprintf("%d %s", n, severity))
		}
	}
	if len(words) == 0 {
		return "no finding"
	}
	return strings.Join(words, ", ")
}

// approved is what approve prints for scripts.
type approved struct {
	Plan      string        `json:"plan"`
	Approval  plan.Approval `json:"approval"`
	Approvals int           `json:"approvals"` // in the file now
}

func (a *app) approveCommand() *cobra.Command {
	var who string
	cmd := &cobra.Command{
		Use:   "approve FILE",
		Short: "Record an approval of exactly a plan's documents, in the plan",
		Long: "approve records in the file who approved which documents, by digest, and when. It is a record, not a signature: " +
			"whoever can write the file can write one. A file whose digests do not match its documents is refused.",
		Args: exactlyOne,
		RunE: func(_ *cobra.Command, args []string) error { return a.approve(args[0], who) },
	}
	cmd.Flags().StringVar(&who, "as", "", "who approves, where it is not the user signed in here")
	return cmd
}

func (a *app) approve(name, who string) error {
	text, err := readFile(name)
	if err != nil {
		return err
	}
	plan, err := plan.Read(text)
	if err != nil {
		return err
	}
	for i := range plan.Documents {
		// What the file says of a document may have been edited: it is said anew.
		plan.Documents[i].ReviewAgain(plan.Partition, a.env.Now())
		if d := plan.Documents[i]; d.Verdict == "refused" {
			return &screen.Fault{Problem: screen.Problem{What: fmt.Sprintf("AWS will refuse the %s document %s.", d.Kind, d.Name),
				Expected: "documents that AWS accepts", Next: "See why: rolecall policy review. Then plan anew.", Kind: screen.NotAsNeeded}}
		}
	}
	if who = strings.TrimSpace(draw.Clean(who)); who == "" {
		who = a.whoami()
	}
	approval := plan.Approve(who, a.env.Now())
	out, err := plan.JSON()
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(name, out, 0o600); err != nil {
		return usage(draw.Clean(name)+" cannot be written: "+draw.Clean(err.Error())+".", "a file that you may write to", "Copy it to a folder of yours and approve it there.")
	}
	if a.json {
		a.writeJSON(approved{Plan: name, Approval: approval, Approvals: len(plan.Approvals)})
		return nil
	}
	a.say("Recorded in %s: %s approved %d documents. This is a record, not a signature.", draw.Clean(name), who, len(approval.Digests))
	for _, d := range plan.Documents {
		a.say("  %-11s  %-36s  %s", d.Kind, draw.Clean(d.Name), worst(d.Findings))
		a.say("               %s", d.Digest)
	}
	a.sayManaged(plan)
	a.say("Next: rolecall connect --plan %s.", draw.Clean(name))
	return nil
}

// whoami is the user signed in here, at this host.
func (a *app) whoami() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return draw.Clean(name)
}

// bindPlan reads an approved plan and lets it answer what no flag does.
func (f *connectFlags) bindPlan() (*plan.Plan, error) {
	if f.plan == "" {
		return nil, nil
	}
	text, err := readFile(f.plan)
	if err != nil {
		return nil, err
	}
	plan, err := plan.Read(text)
	if err != nil {
		return nil, err
	}
	if open := plan.Unapproved(); len(open) > 0 {
		return nil, &screen.Fault{Problem: screen.Problem{What: fmt.Sprintf("%s is not approved: %d of its %d documents are in no approval.", filepath.Base(f.plan), len(open), len(plan.Documents)),
			Expected: "an approval of every document", Next: "Have it reviewed, then: rolecall approve " + f.plan + ".", Kind: screen.NotAsNeeded}}
	}
	if err := f.keepToSettings(plan); err != nil {
		return nil, err
	}
	for _, fill := range []struct {
		flag string
		into *string
		from string
	}{
		{"vendor", &f.vendor, plan.Vendor}, {"method", &f.method, plan.Method}, {"access", &f.access, plan.Access},
		{"partition", &f.partition, plan.Partition}, {"account", &f.account, plan.VendorAccount}, {"restrict-tag", &f.restrictTag, plan.RestrictTag},
		{"path", &f.path, plan.Path}, {"permissions-boundary", &f.boundary, plan.Boundary},
	} {
		if !f.given(fill.flag) {
			*fill.into = fill.from
		}
	}
	if !f.given("regions") {
		f.regions = plan.Regions
	}
	if f.given("account-name") {
		f.account = ""
	}
	return plan, nil
}

// keepToSettings refuses a plan whose settings are not those that were approved,
// and flags that would give the role more than they do.
func (f *connectFlags) keepToSettings(plan *plan.Plan) error {
	refused := func(what string) error {
		return &screen.Fault{Problem: screen.Problem{What: what, Expected: "names and settings as they were approved",
			Next: "Plan with the same flags, have the plan approved (rolecall approve), and give it with --plan.", Kind: screen.NotAsNeeded}}
	}
	switch {
	case !plan.SettingsApproved():
		return refused(filepath.Base(f.plan) + ": names or settings were changed after the approval.")
	case f.given("permissions-boundary") && f.boundary != plan.Boundary:
		return refused("--permissions-boundary is not the plan's.")
	case f.given("session-duration") && f.sessionDuration != plan.SessionFor:
		return refused("--session-duration is not the plan's.")
	}
	return nil
}

// fillFromPlan takes what is planned and has no flag given: the selection, the
// names and an external ID that was known.
func (f *connectFlags) fillFromPlan(p *prepared, planned *plan.Plan) {
	if planned == nil {
		return
	}
	p.answers.Plan = planned.Binding()
	if !f.given("products") {
		p.answers.Bundles = slices.Clone(planned.Bundles)
	}
	if !f.given("report-bucket") {
		p.answers.Parameters = planned.Parameters
	}
	if !f.given("tag") {
		p.answers.Tags = planned.Tags
	}
	if !f.given("session-duration") {
		p.answers.SessionFor = planned.SessionFor
	}
	parts := map[string]record.Part{}
	for _, role := range planned.Roles {
		part := p.answers.Parts[role.Purpose]
		if part.RoleName == "" {
			part.RoleName = role.RoleName
		}
		if part.PolicyName == "" {
			part.PolicyName = role.PolicyName
		}
		if part.ExternalID == "" && role.ExternalID != plan.UnknownExternalID {
			part.ExternalID = role.ExternalID
		}
		parts[role.Purpose] = part
	}
	p.answers.Parts = parts
	if f.trustedAccount == "" && p.vendor != nil && len(planned.Roles) > 0 {
		role, ok := p.vendor.Role(planned.Roles[0].Purpose)
		if ok && len(p.vendor.TrustedAccounts(role, planned.Partition)) == 0 && len(planned.Roles[0].Trusts) == 1 {
			p.answers.TrustedAccount = planned.Roles[0].Trusts[0]
		}
	}
}
