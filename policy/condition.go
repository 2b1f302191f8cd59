package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// operators are the condition operators without prefix and suffix. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
const operators = " StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike" +
	" NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals" +
	" DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals" +
	" Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike Null "

// Base splits an operator: "ForAnyValue:StringLikeIfExists" is ("StringLike",
// "ForAnyValue", true).
func (c *Condition) Base() (operator, set string, ifExists bool) {
	operator = c.Operator
	for _, prefix := range [...]string{"ForAnyValue", "ForAllValues"} {
		if rest, ok := strings.CutPrefix(operator, prefix+":"); ok {
			operator, set = rest, prefix
		}
	}
	operator, ifExists = strings.CutSuffix(operator, "IfExists")
	return operator, set, ifExists
}

// Negated reports whether the condition holds where no value matches.
func (c *Condition) Negated() bool {
	operator, _, _ := c.Base()
	return strings.Contains(operator, "Not")
}

func knownOperator(c *Condition) bool {
	operator, _, ifExists := c.Base()
	if operator == "Null" && ifExists {
		return false
	}
	return operator != "" && !strings.Contains(operator, " ") && strings.Contains(operators, " "+operator+" ")
}

func (c *checker) readConditions(m member) []Condition {
	if m.value.kind != nodeObject {
		c.conditionSyntax(m.value.at, "type", m.value.kind.String()+" as Condition", "an object of operators")
		return nil
	}
	var out []Condition
	for _, operator := range m.value.members {
		if operator.value.kind != nodeObject {
			c.conditionSyntax(operator.value.at, "type", fmt.Sprintf("%s as %s", operator.value.kind, operator.key), "an object of condition keys")
			continue
		}
		out = append(out, c.readOperator(operator)...)
	}
	return out
}

func (c *checker) readOperator(m member) []Condition {
	probe := Condition{Operator: m.key}
	// IAM takes an unknown operator as long as nothing stands in it.
	if len(m.value.members) > 0 && !knownOperator(&probe) {
		c.conditionSyntax(m.at, "operator", fmt.Sprintf("the unknown condition operator %q", m.key), closestOperator(m.key))
	}
	out := make([]Condition, 0, len(m.value.members))
	for _, key := range m.value.members {
		condition := Condition{Operator: m.key, Key: key.key, Pos: c.pos(key.at)}
		c.readConditionValues(&condition, key)
		out = append(out, condition)
	}
	return out
}

func closestOperator(name string) string {
	for _, operator := range strings.Fields(operators) {
		if strings.EqualFold(operator, name) {
			return fmt.Sprintf("%q, spelled so", operator)
		}
	}
	return "an operator such as StringEquals, StringLike, ArnLike or Bool"
}

func (c *checker) readConditionValues(condition *Condition, m member) {
	items := m.value.items
	if m.value.kind != nodeList {
		items, condition.scalar = []*node{m.value}, true
	}
	for _, item := range items {
		switch item.kind {
		case nodeString, nodeBool, nodeNumber:
			condition.Values = append(condition.Values, item.text)
			condition.at = append(condition.at, c.pos(item.at))
			c.conditionValue(condition, item)
		default:
			c.conditionSyntax(item.at, "type", fmt.Sprintf("%s as a value of %s", item.kind, m.key), "strings, numbers or booleans")
		}
	}
}

// conditionValue refuses dates that IAM cannot read. Other types are not
// checked by IAM when a policy is stored.
func (c *checker) conditionValue(condition *Condition, item *node) {
	operator, _, _ := condition.Base()
	if !strings.HasPrefix(operator, "Date") || !knownOperator(condition) || item.kind != nodeBool && validDate(item.text) {
		return
	}
	c.refuse(item.at, Refusal{ID: "date", Category: "bad-condition", What: fmt.Sprintf("the date %q", item.text),
		Expected: "a date such as 2026-11-21T12:00:00Z, or seconds since 1970", AWS: awsLegacy, order: orderLegacy})
}

// validDate follows what IAM takes: seconds since 1970, or ISO 8601 with any
// part left off from the right, one-digit parts, and years far out.
func validDate(text string) bool {
	text = strings.ToLower(text)
	if !strings.ContainsAny(text, "t-") {
		n, err := strconv.ParseInt(text, 10, 64)
		return err == nil && n >= 0
	}
	date, clock, _ := strings.Cut(text, "t")
	return validDay(date) && validClock(clock)
}

func validDay(date string) bool {
	rest, negative := strings.CutPrefix(date, "-")
	parts := strings.Split(rest, "-")
	year, err := strconv.Atoi(parts[0])
	if negative {
		year = -year
	}
	if err != nil || year < -292275054 || year > 292278993 || len(parts) > 3 {
		return false
	}
	limits := [...]int{12, 31}
	for i, part := range parts[1:] {
		if n, err := strconv.Atoi(part); err != nil || n < 1 || n > limits[i] {
			return false
		}
	}
	return true
}

func validClock(clock string) bool {
	if clock == "" {
		return true
	}
	clock, ok := cutZone(clock)
	parts := strings.Split(clock, ":")
	if !ok || len(parts) > 3 {
		return false
	}
	if len(parts) == 3 {
		seconds, fraction, decimal := strings.Cut(parts[2], ".")
		parts[2] = seconds
		if decimal && !within(fraction, 999999999) {
			return false
		}
	}
	limits := [...]int{23, 59, 59}
	for i, part := range parts {
		if !within(part, limits[i]) {
			return false
		}
	}
	return true
}

// cutZone takes z, +hh, +hh:mm or the same with a minus off a time of day.
func cutZone(clock string) (string, bool) {
	if rest, ok := strings.CutSuffix(clock, "z"); ok {
		return rest, true
	}
	i := strings.IndexAny(clock, "+-")
	if i < 0 {
		return clock, true
	}
	hours, minutes, both := strings.Cut(clock[i+1:], ":")
	ok := len(hours) == 2 && within(hours, 23) && (!both || len(minutes) == 2 && within(minutes, 59))
	return clock[:i], ok
}

func within(text string, limit int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 0 && n <= limit
}
