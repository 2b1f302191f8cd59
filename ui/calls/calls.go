// Package calls carries out what steps ask for: it runs calls beside the front,
// cancels those that only read, and never those that write. Every front stands
// on it.
package calls

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// Journal keeps the writing calls, so that a later run knows which of them were
// sent and never answered. Several calls may be under way at once, so both
// methods may be called at the same time.
type Journal interface {
	// Before is called before the call is sent. If it fails nothing is sent.
	Before(name string) error
	// After is called when it was answered.
	After(name string, outcome screen.Outcome) error
}

// Calls runs what steps ask for by steps.Call, the same way for every front:
// reading calls end with the visit that asked for them, writing calls never do.
//
// Prepare, Take, Arrive and Sending belong to the loop that holds the Walk; only
// the functions that Prepare returns run elsewhere, one goroutine each.
type Calls struct {
	ctx     context.Context //nolint:containedctx // ends with the program
	journal Journal         // nil where nothing is kept
	now     func() time.Time

	// After is like time.After, on the clock of now. A front may replace it
	// before the first call.
	After func(time.Duration) <-chan time.Time

	until time.Time // when writing calls end; zero: with their answer

	visit    int
	visitCtx context.Context //nolint:containedctx // ends with the visit
	leave    context.CancelFunc

	writes  sync.WaitGroup // of the writing calls that are run
	mu      sync.Mutex
	flights map[*flight]struct{}
	latest  map[string]*flight // by name: a Call replaces its running namesake
}

// flight is one Call from Prepare to Take.
type flight struct {
	visit  int
	Call   screen.Call
	cancel context.CancelFunc
	since  time.Time
	sent   bool // Do was begun, or will be at once
	stale  bool // its reply is of no use any more
	msg    screen.Msg
}

// Reply is what came of one Call. Hand it to Take.
type Reply struct {
	Flight *flight
	msg    screen.Msg
}

// Sending is a Call under way.
type Sending struct {
	Name   string
	Since  time.Time
	Writes bool
}

// NewCalls makes the runner of calls. ctx ends the reading calls, and leaves the
// writing ones a little time for their answer. journal may be nil.
func NewCalls(ctx context.Context, journal Journal, now func() time.Time) *Calls {
	c := &Calls{ctx: ctx, journal: journal, now: now, After: time.After,
		flights: map[*flight]struct{}{}, latest: map[string]*flight{}}
	c.visitCtx, c.leave = context.WithCancel(ctx)
	return c
}

// Arrive begins another visit: the reading calls of the one before are
// cancelled and their late replies will be dropped.
func (c *Calls) Arrive(visit int) {
	c.leave()
	c.visit = visit
	c.visitCtx, c.leave = context.WithCancel(c.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.flights {
		if f.visit != visit {
			f.drop()
		}
	}
}

// Close ends all reading calls. Writing calls that were sent go on.
func (c *Calls) Close() { c.Arrive(-1) }

// Prepare makes call ready for a step of that visit and returns what has to be
// run off the loop. Its Reply always has to be handed to Take.
func (c *Calls) Prepare(visit int, call screen.Call) func() Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &flight{visit: visit, Call: call, since: c.now(), sent: call.After <= 0}
	if visit != c.visit && !call.Writes || call.Writes && c.ended() {
		f.stale = true
		f.cancel = func() {}
		return func() Reply { return Reply{Flight: f} }
	}
	ctx := c.visitCtx
	if c.until.IsZero() {
		ctx, f.cancel = context.WithCancel(ctx)
	} else {
		ctx, f.cancel = context.WithDeadline(ctx, c.until.Add(afterwards))
	}
	if old := c.latest[call.Name]; old != nil {
		old.drop()
	}
	c.latest[call.Name] = f
	c.flights[f] = struct{}{}
	if !call.Writes {
		return func() Reply { return Reply{Flight: f, msg: c.run(ctx, f)} }
	}
	return c.start(ctx, f)
}

// start begins a writing call at once, so that it is under way whatever becomes
// of the loop that would have run it.
func (c *Calls) start(ctx context.Context, f *flight) func() Reply {
	done := make(chan struct{})
	c.writes.Go(func() {
		defer close(done)
		msg := c.run(ctx, f)
		c.mu.Lock()
		defer c.mu.Unlock()
		f.msg = msg
	})
	return func() Reply {
		<-done
		return Reply{Flight: f, msg: f.msg}
	}
}

// Drain ends the reading calls, waits for the writing ones and returns their
// replies that were never taken. It is for a loop that ended from outside.
func (c *Calls) Drain() []screen.Msg {
	c.Close()
	c.writes.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	var left []screen.Msg
	for f := range c.flights {
		if f.Call.Writes && f.msg != nil {
			left = append(left, f.msg)
		}
	}
	clear(c.flights)
	return left
}

// drop makes the reply useless, unless something outside may have changed.
func (f *flight) drop() {
	if f.Call.Writes && f.sent {
		return
	}
	f.stale = true
	f.cancel()
}

// Take accounts for a reply. ok is false when nobody waits for it any more.
func (c *Calls) Take(r Reply) (msg screen.Msg, ok bool) {
	f := r.Flight
	c.mu.Lock()
	defer c.mu.Unlock()
	f.cancel()
	delete(c.flights, f)
	if c.latest[f.Call.Name] == f {
		delete(c.latest, f.Call.Name)
	}
	return r.msg, !f.stale && r.msg != nil
}

// Sending lists the calls that were sent and not yet answered: those still
// waiting for their After are left out.
func (c *Calls) Sending() []Sending {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Sending
	for f := range c.flights {
		if f.sent && !f.stale {
			out = append(out, Sending{Name: f.Call.Name, Since: f.since, Writes: f.Call.Writes})
		}
	}
	return out
}

// Writing returns the writing call under way for the longest time. Nobody
// leaves while there is one.
func (c *Calls) Writing() (Sending, bool) {
	var oldest Sending
	found := false
	for _, s := range c.Sending() {
		if s.Writes && (!found || s.Since.Before(oldest.Since)) {
			oldest, found = s, true
		}
	}
	return oldest, found
}

// Idle reports that no reply is to be expected: nothing is under way nor
// scheduled.
func (c *Calls) Idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.flights {
		if !f.stale {
			return false
		}
	}
	return true
}

func (c *Calls) run(ctx context.Context, f *flight) screen.Msg {
	if !c.wait(ctx, f) {
		return nil
	}
	if !f.Call.Writes {
		msg, _ := guard(ctx, f.Call)
		return msg
	}
	writing, cancel := c.writing()
	defer cancel()
	return c.write(writing, f.Call)
}

// writing is the context of a writing call: leaving the step does not end it.
func (c *Calls) writing() (context.Context, context.CancelFunc) {
	if c.until.IsZero() {
		return screen.Writing(c.ctx)
	}
	limited, end := context.WithDeadline(c.ctx, c.until)
	writing, cancel := screen.Writing(limited)
	return writing, func() { cancel(); end() }
}

// afterwards is how much longer reading calls may take than the time that Limit
// sets: whoever set it ends them, and says what was awaited.
const afterwards = 10 * time.Second

// Limit ends the writing calls when the time is up, so that what became of them
// can still be looked up and told. Reading calls learn how long they may wait.
func (c *Calls) Limit(until time.Time) { c.until = until }

// ended reports that the program ends, or that the time is up: nothing more is
// written then.
func (c *Calls) ended() bool {
	return c.ctx.Err() != nil || !c.until.IsZero() && !time.Now().Before(c.until)
}

// wait lets After and Jitter pass. It reports whether Do may begin; from then
// on a writing call cannot be dropped.
func (c *Calls) wait(ctx context.Context, f *flight) bool {
	delay := f.Call.After
	if f.Call.Jitter > 0 {
		delay += rand.N(f.Call.Jitter) //nolint:gosec // spreads requests, guards nothing
	}
	if delay > 0 {
		select {
		case <-c.After(delay):
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	uncancellable := f.Call.Writes && f.sent
	if f.stale || ctx.Err() != nil && !uncancellable {
		return false
	}
	if !f.sent {
		f.sent, f.since = true, c.now()
	}
	return true
}

func (c *Calls) write(ctx context.Context, call screen.Call) screen.Msg {
	if c.journal == nil {
		msg, _ := guard(ctx, call)
		return msg
	}
	if err := c.journal.Before(call.Name); err != nil {
		return screen.Broke{Name: call.Name, Text: draw.Clean(fmt.Sprintf("write the journal: %v; nothing was sent", err))}
	}
	msg, outcome := guard(ctx, call)
	// The answer is worth more than its record: without the record the next run
	// looks whether the call arrived, which is right also when it did.
	_ = c.journal.After(call.Name, outcome)
	return msg
}

// guard turns a panic into a message, so that a mistake in one call costs a
// problem on the screen and not the session.
func guard(ctx context.Context, call screen.Call) (msg screen.Msg, outcome screen.Outcome) {
	defer func() {
		if r := recover(); r != nil {
			broke := screen.Broke{Name: call.Name, Text: draw.Clean(fmt.Sprint(r))}
			msg, outcome = broke, screen.Outcome{Result: screen.ResultPanicked, Said: broke.Text}
		}
	}()
	msg = call.Do(ctx)
	return msg, outcomeOf(msg)
}

// outcomeOf is what the journal is told of a reply. One that does not tell leaves
// the outcome unknown, which a test of the steps forbids for writing calls.
func outcomeOf(msg screen.Msg) screen.Outcome {
	if answer, ok := msg.(screen.Answered); ok {
		return answer.Outcome()
	}
	return screen.Outcome{Result: screen.ResultUnknown}
}
