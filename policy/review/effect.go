package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"rolecall/policy"
)

// effects are the findings about what does nothing, or less than it seems to.
func (m *model) effects(x *expansion) []Finding {
	var out []Finding
	for _, st := range m.statements {
		for i := range st.entries {
			out = append(out, m.unknown(&st.entries[i], x)...)
		}
		out = append(out, m.resources(st)...)
		out = append(out, m.conditions(st)...)
	}
	return append(out, m.partitions()...)
}

// unknown is an entry that matches no action.
func (m *model) unknown(e *entry, x *expansion) []Finding {
	service, name, ok := strings.Cut(e.folded, ":")
	everyService := strings.Trim(service, "*") == ""
	if strings.Trim(service, "abcdefghijklmnopqrstuvwxyz0123456789-.*?") != "" {
		return nil // AWS refuses it, which is said already
	}
	if !ok || e.folded == "" || x.matched[e] > 0 && (e.service != "" || everyService) {
		return nil
	}
	f := Finding{Class: NoEffect, Severity: Medium, Actions: []string{e.text}}
	f.at(e.st, e.st.Position(e.st.element(), e.at))
	f.Places = []Place{placeOf(e)}
	s, known := m.cat.Service(service)
	switch {
	case strings.ContainsAny(service, "*?"):
		f.ID, f.Category = "unknown-service", "unknown-service"
		f.Title = "A wildcard in a service's name"
		f.Why = fmt.Sprintf("%s reaches across services. AWS takes it, but what it grants changes with every new service.", e.text)
		if len(m.cat.Expand(e.folded)) == 0 {
			f.Why = fmt.Sprintf("No service that rolecall knows matches %s.", e.text)
		}
	case !known:
		f.ID, f.Category = "unknown-service", "unknown-service"
		f.Title = "No AWS service is called " + short(service)
		f.Why = "The entry grants nothing, unless the service is newer than rolecall's list of " + m.cat.Date() + "."
		if near := m.nearestService(service); near != "" && near != service && len(m.cat.Expand(near+":"+name)) > 0 {
			f.Why += " Did you mean " + near + "?"
			f.Patch = &Patch{Replace: near + ":" + tail(e.text)}
		}
	case len(m.cat.Expand(e.folded)) > 0:
		return nil // a Deny, or part of a NotAction
	case e.wild:
		f.ID, f.Category = "unknown-action", "unknown-action"
		f.Title = "Matches no action of " + m.serviceName(service)
		f.Why = fmt.Sprintf("No action of %s matches %s, unless it is newer than rolecall's list of %s.", s.Prefix, short(e.text), m.cat.Date())
	default:
		f.ID, f.Category = "unknown-action", "unknown-action"
		f.Title = fit(m.serviceName(service)+" has no action ", []string{short(tail(e.text))})
		f.Why = "The entry grants nothing, unless the action is newer than rolecall's list of " + m.cat.Date() + "."
		if near := m.nearestAction(s, name); near != "" {
			f.Why += " Did you mean " + near + "?"
			f.Patch = &Patch{Replace: near}
		}
	}
	if f.Patch == nil {
		f.Patch = &Patch{}
	}
	f.Patch.Index, f.Patch.Remove = e.st.index, []string{e.text}
	if e.service == "" {
		f.Fix = "Name the services one by one."
	}
	return []Finding{f}
}

func tail(action string) string {
	_, name, _ := strings.Cut(action, ":")
	return name
}

// short keeps hostile or silly lengths out of headlines.
func short(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return text
}

// maxGuesses is for how many entries a likely spelling is looked for: each
// takes a comparison with every action of the service.
const maxGuesses = 40

// nearestService finds the service that a misspelt prefix most likely means.
func (m *model) nearestService(prefix string) string {
	if m.guesses++; len(prefix) == 0 || len(prefix) > 40 || m.guesses > maxGuesses {
		return ""
	}
	best, distance := "", 3
	for _, s := range m.cat.Services() {
		if abs(len(s.Prefix)-len(prefix)) >= distance || s.Prefix[0] != prefix[0] {
			continue
		}
		if d := levenshtein.Distance(prefix, s.Prefix, nil); d < distance {
			best, distance = s.Prefix, d
		}
	}
	return best
}

// nearestAction finds the action that a misspelt name most likely means: two
// letters off, or the same verb with a name that begins alike.
func (m *model) nearestAction(s *policy.Service, name string) string {
	if m.guesses++; len(name) > 80 || m.guesses > maxGuesses {
		return ""
	}
	best, distance := "", 3
	for _, a := range s.Actions() {
		folded := strings.ToLower(tail(a.Name))
		if folded == name+"s" || folded+"s" == name {
			return a.Name
		}
		if abs(len(folded)-len(name)) >= distance {
			continue
		}
		if d := levenshtein.Distance(name, folded, nil); d < distance {
			best, distance = a.Name, d
		}
	}
	return best
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// resources are a statement's resources that fit none of its actions. Only
// actions written out are judged: what a wildcard also matches is nobody's
// mistake.
func (m *model) resources(st *statement) []Finding {
	out := m.shapes(st)
	if st.negated() || len(st.Resource) == 0 || slices.Contains(st.Resource, "*") || len(st.Resource) > maxResources {
		return out
	}
	var star, none []*entry
	for i := range st.entries {
		e := &st.entries[i]
		a, ok := m.cat.Action(e.folded)
		switch {
		case e.wild || !ok:
		case len(a.Resources()) == 0:
			star = append(star, e)
		case !slices.ContainsFunc(st.Resource, func(r string) bool { return m.reach(e.folded, r).applies || fitsAny(st, r) }):
			none = append(none, e)
		}
	}
	if len(star) > 0 {
		out = append(out, mismatch(st, star, "needs-star", "Has no effect: these actions need the resource *",
			"AWS checks these actions against * alone, so an ARN grants nothing."))
	}
	if len(none) > 0 {
		why := "The resources of this statement are of other kinds than these actions work on, so nothing is granted."
		if slices.ContainsFunc(none, func(e *entry) bool { return strings.Contains(e.folded, "object") && e.service == "s3" }) {
			why += " Objects are arn:aws:s3:::bucket/*, the bucket itself is arn:aws:s3:::bucket."
		}
		out = append(out, mismatch(st, none, "no-resource", "Has no effect: the resource does not fit", why))
	}
	return out
}

// maxResources is more than a document of 6,144 characters can hold; beyond
// it, resources are not compared one by one.
const maxResources = 200

// fitsAny is for ARNs with a variable in the place of the service.
func fitsAny(_ *statement, resource string) bool {
	parts := strings.SplitN(resource, ":", 6)
	return len(parts) < 6 || strings.Contains(parts[2], "${")
}

func mismatch(st *statement, entries []*entry, id, title, why string) Finding {
	f := Finding{ID: id, Class: NoEffect, Category: "resource-mismatch", Severity: Low, Title: title, Why: why}
	for _, e := range entries {
		f.Actions = append(f.Actions, e.text)
		f.Places = append(f.Places, placeOf(e))
	}
	if st.Effect == policy.Deny {
		f.Why = strings.Replace(f.Why, "grants nothing", "denies nothing", 1)
		f.Why = strings.Replace(f.Why, "nothing is granted", "nothing is denied", 1)
	}
	return *f.at(st, st.Position("Action", entries[0].at))
}

// shapes are ARNs that can name nothing: a placeholder for the account or the
// region, which AWS takes and which then matches nothing.
func (m *model) shapes(st *statement) []Finding {
	var out []Finding
	for _, element := range [...]string{"Resource", "NotResource"} {
		list := st.Resource
		if element == "NotResource" {
			list = st.NotResource
		}
		for i, r := range list {
			what, wanted := shapeOf(r)
			if what == "" {
				continue
			}
			f := Finding{ID: "arn-shape", Class: NoEffect, Category: "bad-resource", Severity: Medium, Actions: []string{},
				Title: "Has no effect: the ARN can match nothing",
				Why:   fmt.Sprintf("%s has %s, %s.", short(r), what, wanted)}
			f.at(st, st.Position(element, i))
			f.Places = []Place{{Statement: st.Sid, Index: st.index, Line: f.Line, Column: f.Column, Entry: r}}
			out = append(out, f)
		}
	}
	return out
}

func shapeOf(resource string) (what, wanted string) {
	parts := strings.SplitN(resource, ":", 6)
	switch {
	case resource == "*" || strings.Contains(resource, "${"):
		return "", ""
	case len(parts) < 6:
		if strings.HasSuffix(resource, "*") && len(parts) > 2 {
			return "", ""
		}
		return fmt.Sprintf("%d parts", len(parts)), "an ARN has six: arn:partition:service:region:account:resource"
	case !accountLike(parts[4]):
		return fmt.Sprintf("the account %q", short(parts[4])), "an account is 12 digits, * or empty"
	case !regionLike(parts[3]):
		return fmt.Sprintf("the region %q", short(parts[3])), "a region is a name such as eu-west-1, * or empty"
	case parts[0] != "arn":
		return fmt.Sprintf("the beginning %q", short(parts[0])), `an ARN begins with "arn"`
	}
	return "", ""
}

func accountLike(s string) bool {
	if s == "" || s == "aws" || s == "aws-managed" || s == "cloudfront" || strings.ContainsAny(s, "*?") {
		return true
	}
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

func regionLike(s string) bool {
	if s == "" || strings.ContainsAny(s, "*?") || s == "global" {
		return true
	}
	last := s[len(s)-1]
	return last >= '0' && last <= '9' && strings.Contains(s, "-")
}

// partitions are ARNs of another partition than the account's, or of several.
func (m *model) partitions() []Finding {
	want := m.opts.Partition
	var out []Finding
	for _, st := range m.statements {
		for i, r := range append(slices.Clone(st.Resource), st.NotResource...) {
			parts := strings.SplitN(r, ":", 3)
			if len(parts) < 3 || parts[1] == "*" || parts[1] == "" || parts[0] != "arn" {
				continue
			}
			if want == "" {
				want = parts[1]
			}
			if parts[1] == want {
				continue
			}
			f := Finding{ID: "partition", Class: NoEffect, Category: "bad-resource", Severity: Medium, Actions: []string{},
				Title: "Has no effect: the ARN is of another partition",
				Why: fmt.Sprintf("%s is in %s, the rest in %s. An account lies in one partition and reaches no other.",
					short(r), parts[1], want)}
			element, at := "Resource", i
			if i >= len(st.Resource) {
				element, at = "NotResource", i-len(st.Resource)
			}
			f.at(st, st.Position(element, at))
			out = append(out, f)
			return out
		}
	}
	return out
}
