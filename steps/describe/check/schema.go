package check

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"

	"rolecall/steps/describe"
)

// Schema is the JSON Schema (2020-12) of a description, made from the Go types
// that Read decodes into, and from what the library has. What a schema cannot say
// (that a statement exists, that a policy is one that AWS takes) only Read finds.
func (l Library) Schema() ([]byte, error) {
	comments, err := commentsOf(describe.Format())
	if err != nil {
		return nil, err
	}
	s := schema{library: l, comments: comments, defs: map[string]any{}}
	root := s.object(reflect.TypeFor[describe.Vendor]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "A vendor's description for rolecall"
	root["$defs"] = s.defs
	root["$comment"] = "Only rolecall vendors check can say: " + strings.Join(onlyCheck(), "; ") + "."
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
	required := requiredKeys()[t.Name()]
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == notAKey {
			continue
		}
		property := s.of(f.Type)
		if comment := s.comments[t.Name()+"."+f.Name]; comment != "" {
			property["description"] = comment
		}
		s.narrow(property, t.Name()+"."+key, slices.Contains(required, key))
		properties[key] = property
	}
	object := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		object["required"] = required
	}
	s.conditions(object, t.Name())
	if comment := s.comments[t.Name()]; comment != "" {
		object["description"] = comment
	}
	return object
}

// narrow says what the rules say of a value: which there are, what they look
// like, how long they may be.
func (s *schema) narrow(property map[string]any, field string, required bool) {
	if values := s.enums()[field]; values != nil {
		property["enum"] = values
		return
	}
	if rule, ok := rulesByField()[field]; ok {
		target := property
		if items, list := property["items"].(map[string]any); list {
			target = items
		}
		optional := ""
		if !required && property["type"] == "string" {
			optional = "?" // an empty text is one that is not there
		}
		target["pattern"], target["maxLength"] = "^(?:"+rule.pattern+")"+optional+"$", rule.longest
	}
	switch {
	case property["type"] == "string" && required:
		property["minLength"] = 1
	case property["type"] == "array" && required:
		property["minItems"] = 1
	case property["type"] == "object" && required:
		property["minProperties"] = 1
	}
	if names, ok := keyRules()[field]; ok {
		property["propertyNames"] = map[string]any{"type": "string", "pattern": "^(?:" + names.pattern + ")$", "maxLength": names.longest}
	}
	if field == "Step.marks" {
		property["additionalProperties"] = map[string]any{"type": "integer", "minimum": 1}
	}
}

// conditions are what holds where something else does.
func (s *schema) conditions(object map[string]any, name string) {
	when := func(condition, then map[string]any) map[string]any {
		return map[string]any{"if": condition, "then": then}
	}
	switch name {
	case "Role":
		object["anyOf"] = []any{need("policy_name", "policy"), need("managed_policies")}
		object["allOf"] = []any{
			map[string]any{"if": is(map[string]any{"access": constant(describe.AccessUser)}, "access"),
				"then": rather([]string{"user_name"}, []string{"web_identity"}), "else": need("role_name")},
			when(need("web_identity"), rather(nil, []string{"principals", "no_external"})),
		}
	case "Parameter":
		object["if"], object["then"], object["else"] = is(map[string]any{"kind": constant(describe.ParameterChoice)}, "kind"),
			rather([]string{"choices"}, []string{"pattern", "example"}), rather([]string{"pattern", "example"}, []string{"choices"})
	case "ExternalID":
		object["allOf"] = []any{when(need("pattern"), need("example"))}
	case "Term":
		object["allOf"] = []any{when(need("label"), need("example"))}
	case "Partition":
		object["anyOf"] = []any{need("trusted_account"), need("why")}
	case "Step":
		object["allOf"] = s.steps()
	case "Method":
		object["allOf"] = s.methods()
	}
}

// need, rather, constant and is are words of JSON Schema. Every key is named
// under properties too, which strict readers want.
func need(keys ...string) map[string]any { return rather(keys, nil) }

// rather is that some keys are there and others are not.
func rather(there, not []string) map[string]any {
	properties := map[string]any{}
	for _, key := range there {
		properties[key] = true
	}
	for _, key := range not {
		properties[key] = false
	}
	return is(properties, there...)
}

func constant(value string) map[string]any { return map[string]any{"type": "string", "const": value} }

func is(properties map[string]any, keys ...string) map[string]any {
	return map[string]any{"type": "object", "properties": properties, "required": append([]string{}, keys...)}
}

// methods are what holds for each method and access: the steps that have to be
// there whatever else the description says, and no others. Their order a schema
// cannot say.
func (s *schema) methods() []any {
	var all []any
	var ways []any
	for _, c := range s.library.Contracts {
		way := is(map[string]any{"id": constant(c.Method), "access": constant(c.Access)}, "id", "access")
		ways = append(ways, way)
		var has []any
		for _, place := range c.Places {
			if place.When == Always {
				has = append(has, map[string]any{"type": "array", "contains": is(map[string]any{"id": constant(place.Step)}, "id")})
			}
		}
		only := map[string]any{"type": "object", "properties": map[string]any{"id": map[string]any{"type": "string", "enum": c.steps()}}}
		all = append(all, map[string]any{"if": way, "then": map[string]any{"type": "object", "properties": map[string]any{
			"steps": map[string]any{"type": "array", "items": only, "allOf": has}}}})
	}
	return append(all, map[string]any{"anyOf": ways})
}

// steps are what holds for each step of the program: whether it is about a role,
// and what it can mark.
func (s *schema) steps() []any {
	var all []any
	for _, kind := range s.library.Steps {
		known := kind.marks(describe.AccessUser)
		marks := map[string]any{"type": "object", "propertyNames": map[string]any{"type": "string", "enum": known}}
		if len(known) == 0 {
			marks = map[string]any{"type": "object", "maxProperties": 0}
		}
		page := map[string]any{"type": "object", "maxProperties": 0}
		if pages := kind.pages(); len(pages) > 0 {
			page = map[string]any{"type": "object", "propertyNames": map[string]any{"type": "string", "enum": pages}}
		}
		then := is(map[string]any{"marks": marks, "page": page, "role": false})
		if kind.PerRole {
			then = is(map[string]any{"marks": marks, "page": page, "role": true}, "role")
		}
		all = append(all, map[string]any{"if": is(map[string]any{"id": constant(kind.ID)}, "id"), "then": then})
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

// rulesByField are the patterns of values, by type and key.
func rulesByField() map[string]rule {
	link := rule{`https://[^\s"<>@/?#]+([/?#][^\s"<>]*)?`, 2048, "an https link"}
	account := principalRule()
	pattern := rule{`[\s\S]*`, maxPattern, "RE2"}
	return map[string]rule{
		"Vendor.name":               nameRule(),
		"Product.id":                nameRule(),
		"Role.purpose":              purposeRule(),
		"Role.role_name":            iamNameRule(64),
		"Role.user_name":            iamNameRule(64),
		"Role.policy_name":          iamNameRule(128),
		"Role.description":          {`[\t\n\r -~¡-ÿ]*`, 1000, "Latin-1"},
		"Role.principals":           account,
		"Role.managed_policies":     managedPolicyRule(),
		"WebIdentity.issuer":        issuerRule(),
		"WebIdentity.audience":      audienceRule(),
		"WebIdentity.subject":       subjectRule(),
		"Parameter.flag":            flagRule(),
		"Parameter.pattern":         pattern,
		"Term.pattern":              pattern,
		"ExternalID.pattern":        pattern,
		"ExternalID.example":        externalIDRule(),
		"Partition.trusted_account": account,
		"Choice.trusted_account":    account,
		"Vendor.read":               {`[0-9]{4}-[0-9]{2}-[0-9]{2}`, 10, "a day"},
		"Link.url":                  link,
		"Request.url":               link,
		"Links.console":             link,
		"Links.sign_up":             link,
		"Links.connect":             link,
		"Links.remove":              link,
		"Links.docs":                link,
	}
}

// keyRules are the patterns of keys that a description chooses.
func keyRules() map[string]rule {
	return map[string]rule{"Vendor.partitions": partitionRule(), "Role.parameters": parameterRule()}
}

// onlyCheck lists what a schema cannot express.
func onlyCheck() []string {
	return []string{
		"that a policy is one that AWS takes",
		"that what a name refers to exists (roles, statements, actions, products)",
		"that an example follows its pattern",
		"that names stand once",
		"that a role which trusts accounts has an external ID, or says why not",
		"that every statement has a Sid and a reason, and serves a product",
		"the order of steps, and that each role has its own",
		"that marks name an instruction",
		"which placeholders a text can have",
		"that a walk gets to its end",
	}
}

// requiredKeys are those that every description must have; Read asks for more
// where others are there.
func requiredKeys() map[string][]string {
	return map[string][]string{
		"Vendor":      {"name", "title", "partitions", "roles", "methods"},
		"Link":        {"label", "url"},
		"Partition":   {"title"},
		"Role":        {"purpose", "title"},
		"WebIdentity": {"issuer", "audience", "subject"},
		"Parameter":   {"flag", "label"},
		"Choice":      {"value", "title"},
		"Reason":      {"for", "without"},
		"Product":     {"id", "title"},
		"Method":      {"id", "access", "title", "steps"},
		"Step":        {"id", "title"},
		"Request":     {"url", "body"},
	}
}

func (s *schema) enums() map[string][]string {
	return map[string][]string{
		"Partition.ask":  {describe.AskAccount, describe.AskARN},
		"Role.access":    {describe.AccessRole, describe.AccessUser},
		"Role.trust":     {describe.TrustLater},
		"Role.hand_over": {describe.HandOverRole, describe.HandOverAccount},
		"Parameter.kind": {describe.ParameterBucket, describe.ParameterReports, describe.ParameterChoice},
		"Method.id":      methodIDs(),
		"Method.access":  {describe.AccessRole, describe.AccessUser},
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
