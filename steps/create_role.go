package steps

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws"
)

// createRole is the step in which the person makes the role while rolecall
// looks for one that trusts the vendor under the external ID, whatever it was
// called. First the external ID has to be known.
type createRole struct {
	described
	id externalID
	lookout
	watch    *aws.RoleWatch
	sighted  roleSightings
	verified *aws.Report      // of a pasted ARN
	pasting  bool             // the field for an ARN is open
	making   bool             // the rehearsal's stand-in for the browser is at work
	made     bool             // it is done; AWS does not show it everywhere yet
	inline   []WantedDocument // the role's own policy, which no step of its own makes
	refused  bool             // the plan does not name what this step would make
	done     map[string]bool  // what the person did, for the marker
	field    string
	problem  *Problem
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
		glance
		seen roleSightings
	}
	roleVerified struct {
		arn    string
		report aws.Report
		err    error
	}
	roleMade struct{ err error }
)

func (c *createRole) basis(a Answers) []string {
	part := a.Part(c.d.Role)
	return []string{a.Vendor, a.Partition, a.TrustedAccount, a.AccountID, part.ExternalID, part.digests(), part.RoleARN, strconv.FormatBool(a.GuideOnly)}
}

// Status is Done once this run has seen the role and found it right, or
// without credentials, once its ARN was pasted.
func (c *createRole) Status(a Answers) Status {
	if !a.partNeeded(c.d.Role) {
		return NotNeeded
	}
	report := a.Seen.Parts[c.d.Role].Report
	seen := a.GuideOnly || report != nil && report.OK
	if seen && a.settled(c.ID(), c.basis(a)...) {
		return Done
	}
	return Todo
}

// Asks names the external ID where no API tells it.
func (c *createRole) Asks(s *Session) []Need {
	return s.asksExternalID(c.d.Role)
}

// Enter makes the external ID known, then looks for the role.
func (c *createRole) Enter(s *Session) []Effect {
	*c = createRole{described: c.described, done: map[string]bool{}}
	if known, effects := c.id.begin(s, c.d.Role); !known {
		return effects
	}
	return c.startLooking(s)
}

// Update follows the external ID, the person's hands and what AWS shows.
func (c *createRole) Update(s *Session, msg Msg) (Move, []Effect) {
	if c.id.stage != externalIDKnown {
		known, effects := c.id.update(s, msg)
		if known {
			effects = append(effects, c.startLooking(s)...)
		}
		return Stay, effects
	}
	switch msg := msg.(type) {
	case roleLooked:
		return c.looked(s, msg)
	case roleVerified:
		return c.judged(s, msg)
	case roleMade:
		c.making, c.made, c.problem = false, msg.err == nil, problemOf(msg.err)
		return Stay, []Effect{c.lookAgain(0)}
	case Chose:
		return c.chose(s, msg)
	case Entered:
		if msg.ID == fieldRoleARN {
			return c.pastedARN(s, msg.Text)
		}
	case Changed:
		c.field = ""
	case Broke:
		return c.broke(s, msg)
	default:
		note(c.done, msg)
	}
	return Stay, nil
}

func (c *createRole) broke(s *Session, msg Broke) (Move, []Effect) {
	c.making, c.problem = false, brokenProblem(msg)
	if s.AWS == nil {
		return Stay, nil
	}
	return Stay, []Effect{c.lookAgain(longPause)}
}

const labelAccountID = "Account ID"

// startLooking begins to look for the role, or to wait for its ARN.
func (c *createRole) startLooking(s *Session) []Effect {
	if c.problem = s.planProblem(c.d.Role); c.problem != nil {
		c.refused = true
		return nil
	}
	if s.role(c.d.Role).Inline {
		wanted, err := s.WantedDocuments(c.d.Role)
		if c.problem = problemOf(err); c.problem != nil {
			c.refused = true
			return nil
		}
		c.inline = wanted
		s.setPart(c.d.Role, func(p *Part) { p.Policies = partPolicies(p.Policies, wanted) })
	}
	c.pasting = s.AWS == nil
	if s.AWS == nil {
		return nil
	}
	c.begin(s)
	c.watch = s.AWS.WatchRole(s.wantedRole(c.d.Role))
	return []Effect{c.lookAgain(0)}
}

// wantedRole is what the role of this purpose has to be.
func (s *Session) wantedRole(purpose string) aws.Want {
	part, role := s.Part(purpose), s.role(purpose)
	want := aws.Want{
		Partition: s.Partition, AccountID: s.AccountID,
		Principals: s.TrustedAccounts(purpose),
		ExternalID: part.ExternalID, NoExternalID: role.NoExternal != "" && part.ExternalID == "",
		RoleName: part.RoleName, RoleARN: part.RoleARN,
		Path: s.Path, PathGiven: s.Path != "",
		Boundary: s.Boundary, BoundaryGiven: s.Boundary != "",
		PolicyARNs: s.ManagedPolicies(purpose), Approved: s.approvedDigests(purpose),
	}
	if doc, err := s.WantedPolicy(purpose); err == nil && doc != nil {
		want.Policies = append(want.Policies, doc)
	}
	return want
}

func (c *createRole) lookAgain(after time.Duration) Effect {
	watch := c.watch
	return c.look("look for the role", after, watch.Fetch, func(g glance) Msg {
		g.note = watch.Note()
		return roleLooked{g, roleSightings{watch.Matches(), watch.NearMiss(), watch.Named()}}
	})
}

func (c *createRole) looked(s *Session, msg roleLooked) (Move, []Effect) {
	c.took(s, msg.glance)
	c.problem = problemOf(msg.err).passing()
	if msg.err == nil {
		c.sighted = msg.seen
	}
	c.weigh(s)
	if c.proven(s) && s.Resuming {
		return Next, nil
	}
	if c.over(s) {
		return Stay, nil
	}
	return Stay, []Effect{c.lookAgain(c.pause(s))}
}

// weigh takes the role when exactly one is right, or the one that was named.
func (c *createRole) weigh(s *Session) {
	right := c.right()
	part := s.Part(c.d.Role)
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

func (c *createRole) indexOf(matches []aws.RoleSighting, arn string) int {
	return slices.IndexFunc(matches, func(m aws.RoleSighting) bool { return m.Role.ARN == arn })
}

// right are the roles that are right in every respect.
func (c *createRole) right() []aws.RoleSighting {
	var right []aws.RoleSighting
	for _, m := range c.sighted.matches {
		if m.Report.OK {
			right = append(right, m)
		}
	}
	return right
}

func (c *createRole) take(s *Session, report aws.Report) {
	c.adoptPolicies(s, report.Role.ARN)
	s.setSeen(c.d.Role, func(p *SeenPart) { p.Report = &report })
	s.setPart(c.d.Role, func(p *Part) {
		p.RoleARN, p.RoleID, p.RoleName = report.Role.ARN, report.Role.ID, report.Role.Name
	})
	s.settle(c.ID(), c.basis(s.Answers)...)
}

// adoptPolicies notes the ARNs of the policies that a role has attached, where
// nobody saw them before. A role with the policy inside has none.
func (c *createRole) adoptPolicies(s *Session, roleARN string) {
	i := c.indexOf(c.sighted.matches, roleARN)
	wanted, err := s.WantedDocuments(c.d.Role)
	if i < 0 || err != nil {
		return
	}
	policies := partPolicies(s.Part(c.d.Role).Policies, wanted)
	for j, w := range wanted {
		for _, attached := range c.sighted.matches[i].Role.Attached {
			if policies[j].ARN == "" && attached.Document != nil && attached.Document.Digest() == w.Document.Digest() {
				policies[j].Name, policies[j].ARN = attached.Name, attached.ARN
			}
		}
	}
	s.setPart(c.d.Role, func(p *Part) { p.Policies = policies })
}

func (c *createRole) drop(s *Session) {
	s.setSeen(c.d.Role, func(p *SeenPart) { p.Report = nil })
}

// proven reports whether the role was seen to be right.
func (c *createRole) proven(s *Session) bool {
	report := s.Seen.Parts[c.d.Role].Report
	return report != nil && report.OK
}

func (c *createRole) chose(s *Session, msg Chose) (Move, []Effect) {
	if msg.Block == "role" {
		if i := c.indexOf(c.right(), msg.ID); i >= 0 {
			s.setPart(c.d.Role, func(p *Part) { p.NameGiven = true })
			c.take(s, c.right()[i].Report)
			return Next, nil
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
	case "paste":
		c.pasting, c.field = true, ""
	case "trust":
		return Stay, c.openTrust(s)
	case "older":
		return Stay, c.openOlder(s)
	case "act":
		c.making = true
		return Stay, []Effect{c.act(s)}
	}
	return Stay, nil
}

// pastedARN judges what was pasted; with credentials the role is looked at.
func (c *createRole) pastedARN(s *Session, text string) (Move, []Effect) {
	ref, err := aws.ParseRoleARN(text, s.Partition, s.AccountID)
	if err != nil {
		c.field = inputProblem(err)
		return Stay, nil
	}
	if s.AWS == nil {
		s.setPart(c.d.Role, func(p *Part) { p.RoleARN, p.RoleName, p.RoleID = ref.ARN, ref.Name, "" })
		if s.AccountID == "" {
			if arn, ok := aws.SplitARN(ref.ARN); ok {
				s.AccountID = arn.AccountID
			}
		}
		s.settle(c.ID(), c.basis(s.Answers)...)
		return Next, nil
	}
	want := s.wantedRole(c.d.Role)
	want.RoleARN, want.RoleName = ref.ARN, ref.Name
	account := s.AWS
	return Stay, []Effect{Call{Name: "check the pasted role", Do: func(ctx context.Context) Msg {
		report, err := account.Verify(ctx, want)
		return roleVerified{ref.ARN, report, err}
	}}}
}

func (c *createRole) judged(s *Session, msg roleVerified) (Move, []Effect) {
	if msg.err != nil {
		c.field = inputProblem(msg.err)
		return Stay, nil
	}
	c.verified = &msg.report
	if !msg.report.OK {
		c.field = "That role is not right yet: see the checks."
		return Stay, nil
	}
	c.pasting = false
	c.take(s, msg.report)
	return Stay, nil
}

// act stands in for the browser in a rehearsal.
func (c *createRole) act(s *Session) Effect {
	account, part := s.AWS, s.Part(c.d.Role)
	role := aws.NewRole{Name: part.RoleName, Path: s.Path, Description: s.role(c.d.Role).Description,
		Trust: s.WantedTrust(c.d.Role), Boundary: s.Boundary, MaxSession: s.SessionFor}
	inline, attach := c.inline, append(part.PolicyARNs(), s.ManagedPolicies(c.d.Role)...)
	return Call{Name: "create role " + part.RoleName, Writes: true, Do: func(ctx context.Context) Msg {
		if _, err := account.CreateRole(ctx, role); err != nil && aws.KindOf(err) != aws.Exists {
			return roleMade{err}
		}
		for _, arn := range attach {
			if err := account.AttachRolePolicy(ctx, role.Name, arn); err != nil {
				return roleMade{err}
			}
		}
		for _, w := range inline {
			if err := account.PutRolePolicy(ctx, role.Name, w.Name, w.Document); err != nil {
				return roleMade{err}
			}
		}
		return roleMade{}
	}}
}
