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
		out = append(out, voids(st)...)
		out = append(out, m.resources(st)...)
		out = append(out, m.variables(st)...)
		out = append(out, m.incomplete(st)...)
		out = append(out, m.conditions(st)...)
	}
	out = append(out, m.denied()...)
	return append(out, m.partitions()...)
}

// unknownNames are the entries that match no action, whatever kind of document
// they stand in.
func (m *model) unknownNames() []Finding {
	x := &expansion{matched: map[*entry]int{}}
	var out []Finding
	for _, st := range m.statements {
		for i := range st.entries {
			out = append(out, m.unknown(&st.entries[i], x)...)
		}
	}
	for i := range out {
		out[i].Fix = advice(&out[i])
	}
	return out
}

// voids is a statement that leaves out everything, so that nothing is left.
func voids(st *statement) []Finding {
	if st.void == "" {
		return nil
	}
	does := "grants"
	if st.Effect == policy.Deny {
		does = "denies"
	}
	f := Finding{ID: "leaves-nothing", Class: NoEffect, Category: "resource-mismatch", Severity: Medium, Actions: []string{},
		Title: st.void + " leaves out everything: it " + does + " nothing",
		Why:   fmt.Sprintf("%s names what the statement is not about. Here that is everything, so the statement %s nothing.", st.void, does),
		Fix:   fmt.Sprintf("Write %s instead, if it is what was meant, or take the statement out.", strings.TrimPrefix(st.void, "Not"))}
	f.at(st, st.Position(st.void, 0))
	return []Finding{f}
}

// denied are Allow statements of which a Deny of the same document takes
// everything, and documents that only deny.
func (m *model) denied() []Finding {
	var out []Finding
	for _, st := range m.allow {
		if len(m.deny) == 0 || len(st.entries) > maxMoved || !m.takenAway(st) {
			continue
		}
		f := Finding{ID: "denied", Class: NoEffect, Category: "redundant", Severity: Note, Actions: []string{},
			Title: "Grants nothing: a Deny takes all of it",
			Why:   "A Deny of this document without a condition covers all that the statement allows, and a Deny always wins.",
			Fix:   "Take the statement out, or narrow the Deny."}
		f.at(st, st.Position(st.element(), -1))
		out = append(out, f)
	}
	if only := m.onlyDenies(); only != nil {
		out = append(out, *only)
	}
	return out
}

// takenAway reports whether nothing is left of what a statement allows.
func (m *model) takenAway(st *statement) bool {
	for i := range st.entries {
		e := &st.entries[i]
		one := policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{e.folded}, Resource: []string{"*"}})
		if st.negated() {
			one.Statements[0].Action, one.Statements[0].NotAction = nil, st.NotAction
		}
		rest := make([]policy.Statement, 0, len(m.deny))
		for _, d := range m.deny {
			if slices.ContainsFunc(d.Resource, policy.EveryResource) {
				rest = append(rest, *d.Statement)
			}
		}
		if len(rest) == 0 || !policy.Nothing(one, rest) {
			return false
		}
		if st.negated() {
			break
		}
	}
	return len(st.entries) > 0
}

// onlyDenies notes a document that grants nothing because it does not try to.
func (m *model) onlyDenies() *Finding {
	if len(m.statements) == 0 ||
		slices.ContainsFunc(m.statements, func(st *statement) bool { return st.Effect != policy.Deny || len(st.Principal) > 0 }) {
		return nil
	}
	st := m.statements[0]
	f := Finding{
		ID:       "only-denies",
		Class:    NoEffect,
		Category: "redundant",
		Severity: Note,
		Actions:  []string{},
		Title:    "It only denies, so it grants nothing",
		Why: "As a permissions policy it takes from what other policies grant. So do service control policies (SCP); if it is one, AWS checks " +
			"it with " +
			"aws accessanalyzer validate-policy --policy-type SERVICE_CONTROL_POLICY.",
		Fix: "Nothing has to be changed, if that is what it is for.",
	}
	return f.at(st, st.Position("Effect", 0))
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
	f.Places = []Place{{Statement: e.st.Sid, Index: e.st.index, Line: f.Line, Column: f.Column, Entry: e.text}}
	s, known := m.cat.Service(service)
	does := doesNothing(e.st)
	switch {
	case strings.ContainsAny(service, "*?"):
		f.ID, f.Category = "unknown-service", "unknown-service"
		f.Title = "A wildcard in a service's name"
		f.Why = fmt.Sprintf("%s reaches across services. AWS takes it, but what it grants changes with every new service.", e.text)
		if len(m.cat.Expand(e.folded)) == 0 {
			f.Why = fmt.Sprintf("No service that rolecall knows matches %s. %s.", short(e.text), does)
		}
	case !known:
		f.ID, f.Category = "unknown-service", "unknown-service"
		f.Title = "No AWS service is called " + short(service)
		f.Why = does + ", unless the service is newer than rolecall's list of " + m.cat.Date() + "."
		m.suggestService(&f, service, name, tail(e.text))
	case len(m.cat.Expand(e.folded)) > 0:
		return nil // a Deny, or part of a NotAction
	case e.wild:
		f.ID, f.Category = "unknown-action", "unknown-action"
		f.Title = "Matches no action of " + m.serviceName(service)
		f.Why = fmt.Sprintf(
			"No action of %s matches %s, unless it is newer than rolecall's list of %s. %s.",
			s.Prefix,
			short(e.text),
			m.cat.Date(),
			does,
		)
		m.suggestPattern(&f, s, name)
	default:
		f.ID, f.Category = "unknown-action", "unknown-action"
		f.Title = fit(m.serviceName(service)+" has no action ", []string{short(tail(e.text))})
		f.Why = does + ", unless the action is newer than rolecall's list of " + m.cat.Date() + "."
		m.suggestAction(&f, s, e)
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

// doesNothing says what follows from an entry that matches no action. Of
// NotAction it is the opposite: what it was to leave out is not left out.
func doesNothing(st *statement) string {
	switch {
	case st.Effect == policy.Allow && !st.negated():
		return "The entry grants nothing"
	case st.Effect == policy.Allow:
		return "The entry leaves nothing out, so what it was to keep back is granted"
	case !st.negated():
		return "The entry denies nothing, so what it was to keep back is not"
	}
	return "The entry leaves nothing out, so what it was to spare is denied"
}

// suggestService names the service that was likely meant: one that is called
// otherwise in IAM, or a near spelling.
func (m *model) suggestService(f *Finding, service, name, written string) {
	candidates := knownAPIs().services[service]
	if near := m.nearestService(service); len(candidates) == 0 && near != "" && near != service {
		candidates = []string{near}
	}
	for _, near := range candidates {
		actions := []string{near + ":" + written}
		if known := knownAPIs().actions[near+":"+name]; len(known) > 0 {
			actions = known
		}
		if len(m.cat.Expand(actions[0])) == 0 {
			continue
		}
		f.Why += " Did you mean " + near + "?"
		suggest(f, actions)
		return
	}
	if len(candidates) > 0 {
		f.Why += " In IAM it is " + strings.Join(candidates, " or ") + "."
	}
}

// suggestAction names the actions that an operation of the API needs, or a near
// spelling.
func (m *model) suggestAction(f *Finding, s *policy.Service, e *entry) {
	if actions := knownAPIs().actions[e.folded]; len(actions) > 0 {
		f.Why += fmt.Sprintf(" %s is an operation of the API; the permission for it is %s.", short(tail(e.text)), strings.Join(actions, " and "))
		suggest(f, actions)
		return
	}
	if near := m.nearestAction(s, tail(e.folded)); near != "" {
		f.Why += " Did you mean " + near + "?"
		suggest(f, []string{near})
	}
}

// suggestPattern looks for the words before a wildcard in another spelling.
func (m *model) suggestPattern(f *Finding, s *policy.Service, name string) {
	word, rest, _ := strings.Cut(name, "*")
	if m.guesses++; len(word) < 4 || rest != "" || strings.ContainsAny(word, "?") || m.guesses > maxGuesses {
		return
	}
	best, distance := "", 3
	for _, a := range s.Actions() {
		own := tail(a.Name)
		for n := len(word) - 1; n <= len(word)+1 && n <= len(own); n++ {
			if d := levenshtein.Distance(word, strings.ToLower(own[:n]), nil); d < distance {
				best, distance = own[:n], d
			}
		}
	}
	if best != "" {
		f.Why += " Did you mean " + s.Prefix + ":" + best + "*?"
		suggest(f, []string{s.Prefix + ":" + best + "*"})
	}
}

// suggest puts names in the place of the entry.
func suggest(f *Finding, actions []string) {
	f.instead = actions
	f.Patch = &Patch{Replace: strings.Join(actions, `", "`)}
}

func distanceOf(a, b string) int {
	if abs(len(a)-len(b)) > 3 {
		return 4
	}
	return levenshtein.Distance(a, b, nil)
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
	if len(st.NotResource) > 0 && !st.negated() && st.void == "" {
		out = append(out, m.leftOut(st)...)
	}
	if len(st.Resource) > 0 && len(m.live(st.Resource)) == 0 {
		return out // that says it already
	}
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

// leftOut are actions written out whose resources NotResource leaves out, all of
// them.
func (m *model) leftOut(st *statement) []Finding {
	var entries []*entry
	for i := range st.entries {
		e := &st.entries[i]
		if a, ok := m.cat.Action(e.folded); ok && len(a.Resources()) > 0 && m.wholeKinds(e.folded, "*", m.live(st.NotResource)) {
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return []Finding{mismatch(st, entries, "no-resource", "Has no effect: NotResource leaves out all it works on",
		"NotResource names everything of a kind that these actions need, so nothing is granted.")}
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
				Title: noEffect(st, element) + ": the ARN can match nothing",
				Why:   fmt.Sprintf("%s has %s; %s. %s", short(r), what, wanted, matchesNothing(st, element))}
			f.at(st, st.Position(element, i))
			f.Places = []Place{{Statement: st.Sid, Index: st.index, Line: f.Line, Column: f.Column, Entry: r}}
			out = append(out, f)
		}
	}
	return out
}

// noEffect is how a title begins that says that an entry does nothing: what is
// left out of nothing has an effect, the wrong one.
func noEffect(st *statement, element string) string {
	switch {
	case element == "NotResource" || element == "NotAction":
		return "Leaves nothing out"
	case st.Effect == policy.Deny:
		return "Denies nothing"
	}
	return "Has no effect"
}

func shapeOf(resource string) (what, wanted string) {
	parts := strings.SplitN(resource, ":", 6)
	switch {
	case policy.EveryResource(resource) || strings.Contains(resource, "${"):
		return "", ""
	case len(parts) < 6:
		if strings.HasSuffix(resource, "*") && len(parts) > 2 {
			return "", ""
		}
		return fmt.Sprintf("%d parts", len(parts)), "an ARN has six: arn:partition:service:region:account:resource"
	}
	return arnParts(parts)
}

// arnParts says which of the six parts of an ARN can name nothing.
func arnParts(parts []string) (what, wanted string) {
	switch {
	case parts[0] != "arn":
		return fmt.Sprintf("the beginning %q", short(parts[0])), `an ARN begins with "arn"`
	case parts[2] != strings.ToLower(parts[2]) && !strings.Contains(parts[2], "${"):
		return fmt.Sprintf("the service %q", short(parts[2])), "a service is written in small letters in an ARN"
	case !accountLike(parts[4]):
		return fmt.Sprintf("the account %q", short(parts[4])), "an account is 12 digits, * or empty"
	case !regionLike(parts[3]):
		return fmt.Sprintf("the region %q", short(parts[3])), "a region is a name such as eu-west-1, * or empty"
	case parts[2] == "s3" && parts[3] == "" && parts[4] == "":
		return bucketShape(parts[5])
	case parts[2] == "secretsmanager":
		return secretShape(parts[5])
	}
	return "", ""
}

// bucketShape judges the name of a bucket. Source:
// docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; buckets of
// before 2018 in us-east-1 may have capitals and underscores.
func bucketShape(resource string) (what, wanted string) {
	bucket, _, _ := strings.Cut(resource, "/")
	if strings.Contains(bucket, "${") || !strings.ContainsAny(bucket, ": ,;") {
		return "", ""
	}
	return fmt.Sprintf(
		"the bucket name %q",
		short(bucket),
	), "objects are arn:aws:s3:::bucket/*, and a bucket's name has no colon, blank or comma"
}

// secretShape wants the six letters that every secret's ARN ends in. Source:
// docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html.
func secretShape(resource string) (what, wanted string) {
	name, isSecret := strings.CutPrefix(resource, "secret:")
	if !isSecret || strings.ContainsAny(name, "*?$") {
		return "", ""
	}
	dash := strings.LastIndexByte(name, '-')
	if dash == len(name)-7 && dash > 0 {
		return "", ""
	}
	return fmt.Sprintf("the secret %q", short(name)),
		"a secret's ARN ends in a dash and six letters of AWS's own, so write " + short(name) + "-??????"
}

func accountLike(s string) bool {
	if s == "" || s == "aws" || s == "aws-managed" || s == "cloudfront" || strings.ContainsAny(s, "*?") {
		return true
	}
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// regionLike wants the form of a region's name: words and a number, each after
// a dash.
func regionLike(s string) bool {
	if s == "" || strings.ContainsAny(s, "*?") || s == "global" || s == "aws-global" {
		return true
	}
	words := strings.Split(s, "-")
	if len(words) < 3 || len(words) > 5 {
		return false
	}
	for _, word := range words[:len(words)-1] {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
	}
	last := words[len(words)-1]
	return last != "" && len(last) < 3 && strings.Trim(last, "0123456789") == ""
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
				Title: "The ARN is of another partition",
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
