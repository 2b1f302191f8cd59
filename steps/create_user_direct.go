package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/aws"
)

// createUserDirect is the step in which rolecall makes the policy and the IAM
// user itself. It looks at what exists, shows what is missing, and after the
// person agreed sends one request after another, with a look between: so
// nothing is made twice, and a second run changes nothing.
type createUserDirect struct {
	described
	stage   userStage
	wants   []WantedDocument
	seen    userSeen
	ops     []userOp // what is missing, in order
	agreed  bool
	done    []userOp
	since   time.Time
	until   time.Time
	next    time.Time
	tries   int
	field   string
	problem *Problem
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
	item Item
	send func(context.Context, *aws.Account, *Item) error
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
func (c *createUserDirect) purpose(s *Session) string {
	for _, role := range s.NeededRoles() {
		return role.Purpose
	}
	return ""
}

func (c *createUserDirect) basis(a Answers) []string {
	basis := append(a.documentsBasis(), a.AccountID, a.Path, a.Boundary, fmt.Sprint(a.Tags))
	for _, purpose := range sortedPurposes(a.Parts) {
		if p := a.Parts[purpose]; p.Needed {
			basis = append(basis, purpose, p.PolicyName, p.UserName, p.UserARN)
		}
	}
	return basis
}

// Status is Done once this run has seen the user and found it right.
func (c *createUserDirect) Status(a Answers) Status {
	for purpose, part := range a.Parts {
		if part.Needed && !a.userRight(purpose) {
			return Todo
		}
	}
	if a.settled(c.ID(), c.basis(a)...) {
		return Done
	}
	return Todo
}

// Enter looks at what exists.
func (c *createUserDirect) Enter(s *Session) []Effect {
	*c = createUserDirect{described: c.described}
	if s.AWS == nil {
		c.stage, c.problem = userStopped, &Problem{What: "rolecall has no AWS credentials in this session.",
			Expected: "credentials that may create IAM policies, users and access keys",
			Next:     "Go back to sign in, or choose the manual method.", Kind: AWSRefused}
		return nil
	}
	wants, err := s.WantedDocuments(c.purpose(s))
	if c.problem = problemOf(err); c.problem == nil {
		c.problem = s.planProblems()
	}
	if c.problem != nil {
		c.stage = userStopped
		return nil
	}
	c.wants = wants
	s.setPart(c.purpose(s), func(p *Part) { p.Policies = partPolicies(p.Policies, wants) })
	c.until = s.Now().Add(s.patience(retryFor))
	return []Effect{c.look(s, 0)}
}

func (c *createUserDirect) look(s *Session, pause time.Duration) Effect {
	c.since = s.Now()
	account, wants, path := s.AWS, c.wants, s.Path
	ledger, record := s.ledger(), s.recorder(true)
	want := s.wantedUser(c.purpose(s))
	want.PolicyARNs = nil // what counts is what the user may do
	return Call{Name: "look at what exists", After: pause, Do: func(ctx context.Context) Msg {
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
func (c *createUserDirect) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case userDirectLooked:
		return c.looked(s, msg)
	case userOpDone:
		return c.answered(s, msg)
	case Chose:
		return c.chose(s, msg.ID)
	case Changed:
		c.field = ""
	case Entered:
		return c.renamed(s, msg)
	case Broke:
		c.stage, c.problem = userStopped, brokenProblem(msg)
	}
	return Stay, nil
}

func (c *createUserDirect) looked(s *Session, msg userDirectLooked) (Move, []Effect) {
	if msg.err != nil {
		return c.trouble(s, msg.err)
	}
	c.seen, c.problem = msg.seen, nil
	if denied := msg.seen.user.Denied; msg.seen.user.User == nil && len(denied) > 0 {
		return c.stop(&Problem{What: "You are not allowed " + strings.Join(denied, ", ") + ".", Expected: "to see whether the user exists",
			Next: "Ask your administrator for it, or choose the manual method.", Kind: AWSRefused})
	}
	if p := c.difference(s); p != nil {
		c.stage, c.problem = userNaming, p
		return Stay, nil
	}
	c.ops = c.plan(s)
	switch {
	case len(c.ops) > 0 && c.agreed:
		return Stay, c.make(s)
	case len(c.ops) > 0:
		c.stage = userReady
		return Stay, nil
	case c.seen.report.OK:
		return c.take(s)
	}
	return c.pause(s)
}

// make sends the next request. It is on record before it is sent and after it
// was answered.
func (c *createUserDirect) make(s *Session) []Effect {
	c.stage, c.since = userMaking, s.Now()
	op, account, record := c.ops[0], s.AWS, s.recorder(true)
	return []Effect{Call{Name: op.name, Writes: true, Do: func(ctx context.Context) Msg {
		if err := record(op.item, ItemSent); err != nil {
			return userOpDone{op, err} // nothing was sent
		}
		err := op.send(ctx, account, &op.item)
		switch {
		case err == nil:
			err = record(op.item, ItemMade)
		case refused(err) || aws.KindOf(err) == aws.Exists:
			_ = record(op.item, ItemNotMade) // AWS's own answer says more than a disk that is full
		}
		return userOpDone{op, err}
	}}}
}

func (c *createUserDirect) answered(s *Session, msg userOpDone) (Move, []Effect) {
	if msg.err != nil {
		return c.trouble(s, msg.err)
	}
	c.done, c.tries, c.until = append(c.done, msg.op), 0, s.Now().Add(s.patience(retryFor))
	if msg.op.item.Kind == ItemUser {
		c.seen.user.User = &aws.User{Name: msg.op.item.Name, ARN: msg.op.item.ARN, ID: msg.op.item.ID}
	}
	c.ops = c.ops[1:]
	if len(c.ops) == 0 {
		return c.pause(s)
	}
	if c.ops[0].item.Kind == ItemUserAttachment && c.seen.user.User != nil {
		c.ops[0].item.UserID = c.seen.user.User.ID
	}
	return Stay, c.make(s)
}

// trouble looks again after a failure that may pass: an answer that got lost
// may have been a success.
func (c *createUserDirect) trouble(s *Session, err error) (Move, []Effect) {
	passing := passes(err) || aws.KindOf(err) == aws.Exists && c.tries < 3
	if !passing {
		return c.stop(problemOf(err))
	}
	c.problem = problemOf(err).passing()
	return c.pause(s)
}

// pause waits until AWS shows what was made, and looks again.
func (c *createUserDirect) pause(s *Session) (Move, []Effect) {
	pause := min(directPause<<min(c.tries, 3), longestDirect)
	if len(c.done) == 0 && c.tries == 0 || c.tries == 0 && c.problem == nil {
		pause = 0
	}
	if s.Now().Add(pause).After(c.until) {
		return c.stop(c.unproven())
	}
	c.tries++
	c.stage, c.next = userPausing, s.Now().Add(pause)
	return Stay, []Effect{c.look(s, pause)}
}

func (c *createUserDirect) unproven() *Problem {
	if c.problem != nil {
		p := *c.problem
		p.Passing = false
		return &p
	}
	for _, check := range c.seen.report.Checks {
		if check.Status == aws.Fail || check.Status == aws.Unknown {
			return &Problem{What: "The user is not as needed: " + check.Got + ".", Expected: check.Want, Next: check.Fix, Kind: NotAsNeeded}
		}
	}
	return &Problem{What: "AWS does not show yet what was made.", Expected: "the user with its policy", Next: "Press enter to look again.", Kind: TimedOut}
}

func (c *createUserDirect) stop(p *Problem) (Move, []Effect) {
	c.stage, c.problem = userStopped, p
	return Stay, nil
}

// take keeps what was proven right. What was there before counts as adopted.
func (c *createUserDirect) take(s *Session) (Move, []Effect) {
	purpose := c.purpose(s)
	s.takeUser(purpose, c.seen.report)
	s.setPart(purpose, func(p *Part) {
		for i, seen := range c.seen.policies {
			if seen != nil && i < len(p.Policies) {
				p.Policies[i].ARN = seen.ARN
			}
		}
	})
	c.stage, c.problem = userRightNow, nil
	s.settle(c.ID(), c.basis(s.Answers)...)
	if s.Resuming {
		return Next, nil
	}
	return Stay, nil
}

// Deeper reports whether other names are being asked for.
func (c *createUserDirect) Deeper() bool { return c.stage == userNaming }

// Up leaves the names as they were, and looks again.
func (c *createUserDirect) Up(s *Session) []Effect { return c.Enter(s) }

func (c *createUserDirect) chose(s *Session, id string) (Move, []Effect) {
	switch id {
	case "create":
		c.agreed = true
		return Stay, c.make(s)
	case "rename":
		c.stage, c.field = userNaming, ""
	case "again":
		return Stay, c.Enter(s)
	case "next":
		return Next, nil
	}
	return Stay, nil
}

func (c *createUserDirect) renamed(s *Session, msg Entered) (Move, []Effect) {
	name, check := strings.TrimSpace(msg.Text), aws.CheckUserName
	if msg.ID == "policy-name" {
		check = aws.CheckPolicyName
	}
	if err := check(name); err != nil {
		c.field = inputProblem(err)
		return Stay, nil
	}
	s.setPart(c.purpose(s), func(p *Part) {
		if msg.ID == "policy-name" {
			p.PolicyName, p.Policies = name, nil
			return
		}
		p.UserName, p.UserNameGiven = name, true
	})
	return Stay, c.Enter(s)
}
