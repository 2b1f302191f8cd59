package policy

import (
	"slices"
	"testing"
)

const (
	extid = "spotinst:aws:extid:0123456789abcdef"
	root  = "arn:aws:iam::111122223333:root"
)

func trustWith(condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + root + `"}` + condition)
}

func TestTrustsExternalID(t *testing.T) {
	tests := []struct {
		name, condition string
		required, exact bool
		none, right     bool // is a caller without, or with the right one, let in
		other           bool // or with another one
	}{
		{"no condition", "", false, false, true, true, true},
		{"equals", `{"StringEquals":{"sts:ExternalId":"` + extid + `"}}`, true, true, false, true, false},
		{"a list, key in lower case", `{"StringEquals":{"sts:externalid":["x","` + extid + `"]}}`, true, true, false, true, false},
		{"another", `{"StringEquals":{"sts:ExternalId":"x"}}`, true, true, false, false, false},
		{"like", `{"StringLike":{"sts:ExternalId":"spotinst:*"}}`, true, false, false, true, false},
		{"like everything", `{"StringLike":{"sts:ExternalId":"*"}}`, true, false, false, true, true},
		{"if exists", `{"StringEqualsIfExists":{"sts:ExternalId":"` + extid + `"}}`, false, false, true, true, false},
		{"for any value", `{"ForAnyValue:StringEquals":{"sts:ExternalId":"` + extid + `"}}`, true, true, false, true, false},
		{"for all values", `{"ForAllValues:StringEquals":{"sts:ExternalId":"` + extid + `"}}`, false, false, true, true, false},
		{"not equals", `{"StringNotEquals":{"sts:ExternalId":"x"}}`, false, false, true, true, true},
		{"any value but", `{"ForAnyValue:StringNotEquals":{"sts:ExternalId":"x"}}`, false, false, false, true, true},
		{"ignoring case", `{"StringEqualsIgnoreCase":{"sts:ExternalId":"SPOTINST:aws:extid:0123456789abcdef"}}`, true, false, false, true, false},
		{"not null", `{"Null":{"sts:ExternalId":"false"}}`, false, false, false, true, true},
		{"null", `{"Null":{"sts:ExternalId":"true"}}`, false, false, true, false, false},
		{"both", `{"StringEquals":{"sts:ExternalId":["` + extid + `","x"]},"StringLike":{"sts:ExternalId":"spot*"}}`, true, true, false, true, false},
		{"contradiction", `{"StringEquals":{"sts:ExternalId":"x"},"StringLike":{"sts:ExternalId":"spot*"}}`, true, true, false, false, false},
		{"wrong operator", `{"ArnEquals":{"sts:ExternalId":"` + extid + `"}}`, true, false, false, false, false},
	}
	for _, test := range tests {
		grants := parsed(t, []byte(trustWith(test.condition)), Trust).Trusts()
		if len(grants) != 1 {
			t.Fatalf("%s: %d grants", test.name, len(grants))
		}
		e := grants[0].ExternalID
		if e.Required != test.required || e.Exact != test.exact {
			t.Errorf("%s: required %v, exact %v: %+v", test.name, e.Required, e.Exact, e)
		}
		if e.Accepts("") != test.none || e.Accepts(extid) != test.right || e.Accepts("other") != test.other {
			t.Errorf("%s: without %v, right %v, other %v", test.name, e.Accepts(""), e.Accepts(extid), e.Accepts("other"))
		}
		if test.exact && slices.Contains(e.Values, extid) != test.right {
			t.Errorf("%s: values %q", test.name, e.Values)
		}
	}
}

func TestTrustsPrincipals(t *testing.T) {
	d := parsed(t, []byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"sts:*","Principal":{"AWS":["111122223333","arn:aws-cn:iam::444455556666:role/a/b"],"Service":"ec2.amazonaws.com"}},
		{"Effect":"Allow","Action":"sts:TagSession","Principal":{"AWS":"*"}},
		{"Effect":"Deny","Action":"sts:Assume*","Principal":{"AWS":"111122223333"},"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
		{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"999999999999"}},
		{"Effect":"Allow","Action":["STS:assumerole"],"Principal":{"AWS":"*"},"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a"}}}]}`), Trust)
	grants := d.Trusts()
	if len(grants) != 2 {
		t.Fatalf("%+v", grants)
	}
	first, second := grants[0], grants[1]
	want := []Principal{
		{Value: "111122223333", AccountID: "111122223333", Whole: true},
		{Value: "arn:aws-cn:iam::444455556666:role/a/b", Partition: "aws-cn", AccountID: "444455556666"},
	}
	if !slices.Equal(first.Principals, want) || len(first.Others["Service"]) != 1 {
		t.Errorf("%+v", first)
	}
	if !slices.Equal(first.Denied, []int{2}) || !slices.Equal(second.Denied, []int{2, 3}) {
		t.Errorf("denied by %v and %v", first.Denied, second.Denied)
	}
	if !second.Principals[0].Anyone || len(second.Conditions) != 1 || second.Statement != 4 {
		t.Errorf("%+v", second)
	}
}

func TestNewTrust(t *testing.T) {
	d := NewTrust("aws-us-gov", []string{"111122223333", "444455556666"}, extid)
	back := parsed(t, []byte(d.Pretty()), Trust)
	grant := back.Trusts()[0]
	if len(grant.Principals) != 2 || grant.Principals[1].Partition != "aws-us-gov" || !grant.ExternalID.Accepts(extid) || grant.ExternalID.Accepts("") {
		t.Errorf("%+v", grant)
	}
	if !d.Equal(back) || d.Equal(NewTrust("aws", []string{"111122223333"}, "")) {
		t.Error("the digest does not follow the content")
	}
}

func TestCompareTrust(t *testing.T) {
	number := parsed(t, []byte(statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"}`)), Trust)
	arn := parsed(t, []byte(trustWith("")), Trust)
	role := parsed(t, []byte(statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["`+root+`","arn:aws:iam::111122223333:role/a"]}`)), Trust)
	if diff := Compare(number, arn); !diff.Equal {
		t.Errorf("an account's number and its root differ: %+v", diff)
	}
	if diff := Compare(arn, role); diff.Equal || !diff.More() || diff.Less() || diff.Changed[0].What != "principal" {
		t.Errorf("%+v", diff)
	}
	guarded := NewTrust("aws", []string{"111122223333"}, extid)
	if diff := Compare(arn, guarded); !diff.Less() || diff.More() || diff.Changed[0].What != "condition" {
		t.Errorf("%+v", diff)
	}
}

func TestCompareExplains(t *testing.T) {
	identity := func(inside string) *Document { return parsed(t, []byte(statement(inside)), Identity) }
	base := `"Effect":"Allow","Resource":"*","Action":`
	tests := []struct {
		name, old, new string
		added, removed []string
		what, action   string
		more, less     bool
	}{
		{"an action", base + `"ec2:StartInstances"`, base + `["ec2:startinstances","ec2:StopInstances"]`, []string{"ec2:StopInstances"}, nil, "", "", true, false},
		{"a wildcard over its actions today", base + `["savingsplans:List*"]`, base + `["savingsplans:ListTagsForResource"]`, nil, nil, "wildcard", "savingsplans:List*", false, true},
		{"a part of a wildcard", base + `["elasticloadbalancing:Register*"]`, base + `["elasticloadbalancing:RegisterTargets"]`, nil, []string{"elasticloadbalancing:RegisterInstancesWithLoadBalancer"}, "", "", false, true},
		{"a wildcard without a part", base + `["s3:*","ec2:Describe*"]`, base + `["s3:*"]`, nil, []string{"ec2:Describe*"}, "", "", false, true},
		{"resource", base + `"s3:GetObject"`, `"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"`, nil, nil, "resource", "s3:GetObject", false, true},
		{"condition", base + `"s3:GetObject"`, base + `"s3:GetObject","Condition":{"Bool":{"aws:SecureTransport":"true"}}`, nil, nil, "condition", "s3:GetObject", false, true},
		{"everything but", base + `"s3:GetObject"`, `"Effect":"Allow","Resource":"*","NotAction":"iam:*"`, nil, nil, "action", "all but iam:*", true, false},
	}
	for _, test := range tests {
		diff := Compare(identity(test.old), identity(test.new))
		if diff.More() != test.more || diff.Less() != test.less || !slices.Equal(diff.Added, test.added) || !slices.Equal(diff.Removed, test.removed) {
			t.Errorf("%s: %+v", test.name, diff)
		}
		if test.what == "" {
			if len(diff.Changed) > 0 {
				t.Errorf("%s: %+v", test.name, diff.Changed)
			}
			continue
		}
		if len(diff.Changed) != 1 || diff.Changed[0].What != test.what || diff.Changed[0].Actions[0] != test.action || diff.Changed[0].Detail == "" {
			t.Errorf("%s: %+v", test.name, diff.Changed)
		}
	}
}

func TestInPartition(t *testing.T) {
	d := parsed(t, shared(t, "spot-default-policy.json"), Identity)
	china := d.InPartition("aws-cn")
	if got := china.Statements[13].Resource[0]; got != "arn:aws-cn:s3:::elasticbeanstalk*" {
		t.Error(got)
	}
	if d.Statements[13].Resource[0] != "arn:aws:s3:::elasticbeanstalk*" || !d.Equal(china.InPartition("aws")) {
		t.Error("the original changed, or the way back is another")
	}
}

func TestSelectAndMerge(t *testing.T) {
	d := parsed(t, shared(t, "spot-default-policy.json"), Identity)
	a, b := d.Select("OceanEks", "OpsWorks", "NoSuch"), d.Select("OceanEks", "OceanEcs")
	if len(a.Statements) != 2 || a.Statements[0].Sid != "OpsWorks" {
		t.Errorf("%s", a.Compact())
	}
	joined := Merge(a, b)
	if len(joined.Statements) != 3 || joined.Statements[2].Sid != "OceanEcs" {
		t.Errorf("%s", joined.Compact())
	}
	other := NewDocument(Statement{Sid: "OceanEks", Effect: Allow, Action: []string{"a:b"}, Resource: []string{"*"}})
	if joined = Merge(a, other); len(joined.Statements) != 3 || joined.Statements[2].Sid != "" {
		t.Errorf("a Sid stands twice: %s", joined.Compact())
	}
}

func TestDigestOfTwoSpellings(t *testing.T) {
	a := parsed(t, []byte(`{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow","Action":["S3:getobject","s3:PutObject"],"Resource":"*",
		"Condition":{"Bool":{"aws:SecureTransport":true},"StringLike":{"s3:prefix":["b<","a"]}}}}`), Identity)
	b := parsed(t, []byte(`{"Statement":[{"Resource":["*"],"Condition":{"StringLike":{"s3:prefix":["a","b<"]},"Bool":{"aws:SecureTransport":["true"]}},
		"Action":["s3:putobject","s3:GetObject"],"Effect":"Allow"}],"Version":"2012-10-17"}`), Identity)
	if a.Digest() != b.Digest() {
		t.Errorf("%s\n%s", a.Canonical(), b.Canonical())
	}
	want := `{"Statement":[{"Action":["s3:getobject","s3:putobject"],"Condition":{"Bool":{"aws:SecureTransport":["true"]},"StringLike":{"s3:prefix":["a","b<"]}},"Effect":"Allow","Resource":["*"]}],"Version":"2012-10-17"}`
	if string(a.Canonical()) != want {
		t.Errorf("%s", a.Canonical())
	}
	if a.Characters() != Characters(a.Pretty()) {
		t.Error("the two forms have different sizes")
	}
}
