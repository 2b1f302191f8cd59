package organisation_test

import (
	"errors"
	"testing"

	awsrehearsal "rolecall/aws/rehearsal"
	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps/organisation"
)

// TestEveryAccountIsConnectedOnce applies to a small organisation.
func TestEveryAccountIsConnectedOnce(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 24, Suspended: 1})
	report, err := w.apply(organisation.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Totals; got.Connected != 23 || got.Excluded != 2 || got.Accounts != 23 {
		t.Errorf("%+v", got)
	}
	w.once(report)
}

// once holds that every account that is connected has one account at the vendor,
// one external ID, and a stack with it.
func (w *world) once(report *organisation.Report) {
	w.t.Helper()
	names := map[string]int{}
	for _, a := range w.vendor.accounts {
		names[a.Name]++
	}
	for name, n := range names {
		if n > 1 {
			w.t.Errorf("%d vendor accounts are called %s", n, name)
		}
	}
	for account, n := range w.vendor.minted {
		if n > 1 {
			w.t.Errorf("%d external IDs were minted for %s", n, account)
		}
	}
	stacks := w.org.Deployed()
	for _, row := range report.Accounts {
		if row.State != organisation.Connected {
			continue
		}
		if w.vendor.roles[row.VendorAccount] != row.RoleARN || stacks[row.AccountID]["ExternalId"] != row.ExternalID || row.ExternalID == "" {
			w.t.Errorf("%+v has %v, and %s at the vendor", row, stacks[row.AccountID], w.vendor.roles[row.VendorAccount])
		}
	}
}

// TestAThousandAccounts connects an organisation of which 3 % fail first, while
// AWS and the vendor ask to slow down, and the program is killed once in each
// phase. At the end every account is connected once, or named with its cause.
func TestAThousandAccounts(t *testing.T) {
	accounts := 1000
	if testing.Short() {
		accounts = 100
	}
	w := newWorld(t, rehearsal.Options{Accounts: accounts, Suspended: 2, FailPercent: 3, Seed: 7})
	w.vendor.every = 97
	w.org.Server().Inject(awsrehearsal.Fault{Kind: awsrehearsal.Throttled, Actions: []string{"cloudformation:CreateStackInstances"},
		Times: 9})
	w.org.Server().Inject(awsrehearsal.Fault{Kind: awsrehearsal.Throttled, Actions: []string{"cloudformation:ListStackInstances",
		"organizations:ListAccountsForParent"}, Times: 5})
	for _, phase := range phases() {
		seen, at := 0, accounts/20
		w.killAt(func(call string) bool {
			if call != phase {
				return false
			}
			seen++
			return seen == at
		})
		if report, err := w.apply(organisation.Choice{}); !errors.Is(err, errKilled) {
			t.Errorf("%s: it was not killed: %v %+v", phase, err, report)
		}
	}
	w.killAt(func(string) bool { return false })
	var report *organisation.Report
	var err error
	for range 2 { // the second one tries those that failed
		if report, err = w.apply(organisation.Choice{}); err != nil {
			t.Fatal(err)
		}
	}
	failing := accounts * 3 / 100 / 2
	if got := report.Totals; got.Accounts != accounts-2 || got.Failed > failing || got.Waiting > 0 ||
		got.Connected+got.Failed != got.Accounts {
		t.Errorf("%+v", got)
	}
	for _, row := range report.Accounts {
		if row.State != organisation.Connected && (row.Cause == nil || row.Cause.What == "" || row.Cause.Next == "") {
			t.Errorf("without a cause: %+v", row)
		}
	}
	if w.vendor.refused > 5*w.vendor.slowed { // those that were under way
		t.Errorf("the vendor was asked %d times before the time that it named", w.vendor.refused)
	}
	w.once(report)
}

// phases are the moments at which a run is killed.
func phases() []string {
	return []string{"before create account", "after create account", "before mint", "after mint", "before stacks", "after stacks",
		"before submit", "after submit"}
}
