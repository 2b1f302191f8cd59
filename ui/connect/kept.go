package connect

import (
	"errors"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
)

// alsoNext adds a way out to what a refusal says.
func alsoNext(err error, text string) error {
	var fault *screen.Fault
	if text == "" || !errors.As(err, &fault) {
		return err
	}
	p := fault.Problem
	p.Next += " " + text
	return &screen.Fault{Err: err, Problem: p}
}

// door is where one command writes down what it changes, and its hold on the
// session, where that is still there.
type door struct {
	journal *record.Journal
	open    *record.OpenSession // nil: only the receipt is left, or nothing
	answers record.Answers      // of open
	release func()
}

// openDoor opens the journal of a session: its own, which takes the session's
// lock, so that no wizard makes things meanwhile; the one beside the receipt of
// a session that was removed; or, for an empty ID, the one of neither.
func openDoor(a *cli.App, store *record.Store, id string, rehearsal bool, command string) (d door, err error) {
	switch {
	case id == "":
		d.journal, d.release, err = store.OpenLooseJournal(command, a.Whoami(), a.Env.Now)
	case store.HasSession(id):
		d.open, d.answers, err = store.Open(id, rehearsal, a.Env.Now())
		if err == nil {
			d.open.Begin(command, a.Whoami(), a.Env.Now)
			d.journal, d.release = d.open.Journal, func() { _ = d.open.Release() } // the lock ends with the program anyway
		}
	default:
		d.journal, d.release, err = store.OpenReceiptJournal(id, command, a.Whoami(), a.Env.Now)
	}
	return d, err
}
