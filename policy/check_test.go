package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// statement wraps the inside of one statement into an identity policy.
func statement(inside string) string {
	return `{"Version":"2012-10-17","Statement":[{` + inside + `}]}`
}

const allowList = `"Effect":"Allow","Action":"s3:ListBucket",`

func TestRefusals(t *testing.T) {
	tests := []struct {
		name, text string
		kind       Kind
		id         string
		line, col  int
		near       string
	}{
		{"empty", "", Identity, "json", 1, 1, ""},
		{"white space", " \n\t", Identity, "json", 2, 2, ""},
		{"byte order mark", "\ufeff{}", Identity, "json", 1, 1, "·{}"},
		{"no JSON", "This is not", Identity, "json", 1, 1, "This is not"},
		{"line comment", "{\n  // why\n}", Identity, "json", 2, 3, "// why"},
		{"trailing comma in object", `{"Version":"2012-10-17",}`, Identity, "json", 1, 25, "}"},
		{"trailing comma in list", `{"Statement":[{},]}`, Identity, "json", 1, 18, "]}"},
		{"duplicate key", "{\"Id\":\"a\",\n \"Id\":\"b\"}", Identity, "json", 2, 2, `"Id":"b"}`},
		{"duplicate key spelled with an escape", `{"Id":"a","\u0049d":"b"}`, Identity, "json", 1, 11, `"\u0049d":"b"}`},
		{"single quotes", `{'Version':1}`, Identity, "json", 1, 2, `'Version':1}`},
		{"missing comma", `{"Version":"2012-10-17" "Statement":[]}`, Identity, "json", 1, 25, `"Statement":[]}`},
		{"missing colon", `{"Version" "2012-10-17"}`, Identity, "json", 1, 12, `"2012-10-17"}`},
		{"unclosed string", `{"Version":"2012`, Identity, "json", 1, 12, `"2012`},
		{"line break in a string", "{\"Version\":\"20\n12\"}", Identity, "json", 1, 15, ""},
		{"unknown escape", `{"Id":"\x41"}`, Identity, "json", 1, 8, `\x41"}`},
		{"half a surrogate", `{"Id":"\ud800"}`, Identity, "json", 1, 8, `\ud800"}`},
		{"not UTF-8", "{\"Id\":\"\xff\"}", Identity, "json", 1, 8, "·\"}"},
		{"leading zero", `{"Id":01}`, Identity, "json", 1, 8, "1}"},
		{"two documents", `{} {}`, Identity, "json", 1, 4, "{}"},
		{"nesting", strings.Repeat("[", 1000), Identity, "json", 1, 34, strings.Repeat("[", 60)},
		{"columns count characters", "{\"Id\":\"éé\",}", Identity, "json", 1, 12, "}"},
		{"list as document", `[{}]`, Identity, "type", 1, 1, `[{}]`},
		{"unknown element", `{"Version":"2012-10-17","Statment":[]}`, Identity, "element", 1, 25, `"Statment":[]}`},
		{"no statement", `{"Version":"2012-10-17"}`, Identity, "missing", 1, 1, `{"Version":"2012-10-17"}`},
		{"empty statements", `{"Version":"2012-10-17","Statement":[]}`, Identity, "missing", 1, 37, "[]}"},
		{"statement is a string", `{"Version":"2012-10-17","Statement":["a"]}`, Identity, "type", 1, 38, `"a"]}`},
		{"old version", `{"Version":"2008-10-17","Statement":[{` + allowList + `"Resource":"*"}]}`, Identity, "version", 1, 12, ""},
		{"no version", `{"Statement":[{` + allowList + `"Resource":"*"}]}`, Identity, "version", 1, 1, ""},
		{"version of the future", `{"Version":"2030-01-01","Statement":[{` + allowList + `"Resource":"*"}]}`, Identity, "version", 1, 12, ""},
		{"no effect", statement(`"Action":"s3:ListBucket","Resource":"*"`), Identity, "missing", 1, 38, ""},
		{"effect in lower case", statement(`"Effect":"allow","Action":"s3:ListBucket","Resource":"*"`), Identity, "effect", 1, 48, ""},
		{"no action", statement(`"Effect":"Allow","Resource":"*"`), Identity, "missing", 1, 38, ""},
		{"no actions", statement(`"Effect":"Allow","Action":[],"Resource":"*"`), Identity, "missing", 1, 38, ""},
		{"no resource", statement(`"Effect":"Allow","Action":"s3:ListBucket"`), Identity, "missing", 1, 38, ""},
		{"action and not action", statement(allowList + `"NotAction":"a:b","Resource":"*"`), Identity, "both", 1, 38, ""},
		{"resource and not resource", statement(allowList + `"NotResource":"*","Resource":"*"`), Identity, "both", 1, 38, ""},
		{"number as action", statement(`"Effect":"Allow","Action":[1],"Resource":"*"`), Identity, "type", 1, 66, ""},
		{"sid", statement(`"Sid":"a b",` + allowList + `"Resource":"*"`), Identity, "sid", 1, 45, ""},
		{"actions, plural", statement(`"Effect":"Allow","Actions":"a:b","Resource":"*"`), Identity, "element", 1, 56, ""},
		{"action without service", statement(`"Effect":"Allow","Action":"ListBucket","Resource":"*"`), Identity, "action-form", 1, 65, ""},
		{"action with two colons", statement(`"Effect":"Allow","Action":"s3:Get:Object","Resource":"*"`), Identity, "action-form", 1, 65, ""},
		{"action of a bad vendor", statement(`"Effect":"Allow","Action":"s_3:Get","Resource":"*"`), Identity, "action-form", 1, 65, ""},
		{"resource without colon", statement(allowList + `"Resource":"bucket"`), Identity, "arn-form", 1, 92, ""},
		{"partition", statement(allowList + `"Resource":["*","arn:aws-mars:s3:::b"]`), Identity, "partition", 1, 97, ""},
		{"ARN without service", statement(allowList + `"Resource":"arn:aws::eu-west-1:111122223333:a"`), Identity, "arn-form", 1, 92, ""},
		{"ARN of five parts", statement(allowList + `"Resource":"arn:aws:sqs::queue"`), Identity, "arn-form", 1, 92, ""},
		{"bucket with region", statement(allowList + `"Resource":"arn:aws:s3:eu-west-1::b"`), Identity, "arn-region", 1, 92, ""},
		{"role with region", statement(allowList + `"Resource":"arn:aws:iam:eu-west-1:111122223333:role/a"`), Identity, "arn-region", 1, 92, ""},
		{"iam path", statement(allowList + `"Resource":"arn:aws:iam::111122223333:rolle/a"`), Identity, "arn-form", 1, 92, ""},
		{"unknown operator", statement(allowList + `"Resource":"*","Condition":{"StringMatches":{"a:b":"c"}}`), Identity, "operator", 1, 109, ""},
		{"NullIfExists", statement(allowList + `"Resource":"*","Condition":{"NullIfExists":{"a:b":"true"}}`), Identity, "operator", 1, 109, ""},
		{"operator with a list", statement(allowList + `"Resource":"*","Condition":{"StringEquals":["a"]}`), Identity, "type", 1, 124, ""},
		{"null as value", statement(allowList + `"Resource":"*","Condition":{"StringEquals":{"a:b":null}}`), Identity, "type", 1, 131, ""},
		{
			"date",
			statement(allowList + `"Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`),
			Identity,
			"date",
			1,
			143,
			"",
		},
		{"principal", statement(allowList + `"Resource":"*","Principal":"*"`), Identity, "principal", 1, 108, ""},
		{"typographic quotes", statement(`"Sid":"“a”",` + allowList + `"Resource":"*"`), Identity, "sid", 1, 45, ""},
		{"emoji", `{"Id":"🙂","Version":"2012-10-17","Statement":{` + allowList + `"Resource":"*"}}`, Identity, "charset", 1, 8, ""},
		{
			"resource in trust",
			statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"},"Resource":"*"`),
			Trust,
			"element",
			1,
			128,
			"",
		},
		{"trust without principal", statement(`"Effect":"Allow","Action":"sts:AssumeRole"`), Trust, "principal", 1, 38, ""},
		{"trust of a name", statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"spot"}`), Trust, "principal", 1, 101, ""},
		{
			"trust of an ARN with a star",
			statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}`),
			Trust,
			"principal",
			1,
			101,
			"",
		},
		{"trust of everybody", statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"`), Trust, "trust-anyone", 1, 94, ""},
		{
			"trust with another action",
			statement(`"Effect":"Allow","Action":"s3:GetObject","Principal":{"AWS":"111122223333"}`),
			Trust,
			"trust-action",
			1,
			65,
			"",
		},
		{
			"trust with NotAction",
			statement(`"Effect":"Allow","NotAction":"sts:AssumeRole","Principal":{"AWS":"111122223333"}`),
			Trust,
			"trust-action",
			1,
			68,
			"",
		},
		{
			"SAML for an account",
			statement(`"Effect":"Allow","Action":"sts:AssumeRoleWithSAML","Principal":{"AWS":"111122223333"}`),
			Trust,
			"trust-action",
			1,
			65,
			"",
		},
		{
			"unknown type of principal",
			statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"aws":"111122223333"}`),
			Trust,
			"principal",
			1,
			95,
			"",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse([]byte(test.text), test.kind)
			var r *Refusal
			if !errors.As(err, &r) || d != nil {
				t.Fatalf("Parse returned %v, %v", d, err)
			}
			if r.ID != test.id || r.Line != test.line || r.Column != test.col {
				t.Errorf("%s at %d:%d, want %s at %d:%d (%v)", r.ID, r.Line, r.Column, test.id, test.line, test.col, r)
			}
			if test.near != "" && r.Near != strings.TrimSpace(test.near) {
				t.Errorf("near %q, want %q", r.Near, test.near)
			}
			if r.AWS == "" || r.What == "" || r.Expected == "" || r.Category == "" {
				t.Errorf("incomplete: %+v", r)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	tests := map[string]struct {
		text string
		kind Kind
	}{
		"one statement, not in a list": {`{"Version":"2012-10-17","Statement":{` + allowList + `"Resource":"*"}}`, Identity},
		"CRLF": {
			"{\"Version\":\"2012-10-17\",\r\n\"Statement\":{" + allowList + "\r\n\"Resource\":\"*\"}}\r\n",
			Identity,
		},
		"unknown service and action": {statement(`"Effect":"Allow","Action":["no-such:Action","s3:No Such"],"Resource":"*"`), Identity},
		"wildcard in the service":    {statement(`"Effect":"Allow","Action":"e*:Describe*","Resource":"*"`), Identity},
		"all operators' affixes": {
			statement(
				allowList + `"Resource":"*","Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a","b"]},"ForAnyValue:Bool":{"a:b":true},"NumericLessThan":{"s3:max-keys":10}}`,
			),
			Identity,
		},
		"an unknown operator, empty": {statement(allowList + `"Resource":"*","Condition":{"x":{}}`), Identity},
		"policy variable":            {statement(allowList + `"Resource":"arn:aws:s3:::b/${aws:username}/${*}"`), Identity},
		"access point in a region":   {statement(allowList + `"Resource":"arn:aws:s3:eu-west-1:111122223333:accesspoint/a"`), Identity},
		"null among resources":       {statement(allowList + `"Resource":["*",null]`), Identity},
		"dates": {
			statement(
				allowList + `"Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":["2026-11-21T12:00:00Z","2026-11-21","1700000000","2026-11-21T12:00:00+01:00","2026-11-21T12:00Z"]}}`,
			),
			Identity,
		},
		"deny, not action, not resource": {statement(`"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:::b"`), Identity},
		"trust of the old version": {
			`{"Version":"2008-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
			Trust,
		},
		"trust without version": {
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::444455556666:role/a"]},"Action":"sts:*"}]}`,
			Trust,
		},
		"trust of everybody with AWS": {statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}`), Trust},
		"trust denying everybody":     {statement(`"Effect":"Deny","Action":"sts:AssumeRole","Principal":"*"`), Trust},
		"trust of a web identity": {
			statement(
				`"Effect":"Allow","Action":["sts:AssumeRoleWithWebIdentity","sts:TagSession"],"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}`,
			),
			Trust,
		},
		"trust of a deleted role": {
			statement(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"AROAEXAMPLEEXAMPLE123"}`),
			Trust,
		},
	}
	for name, test := range tests {
		if _, err := Parse([]byte(test.text), test.kind); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckListsEverything(t *testing.T) {
	text := `{"Version":"2012-10-17","Statement":[
		{"Sid":"A","Effect":"Allow","Action":"s3","Resource":"bucket"},
		{"Sid":"A","Effect":"allow","Action":"s3:*","Resource":"*"}]}`
	d, refusals := Check([]byte(text), Identity)
	var ids []string
	for _, r := range refusals {
		ids = append(ids, fmt.Sprintf("%s %d:%d in %d", r.ID, r.Line, r.Column, r.Statement))
	}
	want := "effect 3:23 in 1, sid-twice 3:10 in 1, arn-form 2:56 in 0, action-form 2:40 in 0"
	if got := strings.Join(ids, ", "); got != want {
		t.Errorf("refusals: %s\nwant:     %s", got, want)
	}
	if len(d.Statements) != 2 || d.Statements[0].Action[0] != "s3" {
		t.Errorf("the document was not kept: %+v", d)
	}
}

// TestHostileText: nothing that a terminal obeys gets into a sentence.
func TestHostileText(t *testing.T) {
	hostile := `\u001b]0;x\u0007\u202e\u200b`
	d, refusals := Check(
		[]byte(
			statement(
				`"Sid":"`+hostile+`","Effect":"Allow","Action":"`+hostile+`:x","Resource":"`+hostile+`","Condition":{"StringEquals":{"a:`+
					hostile+`":"`+hostile+`"}}`,
			),
		),
		Identity,
	)
	texts := []string{d.Explain().Statements[0].Sentence, d.Pretty(), d.Compact()}
	for _, r := range refusals {
		texts = append(texts, r.Error(), r.AWS, r.Near)
	}
	if len(refusals) != 3 {
		t.Errorf("%+v", refusals)
	}
	for _, text := range texts {
		if strings.ContainsAny(text, "\x1b\x07\u202e\u200b") {
			t.Errorf("%q", text)
		}
	}
}

func TestTooLarge(t *testing.T) {
	for name, text := range map[string]string{
		"nesting": strings.Repeat("[", 10<<20), "spaces": strings.Repeat(" ", 10<<20), "keys": `{"a":` + strings.Repeat(`{"a":`, 2<<20),
	} {
		_, refusals := Check([]byte(text), Identity)
		if len(refusals) != 1 || refusals[0].ID != "size" {
			t.Errorf("%s: %v", name, refusals)
		}
	}
}

func TestTrustSize(t *testing.T) {
	ids := make([]string, 300)
	for i := range ids {
		ids[i] = fmt.Sprintf("%012d", 111122220000+i)
	}
	_, refusals := Check([]byte(NewTrust("aws", ids, "").Pretty()), Trust)
	if len(refusals) != 1 || refusals[0].Category != "size" {
		t.Errorf("%v", refusals)
	}
	if _, refusals = Check([]byte(NewTrust("aws", ids[:100], "").Pretty()), Trust); len(refusals) != 0 {
		t.Errorf("%v", refusals)
	}
}

func TestPositions(t *testing.T) {
	text := "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\n\"Action\":[\n \"a:b\",\n  " +
		"\"c:d\"],\n\"Resource\":\"*\",\n\"Condition\":{\"Bool\":{\n  \"a:b\":[true,\n false]}}}]}"
	d := parsed(t, []byte(text), Identity)
	s := &d.Statements[0]
	for want, got := range map[Pos]Pos{
		{1, 38}: s.Pos, {2, 1}: s.Position("Action", -1), {3, 2}: s.Position("Action", 0), {4, 3}: s.Position("Action", 1),
		{5, 12}: s.Position("Resource", 0), {7, 3}: s.Condition[0].Pos, {7, 10}: s.Condition[0].Position(0), {8, 2}: s.Condition[0].Position(1),
	} {
		if got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if got := s.Position("NotResource", 3); got != s.Pos {
		t.Errorf("an absent element is at %v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "{}", statement(allowList + `"Resource":"*"`), "\ufeff{}", `{"Id":"\ud83d\ude42"}`,
		strings.Repeat("[", 100),
		`{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"a"}}}}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"a:*","NotResource":["arn:aws:s3:::é","*"],"Condition":{"Date`} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, trust bool) {
		kind := Identity
		if trust {
			kind = Trust
		}
		d, refusals := Check(text, kind)
		for _, r := range refusals {
			if r.Line < 1 || r.Column < 1 || r.AWS == "" || strings.ContainsAny(r.Near, "\n\r\x1b") {
				t.Fatalf("%+v", r)
			}
		}
		if d == nil || len(refusals) > 0 {
			if d == nil && len(refusals) == 0 {
				t.Fatal("neither a document nor a refusal")
			}
			return
		}
		written := d.Pretty()
		for _, r := range written {
			if r > 0xff || r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
				t.Fatalf("%q is written raw", r)
			}
		}
		back, err := Parse([]byte(written), kind)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if back.Digest() != d.Digest() || back.Compact() != d.Compact() || !Compare(d, back).Equal {
			t.Fatalf("another document came back\n%s", written)
		}
	})
}

func BenchmarkParseSpot(b *testing.B) {
	text := shared(b, "spot-default-policy.json")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text, Identity); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheckWrong holds a document of one line in which everything is wrong.
func BenchmarkCheckWrong(b *testing.B) {
	many := strings.TrimSuffix(strings.Repeat("1,", 30_000), ",")
	text := []byte(statement(`"Effect":"Allow","Action":[` + many + `],"Resource":[` + many + `]`))
	for b.Loop() {
		if _, refusals := Check(text, Identity); len(refusals) != 60_000 {
			b.Fatal(len(refusals))
		}
	}
}

func BenchmarkDigestSpot(b *testing.B) {
	d := parsed(b, shared(b, "spot-default-policy.json"), Identity)
	for b.Loop() {
		d.Digest()
	}
}
