package steps_test

import (
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"

	spotrehearsal "rolecall/steps/spot/rehearsal"
)

const (
	policyStep record.StepID = "policy:SpotinstRoleArn"
	roleStep   record.StepID = "role:SpotinstRoleArn"
)

// toPolicy walks with the defaults to the policy step.
func (w *world) toPolicy() *world {
	w.t.Helper()
	w.start().at("vendor").enter().sees("prod").enter()
	w.arrives("partition").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	return w.at("permissions").enter().at(policyStep)
}

func (w *world) enterWorks() bool {
	for _, b := range w.walk.Screen().Blocks {
		if _, ok := b.(screen.Choices); ok {
			return true
		}
	}
	return false
}

// hands creates in the account what the instructions say, as a person in the
// browser would.
func (w *world) hands() *aws.Account {
	w.t.Helper()
	a, err := w.open(w.t.Context(), "", "")
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) createPolicy(name string, doc *policy.Document) aws.Policy {
	w.t.Helper()
	p, err := w.hands().CreatePolicy(w.t.Context(), aws.NewPolicy{Name: name, Document: doc})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) createRole(name, externalID string, policies ...string) {
	w.t.Helper()
	hands := w.hands()
	trust := policy.NewTrust("aws", []string{"922761411349"}, externalID)
	if _, err := hands.CreateRole(w.t.Context(), aws.NewRole{Name: name, Trust: trust}); err != nil {
		w.t.Fatal(err)
	}
	for _, arn := range policies {
		if err := hands.AttachRolePolicy(w.t.Context(), name, arn); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) wantedPolicy() *policy.Document {
	w.t.Helper()
	return w.grant("SpotinstRoleArn").Whole
}

func (w *world) externalID() string { return w.session.Part("SpotinstRoleArn").ExternalID }

// toRole goes on to the role step, with the policy made under another name
// than suggested.
func (w *world) toRole() *world {
	w.t.Helper()
	w.toPolicy()
	w.createPolicy("my-own-name", w.wantedPolicy())
	return w.sees("Found my-own-name").enter().at(roleStep).sees("spotinst:aws:extid:")
}

func TestTheWholeManualMethodEndsWithTheRoleAtSpot(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole().sees("waiting for a role that trusts Spot")
		w.createRole("some-role", w.externalID(), "arn:aws:iam::123456789012:policy/my-own-name")
		w.sees("Found some-role").enter().at("connect").enter()
		w.sees("accepted the role")
		result := w.session.Result()
		if !result.Submitted || len(result.Roles) != 1 || result.Roles[0].ARN != "arn:aws:iam::123456789012:role/some-role" {
			t.Fatalf("%+v", result)
		}
		if got := w.spot.Accounts()[0]; got.Role != result.Roles[0].ARN || got.ExternalID != result.ExternalID {
			t.Fatalf("Spot holds %+v, the session %+v", got, result)
		}
		if result.Policies[0].Characters != 6097 {
			t.Fatalf("the policy has %d characters", result.Policies[0].Characters)
		}
		w.enter()
		if !w.walk.Ended() {
			t.Fatal("the walk goes on after the last step")
		}
	})
}

func TestTheRehearsalsStandInNeedsOnlyEnter(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.session.Rehearsal = true
		w.toPolicy().sees("do it in the rehearsal account").enter().sees("Found Spot-Policy").enter()
		w.at(roleStep).sees("do it in the rehearsal account").enter().sees("Found Spot-Role").enter()
		w.at("connect").enter().sees("accepted the role")
	})
}

func TestARefusedRoleIsTriedAgainWhileItIsProvenRight(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		w.createRole("fresh", w.externalID(), "arn:aws:iam::123456789012:policy/my-own-name")
		w.sees("Found fresh").enter()
		w.spot.Fail(spotrehearsal.Fault{Call: "POST /setup/credentials/aws", Times: 3, Status: 400})
		w.waits = nil
		began := time.Now()
		w.enter().sees("accepted the role", "tries")
		if took := time.Since(began); took > 2*time.Minute {
			t.Fatalf("took %s", took)
		}
	})
}

func TestARoleProvenWrongEndsTheTryingAtOnce(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		w.createRole("soon-wrong", w.externalID(), "arn:aws:iam::123456789012:policy/my-own-name")
		w.sees("Found soon-wrong").enter().at("connect")
		wrong := policy.NewTrust("aws", []string{"922761411349"}, "spotinst:aws:extid:ffffffffffffffff")
		if err := w.hands().UpdateTrust(t.Context(), "soon-wrong", wrong); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second) // until the change is seen everywhere
		began := time.Now()
		w.enter().sees("the role is wrong. External ID: spotinst:aws:extid:ffffffffffffffff")
		if took := time.Since(began); took > time.Second {
			t.Fatalf("went on trying for %s", took)
		}
		if w.session.Result().Submitted {
			t.Fatal("submitted")
		}
	})
}

func TestANearMissShowsBothExternalIDsAndTheWaitingGoesOn(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		arn := "arn:aws:iam::123456789012:policy/my-own-name"
		w.createRole("near", "spotinst:aws:extid:0000000000000000", arn)
		w.sees("under another external ID")
		var p screen.Problem
		for _, b := range w.walk.Screen().Blocks {
			if found, ok := b.(screen.Problem); ok {
				p = found
			}
		}
		if p.Wanted != w.externalID() || p.Found != "spotinst:aws:extid:0000000000000000" || !p.Passing {
			t.Fatalf("%+v", p)
		}
		if err := w.hands().UpdateTrust(t.Context(), "near", w.grant("SpotinstRoleArn").Trust); err != nil {
			t.Fatal(err)
		}
		w.sees("Found near")
	})
}

func TestARoleWithoutItsPolicyIsWaitedFor(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		w.createRole("bare", w.externalID())
		w.sees("is not right yet", "fail policy-attached")
		if err := w.hands().AttachRolePolicy(t.Context(), "bare", "arn:aws:iam::123456789012:policy/my-own-name"); err != nil {
			t.Fatal(err)
		}
		w.sees("Found bare")
	})
}

func TestOfSeveralRightRolesThePersonChooses(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		arn := "arn:aws:iam::123456789012:policy/my-own-name"
		w.createRole("one", w.externalID(), arn)
		w.createRole("two", w.externalID(), arn)
		w.sees("2 roles are right")
		choices := block[screen.Choices](w)
		if choices.Picked != "" || len(choices.Options) != 2 {
			t.Fatalf("%+v", choices)
		}
		w.chooses("role", "arn:aws:iam::123456789012:role/two").at("connect").enter().sees("accepted the role")
		if got := w.spot.Accounts()[0].Role; got != "arn:aws:iam::123456789012:role/two" {
			t.Fatal(got)
		}
	})
}

func TestAPolicyOfTheNameWithOtherContentIsShownAsADifference(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toPolicy()
		full := w.wantedPolicy()
		less := policy.NewDocument(full.Statements[:len(full.Statements)-1]...)
		w.createPolicy("Spot-Policy", less)
		w.sees("Spot-Policy exists and differs", "it lacks")
		w.createPolicy("another", full)
		w.sees("Found another")
	})
}

func TestAnotherPartitionMakesWhatRestedOnItBeLookedAtAgain(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole().back().backTo("partition")
		w.chooses("partition", "aws-cn").sees("account ID").types("trusted-account", "922761411349").sees("own partition").at("partition")
		w.types("trusted-account", "444455556666").at("login")
		for _, one := range w.walk.Steps() {
			status := one.Status(w.session.Answers)
			if id := one.ID(); (id == "login" || id == policyStep || id == roleStep) && status == step.Done {
				t.Errorf("%s is still done", id)
			}
		}
		if doc := w.wantedPolicy().Compact(); strings.Contains(doc, "arn:aws:") || !strings.Contains(doc, "arn:aws-cn:s3:::elasticbeanstalk*") {
			t.Error("the policy's ARNs did not follow")
		}
		w.until("the profiles", w.enterWorks).enter().sees("is in the partition aws.").presses("to-partition")
		w.at("partition")
	})
}

func TestTheExternalIDIsMintedOnce(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		first := w.externalID()
		w.backTo(policyStep).sees("Found").enter().at(roleStep).sees(first)
		w.walk = steps.NewWalk(w.session)
		w.session.Seen = record.Seen{}
		minted := 0
		for _, call := range w.spot.Calls() {
			if strings.HasPrefix(call, "POST /setup/credentials/aws/externalId") {
				minted++
			}
		}
		if minted != 1 || w.externalID() != first {
			t.Fatalf("minted %d times; %s, then %s", minted, first, w.externalID())
		}
	})
}

func TestResumeLooksAgainAndGoesOnByItself(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		answers := w.session.Answers
		answers.Seen = record.Seen{}
		resumed := w.newSession()
		resumed.Answers, resumed.Resuming = answers, true
		w.session, w.pending = resumed, nil
		w.walk = steps.NewWalk(resumed)
		w.start().at("login")
		w.getsTo(roleStep)
		w.sees("waiting for a role")
	})
}

func TestWithoutTokenAndCredentialsEverythingGoesByHand(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.token = ""
		w.session = w.newSession()
		w.walk = steps.NewWalk(w.session)
		w.start().at("vendor").enter().at("partition").enter().at("login").until("profiles", w.enterWorks)
		w.chooses("profile", "guide-only").types("account-id", "1234-5678-9012").at("permissions").enter()
		w.at(policyStep).enter().at(roleStep).types("external-id", "has a space").sees("space")
		w.types("external-id", "\u200bspotinst:aws:extid:0123456789abcdef\ufeff").sees("0123456789abcdef")
		w.types("role-arn", " arn:aws:iam::123456789012:instance-profile/x ").sees("instance profile").at(roleStep)
		w.types("role-arn", "\"arn:aws:iam::123456789012:role/vendors/Spot-Role\"\n").at("connect")
		w.sees("arn:aws:iam::123456789012:role/vendors/Spot-Role").enter().sees("Handed over by you")
		if w.session.Result().Submitted {
			t.Fatal("claims that Spot accepted it")
		}
	})
}

func TestListingDeniedLooksByName(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.aws.Deny("iam:GetAccountAuthorizationDetails", "iam:ListPolicies", "iam:ListRoles")
		w.toPolicy()
		w.createPolicy("Spot-Policy", w.wantedPolicy())
		w.sees("Found Spot-Policy").enter().at(roleStep).sees("iam:ListRoles")
		w.createRole("Other-Name", w.externalID(), "arn:aws:iam::123456789012:policy/Spot-Policy")
		w.presses("paste").types("role-arn", "arn:aws:iam::123456789012:role/Other-Name").sees("Found Other-Name")
	})
}

func TestExpiredCredentialsAreSaidAndTheLookingGoesOn(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toPolicy().sees("waiting for a policy")
		w.aws.ExpireCredentials()
		w.sees("expired")
		w.aws.RenewCredentials()
		w.createPolicy("Spot-Policy", w.wantedPolicy())
		w.sees("Found Spot-Policy").seesNot("expired")
	})
}

func TestAnAccountThatHoldsARoleIsShownAndNeverOverwrittenUnasked(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		w.createRole("first", w.externalID(), "arn:aws:iam::123456789012:policy/my-own-name")
		w.sees("Found first").enter().enter().sees("accepted the role")

		w.session, w.pending = w.newSession(), nil
		w.walk = steps.NewWalk(w.session)
		w.createRole("second", w.spot.Accounts()[0].ExternalID, "arn:aws:iam::123456789012:policy/my-own-name")
		time.Sleep(10 * time.Second) // until both roles are listed everywhere
		w.start().enter().sees("prod").enter().sees("already has a role", "role/first").enter().at("partition").enter()
		w.at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter().at("permissions").enter()
		w.at(policyStep).sees("Found my-own-name").enter().at(roleStep).sees("2 roles are right")
		w.chooses("role", "arn:aws:iam::123456789012:role/second").at("connect").enter().sees("holds another role now", "role/first")
		if got := w.spot.Accounts()[0].Role; !strings.HasSuffix(got, "role/first") {
			t.Fatalf("overwritten with %s", got)
		}
		w.presses("replace").sees("accepted the role")
	})
}

func TestBackGoesUpTheStagesOfAStepFirst(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.start().enter().sees("prod").enter()
		w.arrives("partition")
		w.chooses("partition", "aws-cn").sees("account ID").back().at("partition").seesNot("account ID")
		w.chooses("partition", "aws").at("login").until("the profiles", w.enterWorks)
		w.chooses("profile", "guide-only").sees("AWS account ID>").back().at("login").sees("Guide me only")
		w.enter().sees("Is this the account").back().sees("Guide me only").back().at("partition")
	})
}
