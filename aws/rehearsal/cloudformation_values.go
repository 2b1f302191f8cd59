package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// values knows what names stand for.
type values struct {
	ref       func(name string) (string, bool)
	attribute func(id, name string) (string, bool)
}

// resolve replaces functions by their values.
func (x values) resolve(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		list := make([]any, 0, len(v))
		for _, item := range v {
			value, err := x.resolve(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case map[string]any:
		if name, argument, ok := call(v); ok {
			return x.call(name, argument)
		}
		object := map[string]any{}
		for key, item := range v {
			value, err := x.resolve(item)
			if err != nil {
				return nil, err
			}
			object[key] = value
		}
		return object, nil
	}
	return v, nil
}

func (x values) call(name string, argument any) (any, error) {
	switch name {
	case "Ref":
		if value, ok := x.ref(textOf(argument)); ok {
			return value, nil
		}
	case "Fn::GetAtt":
		if list, ok := argument.([]any); ok && len(list) == 2 {
			if value, ok := x.attribute(textOf(list[0]), textOf(list[1])); ok {
				return value, nil
			}
		}
	case "Fn::Sub":
		if text, ok := argument.(string); ok {
			return x.substitute(text)
		}
	case "Fn::Join":
		if list, ok := argument.([]any); ok && len(list) == 2 {
			return x.join(list)
		}
	}
	return nil, words("Template error: a rehearsal cannot work out " + name + " " + textOf(argument))
}

func (x values) substitute(text string) (any, error) {
	var failed error
	text = substitution().ReplaceAllStringFunc(text, func(m string) string {
		name := m[2 : len(m)-1]
		if id, attribute, ok := strings.Cut(name, "."); ok {
			if value, ok := x.attribute(id, attribute); ok {
				return value
			}
		}
		value, ok := x.ref(name)
		if !ok {
			failed = words("Template error: instance of Fn::Sub references invalid resource attribute " + name)
		}
		return value
	})
	return strings.ReplaceAll(text, "${!", "${"), failed
}

func (x values) join(list []any) (any, error) {
	parts, err := x.resolve(list[1])
	if err != nil {
		return nil, err
	}
	all, _ := parts.([]any)
	var words []string
	for _, p := range all {
		words = append(words, textOf(p))
	}
	return strings.Join(words, textOf(list[0])), nil
}

// fill checks the given values and adds the defaults.
func (t *template) fill(given map[string]string) (map[string]string, *apiError) {
	refused := func(format string, args ...any) (map[string]string, *apiError) {
		return nil, &apiError{400, "ValidationError", fmt.Sprintf(format, args...)}
	}
	var missing, strange []string
	filled := map[string]string{}
	for _, p := range t.parameters {
		value, ok := given[p.name]
		switch {
		case ok:
		case p.hasPreset:
			value = p.preset
		default:
			missing = append(missing, p.name)
			continue
		}
		if why := p.check(value); why != "" {
			return refused("%s", why)
		}
		filled[p.name] = value
	}
	for name := range given {
		if !slices.ContainsFunc(t.parameters, func(p parameter) bool { return p.name == name }) {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	switch {
	case len(missing) > 0:
		return refused("Parameters: [%s] must have values", strings.Join(missing, ", "))
	case len(strange) > 0:
		return refused("Parameters: [%s] do not exist in the template", strings.Join(strange, ", "))
	}
	return filled, nil
}

// check gives AWS's sentence about a value that breaks a rule.
func (p parameter) check(value string) string {
	var why string
	switch n := utf8.RuneCountInString(value); {
	case p.shortest > 0 && n < p.shortest:
		why = fmt.Sprintf("must contain at least %d characters", p.shortest)
	case p.longest > 0 && n > p.longest:
		why = fmt.Sprintf("must contain at most %d characters", p.longest)
	case p.pattern != "" && !p.matches(value):
		why = "must match pattern " + p.pattern
	case len(p.allowed) > 0 && !slices.Contains(p.allowed, value):
		why = "must be one of AllowedValues"
	default:
		return ""
	}
	if p.constraint != "" {
		return fmt.Sprintf("Parameter %s failed to satisfy constraint: %s", p.name, p.constraint)
	}
	return fmt.Sprintf("Parameter '%s' %s", p.name, why)
}

func (p parameter) matches(value string) bool {
	re, err := regexp.Compile(`^(?:` + p.pattern + `)$`)
	return err == nil && re.MatchString(value)
}
