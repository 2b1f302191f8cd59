package review

import (
	"slices"
	"strconv"
	"strings"

	"rolecall/assets"
	"rolecall/policy"
)

// granted is one action that exists and that the document allows.
type granted struct {
	policy.Action
	*entry
	everywhere bool // on every resource, and no condition narrows it
	guarded    bool // on every resource, under a condition that narrows it
}

// sums counts actions by access level, in the order of policy.AccessLevel.
type sums [5]int

// expansion is what the allowing entries mean in actions that exist.
type expansion struct {
	actions []granted      // each once, in the order of the document; without the broad ones
	at      map[string]int // by name
	broad   []*statement   // statements that grant whole ranges: "*", NotAction
	matched map[*entry]int // how many actions each entry matches
	wide    bool           // so many services that their resources are not looked up
}

// maxServices is how many services are unpacked for their resources. A policy
// that names more is a reader's, or a bad one.
const maxServices = 64

// scopable reports whether an action can be limited to some resources.
func (x *expansion) scopable(g *granted) bool { return x.wide || len(g.Resources()) > 0 }

// maxPatterns is how many wildcards are looked up. The longest of AWS's own
// policies has half as many.
const maxPatterns = 1500

// expand looks the entries up. A "*" and a NotAction are only noted, since
// listing 22,000 actions helps nobody.
func (m *model) expand() *expansion {
	x := &expansion{actions: make([]granted, 0, 1024), at: make(map[string]int, 1024), matched: map[*entry]int{}}
	left := maxPatterns
	for _, st := range m.allow {
		if st.negated() {
			x.broad = append(x.broad, st)
			continue
		}
		for i := range st.entries {
			e := &st.entries[i]
			if allActions(e.folded) {
				x.broad = append(x.broad, st)
				x.add(m, m.spared(), st, e)
				x.matched[e] = 1
				continue
			}
			if e.wild {
				left--
			}
			if left < 0 {
				x.matched[e] = 1 // not looked up
				continue
			}
			x.add(m, m.lookUp(e.folded), st, e)
		}
	}
	x.actions = slices.DeleteFunc(x.actions, func(g granted) bool { return len(m.missingTypes(strings.ToLower(g.Name))) > 0 })
	services := map[*policy.Service]bool{}
	for i := range x.actions {
		services[x.actions[i].Service()] = true
	}
	x.wide = len(services) > maxServices
	return x
}

// spared lists what a Deny of all but some actions leaves of everything; nothing
// where there is no such Deny.
func (m *model) spared() []policy.Action {
	for _, deny := range m.deny {
		if !deny.negated() || !slices.ContainsFunc(deny.Resource, policy.EveryResource) {
			continue
		}
		var out []policy.Action
		for i := range deny.entries {
			out = append(out, m.lookUp(deny.entries[i].folded)...)
		}
		return out
	}
	return nil
}

// lookUp expands a pattern once for the document and all its changed versions.
func (m *model) lookUp(pattern string) []policy.Action {
	actions, ok := m.expanded[pattern]
	if !ok {
		actions = m.cat.Expand(pattern)
		m.expanded[pattern] = actions
	}
	return actions
}

func allActions(folded string) bool { return folded == "*" || folded == "*:*" }

func (x *expansion) add(m *model, actions []policy.Action, st *statement, e *entry) {
	x.matched[e] = len(actions)
	plainly := m.plainly(st)
	if plainly && m.dead(st, "") {
		return
	}
	star := st.star && len(st.NotResource) == 0
	everywhere := star && !st.guard.strong
	wide := everywhere
	for _, a := range actions {
		if !plainly {
			folded := strings.ToLower(a.Name)
			if !m.applies(folded, st) {
				continue
			}
			star = len(st.NotResource) == 0 && slices.ContainsFunc(m.effective(folded, st), policy.EveryResource)
			everywhere = wide && star
		}
		at, ok := x.at[a.Name]
		if !ok {
			x.at[a.Name] = len(x.actions)
			x.actions = append(x.actions, granted{Action: a, entry: e, everywhere: everywhere, guarded: star && st.guard.strong})
			continue
		}
		// The widest grant tells how bad it is, and of equals the exact entry.
		g := &x.actions[at]
		if everywhere && !g.everywhere || everywhere == g.everywhere && g.wild && !e.wild {
			*g = granted{Action: a, entry: e, everywhere: everywhere, guarded: star && st.guard.strong}
		}
	}
}

// counts says in numbers what the document grants.
func (m *model) counts(x *expansion) Counts {
	c := Counts{ByAccess: map[string]int{}, ByService: map[string]int{}}
	var total sums
	add := func(service string, s sums, sign int) {
		for level, n := range s {
			total[level] += sign * n
			c.ByService[service] += sign * n
		}
	}
	switch left, quick := x.leftOut(m); {
	case len(x.broad) == 0 || !quick:
		for i := range x.actions {
			add(x.actions[i].Service().Prefix, one(x.actions[i].Level), 1)
		}
		for _, a := range m.broadly(x) {
			add(a.Service().Prefix, one(a.Level), 1)
		}
	default:
		for service, s := range levels() {
			add(service, s, 1)
		}
		for _, a := range left {
			add(a.Service().Prefix, one(a.Level), -1)
		}
	}
	for _, st := range m.statements {
		c.Entries += len(st.entries)
	}
	for level, n := range total {
		c.Granted += n
		if n > 0 {
			c.ByAccess[policy.AccessLevel(level).String()] = n
		}
	}
	for service, n := range c.ByService {
		if n <= 0 {
			delete(c.ByService, service)
		}
	}
	for i := range x.actions {
		if g := &x.actions[i]; g.everywhere {
			c.OnEverything++
			if !x.wide && x.scopable(g) {
				c.Scopable++
			}
		}
	}
	return c
}

// leftOut lists the actions that the broad statements leave out and nothing
// else grants. It is quick where those statements grant all the rest, which is
// then counted without looking at each; false where they do not.
func (x *expansion) leftOut(m *model) (map[string]policy.Action, bool) {
	left := map[string]policy.Action{}
	for i, st := range x.broad {
		if !m.plainly(st) || len(st.NotResource) > 0 || m.dead(st, "") {
			return nil, false
		}
		out := map[string]policy.Action{}
		for j := range st.entries {
			if !st.negated() {
				break // "*": nothing
			}
			for _, a := range m.cat.Expand(st.entries[j].folded) {
				if _, before := left[a.Name]; i == 0 || before {
					out[a.Name] = a
				}
			}
		}
		left = out
	}
	for i := range x.actions {
		delete(left, x.actions[i].Name)
	}
	return left, true
}

// maxDenied is how many entries of denials and exceptions are compared with
// every action there is. Documents within IAM's quotas hold fewer.
const maxDenied = 2000

// broadly lists the actions that broad statements grant, one by one, beyond
// those that are listed already.
func (m *model) broadly(x *expansion) []policy.Action {
	var out []policy.Action
	entries := 0
	for _, st := range slices.Concat(x.broad, m.deny) {
		entries += len(st.entries)
	}
	if len(x.broad) == 0 || entries > maxDenied {
		return nil
	}
	for _, s := range m.cat.Services() {
		near := slices.DeleteFunc(slices.Clone(x.broad), func(st *statement) bool { return !st.mayTouch(s.Prefix) })
		if len(near) == 0 {
			continue
		}
		for _, a := range s.Actions() {
			if _, listed := x.at[a.Name]; !listed && m.grantedBy(near, strings.ToLower(a.Name)) {
				out = append(out, a)
			}
		}
	}
	return out
}

func (m *model) grantedBy(statements []*statement, action string) bool {
	return slices.ContainsFunc(statements, func(st *statement) bool {
		_, ok := st.matches(action)
		return ok && m.applies(action, st) && (st.star || len(m.missingTypes(action)) == 0)
	})
}

// applies reports whether a statement that matches an action can grant it: its
// conditions can hold, a denial does not take all, and a resource can be one of
// the action's service. Which kind of resource it has to be is not asked here:
// s3:* on a bucket counts with its actions on objects.
func (m *model) applies(action string, st *statement) bool {
	if m.dead(st, action) {
		return false
	}
	if st.services != nil && !st.star {
		_, ok := m.widestResource(action, st)
		return ok
	}
	service, _, _ := strings.Cut(action, ":")
	return slices.ContainsFunc(m.effective(action, st), func(r string) bool {
		parts := strings.SplitN(r, ":", 4)
		return len(parts) < 4 || strings.EqualFold(parts[2], service) || strings.ContainsAny(parts[2], "*?$") || m.reach(action, r).applies
	})
}

// mayTouch reports, without unpacking anything, whether a statement's resources
// can belong to a service.
func (st *statement) mayTouch(service string) bool {
	if st.star || borrowing()[service] {
		return true
	}
	return slices.ContainsFunc(st.Resource, func(r string) bool {
		parts := strings.SplitN(r, ":", 4)
		return len(parts) < 3 || !foreign(service, strings.ToLower(parts[2]))
	})
}

func one(level policy.AccessLevel) sums {
	var s sums
	s[level] = 1
	return s
}

// levels reads how many actions each service has at each access level. The
// catalogue knows too, but would have to unpack everything.
func levels() map[string]sums {
	out := map[string]sums{}
	eachLine(assets.ReviewLevels, func(fields []string) {
		var s sums
		for i, n := range strings.Fields(fields[1]) {
			s[i], _ = strconv.Atoi(n) // A test compares every number with the catalogue.
		}
		out[fields[0]] = s
	})
	return out
}
