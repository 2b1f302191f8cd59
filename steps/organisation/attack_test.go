package organisation_test

import (
	"errors"
	"strings"
	"testing"

	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// happens has something happen at the nth call of a kind to the vendor.
func (w *world) happens(call string, nth int, what func()) {
	seen := 0
	w.vendor.kill = func(at string) {
		if at == call {
			if seen++; seen == nth {
				what()
			}
		}
	}
}

// settled applies until nothing changes any more, and holds that every account is
// connected once or named.
func (w *world) settled(t *testing.T) *organisation.Report {
	t.Helper()
	var report *organisation.Report
	for range 3 {
		var err error
		if report, err = w.apply(organisation.Choice{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range report.Accounts {
		if row.State != organisation.Connected && (row.Cause == nil || row.Cause.What == "" || row.Cause.Next == "") {
			t.Errorf("without a cause: %+v", row)
		}
	}
	w.once(report)
	return report
}

// TestTheOrganizationChangesMeanwhile moves and suspends accounts, and deletes the
// StackSet, while it is being applied.
func TestTheOrganizationChangesMeanwhile(t *testing.T) {
	for _, c := range []struct {
		name             string
		do               func(*world)
		call             string
		connected, least int
	}{
		{"an account is moved", func(w *world) { w.org.Move("100000000020", "/security") }, "before mint", 30, 30},
		{"an account is suspended", func(w *world) { w.org.Suspend("100000000025") }, "before mint", 29, 29},
		{"the StackSet is deleted", func(w *world) { w.org.DropStackSets() }, "before submit", 30, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, rehearsal.Options{Accounts: 30})
			w.happens(c.call, 3, func() { c.do(w) })
			report, err := w.apply(organisation.Choice{})
			if report == nil {
				t.Fatal(err)
			}
			if err == nil && report.Totals.Waiting > 0 {
				t.Errorf("it ended, and some wait: %+v", report.Totals)
			}
			var fault *screen.Fault
			if errors.As(err, &fault) && fault.Problem.Kind == screen.TimedOut {
				t.Errorf("it went on until the time was up: %+v", report.Totals)
			}
			if got := w.settled(t).Totals; got.Connected != c.connected || got.Failed > 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestCredentialsExpireMeanwhile ends the run with what to do, and goes on after a
// new sign-in.
func TestCredentialsExpireMeanwhile(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 30})
	w.happens("before submit", 3, w.org.Server().ExpireCredentials)
	report, err := w.apply(organisation.Choice{})
	if err == nil || report.Totals.Waiting == 0 || !strings.Contains(strings.ToLower(err.Error()), "expired") {
		t.Fatalf("%v %+v", err, report.Totals)
	}
	w.org.Server().RenewCredentials()
	if got := w.settled(t).Totals; got.Connected != 30 {
		t.Errorf("%+v", got)
	}
}

// TestHostileNames keeps what somebody calls an account from commanding anything.
func TestHostileNames(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 3})
	hostile := "=cmd|' /C calc'!A0\x1b[2J\u202e\n{\"a\":1}" + strings.Repeat("x", 200)
	w.org.AddAccount("200000000001", hostile, "/prod/eu")
	w.org.AddAccount("200000000002", hostile, "/dev/eu")
	report := w.settled(t)
	if report.Totals.Connected != 5 {
		t.Errorf("%+v", report.Totals)
	}
	for _, a := range w.vendor.accounts {
		if strings.ContainsAny(a.Name, "\x1b\u202e\n") || len([]rune(a.Name)) > 90 {
			t.Errorf("the vendor's account is called %q", a.Name)
		}
	}
}

// TestTwoPeopleAtOnce tells the second one who has it open.
func TestTwoPeopleAtOnce(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 5})
	o := w.open()
	w.head.Session = o.host.Kept.ID
	_, err := w.store.OpenOrganisation(w.head, record.Item{Kind: record.ItemStackSet, Name: o.host.Wanted.SetName()}, "org apply", "another",
		w.clock.Now)
	if err == nil || !strings.Contains(err.Error(), "open") {
		t.Errorf("%v", err)
	}
}
