// Package rehearse is an AWS account and a vendor inside the program, reached by
// real HTTP, for a session that leaves nothing behind.
package rehearse

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"

	"rolecall/aws"
	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/steps/describe"
	"rolecall/steps/spot"
	spotrehearsal "rolecall/steps/spot/rehearsal"
	"rolecall/steps/step"
	"rolecall/ui/cli"
)

// What a rehearsal begins with, so that enter alone leads through it. The
// numbers are those of AWS's documentation.
const (
	Account          = "123456789012"
	rehearsalTrusted = "444455556666" // the vendor's account where its description names none
	VendorAccount    = "act-12ab12ab"
	VendorName       = "Rehearsal"
)

// Answers fills in what a real account would have to be asked for.
func Answers(s *step.Session) {
	s.Rehearsal = true
	s.Profile, s.Region = "", ""
	if s.VendorAccount == "" && s.NewVendorAccount == "" {
		s.VendorAccount = VendorAccount
	}
	if s.TrustedAccount == "" {
		s.TrustedAccount = rehearsalTrusted
	}
	if s.Vendor != nil {
		s.Prepare() // what a vendor's own console would tell
	}
}

// World is an AWS and a vendor inside the program. An account exists
// for each partition, made when it is first signed in to.
type World struct {
	account string
	vendor  *spotrehearsal.Server

	mu      sync.Mutex
	servers map[string]*awsrehearsal.Server // by partition
}

// Start starts the vendor and connects the session to both.
func Start(a *cli.App, s *step.Session) (*World, error) {
	w := &World{account: s.AccountID, servers: map[string]*awsrehearsal.Server{}}
	trusted := s.TrustedAccount
	options := spotrehearsal.Options{Assume: func(principal, roleARN, externalID string) error {
		return w.assume(principal, trusted, roleARN, externalID)
	}}
	if s.VendorAccount != "" {
		options.Accounts = []spotrehearsal.Account{{ID: s.VendorAccount, Name: VendorName, OrganizationID: "org-rehearsal"}}
	}
	w.vendor = spotrehearsal.New(options)
	if err := w.vendor.Start(); err != nil {
		return nil, err
	}
	client, err := spot.New(spot.Options{BaseURL: w.vendor.URL(), Token: spot.Token(w.vendor.Token()), HTTPClient: w.vendor.Client()})
	if err != nil {
		return nil, errors.Join(err, w.vendor.Close())
	}
	s.API, s.Post = client, takes
	s.Profiles = func() ([]aws.Profile, error) { return []aws.Profile{}, nil }
	s.OpenAWS = func(ctx context.Context, _, _ string) (*aws.Account, error) {
		server, err := w.server(s.Partition)
		if err != nil {
			return nil, err
		}
		if s.Vendor != nil {
			for i := range s.Vendor.Roles {
				server.AddManagedPolicies(s.Vendor.Roles[i].ManagedPolicies...)
			}
		}
		target := aws.RehearsalTarget(server.Target())
		return aws.Open(ctx, aws.Options{Rehearsal: &target, PinAccount: w.account, UserAgent: "rolecall/" + cli.Version()})
	}
	return w, nil
}

// server is the account of a partition, started when it is first needed.
func (w *World) server(partition string) (*awsrehearsal.Server, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if server := w.servers[partition]; server != nil {
		return server, nil
	}
	server := awsrehearsal.New(awsrehearsal.Options{Account: w.account, Partition: partition, Alias: "rehearsal"})
	if err := server.Start(); err != nil {
		return nil, err
	}
	w.servers[partition] = server
	return server, nil
}

// assume is the vendor trying a role: in the partition of the role, from the
// vendor's account there.
func (w *World) assume(principal, trusted, roleARN, externalID string) error {
	arn, ok := aws.SplitARN(roleARN)
	if !ok {
		return errors.New("not the ARN of a role")
	}
	if arn.Partition != describe.Commercial {
		principal = trusted
	}
	w.mu.Lock()
	server := w.servers[arn.Partition]
	w.mu.Unlock()
	if server == nil {
		return errors.New("no account in this partition")
	}
	return server.AssumeRole(principal, roleARN, externalID)
}

// takes stands in for the server of a vendor's file: it is on this machine,
// whatever address the file names, and takes any JSON object by real HTTP.
func takes(ctx context.Context, _, body string) (int, string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, "", err
	}
	server := &http.Server{ReadHeaderTimeout: cli.VendorWait, Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		var object map[string]any
		if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
			http.Error(out, "no JSON object", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(out, "taken") // the program itself reads it
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	direct := &http.Client{Timeout: cli.VendorWait, Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	return cli.Post(ctx, direct, "http://"+listener.Addr().String(), body)
}

func (w *World) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, server := range w.servers {
		_ = server.Close() // the program ends, and with it the listener
	}
	_ = w.vendor.Close()
}
