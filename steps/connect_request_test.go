package steps_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
)

// acme is the documented example of a vendor's file.
func acme(t *testing.T) *describe.Vendor {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "assets", "vendors", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```\n")
	v, err := steps.Library().ReadForeign([]byte(example), "acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// toConnect walks the direct method of the documented vendor to its hand-over.
func (w *world) toConnect() *world {
	w.t.Helper()
	w.session.Vendor = acme(w.t)
	w.session.Answers = record.Answers{ID: "test", Vendor: "acme", Method: "direct", Access: "role"}
	w.session.Prepare()
	w.session.Parts["AcmeRoleArn"] = record.Part{
		Needed:     true,
		PolicyName: "Acme-Policy",
		RoleName:   "Acme-Role",
		ExternalID: "acme-0123456789ab",
	}
	w.walk = steps.NewWalk(w.session)
	w.start().at("vendor").enter().at("login").until("the profiles", w.enterWorks).enter().sees("Is this the account").enter()
	w.at("permissions").enter().at("create").sees("create these").enter().sees("Acme-Role")
	return w.until("the role is right", func() bool { return strings.Contains(w.text(), "[next]") }).enter().at("connect")
}

func TestTheDeclaredRequestIsShownWholeAndSentOnceAsked(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		sent := []string{}
		w.session.Post = func(_ context.Context, url, body string) (int, string, error) {
			sent = append(sent, url+" "+body)
			if len(sent) == 1 {
				return 422, "no such\x1b[31m account", nil
			}
			return 200, "", nil
		}
		const address, arn = "https://console.acme.example/api/aws-accounts", "arn:aws:iam::123456789012:role/Acme-Role"
		w.toConnect().sees(address, arn, `"acme-0123456789ab"`, account)
		if len(sent) != 0 {
			t.Fatalf("sent unasked: %q", sent)
		}
		confirm := w.walk.Screen().Actions[0].Confirm
		if confirm == nil || confirm.Flag != "--send-to" || confirm.Given || !strings.Contains(confirm.Question, address) {
			t.Fatalf("%+v", confirm)
		}
		w.presses("send").sees("HTTP 422", "no such").seesNot("\x1b")
		w.presses("send").sees("Acme's server took it")
		if len(sent) != 2 || sent[0] != sent[1] || !w.session.Result().Submitted {
			t.Fatalf("%q, submitted %v", sent, w.session.Result().Submitted)
		}
	})
}

func TestTheDeclaredRequestCanBeLeftOut(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.session.Post = func(context.Context, string, string) (int, string, error) { return 0, "", errors.New("unreachable") }
		w.toConnect().presses("send").sees("There was no answer", "look in the vendor's console")
		w.presses("by-hand").sees("Copy the ARN").enter().sees("Handed over by you")
		if w.session.Result().Submitted {
			t.Fatal("claims that it was sent")
		}
	})
}

func TestNoValueChangesWhatIsSent(t *testing.T) {
	t.Parallel()
	r := describe.Request{Body: `{"role": "{role_arn}", "external_id": "{external_id}", "n": {"x": 1}}`}
	if got := r.Render("a", `b", "admin": "c`, ""); got != `{"role": "a", "external_id": "b\", \"admin\": \"c", "n": {"x": 1}}` {
		t.Error(got)
	}
}
