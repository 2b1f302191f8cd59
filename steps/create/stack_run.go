package create

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rolecall/aws"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

type (
	changeSetSeen struct {
		set aws.ChangeSet
		err error
	}
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
		acted   bool // it is what the rehearsal's stand-in for the person did
	}
)

// stackSeen is what the events of a run tell.
type stackSeen struct {
	resources []aws.StackResource
	cause     *aws.Error // of the first failure; nil: none yet
	causeID   string     // the resource that failed
}

// stackTries is how often a look at a change set is repeated.
const stackTries = 4

// create has the stack made: unattended at once, else through a change set that
// the person looks at first. An existing stack always takes a change set.
func (c *Stack) create(s *step.Session) []screen.Effect {
	s.Stack.Acknowledged, c.want.Acknowledged, s.Stack.Token = true, true, c.want.Token
	c.then = c.own(stackFollowing)
	return c.run.Agree(s.Host())
}

// prepareSet waits for the change set that was asked for.
func (c *Stack) prepareSet(s *step.Session) []screen.Effect {
	c.stage, c.set, c.tries, c.problem = stackPreparing, *c.want.Set, 0, nil
	return []screen.Effect{c.changeSetCall(s, 0)}
}

// own follows the run that a request of its own began.
func (c *Stack) own(stage stackStage) func(*step.Session) []screen.Effect {
	return func(s *step.Session) []screen.Effect {
		return c.begin(s, aws.Stack{ID: s.Stack.ID, Name: s.Stack.Name}, s.Stack.Token, stage)
	}
}

// send sends one more request about the stack, and then goes on.
func (c *Stack) send(s *step.Session, op making.Operation, then func(*step.Session) []screen.Effect) []screen.Effect {
	c.stage, c.problem, c.since, c.then = stackRun, nil, s.Now(), then
	return c.run.Do(s.Host(), op)
}

// execute executes the change set. Unattended nobody looks at it first.
func (c *Stack) execute(s *step.Session) []screen.Effect {
	s.Stack.Token = s.StackToken()
	return c.send(s, c.want.Execute(s.Stack.ID, s.Stack.Token), c.own(stackFollowing))
}

// discard takes a change set back, and the empty stack that came with it.
func (c *Stack) discard(s *step.Session) []screen.Effect {
	s.Stack.Token = s.StackToken()
	then := c.own(stackDeleting)
	if c.update {
		then = c.look
	}
	return c.send(s, c.want.Discard(s.Journal, s.Stack.ID, s.Stack.Token, !c.update), then)
}

// delete deletes a failed stack, after the person said so.
func (c *Stack) delete(s *step.Session) []screen.Effect {
	s.Stack.ID, s.Stack.Token = c.stack.ID, s.StackToken()
	return c.send(s, making.DeleteStack(c.stack, s.Stack.Token), c.own(stackDeleting))
}

func (c *Stack) changeSetCall(s *step.Session, after time.Duration) screen.Effect {
	account, id := s.AWS, c.set.ID
	return screen.Call{Name: "look at the change set", After: after, Do: func(ctx context.Context) screen.Msg {
		set, err := account.ChangeSet(ctx, id)
		return changeSetSeen{set, err}
	}}
}

// prepared waits for the change set, then shows it; unattended it is executed.
func (c *Stack) prepared(s *step.Session, msg changeSetSeen) []screen.Effect {
	if msg.err != nil {
		if step.Passes(msg.err) && c.tries < stackTries {
			c.tries++
			c.problem = step.ProblemOf(msg.err).AsPassing()
			return []screen.Effect{c.changeSetCall(s, making.Pause(c.tries))}
		}
		c.stop(step.ProblemOf(msg.err))
		return nil
	}
	c.set, c.problem, c.tries = msg.set, nil, 0
	switch {
	case msg.set.Empty():
		c.found = true
		return c.prove(s)
	case msg.set.Failed():
		c.stop(making.Unworkable(msg.set))
		return nil
	case !msg.set.Ready():
		return []screen.Effect{c.changeSetCall(s, making.Pause(0))}
	}
	c.stage = stackReview
	if s.Unattended {
		return c.execute(s)
	}
	return nil
}

// begin follows a run of the stack. An empty token means its newest run.
func (c *Stack) begin(s *step.Session, stack aws.Stack, token string, stage stackStage) []screen.Effect {
	s.Stack.ID = stack.ID
	if stack.Name != "" {
		s.Stack.Name = stack.Name
	}
	c.stage, c.stack, c.seen, c.tries, c.problem = stage, stack, stackSeen{}, 0, nil
	c.since = s.Now()
	c.watch = s.AWS.WatchStack(stack.ID, token)
	return []screen.Effect{c.follow(s, 0)}
}

func (c *Stack) follow(s *step.Session, after time.Duration) screen.Effect {
	watch, host := c.watch, s.Host()
	item := record.Item{Kind: record.ItemStack, Name: c.stack.Name, ID: c.stack.ID}
	return screen.Call{Name: "follow the stack", After: after, Do: func(ctx context.Context) screen.Msg {
		next, done, err := watch.Fetch(ctx)
		msg := stackFollowed{next, done, watch.Status(), stackSeen{resources: watch.Resources()}, watch.Note(), err}
		if e, failed := aws.FirstFailure(watch.Events()); failed {
			msg.seen.cause, msg.seen.causeID = aws.ExplainStack(e), e.LogicalID
		}
		if done && watch.Status() == aws.StackDeleted {
			if err := host.Removed(item); err != nil {
				msg.err = err
			}
		}
		return msg
	}}
}

// followed shows the newest events until the run has ended.
func (c *Stack) followed(s *step.Session, msg stackFollowed) []screen.Effect {
	gone := aws.KindOf(msg.err) == aws.NotFound
	c.problem, c.note = s.Awaited(msg.err), msg.note
	if msg.err == nil {
		c.seen = msg.seen
	}
	c.next = s.Now().Add(msg.next)
	if !msg.done && !gone {
		return []screen.Effect{c.follow(s, msg.next)}
	}
	c.ended, c.stack.Status = msg.status, msg.status
	switch {
	case gone, msg.status == aws.StackDeleted:
		s.Stack.ID, s.Stack.Token = "", ""
		return c.look(s)
	case msg.status.Good() && c.seen.cause == nil:
		return c.prove(s)
	}
	c.stage, c.problem = stackFailed, c.failure()
	return nil
}

// prove reads the outputs and looks until every role is seen to be right.
func (c *Stack) prove(s *step.Session) []screen.Effect {
	c.stage, c.problem, c.want.ID = stackRun, nil, s.Stack.ID
	return c.run.Go(s.Host())
}

// failure says why the run failed, and what to do.
func (c *Stack) failure() *screen.Problem {
	p := making.StackFailure(c.ended, c.seen.cause)
	if c.seen.cause != nil && c.seen.cause.Kind == aws.Exists {
		p.Next, p.Flag = "Delete the failed stack, then choose other names.", "--stack-name, --role-name, --policy-name"
	}
	return p
}

// wait looks for the stack that somebody makes in the console or with the CLI.
func (c *Stack) wait(s *step.Session) []screen.Effect {
	c.stage, c.problem, c.names.wrong, c.done = stackWaiting, nil, map[string]string{}, 0
	c.since, c.until = s.Now(), s.Now().Add(s.Patience(step.LookFor))
	if c.pasted = nil; s.AWS == nil {
		return nil
	}
	c.search = s.AWS.SearchStack(aws.WantStack{Template: c.plan.Template, Outputs: c.want.Purposes, Name: s.Stack.Name, Since: s.Now()})
	return c.searchAfter(0)
}

func (c *Stack) searchAfter(after time.Duration) []screen.Effect {
	search := c.search
	return []screen.Effect{screen.Call{Name: "look for the stack", After: after, Do: func(ctx context.Context) screen.Msg {
		next, _, err := search.Fetch(ctx)
		return stackSearched{next, search.Matches(), search.Named(), search.Note(), err, false}
	}}}
}

// searched follows the stack as soon as there is one with this content.
func (c *Stack) searched(s *step.Session, msg stackSearched) []screen.Effect {
	if c.stage != stackWaiting {
		return nil
	}
	c.problem, c.note = s.Awaited(msg.err), msg.note
	c.next, c.acting = s.Now().Add(msg.next), c.acting && !msg.acted
	c.acted = c.acted || msg.acted && msg.err == nil
	if msg.err == nil && len(msg.matches) > 0 && !c.acting {
		c.found = true
		return c.begin(s, msg.matches[0], "", stackFollowing)
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

// tasks are the template's resources with their states, as the events tell
// them.
func (c *Stack) tasks() screen.Tasks {
	var tasks screen.Tasks
	told := slices.Clone(c.seen.resources)
	for _, p := range c.plan.resources {
		task := screen.Task{Name: p.what, State: screen.Ahead, Detail: p.detail}
		if i := slices.IndexFunc(told, func(r aws.StackResource) bool { return r.LogicalID == p.id }); i >= 0 {
			c.tellResource(&task, told[i])
			told = slices.Delete(told, i, i+1)
		} else if c.ended.Good() || c.proven() {
			task.State = screen.Finished
		}
		tasks = append(tasks, task)
	}
	for _, r := range told { // of an older template
		task := screen.Task{Name: r.LogicalID}
		c.tellResource(&task, r)
		tasks = append(tasks, task)
	}
	return tasks
}

// tellResource fills in what AWS says of a resource.
func (c *Stack) tellResource(task *screen.Task, r aws.StackResource) {
	took := screen.Clock(r.Changed.Sub(r.Began))
	switch r.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE":
		task.State, task.Detail = screen.Finished, took
	case "DELETE_COMPLETE", "DELETE_SKIPPED":
		task.State, task.Detail = screen.Finished, "deleted again · "+took
		if c.stage == stackDeleting {
			task.Detail = "deleted · " + took
		}
	case "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS":
		task.State, task.Since = screen.Running, r.Began
	case "DELETE_IN_PROGRESS":
		task.State, task.Detail, task.Since = screen.Running, "being deleted", r.Changed
	default:
		task.State, task.Detail = screen.Stopped, making.StatusWords(r.Status)
	}
	if r.LogicalID == c.seen.causeID && task.State != screen.Running {
		task.State, task.Detail = screen.Stopped, "this one failed"
	}
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
			names = append(names, fmt.Sprintf("%s (%s)", r.PhysicalID, making.StatusWords(r.Status)))
		}
	}
	return names
}

// Outcome says how the rehearsal's stand-in for the person fared.
func (m stackSearched) Outcome() screen.Outcome { return step.OutcomeOf(m.err, screen.ResultMade) }
