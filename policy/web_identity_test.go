package policy

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func github(subject string) WebIdentity {
	return WebIdentity{Partition: "aws", AccountID: "123456789012", Issuer: "https://token.actions.githubusercontent.com",
		Audience: "sts.amazonaws.com", Subject: subject}
}

func TestNewWebTrust(t *testing.T) {
	t.Parallel()
	w := github("repo:octo-org/octo-repo:ref:refs/heads/main")
	const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":` +
		`"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity",` +
		`"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com",` +
		`"token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:ref:refs/heads/main"}}}]}`
	if got := NewWebTrust(w).Compact(); got != want {
		t.Errorf("%s", got)
	}
	w.Subject, w.Partition = "repo:octo-org/octo-repo:*", "aws-us-gov"
	open := NewWebTrust(w).Compact()
	if !strings.Contains(open, `"StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:*"}`) ||
		!strings.Contains(open, "arn:aws-us-gov:iam::") {
		t.Errorf("%s", open)
	}
	for _, one := range []WebIdentity{github("repo:octo-org/octo-repo:ref:refs/heads/main"), w} {
		doc, err := Parse([]byte(NewWebTrust(one).Compact()), Trust)
		if err != nil {
			t.Fatal(err)
		}
		if v := doc.Inquire(Inquiry{Partition: one.Partition, Account: one.AccountID, Web: &one, Now: time.Unix(1.8e9, 0)}); !v.Right() {
			t.Errorf("%s: %+v %+v", one.Subject, v, v.Web)
		}
	}
}

func TestIssuers(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://app.terraform.io", "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC", "https://a.example.com/x/y"} {
		if err := CheckIssuer(good); err != nil {
			t.Errorf("%s %v", good, err)
		}
	}
	for _, bad := range []string{"", "http://a.example.com", "https://", "https://me:pw@a.example.com", "https://a.example.com:8443",
		"https://a.example.com?x=1", "https://a.example.com#x", "https://a.example.com/", "https://A.example.com", "https://a.example.com/x//y",
		"https://a.example.com/*", "https://a.example.com/$x", "https://a.example.com/\"x", "https://a.example.com/x\ny", "https://a.example.com/x y",
		"https://a.example.com/" + strings.Repeat("x", 300)} {
		if CheckIssuer(bad) == nil {
			t.Errorf("%q is taken for an issuer", bad)
		}
	}
}

// webDocument is a random trust policy about two providers.
func (d dice) webDocument() string {
	const arn, other = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", "arn:aws:iam::123456789012:oidc-provider/other.example.com"
	var statements []any
	for range 1 + d.IntN(3) {
		s := map[string]any{"Effect": "Allow", "Principal": map[string]any{"Federated": d.one(arn, arn, arn, other)},
			"Action": d.one("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRole*", "sts:TagSession")}
		if d.chance(20) {
			s["Effect"] = "Deny"
		}
		conditions := map[string]any{}
		for range d.IntN(4) {
			operator := d.one("StringEquals", "StringLike", "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringEqualsIfExists",
				"ForAllValues:StringEquals", "ForAllValues:StringLike", "ForAnyValue:StringEquals", "StringNotLike", "Null")
			keys, _ := conditions[operator].(map[string]any)
			if keys == nil {
				keys = map[string]any{}
			}
			key := d.one("token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub",
				"token.actions.githubusercontent.com:sub", "other.example.com:sub", "sts:ExternalId")
			value := d.one("sts.amazonaws.com", "repo:octo-org/octo-repo:ref:refs/heads/main", "repo:octo-org/octo-repo:*", "repo:octo-org/*", "repo:*", "*",
				"repo:octo-org/octo-repo:environment:prod", "https://github.com/octo-org")
			if operator == "Null" {
				value = d.one("true", "false")
			}
			keys[key] = value
			conditions[operator] = keys
		}
		if d.chance(40) {
			conditions = map[string]any{"StringEquals": map[string]any{"token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
				"token.actions.githubusercontent.com:sub": "repo:octo-org/octo-repo:ref:refs/heads/main"}}
		}
		if len(conditions) > 0 {
			s["Condition"] = conditions
		}
		statements = append(statements, s)
	}
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	return string(text)
}

// TestWebVerdictAgainstOracle puts tokens to the second evaluator: whatever gets in
// there is in the verdict, and every request that the verdict names gets in there.
func TestWebVerdictAgainstOracle(t *testing.T) {
	t.Parallel()
	const host = "token.actions.githubusercontent.com"
	audiences := []string{"sts.amazonaws.com", "https://github.com/octo-org", "STS.amazonaws.com", ""}
	subjects := []string{"repo:octo-org/octo-repo:ref:refs/heads/main", "repo:octo-org/octo-repo:environment:prod", "repo:octo-org/other:pull_request",
		"repo:evil/x:ref:refs/heads/main", "REPO:octo-org/octo-repo:ref:refs/heads/main", ""}
	var right, open atomic.Int64
	inParallel(documents()/4, func(seed uint64) {
		d := dice{rand.New(rand.NewPCG(seed, 7))}
		text := d.webDocument()
		doc, err := Parse([]byte(text), Trust)
		if err != nil {
			return // AWS refuses it
		}
		w := github(d.one("repo:octo-org/octo-repo:ref:refs/heads/main", "repo:octo-org/octo-repo:*"))
		v := doc.Inquire(Inquiry{Partition: "aws", Account: w.AccountID, Web: &w, Now: time.Unix(1.8e9, 0)})
		o := newOracle(text)
		allows := func(aud, sub string) bool {
			q := universal{Caller{Provider: w.Provider()}, AssumeRoleWithWebIdentity}.call()
			for key, value := range map[string]string{host + ":aud": aud, host + ":sub": sub} {
				if value != "" {
					q.keys[key] = []string{value}
				}
			}
			return o.allows(q)
		}
		for _, aud := range audiences {
			for _, sub := range subjects {
				got := allows(aud, sub)
				meant := sub == w.Subject || w.Open() && strings.HasPrefix(sub, strings.TrimSuffix(w.Subject, "*"))
				switch {
				case got && aud != w.Audience && v.Web.Audience == nil,
					got && aud == w.Audience && !meant && v.Web.Subject == nil,
					got && aud == w.Audience && meant && v.Web.Outcome == Denied,
					!got && aud == w.Audience && meant && v.Web.Outcome == Allowed:
					t.Errorf("seed %d: %s for %q about %q: allowed %v, verdict %+v", seed, w.Subject, aud, sub, got, v.Web)
				}
			}
		}
		for _, a := range []*Admission{v.Web.Audience, v.Web.Subject} {
			if a != nil && a.Request != nil {
				open.Add(1)
				if !again(o, a.Request) {
					t.Errorf("seed %d: %s does not get in: %s", seed, a.Request, text)
				}
			}
		}
		if v.Right() {
			right.Add(1)
		}
	})
	if right.Load() == 0 || open.Load() == 0 {
		t.Errorf("of all documents %d are right, %d open", right.Load(), open.Load())
	}
}
