package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// found is a path that the document opens.
type found struct {
	*path
	hits  []*hit   // one for each action of the path, with its grants
	picks []*grant // the grant of each that opens the path widest
	drop  int
}

// escalations finds the paths, groups them by what to limit, and says them.
func (m *model) escalations() []Finding {
	paths := m.openPaths()
	total := len(paths)
	var out []Finding
	for len(paths) > 0 {
		root, group, rest := groupByRoot(paths)
		f := m.escalation(root, group)
		f.Closes, f.Of = len(group), total
		if group[0].low && slices.ContainsFunc(out, func(g Finding) bool { return contains(g.Actions, f.Actions) }) {
			f.Severity, f.PartOf = Note, out[0].ID
		}
		out = append(out, f)
		paths = rest
	}
	if f, ok := m.lonePassRole(out); ok {
		out = append(out, f)
	}
	return out
}

// contains reports whether a list has all of another.
func contains(list, all []string) bool {
	return !slices.ContainsFunc(all, func(a string) bool { return !slices.Contains(list, a) })
}

func (m *model) openPaths() []*found {
	var out []*found
	for _, p := range m.tables.paths {
		if f, ok := m.open(p); ok {
			out = append(out, f)
		}
	}
	return append(out, m.openPairs(out)...)
}

// open reports whether every action of a path is granted.
func (m *model) open(p *path) (*found, bool) {
	f := &found{path: p}
	for _, alternatives := range p.actions {
		h, g := m.widest(alternatives, p)
		if g == nil {
			return nil, false
		}
		f.hits, f.picks = append(f.hits, h), append(f.picks, g)
		f.drop = max(f.drop, g.drop)
	}
	return f, true
}

// widest picks the alternative that is granted furthest, and its grant.
func (m *model) widest(alternatives []string, p *path) (*hit, *grant) {
	var bestHit *hit
	var best *grant
	for _, action := range alternatives {
		h := m.hits[action]
		if h == nil {
			continue
		}
		for i := range h.grants {
			g := &h.grants[i]
			if !usable(g, action, p) || best != nil && g.drop >= best.drop {
				continue
			}
			bestHit, best = h, g
		}
	}
	return bestHit, best
}

// usable leaves out grants that cannot open the path: a role that the service
// is not handed, a user's own keys and passwords, one role named in full.
func usable(g *grant, action string, p *path) bool {
	switch {
	case action == passRole && p.pass:
		return g.guard.passes(p.principals)
	case g.self:
		return action == "iam:putuserpolicy" || action == "iam:attachuserpolicy"
	case action == "sts:assumerole":
		return g.only == "" || strings.ContainsAny(g.only, "*?") && g.drop < 2
	}
	return true
}

// openPairs makes paths of iam:PassRole and the services that are in no list
// of paths but run what the caller chooses.
func (m *model) openPairs(already []*found) []*found {
	pass := m.hits[passRole]
	if pass == nil {
		return nil
	}
	labels := map[string]bool{}
	for _, f := range already {
		if f.pass {
			labels[f.label] = true
		}
	}
	var out []*found
	for _, k := range m.tables.pairs {
		if labels[k.pair.label] || m.hits[k.folded] == nil {
			continue
		}
		p := &path{id: "pass-to-" + k.pair.service, actions: [][]string{{passRole}, {k.folded}}, pass: true,
			principals: k.pair.principals, label: k.pair.label}
		if f, ok := m.open(p); ok {
			labels[k.pair.label] = true
			out = append(out, f)
		}
	}
	return out
}

// rootOf is what somebody would limit to close a path: the entry as written
// where a wildcard gives the action, else the action.
func rootOf(g *grant, h *hit) string {
	switch {
	case g.st.negated():
		return "*" // what the entry names is what is not granted
	case g.wild:
		return g.folded
	}
	return h.folded
}

// groupByRoot picks the root that closes most paths. Of equals, the first in
// the document wins, and iam:PassRole before the rest.
func groupByRoot(paths []*found) (root string, group, rest []*found) {
	counts := map[string]int{}
	var order []string
	for _, f := range paths {
		for _, name := range f.roots() {
			if !slices.Contains(order, name) {
				order = append(order, name)
			}
			counts[name] += btoi(!f.low)
		}
	}
	best := slices.MaxFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[a], counts[b]), btoi(a == passRole)-btoi(b == passRole))
	})
	for _, f := range paths {
		if slices.Contains(f.roots(), best) {
			group = append(group, f)
		} else {
			rest = append(rest, f)
		}
	}
	return best, group, rest
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (f *found) roots() []string {
	out := make([]string, 0, len(f.hits))
	for i, h := range f.hits {
		if name := rootOf(f.picks[i], h); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// severity of a path: high, less what limits it.
func (f *found) severity() Severity {
	base := High
	switch {
	case f.low:
		base = Low
	case f.wholeService():
		base = Medium // It is what running the whole service means, and a finding of its own.
	}
	s, ok := base.down(f.drop)
	if !ok {
		return Note
	}
	return s
}

// wholeService reports whether one service's wildcard gives all of the path.
// For the services that hand out permissions that is no excuse.
func (f *found) wholeService() bool {
	return !slices.ContainsFunc(f.picks, func(g *grant) bool {
		return g.service == "" || g.folded != g.service+":*" || g.service != f.picks[0].service ||
			g.service == "iam" || g.service == "sts" || g.service == "sso"
	})
}

func (m *model) escalation(root string, group []*found) Finding {
	slices.SortStableFunc(group, func(a, b *found) int { return b.severity().Rank() - a.severity().Rank() })
	worst := group[0]
	f := Finding{ID: "escalate", Class: Risk, Category: "privilege-escalation", Severity: worst.severity(), drop: worst.drop}
	if root == passRole {
		f.ID = "pass-role"
	}
	var grants []*grant
	for _, p := range group {
		for i, h := range p.hits {
			if !slices.Contains(f.Actions, h.name) {
				f.Actions = append(f.Actions, h.name)
				grants = append(grants, p.picks[i])
				for j := range h.grants {
					if &h.grants[j] != p.picks[i] {
						grants = append(grants, &h.grants[j])
					}
				}
			}
		}
	}
	if root == passRole { // The action to limit comes first.
		f.Actions = append([]string{"iam:PassRole"}, slices.DeleteFunc(f.Actions, func(a string) bool { return a == "iam:PassRole" })...)
	}
	m.locate(&f, grants, root)
	f.Title = escalationTitle(root, group)
	f.Why = escalationWhy(root, group) + limits(worst.picks)
	return f
}

func escalationTitle(root string, group []*found) string {
	labels, titles := labelsAndTitles(group)
	switch {
	case len(labels) > 0 && len(titles) == 0 || root == passRole:
		which := "any role"
		if pass := passGrant(group[0]); pass != nil && pass.only != "" {
			which = "some roles"
		}
		return fit("Can run code as "+which+": ", labels)
	case len(titles) == 1 && len(labels) == 0:
		return titles[0]
	case strings.HasPrefix(root, "iam:") || root == "*":
		return fmt.Sprintf("Can give itself any permission, in %d ways", len(group))
	}
	return shorter(titles[0], fmt.Sprintf("%s, and %s", titles[0], plural(len(group)-1, "way more", "ways more")))
}

// fit joins names as long as the headline stays short.
func fit(start string, names []string) string {
	out := start
	for i, name := range names {
		more := name
		if i > 0 {
			more = ", " + name
		}
		if len(out)+len(more) > 60 {
			return fmt.Sprintf("%s + %d", out, len(names)-i)
		}
		out += more
	}
	return out
}

func labelsAndTitles(group []*found) (labels, titles []string) {
	for _, f := range group {
		switch {
		case f.pass && !slices.Contains(labels, f.label):
			labels = append(labels, f.label)
		case !f.pass && !slices.Contains(titles, f.title):
			titles = append(titles, f.title)
		}
	}
	return labels, titles
}

func passGrant(f *found) *grant {
	for i, h := range f.hits {
		if h.folded == passRole {
			return f.picks[i]
		}
	}
	return nil
}

func escalationWhy(root string, group []*found) string {
	labels, titles := labelsAndTitles(group)
	if root == passRole {
		return "Whoever may hand over a role and start something with it acts with all that the role may do. " +
			"Here " + strings.Join(labels, ", ") + " can be given a role."
	}
	if len(group) == 1 {
		f := group[0]
		names := make([]string, len(f.hits))
		for i, h := range f.hits {
			names[i] = h.name
		}
		if len(names) == 1 {
			return names[0] + " alone is enough to gain more permissions than this policy lists."
		}
		return strings.Join(names, " + ") + " together are enough to gain more permissions than this policy lists."
	}
	ways := append(slices.Clone(titles), labels...)
	return fmt.Sprintf("%s opens %d ways to more permissions than this policy lists: %s.", root, len(group), strings.Join(ways, "; "))
}

// limits says what takes the edge off.
func limits(picks []*grant) string {
	for _, g := range picks {
		switch {
		case g.guard != nil && g.guard.strong:
			return " It is limited: only while " + g.guard.text + "."
		case g.self:
			return " It reaches the caller's own user only, which is enough here."
		case g.only != "":
			return " It is limited to " + g.only + "."
		}
	}
	return ""
}

// lonePassRole is iam:PassRole that no path uses.
func (m *model) lonePassRole(paths []Finding) (Finding, bool) {
	h := m.hits[passRole]
	if h == nil || slices.ContainsFunc(paths, func(f Finding) bool { return slices.Contains(f.Actions, "iam:PassRole") }) {
		return Finding{}, false
	}
	severity, ok := Medium.down(h.grants[0].drop)
	if !ok {
		return Finding{}, false
	}
	f := Finding{ID: "pass-role", Class: Risk, Category: "resource-exposure", Severity: severity,
		Actions: []string{"iam:PassRole"}, drop: h.grants[0].drop,
		Title: "Can hand any role to a service",
		Why: "Nothing in this policy starts something with a role, but another policy of the same holder may. " +
			"Without iam:PassedToService every service will do."}
	if h.grants[0].only != "" {
		f.Title = "Can hand some roles to a service"
	}
	if g := h.grants[0].guard; g != nil && g.services != nil {
		f.Title = "Can hand roles to " + few(h.grants[0].guard.services, ", ")
		f.Why = "Nothing in this policy starts something with a role, but another policy of the same holder may."
	}
	f.Why += limits([]*grant{&h.grants[0]})
	m.locate(&f, pointers(h.grants), "")
	entry := h.grants[0].text
	if at := slices.IndexFunc(paths, func(g Finding) bool {
		return slices.ContainsFunc(g.Places, func(p Place) bool { return p.Entry == entry })
	}); at >= 0 && f.Severity.Rank() <= paths[at].Severity.Rank() {
		f.Severity, f.PartOf = Note, paths[at].ID // the same wildcard gives more
	}
	return f, true
}

func pointers(grants []grant) []*grant {
	out := make([]*grant, len(grants))
	for i := range grants {
		out[i] = &grants[i]
	}
	return out
}
