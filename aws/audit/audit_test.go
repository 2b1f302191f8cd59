package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/audit"
	"rolecall/policy"
)

const (
	account  = "123456789012"
	vendor   = "922761411349"
	stranger = "111122223333"
	member   = "444455556666"
)

func known() audit.Known {
	return audit.Known{
		Partition:    "aws",
		Account:      account,
		Organization: "o-abcdefghij",
		Members:      []string{member},
		Now:          time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Vendors:      []audit.Vendor{{Name: "spot", Title: "Spot", Accounts: []string{vendor, "884866656237"}, NoID: []string{"884866656237"}}},
	}
}

func roleOf(t *testing.T, statements ...string) aws.Role {
	t.Helper()
	text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	d, err := policy.Parse([]byte(text), policy.Trust)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return aws.Role{ARN: "arn:aws:iam::" + account + ":role/R", Name: "R", ID: "AROAEXAMPLE", Path: "/", Trust: d, TrustText: text}
}

func allow(principal, condition string) string {
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"` + condition + `}`
}

func who(account string) string { return `{"AWS":"arn:aws:iam::` + account + `:root"}` }

func id(operator, value string) string {
	return fmt.Sprintf(`,"Condition":{%q:{"sts:ExternalId":%q}}`, operator, value)
}

// TestWhoGetsIn has the right answers: account, vendor and external ID of each
// that gets in, and whether the role is as required.
func TestWhoGetsIn(t *testing.T) {
	oidc := `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::` + account + `:oidc-provider/token.actions.githubusercontent.com"},` +
		`"Action":"sts:AssumeRoleWithWebIdentity"%s}`
	for _, c := range []struct {
		name       string
		statements []string
		want       string // "account vendor external-id", joined; "-": not shown
		ok         bool
	}{
		{"vendor with its ID", []string{allow(who(vendor), id("StringEquals", "of-this-one"))}, "922761411349 spot required", true},
		{"vendor by its number", []string{allow(`{"AWS":"`+vendor+`"}`, id("StringEquals", "of-this-one"))}, "922761411349 spot required", true},
		{"vendor, one role of it", []string{allow(`{"AWS":"arn:aws:iam::`+vendor+`:role/x"}`, id("StringEquals", "of-this-one"))},
			"922761411349 spot required", false},
		{"vendor without an ID", []string{allow(who(vendor), "")}, "922761411349 spot none", false},
		{"vendor, if it likes", []string{allow(who(vendor), id("StringEqualsIfExists", "of-this-one"))}, "922761411349 spot none", false},
		{"vendor, any ID", []string{allow(who(vendor), id("StringLike", "*"))}, "922761411349 spot any", false},
		{"vendor, a second door", []string{allow(who(vendor), id("StringEquals", "of-this-one")), allow(who(vendor), "")},
			"922761411349 spot none", false},
		{"vendor that sends none", []string{allow(who("884866656237"), "")}, "884866656237 spot none", true},
		{"vendor and stranger", []string{allow(who(vendor), id("StringEquals", "of-this-one")), allow(who(stranger), "")},
			"111122223333  none; 922761411349 spot required", false},
		{"stranger", []string{allow(who(stranger), id("StringEquals", "of-another"))}, "111122223333  required", false},
		{"anybody", []string{allow(`{"AWS":"*"}`, "")}, "*  none", false},
		{"anybody with an ID", []string{allow(`{"AWS":"*"}`, id("StringEquals", "of-another"))}, "*  required", false},
		{"anybody of the organisation", []string{allow(`{"AWS":"*"}`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}`)},
			"-", true},
		{"anybody of another", []string{allow(`{"AWS":"*"}`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-another123"}}`)},
			"*  none", false},
		{"a member", []string{allow(who(member), "")}, "-", true},
		{"vendor and a member", []string{allow(who(vendor), id("StringEquals", "of-this-one")), allow(who(member), "")}, "922761411349 spot " +
			"required", true},
		{"own account", []string{allow(who(account), "")}, "-", true},
		{"service", []string{allow(`{"Service":"ec2.amazonaws.com"}`, "")}, "-", true},
		{"denied again", []string{allow(who(stranger), ""), `{"Effect":"Deny","Principal":{"AWS":"` + stranger + `"},"Action":"sts:*"}`}, "-",
			true},
		{"named and tagged alone", []string{`{"Effect":"Allow","Principal":` + who(stranger) + `,"Action":"sts:TagSession"}`}, "-", true},
		{"own provider, one repository", []string{fmt.Sprintf(oidc,
			`,"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com",`+
				`"token.actions.githubusercontent.com:sub":"repo:acme/app:ref:refs/heads/main"}}`)}, "", true},
		{"any repository", []string{fmt.Sprintf(oidc, "")}, "", false},
		{"a provider of another account", []string{`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::` + stranger + `:saml-provider/theirs"},` +
			`"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}`}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := known()
			role := roleOf(t, c.statements...)
			if !k.Outside(role) {
				if c.want != "-" {
					t.Fatal("is not shown")
				}
				return
			}
			r := (&audit.Auditor{Known: k}).Judge(aws.Seen{Role: &role, Now: k.Now})
			var got []string
			for _, a := range r.Admits {
				got = append(got, a.Account+" "+a.Vendor+" "+a.ExternalID)
			}
			if strings.Join(got, "; ") != c.want || r.OK != c.ok {
				t.Errorf("%q, ok %v: %+v", got, r.OK, r.Checks)
			}
		})
	}
}

// TestAnUnreadableTrustPolicyIsShown has a document that nobody can judge.
func TestAnUnreadableTrustPolicyIsShown(t *testing.T) {
	k := known()
	role := aws.Role{ARN: "arn:aws:iam::" + account + ":role/R", Name: "R", TrustText: "{"}
	if !k.Outside(role) {
		t.Fatal("is not shown")
	}
	if r := (&audit.Auditor{Known: k}).Judge(aws.Seen{Role: &role}); r.OK {
		t.Error("is right")
	}
}

// TestWhatItMayDo reads attached and inline policies together.
func TestWhatItMayDo(t *testing.T) {
	role := roleOf(t, allow(who(stranger), ""))
	one := policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"s3:GetObject"}, Resource: []string{"*"}})
	all := policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"iam:*"}, Resource: []string{"*"}})
	role.Attached = []aws.AttachedPolicy{
		{ARN: "arn:aws:iam::123456789012:policy/A", Document: one},
		{ARN: "arn:aws:iam::123456789012:policy/B"},
	}
	auditor := audit.Auditor{Known: known()}
	r := auditor.Judge(aws.Seen{Role: &role})
	if r.Grants.Actions != 1 || r.Grants.Unread != 1 {
		t.Errorf("%+v", r.Grants)
	}
	role.Inline = []aws.InlinePolicy{{Name: "I", Document: all}}
	r = auditor.Judge(aws.Seen{Role: &role})
	if r.Grants.Actions < 100 || r.Grants.Worst != "high" ||
		!slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Document == "trust" }) {
		t.Errorf("%+v %+v", r.Grants, r.Findings)
	}
}
