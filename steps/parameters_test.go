package steps_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rolecall/steps"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// twoRoles makes the session one of the invented vendor with two roles, a
// request for each, fields and a list; edits change its description.
func (w *world) twoRoles(method string, edit ...string) *world {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "ui", "trial", "testdata", "two-roles.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := steps.Library().ReadForeign([]byte(strings.NewReplacer(edit...).Replace(string(text))), "two-roles.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	w.session.Vendor = v
	w.session.Answers = record.Answers{ID: "test", Vendor: v.Name, Method: method, Access: "role",
		Parts: map[string]record.Part{"LogsRoleArn": {ExternalID: "two-0123abcd"}, "CostsRoleArn": {ExternalID: "two-0123abcd"}}}
	w.session.Prepare()
	w.walk = steps.NewWalk(w.session)
	return w.start().at("vendor").enter().at("partition").enter().at("login").until("the profiles", w.enterWorks).enter().
		sees("Is this the account").enter().at("permissions")
}

// TestEachParameterHasItsOwnField answers fields and a list one after the other:
// none begins with another one's value, and each stands in the right place.
func TestEachParameterHasItsOwnField(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.twoRoles("direct").enter()
		asked := []string{}
		for _, answer := range []string{"main", "my-logs", "us-east-1", "prod"} {
			view := w.walk.Screen()
			for _, b := range view.Blocks {
				switch b := b.(type) {
				case screen.Input:
					if b.Value != "" || slices.Contains(asked, b.ID) {
						t.Fatalf("%+v", b)
					}
					asked = append(asked, b.ID)
					w.types(b.ID, answer)
				case screen.Choices:
					if len(b.Options) != 2 || b.Flag != "--site" {
						t.Fatalf("%+v", b)
					}
					asked = append(asked, b.ID)
					w.chooses(b.ID, answer)
				default: // nothing is asked
				}
			}
		}
		if !slices.Equal(asked, []string{"parameter:LOG", "parameter:LOG_BUCKET", "parameter:SITE", "parameter:STAGE_PREFIX"}) {
			t.Fatalf("asked %v", asked)
		}
		logs, costs := w.grant("LogsRoleArn").Whole.Compact(), w.grant("CostsRoleArn").Whole.Compact()
		for _, want := range []string{"arn:aws:s3:::my-logs/main/*", `"aws:RequestedRegion":"us-east-1"`} {
			if !strings.Contains(logs, want) {
				t.Errorf("%s is not in %s", want, logs)
			}
		}
		if !strings.Contains(costs, `["prod","prod/*"]`) && !strings.Contains(costs, `["prod/*","prod"]`) {
			t.Errorf("%s", costs)
		}
	})
}

func TestAChoiceTakesWhatIsOnTheList(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.twoRoles("direct")
		w.session.Parameters = map[string]string{"LOG": "main", "LOG_BUCKET": "my-logs", "STAGE_PREFIX": "prod"}
		w.enter().chooses("parameter:SITE", "mars-1")
		if w.session.Parameters["SITE"] != "" {
			t.Fatalf("%v", w.session.Parameters)
		}
		if p, _ := w.session.Vendor.Parameter("SITE"); p.Check("mars-1") == nil || p.Check("us-east-1") != nil {
			t.Error("the rule is not the list")
		}
	})
}

// TestADocumentThatStillHoldsAPlaceholderIsRefused is a description whose check
// was passed by: no method, plan or proof gets such a document.
func TestADocumentThatStillHoldsAPlaceholderIsRefused(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.twoRoles("direct")
		v := w.session.Vendor
		r := access.Request{Vendor: v, Partition: "aws", AccountID: account, Selection: access.Selection{Parameters: map[string]string{
			"LOG": "STAGE_PREFIX", "LOG_BUCKET": "my-logs", "SITE": "eu-west-1", "STAGE_PREFIX": "prod"}}}
		if g, err := r.Grant("LogsRoleArn"); err == nil {
			t.Logf("a value may look like a name: %s", g.Whole.Compact())
		} else if !strings.Contains(err.Error(), "cannot be the log") {
			t.Errorf("%v", err)
		}
		r.Parameters["LOG"] = "main"
		costs, _ := v.Role("CostsRoleArn")
		costs.Parameters = nil // as if it were not described
		logs, _ := v.Role("LogsRoleArn")
		logs.Parameters["STAGE_PREFIX"] = logs.Parameters["LOG"]
		if _, err := r.Grant("CostsRoleArn"); err == nil || !strings.Contains(err.Error(), "still holds the placeholder STAGE_PREFIX") {
			t.Errorf("%v", err)
		}
	})
}

// TestEachRoleIsSentByItself hands two roles over by the declared request: one
// question and one request for each, and nothing is called sent before all are.
func TestEachRoleIsSentByItself(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		var sent []string
		w.session.Post = func(_ context.Context, _, body string) (int, string, error) {
			sent = append(sent, body)
			return 200, "", nil
		}
		w.twoRoles("direct")
		w.session.Parameters = map[string]string{"LOG": "main", "LOG_BUCKET": "my-logs", "SITE": "eu-west-1", "STAGE_PREFIX": "prod"}
		w.enter().sees("is in this account").enter().at("create").sees("create these").enter()
		w.until("the roles are right", func() bool { return strings.Contains(w.text(), "[next]") }).enter().at("connect")
		w.sees("request 1 of 2", "role/Two-Logs").presses("send").sees("request 2 of 2", "role/Two-Costs")
		if len(sent) != 1 || w.session.Result().Submitted || w.session.Posted() {
			t.Fatalf("%q", sent)
		}
		w.chooses("", "send").sees("request 2 of 2") // the first one's key does not send the second
		w.presses("send-2").sees("server took it")
		if len(sent) != 2 || !strings.Contains(sent[1], "Two-Costs") || !w.session.Result().Submitted {
			t.Fatalf("%q", sent)
		}
	})
}

// TestNothingIsHandedOverThatNobodyMade reaches the hand-over without a role.
func TestNothingIsHandedOverThatNobodyMade(t *testing.T) {
	t.Parallel()
	for _, vendor := range []string{"two roles", "spot", "sprinters"} {
		t.Run(vendor, func(t *testing.T) {
			rehearse(t, func(t *testing.T, w *world) {
				switch vendor {
				case "two roles":
					w.twoRoles("direct")
				case "sprinters":
					v, err := steps.Library().Load(vendor)
					if err != nil {
						t.Fatal(err)
					}
					w.session.Vendor, w.session.Answers = v, record.Answers{ID: "test", Vendor: vendor, Method: "direct", Access: "role"}
					w.session.Prepare()
				}
				w.walk = steps.NewWalk(w.session)
				w.take(w.walk.StartAt("connect"))
				w.sees("there is nothing to hand over").seesNot("You handed", "Connected")
				for _, id := range []string{"send", "handed", "connect", "again", "replace"} {
					w.chooses("", id)
				}
				if w.session.Result().Submitted || w.walk.Complete() {
					t.Error("claims that it was handed over")
				}
			})
		})
	}
}

// TestEveryScreenNamesTheFile shows where the words come from.
func TestEveryScreenNamesTheFile(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.start()
		if place := w.walk.Screen().Place; strings.Contains(place, "file") {
			t.Errorf("Spot's own: %q", place)
		}
		w.twoRoles("direct")
		if place := w.walk.Screen().Place; place != "file two-roles.yaml" {
			t.Errorf("%q", place)
		}
	})
}

// TestWhatWasChosenIsNeverWidenedUnasked chooses a product, then a partition in
// which nobody can choose.
func TestWhatWasChosenIsNeverWidenedUnasked(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.twoRoles("direct").backTo("partition")
		w.session.Bundles = []string{"logs"}
		w.chooses("partition", "aws-cn").at("partition").sees("You chose Logs", "cannot be customized in AWS China")
		if w.session.Partition == "aws-cn" || len(w.session.Bundles) != 1 {
			t.Fatalf("%s %v", w.session.Partition, w.session.Bundles)
		}
		w.back().at("partition").chooses("partition", "aws-cn").presses("grant-default")
		if w.session.Partition != "aws-cn" || w.session.Bundles != nil {
			t.Fatalf("%s %v", w.session.Partition, w.session.Bundles)
		}
	})
}
