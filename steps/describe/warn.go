package describe

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"rolecall/policy"
)

// Warnings are what is no mistake, and what whoever uses the description should
// have looked at. They have no place in the file.
func (v *Vendor) Warnings(now time.Time) []Mistake {
	all := v.aged(now)
	if local := v.HandOver.Local(); local != "" {
		all = append(
			all,
			Mistake{
				What:     "hand_over goes to " + clean(v.HandOver.URL) + ". " + local,
				Expected: "the name of the vendor's server",
				Next:     "Name it, or hand over by copy.",
			},
		)
	}
	for i := range v.Roles {
		role := &v.Roles[i]
		for _, word := range role.unfilled() {
			all = append(
				all,
				Mistake{
					What: fmt.Sprintf(
						"%s stands in the policy of %s like a placeholder, and no parameter has that name: it is granted as it stands.",
						clean(word),
						role.Purpose,
					),
					Expected: "a parameter of that name, or what is really meant",
					Next:     "Describe it under parameters, or leave it if it is a name.",
				},
			)
		}
	}
	return all
}

// aged warns of facts that nobody looked up for more than a year.
func (v *Vendor) aged(now time.Time) []Mistake {
	if len(v.Source) == 0 {
		return nil
	}
	m := Mistake{Expected: "read: the day on which somebody last compared the description with its sources, within a year",
		Next: "Read them again, correct what changed, and set read: \"" + now.UTC().Format(time.DateOnly) + "\"."}
	day, err := time.Parse(time.DateOnly, v.Read)
	switch {
	case v.Read == "" || err != nil:
		m.What = "Nothing says when the sources were read."
	case day.After(now):
		m.What = "The sources were read on " + v.Read + ", which is to come."
	case now.After(day.AddDate(1, 0, 0)):
		m.What = "The sources were read more than a year ago, on " + v.Read + "."
	default:
		return nil
	}
	return []Mistake{m}
}

// day checks a date.
func (r *reader) day(path, text string) {
	if _, err := time.Parse(time.DateOnly, text); text != "" && err != nil {
		r.wrong(path, fmt.Sprintf("%q is no day.", clean(text)), "a day such as 2026-11-25, in quotes", "Correct it.")
	}
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
