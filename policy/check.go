package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Refusal is one reason why AWS does not take a document.
type Refusal struct {
	ID       string // of the rule: json, element, missing, both, type, effect, version, sid, sid-twice, …
	Category string // invalid-json, missing-element, unknown-action, bad-resource, bad-condition, …
	What     string // what was found, as a noun phrase
	Expected string // what would be right
	AWS      string // the sentence AWS answers with, as far as it is known
	Line     int    // from 1
	Column   int    // from 1, in characters
	Near     string // the offending text, at most 60 characters, without line breaks

	Statement int // index of the statement from 0, -1 outside of one
	order     int // AWS reports one refusal only; the lowest order is that one
}

// Error says where, what and what instead.
func (r *Refusal) Error() string {
	return fmt.Sprintf("line %d, column %d: %s; expected %s", r.Line, r.Column, r.What, r.Expected)
}

// The sentences IAM answers a MalformedPolicyDocument with. Sources: moto's
// transcript of CreatePolicy (moto/iam/policy_validation.py) and public issues.
const (
	awsSyntax     = "Syntax errors in policy."
	awsVersion    = "Policy document must be version 2012-10-17 or greater."
	awsLegacy     = "The policy failed legacy parsing"
	awsSidTwice   = "Statement IDs (SID) in a single policy must be unique."
	awsSid        = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	awsNoAction   = "Policy statement must contain actions."
	awsNoResource = "Policy statement must contain resources."
	awsVendor     = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	awsColon      = "Actions/Condition can contain only one colon."
	awsQualified  = "Resource vendor must be fully qualified and cannot contain regexes."
	awsPrincipal  = "Policy document should not specify a principal."
	awsTrustField = "Has prohibited field Resource."
	awsTrustOnly  = "AssumeRole policy may only specify STS AssumeRole actions."
	awsNoPrinc    = "Missing required field Principal cannot be empty!"
	awsTooLong    = "Value at 'policyDocument' failed to satisfy constraint: Member must have length less than or equal to 131072"
	awsCharset    = `The specified value for policyDocument is invalid. It must contain only printable ASCII characters ranging from the space character (\u0020) through the end of the ASCII character range`
	awsTrustSize  = "Cannot exceed quota for ACLSizePerRole: 8192"
)

// The order in which IAM looks, from its transcript.
const (
	orderSyntax = iota
	orderVersion
	orderLegacy
	orderSidTwice
	orderNoAction
	orderResource
	orderAction
	orderTrust
	orderNoResource
	orderOther
)

// Parse reads a document that AWS would take. Otherwise the error is the
// *Refusal that AWS would answer with first.
//
// Sizes are not judged, since they depend on what the document is for, save
// two that no quota lifts: the API's own 131,072 characters and 8,192 for a
// trust policy.
func Parse(text []byte, kind Kind) (*Document, error) {
	d, refusals := Check(text, kind)
	if len(refusals) > 0 {
		return nil, &refusals[0]
	}
	return d, nil
}

// Check reads a document and lists every refusal, the one AWS would answer
// with first. The document is nil only where the text is no policy at all; with
// refusals it holds whatever could be read.
func Check(text []byte, kind Kind) (*Document, []Refusal) {
	c := &checker{text: text, kind: kind, statement: -1, bad: map[int]bool{}}
	if len(text) > MaxDocumentBytes && utf8.RuneCount(text) > MaxDocumentBytes {
		c.refuse(0, Refusal{ID: "size", Category: "size", order: orderSyntax, AWS: awsTooLong,
			What:     fmt.Sprintf("a document of %d characters", utf8.RuneCount(text)),
			Expected: fmt.Sprintf("at most %d characters, white space included", MaxDocumentBytes)})
		return nil, c.refusals
	}
	root, err := parseJSON(text)
	if err != nil {
		c.refuse(err.at, Refusal{ID: "json", Category: "invalid-json", What: err.what, Expected: err.expected,
			AWS: awsSyntax, order: orderSyntax})
		return nil, c.refusals
	}
	d := c.document(root)
	c.charset()
	c.sort()
	return d, c.refusals
}

// checkNode checks a document that stands inside of another text.
func checkNode(text []byte, root *node, kind Kind) (*Document, []Refusal) {
	c := &checker{text: text, kind: kind, statement: -1, bad: map[int]bool{}}
	d := c.document(root)
	c.sort()
	return d, c.refusals
}

func (c *checker) sort() {
	slices.SortStableFunc(c.refusals, func(a, b Refusal) int { return cmp.Compare(a.order, b.order) })
}

// checker builds a document from JSON and notes what AWS would refuse.
type checker struct {
	text      []byte
	kind      Kind
	lines     []int        // offsets at which lines start
	tails     []int        // offsets of the bytes that continue a character
	bad       map[int]bool // offsets of what was refused
	statement int
	refusals  []Refusal
}

func (c *checker) refuse(at int, r Refusal) {
	pos := c.pos(at)
	r.Line, r.Column, r.Near, r.Statement = pos.Line, pos.Column, c.near(at), c.statement
	r.AWS = printable(r.AWS)
	c.refusals = append(c.refusals, r)
	c.bad[at] = true
}

// pos turns a byte offset into line and column, without reading the line
// again: a document on one line may hold ten thousand values.
func (c *checker) pos(at int) Pos {
	if c.lines == nil {
		c.lines = []int{0}
		for i, b := range c.text {
			switch {
			case b == '\n':
				c.lines = append(c.lines, i+1)
			case b&0xc0 == 0x80:
				c.tails = append(c.tails, i)
			}
		}
	}
	line, found := slices.BinarySearch(c.lines, at)
	if !found {
		line--
	}
	start := c.lines[line]
	before, _ := slices.BinarySearch(c.tails, start)
	until, _ := slices.BinarySearch(c.tails, at)
	return Pos{Line: line + 1, Column: at - start - (until - before) + 1}
}

// near quotes the text at an offset, to the end of its line.
func (c *checker) near(at int) string {
	rest, _, _ := strings.Cut(string(c.text[at:min(len(c.text), at+240)]), "\n")
	out := []rune(strings.TrimSuffix(rest, "\r"))
	return strings.TrimSpace(printable(string(out[:min(len(out), 60)])))
}

// syntax refuses what AWS calls a syntax error.
func (c *checker) syntax(at int, id, what, expected string) {
	c.refuse(at, Refusal{ID: id, Category: "missing-element", What: what, Expected: expected, AWS: awsSyntax, order: orderSyntax})
}

// conditionSyntax is syntax inside of a condition.
func (c *checker) conditionSyntax(at int, id, what, expected string) {
	c.refuse(at, Refusal{ID: id, Category: "bad-condition", What: what, Expected: expected, AWS: awsSyntax, order: orderSyntax})
}

// charset refuses characters outside the API's pattern
// [\u0009\u000A\u000D\u0020-\u00FF]+, once. Source: botocore iam 2010-05-08.
func (c *checker) charset() {
	for at, r := range string(c.text) {
		if r > 0xff {
			c.refuse(at, Refusal{ID: "charset", Category: "invalid-json", AWS: awsCharset, order: orderOther,
				What:     fmt.Sprintf("the character %q", r),
				Expected: "only characters up to U+00FF; typographic quotes and emoji have to go"})
			return
		}
	}
}

func (c *checker) document(root *node) *Document {
	if root.kind != nodeObject {
		c.syntax(root.at, "type", root.kind.String()+" as the document", "an object with Version and Statement")
		return nil
	}
	d := &Document{}
	var statement *node
	versioned := false
	for _, m := range root.members {
		switch m.key {
		case "Version":
			versioned = true
			d.Version = c.version(m.value)
		case "Id":
			d.ID, _ = c.text1(m)
		case "Statement":
			statement = m.value
		case "Conditions": // IAM takes it at the top level and ignores it.
		default:
			c.syntax(m.at, "element", fmt.Sprintf("the unknown element %q", m.key), "Version, Id or Statement")
		}
	}
	if !versioned && c.kind == Identity {
		c.oldVersion(root.at, "no Version")
	}
	if statement == nil {
		c.syntax(root.at, "missing", "a document without Statement", "at least one statement")
		return d
	}
	c.statements(d, statement)
	c.sids(d)
	if n := Characters(string(c.text[root.at:root.end])); c.kind == Trust && n > MaxTrustRaised {
		c.refuse(root.at, Refusal{
			ID:       "size",
			Category: "size",
			AWS:      awsTrustSize,
			order:    orderOther,
			What:     fmt.Sprintf("a trust policy of %d characters", n),
			Expected: fmt.Sprintf("at most %d, as far as the quota can be raised", MaxTrustRaised),
		})
	}
	return d
}

func (c *checker) version(n *node) string {
	switch {
	case n.kind != nodeString:
		c.syntax(n.at, "version", n.kind.String()+" as Version", `"2012-10-17"`)
	case n.text == "2008-10-17" && c.kind == Identity:
		c.oldVersion(n.at, "the old version 2008-10-17")
	case n.text != Version2012 && n.text != "2008-10-17":
		c.syntax(n.at, "version", fmt.Sprintf("the version %q", n.text), `"2012-10-17"`)
	}
	return n.text
}

func (c *checker) oldVersion(at int, what string) {
	c.refuse(at, Refusal{ID: "version", Category: "missing-element", What: what, Expected: `"Version": "2012-10-17"`,
		AWS: awsVersion, order: orderVersion})
}

// text1 reads one string.
func (c *checker) text1(m member) (string, bool) {
	if m.value.kind != nodeString {
		c.syntax(m.value.at, "type", fmt.Sprintf("%s as %s", m.value.kind, m.key), "a string")
		return "", false
	}
	return m.value.text, true
}

func (c *checker) statements(d *Document, n *node) {
	items := n.items
	switch {
	case n.kind == nodeObject:
		items, d.bare = []*node{n}, true
	case n.kind != nodeList:
		c.syntax(n.at, "type", n.kind.String()+" as Statement", "a list of statements")
		return
	case len(items) == 0:
		c.syntax(n.at, "missing", "an empty list of statements", "at least one statement")
		return
	}
	for i, item := range items {
		c.statement = i
		if item.kind != nodeObject {
			c.syntax(item.at, "type", item.kind.String()+" as a statement", "an object with Effect, Action and Resource")
			continue
		}
		d.Statements = append(d.Statements, c.readStatement(item))
	}
	c.statement = -1
}

func (c *checker) sids(d *Document) {
	seen := map[string]bool{}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Sid == "" {
			continue
		}
		if seen[s.Sid] {
			pos := s.Position("Sid", 0)
			c.refusals = append(c.refusals, Refusal{ID: "sid-twice", Category: "missing-element", AWS: awsSidTwice, order: orderSidTwice,
				What: fmt.Sprintf("the Sid %q for a second time", s.Sid), Expected: "each Sid once, or none",
				Line: pos.Line, Column: pos.Column, Near: s.Sid, Statement: i})
		}
		seen[s.Sid] = true
	}
}

func (c *checker) readStatement(n *node) Statement {
	s := Statement{Pos: c.pos(n.at), form: form{scalar: map[string]bool{}, at: map[string][]Pos{}}}
	has := map[string]*node{}
	for _, m := range n.members {
		has[m.key] = m.value
		s.form.order = append(s.form.order, m.key)
		s.form.at[m.key] = append(s.form.at[m.key], c.pos(m.at))
		c.readElement(&s, m)
	}
	c.together(n, has)
	c.required(&s, n, has)
	c.grammar(&s, has)
	return s
}

func (c *checker) readElement(s *Statement, m member) {
	switch m.key {
	case "Sid":
		s.form.at["Sid"] = append(s.form.at["Sid"], c.pos(m.value.at))
		if sid, ok := c.text1(m); ok {
			s.Sid = sid
			c.sid(m.value)
		}
	case "Effect":
		s.form.at["Effect"] = append(s.form.at["Effect"], c.pos(m.value.at))
		c.effect(s, m)
	case "Action", "NotAction", "Resource", "NotResource":
		*s.list(m.key) = c.readList(s, m)
	case "Principal":
		s.Principal = c.readPrincipals(s, m)
	case "NotPrincipal":
		s.NotPrincipal = c.readPrincipals(s, m)
	case "Condition":
		s.Condition = c.readConditions(m)
	default:
		c.syntax(m.at, "element", fmt.Sprintf("the unknown element %q", m.key), closestElement(m.key))
	}
}

func closestElement(key string) string {
	for _, element := range elementOrder() {
		if strings.EqualFold(key, element) || strings.EqualFold(key, element+"s") {
			return fmt.Sprintf("%q, spelled so", element)
		}
	}
	return "one of " + strings.Join(elementOrder(), ", ")
}

func (c *checker) sid(n *node) {
	for _, r := range n.text {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			continue
		}
		c.refuse(n.at, Refusal{ID: "sid", Category: "missing-element", What: fmt.Sprintf("the Sid %q", n.text),
			Expected: "letters and digits only", AWS: awsSid, order: orderOther})
		return
	}
}

func (c *checker) effect(s *Statement, m member) {
	text, ok := c.text1(m)
	if !ok {
		return
	}
	s.Effect = Effect(text)
	if s.Effect == Allow || s.Effect == Deny {
		return
	}
	r := Refusal{ID: "effect", Category: "missing-element", What: fmt.Sprintf("the effect %q", text),
		Expected: `"Allow" or "Deny", spelled so`, AWS: awsSyntax, order: orderSyntax}
	if strings.EqualFold(text, "Allow") || strings.EqualFold(text, "Deny") {
		r.AWS, r.order = awsLegacy, orderLegacy
	}
	c.refuse(m.value.at, r)
}

// readList reads a string or a list of strings. IAM takes and ignores a null
// in a list of resources.
func (c *checker) readList(s *Statement, m member) []string {
	switch m.value.kind {
	case nodeString:
		s.form.scalar[m.key] = true
		s.form.at[m.key] = append(s.form.at[m.key], c.pos(m.value.at))
		return []string{m.value.text}
	case nodeList:
	default:
		c.syntax(m.value.at, "type", fmt.Sprintf("%s as %s", m.value.kind, m.key), "a string or a list of strings")
		return nil
	}
	values := make([]string, 0, len(m.value.items))
	for _, item := range m.value.items {
		if item.kind == nodeNull && strings.HasSuffix(m.key, "Resource") {
			continue
		}
		if item.kind != nodeString {
			c.syntax(item.at, "type", fmt.Sprintf("%s in %s", item.kind, m.key), "strings only")
			continue
		}
		values = append(values, item.text)
		s.form.at[m.key] = append(s.form.at[m.key], c.pos(item.at))
	}
	return values
}

// together refuses an element beside its negation.
func (c *checker) together(n *node, has map[string]*node) {
	for _, element := range [...]string{"Action", "Resource", "Principal"} {
		if has[element] != nil && has["Not"+element] != nil {
			c.syntax(n.at, "both", fmt.Sprintf("%s and Not%s in one statement", element, element), "one of the two")
		}
	}
}
