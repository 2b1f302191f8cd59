package policy

import (
	"slices"
	"strings"
)

// TrustGrant is one Allow of sts:AssumeRole in a trust policy.
type TrustGrant struct {
	Statement  int         // its index in the document
	Principals []Principal // AWS principals only; services and federations cannot carry an external ID
	Others     Principals  // principals of the other types, nil without any
	// ExternalID says what is required of sts:ExternalId.
	ExternalID ExternalID
	// Conditions are those on other keys than sts:ExternalId. They may narrow
	// the grant to nothing; what is here cannot be decided from the document.
	Conditions []Condition
	// Denied lists the statements that deny the same action to some of these
	// principals, perhaps only under a condition.
	Denied []int
}

// Principal is one AWS principal of a trust policy.
type Principal struct {
	Value     string // as written
	Partition string // of an ARN, else ""
	AccountID string // "" for "*" and for the bare ID of a deleted principal
	Whole     bool   // the account as a whole: its number or its root ARN
	Anyone    bool   // "*"
}

// ExternalID is what a grant requires of sts:ExternalId.
type ExternalID struct {
	// Required is true where a caller without an external ID, or with another
	// than Values allow, is refused.
	Required bool
	// Exact is true where Values are compared as they are (StringEquals), so
	// that a caller is let in with one of Values and nothing else.
	Exact  bool
	Values []string
	// Conditions are those on sts:ExternalId as written, also the ones that
	// require nothing (StringEqualsIfExists, ForAllValues, StringNotEquals).
	Conditions []Condition
}

// Accepts reports whether a caller who gives this external ID satisfies the
// conditions on sts:ExternalId; "" stands for a caller who gives none.
func (e ExternalID) Accepts(id string) bool {
	for i := range e.Conditions {
		if !acceptsID(&e.Conditions[i], id) {
			return false
		}
	}
	return true
}

func acceptsID(c *Condition, id string) bool {
	operator, set, ifExists := c.Base()
	if operator == "Null" {
		return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "true") == (id == "") })
	}
	if id == "" {
		return ifExists || set == "ForAllValues" || c.Negated() && set == ""
	}
	found := slices.ContainsFunc(c.Values, func(v string) bool { return matchesID(operator, v, id) })
	return found != c.Negated()
}

func matchesID(operator, value, id string) bool {
	switch operator {
	case "StringEquals", "StringNotEquals":
		return value == id
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return strings.EqualFold(value, id)
	case "StringLike", "StringNotLike":
		return !strings.Contains(value, "${") && Matches(value, id)
	}
	return false // The other operators read no strings: never met.
}

// Trusts lists who may assume the role, one entry for each Allow that covers
// sts:AssumeRole, wildcards included.
func (d *Document) Trusts() []TrustGrant {
	var out []TrustGrant
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != Allow || !s.assumes() {
			continue
		}
		g := TrustGrant{Statement: i, Principals: awsPrincipals(s.Principal), Others: otherPrincipals(s.Principal)}
		g.ExternalID, g.Conditions = externalID(s.Condition)
		g.Denied = d.denies(g.Principals)
		out = append(out, g)
	}
	return out
}

// assumes reports whether a statement is about sts:AssumeRole.
func (s *Statement) assumes() bool {
	const assumeRole = "sts:AssumeRole"
	match := func(pattern string) bool { return MatchesAction(pattern, assumeRole) }
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, match)
	}
	return slices.ContainsFunc(s.Action, match)
}

func awsPrincipals(p Principals) []Principal {
	var out []Principal
	for _, value := range append(slices.Clone(p["*"]), p["AWS"]...) {
		out = append(out, ParsePrincipal(value))
	}
	return out
}

func otherPrincipals(p Principals) Principals {
	var out Principals
	for kind, values := range p {
		if kind == "AWS" || kind == "*" {
			continue
		}
		if out == nil {
			out = Principals{}
		}
		out[kind] = slices.Clone(values)
	}
	return out
}

// ParsePrincipal reads an AWS principal: an account's number, an ARN, "*", or
// the unique ID that stays behind when a principal is deleted.
func ParsePrincipal(value string) Principal {
	p := Principal{Value: value, Anyone: value == "*"}
	if isAccountID(value) {
		p.AccountID, p.Whole = value, true
		return p
	}
	parts := strings.SplitN(value, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" && isAccountID(parts[4]) {
		p.Partition, p.AccountID = parts[1], parts[4]
		p.Whole = parts[2] == "iam" && parts[5] == "root"
	}
	return p
}

// Covers reports whether p lets in everything that q names: anyone, the same
// account as a whole, or the same principal.
func (p Principal) Covers(q Principal) bool {
	if p.Anyone || p.Value == q.Value {
		return true
	}
	samePartition := p.Partition == "" || q.Partition == "" || p.Partition == q.Partition
	return p.Whole && p.AccountID == q.AccountID && p.AccountID != "" && samePartition
}

// externalID sorts conditions into those on sts:ExternalId and the rest. A
// key's name is case-insensitive.
func externalID(conditions []Condition) (ExternalID, []Condition) {
	var e ExternalID
	var rest []Condition
	for _, c := range conditions {
		if !strings.EqualFold(c.Key, "sts:ExternalId") {
			rest = append(rest, c)
			continue
		}
		e.Conditions = append(e.Conditions, c)
	}
	for i := range e.Conditions {
		c := &e.Conditions[i]
		if acceptsID(c, "") || c.Negated() || strings.HasSuffix(c.Operator, "Null") {
			continue
		}
		operator, _, _ := c.Base()
		exact := operator == "StringEquals"
		if !e.Required || exact && !e.Exact {
			e.Values = slices.Clone(c.Values)
		}
		e.Required, e.Exact = true, e.Exact || exact
	}
	if e.Exact { // Several conditions are ANDed: only what all accept gets in.
		e.Values = slices.DeleteFunc(e.Values, func(v string) bool { return !e.Accepts(v) })
	}
	return e, rest
}

// denies lists the Deny statements of sts:AssumeRole that may hit one of the
// principals. A Deny with NotPrincipal or of another type counts when it may.
func (d *Document) denies(principals []Principal) []int {
	var out []int
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != Deny || !s.assumes() {
			continue
		}
		denied := awsPrincipals(s.Principal)
		hit := s.NotPrincipal != nil || slices.ContainsFunc(denied, func(p Principal) bool {
			return slices.ContainsFunc(principals, func(q Principal) bool { return p.Covers(q) || q.Covers(p) })
		})
		if hit {
			out = append(out, i)
		}
	}
	return out
}
