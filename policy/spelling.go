package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// oneSpelling writes a condition the way in which equal ones look alike. ArnLike
// and ArnEquals do the same; StringLike without a wildcard is StringEquals; keys
// and booleans have no case. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
func (c *Condition) oneSpelling() Condition {
	base, set, ifExists := c.Base()
	out := Condition{Key: strings.ToLower(c.Key), Values: once(c.Values), Pos: c.Pos}
	literal := !slices.ContainsFunc(c.Values, func(v string) bool { return strings.ContainsAny(v, "*?$") })
	switch base {
	case "ArnLike":
		base = "ArnEquals"
	case "ArnNotLike":
		base = "ArnNotEquals"
	case "StringLike":
		if literal {
			base = "StringEquals"
		}
	case "StringNotLike":
		if literal {
			base = "StringNotEquals"
		}
	case "Bool", "Null":
		out.Values = once(lowered(c.Values))
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		if !slices.ContainsFunc(c.Values, func(v string) bool { return strings.Contains(v, "$") }) {
			out.Values = once(lowered(c.Values))
		}
	}
	out.Operator = base
	if set != "" {
		out.Operator = set + ":" + base
	}
	if ifExists {
		out.Operator += "IfExists"
	}
	return out
}

// impliesSpelled is implies for conditions in one spelling: it knows patterns,
// ranges of addresses, and that a condition without IfExists is the harder one.
func (c *Condition) impliesSpelled(d *Condition) bool {
	if c.Key != d.Key || len(c.Values) == 0 || len(d.Values) == 0 {
		return c.Key == d.Key && c.Operator == d.Operator && len(c.Values) == len(d.Values)
	}
	base, set, ifExists := c.Base()
	otherBase, otherSet, otherIfExists := d.Base()
	if set != otherSet || ifExists && !otherIfExists {
		return false
	}
	within := valuesWithin(base, otherBase)
	if within == nil {
		return false
	}
	if ifExists != otherIfExists && base == "Null" {
		return false
	}
	narrow, wide := c.Values, d.Values
	if c.Negated() {
		narrow, wide = wide, narrow
	}
	return !slices.ContainsFunc(narrow, func(n string) bool {
		return !slices.ContainsFunc(wide, func(w string) bool { return n == w || within(n, w) })
	})
}

// valuesWithin compares values of two operators: whether all that the narrow
// one matches, the wide one does. It is nil for operators that are not compared.
// Of two negated ones the roles are the other way round.
func valuesWithin(a, b string) func(narrow, wide string) bool {
	same := func(string, string) bool { return false } // equal texts only
	switch {
	case a == "StringEquals" && b == "StringLike", a == "StringNotLike" && b == "StringNotEquals":
		return func(narrow, wide string) bool { return withoutVariables(narrow, wide) && Matches(wide, narrow) }
	case a != b:
		return nil
	case a == "StringLike", a == "StringNotLike":
		return func(narrow, wide string) bool {
			return withoutVariables(narrow, wide) && Covers(tidyWildcards(wide), tidyWildcards(narrow))
		}
	case a == "ArnEquals", a == "ArnNotEquals":
		return CoversResource
	case a == "IpAddress", a == "NotIpAddress":
		return addressWithin
	case strings.HasPrefix(a, "Numeric"):
		return numberWithin(a)
	}
	return same
}

func withoutVariables(values ...string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "$") })
}

func addressWithin(narrow, wide string) bool {
	n, okN := addressRange(narrow)
	w, okW := addressRange(wide)
	return okN && okW && w.Bits() <= n.Bits() && w.Contains(n.Addr())
}

func addressRange(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil
}

func numberWithin(operator string) func(narrow, wide string) bool {
	return func(narrow, wide string) bool {
		n, errN := strconv.ParseFloat(narrow, 64)
		w, errW := strconv.ParseFloat(wide, 64)
		if errN != nil || errW != nil {
			return false
		}
		switch {
		case strings.HasPrefix(operator, "NumericLess"):
			return n <= w
		case strings.HasPrefix(operator, "NumericGreater"):
			return n >= w
		}
		return n == w
	}
}

// conditionsExclude reports whether no request meets both lists: they ask for
// different single values of one key. More is not tried.
func conditionsExclude(a, b []Condition) bool {
	return slices.ContainsFunc(a, func(c Condition) bool {
		return slices.ContainsFunc(b, func(d Condition) bool { return c.excludes(&d) })
	})
}

func (c *Condition) excludes(d *Condition) bool {
	if c.Key != d.Key || c.Operator != d.Operator || c.Operator != "StringEquals" && c.Operator != "Bool" || !withoutVariables(c.Values...) ||
		!withoutVariables(d.Values...) {
		return false
	}
	return !slices.ContainsFunc(c.Values, func(v string) bool { return slices.Contains(d.Values, v) })
}
