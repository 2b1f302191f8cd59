package undo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps/record"
	"rolecall/steps/undo"
)

const (
	mine   = "261121-aaaa"
	others = "261121-bbbb"
)

// account is an AWS account with things of two sessions and of nobody.
type account struct {
	t      *testing.T
	server *rehearsal.Server
	hands  *aws.Account
	a, b   record.Receipt // of the two sessions
	begun  time.Time
}

func grants(actions ...string) *policy.Document {
	return policy.NewDocument(policy.Statement{Effect: policy.Allow, Action: actions, Resource: []string{"*"}})
}

func trusts(account string) *policy.Document { return policy.NewTrust("aws", []string{account}, "") }

func newAccount(t *testing.T) *account {
	t.Helper()
	w := &account{t: t, server: rehearsal.New(rehearsal.Options{Propagation: -1}), begun: time.Now()}
	if err := w.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.server.Close() })
	target := aws.RehearsalTarget(w.server.Target())
	hands, err := aws.Open(t.Context(), aws.Options{Rehearsal: &target})
	if err != nil {
		t.Fatal(err)
	}
	w.hands = hands
	w.a, w.b = w.head(mine), w.head(others)
	return w
}

func (w *account) head(session string) record.Receipt {
	return record.Receipt{Session: session, Vendor: "spot", Method: "direct", Access: "role", Partition: "aws", AccountID: "123456789012",
		Region: w.hands.Region(), Created: w.begun}
}

func (w *account) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// makes makes a role with its policy, and a user with a key, as a session would.
func (w *account) makes(r *record.Receipt, suffix string) {
	w.t.Helper()
	ctx := w.t.Context()
	add := func(i record.Item) {
		i.State, i.At = record.ItemMade, time.Now()
		r.Items = append(r.Items, i)
	}
	p, err := w.hands.CreatePolicy(ctx, aws.NewPolicy{Name: "Policy-" + suffix, Document: grants("s3:ListBucket")})
	w.ok(err)
	add(record.Item{Kind: record.ItemPolicy, Name: p.Name, ARN: p.ARN, ID: p.ID, Digest: grants("s3:ListBucket").Digest()})
	role, err := w.hands.CreateRole(ctx, aws.NewRole{Name: "Role-" + suffix, Trust: trusts("444455556666")})
	w.ok(err)
	add(record.Item{Kind: record.ItemRole, Name: role.Name, ARN: role.ARN, ID: role.ID, Digest: trusts("444455556666").Digest()})
	w.ok(w.hands.AttachRolePolicy(ctx, role.Name, p.ARN))
	add(record.Item{Kind: record.ItemAttachment, Name: p.Name, ARN: p.ARN, Role: role.Name, RoleID: role.ID})
	w.ok(w.hands.PutRolePolicy(ctx, role.Name, "inline", grants("s3:GetObject")))
	add(record.Item{Kind: record.ItemInline, Name: "inline", Role: role.Name, RoleID: role.ID, Digest: grants("s3:GetObject").Digest()})
	user, err := w.hands.CreateUser(ctx, aws.NewUser{Name: "user-" + suffix})
	w.ok(err)
	add(record.Item{Kind: record.ItemUser, Name: user.Name, ARN: user.ARN, ID: user.ID})
	w.ok(w.hands.AttachUserPolicy(ctx, user.Name, p.ARN))
	add(record.Item{Kind: record.ItemUserAttachment, Name: p.Name, ARN: p.ARN, User: user.Name, UserID: user.ID})
	key, _, err := w.hands.CreateAccessKey(ctx, user.Name)
	w.ok(err)
	add(record.Item{Kind: record.ItemKey, Name: key.ID, ID: key.ID, User: user.Name, UserID: user.ID})
}

func (w *account) things() []string { return w.server.Snapshot().Things() }

func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(others, one) })
}

func (w *account) remover() *undo.Remover {
	waited := time.Duration(0) // no test waits in real time
	return &undo.Remover{Account: w.hands, Ledger: &record.Ledger{}, Receipt: w.a, Others: []record.Receipt{w.b}, Resumes: true, By: "me",
		Now: func() time.Time { return time.Now().Add(waited) },
		After: func(d time.Duration) <-chan time.Time {
			waited += d
			passed := make(chan time.Time, 1)
			passed <- time.Now()
			return passed
		}}
}

// item finds an item of session a by its kind.
func (w *account) item(kind record.ItemKind) *record.Item {
	i := slices.IndexFunc(w.a.Items, func(i record.Item) bool { return i.Kind == kind })
	return &w.a.Items[i]
}

func (w *account) itemOfB(kind record.ItemKind) record.Item {
	i := slices.IndexFunc(w.b.Items, func(i record.Item) bool { return i.Kind == kind })
	return w.b.Items[i]
}

// attack is something that happened to the account or to the receipt of a, after
// which some of what the receipt lists is not a's, or not as a made it.
type attack struct {
	name  string
	do    func(*account) error
	stays string // what the verdict on the attacked item says
}

func attacks() []attack {
	ctx := context.Background()
	return []attack{
		{"the role is made anew under its name", func(w *account) error {
			for _, err := range []error{
				w.hands.DetachRolePolicy(ctx, "Role-a", w.item(record.ItemPolicy).ARN), w.hands.DeleteRolePolicy(ctx, "Role-a", "inline"),
				w.hands.DeleteRole(ctx, "Role-a"),
			} {
				if err != nil {
					return err
				}
			}
			_, err := w.hands.CreateRole(ctx, aws.NewRole{Name: "Role-a", Trust: trusts("444455556666")})
			return err
		}, "It is another role of that name"},
		{"the policy is made anew under its name", func(w *account) error {
			arn := w.item(record.ItemPolicy).ARN
			for _, err := range []error{w.hands.DetachRolePolicy(ctx, "Role-a", arn), w.hands.DetachUserPolicy(ctx, "user-a", arn),
				w.hands.DeletePolicy(ctx, arn)} {
				if err != nil {
					return err
				}
			}
			_, err := w.hands.CreatePolicy(ctx, aws.NewPolicy{Name: "Policy-a", Document: grants("s3:ListBucket")})
			return err
		}, "It is another policy of that name"},
		{"the trust policy is changed", func(w *account) error { return w.hands.UpdateTrust(ctx, "Role-a", trusts("111122223333")) },
			"trust policy was changed"},
		{"the policy is changed", func(w *account) error {
			_, err := w.hands.CreatePolicyVersion(ctx, w.item(record.ItemPolicy).ARN, grants("s3:PutObject"))
			return err
		}, "It was changed since rolecall made it"},
		{"the inline policy is changed", func(w *account) error {
			return w.hands.PutRolePolicy(ctx, "Role-a", "inline",
				grants("s3:PutObject"))
		}, "changed since rolecall wrote it"},
		{"the role got more", func(w *account) error {
			return w.hands.AttachRolePolicy(ctx, "Role-a", "arn:aws:iam::aws:policy/ReadOnlyAccess")
		}, "gave it more since"},
		{"the user got another key", func(w *account) error {
			_, _, err := w.hands.CreateAccessKey(ctx, "user-a")
			return err
		}, "access key"},
		{"the other session's role uses the policy", func(w *account) error {
			return w.hands.AttachRolePolicy(ctx, "Role-b", w.item(record.ItemPolicy).ARN)
		}, "Something else uses it too"},
		{"the policy is a permissions boundary", func(w *account) error {
			return w.hands.SetBoundary(ctx, "Role-b", w.item(record.ItemPolicy).ARN)
		}, "permissions boundary"},
		{"the receipt names the other session's role", func(w *account) error {
			*w.item(record.ItemRole) = w.itemOfB(record.ItemRole)
			return nil
		}, "is what session " + others + " made"},
		{"the receipt names the other session's policy", func(w *account) error {
			*w.item(record.ItemPolicy) = w.itemOfB(record.ItemPolicy)
			return nil
		}, "is what session " + others + " made"},
		{"the receipt names the other session's attachment", func(w *account) error {
			*w.item(record.ItemAttachment) = w.itemOfB(record.ItemAttachment)
			return nil
		}, "is what session " + others + " made"},
		{"the receipt names the other session's user", func(w *account) error {
			*w.item(record.ItemUser) = w.itemOfB(record.ItemUser)
			return nil
		}, "is what session " + others + " made"},
		{"the receipt names the other session's key", func(w *account) error {
			*w.item(record.ItemKey) = w.itemOfB(record.ItemKey)
			return nil
		}, "is what session " + others + " made"},
		{"the role's ID is not on record", func(w *account) error { w.item(record.ItemRole).ID = ""; return nil }, "whose ID is not on record"},
		{"which role an attachment is on is not on record", func(w *account) error {
			w.item(record.ItemAttachment).RoleID = ""
			return nil
		}, "cannot prove"},
		{"which user a key is of is not on record", func(w *account) error { w.item(record.ItemKey).UserID = ""; return nil }, "cannot prove"},
		{"the policy is of another account", func(w *account) error {
			w.item(record.ItemPolicy).ARN = "arn:aws:iam::111122223333:policy/Policy-a"
			return nil
		}, "It is of account 111122223333"},
		{"everything is older than the session", func(w *account) error { w.a.Created = time.Now().Add(30 * time.Hour); return nil },
			"when this session made nothing"},
		{"the role was asked for and never seen", func(w *account) error {
			w.item(record.ItemRole).State = record.ItemSent
			return nil
		}, "rolecall resume " + mine},
		{"the policy was asked for and never seen", func(w *account) error {
			w.item(record.ItemPolicy).State = record.ItemUnknown
			return nil
		}, "rolecall resume " + mine},
		{"the user was asked for and never seen", func(w *account) error {
			w.item(record.ItemUser).State = record.ItemSent
			return nil
		}, "rolecall resume " + mine},
		{"a key was asked for and never seen", func(w *account) error {
			k := w.item(record.ItemKey)
			k.State, k.Name, k.ID = record.ItemSent, "", ""
			_, _, err := w.hands.CreateAccessKey(ctx, "user-a")
			return err
		}, "Security credentials, the key made at"},
		{"a key was asked for and never seen, and the one that is there is older", func(w *account) error {
			k := w.item(record.ItemKey)
			k.State, k.Name, k.ID, k.At = record.ItemSent, "", "", time.Now().Add(time.Hour)
			return nil
		}, "Security credentials, the key made at"},
		{"a role was asked for under other tags", func(w *account) error {
			i := w.item(record.ItemRole)
			i.State, i.ID, i.Settings = record.ItemSent, "", &record.Settings{Tags: []aws.Tag{{Key: "team", Value: "a"}}}
			return nil
		}, "cannot prove"},
		{"a policy was asked for with another document", func(w *account) error {
			i := w.item(record.ItemPolicy)
			i.State, i.ID, i.Settings, i.Digest = record.ItemSent, "", &record.Settings{}, "sha256:other"
			return nil
		}, "cannot prove"},
		{"a user was asked for an hour before it was made", func(w *account) error {
			i := w.item(record.ItemUser)
			i.State, i.ID, i.Settings, i.At = record.ItemUnknown, "", &record.Settings{}, time.Now().Add(-time.Hour)
			return nil
		}, "cannot prove"},
	}
}

// TestDisconnectTakesNothingThatItCannotProve attacks the account or the receipt
// in one way each: nothing of the other session, of nobody or changed is removed,
// and the reason is said.
func TestDisconnectTakesNothingThatItCannotProve(t *testing.T) {
	w := newAccount(t)
	w.ok(w.server.Do("iam:CreateRole", map[string]string{"RoleName": "Theirs", "AssumeRolePolicyDocument": trusts("111122223333").Pretty()}))

	w.makes(&w.b, "b")
	before := w.things()
	w.makes(&w.a, "a")
	base, receipt := w.server.Snapshot(), w.a

	plain, err := w.remover().All(t.Context())
	if err != nil || len(without(w.things(), before)) > 0 {
		t.Fatalf("without an attack %v is left: %v %+v", without(w.things(), before), err, plain)
	}
	for _, one := range attacks() {
		t.Run(one.name, func(t *testing.T) {
			w.server.Restore(base)
			w.a = receipt
			w.a.Items = slices.Clone(receipt.Items)
			w.ok(one.do(w))
			untouched := without(w.things(), without(base.Things(), before)) // all but what a made
			removals, err := w.remover().All(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if gone := without(untouched, w.things()); len(gone) > 0 {
				t.Errorf("it took away %q", gone)
			}
			said := ""
			for _, r := range removals {
				if r.Why != "" {
					said += r.Why + " " + r.Next + "\n"
				}
			}
			if !strings.Contains(said, one.stays) {
				t.Errorf("it says %q, want %q", said, one.stays)
			}
		})
	}

}

// TestDisconnectUnderManyAttacksAtOnce does several of them, seeded: whatever is
// gone afterwards is a's, and unchanged.
func TestDisconnectUnderManyAttacksAtOnce(t *testing.T) {
	w := newAccount(t)
	w.makes(&w.b, "b")
	before := w.things()
	w.makes(&w.a, "a")
	base, receipt := w.server.Snapshot(), w.a
	made := without(base.Things(), before)
	all := attacks()
	kept := 0
	for i := range 150 {
		random := rand.New(rand.NewPCG(7, uint64(i)))
		w.server.Restore(base)
		w.a = receipt
		w.a.Items = slices.Clone(receipt.Items)
		var names []string
		for range 1 + random.IntN(4) {
			one := all[random.IntN(len(all))]
			names = append(names, one.name)
			_ = one.do(w) // one attack may have taken away what the next needs
		}
		attacked := w.things()
		if _, err := w.remover().All(t.Context()); err != nil {
			t.Fatalf("%d %q: %v", i, names, err)
		}
		gone := without(attacked, w.things())
		if foreign := without(gone, made); len(foreign) > 0 {
			t.Fatalf("%d %q: it took away %q", i, names, foreign)
		}
		if len(gone) < len(made) {
			kept++
		}
	}
	t.Logf("in %d of 150 cases something stayed", kept)
}

// TestEveryRemovalIsInTheJournal counts what the account was asked against what
// the journal tells.
func TestEveryRemovalIsInTheJournal(t *testing.T) {
	w := newAccount(t)
	w.makes(&w.a, "a")
	_, err := w.hands.CreatePolicyVersion(t.Context(), w.item(record.ItemPolicy).ARN, grants("s3:PutObject"))
	w.ok(err)
	_, err = w.hands.CreatePolicyVersion(t.Context(), w.item(record.ItemPolicy).ARN, grants("s3:ListBucket"))
	w.ok(err)
	calls := len(w.server.Calls())
	w.server.Inject(rehearsal.Fault{Kind: rehearsal.Denied, Actions: []string{"iam:DeleteRole"}, Times: 1})
	store := record.OpenStore(t.TempDir())
	journal, release, err := store.OpenReceiptJournal(mine, "disconnect", "me", time.Now)
	w.ok(err)
	defer release()
	r := w.remover()
	r.Journal = journal
	if _, err := r.All(t.Context()); aws.KindOf(err) != aws.Denied {
		t.Fatalf("got %v", err)
	}
	if _, err := r.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, call := range w.server.Calls()[calls:] {
		if strings.HasPrefix(call.Action, "iam:De") {
			sent++
		}
	}
	entries, err := journal.Entries()
	w.ok(err)
	if len(entries) != 1+2*sent || sent < 9 {
		t.Errorf("%d requests, and %d lines: %s", sent, len(entries), fmt.Sprint(entries))
	}
	if text := fmt.Sprint(entries); !strings.Contains(text, "delete role Role-a answered") || !strings.Contains(text, "iam:DeleteRole") {
		t.Errorf("the refusal is not told: %s", text)
	}
}

// TestAStackIsLookedForInItsRegion gives a stack that was asked for and never
// seen, and a sign-in to another region: there it is not gone.
func TestAStackIsLookedForInItsRegion(t *testing.T) {
	w := newAccount(t)
	w.a.Items = []record.Item{{Kind: record.ItemStack, State: record.ItemSent, Name: "spot", At: time.Now()}}
	for region, want := range map[string]undo.RemovalVerdict{w.hands.Region(): undo.Gone, "eu-west-3": undo.Stays, "": undo.Stays} {
		w.a.Region = region
		plan, err := w.remover().Plan(t.Context())
		if err != nil || len(plan) != 1 || plan[0].Verdict != want {
			t.Errorf("the receipt says %q: %+v %v, want %s", region, plan, err, want)
		}
	}
}

// TestWhatWasAskedForAndNeverSeenIsLookedUp takes the answers away from every
// request: what is proven by time, content and settings goes all the same.
func TestWhatWasAskedForAndNeverSeenIsLookedUp(t *testing.T) {
	w := newAccount(t)
	w.makes(&w.b, "b")
	before := w.things()
	w.makes(&w.a, "a")
	for i := range w.a.Items {
		item := &w.a.Items[i]
		item.State, item.Settings = record.ItemSent, &record.Settings{}
		if item.Kind == record.ItemKey {
			item.Name = ""
		}
		item.ID = ""
	}
	removals, err := w.remover().All(t.Context())
	w.ok(err)
	if left := without(w.things(), before); len(left) > 0 || len(removals) != len(w.a.Items) {
		t.Errorf("%q is left: %+v", left, removals)
	}
	if gone := without(before, w.things()); len(gone) > 0 {
		t.Errorf("it took away %q", gone)
	}
}

// TestAPendingDocumentIsRolecallsOwn leaves a document that was sent and never
// seen answered, once taken and once not.
func TestAPendingDocumentIsRolecallsOwn(t *testing.T) {
	for _, taken := range []bool{false, true} {
		w := newAccount(t)
		before := w.things()
		w.makes(&w.a, "a")
		w.item(record.ItemPolicy).Pending = grants("s3:PutObject").Digest()
		w.item(record.ItemInline).Pending = grants("s3:PutObject").Digest()
		w.item(record.ItemRole).Pending = trusts("111122223333").Digest()
		if taken {
			_, err := w.hands.CreatePolicyVersion(t.Context(), w.item(record.ItemPolicy).ARN, grants("s3:PutObject"))
			w.ok(err)
			w.ok(w.hands.PutRolePolicy(t.Context(), "Role-a", "inline", grants("s3:PutObject")))
			w.ok(w.hands.UpdateTrust(t.Context(), "Role-a", trusts("111122223333")))
		}
		removals, err := w.remover().All(t.Context())
		w.ok(err)
		if left := without(w.things(), before); len(left) > 0 {
			t.Errorf("taken %v: %q is left: %+v", taken, left, removals)
		}
	}
}

// TestAThingThatTwoSessionsClaimGoesOnce lets both sessions, in either order,
// claim what the one made: it goes with that one, and the other's is gone.
func TestAThingThatTwoSessionsClaimGoesOnce(t *testing.T) {
	for _, first := range []string{mine, others} {
		for _, looked := range []bool{false, true} {
			w := newAccount(t)
			before := w.things()
			w.makes(&w.a, "a")
			made := time.Now()
			for i := range w.a.Items {
				w.a.Items[i].Sent = made
			}
			w.b.Items = slices.Clone(w.a.Items)
			for i := range w.b.Items {
				w.b.Items[i].Sent, w.b.Items[i].Looked = made.Add(time.Minute), looked
			}
			receipts := map[string]*record.Receipt{mine: &w.a, others: &w.b}
			verdicts := map[string][]undo.RemovalVerdict{}
			for _, session := range []string{first, map[string]string{mine: others, others: mine}[first]} {
				r := w.remover()
				r.Receipt, r.Others = *receipts[session], []record.Receipt{w.a, w.b}
				removals, err := r.All(t.Context())
				w.ok(err)
				for _, one := range removals {
					verdicts[session] = append(verdicts[session], one.Verdict)
					one.State = record.ItemRemoved
					*receipts[session] = receipts[session].Knowing(one.Item)
				}
			}
			if left := without(w.things(), before); len(left) > 0 {
				t.Errorf("%s first, looked %v: %q is left: %v", first, looked, left, verdicts)
			}
			if slices.ContainsFunc(verdicts[mine], func(v undo.RemovalVerdict) bool { return v != undo.Removed }) ||
				slices.ContainsFunc(verdicts[others], func(v undo.RemovalVerdict) bool { return v != undo.Gone }) {
				t.Errorf("%s first, looked %v: %v", first, looked, verdicts)
			}
		}
	}
}
