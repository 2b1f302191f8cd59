package step

import (
	"fmt"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	making "rolecall/steps/make"
)

// StackPlan is the template of the CloudFormation stack that makes what the
// session wants, with what its parameters get.
type StackPlan struct {
	Setup      *policy.Setup
	Template   string
	Parameters map[string]string // the external IDs, as the template names them
	Closed     map[string]string // those of roles whose vendor tells them later, while they are closed
	// Providers are the OIDC providers, by the parameter that says whether the
	// template makes it.
	Providers map[string]policy.WebIdentity
}

// PlanStack writes the template. The error says what is missing, or that it is
// too large.
func (s *Session) PlanStack() (StackPlan, error) {
	setup, err := s.Request().Setup()
	if err != nil {
		return StackPlan{}, err
	}
	template, err := setup.CloudFormation()
	if err == nil {
		err = aws.CheckTemplateSize(template)
	}
	plan := StackPlan{Setup: setup, Template: template, Parameters: map[string]string{}, Closed: map[string]string{},
		Providers: map[string]policy.WebIdentity{}}
	names, makes := setup.ExternalIDParameters(), setup.ProviderParameters()
	for _, role := range setup.Roles {
		if part := s.Part(role.Output); part.Closed != "" {
			plan.Closed[names[role.Output]] = part.Closed
		}
		if role.Web != nil {
			plan.Providers[makes[role.Web.Issuer]] = *role.Web
		}
		if role.ExternalID != "" {
			plan.Parameters[names[role.Output]] = role.ExternalID
		}
	}
	return plan, err
}

// Want is the planner of the stack. The token marks its request.
func (p StackPlan) Want(s *Session, token string) *making.Stack {
	w := &making.Stack{Name: s.Stack.Name, ID: s.Stack.ID, Title: s.Vendor.Title, Template: p.Template,
		Parameters: p.Parameters, Closed: p.Closed, Providers: p.Providers, Wants: map[string]aws.Want{},
		Tags: s.TagList(), Acknowledged: s.Stack.Acknowledged,
		Token: token, AtOnce: s.Unattended, Set: &aws.ChangeSet{}}
	for _, role := range s.Request().Needed() {
		w.Purposes = append(w.Purposes, role.Purpose)
		w.Wants[role.Purpose] = s.WantedRole(role.Purpose)
	}
	return w
}

// StackToken marks a request about a stack, so that repeating it does no harm. It
// is a change set's name, too.
func (s *Session) StackToken() string {
	return fmt.Sprintf("rolecall-%s-%d", dashed(s.ID), s.Now().UnixMilli())
}

// dashed puts dashes for what a stack's name or token may not have.
func dashed(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, text)
}
