package organisation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"rolecall/aws/rehearsal"
)

// stackSetActions is the table of StackSets.
func stackSetActions() map[string]action {
	return map[string]action{
		"CreateStackSet":               createStackSet,
		"UpdateStackSet":               updateStackSet,
		"DeleteStackSet":               deleteStackSet,
		"DescribeStackSet":             describeStackSet,
		"ListStackSets":                listStackSets,
		"CreateStackInstances":         createInstances,
		"UpdateStackInstances":         updateInstances,
		"DeleteStackInstances":         deleteInstances,
		"ListStackInstances":           listInstances,
		"DescribeStackInstance":        describeInstance,
		"DescribeStackSetOperation":    describeOperation,
		"ListStackSetOperations":       listOperations,
		"ListStackSetOperationResults": listResults,
		"DetectStackSetDrift":          detectDrift,
		"StopStackSetOperation":        stopOperation,
		"ActivateOrganizationsAccess":  activateAccess,
		"DescribeOrganizationsAccess":  describeAccess,
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
	return o.everywhere(set, op, r), nil
}

// everywhere starts an operation on every stack of a StackSet.
func (o *Organisation) everywhere(set *stackSet, op *operation, r rehearsal.Request) operationID {
	for _, id := range slices.Sorted(maps.Keys(set.instances)) {
		op.tasks = append(op.tasks, &task{account: id})
	}
	op.prefer(r)
	set.start(o, op, r.Now)
	return operationID{op.id}
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
	return o.everywhere(set, op, r), nil
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
