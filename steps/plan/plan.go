// Package plan is the file that holds everything a connection would create: it
// is written, read strictly, approved, and asked what was approved. It stands
// on screen and policy, under the saved session that a plan can bind.
package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/access"
	"rolecall/steps/screen"
)

// UnknownExternalID stands in a plan for an external ID that nobody knows yet:
// a plan mints nothing.
const UnknownExternalID = "EXTERNAL-ID-NOT-KNOWN-YET"

// FileKind marks the file, planFormat its version.
const (
	FileKind = "rolecall plan"
	Format   = 1
)

// What a PlanDocument is.
const (
	Permissions = "permissions"
	Trust       = "trust"
)

// Plan is everything that a connection would create, in one reviewable file.
type Plan struct {
	Kind    string        `json:"kind"`
	Format  int           `json:"format"`
	Created time.Time     `json:"created"`
	Tool    string        `json:"tool"` // "rolecall 1.2.3"
	Data    review.Source `json:"data"` // of the action catalogue

	Vendor        string `json:"vendor"`
	Method        string `json:"method"`
	Access        string `json:"access"`
	Partition     string `json:"partition"`
	AccountID     string `json:"account_id,omitempty"` // the customer's, when it was given
	VendorAccount string `json:"vendor_account,omitempty"`
	access.Selection
	access.Settings

	Roles     []Role     `json:"roles"`
	Documents []Document `json:"documents"`
	Approvals []Approval `json:"approvals"`
}

// Role is a role, or a user, that would be created.
type Role struct {
	Purpose    string `json:"purpose"`
	RoleName   string `json:"role_name,omitempty"`
	UserName   string `json:"user_name,omitempty"`
	PolicyName string `json:"policy_name"`
	// ManagedPolicies are the ARNs of AWS managed policies that the role would
	// have attached. Their documents are AWS's, and AWS can change them.
	ManagedPolicies []string `json:"managed_policies,omitempty"`

	Trusts []string `json:"trusts,omitempty"` // the vendor's AWS accounts
	// ExternalID is UnknownExternalID where it is not known yet, and empty
	// where the vendor uses none.
	ExternalID string `json:"external_id,omitempty"`
}

// Document is a document that would be created. Digest is of its canonical
// form, so it does not depend on how the JSON is written.
type Document struct {
	Purpose    string           `json:"purpose"`
	Kind       string           `json:"kind"` // PlanPermissions or PlanTrust
	Name       string           `json:"name"` // of the policy, or of the role that trusts
	Digest     string           `json:"digest"`
	Characters int              `json:"characters"`
	Limit      int              `json:"limit"`
	Verdict    string           `json:"verdict"`
	Findings   []review.Finding `json:"findings,omitempty"`
	Document   json.RawMessage  `json:"document,omitempty"`
}

// Approval records who approved which documents, and when. It is a record, not
// a signature: whoever can write the file can write one.
type Approval struct {
	Who     string    `json:"who"`
	At      time.Time `json:"at"`
	Digests []string  `json:"digests"`
	// Settings is the digest of what the plan says beside its documents: names,
	// accounts, path, permissions boundary, session duration, tags.
	Settings string `json:"settings"`
}

// Add writes down a document with what the review finds in it.
func (p *Plan) Add(d Document, doc *policy.Document, options review.Options) {
	report := review.Review([]byte(doc.Pretty()), options)
	d.Digest, d.Characters, d.Limit = doc.Digest(), report.Policy.Characters, report.Policy.Limit
	d.Verdict, d.Findings, d.Document = report.Verdict, report.Findings, json.RawMessage(doc.Pretty())
	p.Documents = append(p.Documents, d)
}

// JSON is the plan as a file. Document texts keep their order, so that a
// reviewer reads what will be pasted.
func (p *Plan) JSON() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(p); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// largestPlan bounds what is read of a plan.
const largestPlan = 8 << 20

// Read parses a plan and checks that every digest is that of its document.
// The error is a Fault: of kind Usage where the text is no plan, NotAsNeeded
// where a document was changed after the plan was made.
func Read(text []byte) (*Plan, error) {
	notPlan := func(why string) error {
		return &screen.Fault{Problem: screen.Problem{What: "This is not a plan: " + why + ".", Expected: "a file written by rolecall plan -o FILE",
			Next: "Name the right file, or make the plan again.", Kind: screen.Usage}}
	}
	if len(text) > largestPlan {
		return nil, notPlan("it is larger than 8 MB")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var p Plan
	if err := decoder.Decode(&p); err != nil {
		return nil, notPlan(strings.TrimPrefix(err.Error(), "json: "))
	}
	if p.Kind != FileKind || p.Format != Format || len(p.Documents) == 0 {
		return nil, notPlan("its kind, format or documents are missing")
	}
	for _, d := range p.Documents {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	return &p, nil
}

func (d *Document) kind() policy.Kind {
	if d.Kind == Trust {
		return policy.Trust
	}
	return policy.Identity
}

// check compares the digest with the document.
func (d *Document) check() error {
	doc, err := policy.Parse(d.Document, d.kind())
	if err != nil {
		return &screen.Fault{Err: err, Problem: screen.Problem{What: fmt.Sprintf("The plan's %s document %s is one that AWS refuses: %s.", d.Kind, d.Name, strings.TrimSuffix(err.Error(), ".")),
			Expected: "a document as rolecall planned it", Next: "Make the plan again with rolecall plan.", Kind: screen.NotAsNeeded}}
	}
	if got := doc.Digest(); got != d.Digest {
		return &screen.Fault{Problem: screen.Problem{What: fmt.Sprintf("The plan's %s document %s was changed after the plan was made.", d.Kind, d.Name),
			Expected: "a document with the digest " + d.Digest, Next: "Make the plan again with rolecall plan, and have it reviewed.",
			Wanted: d.Digest, Found: got, Kind: screen.NotAsNeeded}}
	}
	return nil
}

// ReviewAgain replaces what the file says of the document by what the review
// says of it now.
func (d *Document) ReviewAgain(partition string, now time.Time) {
	report := review.Review(d.Document, review.Options{Kind: d.kind(), Limit: d.Limit, Partition: partition, Now: now})
	d.Verdict, d.Findings, d.Characters = report.Verdict, report.Findings, report.Policy.Characters
}

// Approve records that somebody approved exactly the plan's documents.
func (p *Plan) Approve(who string, at time.Time) Approval {
	a := Approval{Who: who, At: at.UTC(), Settings: p.settings()}
	for _, d := range p.Documents {
		a.Digests = append(a.Digests, d.Digest)
	}
	p.Approvals = append(p.Approvals, a)
	return a
}

// Unapproved lists the documents that no approval names.
func (p *Plan) Unapproved() []Document {
	return slices.DeleteFunc(slices.Clone(p.Documents), func(d Document) bool { return p.Approves(d.Digest) })
}

// Approves reports whether an approval names the document.
func (p *Plan) Approves(digest string) bool {
	return slices.ContainsFunc(p.Approvals, func(a Approval) bool { return slices.Contains(a.Digests, digest) })
}

// Binding is what a session has to remember of a plan: names, digests and
// approvals, without the documents and what the review says of them.
func (p *Plan) Binding() *Plan {
	binding := *p
	binding.Documents = slices.Clone(p.Documents)
	for i := range binding.Documents {
		binding.Documents[i].Findings, binding.Documents[i].Document = nil, nil
	}
	return &binding
}
