package organisation_test

import (
	"testing"

	cloud "rolecall/aws/organisation"
	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps"
	"rolecall/steps/access"
	"rolecall/steps/organisation"
	"rolecall/steps/record"
)

// override has somebody give the stack of an account another external ID.
func (w *world) override(account string) {
	w.t.Helper()
	unit := ""
	for _, a := range w.org.Accounts() {
		if a.ID == account {
			unit = a.Unit
		}
	}
	receipt, err := w.store.Receipt(w.head.Session)
	if err != nil {
		w.t.Fatal(err)
	}
	err = cloud.New(w.account, false).UpdateStacks(w.t.Context(), cloud.Deployment{Set: receipt.Items[0].ID, Units: []string{unit},
		Accounts: []string{account}, Region: "us-east-1", Overrides: map[string]string{"ExternalId": "of-somebody-else"}, Token: "theirs"})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestSomebodyElseChangesAnExternalID has somebody give a stack another external
// ID: applying again gives it its own back, and hands nothing over twice.
func TestSomebodyElseChangesAnExternalID(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 4})
	w.settled(t)
	before := w.org.Deployed()
	w.override("100000000001")
	<-w.clock.After(3600e9)
	if got := w.org.Deployed()["100000000001"]["ExternalId"]; got != "of-somebody-else" {
		t.Fatal(got)
	}
	report := w.settled(t)
	if got := w.org.Deployed(); report.Totals.Connected != 4 || got["100000000001"]["ExternalId"] != before["100000000001"]["ExternalId"] {
		t.Errorf("%+v: %v, and before %v", report.Totals, got, before)
	}
	calls := len(w.org.Server().Calls())
	if _, err := w.apply(organisation.Choice{}); err != nil {
		t.Fatal(err)
	}
	for _, call := range w.org.Server().Calls()[calls:] {
		if call.Action == "cloudformation:DescribeStackInstance" || call.Action == "cloudformation:UpdateStackInstances" {
			t.Errorf("%s for what is as it should be", call.Action)
		}
	}
}

// TestASessionThatCameToNothing is no hindrance to the one that names the StackSet.
func TestASessionThatCameToNothing(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 3})
	w.settled(t)
	made := w.head.Session
	<-w.clock.After(3600e9)
	w.head.Session = ""
	if _, err := w.apply(organisation.Choice{}); err == nil || w.head.Session == made {
		t.Fatalf("a second session took the StackSet: %v", err)
	}
	newest, ok, err := w.store.Organisation(func(record.Receipt) bool { return true })
	if err != nil || !ok || newest.Session != made {
		t.Errorf("%s instead of %s: %v", newest.Session, made, err)
	}
}

// TestAStackWithAnExternalIDOfItsOwn is named where there is one for all.
func TestAStackWithAnExternalIDOfItsOwn(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 4})
	v, err := steps.Library().Load("sprinters")
	if err != nil {
		t.Fatal(err)
	}
	w.request, w.shared, w.head.Vendor = access.Request{Vendor: v, Partition: "aws"}, "octo-org", "sprinters"
	if report, err := w.apply(organisation.Choice{}); err != nil || report.Totals.Connected != 4 {
		t.Fatal(err, report)
	}
	w.override("100000000001")
	<-w.clock.After(3600e9)
	for range 2 {
		report, err := w.apply(organisation.Choice{})
		if err != nil || report.Totals.Connected != 3 || report.Totals.Failed != 1 {
			t.Errorf("%v %+v", err, report.Totals)
		}
	}
}
