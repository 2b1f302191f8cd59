package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rolecall/steps/describe"
)

// Contract is what a method has to be made of for one access, so that a walk
// through it ends with what the vendor needs.
type Contract struct {
	Method, Access string
	Places         []Place // in the order in which the steps have to stand
}

// Place is a step in a Contract. A step that is walked once for each role stands
// there for each.
type Place struct {
	Step string
	When Condition
}

// Condition says when a step has to be there. Where it does not have to, it may,
// except for a policy step of a role that has its policy inside.
type Condition int

// The conditions.
const (
	Always          Condition = iota
	WithPartitions            // there are several, or the vendor's account is asked for
	WithOwnPolicy             // of a role whose own policy is a managed one
	WithLaterTrust            // of a role whose trust policy is completed once it exists
	WithWebIdentity           // of a role that trusts web identities
)

// contract holds a method to what it has to be made of.
func (r *reader) contract(path string, v *describe.Vendor, m *describe.Method) {
	i := slices.IndexFunc(r.library.Contracts, func(c Contract) bool { return c.Method == m.ID && c.Access == m.Access })
	if i < 0 {
		r.wrong(
			path+".access",
			fmt.Sprintf("rolecall has no method %s for a %s.", m.ID, m.Access),
			r.library.ways(),
			"Correct or remove the method.",
		)
		return
	}
	if !r.hasRoles(path, v, m) {
		return
	}
	c := r.library.Contracts[i]
	for _, place := range c.Places {
		if r.stepsKnown(m) {
			r.present(path, v, m, place)
		}
	}
	for j := range m.Steps {
		r.allowed(fmt.Sprintf("%s.steps[%d]", path, j), v, m, &m.Steps[j], c)
	}
	r.order(path, m, c)
}

// stepsKnown tells whether every step of the method is one of the program's:
// else one that seems to be missing may only be mistyped, which was noted.
func (r *reader) stepsKnown(m *describe.Method) bool {
	return !slices.ContainsFunc(m.Steps, func(s describe.Step) bool { return r.library.step(s.ID).ID == "" })
}

// ways lists the methods that the program has.
func (l Library) ways() string {
	words := make([]string, len(l.Contracts))
	for i, c := range l.Contracts {
		words[i] = c.Method + " for a " + c.Access
	}
	return strings.Join(words, ", ")
}

// hasRoles notes a method that would make nothing.
func (r *reader) hasRoles(path string, v *describe.Vendor, m *describe.Method) bool {
	if len(v.Roles) == 0 {
		return false // which was noted
	}
	if !slices.ContainsFunc(v.Roles, func(role describe.Role) bool { return role.Access == m.Access }) {
		r.wrong(
			path+".access",
			fmt.Sprintf("The description has no %s that this method could make.", m.Access),
			"a method for what stands under roles",
			"Correct access, or add a "+m.Access+" under roles.",
		)
		return false
	}
	whole := !slices.ContainsFunc(v.Roles, func(role describe.Role) bool { return role.Document == nil })
	if whole && len(r.mistakes) == 0 && len(v.RolesFor(nil, m.Access)) == 0 {
		r.wrong(
			path+".access",
			fmt.Sprintf("No default product needs a %s, so that this method makes nothing.", m.Access),
			"a default product whose role this method makes",
			"Correct access, or the products' roles.",
		)
		return false
	}
	return true
}

// present notes a step that has to be there and is not.
func (r *reader) present(path string, v *describe.Vendor, m *describe.Method, place Place) {
	if !r.library.step(place.Step).PerRole {
		if _, ok := m.Step(place.Step, ""); !ok && (place.When != WithPartitions || asksPartition(v, m.Access)) {
			r.wrong(path+".steps", fmt.Sprintf("The method has no step %q.", place.Step), "a step "+place.Step+" "+whyStep(place), "Add it.")
		}
		return
	}
	for i := range v.Roles {
		role := &v.Roles[i]
		if role.Access != m.Access || role.Purpose == "" || !place.When.holds(role) {
			continue
		}
		if _, ok := m.Step(place.Step, role.Purpose); !ok && !strayStep(v, m, place.Step) {
			r.wrong(
				path+".steps",
				fmt.Sprintf("The method has no step %q for %s.", place.Step, describe.Clean(role.Purpose)),
				"a step "+place.Step+" with role: "+describe.Clean(role.Purpose),
				"Add it.",
			)
		}
	}
}

// strayStep tells whether a step names no role that there is, which is noted at
// the step: likely it is the one that a role misses.
func strayStep(v *describe.Vendor, m *describe.Method, id string) bool {
	return slices.ContainsFunc(m.Steps, func(s describe.Step) bool {
		_, ok := v.Role(s.Role)
		return s.ID == id && !ok
	})
}

// holds tells whether a step that is walked for each role has to be there for
// this one.
func (c Condition) holds(role *describe.Role) bool {
	switch c {
	case WithOwnPolicy:
		return role.Policy != "" && !role.Inline
	case WithLaterTrust:
		return role.Later()
	case WithWebIdentity:
		return !role.WebIdentity.None()
	case Always, WithPartitions:
	}
	return true
}

func whyStep(place Place) string {
	if place.When == WithPartitions {
		return "where the vendor is in several partitions or its account is asked for"
	}
	return "in its place"
}

// asksPartition tells whether a walk has to ask where the account is, or which
// account to trust there.
func asksPartition(v *describe.Vendor, access string) bool {
	if len(v.Partitions) > 1 {
		return true
	}
	for id := range v.Partitions {
		for i := range v.Roles {
			role := &v.Roles[i]
			asked := role.Access == access && access == describe.AccessRole && !role.Later() && role.WebIdentity.None()
			if asked && len(v.TrustedAccounts(role, id)) == 0 {
				return true
			}
		}
	}
	return false
}

// allowed notes a step that the method cannot have.
func (r *reader) allowed(at string, v *describe.Vendor, m *describe.Method, s *describe.Step, c Contract) {
	if r.library.step(s.ID).ID == "" {
		return // which was noted
	}
	if c.rank(s.ID) < 0 {
		r.wrong(
			at+".id",
			fmt.Sprintf("The method %s for a %s has no step %q.", m.ID, m.Access, s.ID),
			strings.Join(c.steps(), ", "),
			"Remove it.",
		)
		return
	}
	role, ok := v.Role(s.Role)
	switch {
	case !ok:
	case cmp.Or(role.Access, describe.AccessRole) != m.Access:
		r.wrong(
			at+".role",
			fmt.Sprintf("%s is a %s, and the method is for a %s.", describe.Clean(s.Role), role.Access, m.Access),
			"a "+m.Access,
			"Name another one, or remove the step.",
		)
	case !role.Later() && c.Places[c.rank(s.ID)].When == WithLaterTrust:
		r.wrong(
			at+".id",
			fmt.Sprintf("Whom %s trusts is known before it is made.", describe.Clean(s.Role)),
			"a role with trust: later",
			"Remove the step, or add trust: later.",
		)
	case role.WebIdentity.None() && c.Places[c.rank(s.ID)].When == WithWebIdentity:
		r.wrong(at+".id", fmt.Sprintf("%s trusts accounts: there is no OIDC provider to make.", describe.Clean(s.Role)),
			"web_identity of the role",
			"Remove the step, or say whom the role trusts.")
	case role.Inline && c.Places[c.rank(s.ID)].When == WithOwnPolicy:
		r.wrong(
			at+".id",
			fmt.Sprintf("The policy of %s is the role's own: it is made with the role.", describe.Clean(s.Role)),
			"no step "+s.ID+" for it",
			"Remove it.",
		)
	}
}

// order notes the first step that stands before one which it builds on.
func (r *reader) order(path string, m *describe.Method, c Contract) {
	for j := range m.Steps {
		for i := range j {
			first, second := &m.Steps[i], &m.Steps[j]
			sameRole := first.Role == "" || second.Role == "" || first.Role == second.Role
			if c.rank(second.ID) >= 0 && sameRole && c.rank(first.ID) > c.rank(second.ID) {
				r.wrong(fmt.Sprintf("%s.steps[%d].id", path, j), fmt.Sprintf("The step %q stands behind %q, which builds on it.", second.ID, first.ID),
					"the order "+strings.Join(c.steps(), ", "), "Put the steps in this order.")
				return
			}
		}
	}
}

func (c Contract) rank(id string) int {
	return slices.IndexFunc(c.Places, func(p Place) bool { return p.Step == id })
}

func (c Contract) steps() []string {
	all := make([]string, len(c.Places))
	for i, p := range c.Places {
		all[i] = p.Step
	}
	return all
}
