package prove

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/aws"
	"rolecall/aws/diagnose"
	"rolecall/aws/evidence"
	"rolecall/steps/describe"
	"rolecall/steps/explain"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/flags"
	"rolecall/ui/sessions"
)

// diagnoseFlags are the flags of diagnose: those of verify, and what was said.
type diagnoseFlags struct {
	verifyFlags
	said string // --error
}

// DiagnoseCommand is rolecall diagnose.
func DiagnoseCommand(a *cli.App) *cobra.Command {
	f := &diagnoseFlags{}
	cmd := &cobra.Command{
		Use:   "diagnose [SESSION]",
		Short: "Say why the vendor cannot assume the role",
		Long: "diagnose ranks why a vendor cannot assume or use a role, the likeliest cause first, each with what speaks for it and against " +
			"it and what to do. " +
			"It looks at the role, at its permissions boundary, and at the policies of the organization (SCPs and RCPs) where Organizations lets " +
			"it; " +
			"where not, give them with --evidence, as aws organizations describe-policy prints them. --error takes the sentence with which AWS " +
			"or the " +
			"vendor refused, or - for standard input; diagnose - is short for that. It changes nothing. Exit 0: all is right; 3: a cause was found.",
		Example: "  rolecall diagnose --role Spot-Role --external-id spotinst:aws:extid:0123456789abcdef\n" +
			"  pbpaste | rolecall diagnose -\n" +
			"  rolecall diagnose --role Spot-Role --evidence rcp.json --json",
		Args:              cli.UpToOne,
		ValidArgsFunction: sessions.Complete(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, a, args) },
	}
	f.Connect.Bind(cmd, flags.Checking)
	given := cmd.Flags()
	given.StringVar(&f.Role, "role", "", "name or ARN of the role (default: the name that the vendor suggests)")
	given.StringVar(&f.evidence, "evidence", "", "file with what somebody else read from AWS, SCPs and RCPs too, or -")
	given.StringVar(&f.said, "error", "", "what AWS or the vendor said, or - to read it")
	return cmd
}

func (f *diagnoseFlags) run(cmd *cobra.Command, a *cli.App, args []string) error {
	ctx := cmd.Context()
	if err := a.CheckCommon(); err != nil {
		return err
	}
	session, err := f.arguments(args)
	if err != nil {
		return err
	}
	if others := f.beside(cmd); session != "" && len(others) > 0 {
		return cli.Usage(
			strings.Join(others, ", ")+" cannot be given beside a session, which says it.",
			"--role, --external-id, --evidence and --error beside a session",
			"Leave it out, or name the role with --role instead of the session.",
		)
	}
	facts := diagnose.Facts{}
	if facts.Refusal, err = f.refusal(ctx, a); err != nil {
		return err
	}
	d := &diagnosis{app: a, flags: f, facts: facts}
	if err := d.readGiven(ctx); err != nil {
		return err
	}
	budget := cli.Budget{Wait: cli.DefaultWait, Next: "Try again."}
	return budget.Within(ctx, func(ctx context.Context) error {
		if err := d.look(ctx, session); err != nil {
			return err
		}
		return d.print()
	})
}

// arguments takes the one argument: a session, or - for what was said.
func (f *diagnoseFlags) arguments(args []string) (session string, err error) {
	if len(args) == 1 && args[0] == "-" {
		if f.said != "" {
			return "", cli.Usage("Both - and --error are given.", "one text of what was said", "Leave out one of them.")
		}
		f.said, args = "-", nil
	}
	if f.said == "-" && f.evidence == "-" {
		return "", cli.Usage("Standard input is named twice.", "- for --error or for --evidence", "Put one of them into a file.")
	}
	if len(args) == 1 {
		return args[0], nil
	}
	return "", nil
}

// beside are the given flags that a session answers.
func (f *diagnoseFlags) beside(cmd *cobra.Command) []string {
	var others []string
	fine := []string{"role", "external-id", "evidence", "error"}
	cmd.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed && !slices.Contains(fine, flag.Name) {
			others = append(others, "--"+flag.Name)
		}
	})
	return others
}

// refusal reads what was said; nil where nothing was given.
func (f *diagnoseFlags) refusal(ctx context.Context, a *cli.App) (*diagnose.Refusal, error) {
	text := f.said
	if text == "-" {
		raw, err := cli.Await(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(a.Env.Stdin, cli.MaxPolicyText)) })
		if err != nil {
			return nil, err
		}
		text = string(raw)
		if strings.TrimSpace(text) == "" {
			return nil, cli.Usage(
				"Nothing came on standard input.",
				"the sentence with which AWS or the vendor refused",
				"Paste it, or give it with --error.",
			)
		}
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil //nolint:nilnil // nothing was said
	}
	r := diagnose.Read(text)
	return &r, nil
}

// readGiven reads what somebody else read from AWS: the SCPs and RCPs in it, and
// the rest, which shows the role. More than a policy can be is no policy.
func (d *diagnosis) readGiven(ctx context.Context) error {
	f := d.flags
	if f.evidence == "" {
		return nil
	}
	if err := f.checkEvidence(d.app); err != nil {
		return err
	}
	in, _, err := f.openEvidence(d.app)
	if err != nil {
		return err
	}
	text, err := cli.Await(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(in, cli.MaxPolicyText)) })
	if errors.Is(err, cli.ErrCancelled) {
		return err
	}
	if err != nil {
		return cli.CannotRead(f.evidence, err)
	}
	if len(text) == cli.MaxPolicyText {
		d.given = io.MultiReader(bytes.NewReader(text), in)
		return nil
	}
	found, rest := aws.ReadGuardrails(text)
	d.facts.Pasted = found
	if more := bytes.Join(rest, []byte("\n")); len(bytes.TrimSpace(more)) > 0 || len(found) == 0 {
		d.given = bytes.NewReader(more)
	}
	return nil
}

// evidenceShows looks at the role in the evidence, with nobody signed in.
func (d *diagnosis) evidenceShows(ctx context.Context) error {
	f, a := d.flags, d.app
	partition := cmp.Or(f.Connect.Text("partition"), describe.Commercial)
	view, err := f.view(ctx, d.given, cmp.Or(map[bool]string{true: "standard input"}[f.evidence == "-"], draw.Clean(f.evidence)),
		evidence.Ask{Role: d.meant(), AccountID: a.Account, Partition: partition, Now: a.Env.Now()})
	if err != nil {
		return err
	}
	id := aws.Identity{}
	if id.Partition, id.AccountID, err = view.Place(ctx); err != nil {
		return err
	}
	id.Partition, id.AccountID = cmp.Or(id.Partition, partition), cmp.Or(a.Account, id.AccountID)
	sayEvidence(a, view)
	if err := d.wanted(id); err != nil {
		return err
	}
	return f.contradicted(d.lookAt(ctx, view))
}

// meant is the name of the role that is looked for.
func (d *diagnosis) meant() string {
	if d.prepared != nil {
		return d.flags.Role
	}
	arn := cmp.Or(d.flags.Role, d.session.Part(roleOf(d.session, "").Purpose).RoleARN)
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

// diagnosis is one run of diagnose.
type diagnosis struct {
	app   *cli.App
	flags *diagnoseFlags
	facts diagnose.Facts
	given io.Reader // evidence that shows the role; nil: the account does

	prepared *flags.Prepared // the flags; nil with a session
	role     *describe.Role  // of the vendor's, that is meant
	session  *step.Session   // says what is wanted
	known    string          // ID of the session whose choices were taken
	mark     string          // the role that is meant, by name or ARN
}

// look collects the facts: what is wanted, and what is there. Without a sign-in,
// what was said is judged alone.
func (d *diagnosis) look(ctx context.Context, session string) error {
	begin := d.beginWithFlags
	if session != "" {
		begin = func() error { return d.beginWithSession(session) }
	}
	if err := begin(); err != nil {
		return err
	}
	if d.given != nil {
		return d.evidenceShows(ctx)
	}
	account, id, err := d.signIn(ctx)
	if err != nil && (d.facts.Refusal == nil || !notSignedIn(err)) {
		return err
	}
	if err != nil {
		d.app.Say("Not signed in to AWS: only what was said is judged. %s", draw.Clean(cli.ProblemOf(err).What))
		d.withoutAccount()
		return nil
	}
	if err := d.wanted(id); err != nil {
		return err
	}
	if err := d.lookAt(ctx, account); err != nil {
		return err
	}
	d.askVendor(ctx)
	return ctx.Err()
}

// wanted describes the role, now that the account is known.
func (d *diagnosis) wanted(id aws.Identity) error {
	if d.prepared != nil {
		return d.wantedByFlags(id)
	}
	d.wantedBySession(id)
	return nil
}

// lookAt looks at the role, and in a live account at what stands around it. That
// the vendor was given the ARN of another account may be the cause.
func (d *diagnosis) lookAt(ctx context.Context, source aws.Source) error {
	before := d.facts
	if _, ok := aws.SplitARN(d.mark); ok {
		before.Held = d.mark
	}
	before.Want.RoleARN, before.Want.Approved = "", nil
	seen, report, err := aws.Look(ctx, source, before.Want)
	if err != nil {
		return err
	}
	d.facts = around(ctx, source, d.session, before.Want, seen, report)
	d.facts.Held, d.facts.Refusal, d.facts.Pasted = before.Held, before.Refusal, before.Pasted
	for _, region := range before.STSInactive {
		if !slices.Contains(d.facts.STSInactive, region) {
			d.facts.STSInactive = append(d.facts.STSInactive, region)
		}
	}
	return nil
}

// askVendor reads which role and which external ID the vendor holds, where a token
// is there and the account at the vendor is known. A vendor that is not well is a
// cause by itself.
func (d *diagnosis) askVendor(ctx context.Context) {
	s := d.session
	if s.VendorAccount == "" {
		return
	}
	sessions.AttachClients(d.app, s)
	if err := s.ConnectAPI(); err != nil || s.API() == nil {
		return // nobody asked for it: the role is judged all the same
	}
	held, err := s.API().Role(ctx, s.VendorAccount)
	if err == nil && held != "" {
		if d.facts.Held != "" && held != d.facts.Held {
			d.app.Say("%s holds %s: that is judged, and not %s.", s.Vendor.Title, draw.Clean(held), draw.Clean(d.facts.Held))
		}
		d.facts.Held = held
	}
	if err == nil {
		d.facts.HeldID, err = s.API().ExternalID(ctx, s.VendorAccount)
	}
	var answer *vendorapi.Error
	if errors.As(err, &answer) && answer.Passing() && answer.Status > 0 && d.facts.Refusal == nil {
		d.facts.Refusal = &diagnose.Refusal{Text: answer.What(), Status: answer.Status}
	}
}

func notSignedIn(err error) bool {
	switch aws.KindOf(err) {
	case aws.NotSignedIn, aws.Expired, aws.NeedsMFA, aws.Network:
		return true
	}
	return false
}

// beginWithSession takes the session that is meant, and pins its account.
func (d *diagnosis) beginWithSession(session string) error {
	store, err := d.app.Store()
	if err != nil {
		return err
	}
	answers, err := store.Load(session)
	if err != nil {
		return err
	}
	if answers.Rehearsal {
		return cli.Usage(
			"Session "+answers.ID+" was a rehearsal, and its account is gone.",
			"a session of a real account",
			"List them: rolecall sessions.",
		)
	}
	if d.app.Account == "" {
		d.app.Account = answers.AccountID
	}
	if d.session, err = sessions.Resumed(d.app, answers); err != nil {
		return err
	}
	if d.session.Vendor == nil || roleOf(d.session, d.flags.Role) == nil {
		return cli.Usage(
			"Session "+answers.ID+" made no role.",
			"a session whose vendor gets a role",
			"See rolecall sessions show "+answers.ID+", or name the role with --role alone.",
		)
	}
	return nil
}

// beginWithFlags reads the flags. Where none names the role, what was said may.
func (d *diagnosis) beginWithFlags() (err error) {
	f := d.flags
	if r := d.facts.Refusal; f.Role == "" && r != nil {
		if ref, err := aws.ParseRoleARN(r.ARN(), "", ""); err == nil {
			f.Role = ref.ARN
		}
	}
	if d.prepared, d.role, err = f.Wanted(); err != nil {
		return err
	}
	d.mark = f.Role
	if !f.IsARN() {
		return nil
	}
	ref, err := aws.ParseRoleARN(f.Role, "", "") // of whatever account: that it is another one may be the cause
	if err != nil {
		return cli.FlagRefused("--role", err)
	}
	f.Role = ref.Name
	return nil
}

// signIn opens the account. In a region where STS was not activated, another one
// answers.
func (d *diagnosis) signIn(ctx context.Context) (*aws.Account, aws.Identity, error) {
	options := d.app.AWSOptions(d.app.Profile, d.flags.Connect.Text("partition"), d.app.AskCode())
	for {
		account, err := aws.Open(ctx, options)
		if err != nil {
			return nil, aws.Identity{}, err
		}
		id, err := account.Identity(ctx)
		region := account.Region()
		partition, _ := aws.PartitionOf(region)
		home := aws.DefaultRegion(partition)
		if !aws.RegionDisabled(err) || region == home {
			return account, id, err
		}
		d.facts.STSInactive, options.Region = append(d.facts.STSInactive, region), home
	}
}

// wantedByFlags describes the role as verify does.
func (d *diagnosis) wantedByFlags(id aws.Identity) error {
	s := d.prepared.Session(d.app)
	s.Partition, s.AccountID, s.Region = cmp.Or(s.Partition, id.Partition), id.AccountID, d.app.Region
	want, err := d.flags.Want(d.app, s, d.role)
	if err != nil {
		return err
	}
	d.session, d.known = s, s.ID
	d.facts.Want = want
	return nil
}

// wantedBySession describes the role as the session made it; flags win.
func (d *diagnosis) wantedBySession(id aws.Identity) {
	s, role := d.session, roleOf(d.session, d.flags.Role)
	s.Partition, s.AccountID = cmp.Or(s.Partition, id.Partition), cmp.Or(s.AccountID, id.AccountID)
	d.known, d.mark = s.ID, cmp.Or(d.flags.Role, s.Part(role.Purpose).RoleARN)
	want := s.WantedRole(role.Purpose)
	if arn, ok := aws.SplitARN(d.mark); ok {
		want.RoleName = arn.Resource[strings.LastIndexByte(arn.Resource, '/')+1:]
	} else if d.mark != "" {
		want.RoleName = d.mark
	}
	want.ExternalID = cmp.Or(d.flags.Connect.Text("external-id"), want.ExternalID)
	d.facts.Want = want
}

// roleOf is the role of a session that is meant: by its name, else the first that
// was made, else the first.
func roleOf(s *step.Session, name string) *describe.Role {
	var first *describe.Role
	for _, role := range s.Request().Needed() {
		part := s.Part(role.Purpose)
		switch {
		case role.Access != describe.AccessRole:
		case name != "" && (part.RoleARN == name || part.RoleName == name), name == "" && part.RoleARN != "":
			return role
		case first == nil:
			first = role
		}
	}
	return first
}

// withoutAccount leaves what the vendor's description and the refusal tell.
func (d *diagnosis) withoutAccount() {
	s := d.session
	if s == nil {
		s = d.prepared.Session(d.app)
	}
	refused, _ := aws.SplitARN(d.facts.Refusal.ARN())
	s.Partition, s.AccountID = cmp.Or(s.Partition, refused.Partition, describe.Commercial), cmp.Or(s.AccountID, refused.AccountID)
	d.facts.Vendor, d.facts.Session = s.Vendor.Title, s.SessionFor
	if role := roleOf(s, d.flags.Role); role != nil {
		if g, err := s.Grant(role.Purpose); err == nil {
			d.facts.Want = g.Want()
		}
	}
}

// diagnoseJSON is what diagnose prints with --json.
type diagnoseJSON struct {
	Causes  []diagnose.Cause `json:"causes"`
	Role    *aws.RoleRef     `json:"role,omitempty"`
	Checks  []aws.Check      `json:"checks,omitempty"`
	Said    string           `json:"said,omitempty"`
	Session string           `json:"session,omitempty"` // whose choices were taken
	Error   *cli.ErrorJSON   `json:"error,omitempty"`
}

// print ranks the causes and says which is the likeliest.
func (d *diagnosis) print() error {
	causes := diagnose.Rank(d.facts)
	document := func(e *cli.ErrorJSON) any {
		out := diagnoseJSON{Causes: causes, Role: d.facts.Report.Role, Checks: d.facts.Report.Checks, Session: d.known, Error: e}
		if d.facts.Refusal != nil {
			out.Said = d.facts.Refusal.Text
		}
		return out
	}
	failure := func(p screen.Problem) error {
		return &cli.Failure{Err: &screen.Fault{Problem: p}, Document: document}
	}
	found := explain.Cause(cmp.Or(d.facts.Vendor, "The vendor"), causes)
	if found == nil && !d.facts.Looked {
		return failure(
			screen.Problem{
				What:     "rolecall cannot tell anything from what was said.",
				Expected: "a sentence with which AWS or the vendor refused",
				Next:     "Sign in to the account, so that the role can be looked at, or give the whole text.",
				Kind:     screen.Usage,
				Quoted:   d.facts.Refusal.Text,
			},
		)
	}
	if found == nil {
		if p := explain.Unseen(d.facts.Report.Checks); p != nil {
			return failure(*p)
		}
		if p := d.untold(); p != nil {
			return failure(*p)
		}
	}
	if !d.app.JSON {
		causesText(d.app, causes)
		d.sayOtherwise(causes)
	}
	if found != nil {
		return failure(*found)
	}
	if d.app.JSON {
		d.app.WriteJSON(document(nil))
	}
	return nil
}

// untold says that nobody can tell whether the vendor gets in, where the role or
// whom it trusts was not seen: that nothing was found says nothing then.
func (d *diagnosis) untold() *screen.Problem {
	for _, id := range []string{"role-exists", "trust-principal"} {
		if c, ok := d.facts.Report.Check(id); ok && c.Status == aws.Unknown {
			return &screen.Problem{What: "rolecall cannot tell whether " + cmp.Or(d.facts.Vendor, "the vendor") + " gets into the role. " + id +
				": " + c.Got + ".", Expected: c.Want, Next: c.Fix, Kind: screen.NotAsNeeded}
		}
	}
	return nil
}

// sayOtherwise tells of a role that lets the vendor in and is not as required all
// the same: it may let in others too.
func (d *diagnosis) sayOtherwise(causes []diagnose.Cause) {
	var failed []string
	for _, c := range d.facts.Report.Checks {
		if c.Status == aws.Fail {
			failed = append(failed, c.ID+": "+draw.Clean(c.Got))
		}
	}
	if len(failed) > 0 && len(diagnose.Found(causes)) == 0 {
		d.app.Print("The role is not as required all the same: %s. rolecall verify says what to do.", strings.Join(failed, "; "))
	}
}

// causesText prints what was found, the likeliest first, then in a line each what
// could not be judged and what is excluded.
func causesText(a *cli.App, causes []diagnose.Cause) {
	for i, c := range diagnose.Found(causes) {
		a.Print("%d  %-8s  %s", i+1, c.Likelihood, c.ID.Title())
		for _, text := range c.Evidence {
			a.Print("   for       %s", draw.Clean(text))
		}
		for _, text := range c.Against {
			a.Print("   against   %s", draw.Clean(text))
		}
		a.Print("   fix       %s", draw.Clean(c.Fix))
	}
	var excluded []string
	for _, c := range causes {
		switch {
		case c.Likelihood == diagnose.Excluded:
			excluded = append(excluded, string(c.ID))
		case !c.Found() && len(c.Against) > 0:
			a.Print("Not judged: %s. %s", c.ID.Title(), draw.Clean(strings.Join(c.Against, " ")))
		}
	}
	if len(excluded) > 0 {
		a.Print("Excluded: %s.", strings.Join(excluded, ", "))
	}
	if len(diagnose.Found(causes)) == 0 {
		a.Print("Nothing keeps the vendor from assuming the role, as far as rolecall can see.")
	}
}
