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
	// old document grants at all, expanded only where the other has a part. What
	// a document denies it does not grant.
	Added, Removed []string
	// Changed are grants that both have, on other resources, under other
	// conditions or with another reach into the future, and changed denials.
	Changed []Change
	// Bounded says that the comparison was ended before it knew everything: what
	// is listed is a part of what differs.
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
//
// A denial of what the document does not allow changes nothing that it grants,
// and still takes from what other documents grant: it makes two documents
// unequal, and neither grant more or less.
//
// The work is bounded. Where the bound is reached, the documents are unequal,
// and each is taken to grant something that the other does not.
func Compare(old, changed *Document) Difference {
	if old.Equal(changed) {
		return Difference{Equal: true}
	}
	c := newComparer()
	a, b := rulesOf(old), rulesOf(changed)
	lost, gained := c.missing(a, b, false), c.missing(b, a, true)
	d := Difference{less: lost.grants() || c.bounded, more: gained.grants() || c.bounded, Bounded: c.bounded}
	// Saying what differs has a bound of its own: it may be a part.
	e := explainer{comparer: newComparer(), groups: map[groupKey]int{}, outcomes: map[string]outcome{}}
	e.bounded, e.left = c.bounded, maxWork/2
	d.Removed = e.explain(lost)
	d.Added = e.explain(gained)
	if literalVariables(old) != literalVariables(changed) {
		d.less, d.more = true, true
		e.changed = append(e.changed, Change{What: "version", New: true,
			Detail: "Only version 2012-10-17 replaces policy variables such as ${aws:username}; the other takes them as text."})
	}
	if e.bounded {
		d.Bounded = true
		e.changed = append(e.changed, Change{What: "size", New: true,
			Detail: "The documents differ, and hold too many combinations to say everything that does: what is listed is a part."})
	}
	d.Changed = e.changed
	d.Equal = !d.less && !d.more && len(lost.denied)+len(gained.denied) == 0
	return d
}

// literalVariables reports whether a document has ${…} that AWS does not
// replace, because the document's version is an old one.
func literalVariables(d *Document) bool {
	return d.Version != Version2012 && strings.Contains(d.Compact(), "${")
}

// rules are the statements of one of two documents.
type rules struct{ allow, deny []*region }

func rulesOf(d *Document) rules {
	allow, deny := regionsOf(d)
	return rules{allow: allow, deny: deny}
}

// part is some actions of a region.
type part struct {
	*region
	at   []int // places in the region's actions, 0 of a NotAction
	hits bool  // of a denial: it takes from what the other side grants
}

// missing is what one side grants and the other does not.
type missing struct {
	of, other rules
	isNew     bool   // of is the new document
	allowed   []part // that the other does not allow
	denied    []part // that only the other denies
}

// grants reports whether one side grants something that the other does not.
func (m *missing) grants() bool {
	return len(m.allowed) > 0 || slices.ContainsFunc(m.denied, func(p part) bool { return p.hits })
}

func (c *comparer) missing(of, other rules, isNew bool) missing {
	m := missing{of: of, other: other, isNew: isNew}
	// What a side denies it does not grant.
	have := slices.Concat(other.allow, of.deny)
	for _, r := range of.allow {
		if at := c.uncovered(r, have); len(at) > 0 {
			m.allowed = append(m.allowed, part{region: r, at: at})
		}
	}
	for _, r := range other.deny {
		at := c.uncovered(r, of.deny)
		if len(at) == 0 {
			continue
		}
		p := part{region: r, at: at}
		only := p.alone()
		p.hits = slices.ContainsFunc(of.allow, func(allow *region) bool { return c.meets(only, allow) })
		m.denied = append(m.denied, p)
	}
	return m
}

// alone is the region of the part's actions.
func (p *part) alone() *region {
	if len(p.notAction) > 0 {
		return p.region
	}
	out := *p.region
	out.actions = make([]string, len(p.at))
	for i, at := range p.at {
		out.actions[i] = p.actions[at]
	}
	out.exact, out.wild = indexed(out.actions)
	return &out
}

// grantsAny reports whether a side grants some of what a pattern matches, on
// something: what is denied wholly is not granted.
func (c *comparer) grantsAny(s rules, action string) bool {
	return slices.ContainsFunc(s.allow, func(r *region) bool {
		return c.touches(r, action) && (len(s.deny) == 0 || !c.covered(r, action, s.deny))
	})
}

// explainer turns what one side lacks into what a person reads.
type explainer struct {
	*comparer
	changed  []Change
	groups   map[groupKey]int // where in changed a group is, and what is in it
	outcomes map[string]outcome
}

// groupKey is a group of actions that changed alike, or one action of it.
type groupKey struct {
	index        int
	isNew        bool
	what, detail string
	action       string
}

// explain sorts what is missing into actions that the other side does not grant
// at all, which it returns, and changes of what it grants.
func (e *explainer) explain(m missing) []string {
	names := &nameList{seen: map[string]bool{}}
	for i := range m.allowed {
		for _, at := range m.allowed[i].at {
			e.explainAllowed(&m, m.allowed[i].region, at, names)
		}
	}
	for i := range m.denied {
		for _, at := range m.denied[i].at {
			e.explainDenied(&m, &m.denied[i], at, names)
		}
	}
	return names.sorted()
}

// nameList keeps names once each.
type nameList struct {
	names []string
	seen  map[string]bool
}

func (l *nameList) add(name string) {
	if folded := foldAction(name); !l.seen[folded] {
		l.seen[folded] = true
		l.names = append(l.names, name)
	}
}

func (l *nameList) sorted() []string {
	slices.SortFunc(l.names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return l.names
}

func (e *explainer) explainAllowed(m *missing, r *region, at int, names *nameList) {
	switch {
	case e.bounded:
	case len(r.notAction) > 0:
		e.add(r, "all but "+strings.Join(r.notAction, ", "), e.differsIn(r, "", m.other.allow), m.isNew)
	case !wildAction(r.actions[at]):
		switch action := r.actions[at]; {
		case !e.grantsAny(m.of, action):
		case !e.grantsAny(m.other, action):
			names.add(r.written[at])
		default:
			e.add(r, r.written[at], e.differsIn(r, action, m.other.allow), m.isNew)
		}
	case !e.touchedBy(m.other.allow, r.actions[at]) && !e.touchedBy(m.of.deny, r.actions[at]):
		names.add(r.written[at])
	default:
		e.explainPattern(m, r, at, names)
	}
}

func wildAction(action string) bool { return strings.ContainsAny(action, "*?") }

func (e *explainer) touchedBy(regions []*region, action string) bool {
	return slices.ContainsFunc(regions, func(r *region) bool { return e.touches(r, action) })
}

// explainPattern names what differs of a wildcard of which the other side has a
// part: services first, then actions. A wildcard whose known actions the other
// side has all stays whole: what differs is its reach into the future.
func (e *explainer) explainPattern(m *missing, r *region, at int, names *nameList) {
	parts := partsOf(r.actions[at])
	outcomes := make([]map[outcome][]string, len(parts))
	all := map[outcome]bool{}
	for i, pattern := range parts {
		outcomes[i] = map[outcome][]string{}
		for _, action := range AWS().Expand(pattern) {
			if e.bounded {
				return
			}
			o := e.outcomeOf(m, r, strings.ToLower(action.Name))
			outcomes[i][o] = append(outcomes[i][o], action.Name)
			all[o] = true
		}
	}
	switch {
	case len(all) == 0 || len(all) == 1 && all[outcome{}]:
		e.add(r, r.written[at], e.differsIn(r, r.actions[at], m.other.allow), m.isNew)
		return
	case len(all) == 1 && len(parts) > 1:
		for o := range all {
			e.note(m, r, o, r.written[at], names)
		}
		return
	}
	for i, pattern := range parts {
		for _, o := range [...]outcome{{gone: true}, {what: "condition"}, {what: "resource"}, {what: "principal"}, {what: "wildcard"},
			{what: "action"}} {
			list := outcomes[i][o]
			if len(list) > 1 && len(outcomes[i]) == 1 {
				list = []string{pattern}
			}
			for _, name := range list {
				e.note(m, r, o, name, names)
			}
		}
	}
}

// outcome is what the other side makes of an action. The zero value is that
// nothing is missing.
type outcome struct {
	gone bool   // it does not grant the action at all
	what string // or what differs
}

func (e *explainer) note(m *missing, r *region, o outcome, name string, names *nameList) {
	switch {
	case o.gone:
		names.add(name)
	case o.what != "":
		e.add(r, name, o.what, m.isNew)
	}
}

// outcomeOf judges one action. Actions that lie in the same regions have the
// same outcome, which is kept.
func (e *explainer) outcomeOf(m *missing, r *region, action string) outcome {
	key := e.signature(m, r, action)
	if o, ok := e.outcomes[key]; ok {
		return o
	}
	o := outcome{}
	switch {
	case e.covered(r, action, slices.Concat(m.other.allow, m.of.deny)) && !e.takenFrom(m, action), !e.grantsAny(m.of, action):
	case !e.grantsAny(m.other, action):
		o.gone = true
	default:
		o.what = e.differsIn(r, action, m.other.allow)
	}
	e.outcomes[key] = o
	return o
}

// takenFrom reports whether a denial that only the other side has takes all of
// an action.
func (e *explainer) takenFrom(m *missing, action string) bool {
	return len(m.denied) > 0 && !e.grantsAny(m.other, action)
}

// signature tells in which regions of both sides an action lies.
func (e *explainer) signature(m *missing, r *region, action string) string {
	out := fmt.Appendf(nil, "%v %d ", m.isNew, r.index)
	for _, list := range [...][]*region{m.of.allow, m.of.deny, m.other.allow, m.other.deny} {
		for _, o := range list {
			in := byte('0')
			if e.hasAction(o, action) {
				in = '1'
			}
			out = append(out, in)
		}
	}
	return string(out)
}

// partsOf takes a pattern that spans services apart into services.
func partsOf(pattern string) []string {
	if pattern == "*" {
		pattern = "*:*"
	}
	prefix, rest, _ := strings.Cut(pattern, ":")
	if !wildAction(prefix) {
		return []string{pattern}
	}
	var out []string
	for _, s := range AWS().Services() {
		if Matches(prefix, s.Prefix) {
			out = append(out, s.Prefix+":"+rest)
		}
	}
	return out
}

// explainDenied names what the other side grants no more for a denial of its
// own, and notes the denial where it takes only a part.
func (e *explainer) explainDenied(m *missing, p *part, at int, names *nameList) {
	if e.bounded {
		return
	}
	text := "all but " + strings.Join(p.notAction, ", ")
	if len(p.notAction) == 0 {
		text = p.written[at]
	}
	gone, partly := e.goneBy(m, p, at)
	for _, name := range gone {
		names.add(name)
	}
	if partly || len(gone) == 0 {
		e.add(p.region, text, "deny", !m.isNew)
	}
}

// goneBy lists what one side grants and the other, for a denial, not at all;
// partly is true where the denial also takes a part of something, or hits
// something that is not granted.
func (e *explainer) goneBy(m *missing, p *part, at int) (gone []string, partly bool) {
	denied := ""
	if len(p.notAction) == 0 {
		denied = p.actions[at]
	}
	if denied != "" && !wildAction(denied) {
		if e.grantsAny(m.of, denied) && !e.grantsAny(m.other, denied) {
			return []string{p.written[at]}, false
		}
		return nil, true
	}
	for _, allow := range m.of.allow {
		for i, pattern := range allow.actions {
			some, rest := e.goneOf(m, p, denied, pattern, allow.written[i])
			gone, partly = append(gone, some...), partly || rest
		}
		partly = partly || len(allow.notAction) > 0
	}
	return gone, partly
}

// goneOf is goneBy for one action or pattern that is allowed.
func (e *explainer) goneOf(m *missing, p *part, denied, pattern, written string) (gone []string, partly bool) {
	one := &region{actions: []string{pattern}}
	one.exact, one.wild = indexed(one.actions)
	if e.bounded || !e.actionsMeet(one, p.region) {
		return nil, false
	}
	if e.hasAction(p.region, pattern) && !e.grantsAny(m.other, pattern) {
		if e.grantsAny(m.of, pattern) {
			gone = []string{written}
		}
		return gone, false
	}
	inside := pattern
	if denied != "" && coversAction(pattern, denied) {
		inside = denied
	}
	for _, action := range AWS().Expand(inside) {
		folded := strings.ToLower(action.Name)
		switch {
		case e.bounded:
			return gone, true
		case !e.hasAction(p.region, folded) || !e.touches(one, folded) || !e.grantsAny(m.of, folded):
		case !e.grantsAny(m.other, folded):
			gone = append(gone, action.Name)
		default:
			partly = true
		}
	}
	if inside == denied && !partly && len(gone) > 1 && !e.touchedOutside(m.of, denied) {
		return []string{denied}, false
	}
	return gone, partly
}

// touchedOutside reports whether a side denies some of a pattern already.
func (e *explainer) touchedOutside(of rules, pattern string) bool {
	return e.touchedBy(of.deny, pattern)
}

// differsIn names what keeps the closest of the other side's regions from
// covering one.
func (e *explainer) differsIn(r *region, action string, other []*region) string {
	what := "wildcard"
	if len(r.notAction) > 0 && action == "" {
		what = "action" // Nothing the other side has comes near.
	}
	for _, o := range other {
		has := len(r.notAction) > 0 && action == "" && e.coversAllBut(o, r.notAction) || action != "" && e.hasAction(o, action)
		if !has || e.bounded {
			continue
		}
		switch {
		case !coversAll(r.principals, o.principals):
			if what != "condition" && what != "resource" {
				what = "principal"
			}
		case slices.Contains(e.coveredResources(r, o), false):
			if what != "condition" {
				what = "resource"
			}
		default:
			what = "condition"
		}
	}
	return what
}

func coversAll(narrow, wide []string) bool {
	return !slices.ContainsFunc(narrow, func(n string) bool {
		return !slices.ContainsFunc(wide, func(w string) bool { return coversPrincipal(w, n) })
	})
}

func (e *explainer) add(r *region, action, what string, isNew bool) {
	change := Change{Statement: r.sid, Index: r.index, New: isNew, What: what, Actions: []string{action}, Detail: r.detail(what, isNew)}
	key := groupKey{change.Index, isNew, what, change.Detail, ""}
	one := key
	one.action = strings.ToLower(action)
	at, ok := e.groups[key]
	switch _, twice := e.groups[one]; {
	case twice:
		return
	case ok:
		e.changed[at].Actions = append(e.changed[at].Actions, action)
	default:
		e.groups[key] = len(e.changed)
		e.changed = append(e.changed, change)
	}
	e.groups[one] = -1
}

func (r *region) detail(what string, isNew bool) string {
	also, does := "no longer", "allows"
	if isNew {
		also = "also"
	}
	if what == "deny" {
		does = "denies"
	}
	text := fmt.Sprintf("The new document %s %s this on %s, %s.", also, does, r.where(), describeConditions(r.source))
	switch what {
	case "wildcard":
		text = fmt.Sprintf("The new document %s allows what AWS adds under this pattern later.", also)
	case "principal":
		text = fmt.Sprintf("The new document %s allows this to %s.", also, strings.Join(r.principals[:min(3, len(r.principals))], ", "))
	}
	return printable(text)
}

func (r *region) where() string {
	switch {
	case len(r.notRes) > 0:
		return "everything but " + listed(r.notRes)
	case slices.Contains(r.resources, "*"):
		return "every resource"
	case len(r.resources) == 1 && r.resources[0] == "":
		return "this role"
	}
	return listed(r.resources)
}

// listed names three of a list and counts the rest.
func listed(values []string) string {
	if len(values) <= 3 {
		return strings.Join(values, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(values[:3], ", "), len(values)-3)
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
