package step

import (
	"context"
	"strings"
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
	told    string // what was said of the last look
	account *aws.Account
	Since   time.Time
	until   time.Time
	next    time.Time
	expired bool   // the credentials ran out: they are loaded anew before the next look
	note    string // what is limited just now
}

// Polled is how one look went; a step's message embeds it beside what was seen.
type Polled struct {
	next   time.Duration // until the next look
	before string        // what was said of the look before
	Note   string        // what is limited just now
	Words  string        // what was seen, in a sentence; empty for nothing
	Err    error         // of the look, or of loading the credentials anew
}

// words say how the look went.
func (p Polled) words() string {
	if p.Err != nil {
		return InputProblem(p.Err)
	}
	return p.Words
}

// News says what a look shows that the one before did not; empty when it is the
// same, and can be told to somebody in the middle of something.
func (p Polled) News() string {
	switch now := p.words(); now {
	case p.before:
		return ""
	case "":
		return "What was found is gone."
	default:
		return now
	}
}

// Begin starts the clock.
func (p *Poll) Begin(s *Session) {
	*p = Poll{account: s.AWS, Since: s.Now(), until: s.Now().Add(s.Patience(LookFor))}
}

// Patience is how long to wait: what is left of the time that was asked for,
// else the step's own.
func (s *Session) Patience(own time.Duration) time.Duration {
	if !s.Until.IsZero() {
		return max(0, s.Until.Sub(s.Now()))
	}
	if s.Wait > 0 {
		return s.Wait
	}
	return own
}

// Look makes the call that looks once. seen makes the step's message of what the
// watch saw; it runs in the call, before the next look can begin.
func (p *Poll) Look(
	name string,
	after time.Duration,
	fetch func(context.Context) (time.Duration, bool, error),
	seen func(Polled) screen.Msg,
) screen.Call {
	account, renew, before := p.account, p.expired, p.told
	return screen.Call{Name: name, After: after, Do: func(ctx context.Context) screen.Msg {
		if renew {
			if err := account.Renew(ctx); err != nil {
				return seen(Polled{next: LongPause, before: before, Err: err})
			}
		}
		next, _, err := fetch(ctx)
		return seen(Polled{next: next, before: before, Err: err})
	}}
}

// Took notes how a look went.
func (p *Poll) Took(s *Session, polled Polled) {
	p.told, p.note, p.expired, p.next = polled.words(), polled.Note, needsRenewal(polled.Err), s.Now().Add(polled.next)
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
func (p *Poll) Pause(s *Session) time.Duration { return p.next.Sub(s.Now()) }

// Over reports whether the time is up.
func (p *Poll) Over(s *Session) bool { return !s.Now().Before(p.until) }

// Extend gives the look another half hour.
func (p *Poll) Extend(s *Session) { p.until = s.Now().Add(LookFor) }

// Waiting says what is awaited, or that rolecall stopped looking.
func (p *Poll) Waiting(s *Session, what string) screen.Block {
	if p.Over(s) && !s.Unattended {
		return screen.Text{Tone: screen.Warning, Body: "rolecall stopped looking."}
	}
	return screen.Waiting{For: what, Since: p.Since, Until: p.until, Next: p.next}
}

// Notes says what is limited just now.
func (p *Poll) Notes() []screen.Block {
	if p.note == "" {
		return nil
	}
	return []screen.Block{screen.Text{Tone: screen.Warning, Body: p.note}}
}

// Actions are enter, which waits, and what helps a look that got stuck.
func (p *Poll) Actions(s *Session, awaited string, more ...screen.Action) []screen.Action {
	actions := append([]screen.Action{{ID: "next", Label: "next", Default: true, Disabled: "waits for " + awaited}}, more...)
	if p.expired {
		actions = append(actions, screen.Action{ID: "login", Key: "l", Label: "sign in again"})
	}
	if p.Over(s) {
		actions = append(actions, screen.Action{ID: "extend", Key: "w", Label: "go on looking"})
	}
	return actions
}

// Rehearsed are the actions of a rehearsal, in which enter stands in for the
// browser; the other keys are those of the real thing.
func (p *Poll) Rehearsed(s *Session, more ...screen.Action) []screen.Action {
	return append([]screen.Action{Act()}, p.Actions(s, "", more...)[1:]...)
}

// Act does in a rehearsal what a person would do in the browser.
func Act() screen.Action {
	return screen.Action{ID: "act", Label: "do it in the rehearsal account", Default: true}
}

// Acted says what Act made; nil where it made nothing.
func Acted(made ...string) []screen.Block {
	if len(made) == 0 {
		return nil
	}
	return []screen.Block{screen.Text{Tone: screen.Good, Body: "Created " + strings.Join(made, " and ") + " in the rehearsal account."}}
}

// RetryFor is how long something that just happened may take until everybody
// sees it.
const RetryFor = 2 * time.Minute
