package guide

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"rolecall/aws"
	"rolecall/aws/evidence"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// mostEvidence is what is taken of pastes in the wizard, in bytes. The outputs
// about one role have some 30,000; a whole account is for verify --evidence.
const mostEvidence = 1 << 20

// pastedEvidence is what the person pasted about the role where rolecall cannot
// look, and what it shows.
type pastedEvidence struct {
	text    string // all of it that could be used, in a row
	report  *aws.Report
	missing []aws.Missing
	notes   []string
}

// evidenceRead is a file with evidence.
type evidenceRead struct {
	text string
	err  error
}

// isEvidence tells what AWS answered, or a file with it, from an ARN.
func isEvidence(text string) bool {
	if strings.HasPrefix(aws.CleanARN(text), "arn:") {
		return false // one that was wrapped when it was copied, too
	}
	text = strings.TrimSpace(text)
	return strings.Contains(text, "\n") || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "\ufeff{") ||
		strings.Contains(text, "aws iam ") ||
		isFile(text)
}

// isFile tells a file's name by what no ARN and no role's name has.
func isFile(text string) bool {
	text = step.Pasted(text)
	for _, start := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return !strings.HasPrefix(text, "arn:") &&
		slices.Contains([]string{".json", ".txt", ".yaml", ".yml", ".template", ".tfstate"}, filepath.Ext(text))
}

// tookEvidence judges what was pasted, by the checks that a live look makes.
func (c *Role) tookEvidence(s *step.Session, text string) (step.Move, []screen.Effect) {
	if c.field = ""; isFile(text) && !strings.Contains(strings.TrimSpace(text), "\n") {
		name := step.Pasted(text)
		return step.Stay, []screen.Effect{screen.Call{Name: "read " + aws.CleanText(name), Do: func(context.Context) screen.Msg {
			text, err := evidenceIn(name)
			return evidenceRead{text, err}
		}}}
	}
	c.field = c.pasted.add(s, c.Spec.Role, text)
	if r := c.pasted.report; r != nil && r.OK && c.field == "" {
		if err := s.TakeRoleARN(c.Spec.Role, r.Role.ARN); err != nil {
			c.field = step.InputProblem(err)
			return step.Stay, nil
		}
		c.pasting = false
		c.take(s, *r)
	}
	return step.Stay, nil
}

// evidenceIn reads a file that the person named.
func evidenceIn(name string) (string, error) {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			name = filepath.Join(home, rest)
		}
	}
	// A pipe that nobody writes to ends at once, rather than hanging in the opening.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, mostEvidence+1))
	return string(text), err
}

// add judges what was pasted before together with what comes now. It returns
// what is wrong with the latter, which then is not kept.
func (p *pastedEvidence) add(s *step.Session, purpose, text string) string {
	if len(p.text)+len(text) > mostEvidence {
		return "That is more than 1 MB. Paste the outputs about this role alone, or check a large file with rolecall verify --evidence FILE."
	}
	all := p.text + text + "\n"
	if !strings.Contains(text, "{") && strings.Contains(text, "aws ") { // a line of a terminal: what it prints comes next
		p.text = all
		return ""
	}
	view, err := evidence.Read(
		strings.NewReader(all),
		evidence.Ask{AccountID: s.ExpectedAccount(purpose), Partition: s.Partition, Now: s.Now()},
	)
	if err != nil {
		return evidenceProblem(err)
	}
	want := s.WantedRole(purpose)
	want.AccountID = s.ExpectedAccount(purpose)
	if roles := view.Roles(); len(roles) == 1 && want.RoleARN == "" && !s.Part(purpose).NameGiven {
		want.RoleName = roles[0].Name // whatever the person called it
	}
	seen, report, err := aws.Look(context.Background(), view, want)
	if err != nil {
		return evidenceProblem(err)
	}
	*p = pastedEvidence{text: all, report: &report, missing: seen.Missing, notes: view.Notes()}
	return ""
}

func evidenceProblem(err error) string {
	var r *evidence.Refusal
	if errors.As(err, &r) {
		return r.What + " " + r.Next
	}
	return step.InputProblem(err)
}

// blocks show what the pasted evidence says and which output comes next.
func (p *pastedEvidence) blocks(s *step.Session, purpose string) []screen.Block {
	if p.report == nil {
		blocks := []screen.Block{
			screen.Text{
				Tone: screen.Dim,
				Body: "rolecall cannot look into the account. Paste what this prints in CloudShell, and it checks the role; the ARN alone goes " +
					"unchecked.",
			},
		}
		return append(blocks, commandFacts(firstCommand(s, purpose))...)
	}
	wrong := step.FirstFailure(p.report.Checks)
	blocks := []screen.Block{step.OtherChecks(p.report.Checks, wrong)}
	for _, note := range p.notes {
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: note})
	}
	if wrong != nil {
		return screen.ProblemFirst(
			blocks,
			&screen.Problem{What: fmt.Sprintf("The role is not right yet. %s: %s.", step.NameOfCheck(wrong.ID), wrong.Got),
				Expected: wrong.Want, Next: wrong.Fix + " Then paste anew.", Kind: screen.NotAsNeeded, Passing: true, Action: "anew"},
		)
	}
	if len(p.missing) == 0 {
		return blocks
	}
	var commands []string
	for _, m := range p.missing {
		commands = append(commands, m.Command)
	}
	blocks = append(blocks, screen.Text{Body: "So far nothing is wrong. Paste what this prints too:"})
	return append(blocks, commandFacts(commands)...)
}

// firstCommand is the one whose output shows a role, before anything is known of
// it.
func firstCommand(s *step.Session, purpose string) []string {
	name := s.Part(purpose).RoleName
	if aws.CheckRoleName(name) != nil {
		return nil
	}
	return []string{"aws iam get-role --role-name " + name + " --output json"}
}

// commandFacts are commands to copy: one line of a shell.
func commandFacts(commands []string) []screen.Block {
	if len(commands) == 0 {
		return nil
	}
	return []screen.Block{screen.Facts{{Label: "Command", Value: strings.Join(commands, "; "), Copy: true}}}
}

// startAnew forgets what was pasted, for outputs that were made after a
// correction.
func (c *Role) startAnew(s *step.Session) {
	c.pasted, c.field, c.pasting = pastedEvidence{}, "", true
	s.SetSeen(c.Spec.Role, func(p *record.SeenPart) { p.Report = nil })
}
