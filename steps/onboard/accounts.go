package onboard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Accounts reads the organization and has the person tick which accounts get the
// role.
type Accounts struct {
	flow    *Flow
	filter  string
	problem *screen.Problem
	looking bool
	nodes   []screen.Node // of the tree as it is narrowed; nil: they are made anew
	shown   int           // accounts among them
}

const fieldFilter = "filter"

type discovered struct {
	found *Found
	err   error
}

// ID names the step.
func (*Accounts) ID() record.StepID { return stepAccounts }

// Title stands on the rail.
func (*Accounts) Title() string { return "Accounts" }

func accountsBasis(a record.Answers) []string {
	basis := []string{a.Vendor, a.AccountID, a.Partition}
	if a.Across != nil {
		basis = append(append(basis, a.Across.Units...), a.Across.Accounts...)
	}
	return basis
}

// Status is Done once this run has read the organization, and accounts were
// chosen.
func (c *Accounts) Status(a record.Answers) step.Status {
	if c.flow.found != nil && a.IsAnswered(stepAccounts, accountsBasis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Enter reads the organization.
func (c *Accounts) Enter(s *step.Session) []screen.Effect {
	c.problem, c.looking, c.nodes = nil, true, nil
	return c.look(s)
}

func (c *Accounts) look(s *step.Session) []screen.Effect {
	asked := Asked{Account: s.AWS, Vendor: s.Answers.Vendor, Request: s.Request(), ExternalID: across(s).ExternalID, Tags: across(s).Tags}
	if s.Seen.Identity != nil {
		asked.Identity = *s.Seen.Identity
	}
	discover := c.flow.Backend.Discover
	return asking("read the organization", 0, func(ctx context.Context) screen.Msg {
		found, err := discover(ctx, asked)
		return discovered{found, err}
	})
}

// Update takes what was found, the filter and the ticks.
func (c *Accounts) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case discovered:
		return c.found(s, msg)
	case screen.Changed:
		c.narrow(msg.Text)
	case screen.Entered:
		c.narrow(msg.Text)
	case screen.Ticked:
		c.tick(msg.ID, msg.On)
	case screen.Broke:
		c.looking, c.problem = false, screen.BrokenProblem(msg)
	case screen.Chose:
		return c.chose(s, msg.ID)
	}
	return step.Stay, nil
}

func (c *Accounts) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	switch id {
	case "again":
		return step.Stay, c.Enter(s)
	case "all":
		c.tickShown(c.all(), slices.ContainsFunc(c.all(), func(one organisation.Chosen) bool {
			return one.Excluded == nil && c.matches(one.Account) && !c.flow.ticked[one.ID]
		}))
	case "use":
		if c.flow.wanted() == 0 {
			return step.Stay, nil
		}
		c.keep(s)
		return step.Next, nil
	}
	return step.Stay, nil
}

func (c *Accounts) found(s *step.Session, msg discovered) (step.Move, []screen.Effect) {
	c.looking = false
	if msg.err != nil {
		c.problem = step.ProblemOf(msg.err)
		return step.Stay, nil
	}
	f := c.flow
	again := f.found != nil
	c.nodes = nil
	f.take(msg.found)
	if !f.found.Trusted {
		c.problem = step.ProblemOf(organisation.Untrusted(nil))
	}
	if err := f.begin(s, again); err != nil {
		c.problem = step.ProblemOf(err)
		return step.Stay, nil
	}
	if s.Resuming && c.problem == nil && s.IsAnswered(stepAccounts, accountsBasis(s.Answers)...) {
		return step.Next, nil
	}
	return step.Stay, nil
}

// begin ticks what was ticked before, else what flags named, else all. Seen again,
// the ticks stay on what is still there.
func (f *Flow) begin(s *step.Session, again bool) error {
	if again && f.ticked != nil {
		return nil
	}
	choice := organisation.Choice{Units: across(s).Units, Accounts: across(s).Accounts}
	if len(choice.Units)+len(choice.Accounts) == 0 {
		choice = f.Choice
	}
	f.ticked = map[string]bool{}
	chosen, err := f.found.Tree.Choose(choice)
	if err != nil {
		chosen = nil // what was chosen is gone: nothing is ticked in its place
	}
	for _, one := range chosen {
		if one.Excluded == nil && (f.found.Tagged == nil || f.found.Tagged[one.ID]) {
			f.ticked[one.ID] = true
		}
	}
	return err
}

// keep writes down what is ticked: nothing where all is, whole units where they
// say it, else the numbers.
func (c *Accounts) keep(s *step.Session) {
	a := across(s)
	a.Units, a.Accounts = nil, nil
	if c.ticked() < c.reachable() {
		a.Units = c.wholeUnits()
	}
	if c.ticked() < c.reachable() && a.Units == nil {
		for id := range c.flow.ticked {
			a.Accounts = append(a.Accounts, id)
		}
		slices.Sort(a.Accounts)
	}
	s.Answered(stepAccounts, accountsBasis(s.Answers)...)
}

// wholeUnits are the units that hold exactly what is ticked; nil where none do.
func (c *Accounts) wholeUnits() []string {
	whole := map[string]bool{}
	for _, one := range c.all() {
		if one.Excluded == nil {
			so, known := whole[one.Unit]
			whole[one.Unit] = (so || !known) && c.flow.ticked[one.ID]
		}
	}
	var units []string
	for _, u := range c.flow.found.Tree.Units {
		if whole[u.ID] {
			units = append(units, u.ID)
		}
	}
	chosen, err := c.flow.found.Tree.Choose(organisation.Choice{Units: units})
	n := 0
	for _, one := range chosen {
		if one.Excluded == nil {
			n++
		}
	}
	if err != nil || len(units) == 0 || n != c.ticked() {
		return nil
	}
	return units
}

func (c *Accounts) all() []organisation.Chosen { return c.flow.everyone }

func (c *Accounts) ticked() int { return len(c.flow.ticked) }

func (c *Accounts) reachable() int { return c.flow.reach }

func (c *Accounts) narrow(text string) {
	c.filter, c.nodes = screen.CleanLine(strings.TrimSpace(text)), nil
}

// matches tells whether an account is shown under the filter.
func (c *Accounts) matches(a organisation.Account) bool {
	want := strings.ToLower(c.filter)
	return want == "" || strings.Contains(strings.ToLower(a.Name+"\n"+a.Path), want) ||
		strings.Contains(a.ID, strings.ReplaceAll(want, "-", ""))
}

// The kinds of nodes.
const (
	unitNode    = "unit "
	accountNode = "account "
)

// tick switches an account, or all of a unit that are shown, with those of the
// units below it.
func (c *Accounts) tick(id string, on bool) {
	if account, ok := strings.CutPrefix(id, accountNode); ok {
		c.tickShown(slices.DeleteFunc(slices.Clone(c.all()), func(one organisation.Chosen) bool { return one.ID != account }), on)
		return
	}
	unit, ok := strings.CutPrefix(id, unitNode)
	if !ok || c.flow.found == nil {
		return
	}
	inside := map[string]bool{unit: true}
	for _, u := range c.flow.found.Tree.Units { // parents come first
		inside[u.ID] = inside[u.ID] || inside[u.Parent]
	}
	c.tickShown(slices.DeleteFunc(slices.Clone(c.all()), func(one organisation.Chosen) bool { return !inside[one.Unit] }), on)
}

func (c *Accounts) tickShown(some []organisation.Chosen, on bool) {
	for _, one := range some {
		switch {
		case one.Excluded != nil || !c.matches(one.Account):
		case on:
			c.flow.ticked[one.ID] = true
		default:
			delete(c.flow.ticked, one.ID)
		}
	}
	c.nodes = nil
}

// tree makes the nodes of what matches the filter: a unit without anything to show
// is left out.
func (c *Accounts) tree() []screen.Node {
	if c.nodes != nil {
		return c.nodes
	}
	c.shown = 0
	accounts, units := map[string][]organisation.Chosen{}, map[string][]organisation.Unit{}
	for _, one := range c.all() {
		if c.matches(one.Account) {
			accounts[one.Unit] = append(accounts[one.Unit], one)
			c.shown++
		}
	}
	for _, u := range c.flow.found.Tree.Units {
		units[u.Parent] = append(units[u.Parent], u)
	}
	c.nodes = []screen.Node{}
	for _, root := range units[""] {
		node, _ := c.unit(root, units, accounts)
		c.nodes = append(c.nodes, node)
	}
	return c.nodes
}

// counted is how many of the accounts in a unit are ticked.
type counted struct{ all, on int }

func (c *Accounts) unit(u organisation.Unit, units map[string][]organisation.Unit, accounts map[string][]organisation.Chosen) (screen.Node,
	counted) {
	node := screen.Node{ID: unitNode + u.ID, Label: screen.CleanLine(u.Name) + "/"}
	var sum counted
	for _, below := range units[u.ID] {
		child, n := c.unit(below, units, accounts)
		if len(child.Children) == 0 {
			continue
		}
		node.Children = append(node.Children, child)
		sum.all, sum.on = sum.all+n.all, sum.on+n.on
	}
	for _, one := range accounts[u.ID] {
		child := c.account(one)
		node.Children = append(node.Children, child)
		if one.Excluded == nil {
			sum.all++
			if child.Tick == screen.On {
				sum.on++
			}
		}
	}
	switch {
	case sum.all == 0:
		node.Fixed = "There is no account in it that a StackSet reaches."
	case sum.on == sum.all:
		node.Tick = screen.On
	case sum.on > 0:
		node.Tick = screen.Partly
	}
	node.Note = fmt.Sprintf("%s of %s", screen.Thousands(sum.on), screen.Thousands(sum.all))
	return node, sum
}

func (c *Accounts) account(one organisation.Chosen) screen.Node {
	node := screen.Node{ID: accountNode + one.ID, Label: screen.CleanLine(one.Name), Detail: screen.Grouped(one.ID)}
	switch {
	case one.Excluded != nil:
		node.Fixed, node.Note = one.Excluded.What+" "+one.Excluded.Next, "left out"
	case c.flow.ticked[one.ID]:
		node.Tick = screen.On
	}
	if one.Excluded == nil && c.flow.found.Connected[one.ID] {
		node.Note = "connected"
	}
	return node
}

// Screen shows the tree.
func (c *Accounts) Screen(s *step.Session) screen.Screen {
	view := heading("Accounts", "Tick the accounts that get the role. A unit ticks all that is shown in it; the filter narrows what is "+
		"shown, by name, path or number.")
	if c.looking {
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Reading the organization", State: screen.Running}}}
		return view
	}
	again := screen.Action{ID: "again", Key: "r", Label: "read again"}
	if c.flow.found == nil {
		again.Default, again.Key = true, ""
		view.Blocks, view.Actions = screen.ProblemFirst(nil, c.problem), []screen.Action{again}
		return view
	}
	nodes := c.tree()
	text := fmt.Sprintf("%s of %s ticked in organization %s", screen.Thousands(c.ticked()), screen.Counted(c.reachable(), "account"),
		c.flow.found.Tree.ID)
	if c.filter != "" {
		text += fmt.Sprintf(" · %s shown", screen.Thousands(c.shown))
	}
	view.Blocks = []screen.Block{screen.Text{Tone: screen.Dim, Body: text},
		screen.Input{ID: fieldFilter, Label: "Filter", Value: c.filter, Hint: "a part of a name, a path or a number", Filter: true}}
	if c.shown == 0 {
		view.Blocks = append(view.Blocks, screen.Text{Body: "No account matches."})
	} else {
		view.Blocks = append(view.Blocks, screen.Tree{ID: "accounts", Nodes: nodes})
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	use := screen.Action{ID: "use", Label: "use " + these(c.ticked()), Default: true}
	if c.ticked() == 0 {
		use.Disabled = "tick at least one account"
	}
	if !c.flow.found.Trusted {
		use.Disabled = "StackSets has no trusted access yet"
	}
	view.Actions = []screen.Action{use, {ID: "all", Key: "a", Label: "all or none of those shown"}, again}
	return view
}

func these(n int) string {
	if n == 1 {
		return "this account"
	}
	return "these " + screen.Thousands(n)
}
