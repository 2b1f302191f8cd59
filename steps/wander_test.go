package steps_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
)

// wanderer goes at random through a flow: on, back, to other answers, and out
// and in again. It stands for anybody's hands.
type wanderer struct {
	t       *testing.T
	rand    *rand.Rand
	vendor  *describe.Vendor
	method  describe.Method
	session *step.Session
	walk    *steps.Walk
	path    []any         // what was done, for a failure
	calls   []screen.Call // what is under way
	world   *world        // nil: no credentials
	reviews step.Reviews  // one policy is as risky in the next walk
	reached bool          // Connected
}

// walksWithoutCredentials and walksInTheRehearsal are together ten thousand. The
// second ones send requests, so there are fewer of them. It is a fifth unless
// ROLECALL_TESTS is "all".
const (
	walksWithoutCredentials = 9850
	walksInTheRehearsal     = 150
	mostSteps               = 60
)

// TestConnectedMeansThatEveryNeededStepIsDone walks every flow of every vendor
// at random. Whenever the screen says Connected, no needed step is open on the
// rail, and a session that is left there is resumed there.
func TestConnectedMeansThatEveryNeededStepIsDone(t *testing.T) {
	t.Parallel()
	type flow struct {
		vendor *describe.Vendor
		method describe.Method
	}
	var flows, unaided []flow
	for _, v := range everyVendor(t) {
		for _, m := range v.Methods {
			flows = append(flows, flow{v, m})
			if m.ID != describe.Direct {
				unaided = append(unaided, flow{v, m})
			}
		}
	}
	without, within := walksWithoutCredentials, walksInTheRehearsal
	if os.Getenv("ROLECALL_TESTS") != "all" {
		without, within = without/5, within/5
	}
	reached, reviews := map[string]int{}, step.Reviews{}
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(without) {
			f := unaided[int(seed)%len(unaided)]
			w := &wanderer{t: t, rand: rand.New(rand.NewPCG(seed, 1)), vendor: f.vendor, method: f.method, reviews: reviews}
			if w.wander(); w.reached {
				reached["without credentials, "+f.vendor.Name+" "+f.method.ID+" "+f.method.Access]++
			}
			if t.Failed() {
				t.Fatalf("seed %d of %s %s %s", seed, f.vendor.Name, f.method.ID, f.method.Access)
			}
		}
	})
	for i, f := range flows {
		rehearse(t, func(t *testing.T, world *world) {
			for seed := i; seed < within; seed += len(flows) {
				w := &wanderer{t: t, rand: rand.New(rand.NewPCG(uint64(seed), 2)), vendor: f.vendor, method: f.method, world: world, reviews: reviews}
				if w.wander(); w.reached {
					reached["in the rehearsal, "+f.vendor.Name+" "+f.method.ID+" "+f.method.Access]++
				}
				if t.Failed() {
					t.Fatalf("seed %d of %s %s %s", seed, f.vendor.Name, f.method.ID, f.method.Access)
				}
			}
		})
	}
	for _, f := range unaided {
		if name := "without credentials, " + f.vendor.Name + " " + f.method.ID + " " + f.method.Access; reached[name] == 0 {
			t.Errorf("no walk came to an end: %s", name)
		}
	}
	t.Logf("Connected: %v", reached)
}

// begin makes a session that knows the vendor and the method alone, or goes on
// with saved answers.
func (w *wanderer) begin(saved *record.Answers) {
	s := &step.Session{Vendor: w.vendor, Now: time.Now, Reviews: w.reviews}
	s.LoadVendor = func(string) (*describe.Vendor, error) { return w.vendor, nil }
	s.Profiles = func() ([]aws.Profile, error) { return nil, nil }
	s.OpenAPI = func(string, screen.Secret) (vendorapi.Client, error) { return nil, nil } //nolint:nilnil // no token, no client
	s.OpenAWS = func(context.Context, string, string) (*aws.Account, error) {
		return nil, errors.New("find no credentials")
	}
	if w.world != nil {
		s.OpenAWS = w.world.open
		s.OpenAPI = func(name string, _ screen.Secret) (vendorapi.Client, error) {
			if name != "spot" {
				return nil, nil //nolint:nilnil // no such client
			}
			return w.world.api, nil
		}
	}
	s.Answers = record.Answers{ID: "test", Vendor: w.vendor.Name, Method: w.method.ID, Access: w.method.Access, Rehearsal: w.world != nil}
	if saved != nil {
		s.Answers, s.Resuming = *saved, true
	}
	s.Prepare()
	if err := s.ConnectAPI(); err != nil {
		w.t.Fatal(err)
	}
	w.session, w.walk, w.calls = s, steps.NewWalk(s), nil
	w.take(w.walk.Start())
}

func (w *wanderer) wander() {
	w.begin(nil)
	for range mostSteps {
		if w.walk.Ended() {
			return
		}
		w.move()
		w.check()
		if w.t.Failed() {
			return
		}
	}
}

// move does one thing at random; mostly what leads on.
func (w *wanderer) move() {
	switch n := w.rand.IntN(100); {
	case len(w.calls) > 0 && n < 80:
		w.answerCalls()
	case n < 70:
		w.forward()
	case n < 80:
		w.note("back")
		w.take(w.walk.Back())
	case n < 95:
		w.change()
	default:
		w.resume()
	}
}

// forward does what the screen asks for: it fills in what is empty, and rightly.
func (w *wanderer) forward() {
	view := w.walk.Screen()
	msg := view.Enter()
	for _, block := range view.Blocks {
		if in, ok := block.(screen.Input); ok && (in.Value == "" && msg == nil || in.Problem != "") {
			msg = screen.Entered{ID: in.ID, Text: w.right(in.ID)}
		}
	}
	if msg != nil {
		w.tell(msg)
	}
}

// change gives another answer: any option, action or tick there is, or text that
// is right, wrong, or of another account.
func (w *wanderer) change() {
	var all []screen.Msg
	view := w.walk.Screen()
	for _, block := range view.Blocks {
		switch b := block.(type) {
		case screen.Choices:
			for _, o := range b.Options {
				if o.Disabled == "" {
					all = append(all, screen.Chose{Block: b.ID, ID: o.ID})
				}
			}
		case screen.Tree:
			for _, n := range b.Nodes {
				all = append(all, screen.Ticked{ID: n.ID, On: w.rand.IntN(2) == 0})
			}
		case screen.Instructions:
			all = append(all, screen.Followed{ID: b[w.rand.IntN(len(b))].ID(), Done: true})
		case screen.Input:
			texts := []string{"", "\u200b", "nonsense", "111122223333", "arn:aws:iam::111122223333:role/other",
				w.right(b.ID), "\u200b " + w.right(b.ID)}
			for i := range w.vendor.Roles {
				for _, trusted := range w.session.Request().Trusted(w.vendor.Roles[i].Purpose) {
					texts = append(texts, trusted, "arn:aws:iam::"+trusted+":role/Spot-Role")
				}
			}
			all = append(all, screen.Entered{ID: b.ID, Text: texts[w.rand.IntN(len(texts))]})
		default: // nothing to answer
		}
	}
	for _, a := range view.Actions {
		if a.Disabled == "" {
			all = append(all, screen.Chose{ID: a.ID})
		}
	}
	if len(all) > 0 {
		w.tell(all[w.rand.IntN(len(all))])
	}
}

// right is text that a field takes.
func (w *wanderer) right(field string) string {
	s := w.session
	_, purpose, _ := strings.Cut(string(w.walk.Step().ID()), ":")
	if of, ok := strings.CutPrefix(field, "output "); ok {
		purpose = of
	}
	switch {
	case field == "external-id" || field == "own-external-id":
		return w.vendor.ExternalID.Example
	case field == "account-id":
		return []string{"", account}[w.rand.IntN(2)]
	case field == "trusted-account":
		return describe.SamplePrincipal(w.vendor.Partitions[s.Partition].Ask, s.Partition)
	case field == "principal":
		return describe.SamplePrincipal("arn", cmp.Or(s.Partition, describe.Commercial))
	case field == "access-key-id":
		return "AKIAIOSFODNN7EXAMPLE"
	case strings.HasPrefix(field, "parameter:"):
		p, _ := w.vendor.Parameter(strings.TrimPrefix(field, "parameter:"))
		return p.Sample()
	case purpose != "":
		partition := s.Partition
		if partition == "" {
			partition = describe.Commercial
		}
		return "arn:" + partition + ":iam::" + account + ":role/" + s.Part(purpose).RoleName
	}
	return "a-name"
}

// resume leaves, and comes back with what is saved.
func (w *wanderer) resume() {
	w.note("resume")
	if slices.ContainsFunc(w.calls, func(c screen.Call) bool { return c.Writes }) {
		w.answerCalls() // a front waits for what writes
	}
	before, connected := w.walk.Step().ID(), w.connected()
	text, err := json.Marshal(w.session.Answers)
	if err != nil {
		w.t.Fatal(err)
	}
	var saved record.Answers
	if err := json.Unmarshal(text, &saved); err != nil {
		w.t.Fatal(err)
	}
	w.begin(&saved)
	if connected && saved.GuideOnly && w.walk.Step().ID() != before {
		w.fail("resumed at " + string(w.walk.Step().ID()) + " after Connected")
	}
}

func (w *wanderer) note(what any) { w.path = append(w.path, what) }

func (w *wanderer) tell(msg screen.Msg) {
	w.note(w.walk.Step().ID())
	w.note(msg)
	w.take(w.walk.Tell(msg))
}

// take keeps what is to be called. Who arrives elsewhere calls off what reads.
func (w *wanderer) take(turn steps.Turn) {
	w.keep(turn.Effects)
	if turn.Arrived {
		w.calls = slices.DeleteFunc(w.calls, func(c screen.Call) bool { return !c.Writes })
		w.keep(turn.Entry)
	}
}

func (w *wanderer) keep(effects []screen.Effect) {
	for _, e := range effects {
		if call, ok := e.(screen.Call); ok {
			w.calls = append(slices.DeleteFunc(w.calls, func(c screen.Call) bool { return c.Name == call.Name }), call)
		}
	}
}

// answerCalls carries out what is under way, and lets its time pass.
func (w *wanderer) answerCalls() {
	calls := w.calls
	w.calls = nil
	for _, call := range calls {
		time.Sleep(call.After)
		w.note("answer to " + call.Name)
		w.take(w.walk.Tell(call.Do(context.Background())))
	}
}

func (w *wanderer) connected() bool {
	return w.walk.Step().ID() == record.StepConnect && w.walk.Screen().Heading == "Connected"
}

func (w *wanderer) check() {
	here := w.connected()
	if w.walk.Ended() && !here {
		w.fail("ended without being connected")
	}
	if !here {
		return
	}
	w.reached = true
	for _, item := range w.walk.Rail() {
		if item.Status != step.Done {
			w.fail(fmt.Sprintf("Connected, and step %d, %s, is open", item.Number, item.Title))
		}
	}
	for i := range w.vendor.Roles {
		part := w.session.Part(w.vendor.Roles[i].Purpose)
		if part.Needed && slices.Contains(w.session.Request().Trusted(w.vendor.Roles[i].Purpose), w.session.AccountID) && !w.session.Rehearsal {
			w.fail("the vendor's own account is connected")
		}
	}
}

func (w *wanderer) fail(what string) {
	w.t.Helper()
	var path strings.Builder
	for _, one := range w.path {
		fmt.Fprintf(&path, "%#v\n", one)
	}
	w.t.Errorf("%s\n%s", what, path.String())
}
