package guide

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// User is the step in which the person makes the IAM user in the console
// while rolecall looks for one that the policy is attached to, whatever it was
// called.
type User struct {
	step.Described
	step.Poll
	watch   *aws.UserWatch
	seen    []aws.UserSighting
	making  bool // the rehearsal's stand-in for the browser is at work
	made    bool // it is done; AWS does not show it everywhere yet
	created []string
	pasted  pastedEvidence // what shows the user where rolecall cannot look
	field   string
	problem *screen.Problem
}

const fieldUserName = "user-name"

type (
	userLooked struct {
		step.Polled
		seen []aws.UserSighting
	}
	userMade struct {
		created []string
		err     error
	}
)

func (c *User) basis(a record.Answers) []string {
	part := a.Part(c.Spec.Role)
	return append(a.DocumentsBasis(), a.ChosenAccount(), part.Digests(), part.UserName, part.UserARN, strconv.FormatBool(a.GuideOnly))
}

// Status is Done once this run has seen the user and found it right, or
// without credentials, once what was pasted shows that, or the person said that it
// exists.
func (c *User) Status(a record.Answers) step.Status {
	if !a.PartNeeded(c.Spec.Role) {
		return step.NotNeeded
	}
	if (a.GuideOnly || a.UserRight(c.Spec.Role)) && a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Enter begins to look.
func (c *User) Enter(s *step.Session) []screen.Effect {
	*c = User{Described: c.Described}
	if s.AWS == nil {
		return nil
	}
	c.Begin(s)
	c.watch = s.AWS.WatchUser(s.WantedUser(c.Spec.Role))
	return []screen.Effect{c.lookAgain(0)}
}

func (c *User) lookAgain(after time.Duration) screen.Effect {
	watch := c.watch
	return c.Look("look for the user", after, watch.Fetch, func(g step.Polled) screen.Msg {
		g.Note = watch.Note()
		seen := watch.Sightings()
		g.Words = userWords(seen)
		return userLooked{g, seen}
	})
}

// userWords say what a look showed.
func userWords(seen []aws.UserSighting) string {
	switch {
	case len(seen) == 0:
		return ""
	case seen[0].Report.OK:
		return "Found " + seen[0].User.Name + "."
	}
	return seen[0].User.Name + " is not right yet."
}

// Update follows the person's hands and what AWS shows.
func (c *User) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case userLooked:
		return c.looked(s, msg)
	case userMade:
		c.making, c.made, c.created, c.problem = false, msg.err == nil, msg.created, step.ProblemOf(msg.err)
		return step.Stay, []screen.Effect{c.lookAgain(0)}
	case evidenceRead:
		if msg.err != nil {
			c.field = msg.problem()
			return step.Stay, nil
		}
		return c.tookEvidence(s, msg.text+"\n")
	case screen.Chose:
		return c.chose(s, msg)
	case screen.Changed:
		c.field = ""
	case screen.Entered:
		if screen.HoldsSecret(msg.Text) {
			c.field = screen.SecretPasted
			return step.Stay, nil
		}
		if s.AWS == nil && isEvidence(msg.Text) {
			return c.tookEvidence(s, msg.Text)
		}
		return c.named(s, step.Pasted(msg.Text))
	case screen.Broke:
		c.making, c.problem = false, screen.BrokenProblem(msg)
		if s.AWS != nil {
			return step.Stay, []screen.Effect{c.lookAgain(step.LongPause)}
		}
	}
	return step.Stay, nil
}

func (c *User) looked(s *step.Session, msg userLooked) (step.Move, []screen.Effect) {
	c.Took(s, msg.Polled)
	c.problem = s.Awaited(msg.Err)
	if msg.Err == nil {
		c.seen = msg.seen
		c.problem = c.unseen(s)
	}
	c.accept(s)
	if s.UserRight(c.Spec.Role) && s.Resuming {
		return step.Next, nil
	}
	if c.Over(s) {
		return step.Stay, nil
	}
	return step.Stay, []screen.Effect{c.lookAgain(c.Pause(s))}
}

// unseen tells that a permission is missing to see whether a user is right, where
// none is seen to be.
func (c *User) unseen(s *step.Session) *screen.Problem {
	if len(c.right()) > 0 || len(c.seen) == 0 {
		return nil
	}
	return s.Unseen(c.seen[0].Report.Checks)
}

// accept takes the user when exactly one is right, or the one that was named.
func (c *User) accept(s *step.Session) {
	right, part := c.right(), s.Part(c.Spec.Role)
	if part.UserNameGiven {
		right = slices.DeleteFunc(right, func(u aws.UserSighting) bool { return !strings.EqualFold(u.User.Name, part.UserName) })
	}
	if len(right) == 1 {
		s.TakeUser(c.Spec.Role, right[0].Report)
		s.Answered(c.ID(), c.basis(s.Answers)...)
		return
	}
	s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.User = nil })
}

// right are the users that are right in every respect.
func (c *User) right() []aws.UserSighting {
	var right []aws.UserSighting
	for _, u := range c.seen {
		if u.Report.OK {
			right = append(right, u)
		}
	}
	return right
}

func (c *User) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	if msg.Block == "user" {
		for _, u := range c.right() {
			if u.User.ARN == msg.ID {
				s.SetPart(c.Spec.Role, func(p *record.Part) { p.UserNameGiven = true })
				s.TakeUser(c.Spec.Role, u.Report)
				s.Answered(c.ID(), c.basis(s.Answers)...)
				return step.Next, nil
			}
		}
		return step.Stay, nil
	}
	switch msg.ID {
	case "next":
		return step.Next, nil
	case "anew":
		c.pasted, c.field = pastedEvidence{}, ""
		s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.User = nil })
	case "login":
		return step.Goto(record.StepLogin), nil
	case actionEdit:
		return step.Stay, c.openNearest(s)
	case "extend":
		c.Extend(s)
		return step.Stay, []screen.Effect{c.lookAgain(0)}
	case "act":
		c.making = true
		return step.Stay, []screen.Effect{c.act(s)}
	}
	return step.Stay, nil
}

// named takes the user's name where rolecall cannot look into the account.
func (c *User) named(s *step.Session, name string) (step.Move, []screen.Effect) {
	if s.AWS != nil {
		return step.Stay, nil
	}
	if err := aws.CheckUserName(name); err != nil {
		c.field = step.InputProblem(err)
		return step.Stay, nil
	}
	s.SetPart(c.Spec.Role, func(p *record.Part) { p.UserName, p.UserARN, p.UserID = name, "", "" })
	s.Answered(c.ID(), c.basis(s.Answers)...)
	return step.Next, nil
}

// act stands in for the browser in a rehearsal.
func (c *User) act(s *step.Session) screen.Effect {
	account, part := s.AWS, s.Part(c.Spec.Role)
	g, _ := s.Grant(c.Spec.Role) // what is missing was said before the step looked
	return screen.Call{Name: "create user " + part.UserName, Writes: true, Do: func(ctx context.Context) screen.Msg {
		var created []string
		switch _, err := account.CreateUser(ctx, aws.NewUser{Name: part.UserName, Path: g.Path, Boundary: g.Boundary}); {
		case err == nil:
			created = []string{part.UserName}
		case aws.KindOf(err) != aws.Exists:
			return userMade{nil, err}
		}
		for _, arn := range part.PolicyARNs() {
			if err := account.AttachUserPolicy(ctx, part.UserName, arn); err != nil {
				return userMade{created, err}
			}
		}
		return userMade{created, nil}
	}}
}

// Screen shows the instructions and what AWS shows.
func (c *User) Screen(s *step.Session) screen.Screen {
	view, part := c.NewScreen(s), s.Part(c.Spec.Role)
	if s.UserRight(c.Spec.Role) {
		report := s.Seen.Parts[c.Spec.Role].User
		view.Blocks = append(step.Acted(c.created...), screen.Text{Tone: screen.Good, Body: "Found " + report.User.Name + ". It is right."},
			screen.Facts{{Label: "User ARN", Value: report.User.ARN, Copy: true}}, step.ChecksOf(report.Checks))
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
		return view
	}
	facts := screen.Facts{{Label: labelUserName, Value: part.UserName, Copy: true, Note: "suggested; any name will do"}}
	for _, p := range part.Policies {
		facts = append(facts, screen.Fact{Label: labelAttach, Value: p.Name, Copy: true})
	}
	console, ok := aws.ConsoleFor(s.Partition)
	view.Blocks = append(append(append(step.Acted(c.created...), c.notYet()...), c.Guide(s, pageOf(ok)...)...), facts)
	if ok {
		view.Blocks = append(view.Blocks, screen.Link{Label: "Create user", URL: console.CreateUser()})
	}
	view.Blocks = append(view.Blocks, c.underway(s)...)
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	view.Actions = c.actions(s)
	return view
}

// underway shows the waiting and the nearest thing to a right user.
func (c *User) underway(s *step.Session) []screen.Block {
	if s.AWS == nil {
		name := s.Part(c.Spec.Role).UserName
		blocks := c.pasted.blocks("user", "its name alone goes unchecked.", firstCommand("user", name, aws.CheckUserName))
		return append(blocks, screen.Input{ID: fieldUserName, Label: "What AWS printed, a file with it, or the user's name", Long: true,
			Value: name, Problem: c.field, Flag: "--user-name"})
	}
	var blocks []screen.Block
	if c.making {
		blocks = append(blocks, screen.Tasks{{Name: "Creating the user in the rehearsal account", State: screen.Running, Since: c.Since}})
	} else {
		blocks = append(blocks, c.Waiting(s, "a user with the policy "+s.PolicyNames(c.Spec.Role)))
	}
	right := c.right()
	if len(right) > 1 {
		blocks = append(blocks, c.several(right)...)
	}
	return append(blocks, c.Notes()...)
}

// openNearest opens the permissions of the nearest user.
func (c *User) openNearest(s *step.Session) []screen.Effect {
	console, ok := aws.ConsoleFor(s.Partition)
	if !ok || len(c.seen) == 0 {
		return nil
	}
	name := c.seen[0].User.Name
	return []screen.Effect{screen.Open{Label: "the permissions of " + name, URL: console.UserPermissions(name)}}
}

// notYet says what the nearest user still lacks, what is wrong first.
func (c *User) notYet() []screen.Block {
	if len(c.seen) == 0 || len(c.right()) > 0 {
		return nil
	}
	nearest := c.seen[0]
	p := screen.Problem{What: nearest.User.Name + " is not right yet.", Passing: true, Action: actionEdit}
	wrong := step.FirstFailure(nearest.Report.Checks)
	if wrong != nil {
		p.What = fmt.Sprintf("%s %s: %s.", p.What, step.NameOfCheck(wrong.ID), wrong.Got)
		p.Expected, p.Next = wrong.Want, wrong.Fix
	}
	return []screen.Block{p, step.OtherChecks(nearest.Report.Checks, wrong)}
}

func (c *User) several(right []aws.UserSighting) []screen.Block {
	choices := screen.Choices{ID: "user", Label: "Which one should the key be for?"}
	var names []string
	for _, u := range right {
		choices.Options = append(
			choices.Options,
			screen.Option{ID: u.User.ARN, Label: u.User.Name, Detail: "created " + u.User.Created.UTC().Format("2006-01-02 15:04 MST")},
		)
		names = append(names, u.User.Name)
	}
	return []screen.Block{
		screen.Problem{What: fmt.Sprintf("%d users are right: %s.", len(right), strings.Join(names, ", ")), Expected: "one user",
			Next: "Choose one here.", Flag: "--user-name", Kind: screen.NotAsNeeded, Passing: true},
		choices,
	}
}

func (c *User) actions(s *step.Session) []screen.Action {
	switch {
	case s.AWS == nil && c.pasted.verdict != nil:
		return []screen.Action{{ID: "anew", Key: "a", Label: "paste anew"}}
	case s.AWS == nil, len(c.right()) > 1:
		return nil
	case s.Rehearsal && !c.making && !c.made && len(c.seen) == 0:
		return c.Rehearsed(s)
	}
	if len(c.notYet()) > 0 {
		return c.Actions(s, "the user", screen.Action{ID: actionEdit, Key: "e", Label: "open its permissions"})
	}
	return c.Actions(s, "the user")
}

// Outcome says how the request went.
func (m userMade) Outcome() screen.Outcome { return step.OutcomeOf(m.err, screen.ResultMade) }
