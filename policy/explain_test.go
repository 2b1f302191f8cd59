package policy

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestExplainSpot(t *testing.T) {
	e := parsed(t, shared(t, "spot-default-policy.json"), Identity).Explain()
	want := map[AccessLevel]int{List: 309, Read: 182, Write: 244, PermissionsManagement: 31, Tagging: 24}
	if e.Entries != 186 || e.Granted != 790 || !maps.Equal(e.ByLevel, want) || len(e.Unknown) != 0 {
		t.Errorf("%d entries, %d granted: %v, unknown %v", e.Entries, e.Granted, e.ByLevel, e.Unknown)
	}
	if s := e.ByService[0]; s.Prefix != "ec2" || s.Actions != 227 || len(e.ByService) != 24 {
		t.Errorf("%d services, first %+v", len(e.ByService), s)
	}
	for i, n := range []int{4, 363, 3, 181, 4, 16, 12, 29, 89, 7, 48, 14, 48, 180} {
		if got := len(e.Statements[i].Actions); got != n {
			t.Errorf("%s: %d actions, want %d", e.Statements[i].Sid, got, n)
		}
	}
	if got := e.Statements[2].Sentence; got != "Allows 3 actions of eks (2 list, 1 read) on every resource." {
		t.Error(got)
	}
}

func TestExplainSentences(t *testing.T) {
	for inside, want := range map[string]string{
		`"Effect":"Allow","Action":"iam:passrole","Resource":"*"`:                                                                                "Allows iam:PassRole on every resource.",
		`"Effect":"Deny","Action":"s3:DeleteBucket","NotResource":"arn:aws:s3:::a"`:                                                              "Denies s3:DeleteBucket on everything but arn:aws:s3:::a.",
		`"Effect":"Allow","Action":"x:Y","Resource":"arn:aws:s3:::a"`:                                                                            "Allows no action that rolecall knows on arn:aws:s3:::a.",
		`"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1","eu-west-3"]}}`: "Allows s3:GetObject on every resource, only where aws:RequestedRegion StringEquals eu-west-1 or eu-west-3.",
	} {
		d := parsed(t, []byte(statement(inside)), Identity)
		if got := d.Explain().Statements[0].Sentence; got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestExplainCountsWhatADenyTakesBack(t *testing.T) {
	d := parsed(t, []byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["ec2:RunInstances","ec2:StopInstances"],"Resource":"*"},
		{"Effect":"Deny","Action":"ec2:Stop*","Resource":"*"},
		{"Effect":"Deny","Action":"ec2:Run*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`), Identity)
	if e := d.Explain(); e.Granted != 1 {
		t.Errorf("%d granted", e.Granted)
	}
	all := parsed(t, []byte(statement(`"Effect":"Allow","NotAction":"ec2:*","Resource":"*"`)), Identity).Explain()
	if all.Granted != 22091-len(AWS().Expand("ec2:*")) {
		t.Errorf("NotAction grants %d", all.Granted)
	}
}

func TestSplitGrantsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDocument(t)
		limit := rapid.IntRange(200, 600).Draw(t, "limit")
		parts, err := d.Split(limit, 10)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "split the policy: ") {
				t.Fatal(err)
			}
			return
		}
		joined := NewDocument()
		for _, part := range parts {
			if part.Characters() > limit {
				t.Fatalf("%d characters, limit %d", part.Characters(), limit)
			}
			joined.Statements = append(joined.Statements, part.Statements...)
		}
		same(t, "the split document", d, joined)
		if !Compare(d, joined).Equal {
			t.Fatalf("%+v", Compare(d, joined))
		}
	})
}

func TestSplitSpot(t *testing.T) {
	d := parsed(t, shared(t, "spot-default-policy.json"), Identity)
	whole, err := d.Split(MaxManaged, MaxAttached)
	if err != nil || len(whole) != 1 || whole[0] != d {
		t.Errorf("a document that fits was split into %d: %v", len(whole), err)
	}
	for limit, want := range map[int]int{6096: 2, 3100: 2, 2100: 3, 1250: 6} {
		parts, err := d.Split(limit, MaxAttached)
		if err != nil || len(parts) != want {
			t.Errorf("limit %d: %d documents, want %d: %v", limit, len(parts), want, err)
		}
		for _, part := range parts {
			if _, err := Parse([]byte(part.Pretty()), Identity); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := d.Split(300, MaxAttached); err == nil || !strings.Contains(err.Error(), "minify") {
		t.Errorf("too many policies: %v", err)
	}
	if _, err := d.Split(20, MaxAttached); err == nil {
		t.Error("no room, and no error")
	}
}

func BenchmarkExplainSpot(b *testing.B) {
	d := parsed(b, shared(b, "spot-default-policy.json"), Identity)
	for b.Loop() {
		d.Explain()
	}
}

func BenchmarkExplainEverything(b *testing.B) {
	d := NewDocument(Statement{Effect: Allow, Action: []string{"*"}, Resource: []string{"*"}})
	for b.Loop() {
		d.Explain()
	}
}
