package step

import (
	"context"
	"time"

	"rolecall/aws"
	"rolecall/steps/screen"
)

// LookFor is how long a look for something in AWS lasts before it has to be
// extended.
const LookFor = 30 * time.Minute

// LongPause is how long to wait after something went wrong here.
const LongPause = 10 * time.Second

// Poll is the wait for something to appear in the account: since when, until
// when, and when rolecall looks again.
type Poll struct {
	account *aws.Account
	Since   time.Time
	until   time.Time
	next    time.Time
	expired bool   // the credentials ran out: they are loaded anew before the next look
	note    string // what is limited just now
}

// Polled is how one look went; a step's message embeds it beside what was seen.
type Polled struct {
	next time.Duration
	Note string
	Err  error
}

// Begin starts the clock.
func (l *Poll) Begin(s *Session) {
	*l = Poll{account: s.AWS, Since: s.Now(), until: s.Now().Add(s.Patience(LookFor))}
}

// Patience is how long to wait: what was asked for, else the step's own.
func (s *Session) Patience(own time.Duration) time.Duration {
	if s.Wait > 0 {
		return s.Wait
	}
	return own
}

// Look makes the call that looks once. seen reads what the watch saw; it is
// called where the watch was asked, before the next look can begin.
func (l *Poll) Look(name string, after time.Duration, fetch func(context.Context) (time.Duration, bool, error), seen func(Polled) screen.Msg) screen.Call {
	account, renew := l.account, l.expired
	return screen.Call{Name: name, After: after, Do: func(ctx context.Context) screen.Msg {
		if renew {
			if err := account.Renew(ctx); err != nil {
				return seen(Polled{next: LongPause, Err: err})
			}
		}
		next, _, err := fetch(ctx)
		return seen(Polled{next: next, Err: err})
	}}
}

// Took notes how a look went.
func (l *Poll) Took(s *Session, g Polled) {
	l.note, l.expired, l.next = g.Note, needsRenewal(g.Err), s.Now().Add(g.next)
}

// needsRenewal reports whether the credentials ran out or can no longer be got.
func needsRenewal(err error) bool {
	switch aws.KindOf(err) {
	case aws.Expired, aws.NotSignedIn, aws.NeedsMFA:
		return true
	}
	return false
}

// Pause is how long to wait until the next look.
func (l *Poll) Pause(s *Session) time.Duration { return l.next.Sub(s.Now()) }

// Over reports whether the time is up.
func (l *Poll) Over(s *Session) bool { return !s.Now().Before(l.until) }

// Extend gives the look another half hour.
func (l *Poll) Extend(s *Session) { l.until = s.Now().Add(LookFor) }

// Waiting says what is awaited, or that rolecall stopped looking.
func (l *Poll) Waiting(s *Session, what string) screen.Block {
	if l.Over(s) {
		return screen.Text{Tone: screen.Warning, Body: "rolecall stopped looking. Press w to go on."}
	}
	return screen.Waiting{For: what, Since: l.Since, Until: l.until, Next: l.next}
}

// Notes says what is limited just now.
func (l *Poll) Notes() []screen.Block {
	if l.note == "" {
		return nil
	}
	return []screen.Block{screen.Text{Tone: screen.Warning, Body: l.note}}
}

// Actions are enter, which waits, and what helps a look that got stuck.
func (l *Poll) Actions(s *Session, awaited string, more ...screen.Action) []screen.Action {
	actions := append([]screen.Action{{ID: "next", Label: "next", Default: true, Disabled: "waits for " + awaited}}, more...)
	if l.expired {
		actions = append(actions, screen.Action{ID: "login", Key: "l", Label: "sign in again"})
	}
	if l.Over(s) {
		actions = append(actions, screen.Action{ID: "extend", Key: "w", Label: "go on looking"})
	}
	return actions
}

// RetryFor is how long something that just happened may take until everybody
// sees it.
const RetryFor = 2 * time.Minute
