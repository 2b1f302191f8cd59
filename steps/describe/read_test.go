package describe_test

import (
	"fmt"
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
      - id: policy
        role: AcmeRoleArn
        title: Create IAM policy
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
			if got := strings.Join(roles[0].ManagedARNs("aws-cn"), " "); got != test.arns || len(roles[0].Document.Statements) != test.statements {
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
		if _, err := steps.Library().ReadForeign([]byte(wrong), "acme.yaml"); err == nil || !strings.Contains(err.Error(), "no policy of its own") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestMistakes changes one line of acme and expects one mistake with its place.
func TestMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		old, new string
		at       string // line:column
		says     string
	}{
		"unknown key":              {"wizard: Acme guide", "wizzard: Acme guide", "3:1", `"wizzard" is unknown in the description`},
		"hint":                     {"    trusted_account:", "    trusted_acount:", "9:5", "Did you mean trusted_account?"},
		"unknown key below":        {"    title: Reports", "    tittle: Reports", "32:5", `"tittle" is unknown in products[0]`},
		"key twice":                {"title: Acme\nwizard", "title: Acme\ntitle: Acme\nwizard", "3:1", "stands here twice"},
		"number without quotes":    {`"111122223333"`, "111122223333", "9:22", "111122223333 without quotes"},
		"text for a list":          {"statements: [Read]", "statements: Read", "35:17", "products[0].statements is of the wrong kind"},
		"text for true":            {"customise: true", "customise: maybe", "10:16", "partitions.aws.customise is of the wrong kind"},
		"list for text":            {"title: Acme\nwizard", "title: [Acme]\nwizard", "2:8", "title is of the wrong kind"},
		"no value":                 {"wizard: Acme guide", "wizard:", "3:8", "wizard has no value"},
		"empty":                    {"title: Acme\nwizard", "title: \"\"\nwizard", "2:8", "title is empty"},
		"missing key":              {"    title: By hand\n", "", "37:5", `methods[0] has no key "title"`},
		"missing at the top":       {"title: Acme\nwizard", "wizard", "1:1", `the description has no key "title"`},
		"missing list":             {"    role_name: Acme-Role\n", "", "15:5", `roles[0] has no key "role_name"`},
		"name":                     {"name: acme", "name: Acme Inc", "1:7", `"Acme Inc" cannot be name`},
		"role name":                {"role_name: Acme-Role", "role_name: Acme Role", "17:16", `"Acme Role" cannot be roles[0].role_name`},
		"account":                  {`"111122223333"`, `"1111"`, "9:22", `"1111" is not an AWS account number`},
		"partition":                {"  aws:\n    title: AWS", "  moon:\n    title: AWS", "7:3", `"moon" cannot be partitions.moon`},
		"http":                     {"https://acme.example.com", "http://acme.example.com", "5:12", "links.console is no https link"},
		"script":                   {"https://acme.example.com", "javascript:alert(1)", "5:12", "no https link"},
		"password in a link":       {"https://acme.example.com", "https://me:pw@acme.example.com", "5:12", "no https link"},
		"bad pattern":              {"acme-[0-9]{8}", "acme-[0-9", "12:12", "external_id.pattern is no pattern"},
		"example against its rule": {"acme-12345678", "acme-1", "13:12", "does not follow external_id.pattern"},
		"no external ID rule":      {"external_id:\n  pattern: acme-[0-9]{8}\n  example: acme-12345678\n", "", "12:5", "has no rule for it"},
		"control character":        {"title: Reports", `title: "Re\u001bports"`, "32:12", "invisible character U+001B"},
		"turned text":              {"title: Reports", `title: "Re\u202eports"`, "32:12", "invisible character U+202E"},
		"dangling Sid":             {"statements: [Read]", "statements: [Reed, Read]", "35:18", `There is no statement "Reed"`},
		"dangling role":            {"    role: AcmeRoleArn\n    statements", "    role: AcmeRole\n    statements", "34:11", `There is no role "AcmeRole"`},
		"dangling reason":          {"      Read:\n", "      Read: {for: a, without: b}\n      Write:\n", "28:7", `There is no statement "Write"`},
		"no reason":                {"        without: No reports.\n", "", "28:9", `has no key "without"`},
		"step unknown":             {"- id: policy", "- id: polcy", "41:13", "Did you mean policy?"},
		"mark unknown":             {"        title: Create IAM policy\n", "        title: Create IAM policy\n        instructions: [a, b]\n        marks: {opened: 1, Policy documnt: 2}\n", "45:28", "Did you mean Policy document?"},
		"mark of another step":     {"        title: Create IAM policy\n", "        title: Create IAM policy\n        instructions: [a]\n        marks: {External ID: 1}\n", "45:17", `nothing called "External ID" to open or to copy`},
		"mark without instruction": {"        title: Create IAM policy\n", "        title: Create IAM policy\n        instructions: [a]\n        marks: {opened: 2}\n", "45:25", "There is no instruction 2"},
		"mark of no instruction":   {"        title: Create IAM policy\n", "        title: Create IAM policy\n        marks: {opened: 1}\n", "44:25", "There is no instruction 1"},
		"marks where none are":     {"        title: Create IAM policy\n", "        title: Create IAM policy\n      - id: login\n        title: L\n        instructions: [a]\n        marks: {opened: 1}\n", "47:17", `The step "login" shows no instruction as done`},
		"marks of a user's step":   {"        title: Create IAM policy\n", "        title: Create IAM policy\n      - id: connect\n        title: L\n        instructions: [a]\n        marks: {Access key: 1}\n", "47:17", `The step "connect" shows no instruction as done`},
		"condition unknown":        {"        title: Create IAM policy\n", "        title: Create IAM policy\n        instructions: [a]\n        only: {no-tokn: [1]}\n", "45:16", "Did you mean no-token?"},
		"condition of no number":   {"        title: Create IAM policy\n", "        title: Create IAM policy\n        instructions: [a]\n        only: {AcmeRoleArn: [2]}\n", "45:", "There is no instruction 2"},
		"page of another step":     {"        title: Create IAM policy\n", "        title: Create IAM policy\n        instructions: [a]\n        page: {External ID: [1]}\n", "45:16", `Nothing called "External ID" spares`},
		"page where none opens":    {"        title: Create IAM policy\n", "        title: Create IAM policy\n      - id: login\n        title: L\n        instructions: [a]\n        page: {opens: [1]}\n", "47:16", "the step opens no page"},
		"API unknown":              {"wizard: Acme guide", "api: sport", "3:6", "Did you mean spot?"},
		"step without role":        {"        role: AcmeRoleArn\n        title", "        title", "41:9", `has no key "role"`},
		"step with a wrong role":   {"        role: AcmeRoleArn\n        title", "        role: Other\n        title", "42:15", `There is no role "Other"`},
		"method unknown":           {"id: manual", "id: magic", "37:9", `"magic" cannot be methods[0].id`},
		"nothing serves it":        {"statements: [Read]", "statements: []", "19:13", `The statement "Read" serves no product`},
		"policy: JSON":             {`"Resource": "*"}`, `"Resource": "*",}`, "23:", "Correct the policy"},
		"policy: statement":        {`"Effect": "Allow", `, "", "23:", "Correct the policy"},
		"policy: no Sid":           {`"Sid": "Read", `, "", "23:11", "The statement has no Sid"},
		"policy: bad version":      {`"2012-10-17"`, `"2008-10-17"`, "21:", "Correct the policy"},
		"alias":                    {"title: Acme\nwizard", "title: *x\nwizard", "2:8", "wrong kind"},
		"anchor":                   {"title: Acme\nwizard", "title: &x Acme\nwizard", "2:8", "wrong kind"},
		"tag":                      {"title: Acme\nwizard", "title: !!binary QQ==\nwizard", "2:8", "wrong kind"},
		"merge key":                {"    customise: true", "    customise: true\n    <<: {title: AWS}", "11:5", "not a plain key"},
		"tab":                      {"  example: acme-12345678", "\texample: acme-12345678", "13:", "not well-formed YAML"},
		"second document":          {"methods:", "---\nmethods:", "37:1", "more than one document"},
		"description too wide":     {"    policy_name: Acme-Policy", "    policy_name: Acme-Policy\n    description: An “Acme” role", "19:18", "AWS would refuse this description"},
		"neither policy":           {"    policy: |\n", "    x: |\n", "15:5", "the JSON of all statements, or managed_policies alone"},
		"managed policy: ARN":      {managed, managed + "    managed_policies: [\"arn:aws:iam::aws:policy/SecurityAudit\"]\n", "19:24", "what stands behind policy/ in its ARN"},
		"managed policy: path":     {managed, managed + "    managed_policies: [/SecurityAudit]\n", "19:24", `"/SecurityAudit" cannot be`},
		"managed policy: control":  {managed, managed + "    managed_policies: [\"Security\\u001bAudit\"]\n", "19:24", "invisible character U+001B"},
		"managed policy: empty":    {managed, managed + "    managed_policies: [\"\"]\n", "19:24", "is empty"},
		"managed policy: twice":    {managed, managed + "    managed_policies: [SecurityAudit, SecurityAudit]\n", "19:39", "stands here twice"},
		"managed policy: text":     {managed, managed + "    managed_policies: SecurityAudit\n", "19:23", "is of the wrong kind"},
		"managed policies: many":   {managed, managed + "    managed_policies: [a, b, c, d, e, f, g, h, i, j]\n", "19:23", "at most 9 here"},
		"managed policies: user":   {managed, managed + "    managed_policies: [SecurityAudit]\n    access: user\n    user_name: Acme\n", "19:23", "to roles alone"},
		"integration with a role":  {"    statements: [Read]\n", "    statements: [Read]\n    integrations:\n      - {id: a, title: A, role: AcmeRoleArn}\n", "37:9", "An integration has a role"},
		"product twice":            {"methods:", "  - {id: reports, title: R, role: AcmeRoleArn}\nmethods:", "36:10", "stands twice in products"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(acme, test.old) != 1 {
				t.Fatalf("%q stands %d times in acme", test.old, strings.Count(acme, test.old))
			}
			_, err := steps.Library().Read([]byte(strings.Replace(acme, test.old, test.new, 1)), "acme.yaml")
			mistakes := describe.MistakesOf(err)
			i := slices.IndexFunc(mistakes, func(m describe.Mistake) bool {
				return strings.HasPrefix(fmt.Sprintf("%d:%d", m.Line, m.Column), test.at) && strings.Contains(m.Error(), test.says)
			})
			if i < 0 {
				t.Fatalf("want %s %s, got:\n%v", test.at, test.says, err)
			}
			m := mistakes[i]
			if m.File != "acme.yaml" || m.What == "" || m.Expected == "" || m.Next == "" {
				t.Errorf("incomplete: %+v", m)
			}
		})
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
	if !slices.Equal(lines, []int{3, 5, 9, 35, 41}) {
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
