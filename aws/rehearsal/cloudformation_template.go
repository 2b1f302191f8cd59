package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// template is a template as far as a rehearsal understands it: IAM roles and
// managed policies with the functions Ref, Fn::GetAtt, Fn::Sub and Fn::Join.
type template struct {
	description string
	parameters  []parameter
	resources   []resource
	outputs     []output
}

type parameter struct {
	name, kind, description, preset string
	hasPreset, noEcho               bool
	shortest, longest               int // 0: no limit
	pattern, constraint             string
	allowed                         []string
}

type resource struct {
	id, kind   string
	properties map[string]any
	needs      []string // resources that have to be there first
}

type output struct {
	name, description string
	value             any
}

const (
	kindRole   = "AWS::IAM::Role"
	kindPolicy = "AWS::IAM::ManagedPolicy"
)

// badTemplate is how CloudFormation refuses a template.
func badTemplate(format string, args ...any) *apiError {
	return &apiError{400, "ValidationError", "Template format error: " + fmt.Sprintf(format, args...)}
}

// readTemplate parses YAML, of which JSON is a part, and checks what
// CloudFormation checks before it makes anything.
func readTemplate(text string) (*template, *apiError) {
	body, bad := parseYAML(text)
	if bad != nil {
		return nil, bad
	}
	t := &template{}
	for _, entry := range entries(body) {
		value, err := plain(entry.Value)
		if err != nil {
			return nil, badTemplate("%s", err)
		}
		var readErr error
		switch key := entry.Key.String(); unquote(key) {
		case "AWSTemplateFormatVersion", "Metadata":
		case "Description":
			t.description = textOf(value)
		case "Parameters":
			readErr = t.readParameters(entry.Value, value)
		case "Resources":
			readErr = t.readResources(entry.Value, value)
		case "Outputs":
			readErr = t.readOutputs(entry.Value, value)
		default:
			return nil, &apiError{400, "ValidationError", "Invalid template property or properties [" + unquote(key) + "]"}
		}
		if readErr != nil {
			return nil, badTemplate("%s", readErr)
		}
	}
	if len(t.resources) == 0 {
		return nil, badTemplate("At least one Resources member must be defined.")
	}
	return t, t.link()
}

func parseYAML(text string) (body ast.Node, bad *apiError) {
	defer func() {
		if recover() != nil {
			body, bad = nil, badTemplate("YAML not well-formed.")
		}
	}()
	if !utf8.ValidString(text) {
		return nil, badTemplate("unsupported structure.")
	}
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, badTemplate("YAML not well-formed.")
	}
	body = file.Docs[0].Body
	if len(entries(body)) == 0 {
		return nil, badTemplate("unsupported structure.")
	}
	return body, nil
}

// entries are a mapping's, in the order of the text.
func entries(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func unquote(key string) string { return strings.Trim(key, `"'`) }

// plain turns a node into maps, lists and scalars; the short forms of
// functions become the long ones.
func plain(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		object := map[string]any{}
		for _, e := range entries(n) {
			value, err := plain(e.Value)
			if err != nil {
				return nil, err
			}
			object[unquote(e.Key.String())] = value
		}
		return object, nil
	case *ast.SequenceNode:
		list := make([]any, 0, len(n.Values))
		for _, item := range n.Values {
			value, err := plain(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case *ast.TagNode:
		return function(n)
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.NullNode:
		return nil, errors.New("[/] 'null' values are not allowed in templates")
	case ast.ScalarNode:
		return n.GetValue(), nil
	}
	return nil, errors.New("unsupported structure.")
}

func function(n *ast.TagNode) (any, error) {
	value, err := plain(n.Value)
	if err != nil {
		return nil, err
	}
	switch name := strings.TrimPrefix(n.Start.Value, "!"); name {
	case "Ref":
		return map[string]any{"Ref": value}, nil
	case "GetAtt":
		if text, ok := value.(string); ok {
			id, attribute, _ := strings.Cut(text, ".")
			value = []any{id, attribute}
		}
		return map[string]any{"Fn::GetAtt": value}, nil
	default:
		return map[string]any{"Fn::" + name: value}, nil
	}
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	case map[string]any, []any:
		text, _ := json.Marshal(v)
		return string(text)
	}
	return fmt.Sprint(v)
}

func numberOf(v any) int {
	n, _ := strconv.Atoi(textOf(v))
	return n
}

func (t *template) readParameters(n ast.Node, value any) error {
	all, _ := value.(map[string]any)
	for _, e := range entries(n) {
		name := unquote(e.Key.String())
		d, ok := all[name].(map[string]any)
		if !ok || textOf(d["Type"]) == "" {
			return fmt.Errorf("Every Parameters object must contain a Type member.") //nolint:staticcheck // AWS's words
		}
		p := parameter{name: name, kind: textOf(d["Type"]), description: textOf(d["Description"]), preset: textOf(d["Default"]),
			noEcho: textOf(d["NoEcho"]) == "true", shortest: numberOf(d["MinLength"]), longest: numberOf(d["MaxLength"]),
			pattern: textOf(d["AllowedPattern"]), constraint: textOf(d["ConstraintDescription"])}
		_, p.hasPreset = d["Default"]
		list, _ := d["AllowedValues"].([]any)
		for _, v := range list {
			p.allowed = append(p.allowed, textOf(v))
		}
		t.parameters = append(t.parameters, p)
	}
	return nil
}

func (t *template) readResources(n ast.Node, value any) error {
	all, _ := value.(map[string]any)
	for _, e := range entries(n) {
		id := unquote(e.Key.String())
		d, ok := all[id].(map[string]any)
		if !ok || textOf(d["Type"]) == "" {
			return fmt.Errorf("[/Resources/%s] Every Resources object must contain a Type member.", id) //nolint:staticcheck // AWS's words
		}
		r := resource{id: id, kind: textOf(d["Type"])}
		r.properties, _ = d["Properties"].(map[string]any)
		switch depends := d["DependsOn"].(type) {
		case string:
			r.needs = append(r.needs, depends)
		case []any:
			for _, one := range depends {
				r.needs = append(r.needs, textOf(one))
			}
		}
		t.resources = append(t.resources, r)
	}
	return nil
}

func (t *template) readOutputs(n ast.Node, value any) error {
	all, _ := value.(map[string]any)
	for _, e := range entries(n) {
		name := unquote(e.Key.String())
		d, _ := all[name].(map[string]any)
		if d["Value"] == nil {
			return fmt.Errorf("[/Outputs/%s] Every Outputs member must contain a Value object", name)
		}
		t.outputs = append(t.outputs, output{name: name, description: textOf(d["Description"]), value: d["Value"]})
	}
	return nil
}

// link finds what each resource needs, and refuses names that nothing has and
// kinds that a rehearsal cannot make.
func (t *template) link() *apiError {
	var unknown []string
	for i := range t.resources {
		r := &t.resources[i]
		if r.kind != kindRole && r.kind != kindPolicy {
			return badTemplate("Unrecognized resource types: [%s]", r.kind)
		}
		names := append([]string(nil), r.needs...)
		references(r.properties, &names)
		r.needs = nil
		for _, name := range names {
			switch {
			case t.resource(name) != nil:
				r.needs = append(r.needs, name)
			case !t.known(name):
				unknown = append(unknown, name)
			}
		}
	}
	if len(unknown) > 0 {
		return badTemplate("Unresolved resource dependencies [%s] in the Resources block of the template", strings.Join(unknown, ", "))
	}
	for _, o := range t.outputs {
		var names []string
		references(o.value, &names)
		for _, name := range names {
			if t.resource(name) == nil && !t.known(name) {
				return badTemplate("Unresolved resource dependencies [%s] in the Outputs block of the template", name)
			}
		}
	}
	if t.circular() {
		return badTemplate("Circular dependency between resources")
	}
	return nil
}

func (t *template) known(name string) bool {
	return strings.HasPrefix(name, "AWS::") || slices.ContainsFunc(t.parameters, func(p parameter) bool { return p.name == name })
}

func (t *template) resource(id string) *resource {
	for i := range t.resources {
		if t.resources[i].id == id {
			return &t.resources[i]
		}
	}
	return nil
}

func (t *template) circular() bool {
	made := map[string]bool{}
	for range t.resources {
		for _, r := range t.resources {
			if !slices.ContainsFunc(r.needs, func(n string) bool { return !made[n] }) {
				made[r.id] = true
			}
		}
	}
	return len(made) < len(t.resources)
}

var substitution = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{([^!}][^}]*)\}`) })

// references collects the names that functions in a value refer to.
func references(v any, names *[]string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			references(item, names)
		}
	case map[string]any:
		name, argument, ok := call(v)
		if !ok {
			for _, item := range v {
				references(item, names)
			}
			return
		}
		switch name {
		case "Ref":
			*names = append(*names, textOf(argument))
		case "Fn::GetAtt":
			if list, ok := argument.([]any); ok && len(list) > 0 {
				*names = append(*names, textOf(list[0]))
			}
		case "Fn::Sub":
			for _, m := range substitution().FindAllStringSubmatch(textOf(argument), -1) {
				id, _, _ := strings.Cut(m[1], ".")
				*names = append(*names, id)
			}
		default:
			references(argument, names)
		}
	}
}

// call reads a function: an object with one key that names it.
func call(v map[string]any) (name string, argument any, ok bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for key, value := range v {
		name, argument = key, value
	}
	return name, argument, name == "Ref" || strings.HasPrefix(name, "Fn::")
}

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
	return nil, fmt.Errorf("Template error: a rehearsal cannot work out %s %s", name, textOf(argument)) //nolint:staticcheck // as AWS writes
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
			failed = fmt.Errorf("Template error: instance of Fn::Sub references invalid resource attribute %s", name) //nolint:staticcheck // AWS's words
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
	why := ""
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

// capability is what the template needs to be acknowledged for.
func (t *template) capability() string {
	needed := ""
	for _, r := range t.resources {
		needed = "CAPABILITY_IAM"
		if r.properties["RoleName"] != nil || r.properties["ManagedPolicyName"] != nil {
			return "CAPABILITY_NAMED_IAM"
		}
	}
	return needed
}
