package review

import (
	"slices"
	"strings"
	"time"

	"rolecall/policy"
)

const passRole = "iam:passrole"

// entry is one action or pattern of a statement.
type entry struct {
	st      *statement
	at      int // index in the statement's list
	text    string
	folded  string
	service string // "" where a wildcard stands in it
	wild    bool
}

// statement is a statement taken apart for matching. It is never changed, so
// that a patched document can share what did not change.
type statement struct {
	*policy.Statement
	index    int
	entries  []entry
	star     bool // "*" is among the resources, or NotResource stands instead
	guard    guard
	services map[string]bool // of the resources, where there are too many to compare one by one

	void   string         // why it can apply to nothing at all, "" where it can
	judged bool           // the conditions were looked at
	never  bool           // they hold for nobody
	wants  []string       // the keys that not all actions set and that have to be there
	alive  []string       // the resources that can match something, once asked
	exact  map[string]int // places of the entries without a wildcard
	wild   []int          // and of those with one
}

func compile(s *policy.Statement, index int, now time.Time) *statement {
	st := &statement{Statement: s, index: index}
	list := s.Action
	if len(s.NotAction) > 0 {
		list = s.NotAction
	}
	st.entries = make([]entry, len(list))
	for i, text := range list {
		e := entry{st: st, at: i, text: text, folded: policy.FoldAction(strings.TrimSpace(text))}
		e.wild = strings.ContainsAny(e.folded, "*?")
		if service, _, ok := strings.Cut(e.folded, ":"); ok && !strings.ContainsAny(service, "*?") {
			e.service = service
		}
		st.entries[i] = e
	}
	st.sortEntries()
	st.star = slices.ContainsFunc(s.Resource, policy.EveryResource) || len(s.NotResource) > 0
	st.void = emptyComplement(st)
	if len(s.Resource) > maxResources {
		st.services = servicesOf(s.Resource)
	}
	st.guard = guardOf(s.Condition, now)
	return st
}

// sortEntries keeps entries without a wildcard apart, to be found by name.
func (st *statement) sortEntries() {
	st.exact, st.wild = make(map[string]int, len(st.entries)), nil
	for i := range st.entries {
		e := &st.entries[i]
		if e.wild {
			st.wild = append(st.wild, i)
		} else if _, ok := st.exact[e.folded]; !ok {
			st.exact[e.folded] = i
		}
	}
}

// emptyComplement says why a statement that names what it leaves out leaves out
// everything, "" where it does not.
func emptyComplement(st *statement) string {
	switch {
	case st.negated() && slices.ContainsFunc(st.entries, func(e entry) bool { return allActions(e.folded) }):
		return "NotAction"
	case slices.ContainsFunc(st.NotResource, policy.EveryResource):
		return "NotResource"
	}
	return ""
}

// servicesOf names the services of a long list of resources, "*" for any.
func servicesOf(resources []string) map[string]bool {
	out := map[string]bool{}
	for _, r := range resources {
		if parts := strings.SplitN(r, ":", 4); len(parts) > 2 {
			service := strings.ToLower(parts[2])
			if strings.ContainsAny(service, "*?$") {
				service = "*"
			}
			out[service] = true
		}
	}
	return out
}

// negated reports whether the statement names what it leaves out.
func (st *statement) negated() bool { return len(st.NotAction) > 0 }

// element is the name of the list that the entries stand in.
func (st *statement) element() string {
	if st.negated() {
		return "NotAction"
	}
	return "Action"
}

// matches finds the entry that grants an action, the exact one first.
func (st *statement) matches(action string) (*entry, bool) {
	var found *entry
	if i, ok := st.exact[action]; ok {
		found = &st.entries[i]
	}
	for _, i := range st.wild {
		if found != nil {
			break
		}
		if e := &st.entries[i]; e.covers(action) {
			found = e
		}
	}
	if !st.negated() {
		return found, found != nil
	}
	if found != nil || len(st.entries) == 0 {
		return nil, false
	}
	return &st.entries[0], true
}

// covers matches a folded action.
func (e *entry) covers(action string) bool {
	if !e.wild {
		return e.folded == action
	}
	return e.folded == "*" || policy.Matches(e.folded, action)
}

// model is a document taken apart.
type model struct {
	doc        *policy.Document
	opts       *Options
	statements []*statement
	allow      []*statement
	deny       []*statement // without conditions, so that they subtract
	cat        *policy.Catalogue
	tables     *tables

	hits     map[string]*hit            // table actions that are granted, by folded name
	admin    *statement                 // an Allow of everything on everything
	guesses  int                        // how many spellings were looked for
	rights   int                        // for how many conditions it was looked up what they hold back
	sets     map[string]bool            // whether the actions of a pattern set a condition key
	reached  map[[2]string]reach        // by template and resource
	expanded map[string][]policy.Action // by pattern

	deadResources map[string]bool                  // whether a resource can match nothing
	needed        map[string][]policy.ResourceType // by action
	kinds         map[string]string                // of service's condition keys
}

// hit is an action of the tables with what grants it.
type hit struct {
	*known
	grants []grant // the widest first
}

// grant is one entry that grants an action, and how far.
type grant struct {
	*entry
	drop  int    // steps that resources and conditions take off the severity
	only  string // the resource it is limited to, "" for all
	guard *guard // with a condition that matters
	self  bool   // only on the caller's own user
	whole bool   // the entry is a service's wildcard, or "*"
}

func newModel(doc *policy.Document, opts *Options) *model {
	m := &model{doc: doc, opts: opts, cat: policy.AWS(), tables: data(), expanded: map[string][]policy.Action{},
		needed: map[string][]policy.ResourceType{}, kinds: map[string]string{}}
	for i := range doc.Statements {
		m.statements = append(m.statements, m.compile(&doc.Statements[i], i))
	}
	m.split()
	m.find(m.allow)
	return m
}

// with is the model of a changed document. What is compiled already is shared.
func (m *model) with(doc *policy.Document, statements []*statement) *model {
	out := &model{
		doc:           doc,
		opts:          m.opts,
		cat:           m.cat,
		tables:        m.tables,
		statements:    statements,
		sets:          m.sets,
		reached:       m.reached,
		expanded:      m.expanded,
		deadResources: m.deadResources,
		needed:        m.needed,
		kinds:         m.kinds,
		rights:        maxPutRight,
	}
	out.split()
	if !slices.Equal(out.deny, m.deny) {
		out.find(out.allow)
		return out
	}
	// What did not change grants what it did.
	out.hits = make(map[string]*hit, len(m.hits))
	for name, h := range m.hits {
		kept := &hit{known: h.known}
		for i := range h.grants {
			if slices.Contains(out.allow, h.grants[i].st) {
				kept.grants = append(kept.grants, h.grants[i])
			}
		}
		out.hits[name] = kept
	}
	out.find(slices.DeleteFunc(slices.Clone(out.allow), func(st *statement) bool { return slices.Contains(m.allow, st) }))
	return out
}

// again compiles a changed statement.
func (m *model) again(s policy.Statement, index int) *statement {
	return m.compile(&s, index)
}

func (m *model) compile(s *policy.Statement, index int) *statement {
	return compile(s, index, m.opts.Now)
}

// split sorts the statements by effect.
func (m *model) split() {
	for _, st := range m.statements {
		switch {
		case st.Effect == policy.Allow && !st.guard.never && st.void == "":
			m.allow = append(m.allow, st)
		case st.Effect == policy.Deny && len(st.Condition) == 0 && st.void == "":
			m.deny = append(m.deny, st)
		}
	}
}

// find collects the table actions that some statements grant.
func (m *model) find(statements []*statement) {
	if m.hits == nil {
		m.hits = map[string]*hit{}
	}
	// Those on everything come first, so that a crowd of others hides none.
	left := maxCrowd
	for _, star := range [...]bool{true, false} {
		for _, st := range statements {
			if st.star == star {
				left = m.findIn(st, left)
			}
		}
	}
	for name, h := range m.hits {
		if len(h.grants) == 0 {
			delete(m.hits, name)
			continue
		}
		if len(m.missingTypes(name)) > 0 {
			delete(m.hits, name)
			continue
		}
		if len(h.grants) > 1 {
			slices.SortStableFunc(h.grants, func(a, b grant) int { return a.drop - b.drop })
		}
	}
}

// maxCrowd bounds how many comparisons of wildcards with table actions are
// made. A document that AWS takes stays far below.
const maxCrowd = 100_000

// findIn looks into one statement and returns what is left of the bound.
func (m *model) findIn(st *statement, left int) int {
	if st.negated() {
		if left -= len(m.tables.all); left < 0 {
			return left
		}
		for _, k := range m.tables.all {
			if e, ok := st.matches(k.folded); ok {
				m.hit(k, st, e)
			}
		}
		return left
	}
	for i := range st.entries {
		e := &st.entries[i]
		if !e.wild {
			if k := m.tables.actions[e.folded]; k != nil {
				m.hit(k, st, e)
			}
			continue
		}
		all := m.tables.all
		if e.service != "" {
			all = m.tables.byService[e.service]
		}
		if left -= len(all); left >= 0 {
			m.findEntry(all, st, e)
		}
	}
	return left
}

func (m *model) findEntry(all []*known, st *statement, e *entry) {
	for _, k := range all {
		if e.covers(k.folded) {
			m.hit(k, st, e)
		}
	}
}

// maxGrants is how many grants of one action are kept.
const maxGrants = 16

func (m *model) hit(k *known, st *statement, e *entry) {
	h := m.hits[k.folded]
	if h != nil && len(h.grants) >= maxGrants {
		return
	}
	g, ok := m.grant(k.folded, st, e)
	if !ok {
		return
	}
	if h == nil {
		h = &hit{known: k}
		m.hits[k.folded] = h
	}
	h.grants = append(h.grants, g)
}

// grant measures how far a statement grants an action; false where it cannot.
func (m *model) grant(action string, st *statement, e *entry) (grant, bool) {
	if m.dead(st, action) {
		return grant{}, false
	}
	best, ok := m.widestResource(action, st)
	if !ok {
		return grant{}, false
	}
	best.entry = e
	best.whole = e.folded == "*" || strings.HasSuffix(e.folded, ":*") || st.negated()
	if st.guard.strong {
		best.drop++
		best.guard = &st.guard
	}
	return best, true
}

// widestResource is the resource of a statement on which an action reaches
// furthest.
func (m *model) widestResource(action string, st *statement) (grant, bool) {
	if st.services != nil && !st.star {
		service, _, _ := strings.Cut(action, ":")
		return grant{drop: 1, only: st.Resource[0]}, st.services[service] || st.services["*"]
	}
	best, ok := grant{}, false
	for _, r := range m.effective(action, st) {
		reach := m.reach(action, r)
		if !reach.applies || ok && reach.drop >= best.drop {
			continue
		}
		best, ok = grant{drop: reach.drop, self: reach.self}, true
		if reach.drop > 0 || reach.self {
			best.only = r
		}
		if reach.drop == 0 {
			break
		}
	}
	return best, ok
}

// maxDenials bounds how many denials are subtracted; the rest is not believed.
const maxDenials = 32

// effective lists the resources on which a statement grants an action, after
// the denials that hold without a condition.
func (m *model) effective(action string, st *statement) []string {
	if st.alive == nil {
		st.alive = m.live(st.Resource)
	}
	resources := st.alive
	if len(st.NotResource) > 0 {
		resources = []string{"*"}
		if m.wholeKinds(action, "*", m.live(st.NotResource)) {
			return nil
		}
	}
	for i, deny := range m.deny {
		if i == maxDenials {
			break
		}
		if _, ok := deny.matches(action); !ok || len(deny.Resource) > maxResources {
			continue
		}
		var left []string
		for _, r := range resources {
			left = append(left, m.subtract(action, r, deny)...)
		}
		resources = left
	}
	if len(st.NotResource) > 0 && len(st.NotResource) <= maxResources {
		resources = slices.DeleteFunc(resources, func(r string) bool {
			return slices.ContainsFunc(st.NotResource, func(not string) bool { return policy.CoversResource(not, r) })
		})
	}
	return resources
}

// wholeKinds reports whether a list, of a denial or of NotResource, names
// everything of a kind of resource that an action needs, or of all the kinds
// that a resource can be.
func (m *model) wholeKinds(action, resource string, list []string) bool {
	a, ok := m.cat.Action(action)
	if !ok || len(resource) >= maxARN || len(list) > maxResources {
		return false
	}
	whole := func(t policy.ResourceType) bool {
		return slices.ContainsFunc(list, func(d string) bool {
			parts := strings.SplitN(d, ":", 6)
			if len(parts) < 6 || len(d) >= maxARN || strings.Contains(d, "${") {
				return false
			}
			r := m.reachOf(t.ARN, d, parts)
			return r.applies && r.drop == 0 && !r.self
		})
	}
	if needed := m.typesOf(action); len(needed) > 0 {
		return slices.ContainsFunc(needed, whole)
	}
	parts := strings.SplitN(resource, ":", 6)
	reached := 0
	for _, r := range a.Resources() {
		if len(parts) == 6 && !m.reachOf(r.Type.ARN, resource, parts).applies {
			continue
		}
		if reached++; !whole(r.Type) {
			return false
		}
	}
	return reached > 0
}

// subtract is what a denial leaves of a resource: nothing, part, or all of it.
func (m *model) subtract(action, resource string, deny *statement) []string {
	if len(deny.NotResource) == 0 {
		if slices.ContainsFunc(deny.Resource, func(d string) bool { return policy.CoversResource(d, resource) }) ||
			m.wholeKinds(action, resource, deny.Resource) {
			return nil
		}
		return []string{resource}
	}
	var left []string
	for _, kept := range m.live(deny.NotResource) {
		switch {
		case policy.CoversResource(kept, resource):
			left = append(left, resource)
		case policy.CoversResource(resource, kept):
			left = append(left, kept)
		}
	}
	return left
}
