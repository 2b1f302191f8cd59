package organisation_test

import (
	"errors"
	"testing"
	"time"

	cloud "rolecall/aws/organisation"
	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps"
	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// opened is a session as a command sees it.
type opened struct {
	host   *organisation.Host
	tree   *organisation.Tree
	chosen []organisation.Chosen
}

func (w *world) open() opened {
	w.t.Helper()
	want, err := organisation.NewWanted(w.request, "")
	if err != nil {
		w.t.Fatal(err)
	}
	kept, err := w.store.OpenOrganisation(w.head, record.Item{Kind: record.ItemStackSet, Name: want.SetName()}, "org", "tester", w.clock.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.head.Session = kept.ID
	w.t.Cleanup(kept.Release)
	h := &organisation.Host{Clock: organisation.Clock{Now: w.clock.Now, After: w.clock.After}, Cloud: cloud.New(w.account, false),
		Vendor: w.vendor,
		Wanted: want, Kept: kept, Head: w.head, By: "tester", Region: "us-east-1", Options: w.options}
	tree, err := organisation.Discover(w.t.Context(), h.Cloud, h.Clock)
	if err != nil {
		w.t.Fatal(err)
	}
	chosen, err := tree.Choose(organisation.Choice{})
	if err != nil {
		w.t.Fatal(err)
	}
	return opened{h, tree, chosen}
}

func (w *world) status() *organisation.Report {
	w.t.Helper()
	o := w.open()
	defer o.host.Kept.Release()
	receipt, err := o.host.Kept.Ledger.Receipt()
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := organisation.Status(w.t.Context(), o.host.Clock, o.host.Cloud, o.host.Wanted, receipt, o.host.Kept.Members.All(), o.chosen)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func gaps(r *organisation.Report) map[string]string {
	all := map[string]string{}
	for _, row := range r.Accounts {
		if row.Gap != "" {
			all[row.AccountID] = row.Gap
		}
	}
	return all
}

// TestStatusShowsTheGapsAndApplyClosesThem lets the organisation live on.
func TestStatusShowsTheGapsAndApplyClosesThem(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 10})
	automatic := true
	w.options.Automatic = &automatic
	if _, err := w.apply(organisation.Choice{}); err != nil {
		t.Fatal(err)
	}
	w.org.AddAccount("200000000001", "newcomer", "/prod/eu")
	w.org.Remove("100000000002")
	w.org.Drift("100000000003")
	w.clock.After(60_000_000_000)
	found := gaps(w.status())
	if found["200000000001"] != organisation.GapNew || found["100000000002"] != organisation.GapGone ||
		found["100000000003"] != organisation.GapDrifted || len(found) != 3 {
		t.Errorf("%v", found)
	}
	if err := w.org.AssumeRole("922761411349", "arn:aws:iam::200000000001:role/Spot-Role", ""); err == nil {
		t.Error("the role of a new account lets somebody in without an external ID")
	}
	report, err := w.apply(organisation.Choice{})
	if err != nil || report.Totals.Connected != 11 {
		t.Fatalf("%v %+v", err, report.Totals)
	}
	if found = gaps(w.status()); len(found) != 1 {
		t.Errorf("%v", found)
	}
	w.once(report)
	calls := len(w.org.Server().Calls())
	if _, err := w.apply(organisation.Choice{}); err != nil {
		t.Fatal(err)
	}
	for _, call := range w.org.Server().Calls()[calls:] {
		switch call.Action {
		case "cloudformation:CreateStackInstances",
			"cloudformation:UpdateStackInstances",
			"cloudformation:UpdateStackSet",
			"cloudformation:CreateStackSet":
			t.Errorf("applying again sent %s", call.Action)
		}
	}
}

// TestVerifyWithAndWithoutAReader judges the roles from outside and from inside.
func TestVerifyWithAndWithoutAReader(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 6, ReaderRole: "Reader"})
	if _, err := w.apply(organisation.Choice{}); err != nil {
		t.Fatal(err)
	}
	w.org.Drift("100000000003")
	verify := func(reader string) *organisation.Report {
		o := w.open()
		defer o.host.Kept.Release()
		receipt, _ := o.host.Kept.Ledger.Receipt()
		r, err := organisation.Verify(t.Context(), o.host.Clock, o.host.Cloud, o.host.Wanted, receipt, o.host.Kept.Members.All(), o.chosen,
			organisation.Verified{Account: w.account, ReaderRole: reader, Session: o.host.Kept.ID, Drift: true})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, row := range verify("").Accounts {
		if row.State != organisation.Excluded && (row.OK == nil || *row.OK == (row.AccountID == "100000000003")) {
			t.Errorf("from outside: %+v", row)
		}
	}
	for _, row := range verify("Reader").Accounts {
		if row.State != organisation.Excluded && (row.OK == nil || !*row.OK || len(row.Checks) < 8) {
			t.Errorf("from inside: %+v", row)
		}
	}
	for _, row := range verify("Nobody").Accounts {
		if row.State != organisation.Excluded && (row.OK == nil || *row.OK || row.Checks[0].Status != "unknown") {
			t.Errorf("with a role that does not exist: %+v", row)
		}
	}
}

// TestRemoveByReceipt takes away what the StackSet made, and nothing else.
func TestRemoveByReceipt(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 12})
	w.options.Concurrent = organisation.Share{N: 5}
	if _, err := w.apply(organisation.Choice{}); err != nil {
		t.Fatal(err)
	}
	o := w.open()
	plan, err := o.host.PlanRemoval(t.Context(), o.chosen)
	if err != nil || !plan.Whole || len(plan.Accounts) != 12 {
		t.Fatalf("%v %+v", err, plan)
	}
	report, err := o.host.Remove(t.Context(), plan)
	if err != nil || len(w.org.Deployed()) != 0 || len(w.org.StackSets()) != 0 {
		t.Fatalf("%v %+v", err, report)
	}
	waves := 0
	for _, call := range w.org.Server().Calls() {
		if call.Action == "cloudformation:DeleteStackInstances" {
			waves++
		}
	}
	if waves != 3 {
		t.Errorf("%d waves", waves)
	}
	o.host.Kept.Release()
	if r, err := w.apply(organisation.Choice{}); err != nil || r.Totals.Connected != 12 {
		t.Errorf("after the removal: %v %+v", err, r)
	}
}

// TestAStackSetOfSomebodyElse is left alone.
func TestAStackSetOfSomebodyElse(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 3})
	if _, err := w.apply(organisation.Choice{}); err != nil {
		t.Fatal(err)
	}
	w.store, w.head.Session = record.OpenStore(t.TempDir()), ""
	if _, err := w.apply(organisation.Choice{}); err == nil {
		t.Error("it took over a StackSet that no receipt proves")
	}
}

// TestPreflightNamesWhatForbids reads the policies on the path.
func TestPreflightNamesWhatForbids(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 12, Policies: map[string]string{
		"/prod": `{"Version":"2012-10-17","Statement":[{"Sid":"NoRoles","Effect":"Deny","Action":"iam:Create*","Resource":"*"}]}`,
		"/dev":  `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`,
		"/sandbox": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"s3:*","Resource":"*",
			"Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}`}})
	o := w.open()
	all, err := organisation.Preflight(t.Context(), o.host.Clock, o.host.Cloud, o.tree, o.host.Wanted, o.chosen)
	if err != nil || len(all) != 2 || all[0].At != "/prod" || !all[0].Certain || all[0].Sid != "NoRoles" || all[1].Certain ||
		all[0].Accounts != 6 {
		t.Errorf("%v %+v", err, all)
	}
}

// TestANewTemplateReachesEveryAccount changes what is granted.
func TestANewTemplateReachesEveryAccount(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 8})
	if _, err := w.apply(organisation.Choice{}); err != nil {
		t.Fatal(err)
	}
	accounts := len(w.vendor.accounts)
	w.request.RestrictTag = "team=platform"
	w.org.Fail("100000000004", "Rate exceeded for %s", true) // the update fails there once
	report, err := w.apply(organisation.Choice{})
	if err != nil || report.Totals.Connected != 8 || len(w.vendor.accounts) != accounts {
		t.Errorf("%v %+v, %d accounts at the vendor", err, report.Totals, len(w.vendor.accounts))
	}
	w.once(report)
}

// TestTheTimeIsUp ends a run early, and goes on with it.
func TestTheTimeIsUp(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 30})
	w.wait = 12 * time.Second
	var fault *screen.Fault
	report, err := w.apply(organisation.Choice{})
	if !errors.As(err, &fault) || fault.Problem.Kind != screen.TimedOut || report.Totals.Waiting == 0 {
		t.Errorf("%v %+v", err, report.Totals)
	}
	w.wait = time.Hour
	if report, err = w.apply(organisation.Choice{}); err != nil || report.Totals.Connected != 30 {
		t.Errorf("%v %+v", err, report.Totals)
	}
	w.once(report)
}

// TestAChangedTemplateIsNotHandedOver has somebody change the StackSet while it is
// deployed.
func TestAChangedTemplateIsNotHandedOver(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 4})
	stacks := 0
	w.killAt(func(call string) bool {
		if call == "after stacks" {
			if stacks++; stacks == 4 {
				w.org.Tamper()
			}
		}
		return false
	})
	_, err := w.apply(organisation.Choice{})
	if err == nil || len(w.vendor.roles) > 0 {
		t.Errorf("%v, and %d roles were handed over", err, len(w.vendor.roles))
	}
}

// TestAVendorThatHoldsAnotherRole is not taken it from.
func TestAVendorThatHoldsAnotherRole(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 3})
	w.vendor.accounts = []vendorapi.Account{{ID: "act-aaaa", Name: "AWS 100000000001 prod-eu-001"}, {ID: "act-bbbb",
		Name: "AWS 100000000002 prod-us-001"}}
	w.vendor.roles["act-aaaa"] = "arn:aws:iam::100000000001:role/Other"
	w.vendor.ids["act-bbbb"] = "spotinst:aws:extid:kept"
	report, err := w.apply(organisation.Choice{})
	if err != nil || report.Totals.Failed != 1 || report.Totals.Connected != 2 ||
		w.vendor.roles["act-aaaa"] != "arn:aws:iam::100000000001:role/Other" {
		t.Errorf("%v %+v", err, report.Totals)
	}
	if w.vendor.ids["act-bbbb"] != "spotinst:aws:extid:kept" || w.vendor.roles["act-bbbb"] == "" {
		for _, row := range report.Accounts {
			t.Errorf("%+v %+v", row, row.Cause)
		}
		t.Errorf("the account that was there: %q %q", w.vendor.ids["act-bbbb"], w.vendor.roles["act-bbbb"])
	}
}

// TestOneOperationForAllIsTakenUp kills a run whose vendor has one external ID for
// all accounts before and after the one operation that makes all stacks.
func TestOneOperationForAllIsTakenUp(t *testing.T) {
	for _, phase := range []string{"before stacks", "after stacks"} {
		w := newWorld(t, rehearsal.Options{Accounts: 20, FailPercent: 10, FailOnce: true, Seed: 5})
		v, err := steps.Library().Load("sprinters")
		if err != nil {
			t.Fatal(err)
		}
		w.request.Vendor, w.shared = v, "octo-org"
		w.options.Tolerance = organisation.Share{N: 100, Percent: true}
		w.killAt(func(call string) bool { return call == phase })
		if _, err := w.apply(organisation.Choice{}); !errors.Is(err, errKilled) {
			t.Fatalf("%s: %v", phase, err)
		}
		w.killAt(func(string) bool { return false })
		first, err := w.apply(organisation.Choice{})
		if err != nil || first.Totals.Failed != 2 || first.Totals.Connected != 18 {
			t.Errorf("%s: %v %+v", phase, err, first.Totals)
		}
		second, err := w.apply(organisation.Choice{})
		if err != nil || second.Totals.Connected != 20 {
			t.Errorf("%s: %v %+v", phase, err, second.Totals)
		}
		begun := 0
		for _, call := range w.org.Server().Calls() {
			if call.Action == "cloudformation:CreateStackInstances" {
				begun++
			}
		}
		if begun > 2 || w.vendor.calls > 0 {
			t.Errorf("%s: %d operations, %d calls to the vendor", phase, begun, w.vendor.calls)
		}
	}
}

// TestTwoAtOnce has a second rolecall find the session open, and one on another
// machine the StackSet.
func TestTwoAtOnce(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 2})
	o := w.open()
	if _, err := w.store.OpenOrganisation(w.head, record.Item{Kind: record.ItemStackSet, Name: o.host.Wanted.SetName()}, "org apply",
		"other", w.clock.Now); err == nil {
		t.Error("two have the session open")
	}
}
