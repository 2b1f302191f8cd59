// Package steps is the wizard as a state machine: one file per step, the
// session, and the flow of each vendor. A step says what is on the screen and
// what it wants done, as plain values; ui draws and does. So nothing here
// imports a terminal library, and a step is tested by calling it and comparing
// values. It stands between ui and {aws, policy}.
package steps

import (
	"context"
	"strings"
	"time"
)

// ID names a step for good: saved sessions and scripts use it.
type ID string

// Step is one numbered screen of the wizard.
type Step interface {
	// ID is stable across releases.
	ID() ID
	// Title is what the progress rail shows.
	Title() string
	// Status answers skipping, the rail and resuming at once.
	Status(Answers) Status
	// Enter is called at every arrival: forward, back or resumed.
	Enter(*Session) []Effect
	// Update takes what happened and never blocks.
	Update(*Session, Msg) (Move, []Effect)
	// Screen is pure: Update computes, Screen reads.
	Screen(*Session) Screen
}

// Asker is a step that has questions which no default answers. Asks lists the
// flags that would answer them, so that an unattended run can stop with the
// whole list before it has done anything.
type Asker interface {
	Asks(*Session) []Need
}

// Layered is a step with stages of its own. Back goes up through them before it
// leaves the step.
type Layered interface {
	// Deeper reports whether there is a stage to go up to.
	Deeper() bool
	// Up goes one stage up.
	Up(*Session) []Effect
}

// Need is a flag that an unattended run must be given.
type Need struct {
	Flag string // "--external-id"
	Why  string // one sentence: what it answers, and where to find the answer
}

// Status says where a step stands given the answers.
type Status int

// The three states of a step.
const (
	Todo Status = iota
	Done
	NotNeeded
)

// Move is what a step wants of the walk after an Update. It is returned, never
// sent as a message, so that no key can slip in between.
type Move string

// The moves without a target; Goto makes the one with a target.
const (
	Stay Move = ""
	Next Move = "next"
	Back Move = "back"
	Stop Move = "stop"
)

const gotoPrefix = "goto "

// Goto moves to the named step.
func Goto(id ID) Move { return Move(gotoPrefix + string(id)) }

// Target is the step that a Goto names; ok is false for every other move.
func (m Move) Target() (id ID, ok bool) {
	rest, ok := strings.CutPrefix(string(m), gotoPrefix)
	return ID(rest), ok
}

// Effect is work that a step asks for and ui carries out.
//
//sumtype:decl
type Effect interface{ effect() }

// Call runs Do off the update loop and hands its message back to the step.
type Call struct {
	Name   string        // a Call replaces its running namesake
	After  time.Duration // a delay is a value, so that tests compare it
	Jitter time.Duration // up to this much is added to After, at random
	// Writes says that Do changes something outside (creates, attaches, submits,
	// deletes). Such a call is journalled before and after, never cancelled, and
	// its reply is never dropped: leaving the step or the program waits for it.
	Writes bool
	Do     func(context.Context) Msg
}

// Copy puts text on the person's clipboard. ClearAfter, when set, takes it off
// again (secrets).
type Copy struct {
	Label      string
	Text       string
	ClearAfter time.Duration
}

// Open shows an https page in the browser; over SSH it shows the link itself.
type Open struct{ Label, URL string }

// Save writes Text to a new file called Name in the working directory.
type Save struct{ Label, Name, Text string }

// Show opens a document in the full-screen viewer.
type Show struct{ Document Code }

func (Call) effect() {}
func (Copy) effect() {}
func (Open) effect() {}
func (Save) effect() {}
func (Show) effect() {}

// Msg is something that happened: one of the types below from ui, or whatever
// a step's own Call returned.
type Msg any

// Messages that ui sends. They name the block that they come from.
type (
	// Changed tells the text of an Input after each edit.
	Changed struct{ ID, Text string }
	// Entered tells that enter was pressed in an Input.
	Entered struct{ ID, Text string }
	// Chose tells the Option picked in the Choices called Block, or, with an
	// empty Block, the Action that was pressed (and confirmed).
	Chose struct{ Block, ID string }
	// Ticked tells that a node of a Tree was switched.
	Ticked struct {
		ID string
		On bool
	}
	// Copied tells how a copy went. Sent is true when the terminal was asked
	// and cannot confirm; Err says why nothing was copied.
	Copied struct {
		Label string
		Sent  bool
		Err   error
	}
	// Opened tells how opening a page went. Shown is true when the link was
	// put on the screen because no browser can be reached from here.
	Opened struct {
		URL   string
		Shown bool
		Err   error
	}
	// Saved tells where a document was written.
	Saved struct {
		Label, Path string
		Err         error
	}
	// Broke tells that the Call called Name panicked.
	Broke struct{ Name, Text string }
)

// Secret is text that must never be shown, logged or saved. It prints masked
// and refuses to be marshalled; only string(secret) reveals it.
type Secret string

// String masks the secret for every fmt verb that asks for a string.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "••••••••"
}

// GoString masks the secret for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText refuses, so that no encoder can write a secret.
func (s Secret) MarshalText() ([]byte, error) { return nil, errSecret }
