package making_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/steps"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

const account = "123456789012"

// world is an AWS in memory, reached over real HTTP in virtual time, and a store
// of receipts on disk.
type world struct {
	t       *testing.T
	aws     *rehearsal.Server
	client  *http.Client
	killer  *killer
	account *aws.Account
	hands   *aws.Account // the test's own, which nothing goes wrong for
	store   *record.Store
	until   time.Time
}

// killer ends the program at one request: before it is sent, or after it was
// done and before the answer is seen.
type killer struct {
	next  http.RoundTripper
	left  atomic.Int64 // requests until then; negative: never
	after bool
	at    atomic.Pointer[string] // or at the next request of this action
}

// killAt kills the program at the next request of an action.
func (w *world) killAt(action string) { w.killer.at.Store(&action) }

// is reports whether a request is of the action at which the program ends.
func (k *killer) is(r *http.Request) bool {
	at := k.at.Load()
	if at == nil || r.Body == nil {
		return false
	}
	text, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	_, action, _ := strings.Cut(*at, ":")
	return err == nil && strings.Contains(string(text), "Action="+action+"&")
}

func (k *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	dies := k.left.Add(-1) == 0 || k.is(r)
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

func bubble(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, aws: rehearsal.New(rehearsal.Options{}), store: record.OpenStore(t.TempDir())}
		listener, client := rehearsal.Pipe()
		w.client = client
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
		w.hands = w.open(client)
		w.account = w.open(&http.Client{Transport: w.killer})
		run(t, w)
		time.Sleep(time.Hour) // what a kill left behind runs into its own limits
	})
}

func (w *world) open(client *http.Client) *aws.Account {
	w.t.Helper()
	target := aws.RehearsalTarget(w.aws.Target())
	a, err := aws.Open(w.t.Context(), aws.Options{Rehearsal: &target, HTTPClient: client})
	if err == nil {
		_, err = a.Identity(w.t.Context())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) host() making.Host {
	return making.Host{Account: w.account, Ledger: w.store.Ledger("260131-7k2m"), By: "arn:aws:iam::123456789012:user/me",
		Head: record.Receipt{Session: "260131-7k2m", AccountID: account}, Now: time.Now, Patience: 2 * time.Minute, Until: w.until}
}

func (w *world) receipt() record.Receipt {
	w.t.Helper()
	r, err := w.store.Ledger("260131-7k2m").Receipt()
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// calls does what a front does: it carries out the calls one after the other.
// alive is false when the program was killed in one of them.
func (w *world) calls(effects []screen.Effect, tell func(screen.Msg) []screen.Effect) (alive bool) {
	for len(effects) > 0 {
		call, ok := effects[0].(screen.Call)
		if !ok {
			w.t.Fatalf("asked for %T", effects[0])
		}
		time.Sleep(call.After)
		answer := make(chan screen.Msg, 1)
		go func() {
			defer close(answer)
			answer <- call.Do(context.Background())
		}()
		msg, ok := <-answer
		if !ok {
			return false
		}
		effects = tell(msg)
	}
	return true
}

// run brings the plan about as somebody does who agrees to everything.
func (w *world) run(r *making.Run, planners ...making.Planner) (alive bool) {
	return w.carryOn(r, r.Begin(w.host(), planners...), nil)
}

// carryOn carries on; follow follows what a request began.
func (w *world) carryOn(r *making.Run, effects []screen.Effect, follow func() []screen.Effect) (alive bool) {
	for {
		if !w.calls(effects, func(msg screen.Msg) []screen.Effect {
			more, _ := r.Update(w.host(), msg)
			return more
		}) {
			return false
		}
		switch {
		case r.Stage == making.Ready:
			effects = r.Agree(w.host())
		case r.Stage == making.Following && follow != nil:
			if effects = follow(); effects == nil {
				return false
			}
		default:
			return true
		}
	}
}

func (w *world) request(vendor, who string, settings access.Settings) access.Request {
	w.t.Helper()
	v, err := steps.Library().Load(vendor)
	if err != nil {
		w.t.Fatal(err)
	}
	names := map[string]access.Names{}
	for _, role := range v.Roles {
		names[role.Purpose] = access.Names{ExternalID: "spotinst:aws:extid:0123456789abcdef"}
	}
	request := access.Request{Vendor: v, Access: who, Partition: "aws", AccountID: account, Settings: settings, Names: names}
	if vendor == "spot" {
		request.Bundles = []string{"ocean"}
	}
	return request
}

func (w *world) grant(vendor, who string, settings access.Settings) access.Grant {
	w.t.Helper()
	grants, err := w.request(vendor, who, settings).Grants()
	if err != nil || len(grants) != 1 {
		w.t.Fatalf("%d grants: %v", len(grants), err)
	}
	return grants[0]
}

func (w *world) role(g access.Grant) making.Planner { return making.NewRole(g, g.Want()) }
func (w *world) user(g access.Grant) making.Planner { return making.NewUser(g, g.WantUser()) }

// writes are the requests that change something.
func writes() []string {
	return []string{
		"iam:CreatePolicy",
		"iam:CreateRole",
		"iam:AttachRolePolicy",
		"iam:PutRolePolicy",
		"iam:CreateUser",
		"iam:AttachUserPolicy",
		"iam:CreateAccessKey",
		"cloudformation:CreateStack",
		"cloudformation:CreateChangeSet",
		"cloudformation:ExecuteChangeSet",
	}
}

func reads() []string {
	return []string{
		"iam:GetPolicy",
		"iam:GetPolicyVersion",
		"iam:GetRole",
		"iam:ListAttachedRolePolicies",
		"iam:GetUser",
		"iam:ListAccessKeys",
		"cloudformation:DescribeStacks",
		"cloudformation:DescribeStackEvents",
		"cloudformation:GetTemplate",
		"cloudformation:DescribeChangeSet",
	}
}

// trouble injects what a seed says: one to three faults, and perhaps a kill.
func (w *world) trouble(rng *rand.Rand) string {
	kinds := []rehearsal.FaultKind{
		rehearsal.Denied,
		rehearsal.DeniedSCP,
		rehearsal.Throttled,
		rehearsal.Broken,
		rehearsal.Away,
		rehearsal.DropBefore,
		rehearsal.DropAfter,
		rehearsal.DropAfter,
	}
	var said []string
	for range 1 + rng.IntN(3) {
		actions := writes()
		if rng.IntN(4) == 0 {
			actions = reads()
		}
		f := rehearsal.Fault{Kind: kinds[rng.IntN(len(kinds))], Actions: []string{actions[rng.IntN(len(actions))]}, Times: 1 + rng.IntN(6)}
		said = append(said, f.Actions[0]+" "+[]string{"denied", "scp", "throttled", "500", "503", "dropped before", "dropped after"}[f.Kind])
		w.aws.Inject(f)
	}
	if rng.IntN(2) == 0 {
		n := 1 + rng.Int64N(24)
		w.killer.after = rng.IntN(2) == 0
		w.killer.left.Store(n)
		said = append(said, "killed")
	}
	return strings.Join(said, ", ")
}

// calm ends all trouble.
func (w *world) calm() {
	w.killer.left.Store(-1)
	w.killer.at.Store(nil)
	w.aws.ClearFaults()
}

// onRecord checks that the receipt has exactly this, made and proven.
func (w *world) onRecord(said string, want ...string) {
	w.t.Helper()
	var got []string
	for _, i := range w.receipt().Items {
		if i.State == record.ItemRemoved {
			continue
		}
		got = append(got, string(i.Kind)+" "+i.Name+" "+string(i.State)+" "+i.ID+i.RoleID+i.UserID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Fatalf("%s: the receipt says\n%s\nand this exists:\n%s", said, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// exists lists what the account holds, as a receipt of all of it would.
func (w *world) exists(g access.Grant) []string {
	w.t.Helper()
	ctx := w.t.Context()
	q, err := w.hands.Quotas(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	policies := 0
	for _, doc := range g.Documents {
		p, err := w.hands.Policy(ctx, doc.ARN)
		if err == nil {
			all, policies = append(all, "policy "+p.Name+" made "+p.ID), policies+1
		}
	}
	if q.Policies != policies {
		w.t.Fatalf("%d policies, %d of them wanted", q.Policies, policies)
	}
	if !g.User {
		r, err := w.hands.Role(ctx, g.Name)
		if err != nil || q.Roles != 1 {
			w.t.Fatalf("%d roles: %v", q.Roles, err)
		}
		all = append(all, "role "+r.Name+" made "+r.ID)
		for _, p := range r.Attached {
			all = append(all, "attachment "+p.Name+" made "+r.ID)
		}
		return all
	}
	u, err := w.hands.User(ctx, g.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	all = append(all, "user "+u.Name+" made "+u.ID)
	for _, p := range u.Attached {
		all = append(all, "user attachment "+p.Name+" made "+u.ID)
	}
	keys, err := w.hands.AccessKeys(ctx, g.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range keys {
		all = append(all, "access key "+k.ID+" made "+k.ID+u.ID)
	}
	return all
}
