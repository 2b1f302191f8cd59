package screen

import (
	"context"
	"time"
)

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
