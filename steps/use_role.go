package steps

import (
	"rolecall/steps/describe"
)

// actionUseRole leaves the way with an IAM user for the one with a role.
const actionUseRole = "use-role"

// mayUseRole reports whether the vendor also takes a role, by the same method,
// and nothing was handed over yet.
func (s *Session) mayUseRole() bool {
	if s.Vendor == nil || s.Access != describe.AccessUser || s.settled(stepConnect, (&connectUser{}).basis(s.Answers)...) {
		return false
	}
	_, ok := s.Vendor.Method(s.Method, describe.AccessRole)
	return ok
}

// withRoleHint says on a screen of a user's way that a role is better, and has
// a key for it.
func (s *Session) withRoleHint(screen Screen) Screen {
	if !s.mayUseRole() || s.Unattended {
		return screen
	}
	for _, a := range screen.Actions {
		if a.Key == "r" {
			return screen
		}
	}
	action := Action{ID: actionUseRole, Key: "r", Label: "use a role instead"}
	for _, role := range s.NeededRoles() {
		if part := s.Part(role.Purpose); part.UserARN != "" {
			action.Confirm = &Confirm{Question: "Go on with a role? The user " + part.UserName + " stays in the account as it is."}
		}
	}
	screen.Blocks = append(append([]Block(nil), screen.Blocks...), Text{Tone: Dim, Body: "A role avoids long-lived keys: there is no secret that could leak."})
	screen.Actions = append(append([]Action(nil), screen.Actions...), action)
	return screen
}

// useRole turns to the role's way. Account and login stay as they were
// answered.
func (s *Session) useRole() Move {
	s.Access = describe.AccessRole
	s.Prepare()
	s.settle(stepVendor, (&chooseVendor{}).basis(s.Answers)...)
	for _, step := range s.Flow() {
		if step.Status(s.Answers) == Todo {
			return Goto(step.ID())
		}
	}
	return Stay
}
