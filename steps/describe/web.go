package describe

import (
	"slices"
	"strings"

	"rolecall/policy"
)

// WordIn says where in a web identity a parameter's value stands.
type WordIn string

// The places. A subject is read by its colons and slashes, so that a value with
// one of them means another subject, unless it stands at the end.
const (
	InIssuer     WordIn = "issuer"
	InAudience   WordIn = "audience"
	InSubject    WordIn = "subject"
	InSubjectEnd WordIn = "end of the subject"
)

// Takes tells whether a value means itself alone where it stands.
func (in WordIn) Takes(value string) bool {
	switch in {
	case InIssuer:
		return policy.CheckIssuer(value) == nil
	case InSubject:
		return !strings.ContainsAny(value, ":/|") && ofToken(value)
	case InSubjectEnd, InAudience:
		return ofToken(value)
	}
	return true
}

// ofToken tells whether a value can stand in a claim: one line of printable
// ASCII, without what a policy or a shell would read.
func ofToken(value string) bool {
	return value == strings.TrimSpace(value) && !strings.ContainsFunc(value, func(c rune) bool {
		return c < ' ' || c > '~' || strings.ContainsRune("*?$\"'\\{}<>`", c)
	})
}

// None reports that the role trusts accounts.
func (w WebIdentity) None() bool { return w == WebIdentity{} }

// NeedsExternalID tells whether the role has to ask for an external ID: tokens of
// an OIDC provider bring none.
func (r *Role) NeedsExternalID() bool {
	return r.Access != AccessUser && r.NoExternal == "" && r.WebIdentity.None()
}

// Web is whom the role trusts by web identity, its parameters filled in; nil for a
// role that trusts accounts. The error is Mistakes: each parameter without a
// value, and each value that would mean another subject.
func (r *Role) Web(values map[string]string) (*policy.WebIdentity, error) {
	if r.WebIdentity.None() {
		return nil, nil //nolint:nilnil // it trusts accounts
	}
	w := r.WebIdentity
	if err := r.given(values, w.Issuer, w.Audience, w.Subject); err != nil {
		return nil, err
	}
	return &policy.WebIdentity{Issuer: FillWords(w.Issuer, values), Audience: FillWords(w.Audience, values),
			Subject: FillWords(w.Subject, values)},
		nil
}

// given refuses where a parameter that stands in one of the texts has no value
// that follows its rule.
func (r *Role) given(values map[string]string, texts ...string) error {
	var mistakes Mistakes
	for _, name := range r.ParameterNames() {
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "{"+name+"}") }) {
			continue
		}
		if err := r.Parameters[name].Check(values[name]); err != nil {
			mistakes = append(mistakes, MistakesOf(err)...)
		}
	}
	if len(mistakes) > 0 {
		return mistakes
	}
	return nil
}

// Holds tells whether the web identity or the managed policies have a parameter.
func (r *Role) Holds(name string) bool {
	w := r.WebIdentity
	texts := append([]string{w.Issuer, w.Audience, w.Subject}, r.ManagedPolicies...)
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "{"+name+"}") })
}

// Settled tells whether parameters decide about whom the role trusts by web
// identity, or about its managed policies.
func (r *Role) Settled() bool { return slices.ContainsFunc(r.ParameterNames(), r.Holds) }

// NoteWords notes of each parameter where in a web identity it stands: the strictest
// place counts.
func (r *Role) NoteWords() {
	w := r.WebIdentity
	for name, p := range r.Parameters {
		word := "{" + name + "}"
		switch {
		case w.None():
		case strings.Contains(w.Issuer, word):
			p.In = InIssuer
		case strings.Contains(strings.TrimSuffix(w.Subject, word), word):
			p.In = InSubject
		case strings.HasSuffix(w.Subject, word):
			p.In = InSubjectEnd
		case strings.Contains(w.Audience, word):
			p.In = InAudience
		}
		r.Parameters[name] = p
	}
}
