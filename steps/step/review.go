package step

import (
	"fmt"
	"strings"
	"time"

	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/screen"
)

// Reviewed is what a person should know of a policy before it is created.
type Reviewed struct {
	grants  string        // what is granted, in numbers
	risks   string        // how many findings of which severity, and the worst
	Serious int           // findings of medium severity or worse
	Notes   []screen.Note // by line of the document as it is shown
}

// Reviews are reviews by what they are about, so that who goes back and forth does
// not wait for the same one again.
type Reviews map[string]Reviewed

// Review reads a permissions policy as the reviewer does. Trust policy and
// account are left out: the document is judged for what it grants.
func (s *Session) Review(purpose string, doc *policy.Document) Reviewed {
	text := doc.Pretty()
	about := strings.Join([]string{s.Answers.Vendor, purpose, s.Partition, s.Now().Format(time.DateOnly), text}, "\n")
	if known, ok := s.Reviews[about]; ok {
		return known
	}
	if s.Reviews == nil {
		s.Reviews = Reviews{}
	}
	s.Reviews[about] = s.review(purpose, text)
	return s.Reviews[about]
}

func (s *Session) review(purpose, text string) Reviewed {
	request := s.Request()
	report := review.Review([]byte(text), review.Options{Limit: request.Role(purpose).Limit(), Partition: s.Partition, Now: s.Now(),
		Cost: func(sid string, _ []string) string { return request.Cost(purpose, sid) }})
	r := Reviewed{grants: grantsSentence(report.Actions.Granted, report.Actions.ByAccess), risks: risksSentence(&report)}
	r.Serious = report.Count(review.SeverityRefused) + report.Count(review.High) + report.Count(review.Medium)
	for _, f := range report.Findings {
		if f.Line < 1 || f.Severity == review.Note {
			continue
		}
		note := screen.Note{Line: f.Line, Tone: toneOf(f.Severity), Text: string(f.Severity) + ": " + f.Title, Rank: f.Severity.Rank()}
		if f.Severity.Rank() >= review.Medium.Rank() && f.Cost != "" {
			note.Text = strings.TrimSuffix(note.Text, ".") + ". " + f.Cost
		}
		r.Notes = append(r.Notes, note)
	}
	return r
}

func toneOf(severity review.Severity) screen.Tone {
	if severity.Rank() >= review.Medium.Rank() {
		return screen.Warning
	}
	return screen.Dim
}

// grantsSentence counts what is granted by access level.
func grantsSentence(granted int, byAccess map[string]int) string {
	words := map[policy.AccessLevel]string{
		policy.List:                  "list",
		policy.Read:                  "read",
		policy.Write:                 "write",
		policy.Tagging:               "tag",
		policy.PermissionsManagement: "permissions",
	}
	var parts []string
	for _, level := range policy.AccessLevels() {
		if n := byAccess[level.String()]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", screen.Thousands(n), words[level]))
		}
	}
	return fmt.Sprintf("Grants %s: %s.", screen.Counted(granted, "action"), strings.Join(parts, ", "))
}

// risksSentence counts the findings and names the worst.
func risksSentence(report *review.Report) string {
	var counts []string
	for _, severity := range review.Severities() {
		if n := report.Count(severity); n > 0 && severity != review.Note {
			counts = append(counts, fmt.Sprintf("%d %s", n, severity))
		}
	}
	if len(counts) == 0 {
		return "The review finds nothing to worry about."
	}
	worst := report.Findings[0]
	return fmt.Sprintf("Review: %s; %s.", strings.Join(counts, ", "), screen.LowerFirst(strings.TrimSuffix(worst.Title, ".")))
}

// Text says it all in one paragraph; where tells how to see the findings.
func (r *Reviewed) Text(where string) screen.Text {
	if r.Serious == 0 {
		return screen.Text{Tone: screen.Dim, Body: r.grants + " " + r.risks}
	}
	return screen.Text{Tone: screen.Warning, Body: strings.TrimSpace(r.grants + " " + r.risks + " " + where)}
}

// SeeDocument tells how to see the document; unattended there is nobody to, and
// line by line the document itself says how it is read.
func (s *Session) SeeDocument() string {
	if s.Unattended || s.ScreenStays {
		return ""
	}
	return "v shows them."
}
