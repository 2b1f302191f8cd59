package update_test

import (
	"context"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/steps/undo"
	"rolecall/steps/update"
)

const id = "260131-7k2m"

// world is an account with a role that a session made, whose policy is not what
// the vendor needs now.
type world struct {
	t       *testing.T
	server  *rehearsal.Server
	account *aws.Account
	store   *record.Store
	session *step.Session
	updater *update.Updater
	role    string
}

func newWorld(t *testing.T, vendor string) *world {
	t.Helper()
	w := &world{t: t, server: rehearsal.New(rehearsal.Options{Propagation: -1}), store: record.OpenStore(t.TempDir())}
	w.ok(w.server.Start())
	t.Cleanup(func() { _ = w.server.Close() })
	target := aws.RehearsalTarget(w.server.Target())
	var err error
	w.account, err = aws.Open(t.Context(), aws.Options{Rehearsal: &target})
	w.ok(err)
	v, err := steps.Library().Load(vendor)
	w.ok(err)
	w.session = &step.Session{Vendor: v, AWS: w.account, Now: time.Now}
	w.session.ID, w.session.Answers.Vendor, w.session.Access, w.session.Partition, w.session.AccountID = id, v.Name, "role", "aws",
		"123456789012"
	w.session.Prepare()
	purpose := v.Roles[0].Purpose
	if vendor == "spot" {
		w.session.Bundles = []string{"ocean"}
	}
	w.session.SetPart(purpose, func(p *record.Part) { p.ExternalID = "of-this-customer" })
	g, err := w.session.Grant(purpose)
	w.ok(err)
	w.role = g.Name
	host := making.Host{Account: w.account, Ledger: w.store.Ledger(id), Head: w.session.ReceiptHead(), Now: time.Now, Patience: time.Minute}
	for _, op := range making.NewRole(g, g.Want()).Plan(making.Sight{}, nil).Operations {
		_, err := host.Send(t.Context(), op)
		w.ok(err)
	}
	w.updater = &update.Updater{Session: w.session, Purpose: purpose, Account: w.account, Store: w.store}
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// rewrites changes what the role grants, as rolecall had written it: then an
// update has something to do.
func (w *world) rewrites() record.Item {
	w.t.Helper()
	less := policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"s3:ListBucket"}, Resource: []string{"*"}})
	receipt, err := w.store.Receipt(id)
	w.ok(err)
	for _, item := range receipt.Items {
		switch item.Kind {
		case record.ItemPolicy:
			_, err = w.account.CreatePolicyVersion(w.t.Context(), item.ARN, less)
		case record.ItemInline:
			err = w.account.PutRolePolicy(w.t.Context(), item.Role, item.Name, less)
		default:
			continue
		}
		w.ok(err)
		item.Digest = less.Digest()
		w.ok(w.store.Ledger(id).Put(receipt, item))
		return item
	}
	w.t.Fatal("no policy")
	return record.Item{}
}

func (w *world) known(like record.Item) record.Item {
	w.t.Helper()
	receipt, err := w.store.Receipt(id)
	w.ok(err)
	item, _ := receipt.Find(like)
	return item
}

// TestAnUpdateThatWasNotSeenAnsweredIsSettled kills an update between request and
// answer: the next look settles it, and disconnect takes the document for
// rolecall's own, looked at before or not.
func TestAnUpdateThatWasNotSeenAnsweredIsSettled(t *testing.T) {
	for _, vendor := range []string{"spot", "sprinters"} {
		for _, done := range []bool{false, true} {
			for _, looks := range []bool{false, true} {
				w := newWorld(t, vendor)
				old := w.rewrites()
				plan, err := w.updater.Plan(t.Context(), w.role)
				w.ok(err)
				if len(plan.Policies) != 1 {
					t.Fatalf("%+v", plan)
				}
				kind := rehearsal.DropBefore
				if done {
					kind = rehearsal.DropAfter
				}
				w.server.Inject(rehearsal.Fault{Kind: kind, Actions: []string{"iam:CreatePolicyVersion", "iam:PutRolePolicy"}})
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				if err := w.updater.Apply(ctx, plan.Role, &plan.Policies[0]); err == nil && !done {
					t.Fatal("what was not done was seen to be done")
				}
				cancel()
				w.server.ClearFaults()
				if item := w.known(old); !item.Writes(plan.Policies[0].After.Digest()) {
					t.Fatalf("%s, done %v: %+v", vendor, done, item)
				}
				if looks {
					again, err := w.updater.Plan(t.Context(), w.role)
					w.ok(err)
					if item := w.known(old); done && (item.Pending != "" || item.Digest != plan.Policies[0].After.Digest() || len(again.Policies) > 0) {
						t.Errorf("%s: after another look %+v %+v", vendor, item, again)
					}
				}
				receipt, err := w.store.Receipt(id)
				w.ok(err)
				removals, err := (&undo.Remover{Account: w.account, Ledger: w.store.Ledger(id), Receipt: receipt, Now: time.Now}).All(t.Context())
				w.ok(err)
				for _, one := range removals {
					if one.Verdict != undo.Removed {
						t.Errorf("%s, done %v, looked %v: %+v", vendor, done, looks, one)
					}
				}
			}
		}
	}
}

// TestARefusedUpdateLeavesNothingPending has AWS refuse it.
func TestARefusedUpdateLeavesNothingPending(t *testing.T) {
	w := newWorld(t, "spot")
	old := w.rewrites()
	plan, err := w.updater.Plan(t.Context(), w.role)
	w.ok(err)
	w.server.Inject(rehearsal.Fault{Kind: rehearsal.Denied, Actions: []string{"iam:CreatePolicyVersion"}})
	if err := w.updater.Apply(t.Context(), plan.Role, &plan.Policies[0]); aws.KindOf(err) != aws.Denied {
		t.Fatal(err)
	}
	if item := w.known(old); item.Pending != "" || item.Digest != old.Digest {
		t.Errorf("%+v", item)
	}
}

// TestAnInlinePolicyIsNotWrittenOverUnseen has somebody edit the policy, or make
// the role anew, while the difference stands on the screen: IAM keeps no earlier
// version of an inline policy.
func TestAnInlinePolicyIsNotWrittenOverUnseen(t *testing.T) {
	for _, anew := range []bool{false, true} {
		w := newWorld(t, "sprinters")
		old := w.rewrites()
		plan, err := w.updater.Plan(t.Context(), w.role)
		w.ok(err)
		theirs := policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: []string{"s3:GetObject"}, Resource: []string{"*"}})
		if anew {
			theirs = plan.Policies[0].Before
			w.ok(w.account.DeleteRolePolicy(t.Context(), w.role, old.Name))
			w.ok(w.account.DeleteRole(t.Context(), w.role))
			_, err := w.account.CreateRole(t.Context(), aws.NewRole{Name: w.role, Trust: plan.Role.Trust})
			w.ok(err)
		}
		w.ok(w.account.PutRolePolicy(t.Context(), w.role, old.Name, theirs))
		says(t, w.updater.Apply(t.Context(), plan.Role, &plan.Policies[0]), "was changed while you looked")
		role, err := w.account.Role(t.Context(), w.role)
		w.ok(err)
		if !role.Inline[0].Document.Equal(theirs) {
			t.Errorf("made anew %v: it was written over", anew)
		}
		if item := w.known(old); item.Pending != "" || item.Digest != old.Digest {
			t.Errorf("%+v", item)
		}
	}
}

// TestAVersionThatWasDroppedIsToldOf has AWS refuse the new version after the
// oldest one was deleted to make room for it.
func TestAVersionThatWasDroppedIsToldOf(t *testing.T) {
	w := newWorld(t, "spot")
	for range 4 {
		w.rewrites()
	}
	plan, err := w.updater.Plan(t.Context(), w.role)
	w.ok(err)
	w.server.Inject(rehearsal.Fault{Kind: rehearsal.Denied, Actions: []string{"iam:CreatePolicyVersion"}})
	if err := w.updater.Apply(t.Context(), plan.Role, &plan.Policies[0]); aws.KindOf(err) != aws.Denied {
		t.Fatal(err)
	}
	if p := plan.Policies[0]; p.Drop == nil || !p.Dropped {
		t.Errorf("%+v", p)
	}
}
