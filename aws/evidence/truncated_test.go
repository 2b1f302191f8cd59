package evidence_test

import (
	"errors"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/aws/evidence"
)

// TestTruncated cuts evidence off at each byte, as a terminal or a chat does: it
// passes only where nothing of it is missing.
func TestTruncated(t *testing.T) {
	t.Parallel()
	inline := `{"PolicyNames":["more"]}` + `{"RoleName":"Spot-Role","PolicyName":"more","PolicyDocument":` + grants + `}`
	for name, text := range map[string]string{
		"outputs":        whole,
		"inline":         getRole + attached + getVersion + inline,
		"the role last":  attached + noInline + getVersion + getRole,
		"details":        details(),
		"Terraform":      state(),
		"a template":     `{"TemplateBody":` + quoted(template()) + `}`,
		"encoded twice":  quoted(whole),
		"a terminal":     "$ aws iam get-role --role-name Spot-Role\n" + getRole + "\n$ aws iam list-role-policies\n" + noInline + attached + getVersion,
		"with two roles": strings.ReplaceAll(details(), "Other-Role", "Third-Role"),
	} {
		passes := 0
		for i := range len(text) + 1 {
			v, err := evidence.Read(strings.NewReader(text[:i]), ask())
			var r *evidence.Refusal
			if err != nil {
				if !errors.As(err, &r) {
					t.Fatalf("%s: %v", name, err)
				}
				continue
			}
			_, report, err := aws.Look(t.Context(), v, want(t))
			if err != nil || !report.OK {
				continue
			}
			if passes++; i < len(text) {
				t.Errorf("%s: it passes without %q", name, text[i:])
			}
		}
		if passes != 1 && name != "encoded twice" {
			t.Errorf("%s: the whole passes %d times", name, passes)
		}
	}
}

func details() string {
	role := strings.TrimSuffix(getRole[len(`{"Role":`):], "}}")
	other := strings.NewReplacer("Spot-Role", "Other-Role").Replace(role) + `,"AttachedManagedPolicies":[],"RolePolicyList":[]},`
	return `{"RoleDetailList":[` + other + role + `,"RolePolicyList":[],"AttachedManagedPolicies":[{"PolicyName":"Spot-Policy","PolicyArn":"` + policyARN +
		`"}]}],"Policies":[{"Arn":"` + policyARN + `","DefaultVersionId":"v2","PolicyVersionList":[{"VersionId":"v2","IsDefaultVersion":true,"Document":` +
		grants + `}]}]}`
}

func state() string {
	return `{"version":4,"resources":[{"mode":"managed","type":"aws_iam_role","name":"r","instances":[{"attributes":{"arn":"` + roleARN +
		`","name":"Spot-Role","path":"/","permissions_boundary":"","inline_policy":[],"managed_policy_arns":[],"assume_role_policy":` + quoted(trustText) +
		`}}]},{"mode":"managed","type":"aws_iam_role_policy","name":"p","instances":[{"attributes":{"role":"Spot-Role","name":"p","policy":` +
		quoted(grants) + `}}]}]}`
}

func template() string {
	return `{"Resources":{"R":{"Type":"AWS::IAM::Role","Properties":{"RoleName":"Spot-Role","AssumeRolePolicyDocument":` + trustText +
		`,"Policies":[{"PolicyName":"p","PolicyDocument":` + grants + `}]}}}}`
}
