package policy

import (
	"net/url"
	"strings"
	"testing"
)

func TestRecognise(t *testing.T) {
	const allowS3 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
	const trusts = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	quotedPolicy := `"` + strings.ReplaceAll(allowS3, `"`, `\"`) + `"`
	tests := []struct {
		name, text string
		asked      Kind
		kind       Kind
		what       string // part of the name, "" for what was asked for
		next       string // part of the advice
		where      string
	}{
		{"a permissions policy", allowS3, Identity, Identity, "", "", ""},
		{"a trust policy", trusts, Trust, Trust, "", "", ""},
		{"a trust policy as identity", trusts, Identity, Identity, "trust policy", "--kind trust FILE", ""},
		{"a permissions policy as trust", allowS3, Trust, Trust, "permissions policy", "without --kind trust", ""},
		{
			"get-role",
			`{"Role":{"RoleName":"x","AssumeRolePolicyDocument":` + trusts + `}}`,
			Identity,
			Trust,
			"aws iam get-role",
			"",
			"Role.AssumeRolePolicyDocument",
		},
		{
			"get-role, encoded",
			`{"Role":{"AssumeRolePolicyDocument":"` + url.PathEscape(trusts) + `"}}`,
			Identity,
			Trust,
			"aws iam get-role",
			"",
			"Role.AssumeRolePolicyDocument",
		},
		{
			"get-role of the API",
			`{"GetRoleResponse":{"GetRoleResult":{"Role":{"AssumeRolePolicyDocument":"` + url.QueryEscape(trusts) + `"}}}}`,
			Trust,
			Trust,
			"get-role",
			"",
			"Role.AssumeRolePolicyDocument",
		},
		{
			"get-policy-version",
			`{"PolicyVersion":{"Document":` + allowS3 + `,"VersionId":"v1"}}`,
			Identity,
			Identity,
			"get-policy-version",
			"",
			"PolicyVersion.Document",
		},
		{
			"get-role-policy",
			`{"RoleName":"x","PolicyName":"p","PolicyDocument":` + allowS3 + `}`,
			Trust,
			Identity,
			"get-role-policy",
			"",
			"PolicyDocument",
		},
		{
			"get-user-policy",
			`{"UserName":"x","PolicyName":"p","PolicyDocument":` + quotedPolicy + `}`,
			Identity,
			Identity,
			"get-user-policy",
			"",
			"PolicyDocument",
		},
		{
			"get-policy",
			`{"Policy":{"Arn":"arn:aws:iam::aws:policy/X","DefaultVersionId":"v1"}}`,
			Identity,
			Identity,
			"holds no document",
			"get-policy-version",
			"",
		},
		{"list-roles", `{"Roles":[{"RoleName":"x"}]}`, Identity, Identity, "a list", "get-role", ""},
		{
			"a bucket policy",
			strings.Replace(allowS3, `"Action"`, `"Principal":"*","Action"`, 1),
			Identity,
			Identity,
			"a bucket policy",
			"RESOURCE_POLICY",
			"",
		},
		{
			"a key policy as trust",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`,
			Trust,
			Trust,
			"a key policy",
			"RESOURCE_POLICY",
			"",
		},
		{
			"a repository policy",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"ecr:BatchGetImage"}]}`,
			Identity,
			Identity,
			"a repository policy",
			"RESOURCE_POLICY",
			"",
		},
		{
			"get-bucket-policy",
			`{"Policy":"` + strings.ReplaceAll(strings.Replace(allowS3, `"Action"`, `"Principal":"*","Action"`, 1), `"`, `\"`) + `"}`,
			Identity,
			Identity,
			"a bucket policy",
			"RESOURCE_POLICY",
			"",
		},
		{
			"an SCP as Organizations answers",
			`{"Policy":{"PolicySummary":{"Type":"SERVICE_CONTROL_POLICY"},"Content":"{}"}}`,
			Identity,
			Identity,
			"SCP",
			"SERVICE_CONTROL_POLICY",
			"",
		},
		{
			"an RCP",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"}}}]}`,
			Identity,
			Identity,
			"RCP",
			"RESOURCE_CONTROL_POLICY",
			"",
		},
		{
			"CloudFormation",
			`{"Resources":{"P":{"Type":"AWS::IAM::Policy","Properties":{"PolicyDocument":` + allowS3 + `}}}}`,
			Identity,
			Identity,
			"CloudFormation",
			"jq '.Resources.P.Properties.PolicyDocument'",
			"",
		},
		{
			"CloudFormation in YAML",
			"AWSTemplateFormatVersion: 2010-09-09\nResources:\n  P: {}\n",
			Identity,
			Identity,
			"CloudFormation template in YAML",
			"yq",
			"",
		},
		{
			"a plan of Terraform",
			`{"terraform_version":"1.9.0","planned_values":{"root_module":{"resources":[{"values":{"policy":` + quotedPolicy + `}}]}}}`,
			Identity,
			Identity,
			"Terraform",
			"jq '.planned_values.root_module.resources[0].values.policy | fromjson'",
			"",
		},
		{
			"Terraform",
			"resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({})\n}\n",
			Identity,
			Identity,
			"a Terraform file",
			"terraform show -json",
			"",
		},
		{"YAML", "Version: '2012-10-17'\nStatement:\n  - Effect: Allow\n", Identity, Identity, "YAML", "yq -o json", ""},
		{"a list", `[` + allowS3 + `]`, Identity, Identity, "a list", "one policy", ""},
		{"an encoded document", url.PathEscape(allowS3), Identity, Identity, "percent-encoded", "decoded", ""},
		{"no JSON at all", `{"Version":`, Identity, Identity, "", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := Recognise([]byte(test.text), test.asked)
			if r.Kind != test.kind || !strings.Contains(r.Form.What, test.what) || !strings.Contains(r.Form.Next, test.next) ||
				r.Form.Where != test.where {
				t.Fatalf("%v %+v", r.Kind, r.Form)
			}
			if (test.what == "") != (r.Form.What == "") || (test.next == "") != (r.Form.Next == "") {
				t.Fatalf("%+v", r.Form)
			}
			if kind := len(r.Refusals) > 0 && r.Refusals[0].ID == "kind"; kind != (test.next != "") {
				t.Errorf("%+v", r.Refusals)
			}
			if test.where != "" && (r.Document == nil || len(r.Refusals) > 0) {
				t.Errorf("the document inside was not read: %+v", r.Refusals)
			}
		})
	}
}

// TestPositionsInsideAnAnswer: a finding in a document inside of an answer
// stands where it stands in the whole.
func TestPositionsInsideAnAnswer(t *testing.T) {
	text := "{\n \"Role\": {\n  \"AssumeRolePolicyDocument\": {\"Version\":\"2012-10-17\",\n   \"Statement\": [{\"Effect\":\"allow\"}]}}}"
	r := Recognise([]byte(text), Identity)
	if len(r.Refusals) == 0 {
		t.Fatal("nothing is refused")
	}
	for _, refusal := range r.Refusals {
		if refusal.Line != 4 {
			t.Errorf("%+v", refusal)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add([]byte(`{"Role":{"AssumeRolePolicyDocument":"%7B%7D"}}`))
	f.Add([]byte(`{"Policy":"{\"Statement\":[]}"}`))
	f.Add([]byte("Resources:\n AWS::"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, kind := range []Kind{Identity, Trust} {
			r := Recognise(text, kind)
			if r.Document == nil && len(r.Refusals) == 0 {
				t.Fatal("neither read nor refused")
			}
			if r.Form.Next != "" && r.Refusals[0].ID != "kind" {
				t.Fatalf("%+v", r)
			}
		}
	})
}
