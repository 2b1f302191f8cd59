package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Explanation is what a document grants, in numbers and sentences.
type Explanation struct {
	Entries    int                 // actions and patterns as written, in all statements
	Granted    int                 // distinct actions that some statement allows
	ByLevel    map[AccessLevel]int // of the granted, each in its highest level
	ByService  []ServiceCount      // most actions first
	Unknown    []string            // entries that match no action of the catalogue
	Statements []StatementExplanation
}

// ServiceCount is how many actions of one service are granted.
type ServiceCount struct {
	Prefix, Name string
	Actions      int
	ByLevel      map[AccessLevel]int
}

// StatementExplanation is what one statement does.
type StatementExplanation struct {
	Sid      string
	Index    int
	Effect   Effect
	Actions  []Action // by name; of NotAction, all others
	Unknown  []string
	Sentence string
	Size     int // in characters that IAM counts
}

// Explain expands a document's wildcards by the catalogue. What a Deny without
// condition on every resource takes back is not counted as granted.
func (d *Document) Explain() Explanation {
	e := Explanation{ByLevel: map[AccessLevel]int{}}
	granted, denied := actionSet{}, actionSet{}
	unknown := map[string]bool{}
	for i := range d.Statements {
		s := &d.Statements[i]
		x := s.explain(i)
		e.Statements = append(e.Statements, x)
		e.Entries += len(s.Action) + len(s.NotAction)
		for _, u := range x.Unknown {
			if key := strings.ToLower(u); !unknown[key] {
				unknown[key] = true
				e.Unknown = append(e.Unknown, u)
			}
		}
		switch {
		case s.Effect == Allow:
			granted.add(x.Actions)
		case len(s.Condition) == 0 && slices.Contains(s.Resource, "*"):
			denied.add(x.Actions)
		}
	}
	e.count(slices.DeleteFunc(granted.list(false), denied.has))
	return e
}

func (e *Explanation) count(granted []Action) {
	services := map[string]*ServiceCount{}
	for _, a := range granted {
		e.Granted++
		e.ByLevel[a.Level]++
		s := services[a.service.Prefix]
		if s == nil {
			s = &ServiceCount{Prefix: a.service.Prefix, Name: a.service.Name, ByLevel: map[AccessLevel]int{}}
			services[s.Prefix] = s
		}
		s.Actions++
		s.ByLevel[a.Level]++
	}
	for _, s := range services {
		e.ByService = append(e.ByService, *s)
	}
	slices.SortFunc(e.ByService, func(a, b ServiceCount) int {
		return cmp.Or(cmp.Compare(b.Actions, a.Actions), strings.Compare(a.Prefix, b.Prefix))
	})
}

// Actions lists the known actions that a statement is about, by name, and its
// entries that match none.
func (s *Statement) Actions() (known []Action, unknown []string) {
	set := actionSet{}
	for _, pattern := range slices.Concat(s.Action, s.NotAction) {
		matched := AWS().Expand(pattern)
		if len(matched) == 0 {
			unknown = append(unknown, pattern)
		}
		set.add(matched)
	}
	return set.list(len(s.NotAction) > 0), unknown
}

// actionSet marks actions by service and place.
type actionSet map[*Service][]bool

func (set actionSet) add(actions []Action) {
	for _, a := range actions {
		marks := set[a.service]
		if marks == nil {
			marks = make([]bool, a.service.Count)
			set[a.service] = marks
		}
		marks[a.index] = true
	}
}

func (set actionSet) has(a Action) bool {
	marks := set[a.service]
	return marks != nil && marks[a.index]
}

// list returns the marked actions by name, or all others.
func (set actionSet) list(others bool) []Action {
	var out []Action
	for _, s := range AWS().Services() {
		if set[s] == nil && !others {
			continue
		}
		for _, a := range s.Actions() {
			if set.has(a) != others {
				out = append(out, a)
			}
		}
	}
	return out
}

func (s *Statement) explain(index int) StatementExplanation {
	x := StatementExplanation{Sid: s.Sid, Index: index, Effect: s.Effect, Size: s.Size()}
	x.Actions, x.Unknown = s.Actions()
	x.Sentence = s.sentence(x.Actions)
	return x
}

// sentence says what a statement does: "Allows 12 actions of ec2 (3 read, 9
// write) on every resource."
func (s *Statement) sentence(actions []Action) string {
	verb := "Allows "
	if s.Effect == Deny {
		verb = "Denies "
	}
	var b strings.Builder
	b.WriteString(verb + countActions(actions))
	b.WriteString(s.onWhat())
	if len(s.Condition) > 0 {
		b.WriteString(", only " + describeConditions(s.Condition))
	}
	b.WriteByte('.')
	return printable(b.String())
}

func countActions(actions []Action) string {
	if len(actions) == 1 {
		return actions[0].Name
	}
	levels := map[AccessLevel]int{}
	services := map[string]int{}
	for _, a := range actions {
		levels[a.Level]++
		services[a.service.Prefix]++
	}
	names := slices.SortedFunc(maps.Keys(services), func(a, b string) int {
		return cmp.Or(cmp.Compare(services[b], services[a]), strings.Compare(a, b))
	})
	var of string
	switch {
	case len(names) == 0:
		return "no action that rolecall knows"
	case len(names) <= 3:
		of = strings.Join(names, ", ")
	default:
		of = fmt.Sprintf("%s, %s and %d more services", names[0], names[1], len(names)-2)
	}
	var counts []string
	for _, level := range AccessLevels() {
		if levels[level] > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", levels[level], strings.ToLower(level.String())))
		}
	}
	return fmt.Sprintf("%d actions of %s (%s)", len(actions), of, strings.Join(counts, ", "))
}

func (s *Statement) onWhat() string {
	switch {
	case len(s.NotResource) > 0:
		return " on everything but " + strings.Join(s.NotResource, ", ")
	case slices.Contains(s.Resource, "*"):
		return " on every resource"
	case len(s.Resource) > 3:
		return fmt.Sprintf(" on %s and %d more resources", s.Resource[0], len(s.Resource)-1)
	case len(s.Resource) > 0:
		return " on " + strings.Join(s.Resource, ", ")
	}
	return ""
}
