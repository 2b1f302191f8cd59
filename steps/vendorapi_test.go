package steps_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
)

// audited is an invented vendor's API: a second client beside the program's.
type audited struct {
	opened  []screen.Secret // the tokens that it was opened with
	broken  error           // why it cannot be opened without a token
	refusal error           // of the next hand-over
	asked   []string
}

// API is what it is registered with.
func (a *audited) API() vendorapi.API {
	return vendorapi.API{
		Name:      "audited",
		TokenName: "AUDITED_TOKEN",
		Open: func(env vendorapi.Environment, token screen.Secret) (vendorapi.Opened, error) {
			a.opened = append(a.opened, token)
			if token == "" && a.broken != nil {
				return vendorapi.Opened{}, a.broken
			}
			if token == "" {
				token = screen.Secret(env.Getenv("AUDITED_TOKEN"))
			}
			if token == "" {
				return vendorapi.Opened{Host: "audit.acme.example"}, nil
			}
			return vendorapi.Opened{Client: a, Source: "AUDITED_TOKEN", Host: "audit.acme.example"}, nil
		},
	}
}

func (a *audited) note(call string) { a.asked = append(a.asked, call) }

func (a *audited) Accounts(context.Context) ([]vendorapi.Account, error) {
	a.note("accounts")
	return []vendorapi.Account{{ID: "audit-7", Name: "Production"}}, nil
}

func (a *audited) CreateAccount(_ context.Context, name string) (vendorapi.Account, error) {
	a.note("create " + name)
	return vendorapi.Account{ID: "audit-8", Name: name}, nil
}

func (a *audited) ExternalID(context.Context, string) (string, error) { return "", nil }

func (a *audited) MintExternalID(_ context.Context, account string) (string, error) {
	a.note("mint " + account)
	return "acme-0123456789ab", nil
}

func (a *audited) Role(context.Context, string) (string, error) { return "", nil }

func (a *audited) SubmitRole(_ context.Context, account, roleARN string) error {
	a.note("submit " + account + " " + roleARN)
	refusal := a.refusal
	a.refusal = nil
	return refusal
}

// withAPI registers a second API and makes the session one of a vendor that
// names it, with the vendor still to be chosen beside Sprinters.
func (w *world) withAPI(a *audited, environment map[string]string) {
	w.t.Helper()
	apis := append(steps.APIs(), a.API())

	text, err := os.ReadFile(filepath.Join("describe", "check", "testdata", "acme-audit.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	edited := strings.NewReplacer("wizard: Acme guide", "wizard: Acme guide\napi: audited\naccount: {label: Acme account, pattern: \"audit-[0-9]+\", example: audit-1}", "    role_name: Acme-Audit", "    role_name: Acme-Audit\n    submit: true").Replace(string(text))
	if _, err := steps.Library().Read([]byte(edited), "acme-audit.yaml"); err == nil ||
		!strings.Contains(err.Error(), `"audited" cannot be api. Expected: spot.`) {
		w.t.Fatalf("without the registration: %v", err)
	}
	library := steps.LibraryWith(apis)
	if _, err := library.ReadForeign([]byte(edited), "acme-audit.yaml"); err == nil ||
		!strings.Contains(err.Error(), "Only a description that comes with rolecall") {
		w.t.Fatalf("a stranger's file: %v", err)
	}
	s := w.session
	s.OpenAPI = apis.Opener(vendorapi.Environment{Getenv: func(name string) string { return environment[name] }, ReadFile: os.ReadFile})
	s.LoadVendor = func(name string) (*describe.Vendor, error) {
		if name == "acme-audit" {
			return library.Read([]byte(edited), "acme-audit.yaml")
		}
		return library.Load(name)
	}
	s.Vendor, s.Answers = nil, record.Answers{ID: "260131-7k2m"}
	s.Ledger = record.OpenStore(w.t.TempDir()).Ledger(s.ID)
	for _, name := range []string{"sprinters", "acme-audit"} {
		s.Offers = append(s.Offers, step.Offer{Vendor: name, Method: describe.Direct, Access: describe.AccessRole, Label: name})
	}
	w.walk = steps.NewWalk(s)
}

const (
	offerSprinters = "sprinters direct role"
	offerAudit     = "acme-audit direct role"
)

func TestASecondAPITakesTheRole(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		api := &audited{
			refusal: &vendorapi.Error{Vendor: vendorapi.Vendor{Title: "Acme Audit"}, Op: "hand over", Status: 400, Message: "not yet"},
		}
		w.withAPI(api, map[string]string{"AUDITED_TOKEN": "a-token", "ROLECALL_SPOT_URL": "ftp://x"})
		w.aws.AddManagedPolicies("SecurityAudit", "job-function/ViewOnlyAccess")
		w.start().at("vendor").chooses("offer", offerAudit).enter().sees("Production").enter()
		w.until("the login", func() bool { return w.walk.Step().ID() == "login" }).until("the profiles", w.enterWorks).enter().
			sees("Is this the account").enter().at("permissions").enter()
		w.at("create").sees("create these").enter().until("the role is right", func() bool { return strings.Contains(w.text(), "[next]") }).
			enter()
		w.at("connect").enter().sees("Acme Audit accepted the role after")
		role := "submit audit-7 arn:aws:iam::123456789012:role/Acme-Audit"
		if want := []string{"accounts", "mint audit-7", role, role}; !slices.Equal(api.asked, want) {
			t.Errorf("asked %q, want %q", api.asked, want)
		}
		if result := w.session.Result(); !result.Submitted || result.ExternalID != "acme-0123456789ab" {
			t.Errorf("%+v", result)
		}
	})
}

func TestAnAPIIsOpenedWhenItsVendorIsChosen(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		api := &audited{broken: &vendorapi.Error{Vendor: vendorapi.Vendor{Title: "Acme Audit"}, Op: "use the address",
			Words: vendorapi.Words{What: "AUDITED_URL is no address.", Expected: "https://HOST", Next: "Correct AUDITED_URL."}}}
		w.withAPI(api, nil)
		w.start().at("vendor").chooses("offer", offerSprinters).sees("[start]")
		if len(api.opened) != 0 {
			t.Fatal("opened for another vendor")
		}
		w.back().chooses("offer", offerAudit).sees("AUDITED_URL is no address.", "Correct AUDITED_URL.")
		problem := block[screen.Problem](w)
		if problem.Kind != screen.Usage || problem.Passing {
			t.Errorf("%+v", problem)
		}
		w.presses("again").sees("AUDITED_URL is no address.")
		api.broken = nil
		w.presses("again").at("login") // no token: by hand
		if !w.session.ByHand || len(api.opened) != 3 || w.session.API() != nil {
			t.Errorf("by hand %v, opened %d times", w.session.ByHand, len(api.opened))
		}
		w.back().chooses("offer", offerAudit).sees("Go on without one").chooses("begin", "token")
		w.types("token", "typed").sees("Production")
		if last := api.opened[len(api.opened)-1]; string(last) != "typed" {
			t.Errorf("opened with %q", string(last))
		}
	})
}

func TestNothingOfOneVendorReachesTheNext(t *testing.T) {
	t.Parallel()
	rehearse(t, func(t *testing.T, w *world) {
		w.withAPI(&audited{}, nil)
		s := w.session
		w.start().chooses("offer", offerAudit)
		if err := s.ConnectAPIWith("typed"); err != nil || s.API() == nil {
			t.Fatalf("the API was not opened: %v", err)
		}
		s.VendorAccount, s.TrustedAccount, s.Bundles, s.Parameters = "audit-7", "111122223333", []string{"reports"}, map[string]string{"A": "b"}
		w.back().chooses("offer", offerSprinters)
		if s.VendorAccount != "" || s.TrustedAccount != "" || s.Bundles != nil || s.Parameters != nil {
			t.Errorf("%+v", s.Answers)
		}
		if s.API() != nil {
			t.Error("another vendor's token is still held")
		}
	})
}

func TestAnUnknownAPIIsSaid(t *testing.T) {
	t.Parallel()
	_, err := steps.APIs().Opener(vendorapi.Environment{})("none", "")
	if fault := (*screen.Fault)(nil); !errors.As(err, &fault) || fault.Problem.Expected != "spot" || fault.Problem.Next == "" {
		t.Errorf("%v", err)
	}
}
