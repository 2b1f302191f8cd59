package create

import (
	"fmt"
	"strings"

	"rolecall/aws"
	"rolecall/steps/guide"
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
	view := c.NewScreen(s)
	switch c.stage {
	case inStackID:
		return c.id.Show(s, view)
	case inStackNaming:
		view.Blocks, view.Actions = c.naming(s)
	case inStackLooking, inStackAsking, inStackPreparing, inStackSending:
		view.Blocks = []screen.Block{screen.Tasks{{Name: c.doing(), State: screen.Running, Since: c.since}}}
	case inStackTaken:
		view.Blocks = c.taken(s)
		return view
	case inStackWays:
		view.Blocks = c.ways(s)
	case inStackReady:
		view.Blocks, view.Actions = c.ready(s)
	case inStackReview:
		view.Blocks, view.Actions = c.review(s)
	case inStackFollowing, inStackDeleting, inStackProving:
		view.Blocks = c.running(s)
	case inStackWaiting:
		view.Blocks, view.Actions = c.waiting(s)
	case inStackFailed:
		view.Blocks, view.Actions = c.failed(s)
	case inStackStopped:
		view.Blocks, view.Actions = c.stopped(s)
	case inStackMade:
		view.Blocks = c.made(s)
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
	}
	if c.note != "" {
		view.Blocks = append(view.Blocks, screen.Text{Tone: screen.Warning, Body: c.note})
	}
	view.Blocks = screen.AppendProblem(view.Blocks, c.problem)
	return view
}

func (c *Stack) doing() string {
	switch c.stage {
	case inStackAsking:
		return "Asking IAM what you are allowed to do"
	case inStackPreparing:
		return "CloudFormation works out what it would do"
	case inStackSending:
		return "Telling CloudFormation"
	}
	return "Looking for the stack"
}

// place says which stack is meant, and where.
func (c *Stack) place(s *step.Session) screen.Facts {
	facts := screen.Facts{{Label: "Stack", Value: s.Stack.Name, Copy: true}, {Label: "Region", Value: stackRegion(s)}}
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, screen.Fact{Label: label, Value: value})
		}
	}
	for _, role := range s.NeededRoles() {
		add("External ID", s.Part(role.Purpose).ExternalID)
	}
	add("Path", s.Path)
	add("Boundary", s.Boundary)
	if s.SessionFor != 0 {
		add("Longest session", s.SessionFor.String())
	}
	add("Tags", tagWords(s.TagList()))
	return facts
}

// taken shows that the name is another stack's, and the ways out.
func (c *Stack) taken(s *step.Session) []screen.Block {
	update := screen.Option{ID: optionUpdate, Label: "Update it", Detail: "through a change set that you look at first"}
	if !c.updatable(s) {
		update.Disabled = "it was not made for " + s.Vendor.Title
	}
	if c.stack.Status.Moving() {
		update.Disabled = "CloudFormation is at work on it"
	}
	return []screen.Block{
		screen.Problem{What: "The stack " + c.stack.Name + " exists already (" + wordsOf(string(c.stack.Status)) + "), and it was made from another template or with another external ID.",
			Expected: "a name that is free, or a stack made from this template", Next: "Choose another name, or have the stack updated; unattended: --stack-name.", Kind: screen.NotAsNeeded},
		screen.Choices{ID: choiceTaken, Label: "What should rolecall do?", Options: []screen.Option{
			{ID: optionRename, Label: "Use another name", Detail: "what exists stays as it is"}, update,
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
	if c.finding.known {
		blocks = append(blocks, screen.Text{Tone: screen.Good, Body: "You are allowed to do all of it: IAM's policy simulator says so."})
	} else {
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: "Whether you are allowed to do all of it cannot be asked here. The first request that is refused names what is missing."})
	}
	return append(blocks, callerPolicyCode(stackNeeds(s))), []screen.Action{
		{ID: "create", Label: label, Default: true, Confirm: &screen.Confirm{Flag: flagAcknowledge, Given: s.Stack.Acknowledged,
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
		note := change.PhysicalID
		if change.Replacement == "True" {
			note, replaced = "replaced: AWS makes a new one and deletes "+change.PhysicalID, true
		}
		facts = append(facts, screen.Fact{Label: change.Action, Value: c.what(change.LogicalID), Note: strings.TrimSpace(change.Type + " " + note)})
	}
	blocks = append(blocks, facts, c.plan.code(s))
	if replaced {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: "A new role has another identity: " + s.Vendor.Title + " has no access until it has the new ARN."})
	}
	return blocks, []screen.Action{{ID: "execute", Label: "execute the change set", Default: true}, {ID: "discard", Key: "x", Label: "discard it"}}
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
	waiting := screen.Waiting{For: "CloudFormation to make the stack " + s.Stack.Name, Since: c.since, Next: c.next}
	switch c.stage {
	case inStackDeleting:
		waiting.For = "CloudFormation to delete the stack " + c.stack.Name
	case inStackProving:
		waiting.For, waiting.Until = "AWS to show what was made", c.until
		if c.tries == 0 {
			waiting.Next = waiting.Since
		}
	}
	blocks := []screen.Block{tasks}
	if c.stage == inStackFollowing {
		blocks = append(blocks, c.progress(tasks))
	}
	blocks = append(blocks, waiting)
	if c.seen.cause != nil && c.stage == inStackFollowing {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: c.seen.cause.What + " CloudFormation takes back what it made."})
	}
	for _, report := range c.reports {
		if c.stage == inStackProving && !report.OK {
			blocks = append(blocks, step.ChecksOf(report))
		}
	}
	if c.stage != inStackProving {
		blocks = append(blocks, c.consoleLink(s)...)
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
		blocks = append(blocks,
			screen.Instructions{Next: c.done, Items: []string{"Save the template here: s.", "Copy the command: 2. It says that you acknowledge that IAM resources are made.", "Run it where you saved the template."}},
			screen.Code{Label: labelCommand, Name: s.Stack.Name + ".sh", Body: stackCommand(s), About: "for the AWS CLI, a shell as on Linux and macOS"}, c.place(s))
	} else {
		blocks = append(blocks, screen.Instructions{Next: c.done, Items: []string{
			"Save the template here: s.",
			"Open the page below: o. Look at the top right that it is account " + guide.OrDigits(s.AccountID) + ".",
			"Choose Upload a template file, choose the saved file, then Next.",
			"Enter the stack name " + s.Stack.Name + ". Leave the parameters as they are, then Next.",
			"Tick I acknowledge that AWS CloudFormation might create IAM resources, then Next.",
			"Choose Submit.",
		}}, c.place(s))
		if console, ok := aws.ConsoleFor(s.Partition); ok {
			blocks = append(blocks, screen.Link{Label: "Create stack", URL: console.UploadTemplate(stackRegion(s))})
		}
	}
	if s.AWS == nil {
		return append(blocks, c.pasting(s)...), nil
	}
	return append(blocks, c.searching(s)), c.waitingActions(s)
}

func (c *Stack) searching(s *step.Session) screen.Block {
	switch {
	case c.making:
		return screen.Tasks{{Name: "Creating the stack in the rehearsal account", State: screen.Running, Since: c.since}}
	case s.Now().Before(c.until):
		return screen.Waiting{For: "a stack made from this template", Since: c.since, Until: c.until, Next: c.next}
	}
	return screen.Text{Tone: screen.Warning, Body: "rolecall stopped looking. Press enter to go on."}
}

func (c *Stack) waitingActions(s *step.Session) []screen.Action {
	way := screen.Action{ID: "way", Key: "w", Label: "another way"}
	switch {
	case c.making:
		return nil
	case s.Rehearsal:
		return []screen.Action{{ID: "act", Label: "do it in the rehearsal account", Default: true}, way}
	case s.Now().Before(c.until):
		return []screen.Action{{ID: "next", Label: "next", Default: true, Disabled: "waits for the stack"}, way}
	}
	return []screen.Action{{ID: "again", Label: "go on looking", Default: true}, way}
}

// pasting asks for the outputs where rolecall cannot look.
func (c *Stack) pasting(s *step.Session) []screen.Block {
	blocks := []screen.Block{screen.Text{Tone: screen.Dim, Body: "rolecall cannot look into the account. When the stack is complete, copy from its tab Outputs."}}
	purpose := c.toPaste(s)
	if purpose == "" {
		return blocks
	}
	id := fieldOutput + purpose
	return append(blocks, screen.Input{ID: id, Label: purpose, Hint: "arn:" + s.Partition + ":iam::" + guide.OrDigits(s.AccountID) + ":role/" + s.Part(purpose).RoleName, Problem: c.field[id]})
}

// failed shows the cause, what is left, and offers to delete the stack.
func (c *Stack) failed(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{c.tasks()}
	if left := c.left(); len(left) > 0 {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: "This is still there: " + strings.Join(left, ", ") + "."})
	} else {
		blocks = append(blocks, screen.Text{Body: "CloudFormation took back what it had made. The stack itself is left, as " + string(c.ended) + ", and keeps its name taken."})
	}
	blocks = append(blocks, c.consoleLink(s)...)
	if c.problem != nil && c.problem.Kind == screen.AWSRefused {
		blocks = append(blocks, callerPolicyCode(stackNeeds(s)))
	}
	actions := []screen.Action{{ID: "again", Label: "look again", Default: true}}
	if c.ended.Blocked() {
		question := fmt.Sprintf("Delete the stack %s with all that is left of it in account %s?", c.stack.Name, screen.Grouped(s.AccountID))
		actions = append(actions, screen.Action{ID: "delete", Key: "x", Label: "delete the failed stack", Confirm: &screen.Confirm{Question: question}})
	}
	return blocks, append(actions, screen.Action{ID: "rename", Key: "n", Label: "other names"})
}

// stopped shows why rolecall does not go on by itself.
func (c *Stack) stopped(s *step.Session) ([]screen.Block, []screen.Action) {
	var blocks []screen.Block
	for _, report := range c.reports {
		blocks = append(blocks, step.ChecksOf(report))
	}
	actions := []screen.Action{{ID: "again", Label: "look again", Default: true}}
	if c.problem != nil && c.problem.Kind == screen.AWSRefused && s.AccountID != "" {
		blocks = append(blocks, callerPolicyCode(stackNeeds(s)))
	}
	if len(c.finding.missing) > 0 {
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
	for _, role := range s.NeededRoles() {
		part := s.Part(role.Purpose)
		facts = append(facts, screen.Fact{Label: role.Purpose, Value: part.RoleARN, Note: part.RoleID, Copy: true})
		for _, p := range part.Policies {
			if p.ARN != "" {
				facts = append(facts, screen.Fact{Label: "Policy", Value: p.ARN, Note: step.ShortDigest(p.Digest), Copy: true})
			}
		}
	}
	facts = append(facts, screen.Fact{Label: "Stack", Value: s.Stack.ID, Copy: true})
	blocks = append(blocks, facts, c.tasks())
	for _, role := range s.NeededRoles() {
		if report, ok := c.reports[role.Purpose]; ok {
			blocks = append(blocks, step.ChecksOf(report))
		}
	}
	return blocks
}
