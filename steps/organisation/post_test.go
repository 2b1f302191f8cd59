package organisation_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps/describe"
	"rolecall/steps/organisation"
)

// TestTheDeclaredRequestIsSentOncePerAccount loses one answer, slows one down and
// refuses one.
func TestTheDeclaredRequestIsSentOncePerAccount(t *testing.T) {
	w := newWorld(t, rehearsal.Options{Accounts: 12})
	v := *w.request.Vendor
	v.API, v.HandOver = "", describe.Request{URL: "https://vendor.example/roles", Body: `{"role": "{role_arn}", "id": "{external_id}"}`}
	w.request.Vendor, w.shared = &v, v.ExternalID.Example
	var mu sync.Mutex
	sent, slowed, free := map[string]int{}, 0, time.Time{}
	w.post = func(_ context.Context, url, body string) (int, string, time.Duration, error) {
		mu.Lock()
		defer mu.Unlock()
		account := strings.Split(body, ":")[5]
		if url != v.HandOver.URL || !strings.Contains(body, w.shared) {
			t.Errorf("%s %s", url, body)
		}
		if account == "100000000003" && slowed == 0 {
			slowed, free = 1, w.clock.Now().Add(20*time.Second)
			return 429, "slow", 20 * time.Second, nil
		}
		if account == "100000000003" && w.clock.Now().Before(free) {
			t.Error("it was sent again before the time that was asked for")
		}
		sent[account]++
		switch account {
		case "100000000001":
			return 0, "", 0, errors.New("the line is dead")
		case "100000000002":
			return 422, "no", 0, nil
		}
		return 200, "", 0, nil
	}
	report, err := w.apply(organisation.Choice{})
	if err != nil || report.Totals.Connected != 10 || report.Totals.Failed != 2 || !report.Submitted {
		t.Fatalf("%v %+v", err, report.Totals)
	}
	for range 2 { // the lost one is named, and not sent again; the refused one is
		if report, err = w.apply(organisation.Choice{}); err != nil || report.Totals.Failed != 2 {
			t.Fatalf("%v %+v", err, report.Totals)
		}
	}
	if sent["100000000001"] != 1 || sent["100000000002"] != 3 || sent["100000000003"] != 1 || sent["100000000004"] != 1 {
		t.Errorf("%v", sent)
	}
	w.options.Resend = true
	if _, err = w.apply(organisation.Choice{}); err != nil || sent["100000000001"] != 2 || sent["100000000004"] != 1 {
		t.Errorf("%v %v", err, sent)
	}
}
