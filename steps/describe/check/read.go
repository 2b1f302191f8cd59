package check

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"rolecall/assets"
	"rolecall/steps/describe"
)

// Read decodes a description strictly and checks it whole. The file is its
// name in messages. The error is Mistakes: every one that was found, each with
// its place.
func (l Library) Read(text []byte, file string) (*describe.Vendor, error) {
	return l.read(text, file, false)
}

// ReadForeign is Read for a description that did not come with the program: it
// gets no more trust than its content, so that it cannot name an API to which
// rolecall would take a token, nor call itself like a vendor of the program. A
// copy of a description of the program, to the byte, is what it is.
func (l Library) ReadForeign(text []byte, file string) (*describe.Vendor, error) {
	return l.read(text, file, !isCopy(text))
}

func isCopy(text []byte) bool {
	return slices.ContainsFunc(assets.Vendors(), func(name string) bool {
		own, err := assets.Vendor(name)
		return err == nil && bytes.Equal(own, text)
	})
}

func (l Library) read(text []byte, file string, foreign bool) (*describe.Vendor, error) {
	r := &reader{library: l, file: describe.Clean(file), foreign: foreign, places: map[string]place{}, compiled: map[string]*regexp.Regexp{}}
	v := &describe.Vendor{}
	if body := r.parse(text); body != nil {
		r.decode("", body, reflect.ValueOf(v).Elem())
		r.check(v)
	}
	if len(r.mistakes) == 0 {
		if foreign {
			v.File = filepath.Base(r.file)
		}
		return v, nil
	}
	slices.SortStableFunc(r.mistakes, func(a, b describe.Mistake) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return nil, r.mistakes
}

// reader collects the mistakes, and where each value stands. A path is written
// like "roles[0].why.OpsWorks"; the description itself is "".
type reader struct {
	library  Library
	file     string
	foreign  bool
	places   map[string]place
	mistakes describe.Mistakes
	compiled map[string]*regexp.Regexp
}

type place struct {
	line, column int
	block        bool // a block of text that begins on the next line
	indent       int  // by how much that text is indented
}

func (r *reader) wrong(path, what, expected, next string) {
	at := r.places[path]
	r.wrongAt(at.line, at.column, what, expected, next)
}

// maxMistakes bounds what one reading reports.
const maxMistakes = 100

func (r *reader) wrongAt(line, column int, what, expected, next string) {
	if len(r.mistakes) >= maxMistakes {
		return
	}
	r.mistakes = append(r.mistakes, describe.Mistake{File: r.file, Line: line, Column: column, What: what, Expected: expected, Next: next})
}

// parse gives the one document's body, or nil with the reason noted.
func (r *reader) parse(text []byte) (body ast.Node) {
	text, ok := r.bounded(text)
	if !ok {
		return nil
	}
	if !utf8.Valid(text) {
		r.wrongAt(lineOfInvalid(text), 1, "The file is not UTF-8 text.", "YAML in UTF-8", "Save the file as UTF-8.")
		return nil
	}
	// The YAML library has panicked on odd input before; a stranger's file must
	// not end the program.
	defer func() {
		if p := recover(); p != nil {
			body = nil
			r.wrongAt(1, 1, "The file is no YAML that rolecall can read.", "a YAML mapping", "Check its indentation and quotes.")
		}
	}()
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil
	}
	docs := slices.DeleteFunc(slices.Clone(file.Docs), func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch len(docs) {
	case 0:
		r.wrongAt(1, 1, "The file is empty.", "a vendor's description", "See rolecall vendors schema for its keys.")
		return nil
	case 1:
		return docs[0].Body
	}
	at := placeOf(docs[1].Body)
	r.wrongAt(
		at.line,
		at.column,
		"The file holds more than one document.",
		"one description in a file",
		"Put the second one in a file of its own.",
	)
	return nil
}

func lineOfInvalid(text []byte) int {
	line := 1
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		if c == utf8.RuneError && n == 1 {
			return line
		}
		if c == '\n' {
			line++
		}
		text = text[n:]
	}
	return line
}

func (r *reader) syntax(err error) {
	what, line, column := "The file is not well-formed YAML.", 1, 1
	var detailed yaml.Error
	if errors.As(err, &detailed) {
		what = "This is not well-formed YAML: " + describe.Clean(detailed.GetMessage()) + "."
		if t := detailed.GetToken(); t != nil && t.Position != nil {
			line, column = t.Position.Line, t.Position.Column
		}
	}
	r.wrongAt(line, column, what, "YAML indented with spaces", "Check the indentation and the quotes on this line and the one before.")
}

// decode sets what is well-formed and notes what is not, so that one reading
// finds every mistake. Numbers are not taken for text: an account ID without
// quotes would lose its leading zero.
func (r *reader) decode(path string, node ast.Node, into reflect.Value) {
	r.places[path] = placeOf(node)
	if _, null := node.(*ast.NullNode); null {
		r.wrong(path, fmt.Sprintf("%s has no value.", label(path)), kindOf(into.Type()), "Give it a value, or remove the key.")
		return
	}
	switch into.Kind() {
	case reflect.String:
		r.text(path, node, into)
	case reflect.Bool:
		if b, ok := node.(*ast.BoolNode); ok {
			into.SetBool(b.Value)
			return
		}
		r.mismatch(path, node, into)
	case reflect.Int:
		r.number(path, node, into)
	case reflect.Slice:
		r.list(path, node, into)
	case reflect.Struct, reflect.Map:
		r.mapping(path, node, into)
	}
}

func (r *reader) number(path string, node ast.Node, into reflect.Value) {
	if n, ok := node.(*ast.IntegerNode); ok {
		if value, err := strconv.Atoi(n.GetToken().Value); err == nil {
			into.SetInt(int64(value))
			return
		}
	}
	r.mismatch(path, node, into)
}

func (r *reader) mismatch(path string, node ast.Node, into reflect.Value) {
	if shorthand := shorthandOf(node); shorthand != "" {
		r.wrong(
			path,
			fmt.Sprintf("%s is written with %s, which rolecall does not follow.", label(path), shorthand),
			kindOf(into.Type()),
			"Write the value out where it stands.",
		)
		return
	}
	r.wrong(path, fmt.Sprintf("%s is of the wrong kind.", label(path)), kindOf(into.Type()), "Write it as in the built-in descriptions.")
}

// shorthandOf names what YAML has to say something in another place, or as
// another type; empty for a plain value.
func shorthandOf(node ast.Node) string {
	switch node.(type) {
	case *ast.AnchorNode:
		return "an anchor (&)"
	case *ast.AliasNode:
		return "an alias (*)"
	case *ast.TagNode:
		return "a tag (!)"
	}
	return ""
}

func (r *reader) text(path string, node ast.Node, into reflect.Value) {
	var value string
	switch node := node.(type) {
	case *ast.StringNode:
		value = node.Value
	case *ast.LiteralNode:
		value = node.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		r.wrong(path, fmt.Sprintf("%s is %s without quotes.", label(path), describe.Clean(node.GetToken().Value)), "text",
			"Put it in quotes, so that no digit is lost.")
		into.SetString(node.GetToken().Value) // it is there: nothing else is to miss it
		return
	default:
		r.mismatch(path, node, into)
		return
	}
	if c, bad := unprintable(value, r.places[path].block); bad {
		r.wrong(path, fmt.Sprintf("%s holds the invisible character %U.", label(path), c), "plain text", "Remove it.")
		return
	}
	into.SetString(value)
}

// unprintable finds a character that a terminal would obey rather than show.
// A block of text may have lines.
func unprintable(s string, block bool) (rune, bool) {
	for _, c := range s {
		if !unicode.IsPrint(c) && (!block || c != '\n' && c != '\t') {
			return c, true
		}
	}
	return 0, false
}

func (r *reader) list(path string, node ast.Node, into reflect.Value) {
	seq, ok := node.(*ast.SequenceNode)
	if !ok {
		r.mismatch(path, node, into)
		return
	}
	items := reflect.MakeSlice(into.Type(), len(seq.Values), len(seq.Values))
	for i, value := range seq.Values {
		r.decode(fmt.Sprintf("%s[%d]", path, i), value, items.Index(i))
	}
	into.Set(items)
}

func (r *reader) mapping(path string, node ast.Node, into reflect.Value) {
	m, ok := node.(*ast.MappingNode)
	if !ok {
		r.mismatch(path, node, into)
		return
	}
	if into.Kind() == reflect.Map {
		into.Set(reflect.MakeMap(into.Type()))
	}
	seen := map[string]bool{}
	for _, pair := range m.Values {
		key, ok := r.key(pair)
		if !ok {
			continue
		}
		below := strings.TrimPrefix(path+"."+key, ".")
		r.places[below+"#key"] = placeOf(pair.Key)
		if seen[key] {
			r.wrong(below+"#key", fmt.Sprintf("The key %q stands here twice.", key), "each key once", "Remove one of them.")
			continue
		}
		seen[key] = true
		r.pair(path, below, key, pair.Value, into)
	}
}

func (r *reader) key(pair *ast.MappingValueNode) (string, bool) {
	if s, ok := pair.Key.(*ast.StringNode); ok && len(s.Value) <= maxKey {
		if _, bad := unprintable(s.Value, false); !bad {
			return s.Value, true
		}
	}
	at := placeOf(pair.Key)
	if _, merge := pair.Key.(*ast.MergeKeyNode); merge {
		r.wrongAt(
			at.line,
			at.column,
			"This is not a plain key: rolecall follows no merge (<<).",
			"a word, then a colon",
			"Write the keys out here.",
		)
		return "", false
	}
	r.wrongAt(at.line, at.column, "This is not a plain key.", "a word, then a colon", "Write the key as in the built-in descriptions.")
	return "", false
}

func (r *reader) pair(path, below, key string, value ast.Node, into reflect.Value) {
	if into.Kind() == reflect.Map {
		item := reflect.New(into.Type().Elem()).Elem()
		r.decode(below, value, item)
		into.SetMapIndex(reflect.ValueOf(key), item)
		return
	}
	known := keysOf(into.Type())
	if i := slices.Index(known, key); i >= 0 && key != notAKey {
		r.decode(below, value, into.Field(i))
		return
	}
	known = slices.DeleteFunc(known, func(k string) bool { return k == notAKey })
	r.wrong(below+"#key", fmt.Sprintf("The key %q is unknown in %s.", key, label(path)), strings.Join(known, ", "),
		describe.DidYouMean(key, known)+"Correct or remove it.")
}

// maxKey bounds a key, in bytes: it stands in messages.
const maxKey = 200

// notAKey tags a field that no file sets.
const notAKey = "-"

// keysOf are the YAML keys of a struct, in the order of its fields.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("yaml")
	}
	return keys
}

func placeOf(node ast.Node) place {
	token := node.GetToken()
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		token = m.Values[0].Key.GetToken()
	}
	if token == nil || token.Position == nil {
		return place{line: 1, column: 1}
	}
	at := place{line: token.Position.Line, column: token.Position.Column}
	if literal, ok := node.(*ast.LiteralNode); ok {
		at.block = true
		at.indent = indentOf(literal.Value.GetToken().Origin)
	}
	return at
}

// indentOf counts the spaces before a block's first line with text.
func indentOf(block string) int {
	for line := range strings.Lines(block) {
		if text := strings.TrimLeft(line, " "); strings.TrimSpace(text) != "" {
			return len(line) - len(text)
		}
	}
	return 0
}

// label names a value for a person: its path in the file.
func label(path string) string {
	if path == "" {
		return "the description"
	}
	return path
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "keys with values"
	}
	return "text"
}
