package migrate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	making "rolecall/steps/make"
	"rolecall/steps/record"
)

// toRole does what somebody does who agrees to everything, and comes back when the
// day is there.
func toRole(w *world) error {
	ctx, m := w.t.Context(), w.migration()
	r, err := m.PlanRole(ctx)
	if err == nil {
		err = m.MakeRole(ctx, &r)
	}
	if err == nil && r.Handed.IsZero() {
		err = m.HandedOver(&r)
	}
	if err == nil && (len(r.Active()) > 0 || r.Ours() && r.Leaves().IsZero()) {
		err = m.Deactivate(ctx, &r, time.Now().AddDate(0, 0, 7))
		if m.Due(r) {
			w.t.Error("it is due before its day")
		}
	}
	if err != nil {
		return err
	}
	time.Sleep(8 * 24 * time.Hour)
	m = w.migration()
	if r, err = m.PlanRole(ctx); err != nil || !m.Due(r) {
		return err
	}
	return m.Delete(ctx, &r)
}

func TestAKilledMigrationToARoleEndsWithEverythingOnce(t *testing.T) {
	killed(t, (*world).makesUser, toRole, func(w *world, when string) {
		ctx := w.t.Context()
		if _, err := w.hands.User(ctx, "sprinters-user"); aws.KindOf(err) != aws.NotFound {
			t.Fatalf("%s: the user is there: %v", when, err)
		}
		role, err := w.hands.Role(ctx, "sprinters-role")
		w.ok(err)
		receipt, err := w.store.Receipt(id)
		w.ok(err)
		own, ok := receipt.Find(record.Item{Kind: record.ItemRole, Name: role.Name})
		if !ok || own.ID != role.ID || own.HandedOver.IsZero() || len(receipt.Outstanding()) != 2 {
			t.Fatalf("%s: %+v", when, receipt.Items)
		}
	})
}

// intoStack has the role taken into a stack, and compares it with what it was.
func intoStack(w *world) error {
	m := w.migration()
	p, err := m.PlanImport(w.t.Context(), "vendor-access")
	if err != nil {
		return err
	}
	_, err = m.Import(w.t.Context(), p)
	return err
}

func outOfStack(w *world) error {
	m := w.migration()
	if receipt, err := w.store.Receipt(id); err == nil { // the session names its stack until all is done
		i := slices.IndexFunc(receipt.Items, func(i record.Item) bool { return i.Kind == record.ItemStack })
		m.Session.Stack.ID = receipt.Items[i].ID
	}
	r, err := m.PlanRelease(w.t.Context())
	if err != nil {
		return err
	}
	return m.Release(w.t.Context(), r)
}

func TestAKilledImportEndsWithOneStackAndTheSameRole(t *testing.T) {
	for _, vendor := range []string{"spot", "sprinters"} {
		var before aws.Role
		begins := func(w *world) {
			w.makesRole(vendor)
			before = w.role(vendor)
		}
		ends := func(w *world, when string) {
			w.sameRole(when, before, w.role(vendor))
			stacks, err := w.hands.Stacks(w.t.Context())
			w.ok(err)
			receipt, err := w.store.Receipt(id)
			w.ok(err)
			own, _ := receipt.Find(record.Item{Kind: record.ItemStack, Name: "vendor-access"})
			if len(stacks) != 1 || !stacks[0].Status.Good() || own.State != record.ItemMade || own.ID != stacks[0].ID {
				t.Fatalf("%s: %+v %+v", when, stacks, own)
			}
			template, err := w.hands.Template(w.t.Context(), own.ID)
			w.ok(err)
			if !own.Writes(aws.TemplateDigest(template)) || !strings.Contains(template, "Outputs:") {
				t.Fatalf("%s: the receipt tells of another template", when)
			}
		}
		if vendor == "spot" {
			killed(t, begins, intoStack, ends)
			continue
		}
		once(t, begins, intoStack, ends)
	}
}

func TestAKilledReleaseEndsWithoutTheStackAndWithTheSameRole(t *testing.T) {
	for _, vendor := range []string{"spot", "sprinters"} {
		var before aws.Role
		begins := func(w *world) {
			w.makesStack(vendor)
			before = w.role(vendor)
		}
		ends := func(w *world, when string) {
			w.sameRole(when, before, w.role(vendor))
			stacks, err := w.hands.Stacks(w.t.Context())
			w.ok(err)
			receipt, err := w.store.Receipt(id)
			w.ok(err)
			own, ok := receipt.Find(record.Item{Kind: record.ItemRole, Name: before.Name})
			if len(stacks) != 0 || !ok || own.State != record.ItemMade || own.ID != before.ID {
				t.Fatalf("%s: %+v %+v", when, stacks, receipt.Items)
			}
			for _, i := range receipt.Items {
				if i.Kind == record.ItemStack && i.State != record.ItemRemoved {
					t.Fatalf("%s: %+v", when, i)
				}
			}
		}
		if vendor == "spot" {
			killed(t, begins, outOfStack, ends)
			continue
		}
		once(t, begins, outOfStack, ends) // what differs is the policy, which nothing here is sent about
	}
}

func (w *world) role(vendor string) aws.Role {
	w.t.Helper()
	name := map[string]string{"spot": "Spot-Role", "sprinters": "sprinters-role"}[vendor]
	role, err := w.hands.Role(w.t.Context(), name)
	w.ok(err)
	return role
}

// sameRole wants a role to be the very one of before, and as it was.
func (w *world) sameRole(when string, before, after aws.Role) {
	w.t.Helper()
	if before.ID != after.ID || before.TrustText != after.TrustText || len(before.Attached) != len(after.Attached) ||
		len(before.Inline) != len(after.Inline) || before.MaxSession != after.MaxSession {
		w.t.Fatalf("%s: the role is not as it was: %+v", when, after)
	}
}

// TestWhatIsNotAsItWasIsNotMigrated attacks each way.
func TestWhatIsNotAsItWasIsNotMigrated(t *testing.T) {
	for _, attack := range []struct {
		name   string
		begins func(*world)
		does   func(*world) error
		run    func(*world) error
		says   string
	}{
		{"the trust policy has a stranger", func(w *world) { w.makesRole("spot") }, func(w *world) error {
			return w.hands.UpdateTrust(w.t.Context(), "Spot-Role", trusts())
		}, intoStack, "444455556666"},
		{"the role got more", func(w *world) { w.makesRole("sprinters") }, func(w *world) error {
			return w.hands.AttachRolePolicy(w.t.Context(), "sprinters-role", "arn:aws:iam::aws:policy/ReadOnlyAccess")
		}, intoStack, "It also has the policy ReadOnlyAccess"},
		{"another stack has the name", func(w *world) { w.makesRole("sprinters") }, func(w *world) error {
			s := w.wanted("role")
			setup, err := s.Request().Setup()
			w.ok(err)
			setup.Roles[0].Name = "other-role"
			text, err := setup.CloudFormation()
			w.ok(err)
			_, err = w.hands.CreateStack(w.t.Context(), aws.NewStack{Name: "vendor-access", Template: text, Acknowledged: true})
			time.Sleep(10 * time.Minute)
			return err
		}, intoStack, "exists already"},
		{"the stack was updated by somebody", func(w *world) { w.makesStack("sprinters") }, func(w *world) error {
			text, err := w.hands.Template(w.t.Context(), "vendor-access")
			w.ok(err)
			set, err := w.hands.CreateChangeSet(w.t.Context(), aws.NewChangeSet{NewStack: aws.NewStack{Name: "vendor-access",
				Template: strings.Replace(text, "Lets Sprinters", "Let Sprinters", 1), Acknowledged: true}, ChangeSet: "theirs", Update: true})
			w.ok(err)
			time.Sleep(10 * time.Minute)
			err = w.hands.ExecuteChangeSet(w.t.Context(), set.ID, "theirs")
			time.Sleep(10 * time.Minute)
			return err
		}, outOfStack, "was updated since"},
		{"the stack's role was made anew", func(w *world) { w.makesStack("sprinters") }, func(w *world) error {
			w.ok(w.hands.DeleteRolePolicy(w.t.Context(), "sprinters-role", "sprinters-policy"))
			return w.hands.DeleteRole(w.t.Context(), "sprinters-role")
		}, outOfStack, "no role"},
	} {
		t.Run(attack.name, func(t *testing.T) {
			bubble(t, func(w *world) {
				attack.begins(w)
				w.ok(attack.does(w))
				_, err := w.hands.Stacks(w.t.Context()) // what is under way goes on with a request
				w.ok(err)
				things := strings.Join(w.aws.Snapshot().Things(), "\n")
				err = attack.run(w)
				if err == nil || !strings.Contains(problem(err), attack.says) {
					t.Errorf("%v", err)
				}
				if now := strings.Join(w.aws.Snapshot().Things(), "\n"); now != things {
					t.Errorf("before:\n%s\nafter:\n%s", things, now)
				}
			})
		})
	}
}

// TestAKeyThatNobodyProvesStays has a second key that somebody else made, and one
// that was activated again.
func TestAKeyThatNobodyProvesStays(t *testing.T) {
	bubble(t, func(w *world) {
		w.makesUser()
		other, _, err := w.hands.CreateAccessKey(w.t.Context(), "sprinters-user")
		w.ok(err)
		w.ok(toRole(w))
		keys, err := w.hands.AccessKeys(w.t.Context(), "sprinters-user")
		w.ok(err)
		if len(keys) != 1 || keys[0].ID != other.ID || !keys[0].Active {
			t.Errorf("%+v", keys)
		}
	})
}

// TestTheReceiptOfAnotherUserProvesNothing makes the user anew under its name.
func TestTheReceiptOfAnotherUserProvesNothing(t *testing.T) {
	bubble(t, func(w *world) {
		w.makesUser()
		ctx := w.t.Context()
		user, err := w.hands.User(ctx, "sprinters-user")
		w.ok(err)
		keys, err := w.hands.AccessKeys(ctx, user.Name)
		w.ok(err)
		w.ok(w.hands.DeleteAccessKey(ctx, user.Name, keys[0].ID))
		w.ok(w.hands.DetachUserPolicy(ctx, user.Name, user.Attached[0].ARN))
		w.ok(w.hands.DeleteUser(ctx, user.Name))
		_, err = w.hands.CreateUser(ctx, aws.NewUser{Name: user.Name})
		w.ok(err)
		theirs, _, err := w.hands.CreateAccessKey(ctx, user.Name)
		w.ok(err)
		r, err := w.migration().PlanRole(ctx)
		w.ok(err)
		if len(r.Active()) != 0 || len(r.Keys) != 1 || r.Keys[0].Now.ID != theirs.ID || r.Making.Stage != making.Ready {
			t.Errorf("%+v", r)
		}
	})
}

// TestAKeyThatIsUsedAfterTheHandOverIsNamed uses the key before and after it.
func TestAKeyThatIsUsedAfterTheHandOverIsNamed(t *testing.T) {
	bubble(t, func(w *world) {
		w.makesUser()
		uses := func() {
			_, err := w.hands.TryKey(w.t.Context(), w.key, w.secret)
			w.ok(err)
			time.Sleep(time.Minute)
		}
		uses()
		m := w.migration()
		r, err := m.PlanRole(w.t.Context())
		w.ok(err)
		w.ok(m.MakeRole(w.t.Context(), &r))
		w.ok(m.HandedOver(&r))
		if used := r.Active(); len(used) != 1 || used[0].UsedSince(r.Handed) || used[0].Now.LastUsed.IsZero() {
			t.Errorf("%+v", used)
		}
		time.Sleep(time.Minute)
		uses() // while the question stands
		err = m.Deactivate(w.t.Context(), &r, time.Now())
		keys, keysErr := w.hands.AccessKeys(w.t.Context(), r.User)
		w.ok(keysErr)
		if err == nil || !strings.Contains(problem(err), "was used while you were asked") || !keys[0].Active {
			t.Errorf("%v, %+v", err, keys)
		}
		r, err = w.migration().PlanRole(w.t.Context())
		w.ok(err)
		if used := r.Active(); len(used) != 1 || !used[0].UsedSince(r.Handed) {
			t.Errorf("%+v", used)
		}
	})
}

// TestWhatAWSDoesNotImport holds the rehearsal to the sentences of AWS.
func TestWhatAWSDoesNotImport(t *testing.T) {
	bubble(t, func(w *world) {
		w.makesRole("sprinters")
		setup, err := w.wanted("role").Request().Setup()
		w.ok(err)
		whole, err := setup.CloudFormation()
		w.ok(err)
		role := aws.ImportedResource{LogicalID: setup.Roles[0].ID, Type: "AWS::IAM::Role", By: "RoleName", Value: "sprinters-role"}
		for says, n := range map[string]aws.NewChangeSet{
			"must have DeletionPolicy attribute": {NewStack: aws.NewStack{Template: whole}, Import: []aws.ImportedResource{role}},
			"you cannot modify or add [Outputs]": {NewStack: aws.NewStack{Template: policy.Retained(whole)}, Import: []aws.ImportedResource{role}},
			"Allowed values are [RoleName]":      {NewStack: aws.NewStack{Template: whole}, Import: []aws.ImportedResource{{LogicalID: role.LogicalID, Type: role.Type, By: "Arn", Value: "x"}}},
			"is missing from the template":       {NewStack: aws.NewStack{Template: whole}, Import: []aws.ImportedResource{{LogicalID: "Other", Type: role.Type, By: "RoleName", Value: "x"}}},
		} {
			n.Name, n.ChangeSet, n.Acknowledged = "vendor-access", "one", true
			if _, err := w.hands.CreateChangeSet(w.t.Context(), n); err == nil || !strings.Contains(aws.Explain(err).AWS, says) {
				t.Errorf("want %q: %v", says, err)
			}
		}
	})
}

// TestRetainedIsTheSameTwice retains what is retained already.
func TestRetainedIsTheSameTwice(t *testing.T) {
	bubble(t, func(w *world) {
		setup, err := w.begins("spot", "role", "direct").Request().Setup()
		w.ok(err)
		whole, err := setup.CloudFormation()
		w.ok(err)
		once := policy.Retained(whole)
		if policy.Retained(once) != once || strings.Count(once, "DeletionPolicy: Retain") != 2 {
			t.Error(once)
		}
	})
}
