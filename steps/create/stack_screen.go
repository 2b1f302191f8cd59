package create

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/guide"
	making "rolecall/steps/make"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// The questions of the step.
const (
	choiceWay   = "way"
	choiceTaken = "taken"
)

const labelCommand = "Command"

// Screen shows what will be made, then how it goes, then what exists.
func (c *Stack) Screen(s *step.Session) screen.Screen {
	view, problem := c.NewScreen(s), c.problem
	switch c.stage {
	case stackID:
		return c.id.Show(s, view)
	case stackRun:
		if c.run.Stage == making.Differs {
			view.Blocks = c.taken(s)
			return view
		}
		problem = c.run.Problem
		view.Blocks, view.Actions = c.runScreen(s)
	case stackNaming:
		view.Blocks, view.Actions = c.naming(s)
	case stackPreparing:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "CloudFormation works out what it would do", State: screen.Running, Since: c.run.Since}}}
	case stackWays:
		view.Blocks = c.ways(s)
	case stackReview:
		view.Blocks, view.Actions = c.review(s)
	case stackFollowing, stackDeleting:
		view.Blocks = c.running(s)
	case stackWaiting:
		view.Blocks, view.Actions = c.waiting(s)
	case stackFailed:
		view.Blocks, view.Actions = c.failed(s)
	}
	if c.acted {
		view.Blocks = append(step.Acted("the stack "+s.Stack.Name), view.Blocks...)
	}
	if c.note != "" {
		view.Blocks = append(view.Blocks, screen.Text{Tone: screen.Warning, Body: c.note})
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, problem)
	return view
}

// runScreen shows how far the run is.
func (c *Stack) runScreen(s *step.Session) ([]screen.Block, []screen.Action) {
	doing := func(what string, since time.Time) []screen.Block {
		return []screen.Block{screen.Tasks{{Name: what, State: screen.Running, Since: since}}}
	}
	switch c.run.Stage {
	case making.Asking:
		return doing("Asking IAM what you are allowed to do", c.run.Since), nil
	case making.Ready:
		return c.ready(s)
	case making.Sending:
		return doing("Telling CloudFormation", c.run.Began), nil
	case making.Proving:
		return c.running(s), nil
	case making.Failed, making.Stopped:
		return c.stopped(s)
	case making.Made:
		return c.made(s), []screen.Action{{ID: "next", Label: "next", Default: true}}
	default:
		return doing("Looking for the stack", c.run.Since), nil
	}
}

// proven reports whether what was made is being proven, or was.
func (c *Stack) proven() bool {
	return c.stage == stackRun && (c.run.Stage == making.Proving || c.run.Stage == making.Made)
}

// naming shows the fields. Unattended, the flags that fill them are named.
func (c *Stack) naming(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := append([]screen.Block{screen.Text{Body: "What should the stack and what it makes be called?"}},
		c.names.input(fieldStackName, "Stack name", "--stack-name")...)
	needed := s.Request().Needed()
	for _, role := range needed {
		suffix := ""
		if len(needed) > 1 {
			suffix = " · " + role.Title
		}
		blocks = append(append(blocks, c.names.roleInput(role.Purpose, suffix)...), c.names.policyInput(role.Purpose, suffix)...)
	}
	return append(blocks, c.Guide(s)...), []screen.Action{{ID: "use", Label: "use these names", Default: true}}
}

// place says which stack is meant, and where.
func (c *Stack) place(s *step.Session) screen.Facts {
	facts := screen.Facts{{Label: "Stack", Value: s.Stack.Name, Copy: true}, {Label: "Region", Value: stackRegion(s)}}
	return append(facts, settings(s, s.SessionFor.String())...)
}

// taken shows that the name is another stack's, and the ways out.
func (c *Stack) taken(s *step.Session) []screen.Block {
	first := c.run.Plan.Differences[0]
	return []screen.Block{
		first.Problem,
		screen.Choices{ID: choiceTaken, Label: "What should rolecall do?", Options: []screen.Option{
			{ID: optionRename, Label: "Use another name", Detail: "what exists stays as it is"},
			{ID: optionUpdate, Label: "Update it", Detail: "through a change set that you look at first", Disabled: first.Fixed},
			{ID: optionStop, Label: "Stop", Detail: "nothing is changed"},
		}},
		c.plan.code(s),
	}
}

// ways asks who makes the stack.
func (c *Stack) ways(s *step.Session) []screen.Block {
	here := screen.Option{ID: wayHere, Label: "rolecall", Detail: "shows a change set first, then runs it and follows it"}
	picked := wayHere
	if s.AWS == nil {
		here.Disabled, picked = "there are no AWS credentials in this session", wayConsole
	}
	return []screen.Block{
		c.place(s),
		screen.Choices{ID: choiceWay, Label: "Who creates the stack?", Picked: picked, Options: []screen.Option{here,
			{ID: wayConsole, Label: "You, in the AWS console", Detail: "you upload the template; rolecall finds the stack and follows it"},
			{ID: wayCLI, Label: "You, with the AWS CLI", Detail: "you run one command; rolecall finds the stack and follows it"},
		}},
		c.plan.code(s),
	}
}

// ready asks for the acknowledgement that AWS's console asks for too.
func (c *Stack) ready(s *step.Session) ([]screen.Block, []screen.Action) {
	verb, label := "make", "acknowledge, see the change set"
	if c.update {
		verb = "change"
	}
	if s.Unattended {
		label = "create the stack"
	}
	blocks := []screen.Block{
		screen.Text{Body: "CloudFormation will " + verb + " this in account " + screen.Grouped(s.AccountID) + step.AccountAlias(s) + ":"},
		c.tasks(),
		screen.Text{Body: "AWS asks you to acknowledge that AWS CloudFormation might create IAM resources: these."},
		c.place(s), c.plan.code(s),
	}
	return append(blocks, c.allowed(), callerPolicy(stackNeeds(s), "", false)), []screen.Action{
		{ID: "create", Label: label, Default: true, Writes: true, Confirm: &screen.Confirm{Flag: flagAcknowledge, Given: s.Stack.Acknowledged,
			Question: "Do you acknowledge that AWS CloudFormation might create IAM resources?"}},
		{ID: "rename", Key: "n", Label: "other names"},
		{ID: "way", Key: "w", Label: "another way"},
	}
}

// review shows what the change set would do.
func (c *Stack) review(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{screen.Text{Body: "The change set is ready. Nothing was made yet."}, c.place(s),
		screen.Text{Body: "Executing it does this in account " + screen.Grouped(s.AccountID) + step.AccountAlias(s) + ":"}}
	var facts screen.Facts
	replaced := false
	for _, change := range c.set.Changes {
		replaced = replaced || change.Replaces()
		facts = append(facts, screen.Fact{Label: change.Action, Value: c.what(change.LogicalID), Note: making.ChangeWords(change)})
	}
	blocks = append(blocks, facts, c.plan.code(s))
	if replaced {
		blocks = append(
			blocks,
			screen.Text{
				Tone: screen.Warning,
				Body: "A new role has another identity: " + s.Vendor.Title + " has no access until it has the new ARN.",
			},
		)
	}
	return blocks, []screen.Action{
		{ID: "execute", Label: "execute the change set", Default: true, Writes: true},
		{ID: "discard", Key: "x", Label: "discard it"},
	}
}

// what is a resource of the template in words.
func (c *Stack) what(logicalID string) string {
	for _, p := range c.plan.resources {
		if p.id == logicalID {
			return p.what
		}
	}
	return logicalID
}

// running shows the resources with their states, and the clock.
func (c *Stack) running(s *step.Session) []screen.Block {
	tasks := c.tasks()
	if c.stage == stackRun { // it is proven
		waiting := screen.Waiting{For: "AWS to show what was made", Since: c.run.Since, Until: c.run.Until, Next: c.run.Next, Wrong: c.run.Wrong}
		if c.run.Tries == 0 {
			waiting.Next = waiting.Since
		}
		return append([]screen.Block{tasks, waiting}, c.checks(false)...)
	}
	waiting := screen.Waiting{For: "CloudFormation to make the stack " + s.Stack.Name, Since: c.since, Next: c.next}
	if c.stage == stackDeleting {
		waiting.For = "CloudFormation to delete the stack " + c.stack.Name
		return append([]screen.Block{tasks, waiting}, c.consoleLink(s)...)
	}
	blocks := []screen.Block{tasks, c.progress(tasks), waiting}
	if c.seen.cause != nil {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: c.seen.cause.What + " CloudFormation takes back what it made."})
	}
	return append(blocks, c.consoleLink(s)...)
}

// checks are those of the roles, as last seen; all of them, or those of roles
// that are not right.
func (c *Stack) checks(all bool) []screen.Block {
	var blocks []screen.Block
	for _, x := range c.run.Sights {
		for _, purpose := range c.want.Purposes {
			if report, ok := x.Reports[purpose]; ok && (all || !report.OK) {
				blocks = append(blocks, step.ChecksOf(report.Checks))
			}
		}
	}
	return blocks
}

func (c *Stack) consoleLink(s *step.Session) []screen.Block {
	console, ok := aws.ConsoleFor(s.Partition)
	if !ok || s.Stack.ID == "" {
		return nil
	}
	return []screen.Block{screen.Link{Label: "The stack's events", URL: console.Stack(stackRegion(s), s.Stack.ID)}}
}

// waiting tells the person how to make the stack, and that rolecall looks.
func (c *Stack) waiting(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{c.plan.code(s)}
	if s.Stack.Way == wayCLI {
		blocks = append(blocks, c.List(s, c.done, "Save the template here.",
			"Copy the command. It says that you acknowledge that IAM resources are made.", "Run it where you saved the template.")...)
		blocks = append(
			blocks,
			screen.Code{
				Label: labelCommand,
				Name:  s.Stack.Name + ".sh",
				Body:  stackCommand(s, c.makes()),
				About: "for the AWS CLI, a shell as on Linux and macOS",
			},
			c.place(s),
		)
	} else {
		blocks = append(blocks, c.List(s, c.done,
			"Save the template here.",
			"Open the page below: o. Look at the top right that it is account "+guide.OrDigits(s.AccountID)+".",
			"Choose Upload a template file, choose the saved file, then Next.",
			"Enter the stack name "+s.Stack.Name+". "+c.setParameters()+", then Next.",
			"Tick I acknowledge that AWS CloudFormation might create IAM resources, then Next.",
			"Choose Submit.",
		)...)
		blocks = append(blocks, c.place(s))
		if console, ok := aws.ConsoleFor(s.Partition); ok {
			blocks = append(blocks, screen.Link{Label: "Create stack", URL: console.UploadTemplate(stackRegion(s))})
		}
	}
	if s.AWS == nil {
		return append(blocks, c.pasting(s)...), nil
	}
	return append(blocks, c.searching(s)), c.waitingActions(s)
}

// setParameters says what becomes of the template's parameters in the console: an
// OIDC provider that is there cannot be made twice.
func (c *Stack) setParameters() string {
	var there []string
	for name, makes := range c.makes() {
		if makes == "false" {
			there = append(there, name)
		}
	}
	if len(there) == 0 {
		return "Leave the parameters as they are"
	}
	slices.Sort(there)
	return "Set " + strings.Join(there, " and ") + " to false: the account has that provider. Leave the other parameters as they are"
}

func (c *Stack) searching(s *step.Session) screen.Block {
	switch {
	case c.acting:
		return screen.Tasks{{Name: "Creating the stack in the rehearsal account", State: screen.Running, Since: c.since}}
	case s.Now().Before(c.until):
		return screen.Waiting{For: "a stack made from this template", Since: c.since, Until: c.until, Next: c.next}
	}
	return screen.Text{Tone: screen.Warning, Body: "rolecall stopped looking."}
}

func (c *Stack) waitingActions(s *step.Session) []screen.Action {
	way := screen.Action{ID: "way", Key: "w", Label: "another way"}
	switch {
	case c.acting:
		return nil
	case s.Rehearsal:
		return []screen.Action{step.Act(), way}
	case s.Now().Before(c.until):
		return []screen.Action{{ID: "next", Label: "next", Default: true, Disabled: "waits for the stack"}, way}
	}
	return []screen.Action{{ID: "again", Label: "go on looking", Default: true}, way}
}

// pasting asks for the outputs where rolecall cannot look.
func (c *Stack) pasting(s *step.Session) []screen.Block {
	blocks := []screen.Block{
		screen.Text{Tone: screen.Dim, Body: "rolecall cannot look into the account. When the stack is complete, copy from its tab Outputs."},
	}
	purpose := c.toPaste(s)
	if purpose == "" {
		return blocks
	}
	id := fieldOutput + purpose
	return append(
		blocks,
		screen.Input{
			ID:      id,
			Label:   purpose,
			Value:   s.Part(purpose).RoleARN,
			Hint:    "arn:" + s.Partition + ":iam::" + guide.OrDigits(s.AccountID) + ":role/" + s.Part(purpose).RoleName,
			Problem: c.names.wrong[id],
		},
	)
}

// failed shows the cause, what is left, and offers to delete the stack.
func (c *Stack) failed(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{c.tasks()}
	if left := c.left(); len(left) > 0 {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: "This is still there: " + strings.Join(left, ", ") + "."})
	} else {
		blocks = append(
			blocks,
			screen.Text{
				Body: "CloudFormation took back what it had made. The stack itself is left, as " + string(c.ended) + ", and keeps its name taken.",
			},
		)
	}
	blocks = append(blocks, c.consoleLink(s)...)
	if c.problem != nil && c.problem.Kind == screen.AWSRefused {
		blocks = append(blocks, callerPolicy(stackNeeds(s), "", false))
	}
	actions := []screen.Action{{ID: "again", Label: "look again", Default: true}}
	if c.ended.Blocked() {
		question := fmt.Sprintf("Delete the stack %s with all that is left of it in account %s?", c.stack.Name, screen.Grouped(s.AccountID))
		actions = append(
			actions,
			screen.Action{ID: "delete", Key: "x", Label: "delete the failed stack", Confirm: &screen.Confirm{Question: question}},
		)
	}
	return blocks, append(actions, screen.Action{ID: "rename", Key: "n", Label: "other names"})
}

// stopped shows why rolecall does not go on by itself.
func (c *Stack) stopped(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := append(c.checks(true), left(s)...)
	actions := []screen.Action{{ID: "again", Label: "look again", Default: true}}
	if c.run.Problem != nil && c.run.Problem.Kind == screen.AWSRefused && s.AccountID != "" {
		blocks = append(blocks, callerPolicy(stackNeeds(s), "", false))
	}
	if len(c.run.Missing) > 0 {
		actions = append(actions, screen.Action{ID: "anyway", Key: "a", Label: "try all the same"})
	}
	return blocks, append(actions, screen.Action{ID: "rename", Key: "n", Label: "other names"})
}

// made says what exists now, with the outputs.
func (c *Stack) made(s *step.Session) []screen.Block {
	verdict := "The stack is complete, and what it made is right."
	if c.found {
		verdict = "The stack " + s.Stack.Name + " is complete, and what it holds is right. rolecall takes it as it is."
	}
	blocks := []screen.Block{screen.Text{Tone: screen.Good, Body: verdict}}
	var facts screen.Facts
	for _, role := range s.Request().Needed() {
		part := s.Part(role.Purpose)
		facts = append(facts, screen.Fact{Label: role.Purpose, Value: part.RoleARN, Note: part.RoleID, Copy: true})
		facts = append(facts, policyFacts(part)...)
	}
	facts = append(facts, screen.Fact{Label: "Stack", Value: s.Stack.ID, Copy: true})
	return append(append(blocks, facts, c.tasks()), c.checks(true)...)
}
