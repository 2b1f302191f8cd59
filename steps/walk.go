package steps

import (
	"cmp"
	"reflect"
	"slices"

	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Walk is one walk through a vendor's steps. It is a pure machine: it moves,
// counts visits and returns effects; whoever holds it (the full-screen wizard,
// the plain front, the unattended run) carries them out.
type Walk struct {
	Session *step.Session
	plan    func(*step.Session) []step.Step
	known   map[record.StepID]step.Step // steps keep their own state across visits
	flow    []step.Step
	detours []step.Detour
	at      int
	came    []record.StepID // the steps that lead here, the last one behind: where back goes
	visit   int
	ended   bool
	parting *parting // the question before one leaves; nil: it is not asked
	parted  bool     // it was answered
}

// Turn is what has to be done after the walk was told something. Effects
// belong to the step that was told; Entry to the step arrived at.
type Turn struct {
	Effects []screen.Effect
	Arrived bool // another visit began: reading calls of the old one end
	Entry   []screen.Effect
	Ended   bool // the last step is behind, or a step stopped the walk
	Left    bool // the person leaves, having been asked (Leave)
}

// RailItem is a step's place on the progress rail.
type RailItem struct {
	Number int // from 1, steps that are not needed left out
	Title  string
	Status step.Status
	Here   bool
}

// NewWalk makes a walk through the steps of the chosen vendor and method that has
// not begun.
func NewWalk(s *step.Session) *Walk { return NewWalkOf(s, Flow) }

// NewWalkOf makes a walk through steps that are planned otherwise. plan is called
// again after every answer.
func NewWalkOf(s *step.Session, plan func(*step.Session) []step.Step) *Walk {
	w := &Walk{Session: s, plan: plan, known: map[record.StepID]step.Step{}}
	w.replan()
	return w
}

// replan builds the flow anew from the answers and keeps the steps known.
func (w *Walk) replan() {
	w.flow = w.flow[:0:0]
	for _, step := range w.plan(w.Session) {
		if old, ok := w.known[step.ID()]; ok && reflect.TypeOf(old) == reflect.TypeOf(step) {
			takeWords(old, step)
			step = old
		}
		w.known[step.ID()] = step
		w.flow = append(w.flow, step)
	}
	w.detours = Detours(w.Session)
}

// takeWords gives a step that is kept the description that a new one came with:
// another vendor's, or another method's, has other words.
func takeWords(kept, fresh step.Step) {
	type worded interface {
		Description() describe.Step
		Redescribe(describe.Step)
	}
	if to, ok := kept.(worded); ok {
		if from, ok := fresh.(worded); ok {
			to.Redescribe(from.Description())
		}
	}
}

// Start goes to the first step that is not done.
func (w *Walk) Start() Turn {
	for i, one := range w.flow {
		if one.Status(w.Session.Answers) == step.Todo {
			return w.arrive(i)
		}
	}
	return w.arrive(len(w.flow) - 1)
}

// StartAt goes to the named step, or to the first not done if it is unknown.
func (w *Walk) StartAt(id record.StepID) Turn {
	if i, ok := w.index(id); ok {
		return w.arrive(i)
	}
	return w.Start()
}

// Tell hands a message to the current step and follows its move.
func (w *Walk) Tell(msg screen.Msg) Turn {
	if byPerson(msg) {
		w.Session.Resuming = false
	}
	if w.parting != nil {
		return w.parts(msg)
	}
	here := w.Step().ID()
	move, effects := w.update(msg)
	if w.parting != nil {
		return w.asks()
	}
	w.replan()
	if i, ok := w.index(here); ok {
		w.at = i
	}
	turn := w.follow(here, move)
	turn.Effects = effects
	return turn
}

// update tells the current step, unless a detour was chosen.
func (w *Walk) update(msg screen.Msg) (step.Move, []screen.Effect) {
	if guiding, ok := w.Step().(step.Guiding); ok {
		guiding.MarkDone(w.Session, msg)
	}
	if _, ticked := msg.(screen.Followed); ticked {
		return step.Stay, nil
	}
	if chosen, ok := msg.(screen.Chose); ok {
		if move, ok := w.detour(chosen); ok {
			return move, nil
		}
	}
	return w.Step().Update(w.Session, msg)
}

// Back goes up a stage within the step, else to the step before; on the first
// one it stays.
func (w *Walk) Back() Turn {
	w.Session.Resuming = false
	if w.parting != nil {
		return w.stay()
	}
	if step, ok := w.Step().(step.Layered); ok && step.Deeper() {
		w.visit++
		return Turn{Arrived: true, Entry: step.Up(w.Session)}
	}
	return w.follow(w.Step().ID(), step.Back)
}

func byPerson(msg screen.Msg) bool {
	switch msg.(type) {
	case screen.Changed, screen.Entered, screen.Chose, screen.Ticked, screen.Followed:
		return true
	}
	return false
}

// follow makes the move of the step that one is at. A detour may have changed the
// flow, so that it has no such step any more.
func (w *Walk) follow(from record.StepID, move step.Move) Turn {
	if id, ok := move.Target(); ok {
		if i, ok := w.index(id); ok {
			w.came = append(w.came, from)
			return w.arrive(i)
		}
		return Turn{}
	}
	switch move {
	case step.Next:
		return w.forward(from)
	case step.Back:
		return w.back()
	case step.Stop:
		w.ended = true
		return Turn{Ended: true}
	}
	return Turn{}
}

// forward goes to the next step that is needed. Whoever resumes passes those that
// are done, and not the last one, which says how it ended.
func (w *Walk) forward(from record.StepID) Turn {
	last := -1
	for i := w.at + 1; i < len(w.flow); i++ {
		status := w.flow[i].Status(w.Session.Answers)
		if status == step.NotNeeded {
			continue
		}
		if last = i; !w.Session.Resuming || status != step.Done {
			break
		}
	}
	if last < 0 {
		w.ended = true
		return Turn{Ended: true}
	}
	w.came = append(w.came, from)
	if again := slices.Index(w.came, w.flow[last].ID()); again >= 0 {
		w.came = w.came[:again] // a round ends here: back does not go through it again
	}
	return w.arrive(last)
}

// back goes to where one came from, else to the step before.
func (w *Walk) back() Turn {
	i, ok := w.before()
	if !ok {
		return Turn{}
	}
	for last := len(w.came) - 1; last >= 0; last-- {
		if w.came[last] == w.flow[i].ID() {
			w.came = w.came[:last]
			break
		}
	}
	return w.arrive(i)
}

// open reports whether a step that is needed is open between here and a later one:
// back does not lead past it.
func (w *Walk) open(to int) bool {
	for i := w.at; i < to; i++ {
		if w.flow[i].Status(w.Session.Answers) == step.Todo {
			return true
		}
	}
	return false
}

// before is the step that back goes to; ok is false where there is none.
func (w *Walk) before() (at int, ok bool) {
	for _, id := range slices.Backward(w.came) {
		i, known := w.index(id)
		if known && i != w.at && w.flow[i].Status(w.Session.Answers) != step.NotNeeded && !w.open(i) {
			return i, true
		}
	}
	for i := w.at - 1; i >= 0; i-- {
		if w.flow[i].Status(w.Session.Answers) != step.NotNeeded {
			return i, true
		}
	}
	return 0, false
}

func (w *Walk) arrive(i int) Turn {
	w.at = i
	w.visit++
	return Turn{Arrived: true, Entry: w.flow[i].Enter(w.Session)}
}

func (w *Walk) index(id record.StepID) (int, bool) {
	for i, step := range w.flow {
		if step.ID() == id {
			return i, true
		}
	}
	return 0, false
}

// Step is the current step.
func (w *Walk) Step() step.Step { return w.flow[w.at] }

// Steps are all steps of the flow, those not needed included.
func (w *Walk) Steps() []step.Step { return w.flow }

// Screen is the current step's screen, with the detours that can be taken there.
func (w *Walk) Screen() screen.Screen {
	if w.parting != nil {
		return w.parting.screen(w.Session)
	}
	view := w.Step().Screen(w.Session)
	view.About = cmp.Or(view.About, aboutStep(w.Session, w.Step().ID()))
	view.Place = placeOf(w.Session.Vendor, view.Place)
	for _, detour := range w.detours {
		view = detour.Show(w.Session, view)
	}
	return view
}

// placeOf is the vendor's own number of a step. Where the description is a file,
// it names that too: a file may call itself whatever it likes.
func placeOf(v *describe.Vendor, place string) string {
	if v == nil || v.File == "" {
		return place
	}
	file := "file " + v.File
	if place == "" {
		return file
	}
	return place + " · " + file
}

// Visit numbers the arrivals, so that a late reply can be told from a fresh one.
func (w *Walk) Visit() int { return w.visit }

// Ended reports whether the walk is over.
func (w *Walk) Ended() bool { return w.ended }

// CanGoBack reports whether there is a stage or a step before this one.
func (w *Walk) CanGoBack() bool {
	if w.parting != nil {
		return !w.parting.busy
	}
	if step, ok := w.Step().(step.Layered); ok && step.Deeper() {
		return true
	}
	_, ok := w.before()
	return ok
}

// Complete reports whether nothing is left to do: the last step is here, and
// done.
func (w *Walk) Complete() bool {
	for _, one := range w.flow[w.at+1:] {
		if one.Status(w.Session.Answers) != step.NotNeeded {
			return false
		}
	}
	return w.Step().Status(w.Session.Answers) == step.Done
}

// Rail lists the steps that are needed, with their places.
func (w *Walk) Rail() []RailItem {
	var rail []RailItem
	for i, one := range w.flow {
		status := one.Status(w.Session.Answers)
		if status == step.NotNeeded {
			continue
		}
		rail = append(rail, RailItem{Number: len(rail) + 1, Title: one.Title(), Status: status, Here: i == w.at})
	}
	return rail
}
