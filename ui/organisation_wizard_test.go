package ui_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	orgrehearsal "rolecall/aws/rehearsal/organisation"
)

// lineByLine walks rolecall org by typed lines, and gives what was said.
func (b *box) lineByLine(lines ...string) (exit int, stdout string) {
	b.t.Helper()
	cmd := b.command(b.t.Context(), "org", "--plain")
	cmd.Args = cmd.Args[:len(cmd.Args)-1]
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(strings.Join(lines, "\n")+"\n"), &out, &out
	_ = cmd.Run() // the exit code says it
	return cmd.ProcessState.ExitCode(), out.String()
}

// TestAnOrganisationStepByStep ticks the accounts of a unit, leaves, goes on and
// connects them.
func TestAnOrganisationStepByStep(t *testing.T) {
	b, org := newOrganisation(t, orgrehearsal.Options{Accounts: 14})
	// Vendor, partition, profile, account, permissions; then none but those of /prod.
	toTheTree := []string{"", "", "", "", ""}
	exit, said := b.lineByLine(append(toTheTree, "a", "/prod", "a", "", "q")...)
	if exit != 130 || !strings.Contains(said, "6 of 14 accounts ticked") || !strings.Contains(said, "rolecall org") {
		t.Fatalf("exit %d\n%s", exit, said)
	}
	if len(org.StackSets()) != 0 {
		t.Error("something was made before anybody agreed")
	}
	// What was chosen is kept: only the plan is asked about, and the end left.
	exit, said = b.lineByLine("", "", "")
	if exit != 0 || !strings.Contains(said, "Connected: 6 accounts to Spot.") {
		t.Fatalf("exit %d\n%s", exit, said)
	}
	if n := len(org.Deployed()); n != 6 {
		t.Errorf("%d accounts have a stack", n)
	}
	got := readOrganisation(t, b.run("org", "status", "--ou", "/prod").stdout)
	if got.Totals.Connected != 6 {
		t.Errorf("%+v", got.Totals)
	}
	if list := b.run("sessions", "list"); strings.Contains(list.stdout, `"step"`) {
		t.Errorf("the walk is over, and its answers are kept: %s", list.stdout)
	}
}

// TestAccountsAreSelectedByTag plans with a tag, and is bound to it.
func TestAccountsAreSelectedByTag(t *testing.T) {
	b, _ := newOrganisation(t, orgrehearsal.Options{Accounts: 14})
	file := filepath.Join(b.dir, "tags.plan.json")
	got := readOrganisation(t, b.must("org", "plan", "--account-tag", "team=web", "-o", file).stdout)
	if n := len(got.Accounts); n != 5 {
		t.Errorf("%d accounts have the tag", n)
	}
	b.must("approve", file)
	if r := b.run(applying("--plan", file, "--account-tag", "team=core")...); r.exit != 3 {
		t.Errorf("another tag than planned: exit %d %s", r.exit, r.what())
	}
	if got := readOrganisation(t, b.must(applying("--plan", file)...).stdout); got.Totals.Connected != 5 {
		t.Errorf("%+v", got.Totals)
	}
	if r := b.run("org", "status", "--account-tag", "team"); r.exit != 2 {
		t.Errorf("no tag: exit %d", r.exit)
	}
	list := b.must("sessions", "list")
	if !strings.Contains(list.stdout, `"method": "organization"`) || !strings.Contains(list.stdout, `"connected": 5`) {
		t.Errorf("the organization's session is not listed: %s", list.stdout)
	}
}
