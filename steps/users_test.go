package steps_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/handover"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/undo"
)

const (
	userPolicyStep  record.StepID = "policy:SprintersUser"
	userStep        record.StepID = "user:SprintersUser"
	credentialsStep record.StepID = "credentials:SprintersUser"
	sprintersRole   record.StepID = "role:SprintersRoleArn"
)

// sprinters runs a test in a session about Sprinters.
func sprinters(t *testing.T, method, access string, run func(t *testing.T, w *world)) {
	t.Helper()
	rehearse(t, func(t *testing.T, w *world) {
		v, err := steps.Library().Load("sprinters")
		if err != nil {
			t.Fatal(err)
		}
		w.session.Vendor, w.session.LoadVendor = v, steps.Library().Load
		w.session.Answers = record.Answers{ID: "test", Vendor: "sprinters", Method: method, Access: access}
		w.session.Prepare()
		w.walk = steps.NewWalk(w.session)
		run(t, w)
	})
}

// toPermissions signs in with the defaults.
func (w *world) toPermissions() *world {
	w.t.Helper()
	w.start().at("vendor").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	return w.at("permissions")
}

func (w *world) userPolicy() *policy.Document {
	w.t.Helper()
	return w.grant("SprintersUser").Whole
}

func (w *world) part() record.Part { return w.session.Part("SprintersUser") }

func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// createUser creates in the account what the instructions say.
func (w *world) createUser(name string, policies ...string) {
	w.t.Helper()
	_, err := w.hands().CreateUser(w.t.Context(), aws.NewUser{Name: name})
	w.do(err)
	for _, arn := range policies {
		w.do(w.hands().AttachUserPolicy(w.t.Context(), name, arn))
	}
}

func (w *world) createKey(name string) (aws.AccessKey, aws.SecretKey) {
	w.t.Helper()
	k, secret, err := w.hands().CreateAccessKey(w.t.Context(), name)
	w.do(err)
	return k, secret
}

// toCredentials goes on with policy and user made under other names.
func (w *world) toCredentials() *world {
	w.t.Helper()
	w.toPermissions().enter().at(userPolicyStep).sees("waiting for a policy")
	p := w.createPolicy("my-policy", w.userPolicy())
	w.sees("Found my-policy").enter().at(userStep).sees("waiting for a user")
	w.createUser("my-user", p.ARN)
	return w.sees("Found my-user").enter().at(credentialsStep)
}

func TestThePolicyStepOfAUserOffersTheRoleAndTheUserThatHasIt(t *testing.T) {
	t.Parallel()
	sprinters(t, "manual", "user", func(t *testing.T, w *world) {
		w.toPermissions().enter().at(userPolicyStep).sees("A role avoids long-lived keys", "the user has it").seesNot("the role has it")
		w.presses("skip").at(userStep).back().at(userPolicyStep)
		w.presses("use-role").at(sprintersRole)
		if w.session.Access != "role" {
			t.Errorf("access %s", w.session.Access)
		}
	})
	sprinters(t, "manual", "role", func(t *testing.T, w *world) {
		if w.take(w.walk.Tell(screen.Chose{ID: "use-role"})); w.session.Access != "role" {
			t.Error("a detour that is not offered was taken")
		}
	})
}

func TestPermissionsSayWhatEachActionIsForAndWhatIsNotGranted(t *testing.T) {
	t.Parallel()
	sprinters(t, "manual", "user", func(t *testing.T, w *world) {
		w.toPermissions()
		for _, action := range []string{"ec2:RunInstances", "ec2:CreateTags", "ec2:DescribeInstances", "ec2:ModifyVolume",
			"ec2:TerminateInstances", "ec2:DescribeSpotPriceHistory"} {
			found := false
			for _, f := range block[screen.Facts](w) {
				found = found || f.Label == action && f.Value != ""
			}
			if !found {
				t.Errorf("%s has no reason:\n%s", action, w.text())
			}
		}
		w.sees("log in to your EC2 instances", "contents of your EBS volumes", "EBS snapshots")
	})
}

func TestTheWholeUserMethodByHand(t *testing.T) {
	t.Parallel()
	sprinters(t, "manual", "user", func(t *testing.T, w *world) {
		w.toCredentials().sees("waiting for a new access key of my-user", "Other")
		k, _ := w.createKey("my-user")
		w.sees("Found a key of my-user", k.ID).enter().at("connect").sees(k.ID, "on the page Retrieve access keys").enter().
			sees("Handed over by you")
		r := w.session.Result()
		if r.Submitted || len(r.Roles) != 0 || len(r.Users) != 1 || r.Users[0].Name != "my-user" || r.Users[0].AccessKeyID != k.ID ||
			r.Users[0].ARN != "arn:aws:iam::123456789012:user/my-user" || len(r.Policies) != 1 || r.AccountID != account || r.VendorAccount != "" {
			t.Fatalf("%+v", r)
		}
		if len(handover.Summary(w.session)) == 0 {
			t.Error("no summary for the scrollback")
		}
		w.enter()
		if !w.walk.Ended() {
			t.Fatal("the walk goes on after the last step")
		}
	})
}

func TestTheUsersRehearsalNeedsOnlyEnter(t *testing.T) {
	t.Parallel()
	sprinters(t, "manual", "user", func(t *testing.T, w *world) {
		w.session.Rehearsal = true
		w.toPermissions().enter().at(userPolicyStep).sees("do it in the rehearsal account").enter().sees("Found sprinters-policy").enter()
		w.at(userStep).sees("do it in the rehearsal account").enter().sees("Found sprinters-user").enter()
		w.at(credentialsStep).sees("do it in the rehearsal account").enter().sees("It works").enter()
		w.at("connect").enter().sees("Handed over by you")
	})
}

func TestAUserWithTwoKeysIsRefusedWithTheirAges(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"manual", "direct"} {
		sprinters(t, method, "user", func(t *testing.T, w *world) {
			w.session.KeepSecret = func(string, screen.Secret) error { return nil }
			p := w.createPolicy("sprinters-policy", w.userPolicy())
			w.createUser("sprinters-user", p.ARN)
			first, secret := w.createKey("sprinters-user")
			second, _ := w.createKey("sprinters-user")
			time.Sleep(25 * time.Hour)
			if _, err := w.hands().TryKey(t.Context(), first.ID, secret); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
			w.toPermissions().enter()
			if method == "manual" {
				w.at(userPolicyStep).sees("Found sprinters-policy").enter().at(userStep).sees("Found sprinters-user").enter()
			} else {
				w.at(createStep).sees("Nothing was made").enter()
			}
			w.at(credentialsStep).sees("has two access keys", first.ID, second.ID, "1 day ago", "last used 2 hours ago with sts", "never used")
			if problem := block[screen.Problem](w); problem.Kind != screen.NotAsNeeded || problem.Passing {
				t.Errorf("%+v", problem)
			}
			keys, err := w.hands().AccessKeys(t.Context(), "sprinters-user")
			if err != nil || len(keys) != 2 {
				t.Fatalf("%v %v: rolecall touched the keys", keys, err)
			}
			w.do(w.hands().DeleteAccessKey(t.Context(), "sprinters-user", second.ID))
			w.presses("again").until("the keys", func() bool { return !strings.Contains(w.text(), "Looking at") }).seesNot("has two access keys")
		})
	}
}

func TestAPastedKeyIsTriedAndMustBelongToTheUser(t *testing.T) {
	t.Parallel()
	sprinters(t, "manual", "user", func(t *testing.T, w *world) {
		w.toCredentials().sees("waiting for")
		w.createUser("somebody")
		foreign, foreignSecret := w.createKey("somebody")
		mine, secret := w.createKey("my-user")
		time.Sleep(time.Minute)
		w.presses("paste").types("access-key-id", string(secret)).sees("looks like the secret").seesNot(string(secret))
		w.types("access-key-id", mine.ID+"\n").types("secret-access-key", "short").sees("it has 5 characters")
		w.types("secret-access-key", string(foreignSecret)).sees("does not belong to this access key").seesNot(string(foreignSecret))
		w.types("access-key-id", foreign.ID).types("secret-access-key", string(foreignSecret)).sees("belongs to the user somebody", "my-user")
		w.types("access-key-id", mine.ID).types("secret-access-key", " \""+string(secret)+"\"\r\n").sees("It works", "user/my-user").
			seesNot(string(secret))
		w.enter().at("connect").presses("copy-secret")
		if last := w.copied[len(w.copied)-1]; last.Text != string(secret) || last.ClearAfter <= 0 {
			t.Errorf("copied %d bytes, cleared after %s", len(last.Text), last.ClearAfter)
		}
	})
}

func TestTheDirectUserMethodMakesEverythingOnceAndShowsTheSecretOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.toPermissions().enter().at("create").
			sees("rolecall makes this in account 1234-5678-9012", "create policy sprinters-policy", "create user sprinters-user", "attach")
		w.enter().sees("sprinters-user is right").enter().at(credentialsStep).sees("make the key").presses("create").sees("It works")
		part := w.part()
		secret := string(w.session.Secrets["SprintersUser"])
		if !part.KeyMade || part.KeyID == "" || aws.CheckSecretKey(aws.SecretKey(secret)) != nil {
			t.Fatalf("%+v", part)
		}
		w.seesNot(secret).enter().at("connect").seesNot(secret).sees("••••")
		w.presses("reveal").sees(secret).presses("reveal").seesNot(secret)
		w.presses("reveal").sees(secret).backTo(credentialsStep).sees("is made", part.KeyID).seesNot(secret).enter().at("connect").seesNot(secret)
		w.enter().sees("Handed over by you").seesNot(secret)
		w.enter()
		if len(w.session.Secrets) != 0 {
			t.Error("the secret outlives the walk")
		}
		keys, err := w.hands().AccessKeys(t.Context(), "sprinters-user")
		if err != nil || len(keys) != 1 || keys[0].ID != part.KeyID {
			t.Fatalf("%v %v", keys, err)
		}
	})
}

func TestWhereTheScreenStaysNoSecretIsShown(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.session.ScreenStays = true
		w.toPermissions().enter().at("create").sees("create these").enter().sees("is right").enter().sees("make the key").presses("create").
			sees("It works").enter().at("connect")
		secret := string(w.session.Secrets["SprintersUser"])
		w.chooses("", "reveal").seesNot(secret)
	})
}

func TestAKeyThatWasNotHandedOverIsDeletedWhenAskedTo(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.toPermissions().enter().at("create").sees("create these").enter().sees("is right").enter().sees("make the key").presses("create").
			sees("It works").enter().at("connect")
		gone := w.part().KeyID
		w.presses("delete").until("the key is gone", func() bool { return w.part().KeyID == "" }).at(credentialsStep).sees("make the key")
		if keys, err := w.hands().AccessKeys(t.Context(), "sprinters-user"); err != nil || len(keys) != 0 {
			t.Fatalf("%v %v", keys, err)
		}
		if len(w.session.Secrets) != 0 {
			t.Error("its secret is still in memory")
		}
		w.presses("create").sees("It works")
		if w.part().KeyID == gone {
			t.Error("the same key")
		}
	})
}

func TestAResumedSessionWhoseSecretIsGoneOffersToDeleteItsKey(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.toPermissions().enter().at("create").sees("create these").enter().sees("is right").enter().sees("make the key").presses("create").
			sees("It works").enter().at("connect")
		w.resume()
		w.getsTo(credentialsStep).sees("Its secret was in memory alone")
		w.presses("delete").sees("make the key")
	})
}

// resume begins anew with the saved answers, as after a kill.
func (w *world) resume() {
	w.t.Helper()
	text, err := json.Marshal(w.session.Answers)
	w.do(err)
	var answers record.Answers
	w.do(json.Unmarshal(text, &answers))
	old := w.session
	w.session = w.newSession()
	w.session.Vendor, w.session.LoadVendor, w.session.Answers, w.session.Resuming = old.Vendor, old.LoadVendor, answers, true
	w.session.Ledger, w.session.KeepSecret = old.Ledger, old.KeepSecret
	w.pending = nil
	w.walk = steps.NewWalk(w.session)
	w.start()
}

func TestASecretThatCannotBeKeptTakesItsKeyAlong(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.session.KeepSecret = func(string, screen.Secret) error { return errors.New("the disk is full") }
		w.toPermissions().enter().at("create").sees("create these").enter().sees("is right").enter().sees("make the key").presses("create").
			sees("could not be written", "deleted the key again")
		if keys, err := w.hands().AccessKeys(t.Context(), "sprinters-user"); err != nil || len(keys) != 0 {
			t.Fatalf("%v %v", keys, err)
		}
	})
}

func TestUnattendedAKeyToMakeNeedsAFileForItsSecret(t *testing.T) {
	t.Parallel()
	asks := func(w *world) []step.Need {
		var all []step.Need
		for _, one := range w.walk.Steps() {
			if asker, ok := one.(step.Asker); ok {
				all = append(all, asker.Asks(w.session)...)
			}
		}
		return all
	}
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.session.AccountPinned = true
		if needs := asks(w); len(needs) != 1 || needs[0].Flag != "--secret-file" {
			t.Errorf("%+v", needs)
		}
		w.session.KeepSecret = func(string, screen.Secret) error { return nil }
		if needs := asks(w); len(needs) != 0 {
			t.Errorf("%+v", needs)
		}
	})
	sprinters(t, "manual", "user", func(t *testing.T, w *world) {
		w.session.AccountPinned = true
		if needs := asks(w); len(needs) != 0 {
			t.Errorf("%+v", needs)
		}
	})
}

func TestADifferenceIsNotOverwrittenButRenamed(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		less := policy.NewDocument(w.userPolicy().Statements...)
		less.Statements[0].Action = less.Statements[0].Action[:3]
		w.createPolicy("sprinters-policy", less)
		admin := "arn:aws:iam::aws:policy/AdministratorAccess"
		w.createUser("sprinters-user", admin)
		w.toPermissions().enter().at("create").sees("sprinters-policy exists and differs")
		w.types("policy-name", "bad name").sees("a space").types("policy-name", "runner-policy").sees("may do more")
		w.types("user-name", "runner").sees("create policy runner-policy", "create user runner").enter().sees("runner is right")
		if u, err := w.hands().User(t.Context(), "sprinters-user"); err != nil || len(u.Attached) != 1 || u.Attached[0].ARN != admin {
			t.Fatalf("%+v %v", u, err)
		}
	})
}

// TestUserMethodSurvivesFaults breaks every request that makes something, in
// every way, and ends with everything there once.
func TestUserMethodSurvivesFaults(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"iam:CreatePolicy", "iam:CreateUser", "iam:AttachUserPolicy"} {
		for name, kind := range map[string]rehearsal.FaultKind{"drop before": rehearsal.DropBefore, "drop after": rehearsal.DropAfter,
			"throttled": rehearsal.Throttled, "broken": rehearsal.Broken} {
			t.Run(action+" "+name, func(t *testing.T) {
				sprinters(t, "direct", "user", func(t *testing.T, w *world) {
					w.toPermissions().enter().at(createStep).sees("create these")
					w.aws.Inject(rehearsal.Fault{Kind: kind, Actions: []string{action}, Times: 1})
					w.enter().sees("sprinters-user is right")
					u, err := w.hands().User(t.Context(), "sprinters-user")
					if err != nil || len(u.Attached) != 1 {
						t.Fatalf("%+v %v", u, err)
					}
					receipt, err := w.session.Ledger.Receipt()
					if err != nil || len(receipt.Outstanding()) != 3 {
						t.Fatalf("%+v %v", receipt, err)
					}
					for _, item := range receipt.Outstanding() {
						if item.State != record.ItemMade {
							t.Errorf("%s %s is %q on the receipt", item.Kind, item.Name, item.State)
						}
					}
				})
			})
		}
	}
}

// TestAKeyWhoseSecretWasLostIsOfferedForDeletion loses the answer to
// CreateAccessKey: the key is found to be this session's, and no second one is
// made beside it.
func TestAKeyWhoseSecretWasLostIsOfferedForDeletion(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.toPermissions().enter().at("create").sees("create these").enter().sees("is right").enter().sees("make the key")
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"iam:CreateAccessKey"}, Times: 1})
		w.presses("create").sees("whose secret nobody has", "never used")
		lost := w.part().KeyID
		if got := states(w.receipt()); !slices.Contains(got, "access key "+lost+" made") {
			t.Fatalf("the receipt says %v", got)
		}
		w.presses("delete").sees("make the key").seesNot("has a key already").presses("create").sees("It works")
		keys, err := w.hands().AccessKeys(t.Context(), "sprinters-user")
		if err != nil || len(keys) != 1 || keys[0].ID == lost || keys[0].ID != w.part().KeyID {
			t.Fatalf("%v %v", keys, err)
		}
	})
}

// TestAKeyOfAKilledRunIsFoundAgain kills the program between the request and
// the answer.
func TestAKeyOfAKilledRunIsFoundAgain(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		p := w.createPolicy("sprinters-policy", w.userPolicy())
		w.createUser("sprinters-user", p.ARN)
		theirs, _ := w.createKey("sprinters-user") // just before, and somebody else's
		w.toPermissions().enter().sees("Nothing was made").enter().at(credentialsStep).sees("has a key already")
		saved := w.session.Answers
		w.presses("create")
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropAfter, Actions: []string{"iam:CreateAccessKey"}, Times: 1})
		w.aws.Inject(rehearsal.Fault{Kind: rehearsal.DropBefore, Actions: []string{"iam:ListAccessKeys"}})
		w.pending[0].call.Do(t.Context()) // and nobody hears of it
		w.aws.ClearFaults()
		w.session.Answers = saved
		w.resume()
		w.until("the key step", func() bool { return w.walk.Step().ID() == credentialsStep }).sees("whose secret nobody has")
		if id := w.part().KeyID; id == "" || id == theirs.ID || !w.part().KeyMade {
			t.Fatalf("takes %q for its own, the other is %s", id, theirs.ID)
		}
		w.presses("delete").sees("make the key")
		keys, err := w.hands().AccessKeys(t.Context(), "sprinters-user")
		if err != nil || len(keys) != 1 || keys[0].ID != theirs.ID {
			t.Fatalf("%v %v", keys, err)
		}
	})
}

func TestDisconnectTakesBackTheUserWithItsKey(t *testing.T) {
	t.Parallel()
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.toPermissions().enter().at("create").sees("create these").enter().sees("is right").enter().sees("make the key").presses("create").
			sees("It works").enter().enter()
		receipt, err := w.session.Ledger.Receipt()
		w.do(err)
		if text := fmt.Sprintf("%+v %s", receipt, receipt.Markdown()); strings.Contains(text, string(w.session.Secrets["SprintersUser"])) {
			t.Fatal("the receipt holds the secret")
		}
		remover := undo.Remover{Account: w.hands(), Ledger: w.session.Ledger, Receipt: receipt, Now: time.Now}
		removals, err := remover.All(t.Context())
		w.do(err)
		for _, r := range removals {
			if r.Verdict != undo.Removed {
				t.Errorf("%s %s: %s %s", r.Kind, r.Name, r.Verdict, r.Why)
			}
		}
		if len(removals) != 4 {
			t.Errorf("%d removals: %+v", len(removals), removals)
		}
		if _, err := w.hands().User(t.Context(), "sprinters-user"); aws.KindOf(err) != aws.NotFound {
			t.Errorf("the user is still there: %v", err)
		}
	})
	sprinters(t, "direct", "user", func(t *testing.T, w *world) {
		w.toPermissions().enter().at("create").sees("create these").enter().sees("is right").enter().sees("make the key").presses("create").
			sees("It works")
		w.createKey("sprinters-user")
		receipt, err := w.session.Ledger.Receipt()
		w.do(err)
		plan, err := (&undo.Remover{Account: w.hands(), Ledger: w.session.Ledger, Receipt: receipt, Now: time.Now}).Plan(t.Context())
		w.do(err)
		for _, r := range plan {
			if r.Kind == record.ItemUser && (r.Verdict != undo.Stays || !strings.Contains(r.Why, "access key")) {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestOneKeyTurnsToARole(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"manual", "direct"} {
		sprinters(t, method, "user", func(t *testing.T, w *world) {
			w.toPermissions().sees("A role avoids long-lived keys").presses("use-role").at("permissions").seesNot("A role avoids long-lived keys")
			if w.session.Access != "role" || len(w.session.Request().Needed()) != 1 ||
				w.session.Request().Needed()[0].Purpose != "SprintersRoleArn" {
				t.Fatalf("%+v", w.session.Request().Needed())
			}
		})
	}
}

func TestSprintersByRoleEndsWithTheAccountID(t *testing.T) {
	t.Parallel()
	sprinters(t, "manual", "role", func(t *testing.T, w *world) {
		w.toPermissions().sees("iam:PassRole").enter().at(sprintersRole).sees("can guess", "GitHub account")
		w.types("external-id", "octo--org").sees("not an external ID").types("external-id", "octo-org").sees("waiting for a role")
		w.sees("381491863103", "sprinters-policy")
		hands := w.hands()
		_, err := hands.CreateRole(t.Context(), aws.NewRole{Name: "sprinters-role", Trust: w.grant("SprintersRoleArn").Trust})
		w.do(err)
		w.sees("not right yet")
		doc := w.grant("SprintersRoleArn").Whole
		w.do(hands.PutRolePolicy(t.Context(), "sprinters-role", "sprinters-policy", doc))
		w.sees("Found sprinters-role").enter().at("connect").sees("AWS account ID: "+account).enter().sees("Handed over by you", "workflow job")
		r := w.session.Result()
		if r.Submitted || len(r.Roles) != 1 || r.ExternalID != "octo-org" || len(r.Policies) != 1 || r.Policies[0].Digest != doc.Digest() {
			t.Fatalf("%+v", r)
		}
	})
}

func TestSprintersRoleRehearsalNeedsOnlyEnter(t *testing.T) {
	t.Parallel()
	sprinters(t, "manual", "role", func(t *testing.T, w *world) {
		w.session.Rehearsal = true
		w.session.Prepare()
		w.toPermissions().enter().at(sprintersRole).sees("anybody can guess").enter().sees("do it in the rehearsal account").enter().sees("Found sprinters-role").enter()
		w.at("connect").enter().sees("Handed over by you")
	})
	sprinters(t, "direct", "role", func(t *testing.T, w *world) {
		w.session.Rehearsal = true
		w.session.Prepare()
		w.toPermissions().enter().at("create").sees("anybody can guess").enter().sees("create these").enter().sees("sprinters-role").until("the end", func() bool {
			for _, a := range w.walk.Screen().Actions {
				if a.ID == "next" {
					return true
				}
			}
			return false
		}).enter().at("connect").enter().sees("Handed over by you")
	})
}
