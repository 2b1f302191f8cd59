package delegation

import (
	"encoding/json"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/delegate"
	"rolecall/ui/cli"
	"rolecall/ui/policies"
)

// requestJSON is what show, review, accept and reject print with --json.
type requestJSON struct {
	ID            string              `json:"id"`
	State         aws.DelegationState `json:"state"`
	Requestor     string              `json:"requestor"` // account number
	RequestorName string              `json:"requestor_name"`
	Vendor        string              `json:"vendor"`     // whose it is; empty: not known
	AccountID     string              `json:"account_id"` // whose access is asked for
	Owner         string              `json:"owner,omitempty"`
	Approver      string              `json:"approver,omitempty"`
	Description   string              `json:"description"`
	Message       string              `json:"message,omitempty"`
	Notes         string              `json:"notes,omitempty"`
	Rejection     string              `json:"rejection,omitempty"`
	Created       *time.Time          `json:"created,omitempty"`
	Expires       *time.Time          `json:"expires,omitempty"`
	Duration      int                 `json:"duration_s"`
	OnlyOwner     bool                `json:"only_send_by_owner,omitempty"`
	Covered       string              `json:"covered,omitempty"` // AWS's check whether the caller has these permissions

	// Digest is of everything that accept binds: it is what --digest takes.
	Digest     string          `json:"digest"`
	Template   string          `json:"template,omitempty"`
	Parameters []parameterJSON `json:"parameters"`
	Policy     policyJSON      `json:"policy"`
	Actions    *review.Counts  `json:"actions,omitempty"`
	Verdict    string          `json:"verdict"`
	Boundaries []string        `json:"boundaries"`
	// BoundaryPolicies are the documents of Boundaries, as far as they can be read.
	BoundaryPolicies []boundaryJSON   `json:"boundary_policies"`
	Findings         []review.Finding `json:"findings"`
	// Difference is what the request asks for beyond what the vendor's description
	// says that it needs; absent where no vendor is known.
	Difference *policies.DiffJSON `json:"difference,omitempty"`

	*decisionJSON
	Error *cli.ErrorJSON `json:"error,omitempty"`
}

// decisionJSON is what accept and reject did.
type decisionJSON struct {
	Accepted bool   `json:"accepted"` // by this run
	Released bool   `json:"released"` // the requestor got its access, by this run
	Rejected bool   `json:"rejected"` // by this run
	Receipt  string `json:"receipt"`  // for rolecall sessions show; empty: nothing was sent
}

type parameterJSON struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

type policyJSON struct {
	review.Size
	Document json.RawMessage `json:"document,omitempty"`
	Text     string          `json:"text,omitempty"` // what is no document that AWS takes
}

type boundaryJSON struct {
	ARN        string             `json:"arn"`
	Digest     string             `json:"digest,omitempty"`
	Document   json.RawMessage    `json:"document,omitempty"`
	Unread     string             `json:"unread,omitempty"` // why it cannot be read
	Findings   []review.Finding   `json:"findings"`
	Difference *policies.DiffJSON `json:"difference,omitempty"`
}

// documentOf is a request with all that was said of it.
func documentOf(j *delegate.Judged) *requestJSON {
	d := j.Request
	doc := &requestJSON{
		ID: d.ID, State: d.State, Requestor: d.Requestor, RequestorName: d.RequestorName, AccountID: d.AccountID, Owner: d.Owner,
		Approver: d.Approver, Description: d.Description, Message: d.Message, Notes: d.Notes, Rejection: d.Rejection,
		Created: timeOf(d.Created), Expires: timeOf(d.Expires), Duration: int(d.Duration / time.Second), OnlyOwner: d.OnlySendByOwner,
		Covered: d.Covered, Template: d.Template, Parameters: []parameterJSON{}, Boundaries: cli.OrEmpty(d.Boundaries),
		Policy: policyJSON{Size: j.Policy.Policy}, Verdict: j.Policy.Verdict, BoundaryPolicies: []boundaryJSON{}, Findings: j.Findings,
	}
	if j.Vendor != nil {
		doc.Vendor = j.Vendor.Name
	}
	if j.Plan != nil {
		doc.Digest, doc.Actions = j.Plan.Digest(), &j.Policy.Actions
	}
	doc.Policy.Document = rawOf(d.Document)
	if d.Document == nil {
		doc.Policy.Text = d.Text
	}
	for _, p := range d.Parameters {
		doc.Parameters = append(doc.Parameters, parameterJSON{p.Name, p.Type, cli.OrEmpty(p.Values)})
	}
	for _, b := range j.Boundaries {
		one := boundaryJSON{ARN: b.ARN, Unread: b.Unread, Document: rawOf(b.Document), Digest: b.Report.Policy.Digest,
			Findings: b.Report.Findings}
		if one.Findings == nil {
			one.Findings = []review.Finding{}
		}
		if b.Beyond != nil {
			one.Difference = policies.DiffOf(*b.Beyond)
		}
		doc.BoundaryPolicies = append(doc.BoundaryPolicies, one)
	}
	if j.Beyond != nil {
		doc.Difference = policies.DiffOf(*j.Beyond)
	}
	return doc
}

func rawOf(doc *policy.Document) json.RawMessage {
	if doc == nil {
		return nil
	}
	return json.RawMessage(doc.Pretty())
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}
