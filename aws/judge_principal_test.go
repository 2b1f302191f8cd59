package aws_test

import (
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/policy"
)

// A vendor that calls as one role has to get in by it, and nobody else of its
// account.
func TestPrincipalByARN(t *testing.T) {
	const who = "arn:aws:iam::444455556666:role/vendor/Caller"
	cases := []struct {
		name, principal         string
		wantPrincipal, wantMore aws.Status
	}{
		{"right", who, aws.Pass, aws.Pass},
		{"the account as a whole", "arn:aws:iam::444455556666:root", aws.Pass, aws.Fail},
		{"the account by its number", "444455556666", aws.Pass, aws.Fail},
		{"another role of it", "arn:aws:iam::444455556666:role/vendor/Other", aws.Fail, aws.Fail},
		{"without its path", "arn:aws:iam::444455556666:role/Caller", aws.Fail, aws.Fail},
		{"a user of that name", "arn:aws:iam::444455556666:user/vendor/Caller", aws.Fail, aws.Fail},
		{"of another account", strings.Replace(who, "4444", "5555", 1), aws.Fail, aws.Fail},
		{"one of two", who + `","arn:aws:iam::444455556666:role/vendor/Other`, aws.Pass, aws.Fail},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["`+c.principal+`"]},`+
				`"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x-1"}}}]}`), policy.Trust)
			if err != nil {
				t.Fatal(err)
			}
			report := aws.Judge(aws.Want{Partition: "aws", AccountID: "123456789012", Principals: []string{who}, ExternalID: "x-1", RoleName: "r"},
				aws.Seen{Role: &aws.Role{Name: "r", ARN: "arn:aws:iam::123456789012:role/r", Path: "/", Trust: doc}})
			got, _ := report.Check("trust-principal")
			if got.Status != c.wantPrincipal || c.wantPrincipal == aws.Pass && got.Got != who {
				t.Errorf("trust-principal: %+v", got)
			}
			if more, _ := report.Check("trust-extra-principals"); more.Status != c.wantMore {
				t.Errorf("trust-extra-principals: %+v", more)
			}
			if c.wantPrincipal == aws.Fail && !strings.Contains(got.Fix, who) {
				t.Errorf("the fix does not name the principal: %q", got.Fix)
			}
		})
	}
}
