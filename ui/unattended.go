package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/steps"
	"rolecall/ui/draw"
)

// unattended walks through the steps without asking: it takes defaults, waits
// for what the steps wait for, and stops with an exit code that says why.
type unattended struct {
	run     *run
	driver  *driver
	visit   int
	said    map[string]bool    // lines of this visit
	pressed map[steps.Msg]bool // in this visit: nothing is pressed twice
	over    bool               // the time is up
}

// missingFlags refuses an unattended run that would have to ask. Nothing was
// done.
func missingFlags(walk *steps.Walk, command string) error {
	var lines, flags []string
	for _, step := range walk.Steps() {
		asker, ok := step.(steps.Asker)
		if !ok || step.Status(walk.Session.Answers) != steps.Todo {
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
	return usage(what, strings.Join(lines, "; "), "Give them: "+command+" --yes "+strings.Join(flags, " "))
}

// unattended drives the walk to its end. The error says why it stopped.
func (r *run) unattended(ctx context.Context) error {
	u := &unattended{run: r, said: map[string]bool{}, pressed: map[steps.Msg]bool{}}
	u.driver = newDriver(ctx, r, func(steps.Effect) {})
	defer u.driver.close()
	deadline := time.NewTimer(r.wait)
	defer deadline.Stop()
	r.walk.Session.Unattended = true
	u.driver.start()
	for !r.walk.Ended() {
		if ctx.Err() != nil {
			return u.leave()
		}
		pressed, err := u.step()
		if err != nil {
			u.driver.settle(u.sayWriting)
			return err
		}
		if pressed {
			continue
		}
		select {
		case reply := <-u.driver.replies:
			u.driver.take(reply)
		case <-deadline.C:
			u.over = true
		case <-ctx.Done():
		}
	}
	return u.driver.failed
}

// leave waits for writing calls; the session is saved.
func (u *unattended) leave() error {
	u.driver.settle(u.sayWriting)
	return errCancelled
}

func (u *unattended) sayWriting(s Sending) {
	u.say("waiting for an answer to: " + s.Name)
}

// step looks at the screen once and presses what has to be pressed. It reports
// whether it did; otherwise something has to happen first.
func (u *unattended) step() (pressed bool, err error) {
	walk := u.run.walk
	if walk.Visit() != u.visit {
		u.visit = walk.Visit()
		clear(u.said)
		clear(u.pressed)
	}
	screen := walk.Screen()
	u.progress(screen)
	if p, ok := stopping(screen); ok {
		u.printCodes(screen)
		return false, &steps.Fault{Problem: p}
	}
	if u.driver.failed != nil {
		return false, u.driver.failed
	}
	if _, writing := u.driver.calls.Writing(); writing {
		return false, nil
	}
	if u.over {
		return false, u.timeUp(screen)
	}
	if len(u.driver.calls.Sending()) > 0 {
		return false, nil // its answer may change what there is to press
	}
	msg, err := answer(screen)
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
	return false, asksFor(screen)
}

// printCodes prints the documents that help somebody else to lift what stopped
// the run.
func (u *unattended) printCodes(screen steps.Screen) {
	for _, block := range screen.Blocks {
		code, ok := block.(steps.Code)
		if !ok || !code.Print {
			continue
		}
		u.run.app.say("%s:", draw.Clean(code.Label))
		for line := range strings.Lines(code.Body) {
			u.run.app.say("%s", draw.Clean(strings.TrimRight(line, "\n")))
		}
	}
}

// stopping is a problem that rolecall does not get past by itself.
func stopping(screen steps.Screen) (steps.Problem, bool) {
	for _, block := range screen.Blocks {
		if p, ok := block.(steps.Problem); ok && !p.Passing {
			return p, true
		}
	}
	return steps.Problem{}, false
}

// answer is what --yes answers to a screen: nil when there is nothing to press.
func answer(screen steps.Screen) (steps.Msg, error) {
	for _, block := range screen.Blocks {
		switch block := block.(type) {
		case steps.Choices:
			if block.Flag != "" && !block.Given {
				return nil, unanswered(screen, block.Label, block.Flag)
			}
			if block.Picked != "" {
				return steps.Chose{Block: block.ID, ID: block.Picked}, nil
			}
		case steps.Input:
			if block.Value != "" && block.Problem == "" {
				return steps.Entered{ID: block.ID, Text: block.Value}, nil
			}
		default: // nothing to answer
		}
	}
	for _, action := range screen.Actions {
		if !action.Default || action.Disabled != "" {
			continue
		}
		if c := action.Confirm; c != nil && c.Flag != "" && !c.Given {
			question := c.Question
			if question == "" {
				question = action.Label
			}
			return nil, unanswered(screen, question, c.Flag)
		}
		return steps.Chose{ID: action.ID}, nil
	}
	return nil, nil
}

// unanswered refuses a question that only a flag answers.
func unanswered(screen steps.Screen, question, flag string) error {
	if question == "" {
		question = screen.Heading
	}
	return usage("--yes does not answer this for you: "+question, flag, "Give "+flag+", or run the wizard.")
}

// asksFor refuses a screen that wants something no default gives.
func asksFor(screen steps.Screen) error {
	for _, block := range screen.Blocks {
		in, ok := block.(steps.Input)
		if !ok {
			continue
		}
		what := "The step " + screen.Heading + " asks for: " + in.Label + "."
		if in.Problem != "" {
			what += " " + in.Problem
		}
		if in.Flag != "" {
			return usage(what, in.Flag, "Give "+in.Flag+", or run the wizard.")
		}
		return usage(what, "a person at the keyboard", "Run the wizard: rolecall.")
	}
	return usage("The step "+screen.Heading+" needs a person.", "an answer", "Run the wizard: rolecall.")
}

// timeUp says what was still awaited. A wrong thing that is there already
// counts more than the wait.
func (u *unattended) timeUp(screen steps.Screen) error {
	awaited := ""
	for _, block := range screen.Blocks {
		switch block := block.(type) {
		case steps.Problem:
			if block.Kind == steps.NotAsNeeded || block.Kind == steps.VendorRefuse || block.Kind == steps.AWSRefused {
				return &steps.Fault{Problem: block}
			}
		case steps.Waiting:
			awaited = block.For
		case steps.Tasks:
			for _, task := range block {
				if task.State == steps.Running && awaited == "" {
					awaited = "the end of: " + task.Name
				}
			}
		default: // nothing is awaited
		}
	}
	if awaited == "" {
		awaited = "the step " + screen.Heading
	}
	return &steps.Fault{Problem: steps.Problem{
		What:     fmt.Sprintf("Still waiting for %s after %s.", awaited, u.run.wait),
		Expected: awaited,
		Next:     "Go on later: rolecall resume " + u.run.held.ID + ", or give it longer: --wait 10m.",
		Kind:     steps.TimedOut,
	}}
}

// progress writes what is new on the screen, one line for each change.
func (u *unattended) progress(screen steps.Screen) {
	u.say(headingOf(u.run.walk, screen))
	for _, block := range screen.Blocks {
		for _, line := range progressLines(block) {
			u.say("  " + line)
		}
	}
}

// headingOf is a step's heading with its place here and at the vendor.
func headingOf(walk *steps.Walk, screen steps.Screen) string {
	rail := walk.Rail()
	heading := screen.Heading
	for _, item := range rail {
		if item.Here {
			heading = fmt.Sprintf("Step %d of %d · %s", item.Number, len(rail), heading)
		}
	}
	if screen.Place != "" {
		heading += " · " + screen.Place
	}
	return heading
}

func progressLines(block steps.Block) []string {
	switch block := block.(type) {
	case steps.Text:
		if block.Tone == steps.Good || block.Tone == steps.Warning {
			return []string{block.Body}
		}
	case steps.Checks:
		var lines []string
		for _, c := range block {
			if c.State != steps.Pending {
				lines = append(lines, checkLine(c))
			}
		}
		return lines
	case steps.Tasks:
		var lines []string
		for _, task := range block {
			if task.State != steps.Ahead {
				lines = append(lines, strings.TrimSpace(string(task.State)+": "+task.Name+" "+task.Detail))
			}
		}
		return lines
	case steps.Waiting:
		return []string{"waiting for " + block.For}
	case steps.Problem:
		if block.Passing {
			return []string{strings.TrimSpace(block.What + " " + block.Next)}
		}
	default: // for a person, who would read it before choosing
	}
	return nil
}

func checkLine(c steps.Check) string {
	line := string(c.State) + ": " + c.Label
	if c.State != steps.Pass && c.Why != "" {
		line += " – " + c.Why
	}
	return line
}

// say writes a line of progress once in each visit.
func (u *unattended) say(line string) {
	line = draw.Clean(line)
	if u.said[line] {
		return
	}
	u.said[line] = true
	u.run.app.say("%s", line)
}
