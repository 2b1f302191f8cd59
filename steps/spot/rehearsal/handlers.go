package rehearsal

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxBody bounds what a request may send.
const maxBody = 64 << 10

// reply is what a handler has to say: items, or a remark with a status.
type reply struct {
	status int // 0 means 200
	items  []any
	remark remark
}

type remark struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

func refuse(status int, code, message, field string) reply {
	return reply{status: status, remark: remark{Code: code, Message: message, Field: field}}
}

func ok(items ...any) reply { return reply{items: items} }

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]func(*http.Request) reply{
		"GET /setup/account":                              s.listAccounts,
		"POST /setup/account":                             s.createAccount,
		"GET /setup/account/{account}":                    s.readAccount,
		"DELETE /setup/account/{account}":                 s.deleteAccount,
		"POST /setup/credentials/aws/externalId":          s.mintExternalID,
		"GET /setup/credentials/aws/externalId/{account}": s.readExternalID,
		"POST /setup/credentials/aws":                     s.submitRole,
		"GET /setup/credentials/aws":                      s.readRole,
		"/": func(*http.Request) reply {
			return refuse(http.StatusNotFound, "NOT_FOUND", "There is no such call.", "")
		},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, handler(r)) })
	}
	return mux
}

// ServeHTTP answers as Spot's API does, after the faults that were planned.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := s.fault(r.Method + " " + r.URL.Path)
	if !wait(r, fault.Delay) {
		return
	}
	if fault.Drop {
		if fault.Status == 0 && s.authorized(r) {
			s.mux.ServeHTTP(discard{http.Header{}}, r)
		}
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's own way to end a connection
	}
	switch {
	case fault.Status != 0:
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(fault.RetryAfter.Seconds()))))
		}
		s.answer(w, troubled(fault.Status))
	case !s.authorized(r):
		s.answer(w, refuse(http.StatusUnauthorized, "UNAUTHORIZED", "The token is not valid.", ""))
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// troubled is what Spot says with a status that was planned.
func troubled(status int) reply {
	switch status {
	case http.StatusBadRequest:
		return notValid()
	case http.StatusTooManyRequests:
		return refuse(status, "TOO_MANY_REQUESTS", "Too many requests. Try again later.", "")
	}
	return refuse(status, "GENERAL_ERROR", "The request could not be processed.", "")
}

// notValid is all that Spot says of a role that it cannot assume.
func notValid() reply {
	return refuse(http.StatusBadRequest, "INVALID_CREDENTIALS", "The credentials are not valid.", "")
}

func wait(r *http.Request, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (s *Server) authorized(r *http.Request) bool {
	given := []byte(r.Header.Get("Authorization"))
	return subtle.ConstantTimeCompare(given, []byte("Bearer "+s.options.Token)) == 1
}

// discard takes an answer that nobody will read.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// answer writes the envelope that all of Spot's answers have.
func (s *Server) answer(w http.ResponseWriter, r reply) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	s.mu.Lock()
	id := s.word(32, "0123456789abcdef")
	s.mu.Unlock()
	inner := map[string]any{
		"status": map[string]any{"code": r.status, "message": http.StatusText(r.status)},
		"kind":   "spotinst:setup", "count": len(r.items), "items": append([]any{}, r.items...),
	}
	if r.status != http.StatusOK {
		inner["errors"] = []remark{r.remark}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"request": map[string]any{"id": id}, "response": inner}) // the other side is gone then
}

func item(a *Account) map[string]any {
	return map[string]any{"id": a.ID, "name": a.Name, "organizationId": a.OrganizationID, "cloudProvider": "AWS"}
}

func (s *Server) listAccounts(*http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := ok()
	for i := range s.accounts {
		r.items = append(r.items, item(&s.accounts[i]))
	}
	return r
}

func (s *Server) createAccount(r *http.Request) reply {
	var body struct {
		Account struct {
			Name string `json:"name"`
		} `json:"account"`
	}
	if !decode(r, &body) {
		return malformed()
	}
	if !strings.ContainsFunc(body.Account.Name, unicode.IsLetter) {
		return refuse(http.StatusBadRequest, "VALIDATION", "The name of an account needs a letter.", "account.name")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts = append(
		s.accounts,
		Account{ID: "act-" + s.word(8, "0123456789abcdef"), Name: body.Account.Name, OrganizationID: "606079874010"},
	)
	return ok(item(&s.accounts[len(s.accounts)-1]))
}

// with runs a handler on one account, under the lock.
func (s *Server) with(id string, do func(*Account) reply) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(id)
	if a == nil {
		return refuse(http.StatusNotFound, "NOT_FOUND", "There is no such account.", "accountId")
	}
	return do(a)
}

func (s *Server) readAccount(r *http.Request) reply {
	return s.with(r.PathValue("account"), func(a *Account) reply { return ok(item(a)) })
}

func (s *Server) deleteAccount(r *http.Request) reply {
	id := r.PathValue("account")
	return s.with(id, func(*Account) reply {
		s.accounts = slices.DeleteFunc(s.accounts, func(a Account) bool { return a.ID == id })
		return ok()
	})
}

// mintExternalID gives a new one each time; the old one counts no more.
func (s *Server) mintExternalID(r *http.Request) reply {
	return s.with(r.URL.Query().Get("accountId"), func(a *Account) reply {
		a.ExternalID = "spotinst:aws:extid:" + s.word(16, alphanumerics)
		return ok(map[string]any{"externalId": a.ExternalID})
	})
}

func (s *Server) readExternalID(r *http.Request) reply {
	return s.with(r.PathValue("account"), func(a *Account) reply {
		if a.ExternalID == "" {
			return ok()
		}
		return ok(map[string]any{"externalId": a.ExternalID})
	})
}

func (s *Server) readRole(r *http.Request) reply {
	return s.with(r.URL.Query().Get("accountId"), func(a *Account) reply {
		if a.Role == "" {
			return ok()
		}
		return ok(map[string]any{"iamRole": a.Role})
	})
}

// submitRole tries to assume the role and says nothing of why it could not.
func (s *Server) submitRole(r *http.Request) reply {
	var body struct {
		Credentials struct {
			IAMRole string `json:"iamRole"`
		} `json:"credentials"`
	}
	if !decode(r, &body) {
		return malformed()
	}
	id, role := r.URL.Query().Get("accountId"), body.Credentials.IAMRole
	if ok, _ := regexp.MatchString(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`, role); !ok {
		return refuse(http.StatusBadRequest, "VALIDATION", "The value is not the ARN of a role.", "credentials.iamRole")
	}
	externalID := ""
	if found := s.with(id, func(a *Account) reply { externalID = a.ExternalID; return ok() }); found.status != 0 {
		return found
	}
	// AWS is asked without the lock: it may take its time.
	if s.options.Assume != nil && s.options.Assume(s.options.TrustedAccount, role, externalID) != nil {
		return notValid()
	}
	return s.with(id, func(a *Account) reply {
		a.Role = role
		return ok(map[string]any{"iamRole": role})
	})
}

func malformed() reply {
	return refuse(http.StatusBadRequest, "VALIDATION", "The body is not what this call takes.", "")
}

// decode reads a body strictly: a client that sends anything else has a fault.
func decode(r *http.Request, into any) bool {
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && d.Decode(into) == nil
}
