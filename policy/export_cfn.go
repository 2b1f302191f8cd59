package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// CloudFormation writes the set-up as a template in YAML. It fits every
// partition, names what it makes where names are given (which takes the
// capability CAPABILITY_NAMED_IAM), and has one parameter for each external ID.
func (s *Setup) CloudFormation() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	y := &yamlWriter{}
	y.line(0, "AWSTemplateFormatVersion: '2010-09-09'")
	if s.Description != "" {
		y.line(0, "Description: %s", quoted(s.Description))
	}
	s.parameters(y)
	s.conditions(y)
	y.line(0, "Resources:")
	for _, p := range s.providers() {
		p.resource(y)
	}
	for i := range s.Roles {
		y.external = s.parameter(&s.Roles[i])
		s.Roles[i].resources(y)
	}
	s.outputs(y)
	return y.b.String(), nil
}

// Retained is a template of CloudFormation's whose roles and policies stay when its
// stack is deleted. Each gets metadata beside: a change to nothing but a
// DeletionPolicy is no change to CloudFormation (user guide, "DeletionPolicy
// attribute"). What is retained already stays as it is.
func Retained(template string) string {
	var b strings.Builder
	lines := slices.Collect(strings.Lines(template))
	for i, line := range lines {
		b.WriteString(line)
		text := strings.TrimRight(line, "\r\n")
		made := text == "    Type: AWS::IAM::Role" || text == "    Type: AWS::IAM::ManagedPolicy"
		if made && (i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "    DeletionPolicy:")) {
			b.WriteString("    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n" +
				"    Metadata:\n      Keeps: 'rolecall: stays when the stack is deleted'\n")
		}
	}
	return b.String()
}

func (s *Setup) parameters(y *yamlWriter) {
	providers := s.providers()
	if len(providers) == 0 && !slices.ContainsFunc(s.Roles, func(r SetupRole) bool { return r.guarded() }) {
		return
	}
	y.line(0, "Parameters:")
	for _, p := range providers {
		p.parameter(y)
	}
	for i := range s.Roles {
		r := &s.Roles[i]
		if !r.guarded() {
			continue
		}
		y.line(1, "%s:", s.parameter(r))
		y.line(2, "Type: String")
		y.line(2, "Description: %s", quoted("The external ID that keeps other customers of the vendor from using "+r.ID+"."))
		if r.ExternalID != "" {
			y.line(2, "Default: %s", quoted(r.ExternalID))
		}
		y.line(2, "MinLength: 2")
		y.line(2, "MaxLength: 1224")
		y.line(2, `AllowedPattern: '[\w+=,.@:\/-]*'`)
	}
}

// ExternalIDParameters are the template's parameters that take external IDs, by
// the output of the role that each is for.
func (s *Setup) ExternalIDParameters() map[string]string {
	names := map[string]string{}
	for i := range s.Roles {
		if r := &s.Roles[i]; r.guarded() {
			names[r.Output] = s.parameter(r)
		}
	}
	return names
}

// parameter names the parameter of a role's external ID.
func (s *Setup) parameter(r *SetupRole) string {
	if len(s.Roles) == 1 {
		return "ExternalId"
	}
	return r.ID + "ExternalId"
}

func (r *SetupRole) resources(y *yamlWriter) {
	for i := range r.Policies {
		if p := &r.Policies[i]; !p.Inline {
			p.resource(y, r)
		}
	}
	y.line(1, "%s:", r.ID)
	y.line(2, "Type: AWS::IAM::Role")
	y.line(2, "Properties:")
	y.optional(3, "RoleName", r.Name)
	y.optional(3, "Path", r.Path)
	y.optional(3, "Description", r.Description)
	if r.Boundary != "" {
		y.line(3, "PermissionsBoundary: %s", subARN(r.Boundary))
	}
	if r.SessionDuration > 0 {
		y.line(3, "MaxSessionDuration: %d", int(r.SessionDuration/time.Second))
	}
	y.line(3, "AssumeRolePolicyDocument:")
	y.document(4, r.trust("aws"), nil)
	r.attached(y)
	r.inline(y)
	y.tags(3, r.Tags)
}

func (r *SetupRole) attached(y *yamlWriter) {
	var arns []string
	for _, p := range r.Policies {
		if !p.Inline {
			arns = append(arns, "!Ref "+p.ID)
		}
	}
	for _, arn := range r.ManagedPolicies {
		arns = append(arns, subARN(arn))
	}
	if len(arns) == 0 {
		return
	}
	y.line(3, "ManagedPolicyArns:")
	for _, arn := range arns {
		y.line(4, "- %s", arn)
	}
}

func (r *SetupRole) inline(y *yamlWriter) {
	if !slices.ContainsFunc(r.Policies, func(p SetupPolicy) bool { return p.Inline }) {
		return
	}
	y.line(3, "Policies:")
	for _, p := range r.Policies {
		if p.Inline {
			y.line(4, "- PolicyName: %s", quoted(p.Name))
			y.line(5, "PolicyDocument:")
			y.document(6, p.Document, p.Notes)
		}
	}
}

func (p *SetupPolicy) resource(y *yamlWriter, r *SetupRole) {
	y.line(1, "%s:", p.ID)
	y.line(2, "Type: AWS::IAM::ManagedPolicy")
	y.line(2, "Properties:")
	y.optional(3, "ManagedPolicyName", p.Name)
	y.optional(3, "Path", r.Path)
	y.optional(3, "Description", p.Description)
	y.line(3, "PolicyDocument:")
	y.document(4, p.Document, p.Notes)
}

func (s *Setup) outputs(y *yamlWriter) {
	if !slices.ContainsFunc(s.Roles, func(r SetupRole) bool { return r.Output != "" }) {
		return
	}
	y.line(0, "Outputs:")
	for _, r := range s.Roles {
		if r.Output == "" {
			continue
		}
		y.line(1, "%s:", r.Output)
		y.line(2, "Description: %s", quoted("ARN of the role "+cmpOr(r.Name, r.ID)+", for the vendor"))
		y.line(2, "Value: !GetAtt %s.Arn", r.ID)
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// yamlWriter writes the part of YAML that a template needs.
type yamlWriter struct {
	b        strings.Builder
	external string // the parameter that holds the external ID of the role being written
}

func (y *yamlWriter) line(depth int, format string, args ...any) {
	y.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&y.b, format, args...)
	y.b.WriteByte('\n')
}

func (y *yamlWriter) optional(depth int, key, value string) {
	if value != "" {
		y.line(depth, "%s: %s", key, quoted(value))
	}
}

func (y *yamlWriter) tags(depth int, tags []SetupTag) {
	if len(tags) == 0 {
		return
	}
	y.line(depth, "Tags:")
	for _, tag := range tags {
		y.line(depth+1, "- Key: %s", quoted(tag.Key))
		y.line(depth+2, "Value: %s", quoted(tag.Value))
	}
}

// document writes a policy document, each statement under its note.
func (y *yamlWriter) document(depth int, d *Document, notes map[string]string) {
	y.optional(depth, "Version", d.Version)
	y.optional(depth, "Id", d.ID)
	y.line(depth, "Statement:")
	for i := range d.Statements {
		s := &d.Statements[i]
		if note := comment(notes[s.Sid]); note != "" && s.Sid != "" {
			y.line(depth+1, "# %s", note)
		}
		y.line(depth+1, "- Effect: %s", s.Effect)
		y.optional(depth+2, "Sid", s.Sid)
		y.principals(depth+2, "Principal", s.Principal)
		y.principals(depth+2, "NotPrincipal", s.NotPrincipal)
		for _, element := range [...]string{"Action", "NotAction", "Resource", "NotResource"} {
			y.list(depth+2, element, *s.list(element))
		}
		y.conditions(depth+2, s.Condition)
	}
}

func (y *yamlWriter) list(depth int, key string, values []string) {
	if len(values) == 0 {
		return
	}
	y.line(depth, "%s:", key)
	for _, v := range values {
		if v == externalIDPlaceholder {
			y.line(depth+1, "- !Ref %s", y.external)
			continue
		}
		y.line(depth+1, "- %s", subARN(v))
	}
}

func (y *yamlWriter) principals(depth int, key string, p Principals) {
	switch {
	case p == nil:
	case len(p["*"]) > 0:
		y.line(depth, "%s: '*'", key)
	default:
		y.line(depth, "%s:", key)
		for _, kind := range p.types() {
			y.list(depth+1, kind, p[kind])
		}
	}
}

func (y *yamlWriter) conditions(depth int, conditions []Condition) {
	if len(conditions) == 0 {
		return
	}
	y.line(depth, "Condition:")
	for i, c := range conditions {
		same := func(other Condition) bool { return other.Operator == c.Operator }
		if slices.ContainsFunc(conditions[:i], same) {
			continue
		}
		y.line(depth+1, "%s:", quoted(c.Operator))
		for _, one := range conditions {
			if same(one) {
				y.list(depth+2, quoted(one.Key), one.Values)
			}
		}
	}
}

// quoted writes a string in double quotes, where JSON and YAML agree.
func quoted(text string) string {
	w := &writer{}
	w.str(text)
	return w.b.String()
}

// subARN writes a value, an ARN of any partition as one of the stack's own. In
// a text for Fn::Sub, IAM's own variables have to be kept from it.
func subARN(value string) string {
	rest, ok := cutPartition(value)
	if !ok {
		return quoted(value)
	}
	rest = strings.ReplaceAll(strings.ReplaceAll(rest, "${", "${!"), accountPlaceholder, "${AWS::AccountId}")
	return "!Sub " + quoted("arn:${AWS::Partition}:"+rest)
}
