package update_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/steps"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/update"
)

// faster is how much faster the clock of these tests is.
const faster = 200

// newStackWorld is an account with a role that a stack made for Ocean, and a
// session that wants Elastigroup, too.
func newStackWorld(t *testing.T) *world {
	t.Helper()
	began := time.Now()
	now := func() time.Time { return began.Add(time.Since(began) * faster) }
	w := &world{t: t, server: rehearsal.New(rehearsal.Options{Propagation: -1, Now: now}), store: record.OpenStore(t.TempDir())}
	w.ok(w.server.Start())
	t.Cleanup(func() { _ = w.server.Close() })
	target := aws.RehearsalTarget(w.server.Target())
	var err error
	w.account, err = aws.Open(t.Context(), aws.Options{Rehearsal: &target})
	w.ok(err)
	w.session = w.newSession(now)
	w.session.Bundles = []string{"ocean"}
	plan, err := w.session.PlanStack()
	w.ok(err)
	want := plan.Want(w.session, w.session.StackToken())
	want.AtOnce, want.Acknowledged = true, true
	host := making.Host{Account: w.account, Ledger: w.store.Ledger(id), Head: w.session.ReceiptHead(), Now: now, Patience: time.Minute}
	item, err := host.Send(t.Context(), want.Plan(making.Sight{}, nil).Operations[0])
	w.ok(err)
	w.until("the stack", func() bool {
		stack, err := w.account.Stack(t.Context(), item.ID)
		w.ok(err)
		return stack.Status == aws.StackCreated
	})
	w.role = "Spot-Role"
	w.updater = w.newUpdater(w.store)
	return w
}

func (w *world) newSession(now func() time.Time) *step.Session {
	w.t.Helper()
	v, err := steps.Library().Load("spot")
	w.ok(err)
	s := &step.Session{Vendor: v, AWS: w.account, Now: now}
	s.ID, s.Answers.Vendor, s.Access, s.Partition, s.AccountID, s.Method = id, v.Name, "role", "aws", "123456789012", "automatic"
	s.Prepare()
	s.Stack.Name = "spot-access"
	s.SetPart(v.Roles[0].Purpose, func(p *record.Part) { p.ExternalID = "of-this-customer" })
	return s
}

// newUpdater is one run of update, which does not know the external ID.
func (w *world) newUpdater(store *record.Store) *update.Updater {
	w.t.Helper()
	s := w.newSession(w.session.Now)
	s.Stack = record.Stack{}
	purpose := s.Vendor.Roles[0].Purpose
	s.SetPart(purpose, func(p *record.Part) { p.ExternalID = "" })
	return &update.Updater{Session: s, Purpose: purpose, Account: w.account, Store: store,
		After: func(d time.Duration) <-chan time.Time { return time.After(d / faster) }}
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for range 5000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond) // the rehearsal's clock is not this test's
	}
	w.t.Fatal("never came: " + what)
}

// run is a whole update.
func (w *world) run(ctx context.Context, u *update.Updater) (update.Update, error) {
	w.t.Helper()
	plan, err := u.Plan(ctx, w.role)
	if err == nil {
		err = u.MakeChangeSet(ctx, &plan)
	}
	if err == nil {
		err = u.Execute(ctx, &plan)
	}
	if err == nil {
		err = u.Prove(ctx, plan)
	}
	return plan, err
}

func (w *world) equal(u *update.Updater) {
	w.t.Helper()
	plan, err := u.Plan(w.t.Context(), w.role)
	w.ok(err)
	if plan.Stack.Needed || len(plan.Policies) != 0 {
		w.t.Errorf("there is something to do: %+v", plan)
	}
}

func (w *world) stackItem() record.Item {
	w.t.Helper()
	return w.known(record.Item{Kind: record.ItemStack, Name: "spot-access"})
}

func says(t *testing.T, err error, words ...string) {
	t.Helper()
	var fault *screen.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("%v is no fault", err)
	}
	text := fault.Problem.What + " " + fault.Problem.Expected + " " + fault.Problem.Next
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not say %q", text, word)
		}
	}
}

// TestAStackIsUpdatedWhateverAnswerIsLost loses each answer on the way; the next
// run comes to the same end, with nothing left over.
func TestAStackIsUpdatedWhateverAnswerIsLost(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStackEvents"} {
		for _, kind := range []rehearsal.FaultKind{rehearsal.DropBefore, rehearsal.DropAfter} {
			w := newStackWorld(t)
			w.server.Inject(rehearsal.Fault{Kind: kind, Actions: []string{"cloudformation:" + action}, Times: 2})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			_, _ = w.run(ctx, w.updater)
			cancel()
			w.server.ClearFaults()
			if _, err := w.run(t.Context(), w.newUpdater(w.store)); err != nil {
				t.Fatalf("%s, %v: %v", action, kind, err)
			}
			w.equal(w.newUpdater(w.store))
			item := w.stackItem()
			stack, err := w.account.Stack(t.Context(), item.ID)
			w.ok(err)
			template, err := w.account.Template(t.Context(), item.ID)
			w.ok(err)
			if item.Pending != "" || item.State != record.ItemMade || item.Digest != aws.TemplateDigest(template) || stack.Status != aws.StackUpdated {
				t.Errorf("%s, %v: %+v of %+v", action, kind, item, stack)
			}
		}
	}
}

// TestAKilledUpdateLeavesNoChangeSet kills a run before it executes what it made.
func TestAKilledUpdateLeavesNoChangeSet(t *testing.T) {
	t.Parallel()
	w := newStackWorld(t)
	plan, err := w.updater.Plan(t.Context(), w.role)
	w.ok(err)
	w.ok(w.updater.MakeChangeSet(t.Context(), &plan))
	left := w.stackItem().ChangeSet
	again := w.newUpdater(w.store)
	plan, err = again.Plan(t.Context(), w.role)
	w.ok(err)
	w.ok(again.MakeChangeSet(t.Context(), &plan))
	if _, err := w.account.ChangeSetOf(t.Context(), plan.Stack.Stack.ID, left); aws.KindOf(err) != aws.NotFound {
		t.Errorf("the change set %s: %v", left, err)
	}
	w.ok(again.Discard(t.Context(), &plan))
	if _, err := w.account.ChangeSet(t.Context(), plan.Stack.Set.ID); aws.KindOf(err) != aws.NotFound {
		t.Error(err)
	}
}

// TestOfTwoUpdatesOneWins has both worked out before one is executed.
func TestOfTwoUpdatesOneWins(t *testing.T) {
	t.Parallel()
	w := newStackWorld(t)
	other := w.newUpdater(record.OpenStore(t.TempDir()))
	mine, err := w.updater.Plan(t.Context(), w.role)
	w.ok(err)
	theirs, err := other.Plan(t.Context(), w.role)
	w.ok(err)
	w.ok(w.updater.MakeChangeSet(t.Context(), &mine))
	time.Sleep(2 * time.Millisecond) // tokens go by the clock
	w.ok(other.MakeChangeSet(t.Context(), &theirs))
	w.ok(w.updater.Execute(t.Context(), &mine))
	if err := other.Execute(t.Context(), &theirs); err == nil {
		t.Fatal("both were executed")
	}
	w.equal(w.newUpdater(w.store))
}

// TestAStackThatIsRolledBackIsAsItWas has AWS refuse the policy while
// CloudFormation is at work; a second time also while it takes that back.
func TestAStackThatIsRolledBackIsAsItWas(t *testing.T) {
	t.Parallel()
	w := newStackWorld(t)
	old := w.stackItem()
	w.server.Inject(rehearsal.Fault{Kind: rehearsal.Denied, Actions: []string{"iam:CreatePolicyVersion"}, Times: 1})
	_, err := w.run(t.Context(), w.updater)
	says(t, err, "iam:CreatePolicyVersion", "update rollback complete", "as it was")
	if item := w.stackItem(); item.Pending != "" || item.Digest != old.Digest || item.ChangeSet != "" || item.Earlier != nil {
		t.Errorf("%+v", item)
	}
	if _, err := w.run(t.Context(), w.newUpdater(w.store)); err != nil {
		t.Fatal(err)
	}
	back := w.newUpdater(w.store)
	plan, err := back.PlanUndo(t.Context(), w.role)
	w.ok(err)
	w.ok(back.MakeChangeSet(t.Context(), &plan))
	w.server.Inject(rehearsal.Fault{Kind: rehearsal.Denied, Actions: []string{"iam:CreatePolicyVersion"}, Times: 2})
	says(t, back.Execute(t.Context(), &plan), "update rollback failed")
	_, err = w.newUpdater(w.store).Plan(t.Context(), w.role)
	says(t, err, "update rollback failed", "aws cloudformation continue-update-rollback --stack-name spot-access --region us-east-1")
}

// TestNoUpdateReplacesARole has an earlier template in the receipt that would.
func TestNoUpdateReplacesARole(t *testing.T) {
	t.Parallel()
	w := newStackWorld(t)
	_, err := w.run(t.Context(), w.updater)
	w.ok(err)
	item := w.stackItem()
	moved := strings.Replace(string(item.Earlier.Template), "RoleName: \"Spot-Role\"", "RoleName: \"Other-Role\"", 1)
	if moved == string(item.Earlier.Template) {
		t.Fatal("the template names no role")
	}
	receipt, err := w.store.Receipt(id)
	w.ok(err)
	item.Earlier = &record.Earlier{Digest: aws.TemplateDigest(moved), Template: []byte(moved), Parameters: item.Earlier.Parameters}
	w.ok(w.store.Ledger(id).Put(receipt, item))
	u := w.newUpdater(w.store)
	plan, err := u.PlanUndo(t.Context(), w.role)
	w.ok(err)
	says(t, u.MakeChangeSet(t.Context(), &plan), "would replace the role Spot-Role", "deleted again")
	if _, err := w.account.ChangeSet(t.Context(), plan.Stack.Set.ID); aws.KindOf(err) != aws.NotFound {
		t.Error(err)
	}
	item.Earlier.Template = []byte("Resources: {}\n")
	w.ok(w.store.Ledger(id).Put(receipt, item))
	_, err = w.newUpdater(w.store).PlanUndo(t.Context(), w.role)
	says(t, err, "does not have its digest")
}

// TestWhatSomebodyAddedToTheTemplateStays holds that nothing is deleted that no
// receipt proves to be rolecall's, and that going back does not undo it.
func TestWhatSomebodyAddedToTheTemplateStays(t *testing.T) {
	t.Parallel()
	w := newStackWorld(t)
	stack := w.stackItem().ID
	template, err := w.account.Template(t.Context(), stack)
	w.ok(err)
	more := strings.Replace(template, "Resources:\n", "Resources:\n  Theirs:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n"+
		"      ManagedPolicyName: Theirs\n      PolicyDocument:\n        Version: '2012-10-17'\n        Statement:\n"+
		"          - Effect: Allow\n            Action: s3:ListBucket\n            Resource: '*'\n", 1)
	set, err := w.account.CreateChangeSet(t.Context(), aws.NewChangeSet{ChangeSet: "theirs", Update: true,
		NewStack: aws.NewStack{Name: stack, Template: more, Parameters: map[string]string{"ExternalId": "of-this-customer"}, Acknowledged: true}})
	w.ok(err)
	w.until("their change set", func() bool { return w.account.ExecuteChangeSet(t.Context(), set.ID, "theirs") == nil })
	plan, err := w.updater.Plan(t.Context(), w.role) // waits until CloudFormation is done
	w.ok(err)
	says(t, w.updater.MakeChangeSet(t.Context(), &plan), "would delete AWS::IAM::ManagedPolicy", "no receipt here proves")
	_, err = w.newUpdater(w.store).PlanUndo(t.Context(), w.role)
	says(t, err, "was changed since")
}
