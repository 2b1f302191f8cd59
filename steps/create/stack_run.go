package create

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

type (
	// stackLooked tells of a stack of this session or of the wanted name; one
	// without ID means that there is none.
	stackLooked struct {
		stack aws.Stack
		same  bool // it was made from the template that is wanted
		err   error
	}
	// stackSent answers a request that writes.
	stackSent struct {
		what           stackRequest
		stackID, setID string
		err            error
	}
	changeSetSeen struct {
		set aws.ChangeSet
		err error
	}
)

type stackRequest int

const (
	requestCreate stackRequest = iota
	requestChangeSet
	requestExecute
	requestDiscard
	requestDelete
)

// stackTries is how often a request is repeated whose answer got lost, each
// time after a look at what exists.
const stackTries = 4

// lookCall looks at the stack of this session, else at one of the wanted name.
func (c *Stack) lookCall(s *step.Session) screen.Call {
	account, id, name, plan, outputs := s.AWS, s.Stack.ID, s.Stack.Name, c.plan, c.outputs(s)
	ledger, head, now := s.OpenLedger(), s.ReceiptHead(), s.Now
	return screen.Call{Name: "look at the stack", Do: func(ctx context.Context) screen.Msg {
		stack, err := findStack(ctx, account, id, name)
		if aws.KindOf(err) == aws.NotFound {
			return stackLooked{}
		}
		if err != nil || stack.Status == aws.StackReview {
			return stackLooked{stack: stack, err: err}
		}
		same, err := sameStack(ctx, account, stack, plan.template, outputs)
		if err == nil && same {
			err = settleStack(ledger, head, stack, aws.TemplateDigest(plan.template), now().UTC())
		}
		return stackLooked{stack, same && plan.with(stack), err}
	}}
}

func findStack(ctx context.Context, account *aws.Account, id, name string) (aws.Stack, error) {
	if id != "" {
		stack, err := account.Stack(ctx, id)
		gone := err == nil && stack.Status == aws.StackDeleted
		if !gone && aws.KindOf(err) != aws.NotFound {
			return stack, err
		}
	}
	return account.Stack(ctx, name)
}

// sameStack compares templates or, where that is not allowed, the names of the
// outputs: the roles are judged in any case.
func sameStack(ctx context.Context, account *aws.Account, stack aws.Stack, template string, outputs []string) (bool, error) {
	text, err := account.Template(ctx, stack.ID)
	switch aws.KindOf(err) {
	case aws.Denied:
		for _, name := range outputs {
			if stack.Outputs[name] == "" {
				return false, nil
			}
		}
		return true, nil
	case aws.NotFound:
		return false, nil
	}
	return err == nil && aws.SameTemplate(text, template), err
}

// settleStack writes down the ID of a stack that was asked for and never seen
// answered: the name was free just before, so that a stack of this name and
// template, made since, is the one.
func settleStack(ledger *record.Ledger, head record.Receipt, stack aws.Stack, digest string, now time.Time) error {
	receipt, err := ledger.Receipt()
	if err != nil {
		return err
	}
	known, ok := receipt.Find(record.Item{Kind: record.ItemStack, Name: stack.Name})
	if !ok || known.State != record.ItemSent || known.Digest != digest || stack.Created.Before(known.At.Add(-clockSkew)) {
		return nil
	}
	known.State, known.ID, known.ARN, known.At = record.ItemMade, stack.ID, stack.ID, now
	return ledger.Put(head, known)
}

// looked decides by what exists.
func (c *Stack) looked(s *step.Session, msg stackLooked) []screen.Effect {
	if msg.err != nil {
		return c.lookTrouble(s, msg.err)
	}
	repeating := c.stage == inStackSending // a request whose answer got lost
	hint := s.Stack.ID
	c.stack, c.problem = msg.stack, nil
	if msg.stack.ID == "" || msg.stack.Status == aws.StackReview {
		s.Stack.ID = ""
		return c.free(s, repeating)
	}
	mine := msg.stack.ID == hint || repeating
	switch status := msg.stack.Status; {
	case status.Moving() && (msg.same || mine), status.Blocked():
		return c.begin(s, msg.stack, "", inStackFollowing)
	case status.Good() && msg.same:
		c.found = s.Stack.Token == ""
		s.Stack.ID, s.Stack.Name = msg.stack.ID, msg.stack.Name
		return c.prove(s)
	}
	c.stage = inStackTaken
	return nil
}

// lookTrouble looks again after a failure that may pass.
func (c *Stack) lookTrouble(s *step.Session, err error) []screen.Effect {
	if !step.Passes(err) || c.tries >= stackTries {
		c.stop(step.ProblemOf(err))
		return nil
	}
	c.tries++
	c.problem = step.ProblemOf(err).AsPassing()
	c.problem.Next = "rolecall looks at what exists, then goes on."
	call := c.lookCall(s)
	call.After = min(directPause<<c.tries, longestDirect)
	c.next = s.Now().Add(call.After)
	return []screen.Effect{call}
}

// free goes on where no stack is in the way.
func (c *Stack) free(s *step.Session, repeating bool) []screen.Effect {
	switch {
	case repeating:
		return c.create(s)
	case s.Stack.Way == wayConsole || s.Stack.Way == wayCLI:
		return c.wait(s)
	}
	c.stage = inStackWays
	return nil
}

// token marks a request, so that repeating it does no harm.
func (c *Stack) token(s *step.Session) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, s.ID)
	return fmt.Sprintf("rolecall-%s-%d", clean, s.Now().UnixMilli())
}

// create has the stack made: unattended at once, else through a change set that
// the person looks at first. An existing stack always takes a change set.
func (c *Stack) create(s *step.Session) []screen.Effect {
	if s.Unattended && c.stack.ID == "" {
		return []screen.Effect{c.send(s, false)}
	}
	c.stage, c.since = inStackSending, s.Now()
	s.Stack.Token = c.token(s)
	account, n := s.AWS, aws.NewChangeSet{NewStack: c.newStack(s), ChangeSet: s.Stack.Token, Update: c.update}
	makes := !c.update
	if c.update {
		n.Name = c.stack.ID // also where another region is set now
	}
	kept := c.recorder(s)
	return []screen.Effect{screen.Call{Name: "create change set of stack " + s.Stack.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		if makes {
			if err := kept(record.ItemSent, ""); err != nil {
				return stackSent{what: requestChangeSet, err: err}
			}
		}
		set, err := account.CreateChangeSet(ctx, n)
		if makes {
			err = recordAnswer(kept, set.StackID, err)
		}
		return stackSent{requestChangeSet, set.StackID, set.ID, err}
	}}}
}

// send creates the stack at once. standIn does it as the person in the browser
// would, who acknowledges there.
func (c *Stack) send(s *step.Session, standIn bool) screen.Effect {
	if !standIn {
		c.stage = inStackSending
	}
	c.since, s.Stack.Token = s.Now(), c.token(s)
	account, n, kept := s.AWS, c.newStack(s), c.recorder(s)
	n.Acknowledged = n.Acknowledged || standIn
	return screen.Call{Name: "create stack " + n.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		if err := kept(record.ItemSent, ""); err != nil {
			return stackSent{what: requestCreate, err: err}
		}
		id, err := account.CreateStack(ctx, n)
		return stackSent{what: requestCreate, stackID: id, err: recordAnswer(kept, id, err)}
	}}
}

func (c *Stack) newStack(s *step.Session) aws.NewStack {
	return aws.NewStack{Name: s.Stack.Name, Template: c.plan.template, Parameters: c.plan.parameters, Tags: s.TagList(), Acknowledged: s.Stack.Acknowledged, Token: s.Stack.Token}
}

// recorder writes into the receipt what becomes of the stack.
func (c *Stack) recorder(s *step.Session) func(record.ItemState, string) error {
	ledger, head, now := s.OpenLedger(), s.ReceiptHead(), s.Now
	item := record.Item{Kind: record.ItemStack, Name: s.Stack.Name, Digest: aws.TemplateDigest(c.plan.template), By: s.Caller()}
	return func(state record.ItemState, id string) error {
		item.State, item.ID, item.ARN, item.At = state, id, id, now().UTC()
		return ledger.Put(head, item)
	}
}

// recordAnswer writes down what was made, or that nothing was for certain.
func recordAnswer(kept func(record.ItemState, string) error, id string, err error) error {
	switch {
	case err == nil:
		return kept(record.ItemMade, id)
	case step.Refused(err) || aws.KindOf(err) == aws.Exists:
		if recordErr := kept(record.ItemNotMade, ""); recordErr != nil {
			return recordErr
		}
	}
	return err
}

// sent goes on after the answer to a request.
func (c *Stack) sent(s *step.Session, msg stackSent) []screen.Effect {
	c.making = false
	if msg.err != nil {
		return c.sendTrouble(s, msg.err)
	}
	c.tries, c.problem = 0, nil
	if msg.stackID != "" {
		s.Stack.ID = msg.stackID
	}
	switch msg.what {
	case requestCreate, requestExecute:
		return c.begin(s, aws.Stack{ID: s.Stack.ID, Name: s.Stack.Name}, s.Stack.Token, inStackFollowing)
	case requestChangeSet:
		c.stage, c.set = inStackPreparing, aws.ChangeSet{ID: msg.setID}
		return []screen.Effect{c.changeSetCall(s, 0)}
	case requestDelete:
		return c.begin(s, aws.Stack{ID: s.Stack.ID, Name: s.Stack.Name}, s.Stack.Token, inStackDeleting)
	case requestDiscard:
		if c.update {
			return c.look(s)
		}
		return c.begin(s, aws.Stack{ID: s.Stack.ID, Name: s.Stack.Name}, s.Stack.Token, inStackDeleting)
	}
	return nil
}

// sendTrouble looks before it repeats: nobody knows what was done.
func (c *Stack) sendTrouble(s *step.Session, err error) []screen.Effect {
	if c.stage == inStackSending && (step.Passes(err) || aws.KindOf(err) == aws.Exists) && aws.KindOf(err) != aws.Conflict {
		if aws.KindOf(err) == aws.Exists {
			c.stage = inStackLooking // somebody else was faster
		}
		if c.tries < stackTries {
			return c.lookTrouble(s, asPassing(err))
		}
	}
	c.stop(step.ProblemOf(err))
	return nil
}

// asPassing makes a taken name a reason to look, and not to stop.
func asPassing(err error) error {
	if e := aws.Explain(err); e.Kind == aws.Exists {
		passing := *e
		passing.Kind = aws.Conflict
		return &passing
	}
	return err
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
			return []screen.Effect{c.changeSetCall(s, directPause<<c.tries)}
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
		c.stop(&screen.Problem{What: "CloudFormation cannot work out the change set.", Expected: "a change set that can be executed",
			Next: "Read AWS's words, then press enter to look again.", Quoted: msg.set.Reason})
		return nil
	case !msg.set.Ready():
		return []screen.Effect{c.changeSetCall(s, directPause)}
	}
	c.stage = inStackReview
	if s.Unattended {
		return c.execute(s)
	}
	return nil
}

func (c *Stack) execute(s *step.Session) []screen.Effect {
	c.stage, c.since = inStackSending, s.Now()
	s.Stack.Token = c.token(s)
	account, id, stack, token, update, kept := s.AWS, c.set.ID, s.Stack.ID, s.Stack.Token, c.update, c.recorder(s)
	return []screen.Effect{screen.Call{Name: "execute change set of stack " + s.Stack.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		err := account.ExecuteChangeSet(ctx, id, token)
		if err == nil && update {
			err = kept(record.ItemUpdated, stack)
		}
		return stackSent{what: requestExecute, err: err}
	}}}
}

// discard takes a change set back, and the empty stack that came with it.
func (c *Stack) discard(s *step.Session) []screen.Effect {
	c.stage, c.since = inStackSending, s.Now()
	s.Stack.Token = c.token(s)
	account, set, stack, token, alone := s.AWS, c.set.ID, s.Stack.ID, s.Stack.Token, !c.update
	return []screen.Effect{screen.Call{Name: "discard change set of stack " + s.Stack.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		err := account.DeleteChangeSet(ctx, set)
		if err == nil && alone {
			err = account.DeleteStack(ctx, stack, token)
		}
		return stackSent{what: requestDiscard, err: err}
	}}}
}

// delete deletes a failed stack, after the person said so.
func (c *Stack) delete(s *step.Session) []screen.Effect {
	c.stage, c.since, c.problem = inStackSending, s.Now(), nil
	s.Stack.ID, s.Stack.Token = c.stack.ID, c.token(s)
	account, id, token := s.AWS, c.stack.ID, s.Stack.Token
	return []screen.Effect{screen.Call{Name: "delete stack " + c.stack.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		return stackSent{what: requestDelete, err: account.DeleteStack(ctx, id, token)}
	}}}
}
