package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rolecall/steps"
	"rolecall/steps/describe"
)

// wrongFile is acme with one thing changed, and the mistake in it.
type wrongFile struct {
	old, new string
	at       string // line:column
	says     string
}

// text is the file.
func (w wrongFile) text(t *testing.T) string {
	t.Helper()
	if strings.Count(acme, w.old) != 1 {
		t.Fatalf("%q stands %d times in acme", w.old, strings.Count(acme, w.old))
	}
	return strings.Replace(acme, w.old, w.new, 1)
}

// Pieces of acme that several files change.
const (
	stepPolicy  = "        title: Create IAM policy\n"
	stepVendor  = "      - {id: vendor, title: Connect}\n"
	stepLogin   = "      - {id: login, title: AWS login}\n"
	stepAllowed = "      - {id: permissions, title: Permissions}\n"
	stepRole    = "      - {id: role, role: AcmeRoleArn, title: Create IAM role}\n"
	stepConnect = "      - {id: connect, title: Hand over}\n"
	resource    = `"Resource": "*"}`
	bucketRule  = "    policy: |\n"
)

// between is the part of acme between two of its texts, or to its end.
func between(from, to string) string {
	_, rest, _ := strings.Cut(acme, from)
	if to != "" {
		rest, _, _ = strings.Cut(rest, to)
	}
	return rest
}

// sendsTo gives acme a declared request.
func sendsTo(url, body string) wrongFile {
	return wrongFile{old: "wizard: Acme guide\n", new: "wizard: Acme guide\nhand_over:\n  url: " + url + "\n  body: '" + body + "'\n"}
}

func (w wrongFile) is(at, says string) wrongFile {
	w.at, w.says = at, says
	return w
}

// parameter gives acme a parameter of these keys, which its policy uses.
func parameter(keys string) wrongFile {
	return wrongFile{old: bucketRule, new: "    parameters:\n      BUCKET: " + keys + "\n" + bucketRule}
}

// longPolicy is longer than what AWS takes as a role's own.
func longPolicy() string {
	return `{"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}, {"Sid": "More", "Effect": "Allow", "Action": [` +
		strings.Repeat(
			`"s3:GetObjectVersionForReplication", `,
			400,
		) + `"s3:GetObject"], "Resource": "*"}]}`
}

func wrongFiles() map[string]wrongFile {
	return map[string]wrongFile{
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
		"trust of an odd kind":     {bucketRule, "    trust: soon\n" + bucketRule, "19:12", `"soon" cannot be roles[0].trust`},
		"trust without its step":   {bucketRule, "    trust: later\n" + bucketRule, "", `no step "admit" for AcmeRoleArn`},
		"its step without trust":   {stepConnect, "      - {id: admit, role: AcmeRoleArn, title: Admit}\n" + stepConnect, "", "is known before it is made"},
		"trust and no external ID": {bucketRule, "    trust: later\n    no_external: none\n" + bucketRule, "19:12", "no external ID that could come later"},
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
		"dangling role": {
			"    role: AcmeRoleArn\n    statements",
			"    role: AcmeRole\n    statements",
			"34:11",
			`There is no role "AcmeRole"`,
		},
		"dangling reason": {
			"      Read:\n",
			"      Read: {for: a, without: b}\n      Write:\n",
			"28:7",
			`There is no statement "Write"`,
		},
		"no reason":    {"        without: No reports.\n", "", "28:9", `has no key "without"`},
		"step unknown": {"- id: policy", "- id: polcy", "44:13", "Did you mean policy?"},
		"mark unknown": {
			"        title: Create IAM policy\n",
			"        title: Create IAM policy\n        instructions: [a, b]\n        marks: {opened: 1, Policy documnt: 2}\n",
			"48:28",
			"Did you mean Policy document?",
		},
		"mark of another step": {
			"        title: Create IAM policy\n",
			"        title: Create IAM policy\n        instructions: [a]\n        marks: {External ID: 1}\n",
			"48:17",
			`nothing called "External ID" to open or to copy`,
		},
		"mark without instruction": {
			"        title: Create IAM policy\n",
			"        title: Create IAM policy\n        instructions: [a]\n        marks: {opened: 2}\n",
			"48:25",
			"There is no instruction 2",
		},
		"mark of no instruction": {
			"        title: Create IAM policy\n",
			"        title: Create IAM policy\n        marks: {opened: 1}\n",
			"47:25",
			"There is no instruction 1",
		},
		"marks where none are": {
			"      - {id: login, title: AWS login}\n",
			"      - id: login\n        title: L\n        instructions: [a]\n        marks: {opened: 1}\n",
			"45:17",
			`The step "login" shows no instruction as done`,
		},
		"marks of a user's step": {
			"      - {id: connect, title: Hand over}\n",
			"      - id: connect\n        title: L\n        instructions: [a]\n        marks: {Access key: 1}\n",
			"51:17",
			`The step "connect" shows no instruction as done`,
		},
		"API unknown":       {"wizard: Acme guide", "api: sport", "3:6", "Did you mean spot?"},
		"step without role": {"        role: AcmeRoleArn\n        title", "        title", "44:9", `has no key "role"`},
		"step with a wrong role": {
			"        role: AcmeRoleArn\n        title",
			"        role: Other\n        title",
			"45:15",
			`There is no role "Other"`,
		},
		"method unknown":      {"id: manual", "id: magic", "37:9", `"magic" cannot be methods[0].id`},
		"nothing serves it":   {"statements: [Read]", "statements: []", "19:13", `The statement "Read" serves no product`},
		"policy: JSON":        {`"Resource": "*"}`, `"Resource": "*",}`, "23:", "Correct the policy"},
		"policy: statement":   {`"Effect": "Allow", `, "", "23:", "Correct the policy"},
		"policy: no Sid":      {`"Sid": "Read", `, "", "23:11", "The statement has no Sid"},
		"policy: bad version": {`"2012-10-17"`, `"2008-10-17"`, "21:", "Correct the policy"},
		"alias":               {"title: Acme\nwizard", "title: *x\nwizard", "2:8", "written with an alias"},
		"anchor":              {"title: Acme\nwizard", "title: &x Acme\nwizard", "2:8", "written with an anchor"},
		"tag":                 {"title: Acme\nwizard", "title: !!binary QQ==\nwizard", "2:8", "written with a tag"},
		"merge key":           {"    customise: true", "    customise: true\n    <<: {title: AWS}", "11:5", "not a plain key"},
		"tab":                 {"  example: acme-12345678", "\texample: acme-12345678", "13:", "not well-formed YAML"},
		"second document":     {"methods:", "---\nmethods:", "37:1", "more than one document"},
		"description too wide": {
			"    policy_name: Acme-Policy",
			"    policy_name: Acme-Policy\n    description: An “Acme” role",
			"19:18",
			"AWS would refuse this description",
		},
		"neither policy": {"    policy: |\n", "    x: |\n", "15:5", "the JSON of all statements, or managed_policies alone"},
		"managed policy: ARN": {
			managed,
			managed + "    managed_policies: [\"arn:aws:iam::aws:policy/SecurityAudit\"]\n",
			"19:24",
			"what stands behind policy/ in its ARN",
		},
		"managed policy: path": {managed, managed + "    managed_policies: [/SecurityAudit]\n", "19:24", `"/SecurityAudit" cannot be`},
		"managed policy: control": {
			managed,
			managed + "    managed_policies: [\"Security\\u001bAudit\"]\n",
			"19:24",
			"invisible character U+001B",
		},
		"managed policy: empty":  {managed, managed + "    managed_policies: [\"\"]\n", "19:24", "is empty"},
		"managed policy: twice":  {managed, managed + "    managed_policies: [SecurityAudit, SecurityAudit]\n", "19:39", "stands here twice"},
		"managed policy: text":   {managed, managed + "    managed_policies: SecurityAudit\n", "19:23", "is of the wrong kind"},
		"managed policies: many": {managed, managed + "    managed_policies: [a, b, c, d, e, f, g, h, i, j]\n", "19:23", "at most 9 here"},
		"managed policies: user": {
			managed,
			managed + "    managed_policies: [SecurityAudit]\n    access: user\n    user_name: Acme\n",
			"19:23",
			"to roles alone",
		},
		"integration with a role": {
			"    statements: [Read]\n",
			"    statements: [Read]\n    integrations:\n      - {id: a, title: A, role: AcmeRoleArn}\n",
			"37:9",
			"An integration has a role",
		},
		"product twice": {"methods:", "  - {id: reports, title: R, role: AcmeRoleArn}\nmethods:", "36:10", "stands twice in products"},
		"condition unknown": {
			"        title: Create IAM policy\n",
			"        title: Create IAM policy\n        instructions: [a]\n        only: {no-tokn: [1]}\n",
			"48:16",
			"Did you mean no-token?",
		},
		"condition of no number": {
			"        title: Create IAM policy\n",
			"        title: Create IAM policy\n        instructions: [a]\n        only: {AcmeRoleArn: [2]}\n",
			"48:",
			"There is no instruction 2",
		},
		"page of another step": {
			"        title: Create IAM policy\n",
			"        title: Create IAM policy\n        instructions: [a]\n        page: {External ID: [1]}\n",
			"48:16",
			`Nothing called "External ID" spares`,
		},
		"page where none opens": {
			"      - {id: login, title: AWS login}\n",
			"      - id: login\n        title: L\n        instructions: [a]\n        page: {opens: [1]}\n",
			"45:16",
			"the step opens no page",
		},
		// What a method has to be made of.
		"no methods":                {"methods:\n" + between("methods:\n", ""), "", "1:1", `has no key "methods"`},
		"no step vendor":            {stepVendor, "", "41:7", `no step "vendor"`},
		"no step login":             {stepLogin, "", "41:7", `no step "login"`},
		"no step permissions":       {stepAllowed, "", "41:7", `no step "permissions"`},
		"no step role":              {stepRole, "", "41:7", `no step "role" for AcmeRoleArn`},
		"no step connect":           {stepConnect, "", "41:7", `no step "connect"`},
		"steps reversed":            {stepVendor + stepLogin, stepLogin + stepVendor, "42:14", `"vendor" stands behind "login"`},
		"hand-over before the role": {stepRole + stepConnect, stepConnect + stepRole, "48:14", `"role" stands behind "connect"`},
		"stack in a manual method":  {stepRole, "      - {id: stack, title: Stack}\n" + stepRole, "47:14", `has no step "stack"`},
		"direct without create":     {"- id: manual", "- id: direct", "41:7", `no step "create"`},
		"automatic for a user":      {"access: role", "access: user", "38:13", "has no user that this method could make"},
		"a way that there is not": {
			"  - id: manual\n    access: role",
			"  - id: automatic\n    access: user",
			"38:13",
			"rolecall has no method automatic for a user",
		},
		"only the step vendor": {stepLogin + stepAllowed, "", "41:7", `no step "login"`},
		"the same step twice":  {stepLogin, stepLogin + stepLogin, "43:14", "stands here twice"},
		"the same method twice": {
			stepConnect,
			stepConnect + "  - {id: manual, access: role, title: B, steps: [{id: vendor, title: a}, {id: login, title: a}, {id: permissions, " +
				"title: a}, {id: policy, role: AcmeRoleArn, title: a}, {id: role, role: AcmeRoleArn, title: a}, {id: connect, title: a}]}\n",
			"49:10",
			"stands here twice",
		},
		"a user that nobody makes": {
			"products:\n",
			"  - {purpose: U, access: user, title: U, user_name: u, policy_name: p, policy: '{\"Version\": \"2012-10-17\", \"Statement\": " +
				"[{\"Sid\": \"A\", \"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"*\"}]}', why: {A: {for: a, without: b}}, " +
				"always: [A]}\nproducts:\n",
			"30:5",
			"No method makes this user",
		},
		"partition without a step": {
			"    customise: true\n",
			"    customise: true\n  aws-cn: {title: China, why: ask}\n",
			"42:7",
			`no step "partition"`,
		},
		"an account without a step": {"    trusted_account: \"111122223333\"\n", "    why: ask\n", "41:7", `no step "partition"`},
		"policy step of an inline":  {managed, managed + "    inline: true\n", "45:13", "is the role's own: it is made with the role"},
		// Names and values.
		"placeholder mistyped": {
			stepPolicy,
			stepPolicy + "        instructions: [\"Name it {polcy}.\"]\n",
			"47:24",
			"Did you mean policy?",
		},
		"placeholder without a role": {
			stepConnect,
			"      - {id: connect, title: Hand over, instructions: [\"Paste {role}.\"]}\n",
			"48:56",
			"about no single role",
		},
		"placeholder in a title": {stepConnect, "      - {id: connect, title: \"Hand over {role}\"}\n", "48:30", "Nothing is filled in"},
		"external ID of one letter": {
			"  pattern: acme-[0-9]{8}\n  example: acme-12345678",
			"  pattern: .+\n  example: x",
			"13:12",
			`"x" cannot be external_id.example`,
		},
		"external ID without example": {"  example: acme-12345678\n", "", "12:3", `external_id has no key "example"`},
		"account without example":     {"partitions:\n", "account: {label: Acme account}\npartitions:\n", "6:10", `account has no key "example"`},
		"a long pattern":              {"acme-[0-9]{8}", strings.Repeat("x{900}", 100), "12:12", "has more than 500 characters"},
		"no default product":          {"    default: true\n", "", "31:3", "No product is a default"},
		"one account, two partitions": {
			"    customise: true\n",
			"    customise: true\n  aws-cn: {title: China, trusted_account: \"111122223333\"}\n",
			"11:43",
			"an account is in one partition",
		},
		"angle brackets": {resource, `"Resource": "arn:aws:s3:::<bucket>/*"}`, "19:13", "Nothing is filled in for <bucket>"},
		"braces":         {resource, `"Resource": "arn:aws:s3:::{bucket}/*"}`, "19:13", "Nothing is filled in for {bucket}"},
		"two roles of one name": {
			"products:\n",
			"  - {purpose: B, title: B, role_name: acme-role, managed_policies: [SecurityAudit]}\nproducts:\n",
			"30:39",
			"Another one is called",
		},
		"inline policy too long": {
			"    policy: |" + between("    policy: |", "    why:"),
			"    inline: true\n    policy: '" + longPolicy() + "'\n",
			"20:13",
			"Remove inline",
		},
		"parameter without example": parameter(`{flag: --b, label: B, pattern: "[a-z]+"}`).is("20:15", `has no key "example"`),
		"parameter of no kind": parameter(
			`{flag: --b, label: B, pattern: "[a-z]+", example: a, kind: bukket}`,
		).is("20:74", "Did you mean bucket?"),
		"parameter with a star": parameter(`{flag: --b, label: B, pattern: ".+", example: "a*"}`).is("20:61", "which no value may have"),
		"parameter used nowhere": parameter(
			`{flag: --b, label: B, pattern: "[a-z]+", example: a}`,
		).is("20:7", "Neither the policy nor an instruction has the placeholder"),
		"choice without choices": parameter(`{flag: --b, label: B, kind: choice}`).is("20:15", "at least two values to choose from"),
		"choice of one": parameter(
			`{flag: --b, label: B, kind: choice, choices: [{value: a, title: A}]}`,
		).is("20:60", "nothing to choose"),
		"choice with a pattern": parameter(
			`{flag: --b, label: B, kind: choice, pattern: a, choices: [{value: a, title: A}, {value: b, title: B}]}`,
		).is("20:15", "has no pattern and no example"),
		"choice twice": parameter(
			`{flag: --b, label: B, kind: choice, choices: [{value: a, title: A}, {value: a, title: B}]}`,
		).is("20:91", "stands twice in"),
		"choice without a title": parameter(
			`{flag: --b, label: B, kind: choice, choices: [{value: a, title: A}, {value: b}]}`,
		).is(
			"20:83",
			`has no key "title"`,
		),
		"choices of no choice": parameter(
			`{flag: --b, label: B, pattern: "[a-z]+", example: a, choices: [{value: a, title: A}, {value: b, title: B}]}`,
		).is("20:15", "Only a parameter of the kind choice"),
		// The request.
		"request in clear":     sendsTo("http://acme.example.com", `{"r": "{role_arn}"}`).is("5:8", "no https link"),
		"request without JSON": sendsTo("https://acme.example.com/x", `role={role_arn}`).is("6:9", "no JSON object"),
		"request with a list":  sendsTo("https://acme.example.com/x", `["{role_arn}"]`).is("6:9", "no JSON object"),
		"request of nothing":   sendsTo("https://acme.example.com/x", `{"a": "b"}`).is("6:9", "hands nothing over"),
		"request mistyped":     sendsTo("https://acme.example.com/x", `{"a": "{role_arm}"}`).is("6:9", "Did you mean role_arn?"),
		"request without an address": {
			"wizard: Acme guide\n",
			"wizard: Acme guide\nhand_over: {body: '{\"a\": \"{role_arn}\"}'}\n",
			"4:12",
			`hand_over has no key "url"`,
		},
	}
}

// TestMistakes changes one line of acme and expects one mistake with its place.
func TestMistakes(t *testing.T) {
	if n := len(wrongFiles()); n < 60 {
		t.Errorf("%d wrong files", n)
	}
	for name, test := range wrongFiles() {
		t.Run(name, func(t *testing.T) {
			_, err := steps.Library().Read([]byte(test.text(t)), "acme.yaml")
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

// TestOneSlipIsOneMistake has what follows from a mistake not noted besides.
func TestOneSlipIsOneMistake(t *testing.T) {
	t.Parallel()
	for name, w := range wrongFiles() {
		if !slices.Contains([]string{"number without quotes", "step without role", "step with a wrong role", "API unknown"}, name) {
			continue
		}
		_, err := steps.Library().ReadForeign([]byte(w.text(t)), "acme.yaml")
		if mistakes := describe.MistakesOf(err); len(mistakes) != 1 {
			t.Errorf("%s: %v", name, mistakes)
		}
	}
}
