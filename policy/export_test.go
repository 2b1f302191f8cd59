package policy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"pgregory.net/rapid"
)

// tricky has everything that a template language might take for its own.
const tricky = `{"Version":"2012-10-17","Statement":[
	{"Sid":"Home","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::b/${aws:username}/*","arn:aws:s3:::b/${*}","arn:aws:s3:::it's \"quoted\"\\/%{x}"],
	 "Condition":{"StringLike":{"s3:prefix":["${aws:username}","$x","%{if}"],"aws:PrincipalTag/a b":"c'd"},"Bool":{"aws:SecureTransport":"true"}}},
	{"Effect":"Deny","NotAction":"iam:*","NotResource":"arn:aws-cn:iam::111122223333:role/a"}]}`

func setup(t testing.TB) *Setup {
	return &Setup{Description: "Connects this account to the vendor: \"quotes\" & $things.", Partition: "aws-cn", Roles: []SetupRole{
		{
			ID:          "SpotRole",
			Name:        "Spot-Role",
			Path:        "/vendors/",
			Description: "It's the vendor's role",
			Principals:  []string{"922761411349"},
			ExternalID:  extid,
			Policies: []SetupPolicy{
				{
					ID:          "SpotPolicy",
					Name:        "Spot-Policy",
					Description: "What \"Spot\" may do: ${x}",
					Document:    parsed(t, []byte(tricky), Identity),
					Notes:       map[string]string{"Home": "why\nit is needed"},
				},
				{ID: "SpotInline", Name: "inline", Document: parsed(t, []byte(statement(allowList+`"Resource":"*"`)), Identity), Inline: true},
			},
			ManagedPolicies: []string{"arn:aws:iam::aws:policy/SecurityAudit"},
			Boundary:        "arn:aws:iam::111122223333:policy/boundary",
			SessionDuration: 2 * time.Hour,
			Tags:            []SetupTag{{"team", "a 'b' \"c\""}},
			Output:          "SpotinstRoleArn",
		},
		{
			ID:            "FinOpsRole",
			Name:          "FinOps",
			Principals:    []string{"884866656237", "627743545735"},
			AskExternalID: true,
			Policies: []SetupPolicy{
				{ID: "FinOpsPolicy", Name: "FinOps-Policy", Document: parsed(t, []byte(statement(allowList+`"Resource":"*"`)), Identity)},
			},
			Output: "SpotFinOpsRoleArn",
		},
	}}
}

// resolve turns a YAML node of a template into a value, with the intrinsic
// functions that are used answered as CloudFormation would in China.
func resolve(t *testing.T, n ast.Node) any {
	t.Helper()
	switch n := n.(type) {
	case *ast.MappingNode:
		out := map[string]any{}
		for _, v := range n.Values {
			key, ok := resolve(t, v.Key.(ast.Node)).(string)
			if !ok {
				t.Fatalf("key %s", v.Key)
			}
			out[key] = resolve(t, v.Value)
		}
		return out
	case *ast.SequenceNode:
		var out []any
		for _, v := range n.Values {
			out = append(out, resolve(t, v))
		}
		return out
	case *ast.TagNode:
		text := resolve(t, n.Value).(string)
		switch n.Start.Value {
		case "!Sub":
			text = strings.ReplaceAll(text, "${AWS::Partition}", "aws-cn")
			if strings.Contains(strings.ReplaceAll(text, "${!", ""), "${") {
				t.Errorf("%q has a variable that CloudFormation would replace", text)
			}
			return strings.ReplaceAll(text, "${!", "${")
		case "!Ref", "!GetAtt":
			return n.Start.Value + " " + text
		}
		t.Fatalf("tag %s", n.Start.Value)
	case *ast.StringNode:
		return n.Value
	}
	var v any
	if err := yaml.NodeToValue(n, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCloudFormation(t *testing.T) {
	s := setup(t)
	text, err := s.CloudFormation()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "# why it is needed\n") || strings.Contains(text, "arn:aws:") {
		t.Errorf("a note is missing, or a partition is fixed:\n%s", text)
	}
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	root := resolve(t, file.Docs[0].Body).(map[string]any)
	resources := root["Resources"].(map[string]any)
	properties := func(id string) map[string]any {
		return resources[id].(map[string]any)["Properties"].(map[string]any)
	}
	sameJSON(t, properties("SpotPolicy")["PolicyDocument"], s.Roles[0].Policies[0].Document.InPartition("aws-cn"))
	role := properties("SpotRole")
	trust := NewTrust("aws-cn", []string{"922761411349"}, "!Ref SpotRoleExternalId")
	sameJSON(t, role["AssumeRolePolicyDocument"], trust)
	if got := role["ManagedPolicyArns"].([]any); got[0] != "!Ref SpotPolicy" || got[1] != "arn:aws-cn:iam::aws:policy/SecurityAudit" {
		t.Errorf("%v", got)
	}
	if role["PermissionsBoundary"] != "arn:aws-cn:iam::111122223333:policy/boundary" || role["Description"] != "It's the vendor's role" {
		t.Errorf("%v", role)
	}
	outputs := root["Outputs"].(map[string]any)
	if outputs["SpotinstRoleArn"].(map[string]any)["Value"] != "!GetAtt SpotRole.Arn" || len(outputs) != 2 {
		t.Errorf("%v", outputs)
	}
	parameters := root["Parameters"].(map[string]any)
	if _, ok := parameters["FinOpsRoleExternalId"].(map[string]any)["Default"]; ok || len(parameters) != 2 {
		t.Errorf("%v", parameters)
	}
}

// sameJSON compares a decoded value with a document by its digest.
func sameJSON(t *testing.T, got any, want *Document) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	// Check, not Parse: what the tests put in place of a parameter is no ID.
	d, refusals := Check(text, Identity)
	if d == nil || d.Digest() != want.Digest() {
		t.Errorf("%v\n%s\nwant %s", refusals, text, want.Compact())
	}
}

func TestCloudFormationPassesLint(t *testing.T) {
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed")
	}
	spot := setup(t)
	spot.Roles[0].Tags = []SetupTag{{"team", "a b"}}
	spot.Roles[0].Policies[0].Document = parsed(t, shared(t, "spot-default-policy.json"), Identity)
	text, err := spot.CloudFormation()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(lint, "-r", "us-east-1", "cn-north-1", "us-gov-west-1", "--", name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if len(text) > 51200 {
		t.Errorf("%d bytes are more than a template may have", len(text))
	}
}

func TestTerraform(t *testing.T) {
	s := setup(t)
	text, err := s.Terraform()
	if err != nil {
		t.Fatal(err)
	}
	file, diagnostics := hclsyntax.ParseConfig([]byte(text), "main.tf", hcl.InitialPos)
	if diagnostics.HasErrors() {
		t.Fatalf("%v\n%s", diagnostics, text)
	}
	scope := &hcl.EvalContext{Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc}, Variables: map[string]cty.Value{
		"data": cty.ObjectVal(
			map[string]cty.Value{
				"aws_partition": cty.ObjectVal(
					map[string]cty.Value{"current": cty.ObjectVal(map[string]cty.Value{"partition": cty.StringVal("aws-cn")})},
				),
			},
		),
		"var": cty.ObjectVal(
			map[string]cty.Value{"spot_role_external_id": cty.StringVal(extid), "fin_ops_role_external_id": cty.StringVal("other")},
		),
	}}
	values := map[string]cty.Value{}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		for name, attribute := range block.Body.Attributes {
			v, diagnostics := attribute.Expr.Value(scope)
			if diagnostics.HasErrors() {
				continue // It refers to another resource.
			}
			values[strings.Join(append(block.Labels, name), ".")] = v
		}
	}
	for name, want := range map[string]*Document{
		"aws_iam_policy.spot_policy.policy":            s.Roles[0].Policies[0].Document.InPartition("aws-cn"),
		"aws_iam_role_policy.spot_inline.policy":       s.Roles[0].Policies[1].Document,
		"aws_iam_role.spot_role.assume_role_policy":    NewTrust("aws-cn", []string{"922761411349"}, extid),
		"aws_iam_role.fin_ops_role.assume_role_policy": NewTrust("aws-cn", []string{"884866656237", "627743545735"}, "other"),
	} {
		if values[name] == cty.NilVal {
			t.Errorf("%s is missing:\n%s", name, text)
			continue
		}
		sameJSON(t, json.RawMessage(values[name].AsString()), want)
	}
	if got := values["aws_iam_role.spot_role.max_session_duration"]; !got.RawEquals(cty.NumberIntVal(7200)) {
		t.Errorf("%#v", got)
	}
	if got := values["aws_iam_policy.spot_policy.description"].AsString(); got != `What "Spot" may do: ${x}` {
		t.Error(got)
	}
}

// Any text reads back as it was, and what is written is in the form of the
// library's own formatter.
func TestTerraformReadsBackAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("${%}\"\\ \n\t\r#a")), rapid.Rune())), 1, 4).Draw(t, "texts")
		keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z:/ .-]{1,12}`), 1, 4, rapid.ID).Draw(t, "keys")
		want := map[string]cty.Value{}
		var tags []SetupTag
		for i, key := range keys {
			value := texts[i%len(texts)]
			tags, want[key] = append(tags, SetupTag{Key: key, Value: value}), cty.StringVal(value)
		}
		s := Setup{
			Roles: []SetupRole{{ID: "SpotRole", Name: texts[0] + "x", Principals: []string{"922761411349"}, ExternalID: extid, Tags: tags}},
		}
		text, err := s.Terraform()
		if err != nil {
			t.Skip(err)
		}
		if got := string(hclwrite.Format([]byte(text))); got != text {
			t.Fatalf("formatted it is\n%s\nand was\n%s", got, text)
		}
		file, diagnostics := hclsyntax.ParseConfig([]byte(text), "main.tf", hcl.InitialPos)
		if diagnostics.HasErrors() {
			t.Fatalf("%v\n%s", diagnostics, text)
		}
		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			if block.Type != "resource" || block.Labels[0] != "aws_iam_role" {
				continue
			}
			if got, _ := block.Body.Attributes["tags"].Expr.Value(nil); !got.RawEquals(cty.ObjectVal(want)) {
				t.Fatalf("%#v is not %#v:\n%s", got, want, text)
			}
		}
	})
}

func TestTerraformIsFormatted(t *testing.T) {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed")
	}
	text, err := setup(t).Terraform()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(terraform, "fmt", "-")
	command.Stdin = strings.NewReader(text)
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != text {
		t.Errorf("terraform fmt would change it to\n%s\nfrom\n%s", out, text)
	}
}

// runShell runs a script with an aws of its own that notes its arguments.
func runShell(t *testing.T, script string, environment ...string) (calls [][]string, output string, err error) {
	t.Helper()
	sh, lookErr := exec.LookPath("sh")
	if lookErr != nil {
		t.Skip("there is no POSIX shell")
	}
	dir := t.TempDir()
	fake := "#!/bin/sh\nfor a in \"$@\"; do printf '%s\\0' \"$a\"; done >>\"$LOG\"\nprintf '\\n' >>\"$LOG\"\n" +
		"case $2 in create-role) echo arn:role ;; create-policy) echo arn:policy ;; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(fake), 0o700); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	command := exec.Command(sh)
	command.Stdin = strings.NewReader(script)
	command.Env = append([]string{"PATH=" + dir + ":/usr/bin:/bin", "LOG=" + log}, environment...)
	out, err := command.CombinedOutput()
	lines, _ := os.ReadFile(log)
	for line := range strings.SplitSeq(strings.TrimSpace(string(lines)), "\x00\n") {
		calls = append(calls, strings.Split(strings.TrimSuffix(line, "\x00"), "\x00"))
	}
	return calls, string(out), err
}

func flagOf(call []string, name string) string {
	if i := slices.Index(call, name); i >= 0 && i+1 < len(call) {
		return call[i+1]
	}
	return ""
}

func TestShell(t *testing.T) {
	s := setup(t)
	text, err := s.Shell()
	if err != nil {
		t.Fatal(err)
	}
	calls, out, err := runShell(t, text, "EXTERNAL_ID_2=other-id")
	if err != nil || out != "SpotinstRoleArn arn:role\nSpotFinOpsRoleArn arn:role\n" {
		t.Fatalf("%v\n%s\n%s", err, out, text)
	}
	var operations []string
	for _, call := range calls {
		operations = append(operations, call[1])
	}
	if got := strings.Join(
		operations,
		" ",
	); got != "create-role create-policy attach-role-policy put-role-policy attach-role-policy create-role create-policy attach-role-policy" {
		t.Fatal(got)
	}
	role := calls[0]
	sameJSON(t, json.RawMessage(flagOf(role, "--assume-role-policy-document")), NewTrust("aws-cn", []string{"922761411349"}, extid))
	sameJSON(
		t,
		json.RawMessage(flagOf(calls[5], "--assume-role-policy-document")),
		NewTrust("aws-cn", []string{"884866656237", "627743545735"}, "other-id"),
	)
	sameJSON(t, json.RawMessage(flagOf(calls[1], "--policy-document")), s.Roles[0].Policies[0].Document.InPartition("aws-cn"))
	for flag, want := range map[string]string{"--description": "It's the vendor's role", "--path": "/vendors/",
		"--max-session-duration": "7200",
		"--permissions-boundary": "arn:aws-cn:iam::111122223333:policy/boundary", "--tags": `[{"Key":"team","Value":"a 'b' \"c\""}]`} {
		if got := flagOf(role, flag); got != want {
			t.Errorf("%s %q, want %q", flag, got, want)
		}
	}
	if got := flagOf(calls[2], "--policy-arn"); got != "arn:policy" {
		t.Error(got)
	}
	if got := flagOf(calls[4], "--policy-arn"); got != "arn:aws-cn:iam::aws:policy/SecurityAudit" {
		t.Error(got)
	}
}

func TestShellStops(t *testing.T) {
	text, err := setup(t).Shell()
	if err != nil {
		t.Fatal(err)
	}
	for name, environment := range map[string]string{"no external ID": "X=1", "a quote in it": `EXTERNAL_ID=a"b`,
		"one letter": "EXTERNAL_ID=a", "a space": "EXTERNAL_ID=a b"} {
		calls, out, err := runShell(t, text, environment)
		if err == nil || out == "" || strings.HasPrefix(environment, "EXTERNAL_ID=") && len(calls[0]) > 1 {
			t.Errorf("%s: %v, %q, %v", name, err, out, calls)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*SetupRole){
		"an ID with a colon": func(r *SetupRole) { r.ID = "a:b" },
		"no account":         func(r *SetupRole) { r.Principals = nil },
		"output with lines":  func(r *SetupRole) { r.Output = "a\nb" },
		"no document":        func(r *SetupRole) { r.Policies[0].Document = nil },
		"an ID twice":        func(r *SetupRole) { r.Policies[0].ID = r.ID },
	} {
		s := setup(t)
		spoil(&s.Roles[0])
		for format, write := range map[string]func() (string, error){"CloudFormation": s.CloudFormation, "Terraform": s.Terraform,
			"CLI": s.Shell} {
			if _, err := write(); err == nil {
				t.Errorf("%s, %s: written", name, format)
			}
		}
	}
}
