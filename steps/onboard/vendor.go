package onboard

import (
	"slices"

	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Vendor asks which vendor gets a role in every account, and for its API token
// where that is not here: without it there are no external IDs.
type Vendor struct {
	flow    *Flow
	problem *screen.Problem
	field   string
	token   bool // it is asked for
}

// ID is the first step's of every walk.
func (*Vendor) ID() record.StepID { return record.StepVendor }

// Title stands on the rail.
func (*Vendor) Title() string { return "Vendor" }

// Status is Done once a vendor was chosen.
func (*Vendor) Status(a record.Answers) step.Status {
	if a.IsAnswered(record.StepVendor, a.Vendor, a.Method) {
		return step.Done
	}
	return step.Todo
}

// Enter shows the vendors.
func (v *Vendor) Enter(s *step.Session) []screen.Effect {
	v.problem, v.field, v.token = nil, "", false
	if s.Vendor != nil {
		if err := s.ConnectAPI(); err != nil {
			v.problem = step.ProblemOf(err)
		}
	}
	return nil
}

// Deeper reports whether a token is asked for.
func (v *Vendor) Deeper() bool { return v.token }

// Up goes back to the vendors.
func (v *Vendor) Up(*step.Session) []screen.Effect {
	v.token, v.field = false, ""
	return nil
}

// Update takes the vendor, then the token.
func (v *Vendor) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Chose:
		return v.chose(s, msg)
	case screen.Changed:
		v.field = ""
	case screen.Entered:
		if err := s.ConnectAPIWith(screen.Secret(step.Pasted(msg.Text))); err != nil || s.API() == nil {
			v.field = "A token of " + s.Vendor.Title + " is needed: it gives each account its external ID."
			if err != nil {
				v.field = step.ProblemOf(err).What
			}
			return step.Stay, nil
		}
		return v.done(s)
	}
	return step.Stay, nil
}

func (v *Vendor) chose(s *step.Session, msg screen.Chose) (step.Move, []screen.Effect) {
	if msg.Block == "vendor" {
		i := slices.IndexFunc(s.Offers, func(o step.Offer) bool { return o.Vendor == msg.ID })
		if i < 0 {
			return step.Stay, nil
		}
		loaded, err := s.LoadVendor(s.Offers[i].Vendor)
		if err != nil {
			v.problem = step.ProblemOf(err)
			return step.Stay, nil
		}
		if s.Answers.Vendor != msg.ID {
			s.Bundles, s.Parameters = nil, nil
		}
		s.Vendor, s.Answers.Vendor, s.Access = loaded, msg.ID, describe.AccessRole
		s.Prepare()
	}
	if s.Vendor == nil {
		return step.Stay, nil
	}
	if err := s.ConnectAPI(); err != nil {
		v.problem = step.ProblemOf(err)
		return step.Stay, nil
	}
	if mints(s.Vendor) && s.API() == nil && s.TakesToken() {
		v.token = true
		return step.Stay, nil
	}
	return v.done(s)
}

func (v *Vendor) done(s *step.Session) (step.Move, []screen.Effect) {
	v.token = false
	s.Answered(record.StepVendor, s.Answers.Vendor, s.Method)
	return step.Next, nil
}

// Screen shows the vendors that take a role.
func (v *Vendor) Screen(s *step.Session) screen.Screen {
	view := heading("Vendor", "Say who is to get a role in the accounts of your organization. Every account gets the same role.")
	if v.token {
		view.Blocks = []screen.Block{
			screen.Text{Body: "Paste an API token of " + s.Vendor.Title + ". It gives each account its external ID. It stays in memory: " +
				"rolecall never writes it down."},
			screen.Input{ID: "token", Label: "API token", Problem: v.field, Secret: true}}
		return view
	}
	view.Blocks = []screen.Block{screen.Text{Body: "Connect the accounts of an organization: AWS makes one role in each of them by a " +
		"CloudFormation StackSet, and rolecall hands each role over as it becomes ready. rolecall never signs in to the accounts."}}
	if len(s.Offers) == 1 && s.Vendor != nil {
		view.Blocks = append(view.Blocks, screen.Text{Body: s.Vendor.About})
		view.Actions = []screen.Action{{ID: "start", Label: "start", Default: true}}
	} else {
		choices := screen.Choices{ID: "vendor", Label: "Who gets the role?", Picked: s.Answers.Vendor}
		for _, o := range s.Offers {
			choices.Options = append(choices.Options, screen.Option{ID: o.Vendor, Label: o.Label, Detail: o.Detail})
		}
		view.Blocks = append(view.Blocks, choices)
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, v.problem)
	return view
}

// External asks a vendor's one external ID of all accounts, where it does not give
// each its own.
type External struct {
	flow  *Flow
	field string
}

// ID names the step.
func (*External) ID() record.StepID { return stepExternal }

// Title stands on the rail.
func (*External) Title() string { return "External ID" }

// Status is Done once it was given, also by a flag.
func (e *External) Status(a record.Answers) step.Status {
	if a.Across != nil && a.IsAnswered(e.ID(), a.Vendor, a.Across.ExternalID) {
		return step.Done
	}
	return step.Todo
}

// Enter shows the field.
func (e *External) Enter(*step.Session) []screen.Effect {
	e.field = ""
	return nil
}

// Update takes the external ID.
func (e *External) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Changed:
		e.field = ""
	case screen.Entered:
		id := step.Pasted(msg.Text)
		if err := s.Vendor.CheckExternalID(id); err != nil || id == "" {
			e.field = "The external ID is missing."
			if err != nil {
				e.field = step.InputProblem(err)
			}
			return step.Stay, nil
		}
		across(s).ExternalID = id
		s.Answered(e.ID(), s.Answers.Vendor, id)
		return step.Next, nil
	}
	return step.Stay, nil
}

// Screen shows the field.
func (e *External) Screen(s *step.Session) screen.Screen {
	view := heading("External ID", "An external ID keeps another customer of the vendor from using your roles.")
	view.Blocks = []screen.Block{
		screen.Text{Body: s.Vendor.Title + " uses one external ID for all of your accounts. " + s.Vendor.ExternalID.Find},
		screen.Input{ID: "external-id", Label: "External ID", Value: across(s).ExternalID, Problem: e.field, Flag: "--external-id"}}
	return view
}
