package policy

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// request is what an evaluator is asked: may this action be done on this
// resource, with these values of condition keys (lower case).
type request struct {
	action, resource string
	context          map[string][]string
}

// allows decides as AWS does: a Deny that applies wins, else an Allow is
// needed. It shares no code with what it judges.
func allows(d *Document, r request) bool {
	allowed := false
	for _, s := range d.Statements {
		if !applies(&s, r) {
			continue
		}
		if s.Effect == Deny {
			return false
		}
		allowed = true
	}
	return allowed
}

func applies(s *Statement, r request) bool {
	in := func(patterns []string, text string, fold bool) bool {
		for _, p := range patterns {
			if fold {
				p, text = strings.ToLower(p), strings.ToLower(text)
			}
			if glob(p, text) {
				return true
			}
		}
		return false
	}
	if s.Action != nil && !in(s.Action, r.action, true) || s.NotAction != nil && in(s.NotAction, r.action, true) {
		return false
	}
	if s.Resource != nil && !in(s.Resource, r.resource, false) || s.NotResource != nil && in(s.NotResource, r.resource, false) {
		return false
	}
	for _, c := range s.Condition {
		if !satisfied(c, r.context[strings.ToLower(c.Key)]) {
			return false
		}
	}
	return true
}

func glob(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	if pattern[0] == '*' {
		return glob(pattern[1:], text) || text != "" && glob(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && glob(pattern[1:], text[1:])
}

func satisfied(c Condition, got []string) bool {
	one := func(v string) bool {
		match := slices.ContainsFunc(c.Values, func(w string) bool {
			if strings.Contains(c.Operator, "Like") {
				return glob(w, v)
			}
			return w == v
		})
		return match != strings.Contains(c.Operator, "Not")
	}
	switch {
	case strings.HasPrefix(c.Operator, "ForAllValues:"):
		return !slices.ContainsFunc(got, func(v string) bool { return !one(v) })
	case strings.HasPrefix(c.Operator, "ForAnyValue:"):
		return slices.ContainsFunc(got, one)
	case len(got) == 0:
		return strings.Contains(c.Operator, "Not") || strings.HasSuffix(c.Operator, "IfExists")
	}
	return one(got[0])
}

var (
	someActions = []string{
		"s3:GetObject",
		"s3:PutObject",
		"s3:PutObjectAcl",
		"ec2:RunInstances",
		"ec2:RunScheduledInstances",
		"iam:PassRole",
		"new:Action",
		"s3:NewAction",
	}
	somePattern = []string{
		"*",
		"s3:*",
		"s3:Put*",
		"s3:PutObject",
		"S3:putobject",
		"s3:GetObject",
		"s3:?etObject",
		"ec2:Run*",
		"ec2:RunInstances",
		"iam:PassRole",
		"*:*Object*",
		"s3:Get*",
	}
	someARNs = []string{
		"arn:aws:s3:::a/x",
		"arn:aws:s3:::a/xy",
		"arn:aws:s3:::b/x",
		"arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
		"arn:aws:s3:::ab",
	}
	someARNPat = []string{
		"*",
		"arn:aws:s3:::*",
		"arn:aws:s3:::a/*",
		"arn:aws:s3:::a/x",
		"arn:aws:s3:::a/?",
		"arn:aws:ec2:*:*:instance/*",
		"arn:aws:s3:::b/x",
	}
	someValues = []string{"u", "v", "w"}
	someKeys   = []string{"aws:A", "aws:B"}
	someOps    = []string{
		"StringEquals",
		"StringNotEquals",
		"StringLike",
		"StringEqualsIfExists",
		"ForAnyValue:StringEquals",
		"ForAllValues:StringEquals",
		"StringNotEqualsIfExists",
	}
)

func drawList(t *rapid.T, label string, from []string) []string {
	return rapid.SliceOfN(rapid.SampledFrom(from), 1, 4).Draw(t, label)
}

func drawStatement(t *rapid.T) Statement {
	s := Statement{Effect: Allow}
	if rapid.IntRange(0, 3).Draw(t, "deny") == 0 {
		s.Effect = Deny
	}
	if actions := drawList(t, "actions", somePattern); rapid.IntRange(0, 4).Draw(t, "not action") == 0 {
		s.NotAction = actions
	} else {
		s.Action = actions
	}
	if resources := drawList(t, "resources", someARNPat); rapid.IntRange(0, 4).Draw(t, "not resource") == 0 {
		s.NotResource = resources
	} else {
		s.Resource = resources
	}
	for _, key := range someKeys {
		if rapid.IntRange(0, 3).Draw(t, "condition") == 0 {
			s.Condition = append(s.Condition, Condition{Operator: rapid.SampledFrom(someOps).Draw(t, "operator"), Key: key,
				Values: rapid.SliceOfNDistinct(rapid.SampledFrom(someValues), 1, 3, rapid.ID).Draw(t, "values")})
		}
	}
	return s
}

func drawDocument(t *rapid.T) *Document {
	d := NewDocument()
	for range rapid.IntRange(1, 5).Draw(t, "statements") {
		d.Statements = append(d.Statements, drawStatement(t))
	}
	return d
}

// everyRequest is small enough to be tried whole: 8 actions, 5 resources and
// 4 × 4 contexts.
func everyRequest(yield func(request) bool) {
	contexts := [][]string{nil, {"u"}, {"v"}, {"u", "x"}}
	for _, action := range someActions {
		for _, resource := range someARNs {
			for _, a := range contexts {
				for _, b := range contexts {
					if !yield(request{action, resource, map[string][]string{"aws:a": a, "aws:b": b}}) {
						return
					}
				}
			}
		}
	}
}

// same fails where two documents decide differently.
func same(t *rapid.T, name string, a, b *Document) {
	t.Helper()
	for r := range everyRequest {
		if allows(a, r) != allows(b, r) {
			t.Fatalf("%s decides otherwise on %+v\n%s\n%s", name, r, a.Compact(), b.Compact())
		}
	}
}

func TestMinifyGrantsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDocument(t)
		m := d.Minify()
		same(t, "the minified document", d, m)
		if m.Characters() > d.Characters() {
			t.Fatalf("%d characters became %d", d.Characters(), m.Characters())
		}
		if _, err := Parse([]byte(m.Pretty()), Identity); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCompareIsSound: documents that compare equal decide alike, and so do
// those of which one grants no more, as far as it goes.
func TestCompareIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDocument(t), drawDocument(t)
		if rapid.Bool().Draw(t, "related") {
			b = a.Minify()
			b = NewDocument(b.Statements[rapid.IntRange(0, len(b.Statements)-1).Draw(t, "from"):]...)
		}
		diff := Compare(a, b)
		for r := range everyRequest {
			x, y := allows(a, r), allows(b, r)
			if x != y && diff.Equal || y && !x && !diff.More() || x && !y && !diff.Less() {
				t.Fatalf("old allows %v, new allows %v: %+v\n%+v\n%s\n%s", x, y, r, diff, a.Compact(), b.Compact())
			}
		}
		listed := len(diff.Added) + len(diff.Removed) + len(diff.Changed)
		if diff.Equal && (diff.More() || diff.Less() || listed > 0) || !diff.Equal && listed == 0 {
			t.Fatalf("%+v", diff)
		}
	})
}

// TestCompareNamesWhatIsGone holds the names against brute force: an action that
// the old document grants somewhere and the new one nowhere is among those
// removed, and nothing is that the new one grants or the old one never did.
func TestCompareNamesWhatIsGone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDocument(t), drawDocument(t)
		diff := Compare(a, b)
		for _, side := range []struct {
			name     string
			old, new *Document
			gone     []string
		}{{"removed", a, b, diff.Removed}, {"added", b, a, diff.Added}} {
			had, has := grantedActions(side.old), grantedActions(side.new)
			for _, action := range someActions {
				_, known := AWS().Action(action)
				listed := slices.ContainsFunc(side.gone, func(p string) bool { return MatchesAction(p, action) })
				exact := slices.ContainsFunc(side.gone, func(p string) bool { return strings.EqualFold(p, action) })
				switch {
				case listed && known && has[action]:
					t.Fatalf("%s holds %s, which is granted: %+v\n%s\n%s", side.name, action, diff, a.Compact(), b.Compact())
				case exact && !had[action] && unconditional(side.old):
					t.Fatalf("%s holds %s, which was never granted: %+v\n%s\n%s", side.name, action, diff, a.Compact(), b.Compact())
				case known && had[action] && !has[action] && !listed && unconditional(side.new) && !allButGone(diff):
					t.Fatalf("%s lacks %s: %+v\n%s\n%s", side.name, action, diff, a.Compact(), b.Compact())
				}
			}
		}
	})
}

// grantedActions are the actions that some request is allowed.
func grantedActions(d *Document) map[string]bool {
	out := map[string]bool{}
	for r := range everyRequest {
		out[r.action] = out[r.action] || allows(d, r)
	}
	return out
}

// unconditional leaves out what a few contexts cannot decide, and the resources
// that the few of the tests do not reach.
func unconditional(d *Document) bool {
	return !slices.ContainsFunc(d.Statements, func(s Statement) bool {
		return len(s.Condition) > 0 || len(s.NotResource) > 0 || s.Effect == Deny && !slices.Contains(s.Resource, "*")
	})
}

// allButGone reports whether what differs is said as all but a list.
func allButGone(d Difference) bool {
	return slices.ContainsFunc(d.Changed, func(c Change) bool { return strings.HasPrefix(c.Actions[0], "all but") })
}

// TestCompareIgnoresTheSplit takes every statement apart.
func TestCompareIgnoresTheSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDocument(t)
		apart := NewDocument()
		for _, s := range d.Statements {
			for _, action := range orOne(s.Action) {
				for _, resource := range orOne(s.Resource) {
					one := s
					if s.Action != nil {
						one.Action = []string{strings.ToUpper(action)}
					}
					if s.Resource != nil {
						one.Resource = []string{resource}
					}
					apart.Statements = append(apart.Statements, one)
				}
			}
		}
		slices.Reverse(apart.Statements)
		if diff := Compare(d, apart); !diff.Equal {
			t.Fatalf("%+v\n%s\n%s", diff, d.Compact(), apart.Compact())
		}
	})
}
