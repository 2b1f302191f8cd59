package policy

import (
	"slices"
	"strings"
)

// grant is one action and one resource under one set of conditions. A
// statement with NotAction or NotResource keeps its list as a whole.
type grant struct {
	action     string   // folded pattern, "" with notAction
	notAction  []string // folded
	resource   string   // "" with notResource, and in trust policies
	notRes     []string
	conditions []Condition
}

// maxGrants bounds the work of writing a document shorter. The largest that
// IAM's quotas let in stay far below; beyond, a document is left as it is.
const maxGrants = 100_000

// tooLarge reports whether taking the document apart would make more grants.
func (d *Document) tooLarge() bool {
	total := 0
	for i := range d.Statements {
		s := &d.Statements[i]
		total += len(orOne(s.Action)) * len(orOne(s.Resource)) * len(s.principalKeys())
	}
	return total > maxGrants
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

func (b *grant) coversAction(a *grant) bool {
	switch {
	case len(b.notAction) > 0 && len(a.notAction) > 0:
		return allCovered(b.notAction, a.notAction, Covers)
	case len(b.notAction) > 0:
		return !slices.ContainsFunc(b.notAction, func(n string) bool { return Overlaps(n, a.action) })
	case len(a.notAction) > 0:
		return b.action == "*"
	}
	return b.action == "*" || Covers(b.action, a.action)
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
	if kindA != "AWS" {
		return false
	}
	// An account's root does not stand for its roles here: naming a role lets
	// it in without a permission of its own.
	pa, pb := ParsePrincipal(valueA), ParsePrincipal(valueB)
	return pb.Anyone || pa.Whole && pb.Covers(pa)
}

// CoversResource reports whether the pattern wide matches every resource that
// the pattern narrow matches. ARNs are compared part by part, since a wildcard
// does not reach over a colon in the first five; what AWS would fill in for a
// shorter ARN is not guessed at.
func CoversResource(wide, narrow string) bool {
	if EveryResource(wide) || wide == narrow {
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

// coversVariables is Covers for text in which ${…} stands for a value
// that is not known: only the same variable or a star matches it.
func coversVariables(wide, narrow string) bool {
	if !strings.Contains(wide, "${") && !strings.Contains(narrow, "${") {
		return Covers(tidyWildcards(wide), tidyWildcards(narrow))
	}
	prefix, rest, _ := strings.Cut(wide, "*")
	// Beyond plain equality only a final star is trusted: what a variable
	// turns into could otherwise match half of a pattern.
	return rest == "" && strings.HasSuffix(wide, "*") && !strings.ContainsAny(prefix, "?") &&
		strings.HasPrefix(narrow, prefix) && strings.Count(prefix, "${") == strings.Count(prefix, "}")
}

func resourcesOverlap(a, b string) bool {
	if EveryResource(a) || EveryResource(b) {
		return true
	}
	a, b = anyVariable(a), anyVariable(b)
	if strings.Count(a, ":") < 5 || strings.Count(b, ":") < 5 {
		return true // AWS fills up a short ARN in ways that are not guessed at.
	}
	return Overlaps(a, b)
}

// anyVariable puts a star in the place of each policy variable.
func anyVariable(pattern string) string {
	var b strings.Builder
	for {
		before, after, open := strings.Cut(pattern, "${")
		_, rest, closed := strings.Cut(after, "}")
		if !open || !closed {
			b.WriteString(pattern)
			return b.String()
		}
		b.WriteString(before + "*")
		pattern = rest
	}
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
