package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// truth is what is known of a statement about a request: no, maybe or yes.
// The order is that of logical AND (the least) and OR (the greatest).
type truth int8

const (
	no truth = iota
	maybe
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return yes - t }

// family is the type that a condition operator reads its values as.
type family int

const (
	familyText family = iota
	familyNumber
	familyDate
	familyAddress
	familyNull
)

// familyOf sorts an operator as Base returns it. What Bool, ARN and binary
// operators compare is text.
func familyOf(operator string) family {
	switch {
	case operator == "Null":
		return familyNull
	case strings.HasPrefix(operator, "Numeric"):
		return familyNumber
	case strings.HasPrefix(operator, "Date"):
		return familyDate
	case strings.HasSuffix(operator, "IpAddress"):
		return familyAddress
	}
	return familyText
}

// compares reports whether one value of a request meets one value of a
// condition, for an operator as Base returns it; a negated operator
// compares as its opposite. Source of the semantics:
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
func compares(operator string, wanted operand, value string) truth {
	if wanted.unset {
		return no // a variable without a value equals nothing
	}
	operator = strings.Replace(operator, "Not", "", 1)
	if wanted.open {
		return min(maybe, truthOf(wanted.might(operator).matches(value)))
	}
	switch operator {
	case "StringEquals", "BinaryEquals":
		return truthOf(wanted.literal() == value)
	case "StringEqualsIgnoreCase":
		return truthOf(strings.EqualFold(wanted.literal(), value))
	case "StringLike":
		return truthOf(wanted.glob().matches(value))
	case "ArnEquals", "ArnLike":
		return matchesARN(wanted, value)
	case "Bool":
		return truthOf(isBool(wanted.literal()) && strings.EqualFold(wanted.literal(), value))
	case "IpAddress":
		return truthOf(holdsAddress(wanted.literal(), value))
	}
	switch familyOf(operator) {
	case familyNumber:
		return truthOf(ordered(strings.TrimPrefix(operator, "Numeric"), value, wanted.literal(), parseNumber))
	case familyDate:
		return truthOf(ordered(strings.TrimPrefix(operator, "Date"), value, wanted.literal(), parseDate))
	}
	return no
}

// might is what can meet an operand whose variables are open.
func (o operand) might(operator string) pattern {
	p := o.glob()
	if operator == "StringEqualsIgnoreCase" {
		return p.folded()
	}
	return p
}

func isBool(text string) bool {
	return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
}

// matchesARN compares the six parts of an ARN one by one. AWS does not say
// how it reads a pattern that is a mere star.
func matchesARN(wanted operand, value string) truth {
	if len(strings.SplitN(value, ":", 6)) < 6 {
		return no
	}
	if wanted.star() {
		return maybe
	}
	p, ok := wanted.arn()
	return truthOf(ok && p.matches(value))
}

// ordered compares two numbers or moments; a text that is none meets nothing.
func ordered(relation, value, wanted string, parse func(string) (float64, bool)) bool {
	v, okV := parse(value)
	w, okW := parse(wanted)
	if !okV || !okW {
		return false
	}
	switch relation {
	case "Equals":
		return v == w
	case "LessThan":
		return v < w
	case "LessThanEquals":
		return v <= w
	case "GreaterThan":
		return v > w
	case "GreaterThanEquals":
		return v >= w
	}
	return false
}

func parseNumber(text string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n, err == nil
}

// parseDate reads what IAM takes as a date, in seconds since 1970. What is
// left off from the right is the earliest of its kind.
func parseDate(text string) (float64, bool) {
	if text == "" || !validDate(text) {
		return 0, false
	}
	text = strings.ToLower(text)
	if !strings.ContainsAny(text, "t-") {
		n, err := strconv.ParseInt(text, 10, 64)
		return float64(n), err == nil
	}
	date, clock, _ := strings.Cut(text, "t")
	rest, negative := strings.CutPrefix(date, "-")
	parts := append(numbers(rest, "-"), 1, 1)
	if negative {
		parts[0] = -parts[0]
	}
	clock, offset := zone(clock)
	clock, fraction, _ := strings.Cut(clock, ".")
	hours := append(numbers(clock, ":"), 0, 0, 0)
	at := time.Date(parts[0], time.Month(parts[1]), parts[2], hours[0], hours[1], hours[2], 0, time.UTC)
	part, err := strconv.ParseFloat("0."+fraction, 64)
	if err != nil {
		part = 0
	}
	return float64(at.Unix()-int64(offset)) + part, true
}

func numbers(text, separator string) []int {
	var out []int
	for part := range strings.SplitSeq(text, separator) {
		if n, err := strconv.Atoi(part); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// zone takes the zone off a time of day and returns its seconds east of UTC.
func zone(clock string) (string, int) {
	clock = strings.TrimSuffix(clock, "z")
	i := strings.IndexAny(clock, "+-")
	if i < 0 {
		return clock, 0
	}
	parts := append(numbers(clock[i+1:], ":"), 0, 0)
	seconds := parts[0]*3600 + parts[1]*60
	if clock[i] == '-' {
		seconds = -seconds
	}
	return clock[:i], seconds
}

// holdsAddress reports whether an address lies in a range such as
// 203.0.113.0/24; a range without a length is one address.
func holdsAddress(wanted, value string) bool {
	prefix, ok := parsePrefix(wanted)
	addr, err := netip.ParseAddr(value)
	return ok && err == nil && prefix.Contains(addr)
}

func parsePrefix(text string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked(), true
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, addr.BitLen()), true
}
