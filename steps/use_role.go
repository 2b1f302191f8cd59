package steps

import (
	"slices"

	"rolecall/steps/choose"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Detours lists the other ways that the flow of the chosen vendor and method
// offers on each screen.
func Detours(s *step.Session) []step.Detour {
	if s.Vendor != nil && s.Access == describe.AccessUser {
		return []step.Detour{useRole{}}
	}
	return nil
}

// useRole leaves the way with an IAM user for the one with a role.
type useRole struct{}

const (
	actionUseRole = "use-role"
	keyUseRole    = "r"
)

// open reports whether the vendor also takes a role, by the same method, and
// nothing was handed over yet.
func (useRole) open(s *step.Session) bool {
	method, ok := s.Vendor.Method(s.Method, s.Access)
	if _, other := s.Vendor.Method(s.Method, describe.AccessRole); !ok || len(method.Steps) == 0 || !other || s.Access != describe.AccessUser {
		return false
	}
	last := stepOf(s, kinds(), method.Steps[len(method.Steps)-1])
	return last != nil && last.Status(s.Answers) != step.Done
}

// Show says that a role is better, and has a key for it where the step has no
// use of its own for that key.
func (u useRole) Show(s *step.Session, view screen.Screen) screen.Screen {
	taken := slices.ContainsFunc(view.Actions, func(a screen.Action) bool { return a.Key == keyUseRole })
	if taken || s.Unattended || !u.open(s) {
		return view
	}
	action := screen.Action{ID: actionUseRole, Key: keyUseRole, Label: "use a role instead"}
	_, loose := s.LooseKey()
	for _, role := range s.Request().Needed() {
		if part := s.Part(role.Purpose); part.UserARN != "" && !loose { // of a key, the walk asks
			action.Confirm = &screen.Confirm{Question: "Go on with a role? The user " + part.UserName + " stays in the account as it is."}
		}
	}
	view.Blocks = append(
		slices.Clone(view.Blocks),
		screen.Text{Tone: screen.Dim, Body: "A role avoids long-lived keys: there is no secret that could leak."},
	)
	view.Actions = append(slices.Clone(view.Actions), action)
	return view
}

// Leads reports whether the way was chosen and is open.
func (u useRole) Leads(s *step.Session, chosen screen.Chose) bool {
	return chosen == (screen.Chose{ID: actionUseRole}) && u.open(s)
}

// Take turns to the role's way. Account and login stay as they were answered.
func (useRole) Take(s *step.Session) step.Move {
	s.Access = describe.AccessRole
	s.Prepare()
	choose.Chosen(s)
	for _, one := range Flow(s) {
		if one.Status(s.Answers) == step.Todo {
			return step.Goto(one.ID())
		}
	}
	return step.Stay
}
