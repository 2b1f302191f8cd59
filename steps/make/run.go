package making

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/explain"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// Stage is how far a Run is.
type Stage int

// The stages of a Run.
const (
	Looking   Stage = iota
	Differs         // something exists and is not as wanted: see Plan.Differences
	Asking          // what the caller may do
	Ready           // the plan waits to be agreed to
	Sending         // a request that writes is under way
	Following       // whoever asked for it follows what a request began, then calls Go
	Proving         // AWS has to show that what was made is right
	Stopped         // before anything was sent
	Failed
	Made // and seen to be right
)

// Run brings what is wanted about, one request at a time: it looks at what
// exists, plans, waits to be agreed to, sends, and looks again until everything
// is seen to be right. After every failure it looks before it goes on, so that
// nothing is made twice and a second run changes nothing. A step shows it, and
// hands it the messages of its calls.
type Run struct {
	Stage   Stage
	Plan    Plan    // what is left to do
	Sights  []Sight // one for each planner, as last looked at
	Done    []Done  // finished since Begin
	Missing []aws.Permission
	Known   bool      // whether Missing says all that is missing
	Began   time.Time // of the running request
	Since   time.Time // of what is waited for
	Until   time.Time
	Next    time.Time // the next look
	Tries   int
	Problem *screen.Problem
	Wrong   *screen.Problem // while Proving: what the last look showed
	// Asks has IAM asked, before anything is agreed to, what the caller may do.
	Asks bool

	planners []Planner
	update   map[string]bool // differences that are to be updated, by their key
	deep     bool            // look for a taken policy name at every path
	agreed   bool
	fresh    int  // how much of Done AWS has had time to show
	ended    bool // all is done: what differs now is not shown yet, or not right
}

// Done is an operation that was carried out.
type Done struct {
	Operation
	Took time.Duration
}

type (
	looked struct {
		sights []Sight
		err    error
	}
	asked struct {
		missing []aws.Permission
		known   bool
		err     error
	}
	sent struct {
		item record.Item
		err  error
	}
)

// Begin looks at what exists of what the planners want. What was done before
// stays done.
func (r *Run) Begin(h Host, planners ...Planner) []screen.Effect {
	r.planners, r.Stage, r.Problem, r.Wrong, r.Tries, r.fresh, r.ended = planners, Looking, nil, nil, 0, len(r.Done), false
	r.agreed = len(r.Done) > 0 // then the person agreed already
	r.Since, r.Until = h.Now(), h.Now().Add(h.Patience)
	return r.look(h, 0)
}

// Forget begins anew: under other names, or after what was made was removed.
func (r *Run) Forget() { *r = Run{Asks: r.Asks, update: r.update} }

// Stop ends it before anything is sent.
func (r *Run) Stop(p *screen.Problem) { r.Stage, r.Problem = Stopped, p }

// Pause is how long to wait before the next try: AWS needs seconds until
// everybody sees what was made, and a server that is not well needs rest.
func Pause(tries int) time.Duration {
	return min(2*time.Second<<min(tries, 3), 15*time.Second)
}

func (r *Run) look(h Host, after time.Duration) []screen.Effect {
	planners, update, deep := r.planners, maps.Clone(r.update), r.deep
	return []screen.Effect{screen.Call{Name: "look at what exists", After: after, Do: func(ctx context.Context) screen.Msg {
		var sights []Sight
		for _, p := range planners {
			x, err := p.Look(ctx, h.Account, deep)
			if err == nil {
				err = h.reconcile(x.Found)
			}
			if err != nil {
				return looked{err: err}
			}
			sights = append(sights, x)
		}
		var err error
		if plan := planAll(planners, sights, update); right(sights) && plan.still() {
			err = h.adopt(plan.Adopted)
		}
		return looked{sights, err}
	}}}
}

// planAll is pure. Without sights it is the plan for an empty account.
func planAll(planners []Planner, sights []Sight, update map[string]bool) Plan {
	var all Plan
	for i, p := range planners {
		var x Sight
		if i < len(sights) {
			x = sights[i]
		}
		plan := p.Plan(x, update)
		for _, op := range plan.Operations {
			if op.Look == nil {
				op.Look = lookWith(p)
			}
			if all.sharesProvider(op) {
				continue
			}
			all.Operations = append(all.Operations, op)
		}
		all.Adopted = append(all.Adopted, plan.Adopted...)
		all.Differences = append(all.Differences, plan.Differences...)
		all.Follow = all.Follow || plan.Follow
	}
	return all
}

func lookWith(p Planner) func(context.Context, *aws.Account) ([]Found, error) {
	return func(ctx context.Context, account *aws.Account) ([]Found, error) {
		x, err := p.Look(ctx, account, true)
		return x.Found, err
	}
}

// still reports that there is nothing to do.
func (p Plan) still() bool { return len(p.Operations) == 0 && len(p.Differences) == 0 && !p.Follow }

func right(sights []Sight) bool {
	return len(sights) > 0 && !slices.ContainsFunc(sights, func(x Sight) bool { return !x.Right() })
}

// Update takes a message of the run's own calls; ok is false for any other.
func (r *Run) Update(h Host, msg screen.Msg) (effects []screen.Effect, ok bool) {
	switch msg := msg.(type) {
	case looked:
		return r.looked(h, msg), true
	case asked:
		r.asked(msg)
		return nil, true
	case sent:
		return r.answered(h, msg), true
	case screen.Broke:
		r.Stage, r.Problem = Failed, screen.BrokenProblem(msg)
		return nil, true
	}
	return nil, false
}

// looked plans with what exists now.
func (r *Run) looked(h Host, msg looked) []screen.Effect {
	if msg.err != nil {
		return r.trouble(h, msg.err)
	}
	r.Sights, r.Problem = msg.sights, nil
	plan := planAll(r.planners, r.Sights, r.update)
	if len(r.Done) > 0 {
		plan.Adopted = r.Plan.Adopted // what was made is told as done
	}
	unseen := r.hideDone(&plan)
	r.Plan = plan
	switch {
	case plan.Follow:
		r.Stage = Following
	case len(plan.Differences) > 0:
		r.Stage = Differs
	case len(plan.Operations) == 0 && right(r.Sights) && !unseen:
		r.Stage = Made
	case len(plan.Operations) == 0:
		return r.unproven(h)
	case r.agreed:
		return r.send(h)
	case r.Asks:
		return r.Ask(h)
	default:
		r.Stage = Ready
	}
	return nil
}

// hideDone takes out of a plan what was done a moment ago: AWS does not show it
// everywhere yet. It reports whether there was such a thing.
func (r *Run) hideDone(p *Plan) bool {
	before, fresh := len(p.Operations)+len(p.Differences), r.Done[r.fresh:]
	p.Operations = slices.DeleteFunc(p.Operations, func(op Operation) bool {
		return slices.ContainsFunc(fresh, func(d Done) bool { return d.Name == op.Name })
	})
	p.Differences = slices.DeleteFunc(p.Differences, func(d Difference) bool {
		return r.ended || slices.ContainsFunc(fresh, func(o Done) bool {
			return o.Item.Kind == d.Kind && strings.EqualFold(o.Item.Name, d.Name)
		})
	})
	return len(p.Operations)+len(p.Differences) < before
}

// unproven looks again until what exists is seen to be right.
func (r *Run) unproven(h Host) []screen.Effect {
	if r.Stage != Proving {
		r.Stage, r.Tries = Proving, 0
		r.Since, r.Until = h.Now(), h.Now().Add(h.Patience)
	}
	until := r.Until
	if !h.Until.IsZero() && h.Until.Before(until) {
		until = h.Until // what is not right says more than that the time is up
	}
	r.Wrong = r.wrong()
	if wait, ok := r.wait(h, until); ok {
		return r.look(h, wait)
	}
	r.Stage, r.Problem = Failed, r.Wrong
	if r.Problem == nil {
		r.Problem = &screen.Problem{What: "AWS does not show yet what was made.", Expected: "everything that was made to be seen",
			Next: "Look again.", Kind: screen.TimedOut}
	}
	return nil
}

// wrong is what the last look showed that is not right; nil where nothing was
// seen to be wrong.
func (r *Run) wrong() *screen.Problem {
	for _, x := range r.Sights {
		if p := x.unproven(); p != nil {
			return p
		}
	}
	return nil
}

// wait is how long to wait before the next try; ok is false when the time is up.
func (r *Run) wait(h Host, until time.Time) (wait time.Duration, ok bool) {
	wait = Pause(r.Tries)
	if h.Now().Add(wait).After(until) {
		return 0, false
	}
	r.Tries++
	r.Next = h.Now().Add(wait)
	return wait, true
}

// Ask finds out whether the caller may do what the plan needs.
func (r *Run) Ask(h Host) []screen.Effect {
	r.Stage, r.Problem, r.Since = Asking, nil, h.Now()
	needs := Needs(r.planners, r.Plan.Operations)
	return []screen.Effect{screen.Call{Name: "check your permissions", Do: func(ctx context.Context) screen.Msg {
		missing, known, err := h.Account.Missing(ctx, needs)
		return asked{missing, known, err}
	}}}
}

func (r *Run) asked(msg asked) {
	r.Missing, r.Known, r.Stage = msg.missing, msg.known, Ready
	switch {
	case msg.err != nil:
		r.Stage, r.Problem = Failed, explain.Problem(msg.err)
	case len(msg.missing) > 0:
		r.Stop(missingProblem(msg.missing))
	}
}

func missingProblem(missing []aws.Permission) *screen.Problem {
	var actions []string
	for _, m := range missing {
		actions = append(actions, m.Action)
	}
	slices.Sort(actions)
	return &screen.Problem{
		What:     "You are not allowed " + strings.Join(slices.Compact(actions), ", ") + ". Nothing was made.",
		Expected: "what the policy below grants; IAM's policy simulator was asked",
		Next:     "Give the policy to whoever manages your permissions, or sign in as someone who has them.",
		Kind:     screen.AWSRefused,
	}
}

// Anyway goes on although a permission seems to be missing.
func (r *Run) Anyway() { r.Stage, r.Problem = Ready, nil }

// Accept has a difference updated, and plans anew with what was seen.
func (r *Run) Accept(h Host, d Difference) []screen.Effect {
	if r.update == nil {
		r.update = map[string]bool{}
	}
	r.update[d.Key] = true
	return r.looked(h, looked{sights: r.Sights})
}

// Agree is the person's word to carry the plan out.
func (r *Run) Agree(h Host) []screen.Effect {
	r.agreed = true
	return r.send(h)
}

// Do sends one more operation, on what the plan has led to.
func (r *Run) Do(h Host, op Operation) []screen.Effect {
	if op.Look == nil && len(r.planners) > 0 {
		op.Look = lookWith(r.planners[0])
	}
	r.Plan.Operations = []Operation{op}
	return r.Agree(h)
}

// Go goes on after something that was followed came to its end.
func (r *Run) Go(h Host) []screen.Effect {
	r.Stage, r.Problem, r.Wrong, r.Tries, r.ended = Proving, nil, nil, 0, true
	r.Since, r.Until = h.Now(), h.Now().Add(h.Patience)
	return r.look(h, 0)
}

// send sends the next request of the plan.
func (r *Run) send(h Host) []screen.Effect {
	if len(r.Plan.Operations) == 0 {
		return r.Go(h)
	}
	op := r.Plan.Operations[0]
	r.Stage, r.Problem, r.Wrong, r.Began = Sending, nil, nil, h.Now()
	return []screen.Effect{screen.Call{Name: op.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		item, err := h.Send(ctx, op)
		return sent{item, err}
	}}}
}

// answered goes on with the next request. A failure that may pass, or after
// which nobody knows what was done, leads to another look.
func (r *Run) answered(h Host, msg sent) []screen.Effect {
	op := r.Plan.Operations[0]
	if msg.err != nil {
		r.deep = r.deep || op.Item.Kind == record.ItemPolicy && aws.KindOf(msg.err) == aws.Exists
		return r.trouble(h, msg.err)
	}
	r.Tries, r.Until = 0, h.Now().Add(h.Patience)
	op.Item = msg.item
	r.Done, r.Plan.Operations = append(r.Done, Done{op, h.Now().Sub(r.Began)}), r.Plan.Operations[1:]
	if op.Follow {
		r.Stage = Following
		return nil
	}
	return r.send(h)
}

// trouble looks again after a failure that may pass, until the time is up.
func (r *Run) trouble(h Host, err error) []screen.Effect {
	kind := aws.KindOf(err)
	again := Passes(err) && kind != aws.NotFound || kind == aws.Exists && r.Tries <= 2
	// What was made a moment ago may not be seen everywhere yet.
	again = again || kind == aws.NotFound && len(r.Done) > 0
	p := explain.Problem(err)
	wait, ok := time.Duration(0), false
	if again && h.Until.IsZero() {
		wait, ok = r.wait(h, r.Until)
	} else if again { // whoever set the time says when it is up
		wait, ok = r.wait(h, h.Until.Add(time.Hour))
	}
	if !ok {
		r.Stage, r.Problem = Failed, p
		return nil
	}
	if r.Stage != Proving {
		r.Stage = Looking
	}
	r.Problem = p.AsPassing()
	r.Problem.Next = "rolecall looks at what exists, then goes on."
	return r.look(h, wait)
}

// Renewed reads credentials that ran out anew before the look that effects hold.
func Renewed(account *aws.Account, effects []screen.Effect) []screen.Effect {
	for i, effect := range effects {
		call, ok := effect.(screen.Call)
		if !ok || call.Writes {
			continue
		}
		read := call.Do
		call.Do = func(ctx context.Context) screen.Msg {
			if err := account.Renew(ctx); err != nil {
				return looked{err: err}
			}
			return read(ctx)
		}
		effects[i] = call
	}
	return effects
}

// Smallest is the smallest policy that all of this takes: the requests of the
// plan, or those of an empty account when nothing could be looked at.
func (r *Run) Smallest(more ...aws.Permission) []aws.Permission {
	operations := r.Plan.Operations
	if len(r.Sights) == 0 || len(operations) == 0 {
		operations = planAll(r.planners, nil, nil).Operations
	}
	for _, d := range r.Done {
		operations = append(slices.Clone(operations), d.Operation)
	}
	return append(Needs(r.planners, operations), more...)
}

// Outcome says how the request went.
func (m sent) Outcome() screen.Outcome {
	result := screen.ResultDone
	if m.item.State == record.ItemMade {
		result = screen.ResultMade
	}
	return explain.Outcome(m.err, result).With(m.item.RequestID)
}
