package handover

import (
	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Admit is the step between a role that is closed and one that lets its vendor
// in: the vendor gets the role's ARN and shows whom to trust under which external
// ID, and the step that made the role completes its trust policy with them.
type Admit struct {
	step.Described
	principal string // as typed
	wrong     string // what is wrong with it
	external  string
	wrongID   string
}

// The fields of Admit.
const (
	fieldPrincipal = "principal"
	fieldAdmitID   = "external-id"
	labelRoleARN   = "Role ARN"
)

// AdmitMarks are the marks of the step Admit.
func AdmitMarks() []string { return []string{labelRoleARN} }

func (c *Admit) basis(a record.Answers) []string {
	part := a.Part(c.Spec.Role)
	return []string{a.Vendor, a.AccountID, part.RoleARN, a.TrustedAccount + part.Principal, part.ExternalID}
}

// Status is Done once the role that exists was completed with what the vendor
// showed.
func (c *Admit) Status(a record.Answers) step.Status {
	switch {
	case !a.PartNeeded(c.Spec.Role):
		return step.NotNeeded
	case a.IsAnswered(c.ID(), c.basis(a)...):
		return step.Done
	}
	return step.Todo
}

// Enter fills in what is known.
func (c *Admit) Enter(s *step.Session) []screen.Effect {
	*c = Admit{Described: c.Described, external: s.Part(c.Spec.Role).ExternalID}
	if trusted := s.Request().Trusted(c.Spec.Role); len(trusted) > 0 {
		c.principal = trusted[0]
	}
	if s.Rehearsal && s.Request().Closed(c.Spec.Role) { // there is no console that shows them
		if c.principal == "" {
			c.principal = describe.SamplePrincipal(c.where(s).Ask, s.Partition)
		}
		c.external = s.Vendor.ExternalID.Example
	}
	return nil
}

func (c *Admit) where(s *step.Session) describe.Partition { return s.Vendor.Partitions[s.Partition] }

// asksPrincipal reports whether the vendor shows whom to trust: else its
// description knows.
func (c *Admit) asksPrincipal(s *step.Session) bool {
	return len(s.Vendor.TrustedAccounts(s.Request().Role(c.Spec.Role), s.Partition)) == 0
}

// Update takes what the vendor shows.
func (c *Admit) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Changed:
		c.typed(msg.ID, msg.Text)
	case screen.Entered:
		c.typed(msg.ID, msg.Text)
		return c.take(s)
	case screen.Chose:
		switch msg.ID {
		case "take":
			return c.take(s)
		case "next":
			s.Answered(c.ID(), c.basis(s.Answers)...)
			return step.Next, nil
		}
	}
	return step.Stay, nil
}

func (c *Admit) typed(field, text string) {
	switch field {
	case fieldPrincipal:
		c.principal, c.wrong = text, ""
	case fieldAdmitID:
		c.external, c.wrongID = text, ""
	}
}

// take judges both values, and goes back to the step that makes the role, which
// shows who gets in and asks before it completes the trust policy.
func (c *Admit) take(s *step.Session) (step.Move, []screen.Effect) {
	principal := aws.CleanARN(c.principal)
	c.wrong, c.wrongID = "", ""
	if c.asksPrincipal(s) {
		c.wrong = c.judge(s, principal)
	}
	id, err := s.PastedExternalID(c.external)
	if err != nil {
		c.wrongID = step.InputProblem(err)
	}
	if c.wrong != "" || c.wrongID != "" {
		return step.Stay, nil
	}
	s.SetPart(c.Spec.Role, func(p *record.Part) {
		p.ExternalID = id
		if c.asksPrincipal(s) {
			p.Principal = principal
		}
	})
	return step.Goto(c.maker(s)), nil
}

// judge says what is wrong with whom the vendor is said to show; empty where
// nothing is.
func (c *Admit) judge(s *step.Session, principal string) string {
	err := s.Vendor.CheckTrustedAccount(s.Partition, principal)
	if err == nil {
		request := s.Request()
		names := request.Names[c.Spec.Role]
		names.Principal = principal
		request.Names[c.Spec.Role] = names
		_, err = request.Grant(c.Spec.Role)
	}
	if err != nil {
		return step.InputProblem(err)
	}
	return ""
}

// maker is the step that makes the role.
func (c *Admit) maker(s *step.Session) record.StepID {
	method, _ := s.Vendor.Method(s.Method, s.Access)
	for _, described := range method.Steps {
		switch id := record.StepID(described.ID); {
		case id == record.StepCreate || id == record.StepStack:
			return id
		case id == record.StepRole && described.Role == c.Spec.Role:
			return step.IDOf(described)
		}
	}
	return record.StepPermissions
}

// waits says that nobody is there to give the vendor the ARN.
func (c *Admit) waits(s *step.Session) *screen.Problem {
	flags := "--external-id …"
	if c.asksPrincipal(s) {
		flags = "--trusted-account … " + flags
	}
	arn := s.Part(c.Spec.Role).RoleARN
	return &screen.Problem{
		What: "The role " + arn + " is closed: nobody of " + s.Vendor.Title + " gets in until its trust policy has what " +
			s.Vendor.Title + " shows.",
		Expected: flags,
		Next:     "Give " + s.Vendor.Title + " the ARN, then go on, with these flags beside: rolecall resume " + s.ID + " --yes",
		Kind:     screen.TimedOut}
}

// Screen asks for the vendor's values while the role is closed, and says who
// gets in afterwards.
func (c *Admit) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	part, request := s.Part(c.Spec.Role), s.Request()
	arn := screen.Fact{Label: labelRoleARN, Value: part.RoleARN, Copy: true}
	if !request.Closed(c.Spec.Role) {
		view.Blocks = []screen.Block{
			screen.Text{Tone: screen.Good, Body: "The role lets in whom " + s.Vendor.Title + " showed, and nobody else."},
			screen.Facts{arn, {Label: "Trusts", Value: aws.Principals(request.Trusted(c.Spec.Role))},
				{Label: step.LabelExternalID, Value: part.ExternalID}},
		}
		view.Blocks = append(view.Blocks, c.Guide(s)...)
		view.Actions = []screen.Action{{ID: "next", Label: "go on", Default: true}}
		return view
	}
	view.Blocks = append([]screen.Block{
		screen.Text{Body: "The role exists and is closed: nobody of " + s.Vendor.Title + " gets in. Give " + s.Vendor.Title +
			" the ARN, and paste here what it shows then."},
		screen.Facts{arn},
	}, c.Guide(s)...)
	if c.asksPrincipal(s) {
		view.Blocks = append(view.Blocks, screen.Input{ID: fieldPrincipal, Label: s.Vendor.Whose() + " role or user ARN", Value: c.principal,
			Hint: describe.SamplePrincipal(c.where(s).Ask, s.Partition), Problem: c.wrong, Flag: "--trusted-account"})
	}
	view.Blocks = append(view.Blocks, screen.Input{ID: fieldAdmitID, Label: step.LabelExternalID, Value: c.external,
		Hint: s.Vendor.ExternalID.Example, Problem: c.wrongID, Flag: "--external-id"})
	if s.Unattended && (c.external == "" || c.asksPrincipal(s) && c.principal == "") {
		view.Blocks = screen.ProblemFirst(view.Blocks, c.waits(s))
	}
	view.Actions = []screen.Action{{ID: "take", Label: "complete the trust policy", Default: true}}
	return view
}
