package sessions

import (
	"errors"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
)

// AlsoNext adds a way out to what a refusal says.
func AlsoNext(err error, text string) error {
	var fault *screen.Fault
	if text == "" || !errors.As(err, &fault) {
		return err
	}
	p := fault.Problem
	p.Next += " " + text
	return &screen.Fault{Err: err, Problem: p}
}

// Door is where one command writes down what it changes, and its hold on the
// session, where that is still there.
type Door struct {
	Journal *record.Journal
	Open    *record.OpenSession // nil: only the receipt is left, or nothing
	Answers record.Answers      // of Open
	Release func()
}

// OpenDoor opens the journal of a session: its own, which takes the session's
// lock, so that no wizard makes things meanwhile; the one beside the receipt of
// a session that was removed; or, for an empty ID, the one of neither.
func OpenDoor(a *cli.App, store *record.Store, id string, rehearsal bool, command string) (d Door, err error) {
	switch {
	case id == "":
		d.Journal, d.Release, err = store.OpenLooseJournal(command, a.Whoami(), a.Env.Now)
	case store.HasSession(id):
		d.Open, d.Answers, err = store.Open(id, rehearsal, a.Env.Now())
		if err == nil {
			d.Open.Begin(command, a.Whoami(), a.Env.Now)
			d.Journal, d.Release = d.Open.Journal, func() { _ = d.Open.Release() } // the lock ends with the program anyway
		}
	default:
		d.Journal, d.Release, err = store.OpenReceiptJournal(id, command, a.Whoami(), a.Env.Now)
	}
	return d, err
}
