package rehearsal

import (
	"net/http"
	"slices"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind int

// The kinds of a Fault.
const (
	Denied     FaultKind = iota // AccessDenied, as without the permission
	DeniedSCP                   // AccessDenied by a service control policy
	Throttled                   // Throttling: Rate exceeded
	Broken                      // 500 ServiceFailure
	Away                        // 503 ServiceUnavailable
	DropBefore                  // the connection breaks before anything was done
	DropAfter                   // the connection breaks after it was done
)

// Fault makes calls go wrong. Without Actions it hits every action; with Times
// 0 it stays until ClearFaults.
type Fault struct {
	Kind    FaultKind
	Actions []string // "iam:CreateRole"
	Times   int
}

// Call is one request that came in.
type Call struct {
	Action string // "iam:ListRoles"
	At     time.Time
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	s.faults = append(s.faults, f)
}

// Deny takes permissions away from the caller: Inject with Denied.
func (s *Server) Deny(actions ...string) { s.Inject(Fault{Kind: Denied, Actions: actions}) }

// ClearFaults ends all faults and gives every permission back.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// ExpireCredentials makes every call fail with ExpiredToken until
// RenewCredentials.
func (s *Server) ExpireCredentials() { s.setExpired(true) }

// RenewCredentials undoes ExpireCredentials.
func (s *Server) RenewCredentials() { s.setExpired(false) }

func (s *Server) setExpired(expired bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expired = expired
}

// SetLatency delays every answer.
func (s *Server) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// Calls are all requests so far, those that failed included.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// fault takes the first fault that hits an action; false when none does. The
// lock is held.
func (s *Server) fault(action string) (FaultKind, bool) {
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times == 0 || len(f.Actions) > 0 && !slices.Contains(f.Actions, action) {
			continue
		}
		f.Times--
		if f.Times < 0 {
			f.Times = -1
		}
		return f.Kind, true
	}
	return 0, false
}

// faultError is what AWS would answer, nil for faults of the connection.
func (s *Server) faultError(kind FaultKind, r request) *apiError {
	action := r.full()
	user := "User: " + r.caller.arn + " is not authorized to perform: " + action
	switch kind {
	case Denied:
		return &apiError{http.StatusForbidden, "AccessDenied",
			user + " on resource: " + s.deniedResource(action) + " because no identity-based policy allows the " + action + " action"}
	case DeniedSCP:
		return &apiError{
			http.StatusForbidden,
			"AccessDenied",
			user + " on resource: " + s.deniedResource(action) + " with an explicit deny in a service control policy",
		}
	case Throttled:
		return &apiError{http.StatusBadRequest, "Throttling", "Rate exceeded"}
	case Broken:
		return &apiError{
			http.StatusInternalServerError,
			"ServiceFailure",
			"The request processing has failed because of an unknown error, exception or failure.",
		}
	case Away:
		return &apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unable to handle request."}
	}
	return nil
}

func (s *Server) deniedResource(action string) string {
	if slices.Contains([]string{"iam:ListRoles", "iam:GetRole", "iam:CreateRole"}, action) {
		return "arn:" + s.options.Partition + ":iam::" + s.options.Account + ":role/"
	}
	return "*"
}
