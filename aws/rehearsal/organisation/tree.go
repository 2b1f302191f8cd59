package organisation

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rolecall/aws/rehearsal"
)

// organizationsActions is the table of Organizations.
func organizationsActions() map[string]action {
	return map[string]action{
		"DescribeOrganization": describeOrganization, "ListRoots": listRoots, "ListAccounts": listAccounts,
		"ListOrganizationalUnitsForParent": listUnits, "ListAccountsForParent": listAccountsForParent,
		"ListTagsForResource": listTags, "ListAWSServiceAccessForOrganization": listServiceAccess,
		"ListDelegatedAdministrators": listDelegated, "ListPolicies": listPolicies, "ListTargetsForPolicy": listTargets,
		"DescribePolicy": describePolicy,
	}
}

// asked are the parameters that a rehearsal reads.
type asked struct {
	ParentID   string `json:"ParentId"`
	ResourceID string `json:"ResourceId"`
	PolicyID   string `json:"PolicyId"`
	Filter     string
	NextToken  string
	MaxResults int
}

type object = map[string]any

func read(r rehearsal.Request) (asked, *rehearsal.Refusal) {
	var a asked
	if err := json.Unmarshal(r.JSON, &a); err != nil {
		return a, refuse("InvalidInputException", "The request is not JSON.")
	}
	return a, nil
}

// pageSize is the most that Organizations lists in one answer.
const pageSize = 20

// page cuts a list as NextToken asks.
func page[T any](a asked, name string, all []T) (any, *rehearsal.Refusal) {
	start := 0
	if a.NextToken != "" {
		n, err := strconv.Atoi(a.NextToken)
		if err != nil || n < 0 || n > len(all) {
			return nil, refuse("InvalidInputException", "You specified an invalid value for nextToken.")
		}
		start = n
	}
	size := pageSize
	if a.MaxResults > 0 {
		size = min(size, a.MaxResults)
	}
	end := min(len(all), start+size)
	out := object{name: append([]T{}, all[start:end]...)}
	if end < len(all) {
		out["NextToken"] = strconv.Itoa(end)
	}
	return out, nil
}

func (o *Organisation) arn(resource string) string {
	return "arn:" + o.options.Partition + ":organizations::" + o.options.Management + ":" + resource
}

func describeOrganization(o *Organisation, _ rehearsal.Request) (any, *rehearsal.Refusal) {
	return object{"Organization": object{"Id": o.id, "Arn": o.arn("organization/" + o.id), "FeatureSet": "ALL",
		"MasterAccountId":  o.options.Management,
		"MasterAccountArn": o.arn("account/" + o.id + "/" + o.options.Management), "MasterAccountEmail": "management@example.com"}}, nil
}

func listRoots(o *Organisation, _ rehearsal.Request) (any, *rehearsal.Refusal) {
	root := o.units[0]
	return object{"Roots": []object{{"Id": root.ID, "Name": root.Name, "Arn": o.arn("root/" + o.id + "/" + root.ID),
		"PolicyTypes": []object{{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}}}}}, nil
}

func listUnits(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	a, refused := read(r)
	if refused != nil {
		return nil, refused
	}
	if o.unit(a.ParentID) == nil {
		return nil, refuse("ParentNotFoundException", "You specified parent that doesn't exist.")
	}
	var all []object
	for _, u := range o.units {
		if u.Parent == a.ParentID {
			all = append(all, object{"Id": u.ID, "Name": u.Name, "Arn": o.arn("ou/" + o.id + "/" + u.ID)})
		}
	}
	return page(a, "OrganizationalUnits", all)
}

func (o *Organisation) json(a *Account) object {
	state := map[string]string{"ACTIVE": "ACTIVE", "SUSPENDED": "SUSPENDED", "PENDING_CLOSURE": "PENDING_CLOSURE"}[a.Status]
	return object{"Id": a.ID, "Name": a.Name, "Email": a.Email, "Status": a.Status, "State": state, "Arn": o.arn("account/" + o.id +
		"/" + a.ID),
		"JoinedMethod": "CREATED", "JoinedTimestamp": 1700000000}
}

func listAccounts(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	return o.listed(r, func(*Account, asked) bool { return true })
}

func listAccountsForParent(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	return o.listed(r, func(one *Account, a asked) bool { return one.Unit == a.ParentID })
}

func (o *Organisation) listed(r rehearsal.Request, wanted func(*Account, asked) bool) (any, *rehearsal.Refusal) {
	a, refused := read(r)
	if refused != nil {
		return nil, refused
	}
	var all []object
	for _, one := range o.accounts {
		if wanted(one, a) {
			all = append(all, o.json(one))
		}
	}
	return page(a, "Accounts", all)
}

func listTags(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	a, refused := read(r)
	if refused != nil {
		return nil, refused
	}
	one, ok := o.byID[a.ResourceID]
	if !ok {
		return nil, refuse("TargetNotFoundException", "You specified a target that doesn't exist.")
	}
	tags := []object{}
	for _, key := range slices.Sorted(maps.Keys(one.Tags)) {
		tags = append(tags, object{"Key": key, "Value": one.Tags[key]})
	}
	return object{"Tags": tags}, nil
}

// StackSets is the service principal that needs trusted access.
const StackSets = "member.org.stacksets.cloudformation.amazonaws.com"

func listServiceAccess(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	a, refused := read(r)
	if refused != nil {
		return nil, refused
	}
	all := []object{{"ServicePrincipal": "sso.amazonaws.com", "DateEnabled": 1700000000}}
	if !o.options.Untrusted {
		all = append(all, object{"ServicePrincipal": StackSets, "DateEnabled": 1700000000})
	}
	return page(a, "EnabledServicePrincipals", all)
}

func listDelegated(*Organisation, rehearsal.Request) (any, *rehearsal.Refusal) {
	return object{"DelegatedAdministrators": []object{}}, nil
}

// scp is a service control policy with what it is attached to.
type scp struct {
	id, name, text string
	targets        []string
}

// scps are those of the options, by name. FullAWSAccess is attached to everything.
func (o *Organisation) scps() []scp {
	full := scp{id: fullAccess, name: "FullAWSAccess", text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}
	for _, u := range o.units {
		full.targets = append(full.targets, u.ID)
	}
	for _, a := range o.accounts {
		full.targets = append(full.targets, a.ID)
	}
	all := []scp{full}
	for _, where := range slices.Sorted(maps.Keys(o.options.Policies)) {
		one := scp{name: "scp " + where, text: o.options.Policies[where]}
		for _, at := range strings.Split(where, ",") {
			for _, u := range o.units {
				if u.Path == at {
					one.targets = append(one.targets, u.ID)
				}
			}
			if _, ok := o.byID[at]; ok {
				one.targets = append(one.targets, at)
			}
		}
		if len(one.targets) > 0 {
			one.id = "p-" + one.targets[0]
			all = append(all, one)
		}
	}
	return all
}

const fullAccess = "p-FullAWSAccess"

func listPolicies(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	a, refused := read(r)
	if refused != nil {
		return nil, refused
	}
	all := []object{}
	if a.Filter == "SERVICE_CONTROL_POLICY" {
		for _, one := range o.scps() {
			all = append(all, o.policyJSON(one.id, one.name, a.Filter))
		}
	}
	return page(a, "Policies", all)
}

func listTargets(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	a, refused := read(r)
	if refused != nil {
		return nil, refused
	}
	one, ok := o.scp(a.PolicyID)
	if !ok {
		return nil, noPolicy()
	}
	var all []object
	for _, id := range one.targets {
		kind := "ORGANIZATIONAL_UNIT"
		if _, account := o.byID[id]; account {
			kind = "ACCOUNT"
		}
		all = append(all, object{"TargetId": id, "Arn": o.arn("target/" + id), "Name": id, "Type": kind})
	}
	return page(a, "Targets", all)
}

func (o *Organisation) scp(id string) (scp, bool) {
	all := o.scps()
	i := slices.IndexFunc(all, func(one scp) bool { return one.id == id })
	if i < 0 {
		return scp{}, false
	}
	return all[i], true
}

func noPolicy() *rehearsal.Refusal {
	return refuse("PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")
}

func (o *Organisation) policyJSON(id, name, kind string) object {
	return object{"Id": id, "Name": name, "Type": kind, "AwsManaged": id == fullAccess, "Arn": o.arn("policy/" + o.id +
		"/service_control_policy/" + id)}
}

func describePolicy(o *Organisation, r rehearsal.Request) (any, *rehearsal.Refusal) {
	a, refused := read(r)
	if refused != nil {
		return nil, refused
	}
	one, ok := o.scp(a.PolicyID)
	if !ok {
		return nil, noPolicy()
	}
	return object{"Policy": object{"PolicySummary": o.policyJSON(one.id, one.name, "SERVICE_CONTROL_POLICY"), "Content": one.text}}, nil
}
