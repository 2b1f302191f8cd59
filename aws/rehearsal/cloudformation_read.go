package rehearsal

import (
	"encoding/base64"
	"slices"
	"strconv"
)

type stackXML struct {
	StackID           string `xml:"StackId"`
	StackName         string
	Description       string         `xml:",omitempty"`
	Parameters        []parameterXML `xml:"Parameters>member"`
	CreationTime      string
	LastUpdatedTime   string `xml:",omitempty"`
	DeletionTime      string `xml:",omitempty"`
	StackStatus       string
	StackStatusReason string        `xml:",omitempty"`
	DisableRollback   bool          `xml:",omitempty"`
	Outputs           []stackOutput `xml:"Outputs>member"`
	Capabilities      []string      `xml:"Capabilities>member"`
	Tags              []tag         `xml:"Tags>member"`
}

func (k *stack) xml() stackXML {
	x := stackXML{StackID: k.id, StackName: k.name, Description: k.template.description, CreationTime: stackStamp(k.created),
		StackStatus: k.status, StackStatusReason: k.reason, Outputs: k.outputs, Tags: k.tags}
	if !k.updated.IsZero() {
		x.LastUpdatedTime = stackStamp(k.updated)
	}
	if !k.deleted.IsZero() {
		x.DeletionTime = stackStamp(k.deleted)
	}
	if c := k.template.capability(); c != "" {
		x.Capabilities = []string{c}
	}
	for _, p := range k.template.parameters {
		value := k.parameters[p.name]
		if p.noEcho {
			value = "****"
		}
		x.Parameters = append(x.Parameters, parameterXML{ParameterKey: p.name, ParameterValue: value})
	}
	return x
}

// pageOf cuts a list as NextToken asks.
func pageOf[T any](q request, all []T) (list []T, next string, err *apiError) {
	const size = 100
	start := 0
	if token := q.form.Get("NextToken"); token != "" {
		text, decodeErr := base64.RawURLEncoding.DecodeString(token)
		n, numErr := strconv.Atoi(string(text))
		if decodeErr != nil || numErr != nil || n < 0 {
			return nil, "", stackRefused("Invalid nextToken value")
		}
		start = min(n, len(all))
	}
	end := min(start+size, len(all))
	if end < len(all) {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	}
	return all[start:end], next, nil
}

func describeStacks(s *Server, q request) (any, *apiError) {
	var all []stackXML
	if name := q.form.Get("StackName"); name != "" {
		k, err := s.stackOrNot(name)
		if err != nil {
			return nil, err
		}
		all = []stackXML{k.xml()}
	} else {
		for _, k := range slices.Backward(s.state.stacks) {
			if k.deleted.IsZero() {
				all = append(all, k.xml())
			}
		}
	}
	list, next, err := pageOf(q, all)
	if err != nil {
		return nil, err
	}
	return struct {
		Stacks    []stackXML `xml:"Stacks>member"`
		NextToken string     `xml:",omitempty"`
	}{list, next}, nil
}

type summaryXML struct {
	StackID             string `xml:"StackId"`
	StackName           string
	TemplateDescription string `xml:",omitempty"`
	CreationTime        string
	LastUpdatedTime     string `xml:",omitempty"`
	DeletionTime        string `xml:",omitempty"`
	StackStatus         string
	StackStatusReason   string `xml:",omitempty"`
}

func listStacks(s *Server, q request) (any, *apiError) {
	filter := members(q, "StackStatusFilter")
	var all []summaryXML
	for _, k := range slices.Backward(s.state.stacks) {
		if len(filter) > 0 && !slices.Contains(filter, k.status) {
			continue
		}
		x := k.xml()
		all = append(
			all,
			summaryXML{x.StackID, x.StackName, x.Description, x.CreationTime, x.LastUpdatedTime, x.DeletionTime, x.StackStatus, x.StackStatusReason},
		)
	}
	list, next, err := pageOf(q, all)
	if err != nil {
		return nil, err
	}
	return struct {
		StackSummaries []summaryXML `xml:"StackSummaries>member"`
		NextToken      string       `xml:",omitempty"`
	}{list, next}, nil
}

func getTemplate(s *Server, q request) (any, *apiError) {
	k, err := s.stackOrNot(q.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	return struct {
		TemplateBody    string
		StagesAvailable []string `xml:"StagesAvailable>member"`
	}{k.text, []string{"Original", "Processed"}}, nil
}

func describeStackEvents(s *Server, q request) (any, *apiError) {
	name := q.form.Get("StackName")
	k := s.stack(name)
	if k == nil {
		return nil, stackRefused("Stack [%s] does not exist", name)
	}
	newest := slices.Clone(k.events)
	slices.Reverse(newest)
	list, next, err := pageOf(q, newest)
	if err != nil {
		return nil, err
	}
	return struct {
		StackEvents []stackEvent `xml:"StackEvents>member"`
		NextToken   string       `xml:",omitempty"`
	}{list, next}, nil
}

type stackResourceXML struct {
	StackID            string `xml:"StackId"`
	StackName          string
	LogicalResourceID  string `xml:"LogicalResourceId"`
	PhysicalResourceID string `xml:"PhysicalResourceId,omitempty"`
	ResourceType       string
	ResourceStatus     string
	Timestamp          string
}

func describeStackResources(s *Server, q request) (any, *apiError) {
	k, err := s.stackOrNot(q.form.Get("StackName"))
	if err != nil {
		return nil, err
	}
	var out struct {
		StackResources []stackResourceXML `xml:"StackResources>member"`
	}
	for _, m := range k.made {
		if m.state != "" {
			out.StackResources = append(out.StackResources, stackResourceXML{k.id, k.name, m.id, m.physical, m.kind, m.state, stackStamp(k.created)})
		}
	}
	return out, nil
}
