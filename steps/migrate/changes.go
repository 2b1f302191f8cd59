package migrate

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

// lookEvery is how often a stack that is under way is looked at.
const lookEvery = 3 * time.Second

// setFor is the change set that brings a stack to a template. Its name is the same
// until the stack was changed, so that a later run finds it again.
func (t template) setFor(stack aws.Stack, what string, parameters map[string]string) aws.NewChangeSet {
	name := t.setName(what)
	if !stack.Updated.IsZero() {
		name += "-" + strconv.FormatInt(stack.Updated.Unix(), 10)
	}
	return aws.NewChangeSet{NewStack: aws.NewStack{Name: stack.ID, Template: t.text, Parameters: parameters, Tags: stack.Tags,
		Acknowledged: true, Token: name}, ChangeSet: name, Update: true}
}

// template is what a stack is to be made from next.
type template struct {
	text   string
	digest string
}

func templateOf(text string) template { return template{text, aws.TemplateDigest(text)} }

// setName is the name of the change set that brings a stack to a template. It is
// the same in every run, so that one which was made is found again.
func (t template) setName(what string) string {
	return "rolecall-" + what + "-" + strings.TrimPrefix(t.digest, "sha256:")[:12]
}

// stackOf is the stack of an entry of the receipt: by its ID where that is known.
// ok is false where there is none any more.
func (m *Migration) stackOf(ctx context.Context, item record.Item) (stack aws.Stack, ok bool, err error) {
	id := item.ID
	if id == "" {
		id = item.Name
	}
	stack, err = m.Account.Stack(ctx, id)
	if aws.KindOf(err) == aws.NotFound || err == nil && stack.Status == aws.StackDeleted {
		return aws.Stack{}, false, nil
	}
	return stack, err == nil, err
}

// stackNamed is the stack of an entry of the receipt, else whichever has its name:
// what is asked for under a name that is taken would be done to that one.
func (m *Migration) stackNamed(ctx context.Context, item record.Item) (stack aws.Stack, ok bool, err error) {
	stack, ok, err = m.stackOf(ctx, item)
	if err != nil || ok || item.ID == "" {
		return stack, ok, err
	}
	return m.stackOf(ctx, record.Item{Name: item.Name})
}

// change brings a stack one request nearer to what a change set does: it has the
// set made, waits for it, looks whether it does what was agreed to and nothing
// else, and executes it. It gives back without an error when it has to be called
// again after another look at the stack.
func (m *Migration) change(ctx context.Context, item record.Item, n aws.NewChangeSet, agreed func(aws.ChangeSet) error) error {
	set, err := m.Account.ChangeSetOf(ctx, item.ID, n.ChangeSet)
	switch {
	case aws.KindOf(err) == aws.NotFound:
		return m.createSet(ctx, item, n)
	case err != nil:
		return err
	case set.Failed() && !set.Empty(), set.Execution == "OBSOLETE", set.Execution == "EXECUTE_FAILED":
		return m.failedSet(ctx, set)
	case !set.Ready():
		return m.pause(ctx, lookEvery)
	}
	if err := agreed(set); err != nil {
		return err
	}
	item.Digest = aws.TemplateDigest(n.Template)
	err = m.send(ctx, making.Operation{Name: "execute change set of stack " + item.Name, Item: item, Follow: true,
		Do: func(ctx context.Context, account *aws.Account, _ *record.Item) error {
			return account.ExecuteChangeSet(ctx, set.ID, n.ChangeSet)
		}})
	m.executed = true
	return m.again(ctx, err)
}

func (m *Migration) createSet(ctx context.Context, item record.Item, n aws.NewChangeSet) error {
	err := m.send(ctx, making.Operation{Name: "create change set of stack " + item.Name, Item: item, Follow: true,
		Do: func(ctx context.Context, account *aws.Account, _ *record.Item) error {
			_, err := account.CreateChangeSet(ctx, n)
			return err
		}})
	if aws.KindOf(err) == aws.Exists {
		err = nil // by the try whose answer got lost
	}
	return m.again(ctx, err)
}

// again lets a failure that may pass pass: the next look shows what was done.
func (m *Migration) again(ctx context.Context, err error) error {
	if err != nil && (ctx.Err() != nil || !step.Passes(err)) {
		return err
	}
	return m.pause(ctx, lookEvery)
}

// failedSet takes a change set away that can never be executed, and says why it
// cannot.
func (m *Migration) failedSet(ctx context.Context, set aws.ChangeSet) error {
	if err := m.discard(ctx, set); err != nil {
		return err
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     "CloudFormation cannot do that: it refused the change set of stack " + set.StackName + ".",
		Expected: "a change set that can be executed", Next: "Read AWS's words. Nothing was changed.", Quoted: set.Reason,
		Kind: screen.NotAsNeeded}}
}

func (m *Migration) discard(ctx context.Context, set aws.ChangeSet) error {
	writing, cancel := screen.Writing(ctx)
	defer cancel()
	err := m.Journal.Do(writing, "discard change set of stack "+set.StackName, func(ctx context.Context) error {
		return m.Account.DeleteChangeSet(ctx, set.ID)
	})
	if aws.KindOf(err) == aws.NotFound {
		return nil
	}
	return err
}

// keepsAll refuses a change set that would make, replace or remove anything, and
// takes it away.
func (m *Migration) keepsAll(ctx context.Context) func(aws.ChangeSet) error {
	return func(set aws.ChangeSet) error {
		for _, c := range set.Changes {
			if c.Action == "Modify" && (c.Replacement == "" || c.Replacement == "False") {
				continue
			}
			if err := m.discard(ctx, set); err != nil {
				return err
			}
			return notAsNeeded("The change set of stack "+set.StackName+" would do more than was agreed to: "+strings.ToLower(c.Action)+" "+
				c.LogicalID+", replacement "+strings.ToLower(c.Replacement)+". It was discarded.",
				"a change that leaves every role and policy as it is",
				"Look at the stack in the AWS console.")
		}
		return nil
	}
}

// ended says of a stack that is whole no more why that is.
func ended(stack aws.Stack, next string) error {
	return &screen.Fault{Problem: screen.Problem{
		What:     "The stack " + stack.Name + " ended as " + making.StatusWords(string(stack.Status)) + ".",
		Expected: "a stack that is complete", Next: next, Quoted: stack.Reason, Kind: screen.NotAsNeeded}}
}

func purposeOf(roles []Proven, purpose string) (Proven, bool) {
	i := slices.IndexFunc(roles, func(p Proven) bool { return p.Purpose == purpose })
	if i < 0 {
		return Proven{}, false
	}
	return roles[i], true
}
