// Package review says what is wrong with a policy document, without a network:
// what AWS will refuse, what has no effect, what lets too much, and what is
// untidy. It stands on policy and assets alone and is pure: no context, no
// clock, no vendor.
package review

import (
	"time"

	"rolecall/policy"
)

// Class keeps apart four things that are easily mixed up.
type Class string

// The classes.
const (
	Refused  Class = "refused"   // AWS will not take the document
	NoEffect Class = "no-effect" // it grants less than it seems to
	Risk     Class = "risk"      // it lets too much
	Untidy   Class = "untidy"    // it could be shorter or narrower
)

// Severity says how much a finding matters.
type Severity string

// The severities, worst first. Only a finding of class Refused has the first.
const (
	SeverityRefused Severity = "refused"
	High            Severity = "high"
	Medium          Severity = "medium"
	Low             Severity = "low"
	Note            Severity = "note"
)

// Severities lists the severities, worst first.
func Severities() []Severity { return []Severity{SeverityRefused, High, Medium, Low, Note} }

// Rank orders severities: 0 for a note, 4 for a refusal, -1 for an unknown one.
func (s Severity) Rank() int {
	switch s {
	case SeverityRefused:
		return 4
	case High:
		return 3
	case Medium:
		return 2
	case Low:
		return 1
	case Note:
		return 0
	}
	return -1
}

// down is the severity so many steps lower; false below a note.
func (s Severity) down(steps int) (Severity, bool) {
	all := Severities()
	at := len(all) - 1 - s.Rank() + steps
	if at >= len(all) {
		return Note, false
	}
	return all[at], true
}

// Options is what is known beside the document. The zero value reviews an
// identity policy as a managed policy.
type Options struct {
	Kind  policy.Kind
	Trust []byte // with an identity policy: the role's trust policy, read together with it
	// Limit is the quota in characters that are not white space; 0 means 6,144
	// for an identity policy and 2,048 for a trust policy.
	Limit     int
	Account   string // of the role, "" when unknown
	Partition string // of the account, "" when unknown
	// Vendors are the accounts of third parties: trusting one without an
	// external ID is a high finding.
	Vendors []string
	// Cost says what needs these actions of a statement and what stops working
	// without them, in sentences; nil where nobody knows.
	Cost func(sid string, actions []string) string
	// Now tells dates that are over. The zero value leaves dates alone.
	Now time.Time
}

// Report is the review of a document. Its JSON is part of rolecall's interface.
type Report struct {
	Policy   Size      `json:"policy"`
	Actions  Counts    `json:"actions"`
	Verdict  string    `json:"verdict"` // "accepted" or "refused"
	Findings []Finding `json:"findings"`
	Data     Source    `json:"data"`
	Trust    *Size     `json:"trust,omitempty"` // of the trust policy read beside it
	Kind     string    `json:"kind"`            // "identity" or "trust": what the document was reviewed as
	// Read says what the text was recognised as, where it is not simply a
	// document of the kind that was asked for; Where is the path of the document
	// that was reviewed in it.
	Read  string `json:"read,omitempty"`
	Where string `json:"where,omitempty"`

	Document *policy.Document `json:"-"` // nil where the text is no policy
}

// Size is a document in numbers.
type Size struct {
	Digest     string `json:"digest"` // "" where the text is no policy
	Characters int    `json:"characters"`
	Limit      int    `json:"limit"`
	Statements int    `json:"statements"`
}

// Counts is what a document grants, in numbers.
type Counts struct {
	Entries  int            `json:"entries"` // as written
	Granted  int            `json:"granted"` // actions that exist
	ByAccess map[string]int `json:"by_access"`
	// ByService counts the granted actions of each service.
	ByService map[string]int `json:"by_service"`
	// OnEverything counts the actions granted on every resource; Scopable those
	// of them that could be limited to some.
	OnEverything int `json:"on_everything"`
	Scopable     int `json:"scopable"`
}

// Source is the data that the review rests on.
type Source struct {
	Version string `json:"version"`
	Date    string `json:"date"`
}

// Finding is one thing to know about a document.
type Finding struct {
	ID       string   `json:"id"`
	Class    Class    `json:"class"`
	Category string   `json:"category"`
	Severity Severity `json:"severity"`

	Statement string `json:"statement"` // Sid, or ""
	Index     int    `json:"index"`     // of the statement from 0, -1 for the document
	Line      int    `json:"line"`      // from 1
	Column    int    `json:"column"`    // from 1

	Actions []string `json:"actions"` // that exist, or as written where none does
	Title   string   `json:"title"`   // what somebody with these permissions could do
	Why     string   `json:"why"`
	Fix     string   `json:"fix"`

	On     string  `json:"on,omitempty"`     // "*", or the resource that limits the widest grant
	Places []Place `json:"places,omitempty"` // all entries that grant the actions
	Patch  *Patch  `json:"patch,omitempty"`
	// PartOf is the id of a finding that this one goes away with.
	PartOf string `json:"part_of,omitempty"`
	// Closes and Of count the escalation paths that limiting this finding's
	// first action closes, of all that were found.
	Closes int `json:"closes,omitempty"`
	Of     int `json:"of,omitempty"`
	// Cost is what would stop working without the actions, where it is known.
	Cost string `json:"cost,omitempty"`
	// Document is "trust" for a finding in the trust policy read beside it.
	Document string `json:"document,omitempty"`
	// AWS is the sentence that AWS refuses the document with.
	AWS string `json:"aws,omitempty"`

	instead []string // what to write in the place of the entry

	drop int // steps that conditions and resources took off
}

// Place is an entry of the document.
type Place struct {
	Statement string `json:"statement"`
	Index     int    `json:"index"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	Entry     string `json:"entry"` // as written; a wildcard where one gave the actions
}

// Patch is a change of the document, as JSON to paste.
type Patch struct {
	Index   int      `json:"index"`            // of the statement that changes
	Remove  []string `json:"remove,omitempty"` // entries to take out of it
	Replace string   `json:"replace,omitempty"`
	Add     string   `json:"add,omitempty"` // statements, without the brackets of the list
	// After says what the rules found in the changed document.
	After string `json:"after"`

	changed *model // the document with the change
}

// Worst is the worst severity of the findings, Note without any.
func (r *Report) Worst() Severity {
	worst := Note
	for i := range r.Findings {
		if r.Findings[i].Severity.Rank() > worst.Rank() {
			worst = r.Findings[i].Severity
		}
	}
	return worst
}

// Count counts findings of a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Severity == s {
			n++
		}
	}
	return n
}

// Fails reports whether a finding is as bad as a severity or worse.
func (r *Report) Fails(at Severity) bool {
	for i := range r.Findings {
		if r.Findings[i].Severity.Rank() >= at.Rank() {
			return true
		}
	}
	return false
}
