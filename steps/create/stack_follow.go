package create

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

type (
	stackFollowed struct {
		next   time.Duration
		done   bool
		status aws.StackStatus
		seen   stackSeen
		note   string
		err    error
	}
	stackSearched struct {
		next    time.Duration
		matches []aws.Stack
		named   *aws.Stack
		note    string
		err     error
	}
	stackProved struct {
		stack   aws.Stack
		missing string // an output that the stack does not have
		reports map[string]aws.Report
		roles   map[string]*aws.Role
		err     error
	}
)

// begin follows a run of the stack. An empty token means its newest run.
func (c *Stack) begin(s *step.Session, stack aws.Stack, token string, stage stackStage) []screen.Effect {
	s.Stack.ID = stack.ID
	if stack.Name != "" {
		s.Stack.Name = stack.Name
	}
	c.stage, c.stack, c.seen, c.tries = stage, stack, stackSeen{}, 0
	c.since = s.Now()
	c.watch = s.AWS.WatchStack(stack.ID, token)
	return []screen.Effect{c.follow(s, 0)}
}

func (c *Stack) follow(s *step.Session, after time.Duration) screen.Effect {
	watch, deleting := c.watch, c.stage == inStackDeleting
	kept := c.recorder(s)
	return screen.Call{Name: "follow the stack", After: after, Do: func(ctx context.Context) screen.Msg {
		next, done, err := watch.Fetch(ctx)
		msg := stackFollowed{next, done, watch.Status(), stackSeen{resources: watch.Resources()}, watch.Note(), err}
		if e, failed := aws.FirstFailure(watch.Events()); failed {
			msg.seen.cause, msg.seen.causeID = aws.ExplainStack(e), e.LogicalID
		}
		if deleting && done && watch.Status() == aws.StackDeleted {
			if err := kept(record.ItemRemoved, watch.ID()); err != nil {
				msg.err = err
			}
		}
		return msg
	}}
}

// followed shows the newest events until the run has ended.
func (c *Stack) followed(s *step.Session, msg stackFollowed) []screen.Effect {
	if aws.KindOf(msg.err) == aws.NotFound {
		s.Stack.ID, s.Stack.Token = "", ""
		return c.look(s)
	}
	c.problem, c.note = step.ProblemOf(msg.err).AsPassing(), msg.note
	if msg.err == nil {
		c.seen = msg.seen
	}
	c.next = s.Now().Add(msg.next)
	if !msg.done {
		return []screen.Effect{c.follow(s, msg.next)}
	}
	c.ended, c.stack.Status = msg.status, msg.status
	switch {
	case msg.status == aws.StackDeleted:
		s.Stack.ID, s.Stack.Token = "", ""
		return c.look(s)
	case msg.status.Good() && c.seen.cause == nil:
		return c.prove(s)
	}
	c.stage, c.problem = inStackFailed, c.failure()
	return nil
}

// failure says why the run failed, and what to do.
func (c *Stack) failure() *screen.Problem {
	cause := c.seen.cause
	if cause == nil {
		return &screen.Problem{What: "The stack ended as " + string(c.ended) + ".", Expected: "a stack that is complete",
			Next: "Look at its events in the console, delete it, then try again."}
	}
	p := &screen.Problem{What: cause.What, Expected: cause.Expected, Next: cause.Next, Quoted: cause.AWS, Kind: screen.Failure}
	switch cause.Kind {
	case aws.Denied:
		p.Kind = screen.AWSRefused
	case aws.Exists:
		p.Kind = screen.NotAsNeeded
		p.Next = "Delete the failed stack (x), then choose other names (n); unattended: --stack-name, --role-name, --policy-name."
	}
	return p
}

// wait looks for the stack that somebody makes in the console or with the CLI.
func (c *Stack) wait(s *step.Session) []screen.Effect {
	c.stage, c.problem, c.field, c.done = inStackWaiting, nil, map[string]string{}, 0
	c.since, c.until = s.Now(), s.Now().Add(s.Patience(step.LookFor))
	if s.AWS == nil {
		for _, role := range s.NeededRoles() {
			s.SetPart(role.Purpose, func(p *record.Part) { p.RoleARN, p.RoleID = "", "" })
		}
		return nil
	}
	c.search = s.AWS.SearchStack(aws.WantStack{Template: c.plan.template, Outputs: c.outputs(s), Name: s.Stack.Name, Since: s.Now()})
	return c.searchAfter(0)
}

func (c *Stack) searchAfter(after time.Duration) []screen.Effect {
	search := c.search
	return []screen.Effect{screen.Call{Name: "look for the stack", After: after, Do: func(ctx context.Context) screen.Msg {
		next, _, err := search.Fetch(ctx)
		return stackSearched{next, search.Matches(), search.Named(), search.Note(), err}
	}}}
}

// searched follows the stack as soon as there is one with this content.
func (c *Stack) searched(s *step.Session, msg stackSearched) []screen.Effect {
	if c.stage != inStackWaiting {
		return nil
	}
	c.problem, c.note = step.ProblemOf(msg.err).AsPassing(), msg.note
	c.next = s.Now().Add(msg.next)
	if msg.err == nil && len(msg.matches) > 0 && !c.making {
		c.found = true
		return c.begin(s, msg.matches[0], "", inStackFollowing)
	}
	if msg.named != nil {
		c.problem = &screen.Problem{What: "The stack " + msg.named.Name + " exists, and it was made from another template.",
			Expected: "a stack made from the template above", Next: "Choose another stack name in the console. rolecall keeps looking.",
			Kind: screen.NotAsNeeded, Passing: true}
	}
	if !s.Now().Before(c.until) {
		return nil
	}
	return c.searchAfter(msg.next)
}

// prove reads the outputs and looks until every role is seen to be right.
func (c *Stack) prove(s *step.Session) []screen.Effect {
	c.stage, c.problem, c.tries = inStackProving, nil, 0
	c.since, c.until = s.Now(), s.Now().Add(s.Patience(step.RetryFor))
	return c.proveAfter(s, 0)
}

func (c *Stack) proveAfter(s *step.Session, after time.Duration) []screen.Effect {
	account, id, partition, accountID := s.AWS, s.Stack.ID, s.Partition, s.AccountID
	outputs, wants, found, kept := c.outputs(s), map[string]aws.Want{}, c.found, c.recorder(s)
	for _, purpose := range outputs {
		wants[purpose] = s.WantedRole(purpose)
	}
	return []screen.Effect{screen.Call{Name: "check the roles", After: after, Do: func(ctx context.Context) screen.Msg {
		stack, err := account.Stack(ctx, id)
		if err != nil {
			return stackProved{err: err}
		}
		msg := stackProved{stack: stack, reports: map[string]aws.Report{}, roles: map[string]*aws.Role{}}
		for _, purpose := range outputs {
			ref, err := aws.ParseRoleARN(stack.Outputs[purpose], partition, accountID)
			if err != nil {
				msg.missing = purpose
				return msg
			}
			want := wants[purpose]
			want.RoleARN, want.RoleName = ref.ARN, ref.Name
			seen, report, err := account.Look(ctx, want)
			if err != nil {
				return stackProved{err: err}
			}
			msg.reports[purpose], msg.roles[purpose] = report, seen.Role
		}
		if found {
			msg.err = kept(record.ItemAdopted, stack.ID)
		}
		return msg
	}}}
}

func (c *Stack) proved(s *step.Session, msg stackProved) (step.Move, []screen.Effect) {
	switch {
	case msg.err != nil && !step.Passes(msg.err):
		c.stop(step.ProblemOf(msg.err))
		return step.Stay, nil
	case msg.missing != "":
		c.stop(&screen.Problem{What: "The stack " + msg.stack.Name + " has no output " + msg.missing + " with the ARN of a role.",
			Expected: "the outputs that the template describes", Next: "Make the stack from the template as it is, under another name.", Kind: screen.NotAsNeeded})
		return step.Stay, nil
	}
	right := msg.err == nil
	for _, report := range msg.reports {
		right = right && report.OK
	}
	if msg.err == nil {
		c.stack, c.reports = msg.stack, msg.reports
	}
	if right {
		return c.take(s, msg.roles)
	}
	pause := min(directPause<<min(c.tries, 3), longestDirect)
	if s.Now().Add(pause).After(c.until) {
		c.stop(c.unproven(msg))
		return step.Stay, nil
	}
	c.tries++
	c.next = s.Now().Add(pause)
	c.problem = step.ProblemOf(msg.err).AsPassing()
	return step.Stay, c.proveAfter(s, pause)
}

// unproven says what is still not right when the time is up.
func (c *Stack) unproven(msg stackProved) *screen.Problem {
	for _, report := range msg.reports {
		for _, check := range report.Checks {
			if check.Status == aws.Fail || check.Status == aws.Unknown {
				name := "The role"
				if report.Role != nil {
					name = report.Role.Name
				}
				return &screen.Problem{What: name + " is not as needed: " + check.Got + ".", Expected: check.Want, Next: check.Fix, Kind: screen.NotAsNeeded}
			}
		}
	}
	return step.ProblemOf(msg.err)
}

// tasks are the template's resources with their states, as the events tell
// them.
func (c *Stack) tasks() screen.Tasks {
	var tasks screen.Tasks
	told := slices.Clone(c.seen.resources)
	for _, p := range c.plan.resources {
		task := screen.Task{Name: p.what, State: screen.Ahead, Detail: p.detail}
		if i := slices.IndexFunc(told, func(r aws.StackResource) bool { return r.LogicalID == p.id }); i >= 0 {
			c.tell(&task, told[i])
			told = slices.Delete(told, i, i+1)
		} else if c.ended.Good() || c.stage == inStackProving || c.stage == inStackMade {
			task.State = screen.Finished
		}
		tasks = append(tasks, task)
	}
	for _, r := range told { // of an older template
		task := screen.Task{Name: r.LogicalID}
		c.tell(&task, r)
		tasks = append(tasks, task)
	}
	return tasks
}

// tell fills in what AWS says of a resource.
func (c *Stack) tell(task *screen.Task, r aws.StackResource) {
	took := screen.Clock(r.Changed.Sub(r.Began))
	switch r.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE":
		task.State, task.Detail = screen.Finished, took
	case "DELETE_COMPLETE", "DELETE_SKIPPED":
		task.State, task.Detail = screen.Finished, "deleted again · "+took
		if c.stage == inStackDeleting {
			task.Detail = "deleted · " + took
		}
	case "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS":
		task.State, task.Since = screen.Running, r.Began
	case "DELETE_IN_PROGRESS":
		task.State, task.Detail, task.Since = screen.Running, "being deleted", r.Changed
	default:
		task.State, task.Detail = screen.Stopped, wordsOf(r.Status)
	}
	if r.LogicalID == c.seen.causeID && task.State != screen.Running {
		task.State, task.Detail = screen.Stopped, "this one failed"
	}
}

// wordsOf writes AWS's status in small words.
func wordsOf(status string) string {
	words := []byte(status)
	for i, b := range words {
		switch {
		case b == '_':
			words[i] = ' '
		case b >= 'A' && b <= 'Z':
			words[i] = b + 'a' - 'A'
		}
	}
	return string(words)
}

// progress is how many of the planned resources are there.
func (c *Stack) progress(tasks screen.Tasks) screen.Meter {
	done := 0
	for _, t := range tasks {
		if t.State == screen.Finished {
			done++
		}
	}
	return screen.Meter{Label: "Resources", Used: done, Limit: len(tasks), Unit: "made"}
}

// left are the resources that a failed run left behind, by their names in AWS.
func (c *Stack) left() []string {
	var names []string
	for _, r := range c.seen.resources {
		if r.PhysicalID != "" && r.Status != "DELETE_COMPLETE" {
			names = append(names, fmt.Sprintf("%s (%s)", r.PhysicalID, wordsOf(r.Status)))
		}
	}
	return names
}
