package rehearsal

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Delegation is a request of a product provider for temporary access, as the
// provider made it. What is empty has a default.
type Delegation struct {
	ID            string
	Requestor     string // account number
	RequestorName string
	Description   string
	Message       string
	RedirectURL   string

	Account string // whose access is asked for; this one
	Owner   string // ARN of who took it up; who is signed in. "-": nobody yet
	State   string // ASSIGNED; UNASSIGNED without an owner
	Expires time.Time

	Duration        time.Duration // 1 h
	OnlySendByOwner bool
	Template        string // ARN
	Parameters      []DelegationParameter
	Policy          string // the template filled in
	Boundaries      []string
	Covered         string // what the permission check ends with; ALLOWED

	// What no AWS should do, to see what a client does then: answer to another
	// account, and have another policy as soon as the request is accepted.
	Leaks   bool
	Becomes string

	approver, rejection string
	created, updated    time.Time
}

// DelegationParameter is a value of a template.
type DelegationParameter struct {
	Name, Type string
	Values     []string
}

// How long a request lives in a state, and the limits of decisions on it.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html
const (
	delegationLife = 7 * 24 * time.Hour
	unassignedLife = 24 * time.Hour
	longestByRoot  = 4 * time.Hour
	longestNote    = 500
)

// RequestDelegation has a product provider ask for access. It returns the
// request's ID. A request of the same ID is replaced, as if the provider had
// changed it.
func (s *Server) RequestDelegation(d Delegation) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	if d.ID == "" {
		id := hex.EncodeToString([]byte(s.newID("")))
		d.ID = fmt.Sprintf("%s-%s-%s-%s-%s", id[:8], id[8:12], id[12:16], id[16:20], id[20:32])
	}
	d.Account, d.Covered = cmp.Or(d.Account, s.options.Account), cmp.Or(d.Covered, "ALLOWED")
	life := delegationLife
	if d.Owner == "-" {
		d.Owner, d.State, life = "", cmp.Or(d.State, "UNASSIGNED"), unassignedLife
	} else {
		d.Owner, d.State = cmp.Or(d.Owner, s.options.CallerARN), cmp.Or(d.State, "ASSIGNED")
	}
	if d.Expires.IsZero() {
		d.Expires = now.Add(life)
	}
	d.Duration = cmp.Or(d.Duration, time.Hour)
	d.created, d.updated = now, now
	s.state.delegations[d.ID] = &d
	return d.ID
}

// DelegationState is the state of a request now; empty when there is none.
func (s *Server) DelegationState(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.state.delegations[id]; ok {
		return s.delegationState(d)
	}
	return ""
}

// delegationActions is the table of delegation requests, as the customer sees
// them.
func delegationActions() map[string]action {
	return map[string]action{
		"GetDelegationRequest": getDelegationRequest, "ListDelegationRequests": listDelegationRequests,
		"AcceptDelegationRequest": acceptDelegationRequest, "RejectDelegationRequest": rejectDelegationRequest,
		"SendDelegationToken": sendDelegationToken,
	}
}

func (s *Server) delegationState(d *Delegation) string {
	if !s.options.Now().Before(d.Expires) {
		return "EXPIRED"
	}
	return d.State
}

var (
	delegationIDPattern   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w-]{16,128}$`) })
	delegationNotePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\t\n\r -~\x{A1}-\x{FF}]*$`) })
)

// delegation finds a request that this account may see: one that has an owner
// account, of this one.
func (s *Server) delegation(q request) (*Delegation, *apiError) {
	id := q.form.Get("DelegationRequestId")
	if !delegationIDPattern().MatchString(id) {
		return nil, invalid(id, "delegationRequestId", `Member must satisfy regular expression pattern: [\w-]+`)
	}
	d, ok := s.state.delegations[id]
	if !ok || d.Account != s.options.Account && !d.Leaks {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("Delegation request %s cannot be found.", id)}
	}
	return d, nil
}

type delegationXML struct {
	DelegationRequestID string `xml:"DelegationRequestId"`
	OwnerAccountID      string `xml:"OwnerAccountId,omitempty"`
	OwnerID             string `xml:"OwnerId,omitempty"`
	ApproverID          string `xml:"ApproverId,omitempty"`
	State               string
	Description         string
	RequestMessage      string `xml:",omitempty"`
	RedirectURL         string `xml:"RedirectUrl,omitempty"`
	RejectionReason     string `xml:",omitempty"`
	RequestorID         string `xml:"RequestorId"`
	RequestorName       string
	CreateDate          string
	UpdatedTime         string
	ExpirationTime      string
	SessionDuration     int
	OnlySendByOwner     bool
	PermissionPolicy    string
	Permissions         delegationPermissionXML
	Restrictions        []string `xml:"RolePermissionRestrictionArns>member"`
}

type delegationPermissionXML struct {
	PolicyTemplateArn string
	Parameters        []delegationParameterXML `xml:"Parameters>member"`
}

type delegationParameterXML struct {
	Name   string
	Type   string
	Values []string `xml:"Values>member"`
}

func (s *Server) delegationXML(d *Delegation) delegationXML {
	x := delegationXML{DelegationRequestID: d.ID, OwnerAccountID: d.Account, OwnerID: d.Owner, ApproverID: d.approver,
		State:       s.delegationState(d),
		Description: d.Description, RequestMessage: d.Message, RedirectURL: d.RedirectURL, RejectionReason: d.rejection,
		RequestorID: d.Requestor, RequestorName: d.RequestorName, CreateDate: stamp(d.created), UpdatedTime: stamp(d.updated),
		ExpirationTime: stamp(d.Expires), SessionDuration: int(d.Duration / time.Second), OnlySendByOwner: d.OnlySendByOwner,
		PermissionPolicy: d.Policy, Permissions: delegationPermissionXML{PolicyTemplateArn: d.Template}, Restrictions: d.Boundaries}
	for _, p := range d.Parameters {
		x.Permissions.Parameters = append(x.Permissions.Parameters, delegationParameterXML(p))
	}
	return x
}

func getDelegationRequest(s *Server, q request) (any, *apiError) {
	d, err := s.delegation(q)
	if err != nil {
		return nil, err
	}
	out := struct {
		DelegationRequest     delegationXML
		PermissionCheckStatus string `xml:",omitempty"`
		PermissionCheckResult string `xml:",omitempty"`
	}{DelegationRequest: s.delegationXML(d)}
	if q.form.Get("DelegationPermissionCheck") == "true" {
		out.PermissionCheckStatus, out.PermissionCheckResult = "COMPLETE", d.Covered
	}
	return out, nil
}

// listDelegationRequests lists those that have an owner in this account.
func listDelegationRequests(s *Server, q request) (any, *apiError) {
	var all []*Delegation
	for _, id := range slices.Sorted(maps.Keys(s.state.delegations)) {
		d := s.state.delegations[id]
		owner := q.form.Get("OwnerId")
		if (d.Account == s.options.Account || d.Leaks) && d.Owner != "" && (owner == "" || owner == d.Owner) {
			all = append(all, d)
		}
	}
	list, p, err := paged(q, all)
	if err != nil {
		return nil, err
	}
	var out struct {
		DelegationRequests []delegationXML `xml:"DelegationRequests>member"`
		page
	}
	out.page = p
	for _, d := range list {
		out.DelegationRequests = append(out.DelegationRequests, s.delegationXML(d))
	}
	return out, nil
}

// move changes a request's state where it is in one of those that lead there.
func (s *Server) move(d *Delegation, to string, from ...string) *apiError {
	if state := s.delegationState(d); !slices.Contains(from, state) {
		return &apiError{http.StatusBadRequest, "InvalidInput", fmt.Sprintf("Delegation request %s is in the %s state.", d.ID, state)}
	}
	d.State, d.updated = to, s.options.Now()
	d.Expires = d.updated.Add(delegationLife)
	return nil
}

func acceptDelegationRequest(s *Server, q request) (any, *apiError) {
	d, err := s.delegation(q)
	if err != nil {
		return nil, err
	}
	caller := cmp.Or(q.caller.arn, s.arn("user/colleague"))
	if strings.HasSuffix(caller, ":root") && d.Duration > longestByRoot {
		return nil, &apiError{http.StatusBadRequest, "InvalidInput", "The root user cannot accept a delegation request with this session " +
			"duration."}
	}
	if err := s.move(d, "ACCEPTED", "ASSIGNED", "PENDING_APPROVAL"); err != nil {
		return nil, err
	}
	d.approver, d.Policy = caller, cmp.Or(d.Becomes, d.Policy)
	return nil, nil
}

func rejectDelegationRequest(s *Server, q request) (any, *apiError) {
	d, err := s.delegation(q)
	if err != nil {
		return nil, err
	}
	notes := q.form.Get("Notes")
	if len([]rune(notes)) > longestNote || !delegationNotePattern().MatchString(notes) {
		return nil, invalid(notes, "notes", "Member must have length less than or equal to 500")
	}
	if err := s.move(d, "REJECTED", "ASSIGNED", "PENDING_APPROVAL", "ACCEPTED"); err != nil {
		return nil, err
	}
	d.rejection = notes
	return nil, nil
}

func sendDelegationToken(s *Server, q request) (any, *apiError) {
	d, err := s.delegation(q)
	if err != nil {
		return nil, err
	}
	if d.OnlySendByOwner && q.caller.arn != d.Owner {
		return nil, &apiError{http.StatusForbidden, "AccessDenied", "Only the owner of the delegation request can send its token."}
	}
	if err := s.move(d, "FINALIZED", "ACCEPTED"); err != nil {
		return nil, err
	}
	return nil, nil
}
