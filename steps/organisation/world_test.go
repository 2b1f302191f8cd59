package organisation_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/aws"
	cloud "rolecall/aws/organisation"
	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps"
	"rolecall/steps/access"
	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/vendorapi"
)

// clock goes on when somebody waits, and not else.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	out := make(chan time.Time, 1)
	out <- c.now
	return out
}

// vendor is a vendor's API in memory, which counts and can be rude.
type vendor struct {
	mu       sync.Mutex
	now      func() time.Time
	assume   func(principal, arn, id string) error
	accounts []vendorapi.Account
	ids      map[string]string
	roles    map[string]string
	minted   map[string]int
	calls    int
	free     time.Time         // before that it answers 429
	every    int               // each nth call is answered by 429; 0: none
	refused  int               // asked before the time that it named
	slowed   int               // how often it named one
	kill     func(call string) // before and after each writing call
}

// killAt has the program die at a call, which is said before and after it.
func (w *world) killAt(when func(call string) bool) {
	w.vendor.kill = func(call string) {
		if when(call) {
			panic(errKilled) // the program is killed there
		}
	}
}

// dying sends requests on and dies before or after the one that begins stacks.
type dying struct {
	next http.RoundTripper
	w    *world
}

func (d dying) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return d.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	begins := err == nil && strings.Contains(string(body), "Action=CreateStackInstances")
	if begins {
		d.w.vendor.kill("before stacks")
	}
	response, err := d.next.RoundTrip(r)
	if begins && err == nil {
		d.w.vendor.kill("after stacks")
	}
	return response, err
}

func newVendor(c *clock, assume func(principal, arn, id string) error) *vendor {
	return &vendor{now: c.Now, assume: assume, ids: map[string]string{}, roles: map[string]string{}, minted: map[string]int{},
		kill: func(string) {}}
}

func (v *vendor) call() error {
	v.calls++
	if v.now().Before(v.free) { // what was under way when it said so is no fault
		v.refused++
		return &vendorapi.Error{Vendor: vendorapi.Vendor{Title: "Spot"}, Op: "call", Status: http.StatusTooManyRequests,
			RetryAfter: v.free.Sub(v.now())}
	}
	if v.every > 0 && v.calls%v.every == 0 {
		v.free = v.now().Add(7 * time.Second)
		v.slowed++
		return &vendorapi.Error{Vendor: vendorapi.Vendor{Title: "Spot"}, Op: "call", Status: http.StatusTooManyRequests,
			RetryAfter: 7 * time.Second}
	}
	return nil
}

func (v *vendor) Accounts(context.Context) ([]vendorapi.Account, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]vendorapi.Account(nil), v.accounts...), v.call()
}

func (v *vendor) CreateAccount(_ context.Context, name string) (vendorapi.Account, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.kill("before create account")
	if err := v.call(); err != nil {
		return vendorapi.Account{}, err
	}
	a := vendorapi.Account{ID: fmt.Sprintf("act-%08d", len(v.accounts)+1), Name: name}
	v.accounts = append(v.accounts, a)
	v.kill("after create account")
	return a, nil
}

func (v *vendor) ExternalID(_ context.Context, account string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ids[account], v.call()
}

func (v *vendor) MintExternalID(_ context.Context, account string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.kill("before mint")
	if err := v.call(); err != nil {
		return "", err
	}
	v.minted[account]++
	v.ids[account] = fmt.Sprintf("spotinst:aws:extid:%s-%d", account, v.minted[account])
	v.kill("after mint")
	return v.ids[account], nil
}

func (v *vendor) Role(_ context.Context, account string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.roles[account], v.call()
}

func (v *vendor) SubmitRole(_ context.Context, account, arn string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.kill("before submit")
	if err := v.call(); err != nil {
		return err
	}
	if err := v.assume("922761411349", arn, v.ids[account]); err != nil {
		return &vendorapi.Error{Vendor: vendorapi.Vendor{Title: "Spot"}, Op: "hand the role over", Status: http.StatusBadRequest,
			Message: "The credentials are not valid."}
	}
	v.roles[account] = arn
	v.kill("after submit")
	return nil
}

// world is an organisation, a vendor and a state folder.
type world struct {
	t       testing.TB
	clock   *clock
	org     *rehearsal.Organisation
	vendor  *vendor
	store   *record.Store
	account *aws.Account
	head    record.Receipt
	request access.Request
	options organisation.Options
	wait    time.Duration
	shared  string // external ID of all accounts
	post    organisation.Post
}

func newWorld(t testing.TB, o rehearsal.Options) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}, store: record.OpenStore(stateFolder(t))}
	o.Now = w.clock.Now
	w.org = rehearsal.New(o)
	server := w.org.Server()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	target := aws.RehearsalTarget(server.Target())
	account, err := aws.Open(t.Context(), aws.Options{Rehearsal: &target, HTTPClient: &http.Client{Transport: dying{&http.Transport{},
		w}}, Now: w.clock.Now, After: w.clock.After})
	if err != nil {
		t.Fatal(err)
	}
	w.account = account
	v, err := steps.Library().Load("spot")
	if err != nil {
		t.Fatal(err)
	}
	w.request = access.Request{Vendor: v, Partition: "aws"}
	w.vendor = newVendor(w.clock, w.org.AssumeRole)
	w.head = record.Receipt{Rehearsal: true, Vendor: "spot", Method: record.MethodOrganisation, Access: "role", Partition: "aws",
		AccountID: server.Account()}
	w.options = organisation.Options{Acknowledged: true, Concurrent: organisation.Share{N: 50}, Tolerance: organisation.Share{N: 10,
		Percent: true}}
	return w
}

var errKilled = errors.New("killed")

// apply is one run of the program: it opens what is kept, and may be killed.
func (w *world) apply(choice organisation.Choice) (report *organisation.Report, err error) {
	w.t.Helper()
	want, err := organisation.NewWanted(w.request, w.shared)
	if err != nil {
		w.t.Fatal(err)
	}
	kept, err := w.store.OpenOrganisation(w.head, record.Item{Kind: record.ItemStackSet, Name: want.SetName()}, "org apply", "tester",
		w.clock.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.head.Session, w.vendor.free = kept.ID, time.Time{} // a program that starts knows of no wait
	defer kept.Release()
	defer func() {
		if p := recover(); p != nil {
			if p != errKilled { //nolint:errorlint // it is the very value
				panic(p)
			}
			report, err = nil, errKilled
		}
	}()
	client := cloud.New(w.account, false)
	c := organisation.Clock{Now: w.clock.Now, After: w.clock.After, Until: w.clock.Now().Add(cmp.Or(w.wait, 6*time.Hour))}
	tree, err := organisation.Discover(w.t.Context(), client, c)
	if err != nil {
		return nil, err
	}
	chosen, err := tree.Choose(choice)
	if err != nil {
		return nil, err
	}
	h := &organisation.Host{Clock: c, Cloud: client, Vendor: w.vendor, Wanted: want, Kept: kept, Head: w.head, By: "tester",
		Region: "us-east-1", Options: w.options, Post: w.post}
	return h.Apply(w.t.Context(), chosen)
}

// stateFolder is in memory where the machine has such a place: what is measured is
// not its disk.
func stateFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "rolecall")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
