package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
)

// maxFixes is for how many findings a change is made and checked: each check
// runs rules again on the whole document.
const maxFixes = 16

// fix offers the smallest change for each finding and keeps it only where the
// rules, run again on the changed document, find less.
func (m *model) fix(found []Finding, characters int) {
	left := maxFixes
	if characters > policy.MaxRoleInline {
		left = 0 // It has to be divided before anything else.
	}
	for i := range found {
		f := &found[i]
		if f.Fix == "" {
			f.Fix = advice(f)
		}
		if left == 0 {
			f.Patch = nil
			continue
		}
		if f.PartOf != "" || f.Severity == Note || f.Index < 0 {
			continue
		}
		left--
		p := m.patch(f)
		if p == nil || p.changed == nil || !better(f, p) {
			f.Patch = nil
			continue
		}
		f.Patch = p
		f.Fix = m.say(f, p)
	}
}

// advice is the fix in words, for where no change can be derived.
func advice(f *Finding) string {
	switch f.ID {
	case "admin":
		return "Name the services and actions that are needed. Nothing smaller can be read from a *."
	case "not-action":
		return "Name what is allowed with Action instead of what is not."
	case "not-resource":
		return "Name the resources that are allowed. To leave some out, add a Deny for them."
	case "partition":
		return "Write all ARNs in the account's partition."
	case "arn-shape":
		return "Put the real account and region in, or *."
	case "condition-key":
		return "Look the key up in AWS's service authorization reference, or take the condition out."
	case "variable":
		return "Correct the variable: ${aws:username}, ${aws:PrincipalTag/team} and the like."
	case "set-operator", "condition-value", "private-ip", "mfa", "caller-says", "for-all-values", "like":
		return "Change the condition as said."
	case "tag-escape":
		return "Allow tagging only while a resource is made, with a condition such as ec2:CreateAction."
	case "unknown-action", "unknown-service":
		return "Correct the name, or take the entry out."
	case "permissions", "scopable":
		return "Limit them where the resources are known."
	}
	return "Take the actions out, or limit them to the resources that they are for."
}

// patch makes the change for a finding; nil where there is none to make.
func (m *model) patch(f *Finding) *Patch {
	switch f.ID {
	case "pass-role", "escalate":
		return m.scopeEntries(f, m.entriesOf(f, f.root()))
	case "data", "secrets", "share", "blind", "boundary", "slr", "instance-profile":
		return m.scopeEntries(f, m.entriesOf(f, ""))
	case "delete-star", "change-star":
		return m.scopeEntries(f, m.taggable(m.entriesOf(f, "")))
	case "service-star":
		return m.scopeEntries(f, m.entriesOf(f, ""))
	case "unknown-action", "unknown-service":
		return m.replaceEntry(f)
	case "needs-star", "no-resource":
		return m.moveEntries(f)
	case "like", "for-all-values", "mfa":
		if f.ID == "for-all-values" && strings.Contains(f.Why, "Write ForAnyValue") {
			return nil
		}
		return m.changeOperator(f)
	}
	return nil
}

// root is the entry that the finding's own place names.
func (f *Finding) root() string {
	for _, p := range f.Places {
		if p.Line == f.Line && p.Column == f.Column && p.Index == f.Index {
			return strings.ToLower(p.Entry)
		}
	}
	return ""
}

// entriesOf finds the entries behind a finding's places, all or those of one
// spelling.
func (m *model) entriesOf(f *Finding, only string) []*entry {
	var out []*entry
	for _, p := range f.Places {
		if p.Index < 0 || p.Index >= len(m.statements) {
			continue
		}
		st := m.statements[p.Index]
		for i := range st.entries {
			if e := &st.entries[i]; e.text == p.Entry && isPlaceOf(p, e) && (only == "" || e.folded == only) {
				out = append(out, e)
			}
		}
	}
	return out
}

// maxMoved is how many entries one change moves; nobody pastes more.
const maxMoved = 64

// scopeEntries takes entries out of their statements and grants them again in
// a statement of their own: on named resources, or under a condition on a tag
// or on iam:PassedToService. A wildcard becomes the reading part of itself.
func (m *model) scopeEntries(f *Finding, entries []*entry) *Patch {
	if len(entries) > maxMoved {
		return nil
	}
	drop := map[*entry]bool{}
	var add []policy.Statement
	var narrow []policy.Action
	for _, e := range entries {
		if e.st.negated() || allActions(e.folded) {
			return nil
		}
		drop[e] = true
		if e.wild {
			add = append(add, m.reading(e)...)
			continue
		}
		a, ok := m.cat.Action(e.folded)
		if ok && !slices.ContainsFunc(narrow, func(b policy.Action) bool { return b.Name == a.Name }) {
			narrow = append(narrow, a)
		}
	}
	if len(drop) == 0 {
		return nil
	}
	add = append(m.limited(f, narrow), add...)
	return m.patched(f, drop, add)
}

// taggable keeps the entries that a tag can limit; all, where it can limit none.
func (m *model) taggable(entries []*entry) []*entry {
	var out []*entry
	for _, e := range entries {
		if a, ok := m.cat.Action(e.folded); ok && byResourceTag(a) {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return entries
	}
	return out
}

// reading is what a service's wildcard leaves when only looking is allowed.
func (m *model) reading(e *entry) []policy.Statement {
	if e.folded != e.service+":*" {
		return nil
	}
	var actions []string
	for _, verb := range [...]string{"BatchGet*", "Describe*", "Get*", "List*"} {
		pattern := e.service + ":" + verb
		all := m.cat.Expand(pattern)
		harmless := !slices.ContainsFunc(all, func(a policy.Action) bool {
			k := m.tables.actions[strings.ToLower(a.Name)]
			return a.Level != policy.List && a.Level != policy.Read || k != nil && len(k.risks) > 0
		})
		if len(all) > 0 && harmless {
			actions = append(actions, pattern)
		}
	}
	if len(actions) == 0 {
		return nil
	}
	s := policy.Statement{Effect: policy.Allow, Action: actions, Resource: e.st.Resource, Condition: e.st.Condition}
	return []policy.Statement{s}
}

// limited grants actions again, one statement for each way to limit them.
func (m *model) limited(f *Finding, actions []policy.Action) []policy.Statement {
	var byTag, rest []string
	var out []policy.Statement
	resources := map[string][]string{}
	var order []string
	for _, a := range actions {
		switch {
		case strings.EqualFold(a.Name, passRole):
			out = append(out, m.passing())
		case f.ID == "slr" && len(a.Resources()) > 0:
			out = append(out, m.serviceLinked(a))
		case len(a.Resources()) == 0:
			rest = append(rest, a.Name)
		case byResourceTag(a) && (f.ID == "delete-star" || f.ID == "change-star"):
			byTag = append(byTag, a.Name)
		default:
			arn := m.example(a)
			if resources[arn] == nil {
				order = append(order, arn)
			}
			resources[arn] = append(resources[arn], a.Name)
		}
	}
	if len(byTag) > 0 {
		out = append(out, policy.Statement{Effect: policy.Allow, Action: byTag, Resource: []string{"*"},
			Condition: []policy.Condition{{Operator: "StringEquals", Key: "aws:ResourceTag/TAG-KEY", Values: []string{"TAG-VALUE"}}}})
	}
	for _, arn := range order {
		out = append(out, policy.Statement{Effect: policy.Allow, Action: resources[arn], Resource: []string{arn}})
	}
	_ = rest // What cannot be limited has to go.
	return out
}

// byResourceTag reports whether a tag on what exists already can limit an
// action. Making something new cannot be limited so.
func byResourceTag(a policy.Action) bool {
	name := tail(a.Name)
	for _, making := range [...]string{"Create", "Run", "Request", "Register", "Put", "Allocate", "Copy", "Import"} {
		if strings.HasPrefix(name, making) {
			return false
		}
	}
	const key = "aws:ResourceTag/${TagKey}"
	return slices.Contains(a.ConditionKeys(), key) || slices.ContainsFunc(a.Resources(), func(r policy.ActionResource) bool {
		return slices.Contains(r.Keys, key) || slices.Contains(r.Type.Keys, key)
	})
}

// example is an ARN of what the action works on, with names to fill in.
func (m *model) example(a policy.Action) string {
	best := slices.MinFunc(a.Resources(), func(x, y policy.ActionResource) int {
		return cmp.Or(btoi(y.Required)-btoi(x.Required), len(x.Type.ARN)-len(y.Type.ARN))
	})
	if strings.HasPrefix(best.Type.ARN, "*") || best.Type.ARN == "" {
		return "*"
	}
	return scoped(best.Type.ARN, m.opts.Partition, m.opts.Account)
}

// serviceLinked grants an action on the roles of one service alone. They lie
// under a path of their own. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html.
func (m *model) serviceLinked(a policy.Action) policy.Statement {
	const service = "SERVICE.amazonaws.com"
	role := strings.Replace(m.example(a), "role/ROLE-NAME", "role/aws-service-role/"+service+"/*", 1)
	return policy.Statement{Effect: policy.Allow, Action: []string{a.Name}, Resource: []string{role},
		Condition: []policy.Condition{{Operator: "StringEquals", Key: "iam:AWSServiceName", Values: []string{service}}}}
}

// passing is iam:PassRole for one role and the services that were found.
func (m *model) passing() policy.Statement {
	account := m.opts.Account
	if account == "" {
		account = "*"
	}
	partition := m.opts.Partition
	if partition == "" {
		partition = "aws"
	}
	s := policy.Statement{Effect: policy.Allow, Action: []string{"iam:PassRole"},
		Resource: []string{"arn:" + partition + ":iam::" + account + ":role/ROLE-NAME"}}
	var services []string
	for _, p := range m.openPaths() {
		if p.pass && len(p.principals) > 0 {
			if name := p.principals[0] + ".amazonaws.com"; !slices.Contains(services, name) {
				services = append(services, name)
			}
		}
	}
	if len(services) > 0 {
		s.Condition = []policy.Condition{{Operator: "StringEquals", Key: "iam:PassedToService", Values: services}}
	}
	return s
}

// rerun runs the rules again that could find the same in a changed document.
func (m *model) rerun(f *Finding) []Finding {
	switch f.ID {
	case "pass-role", "escalate":
		return m.escalations()
	case "service-star":
		return m.serviceStars()
	case "delete-star", "change-star":
		return m.changes(m.expand())
	case "unknown-action", "unknown-service", "needs-star", "no-resource", "like", "for-all-values", "mfa":
		return m.effects(m.expand())
	}
	rules := tableRules()
	at := slices.IndexFunc(rules, func(r rule) bool { return r.id == f.ID })
	if at < 0 {
		return nil
	}
	return m.classRisks(rules[at], m.names(), nil)
}

// better keeps a change only where the rules then find less.
func better(f *Finding, p *Patch) bool {
	found := p.changed.rerun(f)
	worst, left, same := -1, 0, 0
	for i := range found {
		g := &found[i]
		if g.ID == f.ID && sharesAction(g, f) {
			worst, same = max(worst, g.Severity.Rank()), len(g.Actions)
		}
		if g.Of > 0 && g.Severity.Rank() >= Medium.Rank() {
			left += g.Closes
		}
	}
	switch {
	case worst == f.Severity.Rank() && f.ID == "delete-star" && same < len(f.Actions):
		p.After = plural(same, "action left", "actions left")
	case worst >= f.Severity.Rank():
		return false
	case f.Of > 0:
		p.After = plural(left, "path left", "paths left")
	case worst < 0:
		p.After = "nothing left of this finding"
	default:
		p.After = string(Severities()[4-worst])
	}
	return true
}

func sharesAction(a, b *Finding) bool {
	if len(b.Actions) == 0 {
		return a.Line == b.Line
	}
	return slices.ContainsFunc(a.Actions, func(x string) bool { return slices.Contains(b.Actions, x) })
}

// say writes the fix for people, with the JSON to paste.
func (m *model) say(f *Finding, p *Patch) string {
	where := "the statement"
	if p.Index >= 0 && p.Index < len(m.statements) {
		st := m.statements[p.Index]
		where = fmt.Sprintf("statement %s (line %d)", nameOf(st), st.Pos.Line)
		if st.Sid == "" {
			where = fmt.Sprintf("statement %d (line %d)", st.index+1, st.Pos.Line)
		}
	}
	if slices.ContainsFunc(f.Places, func(q Place) bool { return q.Index != f.Index && slices.Contains(p.Remove, q.Entry) }) {
		where = "all statements"
	}
	quoted := make([]string, len(p.Remove))
	for i, r := range p.Remove {
		quoted[i] = fmt.Sprintf("%q", r)
	}
	switch {
	case p.Replace != "":
		return fmt.Sprintf("In %s, write %s instead of %s. After: %s.", where, `"`+p.Replace+`"`, few(quoted, ", "), p.After)
	case p.Add == "":
		return fmt.Sprintf("In %s, take out %s. After: %s.", where, few(quoted, ", "), p.After)
	}
	return fmt.Sprintf("In %s, take out %s and add, with your own names (after: %s):\n%s", where, few(quoted, ", "), p.After, p.Add)
}
