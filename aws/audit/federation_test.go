package audit_test

import (
	"slices"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/aws/audit"
)

const provider = "arn:aws:iam::" + account + ":oidc-provider/"

// federated is a statement that trusts a provider, under a condition.
func federated(host, condition string) string {
	return `{"Effect":"Allow","Principal":{"Federated":"` + provider + host + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{` +
		strings.ReplaceAll(condition, "HOST", host) + `}}`
}

// TestWhoseTokensGetIn has the right answers: the vendor and how the subject is
// asked for, and whether the role is as required.
func TestWhoseTokensGetIn(t *testing.T) {
	const github, tfc, own = "token.actions.githubusercontent.com", "app.terraform.io", "sign-in.example.com"
	const aud = `"StringEquals":{"HOST:aud":"sts.amazonaws.com"}`
	sub := func(operator, value string) string {
		return aud + `,"` + operator + `":{"HOST:sub":"` + value + `"}`
	}
	k := known()
	k.Vendors = append(k.Vendors,
		audit.Vendor{Name: "github-actions", Title: "GitHub Actions", Webs: []audit.Web{{Issuer: github, Audience: "sts.amazonaws.com",
			Subject: "repo:{ORGANIZATION}/{REPOSITORY}:{CONTEXT}"}}},
		audit.Vendor{Name: "hcp-terraform", Title: "HCP Terraform", Webs: []audit.Web{{Issuer: tfc, Audience: "aws.workload.identity",
			Subject: "organization:{ORGANIZATION}:project:{PROJECT}:workspace:{WORKSPACE}:run_phase:*"}}})
	deny := `{"Effect":"Deny","Principal":{"Federated":"` + provider + github + `"},"Action":"sts:AssumeRoleWithWebIdentity"}`
	for _, c := range []struct {
		name       string
		statements []string
		want       string // "vendor subject", joined; "-": not shown
		ok         bool
	}{
		{"one branch", []string{federated(github, sub("StringLike", "repo:acme/app:ref:refs/heads/main"))}, "github-actions required", true},
		{"two branches", []string{federated(github, aud+`,"StringLike":{"HOST:sub":["repo:a/b:ref:refs/heads/x","repo:a/b:ref:refs/heads/y"]}`)},
			"github-actions required", true},
		{"every branch", []string{federated(github, sub("StringLike", "repo:acme/app:*"))}, "github-actions any", false},
		{"every repository", []string{federated(github, sub("StringLike", "repo:acme/*"))}, "github-actions any", false},
		{"a letter", []string{federated(github, sub("StringLike", "repo:acme/app?:pull_request"))}, "github-actions any", false},
		{"no subject", []string{federated(github, aud)}, "github-actions none", false},
		{"if it exists", []string{federated(github, sub("StringEqualsIfExists", "repo:acme/app:pull_request"))}, "github-actions any", false},
		{"for all values", []string{federated(github, sub("ForAllValues:StringEquals", "repo:acme/app:pull_request"))}, "github-actions any", false},
		{"negated", []string{federated(github, sub("StringNotEquals", "repo:acme/app:pull_request"))}, "github-actions any", false},
		{"another's claim alone", []string{federated(github, `"StringEquals":{"`+tfc+`:sub":"organization:x"}`)}, "-", true},
		{"another's claim, if it exists", []string{federated(github, `"StringEqualsIfExists":{"`+tfc+`:sub":"organization:x"}`)},
			"github-actions none", false},
		{"a second door", []string{federated(github, sub("StringLike", "repo:acme/app:pull_request")), federated(github, aud)},
			"github-actions any", false},
		{"denied", []string{federated(github, aud), deny}, "-", true},
		{"every phase", []string{federated(tfc, sub("StringLike", "organization:o:project:Default Project:workspace:w:run_phase:*"))},
			"hcp-terraform required", true},
		{"every workspace", []string{federated(tfc, sub("StringLike", "organization:o:project:p:workspace:*:run_phase:*"))},
			"hcp-terraform any", false},
		{"every organisation", []string{federated(tfc, sub("StringLike", "organization:*"))}, "hcp-terraform any", false},
		{"both vendors", []string{federated(github, sub("StringLike", "repo:acme/app:pull_request")), federated(tfc, aud)},
			"github-actions required; hcp-terraform none", false},
		{"a stranger's", []string{federated(own, sub("StringLike", "somebody"))}, " required", true},
		{"a stranger's, anybody", []string{federated(own, aud)}, " none", false},
		{"a path on a vendor's host", []string{federated(github+"/acme", sub("StringLike", "x"))}, " required", true},
		{"an own cluster", []string{federated("oidc.eks.eu-west-1.amazonaws.com/id/ABC", sub("StringLike", "system:serviceaccount:a:b"))}, "-", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := k
			role := roleOf(t, c.statements...)
			if !k.Outside(role) {
				if c.want != "-" {
					t.Fatal("is not shown")
				}
				return
			}
			r := (&audit.Auditor{Known: k}).Judge(aws.Seen{Role: &role, Now: k.Now})
			var got []string
			for _, f := range r.Federated {
				got = append(got, f.Vendor+" "+f.Subject)
			}
			if strings.Join(got, "; ") != c.want || r.OK != c.ok || len(r.Others) > 0 {
				t.Errorf("%q %q, ok %v: %+v", got, r.Others, r.OK, r.Checks)
			}
			if !slices.ContainsFunc(r.Checks, func(c aws.Check) bool { return c.ID == "trust-subject" }) {
				t.Errorf("no word of the subject: %+v", r.Checks)
			}
		})
	}
}
