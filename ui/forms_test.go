package ui_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/ui"
	"rolecall/ui/cli"
)

// setUpCase is a role as somebody made it: its trust policy and what it may do.
type setUpCase struct {
	name, source     string
	trust            string
	attached, inline []string
	boundary         bool
	ok               bool
}

const (
	formsAccount = "123456789012"
	formsID      = "spotinst:aws:extid:0123456789abcdef"
	limitsARN    = "arn:aws:iam::123456789012:policy/Limits"
	anything     = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	guide        = "docs.aws.amazon.com/IAM/latest/UserGuide/"
)

// trustSetUps are roles that are right but for the trust policy.
func trustSetUps(t *testing.T, whole *policy.Document) []setUpCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "aws", "testdata", "trust", "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Source string
		OK           bool
		Trust        json.RawMessage
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	var all []setUpCase
	for _, c := range cases {
		all = append(all, setUpCase{name: c.Name, source: c.Source, trust: string(c.Trust), attached: []string{whole.Compact()}, ok: c.OK})
	}
	return all
}

// permissionSetUps are roles that are right but for what they may do.
func permissionSetUps(whole *policy.Document) []setUpCase {
	trust := policy.NewTrust("aws", []string{"922761411349"}, formsID).Compact()
	document := func(statements ...policy.Statement) string { return policy.NewDocument(statements...).Compact() }
	allow := func(action, resource string) policy.Statement {
		return policy.Statement{Effect: policy.Allow, Action: []string{action}, Resource: []string{resource}}
	}
	n := len(whole.Statements)
	identity := "access_policies_identity-vs-resource.html"
	all := []setUpCase{
		{name: "whole, attached", source: "the vendor's own policy", attached: []string{whole.Compact()}, ok: true},
		{name: "whole, inline", source: guide + "access_policies_managed-vs-inline.html", inline: []string{whole.Compact()}, ok: true},
		{name: "nothing", source: guide + identity},
		{
			name:     "in two attached",
			source:   guide + "reference_iam-quotas.html",
			attached: []string{document(whole.Statements[:n/2]...), document(whole.Statements[n/2:]...)},
			ok:       true,
		},
		{
			name:   "in two inline",
			source: guide + "reference_iam-quotas.html",
			inline: []string{document(whole.Statements[:n/2]...), document(whole.Statements[n/2:]...)},
			ok:     true,
		},
		{
			name:     "half attached, half inline",
			source:   guide + "access_policies_managed-vs-inline.html",
			attached: []string{document(whole.Statements[:n/2]...)},
			inline:   []string{document(whole.Statements[n/2:]...)},
			ok:       true,
		},
		{name: "twice", source: guide + identity, attached: []string{whole.Compact()}, inline: []string{whole.Compact()}, ok: true},
		{name: "the other half is missing", source: guide + identity, attached: []string{document(whole.Statements[:n/2]...)}},
		{
			name:     "everything",
			source:   guide + "best-practices.html#grant-least-privilege",
			attached: []string{document(allow("*", "*"))},
			ok:       true,
		},
		{
			name:     "everything beside",
			source:   guide + "best-practices.html#grant-least-privilege",
			attached: []string{whole.Compact(), document(allow("*", "*"))},
			ok:       true,
		},
		{
			name:     "an action beside",
			source:   guide + identity,
			attached: []string{whole.Compact(), document(allow("s3:DeleteBucket", "*"))},
			ok:       true,
		},
		{
			name:     "a way to more rights beside",
			source:   "rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation",
			inline:   []string{document(allow("iam:AttachRolePolicy", "*"))},
			attached: []string{whole.Compact()},
			ok:       true,
		},
		{name: "all of EC2 alone", source: guide + identity, attached: []string{document(allow("ec2:*", "*"))}},
		{
			name:     "a Deny of all",
			source:   guide + "reference_policies_evaluation-logic.html",
			attached: []string{whole.Compact(), document(policy.Statement{Effect: policy.Deny, Action: []string{"*"}, Resource: []string{"*"}})},
		},
		{
			name:     "a Deny of one action",
			source:   guide + "reference_policies_evaluation-logic.html",
			attached: []string{whole.Compact()},
			inline:   []string{document(policy.Statement{Effect: policy.Deny, Action: []string{"ec2:RunInstances"}, Resource: []string{"*"}})},
		},
		{
			name:   "a Deny of what is not needed",
			source: guide + "reference_policies_evaluation-logic.html",
			attached: []string{
				whole.Compact(),
				document(policy.Statement{Effect: policy.Deny, Action: []string{"organizations:LeaveOrganization"}, Resource: []string{"*"}}),
			},
			ok: true,
		},
		{
			name:     "under a boundary",
			source:   guide + "access_policies_boundaries.html",
			attached: []string{whole.Compact()},
			boundary: true,
			ok:       true,
		},
	}
	// What ElastigroupBatch grants (batch:Describe*, batch:List*), OverviewDashboard grants too.
	spare := func(i int) bool { return whole.Statements[i].Sid == "ElastigroupBatch" }
	for i := range n {
		without := slices.Delete(slices.Clone(whole.Statements), i, i+1)
		all = append(
			all,
			setUpCase{
				name:     fmt.Sprintf("without statement %d", i),
				source:   guide + "reference_policies_elements_statement.html",
				attached: []string{document(without...)},
				ok:       spare(i),
			},
		)
	}
	for i := range n {
		narrowed := slices.Clone(whole.Statements)
		narrowed[i].Resource = []string{"arn:aws:ec2:eu-west-1:123456789012:instance/i-0"}
		all = append(
			all,
			setUpCase{
				name:     fmt.Sprintf("statement %d on one resource", i),
				source:   guide + "reference_policies_elements_resource.html",
				attached: []string{document(narrowed...)},
				ok:       spare(i),
			},
		)
	}
	for i := range all {
		all[i].trust = trust
	}
	return all
}

// mixedSetUps are trust policies and permissions that were drawn together.
func mixedSetUps(trusts, permissions []setUpCase) []setUpCase {
	var all []setUpCase
	random := rand.New(rand.NewPCG(20261125, 1))
	for range 16 {
		c, p := trusts[random.IntN(len(trusts))], permissions[random.IntN(len(permissions))]
		c.name, c.ok = c.name+", "+p.name, c.ok && p.ok
		c.attached, c.inline, c.boundary = p.attached, p.inline, p.boundary
		all = append(all, c)
	}
	return all
}

// TestOneVerdict lets the program judge each set-up live and by evidence in six
// forms, and each fourth (EVERY_FORM=1: each) also in moto, where that is
// installed, and by evidence that is spelled at random. What it says has to be the
// same, word by word. What a form cannot show is unknown, and nothing else.
func TestOneVerdict(t *testing.T) {
	whole := spotWhole(t)
	w := newFormsWorld(t)
	trusts, permissions := trustSetUps(t, whole), permissionSetUps(whole)
	if len(trusts) < 60 || len(permissions) < 40 {
		t.Fatalf("%d trust policies and %d permission set-ups, want 60 and 40", len(trusts), len(permissions))
	}
	moto := ""
	if _, err := exec.LookPath("moto_server"); err == nil && !testing.Short() {
		moto = startMoto(t)
		w.limits(t, moto)
	}
	every, tried, onMoto := 4, 0, 0
	if os.Getenv("EVERY_FORM") != "" {
		every = 1
	}
	for i, c := range slices.Concat(trusts, permissions, mixedSetUps(trusts, permissions)) {
		if testing.Short() && i%8 != 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			m := w.make(t, i, c)
			exit, live := w.verify(t, m.role, "")
			if live.OK != c.ok || (exit == 0) != c.ok {
				t.Errorf("live: exit %d, OK is %v, want %v (%s): %+v", exit, live.OK, c.ok, c.source, live.Checks)
			}
			for _, form := range m.forms() {
				code, got := w.verifyText(t, m.role, form.text)
				wantSame(t, form.name, exit, code, live, got)
			}
			if i%every != 0 {
				return
			}
			tried++
			if moto != "" && m.makeIn(t, moto) {
				onMoto++
				code, got := w.verifyIn(t, moto, m.role)
				wantSame(t, "moto", exit, code, live, got)
			}
			random := rand.New(rand.NewPCG(20261125, uint64(i)))
			code, got := w.verifyText(t, m.role, m.varied(random))
			wantSame(t, "at random", exit, code, live, got)
			_, partly := w.verifyText(t, m.role, m.console())
			wantNoOther(t, live, partly)
		})
	}
	t.Logf("%d of them were made in moto too", onMoto)
	if moto != "" && onMoto*10 < tried*9 {
		t.Errorf("moto took %d of %d set-ups", onMoto, tried)
	}
}

func wantSame(t *testing.T, where string, exit, code int, live, got aws.Report) {
	t.Helper()
	if a, b := spellChecks(live), spellChecks(got); code != exit || a != b {
		t.Errorf("%s: exit %d, live %d\n%s\nlive\n%s", where, code, exit, b, a)
	}
}

// wantNoOther holds evidence that shows less to saying less, and nothing else.
func wantNoOther(t *testing.T, live, partly aws.Report) {
	t.Helper()
	known := 0
	for _, c := range partly.Checks {
		if c.Status == aws.Unknown {
			continue
		}
		known++
		if same, _ := live.Check(c.ID); same.Status != c.Status || same.Got != c.Got && c.Got != "" {
			t.Errorf("the console's trust policy: %+v\nlive: %+v", c, same)
		}
	}
	if partly.OK && !live.OK || known < 4 {
		t.Errorf("the console's trust policy: OK is %v, %d checks are known", partly.OK, known)
	}
}

func spellChecks(r aws.Report) string {
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%s %s | %s | %s | %s | %s\n", c.ID, c.Status, c.Want, c.Got, c.Why, c.Fix)
	}
	return b.String()
}

func spotWhole(t *testing.T) *policy.Document {
	t.Helper()
	v, err := steps.Library().Load("spot")
	if err != nil {
		t.Fatal(err)
	}
	bundles, err := v.Bundles(nil)
	if err != nil {
		t.Fatal(err)
	}
	return v.Compose(v.RolesFor(bundles, describe.AccessRole)[0], bundles, "aws")
}

type formsWorld struct {
	aws     *awsrehearsal.Server
	environ []string
	now     time.Time
}

func newFormsWorld(t *testing.T) *formsWorld {
	t.Helper()
	w := &formsWorld{now: time.Now(), aws: awsrehearsal.New(awsrehearsal.Options{Propagation: -1})}
	if err := w.aws.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.aws.Close() })
	home, target := t.TempDir(), w.aws.Target()
	for name, value := range map[string]string{
		"HOME": home, "XDG_STATE_HOME": filepath.Join(home, "state"), "XDG_CONFIG_HOME": filepath.Join(home, "config"),
		"AWS_ENDPOINT_URL": target.Endpoint, "AWS_ACCESS_KEY_ID": target.AccessKeyID, "AWS_SECRET_ACCESS_KEY": target.SecretAccessKey,
		"AWS_REGION": target.Region, "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": filepath.Join(home, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, "none"),
	} {
		t.Setenv(name, value) // the SDK reads it by itself
		w.environ = append(w.environ, name+"="+value)
	}
	w.do(t, "CreatePolicy", "PolicyName", "Limits", "PolicyDocument", anything)
	return w
}

func (w *formsWorld) do(t *testing.T, action string, params ...string) {
	t.Helper()
	all := map[string]string{}
	for i := 0; i < len(params); i += 2 {
		all[params[i]] = params[i+1]
	}
	if err := w.aws.Do("iam:"+action, all); err != nil {
		t.Fatalf("%s: %v", action, err)
	}
}

// verify runs the command, live or by the evidence in a file, which has to send
// nothing.
func (w *formsWorld) verify(t *testing.T, role, file string) (int, aws.Report) {
	t.Helper()
	args := []string{"verify", "--role", role, "--external-id", formsID, "--aws-account", formsAccount, "--json"}
	if file != "" {
		args = append(args, "--evidence", file)
	}
	before := len(w.aws.Calls())
	var out, talk bytes.Buffer
	code := ui.Main(
		context.Background(),
		args,
		cli.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &talk, Environ: w.environ, Now: func() time.Time { return w.now }},
	)
	var report aws.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s %s", err, out.String(), talk.String())
	}
	if calls := len(w.aws.Calls()) - before; file != "" && calls > 0 {
		t.Errorf("%d calls of AWS with evidence", calls)
	}
	return code, report
}

// verifyText judges by evidence.
func (w *formsWorld) verifyText(t *testing.T, role string, text []byte) (int, aws.Report) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "evidence")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return w.verify(t, role, file)
}

// verifyIn judges live in another place.
func (w *formsWorld) verifyIn(t *testing.T, endpoint, role string) (int, aws.Report) {
	t.Helper()
	before, environ := os.Getenv("AWS_ENDPOINT_URL"), w.environ
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	w.environ = append(slices.Clone(environ), "AWS_ENDPOINT_URL="+endpoint)
	code, report := w.verify(t, role, "")
	w.environ = environ
	t.Setenv("AWS_ENDPOINT_URL", before)
	return code, report
}

// motoDo sends a request to moto, which checks no signature. It reports whether
// moto took it: some policies that AWS takes it refuses.
func motoDo(t *testing.T, endpoint, action string, params ...string) bool {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iam/aws4_request, "+
		"SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		t.Logf("moto refuses %s: %.300s", action, text)
	}
	return answer.StatusCode == http.StatusOK
}

// limits makes the permissions boundary in moto.
func (w *formsWorld) limits(t *testing.T, endpoint string) {
	t.Helper()
	if !motoDo(t, endpoint, "CreatePolicy", "PolicyName", "Limits", "PolicyDocument", anything) {
		t.Fatal("moto takes no policy")
	}
}

// makeIn makes the set-up in moto too.
func (m made) makeIn(t *testing.T, endpoint string) bool {
	t.Helper()
	params := []string{"RoleName", m.role, "AssumeRolePolicyDocument", m.trust}
	if m.boundary {
		params = append(params, "PermissionsBoundary", limitsARN)
	}
	taken := motoDo(t, endpoint, "CreateRole", params...)
	for j, arn := range m.policies {
		taken = taken && motoDo(t, endpoint, "CreatePolicy", "PolicyName", arn[strings.LastIndex(arn, "/")+1:], "PolicyDocument", m.attached[j]) &&
			motoDo(t, endpoint, "AttachRolePolicy", "RoleName", m.role, "PolicyArn", arn)
	}
	for j, document := range m.inline {
		taken = taken && motoDo(t, endpoint, "PutRolePolicy", "RoleName", m.role, "PolicyName", fmt.Sprintf("inline-%d", j), "PolicyDocument", document)
	}
	return taken
}

// made is a set-up in the account.
type made struct {
	setUpCase
	role     string
	policies []string // ARNs of the attached ones
}

func (w *formsWorld) make(t *testing.T, i int, c setUpCase) made {
	t.Helper()
	m := made{setUpCase: c, role: fmt.Sprintf("Role-%d", i)}
	params := []string{"RoleName", m.role, "AssumeRolePolicyDocument", c.trust}
	if c.boundary {
		params = append(params, "PermissionsBoundary", limitsARN)
	}
	w.do(t, "CreateRole", params...)
	for j, document := range c.attached {
		name := fmt.Sprintf("Policy-%d-%d", i, j)
		w.do(t, "CreatePolicy", "PolicyName", name, "PolicyDocument", document)
		m.policies = append(m.policies, "arn:aws:iam::"+formsAccount+":policy/"+name)
		w.do(t, "AttachRolePolicy", "RoleName", m.role, "PolicyArn", m.policies[j])
	}
	for j, document := range c.inline {
		w.do(t, "PutRolePolicy", "RoleName", m.role, "PolicyName", fmt.Sprintf("inline-%d", j), "PolicyDocument", document)
	}
	return m
}

type object = map[string]any

type formOf struct {
	name string
	text []byte
}

// forms are the set-up as people paste it.
func (m made) forms() []formOf {
	return []formOf{{"outputs", m.outputs(false)}, {"a terminal", m.outputs(true)}, {"get-account-authorization-details", m.details()},
		{"Terraform state", m.state()}, {"terraform show", m.show()}, {"CloudFormation", m.template()}}
}

func spellJSON(v any) []byte {
	text, err := json.MarshalIndent(v, "", "    ")
	if err != nil {
		return nil
	}
	return append(text, '\n')
}

func (m made) arn() string { return "arn:aws:iam::" + formsAccount + ":role/" + m.role }

// iamRole is IAM's Role, its documents as objects or as IAM encodes them.
func (m made) iamRole(document func(string) any) object {
	role := object{
		"Path":                     "/",
		"RoleName":                 m.role,
		"RoleId":                   "AROAEXAMPLE",
		"Arn":                      m.arn(),
		"CreateDate":               "2026-01-01T00:00:00+00:00",
		"AssumeRolePolicyDocument": document(m.trust),
	}
	if m.boundary {
		role["PermissionsBoundary"] = object{"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": limitsARN}
	}
	return role
}

func asObject(text string) any  { return json.RawMessage(text) }
func asText(text string) any    { return text }
func asQuery(text string) any   { return url.QueryEscape(text) }
func asEncoded(text string) any { return url.PathEscape(text) }

func (m made) attachedList() []object {
	all := []object{}
	for _, arn := range m.policies {
		all = append(all, object{"PolicyName": arn[strings.LastIndex(arn, "/")+1:], "PolicyArn": arn})
	}
	return all
}

// output is what one command printed.
type output struct {
	command string
	answer  any
}

// answers are the outputs of all commands, with documents spelled in a way.
func (m made) answers(document func(string) any) []output {
	var all []output
	add := func(command string, v any) { all = append(all, output{command, v}) }
	add("get-role --role-name "+m.role, object{"Role": m.iamRole(document)})
	add("list-attached-role-policies --role-name "+m.role, object{"AttachedPolicies": m.attachedList()})
	names := []string{}
	for j := range m.inline {
		names = append(names, fmt.Sprintf("inline-%d", j))
	}
	add("list-role-policies --role-name "+m.role, object{"PolicyNames": names})
	for j, text := range m.inline {
		add(fmt.Sprintf("get-role-policy --role-name %s --policy-name inline-%d", m.role, j),
			object{"RoleName": m.role, "PolicyName": names[j], "PolicyDocument": document(text)})
	}
	for j, arn := range m.policies {
		add("get-policy --policy-arn "+arn, object{"Policy": object{"Arn": arn, "DefaultVersionId": "v1"}})
		add("get-policy-version --policy-arn "+arn+" --version-id v1",
			object{"PolicyVersion": object{"VersionId": "v1", "IsDefaultVersion": true, "Document": document(m.attached[j])}})
	}
	return all
}

func (m made) outputs(terminal bool) []byte {
	var b bytes.Buffer
	for _, one := range m.answers(asObject) {
		text := spellJSON(one.answer)
		if terminal {
			fmt.Fprintf(&b, "[cloudshell-user@ip-10-130-0-1 ~]$ aws iam %s\r\n", one.command)
			text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		}
		b.Write(text)
	}
	return b.Bytes()
}

// varied are the outputs in any order, each with its documents and its white space
// spelled in another way.
func (m made) varied(random *rand.Rand) []byte {
	spellings := []func(string) any{asObject, asEncoded, asQuery, asText}
	all := m.answers(func(text string) any { return spellings[random.IntN(len(spellings))](text) })
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var b bytes.Buffer
	for _, one := range all {
		text := spellJSON(one.answer)
		switch random.IntN(4) {
		case 0:
			text, _ = json.Marshal(one.answer)
		case 1:
			text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		case 2:
			text = append([]byte("\ufeff"), text...)
		}
		b.Write(text)
	}
	return b.Bytes()
}

// console is the trust policy as the console shows it, and the lists of policies.
func (m made) console() []byte {
	var b bytes.Buffer
	b.WriteString(m.trust)
	for _, one := range m.answers(asObject)[1:] {
		b.Write(spellJSON(one.answer))
	}
	return b.Bytes()
}

func (m made) details() []byte {
	role := m.iamRole(asEncoded)
	role["AttachedManagedPolicies"], role["InstanceProfileList"] = m.attachedList(), []object{}
	inline, policies := []object{}, []object{}
	for j, document := range m.inline {
		inline = append(inline, object{"PolicyName": fmt.Sprintf("inline-%d", j), "PolicyDocument": asEncoded(document)})
	}
	role["RolePolicyList"] = inline
	for j, arn := range m.policies {
		old := object{"VersionId": "v1", "IsDefaultVersion": false, "Document": asEncoded(lessPolicy)}
		policies = append(policies, object{"Arn": arn, "DefaultVersionId": "v2", "PolicyVersionList": []object{
			{"VersionId": "v2", "IsDefaultVersion": true, "Document": asEncoded(m.attached[j])}, old}})
	}
	other := made{setUpCase: setUpCase{trust: m.trust}, role: "Other"}.iamRole(asEncoded)
	other["AttachedManagedPolicies"], other["RolePolicyList"] = []object{}, []object{}
	// The AWS CLI keeps this order.
	return fmt.Appendf(
		nil,
		`{"UserDetailList":[],"GroupDetailList":[],"RoleDetailList":%s,"Policies":%s}`,
		spellJSON([]object{other, role}),
		spellJSON(policies),
	)
}

// resources are those of the AWS provider of Terraform.
func (m made) resources() []object {
	boundary := ""
	if m.boundary {
		boundary = limitsARN
	}
	all := []object{
		{"mode": "managed", "type": "aws_iam_role", "name": "r", "values": object{
			"arn":                  m.arn(),
			"name":                 m.role,
			"path":                 "/",
			"unique_id":            "AROAEXAMPLE",
			"assume_role_policy":   m.trust,
			"permissions_boundary": boundary,
			"managed_policy_arns":  []string{},
			"inline_policy":        []object{},
			"tags":                 nil,
		}},
	}
	for j, arn := range m.policies {
		all = append(all, object{"mode": "managed", "type": "aws_iam_policy", "name": "p", "values": object{"arn": arn, "policy": m.attached[j]}},
			object{"mode": "managed", "type": "aws_iam_role_policy_attachment", "name": "a", "values": object{"role": m.role, "policy_arn": arn}})
	}
	for j, document := range m.inline {
		all = append(
			all,
			object{
				"mode":   "managed",
				"type":   "aws_iam_role_policy",
				"name":   "i",
				"values": object{"role": m.role, "name": fmt.Sprintf("inline-%d", j), "policy": document},
			},
		)
	}
	return append(all, object{"mode": "managed", "type": "aws_instance", "name": "x", "values": object{"ami": "ami-0"}})
}

func (m made) state() []byte {
	all := m.resources()
	for _, r := range all {
		r["instances"] = []object{{"schema_version": 0, "attributes": r["values"]}}
		delete(r, "values")
	}
	return spellJSON(
		object{
			"version":           4,
			"terraform_version": "1.9.0",
			"serial":            3,
			"lineage":           "x",
			"outputs":           object{},
			"resources":         all,
			"check_results":     nil,
		},
	)
}

func (m made) show() []byte {
	all := m.resources()
	return spellJSON(object{"format_version": "1.0", "terraform_version": "1.9.0", "values": object{
		"root_module": object{"resources": all[:1], "child_modules": []object{{"address": "module.x", "resources": all[1:]}}}}})
}

// template is a template in YAML's JSON, as get-template gives it.
func (m made) template() []byte {
	resources := object{}
	arns := []any{}
	for j, arn := range m.policies {
		id := fmt.Sprintf("P%d", j)
		arns = append(arns, object{"Ref": id})
		resources[id] = object{
			"Type":       "AWS::IAM::ManagedPolicy",
			"Properties": object{"ManagedPolicyName": arn[strings.LastIndex(arn, "/")+1:], "PolicyDocument": json.RawMessage(m.attached[j])},
		}
	}
	inline := []object{}
	for j, document := range m.inline {
		inline = append(inline, object{"PolicyName": fmt.Sprintf("inline-%d", j), "PolicyDocument": json.RawMessage(document)})
	}
	role := object{"RoleName": m.role, "AssumeRolePolicyDocument": json.RawMessage(m.trust), "ManagedPolicyArns": arns, "Policies": inline}
	if m.boundary {
		role["PermissionsBoundary"] = object{"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/Limits"}
	}
	resources["R"] = object{"Type": "AWS::IAM::Role", "Properties": role}
	return spellJSON(
		object{"TemplateBody": object{"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}, "StagesAvailable": []string{"Original"}},
	)
}
