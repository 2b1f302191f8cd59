package spot_test

import (
	"testing"
	"testing/synctest"
	"time"

	aws "rolecall/aws/rehearsal"
	"rolecall/steps/spot/rehearsal"
	"rolecall/steps/vendorapi"
)

// TestVirtualTime shows that the client and its rehearsal work over a listener
// in memory, where a slow Spot costs a test nothing.
func TestVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := rehearsal.New(rehearsal.Options{Token: secret, Accounts: []rehearsal.Account{{ID: "act-1"}}})
		listener, http := aws.Pipe()
		done := make(chan error)
		go func() { done <- server.Serve(listener) }()
		client := newClient(t, "http://127.0.0.1", http)
		server.Fail(rehearsal.Fault{Times: 2, Status: 503, Delay: 10 * time.Second})
		began := time.Now()
		if accounts := must[[]vendorapi.Account](t)(client.Accounts(t.Context())); len(accounts) != 1 {
			t.Errorf("accounts %v", accounts)
		}
		if took := time.Since(began); took < 20*time.Second || took > 25*time.Second {
			t.Errorf("two slow failures took %s of virtual time", took)
		}
		http.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
