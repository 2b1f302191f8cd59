package evidence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// node is one JSON value that was kept.
type node struct {
	kind byte   // '{', '[', '"', or 'w' for a number, a boolean and null
	text string // of a string (decoded) or a word
	raw  []byte // as it was written, of a document, a string or a word
	keys []string
	list []*node // the values of keys, or of a list
}

// parse reads the value of a key, which a scanner found to be whole. Keys that come twice
// are refused, save inside policy documents, whose own reader says it better.
func parse(key string, raw []byte, line int) (*node, error) {
	s := &scanner{in: bufio.NewReader(bytes.NewReader(raw)), line: line}
	return s.node(key)
}

// node reads the value of a key.
func (s *scanner) node(key string) (*node, error) {
	c, err := s.peek()
	if err != nil {
		return nil, err
	}
	n := &node{kind: c}
	switch {
	case c == '{' && !isDocument(key):
		return n, s.object(func(key string) error {
			n.keys = append(n.keys, key)
			return n.add(s, key)
		})
	case c == '[':
		return n, s.array(func() error { return n.add(s, "") })
	}
	if n.raw, _, err = s.raw(); err != nil || c == '{' {
		return n, err
	}
	if c != '"' {
		n.kind, n.text = 'w', string(n.raw)
		return n, nil
	}
	text, ok := unquote(n.raw)
	if n.text = text; !ok {
		return nil, s.fail("a string that JSON does not know")
	}
	return n, nil
}

func (n *node) add(s *scanner, key string) error {
	value, err := s.node(key)
	n.list = append(n.list, value)
	return err
}

// isDocument tells the members that hold a policy document.
func isDocument(key string) bool {
	return key == "PolicyDocument" || key == "AssumeRolePolicyDocument" || key == "Document"
}

// unquote decodes a string of JSON.
func unquote(raw []byte) (string, bool) {
	var text string
	if !utf8.Valid(raw) || json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	return text, true
}

// get is the member of that name, nil where there is none.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for i, k := range n.keys {
		if k == key {
			return n.list[i]
		}
	}
	return nil
}

// has tells whether there is such a member with a value.
func (n *node) has(key string) bool {
	v := n.get(key)
	return v != nil && (v.kind != 'w' || v.text != "null")
}

// str is the text of a member that is a string, clean and in one line.
func (n *node) str(key string) string {
	v := n.get(key)
	if v == nil || v.kind != '"' {
		return ""
	}
	return clean(v.text)
}

// isTrue tells whether a member is true.
func (n *node) isTrue(key string) bool {
	v := n.get(key)
	return v != nil && v.text == "true"
}

// items are the values of a member that is a list.
func (n *node) items(key string) []*node {
	v := n.get(key)
	if v == nil || v.kind != '[' {
		return nil
	}
	return v.list
}

// document is the text of a policy document: an object, or a string that holds
// one, percent-encoded or not.
func (n *node) document(key string) string {
	v := n.get(key)
	switch {
	case v == nil:
		return ""
	case v.kind == '{':
		return string(v.raw)
	case v.kind == '"':
		return strings.TrimPrefix(v.text, "\ufeff")
	}
	return ""
}
