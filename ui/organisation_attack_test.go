package ui_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	awsrehearsal "rolecall/aws/rehearsal"
	orgrehearsal "rolecall/aws/rehearsal/organisation"
)

// written is a file of the box.
func (b *box) written(name, text string) string {
	b.t.Helper()
	file := filepath.Join(b.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return file
}

// TestAnEmptySelectionIsNotTheWholeOrganisation has a script's variable be empty.
func TestAnEmptySelectionIsNotTheWholeOrganisation(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 6})
	b.must(applying()...)
	typo := b.written("typo.txt", "10000000000l\n100000000002\n")
	for _, c := range []struct {
		flag, value, what string
	}{
		{"--accounts", "", "--accounts names nothing"},
		{"--accounts", " ", "--accounts names nothing"},
		{"--accounts", "100000000001,,100000000002", "--accounts names nothing"},
		{"--accounts", b.written("empty.json", "[]"), "holds no account number"},
		{"--accounts", b.written("null.json", "null"), "holds no account number"},
		{"--accounts", b.written("heading.csv", "account_id,name\n"), "holds no account number"},
		{"--accounts", typo, "10000000000l"},
		{"--ou", "", "--ou names nothing"},
		{"--ou", "/prod,", "--ou names nothing"},
		{"--account-tag", "", "--account-tag"},
		{"--account-tag", "team=wbe", "team=wbe"},
	} {
		for _, args := range [][]string{{"org", "plan"}, {"org", "status"}, applying(), {"org", "remove", "--yes"}} {
			if r := b.run(append(args, c.flag, c.value)...); r.exit != 2 || !strings.Contains(r.what(), c.what) {
				t.Errorf("%v %s %q: exit %d: %s", args, c.flag, c.value, r.exit, r.what())
			}
		}
	}
	if n := len(org.Deployed()); n != 6 {
		t.Errorf("%d of 6 stacks are left", n)
	}
}

// times is how often a call was made.
func (b *box) times(action string) (n int) {
	for _, call := range b.aws.Calls() {
		if call.Action == action {
			n++
		}
	}
	return n
}

// TestOneExternalIDOfAllAccounts is the same whether a flag, the receipt or a plan
// says it, and can be changed.
func TestOneExternalIDOfAllAccounts(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 3})
	file := filepath.Join(b.dir, "p.json")
	b.must("org", "plan", "--vendor", "sprinters", "--external-id", "octo-org", "-o", file)
	b.must("approve", file)
	if r := b.run(applying("--plan", file, "--external-id", "other")...); r.exit != 3 || len(org.StackSets()) > 0 {
		t.Errorf("another than the plan's: exit %d: %s", r.exit, r.what())
	}
	b.must(applying("--plan", file)...)
	sprinters := []string{"--vendor", "sprinters"}
	b.must(append([]string{"org", "verify"}, sprinters...)...)
	b.must(applying(sprinters...)...)
	if n := b.times("cloudformation:UpdateStackSet"); n > 0 {
		t.Errorf("%d updates of a StackSet that is right", n)
	}
	if r := b.run("org", "status", "--vendor", "sprinters", "--external-id", "octo-new"); r.exit != 3 {
		t.Errorf("status with another external ID: exit %d", r.exit)
	}
	got := readOrganisation(t, b.must(applying("--vendor", "sprinters", "--external-id", "octo-new")...).stdout)
	for _, row := range got.Accounts {
		if row.State == "connected" && (row.ExternalID != "octo-new" || org.Deployed()[row.AccountID]["ExternalId"] != "octo-new") {
			t.Errorf("%+v, and the stack has %v", row, org.Deployed()[row.AccountID])
		}
	}
	for _, name := range []string{"status", "verify"} {
		r := b.must(append([]string{"org", name}, sprinters...)...)
		if got := readOrganisation(t, r.stdout); got.Totals.Connected != 3 || got.Accounts[1].ExternalID != "octo-new" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// inFront is a server before AWS. what is asked before each request, with its
// action.
func (b *box) inFront(what func(action string, r *http.Request)) {
	b.t.Helper()
	to, err := url.Parse(b.aws.Target().Endpoint)
	if err != nil {
		b.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // of requests that were cut off
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the other side is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
			action = form.Get("Action")
		}
		what(action, r)
		proxy.ServeHTTP(w, r)
	}))
	b.t.Cleanup(server.Close)
	b.env = append(b.env, "AWS_ENDPOINT_URL="+server.URL)
}

// TestTwoBeginAtOnce has one command connect the organization while another one
// stands between its look and its start. Neither leaves anything in the way of
// later ones.
func TestTwoBeginAtOnce(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 3})
	var begun atomic.Bool
	b.inFront(func(action string, _ *http.Request) {
		if action == "DescribeOrganizationsAccess" && begun.CompareAndSwap(false, true) {
			b.must(applying()...)
		}
	})
	if r := b.run(applying()...); r.exit != 3 || !strings.Contains(r.what(), "meanwhile") {
		t.Errorf("the second: exit %d: %s", r.exit, r.what())
	}
	if got := readOrganisation(t, b.must("org", "status").stdout); got.Totals.Connected != 3 {
		t.Errorf("%+v", got.Totals)
	}
	b.must(applying()...)
	b.must("org", "remove", "--yes")
	if n := len(org.StackSets()) + len(org.Deployed()); n > 0 || len(b.spot.Accounts()) != 3 {
		t.Errorf("%d are left, and %d accounts at the vendor", n, len(b.spot.Accounts()))
	}
}

// TestAPlanBindsWhatItSaysOfAccounts tries to make more than was approved.
func TestAPlanBindsWhatItSaysOfAccounts(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 6})
	file, later := filepath.Join(b.dir, "p.json"), filepath.Join(b.dir, "later.json")
	b.must("org", "plan", "--ou", "/prod", "-o", file)
	b.must("org", "plan", "--ou", "/prod", "--automatic-deployment", "-o", later)
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `"ou:ou-reh1-00000001 /prod"`) {
		t.Errorf("the unit is not there by its ID: %v", err)
	}
	b.must("approve", file)
	if _, _, said := b.plain("approve", later); !strings.Contains(said, "ou-reh1-00000001 /prod") || !strings.Contains(said, "come there later") ||
		!strings.Contains(said, "rolecall org apply --plan") {
		t.Errorf("who approves is not told where it goes:\n%s", said)
	}
	for _, args := range [][]string{{"--plan", file, "--automatic-deployment"}, {"--plan", later, "--automatic-deployment=false"},
		{"--plan", file, "--ou", "/dev"}, {"--plan", file, "--accounts", "100000000001"}} {
		if r := b.run(applying(args...)...); r.exit != 3 || len(org.StackSets()) > 0 {
			t.Errorf("%v: exit %d: %s", args, r.exit, r.what())
		}
	}
	unknown := b.written("unknown.json", strings.Replace(string(text), `"ou:ou-`, `"unit:ou-`, 1))
	b.must("approve", unknown)
	if r := b.run(applying("--plan", unknown)...); r.exit != 3 || len(org.StackSets()) > 0 {
		t.Errorf("a target that nobody knows: exit %d: %s", r.exit, r.what())
	}
	var made struct {
		StackSet struct {
			Automatic bool `json:"automatic_deployment"`
		} `json:"stack_set"`
	}
	r := b.must(applying("--plan", later, "--ou", "ou-reh1-00000001")...)
	if err := json.Unmarshal([]byte(r.stdout), &made); err != nil || !made.StackSet.Automatic {
		t.Errorf("automatic deployment was approved, and is off: %v", err)
	}
	if n := len(org.Deployed()); n != 3 {
		t.Errorf("%d stacks", n)
	}
}

// TestNobodyAnswersAnOrganisation has AWS never answer one kind of request, which
// reads or writes: the end of --wait is the end, and the one document is there.
func TestNobodyAnswersAnOrganisation(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 3})
	var silent atomic.Value
	b.inFront(func(action string, r *http.Request) {
		if action == silent.Load() {
			<-r.Context().Done()
		}
	})
	for _, action := range []string{"GetCallerIdentity", "DescribeOrganization", "ListRoots", "DescribeOrganizationsAccess", "CreateStackSet",
		"CreateStackInstances", "ListStackInstances"} {
		silent.Store(action)
		r := b.run(applying("--wait", "700ms")...)
		if r.exit != 8 || !strings.Contains(r.what(), "time was up") || r.document.Error.Next == "" {
			t.Errorf("%s: exit %d: %s", action, r.exit, r.what())
		}
	}
	silent.Store("")
	b.must(applying()...)
	if len(org.StackSets()) != 1 || len(org.Deployed()) != 3 || len(b.spot.Accounts()) != 3 {
		t.Errorf("%v, %d stacks, %d accounts at the vendor", org.StackSets(), len(org.Deployed()), len(b.spot.Accounts()))
	}
}

// TestADriftThatCouldNotBeDetected has AWS not be able to compare a stack that was
// in sync the time before: nobody knows, and nobody says that it is right.
func TestADriftThatCouldNotBeDetected(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 3})
	b.must(applying()...)
	b.must("org", "verify")
	org.Fail("100000000002", "AccessDenied", false)
	r := b.run("org", "verify")
	for _, row := range readOrganisation(t, r.stdout).Accounts {
		if row.OK != nil && *row.OK == (row.AccountID == "100000000002") {
			t.Errorf("%+v", row)
		}
	}
	if r.exit != 3 || !strings.Contains(r.stdout, `"status": "unknown"`) {
		t.Errorf("exit %d: %s", r.exit, r.what())
	}
	org.Fail("100000000002", "", false)
	b.must("org", "verify")
}

// TestAnAccountLeftTheOrganisation says that the StackSet stays, and why.
func TestAnAccountLeftTheOrganisation(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 4})
	b.must(applying()...)
	org.Leave("100000000002")
	r := b.must("org", "remove", "--yes", "--ou", "/prod/eu")
	if !strings.Contains(r.stdout, `"stacks_left"`) {
		t.Errorf("what is left is not told: %s", r.stdout)
	}
	r = b.run("org", "remove", "--yes")
	if r.exit != 3 || !strings.Contains(r.what(), "100000000002") || len(org.StackSets()) != 1 || len(org.Deployed()) != 1 {
		t.Errorf("exit %d: %s; %v", r.exit, r.what(), org.Deployed())
	}
}

// TestControlPoliciesThatNobodyMayRead are not the same as none.
func TestControlPoliciesThatNobodyMayRead(t *testing.T) {
	b, _ := newOrganisation(t, orgrehearsal.Options{Accounts: 2})
	b.aws.Inject(awsrehearsal.Fault{Kind: awsrehearsal.Denied, Actions: []string{"organizations:ListPolicies"}})
	if r := b.must("org", "plan"); !strings.Contains(r.stdout, `"obstacles_unknown"`) {
		t.Errorf("%s", r.stdout)
	}
}

// TestAReaderOfARoleWhoseExternalIDNobodyKnows looks into an account in which
// automatic deployment made a role that asks for nobody's external ID.
func TestAReaderOfARoleWhoseExternalIDNobodyKnows(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 3, ReaderRole: "Reader"})
	b.must(applying("--automatic-deployment")...)
	b.must("org", "verify", "--reader-role", "Reader")
	org.AddAccount("200000000001", "new", "/prod/eu")
	for len(org.Deployed()) < 4 {
		b.run("org", "status")
	}
	r := b.run("org", "verify", "--reader-role", "Reader")
	for _, row := range readOrganisation(t, r.stdout).Accounts {
		if row.AccountID == "200000000001" && (row.OK == nil || *row.OK) {
			t.Errorf("%+v", row)
		}
	}
	if r.exit != 3 {
		t.Errorf("exit %d: %s", r.exit, r.stdout)
	}
}
