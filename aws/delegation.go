package aws

import (
	"context"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rolecall/policy"
)

// What AWS documents about delegation requests.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html
// and https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-policy-templates.html
const (
	// LongestDelegation is how long delegated access lasts at most.
	LongestDelegation = 12 * time.Hour
	// LongestByRoot is the longest delegation that the account's root user may
	// approve.
	LongestByRoot = 4 * time.Hour
	// MaxDelegationPolicy is how many characters the policy of a request has at
	// most, its template filled in.
	MaxDelegationPolicy = 2048
	// MaxDelegationNote is how many characters a reason for rejecting has at most.
	MaxDelegationNote = 500
)

// DelegationState says how far a delegation request has come.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html
type DelegationState string

// The states of a Delegation.
const (
	DelegationUnassigned DelegationState = "UNASSIGNED"       // nobody of an account took it up
	DelegationAssigned   DelegationState = "ASSIGNED"         // it waits to be decided on
	DelegationPending    DelegationState = "PENDING_APPROVAL" // it was forwarded to somebody who may decide
	DelegationAccepted   DelegationState = "ACCEPTED"         // approved; the requestor has no access yet
	DelegationFinalized  DelegationState = "FINALIZED"        // the requestor has, or had, access
	DelegationRejected   DelegationState = "REJECTED"
	DelegationExpired    DelegationState = "EXPIRED"
)

// Delegation is a request of a product provider for temporary access to an
// account. Its texts are the requestor's, cleaned for a screen.
type Delegation struct {
	ID    string
	State DelegationState

	Requestor     string // account number
	RequestorName string // what it calls itself
	Description   string // what it wants, in general
	Message       string // and this time
	RedirectURL   string // where the console leads after the decision

	AccountID string // whose access is asked for; empty while the request is of no account
	Owner     string // ARN of who took it up; empty while nobody did
	Approver  string // ARN of who accepted it
	Notes     string // of who forwarded it
	Rejection string // why it was rejected

	Created, Updated time.Time
	Expires          time.Time     // of the request, in its state; zero when AWS does not say
	Duration         time.Duration // of the access, from when its token was sent
	OnlySendByOwner  bool          // nobody but Owner may send the token

	Template   string // ARN of the policy template
	Parameters []DelegationParameter
	Text       string           // the permissions policy, the template filled in
	Document   *policy.Document // Text parsed; nil where it is none that AWS takes
	Boundaries []string         // ARNs of the permissions boundaries for roles that it may create

	// Covered is what AWS thinks about whether the caller has the permissions that
	// would be delegated: ALLOWED, DENIED or UNSURE; empty when AWS did not say.
	Covered string
}

// DelegationParameter is a value that the template was filled in with.
type DelegationParameter struct {
	Name   string
	Type   string // "string" or "stringList"
	Values []string
}

// Delegation gets one request, and asks AWS to check meanwhile whether the
// caller's permissions cover it: one request, which changes nothing. Kind
// NotFound when there is none.
func (a *Account) Delegation(ctx context.Context, id string) (Delegation, error) {
	out, err := a.iam().GetDelegationRequest(ctx, &iam.GetDelegationRequestInput{DelegationRequestId: &id, DelegationPermissionCheck: true})
	if err != nil {
		return Delegation{}, a.fail(err, "iam:GetDelegationRequest", "get delegation request %s", cleanText(id))
	}
	if out.DelegationRequest == nil {
		return Delegation{}, refuse(NotFound, "AWS answered without a delegation request.", "delegation request "+id, "Check the ID.")
	}
	d := newDelegation(*out.DelegationRequest)
	// The SDK's model says COMPLETE, its comment and the reference COMPLETED.
	if strings.HasPrefix(string(out.PermissionCheckStatus), string(types.PermissionCheckStatusTypeComplete)) {
		d.Covered = cleanText(string(out.PermissionCheckResult))
	}
	return d, nil
}

// Delegations lists one page of the requests that somebody of the account took
// up: one request. next asks for the following page; empty: this is the last.
func (a *Account) Delegations(ctx context.Context, marker string) (page []Delegation, next string, err error) {
	in := &iam.ListDelegationRequestsInput{}
	if marker != "" {
		in.Marker = &marker
	}
	out, err := a.iam().ListDelegationRequests(ctx, in)
	if err != nil {
		return nil, "", a.fail(err, "iam:ListDelegationRequests", "list delegation requests")
	}
	for _, d := range out.DelegationRequests {
		page = append(page, newDelegation(d))
	}
	if out.IsTruncated {
		next = awssdk.ToString(out.Marker)
	}
	return page, next, nil
}

// AcceptDelegation accepts a request: one request. The requestor has no access
// before SendDelegationToken.
func (a *Account) AcceptDelegation(ctx context.Context, id string) error {
	_, err := a.iam().AcceptDelegationRequest(ctx, &iam.AcceptDelegationRequestInput{DelegationRequestId: &id}, once)
	return a.fail(err, "iam:AcceptDelegationRequest", "accept delegation request %s", cleanText(id))
}

// RejectDelegation rejects a request, also an accepted one whose token was not
// sent: one request. notes may be empty.
func (a *Account) RejectDelegation(ctx context.Context, id, notes string) error {
	in := &iam.RejectDelegationRequestInput{DelegationRequestId: &id}
	if notes != "" {
		in.Notes = &notes
	}
	_, err := a.iam().RejectDelegationRequest(ctx, in, once)
	return a.fail(err, "iam:RejectDelegationRequest", "reject delegation request %s", cleanText(id))
}

// SendDelegationToken gives the requestor of an accepted request its access:
// one request. The request cannot be rejected any more then.
func (a *Account) SendDelegationToken(ctx context.Context, id string) error {
	_, err := a.iam().SendDelegationToken(ctx, &iam.SendDelegationTokenInput{DelegationRequestId: &id}, once)
	return a.fail(err, "iam:SendDelegationToken", "send the token of delegation request %s", cleanText(id))
}

func newDelegation(d types.DelegationRequest) Delegation {
	text := func(s *string) string { return cleanText(awssdk.ToString(s)) }
	out := Delegation{
		ID: text(d.DelegationRequestId), State: DelegationState(cleanText(string(d.State))),
		Requestor: text(d.RequestorId), RequestorName: text(d.RequestorName), Description: text(d.Description), Message: text(d.RequestMessage),
		RedirectURL: text(d.RedirectUrl), AccountID: text(d.OwnerAccountId), Owner: text(d.OwnerId), Approver: text(d.ApproverId),
		Notes: text(d.Notes), Rejection: text(d.RejectionReason),
		Created: awssdk.ToTime(d.CreateDate), Updated: awssdk.ToTime(d.UpdatedTime), Expires: awssdk.ToTime(d.ExpirationTime),
		Duration: time.Duration(awssdk.ToInt32(d.SessionDuration)) * time.Second, OnlySendByOwner: d.OnlySendByOwner,
	}
	out.Text, out.Document = decodeDocument(awssdk.ToString(d.PermissionPolicy), policy.Identity)
	if p := d.Permissions; p != nil {
		out.Template = text(p.PolicyTemplateArn)
		for _, one := range p.Parameters {
			values := make([]string, len(one.Values))
			for i, value := range one.Values {
				values[i] = cleanAll(value)
			}
			out.Parameters = append(out.Parameters, DelegationParameter{Name: text(one.Name), Type: cleanText(string(one.Type)), Values: values})
		}
	}
	for _, arn := range d.RolePermissionRestrictionArns {
		out.Boundaries = append(out.Boundaries, cleanAll(arn))
	}
	return out
}
