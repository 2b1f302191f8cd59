package steps_test

import (
	"context"
	"testing"
	"time"

	"rolecall/steps/vendorapi"
)

// later is a vendor that has the hand-over put off some times.
type later struct {
	vendorapi.Client
	left  int
	pause time.Duration
	asked int
}

func (l *later) SubmitRole(ctx context.Context, account, arn string) error {
	l.asked++
	if l.left > 0 {
		l.left--
		return &vendorapi.Error{Vendor: vendorapi.Vendor{Title: "Spot"}, Op: "submit role", Status: 429, RetryAfter: l.pause}
	}
	return l.Client.SubmitRole(ctx, account, arn)
}

// TestALongPauseThatTheVendorAsksForIsWaitedFor has the vendor ask for more time
// than rolecall gives it unasked. A person looks on.
func TestALongPauseThatTheVendorAsksForIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pause       time.Duration
		left, asked int
		sees        string
	}{
		{5 * time.Minute, 1, 2, "accepted"},
		{5 * time.Minute, 1 << 20, 4, "did not take the role within"}, // it ends
		{3 * time.Hour, 1 << 20, 1, "did not take the role within"},
	} {
		rehearse(t, func(t *testing.T, w *world) {
			slow := &later{Client: w.api, left: c.left, pause: c.pause}
			w.api = slow
			if err := w.session.ConnectAPIWith("typed"); err != nil {
				t.Fatal(err)
			}
			w.direct().toCreate().sees("create these").enter().sees("seen to be right").enter().at("connect").enter()
			w.until("the last try", func() bool { return slow.asked == c.asked }).sees(c.sees)
			if slow.asked != c.asked {
				t.Errorf("%v: asked %d times, want %d", c.pause, slow.asked, c.asked)
			}
		})
	}
}
