package review

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/policy"
)

// spot is Spot's published policy, kept here so that the acceptance list can
// be checked anywhere.
func testFile(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// line is a finding in short.
type line struct {
	Severity Severity
	ID       string
	Line     int
	Action   string
}

func lines(r Report, least Severity) []line {
	var out []line
	for _, f := range r.Findings {
		if f.Severity.Rank() < least.Rank() {
			continue
		}
		action := ""
		if len(f.Actions) > 0 {
			action = f.Actions[0]
		}
		out = append(out, line{f.Severity, f.ID, f.Line, action})
	}
	return out
}

func TestSpot(t *testing.T) {
	r := Review(testFile(t, "spot.json"), Options{})
	want := []line{
		{High, "escalate", 98, "ec2:ModifyInstanceAttribute"},
		{High, "escalate", 188, "cloudformation:UpdateStack"},
		{High, "pass-role", 249, "iam:PassRole"},
		{High, "escalate", 250, "iam:PutRolePolicy"},
		{Medium, "service-star", 67, "autoscaling:*"},
		{Medium, "share", 97, "ec2:ModifyImageAttribute"},
		{Medium, "data", 258, "s3:GetObject"},
		{Low, "delete-star", 90, "ec2:DeleteNetworkInterface"},
		{Low, "instance-profile", 236, "iam:AddRoleToInstanceProfile"},
		{Low, "slr", 237, "iam:CreateServiceLinkedRole"},
		{Low, "service-star", 309, "s3:*"},
		{Low, "near-limit", 1, ""},
	}
	if diff := cmp.Diff(want, lines(r, Low)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	pass := find(t, r, "pass-role")
	if pass.Title != "Can run code as any role: EC2, Spot, Auto Scaling, ECS, EMR" || pass.Closes != 7 || pass.Of != 11 {
		t.Errorf("pass-role: %q closes %d of %d", pass.Title, pass.Closes, pass.Of)
	}
	if pass.Statement != "AccountOperativeActions" || pass.Index != 10 || pass.Column != 9 {
		t.Errorf("pass-role stands at %s %d column %d", pass.Statement, pass.Index, pass.Column)
	}
	for _, action := range []string{"ec2:RunInstances", "ec2:RequestSpotInstances", "ecs:CreateService", "ecs:StartTask",
		"elasticmapreduce:RunJobFlow"} {
		if !slices.Contains(pass.Actions, action) {
			t.Errorf("pass-role does not name %s", action)
		}
	}
	if !slices.ContainsFunc(pass.Places, func(p Place) bool { return p.Entry == "elasticmapreduce:*" && p.Line == 208 }) {
		t.Errorf("pass-role does not name the wildcard elasticmapreduce:* on line 208: %v", pass.Places)
	}
	if share := find(t, r, "share"); len(share.Places) != 2 || share.Places[1].Line != 168 {
		t.Errorf("share stands at %v", share.Places)
	}
	redundant := find(t, r, "redundant")
	if len(redundant.Places) != 45 || !strings.Contains(redundant.Title, "ElastigroupBatch wholly") ||
		redundant.Patch.After != "4,885 characters of 6,144" {
		t.Errorf("redundant: %d, %q, %q", len(redundant.Places), redundant.Title, redundant.Patch.After)
	}
	want2 := Counts{Entries: 186, Granted: 790, OnEverything: 630, Scopable: 320,
		ByAccess: map[string]int{"List": 309, "Read": 182, "Write": 244, "Permissions management": 31, "Tagging": 24}}
	r.Actions.ByService = nil
	if diff := cmp.Diff(want2, r.Actions); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if r.Policy.Characters != 6097 || r.Policy.Limit != 6144 || r.Policy.Statements != 14 || r.Verdict != "accepted" {
		t.Errorf("%+v, %s", r.Policy, r.Verdict)
	}
}

func find(t *testing.T, r Report, id string) Finding {
	t.Helper()
	at := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == id })
	if at < 0 {
		t.Fatalf("no finding %s in %v", id, lines(r, Note))
	}
	return r.Findings[at]
}

// A policy that asks for little gets a short answer.
func TestSprintersIsFine(t *testing.T) {
	r := Review(testFile(t, "sprinters.json"), Options{})
	want := []line{{Low, "delete-star", 12, "ec2:TerminateInstances"}, {Note, "scopable", 15, ""}}
	if diff := cmp.Diff(want, lines(r, Note)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	f := r.Findings[0]
	if !slices.Equal(f.Patch.Remove, []string{"ec2:ModifyVolume", "ec2:TerminateInstances"}) ||
		!strings.Contains(f.Patch.Add, "aws:ResourceTag") {
		t.Errorf("the fix is %+v", f.Patch)
	}
	if r.Policy.Characters != 238 || r.Actions.Scopable != 4 {
		t.Errorf("%d characters, %d scopable", r.Policy.Characters, r.Actions.Scopable)
	}
}

// Every fix that is offered leaves less behind, and is JSON that AWS takes.
func TestFixesAreCheckedAndPasteable(t *testing.T) {
	r := Review(testFile(t, "spot.json"), Options{})
	patched := 0
	for _, f := range r.Findings {
		if f.Fix == "" {
			t.Errorf("%s has no fix", f.ID)
		}
		if f.Patch == nil || f.Patch.Add == "" {
			continue
		}
		patched++
		text := `{"Version": "2012-10-17", "Statement": [` + f.Patch.Add + `]}`
		doc, err := policy.Parse([]byte(text), policy.Identity)
		if err != nil {
			t.Errorf("%s: what is to be pasted is refused: %v\n%s", f.ID, err, f.Patch.Add)
			continue
		}
		after := Review([]byte(doc.Pretty()), Options{})
		if after.Worst().Rank() >= f.Severity.Rank() {
			t.Errorf("%s: what is to be pasted is as bad: %v", f.ID, lines(after, f.Severity))
		}
	}
	if patched < 8 {
		t.Errorf("only %d findings have a change to paste", patched)
	}
}

// inStatement wraps the inside of one statement.
func inStatement(inside string) []byte {
	return []byte(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ` + inside + `}]}`)
}

// TestBlindSpots is what other reviewers miss or get wrong.
func TestBlindSpots(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		text           string
		id             string // "" for: no escalation
		severity       Severity
		absent, action string
	}{
		"a Deny under a condition does not subtract": {id: "escalate", severity: High,
			text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"},
				{"Effect":"Deny","Action":"iam:PutUserPolicy","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`},
		"a Deny on one user does not subtract": {id: "escalate", severity: High,
			text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"},
				{"Effect":"Deny","Action":"iam:PutUserPolicy","Resource":"arn:aws:iam::*:user/admin"}]}`},
		"a Deny that covers subtracts": {absent: "escalate",
			text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"},
				{"Effect":"Deny","Action":"iam:Put*","Resource":"*"}]}`},
		"a Deny of all users covers as well": {absent: "escalate",
			text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"},
				{"Effect":"Deny","NotAction":"s3:*","Resource":"arn:aws:iam::*:user/*"}]}`},
		"a condition that always holds": {id: "pass-role", severity: High,
			text: beside("ec2:RunInstances", `"Action":"iam:PassRole","Resource":"*","Condition":{"StringLike":{"iam:PassedToService":"*"}}`)},
		"all users by an ARN": {id: "escalate", severity: High,
			text: string(inStatement(`"Action":"iam:PutUserPolicy","Resource":"arn:aws:iam::*:user/*"`))},
		"one prefix is a step down": {id: "escalate", severity: Medium,
			text: string(inStatement(`"Action":"iam:PutUserPolicy","Resource":"arn:aws:iam::*:user/app-*"`))},
		"a strong condition is a step down": {id: "pass-role", severity: Medium,
			text: beside("ec2:RunInstances",
				`"Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}`)},
		"a role for another service opens nothing": {id: "pass-role", severity: Low,
			text: beside("ec2:RunInstances",
				`"Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"rds.amazonaws.com"}}`)},
		"a date that is over": {absent: "escalate",
			text: string(inStatement(`"Action":"iam:CreatePolicyVersion","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2017-12-31T23:59:59Z"}}`))},
		"AWS's own policies cannot be changed": {absent: "escalate",
			text: string(inStatement(`"Action":"iam:CreatePolicyVersion","Resource":"arn:aws:iam::aws:policy/fp4-*"`))},
		"one's own keys": {absent: "escalate",
			text: string(inStatement(`"Action":["iam:CreateAccessKey","iam:UpdateLoginProfile"],"Resource":"arn:aws:iam::*:user/${aws:username}"`))},
		"one's own permissions": {id: "escalate", severity: High,
			text: string(inStatement(`"Action":"iam:PutUserPolicy","Resource":"arn:aws:iam::*:user/${aws:username}"`))},
		"the object without the slash": {id: "no-resource", severity: Low,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket"`))},
		"EMR": {id: "pass-role", severity: High,
			text: string(inStatement(`"Action":["iam:PassRole","elasticmapreduce:RunJobFlow"],"Resource":"*"`))},
		"Auto Scaling": {id: "pass-role", severity: High,
			text: string(inStatement(`"Action":["iam:PassRole","autoscaling:*"],"Resource":"*"`))},
		"an instance profile": {id: "pass-role", severity: High,
			text: string(inStatement(`"Action":["iam:PassRole","ec2:AssociateIamInstanceProfile"],"Resource":"*"`))},
		"Step Functions": {id: "pass-role", severity: High,
			text: string(inStatement(`"Action":["iam:PassRole","states:CreateStateMachine"],"Resource":"*"`))},
		"PassRole alone": {id: "pass-role", severity: Medium,
			text: string(inStatement(`"Action":"iam:PassRole","Resource":"*"`))},
		"decrypting": {id: "data", severity: Medium,
			text: string(inStatement(`"Action":"kms:Decrypt","Resource":"*"`))},
		"reading tables": {id: "data", severity: Medium,
			text: string(inStatement(`"Action":"dynamodb:Scan","Resource":"*"`))},
		"a letter that AWS does not take": {id: "charset", severity: SeverityRefused,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::数据/*"`))},
		"two partitions": {id: "partition", severity: Medium,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":["arn:aws:s3:::a/*","arn:aws-cn:s3:::b/*"]`))},
		"the newest partition is fine": {absent: "partition",
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"arn:aws-eusc:s3:::a/*"`))},
		"an address that is none": {id: "condition-value", severity: Medium,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"300.1.2.3/99"}}`))},
		"a private address": {id: "private-ip", severity: Medium,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`))},
		"a wildcard where letters are compared": {id: "like", severity: Medium,
			text: string(inStatement(`"Action":"s3:ListBucket","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"a*"}}`))},
		"a trailing comma": {id: "json", severity: SeverityRefused, text: `{"Version": "2012-10-17", "Statement": [],}`},
		"a comment": {id: "json", severity: SeverityRefused, text: "{\"Version\": \"2012-10-17\", // " +
			"why\n\"Statement\": []}"},
		"an image": {id: "share", severity: Medium,
			text: string(inStatement(`"Action":"ec2:ModifyImageAttribute","Resource":"*"`))},
		"a database snapshot": {id: "share", severity: Medium,
			text: string(inStatement(`"Action":"rds:ModifyDBSnapshotAttribute","Resource":"*"`))},
		"a bucket's policy without its objects": {id: "bucket-policy", severity: Medium,
			text: string(inStatement(`"Action":["s3:PutBucketPolicy","s3:ListBucket"],"Resource":"arn:aws:s3:::a"`))},
		"a bucket's policy with its objects": {absent: "bucket-policy",
			text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutBucketPolicy","Resource":"arn:aws:s3:::a"},{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::a/*"}]}`},
		"stopping the audit log": {id: "blind", severity: Medium,
			text: string(inStatement(`"Action":"cloudtrail:StopLogging","Resource":"*"`))},
		"everything": {id: "admin", severity: High, text: string(inStatement(`"Action":"*","Resource":"*"`))},
		"NotAction that leaves IAM": {id: "not-action", severity: High,
			text: string(inStatement(`"NotAction":"s3:*","Resource":"*"`))},
		"NotAction that keeps IAM out": {id: "not-action", severity: Medium,
			text: string(inStatement(`"NotAction":["iam:*","sts:*","kms:*"],"Resource":"*"`))},
		"NotResource": {id: "not-resource", severity: Medium,
			text: string(inStatement(`"Action":"s3:*","NotResource":"arn:aws:s3:::a"`))},
		"tags that a condition relies on": {id: "tag-escape", severity: Medium,
			text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*"},{"Effect":"Allow","Action":"ec2:TerminateInstances","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/owner":"me"}}}]}`},
		"a misspelt action": {id: "unknown-action", severity: Medium, action: "s3:GetObjects",
			text: string(inStatement(`"Action":"s3:GetObjects","Resource":"*"`))},
		"an ARN where * is needed": {id: "needs-star", severity: Low,
			text: string(inStatement(`"Action":"ec2:DescribeInstances","Resource":"arn:aws:ec2:*:*:instance/*"`))},
		"MFA the wrong way round": {id: "mfa", severity: Medium,
			text: `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`},
		"a guard that the caller sets": {id: "caller-says", severity: Medium,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"*","Condition":{"StringLike":{"aws:Referer":"https://example.com/*"}}`))},
		"ForAllValues on a single value": {id: "for-all-values", severity: High,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-1"}}`))},
		"a key that no service has": {id: "condition-key", severity: Medium,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:Sourcevpcc":"a"}}`))},
		"7,000 characters": {id: "size", severity: SeverityRefused,
			text: string(inStatement(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + strings.Repeat("a", 7000) + `"`))},
		"an account that was never filled in": {id: "arn-shape", severity: Medium,
			text: string(inStatement(`"Action":"dynamodb:Scan","Resource":"arn:aws:dynamodb:*:ACCOUNT-ID:table/a"`))},
		"a role named in full may be assumed": {absent: "escalate",
			text: string(inStatement(`"Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:role/a"`))},
		"a service's wildcard in a harmless part": {id: "service-star", severity: Low,
			text: string(inStatement(`"Action":"cloudwatch:*","Resource":"*"`))},
	} {
		t.Run(name, func(t *testing.T) {
			r := Review([]byte(c.text), Options{Now: now})
			if c.absent != "" {
				if at := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == c.absent }); at >= 0 {
					t.Errorf("found %s: %s", c.absent, r.Findings[at].Title)
				}
				return
			}
			f := find(t, r, c.id)
			if f.Severity != c.severity {
				t.Errorf("%s is %s, want %s", c.id, f.Severity, c.severity)
			}
			if c.action != "" && !slices.Contains(f.Actions, c.action) {
				t.Errorf("%s names %v", c.id, f.Actions)
			}
			if f.Why == "" || f.Fix == "" || f.Line < 1 || f.Column < 1 || len([]rune(f.Title)) > 72 {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestDidYouMean(t *testing.T) {
	for wrong, right := range map[string]string{
		"s3:GetObjects": "s3:GetObject", "ec2:RunInstance": "ec2:RunInstances", "ec2s:RunInstances": "ec2:RunInstances",
		"iam:PasRole": "iam:PassRole",
	} {
		r := Review(inStatement(`"Action":"`+wrong+`","Resource":"*"`), Options{})
		f := r.Findings[slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Class == NoEffect })]
		if !strings.Contains(f.Why, "Did you mean "+right+"?") && !strings.Contains(f.Why, "Did you mean "+strings.Split(right, ":")[0]+"?") {
			t.Errorf("%s: %s", wrong, f.Why)
		}
		if f.Patch == nil || f.Patch.Replace != right {
			t.Errorf("%s: the fix is %+v", wrong, f.Patch)
		}
	}
}

// A near name is no help where it has no such action either.
func TestNoGuessThatGrantsNothing(t *testing.T) {
	r := Review(inStatement(`"Action":["foo:Bar","s3:GetObject"],"Resource":"*"`), Options{})
	f := r.Findings[slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == "unknown-service" })]
	if strings.Contains(f.Why, "Did you mean") || f.Patch == nil || f.Patch.Replace != "" {
		t.Errorf("%s\n%+v", f.Why, f.Patch)
	}
}

func TestServiceLinkedRoleFix(t *testing.T) {
	r := Review(inStatement(`"Action":["iam:CreateServiceLinkedRole","s3:ListAllMyBuckets"],"Resource":"*"`), Options{})
	f := r.Findings[slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == "slr" })]
	for _, want := range []string{"role/aws-service-role/SERVICE.amazonaws.com/*", "iam:AWSServiceName"} {
		if !strings.Contains(f.Fix, want) {
			t.Errorf("no %s in %s", want, f.Fix)
		}
	}
}

func TestMissingResourceIsNoMismatch(t *testing.T) {
	r := Review(inStatement(`"Action":"s3:GetObject"`), Options{})
	if at := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Class == NoEffect }); at >= 0 {
		t.Errorf("%+v", r.Findings[at])
	}
}

func TestTrust(t *testing.T) {
	trust := func(inside string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` + inside + `}]}`
	}
	federated := func(provider, condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"` +
			provider + `"}` + condition + `}]}`
	}
	github := "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
	for name, c := range map[string]struct {
		text string
		want []line
	}{
		"anybody at all":   {trust(`"Principal":"*"`), []line{{SeverityRefused, "trust-anyone", 1, ""}}},
		"everybody in AWS": {trust(`"Principal":{"AWS":"*"}`), []line{{High, "trust-anyone", 1, "sts:AssumeRole"}}},
		"everybody of an org": {trust(`"Principal":{"AWS":"*"},"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`),
			[]line{{Medium, "trust-anyone", 1, "sts:AssumeRole"}}},
		"the vendor without an external ID": {trust(`"Principal":{"AWS":"arn:aws:iam::922761411349:root"}`), []line{{High, "trust-external-id",
			1, "sts:AssumeRole"}}},
		"another account": {trust(`"Principal":{"AWS":"444455556666"}`), []line{{Medium, "trust-external-id", 1,
			"sts:AssumeRole"}}},
		"one role of another account": {trust(`"Principal":{"AWS":"arn:aws:iam::444455556666:role/a"}`), []line{{Low,
			"trust-external-id", 1, "sts:AssumeRole"}}},
		"the own account": {trust(`"Principal":{"AWS":"111122223333"}`), nil},
		"the vendor with its external ID": {trust(`"Principal":{"AWS":"922761411349"},"Condition":{"StringEquals":{"sts:ExternalId":"spotinst:aws:extid:0123456789abcdef"}}`),
			[]line{{Note, "trust-root", 1, "sts:AssumeRole"}}},
		"an external ID with a wildcard": {trust(`"Principal":{"AWS":"922761411349"},"Condition":{"StringLike":{"sts:ExternalId":"spotinst:*"}}`),
			[]line{{Medium, "trust-external-id", 1, "sts:AssumeRole"}, {Note, "trust-root", 1, "sts:AssumeRole"}}},
		"an external ID that may be missing": {trust(`"Principal":{"AWS":"444455556666"},"Condition":{"StringEqualsIfExists":{"sts:ExternalId":"abc"}}`),
			[]line{{Medium, "trust-external-id", 1, "sts:AssumeRole"}, {Medium, "trust-external-id", 1, "sts:AssumeRole"}}},
		"a deleted role":        {trust(`"Principal":{"AWS":"AROA123456789EXAMPLE"}`), []line{{Medium, "trust-id", 1, "sts:AssumeRole"}}},
		"EC2":                   {trust(`"Principal":{"Service":"ec2.amazonaws.com"}`), nil},
		"a service for anybody": {trust(`"Principal":{"Service":"sns.amazonaws.com"}`), []line{{Note, "trust-service", 1, "sts:AssumeRole"}}},
		"any repository": {federated(github, `,"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`),
			[]line{{High, "trust-oidc", 1, "sts:AssumeRoleWithWebIdentity"}}},
		"one repository": {federated(github,
			`,"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/app:*"}}`), nil},
		"any user of a provider": {federated("accounts.google.com", ""), []line{{High, "trust-oidc", 1, "sts:AssumeRoleWithWebIdentity"}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := Review([]byte(c.text), Options{Kind: policy.Trust, Account: "111122223333", Vendors: []string{"922761411349"}})
			if diff := cmp.Diff(c.want, lines(r, Note)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// Read together, an open door is worse where much lies behind it.
func TestTogether(t *testing.T) {
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"444455556666"}}]}`
	r := Review(testFile(t, "spot.json"), Options{Trust: []byte(open)})
	f := find(t, r, "together")
	if f.Severity != High || f.Document != "trust" || r.Trust == nil {
		t.Errorf("%+v", f)
	}
	shut := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"444455556666"},"Condition":{"StringEquals":{"sts:ExternalId":"abc"}}}]}`
	r = Review(testFile(t, "spot.json"), Options{Trust: []byte(shut)})
	if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == "together" }) {
		t.Error("a door with an external ID counts as open")
	}
	r = Review(testFile(t, "sprinters.json"), Options{Trust: []byte("{}")})
	if r.Verdict != "refused" || r.Findings[0].Document != "trust" {
		t.Errorf("a broken trust policy: %s, %+v", r.Verdict, r.Findings[0])
	}
}

func TestCost(t *testing.T) {
	asked := map[string]bool{}
	r := Review(testFile(t, "spot.json"), Options{Cost: func(sid string, actions []string) string {
		asked[sid] = true
		return "Needed by " + sid + "."
	}})
	if f := find(t, r, "data"); f.Cost != "Needed by AccountOperativeActions." {
		t.Errorf("cost %q", f.Cost)
	}
	if !asked["ElastigroupBeanstalk"] {
		t.Error("nobody was asked about ElastigroupBeanstalk")
	}
}

// The JSON has the fields that scripts read, with their names.
func TestJSON(t *testing.T) {
	text, err := json.Marshal(Review(testFile(t, "spot.json"), Options{}))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"policy.digest", "policy.characters", "policy.limit", "policy.statements", "actions.entries",
		"actions.granted", "actions.by_access", "verdict", "findings"} {
		var at any = got
		for part := range strings.SplitSeq(path, ".") {
			at = at.(map[string]any)[part]
		}
		if at == nil {
			t.Errorf("%s is missing", path)
		}
	}
	first := got["findings"].([]any)[0].(map[string]any)
	for _, name := range []string{"id", "class", "category", "severity", "statement", "index", "line", "column", "actions", "title", "why",
		"fix"} {
		if first[name] == nil {
			t.Errorf("findings have no %s", name)
		}
	}
}

// beside is a statement beside one that allows an action on everything.
func beside(action, inside string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + inside + `},{"Effect":"Allow","Action":"` + action +
		`","Resource":"*"}]}`
}
