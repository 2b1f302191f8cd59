package steps_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
	"rolecall/steps"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/spot"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"

	spotrehearsal "rolecall/steps/spot/rehearsal"
)

const account = "123456789012"

// world is a session between an AWS and a Spot in memory, both over real HTTP,
// in virtual time. It does what a front does: it carries out effects.
type world struct {
	t       *testing.T
	aws     *rehearsal.Server
	awsHTTP *http.Client
	spot    *spotrehearsal.Server
	token   screen.Secret    // what is found here; empty: no token
	api     vendorapi.Client // with any token
	session *step.Session
	walk    *steps.Walk
	pending []due
	copied  []screen.Copy
	waits   []time.Duration
	asked   record.StepID // the step that a test wanted to be at last
}

type due struct {
	at   time.Time
	call screen.Call
}

// rehearse runs a test in a bubble of virtual time.
func rehearse(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { run(t, newWorld(t)) })
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, token: "found"}
	w.aws = rehearsal.New(rehearsal.Options{Alias: "prod"})
	listener, client := rehearsal.Pipe()
	w.awsHTTP = client
	w.serve(listener.Close, w.aws.Close, client, func() error { return w.aws.Serve(listener) })

	w.spot = spotrehearsal.New(spotrehearsal.Options{
		Accounts: []spotrehearsal.Account{{ID: "act-12ab12ab", Name: "prod"}},
		Assume:   w.aws.AssumeRole,
	})
	spotListener, spotClient := rehearsal.Pipe()
	w.serve(spotListener.Close, w.spot.Close, spotClient, func() error { return w.spot.Serve(spotListener) })
	synctest.Wait()
	api, err := spot.New(spot.Options{BaseURL: w.spot.URL(), Token: spot.Token(w.spot.Token()), HTTPClient: spotClient})
	if err != nil {
		t.Fatal(err)
	}
	w.api = api
	w.session = w.newSession()
	w.walk = steps.NewWalk(w.session)
	return w
}

func (w *world) serve(closeListener, closeServer func() error, client *http.Client, serve func() error) {
	done := make(chan error, 1)
	go func() { done <- serve() }()
	w.t.Cleanup(func() {
		client.CloseIdleConnections()
		_ = closeServer()
		_ = closeListener()
		if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) {
			w.t.Error(err)
		}
	})
}

func (w *world) newSession() *step.Session {
	v, err := steps.Library().Load("spot")
	if err != nil {
		w.t.Fatal(err)
	}
	s := &step.Session{
		Vendor: v, Now: time.Now,
		OpenAPI:  w.openAPI,
		Profiles: func() ([]aws.Profile, error) { return nil, nil },
		OpenAWS:  w.open,
	}
	s.Answers = record.Answers{ID: "test", Vendor: "spot", Method: "manual", Access: "role"}
	s.Prepare()
	if err := s.ConnectAPI(); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// openAPI opens Spot's API with a token, given or found.
func (w *world) openAPI(_ string, token screen.Secret) (vendorapi.Client, error) {
	if token == "" && w.token == "" {
		return nil, nil //nolint:nilnil // no token, no client
	}
	return w.api, nil
}

func (w *world) open(ctx context.Context, _, _ string) (*aws.Account, error) {
	target := aws.RehearsalTarget(w.aws.Target())
	return aws.Open(ctx, aws.Options{Rehearsal: &target, HTTPClient: w.awsHTTP})
}

// walks begins a walk through the session as it is.
func (w *world) walks() *world {
	w.pending = nil
	w.walk = steps.NewWalk(w.session)
	return w
}

// start begins the walk.
func (w *world) start() *world {
	w.take(w.walk.Start())
	return w
}

// take schedules what a turn wants done.
func (w *world) take(turn steps.Turn) {
	w.effects(turn.Effects)
	if turn.Arrived {
		w.pending = slices.DeleteFunc(w.pending, func(d due) bool { return !d.call.Writes })
		w.effects(turn.Entry)
	}
}

func (w *world) effects(effects []screen.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case screen.Call:
			w.pending = slices.DeleteFunc(w.pending, func(d due) bool { return d.call.Name == e.Name })
			w.pending = append(w.pending, due{time.Now().Add(e.After), e})
			w.waits = append(w.waits, e.After)
		case screen.Copy:
			w.copied = append(w.copied, e)
		default:
			w.t.Fatalf("a step asked for %T", e)
		}
	}
}

// until carries out calls until the condition holds; it fails after a virtual
// hour, or when nothing is left to do.
func (w *world) until(what string, ok func() bool) *world {
	w.t.Helper()
	for limit := time.Now().Add(time.Hour); !ok(); {
		if len(w.pending) == 0 {
			w.t.Fatalf("nothing left to do before: %s\n%s", what, w.text())
		}
		if time.Now().After(limit) {
			w.t.Fatalf("an hour went by before: %s\n%s", what, w.text())
		}
		w.one()
	}
	return w
}

// one carries out the call that is due next.
func (w *world) one() {
	first := 0
	for i, d := range w.pending {
		if d.at.Before(w.pending[first].at) {
			first = i
		}
	}
	next := w.pending[first]
	w.pending = slices.Delete(w.pending, first, first+1)
	time.Sleep(time.Until(next.at))
	msg := next.call.Do(context.Background())
	if _, tells := msg.(screen.Answered); next.call.Writes && !tells {
		w.t.Errorf("%s answers %T, which does not tell the journal how it went", next.call.Name, msg)
	}
	w.take(w.walk.Tell(msg))
}

// quiet carries out calls until none is due within the given time.
func (w *world) quiet(within time.Duration) *world {
	limit := time.Now().Add(within)
	for slices.ContainsFunc(w.pending, func(d due) bool { return !d.at.After(limit) }) {
		w.one()
	}
	time.Sleep(time.Until(limit))
	return w
}

// sees waits until the screen says all of the words.
func (w *world) sees(words ...string) *world {
	w.t.Helper()
	return w.until("sees "+strings.Join(words, ", "), func() bool {
		text := w.text()
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
	})
}

// seesNot checks that the screen does not say the words now.
func (w *world) seesNot(words ...string) *world {
	w.t.Helper()
	for _, word := range words {
		if strings.Contains(w.text(), word) {
			w.t.Fatalf("the screen says %q:\n%s", word, w.text())
		}
	}
	return w
}

// enter does what enter does: it picks in choices, else presses the default
// action, which must work.
func (w *world) enter() *world {
	w.t.Helper()
	msg := w.enterMsg()
	if msg == nil {
		w.t.Fatalf("enter does nothing here:\n%s", w.text())
	}
	w.take(w.walk.Tell(msg))
	return w
}

// enterMsg is what enter tells the step; nil while it does nothing.
func (w *world) enterMsg() screen.Msg {
	view := w.walk.Screen()
	for _, block := range view.Blocks {
		if c, ok := block.(screen.Choices); ok && c.Picked != "" {
			return screen.Chose{Block: c.ID, ID: c.Picked}
		}
		if in, ok := block.(screen.Input); ok && in.Value != "" {
			return screen.Entered{ID: in.ID, Text: in.Value}
		}
	}
	for _, action := range view.Actions {
		if action.Default && action.Disabled == "" {
			return screen.Chose{ID: action.ID}
		}
	}
	return nil
}

func (w *world) chooses(block, id string) *world {
	w.take(w.walk.Tell(screen.Chose{Block: block, ID: id}))
	return w
}

// presses an action, which must be there and work.
func (w *world) presses(id string) *world {
	w.t.Helper()
	for _, action := range w.walk.Screen().Actions {
		if action.ID == id && action.Disabled == "" {
			return w.chooses("", id)
		}
	}
	w.t.Fatalf("no action %q here:\n%s", id, w.text())
	return w
}

// types text into a field, which must be there, and enters it.
func (w *world) types(field, text string) *world {
	w.t.Helper()
	for _, block := range w.walk.Screen().Blocks {
		if in, ok := block.(screen.Input); ok && in.ID == field {
			w.take(w.walk.Tell(screen.Changed{ID: field, Text: text}))
			w.take(w.walk.Tell(screen.Entered{ID: field, Text: text}))
			return w
		}
	}
	w.t.Fatalf("no field %q here:\n%s", field, w.text())
	return w
}

func (w *world) back() *world {
	w.take(w.walk.Back())
	return w
}

// at wants to be at a step. Steps between the one that was asked for last and
// this one are passed with enter: they are no matter of the test, and a step
// that is added to a flow breaks no test but its own.
func (w *world) at(id record.StepID) *world {
	w.t.Helper()
	for w.between(w.asked, id) {
		w.pass()
	}
	if got := w.walk.Step().ID(); got != id {
		w.t.Fatalf("at step %s, want %s\n%s", got, id, w.text())
	}
	w.asked = id
	return w
}

// between reports whether the walk is at a step that stands after one and before
// another.
func (w *world) between(after, before record.StepID) bool {
	all := w.walk.Steps()
	place := func(id record.StepID) int {
		return slices.IndexFunc(all, func(s step.Step) bool { return s.ID() == id })
	}
	here := place(w.walk.Step().ID())
	return place(after) < here && here < place(before)
}

// pass leaves a step with enter, as soon as that works.
func (w *world) pass() {
	w.t.Helper()
	here := w.walk.Step().ID()
	w.until("enter works", func() bool { return w.enterMsg() != nil })
	w.enter().until("the end of "+string(here), func() bool { return w.walk.Step().ID() != here })
}

// arrives waits until the step that was asked for last has ended, and wants to be
// at another one then.
func (w *world) arrives(id record.StepID) *world {
	w.t.Helper()
	from := w.walk.Step().ID()
	return w.until("the end of "+string(from), func() bool { return w.walk.Step().ID() != from }).at(id)
}

// getsTo waits until the walk has gone to a step by itself, as it does when a
// session is resumed.
func (w *world) getsTo(id record.StepID) *world {
	w.t.Helper()
	w.asked = id
	return w.until("the step "+string(id), func() bool { return w.walk.Step().ID() == id })
}

// stepNamed is a step of the flow.
func (w *world) stepNamed(id record.StepID) step.Step {
	w.t.Helper()
	for _, one := range w.walk.Steps() {
		if one.ID() == id {
			return one
		}
	}
	w.t.Fatalf("no step %s in this flow", id)
	return nil
}

// backTo goes back until the walk is at a step.
func (w *world) backTo(id record.StepID) *world {
	w.t.Helper()
	for range 20 {
		if w.walk.Step().ID() == id {
			w.asked = id
			return w
		}
		w.back()
	}
	w.t.Fatalf("back does not lead to %s\n%s", id, w.text())
	return w
}

// block finds a block of a type on the screen.
func block[B screen.Block](w *world) B {
	w.t.Helper()
	for _, b := range w.walk.Screen().Blocks {
		if found, ok := b.(B); ok {
			return found
		}
	}
	var none B
	w.t.Fatalf("no %T on the screen:\n%s", none, w.text())
	return none
}

// text is all that the screen says.
func (w *world) text() string {
	screen := w.walk.Screen()
	lines := []string{screen.Heading + " " + screen.Place}
	for _, b := range screen.Blocks {
		lines = append(lines, blockText(b))
	}
	for _, a := range screen.Actions {
		lines = append(lines, "["+a.Label+"] "+a.Disabled)
	}
	return strings.Join(lines, "\n")
}

func blockText(b screen.Block) string {
	var lines []string
	switch b := b.(type) {
	case screen.Text:
		lines = append(lines, b.Body)
	case screen.Facts:
		for _, f := range b {
			lines = append(lines, f.Label+": "+f.Value+" "+f.Shown+" "+f.Note)
		}
	case screen.Choices:
		for _, o := range b.Options {
			lines = append(lines, "( ) "+o.Label+" "+o.Detail+" "+o.Disabled)
		}
	case screen.Instructions:
		for _, one := range b {
			lines = append(lines, one.Text)
		}
	case screen.Input:
		lines = append(lines, b.Label+"> "+b.Value+" "+b.Problem)
	case screen.Code:
		lines = append(lines, b.Label+" "+b.About)
	case screen.Waiting:
		lines = append(lines, "waiting for "+b.For)
	case screen.Problem:
		lines = append(lines, b.What, b.Expected, b.Next, b.Quoted, b.Wanted, b.Found)
	case screen.Checks:
		for _, c := range b {
			lines = append(lines, string(c.State)+" "+c.ID+" "+c.Label+" "+c.Want+" "+c.Got+" "+c.Fix)
		}
	case screen.Tasks:
		for _, task := range b {
			lines = append(lines, task.Name)
		}
	case screen.Link:
		lines = append(lines, b.Label+" "+b.URL)
	case screen.Tree, screen.Meter, screen.Picture: // read through block, where a test needs them
	}
	return strings.Join(lines, "\n")
}

// grant is what the session wants a role or user of this purpose to be.
func (w *world) grant(purpose string) access.Grant {
	w.t.Helper()
	g, err := w.session.Grant(purpose)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}
