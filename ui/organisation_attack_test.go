package ui_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
