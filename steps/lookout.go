package steps

import (
	"context"
	"time"

	"rolecall/aws"
)

// lookFor is how long a look for something in AWS lasts before it has to be
// extended.
const lookFor = 30 * time.Minute

// longPause is how long to wait after something went wrong here.
const longPause = 10 * time.Second

// lookout is the wait for something to appear in the account: since when, until
// when, and when rolecall looks again.
type lookout struct {
	account *aws.Account
	since   time.Time
	until   time.Time
	next    time.Time
	expired bool   // the credentials ran out: they are loaded anew before the next look
	note    string // what is limited just now
}

// glance is how one look went; a step's message embeds it beside what was seen.
type glance struct {
	next time.Duration
	note string
	err  error
}

// begin starts the clock.
func (l *lookout) begin(s *Session) {
	*l = lookout{account: s.AWS, since: s.Now(), until: s.Now().Add(s.patience(lookFor))}
}

// patience is how long to wait: what was asked for, else the step's own.
func (s *Session) patience(own time.Duration) time.Duration {
	if s.Wait > 0 {
		return s.Wait
	}
	return own
}

// look makes the call that looks once. seen reads what the watch saw; it is
// called where the watch was asked, before the next look can begin.
func (l *lookout) look(name string, after time.Duration, fetch func(context.Context) (time.Duration, bool, error), seen func(glance) Msg) Call {
	account, renew := l.account, l.expired
	return Call{Name: name, After: after, Do: func(ctx context.Context) Msg {
		if renew {
			if err := account.Renew(ctx); err != nil {
				return seen(glance{next: longPause, err: err})
			}
		}
		next, _, err := fetch(ctx)
		return seen(glance{next: next, err: err})
	}}
}

// took notes how a look went.
func (l *lookout) took(s *Session, g glance) {
	l.note, l.expired, l.next = g.note, needsRenewal(g.err), s.Now().Add(g.next)
}

// needsRenewal reports whether the credentials ran out or can no longer be got.
func needsRenewal(err error) bool {
	switch aws.KindOf(err) {
	case aws.Expired, aws.NotSignedIn, aws.NeedsMFA:
		return true
	}
	return false
}

// pause is how long to wait until the next look.
func (l *lookout) pause(s *Session) time.Duration { return l.next.Sub(s.Now()) }

// over reports whether the time is up.
func (l *lookout) over(s *Session) bool { return !s.Now().Before(l.until) }

// extend gives the look another half hour.
func (l *lookout) extend(s *Session) { l.until = s.Now().Add(lookFor) }

// waiting says what is awaited, or that rolecall stopped looking.
func (l *lookout) waiting(s *Session, what string) Block {
	if l.over(s) {
		return Text{Tone: Warning, Body: "rolecall stopped looking. Press w to go on."}
	}
	return Waiting{For: what, Since: l.since, Until: l.until, Next: l.next}
}

// notes says what is limited just now.
func (l *lookout) notes() []Block {
	if l.note == "" {
		return nil
	}
	return []Block{Text{Tone: Warning, Body: l.note}}
}

// actions are enter, which waits, and what helps a look that got stuck.
func (l *lookout) actions(s *Session, awaited string, more ...Action) []Action {
	actions := append([]Action{{ID: "next", Label: "next", Default: true, Disabled: "waits for " + awaited}}, more...)
	if l.expired {
		actions = append(actions, Action{ID: "login", Key: "l", Label: "sign in again"})
	}
	if l.over(s) {
		actions = append(actions, Action{ID: "extend", Key: "w", Label: "go on looking"})
	}
	return actions
}

// retryFor is how long something that just happened may take until everybody
// sees it.
const retryFor = 2 * time.Minute
