package migrate_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/migrate"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

const (
	id      = "260131-7k2m"
	account = "123456789012"
)

// world is an AWS in memory, reached over real HTTP in virtual time, and a store on
// disk.
type world struct {
	t       *testing.T
	aws     *rehearsal.Server
	killer  *killer
	account *aws.Account
	hands   *aws.Account // the test's own
	store   *record.Store
	session record.Answers
	release func() // of the journal of the last run
	key     string
	secret  aws.SecretKey
}

// killer ends the program at one request: before it is sent, or after it was done
// and before the answer is seen.
type killer struct {
	next  http.RoundTripper
	left  atomic.Int64 // requests until then; negative: never
	after bool
	seen  atomic.Int64
}

func (k *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	k.seen.Add(1)
	dies := k.left.Add(-1) == 0
	if dies && !k.after {
		runtime.Goexit()
	}
	answer, err := k.next.RoundTrip(r)
	if dies {
		if err == nil {
			_ = answer.Body.Close()
		}
		runtime.Goexit()
	}
	return answer, err
}

func bubble(t *testing.T, run func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, aws: rehearsal.New(rehearsal.Options{}), store: record.OpenStore(t.TempDir())}
		listener, client := rehearsal.Pipe()
		done := make(chan error, 1)
		go func() { done <- w.aws.Serve(listener) }()
		t.Cleanup(func() {
			client.CloseIdleConnections()
			_, _ = w.aws.Close(), listener.Close()
			if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
		synctest.Wait()
		w.killer = &killer{next: client.Transport}
		w.killer.left.Store(-1)
		w.hands, w.account = w.open(client), w.open(&http.Client{Transport: w.killer})
		run(w)
		time.Sleep(time.Hour) // what a kill left behind runs into its own limits
	})
}

func (w *world) open(client *http.Client) *aws.Account {
	w.t.Helper()
	target := aws.RehearsalTarget(w.aws.Target())
	a, err := aws.Open(w.t.Context(), aws.Options{Rehearsal: &target, HTTPClient: client})
	w.ok(err)
	_, err = a.Identity(w.t.Context())
	w.ok(err)
	return a
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// begins is the session of a vendor, as it is before.
func (w *world) begins(vendor, who, method string) *step.Session {
	w.t.Helper()
	w.session = record.Answers{ID: id, Vendor: vendor, Access: who, Method: method, Partition: "aws", AccountID: account}
	if vendor == "spot" {
		w.session.Bundles = []string{"ocean"}
	}
	return w.wanted(who)
}

func (w *world) wanted(who string) *step.Session {
	w.t.Helper()
	v, err := steps.Library().Load(w.session.Vendor)
	w.ok(err)
	s := &step.Session{Answers: w.session, Vendor: v, AWS: w.account, Now: time.Now, Ledger: w.store.Ledger(id)}
	s.Access = who
	s.Prepare()
	for _, role := range s.Request().Needed() {
		s.SetPart(role.Purpose, func(p *record.Part) { p.ExternalID = "octo-org" })
	}
	return s
}

func (w *world) host(s *step.Session) making.Host {
	return making.Host{Account: w.hands, Ledger: w.store.Ledger(id), Head: s.ReceiptHead(), Now: time.Now, Patience: time.Minute}
}

// makes carries out what a planner plans for an empty account.
func (w *world) makes(s *step.Session, planner func(access.Grant) making.Planner) {
	w.t.Helper()
	for _, role := range s.Request().Needed() {
		g, err := s.Grant(role.Purpose)
		w.ok(err)
		for _, op := range planner(g).Plan(making.Sight{}, nil).Operations {
			_, err := w.host(s).Send(w.t.Context(), op)
			w.ok(err)
		}
	}
}

// makesUser makes a user with a key, as the method direct does.
func (w *world) makesUser() {
	w.t.Helper()
	s := w.begins("sprinters", "user", "direct")
	w.makes(s, func(g access.Grant) making.Planner { return making.NewUser(g, g.WantUser()) })
	user, err := w.hands.User(w.t.Context(), "sprinters-user")
	w.ok(err)
	_, err = w.host(s).Send(w.t.Context(), making.NewKey("SprintersUser", user.Ref(), nil, func(k aws.AccessKey, secret aws.SecretKey) {
		w.key, w.secret = k.ID, secret
	}))
	w.ok(err)
	time.Sleep(time.Minute)
}

func (w *world) makesRole(vendor string) {
	w.t.Helper()
	w.makes(w.begins(vendor, "role", "direct"), func(g access.Grant) making.Planner { return making.NewRole(g, g.Want()) })
	time.Sleep(time.Minute)
}

// makesStack makes a role by CloudFormation, as the method automatic does.
func (w *world) makesStack(vendor string) {
	w.t.Helper()
	s := w.begins(vendor, "role", "automatic")
	setup, err := s.Request().Setup()
	w.ok(err)
	text, err := setup.CloudFormation()
	w.ok(err)
	stack := &making.Stack{Name: "vendor-access", Template: text, Acknowledged: true, Token: "made", AtOnce: true, Parameters: map[string]string{}}
	for _, op := range stack.Plan(making.Sight{}, nil).Operations {
		op.Look = func(context.Context, *aws.Account) ([]making.Found, error) { return nil, nil }
		_, err := w.host(s).Send(w.t.Context(), op)
		w.ok(err)
	}
	time.Sleep(10 * time.Minute)
}

// migration is a run of the command.
func (w *world) migration() *migrate.Migration {
	receipt, err := w.store.Receipt(id)
	w.ok(err)
	if w.release != nil {
		w.release() // the lock ends with the program
	}
	var journal *record.Journal
	journal, w.release, err = w.store.OpenReceiptJournal(id, "migrate", "me@here", time.Now)
	w.ok(err)
	return &migrate.Migration{Session: w.wanted("role"), Account: w.account, Ledger: w.store.Ledger(id), Journal: journal, Receipt: receipt, Now: time.Now,
		After: time.After, By: "arn:aws:iam::123456789012:user/me"}
}

// lives runs something that may be killed, and tells whether it was not.
func (w *world) lives(run func() error) (alive bool, err error) {
	done := make(chan error, 1)
	go func() {
		defer close(done)
		done <- run()
	}()
	err, alive = <-done
	return alive, err
}

// killed kills a migration at every one of its requests, before it is sent and
// after it was done, runs it again, and has the end looked at.
func killed(t *testing.T, begins func(*world), run func(*world) error, ends func(*world, string)) {
	t.Helper()
	total, runs := once(t, begins, run, ends), 0
	for n := int64(1); n <= total; n++ {
		for _, after := range []bool{false, true} {
			runs++
			bubble(t, func(w *world) {
				begins(w)
				w.killer.after = after
				w.killer.left.Store(n)
				alive, err := w.lives(func() error { return run(w) })
				if alive {
					t.Fatalf("request %d of %d was not reached: %v", n, total, err)
				}
				w.killer.left.Store(-1)
				time.Sleep(time.Minute)
				if err := run(w); err != nil {
					t.Fatalf("killed at request %d of %d, after it %v: %v", n, total, after, problem(err))
				}
				ends(w, "killed")
			})
		}
	}
	t.Logf("killed %d times, in %d requests", runs, total)
}

// once migrates without being killed, and counts the requests.
func once(t *testing.T, begins func(*world), run func(*world) error, ends func(*world, string)) (total int64) {
	t.Helper()
	bubble(t, func(w *world) {
		begins(w)
		before := w.killer.seen.Load()
		w.ok(run(w))
		total = w.killer.seen.Load() - before
		ends(w, "never killed")
	})
	return total
}

func problem(err error) string {
	var fault *screen.Fault
	if errors.As(err, &fault) {
		return fault.Problem.What + " " + fault.Problem.Quoted
	}
	return err.Error()
}

// trusts is a trust policy of somebody else.
func trusts() *policy.Document { return policy.NewTrust("aws", []string{"444455556666"}, "") }
