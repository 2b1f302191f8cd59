package guide

import (
	"context"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Provider is the step in which the person makes the OIDC provider whose tokens
// the role trusts, or adds the audience to it, while rolecall looks whether it is
// there. An account has one provider for an issuer, which all its roles share: the
// step is over as it begins where that is as needed.
type Provider struct {
	step.Described
	step.Poll
	web     *policy.WebIdentity
	watch   *aws.ProviderWatch
	seen    *aws.OIDCProvider
	looks   int
	making  bool
	made    bool
	created []string
	problem *screen.Problem
}

// The labels of what can be copied in this step.
const (
	labelIssuer   = "Provider URL"
	labelAudience = "Audience"
)

// ProviderMarks are the marks of the step Provider.
func ProviderMarks() []string { return []string{describe.MarkOpened, labelIssuer, labelAudience} }

type (
	providerLooked struct {
		step.Polled
		seen *aws.OIDCProvider
	}
	providerMade struct {
		created string
		err     error
	}
)

func (c *Provider) basis(s record.Answers) []string {
	return append(s.DocumentsBasis(), s.ChosenAccount(), strconv.FormatBool(s.GuideOnly))
}

// Status is Done once this run has seen the provider; without credentials, once
// the person said that it exists.
func (c *Provider) Status(a record.Answers) step.Status {
	if !a.PartNeeded(c.Spec.Role) {
		return step.NotNeeded
	}
	if report := a.Seen.Parts[c.Spec.Role].Report; report != nil && report.OK {
		return step.Done
	}
	if (a.GuideOnly || a.Seen.Parts[c.Spec.Role].Provider) && a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Enter begins to look for the provider.
func (c *Provider) Enter(s *step.Session) []screen.Effect {
	*c = Provider{Described: c.Described}
	g, err := s.Grant(c.Spec.Role)
	c.web, c.problem = g.Web, step.ProblemOf(err)
	if c.problem != nil || c.web == nil || s.AWS == nil {
		return nil
	}
	c.Begin(s)
	c.watch = s.AWS.WatchProvider(*c.web)
	return []screen.Effect{c.lookAgain(0)}
}

func (c *Provider) lookAgain(after time.Duration) screen.Effect {
	watch, web := c.watch, *c.web
	return c.Look("look for the OIDC provider", after, watch.Fetch, func(g step.Polled) screen.Msg {
		g.Note = watch.Note()
		switch p := watch.Provider(); {
		case watch.Done():
			g.Words = "Found the provider of " + web.Host() + "."
		case p != nil:
			g.Words = "The provider is there, without the audience " + web.Audience + "."
		}
		return providerLooked{g, watch.Provider()}
	})
}

// Update follows the person's hands and what AWS shows.
func (c *Provider) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case providerLooked:
		return c.looked(s, msg)
	case providerMade:
		c.making, c.made, c.problem = false, msg.err == nil, step.ProblemOf(msg.err)
		if msg.created != "" {
			c.created = append(c.created, msg.created)
		}
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

func (c *Provider) looked(s *step.Session, msg providerLooked) (step.Move, []screen.Effect) {
	c.Took(s, msg.Polled)
	c.problem = s.Awaited(msg.Err)
	if msg.Err == nil {
		c.seen = msg.seen
	}
	first := c.looks == 0
	c.looks++
	right := c.right()
	s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.Provider = right })
	if right {
		s.Answered(c.ID(), c.basis(s.Answers)...)
	}
	if right && (s.Resuming || first) { // it was there before: nothing is to be done
		return step.Next, nil
	}
	if c.Over(s) {
		return step.Stay, nil
	}
	return step.Stay, []screen.Effect{c.lookAgain(c.Pause(s))}
}

// right reports whether the provider was seen, for the audience.
func (c *Provider) right() bool { return c.seen != nil && c.seen.Takes(c.web.Audience) }

func (c *Provider) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	switch id {
	case "next":
		return step.Next, nil
	case "made":
		s.Answered(c.ID(), c.basis(s.Answers)...)
		return step.Next, nil
	case "login":
		return step.Goto(record.StepLogin), nil
	case "extend":
		c.Extend(s)
		return step.Stay, []screen.Effect{c.lookAgain(0)}
	case "act":
		c.making = true
		return step.Stay, []screen.Effect{c.act(s)}
	}
	return step.Stay, nil
}

// act stands in for the browser in a rehearsal.
func (c *Provider) act(s *step.Session) screen.Effect {
	account, web, there := s.AWS, *c.web, c.seen != nil
	return screen.Call{Name: "create OIDC provider " + web.Host(), Writes: true, Do: func(ctx context.Context) screen.Msg {
		if there {
			return providerMade{err: account.AddClientID(ctx, web.Provider(), web.Audience)}
		}
		_, err := account.CreateOIDCProvider(ctx, web, nil)
		if aws.KindOf(err) == aws.Exists {
			return providerMade{}
		}
		if err != nil {
			return providerMade{err: err}
		}
		return providerMade{created: web.Host()}
	}}
}

// Outcome says how the request went.
func (m providerMade) Outcome() screen.Outcome { return step.OutcomeOf(m.err, screen.ResultMade) }

// Screen shows what to make, the instructions and what AWS shows.
func (c *Provider) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	if c.web == nil {
		view.Blocks = screen.ProblemFirst(nil, c.problem)
		return view
	}
	if s.AWS != nil && c.right() {
		view.Blocks = append(step.Acted(c.created...),
			screen.Text{Tone: screen.Good, Body: "The account has the provider, for the audience " + c.web.Audience + "."},
			screen.Facts{{Label: "Provider ARN", Value: c.seen.ARN, Copy: true}})
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
		return view
	}
	console, ok := aws.ConsoleFor(s.Partition)
	view.Blocks = append(step.Acted(c.created...), c.lacks()...)
	view.Blocks = append(view.Blocks, screen.Facts{{Label: labelIssuer, Value: c.web.Issuer, Copy: true},
		{Label: labelAudience, Value: c.web.Audience, Copy: true}})
	view.Blocks = append(view.Blocks, c.Guide(s, pageOf(ok)...)...)
	if ok {
		view.Blocks = append(view.Blocks, screen.Link{Label: "Identity providers", URL: console.IdentityProviders()})
	}
	view.Blocks = append(view.Blocks, c.underway(s)...)
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	view.Actions = c.actions(s)
	return view
}

// lacks says that the provider is there, and what it lacks.
func (c *Provider) lacks() []screen.Block {
	if c.seen == nil {
		return nil
	}
	return []screen.Block{screen.Problem{
		What:     "The provider of " + c.web.Host() + " is there, for " + audiences(c.seen) + ".",
		Expected: "the audience " + c.web.Audience + " beside them",
		Next:     "Open the provider in IAM, Identity providers, then Actions, Add audience. What is there stays.",
		Kind:     screen.NotAsNeeded, Passing: true}}
}

func audiences(p *aws.OIDCProvider) string {
	if len(p.ClientIDs) == 0 {
		return "no audience"
	}
	return "the audience " + strings.Join(p.ClientIDs, ", ")
}

func (c *Provider) underway(s *step.Session) []screen.Block {
	switch {
	case s.AWS == nil:
		return []screen.Block{screen.Text{Tone: screen.Dim, Body: "rolecall cannot look into the account. Go on when the provider exists."}}
	case c.making:
		return []screen.Block{screen.Tasks{{Name: "Creating the provider in the rehearsal account", State: screen.Running, Since: c.Since}}}
	}
	return append([]screen.Block{c.Waiting(s, "the provider of "+c.web.Host())}, c.Notes()...)
}

func (c *Provider) actions(s *step.Session) []screen.Action {
	if s.AWS == nil {
		return []screen.Action{{ID: "made", Label: "the provider exists", Default: true}}
	}
	if s.Rehearsal && !c.making && !c.made {
		return c.Rehearsed(s)
	}
	return c.Actions(s, "the provider")
}
