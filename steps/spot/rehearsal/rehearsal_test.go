package rehearsal_test

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"

	"rolecall/steps/spot/rehearsal"
)

func TestServeEndsWithClose(t *testing.T) {
	server := rehearsal.New(rehearsal.Options{})
	if server.URL() != "" {
		t.Errorf("an address before it listens: %s", server.URL())
	}
	if _, err := server.Client().Get("http://127.0.0.1:1"); err == nil {
		t.Error("reached a server that has not started")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	// An answer over the listener's own address shows that Serve has begun. Then
	// server.Client reaches it by any name, so that nothing leaves this machine.
	for _, reach := range []struct {
		client *http.Client
		url    string
	}{{&http.Client{}, "http://" + listener.Addr().String()}, {server.Client(), "http://api.spotinst.io"}} {
		response, err := reach.client.Get(reach.url + "/setup/account")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a token: %s", reach.url, response.Status)
		}
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve after Close: %v", err)
	}
}

// TestShape holds the envelope of the answers against the one of Spot's SDK.
func TestShape(t *testing.T) {
	server := rehearsal.New(rehearsal.Options{Token: "x", Accounts: []rehearsal.Account{{ID: "act-1", Name: "a", OrganizationID: "1"}}})
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/setup/account", "", 200, `"items":[{"cloudProvider":"AWS","id":"act-1","name":"a","organizationId":"1"}]`},
		{"GET", "/setup/account/act-1", "", 200, `"id":"act-1"`},
		{"GET", "/setup/account/act-2", "", 404, `"code":"NOT_FOUND"`},
		{"POST", "/setup/account", `{"account":{"name":"1"}}`, 400, `"field":"account.name"`},
		{"POST", "/setup/account", `{"account":{"nom":"a"}}`, 400, `"code":"VALIDATION"`},
		{"POST", "/setup/credentials/aws?accountId=act-1", `{"credentials":{"iamRole":"arn:aws:iam::1:user/x"}}`, 400,
			`"field":"credentials.iamRole"`},
		{"GET", "/setup/credentials/aws?accountId=act-1", "", 200, `"items":[]`},
		{"GET", "/elsewhere", "", 404, `"errors"`},
	} {
		request, _ := http.NewRequestWithContext(t.Context(), test.method, server.URL()+test.path, strings.NewReader(test.body))
		request.Header.Set("Authorization", "Bearer x")
		request.Header.Set("Content-Type", "application/json")
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var envelope struct {
			Request  struct{ ID string }
			Response json.RawMessage
		}
		err = json.NewDecoder(response.Body).Decode(&envelope)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != test.status || envelope.Request.ID == "" ||
			!strings.Contains(string(envelope.Response), test.says) {
			t.Errorf("%s %s: %d %s (%v)", test.method, test.path, response.StatusCode, envelope.Response, err)
		}
	}
}
