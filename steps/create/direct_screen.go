package create

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
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
	case directLooking:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Looking at what exists in the account", State: screen.Running, Since: d.since}}}
	case directAsking:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Asking IAM what you are allowed to do", State: screen.Running, Since: d.since}}}
	case directDiffers:
		view.Blocks = d.differs()
		return view
	case directNaming:
		view.Blocks, view.Actions = d.naming()
		return view
	case directReady:
		view.Blocks, view.Actions = d.ready(s)
	case directMaking, directProving:
		view.Blocks = d.progress()
	case directRemoving:
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Removing what this session made", State: screen.Running, Since: d.since}}}
	case directFailed, directStopped:
		view.Blocks, view.Actions = d.halted(s)
	case directMade:
		view.Blocks = d.finished(s)
		view.Actions = []screen.Action{{ID: "next", Label: "next", Default: true}}
	}
	view.Blocks = screen.AppendProblem(view.Blocks, d.problem)
	return view
}

// ready is the plan: what exists, what will be made, and where.
func (d *Direct) ready(s *step.Session) ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{
		screen.Text{Body: "rolecall does this in account " + screen.Grouped(s.AccountID) + step.AccountAlias(s) + ":"},
		d.tasks(),
		d.settings(s),
	}
	blocks = append(blocks, d.codes()...)
	switch {
	case d.finding.known:
		blocks = append(blocks, screen.Text{Tone: screen.Good, Body: "You are allowed to do all of it: IAM's policy simulator says so."})
	default:
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: "Whether you are allowed to do all of it cannot be asked here. The first request that is refused names what is missing."})
	}
	blocks = append(blocks, d.smallestPolicy())
	return blocks, []screen.Action{
		{ID: "create", Label: d.verb(), Default: true},
		{ID: "rename", Key: "n", Label: "other names"},
	}
}

// verb is the button: what pressing it does.
func (d *Direct) verb() string {
	updates := slices.ContainsFunc(d.plan.ops, func(o directOp) bool { return !o.makes() })
	if updates {
		return "make these changes"
	}
	return "create these"
}

// settings are what was asked for beyond the documents.
func (d *Direct) settings(s *step.Session) screen.Facts {
	facts := screen.Facts{{Label: "As", Value: s.Caller()}}
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, screen.Fact{Label: label, Value: value})
		}
	}
	for _, w := range d.wants {
		add("External ID", w.role.ExternalID)
	}
	add("Path", s.Path)
	add("Boundary", s.Boundary)
	if s.SessionFor != 0 {
		add("Longest session", screen.Hours(s.SessionFor))
	}
	add("Tags", tagWords(s.TagList()))
	return facts
}

// codes are the documents, as they are sent.
func (d *Direct) codes() []screen.Block {
	var blocks []screen.Block
	for _, w := range d.wants {
		for _, doc := range w.documents {
			blocks = append(blocks, step.PolicyCode(doc))
		}
		blocks = append(blocks, screen.Code{Label: "Trust policy", Name: w.roleName + "-trust.json", Body: w.trust.Pretty(),
			About: fmt.Sprintf("%s characters · %s", screen.Thousands(w.trust.Characters()), step.ShortDigest(w.trust.Digest()))})
	}
	return blocks
}

// tasks are what exists, what was done, what is under way and what comes.
func (d *Direct) tasks() screen.Tasks {
	var tasks screen.Tasks
	for _, item := range d.plan.adopted {
		detail := "exists and is right: adopted"
		if d.seen[item.Purpose].mine[item.ID+item.Role] {
			detail = "made by this session before"
		}
		tasks = append(tasks, screen.Task{Name: string(item.Kind) + " " + item.Label(), State: screen.Finished, Detail: detail})
	}
	for _, op := range d.done {
		tasks = append(tasks, screen.Task{Name: op.name(), State: screen.Finished, Detail: screen.Clock(op.took)})
	}
	for i, op := range d.plan.ops {
		task := screen.Task{Name: op.name(), State: screen.Ahead, Detail: op.detail()}
		if i == 0 && d.stage == directMaking {
			task.State, task.Since = screen.Running, d.began
		}
		if i == 0 && d.stage == directFailed && len(d.done) > 0 {
			task.State = screen.Stopped
		}
		tasks = append(tasks, task)
	}
	return tasks
}

func (d *Direct) progress() []screen.Block {
	blocks := []screen.Block{d.tasks()}
	if d.stage == directMaking {
		return blocks
	}
	waiting := screen.Waiting{For: "AWS to show that " + d.roleNames() + " is right", Since: d.since, Until: d.until}
	if d.tries > 0 {
		waiting.Next = d.next
	}
	blocks = append(blocks, waiting)
	for _, w := range d.wants {
		if report, ok := d.reports[w.purpose]; ok && !report.OK {
			blocks = append(blocks, step.ChecksOf(report))
		}
	}
	return blocks
}

// differs shows the first thing that is not as wanted, and the three ways out.
func (d *Direct) differs() []screen.Block {
	first := d.plan.differences[0]
	update := screen.Option{ID: optionUpdate, Label: "Update it", Disabled: first.fixed}
	var words []string
	for _, op := range first.ops {
		words = append(words, strings.TrimSuffix(op.name()+": "+op.detail(), ": "))
	}
	update.Detail = strings.Join(words, "; ")
	blocks := []screen.Block{first.problem, screen.Choices{ID: choiceDifference, Label: "What should rolecall do?", Options: []screen.Option{
		{ID: optionRename, Label: "Use another name", Detail: "what exists stays as it is"},
		update,
		{ID: optionStop, Label: "Stop", Detail: "nothing is changed"},
	}}}
	return append(blocks, d.codes()...)
}

func (d *Direct) naming() ([]screen.Block, []screen.Action) {
	blocks := []screen.Block{screen.Text{Body: "Choose the names. IAM ignores case in them."}}
	for _, w := range d.wants {
		for _, field := range []struct{ id, label, flag string }{
			{fieldPolicyName + w.purpose, "Policy name", "--policy-name"}, {fieldRoleName + w.purpose, "Role name", "--role-name"},
		} {
			if _, asked := d.draft[field.id]; !asked {
				continue // the role has no policy of the vendor's
			}
			blocks = append(blocks, screen.Input{ID: field.id, Label: field.label, Value: d.draft[field.id], Problem: d.field[field.id], Flag: field.flag})
		}
	}
	return blocks, []screen.Action{{ID: "use", Label: "use these names", Default: true}}
}

// halted says what exists when something went wrong, and offers to go on or to
// remove exactly that.
func (d *Direct) halted(s *step.Session) ([]screen.Block, []screen.Action) {
	var blocks []screen.Block
	if tasks := d.tasks(); len(tasks) > 0 {
		blocks = append(blocks, tasks)
	}
	if len(d.removals) > 0 {
		blocks = append(blocks, removalFacts(d.removals))
	}
	made := d.made(s)
	if len(made) > 0 {
		blocks = append(blocks, screen.Text{Tone: screen.Warning, Body: "This session made, and it exists:"}, itemFacts(made))
	}
	for _, w := range d.wants {
		if report, ok := d.reports[w.purpose]; ok && !report.OK {
			blocks = append(blocks, step.ChecksOf(report))
		}
	}
	if d.problem != nil && d.problem.Kind == screen.AWSRefused && len(d.wants) > 0 {
		blocks = append(blocks, d.smallestPolicy())
	}
	if d.said != "" {
		blocks = append(blocks, screen.Text{Body: d.said})
	}
	return blocks, d.haltedActions(s, made)
}

func (d *Direct) haltedActions(s *step.Session, made []record.Item) []screen.Action {
	if s.AWS == nil {
		return []screen.Action{{ID: "login", Label: "sign in", Default: true}}
	}
	actions := []screen.Action{{ID: "again", Label: "look again and go on", Default: true}}
	if len(d.finding.missing) > 0 && d.stage == directStopped {
		actions = append(actions, screen.Action{ID: "anyway", Key: "a", Label: "try all the same"})
	}
	if len(d.wants) > 0 {
		actions = append(actions, screen.Action{ID: "rename", Key: "n", Label: "other names"})
	}
	if len(made) > 0 {
		var names []string
		for _, item := range made {
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
		if item.State == record.ItemSent {
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
	for _, w := range d.wants {
		part := s.Part(w.purpose)
		facts = append(facts, screen.Fact{Label: "Role", Value: part.RoleARN, Note: part.RoleID, Copy: true})
		for _, p := range part.Policies {
			if p.ARN != "" {
				facts = append(facts, screen.Fact{Label: "Policy", Value: p.ARN, Note: step.ShortDigest(p.Digest), Copy: true})
			}
		}
		for _, arn := range w.managed {
			facts = append(facts, screen.Fact{Label: "Policy", Value: arn, Note: "AWS's own", Copy: true})
		}
	}
	blocks = append(blocks, facts)
	if tasks := d.tasks(); len(tasks) > 0 {
		blocks = append(blocks, tasks)
	}
	if len(d.made(s)) > 0 {
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: "Kept: a receipt, so that rolecall disconnect can undo exactly this."})
	}
	for _, w := range d.wants {
		blocks = append(blocks, step.ChecksOf(d.reports[w.purpose]))
	}
	return blocks
}

func (d *Direct) verdict() string {
	made := slices.ContainsFunc(d.done, directOp.makes)
	warned := false
	for _, report := range d.reports {
		warned = warned || slices.ContainsFunc(report.Checks, func(c aws.Check) bool { return c.Status == aws.Warn })
	}
	verdict := "Everything was there already and is right. Nothing was changed."
	switch {
	case made:
		verdict = "Made, and seen to be right."
	case len(d.done) > 0:
		verdict = "Updated, and seen to be right."
	}
	if warned {
		verdict += " Read the warnings below."
	}
	return verdict
}
