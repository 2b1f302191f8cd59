package rehearsal

import (
	"encoding/json"
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
	conditions  map[string]any
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
	deletion   string   // DeletionPolicy; empty: none is given
	metadata   any
	condition  string // under which it is made; empty: always
}

type output struct {
	name, description string
	value             any
}

const (
	kindRole   = "AWS::IAM::Role"
	kindPolicy = "AWS::IAM::ManagedPolicy"

	kindProvider = "AWS::IAM::OIDCProvider"
)

// words are AWS's own, as an error.
type words string

func (w words) Error() string { return string(w) }

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
		case "Conditions":
			t.conditions, _ = value.(map[string]any)
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
		return nil, words("[/] 'null' values are not allowed in templates")
	case ast.ScalarNode:
		return n.GetValue(), nil
	}
	return nil, words("unsupported structure.")
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
			return words("Every Parameters object must contain a Type member.")
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
			return words("[/Resources/" + id + "] Every Resources object must contain a Type member.")
		}
		r := resource{id: id, kind: textOf(d["Type"]), deletion: textOf(d["DeletionPolicy"]), metadata: d["Metadata"]}
		r.properties, _ = d["Properties"].(map[string]any)
		r.condition = textOf(d["Condition"])
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
			return words("[/Outputs/" + name + "] Every Outputs member must contain a Value object")
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
		if _, known := t.conditions[r.condition]; r.condition != "" && !known {
			return badTemplate("Unresolved condition dependency %s in the Resources block of the template", r.condition)
		}
		if r.kind != kindRole && r.kind != kindPolicy && r.kind != kindProvider {
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

// under is the template without the resources whose condition does not hold: a
// parameter equals a text.
func (t *template) under(parameters map[string]string) *template {
	out := *t
	out.resources = nil
	for _, r := range t.resources {
		if condition, ok := t.conditions[r.condition].(map[string]any); ok {
			sides, _ := condition["Fn::Equals"].([]any)
			sides = slices.Clone(sides)
			for i, side := range sides {
				if ref, isRef := side.(map[string]any); isRef {
					sides[i] = parameters[textOf(ref["Ref"])]
				}
			}
			if len(sides) != 2 || textOf(sides[0]) != textOf(sides[1]) {
				continue
			}
		}
		out.resources = append(out.resources, r)
	}
	return &out
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
