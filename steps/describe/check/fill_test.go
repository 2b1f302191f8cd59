package check_test

import (
	"strings"
	"testing"

	"rolecall/steps"
	"rolecall/steps/describe"
)

// acmeParameters is acme with two parameters, of which one's name begins with
// the other's, one of them in a condition.
func acmeParameters(resource, condition string) string {
	text := strings.Replace(acme, `"Resource": "*"}`, `"Resource": "`+resource+`", "Condition": {"StringEquals": {"`+condition+`"}}}`, 1)
	return strings.Replace(text, "    policy: |\n", `    parameters:
      TRAIL: {flag: --trail, label: Trail, pattern: "[A-Za-z0-9_.-]+", example: main}
      TRAIL_BUCKET: {flag: --trail-bucket, label: Trail bucket, pattern: "[A-Za-z0-9_.-]+", example: acme-trail}
    policy: |
`, 1)
}

func TestFillGoesByNames(t *testing.T) {
	v, err := steps.Library().ReadForeign(
		[]byte(
			acmeParameters("arn:aws:s3:::TRAIL_BUCKET/TRAIL/xTRAIL/*", `aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/TRAIL`),
		),
		"acme.yaml",
	)
	if err != nil {
		t.Fatal(err)
	}
	role := v.RolesFor(nil, describe.AccessRole)[0]
	for name, test := range map[string]struct{ trail, bucket, resource, condition string }{
		"a name that begins another": {"main", "logs", "arn:aws:s3:::logs/main/xTRAIL/*", "trail/main"},
		"a value that is a name":     {"TRAIL_BUCKET", "TRAIL", "arn:aws:s3:::TRAIL/TRAIL_BUCKET/xTRAIL/*", "trail/TRAIL_BUCKET"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := role.Fill(v.Compose(role, nil, "aws"), map[string]string{"TRAIL": test.trail, "TRAIL_BUCKET": test.bucket})
			if err != nil {
				t.Fatal(err)
			}
			s := doc.Statements[0]
			if s.Resource[0] != test.resource || !strings.HasSuffix(s.Condition[0].Values[0], test.condition) {
				t.Errorf("%s, %s", s.Resource[0], s.Condition[0].Values[0])
			}
		})
	}
	if _, err := role.Fill(v.Compose(role, nil, "aws"), map[string]string{"TRAIL": "a*"}); len(describe.MistakesOf(err)) != 2 {
		t.Errorf("%v", err)
	}
	if original := role.Document.Statements[0].Condition[0].Values[0]; !strings.HasSuffix(original, "trail/TRAIL") {
		t.Errorf("the description was changed: %s", original)
	}
}

func TestAParameterThatWouldNotBeFilledIsAMistake(t *testing.T) {
	library := steps.Library()
	library.Taken = []string{"--path"}
	good := `aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/TRAIL`
	for name, test := range map[string]struct{ text, says string }{
		"part of a word": {acmeParameters("arn:aws:s3:::my_TRAIL_BUCKET/*", good), "has the placeholder TRAIL_BUCKET"},
		"key": {acmeParameters("arn:aws:s3:::TRAIL_BUCKET/TRAIL/*", `aws:ResourceTag/TRAIL": "x`),
			"TRAIL stands in the key of a Condition"},
		"action": {strings.Replace(acmeParameters("arn:aws:s3:::TRAIL_BUCKET/*", good), "s3:GetObject", "s3:TRAIL", 1),
			"TRAIL stands in an Action"},
		"the same flag": {strings.Replace(acmeParameters("arn:aws:s3:::TRAIL_BUCKET/*", good), "--trail-bucket", "--trail", 1),
			"is the flag of TRAIL already"},
		"rolecall's flags": {strings.Replace(acmeParameters("arn:aws:s3:::TRAIL_BUCKET/*", good), "--trail-bucket", "--path", 1), "--path is " +
			"a flag of rolecall's own"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := library.ReadForeign([]byte(test.text), "acme.yaml")
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
	other := strings.Replace(acme, "products:\n", `  - purpose: OtherRoleArn
    title: Other
    role_name: Other
    policy_name: Other
    parameters:
      TRAIL: {flag: --other, label: Trail, pattern: ".+", example: main}
    policy: '{"Version": "2012-10-17", "Statement": [{"Sid": "Look", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::TRAIL"}]}'
    why: {Look: {for: a, without: b}}
products:
`, 1)
	other = strings.Replace(other, "\"Resource\": \"*\"", `"Resource": "arn:aws:s3:::TRAIL"`, 1)
	other = strings.Replace(
		other,
		"    policy: |\n",
		"    parameters:\n      TRAIL: {flag: --trail, label: Trail, pattern: \".+\", example: main}\n    policy: |\n",
		1,
	)
	if _, err := steps.Library().ReadForeign([]byte(other), "acme.yaml"); err == nil ||
		!strings.Contains(err.Error(), "has the flag --trail in another role") {
		t.Errorf("%v", err)
	}
}
