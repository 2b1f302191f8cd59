// Package rehearse is an AWS account and a vendor inside the program, reached by
// real HTTP, for a session that leaves nothing behind.
package rehearse

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"rolecall/aws"
	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
	"rolecall/ui/cli"
)

// What a rehearsal begins with, so that enter alone leads through it. The
// numbers are those of AWS's documentation.
const (
	Account    = "123456789012"
	VendorName = "Rehearsal"
)

// Answers fills in what a real account would have to be asked for. The vendor's
// account in a partition where no page names it is asked of a person, as for a
// real account; where nobody can be asked, the rehearsal's vendor has one.
func Answers(s *step.Session, unattended bool) {
	s.Rehearsal, s.Unattended = true, unattended
	s.Profile, s.Region = "", ""
	if s.VendorAccount == "" && s.NewVendorAccount == "" && s.Vendor != nil {
		s.VendorAccount = s.Vendor.Account.Example
	}
	if partition := cmp.Or(s.Partition, describe.Commercial); s.TrustedAccount == "" && unattended && s.Vendor != nil {
		s.TrustedAccount = describe.SamplePrincipal(s.Vendor.Partitions[partition].Ask, partition)
	}
	if s.Vendor != nil {
		s.Prepare() // what a vendor's own console would tell
	}
}

// Rehearsal is an AWS and the vendors inside the program. An AWS account exists
// for each partition, made when it is first signed in to; a vendor, when its API
// is first opened.
type Rehearsal struct {
	account    string
	hurried    bool                // nobody looks on: what is only there to be felt is short
	session    *step.Session       // for words; never read in a call
	trusted    string              // the vendor's AWS account outside the commercial partition
	externalID string              // that a flag or a plan names for the vendor's account; empty: one is minted
	begins     []vendorapi.Account // the vendor's accounts; nil: the one of its description's example
	clock      func() time.Time

	mu      sync.Mutex
	servers map[string]*awsrehearsal.Server // by partition
	vendors map[string]vendorapi.Rehearsed  // by the API's name
	now     []Scenario                      // what is wrong
	trouble vendorapi.Trouble               // of it, for a vendor that takes a request
}

// hurriedPropagation is how long a new role takes to spread where nobody looks on:
// no time, since a look that comes too early costs seconds until the next one.
const hurriedPropagation = -1

// Start connects the session to an AWS and to vendors that are inside the
// program. What it needs of them starts when it is asked for. Unattended, AWS
// spreads what is new faster than a real one.
func Start(a *cli.App, s *step.Session, unattended bool) *Rehearsal {
	r := &Rehearsal{
		account:    s.AccountID,
		hurried:    unattended,
		session:    s,
		clock:      a.Env.Now,
		trusted:    s.TrustedAccount,
		externalID: knownExternalID(s),
		servers:    map[string]*awsrehearsal.Server{},
		vendors:    map[string]vendorapi.Rehearsed{},
	}
	if s.VendorAccount != "" {
		r.begins = []vendorapi.Account{{ID: s.VendorAccount, Name: VendorName, OrganizationID: "org-rehearsal"}}
	} else if s.NewVendorAccount != "" {
		r.begins = []vendorapi.Account{}
	}
	s.Post, s.Scenarios = r.takes, r
	s.Profiles = func() ([]aws.Profile, error) { return []aws.Profile{}, nil }
	s.OpenAPI = func(name string, _ screen.Secret) (vendorapi.Client, error) { return r.vendor(name, s.Vendor) }
	s.OpenAWS = func(ctx context.Context, _, _ string) (*aws.Account, error) {
		server, err := r.server(s.Partition, s.TrustedAccount)
		if err != nil {
			return nil, err
		}
		if s.Vendor != nil {
			for i := range s.Vendor.Roles {
				role := &s.Vendor.Roles[i]
				server.AddManagedPolicies(role.ManagedNames(s.Parameters)...)
				server.AddCustomerPolicies(role.ManagedARNs(s.Partition, s.Parameters)...)
			}
		}
		target := aws.RehearsalTarget(server.Target())
		return aws.Open(
			ctx,
			aws.Options{Rehearsal: &target, PinAccount: r.account, UserAgent: "rolecall/" + cli.Version(), Now: a.Env.Now, After: a.Env.After},
		)
	}
	return r
}

// vendor is the client of a vendor's API, whose server is started when it is
// first needed; nil where the program has no such server.
func (r *Rehearsal) vendor(name string, v *describe.Vendor) (vendorapi.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if running, ok := r.vendors[name]; ok {
		return running.Client, nil
	}
	api, ok := steps.APIs().Find(name)
	if !ok || api.Rehearse == nil {
		return nil, nil //nolint:nilnil // the session takes nil for "by hand"
	}
	accounts := r.begins
	if accounts == nil && v.Account.Example != "" {
		accounts = []vendorapi.Account{{ID: v.Account.Example, Name: VendorName}}
	}
	running, err := api.Rehearse(vendorapi.Rehearsal{Accounts: accounts, ExternalID: r.externalID, Assume: r.assume})
	if err != nil {
		return nil, err
	}
	r.vendors[name] = running
	if running.Trouble != nil {
		running.Trouble(r.trouble)
	}
	return running.Client, nil
}

// knownExternalID is what a flag or a plan says that the vendor's account has;
// empty where nothing does, and one is minted.
func knownExternalID(s *step.Session) string {
	if s.Vendor == nil {
		return ""
	}
	for _, role := range s.Request().Needed() {
		if role.Submit {
			return s.Part(role.Purpose).ExternalID
		}
	}
	return ""
}

// server is the account of a partition, started when it is first needed. The
// vendor's account there is what the person said.
func (r *Rehearsal) server(partition, trusted string) (*awsrehearsal.Server, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trusted = trusted
	if server := r.servers[partition]; server != nil {
		return server, nil
	}
	o := awsrehearsal.Options{Account: r.account, Partition: partition, Alias: "rehearsal", Now: r.clock}
	if r.hurried {
		o.Propagation = hurriedPropagation
	}
	server := awsrehearsal.New(o)
	if err := server.Start(); err != nil {
		return nil, err
	}
	r.servers[partition] = server
	r.spoil(server)
	return server, nil
}

// assume is the vendor trying a role: in the partition of the role, from the
// vendor's account there.
func (r *Rehearsal) assume(principal, roleARN, externalID string) error {
	arn, ok := aws.SplitARN(roleARN)
	if !ok {
		return errors.New("not the ARN of a role")
	}
	r.mu.Lock()
	server, outside := r.servers[arn.Partition], slices.ContainsFunc(r.now, func(c Scenario) bool { return c.outside })
	if arn.Partition != describe.Commercial {
		principal = r.trusted
	}
	r.mu.Unlock()
	if server == nil || outside && arn.Partition != describe.Commercial {
		return errors.New("no account in this partition")
	}
	return server.AssumeRole(principal, roleARN, externalID)
}

// takes stands in for the server of a vendor's file: it is on this machine,
// whatever address the file names, and takes any JSON object by real HTTP.
func (r *Rehearsal) takes(ctx context.Context, _, body string) (int, string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, "", err
	}
	server := &http.Server{ReadHeaderTimeout: cli.VendorWait, Handler: http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		var object map[string]any
		if err := json.NewDecoder(request.Body).Decode(&object); err != nil {
			http.Error(out, "no JSON object", http.StatusBadRequest)
			return
		}
		if t := r.meet(); t.Status != 0 {
			if t.RetryAfter > 0 {
				out.Header().Set("Retry-After", strconv.Itoa(int(t.RetryAfter.Seconds())))
			}
			http.Error(out, http.StatusText(t.Status), t.Status)
			return
		}
		_, _ = io.WriteString(out, "taken") // the program itself reads it
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	direct := &http.Client{Timeout: cli.VendorWait, Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	return cli.Post(ctx, direct, "http://"+listener.Addr().String(), body)
}

// Close ends what was started.
func (r *Rehearsal) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, server := range r.servers {
		_ = server.Close() // the program ends, and with it the listener
	}
	for _, running := range r.vendors {
		_ = running.Close()
	}
}
