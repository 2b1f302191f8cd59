package policy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// sample is a line of the corpus's manifest.
type sample struct {
	File, Kind, Category, Scope, Strength string
	Expects                               []string
}

func corpus(t testing.TB) []sample {
	t.Helper()
	var out []sample
	lines := bufio.NewScanner(bytes.NewReader(shared(t, "policy-corpus", "manifest.jsonl")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s sample
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func (s sample) kind() Kind {
	if s.Kind == "trust" {
		return Trust
	}
	return Identity
}

// refusedByAWS reports what AWS is known to do: "yes", "no" or "" for unknown.
func (s sample) refusedByAWS() string {
	switch {
	case s.Kind != "identity" && s.Kind != "trust":
		return ""
	case s.Scope == "AWS CreatePolicy acceptance", s.Category == "invalid-json":
		return "yes"
	case strings.HasPrefix(s.Scope, "AWS CreatePolicy acceptance (AWS takes it"):
		return "no"
	case strings.HasPrefix(s.File, "aws-docs/"), strings.HasPrefix(s.File, "aws-managed/"):
		return "no"
	case slices.Contains(s.Expects, "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL"):
		return "yes"
	}
	return ""
}

// TestCorpusRefusals compares with what AWS does, where that is known.
func TestCorpusRefusals(t *testing.T) {
	counts := map[string]int{}
	for _, s := range corpus(t) {
		want := s.refusedByAWS()
		if want == "" || s.Strength == "weak" && strings.HasPrefix(s.File, "moto/") {
			continue
		}
		counts[want]++
		d, refusals := Check(shared(t, "policy-corpus", s.File), s.kind())
		if want == "yes" && len(refusals) == 0 {
			t.Errorf("%s is taken; AWS: %s", s.File, s.Expects)
		}
		if want == "no" && len(refusals) > 0 {
			t.Errorf("%s is refused: %v", s.File, refusals[0].Error())
		}
		if want == "yes" && strings.HasPrefix(s.Expects[0], "MalformedPolicyDocument: ") {
			sentence := strings.TrimPrefix(s.Expects[0], "MalformedPolicyDocument: ")
			if len(refusals) > 0 && refusals[0].AWS != sentence {
				t.Errorf("%s: the sentence is %q, AWS's is %q", s.File, refusals[0].AWS, sentence)
			}
		}
		if want == "no" && d == nil {
			t.Errorf("%s: no document", s.File)
		}
	}
	if counts["yes"] < 25 || counts["no"] < 80 {
		t.Errorf("only %v documents were judged", counts)
	}
	t.Logf("judged %v", counts)
}

// TestCorpusRoundTrip reads back what was written.
func TestCorpusRoundTrip(t *testing.T) {
	for _, s := range corpus(t) {
		text := shared(t, "policy-corpus", s.File)
		d, refusals := Check(text, s.kind())
		if d == nil || len(refusals) > 0 {
			continue
		}
		for name, written := range map[string]string{"pretty": d.Pretty(), "compact": d.Compact()} {
			back, err := Parse([]byte(written), s.kind())
			if err != nil {
				t.Errorf("%s, %s: %v", s.File, name, err)
				continue
			}
			if back.Digest() != d.Digest() || !Compare(d, back).Equal {
				t.Errorf("%s, %s: another document came back", s.File, name)
			}
		}
	}
}

// TestCorpusTransformations holds on every document what the property tests
// hold on generated ones.
func TestCorpusTransformations(t *testing.T) {
	for _, s := range corpus(t) {
		d, refusals := Check(shared(t, "policy-corpus", s.File), Identity)
		if d == nil || len(refusals) > 0 {
			continue
		}
		transform(t, s.File, d)
	}
}

func transform(t *testing.T, name string, d *Document) {
	t.Helper()
	if m := d.Minify(); !Compare(d, m).Equal || m.Characters() > d.Characters() {
		t.Errorf("%s: minified it grants something else: %+v", name, Compare(d, m))
	}
	if parts, err := d.Split(d.Characters()*2/3, 10); err == nil {
		joined := NewDocument()
		for _, part := range parts {
			joined.Statements = append(joined.Statements, part.Statements...)
		}
		joined.Version = d.Version
		if !Compare(d, joined).Equal {
			t.Errorf("%s: split it grants something else", name)
		}
	}
	for _, r := range []Restriction{d.RestrictRegions("eu-west-1"), d.RestrictTag("a", "b")} {
		if diff := Compare(d, r.Document); diff.More() {
			t.Errorf("%s: restricted it grants more: %+v", name, diff)
		}
		if len(r.Document.Statements) == 0 {
			continue // Nothing is left to grant.
		}
		if _, err := Parse([]byte(r.Document.Pretty()), Identity); err != nil && len(r.Document.Pretty()) < MaxDocumentBytes {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.Explain()
}

func FuzzTransform(f *testing.F) {
	f.Add(
		[]byte(
			statement(
				`"Effect":"Allow","Action":["s3:*","s3:Get*","*"],"Resource":["*","arn:aws:s3:::a/${aws:username}"],"Condition":{"StringEquals":{"aws:requestedregion":["a","b"]}}`,
			),
		),
	)
	f.Add([]byte(statement(`"Effect":"Deny","NotAction":["s3:*","?2:*"],"NotResource":"arn:aws:s3:::a/*"`)))
	f.Add([]byte(tricky))
	f.Fuzz(func(t *testing.T, text []byte) {
		if d, err := Parse(text, Identity); err == nil && len(text) < 4000 {
			transform(t, "fuzzed", d)
		}
	})
}
