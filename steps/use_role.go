package steps

import (
	"rolecall/steps/choose"
	"rolecall/steps/describe"
	"rolecall/steps/handover"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// actionUseRole leaves the way with an IAM user for the one with a role.
const actionUseRole = "use-role"

// mayUseRole reports whether the vendor also takes a role, by the same method,
// and nothing was handed over yet.
func mayUseRole(s *step.Session) bool {
	if s.Vendor == nil || s.Access != describe.AccessUser || s.IsAnswered(record.StepConnect, (&handover.User{}).Basis(s.Answers)...) {
		return false
	}
	_, ok := s.Vendor.Method(s.Method, describe.AccessRole)
	return ok
}

// withRoleHint says on a screen of a user's way that a role is better, and has
// a key for it.
func withRoleHint(s *step.Session, view screen.Screen) screen.Screen {
	if !mayUseRole(s) || s.Unattended {
		return view
	}
	for _, a := range view.Actions {
		if a.Key == "r" {
			return view
		}
	}
	action := screen.Action{ID: actionUseRole, Key: "r", Label: "use a role instead"}
	for _, role := range s.NeededRoles() {
		if part := s.Part(role.Purpose); part.UserARN != "" {
			action.Confirm = &screen.Confirm{Question: "Go on with a role? The user " + part.UserName + " stays in the account as it is."}
		}
	}
	view.Blocks = append(append([]screen.Block(nil), view.Blocks...), screen.Text{Tone: screen.Dim, Body: "A role avoids long-lived keys: there is no secret that could leak."})
	view.Actions = append(append([]screen.Action(nil), view.Actions...), action)
	return view
}

// useRole turns to the role's way. Account and login stay as they were
// answered.
func useRole(s *step.Session) step.Move {
	s.Access = describe.AccessRole
	s.Prepare()
	s.Answered(record.StepVendor, (&choose.Vendor{}).Basis(s.Answers)...)
	for _, one := range Flow(s) {
		if one.Status(s.Answers) == step.Todo {
			return step.Goto(one.ID())
		}
	}
	return step.Stay
}
