package steps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/describe"
)

// UnknownExternalID stands in a plan for an external ID that nobody knows yet:
// a plan mints nothing.
const UnknownExternalID = "EXTERNAL-ID-NOT-KNOWN-YET"

// planKind marks the file, planFormat its version.
const (
	planKind   = "rolecall plan"
	planFormat = 1
)

// What a PlanDocument is.
const (
	PlanPermissions = "permissions"
	PlanTrust       = "trust"
)

// Plan is everything that a connection would create, in one reviewable file.
type Plan struct {
	Kind    string        `json:"kind"`
	Format  int           `json:"format"`
	Created time.Time     `json:"created"`
	Tool    string        `json:"tool"` // "rolecall 1.2.3"
	Data    review.Source `json:"data"` // of the action catalogue

	Vendor        string            `json:"vendor"`
	Method        string            `json:"method"`
	Access        string            `json:"access"`
	Partition     string            `json:"partition"`
	AccountID     string            `json:"account_id,omitempty"` // the customer's, when it was given
	VendorAccount string            `json:"vendor_account,omitempty"`
	Bundles       []string          `json:"products,omitempty"`
	Regions       []string          `json:"regions,omitempty"`
	RestrictTag   string            `json:"restrict_tag,omitempty"`
	Parameters    map[string]string `json:"parameters,omitempty"`
	Path          string            `json:"path,omitempty"`
	Boundary      string            `json:"permissions_boundary,omitempty"`
	SessionFor    time.Duration     `json:"session_duration,omitempty"`
	Tags          map[string]string `json:"tags,omitempty"`

	Roles     []PlanRole     `json:"roles"`
	Documents []PlanDocument `json:"documents"`
	Approvals []Approval     `json:"approvals"`
}

// PlanRole is a role, or a user, that would be created.
type PlanRole struct {
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

// PlanDocument is a document that would be created. Digest is of its canonical
// form, so it does not depend on how the JSON is written.
type PlanDocument struct {
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

// MakePlan writes down what the session would create. It sends nothing. The
// error names what is missing.
func (s *Session) MakePlan(tool string) (*Plan, error) {
	p := &Plan{
		Kind: planKind, Format: planFormat, Created: s.Now().UTC(), Tool: tool,
		Data:   review.Source{Version: policy.AWS().Version(), Date: policy.AWS().Date()},
		Vendor: s.Answers.Vendor, Method: s.Method, Access: s.Access, Partition: s.Partition, AccountID: s.AccountID,
		VendorAccount: s.VendorAccount, Bundles: s.Bundles, Regions: s.Regions, RestrictTag: s.RestrictTag, Parameters: s.Parameters,
		Path: s.Path, Boundary: s.Boundary, SessionFor: s.SessionFor, Tags: s.Tags,
		Roles: []PlanRole{}, Documents: []PlanDocument{}, Approvals: []Approval{},
	}
	for _, role := range s.NeededRoles() {
		if err := p.addRole(s, role.Purpose); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Plan) addRole(s *Session, purpose string) error {
	part := s.Part(purpose)
	planned := PlanRole{Purpose: purpose, RoleName: part.RoleName, UserName: part.UserName, PolicyName: part.PolicyName}
	user := s.access() == describe.AccessUser
	if !user {
		planned.ManagedPolicies = s.ManagedPolicies(purpose)
		planned.Trusts, planned.ExternalID = s.TrustedAccounts(purpose), part.ExternalID
	}
	if !user && planned.ExternalID == "" && s.needsExternalID(purpose) {
		planned.ExternalID = UnknownExternalID
	}
	p.Roles = append(p.Roles, planned)
	documents, err := s.WantedDocuments(purpose)
	if err != nil {
		return err
	}
	for _, d := range documents {
		options := review.Options{Partition: s.Partition, Account: s.AccountID, Cost: s.costOf(purpose), Now: s.Now()}
		if s.role(purpose).Inline {
			options.Limit = policy.MaxRoleInline
		}
		p.add(PlanDocument{Purpose: purpose, Kind: PlanPermissions, Name: d.Name}, d.Document, options)
	}
	if user {
		return nil
	}
	trust := s.Vendor.Trust(s.role(purpose), s.Partition, s.TrustedAccount, planned.ExternalID)
	if trust == nil {
		return &Fault{Problem: Problem{What: "The account to trust is not known.", Expected: "the vendor's account in " + s.Partition,
			Next: "Give it with --trusted-account.", Kind: Usage}}
	}
	p.add(PlanDocument{Purpose: purpose, Kind: PlanTrust, Name: part.RoleName}, trust,
		review.Options{Kind: policy.Trust, Partition: s.Partition, Account: s.AccountID, Vendors: planned.Trusts, Now: s.Now()})
	return nil
}

func (p *Plan) add(d PlanDocument, doc *policy.Document, options review.Options) {
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

// ReadPlan parses a plan and checks that every digest is that of its document.
// The error is a Fault: of kind Usage where the text is no plan, NotAsNeeded
// where a document was changed after the plan was made.
func ReadPlan(text []byte) (*Plan, error) {
	notPlan := func(why string) error {
		return &Fault{Problem: Problem{What: "This is not a plan: " + why + ".", Expected: "a file written by rolecall plan -o FILE",
			Next: "Name the right file, or make the plan again.", Kind: Usage}}
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
	if p.Kind != planKind || p.Format != planFormat || len(p.Documents) == 0 {
		return nil, notPlan("its kind, format or documents are missing")
	}
	for _, d := range p.Documents {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	return &p, nil
}

func (d *PlanDocument) kind() policy.Kind {
	if d.Kind == PlanTrust {
		return policy.Trust
	}
	return policy.Identity
}

// check compares the digest with the document.
func (d *PlanDocument) check() error {
	doc, err := policy.Parse(d.Document, d.kind())
	if err != nil {
		return &Fault{Err: err, Problem: Problem{What: fmt.Sprintf("The plan's %s document %s is one that AWS refuses: %s.", d.Kind, d.Name, strings.TrimSuffix(err.Error(), ".")),
			Expected: "a document as rolecall planned it", Next: "Make the plan again with rolecall plan.", Kind: NotAsNeeded}}
	}
	if got := doc.Digest(); got != d.Digest {
		return &Fault{Problem: Problem{What: fmt.Sprintf("The plan's %s document %s was changed after the plan was made.", d.Kind, d.Name),
			Expected: "a document with the digest " + d.Digest, Next: "Make the plan again with rolecall plan, and have it reviewed.",
			Wanted: d.Digest, Found: got, Kind: NotAsNeeded}}
	}
	return nil
}

// ReviewAgain replaces what the file says of the document by what the review
// says of it now.
func (d *PlanDocument) ReviewAgain(partition string, now time.Time) {
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
func (p *Plan) Unapproved() []PlanDocument {
	return slices.DeleteFunc(slices.Clone(p.Documents), func(d PlanDocument) bool { return p.approves(d.Digest) })
}

func (p *Plan) approves(digest string) bool {
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

// planProblem refuses what the plan's approval does not name; nil without a
// plan, and where everything that the role needs was approved.
func (s *Session) planProblem(purpose string) *Problem {
	if s.Plan == nil {
		return nil
	}
	documents, err := s.WantedDocuments(purpose)
	if err != nil {
		return problemOf(err)
	}
	for _, d := range documents {
		if !s.Plan.approves(d.Document.Digest()) {
			return notApproved("policy "+d.Name, d.Document.Digest())
		}
	}
	for _, arn := range s.ManagedPolicies(purpose) {
		if !s.Plan.approvesManaged(arn) {
			return notApproved("AWS managed policy "+policyNameOf(arn), arn)
		}
	}
	known := s.Part(purpose).ExternalID != "" || !s.needsExternalID(purpose)
	if trust := s.WantedTrust(purpose); trust != nil && known && !s.trustApproved(purpose) {
		return notApproved("trust policy of "+s.Part(purpose).RoleName, trust.Digest())
	}
	return nil
}

// planProblems refuses what the plan's approval does not name of any role.
func (s *Session) planProblems() *Problem {
	for _, role := range s.NeededRoles() {
		if p := s.planProblem(role.Purpose); p != nil {
			return p
		}
	}
	return nil
}

func notApproved(what, digest string) *Problem {
	return &Problem{What: "The plan's approval does not name the " + what + ".", Expected: "a document that was approved",
		Next: "Plan with the same flags, have the plan approved (rolecall approve), and give it with --plan.", Found: digest, Kind: NotAsNeeded}
}

// trustApproved reports whether the wanted trust policy was approved, as it is
// or with the external ID left open.
func (s *Session) trustApproved(purpose string) bool {
	role := s.role(purpose)
	open := s.Vendor.Trust(role, s.Partition, s.TrustedAccount, UnknownExternalID)
	trust := s.WantedTrust(purpose)
	return trust != nil && s.Plan.approves(trust.Digest()) || open != nil && s.needsExternalID(purpose) && s.Plan.approves(open.Digest())
}

// approvedDigests are the documents that the role may have, by digest, and the
// AWS managed policies, by ARN; nil without a plan.
func (s *Session) approvedDigests(purpose string) []string {
	if s.Plan == nil {
		return nil
	}
	digests := []string{}
	for _, d := range s.Plan.Documents {
		if d.Purpose == purpose && s.Plan.approves(d.Digest) {
			digests = append(digests, d.Digest)
		}
	}
	for _, arn := range s.ManagedPolicies(purpose) {
		if s.Plan.approvesManaged(arn) {
			digests = append(digests, arn)
		}
	}
	if trust := s.WantedTrust(purpose); trust != nil && s.trustApproved(purpose) {
		digests = append(digests, trust.Digest())
	}
	return digests
}
