package guide

import (
	"fmt"
	"strings"

	"rolecall/aws"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Screen shows the external ID, the instructions and what AWS shows.
func (c *Role) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	if c.id.Stage != step.ExternalIDKnown {
		return c.id.Show(s, view)
	}
	if c.refused {
		view.Blocks = screen.AppendProblem(nil, c.problem)
		return view
	}
	if c.proven(s) {
		view.Blocks = append(c.foundBlocks(s), c.trustPolicy(s))
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
		return view
	}
	view.Blocks = append(c.Guide(s, c.has(s)...), c.values(s), c.trustPolicy(s))
	for _, w := range c.inline {
		view.Blocks = append(view.Blocks, screen.Facts{{Label: labelPolicyName, Value: w.Name, Copy: true}}, step.InlineCode(w))
	}
	if link, ok := c.link(s); ok {
		view.Blocks = append(view.Blocks, link)
	}
	view.Blocks = append(view.Blocks, c.state(s)...)
	view.Blocks = screen.AppendProblem(view.Blocks, c.problem)
	view.Actions = c.actions(s)
	return view
}

// has is what the page that can be opened comes with, and whether rolecall has to
// do without seeing the account's roles.
func (c *Role) has(s *step.Session) []string {
	_, ok := c.link(s)
	has := pageOf(ok)
	if ok && len(s.Request().Trusted(c.Spec.Role)) == 1 {
		has = append(has, labelAccountID)
		part := s.Part(c.Spec.Role)
		if part.ExternalID != "" {
			has = append(has, step.LabelExternalID)
		}
		if wanted := len(part.Policies) + len(s.Request().Managed(c.Spec.Role)); wanted > 0 && len(c.toAttach(s)) == wanted {
			has = append(has, labelPolicies)
		}
	}
	if len(c.Notes()) > 0 {
		has = append(has, step.HasNoSight)
	}
	return has
}

// nearest is the role that comes nearest to a right one, nil when none does.
func (c *Role) nearest() *aws.RoleSighting {
	switch {
	case len(c.seen.matches) > 0:
		return &c.seen.matches[0]
	case c.seen.nearMiss != nil:
		return c.seen.nearMiss
	}
	return c.seen.named
}

// openTrust opens the trust policy of the nearest role.
func (c *Role) openTrust(s *step.Session) []screen.Effect {
	console, ok := aws.ConsoleFor(s.Partition)
	role := c.nearest()
	if !ok || role == nil {
		return nil
	}
	return []screen.Effect{screen.Open{Label: "Trust policy of " + role.Role.Name, URL: console.Trust(role.Role.Name)}}
}

// openOlder opens the same form by the console's older address, for where the
// newer one shows an empty form.
func (c *Role) openOlder(s *step.Session) []screen.Effect {
	console, ok := aws.ConsoleFor(s.Partition)
	accounts := s.Request().Trusted(c.Spec.Role)
	if !ok || len(accounts) != 1 {
		return nil
	}
	part := s.Part(c.Spec.Role)
	return []screen.Effect{screen.Open{Label: "Create role", URL: console.CreateRoleOld(accounts[0], part.ExternalID, part.RoleName, c.toAttach(s)...)}}
}

func (c *Role) values(s *step.Session) screen.Facts {
	part := s.Part(c.Spec.Role)
	var facts screen.Facts
	for i, id := range s.Request().Trusted(c.Spec.Role) {
		facts = append(facts, screen.Fact{Label: accountLabel(i), Value: id, Copy: true})
	}
	if part.ExternalID != "" {
		facts = append(facts, screen.Fact{Label: step.LabelExternalID, Value: part.ExternalID, Copy: true})
	}
	facts = append(facts, step.ManagedFacts(s.Request().Managed(c.Spec.Role), "to tick")...)
	return append(facts, screen.Fact{Label: labelRoleName, Value: part.RoleName, Copy: true})
}

// toAttach are the ARNs of all policies that the role has to have attached, as
// far as they are known.
func (c *Role) toAttach(s *step.Session) []string {
	return append(s.Part(c.Spec.Role).PolicyARNs(), s.Request().Managed(c.Spec.Role)...)
}

func (c *Role) trustPolicy(s *step.Session) screen.Block {
	g, _ := s.Grant(c.Spec.Role) // the policy is none of this block's business
	if g.Trust == nil {
		return screen.Text{Tone: screen.Warning, Body: "The account to trust is not known."}
	}
	return screen.Code{Label: labelTrust, Name: g.Name + "-trust.json", Body: g.Trust.Pretty(),
		About: fmt.Sprintf("%s characters", screen.Thousands(g.Trust.Characters()))}
}

func (c *Role) link(s *step.Session) (screen.Link, bool) {
	console, ok := aws.ConsoleFor(s.Partition)
	accounts := s.Request().Trusted(c.Spec.Role)
	if !ok || len(accounts) == 0 {
		return screen.Link{}, false
	}
	if len(accounts) > 1 {
		return screen.Link{Label: "Roles", URL: console.Roles()}, true // the form takes one account
	}
	part := s.Part(c.Spec.Role)
	return screen.Link{Label: "Create role", URL: console.CreateRole(accounts[0], part.ExternalID, c.toAttach(s)...)}, true
}

func (c *Role) state(s *step.Session) []screen.Block {
	blocks := screen.AppendProblem(nil, c.id.Changed(s))
	if len(c.right()) > 1 {
		blocks = append(blocks, c.several(s)...)
	} else {
		blocks = append(blocks, c.underway(s)...)
	}
	if c.pasting {
		blocks = append(blocks, screen.Input{ID: fieldRoleARN, Label: c.fieldLabel(s), Long: s.AWS == nil, Value: c.pastedBefore(s),
			Hint: "arn:" + s.Partition + ":iam::" + OrDigits(s.AccountID) + ":role/" + s.Part(c.Spec.Role).RoleName, Problem: c.field})
	}
	return blocks
}

// fieldLabel says what the field takes.
func (c *Role) fieldLabel(s *step.Session) string {
	if s.AWS == nil {
		return "What AWS printed, a file with it, or the role's ARN"
	}
	return "Role ARN"
}

// pastedBefore is the ARN that was taken at an earlier visit where rolecall cannot
// look; empty where there is none.
func (c *Role) pastedBefore(s *step.Session) string {
	if s.AWS != nil {
		return ""
	}
	return s.Part(c.Spec.Role).RoleARN
}

// foundBlocks shows the role that was proven right, check by check.
func (c *Role) foundBlocks(s *step.Session) []screen.Block {
	report := s.Seen.Parts[c.Spec.Role].Report
	blocks := screen.AppendProblem(step.Acted(c.created...), c.id.Changed(s))
	return append(blocks, screen.Text{Tone: screen.Good, Body: "Found " + report.Role.Name + ". It is right."},
		screen.Facts{{Label: "Role ARN", Value: report.Role.ARN, Copy: true}}, step.ChecksOf(*report))
}

// OrDigits is the account, or twelve digits that stand for one in an example.
func OrDigits(accountID string) string {
	if accountID == "" {
		return "123456789012"
	}
	return accountID
}

// underway shows the waiting and the nearest thing to a right role.
func (c *Role) underway(s *step.Session) []screen.Block {
	if s.AWS == nil {
		return c.pasted.blocks(s, c.Spec.Role)
	}
	blocks := step.Acted(c.created...)
	if c.making {
		blocks = append(blocks, screen.Tasks{{Name: "Creating the role in the rehearsal account", State: screen.Running, Since: c.Since}})
	} else {
		blocks = append(blocks, c.Waiting(s, "a role that trusts "+s.Vendor.Title))
	}
	switch {
	case c.verified != nil:
		blocks = append(blocks, step.ChecksOf(*c.verified))
	case len(c.seen.matches) > 0:
		nearly := c.seen.matches[0]
		blocks = append(blocks, c.notYetProblem(s, nearly), step.ChecksOf(nearly.Report))
	case c.seen.nearMiss != nil:
		blocks = append(blocks, c.nearMissProblem(s))
	case c.seen.named != nil:
		blocks = append(blocks, c.wrongNamed(s))
	}
	return append(blocks, c.Notes()...)
}

// notYetProblem tells what a role that lets the vendor in still lacks.
func (c *Role) notYetProblem(s *step.Session, nearly aws.RoleSighting) screen.Problem {
	p := screen.Problem{What: nearly.Role.Name + " trusts " + s.Vendor.Title + " under this external ID, and is not right yet.",
		Kind: c.wrongness(s, nearly.Role.Name), Passing: true}
	if wrong := step.FirstFailure(nearly.Report); wrong != nil {
		p.What = fmt.Sprintf("%s %s: %s.", p.What, step.NameOfCheck(wrong.ID), wrong.Got)
		p.Expected, p.Next = wrong.Want, wrong.Fix
	}
	return p
}

// wrongness is NotAsNeeded for the role that is meant, by its name: a wrong
// one under another name is only a hint.
func (c *Role) wrongness(s *step.Session, name string) screen.ProblemKind {
	if strings.EqualFold(name, s.Part(c.Spec.Role).RoleName) {
		return screen.NotAsNeeded
	}
	return screen.Failure
}

func (c *Role) nearMissProblem(s *step.Session) screen.Problem {
	near, wanted := c.seen.nearMiss, s.Part(c.Spec.Role).ExternalID
	p := screen.Problem{
		What:     near.Role.Name + " trusts " + s.Vendor.Title + ", but under another external ID.",
		Expected: "external ID " + wanted,
		Next:     "Paste the wanted one into its trust policy.",
		Kind:     c.wrongness(s, near.Role.Name), Passing: true, Wanted: wanted, Found: strings.Join(near.ExternalIDs, ", "),
	}
	if check := near.Miss(); len(near.ExternalIDs) == 0 || check.ID != "trust-external-id" {
		p.What = near.Role.Name + " trusts " + s.Vendor.Title + ", but not as needed: " + check.Got + "."
		p.Expected, p.Next, p.Wanted, p.Found = check.Want, check.Fix, "", ""
	}
	return p
}

func (c *Role) wrongNamed(s *step.Session) screen.Problem {
	named := c.seen.named
	return screen.Problem{
		What:     named.Role.Name + " exists and does not trust " + s.Vendor.Title + ".",
		Expected: "a role that trusts account " + strings.Join(s.Request().Trusted(c.Spec.Role), " and "),
		Next:     "Create a role under another name, or change its trust policy.",
		Kind:     screen.NotAsNeeded, Passing: true,
	}
}

func (c *Role) several(s *step.Session) []screen.Block {
	right := c.right()
	choices := screen.Choices{ID: "role", Label: "Which role should " + s.Vendor.Title + " get?"}
	var arns []string
	for _, m := range right {
		choices.Options = append(choices.Options, screen.Option{ID: m.Role.ARN, Label: m.Role.Name, Detail: m.Role.ARN + " · created " + m.Role.Created.UTC().Format("2006-01-02 15:04 MST")})
		arns = append(arns, m.Role.ARN)
	}
	problem := screen.Problem{What: fmt.Sprintf("%d roles are right: %s.", len(right), strings.Join(arns, ", ")), Expected: "one role",
		Next: "Choose one here.", Flag: "--role-name", Kind: screen.NotAsNeeded, Passing: true}
	return []screen.Block{problem, choices}
}

func (c *Role) actions(s *step.Session) []screen.Action {
	var more []screen.Action
	if c.id.ByHand(s) {
		more = append(more, screen.Action{ID: "external-id", Key: "i", Label: "another external ID"})
	}
	if s.AWS == nil && c.pasted.report != nil {
		more = append(more, screen.Action{ID: "anew", Key: "a", Label: "paste anew"})
	}
	if s.AWS == nil || len(c.right()) > 1 {
		return more
	}
	if c.nearest() != nil {
		more = append(more, screen.Action{ID: "trust", Key: "e", Label: "edit its trust policy"})
	} else if len(s.Request().Trusted(c.Spec.Role)) == 1 {
		more = append(more, screen.Action{ID: "older", Key: "a", Label: "older form"})
	}
	if !c.pasting {
		more = append(more, screen.Action{ID: "paste", Key: "p", Label: "paste the ARN"})
	}
	if s.Rehearsal && !c.making && !c.made && len(c.seen.matches) == 0 && c.seen.nearMiss == nil {
		return c.Rehearsed(s, more...)
	}
	return c.Actions(s, "the role", more...)
}
