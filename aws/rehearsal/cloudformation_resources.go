package rehearsal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// rolePart and policyPart are the properties that a rehearsal knows, and the
// parameter of IAM's own request for those that have one.
func knownProperties(kind string) map[string]string {
	if kind == kindPolicy {
		return map[string]string{
			"ManagedPolicyName": "PolicyName",
			"Path":              "Path",
			"Description":       "Description",
			"PolicyDocument":    "PolicyDocument",
		}
	}
	if kind == kindProvider {
		return map[string]string{"Url": "Url", "ClientIdList": "", "ThumbprintList": "", "Tags": ""}
	}
	return map[string]string{"RoleName": "RoleName", "Path": "Path", "Description": "Description", "MaxSessionDuration": "MaxSessionDuration",
		"PermissionsBoundary": "PermissionsBoundary", "AssumeRolePolicyDocument": "AssumeRolePolicyDocument",
		"ManagedPolicyArns": "", "Policies": "", "Tags": ""}
}

// makeResource makes a resource through IAM's own functions and with the
// caller's permissions. It gives why it could not, in CloudFormation's words.
func (s *Server) makeResource(k *stack, r *resource, m *madeResource, at time.Time) string {
	resolved, err := s.values(k).resolve(r.properties)
	if err != nil {
		return err.Error()
	}
	m.properties, _ = resolved.(map[string]any)
	m.metadata = r.metadata
	for key := range m.properties {
		if _, ok := knownProperties(r.kind)[key]; !ok {
			return fmt.Sprintf("Properties validation failed for resource %s with message:\n#: extraneous key [%s] is not permitted", r.id, key)
		}
	}
	switch r.kind {
	case kindPolicy:
		return s.makePolicy(k, m)
	case kindProvider:
		return s.makeProvider(k, m)
	}
	return s.makeRole(k, m, at)
}

// form is the request that IAM would get.
func (m *madeResource) form(k *stack, nameProperty string, serial func() string) url.Values {
	form := url.Values{}
	for property, parameter := range knownProperties(m.kind) {
		if value := m.properties[property]; parameter != "" && value != nil {
			form.Set(parameter, textOf(value))
		}
	}
	if parameter := knownProperties(m.kind)[nameProperty]; form.Get(parameter) == "" {
		form.Set(parameter, k.name+"-"+m.id+"-"+serial())
	}
	return form
}

func (s *Server) suffix() string { return s.newID("")[:12] }

func (s *Server) makePolicy(k *stack, m *madeResource) string {
	form := m.form(k, "ManagedPolicyName", s.suffix)
	if why := s.iam(k, "CreatePolicy", form, createPolicy, form.Get("PolicyName")); why != "" {
		return why
	}
	m.physical = s.arn("policy" + orSlash(form.Get("Path")) + form.Get("PolicyName"))
	m.attributes = map[string]string{"PolicyArn": m.physical, "PolicyId": s.state.policies[m.physical].id}
	return ""
}

func (s *Server) makeRole(k *stack, m *madeResource, at time.Time) string {
	form := m.form(k, "RoleName", s.suffix)
	for i, t := range m.tagList(k.tags) {
		form.Set(fmt.Sprintf("Tags.member.%d.Key", i+1), t.Key)
		form.Set(fmt.Sprintf("Tags.member.%d.Value", i+1), t.Value)
	}
	name := form.Get("RoleName")
	if why := s.iam(k, "CreateRole", form, createRole, name); why != "" {
		return why
	}
	m.physical = name
	role := s.state.roles[strings.ToLower(name)]
	role.created, role.listed, role.assumable = at, at.Add(s.listDelay()), at.Add(s.options.Propagation)
	// As AWS does by itself (CloudFormation user guide, "Resource tag").
	role.tags = append(role.tags, tag{"aws:cloudformation:stack-name", k.name}, tag{"aws:cloudformation:stack-id", k.id},
		tag{"aws:cloudformation:logical-id", m.id})
	m.attributes = map[string]string{"Arn": role.arn, "RoleId": role.id}
	for _, arn := range m.policyARNs() {
		if why := s.iam(k, "AttachRolePolicy", url.Values{"RoleName": {name}, "PolicyArn": {arn}}, attachRolePolicy, name); why != "" {
			return why
		}
	}
	for policyName, document := range m.inline() {
		form := url.Values{"RoleName": {name}, "PolicyName": {policyName}, "PolicyDocument": {document}}
		if why := s.iam(k, "PutRolePolicy", form, putRolePolicy, name); why != "" {
			return why
		}
	}
	return ""
}

func (s *Server) makeProvider(k *stack, m *madeResource) string {
	issuer := textOf(m.properties["Url"])
	form := url.Values{"Url": {issuer}}
	list, _ := m.properties["ClientIdList"].([]any)
	for i, id := range list {
		form.Set(fmt.Sprintf("ClientIDList.member.%d", i+1), textOf(id))
	}
	for i, t := range m.tagList(k.tags) {
		form.Set(fmt.Sprintf("Tags.member.%d.Key", i+1), t.Key)
		form.Set(fmt.Sprintf("Tags.member.%d.Value", i+1), t.Value)
	}
	arn := s.arn("oidc-provider/" + strings.TrimPrefix(issuer, "https://"))
	if why := s.iam(k, "CreateOpenIDConnectProvider", form, createProvider, arn); why != "" {
		return why
	}
	m.physical = arn
	m.attributes = map[string]string{"Arn": arn}
	return ""
}

// tagList are the resource's tags with those of the stack behind them.
func (m *madeResource) tagList(ofStack []tag) []tag {
	var all []tag
	list, _ := m.properties["Tags"].([]any)
	for _, item := range list {
		t, _ := item.(map[string]any)
		all = append(all, tag{textOf(t["Key"]), textOf(t["Value"])})
	}
	for _, t := range ofStack {
		if !slices.ContainsFunc(all, func(o tag) bool { return o.Key == t.Key }) {
			all = append(all, t)
		}
	}
	return all
}

// policyARNs are the managed policies that the role is to have.
func (m *madeResource) policyARNs() []string {
	var all []string
	list, _ := m.properties["ManagedPolicyArns"].([]any)
	for _, item := range list {
		all = append(all, textOf(item))
	}
	return all
}

func (m *madeResource) inline() map[string]string {
	all := map[string]string{}
	list, _ := m.properties["Policies"].([]any)
	for _, item := range list {
		p, _ := item.(map[string]any)
		all[textOf(p["PolicyName"])] = textOf(p["PolicyDocument"])
	}
	return all
}

// iam does an IAM action for the stack. It gives why it failed, as a resource
// handler of CloudFormation words it.
func (s *Server) iam(k *stack, name string, form url.Values, run action, identifier string) string {
	q := request{service: "iam", action: name, form: form, caller: k.run.caller}
	var err *apiError
	switch kind, denied := s.refusal(q.full()); {
	case denied:
		err = s.faultError(kind, q)
	case name == "CreateRole" && s.makes(StackFails):
		err = overQuota("RolesPerAccount", 1000)
	default:
		_, err = run(s, q)
	}
	if err == nil {
		return ""
	}
	code := map[string]string{"AccessDenied": "AccessDenied", "EntityAlreadyExists": "AlreadyExists", "LimitExceeded": "ServiceLimitExceeded",
		"NoSuchEntity": "NotFound", "DeleteConflict": "ResourceConflict"}[err.code]
	if code == "" {
		code = "InvalidRequest"
	}
	message := fmt.Sprintf("%s (Service: Iam, Status Code: %d, Request ID: %s)", err.message, err.status, requestID)
	if err.code == "EntityAlreadyExists" {
		kind := kindRole
		switch name {
		case "CreatePolicy":
			kind = kindPolicy
		case "CreateOpenIDConnectProvider":
			kind = kindProvider
		}
		message = fmt.Sprintf("Resource of type '%s' with identifier '%s' already exists.", kind, identifier)
	}
	return `Resource handler returned message: "` + message + `" (RequestToken: ` + s.uuid() + `, HandlerErrorCode: ` + code + `)`
}

// refusal takes a fault that denies an action. Throttling and the like are
// CloudFormation's own business: it tries again.
func (s *Server) refusal(action string) (FaultKind, bool) {
	for i := range s.faults {
		f := &s.faults[i]
		if f.Kind != Denied && f.Kind != DeniedSCP || f.Times == 0 || len(f.Actions) > 0 && !slices.Contains(f.Actions, action) {
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		return f.Kind, true
	}
	return 0, false
}

// removeResource deletes what a resource made. It gives why it could not.
func (s *Server) removeResource(k *stack, m *madeResource) string {
	if m.physical == "" {
		return ""
	}
	switch m.kind {
	case kindPolicy:
		return s.removePolicy(k, m)
	case kindProvider:
		return s.iam(k, "DeleteOpenIDConnectProvider", url.Values{"OpenIDConnectProviderArn": {m.physical}}, deleteProvider, m.physical)
	}
	role, ok := s.state.roles[strings.ToLower(m.physical)]
	if !ok || role.id != m.attributes["RoleId"] {
		return "" // gone already
	}
	name := url.Values{"RoleName": {m.physical}}
	for _, arn := range slices.Clone(role.attached) {
		if !slices.Contains(m.policyARNs(), arn) {
			continue // attached by somebody else: AWS leaves it, and the deletion fails
		}
		if why := s.iam(k, "DetachRolePolicy", with(name, "PolicyArn", arn), detachRolePolicy, m.physical); why != "" {
			return why
		}
	}
	for policyName := range m.inline() {
		if _, ok := role.inline[policyName]; !ok {
			continue
		}
		if why := s.iam(k, "DeleteRolePolicy", with(name, "PolicyName", policyName), deleteRolePolicy, m.physical); why != "" {
			return why
		}
	}
	return s.iam(k, "DeleteRole", name, deleteRole, m.physical)
}

func with(form url.Values, key, value string) url.Values {
	all := maps.Clone(form)
	all.Set(key, value)
	return all
}

func (s *Server) removePolicy(k *stack, m *madeResource) string {
	p, ok := s.state.policies[m.physical]
	if !ok || p.id != m.attributes["PolicyId"] {
		return ""
	}
	arn := url.Values{"PolicyArn": {m.physical}}
	for _, v := range slices.Clone(p.versions) {
		if v.isDefault {
			continue
		}
		if why := s.iam(k, "DeletePolicyVersion", with(arn, "VersionId", v.id), deletePolicyVersion, m.physical); why != "" {
			return why
		}
	}
	return s.iam(k, "DeletePolicy", arn, deletePolicy, m.physical)
}

// change is what a new template does to one resource.
type change struct {
	action, replacement string // Add, Modify, Remove · True, False
	resource            *resource
	made                *madeResource
	properties          map[string]any
}

// changes compares a template with what the stack made.
func (s *Server) changes(k *stack, t *template, parameters map[string]string) ([]change, *apiError) {
	next := *k
	next.template, next.parameters = t, parameters
	var all []change
	renewed := map[string]bool{} // what refers to these changes, too
	for i := range t.resources {
		r := &t.resources[i]
		m := k.find(r.id)
		if m == nil || m.physical == "" || m.kind != r.kind {
			all = append(all, change{action: "Add", resource: r})
			continue
		}
		resolved, err := s.values(&next).resolve(r.properties)
		if err != nil {
			return nil, &apiError{400, "ValidationError", err.Error()}
		}
		properties, _ := resolved.(map[string]any)
		// What changes nothing but a DeletionPolicy is no change to CloudFormation.
		if sameJSON(properties, m.properties) && sameJSON(r.metadata, m.metadata) && !refersTo(r.properties, renewed) {
			continue
		}
		c := change{action: "Modify", replacement: "False", resource: r, made: m, properties: properties}
		for _, fixed := range []string{"RoleName", "ManagedPolicyName", "Path"} {
			if textOf(properties[fixed]) != textOf(m.properties[fixed]) ||
				r.kind == kindPolicy && textOf(properties["Description"]) != textOf(m.properties["Description"]) {
				c.replacement, renewed[r.id] = "True", true
			}
		}
		all = append(all, c)
	}
	for _, m := range k.made {
		if t.resource(m.id) == nil && m.state != "DELETE_COMPLETE" {
			all = append(all, change{action: "Remove", made: m})
		}
	}
	return all, nil
}

// refersTo reports whether properties refer to one of these resources.
func refersTo(v any, ids map[string]bool) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return refersTo(item, ids) })
	case map[string]any:
		if name, argument, ok := call(v); ok && name == "Ref" {
			return ids[textOf(argument)]
		}
		for _, item := range v {
			if refersTo(item, ids) {
				return true
			}
		}
	}
	return false
}

func sameJSON(a, b any) bool {
	one, _ := json.Marshal(a)
	two, _ := json.Marshal(b)
	return bytes.Equal(one, two)
}
