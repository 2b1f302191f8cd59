package policy

import "testing"

func TestCovers(t *testing.T) {
	actions := []struct {
		wide, narrow string
		want         bool
	}{
		{"*", "ec2:*", true},
		{"*:*", "*", true},
		{"ec2:*", "*", false},
		{"ec2:*", "EC2:Describe*", true},
		{"ec2:Describe*", "ec2:*", false},
		{"ec2:Describe?", "ec2:Describe*", false},
		{"ec2:Describe*", "ec2:Describe?", true},
		{
			"ec2:*?",
			"ec2:?*",
			true,
		},
		{"ec2:**", "ec2:*", true},
		{"s3:Get*Object*", "s3:Get*Object", true},
		{"s3:Get*Object", "s3:Get*Object*", false},
		{
			"s3:*a*",
			"s3:*",
			false,
		},
		{"e*:*", "ec2:*", true},
		{"ec2:run?nstances", "ec2:RunInstances", true},
		{"ec2:runinstances", "ec2:run?nstances", false},
	}
	for _, test := range actions {
		if got := CoversAction(test.wide, test.narrow); got != test.want {
			t.Errorf("%s covers %s: %v", test.wide, test.narrow, got)
		}
	}
	resources := []struct {
		wide, narrow string
		want         bool
	}{
		{"*", "arn:aws:s3:::a", true}, {"arn:aws:s3:::*", "*", false}, {"arn:aws:s3:::a*", "arn:aws:s3:::a/b:c", true},
		{"arn:aws:s3:::A", "arn:aws:s3:::a", false}, {"arn:*:s3:::a", "arn:aws-cn:s3:::a", true},
		// A wildcard in one part does not reach into the next.
		{"arn:aws:ec2:*:instance/i", "arn:aws:ec2:eu-west-1:111122223333:instance/i", false}, {"arn:aws:s3*a", "arn:aws:s3:::a", false},
		{"arn:aws:iam::*:user/*", "arn:aws:iam::111122223333:user/${aws:username}", true},
		{"arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/${aws:username}", true},
		{"arn:aws:iam::*:user/*me}", "arn:aws:iam::*:user/${aws:username}", false},
		{"arn:aws:iam::*:user/?{aws:username}", "arn:aws:iam::*:user/${aws:username}", false},
		{"arn:aws:s3:::a/${*}", "arn:aws:s3:::a/b", false}, {"arn:aws:s3:::a/${*}", "arn:aws:s3:::a/${aws:userid}", false},
		{"arn:aws:s3:::a/${aws:username}*", "arn:aws:s3:::a/${aws:username}/b", true},
	}
	for _, test := range resources {
		if got := CoversResource(test.wide, test.narrow); got != test.want {
			t.Errorf("%s covers %s: %v", test.wide, test.narrow, got)
		}
	}
}

func TestOverlaps(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"s3:get*", "s3:*object", true}, {"s3:get*", "s3:put*", false}, {"*", "", true}, {"a?", "ab", true}, {"a?", "a", false},
		{"a*b", "ac", false}, {"*a", "b*", true}, {"", "a", false}, {"a", "a", true},
	} {
		if Overlaps(test.a, test.b) != test.want || Overlaps(test.b, test.a) != test.want {
			t.Errorf("%q and %q overlap: want %v", test.a, test.b, test.want)
		}
	}
}

// TestCompareConditions compares one Allow under two conditions: less means
// that the second lets fewer requests through.
func TestCompareConditions(t *testing.T) {
	tests := []struct {
		old, new   string
		less, more bool
	}{
		{`{"StringEquals":{"a:k":["u","v"]}}`, `{"StringEquals":{"A:K":"u"}}`, true, false},
		{`{"StringNotEquals":{"a:k":["u","v"]}}`, `{"StringNotEquals":{"a:k":"u"}}`, false, true},
		{`{"ForAllValues:StringEquals":{"a:k":["u","v"]}}`, `{"ForAllValues:StringEquals":{"a:k":"v"}}`, true, false},
		{`{"ForAnyValue:StringNotEquals":{"a:k":["u"]}}`, `{"ForAnyValue:StringNotEquals":{"a:k":["u","v"]}}`, true, false},
		{`{"StringEquals":{"a:k":"u"}}`, `{"StringLike":{"a:k":"u"}}`, false, false},
		{`{"StringEquals":{"a:k":"u1"}}`, `{"StringLike":{"a:k":"u*"}}`, false, true},
		{`{"StringNotLike":{"a:k":"u*"}}`, `{"StringNotEquals":{"a:k":"u1"}}`, false, true},
		{`{"StringEquals":{"a:k":"u"}}`, `{"StringEqualsIfExists":{"a:k":"u"}}`, false, true},
		{
			`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a*"}}`,
			`{"ArnEquals":{"aws:principalarn":"arn:aws:iam::*:role/a*"}}`,
			false,
			false,
		},
		{
			`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a"}}`,
			`{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/a"}}`,
			false,
			false,
		},
		{`{"Bool":{"a:k":"TRUE"}}`, `{"Bool":{"a:k":"true"}}`, false, false},
		{`{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, `{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, true, false},
		{`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, `{"NotIpAddress":{"aws:SourceIp":"203.0.113.7"}}`, false, true},
		{`{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}`, `{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}`, false, true},
		{`{"StringEquals":{"a:k":"u"}}`, `{"StringEquals":{"a:k":"U"}}`, true, true},
		{`{"StringEquals":{"a:k":"u"}}`, `{"StringEquals":{"a:k":"u","a:l":"v"}}`, true, false},
		{`{"Bool":{"a:k":true}}`, `{"Bool":{"a:k":["true"]}}`, false, false},
		{`{"StringEquals":{"a:k":[]}}`, `{"StringEquals":{"a:k":["u"]}}`, true, true},
	}
	for _, test := range tests {
		document := func(condition string) *Document {
			return parsed(t, []byte(statement(allowList+`"Resource":"*","Condition":`+condition)), Identity)
		}
		old, changed := document(test.old), document(test.new)
		diff := Compare(old, changed)
		if diff.Less() != test.less || diff.More() != test.more {
			t.Errorf("%s, then %s: less %v, more %v", test.old, test.new, diff.Less(), diff.More())
		}
		if test.less && test.more {
			continue
		}
		if back := Compare(changed, old); back.Less() != test.more || back.More() != test.less {
			t.Errorf("%s, then %s: less %v, more %v", test.new, test.old, back.Less(), back.More())
		}
	}
}

// TestMinifyConditions joins values that are ORed and no others.
func TestMinifyConditions(t *testing.T) {
	for operator, joins := range map[string]bool{
		"StringEquals": true, "StringLikeIfExists": true, "ForAnyValue:StringEquals": true,
		"StringNotEquals": false, "ForAllValues:StringEquals": false, "NotIpAddress": false,
	} {
		one := func(value string) string {
			return `{` + allowList + `"Resource":"*","Condition":{"` + operator + `":{"a:k":"` + value + `"}}}`
		}
		d := parsed(t, []byte(`{"Version":"2012-10-17","Statement":[`+one("u")+","+one("v")+"]}"), Identity)
		if got := len(d.Minify().Statements) == 1; got != joins {
			t.Errorf("%s: joined %v", operator, got)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	const inside = `"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"a:k":"${aws:username}"}}}]}`
	old := parsed(t, []byte(`{"Version":"2008-10-17",`+inside), Trust)
	changed := parsed(t, []byte(`{"Version":"2012-10-17",`+inside), Trust)
	if diff := Compare(old, changed); diff.Equal || diff.Changed[0].What != "version" {
		t.Errorf("%+v", diff)
	}
}

// TestHugeDocuments are far beyond every quota; nothing takes them apart.
func TestHugeDocuments(t *testing.T) {
	s := Statement{Effect: Allow}
	for i := range 4000 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		s.Action = append(s.Action, name+":"+name+"*")
		s.Resource = append(s.Resource, "arn:aws:s3:::"+name)
	}
	d := NewDocument(s)
	other := NewDocument(s, Statement{Effect: Deny, Action: []string{"*"}, Resource: []string{"*"}})
	if !Compare(d, d).Equal || Compare(d, other).Equal || Compare(d, other).Changed[0].What != "size" {
		t.Error("huge documents are not told apart by their digests")
	}
	if d.Minify() != d {
		t.Error("a huge document was minified")
	}
}
