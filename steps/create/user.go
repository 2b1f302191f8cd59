package create

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// DirectUser is the step in which rolecall makes the policy and the IAM
// user itself. It looks at what exists, shows what is missing, and after the
// person agreed sends one request after another, with a look between: so
// nothing is made twice, and a second run changes nothing.
type DirectUser struct {
	step.Described
	stage   userStage
	wants   []access.Document
	seen    userSeen
	ops     []userOp // what is missing, in order
	agreed  bool
	done    []userOp
	since   time.Time
	until   time.Time
	next    time.Time
	tries   int
	field   string
	problem *screen.Problem
}

type userStage int

const (
	userLooking userStage = iota
	userReady             // the plan waits to be agreed to
	userNaming            // another name is needed
	userMaking            // a request that writes is under way
	userPausing           // AWS has to show what was made
	userStopped
	userRightNow
)

// userSeen is what one look showed.
type userSeen struct {
	policies []*aws.Policy // one for each wanted document; nil: none of that name
	user     aws.SeenUser
	report   aws.UserReport
}

// userOp is one request that makes something.
type userOp struct {
	name string // a verb phrase
	item record.Item
	send func(context.Context, *aws.Account, *record.Item) error
}

type (
	userDirectLooked struct {
		seen userSeen
		err  error
	}
	userOpDone struct {
		op  userOp
		err error
	}
)

// purpose is the one user that the description has.
func (c *DirectUser) purpose(s *step.Session) string {
	for _, role := range s.NeededRoles() {
		return role.Purpose
	}
	return ""
}

func (c *DirectUser) basis(a record.Answers) []string {
	basis := append(a.DocumentsBasis(), a.AccountID, a.Path, a.Boundary, fmt.Sprint(a.Tags))
	for _, purpose := range record.SortedPurposes(a.Parts) {
		if p := a.Parts[purpose]; p.Needed {
			basis = append(basis, purpose, p.PolicyName, p.UserName, p.UserARN)
		}
	}
	return basis
}

// Status is Done once this run has seen the user and found it right.
func (c *DirectUser) Status(a record.Answers) step.Status {
	for purpose, part := range a.Parts {
		if part.Needed && !a.UserRight(purpose) {
			return step.Todo
		}
	}
	if a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Enter looks at what exists.
func (c *DirectUser) Enter(s *step.Session) []screen.Effect {
	*c = DirectUser{Described: c.Described}
	if s.AWS == nil {
		c.stage, c.problem = userStopped, &screen.Problem{What: "rolecall has no AWS credentials in this session.",
			Expected: "credentials that may create IAM policies, users and access keys",
			Next:     "Go back to sign in, or choose the manual method.", Kind: screen.AWSRefused}
		return nil
	}
	wants, err := s.WantedDocuments(c.purpose(s))
	if c.problem = step.ProblemOf(err); c.problem == nil {
		c.problem = s.PlanProblems()
	}
	if c.problem != nil {
		c.stage = userStopped
		return nil
	}
	c.wants = wants
	s.SetPart(c.purpose(s), func(p *record.Part) { p.Policies = step.PolicyHints(p.Policies, wants) })
	c.until = s.Now().Add(s.Patience(step.RetryFor))
	return []screen.Effect{c.look(s, 0)}
}

func (c *DirectUser) look(s *step.Session, pause time.Duration) screen.Effect {
	c.since = s.Now()
	account, wants, path := s.AWS, c.wants, s.Path
	ledger, record := s.OpenLedger(), s.Recorder(true)
	want := s.WantedUser(c.purpose(s))
	want.PolicyARNs = nil // what counts is what the user may do
	return screen.Call{Name: "look at what exists", After: pause, Do: func(ctx context.Context) screen.Msg {
		var seen userSeen
		for _, w := range wants {
			p, err := account.PolicyByName(ctx, w.Name, path)
			switch {
			case err == nil:
				seen.policies = append(seen.policies, &p)
			case aws.KindOf(err) == aws.NotFound:
				seen.policies = append(seen.policies, nil)
			default:
				return userDirectLooked{err: err}
			}
		}
		var err error
		if seen.user, seen.report, err = account.LookUser(ctx, want); err == nil {
			err = seen.settle(ledger, record)
		}
		return userDirectLooked{seen, err}
	}}
}

// Update follows what AWS shows and what the person wants.
func (c *DirectUser) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case userDirectLooked:
		return c.looked(s, msg)
	case userOpDone:
		return c.answered(s, msg)
	case screen.Chose:
		return c.chose(s, msg.ID)
	case screen.Changed:
		c.field = ""
	case screen.Entered:
		return c.renamed(s, msg)
	case screen.Broke:
		c.stage, c.problem = userStopped, screen.BrokenProblem(msg)
	}
	return step.Stay, nil
}

func (c *DirectUser) looked(s *step.Session, msg userDirectLooked) (step.Move, []screen.Effect) {
	if msg.err != nil {
		return c.trouble(s, msg.err)
	}
	c.seen, c.problem = msg.seen, nil
	if denied := msg.seen.user.Denied; msg.seen.user.User == nil && len(denied) > 0 {
		return c.stop(&screen.Problem{What: "You are not allowed " + strings.Join(denied, ", ") + ".", Expected: "to see whether the user exists",
			Next: "Ask your administrator for it, or choose the manual method.", Kind: screen.AWSRefused})
	}
	if p := c.difference(s); p != nil {
		c.stage, c.problem = userNaming, p
		return step.Stay, nil
	}
	c.ops = c.plan(s)
	switch {
	case len(c.ops) > 0 && c.agreed:
		return step.Stay, c.make(s)
	case len(c.ops) > 0:
		c.stage = userReady
		return step.Stay, nil
	case c.seen.report.OK:
		return c.take(s)
	}
	return c.pause(s)
}

// make sends the next request. It is on record before it is sent and after it
// was answered.
func (c *DirectUser) make(s *step.Session) []screen.Effect {
	c.stage, c.since = userMaking, s.Now()
	op, account, kept := c.ops[0], s.AWS, s.Recorder(true)
	return []screen.Effect{screen.Call{Name: op.name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		if err := kept(op.item, record.ItemSent); err != nil {
			return userOpDone{op, err} // nothing was sent
		}
		err := op.send(ctx, account, &op.item)
		switch {
		case err == nil:
			err = kept(op.item, record.ItemMade)
		case step.Refused(err) || aws.KindOf(err) == aws.Exists:
			_ = kept(op.item, record.ItemNotMade) // AWS's own answer says more than a disk that is full
		}
		return userOpDone{op, err}
	}}}
}

func (c *DirectUser) answered(s *step.Session, msg userOpDone) (step.Move, []screen.Effect) {
	if msg.err != nil {
		return c.trouble(s, msg.err)
	}
	c.done, c.tries, c.until = append(c.done, msg.op), 0, s.Now().Add(s.Patience(step.RetryFor))
	if msg.op.item.Kind == record.ItemUser {
		c.seen.user.User = &aws.User{Name: msg.op.item.Name, ARN: msg.op.item.ARN, ID: msg.op.item.ID}
	}
	c.ops = c.ops[1:]
	if len(c.ops) == 0 {
		return c.pause(s)
	}
	if c.ops[0].item.Kind == record.ItemUserAttachment && c.seen.user.User != nil {
		c.ops[0].item.UserID = c.seen.user.User.ID
	}
	return step.Stay, c.make(s)
}

// trouble looks again after a failure that may pass: an answer that got lost
// may have been a success.
func (c *DirectUser) trouble(s *step.Session, err error) (step.Move, []screen.Effect) {
	passing := step.Passes(err) || aws.KindOf(err) == aws.Exists && c.tries < 3
	if !passing {
		return c.stop(step.ProblemOf(err))
	}
	c.problem = step.ProblemOf(err).AsPassing()
	return c.pause(s)
}

// pause waits until AWS shows what was made, and looks again.
func (c *DirectUser) pause(s *step.Session) (step.Move, []screen.Effect) {
	pause := min(directPause<<min(c.tries, 3), longestDirect)
	if len(c.done) == 0 && c.tries == 0 || c.tries == 0 && c.problem == nil {
		pause = 0
	}
	if s.Now().Add(pause).After(c.until) {
		return c.stop(c.unproven())
	}
	c.tries++
	c.stage, c.next = userPausing, s.Now().Add(pause)
	return step.Stay, []screen.Effect{c.look(s, pause)}
}

func (c *DirectUser) unproven() *screen.Problem {
	if c.problem != nil {
		p := *c.problem
		p.Passing = false
		return &p
	}
	for _, check := range c.seen.report.Checks {
		if check.Status == aws.Fail || check.Status == aws.Unknown {
			return &screen.Problem{What: "The user is not as needed: " + check.Got + ".", Expected: check.Want, Next: check.Fix, Kind: screen.NotAsNeeded}
		}
	}
	return &screen.Problem{What: "AWS does not show yet what was made.", Expected: "the user with its policy", Next: "Press enter to look again.", Kind: screen.TimedOut}
}

func (c *DirectUser) stop(p *screen.Problem) (step.Move, []screen.Effect) {
	c.stage, c.problem = userStopped, p
	return step.Stay, nil
}

// take keeps what was proven right. What was there before counts as adopted.
func (c *DirectUser) take(s *step.Session) (step.Move, []screen.Effect) {
	purpose := c.purpose(s)
	s.TakeUser(purpose, c.seen.report)
	s.SetPart(purpose, func(p *record.Part) {
		for i, seen := range c.seen.policies {
			if seen != nil && i < len(p.Policies) {
				p.Policies[i].ARN = seen.ARN
			}
		}
	})
	c.stage, c.problem = userRightNow, nil
	s.Answered(c.ID(), c.basis(s.Answers)...)
	if s.Resuming {
		return step.Next, nil
	}
	return step.Stay, nil
}

// Deeper reports whether other names are being asked for.
func (c *DirectUser) Deeper() bool { return c.stage == userNaming }

// Up leaves the names as they were, and looks again.
func (c *DirectUser) Up(s *step.Session) []screen.Effect { return c.Enter(s) }

func (c *DirectUser) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	switch id {
	case "create":
		c.agreed = true
		return step.Stay, c.make(s)
	case "rename":
		c.stage, c.field = userNaming, ""
	case "again":
		return step.Stay, c.Enter(s)
	case "next":
		return step.Next, nil
	}
	return step.Stay, nil
}

func (c *DirectUser) renamed(s *step.Session, msg screen.Entered) (step.Move, []screen.Effect) {
	name, check := strings.TrimSpace(msg.Text), aws.CheckUserName
	if msg.ID == "policy-name" {
		check = aws.CheckPolicyName
	}
	if err := check(name); err != nil {
		c.field = step.InputProblem(err)
		return step.Stay, nil
	}
	s.SetPart(c.purpose(s), func(p *record.Part) {
		if msg.ID == "policy-name" {
			p.PolicyName, p.Policies = name, nil
			return
		}
		p.UserName, p.UserNameGiven = name, true
	})
	return step.Stay, c.Enter(s)
}
