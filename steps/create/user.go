package create

import (
	"strings"

	"rolecall/aws"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// DirectUser is the step in which rolecall makes the policy and the IAM user
// itself. It looks at what exists, shows what is missing, and after the person
// agreed makes that.
type DirectUser struct {
	creating
	naming bool   // another name is asked for
	field  string // what is wrong with it
}

// NewDirectUser makes the step of a description.
func NewDirectUser(d step.Described) *DirectUser {
	return &DirectUser{creating: creating{Described: d}}
}

// Enter looks at what exists.
func (c *DirectUser) Enter(s *step.Session) []screen.Effect {
	*c = *NewDirectUser(c.Described)
	if s.AWS == nil {
		c.run.Stop(
			signedOut("credentials that may create IAM policies, users and access keys", "Go back to sign in, or choose the manual method."),
		)
		return nil
	}
	return c.look(s)
}

// Update follows what AWS shows and what the person wants.
func (c *DirectUser) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Chose:
		return c.chose(s, msg.ID)
	case screen.Changed:
		c.field = ""
	case screen.Entered:
		return step.Stay, c.renamed(s, msg)
	default:
		right, effects := c.advance(s, msg)
		if right {
			return c.take(s)
		}
		c.naming = c.naming || c.run.Stage == making.Differs
		return step.Stay, effects
	}
	return step.Stay, nil
}

func (c *DirectUser) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	switch id {
	case "create":
		return step.Stay, c.run.Agree(s.Host())
	case "rename":
		c.naming, c.field = true, ""
	case "again":
		return step.Stay, c.again(s, c.Enter)
	case "next":
		return step.Next, nil
	}
	return step.Stay, nil
}

// Deeper reports whether other names are being asked for.
func (c *DirectUser) Deeper() bool { return c.naming }

// Up leaves the names as they were, and looks again.
func (c *DirectUser) Up(s *step.Session) []screen.Effect { return c.Enter(s) }

func (c *DirectUser) renamed(s *step.Session, msg screen.Entered) []screen.Effect {
	name, check := strings.TrimSpace(msg.Text), aws.CheckUserName
	if msg.ID == "policy-name" {
		check = aws.CheckPolicyName
	}
	if err := check(name); err != nil {
		c.field = step.InputProblem(err)
		return nil
	}
	for _, g := range c.grants {
		s.SetPart(g.Purpose, func(p *record.Part) {
			if msg.ID == "policy-name" {
				p.PolicyName, p.Policies = name, nil
				return
			}
			p.UserName, p.UserNameGiven = name, true
		})
	}
	return c.Enter(s)
}

// Screen shows the plan, then how it goes, then what exists.
func (c *DirectUser) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	if c.naming {
		view.Blocks = c.fields(s)
		view.Actions = []screen.Action{{ID: "again", Key: "g", Label: "look again"}}
		if len(c.run.Plan.Differences) > 0 {
			view.Blocks = append(view.Blocks, c.run.Plan.Differences[0].Problem)
		}
		return view
	}
	waiting := screen.Waiting{For: "AWS to show what was made", Since: c.run.Since, Until: c.run.Until, Next: c.run.Next, Wrong: c.run.Wrong}
	switch c.run.Stage {
	case making.Looking:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Looking at what exists in the account", State: screen.Running, Since: c.run.Since}}}
		if c.run.Tries > 0 {
			view.Blocks = []screen.Block{c.tasks(), waiting}
		}
	case making.Ready:
		view.Blocks = append(c.ready(s), c.Guide(s)...)
		view.Actions = []screen.Action{
			{ID: "create", Label: "create these", Default: true, Writes: true},
			{ID: "rename", Key: "n", Label: "other names"},
		}
	case making.Proving:
		view.Blocks = []screen.Block{c.tasks(), waiting}
	case making.Failed, making.Stopped:
		view.Blocks = append([]screen.Block{c.tasks()}, left(s)...)
		view.Actions = []screen.Action{{ID: "again", Label: "look again", Default: true}}
	case making.Made:
		view.Blocks = c.right(s)
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
	default: // a request that writes is under way
		view.Blocks = []screen.Block{c.tasks()}
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, c.run.Problem)
	return view
}

// ready is the plan: what will be made, and where.
func (c *DirectUser) ready(s *step.Session) []screen.Block {
	blocks := []screen.Block{
		screen.Text{Body: "rolecall makes this in account " + screen.Grouped(s.AccountID) + step.AccountAlias(s) + ":"},
		c.tasks(),
	}
	for i, g := range c.grants {
		x := c.run.Sights[i]
		if x.User != nil {
			blocks = append(blocks, screen.Text{Tone: screen.Warning,
				Body: x.User.Name + " exists already, made " + aws.Ago(s.Now().Sub(x.User.Created)) + ". It gets the policy too."})
		}
		for j, doc := range g.Documents {
			if x.Policy(j) != nil {
				blocks = append(blocks, screen.Text{Tone: screen.Good, Body: doc.Name + " exists already and is right. rolecall uses it."})
			}
			blocks = append(blocks, step.PolicyCode(doc))
		}
	}
	return append(blocks, c.smallest())
}

// smallest is the policy that this takes, the key that comes next included.
func (c *DirectUser) smallest() screen.Code {
	var keys []aws.Permission
	for _, g := range c.grants {
		keys = append(keys, making.NewKey(g.Purpose, aws.UserRef{Name: g.Name, ARN: g.ARN()}, nil, nil).Needs...)
	}
	return callerPolicy(c.run.Smallest(keys...), "for whoever manages your permissions; the next step's key included", false)
}

// tasks are the requests: those done, the running one, those ahead.
func (c *DirectUser) tasks() screen.Tasks {
	var tasks screen.Tasks
	for _, op := range c.run.Done {
		tasks = append(tasks, screen.Task{Name: op.Name, State: screen.Finished, Detail: op.Item.ID})
	}
	for i, op := range c.run.Plan.Operations {
		task := screen.Task{Name: op.Name, State: screen.Ahead}
		if i == 0 && c.run.Stage == making.Sending {
			task.State, task.Since = screen.Running, c.run.Began
		}
		tasks = append(tasks, task)
	}
	return tasks
}

// fields ask for another name of what is taken.
func (c *DirectUser) fields(s *step.Session) []screen.Block {
	var blocks []screen.Block // something to mark beside the fields lets tab lead out of them, to the keys
	for i, g := range c.grants {
		for _, doc := range g.Documents {
			blocks = append(blocks, step.PolicyCode(doc))
		}
		part, x := s.Part(g.Purpose), making.Sight{}
		if i < len(c.run.Sights) {
			x = c.run.Sights[i]
		}
		policyName := screen.Input{ID: "policy-name", Label: "Policy name", Hint: part.PolicyName, Flag: "--policy-name", Problem: c.field}
		userName := screen.Input{ID: "user-name", Label: "User name", Hint: part.UserName, Flag: "--user-name"}
		taken := len(c.run.Plan.Differences) > 0 && c.run.Plan.Differences[0].Kind == record.ItemPolicy
		switch {
		case taken:
			blocks = append(blocks, policyName)
		case x.User != nil:
			userName.Problem = c.field
			blocks = append(blocks, userName)
		default:
			blocks = append(blocks, policyName, userName)
		}
	}
	return blocks
}

// right shows what exists and was proven.
func (c *DirectUser) right(s *step.Session) []screen.Block {
	var blocks []screen.Block
	for _, g := range c.grants {
		report := s.Seen.Parts[g.Purpose].User
		if report == nil {
			continue
		}
		word := report.User.Name + " is right."
		if len(c.run.Done) == 0 {
			word = report.User.Name + " exists already and is right. Nothing was made."
		}
		blocks = append(blocks, screen.Text{Tone: screen.Good, Body: word})
		if len(c.run.Done) > 0 {
			blocks = append(blocks, c.tasks())
		}
		blocks = append(blocks, screen.Facts{{Label: "User ARN", Value: report.User.ARN, Copy: true}}, step.ChecksOf(report.Checks))
	}
	return blocks
}
