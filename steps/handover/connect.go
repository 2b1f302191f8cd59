// Package handover holds the last step: the role, or the key of a user, goes to
// the vendor, through its API, by one declared request, or by the person's
// hands. It stands on step.
package handover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/aws/diagnose"
	"rolecall/steps/explain"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
)

// Connect hands the role over: to the vendor's API, or by copy where there is
// no token or no API. A refusal is retried while the role is proven right.
type Connect struct {
	step.Described
	stage   connectStage
	held    string // another role that the vendor holds now
	tries   int
	since   time.Time
	until   time.Time
	next    time.Time
	took    time.Duration
	refusal *screen.Problem // the last answer that was not a yes
	refused bool            // and it was the vendor's no
	asked   time.Duration   // how long the vendor asks to wait
	unsure  bool            // the last answer got lost: the vendor may hold the role already
	report  *aws.Report
	around  *aws.Surroundings // of the role, read once
	said    *diagnose.Refusal // the vendor's no
	causes  []diagnose.Cause  // why, the likeliest first
	sameID  bool              // the vendor holds the role's external ID still
	problem *screen.Problem
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
	// longestAsked is how long the vendor may have all of it put off while a person
	// looks on: longer pauses are told.
	longestAsked = 15 * time.Minute
)

type (
	heldRead struct {
		held string
		err  error
	}
	roleSubmitted struct {
		err       error
		requestID string
	}
	roleJudged struct {
		externalID string // as the vendor holds it now; empty where it does not tell
		seen       aws.Seen
		report     aws.Report
		around     aws.Surroundings
		err        error
	}
	approvalProven struct {
		report aws.Report
		err    error
	}
)

func (c *Connect) basis(a record.Answers) []string {
	basis := []string{a.Vendor, a.VendorAccount, a.AccountID}
	for _, purpose := range slices.Sorted(maps.Keys(a.Parts)) {
		basis = append(basis, purpose, a.Parts[purpose].RoleARN)
	}
	return basis
}

// Status is Done once the vendor accepted the role, or the person handed it
// over.
func (c *Connect) Status(a record.Answers) step.Status {
	if a.IsAnswered(record.StepConnect, c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Enter shows what is to be handed over, or that it was.
func (c *Connect) Enter(s *step.Session) []screen.Effect {
	c.refusal, c.report, c.held, c.tries = nil, nil, "", 0
	c.around, c.said, c.causes, s.Causes = nil, nil, nil, nil
	switch c.problem = unmade(s); {
	case c.problem != nil:
		c.stage = gaveUp
	case c.Status(s.Answers) == step.Done:
		c.stage = connected
	case s.Submits() == nil:
		c.stage = handOver
	default:
		c.stage = readyToSubmit
	}
	return nil
}

// unmade refuses to hand over what nobody made, and to call that done.
func unmade(s *step.Session) *screen.Problem {
	needed := s.Request().Needed()
	for _, role := range needed {
		if s.Request().Closed(role.Purpose) {
			return nothingMade(s, "The role for "+role.Title+" is closed: nobody of "+s.Vendor.Title+" gets in yet.")
		}
		part := s.Part(role.Purpose)
		if part.RoleARN == "" && part.UserARN == "" {
			return nothingMade(s, "The "+role.Access+" for "+role.Title+" does not exist yet: there is nothing to hand over.")
		}
	}
	if len(needed) == 0 {
		return nothingMade(s, "Nothing was chosen that "+s.Vendor.Title+" needs a "+s.AccessOrRole()+" for.")
	}
	return nil
}

func nothingMade(s *step.Session, what string) *screen.Problem {
	return &screen.Problem{What: what, Expected: "a " + s.AccessOrRole() + " that was seen to be right",
		Next: "Go back to the step that makes it: b.", Kind: screen.NotAsNeeded}
}

// Update follows the hand-over.
func (c *Connect) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Chose:
		return c.chose(s, msg.ID)
	case heldRead:
		return c.readHeld(s, msg)
	case roleSubmitted:
		return c.answered(s, msg.err)
	case roleJudged:
		return c.judged(s, msg)
	case approvalProven:
		return c.proven(s, msg)
	case screen.Broke:
		c.stage, c.problem = gaveUp, screen.BrokenProblem(msg)
	}
	return step.Stay, nil
}

func (c *Connect) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	switch id {
	case "connect":
		return step.Stay, c.begin(s)
	case "replace":
		if c.stage == confirmReplace {
			s.ReplaceRole = true
			return step.Stay, []screen.Effect{c.submit(s)}
		}
	case "again":
		return step.Stay, c.begin(s)
	case "handed":
		return c.handedOver(s)
	case actionRole:
		return step.Goto(roleStepOf(s)), nil
	case "finish":
		return step.Next, nil
	}
	return step.Stay, nil
}

// roleStepOf is the step in which the role to submit is made: one for the role
// itself, or the last one before the hand-over.
func roleStepOf(s *step.Session) record.StepID {
	before := record.StepPermissions
	method, _ := s.Vendor.Method(s.Method, s.Access)
	for _, described := range method.Steps {
		switch role, id := s.Submits(), step.IDOf(described); {
		case role != nil && id == record.StepID(string(record.StepRole)+":"+role.Purpose):
			return id
		case id == record.StepConnect:
			return before
		default:
			before = id
		}
	}
	return before
}

// begin reads first what the vendor holds, so that nothing is overwritten
// unasked and an answer that got lost is not sent twice.
func (c *Connect) begin(s *step.Session) []screen.Effect {
	if c.problem = unmade(s); c.problem != nil {
		c.stage = gaveUp
		return nil
	}
	if s.Submits() == nil {
		return c.Enter(s)
	}
	c.stage, c.problem, c.refusal, c.tries = submitting, nil, nil, 0
	c.around, c.said, c.causes, s.Causes = nil, nil, nil, nil
	c.since = s.Now()
	c.until = c.since.Add(s.Patience(step.RetryFor))
	if s.Plan != nil {
		return c.proveApproved(s)
	}
	return []screen.Effect{c.read(s)}
}

// proveApproved reads back what was really made and compares it with the
// plan's approval before anything reaches the vendor.
func (c *Connect) proveApproved(s *step.Session) []screen.Effect {
	if s.AWS == nil {
		c.stage, c.problem = gaveUp, &screen.Problem{
			What:     "A plan binds, and without AWS credentials rolecall cannot read back what was made.",
			Expected: "credentials that may read the role and its policies",
			Next:     "Sign in at the login step, or begin again without the plan.",
			Kind:     screen.NotAsNeeded,
		}
		return nil
	}
	c.stage = checking
	return []screen.Effect{c.verify(s, func(report aws.Report, err error) screen.Msg { return approvalProven{report, err} })}
}

// verify judges the role that is about to be handed over.
func (c *Connect) verify(s *step.Session, reply func(aws.Report, error) screen.Msg) screen.Call {
	account, want := s.AWS, s.WantedRole(s.Submits().Purpose)
	return screen.Call{Name: "check the role", Do: func(ctx context.Context) screen.Msg {
		return reply(account.Verify(ctx, want))
	}}
}

// proven goes on where the role and its documents are as approved.
func (c *Connect) proven(s *step.Session, msg approvalProven) (step.Move, []screen.Effect) {
	if msg.err != nil {
		c.stage, c.problem = gaveUp, step.ProblemOf(msg.err)
		return step.Stay, nil
	}
	if c.problem = explain.Unseen(msg.report.Checks); c.problem != nil {
		c.stage = gaveUp
		return step.Stay, nil
	}
	if wrong := step.FirstFailure(msg.report.Checks); wrong != nil || !msg.report.OK {
		c.stage, c.problem = gaveUp, &screen.Problem{What: "The role is not as approved.", Expected: "a role with the plan's documents",
			Next: "Look at the checks of the role step.", Kind: screen.NotAsNeeded}
		if wrong != nil {
			c.problem.What, c.problem.Expected, c.problem.Next = "The role is not as approved: "+wrong.Got+".", wrong.Want, wrong.Fix
		}
		return step.Stay, nil
	}
	c.stage = submitting
	return step.Stay, []screen.Effect{c.read(s)}
}

// read asks which role the vendor holds now.
func (c *Connect) read(s *step.Session) screen.Call {
	api, account := s.API(), s.VendorAccount
	return screen.Call{Name: "read the vendor's role", Do: func(ctx context.Context) screen.Msg {
		held, err := api.Role(ctx, account)
		return heldRead{held, err}
	}}
}

func (c *Connect) readHeld(s *step.Session, msg heldRead) (step.Move, []screen.Effect) {
	want := s.Part(s.Submits().Purpose).RoleARN
	switch {
	case msg.err != nil:
		return c.unread(s, msg.err)
	case msg.held == want:
		return c.accepted(s)
	case msg.held != "" && !s.ReplaceRole:
		c.stage, c.held = confirmReplace, msg.held
	default:
		return step.Stay, []screen.Effect{c.submit(s)}
	}
	return step.Stay, nil
}

// unread is about a vendor that does not tell which role it holds. Then nothing is
// handed over: it could replace another one unasked.
func (c *Connect) unread(s *step.Session, err error) (step.Move, []screen.Effect) {
	c.tries++
	c.refusal, c.refused, c.unsure, c.asked = step.ProblemOf(err), false, true, 0
	if answer := (*vendorapi.Error)(nil); errors.As(err, &answer) && answer.Passing() {
		c.asked = answer.RetryAfter
		return c.retry(s)
	}
	c.stage, c.problem = gaveUp, c.refusal
	return step.Stay, nil
}

func (c *Connect) submit(s *step.Session) screen.Call {
	c.stage = submitting
	api, account, arn := s.API(), s.VendorAccount, s.Part(s.Submits().Purpose).RoleARN
	return screen.Call{Name: "submit role " + arn, Writes: true, Do: func(ctx context.Context) screen.Msg {
		traced, requestID := vendorapi.Traced(ctx)
		err := api.SubmitRole(traced, account, arn)
		if step.Unsure(err) {
			look, cancel := screen.LookUp(ctx)
			defer cancel()
			if held, lookErr := api.Role(look, account); lookErr == nil && held == arn {
				err = nil
			}
		}
		return roleSubmitted{err, requestID()}
	}}
}

func (c *Connect) answered(s *step.Session, err error) (step.Move, []screen.Effect) {
	c.tries++
	if err == nil {
		return c.accepted(s)
	}
	c.refusal, c.refused, c.unsure, c.asked = step.ProblemOf(err), false, false, 0
	answer := (*vendorapi.Error)(nil)
	switch known := errors.As(err, &answer); {
	case known && answer.Passing():
		c.unsure, c.asked = true, answer.RetryAfter
		return c.retry(s)
	case !known || !answer.Refused():
		c.stage, c.problem = gaveUp, c.refusal
		return step.Stay, nil
	}
	c.stage, c.refused, c.said = checking, true, sayingNo(answer)
	return step.Stay, []screen.Effect{c.judge(s)}
}

// judge looks why the vendor refused: at the external ID that it holds now, since
// another one may have been minted since the role was made, then at the role.
func (c *Connect) judge(s *step.Session) screen.Call {
	api, vendorAccount, account, want := s.API(), s.VendorAccount, s.AWS, s.WantedRole(s.Submits().Purpose)
	known, regions := c.around, s.Regions
	return screen.Call{Name: "check the role", Do: func(ctx context.Context) screen.Msg {
		var msg roleJudged
		if id, err := api.ExternalID(ctx, vendorAccount); err == nil {
			msg.externalID = id
		}
		if account != nil {
			msg.seen, msg.report, msg.err = account.Look(ctx, want)
		}
		if account != nil && msg.err == nil && known == nil {
			msg.around = account.Surroundings(ctx, want.AccountID, msg.seen, regions)
		} else if known != nil {
			msg.around = *known
		}
		return msg
	}}
}

// judged decides by evidence: a role that cannot be assumed for certain ends the
// trying at once, one that is right, or that cannot be looked at, is handed over
// again.
func (c *Connect) judged(s *step.Session, msg roleJudged) (step.Move, []screen.Effect) {
	if p := c.otherID(s, msg.externalID); p != nil {
		c.stage, c.problem = gaveUp, p
		return step.Stay, nil
	}
	if msg.err == nil && s.AWS != nil {
		c.report, c.around, c.sameID = &msg.report, &msg.around, msg.externalID != ""
		if p := c.diagnose(s, msg); p != nil {
			c.stage, c.problem = gaveUp, p
			return step.Stay, nil
		}
	}
	return c.retry(s)
}

// otherID tells that the vendor holds another external ID now than the role was
// made with; nil when it does not.
func (c *Connect) otherID(s *step.Session, now string) *screen.Problem {
	purpose := s.Submits().Purpose
	made := s.Part(purpose).ExternalID
	if now == "" || made == "" || now == made {
		return nil
	}
	return &screen.Problem{
		What: fmt.Sprintf(
			"%s holds another external ID now than the role was made with: %s instead of %s.",
			s.Vendor.Title,
			screen.CleanLine(now),
			made,
		),
		Expected: "a role that requires the external ID of " + s.Vendor.Title,
		Next: "Somebody had a new one minted, and the old one counts no more. In the trust policy of " + s.Part(purpose).RoleName +
			", set sts:ExternalId to the new one; then go on with this session.",
		Wanted: now,
		Found:  made,
		Quoted: c.refusal.Quoted,
		Named:  c.refusal.Named,
		Kind:   screen.NotAsNeeded,
	}
}

// retry tries again: the first time at once, then after growing pauses, until
// the clock that the screen shows has run out.
func (c *Connect) retry(s *step.Session) (step.Move, []screen.Effect) {
	pause := time.Duration(0)
	if c.tries > 1 {
		pause = min(firstPause<<min(c.tries-2, 3), longestPause)
	}
	pause = max(pause, c.asked)
	if later := s.Now().Add(pause); s.Until.IsZero() && c.asked > 0 && later.After(c.until) && !later.After(c.since.Add(longestAsked)) {
		c.until = later // whoever looks on can leave, and sees how long it is
	}
	if s.Now().Add(pause).After(c.until) {
		c.stage = gaveUp
		c.problem = c.timedOut(s)
		return step.Stay, nil
	}
	call := c.submit(s)
	if c.unsure {
		call = c.read(s)
	}
	call.After = pause
	if c.asked == 0 {
		call.Jitter = pause / 4
	}
	c.stage, c.next = pausing, s.Now().Add(pause)
	return step.Stay, []screen.Effect{call}
}

// timedOut says what the last answer was. Where it was no refusal, the hand-over
// only did not come about yet.
func (c *Connect) timedOut(s *step.Session) *screen.Problem {
	p := *c.refusal
	took := screen.Clock(s.Now().Sub(c.since))
	if !c.refused {
		p.What = fmt.Sprintf("%s did not take the role within %s (%s). %s", s.Vendor.Title, took, screen.Counted(c.tries, "try"), p.What)
		p.Expected, p.Kind = s.Vendor.Title+" to take the role", screen.TimedOut
		return &p
	}
	p.What = fmt.Sprintf("%s still refuses the role after %s (%s).", s.Vendor.Title, took, screen.Counted(c.tries, "try"))
	p.Expected = s.Vendor.Title + " to assume the role"
	if c.report == nil || !c.report.OK {
		p.Next = "Look at the role's trust policy and external ID, then try again."
		return &p
	}
	p.Next = "rolecall sees nothing wrong with the role. " + c.likeliest(s)
	if c.sameID {
		p.Next = "The external ID is the one that " + s.Vendor.Title + " holds now. " + p.Next
	}
	return &p
}

func (c *Connect) accepted(s *step.Session) (step.Move, []screen.Effect) {
	c.stage, c.took, s.Causes = connected, s.Now().Sub(c.since), nil
	now := s.Now()
	s.SetPart(s.Submits().Purpose, func(p *record.Part) { p.Submitted = now })
	if c.leftToHandOver(s) {
		c.stage = handOver
		return step.Stay, nil
	}
	s.Answered(record.StepConnect, c.basis(s.Answers)...)
	return step.Stay, nil
}

// leftToHandOver reports whether a role remains that no API takes.
func (c *Connect) leftToHandOver(s *step.Session) bool {
	for _, role := range s.Request().Needed() {
		part := s.Part(role.Purpose)
		if part.Submitted.IsZero() && !part.HandedOver {
			return true
		}
	}
	return false
}

func (c *Connect) handedOver(s *step.Session) (step.Move, []screen.Effect) {
	if c.problem = unmade(s); c.problem != nil {
		c.stage = gaveUp
		return step.Stay, nil
	}
	for _, role := range s.Request().Needed() {
		if s.Part(role.Purpose).Submitted.IsZero() {
			s.SetPart(role.Purpose, func(p *record.Part) { p.HandedOver = true })
		}
	}
	c.stage = connected
	s.Answered(record.StepConnect, c.basis(s.Answers)...)
	return step.Stay, nil
}

// Outcome says how the request went.
func (m roleSubmitted) Outcome() screen.Outcome {
	return step.OutcomeOf(m.err, screen.ResultDone).With(m.requestID)
}
