package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Difference is what two documents grant differently. Equal is never true of
// documents that differ in effect, now or after AWS adds actions.
type Difference struct {
	Equal bool
	// Added and Removed are actions or patterns that only the new or only the
	// old document allows at all, expanded only where the other has a part.
	Added, Removed []string
	// Changed are grants that both have, on other resources, under other
	// conditions or with another reach into the future, and changed denials.
	Changed []Change

	more, less bool
}

// Change is one grant that both documents have, differently.
type Change struct {
	Statement string // Sid, "" without one
	Index     int    // of the statement in the document it is from, from 0
	New       bool   // the statement is from the new document
	What      string // "resource", "condition", "principal", "wildcard" or "deny"
	Actions   []string
	Detail    string // a sentence
}

// Less reports whether the new document grants something less than the old.
func (d Difference) Less() bool { return d.less }

// More reports whether the new document grants something more than the old.
func (d Difference) More() bool { return d.more }

// Compare tells what the new document grants that the old does not, and the
// reverse. Order, spelling, Sids and the split into statements do not matter.
// A wildcard and the list of what it matches today are not equal.
func Compare(old, new *Document) Difference {
	a, b := grantsOf(old), grantsOf(new)
	var d Difference
	lost, gained := uncovered(a.allow, b.allow), uncovered(b.allow, a.allow)
	undenied, denied := uncovered(a.deny, b.deny), uncovered(b.deny, a.deny)
	d.less = len(lost) > 0 || len(denied) > 0
	d.more = len(gained) > 0 || len(undenied) > 0
	d.Equal = !d.less && !d.more
	d.Removed = d.explain(lost, b.allow, false)
	d.Added = d.explain(gained, a.allow, true)
	d.deny(undenied, false)
	d.deny(denied, true)
	return d
}

// grants is a document taken apart, so that the split into statements is gone.
type grants struct{ allow, deny []grant }

// grant is one action and one resource under one set of conditions. A
// statement with NotAction or NotResource keeps its list as a whole.
type grant struct {
	action     string   // folded pattern, "" with notAction
	notAction  []string // folded
	resource   string   // "" with notResource, and in trust policies
	notRes     []string
	principal  string // "TYPE value", or everything of NotPrincipal
	conditions []Condition
	sid        string
	index      int
}

func grantsOf(d *Document) grants {
	var g grants
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect == Allow {
			g.allow = append(g.allow, s.grants(i)...)
		} else {
			g.deny = append(g.deny, s.grants(i)...)
		}
	}
	return g
}

func (s *Statement) grants(index int) []grant {
	base := grant{sid: s.Sid, index: index, conditions: s.Condition}
	for _, a := range s.NotAction {
		base.notAction = append(base.notAction, foldAction(a))
	}
	base.notRes = s.NotResource
	var out []grant
	for _, principal := range s.principalKeys() {
		for _, action := range orOne(s.Action) {
			for _, resource := range orOne(s.Resource) {
				g := base
				g.action, g.resource, g.principal = foldAction(action), resource, principal
				out = append(out, g)
			}
		}
	}
	return out
}

func (s *Statement) principalKeys() []string {
	if s.NotPrincipal != nil {
		return []string{"not " + string(canonicalJSON(s.NotPrincipal.canonical()))}
	}
	var out []string
	for kind, values := range s.Principal {
		for _, v := range values {
			out = append(out, kind+" "+v)
		}
	}
	slices.Sort(out)
	return orOne(out)
}

// orOne keeps a loop going once where an element is absent.
func orOne(values []string) []string {
	if len(values) == 0 {
		return []string{""}
	}
	return values
}

// uncovered lists the grants that no single other grant covers.
func uncovered(of, by []grant) []grant {
	var out []grant
	for i := range of {
		if !slices.ContainsFunc(by, func(b grant) bool { return b.covers(&of[i]) }) {
			out = append(out, of[i])
		}
	}
	return out
}

// covers reports whether everything that a grants, b grants.
func (b *grant) covers(a *grant) bool {
	return b.coversAction(a) && b.coversResource(a) && coversPrincipal(b.principal, a.principal) &&
		implies(a.conditions, b.conditions)
}

func (b *grant) coversAction(a *grant) bool {
	switch {
	case len(b.notAction) > 0 && len(a.notAction) > 0:
		return allCovered(b.notAction, a.notAction, coversPattern)
	case len(b.notAction) > 0:
		return !slices.ContainsFunc(b.notAction, func(n string) bool { return overlaps(n, a.action) })
	case len(a.notAction) > 0:
		return b.action == "*"
	}
	return b.action == "*" || coversPattern(b.action, a.action)
}

func (b *grant) coversResource(a *grant) bool {
	switch {
	case len(b.notRes) > 0 && len(a.notRes) > 0:
		return allCovered(b.notRes, a.notRes, CoversResource)
	case len(b.notRes) > 0:
		return !slices.ContainsFunc(b.notRes, func(n string) bool { return resourcesOverlap(n, a.resource) })
	case len(a.notRes) > 0:
		return b.resource == "*"
	}
	return CoversResource(b.resource, a.resource)
}

// allCovered reports whether each of the narrow patterns lies in a wide one.
func allCovered(narrow, wide []string, covers func(wide, narrow string) bool) bool {
	for _, n := range narrow {
		if !slices.ContainsFunc(wide, func(w string) bool { return covers(w, n) }) {
			return false
		}
	}
	return true
}

func coversPrincipal(b, a string) bool {
	if a == b {
		return true
	}
	kindB, valueB, _ := strings.Cut(b, " ")
	kindA, valueA, _ := strings.Cut(a, " ")
	if kindA == "not" || kindB == "not" || kindA == "" || kindB == "" {
		return false
	}
	if kindB == "*" || kindB != kindA {
		return kindB == "*"
	}
	return kindA == "AWS" && ParsePrincipal(valueB).Covers(ParsePrincipal(valueA))
}

// CoversResource reports whether the pattern wide matches every resource that
// the pattern narrow matches. ARNs are compared part by part, since a wildcard
// does not reach over a colon in the first five; what AWS would fill in for a
// shorter ARN is not guessed at.
func CoversResource(wide, narrow string) bool {
	if wide == "*" || wide == narrow {
		return true
	}
	w, n := strings.SplitN(wide, ":", 6), strings.SplitN(narrow, ":", 6)
	if len(w) != 6 || len(n) != 6 {
		return false
	}
	for i := range w {
		if w[i] != n[i] && !coversVariables(w[i], n[i]) {
			return false
		}
	}
	return true
}

// coversVariables is coversPattern for text in which ${…} stands for a value
// that is not known: only the same variable or a star matches it.
func coversVariables(wide, narrow string) bool {
	if !strings.Contains(wide, "${") && !strings.Contains(narrow, "${") {
		return coversPattern(tidyWildcards(wide), tidyWildcards(narrow))
	}
	prefix, rest, _ := strings.Cut(wide, "*")
	// Beyond plain equality only a final star is trusted: what a variable
	// turns into could otherwise match half of a pattern.
	return rest == "" && strings.HasSuffix(wide, "*") && !strings.ContainsAny(prefix, "?") &&
		strings.HasPrefix(narrow, prefix) && strings.Count(prefix, "${") == strings.Count(prefix, "}")
}

func resourcesOverlap(a, b string) bool {
	if a == "" || b == "" || strings.Contains(a, "${") || strings.Contains(b, "${") {
		return true
	}
	return overlaps(a, b)
}

// implies reports whether whoever satisfies all of a satisfies all of b.
func implies(a, b []Condition) bool {
	for i := range b {
		if !slices.ContainsFunc(a, func(c Condition) bool { return c.implies(&b[i]) }) {
			return false
		}
	}
	return true
}

func (c *Condition) implies(d *Condition) bool {
	if c.Operator != d.Operator || !strings.EqualFold(c.Key, d.Key) {
		return false
	}
	if len(c.Values) == 0 || len(d.Values) == 0 {
		return len(c.Values) == len(d.Values)
	}
	narrow, wide := c.Values, d.Values
	if c.Negated() {
		narrow, wide = wide, narrow
	}
	return !slices.ContainsFunc(narrow, func(v string) bool { return !slices.Contains(wide, v) })
}

// explain sorts grants into actions that the other side lacks altogether and
// changes of what it has.
func (d *Difference) explain(only, other []grant, isNew bool) []string {
	var missing []string
	for i := range only {
		g := &only[i]
		if len(g.notAction) == 0 && !slices.ContainsFunc(other, func(o grant) bool { return o.touches(g) }) {
			missing = append(missing, g.action)
			continue
		}
		d.change(g, other, isNew)
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// touches reports whether two grants have an action in common.
func (g *grant) touches(other *grant) bool {
	switch {
	case len(g.notAction) > 0 || len(other.notAction) > 0:
		return g.coversAction(other) || other.coversAction(g) || len(g.notAction) > 0 && len(other.notAction) > 0
	}
	return overlaps(g.action, other.action)
}

func (d *Difference) change(g *grant, other []grant, isNew bool) {
	what := "wildcard"
	for i := range other {
		if !other[i].coversAction(g) {
			continue
		}
		switch {
		case !coversPrincipal(other[i].principal, g.principal):
			what = "principal"
		case !other[i].coversResource(g):
			what = "resource"
		default:
			what = "condition"
		}
	}
	d.add(g, what, isNew)
}

func (d *Difference) deny(grants []grant, isNew bool) {
	for i := range grants {
		d.add(&grants[i], "deny", isNew)
	}
}

func (d *Difference) add(g *grant, what string, isNew bool) {
	action := g.action
	if len(g.notAction) > 0 {
		action = "all but " + strings.Join(g.notAction, ", ")
	}
	for i := range d.Changed {
		c := &d.Changed[i]
		if c.Index == g.index && c.New == isNew && c.What == what {
			if !slices.Contains(c.Actions, action) {
				c.Actions = append(c.Actions, action)
			}
			return
		}
	}
	side := "The old document"
	if isNew {
		side = "The new document"
	}
	d.Changed = append(d.Changed, Change{Statement: g.sid, Index: g.index, New: isNew, What: what,
		Actions: []string{action}, Detail: fmt.Sprintf("%s differs here in its %s.", side, what)})
}
