package steps_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// instructions are those on the screen now; nil where there are none.
func (w *world) instructions() screen.Instructions {
	for _, b := range w.walk.Screen().Blocks {
		if in, ok := b.(screen.Instructions); ok {
			return in
		}
	}
	return nil
}

// TestEveryKindOfStepShowsItsInstructions gives each step of each flow one
// instruction, as any vendor's file may, and finds it on a screen.
func TestEveryKindOfStepShowsItsInstructions(t *testing.T) {
	t.Parallel()
	for _, v := range everyVendor(t) {
		for _, method := range v.Methods {
			rehearse(t, func(t *testing.T, w *world) {
				w.withoutAnything()
				w.wholeVendor(instructed(v), method)
				shown := map[string]bool{}
				w.walkThroughScreens(func() {
					for _, one := range w.instructions() {
						shown[one.Text] = true
					}
				})
				for _, s := range method.Steps {
					skipped := s.ID == string(record.StepPolicy) && w.session.Part(s.Role).NoPolicy
					if want := "do " + string(step.IDOf(s)); !shown[want] && !skipped {
						t.Errorf("%s %s %s never shows %q", v.Name, method.ID, method.Access, want)
					}
				}
			})
		}
	}
}

// instructed is a copy of a vendor whose steps have one instruction each.
func instructed(v *describe.Vendor) *describe.Vendor {
	out := *v
	out.HandOver = describe.Request{} // what is sent needs no hands
	out.Methods = slices.Clone(v.Methods)
	for i := range out.Methods {
		out.Methods[i].Steps = slices.Clone(out.Methods[i].Steps)
		for j := range out.Methods[i].Steps {
			s := &out.Methods[i].Steps[j]
			s.Instructions, s.Marks, s.Only, s.Page = []string{"do " + string(step.IDOf(*s))}, nil, nil, nil
		}
	}
	return &out
}

func TestInstructionsThatDoNotApplyAreNotShown(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.start().seesNot("Linked Account").enter().sees("prod").enter().arrives("partition").seesNot("Spot's wizard")
		w.toRoleFrom().seesNot("copy its ARN", "choose Connect")
		in := w.instructions()
		if len(in) != 7 || in[6].Number != 7 {
			t.Fatalf("%+v", in)
		}
		var spared []screen.PageDoes
		for _, one := range in {
			spared = append(spared, one.Page)
		}
		want := []screen.PageDoes{
			screen.PageOpens,
			screen.PageOpens,
			screen.PageFills,
			screen.PageFills,
			screen.PageFills,
			screen.PageFills,
			screen.PageNothing,
		}
		if !slices.Equal(spared, want) {
			t.Errorf("what the page spares: %+v", in)
		}
	})
	rehearse(t, func(t *testing.T, w *world) {
		w.aws.Deny("iam:GetAccountAuthorizationDetails", "iam:ListPolicies", "iam:ListRoles")
		w.toPolicy()
		w.createPolicy("Spot-Policy", w.wantedPolicy())
		w.sees("Found Spot-Policy").enter().at(roleStep).sees("iam:ListRoles", "copy its ARN from the summary")
	})
	rehearse(t, func(t *testing.T, w *world) {
		w.withoutAnything().start().sees("Linked Account", "Choose Manually").enter().sees("Mark the same answer").enter()
		w.at("login").until("profiles", w.enterWorks).sees("In Spot's wizard, choose Next")
		w.chooses("profile", "guide-only").types("account-id", "")
		w.at("permissions").enter().at(policyStep).sees("In Spot's wizard, choose Next").enter().at(roleStep)
		w.types("external-id", "spotinst:aws:extid:0123456789abcdef").sees("copy its ARN from the summary", "choose Connect")
		in := w.instructions()
		if len(in) != 9 || in[5].Page != screen.PageNothing {
			t.Fatalf("nobody knows the policy's ARN, so no page ticks it: %+v", in)
		}
	})
}

// toRoleFrom goes on from the partition to the role.
func (w *world) toRoleFrom() *world {
	w.t.Helper()
	w.enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	w.at("permissions").enter().at(policyStep)
	w.createPolicy("Spot-Policy", w.wantedPolicy())
	return w.sees("Found Spot-Policy").enter().at(roleStep).sees("waiting for a role")
}

// withoutAnything is a session without token and credentials.
func (w *world) withoutAnything() *world {
	w.token = ""
	w.session = w.newSession()
	return w.walks()
}

func TestWhatIsTickedByHandStaysTicked(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.toRole()
		tick := func(number int, done bool) {
			w.take(w.walk.Tell(screen.Followed{ID: w.instructions()[number-1].ID(), Done: done}))
		}
		state := func() string {
			var b strings.Builder
			for _, one := range w.instructions() {
				b.WriteString(map[bool]string{true: "x", false: "."}[one.Done])
			}
			return b.String()
		}
		check := func(want string) {
			t.Helper()
			if got := state(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		check(".......")
		tick(1, true)
		tick(3, true)
		check("x.x....")
		w.take(w.walk.Tell(screen.Opened{}))
		check("xxx....")
		w.take(w.walk.Tell(screen.Copied{Label: "External ID"}))
		check("xxxxx..")
		tick(2, false)
		check("x.xxx..")
		if next := w.instructions().Next(); next != 1 {
			t.Errorf("next is %d", next)
		}
		w.backTo(policyStep).enter().at(roleStep).sees("waiting for a role")
		check("x.xxx..")

		// Another external ID is another thing to paste.
		w.session.SetPart("SpotinstRoleArn", func(p *record.Part) { p.ExternalID = "spotinst:aws:extid:ffffffffffffffff" })
		check(".......")
	})
}

func TestTheHandOverSaysWhichARNGoesWhere(t *testing.T) {
	t.Parallel()
	spot := everyVendor(t)
	v := spot[slices.IndexFunc(spot, func(v *describe.Vendor) bool { return v.Name == "spot" })]
	method, _ := v.Method(describe.Manual, describe.AccessRole)
	for _, token := range []screen.Secret{"", "found"} {
		rehearse(t, func(t *testing.T, w *world) {
			w.token = token
			w.session = w.newSession()
			w.wholeVendor(v, *method)
			said := map[string]bool{}
			w.walkThroughScreens(func() {
				if w.walk.Step().ID() != record.StepConnect {
					return
				}
				for i, one := range w.instructions() {
					if said[one.Text] = true; one.Number != i+1 {
						t.Errorf("instruction %d is the %d. on the screen", one.Number, i+1)
					}
				}
			})
			const finOps = "In Spot's console, paste the ARN of SpotByNetApp_Finops_ReadOnly into Cloud Analyzer RoleArn."
			const elastigroup = "In step 3.6 of Spot's wizard, paste the ARN of Spot-Role into Elastigroup and Ocean RoleArn and choose Connect."
			if !said[finOps] || said[elastigroup] != (token == "") {
				t.Errorf("with the token %q: %v", string(token), said)
			}
		})
	}
}

// unaided walks without token and credentials to the role's ARN, with the
// account that the person says.
func (w *world) unaided(accountID string) *world {
	w.t.Helper()
	w.withoutAnything().start().enter().enter().at("login").until("profiles", w.enterWorks).chooses("profile", "guide-only")
	w.types("account-id", accountID).at("permissions").enter().at(policyStep).enter().at(roleStep)
	return w.types("external-id", "spotinst:aws:extid:0123456789abcdef")
}

func (w *world) allDone() {
	w.t.Helper()
	for _, item := range w.walk.Rail() {
		if item.Status != step.Done {
			w.t.Errorf("step %d, %s, is open beside Connected", item.Number, item.Title)
		}
	}
}

func TestTheVendorsAccountIsNeverTheCustomers(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.unaided("").types("role-arn", "arn:aws:iam::922761411349:role/Spot-Role").at(roleStep).sees("Spot's own account")
		if w.session.AccountID != "" {
			t.Errorf("the paste taught %s", w.session.AccountID)
		}
		w.types("role-arn", "arn:aws:iam::123456789012:role/Spot-Role").at("connect").enter().sees("Handed over by you")
		w.allDone()
	})
	rehearse(t, func(t *testing.T, w *world) {
		w.withoutAnything().start().enter().enter().at("login").until("profiles", w.enterWorks).chooses("profile", "guide-only")
		w.types("account-id", "9227-6141-1349").at("login").sees("Spot's own account").types("account-id", account).at("permissions")
	})
}

func TestWhatAPasteTaughtIsTakenBackWithIt(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.unaided("").types("role-arn", "arn:aws:iam::111122223333:role/Spot-Role").at("connect")
		w.back().at(roleStep)
		if in := block[screen.Input](w); in.Value != "arn:aws:iam::111122223333:role/Spot-Role" {
			t.Errorf("going back forgot the ARN: %q", in.Value)
		}
		w.types("role-arn", "arn:aws:iam::123456789012:role/Spot-Role").at("connect").sees("123456789012").seesNot("111122223333")
		w.enter().sees("Handed over by you")
		w.allDone()
	})
	rehearse(t, func(t *testing.T, w *world) { // a number that the person said stands
		w.unaided("123456789012").types("role-arn", "arn:aws:iam::111122223333:role/Spot-Role").at(roleStep).sees("111122223333")
	})
}

func TestWithoutCredentialsTheEndStaysTheEnd(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.unaided("").types("role-arn", "arn:aws:iam::123456789012:role/Spot-Role").at("connect").enter().sees("Handed over by you")
		w.allDone()

		saved := w.session.Answers
		saved.Seen = record.Seen{}
		w.session = w.newSession()
		w.session.Answers, w.session.Resuming = saved, true
		w.walks().start().at("connect").sees("Handed over by you")
		w.allDone()

		w.back().at(roleStep)
		w.take(w.walk.Tell(screen.Entered{ID: "role-arn", Text: block[screen.Input](w).Value}))
		w.at("connect").sees("Handed over by you")
		w.allDone()
	})
}

func TestWithoutCredentialsTheFailureNamesTheWayThatNeedsNone(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.session.OpenAWS = func(context.Context, string, string) (*aws.Account, error) {
			return nil, errors.New("find no credentials")
		}
		w.start().enter().sees("prod").enter().arrives("partition").enter().at("login").until("the profiles", w.enterWorks).enter()
		w.sees("go on without credentials: guide me only").presses("guide-only").sees("AWS account ID>").types("account-id", "").at("permissions")
	})
}

func TestAnExternalIDIsCleanedAndCanBeCorrected(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.unaided("")
		for _, pasted := range []string{"\u200bspotinst:aws:extid:fedcba9876543210\ufeff", " “spotinst:aws:extid:fedcba9876543210”, ",
			"<spotinst:aws:extid:fedcba9876543210>.", "spotinst:\u2060aws:extid:fedcba9876543210\r\n"} {
			w.presses("external-id").types("external-id", "spotinst:aws:extid:fedcba98 76543210").at(roleStep).sees("External ID>")
			w.types("external-id", pasted).sees("copy its ARN from the summary")
			if w.externalID() != "spotinst:aws:extid:fedcba9876543210" {
				t.Errorf("%q became %q", pasted, w.externalID())
			}
		}
		w.types("role-arn", "arn:aws:iam::123456789012:role/Spot-Role").at("connect").back().at(roleStep)
		w.presses("external-id").types("external-id", "spotinst:aws:extid:0000000000000000").at(roleStep)
		for _, one := range w.walk.Steps() {
			if one.ID() == roleStep && one.Status(w.session.Answers) == step.Done {
				t.Error("the role is still done, with another external ID")
			}
		}
	})
}
