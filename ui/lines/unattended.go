package lines

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/steps"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/calls"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// unattended walks through the steps without asking: it takes defaults, waits
// for what the steps wait for, and stops with an exit code that says why.
type unattended struct {
	run     *Run
	driver  *driver
	visit   int
	said    map[string]bool     // lines of this visit
	pressed map[screen.Msg]bool // in this visit: nothing is pressed twice
	over    bool                // the time is up
}

// MissingFlags refuses an unattended run that would have to ask. Nothing was
// done.
func MissingFlags(walk *steps.Walk, command string) error {
	var lines, flags []string
	for _, one := range walk.Steps() {
		asker, ok := one.(step.Asker)
		if !ok || one.Status(walk.Session.Answers) != step.Todo {
			continue
		}
		for _, need := range asker.Asks(walk.Session) {
			lines = append(lines, need.Flag+" ("+strings.TrimSuffix(need.Why, ".")+")")
			flags = append(flags, need.Flag+" …")
		}
	}
	if len(flags) == 0 {
		return nil
	}
	what := "A flag is missing: --yes never answers this for you."
	if len(flags) > 1 {
		what = fmt.Sprintf("%d flags are missing: --yes never answers these for you.", len(flags))
	}
	return cli.Usage(what, strings.Join(lines, "; "), "Give them: "+command+" --yes "+strings.Join(flags, " "))
}

// Unattended drives the walk to its end. The error says why it stopped.
func (r *Run) Unattended(ctx context.Context) error {
	u := &unattended{run: r, said: map[string]bool{}, pressed: map[screen.Msg]bool{}}
	u.driver = newDriver(ctx, r, func(screen.Effect) {})
	defer u.driver.close()
	deadline := r.App.Env.Alarm(r.Wait)
	r.Walk.Session.Unattended, r.Walk.Session.Until = true, r.Walk.Session.Now().Add(r.Wait)
	u.driver.calls.Limit(time.Now().Add(r.Wait))
	u.driver.start()
	for !r.Walk.Ended() {
		if ctx.Err() != nil {
			return u.leave()
		}
		pressed, err := u.step()
		if err != nil {
			u.driver.awaitWrites(u.sayWriting)
			return err
		}
		if pressed {
			continue
		}
		select {
		case reply := <-u.driver.replies:
			u.driver.take(reply)
		case <-deadline:
			u.over = true
		case <-ctx.Done():
		}
	}
	return u.driver.failed
}

// leave waits for writing calls; the session is saved.
func (u *unattended) leave() error {
	u.driver.awaitWrites(u.sayWriting)
	return cli.ErrCancelled
}

func (u *unattended) sayWriting(s calls.Sending) {
	u.say("waiting for an answer to: " + s.Name)
}

// step looks at the screen once and presses what has to be pressed. It reports
// whether it did; otherwise something has to happen first.
func (u *unattended) step() (pressed bool, err error) {
	walk := u.run.Walk
	if walk.Visit() != u.visit {
		u.visit = walk.Visit()
		clear(u.said)
		clear(u.pressed)
	}
	view := walk.Screen()
	u.progress(view)
	u.over = u.over || !walk.Session.Now().Before(walk.Session.Until)
	if p, ok := stopping(view); ok {
		u.printCodes(view)
		if u.over && p.Kind == screen.Failure {
			p = u.late(p)
		}
		return false, &screen.Fault{Problem: p}
	}
	if u.driver.failed != nil {
		return false, u.driver.failed
	}
	if _, writing := u.driver.calls.Writing(); writing {
		return false, nil
	}
	if u.over {
		return false, u.timeUp(view)
	}
	if len(u.driver.calls.Sending()) > 0 {
		return false, nil // its answer may change what there is to press
	}
	msg, err := answer(view)
	switch {
	case err != nil:
		return false, err
	case msg != nil && !u.pressed[msg]:
		u.pressed[msg] = true
		u.driver.tell(msg)
		return true, nil
	case !u.driver.calls.Idle():
		return false, nil
	}
	return false, asksFor(view)
}

// printCodes prints the documents that help somebody else to lift what stopped
// the run.
func (u *unattended) printCodes(view screen.Screen) {
	for _, block := range view.Blocks {
		code, ok := block.(screen.Code)
		if !ok || !code.Print {
			continue
		}
		u.run.App.Say("%s:", draw.Clean(code.Label))
		for line := range strings.Lines(code.Body) {
			u.run.App.Say("%s", draw.Clean(strings.TrimRight(line, "\n")))
		}
	}
}

// stopping is a problem that rolecall does not get past by itself.
func stopping(view screen.Screen) (screen.Problem, bool) {
	for _, block := range view.Blocks {
		if p, ok := block.(screen.Problem); ok && !p.Passing {
			return p, true
		}
	}
	return screen.Problem{}, false
}

// answer is what --yes answers to a screen: nil when there is nothing to press.
func answer(view screen.Screen) (screen.Msg, error) {
	for _, block := range view.Blocks {
		switch block := block.(type) {
		case screen.Choices:
			if block.Flag != "" && !block.Given {
				return nil, unanswered(view, block.Label, block.Flag)
			}
			if block.Picked != "" {
				return screen.Chose{Block: block.ID, ID: block.Picked}, nil
			}
		case screen.Input:
			if block.Value != "" && block.Problem == "" {
				return screen.Entered{ID: block.ID, Text: block.Value}, nil
			}
		default: // nothing to answer
		}
	}
	for _, action := range view.Actions {
		if !action.Default || action.Disabled != "" {
			continue
		}
		if c := action.Confirm; c != nil && c.Flag != "" && !c.Given {
			question := c.Question
			if question == "" {
				question = action.Label
			}
			return nil, unanswered(view, question, c.Flag)
		}
		return screen.Chose{ID: action.ID}, nil
	}
	return nil, nil
}

// unanswered refuses a question that only a flag answers.
func unanswered(screen screen.Screen, question, flag string) error {
	if question == "" {
		question = screen.Heading
	}
	return cli.Usage("--yes does not answer this for you: "+question, flag, "Give "+flag+", or run the wizard.")
}

// asksFor refuses a screen that wants something no default gives.
func asksFor(view screen.Screen) error {
	for _, block := range view.Blocks {
		in, ok := block.(screen.Input)
		if !ok {
			continue
		}
		what := "The step " + view.Heading + " asks for: " + in.Label + "."
		if in.Problem != "" {
			what += " " + in.Problem
		}
		if in.Flag != "" {
			return cli.Usage(what, in.Flag, "Give "+in.Flag+", or run the wizard.")
		}
		return cli.Usage(what, "a person at the keyboard", "Run the wizard: rolecall.")
	}
	return cli.Usage("The step "+view.Heading+" needs a person.", "an answer", "Run the wizard: rolecall.")
}

// timeUp says what was still awaited. A wrong thing that is there already
// counts more than the wait.
func (u *unattended) timeUp(view screen.Screen) error {
	awaited, trouble := "", screen.Problem{}
	for _, block := range view.Blocks {
		switch block := block.(type) {
		case screen.Problem:
			if block.Kind == screen.NotAsNeeded || block.Kind == screen.VendorRefuse || block.Kind == screen.AWSRefused {
				if block.Passing && block.Kind == screen.VendorRefuse {
					block.Next = u.later() // nothing tries again any more
				}
				return &screen.Fault{Problem: block}
			}
			trouble = block
		case screen.Waiting:
			awaited = block.For
			if block.Wrong != nil {
				return &screen.Fault{Problem: *block.Wrong}
			}
		case screen.Tasks:
			for _, task := range block {
				if task.State == screen.Running && awaited == "" {
					awaited = "the end of: " + task.Name
				}
			}
		default: // nothing is awaited
		}
	}
	if awaited == "" {
		awaited = "the step " + view.Heading
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     strings.TrimSpace(fmt.Sprintf("Still waiting for %s after %s. %s", awaited, u.run.Wait, trouble.What)),
		Expected: awaited,
		Next:     u.later(),
		Quoted:   trouble.Quoted,
		Named:    trouble.Named,
		Kind:     screen.TimedOut,
	}}
}

// late is a failure that came with the end of the time: going on may help.
func (u *unattended) late(p screen.Problem) screen.Problem {
	p.What = fmt.Sprintf("The time was up after %s. %s", u.run.Wait, p.What)
	p.Next, p.Kind = u.later(), screen.TimedOut
	return p
}

func (u *unattended) later() string {
	return "Go on later: rolecall resume " + u.run.Open.ID + ", or give it longer: --wait 10m."
}

// progress writes what is new on the screen, one line for each change.
func (u *unattended) progress(view screen.Screen) {
	u.say(headingOf(u.run.Walk, view))
	warned := false
	for _, block := range view.Blocks {
		lines := progressLines(block)
		if facts, ok := block.(screen.Facts); ok && warned {
			lines = announced(facts)
		}
		for _, line := range lines {
			u.say("  " + line)
		}
		warned = warns(block)
	}
}

// warns reports whether a block is a warning, which the facts behind it belong
// to.
func warns(block screen.Block) bool {
	text, ok := block.(screen.Text)
	return ok && text.Tone == screen.Warning
}

// announced are the facts that a warning announces: what exists, what is left.
func announced(facts screen.Facts) []string {
	lines := make([]string, len(facts))
	for i, fact := range facts {
		lines[i] = "  " + fact.Label + ": " + fact.Value
		if fact.Note != "" {
			lines[i] += " (" + fact.Note + ")"
		}
	}
	return lines
}

// headingOf is a step's heading with its place here and at the vendor.
func headingOf(walk *steps.Walk, view screen.Screen) string {
	return draw.Heading(walk.Rail(), view, " · ")
}

func progressLines(block screen.Block) []string {
	switch block := block.(type) {
	case screen.Text:
		if block.Tone == screen.Good || block.Tone == screen.Warning {
			return []string{block.Body}
		}
	case screen.Checks:
		var lines []string
		for _, c := range block {
			if c.State != screen.Pending && !c.Told {
				lines = append(lines, checkLine(c))
			}
		}
		return lines
	case screen.Tasks:
		var lines []string
		for _, task := range block {
			if task.State != screen.Ahead {
				lines = append(lines, strings.TrimSpace(string(task.State)+": "+task.Name+" "+task.Detail))
			}
		}
		return lines
	case screen.Waiting:
		return []string{"waiting for " + block.For}
	case screen.Problem:
		if block.Passing {
			return []string{strings.TrimSpace(block.What + " " + block.Next)}
		}
	default: // for a person, who would read it before choosing
	}
	return nil
}

func checkLine(c screen.Check) string {
	if c.State == screen.Pass {
		return string(c.State) + ": " + c.Label + ": " + c.Got
	}
	return string(c.State) + ": " + c.Label + ": " + c.Want + " – found: " + c.Got
}

// say writes a line of progress once in each visit.
func (u *unattended) say(line string) {
	line = draw.Clean(line)
	if u.said[line] {
		return
	}
	u.said[line] = true
	u.run.App.Say("%s", line)
}
