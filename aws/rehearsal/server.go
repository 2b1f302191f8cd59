// Package rehearsal is an AWS in a box: IAM, STS, CloudFormation and a
// little of Organizations and S3 over real HTTP, with the real limits, error texts and delays, so that the
// wizard can be tried from end to end without an account. One file holds each
// family of actions; a table leads from an action's name to its function.
package rehearsal

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options describe the account to rehearse in. Every zero value has a default.
type Options struct {
	Account     string        // twelve digits; 123456789012
	Partition   string        // aws
	Region      string        // where to say that it is; us-east-1
	Alias       string        // the account's alias; empty: none
	CallerARN   string        // who is signed in; a user named rehearsal
	Propagation time.Duration // until a new role can be assumed; 4 s; negative: none
	// LargestPage is the most that one page of a list holds, whatever was asked
	// for, as IAM may do; 0: no such bound.
	LargestPage int
	// Now is the clock by which what was made is listed, can be assumed and is
	// finished; nil: the wall clock.
	Now func() time.Time
	// Organization puts the account into an organisation with this management
	// account; empty: in none.
	Organization string
	// Members are further accounts of the organisation.
	Members []string
	// ReadsOrganization says that the account may read the organisation's policies
	// although it is not the management account, as a delegated administrator may.
	ReadsOrganization bool
	// Buckets are the S3 buckets that exist, with their owner's account number;
	// nil: every bucket that is asked for exists and is this account's.
	Buckets map[string]string
	// Beyond is what lies beyond the account; nil: nothing does.
	Beyond Beyond
}

// Target is what a client needs to reach a Server. It has the fields of
// aws.RehearsalTarget, so that one converts to the other.
type Target struct {
	Endpoint        string
	AccessKeyID     string
	SecretAccessKey string
	Region          string
}

// The key of a rehearsal, in the form of AWS's documentation examples.
const (
	accessKeyID     = "AKIAREHEARSALEXAMPLE"
	secretAccessKey = "rehearsal/secret/of/no/account/EXAMPLEKEY"
)

// Server is the rehearsal account. It is an http.Handler.
type Server struct {
	options Options

	mu       sync.Mutex
	state    state
	faults   []Fault
	mistakes []*mending
	calls    []Call
	expired  bool
	// What the organisation attached on the account's path, where it took AWS's own
	// policy away, and the regions in which STS was not activated.
	guardrails []attachedGuardrail
	closed     []string
	inactive   []string
	latency    time.Duration
	serial     int
	endpoint   string
	http       *http.Server
}

// New makes an empty account.
func New(o Options) *Server {
	if o.Account == "" {
		o.Account = "123456789012"
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Region == "" {
		o.Region = defaultRegion(o.Partition)
	}
	if o.CallerARN == "" {
		o.CallerARN = "arn:" + o.Partition + ":iam::" + o.Account + ":user/rehearsal"
	}
	switch {
	case o.Propagation == 0:
		o.Propagation = 4 * time.Second
	case o.Propagation < 0:
		o.Propagation = 0
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, state: newState()}
	s.addManagedPolicies()
	return s
}

func defaultRegion(partition string) string {
	switch partition {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	}
	return "us-east-1"
}

// Start listens on a free port of the loopback interface and serves until
// Close.
func (s *Server) Start() error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.endpoint = "http://" + l.Addr().String()
	s.mu.Unlock()
	go func() { _ = s.Serve(l) }()
	return nil
}

// Serve answers on l until Close. The listener can be an in-memory one, see
// Pipe; it gives nil after Close.
func (s *Server) Serve(l net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.mu.Lock()
	s.http = server
	if s.endpoint == "" {
		s.endpoint = "http://" + l.Addr().String()
	}
	s.mu.Unlock()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close stops serving and drops open connections.
func (s *Server) Close() error {
	s.mu.Lock()
	server := s.http
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	return server.Close()
}

// Target is how to reach the server; its Endpoint is known after Start or
// Serve.
func (s *Server) Target() Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Target{Endpoint: s.endpoint, AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey, Region: s.options.Region}
}

// Account is the account number.
func (s *Server) Account() string { return s.options.Account }

// Partition is the partition that the account is in.
func (s *Server) Partition() string { return s.options.Partition }

// Pipe gives a listener in memory and a client that reaches it, so that tests
// in virtual time (testing/synctest) still talk real HTTP. The address looks
// like a loopback one.
func Pipe() (net.Listener, *http.Client) {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	transport := &http.Transport{DialContext: l.dial}
	return l, &http.Client{Transport: transport}
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
