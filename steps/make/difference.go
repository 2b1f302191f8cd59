package making

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
	"rolecall/steps/screen"
)

// DifferenceProblem says how a policy of the wanted name differs from what is
// wanted.
func DifferenceProblem(name string, d policy.Difference) screen.Problem {
	var words []string
	if missing := ChangeList(d.Removed, nil); missing != "" {
		words = append(words, "it lacks "+missing)
	}
	if extra := ChangeList(d.Added, nil); extra != "" {
		words = append(words, "it adds "+extra)
	}
	if changed := ChangeList(nil, d.Changed); changed != "" {
		words = append(words, changed)
	}
	return screen.Problem{
		What:     name + " exists and differs: " + strings.Join(words, "; ") + ".",
		Expected: "a policy that grants exactly the document above",
		Next:     "Edit it in the console and paste the document, or create one under another name.",
		Kind:     screen.NotAsNeeded,
		Passing:  true,
	}
}

// ChangeList names at most three differences and counts the rest.
func ChangeList(actions []string, changes []policy.Change) string {
	words := slices.Clone(actions)
	for _, c := range changes {
		words = append(words, c.Detail)
	}
	const most = 3
	if len(words) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
	}
	return strings.Join(words, ", ")
}

// DifferenceCode is the whole difference of a policy from what is wanted, to be
// read: what it lacks, what it adds, and what it grants otherwise, by service.
func DifferenceCode(name string, d policy.Difference) screen.Code {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, compared with what is needed\n", name)
	if d.Bounded {
		b.WriteString("(The comparison was ended early: more may differ.)\n")
	}
	actionsByService(&b, "It lacks", d.Removed)
	actionsByService(&b, "It adds", d.Added)
	changes(&b, d.Changed)
	return screen.Code{Label: "What differs", Name: name + "-differences.txt", Body: b.String(), About: differenceCounts(d), Aside: true}
}

// differenceCounts says how much differs: "lacks 12, adds 3 actions, 1 otherwise".
func differenceCounts(d policy.Difference) string {
	var parts []string
	for _, part := range []struct {
		n     int
		words string
	}{{len(d.Removed), "lacks %s"}, {len(d.Added), "adds %s"}, {len(d.Changed), "%s otherwise"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf(part.words, screen.Thousands(part.n)))
		}
	}
	return strings.Join(parts, ", ")
}

// actionsByService lists actions under their service.
func actionsByService(b *strings.Builder, title string, actions []string) {
	if len(actions) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s %s %s\n", title, screen.Thousands(len(actions)), screen.Plural(len(actions), "action"))
	sorted := slices.Clone(actions)
	slices.Sort(sorted)
	for len(sorted) > 0 {
		service, _, _ := strings.Cut(sorted[0], ":")
		n := slices.IndexFunc(sorted, func(action string) bool { return !strings.HasPrefix(action, service+":") && action != service })
		if n < 0 {
			n = len(sorted)
		}
		fmt.Fprintf(b, "  %s (%d)\n", service, n)
		for _, action := range sorted[:n] {
			fmt.Fprintf(b, "    %s\n", action)
		}
		sorted = sorted[n:]
	}
}

// changes lists what both grant, in other ways.
func changes(b *strings.Builder, all []policy.Change) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\nIt grants otherwise, in %d %s\n", len(all), screen.Plural(len(all), "place"))
	for _, c := range all {
		where := c.Statement
		if where == "" {
			where = fmt.Sprintf("statement %d", c.Index+1)
		}
		fmt.Fprintf(b, "  %s · %s\n    %s\n", where, c.What, c.Detail)
		for _, action := range c.Actions {
			fmt.Fprintf(b, "      %s\n", action)
		}
	}
}
