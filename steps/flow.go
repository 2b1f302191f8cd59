// Package steps is the wizard as a state machine: the flow of each vendor and
// method, and the walk through it. The steps themselves are in the packages
// below it, each a value that says what is on the screen and what it wants
// done; ui draws and does. Nothing here imports a terminal library.
package steps

import (
	"rolecall/steps/choose"
	"rolecall/steps/create"
	"rolecall/steps/describe"
	"rolecall/steps/guide"
	"rolecall/steps/handover"
	"rolecall/steps/record"
	"rolecall/steps/step"
)

// Flow lists the steps of the chosen vendor and method in their order. A walk
// calls it again after every answer and keeps the steps it knows. Without a
// vendor, or without a method, there is only the step that asks for it.
func Flow(s *step.Session) []step.Step {
	described := []describe.Step{{ID: string(record.StepVendor), Title: "Vendor and method"}}
	if s.Vendor != nil {
		if method, ok := s.Vendor.Method(s.Method, s.Access); ok {
			described = method.Steps
		}
	}
	flow := make([]step.Step, 0, len(described))
	for _, d := range described {
		if step := stepOf(s, d); step != nil {
			flow = append(flow, step)
		}
	}
	return flow
}

// StepNames lists what a description may name as a step.
func StepNames() []record.StepID {
	ids := describe.StepIDs()
	names := make([]record.StepID, len(ids))
	for i, id := range ids {
		names[i] = record.StepID(id)
	}
	return names
}

func stepOf(s *step.Session, d describe.Step) step.Step {
	base := step.Described{Spec: d}
	switch record.StepID(d.ID) {
	case record.StepVendor:
		return &choose.Vendor{Described: base}
	case record.StepPartition:
		return &choose.Partition{Described: base}
	case record.StepLogin:
		return &choose.Login{Described: base}
	case record.StepPermissions:
		if len(s.Vendor.Products) == 0 {
			return &choose.FixedPermissions{Permissions: choose.Permissions{Described: base}}
		}
		return &choose.Permissions{Described: base}
	case record.StepPolicy:
		return &guide.Policy{Described: base}
	case record.StepRole:
		return &guide.Role{Described: base}
	case record.StepCreate:
		if s.Access == describe.AccessUser {
			return &create.DirectUser{Described: base}
		}
		return &create.Direct{Described: base}
	case record.StepUser:
		return &guide.User{Described: base}
	case record.StepCredentials:
		return &guide.Credentials{Described: base}
	case record.StepStack:
		return &create.Stack{Described: base}
	case record.StepConnect:
		if s.Access == describe.AccessUser {
			return &handover.User{Described: base}
		}
		if s.Vendor.HandOver.URL != "" {
			return &handover.Request{Connect: handover.Connect{Described: base}}
		}
		return &handover.Connect{Described: base}
	}
	return nil
}
