package policy

import (
	"slices"
	"strings"
)

// maxMinified bounds the work to twice what all managed policies of a role hold.
const maxMinified = 2 * MaxAttached * MaxManaged

// Minify returns the shortest document found that grants exactly the same, now
// and after AWS adds actions: entries that another covers go, statements that
// can share their lists are joined, Sids go, and single values stand alone. It
// invents no wildcard. A document with principals, and one far beyond every
// quota, is returned as it is.
func (d *Document) Minify() *Document {
	if slices.ContainsFunc(d.Statements, func(s Statement) bool { return s.Principal != nil || s.NotPrincipal != nil }) {
		return d
	}
	if d.tooLarge() || len(d.Compact()) > maxMinified {
		return d
	}
	blocks := joinAll(joinAlike(trimmed(blocksOf(d))))
	out := &Document{Version: d.Version, ID: d.ID, bare: len(blocks) == 1}
	for _, b := range blocks {
		out.Statements = append(out.Statements, b.statement())
	}
	if len(out.Statements) == 0 || out.Characters() >= d.Characters() {
		return d // Only Allows that a Deny takes back, or nothing to gain.
	}
	return out
}

// block is a statement that is being minified.
type block struct {
	effect              Effect
	actions, notActions entries
	resources, notRes   []string
	conditions          []Condition
}

// entries is a list of action patterns without those that another covers.
type entries struct {
	written []string // in the order of their first mention
	folded  []string
	exact   map[string]bool // folded names without wildcards
	wild    []string        // folded patterns with wildcards
}

func entriesOf(lists ...[]string) entries {
	var wild, all, folded []string
	for _, list := range lists {
		for _, a := range list {
			f := foldAction(a)
			all, folded = append(all, a), append(folded, f)
			if strings.ContainsAny(f, "*?") {
				wild = append(wild, f)
			}
		}
	}
	wild = widest(wild, CoversAction)
	e := entries{exact: map[string]bool{}, wild: wild}
	seen := map[string]bool{}
	for i, f := range folded {
		redundant := seen[f] || slices.ContainsFunc(wild, func(w string) bool { return w != f && coversAction(w, f) })
		if redundant {
			continue
		}
		seen[f] = true
		e.written, e.folded = append(e.written, all[i]), append(e.folded, f)
		if !strings.ContainsAny(f, "*?") {
			e.exact[f] = true
		}
	}
	return e
}

// covers reports whether one of the entries covers a folded pattern.
func (e *entries) covers(folded string) bool {
	return e.exact[folded] || slices.ContainsFunc(e.wild, func(w string) bool { return coversAction(w, folded) })
}

// without takes entries out.
func (e *entries) without(gone func(folded string) bool) entries {
	var left []string
	for i, f := range e.folded {
		if !gone(f) {
			left = append(left, e.written[i])
		}
	}
	if len(left) == len(e.written) {
		return *e
	}
	return entriesOf(left)
}

func blocksOf(d *Document) []block {
	out := make([]block, 0, len(d.Statements))
	for i := range d.Statements {
		s := &d.Statements[i]
		out = append(out, block{
			effect:     s.Effect,
			actions:    entriesOf(s.Action),
			notActions: entriesOf(s.NotAction),
			resources:  widest(s.Resource, CoversResource),
			notRes:     widest(s.NotResource, CoversResource),
			conditions: s.Condition,
		})
	}
	return out
}

// widest leaves out what another entry of the list covers.
func widest(values []string, covers func(wide, narrow string) bool) []string {
	var out []string
	for i, v := range values {
		covered := false
		for j, w := range values {
			// Of two that cover each other the first stays.
			if i != j && covers(w, v) && (j < i || !covers(v, w)) {
				covered = true
				break
			}
		}
		if !covered {
			out = append(out, v)
		}
	}
	return out
}

// grantsFor lists what one folded action grants on some of a block's
// resources; "" stands for what NotAction leaves.
func (b *block) grantsFor(folded string, resources []string) []grant {
	out := make([]grant, 0, len(resources))
	for _, resource := range orOne(resources) {
		out = append(out, grant{action: folded, notAction: b.notActions.folded, resource: resource, notRes: b.notRes, conditions: b.conditions})
	}
	return out
}

// covered reports whether other blocks of the same effect, or a Deny, cover a
// grant, each grant by one of them.
func covered(g *grant, effect Effect, blocks []block, skip int) bool {
	for i := range blocks {
		b := &blocks[i]
		if i != skip && (b.effect == effect || b.effect == Deny) && b.covers(g) {
			return true
		}
	}
	return false
}

func (b *block) covers(g *grant) bool {
	return b.coversAction(g) && b.coversResource(g) && implies(g.conditions, b.conditions)
}

func (b *block) coversAction(g *grant) bool {
	if len(b.notActions.folded) > 0 || len(g.notAction) > 0 {
		probe := grant{notAction: b.notActions.folded}
		if slices.Contains(b.actions.wild, "*") {
			probe.action = "*"
		}
		return probe.coversAction(g)
	}
	return b.actions.covers(g.action)
}

func (b *block) coversResource(g *grant) bool {
	return slices.ContainsFunc(orOne(b.resources), func(resource string) bool {
		probe := grant{resource: resource, notRes: b.notRes}
		return probe.coversResource(g)
	})
}

// trimmed takes out, one after the other, the actions and then the resources
// of each block that other blocks cover. What is taken out no longer covers
// anything, so nothing is lost in a circle.
func trimmed(blocks []block) []block {
	for i := len(blocks) - 1; i >= 0; i-- {
		b := &blocks[i]
		gone := func(grants []grant) bool {
			return !slices.ContainsFunc(grants, func(g grant) bool { return !covered(&g, b.effect, blocks, i) })
		}
		if len(b.actions.folded) == 0 {
			if gone(b.grantsFor("", b.resources)) {
				blocks = slices.Delete(blocks, i, i+1)
			}
			continue
		}
		b.actions = b.actions.without(func(folded string) bool { return gone(b.grantsFor(folded, b.resources)) })
		if len(b.actions.folded) == 0 {
			blocks = slices.Delete(blocks, i, i+1)
			continue
		}
		b.resources = slices.DeleteFunc(slices.Clone(b.resources), func(resource string) bool {
			return !slices.ContainsFunc(b.actions.folded, func(folded string) bool {
				return !gone(b.grantsFor(folded, []string{resource}))
			})
		})
	}
	return blocks
}

// joinAlike joins blocks that differ in their actions alone: that always saves
// characters, and leaves few for joinAll to compare with each other.
func joinAlike(blocks []block) []block {
	at := map[string]int{}
	lists := map[int][][]string{}
	var out []block
	for _, b := range blocks {
		rest := Statement{Effect: b.effect, NotAction: b.notActions.folded, Resource: b.resources, NotResource: b.notRes, Condition: b.conditions}
		key := string(canonicalJSON(rest.canonical()))
		n, ok := at[key]
		if !ok || len(b.actions.folded) == 0 {
			n = len(out)
			at[key] = n
			out = append(out, b)
		}
		lists[n] = append(lists[n], b.actions.written)
	}
	for n := range out {
		if len(lists[n]) > 1 {
			out[n].actions = entriesOf(lists[n]...)
		}
	}
	return out
}

// joinAll joins blocks as long as that saves characters, the most first. What
// the blocks grant together stays the same, so a pair is judged once.
func joinAll(blocks []block) []block {
	type pair struct{ i, j int }
	type gain struct {
		saved int
		with  block
	}
	gains := map[pair]gain{}
	dead := make([]bool, len(blocks))
	judge := func(i, j int) {
		joined, ok := join(blocks, dead, i, j)
		if !ok {
			return
		}
		if saved := blocks[i].size() + blocks[j].size() - joined.size(); saved > 0 {
			gains[pair{i, j}] = gain{saved, joined}
		}
	}
	for i := range blocks {
		for j := i + 1; j < len(blocks); j++ {
			judge(i, j)
		}
	}
	for len(gains) > 0 {
		var best pair
		for p, g := range gains {
			if b := gains[best]; g.saved > b.saved || g.saved == b.saved && (p.i < best.i || p.i == best.i && p.j < best.j) {
				best = p
			}
		}
		blocks[best.i], dead[best.j] = gains[best].with, true
		for p := range gains {
			if p.i == best.i || p.j == best.i || p.i == best.j || p.j == best.j {
				delete(gains, p)
			}
		}
		for k := range blocks {
			if k != best.i && !dead[k] {
				judge(min(k, best.i), max(k, best.i))
			}
		}
	}
	var out []block
	for i := range blocks {
		if !dead[i] {
			out = append(out, blocks[i])
		}
	}
	return out
}

// join makes one block of two where that grants nothing new: they differ in
// one list only, or what the wider block adds is granted elsewhere.
func join(blocks []block, dead []bool, i, j int) (block, bool) {
	a, b := &blocks[i], &blocks[j]
	if a.effect != b.effect {
		return block{}, false
	}
	if !implies(a.conditions, b.conditions) || !implies(b.conditions, a.conditions) {
		return joinConditions(a, b)
	}
	if len(a.notActions.folded)+len(b.notActions.folded)+len(a.notRes)+len(b.notRes) > 0 {
		return joinNegated(a, b)
	}
	joined := *a
	joined.actions = entriesOf(a.actions.written, b.actions.written)
	joined.resources = widest(slices.Concat(a.resources, b.resources), CoversResource)
	if sameSet(a.resources, b.resources) || sameSet(a.actions.folded, b.actions.folded) {
		return joined, true
	}
	alive := func(k int) bool { return !dead[k] && blocks[k].effect == a.effect }
	for _, folded := range joined.actions.folded {
		for _, g := range joined.grantsFor(folded, joined.resources) {
			granted := false
			for k := range blocks {
				granted = granted || alive(k) && blocks[k].covers(&g)
			}
			if !granted {
				return block{}, false
			}
		}
	}
	return joined, true
}

// joinNegated joins blocks under the same conditions whose actions, negated or
// not, are the same and whose resources are lists, and the other way round.
func joinNegated(a, b *block) (block, bool) {
	joined := *a
	switch {
	case len(a.notRes)+len(b.notRes) == 0 && a.sameActions(b):
		joined.resources = widest(slices.Concat(a.resources, b.resources), CoversResource)
		return joined, true
	case len(a.notActions.folded)+len(b.notActions.folded) == 0 && a.sameResources(b):
		joined.actions = entriesOf(a.actions.written, b.actions.written)
		return joined, true
	}
	return block{}, false
}

func (b *block) sameActions(c *block) bool {
	return sameSet(b.actions.folded, c.actions.folded) && sameSet(b.notActions.folded, c.notActions.folded)
}

func (b *block) sameResources(c *block) bool {
	return sameSet(b.resources, c.resources) && sameSet(b.notRes, c.notRes)
}

// joinConditions joins two blocks that differ only in the values of one
// condition, where values are ORed.
func joinConditions(a, b *block) (block, bool) {
	if len(a.conditions) != len(b.conditions) || !a.sameActions(b) || !a.sameResources(b) {
		return block{}, false
	}
	joined := *a
	joined.conditions = slices.Clone(a.conditions)
	differ := 0
	for i := range joined.conditions {
		c := &joined.conditions[i]
		at := slices.IndexFunc(b.conditions, func(d Condition) bool {
			return d.Operator == c.Operator && strings.EqualFold(d.Key, c.Key)
		})
		if at < 0 {
			return block{}, false
		}
		other := &b.conditions[at]
		if c.implies(other) && other.implies(c) {
			continue
		}
		_, set, _ := c.Base()
		if c.Negated() || set == "ForAllValues" || len(c.Values) == 0 || len(other.Values) == 0 {
			return block{}, false
		}
		differ++
		c.Values = unique(append(slices.Clone(c.Values), other.Values...))
	}
	return joined, differ == 1
}

func unique(values []string) []string {
	var out []string
	for _, v := range values {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// sameSet compares lists without repetitions, whatever their order.
func sameSet(a, b []string) bool {
	return len(a) == len(b) && slices.Equal(sorted(a), sorted(b))
}

func (b *block) size() int {
	s := b.statement()
	return s.Size()
}

func (b *block) statement() Statement {
	conditions := slices.Clone(b.conditions)
	for i := range conditions {
		conditions[i].scalar = true
	}
	return Statement{
		Effect:      b.effect,
		Action:      b.actions.written,
		NotAction:   b.notActions.written,
		Resource:    b.resources,
		NotResource: b.notRes,
		Condition:   conditions,
		form:        form{scalar: map[string]bool{"Action": true, "NotAction": true, "Resource": true, "NotResource": true}},
	}
}
