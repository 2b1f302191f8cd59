package review

import (
	"slices"
	"strings"

	"rolecall/policy"
)

// locate puts the places of grants into a finding. The finding itself stands
// where what has to be limited stands first.
func (m *model) locate(f *Finding, grants []*grant, root string) {
	var places []Place
	var first *Place
	for _, g := range grants {
		if f.On == "" || g.only == "" && g.st.star {
			f.On = onWhat(g)
		}
		p := placeOf(g.entry)
		if slices.Contains(places, p) {
			continue
		}
		places = append(places, p)
	}
	slices.SortStableFunc(places, func(a, b Place) int { return a.Line*10000 + a.Column - b.Line*10000 - b.Column })
	for i := range places {
		if root == "" || strings.EqualFold(places[i].Entry, root) {
			first = &places[i]
			break
		}
	}
	if first == nil && len(places) > 0 {
		first = &places[0]
	}
	f.Places = places
	if first != nil {
		f.Statement, f.Index, f.Line, f.Column = first.Statement, first.Index, first.Line, first.Column
	}
}

// onWhat is the resource that a grant reaches.
func onWhat(g *grant) string {
	switch {
	case g.only != "":
		return g.only
	case g.st.star || len(g.st.Resource) == 0:
		return "*"
	}
	return g.st.Resource[0]
}

func placeOf(e *entry) Place {
	pos := e.st.Position(e.st.element(), e.at)
	p := Place{Statement: e.st.Sid, Index: e.st.index, Line: pos.Line, Column: pos.Column, Entry: e.text}
	if e.st.negated() {
		p.Entry = "NotAction" // it is what the list leaves out that is granted
	}
	return p
}

// isPlaceOf reports whether a place is that of an entry, whatever it is called.
func isPlaceOf(p Place, e *entry) bool {
	own := placeOf(e)
	own.Entry = p.Entry
	return own == p
}

// at puts a finding at an element of a statement.
func (f *Finding) at(st *statement, pos policy.Pos) *Finding {
	f.Statement, f.Index, f.Line, f.Column = st.Sid, st.index, pos.Line, pos.Column
	return f
}
