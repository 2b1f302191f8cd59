package ui_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// looked is what doctor says of one thing.
type looked struct {
	Name, Status, Detail, Fix string
	Missing                   []string
}

// doctor runs it, and gives its lines by name.
func (b *box) doctor() (lines map[string]looked, exit int) {
	b.t.Helper()
	r := b.run("doctor")
	var said struct{ Lines []looked }
	if err := json.Unmarshal([]byte(r.stdout), &said); err != nil {
		b.t.Fatalf("%v\n%s", err, r.stdout)
	}
	lines = map[string]looked{}
	for _, l := range said.Lines {
		if l.Status != "pass" && l.Fix == "" {
			b.t.Errorf("%s: %s without what to do: %s", l.Name, l.Status, l.Detail)
		}
		lines[l.Name] = l
	}
	return lines, r.exit
}

// optional are the actions that commands do without.
func optional() []string {
	return []string{"iam:ListAccountAliases", "organizations:DescribeOrganization", "sts:GetCallerIdentity",
		"iam:ListEntitiesForPolicy"}
}

// TestDoctorNamesWhatEachCommandLacks compares what doctor says that a command
// needs with what the command asks of AWS when it runs.
func TestDoctorNamesWhatEachCommandLacks(t *testing.T) {
	t.Parallel()
	deedOf := map[string]string{
		"permissions-verify": "verify", "permissions-verify-user": "verify user", "permissions-manual": "connect manual",
		"permissions-direct": "connect direct", "permissions-direct-user": "connect direct user",
		"permissions-automatic": "connect automatic", "permissions-update": "update", "permissions-disconnect": "disconnect",
	}
	asked := map[string][]string{}
	b := newBox(t)
	for _, d := range deeds() {
		for line, deed := range deedOf {
			if deed == d.name {
				asked[line], _ = actionsOf(t, d)
			}
		}
	}
	b.aws.Deny(slices.DeleteFunc(slices.Concat(mapValues(asked)...), func(action string) bool {
		return action == "sts:GetCallerIdentity"
	})...)
	lines, exit := b.doctor()
	if exit != 0 {
		t.Errorf("exit %d", exit)
	}
	for name, actions := range asked {
		for _, action := range actions {
			if !slices.Contains(lines[name].Missing, action) && !slices.Contains(optional(), action) {
				t.Errorf("%s calls %s, and doctor does not name it in %v", name, action, lines[name].Missing)
			}
		}
		if lines[name].Status != "warn" {
			t.Errorf("%s is %s", name, lines[name].Status)
		}
	}
}

func mapValues(m map[string][]string) [][]string {
	var all [][]string
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

func TestDoctorLooksAtTheWholeWay(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	lines, exit := b.doctor()
	for _, name := range []string{"version", "data", "terminal", "clipboard", "sessions", "profiles", "aws", "clock", "endpoint-iam",
		"endpoint-cloudformation", "endpoint-organizations", "permissions-verify", "permissions-direct", "permissions-automatic"} {
		if lines[name].Name == "" {
			t.Errorf("nothing is said of %s", name)
		}
	}
	for _, name := range []string{"aws", "endpoint-iam", "endpoint-cloudformation", "endpoint-organizations", "permissions-direct"} {
		if l := lines[name]; l.Status != "pass" {
			t.Errorf("%s: %s, %s", name, l.Status, l.Detail)
		}
	}
	if exit != 0 {
		t.Errorf("exit %d", exit)
	}
	if l := lines["clock"]; l.Status == "unknown" || !strings.Contains(l.Detail, "AWS's") {
		t.Errorf("the clock: %+v", l)
	}

	b.aws.Deny("iam:CreateRole")
	lines, _ = b.doctor()
	if got := lines["permissions-direct"].Missing; len(got) != 1 || got[0] != "iam:CreateRole" {
		t.Errorf("direct lacks %v", got)
	}
	if l := lines["permissions-verify"]; l.Status != "pass" {
		t.Errorf("verify: %+v", l)
	}
	b.aws.Deny("iam:SimulatePrincipalPolicy")
	lines, exit = b.doctor()
	if l := lines["permissions-verify"]; l.Status != "unknown" || exit != 0 {
		t.Errorf("exit %d, verify: %+v", exit, l)
	}
}
