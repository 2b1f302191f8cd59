package review

import (
	"slices"
	"strings"

	"rolecall/policy"
)

// neededTypes are the kinds of resource that an action needs all of: with one
// of them alone it is not allowed. It is nil where one will do. AWS marks as
// required also what are alternatives to each other: of tagging and reading
// actions, and of actions that work on either of two kinds. Source: the service
// authorization reference, "Resource types (*required)".
func neededTypes(a policy.Action) []policy.ResourceType {
	var needed []policy.ResourceType
	all := a.Resources()
	for _, r := range all {
		if r.Required {
			needed = append(needed, r.Type)
		}
	}
	if len(needed) == 0 || len(all) == 1 || oneOf(a, needed) {
		return nil
	}
	return needed
}

// oneOf reports whether the required kinds of an action are alternatives.
func oneOf(a policy.Action, needed []policy.ResourceType) bool {
	if a.Level != policy.Write && a.Level != policy.PermissionsManagement || strings.Contains(a.Name, "ResourcePolicy") ||
		strings.Contains(a.Name, "Tag") {
		return true
	}
	for _, pair := range [...][2]string{{"instance", "managed-instance"}, {"stream", "table"}, {"execution", "express"}, {"user", "role"}} {
		if slices.ContainsFunc(needed, func(t policy.ResourceType) bool { return t.Name == pair[0] }) &&
			slices.ContainsFunc(needed, func(t policy.ResourceType) bool { return t.Name == pair[1] }) {
			return true
		}
	}
	return false
}

// typesOf keeps the answers of neededTypes.
func (m *model) typesOf(action string) []policy.ResourceType {
	types, ok := m.needed[action]
	if !ok {
		if a, known := m.cat.Action(action); known {
			types = neededTypes(a)
		}
		m.needed[action] = types
	}
	return types
}

// missingTypes lists the kinds of resource that an action needs and that no
// statement grants it on.
func (m *model) missingTypes(action string) []policy.ResourceType {
	missing := slices.Clone(m.typesOf(action))
	if len(missing) == 0 {
		return nil
	}
	for _, st := range m.allow {
		if _, ok := st.matches(action); !ok || m.dead(st, action) {
			continue
		}
		if st.services != nil && !st.star {
			return nil // too many resources to compare
		}
		for _, r := range m.effective(action, st) {
			parts := strings.SplitN(r, ":", 6)
			if policy.EveryResource(r) || len(parts) < 6 || len(r) >= maxARN {
				return nil
			}
			missing = slices.DeleteFunc(missing, func(t policy.ResourceType) bool { return m.reachOf(t.ARN, r, parts).applies })
		}
		if len(missing) == 0 {
			return nil
		}
	}
	return missing
}

// plainly reports whether a statement grants all actions that it matches: on
// everything, with conditions that are the same for each, and no denial.
func (m *model) plainly(st *statement) bool {
	return st.star && len(m.deny) == 0 && m.sameForAll(st)
}

// sameForAll reports whether a statement's conditions hold for all actions or
// for none.
func (m *model) sameForAll(st *statement) bool {
	return !m.dead(st, "") && len(st.wants) == 0 || m.dead(st, "")
}

// incomplete are actions that are written out and that need more than the
// document grants them on.
func (m *model) incomplete(st *statement) []Finding {
	if st.Effect != policy.Allow || st.negated() || st.star || st.void != "" {
		return nil
	}
	var entries []*entry
	needs := map[string]bool{}
	for i := range st.entries {
		e := &st.entries[i]
		if e.wild || e.service == "" {
			continue
		}
		if _, ok := m.grant(e.folded, st, e); !ok {
			continue // said elsewhere
		}
		for _, t := range m.missingTypes(e.folded) {
			if len(entries) == 0 || entries[len(entries)-1] != e {
				entries = append(entries, e)
			}
			needs[t.Name] = true
		}
	}
	if len(entries) == 0 {
		return nil
	}
	names := make([]string, 0, len(needs))
	for name := range needs {
		names = append(names, name)
	}
	slices.Sort(names)
	f := mismatch(st, entries, "needs-more", "Has no effect alone: needs further resources",
		"AWS checks these actions against several kinds of resource at once. Nothing here grants them on: "+few(names, ", ")+
			". Without that, nothing is granted, unless another policy of the same holder does.")
	f.Severity = Note // another policy may grant it on the rest
	return []Finding{f}
}
