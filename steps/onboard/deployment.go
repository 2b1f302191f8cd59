package onboard

import (
	"cmp"
	"strconv"

	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// The shares that hold where nobody says otherwise.
const (
	DefaultTolerance  = "10%"
	DefaultConcurrent = "50"
)

// Deployment asks how AWS goes about the accounts.
type Deployment struct {
	flow   *Flow
	typed  map[string]string // what stands in the fields
	wrong  map[string]string // what is wrong with it
	custom bool              // the numbers are asked for
}

const (
	fieldTolerance  = "tolerance"
	fieldConcurrent = "concurrency"
)

// ID names the step.
func (*Deployment) ID() record.StepID { return stepDeployment }

// Title stands on the rail.
func (*Deployment) Title() string { return "Deployment" }

func deploymentBasis(a record.Answers) []string {
	if a.Across == nil {
		return nil
	}
	return []string{a.Across.Tolerance, a.Across.Concurrent, strconv.FormatBool(a.Across.Automatic)}
}

// Status is Done once it was answered.
func (*Deployment) Status(a record.Answers) step.Status {
	if a.Across != nil && a.IsAnswered(stepDeployment, deploymentBasis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Enter shows what holds.
func (d *Deployment) Enter(s *step.Session) []screen.Effect {
	a := across(s)
	d.custom, d.wrong = false, map[string]string{}
	d.typed = map[string]string{fieldTolerance: cmp.Or(a.Tolerance, DefaultTolerance),
		fieldConcurrent: cmp.Or(a.Concurrent, DefaultConcurrent)}
	return nil
}

// Deeper reports whether the numbers are asked for.
func (d *Deployment) Deeper() bool { return d.custom }

// Up goes back to the choice.
func (d *Deployment) Up(*step.Session) []screen.Effect {
	d.custom = false
	return nil
}

// Update takes the numbers, and whether new accounts are meant too.
func (d *Deployment) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Changed:
		d.typed[msg.ID], d.wrong[msg.ID] = msg.Text, ""
	case screen.Entered:
		d.typed[msg.ID] = step.Pasted(msg.Text)
		if d.check() {
			d.custom = false
		}
	case screen.Ticked:
		across(s).Automatic = msg.On
	case screen.Chose:
		return d.chose(s, msg.ID)
	}
	return step.Stay, nil
}

func (d *Deployment) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	switch id {
	case "change":
		d.custom = true
	case "use":
		if !d.check() {
			d.custom = true
			return step.Stay, nil
		}
		a := across(s)
		a.Tolerance, a.Concurrent = d.typed[fieldTolerance], d.typed[fieldConcurrent]
		s.Answered(stepDeployment, deploymentBasis(s.Answers)...)
		return step.Next, nil
	}
	return step.Stay, nil
}

func (d *Deployment) check() bool {
	good := true
	for id, text := range d.typed {
		d.wrong[id] = ""
		share, err := organisation.ParseShare(text)
		switch {
		case err != nil:
			d.wrong[id], good = "A number of accounts is needed, or a percentage up to 100%.", false
		case id == fieldConcurrent && share.N == 0:
			d.wrong[id], good = "At least one account at a time.", false
		}
	}
	return good
}

// Screen shows how it would be done.
func (d *Deployment) Screen(s *step.Session) screen.Screen {
	view := heading("Deployment", "AWS makes the stacks of several accounts at the same time, and stops by itself when too many fail.")
	if d.custom {
		view.Blocks = []screen.Block{
			screen.Text{Body: "A number of accounts, or a percentage of them."},
			screen.Input{ID: fieldTolerance, Label: "Begin no more when more than so many failed", Value: d.typed[fieldTolerance],
				Problem: d.wrong[fieldTolerance], Flag: "--failure-tolerance"},
			screen.Input{ID: fieldConcurrent, Label: "Accounts at the same time", Value: d.typed[fieldConcurrent],
				Problem: d.wrong[fieldConcurrent], Flag: "--concurrency"}}
		return view
	}
	automatic := screen.Node{ID: "automatic", Label: "New accounts get the role too",
		Details: []string{"AWS deploys to accounts that come into these units later. Their roles let nobody in until rolecall org apply gave " +
			"them an external ID and handed them over."}}
	if across(s).Automatic {
		automatic.Tick = screen.On
	}
	region := ""
	if s.AWS != nil {
		region = s.AWS.Region()
	}
	view.Blocks = []screen.Block{
		screen.Facts{
			{Label: "At the same time", Value: d.typed[fieldConcurrent] + " accounts", Note: "--concurrency"},
			{Label: "Stops after", Value: d.typed[fieldTolerance] + " failed", Note: "--failure-tolerance"},
			{Label: "Region", Value: region, Note: "one stack in each account: a role is in all regions"},
		},
		screen.Tree{ID: "automatic", Nodes: []screen.Node{automatic}},
	}
	view.Actions = []screen.Action{{ID: "use", Label: "next", Default: true}, {ID: "change", Key: "e", Label: "change the numbers"}}
	return view
}

// options are what the answers say.
func options(s *step.Session) (organisation.Options, error) {
	a := across(s)
	o := organisation.Options{Acknowledged: true, Automatic: &a.Automatic, Hurried: s.Rehearsal}
	var err error
	if o.Tolerance, err = organisation.ParseShare(cmp.Or(a.Tolerance, DefaultTolerance)); err != nil {
		return o, err
	}
	o.Concurrent, err = organisation.ParseShare(cmp.Or(a.Concurrent, DefaultConcurrent))
	return o, err
}
