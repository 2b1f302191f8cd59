package aws_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/policy"
)

// trustCase is a trust policy with what verify has to say of it. Sources are
// pages of docs.aws.amazon.com/IAM/latest/UserGuide unless they name a site.
type trustCase struct {
	name, trust string // trust is a file of testdata/trust, or statements as trust takes them
	source      string
	ok          bool
	check       string // of these, one has status
	status      aws.Status
	says        string // in got or why
}

const (
	operatorsPage  = "reference_policies_elements_condition_operators.html"
	evaluationPage = "reference_policies_evaluation-logic.html"
	globalKeysPage = "reference_policies_condition-keys.html"
	setsPage       = "reference_policies_condition-single-vs-multi-valued-context-keys.html"
)

func trustCases() []trustCase {
	open := func(name, trust, source, says string) trustCase {
		return trustCase{name, trust, source, false, "trust-external-id", aws.Fail, says}
	}
	fine := func(name, trust, source string) trustCase {
		return trustCase{name, trust, source, true, "trust-external-id", aws.Pass, extID}
	}
	grants := func(principal, condition string) string { return grant(principal, `"sts:AssumeRole"`, condition) }
	plain := `{"Effect":"Allow","Principal":{"AWS":"$V"},"Action":"sts:AssumeRole"}`
	deny := func(condition string) string {
		return `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":` + condition + `}`
	}
	with := func(more string) string {
		return grants(`{"AWS":"$V"}`, `{"StringEquals":{"sts:ExternalId":"$X"},`+more+`}`)
	}
	role := `{"AWS":"arn:aws:iam::` + vendor + `:role/spot-prod"}`
	return []trustCase{
		open("one of the vendor's roles needs no ID", "t01-vendor-role-open.json", "github.com/aws/aws-sdk-js/issues/3869", "role/spot-prod without an external ID gets in by statement 2"),
		open("one of the vendor's users needs no ID", "t02-vendor-user-open.json", operatorsPage, "user/spot without an external ID gets in by statement 2"),
		open("a star for the ID", right+","+grants(`{"AWS":"$V"}`, `{"StringLike":{"sts:ExternalId":"*"}}`), operatorsPage, "gets in by statement 2"),
		open("a star for the ID of a role", right+","+grants(role, `{"StringLike":{"sts:ExternalId":"*"}}`), operatorsPage, "role/spot-prod with the external ID"),
		open("a session of the vendor needs no ID", right+","+grants(`{"AWS":"arn:aws:sts::`+vendor+`:assumed-role/x/s"}`, `{}`), "reference_policies_elements_principal.html", "assumed-role/x/s without an external ID"),
		open("any ID will do", "t04-null-false.json", operatorsPage, "any is accepted"),
		open("any ID will do, beside", "t05-null-false-beside.json", operatorsPage, "gets in by statement 2"),
		open("any ID but one", grants(`{"AWS":"$V"}`, `{"ForAnyValue:StringNotEquals":{"sts:ExternalId":"another"}}`), setsPage, "others are accepted too"),
		open("any ID but one, which has to be there", grants(`{"AWS":"$V"}`, `{"Null":{"sts:ExternalId":"false"},"StringNotEquals":{"sts:ExternalId":"another"}}`), operatorsPage, "others are accepted too"),
		open("any ID but one, beside", right+","+grants(`{"AWS":"$V"}`, `{"ForAnyValue:StringNotEquals":{"sts:ExternalId":"another"}}`), setsPage, "gets in by statement 2"),
		open("an ID of that length", grants(`{"AWS":"$V"}`, `{"StringLike":{"sts:ExternalId":"spotinst:aws:extid:????????????????"}}`), operatorsPage, "others are accepted too"),
		open("an ID with more behind it", grants(`{"AWS":"$V"}`, `{"StringLike":{"sts:ExternalId":"$X*"}}`), operatorsPage, "others are accepted too"),
		open("an ID of either case", grants(`{"AWS":"$V"}`, `{"StringEqualsIgnoreCase":{"sts:ExternalId":"$X"}}`), operatorsPage, "others are accepted too"),
		open("an ID that the caller names itself", grants(`{"AWS":"$V"}`, `{"StringLike":{"sts:ExternalId":["$X","${aws:PrincipalAccount}*"]}}`), "reference_policies_variables.html", "others are accepted too"),
		open("a Deny that misses those without", plain+","+deny(`{"ForAnyValue:StringNotEquals":{"sts:ExternalId":"$X"}}`), setsPage, "without an external ID gets in by statement 1"),
		open("a Deny of one wrong ID", plain+","+deny(`{"StringEquals":{"sts:ExternalId":"another"}}`), evaluationPage, "without an external ID"),
		open("a Deny of other accounts alone", plain+`,{"Effect":"Deny","Principal":{"AWS":"$S"},"Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"sts:ExternalId":"$X"}}}`, evaluationPage, "without an external ID"),
		open("open from a day on", right+","+grants(`{"AWS":"$V"}`, `{"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}`), operatorsPage, "without an external ID, aws:currenttime 203"),
		open("the condition on the ID in the other version of a key", grants(`{"AWS":"$V"}`, `{"StringEqualsIfExists":{"STS:EXTERNALID":"$X"}}`), operatorsPage, "without an external ID"),
		open("no ID over an unsafe connection, and otherwise", plain+","+deny(`{"Bool":{"aws:SecureTransport":"false"}}`), globalKeysPage, "without an external ID"),

		fine("a Deny of all others", "t08-deny-forallvalues.json", evaluationPage),
		fine("a Deny of what is not like it", "t10-deny-notlike.json", evaluationPage),
		fine("a Deny of what does not equal it", plain+","+deny(`{"StringNotEquals":{"sts:ExternalId":"$X"}}`), evaluationPage),
		fine("a Deny of what does not equal it, if it exists", plain+","+deny(`{"StringNotEqualsIfExists":{"sts:ExternalId":"$X"}}`), evaluationPage),
		fine("a Deny of those without, and of others", plain+","+deny(`{"Null":{"sts:ExternalId":"true"}}`)+","+deny(`{"ForAnyValue:StringNotEquals":{"sts:ExternalId":"$X"}}`), evaluationPage),
		fine("the same twice", right+","+right, evaluationPage),
		fine("two conditions that one ID meets", grants(`{"AWS":"$V"}`, `{"StringLike":{"sts:ExternalId":"spot*"},"StringEquals":{"sts:ExternalId":["$X","another"]}}`), operatorsPage),
		fine("an unsafe connection is denied", "t11-deny-insecure-transport.json", globalKeysPage),
		fine("a safe connection is asked for", with(`"Bool":{"aws:SecureTransport":"true"}`), globalKeysPage),
		fine("the vendor's account is asked for", "t14-cond-principalaccount.json", globalKeysPage),
		fine("the vendor's account, among others", with(`"StringLike":{"aws:PrincipalAccount":["92*","111122223333"]}`), globalKeysPage),
		fine("ARNs of the vendor's account", with(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::`+vendor+`:*"}`), globalKeysPage),
		fine("texts that are ARNs of the vendor's account", with(`"StringLike":{"aws:PrincipalArn":"arn:aws:iam::`+vendor+`:*"}`), globalKeysPage),
		fine("no service of AWS", with(`"Bool":{"aws:PrincipalIsAWSService":"false"}`), globalKeysPage),
		fine("no source account, which only services have", with(`"StringNotEquals":{"aws:SourceAccount":"`+stranger+`"}`), globalKeysPage),
		fine("until a far day", with(`"DateLessThan":{"aws:CurrentTime":"2099-12-31T23:59:59Z"}`), operatorsPage),
		fine("since a past day", with(`"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"},"NumericGreaterThan":{"aws:EpochTime":"1577836800"}`), operatorsPage),
		fine("an Allow that is over", "t17-dead-allow.json", operatorsPage),
		fine("an Allow that asks for two accounts at once", right+","+grants(`{"AWS":"$V"}`, `{"StringEquals":{"aws:PrincipalAccount":"`+stranger+`"}}`), globalKeysPage),
		fine("an Allow for a service that is none", right+","+grants(`{"AWS":"$V"}`, `{"Bool":{"aws:PrincipalIsAWSService":"true"}}`), globalKeysPage),
		fine("an Allow with an ID that nobody can give", right+","+grants(`{"AWS":"$V"}`, `{"StringEquals":{"sts:ExternalId":"a b"}}`), "docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"),
		fine("a full grant beside a narrower one", right+","+grants(role, `{"StringEquals":{"sts:ExternalId":"$X"}}`), evaluationPage),
		fine("a narrower one with a further condition", right+","+with(`"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`), evaluationPage),
		fine("a Deny of somebody else", right+`,{"Effect":"Deny","Principal":{"AWS":"$S"},"Action":"sts:*"}`, evaluationPage),
		fine("either half of a condition", with(`"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}`)+","+with(`"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`), operatorsPage),
		fine("a variable for the vendor's account", with(`"StringLike":{"aws:PrincipalAccount":"${aws:PrincipalAccount}"}`), "reference_policies_variables.html"),
		fine("nobody of the own account's organisation", right+","+deny(`{"StringEquals":{"aws:PrincipalAccount":"`+stranger+`"}}`), globalKeysPage),

		{"a deleted principal beside", "t15-stale-principal-beside.json", "github.com/cloud-custodian/cloud-custodian/issues/9961", true, "trust-extra-principals", aws.Warn, "AROAEXAMPLEEXAMPLE123"},
		{"a stranger who may only tag", "t16-stranger-tagsession-only.json", "id_session-tags.html", true, "trust-extra-principals", aws.Pass, "nobody else"},
		{"a stranger under a past date", right + "," + grants(`{"AWS":"$S"}`, `{"DateLessThan":{"aws:CurrentTime":"2021-01-01T00:00:00Z"}}`), operatorsPage, true, "trust-extra-principals", aws.Pass, "nobody else"},
		{"a stranger whom a Deny hits", right + "," + grants(`{"AWS":"$S"}`, `{}`) + `,{"Effect":"Deny","Principal":{"AWS":"$S"},"Action":"sts:AssumeRole"}`, evaluationPage, true, "trust-extra-principals", aws.Pass, "nobody else"},
		{"a stranger by its organisation", right + "," + grants(`{"AWS":"*"}`, `{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}`), globalKeysPage, false, "trust-extra-principals", aws.Fail, "aws:principalorgid o-abcdefghij gets in by statement 2"},
		{"everybody with a tag", right + "," + grants(`{"AWS":"*"}`, `{"StringEquals":{"aws:PrincipalTag/team":"ops"}}`), globalKeysPage, false, "trust-extra-principals", aws.Fail, "gets in by statement 2"},
		{"everybody with the vendor's ID", grants(`{"AWS":"*"}`, `{"StringEquals":{"sts:ExternalId":"$X"}}`), globalKeysPage, false, "trust-extra-principals", aws.Fail, "*"},
		{"everybody of the vendor's account", grants(`{"AWS":"*"}`, `{"StringEquals":{"sts:ExternalId":"$X","aws:PrincipalAccount":"`+vendor+`"}}`), globalKeysPage, true, "trust-extra-principals", aws.Pass, "nobody else"},
		{"SAML users", right + `,{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::` + account + `:saml-provider/idp"},"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}`, "id_roles_providers_saml.html", false, "trust-extra-principals", aws.Fail, "saml-provider/idp"},
		{"the own account", right + "," + grants(`{"AWS":"$O"}`, `{}`), evaluationPage, true, "trust-extra-principals", aws.Warn, "this account"},

		{"until soon", with(`"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`), operatorsPage, true, "trust-principal", aws.Warn, "2027-01-01"},
		{"not yet", with(`"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`), operatorsPage, false, "trust-principal", aws.Fail, "conditions that it does not meet"},
		{"over", with(`"DateLessThan":{"aws:CurrentTime":"2021-01-01T00:00:00Z"}`), operatorsPage, false, "trust-principal", aws.Fail, "conditions that it does not meet"},
		{"roles alone", with(`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::` + vendor + `:role/*"}`), globalKeysPage, false, "trust-principal", aws.Unknown, "aws:PrincipalArn"},
		{"the root user alone", with(`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::` + vendor + `:root"}`), globalKeysPage, false, "trust-principal", aws.Fail, "conditions that it does not meet"},
		{"a Deny of one of the vendor's roles", right + `,{"Effect":"Deny","Principal":` + role + `,"Action":"sts:AssumeRole"}`, evaluationPage, false, "trust-principal", aws.Unknown, "role/spot-prod"},
		{"a Deny of the right ID", right + "," + deny(`{"StringLike":{"sts:ExternalId":"spot*"}}`), evaluationPage, false, "trust-principal", aws.Fail, "statement 2 denies it"},
		{"another's key", with(`"StringLike":{"aws:SourceAccount":"` + account + `"}`), globalKeysPage, false, "trust-principal", aws.Fail, "aws:SourceAccount"},
	}
}

// TestTrustCases holds the verdict on trust policies on which people, or the
// tools that people use, went wrong.
func TestTrustCases(t *testing.T) {
	for _, c := range trustCases() {
		t.Run(c.name, func(t *testing.T) {
			role := rightRole(t)
			if strings.HasSuffix(c.trust, ".json") {
				text, err := os.ReadFile(filepath.Join("testdata", "trust", c.trust))
				ok(t, err)
				role.Trust = parse(t, string(text), policy.Trust)
			} else {
				role.Trust = trust(t, c.trust)
			}
			now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
			r := aws.Judge(rightWant(t), aws.Seen{Role: role, Now: now})
			got, made := r.Check(c.check)
			if !made || got.Status != c.status || r.OK != c.ok {
				t.Fatalf("OK is %v, want %v; %+v\n%s", r.OK, c.ok, r.Checks, c.source)
			}
			if !strings.Contains(got.Got+" "+got.Why, c.says) {
				t.Errorf("%q is not said: %+v", c.says, got)
			}
			sayEnough(t, got)
		})
	}
}
