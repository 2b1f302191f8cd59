package steps_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws/rehearsal"
	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// TestEveryMethodSurvivesWhateverHappens walks through each method that makes
// something, with faults and kills that a seed chooses, as somebody does who
// presses enter and tries again. In the end everything is there once, on record
// with its ID, and disconnecting leaves nothing.
func TestEveryMethodSurvivesWhateverHappens(t *testing.T) {
	t.Parallel()
	seeds := uint64(30)
	if os.Getenv("ROLECALL_TESTS") == "all" {
		seeds = 90
	}
	for seed := range seeds {
		run := func(t *testing.T, w *world) { w.survives(seed) }
		switch seed % 3 {
		case 0:
			rehearse(t, func(t *testing.T, w *world) { w.direct(); w.toCreate(); run(t, w) })
		case 1:
			rehearse(t, func(t *testing.T, w *world) {
				w.automatic()
				w.session.Unattended = seed%2 == 0
				w.toStack()
				run(t, w)
			})
		default:
			sprinters(t, "direct", "user", func(t *testing.T, w *world) {
				w.session.ID = "260131-7k2m"
				w.session.Ledger = record.OpenStore(t.TempDir()).Ledger(w.session.ID)
				w.toPermissions().enter()
				run(t, w)
			})
		}
	}
}

func (w *world) survives(seed uint64) {
	w.t.Helper()
	rng := rand.New(rand.NewPCG(seed, 4))
	before, err := w.hands().Quotas(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	users := before.Users
	said := w.breaks(rng)
	for n := 0; w.walk.Step().ID() != record.StepConnect; n++ {
		switch {
		case n == 400:
			w.t.Fatalf("%d: %s: still not made:\n%s", seed, said, w.text())
		case n == 60:
			w.aws.ClearFaults()
		case n < 60 && rng.IntN(25) == 0:
			said += ", killed"
			w.killed(rng)
		case len(w.pending) > 0:
			w.one()
		default:
			w.pressOn()
		}
	}
	w.aws.ClearFaults()
	if got, want := states(w.receipt()), w.allMade(); !slices.Equal(got, want) {
		w.t.Fatalf("%d: %s: the receipt says\n%s\nwant\n%s", seed, said, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	removed, err := w.remover().All(w.t.Context())
	if err != nil {
		w.t.Fatalf("%d: %s: %v", seed, said, err)
	}
	q, err := w.hands().Quotas(w.t.Context())
	if err != nil || q.Policies+q.Roles > 0 || q.Users != users {
		w.t.Fatalf("%d: %s: %+v is left: %v %+v", seed, said, q, err, removed)
	}
}

// breaks injects one to three faults in requests that write, or in any.
func (w *world) breaks(rng *rand.Rand) string {
	actions := []string{
		"iam:CreatePolicy",
		"iam:CreateRole",
		"iam:AttachRolePolicy",
		"iam:CreateUser",
		"iam:AttachUserPolicy",
		"iam:CreateAccessKey",
		"cloudformation:CreateStack",
		"cloudformation:CreateChangeSet",
		"cloudformation:ExecuteChangeSet",
		"iam:GetRole",
		"iam:GetUser",
		"iam:ListAccessKeys",
		"cloudformation:DescribeStacks",
	}
	kinds := []rehearsal.FaultKind{
		rehearsal.Denied,
		rehearsal.Throttled,
		rehearsal.Broken,
		rehearsal.DropBefore,
		rehearsal.DropAfter,
		rehearsal.DropAfter,
	}
	said := ""
	for range 1 + rng.IntN(3) {
		f := rehearsal.Fault{Kind: kinds[rng.IntN(len(kinds))], Actions: []string{actions[rng.IntN(len(actions))]}, Times: 1 + rng.IntN(5)}
		said += fmt.Sprintf("%s %d times kind %d; ", f.Actions[0], f.Times, f.Kind)
		w.aws.Inject(f)
	}
	return said
}

// killed ends the program: perhaps in the middle of a request, whose answer
// nobody hears. The next run begins with what was saved before.
func (w *world) killed(rng *rand.Rand) {
	w.t.Helper()
	saved := w.session.Answers
	if len(w.pending) > 0 && rng.IntN(2) == 0 {
		w.pending[0].call.Do(w.t.Context())
	}
	old := w.session
	w.session, w.pending = w.newSession(), nil
	saved.Seen = record.Seen{}
	w.session.Vendor, w.session.LoadVendor, w.session.Answers, w.session.Resuming = old.Vendor, old.LoadVendor, saved, true
	w.session.Ledger, w.session.Unattended = old.Ledger, old.Unattended
	w.walk = steps.NewWalk(w.session)
	w.start()
}

// pressOn presses what somebody presses who wants to come to the end.
func (w *world) pressOn() {
	w.t.Helper()
	for _, id := range []string{"delete", "create"} {
		for _, a := range w.walk.Screen().Actions {
			if a.ID == id && a.Disabled == "" {
				w.chooses("", id)
				return
			}
		}
	}
	for _, b := range w.walk.Screen().Blocks {
		if c, ok := b.(screen.Choices); ok && c.ID == "taken" {
			w.t.Fatalf("a stack of its own is taken for another:\n%s", w.text())
		}
	}
	time.Sleep(time.Second)
	w.enter()
}

// allMade is what a receipt has to say of what is there now.
func (w *world) allMade() []string {
	w.t.Helper()
	var all []string
	for _, purpose := range record.SortedPurposes(w.session.Parts) {
		part := w.session.Part(purpose)
		switch {
		case !part.Needed:
		case w.session.Method == "automatic":
			all = append(all, "stack "+w.session.Stack.Name+" made")
		case part.UserARN != "":
			all = append(
				all,
				"policy "+part.PolicyName+" made",
				"user "+part.UserName+" made",
				"user attachment "+part.PolicyName+" made",
				"access key "+part.KeyID+" made",
			)
		default:
			all = append(all, "policy "+part.PolicyName+" made", "role "+part.RoleName+" made", "attachment "+part.PolicyName+" made")
		}
	}
	for _, i := range w.receipt().Items { // of earlier tries
		if i.State == record.ItemRemoved {
			all = append(all, string(i.Kind)+" "+i.Name+" removed")
		}
	}
	slices.Sort(all)
	return all
}
