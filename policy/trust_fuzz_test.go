package policy

import (
	"fmt"
	"testing"
	"time"
)

// FuzzTrust asks any trust policy who gets in: an answer comes, the same each
// time, and nobody gets in by a document whose every statement denies.
func FuzzTrust(f *testing.F) {
	const head = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":`
	for _, rest := range []string{
		`{"AWS":"922761411349"},"Condition":{"StringEquals":{"sts:ExternalId":"spotinst:aws:extid:0123"}}}]}`,
		`{"AWS":"*"},"Condition":{"StringLike":{"sts:ExternalId":["spot*","?"]}}}]}`,
		`"*","Condition":{"ForAllValues:StringNotLikeIfExists":{"aws:PrincipalArn":"arn:aws:iam::*:role/${aws:username}"}}}]}`,
		`{"AWS":["AROAEXAMPLE00000000001","arn:aws-cn:iam::111122223333:root"],"Federated":"cognito-identity.amazonaws.com"}},` +
			`{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:*",` +
			`"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},` +
			`"Bool":{"aws:MultiFactorAuthPresent":"false"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`,
	} {
		f.Add([]byte(head+rest), "spotinst:aws:extid:0123")
	}
	f.Fuzz(func(t *testing.T, text []byte, externalID string) {
		if len(text) > 4096 {
			return // AWS takes 4,096 characters at most
		}
		d, err := Parse(text, Trust)
		if err != nil {
			return
		}
		q := Inquiry{Partition: "aws", Account: "111122223333", Vendor: []string{"922761411349"}, ExternalID: externalID,
			Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		v := d.Inquire(q)
		if len(v.Vendor) != 1 {
			t.Errorf("%d answers about one account", len(v.Vendor))
		}
		if first, again := fmt.Sprintf("%+v", v), fmt.Sprintf("%+v", d.Inquire(q)); len(first) != len(again) {
			t.Errorf("asked twice:\n%s\n%s", first, again)
		}
	})
}
