package sessions

import (
	"fmt"
	"strings"
	"time"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// Line is one session in a list.
type Line struct {
	Session   string     `json:"session"`
	Vendor    string     `json:"vendor,omitempty"`
	Method    string     `json:"method,omitempty"`
	Account   string     `json:"account_id,omitempty"`
	Step      string     `json:"step,omitempty"`        // the title of the step where it stopped
	Number    int        `json:"step_number,omitempty"` // its place, from 1
	Steps     int        `json:"steps,omitempty"`       // how many there are
	Rehearsal bool       `json:"rehearsal,omitempty"`
	Connected bool       `json:"connected"`
	Updated   *time.Time `json:"updated,omitempty"`
	OpenBy    int        `json:"open_by_process,omitempty"`
	OpenOn    string     `json:"open_on_host,omitempty"`
	OpenSince *time.Time `json:"open_since,omitempty"`
	Problem   string     `json:"problem,omitempty"` // why it cannot be read

	title string // the vendor's, as people know it
}

// linesOf are the lines of all sessions.
func linesOf(a *cli.App, all []record.Listed) []Line {
	vendors := map[string]*describe.Vendor{}
	lines := make([]Line, len(all))
	for i, one := range all {
		lines[i] = LineOf(one)
		if one.Err != nil {
			continue
		}
		name := one.Answers.Vendor
		if _, known := vendors[name]; !known && name != "" {
			vendors[name], _ = steps.Library().Load(name) // a file that is gone leaves the step unknown
		}
		lines[i].title = name
		if vendor := vendors[name]; vendor != nil {
			lines[i].title = vendor.Title
			lines[i].place(a, one.Answers, vendor)
		}
	}
	return lines
}

// place says at which step a session stopped: the first one behind all that is
// done. What is looked at anew each time, such as the login, may be before it.
func (l *Line) place(a *cli.App, answers record.Answers, vendor *describe.Vendor) {
	if answers.Across != nil {
		return // its steps are other ones: rolecall org goes on with it
	}
	s := &step.Session{Answers: answers, Vendor: vendor, Now: a.Env.Now}
	if answers.Method != "" {
		s.Prepare()
	}
	rail := steps.NewWalk(s).Rail()
	at := 0
	for i, item := range rail {
		if item.Status == step.Done {
			at = i + 1
		}
	}
	if at < len(rail) {
		l.Step, l.Number, l.Steps = rail[at].Title, rail[at].Number, len(rail)
	}
}

// LineOf is the line of a session, without the step where it stopped.
func LineOf(one record.Listed) Line {
	line := Line{Session: one.ID}
	if h := one.Holder; h != nil {
		line.OpenBy, line.OpenOn, line.OpenSince = h.PID, h.Host, &h.Since
	}
	if one.Err != nil {
		line.Problem = cli.ProblemOf(one.Err).What
		return line
	}
	s := one.Answers
	line.Vendor, line.Method, line.Account = s.Vendor, s.Method, s.AccountID
	line.Rehearsal, line.Connected, line.Updated = s.Rehearsal, Connected(s), &s.Updated
	return line
}

// Connected reports whether every role of the session was handed over.
func Connected(s record.Answers) bool {
	for _, part := range s.Parts {
		if part.HandedOver || !part.Submitted.IsZero() {
			return true
		}
	}
	return false
}

// receiptLine is the receipt of a session that was removed.
type receiptLine struct {
	Session     string `json:"session"`
	Account     string `json:"account_id,omitempty"`
	Method      string `json:"method,omitempty"` // "organization", where it connects one
	Accounts    int    `json:"accounts,omitempty"`
	Connected   int    `json:"connected,omitempty"` // of an organization's accounts
	Outstanding int    `json:"outstanding"`         // things that rolecall made and did not remove
	Problem     string `json:"problem,omitempty"`
}

// looseReceipts are the receipts that no session is left of, where they still
// matter.
func looseReceipts(store *record.Store) ([]receiptLine, error) {
	all, err := store.ListReceipts()
	if err != nil {
		return nil, err
	}
	lines := []receiptLine{}
	for _, one := range all {
		line := receiptLine{Session: one.Session, Account: one.Receipt.AccountID, Outstanding: len(one.Receipt.Outstanding())}
		if one.Err != nil {
			line.Problem = cli.ProblemOf(one.Err).What
		}
		if line.Problem == "" && one.Receipt.Method == record.MethodOrganisation {
			line.Method = record.MethodOrganisation
			members, err := store.Members(one.Session)
			if err != nil {
				line.Problem = cli.ProblemOf(err).What
			}
			for _, m := range members {
				line.Accounts++
				if m.Connected && !m.Removed {
					line.Connected++
				}
			}
			if !one.Receipt.Rehearsal || err != nil {
				lines = append(lines, line)
			}
			continue
		}
		if line.Problem != "" || !store.HasSession(one.Session) && line.Outstanding > 0 && !one.Receipt.Rehearsal {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

func listSessions(a *cli.App) error {
	store, err := a.Store()
	if err != nil {
		return err
	}
	all, err := store.List()
	if err != nil {
		return err
	}
	receipts, err := looseReceipts(store)
	if err != nil {
		return err
	}
	lines := linesOf(a, all)
	if a.JSON {
		a.WriteJSON(struct {
			Sessions []Line        `json:"sessions"`
			Receipts []receiptLine `json:"receipts"`
		}{lines, receipts})
		return nil
	}
	if len(lines) == 0 {
		a.Say("There are no sessions. Begin one: rolecall, or try rolecall rehearse.")
	} else {
		printSessions(a, lines)
	}
	printReceipts(a, receipts)
	return nil
}

func printSessions(a *cli.App, lines []Line) {
	rows := [][]string{{"SESSION", "VENDOR", "METHOD", "ACCOUNT", "AGE", "STATE"}}
	for _, line := range lines {
		rows = append(rows, []string{line.Session, cli.Dash(line.title), cli.Dash(line.Method), cli.Dash(line.Account), a.Age(line.Updated),
			line.state()})
	}
	a.Out().Table(true, rows)
	for _, line := range lines {
		if line.Problem != "" {
			a.Print("%s\n  See what is known: rolecall sessions show %s", draw.Clean(line.Problem), line.Session)
		}
	}
}

func printReceipts(a *cli.App, receipts []receiptLine) {
	for _, line := range receipts {
		if line.Problem != "" {
			a.Print("%s", draw.Clean(line.Problem))
			continue
		}
		if line.Method == record.MethodOrganisation {
			a.Print("Session %s connects an organization from account %s: %d of %s connected.\n  Look again: rolecall org status", line.Session,
				screen.Grouped(line.Account), line.Connected, screen.Counted(line.Accounts, "account"))
			continue
		}
		a.Print("Session %s was removed, and %d things that it made are left in account %s.\n  Remove them: rolecall disconnect %s",
			line.Session, line.Outstanding, screen.Grouped(line.Account), line.Session)
	}
}

// state says how far a session is, and who has it open.
func (l *Line) state() string {
	var words []string
	switch {
	case l.Problem != "":
		words = append(words, "damaged")
	case l.Connected:
		words = append(words, "connected")
	case l.Step != "":
		words = append(words, fmt.Sprintf("unfinished: step %d of %d, %s", l.Number, l.Steps, draw.Clean(l.Step)))
	default:
		words = append(words, "unfinished")
	}
	if l.Rehearsal {
		words = append(words, "rehearsal")
	}
	if holder := l.Holder(); holder != "" {
		words = append(words, holder)
	}
	return strings.Join(words, "; ")
}

// Holder says who has the session open; empty where nobody has.
func (l *Line) Holder() string {
	switch {
	case l.OpenSince == nil:
		return ""
	case l.OpenBy == 0:
		return "open in another rolecall"
	}
	return fmt.Sprintf("open in process %d on %s since %s", l.OpenBy, draw.Clean(l.OpenOn), l.OpenSince.Local().Format("15:04"))
}
