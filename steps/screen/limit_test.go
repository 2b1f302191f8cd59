package screen_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/steps/screen"
)

// until is how long a context lives.
func until(ctx context.Context) time.Duration {
	began := time.Now()
	<-ctx.Done()
	return time.Since(began)
}

func TestAWriteHasUntilTheEndOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		writing, done := screen.Writing(ctx)
		defer done()
		if took := until(writing); took != time.Minute || !errors.Is(writing.Err(), context.DeadlineExceeded) {
			t.Errorf("it ended after %s: %v", took, writing.Err())
		}
	})
}

func TestASignalLeavesAWriteALittleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		writing, done := screen.Writing(ctx)
		defer done()
		cancel()
		if took := until(writing); took != 5*time.Second {
			t.Errorf("it ended after %s", took)
		}
		look, end := screen.LookUp(ctx)
		defer end()
		if took := until(look); took != 10*time.Second {
			t.Errorf("the look ended after %s", took)
		}
	})
}
