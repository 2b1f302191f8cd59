package policy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// elementOrder is how statements are written that were not read from a text.
func elementOrder() []string {
	return []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
}

func principalOrder() []string { return []string{"AWS", "Service", "Federated", "CanonicalUser"} }

// Pretty returns the document as shown, copied and saved: two-space indent, no
// HTML escapes, a newline at the end. Characters that the IAM API refuses or
// a terminal obeys are escaped, so the text is printable Latin-1.
func (d *Document) Pretty() string {
	w := &writer{indent: true}
	d.write(w)
	w.b.WriteByte('\n')
	return w.b.String()
}

// Compact returns the document on one line without white space between tokens.
func (d *Document) Compact() string {
	w := &writer{}
	d.write(w)
	return w.b.String()
}

// Characters counts what IAM counts against its quotas: the characters of the
// JSON that are not white space.
func (d *Document) Characters() int { return Characters(d.Compact()) }

// Characters counts the characters of a text that are not white space.
func Characters(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// Size is what a statement adds to a document, in characters that IAM counts,
// with the comma before it.
func (s *Statement) Size() int {
	w := &writer{}
	s.write(w)
	return Characters(w.b.String()) + 1
}

func (d *Document) write(w *writer) {
	w.open('{')
	if d.Version != "" {
		w.key("Version")
		w.str(d.Version)
	}
	if d.ID != "" {
		w.key("Id")
		w.str(d.ID)
	}
	w.key("Statement")
	if d.bare && len(d.Statements) == 1 {
		d.Statements[0].write(w)
		w.close('}')
		return
	}
	w.open('[')
	for i := range d.Statements {
		w.item()
		d.Statements[i].write(w)
	}
	w.close(']')
	w.close('}')
}

func (s *Statement) write(w *writer) {
	w.open('{')
	for _, element := range s.form.order {
		s.element(w, element)
	}
	for _, element := range elementOrder() {
		if !slices.Contains(s.form.order, element) {
			s.element(w, element)
		}
	}
	w.close('}')
}

func (s *Statement) element(w *writer, name string) {
	switch name {
	case "Sid":
		if s.Sid != "" {
			w.key(name)
			w.str(s.Sid)
		}
	case "Effect":
		w.key(name)
		w.str(string(s.Effect))
	case "Principal":
		s.principals(w, name, s.Principal)
	case "NotPrincipal":
		s.principals(w, name, s.NotPrincipal)
	case "Condition":
		s.conditions(w)
	default:
		if values := *s.list(name); len(values) > 0 {
			w.key(name)
			w.values(values, s.form.scalar[name])
		}
	}
}

// list returns the field behind one of the four list elements.
func (s *Statement) list(element string) *[]string {
	switch element {
	case "Action":
		return &s.Action
	case "NotAction":
		return &s.NotAction
	case "Resource":
		return &s.Resource
	}
	return &s.NotResource
}

func (s *Statement) principals(w *writer, name string, p Principals) {
	if p == nil {
		return
	}
	w.key(name)
	if len(p["*"]) > 0 {
		w.str("*")
		return
	}
	w.open('{')
	for _, kind := range p.types() {
		w.key(kind)
		w.values(p[kind], s.form.scalar[name+"."+kind])
	}
	w.close('}')
}

// types lists the kinds of principal in a stable order.
func (p Principals) types() []string {
	var kinds []string
	for _, kind := range principalOrder() {
		if _, ok := p[kind]; ok {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// conditions groups by operator; two groups of one operator cannot stand in
// one JSON object, so the first mention decides the order.
func (s *Statement) conditions(w *writer) {
	if len(s.Condition) == 0 {
		return
	}
	w.key("Condition")
	w.open('{')
	done := map[string]bool{}
	for _, c := range s.Condition {
		if done[c.Operator] {
			continue
		}
		done[c.Operator] = true
		w.key(c.Operator)
		w.open('{')
		for _, same := range s.Condition {
			if same.Operator == c.Operator {
				w.key(same.Key)
				w.values(same.Values, same.scalar)
			}
		}
		w.close('}')
	}
	w.close('}')
}

// writer writes JSON with or without an indent.
type writer struct {
	b      strings.Builder
	indent bool
	depth  int
	empty  bool // nothing was written since the last open
}

func (w *writer) open(c byte) {
	w.b.WriteByte(c)
	w.depth++
	w.empty = true
}

func (w *writer) close(c byte) {
	w.depth--
	if !w.empty {
		w.line()
	}
	w.empty = false
	w.b.WriteByte(c)
}

func (w *writer) line() {
	if !w.indent {
		return
	}
	w.b.WriteByte('\n')
	for range w.depth {
		w.b.WriteString("  ")
	}
}

func (w *writer) item() {
	if !w.empty {
		w.b.WriteByte(',')
	}
	w.empty = false
	w.line()
}

func (w *writer) key(name string) {
	w.item()
	w.str(name)
	w.b.WriteByte(':')
	if w.indent {
		w.b.WriteByte(' ')
	}
}

func (w *writer) values(values []string, scalar bool) {
	if scalar && len(values) == 1 {
		w.str(values[0])
		return
	}
	w.open('[')
	for _, v := range values {
		w.item()
		w.str(v)
	}
	w.close(']')
}

func (w *writer) str(s string) {
	const hex = "0123456789abcdef"
	w.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r >= ' ' && r < 0x7f || r >= 0xa0 && r <= 0xff:
			w.b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			w.escape(hex, 0xd800+r>>10)
			w.escape(hex, 0xdc00+r&0x3ff)
		default:
			w.escape(hex, r)
		}
	}
	w.b.WriteByte('"')
}

func (w *writer) escape(hex string, r rune) {
	w.b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		w.b.WriteByte(hex[r>>shift&0xf])
	}
}

// printable puts a dot in the place of what a terminal obeys or does not show:
// documents are hostile until they are drawn.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) && r != ' ' {
			return '·'
		}
		return r
	}, text)
}
