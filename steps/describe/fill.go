package describe

import (
	"regexp"
	"slices"
	"strings"

	"rolecall/policy"
)

// Fill puts values in the place of a role's parameters: wherever the name of
// one stands as a word of its own in a resource or a condition. What is filled
// in is not read again, so that a value may look like another's name. The error
// is Mistakes: each parameter without a value, and each value that does not
// follow its rule. No value can widen what the policy grants.
func (r *Role) Fill(doc *policy.Document, values map[string]string) (*policy.Document, error) {
	var mistakes Mistakes
	for _, name := range r.ParameterNames() {
		if err := r.Parameters[name].Check(values[name]); err != nil {
			mistakes = append(mistakes, MistakesOf(err)...)
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return r.FillKnown(doc, values), nil
}

// FillKnown is Fill for the values that are there and follow their rules. The
// others' placeholders stay.
func (r *Role) FillKnown(doc *policy.Document, values map[string]string) *policy.Document {
	return mapped(doc, func(text string) string {
		return eachWord(text, func(word string) string {
			if p, ok := r.Parameters[word]; ok && p.Check(values[word]) == nil {
				return values[word]
			}
			return word
		})
	})
}

// mapped is a document with its resources and conditions changed.
func mapped(doc *policy.Document, change func(string) string) *policy.Document {
	each := func(texts []string) []string {
		if texts == nil {
			return nil
		}
		out := make([]string, len(texts))
		for i, text := range texts {
			out[i] = change(text)
		}
		return out
	}
	out := *doc
	out.Statements = slices.Clone(doc.Statements)
	for i := range out.Statements {
		s := &out.Statements[i]
		s.Resource, s.NotResource = each(s.Resource), each(s.NotResource)
		s.Condition = slices.Clone(s.Condition)
		for j := range s.Condition {
			s.Condition[j].Values = each(s.Condition[j].Values)
		}
	}
	return &out
}

// eachWord changes each word of a text: a run of letters, digits and
// underscores, as the names of parameters are.
func eachWord(text string, change func(word string) string) string {
	var b strings.Builder
	for text != "" {
		n := strings.IndexFunc(text, func(c rune) bool { return !ofWord(c) })
		if n < 0 {
			n = len(text)
		}
		b.WriteString(change(text[:n]))
		text = text[n:]
		n = strings.IndexFunc(text, ofWord)
		if n < 0 {
			n = len(text)
		}
		b.WriteString(text[:n])
		text = text[n:]
	}
	return b.String()
}

func ofWord(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func hasWord(text, word string) bool {
	found := false
	eachWord(text, func(one string) string {
		found = found || one == word
		return one
	})
	return found
}

// PlacesOf tells whether Fill would find the placeholder, and names an element
// in which it stands and stays as it is; empty where there is none.
func PlacesOf(doc *policy.Document, name string) (fills bool, lies string) {
	mapped(doc, func(text string) string {
		fills = fills || hasWord(text, name)
		return text
	})
	has := func(text string) bool { return hasWord(text, name) }
	for i := range doc.Statements {
		s := &doc.Statements[i]
		switch {
		case slices.ContainsFunc(s.Action, has) || slices.ContainsFunc(s.NotAction, has):
			lies = "an Action"
		case slices.ContainsFunc(s.Condition, func(c policy.Condition) bool { return has(c.Key) }):
			lies = "the key of a Condition"
		}
	}
	return fills, lies
}

// The placeholders of instructions, beside the names of parameters.
const (
	WordPolicy  = "policy"
	WordRole    = "role"
	WordUser    = "user"
	WordManaged = "managed_policies"
)

// FillWords puts values in the place of the words in braces that a text has, by
// their names: "{role}". What is filled in is not read again, and a word without
// a value stays.
func FillWords(text string, values map[string]string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return b.String() + text
		}
		b.WriteString(text[:i])
		text = text[i:]
		end := strings.IndexAny(text[1:], "{}\" \t\r\n:,") + 1
		value, ok := values[text[1:max(end, 1)]]
		if end < 1 || text[end] != '}' || !ok {
			b.WriteByte('{')
			text = text[1:]
			continue
		}
		b.WriteString(value)
		text = text[end+1:]
	}
}

// Left names a parameter of the vendor whose name still stands in a document as
// a word of its own, and in none of the values that were filled in; empty where
// none does.
func (v *Vendor) Left(doc *policy.Document, values map[string]string) string {
	for i := range v.Roles {
		for _, name := range v.Roles[i].ParameterNames() {
			fills, lies := PlacesOf(doc, name)
			if (fills || lies != "") && !valueHas(values, name) {
				return name
			}
		}
	}
	return ""
}

func valueHas(values map[string]string, word string) bool {
	for _, value := range values {
		if hasWord(value, word) {
			return true
		}
	}
	return false
}

// Unfilled are words of the policy in the shape of a placeholder that no
// parameter has: capitals with an underscore.
func (r *Role) Unfilled() []string {
	shape := regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)
	var words []string
	seen := map[string]bool{}
	mapped(r.Document, func(text string) string {
		return eachWord(text, func(word string) string {
			if _, known := r.Parameters[word]; !known && !seen[word] && shape.MatchString(word) {
				seen[word] = true
				words = append(words, word)
			}
			return word
		})
	})
	return words
}

// ForeignPlaceholders are placeholders of another kind in a document, which
// nobody fills in: <bucket>, {bucket}. IAM's own variables, ${aws:username}, are
// none.
func ForeignPlaceholders(doc *policy.Document) []string {
	shape := regexp.MustCompile(`<[^<>]*>|\$?\{[^{}]*\}`)
	var found []string
	mapped(doc, func(text string) string {
		for _, word := range shape.FindAllString(text, -1) {
			if !strings.HasPrefix(word, "$") {
				found = append(found, word)
			}
		}
		return text
	})
	return found
}
