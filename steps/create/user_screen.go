package create

import (
	"rolecall/aws"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Screen shows the plan, then how it goes, then what exists.
func (c *DirectUser) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	switch c.stage {
	case userLooking:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Looking at what exists in the account", State: screen.Running, Since: c.since}}}
	case userReady:
		view.Blocks = c.ready(s)
		view.Actions = []screen.Action{{ID: "create", Label: "create these", Default: true}, {ID: "rename", Key: "n", Label: "other names"}}
	case userNaming:
		view.Blocks = c.naming(s)
		view.Actions = []screen.Action{{ID: "again", Key: "g", Label: "look again"}}
	case userMaking, userPausing:
		view.Blocks = []screen.Block{c.tasks(true)}
		if c.stage == userPausing {
			view.Blocks = append(view.Blocks, screen.Waiting{For: "AWS to show what was made", Since: c.since, Until: c.until, Next: c.next})
		}
	case userStopped:
		view.Blocks = []screen.Block{c.tasks(false)}
		view.Actions = []screen.Action{{ID: "again", Label: "look again", Default: true}}
	case userRightNow:
		view.Blocks = c.right(s)
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
	}
	view.Blocks = screen.AppendProblem(view.Blocks, c.problem)
	return view
}

// ready is the plan: what will be made, and where.
func (c *DirectUser) ready(s *step.Session) []screen.Block {
	blocks := []screen.Block{screen.Text{Body: "rolecall makes this in account " + screen.Grouped(s.AccountID) + step.AccountAlias(s) + ":"}, c.tasks(false)}
	if user := c.seen.user.User; user != nil {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: user.Name + " exists already, made " + aws.Ago(s.Now().Sub(user.Created)) + ". It gets the policy too."})
	}
	for i, w := range c.wants {
		if c.seen.policies[i] != nil {
			blocks = append(blocks, screen.Text{Tone: screen.Good, Body: w.Name + " exists already and is right. rolecall uses it."})
		}
		blocks = append(blocks, step.PolicyCode(w))
	}
	return append(blocks, c.smallest(s))
}

// smallest is the policy that this takes, for whoever can grant it.
func (c *DirectUser) smallest(s *step.Session) screen.Code {
	part := s.Part(c.purpose(s))
	user := aws.UserARN(s.Partition, s.AccountID, s.Path, part.UserName)
	var needs []aws.Permission
	for _, action := range []string{"iam:CreateUser", "iam:GetUser", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:ListGroupsForUser",
		"iam:CreateAccessKey", "iam:ListAccessKeys", "iam:DeleteAccessKey"} {
		needs = append(needs, aws.Permission{Action: action, Resource: user})
	}
	if len(s.TagList()) > 0 {
		needs = append(needs, aws.Permission{Action: "iam:TagUser", Resource: user})
	}
	for _, w := range c.wants {
		arn := aws.PolicyARN(s.Partition, s.AccountID, s.Path, w.Name)
		for _, action := range []string{"iam:CreatePolicy", "iam:GetPolicy", "iam:GetPolicyVersion"} {
			needs = append(needs, aws.Permission{Action: action, Resource: arn})
		}
		if len(s.TagList()) > 0 {
			needs = append(needs, aws.Permission{Action: "iam:TagPolicy", Resource: arn})
		}
		needs = append(needs, aws.Permission{Action: "iam:AttachUserPolicy", Resource: user, PolicyARN: arn})
	}
	return screen.Code{Label: "Smallest policy that this takes", Name: "rolecall-caller-policy.json", Body: aws.CallerPolicy(needs).Pretty(),
		About: "for whoever manages your permissions; the next step's key included"}
}

// tasks are the requests: those done, the running one, those ahead.
func (c *DirectUser) tasks(running bool) screen.Tasks {
	var tasks screen.Tasks
	for _, op := range c.done {
		tasks = append(tasks, screen.Task{Name: op.name, State: screen.Finished, Detail: op.item.ID})
	}
	for i, op := range c.ops {
		task := screen.Task{Name: op.name, State: screen.Ahead}
		if i == 0 && running && c.stage == userMaking {
			task.State, task.Since = screen.Running, c.since
		}
		tasks = append(tasks, task)
	}
	return tasks
}

// naming asks for another name of what is taken.
func (c *DirectUser) naming(s *step.Session) []screen.Block {
	part := s.Part(c.purpose(s))
	policies, user := screen.Input{ID: "policy-name", Label: "Policy name", Value: "", Hint: part.PolicyName, Flag: "--policy-name"},
		screen.Input{ID: "user-name", Label: "User name", Hint: part.UserName, Flag: "--user-name"}
	policies.Problem = c.field
	// Something to mark beside the fields lets tab lead out of them, to the keys.
	documents := make([]screen.Block, 0, len(c.wants)+2)
	for _, w := range c.wants {
		documents = append(documents, step.PolicyCode(w))
	}
	if _, taken := c.taken(); taken {
		return append(documents, policies)
	}
	if c.seen.user.User != nil {
		user.Problem = c.field
		return append(documents, user)
	}
	return append(documents, policies, user)
}

// taken is the policy whose name is taken by another document.
func (c *DirectUser) taken() (*aws.Policy, bool) {
	for i, p := range c.seen.policies {
		if p != nil && (p.Document == nil || p.Document.Digest() != c.wants[i].Document.Digest()) {
			return p, true
		}
	}
	return nil, false
}

// right shows what exists and was proven.
func (c *DirectUser) right(s *step.Session) []screen.Block {
	report := s.Seen.Parts[c.purpose(s)].User
	if report == nil {
		return nil
	}
	word := report.User.Name + " is right."
	if len(c.done) == 0 {
		word = report.User.Name + " exists already and is right. Nothing was made."
	}
	blocks := []screen.Block{screen.Text{Tone: screen.Good, Body: word}}
	if len(c.done) > 0 {
		blocks = append(blocks, c.tasks(false))
	}
	return append(blocks, screen.Facts{{Label: "User ARN", Value: report.User.ARN, Copy: true}}, step.CheckList(report.Checks))
}
