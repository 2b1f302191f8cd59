package check

import (
	"fmt"
	"slices"

	"rolecall/steps/describe"
)

func (r *reader) parameter(path, name string, v *describe.Vendor, role *describe.Role) {
	at := path + ".parameters." + name
	p := role.Parameters[name]
	r.rule(at+"#key", name, parameterRule())
	r.need(at+".flag", p.Flag, "the flag that gives it")
	r.rule(at+".flag", p.Flag, flagRule())
	r.need(at+".label", p.Label, "what it is called")
	r.oneOf(at+".kind", p.Kind, describe.ParameterBucket, describe.ParameterReports, describe.ParameterChoice)
	if p.Kind == describe.ParameterChoice || len(p.Choices) > 0 {
		r.choices(at, p)
	} else {
		r.need(at+".pattern", p.Pattern, "the rule that its values follow")
		r.pattern(at+".pattern", p.Pattern)
		r.need(at+".example", p.Example, "a value that follows the pattern")
		r.example(at, p.Pattern, p.Example)
		if describe.Widens(p.Example) {
			r.wrong(
				at+".example",
				fmt.Sprintf("The example %q has a *, ? or $, or a line break, which no value may have.", describe.Clean(p.Example)),
				"a value that stands for itself alone",
				"Write another one.",
			)
		}
	}
	for _, value := range append(p.Values(), p.Example) {
		if value != "" && !p.In.Takes(value) {
			r.wrong(at, fmt.Sprintf("%q would mean something else in the %s of the web identity.", describe.Clean(value), p.In),
				"a value without what separates the parts there", "Give another one, or write the separator into web_identity.")
		}
	}
	if r.foreign && slices.Contains(r.library.Taken, p.Flag) {
		r.wrong(
			at+".flag",
			fmt.Sprintf("%s is a flag of rolecall's own.", describe.Clean(p.Flag)),
			"a flag that means this parameter alone",
			"Give it another name, such as --acme-bucket.",
		)
	}
	r.oneFlag(at, name, v, role)
}

// choices checks the list of a parameter that has one.
func (r *reader) choices(at string, p describe.Parameter) {
	if p.Kind != describe.ParameterChoice {
		r.wrong(at, "Only a parameter of the kind choice has choices.", "kind: choice", "Add it, or remove the choices.")
	}
	r.needList(at+".choices", len(p.Choices), "at least two values to choose from")
	if len(p.Choices) == 1 {
		r.wrong(
			at+".choices",
			"There is nothing to choose: the list has one value.",
			"at least two values",
			"Add the others, or write the value out in the policy.",
		)
	}
	if p.Pattern != "" || p.Example != "" {
		r.wrong(at, "A choice has no pattern and no example: its list says which values there are.", "choices alone", "Remove them.")
	}
	r.unique(at+".choices", "value", p.Values())
	if n := len(p.Accounts()); n > 0 && n < len(p.Choices) {
		r.wrong(
			at+".choices",
			"Some choices say who is trusted, and some do not.",
			"trusted_account for each choice, or for none",
			"Add it to the others.",
		)
	}
	for i, c := range p.Choices {
		path := fmt.Sprintf("%s.choices[%d]", at, i)
		r.need(path+".value", c.Value, "the value that is filled in")
		r.need(path+".title", c.Title, "what people call it")
		r.account(path+".trusted_account", c.TrustedAccount, describe.Commercial)
		if describe.Widens(c.Value) {
			r.wrong(
				path+".value",
				fmt.Sprintf("The value %q has a *, ? or $.", describe.Clean(c.Value)),
				"a value that stands for itself alone",
				"Write it out.",
			)
		}
	}
}

// oneFlag notes a flag that would give two values, and a parameter that differs
// from one of the same name in another role: one name stands for one value.
func (r *reader) oneFlag(at, name string, v *describe.Vendor, role *describe.Role) {
	mine := role.Parameters[name]
	for i := range v.Roles {
		before := &v.Roles[i] != role
		for _, other := range v.Roles[i].ParameterNames() {
			same := v.Roles[i].Parameters[other].Flag == mine.Flag && mine.Flag != ""
			if same && other != name && (before || other < name) {
				r.wrong(
					at+".flag",
					fmt.Sprintf("%s is the flag of %s already.", describe.Clean(mine.Flag), describe.Clean(other)),
					"a flag for each parameter",
					"Give one of them another name.",
				)
			}
		}
		if !before {
			return
		}
		r.oneRule(at, name, v.Roles[i].Parameters, mine)
	}
}

func (r *reader) oneRule(at, name string, others map[string]describe.Parameter, mine describe.Parameter) {
	other, ok := others[name]
	switch {
	case !ok:
	case other.Flag != mine.Flag:
		r.wrong(
			at+".flag",
			fmt.Sprintf("The parameter %s has the flag %s in another role.", describe.Clean(name), describe.Clean(other.Flag)),
			"one flag for one parameter",
			"Give both the same flag, or one of them another name.",
		)
	case other.Pattern != mine.Pattern || other.Kind != mine.Kind || !slices.Equal(other.Choices, mine.Choices):
		r.wrong(
			at,
			fmt.Sprintf("The parameter %s has another rule in another role.", describe.Clean(name)),
			"one rule for one value",
			"Give both the same pattern, kind and choices, or one of them another name.",
		)
	}
}

// placeholders notes parameters that stand nowhere in the policy or in an
// instruction, and those that stand where nothing is filled in.
func (r *reader) placeholders(path string, v *describe.Vendor, role *describe.Role) {
	if role.Document == nil {
		return // it could not be read, which was noted
	}
	for _, word := range describe.ForeignPlaceholders(role.Document) {
		r.wrong(
			path+".policy",
			fmt.Sprintf("Nothing is filled in for %s in the policy.", describe.Clean(word)),
			"the name of a parameter in capitals, without brackets",
			"Describe it under parameters, and write its name here.",
		)
	}
	for _, name := range role.ParameterNames() {
		at := path + ".parameters." + name + "#key"
		fills, lies := describe.PlacesOf(role.Document, name)
		if lies != "" {
			r.wrong(
				at,
				fmt.Sprintf("The placeholder %s stands in %s, where nothing is filled in.", describe.Clean(name), lies),
				"its name in a Resource or a Condition",
				"Write out what stands there.",
			)
		} else if !fills && !role.Holds(name) && !instructs(v, name) && len(role.Parameters[name].Accounts()) == 0 {
			r.wrong(
				at,
				fmt.Sprintf("Neither the policy nor an instruction has the placeholder %s.", describe.Clean(name)),
				"its name in a Resource or a Condition, as a word of its own, or in braces in an instruction",
				"Use it there, or remove the parameter.",
			)
		}
	}
}

// instructs tells whether an instruction has the placeholder.
func instructs(v *describe.Vendor, name string) bool {
	for i := range v.Methods {
		for _, s := range v.Methods[i].Steps {
			if slices.ContainsFunc(s.Instructions, func(text string) bool { return slices.Contains(placeholders(text), name) }) {
				return true
			}
		}
	}
	return false
}
