// Package lines holds the two fronts that write line by line: the plain one for
// a person, and the unattended one for nobody. It stands on calls.
package lines

import (
	"context"
	"time"

	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/calls"
	"rolecall/ui/cli"
)

// driver walks through the steps without a full-screen program: the plain and
// the unattended front hand it messages, it carries out what steps ask for.
// Everything but the calls themselves runs in the front's own goroutine.
type driver struct {
	walk    *steps.Walk
	calls   *calls.Calls
	replies chan calls.Reply
	done    chan struct{}
	save    func(record.Answers) error
	effect  func(screen.Effect) // Copy, Open, Save and Show; what became of them comes back by tell
	failed  error               // the last failure to save
	left    bool                // the person leaves, having been asked
}

func newDriver(ctx context.Context, r *Run, effect func(screen.Effect)) *driver {
	sending := calls.NewCalls(ctx, r.Open, r.Walk.Session.Now)
	sending.After = r.App.Env.Alarm
	return &driver{
		walk: r.Walk, calls: sending, replies: make(chan calls.Reply), done: make(chan struct{}),
		save: r.Open.Save, effect: effect,
	}
}

// start arrives at the first step that is not done.
func (d *driver) start() { d.follow(0, d.walk.Start()) }

// tell hands a message to the current step, follows its move and saves.
func (d *driver) tell(msg screen.Msg) {
	visit := d.walk.Visit()
	d.follow(visit, d.walk.Tell(msg))
}

// back goes to the step before.
func (d *driver) back() {
	visit := d.walk.Visit()
	d.follow(visit, d.walk.Back())
}

// take hands a reply to the step that waits for it. It reports whether there
// was one.
func (d *driver) take(r calls.Reply) bool {
	msg, ok := d.calls.Take(r)
	if ok {
		d.tell(msg)
	}
	return ok
}

// leave asks before one leaves. It reports whether there is a question.
func (d *driver) leave() (asks bool) {
	visit := d.walk.Visit()
	turn, asks := d.walk.Leave()
	if asks {
		d.follow(visit, turn)
	}
	return asks
}

func (d *driver) follow(visit int, turn steps.Turn) {
	d.left = turn.Left
	d.carryOut(visit, turn.Effects)
	if turn.Arrived {
		d.calls.Arrive(d.walk.Visit())
		d.carryOut(d.walk.Visit(), turn.Entry)
	}
	d.failed = d.save(d.walk.Session.Answers)
}

func (d *driver) carryOut(visit int, effects []screen.Effect) {
	for _, effect := range effects {
		call, ok := effect.(screen.Call)
		if !ok {
			d.effect(effect)
			continue
		}
		run := d.calls.Prepare(visit, call)
		go func() {
			reply := run()
			select {
			case d.replies <- reply:
			case <-d.done:
			}
		}()
	}
}

// awaitWrites waits for the writing calls under way and hands their replies to the
// step, so that what they made is saved.
func (d *driver) awaitWrites(say func(calls.Sending)) {
	for {
		writing, ok := d.calls.Writing()
		if !ok {
			return
		}
		say(writing)
		d.take(<-d.replies)
	}
}

// close ends the reading calls.
func (d *driver) close() {
	d.calls.Close()
	close(d.done)
}

// Run is one walk with the session that it is saved to.
type Run struct {
	App   *cli.App
	Walk  *steps.Walk
	Open  *record.OpenSession
	Store *record.Store
	Wait  time.Duration // of an unattended run
	Fresh bool          // the session was made by this run
}
