package policy

import (
	"slices"
	"strings"
)

// Outcome is what a trust policy answers to a request.
type Outcome int

// The outcomes. Depends is the answer where a key that is open decides.
const (
	Denied Outcome = iota
	Allowed
	Depends
)

// String returns "denied", "allowed" or "depends".
func (o Outcome) String() string { return [...]string{"denied", "allowed", "depends"}[o] }

// judgement is one evaluation of a document, with its open keys left open.
type judgement struct {
	truth     truth // that the request is allowed
	statement int   // that decided, -1 for none
	open      []*Condition
}

// judge evaluates the whole document: a Deny that applies wins, else an Allow
// that applies is needed. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
func (d *Document) judge(r *Request) judgement {
	allow, deny := judgement{statement: -1}, judgement{statement: -1}
	for i := range d.Statements {
		s := &d.Statements[i]
		into := &allow
		if s.Effect == Deny {
			into = &deny
		}
		into.join(d.applies(s, r), i)
	}
	switch {
	case deny.truth == yes:
		return judgement{truth: no, statement: deny.statement}
	case allow.truth == no:
		return judgement{truth: no, statement: -1}
	case deny.truth == no && allow.truth == yes:
		return judgement{truth: yes, statement: allow.statement}
	case allow.truth == yes:
		return judgement{truth: maybe, statement: deny.statement, open: deny.open}
	}
	return judgement{truth: maybe, statement: allow.statement, open: append(allow.open, deny.open...)}
}

// join adds a statement of the same effect.
func (j *judgement) join(other judgement, index int) {
	if other.truth > j.truth {
		j.truth, j.statement = other.truth, index
	}
	if other.truth == maybe {
		j.open = append(j.open, other.open...)
	}
}

// applies tells whether a statement is about the request.
func (d *Document) applies(s *Statement, r *Request) judgement {
	if !s.Covers(r.Action) || !s.names(r.Caller) {
		return judgement{}
	}
	out := judgement{truth: yes}
	for i := range s.Condition {
		c := &s.Condition[i]
		held := d.holds(c, r)
		if held == no {
			return judgement{}
		}
		if held == maybe {
			out.truth = maybe
			out.open = append(out.open, c)
		}
	}
	return out
}

// Covers reports whether a statement is about an action, by Action or
// NotAction.
func (s *Statement) Covers(action string) bool {
	match := func(pattern string) bool { return MatchesAction(pattern, action) }
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, match)
	}
	return slices.ContainsFunc(s.Action, match)
}

// names reports whether a statement is about a caller. NotPrincipal leaves
// somebody out only where it names the whole chain: account, role and session.
// Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html.
func (s *Statement) names(c Caller) bool {
	if s.NotPrincipal == nil {
		return s.Principal.name(c)
	}
	for _, part := range c.chain() {
		if !s.NotPrincipal.holds(part.kind, part.values) {
			return true
		}
	}
	return false
}

// named is one link of a caller's chain: any of the values names it.
type named struct {
	kind   string
	values []string
}

// chain is what has to be named for NotPrincipal to leave a caller out.
func (c Caller) chain() []named {
	switch {
	case c.Service != "":
		return []named{{"Service", []string{c.Service}}}
	case c.Provider != "":
		return []named{{"Federated", []string{c.Provider}}}
	}
	links := []named{{"AWS", wholeAccount(c.ARN)}}
	if c.Type() != "Account" {
		links = append(links, named{"AWS", []string{c.ARN}})
	}
	if c.Type() == "AssumedRole" {
		links = append(links, named{"AWS", []string{c.Session}})
	}
	return links
}

// name reports whether a list of principals names a caller: everybody, the
// account as a whole, the user or role, or the session.
func (p Principals) name(c Caller) bool {
	switch {
	case c.Service != "":
		return p.holds("Service", []string{c.Service})
	case c.Provider != "":
		return p.holds("Federated", []string{c.Provider})
	}
	return p.holds("AWS", append(wholeAccount(c.ARN), c.ARN, c.Session))
}

// holds looks for one of the values, or the star for everybody.
func (p Principals) holds(kind string, values []string) bool {
	if len(p["*"]) > 0 || kind == "AWS" && slices.Contains(p["AWS"], "*") {
		return true
	}
	return slices.ContainsFunc(values, func(v string) bool { return v != "" && slices.Contains(p[kind], v) })
}

// wholeAccount is how a trust policy may name the account of an ARN.
func wholeAccount(arn string) []string {
	p := ParsePrincipal(arn)
	if p.AccountID == "" {
		return nil
	}
	return []string{p.AccountID, "arn:" + p.Partition + ":iam::" + p.AccountID + ":root"}
}

// holds tells whether a condition is met.
func (d *Document) holds(c *Condition, r *Request) truth {
	operator, set, ifExists := c.Base()
	s := r.get(strings.ToLower(c.Key))
	if operator == "Null" {
		return isNull(c.Values, s)
	}
	if s.open {
		return maybe
	}
	if len(s.values) == 0 {
		return truthOf(ifExists || set == "ForAllValues" || set == "" && c.Negated())
	}
	wanted := d.operands(c, operator, r)
	met := func(value string) truth {
		held := no
		for _, w := range wanted {
			held = max(held, compares(operator, w, value))
		}
		if c.Negated() {
			return held.not()
		}
		return held
	}
	return overValues(set, c.Negated(), s.values, met)
}

// overValues joins what is true of each value of a key. Without a set operator
// a negated condition asks all values, as with one value it does the one.
// ForAllValues passes over empty values, which AWS takes as none.
func overValues(set string, negated bool, values []string, met func(string) truth) truth {
	all, some := yes, no
	for _, v := range values {
		held := met(v)
		some = max(some, held)
		if v != "" || set != "ForAllValues" {
			all = min(all, held)
		}
	}
	if set == "ForAllValues" || set == "" && negated {
		return all
	}
	return some
}

// isNull answers the operator Null: true asks that the key is absent.
func isNull(wanted []string, s setting) truth {
	held := no
	for _, w := range wanted {
		switch {
		case s.open || !isBool(w):
			held = max(held, maybe)
		default:
			held = max(held, truthOf(strings.EqualFold(w, "true") == (len(s.values) == 0)))
		}
	}
	return held
}

// operands fills the variables of a condition's values. Only the current
// version of the language, and of its operators only those on text and ARNs,
// know variables.
func (d *Document) operands(c *Condition, operator string, r *Request) []operand {
	out := make([]operand, len(c.Values))
	for i, v := range c.Values {
		if d.variables(operator) && strings.Contains(v, "${") {
			out[i] = fill(v, r.resolve)
		} else {
			out[i] = textOperand(v)
		}
	}
	return out
}

func (d *Document) variables(operator string) bool {
	return d.Version == Version2012 && (strings.HasPrefix(operator, "String") || strings.HasPrefix(operator, "Arn"))
}
