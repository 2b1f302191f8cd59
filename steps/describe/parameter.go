package describe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Check tells whether the value follows the parameter's rule. The error is a
// Mistake.
func (p Parameter) Check(value string) error {
	m := Mistake{Expected: strings.TrimSuffix(p.About, "."), Next: "Give one such as " + p.Sample() + ".", Flag: p.Flag}
	if len(p.Choices) > 0 {
		m.Expected, m.Next = "one of "+strings.Join(p.Values(), ", "), DidYouMean(value, p.Values())+p.About
	}
	switch {
	case value == "":
		m.What = p.Label + " is missing."
	case !p.takes(value):
		m.What = fmt.Sprintf("%q cannot be the %s.", Clean(value), strings.ToLower(p.Label))
	default:
		return nil
	}
	return m
}

func (p Parameter) takes(value string) bool {
	if len(p.Choices) > 0 {
		return slices.Contains(p.Values(), value)
	}
	return Matches(p.Pattern, value) && !Widens(value) && p.In.Takes(value)
}

// Widens tells whether a value would mean more than itself in a policy, or is more
// than one line.
func Widens(value string) bool {
	return strings.ContainsAny(value, "*?$") || strings.ContainsFunc(value, unicode.IsControl)
}

// IsBucket tells whether the value is the name of an S3 bucket of the account.
func (p Parameter) IsBucket() bool { return p.Kind == ParameterBucket || p.Kind == ParameterReports }

// Values are those of the choices, in their order.
func (p Parameter) Values() []string {
	all := make([]string, len(p.Choices))
	for i, c := range p.Choices {
		all[i] = c.Value
	}
	return all
}

// Sample is a value that the parameter takes: its example, or its first choice.
func (p Parameter) Sample() string {
	if len(p.Choices) > 0 {
		return p.Choices[0].Value
	}
	return p.Example
}

// Parameter finds a parameter of any of the vendor's roles by its name: one name
// stands for one value.
func (v *Vendor) Parameter(name string) (Parameter, bool) {
	for i := range v.Roles {
		if p, ok := v.Roles[i].Parameters[name]; ok {
			return p, true
		}
	}
	return Parameter{}, false
}

// ParameterNames are the names of a role's parameters in the order in which
// they are asked for: as they stand in a web identity, then by name.
func (r *Role) ParameterNames() []string {
	w := r.WebIdentity
	text := w.Issuer + w.Audience + w.Subject
	place := func(name string) int {
		if at := strings.Index(text, "{"+name+"}"); at >= 0 {
			return at
		}
		return len(text)
	}
	return slices.SortedFunc(maps.Keys(r.Parameters), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b))
	})
}

// Sampled is the policy's text with a sample in the place of each parameter, on
// the same lines: what a review can judge before anybody was asked.
func (r *Role) Sampled() string {
	return eachWord(r.Policy, func(word string) string {
		if p, ok := r.Parameters[word]; ok {
			return inString(p.Sample())
		}
		return word
	})
}
