package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Terraform writes the set-up as Terraform configuration for the provider
// hashicorp/aws. It fits every partition.
func (s *Setup) Terraform() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	var f hclFile
	if s.Description != "" {
		f.comment(comment(s.Description))
	}
	f.block(hclBlock{head: hclHead("terraform"), blocks: []hclBlock{{head: hclHead("required_providers"),
		attributes: []hclAttribute{{"aws", hclObject([]hclAttribute{{"source", hclString("hashicorp/aws")}})}}}}})
	f.block(hclBlock{head: hclHead("data", "aws_partition", "current")})
	providers := s.providers()
	if len(providers) > 0 {
		f.block(hclBlock{head: hclHead("data", "aws_caller_identity", "current")})
	}
	for _, p := range providers {
		p.terraform(&f)
	}
	for i := range s.Roles {
		s.terraformRole(&f, &s.Roles[i])
	}
	return f.String(), nil
}

func (s *Setup) terraformRole(f *hclFile, r *SetupRole) {
	name := terraformName(r.ID)
	if r.guarded() {
		variable := hclBlock{head: hclHead("variable", s.terraformVariable(r))}
		variable.add("type", "string")
		variable.text("description", "The external ID that keeps other customers of the vendor from using "+r.ID+".")
		variable.text("default", r.ExternalID)
		f.block(variable)
	}
	role := hclBlock{head: hclHead("resource", "aws_iam_role", name)}
	role.text("name", r.Name)
	role.text("path", r.Path)
	role.text("description", r.Description)
	if r.Boundary != "" {
		role.add("permissions_boundary", terraformValue(r.Boundary, ""))
	}
	if r.SessionDuration > 0 {
		role.add("max_session_duration", strconv.Itoa(int(r.SessionDuration/time.Second)))
	}
	role.add("assume_role_policy", terraformDocument(r.trust("aws"), s.terraformVariable(r)))
	addTags(&role, r.Tags)
	f.block(role)
	for i := range r.Policies {
		terraformPolicy(f, r, &r.Policies[i])
	}
	for i, arn := range r.ManagedPolicies {
		terraformAttach(f, name+"_managed_"+strconv.Itoa(i+1), name, terraformValue(arn, ""))
	}
	if r.Output != "" {
		f.block(hclBlock{head: hclHead("output", r.Output), attributes: []hclAttribute{{"value", "aws_iam_role." + name + ".arn"}}})
	}
}

func (s *Setup) terraformVariable(r *SetupRole) string {
	if len(s.Roles) == 1 {
		return "external_id"
	}
	return terraformName(r.ID) + "_external_id"
}

func terraformPolicy(f *hclFile, r *SetupRole, p *SetupPolicy) {
	kind := "aws_iam_policy"
	if p.Inline {
		kind = "aws_iam_role_policy"
	}
	name, role := terraformName(p.ID), terraformName(r.ID)
	policy := hclBlock{head: hclHead("resource", kind, name)}
	policy.text("name", p.Name)
	if p.Inline {
		policy.add("role", "aws_iam_role."+role+".id")
		policy.add("policy", terraformDocument(p.Document, ""))
		f.block(policy)
		return
	}
	policy.text("path", r.Path)
	policy.text("description", p.Description)
	policy.add("policy", terraformDocument(p.Document, ""))
	addTags(&policy, r.Tags)
	f.block(policy)
	terraformAttach(f, name, role, "aws_iam_policy."+name+".arn")
}

func terraformAttach(f *hclFile, name, role, arn string) {
	f.block(hclBlock{head: hclHead("resource", "aws_iam_role_policy_attachment", name),
		attributes: []hclAttribute{{"role", "aws_iam_role." + role + ".name"}, {"policy_arn", arn}}})
}

func addTags(b *hclBlock, tags []SetupTag) {
	if len(tags) == 0 {
		return
	}
	values := map[string]string{}
	for _, tag := range tags {
		values[tag.Key] = tag.Value
	}
	var attributes []hclAttribute
	for _, key := range slices.Sorted(maps.Keys(values)) {
		attributes = append(attributes, hclAttribute{key, hclString(values[key])})
	}
	b.add("tags", hclObject(attributes))
}

// terraformName turns SpotPolicy into spot_policy.
func terraformName(id string) string {
	var b strings.Builder
	for i, r := range id {
		if upper := r >= 'A' && r <= 'Z'; upper && i > 0 && (id[i-1] < 'A' || id[i-1] > 'Z') {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	name := strings.ToLower(b.String())
	if name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}

// terraformDocument writes jsonencode({…}) with the document in it.
func terraformDocument(d *Document, externalID string) string {
	statements := make([]string, len(d.Statements))
	for i := range d.Statements {
		statements[i] = d.Statements[i].terraform(externalID)
	}
	var attributes []hclAttribute
	if d.Version != "" {
		attributes = append(attributes, hclAttribute{"Version", hclString(d.Version)})
	}
	if d.ID != "" {
		attributes = append(attributes, hclAttribute{"Id", hclString(d.ID)})
	}
	attributes = append(attributes, hclAttribute{"Statement", hclList(statements)})
	return "jsonencode(" + hclObject(attributes) + ")"
}

func (s *Statement) terraform(externalID string) string {
	var attributes []hclAttribute
	add := func(name, value string) { attributes = append(attributes, hclAttribute{name, value}) }
	if s.Sid != "" {
		add("Sid", hclString(s.Sid))
	}
	add("Effect", hclString(string(s.Effect)))
	if s.Principal != nil {
		add("Principal", s.Principal.terraform())
	}
	if s.NotPrincipal != nil {
		add("NotPrincipal", s.NotPrincipal.terraform())
	}
	for _, element := range [...]string{"Action", "NotAction", "Resource", "NotResource"} {
		if values := *s.list(element); len(values) > 0 {
			add(element, terraformValues(values, ""))
		}
	}
	if len(s.Condition) > 0 {
		add("Condition", terraformConditions(s.Condition, externalID))
	}
	return hclObject(attributes)
}

func (p Principals) terraform() string {
	if len(p["*"]) > 0 {
		return hclString("*")
	}
	var attributes []hclAttribute
	for _, kind := range p.types() {
		attributes = append(attributes, hclAttribute{kind, terraformValues(p[kind], "")})
	}
	return hclObject(attributes)
}

func terraformConditions(conditions []Condition, externalID string) string {
	var operators []hclAttribute
	for i, c := range conditions {
		same := func(other Condition) bool { return other.Operator == c.Operator }
		if slices.ContainsFunc(conditions[:i], same) {
			continue
		}
		var keys []hclAttribute
		for _, one := range conditions {
			if same(one) {
				keys = append(keys, hclAttribute{one.Key, terraformValues(one.Values, externalID)})
			}
		}
		operators = append(operators, hclAttribute{c.Operator, hclObject(keys)})
	}
	return hclObject(operators)
}

func terraformValues(values []string, externalID string) string {
	items := make([]string, len(values))
	for i, v := range values {
		items[i] = terraformValue(v, externalID)
	}
	return hclList(items)
}

// terraformValue writes a string: an ARN with the partition of the provider,
// and in place of the external ID its variable.
func terraformValue(value, externalID string) string {
	if value == externalIDPlaceholder {
		return "var." + externalID
	}
	rest, ok := cutPartition(value)
	if !ok {
		return hclString(value)
	}
	before, after, own := strings.Cut(rest, accountPlaceholder)
	text := hclEscape(":" + before)
	if own {
		text += "${data.aws_caller_identity.current.account_id}" + hclEscape(after)
	}
	return `"arn:${data.aws_partition.current.partition}` + text + `"`
}
