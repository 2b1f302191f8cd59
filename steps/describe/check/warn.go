package check

import (
	"fmt"
	"time"

	"rolecall/steps/describe"
)

// Warnings are what is no mistake, and what whoever uses the description should
// have looked at. They have no place in the file.
func Warnings(v *describe.Vendor, now time.Time) []describe.Mistake {
	all := aged(v, now)
	if local := v.HandOver.Local(); local != "" {
		all = append(
			all,
			describe.Mistake{
				What:     "hand_over goes to " + describe.Clean(v.HandOver.URL) + ". " + local,
				Expected: "the name of the vendor's server",
				Next:     "Name it, or hand over by copy.",
			},
		)
	}
	for i := range v.Roles {
		role := &v.Roles[i]
		for _, word := range role.Unfilled() {
			all = append(
				all,
				describe.Mistake{
					What: fmt.Sprintf(
						"%s stands in the policy of %s like a placeholder, and no parameter has that name: it is granted as it stands.",
						describe.Clean(word),
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
func aged(v *describe.Vendor, now time.Time) []describe.Mistake {
	if len(v.Source) == 0 {
		return nil
	}
	m := describe.Mistake{Expected: "read: the day on which somebody last compared the description with its sources, within a year",
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
	return []describe.Mistake{m}
}

// day checks a date.
func (r *reader) day(path, text string) {
	if _, err := time.Parse(time.DateOnly, text); text != "" && err != nil {
		r.wrong(path, fmt.Sprintf("%q is no day.", describe.Clean(text)), "a day such as 2026-11-25, in quotes", "Correct it.")
	}
}
