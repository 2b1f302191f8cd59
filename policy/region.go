package policy

import (
	"slices"
	"strings"
)

// region is what a statement allows or denies, as a product: every one of its
// actions on every one of its resources, for every principal, under its
// conditions. It is never multiplied out: a statement of a few kilobytes would
// make millions of combinations.
type region struct {
	sid   string
	index int

	actions    []string // folded patterns, each once; nil with notAction
	written    []string // the actions as they were written
	notAction  []string // folded
	resources  []string // {""} in trust policies; nil with notRes
	notRes     []string
	principals []string
	conditions []Condition // in one spelling
	source     []Condition // as they were written

	exact         map[string]bool // the actions without a wildcard
	wild          []string        // and those with one
	exactResource map[string]bool
	wildResource  []string // with a wildcard or a variable
}

// regionsOf takes a document apart by effect. A statement that can hold nothing
// (NotAction or NotResource of everything) is left out.
func regionsOf(d *Document) (allow, deny []*region) {
	for i := range d.Statements {
		r := regionOf(&d.Statements[i], i)
		switch {
		case r == nil:
		case d.Statements[i].Effect == Allow:
			allow = append(allow, r)
		default:
			deny = append(deny, r)
		}
	}
	return allow, deny
}

func regionOf(s *Statement, index int) *region {
	r := &region{sid: s.Sid, index: index, principals: s.principalKeys(), source: s.Condition}
	if len(s.NotAction) > 0 {
		r.notAction, _ = foldedOnce(s.NotAction)
	} else {
		r.actions, r.written = foldedOnce(orOne(s.Action))
	}
	if len(s.NotResource) > 0 {
		r.notRes = s.NotResource
	} else {
		r.resources = once(orOne(s.Resource))
	}
	if slices.Contains(r.notAction, "*") || slices.ContainsFunc(r.notRes, EveryResource) {
		return nil
	}
	for i := range s.Condition {
		r.conditions = append(r.conditions, s.Condition[i].oneSpelling())
	}
	r.exact, r.wild = indexed(r.actions)
	r.exactResource, r.wildResource = indexed(r.resources)
	return r
}

// indexed keeps what can only equal another apart from what has to be compared.
func indexed(list []string) (exact map[string]bool, wild []string) {
	exact = make(map[string]bool, len(list))
	for _, v := range list {
		exact[v] = true // a pattern covers itself
		if strings.ContainsAny(v, "*?$") {
			wild = append(wild, v)
		}
	}
	return exact, wild
}

func foldedOnce(actions []string) (folded, written []string) {
	seen := make(map[string]bool, len(actions))
	for _, a := range actions {
		f := foldAction(a)
		if !seen[f] {
			seen[f] = true
			folded, written = append(folded, f), append(written, a)
		}
	}
	return folded, written
}

func once(values []string) []string {
	seen := make(map[string]bool, len(values))
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool {
		before := seen[v]
		seen[v] = true
		return before
	})
}

// EveryResource reports whether a pattern matches every resource there is: "*",
// and runs of wildcards such as "?*" that no ARN is too short for.
func EveryResource(pattern string) bool {
	return pattern == "*" || strings.Contains(pattern, "*") && strings.Trim(pattern, "*?") == "" && len(pattern) < 12
}

// dims are the lengths of the region's lists: actions, resources, principals, and
// the values of each condition.
func (r *region) dims() []int {
	dims := []int{max(1, len(r.actions)), max(1, len(r.resources)), len(r.principals)}
	for i := range r.conditions {
		n := 1
		if r.conditions[i].splits() {
			n = len(r.conditions[i].Values)
		}
		dims = append(dims, n)
	}
	return dims
}

// splits reports whether a condition with several values says the same as
// several statements with one value each.
func (c *Condition) splits() bool {
	_, set, _ := c.Base()
	return len(c.Values) > 1 && !c.Negated() && set != "ForAllValues"
}

// box is the part of a region that another one covers: of each dimension the
// elements that are covered. Its elements combine freely.
type box [][]bool

// full reports whether a box holds all of the dimensions from one on.
func (b box) full(from int) bool {
	return !slices.ContainsFunc(b[from:], func(dim []bool) bool { return slices.Contains(dim, false) })
}

// comparer covers regions with regions within a bound of work.
type comparer struct {
	left    int // of maxWork
	bounded bool
}

// maxWork bounds a comparison, counted in comparisons of patterns with each
// other. The largest policies of real accounts take a hundredth; the bound takes
// about half a second.
const maxWork = 3_000_000

func newComparer() *comparer {
	return &comparer{left: maxWork}
}

// spend takes work off the bound; false where nothing is left.
func (c *comparer) spend(n int) bool {
	c.left -= n
	if c.left < 0 {
		c.bounded = true
	}
	return c.left >= 0
}

// weight is what comparing two patterns costs: short ones count once.
func weight(wide, narrow string) int {
	if !strings.ContainsAny(wide, "*?$") {
		return 1
	}
	return 2 + len(wide)*len(narrow)/512
}

// boxesOf lists what of a region a list of others covers. With action, the
// region is looked at for that one action alone.
func (c *comparer) boxesOf(r *region, by []*region, action string) []box {
	dims := r.dims()
	if action != "" {
		dims[0] = 1
	}
	var out []box
	for _, b := range by {
		if c.bounded {
			return nil
		}
		out = append(out, c.boxOf(r, b, dims, action)...)
	}
	return out
}

func (c *comparer) boxOf(r, by *region, dims []int, action string) []box {
	base := make(box, len(dims))
	base[0] = c.coveredActions(r, by, action)
	if !slices.Contains(base[0], true) {
		return nil
	}
	base[1] = c.coveredResources(r, by)
	base[2] = make([]bool, len(r.principals))
	for i, p := range r.principals {
		if !c.spend(len(by.principals)) {
			return nil
		}
		base[2][i] = slices.ContainsFunc(by.principals, func(b string) bool { return coversPrincipal(b, p) })
	}
	if !slices.Contains(base[1], true) || !slices.Contains(base[2], true) {
		return nil
	}
	for i := 3; i < len(dims); i++ {
		base[i] = slices.Repeat([]bool{true}, dims[i])
	}
	return c.underConditions(r, by, []box{base})
}

// maxBoxes bounds in how many ways one region's conditions can follow from
// another's.
const maxBoxes = 16

// underConditions keeps of some boxes what satisfies all conditions of a
// region. Where several of r's conditions satisfy one of them, each makes a box.
func (c *comparer) underConditions(r, by *region, boxes []box) []box {
	for i := range by.conditions {
		wanted := &by.conditions[i]
		var next []box
		for j := range r.conditions {
			held := c.satisfying(&r.conditions[j], wanted, len(boxes[0][3+j]))
			if !slices.Contains(held, true) {
				continue
			}
			for _, b := range boxes {
				if one := b.within(3+j, held); one != nil && len(next) < maxBoxes {
					next = append(next, one)
				}
			}
			if !slices.Contains(held, false) {
				break // All of it: no other way gives more.
			}
		}
		if len(next) == 0 {
			return nil
		}
		boxes = next
	}
	return boxes
}

// within is a box cut down in one dimension; nil where nothing is left.
func (b box) within(dim int, held []bool) box {
	cut := make([]bool, len(held))
	for i := range held {
		cut[i] = held[i] && b[dim][i]
	}
	if !slices.Contains(cut, true) {
		return nil
	}
	out := slices.Clone(b)
	out[dim] = cut
	return out
}

// satisfying tells for each value of a condition that splits, or for the whole
// of another, whether whoever meets it meets the wanted one.
func (c *comparer) satisfying(have, wanted *Condition, n int) []bool {
	out := make([]bool, n)
	if !strings.EqualFold(have.Key, wanted.Key) {
		return out
	}
	if !have.splits() {
		if c.spend(1 + len(have.Values)*len(wanted.Values)) {
			out[0] = have.impliesSpelled(wanted)
		}
		return out
	}
	one := *have
	for i, v := range have.Values {
		if !c.spend(1 + len(wanted.Values)) {
			return out
		}
		one.Values = []string{v}
		out[i] = one.impliesSpelled(wanted)
	}
	return out
}

// coveredActions tells for each action of a region whether another region has
// it.
func (c *comparer) coveredActions(r, by *region, action string) []bool {
	if len(r.notAction) > 0 && action == "" {
		return []bool{c.coversAllBut(by, r.notAction)}
	}
	list := r.actions
	if action != "" {
		list = []string{action}
	}
	out := make([]bool, len(list))
	for i, a := range list {
		out[i] = c.hasAction(by, a)
	}
	return out
}

func (c *comparer) coversAllBut(by *region, notAction []string) bool {
	if len(by.notAction) == 0 {
		return slices.Contains(by.actions, "*")
	}
	return c.spend(len(by.notAction)*len(notAction)) && allCovered(by.notAction, notAction, coversAction)
}

// hasAction reports whether a region holds all that a folded pattern matches.
func (c *comparer) hasAction(by *region, action string) bool {
	if len(by.notAction) > 0 {
		return !slices.ContainsFunc(by.notAction, func(n string) bool { return !c.spend(weight(n, action)) || overlapAction(n, action) })
	}
	if by.exact[action] {
		return c.spend(1)
	}
	return !c.bounded && slices.ContainsFunc(by.wild, func(b string) bool { return c.coversAction(b, action) })
}

func overlapAction(a, b string) bool { return a == "*" || b == "*" || Overlaps(a, b) }

func (c *comparer) coversAction(wide, narrow string) bool {
	if wide == narrow || wide == "*" {
		return c.spend(1)
	}
	if !c.spend(1) || !strings.ContainsAny(wide, "*?") || !sameStart(wide, narrow) {
		return false
	}
	return c.spend(weight(wide, narrow)) && Covers(wide, narrow)
}

// sameStart compares what stands before the first wildcard of either pattern.
func sameStart(a, b string) bool {
	for i := range min(len(a), len(b)) {
		if a[i] == '*' || a[i] == '?' || b[i] == '*' || b[i] == '?' {
			return true
		}
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (c *comparer) coveredResources(r, by *region) []bool {
	switch {
	case len(r.notRes) > 0 && len(by.notRes) > 0:
		return []bool{c.spend(len(r.notRes)*len(by.notRes)) && allCovered(by.notRes, r.notRes, CoversResource)}
	case len(r.notRes) > 0:
		return []bool{slices.ContainsFunc(by.resources, EveryResource)}
	}
	out := make([]bool, len(r.resources))
	for i, resource := range r.resources {
		out[i] = c.hasResource(by, resource)
	}
	return out
}

func (c *comparer) hasResource(by *region, resource string) bool {
	if len(by.notRes) > 0 {
		return !slices.ContainsFunc(by.notRes, func(n string) bool { return !c.spend(weight(n, resource)) || resourcesOverlap(n, resource) })
	}
	if by.exactResource[resource] {
		return c.spend(1)
	}
	return !c.bounded && slices.ContainsFunc(by.wildResource, func(b string) bool { return c.coversResource(b, resource) })
}

func (c *comparer) coversResource(wide, narrow string) bool {
	if wide == narrow || EveryResource(wide) {
		return c.spend(1)
	}
	if !c.spend(1) || !strings.ContainsAny(wide, "*?$") || !sameStart(wide, narrow) {
		return false
	}
	return c.spend(weight(wide, narrow)) && CoversResource(wide, narrow)
}

// union reports whether boxes together hold all of the dimensions from one on.
// Elements that lie in the same boxes are looked at once.
func (c *comparer) union(boxes []box, from int) bool {
	if slices.ContainsFunc(boxes, func(b box) bool { return b.full(from) }) {
		return true
	}
	if len(boxes) < 2 || from == len(boxes[0]) {
		return false
	}
	for _, group := range c.alike(boxes, from) {
		if !c.union(group.boxes, from+1) {
			return false
		}
	}
	return true
}

// group is elements of one dimension that lie in the same boxes.
type group struct {
	elements []int
	boxes    []box
}

func (c *comparer) alike(boxes []box, dim int) []group {
	var out []group
	at := map[string]int{}
	signature := make([]byte, len(boxes))
	for element := range boxes[0][dim] {
		if !c.spend(1 + len(boxes)/8) {
			return []group{{}} // not covered, as far as is known
		}
		for i, b := range boxes {
			signature[i] = '0'
			if b[dim][element] {
				signature[i] = '1'
			}
		}
		n, ok := at[string(signature)]
		if !ok {
			n = len(out)
			at[string(signature)] = n
			out = append(out, group{boxes: slices.DeleteFunc(slices.Clone(boxes), func(b box) bool { return !b[dim][element] })})
		}
		out[n].elements = append(out[n].elements, element)
	}
	return out
}

// uncovered lists the actions of a region (places in its list, 0 of a
// NotAction) that others do not cover on all its resources, for all its
// principals and under all its conditions.
func (c *comparer) uncovered(r *region, by []*region) []int {
	boxes := c.boxesOf(r, by, "")
	if len(boxes) == 0 {
		out := make([]int, max(1, len(r.actions)))
		for i := range out {
			out[i] = i
		}
		return out
	}
	var out []int
	for _, g := range c.alike(boxes, 0) {
		if len(g.boxes) == 0 || !c.union(g.boxes, 1) {
			out = append(out, g.elements...)
		}
	}
	slices.Sort(out)
	return out
}

// covered reports whether others cover a region for one action.
func (c *comparer) covered(r *region, action string, by []*region) bool {
	boxes := c.boxesOf(r, by, action)
	return len(boxes) > 0 && c.union(boxes, 1)
}

// meets reports whether two regions can have a request in common.
func (c *comparer) meets(a, b *region) bool {
	return c.actionsMeet(a, b) && c.resourcesMeet(a, b) && principalsMeet(a, b) && !conditionsExclude(a.conditions, b.conditions)
}

func (c *comparer) actionsMeet(a, b *region) bool {
	switch {
	case len(a.notAction) > 0 && len(b.notAction) > 0:
		return true
	case len(a.notAction) > 0:
		return c.actionsMeet(b, a)
	}
	return slices.ContainsFunc(a.actions, func(action string) bool { return c.touches(b, action) })
}

// touches reports whether a region holds something that a pattern matches.
func (c *comparer) touches(r *region, action string) bool {
	if len(r.notAction) > 0 {
		return !slices.ContainsFunc(r.notAction, func(n string) bool { return c.coversAction(n, action) })
	}
	if r.exact[action] || c.bounded {
		return true
	}
	own := r.wild
	if strings.ContainsAny(action, "*?") {
		own = r.actions
	}
	return slices.ContainsFunc(own, func(own string) bool {
		return !c.spend(1) ||
			(own == "*" || action == "*" || sameStart(own, action)) && (!c.spend(weight("*", own)) || overlapAction(own, action))
	})
}

func (c *comparer) resourcesMeet(a, b *region) bool {
	switch {
	case len(a.notRes) > 0 && len(b.notRes) > 0:
		return true
	case len(a.notRes) > 0:
		return c.resourcesMeet(b, a)
	}
	return slices.ContainsFunc(a.resources, func(resource string) bool {
		if len(b.notRes) > 0 {
			return !slices.ContainsFunc(b.notRes, func(n string) bool { return c.coversResource(n, resource) })
		}
		if b.exactResource[resource] || c.bounded {
			return true
		}
		return slices.ContainsFunc(b.resources, func(own string) bool { return !c.spend(weight("*", own)) || resourcesOverlap(own, resource) })
	})
}

func principalsMeet(a, b *region) bool {
	return slices.ContainsFunc(a.principals, func(p string) bool {
		return slices.ContainsFunc(b.principals, func(q string) bool {
			kind, _, _ := strings.Cut(p, " ")
			other, _, _ := strings.Cut(q, " ")
			return p == q || kind == "not" || other == "not" || kind == "*" || other == "*" || kind == "AWS" && other == "AWS"
		})
	})
}

// Nothing reports whether nothing is left of what a document allows after some
// denials.
func Nothing(d *Document, denials []Statement) bool {
	c := newComparer()
	allow, _ := regionsOf(d)
	var deny []*region
	for i := range denials {
		if r := regionOf(&denials[i], i); r != nil {
			deny = append(deny, r)
		}
	}
	return !slices.ContainsFunc(allow, func(r *region) bool { return len(c.uncovered(r, deny)) > 0 })
}
