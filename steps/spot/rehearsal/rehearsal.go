// Package rehearsal is a Spot in a box: Spot's API with the shapes of its
// public Go SDK, over real HTTP on this machine. It holds accounts, mints
// external IDs, and takes a role only when the AWS that it is given lets it
// assume that role. It reads no environment, and nothing of it leaves this
// machine. It imports only the standard library.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// TrustedAccount is Spot's AWS account in the commercial partition, from which
// it assumes roles.
const TrustedAccount = "922761411349"

// Options say what the rehearsal begins with.
type Options struct {
	// Token is the one that it accepts; empty means "rehearsal".
	Token string
	// Accounts exist from the start.
	Accounts []Account
	// Seed gives other account IDs, external IDs and request IDs.
	Seed uint64
	// TrustedAccount assumes the roles; empty means TrustedAccount.
	TrustedAccount string
	// Assume tells whether that account may assume the role with the external
	// ID: aws/rehearsal's AssumeRole. Nil means that it may, always.
	Assume func(principalAccount, roleARN, externalID string) error
}

// Account is an account with what was done to it.
type Account struct {
	ID, Name, OrganizationID string
	ExternalID               string // empty until minted
	Role                     string // empty until handed over
}

// Server is an http.Handler that speaks Spot's API.
type Server struct {
	options Options
	mux     *http.ServeMux

	mu       sync.Mutex
	random   *rand.Rand
	accounts []Account
	faults   []Fault
	calls    []string
	listener net.Listener
	http     *http.Server
}

// New makes a server that does not listen yet.
func New(o Options) *Server {
	if o.Token == "" {
		o.Token = "rehearsal"
	}
	if o.TrustedAccount == "" {
		o.TrustedAccount = TrustedAccount
	}
	s := &Server{
		options:  o,
		random:   rand.New(rand.NewPCG(o.Seed, 0)), //nolint:gosec // a rehearsal must repeat itself
		accounts: append([]Account(nil), o.Accounts...),
	}
	s.mux = s.routes()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	return s
}

// Token is the one that the server accepts.
func (s *Server) Token() string { return s.options.Token }

// Start listens on a free port of the loopback address and serves in the
// background until Close.
func (s *Server) Start() error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the rehearsal's Spot: %w", err)
	}
	s.listen(listener)
	go s.Serve(listener) //nolint:errcheck // it ends with Close
	return nil
}

// Serve serves on a listener, which may be one in memory, until Close. It
// returns nil after Close.
func (s *Server) Serve(listener net.Listener) error {
	s.listen(listener)
	if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the rehearsal's Spot: %w", err)
	}
	return nil
}

func (s *Server) listen(listener net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener = listener
}

// URL is where the server listens, for ROLECALL_SPOT_URL; empty before Start or
// Serve.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String()
}

// Client reaches this server and nothing else: whatever the address, the proxy
// or the environment, it connects to where the server listens.
func (s *Server) Client() *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		s.mu.Lock()
		listener := s.listener
		s.mu.Unlock()
		if listener == nil {
			return nil, errors.New("the rehearsal's Spot has not started")
		}
		return new(net.Dialer).DialContext(ctx, listener.Addr().Network(), listener.Addr().String())
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: 30 * time.Second}
}

// Close ends the server and the connections to it.
func (s *Server) Close() error { return s.http.Close() }

// Accounts are the accounts as they are now.
func (s *Server) Accounts() []Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Account(nil), s.accounts...)
}

// Calls are the requests so far, such as "POST /setup/account".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

// Fault is trouble for the requests to come.
type Fault struct {
	Call   string        // only for this one, such as "POST /setup/credentials/aws"; empty: for each
	Times  int           // how many requests it hits; negative: all, until Clear
	Delay  time.Duration // before the answer
	Status int           // answered in place of the work; 0: the work is done
	// RetryAfter is how long the answer asks to wait; 0: it does not ask.
	RetryAfter time.Duration
	Drop       bool // the connection ends without an answer; the work is done where Status is 0
}

// Fail plans trouble. Faults are used up in the order in which they were given.
func (s *Server) Fail(fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fault)
}

// Clear ends the trouble that was planned.
func (s *Server) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault takes the fault that hits a call, if any.
func (s *Server) fault(call string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times != 0 && (f.Call == "" || f.Call == call) {
			f.Times = max(f.Times-1, -1)
			return *f
		}
	}
	return Fault{}
}

// account finds an account by its ID; the caller holds the lock.
func (s *Server) account(id string) *Account {
	for i := range s.accounts {
		if s.accounts[i].ID == id {
			return &s.accounts[i]
		}
	}
	return nil
}

const alphanumerics = "0123456789abcdefghijklmnopqrstuvwxyz"

// word draws letters and digits; the caller holds the lock.
func (s *Server) word(length int, from string) string {
	word := make([]byte, length)
	for i := range word {
		word[i] = from[s.random.IntN(len(from))]
	}
	return string(word)
}
