package describe

import (
	"fmt"
	"regexp"
	"strings"

	"rolecall/policy"
)

// Warnings are what is no mistake, and what whoever uses the description should
// have looked at. They have no place in the file.
func (v *Vendor) Warnings() []Mistake {
	var all []Mistake
	if local := v.HandOver.Local(); local != "" {
		all = append(all, Mistake{What: "hand_over goes to " + clean(v.HandOver.URL) + ". " + local, Expected: "the name of the vendor's server", Next: "Name it, or hand over by copy."})
	}
	for i := range v.Roles {
		role := &v.Roles[i]
		for _, word := range role.unfilled() {
			all = append(all, Mistake{What: fmt.Sprintf("%s stands in the policy of %s like a placeholder, and no parameter has that name: it is granted as it stands.", clean(word), role.Purpose),
				Expected: "a parameter of that name, or what is really meant", Next: "Describe it under parameters, or leave it if it is a name."})
		}
	}
	return all
}

// unfilled are words of the policy in the shape of a placeholder that no
// parameter has: capitals with an underscore.
func (r *Role) unfilled() []string {
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

// foreignPlaceholders are placeholders of another kind in a document, which
// nobody fills in: <bucket>, {bucket}. IAM's own variables, ${aws:username}, are
// none.
func foreignPlaceholders(doc *policy.Document) []string {
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
