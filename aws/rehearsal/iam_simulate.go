package rehearsal

import (
	"fmt"
	"net/http"
	"slices"
)

// evaluationXML is what the policy simulator says about one action on one
// resource.
type evaluationXML struct {
	EvalActionName              string
	EvalResourceName            string
	EvalDecision                string
	OrganizationsDecisionDetail *organizationsDecisionXML
	MissingContextValues        []string `xml:"MissingContextValues>member"`
	MatchedStatements           []string `xml:"MatchedStatements>member"`
}

type organizationsDecisionXML struct{ AllowedByOrganizations bool }

// simulatePrincipalPolicy tells for the caller what the rehearsal would answer:
// an action is denied while a fault denies it, and allowed else.
func simulatePrincipalPolicy(s *Server, q request) (any, *apiError) {
	source, actions, resources := q.form.Get("PolicySourceArn"), members(q, "ActionNames"), members(q, "ResourceArns")
	switch {
	case source != s.options.CallerARN:
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("The user or role %s cannot be found.", source)}
	case len(actions) == 0:
		return nil, invalid("", "actionNames", "Member must not be null")
	}
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	var out struct {
		EvaluationResults []evaluationXML `xml:"EvaluationResults>member"`
		page
	}
	for _, action := range actions {
		for _, resource := range resources {
			out.EvaluationResults = append(out.EvaluationResults, s.evaluate(action, resource))
		}
	}
	return out, nil
}

// evaluate looks at the faults without using one up.
func (s *Server) evaluate(action, resource string) evaluationXML {
	x := evaluationXML{EvalActionName: action, EvalResourceName: resource, EvalDecision: "allowed"}
	for _, f := range s.faults {
		if f.Times == 0 || len(f.Actions) > 0 && !slices.Contains(f.Actions, action) {
			continue
		}
		switch f.Kind {
		case Denied:
			x.EvalDecision = "implicitDeny"
		case DeniedSCP:
			x.EvalDecision, x.OrganizationsDecisionDetail = "implicitDeny", &organizationsDecisionXML{}
		}
	}
	return x
}

// members reads a list parameter.
func members(q request, name string) []string {
	var all []string
	for i := 1; ; i++ {
		v := q.form.Get(fmt.Sprintf("%s.member.%d", name, i))
		if v == "" {
			return all
		}
		all = append(all, v)
	}
}
