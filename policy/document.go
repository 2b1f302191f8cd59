package policy

import "slices"

// Kind says which grammar a document has to follow.
type Kind int

const (
	// Identity is a permissions policy: managed, or inline in a role or user.
	Identity Kind = iota
	// Trust is the trust policy of a role: who may assume it.
	Trust
)

// String returns "identity" or "trust".
func (k Kind) String() string {
	if k == Trust {
		return "trust"
	}
	return "identity"
}

// Effect is "Allow" or "Deny".
type Effect string

// The two effects, as IAM spells them.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Version2012 is the only policy language version that knows policy variables.
const Version2012 = "2012-10-17"

// Quotas of IAM, in characters that are not white space.
// Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
const (
	MaxManaged       = 6144  // one version of a managed policy
	MaxRoleInline    = 10240 // all inline policies of a role together
	MaxUserInline    = 2048  // all inline policies of a user together
	MaxGroupInline   = 5120  // all inline policies of a group together
	MaxTrust         = 2048  // a trust policy, before the quota is raised
	MaxTrustRaised   = 8192  // a trust policy, as far as the quota can be raised
	MaxAttached      = 10    // managed policies of one role, before the quota is raised
	MaxDocumentBytes = 131072
)

// Pos is a place in a document's text. Line and Column count from 1, columns
// in characters. The zero Pos means that the part was not read from a text.
type Pos struct{ Line, Column int }

// Document is one policy document. The exported fields say what it grants; how
// it was written (order of the elements, string or one-element list) is kept
// beside them, so that Pretty and Compact give back what was read.
// A Document is not changed once made; every method returns a new one.
type Document struct {
	Version    string // "2012-10-17", "2008-10-17" or "" when absent
	ID         string
	Statements []Statement

	bare bool // Statement was an object, not a list
}

// Statement is one statement of a document. Action and NotAction exclude each
// other, so do Resource and NotResource, Principal and NotPrincipal.
type Statement struct {
	Sid                                      string
	Effect                                   Effect
	Principal, NotPrincipal                  Principals // nil when absent
	Action, NotAction, Resource, NotResource []string
	Condition                                []Condition // in source order
	Pos                                      Pos         // of the statement's opening brace

	form form
}

// Principals maps a type of principal ("AWS", "Service", "Federated",
// "CanonicalUser") to its values. The bare "*" is {"*": {"*"}}, which differs
// from {"AWS": {"*"}}: AWS refuses the first in a trust policy.
type Principals map[string][]string

// Condition is one operator and key with its values, all of which are text:
// true and 5 read as "true" and "5". A statement's conditions are ANDed, the
// values of one are ORed (or none may match, for the negated operators).
type Condition struct {
	Operator, Key string
	Values        []string
	Pos           Pos // of the key

	scalar bool
	at     []Pos
}

// form is how a statement was written.
type form struct {
	order  []string         // its elements
	scalar map[string]bool  // elements and principal types given as a string, not a list
	at     map[string][]Pos // of each value; the element's own key comes first
}

// NewDocument makes a document of the given statements in the current version.
func NewDocument(statements ...Statement) *Document {
	return &Document{Version: Version2012, Statements: slices.Clone(statements)}
}

// Position tells where the index-th value of an element ("Action", "Resource",
// "Sid", "Effect", "Principal.AWS", …) stands; index -1 asks for the element's
// key. Without a better answer it is the statement's own place.
func (s *Statement) Position(element string, index int) Pos {
	at := s.form.at[element]
	if index+1 >= 0 && index+1 < len(at) {
		return at[index+1]
	}
	if len(at) > 0 {
		return at[0]
	}
	return s.Pos
}

// Position tells where the index-th value stands, or the key without one.
func (c *Condition) Position(index int) Pos {
	if index >= 0 && index < len(c.at) {
		return c.at[index]
	}
	return c.Pos
}

// Anyone reports whether a principal list names everybody.
func (p Principals) Anyone() bool {
	return len(p["*"]) > 0 || slices.Contains(p["AWS"], "*")
}

// Equal reports whether two documents have the same canonical form.
func (d *Document) Equal(other *Document) bool {
	if d == nil || other == nil {
		return d == other
	}
	return d.Digest() == other.Digest()
}

// Equal reports whether two conditions read the same, wherever they stand.
func (c Condition) Equal(other Condition) bool {
	return c.Operator == other.Operator && c.Key == other.Key && slices.Equal(c.Values, other.Values)
}
