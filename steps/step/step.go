// Package step is the contract between a step, the walk that moves through
// steps, and the session that they share. It stands on record, under the
// packages that hold the steps themselves.
package step

import (
	"strings"

	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Step is one numbered screen of the wizard.
type Step interface {
	// ID is stable across releases.
	ID() record.StepID
	// Title is what the progress rail shows.
	Title() string
	// Status answers skipping, the rail and resuming at once.
	Status(record.Answers) Status
	// Enter is called at every arrival: forward, back or resumed.
	Enter(*Session) []screen.Effect
	// Update takes what happened and never blocks.
	Update(*Session, screen.Msg) (Move, []screen.Effect)
	// Screen is pure: Update computes, Screen reads.
	Screen(*Session) screen.Screen
}

// Asker is a step that has questions which no default answers. Asks lists the
// flags that would answer them, so that an unattended run can stop with the
// whole list before it has done anything.
type Asker interface {
	Asks(*Session) []Need
}

// Guiding is a step with instructions. The walk tells it what the person did
// before it tells the step.
type Guiding interface {
	MarkDone(*Session, screen.Msg)
}

// Layered is a step with stages of its own. Back goes up through them before it
// leaves the step.
type Layered interface {
	// Deeper reports whether there is a stage to go up to.
	Deeper() bool
	// Up goes one stage up.
	Up(*Session) []screen.Effect
}

// Detour is another way that a flow offers on each of its screens, beside what
// the step at hand is about.
type Detour interface {
	// Show adds the way to a step's screen, where it can be taken from there.
	Show(*Session, screen.Screen) screen.Screen
	// Leads reports whether the choice is for this way; else the step gets it.
	Leads(s *Session, chosen screen.Chose) bool
	// Take goes it.
	Take(*Session) Move
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
func Goto(id record.StepID) Move { return Move(gotoPrefix + string(id)) }

// Target is the step that a Goto names; ok is false for every other move.
func (m Move) Target() (id record.StepID, ok bool) {
	rest, ok := strings.CutPrefix(string(m), gotoPrefix)
	return record.StepID(rest), ok
}
