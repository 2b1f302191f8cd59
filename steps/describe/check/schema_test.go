package check_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"rolecall/steps"
)

// validator is as much of JSON Schema 2020-12 as the format's schema has. A word
// that it does not know fails the test, so that nothing goes unread.
type validator struct {
	t    *testing.T
	root map[string]any
}

func schemaOf(t *testing.T) validator {
	t.Helper()
	text, err := steps.Library().Schema()
	if err != nil {
		t.Fatal(err)
	}
	v := validator{t: t}
	if err := json.Unmarshal(text, &v.root); err != nil {
		t.Fatal(err)
	}
	return v
}

// takes tells whether a description follows the schema.
func (v validator) takes(text string) bool {
	var value any
	if yaml.Unmarshal([]byte(text), &value) != nil {
		return false
	}
	asJSON, err := json.Marshal(value)
	if err != nil || json.Unmarshal(asJSON, &value) != nil {
		return false
	}
	return v.valid(v.root, value)
}

func (v validator) valid(schema, value any) bool {
	rules, ok := schema.(map[string]any)
	if !ok {
		return schema == true
	}
	for word, rule := range rules {
		if !v.rule(rules, word, rule, value) {
			return false
		}
	}
	return true
}

func (v validator) rule(all map[string]any, word string, rule, value any) bool {
	object, isObject := value.(map[string]any)
	list, isList := value.([]any)
	text, isText := value.(string)
	every := func(values []any, schema any) bool {
		return !slices.ContainsFunc(values, func(one any) bool { return !v.valid(schema, one) })
	}
	switch word {
	case "$schema", "$comment", "$defs", "title", "description", "then", "else":
		return true
	case "$ref":
		return v.valid(v.root["$defs"].(map[string]any)[strings.TrimPrefix(rule.(string), "#/$defs/")], value)
	case "type":
		return typeOf(value) == rule
	case "const":
		return value == rule
	case "enum":
		return slices.Contains(rule.([]any), value)
	case "pattern":
		return !isText || regexp.MustCompile(rule.(string)).MatchString(text)
	case "maxLength":
		return !isText || utf8.RuneCountInString(text) <= int(rule.(float64))
	case "minLength":
		return !isText || utf8.RuneCountInString(text) >= int(rule.(float64))
	case "minimum":
		n, is := value.(float64)
		return !is || n >= rule.(float64)
	case "minItems":
		return !isList || len(list) >= int(rule.(float64))
	case "minProperties":
		return !isObject || len(object) >= int(rule.(float64))
	case "maxProperties":
		return !isObject || len(object) <= int(rule.(float64))
	case "items":
		return every(list, rule)
	case "contains":
		return !isList || slices.ContainsFunc(list, func(one any) bool { return v.valid(rule, one) })
	case "required":
		return !isObject || !slices.ContainsFunc(rule.([]any), func(key any) bool { _, has := object[key.(string)]; return !has })
	case "propertyNames":
		for key := range object {
			if !v.valid(rule, key) {
				return false
			}
		}
		return true
	case "properties":
		for key, schema := range rule.(map[string]any) {
			if one, has := object[key]; has && !v.valid(schema, one) {
				return false
			}
		}
		return true
	case "additionalProperties":
		known, _ := all["properties"].(map[string]any)
		for key, one := range object {
			if _, is := known[key]; !is && !v.valid(rule, one) {
				return false
			}
		}
		return true
	case "allOf":
		return !slices.ContainsFunc(rule.([]any), func(schema any) bool { return !v.valid(schema, value) })
	case "anyOf":
		return slices.ContainsFunc(rule.([]any), func(schema any) bool { return v.valid(schema, value) })
	case "if":
		branch := "else"
		if v.valid(rule, value) {
			branch = "then"
		}
		return all[branch] == nil || v.valid(all[branch], value)
	}
	v.t.Errorf("the schema has the word %q, which the test does not know", word)
	return true
}

func typeOf(value any) string {
	switch value := value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
	}
	return fmt.Sprint(reflect.TypeOf(value))
}

// TestTheSchemaTakesWhatTheCheckerTakes gives it every description there is.
func TestTheSchemaTakesWhatTheCheckerTakes(t *testing.T) {
	v := schemaOf(t)
	texts := map[string]string{
		"acme":           acme,
		"two parameters": acmeParameters("arn:aws:s3:::TRAIL_BUCKET/*", `aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/TRAIL`),
		"a choice":       withChoice,
	}
	for _, pattern := range []string{"../../../assets/vendors/*.yaml", "testdata/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(text)
		}
	}
	for name, text := range texts {
		if _, err := steps.Library().Read([]byte(text), name); err != nil {
			t.Errorf("%s: the checker refuses it: %v", name, err)
		}
		if !v.takes(text) {
			t.Errorf("%s: the schema refuses it", name)
		}
	}
}

// withChoice is acme with a parameter that is one of a list.
var withChoice = strings.NewReplacer(
	`"Resource": "*"}`,
	`"Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "SITE"}}}`,
	"    policy: |\n",
	"    parameters:\n      SITE: {flag: --site, label: Site, about: where your data is, kind: choice, choices: [{value: eu-west-1, title: "+
		"Europe}, {value: us-east-1, title: US}]}\n    policy: |\n",
).Replace(acme)

// beyondSchema are the wrong files that only the checker can refuse; the schema
// says what kind of thing that is in its $comment.
func beyondSchema() []string {
	return []string{
		// What a name refers to, and what follows what.
		"dangling Sid",
		"dangling role",
		"dangling reason",
		"nothing serves it",
		"step with a wrong role",
		"no external ID rule",
		"example against its rule",
		"bad pattern",
		"a user that nobody makes",
		"no default product",
		"parameter used nowhere",
		// What is inside of a text.
		"policy: JSON",
		"policy: statement",
		"policy: no Sid",
		"policy: bad version",
		"control character",
		"turned text",
		"anchor",
		"merge key",
		"tag",
		"placeholder mistyped",
		"placeholder without a role",
		"placeholder in a title",
		"angle brackets",
		"braces",
		"inline policy too long",
		"parameter with a star",
		"request without JSON",
		"request with a list",
		"request of nothing",
		"request mistyped",
		// Names that stand twice, and how many there are in all.
		"product twice",
		"managed policy: twice",
		"managed policies: many",
		"two roles of one name",
		"one account, two partitions",
		"the same step twice",
		"the same method twice",
		"choice twice",
		// Order, and what depends on another place.
		"steps reversed",
		"hand-over before the role",
		"trust without its step",
		"its step without trust",
		"trust and no external ID",
		"mark without instruction",
		"mark of no instruction",
		"condition unknown",
		"condition of no number",
		"marks of a user's step",
		"policy step of an inline",
		"partition without a step",
		"an account without a step",
		"managed policies: user",
		"integration with a role",
		"choice of one",
	}
}

// TestWrongFilesBySchema gives the same wrong files to the schema as to the
// checker: it refuses all but those that no schema can.
func TestWrongFilesBySchema(t *testing.T) {
	v := schemaOf(t)
	beyond, refused := beyondSchema(), 0
	for name, test := range wrongFiles() {
		takes := v.takes(test.text(t))
		if !takes {
			refused++
		}
		if takes != slices.Contains(beyond, name) {
			t.Errorf("%s: the schema takes it: %v", name, takes)
		}
	}
	for name, test := range webFiles() {
		if v.takes(test.text(t)) != (name == "parameter that is not") {
			t.Errorf("%s: the schema takes it", name)
		}
	}
	for _, name := range beyond {
		if _, ok := wrongFiles()[name]; !ok {
			t.Errorf("there is no wrong file %q", name)
		}
	}
	if refused < 60 {
		t.Errorf("the schema refuses %d of %d", refused, len(wrongFiles()))
	}
}
