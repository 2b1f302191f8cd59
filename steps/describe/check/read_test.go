package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"rolecall/assets"
	"rolecall/steps"
	"rolecall/steps/describe"
)

// acme is a small complete description. Tests change single lines of it.
const acme = `name: acme
title: Acme
wizard: Acme guide
links:
  console: https://acme.example.com
partitions:
  aws:
    title: AWS
    trusted_account: "111122223333"
    customise: true
external_id:
  pattern: acme-[0-9]{8}
  example: acme-12345678
roles:
  - purpose: AcmeRoleArn
    title: Acme
    role_name: Acme-Role
    policy_name: Acme-Policy
    policy: |
      {
        "Version": "2012-10-17",
        "Statement": [
          {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        ]
      }
    why:
      Read:
        for: Read reports.
        without: No reports.
products:
  - id: reports
    title: Reports
    default: true
    role: AcmeRoleArn
    statements: [Read]
methods:
  - id: manual
    access: role
    title: By hand
    steps:
      - {id: vendor, title: Connect}
      - {id: login, title: AWS login}
      - {id: permissions, title: Permissions}
      - id: policy
        role: AcmeRoleArn
        title: Create IAM policy
      - {id: role, role: AcmeRoleArn, title: Create IAM role}
      - {id: connect, title: Hand over}
`

func TestReadAcme(t *testing.T) {
	v, err := steps.Library().Read([]byte(acme), "acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := v.Role("AcmeRoleArn"); !ok || r.Access != describe.AccessRole || len(r.Document.Statements) != 1 {
		t.Errorf("role %+v", r)
	}
	// A file from another system reads the same.
	if _, err := steps.Library().Read([]byte(strings.ReplaceAll(acme, "\n", "\r\n")), "acme.yaml"); err != nil {
		t.Errorf("with CRLF: %v", err)
	}
}

// managed is the line of acme behind which AWS managed policies are added.
const managed = "    policy_name: Acme-Policy\n"

// TestReadManagedPolicies reads roles with AWS managed policies, beside a
// policy of their own and instead of one.
func TestReadManagedPolicies(t *testing.T) {
	beside := strings.Replace(acme, managed, managed+"    managed_policies: [SecurityAudit, job-function/ViewOnlyAccess]\n", 1)
	text, err := os.ReadFile(filepath.Join("testdata", "acme-audit.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		text       string
		statements int
		arns       string
	}{
		"beside":  {beside, 1, "arn:aws-cn:iam::aws:policy/SecurityAudit arn:aws-cn:iam::aws:policy/job-function/ViewOnlyAccess"},
		"instead": {string(text), 0, "arn:aws-cn:iam::aws:policy/SecurityAudit arn:aws-cn:iam::aws:policy/job-function/ViewOnlyAccess"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := steps.Library().ReadForeign([]byte(test.text), "acme.yaml")
			if err != nil {
				t.Fatal(err)
			}
			roles := v.RolesFor(nil, describe.AccessRole)
			if len(roles) != 1 {
				t.Fatalf("%d roles are needed", len(roles))
			}
			if got := strings.Join(roles[0].ManagedARNs("aws-cn", nil), " "); got != test.arns || len(roles[0].Document.Statements) != test.statements {
				t.Errorf("%d statements, attached %s", len(roles[0].Document.Statements), got)
			}
			if doc := v.Compose(roles[0], v.AllBundles(), "aws"); (doc == nil) != (test.statements == 0) {
				t.Errorf("composed %v", doc)
			}
		})
	}
	// Without a policy nothing may refer to one.
	for _, key := range []string{"policy_name: Acme-Policy", "inline: true", "always: [Look]", "why: {Look: {for: a, without: b}}"} {
		wrong := strings.Replace(string(text), "    managed_policies:", "    "+key+"\n    managed_policies:", 1)
		if _, err := steps.Library().ReadForeign([]byte(wrong), "acme.yaml"); err == nil ||
			!strings.Contains(err.Error(), "no policy of its own") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestAllMistakesAtOnce finds them in one reading, in the order of their lines.
func TestAllMistakesAtOnce(t *testing.T) {
	text := strings.NewReplacer("wizard: Acme guide", "wizzard: x", `"111122223333"`, `"1"`, "https://acme", "http://acme",
		"statements: [Read]", "statements: [Read, Reed]", "- id: policy", "- id: polcy").Replace(acme)
	_, err := steps.Library().Read([]byte(text), "acme.yaml")
	var lines []int
	for _, m := range describe.MistakesOf(err) {
		lines = append(lines, m.Line)
	}
	if !slices.Equal(lines, []int{3, 5, 9, 35, 44}) {
		t.Errorf("lines %v:\n%v", lines, err)
	}
}

func TestReadRefusesWhole(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "spaces": " \n\n", "a comment": "# x\n", "a list": "- a\n", "a word": "acme", "not UTF-8": "name: \xff\n",
		"binary": "\x00\x01\x02", "huge": strings.Repeat("# x\n", 70_000), "deep": strings.Repeat("[", 10_000),
		"deep mapping": strings.Repeat("a: {", 4_000),
	} {
		if _, err := steps.Library().Read([]byte(text), "x.yaml"); len(describe.MistakesOf(err)) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRead holds that no input makes Read panic, and that what it says is safe
// to draw.
func FuzzRead(f *testing.F) {
	f.Add([]byte(acme))
	f.Add([]byte("name: \"\\u001b\"\n"))
	f.Add([]byte("a: &a [*a]\n<<: *a\n? [x]\n: y\n"))
	for _, name := range describe.List() {
		text, err := assets.Vendor(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := steps.Library().Read(text, "fuzz.yaml")
		if (v == nil) == (err == nil) {
			t.Fatalf("%v with %v", v, err)
		}
		for _, m := range describe.MistakesOf(err) {
			if m.Line < 1 || m.Column < 1 {
				t.Errorf("no place: %+v", m)
			}
			for _, c := range m.Error() {
				if !unicode.IsPrint(c) {
					t.Errorf("unsafe to draw: %q", m.Error())
				}
			}
		}
	})
}
