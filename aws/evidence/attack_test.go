package evidence_test

import (
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/aws/evidence"
)

// TestNothingWrongPasses has evidence of roles that are not as required, or of
// which nobody can tell: none of it may be judged right.
func TestNothingWrongPasses(t *testing.T) {
	const otherARN = "arn:aws:iam::123456789012:policy/Other"
	little := strings.ReplaceAll(getVersion, "ec2:DescribeInstances", "ec2:DescribeImages")
	other := strings.ReplaceAll(getPolicy, policyARN, otherARN)
	template := func(resources string) string {
		return `{"Resources":{"Role":{"Type":"AWS::IAM::Role","Properties":{"RoleName":"Spot-Role","AssumeRolePolicyDocument":` + trustText +
			`,"Policies":[{"PolicyName":"P","PolicyDocument":` + grants + `}]}},` + resources + `}}`
	}
	for name, text := range map[string]string{
		"documents in another order than their policies": getRole + attached + noInline + getPolicy + other + little + getVersion,
		"the same, the other way round":                  getRole + attached + noInline + other + getPolicy + getVersion + little,
		"an old version that says it is the default": getRole + attached + noInline + getPolicy +
			"\n$ aws iam get-policy-version --policy-arn " + policyARN + " --version-id v1\n" + strings.ReplaceAll(getVersion, `"v2"`, `"v1"`),
		"a denial of a role that is named otherwise": template(`"D":{"Type":"AWS::IAM::Policy","Properties":{"PolicyName":"D","Roles":` +
			`[{"Fn::GetAtt":["Role","Arn"]}],"PolicyDocument":{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}}}`),
		"a denial of roles that a parameter names": template(`"D":{"Type":"AWS::IAM::Policy","Properties":{"PolicyName":"D","Roles":` +
			`{"Ref":"Names"},"PolicyDocument":{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}}}`),
		"a denial under a condition": template(`"D":{"Type":"AWS::IAM::Policy","Condition":"C","Properties":{"PolicyName":"D","Roles":` +
			`[{"Ref":"Role"}],"PolicyDocument":{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}}}`),
		"a macro":    strings.Replace(template(`"X":{"Type":"AWS::SNS::Topic"}`), `{"Resources"`, `{"Transform":["Mine"],"Resources"`, 1),
		"an include": template(`"Fn::Transform":{"Name":"AWS::Include","Parameters":{"Location":"s3://b/t.yaml"}}`),
		"a loop":     template(`"Fn::ForEach::Policies":["Name",["A"],{"D${Name}":{"Type":"AWS::IAM::Policy"}}]`),
	} {
		t.Run(name, func(t *testing.T) {
			v, err := evidence.Read(strings.NewReader(text), ask())
			if err != nil {
				t.Log(err)
				return // refused, or a contradiction
			}
			if _, report, err := aws.Look(t.Context(), v, want(t)); err == nil && report.OK {
				t.Errorf("is right: %+v %q", report.Checks, v.Notes())
			}
		})
	}
	if _, report := judge(t, read(t, template(`"X":{"Type":"AWS::SNS::Topic"}`))); !report.OK {
		t.Errorf("the template itself is right: %+v", report.Checks)
	}
}
