package onboard

import (
	"fmt"
	"strings"

	"rolecall/steps/organisation"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// End says how it ended, and gives what a person has to hand over.
type End struct{ flow *Flow }

// ID names the step.
func (*End) ID() record.StepID { return stepConnected }

// Title stands on the rail.
func (*End) Title() string { return "Connected" }

// Status is Done where all are connected.
func (e *End) Status(record.Answers) step.Status {
	if r := e.flow.report; r != nil && r.Worst() == nil {
		return step.Done
	}
	return step.Todo
}

// Enter shows how it ended.
func (*End) Enter(*step.Session) []screen.Effect { return nil }

// Update ends the walk, or tries again.
func (e *End) Update(_ *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	if chosen, ok := msg.(screen.Chose); ok {
		switch chosen.ID {
		case "end":
			return step.Stop, nil
		case "again":
			e.flow.report, e.flow.finished = nil, false
			return step.Goto(stepApply), nil
		}
	}
	return step.Stay, nil
}

// Screen shows the totals, the causes and the list.
func (e *End) Screen(s *step.Session) screen.Screen {
	view := heading("Connected", "Every account is connected, or named with its cause. rolecall org status looks again at any time.")
	r := e.flow.report
	if r == nil {
		return view
	}
	t := r.Totals
	verdict := screen.Text{Tone: screen.Good,
		Body: fmt.Sprintf("Connected: %s to %s.", screen.Counted(t.Connected, "account"), s.Vendor.Title)}
	if t.Failed+t.Waiting > 0 {
		view.Heading = "Not all connected"
		verdict = screen.Text{Tone: screen.Warning,
			Body: fmt.Sprintf("%s of %s are connected, %s failed, %s wait.", screen.Thousands(t.Connected),
				screen.Counted(t.Accounts, "account"), screen.Thousands(t.Failed), screen.Thousands(t.Waiting))}
	}
	view.Blocks = append(append(view.Blocks, verdict), causes(r)...)
	if r.Next != "" {
		view.Blocks = append(view.Blocks, screen.Text{Body: r.Next})
	}
	view.Blocks = append(view.Blocks, screen.Facts{
		{Label: "StackSet", Value: r.StackSet.Name, Copy: true}, {Label: "Session", Value: r.Session, Copy: true},
		{Label: "Left out", Value: screen.Thousands(t.Excluded)}},
		screen.Code{Label: "Accounts", Name: "accounts.csv", Body: list(r), About: screen.Counted(len(r.Accounts), "line")},
		screen.Text{Tone: screen.Dim, Body: "New accounts, and those that failed: rolecall org apply closes the gap; it can run on a schedule."})
	view.Actions = []screen.Action{{ID: "end", Label: "leave", Default: true}}
	if t.Failed > 0 {
		view.Actions = append(view.Actions, screen.Action{ID: "again", Key: "t", Label: "try those that failed again"})
	}
	return view
}

// list is what a person hands over: account, role and state. Names are left out:
// they are anybody's text.
func list(r *organisation.Report) string {
	var b strings.Builder
	b.WriteString("account_id,state,role_arn,vendor_account\n")
	for _, row := range r.Accounts {
		fmt.Fprintf(&b, "%s,%s,%s,%s\n", row.AccountID, row.State, row.RoleARN, row.VendorAccount)
	}
	return b.String()
}
