package steps

import (
	"fmt"
	"time"

	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// parting is the question before one leaves with an access key that rolecall
// made and nobody has: its secret is in memory alone, and the key stays active.
type parting struct {
	purpose string
	then    *screen.Chose // the way that was chosen; nil: one leaves
	busy    bool          // the key is being deleted
	since   time.Time
	problem *screen.Problem
}

const (
	partDelete = "part-delete"
	partKeep   = "part-keep"
	partStay   = "part-stay"
)

// Leave asks whether one may leave now. Where a key would be left behind that
// nobody has, it puts the question on the screen and asks is true; whoever leaves
// again does so.
func (w *Walk) Leave() (turn Turn, asks bool) {
	purpose, loose := w.Session.LooseKey()
	if !loose || w.parted || w.parting != nil {
		return Turn{}, false
	}
	w.parting = &parting{purpose: purpose}
	return w.asks(), true
}

// asks puts the question on the screen.
func (w *Walk) asks() Turn {
	w.visit++
	return Turn{Arrived: true}
}

// stay takes the question back: the step at hand is entered anew.
func (w *Walk) stay() Turn {
	w.parting = nil
	return w.arrive(w.at)
}

// parts takes the answer to the question.
func (w *Walk) parts(msg screen.Msg) Turn {
	p := w.parting
	switch msg := msg.(type) {
	case screen.Chose:
		switch msg.ID {
		case partDelete:
			p.busy, p.problem, p.since = true, nil, w.Session.Now()
			return Turn{Effects: []screen.Effect{w.Session.DeleteKey(p.purpose)}}
		case partKeep:
			return w.goOn(p.then)
		case partStay:
			return w.stay()
		}
	case step.KeyDeleted:
		p.busy = false
		if p.problem = step.ProblemOf(msg.Err); p.problem != nil {
			return Turn{}
		}
		w.Session.DropKey(p.purpose)
		return w.goOn(p.then)
	case screen.Broke:
		p.busy, p.problem = false, screen.BrokenProblem(msg)
	}
	return Turn{}
}

// goOn leaves, or takes the way that was chosen before the question.
func (w *Walk) goOn(then *screen.Chose) Turn {
	w.parting, w.parted = nil, true
	if then == nil {
		return Turn{Left: true}
	}
	return w.Tell(*then)
}

// screen is the question.
func (p *parting) screen(s *step.Session) screen.Screen {
	part := s.Part(p.purpose)
	if p.busy {
		deleting := screen.Task{Name: "Deleting access key " + part.KeyID, State: screen.Running, Since: p.since}
		return screen.Screen{Heading: "Before you leave", Blocks: []screen.Block{screen.Tasks{deleting}}}
	}
	leave, stay := "leave, the key stays", "stay"
	if p.then != nil {
		leave, stay = "go on, the key stays", "back"
	}
	blocks := []screen.Block{
		screen.Text{Tone: screen.Warning, Body: fmt.Sprintf("rolecall made access key %s of %s, and %s does not have it yet.",
			part.KeyID, part.UserName, s.Vendor.Title)},
		screen.Text{Body: "Its secret is in memory alone and is lost when you go on. The key stays active in the account, and nobody uses it."},
	}
	return screen.Screen{Heading: "Before you leave", Blocks: screen.ProblemFirst(blocks, p.problem), Actions: []screen.Action{
		{ID: partStay, Label: stay, Default: true},
		{ID: partDelete, Key: "d", Label: "delete the key", Writes: true},
		{ID: partKeep, Key: "l", Label: leave},
	}}
}

// detour goes the way that was chosen, where it is one of the flow's. Where a key
// would be left behind, it asks first.
func (w *Walk) detour(chosen screen.Chose) (move step.Move, ok bool) {
	for _, way := range w.detours {
		if !way.Leads(w.Session, chosen) {
			continue
		}
		if purpose, loose := w.Session.LooseKey(); loose && !w.parted {
			w.parting = &parting{purpose: purpose, then: &chosen}
			return step.Stay, true
		}
		return way.Take(w.Session), true
	}
	return step.Stay, false
}
