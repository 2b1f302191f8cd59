package making

import (
	"context"
	"maps"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Stack plans a CloudFormation stack that makes roles with their policies.
type Stack struct {
	Name         string
	ID           string // of the one that is known from before; empty: none is
	Title        string // the vendor's
	Template     string
	Parameters   map[string]string   // the external IDs, as the template names them
	Closed       map[string]string   // those that the stack has while its vendor has not told whom to trust; nil: it tells before
	Wants        map[string]aws.Want // by purpose, which is the output's name
	Purposes     []string
	Tags         []aws.Tag
	Permissions  []aws.Permission // that making it takes: CloudFormation acts with those of the caller
	Acknowledged bool             // a person accepts that IAM resources are made
	// Token marks the request, so that repeating it does no harm.
	Token string
	// AtOnce creates the stack without a change set that somebody looks at first.
	AtOnce bool
	// Providers are the template's parameters that say whether it makes an OIDC
	// provider, by the provider: Look finds out.
	Providers map[string]policy.WebIdentity
	// Set takes in the change set that was made.
	Set *aws.ChangeSet
}

// Needs are the permissions that all of it takes.
func (w *Stack) Needs() []aws.Permission { return w.Permissions }

// Look looks at the stack of this session, else at one of the wanted name, and
// judges the roles that it has made.
func (w *Stack) Look(ctx context.Context, account *aws.Account, _ bool) (Sight, error) {
	stack, err := w.find(ctx, account)
	none := aws.KindOf(err) == aws.NotFound
	if err != nil && !none {
		return Sight{}, err
	}
	x := Sight{}
	if x.Makes, x.audiences, err = w.lookAtProviders(ctx, account, stack); err != nil || none {
		return x, err
	}
	x.Stack = &stack
	if stack.Status == aws.StackReview { // its template is told with its change set alone
		found, err := FoundInReview(ctx, account, stack, w.inReview())
		x.Found = []Found{found}
		return x, err
	}
	found, text, err := FoundStack(ctx, account, stack, w.item())
	x.Found = []Found{found}
	if err != nil {
		return x, err
	}
	if text != "" && aws.SameTemplate(text, policy.Retained(text)) { // what it took over stays, also after a change
		w.Template = policy.Retained(w.Template)
	}
	x.same = aws.SameTemplate(text, w.Template) || aws.SameTemplate(text, policy.Retained(w.Template))
	if text == "" { // then the outputs tell: the roles are judged in any case
		x.same = !slices.ContainsFunc(w.Purposes, func(name string) bool { return stack.Outputs[name] == "" })
	}
	x.same = x.same && w.with(stack, x.Makes)
	if stack.Status.Good() {
		err = w.judge(ctx, account, &x)
	}
	return x, err
}

// lookAtProviders finds out which OIDC providers the stack has to make: those that
// the account has not. What the stack made itself stays its own. It gives those
// that lack the audience, which no template can add.
func (w *Stack) lookAtProviders(ctx context.Context, account *aws.Account, stack aws.Stack) (makes map[string]string,
	lacking []policy.WebIdentity, err error) {
	makes = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(w.Providers)) {
		web := w.Providers[name]
		p, err := account.OIDCProvider(ctx, web.Provider())
		switch {
		case aws.KindOf(err) == aws.NotFound:
			makes[name] = "true"
			continue
		case err != nil:
			return nil, nil, err
		}
		makes[name] = "false"
		if stack.Parameters[name] == "true" {
			makes[name] = "true"
		}
		if !p.Takes(web.Audience) {
			lacking = append(lacking, web)
		}
	}
	return makes, lacking, nil
}

// Kept are the parameters of the OIDC providers as a stack has them, for what
// changes the stack and not who makes its providers.
func (w *Stack) Kept(stack aws.Stack) map[string]string {
	kept := map[string]string{}
	for name := range w.Providers {
		kept[name] = stack.Parameters[name]
	}
	return kept
}

func (w *Stack) find(ctx context.Context, account *aws.Account) (aws.Stack, error) {
	if w.ID != "" {
		stack, err := account.Stack(ctx, w.ID)
		gone := err == nil && stack.Status == aws.StackDeleted
		if !gone && aws.KindOf(err) != aws.NotFound {
			return stack, err
		}
	}
	return account.Stack(ctx, w.Name)
}

// with reports whether a stack was made with the parameters that are wanted.
func (w *Stack) with(stack aws.Stack, makes map[string]string) bool {
	for name, value := range w.given(makes) {
		if stack.Parameters[name] != value {
			return false
		}
	}
	return true
}

// judge reads the outputs and verifies the roles.
func (w *Stack) judge(ctx context.Context, account *aws.Account, x *Sight) error {
	x.Roles, x.Reports = map[string]*aws.Role{}, map[string]aws.Report{}
	for _, purpose := range w.Purposes {
		want := w.Wants[purpose]
		ref, ok := roleOf(x.Stack.Outputs[purpose], want)
		if !ok {
			x.missing = &screen.Problem{
				What:     "The stack " + x.Stack.Name + " has no output " + purpose + " with the ARN of a role.",
				Expected: "the outputs that the template describes",
				Next:     "Make the stack from the template as it is, under another name.",
				Kind:     screen.NotAsNeeded,
			}
			return nil
		}
		want.RoleARN, want.RoleName = ref.ARN, ref.Name
		seen, report, err := account.Look(ctx, want)
		if err == nil && seen.Refusal != nil {
			err = seen.Refusal
		}
		if err != nil {
			return err
		}
		x.Roles[purpose], x.Reports[purpose] = seen.Role, report
	}
	return nil
}

// roleOf reads a role's ARN; ok is false for what is none of this account.
func roleOf(arn string, want aws.Want) (ref aws.RoleRef, ok bool) {
	ref, err := aws.ParseRoleARN(arn, want.Partition, want.AccountID)
	return ref, err == nil
}

func (w *Stack) item() record.Item {
	return record.Item{Kind: record.ItemStack, Name: w.Name, Digest: aws.TemplateDigest(w.Template),
		Settings: &record.Settings{Tags: w.Tags}}
}

// inReview is the empty stack that comes with a change set.
func (w *Stack) inReview() record.Item {
	item := w.item()
	item.ChangeSet = w.Token
	return item
}

// Updatable reports whether a stack gives the roles that are needed here: then
// it was made for the same.
func (w *Stack) Updatable(stack aws.Stack) bool {
	return stack.Status.Good() && !slices.ContainsFunc(w.Purposes, func(name string) bool { return stack.Outputs[name] == "" })
}

// Plan compares the stack that exists with the one that is wanted.
func (w *Stack) Plan(x Sight, update map[string]bool) Plan {
	var p Plan
	for _, web := range x.audiences {
		p.Operations = append(p.Operations, addAudience(web, record.Item{}))
	}
	if x.Stack == nil {
		p.Operations = append(p.Operations, w.create(x.Makes))
		return p
	}
	stack := *x.Stack
	mine := stack.ID == w.ID || x.Found[0].State == record.ItemMade
	switch {
	case stack.Status == aws.StackReview:
		op := w.ChangeSet("", x.Makes)
		op.Makes, op.Item.ID, op.Item.ARN = false, stack.ID, stack.ID // in the empty stack that is there
		p.Operations = append(p.Operations, op)
	case stack.Status.Moving() && (x.same || mine), stack.Status.Blocked():
		p.Follow = true
	case stack.Status.Good() && x.same:
		p.Adopted = []record.Item{x.Found[0].Item}
	case stack.Status.Good() && stack.ID == w.ID && w.opens(stack):
		p.Operations = []Operation{w.ChangeSet(stack.ID, x.Makes)}
	default:
		p.add(w.difference(stack, x.Makes), update)
	}
	return p
}

// opens reports whether the stack's role is closed as this session made it, and
// its vendor has told by now whom to trust.
func (w *Stack) opens(stack aws.Stack) bool {
	for name, value := range w.Closed {
		if stack.Parameters[name] != value || w.Parameters[name] == value {
			return false
		}
	}
	return len(w.Closed) > 0
}

func (w *Stack) difference(stack aws.Stack, makes map[string]string) *Difference {
	d := &Difference{Key: string(record.ItemStack) + " " + stack.ID, Kind: record.ItemStack, Name: stack.Name}
	d.Problem = screen.Problem{
		What: "The stack " + stack.Name + " exists already (" + StatusWords(string(stack.Status)) +
			"), and it was made from another template or with another external ID.",
		Expected: "a name that is free, or a stack made from this template",
		Next:     "Choose another name, or have the stack updated.", Flag: "--stack-name", Kind: screen.NotAsNeeded}
	switch {
	case stack.Status.Moving():
		d.Fixed = "CloudFormation is at work on it"
	case !w.Updatable(stack):
		d.Fixed = "it was not made for " + w.Title
	}
	d.Update = []Operation{w.ChangeSet(stack.ID, makes)}
	return d
}

// StatusWords writes AWS's status in small words.
func StatusWords(status string) string { return strings.ToLower(strings.ReplaceAll(status, "_", " ")) }

// given are the template's parameters, with whether it makes OIDC providers.
func (w *Stack) given(makes map[string]string) map[string]string {
	all := maps.Clone(w.Parameters)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, makes)
	return all
}

// New is what a request for the stack sends. makes says for the parameters of its
// OIDC providers whether it makes them, as Sight has it.
func (w *Stack) New(makes map[string]string) aws.NewStack {
	return aws.NewStack{
		Name:         w.Name,
		Template:     w.Template,
		Parameters:   w.given(makes),
		Tags:         w.Tags,
		Acknowledged: w.Acknowledged,
		Token:        w.Token,
	}
}

func (w *Stack) create(makes map[string]string) Operation {
	if !w.AtOnce {
		return w.ChangeSet("", makes)
	}
	item := w.item()
	item.Token = w.Token
	return Operation{Name: "create stack " + w.Name, Item: item, Makes: true, Follow: true,
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			id, err := account.CreateStack(ctx, w.New(makes))
			if err == nil {
				item.ID, item.ARN = id, id
			}
			return err
		}}
}

// ChangeSet has CloudFormation work out what it would do: to a stack that exists
// or, without an ID, to a new one, which appears with nothing in it.
func (w *Stack) ChangeSet(stackID string, makes map[string]string) Operation {
	op := Operation{Name: "create change set of stack " + w.Name, Follow: true, OnlyAnswer: true,
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			n := aws.NewChangeSet{NewStack: w.New(makes), ChangeSet: w.Token, Update: stackID != ""}
			if n.Update {
				n.Name = stackID // also where another region is set now
			}
			set, err := account.CreateChangeSet(ctx, n)
			if err == nil {
				item.ID, item.ARN = set.StackID, set.StackID
				*w.Set = set
			}
			return err
		}}
	if stackID == "" {
		op.Item, op.Makes = w.inReview(), true
	}
	return op
}

// Execute begins to do what the change set says. The stack was made with its
// change set, or existed before.
func (w *Stack) Execute(stackID, token string) Operation {
	set, item := *w.Set, w.item()
	item.ID, item.ARN = stackID, stackID
	return change("execute change set of stack "+w.Name, "", item, func(ctx context.Context, account *aws.Account) error {
		return account.ExecuteChangeSet(ctx, set.ID, token)
	}).followed()
}

// Discard takes the change set back, and the empty stack that came with a new
// one. Where two requests are sent, the journal tells of the second by itself.
func (w *Stack) Discard(journal *record.Journal, stackID, token string, alone bool) Operation {
	set := *w.Set
	item := record.Item{}
	if alone {
		item = record.Item{Kind: record.ItemStack, Name: w.Name, ID: stackID}
	}
	op := change("discard change set of stack "+w.Name, "", item, func(ctx context.Context, account *aws.Account) error {
		err := account.DeleteChangeSet(ctx, set.ID)
		if (err == nil || aws.KindOf(err) == aws.NotFound) && alone {
			err = journal.Do(ctx, "delete stack "+w.Name, func(ctx context.Context) error { return account.DeleteStack(ctx, stackID, token) })
		}
		return err
	}).followed()
	op.Removes = alone
	return op
}

// DeleteStack begins to delete a stack with all that is left of it.
func DeleteStack(stack aws.Stack, token string) Operation {
	item := record.Item{Kind: record.ItemStack, Name: stack.Name, ID: stack.ID}
	op := change("delete stack "+stack.Name, "", item, func(ctx context.Context, account *aws.Account) error {
		return account.DeleteStack(ctx, stack.ID, token)
	}).followed()
	op.Removes = true
	return op
}

func (op Operation) followed() Operation {
	op.Follow = true
	return op
}
