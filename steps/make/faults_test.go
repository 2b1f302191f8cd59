package making_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// seeds is how many random courses of each kind are run, a hundred where
// ROLECALL_TESTS is "all".
func seeds() uint64 {
	if os.Getenv("ROLECALL_TESTS") == "all" {
		return 100
	}
	return 25
}

// settingsOf are what a seed asks for beside the documents.
func settingsOf(rng *rand.Rand) access.Settings {
	s := access.Settings{}
	if rng.IntN(2) == 0 {
		s.Path = "/vendors/"
	}
	if rng.IntN(2) == 0 {
		s.Tags = map[string]string{"team": "platform"}
	}
	return s
}

// again runs until everything is made, with the trouble of the seed in the first
// run and perhaps in the second. A run that failed or was killed begins anew
// from the receipt.
func (w *world) again(rng *rand.Rand, once func() (alive, made bool)) string {
	w.t.Helper()
	said := ""
	for try := range 8 {
		if try == 0 || try == 1 && rng.IntN(2) == 0 {
			said += w.trouble(rng) + "; "
		}
		alive, made := once()
		w.calm()
		time.Sleep(time.Minute)
		if alive && made {
			return said
		}
	}
	w.t.Fatalf("%s: not made after eight runs", said)
	return said
}

// TestARoleIsMadeOnceWhateverHappens breaks and kills at random, and runs again.
func TestARoleIsMadeOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		bubble(t, func(t *testing.T, w *world) {
			rng := rand.New(rand.NewPCG(seed, 1))
			g := w.grant("spot", "role", settingsOf(rng))
			said := w.again(rng, func() (bool, bool) {
				r := &making.Run{Asks: rng.IntN(2) == 0}
				alive := w.run(r, w.role(g))
				return alive, r.Stage == making.Made
			})
			w.onRecord(fmt.Sprint(seed, ": ", said), w.exists(g)...)
			w.secondRunChangesNothing(w.role(g))
		})
	}
}

// secondRunChangesNothing runs once more.
func (w *world) secondRunChangesNothing(p making.Planner) {
	w.t.Helper()
	before := len(w.written())
	r := &making.Run{}
	if !w.run(r, p) || r.Stage != making.Made || len(r.Done) > 0 {
		w.t.Fatalf("a second run is at stage %d, has done %d things: %+v", r.Stage, len(r.Done), r.Problem)
	}
	if after := w.written(); len(after) != before {
		w.t.Fatalf("a second run sent %v", after[before:])
	}
}

// written are the requests so far that write.
func (w *world) written() []string {
	var all []string
	for _, call := range w.aws.Calls() {
		if slices.Contains(writes(), call.Action) {
			all = append(all, call.Action)
		}
	}
	return all
}

// TestAUserAndItsKeyAreMadeOnceWhateverHappens does the same with a user, and
// goes on to its access key as the step of the credentials does.
func TestAUserAndItsKeyAreMadeOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		bubble(t, func(t *testing.T, w *world) {
			rng := rand.New(rand.NewPCG(seed, 2))
			g := w.grant("sprinters", "user", settingsOf(rng))
			said := w.again(rng, func() (bool, bool) {
				r := &making.Run{}
				if !w.run(r, w.user(g)) || r.Stage != making.Made {
					return false, false
				}
				secret, alive := w.key(g)
				return alive, secret != ""
			})
			w.onRecord(fmt.Sprint(seed, ": ", said), w.exists(g)...)
			if keys, err := w.hands.AccessKeys(t.Context(), g.Name); err != nil || len(keys) != 1 {
				t.Fatalf("%d: %s: %v %v", seed, said, keys, err)
			}
			w.secondRunChangesNothing(w.user(g))
		})
	}
}

// key makes the key, once a key whose secret nobody has is deleted again.
func (w *world) key(g access.Grant) (secret aws.SecretKey, alive bool) {
	var user aws.UserRef
	h := w.host()
	w.calmly(func() error {
		u, err := w.hands.User(w.t.Context(), g.Name)
		user = u.Ref()
		return err
	})
	call := screen.Call{Do: func(ctx context.Context) screen.Msg {
		keys, err := h.Account.AccessKeys(ctx, g.Name)
		if err != nil {
			return err
		}
		made, err := h.MadeKeys(g.Purpose, user, keys)
		for _, id := range made {
			if err == nil {
				err = h.Account.DeleteAccessKey(ctx, g.Name, id)
			}
			if err == nil {
				err = h.Removed(record.Item{Kind: record.ItemKey, Name: id, ID: id, User: g.Name})
			}
			keys = slices.DeleteFunc(keys, func(k aws.AccessKey) bool { return k.ID == id })
		}
		if err == nil {
			_, err = h.Send(ctx, making.NewKey(g.Purpose, user, keys, func(_ aws.AccessKey, s aws.SecretKey) { secret = s }))
		}
		return err
	}}
	alive = w.calls([]screen.Effect{call}, func(screen.Msg) []screen.Effect { return nil })
	return secret, alive
}

// TestAStackIsMadeOnceWhateverHappens does the same with a stack, at once and
// through a change set.
func TestAStackIsMadeOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		bubble(t, func(t *testing.T, w *world) {
			rng := rand.New(rand.NewPCG(seed, 3))
			g := w.grant("spot", "role", settingsOf(rng))
			atOnce, n := rng.IntN(2) == 0, 0
			said := w.again(rng, func() (bool, bool) {
				n++
				r, p := &making.Run{}, w.stack(g, atOnce, fmt.Sprintf("rolecall-%d-%d", seed, n))
				alive := w.carryOn(r, r.Begin(w.host(), p), func() []screen.Effect { return w.follow(r, p) })
				return alive, r.Stage == making.Made
			})
			stacks, err := w.hands.Stacks(t.Context())
			if err != nil || len(stacks) != 1 {
				t.Fatalf("%d: %s: %+v %v", seed, said, stacks, err)
			}
			w.onRecord(fmt.Sprint(seed, ": ", said), "stack spot-access made "+stacks[0].ID)
			w.secondRunChangesNothing(w.stack(g, atOnce, "rolecall-second"))
		})
	}
}

func (w *world) stack(g access.Grant, atOnce bool, token string) *making.Stack {
	w.t.Helper()
	setup, err := w.request("spot", "role", g.Settings).Setup()
	if err != nil {
		w.t.Fatal(err)
	}
	template, err := setup.CloudFormation()
	if err != nil {
		w.t.Fatal(err)
	}
	return &making.Stack{Name: "spot-access", Title: "Spot", Template: template, Parameters: map[string]string{"ExternalId": g.ExternalID},
		Wants: map[string]aws.Want{g.Purpose: g.Want()}, Purposes: []string{g.Purpose}, Tags: g.TagList(), Acknowledged: true,
		Token: token, AtOnce: atOnce, Set: &aws.ChangeSet{}}
}

// follow follows what the newest request began, as the step does. It gives
// nothing when the stack failed.
func (w *world) follow(r *making.Run, p *making.Stack) []screen.Effect {
	h := w.host()
	var stackID string
	last := ""
	if len(r.Done) > 0 {
		last, stackID = r.Done[len(r.Done)-1].Name, r.Done[len(r.Done)-1].Item.ID
	}
	if last == "create change set of stack spot-access" && p.Set.ID != "" {
		w.calmly(func() error {
			set, err := w.hands.ChangeSet(w.t.Context(), p.Set.ID)
			if err == nil && !set.Ready() {
				err = errors.New("not ready")
			}
			return err
		})
		p.ID = stackID
		return r.Do(h, p.Execute(stackID, p.Token+"-x"))
	}
	var stack aws.Stack
	w.calmly(func() (err error) {
		stack, err = w.hands.Stack(w.t.Context(), "spot-access")
		if err == nil && stack.Status.Moving() {
			err = errors.New("moving")
		}
		return err
	})
	if stack.Status.Blocked() { // the faults made it fail: it has to go first
		w.calmly(func() error { return w.hands.DeleteStack(w.t.Context(), stack.ID, "") })
		time.Sleep(time.Minute)
		if err := h.Removed(record.Item{Kind: record.ItemStack, Name: stack.Name, ID: stack.ID}); err != nil {
			w.t.Fatal(err)
		}
		return nil
	}
	p.ID = stack.ID
	return r.Go(h)
}

// calmly does what somebody else does, whom faults hit too, until it works.
func (w *world) calmly(do func() error) {
	w.t.Helper()
	err := do()
	for range 100 {
		if err == nil {
			return
		}
		time.Sleep(time.Second)
		err = do()
	}
	w.t.Fatal(err)
}
