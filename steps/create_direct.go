package steps

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
)

// createDirect is the step in which rolecall makes policy and role itself. It
// looks at what exists, shows what it would make, makes that after the person
// agreed, and looks again. After every failure it looks before it goes on, so
// that nothing is made twice and a second run changes nothing.
type createDirect struct {
	described
	stage   directStage
	id      externalID
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
	removals []Removal         // what a removal did
	said     string            // why it stopped without a problem
	problem  *Problem
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
		removals []Removal
		err      error
	}
)

// Pauses between two looks, and between two tries of a request that failed in
// passing.
const (
	directPause   = 2 * time.Second
	longestDirect = 15 * time.Second
)

func (d *createDirect) basis(a Answers) []string {
	basis := append(a.documentsBasis(), a.TrustedAccount, a.AccountID, a.Path, a.Boundary, fmt.Sprint(a.Tags), a.SessionFor.String())
	for _, purpose := range slices.Sorted(maps.Keys(a.Parts)) {
		p := a.Parts[purpose]
		if p.Needed {
			basis = append(basis, purpose, p.PolicyName, p.RoleName, p.ExternalID, p.digests(), p.RoleARN)
		}
	}
	return basis
}

// Status is Done once this run has seen every needed role and found it right.
func (d *createDirect) Status(a Answers) Status {
	for purpose, part := range a.Parts {
		report := a.Seen.Parts[purpose].Report
		if part.Needed && (report == nil || !report.OK) {
			return Todo
		}
	}
	if a.settled(d.ID(), d.basis(a)...) {
		return Done
	}
	return Todo
}

// Asks names the external ID where no API tells it.
func (d *createDirect) Asks(s *Session) []Need {
	for _, role := range s.NeededRoles() {
		if needs := s.asksExternalID(role.Purpose); len(needs) > 0 {
			return needs
		}
	}
	return nil
}

// Enter makes the external IDs known, then looks at the account.
func (d *createDirect) Enter(s *Session) []Effect {
	*d = createDirect{described: d.described, update: map[string]bool{}}
	if s.AWS == nil {
		d.stage, d.problem = directStopped, &Problem{
			What:     "rolecall has no AWS credentials in this session.",
			Expected: "credentials that may create IAM policies and roles",
			Next:     "Press enter to sign in, or go back and choose the manual method.",
			Kind:     AWSRefused,
		}
		return nil
	}
	for _, role := range s.NeededRoles() {
		d.idFor = append(d.idFor, role.Purpose)
	}
	return d.nextID(s)
}

// nextID asks for the next external ID that is not known, then looks.
func (d *createDirect) nextID(s *Session) []Effect {
	d.stage = directID
	for len(d.idFor) > 0 {
		purpose := d.idFor[0]
		d.idFor = d.idFor[1:]
		if known, effects := d.id.begin(s, purpose); !known {
			return effects
		}
	}
	return d.look(s)
}

// look reads what exists, after a pause when one is due.
func (d *createDirect) look(s *Session) []Effect {
	d.stage, d.problem, d.said = directLooking, s.planProblems(), ""
	if d.problem != nil {
		d.stage = directStopped
		return nil
	}
	d.since, d.until, d.tries = s.Now(), s.Now().Add(s.patience(retryFor)), 0
	return d.lookAfter(s, 0)
}

func (d *createDirect) lookAfter(s *Session, pause time.Duration) []Effect {
	wants, err := s.directWants()
	if err != nil {
		d.stage, d.problem = directStopped, problemOf(err)
		return nil
	}
	d.wants = wants
	looker := directLooker{account: s.AWS, ledger: s.ledger(), head: s.receiptHead(), by: s.caller(), now: s.Now, deep: d.deep}
	return []Effect{Call{Name: "look at what exists", After: pause, Do: func(ctx context.Context) Msg {
		seen, err := looker.look(ctx, wants)
		return directLooked{seen, err}
	}}}
}

// Update follows what AWS shows and what the person wants.
func (d *createDirect) Update(s *Session, msg Msg) (Move, []Effect) {
	if d.stage == directID {
		known, effects := d.id.update(s, msg)
		if known {
			effects = append(effects, d.nextID(s)...)
		}
		return Stay, effects
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
	case Chose:
		return d.chose(s, msg)
	case Changed:
		d.typed(msg.ID, msg.Text)
	case Entered:
		d.typed(msg.ID, msg.Text)
		return d.rename(s)
	case Broke:
		d.stage, d.problem = directFailed, brokenProblem(msg)
	}
	return Stay, nil
}

// looked plans with what exists now.
func (d *createDirect) looked(s *Session, msg directLooked) (Move, []Effect) {
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
		return Stay, d.prove(s)
	case resumed || d.tries > 0:
		return Stay, d.make(s)
	default:
		return Stay, d.ask(s)
	}
	return Stay, nil
}

// ask finds out whether the caller may do what the plan needs.
func (d *createDirect) ask(s *Session) []Effect {
	d.stage = directAsking
	account, needs := s.AWS, directNeeds(d.wants, d.plan.ops)
	return []Effect{Call{Name: "check your permissions", Do: func(ctx context.Context) Msg {
		missing, known, err := account.Missing(ctx, needs)
		return permissionsFound{missing, known, err}
	}}}
}

func (d *createDirect) asked(s *Session, msg permissionsFound) (Move, []Effect) {
	if msg.err != nil {
		return d.trouble(s, msg.err)
	}
	d.finding, d.stage = msg, directReady
	if len(msg.missing) > 0 {
		d.stage, d.problem = directStopped, missingProblem(msg.missing)
	}
	return Stay, nil
}

func missingProblem(missing []aws.Permission) *Problem {
	var actions []string
	for _, m := range missing {
		actions = append(actions, m.Action)
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	return &Problem{
		What:     "You are not allowed " + strings.Join(actions, ", ") + ". Nothing was made.",
		Expected: "what the policy below grants; IAM's policy simulator was asked",
		Next:     "Give the policy to whoever manages your permissions, or sign in as someone who has them.",
		Kind:     AWSRefused,
	}
}

// make sends the next request of the plan.
func (d *createDirect) make(s *Session) []Effect {
	if len(d.plan.ops) == 0 {
		return d.prove(s)
	}
	d.stage, d.problem, d.began = directMaking, nil, s.Now()
	return []Effect{d.plan.ops[0].call(s)}
}

// answered goes on with the next request. A failure that may pass, or after
// which nobody knows what was done, leads to another look.
func (d *createDirect) answered(s *Session, msg directDone) (Move, []Effect) {
	op := d.plan.ops[0]
	if msg.err != nil {
		d.deep = d.deep || op.kind == opCreatePolicy && aws.KindOf(msg.err) == aws.Exists
		return d.trouble(s, msg.err)
	}
	d.tries, d.until = 0, s.Now().Add(s.patience(retryFor))
	if msg.role.ID != "" {
		s.setPart(op.purpose, func(p *Part) { p.RoleARN, p.RoleID = msg.role.ARN, msg.role.ID })
	}
	if msg.policy.ID != "" {
		d.seen[op.purpose].policies[op.doc] = &msg.policy
		s.setPart(op.purpose, func(p *Part) {
			if op.doc < len(p.Policies) {
				p.Policies = slices.Clone(p.Policies)
				p.Policies[op.doc].Name, p.Policies[op.doc].ARN = msg.policy.Name, msg.policy.ARN
			}
		})
	}
	op.took = s.Now().Sub(d.began)
	d.done, d.plan.ops = append(d.done, op), d.plan.ops[1:]
	return Stay, d.make(s)
}

// trouble looks again after a failure that may pass, until the time is up.
func (d *createDirect) trouble(s *Session, err error) (Move, []Effect) {
	p, kind := problemOf(err), aws.KindOf(err)
	again := passes(err) && kind != aws.NotFound || kind == aws.Exists
	// What was made a moment ago may not be seen everywhere yet.
	again = again || kind == aws.NotFound && d.stage == directMaking && len(d.done) > 0
	pause := min(directPause<<min(d.tries, 4), longestDirect)
	if !again || s.Now().Add(pause).After(d.until) || kind == aws.Exists && d.tries > 2 {
		d.stage, d.problem = directFailed, p
		return Stay, nil
	}
	if d.stage == directAsking {
		return Stay, d.look(s)
	}
	d.tries++
	d.problem, d.next = p.passing(), s.Now().Add(pause)
	d.problem.Next = "rolecall looks at what exists, then goes on."
	return Stay, d.lookAfter(s, pause)
}
