package create

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Stack is the step in which CloudFormation makes policy and role from a
// template: started by rolecall, in the console or with the AWS CLI. Whoever
// starts it, rolecall follows the stack by its events, reads the outputs, and
// proves the roles.
type Stack struct {
	step.Described
	stage   stackStage
	id      step.ExternalID
	idFor   []string // purposes whose external ID is still to be known
	plan    stackPlan
	draft   map[string]string // names being typed, by field
	field   map[string]string // what is wrong with them
	stack   aws.Stack         // as last looked at; no ID: none of that name
	update  bool              // the stack exists and is to be changed
	finding permissionsFound
	set     aws.ChangeSet
	watch   *aws.StackWatch
	search  *aws.StackSearch
	seen    stackSeen
	ended   aws.StackStatus // how the run that was followed ended
	found   bool            // the stack was there already, or somebody else made it
	reports map[string]aws.Report
	making  bool // the rehearsal's stand-in for the browser is at work
	done    int  // instructions that are behind
	since   time.Time
	until   time.Time
	next    time.Time
	tries   int
	note    string
	problem *screen.Problem
}

type stackStage int

const (
	inStackID stackStage = iota
	inStackNaming
	inStackLooking
	inStackTaken // a stack of that name exists and is another
	inStackWays
	inStackAsking // what the caller may do
	inStackReady
	inStackPreparing // the change set is in the making
	inStackReview
	inStackSending
	inStackFollowing
	inStackWaiting // for somebody else to make it
	inStackProving
	inStackFailed
	inStackDeleting
	inStackStopped
	inStackMade
)

// The ways to make the stack.
const (
	wayHere    = "rolecall"
	wayConsole = "console"
	wayCLI     = "cli"
)

const flagAcknowledge = "--acknowledge-iam-capabilities"

// stackSeen is what the events of a run tell.
type stackSeen struct {
	resources []aws.StackResource
	cause     *aws.Error // of the first failure; nil: none yet
	causeID   string     // the resource that failed
}

func (c *Stack) basis(a record.Answers) []string {
	basis := append(a.DocumentsBasis(), a.TrustedAccount, a.AccountID, a.Path, a.Boundary, fmt.Sprint(a.Tags), a.SessionFor.String(),
		a.Stack.Name, a.Stack.ID, strconv.FormatBool(a.GuideOnly))
	for _, purpose := range slices.Sorted(maps.Keys(a.Parts)) {
		if p := a.Parts[purpose]; p.Needed {
			basis = append(basis, purpose, p.PolicyName, p.RoleName, p.ExternalID, p.Digests(), p.RoleARN)
		}
	}
	return basis
}

// Status is Done once this run has seen every needed role and found it right
// or, without credentials, once their ARNs were pasted.
func (c *Stack) Status(a record.Answers) step.Status {
	for purpose, part := range a.Parts {
		report := a.Seen.Parts[purpose].Report
		if part.Needed && !a.GuideOnly && (report == nil || !report.OK) {
			return step.Todo
		}
	}
	if a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the external ID where no API tells it, and the acknowledgement
// that only a person gives.
func (c *Stack) Asks(s *step.Session) []step.Need {
	var needs []step.Need
	for _, role := range s.NeededRoles() {
		if needs = s.AsksExternalID(role.Purpose); len(needs) > 0 {
			break
		}
	}
	if !s.Stack.Acknowledged {
		needs = append(needs, step.Need{Flag: flagAcknowledge, Why: "You acknowledge that AWS CloudFormation might create IAM resources."})
	}
	return needs
}

// Enter makes the external IDs known first: the template holds them.
func (c *Stack) Enter(s *step.Session) []screen.Effect {
	*c = Stack{Described: c.Described}
	for _, role := range s.NeededRoles() {
		c.idFor = append(c.idFor, role.Purpose)
	}
	return c.nextID(s)
}

func (c *Stack) nextID(s *step.Session) []screen.Effect {
	c.stage = inStackID
	for len(c.idFor) > 0 {
		purpose := c.idFor[0]
		c.idFor = c.idFor[1:]
		if known, effects := c.id.Begin(s, purpose); !known {
			return effects
		}
	}
	return c.prepare(s)
}

// prepare asks for names, unless a stack of this session may exist already.
func (c *Stack) prepare(s *step.Session) []screen.Effect {
	if s.Stack.ID != "" || s.Stack.Token != "" || s.Stack.Way == wayConsole || s.Stack.Way == wayCLI {
		return c.look(s)
	}
	c.beginNaming(s)
	return nil
}

// look writes the template and looks at what exists of the stack.
func (c *Stack) look(s *step.Session) []screen.Effect {
	c.stage, c.problem, c.update, c.ended, c.seen, c.note = inStackLooking, nil, false, "", stackSeen{}, ""
	c.since, c.tries = s.Now(), 0
	for _, role := range s.NeededRoles() {
		if p := s.PlanProblem(role.Purpose); p != nil {
			c.stop(p)
			return nil
		}
	}
	plan, err := planStack(s)
	if err != nil {
		c.stop(step.ProblemOf(err))
		return nil
	}
	c.plan = plan
	if s.AWS == nil {
		c.stage = inStackWays
		return nil
	}
	return []screen.Effect{c.lookCall(s)}
}

func (c *Stack) stop(p *screen.Problem) { c.stage, c.problem = inStackStopped, p }

// Update follows what CloudFormation shows and what the person wants.
func (c *Stack) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	if c.stage == inStackID {
		known, effects := c.id.Update(s, msg)
		if known {
			effects = append(effects, c.nextID(s)...)
		}
		return step.Stay, effects
	}
	switch msg := msg.(type) {
	case stackLooked:
		return step.Stay, c.looked(s, msg)
	case permissionsFound:
		c.asked(msg)
	case stackSent:
		return step.Stay, c.sent(s, msg)
	case changeSetSeen:
		return step.Stay, c.prepared(s, msg)
	case stackFollowed:
		return step.Stay, c.followed(s, msg)
	case stackSearched:
		return step.Stay, c.searched(s, msg)
	case stackProved:
		return c.proved(s, msg)
	case screen.Chose:
		return c.chose(s, msg)
	case screen.Changed:
		c.typed(msg.ID, msg.Text)
	case screen.Entered:
		return c.entered(s, msg)
	case screen.Saved, screen.Opened, screen.Copied:
		c.mark(msg)
	case screen.Broke:
		return step.Stay, c.broke(s, msg)
	}
	return step.Stay, nil
}

// mark moves the instructions' marker with what the person did.
func (c *Stack) mark(msg screen.Msg) {
	switch msg := msg.(type) {
	case screen.Saved:
		if msg.Err == nil {
			c.done = max(c.done, 1)
		}
	case screen.Opened:
		if msg.Err == nil {
			c.done = max(c.done, 2)
		}
	case screen.Copied:
		if msg.Err == nil && msg.Label == labelCommand {
			c.done = max(c.done, 2)
		}
	}
}

// broke goes on looking after a reading call went wrong, and stops after any
// other.
func (c *Stack) broke(s *step.Session, msg screen.Broke) []screen.Effect {
	c.making = false
	switch c.stage {
	case inStackFollowing, inStackDeleting:
		c.problem = screen.BrokenProblem(msg).AsPassing()
		return []screen.Effect{c.follow(s, step.LongPause)}
	case inStackWaiting:
		c.problem = screen.BrokenProblem(msg).AsPassing()
		return c.searchAfter(step.LongPause)
	}
	c.stop(screen.BrokenProblem(msg))
	return nil
}

// asked shows what rolecall would have CloudFormation do, or what is missing.
func (c *Stack) asked(msg permissionsFound) {
	c.finding, c.stage = msg, inStackReady
	switch {
	case msg.err != nil:
		c.stop(step.ProblemOf(msg.err))
	case len(msg.missing) > 0:
		c.stop(missingProblem(msg.missing))
	}
}

func (c *Stack) ask(s *step.Session) []screen.Effect {
	c.stage, c.problem, c.since = inStackAsking, nil, s.Now()
	account, needs := s.AWS, stackNeeds(s)
	return []screen.Effect{screen.Call{Name: "check your permissions", Do: func(ctx context.Context) screen.Msg {
		missing, known, err := account.Missing(ctx, needs)
		return permissionsFound{missing, known, err}
	}}}
}

// updatable reports whether the stack of that name gives the roles that are
// needed here: then it was made for the same.
func (c *Stack) updatable(s *step.Session) bool {
	if !c.stack.Status.Good() {
		return false
	}
	return !slices.ContainsFunc(c.outputs(s), func(name string) bool { return c.stack.Outputs[name] == "" })
}

// outputs are the names of the outputs that are needed.
func (c *Stack) outputs(s *step.Session) []string {
	var names []string
	for _, role := range s.NeededRoles() {
		names = append(names, role.Purpose)
	}
	return names
}

// take keeps what was proven.
func (c *Stack) take(s *step.Session, roles map[string]*aws.Role) (step.Move, []screen.Effect) {
	for purpose, report := range c.reports {
		s.SetSeen(purpose, func(p *record.SeenPart) { p.Report = &report })
		policies := s.PoliciesOf(purpose, roles[purpose])
		s.SetPart(purpose, func(p *record.Part) {
			p.RoleARN, p.RoleID, p.RoleName, p.Policies = report.Role.ARN, report.Role.ID, report.Role.Name, policies
		})
	}
	c.stage, c.problem = inStackMade, nil
	s.Answered(c.ID(), c.basis(s.Answers)...)
	if s.Resuming {
		return step.Next, nil
	}
	return step.Stay, nil
}

// entered takes a name, or an ARN that was pasted where rolecall cannot look.
func (c *Stack) entered(s *step.Session, msg screen.Entered) (step.Move, []screen.Effect) {
	c.typed(msg.ID, msg.Text)
	if c.stage == inStackNaming {
		return step.Stay, c.useNames(s)
	}
	purpose, ok := strings.CutPrefix(msg.ID, fieldOutput)
	if !ok || c.stage != inStackWaiting || s.AWS != nil {
		return step.Stay, nil
	}
	ref, err := aws.ParseRoleARN(msg.Text, s.Partition, s.AccountID)
	if err != nil {
		c.field[msg.ID] = step.InputProblem(err)
		return step.Stay, nil
	}
	policies := s.PoliciesOf(purpose, nil)
	s.SetPart(purpose, func(p *record.Part) { p.RoleARN, p.RoleName, p.RoleID, p.Policies = ref.ARN, ref.Name, "", policies })
	if arn, ok := aws.SplitARN(ref.ARN); ok && s.AccountID == "" {
		s.AccountID = arn.AccountID
	}
	if c.toPaste(s) != "" {
		return step.Stay, nil
	}
	s.Answered(c.ID(), c.basis(s.Answers)...)
	return step.Next, nil
}

// toPaste is the purpose of the next role whose ARN is not known; empty: none.
func (c *Stack) toPaste(s *step.Session) string {
	for _, role := range s.NeededRoles() {
		if s.Part(role.Purpose).RoleARN == "" {
			return role.Purpose
		}
	}
	return ""
}
