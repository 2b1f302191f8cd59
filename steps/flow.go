// Package steps is the wizard as a state machine: the table of the steps, the
// flow of each vendor and method, and the walk through it. The steps themselves
// are in the packages below it, each a value that says what is on the screen and
// what it wants done; ui draws and does. Nothing here imports a terminal library.
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

// kind is a step that the program has: what descriptions may say of it, and how
// it is made for a session.
type kind struct {
	id      record.StepID
	perRole bool     // it is walked once for each role
	marks   []string // what it can tell that a person did
	opens   bool     // it opens a page of the console
	fills   []string // which can come with these values
	user    []string // and what beside, where the vendor gets a user
	make    func(s *step.Session, d step.Described) step.Step
}

// kinds is the one place where a step is registered. describe's checker and
// schema, the flow and the tests have it from here.
func kinds() []kind {
	return []kind{
		{id: record.StepVendor, make: func(_ *step.Session, d step.Described) step.Step { return &choose.Vendor{Described: d} }},
		{id: record.StepPartition, make: func(_ *step.Session, d step.Described) step.Step { return &choose.Partition{Described: d} }},
		{id: record.StepLogin, make: func(_ *step.Session, d step.Described) step.Step { return &choose.Login{Described: d} }},
		{id: record.StepPermissions, make: permissions},
		{id: record.StepPolicy, perRole: true, marks: guide.PolicyMarks(), opens: true,
			make: func(_ *step.Session, d step.Described) step.Step { return &guide.Policy{Described: d} }},
		{id: record.StepProvider, perRole: true, marks: guide.ProviderMarks(), opens: true,
			make: func(_ *step.Session, d step.Described) step.Step { return &guide.Provider{Described: d} }},
		{id: record.StepRole, perRole: true, marks: guide.RoleMarks(), opens: true, fills: guide.RoleFills(),
			make: func(_ *step.Session, d step.Described) step.Step { return &guide.Role{Described: d} }},
		{id: record.StepCreate, make: direct},
		{id: record.StepStack, make: func(_ *step.Session, d step.Described) step.Step { return create.NewStack(d) }},
		{id: record.StepUser, perRole: true, marks: guide.UserMarks(), opens: true,
			make: func(_ *step.Session, d step.Described) step.Step { return &guide.User{Described: d} }},
		{id: record.StepCredentials, perRole: true, marks: []string{describe.MarkOpened}, opens: true,
			make: func(_ *step.Session, d step.Described) step.Step { return &guide.Credentials{Described: d} }},
		{id: record.StepAdmit, perRole: true, marks: handover.AdmitMarks(),
			make: func(_ *step.Session, d step.Described) step.Step { return &handover.Admit{Described: d} }},
		{id: record.StepConnect, user: handover.UserMarks(), make: handOver},
	}
}

func permissions(s *step.Session, d step.Described) step.Step {
	if len(s.Vendor.Products) == 0 {
		return &choose.FixedPermissions{Permissions: choose.Permissions{Described: d}}
	}
	return &choose.Permissions{Described: d}
}

func direct(s *step.Session, d step.Described) step.Step {
	if s.Access == describe.AccessUser {
		return create.NewDirectUser(d)
	}
	return create.NewDirect(d)
}

func handOver(s *step.Session, d step.Described) step.Step {
	if s.Access == describe.AccessUser {
		return &handover.User{Described: d}
	}
	if s.Vendor.HandOver.URL != "" {
		return &handover.Request{Connect: handover.Connect{Described: d}}
	}
	return &handover.Connect{Described: d}
}

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
	flow, table := make([]step.Step, 0, len(described)), kinds()
	for _, d := range described {
		if step := stepOf(s, table, d); step != nil {
			flow = append(flow, step)
		}
	}
	return flow
}

// Asking are the steps of the chosen vendor's automatic method that ask for what
// is to be granted and where, for a flow that goes on otherwise. They have no
// place in the vendor's own wizard.
func Asking(s *step.Session) []step.Step {
	if s.Vendor == nil {
		return nil
	}
	method, _ := s.Vendor.Method(describe.Automatic, describe.AccessRole)
	var asking []step.Step
	table := kinds()
	for _, d := range method.Steps {
		switch record.StepID(d.ID) {
		case record.StepPartition, record.StepLogin, record.StepPermissions:
			d.Number = ""
			asking = append(asking, stepOf(s, table, d))
		}
	}
	return asking
}

// stepOf makes the step that a description names; nil where the program has
// none of that name.
func stepOf(s *step.Session, table []kind, d describe.Step) step.Step {
	for _, kind := range table {
		if string(kind.id) == d.ID {
			return kind.make(s, step.Described{Spec: d})
		}
	}
	return nil
}
