package migrate

import (
	"context"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	making "rolecall/steps/make"
	"rolecall/steps/record"
)

// The types of resources that rolecall imports. AWS imports no AWS::IAM::Policy
// and no AWS::IAM::RolePolicy; an inline policy comes along inside of its role
// (CloudFormation user guide, "Resource type support").
const (
	typeRole   = "AWS::IAM::Role"
	typePolicy = "AWS::IAM::ManagedPolicy"
)

// Import is a connection's way into a stack: the roles with their policies stay as
// they are, and CloudFormation takes them over.
type Import struct {
	Stack     string
	Resources []aws.ImportedResource
	Roles     []Proven
	Template  string // of the stack in the end: everything in it is retained
	Done      bool   // it was done before

	bare       template // the template for the import, which may have no outputs
	whole      template
	parameters map[string]string
}

// PlanImport looks at the roles, and writes the template that says exactly what
// they are like. The error is a Fault where one is not as the template would say,
// or is in a stack already. It changes nothing in AWS.
func (m *Migration) PlanImport(ctx context.Context, stackName string) (*Import, error) {
	roles, err := m.prove(ctx)
	if err != nil {
		return nil, err
	}
	setup, err := m.Session.Request().Setup()
	if err != nil {
		return nil, err
	}
	p := &Import{Stack: stackName, Roles: roles, parameters: map[string]string{}}
	parameters := setup.ExternalIDParameters()
	for _, makes := range setup.ProviderParameters() {
		p.parameters[makes] = "false" // it is the account's, and an import makes nothing
	}
	for i := range setup.Roles {
		r := &setup.Roles[i]
		proven, ok := purposeOf(roles, r.Output)
		if !ok {
			continue
		}
		if err := m.free(ctx, proven.Role, stackName); err != nil {
			return nil, err
		}
		if err := m.describe(ctx, r, proven.Role, p); err != nil {
			return nil, err
		}
		if name := parameters[r.Output]; name != "" {
			p.parameters[name] = r.ExternalID
		}
	}
	if err := p.write(setup); err != nil {
		return nil, err
	}
	item, ok := m.Receipt.Find(record.Item{Kind: record.ItemStack, Name: stackName})
	if !ok {
		item = record.Item{Kind: record.ItemStack, Name: stackName}
	}
	stack, exists, err := m.stackNamed(ctx, item)
	if err != nil || !exists {
		return p, err
	}
	if _, err := m.own(ctx, stack, item); err != nil {
		return nil, err
	}
	p.Done, err = m.is(ctx, stack, p.whole)
	p.Done = p.Done && stack.Status.Good()
	return p, err
}

// write writes both templates.
func (p *Import) write(setup *policy.Setup) error {
	whole, err := setup.CloudFormation()
	if err != nil {
		return err
	}
	p.Template = policy.Retained(whole)
	p.whole = templateOf(p.Template)
	without := *setup
	without.Roles = slices.Clone(setup.Roles)
	for i := range without.Roles {
		without.Roles[i].Output = ""
	}
	bare, err := without.CloudFormation()
	if err != nil {
		return err
	}
	p.bare = templateOf(policy.Retained(bare))
	return aws.CheckTemplateSize(p.Template)
}

// free refuses a role that another stack holds. The tags stay on a role when its
// stack is gone.
func (m *Migration) free(ctx context.Context, role aws.Role, stackName string) error {
	for _, t := range role.Tags {
		if t.Key != "aws:cloudformation:stack-id" {
			continue
		}
		stack, exists, err := m.stackOf(ctx, record.Item{ID: t.Value})
		if err != nil {
			return err
		}
		known, ours := m.Receipt.Find(record.Item{Kind: record.ItemStack, Name: stack.Name})
		if exists && (!ours || known.ID != stack.ID || stack.Name != stackName) {
			return notAsNeeded("The role "+role.Name+" is in the stack "+stack.Name+" already. AWS takes no resource into two stacks.",
				"a role that no stack holds", "Take it out of that stack first, or leave it there.")
		}
	}
	return nil
}

// describe makes the template say what the role is like now. What it cannot say
// exactly it refuses: a later update of the stack would change it.
func (m *Migration) describe(ctx context.Context, r *policy.SetupRole, role aws.Role, p *Import) error {
	g, err := m.Session.Grant(r.Output)
	if err != nil {
		return err
	}
	if role.Trust == nil || g.Trust == nil || role.Trust.Digest() != g.Trust.Digest() {
		return otherwise(role.Name, "Its trust policy lets in whom it should, and says so in other words than the template.")
	}
	r.Name, r.Description, r.Boundary, r.Tags = role.Name, role.Description, role.Boundary, nil
	if r.Path = role.Path; r.Path == "/" {
		r.Path = ""
	}
	if r.SessionDuration = role.MaxSession; role.MaxSession == time.Hour {
		r.SessionDuration = g.SessionFor
	}
	for _, t := range role.Tags {
		if !strings.HasPrefix(t.Key, "aws:") {
			r.Tags = append(r.Tags, policy.SetupTag(t))
		}
	}
	attached, inline := slices.Clone(role.Attached), slices.Clone(role.Inline)
	for i := range r.Policies {
		one := &r.Policies[i]
		if one.Inline {
			at := slices.IndexFunc(inline, func(o aws.InlinePolicy) bool {
				return o.Document != nil && o.Document.Digest() == one.Document.Digest()
			})
			if at < 0 {
				return otherwise(role.Name, "Its inline policy is not the one that the template would write.")
			}
			one.Name = inline[at].Name
			inline = slices.Delete(inline, at, at+1)
			continue
		}
		at := slices.IndexFunc(attached, func(o aws.AttachedPolicy) bool {
			return o.Document != nil && o.Document.Digest() == one.Document.Digest()
		})
		if at < 0 {
			return otherwise(role.Name, "It has no managed policy with exactly the document that the template would write.")
		}
		if err := m.describePolicy(ctx, one, attached[at].ARN, role); err != nil {
			return err
		}
		p.Resources = append(p.Resources, aws.ImportedResource{LogicalID: one.ID, Type: typePolicy, By: "PolicyArn", Value: attached[at].ARN})
		attached = slices.Delete(attached, at, at+1)
	}
	attached = slices.DeleteFunc(attached, func(o aws.AttachedPolicy) bool { return slices.Contains(r.ManagedPolicies, o.ARN) })
	switch {
	case len(attached) > 0:
		return otherwise(role.Name, "It also has the policy "+attached[0].Name+".")
	case len(inline) > 0:
		return otherwise(role.Name, "It also has the inline policy "+inline[0].Name+".")
	}
	p.Resources = append(p.Resources, aws.ImportedResource{LogicalID: r.ID, Type: typeRole, By: "RoleName", Value: role.Name})
	return nil
}

func (m *Migration) describePolicy(ctx context.Context, one *policy.SetupPolicy, arn string, role aws.Role) error {
	now, err := m.Account.Policy(ctx, arn)
	if err != nil {
		return err
	}
	if now.Path != role.Path {
		return otherwise(role.Name, "Its policy "+now.Name+" is under the path "+now.Path+
			", and the template has one path, "+role.Path+", for both.")
	}
	one.Name, one.Description = now.Name, now.Description
	return nil
}

func otherwise(role, why string) error {
	return notAsNeeded("The role "+role+" is not as a template would say. "+why+" CloudFormation does not compare what it imports, "+
		"and would change it later.", "a role that is exactly as rolecall makes it", "Bring it to what is needed: rolecall update --role "+role+
		". What was added to it has to go first.")
}

// own tells whether a stack that has the name is the one that this session asked
// for, and gives what is on record of it then.
func (m *Migration) own(ctx context.Context, stack aws.Stack, item record.Item) (record.Item, error) {
	if item.State == record.ItemMade && item.ID == stack.ID {
		return item, nil
	}
	if item.Unproven() && stack.Status == aws.StackReview {
		found, err := making.FoundInReview(ctx, m.Account, stack, item)
		if err != nil {
			return item, err
		}
		if known, ok := making.Proven(item, []making.Found{found}); ok {
			return known, m.put(known)
		}
	}
	return item, notAsNeeded("A stack "+stack.Name+" exists already, and no receipt proves that this session made it.", "a name that is free",
		"Choose another name: --stack-name.")
}

// is tells whether a stack was last made from a template.
func (m *Migration) is(ctx context.Context, stack aws.Stack, t template) (bool, error) {
	if stack.Status == aws.StackReview {
		return false, nil
	}
	text, err := m.Account.Template(ctx, stack.ID)
	return err == nil && aws.TemplateDigest(text) == t.digest, err
}

// Import has CloudFormation take the roles over, gives the stack its outputs, and
// proves that every role is the very one of before. It gives the stack.
func (m *Migration) Import(ctx context.Context, p *Import) (aws.Stack, error) {
	for {
		stack, done, err := m.importOnce(ctx, p)
		if err != nil {
			return stack, err
		}
		if done {
			return stack, m.imported(ctx, p)
		}
	}
}

func (m *Migration) importOnce(ctx context.Context, p *Import) (stack aws.Stack, done bool, err error) {
	item, known := m.Receipt.Find(record.Item{Kind: record.ItemStack, Name: p.Stack})
	if !known {
		item = record.Item{Kind: record.ItemStack, Name: p.Stack}
	}
	stack, exists, err := m.stackNamed(ctx, item)
	if err != nil {
		return stack, false, err
	}
	if !exists {
		return stack, false, m.beginImport(ctx, p, item)
	}
	if item, err = m.own(ctx, stack, item); err != nil {
		return stack, false, err
	}
	switch {
	case stack.Status == aws.StackReview && !item.Writes(p.bare.digest):
		return stack, false, m.anew(ctx, stack, item, p)
	case stack.Status == aws.StackReview:
		return stack, false, m.change(ctx, item, p.set(item.ChangeSet), p.agreed)
	case stack.Status.Moving():
		return stack, false, m.pause(ctx, lookEvery)
	case !stack.Status.Good() || stack.Status == aws.StackUpdateUndone && m.executed:
		return stack, false, ended(stack, "Its roles are as they were. Delete the stack in the console, which keeps them, then run this again.")
	}
	if done, err = m.is(ctx, stack, p.whole); done || err != nil {
		return stack, done, err
	}
	if bare, err := m.is(ctx, stack, p.bare); err != nil || !bare {
		if err == nil {
			err = notAsNeeded("The stack "+stack.Name+" was updated by somebody else.", "the template of the import",
				"Look at it in the AWS console. The roles are as they were.")
		}
		return stack, false, err
	}
	return stack, false, m.change(ctx, item, p.whole.setFor(stack, "outputs", p.parameters), m.keepsAll(ctx))
}

// anew takes away the change set of an earlier run, whose roles were others then,
// and puts the name of the next one on record.
func (m *Migration) anew(ctx context.Context, stack aws.Stack, item record.Item, p *Import) error {
	set, err := m.Account.ChangeSetOf(ctx, stack.ID, item.ChangeSet)
	if err == nil {
		err = m.discard(ctx, set)
	}
	if err != nil && aws.KindOf(err) != aws.NotFound {
		return m.again(ctx, err)
	}
	item.Digest, item.Pending, item.ChangeSet = p.bare.digest, "", p.importSet(m.Now())
	return m.put(item)
}

// importSet is a name for the change set that imports.
func (p *Import) importSet(now time.Time) string {
	return p.bare.setName("import-" + now.UTC().Format("150405"))
}

// set is the change set that imports.
func (p *Import) set(name string) aws.NewChangeSet {
	return aws.NewChangeSet{NewStack: aws.NewStack{Name: p.Stack, Template: p.bare.text, Parameters: p.parameters, Acknowledged: true,
		Token: name}, ChangeSet: name, Import: p.Resources}
}

// beginImport asks for the change set, with which the stack appears. Its name is
// on record before.
func (m *Migration) beginImport(ctx context.Context, p *Import, before record.Item) error {
	item := record.Item{Kind: record.ItemStack, Name: p.Stack, Digest: p.bare.digest, Settings: &record.Settings{},
		ChangeSet: p.importSet(m.Now())}
	if before.Unproven() && before.Digest == item.Digest && before.ChangeSet != "" {
		item.ChangeSet = before.ChangeSet // the request for it may still be done
	}
	err := m.send(ctx, making.Operation{Name: "create change set of stack " + p.Stack, Item: item, Makes: true, Follow: true,
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			set, err := account.CreateChangeSet(ctx, p.set(item.ChangeSet))
			if err == nil {
				item.ID, item.ARN = set.StackID, set.StackID
			}
			return err
		},
		Look: func(ctx context.Context, account *aws.Account) ([]making.Found, error) {
			stack, err := account.Stack(ctx, p.Stack)
			if aws.KindOf(err) == aws.NotFound {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			found, err := making.FoundInReview(ctx, account, stack, item)
			return []making.Found{found}, err
		}})
	return m.again(ctx, err)
}

// agreed refuses a change set that does anything but import what was shown.
func (p *Import) agreed(set aws.ChangeSet) error {
	left := slices.Clone(p.Resources)
	for _, c := range set.Changes {
		i := slices.IndexFunc(left, func(r aws.ImportedResource) bool { return r.LogicalID == c.LogicalID && r.Type == c.Type })
		if c.Action != "Import" || i < 0 {
			return notAsNeeded("The change set of stack "+set.StackName+" would do more than was agreed to: "+strings.ToLower(c.Action)+" "+
				c.LogicalID+".", "a change set that imports what the plan names", "Delete the stack in the console: there is nothing in it.")
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > 0 {
		return notAsNeeded("The change set of stack "+set.StackName+" does not import "+left[0].Value+".",
			"a change set that imports what the plan names",
			"Delete the stack in the console: there is nothing in it.")
	}
	return nil
}

// imported proves the roles after the import.
func (m *Migration) imported(ctx context.Context, p *Import) error {
	after, err := m.prove(ctx)
	if err != nil {
		return err
	}
	return same(p.Roles, after)
}
