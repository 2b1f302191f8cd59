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

// stackSetActions is the table of StackSets.
func stackSetActions() map[string]action {
	return map[string]action{
		"CreateStackSet": createStackSet, "UpdateStackSet": updateStackSet, "DeleteStackSet": deleteStackSet, "DescribeStackSet": describeStackSet,
		"ListStackSets": listStackSets, "CreateStackInstances": createInstances, "UpdateStackInstances": updateInstances,
		"DeleteStackInstances": deleteInstances, "ListStackInstances": listInstances, "DescribeStackInstance": describeInstance,
		"DescribeStackSetOperation": describeOperation, "ListStackSetOperations": listOperations,
		"ListStackSetOperationResults": listResults, "DetectStackSetDrift": detectDrift, "StopStackSetOperation": stopOperation,
		"ActivateOrganizationsAccess": activateAccess, "DescribeOrganizationsAccess": describeAccess,
	}
}

func activateAccess(o *Organisation, _ rehearsal.Request) (any, *rehearsal.Refusal) {
	o.options.Untrusted = false
	return struct{}{}, nil
}

func describeAccess(o *Organisation, _ rehearsal.Request) (any, *rehearsal.Refusal) {
	status := "ENABLED"
	if o.options.Untrusted {
		status = "DISABLED"
	}
	return struct{ Status string }{status}, nil
}

// members reads a list of a form.
func members(r rehearsal.Request, name string) []string {
	var all []string
	for i := 1; ; i++ {
		value, ok := r.Form[fmt.Sprintf("%s.member.%d", name, i)]
		if !ok {
			return all
		}
		all = append(all, value[0])
	}
}

// pairs reads a list of keys with values.
func pairs(r rehearsal.Request, name, key, value string) map[string]string {
	all := map[string]string{}
	for i := 1; ; i++ {
		k := r.Form.Get(fmt.Sprintf("%s.member.%d.%s", name, i, key))
		if k == "" {
			return all
		}
		all[k] = r.Form.Get(fmt.Sprintf("%s.member.%d.%s", name, i, value))
	}
}

func parametersOf(r rehearsal.Request, name string) map[string]string {
	return pairs(r, name, "ParameterKey", "ParameterValue")
}

// find is the StackSet of a name or an ID that was not deleted.
func (o *Organisation) find(r rehearsal.Request) (*stackSet, *rehearsal.Refusal) {
	name := r.Form.Get("StackSetName")
	for _, set := range o.sets {
		if set.status == "ACTIVE" && (set.name == name || set.id == name) {
			return set, nil
		}
	}
	return nil, &rehearsal.Refusal{Status: 404, Code: "StackSetNotFoundException", Message: "StackSet " + name + " not found"}
}

func createStackSet(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	f := r.Form
	name := f.Get("StackSetName")
	if f.Get("PermissionModel") != "SERVICE_MANAGED" {
		return nil, refuse("ValidationError", "A rehearsal has service-managed StackSets only")
	}
	if o.options.Untrusted {
		return nil, refuse("ValidationError", "You must enable organizations access to operate a service managed stack set")
	}
	if f.Get("AutoDeployment.Enabled") == "" {
		return nil, refuse("ValidationError", "AutoDeployment must be specified when creating a service managed stack set")
	}
	for _, set := range o.sets {
		if set.name != name || set.status != "ACTIVE" {
			continue
		}
		if set.token != "" && set.token == f.Get("ClientRequestToken") {
			return struct {
				StackSetID string `xml:"StackSetId"`
			}{set.id}, nil // the same request again
		}
		return nil, &rehearsal.Refusal{Status: 409, Code: "NameAlreadyExistsException", Message: "StackSet already exists"}
	}
	set := &stackSet{name: name, status: "ACTIVE", token: f.Get("ClientRequestToken"), description: f.Get("Description"),
		instances: map[string]*instance{},
		byID:      map[string]*operation{}}
	if refused := set.take(r); refused != nil {
		return nil, refused
	}
	set.id = name + ":" + o.uuid()
	o.sets = append(o.sets, set)
	return struct {
		StackSetID string `xml:"StackSetId"`
	}{set.id}, nil
}

// take reads what a StackSet is made of, or changed to.
func (set *stackSet) take(r rehearsal.Request) *rehearsal.Refusal {
	f := r.Form
	text := f.Get("TemplateBody")
	if f.Get("UsePreviousTemplate") == "true" {
		text = set.text
	}
	blueprint, refused := rehearsal.ReadBlueprint(text)
	if refused != nil {
		return refused
	}
	filled, refused := blueprint.Fill(parametersOf(r, "Parameters"))
	if refused != nil {
		return refused
	}
	if need := blueprint.Capability(); need != "" && !slices.Contains(members(r, "Capabilities"), "CAPABILITY_NAMED_IAM") {
		return refuse("InsufficientCapabilitiesException", "Requires capabilities : [%s]", need)
	}
	set.text, set.blueprint, set.parameters, set.tags = text, blueprint, filled, pairs(r, "Tags", "Key", "Value")
	if f.Get("AutoDeployment.Enabled") != "" {
		set.automatic, set.retain = f.Get("AutoDeployment.Enabled") == "true", f.Get("AutoDeployment.RetainStacksOnAccountRemoval") == "true"
	}
	if f.Get("ManagedExecution.Active") != "" {
		set.managed = f.Get("ManagedExecution.Active") == "true"
	}
	return nil
}

// begin checks what every operation has, and gives the operation to fill in.
func (o *Organisation) begin(set *stackSet, r rehearsal.Request, action string) (*operation, *rehearsal.Refusal) {
	f := r.Form
	op := &operation{id: cmp.Or(f.Get("OperationId"), o.uuid()), action: action, retain: f.Get("RetainStacks") == "true"}
	if set.byID[op.id] != nil {
		return nil, &rehearsal.Refusal{Status: 409, Code: "OperationIdAlreadyExistsException",
			Message: "The specified operation ID already exists"}
	}
	if !set.managed && len(set.open) > 0 {
		return nil, &rehearsal.Refusal{Status: 409, Code: "OperationInProgressException",
			Message: "Another Operation on StackSet " + set.id + " is in progress: " + set.open[0].id}
	}
	return op, nil
}

// prefer reads the operation preferences for so many accounts.
func (op *operation) prefer(r rehearsal.Request) {
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(r.Form.Get("OperationPreferences." + name + "Count")); err == nil {
			return n
		}
		if n, err := strconv.Atoi(r.Form.Get("OperationPreferences." + name + "Percentage")); err == nil {
			return len(op.tasks) * n / 100
		}
		return otherwise
	}
	op.tolerance = number("FailureTolerance", 0)
	op.concurrent = max(1, number("MaxConcurrent", 1))
	if r.Form.Get("OperationPreferences.ConcurrencyMode") != "SOFT_FAILURE_TOLERANCE" {
		op.concurrent = min(op.concurrent, op.tolerance+1)
	}
}

// targets are the accounts that a request means.
func (o *Organisation) targets(r rehearsal.Request) ([]*Account, []string, *rehearsal.Refusal) {
	units, accounts := members(r, "DeploymentTargets.OrganizationalUnitIds"), members(r, "DeploymentTargets.Accounts")
	if len(units) == 0 {
		return nil, nil, refuse("ValidationError", "DeploymentTargets.OrganizationalUnitIds must be specified for a service managed stack set")
	}
	if regions := members(r, "Regions"); len(regions) != 1 {
		return nil, nil, refuse("ValidationError", "Exactly one region is deployed to in a rehearsal")
	}
	for _, u := range units {
		if o.unit(u) == nil {
			return nil, nil, refuse("ValidationError", "OrganizationalUnit %s not found", u)
		}
	}
	filter := cmp.Or(r.Form.Get("DeploymentTargets.AccountFilterType"), "NONE")
	var all []*Account
	named := map[string]bool{}
	for _, id := range accounts {
		named[id] = true
	}
	for _, a := range o.accounts {
		under := slices.ContainsFunc(units, func(u string) bool { return o.under(a, u) })
		if a.ID == o.options.Management || !under || filter == "INTERSECTION" && !named[a.ID] || filter == "DIFFERENCE" && named[a.ID] {
			continue
		}
		all = append(all, a)
	}
	return all, units, nil
}

type operationID struct {
	OperationID string `xml:"OperationId"`
}

func createInstances(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	return o.deploy(r, "CREATE", func(set *stackSet, a *Account) bool {
		if set.instances[a.ID] == nil {
			set.instances[a.ID] = &instance{account: a.ID, unit: a.Unit, region: members(r, "Regions")[0], status: "OUTDATED",
				drift: "NOT_CHECKED"}
		}
		return true
	})
}

func updateInstances(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	return o.deploy(r, "UPDATE", func(set *stackSet, a *Account) bool { return set.instances[a.ID] != nil })
}

func deleteInstances(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	if r.Form.Get("RetainStacks") == "" {
		return nil, refuse("ValidationError", "RetainStacks must be specified")
	}
	return o.deploy(r, "DELETE", func(set *stackSet, a *Account) bool { return set.instances[a.ID] != nil })
}

// deploy begins an operation on the instances of a request's accounts.
func (o *Organisation) deploy(r rehearsal.Request, action string, takes func(*stackSet, *Account) bool) (any, *rehearsal.Refusal) {
	set, refused := o.find(r)
	if refused != nil {
		return nil, refused
	}
	op, refused := o.begin(set, r, action)
	if refused != nil {
		return nil, refused
	}
	accounts, units, refused := o.targets(r)
	if refused != nil {
		return nil, refused
	}
	op.overrides = parametersOf(r, "ParameterOverrides")
	op.hasOverrides = len(op.overrides) > 0
	for name := range op.overrides {
		if _, ok := set.parameters[name]; !ok {
			return nil, refuse("ValidationError", "Parameters: [%s] do not exist in the template", name)
		}
	}
	for _, a := range accounts {
		if takes(set, a) {
			op.tasks = append(op.tasks, &task{account: a.ID})
		}
	}
	if action == "UPDATE" && len(op.tasks) == 0 {
		return nil, &rehearsal.Refusal{Status: 404, Code: "StackInstanceNotFoundException", Message: "No stack instances found"}
	}
	if action == "CREATE" {
		for _, u := range units {
			if !slices.Contains(set.units, u) {
				set.units = append(set.units, u)
			}
		}
	}
	op.prefer(r)
	set.start(o, op, r.Now)
	return operationID{op.id}, nil
}

func updateStackSet(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, refused := o.find(r)
	if refused != nil {
		return nil, refused
	}
	op, refused := o.begin(set, r, "UPDATE")
	if refused != nil {
		return nil, refused
	}
	if refused := set.take(r); refused != nil {
		return nil, refused
	}
	for _, id := range slices.Sorted(maps.Keys(set.instances)) {
		op.tasks = append(op.tasks, &task{account: id})
	}
	op.prefer(r)
	set.start(o, op, r.Now)
	return operationID{op.id}, nil
}

func deleteStackSet(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, refused := o.find(r)
	switch {
	case refused != nil:
		return nil, refused
	case len(set.instances) > 0:
		return nil, &rehearsal.Refusal{Status: 409, Code: "StackSetNotEmptyException", Message: "StackSet is not empty"}
	case len(set.open) > 0:
		return nil, &rehearsal.Refusal{Status: 409, Code: "OperationInProgressException", Message: "Another Operation on StackSet " +
			set.id + " is in progress"}
	}
	set.status = "DELETED"
	return struct{}{}, nil
}

func detectDrift(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, refused := o.find(r)
	if refused != nil {
		return nil, refused
	}
	op, refused := o.begin(set, r, "DETECT_DRIFT")
	if refused != nil {
		return nil, refused
	}
	for _, id := range slices.Sorted(maps.Keys(set.instances)) {
		op.tasks = append(op.tasks, &task{account: id})
	}
	op.prefer(r)
	set.start(o, op, r.Now)
	return operationID{op.id}, nil
}

func stopOperation(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	set, op, refused := o.operation(r)
	if refused != nil {
		return nil, refused
	}
	op.stop(set)
	return struct{}{}, nil
}

type pairXML struct {
	ParameterKey   string
	ParameterValue string
}

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
	LastOperationID      string    `xml:"LastOperationId"`
	ParameterOverrides   []pairXML `xml:"ParameterOverrides>member"`
}

func (set *stackSet) xml(i *instance) instanceXML {
	x := instanceXML{StackSetID: set.id, Region: i.region, Account: i.account, StackID: i.stack, Status: i.status, StatusReason: i.reason,
		OrganizationalUnitID: i.unit, DriftStatus: i.drift, LastOperationID: i.last}
	x.StackInstanceStatus.DetailedStatus = i.detailed
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
