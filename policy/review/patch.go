package review

import (
	"slices"
	"strings"

	"rolecall/policy"
)

// patched puts a change together.
func (m *model) patched(f *Finding, drop map[*entry]bool, add []policy.Statement) *Patch {
	p := &Patch{Index: f.Index}
	for e := range drop {
		p.Remove = append(p.Remove, e.text)
	}
	p.Remove = sortedCopy(p.Remove)
	var statements []*statement
	for _, st := range m.statements {
		if !slices.ContainsFunc(st.entries, func(e entry) bool { return drop[&st.entries[e.at]] }) {
			statements = append(statements, st)
			continue
		}
		if s, left := st.without(drop); left {
			statements = append(statements, st.kept(s, drop))
		}
	}
	for i, s := range add {
		statements = append(statements, m.again(s, len(m.statements)+i))
	}
	if len(statements) == 0 {
		return nil
	}
	if len(add) > 0 {
		p.Add = pasteable(add)
	}
	p.changed = m.with(m.doc, statements)
	return p
}

// pasteable is statements as JSON, without the document around them.
func pasteable(statements []policy.Statement) string {
	text := policy.NewDocument(statements...).Pretty()
	_, text, _ = strings.Cut(text, "\"Statement\": [\n")
	end := strings.LastIndex(text, "\n  ]")
	if end < 0 {
		return ""
	}
	lines := strings.Split(text[:end], "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "    ")
	}
	return strings.Join(lines, "\n")
}

// replaceEntry takes an entry out, or puts the likely spelling in its place.
func (m *model) replaceEntry(f *Finding) *Patch {
	entries := m.entriesOf(f, "")
	if len(entries) != 1 || entries[0].service == "" || entries[0].st.negated() && len(f.instead) == 0 {
		return nil
	}
	e := entries[0]
	replacement := strings.Join(f.instead, `", "`)
	s := *e.st.Statement
	list := &s.Action
	if e.st.negated() {
		list = &s.NotAction
	}
	changed := slices.Clone(*list)
	if len(f.instead) > 0 {
		changed = slices.Replace(changed, e.at, e.at+1, f.instead...)
	} else {
		changed = slices.Delete(changed, e.at, e.at+1)
	}
	*list = changed
	statements := slices.Clone(m.statements)
	if len(changed) > 0 {
		statements[e.st.index] = m.again(s, e.st.index)
	} else {
		statements = slices.Delete(statements, e.st.index, e.st.index+1)
	}
	if len(statements) == 0 {
		return nil
	}
	return &Patch{Index: e.st.index, Remove: []string{e.text}, Replace: replacement, changed: m.with(m.doc, statements)}
}

// moveEntries gives actions a statement with resources that fit them.
func (m *model) moveEntries(f *Finding) *Patch {
	entries := m.entriesOf(f, "")
	if len(entries) == 0 {
		return nil
	}
	st := entries[0].st
	if len(st.NotResource) > 0 {
		return nil
	}
	drop := map[*entry]bool{}
	var actions, resources []string
	for _, e := range entries {
		drop[e] = true
		actions = append(actions, e.text)
		a, ok := m.cat.Action(e.folded)
		if f.ID == "needs-star" || !ok {
			continue
		}
		if arn := m.fitting(a, st); !slices.Contains(resources, arn) {
			resources = append(resources, arn)
		}
	}
	if f.ID == "needs-star" {
		resources = []string{"*"}
	}
	s := policy.Statement{Effect: st.Effect, Action: actions, Resource: resources, Condition: st.Condition}
	return m.patched(f, drop, []policy.Statement{s})
}

// fitting is a resource for an action made from what the statement names: the
// objects of the bucket that stands there.
func (m *model) fitting(a policy.Action, st *statement) string {
	for _, r := range st.Resource {
		bucket, isS3 := strings.CutPrefix(r, "arn:aws:s3:::")
		switch {
		case !isS3:
		case !strings.Contains(bucket, "/") && m.reach(strings.ToLower(a.Name), r+"/*").applies:
			return r + "/*"
		case strings.Contains(bucket, "/"):
			name, _, _ := strings.Cut(bucket, "/")
			if m.reach(strings.ToLower(a.Name), "arn:aws:s3:::"+name).applies {
				return "arn:aws:s3:::" + name
			}
		}
	}
	return m.example(a)
}

// changeOperator puts the operator in that was meant.
func (m *model) changeOperator(f *Finding) *Patch {
	if f.Index < 0 || f.Index >= len(m.statements) {
		return nil
	}
	st := m.statements[f.Index]
	for i := range st.Condition {
		c := &st.Condition[i]
		if c.Pos.Line > f.Line || c.Pos.Line == f.Line && c.Pos.Column > f.Column {
			continue
		}
		operator := otherOperator(f.ID, c)
		if operator == c.Operator ||
			!slices.ContainsFunc(m.conditionsOf(st, c), func(g Finding) bool { return g.ID == f.ID && g.Line == f.Line }) {
			continue
		}
		s := *st.Statement
		s.Condition = slices.Clone(s.Condition)
		s.Condition[i].Operator = operator
		statements := slices.Clone(m.statements)
		statements[f.Index] = m.again(s, f.Index)
		return &Patch{Index: f.Index, Remove: []string{c.Operator}, Replace: operator, changed: m.with(m.doc, statements)}
	}
	return nil
}

// conditionsOf are the findings of one condition.
func (m *model) conditionsOf(st *statement, c *policy.Condition) []Finding {
	one := *st.Statement
	one.Condition = []policy.Condition{*c}
	alone := *st
	alone.Statement = &one
	return m.conditions(&alone)
}

func otherOperator(id string, c *policy.Condition) string {
	switch id {
	case "like":
		return strings.Replace(c.Operator, "Equals", "Like", 1)
	case "for-all-values":
		return strings.TrimPrefix(c.Operator, "ForAllValues:")
	case "mfa":
		if rest, ok := strings.CutSuffix(c.Operator, "IfExists"); ok {
			return rest
		}
		return c.Operator + "IfExists"
	}
	return c.Operator
}

// kept is the compiled form of what is left of a statement.
func (st *statement) kept(s policy.Statement, drop map[*entry]bool) *statement {
	out := *st
	out.Statement = &s
	out.entries = make([]entry, 0, len(st.entries))
	for i := range st.entries {
		if drop[&st.entries[i]] {
			continue
		}
		e := st.entries[i]
		e.st, e.at = &out, len(out.entries)
		out.entries = append(out.entries, e)
	}
	out.sortEntries()
	return &out
}
