package check

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/steps/describe"
)

// methods checks the ways to connect: each once, and each such that a walk gets
// through it.
func (r *reader) methods(v *describe.Vendor) {
	r.needList("methods", len(v.Methods), "at least one way to connect")
	seen := map[string]bool{}
	for i := range v.Methods {
		m := &v.Methods[i]
		path := fmt.Sprintf("methods[%d]", i)
		r.method(path, v, m)
		if way := m.ID + " " + m.Access; seen[way] {
			r.wrong(
				path+".id",
				fmt.Sprintf("The method %s for a %s stands here twice.", describe.Clean(m.ID), describe.Clean(m.Access)),
				"each method once for each access",
				"Remove one.",
			)
		} else {
			seen[way] = true
		}
	}
	for i := range v.Roles {
		access := v.Roles[i].Access
		if len(v.Methods) > 0 && !slices.ContainsFunc(v.Methods, func(m describe.Method) bool { return m.Access == access }) {
			r.wrong(
				fmt.Sprintf("roles[%d]", i),
				fmt.Sprintf("No method makes this %s.", describe.Clean(access)),
				"a method with access: "+describe.Clean(access),
				"Add one, or remove it.",
			)
		}
	}
}

func (r *reader) method(path string, v *describe.Vendor, m *describe.Method) {
	r.need(path+".id", m.ID, strings.Join(methodIDs(), ", "))
	r.oneOf(path+".id", m.ID, methodIDs()...)
	r.need(path+".access", m.Access, "role or user")
	r.oneOf(path+".access", m.Access, describe.AccessRole, describe.AccessUser)
	r.need(path+".title", m.Title, "what the way is called")
	r.needList(path+".steps", len(m.Steps), "the steps, in their order")
	seen := map[string]bool{}
	for i := range m.Steps {
		s := &m.Steps[i]
		at := fmt.Sprintf("%s.steps[%d]", path, i)
		r.step(at, v, m.Access, s)
		if seen[s.ID+" "+s.Role] {
			r.wrong(at+".id", fmt.Sprintf("The step %q stands here twice.", describe.Clean(s.ID)), "each step once, or once for each role",
				"Remove one.")
		}
		seen[s.ID+" "+s.Role] = true
	}
	if slices.Contains(methodIDs(), m.ID) && (m.Access == describe.AccessRole || m.Access == describe.AccessUser) {
		r.contract(path, v, m)
	}
}

func (r *reader) step(path string, v *describe.Vendor, access string, s *describe.Step) {
	kind := r.library.step(s.ID)
	r.need(path+".id", s.ID, strings.Join(r.library.StepIDs(), ", "))
	r.oneOf(path+".id", s.ID, r.library.StepIDs()...)
	r.need(path+".title", s.Title, "the step's heading")
	_, known := v.Role(s.Role)
	switch {
	case s.Role != "" && !known:
		r.dangling(path+".role", s.Role, "role", purposes(v))
	case kind.PerRole:
		r.need(path+".role", s.Role, "the purpose of the role that the step is about")
	case s.Role != "" && kind.ID != "":
		r.wrong(path+".role", fmt.Sprintf("The step %q is about no single role.", describe.Clean(s.ID)), "no role", "Remove it.")
	}
	if kind.ID != "" {
		r.marks(path+".marks", s, kind.marks(access))
		r.numbers(path+".page", s, s.Page, "spares", kind.pages())
		r.numbers(path+".only", s, s.Only, "restricts", append([]string{describe.OnlyNoToken, describe.OnlyNoCredentials}, purposes(v)...))
	}
	r.words(path, v, s)
	for i, link := range s.Links {
		r.link(fmt.Sprintf("%s.links[%d]", path, i), link)
	}
}

// marks checks that each mark is something that the step can tell, and leads to
// an instruction: any other would never move the marker, and nobody would see
// why.
func (r *reader) marks(path string, s *describe.Step, known []string) {
	for _, mark := range sortedKeys(s.Marks) {
		at := path + "." + mark
		switch number := s.Marks[mark]; {
		case len(known) == 0:
			r.wrong(at+"#key", fmt.Sprintf("The step %q shows no instruction as done.", describe.Clean(s.ID)), "no marks", "Remove them.")
		case !slices.Contains(known, mark):
			r.wrong(at+"#key", fmt.Sprintf("The step %q has nothing called %q to open or to copy.", describe.Clean(s.ID), describe.Clean(mark)),
				strings.Join(known, ", "), describe.DidYouMean(mark, known)+"Correct or remove it.")
		case !r.noted(at) && (number < 1 || number > len(s.Instructions)):
			r.wrong(at, fmt.Sprintf("There is no instruction %d.", number), fmt.Sprintf("one of the step's %d instructions", len(s.Instructions)),
				"Name the instruction that comes next.")
		}
	}
}

// numbers checks lists of instructions, each under a word that is known.
func (r *reader) numbers(path string, s *describe.Step, lists map[string][]int, does string, known []string) {
	for _, word := range sortedKeys(lists) {
		at := path + "." + word
		if !slices.Contains(known, word) {
			expected := strings.Join(known, ", ")
			if expected == "" {
				expected = "none here: the step opens no page"
			}
			r.wrong(at+"#key", fmt.Sprintf("Nothing called %q %s an instruction of the step %q.", describe.Clean(word), does, describe.Clean(s.ID)),
				expected, describe.DidYouMean(word, known)+"Correct or remove it.")
			continue
		}
		for i, number := range lists[word] {
			if number < 1 || number > len(s.Instructions) {
				r.wrong(fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf("There is no instruction %d.", number),
					fmt.Sprintf("one of the step's %d instructions", len(s.Instructions)), "Name instructions by their numbers.")
			}
		}
	}
}

// words checks the placeholders of a step: those that its texts can have, and
// none where nothing is filled in.
func (r *reader) words(path string, v *describe.Vendor, s *describe.Step) {
	for i, text := range s.Instructions {
		known := wordsOf(v, about(s, i+1))
		for _, word := range placeholders(text) {
			if !slices.Contains(known, word) {
				r.wrong(fmt.Sprintf("%s.instructions[%d]", path, i), fmt.Sprintf("There is no placeholder {%s} in this step.", describe.Clean(word)),
					expectedWords(known), describe.DidYouMean(word, known)+"Correct it, or write it out.")
			}
		}
	}
	for key, text := range map[string]string{"title": s.Title, "about": s.About} {
		for _, word := range placeholders(text) {
			r.wrong(
				path+"."+key,
				fmt.Sprintf("Nothing is filled in for {%s} here.", describe.Clean(word)),
				"placeholders in instructions alone",
				"Write it out.",
			)
		}
	}
}

func expectedWords(known []string) string {
	if len(known) == 0 {
		return "no placeholder: the step is about no single role"
	}
	return "{" + strings.Join(known, "}, {") + "}"
}

// about is the purpose of the role that an instruction is about: the step's, or
// the one that only restricts it to.
func about(s *describe.Step, number int) string {
	for _, condition := range sortedKeys(s.Only) {
		if condition != describe.OnlyNoToken && condition != describe.OnlyNoCredentials && slices.Contains(s.Only[condition], number) {
			return condition
		}
	}
	return s.Role
}

// wordsOf are the placeholders that an instruction about a role can have.
func wordsOf(v *describe.Vendor, purpose string) []string {
	var known []string
	if role, ok := v.Role(purpose); ok {
		if role.Policy != "" {
			known = append(known, describe.WordPolicy)
		}
		if role.Access == describe.AccessUser {
			known = append(known, describe.WordUser)
		} else {
			known = append(known, describe.WordRole)
		}
		if len(role.ManagedPolicies) > 0 {
			known = append(known, describe.WordManaged)
		}
	}
	for i := range v.Roles {
		for _, name := range v.Roles[i].ParameterNames() {
			if !slices.Contains(known, name) {
				known = append(known, name)
			}
		}
	}
	return known
}

func methodIDs() []string { return []string{describe.Manual, describe.Automatic, describe.Direct} }
