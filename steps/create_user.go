package steps

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
)

// createUser is the step in which the person makes the IAM user in the console
// while rolecall looks for one that the policy is attached to, whatever it was
// called.
type createUser struct {
	described
	lookout
	watch   *aws.UserWatch
	seen    []aws.UserSighting
	making  bool            // the rehearsal's stand-in for the browser is at work
	made    bool            // it is done; AWS does not show it everywhere yet
	done    map[string]bool // what the person did, for the marker
	field   string
	problem *Problem
}

const fieldUserName = "user-name"

type (
	userLooked struct {
		glance
		seen []aws.UserSighting
	}
	userMade struct{ err error }
)

func (c *createUser) basis(a Answers) []string {
	part := a.Part(c.d.Role)
	return append(a.documentsBasis(), a.AccountID, part.digests(), part.UserName, part.UserARN, strconv.FormatBool(a.GuideOnly))
}

// Status is Done once this run has seen the user and found it right, or
// without credentials, once the person said that it exists.
func (c *createUser) Status(a Answers) Status {
	if !a.partNeeded(c.d.Role) {
		return NotNeeded
	}
	if (a.GuideOnly || a.userRight(c.d.Role)) && a.settled(c.ID(), c.basis(a)...) {
		return Done
	}
	return Todo
}

// userRight reports whether this run saw the part's user and found it right.
func (a *Answers) userRight(purpose string) bool {
	report := a.Seen.Parts[purpose].User
	return report != nil && report.OK
}

// wantedUser is what the user of this purpose has to be.
func (s *Session) wantedUser(purpose string) aws.WantUser {
	part := s.Part(purpose)
	want := aws.WantUser{Partition: s.Partition, AccountID: s.AccountID, Name: part.UserName, PolicyARNs: part.PolicyARNs(), Approved: s.approvedDigests(purpose)}
	if doc, err := s.WantedPolicy(purpose); err == nil && doc != nil {
		want.Policies = append(want.Policies, doc)
	}
	return want
}

// Enter begins to look.
func (c *createUser) Enter(s *Session) []Effect {
	*c = createUser{described: c.described, done: map[string]bool{}}
	if s.AWS == nil {
		return nil
	}
	c.begin(s)
	c.watch = s.AWS.WatchUser(s.wantedUser(c.d.Role))
	return []Effect{c.lookAgain(0)}
}

func (c *createUser) lookAgain(after time.Duration) Effect {
	watch := c.watch
	return c.look("look for the user", after, watch.Fetch, func(g glance) Msg {
		g.note = watch.Note()
		return userLooked{g, watch.Sightings()}
	})
}

// Update follows the person's hands and what AWS shows.
func (c *createUser) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case userLooked:
		return c.looked(s, msg)
	case userMade:
		c.making, c.made, c.problem = false, msg.err == nil, problemOf(msg.err)
		return Stay, []Effect{c.lookAgain(0)}
	case Chose:
		return c.chose(s, msg)
	case Changed:
		c.field = ""
	case Entered:
		return c.named(s, strings.TrimSpace(msg.Text))
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

func (c *createUser) looked(s *Session, msg userLooked) (Move, []Effect) {
	c.took(s, msg.glance)
	c.problem = problemOf(msg.err).passing()
	if msg.err == nil {
		c.seen = msg.seen
	}
	c.weigh(s)
	if s.userRight(c.d.Role) && s.Resuming {
		return Next, nil
	}
	if c.over(s) {
		return Stay, nil
	}
	return Stay, []Effect{c.lookAgain(c.pause(s))}
}

// weigh takes the user when exactly one is right, or the one that was named.
func (c *createUser) weigh(s *Session) {
	right, part := c.right(), s.Part(c.d.Role)
	if part.UserNameGiven {
		right = slices.DeleteFunc(right, func(u aws.UserSighting) bool { return !strings.EqualFold(u.User.Name, part.UserName) })
	}
	if len(right) == 1 {
		s.takeUser(c.d.Role, right[0].Report)
		s.settle(c.ID(), c.basis(s.Answers)...)
		return
	}
	s.setSeen(c.d.Role, func(p *SeenPart) { p.User = nil })
}

// right are the users that are right in every respect.
func (c *createUser) right() []aws.UserSighting {
	var right []aws.UserSighting
	for _, u := range c.seen {
		if u.Report.OK {
			right = append(right, u)
		}
	}
	return right
}

// takeUser keeps a user that was proven right. A key of another one is
// forgotten.
func (s *Session) takeUser(purpose string, report aws.UserReport) {
	s.setSeen(purpose, func(p *SeenPart) { p.User = &report })
	s.setPart(purpose, func(p *Part) {
		if p.UserID != "" && p.UserID != report.User.ID {
			p.KeyID, p.KeyMade = "", false
		}
		p.UserName, p.UserARN, p.UserID = report.User.Name, report.User.ARN, report.User.ID
	})
}

func (c *createUser) chose(s *Session, msg Chose) (Move, []Effect) {
	if msg.Block == "user" {
		for _, u := range c.right() {
			if u.User.ARN == msg.ID {
				s.setPart(c.d.Role, func(p *Part) { p.UserNameGiven = true })
				s.takeUser(c.d.Role, u.Report)
				s.settle(c.ID(), c.basis(s.Answers)...)
				return Next, nil
			}
		}
		return Stay, nil
	}
	switch msg.ID {
	case "next":
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

// named takes the user's name where rolecall cannot look into the account.
func (c *createUser) named(s *Session, name string) (Move, []Effect) {
	if s.AWS != nil {
		return Stay, nil
	}
	if err := aws.CheckUserName(name); err != nil {
		c.field = inputProblem(err)
		return Stay, nil
	}
	s.setPart(c.d.Role, func(p *Part) { p.UserName, p.UserARN, p.UserID = name, "", "" })
	s.settle(c.ID(), c.basis(s.Answers)...)
	return Next, nil
}

// act stands in for the browser in a rehearsal.
func (c *createUser) act(s *Session) Effect {
	account, part, path := s.AWS, s.Part(c.d.Role), s.Path
	return Call{Name: "create user " + part.UserName, Writes: true, Do: func(ctx context.Context) Msg {
		_, err := account.CreateUser(ctx, aws.NewUser{Name: part.UserName, Path: path, Boundary: s.Boundary})
		if err != nil && aws.KindOf(err) != aws.Exists {
			return userMade{err}
		}
		for _, arn := range part.PolicyARNs() {
			if err := account.AttachUserPolicy(ctx, part.UserName, arn); err != nil {
				return userMade{err}
			}
		}
		return userMade{}
	}}
}

// Screen shows the instructions and what AWS shows.
func (c *createUser) Screen(s *Session) Screen {
	screen, part := c.screen(s), s.Part(c.d.Role)
	if s.userRight(c.d.Role) {
		report := s.Seen.Parts[c.d.Role].User
		screen.Blocks = []Block{Text{Tone: Good, Body: "Found " + report.User.Name + ". It is right."},
			Facts{{Label: "User ARN", Value: report.User.ARN, Copy: true}}, checkList(report.Checks)}
		screen.Actions = []Action{{ID: "next", Label: "next", Default: true}}
		return screen
	}
	facts := Facts{{Label: "User name", Value: part.UserName, Copy: true, Note: "suggested; any name will do"}}
	for _, p := range part.Policies {
		facts = append(facts, Fact{Label: "Policy to attach", Value: p.Name, Copy: true})
	}
	screen.Blocks = []Block{c.instructions(s, c.done), facts}
	if console, ok := aws.ConsoleFor(s.Partition); ok {
		screen.Blocks = append(screen.Blocks, Link{Label: "Create user", URL: console.CreateUser()})
	}
	screen.Blocks = append(screen.Blocks, c.underway(s)...)
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	screen.Actions = c.actions(s)
	return screen
}

// underway shows the waiting and the nearest thing to a right user.
func (c *createUser) underway(s *Session) []Block {
	if s.AWS == nil {
		return []Block{Text{Tone: Dim, Body: "rolecall cannot look into the account. Enter the user's name when the user exists."},
			Input{ID: fieldUserName, Label: "User name", Value: s.Part(c.d.Role).UserName, Problem: c.field, Flag: "--user-name"}}
	}
	var blocks []Block
	if c.making {
		blocks = append(blocks, Tasks{{Name: "Creating the user in the rehearsal account", State: Running, Since: c.since}})
	} else {
		blocks = append(blocks, c.waiting(s, "a user with the policy "+s.policyNames(c.d.Role)))
	}
	right := c.right()
	switch {
	case len(right) > 1:
		blocks = append(blocks, c.several(right)...)
	case len(c.seen) > 0:
		blocks = append(blocks, Text{Body: "There is " + c.seen[0].User.Name + ". Not yet right:"}, checkList(c.seen[0].Report.Checks))
	}
	return append(blocks, c.notes()...)
}

// policyNames are the names of the part's policies.
func (s *Session) policyNames(purpose string) string {
	var names []string
	for _, p := range s.Part(purpose).Policies {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

func (c *createUser) several(right []aws.UserSighting) []Block {
	choices := Choices{ID: "user", Label: "Which one should the key be for?"}
	var names []string
	for _, u := range right {
		choices.Options = append(choices.Options, Option{ID: u.User.ARN, Label: u.User.Name, Detail: "created " + u.User.Created.UTC().Format("2006-01-02 15:04 MST")})
		names = append(names, u.User.Name)
	}
	return []Block{Problem{What: fmt.Sprintf("%d users are right: %s.", len(right), strings.Join(names, ", ")), Expected: "one user",
		Next: "Choose one here; unattended, name it with --user-name.", Kind: NotAsNeeded, Passing: true}, choices}
}

func (c *createUser) actions(s *Session) []Action {
	switch {
	case s.AWS == nil, len(c.right()) > 1:
		return nil
	case s.Rehearsal && !c.making && !c.made && len(c.seen) == 0:
		return []Action{{ID: "act", Label: "do it in the rehearsal account", Default: true}}
	}
	return c.lookout.actions(s, "the user")
}

// checkList turns checks of AWS into the screen's.
func checkList(checks []aws.Check) Checks { return checksOf(aws.Report{Checks: checks}) }
