package review

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/policy"
)

// hostile are documents made to be slow: many of everything, within what a
// review takes at all.
func hostile() map[string][]byte {
	list := func(n int, one func(i int) string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = `"` + one(i) + `"`
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	statements := func(n int, one string) []byte {
		return []byte(`{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`)
	}
	// What is within the size of a policy is looked at in full.
	each := func(n int, one string) []byte {
		all := []string{`{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::*:role/x"}`}
		for i := range n {
			all = append(all, fmt.Sprintf(one, i))
		}
		return []byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`)
	}
	services := policy.AWS().Services()
	return map[string][]byte{
		"administrators": statements(1200, `{"Effect":"Allow","Action":"*","Resource":"*"}`),
		"NotActions":     statements(1000, `{"Effect":"Allow","NotAction":"a:b","Resource":"*"}`),
		"denials": append(
			statements(600, `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:a*","Resource":"arn:aws:s3:::a"}`),
			' ',
		),
		"resources": inStatement(
			`"Action":"*","Resource":` + list(2000, func(i int) string { return fmt.Sprintf("arn:aws:s3:::b%d*x*/*", i) }),
		),
		"kinds of resource": inStatement(
			`"Action":["iam:*","s3:*","ec2:*"],"Resource":` + list(
				190,
				func(i int) string { return fmt.Sprintf("arn:aws:ec2:*:*:*a%d*b*c*d*e*", i) },
			),
		),
		"stars": inStatement(
			`"Resource":"*","Action":` + list(4000, func(i int) string { return fmt.Sprintf("s3:*%c*%c*", 'a'+i%26, 'a'+i/26%26) }),
		),
		"misspellings": inStatement(
			`"Resource":"*","Action":` + list(2500, func(i int) string { return fmt.Sprintf("ec2:DescribeInstancez%d", i) }),
		),
		"unknown services": inStatement(`"Resource":"*","Action":` + list(4000, func(i int) string { return fmt.Sprintf("e%dc2:Run", i) })),
		"services": inStatement(
			`"Resource":"*","Action":` + list(len(services), func(i int) string { return services[i].Prefix + ":*" }),
		),
		"every service": inStatement(`"Resource":"*","Action":["*:Describe*","*:Get*","?*:List*"]`),
		"conditions": statements(
			300,
			`{"Effect":"Allow","Action":["s3:*","ec2:*"],"Resource":"*","Condition":{"StringEquals":{"ec2:x":"y","s3:x":"*","aws:ResourceTag/a":"b"}}}`,
		),
		"long ARN":        inStatement(`"Action":"s3:*","Resource":"arn:aws:s3:::` + strings.Repeat("*a", 30000) + `"`),
		"long action":     inStatement(`"Resource":"*","Action":"s3:` + strings.Repeat("*a", 30000) + `"`),
		"fitting buckets": each(90, `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::%d"}`),
		"fitting denials": each(80, `{"Effect":"Deny","Action":"iam:*%d","Resource":"*"}`),
		"nesting":         []byte(strings.Repeat("[", 10<<20)),
		"ten megabytes":   statements(200000, `{"Effect":"Allow","Action":"*","Resource":"*"}`),
	}
}

// Nothing makes a review crash or take long. How long is for the benchmark to
// say; the log is for who looks.
func TestHostile(t *testing.T) {
	for name, text := range hostile() {
		start := time.Now()
		r := Review(text, Options{Trust: text})
		t.Logf("%-18s %8v %s, %d findings", name, time.Since(start).Round(time.Millisecond/10), r.Verdict, len(r.Findings))
		if r.Verdict != "refused" && name != "every service" {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	documents := hostile()
	names := make([]string, 0, len(documents))
	for name := range documents {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Review(documents[name], Options{})
			}
		})
	}
}

func FuzzReview(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:PassRole","ec2:*"],"Resource":"*"}]}`), false)
	f.Add(
		[]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"s3:*","NotResource":"arn:aws:s3:::a/${aws:username}"}}`),
		false,
	)
	f.Add(
		[]byte(
			`{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:ExternalId":"*"}}}}`,
		),
		true,
	)
	f.Add(
		[]byte(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*:*","Resource":["a:b:c:d:e:f"],"Condition":{"IpAddress":{"aws:SourceIp":"::1/999"}}}]}`,
		),
		false,
	)
	f.Fuzz(func(t *testing.T, text []byte, trust bool) {
		opts := Options{Now: time.Unix(1_800_000_000, 0)}
		if trust {
			opts.Kind = policy.Trust
		}
		r := Review(text, opts)
		refused := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Class == Refused })
		if refused != (r.Verdict == "refused") {
			t.Errorf("verdict %s", r.Verdict)
		}
		for i := range r.Findings {
			f := &r.Findings[i]
			if f.ID == "" || f.Category == "" || f.Severity.Rank() < 0 || f.Title == "" || f.Line < 1 || f.Column < 1 || f.Fix == "" {
				t.Errorf("%+v", f)
			}
		}
	})
}
