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
		view.Blocks = screen.ProblemFirst(nil, c.problem)
		return view
	}
	if c.proven(s) {
		view.Blocks = append(c.foundBlocks(s), c.trustPolicy(s))
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
		return view
	}
	view.Blocks = append(step.Acted(c.created...), c.wrong(s)...)
	if s.AWS != nil {
		view.Blocks = append(view.Blocks, c.paste(s)...) // it was asked for
	}
	view.Blocks = append(append(view.Blocks, c.guide(s)...), c.values(s), c.trustPolicy(s))
	for _, w := range c.inline {
		view.Blocks = append(view.Blocks, screen.Facts{{Label: labelPolicyName, Value: w.Name, Copy: true}}, step.PolicyCode(w))
	}
	if link, ok := c.link(s); ok {
		view.Blocks = append(view.Blocks, link)
	}
	view.Blocks = append(view.Blocks, c.state(s)...)
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	view.Actions = c.actions(s)
	return view
}

// guide is how the role is made, or how the trust policy of a closed one is
// completed.
func (c *Role) guide(s *step.Session) []screen.Block {
	g, _ := s.Grant(c.Spec.Role) // the policy is none of this block's business
	if g.Shut == nil || g.Closed || s.Part(c.Spec.Role).RoleARN == "" {
		return c.Guide(s, c.has(s)...)
	}
	return c.List(s, 0, "In IAM, open the role "+g.Name+", Trust relationships, then Edit trust policy.",
		"Copy the trust policy here and paste it over all of the one in the editor.",
		"Choose Update policy: from then on "+aws.Principals(g.Trusted)+" gets in under the external ID, and nobody else.")
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

// The actions that open what has to be mended.
const (
	actionTrust = "trust"
	actionEdit  = "edit"
)

// nearestReport is the verdict on the pasted role, else on the nearest one; the
// name is empty where there is none.
func (c *Role) nearestReport() (name string, checks []aws.Check) {
	if c.verified != nil && c.verified.Role != nil {
		return c.verified.Role.Name, c.verified.Checks
	}
	if near := c.nearest(); near != nil {
		return near.Role.Name, near.Report.Checks
	}
	return "", nil
}

// mending is the action that fits what is wrong with the nearest role: it opens
// the page where that is mended. It is empty where no page mends it.
func (c *Role) mending() screen.Action {
	name, checks := c.nearestReport()
	wrong := step.FirstFailure(checks)
	switch {
	case name == "" || wrong == nil:
	case strings.HasPrefix(wrong.ID, "trust-"):
		return screen.Action{ID: actionTrust, Key: "e", Label: "edit its trust policy"}
	case strings.HasPrefix(wrong.ID, "policy-"), wrong.ID == "permissions-boundary":
		return screen.Action{ID: actionEdit, Key: "e", Label: "open its permissions"}
	}
	return screen.Action{}
}

// openNearest opens the page where the nearest role is mended.
func (c *Role) openNearest(s *step.Session) []screen.Effect {
	console, ok := aws.ConsoleFor(s.Partition)
	name, _ := c.nearestReport()
	if !ok || name == "" {
		return nil
	}
	if c.mending().ID == actionEdit {
		return []screen.Effect{screen.Open{Label: "the permissions of " + name, URL: console.RolePermissions(name)}}
	}
	return []screen.Effect{screen.Open{Label: "the trust policy of " + name, URL: console.Trust(name)}}
}

// openOlder opens the same form by the console's older address, for where the
// newer one shows an empty form.
func (c *Role) openOlder(s *step.Session) []screen.Effect {
	console, ok := aws.ConsoleFor(s.Partition)
	accounts := s.Request().Trusted(c.Spec.Role)
	if !ok || !oneAccount(accounts) {
		return nil
	}
	part := s.Part(c.Spec.Role)
	return []screen.Effect{
		screen.Open{Label: "Create role", URL: console.CreateRoleOld(accounts[0], part.ExternalID, part.RoleName, c.toAttach(s)...)},
	}
}

func (c *Role) values(s *step.Session) screen.Facts {
	part := s.Part(c.Spec.Role)
	var facts screen.Facts
	for i, id := range s.Request().Trusted(c.Spec.Role) {
		label := accountLabel(i)
		if isARN(id) {
			label = labelPrincipal
		}
		facts = append(facts, screen.Fact{Label: label, Value: id, Copy: true})
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
	if g.Trust == nil && s.Request().Closed(c.Spec.Role) {
		return screen.Text{Tone: screen.Warning, Body: "The role is made closed: it trusts your own account alone, under an external ID that " +
			"nobody knows. Which account that is, rolecall does not know here: sign in, or give --aws-account."}
	}
	if g.Trust == nil {
		return screen.Text{Tone: screen.Warning, Body: "The account to trust is not known."}
	}
	return screen.Code{Label: labelTrust, Name: g.Name + "-trust.json", Body: g.Trust.Pretty(),
		About: fmt.Sprintf("%s characters", screen.Thousands(g.Trust.Characters()))}
}

// oneAccount tells whether one account by its number is all that is trusted.
func oneAccount(trusted []string) bool { return len(trusted) == 1 && !isARN(trusted[0]) }

func isARN(who string) bool { return strings.HasPrefix(who, "arn:") }

func (c *Role) link(s *step.Session) (screen.Link, bool) {
	console, ok := aws.ConsoleFor(s.Partition)
	accounts := s.Request().Trusted(c.Spec.Role)
	if !ok || len(accounts) == 0 && s.Request().Role(c.Spec.Role).WebIdentity.None() {
		return screen.Link{}, false
	}
	if !oneAccount(accounts) {
		return screen.Link{Label: "Roles", URL: console.Roles()}, true // the form takes one account
	}
	part := s.Part(c.Spec.Role)
	return screen.Link{Label: "Create role", URL: console.CreateRole(accounts[0], part.ExternalID, c.toAttach(s)...)}, true
}

func (c *Role) state(s *step.Session) []screen.Block {
	var blocks []screen.Block
	if len(c.right()) > 1 {
		blocks = append(blocks, c.several(s)...)
	} else {
		blocks = append(blocks, c.underway(s)...)
	}
	if s.AWS == nil {
		blocks = append(blocks, c.paste(s)...)
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

// paste is the field for the role's ARN, while it is open.
func (c *Role) paste(s *step.Session) []screen.Block {
	if !c.pasting {
		return nil
	}
	return []screen.Block{screen.Input{ID: fieldRoleARN, Label: c.fieldLabel(s), Long: s.AWS == nil, Value: c.pastedBefore(s),
		Hint: "arn:" + s.Partition + ":iam::" + OrDigits(s.AccountID) + ":role/" + s.Part(c.Spec.Role).RoleName, Problem: c.field}}
}

// foundBlocks shows the role that was proven right, check by check.
func (c *Role) foundBlocks(s *step.Session) []screen.Block {
	report := s.Seen.Parts[c.Spec.Role].Report
	blocks := screen.ProblemFirst(step.Acted(c.created...), c.id.Changed(s))
	return append(blocks, screen.Text{Tone: screen.Good, Body: "Found " + report.Role.Name + ". It is right."},
		screen.Facts{{Label: "Role ARN", Value: report.Role.ARN, Copy: true}}, step.ChecksOf(report.Checks))
}

// OrDigits is the account, or twelve digits that stand for one in an example.
func OrDigits(accountID string) string {
	if accountID == "" {
		return "123456789012"
	}
	return accountID
}

// wrong says what is wrong with the pasted role, else with the nearest one.
func (c *Role) wrong(s *step.Session) []screen.Block {
	blocks := screen.ProblemFirst(nil, c.id.Changed(s))
	if s.AWS == nil || len(c.right()) > 1 {
		return blocks
	}
	switch {
	case c.verified != nil && !c.verified.OK && c.verified.Role != nil:
		blocks = append(blocks, c.notYet(s, c.verified.Role.Name, c.verified.Checks)...)
	case c.verified != nil && !c.verified.OK:
		blocks = append(blocks, step.ChecksOf(c.verified.Checks))
	case len(c.seen.matches) > 0:
		blocks = append(blocks, c.notYet(s, c.seen.matches[0].Role.Name, c.seen.matches[0].Report.Checks)...)
	case c.seen.nearMiss != nil:
		blocks = append(blocks, c.nearMissProblem(s))
	case c.seen.named != nil:
		blocks = append(blocks, c.wrongNamed(s))
	}
	if c.verified == nil {
		blocks = append(blocks, c.other...)
	}
	return blocks
}

// grantsOther is the whole difference of what the nearest role grants from what
// it should, where that is what is wrong.
func (c *Role) grantsOther(s *step.Session) []screen.Block {
	if len(c.seen.matches) == 0 {
		return nil
	}
	role, want := c.seen.matches[0].Role, s.WantedRole(c.Spec.Role)
	if check, _ := c.seen.matches[0].Report.Check("policy-matches"); check.Status != aws.Fail && check.Status != aws.Warn {
		return nil
	}
	d, ok := aws.GrantsDifference(want, role)
	if !ok {
		return nil
	}
	return []screen.Block{step.DifferenceCode(role.Name, d)}
}

// underway shows the waiting.
func (c *Role) underway(s *step.Session) []screen.Block {
	if s.AWS == nil {
		return c.pasted.blocks("role", "the ARN alone goes unchecked.", firstCommand("role", s.Part(c.Spec.Role).RoleName, aws.CheckRoleName))
	}
	var blocks []screen.Block
	if c.making {
		blocks = append(blocks, screen.Tasks{{Name: "Creating the role in the rehearsal account", State: screen.Running, Since: c.Since}})
	} else {
		blocks = append(blocks, c.Waiting(s, "a role that trusts "+s.Vendor.Title))
	}
	return append(blocks, c.Notes()...)
}

// notYet tells what a role still lacks: the first thing that is wrong with it,
// what else is, and how much is right.
func (c *Role) notYet(s *step.Session, name string, checks []aws.Check) []screen.Block {
	under := " under this external ID"
	if !s.Request().Role(c.Spec.Role).WebIdentity.None() {
		under = ""
	}
	p := screen.Problem{What: name + " trusts " + s.Vendor.Title + under + ", and is not right yet.",
		Kind: c.wrongness(s, name), Passing: true, Action: c.mending().ID}
	wrong := step.FirstFailure(checks)
	if wrong == nil {
		return []screen.Block{p, step.ChecksOf(checks)}
	}
	if strings.HasPrefix(wrong.ID, "trust-") {
		p.What = name + " is not right yet."
	}
	p.What = fmt.Sprintf("%s %s: %s.", p.What, step.NameOfCheck(wrong.ID), wrong.Got)
	p.Expected, p.Next = wrong.Want, wrong.Fix
	return []screen.Block{p, step.OtherChecks(checks, wrong)}
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
		Action: c.mending().ID,
	}
	if check := near.Miss(); len(near.ExternalIDs) == 0 || wanted == "" || check.ID != "trust-external-id" {
		p.What = near.Role.Name + " trusts " + s.Vendor.Title + ", but not as needed: " + check.Got + "."
		p.Expected, p.Next, p.Wanted, p.Found = check.Want, check.Fix, "", ""
	}
	return p
}

func (c *Role) wrongNamed(s *step.Session) screen.Problem {
	named := c.seen.named
	return screen.Problem{
		What:     named.Role.Name + " exists and does not trust " + s.Vendor.Title + ".",
		Expected: "a role that trusts " + c.trusts(s),
		Next:     "Create a role under another name, or change its trust policy.",
		Kind:     screen.NotAsNeeded, Passing: true, Action: c.mending().ID,
	}
}

// trusts says whom the role has to trust.
func (c *Role) trusts(s *step.Session) string {
	if g, _ := s.Grant(c.Spec.Role); g.Web != nil {
		return g.Trusts()
	}
	return aws.Principals(s.Request().Trusted(c.Spec.Role))
}

func (c *Role) several(s *step.Session) []screen.Block {
	right := c.right()
	choices := screen.Choices{ID: "role", Label: "Which role should " + s.Vendor.Title + " get?"}
	var arns []string
	for _, m := range right {
		choices.Options = append(
			choices.Options,
			screen.Option{
				ID:     m.Role.ARN,
				Label:  m.Role.Name,
				Detail: m.Role.ARN + " · created " + m.Role.Created.UTC().Format("2006-01-02 15:04 MST"),
			},
		)
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
	if s.AWS == nil && c.pasted.verdict != nil {
		more = append(more, screen.Action{ID: "anew", Key: "a", Label: "paste anew"})
	}
	if s.AWS == nil || len(c.right()) > 1 {
		return more
	}
	if name, _ := c.nearestReport(); name != "" {
		if mend := c.mending(); mend.ID != "" {
			more = append(more, mend)
		}
	} else if oneAccount(s.Request().Trusted(c.Spec.Role)) {
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
