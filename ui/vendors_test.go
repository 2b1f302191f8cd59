package ui_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rolecall/assets"
	"rolecall/steps"
	"rolecall/steps/describe"
)

// documented is the complete example of the page on vendors' files.
func documented(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "assets", "vendors", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```yaml\n")
	example, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatal("the page has no example")
	}
	return example
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheDocumentedVendorWorks(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := write(t, filepath.Join(home, "acme.yaml"), documented(t))
	if code, out, talk := command(t, home, nil, "vendors", "check", file, "--fail-on", "medium"); code != 0 ||
		!strings.Contains(out, "no mistakes") {
		t.Fatalf("check: exit %d\n%s%s", code, out, talk)
	}
	const address = "https://console.acme.example/api/aws-accounts"
	for _, method := range []string{"manual", "direct"} {
		code, out, talk := command(t, home, nil, "rehearse", "--yes", "--json", "--vendor", file, "--method", method)
		if code != 2 || !strings.Contains(talk, "--send-to") || !strings.Contains(talk, address) {
			t.Errorf("%s without its address: exit %d\n%s%s", method, code, out, talk)
		}
		code, out, talk = command(t, home, nil, "rehearse", "--yes", "--json", "--vendor", file, "--method", method, "--send-to", address)
		var result struct {
			Submitted  bool
			ExternalID string `json:"external_id"`
			Roles      []struct{ Purpose, ARN string }
		}
		if err := json.Unmarshal([]byte(out), &result); err != nil || code != 0 {
			t.Fatalf("%s: exit %d, %v\n%s%s", method, code, err, out, talk)
		}
		if !result.Submitted || result.ExternalID != "acme-0123456789ab" || len(result.Roles) != 1 ||
			result.Roles[0].ARN != "arn:aws:iam::123456789012:role/Acme-Role" {
			t.Errorf("%s: %+v", method, result)
		}
	}
}

func TestAVendorInTheUsersFolderIsKnownByName(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	write(t, filepath.Join(home, "config", "rolecall", "vendors", "acme.yaml"), documented(t))
	write(t, filepath.Join(home, "config", "rolecall", "vendors", "broken.yaml"), "name: broken\n")
	write(t, filepath.Join(home, "config", "rolecall", "vendors", "spot.yaml"), documented(t))
	code, out, talk := command(t, home, nil, "vendors", "list")
	if code != 0 || !strings.Contains(out, "Acme") || !strings.Contains(talk, "broken is left out") || strings.Count(out, "Acme") != 1 {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
	if code, out, talk := command(t, home, nil, "vendors", "show", "acme"); code != 0 || !strings.Contains(out, "111122223333") {
		t.Errorf("exit %d\n%s%s", code, out, talk)
	}
	if code, out, talk := command(t, home, nil, "vendors", "show", "spot"); code != 0 || !strings.Contains(out, "922761411349") {
		t.Errorf("a file took Spot's place: exit %d\n%s%s", code, out, talk)
	}
	if code, _, talk := command(
		t,
		home,
		nil,
		"rehearse",
		"--yes",
		"--vendor",
		"acme",
		"--send-to",
		"https://elsewhere.example/",
	); code != 2 ||
		!strings.Contains(talk, "--send-to") {
		t.Errorf("another address was allowed: exit %d\n%s", code, talk)
	}
	if code, _, talk := command(t, home, nil, "rehearse", "--yes"); code != 0 {
		t.Errorf("a broken file stops the default: exit %d\n%s", code, talk)
	}
	if code, _, talk := command(t, home, nil, "connect", "--yes", "--vendor", "broken"); code != 2 || !strings.Contains(talk, "title") {
		t.Errorf("exit %d\n%s", code, talk)
	}
}

func TestCheckReportsEveryMistakeWithItsPlace(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	text := documented(t)
	for _, change := range [][2]string{
		{"title: Acme\n", "titel: Acme\napi: spot\n"},
		{`trusted_account: "111122223333"`, `trusted_account: 111122223333`},
		{"  console: https://", "  console: http://"},
		{"{account_id}", "{account}"},
		{"ec2:DescribeVolumes\"]", "ec2:DescribeVolumes\"],"},
		{"      - id: create\n", "      - id: conjure\n"},
	} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("the example has no %q", change[0])
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	file := write(t, filepath.Join(home, "acme.yaml"), text)
	code, out, talk := command(t, home, nil, "vendors", "check", file, "--json")
	var checked struct {
		OK       bool
		Mistakes []struct {
			Line, Column int
			What, Next   string
		}
	}
	if err := json.Unmarshal([]byte(out), &checked); err != nil || code != 3 || checked.OK {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out, talk)
	}
	lines := strings.Split(text, "\n")
	for _, want := range []struct{ what, at string }{
		{"titel", "titel: Acme"}, {"Only a description that comes with rolecall", "api: spot"}, {"111122223333 without quotes",
			"trusted_account:"},
		{"no https link", "console: http://"}, {"{account}", "body: |"}, {"conjure", "id: conjure"},
	} {
		found := false
		for _, m := range checked.Mistakes {
			if strings.Contains(m.What, want.what) {
				found = true
				if m.Line < 1 || m.Column < 1 || !strings.Contains(lines[m.Line-1]+lines[max(m.Line-2, 0)], want.at) {
					t.Errorf("%q is said to stand at %d:%d: %q", m.What, m.Line, m.Column, lines[m.Line-1])
				}
				if m.Next == "" {
					t.Errorf("%q says nothing to do", m.What)
				}
			}
		}
		if !found {
			t.Errorf("%q was not found in %+v", want.what, checked.Mistakes)
		}
	}
	if code, _, _ := command(t, home, nil, "vendors", "check", filepath.Join(home, "nothing.yaml")); code != 2 {
		t.Errorf("a file that is not there: exit %d", code)
	}
	if code, _, talk := command(t, home, nil, "vendors", "check", file, "--fail-on", "terrible"); code != 2 ||
		!strings.Contains(talk, "no severity") {
		t.Errorf("exit %d\n%s", code, talk)
	}
}

// TestTheSchemaSaysWhatReadSays holds the schema to the reader: what the schema
// requires, the reader misses.
func TestTheSchemaSaysWhatReadSays(t *testing.T) {
	t.Parallel()
	code, out, _ := command(t, t.TempDir(), nil, "vendors", "schema")
	var schema struct {
		Required   []string
		Properties map[string]struct{ Description string }
		Defs       map[string]struct {
			Required   []string
			Properties map[string]struct {
				Description string
				Enum        []string
			}
			AdditionalProperties bool
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(out), &schema); err != nil || code != 0 {
		t.Fatalf("exit %d, %v", code, err)
	}
	if !strings.Contains(schema.Properties["name"].Description, "--vendor") || schema.Defs["Role"].AdditionalProperties {
		t.Errorf("%+v", schema.Properties)
	}
	if got := schema.Defs["Step"].Properties["id"].Enum; strings.Join(got, " ") != strings.Join(steps.Library().StepIDs(), " ") {
		t.Errorf("steps %v", got)
	}
	text := documented(t)
	missing := map[string][]string{"": schema.Required, "Role": schema.Defs["Role"].Required, "Request": schema.Defs["Request"].Required}
	for def, keys := range missing {
		if len(keys) == 0 {
			t.Errorf("%q requires nothing", def)
		}
		for _, key := range keys {
			indent := map[string]string{"": "\n", "Role": "\n    ", "Request": "\n  "}[def]
			if key == "purpose" {
				indent = "\n  - "
			}
			without := strings.Replace("\n"+text, indent+key+":", indent+"x_"+key+":", 1)
			if without == "\n"+text {
				t.Fatalf("the example has no %s of %s", key, def)
			}
			_, err := steps.Library().ReadForeign([]byte(without), "acme.yaml")
			if err == nil || !strings.Contains(err.Error(), `no key "`+key+`"`) {
				t.Errorf("without %s of %q: %v", key, def, err)
			}
		}
	}
}

// rehearsal is the command line that rehearses a method of a file unattended.
func rehearsal(file, method, access string) []string {
	args := []string{"rehearse", "--yes", "--json", "--vendor", file, "--method", method, "--access", access}
	if method == "automatic" {
		args = append(args, "--acknowledge-iam-capabilities")
	}
	return args
}

// TestEveryVendorWorks goes through every method of every vendor that comes with
// the program as a script would, and holds each to a page for its facts and the
// day on which it was read.
func TestEveryVendorWorks(t *testing.T) {
	t.Parallel()
	for _, name := range assets.Vendors() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			v, err := steps.Library().Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := time.Parse(time.DateOnly, v.Read); err != nil || len(v.Source) == 0 {
				t.Errorf("%d sources, read on %q", len(v.Source), v.Read)
			}
			for _, source := range v.Source {
				if !strings.Contains(source, "https://") {
					t.Errorf("a source without its page: %s", source)
				}
			}
			for _, m := range v.Methods {
				args := append(rehearsal(name, m.ID, m.Access), parametersOf(v)...)
				if m.Access == describe.AccessUser {
					args = append(args, "--secret-file", filepath.Join(home, m.ID+"-secret"))
				}
				code, out, talk := command(t, home, nil, args...)
				var result struct {
					Roles []struct{ ARN string }
					Users []struct{ ARN string }
				}
				if err := json.Unmarshal([]byte(out), &result); err != nil || code != 0 || len(result.Roles)+len(result.Users) == 0 {
					t.Errorf("%s %s: exit %d, %v\n%s%s", m.ID, m.Access, code, err, out, talk)
				}
			}
		})
	}
}

// parametersOf are flags that give each parameter the value of its example.
func parametersOf(v *describe.Vendor) []string {
	var args []string
	for _, role := range v.RolesFor(nil, describe.AccessRole) {
		for _, name := range role.ParameterNames() {
			args = append(args, role.Parameters[name].Flag, role.Parameters[name].Sample())
		}
	}
	return args
}

// TestAVendorWithManagedPoliciesAlone goes through the commands with a role that
// has no policy of the vendor's.
func TestAVendorWithManagedPoliciesAlone(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := filepath.Join("..", "steps", "describe", "check", "testdata", "acme-audit.yaml")
	for _, run := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"vendors", "check", file}, 0, []string{"no mistakes", "AWS managed policy job-function/ViewOnlyAccess, not reviewed"}},
		{[]string{"vendors", "show", file}, 0, []string{"AWS managed policy SecurityAudit"}},
		{[]string{"vendors", "show", file, "--json"}, 0, []string{`"managed_policies"`, `"statements": 0`}},
		{[]string{"policy", "show", "--vendor", file, "--format", "json"}, 2, []string{"no policy of its own",
			"arn:aws:iam::aws:policy/SecurityAudit"}},
		{[]string{"policy", "show", "--vendor", file, "--format", "cloudformation"}, 0,
			[]string{`- !Sub "arn:${AWS::Partition}:iam::aws:policy/job-function/ViewOnlyAccess"`}},
		{[]string{"policy", "show", "--vendor", file, "--format", "terraform"}, 0, []string{`:iam::aws:policy/SecurityAudit"`}},
		{[]string{"policy", "show", "--vendor", file, "--format", "cli"}, 0, []string{"--policy-arn 'arn:aws:iam::aws:policy/SecurityAudit'"}},
		{[]string{"policy", "diff", "vendor:" + file, "vendor:spot"}, 2, []string{"no policy of its own"}},
	} {
		code, out, talk := command(t, home, nil, run.args...)
		if code != run.code {
			t.Errorf("%v: exit %d, want %d\n%s%s", run.args, code, run.code, out, talk)
		}
		for _, want := range run.want {
			if !strings.Contains(out+talk, want) {
				t.Errorf("%v: no %q in\n%s%s", run.args, want, out, talk)
			}
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sweeping := write(t, filepath.Join(home, "sweeping.yaml"), strings.Replace(string(text), "[SecurityAudit,", "[AdministratorAccess,", 1))
	if code, out, talk := command(t, home, nil, "vendors", "check", sweeping, "--fail-on", "high"); code != 3 ||
		!strings.Contains(out, "Can do everything in the account") {
		t.Errorf("AdministratorAccess: exit %d\n%s%s", code, out, talk)
	}
	for _, method := range []string{"manual", "automatic", "direct"} {
		if code, out, talk := command(
			t,
			home,
			nil,
			rehearsal(file, method, describe.AccessRole)...); code != 0 || !strings.Contains(out, `:role/Acme-Audit"`) ||
			!strings.Contains(out, `"arn:aws:iam::aws:policy/SecurityAudit"`) {
			t.Errorf("%s: exit %d\n%s%s", method, code, out, talk)
		}
	}
	plan := filepath.Join(home, "acme.plan.json")
	if code, out, talk := command(t, home, nil, "plan", "--vendor", file, "--method", "direct", "-o", plan); code != 0 ||
		!strings.Contains(talk, "AWS managed") {
		t.Fatalf("plan: exit %d\n%s%s", code, out, talk)
	}
	if code, out, talk := command(t, home, nil, "approve", plan, "--as", "someone"); code != 0 ||
		!strings.Contains(talk, "arn:aws:iam::aws:policy/SecurityAudit") {
		t.Fatalf("approve: exit %d\n%s%s", code, out, talk)
	}
}
