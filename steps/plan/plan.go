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

// FileKind marks the file, Format its version.
const (
	FileKind = "rolecall plan"
	Format   = 1
)

// What a Document is.
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
	StackName     string `json:"stack_name,omitempty"` // of the CloudFormation stack, where one makes the roles
	// Template is the digest of the template that goes to every account of an
	// organisation, and Targets are its units and accounts; empty: the plan is of
	// one account.
	Template string   `json:"template_digest,omitempty"`
	Targets  []string `json:"targets,omitempty"` // "organization:o-…", "ou:ou-… /prod", "account:111122223333", "tag:team=web"
	// Automatic tells that accounts that come into the targets later get the role, too.
	Automatic bool `json:"automatic_deployment,omitempty"`
	access.Selection
	access.Settings

	// Delegation is set in the plan of a delegation request, which makes no role:
	// its documents are those of the request.
	Delegation *Delegation `json:"delegation,omitempty"`

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

	Trusts []string `json:"trusts,omitempty"` // the vendor's AWS accounts; or an OIDC provider, the audience and the subject
	// ExternalID is UnknownExternalID where it is not known yet, and empty
	// where the vendor uses none.
	ExternalID string `json:"external_id,omitempty"`
}

// Document is a document that would be created. Digest is of its canonical
// form, so it does not depend on how the JSON is written.
type Document struct {
	Purpose    string           `json:"purpose"`
	Kind       string           `json:"kind"` // Permissions or Trust
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
		return &screen.Fault{
			Problem: screen.Problem{What: "This is not a plan: " + why + ".", Expected: "a file written by rolecall plan -o FILE",
				Next: "Name the right file, or make the plan again.", Kind: screen.Usage},
		}
	}
	if len(text) > largestPlan {
		return nil, notPlan("it is larger than 8 MB")
	}
	if err := strictly(text); err != nil {
		return nil, notPlan(screen.CleanLine(err.Error()))
	}
	var p Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, notPlan(screen.CleanLine(strings.TrimPrefix(err.Error(), "json: ")))
	}
	if p.Kind != FileKind || p.Format != Format || len(p.Documents) == 0 {
		return nil, notPlan("its kind, format or documents are missing")
	}
	if why := p.incoherent(); why != "" {
		return nil, notPlan(why)
	}
	for _, d := range p.Documents {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	return &p, nil
}

// incoherent says what of roles and documents does not go together; empty when
// all does.
func (p *Plan) incoherent() string {
	if p.Delegation != nil {
		return p.incoherentDelegation()
	}
	seen := map[string]bool{}
	for _, role := range p.Roles {
		if role.Purpose == "" || seen[role.Purpose] || (role.RoleName == "") == (role.UserName == "") {
			return fmt.Sprintf("the role %q stands twice, or has not one name", screen.CleanLine(role.Purpose))
		}
		seen[role.Purpose] = true
	}
	for _, d := range p.Documents {
		role, ok := p.Role(d.Purpose)
		key := d.Purpose + " " + d.Kind + " " + d.Name
		if !ok || d.Kind != Permissions && d.Kind != Trust || d.Kind == Trust && role.UserName != "" || seen[key] {
			return fmt.Sprintf("the document %q is of no role, of no kind, or stands twice", screen.CleanLine(d.Name))
		}
		seen[key] = true
	}
	return ""
}

// Role finds a role, or a user, by its purpose.
func (p *Plan) Role(purpose string) (Role, bool) {
	i := slices.IndexFunc(p.Roles, func(r Role) bool { return r.Purpose == purpose })
	if i < 0 {
		return Role{}, false
	}
	return p.Roles[i], true
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
		return &screen.Fault{Err: err, Problem: screen.Problem{What: fmt.Sprintf("The plan's %s document %s is one that AWS refuses: %s.", d.Kind,
			screen.CleanLine(d.Name), strings.TrimSuffix(err.Error(), ".")),
			Expected: "a document as rolecall planned it", Next: "Make the plan again with rolecall plan.", Kind: screen.NotAsNeeded}}
	}
	if got := doc.Digest(); got != d.Digest {
		return &screen.Fault{Problem: screen.Problem{What: fmt.Sprintf("The plan's %s document %s was changed after the plan was made.", d.Kind,
			screen.CleanLine(d.Name)),
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

// Approves tells whether an approval of the plan as it is now, its names and
// settings included, names a document.
func (p *Plan) Approves(digest string) bool {
	settings := p.settings()
	return slices.ContainsFunc(p.Approvals, func(a Approval) bool { return a.Settings == settings && slices.Contains(a.Digests, digest) })
}

// ApprovesAs tells whether a document was approved for this role, as what it is.
func (p *Plan) ApprovesAs(purpose, kind, digest string) bool {
	return p.Approves(digest) && slices.ContainsFunc(p.Documents, func(d Document) bool {
		return d.Purpose == purpose && d.Kind == kind && d.Digest == digest
	})
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
