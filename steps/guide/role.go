package guide

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Role is the step in which the person makes the role while rolecall
// looks for one that trusts the vendor under the external ID, whatever it was
// called. First the external ID has to be known.
type Role struct {
	step.Described
	id step.ExternalID
	step.Poll
	watch    *aws.RoleWatch
	seen     roleSightings
	verified *aws.Report       // of a pasted ARN
	ref      aws.RoleRef       // that ARN; empty when the person goes on typing
	pasting  bool              // the field for an ARN is open
	pasted   pastedEvidence    // what shows the role where rolecall cannot look
	making   bool              // the rehearsal's stand-in for the browser is at work
	made     bool              // it is done; AWS does not show it everywhere yet
	inline   []access.Document // the role's own policy, which no step of its own makes
	other    []screen.Block    // the whole difference of what the nearest role grants
	refused  bool              // the plan does not name what this step would make
	created  []string
	field    string
	problem  *screen.Problem
}

const fieldRoleARN = "role-arn"

// roleSightings is what one look showed.
type roleSightings struct {
	matches  []aws.RoleSighting
	nearMiss *aws.RoleSighting
	named    *aws.RoleSighting
}

type (
	roleLooked struct {
		step.Polled
		seen roleSightings
	}
	roleVerified struct {
		arn    string
		before string // what was said of it before
		report aws.Report
		err    error
	}
	roleMade struct {
		created []string
		err     error
	}
)

func (c *Role) basis(a record.Answers) []string {
	part := a.Part(c.Spec.Role)
	return []string{
		a.Vendor,
		a.Partition,
		a.TrustedAccount,
		a.ChosenAccount(),
		part.ExternalID + part.Principal,
		part.Digests(),
		part.RoleARN,
		strconv.FormatBool(a.GuideOnly),
	}
}

// Status is Done once this run has seen the role and found it right, or
// without credentials, once its ARN was pasted.
func (c *Role) Status(a record.Answers) step.Status {
	if !a.PartNeeded(c.Spec.Role) {
		return step.NotNeeded
	}
	report := a.Seen.Parts[c.Spec.Role].Report
	seen := a.GuideOnly || report != nil && report.OK
	if seen && a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the external ID where no API tells it.
func (c *Role) Asks(s *step.Session) []step.Need {
	return s.AsksExternalID(c.Spec.Role)
}

// Enter makes the external ID known, then looks for the role.
func (c *Role) Enter(s *step.Session) []screen.Effect {
	*c = Role{Described: c.Described}
	if known, effects := c.id.Begin(s, c.Spec.Role); !known {
		return effects
	}
	return c.startLooking(s)
}

// Update follows the external ID, the person's hands and what AWS shows.
func (c *Role) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	if c.id.Stage != step.ExternalIDKnown {
		known, effects := c.id.Update(s, msg)
		if known {
			effects = append(effects, c.startLooking(s)...)
		}
		return step.Stay, effects
	}
	switch msg := msg.(type) {
	case roleLooked:
		return c.looked(s, msg)
	case roleVerified:
		return c.judged(s, msg)
	case evidenceRead:
		if msg.err != nil {
			c.field = msg.problem()
			return step.Stay, nil
		}
		return c.tookEvidence(s, msg.text+"\n")
	case roleMade:
		c.making, c.made, c.created, c.problem = false, msg.err == nil, msg.created, step.ProblemOf(msg.err)
		return step.Stay, []screen.Effect{c.lookAgain(0)}
	case screen.Chose:
		return c.chose(s, msg)
	case screen.Entered:
		if msg.ID == fieldRoleARN && screen.HoldsSecret(msg.Text) {
			c.field = screen.SecretPasted
			return step.Stay, nil
		}
		if msg.ID == fieldRoleARN && s.AWS == nil && isEvidence(msg.Text) {
			return c.tookEvidence(s, msg.Text)
		}
		if msg.ID == fieldRoleARN {
			return c.pastedARN(s, msg.Text)
		}
	case screen.Changed: // what was said is about another text
		c.field, c.ref, c.verified = "", aws.RoleRef{}, nil
	case screen.Broke:
		return c.broke(s, msg)
	}
	return step.Stay, nil
}

func (c *Role) broke(s *step.Session, msg screen.Broke) (step.Move, []screen.Effect) {
	c.making, c.problem = false, screen.BrokenProblem(msg)
	if s.AWS == nil {
		return step.Stay, nil
	}
	return step.Stay, []screen.Effect{c.lookAgain(step.LongPause)}
}

// startLooking begins to look for the role, or to wait for its ARN.
func (c *Role) startLooking(s *step.Session) []screen.Effect {
	if c.problem = s.PlanProblem(c.Spec.Role); c.problem != nil {
		c.refused = true
		return nil
	}
	if g, err := s.Grant(c.Spec.Role); g.Role.Inline {
		if c.problem = step.ProblemOf(err); c.problem != nil {
			c.refused = true
			return nil
		}
		c.inline = g.Documents
		s.SetPart(c.Spec.Role, func(p *record.Part) { p.Policies = step.PolicyHints(p.Policies, g.Documents) })
	}
	c.pasting = s.AWS == nil
	if s.AWS == nil {
		return nil
	}
	c.Begin(s)
	c.watch = s.AWS.WatchRole(s.WantedRole(c.Spec.Role))
	return []screen.Effect{c.lookAgain(0)}
}

func (c *Role) lookAgain(after time.Duration) screen.Effect {
	watch := c.watch
	return c.Look("look for the role", after, watch.Fetch, func(g step.Polled) screen.Msg {
		g.Note = watch.Note()
		seen := roleSightings{watch.Matches(), watch.NearMiss(), watch.Named()}
		g.Words = seen.words()
		return roleLooked{g, seen}
	})
}

// words say what a look showed.
func (seen roleSightings) words() string {
	switch {
	case len(seen.matches) > 0 && seen.matches[0].Report.OK:
		return "Found " + seen.matches[0].Role.Name + "."
	case len(seen.matches) > 0:
		return seen.matches[0].Role.Name + " is not right yet."
	case seen.nearMiss != nil:
		return seen.nearMiss.Role.Name + " is not right yet: " + seen.nearMiss.Miss().Got + "."
	case seen.named != nil:
		return seen.named.Role.Name + " exists and does not trust the vendor."
	}
	return ""
}

func (c *Role) looked(s *step.Session, msg roleLooked) (step.Move, []screen.Effect) {
	c.Took(s, msg.Polled)
	c.problem = s.Awaited(msg.Err)
	if msg.Err == nil {
		c.seen = c.withoutOthers(s, msg.seen)
		c.other = c.grantsOther(s)
		c.problem = c.unseen(s)
	}
	c.accept(s)
	if c.proven(s) && s.Resuming {
		return step.Next, nil
	}
	effects := c.verifyAgain(s)
	if c.Over(s) {
		return step.Stay, effects
	}
	return step.Stay, append(effects, c.lookAgain(c.Pause(s)))
}

// withoutOthers leaves out the roles that this session has for the vendor's other
// purposes: they let in the same account, and are none that this step looks for.
func (c *Role) withoutOthers(s *step.Session, seen roleSightings) roleSightings {
	others := map[string]bool{}
	for purpose, part := range s.Parts {
		others[part.RoleARN] = others[part.RoleARN] || purpose != c.Spec.Role && part.RoleARN != "" && part.RoleARN != s.Part(c.Spec.Role).RoleARN
	}
	seen.matches = slices.DeleteFunc(slices.Clone(seen.matches), func(m aws.RoleSighting) bool { return others[m.Role.ARN] })
	if seen.nearMiss != nil && others[seen.nearMiss.Role.ARN] {
		seen.nearMiss = nil
	}
	return seen
}

// unseen tells that a permission is missing to see whether a role is right that
// lets the vendor in, where none is seen to be.
func (c *Role) unseen(s *step.Session) *screen.Problem {
	if len(c.right()) > 0 {
		return nil
	}
	for _, m := range c.seen.matches {
		if p := s.Unseen(m.Report.Checks); p != nil {
			return p
		}
	}
	return nil
}

// accept takes the role when exactly one is right, or the one that was named.
func (c *Role) accept(s *step.Session) {
	right := c.right()
	part := s.Part(c.Spec.Role)
	switch {
	case c.verified != nil && c.verified.OK:
		c.take(s, *c.verified)
	case part.NameGiven:
		i := slices.IndexFunc(right, func(m aws.RoleSighting) bool { return strings.EqualFold(m.Role.Name, part.RoleName) })
		if i >= 0 {
			c.take(s, right[i].Report)
		} else {
			c.drop(s)
		}
	case len(right) == 1:
		c.take(s, right[0].Report)
	default:
		c.drop(s)
	}
}

func (c *Role) indexOf(matches []aws.RoleSighting, arn string) int {
	return slices.IndexFunc(matches, func(m aws.RoleSighting) bool { return m.Role.ARN == arn })
}

// right are the roles that are right in every respect.
func (c *Role) right() []aws.RoleSighting {
	var right []aws.RoleSighting
	for _, m := range c.seen.matches {
		if m.Report.OK {
			right = append(right, m)
		}
	}
	return right
}

func (c *Role) take(s *step.Session, report aws.Report) {
	c.adoptPolicies(s, report.Role.ARN)
	s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.Report = &report })
	s.SetPart(c.Spec.Role, func(p *record.Part) {
		p.RoleARN, p.RoleID, p.RoleName = report.Role.ARN, report.Role.ID, report.Role.Name
	})
	s.Answered(c.ID(), c.basis(s.Answers)...)
}

// adoptPolicies notes the ARNs of the policies that a role has attached, where
// nobody saw them before. A role with the policy inside has none.
func (c *Role) adoptPolicies(s *step.Session, roleARN string) {
	i := c.indexOf(c.seen.matches, roleARN)
	g, err := s.Grant(c.Spec.Role)
	if i < 0 || err != nil {
		return
	}
	policies := step.PolicyHints(s.Part(c.Spec.Role).Policies, g.Documents)
	for j, w := range g.Documents {
		for _, attached := range c.seen.matches[i].Role.Attached {
			if policies[j].ARN == "" && attached.Document != nil && attached.Document.Digest() == w.Document.Digest() {
				policies[j].Name, policies[j].ARN = attached.Name, attached.ARN
			}
		}
	}
	s.SetPart(c.Spec.Role, func(p *record.Part) { p.Policies = policies })
}

func (c *Role) drop(s *step.Session) {
	s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.Report = nil })
}

// proven reports whether the role was seen to be right.
func (c *Role) proven(s *step.Session) bool {
	report := s.Seen.Parts[c.Spec.Role].Report
	return report != nil && report.OK
}

func (c *Role) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	if msg.Block == "role" {
		if i := c.indexOf(c.right(), msg.ID); i >= 0 {
			s.SetPart(c.Spec.Role, func(p *record.Part) { p.NameGiven = true })
			c.take(s, c.right()[i].Report)
			return step.Next, nil
		}
		return step.Stay, nil
	}
	switch msg.ID {
	case "next":
		return step.Next, nil
	case "anew":
		c.startAnew(s)
	case "login":
		return step.Goto(record.StepLogin), nil
	case "extend":
		c.Extend(s)
		return step.Stay, []screen.Effect{c.lookAgain(0)}
	case "paste":
		c.pasting, c.field = true, ""
	case "external-id":
		c.id.Ask()
	case actionTrust, actionEdit:
		return step.Stay, c.openNearest(s)
	case "older":
		return step.Stay, c.openOlder(s)
	case "act":
		c.making = true
		return step.Stay, []screen.Effect{c.act(s)}
	}
	return step.Stay, nil
}

// pastedARN judges what was pasted; with credentials the role is looked at.
func (c *Role) pastedARN(s *step.Session, text string) (step.Move, []screen.Effect) {
	if s.AWS == nil {
		if err := s.TakeRoleARN(c.Spec.Role, text); err != nil {
			c.field = step.InputProblem(err)
			return step.Stay, nil
		}
		s.Answered(c.ID(), c.basis(s.Answers)...)
		return step.Next, nil
	}
	ref, err := aws.ParseRoleARN(text, s.Partition, s.AccountID)
	if err != nil {
		c.field = step.InputProblem(err)
		return step.Stay, nil
	}
	c.ref, c.verified = ref, nil
	return step.Stay, []screen.Effect{c.verify(s)}
}

// verify judges the pasted role.
func (c *Role) verify(s *step.Session) screen.Effect {
	want, ref, account, before := s.WantedRole(c.Spec.Role), c.ref, s.AWS, c.field
	want.RoleARN, want.RoleName = ref.ARN, ref.Name
	return screen.Call{Name: "check the pasted role", Do: func(ctx context.Context) screen.Msg {
		report, err := account.Verify(ctx, want)
		return roleVerified{ref.ARN, before, report, err}
	}}
}

// verifyAgain judges a pasted role that was wrong once more: what is said of it
// goes when its cause went.
func (c *Role) verifyAgain(s *step.Session) []screen.Effect {
	if c.ref.ARN == "" || c.verified != nil && c.verified.OK || c.field == "" {
		return nil
	}
	return []screen.Effect{c.verify(s)}
}

// words say how a pasted role is.
func (m roleVerified) words() string {
	switch {
	case m.err != nil:
		return step.InputProblem(m.err)
	case !m.report.OK:
		return "That role is not right yet: see what is wrong with it."
	}
	return ""
}

// News says what another look at a pasted role brings.
func (m roleVerified) News() string {
	switch {
	case m.words() == m.before:
		return ""
	case m.words() == "":
		return "The pasted role is right."
	}
	return m.words()
}

func (c *Role) judged(s *step.Session, msg roleVerified) (step.Move, []screen.Effect) {
	if msg.arn != c.ref.ARN {
		return step.Stay, nil // the person typed another one meanwhile
	}
	c.field = msg.words()
	if msg.err != nil {
		return step.Stay, nil
	}
	c.verified = &msg.report
	if msg.report.OK {
		c.pasting = false
		c.take(s, msg.report)
	}
	return step.Stay, nil
}

// act stands in for the browser in a rehearsal.
func (c *Role) act(s *step.Session) screen.Effect {
	account := s.AWS
	g, _ := s.Grant(c.Spec.Role) // what is missing was said before the step looked
	role := aws.NewRole{
		Name:        g.Name,
		Path:        g.Path,
		Description: g.Role.Description,
		Trust:       g.Trust,
		Boundary:    g.Boundary,
		MaxSession:  g.SessionFor,
	}
	opens := g.Shut != nil && !g.Closed
	inline, attach := c.inline, append(s.Part(c.Spec.Role).PolicyARNs(), g.Managed...)
	return screen.Call{Name: "create role " + role.Name, Writes: true, Do: func(ctx context.Context) screen.Msg {
		var created []string
		switch _, err := account.CreateRole(ctx, role); {
		case err == nil:
			created = []string{role.Name}
		case aws.KindOf(err) != aws.Exists:
			return roleMade{nil, err}
		case opens:
			if err := account.UpdateTrust(ctx, role.Name, role.Trust); err != nil {
				return roleMade{nil, err}
			}
		}
		for _, arn := range attach {
			if err := account.AttachRolePolicy(ctx, role.Name, arn); err != nil {
				return roleMade{created, err}
			}
		}
		for _, w := range inline {
			if err := account.PutRolePolicy(ctx, role.Name, w.Name, w.Document); err != nil {
				return roleMade{created, err}
			}
		}
		return roleMade{created, nil}
	}}
}

// Outcome says how the request went.
func (m roleMade) Outcome() screen.Outcome { return step.OutcomeOf(m.err, screen.ResultMade) }
