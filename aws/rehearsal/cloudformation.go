package rehearsal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stackActions is the table of CloudFormation.
func stackActions() map[string]action {
	return map[string]action{
		"ValidateTemplate": validateTemplate, "CreateStack": createStack, "UpdateStack": updateStack, "DeleteStack": deleteStack,
		"DescribeStacks": describeStacks, "ListStacks": listStacks, "GetTemplate": getTemplate,
		"DescribeStackEvents": describeStackEvents, "DescribeStackResources": describeStackResources,
		"CreateChangeSet": createChangeSet, "DescribeChangeSet": describeChangeSet, "ExecuteChangeSet": executeChangeSet,
		"DeleteChangeSet": deleteChangeSet, "ListChangeSets": listChangeSets,
	}
}

// largestTemplate is the limit of TemplateBody, in bytes.
const largestTemplate = 51200

func stackRefused(format string, args ...any) *apiError {
	return &apiError{400, "ValidationError", fmt.Sprintf(format, args...)}
}

// uuid is an identifier of the form that CloudFormation uses, the same in each
// run of a test.
func (s *Server) uuid() string {
	s.serial++
	sum := sha256.Sum256([]byte(s.options.Account + "/" + strconv.Itoa(s.serial)))
	text := hex.EncodeToString(sum[:])
	return text[:8] + "-" + text[8:12] + "-4" + text[13:16] + "-a" + text[17:20] + "-" + text[20:32]
}

var stackNamePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]*$`) })

func checkStackName(name, field string) *apiError {
	switch {
	case name == "":
		return stackRefused(
			"1 validation error detected: Value '' at '%s' failed to satisfy constraint: Member must have length greater than or equal to 1",
			field,
		)
	case len(name) > 128:
		return stackRefused(
			"1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to 128",
			name,
			field,
		)
	case !stackNamePattern().MatchString(name):
		return stackRefused(
			"1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: "+
				"[a-zA-Z][-a-zA-Z0-9]*",
			name,
			field,
		)
	}
	return nil
}

// readBody reads the template that a request brings.
func readBody(q request) (string, *template, *apiError) {
	text := q.form.Get("TemplateBody")
	switch {
	case q.form.Get("TemplateURL") != "":
		return "", nil, stackRefused("S3 error: Access Denied")
	case text == "":
		return "", nil, stackRefused("Either Template URL or Template Body must be specified.")
	case len(text) > largestTemplate:
		return "", nil, stackRefused(
			"1 validation error detected: Value '%s' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal "+
				"to %d",
			text[:200]+"...",
			largestTemplate,
		)
	}
	t, err := readTemplate(text)
	return text, t, err
}

// asked is what a request for a stack holds, checked.
type asked struct {
	text       string
	template   *template
	parameters map[string]string
	tags       []tag
}

func readAsked(q request) (asked, *apiError) {
	var a asked
	var err *apiError
	if a.text, a.template, err = readBody(q); err != nil {
		return a, err
	}
	given := map[string]string{}
	for i := 1; ; i++ {
		key := q.form.Get(fmt.Sprintf("Parameters.member.%d.ParameterKey", i))
		if key == "" {
			break
		}
		given[key] = q.form.Get(fmt.Sprintf("Parameters.member.%d.ParameterValue", i))
	}
	if a.parameters, err = a.template.fill(given); err != nil {
		return a, err
	}
	a.template = a.template.under(a.parameters)
	if a.tags, err = readTags(q); err != nil {
		return a, err
	}
	needed, have := a.template.capability(), members(q, "Capabilities")
	if needed != "" && !slices.Contains(have, "CAPABILITY_NAMED_IAM") && !slices.Contains(have, needed) {
		return a, &apiError{400, "InsufficientCapabilitiesException", "Requires capabilities : [" + needed + "]"}
	}
	return a, nil
}

type parameterXML struct {
	ParameterKey   string
	ParameterValue string `xml:",omitempty"`
	DefaultValue   string `xml:",omitempty"`
	Description    string `xml:",omitempty"`
	NoEcho         string `xml:",omitempty"`
}

func validateTemplate(_ *Server, q request) (any, *apiError) {
	_, t, err := readBody(q)
	if err != nil {
		return nil, err
	}
	var out struct {
		Description        string         `xml:",omitempty"`
		Parameters         []parameterXML `xml:"Parameters>member"`
		Capabilities       []string       `xml:"Capabilities>member"`
		CapabilitiesReason string         `xml:",omitempty"`
	}
	out.Description = t.description
	for _, p := range t.parameters {
		out.Parameters = append(
			out.Parameters,
			parameterXML{ParameterKey: p.name, DefaultValue: p.preset, Description: p.description, NoEcho: strconv.FormatBool(p.noEcho)},
		)
	}
	if c := t.capability(); c != "" {
		out.Capabilities = []string{c}
		var kinds []string
		for _, r := range t.resources {
			kinds = append(kinds, r.kind)
		}
		slices.Sort(kinds)
		out.CapabilitiesReason = "The following resource(s) require capabilities: [" + strings.Join(slices.Compact(kinds), ", ") + "]"
	}
	return out, nil
}

// stack finds a stack by its ID, or one that was not deleted by its name.
func (s *Server) stack(nameOrID string) *stack {
	for _, k := range slices.Backward(s.state.stacks) {
		if k.id == nameOrID || k.name == nameOrID && k.deleted.IsZero() {
			return k
		}
	}
	return nil
}

func (s *Server) stackOrNot(nameOrID string) (*stack, *apiError) {
	if nameOrID == "" {
		return nil, checkStackName("", "stackName")
	}
	if k := s.stack(nameOrID); k != nil {
		return k, nil
	}
	return nil, stackRefused("Stack with id %s does not exist", nameOrID)
}

// newStack adds a stack without anything in it.
func (s *Server) newStack(name string, a asked, now time.Time) *stack {
	k := &stack{
		name:       name,
		text:       a.text,
		template:   a.template,
		parameters: a.parameters,
		tags:       a.tags,
		created:    now,
		tokens:     map[string]string{},
	}
	k.id = fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/%s", s.options.Partition, s.options.Region, s.options.Account, name, s.uuid())
	s.state.stacks = append(s.state.stacks, k)
	return k
}

func createStack(s *Server, q request) (any, *apiError) {
	name, token := q.form.Get("StackName"), q.form.Get("ClientRequestToken")
	if err := checkStackName(name, "stackName"); err != nil {
		return nil, err
	}
	a, err := readAsked(q)
	if err != nil {
		return nil, err
	}
	if k := s.stack(name); k != nil {
		if token != "" && k.tokens[token] == "CreateStack" {
			return stackID{k.id}, nil // the same request again
		}
		return nil, &apiError{400, "AlreadyExistsException", fmt.Sprintf("Stack [%s] already exists", name)}
	}
	onFailure := q.form.Get("OnFailure")
	if q.form.Get("DisableRollback") == "true" {
		onFailure = "DO_NOTHING"
	}
	now := s.options.Now()
	k := s.newStack(name, a, now)
	k.tokens[token] = "CreateStack"
	s.beginCreate(k, &stackRun{caller: s.callerFor(q), token: token, onFailure: onFailure}, now)
	s.advanceStacks(now)
	return stackID{k.id}, nil
}

type stackID struct {
	StackID string `xml:"StackId"`
}

// callerFor is who signed, or whoever is signed in when somebody else in the
// account acts.
func (s *Server) callerFor(q request) caller {
	if q.caller.arn == "" {
		return caller{arn: s.options.CallerARN}
	}
	return q.caller
}

func updateStack(s *Server, q request) (any, *apiError) {
	k, err := s.stackOrNot(q.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	token := q.form.Get("ClientRequestToken")
	if token != "" && k.tokens[token] == "UpdateStack" {
		return stackID{k.id}, nil
	}
	if err := k.settled(); err != nil {
		return nil, err
	}
	a, err := readAsked(q)
	if err != nil {
		return nil, err
	}
	changes, err := s.changes(k, a.template, a.parameters)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return nil, stackRefused("No updates are to be performed.")
	}
	now := s.options.Now()
	k.tokens[token] = "UpdateStack"
	if err := s.beginUpdate(k, &stackRun{caller: s.callerFor(q), token: token}, a.template, a.text, a.parameters, now); err != nil {
		return nil, err
	}
	s.advanceStacks(now)
	return stackID{k.id}, nil
}

func deleteStack(s *Server, q request) (any, *apiError) {
	k := s.stack(q.form.Get("StackName"))
	if k == nil || !k.deleted.IsZero() || k.status == "DELETE_IN_PROGRESS" {
		return nil, nil // CloudFormation takes that as done
	}
	now := s.options.Now()
	s.beginDelete(k, &stackRun{caller: s.callerFor(q), token: q.form.Get("ClientRequestToken")}, now)
	s.advanceStacks(now)
	return nil, nil
}
