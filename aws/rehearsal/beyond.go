package rehearsal

import (
	"net/url"
	"strings"
	"time"
)

// Beyond is what an account meets beyond itself: an organisation with the
// accounts in it. Its methods are called with the account's lock held, one at a
// time.
type Beyond interface {
	// Answer answers a call in the place of the account; ok is false where the
	// account itself does. The result is marshalled as a service's own.
	Answer(r Request) (result any, refused *Refusal, ok bool)
	// Member is the account that an access key was given out for; nil: this one.
	Member(key string) *Server
}

// Request is one call as Beyond sees it.
type Request struct {
	Service, Action string
	Form            url.Values
	JSON            []byte // of Organizations
	Now             time.Time
}

// Refusal is an error that AWS answers with.
type Refusal struct {
	Status        int
	Code, Message string
}

// Error is the code and AWS's words.
func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// beyond asks what lies beyond the account first. The lock is held.
func (s *Server) beyond(req request) (any, *apiError, bool) {
	if s.options.Beyond == nil {
		return nil, nil, false
	}
	result, refused, ok := s.options.Beyond.Answer(Request{Service: req.service, Action: req.action, Form: req.form, JSON: req.json,
		Now: s.options.Now()})
	if refused != nil {
		return nil, &apiError{refused.Status, refused.Code, refused.Message}, true
	}
	return result, nil, ok
}

// member is the other account that a call is for; nil: this one.
func (s *Server) member(authorization string) *Server {
	if s.options.Beyond == nil {
		return nil
	}
	key, _, _ := strings.Cut(credentialOf(authorization), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Beyond.Member(key)
}

// Admit has the account take an access key as that of a role's session.
func (s *Server) Admit(key, arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.sessions[key] = caller{arn: arn, userID: "AROAREHEARSALEXAMPLE1:rehearsal"}
}

// Blueprint is a template that CloudFormation has read.
type Blueprint struct{ template *template }

// ReadBlueprint reads a template as CreateStack does.
func ReadBlueprint(text string) (*Blueprint, *Refusal) {
	t, err := readTemplate(text)
	if err != nil {
		return nil, refusalOf(err)
	}
	return &Blueprint{t}, nil
}

func refusalOf(err *apiError) *Refusal {
	if err == nil {
		return nil
	}
	return &Refusal{Status: err.status, Code: err.code, Message: err.message}
}

// Fill checks the values of the parameters and adds the defaults.
func (b *Blueprint) Fill(given map[string]string) (map[string]string, *Refusal) {
	filled, err := b.template.fill(given)
	return filled, refusalOf(err)
}

// Capability is what has to be acknowledged; empty: nothing.
func (b *Blueprint) Capability() string { return b.template.capability() }

// Roles are the names of the IAM roles that the template names.
func (b *Blueprint) Roles() []string {
	var names []string
	for _, r := range b.template.resources {
		if r.kind == kindRole {
			names = append(names, textOf(r.properties["RoleName"]))
		}
	}
	return names
}

// Locked does something while no request is answered.
func (s *Server) Locked(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}
