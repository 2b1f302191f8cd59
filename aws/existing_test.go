package aws_test

import (
	"testing"

	"rolecall/aws"
	"rolecall/policy"
)

// TestAPolicyThatExistsIsNotCompared has a role with a customer managed policy that
// is wanted as it is: what it grants is its owner's to say, and what stands beside it
// is told all the same.
func TestAPolicyThatExistsIsNotCompared(t *testing.T) {
	const mine, every = "arn:aws:iam::123456789012:policy/Mine", "arn:aws:iam::aws:policy/AdministratorAccess"
	some := policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"s3:GetObject"}, Resource: []string{"*"}})
	all := policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"*"}, Resource: []string{"*"}})
	want := aws.Want{PolicyARNs: []string{mine}, Existing: []string{mine}}
	for name, test := range map[string]struct {
		attached []aws.AttachedPolicy
		want     aws.Status
	}{
		"alone":        {[]aws.AttachedPolicy{{ARN: mine, Name: "Mine", Document: some}}, aws.Pass},
		"with another": {[]aws.AttachedPolicy{{ARN: mine, Name: "Mine", Document: some}, {ARN: every, Name: "AdministratorAccess", Document: all}}, aws.Warn},
		"not attached": {[]aws.AttachedPolicy{{ARN: every, Name: "AdministratorAccess", Document: all}}, aws.Warn},
		"not its text": {[]aws.AttachedPolicy{{ARN: mine, Name: "Mine"}}, aws.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			report := aws.Judge(want, aws.Seen{Role: &aws.Role{Name: "R", Attached: test.attached}})
			if c, ok := report.Check("policy-matches"); !ok || c.Status != test.want {
				t.Errorf("%v %+v", ok, c)
			}
		})
	}
}
