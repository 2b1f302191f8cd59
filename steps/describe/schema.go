package describe

import (
	_ "embed"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
)

// source is this package's own description of the format: its comments are the
// schema's, so that the two cannot differ.
//
//go:embed vendor.go
var source string

// Schema is the JSON Schema (2020-12) of a description, made from the Go types
// that Read decodes into, and from what the library has. What a schema cannot say
// (that a statement exists, that a policy is one that AWS takes) only Read finds.
func (l Library) Schema() ([]byte, error) {
	comments, err := commentsOf(source)
	if err != nil {
		return nil, err
	}
	s := schema{library: l, comments: comments, defs: map[string]any{}}
	root := s.object(reflect.TypeFor[Vendor]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "A vendor's description for rolecall"
	root["$defs"] = s.defs
	return json.MarshalIndent(root, "", "  ")
}

type schema struct {
	library  Library
	comments map[string]string // by type, and by type and field: "Role.Inline"
	defs     map[string]any
}

// object describes a struct: its keys, those that must be there, and no others.
func (s *schema) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "-" {
			continue
		}
		property := s.of(f.Type)
		if comment := s.comments[t.Name()+"."+f.Name]; comment != "" {
			property["description"] = comment
		}
		if values := s.enums()[t.Name()+"."+key]; values != nil {
			property["enum"] = values
		}
		properties[key] = property
	}
	object := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if required := requiredKeys()[t.Name()]; required != nil {
		object["required"] = required
	}
	if t.Name() == "Role" {
		object["anyOf"] = []any{
			map[string]any{"required": []string{"policy_name", "policy"}},
			map[string]any{"required": []string{"managed_policies"}},
		}
	}
	if t.Name() == "Step" {
		object["allOf"] = s.steps()
	}
	if comment := s.comments[t.Name()]; comment != "" {
		object["description"] = comment
	}
	return object
}

// steps are what holds for each step of the program: whether it is about a role,
// and what it can mark.
func (s *schema) steps() []any {
	var all []any
	for _, kind := range s.library.Steps {
		known := kind.marks(AccessUser)
		marks := map[string]any{"propertyNames": map[string]any{"enum": known}}
		if len(known) == 0 {
			marks = map[string]any{"maxProperties": 0}
		}
		page := map[string]any{"maxProperties": 0}
		if pages := kind.pages(); len(pages) > 0 {
			page = map[string]any{"propertyNames": map[string]any{"enum": pages}}
		}
		then := map[string]any{"properties": map[string]any{"marks": marks, "page": page, "role": false}}
		if kind.PerRole {
			then = map[string]any{"properties": map[string]any{"marks": marks, "page": page}, "required": []string{"role"}}
		}
		all = append(all, map[string]any{
			"if":   map[string]any{"properties": map[string]any{"id": map[string]any{"const": kind.ID}}, "required": []string{"id"}},
			"then": then,
		})
	}
	return all
}

func (s *schema) of(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		if _, known := s.defs[t.Name()]; !known {
			s.defs[t.Name()] = nil // a product holds products
			s.defs[t.Name()] = s.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	}
	return map[string]any{"type": "string"}
}

// requiredKeys are those that every description must have; Read asks for more
// where others are there.
func requiredKeys() map[string][]string {
	return map[string][]string{
		"Vendor":    {"name", "title", "partitions", "roles"},
		"Link":      {"label", "url"},
		"Partition": {"title"},
		"Role":      {"purpose", "title"},
		"Parameter": {"flag", "label", "pattern"},
		"Reason":    {"for", "without"},
		"Product":   {"id", "title"},
		"Method":    {"id", "access", "title", "steps"},
		"Step":      {"id", "title"},
		"Request":   {"url", "body"},
	}
}

func (s *schema) enums() map[string][]string {
	return map[string][]string{
		"Role.access":    {AccessRole, AccessUser},
		"Role.hand_over": {HandOverRole, HandOverAccount},
		"Parameter.kind": {ParameterBucket},
		"Method.id":      methodIDs(),
		"Method.access":  {AccessRole, AccessUser},
		"Step.id":        s.library.StepIDs(),
		"Vendor.api":     s.library.APIs,
	}
}

// commentsOf collects the comments of a file's types and their fields.
func commentsOf(text string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "vendor.go", text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	comments := map[string]string{}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			named, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			comments[named.Name.Name] = oneLine(general.Doc)
			structure, ok := named.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					comments[named.Name.Name+"."+name.Name] = strings.TrimSpace(oneLine(field.Doc) + " " + oneLine(field.Comment))
				}
			}
		}
	}
	return comments, nil
}

func oneLine(group *ast.CommentGroup) string { return strings.Join(strings.Fields(group.Text()), " ") }
