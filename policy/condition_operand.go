package policy

import (
	"strings"
)

// operand is one value of a condition after its policy variables were filled
// in: a run of letters and wildcards. Whether a wildcard is one depends on the
// operator; a letter that came from a variable or an escape never is.
type operand struct {
	text  string
	plain []bool // of each byte: a * or ? here is a letter
	unset bool   // a variable has no value
	open  bool   // a variable's value is not known; a star stands for it
}

func textOperand(text string) operand { return operand{text: text} }

// literal is the operand where wildcards are letters.
func (o operand) literal() string { return o.text }

// star reports whether the operand is a lone wildcard for anything.
func (o operand) star() bool {
	return o.text == "*" && !o.isPlain(0)
}

func (o operand) isPlain(i int) bool { return i < len(o.plain) && o.plain[i] }

// glob reads the operand as a pattern in which * is any text.
func (o operand) glob() pattern {
	var p pattern
	for i := range len(o.text) {
		p = p.add(o.text[i], o.isPlain(i), anyByte())
	}
	return p
}

// arn reads the operand as an ARN whose parts are compared one by one, so that
// only in the sixth a wildcard reaches over a colon; false where it has fewer.
func (o operand) arn() (pattern, bool) {
	var p pattern
	colons := 0
	for i := range len(o.text) {
		wild := anyByte()
		if colons < 5 {
			wild = wild.without(':')
		}
		if o.text[i] == ':' {
			colons++
		}
		p = p.add(o.text[i], o.isPlain(i), wild)
	}
	return p, colons >= 5
}

// lookup gives the value of a key for a policy variable. known is false where
// the request leaves it open, set is false where the request has none.
type lookup func(key string) (value string, set, known bool)

// fill puts the values of policy variables into a condition's value. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html.
func fill(text string, get lookup) operand {
	var o operand
	write := func(s string, plain bool) {
		o.text += s
		for range len(s) {
			o.plain = append(o.plain, plain)
		}
	}
	for {
		before, rest, open := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		write(before, false)
		if !open {
			return o
		}
		if !closed {
			write("${"+rest, true)
			return o
		}
		value, set, known := variable(name, get)
		if !known {
			o.open = true
			write("*", false)
		} else {
			o.unset = o.unset || !set
			write(value, true)
		}
		text = after
	}
}

// variable resolves what stands between ${ and }: an escape, or a key with an
// optional default in quotes.
func variable(name string, get lookup) (value string, set, known bool) {
	if name == "*" || name == "?" || name == "$" {
		return name, true, true
	}
	key, fallback, defaults := strings.Cut(name, ",")
	value, set, known = get(strings.ToLower(strings.TrimSpace(key)))
	if !known || set || !defaults {
		return value, set, known
	}
	fallback = strings.TrimSpace(fallback)
	if len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return "", false, true
	}
	return fallback[1 : len(fallback)-1], true, true
}
