package steps_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps/record"
	"rolecall/steps/undo"
)

// connected makes policy and role by the direct method and returns what would
// remove them.
func (w *world) connected() *undo.Remover {
	w.t.Helper()
	w.direct().toCreate().sees("create these").enter().sees("seen to be right")
	return w.remover()
}

func (w *world) remover() *undo.Remover {
	return &undo.Remover{
		Account: w.hands(),
		Ledger:  w.session.Ledger,
		Receipt: w.receipt(),
		Resumes: true,
		Now:     time.Now,
		By:      "arn:aws:iam::123456789012:user/rehearsal",
	}
}

// verdicts are what a plan or removal says: "role Spot-Role remove".
func verdicts(removals []undo.Removal) []string {
	var all []string
	for _, r := range removals {
		all = append(all, string(r.Kind)+" "+r.Name+" "+string(r.Verdict))
	}
	return all
}

func (w *world) left() (policies, roles int) {
	w.t.Helper()
	q, err := w.hands().Quotas(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return q.Policies, q.Roles
}

func wantVerdicts(t *testing.T, removals []undo.Removal, err error, want ...string) {
	t.Helper()
	if err != nil || !slices.Equal(verdicts(removals), want) {
		t.Fatalf("%v %v, want %v", verdicts(removals), err, want)
	}
}

func TestDisconnectRemovesInOrderExactlyWhatWasMade(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.createPolicy(
			"other",
			policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"s3:ListBucket"}, Resource: []string{"*"}}),
		)
		r := w.connected()
		plan, err := r.Plan(t.Context())
		wantVerdicts(t, plan, err, "attachment Spot-Policy remove", "role Spot-Role remove", "policy Spot-Policy remove")
		if w.requests("iam:DetachRolePolicy") > 0 {
			t.Fatal("the plan removed something")
		}
		removed, err := r.All(t.Context())
		wantVerdicts(t, removed, err, "attachment Spot-Policy removed", "role Spot-Role removed", "policy Spot-Policy removed")
		if p, n := w.left(); p != 1 || n != 0 {
			t.Fatalf("%d policies and %d roles are left", p, n)
		}
		if len(w.receipt().Outstanding()) != 0 || len(w.receipt().Items) != 3 {
			t.Fatalf("%+v", w.receipt())
		}
		again, err := w.remover().All(t.Context())
		wantVerdicts(t, again, err)
	})
}

func TestDisconnectLeavesWhatSomebodyChanged(t *testing.T) {
	t.Parallel()
	const keepAll = "attachment Spot-Policy keep, role Spot-Role keep, policy Spot-Policy keep"
	cases := map[string]struct {
		change func(*world) error
		want   string
		why    string
	}{
		"trust policy": {func(w *world) error {
			return w.hands().UpdateTrust(w.t.Context(), "Spot-Role", policy.NewTrust("aws", []string{"444455556666"}, ""))
		}, keepAll, "trust policy was changed"},
		"more policies": {func(w *world) error {
			return w.hands().AttachRolePolicy(w.t.Context(), "Spot-Role", "arn:aws:iam::aws:policy/ReadOnlyAccess")
		}, keepAll, "gave it more since: ReadOnlyAccess"},
		"an inline policy": {func(w *world) error {
			return w.hands().PutRolePolicy(
				w.t.Context(),
				"Spot-Role",
				"more",
				policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"s3:ListBucket"}, Resource: []string{"*"}}),
			)
		}, keepAll, "more (inline)"},
		"the policy": {func(w *world) error {
			_, err := w.hands().CreatePolicyVersion(w.t.Context(), spotPolicy, policy.NewDocument(w.wantedPolicy().Statements[:3]...))
			return err
		}, "attachment Spot-Policy remove, role Spot-Role remove, policy Spot-Policy keep", "changed since rolecall made it"},
		"the policy is used elsewhere": {func(w *world) error {
			w.createRole("other", "some-external-id", spotPolicy)
			return nil
		}, "attachment Spot-Policy remove, role Spot-Role remove, policy Spot-Policy keep", "Something else uses it too"},
		"another role of the name": {func(w *world) error {
			hands, ctx := w.hands(), w.t.Context()
			if err := hands.DetachRolePolicy(ctx, "Spot-Role", spotPolicy); err != nil {
				return err
			}
			if err := hands.DeleteRole(ctx, "Spot-Role"); err != nil {
				return err
			}
			w.createRole("Spot-Role", w.externalID())
			return nil
		}, "attachment Spot-Policy gone, role Spot-Role keep, policy Spot-Policy remove", "another role of that name"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			rehearse(t, func(t *testing.T, w *world) {
				r := w.connected()
				if err := c.change(w); err != nil {
					t.Fatal(err)
				}
				plan, err := r.Plan(t.Context())
				wantVerdicts(t, plan, err, strings.Split(c.want, ", ")...)
				var whys []string
				for _, one := range plan {
					whys = append(whys, one.Why)
				}
				if !strings.Contains(strings.Join(whys, " "), c.why) {
					t.Fatalf("says %q, want %q", whys, c.why)
				}
			})
		})
	}
}

func TestAChangeBetweenPlanAndRemovalIsSeen(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		r := w.connected()
		plan, err := r.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.hands().UpdateTrust(t.Context(), "Spot-Role", policy.NewTrust("aws", []string{"444455556666"}, "")); err != nil {
			t.Fatal(err)
		}
		for _, one := range plan {
			got, err := r.Remove(t.Context(), one.Item)
			if err != nil || got.Verdict != undo.Stays && got.Kind != record.ItemPolicy {
				t.Fatalf("%+v %v", got, err)
			}
		}
		if p, n := w.left(); p != 1 || n != 1 {
			t.Fatalf("%d policies and %d roles are left", p, n)
		}
	})
}

func TestDisconnectRemovesOlderVersionsOfItsOwnPolicy(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		r := w.connected()
		for _, doc := range []*policy.Document{policy.NewDocument(w.wantedPolicy().Statements[:3]...), w.wantedPolicy()} {
			if _, err := w.hands().CreatePolicyVersion(t.Context(), spotPolicy, doc); err != nil {
				t.Fatal(err)
			}
		}
		removed, err := r.All(t.Context())
		wantVerdicts(t, removed, err, "attachment Spot-Policy removed", "role Spot-Role removed", "policy Spot-Policy removed")
	})
}

func TestDisconnectGetsOverFaultsThatPass(t *testing.T) {
	t.Parallel()
	kinds := map[string]rehearsal.FaultKind{
		"throttled":      rehearsal.Throttled,
		"500":            rehearsal.Broken,
		"dropped before": rehearsal.DropBefore,
		"dropped after":  rehearsal.DropAfter,
	}
	for name, kind := range kinds {
		for _, action := range []string{"iam:DetachRolePolicy", "iam:DeleteRole", "iam:DeletePolicy"} {
			t.Run(name+" "+action, func(t *testing.T) {
				rehearse(t, func(t *testing.T, w *world) {
					r := w.connected()
					w.aws.Inject(rehearsal.Fault{Kind: kind, Actions: []string{action}, Times: 2})
					removed, err := r.All(t.Context())
					wantVerdicts(t, removed, err, "attachment Spot-Policy removed", "role Spot-Role removed", "policy Spot-Policy removed")
					if p, n := w.left(); p != 0 || n != 0 {
						t.Fatalf("%d policies and %d roles are left", p, n)
					}
				})
			})
		}
	}
}

func TestAnInterruptedDisconnectGoesOn(t *testing.T) {
	t.Parallel()
	for stop := range 3 {
		rehearse(t, func(t *testing.T, w *world) {
			r := w.connected()
			plan, err := r.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range plan[:stop] {
				if _, err := r.Remove(t.Context(), one.Item); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := r.Remove(ctx, plan[stop].Item); err == nil {
				t.Fatal("went on although the person left")
			}
			if got := len(w.receipt().Outstanding()); got != 3-stop {
				t.Fatalf("%d are left on record, want %d", got, 3-stop)
			}
			if _, err := w.remover().All(t.Context()); err != nil {
				t.Fatal(err)
			}
			if p, n := w.left(); p != 0 || n != 0 {
				t.Fatalf("%d policies and %d roles are left", p, n)
			}
		})
	}
}

func TestARequestThatWasNeverAnsweredIsLookedUp(t *testing.T) {
	t.Parallel()
	for _, hour := range []time.Duration{0, time.Hour} { // what was made much later is not it
		rehearse(t, func(t *testing.T, w *world) {
			w.direct().toCreate().sees("create these").enter()
			w.one() // the policy
			kind := rehearsal.DropAfter
			if hour > 0 {
				kind = rehearsal.DropBefore
			}
			w.aws.Inject(rehearsal.Fault{Kind: kind, Actions: []string{"iam:CreateRole"}, Times: 1})
			w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropBefore, Actions: []string{"iam:GetRole"}}) // and nobody could look
			w.pending[0].call.Do(t.Context())
			w.aws.ClearFaults()
			if got := states(w.receipt()); !slices.Contains(got, "role Spot-Role unknown") {
				t.Fatalf("the receipt says %v", got)
			}
			if hour > 0 {
				time.Sleep(hour)
				w.createRole("Spot-Role", "somebody")
			}
			plan, err := w.remover().Plan(t.Context())
			if hour == 0 {
				wantVerdicts(t, plan, err, "role Spot-Role remove", "policy Spot-Policy remove")
				return
			}
			wantVerdicts(t, plan, err, "role Spot-Role keep", "policy Spot-Policy remove")
			if !strings.Contains(plan[0].Next, "rolecall resume") {
				t.Fatalf("%+v", plan[0])
			}
		})
	}
}

func TestAnAttachmentToAFoundRoleGoesAndTheRoleStays(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.direct()
		id, err := w.api.MintExternalID(t.Context(), "act-12ab12ab")
		if err != nil {
			t.Fatal(err)
		}
		w.createRole("Spot-Role", id)
		w.toCreate().sees("create policy Spot-Policy").seesNot("create role").enter().sees("seen to be right")
		removed, err := w.remover().All(t.Context())
		wantVerdicts(t, removed, err, "attachment Spot-Policy removed", "policy Spot-Policy removed")
		if p, n := w.left(); p != 0 || n != 1 {
			t.Fatalf("%d policies and %d roles are left", p, n)
		}
	})
}
