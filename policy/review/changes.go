package review

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rolecall/policy"
)

// destructive verbs take things away for good.
func destructive(name string) bool {
	_, verb, _ := strings.Cut(name, ":")
	return strings.HasPrefix(verb, "Delete") || strings.HasPrefix(verb, "Terminate") || strings.HasPrefix(verb, "Destroy") ||
		strings.HasPrefix(verb, "BatchDelete") || strings.HasPrefix(verb, "Purge") || strings.HasPrefix(verb, "ForceDelete")
}

// changes are the writing actions on every resource that could be limited: a
// finding of those that nothing limits, and a note of those that a condition
// does.
func (m *model) changes(x *expansion) []Finding {
	out := m.changesOf(x, func(g *granted) bool { return g.everywhere })
	for _, f := range m.changesOf(x, func(g *granted) bool { return g.guarded }) {
		f.ID, f.Severity = "change-star", Note
		f.Why += " A condition limits them here."
		out = append(out, f)
	}
	return out
}

// changesOf is one finding with counts. Deleting is named.
func (m *model) changesOf(x *expansion, take func(*granted) bool) []Finding {
	var all, deletes []*granted
	services := map[string]int{}
	for i := range x.actions {
		g := &x.actions[i]
		if !take(g) || g.Level == policy.List || g.Level == policy.Read || !x.scopable(g) {
			continue
		}
		all = append(all, g)
		services[g.Service().Prefix]++
		if destructive(g.Name) {
			deletes = append(deletes, g)
		}
	}
	if len(all) == 0 {
		return nil
	}
	// What is written out comes before what a wildcard gave.
	byWriting := func(a, b *granted) int { return btoi(a.wild) - btoi(b.wild) }
	slices.SortStableFunc(all, byWriting)
	slices.SortStableFunc(deletes, byWriting)
	f := Finding{ID: "change-star", Class: Risk, Category: "infrastructure-modification", Severity: Low}
	named := all
	if len(deletes) > 0 {
		f.ID, named = "delete-star", deletes
	}
	f.Title = changeTitle(named, len(deletes) > 0)
	if rest := len(all) - len(deletes); len(deletes) > 0 && rest > 0 {
		f.Title = shorter(f.Title, fmt.Sprintf("%s and change more (%d actions)", f.Title, rest))
	}
	f.Why = fmt.Sprintf("%s on every resource, also on what somebody else made, though a resource or a tag could limit them: %s.",
		plural(len(all), "action changes things", "actions change things"), countsOf(services))
	var grants []*grant
	seen := make(map[string]bool, len(all))
	for _, g := range append(slices.Clone(named), all...) {
		if !seen[g.Name] {
			seen[g.Name] = true
			f.Actions = append(f.Actions, g.Name)
			grants = append(grants, &grant{entry: g.entry})
		}
	}
	if len(grants) <= maxPlaces {
		named = append(slices.Clone(named), all...)
	}
	m.locate(&f, grants[:min(len(named), len(grants))], "")
	first := placeOf(named[0].entry)
	f.Statement, f.Index, f.Line, f.Column = first.Statement, first.Index, first.Line, first.Column
	return []Finding{f}
}

// maxPlaces is how many entries a finding points at, beyond those that its
// headline is about.
const maxPlaces = 12

func shorter(short, long string) string {
	if len(long) > 60 {
		return short
	}
	return long
}

func changeTitle(named []*granted, deleting bool) string {
	var things []string
	for _, g := range named {
		if thing := thingOf(g.Name); !slices.Contains(things, thing) {
			things = append(things, thing)
		}
	}
	switch {
	case !deleting:
		return fit("Can change any ", things)
	case strings.Contains(named[0].Name, ":Terminate"):
		return fit("Can terminate any ", things)
	}
	return fit("Can delete any ", things)
}

// thingOf is what an action works on: "file system" for
// elasticfilesystem:DeleteFileSystem.
func thingOf(action string) string {
	service, name, _ := strings.Cut(action, ":")
	var words []string
	start := 0
	for i := 1; i <= len(name); i++ {
		if i == len(name) || upper(name[i]) && (!upper(name[i-1]) || i+1 < len(name) && !upper(name[i+1])) {
			words = append(words, name[start:i])
			start = i
		}
	}
	if len(words) < 2 {
		return service + " resource"
	}
	words = words[1:]
	for i, w := range words {
		if strings.ToUpper(w) != w {
			words[i] = strings.ToLower(w)
		}
	}
	last := words[len(words)-1]
	if strings.HasSuffix(last, "s") && !strings.HasSuffix(last, "ss") {
		words[len(words)-1] = strings.TrimSuffix(last, "s")
	}
	return strings.Join(words, " ")
}

func upper(b byte) bool { return b >= 'A' && b <= 'Z' }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// countsOf lists services with their counts, the most first.
func countsOf(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s %d", name, counts[name])
	}
	return few(parts, ", ")
}
