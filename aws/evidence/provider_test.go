package evidence_test

import (
	"slices"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/policy"
)

const (
	oidcARN  = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
	webTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + oidcARN + `"},` +
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com",` +
		`"token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:ref:refs/heads/main"}}}]}`
	webRole = `{"Role":{"Path":"/","RoleName":"Spot-Role","RoleId":"AROAEXAMPLE","Arn":"` + roleARN + `","AssumeRolePolicyDocument":` + webTrust + `}}` +
		attached + noInline + getVersion
	providerShown  = `{"Url":"token.actions.githubusercontent.com","ClientIDList":["sts.amazonaws.com"],"ThumbprintList":[],"Tags":[]}`
	providerOther  = `{"Url":"token.actions.githubusercontent.com","ClientIDList":["other"],"ThumbprintList":[],"Tags":[]}`
	providerPath   = `{"Url":"token.actions.githubusercontent.com/octo-org","ClientIDList":["sts.amazonaws.com"]}`
	providerListed = `{"OpenIDConnectProviderList":[{"Arn":"` + oidcARN + `"}]}`
	providerCall   = "$ aws iam get-open-id-connect-provider --open-id-connect-provider-arn " + oidcARN + "\n"
	providerGone   = "\nAn error occurred (NoSuchEntity) when calling the GetOpenIDConnectProvider operation: OpenIDConnect Provider not found for arn " +
		oidcARN + "\n"
	webState = `{"values":{"root_module":{"resources":[
		{"type":"aws_iam_role","values":{"arn":"` + roleARN + `","name":"Spot-Role","path":"/","unique_id":"AROAEXAMPLE","assume_role_policy":%TRUST%,` +
		`"managed_policy_arns":[],"inline_policy":[{"name":"p","policy":%GRANTS%}]}},
		{"type":"aws_iam_openid_connect_provider","values":{"arn":"` + oidcARN + `","url":"https://token.actions.githubusercontent.com",` +
		`"client_id_list":["sts.amazonaws.com"]}}]}}}`
	webTemplate = `
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Hub:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.actions.githubusercontent.com
      ClientIdList: [sts.amazonaws.com]
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: Spot-Role
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Federated: %REF%}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:aud: sts.amazonaws.com
                token.actions.githubusercontent.com:sub: repo:octo-org/octo-repo:ref:refs/heads/main
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: ec2:DescribeInstances, Resource: '*'}]
`
)

func webWant(t *testing.T) aws.Want {
	w := want(t)
	w.Principals, w.ExternalID = nil, ""
	w.Web = &policy.WebIdentity{Partition: "aws", AccountID: account, Issuer: "https://token.actions.githubusercontent.com",
		Audience: "sts.amazonaws.com", Subject: "repo:octo-org/octo-repo:ref:refs/heads/main"}
	return w
}

func asText(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestProvidersInEvidence(t *testing.T) {
	const asks = "aws iam get-open-id-connect-provider --open-id-connect-provider-arn " + oidcARN + " --output json"
	state := strings.NewReplacer("%TRUST%", asText(webTrust), "%GRANTS%", asText(grants)).Replace(webState)
	for name, test := range map[string]struct {
		text, status, asks string
	}{
		"none":               {webRole, "unknown", asks},
		"shown":              {webRole + providerShown, "pass", ""},
		"shown by a command": {webRole + "\n" + providerCall + providerShown, "pass", ""},
		"listed alone":       {webRole + providerListed, "unknown", asks},
		"listed and shown":   {webRole + providerListed + providerShown, "pass", ""},
		"an empty list":      {webRole + `{"OpenIDConnectProviderList":[]}`, "fail", ""},
		"a list of others":   {webRole + strings.ReplaceAll(providerListed, "githubusercontent.com", "githubusercontent.com/octo"), "fail", ""},
		"another account":    {webRole + strings.ReplaceAll(providerListed, account, "111122223333"), "unknown", asks},
		"another's provider": {webRole + "\n" + strings.ReplaceAll(providerCall, account, "111122223333") + providerShown, "unknown", asks},
		"a path":             {webRole + providerPath, "unknown", asks},
		"another audience":   {webRole + providerOther, "fail", ""},
		"no audiences told":  {webRole + `{"Url":"token.actions.githubusercontent.com","ThumbprintList":[]}`, "unknown", asks},
		"gone":               {webRole + "\n" + providerCall + providerGone, "fail", ""},
		"Terraform":          {state, "pass", ""},
		"template, Ref":      {strings.ReplaceAll(webTemplate, "%REF%", "!Ref Hub"), "pass", ""},
		"template, GetAtt":   {strings.ReplaceAll(webTemplate, "%REF%", "!GetAtt Hub.Arn"), "pass", ""},
		"template, audience": {strings.ReplaceAll(strings.ReplaceAll(webTemplate, "%REF%", "!Ref Hub"), "[sts.amazonaws.com]", "[!Ref Audience]"), "unknown", asks},
	} {
		t.Run(name, func(t *testing.T) {
			seen, report, err := aws.Look(t.Context(), read(t, test.text), webWant(t))
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(report.Checks, func(c aws.Check) bool { return c.ID == "oidc-provider" })
			if c := report.Checks[i]; string(c.Status) != test.status {
				t.Errorf("%+v", c)
			}
			if test.asks != "" && !slices.ContainsFunc(seen.Missing, func(m aws.Missing) bool { return m.Command == test.asks }) {
				t.Errorf("%+v does not ask for the provider", seen.Missing)
			}
			if test.status == "pass" && (len(seen.Missing) == 0) != report.OK {
				t.Errorf("ok is %v with nothing missing: %+v", report.OK, report.Checks)
			}
		})
	}
}

func TestProvidersThatContradict(t *testing.T) {
	for name, text := range map[string]string{
		"audiences":           webRole + providerShown + providerOther,
		"shown and not there": webRole + "\n" + providerCall + providerShown + providerGone,
		"not in its list":     webRole + "\n" + providerCall + providerShown + `{"OpenIDConnectProviderList":[]}`,
		"another ARN": webRole + "\n" + strings.Replace(providerCall, "githubusercontent.com\n", "githubusercontent.com/octo\n", 1) +
			providerShown,
		"no name":   webRole + `{"Url":"token.actions.github\u0000usercontent.com","ClientIDList":[]}`,
		"no ARN":    webRole + `{"OpenIDConnectProviderList":[{"Arn":"arn:aws:iam::123456789012:role/x"}]}`,
		"no issuer": webRole + `{"Url":"https://","ClientIDList":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if r := refusal(t, text); r.What == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestPlaceOfATrustPolicyAlone(t *testing.T) {
	for text, want := range map[string]string{
		webTrust: account,
		strings.Replace(webTrust, `"`+oidcARN+`"`, `["`+oidcARN+`","`+strings.Replace(oidcARN, account, "111122223333", 1)+`"]`, 1): "",
		trustText: "",
	} {
		if _, got, err := read(t, text).Place(t.Context()); err != nil || got != want {
			t.Errorf("%q %v, want %q: %s", got, err, want, text)
		}
	}
}
