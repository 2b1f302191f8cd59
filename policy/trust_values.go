package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// choice is one thing that an open key may be.
type choice struct {
	values []string // nil: absent
	single bool     // it stands for itself alone
	sealed bool     // no value in particular: every condition on it may hold
}

// choices lists what an open key may be, so that the document cannot tell
// apart what is left out from what is listed: one of every class of values that
// its conditions on the key distinguish, and absence. extra are values that
// are to be told apart too.
func (d *Document) choices(key string, r *Request, extra ...string) []choice {
	s := r.get(key)
	if s.among != nil {
		out := make([]choice, len(s.among))
		for i, values := range s.among {
			out[i] = choice{values: values, single: true}
		}
		return out
	}
	kind := keyKindOf(key, r)
	if s.excluded != nil {
		kind.always, kind.excluded = s.always, s.excluded
	}
	values, complete := d.remembered(key, kind, r, extra)
	var out []choice
	if !kind.always {
		out = append(out, choice{single: true})
	}
	if kind.list {
		lists, all := subsets(values)
		out, complete = append(out, lists...), complete && all
	} else {
		for _, v := range values {
			out = append(out, choice{values: []string{v.example}, single: v.single})
		}
	}
	if !complete {
		out = append(out, choice{sealed: true})
	}
	return out
}

// maxSubsets bounds the values of a key that has several at a time.
const maxSubsets = 5

// subsets are the lists of values that a key may have, whatever their order.
func subsets(values []class) ([]choice, bool) {
	complete := len(values) <= maxSubsets
	values = values[:min(len(values), maxSubsets)]
	var out []choice
	for mask := 1; mask < 1<<len(values); mask++ {
		var list []string
		for i, v := range values {
			if mask&(1<<i) != 0 {
				list = append(list, v.example)
			}
		}
		out = append(out, choice{values: list})
	}
	return out, complete
}

// remembered is values, looked up where the answer is the same for every
// request: no variable and no exclusion is in play.
func (d *Document) remembered(key string, kind keyKind, r *Request, extra []string) ([]class, bool) {
	if r.memo == nil || kind.excluded != nil || d.filled(key) {
		return d.values(key, kind, r, extra)
	}
	name := key + "\x00" + strings.Join(extra, "\x00")
	if known, ok := r.memo[name]; ok {
		return known.values, known.complete
	}
	values, complete := d.values(key, kind, r, extra)
	r.memo[name] = found{values, complete}
	return values, complete
}

// filled reports whether a condition on a key has a policy variable.
func (d *Document) filled(key string) bool {
	for i := range d.Statements {
		for j := range d.Statements[i].Condition {
			c := &d.Statements[i].Condition[j]
			if strings.EqualFold(c.Key, key) && slices.ContainsFunc(c.Values, func(v string) bool { return strings.Contains(v, "${") }) {
				return true
			}
		}
	}
	return false
}

// values lists the classes of a key's values, and whether they are all.
func (d *Document) values(key string, kind keyKind, r *Request, extra []string) ([]class, bool) {
	if kind.fixed != nil {
		return classesOf(kind.fixed), true
	}
	families := map[family][]string{}
	var tests []pattern
	for i := range d.Statements {
		for j := range d.Statements[i].Condition {
			c := &d.Statements[i].Condition[j]
			operator, _, _ := c.Base()
			f := familyOf(operator)
			if !strings.EqualFold(c.Key, key) || f == familyNull {
				continue
			}
			families[f] = append(families[f], c.Values...)
			if f == familyText {
				tests = append(tests, d.patterns(c, operator, r)...)
			}
		}
	}
	for _, v := range extra {
		tests = append(tests, pattern{}.letters(v))
	}
	var out []class
	complete := len(families) < 2
	for f, values := range families {
		switch f {
		case familyNumber:
			out = append(out, classesOf(aroundNumbers(values, parseNumber, kind, formatNumber))...)
		case familyDate:
			out = append(out, classesOf(aroundNumbers(values, parseDate, kind, kind.format()))...)
		case familyAddress:
			out = append(out, classesOf(aroundAddresses(values))...)
		}
	}
	if _, text := families[familyText]; text || len(extra) > 0 || len(families) != 1 {
		if kind.domains == nil { // an empty value is like none to some operators
			tests = append(tests, pattern{})
		}
		texts, all := splitter{tests: uniquePatterns(tests), domains: kind.domains, excluded: kind.excluded}.split()
		out, complete = append(out, texts...), complete && all
	}
	return out, complete
}

func classesOf(values []string) []class {
	out := make([]class, len(values))
	for i, v := range values {
		out[i] = class{example: v}
	}
	return out
}

// patterns are the values of a condition as patterns of the texts that meet
// them, or that might where a value's variables are open.
func (d *Document) patterns(c *Condition, operator string, r *Request) []pattern {
	var out []pattern
	for _, o := range d.operands(c, operator, r) {
		base := strings.Replace(operator, "Not", "", 1)
		switch {
		case o.unset:
			continue
		case o.open:
			out = append(out, o.might(base))
			continue
		}
		switch base {
		case "StringEquals", "BinaryEquals":
			out = append(out, pattern{}.letters(o.text))
		case "StringEqualsIgnoreCase":
			out = append(out, pattern{}.letters(o.text).folded())
		case "Bool":
			if isBool(o.text) {
				out = append(out, pattern{}.letters(o.text).folded())
			}
		case "StringLike":
			out = append(out, o.glob())
		case "ArnEquals", "ArnLike":
			if p, ok := o.arn(); ok {
				out = append(out, p)
			}
			if o.star() {
				out = append(out, anyARN())
			}
		}
	}
	return out
}

// anyARN is a text of six parts.
func anyARN() pattern {
	var p pattern
	for range 5 {
		p = append(p.many(anyByte().without(':')), place{set: bytesOf(":")})
	}
	return p.many(anyByte())
}

func uniquePatterns(all []pattern) []pattern {
	var out []pattern
	for _, p := range all {
		if !slices.ContainsFunc(out, func(q pattern) bool { return slices.Equal(p, q) }) {
			out = append(out, p)
		}
	}
	return out
}

// aroundNumbers lists each number of a document, one on either side and one
// between any two, and a text that is no number.
func aroundNumbers(values []string, parse func(string) (float64, bool), kind keyKind, format func(float64) string) []string {
	var at []float64
	for _, v := range values {
		if n, ok := parse(v); ok {
			at = append(at, n)
		}
	}
	if kind.from != 0 {
		at = append(at, kind.from, kind.until)
	}
	slices.Sort(at)
	at = slices.Compact(at)
	var all []float64
	for i, n := range at {
		if i == 0 {
			all = append(all, n-1)
		} else {
			all = append(all, at[i-1]+(n-at[i-1])/2)
		}
		all = append(all, n)
	}
	if len(at) == 0 {
		all = append(all, 0)
	} else {
		all = append(all, at[len(at)-1]+1)
	}
	out := make([]string, 0, len(all)+1)
	for _, n := range all {
		if kind.from == 0 || n >= kind.from && n <= kind.until {
			out = append(out, format(n))
		}
	}
	if kind.from == 0 && !kind.always {
		out = append(out, "x")
	}
	return out
}

func formatNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func formatSeconds(n float64) string { return strconv.FormatInt(int64(n), 10) }

func formatDate(n float64) string {
	whole := int64(n)
	return time.Unix(whole, int64((n-float64(whole))*1e9)).UTC().Format("2006-01-02T15:04:05.999999999Z")
}

// aroundAddresses lists one address of every stretch that the ranges of a
// document cut the addresses into.
func aroundAddresses(values []string) []string {
	starts := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	for _, v := range values {
		prefix, ok := parsePrefix(v)
		if !ok {
			continue
		}
		starts = append(starts, prefix.Addr())
		if next := lastOf(prefix).Next(); next.IsValid() {
			starts = append(starts, next)
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	var out []string
	for _, a := range slices.Compact(starts) {
		out = append(out, a.String())
	}
	return out
}

func lastOf(p netip.Prefix) netip.Addr {
	raw := p.Addr().AsSlice()
	for i := p.Bits(); i < p.Addr().BitLen(); i++ {
		raw[i/8] |= 1 << (7 - i%8)
	}
	addr, _ := netip.AddrFromSlice(raw)
	return addr
}

// keyKind is what a condition key can hold.
type keyKind struct {
	always   bool      // it is in every request
	list     bool      // it may have several values at a time
	fixed    []string  // all its values, nil where they are not few
	domains  []pattern // all its texts, nil for any
	excluded []pattern // texts that it does not have
	from     float64   // for a time, from and until when, in seconds since 1970; 0: any
	until    float64
	seconds  bool // a time is given in seconds
}

func (k keyKind) format() func(float64) string {
	if k.seconds {
		return formatSeconds
	}
	return formatDate
}

// horizon is how far ahead a trust policy is judged, in years. A date further
// off than that is as good as none.
const horizon = 10

// keyKindOf knows what AWS puts into a key. Sources: the page of the global
// condition keys, and the patterns of STS's parameters in its API reference.
func keyKindOf(key string, r *Request) keyKind {
	word := bytesOf(alphabet + digits + "_")
	name := union(word, bytesOf("=,.@-+"))
	id := union(name, bytesOf(":/"))
	switch key {
	case "sts:externalid":
		return keyKind{domains: []pattern{pattern{}.times(2, id).many(id)}}
	case "sts:rolesessionname":
		return keyKind{always: true, domains: []pattern{pattern{}.times(2, name).many(name)}}
	case "aws:currenttime", "aws:epochtime":
		k := keyKind{always: true, seconds: key == "aws:epochtime"}
		if !r.now.IsZero() {
			k.from, k.until = float64(r.now.Unix()), float64(r.now.AddDate(horizon, 0, 0).Unix())
		}
		return k
	case "aws:viaawsservice", "aws:principalisawsservice", "aws:securetransport":
		return keyKind{always: true, fixed: []string{"true", "false"}}
	case "aws:multifactorauthpresent":
		return keyKind{fixed: []string{"true", "false"}}
	case "aws:requestedregion":
		return keyKind{always: true}
	}
	return keyKind{list: severalValues(key)}
}

// severalValues are the keys that hold a list.
func severalValues(key string) bool {
	switch key {
	case "aws:tagkeys", "aws:calledvia", "aws:principalorgpaths", "aws:resourceorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths",
		"aws:principalservicenameslist", "sts:transitivetagkeys", "cognito-identity.amazonaws.com:amr", "saml:edupersonaffiliation":
		return true
	}
	return strings.HasSuffix(key, ":amr") || strings.HasPrefix(key, "saml:edu")
}

func union(a, b bytes256) bytes256 {
	for i := range a {
		a[i] |= b[i]
	}
	return a
}
