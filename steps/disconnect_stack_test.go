package steps_test

import (
	"context"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/record"
	"rolecall/steps/undo"
)

// stacked makes a stack and puts it on the receipt.
func (w *world) stacked() (*undo.Remover, aws.Stack) {
	w.t.Helper()
	w.direct()
	setup := policy.Setup{
		Description: "For Spot",
		Roles: []policy.SetupRole{{ID: "SpotRole", Name: "Spot-Role", Principals: []string{"922761411349"},
			ExternalID: "spotinst:aws:extid:0123456789abcdef", Output: "SpotinstRoleArn",
			Policies: []policy.SetupPolicy{{ID: "SpotPolicy", Name: "Spot-Policy", Document: w.wantedPolicy()}}}},
	}
	template, err := setup.CloudFormation()
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := w.hands().CreateStack(w.t.Context(), aws.NewStack{Name: "spot", Template: template, Acknowledged: true, Token: "t1"})
	if err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(2 * time.Minute)
	stack, err := w.hands().Stack(w.t.Context(), id)
	if err != nil || !stack.Status.Good() {
		w.t.Fatalf("%+v %v", stack, err)
	}
	item := record.Item{
		Kind:   record.ItemStack,
		State:  record.ItemMade,
		Name:   "spot",
		ID:     id,
		ARN:    id,
		Digest: aws.TemplateDigest(template),
		At:     time.Now(),
	}
	if err := w.session.Ledger.Put(record.Receipt{Session: w.session.ID, Vendor: "spot", AccountID: account}, item); err != nil {
		w.t.Fatal(err)
	}
	return w.remover(), stack
}

func TestDisconnectDeletesTheStackAndWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		r, _ := w.stacked()
		plan, err := r.Plan(t.Context())
		wantVerdicts(t, plan, err, "stack spot remove")
		removed, err := r.All(t.Context())
		wantVerdicts(t, removed, err, "stack spot removed")
		if p, n := w.left(); p != 0 || n != 0 {
			t.Fatalf("%d policies and %d roles are left", p, n)
		}
		again, err := w.remover().All(t.Context())
		wantVerdicts(t, again, err)
	})
}

func TestAStackInDeletionIsWaitedForByTheNextRun(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		r, stack := w.stacked()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(500 * time.Millisecond); cancel() }()
		if _, err := r.Remove(ctx, w.receipt().Items[0]); err == nil {
			t.Fatal("did not stop when the person left")
		}
		if s, err := w.hands().Stack(t.Context(), stack.ID); err != nil || s.Status != "DELETE_IN_PROGRESS" {
			t.Fatalf("%+v %v", s, err)
		}
		removed, err := w.remover().All(t.Context())
		wantVerdicts(t, removed, err, "stack spot removed")
	})
}

func TestAnUpdatedStackStays(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.stacked()
		receipt := w.receipt()
		item := receipt.Items[0]
		item.Digest = "sha256:0000"
		if err := w.session.Ledger.Put(receipt, item); err != nil {
			t.Fatal(err)
		}
		plan, err := w.remover().Plan(t.Context())
		wantVerdicts(t, plan, err, "stack spot keep")
	})
}
