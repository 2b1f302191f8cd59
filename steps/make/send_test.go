package making_test

import (
	"context"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// operations are what an empty account takes, each with its look.
func (w *world) operations(p making.Planner) []making.Operation {
	w.t.Helper()
	ops := p.Plan(making.Sight{}, nil).Operations
	for i := range ops {
		ops[i].Look = func(ctx context.Context, a *aws.Account) ([]making.Found, error) {
			x, err := p.Look(ctx, a, true)
			return x.Found, err
		}
	}
	return ops
}

func (w *world) send(op making.Operation) (record.Item, error) {
	return w.host().Send(w.t.Context(), op)
}

// state is what the receipt says of the newest thing of a kind.
func (w *world) state(kind record.ItemKind) record.Item {
	w.t.Helper()
	items := w.receipt().Items
	for i := len(items) - 1; i >= 0; i-- {
		if items[i].Kind == kind {
			return items[i]
		}
	}
	w.t.Fatalf("no %s on record", kind)
	return record.Item{}
}

func (w *world) mustState(kind record.ItemKind, state record.ItemState, identified bool) {
	w.t.Helper()
	if item := w.state(kind); item.State != state || identified != (item.ID+item.RoleID+item.UserID != "") {
		w.t.Fatalf("%+v, want it %s", item, state)
	}
}

func TestExistsAfterALostAnswerIsOurs(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		create := w.operations(w.role(w.grant("spot", "role", access.Settings{})))[1]
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"iam:CreateRole"}, Times: 1})
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropBefore, Actions: []string{"iam:GetRole"}})
		if _, err := w.send(create); aws.KindOf(err) != aws.Network {
			t.Fatal(err)
		}
		w.mustState(record.ItemRole, record.ItemUnknown, false)
		w.aws.ClearFaults()
		if _, err := w.send(create); err != nil { // sent again, as though AWS had not shown it yet
			t.Fatal(err)
		}
		w.mustState(record.ItemRole, record.ItemMade, true)
	})
}

func TestExistsWithoutALostAnswerIsSomebodyElses(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		g := w.grant("spot", "role", access.Settings{})
		if _, err := w.hands.CreateRole(t.Context(), aws.NewRole{Name: g.Name, Trust: g.Trust}); err != nil { // between look and request
			t.Fatal(err)
		}
		if _, err := w.send(w.operations(w.role(g))[1]); aws.KindOf(err) != aws.Exists {
			t.Fatal(err)
		}
		w.mustState(record.ItemRole, record.ItemNotMade, false)
		r := &making.Run{}
		if !w.run(r, w.role(g)) || r.Stage != making.Made {
			t.Fatalf("%d %+v", r.Stage, r.Problem)
		}
		w.mustState(record.ItemRole, record.ItemAdopted, true)
	})
}

func TestARefusalOfARepeatIsNoProofThatNothingWasDone(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		ops := w.operations(w.role(w.grant("spot", "role", access.Settings{})))
		for _, op := range ops[:2] {
			if _, err := w.send(op); err != nil {
				t.Fatal(err)
			}
		}
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"iam:AttachRolePolicy"}, Times: 1})
		w.aws.Deny("iam:AttachRolePolicy")
		if _, err := w.send(ops[2]); err != nil {
			t.Fatal(err) // it is attached
		}
		w.mustState(record.ItemAttachment, record.ItemMade, true)
	})
	bubble(t, func(t *testing.T, w *world) {
		ops := w.operations(w.role(w.grant("spot", "role", access.Settings{})))
		for _, op := range ops[:2] {
			if _, err := w.send(op); err != nil {
				t.Fatal(err)
			}
		}
		w.aws.Deny("iam:AttachRolePolicy")
		if _, err := w.send(ops[2]); aws.KindOf(err) != aws.Denied {
			t.Fatal(err)
		}
		w.mustState(record.ItemAttachment, record.ItemNotMade, true)
	})
}

// TestAStackThatExistsIsOursByItsToken has the SDK's repeat answered that the
// stack exists, as AWS may.
func TestAStackThatExistsIsOursByItsToken(t *testing.T) {
	t.Parallel()
	g := func(w *world) access.Grant { return w.grant("spot", "role", access.Settings{}) }
	bubble(t, func(t *testing.T, w *world) {
		op := w.operations(w.stack(g(w), true, "rolecall-mine"))[0]
		create := op.Do
		op.Do = func(ctx context.Context, a *aws.Account, item *record.Item) error {
			if err := create(ctx, a, &record.Item{}); err != nil {
				return err
			}
			return &aws.Error{Kind: aws.Exists, What: "A stack of that name exists."}
		}
		if _, err := w.send(op); err != nil {
			t.Fatal(err)
		}
		w.mustState(record.ItemStack, record.ItemMade, true)
	})
	bubble(t, func(t *testing.T, w *world) { // a colleague's, from the same template at the same time
		if _, err := w.hands.CreateStack(t.Context(), w.stack(g(w), true, "rolecall-theirs").New(nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.send(w.operations(w.stack(g(w), true, "rolecall-mine"))[0]); aws.KindOf(err) != aws.Exists {
			t.Fatal(err)
		}
		w.mustState(record.ItemStack, record.ItemNotMade, false)
	})
}

// TestNoRequestOutlastsTheTime lets AWS answer nothing at all.
func TestNoRequestOutlastsTheTime(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		w.aws.SetLatency(time.Hour)
		w.until = time.Now().Add(6 * time.Second)
		began := time.Now()
		_, err := w.send(w.operations(w.role(w.grant("spot", "role", access.Settings{})))[0])
		if err == nil || time.Since(began) > 20*time.Second {
			t.Fatalf("%v after %s", err, time.Since(began))
		}
		w.mustState(record.ItemPolicy, record.ItemUnknown, false)
		if _, err := w.send(w.operations(w.role(w.grant("spot", "role", access.Settings{})))[0]); err == nil {
			t.Fatal("sent after the time was up")
		}
	})
}

// TestAnUpdateOfWhatWasMadeStaysProven kills the program after an update and
// before its answer: what was made is still known by its digest.
func TestAnUpdateOfWhatWasMadeStaysProven(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		bubble(t, func(t *testing.T, w *world) {
			g := w.grant("spot", "role", access.Settings{})
			if r := (&making.Run{}); !w.run(r, w.role(g)) || r.Stage != making.Made {
				t.Fatalf("%d %+v", r.Stage, r.Problem)
			}
			made := w.state(record.ItemPolicy)
			g.Documents[0].Document = policy.NewDocument(g.Documents[0].Document.Statements[1:]...)
			g.Whole = g.Documents[0].Document
			update := func() (*making.Run, bool) {
				r, p := &making.Run{}, w.role(g)
				effects := r.Begin(w.host(), p)
				alive := w.carryOn(r, effects, nil)
				if alive && r.Stage == making.Differs {
					alive = w.carryOn(r, r.Accept(w.host(), r.Plan.Differences[0]), nil)
				}
				return r, alive
			}
			w.killer.after = after
			w.killAt("iam:CreatePolicyVersion")
			if _, alive := update(); alive {
				t.Fatal("not killed")
			}
			if item := w.state(
				record.ItemPolicy,
			); item.State != record.ItemMade || item.ID != made.ID || item.Digest != made.Digest ||
				item.Pending != g.Whole.Digest() {
				t.Fatalf("%+v", item)
			}
			w.calm()
			if r, alive := update(); !alive || r.Stage != making.Made {
				t.Fatalf("%d %+v", r.Stage, r.Problem)
			}
			if item := w.state(
				record.ItemPolicy,
			); item.State != record.ItemMade || item.ID != made.ID || item.Digest != g.Whole.Digest() ||
				item.Pending != "" {
				t.Fatalf("%+v", item)
			}
			if p, err := w.hands.Policy(t.Context(), made.ARN); err != nil || p.VersionID != "v2" {
				t.Fatalf("%+v %v", p, err)
			}
		})
	}
}

// TestARefusedTagIsSaid refuses what no digest shows.
func TestARefusedTagIsSaid(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		g := w.grant("spot", "role", access.Settings{})
		if _, err := w.hands.CreateRole(t.Context(), aws.NewRole{Name: g.Name, Trust: g.Trust}); err != nil {
			t.Fatal(err)
		}
		g.Tags = map[string]string{"team": "platform"}
		w.aws.Deny("iam:TagRole")
		r := &making.Run{}
		w.run(r, w.role(g))
		if r.Stage != making.Differs {
			t.Fatalf("%d %+v", r.Stage, r.Problem)
		}
		w.carryOn(r, r.Accept(w.host(), r.Plan.Differences[0]), nil)
		if r.Stage != making.Failed || r.Problem.Kind != screen.AWSRefused {
			t.Fatalf("%d %+v", r.Stage, r.Problem)
		}
		w.aws.ClearFaults()
		w.run(r, w.role(g))
		if r.Stage != making.Made {
			t.Fatalf("%d %+v", r.Stage, r.Problem)
		}
		if role, err := w.hands.Role(t.Context(), g.Name); err != nil || len(role.Tags) != 1 {
			t.Fatalf("%+v %v", role, err)
		}
		w.mustState(record.ItemRole, record.ItemUpdated, true)
	})
}

// TestATroubledFirstLookIsNoAgreement loses the answers of the first look: the
// plan still waits to be agreed to.
func TestATroubledFirstLookIsNoAgreement(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, w *world) {
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.Throttled, Actions: []string{"iam:GetRole"}, Times: 6})
		r := &making.Run{}
		w.calls(r.Begin(w.host(), w.role(w.grant("spot", "role", access.Settings{}))), func(msg screen.Msg) []screen.Effect {
			effects, _ := r.Update(w.host(), msg)
			return effects
		})
		if r.Stage != making.Ready || len(w.written()) > 0 {
			t.Fatalf("stage %d, sent %v", r.Stage, w.written())
		}
	})
}
