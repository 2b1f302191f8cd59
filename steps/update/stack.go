package update

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/aws/evidence"
	"rolecall/policy"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// StackUpdate is the change of the CloudFormation stack that keeps the role.
type StackUpdate struct {
	Stack  aws.Stack // as it was found
	Digest string    // of the template that is wanted
	Drift  []string  // what somebody changed beside the stack, in sentences
	Needed bool      // the stack has another template now
	Set    aws.ChangeSet
	Status aws.StackStatus // how the run ended; empty: none was begun

	want     *making.Stack
	template string // as it is now
	known    bool   // a receipt proves that rolecall wrote that template
	back     bool   // it goes back to an earlier one
	before   record.Item
	roles    map[string]aws.Role // of the stack, as they are, by their purpose
	after    map[string]aws.Role // as the wanted template makes them, by their names in lower case
}

// keptBy is the stack that a role belongs to: its ID, else its name; empty where
// none keeps it. The tags stay on a role that outlives its stack.
func (u *Updater) keptBy(ctx context.Context, role aws.Role) (string, error) {
	byName := ""
	for _, tag := range role.Tags {
		switch tag.Key { // as AWS sets them; nobody else can ("aws:" is reserved)
		case "aws:cloudformation:stack-id":
			if arn, ok := aws.SplitARN(tag.Value); ok && arn.AccountID == u.Session.AccountID && strings.HasPrefix(arn.Resource, "stack/") {
				return u.stillThere(ctx, tag.Value)
			}
		case "aws:cloudformation:stack-name":
			byName = tag.Value
		}
	}
	if byName != "" || u.Session.ID == "" || !u.Session.HasStep(record.StepStack) {
		return byName, nil
	}
	answers, err := u.Store.Load(u.Session.ID)
	return cmp.Or(answers.Stack.ID, answers.Stack.Name), err
}

// usualSession is the longest session of a role that nobody asked another for (IAM
// API reference, CreateRole, MaxSessionDuration).
const usualSession = time.Hour

// planned is planStack, unless it cannot be told which stack it is.
func (u *Updater) planned(ctx context.Context, role aws.Role, id string, back bool, err error) (Update, error) {
	if err != nil {
		return Update{}, err
	}
	return u.planStack(ctx, role, id, back)
}

// planStack finds out what the stack of a role takes to become what the vendor
// needs now, or what it was before. It changes nothing in AWS.
func (u *Updater) planStack(ctx context.Context, role aws.Role, id string, back bool) (Update, error) {
	stack, err := u.stable(ctx, role, id)
	if err != nil {
		return Update{}, err
	}
	up := &StackUpdate{Stack: stack, back: back, roles: map[string]aws.Role{u.Purpose: role}}
	if up.template, err = u.Account.Template(ctx, stack.ID); err != nil {
		return Update{}, err
	}
	if err := u.reconcile([]record.Item{up.item()}); err != nil {
		return Update{}, err
	}
	before, err := evidence.RolesOf(ctx, up.template, u.ask(stack.Parameters))
	if err != nil {
		return Update{}, unreadable(stack, err)
	}
	if err := u.remember(up, role, before); err != nil {
		return Update{}, err
	}
	if err := u.hasRoles(ctx, up, role); err != nil {
		return Update{}, err
	}
	if up.want, err = u.stackWanted(ctx, up); err != nil {
		return Update{}, err
	}
	up.Digest = aws.TemplateDigest(up.want.Template)
	parameters := up.want.Parameters
	if up.after, err = evidence.RolesOf(ctx, up.want.Template, u.ask(parameters)); err != nil {
		return Update{}, unreadable(stack, err)
	}
	up.Needed = up.Digest != aws.TemplateDigest(up.template) && (back || differ(before, up.after))
	update := Update{Role: role, Stack: up}
	for _, purpose := range up.purposes() {
		now := up.roles[purpose]
		name := strings.ToLower(now.Name)
		up.Drift = append(up.Drift, u.drift(now, before[name])...)
		policies, others := stackPolicies(now, before[name], up.after[name])
		update.Policies, update.Others = append(update.Policies, policies...), append(update.Others, others...)
	}
	if !up.Needed && len(update.Policies) == 0 {
		return update, nil
	}
	return update, u.prepare(ctx, update.Policies, up.known)
}

func (up *StackUpdate) purposes() []string {
	var all []string
	for _, purpose := range up.want.Purposes {
		if _, ok := up.roles[purpose]; ok {
			all = append(all, purpose)
		}
	}
	return all
}

func (u *Updater) ask(parameters map[string]string) evidence.Ask {
	return evidence.Ask{AccountID: u.Session.AccountID, Partition: u.Session.Partition, Parameters: parameters, Now: u.Session.Now()}
}

func refuse(what, expected, next string) error {
	return &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: next, Kind: screen.NotAsNeeded}}
}

func unreadable(stack aws.Stack, err error) error {
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What:     "The template of the stack " + stack.Name + " is one that rolecall cannot read: " + screen.CleanLine(err.Error()),
		Expected: "a template that rolecall wrote", Next: "Change the role in the template, where that is kept.", Kind: screen.NotAsNeeded}}
}

// stable finds the stack, and waits until CloudFormation is not at work on it.
func (u *Updater) stable(ctx context.Context, role aws.Role, id string) (aws.Stack, error) {
	for said := false; ; {
		stack, err := u.Account.Stack(ctx, id)
		switch {
		case aws.KindOf(err) == aws.NotFound || err == nil && stack.Status == aws.StackDeleted:
			return aws.Stack{}, refuse("The role "+role.Name+" belongs to the stack "+id+", which is not there any more.",
				"the stack that made the role, in this region", "Name the stack's region with --region. If it was deleted, make the role anew: "+
					"rolecall connect.")
		case err != nil && !step.Passes(err):
			return aws.Stack{}, err
		case err == nil && !stack.Status.Moving():
			return stack, unfit(stack)
		case err == nil && !said:
			u.say("CloudFormation is at work on the stack " + stack.Name + ". rolecall waits until it is done.")
			said = true
		}
		if err := u.pause(ctx, stackPause); err != nil {
			return aws.Stack{}, err
		}
	}
}

// stackPause is the time between two looks at a stack.
const stackPause = 3 * time.Second

func (u *Updater) say(text string) {
	if u.Say != nil {
		u.Say(text)
	}
}

func (u *Updater) pause(ctx context.Context, d time.Duration) error {
	after := time.After
	if u.After != nil {
		after = u.After
	}
	select {
	case <-after(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unfit refuses a stack that CloudFormation changes no more until somebody mends
// it.
func unfit(stack aws.Stack) error {
	if stack.Status.Good() {
		return nil
	}
	where := ""
	if region := aws.StackRegion(stack.ID); region != "" {
		where = " --region " + region
	}
	name := stack.Name
	if aws.CheckStackName(name) != nil {
		name = "NAME" // what goes into a shell is none that a server made up
	}
	next := "Look at its events in the CloudFormation console. Delete it there and connect anew, or mend what they name."
	switch stack.Status {
	case aws.StackUpdateUndoFailed:
		next = "Have its rollback go on: aws cloudformation continue-update-rollback --stack-name " + name + where + ". Then run this again."
	case aws.StackUpdateFailed:
		next = "Have it rolled back: aws cloudformation rollback-stack --stack-name " + name + where + ". Then run this again."
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     "The stack " + stack.Name + " is " + making.StatusWords(string(stack.Status)) + ": CloudFormation does not change it so.",
		Expected: "a stack that is complete", Next: next, Quoted: stack.Reason, Kind: screen.NotAsNeeded}}
}

// remember takes what neither a flag nor a recalled choice says from the session
// that made the stack, else from the stack and its role: what is written anew is
// the whole template, and nothing of it may change unasked.
func (u *Updater) remember(up *StackUpdate, role aws.Role, before map[string]aws.Role) error {
	s, stack := u.Session, up.Stack
	kept := access.Settings{Boundary: role.Boundary}
	if role.Path != "/" {
		kept.Path = role.Path
	}
	if role.MaxSession > usualSession {
		kept.SessionFor = role.MaxSession
	}
	kept.Tags = map[string]string{}
	for _, tag := range stack.Tags {
		kept.Tags[tag.Key] = tag.Value
	}
	parts := map[string]record.Part{}
	if u.Store.HasSession(s.ID) {
		answers, err := u.Store.Load(s.ID)
		if err != nil {
			return err
		}
		kept, parts = answers.Settings, answers.Parts
	}
	s.Path, s.Boundary, s.SessionFor = cmp.Or(s.Path, kept.Path), cmp.Or(s.Boundary, kept.Boundary), cmp.Or(s.SessionFor, kept.SessionFor)
	if len(s.Tags) == 0 {
		s.Tags = kept.Tags
	}
	s.Stack.Name, s.Stack.ID = stack.Name, stack.ID
	setup, err := s.Request().Setup()
	if err != nil {
		return err
	}
	parameters := setup.ExternalIDParameters()
	for _, r := range s.Request().Needed() {
		id := cmp.Or(parts[r.Purpose].ExternalID, shown(stack.Parameters[parameters[r.Purpose]]))
		name := policyIn(before, stack.Outputs[r.Purpose])
		s.SetPart(r.Purpose, func(p *record.Part) {
			p.ExternalID = cmp.Or(p.ExternalID, id)
			if ref, err := aws.ParseRoleARN(stack.Outputs[r.Purpose], s.Partition, s.AccountID); err == nil {
				p.RoleName = ref.Name
			}
			if p.PolicyName == r.PolicyName { // as suggested: nobody asked for that name
				p.PolicyName = cmp.Or(parts[r.Purpose].PolicyName, name, p.PolicyName)
			}
		})
	}
	return nil
}

// shown is a parameter's value, empty where CloudFormation hides it (NoEcho).
func shown(value string) string {
	if strings.Trim(value, "*") == "" {
		return ""
	}
	return value
}

// policyIn is the name of the first policy that a template gives a role.
func policyIn(before map[string]aws.Role, roleARN string) string {
	made := before[strings.ToLower(access.PolicyNameOf(roleARN))]
	for _, p := range made.Attached {
		if p.Document != nil {
			return p.Name
		}
	}
	for _, p := range made.Inline {
		return p.Name
	}
	return ""
}

// stackWanted is the stack as it is to be: from the template as the automatic
// method writes it, or from the one that the last update took the place of.
func (u *Updater) stackWanted(ctx context.Context, up *StackUpdate) (*making.Stack, error) {
	s, stack := u.Session, up.Stack
	now := aws.TemplateDigest(up.template)
	known, err := u.known(stackItem(stack))
	if err != nil {
		return nil, err
	}
	if known != nil {
		up.before, up.known = *known, known.Writes(now)
	}
	plan, err := s.PlanStack()
	if err != nil {
		return nil, err
	}
	if plan.Template, err = u.asItStands(ctx, up, plan.Setup); err != nil {
		return nil, err
	}
	for _, role := range plan.Setup.Roles {
		if name, asked := plan.Setup.ExternalIDParameters()[role.Output]; asked && plan.Parameters[name] == "" {
			return nil, refuse("The external ID of the role "+role.Name+" is not known here, and the stack "+stack.Name+" does not tell it.",
				"the external ID that "+s.Vendor.Title+" uses", "Have the stack updated by rolecall connect --vendor "+s.Answers.Vendor+
					" --method automatic --stack-name "+stack.Name+".")
		}
	}
	w := plan.Want(s, s.StackToken())
	w.Name, w.ID, w.Acknowledged = stack.Name, stack.ID, true
	w.Tags = withTags(stack.Tags, w.Tags)
	if !up.back {
		return w, nil
	}
	return w, up.goBack(w, now)
}

// goBack makes the wanted stack the earlier one.
func (up *StackUpdate) goBack(w *making.Stack, now string) error {
	earlier := up.before.Earlier
	none := func(what string) error {
		return refuse(what, "a stack that rolecall update changed last, with the earlier template in the receipt",
			"Look at the stack in the CloudFormation console. rolecall update brings it to what the vendor needs now.")
	}
	switch {
	case up.before.Kind == "":
		return none("There is no earlier template to go back to: no receipt here tells of an update of the stack " + up.Stack.Name + ".")
	case !up.known:
		return none("The stack " + up.Stack.Name + " was changed since rolecall wrote its template: going back would undo that too.")
	case earlier == nil || earlier.Digest == now:
		return none("There is no earlier template to go back to: rolecall has not updated the stack " + up.Stack.Name + ", or went back already.")
	case aws.TemplateDigest(string(earlier.Template)) != earlier.Digest:
		return none("The earlier template of the stack " + up.Stack.Name + " was changed in the receipt: it does not have its digest any more.")
	}
	w.Template, w.Parameters = string(earlier.Template), earlier.Parameters
	return nil
}

// withTags are the tags of a stack with others in the place of those of the same
// keys: a change set without a tag takes it off.
func withTags(now, more []aws.Tag) []aws.Tag {
	all := slices.DeleteFunc(slices.Clone(now), func(t aws.Tag) bool {
		return strings.HasPrefix(t.Key, "aws:") || slices.ContainsFunc(more, func(m aws.Tag) bool { return m.Key == t.Key })
	})
	return append(all, more...)
}

// hasRoles looks at every role of the stack that is wanted, and refuses a stack
// that was not made for this vendor: its whole template is written anew.
func (u *Updater) hasRoles(ctx context.Context, up *StackUpdate, role aws.Role) error {
	for _, needed := range u.Session.Request().Needed() {
		purpose := needed.Purpose
		ref, err := aws.ParseRoleARN(up.Stack.Outputs[purpose], u.Session.Partition, u.Session.AccountID)
		if err != nil || purpose == u.Purpose {
			continue
		}
		want := u.Session.WantedRole(purpose)
		want.RoleARN, want.RoleName = ref.ARN, ref.Name
		seen, _, err := u.Account.Look(ctx, want)
		if err == nil && seen.Refusal != nil {
			err = seen.Refusal
		}
		if err != nil {
			return err
		}
		if seen.Role != nil {
			up.roles[purpose] = *seen.Role
		}
	}
	if up.Stack.Outputs[u.Purpose] == role.ARN {
		return nil
	}
	return refuse("The stack "+up.Stack.Name+" keeps the role "+role.Name+", and was not made from a template of rolecall: it has no output "+
		u.Purpose+" with that role.", "a stack that rolecall made",
		"Change the role's policy in the stack's own template. What is wanted: rolecall policy show --format cloudformation.")
}

// stackItem is a stack as the receipts list it.
func stackItem(stack aws.Stack) record.Item {
	return record.Item{Kind: record.ItemStack, Name: stack.Name, ARN: stack.ID, ID: stack.ID}
}

// item is the stack as a receipt lists it, with the digest of its template.
func (up *StackUpdate) item() record.Item {
	item := stackItem(up.Stack)
	item.Digest = aws.TemplateDigest(up.template)
	return item
}

// differ tells whether two templates make something else of their roles.
func differ(before, after map[string]aws.Role) bool {
	if len(before) != len(after) {
		return true
	}
	for name, a := range after {
		b, ok := before[name]
		if !ok || digestOf(a.Trust) != digestOf(b.Trust) || len(a.Attached) != len(b.Attached) || len(a.Inline) != len(b.Inline) ||
			a.Path != b.Path || a.Boundary != b.Boundary || a.MaxSession != b.MaxSession {
			return true
		}
		one, other := documentsOf(b), documentsOf(a)
		for key, d := range other {
			if one[key] == nil || one[key].Digest() != d.Digest() {
				return true
			}
		}
	}
	return false
}

func digestOf(d *policy.Document) string {
	if d == nil {
		return ""
	}
	return d.Digest()
}

// documentsOf are the policies of a role that hold a document, by kind and name.
func documentsOf(role aws.Role) map[string]*policy.Document {
	all := map[string]*policy.Document{}
	held, _ := heldPolicies(role)
	for _, p := range held {
		all[p.key()] = p.Before
	}
	return all
}

func (p PolicyUpdate) key() string { return string(p.Kind) + " " + strings.ToLower(p.Name) }

// stackPolicies pairs what a role of the stack has with what the wanted template
// gives it.
func stackPolicies(now, before, after aws.Role) (differ []PolicyUpdate, others []string) {
	held, others := heldPolicies(now)
	was, wanted := documentsOf(before), documentsOf(after)
	for _, p := range held {
		p.ofStack, p.After = true, wanted[p.key()]
		if p.After == nil && was[p.key()] == nil {
			others = append(others, p.Name)
			continue
		}
		if p.After == nil {
			p.After, p.Gone = policy.NewDocument(), true
		}
		delete(wanted, p.key())
		p.Difference = policy.Compare(p.Before, p.After)
		p.Beside = digestOf(was[p.key()]) == p.After.Digest()
		p.Edited = p.Difference.Less() && p.Before.Digest() != digestOf(was[p.key()])
		if !p.Difference.Equal {
			differ = append(differ, p)
		}
	}
	fresh, _ := heldPolicies(after)
	for _, p := range fresh {
		if wanted[p.key()] == nil {
			continue
		}
		p.After, p.Before, p.New, p.ofStack = p.Before, policy.NewDocument(), true, true
		p.Difference = policy.Compare(p.Before, p.After)
		differ = append(differ, p)
	}
	return differ, others
}

// drift names what somebody changed of a role beside the stack that keeps it.
func (u *Updater) drift(now, made aws.Role) []string {
	var all []string
	if made.Trust != nil && now.Trust != nil && made.Trust.Digest() != now.Trust.Digest() {
		all = append(all, "Somebody edited the trust policy of "+now.Name+" beside the stack.")
	}
	was := documentsOf(made)
	held, _ := heldPolicies(now)
	for _, p := range held {
		if d := was[p.key()]; d == nil {
			all = append(all, fmt.Sprintf("Somebody gave %s the policy %s beside the stack. It stays.", now.Name, p.Name))
		} else if d.Digest() != p.Before.Digest() {
			all = append(all, "Somebody edited "+p.Name+" beside the stack.")
		}
	}
	return all
}
