package rehearsal_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/aws/rehearsal"
	"rolecall/policy"
)

const (
	vendor  = "922761411349"
	extID   = "spotinst:aws:extid:0123456789abcdef"
	account = "123456789012"
	some    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}}`
)

func params(nameValues ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(nameValues); i += 2 {
		m[nameValues[i]] = nameValues[i+1]
	}
	return m
}

func trustText(externalID string) string {
	return policy.NewTrust("aws", []string{vendor}, externalID).Compact()
}

// TestLimits tries each limit on both sides of the line.
func TestLimits(t *testing.T) {
	sized := func(n int) string { // a policy of exactly n characters
		text := `{"Version":"2012-10-17","Statement":{"Sid":"","Effect":"Allow","Action":"ec2:Describe*","Resource":"arn:aws:s3:::%s"}}`
		text = strings.Replace(text, `"Sid":"",`, "", 1)
		return fmt.Sprintf(text, strings.Repeat("x", n-policy.Characters(text)+2))
	}
	trust := func(n int) string {
		base := trustText("xx")
		return strings.Replace(base, `"xx"`, `"`+strings.Repeat("x", n-policy.Characters(base)+2)+`"`, 1)
	}
	role := func(name string) map[string]string {
		return params("RoleName", name, "AssumeRolePolicyDocument", trustText(extID))
	}
	with := func(m map[string]string, nameValues ...string) map[string]string {
		for k, v := range params(nameValues...) {
			m[k] = v
		}
		return m
	}
	for name, c := range map[string]struct {
		action string
		params map[string]string
		want   string // part of the error; empty: accepted
	}{
		"policy of 6144": {"iam:CreatePolicy", params("PolicyName", "p", "PolicyDocument", sized(6144)), ""},
		"policy of 6145": {"iam:CreatePolicy", params("PolicyName", "p", "PolicyDocument", sized(6145)), "LimitExceeded: Cannot " +
			"exceed quota for PolicySize: 6144"},
		"policy with white space": {"iam:CreatePolicy", params("PolicyName", "p", "PolicyDocument", strings.ReplaceAll(sized(6144), ",",
			",\n\t ")), ""},
		"policy name of 128": {"iam:CreatePolicy", params("PolicyName", strings.Repeat("p", 128), "PolicyDocument", some), ""},
		"policy name of 129": {"iam:CreatePolicy", params("PolicyName", strings.Repeat("p", 129), "PolicyDocument", some),
			"ValidationError"},
		"policy name with space": {"iam:CreatePolicy", params("PolicyName", "a b", "PolicyDocument", some), "ValidationError"},
		"policy path":            {"iam:CreatePolicy", params("PolicyName", "p", "Path", "/a/b/", "PolicyDocument", some), ""},
		"policy path, open":      {"iam:CreatePolicy", params("PolicyName", "p", "Path", "/a", "PolicyDocument", some), "ValidationError"},
		"broken JSON":            {"iam:CreatePolicy", params("PolicyName", "p", "PolicyDocument", "{nope"), "MalformedPolicyDocument: "},
		"no resource": {"iam:CreatePolicy", params("PolicyName", "p", "PolicyDocument",
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*"}}`),
			"MalformedPolicyDocument: Policy statement must contain resources."},
		"role name of 64":  {"iam:CreateRole", role(strings.Repeat("r", 64)), ""},
		"role name of 65":  {"iam:CreateRole", role(strings.Repeat("r", 65)), "ValidationError"},
		"role name with !": {"iam:CreateRole", role("r!"), "ValidationError"},
		"trust of 2048":    {"iam:CreateRole", with(role("r"), "AssumeRolePolicyDocument", trust(2048)), ""},
		"trust of 2049": {"iam:CreateRole", with(role("r"), "AssumeRolePolicyDocument", trust(2049)), "LimitExceeded: Cannot exceed " +
			"quota for ACLSizePerRole: 2048"},
		"trust with resource":  {"iam:CreateRole", with(role("r"), "AssumeRolePolicyDocument", some), "MalformedPolicyDocument"},
		"session of 12 h":      {"iam:CreateRole", with(role("r"), "MaxSessionDuration", "43200"), ""},
		"session of 12 h 1 s":  {"iam:CreateRole", with(role("r"), "MaxSessionDuration", "43201"), "ValidationError"},
		"boundary that exists": {"iam:CreateRole", with(role("r"), "PermissionsBoundary", "arn:aws:iam::aws:policy/SecurityAudit"), ""},
		"boundary that does not": {"iam:CreateRole", with(role("r"), "PermissionsBoundary", "arn:aws:iam::123456789012:policy/none"),
			"NoSuchEntity"},
		"unknown action": {"iam:Dance", nil, "no such action"},
	} {
		t.Run(name, func(t *testing.T) {
			err := rehearsal.New(rehearsal.Options{}).Do(c.action, c.params)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestTenAttachmentsAndInlineSum(t *testing.T) {
	s := rehearsal.New(rehearsal.Options{})
	do := func(action string, nameValues ...string) error { return s.Do(action, params(nameValues...)) }
	check(t, do("iam:CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustText(extID)), "")
	for i := range 11 {
		name := fmt.Sprint("p", i)
		check(t, do("iam:CreatePolicy", "PolicyName", name, "PolicyDocument", some), "")
		want := ""
		if i == 10 {
			want = "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10"
		}
		check(t, do("iam:AttachRolePolicy", "RoleName", "R", "PolicyArn", "arn:aws:iam::"+account+":policy/"+name), want)
	}
	big := strings.Replace(some, `"*"}`, `"arn:aws:s3:::`+strings.Repeat("x", 5000)+`"}`, 1)
	check(t, do("iam:PutRolePolicy", "RoleName", "r", "PolicyName", "a", "PolicyDocument", big), "")
	check(t, do("iam:PutRolePolicy", "RoleName", "r", "PolicyName", "a", "PolicyDocument", big), "") // in place of itself
	check(t, do("iam:PutRolePolicy", "RoleName", "r", "PolicyName", "b", "PolicyDocument", big), "")
	check(
		t,
		do("iam:PutRolePolicy", "RoleName", "r", "PolicyName", "c", "PolicyDocument", big),
		"Maximum policy size of 10240 bytes exceeded for role r",
	)
	check(t, do("iam:DeletePolicy", "PolicyArn", "arn:aws:iam::"+account+":policy/p0"), "DeleteConflict")
	check(t, do("iam:DeleteRole", "RoleName", "r"), "DeleteConflict: Cannot delete entity, must detach all policies first.")
	check(t, do("iam:DeletePolicy", "PolicyArn", "arn:aws:iam::aws:policy/SecurityAudit"), "AccessDenied")
}

func check(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestAssumeRole(t *testing.T) {
	const arn = "arn:aws:iam::" + account + ":role/r"
	wrap := func(statements string) string { return `{"Version":"2012-10-17","Statement":[` + statements + `]}` }
	inner := func(externalID string) string {
		text := trustText(externalID)
		return text[strings.Index(text, "[")+1 : strings.LastIndex(text, "]")]
	}
	for name, c := range map[string]struct {
		trust, account, id string
		want               bool
	}{
		"right":                     {trustText(extID), vendor, extID, true},
		"wrong external ID":         {trustText(extID), vendor, "another", false},
		"missing external ID":       {trustText(extID), vendor, "", false},
		"other account":             {trustText(extID), "444455556666", extID, false},
		"none required, none given": {trustText(""), vendor, "", true},
		"none required, one given":  {trustText(""), vendor, extID, true},
		"denied": {wrap(inner(extID) + `,{"Effect":"Deny","Principal":{"AWS":"` + vendor +
			`"},"Action":"sts:AssumeRole"}`), vendor, extID, false},
		"denied under another ID": {wrap(inner(extID) +
			`,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"sts:ExternalId":"` + extID +
			`"}}}`), vendor, extID, true},
		"only with MFA": {strings.Replace(trustText(extID), `"StringEquals"`,
			`"Bool":{"aws:MultiFactorAuthPresent":"true"},"StringEquals"`, 1), vendor, extID, false},
		"only a role of the account": {strings.Replace(trustText(extID), ":root", ":role/x", 1), vendor, extID, false},
		"another action":             {strings.Replace(trustText(extID), "sts:AssumeRole", "sts:TagSession", 1), vendor, extID, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := rehearsal.New(rehearsal.Options{Propagation: -1})
			check(t, s.Do("iam:CreateRole", params("RoleName", "r", "AssumeRolePolicyDocument", c.trust)), "")
			want := ""
			if !c.want {
				want = "AccessDenied"
			}
			check(t, s.AssumeRole(c.account, arn, c.id), want)
			check(t, s.AssumeRole(c.account, arn+"x", c.id), "AccessDenied")
		})
	}
}

func TestPropagation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const arn = "arn:aws:iam::" + account + ":role/r"
		s := rehearsal.New(rehearsal.Options{})
		check(t, s.Do("iam:CreateRole", params("RoleName", "r", "AssumeRolePolicyDocument", trustText(extID))), "")
		check(t, s.Do("iam:GetRole", params("RoleName", "r")), "")
		check(t, s.AssumeRole(vendor, arn, extID), "AccessDenied")
		time.Sleep(3 * time.Second)
		check(t, s.AssumeRole(vendor, arn, extID), "AccessDenied")
		time.Sleep(time.Second)
		check(t, s.AssumeRole(vendor, arn, extID), "")
		check(t, s.Do("iam:UpdateAssumeRolePolicy", params("RoleName", "r", "PolicyDocument", trustText("other"))), "")
		check(t, s.AssumeRole(vendor, arn, "other"), "AccessDenied")
		time.Sleep(4 * time.Second)
		check(t, s.AssumeRole(vendor, arn, "other"), "")
	})
}

func TestOnlyItsOwnKeyIsAccepted(t *testing.T) {
	s := rehearsal.New(rehearsal.Options{})
	check(t, s.Start(), "")
	t.Cleanup(func() { _ = s.Close() })
	for header, want := range map[string]string{
		"": "MissingAuthenticationToken",
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iam/aws4_request, SignedHeaders=host": "InvalidClientTokenId",
		"AWS4-HMAC-SHA256 Credential=" + s.Target().AccessKeyID +
			"/20260101/us-east-1/iam/aws4_request, SignedHeaders=host": "<Code>InvalidAction",
	} {
		r, err := http.NewRequest(http.MethodPost, s.Target().Endpoint, strings.NewReader("Action=Dance&Version=2010-05-08"))
		check(t, err, "")
		r.Header.Set("Authorization", header)
		answer, err := http.DefaultClient.Do(r)
		check(t, err, "")
		var b strings.Builder
		_ = answer.Write(&b)
		_ = answer.Body.Close()
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q answers %s", header, b.String())
		}
	}
}

// TestPublishedPolicyFits takes the vendor's own document, where it is.
func TestPublishedPolicyFits(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "domain", "spot-default-policy.json"))
	if err != nil {
		t.Skip("the shared material is not here: the published policy is not tried")
	}
	check(
		t,
		rehearsal.New(rehearsal.Options{}).Do("iam:CreatePolicy", params("PolicyName", "Spot-Policy", "PolicyDocument", string(text))),
		"",
	)
}
