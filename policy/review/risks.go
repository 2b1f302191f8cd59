package review

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
)

// risks are the findings about what the document lets too much, without fixes.
func (m *model) risks(x *expansion) []Finding {
	out := m.administrator()
	admin := len(out) > 0
	out = append(out, m.escalations()...)
	out = append(out, m.openEnded()...)
	stars := m.serviceStars()
	out = append(out, stars...)
	out = append(out, m.tableRisks(out)...)
	out = append(out, m.bucketPolicies()...)
	out = append(out, m.permissionChanges(x, out)...)
	out = append(out, m.changes(x)...)
	out = append(out, m.tagEscapes()...)
	switch {
	case admin:
		out = append(out, m.everythingElse()...)
		under(out, "admin")
	case slices.ContainsFunc(out, func(f Finding) bool { return f.ID == "not-action" && f.On == "*" && f.Severity == High }):
		under(out, "not-action")
	}
	return out
}

// administrator is everything on everything.
func (m *model) administrator() []Finding {
	for _, st := range m.allow {
		if st.negated() || !st.star || len(st.NotResource) > 0 {
			continue
		}
		at := slices.IndexFunc(st.entries, func(e entry) bool { return allActions(e.folded) })
		if at < 0 || m.dead(st, "") || m.dead(st, "iam:createpolicyversion") || len(m.effective("iam:*", st)) == 0 || m.mostlyDenied() {
			continue
		}
		severity := High
		if st.guard.strong {
			severity = Medium
		}
		f := Finding{ID: "admin", Class: Risk, Category: "privilege-escalation", Severity: severity, Actions: []string{"*"},
			Title: "Can do everything in the account",
			Why:   "Every action of every service on every resource is allowed, permissions themselves included."}
		if n := m.denials(); n > 0 {
			f.Why = "Every action of every service on every resource is allowed, permissions themselves included, but for what " +
				plural(n, "Deny takes", "Denies take") + " back."
		}
		if st.guard.strong {
			f.Why += " It is limited: only while " + st.guard.text + "."
		}
		m.locate(&f, []*grant{{entry: &st.entries[at]}}, "")
		m.admin = st
		return []Finding{f}
	}
	return nil
}

// denials counts the Deny statements that deny something.
func (m *model) denials() int {
	n := 0
	for _, st := range m.deny {
		n += btoi(
			st.negated() || slices.ContainsFunc(st.entries, func(e entry) bool { return allActions(e.folded) || len(m.lookUp(e.folded)) > 0 }),
		)
	}
	return n
}

// mostlyDenied reports whether a Deny of all but some actions is left: then what
// is granted is those, and each is found on its own.
func (m *model) mostlyDenied() bool {
	return slices.ContainsFunc(m.deny, func(st *statement) bool {
		return st.negated() && slices.ContainsFunc(st.Resource, policy.EveryResource)
	})
}

// under makes notes of what a finding that allows nearly everything includes.
func under(out []Finding, id string) {
	for i := range out {
		if f := &out[i]; f.ID != id && f.Class == Risk {
			f.Severity, f.PartOf = Note, id
		}
	}
}

// everythingElse keeps the categories of an administrator's policy apart, for
// who counts by category.
func (m *model) everythingElse() []Finding {
	st := m.admin
	at := slices.IndexFunc(st.entries, func(e entry) bool { return allActions(e.folded) })
	var out []Finding
	for _, what := range [...][3]string{
		{"service-star", "service-wildcard", "Can use every action of every service"},
		{"change-star", "infrastructure-modification", "Can change and delete every resource"},
		{"permissions", "resource-exposure", "Can change who may do what"},
	} {
		f := Finding{ID: what[0], Class: Risk, Category: what[1], Severity: Note, Actions: []string{"*"}, Title: what[2],
			Why: "It comes with the * that allows everything."}
		m.locate(&f, []*grant{{entry: &st.entries[at]}}, "")
		out = append(out, f)
	}
	return out
}

// openEnded are Allow statements that say what they leave out.
func (m *model) openEnded() []Finding {
	var out []Finding
	for _, st := range m.allow {
		if m.dead(st, "") || len(m.deny) > 0 && m.takenAway(st) {
			continue
		}
		if st.negated() && !m.mostlyDenied() && !m.dead(st, "iam:createpolicyversion") {
			out = append(out, m.notAction(st)...)
		}
		if actions := m.reaching(st); len(st.NotResource) > 0 && len(actions) > 0 {
			severity, _ := Medium.down(btoi(st.guard.strong))
			f := Finding{ID: "not-resource", Class: Risk, Category: "privilege-escalation", Severity: severity,
				Actions: sortedCopy(actions),
				Title:   "Can use everything but the resources named",
				Why: "Allow with NotResource grants its actions on all other resources, also on those made later, in every " +
					"account and service that the actions reach."}
			f.at(st, st.Position("NotResource", -1))
			f.Places = []Place{{Statement: st.Sid, Index: st.index, Line: f.Line, Column: f.Column, Entry: "NotResource"}}
			out = append(out, f)
		}
	}
	return out
}

// reaching lists the entries of a statement that grant something.
func (m *model) reaching(st *statement) []string {
	if st.negated() {
		return []string{"*"}
	}
	var out []string
	for i := range st.entries {
		e := &st.entries[i]
		_, known := m.cat.Action(e.folded)
		switch {
		case allActions(e.folded), e.wild && m.grantsSome(st, e):
			out = append(out, e.text)
		case known:
			if _, ok := m.grant(e.folded, st, e); ok && len(m.missingTypes(e.folded)) == 0 {
				out = append(out, e.text)
			}
		}
	}
	return out
}

func (m *model) notAction(st *statement) []Finding {
	base, left := Medium, []string(nil)
	for _, service := range [...]string{"iam", "sts", "kms"} {
		covered := slices.ContainsFunc(st.entries, func(e entry) bool { return e.covers(service + ":*") })
		if !covered && m.touches(st, service) {
			left = append(left, service)
		}
	}
	if len(left) > 0 {
		base = High
	}
	drop := widestDrop(st) + btoi(st.guard.strong)
	severity, ok := base.down(drop)
	if !ok {
		return nil
	}
	f := Finding{ID: "not-action", Class: Risk, Category: "service-wildcard", Severity: severity, Actions: []string{"*"}, drop: drop,
		Title: "Can do everything but what is named here",
		Why:   "Allow with NotAction grants all other actions, of all services, also those that AWS adds later."}
	if !st.star && len(st.Resource) > 0 {
		f.Title = fit("Can do everything but what is named, on ", []string{short(lastPart(st.Resource[0]))})
		f.Why = "Allow with NotAction grants all other actions that work on these resources, also those that AWS adds later."
	}
	if len(left) > 0 {
		f.Category = "privilege-escalation"
		f.Why += " It leaves " + strings.Join(left, ", ") + " open."
	}
	m.locate(&f, []*grant{{entry: &st.entries[0]}}, "")
	return []Finding{f}
}

// touches reports whether some resource of a statement can belong to a service.
func (m *model) touches(st *statement, service string) bool {
	if st.star {
		return true
	}
	return slices.ContainsFunc(st.Resource, func(r string) bool {
		parts := strings.SplitN(r, ":", 6)
		return len(parts) > 2 && policy.Overlaps(strings.ToLower(parts[2]), service)
	})
}

// widestDrop measures resources without knowing the actions.
func widestDrop(st *statement) int {
	if st.star {
		return 0
	}
	best := 2
	for _, r := range st.Resource {
		parts := strings.SplitN(r, ":", 6)
		if len(parts) == 6 && strings.Trim(parts[5], "*") == "" {
			return 0
		}
		if strings.ContainsAny(r, "*?") {
			best = 1
		}
	}
	return best
}

// risky are the services whose wildcard is worse than the rest: they hold
// permissions, keys or data, or run code.
const risky = " iam sts kms organizations ec2 lambda s3 sso ram secretsmanager ssm cloudformation cloudtrail" +
	" autoscaling codedeploy elasticmapreduce ecs eks batch codebuild codepipeline glue sagemaker dynamodb rds states "

// serviceStars are entries such as "s3:*", one finding for each severity.
func (m *model) serviceStars() []Finding {
	found := map[Severity]*Finding{}
	grants := map[Severity][]*grant{}
	for _, st := range m.allow {
		if st.negated() {
			continue
		}
		for i := range st.entries {
			e := &st.entries[i]
			if _, known := m.cat.Service(e.service); !known || e.folded != e.service+":*" || !m.grantsSome(st, e) {
				continue
			}
			severity, only, ok := m.starSeverity(st, e)
			if !ok {
				continue
			}
			f := found[severity]
			if f == nil {
				f = &Finding{ID: "service-star", Class: Risk, Category: "service-wildcard", Severity: severity}
				found[severity] = f
			}
			f.Actions = append(f.Actions, e.text)
			grants[severity] = append(grants[severity], &grant{entry: e, only: only})
		}
	}
	var out []Finding
	for _, severity := range Severities() {
		f := found[severity]
		if f == nil {
			continue
		}
		m.locate(f, grants[severity], "")
		m.sayStar(f, grants[severity])
		out = append(out, *f)
	}
	return out
}

// grantsSome reports whether an entry grants one of the actions that it matches.
func (m *model) grantsSome(st *statement, e *entry) bool {
	if m.plainly(st) {
		return !m.dead(st, "")
	}
	return slices.ContainsFunc(m.lookUp(e.folded), func(a policy.Action) bool {
		_, ok := m.grant(strings.ToLower(a.Name), st, e)
		return ok && len(m.missingTypes(strings.ToLower(a.Name))) == 0
	})
}

func (m *model) starSeverity(st *statement, e *entry) (Severity, string, bool) {
	base := Low
	if strings.Contains(risky, " "+e.service+" ") {
		base = Medium
	}
	drop, only := m.serviceReach(st, e.service)
	if drop < 0 {
		return "", "", false
	}
	severity, ok := base.down(drop + btoi(st.guard.strong))
	return severity, only, ok
}

// maxCompared is how many resources are compared with every kind of resource
// of a service.
const maxCompared = 64

// serviceReach is reach over all kinds of resource of a service; -1 where no
// resource of the statement belongs to it.
func (m *model) serviceReach(st *statement, service string) (drop int, only string) {
	best := -1
	s, ok := m.cat.Service(service)
	resources := m.effective(service+":*", st)
	if len(resources) > maxCompared && !st.star {
		return 1, resources[0]
	}
	for _, r := range resources {
		if r == "*" {
			return 0, ""
		}
		parts := strings.SplitN(r, ":", 6)
		if !ok || len(parts) < 6 {
			continue
		}
		for _, t := range s.ResourceTypes() {
			if got := reachOf(t.ARN, parts); got.applies && (best < 0 || got.drop < best) {
				best, only = got.drop, r
			}
		}
	}
	if best == 0 {
		only = ""
	}
	return best, only
}

func (m *model) sayStar(f *Finding, grants []*grant) {
	var names []string
	for _, g := range grants {
		if name := m.serviceName(g.service); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	f.Title = fit("Can do anything in ", names)
	f.Why = "A service's wildcard grants every action, also those that AWS adds later and nobody has looked at."
	if len(grants) == 1 && grants[0].only != "" {
		f.Title = fit("Can do anything in "+names[0]+" that is named ", []string{short(lastPart(grants[0].only))})
		f.Why += " Here it is limited to " + grants[0].only + "."
	}
}

func lastPart(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return parts[len(parts)-1]
}

// serviceName is a service as people call it: "S3", "EC2 Auto Scaling".
func (m *model) serviceName(prefix string) string {
	s, ok := m.cat.Service(prefix)
	switch {
	case !ok:
		return prefix
	case prefix == "cloudformation":
		return "CloudFormation"
	case prefix == "elasticmapreduce":
		return "EMR"
	case prefix == "autoscaling":
		return "Auto Scaling"
	}
	name := strings.TrimPrefix(strings.TrimPrefix(s.Name, "Amazon "), "AWS ")
	if open := strings.LastIndexByte(name, '('); open > 0 && len(name) > 20 {
		name = strings.TrimSuffix(name[open+1:], ")")
	}
	if len(name) > 28 {
		return prefix
	}
	return name
}

// tagEscapes are tagging actions that undo a condition on tags beside them.
func (m *model) tagEscapes() []Finding {
	guarded := map[string]*statement{}
	for _, st := range m.allow {
		for i := range st.Condition {
			if key := strings.ToLower(st.Condition[i].Key); strings.Contains(key, ":resourcetag/") && narrows(&st.Condition[i]) {
				for j := range st.entries {
					guarded[st.entries[j].service] = st
				}
			}
		}
	}
	delete(guarded, "")
	var out []Finding
	for _, st := range m.allow {
		for i := range st.entries {
			e := &st.entries[i]
			other := guarded[e.service]
			if other == nil || other == st || m.dead(st, e.folded) || !st.star || st.guard.strong || st.negated() || !tags(e) {
				continue
			}
			f := Finding{ID: "tag-escape", Class: Risk, Category: "tag-condition", Severity: Medium, Actions: []string{e.text},
				Title: "Can set the tags that a condition relies on",
				Why: fmt.Sprintf("%s is allowed on every resource, so whoever holds it can give a resource the tag that line %d asks for.",
					e.text, other.Pos.Line)}
			m.locate(&f, []*grant{{entry: e}}, "")
			out = append(out, f)
		}
	}
	return out
}

func tags(e *entry) bool {
	_, name, _ := strings.Cut(e.folded, ":")
	switch name {
	case "createtags", "tagresource", "addtags", "addtagstoresource", "createorupdatetags", "putobjecttagging":
		return true
	}
	return e.wild && (policy.Matches(name, "createtags") || policy.Matches(name, "tagresource"))
}
