package onboard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Apply has AWS make the stacks and hands each role over as it becomes ready. The
// work writes, and yet it is no writing call: each of its requests is in the
// ledger before it is sent, and it ends after the one under way, so that nobody
// has to wait for thousands of accounts to leave.
type Apply struct {
	flow    *Flow
	filter  string
	working bool
	problem *screen.Problem
	lines   []screen.Task // of the table as it is narrowed
	made    *organisation.Report
	began   time.Time
	took    time.Duration // once it ended
}

type (
	applied struct {
		report *organisation.Report
		err    error
	}
	glanced struct{}
)

// News is empty: the table goes on by itself.
func (glanced) News() string { return "" }

// glanceEvery is how often the table is looked at.
const glanceEvery = 500 * time.Millisecond

// ID names the step.
func (*Apply) ID() record.StepID { return stepApply }

// Title stands on the rail.
func (*Apply) Title() string { return "Deploy and hand over" }

// Status is Done once it came to an end in this run.
func (a *Apply) Status(record.Answers) step.Status {
	if a.flow.finished {
		return step.Done
	}
	return step.Todo
}

// Enter begins, or goes on where it stopped.
func (a *Apply) Enter(s *step.Session) []screen.Effect {
	if a.flow.finished {
		return nil
	}
	return a.start(s)
}

func (a *Apply) start(s *step.Session) []screen.Effect {
	f := a.flow
	a.problem, a.working, a.began = nil, true, s.Now()
	o, err := options(s)
	if err != nil || f.found == nil {
		a.working, a.problem = false, step.ProblemOf(err)
		return nil
	}
	order, found, apply := Order{Chosen: f.meant(), Options: o, API: s.API(), Send: f.send}, f.found, f.Backend.Apply
	work := asking("connect the accounts", 0, func(ctx context.Context) screen.Msg {
		report, err := apply(ctx, found, order, f.tell)
		return applied{report, err}
	})
	return append(work, a.poll()...)
}

func (*Apply) poll() []screen.Effect {
	return asking("look how far it is", glanceEvery, func(context.Context) screen.Msg { return glanced{} })
}

// Update follows the work.
func (a *Apply) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case glanced:
		if a.working {
			return step.Stay, a.poll()
		}
	case applied:
		a.working = false
		if msg.report != nil {
			a.flow.tell(Live{Progress: ended(a.flow.seen().Progress, msg.report), Report: msg.report})
			a.took = s.Now().Sub(a.began)
		}
		if msg.err != nil && !errors.Is(msg.err, context.Canceled) {
			a.problem = step.ProblemOf(msg.err)
			return step.Stay, nil
		}
		a.flow.report, a.flow.finished = msg.report, msg.report != nil && msg.err == nil
	case screen.Broke:
		a.working, a.problem = false, screen.BrokenProblem(msg)
	case screen.Changed:
		a.filter, a.made = strings.TrimSpace(msg.Text), nil
	case screen.Entered:
		a.filter, a.made = strings.TrimSpace(msg.Text), nil
	case screen.Chose:
		switch {
		case msg.ID == "go-on" && a.flow.finished:
			return step.Next, nil
		case (msg.ID == "again" || msg.ID == "go-on") && !a.working:
			a.flow.report, a.flow.finished = nil, false
			return step.Stay, a.start(s)
		}
	}
	return step.Stay, nil
}

// ended is a progress with the numbers of the report that came at the end.
func ended(p organisation.Progress, r *organisation.Report) organisation.Progress {
	p.Accounts, p.Connected, p.Failed, p.Waiting = r.Totals.Accounts, r.Totals.Connected, r.Totals.Failed, r.Totals.Waiting
	p.Deployed = max(p.Deployed, p.Connected)
	return p
}

// mostLines is up to how many accounts stand in the table: what is to be looked at
// comes first, and the filter finds the others.
const mostLines = 60

// table are the lines of the accounts that match the filter.
func (a *Apply) table(r *organisation.Report) []screen.Task {
	if r == nil || r == a.made {
		return a.lines
	}
	a.made, a.lines = r, nil
	left := 0
	for _, state := range []organisation.State{organisation.Failed, organisation.Waiting, organisation.Connected, organisation.Excluded} {
		for i := range r.Accounts {
			row := &r.Accounts[i]
			if row.State != state || !a.matches(row) {
				continue
			}
			if len(a.lines) == mostLines {
				left++
				continue
			}
			a.lines = append(a.lines, line(row))
		}
	}
	if left > 0 {
		a.lines = append(a.lines, screen.Task{Name: "and " + screen.Thousands(left) + " more", State: screen.Ahead, Detail: "/ finds them"})
	}
	return a.lines
}

func (a *Apply) matches(row *organisation.Row) bool {
	want := strings.ToLower(a.filter)
	return want == "" || strings.Contains(strings.ToLower(row.Name+"\n"+row.OU+"\n"+string(row.State)), want) ||
		strings.Contains(row.AccountID, strings.ReplaceAll(want, "-", ""))
}

func line(row *organisation.Row) screen.Task {
	t := screen.Task{Name: screen.Grouped(row.AccountID) + " " + screen.CleanLine(row.Name), Detail: screen.CleanLine(row.OU)}
	if row.Cause != nil && row.State != organisation.Excluded {
		t.Detail = screen.CleanLine(row.Cause.What)
	}
	switch row.State {
	case organisation.Connected:
		t.State = screen.Finished
	case organisation.Failed:
		t.State = screen.Stopped
	case organisation.Excluded:
		t.Detail = "left out"
		t.State = screen.Ahead
	case organisation.Waiting:
		t.State = screen.Ahead
	}
	return t
}

// Screen shows the numbers, the causes and the table.
func (a *Apply) Screen(s *step.Session) screen.Screen {
	view := heading("Deploy and hand over", "AWS makes the stacks; each role is handed over as it becomes ready. You can leave at any "+
		"moment: begun again, it goes on where it stopped, and does nothing twice.")
	live := a.flow.seen()
	p, now := live.Progress, s.Now()
	if !a.working {
		now = p.Since.Add(a.took)
	}
	if p.Accounts > 0 {
		view.Blocks = append(view.Blocks, screen.Meter{Label: "Connected", Used: p.Connected, Limit: p.Accounts, Unit: "accounts"},
			screen.Text{Tone: screen.Dim, Body: p.Line(now)})
	}
	if a.working {
		view.Blocks = append(view.Blocks, screen.Tasks{{Name: "Connecting the accounts", State: screen.Running, Since: a.began}})
	}
	if live.Report != nil {
		view.Blocks = append(view.Blocks, causes(live.Report)...)
		view.Blocks = append(view.Blocks,
			screen.Input{ID: fieldFilter, Label: "Filter", Value: a.filter, Hint: "a name, a path, a number, or failed", Filter: true})
		if lines := a.table(live.Report); len(lines) > 0 {
			view.Blocks = append(view.Blocks, screen.Tasks(lines))
		}
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, a.problem)
	goOn := screen.Action{ID: "go-on", Label: "next", Default: true}
	switch {
	case a.working:
		goOn.Disabled = "AWS and rolecall are at work"
	case !a.flow.finished:
		goOn.Label = "go on where it stopped"
	}
	view.Actions = []screen.Action{goOn}
	if a.flow.finished && a.flow.report.Totals.Failed > 0 {
		view.Actions = append(view.Actions, screen.Action{ID: "again", Key: "t", Label: "try those that failed again"})
	}
	return view
}

// mostCauses is up to how many causes are told.
const mostCauses = 5

// causes is one line for each cause.
func causes(r *organisation.Report) []screen.Block {
	var blocks []screen.Block
	for i, rows := range r.Failures() {
		if i == mostCauses {
			blocks = append(blocks, screen.Text{Body: "And other causes: the table has them."})
			break
		}
		cause := rows[0].Cause
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: fmt.Sprintf("%s failed: %s %s", screen.Thousands(len(rows)), cause.What,
			cause.Next)})
	}
	return blocks
}
