package prove

import (
	"context"
	"errors"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/ui/cli"
)

// ending is a context whose time is up once it is said to be.
type ending struct {
	context.Context //nolint:containedctx // it is a context
	over            bool
}

func (e *ending) Err() error {
	if e.over {
		return context.DeadlineExceeded
	}
	return nil
}

// TestTheCauseOutlivesTheTime holds that a look which the end of the time cut off
// does not hide why the one before it had no answer.
func TestTheCauseOutlivesTheTime(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	alarm := make(chan time.Time, 1)
	env := cli.Env{Now: func() time.Time { return now }, After: func(time.Duration) <-chan time.Time {
		alarm <- now
		return alarm
	}}
	slow := &aws.Error{Kind: aws.Throttled, What: "AWS asks to slow down."}
	ctx := &ending{Context: t.Context()}
	looks := 0
	_, err := lookUntil(ctx, env, now.Add(time.Minute), func() (int, bool, error) {
		if looks++; looks == 1 {
			return 0, false, slow
		}
		ctx.over = true
		return 0, false, context.DeadlineExceeded
	})
	if !errors.Is(err, slow) || looks != 2 {
		t.Errorf("%v after %d looks", err, looks)
	}
}
