// Package trial walks through a vendor's description with nobody there, against
// an AWS and a vendor inside the program, and says where a walk stops: what
// vendors check finds right is what a person gets through. It stands on rehearse.
package trial

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/rehearse"
)

// Outcome is how one walk went. Problem is nil where it led to the end, and what
// was made there was proven.
type Outcome struct {
	Walk
	Step    string // the step at which it stopped, by its heading
	Problem *screen.Problem
}

// clock is a clock that nobody has to wait for: it goes on by what is waited.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the clock's time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After has been waited for at once.
func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(0, d))
	done := make(chan time.Time, 1)
	done <- c.now
	return done
}

// Bounds of one walk: a walk of the largest built-in description takes 60 turns
// and two minutes by its own clock.
const (
	maxTurns = 600
	patience = 15 * time.Minute
)

// Run walks one way. It never panics: a step that does is a walk that stopped.
func Run(ctx context.Context, v *describe.Vendor, way Walk, now time.Time) (out Outcome) {
	out = Outcome{Walk: way, Step: "the beginning"}
	defer func() {
		if p := recover(); p != nil {
			out.Problem = &screen.Problem{What: "rolecall itself broke: " + screen.CleanLine(fmt.Sprint(p)) + ".", Expected: "a walk to the end",
				Next: "Report it, with the description.", Kind: screen.Failure}
		}
	}()
	t := newTrial(v, way, now)
	defer t.rehearsal.Close()
	t.take(t.walk.Start())
	for range maxTurns {
		if t.walk.Ended() {
			out.Problem = t.unproven(ctx)
			return out
		}
		view := t.walk.Screen()
		out.Step = view.Heading
		if out.Problem = t.turn(ctx, view); out.Problem != nil {
			return out
		}
	}
	out.Problem = stopped("The walk goes on without an end.", "an end after the last step")
	return out
}

func stopped(what, expected string) *screen.Problem {
	return &screen.Problem{
		What:     what,
		Expected: expected,
		Next:     "Correct the description; this shows the step: rolecall rehearse --vendor FILE.",
		Kind:     screen.NotAsNeeded,
	}
}

// trial is one walk under way.
type trial struct {
	walk      *steps.Walk
	rehearsal *rehearse.Rehearsal
	clock     *clock
	until     time.Time
	pending   []due
	visit     int
	pressed   []screen.Msg // in this visit: nothing is pressed twice
}

// due is a call and when it is to be carried out.
type due struct {
	at   time.Time
	call screen.Call
}

func newTrial(v *describe.Vendor, way Walk, now time.Time) *trial {
	c := &clock{now: now}
	a := &cli.App{Env: cli.Env{Now: c.Now, After: c.After}, Account: rehearse.Account}
	s := &step.Session{Vendor: v, Now: c.Now, Unattended: true, Until: now.Add(patience)}
	s.Offers = []step.Offer{{Vendor: v.Name, Method: way.Method, Access: way.Access}}
	s.LoadVendor = func(string) (*describe.Vendor, error) { return v, nil }
	s.Answers = record.Answers{
		ID:            "trial",
		Vendor:        v.Name,
		Method:        way.Method,
		Access:        way.Access,
		AccountID:     rehearse.Account,
		AccountPinned: true,
	}
	s.Partition = way.Partition
	if len(way.Products) > 0 {
		s.Bundles, _ = v.Bundles(way.Products) // the description has them: Walks read them from it
	}
	s.Parameters = map[string]string{}
	for i := range v.Roles {
		for name, p := range v.Roles[i].Parameters {
			s.Parameters[name] = p.Sample()
		}
	}
	maps.Copy(s.Parameters, way.Choices)
	s.SendTo = v.HandOver.URL
	s.KeepSecret = func(string, screen.Secret) error { return nil }
	rehearse.Answers(s, true)
	return &trial{walk: steps.NewWalk(s), rehearsal: rehearse.Start(a, s, true), clock: c, until: s.Until}
}

// take schedules what a turn wants done.
func (t *trial) take(turn steps.Turn) {
	t.schedule(turn.Effects)
	if turn.Arrived {
		t.pending = slices.DeleteFunc(t.pending, func(d due) bool { return !d.call.Writes })
		t.schedule(turn.Entry)
	}
	if t.visit != t.walk.Visit() {
		t.visit, t.pressed = t.walk.Visit(), nil
	}
}

func (t *trial) schedule(effects []screen.Effect) {
	for _, effect := range effects {
		call, ok := effect.(screen.Call)
		if !ok {
			continue // what is copied, opened or saved is for a person
		}
		t.pending = slices.DeleteFunc(t.pending, func(d due) bool { return d.call.Name == call.Name })
		t.pending = append(t.pending, due{t.clock.Now().Add(call.After), call})
	}
}

// turn does what comes next: a call that is due, what enter would do, or a call
// that waits. The problem says why nothing comes.
func (t *trial) turn(ctx context.Context, view screen.Screen) *screen.Problem {
	if p := problemOn(view); p != nil {
		return p
	}
	if err := ctx.Err(); err != nil {
		return &screen.Problem{What: "The time was up.", Expected: "an end of the walk", Next: "Check again.", Kind: screen.TimedOut}
	}
	if t.clock.Now().After(t.until) {
		return stopped("The step still waits after "+patience.String()+".", "a step that comes to an end")
	}
	next, ok := t.next()
	if ok && !next.at.After(t.clock.Now()) {
		t.call(ctx, next)
		return nil
	}
	if msg := view.Enter(); msg != nil && !slices.Contains(t.pressed, msg) {
		t.pressed = append(t.pressed, msg)
		t.take(t.walk.Tell(msg))
		return nil
	}
	if ok {
		t.call(ctx, next)
		return nil
	}
	return stopped("The step "+view.Heading+" asks for something that nothing in the description answers.", "a step that can be gone on from")
}

// next is the call that is due first.
func (t *trial) next() (due, bool) {
	if len(t.pending) == 0 {
		return due{}, false
	}
	return slices.MinFunc(t.pending, func(a, b due) int { return a.at.Compare(b.at) }), true
}

// call carries a call out, at its time.
func (t *trial) call(ctx context.Context, next due) {
	t.pending = slices.DeleteFunc(t.pending, func(d due) bool { return d.call.Name == next.call.Name })
	<-t.clock.After(next.at.Sub(t.clock.Now()))
	t.take(t.walk.Tell(next.call.Do(ctx)))
}

func problemOn(view screen.Screen) *screen.Problem {
	for _, block := range view.Blocks {
		if p, ok := block.(screen.Problem); ok && !p.Passing {
			return &p
		}
	}
	return nil
}

// unproven says what the walk claims at its end and AWS does not show: it asks
// the account itself, and believes no step.
func (t *trial) unproven(ctx context.Context) *screen.Problem {
	s := t.walk.Session
	if s.AWS == nil {
		return stopped("The walk ended without a sign-in to AWS.", "a step login")
	}
	needed := s.Request().Needed()
	if len(needed) == 0 {
		return stopped("The walk ended, and nothing was needed.", "a "+s.AccessOrRole()+" for what was chosen")
	}
	for _, role := range needed {
		if p := t.unprovenRole(ctx, role); p != nil {
			return p
		}
	}
	return nil
}

func (t *trial) unprovenRole(ctx context.Context, role *describe.Role) *screen.Problem {
	s, part := t.walk.Session, t.walk.Session.Part(role.Purpose)
	if role.Access == describe.AccessUser {
		report, err := s.AWS.VerifyUser(ctx, s.WantedUser(role.Purpose))
		switch {
		case err != nil || !report.OK:
			return stopped(
				"The walk ended, and the user "+role.UserName+" is not right: "+failures(err, report.Checks)+".",
				"a user with its policy",
			)
		case part.KeyID == "":
			return stopped("The walk ended, and the user "+role.UserName+" has no access key.", "a step that makes one")
		}
		return nil
	}
	report, err := s.AWS.Verify(ctx, s.WantedRole(role.Purpose))
	switch {
	case part.RoleARN == "":
		return stopped("The walk ended, and there is no role for "+role.Purpose+".", "a step that makes it")
	case err != nil || !report.OK:
		return stopped(
			"The walk ended, and the role "+part.RoleName+" is not right: "+failures(err, report.Checks)+".",
			"a role that verify finds right",
		)
	case s.Vendor.HandOver.URL != "" && part.Submitted.IsZero():
		return stopped("The walk ended, and the role "+part.RoleName+" was not sent.", "one request for each role")
	}
	return nil
}

// failures say in a few words what verify found wrong.
func failures(err error, checks []aws.Check) string {
	if err != nil {
		return screen.CleanLine(err.Error())
	}
	for _, c := range checks {
		if c.Status == aws.Fail || c.Status == aws.Unknown {
			return step.NameOfCheck(c.ID) + ": " + screen.CleanLine(c.Got)
		}
	}
	return "nothing was found"
}
