package steps

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
)

// createPolicy is the step in which the person makes the policy in the console
// while rolecall looks for one that grants the same, whatever it was called.
// Where one policy would be too large there are several.
type createPolicy struct {
	described
	wanted  []WantedDocument
	reviews []reviewed // one for each
	lookout
	watch   *aws.PolicyWatch
	matches []aws.PolicySighting
	named   *aws.PolicySighting // the suggested name, other content
	done    map[string]bool
	making  bool // the rehearsal's stand-in for the browser is at work
	made    bool // it is done; AWS does not show it everywhere yet
	problem *Problem
}

type (
	policyLooked struct {
		glance
		matches []aws.PolicySighting
		named   *aws.PolicySighting
	}
	policyMade struct{ err error }
)

func (c *createPolicy) basis(a Answers) []string {
	return append(a.documentsBasis(), a.AccountID, a.Part(c.d.Role).digests(), strconv.FormatBool(a.GuideOnly))
}

// Status is NotNeeded where AWS managed policies are all. It is Done once this run has seen the policies, or a role that grants
// what they should; without credentials, once the person said that they exist.
func (c *createPolicy) Status(a Answers) Status {
	if !a.partNeeded(c.d.Role) || a.Part(c.d.Role).NoPolicy {
		return NotNeeded
	}
	if report := a.Seen.Parts[c.d.Role].Report; report != nil && report.OK {
		return Done
	}
	if (a.GuideOnly || c.seen(a)) && a.settled(c.ID(), c.basis(a)...) {
		return Done
	}
	return Todo
}

// seen reports whether every wanted policy was found.
func (c *createPolicy) seen(a Answers) bool { return len(a.Seen.Parts[c.d.Role].Policies) > 0 }

// Enter composes the documents and begins to look.
func (c *createPolicy) Enter(s *Session) []Effect {
	*c = createPolicy{described: c.described, done: map[string]bool{}}
	wanted, err := s.WantedDocuments(c.d.Role)
	if c.problem = problemOf(err); c.problem == nil {
		c.problem = s.planProblem(c.d.Role)
	}
	if c.problem != nil {
		return nil
	}
	c.wanted = wanted
	for _, w := range wanted {
		c.reviews = append(c.reviews, s.review(c.d.Role, w.Document))
	}
	s.setPart(c.d.Role, func(p *Part) { p.Policies = partPolicies(p.Policies, wanted) })
	if s.AWS == nil {
		return nil
	}
	c.begin(s)
	wants := make([]aws.WantPolicy, len(wanted))
	for i, w := range wanted {
		wants[i] = aws.WantPolicy{Document: w.Document, SuggestedName: w.Name}
	}
	c.watch = s.AWS.WatchPolicy(wants...)
	return []Effect{c.lookAgain(0)}
}

// partPolicies describes the wanted documents; what was seen of the same
// document before is kept as a hint.
func partPolicies(before []PartPolicy, wanted []WantedDocument) []PartPolicy {
	policies := make([]PartPolicy, len(wanted))
	for i, w := range wanted {
		policies[i] = PartPolicy{Name: w.Name, Digest: w.Document.Digest(), Characters: w.Document.Characters()}
		j := slices.IndexFunc(before, func(p PartPolicy) bool { return p.Digest == policies[i].Digest })
		if j >= 0 {
			policies[i].Name, policies[i].ARN = before[j].Name, before[j].ARN
		}
	}
	return policies
}

func (c *createPolicy) lookAgain(after time.Duration) Effect {
	watch := c.watch
	return c.look("look for the policy", after, watch.Fetch, func(g glance) Msg {
		g.note = watch.Note()
		return policyLooked{g, watch.Matches(), watch.Named()}
	})
}

// Update follows the person's hands and what AWS shows.
func (c *createPolicy) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case policyLooked:
		return c.looked(s, msg)
	case policyMade:
		c.making, c.made, c.problem = false, msg.err == nil, problemOf(msg.err)
		return Stay, []Effect{c.lookAgain(0)}
	case Chose:
		return c.chose(s, msg.ID)
	case Broke:
		c.making, c.problem = false, brokenProblem(msg)
		if s.AWS != nil {
			return Stay, []Effect{c.lookAgain(longPause)}
		}
	default:
		note(c.done, msg)
	}
	return Stay, nil
}

func (c *createPolicy) looked(s *Session, msg policyLooked) (Move, []Effect) {
	c.took(s, msg.glance)
	c.problem = problemOf(msg.err).passing()
	if msg.err == nil {
		c.matches, c.named = msg.matches, msg.named
	}
	c.weigh(s)
	if c.seen(s.Answers) && s.Resuming || c.roleDecides(s) {
		return Next, nil
	}
	if c.over(s) {
		return Stay, nil
	}
	return Stay, []Effect{c.lookAgain(c.pause(s))}
}

// roleDecides reports whether to go on without the policy: unattended the role
// alone is waited for, since whoever makes it may have put the policy inside.
func (c *createPolicy) roleDecides(s *Session) bool { return s.Unattended && !s.Rehearsal }

// weigh takes the policies once there is one for every wanted document.
func (c *createPolicy) weigh(s *Session) {
	var found []aws.Policy
	for i := range c.wanted {
		if sighting := c.found(i); sighting != nil && s.mayAccept(sighting.Policy) {
			found = append(found, sighting.Policy)
		}
	}
	if len(found) < len(c.wanted) {
		s.setSeen(c.d.Role, func(p *SeenPart) { p.Policies = nil })
		return
	}
	s.setSeen(c.d.Role, func(p *SeenPart) { p.Policies = found })
	s.setPart(c.d.Role, func(p *Part) {
		p.Policies = slices.Clone(p.Policies)
		for i := range p.Policies {
			p.Policies[i].Name, p.Policies[i].ARN = found[i].Name, found[i].ARN
		}
	})
	s.settle(c.ID(), c.basis(s.Answers)...)
}

// found is the policy to take for a wanted document: one that grants exactly
// it, or one of the suggested name that grants more, which is said.
func (c *createPolicy) found(want int) *aws.PolicySighting {
	for i := range c.matches {
		m := &c.matches[i]
		if m.Want == want && (m.Exact || strings.EqualFold(m.Policy.Name, c.wanted[want].Name)) {
			return m
		}
	}
	return nil
}

// mayAccept reports whether a plan, if one binds, names the policy's document.
func (s *Session) mayAccept(p aws.Policy) bool {
	return s.Plan == nil || p.Document != nil && s.Plan.approves(p.Document.Digest())
}

func (c *createPolicy) chose(s *Session, id string) (Move, []Effect) {
	switch id {
	case "next", "skip":
		return Next, nil
	case "made":
		s.settle(c.ID(), c.basis(s.Answers)...)
		return Next, nil
	case "login":
		return Goto(stepLogin), nil
	case "extend":
		c.extend(s)
		return Stay, []Effect{c.lookAgain(0)}
	case "act":
		c.making = true
		return Stay, []Effect{c.act(s)}
	}
	return Stay, nil
}

// act stands in for the browser in a rehearsal: it does in the rehearsal's
// account what the instructions say.
func (c *createPolicy) act(s *Session) Effect {
	account, path, wanted := s.AWS, s.Path, c.wanted
	return Call{Name: "create policy " + wanted[0].Name, Writes: true, Do: func(ctx context.Context) Msg {
		for _, w := range wanted {
			_, err := account.CreatePolicy(ctx, aws.NewPolicy{Name: w.Name, Path: path, Document: w.Document})
			if err != nil && aws.KindOf(err) != aws.Exists {
				return policyMade{err}
			}
		}
		return policyMade{}
	}}
}
