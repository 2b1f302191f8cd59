package evidence

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// What is taken at most. AWS's largest answers stay far below: a role with all
// its inline policies has about 40,000 bytes, a template 1,048,576.
const (
	maxDepth = 64      // levels of nesting
	maxKept  = 2 << 20 // bytes of one value that is kept
	maxTotal = 32 << 20
	maxKey   = 4 << 10 // bytes of a key
	maxLine  = 64 << 10
	// What one role or user has is far less: 20 managed policies, 10 groups.
	maxListed  = 1000
	maxHolders = 10_000
)

// scanner reads JSON value by value and holds no more of it than what is asked
// for: what is skipped is checked and forgotten.
type scanner struct {
	in   *bufio.Reader
	line int
	kept *bytes.Buffer // where bytes are copied to; nil: nowhere
	over bool          // the value in kept became too large, and the rest was dropped
}

func newScanner(r io.Reader) *scanner {
	return &scanner{in: bufio.NewReaderSize(utf8From(bufio.NewReaderSize(r, 64<<10)), 64<<10), line: 1}
}

// utf8From decodes UTF-16, which PowerShell writes with a byte order mark.
func utf8From(r *bufio.Reader) io.Reader {
	start, _ := r.Peek(2) // a shorter text is none of UTF-16
	switch string(start) {
	case "\xff\xfe":
		return &utf16Reader{r: r, little: true}
	case "\xfe\xff":
		return &utf16Reader{r: r}
	}
	return r
}

// utf16Reader gives UTF-16 as UTF-8.
type utf16Reader struct {
	r       *bufio.Reader
	little  bool
	high    rune // half of a pair that waits for the other
	pending []byte
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.pending) == 0 {
		var two [2]byte
		if _, err := io.ReadFull(u.r, two[:]); err != nil {
			return 0, io.EOF // half a character at the end is nothing
		}
		unit := rune(two[0])<<8 | rune(two[1])
		if u.little {
			unit = rune(two[1])<<8 | rune(two[0])
		}
		switch {
		case u.high != 0:
			unit, u.high = utf16.DecodeRune(u.high, unit), 0
		case unit >= 0xd800 && unit < 0xdc00:
			u.high = unit
			continue
		}
		u.pending = []byte(string(unit))
	}
	n := copy(p, u.pending)
	u.pending = u.pending[n:]
	return n, nil
}

// errEnd is the end of the text where a value has to go on.
var errEnd = errors.New("the text ends in the middle of a document")

func (s *scanner) next() (byte, error) {
	c, err := s.in.ReadByte()
	if errors.Is(err, io.EOF) {
		return 0, s.fail("the text ends in the middle of a document")
	}
	if err != nil {
		return 0, err
	}
	if c == '\n' {
		s.line++
	}
	s.copy(c)
	return c, nil
}

func (s *scanner) copy(c byte) {
	switch {
	case s.kept == nil || s.over:
	case s.kept.Len() >= maxKept:
		s.over = true
	default:
		_ = s.kept.WriteByte(c)
	}
}

// peek is the next byte that is no white space, which stays; 0 at the end.
func (s *scanner) peek() (byte, error) {
	for {
		c, err := s.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		switch c {
		case ' ', '\t', '\r':
		case '\n':
			s.line++
		default:
			return c, s.in.UnreadByte()
		}
	}
}

// syntaxError is a place where the text stops being JSON.
type syntaxError struct {
	line int
	what string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.what) }

func (s *scanner) fail(format string, args ...any) error {
	return &syntaxError{s.line, fmt.Sprintf(format, args...)}
}

func (s *scanner) expect(want byte) error {
	if _, err := s.peek(); err != nil {
		return err
	}
	c, err := s.next()
	if err != nil {
		return err
	}
	if c != want {
		return s.fail("%q where %q should be", c, want)
	}
	return nil
}

// object reads an object and calls member for each key; member has to read the
// value. A key that comes twice is refused: it says two things.
func (s *scanner) object(member func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	return s.items('}', func() error {
		key, err := s.key()
		if err != nil {
			return err
		}
		if len(seen) > 10_000 {
			return s.fail("an object with more than 10,000 keys")
		}
		if seen[key] {
			return s.fail("the key %q for a second time in one object", clean(key))
		}
		seen[key] = true
		return member(key)
	})
}

// array reads a list and calls item for each value, which item has to read.
func (s *scanner) array(item func() error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	return s.items(']', item)
}

func (s *scanner) items(closing byte, item func() error) error {
	for first := true; ; first = false {
		c, err := s.peek()
		if err != nil {
			return err
		}
		switch {
		case c == closing && first:
			_, err := s.next()
			return err
		case !first && c != ',' && c != closing:
			_, _ = s.next() // counts the end of the text as such
			if c == 0 {
				return s.fail("%s", errEnd)
			}
			return s.fail("no comma between two values")
		case !first:
			if c, err = s.next(); err != nil || c == closing {
				return err
			}
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// key reads a key and the colon behind it.
func (s *scanner) key() (string, error) {
	c, err := s.peek()
	if err != nil {
		return "", err
	}
	if c != '"' {
		return "", s.fail("no key in double quotes")
	}
	outer := s.kept
	s.kept = &bytes.Buffer{}
	err = s.str(maxKey)
	text := s.kept.Bytes()
	if s.kept = outer; outer != nil && !s.over {
		_, _ = outer.Write(text)
	}
	if err != nil {
		return "", err
	}
	key, ok := unquote(text)
	if !ok {
		return "", s.fail("a key that is no string of JSON")
	}
	return key, s.expect(':')
}

// str reads a string, of limit bytes at most; 0: of any length.
func (s *scanner) str(limit int) error {
	if _, err := s.next(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		c, err := s.next()
		switch {
		case err != nil:
			return err
		case c == '"':
			return nil
		case c == '\n' || c == '\r':
			return s.fail("a line break inside a string; a window that is too narrow breaks long lines when they are copied")
		case c < ' ':
			return s.fail("a control character inside a string")
		case limit > 0 && n > limit:
			return s.fail("a key of more than %d bytes", limit)
		case c == '\\':
			if _, err := s.next(); err != nil {
				return err
			}
		}
	}
}

// skip reads a value of any kind.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return s.fail("values nested deeper than %d levels", maxDepth)
	}
	c, err := s.peek()
	if err != nil {
		return err
	}
	switch c {
	case '{':
		return s.skipObject(depth)
	case '[':
		return s.array(func() error { return s.skip(depth + 1) })
	case '"':
		return s.str(0)
	case 0:
		return s.fail("%s", errEnd)
	}
	return s.word()
}

// skipObject is object without an eye on keys that come twice: what is kept is
// looked at when it is parsed.
func (s *scanner) skipObject(depth int) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	return s.items('}', func() error {
		if c, err := s.peek(); err != nil || c != '"' {
			return orElse(err, s.fail("no key in double quotes"))
		}
		if err := s.str(0); err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return s.skip(depth + 1)
	})
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// word reads a number, true, false or null.
func (s *scanner) word() error {
	var b strings.Builder
	for b.Len() < 64 {
		c, err := s.in.ReadByte()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || strings.IndexByte(" \t\r\n,]}:\"{[", c) >= 0 {
			if err == nil {
				err = s.in.UnreadByte()
			} else {
				err = nil
			}
			if !isWord(b.String()) {
				return s.fail("%q, which is no value of JSON", clean(b.String()))
			}
			return err
		}
		s.copy(c)
		b.WriteByte(c)
	}
	return s.fail("%q…, which is no value of JSON", clean(b.String()))
}

func isWord(text string) bool {
	switch text {
	case "true", "false", "null":
		return true
	}
	digits := strings.TrimLeft(text, "-+.eE0123456789")
	return digits == "" && strings.ContainsAny(text, "0123456789")
}

// raw reads a value and returns its text; false when it is larger than maxKept,
// and then it was read and forgotten.
func (s *scanner) raw() ([]byte, bool, error) {
	if _, err := s.peek(); err != nil {
		return nil, false, err
	}
	s.kept, s.over = &bytes.Buffer{}, false
	err := s.skip(0)
	text, over := s.kept.Bytes(), s.over
	s.kept, s.over = nil, false
	return text, !over, err
}

// textLine reads to the end of the line.
func (s *scanner) textLine() (string, error) {
	var b strings.Builder
	for {
		c, err := s.in.ReadByte()
		if errors.Is(err, io.EOF) || err == nil && c == '\n' {
			s.line++
			return strings.TrimRight(b.String(), "\r"), nil
		}
		if err != nil {
			return "", err
		}
		if b.Len() >= maxLine {
			return "", s.fail("a line of more than %d bytes outside of a document", maxLine)
		}
		b.WriteByte(c)
	}
}
