package evidence_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/evidence"
	"rolecall/policy"
)

const (
	account   = "123456789012"
	roleARN   = "arn:aws:iam::123456789012:role/Spot-Role"
	policyARN = "arn:aws:iam::123456789012:policy/Spot-Policy"
	trustText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::922761411349:root"},"Action":"sts:AssumeRole",` +
		`"Condition":{"StringEquals":{"sts:ExternalId":"extid-1"}}}]}`
	openTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::922761411349:root"},"Action":"sts:AssumeRole"}]}`
	grants    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}]}`

	getRole = `{"Role":{"Path":"/","RoleName":"Spot-Role","RoleId":"AROAEXAMPLE","Arn":"` + roleARN + `","AssumeRolePolicyDocument":` +
		trustText + `}}`
	// AWS tells neither whose lists these are nor whose version.
	attached   = `{"AttachedPolicies":[{"PolicyName":"Spot-Policy","PolicyArn":"` + policyARN + `"}]}`
	noInline   = `{"PolicyNames":[]}`
	getPolicy  = `{"Policy":{"Arn":"` + policyARN + `","DefaultVersionId":"v2"}}`
	getVersion = `{"PolicyVersion":{"VersionId":"v2","IsDefaultVersion":true,"Document":` + grants + `}}`
	whole      = getRole + attached + noInline + getVersion
)

func ask() evidence.Ask {
	return evidence.Ask{Role: "Spot-Role", AccountID: account, Partition: "aws", Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
}

func want(t testing.TB) aws.Want {
	t.Helper()
	d, err := policy.Parse([]byte(grants), policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	return aws.Want{
		Partition:  "aws",
		Principals: []string{"922761411349"},
		ExternalID: "extid-1",
		RoleName:   "Spot-Role",
		Policies:   []*policy.Document{d},
	}
}

func read(t testing.TB, text string) *evidence.View {
	t.Helper()
	v, err := evidence.Read(strings.NewReader(text), ask())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

func judge(t testing.TB, v *evidence.View) (aws.Seen, aws.Report) {
	t.Helper()
	seen, report, err := aws.Look(t.Context(), v, want(t))
	if err != nil {
		t.Fatal(err)
	}
	return seen, report
}

func refusal(t *testing.T, text string) *evidence.Refusal {
	t.Helper()
	_, err := evidence.Read(strings.NewReader(text), ask())
	var r *evidence.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("%v, want a refusal of %.200s", err, text)
	}
	if r.What == "" || r.Expected == "" || r.Next == "" {
		t.Errorf("%+v says too little", r)
	}
	return r
}

func utf16(text string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, c := range []byte(text) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

// TestSpellings holds the many ways in which the same evidence comes.
func TestSpellings(t *testing.T) {
	lines := strings.NewReplacer(`{`, "{\r\n", `,`, ",\r\n  ").Replace(whole)
	encoded := strings.NewReplacer(
		trustText,
		`"`+url.PathEscape(trustText)+`"`,
		grants,
		`"`+url.QueryEscape(strings.ReplaceAll(grants, " ", ""))+`"`,
	).Replace(whole)
	asText := strings.NewReplacer(trustText, quoted(trustText), grants, quoted(grants)).Replace(whole)
	terminal := "me@laptop ~ % aws iam get-role --role-name Spot-Role\n" + getRole + "\n[cloudshell-user@ip-10-1-2-3 ~]$ aws iam " +
		"list-attached-role-policies \\\n    --role-name Spot-Role\n" +
		attached + "\n$ aws iam list-role-policies --role-name=Spot-Role\n" + noInline + "\nPS C:\\> aws iam get-policy-version --policy-arn " +
		policyARN + " --version-id v2\n" + getVersion + "\n$ \n"
	for name, text := range map[string]string{
		"in a row": whole, "CRLF": lines, "a byte order mark": "\ufeff" + whole, "marks inside": getRole + "\n\ufeff" + attached + "\ufeff" +
			noInline + getVersion,
		"UTF-16": utf16(whole), "encoded": encoded, "documents as text": asText, "a terminal": terminal, "in another order": getVersion +
			noInline + attached + getRole,
		"twice": whole + whole, "with get-policy": getRole + attached + noInline + getPolicy + getVersion,
		"the role alone of get-role": strings.Replace(whole, getRole, getRole[len(`{"Role":`):len(getRole)-1], 1),
		"who is signed in":           `{"UserId":"AIDA","Account":"123456789012","Arn":"arn:aws:iam::123456789012:user/me"}` + whole,
	} {
		if _, report := judge(t, read(t, text)); !report.OK {
			t.Errorf("%s: %+v", name, report)
		}
	}
}

func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		return ""
	}
	return string(out)
}

// TestMissing holds which command is asked for, step by step.
func TestMissing(t *testing.T) {
	role, lists := "aws iam get-role --role-name Spot-Role --output json", []string{
		"aws iam list-attached-role-policies --role-name Spot-Role --output json",
		"aws iam list-role-policies --role-name Spot-Role --output json",
	}
	newest := `aws iam get-policy-version --policy-arn ` + policyARN + ` --version-id "$(aws iam get-policy --policy-arn ` + policyARN +
		` --query Policy.DefaultVersionId --output text)" --output json`
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"another role", strings.ReplaceAll(getRole, "Spot-Role", "Other"), []string{role}},
		{"the trust policy alone", trustText, append([]string{role}, lists...)},
		{"the role", getRole, lists},
		{"the role and a list", getRole + attached, []string{lists[1], newest}},
		{"the role and both", getRole + attached + noInline, []string{newest}},
		{"the policy's version", getRole + attached + noInline + getPolicy, []string{"aws iam get-policy-version --policy-arn " + policyARN +
			" --version-id v2 --output json"}},
		{"an inline policy", getRole + attached + `{"PolicyNames":["x y"]}` + getVersion, nil},
		{"a list that is cut", getRole + attached + `{"PolicyNames":["a"],"IsTruncated":true,"Marker":"m"}` + getVersion,
			[]string{lists[1], "aws iam get-role-policy --role-name Spot-Role --policy-name a --output json"}},
		{"everything", whole, []string{}},
	} {
		if c.want == nil {
			_ = refusal(t, c.text)
			continue
		}
		seen, report := judge(t, read(t, c.text))
		var got, told []string
		for _, m := range seen.Missing {
			got = append(got, m.Command)
		}
		for _, check := range report.Checks {
			told = append(told, check.Missing...)
		}
		if !slices.Equal(got, c.want) || report.OK != (len(c.want) == 0) {
			t.Errorf("%s: %q, want %q; OK is %v", c.name, got, c.want, report.OK)
		}
		if slices.Sort(told); len(slices.Compact(slices.Clone(told))) != len(told) {
			t.Errorf("%s: a command is told twice: %q", c.name, told)
		}
	}
}

// TestTrustAlone judges what the console's trust policy shows, and says of the
// rest that it is not known.
func TestTrustAlone(t *testing.T) {
	for text, status := range map[string]aws.Status{trustText: aws.Pass, openTrust: aws.Fail} {
		_, report := judge(t, read(t, text))
		for _, c := range report.Checks {
			expected := aws.Unknown
			switch c.ID {
			case "trust-external-id":
				expected = status
			case "trust-principal", "trust-action", "trust-extra-principals":
				expected = aws.Pass
			}
			if c.Status != expected {
				t.Errorf("%s is %s, want %s: %+v", c.ID, c.Status, expected, c)
			}
		}
		if report.Role != nil {
			t.Errorf("a role is named: %+v", report.Role)
		}
	}
}

// TestStrangerOrOwnAccount holds that an account beside the vendor may be the
// role's own while nobody says which that is.
func TestStrangerOrOwnAccount(t *testing.T) {
	beside := strings.Replace(
		trustText,
		`"Statement":[`,
		`"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"},`,
		1,
	)
	two := strings.Replace(
		beside,
		`"Statement":[`,
		`"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"},`,
		1,
	)
	for text, expected := range map[string]aws.Status{beside: aws.Unknown, two: aws.Fail} {
		_, report := judge(t, read(t, text))
		if c, _ := report.Check("trust-extra-principals"); c.Status != expected {
			t.Errorf("%s, want %s: %+v", c.Status, expected, c)
		}
	}
}

// TestContradictions holds that evidence which says two things proves nothing.
func TestContradictions(t *testing.T) {
	other := strings.Replace(getRole, trustText, openTrust, 1)
	for name, text := range map[string]string{
		"two trust policies":         getRole + other,
		"the console's and get-role": getRole + openTrust,
		"two ids":                    getRole + strings.Replace(getRole, "AROAEXAMPLE", "AROAOTHER", 1),
		"a boundary and none": getRole + strings.Replace(getRole, `"RoleId"`, `"PermissionsBoundary":{"PermissionsBoundaryArn":"`+
			policyARN+`"},"RoleId"`, 1),
		"two lists": getRole + attached + `{"AttachedPolicies":[]}`,
		"two documents": getRole + attached + noInline + getPolicy + getVersion + getPolicy + strings.Replace(getVersion,
			"DescribeInstances", "*", 1),
		"two default versions": getPolicy + strings.Replace(getPolicy, "v2", "v3", 1) + getRole,
		"there and not there": getRole + "\nAn error occurred (NoSuchEntity) when calling the GetRole operation: The role with name " +
			"Spot-Role cannot be found.\n",
		"a path and another ARN":      strings.Replace(getRole, `"Path":"/"`, `"Path":"/a/"`, 1),
		"two accounts of the callers": `{"Account":"123456789012","Arn":"arn:aws:iam::123456789012:user/x"}{"Account":"111122223333","Arn":"arn:aws:iam::111122223333:user/x"}`,
	} {
		if r := refusal(t, text); !r.Contradiction {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// A role of that name in two accounts is none too many for an ARN.
	there := strings.ReplaceAll(getRole, "123456789012", "111122223333")
	v := read(t, getRole+there)
	if _, _, err := aws.Look(t.Context(), v, want(t)); err == nil {
		t.Error("one of two roles is taken")
	}
	w := want(t)
	w.RoleARN = roleARN
	if _, report, err := aws.Look(t.Context(), v, w); err != nil || report.Role == nil || report.Role.ARN != roleARN {
		t.Errorf("%v %+v", err, report)
	}
}

// TestWrongThings holds that what is no evidence is called by its name.
func TestWrongThings(t *testing.T) {
	for text, says := range map[string]string{
		"":                                "empty",
		"\n \n":                           "empty",
		grants:                            "permissions policy alone",
		"Role:\n  Arn: " + roleARN + "\n": "YAML",
		"ROLE\t" + roleARN + "\t2026\n":   "as text",
		"-----------\n|  GetRole  |\n":    "a table",
		"+------+\n|  x |\n":              "a table",
		`[{"RoleName":"x"}]`:              "--query",
		roleARN:                           "ARN alone",
		`{"session":"s","vendor":"spot"}`: "session of rolecall",
		`{"ok":true,"checks":[]}`:         "verdict of rolecall",
		`{"format_version":"1.2","planned_values":{},"resource_changes":[]}`:             "plan",
		`{"Credentials":{"SecretAccessKey":"hush-hush"}}`:                                "credentials of a session",
		`{"AccessKey":{"SecretAccessKey":"hush-hush"}}`:                                  "holds a secret",
		"aws_secret_access_key = hush-hush":                                              "secret key",
		`{"Account":"123456789012","Arn":"arn:aws:sts::123456789012:assumed-role/x/y"}`:  "whose session",
		"An error occurred (AccessDenied) when calling the GetRole operation: no":        "refusal of GetRole",
		`resource "aws_iam_role" "r" {`:                                                  "configuration",
		"<html>":                                                                         "HTML",
		`{"Role":{"RoleName":"a","RoleName":"b"}}`:                                       "second time",
		`{"Role":{"RoleName":"Spot` + "\u202e" + `-Role"}}`:                              "no name of AWS",
		`{"Role":{"RoleName":"Spot-Role","Arn":"arn:aws:iam::123456789012:role/Other"}}`: "not the ARN",
		`{"Role":{"RoleName":"Spot-Role","Arn":"` + roleARN + `"}`:                       "ends in the middle",
		"{\"Role\":{\"RoleName\":\"Spot-\nRole\"}}":                                      "line break",
		`{"unknown":1,"keys":2}`:                                                         "unknown, keys",
		"hello\n":                                                                        "starts no document",
	} {
		r := refusal(t, text)
		if all := r.What + r.Next; !strings.Contains(all, says) || strings.Contains(all, "hush-hush") || strings.ContainsAny(all, "\x1b\u202e") {
			t.Errorf("%.60q: %+v, want %q", text, r, says)
		}
	}
}

// TestWhoseListIsIt holds that a list which does not say whose it is goes to
// nobody where the evidence is of several.
func TestWhoseListIsIt(t *testing.T) {
	other := strings.ReplaceAll(getRole, "Spot-Role", "Other-Role")
	seen, report := judge(t, read(t, getRole+other+attached+noInline+getVersion))
	if !seen.PoliciesUnknown || report.OK {
		t.Errorf("a list of one of two roles was taken: %+v", seen.Role.Attached)
	}
	commands := "$ aws iam list-attached-role-policies --role-name Spot-Role\n" + attached + "\n$ aws iam list-role-policies --role-name " +
		"Spot-Role\n" + noInline +
		"\n$ aws iam list-attached-role-policies --role-name Other-Role\n" + `{"AttachedPolicies":[]}` + "\n"
	if _, report := judge(t, read(t, getRole+other+commands+getVersion)); !report.OK {
		t.Errorf("the command tells whose list it is: %+v", report.Checks)
	}
	// An old version grants nothing.
	old := strings.Replace(getVersion, "true", "false", 1)
	if _, report := judge(t, read(t, getRole+attached+noInline+old)); report.OK {
		t.Error("a version that is not the default one was judged")
	}
	// A group's list is nobody's.
	group := "$ aws iam list-attached-group-policies --group-name Spot-Role\n" + attached + "\n"
	if seen, _ := judge(t, read(t, getRole+group+noInline)); !seen.PoliciesUnknown {
		t.Error("a group's policies were taken for the role's")
	}
}

// TestShell holds that nothing from the evidence is run by whoever pastes the
// command that rolecall asks for.
func TestShell(t *testing.T) {
	evil := "arn:aws:iam::123456789012:policy/a';$(touch${IFS}x);'"
	seen, _ := judge(t, read(t, getRole+noInline+`{"AttachedPolicies":[{"PolicyArn":`+quoted(evil)+`}]}`))
	if len(seen.Missing) != 1 || strings.Count(seen.Missing[0].Command, `'arn:aws:iam::123456789012:policy/a'\'';$(touch${IFS}x);'\'''`) != 2 {
		t.Errorf("%+v", seen.Missing)
	}
}

func TestAbsent(t *testing.T) {
	said := "\nAn error occurred (NoSuchEntity) when calling the GetRole operation: The role with name Spot-Role cannot be found.\n"
	if _, report := judge(t, read(t, said)); report.OK || report.Checks[0].Status != aws.Fail {
		t.Errorf("%+v", report.Checks[0])
	}
}

// TestUser judges a user by what somebody pasted.
func TestUser(t *testing.T) {
	d, err := policy.Parse([]byte(grants), policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	wanted := aws.WantUser{Partition: "aws", Name: "runner", Policies: []*policy.Document{d}, Key: true}
	user := `{"User":{"Path":"/","UserName":"runner","UserId":"AIDAEXAMPLE","Arn":"arn:aws:iam::123456789012:user/runner"}}`
	keys := `{"AccessKeyMetadata":[{"UserName":"runner","AccessKeyId":"AKIAIOSFODNN7EXAMPLE","Status":"Active","CreateDate":"2026-11-20T00:00:00+00:00"}]}`
	a := ask()
	a.Role, a.User = "", "runner"
	look := func(text string) (aws.SeenUser, aws.UserReport) {
		v, err := evidence.Read(strings.NewReader(text), a)
		if err != nil {
			t.Fatal(err)
		}
		seen, report, err := aws.LookUser(t.Context(), v, wanted)
		if err != nil {
			t.Fatal(err)
		}
		return seen, report
	}
	if _, report := look(user + attached + noInline + getVersion + `{"Groups":[]}` + keys); !report.OK {
		t.Errorf("%+v", report)
	}
	seen, report := look(user + attached + noInline + getVersion)
	if len(seen.Missing) != 2 || report.OK {
		t.Errorf("%+v %+v", seen.Missing, report)
	}
	for _, c := range report.Checks {
		if strings.Contains(c.Got, "never used") {
			t.Errorf("nobody told when the key was used: %+v", c)
		}
	}
}

// TestTemplate carries out what a template spells out and leaves the rest open.
func TestTemplate(t *testing.T) {
	template := func(trust, id string) string {
		return "AWSTemplateFormatVersion: '2010-09-09'\nParameters:\n  Id: {Type: String, Default: extid-1}\nResources:\n" +
			"  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      ManagedPolicyName: Spot-Policy\n      PolicyDocument:\n        " +
			"Version: '2012-10-17'\n" +
			"        Statement:\n          - Effect: Allow\n            Action: ec2:DescribeInstances\n            Resource: '*'\n" +
			"  R:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: Spot-Role\n      ManagedPolicyArns: [!Ref P]\n      " +
			"AssumeRolePolicyDocument:\n" +
			"        Version: '2012-10-17'\n        Statement:\n          Effect: Allow\n          Action: sts:AssumeRole\n          Principal: " +
			"{AWS: " + trust + "}\n" +
			"          Condition:\n            StringEquals: {'sts:ExternalId': " + id + "}\n"
	}
	for _, c := range []struct {
		name, text string
		want       aws.Status
	}{
		{"spelled out", template("'arn:aws:iam::922761411349:root'", "extid-1"), aws.Pass},
		{"pseudo parameters", template("!Sub 'arn:${AWS::Partition}:iam::922761411349:root'", "extid-1"), aws.Pass},
		{"joined", template("!Join [':', [arn, !Ref 'AWS::Partition', iam, '', 922761411349, root]]", "extid-1"), aws.Pass},
		{"the long form", template("{'Fn::Sub': 'arn:${AWS::Partition}:iam::922761411349:root'}", "extid-1"), aws.Pass},
		{"a parameter, whose default may not hold", template("'arn:aws:iam::922761411349:root'", "!Ref Id"), aws.Unknown},
		{"a parameter in a text", template("'arn:aws:iam::922761411349:root'", "!Sub '${Id}'"), aws.Unknown},
		{"CRLF", strings.ReplaceAll(template("'arn:aws:iam::922761411349:root'", "extid-1"), "\n", "\r\n"), aws.Pass},
		{"in get-template", `{"TemplateBody":` + quoted(template("'arn:aws:iam::922761411349:root'", "extid-1")) + `}`, aws.Pass},
		{"wrong", template("'arn:aws:iam::922761411349:root'", "other"), aws.Fail},
	} {
		_, report := judge(t, read(t, c.text))
		if got, _ := report.Check("trust-external-id"); got.Status != c.want || report.OK != (c.want == aws.Pass) {
			t.Errorf("%s: OK is %v, %+v", c.name, report.OK, report.Checks)
		}
	}
	for _, text := range []string{"Resources:\n  A: &a [1]\n  B: *a\n", "Resources:\n  a: " + strings.Repeat("[", 100000), "Resources:\n  " +
		"A: 1\n  A: 2\n", "Resources:\n" + strings.Repeat(" x:\n", 3)} {
		_ = refusal(t, text)
	}
}

// largeListing is an answer of get-account-authorization-details of any size, made
// while it is read.
type largeListing struct {
	pending string
	roles   int
	most    uint64
}

func (l *largeListing) Read(p []byte) (int, error) {
	if l.pending == "" {
		var now runtime.MemStats
		if l.roles%500 == 0 {
			runtime.ReadMemStats(&now)
			l.most = max(l.most, now.HeapAlloc)
		}
		switch l.roles++; {
		case l.roles > 4000:
			return 0, io.EOF
		case l.roles == 1:
			l.pending = `{"RoleDetailList":[`
		case l.roles == 4000:
			l.pending = strings.TrimSuffix(getRole[len(`{"Role":`):], "}}") + `,"AttachedManagedPolicies":[],"RolePolicyList":[]}]}`
		default:
			l.pending = `{"RoleName":"R","Arn":"arn:aws:iam::123456789012:role/R","RolePolicyList":[{"PolicyName":"p","PolicyDocument":"` +
				strings.Repeat(
					"%7B",
					2000,
				) + `"}]},`
		}
	}
	n := copy(p, l.pending)
	l.pending = l.pending[n:]
	return n, nil
}

// TestLarge reads 24 MB and keeps one role of it.
func TestLarge(t *testing.T) {
	l := &largeListing{}
	v, err := evidence.Read(l, ask())
	if err != nil {
		t.Fatal(err)
	}
	if roles := v.Roles(); len(roles) != 1 || roles[0].ARN != roleARN {
		t.Errorf("%+v", roles)
	}
	if l.most > 64<<20 {
		t.Errorf("%d MB in use", l.most>>20)
	}
}

// FuzzRead holds that no text makes the reader fail in another way than by a
// refusal, and that nothing from it reaches a screen or a shell uncleaned.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{whole, trustText, "Resources:\n  A:\n    Type: AWS::IAM::Role\n    Properties: {RoleName: !Sub 'x'}\n",
		attached, "$ aws iam get-role\n" + getRole,
		`{"version":4,"resources":[{"type":"aws_iam_role","instances":[{"attributes":{"arn":"` + roleARN +
			`","name":"Spot-Role","assume_role_policy":"{}"}}]}]}`,
		`{"values":{"root_module":{"child_modules":[{"resources":[]}]}}}`, `{"RoleDetailList":[],"Policies":[{"Arn":"x"}]}`, "\xff\xfe{\x00",
		`{"TemplateBody":"Resources:\n  a: 1"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := evidence.Read(strings.NewReader(text), ask())
		var r *evidence.Refusal
		if err != nil {
			if !errors.As(err, &r) {
				t.Fatalf("%v is no refusal", err)
			}
			if strings.ContainsFunc(r.What+r.Next, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Errorf("%q", r.What+r.Next)
			}
			return
		}
		seen, report, err := aws.Look(t.Context(), v, want(t))
		if err != nil {
			if !errors.As(err, &r) {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		for _, m := range seen.Missing {
			if strings.ContainsFunc(m.Command, func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Errorf("%q", m.Command)
			}
		}
		if report.OK && len(seen.Missing) > 0 {
			for _, c := range report.Checks {
				if c.Status == aws.Unknown {
					t.Errorf("OK with %+v", c)
				}
			}
		}
	})
}
