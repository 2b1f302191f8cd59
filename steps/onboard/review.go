package onboard

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Review shows the plan, and what of the organization's own policies stands in
// the way, before anything is made.
type Review struct {
	flow      *Flow
	looking   bool
	obstacles []organisation.Obstacle
	problem   *screen.Problem
}

type preflown struct {
	obstacles []organisation.Obstacle
	err       error
}

// ID names the step.
func (*Review) ID() record.StepID { return stepReview }

// Title stands on the rail.
func (*Review) Title() string { return "Plan" }

// plan is what is agreed to, in one text.
func (f *Flow) plan(a record.Answers) string {
	if f.found == nil || a.Across == nil {
		return ""
	}
	return strings.Join(append(append(accountsBasis(a), deploymentBasis(a)...), f.found.Want.Digest, strconv.Itoa(f.wanted())), "\n")
}

// Status is Done once this very plan was agreed to.
func (r *Review) Status(a record.Answers) step.Status {
	if r.flow.agreed != "" && r.flow.agreed == r.flow.plan(a) {
		return step.Done
	}
	return step.Todo
}

// Enter looks for what stands in the way.
func (r *Review) Enter(s *step.Session) []screen.Effect {
	r.looking, r.problem, r.obstacles = true, nil, nil
	if found := r.flow.found; found != nil && found.Want.Posts() {
		r.flow.send = r.flow.send || s.SendTo == found.Want.PostTo()
	}
	preflight, found, meant := r.flow.Backend.Preflight, r.flow.found, r.flow.meant()
	if found == nil {
		return nil
	}
	return asking("read the control policies", 0, func(ctx context.Context) screen.Msg {
		obstacles, err := preflight(ctx, found, meant)
		return preflown{obstacles, err}
	})
}

// Update takes what was found, and the agreement.
func (r *Review) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case preflown:
		r.looking, r.obstacles = false, msg.obstacles
		if msg.err != nil {
			r.problem = step.ProblemOf(msg.err)
			r.problem.What = "The control policies of the organization could not be read. " + r.problem.What
			r.problem = r.problem.AsPassing()
		}
	case screen.Broke:
		r.looking, r.problem = false, screen.BrokenProblem(msg)
	case screen.Ticked:
		r.flow.send = msg.On
	case screen.Chose:
		switch {
		case msg.ID == "again":
			return step.Stay, r.Enter(s)
		case msg.ID == "apply" && !r.looking && r.flow.found != nil:
			r.flow.agreed, r.flow.report, r.flow.finished = r.flow.plan(s.Answers), nil, false
			return step.Next, nil
		}
	}
	return step.Stay, nil
}

// mostObstacles is up to how many of them are told one by one.
const mostObstacles = 12

// Screen shows the plan.
func (r *Review) Screen(s *step.Session) screen.Screen {
	view := heading("Plan", "This is what is made when you agree: nothing was made so far. What was made can be taken away again by rolecall "+
		"org remove.")
	f := r.flow
	if f.found == nil {
		return view
	}
	want := f.found.Want
	var roles []string
	for _, g := range want.Grants {
		roles = append(roles, g.Name)
	}
	n := f.wanted()
	facts := screen.Facts{
		{Label: "Organization", Value: f.found.Tree.ID},
		{Label: "Accounts", Value: screen.Thousands(n), Note: already(f.connected())},
		{Label: "Left out", Value: screen.Thousands(len(f.meant()) - n), Note: "the tree says why"},
		{Label: "StackSet", Value: want.SetName()},
		{Label: screen.UpperFirst(screen.Plural(len(roles), "role")), Value: strings.Join(roles, ", "), Note: "in each account"},
		{Label: "At the same time", Value: across(s).Concurrent + " accounts", Note: "stops after " + across(s).Tolerance + " failed"},
		{Label: "New accounts", Value: map[bool]string{true: "get the role too", false: "get nothing by themselves"}[across(s).Automatic]},
		{Label: "Digest", Value: want.Digest, Shown: screen.ShortDigest(want.Digest), Copy: true},
	}
	view.Blocks = []screen.Block{facts, screen.Code{Label: "Template", Name: want.SetName() + ".json", Body: want.Template,
		About: screen.Counted(len(want.Template), "byte")}}
	if want.Posts() {
		view.Blocks = append(view.Blocks, r.declared(s)...)
	}
	if hand := want.HandOver(); hand != "" && !f.send {
		view.Blocks = append(view.Blocks, screen.Text{Tone: screen.Dim, Body: hand})
	}
	if r.looking {
		view.Blocks = append(view.Blocks, screen.Tasks{{Name: "Reading the organization's control policies", State: screen.Running}})
	} else if r.problem == nil {
		view.Blocks = append(view.Blocks, r.preflight()...)
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, r.problem)
	apply := screen.Action{ID: "apply", Label: fmt.Sprintf("make the role in %s", screen.Counted(n, "account")), Default: true, Writes: true}
	if r.looking {
		apply.Disabled = "the control policies are being read"
	}
	view.Actions = []screen.Action{apply, {ID: "again", Key: "r", Label: "read the policies again"}}
	return view
}

// declared is the request that the vendor's description declares: it is sent where
// the person ticks it.
func (r *Review) declared(s *step.Session) []screen.Block {
	want, tick := r.flow.found.Want, screen.Off
	if r.flow.send {
		tick = screen.On
	}
	return []screen.Block{
		screen.Tree{ID: "send", Nodes: []screen.Node{{ID: "send", Label: "Send each role to " + screen.CleanLine(want.PostTo()), Tick: tick,
			Details: []string{"For each account, this: " + screen.CleanLine(want.PostBody("111122223333", across(s).ExternalID))}}}},
	}
}

func already(n int) string {
	if n == 0 {
		return ""
	}
	return screen.Thousands(n) + " connected already: those stay as they are"
}

// connected is how many of those that are ticked an earlier run connected.
func (f *Flow) connected() int {
	n := 0
	for id := range f.ticked {
		if f.found.Connected[id] {
			n++
		}
	}
	return n
}

// preflight says what stands in the way.
func (r *Review) preflight() []screen.Block {
	if len(r.obstacles) == 0 {
		return []screen.Block{screen.Text{Tone: screen.Good, Body: "No control policy of the organization stands in the way."}}
	}
	var blocks []screen.Block
	for i, o := range r.obstacles {
		if i == mostObstacles {
			blocks = append(blocks, screen.Text{Body: fmt.Sprintf("And %d more: rolecall org plan lists them.", len(r.obstacles)-i)})
			break
		}
		verb := "may forbid"
		if o.Certain {
			verb = "forbids"
		}
		what := fmt.Sprintf("%s at %s %s %s in %s.", cmp.Or(o.Policy, o.PolicyID), o.At, verb, strings.Join(o.Actions, ", "),
			screen.Counted(o.Accounts, "account"))
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: what + " " + o.Fix})
	}
	return blocks
}
