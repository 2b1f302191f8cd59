package calls

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/steps/screen"
)

// notes is a journal that remembers the order of things.
type notes struct {
	mu    sync.Mutex
	lines []string
	fails error
}

func (n *notes) Before(name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, "before "+name)
	return n.fails
}

func (n *notes) After(name string, outcome screen.Outcome) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, "after "+name+" "+string(outcome.Result))
	return nil
}

func reading(name string, do func(context.Context) screen.Msg) screen.Call {
	return screen.Call{Name: name, Do: do}
}

func says(text string) func(context.Context) screen.Msg {
	return func(context.Context) screen.Msg { return text }
}

func blocks(ctx context.Context) screen.Msg {
	<-ctx.Done()
	return ctx.Err()
}

func TestLeavingAStepCancelsItsReadingCall(t *testing.T) {
	c := NewCalls(t.Context(), nil, time.Now)
	c.Arrive(1)
	cancelled := make(chan error, 1)
	run := c.Prepare(1, reading("look", func(ctx context.Context) screen.Msg {
		<-ctx.Done()
		cancelled <- ctx.Err()
		return "late"
	}))
	c.Arrive(2)
	if msg, ok := c.Take(run()); ok {
		t.Errorf("told %v of a visit that is over", msg)
	}
	if c.Idle() != true || len(c.Sending()) != 0 {
		t.Error("the call is still counted")
	}
}

func TestACallReplacesItsNamesake(t *testing.T) {
	c := NewCalls(t.Context(), nil, time.Now)
	c.Arrive(1)
	first := c.Prepare(1, reading("look", blocks))
	other := c.Prepare(1, reading("other", says("other")))
	second := c.Prepare(1, reading("look", says("second")))
	if _, ok := c.Take(first()); ok {
		t.Error("the first one was told")
	}
	for want, run := range map[string]func() Reply{"second": second, "other": other} {
		if msg, ok := c.Take(run()); !ok || msg != want {
			t.Errorf("told %v, want %s", msg, want)
		}
	}
}

func TestADelayIsWaitedAndCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCalls(t.Context(), nil, time.Now)
		c.Arrive(1)
		start := time.Now()
		call := screen.Call{Name: "later", After: 9 * time.Second, Jitter: 2 * time.Second, Do: says("x")}
		run := c.Prepare(1, call)
		if len(c.Sending()) != 0 || c.Idle() {
			t.Error("a call that waits is not sent, and not idle")
		}
		if _, ok := c.Take(run()); !ok || time.Since(start) < 9*time.Second || time.Since(start) >= 11*time.Second {
			t.Errorf("told %v after %v", ok, time.Since(start))
		}
		run = c.Prepare(1, call)
		start = time.Now()
		go func() { time.Sleep(time.Second); c.Arrive(2) }()
		if _, ok := c.Take(run()); ok || time.Since(start) != time.Second {
			t.Errorf("a cancelled wait took %v", time.Since(start))
		}
	})
}

func TestAWriteIsNeverDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &notes{}
		ctx, end := context.WithCancel(t.Context())
		c := NewCalls(ctx, journal, time.Now)
		c.Arrive(1)
		run := c.Prepare(1, screen.Call{Name: "create role", Writes: true, Do: func(ctx context.Context) screen.Msg {
			time.Sleep(3 * time.Second)
			return fmt.Sprint("made, context: ", ctx.Err())
		}})
		time.Sleep(time.Second)
		again := c.Prepare(1, screen.Call{Name: "create role", Writes: true, Do: says("second")})
		c.Arrive(2)
		c.Close()
		end()
		if _, busy := c.Writing(); !busy {
			t.Error("nobody waits for the write")
		}
		for _, run := range []func() Reply{run, again} {
			if msg, ok := c.Take(run()); !ok {
				t.Errorf("dropped %v", msg)
			}
		}
		if _, busy := c.Writing(); busy {
			t.Error("still counted after it was taken")
		}
		if !slices.Contains(journal.lines, "before create role") || !slices.Contains(journal.lines, "after create role unknown") {
			t.Errorf("journal %q", journal.lines)
		}
	})
}

func TestAWriteThatStillWaitsIsNotSentAfterLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &notes{}
		c := NewCalls(t.Context(), journal, time.Now)
		c.Arrive(1)
		run := c.Prepare(1, screen.Call{Name: "submit", After: time.Minute, Writes: true, Do: says("sent")})
		if _, busy := c.Writing(); busy {
			t.Error("it is not sent yet")
		}
		c.Arrive(2)
		if _, ok := c.Take(run()); ok || len(journal.lines) != 0 {
			t.Errorf("sent after leaving: %q", journal.lines)
		}
	})
}

func TestNothingIsSentThatCannotBeJournalled(t *testing.T) {
	journal := &notes{fails: errors.New("disk full")}
	c := NewCalls(t.Context(), journal, time.Now)
	c.Arrive(1)
	sent := false
	run := c.Prepare(1, screen.Call{Name: "create", Writes: true, Do: func(context.Context) screen.Msg { sent = true; return "x" }})
	msg, _ := c.Take(run())
	broke, ok := msg.(screen.Broke)
	if !ok || sent || !strings.Contains(broke.Text, "disk full") || !strings.Contains(broke.Text, "nothing was sent") {
		t.Errorf("told %v, sent %v", msg, sent)
	}
}

func TestAPanicBecomesAMessage(t *testing.T) {
	for _, writes := range []bool{false, true} {
		journal := &notes{}
		c := NewCalls(t.Context(), journal, time.Now)
		c.Arrive(1)
		run := c.Prepare(1, screen.Call{Name: "look", Writes: writes, Do: func(context.Context) screen.Msg { panic("\x1b[31mnil map") }})
		msg, ok := c.Take(run())
		if want := (screen.Broke{Name: "look", Text: "nil map"}); !ok || msg != screen.Msg(want) {
			t.Errorf("told %#v", msg)
		}
		if writes && !slices.Contains(journal.lines, "after look panicked") {
			t.Errorf("journal %q", journal.lines)
		}
	}
}

func TestDrainWaitsForWritesAndKeepsTheirAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCalls(t.Context(), nil, time.Now)
		c.Arrive(1)
		c.Prepare(1, screen.Call{Name: "create", Writes: true, Do: func(context.Context) screen.Msg { time.Sleep(time.Second); return "made" }})
		start := time.Now()
		if got := c.Drain(); len(got) != 1 || got[0] != "made" || time.Since(start) != time.Second {
			t.Errorf("drained %v after %v", got, time.Since(start))
		}
	})
}
