package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/aws"
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
func (c *createStack) lookCall(s *Session) Call {
	account, id, name, plan, outputs := s.AWS, s.Stack.ID, s.Stack.Name, c.plan, c.outputs(s)
	ledger, head, now := s.ledger(), s.receiptHead(), s.Now
	return Call{Name: "look at the stack", Do: func(ctx context.Context) Msg {
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
func settleStack(ledger *Ledger, head Receipt, stack aws.Stack, digest string, now time.Time) error {
	receipt, err := ledger.Receipt()
	if err != nil {
		return err
	}
	known, ok := receipt.Find(Item{Kind: ItemStack, Name: stack.Name})
	if !ok || known.State != ItemSent || known.Digest != digest || stack.Created.Before(known.At.Add(-clockSkew)) {
		return nil
	}
	known.State, known.ID, known.ARN, known.At = ItemMade, stack.ID, stack.ID, now
	return ledger.Put(head, known)
}

// looked decides by what exists.
func (c *createStack) looked(s *Session, msg stackLooked) []Effect {
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
func (c *createStack) lookTrouble(s *Session, err error) []Effect {
	if !passes(err) || c.tries >= stackTries {
		c.stop(problemOf(err))
		return nil
	}
	c.tries++
	c.problem = problemOf(err).passing()
	c.problem.Next = "rolecall looks at what exists, then goes on."
	call := c.lookCall(s)
	call.After = min(directPause<<c.tries, longestDirect)
	c.next = s.Now().Add(call.After)
	return []Effect{call}
}

// free goes on where no stack is in the way.
func (c *createStack) free(s *Session, repeating bool) []Effect {
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
func (c *createStack) token(s *Session) string {
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
func (c *createStack) create(s *Session) []Effect {
	if s.Unattended && c.stack.ID == "" {
		return []Effect{c.send(s, false)}
	}
	c.stage, c.since = inStackSending, s.Now()
	s.Stack.Token = c.token(s)
	account, n := s.AWS, aws.NewChangeSet{NewStack: c.newStack(s), ChangeSet: s.Stack.Token, Update: c.update}
	makes := !c.update
	if c.update {
		n.Name = c.stack.ID // also where another region is set now
	}
	record := c.recorder(s)
	return []Effect{Call{Name: "create change set of stack " + s.Stack.Name, Writes: true, Do: func(ctx context.Context) Msg {
		if makes {
			if err := record(ItemSent, ""); err != nil {
				return stackSent{what: requestChangeSet, err: err}
			}
		}
		set, err := account.CreateChangeSet(ctx, n)
		if makes {
			err = recordAnswer(record, set.StackID, err)
		}
		return stackSent{requestChangeSet, set.StackID, set.ID, err}
	}}}
}

// send creates the stack at once. standIn does it as the person in the browser
// would, who acknowledges there.
func (c *createStack) send(s *Session, standIn bool) Effect {
	if !standIn {
		c.stage = inStackSending
	}
	c.since, s.Stack.Token = s.Now(), c.token(s)
	account, n, record := s.AWS, c.newStack(s), c.recorder(s)
	n.Acknowledged = n.Acknowledged || standIn
	return Call{Name: "create stack " + n.Name, Writes: true, Do: func(ctx context.Context) Msg {
		if err := record(ItemSent, ""); err != nil {
			return stackSent{what: requestCreate, err: err}
		}
		id, err := account.CreateStack(ctx, n)
		return stackSent{what: requestCreate, stackID: id, err: recordAnswer(record, id, err)}
	}}
}

func (c *createStack) newStack(s *Session) aws.NewStack {
	return aws.NewStack{Name: s.Stack.Name, Template: c.plan.template, Parameters: c.plan.parameters, Tags: s.tagList(), Acknowledged: s.Stack.Acknowledged, Token: s.Stack.Token}
}

// recorder writes into the receipt what becomes of the stack.
func (c *createStack) recorder(s *Session) func(ItemState, string) error {
	ledger, head, now := s.ledger(), s.receiptHead(), s.Now
	item := Item{Kind: ItemStack, Name: s.Stack.Name, Digest: aws.TemplateDigest(c.plan.template), By: s.caller()}
	return func(state ItemState, id string) error {
		item.State, item.ID, item.ARN, item.At = state, id, id, now().UTC()
		return ledger.Put(head, item)
	}
}

// recordAnswer writes down what was made, or that nothing was for certain.
func recordAnswer(record func(ItemState, string) error, id string, err error) error {
	switch {
	case err == nil:
		return record(ItemMade, id)
	case refused(err) || aws.KindOf(err) == aws.Exists:
		if recordErr := record(ItemNotMade, ""); recordErr != nil {
			return recordErr
		}
	}
	return err
}

// sent goes on after the answer to a request.
func (c *createStack) sent(s *Session, msg stackSent) []Effect {
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
		return []Effect{c.changeSetCall(s, 0)}
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
func (c *createStack) sendTrouble(s *Session, err error) []Effect {
	if c.stage == inStackSending && (passes(err) || aws.KindOf(err) == aws.Exists) && aws.KindOf(err) != aws.Conflict {
		if aws.KindOf(err) == aws.Exists {
			c.stage = inStackLooking // somebody else was faster
		}
		if c.tries < stackTries {
			return c.lookTrouble(s, asPassing(err))
		}
	}
	c.stop(problemOf(err))
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

func (c *createStack) changeSetCall(s *Session, after time.Duration) Effect {
	account, id := s.AWS, c.set.ID
	return Call{Name: "look at the change set", After: after, Do: func(ctx context.Context) Msg {
		set, err := account.ChangeSet(ctx, id)
		return changeSetSeen{set, err}
	}}
}

// prepared waits for the change set, then shows it; unattended it is executed.
func (c *createStack) prepared(s *Session, msg changeSetSeen) []Effect {
	if msg.err != nil {
		if passes(msg.err) && c.tries < stackTries {
			c.tries++
			c.problem = problemOf(msg.err).passing()
			return []Effect{c.changeSetCall(s, directPause<<c.tries)}
		}
		c.stop(problemOf(msg.err))
		return nil
	}
	c.set, c.problem, c.tries = msg.set, nil, 0
	switch {
	case msg.set.Empty():
		c.found = true
		return c.prove(s)
	case msg.set.Failed():
		c.stop(&Problem{What: "CloudFormation cannot work out the change set.", Expected: "a change set that can be executed",
			Next: "Read AWS's words, then press enter to look again.", Quoted: msg.set.Reason})
		return nil
	case !msg.set.Ready():
		return []Effect{c.changeSetCall(s, directPause)}
	}
	c.stage = inStackReview
	if s.Unattended {
		return c.execute(s)
	}
	return nil
}

func (c *createStack) execute(s *Session) []Effect {
	c.stage, c.since = inStackSending, s.Now()
	s.Stack.Token = c.token(s)
	account, id, stack, token, update, record := s.AWS, c.set.ID, s.Stack.ID, s.Stack.Token, c.update, c.recorder(s)
	return []Effect{Call{Name: "execute change set of stack " + s.Stack.Name, Writes: true, Do: func(ctx context.Context) Msg {
		err := account.ExecuteChangeSet(ctx, id, token)
		if err == nil && update {
			err = record(ItemUpdated, stack)
		}
		return stackSent{what: requestExecute, err: err}
	}}}
}

// discard takes a change set back, and the empty stack that came with it.
func (c *createStack) discard(s *Session) []Effect {
	c.stage, c.since = inStackSending, s.Now()
	s.Stack.Token = c.token(s)
	account, set, stack, token, alone := s.AWS, c.set.ID, s.Stack.ID, s.Stack.Token, !c.update
	return []Effect{Call{Name: "discard change set of stack " + s.Stack.Name, Writes: true, Do: func(ctx context.Context) Msg {
		err := account.DeleteChangeSet(ctx, set)
		if err == nil && alone {
			err = account.DeleteStack(ctx, stack, token)
		}
		return stackSent{what: requestDiscard, err: err}
	}}}
}

// delete deletes a failed stack, after the person said so.
func (c *createStack) delete(s *Session) []Effect {
	c.stage, c.since, c.problem = inStackSending, s.Now(), nil
	s.Stack.ID, s.Stack.Token = c.stack.ID, c.token(s)
	account, id, token := s.AWS, c.stack.ID, s.Stack.Token
	return []Effect{Call{Name: "delete stack " + c.stack.Name, Writes: true, Do: func(ctx context.Context) Msg {
		return stackSent{what: requestDelete, err: account.DeleteStack(ctx, id, token)}
	}}}
}
