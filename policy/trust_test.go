package policy

import (
	"slices"
	"testing"
	"time"
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

// asks tells whether a role of the account of root gets in with an external
// ID, "" for none.
func asks(d *Document, id string) bool {
	caller := Caller{ARN: "arn:aws:iam::111122223333:role/vendor"}
	return d.Ask(NewRequest(AssumeRole, caller, time.Time{}).WithExternalID(id)).Outcome == Allowed
}

func TestExternalID(t *testing.T) {
	tests := []struct {
		name, condition    string
		none, right, other bool // is a caller without, with the right one, with another one let in
	}{
		{"no condition", "", true, true, true},
		{"equals", `{"StringEquals":{"sts:ExternalId":"` + extid + `"}}`, false, true, false},
		{"a list, key in lower case", `{"StringEquals":{"sts:externalid":["x","` + extid + `"]}}`, false, true, false},
		{"another", `{"StringEquals":{"sts:ExternalId":"x"}}`, false, false, false},
		{"like", `{"StringLike":{"sts:ExternalId":"spotinst:*"}}`, false, true, false},
		{"like everything", `{"StringLike":{"sts:ExternalId":"*"}}`, false, true, true},
		{"if exists", `{"StringEqualsIfExists":{"sts:ExternalId":"` + extid + `"}}`, true, true, false},
		{"for any value", `{"ForAnyValue:StringEquals":{"sts:ExternalId":"` + extid + `"}}`, false, true, false},
		{"for all values", `{"ForAllValues:StringEquals":{"sts:ExternalId":"` + extid + `"}}`, true, true, false},
		{"not equals", `{"StringNotEquals":{"sts:ExternalId":"x"}}`, true, true, true},
		{"any value but", `{"ForAnyValue:StringNotEquals":{"sts:ExternalId":"x"}}`, false, true, true},
		{"ignoring case", `{"StringEqualsIgnoreCase":{"sts:ExternalId":"SPOTINST:aws:extid:0123456789abcdef"}}`, false, true, false},
		{"not null", `{"Null":{"sts:ExternalId":"false"}}`, false, true, true},
		{"null", `{"Null":{"sts:ExternalId":"true"}}`, true, false, false},
		{"both", `{"StringEquals":{"sts:ExternalId":["` + extid + `","x"]},"StringLike":{"sts:ExternalId":"spot*"}}`, false, true, false},
		{"contradiction", `{"StringEquals":{"sts:ExternalId":"x"},"StringLike":{"sts:ExternalId":"spot*"}}`, false, false, false},
		{"wrong operator", `{"ArnEquals":{"sts:ExternalId":"` + extid + `"}}`, false, false, false},
	}
	for _, test := range tests {
		d := parsed(t, []byte(trustWith(test.condition)), Trust)
		if asks(d, "") != test.none || asks(d, extid) != test.right || asks(d, "other") != test.other {
			t.Errorf("%s: without %v, right %v, other %v", test.name, asks(d, ""), asks(d, extid), asks(d, "other"))
		}
	}
}

// TestAnswers holds what the evaluator says where a key is open.
func TestAnswers(t *testing.T) {
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	caller := Caller{ARN: "arn:aws:iam::111122223333:role/vendor"}
	tests := []struct {
		name, condition string
		outcome         Outcome
		key             string
	}{
		{"certain", `{"Bool":{"aws:SecureTransport":"true"}}`, Allowed, ""},
		{"certainly not", `{"Bool":{"aws:SecureTransport":"false"}}`, Denied, ""},
		{"the network", `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, Depends, "aws:SourceIp"},
		{"every network", `{"IpAddressIfExists":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1","::/0"]}}`, Allowed, ""},
		{"every text", `{"StringLikeIfExists":{"aws:PrincipalTag/a":["?*",""]}}`, Allowed, ""},
		{"no text", `{"StringLike":{"aws:PrincipalTag/a":"a*"},"StringNotLike":{"aws:PrincipalTag/a":"*"}}`, Denied, ""},
		{
			"numbers that leave nothing",
			`{"NumericLessThan":{"aws:MultiFactorAuthAge":"10"},"NumericGreaterThan":{"aws:MultiFactorAuthAge":"20"}}`,
			Denied,
			"",
		},
		{
			"dates that leave an hour",
			`{"DateLessThan":{"aws:TokenIssueTime":"2026-01-01T01:00:00Z"},"DateGreaterThan":{"aws:TokenIssueTime":"2026-01-01T00:00:00Z"}}`,
			Depends,
			"aws:TokenIssueTime",
		},
		{
			"a list with and without",
			`{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]},"ForAnyValue:StringEquals":{"aws:TagKeys":"c"}}`,
			Denied,
			"",
		},
		{
			"a list with both",
			`{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"},"ForAnyValue:StringLike":{"aws:TagKeys":"b*"}}`,
			Depends,
			"aws:TagKeys",
		},
		{"two keys of one value", `{"StringEquals":{"aws:PrincipalTag/a":"${aws:PrincipalTag/b}"}}`, Depends, "aws:PrincipalTag/a"},
		{"a pattern that is no ARN", `{"ArnLike":{"aws:PrincipalArn":"*"}}`, Depends, "aws:PrincipalArn"},
	}
	for _, test := range tests {
		d := parsed(t, []byte(trustWith(test.condition)), Trust)
		got := d.Ask(NewRequest(AssumeRole, caller, now).Open().WithExternalID(extid))
		if got.Outcome != test.outcome || got.Key != test.key {
			t.Errorf("%s: %v by %q, want %v by %q", test.name, got.Outcome, got.Key, test.outcome, test.key)
		}
	}
}

func TestNewTrust(t *testing.T) {
	d := NewTrust("aws-us-gov", []string{"111122223333", "444455556666"}, extid)
	back := parsed(t, []byte(d.Pretty()), Trust)
	v := back.Inquire(Inquiry{Partition: "aws-us-gov", Vendor: []string{"111122223333", "444455556666"}, ExternalID: extid})
	if !v.Right() {
		t.Errorf("%+v", v)
	}
	if !d.Equal(back) || d.Equal(NewTrust("aws", []string{"111122223333"}, "")) {
		t.Error("the digest does not follow the content")
	}
}

func TestCompareTrust(t *testing.T) {
	number := parsed(t, []byte(statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"}`)), Trust)
	arn := parsed(t, []byte(trustWith("")), Trust)
	role := parsed(
		t,
		[]byte(statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["`+root+`","arn:aws:iam::111122223333:role/a"]}`)),
		Trust,
	)
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
		{
			"an action",
			base + `"ec2:StartInstances"`,
			base + `["ec2:startinstances","ec2:StopInstances"]`,
			[]string{"ec2:StopInstances"},
			nil,
			"",
			"",
			true,
			false,
		},
		{
			"a wildcard over its actions today",
			base + `["savingsplans:List*"]`,
			base + `["savingsplans:ListTagsForResource"]`,
			nil,
			nil,
			"wildcard",
			"savingsplans:List*",
			false,
			true,
		},
		{
			"a part of a wildcard",
			base + `["elasticloadbalancing:Register*"]`,
			base + `["elasticloadbalancing:RegisterTargets"]`,
			nil,
			[]string{"elasticloadbalancing:RegisterInstancesWithLoadBalancer"},
			"",
			"",
			false,
			true,
		},
		{"a wildcard without a part", base + `["s3:*","ec2:Describe*"]`, base + `["s3:*"]`, nil, []string{"ec2:Describe*"}, "", "", false, true},
		{
			"resource",
			base + `"s3:GetObject"`,
			`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"`,
			nil,
			nil,
			"resource",
			"s3:GetObject",
			false,
			true,
		},
		{
			"condition",
			base + `"s3:GetObject"`,
			base + `"s3:GetObject","Condition":{"Bool":{"aws:SecureTransport":"true"}}`,
			nil,
			nil,
			"condition",
			"s3:GetObject",
			false,
			true,
		},
		{
			"everything but",
			base + `"s3:GetObject"`,
			`"Effect":"Allow","Resource":"*","NotAction":"iam:*"`,
			nil,
			nil,
			"action",
			"all but iam:*",
			true,
			false,
		},
	}
	for _, test := range tests {
		diff := Compare(identity(test.old), identity(test.new))
		if diff.More() != test.more || diff.Less() != test.less || !slices.Equal(diff.Added, test.added) ||
			!slices.Equal(diff.Removed, test.removed) {
			t.Errorf("%s: %+v", test.name, diff)
		}
		if test.what == "" {
			if len(diff.Changed) > 0 {
				t.Errorf("%s: %+v", test.name, diff.Changed)
			}
			continue
		}
		if len(diff.Changed) != 1 || diff.Changed[0].What != test.what || diff.Changed[0].Actions[0] != test.action ||
			diff.Changed[0].Detail == "" {
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
	a := parsed(
		t,
		[]byte(`{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow","Action":["S3:getobject","s3:PutObject"],"Resource":"*",
		"Condition":{"Bool":{"aws:SecureTransport":true},"StringLike":{"s3:prefix":["b<","a"]}}}}`),
		Identity,
	)
	b := parsed(
		t,
		[]byte(`{"Statement":[{"Resource":["*"],"Condition":{"StringLike":{"s3:prefix":["a","b<"]},"Bool":{"aws:SecureTransport":["true"]}},
		"Action":["s3:putobject","s3:GetObject"],"Effect":"Allow"}],"Version":"2012-10-17"}`),
		Identity,
	)
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
