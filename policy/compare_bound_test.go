package policy

import (
	"fmt"
	"strings"
	"testing"
)

// crowded are documents whose combinations are many: a few kilobytes, and as
// much as the API takes.
func crowded() map[string][2]*Document {
	list := func(n int, format string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf(format, i)
		}
		return out
	}
	conditions := func(keys, values int, operator string) []Condition {
		out := make([]Condition, keys)
		for i := range out {
			out[i] = Condition{Operator: operator, Key: fmt.Sprintf("aws:RequestTag/k%d", i), Values: list(values, "v%d")}
		}
		return out
	}
	one := func(actions, resources, keys, values int, pattern string) *Document {
		return NewDocument(Statement{Effect: Allow, Action: list(actions, pattern), Resource: list(resources, "arn:aws:s3:::b%d-*"),
			Condition: conditions(keys, values, "StringEquals")})
	}
	var slices1, slices2, denials []Statement
	for i := range 60 {
		slices1 = append(
			slices1,
			Statement{Effect: Allow, Action: list(8, "s3:Get%d*"), Resource: list(8, fmt.Sprintf("arn:aws:s3:::x%d-%%d*", i)),
				Condition: []Condition{{Operator: "StringEquals", Key: "aws:PrincipalTag/t", Values: list(4, fmt.Sprintf("v%d-%%d", i%7))}}},
		)
		slices2 = append(
			slices2,
			Statement{Effect: Allow, Action: list(8, "s3:Get%d*"), Resource: list(8, fmt.Sprintf("arn:aws:s3:::x%d-%%d*", i+1)),
				Condition: []Condition{{Operator: "StringEquals", Key: "aws:PrincipalTag/t", Values: list(4, fmt.Sprintf("v%d-%%d", i%5))}}},
		)
		denials = append(
			denials,
			Statement{Effect: Deny, Action: []string{fmt.Sprintf("*:*%c*%d*", 'a'+i%26, i%10)}, Resource: list(4, "arn:aws:s3:::*%d*"),
				Condition: conditions(1, 3, "StringNotLike")},
		)
	}
	everything := Statement{Effect: Allow, Action: []string{"*"}, Resource: []string{"*"}}
	stars := strings.Repeat("*a", 400)
	return map[string][2]*Document{
		"the same, with one that is covered": {one(30, 20, 3, 6, "s3:Get%d*"), one(31, 20, 3, 6, "s3:Get%d*")},
		"other values":                       {one(30, 20, 4, 5, "s3:Get%d*"), one(30, 21, 4, 6, "s3:Get%d*")},
		"a grid of statements":               {NewDocument(slices1...), NewDocument(slices2...)},
		"many denials": {
			NewDocument(append([]Statement{everything}, denials...)...),
			NewDocument(append([]Statement{everything}, denials[:59]...)...),
		},
		"wildcards over all services": {
			NewDocument(Statement{Effect: Allow, Action: list(400, "*:*%d*"), Resource: []string{"*"}}),
			NewDocument(Statement{Effect: Allow, Action: list(400, "*:%d*"), Resource: []string{"*"}}),
		},
		"long patterns": {NewDocument(Statement{Effect: Allow, Action: []string{"s3:" + stars}, Resource: list(40, "arn:aws:s3:::"+stars+"%d")}),
			NewDocument(Statement{Effect: Allow, Action: []string{"s3:" + stars + "*"}, Resource: list(40, "arn:aws:s3:::"+stars+"*%d")})},
		"as much as the API takes": {one(2500, 2500, 0, 0, "s3:Get%d*"), one(2501, 2500, 0, 0, "s3:*Get%d*")},
		"all but many": {
			NewDocument(Statement{Effect: Allow, NotAction: list(900, "*:*%d"), NotResource: list(900, "arn:aws:s3:::*%d")}),
			NewDocument(everything),
		},
	}
}

// TestCompareIsBounded: whatever the documents hold, the work ends, and a bound
// that was reached is told.
func TestCompareIsBounded(t *testing.T) {
	for name, pair := range crowded() {
		diff := Compare(pair[0], pair[1])
		if diff.Equal != strings.HasPrefix(name, "the same") {
			t.Errorf("%s: equal %v", name, diff.Equal)
		}
		if last := len(diff.Changed) - 1; diff.Bounded && (last < 0 || diff.Changed[last].What != "size") {
			t.Errorf("%s: the bound is not told", name)
		}
		t.Logf("%s: bounded %v, %d added, %d removed, %d changed", name, diff.Bounded, len(diff.Added), len(diff.Removed), len(diff.Changed))
	}
}

// TestCompareSpends counts work instead of time: no comparison takes much more
// than its bound.
func TestCompareSpends(t *testing.T) {
	for name, pair := range crowded() {
		c := newComparer()
		a, b := rulesOf(pair[0]), rulesOf(pair[1])
		c.missing(a, b, false)
		c.missing(b, a, true)
		if c.left < -maxWork/10 {
			t.Errorf("%s: %d over the bound", name, -c.left)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	for name, pair := range crowded() {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				Compare(pair[0], pair[1])
			}
		})
	}
}

// FuzzCompare reads two documents out of one text, which a zero byte divides.
func FuzzCompare(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"s3:?*","NotResource":"arn:aws:s3:::${aws:username}"}}`)
	f.Add(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":"?*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:*","Resource":"arn:aws:s3:::a","Condition":{"StringLike":{"a:k":["a*","b"]}}}]}`,
	)
	f.Fuzz(func(t *testing.T, one, two string) {
		a, _ := Check([]byte(one), Identity)
		b, _ := Check([]byte(two), Identity)
		if a == nil || b == nil {
			return
		}
		there, back := Compare(a, b), Compare(b, a)
		if there.Equal != back.Equal || there.Less() != back.More() || there.More() != back.Less() {
			t.Fatalf("%+v and back %+v", there, back)
		}
		if !Compare(a, a).Equal {
			t.Fatal("a document differs from itself")
		}
	})
}
