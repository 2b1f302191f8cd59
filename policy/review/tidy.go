package review

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
	"rolecall/policy/words"
)

// tidiness is what makes a document longer or wider than it has to be.
func (m *model) tidiness(c Counts, characters, limit int) []Finding {
	out := m.redundant(limit)
	if f, ok := m.scopable(c); ok {
		out = append(out, f)
	}
	if characters <= limit && characters*10 > limit*9 {
		f := Finding{ID: "near-limit", Class: Untidy, Category: "size", Severity: Low, Index: -1, Line: 1, Column: 1, Actions: []string{},
			Title: fmt.Sprintf("%s of %s characters are used", words.Thousands(characters), words.Thousands(limit)),
			Why:   fmt.Sprintf("%s are left. AWS refuses a document over its limit; white space does not count.", words.Thousands(limit-characters))}
		f.Fix = "Take out what is granted twice, or let rolecall policy show --minify write it shorter."
		out = append(out, f)
	}
	return out
}

// redundant finds entries that another entry grants already, under the same
// conditions or none and on the same resources or more.
func (m *model) redundant(limit int) []Finding {
	twice := m.grantedTwice()
	f := Finding{ID: "redundant", Class: Untidy, Category: "redundant", Severity: Note, Actions: []string{}}
	var whole []string
	for _, st := range m.statements {
		n := 0
		for i := range st.entries {
			if e := &st.entries[i]; twice[e] {
				n++
				f.Actions = append(f.Actions, e.text)
				f.Places = append(f.Places, placeOf(e))
			}
		}
		if n > 0 && n == len(st.entries) {
			whole = append(whole, nameOf(st))
		}
	}
	extra := m.resourcesTwice()
	f.Places = append(f.Places, extra...)
	if len(f.Places) == 0 {
		return nil
	}
	first := f.Places[0]
	f.Statement, f.Index, f.Line, f.Column = first.Statement, first.Index, first.Line, first.Column
	verb, verbs := m.verbOf(f.Places)
	f.Title = plural(len(f.Places), "entry is "+verb+" twice", "entries are "+verb+" twice")
	f.Why = "Another entry " + verbs + " the same on the same resources, or more."
	if len(whole) > 0 {
		f.Title = shorter(f.Title, fmt.Sprintf("%s, %s wholly", f.Title, few(whole, ", ")))
		f.Why += " Nothing is left of " + few(whole, ", ") + " without them."
	}
	changed := m.dropEntries(twice)
	if len(extra) == 0 && changed != nil {
		characters := changed.Characters()
		f.Patch = &Patch{Index: f.Index, Remove: f.Actions,
			After: fmt.Sprintf("%s characters of %s", words.Thousands(characters), words.Thousands(limit))}
		f.Fix = fmt.Sprintf("Take these entries out: the document %s the same in %s characters.", verbs, words.Thousands(characters))
	}
	return []Finding{f}
}

// verbOf is what the entries at some places do.
func (m *model) verbOf(places []Place) (participle, present string) {
	denies := 0
	for _, p := range places {
		if p.Index >= 0 && p.Index < len(m.statements) && m.statements[p.Index].Effect == policy.Deny {
			denies++
		}
	}
	switch denies {
	case 0:
		return "granted", "grants"
	case len(places):
		return "denied", "denies"
	}
	return "written", "does"
}

func nameOf(st *statement) string {
	if st.Sid != "" {
		return st.Sid
	}
	return fmt.Sprintf("statement %d", st.index+1)
}

// maxPairs bounds the comparison of entries with wildcards; no document that
// AWS takes comes near.
const maxPairs = 1 << 20

func (m *model) grantedTwice() map[*entry]bool {
	out := map[*entry]bool{}
	exact := map[string][]*entry{}
	var wide []*entry
	n := 0
	for _, st := range m.statements {
		if st.negated() || len(st.NotResource) > 0 || st.Principal != nil || st.void != "" || st.guard.never {
			continue
		}
		for i := range st.entries {
			e := &st.entries[i]
			exact[e.folded] = append(exact[e.folded], e)
			if e.wild {
				wide = append(wide, e)
			}
			n++
		}
	}
	if n*len(wide) > maxPairs {
		wide = nil
	}
	for _, same := range exact {
		for _, a := range same {
			// Of two that grant the same, the later one goes.
			drop := slices.ContainsFunc(same, func(b *entry) bool {
				return a != b && a.st.inside(b.st) && (!b.st.inside(a.st) || before(b, a))
			})
			drop = drop || slices.ContainsFunc(wide, func(b *entry) bool {
				return a.folded != b.folded && policy.Covers(b.folded, a.folded) && a.st.inside(b.st)
			})
			if drop {
				out[a] = true
			}
		}
	}
	return out
}

func before(a, b *entry) bool {
	return a.st.index < b.st.index || a.st.index == b.st.index && a.at < b.at
}

// inside reports whether all that a statement allows or denies of an action,
// another one does too: the same effect, its resources and its conditions.
func (st *statement) inside(other *statement) bool {
	if st == other {
		return true
	}
	if st.Effect != other.Effect || len(st.Resource) > maxResources || len(other.Resource) > maxResources {
		return false
	}
	if len(other.Condition) > 0 && !sameConditions(st.Condition, other.Condition) {
		return false
	}
	for _, r := range st.Resource {
		if !slices.ContainsFunc(other.Resource, func(o string) bool { return policy.CoversResource(o, r) }) {
			return false
		}
	}
	return true
}

func sameConditions(a, b []policy.Condition) bool {
	return slices.EqualFunc(a, b, func(x, y policy.Condition) bool {
		return x.Operator == y.Operator && strings.EqualFold(x.Key, y.Key) && slices.Equal(x.Values, y.Values)
	})
}

// resourcesTwice finds resources that another one of the same list covers.
func (m *model) resourcesTwice() []Place {
	var out []Place
	for _, st := range m.statements {
		if len(st.Resource) < 2 || len(st.Resource) > maxResources {
			continue
		}
		for i, r := range st.Resource {
			covered := slices.ContainsFunc(st.Resource[:i], func(o string) bool { return policy.CoversResource(o, r) }) ||
				slices.ContainsFunc(st.Resource[i+1:], func(o string) bool { return o != r && policy.CoversResource(o, r) })
			if !covered {
				continue
			}
			pos := st.Position("Resource", i)
			out = append(out, Place{Statement: st.Sid, Index: st.index, Line: pos.Line, Column: pos.Column, Entry: r})
		}
	}
	return out
}

// dropEntries is the document without some entries; statements that are left
// empty go. Nil where nothing would be left.
func (m *model) dropEntries(drop map[*entry]bool) *policy.Document {
	if len(drop) == 0 {
		return nil
	}
	out := *m.doc
	out.Statements = nil
	for _, st := range m.statements {
		s, left := st.without(drop)
		if left {
			out.Statements = append(out.Statements, s)
		}
	}
	if len(out.Statements) == 0 {
		return nil
	}
	return &out
}

func (st *statement) without(drop map[*entry]bool) (policy.Statement, bool) {
	s := *st.Statement
	if st.negated() {
		return s, true
	}
	s.Action = nil
	for i := range st.entries {
		if !drop[&st.entries[i]] {
			s.Action = append(s.Action, st.entries[i].text)
		}
	}
	return s, len(s.Action) > 0
}

// scopable counts what could be limited to some resources.
func (m *model) scopable(c Counts) (Finding, bool) {
	if c.Scopable == 0 {
		return Finding{}, false
	}
	f := Finding{
		ID:       "scopable",
		Class:    Untidy,
		Category: "least-privilege",
		Severity: Note,
		Index:    -1,
		Line:     1,
		Column:   1,
		Actions:  []string{},
		Title:    fmt.Sprintf("%d of %s could be limited", c.Scopable, plural(c.OnEverything, "action on *", "actions on *")),
		Why:      "These actions work on resources that an ARN can name. The rest needs *.",
	}
	for _, st := range m.allow {
		if st.star && !st.negated() {
			f.at(st, st.Position("Resource", 0))
			break
		}
	}
	f.Fix = "Name the resources where they are known; rolecall policy explain lists the actions."
	return f, true
}
