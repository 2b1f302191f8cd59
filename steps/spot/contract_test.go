package spot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/steps/spot"
	"rolecall/steps/spot/rehearsal"
	"rolecall/steps/vendorapi"
)

const (
	secret  = "t0ken-that-must-never-show"
	roleARN = "arn:aws:iam::123456789012:role/Spot-Role"
)

func start(t *testing.T, o rehearsal.Options) (*rehearsal.Server, *spot.Client) {
	t.Helper()
	o.Token = secret
	server := rehearsal.New(o)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server, newClient(t, server.URL(), server.Client())
}

func newClient(t *testing.T, url string, http *http.Client) *spot.Client {
	t.Helper()
	client, err := spot.New(spot.Options{BaseURL: url, Token: secret, HTTPClient: http})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestContract walks the whole life of an account over real HTTP.
func TestContract(t *testing.T) {
	var asked []string
	server, client := start(t, rehearsal.Options{Assume: func(principal, role, externalID string) error {
		asked = append(asked, principal+" "+role+" "+externalID)
		if len(asked) == 1 {
			return errors.New("not yet")
		}
		return nil
	}})
	ctx := t.Context()

	if accounts := must[[]vendorapi.Account](t)(client.Accounts(ctx)); len(accounts) != 0 {
		t.Fatalf("accounts at first: %v", accounts)
	}
	account := must[vendorapi.Account](t)(client.CreateAccount(ctx, " prod "))
	if account.Name != "prod" || !regexp.MustCompile(`^act-[0-9a-f]{8}$`).MatchString(account.ID) {
		t.Errorf("created %+v", account)
	}
	if diff := cmp.Diff([]vendorapi.Account{account}, must[[]vendorapi.Account](t)(client.Accounts(ctx))); diff != "" {
		t.Error(diff)
	}
	if id := must[string](t)(client.ExternalID(ctx, account.ID)); id != "" {
		t.Errorf("external ID before minting: %q", id)
	}
	minted := must[string](t)(client.MintExternalID(ctx, account.ID))
	if !regexp.MustCompile(`^spotinst:aws:extid:[0-9a-z]{16}$`).MatchString(minted) {
		t.Errorf("minted %q", minted)
	}
	if id := must[string](t)(client.ExternalID(ctx, account.ID)); id != minted {
		t.Errorf("read %q, minted %q", id, minted)
	}
	if role := must[string](t)(client.Role(ctx, account.ID)); role != "" {
		t.Errorf("role before: %q", role)
	}

	err := client.SubmitRole(ctx, account.ID, roleARN)
	var refused *vendorapi.Error
	if !errors.As(err, &refused) || !refused.Refused() || refused.RequestID == "" || refused.Message == "" || refused.Unsure {
		t.Fatalf("first hand-over: %#v", err)
	}
	if err := client.SubmitRole(ctx, account.ID, roleARN); err != nil {
		t.Fatal(err)
	}
	if role := must[string](t)(client.Role(ctx, account.ID)); role != roleARN {
		t.Errorf("role after: %q", role)
	}
	want := "922761411349 " + roleARN + " " + minted
	if diff := cmp.Diff([]string{want, want}, asked); diff != "" {
		t.Error(diff)
	}
	if got := server.Accounts()[0]; got.Role != roleARN || got.ExternalID != minted {
		t.Errorf("server holds %+v", got)
	}
}

func TestRehearsalRepeatsItself(t *testing.T) {
	mint := func(seed uint64) string {
		_, client := start(t, rehearsal.Options{Seed: seed})
		account := must[vendorapi.Account](t)(client.CreateAccount(t.Context(), "prod"))
		return account.ID + must[string](t)(client.MintExternalID(t.Context(), account.ID))
	}
	if one, two := mint(7), mint(7); one != two {
		t.Errorf("the same seed gave %s and %s", one, two)
	}
	if one, two := mint(7), mint(8); one == two {
		t.Errorf("two seeds gave %s", one)
	}
}

func TestDeleteAccount(t *testing.T) {
	server, client := start(t, rehearsal.Options{Accounts: []rehearsal.Account{{ID: "act-1", Name: "a"}, {ID: "act-2", Name: "b"}}})
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, server.URL()+"/setup/account/act-1", nil)
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := server.Client().Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response, err)
	}
	_ = response.Body.Close()
	if diff := cmp.Diff(
		[]vendorapi.Account{{ID: "act-2", Name: "b"}},
		must[[]vendorapi.Account](t)(client.Accounts(t.Context())),
	); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	server, client := start(t, rehearsal.Options{Accounts: []rehearsal.Account{{ID: "act-1"}}})
	stranger := must[*spot.Client](t)(spot.New(spot.Options{BaseURL: server.URL(), Token: "another", HTTPClient: server.Client()}))
	for name, test := range map[string]struct {
		call   func() error
		status int
		says   string
	}{
		"wrong token":     {func() error { _, err := stranger.Accounts(t.Context()); return err }, 401, "does not accept the token"},
		"unknown account": {func() error { return client.SubmitRole(t.Context(), "act-9", roleARN) }, 404, "no such account"},
		"name":            {func() error { _, err := client.CreateAccount(t.Context(), "123"); return err }, 0, "at least one letter"},
		"control":         {func() error { _, err := client.CreateAccount(t.Context(), "a\x1b[2J"); return err }, 0, "on one line"},
		"account ID":      {func() error { _, err := client.Role(t.Context(), "act-1/../x"); return err }, 0, "act-12ab12ab"},
		"user ARN": {func() error { return client.SubmitRole(t.Context(), "act-1", "arn:aws:iam::123456789012:user/x") }, 0,
			"not the ARN of a role"},
	} {
		t.Run(name, func(t *testing.T) {
			var e *vendorapi.Error
			if err := test.call(); !errors.As(err, &e) || e.Status != test.status {
				t.Fatalf("got %#v", err)
			}
			if text := e.Error() + e.Expected(); !strings.Contains(text, test.says) || e.Next() == "" {
				t.Errorf("%q does not say %q and what to do", text, test.says)
			}
		})
	}
}

func TestReadsAreRetriedAndWritesAreNot(t *testing.T) {
	server, client := start(t, rehearsal.Options{Accounts: []rehearsal.Account{{ID: "act-1"}}})
	server.Fail(rehearsal.Fault{Times: 1, Status: 503})
	server.Fail(rehearsal.Fault{Times: 1, Drop: true})
	if accounts := must[[]vendorapi.Account](t)(client.Accounts(t.Context())); len(accounts) != 1 {
		t.Errorf("accounts %v", accounts)
	}
	if calls := server.Calls(); len(calls) != 3 {
		t.Errorf("calls %v", calls)
	}

	server.Fail(rehearsal.Fault{Times: 1, Status: 500})
	_, err := client.MintExternalID(t.Context(), "act-1")
	var e *vendorapi.Error
	if !errors.As(err, &e) || !e.Unsure || !e.Passing() || server.Accounts()[0].ExternalID != "" {
		t.Fatalf("got %v", err)
	}
	if calls := server.Calls(); len(calls) != 4 {
		t.Errorf("calls %v", calls)
	}
}

func TestDroppedWriteIsUnsure(t *testing.T) {
	server, client := start(t, rehearsal.Options{Accounts: []rehearsal.Account{{ID: "act-1"}}})
	server.Fail(rehearsal.Fault{Times: 1, Drop: true, Call: "POST /setup/credentials/aws/externalId"})
	_, err := client.MintExternalID(t.Context(), "act-1")
	var e *vendorapi.Error
	if !errors.As(err, &e) || !e.Unsure || e.Status != 0 {
		t.Fatalf("got %v", err)
	}
	// The work was done: reading finds it, so that no second one is minted.
	if id := must[string](t)(client.ExternalID(t.Context(), "act-1")); id == "" || id != server.Accounts()[0].ExternalID {
		t.Errorf("external ID %q", id)
	}
	posts := slices.DeleteFunc(server.Calls(), func(call string) bool { return !strings.HasPrefix(call, "POST") })
	if len(posts) != 1 {
		t.Errorf("calls %v", posts)
	}
}

func TestCancelledCallEndsAtOnce(t *testing.T) {
	server, client := start(t, rehearsal.Options{})
	server.Fail(rehearsal.Fault{Times: 1, Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.Accounts(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if calls := server.Calls(); len(calls) != 1 {
		t.Errorf("calls %v", calls)
	}
}

// hostile answers everything with the same status and body.
func hostile(t *testing.T, status int, body string) *spot.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status >= 300 && status < 400 {
			w.Header().Set("Location", "/stolen")
		}
		if r.URL.Path == "/stolen" {
			t.Error("the redirect was followed")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return newClient(t, server.URL, server.Client())
}

func TestHostileAnswers(t *testing.T) {
	const envelope = `{"request":{"id":"r\u001b[2J1"},"response":{"status":{"code":%d},"items":%s,"errors":[{"code":"C","message":"no \u0007\u202e` + secret + `","field":"f"}]}}`
	for name, test := range map[string]struct {
		status int
		body   string
		what   string
	}{
		"not JSON":            {200, "<html>", "not Spot: a web page (HTTP 200)"},
		"trailing":            {200, fmt.Sprintf(envelope, 200, "[]") + "{}", "documented shape"},
		"no response":         {200, `{"request":{"id":"x"}}`, "documented shape"},
		"items no list":       {200, fmt.Sprintf(envelope, 200, `{"id":"act-1"}`), "documented shape"},
		"wrong type":          {200, fmt.Sprintf(envelope, 200, `[{"id":5}]`), "documented shape"},
		"account ID":          {200, fmt.Sprintf(envelope, 200, `[{"id":"act-1\u001b[2J"}]`), "without an ID"},
		"endless":             {200, strings.Repeat(" ", 5<<20), "documented shape"},
		"redirect":            {302, "", "does not follow"},
		"refusal in a 200":    {200, fmt.Sprintf(envelope, 400, "[]"), "Spot refused (HTTP 400)"},
		"refusal":             {400, fmt.Sprintf(envelope, 400, "[]"), "Spot refused (HTTP 400)"},
		"refusal, not JSON":   {418, "teapot", "Spot refused (HTTP 418)"},
		"forbidden":           {403, fmt.Sprintf(envelope, 403, "[]"), "does not let this token"},
		"success, not 200":    {204, "", "Spot answered with HTTP 204"},
		"a portal's redirect": {302, "<html>", "not Spot: a web page (HTTP 302)"},
		"a proxy's page":      {403, "<html>", "not Spot: a web page (HTTP 403)"},
		"foreign JSON":        {404, `{"message":"no route"}`, "not Spot: JSON of another server"},
		"a gateway's page":    {502, "<html>", "Spot is not well (HTTP 502)"},
		"proxy wants a login": {407, "<html>", "proxy on the way to Spot wants a password"},
		"network wants one":   {511, "<html>", "wants you to sign in"},
		"external ID too bad": {200, fmt.Sprintf(envelope, 200, `[{"id":"act-1","externalId":"a b"}]`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := hostile(t, test.status, test.body)
			_, err := client.Accounts(t.Context())
			if test.what == "" {
				_, err = client.ExternalID(t.Context(), "act-1")
			}
			var e *vendorapi.Error
			if !errors.As(err, &e) || !strings.Contains(e.What(), test.what) {
				t.Fatalf("got %v", err)
			}
			text := fmt.Sprintf("%v %+v %#v %s", err, e, *e, e.Quoted())
			if strings.Contains(text, secret) || strings.ContainsAny(text, "\x1b\x07\u202e") {
				t.Errorf("unsafe: %q", text)
			}
		})
	}
}

func TestOtherCloudsAreLeftOut(t *testing.T) {
	client := hostile(
		t,
		200,
		`{"response":{"items":[{"id":"act-1","name":"a","cloudProvider":"AZURE"},{"id":"act-2","name":"b\u001b","cloudProvider":"AWS","createdAt":"x"}]}}`,
	)
	want := []vendorapi.Account{{ID: "act-2", Name: "b"}}
	if diff := cmp.Diff(want, must[[]vendorapi.Account](t)(client.Accounts(t.Context()))); diff != "" {
		t.Error(diff)
	}
}

func TestTokenNeverShows(t *testing.T) {
	token := spot.Token(secret)
	client := must[*spot.Client](t)(spot.New(spot.Options{Token: token}))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s"} {
		for _, value := range []any{token, &token, []spot.Token{token}, struct{ T spot.Token }{token}, spot.Options{Token: token}, client,
			*client} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s of %T shows the token: %s", verb, value, text)
			}
		}
	}
	if text, err := json.Marshal(struct{ T spot.Token }{token}); err == nil {
		t.Errorf("marshalled: %s", text)
	}
	_, err := spot.New(spot.Options{Token: spot.Token(secret + "\n")})
	if err == nil || strings.Contains(fmt.Sprintf("%+v %#v", err, err), secret) {
		t.Errorf("token with a line break: %v", err)
	}
}

func TestBaseURL(t *testing.T) {
	for text, good := range map[string]bool{
		"": true, "https://api.example.com": true, "https://api.example.com/base/": true,
		"http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost:1": true, "http://127.9.9.9": true,
		"http://api.spotinst.io": false, "http://127.0.0.1.example.com": false, "http://localhost.example.com": false, "http://0.0.0.0:1": false,
		"https://user:pw@api.spotinst.io": false, "https://": false, "ftp://x": false, "api.spotinst.io": false, "https://x/?a=b": false,
		"::": false,
	} {
		if _, err := spot.New(spot.Options{BaseURL: text, Token: "x"}); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
