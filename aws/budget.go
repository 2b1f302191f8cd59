package aws

import (
	"context"
	"sync"
	"time"
)

// IAM allows an account only few calls a second, and other tools share them.
// All watches of one Account together stay within this many requests a minute.
const (
	requestsPerMinute = 20
	budgetWindow      = time.Minute
)

// budget counts the requests of the last minute. The zero value is ready.
type budget struct {
	mu   sync.Mutex
	sent []time.Time // at most requestsPerMinute, oldest first
}

// take waits until one more request fits and counts it, by the clock of o. It
// returns ctx's error when the caller gives up first.
func (b *budget) take(ctx context.Context, o *Options) error {
	for {
		wait := b.reserve(o.Now())
		if wait <= 0 {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-o.After(wait):
		}
	}
}

// reserve counts a request at now, or says how long to wait for room.
func (b *budget) reserve(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	if len(b.sent) < requestsPerMinute {
		b.sent = append(b.sent, now)
		return 0
	}
	return b.sent[0].Add(budgetWindow).Sub(now)
}

// delay is how long until n requests fit.
func (b *budget) delay(n int, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	n = min(n, requestsPerMinute)
	over := len(b.sent) + n - requestsPerMinute
	if over <= 0 {
		return 0
	}
	return b.sent[over-1].Add(budgetWindow).Sub(now)
}

func (b *budget) forget(now time.Time) {
	for len(b.sent) > 0 && now.Sub(b.sent[0]) >= budgetWindow {
		b.sent = b.sent[1:]
	}
}
