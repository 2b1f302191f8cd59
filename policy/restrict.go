package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Restriction is a document after a restriction, with what it did not reach.
type Restriction struct {
	Document *Document
	// Kept are entries that stay as they were because the restriction cannot
	// hold for them, with the reason, sorted by reason and entry.
	Kept []KeptEntry
	// Gone are entries that grant nothing any more, because their statement
	// asks for another value of the same key already.
	Gone []KeptEntry
}

// KeptEntry is one action or pattern that a restriction leaves alone.
type KeptEntry struct {
	Statement string // Sid, "" without one
	Index     int    // of the statement in the document that was restricted
	Entry     string // as written, or expanded from it
	Reason    string // a sentence
}

// The reasons of a KeptEntry.
const (
	reasonGlobal  = "The service is global: its requests carry no region of yours."
	reasonNoTag   = "AWS offers no condition on the tags of what this action works on."
	reasonReads   = "It only reads, and some of its actions cannot be limited by tags."
	reasonCreates = "The resource does not exist yet when this action is asked for, so it has no tag."
	reasonSpans   = "A pattern over several services cannot be divided into global and regional ones."
	reasonTooMany = "It spans services; the actions of all of them that no tag can limit would not fit into a policy."
	reasonNegated = "NotAction cannot be divided without a change of what it grants."
	reasonDeny    = "A Deny is left as it is: a condition would weaken it."
	reasonOther   = "Its statement asks for another value already; both cannot hold, so it grants nothing and is left out."
	reasonUnknown = "The catalogue does not know it, so nothing is known of its tags."
)

// globalServices answer from one place for all regions, so aws:RequestedRegion
// never holds one of the customer's regions there. Source: the exceptions of
// AWS's own example that denies access by region,
// docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html.
// What stands there for other reasons (regional services used from outside)
// is not repeated.
const globalServices = " a4b account activate artifact aws-marketplace aws-marketplace-management aws-portal billing billingconductor" +
	" bcm-data-exports bcm-pricing-calculator bcm-recommended-actions bcm-dashboards budgets ce chime cloudfront cloudfront-keyvaluestore" +
	" consolidatedbilling cost-optimization-hub cur directconnect freetier globalaccelerator health iam importexport invoicing" +
	" mobileanalytics networkmanager organizations partnercentral payments pricing purchase-orders route53 route53domains" +
	" route53-recovery-cluster route53-recovery-control-config route53-recovery-readiness savingsplans shield sts support" +
	" supportplans sustainability tag-policies tax trustedadvisor user-subscriptions waf wellarchitected "

// globalActions belong to regional services all the same. Source: as above.
const globalActions = " s3:listallmybuckets s3:getaccountpublicaccessblock s3:putaccountpublicaccessblock s3:listmultiregionaccesspoints" +
	" s3:getmultiregionaccesspoint s3:getmultiregionaccesspointpolicy s3:createmultiregionaccesspoint s3:deletemultiregionaccesspoint" +
	" ec2:describeregions "

// GlobalService reports whether a service answers from one place for all
// regions, so that it cannot be limited by aws:RequestedRegion.
func GlobalService(prefix string) bool {
	return !strings.Contains(prefix, " ") && strings.Contains(globalServices, " "+strings.ToLower(prefix)+" ")
}

// side says on which side of a restriction an entry comes down.
type side struct {
	restricted, kept []string
	reason           string // of the kept
}

// RestrictRegions limits every Allow to requests in the given regions, by
// aws:RequestedRegion. Statements that mix global and regional services are
// divided; the global part stays without the condition and is named.
func (d *Document) RestrictRegions(regions ...string) Restriction {
	condition := Condition{Operator: "StringEquals", Key: "aws:RequestedRegion", Values: slices.Clone(regions)}
	return d.restrict(condition, byRegion)
}

func byRegion(pattern string) side {
	folded := foldAction(pattern)
	prefix, _, _ := strings.Cut(folded, ":")
	switch {
	case folded == "*":
		return side{} // Divided by NotAction, in restrictAll.
	case strings.ContainsAny(prefix, "*?"):
		return side{kept: []string{pattern}, reason: reasonSpans}
	case GlobalService(prefix) || strings.Contains(globalActions, " "+folded+" "):
		return side{kept: []string{pattern}, reason: reasonGlobal}
	}
	s := side{restricted: []string{pattern}, reason: reasonGlobal}
	for action := range strings.FieldsSeq(globalActions) {
		if coversAction(folded, action) {
			s.kept = append(s.kept, canonicalName(action))
		}
	}
	return s
}

// canonicalName spells an action as AWS does.
func canonicalName(action string) string {
	if a, ok := AWS().Action(action); ok {
		return a.Name
	}
	return action
}

// RestrictTag limits every Allow to resources with a tag of this key and value,
// by aws:ResourceTag, where the catalogue says that all resources an action
// needs can be told apart by their tags. The rest is named. A wildcard that
// matches both is divided: it keeps the condition, and the actions that do not
// honour it are listed beside it.
func (d *Document) RestrictTag(key, value string) Restriction {
	condition := Condition{Operator: "StringEquals", Key: "aws:ResourceTag/" + key, Values: []string{value}}
	return d.restrict(condition, byTag)
}

func byTag(pattern string) side {
	if prefix, _, _ := strings.Cut(pattern, ":"); strings.ContainsAny(prefix, "*?") {
		return side{kept: []string{pattern}, reason: reasonTooMany}
	}
	known := AWS().Expand(pattern)
	if len(known) == 0 {
		return side{kept: []string{pattern}, reason: reasonUnknown}
	}
	var s side
	honoured, reads := 0, true
	for _, a := range known {
		reads = reads && a.Level <= Read
		reason := untaggable(a)
		if reason == "" {
			honoured++
			continue
		}
		s.reason = reason
		s.kept = append(s.kept, a.Name)
	}
	if honoured == 0 {
		return side{kept: []string{pattern}, reason: s.reason}
	}
	if reads && len(s.kept) > 0 {
		return side{kept: []string{pattern}, reason: reasonReads}
	}
	s.restricted = []string{pattern}
	return s
}

// untaggable says why an action does not honour aws:ResourceTag, "" if it does:
// each resource it needs, or if it needs none in particular each it takes, has
// to be one that AWS tells apart by tags.
func untaggable(a Action) string {
	resources := a.Resources()
	required := slices.ContainsFunc(resources, func(r ActionResource) bool { return r.Required })
	if len(resources) == 0 {
		return reasonNoTag
	}
	_, name, _ := strings.Cut(a.Name, ":")
	if strings.HasPrefix(name, "Create") && a.Level != Tagging ||
		strings.HasPrefix(name, "Run") && slices.Contains(a.AllConditionKeys(), "aws:RequestTag/${TagKey}") {
		return reasonCreates
	}
	for _, r := range resources {
		keys := r.Keys
		if len(keys) == 0 {
			keys = r.Type.Keys
		}
		if (r.Required || !required) && !slices.Contains(keys, "aws:ResourceTag/${TagKey}") {
			return reasonNoTag
		}
	}
	return ""
}

func (d *Document) restrict(condition Condition, judge func(pattern string) side) Restriction {
	out := *d
	out.Statements = nil
	var r Restriction
	for i := range d.Statements {
		s := &d.Statements[i]
		keep := func(entry, reason string) {
			r.Kept = append(r.Kept, KeptEntry{Statement: s.Sid, Index: i, Entry: entry, Reason: reason})
		}
		switch {
		case s.Effect == Deny:
			keep(strings.Join(orOne(s.Action), ", "), reasonDeny)
			out.Statements = append(out.Statements, *s)
		case len(s.NotAction) > 0:
			keep("all but "+strings.Join(s.NotAction, ", "), reasonNegated)
			out.Statements = append(out.Statements, *s)
		case strings.HasPrefix(condition.Key, "aws:ResourceTag/") && s.onCreation():
			keep(strings.Join(s.Action, ", "), reasonCreates)
			out.Statements = append(out.Statements, *s)
		default:
			left, gone := s.divide(condition, judge, keep)
			out.Statements = append(out.Statements, left...)
			for _, entry := range gone {
				r.Gone = append(r.Gone, KeptEntry{Statement: s.Sid, Index: i, Entry: entry, Reason: reasonOther})
			}
		}
	}
	out.bare = out.bare && len(out.Statements) == 1
	out.uniqueSids()
	slices.SortStableFunc(r.Kept, func(a, b KeptEntry) int { return strings.Compare(a.Reason, b.Reason) })
	r.Document = &out
	return r
}

// onCreation reports whether a statement grants only what happens while a
// resource is made, such as ec2:CreateTags under ec2:CreateAction. What is
// being made has no tag yet, so a condition on its tags would never hold.
func (s *Statement) onCreation() bool {
	return slices.ContainsFunc(s.Condition, func(c Condition) bool {
		_, name, _ := strings.Cut(strings.ToLower(c.Key), ":")
		return name == "createaction" && !strings.HasSuffix(strings.ToLower(c.Operator), "ifexists")
	})
}

// divide makes up to three statements of one: what is restricted, what is not,
// and, of Action "*", what NotAction leaves. What would grant nothing is gone.
func (s *Statement) divide(condition Condition, judge func(string) side, keep func(entry, reason string)) (out []Statement, gone []string) {
	restricted, free, rest := *s, *s, *s
	restricted.Action, free.Action, rest.Action = nil, nil, nil
	everything := false
	for _, pattern := range s.Action {
		verdict := judge(pattern)
		if len(verdict.restricted)+len(verdict.kept) == 0 {
			everything = true
			continue
		}
		restricted.Action = append(restricted.Action, verdict.restricted...)
		for _, entry := range verdict.kept {
			free.Action = append(free.Action, entry)
			keep(entry, verdict.reason)
		}
	}
	if everything {
		for prefix := range strings.FieldsSeq(globalServices) {
			rest.NotAction = append(rest.NotAction, prefix+":*")
		}
		for action := range strings.FieldsSeq(globalActions) {
			rest.NotAction = append(rest.NotAction, canonicalName(action))
		}
		for _, entry := range rest.NotAction {
			free.Action = append(free.Action, entry)
			keep(entry, reasonGlobal)
		}
	}
	conditions, possible := narrowed(s.Condition, condition)
	for _, one := range []*Statement{&restricted, &rest} {
		switch {
		case len(one.Action)+len(one.NotAction) == 0:
		case !possible:
			gone = append(gone, one.Action...)
		default:
			one.Condition = conditions
			out = append(out, *one)
		}
	}
	if !possible && everything {
		gone = append(gone, "*")
	}
	if len(free.Action) > 0 {
		free.Action = widest(free.Action, CoversAction)
		out = append(out, free)
	}
	return out, gone
}

// narrowed adds a condition to others. JSON has room for one list per operator
// and key, so two of one kind become the values that both have; ok is false
// where there is none.
func narrowed(conditions []Condition, added Condition) (out []Condition, ok bool) {
	out = slices.Clone(conditions)
	for i := range out {
		c := &out[i]
		if c.Operator == added.Operator && strings.EqualFold(c.Key, added.Key) {
			c.Values = slices.DeleteFunc(slices.Clone(c.Values), func(v string) bool { return !slices.Contains(added.Values, v) })
			return out, len(c.Values) > 0
		}
	}
	return append(out, added), true
}

// uniqueSids numbers the Sids that a division has doubled: AWS refuses a Sid
// that stands twice.
func (d *Document) uniqueSids() {
	taken := map[string]bool{}
	for _, s := range d.Statements {
		taken[s.Sid] = true
	}
	seen := map[string]bool{}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Sid == "" || !seen[s.Sid] {
			seen[s.Sid] = true
			continue
		}
		base := s.Sid
		for n := 2; taken[s.Sid]; n++ {
			s.Sid = fmt.Sprintf("%s%d", base, n)
		}
		taken[s.Sid], seen[s.Sid] = true, true
	}
}
