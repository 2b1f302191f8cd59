package audit_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"rolecall/aws"
	"rolecall/aws/audit"
	"rolecall/aws/rehearsal"
)

// account of n roles, of which every tenth lets in a vendor or a stranger.
func rolesFor(tb testing.TB, s *rehearsal.Server, n int) {
	tb.Helper()
	documents := []string{
		allow(
			`{"Service":"lambda.amazonaws.com"}`,
			"",
		),
		allow(`{"AWS":"`+account+`"}`, ""),
		allow(`{"Service":["ec2.amazonaws.com","ecs.amazonaws.com"]}`, ""),
		allow(who(member), ""),
		allow(`{"Service":"ec2.amazonaws.com"}`, ""),
		allow(who(account), ""),
		allow(`{"Service":"states.amazonaws.com"}`, ""),
		allow(`{"Service":"glue.amazonaws.com"}`, ""),
		allow(`{"Service":"events.amazonaws.com"}`, ""),
		allow(who(vendor), id("StringEquals", "of-this-one")),
	}
	send(tb, s, url.Values{"Action": {"CreatePolicy"}, "PolicyName": {"Shared"}, "PolicyDocument": {
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","ec2:Describe*","iam:PassRole"],"Resource":"*"}]}`}})
	for i := range n {
		name := fmt.Sprintf("role-%05d", i)
		send(tb, s, url.Values{"Action": {"CreateRole"}, "RoleName": {name},
			"AssumeRolePolicyDocument": {`{"Version":"2012-10-17","Statement":[` + documents[i%len(documents)] + `]}`}})
		send(tb, s, url.Values{"Action": {"AttachRolePolicy"}, "RoleName": {name}, "PolicyArn": {"arn:aws:iam::" + account + ":policy/Shared"}})
	}
}

func send(tb testing.TB, s *rehearsal.Server, form url.Values) {
	tb.Helper()
	form.Set("Version", "2010-05-08")
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, s.Target().Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(
		"Authorization",
		"AWS4-HMAC-SHA256 Credential="+s.Target().AccessKeyID+"/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
	)
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Body.Close()
	if out.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(out.Body)
		tb.Fatalf("%s: %s", form.Get("Action"), text)
	}
}

// sweepIn is one audit of an account.
func sweepIn(tb testing.TB, s *rehearsal.Server, transport http.RoundTripper) (aws.Sweep, []audit.Role) {
	tb.Helper()
	target := aws.RehearsalTarget(s.Target())
	a, err := aws.Open(tb.Context(), aws.Options{Rehearsal: &target, HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		tb.Fatal(err)
	}
	k := known()
	sweep, err := a.Sweep(tb.Context(), k.Outside)
	if err != nil {
		tb.Fatal(err)
	}
	auditor := audit.Auditor{Known: k}
	var all []audit.Role
	for _, seen := range sweep.Roles {
		all = append(all, auditor.Judge(seen))
	}
	return sweep, all
}

// counter counts requests and the bytes of their answers.
type counter struct{ requests, bytes atomic.Int64 }

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	out, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		out.Body = &counted{out.Body, c}
	}
	return out, err
}

type counted struct {
	io.ReadCloser
	c *counter
}

func (b *counted) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.c.bytes.Add(int64(n))
	return n, err
}

// TestSweepGoesThroughThePagesOnce counts the requests of an account whose lists
// come in pages: they grow with the pages, not with the roles.
func TestSweepGoesThroughThePagesOnce(t *testing.T) {
	s := rehearsal.New(rehearsal.Options{Propagation: -1, LargestPage: 10})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rolesFor(t, s, 95)
	c := &counter{}
	sweep, all := sweepIn(t, s, c)
	if sweep.Total != 95 || len(all) != 9 {
		t.Errorf("%d of %d", len(all), sweep.Total)
	}
	for _, r := range all {
		if !r.OK || r.Grants.Actions < 100 || r.Grants.Worst != "medium" {
			t.Errorf("%s: %v %+v %+v", r.ARN, r.OK, r.Grants, r.Checks)
		}
	}
	if n := c.requests.Load(); n > 10+1+1 { // pages of roles, a page of policies, who is signed in
		t.Errorf("%d requests", n)
	}
	s.Deny("iam:GetAccountAuthorizationDetails")
	sweep, again := sweepIn(t, s, c)
	if sweep.Refusal == nil || len(again) != len(all) || again[0].Grants != all[0].Grants {
		t.Errorf("read one by one: %d, %+v", len(again), sweep.Refusal)
	}
}

// BenchmarkSweep goes through an account of 5,000 roles.
func BenchmarkSweep(b *testing.B) {
	s := rehearsal.New(rehearsal.Options{Propagation: -1})
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	rolesFor(b, s, 5000)
	c := &counter{}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, all := sweepIn(b, s, c); len(all) != 500 {
			b.Fatal(len(all))
		}
	}
	b.ReportMetric(float64(c.requests.Load())/float64(b.N), "requests/op")
	b.ReportMetric(float64(c.bytes.Load())/float64(b.N), "wire-bytes/op")
}
