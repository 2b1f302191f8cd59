// Package create holds the steps in which rolecall or CloudFormation makes what
// the vendor needs: they show what would be made, ask, make it and prove it. It
// stands on step.
package create

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/undo"
)

// Direct is the step in which rolecall makes policy and role itself. It
// looks at what exists, shows what it would make, makes that after the person
// agreed, and looks again. After every failure it looks before it goes on, so
// that nothing is made twice and a second run changes nothing.
type Direct struct {
	step.Described
	stage   directStage
	id      step.ExternalID
	idFor   []string // purposes whose external ID is still to be known
	wants   []directWant
	seen    map[string]directSeen // by purpose, as last looked at
	plan    directPlan
	update  map[string]bool // differences that are to be updated, by their key
	deep    bool            // look for a taken policy name at every path
	finding permissionsFound

	done     []directOp // finished in this visit
	began    time.Time  // of the running request
	since    time.Time  // of what is waited for
	until    time.Time
	next     time.Time
	tries    int
	reports  map[string]aws.Report
	draft    map[string]string // names being typed
	field    map[string]string // what is wrong with them
	removals []undo.Removal    // what a removal did
	said     string            // why it stopped without a problem
	problem  *screen.Problem
}

type directStage int

const (
	directID directStage = iota
	directLooking
	directAsking // what the caller may do
	directDiffers
	directNaming
	directReady
	directMaking
	directProving
	directFailed
	directStopped
	directRemoving
	directMade
)

type (
	directLooked struct {
		seen map[string]directSeen
		err  error
	}
	permissionsFound struct {
		missing []aws.Permission
		known   bool
		err     error
	}
	directDone struct {
		role   aws.Role   // set by its creation
		policy aws.Policy // set by its creation
		err    error
	}
	directProved struct {
		reports map[string]aws.Report
		err     error
	}
	directRemoved struct {
		removals []undo.Removal
		err      error
	}
)

// Pauses between two looks, and between two tries of a request that failed in
// passing.
const (
	directPause   = 2 * time.Second
	longestDirect = 15 * time.Second
)

func (d *Direct) basis(a record.Answers) []string {
	basis := append(a.DocumentsBasis(), a.TrustedAccount, a.AccountID, a.Path, a.Boundary, fmt.Sprint(a.Tags), a.SessionFor.String())
	for _, purpose := range slices.Sorted(maps.Keys(a.Parts)) {
		p := a.Parts[purpose]
		if p.Needed {
			basis = append(basis, purpose, p.PolicyName, p.RoleName, p.ExternalID, p.Digests(), p.RoleARN)
		}
	}
	return basis
}

// Status is Done once this run has seen every needed role and found it right.
func (d *Direct) Status(a record.Answers) step.Status {
	for purpose, part := range a.Parts {
		report := a.Seen.Parts[purpose].Report
		if part.Needed && (report == nil || !report.OK) {
			return step.Todo
		}
	}
	if a.IsAnswered(d.ID(), d.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the external ID where no API tells it.
func (d *Direct) Asks(s *step.Session) []step.Need {
	for _, role := range s.NeededRoles() {
		if needs := s.AsksExternalID(role.Purpose); len(needs) > 0 {
			return needs
		}
	}
	return nil
}

// Enter makes the external IDs known, then looks at the account.
func (d *Direct) Enter(s *step.Session) []screen.Effect {
	*d = Direct{Described: d.Described, update: map[string]bool{}}
	if s.AWS == nil {
		d.stage, d.problem = directStopped, &screen.Problem{
			What:     "rolecall has no AWS credentials in this session.",
			Expected: "credentials that may create IAM policies and roles",
			Next:     "Press enter to sign in, or go back and choose the manual method.",
			Kind:     screen.AWSRefused,
		}
		return nil
	}
	for _, role := range s.NeededRoles() {
		d.idFor = append(d.idFor, role.Purpose)
	}
	return d.nextID(s)
}

// nextID asks for the next external ID that is not known, then looks.
func (d *Direct) nextID(s *step.Session) []screen.Effect {
	d.stage = directID
	for len(d.idFor) > 0 {
		purpose := d.idFor[0]
		d.idFor = d.idFor[1:]
		if known, effects := d.id.Begin(s, purpose); !known {
			return effects
		}
	}
	return d.look(s)
}

// look reads what exists, after a pause when one is due.
func (d *Direct) look(s *step.Session) []screen.Effect {
	d.stage, d.problem, d.said = directLooking, s.PlanProblems(), ""
	if d.problem != nil {
		d.stage = directStopped
		return nil
	}
	d.since, d.until, d.tries = s.Now(), s.Now().Add(s.Patience(step.RetryFor)), 0
	return d.lookAfter(s, 0)
}

func (d *Direct) lookAfter(s *step.Session, pause time.Duration) []screen.Effect {
	wants, err := directWants(s)
	if err != nil {
		d.stage, d.problem = directStopped, step.ProblemOf(err)
		return nil
	}
	d.wants = wants
	looker := directLooker{account: s.AWS, ledger: s.OpenLedger(), head: s.ReceiptHead(), by: s.Caller(), now: s.Now, deep: d.deep}
	return []screen.Effect{screen.Call{Name: "look at what exists", After: pause, Do: func(ctx context.Context) screen.Msg {
		seen, err := looker.look(ctx, wants)
		return directLooked{seen, err}
	}}}
}

// Update follows what AWS shows and what the person wants.
func (d *Direct) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	if d.stage == directID {
		known, effects := d.id.Update(s, msg)
		if known {
			effects = append(effects, d.nextID(s)...)
		}
		return step.Stay, effects
	}
	switch msg := msg.(type) {
	case directLooked:
		return d.looked(s, msg)
	case permissionsFound:
		return d.asked(s, msg)
	case directDone:
		return d.answered(s, msg)
	case directProved:
		return d.proved(s, msg)
	case directRemoved:
		return d.removed(msg)
	case screen.Chose:
		return d.chose(s, msg)
	case screen.Changed:
		d.typed(msg.ID, msg.Text)
	case screen.Entered:
		d.typed(msg.ID, msg.Text)
		return d.rename(s)
	case screen.Broke:
		d.stage, d.problem = directFailed, screen.BrokenProblem(msg)
	}
	return step.Stay, nil
}

// looked plans with what exists now.
func (d *Direct) looked(s *step.Session, msg directLooked) (step.Move, []screen.Effect) {
	if msg.err != nil {
		return d.trouble(s, msg.err)
	}
	d.seen = msg.seen
	resumed := len(d.done) > 0 // the person agreed already
	d.plan = planDirect(d.wants, d.seen, d.update)
	switch {
	case len(d.plan.differences) > 0:
		d.stage = directDiffers
	case len(d.plan.ops) == 0:
		return step.Stay, d.prove(s)
	case resumed || d.tries > 0:
		return step.Stay, d.make(s)
	default:
		return step.Stay, d.ask(s)
	}
	return step.Stay, nil
}

// ask finds out whether the caller may do what the plan needs.
func (d *Direct) ask(s *step.Session) []screen.Effect {
	d.stage = directAsking
	account, needs := s.AWS, directNeeds(d.wants, d.plan.ops)
	return []screen.Effect{screen.Call{Name: "check your permissions", Do: func(ctx context.Context) screen.Msg {
		missing, known, err := account.Missing(ctx, needs)
		return permissionsFound{missing, known, err}
	}}}
}

func (d *Direct) asked(s *step.Session, msg permissionsFound) (step.Move, []screen.Effect) {
	if msg.err != nil {
		return d.trouble(s, msg.err)
	}
	d.finding, d.stage = msg, directReady
	if len(msg.missing) > 0 {
		d.stage, d.problem = directStopped, missingProblem(msg.missing)
	}
	return step.Stay, nil
}

func missingProblem(missing []aws.Permission) *screen.Problem {
	var actions []string
	for _, m := range missing {
		actions = append(actions, m.Action)
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	return &screen.Problem{
		What:     "You are not allowed " + strings.Join(actions, ", ") + ". Nothing was made.",
		Expected: "what the policy below grants; IAM's policy simulator was asked",
		Next:     "Give the policy to whoever manages your permissions, or sign in as someone who has them.",
		Kind:     screen.AWSRefused,
	}
}

// make sends the next request of the plan.
func (d *Direct) make(s *step.Session) []screen.Effect {
	if len(d.plan.ops) == 0 {
		return d.prove(s)
	}
	d.stage, d.problem, d.began = directMaking, nil, s.Now()
	return []screen.Effect{d.plan.ops[0].call(s)}
}

// answered goes on with the next request. A failure that may pass, or after
// which nobody knows what was done, leads to another look.
func (d *Direct) answered(s *step.Session, msg directDone) (step.Move, []screen.Effect) {
	op := d.plan.ops[0]
	if msg.err != nil {
		d.deep = d.deep || op.kind == opCreatePolicy && aws.KindOf(msg.err) == aws.Exists
		return d.trouble(s, msg.err)
	}
	d.tries, d.until = 0, s.Now().Add(s.Patience(step.RetryFor))
	if msg.role.ID != "" {
		s.SetPart(op.purpose, func(p *record.Part) { p.RoleARN, p.RoleID = msg.role.ARN, msg.role.ID })
	}
	if msg.policy.ID != "" {
		d.seen[op.purpose].policies[op.doc] = &msg.policy
		s.SetPart(op.purpose, func(p *record.Part) {
			if op.doc < len(p.Policies) {
				p.Policies = slices.Clone(p.Policies)
				p.Policies[op.doc].Name, p.Policies[op.doc].ARN = msg.policy.Name, msg.policy.ARN
			}
		})
	}
	op.took = s.Now().Sub(d.began)
	d.done, d.plan.ops = append(d.done, op), d.plan.ops[1:]
	return step.Stay, d.make(s)
}

// trouble looks again after a failure that may pass, until the time is up.
func (d *Direct) trouble(s *step.Session, err error) (step.Move, []screen.Effect) {
	p, kind := step.ProblemOf(err), aws.KindOf(err)
	again := step.Passes(err) && kind != aws.NotFound || kind == aws.Exists
	// What was made a moment ago may not be seen everywhere yet.
	again = again || kind == aws.NotFound && d.stage == directMaking && len(d.done) > 0
	pause := min(directPause<<min(d.tries, 4), longestDirect)
	if !again || s.Now().Add(pause).After(d.until) || kind == aws.Exists && d.tries > 2 {
		d.stage, d.problem = directFailed, p
		return step.Stay, nil
	}
	if d.stage == directAsking {
		return step.Stay, d.look(s)
	}
	d.tries++
	d.problem, d.next = p.AsPassing(), s.Now().Add(pause)
	d.problem.Next = "rolecall looks at what exists, then goes on."
	return step.Stay, d.lookAfter(s, pause)
}
