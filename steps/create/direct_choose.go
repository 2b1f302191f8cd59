package create

import (
	"context"
	"maps"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/undo"
)

// The answers to a difference, and the fields of names.
const (
	choiceDifference = "difference"
	optionRename     = "another-name"
	optionUpdate     = "update"
	optionStop       = "stop"
	fieldPolicyName  = "policy-name "
	fieldRoleName    = "role-name "
)

func (d *Direct) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	if msg.Block == choiceDifference && d.stage == directDiffers {
		return d.answeredDifference(s, msg.ID)
	}
	switch msg.ID {
	case "create":
		return step.Stay, d.make(s)
	case "rename":
		d.beginNaming(s)
	case "use":
		return d.rename(s)
	case "look":
		d.done = nil
		return step.Stay, d.look(s)
	case "again":
		return step.Stay, d.again(s)
	case "anyway":
		d.stage, d.problem = directReady, nil
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
	first := d.plan.differences[0]
	switch {
	case id == optionRename:
		d.beginNaming(s)
	case id == optionUpdate && first.fixed == "":
		d.update[first.key] = true
		return d.looked(s, directLooked{seen: d.seen})
	case id == optionStop:
		d.stage, d.said = directStopped, "Stopped. Nothing was changed."
	}
	return step.Stay, nil
}

// again goes on after a failure. Credentials that ran out are read anew.
func (d *Direct) again(s *step.Session) []screen.Effect {
	renew := d.problem != nil && d.problem.Kind == screen.AWSRefused
	effects := d.look(s)
	if !renew || len(effects) == 0 {
		return effects
	}
	account, look := s.AWS, effects[0].(screen.Call)
	read := look.Do
	look.Do = func(ctx context.Context) screen.Msg {
		if err := account.Renew(ctx); err != nil {
			return directLooked{err: err}
		}
		return read(ctx)
	}
	return []screen.Effect{look}
}

// beginNaming opens the fields for other names.
func (d *Direct) beginNaming(s *step.Session) {
	d.stage, d.problem, d.draft, d.field = directNaming, nil, map[string]string{}, map[string]string{}
	for _, w := range d.wants {
		part := s.Part(w.purpose)
		d.draft[fieldRoleName+w.purpose] = part.RoleName
		if len(w.documents) > 0 {
			d.draft[fieldPolicyName+w.purpose] = part.PolicyName
		}
	}
}

// Deeper reports whether other names are being typed.
func (d *Direct) Deeper() bool { return d.stage == directNaming }

// Up leaves the names as they were.
func (d *Direct) Up(s *step.Session) []screen.Effect { return d.look(s) }

func (d *Direct) typed(id, text string) {
	if _, ok := d.draft[id]; ok && d.stage == directNaming {
		d.draft[id] = strings.TrimSpace(text)
		delete(d.field, id)
	}
}

// rename takes the names when all of them are such, and looks anew.
func (d *Direct) rename(s *step.Session) (step.Move, []screen.Effect) {
	if d.stage != directNaming {
		return step.Stay, nil
	}
	for id, name := range d.draft {
		check := aws.CheckPolicyName
		if strings.HasPrefix(id, fieldRoleName) {
			check = aws.CheckRoleName
		}
		if err := check(name); err != nil {
			d.field[id] = step.InputProblem(err)
		}
	}
	if len(d.field) > 0 {
		return step.Stay, nil
	}
	for _, w := range d.wants {
		s.SetPart(w.purpose, func(p *record.Part) {
			roleName := d.draft[fieldRoleName+w.purpose]
			p.NameGiven = p.NameGiven || p.RoleName != roleName
			p.PolicyName, p.RoleName = d.draft[fieldPolicyName+w.purpose], roleName // no policy's name where none was asked for
			p.Policies, p.RoleARN, p.RoleID = nil, "", ""
		})
	}
	d.deep, d.done = false, nil
	return step.Stay, d.look(s)
}

// made are the items that this session made and that were not removed.
func (d *Direct) made(s *step.Session) []record.Item {
	receipt, err := s.OpenLedger().Receipt()
	if err != nil {
		return nil
	}
	return receipt.Left()
}

// remove takes away exactly what this session made, each thing looked at once
// more before.
func (d *Direct) remove(s *step.Session) []screen.Effect {
	d.stage, d.since = directRemoving, s.Now()
	remover := &undo.Remover{Account: s.AWS, Ledger: s.OpenLedger(), Now: s.Now, By: s.Caller()}
	head := s.ReceiptHead()
	return []screen.Effect{screen.Call{Name: "remove what was made", Writes: true, Do: func(ctx context.Context) screen.Msg {
		receipt, err := remover.Ledger.Receipt()
		if err != nil {
			return directRemoved{err: err}
		}
		head.Items, head.Created = receipt.Items, receipt.Created
		remover.Receipt = head
		removals, err := remover.All(ctx)
		return directRemoved{removals, err}
	}}}
}

func (d *Direct) removed(msg directRemoved) (step.Move, []screen.Effect) {
	d.removals, d.done = msg.removals, nil
	if msg.err != nil {
		d.stage, d.problem = directFailed, step.ProblemOf(msg.err)
		return step.Stay, nil
	}
	d.stage, d.problem, d.said = directStopped, nil, "What this session made is removed."
	if slices.ContainsFunc(msg.removals, func(r undo.Removal) bool { return r.Verdict == undo.Keep }) {
		d.said = "Not all of it was removed: see why above."
	}
	return step.Stay, nil
}

func (d *Direct) roleNames() string {
	names := map[string]bool{}
	for _, w := range d.wants {
		names[w.roleName] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), " and ")
}
