// Package guide holds the steps of the manual method: the person works in the
// AWS console, and rolecall says what to do next, watches the account until it
// appears, and proves that it is right. It stands on step.
package guide

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Policy is the step in which the person makes the policy in the console
// while rolecall looks for one that grants the same, whatever it was called.
// Where one policy would be too large there are several.
type Policy struct {
	step.Described
	wanted  []access.Document
	reviews []step.Reviewed // one for each
	step.Poll
	watch   *aws.PolicyWatch
	matches []aws.PolicySighting
	named   *aws.PolicySighting // the suggested name, other content
	making  bool                // the rehearsal's stand-in for the browser is at work
	made    bool                // it is done; AWS does not show it everywhere yet
	created []string
	problem *screen.Problem
}

type (
	policyLooked struct {
		step.Polled
		matches []aws.PolicySighting
		named   *aws.PolicySighting
	}
	policyMade struct {
		created []string
		err     error
	}
)

func (c *Policy) basis(a record.Answers) []string {
	return append(a.DocumentsBasis(), a.ChosenAccount(), a.Part(c.Spec.Role).Digests(), strconv.FormatBool(a.GuideOnly))
}

// Status is NotNeeded where AWS managed policies are all. It is Done once this run has seen the policies, or a role that grants
// what they should; without credentials, once the person said that they exist.
func (c *Policy) Status(a record.Answers) step.Status {
	if !a.PartNeeded(c.Spec.Role) || a.Part(c.Spec.Role).NoPolicy {
		return step.NotNeeded
	}
	if report := a.Seen.Parts[c.Spec.Role].Report; report != nil && report.OK {
		return step.Done
	}
	if (a.GuideOnly || c.seen(a)) && a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// seen reports whether every wanted policy was found.
func (c *Policy) seen(a record.Answers) bool { return len(a.Seen.Parts[c.Spec.Role].Policies) > 0 }

// Enter composes the documents and begins to look.
func (c *Policy) Enter(s *step.Session) []screen.Effect {
	*c = Policy{Described: c.Described}
	g, err := s.Grant(c.Spec.Role)
	if c.problem = step.ProblemOf(err); c.problem == nil {
		c.problem = s.PlanProblem(c.Spec.Role)
	}
	if c.problem != nil {
		return nil
	}
	c.wanted = g.Documents
	for _, w := range c.wanted {
		c.reviews = append(c.reviews, s.Review(c.Spec.Role, w.Document))
	}
	s.SetPart(c.Spec.Role, func(p *record.Part) { p.Policies = step.PolicyHints(p.Policies, g.Documents) })
	if s.AWS == nil {
		return nil
	}
	c.Begin(s)
	wants := make([]aws.WantPolicy, len(c.wanted))
	for i, w := range c.wanted {
		wants[i] = aws.WantPolicy{Document: w.Document, SuggestedName: w.Name}
	}
	c.watch = s.AWS.WatchPolicy(wants...)
	return []screen.Effect{c.lookAgain(0)}
}

func (c *Policy) lookAgain(after time.Duration) screen.Effect {
	watch := c.watch
	return c.Look("look for the policy", after, watch.Fetch, func(g step.Polled) screen.Msg {
		g.Note = watch.Note()
		matches, named := watch.Matches(), watch.Named()
		g.Words = policyWords(matches, named)
		return policyLooked{g, matches, named}
	})
}

// policyWords say what a look showed.
func policyWords(matches []aws.PolicySighting, named *aws.PolicySighting) string {
	switch {
	case named != nil:
		return named.Policy.Name + " exists and differs."
	case len(matches) > 0:
		return "Found " + matches[0].Policy.Name + "."
	}
	return ""
}

// Update follows the person's hands and what AWS shows.
func (c *Policy) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case policyLooked:
		return c.looked(s, msg)
	case policyMade:
		c.making, c.made, c.created, c.problem = false, msg.err == nil, msg.created, step.ProblemOf(msg.err)
		return step.Stay, []screen.Effect{c.lookAgain(0)}
	case screen.Chose:
		return c.chose(s, msg.ID)
	case screen.Broke:
		c.making, c.problem = false, screen.BrokenProblem(msg)
		if s.AWS != nil {
			return step.Stay, []screen.Effect{c.lookAgain(step.LongPause)}
		}
	}
	return step.Stay, nil
}

func (c *Policy) looked(s *step.Session, msg policyLooked) (step.Move, []screen.Effect) {
	c.Took(s, msg.Polled)
	c.problem = s.Awaited(msg.Err)
	if msg.Err == nil {
		c.matches, c.named = msg.matches, msg.named
	}
	c.accept(s)
	if c.seen(s.Answers) && s.Resuming || c.roleDecides(s) {
		return step.Next, nil
	}
	if c.Over(s) {
		return step.Stay, nil
	}
	return step.Stay, []screen.Effect{c.lookAgain(c.Pause(s))}
}

// roleDecides reports whether to go on without the policy: unattended the role
// alone is waited for, since whoever makes it may have put the policy inside.
func (c *Policy) roleDecides(s *step.Session) bool { return s.Unattended && !s.Rehearsal }

// accept takes the policies once there is one for every wanted document.
func (c *Policy) accept(s *step.Session) {
	var found []aws.Policy
	for i := range c.wanted {
		if sighting := c.found(i); sighting != nil && s.MayAccept(sighting.Policy) {
			found = append(found, sighting.Policy)
		}
	}
	if len(found) < len(c.wanted) {
		s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.Policies = nil })
		return
	}
	s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.Policies = found })
	s.SetPart(c.Spec.Role, func(p *record.Part) {
		p.Policies = slices.Clone(p.Policies)
		for i := range p.Policies {
			p.Policies[i].Name, p.Policies[i].ARN = found[i].Name, found[i].ARN
		}
	})
	s.Answered(c.ID(), c.basis(s.Answers)...)
}

// found is the policy to take for a wanted document: one that grants exactly
// it, or one of the suggested name that grants more, which is said.
func (c *Policy) found(want int) *aws.PolicySighting {
	for i := range c.matches {
		m := &c.matches[i]
		if m.Want == want && (m.Exact || strings.EqualFold(m.Policy.Name, c.wanted[want].Name)) {
			return m
		}
	}
	return nil
}

func (c *Policy) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	switch id {
	case "next", "skip":
		return step.Next, nil
	case "made":
		s.Answered(c.ID(), c.basis(s.Answers)...)
		return step.Next, nil
	case "login":
		return step.Goto(record.StepLogin), nil
	case actionEdit:
		return step.Stay, c.openNamed(s)
	case "extend":
		c.Extend(s)
		return step.Stay, []screen.Effect{c.lookAgain(0)}
	case "act":
		c.making = true
		return step.Stay, []screen.Effect{c.act(s)}
	}
	return step.Stay, nil
}

// act stands in for the browser in a rehearsal: it does in the rehearsal's
// account what the instructions say.
func (c *Policy) act(s *step.Session) screen.Effect {
	account, path, wanted := s.AWS, s.Path, c.wanted
	return screen.Call{Name: "create policy " + wanted[0].Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		var made policyMade
		for _, w := range wanted {
			_, err := account.CreatePolicy(ctx, aws.NewPolicy{Name: w.Name, Path: path, Document: w.Document})
			switch {
			case err == nil:
				made.created = append(made.created, w.Name)
			case aws.KindOf(err) != aws.Exists:
				made.err = err
				return made
			}
		}
		return made
	}}
}

// Outcome says how the request went.
func (m policyMade) Outcome() screen.Outcome { return step.OutcomeOf(m.err, screen.ResultMade) }
