package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/spot"
)

// connect hands the role over: to the vendor's API, or by copy where there is
// no token or no API. A refusal is retried while the role is proven right.
type connect struct {
	described
	stage   connectStage
	held    string // another role that the vendor holds now
	tries   int
	since   time.Time
	until   time.Time
	next    time.Time
	took    time.Duration
	refusal *Problem // the vendor's last one
	unsure  bool     // the last answer got lost: the vendor may hold the role already
	report  *aws.Report
	problem *Problem
}

type connectStage int

const (
	readyToSubmit connectStage = iota
	submitting
	checking // the vendor refused; is the role right?
	pausing  // it is, or nobody can tell: the next try comes
	confirmReplace
	gaveUp
	handOver // by copy
	connected
)

// Retries of a refusal: the first at once, then with growing pauses. AWS needs
// seconds until a new role can be assumed everywhere.
const (
	firstPause   = 2 * time.Second
	longestPause = 15 * time.Second
)

type (
	heldRead struct {
		held string
		err  error
	}
	roleSubmitted struct{ err error }
	roleJudged    struct {
		report aws.Report
		err    error
	}
	approvalProven struct {
		report aws.Report
		err    error
	}
)

func (c *connect) basis(a Answers) []string {
	basis := []string{a.Vendor, a.VendorAccount, a.AccountID}
	for _, purpose := range slices.Sorted(maps.Keys(a.Parts)) {
		basis = append(basis, purpose, a.Parts[purpose].RoleARN)
	}
	return basis
}

// Status is Done once the vendor accepted the role, or the person handed it
// over.
func (c *connect) Status(a Answers) Status {
	if a.settled(stepConnect, c.basis(a)...) {
		return Done
	}
	return Todo
}

// submits is the part whose role goes to the vendor's API, nil when none does.
func (s *Session) submits() *describe.Role {
	if !s.byAPI() {
		return nil
	}
	for _, role := range s.NeededRoles() {
		if role.Submit {
			return role
		}
	}
	return nil
}

// Enter shows what is to be handed over, or that it was.
func (c *connect) Enter(s *Session) []Effect {
	c.problem, c.refusal, c.report, c.held, c.tries = nil, nil, nil, "", 0
	switch {
	case c.Status(s.Answers) == Done:
		c.stage = connected
	case s.submits() == nil:
		c.stage = handOver
	default:
		c.stage = readyToSubmit
	}
	return nil
}

// Update follows the hand-over.
func (c *connect) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case Chose:
		return c.chose(s, msg.ID)
	case heldRead:
		return c.readHeld(s, msg)
	case roleSubmitted:
		return c.answered(s, msg.err)
	case roleJudged:
		return c.judged(s, msg)
	case approvalProven:
		return c.proven(s, msg)
	case Broke:
		c.stage, c.problem = gaveUp, brokenProblem(msg)
	}
	return Stay, nil
}

func (c *connect) chose(s *Session, id string) (Move, []Effect) {
	switch id {
	case "connect":
		return Stay, c.begin(s)
	case "replace":
		s.ReplaceRole = true
		return Stay, []Effect{c.submit(s)}
	case "again":
		return Stay, c.begin(s)
	case "handed":
		return c.handedOver(s)
	case "role":
		return Goto(roleStepOf(s)), nil
	case "finish":
		return Next, nil
	}
	return Stay, nil
}

// roleStepOf is the step in which the role to submit is made: one for the role
// itself, or the last one before the hand-over.
func roleStepOf(s *Session) ID {
	before := stepPermissions
	for _, step := range s.Flow() {
		switch role := s.submits(); {
		case role != nil && step.ID() == ID(string(stepRole)+":"+role.Purpose):
			return step.ID()
		case step.ID() == stepConnect:
			return before
		}
		before = step.ID()
	}
	return before
}

// begin reads first what the vendor holds, so that nothing is overwritten
// unasked and an answer that got lost is not sent twice.
func (c *connect) begin(s *Session) []Effect {
	c.stage, c.problem, c.refusal, c.tries = submitting, nil, nil, 0
	c.since = s.Now()
	c.until = c.since.Add(s.patience(retryFor))
	if s.Plan != nil {
		return c.proveApproved(s)
	}
	return []Effect{c.read(s)}
}

// proveApproved reads back what was really made and compares it with the
// plan's approval before anything reaches the vendor.
func (c *connect) proveApproved(s *Session) []Effect {
	if s.AWS == nil {
		c.stage, c.problem = gaveUp, &Problem{What: "A plan binds, and without AWS credentials rolecall cannot read back what was made.",
			Expected: "credentials that may read the role and its policies", Next: "Sign in at the login step, or go on without --plan.", Kind: NotAsNeeded}
		return nil
	}
	c.stage = checking
	return []Effect{c.verify(s, func(report aws.Report, err error) Msg { return approvalProven{report, err} })}
}

// verify judges the role that is about to be handed over.
func (c *connect) verify(s *Session, reply func(aws.Report, error) Msg) Call {
	account, want := s.AWS, s.wantedRole(s.submits().Purpose)
	return Call{Name: "check the role", Do: func(ctx context.Context) Msg {
		return reply(account.Verify(ctx, want))
	}}
}

// proven goes on where the role and its documents are as approved.
func (c *connect) proven(s *Session, msg approvalProven) (Move, []Effect) {
	if msg.err != nil {
		c.stage, c.problem = gaveUp, problemOf(msg.err)
		return Stay, nil
	}
	if wrong := firstFailure(msg.report); wrong != nil || !msg.report.OK {
		c.stage, c.problem = gaveUp, &Problem{What: "The role is not as approved.", Expected: "a role with the plan's documents",
			Next: "Look at the checks of the role step.", Kind: NotAsNeeded}
		if wrong != nil {
			c.problem.What, c.problem.Expected, c.problem.Next = "The role is not as approved: "+wrong.Got+".", wrong.Want, wrong.Fix
		}
		return Stay, nil
	}
	c.stage = submitting
	return Stay, []Effect{c.read(s)}
}

// read asks which role the vendor holds now.
func (c *connect) read(s *Session) Call {
	api, account := s.API, s.VendorAccount
	return Call{Name: "read the vendor's role", Do: func(ctx context.Context) Msg {
		held, err := api.Role(ctx, account)
		return heldRead{held, err}
	}}
}

func (c *connect) readHeld(s *Session, msg heldRead) (Move, []Effect) {
	want := s.Part(s.submits().Purpose).RoleARN
	switch {
	case msg.err != nil:
		return c.answered(s, msg.err)
	case msg.held == want:
		return c.accepted(s)
	case msg.held != "" && !s.ReplaceRole:
		c.stage, c.held = confirmReplace, msg.held
	default:
		return Stay, []Effect{c.submit(s)}
	}
	return Stay, nil
}

func (c *connect) submit(s *Session) Call {
	c.stage = submitting
	api, account, arn := s.API, s.VendorAccount, s.Part(s.submits().Purpose).RoleARN
	return Call{Name: "submit role " + arn, Writes: true, Do: func(ctx context.Context) Msg {
		return roleSubmitted{api.SubmitRole(ctx, account, arn)}
	}}
}

func (c *connect) answered(s *Session, err error) (Move, []Effect) {
	c.tries++
	if err == nil {
		return c.accepted(s)
	}
	c.refusal = problemOf(err)
	c.unsure = false
	refused := (*spot.Error)(nil)
	if !errors.As(err, &refused) || !refused.Refused() && !refused.Passing() {
		c.stage, c.problem = gaveUp, c.refusal
		return Stay, nil
	}
	if refused.Passing() {
		c.unsure = true
		return c.retry(s)
	}
	if s.AWS == nil {
		return c.retry(s)
	}
	c.stage = checking
	return Stay, []Effect{c.verify(s, func(report aws.Report, err error) Msg { return roleJudged{report, err} })}
}

// judged decides by evidence: a role proven wrong ends the trying at once, one
// that is right, or that cannot be looked at, is handed over again.
func (c *connect) judged(s *Session, msg roleJudged) (Move, []Effect) {
	if msg.err == nil {
		c.report = &msg.report
		if wrong := firstFailure(msg.report); wrong != nil {
			c.stage, c.problem = gaveUp, &Problem{
				What:     s.Vendor.Title + " cannot use the role, and the role is wrong. " + nameOfCheck(wrong.ID) + ": " + wrong.Got + ".",
				Expected: wrong.Want, Next: wrong.Fix, Quoted: c.refusal.Quoted, Kind: NotAsNeeded,
			}
			return Stay, nil
		}
	}
	return c.retry(s)
}

// firstFailure is the first failed check.
func firstFailure(r aws.Report) *aws.Check {
	for i := range r.Checks {
		if r.Checks[i].Status == aws.Fail {
			return &r.Checks[i]
		}
	}
	return nil
}

// retry tries again: the first time at once, then after growing pauses, until
// the clock that the screen shows has run out.
func (c *connect) retry(s *Session) (Move, []Effect) {
	pause := time.Duration(0)
	if c.tries > 1 {
		pause = min(firstPause<<(c.tries-2), longestPause)
	}
	if s.Now().Add(pause).After(c.until) {
		c.stage = gaveUp
		c.problem = c.timedOut(s)
		return Stay, nil
	}
	call := c.submit(s)
	if c.unsure {
		call = c.read(s)
	}
	call.After, call.Jitter = pause, pause/4
	c.stage, c.next = pausing, s.Now().Add(pause)
	return Stay, []Effect{call}
}

func (c *connect) timedOut(s *Session) *Problem {
	p := *c.refusal
	p.What = fmt.Sprintf("%s still refuses the role after %s (%d tries).", s.Vendor.Title, clock(s.Now().Sub(c.since)), c.tries)
	p.Expected = s.Vendor.Title + " to assume the role"
	if c.report != nil && c.report.OK {
		p.Next = "rolecall sees nothing wrong with the role. An organisation's policy (SCP or RCP) may forbid it: ask who manages the organisation. Press enter to go on trying."
	} else {
		p.Next = "Look at the role's trust policy and external ID, or press enter to go on trying."
	}
	return &p
}

// clock writes a duration as minutes and seconds: 1:05.
func clock(d time.Duration) string {
	seconds := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

func (c *connect) accepted(s *Session) (Move, []Effect) {
	c.stage, c.took = connected, s.Now().Sub(c.since)
	now := s.Now()
	s.setPart(s.submits().Purpose, func(p *Part) { p.Submitted = now })
	if c.leftToHandOver(s) {
		c.stage = handOver
		return Stay, nil
	}
	s.settle(stepConnect, c.basis(s.Answers)...)
	return Stay, nil
}

// leftToHandOver reports whether a role remains that no API takes.
func (c *connect) leftToHandOver(s *Session) bool {
	for _, role := range s.NeededRoles() {
		part := s.Part(role.Purpose)
		if part.Submitted.IsZero() && !part.HandedOver {
			return true
		}
	}
	return false
}

func (c *connect) handedOver(s *Session) (Move, []Effect) {
	for _, role := range s.NeededRoles() {
		if s.Part(role.Purpose).Submitted.IsZero() {
			s.setPart(role.Purpose, func(p *Part) { p.HandedOver = true })
		}
	}
	c.stage = connected
	s.settle(stepConnect, c.basis(s.Answers)...)
	return Stay, nil
}
