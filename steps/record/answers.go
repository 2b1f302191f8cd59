// Package record is what is kept on disk: the saved session with its answers,
// the journal of writing calls, and the receipt of what was made. It stands on
// screen and plan, under everything that asks or makes.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/plan"
)

// Answers are what a person (or flags) decided, and nothing secret: they are
// the saved session, as JSON. Fields without a JSON name are observations of
// this run; after a resume they are looked up again.
type Answers struct {
	ID        string    `json:"session"`
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
	Rehearsal bool      `json:"rehearsal,omitempty"` // such a session never resumes against the real AWS

	Vendor string `json:"vendor"`
	Method string `json:"method"`
	Access string `json:"access"` // role or user

	VendorAccount     string `json:"vendor_account,omitempty"` // the vendor's own account ID: act-…
	VendorAccountName string `json:"vendor_account_name,omitempty"`
	NewVendorAccount  string `json:"new_vendor_account,omitempty"` // name of one to create
	ReplaceRole       bool   `json:"replace_role,omitempty"`       // --replace-role: another role held by the vendor may be replaced
	ByHand            bool   `json:"by_hand,omitempty"`            // the vendor's side goes by hand: no token

	Partition      string `json:"partition,omitempty"`
	TrustedAccount string `json:"trusted_account,omitempty"` // given by the person where the vendor's file names none

	Profile       string `json:"profile,omitempty"`
	Region        string `json:"region,omitempty"`
	GuideOnly     bool   `json:"guide_only,omitempty"` // no AWS credentials here: every look is the person's
	AccountID     string `json:"account_id,omitempty"` // confirmed by the person or pinned by a flag
	AccountPinned bool   `json:"account_pinned,omitempty"`
	// AccountFrom is the part whose pasted role ARN taught AccountID, where nobody
	// told the account; empty otherwise.
	AccountFrom string `json:"account_from,omitempty"`

	access.Selection
	access.Settings

	// Parts are the roles that the vendor gets, by purpose ("SpotinstRoleArn").
	Parts map[string]Part `json:"parts,omitempty"`

	// Stack is the CloudFormation stack that makes the roles, where one does.
	Stack Stack `json:"stack,omitzero"`

	// Across is what a session on an organisation chose beside; nil for any other.
	Across *Across `json:"across,omitempty"`

	// Plan binds the session to approved documents (see Plan.Binding); nil: none
	// does.
	Plan *plan.Plan `json:"plan,omitempty"`

	// Rests holds, for each step, the digest of the answers that its own answer
	// rests on. When those change, the step is Todo again.
	Rests map[StepID]string `json:"rests,omitempty"`

	Seen Seen `json:"-"`
}

// Across says which accounts of an organisation are meant, and how its StackSet
// goes about them.
type Across struct {
	Units    []string `json:"units,omitempty"`    // IDs or paths; with no accounts either: all of the organisation
	Accounts []string `json:"accounts,omitempty"` // numbers
	Tags     []string `json:"tags,omitempty"`     // k=v, of accounts
	// Tolerance and Concurrent are "N" or "P%"; Automatic deploys to new accounts.
	Tolerance  string `json:"failure_tolerance,omitempty"`
	Concurrent string `json:"concurrency,omitempty"`
	Automatic  bool   `json:"automatic,omitempty"`
	ExternalID string `json:"external_id,omitempty"` // of all accounts; empty: each has its own
}

// Stack is the CloudFormation stack of a session. ID and Token are hints: what
// became of it is looked up again.
type Stack struct {
	Name string `json:"name,omitempty"`
	Way  string `json:"way,omitempty"` // who makes it: rolecall, console or cli
	ID   string `json:"id,omitempty"`
	// Token is the ClientRequestToken of the last request that rolecall sent: it
	// marks the stack's events.
	Token string `json:"token,omitempty"`
	// Acknowledged says that a person accepts that CloudFormation makes IAM
	// resources (--acknowledge-iam-capabilities).
	Acknowledged bool `json:"acknowledged,omitempty"`
}

// Part is one role of the vendor with its policy.
type Part struct {
	// Needed says that something ticked needs this role.
	Needed bool `json:"needed,omitempty"`
	// NoPolicy says that the role needs AWS managed policies alone, and no policy
	// of the vendor's.
	NoPolicy   bool   `json:"no_policy,omitempty"`
	PolicyName string `json:"policy_name,omitempty"`
	RoleName   string `json:"role_name,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	// Principal is the ARN or account that the vendor showed once it had the role's
	// ARN. Closed is the external ID that nobody knows, which the role has until
	// then.
	Principal string `json:"principal,omitempty"`
	Closed    string `json:"closed,omitempty"`
	// Minted says that rolecall had the vendor mint ExternalID in this session.
	Minted bool `json:"minted,omitempty"`
	// NameGiven says that RoleName was given by a flag or chosen by the person:
	// then only that role counts.
	NameGiven bool `json:"role_name_given,omitempty"`

	// Policies are the policies that the role needs, as last seen: hints after a
	// resume. There is more than one only where one would be too large.
	Policies []PartPolicy `json:"policies,omitempty"`

	// What follows is of an IAM user, where the vendor gets one instead of a
	// role. The key's secret is in no answer: see Session.Secrets.
	UserName      string `json:"user_name,omitempty"`
	UserNameGiven bool   `json:"user_name_given,omitempty"` // then only that user counts
	UserARN       string `json:"user_arn,omitempty"`        // last seen
	UserID        string `json:"user_id,omitempty"`
	KeyID         string `json:"access_key_id,omitempty"`
	KeyMade       bool   `json:"access_key_made,omitempty"` // rolecall made KeyID in this session
	KeyKept       bool   `json:"access_key_kept,omitempty"` // and wrote its secret where the person wanted it

	RoleARN    string    `json:"role_arn,omitempty"` // last seen or pasted
	RoleID     string    `json:"role_id,omitempty"`
	Submitted  time.Time `json:"submitted,omitzero"` // when the vendor accepted RoleARN
	HandedOver bool      `json:"handed_over,omitempty"`
}

// PartPolicy is one policy of a Part.
type PartPolicy struct {
	Name       string `json:"name"`          // as suggested, or as found
	ARN        string `json:"arn,omitempty"` // empty until seen, and for an inline policy
	Digest     string `json:"digest"`        // of the wanted document
	Characters int    `json:"characters"`    // of the wanted document, as IAM counts them
}

// Digests are the digests of the wanted documents, in one text.
func (p Part) Digests() string {
	var all []string
	for _, one := range p.Policies {
		all = append(all, one.Digest)
	}
	return strings.Join(all, ",")
}

// PolicyARNs are the ARNs of the policies seen so far.
func (p Part) PolicyARNs() []string {
	var all []string
	for _, one := range p.Policies {
		if one.ARN != "" {
			all = append(all, one.ARN)
		}
	}
	return all
}

// Seen is what this run observed: never saved, so never trusted after a resume.
type Seen struct {
	Identity   *aws.Identity
	Alias      string
	Management bool // the account manages an organisation
	Parts      map[string]SeenPart
}

// SeenPart is what was observed of one role and its policy.
type SeenPart struct {
	Policies []aws.Policy // one for each wanted document, once all were found
	Provider bool         // the OIDC provider was seen, for the audience
	Report   *aws.Report
	User     *aws.UserReport
	Key      bool // the part's KeyID was seen among the user's active keys
}

// ChosenAccount is the account that steps before the role's rest on: not one that
// a pasted ARN taught after they were done.
func (a *Answers) ChosenAccount() string {
	if a.AccountFrom != "" {
		return ""
	}
	return a.AccountID
}

// Part returns the part for a purpose; the zero Part when there is none yet.
func (a *Answers) Part(purpose string) Part { return a.Parts[purpose] }

// SetPart changes one part and keeps the map of earlier copies as it was.
func (a *Answers) SetPart(purpose string, change func(*Part)) {
	parts := make(map[string]Part, len(a.Parts)+1)
	for k, v := range a.Parts {
		parts[k] = v
	}
	p := parts[purpose]
	change(&p)
	parts[purpose] = p
	a.Parts = parts
}

// SetSeen changes what was observed of one part.
func (a *Answers) SetSeen(purpose string, change func(*SeenPart)) {
	parts := make(map[string]SeenPart, len(a.Seen.Parts)+1)
	for k, v := range a.Seen.Parts {
		parts[k] = v
	}
	p := parts[purpose]
	change(&p)
	parts[purpose] = p
	a.Seen.Parts = parts
}

// Answered records that the step's answer rests on these values.
func (a *Answers) Answered(id StepID, basis ...string) {
	rests := make(map[StepID]string, len(a.Rests)+1)
	for k, v := range a.Rests {
		rests[k] = v
	}
	rests[id] = digestOf(basis)
	a.Rests = rests
}

// IsAnswered reports whether the step was answered and still rests on the same.
func (a *Answers) IsAnswered(id StepID, basis ...string) bool {
	return a.Rests[id] == digestOf(basis)
}

// Unanswered makes the step Todo.
func (a *Answers) Unanswered(id StepID) {
	rests := make(map[StepID]string, len(a.Rests))
	for k, v := range a.Rests {
		if k != id {
			rests[k] = v
		}
	}
	a.Rests = rests
}

// SortedPurposes are the parts' purposes in one order.
func SortedPurposes(parts map[string]Part) []string { return slices.Sorted(maps.Keys(parts)) }

func digestOf(values []string) string {
	sum := sha256.Sum256([]byte(strings.Join(values, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// PartNeeded reports whether something ticked needs the part.
func (a *Answers) PartNeeded(purpose string) bool {
	return a.Parts[purpose].Needed
}

// UserRight reports whether this run saw the part's user and found it right.
func (a *Answers) UserRight(purpose string) bool {
	report := a.Seen.Parts[purpose].User
	return report != nil && report.OK
}

// DocumentsBasis is what the documents of a role rest on.
func (a *Answers) DocumentsBasis() []string {
	return []string{a.Vendor, a.Partition, strings.Join(a.Bundles, ","), fmt.Sprint(a.Parameters), strings.Join(a.Regions, ","), a.RestrictTag}
}

// StepID names a step for good: saved sessions and scripts use it.
type StepID string
