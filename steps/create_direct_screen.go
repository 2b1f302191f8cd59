package steps

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
)

// Screen shows the plan, then how it goes, then what exists.
func (d *createDirect) Screen(s *Session) Screen {
	screen := d.screen(s)
	switch d.stage {
	case directID:
		return d.id.show(s, screen)
	case directLooking:
		screen.Blocks = []Block{Tasks{{Name: "Looking at what exists in the account", State: Running, Since: d.since}}}
	case directAsking:
		screen.Blocks = []Block{Tasks{{Name: "Asking IAM what you are allowed to do", State: Running, Since: d.since}}}
	case directDiffers:
		screen.Blocks = d.differs()
		return screen
	case directNaming:
		screen.Blocks, screen.Actions = d.naming()
		return screen
	case directReady:
		screen.Blocks, screen.Actions = d.ready(s)
	case directMaking, directProving:
		screen.Blocks = d.progress()
	case directRemoving:
		screen.Blocks = []Block{Tasks{{Name: "Removing what this session made", State: Running, Since: d.since}}}
	case directFailed, directStopped:
		screen.Blocks, screen.Actions = d.halted(s)
	case directMade:
		screen.Blocks = d.finished(s)
		screen.Actions = []Action{{ID: "next", Label: "next", Default: true}}
	}
	screen.Blocks = appendProblem(screen.Blocks, d.problem)
	return screen
}

// ready is the plan: what exists, what will be made, and where.
func (d *createDirect) ready(s *Session) ([]Block, []Action) {
	blocks := []Block{
		Text{Body: "rolecall does this in account " + Grouped(s.AccountID) + accountAlias(s) + ":"},
		d.tasks(),
		d.settings(s),
	}
	blocks = append(blocks, d.codes()...)
	switch {
	case d.finding.known:
		blocks = append(blocks, Text{Tone: Good, Body: "You are allowed to do all of it: IAM's policy simulator says so."})
	default:
		blocks = append(blocks, Text{Tone: Dim, Body: "Whether you are allowed to do all of it cannot be asked here. The first request that is refused names what is missing."})
	}
	blocks = append(blocks, d.smallestPolicy())
	return blocks, []Action{
		{ID: "create", Label: d.verb(), Default: true},
		{ID: "rename", Key: "n", Label: "other names"},
	}
}

// verb is the button: what pressing it does.
func (d *createDirect) verb() string {
	updates := slices.ContainsFunc(d.plan.ops, func(o directOp) bool { return !o.makes() })
	if updates {
		return "make these changes"
	}
	return "create these"
}

func accountAlias(s *Session) string {
	if s.Seen.Alias == "" {
		return ""
	}
	return " (" + s.Seen.Alias + ")"
}

// settings are what was asked for beyond the documents.
func (d *createDirect) settings(s *Session) Facts {
	facts := Facts{{Label: "As", Value: s.caller()}}
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, Fact{Label: label, Value: value})
		}
	}
	for _, w := range d.wants {
		add("External ID", w.role.ExternalID)
	}
	add("Path", s.Path)
	add("Boundary", s.Boundary)
	if s.SessionFor != 0 {
		add("Longest session", hours(s.SessionFor))
	}
	add("Tags", tagWords(s.tagList()))
	return facts
}

// codes are the documents, as they are sent.
func (d *createDirect) codes() []Block {
	var blocks []Block
	for _, w := range d.wants {
		for _, doc := range w.documents {
			blocks = append(blocks, policyCode(doc.WantedDocument))
		}
		blocks = append(blocks, Code{Label: "Trust policy", Name: w.roleName + "-trust.json", Body: w.trust.Pretty(),
			About: fmt.Sprintf("%s characters · %s", thousands(w.trust.Characters()), shortDigest(w.trust.Digest()))})
	}
	return blocks
}

// tasks are what exists, what was done, what is under way and what comes.
func (d *createDirect) tasks() Tasks {
	var tasks Tasks
	for _, item := range d.plan.adopted {
		detail := "exists and is right: adopted"
		if d.seen[item.Purpose].mine[item.ID+item.Role] {
			detail = "made by this session before"
		}
		tasks = append(tasks, Task{Name: string(item.Kind) + " " + item.Label(), State: Finished, Detail: detail})
	}
	for _, op := range d.done {
		tasks = append(tasks, Task{Name: op.name(), State: Finished, Detail: clock(op.took)})
	}
	for i, op := range d.plan.ops {
		task := Task{Name: op.name(), State: Ahead, Detail: op.detail()}
		if i == 0 && d.stage == directMaking {
			task.State, task.Since = Running, d.began
		}
		if i == 0 && d.stage == directFailed && len(d.done) > 0 {
			task.State = Stopped
		}
		tasks = append(tasks, task)
	}
	return tasks
}

func (d *createDirect) progress() []Block {
	blocks := []Block{d.tasks()}
	if d.stage == directMaking {
		return blocks
	}
	waiting := Waiting{For: "AWS to show that " + d.roleNames() + " is right", Since: d.since, Until: d.until}
	if d.tries > 0 {
		waiting.Next = d.next
	}
	blocks = append(blocks, waiting)
	for _, w := range d.wants {
		if report, ok := d.reports[w.purpose]; ok && !report.OK {
			blocks = append(blocks, checksOf(report))
		}
	}
	return blocks
}

// differs shows the first thing that is not as wanted, and the three ways out.
func (d *createDirect) differs() []Block {
	first := d.plan.differences[0]
	update := Option{ID: optionUpdate, Label: "Update it", Disabled: first.fixed}
	var words []string
	for _, op := range first.ops {
		words = append(words, strings.TrimSuffix(op.name()+": "+op.detail(), ": "))
	}
	update.Detail = strings.Join(words, "; ")
	blocks := []Block{first.problem, Choices{ID: choiceDifference, Label: "What should rolecall do?", Options: []Option{
		{ID: optionRename, Label: "Use another name", Detail: "what exists stays as it is"},
		update,
		{ID: optionStop, Label: "Stop", Detail: "nothing is changed"},
	}}}
	return append(blocks, d.codes()...)
}

func (d *createDirect) naming() ([]Block, []Action) {
	blocks := []Block{Text{Body: "Choose the names. IAM ignores case in them."}}
	for _, w := range d.wants {
		for _, field := range []struct{ id, label, flag string }{
			{fieldPolicyName + w.purpose, "Policy name", "--policy-name"}, {fieldRoleName + w.purpose, "Role name", "--role-name"},
		} {
			if _, asked := d.draft[field.id]; !asked {
				continue // the role has no policy of the vendor's
			}
			blocks = append(blocks, Input{ID: field.id, Label: field.label, Value: d.draft[field.id], Problem: d.field[field.id], Flag: field.flag})
		}
	}
	return blocks, []Action{{ID: "use", Label: "use these names", Default: true}}
}

// halted says what exists when something went wrong, and offers to go on or to
// remove exactly that.
func (d *createDirect) halted(s *Session) ([]Block, []Action) {
	var blocks []Block
	if tasks := d.tasks(); len(tasks) > 0 {
		blocks = append(blocks, tasks)
	}
	if len(d.removals) > 0 {
		blocks = append(blocks, removalFacts(d.removals))
	}
	made := d.made(s)
	if len(made) > 0 {
		blocks = append(blocks, Text{Tone: Warning, Body: "This session made, and it exists:"}, itemFacts(made))
	}
	for _, w := range d.wants {
		if report, ok := d.reports[w.purpose]; ok && !report.OK {
			blocks = append(blocks, checksOf(report))
		}
	}
	if d.problem != nil && d.problem.Kind == AWSRefused && len(d.wants) > 0 {
		blocks = append(blocks, d.smallestPolicy())
	}
	if d.said != "" {
		blocks = append(blocks, Text{Body: d.said})
	}
	return blocks, d.haltedActions(s, made)
}

func (d *createDirect) haltedActions(s *Session, made []Item) []Action {
	if s.AWS == nil {
		return []Action{{ID: "login", Label: "sign in", Default: true}}
	}
	actions := []Action{{ID: "again", Label: "look again and go on", Default: true}}
	if len(d.finding.missing) > 0 && d.stage == directStopped {
		actions = append(actions, Action{ID: "anyway", Key: "a", Label: "try all the same"})
	}
	if len(d.wants) > 0 {
		actions = append(actions, Action{ID: "rename", Key: "n", Label: "other names"})
	}
	if len(made) > 0 {
		var names []string
		for _, item := range made {
			names = append(names, string(item.Kind)+" "+item.Label())
		}
		actions = append(actions, Action{ID: "remove", Key: "x", Label: "remove what was made",
			Confirm: &Confirm{Question: "Remove " + strings.Join(names, ", ") + "?"}})
	}
	return actions
}

func itemFacts(items []Item) Facts {
	var facts Facts
	for _, item := range items {
		value, note := item.ARN, item.ID
		if value == "" || item.Kind == ItemAttachment {
			value = item.Label()
		}
		if item.State == ItemSent {
			note = "sent; no answer was seen"
		}
		facts = append(facts, Fact{Label: string(item.Kind), Value: value, Note: note})
	}
	return facts
}

func removalFacts(removals []Removal) Facts {
	var facts Facts
	for _, r := range removals {
		facts = append(facts, Fact{Label: string(r.Verdict), Value: string(r.Kind) + " " + r.Label(), Note: r.Why})
	}
	return facts
}

// finished says what exists now and that it was seen to be right.
func (d *createDirect) finished(s *Session) []Block {
	blocks := []Block{Text{Tone: Good, Body: d.verdict()}}
	var facts Facts
	for _, w := range d.wants {
		part := s.Part(w.purpose)
		facts = append(facts, Fact{Label: "Role", Value: part.RoleARN, Note: part.RoleID, Copy: true})
		for _, p := range part.Policies {
			if p.ARN != "" {
				facts = append(facts, Fact{Label: "Policy", Value: p.ARN, Note: shortDigest(p.Digest), Copy: true})
			}
		}
		for _, arn := range w.managed {
			facts = append(facts, Fact{Label: "Policy", Value: arn, Note: "AWS's own", Copy: true})
		}
	}
	blocks = append(blocks, facts)
	if tasks := d.tasks(); len(tasks) > 0 {
		blocks = append(blocks, tasks)
	}
	if len(d.made(s)) > 0 {
		blocks = append(blocks, Text{Tone: Dim, Body: "Kept: a receipt, so that rolecall disconnect can undo exactly this."})
	}
	for _, w := range d.wants {
		blocks = append(blocks, checksOf(d.reports[w.purpose]))
	}
	return blocks
}

func (d *createDirect) verdict() string {
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
