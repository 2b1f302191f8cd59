package create

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Stack is the step in which CloudFormation makes policy and role from a
// template: started by rolecall, in the console or with the AWS CLI. Whoever
// starts it, rolecall follows the stack by its events, reads the outputs, and
// proves the roles.
type Stack struct {
	creating
	stage   stackStage
	plan    stackPlan
	want    *making.Stack
	then    func(*step.Session) []screen.Effect // after the answer to the request under way
	stack   aws.Stack                           // that is followed or in the way; no ID: none
	update  bool                                // the stack exists and is to be changed
	set     aws.ChangeSet
	watch   *aws.StackWatch
	search  *aws.StackSearch
	seen    stackSeen
	ended   aws.StackStatus // how the run that was followed ended
	found   bool            // the stack was there already, or somebody else made it
	acting  bool            // the rehearsal's stand-in for the browser is at work
	acted   bool            // it made the stack
	done    int             // instructions that are behind
	pasted  []string        // purposes of roles whose ARN was pasted at this visit
	since   time.Time
	until   time.Time
	next    time.Time
	tries   int
	note    string
	problem *screen.Problem // beside that of the run
}

type stackStage int

const (
	stackID  stackStage = iota
	stackRun            // as far as the run is
	stackNaming
	stackWays
	stackPreparing // the change set is in the making
	stackReview
	stackFollowing
	stackDeleting
	stackWaiting // for somebody else to make it
	stackFailed  // CloudFormation could not make it
)

// The ways to make the stack.
const (
	wayHere    = "rolecall"
	wayConsole = "console"
	wayCLI     = "cli"
)

const (
	flagAcknowledge = "--acknowledge-iam-capabilities"
	fieldOutput     = "output "
)

func (c *Stack) basis(a record.Answers) []string {
	return append(c.creating.basis(a), a.Stack.Name, a.Stack.ID, strconv.FormatBool(a.GuideOnly))
}

// Status is Done once this run has seen every needed role and found it right
// or, without credentials, once their ARNs were pasted.
func (c *Stack) Status(a record.Answers) step.Status {
	if (a.GuideOnly || seenRight(a)) && a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the external ID where no API tells it, and the acknowledgement
// that only a person gives.
func (c *Stack) Asks(s *step.Session) []step.Need {
	needs := c.creating.Asks(s)
	if !s.Stack.Acknowledged {
		needs = append(needs, step.Need{Flag: flagAcknowledge, Why: "You acknowledge that AWS CloudFormation might create IAM resources."})
	}
	return needs
}

// NewStack makes the step of a description.
func NewStack(d step.Described) *Stack {
	return &Stack{creating: creating{Described: d}}
}

// Enter makes the external IDs known first: the template holds them.
func (c *Stack) Enter(s *step.Session) []screen.Effect {
	*c = *NewStack(c.Described)
	c.needIDs(s)
	known, effects := c.nextID(s)
	if known {
		return c.prepare(s)
	}
	return effects
}

// prepare asks for names, unless a stack of this session may exist already.
func (c *Stack) prepare(s *step.Session) []screen.Effect {
	if s.Stack.ID != "" || s.Stack.Token != "" || s.Stack.Way == wayConsole || s.Stack.Way == wayCLI {
		return c.look(s)
	}
	c.beginNaming(s)
	return nil
}

func (c *Stack) beginNaming(s *step.Session) {
	c.stage, c.problem = stackNaming, nil
	c.names.begin(s)
	c.names.draft[fieldStackName] = stackName(s)
}

// useNames takes the names when all of them are such, and looks at the stack.
func (c *Stack) useNames(s *step.Session) []screen.Effect {
	if c.stage != stackNaming || !c.names.right() {
		return nil
	}
	if name := c.names.draft[fieldStackName]; name != s.Stack.Name {
		s.Stack.Name, s.Stack.ID, s.Stack.Token = name, "", ""
	}
	c.names.take(s)
	return c.look(s)
}

// look writes the template and looks at what exists of the stack.
func (c *Stack) look(s *step.Session) []screen.Effect {
	c.run.Forget()
	c.stage, c.problem, c.update, c.ended, c.seen, c.note, c.found = stackRun, nil, false, "", stackSeen{}, "", false
	p := s.PlanProblems()
	if p == nil {
		var err error
		c.plan, err = planStack(s)
		p = step.ProblemOf(err)
	}
	if p != nil {
		c.run.Stop(p)
		return nil
	}
	if s.AWS == nil {
		c.stage = stackWays
		return nil
	}
	c.want = c.plan.want(s, s.StackToken())
	return c.run.Begin(s.Host(), c.want)
}

// Update follows what CloudFormation shows and what the person wants.
func (c *Stack) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	if c.stage == stackID {
		known, effects := c.tellID(s, msg)
		if known {
			effects = append(effects, c.prepare(s)...)
		}
		return step.Stay, effects
	}
	switch msg := msg.(type) {
	case changeSetSeen:
		return step.Stay, c.prepared(s, msg)
	case stackFollowed:
		return step.Stay, c.followed(s, msg)
	case stackSearched:
		return step.Stay, c.searched(s, msg)
	case screen.Chose:
		return c.chose(s, msg)
	case screen.Changed:
		c.names.typed(msg.ID, msg.Text)
	case screen.Entered:
		return c.entered(s, msg)
	case screen.Saved, screen.Opened, screen.Copied:
		c.mark(msg)
	case screen.Broke:
		return step.Stay, c.broke(s, msg)
	default:
		return c.ran(s, msg)
	}
	return step.Stay, nil
}

// ran goes on from where a message of its own has led the run.
func (c *Stack) ran(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	before := c.run.Stage
	right, effects := c.advance(s, msg)
	for _, x := range c.run.Sights {
		c.stack = aws.Stack{}
		if x.Stack != nil {
			c.stack = *x.Stack
		}
	}
	switch {
	case right:
		return c.take(s)
	case c.run.Stage == making.Ready && before != making.Asking:
		return step.Stay, c.free(s)
	case c.run.Stage == making.Following && before == making.Sending:
		done := c.run.Done[len(c.run.Done)-1]
		if done.Item.ID != "" {
			s.Stack.ID = done.Item.ID
		}
		if done.OnlyAnswer {
			return step.Stay, c.prepareSet(s)
		}
		return step.Stay, c.then(s)
	case c.run.Stage == making.Following:
		return step.Stay, c.begin(s, c.stack, "", stackFollowing)
	}
	return step.Stay, effects
}

// free goes on where no stack is in the way.
func (c *Stack) free(s *step.Session) []screen.Effect {
	if c.update {
		return c.run.Ask(s.Host())
	}
	s.Stack.ID = ""
	if s.Stack.Way == wayConsole || s.Stack.Way == wayCLI {
		return c.wait(s)
	}
	c.stage = stackWays
	return nil
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
	c.acting = false
	c.problem = screen.BrokenProblem(msg).AsPassing()
	switch c.stage {
	case stackFollowing, stackDeleting:
		return []screen.Effect{c.follow(s, step.LongPause)}
	case stackWaiting:
		return c.searchAfter(step.LongPause)
	}
	c.stop(screen.BrokenProblem(msg))
	return nil
}

// stop says why rolecall does not go on by itself.
func (c *Stack) stop(p *screen.Problem) {
	c.stage, c.problem = stackRun, nil
	c.run.Stop(p)
}

// chose takes what the person picked or pressed.
func (c *Stack) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	switch msg.Block {
	case choiceWay:
		return step.Stay, c.choseWay(s, msg.ID)
	case choiceTaken:
		return step.Stay, c.choseTaken(s, msg.ID)
	}
	switch msg.ID {
	case "use":
		return step.Stay, c.useNames(s)
	case "create":
		return step.Stay, c.create(s)
	case "execute":
		return step.Stay, c.execute(s)
	case "discard":
		return step.Stay, c.discard(s)
	case "act":
		return step.Stay, c.act(s)
	case "delete":
		return step.Stay, c.delete(s)
	case "rename":
		c.beginNaming(s)
	case "way":
		c.stage, c.problem = stackWays, nil
	case "again":
		return step.Stay, c.again(s, c.look)
	case "anyway":
		c.run.Anyway()
	case "login":
		return step.Goto(record.StepLogin), nil
	case "next":
		return step.Next, nil
	}
	return step.Stay, nil
}

// choseWay takes who makes the stack.
func (c *Stack) choseWay(s *step.Session, way string) []screen.Effect {
	if c.stage != stackWays || way == wayHere && s.AWS == nil {
		return nil
	}
	s.Stack.Way = way
	switch way {
	case wayHere:
		c.stage = stackRun
		return c.run.Ask(s.Host())
	case wayConsole, wayCLI:
		return c.wait(s)
	}
	return nil
}

// choseTaken takes one of the ways out when another stack has the name.
func (c *Stack) choseTaken(s *step.Session, id string) []screen.Effect {
	if c.stage != stackRun || c.run.Stage != making.Differs {
		return nil
	}
	first := c.run.Plan.Differences[0]
	switch {
	case id == optionRename:
		c.beginNaming(s)
		c.names.ask(c.run.Plan.Differences)
	case id == optionUpdate && first.Fixed == "":
		c.update, s.Stack.Way = true, wayHere
		c.run.Accept(s.Host(), first)
		return c.run.Ask(s.Host())
	case id == optionStop:
		c.stop(&screen.Problem{What: "Stopped. Nothing was changed.", Expected: "a choice between another name and an update",
			Next: "Look again, or leave: the session is saved.", Kind: screen.NotAsNeeded})
	}
	return nil
}

// take keeps what was proven.
func (c *Stack) take(s *step.Session) (step.Move, []screen.Effect) {
	x := c.run.Sights[0]
	c.found = c.found || len(c.run.Plan.Adopted) > 0 && c.run.Plan.Adopted[0].State != record.ItemMade
	s.Stack.ID, s.Stack.Name = x.Stack.ID, x.Stack.Name
	for purpose, report := range x.Reports {
		s.SetSeen(purpose, func(p *record.SeenPart) { p.Report = &report })
		policies := s.PoliciesOf(purpose, x.Roles[purpose])
		s.SetPart(purpose, func(p *record.Part) {
			p.RoleARN, p.RoleID, p.RoleName, p.Policies = report.Role.ARN, report.Role.ID, report.Role.Name, policies
		})
	}
	return c.answered(s)
}

func (c *Stack) answered(s *step.Session) (step.Move, []screen.Effect) {
	s.Answered(c.ID(), c.basis(s.Answers)...)
	if s.Resuming {
		return step.Next, nil
	}
	return step.Stay, nil
}

// entered takes a name, or an ARN that was pasted where rolecall cannot look.
func (c *Stack) entered(s *step.Session, msg screen.Entered) (step.Move, []screen.Effect) {
	c.names.typed(msg.ID, msg.Text)
	if c.stage == stackNaming {
		return step.Stay, c.useNames(s)
	}
	purpose, ok := strings.CutPrefix(msg.ID, fieldOutput)
	if !ok || c.stage != stackWaiting || s.AWS != nil {
		return step.Stay, nil
	}
	if err := s.TakeRoleARN(purpose, msg.Text); err != nil {
		c.names.wrong[msg.ID] = step.InputProblem(err)
		return step.Stay, nil
	}
	policies := s.PoliciesOf(purpose, nil)
	s.SetPart(purpose, func(p *record.Part) { p.Policies = policies })
	c.pasted = append(c.pasted, purpose)
	if c.toPaste(s) != "" {
		return step.Stay, nil
	}
	_, _ = c.answered(s)
	return step.Next, nil
}

// toPaste is the purpose of the next role whose ARN was not pasted at this visit,
// or was forgotten again; empty: none.
func (c *Stack) toPaste(s *step.Session) string {
	for _, role := range s.Request().Needed() {
		if !slices.Contains(c.pasted, role.Purpose) || s.Part(role.Purpose).RoleARN == "" {
			return role.Purpose
		}
	}
	return ""
}

// makes says which OIDC providers the stack makes, as the last look showed; empty:
// nobody looked.
func (c *Stack) makes() map[string]string {
	if len(c.run.Sights) == 0 {
		return nil
	}
	return c.run.Sights[0].Makes
}

// act does in the rehearsal account what the person would do in the browser,
// acknowledgement included. It leaves no receipt.
func (c *Stack) act(s *step.Session) []screen.Effect {
	c.acting, c.since = true, s.Now()
	account, want, makes := s.AWS, *c.want, c.makes()
	want.Acknowledged = true
	return []screen.Effect{screen.Call{Name: "create stack " + want.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		_, err := account.CreateStack(ctx, want.New(makes))
		return stackSearched{err: err, acted: true}
	}}}
}
