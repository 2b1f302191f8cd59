package organisation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/aws/rehearsal"
)

// What is read of StackSets, in the shapes of the API.

func xmlPairs(values map[string]string) []pairXML {
	var all []pairXML
	for _, key := range slices.Sorted(maps.Keys(values)) {
		all = append(all, pairXML{key, values[key]})
	}
	return all
}

type tagXML struct{ Key, Value string }

type stackSetXML struct {
	StackSetID       string `xml:"StackSetId"`
	StackSetName     string
	StackSetARN      string
	Status           string
	Description      string    `xml:",omitempty"`
	TemplateBody     string    `xml:",omitempty"`
	Parameters       []pairXML `xml:"Parameters>member"`
	Tags             []tagXML  `xml:"Tags>member"`
	PermissionModel  string
	AutoDeployment   struct{ Enabled, RetainStacksOnAccountRemoval bool }
	ManagedExecution struct{ Active bool }
	Units            []string `xml:"OrganizationalUnitIds>member"`
}

func (o *Organisation) xml(set *stackSet) stackSetXML {
	x := stackSetXML{StackSetID: set.id, StackSetName: set.name, Status: set.status, Description: set.description, TemplateBody: set.text,
		Parameters: xmlPairs(set.parameters), PermissionModel: "SERVICE_MANAGED", Units: set.units,
		StackSetARN: fmt.Sprintf("arn:%s:cloudformation:%s:%s:stackset/%s", o.options.Partition, o.region, o.options.Management, set.id)}
	x.AutoDeployment.Enabled, x.AutoDeployment.RetainStacksOnAccountRemoval, x.ManagedExecution.Active = set.automatic, set.retain, set.managed
	for _, key := range slices.Sorted(maps.Keys(set.tags)) {
		x.Tags = append(x.Tags, tagXML{key, set.tags[key]})
	}
	return x
}

func describeStackSet(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, refused := o.find(r)
	if refused != nil {
		return nil, refused
	}
	return struct{ StackSet stackSetXML }{o.xml(set)}, nil
}

// cut is a page of up to a hundred.
func cut[T any](r rehearsal.Request, all []T) (list []T, next string) {
	start, _ := strconv.Atoi(r.Form.Get("NextToken"))
	size := 100
	if n, err := strconv.Atoi(r.Form.Get("MaxResults")); err == nil {
		size = min(size, n)
	}
	start = min(max(0, start), len(all))
	end := min(len(all), start+size)
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[start:end], next
}

func listStackSets(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	type summary struct {
		StackSetID          string `xml:"StackSetId"`
		StackSetName        string
		Status, Description string
		PermissionModel     string
	}
	var all []summary
	for _, set := range o.sets {
		all = append(all, summary{set.id, set.name, set.status, set.description, "SERVICE_MANAGED"})
	}
	list, next := cut(r, all)
	return struct {
		Summaries []summary `xml:"Summaries>member"`
		NextToken string    `xml:",omitempty"`
	}{list, next}, nil
}

type instanceXML struct {
	StackSetID           string `xml:"StackSetId"`
	Region, Account      string
	StackID              string `xml:"StackId,omitempty"`
	Status               string
	StatusReason         string `xml:",omitempty"`
	StackInstanceStatus  struct{ DetailedStatus string }
	OrganizationalUnitID string `xml:"OrganizationalUnitId"`
	DriftStatus          string
	LastDriftCheck       string    `xml:"LastDriftCheckTimestamp,omitempty"`
	LastOperationID      string    `xml:"LastOperationId"`
	ParameterOverrides   []pairXML `xml:"ParameterOverrides>member"`
}

func (set *stackSet) xml(i *instance) instanceXML {
	x := instanceXML{StackSetID: set.id, Region: i.region, Account: i.account, StackID: i.stack, Status: i.status, StatusReason: i.reason,
		OrganizationalUnitID: i.unit, DriftStatus: i.drift, LastOperationID: i.last}
	x.StackInstanceStatus.DetailedStatus = i.detailed
	if !i.checked.IsZero() {
		x.LastDriftCheck = stamp(i.checked)
	}
	return x
}

func listInstances(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, refused := o.find(r)
	if refused != nil {
		return nil, refused
	}
	var all []instanceXML
	for _, id := range slices.Sorted(maps.Keys(set.instances)) {
		if only := r.Form.Get("StackInstanceAccount"); only == "" || only == id {
			all = append(all, set.xml(set.instances[id]))
		}
	}
	list, next := cut(r, all)
	return struct {
		Summaries []instanceXML `xml:"Summaries>member"`
		NextToken string        `xml:",omitempty"`
	}{list, next}, nil
}

func describeInstance(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, refused := o.find(r)
	if refused != nil {
		return nil, refused
	}
	i := set.instances[r.Form.Get("StackInstanceAccount")]
	if i == nil {
		return nil, &rehearsal.Refusal{Status: 404, Code: "StackInstanceNotFoundException", Message: "Stack instance not found"}
	}
	x := set.xml(i)
	x.ParameterOverrides = xmlPairs(i.overrides)
	return struct{ StackInstance instanceXML }{x}, nil
}

func (o *Organisation) operation(r rehearsal.Request) (*stackSet, *operation, *rehearsal.Refusal) {
	set, refused := o.find(r)
	if refused != nil {
		return nil, nil, refused
	}
	op := set.byID[r.Form.Get("OperationId")]
	if op == nil {
		return nil, nil, &rehearsal.Refusal{Status: 404, Code: "OperationNotFoundException", Message: "Operation " +
			r.Form.Get("OperationId") + " not found"}
	}
	return set, op, nil
}

type operationXML struct {
	OperationID       string `xml:"OperationId"`
	StackSetID        string `xml:"StackSetId,omitempty"`
	Action, Status    string
	StatusReason      string `xml:",omitempty"`
	CreationTimestamp string
	EndTimestamp      string `xml:",omitempty"`
}

func (op *operation) xml() operationXML {
	x := operationXML{OperationID: op.id, Action: op.action, Status: op.status, StatusReason: op.reason,
		CreationTimestamp: stamp(op.created)}
	if !op.ended.IsZero() {
		x.EndTimestamp = stamp(op.ended)
	}
	return x
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func describeOperation(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, op, refused := o.operation(r)
	if refused != nil {
		return nil, refused
	}
	x := op.xml()
	x.StackSetID = set.id
	return struct{ StackSetOperation operationXML }{x}, nil
}

func listOperations(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, refused := o.find(r)
	if refused != nil {
		return nil, refused
	}
	var all []operationXML
	for _, op := range slices.Backward(set.operations) {
		all = append(all, op.xml())
	}
	list, next := cut(r, all)
	return struct {
		Summaries []operationXML `xml:"Summaries>member"`
		NextToken string         `xml:",omitempty"`
	}{list, next}, nil
}

func listResults(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	_, op, refused := o.operation(r)
	if refused != nil {
		return nil, refused
	}
	type result struct {
		Account, Region, Status string
		StatusReason            string `xml:",omitempty"`
		OrganizationalUnitID    string `xml:"OrganizationalUnitId"`
	}
	var all []result
	for _, t := range op.tasks {
		status := cmp.Or(t.status, "PENDING")
		if t.begun && !t.ended {
			status = "RUNNING"
		}
		all = append(all, result{t.account, o.region, status, strings.TrimSpace(t.words), o.byID[t.account].Unit})
	}
	list, next := cut(r, all)
	return struct {
		Summaries []result `xml:"Summaries>member"`
		NextToken string   `xml:",omitempty"`
	}{list, next}, nil
}
