// Package create holds the steps in which rolecall or CloudFormation makes what
// the vendor needs: they show what would be made, ask, and show how it goes. How
// it is made is the matter of package making, on which they stand.
package create

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/describe"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// The answers to a difference.
const (
	choiceDifference = "difference"
	optionRename     = "another-name"
	optionUpdate     = "update"
	optionStop       = "stop"
)

// creating is what the steps of this package share: the external IDs that have
// to be known first, the names, and the run that makes things.
type creating struct {
	step.Described
	id     step.ExternalID
	idFor  []string // purposes whose external ID is still to be known
	names  names
	grants []access.Grant
	run    making.Run
}

func (c *creating) basis(a record.Answers) []string {
	basis := append(a.DocumentsBasis(), a.TrustedAccount, a.ChosenAccount(), a.Path, a.Boundary, fmt.Sprint(a.Tags), a.SessionFor.String())
	for _, purpose := range record.SortedPurposes(a.Parts) {
		if p := a.Parts[purpose]; p.Needed {
			basis = append(basis, purpose, p.PolicyName, p.RoleName, p.UserName, p.ExternalID+p.Principal, p.Digests(), p.RoleARN, p.UserARN)
		}
	}
	return basis
}

// seenRight reports whether this run has seen every needed role or user, and
// found it right.
func seenRight(a record.Answers) bool {
	for purpose, part := range a.Parts {
		right := a.UserRight(purpose)
		if a.Access != describe.AccessUser {
			report := a.Seen.Parts[purpose].Report
			right = report != nil && report.OK
		}
		if part.Needed && !right {
			return false
		}
	}
	return true
}

// Status is Done once this run has seen everything that is needed and found it
// right.
func (c *creating) Status(a record.Answers) step.Status {
	if seenRight(a) && a.IsAnswered(c.ID(), c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the external ID where no API tells it.
func (c *creating) Asks(s *step.Session) []step.Need {
	for _, role := range s.Request().Needed() {
		if needs := s.AsksExternalID(role.Purpose); len(needs) > 0 && role.Access != describe.AccessUser {
			return needs
		}
	}
	return nil
}

// needIDs begins to make the external IDs known.
func (c *creating) needIDs(s *step.Session) {
	for _, role := range s.Request().Needed() {
		c.idFor = append(c.idFor, role.Purpose)
	}
}

// nextID asks for the next external ID that is not known; known is true when
// all are.
func (c *creating) nextID(s *step.Session) (known bool, effects []screen.Effect) {
	for len(c.idFor) > 0 {
		purpose := c.idFor[0]
		c.idFor = c.idFor[1:]
		if known, effects = c.id.Begin(s, purpose); !known {
			return false, effects
		}
	}
	return true, nil
}

// tellID takes a message while an external ID is not known.
func (c *creating) tellID(s *step.Session, msg screen.Msg) (known bool, effects []screen.Effect) {
	known, effects = c.id.Update(s, msg)
	if !known {
		return false, effects
	}
	known, more := c.nextID(s)
	return known, append(effects, more...)
}

// wanted resolves what is wanted, and refuses what no approval names.
func (c *creating) wanted(s *step.Session) ([]making.Planner, *screen.Problem) {
	if p := s.PlanProblems(); p != nil {
		return nil, p
	}
	grants, err := s.Request().Grants()
	if err != nil {
		return nil, step.ProblemOf(err)
	}
	c.grants = grants
	var planners []making.Planner
	for _, g := range grants {
		if g.User {
			planners = append(planners, making.NewUser(g, s.WantedUser(g.Purpose)))
			continue
		}
		if g.Trust == nil {
			return nil, step.ProblemOf(s.Request().UnknownAccount(g.Purpose))
		}
		planners = append(planners, making.NewRole(g, s.WantedRole(g.Purpose)))
	}
	return planners, nil
}

// look looks at what exists, and goes on from there.
func (c *creating) look(s *step.Session) []screen.Effect {
	planners, p := c.wanted(s)
	if p != nil {
		c.run.Stop(p)
		return nil
	}
	return c.run.Begin(s.Host(), planners...)
}

// again goes on after a failure. Credentials that ran out are read anew first.
func (c *creating) again(s *step.Session, look func(*step.Session) []screen.Effect) []screen.Effect {
	renew := s.AWS != nil && c.run.Problem != nil && c.run.Problem.Kind == screen.AWSRefused
	effects := look(s)
	if renew {
		return making.Renewed(s.AWS, effects)
	}
	return effects
}

// advance hands a message to the run, and keeps what exists by now, so that it is
// told also when the rest fails. right is true when everything was seen to be
// right just now.
func (c *creating) advance(s *step.Session, msg screen.Msg) (right bool, effects []screen.Effect) {
	before := c.run.Stage
	effects, _ = c.run.Update(s.Host(), msg)
	for _, g := range c.grants {
		c.keep(s, g)
	}
	return c.run.Stage == making.Made && before != making.Made, effects
}

// keep notes what exists of one role or user, once it was looked at.
func (c *creating) keep(s *step.Session, g access.Grant) {
	if len(c.run.Sights) == 0 {
		return
	}
	exists := slices.Clone(c.run.Plan.Adopted)
	for _, d := range c.run.Done {
		exists = append(exists, d.Item)
	}
	policies := step.PolicyHints(nil, g.Documents)
	for _, item := range exists {
		if item.Purpose != g.Purpose {
			continue
		}
		switch item.Kind {
		case record.ItemPolicy:
			if i := slices.IndexFunc(policies, func(p record.PartPolicy) bool { return strings.EqualFold(p.Name, item.Name) }); i >= 0 {
				policies[i].Name, policies[i].ARN = item.Name, item.ARN
			}
		case record.ItemRole:
			s.SetPart(g.Purpose, func(p *record.Part) { p.RoleARN, p.RoleID = item.ARN, item.ID })
		case record.ItemUser:
			s.NameUser(g.Purpose, aws.UserRef{Name: item.Name, ARN: item.ARN, ID: item.ID})
		default: // is told with what it is on
		}
	}
	s.SetPart(g.Purpose, func(p *record.Part) { p.Policies = policies })
}

// take keeps what was proven.
func (c *creating) take(s *step.Session) (step.Move, []screen.Effect) {
	for i, g := range c.grants {
		x := c.run.Sights[i]
		policies := making.PartPolicies(g, x)
		if g.User {
			s.TakeUser(g.Purpose, x.UserReport)
			s.SetPart(g.Purpose, func(p *record.Part) { p.Policies = policies })
			continue
		}
		report := x.Reports[g.Purpose]
		s.SetSeen(g.Purpose, func(p *record.SeenPart) { p.Report = &report })
		s.SetPart(g.Purpose, func(p *record.Part) {
			p.RoleARN, p.RoleID, p.RoleName, p.Policies = report.Role.ARN, report.Role.ID, report.Role.Name, policies
		})
	}
	s.Answered(c.ID(), c.basis(s.Answers)...)
	if s.Resuming {
		return step.Next, nil
	}
	return step.Stay, nil
}

// signedOut is why nothing can be made without credentials.
func signedOut(expected, next string) *screen.Problem {
	return &screen.Problem{What: "rolecall has no AWS credentials in this session.", Expected: expected, Next: next, Kind: screen.AWSRefused}
}

// allowed says what is known of the caller's permissions.
func (c *creating) allowed() screen.Text {
	if c.run.Known {
		return screen.Text{Tone: screen.Good, Body: "You are allowed to do all of it: IAM's policy simulator says so."}
	}
	return screen.Text{
		Tone: screen.Dim,
		Body: "Whether you are allowed to do all of it cannot be asked here. The first request that is refused names what is missing.",
	}
}

// settings are what was asked for beyond the documents.
func settings(s *step.Session, hours string) screen.Facts {
	var facts screen.Facts
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, screen.Fact{Label: label, Value: value})
		}
	}
	for _, role := range s.Request().Needed() {
		add("External ID", s.Part(role.Purpose).ExternalID)
	}
	add("Path", s.Path)
	add("Boundary", s.Boundary)
	if s.SessionFor != 0 {
		add("Longest session", hours)
	}
	add("Tags", making.TagWords(s.TagList()))
	return facts
}

// callerPolicy is the smallest policy that gives these permissions.
func callerPolicy(needs []aws.Permission, about string, printed bool) screen.Code {
	doc := aws.CallerPolicy(needs)
	if about == "" {
		about = fmt.Sprintf("%s characters · for whoever manages your permissions", screen.Thousands(doc.Characters()))
	}
	return screen.Code{
		Label: "Smallest policy that this takes",
		Name:  "rolecall-caller-policy.json",
		Body:  doc.Pretty(),
		About: about,
		Print: printed,
	}
}

// left says what this session made so far, or may have made, where it stops
// half-way.
func left(s *step.Session) []screen.Block {
	items := s.Host().Outstanding()
	if len(items) == 0 {
		return nil
	}
	return []screen.Block{screen.Text{Tone: screen.Warning, Body: "This session made, and it exists:"}, itemFacts(items)}
}

// roleNames are the names of the roles that are made.
func (c *creating) roleNames() string {
	known := map[string]bool{}
	for _, g := range c.grants {
		known[g.Name] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(known)), " and ")
}
