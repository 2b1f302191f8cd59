package policy

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"regexp"
	"strings"
	"time"
)

// The oracle is a second evaluator of trust policies, written from AWS's pages
// on evaluation logic, condition operators, set operators and policy
// variables, to hold the first one against. It reads the JSON itself and knows
// concrete requests only: every key either has values or is absent. It shares
// no code with what it judges.

// call is a concrete request.
type call struct {
	action string
	who    []string // how a principal list may name the caller, as TYPE VALUE; the first is the account
	parts  []string // all of these have to be in NotPrincipal for it to leave the caller out
	keys   map[string][]string
}

type oracle struct {
	Version   string
	Statement []map[string]any

	read  []rule
	globs map[string]*regexp.Regexp
}

// rule is a statement, taken apart once.
type rule struct {
	effect     string
	actions    map[string]bool // by the action that was asked for
	notActions bool
	list       []string
	who, not   any
	tests      []test
}

type test struct {
	operator, key string
	want          []string
}

func newOracle(text string) *oracle {
	var o oracle
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	o.globs = map[string]*regexp.Regexp{}
	for _, s := range o.Statement {
		r := rule{
			effect:  s["Effect"].(string),
			actions: map[string]bool{},
			who:     s["Principal"],
			not:     s["NotPrincipal"],
			list:    listOf(s["Action"]),
		}
		if list, ok := s["NotAction"]; ok {
			r.list, r.notActions = listOf(list), true
		}
		conditions, _ := s["Condition"].(map[string]any)
		for operator, keys := range conditions {
			for key, values := range keys.(map[string]any) {
				r.tests = append(r.tests, test{operator, strings.ToLower(key), listOf(values)})
			}
		}
		o.read = append(o.read, r)
	}
	return &o
}

// allows follows the flow chart: an explicit deny ends it, then an allow is
// looked for, and the default is to deny.
func (o *oracle) allows(q call) bool { return o.decide(o.concerning(q), q) }

// concerning are the rules that are about the call's action and caller.
func (o *oracle) concerning(q call) []*rule {
	var out []*rule
	for i := range o.read {
		if r := &o.read[i]; o.covers(r, q.action) && r.names(q) {
			out = append(out, r)
		}
	}
	return out
}

func (o *oracle) decide(rules []*rule, q call) bool {
	for _, effect := range []string{"Deny", "Allow"} {
		for _, r := range rules {
			if r.effect == effect && o.applies(r, q) {
				return effect == "Allow"
			}
		}
	}
	return false
}

func (o *oracle) covers(r *rule, action string) bool {
	named, known := r.actions[action]
	if !known {
		for _, a := range r.list {
			named = named || o.wild(strings.ToLower(a)).MatchString(strings.ToLower(action))
		}
		named = named != r.notActions
		r.actions[action] = named
	}
	return named
}

func (r *rule) names(q call) bool {
	if r.not == nil {
		return isNamed(r.who, q.who)
	}
	for _, part := range q.parts {
		if !isNamed(r.not, strings.Split(part, "|")) {
			return true
		}
	}
	return false
}

func (o *oracle) applies(r *rule, q call) bool {
	for _, t := range r.tests {
		if !o.met(t.operator, q.keys[t.key], t.want, q) {
			return false
		}
	}
	return true
}

func listOf(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, item := range v {
			out = append(out, fmt.Sprint(item))
		}
		return out
	}
	return []string{fmt.Sprint(v)}
}

func isNamed(principals any, names []string) bool {
	if principals == "*" {
		return true
	}
	kinds, _ := principals.(map[string]any)
	for kind, values := range kinds {
		for _, v := range listOf(values) {
			for _, name := range names {
				if name == kind+" "+v || kind == "AWS" && v == "*" && strings.HasPrefix(name, "AWS ") {
					return true
				}
			}
		}
	}
	return false
}

// wild turns a glob into a regular expression.
func (o *oracle) wild(glob string) *regexp.Regexp {
	if known := o.globs[glob]; known != nil {
		return known
	}
	quoted := regexp.QuoteMeta(glob)
	quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, "(?s:.*)"), `\?`, "(?s:.)")
	// An escaped wildcard came through as a marker.
	quoted = strings.NewReplacer("\x01", `\*`, "\x02", `\?`).Replace(quoted)
	o.globs[glob] = regexp.MustCompile("^(?:" + quoted + ")$")
	return o.globs[glob]
}

// met evaluates one operator on one key.
func (o *oracle) met(operator string, have, want []string, q call) bool {
	if operator == "Null" {
		for _, w := range want {
			if strings.EqualFold(w, "true") == (have == nil) {
				return true
			}
		}
		return false
	}
	quantifier, rest, ok := strings.Cut(operator, ":")
	if !ok {
		quantifier, rest = "", operator
	}
	name := strings.TrimSuffix(rest, "IfExists")
	negative := strings.Contains(name, "Not")
	if have == nil {
		switch {
		case name != rest, quantifier == "ForAllValues":
			return true
		case quantifier == "ForAnyValue":
			return false
		}
		return negative
	}
	good := 0
	for _, h := range have {
		hit := false
		for _, w := range want {
			hit = hit || o.one(strings.Replace(name, "Not", "", 1), h, w, q)
		}
		// To ForAllValues an empty value is no value.
		if hit != negative || quantifier == "ForAllValues" && h == "" {
			good++
		}
	}
	switch {
	case quantifier == "ForAllValues", quantifier == "" && negative:
		return good == len(have)
	}
	return good > 0
}

// substitute resolves variables. Wildcards that are not to be wildcards are
// replaced by markers. It is false where a variable has no value.
func (o *oracle) substitute(text string, q call) (string, bool) {
	if o.Version != "2012-10-17" || !strings.Contains(text, "${") {
		return text, true
	}
	resolved := true
	marked := strings.NewReplacer("*", "\x01", "?", "\x02")
	out := regexp.MustCompile(`\$\{([^}]*)\}`).ReplaceAllStringFunc(text, func(v string) string {
		inner := v[2 : len(v)-1]
		if inner == "*" || inner == "?" || inner == "$" {
			return marked.Replace(inner)
		}
		name, fallback, has := strings.Cut(inner, ",")
		values := q.keys[strings.ToLower(strings.TrimSpace(name))]
		if len(values) == 1 {
			return marked.Replace(values[0])
		}
		if has {
			return marked.Replace(strings.Trim(strings.TrimSpace(fallback), "'"))
		}
		resolved = false
		return ""
	})
	return out, resolved
}

func (o *oracle) one(name, have, want string, q call) bool {
	back := strings.NewReplacer("\x01", "*", "\x02", "?")
	if strings.HasPrefix(name, "String") || strings.HasPrefix(name, "Arn") {
		var ok bool
		if want, ok = o.substitute(want, q); !ok {
			return false
		}
	}
	switch name {
	case "StringEquals", "BinaryEquals":
		return have == back.Replace(want)
	case "StringEqualsIgnoreCase":
		return strings.EqualFold(have, back.Replace(want))
	case "StringLike":
		return o.wild(want).MatchString(have)
	case "ArnEquals", "ArnLike":
		h, w := strings.SplitN(have, ":", 6), strings.SplitN(want, ":", 6)
		if len(h) != 6 || len(w) != 6 {
			return false
		}
		for i := range h {
			if !o.wild(w[i]).MatchString(h[i]) {
				return false
			}
		}
		return true
	case "Bool":
		return (want == "true" || want == "false") && have == want
	case "IpAddress":
		if !strings.Contains(want, "/") {
			want += "/32"
		}
		_, block, err := net.ParseCIDR(want)
		ip := net.ParseIP(have)
		return err == nil && ip != nil && block.Contains(ip)
	}
	var a, b *big.Rat
	var okA, okB bool
	if rest, ok := strings.CutPrefix(name, "Numeric"); ok {
		name = rest
		a, okA = new(big.Rat).SetString(have)
		b, okB = new(big.Rat).SetString(want)
	} else {
		name = strings.TrimPrefix(name, "Date")
		a, okA = instant(have)
		b, okB = instant(want)
	}
	if !okA || !okB {
		return false
	}
	switch c := a.Cmp(b); name {
	case "Equals":
		return c == 0
	case "LessThan":
		return c < 0
	case "LessThanEquals":
		return c <= 0
	case "GreaterThan":
		return c > 0
	case "GreaterThanEquals":
		return c >= 0
	}
	panic("unknown operator " + name)
}

func instant(text string) (*big.Rat, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02", "2006-01", "2006"} {
		if layout == "2006" && len(text) != 4 {
			continue
		}
		if at, err := time.Parse(layout, text); err == nil {
			return new(big.Rat).Add(new(big.Rat).SetInt64(at.Unix()), big.NewRat(int64(at.Nanosecond()), 1e9)), true
		}
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetInt(n), true
}
