package guide

import (
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Screen shows the documents, the instructions and what AWS shows.
func (c *Policy) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	if c.wanted == nil {
		view.Blocks = screen.ProblemFirst(nil, c.problem)
		return view
	}
	if c.seen(s.Answers) {
		view.Blocks = append(c.foundBlocks(s), c.documents(s)...)
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
		return view
	}
	console, ok := aws.ConsoleFor(s.Partition)
	view.Blocks = append(step.Acted(c.created...), c.differs()...)
	view.Blocks = append(append(view.Blocks, c.documents(s)...), c.names())
	view.Blocks = append(view.Blocks, c.Guide(s, pageOf(ok)...)...)
	if ok {
		view.Blocks = append(view.Blocks, screen.Link{Label: "Create policy", URL: console.CreatePolicy()})
	}
	view.Blocks = append(view.Blocks, c.underway(s)...)
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	view.Actions = c.actions(s)
	return view
}

func (c *Policy) names() screen.Facts {
	facts := make(screen.Facts, len(c.wanted))
	for i, w := range c.wanted {
		facts[i] = screen.Fact{Label: labelPolicyName, Value: w.Name, Copy: true}
	}
	facts[0].Note = "any name will do"
	return facts
}

func (c *Policy) documents(s *step.Session) []screen.Block {
	var blocks []screen.Block
	for i, w := range c.wanted {
		code := step.PolicyCode(w)
		code.Notes = c.reviews[i].Notes
		blocks = append(blocks, code, c.reviews[i].Text(s.SeeDocument()))
	}
	return blocks
}

// differs says how the policy of the suggested name differs from what is wanted.
func (c *Policy) differs() []screen.Block {
	if c.named == nil {
		return nil
	}
	problem := step.DifferenceProblem(c.named)
	problem.Action = actionEdit
	return []screen.Block{problem, step.DifferenceCode(c.named.Policy.Name, c.named.Difference)}
}

// openNamed opens the page of the policy that differs.
func (c *Policy) openNamed(s *step.Session) []screen.Effect {
	console, ok := aws.ConsoleFor(s.Partition)
	if !ok || c.named == nil {
		return nil
	}
	return []screen.Effect{screen.Open{Label: "the policy " + c.named.Policy.Name, URL: console.Policy(c.named.Policy.ARN)}}
}

// underway shows the waiting.
func (c *Policy) underway(s *step.Session) []screen.Block {
	if s.AWS == nil {
		return []screen.Block{screen.Text{Tone: screen.Dim, Body: "rolecall cannot look into the account. Go on when the policy exists."}}
	}
	var blocks []screen.Block
	switch {
	case c.making:
		blocks = append(blocks, screen.Tasks{{Name: "Creating the policy in the rehearsal account", State: screen.Running, Since: c.Since}})
	default:
		blocks = append(blocks, c.Waiting(s, c.awaited()))
	}
	return append(blocks, c.Notes()...)
}

func (c *Policy) awaited() string {
	if len(c.wanted) == 1 {
		return "a policy that grants this"
	}
	var missing []string
	for i, w := range c.wanted {
		if c.found(i) == nil {
			missing = append(missing, w.Name)
		}
	}
	return "policies that grant this: " + strings.Join(missing, ", ")
}

func (c *Policy) foundBlocks(s *step.Session) []screen.Block {
	blocks := step.Acted(c.created...)
	for i := range c.wanted {
		found := c.found(i)
		if found == nil {
			continue
		}
		blocks = append(blocks,
			screen.Text{Tone: screen.Good, Body: "Found " + found.Policy.Name + ". It grants what " + s.Vendor.Title + " needs."},
			screen.Facts{{Label: "Policy ARN", Value: found.Policy.ARN, Copy: true}})
		if !found.Exact {
			blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: "It grants more than " + s.Vendor.Title + " asks for: " +
				step.ChangeList(found.Difference.Added, found.Difference.Changed) + "."},
				step.DifferenceCode(found.Policy.Name, found.Difference))
		}
	}
	return blocks
}

func (c *Policy) actions(s *step.Session) []screen.Action {
	if s.AWS == nil {
		return []screen.Action{{ID: "made", Label: "the policy exists", Default: true}}
	}
	skip := screen.Action{ID: "skip", Key: "r", Label: "the role has it"}
	if s.Access == describe.AccessUser {
		skip.Key, skip.Label = "u", "the user has it"
	}
	if s.Rehearsal && !c.making && !c.made && c.named == nil {
		return c.Rehearsed(s, skip)
	}
	if c.named != nil {
		return c.Actions(s, "the policy", screen.Action{ID: actionEdit, Key: "e", Label: "edit that policy"}, skip)
	}
	return c.Actions(s, "the policy", skip)
}
