package review

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/policy"
)

// trustCase is a trust policy on which people, or the tools that people use,
// went wrong, with what a review has to say of it. Sources without a site are
// pages of docs.aws.amazon.com/IAM/latest/UserGuide.
type trustCase struct {
	name, text string // text is a file of testdata/trust, or one statement's inside
	source     string
	worst      Severity // of all findings; "" for none above a note
	id         string   // of one finding; "" for none
	says       string   // in its title, reason or fix
	not        string   // no finding has this id
}

const (
	secureByDefault = "id_roles_providers_oidc_secure-by-default.html"
	globalKeys      = "reference_policies_condition-keys.html"
	principals      = "reference_policies_elements_principal.html"
	evaluation      = "reference_policies_evaluation-logic.html"
)

// oidc is a statement that trusts a provider under a condition.
func oidc(issuer, condition string) string {
	provider := issuer
	if !strings.HasSuffix(issuer, ".amazonaws.com") && issuer != "accounts.google.com" && issuer != "www.amazon.com" {
		provider = "arn:aws:iam::123456789012:oidc-provider/" + issuer
	}
	text := `"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"` + provider + `"}`
	if condition != "" {
		text += `,"Condition":` + strings.ReplaceAll(condition, "$P", issuer)
	}
	return text
}

func star(condition string) string {
	return `"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Condition":` + condition
}

func principal(text string) string {
	return `"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + text
}

func service(name string) string { return principal(`{"Service":"` + name + `"}`) }

const denyOthers = `},{"Effect":"Deny","Action":"sts:*","Principal":"*","Condition":`

func trustCases() []trustCase {
	const github = "token.actions.githubusercontent.com"
	return []trustCase{
		{
			"no such service",
			"tf35086-tagging.json",
			"github.com/hashicorp/terraform/issues/35086",
			SeverityRefused,
			"service-principal",
			"AWS has no service principal",
			"trust-service",
		},
		{
			"a service under another domain",
			"service-typo.json",
			"github.com/hashicorp/terraform/issues/35086",
			SeverityRefused,
			"service-principal",
			"Did you mean ec2.amazonaws.com?",
			"trust-service",
		},
		{
			"a group",
			"group-principal.json",
			"github.com/aws/aws-cdk/issues/11505",
			SeverityRefused,
			"principal",
			"a group is no principal",
			"trust-external-id",
		},
		{
			"ten digits",
			"parl229-trust-10digits.json",
			"github.com/duo-labs/parliament/issues/229",
			SeverityRefused,
			"principal",
			"10 digits",
			"trust-id",
		},
		{"GitLab by audience", "gitlab-aud-only.json", secureByDefault, High, "trust-oidc", "AWS refuses a new role", ""},
		{"any GitLab project", "gitlab-star.json", secureByDefault, High, "trust-oidc", "Any GitLab project", ""},
		{
			"any identity pool",
			"cognito-noaud.json",
			"github.com/aws-amplify/amplify-backend/pull/625",
			High,
			"trust-oidc",
			"cognito-identity.amazonaws.com:aud",
			"",
		},
		{
			"ForAllValues on a claim",
			"gh318-forallvalues-sub.json",
			"github.com/github/docs/pull/17463",
			High,
			"for-all-values",
			"ForAllValues",
			"",
		},
		{
			"another cluster's key",
			"eks-wrong-key.json",
			"reference_policies_iam-condition-keys.html",
			Medium,
			"provider-key",
			"grants nothing",
			"",
		},
		{
			"SAML by the other call",
			"saml-webident.json",
			"access-analyzer-reference-policy-checks.html",
			Medium,
			"trust-action",
			"sts:AssumeRoleWithSAML",
			"",
		},
		{
			"everybody with a tag",
			"aws-star-ptag.json",
			"access-analyzer-concepts.html",
			High,
			"trust-anyone",
			"aws:PrincipalTag/team keeps nobody out",
			"",
		},
		{"everybody with a role", "aws-star-ptype.json", globalKeys, High, "trust-anyone", "aws:PrincipalType keeps nobody out", ""},
		{"a Deny of other organisations", "aws-star-deny-others.json", evaluation, Medium, "trust-anyone", "aws:PrincipalOrgID", ""},
		{"nobody at all", "empty-array-principal.json", principals, SeverityRefused, "principal", "empty list", "trust-action"},
		{"a number", "aws-account-num.json", principals, SeverityRefused, "type", "number", "trust-action"},
		{
			"the bare star",
			"cdk5732-star-org.json",
			"github.com/aws/aws-cdk/issues/5732",
			SeverityRefused,
			"trust-anyone",
			`AssumeRolepolicy contained an invalid principal: "STAR":"*".`,
			"",
		},
		{
			"a blank in the ID",
			"extid-space.json",
			"docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
			Medium,
			"external-id-form",
			"blank",
			"trust-external-id",
		},
		{"a variable in 2008", "v2008-trust.json", "reference_policies_variables.html", Medium, "variable-version", "2012-10-17", ""},
		{
			"one role without an ID",
			"consoleme8968-trust-as-identity.json",
			"github.com/Netflix/consoleme/issues/8968",
			Low,
			"trust-external-id",
			"111122223333",
			"",
		},
		{
			"a wildcard for a letter",
			"gh1137-equals-star.json",
			"github.com/aws-actions/configure-aws-credentials/issues/1137",
			Medium,
			"like",
			"StringLike",
			"trust-oidc",
		},

		{
			"GitHub without sub",
			oidc(github, `{"StringEquals":{"$P:aud":"sts.amazonaws.com"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"Any GitHub repository",
			"",
		},
		{"GitHub, any owner", oidc(github, `{"StringLike":{"$P:sub":"repo:*/app:*"}}`), secureByDefault, High, "trust-oidc", "repo:", ""},
		{
			"GitHub, owners that begin so",
			oidc(github, `{"StringLike":{"$P:sub":"repo:acme*"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"repo:acme",
			"",
		},
		{
			"GitHub, any repository's main",
			oidc(github, `{"StringLike":{"$P:sub":"*:ref:refs/heads/main"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"Any GitHub repository",
			"",
		},
		{
			"GitHub, two stars",
			oidc(github, `{"StringLike":{"$P:sub":["repo:acme/app:*","*"]}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"Any GitHub repository",
			"",
		},
		{
			"GitHub, an environment of anybody",
			oidc(github, `{"StringEquals":{"$P:environment":"prod"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"Any GitHub repository",
			"",
		},
		{
			"GitHub, all but one",
			oidc(github, `{"StringNotLike":{"$P:sub":"repo:evil/*"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"Any GitHub repository",
			"",
		},
		{"GitHub, any of one owner", oidc(github, `{"StringLike":{"$P:sub":"repo:acme/*"}}`), secureByDefault, "", "", "", "trust-oidc"},
		{
			"GitHub, owner by number",
			oidc(github, `{"StringEquals":{"$P:repository_owner_id":"1234"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"GitHub, owner with its number",
			oidc(github, `{"StringLike":{"$P:sub":"repo:acme@123456/app@7:*"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"GitHub, a Deny of others",
			oidc(github, `{"StringEquals":{"$P:aud":"sts.amazonaws.com"}}`) + denyOthers + `{"StringNotLike":{"` + github + `:sub":"repo:acme/*"}}`,
			evaluation,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"GitHub, one enterprise's issuer",
			oidc(github+"/acme", `{"StringEquals":{"$P:aud":"sts.amazonaws.com"}}`),
			secureByDefault,
			Low,
			"trust-oidc",
			"one customer",
			"",
		},
		{
			"GitLab, a group",
			oidc("gitlab.com", `{"StringLike":{"$P:sub":"project_path:acme/*:ref_type:branch:ref:main"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"GitLab, groups that begin so",
			oidc("gitlab.com", `{"StringLike":{"$P:sub":"project_path:acme*:ref_type:branch:ref:main"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"Any GitLab project",
			"",
		},
		{
			"GitLab of one's own, by audience",
			oidc("gitlab.example.com", `{"StringEquals":{"$P:aud":"https://gitlab.example.com"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"Terraform by audience",
			oidc("app.terraform.io", `{"StringEquals":{"$P:aud":"aws.workload.identity"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"organization:YOUR-NAME",
			"",
		},
		{
			"Terraform, any organisation",
			oidc("app.terraform.io", `{"StringLike":{"$P:sub":"organization:*:project:p:workspace:w:run_phase:*"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"HCP Terraform",
			"",
		},
		{
			"Terraform, one organisation",
			oidc("app.terraform.io", `{"StringLike":{"$P:sub":"organization:acme:project:*"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"Buildkite by audience",
			oidc("agent.buildkite.com", `{"StringEquals":{"$P:aud":"sts.amazonaws.com"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"Buildkite pipeline",
			"",
		},
		{
			"Buildkite, one organisation",
			oidc("agent.buildkite.com", `{"StringLike":{"$P:sub":"organization:acme:pipeline:*"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"CircleCI, any project",
			oidc("oidc.circleci.com/org/0a-1b", `{"StringEquals":{"$P:aud":"0a-1b"}}`),
			"circleci.com/docs/openid-connect-tokens",
			Low,
			"trust-oidc",
			"CircleCI project",
			"",
		},
		{
			"CircleCI, one project",
			oidc("oidc.circleci.com/org/0a-1b", `{"StringEquals":{"$P:aud":"0a-1b"},"StringLike":{"$P:sub":"org/0a-1b/project/2c/*"}}`),
			"circleci.com/docs/openid-connect-tokens",
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"Bitbucket, any repository",
			oidc(
				"api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
				`{"StringEquals":{"$P:aud":"ari:cloud:bitbucket::workspace/1"}}`,
			),
			"support.atlassian.com",
			Low,
			"trust-oidc",
			"Bitbucket repository",
			"",
		},
		{
			"Bitbucket without any condition",
			oidc("api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", ""),
			"support.atlassian.com",
			Medium,
			"trust-oidc",
			"Every user",
			"",
		},
		{
			"Google by what the caller chose",
			oidc("accounts.google.com", `{"StringEquals":{"$P:oaud":"https://example.com"}}`),
			"reference_policies_iam-condition-keys.html",
			High,
			"trust-oidc",
			"Google account",
			"",
		},
		{
			"Google, one account",
			oidc("accounts.google.com", `{"StringEquals":{"$P:sub":"1029384756"}}`),
			"reference_policies_iam-condition-keys.html",
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"Cognito, one pool",
			oidc("cognito-identity.amazonaws.com", `{"StringEquals":{"$P:aud":"eu-west-1:1a"},"ForAnyValue:StringLike":{"$P:amr":"authenticated"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"Cognito, pools of a region",
			oidc("cognito-identity.amazonaws.com", `{"StringLike":{"$P:aud":"eu-west-1:*"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"identity pool",
			"",
		},
		{
			"Vercel by audience",
			oidc("oidc.vercel.com", `{"StringEquals":{"$P:aud":"https://vercel.com/acme"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"Vercel, any team",
			oidc("oidc.vercel.com", `{"StringLike":{"$P:sub":"owner:*:project:app:*"}}`),
			secureByDefault,
			High,
			"trust-oidc",
			"Vercel project",
			"",
		},
		{
			"a pod",
			oidc("oidc.eks.eu-west-1.amazonaws.com/id/AB", `{"StringEquals":{"$P:sub":"system:serviceaccount:ns:sa","$P:aud":"sts.amazonaws.com"}}`),
			secureByDefault,
			"",
			"",
			"",
			"trust-oidc",
		},
		{
			"any pod",
			oidc(
				"oidc.eks.eu-west-1.amazonaws.com/id/AB",
				`{"StringLike":{"$P:sub":"system:serviceaccount:*:*"},"StringEquals":{"$P:aud":"sts.amazonaws.com"}}`,
			),
			secureByDefault,
			Low,
			"trust-oidc",
			"Any pod",
			"",
		},
		{
			"GitLab asked by GitHub's key",
			oidc("gitlab.com", `{"StringLike":{"`+github+`:sub":"repo:acme/*"}}`),
			"reference_policies_iam-condition-keys.html",
			Medium,
			"provider-key",
			"another provider",
			"trust-oidc",
		},
		{
			"GitLab kept out by GitHub's key",
			oidc("gitlab.com", `{"StringNotLike":{"`+github+`:sub":"repo:acme/*"}}`),
			"reference_policies_iam-condition-keys.html",
			High,
			"provider-key",
			"always holds",
			"",
		},

		{
			"everybody who calls a role so",
			star(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deploy"}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{
			"everybody of one account",
			star(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/deploy"}}`),
			globalKeys,
			Medium,
			"trust-external-id",
			"444455556666",
			"trust-anyone",
		},
		{
			"everybody but services",
			star(`{"Bool":{"aws:PrincipalIsAWSService":"false"}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{
			"both halves of the internet",
			star(`{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{"one office", star(`{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`), globalKeys, Medium, "trust-anyone", "aws:SourceIp", ""},
		{
			"all but one office",
			star(`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{
			"with a second factor",
			star(`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{
			"by a name that the caller gives",
			star(`{"StringEquals":{"sts:RoleSessionName":"ops"}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{"from a region", star(`{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`), globalKeys, High, "trust-anyone", "keeps nobody out", ""},
		{"over TLS", star(`{"Bool":{"aws:SecureTransport":"true"}}`), globalKeys, High, "trust-anyone", "keeps nobody out", ""},
		{"of any organisation", star(`{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`), globalKeys, High, "trust-anyone", "keeps nobody out", ""},
		{
			"of one's organisation, if any",
			star(`{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{
			"of an organisation's unit",
			star(`{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-abcdefghij/r-ab12/ou-ab12-11111111/*"}}`),
			globalKeys,
			Medium,
			"trust-anyone",
			"aws:PrincipalOrgPaths",
			"",
		},
		{
			"of a unit, or of none",
			star(`{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-abcdefghij/*"}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{
			"accounts of twelve digits",
			star(`{"StringLike":{"aws:PrincipalAccount":"????????????"}}`),
			globalKeys,
			High,
			"trust-anyone",
			"keeps nobody out",
			"",
		},
		{"the own account", star(`{"StringEquals":{"aws:PrincipalAccount":"123456789012"}}`), globalKeys, "", "", "", "trust-anyone"},
		{"with an ID", star(`{"StringEquals":{"sts:ExternalId":"abc"}}`), globalKeys, High, "trust-anyone", "external ID is no secret", ""},
		{
			"until a past day",
			star(`{"DateLessThan":{"aws:CurrentTime":"2021-01-01T00:00:00Z"}}`),
			globalKeys,
			Low,
			"trust-nobody",
			"",
			"trust-anyone",
		},
		{
			"denied to all but one account",
			star(`{"Bool":{"aws:SecureTransport":"true"}}`) + denyOthers + `{"StringNotEquals":{"aws:PrincipalAccount":"123456789012"}}`,
			evaluation,
			"",
			"",
			"",
			"trust-anyone",
		},
		{
			"an ID by a Deny",
			principal(`{"AWS":"444455556666"}`) + denyOthers + `{"StringNotEquals":{"sts:ExternalId":"abc"}}`,
			evaluation,
			"",
			"trust-root",
			"",
			"trust-external-id",
		},
		{
			"an ID, and no more than some",
			principal(`{"AWS":"444455556666"},"Condition":{"Null":{"sts:ExternalId":"false"}}`),
			evaluation,
			Medium,
			"trust-external-id",
			"whichever",
			"",
		},

		{"lamda", service("lamda.amazonaws.com"), principals, SeverityRefused, "service-principal", "Did you mean lambda.amazonaws.com?", ""},
		{
			"two letters swapped",
			service("lambad.amazonaws.com"),
			principals,
			SeverityRefused,
			"service-principal",
			"Did you mean lambda.amazonaws.com?",
			"",
		},
		{
			"ecs-task",
			service("ecs-task.amazonaws.com"),
			principals,
			SeverityRefused,
			"service-principal",
			"Did you mean ecs-tasks.amazonaws.com?",
			"",
		},
		{
			"amazonaws.org",
			service("codebuild.amazonaws.org"),
			principals,
			SeverityRefused,
			"service-principal",
			"Did you mean codebuild.amazonaws.com?",
			"",
		},
		{"amazon.aws.com", service("ec2.amazon.aws.com"), principals, SeverityRefused, "service-principal", "ec2.amazonaws.com", ""},
		{"China", service("ec2.amazonaws.com.cn"), principals, "", "", "", "service-principal"},
		{"with a region", service("states.eu-west-1.amazonaws.com"), principals, "", "trust-service", "", "service-principal"},
		{"a part of a service", service("delivery.logs.amazonaws.com"), principals, "", "trust-service", "", "service-principal"},
		{
			"a service bound to an account",
			service("sns.amazonaws.com") + `,"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}`,
			"confused-deputy.html",
			"",
			"",
			"",
			"trust-service",
		},
		{"eleven digits", principal(`{"AWS":"12345678901"}`), principals, SeverityRefused, "principal", "11 digits", "trust-id"},
		{
			"thirteen digits in an ARN",
			principal(`{"AWS":"arn:aws:iam::1234567890123:role/x"}`),
			principals,
			SeverityRefused,
			"principal",
			"13 digits",
			"trust-id",
		},
		{"a policy", principal(`{"AWS":"arn:aws:iam::123456789012:policy/x"}`), principals, SeverityRefused, "principal", "", "trust-nobody"},
		{
			"an instance profile",
			principal(`{"AWS":"arn:aws:iam::123456789012:instance-profile/x"}`),
			principals,
			SeverityRefused,
			"principal",
			"",
			"",
		},
		{
			"a provider as an account's",
			principal(`{"AWS":"arn:aws:iam::123456789012:oidc-provider/x.com"}`),
			principals,
			SeverityRefused,
			"principal",
			"identity provider",
			"",
		},
		{
			"all sessions of a role",
			principal(`{"AWS":"arn:aws:sts::123456789012:assumed-role/x/*"}`),
			principals,
			SeverityRefused,
			"principal",
			"",
			"",
		},
	}
}

// TestTrustCases holds the review's answers on trust policies.
func TestTrustCases(t *testing.T) {
	for _, c := range trustCases() {
		t.Run(c.name, func(t *testing.T) {
			text := []byte(`{"Version":"2012-10-17","Statement":[{` + c.text + `}]}`)
			if strings.HasSuffix(c.text, ".json") {
				var err error
				if text, err = os.ReadFile(filepath.Join("testdata", "trust", c.text)); err != nil {
					t.Fatal(err)
				}
			}
			r := Review(text, Options{Kind: policy.Trust, Account: "123456789012", Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)})
			worst := r.Worst()
			if worst == Note {
				worst = ""
			}
			said := fmt.Sprintf("%s: %s\n%s", c.source, text, toldOf(r))
			if worst != c.worst || (r.Verdict == "refused") != (c.worst == SeverityRefused) {
				t.Fatalf("worst %q, want %q; %s\n%s", worst, c.worst, r.Verdict, said)
			}
			if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == c.not }) {
				t.Errorf("%s is said\n%s", c.not, said)
			}
			if c.id != "" && !slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.ID == c.id && strings.Contains(f.Title+"\n"+f.Why+"\n"+f.Fix, c.says)
			}) {
				t.Errorf("%s with %q is not said\n%s", c.id, c.says, said)
			}
		})
	}
}

func toldOf(r Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s %d:%d %s | %s | %s\n", f.Severity, f.ID, f.Line, f.Column, f.Title, f.Why, f.Fix)
	}
	return b.String()
}
