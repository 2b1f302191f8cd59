package review

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rolecall/policy"
)

// conditions are the findings about a statement's conditions.
func (m *model) conditions(st *statement) []Finding {
	var out []Finding
	for i := range st.Condition {
		c := &st.Condition[i]
		kind, f := m.conditionKey(st, c)
		if f != nil {
			out = append(out, *f)
		}
		if f := m.valueFinding(st, c, kind); f != nil {
			out = append(out, *f)
		}
		if f := setFinding(st, c, kind); f != nil {
			out = append(out, *f)
		}
		out = append(out, guardFindings(st, c)...)
	}
	return out
}

func conditionFinding(st *statement, pos policy.Pos, id string, severity Severity, title, why string) *Finding {
	f := &Finding{ID: id, Class: NoEffect, Category: "bad-condition", Severity: severity, Actions: []string{}, Title: title, Why: why}
	return f.at(st, pos)
}

// conditionKey looks a key up and returns its type, "" where it is not known.
func (m *model) conditionKey(st *statement, c *policy.Condition) (string, *Finding) {
	key := strings.ToLower(c.Key)
	service, _, ok := strings.Cut(key, ":")
	if !ok || strings.Contains(key, "${") {
		return "", nil
	}
	if kind := m.tables.key(key); kind != "" {
		if aboutTags(key) {
			return kind, m.unsupported(st, c, key)
		}
		return kind, nil
	}
	if service == "aws" {
		return "", conditionFinding(st, c.Pos, "condition-key", Medium, "Asks for a key that AWS does not have",
			fmt.Sprintf("There is no global condition key %s. %s", short(c.Key), missing(st, c)))
	}
	s, ok := m.cat.Service(service)
	if !ok {
		if federated(service) || len(st.Principal) > 0 {
			return "", nil // keys of identity providers carry their domain
		}
		return "", conditionFinding(st, c.Pos, "condition-key", Medium, "Asks for a key of an unknown service",
			fmt.Sprintf("No service %s is known, so nothing sets the key %s. %s", short(service), short(c.Key), missing(st, c)))
	}
	kind := serviceKey(s, key)
	if f := m.unsupported(st, c, key); f != nil || kind != "" {
		return kind, f
	}
	if _, known := m.keyKind(st, key); !known {
		return "", conditionFinding(st, c.Pos, "condition-key", Medium, "Asks for a key that AWS does not have",
			fmt.Sprintf("There is no condition key %s. %s", short(c.Key), missing(st, c)))
	}
	return "", nil
}

// aboutTags reports whether a global key depends on what the action tags.
func aboutTags(key string) bool {
	return strings.HasPrefix(key, "aws:resourcetag/") || strings.HasPrefix(key, "aws:requesttag/") || key == "aws:tagkeys"
}

// federated reports whether a key's prefix is an identity provider: a domain,
// or one of the names AWS has for some.
func federated(prefix string) bool {
	return strings.ContainsAny(prefix, "./") ||
		slices.Contains([]string{"saml", "sts", "cognito-identity", "cognito-identity-auth", "cognito-identity-unauth"}, prefix)
}

// missing says what follows from a key that is not there.
func missing(st *statement, c *policy.Condition) string {
	_, set, ifExists := c.Base()
	passes := c.Negated() || ifExists || set == "ForAllValues" || strings.HasSuffix(c.Operator, "Null")
	switch {
	case passes && st.Effect == policy.Allow:
		return "The condition always holds, so it guards nothing."
	case passes:
		return "The condition always holds, so the Deny hits everything."
	case st.Effect == policy.Allow:
		return "The condition never holds, so the statement grants nothing."
	}
	return "The condition never holds, so the statement denies nothing."
}

func serviceKey(s *policy.Service, key string) string {
	for _, k := range s.ConditionKeys() {
		if sameKey(strings.ToLower(k.Name), key) {
			return k.Type
		}
	}
	return ""
}

// sameKey compares a key with the catalogue's form, which has ${TagKey} where
// a name stands.
func sameKey(form, key string) bool {
	for _, name := range [...]string{"${", "<key>", "tag-key"} {
		if open := strings.Index(form, name); open >= 0 {
			return strings.HasPrefix(key, form[:open]) && len(key) > open
		}
	}
	return form == key || strings.HasSuffix(form, "/") && strings.HasPrefix(key, form)
}

// unsupported is a key that none of the statement's actions sets.
func (m *model) unsupported(st *statement, c *policy.Condition, key string) *Finding {
	_, _, ifExists := c.Base()
	if len(st.Principal) > 0 || st.negated() || ifExists || strings.HasSuffix(c.Operator, "Null") {
		return nil
	}
	var without []string
	for i := range st.entries {
		e := &st.entries[i]
		if allActions(e.folded) || e.service == "" {
			return nil
		}
		if !m.setsKey(e.folded, key) {
			without = append(without, e.text)
		}
	}
	then := missing(st, c)
	switch {
	case len(without) == 0:
		return nil
	case len(without) == len(st.entries):
		return conditionFinding(st, c.Pos, "condition-key", Medium, "Asks for a key that none of its actions sets",
			fmt.Sprintf("No action of this statement sets %s. %s", short(c.Key), then))
	case strings.HasPrefix(then, "The condition always"):
		return nil
	}
	participle := "granted"
	if st.Effect == policy.Deny {
		participle = "denied"
	}
	f := conditionFinding(st, c.Pos, "condition-key", Low, "Some of its actions do not set the key it asks for",
		fmt.Sprintf("%s do not set %s. For them the condition never holds, so they are not %s.", few(without, ", "), short(c.Key), participle))
	f.Actions = without
	return f
}

// setsKey reports whether some action that a pattern matches sets a key, or
// none is known that it matches. The answer is kept: statements repeat both.
func (m *model) setsKey(pattern, key string) bool {
	question := pattern + " " + key
	if answer, ok := m.sets[question]; ok {
		return answer
	}
	all := m.cat.Expand(pattern)
	answer := len(all) == 0 || slices.ContainsFunc(all, func(a policy.Action) bool { return knowsKey(a, key) })
	if m.sets == nil {
		m.sets = map[string]bool{}
	}
	m.sets[question] = answer
	return answer
}

// knowsKey reports whether an action sets a condition key.
func knowsKey(a policy.Action, key string) bool {
	same := func(form string) bool { return sameKey(strings.ToLower(form), key) }
	if slices.ContainsFunc(a.ConditionKeys(), same) {
		return true
	}
	return slices.ContainsFunc(a.Resources(), func(r policy.ActionResource) bool {
		return slices.ContainsFunc(r.Keys, same) || slices.ContainsFunc(r.Type.Keys, same)
	})
}

// valueFinding compares values with the operator and with what the key can hold.
// The first one that is wrong is told.
func (m *model) valueFinding(st *statement, c *policy.Condition, kind string) *Finding {
	operator, _, _ := c.Base()
	for i, v := range c.Values {
		pos := c.Position(i)
		if p := m.badValue(c, kind, v); p != nil {
			return conditionFinding(st, pos, p.id, Medium, p.title, p.why+" "+m.follows(st, c, kind))
		}
		switch {
		case strings.HasSuffix(operator, "IpAddress") && !strings.Contains(v, "${"):
			if f := addressFinding(st, c, pos, v); f != nil {
				return f
			}
		case literal(operator) && strings.ContainsAny(v, "*?") && !strings.Contains(v, "${"):
			return conditionFinding(st, pos, "like", Medium, "Takes a wildcard for a letter",
				fmt.Sprintf("%s compares letter by letter, so the %s in %q is no wildcard. Use %s.", c.Operator,
					wildcardIn(v), short(v), strings.Replace(c.Operator, "Equals", "Like", 1)))
		}
	}
	if operator == "Bool" && slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "true") }) &&
		slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "false") }) {
		return conditionFinding(st, c.Pos, "condition-value", Medium, "Asks for yes or no, which is always one of them",
			"Both true and false are listed, so the condition holds whenever the key is there.")
	}
	return typeFinding(st, c, kind, operator)
}

// follows says what a value that matches nothing does to the statement.
func (m *model) follows(st *statement, c *policy.Condition, kind string) string {
	if slices.ContainsFunc(c.Values, func(v string) bool { return m.badValue(c, kind, v) == nil }) {
		return "This value matches nothing; the others stand."
	}
	_, set, ifExists := c.Base()
	holds := c.Negated() || set == "ForAllValues"
	switch {
	case ifExists && !c.Negated():
		return "The condition holds only where the key is missing."
	case holds && set == "ForAllValues" && !c.Negated():
		return "The condition holds only where the key is missing."
	case holds && st.Effect == policy.Allow:
		return "The condition always holds, so it guards nothing."
	case holds:
		return "The condition always holds, so the Deny hits everything."
	case st.Effect == policy.Allow:
		return "The condition never holds, so the statement grants nothing." + m.putRight(st, c)
	}
	return "The condition never holds, so the statement denies nothing."
}

// maxPutRight is for how many conditions it is looked up what they hold back.
const maxPutRight = 4

// putRight says what a statement lets once its condition is put right: what is
// no risk for a slip of the pen is one as soon as the slip is mended.
func (m *model) putRight(st *statement, c *policy.Condition) string {
	if m.opts.Kind == policy.Trust || m.rights >= maxPutRight || len(m.statements) > maxMoved || slices.Index(m.statements, st) != st.index {
		return ""
	}
	m.rights++
	s := *st.Statement
	s.Condition = slices.DeleteFunc(slices.Clone(s.Condition), func(d policy.Condition) bool { return d.Equal(*c) })
	statements := slices.Clone(m.statements)
	statements[st.index] = m.again(s, st.index)
	mended := m.with(m.doc, statements)
	worst := -1
	all := mended.risks(mended.expand())
	for i := range all {
		f := &all[i]
		here := slices.ContainsFunc(f.Places, func(p Place) bool { return p.Index == st.index })
		if here && (worst < 0 || f.Severity.Rank() > all[worst].Severity.Rank()) {
			worst = i
		}
	}
	if worst < 0 {
		return ""
	}
	return fmt.Sprintf(
		" Put right, it counts again: %s (%s before the condition).",
		strings.ToLower(all[worst].Title[:1])+all[worst].Title[1:],
		all[worst].Severity,
	)
}

func literal(operator string) bool {
	return operator == "StringEquals" || operator == "StringNotEquals"
}

func wildcardIn(v string) string {
	if strings.Contains(v, "*") {
		return "*"
	}
	return "?"
}

// typeFinding is an operator for another type than the key has. A string
// operator works on most of them; dates and numbers it compares as text.
func typeFinding(st *statement, c *policy.Condition, kind, operator string) *Finding {
	family := ""
	for _, f := range [...]string{"String", "Numeric", "Date", "Bool", "Arn", "IpAddress", "NotIpAddress", "Binary"} {
		if strings.HasPrefix(operator, f) {
			family = f
		}
	}
	kind = strings.TrimPrefix(kind, "ArrayOf")
	fine := map[string]string{
		"String":       "String ARN Bool Date IPAddress",
		"Numeric":      "Numeric Date",
		"Date":         "Date Numeric",
		"Bool":         "Bool String",
		"Arn":          "ARN String",
		"IpAddress":    "IPAddress",
		"NotIpAddress": "IPAddress",
		"Binary":       "Binary String",
	}
	if kind == "" || family == "" || strings.Contains(" "+fine[family]+" ", " "+kind+" ") {
		return nil
	}
	return conditionFinding(st, c.Pos, "condition-value", Medium, "Compares a key as what it is not",
		fmt.Sprintf("%s holds a value of type %s, which %s does not compare.", short(c.Key), kind, c.Operator))
}

func number(v string) bool {
	_, err := strconv.ParseFloat(v, 64)
	return err == nil
}

func base64Text(v string) bool {
	_, err := base64.StdEncoding.DecodeString(v)
	return err == nil
}

func addressFinding(st *statement, c *policy.Condition, pos policy.Pos, v string) *Finding {
	text := v
	if !strings.Contains(text, "/") {
		if addr, err := netip.ParseAddr(text); err == nil {
			text += fmt.Sprintf("/%d", addr.BitLen())
		}
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return conditionFinding(st, pos, "condition-value", Medium, "Asks for an address that is none",
			fmt.Sprintf("%q is no address range such as 203.0.113.0/24.", short(v)))
	case strings.EqualFold(c.Key, "aws:SourceIp") && (prefix.Addr().IsPrivate() || prefix.Addr().IsLoopback() ||
		prefix.Addr().IsLinkLocalUnicast()):
		return conditionFinding(st, pos, "private-ip", Medium, "Asks for a private address",
			fmt.Sprintf("aws:SourceIp is the public address of the caller; %s is private and never met. Use aws:VpcSourceIp, or aws:SourceVpc.", v))
	case prefix.Masked() != prefix:
		return conditionFinding(st, pos, "condition-value", Low, "The address has more digits than its range",
			fmt.Sprintf("%s means %s.", v, prefix.Masked()))
	}
	return nil
}

// setFinding is about ForAllValues and ForAnyValue: on a key with one value,
// left out for a key with several, or true where the key is missing.
func setFinding(st *statement, c *policy.Condition, kind string) *Finding {
	operator, set, _ := c.Base()
	several := strings.HasPrefix(kind, "ArrayOf")
	severity, then := Medium, "denies"
	if st.Effect == policy.Allow {
		severity, then = High, "allows"
	}
	switch {
	case kind == "":
		return nil
	case several && set == "" && operator != "Null" && !strings.Contains(operator, ":"):
		if !strings.HasPrefix(strings.ToLower(c.Key), "aws:") {
			severity = Note // the catalogue is not sure of every service's keys
		} else {
			severity = Medium
		}
		return conditionFinding(
			st,
			c.Pos,
			"set-operator",
			severity,
			"Compares several values without saying how",
			fmt.Sprintf(
				"%s holds several values at once, and %s compares one. Write ForAnyValue:%s where one of them is enough, or ForAllValues:%s where "+
					"each has to fit.",
				short(c.Key),
				c.Operator,
				c.Operator,
				c.Operator,
			),
		)
	case several && set == "ForAllValues" && st.Effect == policy.Allow && aboutCaller(c.Key) && !c.Negated() && !asksForKey(st, c.Key):
		return conditionFinding(
			st,
			c.Pos,
			"for-all-values",
			Medium,
			"The condition holds where the key is missing",
			fmt.Sprintf(
				"ForAllValues is true when %s is not in the request, as in calls that nothing goes between, so it guards nothing. Write "+
					"ForAnyValue, or add \"Null\": {%q: \"false\"}.",
				short(c.Key),
				short(c.Key),
			),
		)
	case set != "ForAllValues" || several:
		return nil
	}
	return conditionFinding(
		st,
		c.Pos,
		"for-all-values",
		severity,
		"The condition holds where the key is missing",
		fmt.Sprintf(
			"ForAllValues is true when %s is not in the request, so the statement %s more than it says. The key has one value: leave "+
				"ForAllValues out.",
			short(c.Key),
			then,
		),
	)
}

// aboutCaller are keys with several values that tell whose call it is, so that
// a call without them is the rule.
func aboutCaller(key string) bool {
	return slices.Contains([]string{"aws:calledvia", "aws:principalorgpaths", "aws:resourceorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths",
		"aws:principalservicenameslist"}, strings.ToLower(key))
}

// asksForKey reports whether another condition wants the key to be there.
func asksForKey(st *statement, key string) bool {
	return slices.ContainsFunc(st.Condition, func(c policy.Condition) bool {
		return strings.EqualFold(c.Key, key) && c.Operator == "Null" && len(c.Values) == 1 && strings.EqualFold(c.Values[0], "false")
	})
}

// guardFindings are conditions that do not guard what they seem to.
func guardFindings(st *statement, c *policy.Condition) []Finding {
	operator, _, ifExists := c.Base()
	key := strings.ToLower(c.Key)
	wants := len(c.Values) == 1 && strings.EqualFold(c.Values[0], "true")
	var out []Finding
	if key == "aws:multifactorauthpresent" && operator == "Bool" && len(c.Values) == 1 {
		switch {
		case st.Effect == policy.Deny && !wants && !ifExists:
			out = append(out, *conditionFinding(st, c.Pos, "mfa", Medium, "The Deny misses access keys without MFA",
				"With long-lived keys the key aws:MultiFactorAuthPresent is missing and Bool does not hold. Use BoolIfExists."))
		case st.Effect == policy.Allow && wants && ifExists:
			out = append(out, *conditionFinding(st, c.Pos, "mfa", Medium, "The Allow does not ask access keys for MFA",
				"With long-lived keys the key aws:MultiFactorAuthPresent is missing and BoolIfExists holds. Use Bool."))
		case st.Effect == policy.Allow && !wants:
			out = append(out, *conditionFinding(st, c.Pos, "mfa", Medium, "Allows those who did not use MFA",
				"The statement works only without MFA. A guard would ask for true."))
		}
	}
	if key == "aws:multifactorauthage" && strings.HasPrefix(operator, "Numeric") {
		out = append(out, ageFindings(st, c, ifExists)...)
	}
	if st.Effect == policy.Allow && !c.Negated() && (key == "aws:referer" || key == "aws:useragent") {
		out = append(out, *conditionFinding(st, c.Pos, "caller-says", Medium, "Trusts what the caller says about itself",
			c.Key+" is set by whoever calls, so it keeps nobody out."))
	}
	return out
}

// ageFindings are about the age of MFA, which access keys without MFA do not
// have.
func ageFindings(st *statement, c *policy.Condition, ifExists bool) []Finding {
	switch {
	case st.Effect == policy.Deny && !ifExists && !slices.ContainsFunc(st.Condition, func(d policy.Condition) bool {
		return strings.EqualFold(d.Key, "aws:MultiFactorAuthPresent")
	}):
		return []Finding{*conditionFinding(st, c.Pos, "mfa", Medium, "The Deny misses access keys without MFA",
			"Without MFA the key aws:MultiFactorAuthAge is missing and "+c.Operator+
				" does not hold, so the Deny spares those who used none. Use "+c.Operator+"IfExists.")}
	case st.Effect == policy.Allow && ifExists:
		return []Finding{*conditionFinding(st, c.Pos, "mfa", Medium, "The Allow does not ask access keys for MFA",
			"Without MFA the key aws:MultiFactorAuthAge is missing and "+c.Operator+" holds. Use "+strings.TrimSuffix(c.Operator, "IfExists")+".")}
	}
	return nil
}
