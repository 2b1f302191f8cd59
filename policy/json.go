package policy

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is far deeper than any policy: Statement, Condition, operator, key
// and list nest six levels.
const maxDepth = 32

type nodeKind int

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeNumber
	nodeString
	nodeList
	nodeObject
)

func (k nodeKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// node is one JSON value with its place in the text. encoding/json forgets
// where a value stood and lets the last of two equal keys win, so policies are
// read by this small parser instead.
type node struct {
	kind    nodeKind
	at      int    // byte offset of the first character
	end     int    // byte offset after the last one, of an object
	text    string // of a string (decoded), a number or a boolean
	members []member
	items   []*node
}

type member struct {
	key   string
	at    int
	value *node
}

// syntaxError is the first place where the text stops being JSON.
type syntaxError struct {
	at       int
	what     string
	expected string
}

type jsonParser struct {
	text []byte
	at   int
}

// parseJSON reads exactly one JSON value in linear time.
func parseJSON(text []byte) (*node, *syntaxError) {
	p := &jsonParser{text: text}
	if err := p.prologue(); err != nil {
		return nil, err
	}
	root, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if err := p.space(); err != nil {
		return nil, err
	}
	if p.at < len(p.text) {
		return nil, p.fail("text after the end of the document", "nothing after the closing brace")
	}
	return root, nil
}

func (p *jsonParser) prologue() *syntaxError {
	if strings.HasPrefix(string(p.text[:min(3, len(p.text))]), "\ufeff") {
		return p.fail("a byte order mark before the document", "a file saved as UTF-8 without a byte order mark")
	}
	if err := p.space(); err != nil {
		return err
	}
	if p.at == len(p.text) {
		return p.fail("an empty document", "a JSON object with Version and Statement")
	}
	return nil
}

func (p *jsonParser) fail(what, expected string) *syntaxError {
	return &syntaxError{at: p.at, what: what, expected: expected}
}

func (p *jsonParser) failAt(at int, what, expected string) *syntaxError {
	return &syntaxError{at: at, what: what, expected: expected}
}

func (p *jsonParser) space() *syntaxError {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		case '/', '#':
			return p.fail("a comment", "JSON, which has no comments")
		default:
			return nil
		}
	}
	return nil
}

// peek skips white space and returns the next byte, or 0 at the end.
func (p *jsonParser) peek() (byte, *syntaxError) {
	if err := p.space(); err != nil {
		return 0, err
	}
	if p.at == len(p.text) {
		return 0, nil
	}
	return p.text[p.at], nil
}

func (p *jsonParser) value(depth int) (*node, *syntaxError) {
	if depth > maxDepth {
		return nil, p.fail("values nested too deep", fmt.Sprintf("at most %d levels; a policy needs six", maxDepth))
	}
	c, err := p.peek()
	if err != nil {
		return nil, err
	}
	switch {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.list(depth)
	case c == '"':
		at := p.at
		text, err := p.str()
		return &node{kind: nodeString, at: at, text: text}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 0 && p.at >= len(p.text):
		return nil, p.fail("the end of the text in the middle of the document", "a value")
	}
	return p.word()
}

func (p *jsonParser) object(depth int) (*node, *syntaxError) {
	n := &node{kind: nodeObject, at: p.at}
	p.at++
	seen := map[string]bool{}
	for first := true; ; first = false {
		c, err := p.peek()
		if err != nil {
			return nil, err
		}
		if c == '}' && first {
			p.at++
			n.end = p.at
			return n, nil
		}
		if c != '"' {
			return nil, p.fail(badKey(c, p.at >= len(p.text)), "a key in double quotes")
		}
		m := member{at: p.at}
		if m.key, err = p.str(); err != nil {
			return nil, err
		}
		if seen[m.key] {
			return nil, p.failAt(m.at, fmt.Sprintf("the key %q for a second time", m.key), "each key once in one object")
		}
		seen[m.key] = true
		if c, err = p.peek(); err != nil {
			return nil, err
		}
		if c != ':' {
			return nil, p.fail("no colon after the key "+strconv.Quote(m.key), "a colon and a value")
		}
		p.at++
		if m.value, err = p.value(depth + 1); err != nil {
			return nil, err
		}
		n.members = append(n.members, m)
		done, err := p.next('}')
		if err != nil || done {
			n.end = p.at
			return n, err
		}
	}
}

func badKey(c byte, end bool) string {
	switch {
	case end:
		return "the end of the text inside an object"
	case c == '\'':
		return "a key in single quotes"
	case c == '}':
		return "a comma before the closing brace"
	}
	return "something that is not a key"
}

func (p *jsonParser) list(depth int) (*node, *syntaxError) {
	n := &node{kind: nodeList, at: p.at}
	p.at++
	c, err := p.peek()
	if err != nil {
		return nil, err
	}
	if c == ']' {
		p.at++
		return n, nil
	}
	for {
		c, err := p.peek()
		if err != nil {
			return nil, err
		}
		if c == ']' {
			return nil, p.fail("a comma before the closing bracket", "a value after each comma")
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
		done, err := p.next(']')
		if err != nil || done {
			return n, err
		}
	}
}

// next reads the comma or the closing character after a member or an item.
func (p *jsonParser) next(closing byte) (done bool, err *syntaxError) {
	c, err := p.peek()
	if err != nil {
		return false, err
	}
	switch {
	case c == closing:
		p.at++
		return true, nil
	case c == ',':
		p.at++
		return false, nil
	case p.at >= len(p.text):
		return false, p.fail("the end of the text before the closing "+string(closing), "a comma or "+string(closing))
	}
	return false, p.fail("no comma between two values", "a comma or "+string(closing))
}

func (p *jsonParser) word() (*node, *syntaxError) {
	for word, kind := range map[string]nodeKind{"true": nodeBool, "false": nodeBool, "null": nodeNull} {
		if strings.HasPrefix(string(p.text[p.at:min(p.at+5, len(p.text))]), word) {
			n := &node{kind: kind, at: p.at, text: word}
			p.at += len(word)
			return n, nil
		}
	}
	if p.text[p.at] == '\'' {
		return nil, p.fail("a value in single quotes", "double quotes")
	}
	return nil, p.fail("something that is not JSON", "a string in double quotes, a list or an object")
}

func (p *jsonParser) number() (*node, *syntaxError) {
	start := p.at
	p.take('-')
	switch {
	case p.take('0'):
	case p.digits() == 0:
		return nil, p.failAt(start, "an incomplete number", "digits")
	}
	if p.take('.') && p.digits() == 0 {
		return nil, p.failAt(start, "an incomplete number", "digits after the point")
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if p.digits() == 0 {
			return nil, p.failAt(start, "an incomplete number", "digits in the exponent")
		}
	}
	return &node{kind: nodeNumber, at: start, text: string(p.text[start:p.at])}, nil
}

func (p *jsonParser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) digits() int {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}

// str reads a string whose opening quote is next.
func (p *jsonParser) str() (string, *syntaxError) {
	start := p.at
	p.at++
	plain := p.at
	for p.at < len(p.text) && p.text[p.at] >= ' ' && p.text[p.at] < utf8.RuneSelf && p.text[p.at] != '"' && p.text[p.at] != '\\' {
		p.at++
	}
	if p.at < len(p.text) && p.text[p.at] == '"' {
		p.at++
		return string(p.text[plain : p.at-1]), nil
	}
	var b strings.Builder
	b.Write(p.text[plain:p.at])
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '"':
			p.at++
			return b.String(), nil
		case c == '\\':
			if err := p.escape(&b); err != nil {
				return "", err
			}
		case c < ' ':
			return "", p.fail("a line break or control character inside a string", `the closing quote, or an escape such as \n`)
		default:
			r, size := utf8.DecodeRune(p.text[p.at:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail("a byte that is not UTF-8", "text saved as UTF-8")
			}
			b.WriteRune(r)
			p.at += size
		}
	}
	return "", p.failAt(start, "a string without its closing quote", "a double quote at its end")
}

func (p *jsonParser) escape(b *strings.Builder) *syntaxError {
	if p.at+1 >= len(p.text) {
		return p.fail("the end of the text inside a string", "a double quote")
	}
	c := p.text[p.at+1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		p.at += 2
		return nil
	}
	if c != 'u' {
		return p.fail("an unknown escape in a string", `one of \" \\ \/ \b \f \n \r \t \u0000`)
	}
	r, ok := p.hex(p.at)
	if !ok {
		return p.fail("an incomplete escape in a string", `\u and four hexadecimal digits`)
	}
	p.at += 6
	if r < 0xd800 || r > 0xdfff {
		b.WriteRune(r)
		return nil
	}
	low, ok := p.hex(p.at)
	if r > 0xdbff || !ok || low < 0xdc00 || low > 0xdfff {
		p.at -= 6
		return p.fail("half of a surrogate pair in a string", `a pair such as \ud83d\ude00`)
	}
	b.WriteRune((r-0xd800)<<10 + (low - 0xdc00) + 0x10000)
	p.at += 6
	return nil
}

// hex reads the escape \uXXXX at an offset.
func (p *jsonParser) hex(at int) (rune, bool) {
	if at+6 > len(p.text) || p.text[at] != '\\' || p.text[at+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(p.text[at+2:at+6]), 16, 32)
	return rune(v), err == nil //nolint:gosec // sixteen bits fit
}
