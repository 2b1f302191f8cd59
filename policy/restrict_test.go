package policy

import (
	"slices"
	"strings"
	"testing"
)

func kept(r Restriction, reason string) []string {
	var out []string
	for _, k := range r.Kept {
		if k.Reason == reason {
			out = append(out, k.Entry)
		}
	}
	return out
}

func TestRestrictRegions(t *testing.T) {
	d := parsed(t, []byte(`{"Version":"2012-10-17","Statement":[
		{"Sid":"Mixed","Effect":"Allow","Action":["ec2:RunInstances","iam:PassRole","s3:*","route53:List*"],"Resource":"*"},
		{"Sid":"Global","Effect":"Allow","Action":"iam:GetRole","Resource":"*"},
		{"Sid":"No","Effect":"Deny","Action":"ec2:StopInstances","Resource":"*"}]}`), Identity)
	r := d.RestrictRegions("eu-west-1", "eu-west-3")
	parsed(t, []byte(r.Document.Pretty()), Identity)
	if got := len(r.Document.Statements); got != 4 {
		t.Fatalf("%d statements: %s", got, r.Document.Compact())
	}
	first, second := r.Document.Statements[0], r.Document.Statements[1]
	if !slices.Equal(first.Action, []string{"ec2:RunInstances", "s3:*"}) || first.Condition[0].Key != "aws:RequestedRegion" {
		t.Errorf("%+v", first)
	}
	if second.Sid != "Mixed2" || len(second.Condition) != 0 || !slices.Contains(second.Action, "iam:PassRole") ||
		!slices.Contains(second.Action, "s3:ListAllMyBuckets") {
		t.Errorf("%+v", second)
	}
	if global := kept(r, reasonGlobal); !slices.Contains(global, "route53:List*") || !slices.Contains(global, "iam:GetRole") {
		t.Errorf("%q", global)
	}
	in := func(region string) map[string][]string { return map[string][]string{"aws:requestedregion": {region}} }
	for _, test := range []struct {
		action, region string
		want           bool
	}{
		{"ec2:RunInstances", "eu-west-1", true}, {"ec2:RunInstances", "us-east-1", false}, {"iam:PassRole", "us-east-1", true},
		{"s3:GetObject", "us-east-1", false}, {"s3:ListAllMyBuckets", "us-east-1", true}, {"ec2:StopInstances", "eu-west-1", false},
	} {
		if got := allows(r.Document, request{test.action, "*", in(test.region)}); got != test.want {
			t.Errorf("%s in %s: %v", test.action, test.region, got)
		}
	}
	if diff := Compare(d, r.Document); diff.More() || !diff.Less() {
		t.Errorf("a restriction grants more: %+v", diff)
	}
}

func TestRestrictRegionsOfEverything(t *testing.T) {
	d := parsed(t, []byte(statement(`"Effect":"Allow","Action":"*","Resource":"*"`)), Identity)
	r := d.RestrictRegions("eu-west-1")
	parsed(t, []byte(r.Document.Pretty()), Identity)
	east := map[string][]string{"aws:requestedregion": {"us-east-1"}}
	for action, want := range map[string]bool{"ec2:RunInstances": false, "iam:GetRole": true, "new:Action": false,
		"s3:ListAllMyBuckets": true, "s3:GetObject": false} {
		if got := allows(r.Document, request{action, "*", east}); got != want {
			t.Errorf("%s: %v", action, got)
		}
	}
}

func TestRestrictRegionsTwice(t *testing.T) {
	d := parsed(
		t,
		[]byte(
			statement(
				`"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*","Condition":{"StringEquals":{"aws:requestedregion":["eu-west-1","eu-west-2"]}}`,
			),
		),
		Identity,
	)
	r := d.RestrictRegions("eu-west-2", "eu-west-3")
	if c := r.Document.Statements[0].Condition; len(c) != 1 || !slices.Equal(c[0].Values, []string{"eu-west-2"}) {
		t.Errorf("%+v", c)
	}
}

func TestRestrictRegionsToNothing(t *testing.T) {
	d := parsed(
		t,
		[]byte(
			statement(
				`"Sid":"A","Effect":"Allow","Action":["ec2:RunInstances","iam:GetRole"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`,
			),
		),
		Identity,
	)
	r := d.RestrictRegions("eu-west-3")
	if len(r.Gone) != 1 || r.Gone[0].Entry != "ec2:RunInstances" || len(r.Document.Statements) != 1 ||
		r.Document.Statements[0].Action[0] != "iam:GetRole" {
		t.Errorf("%+v\n%s", r.Gone, r.Document.Compact())
	}
}

func TestRestrictTag(t *testing.T) {
	d := parsed(
		t,
		[]byte(
			statement(
				`"Sid":"A","Effect":"Allow","Resource":"*","Action":["ec2:TerminateInstances","ec2:DescribeInstances","ec2:RunInstances","ec2:CreateVolume","ec2:DeleteVolume","x:Y","elasticloadbalancing:Register*"]`,
			),
		),
		Identity,
	)
	r := d.RestrictTag("team", "spot")
	parsed(t, []byte(r.Document.Pretty()), Identity)
	s := r.Document.Statements
	if !slices.Equal(s[0].Action, []string{"ec2:TerminateInstances", "ec2:DeleteVolume", "elasticloadbalancing:Register*"}) {
		t.Errorf("restricted: %q", s[0].Action)
	}
	if c := s[0].Condition[0]; c.Key != "aws:ResourceTag/team" || c.Values[0] != "spot" || len(s[1].Condition) != 0 {
		t.Errorf("%+v", s)
	}
	for reason, want := range map[string]string{reasonNoTag: "ec2:DescribeInstances", reasonCreates: "ec2:CreateVolume",
		reasonUnknown: "x:Y"} {
		if !slices.Contains(kept(r, reason), want) {
			t.Errorf("%s: %q", reason, kept(r, reason))
		}
	}
	if diff := Compare(d, r.Document); diff.More() {
		t.Errorf("%+v", diff)
	}
}

func TestRestrictSpot(t *testing.T) {
	d := parsed(t, shared(t, "spot-default-policy.json"), Identity)
	for name, r := range map[string]Restriction{"regions": d.RestrictRegions("eu-west-1"), "tag": d.RestrictTag("a", "b")} {
		back := parsed(t, []byte(r.Document.Pretty()), Identity)
		t.Logf("%s: %d characters, minified %d, %d entries kept", name, back.Characters(), back.Minify().Characters(), len(r.Kept))
		if diff := Compare(d, back); diff.More() || !diff.Less() {
			t.Errorf("%s: %+v", name, diff.Added)
		}
		for _, s := range back.Statements {
			for _, c := range s.Condition {
				if strings.HasPrefix(c.Key, "aws:Requested") &&
					slices.ContainsFunc(s.Action, func(a string) bool { return strings.HasPrefix(a, "iam:") }) {
					t.Errorf("%s: iam under a region", s.Sid)
				}
			}
		}
	}
}

// Tagging while a resource is made cannot ask for a tag that it has already.
func TestRestrictTagLeavesTaggingOnCreation(t *testing.T) {
	d := parsed(
		t,
		[]byte(
			statement(`"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"StringEquals":{"ec2:CreateAction":"RunInstances"}}`),
		),
		Identity,
	)
	r := d.RestrictTag("team", "web")
	if !d.Equal(r.Document) || !slices.Equal(kept(r, reasonCreates), []string{"ec2:CreateTags"}) {
		t.Errorf("%+v\n%s", r.Kept, r.Document.Compact())
	}
}
