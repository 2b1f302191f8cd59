package create

import (
	"context"
	"slices"
	"time"

	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/undo"
)

// Direct is the step in which rolecall makes policy and role itself. It
// looks at what exists, shows what it would make, makes that after the person
// agreed, and looks again.
type Direct struct {
	creating
	stage    directStage
	since    time.Time      // of the removal
	removals []undo.Removal // what a removal did
	said     string         // why it stopped without a problem
}

type directStage int

const (
	directID  directStage = iota
	directRun             // as far as the run is
	directNaming
	directRemoving
)

type directRemoved struct {
	removals []undo.Removal
	err      error
}

// NewDirect makes the step of a description.
func NewDirect(d step.Described) *Direct {
	return &Direct{creating: creating{Described: d, run: making.Run{Asks: true}}}
}

// Enter makes the external IDs known, then looks at the account.
func (d *Direct) Enter(s *step.Session) []screen.Effect {
	*d = *NewDirect(d.Described)
	if s.AWS == nil {
		d.stage = directRun
		d.run.Stop(signedOut("credentials that may create IAM policies and roles", "Sign in, or go back and choose the manual method."))
		return nil
	}
	d.needIDs(s)
	known, effects := d.nextID(s)
	if known {
		return d.begin(s)
	}
	return effects
}

// begin looks at what exists.
func (d *Direct) begin(s *step.Session) []screen.Effect {
	d.stage, d.said = directRun, ""
	return d.look(s)
}

// Update follows what AWS shows and what the person wants.
func (d *Direct) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	if d.stage == directID {
		known, effects := d.tellID(s, msg)
		if known {
			effects = append(effects, d.begin(s)...)
		}
		return step.Stay, effects
	}
	switch msg := msg.(type) {
	case directRemoved:
		d.removed(s, msg)
	case screen.Chose:
		return d.chose(s, msg)
	case screen.Changed:
		d.names.typed(msg.ID, msg.Text)
	case screen.Entered:
		d.names.typed(msg.ID, msg.Text)
		return step.Stay, d.rename(s)
	default:
		if _, broke := msg.(screen.Broke); broke {
			d.stage = directRun
		}
		right, effects := d.advance(s, msg)
		if right {
			return d.take(s)
		}
		return step.Stay, effects
	}
	return step.Stay, nil
}

func (d *Direct) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	if msg.Block == choiceDifference {
		return d.answeredDifference(s, msg.ID)
	}
	switch msg.ID {
	case "create":
		return step.Stay, d.run.Agree(s.Host())
	case "rename":
		d.beginNaming(s)
	case "use":
		return step.Stay, d.rename(s)
	case "again":
		return step.Stay, d.again(s, d.begin)
	case "anyway":
		d.run.Anyway()
	case "login":
		return step.Goto(record.StepLogin), nil
	case "remove":
		return step.Stay, d.remove(s)
	case "next":
		return step.Next, nil
	}
	return step.Stay, nil
}

// answeredDifference takes one of the three ways out of the first difference.
func (d *Direct) answeredDifference(s *step.Session, id string) (step.Move, []screen.Effect) {
	if d.run.Stage != making.Differs || d.stage != directRun {
		return step.Stay, nil
	}
	first := d.run.Plan.Differences[0]
	switch {
	case id == optionRename:
		d.beginNaming(s)
		d.names.ask(d.run.Plan.Differences)
	case id == optionUpdate && first.Fixed == "":
		return step.Stay, d.run.Accept(s.Host(), first)
	case id == optionStop:
		d.run.Stop(nil)
		d.said = "Stopped. Nothing was changed."
	}
	return step.Stay, nil
}

func (d *Direct) beginNaming(s *step.Session) {
	d.stage, d.run.Problem = directNaming, nil
	d.names.begin(s)
}

// Deeper reports whether other names are being typed.
func (d *Direct) Deeper() bool { return d.stage == directNaming }

// Up leaves the names as they were.
func (d *Direct) Up(s *step.Session) []screen.Effect { return d.begin(s) }

// rename takes the names when all of them are such, and looks anew.
func (d *Direct) rename(s *step.Session) []screen.Effect {
	if d.stage != directNaming || !d.names.right() {
		return nil
	}
	d.names.take(s)
	d.forget(s)
	return d.begin(s)
}

// forget drops what was found and made under the names of before.
func (d *Direct) forget(s *step.Session) {
	d.run.Forget()
	for _, g := range d.grants {
		s.SetPart(g.Purpose, func(p *record.Part) { p.Policies, p.RoleARN, p.RoleID = nil, "", "" })
	}
}

// remove takes away exactly what this session made, each thing looked at once
// more before.
func (d *Direct) remove(s *step.Session) []screen.Effect {
	d.stage, d.since = directRemoving, s.Now()
	remover := &undo.Remover{Account: s.AWS, Ledger: s.OpenLedger(), Journal: s.Journal, Resumes: true, Now: s.Now, By: s.Caller()}
	head := s.ReceiptHead()
	return []screen.Effect{screen.Call{Name: "remove what was made", Writes: true, Do: func(ctx context.Context) screen.Msg {
		receipt, err := remover.Ledger.Receipt()
		if err != nil {
			return directRemoved{err: err}
		}
		if remover.Others, err = remover.Ledger.Others(); err != nil {
			return directRemoved{err: err}
		}
		head.Items, head.Created = receipt.Items, receipt.Created
		remover.Receipt = head
		removals, err := remover.All(ctx)
		return directRemoved{removals, err}
	}}}
}

func (d *Direct) removed(s *step.Session, msg directRemoved) {
	d.stage, d.removals = directRun, msg.removals
	d.forget(s)
	if msg.err != nil {
		d.run.Stage, d.run.Problem = making.Failed, step.ProblemOf(msg.err)
		return
	}
	d.run.Stop(nil)
	d.said = "What this session made is removed."
	if slices.ContainsFunc(msg.removals, func(r undo.Removal) bool { return r.Verdict == undo.Stays }) {
		d.said = "Not all of it was removed: see why above."
	}
}

// Outcome says how it went; each request has lines of its own.
func (m directRemoved) Outcome() screen.Outcome { return step.OutcomeOf(m.err, screen.ResultDone) }
