package create

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/access"
	making "rolecall/steps/make"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/undo"
)

// Screen shows the plan, then how it goes, then what exists.
func (d *Direct) Screen(s *step.Session) screen.Screen {
	view := d.NewScreen(s)
	switch d.stage {
	case directID:
		return d.id.Show(s, view)
	case directNaming:
		view.Blocks, view.Actions = d.naming()
		return view
	case directRemoving:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Removing what this session made", State: screen.Running, Since: d.since}}}
		return view
	case directRun:
	}
	switch d.run.Stage {
	case making.Looking:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Looking at what exists in the account", State: screen.Running, Since: d.run.Since}}}
	case making.Asking:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Asking IAM what you are allowed to do", State: screen.Running, Since: d.run.Since}}}
	case making.Differs:
		view.Blocks = d.differs()
		return view
	case making.Ready:
		view.Blocks, view.Actions = d.ready(s)
	case making.Sending, making.Following, making.Proving:
		view.Blocks = d.progress()
	case making.Failed, making.Stopped:
		view.Blocks, view.Actions = d.halted(s)
	case making.Made:
		view.Blocks = d.finished(s)
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, d.run.Problem)
	return view
}

// ready is the plan: what exists, what will be made, and where.
func (d *Direct) ready(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{
		screen.Text{Body: "rolecall does this in account " + screen.Grouped(s.AccountID) + step.AccountAlias(s) + ":"},
		d.tasks(),
		append(screen.Facts{{Label: "As", Value: s.Caller()}}, settings(s, screen.Hours(s.SessionFor))...),
	}
	blocks = append(append(append(blocks, d.Guide(s)...), d.codes()...), d.allowed(), callerPolicy(d.run.Smallest(), "", true))
	verb := "create these"
	if slices.ContainsFunc(d.run.Plan.Operations, func(o making.Operation) bool { return !o.Makes }) {
		verb = "make these changes"
	}
	return blocks, []screen.Action{{ID: "create", Label: verb, Default: true, Writes: true}, {ID: "rename", Key: "n", Label: "other names"}}
}

// codes are the documents, as they are sent.
func (d *Direct) codes() []screen.Block {
	var blocks []screen.Block
	for _, g := range d.grants {
		for _, doc := range g.Documents {
			blocks = append(blocks, step.PolicyCode(doc))
		}
		blocks = append(blocks, screen.Code{Label: "Trust policy", Name: g.Name + "-trust.json", Body: g.Trust.Pretty(),
			About: fmt.Sprintf("%s characters · %s", screen.Thousands(g.Trust.Characters()), screen.ShortDigest(g.Trust.Digest()))})
	}
	return blocks
}

// tasks are what exists, what was done, what is under way and what comes.
func (d *Direct) tasks() screen.Tasks {
	var tasks screen.Tasks
	for _, item := range d.run.Plan.Adopted {
		detail := "exists and is right: adopted"
		if item.State == record.ItemMade {
			detail = "made by this session before"
		}
		tasks = append(tasks, screen.Task{Name: string(item.Kind) + " " + item.Label(), State: screen.Finished, Detail: detail})
	}
	for _, op := range d.run.Done {
		tasks = append(tasks, screen.Task{Name: op.Name, State: screen.Finished, Detail: screen.Clock(op.Took)})
	}
	for i, op := range d.run.Plan.Operations {
		task := screen.Task{Name: op.Name, State: screen.Ahead, Detail: op.Detail}
		if i == 0 && d.run.Stage == making.Sending {
			task.State, task.Since = screen.Running, d.run.Began
		}
		if i == 0 && d.run.Stage == making.Failed && len(d.run.Done) > 0 {
			task.State = screen.Stopped
		}
		tasks = append(tasks, task)
	}
	return tasks
}

func (d *Direct) progress() []screen.Block {
	blocks := []screen.Block{d.tasks()}
	if d.run.Stage == making.Sending {
		return blocks
	}
	waiting := screen.Waiting{
		For:   "AWS to show that " + d.roleNames() + " is right",
		Since: d.run.Since,
		Until: d.run.Until,
		Wrong: d.run.Wrong,
	}
	if d.run.Tries > 0 {
		waiting.Next = d.run.Next
	}
	return append(append(blocks, waiting), d.wrongChecks()...)
}

// reports are the verdicts on the roles, in their order.
func (d *Direct) reports() []aws.Report {
	var all []aws.Report
	for i, x := range d.run.Sights {
		if report, ok := x.Reports[d.grants[i].Purpose]; ok {
			all = append(all, report)
		}
	}
	return all
}

// wrongChecks are the checks of what was made and is not seen to be right.
func (d *Direct) wrongChecks() []screen.Block {
	if len(d.run.Plan.Operations) > 0 || len(d.run.Plan.Differences) > 0 {
		return nil // it is not whole yet
	}
	var blocks []screen.Block
	for _, report := range d.reports() {
		if !report.OK {
			blocks = append(blocks, step.ChecksOf(report.Checks))
		}
	}
	return blocks
}

// differs shows the first thing that is not as wanted, and the three ways out.
func (d *Direct) differs() []screen.Block {
	first := d.run.Plan.Differences[0]
	update := screen.Option{ID: optionUpdate, Label: "Update it", Disabled: first.Fixed}
	var words []string
	for _, op := range first.Update {
		words = append(words, strings.TrimSuffix(op.Name+": "+op.Detail, ": "))
	}
	update.Detail = strings.Join(words, "; ")
	blocks := append(differenceBlocks(first), screen.Choices{ID: choiceDifference, Label: "What should rolecall do?", Options: []screen.Option{
		{ID: optionRename, Label: "Use another name", Detail: "what exists stays as it is"},
		update,
		{ID: optionStop, Label: "Stop", Detail: "nothing is changed"},
	}})
	return append(blocks, d.codes()...)
}

// differenceBlocks say what differs, and whole where there is a text of it.
func differenceBlocks(d making.Difference) []screen.Block {
	blocks := []screen.Block{d.Problem}
	if d.Whole != nil {
		blocks = append(blocks, *d.Whole)
	}
	return blocks
}

func (d *Direct) naming() ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{screen.Text{Body: "Choose the names. IAM ignores case in them."}}
	for _, g := range d.grants {
		blocks = append(append(blocks, d.names.policyInput(g.Purpose, "")...), d.names.roleInput(g.Purpose, "")...)
	}
	return blocks, []screen.Action{{ID: "use", Label: "use these names", Default: true}}
}

// halted says what exists when something went wrong, and offers to go on or to
// remove exactly that.
func (d *Direct) halted(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := d.wrongChecks()
	if tasks := d.tasks(); len(tasks) > 0 {
		blocks = append(blocks, tasks)
	}
	if len(d.removals) > 0 {
		blocks = append(blocks, removalFacts(d.removals))
	}
	blocks = append(blocks, left(s)...)
	if d.run.Problem != nil && d.run.Problem.Kind == screen.AWSRefused && len(d.grants) > 0 {
		blocks = append(blocks, callerPolicy(d.run.Smallest(), "", true))
	}
	if d.said != "" {
		blocks = append(blocks, screen.Text{Body: d.said})
	}
	return blocks, d.haltedActions(s, s.Host().Outstanding())
}

func (d *Direct) haltedActions(s *step.Session, outstanding []record.Item) []screen.Action {
	if s.AWS == nil {
		return []screen.Action{{ID: "login", Label: "sign in", Default: true}}
	}
	actions := []screen.Action{{ID: "again", Label: "look again and go on", Default: true}}
	if len(d.run.Missing) > 0 && d.run.Stage == making.Stopped {
		actions = append(actions, screen.Action{ID: "anyway", Key: "a", Label: "try all the same"})
	}
	if len(d.grants) > 0 {
		actions = append(actions, screen.Action{ID: "rename", Key: "n", Label: "other names"})
	}
	if len(outstanding) > 0 {
		var names []string
		for _, item := range outstanding {
			names = append(names, string(item.Kind)+" "+item.Label())
		}
		actions = append(actions, screen.Action{ID: "remove", Key: "x", Label: "remove what was made",
			Confirm: &screen.Confirm{Question: "Remove " + strings.Join(names, ", ") + "?"}})
	}
	return actions
}

func itemFacts(items []record.Item) screen.Facts {
	var facts screen.Facts
	for _, item := range items {
		value, note := item.ARN, item.ID
		if value == "" || item.Kind == record.ItemAttachment {
			value = item.Label()
		}
		if item.Unproven() {
			note = "sent; no answer was seen"
		}
		facts = append(facts, screen.Fact{Label: string(item.Kind), Value: value, Note: note})
	}
	return facts
}

func removalFacts(removals []undo.Removal) screen.Facts {
	var facts screen.Facts
	for _, r := range removals {
		facts = append(facts, screen.Fact{Label: string(r.Verdict), Value: string(r.Kind) + " " + r.Label(), Note: r.Why})
	}
	return facts
}

// finished says what exists now and that it was seen to be right.
func (d *Direct) finished(s *step.Session) []screen.Block {
	blocks := []screen.Block{screen.Text{Tone: screen.Good, Body: d.verdict()}}
	var facts screen.Facts
	for _, g := range d.grants {
		part := s.Part(g.Purpose)
		facts = append(facts, screen.Fact{Label: "Role", Value: part.RoleARN, Note: part.RoleID, Copy: true})
		facts = append(facts, policyFacts(part)...)
		for _, arn := range g.Managed {
			facts = append(facts, screen.Fact{Label: "Policy", Value: arn, Note: access.PolicyKind(arn), Copy: true})
		}
	}
	blocks = append(blocks, facts)
	if tasks := d.tasks(); len(tasks) > 0 {
		blocks = append(blocks, tasks)
	}
	if len(s.Host().Outstanding()) > 0 {
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: "Kept: a receipt, so that rolecall disconnect can undo exactly this."})
	}
	for _, report := range d.reports() {
		blocks = append(blocks, step.ChecksOf(report.Checks))
	}
	return blocks
}

// policyFacts are the policies that were seen, to copy.
func policyFacts(part record.Part) screen.Facts {
	var facts screen.Facts
	for _, p := range part.Policies {
		if p.ARN != "" {
			facts = append(facts, screen.Fact{Label: "Policy", Value: p.ARN, Note: screen.ShortDigest(p.Digest), Copy: true})
		}
	}
	return facts
}

func (d *Direct) verdict() string {
	made := slices.ContainsFunc(d.run.Done, func(o making.Done) bool { return o.Makes })
	verdict := "Everything was there already and is right. Nothing was changed."
	switch {
	case made:
		verdict = "Made, and seen to be right."
	case len(d.run.Done) > 0:
		verdict = "Updated, and seen to be right."
	}
	for _, report := range d.reports() {
		if slices.ContainsFunc(report.Checks, func(c aws.Check) bool { return c.Status == aws.Warn }) {
			return verdict + " Read the warnings below."
		}
	}
	return verdict
}
