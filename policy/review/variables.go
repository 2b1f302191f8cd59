package review

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/policy"
)

// quoted puts a value into a sentence, in quotes and not too long.
func quoted(format, v string) string {
	return strings.Replace(format, "%s", fmt.Sprintf("%q", short(v)), 1)
}

// badVariable is a policy variable in a condition's value that is never
// replaced.
func (m *model) badVariable(c *policy.Condition, operator, v string) *valueProblem {
	why := m.variableProblem(v)
	if why == "" && strings.Contains(v, "${") && !strings.HasPrefix(operator, "String") && !strings.HasPrefix(operator, "Arn") {
		why = fmt.Sprintf("%s takes no policy variables: they work with string and ARN operators only", c.Operator)
	}
	if why == "" {
		return nil
	}
	return &valueProblem{"variable", "A policy variable that is never replaced", fmt.Sprintf("%q: %s.", short(v), why)}
}

// variableProblem says why a policy variable in a text is never replaced, ""
// where each can be. Source:
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html.
func (m *model) variableProblem(text string) string {
	if !strings.Contains(text, "${") {
		return ""
	}
	if m.doc != nil && m.doc.Version != policy.Version2012 {
		return "policy variables need the version 2012-10-17; without it the text is compared as it stands"
	}
	for {
		_, after, open := strings.Cut(text, "${")
		if !open {
			return ""
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || strings.Contains(name, "${") {
			return "the brace of a variable is not closed"
		}
		if why := m.nameProblem(name); why != "" {
			return why
		}
		text = rest
	}
}

func (m *model) nameProblem(name string) string {
	key, fallback, hasDefault := strings.Cut(name, ",")
	fallback = strings.TrimSpace(fallback)
	switch {
	case strings.TrimSpace(name) == "":
		return "the variable is empty"
	case name == "*" || name == "?" || name == "$":
		return ""
	case foreignVariable(name) != "":
		return "this is " + foreignVariable(name) + " left in, which IAM does not know"
	case hasDefault && (len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\''):
		return "the default value of a variable stands in single quotes, as in ${aws:username, 'anonymous'}"
	case strings.ContainsAny(key, " \t"):
		return "a variable's name has no blank"
	}
	folded := strings.ToLower(key)
	kind, known := m.keyKind(&statement{Statement: &policy.Statement{}}, folded)
	service, _, _ := strings.Cut(folded, ":")
	switch {
	case service == "transfer" || service == "iot" || service == "credentials-iot":
		return "" // their variables are no condition keys of IAM's own
	case !strings.Contains(folded, ":") || !known:
		return "there is no condition key " + short(key) + m.nearestKey(folded) + ", so the variable is never replaced"
	case strings.HasPrefix(kind, "ArrayOf"):
		return short(key) + " has several values, and a variable takes one"
	}
	return ""
}

// foreignVariable names the tool whose own variable this is; "" for none.
func foreignVariable(name string) string {
	for _, prefix := range [...]string{"var.", "local.", "data.", "module.", "each.", "count.", "path.", "terraform.", "self.", "aws_",
		"jsonencode("} {
		if strings.HasPrefix(name, prefix) {
			return "Terraform text"
		}
	}
	switch {
	case strings.HasPrefix(name, "AWS::"), !strings.ContainsAny(name, ": .,") && name != "" && name[0] >= 'A' && name[0] <= 'Z':
		return "CloudFormation text (Fn::Sub)"
	case strings.HasPrefix(name, "self:"), strings.HasPrefix(name, "opt:"), strings.HasPrefix(name, "env:"), strings.HasPrefix(name, "ssm:/"),
		strings.HasPrefix(name, "file("), strings.HasPrefix(name, "param:"), strings.HasPrefix(name, "sls:"):
		return "Serverless Framework text"
	case strings.HasPrefix(name, "Token["):
		return "a token of the CDK"
	}
	return ""
}

// nearestKey suggests the global key that was likely meant.
func (m *model) nearestKey(key string) string {
	if m.guesses++; len(key) > 40 || m.guesses > maxGuesses {
		return ""
	}
	best, distance := "", 3
	for name := range m.tables.keys {
		if d := distanceOf(key, name); d < distance || d == distance && best != "" && name < best {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + m.tables.spelled[best] + "?)"
}

// variables are the findings about a statement's resources with variables that
// are never replaced.
func (m *model) variables(st *statement) []Finding {
	var out []Finding
	for _, element := range [...]string{"Resource", "NotResource"} {
		list := st.Resource
		if element == "NotResource" {
			list = st.NotResource
		}
		for i, r := range list {
			why := m.variableProblem(r)
			if why == "" || len(out) == maxVariables {
				continue
			}
			f := Finding{ID: "variable", Class: NoEffect, Category: "bad-resource", Severity: Medium, Actions: []string{},
				Title: "A policy variable that is never replaced",
				Why:   fmt.Sprintf("%s: %s. %s", short(r), why, matchesNothing(st, element))}
			if filledIn(r) != r {
				f.Title, f.Fix = "Text of a template was left in", "Review what the template makes of it."
			}
			f.at(st, st.Position(element, i))
			f.Places = []Place{{Statement: st.Sid, Index: st.index, Line: f.Line, Column: f.Column, Entry: r}}
			out = append(out, f)
		}
	}
	return out
}

// maxVariables is how many of one statement's variables are told.
const maxVariables = 8

// matchesNothing says what follows from a resource that matches nothing.
func matchesNothing(st *statement, element string) string {
	not := element == "NotResource"
	switch {
	case st.Effect == policy.Allow && !not:
		return "The resource matches nothing, so it grants nothing."
	case st.Effect == policy.Allow:
		return "It leaves nothing out, so more is granted than it seems."
	case !not:
		return "The resource matches nothing, so it denies nothing."
	}
	return "It leaves nothing out, so more is denied than it seems."
}

// deadResource reports whether a resource of a statement can match nothing.
func (m *model) deadResource(resource string) bool {
	if !strings.Contains(resource, ":") {
		return false // "*", or refused
	}
	if answer, ok := m.deadResources[resource]; ok {
		return answer
	}
	what, _ := shapeOf(resource)
	answer := what != "" || m.variableProblem(resource) != "" && filledIn(resource) == resource
	if m.deadResources == nil {
		m.deadResources = map[string]bool{}
	}
	m.deadResources[resource] = answer
	return answer
}

// live are the resources of a statement that can match something. Text of a
// template that was left in is taken for one name, to be filled in.
func (m *model) live(resources []string) []string {
	if !slices.ContainsFunc(resources, func(r string) bool { return strings.Contains(r, "${") || m.deadResource(r) }) {
		return resources
	}
	out := slices.DeleteFunc(slices.Clone(resources), m.deadResource)
	for i, r := range out {
		out[i] = filledIn(r)
	}
	return out
}

// filledIn puts a name in the place of template text.
func filledIn(text string) string {
	var b strings.Builder
	for {
		before, after, open := strings.Cut(text, "${")
		name, rest, closed := strings.Cut(after, "}")
		if !open || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(before)
		if foreignVariable(name) != "" {
			b.WriteString("NAME")
		} else {
			b.WriteString("${" + name + "}")
		}
		text = rest
	}
}
