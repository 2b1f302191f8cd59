package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// changeSet is what would be done to a stack.
type changeSet struct {
	id, name          string
	status, execution string
	reason            string
	asked             asked
	changes           []change
	created           time.Time
	token             string
	update            bool
	imports           []imported // of a change set that imports; nil: it is another
}

func createChangeSet(s *Server, q request) (any, *apiError) {
	name, title, kind := q.form.Get("StackName"), q.form.Get("ChangeSetName"), q.form.Get("ChangeSetType")
	update := kind != "CREATE" && kind != "IMPORT"
	if strings.HasPrefix(name, "arn:") {
		if k := s.stack(name); k != nil {
			name = k.name
		}
	}
	if err := checkStackName(name, "stackName"); err != nil {
		return nil, err
	}
	if err := checkStackName(title, "changeSetName"); err != nil {
		return nil, err
	}
	a, err := readAsked(q)
	if err != nil {
		return nil, err
	}
	var imports []imported
	if kind == "IMPORT" {
		if imports, err = readImports(q, a.template); err != nil {
			return nil, err
		}
	}
	now := s.options.Now()
	k, err := s.stackForChange(name, title, update, a, now)
	if err != nil {
		return nil, err
	}
	type answer struct {
		ID      string `xml:"Id"`
		StackID string `xml:"StackId"`
	}
	if old := k.changeSet(title); old != nil {
		if token := q.form.Get("ClientToken"); token != "" && token == old.token {
			return answer{old.id, k.id}, nil
		}
		return nil, &apiError{400, "AlreadyExistsException", fmt.Sprintf("ChangeSet %s already exists", title)}
	}
	c := &changeSet{
		name:      title,
		status:    "CREATE_PENDING",
		execution: "UNAVAILABLE",
		asked:     a,
		created:   now,
		token:     q.form.Get("ClientToken"),
		update:    update,
		imports:   imports,
	}
	c.id = fmt.Sprintf(
		"arn:%s:cloudformation:%s:%s:changeSet/%s/%s",
		s.options.Partition,
		s.options.Region,
		s.options.Account,
		title,
		s.uuid(),
	)
	k.changeSets = append(k.changeSets, c)
	k.later(now.Add(2*s.smallTime()), func(time.Time) { s.workOut(k, c) })
	s.advanceStacks(now)
	return answer{c.id, k.id}, nil
}

// stackForChange is the stack that a change set is for; a new one is in review.
func (s *Server) stackForChange(name, title string, update bool, a asked, now time.Time) (*stack, *apiError) {
	k := s.stack(name)
	switch {
	case update && k == nil:
		return nil, stackRefused("Stack [%s] does not exist", name)
	case update:
		return k, k.settled()
	case k == nil:
		k = s.newStack(name, a, now)
		k.run = &stackRun{}
		s.set(k, now, "REVIEW_IN_PROGRESS", "User Initiated")
		return k, nil
	case k.status != "REVIEW_IN_PROGRESS":
		return nil, stackRefused("Stack [%s] already exists and cannot be created again with the changeSet [%s].", name, title)
	}
	return k, nil
}

// workOut finds the changes, after the time that CloudFormation takes for it.
func (s *Server) workOut(k *stack, c *changeSet) {
	if c.imports != nil {
		c.changes = importChanges(c)
	} else if !c.update {
		for i := range c.asked.template.resources {
			c.changes = append(c.changes, change{action: "Add", resource: &c.asked.template.resources[i]})
		}
	} else if all, err := s.changes(k, c.asked.template, c.asked.parameters); err != nil {
		c.status, c.reason = "FAILED", err.message
		return
	} else {
		c.changes = all
	}
	if len(c.changes) == 0 && (!c.update || sameOutputs(k.template, c.asked.template)) {
		c.status = "FAILED"
		c.reason = "The submitted information didn't contain changes. Submit different information to create a change set."
		return
	}
	c.status, c.execution = "CREATE_COMPLETE", "AVAILABLE"
}

func (k *stack) changeSet(nameOrID string) *changeSet {
	i := slices.IndexFunc(k.changeSets, func(c *changeSet) bool { return c.id == nameOrID || c.name == nameOrID })
	if i < 0 {
		return nil
	}
	return k.changeSets[i]
}

// changeSetOf finds a change set by its ID, or by its name and the stack's.
func (s *Server) changeSetOf(q request) (*stack, *changeSet, *apiError) {
	title, of := q.form.Get("ChangeSetName"), q.form.Get("StackName")
	for _, k := range s.state.stacks {
		if c := k.changeSet(title); c != nil && (c.id == title || k == s.stack(of)) {
			return k, c, nil
		}
	}
	return nil, nil, &apiError{404, "ChangeSetNotFound", fmt.Sprintf("ChangeSet [%s] does not exist", title)}
}

type changeXML struct {
	Type           string
	ResourceChange resourceChangeXML
}

type resourceChangeXML struct {
	Action             string
	LogicalResourceID  string `xml:"LogicalResourceId"`
	PhysicalResourceID string `xml:"PhysicalResourceId,omitempty"`
	ResourceType       string
	Replacement        string `xml:",omitempty"`
}

func (c change) xml() changeXML {
	x := resourceChangeXML{Action: c.action, Replacement: c.replacement}
	if c.resource != nil {
		x.LogicalResourceID, x.ResourceType = c.resource.id, c.resource.kind
	}
	if c.made != nil {
		x.LogicalResourceID, x.ResourceType, x.PhysicalResourceID = c.made.id, c.made.kind, c.made.physical
	}
	return changeXML{"Resource", x}
}

func describeChangeSet(s *Server, q request) (any, *apiError) {
	k, c, err := s.changeSetOf(q)
	if err != nil {
		return nil, err
	}
	var all []changeXML
	for _, one := range c.changes {
		all = append(all, one.xml())
	}
	list, next, err := pageOf(q, all)
	if err != nil {
		return nil, err
	}
	return struct {
		ChangeSetName   string
		ChangeSetID     string `xml:"ChangeSetId"`
		StackID         string `xml:"StackId"`
		StackName       string
		CreationTime    string
		Status          string
		StatusReason    string `xml:",omitempty"`
		ExecutionStatus string
		Changes         []changeXML `xml:"Changes>member"`
		NextToken       string      `xml:",omitempty"`
	}{c.name, c.id, k.id, k.name, stackStamp(c.created), c.status, c.reason, c.execution, list, next}, nil
}

func executeChangeSet(s *Server, q request) (any, *apiError) {
	k, c, err := s.changeSetOf(q)
	if err != nil {
		return nil, err
	}
	token := q.form.Get("ClientRequestToken")
	switch {
	case token != "" && k.tokens[token] == c.id:
		return struct{}{}, nil // the same request again
	case c.status != "CREATE_COMPLETE" || c.execution != "AVAILABLE":
		return nil, &apiError{400, "InvalidChangeSetStatus",
			fmt.Sprintf("ChangeSet [%s] cannot be executed in its current execution status of [%s]", c.id, c.execution)}
	}
	now := s.options.Now()
	run := &stackRun{caller: s.callerFor(q), token: token}
	switch {
	case c.update:
		if err := k.settled(); err != nil {
			return nil, err
		}
		if err := s.beginUpdate(k, run, c.asked.template, c.asked.text, c.asked.parameters, now); err != nil {
			return nil, err
		}
	case c.imports != nil:
		k.text, k.template, k.parameters, k.tags = c.asked.text, c.asked.template, c.asked.parameters, c.asked.tags
		s.beginImport(k, run, c.imports, now)
	default:
		k.text, k.template, k.parameters, k.tags = c.asked.text, c.asked.template, c.asked.parameters, c.asked.tags
		s.beginCreate(k, run, now)
	}
	k.tokens[token] = c.id
	// The others were worked out for what the stack was before (CloudFormation user
	// guide, "Execute a change set").
	for _, o := range k.changeSets {
		if o.execution == "AVAILABLE" {
			o.execution = "OBSOLETE"
		}
	}
	c.execution = "EXECUTE_COMPLETE"
	s.advanceStacks(now)
	return struct{}{}, nil
}

func deleteChangeSet(s *Server, q request) (any, *apiError) {
	k, c, err := s.changeSetOf(q)
	if err != nil {
		return nil, err
	}
	if c.execution == "EXECUTE_COMPLETE" {
		return nil, &apiError{
			400,
			"InvalidChangeSetStatus",
			fmt.Sprintf("ChangeSet [%s] cannot be deleted in its current execution status of [%s]", c.id, c.execution),
		}
	}
	k.changeSets = slices.DeleteFunc(k.changeSets, func(o *changeSet) bool { return o == c })
	return struct{}{}, nil
}

func listChangeSets(s *Server, q request) (any, *apiError) {
	k, err := s.stackOrNot(q.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	type summary struct {
		StackID         string `xml:"StackId"`
		StackName       string
		ChangeSetID     string `xml:"ChangeSetId"`
		ChangeSetName   string
		ExecutionStatus string
		Status          string
	}
	var out struct {
		Summaries []summary `xml:"Summaries>member"`
	}
	for _, c := range k.changeSets {
		out.Summaries = append(out.Summaries, summary{k.id, k.name, c.id, c.name, c.execution, c.status})
	}
	return out, nil
}
