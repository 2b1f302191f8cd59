package steps

import (
	"fmt"
	"strings"

	"rolecall/aws"
)

// Screen shows the external ID, the instructions and what AWS shows.
func (c *createRole) Screen(s *Session) Screen {
	screen := c.screen(s)
	if c.id.stage != externalIDKnown {
		return c.id.show(s, screen)
	}
	if c.refused {
		screen.Blocks = appendProblem(nil, c.problem)
		return screen
	}
	if c.proven(s) {
		screen.Blocks = append(c.foundBlocks(s), c.trustPolicy(s))
		screen.Actions = []Action{{ID: "next", Label: "next", Default: true}}
		return screen
	}
	screen.Blocks = []Block{c.instructions(s, c.done), c.values(s), c.trustPolicy(s)}
	for _, w := range c.inline {
		screen.Blocks = append(screen.Blocks, Facts{{Label: "Policy name", Value: w.Name, Copy: true}}, inlineCode(w))
	}
	if link, ok := c.link(s); ok {
		screen.Blocks = append(screen.Blocks, link)
	}
	screen.Blocks = append(screen.Blocks, c.state(s)...)
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	screen.Actions = c.actions(s)
	return screen
}

// nearest is the role that comes nearest to a right one, nil when none does.
func (c *createRole) nearest() *aws.RoleSighting {
	switch {
	case len(c.sighted.matches) > 0:
		return &c.sighted.matches[0]
	case c.sighted.nearMiss != nil:
		return c.sighted.nearMiss
	}
	return c.sighted.named
}

// openTrust opens the trust policy of the nearest role.
func (c *createRole) openTrust(s *Session) []Effect {
	console, ok := aws.ConsoleFor(s.Partition)
	role := c.nearest()
	if !ok || role == nil {
		return nil
	}
	return []Effect{Open{Label: "Trust policy of " + role.Role.Name, URL: console.Trust(role.Role.Name)}}
}

// openOlder opens the same form by the console's older address, for where the
// newer one shows an empty form.
func (c *createRole) openOlder(s *Session) []Effect {
	console, ok := aws.ConsoleFor(s.Partition)
	accounts := s.TrustedAccounts(c.d.Role)
	if !ok || len(accounts) != 1 {
		return nil
	}
	part := s.Part(c.d.Role)
	return []Effect{Open{Label: "Create role", URL: console.CreateRoleOld(accounts[0], part.ExternalID, part.RoleName, c.toAttach(s)...)}}
}

func (c *createRole) values(s *Session) Facts {
	part := s.Part(c.d.Role)
	var facts Facts
	for i, id := range s.TrustedAccounts(c.d.Role) {
		label := labelAccountID
		if i > 0 {
			label = fmt.Sprintf("%s %d", labelAccountID, i+1)
		}
		facts = append(facts, Fact{Label: label, Value: id, Copy: true})
	}
	if part.ExternalID != "" {
		facts = append(facts, Fact{Label: labelExternalID, Value: part.ExternalID, Copy: true})
	}
	facts = append(facts, managedFacts(s.ManagedPolicies(c.d.Role), "to tick")...)
	return append(facts, Fact{Label: "Role name", Value: part.RoleName, Copy: true})
}

// toAttach are the ARNs of all policies that the role has to have attached, as
// far as they are known.
func (c *createRole) toAttach(s *Session) []string {
	return append(s.Part(c.d.Role).PolicyARNs(), s.ManagedPolicies(c.d.Role)...)
}

// managedFacts names AWS managed policies to copy, as the console's search
// takes them.
func managedFacts(arns []string, note string) Facts {
	var facts Facts
	for _, arn := range arns {
		facts = append(facts, Fact{Label: "AWS managed policy", Value: policyNameOf(arn), Note: note, Copy: true})
	}
	return facts
}

func (c *createRole) trustPolicy(s *Session) Block {
	trust := s.WantedTrust(c.d.Role)
	if trust == nil {
		return Text{Tone: Warning, Body: "The account to trust is not known."}
	}
	return Code{Label: "Trust policy", Name: s.Part(c.d.Role).RoleName + "-trust.json", Body: trust.Pretty(),
		About: fmt.Sprintf("%s characters", thousands(trust.Characters()))}
}

func (c *createRole) link(s *Session) (Link, bool) {
	console, ok := aws.ConsoleFor(s.Partition)
	accounts := s.TrustedAccounts(c.d.Role)
	if !ok || len(accounts) == 0 {
		return Link{}, false
	}
	if len(accounts) > 1 {
		return Link{Label: "Roles", URL: console.Roles()}, true // the form takes one account
	}
	part := s.Part(c.d.Role)
	return Link{Label: "Create role", URL: console.CreateRole(accounts[0], part.ExternalID, c.toAttach(s)...)}, true
}

func (c *createRole) state(s *Session) []Block {
	blocks := appendProblem(nil, c.id.changed(s))
	if len(c.right()) > 1 {
		blocks = append(blocks, c.several(s)...)
	} else {
		blocks = append(blocks, c.underway(s)...)
	}
	if c.pasting {
		blocks = append(blocks, Input{ID: fieldRoleARN, Label: "Role ARN", Hint: "arn:" + s.Partition + ":iam::" + orDigits(s.AccountID) + ":role/" + s.Part(c.d.Role).RoleName, Problem: c.field})
	}
	return blocks
}

// foundBlocks shows the role that was proven right, check by check.
func (c *createRole) foundBlocks(s *Session) []Block {
	report := s.Seen.Parts[c.d.Role].Report
	blocks := appendProblem(nil, c.id.changed(s))
	return append(blocks, Text{Tone: Good, Body: "Found " + report.Role.Name + ". It is right."},
		Facts{{Label: "Role ARN", Value: report.Role.ARN, Copy: true}}, checksOf(*report))
}

func orDigits(accountID string) string {
	if accountID == "" {
		return "123456789012"
	}
	return accountID
}

// underway shows the waiting and the nearest thing to a right role.
func (c *createRole) underway(s *Session) []Block {
	if s.AWS == nil {
		return []Block{Text{Tone: Dim, Body: "rolecall cannot look into the account. Paste the role's ARN when it exists."}}
	}
	var blocks []Block
	if c.making {
		blocks = append(blocks, Tasks{{Name: "Creating the role in the rehearsal account", State: Running, Since: c.since}})
	} else {
		blocks = append(blocks, c.waiting(s, "a role that trusts "+s.Vendor.Title))
	}
	switch {
	case c.verified != nil:
		blocks = append(blocks, checksOf(*c.verified))
	case len(c.sighted.matches) > 0:
		nearly := c.sighted.matches[0]
		blocks = append(blocks, c.notYetProblem(s, nearly), checksOf(nearly.Report))
	case c.sighted.nearMiss != nil:
		blocks = append(blocks, c.nearMissProblem(s))
	case c.sighted.named != nil:
		blocks = append(blocks, c.wrongNamed(s))
	}
	return append(blocks, c.notes()...)
}

// notYetProblem tells what a role that lets the vendor in still lacks.
func (c *createRole) notYetProblem(s *Session, nearly aws.RoleSighting) Problem {
	p := Problem{What: nearly.Role.Name + " trusts " + s.Vendor.Title + " under this external ID, and is not right yet.",
		Kind: c.wrongness(s, nearly.Role.Name), Passing: true}
	if wrong := firstFailure(nearly.Report); wrong != nil {
		p.What = fmt.Sprintf("%s %s: %s.", p.What, nameOfCheck(wrong.ID), wrong.Got)
		p.Expected, p.Next = wrong.Want, wrong.Fix
	}
	return p
}

// wrongness is NotAsNeeded for the role that is meant, by its name: a wrong
// one under another name is only a hint.
func (c *createRole) wrongness(s *Session, name string) ProblemKind {
	if strings.EqualFold(name, s.Part(c.d.Role).RoleName) {
		return NotAsNeeded
	}
	return Failure
}

func (c *createRole) nearMissProblem(s *Session) Problem {
	near, wanted := c.sighted.nearMiss, s.Part(c.d.Role).ExternalID
	p := Problem{
		What:     near.Role.Name + " trusts " + s.Vendor.Title + ", but under another external ID.",
		Expected: "external ID " + wanted,
		Next:     "Paste the wanted one into its trust policy.",
		Kind:     c.wrongness(s, near.Role.Name), Passing: true, Wanted: wanted, Found: strings.Join(near.ExternalIDs, ", "),
	}
	if len(near.ExternalIDs) == 0 {
		check, _ := near.Report.Check("trust-external-id")
		p.What = near.Role.Name + " trusts " + s.Vendor.Title + ", but not as needed: " + check.Got + "."
		p.Expected, p.Next, p.Wanted, p.Found = check.Want, check.Fix, "", ""
	}
	return p
}

func (c *createRole) wrongNamed(s *Session) Problem {
	named := c.sighted.named
	return Problem{
		What:     named.Role.Name + " exists and does not trust " + s.Vendor.Title + ".",
		Expected: "a role that trusts account " + strings.Join(s.TrustedAccounts(c.d.Role), " and "),
		Next:     "Create a role under another name, or change its trust policy.",
		Kind:     NotAsNeeded, Passing: true,
	}
}

func (c *createRole) several(s *Session) []Block {
	right := c.right()
	choices := Choices{ID: "role", Label: "Which role should " + s.Vendor.Title + " get?"}
	var arns []string
	for _, m := range right {
		choices.Options = append(choices.Options, Option{ID: m.Role.ARN, Label: m.Role.Name, Detail: m.Role.ARN + " · created " + m.Role.Created.UTC().Format("2006-01-02 15:04 MST")})
		arns = append(arns, m.Role.ARN)
	}
	problem := Problem{What: fmt.Sprintf("%d roles are right: %s.", len(right), strings.Join(arns, ", ")), Expected: "one role",
		Next: "Choose one here; unattended, name it with --role-name.", Kind: NotAsNeeded, Passing: true}
	return []Block{problem, choices}
}

// checksOf turns a verdict's checks into the screen's.
func checksOf(r aws.Report) Checks {
	checks := make(Checks, 0, len(r.Checks))
	for _, check := range r.Checks {
		shown := Check{ID: check.ID, State: CheckState(check.Status), Label: nameOfCheck(check.ID) + ": " + check.Want}
		if check.Status == aws.Pass {
			shown.Label = nameOfCheck(check.ID) + ": " + check.Got
		} else {
			shown.Why, shown.Fix = "found: "+check.Got, check.Fix
		}
		checks = append(checks, shown)
	}
	return checks
}

func (c *createRole) actions(s *Session) []Action {
	if s.AWS == nil || len(c.right()) > 1 {
		return nil
	}
	if s.Rehearsal && !c.making && !c.made && len(c.sighted.matches) == 0 && c.sighted.nearMiss == nil {
		return []Action{{ID: "act", Label: "do it in the rehearsal account", Default: true}}
	}
	var more []Action
	if c.nearest() != nil {
		more = append(more, Action{ID: "trust", Key: "e", Label: "edit its trust policy"})
	} else if len(s.TrustedAccounts(c.d.Role)) == 1 {
		more = append(more, Action{ID: "older", Key: "a", Label: "older form"})
	}
	if !c.pasting {
		more = append(more, Action{ID: "paste", Key: "p", Label: "paste the ARN"})
	}
	return c.lookout.actions(s, "the role", more...)
}
