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
	// Bounded says that the comparison was ended before it knew everything.
	Bounded bool

	more, less bool
}

// Change is one grant that both documents have, differently.
type Change struct {
	Statement string // Sid, "" without one
	Index     int    // of the statement in the document it is from, from 0
	New       bool   // the statement is from the new document
	What      string // "resource", "condition", "principal", "wildcard", "action", "deny", "version" or "size"
	Actions   []string
	Detail    string // a sentence about the new document
}

// Less reports whether the new document grants something less than the old.
func (d Difference) Less() bool { return d.less }

// More reports whether the new document grants something more than the old.
func (d Difference) More() bool { return d.more }

// Compare tells what the changed document grants that the old does not, and the
// reverse. Order, spelling, Sids and the split into statements do not matter.
// A wildcard and the list of what it matches today are not equal.
func Compare(old, changed *Document) Difference {
	if old.Equal(changed) {
		return Difference{Equal: true}
	}
	if old.tooLarge() || changed.tooLarge() {
		return Difference{more: true, less: true, Changed: []Change{{What: "size", New: true,
			Detail: "The documents differ; they hold too many combinations of actions and resources to say how."}}}
	}
	a, b := grantsOf(old), grantsOf(changed)
	var d Difference
	lost, gained := uncovered(a.allow, b.allow), uncovered(b.allow, a.allow)
	undenied, denied := uncovered(a.deny, b.deny), uncovered(b.deny, a.deny)
	d.less = len(lost) > 0 || len(denied) > 0
	d.more = len(gained) > 0 || len(undenied) > 0
	e := explainer{groups: map[groupKey]int{}}
	d.Removed = e.explain(lost, b.allow, false)
	d.Added = e.explain(gained, a.allow, true)
	for i := range undenied {
		e.add(&undenied[i], "deny", false)
	}
	for i := range denied {
		e.add(&denied[i], "deny", true)
	}
	if literalVariables(old) != literalVariables(changed) {
		d.less, d.more = true, true
		e.changed = append(e.changed, Change{What: "version", New: true,
			Detail: "Only version 2012-10-17 replaces policy variables such as ${aws:username}; the other takes them as text."})
	}
	d.Changed = e.changed
	d.Equal = !d.less && !d.more
	return d
}

// literalVariables reports whether a document has ${…} that AWS does not
// replace, because the document's version is an old one.
func literalVariables(d *Document) bool {
	return d.Version != Version2012 && strings.Contains(d.Compact(), "${")
}

// explainer turns grants that one side lacks into what a person reads.
type explainer struct {
	changed []Change
	groups  map[groupKey]int // where in changed a group is, and what is in it
}

// groupKey is a group of actions that changed alike, or one action of it.
type groupKey struct {
	index        int
	isNew        bool
	what, detail string
	action       string
}

// explain sorts grants into actions that the other side lacks altogether,
// which it returns, and changes of what it has.
func (e *explainer) explain(only, other []grant, isNew bool) []string {
	var missing []string
	seen := map[string]bool{}
	for i := range only {
		for _, g := range only[i].apart(other) {
			switch {
			case len(g.notAction) > 0 || g.touchesAny(other):
				e.add(&g, g.differsIn(other), isNew)
			case !seen[g.action]:
				seen[g.action] = true
				missing = append(missing, g.written)
			}
		}
	}
	slices.SortFunc(missing, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return missing
}

// apart expands a wildcard of which the other side has a part, so that what
// differs can be named: over services first, then over actions. A wildcard
// whose known actions the other side has all stays whole: what differs is its
// reach into the future.
func (g grant) apart(other []grant) []grant {
	whole := []grant{g}
	if !strings.ContainsAny(g.action, "*?") || !g.touchesAny(other) ||
		slices.ContainsFunc(other, func(o grant) bool { return o.coversAction(&g) }) {
		return whole
	}
	var left []grant
	for _, part := range g.parts() {
		if slices.ContainsFunc(other, func(o grant) bool { return o.covers(&part) }) {
			continue
		}
		left = append(left, part.apart(other)...)
	}
	if len(left) == 0 {
		return whole
	}
	return left
}

// parts are the services of a pattern that spans services, or its actions.
func (g grant) parts() []grant {
	pattern := g.action
	if pattern == "*" {
		pattern = "*:*"
	}
	prefix, rest, _ := strings.Cut(pattern, ":")
	var out []grant
	part := func(name string) {
		one := g
		one.action, one.written = strings.ToLower(name), name
		out = append(out, one)
	}
	if !strings.ContainsAny(prefix, "*?") {
		for _, action := range AWS().Expand(pattern) {
			part(action.Name)
		}
		return out
	}
	for _, s := range AWS().Services() {
		if Matches(prefix, s.Prefix) && len(AWS().Expand(s.Prefix+":"+rest)) > 0 {
			part(s.Prefix + ":" + rest)
		}
	}
	return out
}

// differsIn names what keeps the closest of the other grants from covering g.
func (g *grant) differsIn(other []grant) string {
	what := "wildcard"
	if len(g.notAction) > 0 {
		what = "action" // Nothing the other side has comes near.
	}
	for i := range other {
		o := &other[i]
		switch {
		case !o.coversAction(g):
		case !coversPrincipal(o.principal, g.principal):
			if what != "condition" && what != "resource" {
				what = "principal"
			}
		case !o.coversResource(g):
			if what != "condition" {
				what = "resource"
			}
		default:
			what = "condition"
		}
	}
	return what
}

func (e *explainer) add(g *grant, what string, isNew bool) {
	change := Change{Statement: g.sid, Index: g.index, New: isNew, What: what, Actions: []string{g.written}, Detail: g.detail(what, isNew)}
	if len(g.notAction) > 0 {
		change.Actions = []string{"all but " + strings.Join(g.notAction, ", ")}
	}
	key := groupKey{change.Index, isNew, what, change.Detail, ""}
	one := key
	one.action = strings.ToLower(change.Actions[0])
	at, ok := e.groups[key]
	switch _, twice := e.groups[one]; {
	case twice:
		return
	case ok:
		e.changed[at].Actions = append(e.changed[at].Actions, change.Actions[0])
	default:
		e.groups[key] = len(e.changed)
		e.changed = append(e.changed, change)
	}
	e.groups[one] = -1
}

func (g *grant) detail(what string, isNew bool) string {
	also, does := "no longer", "allows"
	if isNew {
		also = "also"
	}
	if what == "deny" {
		does = "denies"
	}
	text := fmt.Sprintf("The new document %s %s this on %s, %s.", also, does, g.where(), describeConditions(g.conditions))
	switch what {
	case "wildcard":
		text = fmt.Sprintf("The new document %s allows what AWS adds under this pattern later.", also)
	case "principal":
		text = fmt.Sprintf("The new document %s allows this to %s.", also, g.principal)
	}
	return printable(text)
}

func (g *grant) where() string {
	switch {
	case len(g.notRes) > 0:
		return "everything but " + strings.Join(g.notRes, ", ")
	case g.resource == "*":
		return "every resource"
	case g.resource == "":
		return "this role"
	}
	return g.resource
}

func describeConditions(conditions []Condition) string {
	if len(conditions) == 0 {
		return "without a condition"
	}
	parts := make([]string, len(conditions))
	for i, c := range conditions {
		parts[i] = fmt.Sprintf("%s %s %s", c.Key, c.Operator, strings.Join(c.Values, " or "))
	}
	return "where " + strings.Join(parts, " and ")
}
