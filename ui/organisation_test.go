package ui_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	awsrehearsal "rolecall/aws/rehearsal"
	orgrehearsal "rolecall/aws/rehearsal/organisation"
	spotrehearsal "rolecall/steps/spot/rehearsal"
)

// newOrganisation is a box in which whoever is signed in manages an organisation.
func newOrganisation(t *testing.T, o orgrehearsal.Options) (*box, *orgrehearsal.Organisation) {
	t.Helper()
	o.Now, o.StackTime, o.Propagation = clock{startOfClock()}.Now, 2*time.Second, -1
	org := orgrehearsal.New(o)
	b := &box{t: t, aws: org.Server(), dir: t.TempDir()}
	b.spot = spotrehearsal.New(spotrehearsal.Options{Token: theToken, Assume: org.AssumeRole})
	if err := errors.Join(b.aws.Start(), b.spot.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(b.aws.Close(), b.spot.Close()) })
	return b, org
}

// plain runs a command without --json.
func (b *box) plain(args ...string) (exit int, stdout, stderr string) {
	b.t.Helper()
	cmd := b.command(b.t.Context(), args...)
	cmd.Args = cmd.Args[:len(cmd.Args)-1]
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	_ = cmd.Run() // the exit code says it
	return cmd.ProcessState.ExitCode(), out.String(), said.String()
}

// organisationReport is what scripts read of org apply and org status.
type organisationReport struct {
	StackSet struct{ Name, ID string } `json:"stack_set"`
	Totals   struct{ Accounts, Connected, Failed, Waiting int }
	Accounts []struct {
		AccountID     string `json:"account_id"`
		Name, OU      string
		State, Gap    string
		RoleARN       string `json:"role_arn"`
		VendorAccount string `json:"vendor_account"`
		ExternalID    string `json:"external_id"`
		OK            *bool
		Cause         *struct{ What, Next string }
	}
}

func readOrganisation(t *testing.T, stdout string) organisationReport {
	t.Helper()
	var r organisationReport
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	return r
}

// applying are the flags of an unattended apply.
func applying(more ...string) []string {
	return append([]string{"org", "apply", "--yes", "--acknowledge-iam-capabilities"}, more...)
}

// TestAnOrganisationFromPlanToRemoval is how a platform team goes about it.
func TestAnOrganisationFromPlanToRemoval(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 14, FailPercent: 15, Seed: 3, FailOnce: true})
	file := filepath.Join(b.dir, "org.plan.json")
	b.must("org", "plan", "--ou", "/prod,/dev", "-o", file)
	if len(org.StackSets()) != 0 {
		t.Error("planning made something")
	}
	if r := b.run(applying("--plan", file)...); r.exit != 3 || len(org.StackSets()) != 0 {
		t.Errorf("an unapproved plan: exit %d %s", r.exit, r.what())
	}
	b.must("approve", file)
	if r := b.run(applying("--plan", file, "--ou", "/sandbox")...); r.exit != 3 {
		t.Errorf("other units than planned: exit %d %s", r.exit, r.what())
	}
	if r := b.run("org", "apply", "--yes", "--plan", file); r.exit != 2 {
		t.Errorf("nobody acknowledged: exit %d", r.exit)
	}
	first := b.run(applying("--plan", file)...)
	got := readOrganisation(t, first.stdout)
	if first.exit != 3 || got.Totals.Accounts != 10 || got.Totals.Failed == 0 || got.Totals.Connected+got.Totals.Failed != 10 {
		t.Errorf("first: exit %d %+v", first.exit, got.Totals)
	}
	second := b.must(applying("--plan", file)...)
	if got := readOrganisation(t, second.stdout); got.Totals.Connected != 10 {
		t.Errorf("second: %+v", got.Totals)
	}
	if n := len(b.spot.Accounts()); n != 10 {
		t.Errorf("%d accounts at the vendor", n)
	}
	b.formats(org)
	gone := b.must("org", "remove", "--yes")
	if len(org.StackSets()) != 0 || len(org.Deployed()) != 0 {
		t.Errorf("left: %v %s", org.StackSets(), gone.stdout)
	}
}

// formats reads the reports as people and tables get them.
func (b *box) formats(org *orgrehearsal.Organisation) {
	t := b.t
	exit, text, said := b.plain("org", "status", "--ou", "/prod", "--format", "csv")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if exit != 0 || err != nil || len(rows) != 7 || !slices.Contains(rows[0], "external_id") {
		t.Errorf("csv: exit %d %v\n%s%s", exit, err, text, said)
	}
	exit, text, said = b.plain("org", "status", "--format", "html")
	if exit != 3 || !strings.HasPrefix(text, "<!doctype html>") || strings.Contains(text, "<script") || !strings.Contains(text, "/prod/eu") {
		t.Errorf("html: exit %d\n%.300s%s", exit, text, said)
	}
	if exit, text, said = b.plain("org", "verify", "--ou", "/prod"); exit != 0 || !strings.Contains(text, "right") {
		t.Errorf("verify: exit %d\n%s%s", exit, text, said)
	}
	org.Drift("100000000001")
	if r := b.run("org", "verify", "--ou", "/prod"); r.exit != 3 {
		t.Errorf("verify after a drift: exit %d", r.exit)
	}
}

// TestAnOrganisationIsRefusedInWords tries what cannot work.
func TestAnOrganisationIsRefusedInWords(t *testing.T) {
	b, _ := newOrganisation(t, orgrehearsal.Options{Accounts: 3, Untrusted: true})
	list := filepath.Join(b.dir, "accounts.csv")
	if err := os.WriteFile(list, []byte("account,name\n100000000001,one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		exit int
		what string
	}{
		{applying(), 4, "no trusted access"},
		{[]string{"org", "plan", "--ou", "/nowhere"}, 2, "no organizational unit /nowhere"},
		{[]string{"org", "plan", "--accounts", "111122223333"}, 2, "no account 111122223333"},
		{[]string{"org", "plan", "--partition", "aws-cn"}, 2, "signed in to aws"},
		{[]string{"org", "apply"}, 2, ""},
		{[]string{"org", "remove", "--yes"}, 3, "no receipt"},
		{[]string{"org", "verify"}, 3, "No account"},
		{applying("--failure-tolerance", "many"), 2, "--failure-tolerance"},
		{[]string{"org", "plan", "--permissions-boundary", "arn:aws:iam::123456789012:policy/Bound"}, 2, "of one account"},
		{[]string{"org", "plan", "--vendor", "sprinters"}, 2, "external ID of Sprinters is missing"},
	} {
		if r := b.run(c.args...); r.exit != c.exit || !strings.Contains(r.what(), c.what) || r.document.Error.Next == "" {
			t.Errorf("%v: exit %d: %s", c.args, r.exit, r.what())
		}
	}
	r := b.must("org", "plan", "--accounts", list)
	if got := readOrganisation(t, r.stdout); len(got.Accounts) != 1 || got.Accounts[0].OU != "/prod/eu" {
		t.Errorf("%+v", got.Accounts)
	}
}

// TestAnOrganisationOfAVendorWithOneExternalID needs one operation for all.
func TestAnOrganisationOfAVendorWithOneExternalID(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 9})
	r := b.must(applying("--vendor", "sprinters", "--external-id", "octo-org")...)
	got := readOrganisation(t, r.stdout)
	if got.Totals.Connected != 9 || got.Accounts[1].ExternalID != "octo-org" || !strings.Contains(r.stdout, `"submitted": false`) {
		t.Errorf("%+v", got)
	}
	begun := 0
	for _, call := range b.aws.Calls() {
		if call.Action == "cloudformation:CreateStackInstances" {
			begun++
		}
	}
	if begun != 1 || len(org.Deployed()) != 9 {
		t.Errorf("%d operations for %d stacks", begun, len(org.Deployed()))
	}
}

// TestAnOrganisationWithoutAPermission has AWS refuse a permission.
func TestAnOrganisationWithoutAPermission(t *testing.T) {
	b, _ := newOrganisation(t, orgrehearsal.Options{Accounts: 3})
	b.aws.Inject(awsrehearsal.Fault{Kind: awsrehearsal.Denied, Actions: []string{"cloudformation:CreateStackSet"}})
	if r := b.run(applying()...); r.exit != 4 || r.document.Error.Action != "cloudformation:CreateStackSet" {
		t.Errorf("exit %d: %+v", r.exit, r.document.Error)
	}
	b.aws.ClearFaults()
	b.must(applying()...)
}

// TestAnOrganisationRemembersWhatWasChosen gives flags once.
func TestAnOrganisationRemembersWhatWasChosen(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 4})
	b.must(applying("--products", "ocean", "--role-name", "Ours", "--path", "/team/", "--ou", "/prod")...)
	if _, text, said := b.plain("org", "verify", "--ou", "/prod"); !strings.Contains(text, "right") || strings.Contains(text, "not right") {
		t.Errorf("%s%s", text, said)
	}
	r := b.must(applying()...)
	got := readOrganisation(t, r.stdout)
	if got.Totals.Connected != 4 || got.Accounts[1].RoleARN != "arn:aws:iam::"+got.Accounts[1].AccountID+":role/team/Ours" {
		t.Errorf("%+v", got)
	}
	updates := 0
	for _, call := range b.aws.Calls() {
		if call.Action == "cloudformation:UpdateStackSet" {
			updates++
		}
	}
	if updates > 0 || len(org.Deployed()) != 4 {
		t.Errorf("%d updates of the StackSet", updates)
	}
}

// TestAKilledOrganisationIsTakenUp kills the program itself, once while it gives
// out external IDs, once while AWS makes the stacks, and once while roles are
// handed over.
func TestAKilledOrganisationIsTakenUp(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 30})
	handed := func() (n int) {
		for _, a := range b.spot.Accounts() {
			if a.Role != "" {
				n++
			}
		}
		return n
	}
	for _, far := range []func() bool{
		func() bool { return len(b.spot.Accounts()) > 3 },
		func() bool { return len(b.spot.Accounts()) > 15 },
		func() bool { return handed() > 4 },
	} {
		cmd := b.command(t.Context(), applying()...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for !far() {
			time.Sleep(time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
	r := b.must(applying()...)
	if got := readOrganisation(t, r.stdout); got.Totals.Connected != 30 {
		t.Errorf("%+v", got.Totals)
	}
	if accounts := b.spot.Accounts(); len(accounts) != 30 || handed() != 30 || len(org.Deployed()) != 30 {
		t.Errorf("%d accounts at the vendor, %d roles, %d stacks", len(accounts), handed(), len(org.Deployed()))
	}
	minted := map[string]int{}
	for _, call := range b.spot.Calls() {
		minted[call]++
	}
	if n := minted["POST /setup/credentials/aws/externalId"]; n != 30 {
		t.Errorf("%d external IDs were minted for 30 accounts", n)
	}
}
