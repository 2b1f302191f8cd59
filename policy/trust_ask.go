package policy

import "strings"

// Answer is what a trust policy says to a request, for all that its open keys
// may hold.
type Answer struct {
	Outcome Outcome
	// Key is the condition key on which it depends, as the document spells it.
	Key string
	// Allowed and Denied are requests of which each is certain: all keys that
	// matter have values. Nil where there is none, or none could be found.
	Allowed, Denied *Request
	// Statement is the index of the statement that let Allowed in, else of the
	// Deny that keeps the request out, -1 where no Allow covers it.
	Statement int
}

// Possible reports whether some request of the kind may be let in.
func (a Answer) Possible() bool { return a.Outcome != Denied }

// maxTries bounds how many requests are tried for one answer.
const maxTries = 1024

// Ask evaluates a request. Open keys are tried with one value of every class
// that the document can tell apart, so that the answer holds for all values.
// What cannot be tried (too many combinations, a variable whose value is open)
// makes the answer Depends, never a wrong one.
func (d *Document) Ask(r Request) Answer {
	q := question{doc: d, left: maxTries}
	if r.memo == nil {
		r.memo = map[string]found{}
	}
	found := q.explore(r)
	out := Answer{Allowed: found.allowed, Denied: found.denied, Key: found.key, Statement: found.statement}
	switch {
	case found.undecided || found.allowed != nil && found.denied != nil:
		out.Outcome = Depends
	case found.allowed != nil:
		out.Outcome, out.Key = Allowed, ""
	default:
		out.Key = ""
	}
	return out
}

// question is one search for an answer.
type question struct {
	doc  *Document
	left int // requests that may still be tried
}

// outcomes are the answers to all requests of one kind.
type outcomes struct {
	allowed, denied *Request
	undecided       bool
	key             string
	statement       int
}

func (o *outcomes) settled() bool { return o.allowed != nil && o.denied != nil }

func (o *outcomes) add(other outcomes, key string) {
	if o.allowed == nil && o.denied == nil && !o.undecided {
		*o = other
		return
	}
	if other.key != "" {
		key = other.key
	}
	differs := o.allowed == nil && other.allowed != nil || o.denied == nil && other.denied != nil || other.undecided
	if o.key == "" && differs {
		o.key = key
	}
	if o.allowed == nil && other.allowed != nil {
		o.allowed, o.statement = other.allowed, other.statement
	}
	if o.denied == nil {
		o.denied = other.denied
	}
	o.undecided = o.undecided || other.undecided
}

// explore answers a request by cases of its first open key that matters.
func (q *question) explore(r Request) outcomes {
	j := q.doc.judge(&r)
	switch j.truth {
	case yes:
		return outcomes{allowed: &r, statement: j.statement}
	case no:
		return outcomes{denied: &r, statement: j.statement}
	case maybe:
	}
	key, ok := q.next(&r, j.open)
	if q.left--; q.left < 0 || !ok {
		return outcomes{undecided: true, key: j.open[0].Key, statement: j.statement}
	}
	var out outcomes
	for _, c := range q.doc.choices(strings.ToLower(key), &r) {
		out.add(q.explore(r.choose(key, c)), key)
		if out.settled() {
			break
		}
	}
	return out
}

// next is the first key that can be tried: open, and in a condition whose
// variables have values.
func (q *question) next(r *Request, open []*Condition) (string, bool) {
	for _, c := range open {
		s := r.get(strings.ToLower(c.Key))
		if s.open && !s.sealed {
			return c.Key, true
		}
	}
	return "", false
}

// choose gives an open key one of its choices.
func (r Request) choose(key string, c choice) Request {
	if c.sealed {
		return r.set(key, setting{open: true, sealed: true})
	}
	return r.set(key, setting{values: c.values, example: !c.single, tried: true})
}
