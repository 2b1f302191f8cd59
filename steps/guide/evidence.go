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

// pastedEvidence is what the person pasted about a role or a user where rolecall
// cannot look, and what it shows.
type pastedEvidence struct {
	text    string         // all of it that could be used, in a row
	verdict *pastedVerdict // nil: nothing could be judged yet
	notes   []string
}

// pastedVerdict is what evidence says of one role or user, by the checks that a
// live look makes.
type pastedVerdict struct {
	role    *aws.Report     // of a role
	user    *aws.UserReport // of a user
	checks  []aws.Check
	right   bool
	missing []aws.Missing
}

// judge says what evidence shows of the role or user of a step.
type judge func(*evidence.View) (pastedVerdict, error)

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

// fileIn is the call that reads the file which was named in the place of a paste;
// false where the paste is what AWS printed.
func fileIn(text string) (screen.Effect, bool) {
	if !isFile(text) || strings.Contains(strings.TrimSpace(text), "\n") {
		return nil, false
	}
	name := step.Pasted(text)
	return screen.Call{Name: "read " + aws.CleanText(name), Do: func(context.Context) screen.Msg {
		text, err := evidenceIn(name)
		return evidenceRead{text, err}
	}}, true
}

// problem says why a file with evidence cannot be read.
func (m evidenceRead) problem() string {
	return "That file cannot be read: " + step.InputProblem(m.err)
}

// tookEvidence judges what was pasted about the role.
func (c *Role) tookEvidence(s *step.Session, text string) (step.Move, []screen.Effect) {
	c.field = ""
	if read, ok := fileIn(text); ok {
		return step.Stay, []screen.Effect{read}
	}
	c.field = c.pasted.add(s, c.Spec.Role, text, c.judge(s))
	if v := c.pasted.verdict; v != nil && v.right && c.field == "" {
		if err := s.TakeRoleARN(c.Spec.Role, v.role.Role.ARN); err != nil {
			c.field = step.InputProblem(err)
			return step.Stay, nil
		}
		c.pasting = false
		c.take(s, *v.role)
	}
	return step.Stay, nil
}

// judge looks for the role in evidence, whatever the person called it.
func (c *Role) judge(s *step.Session) judge {
	return func(view *evidence.View) (pastedVerdict, error) {
		want := s.WantedRole(c.Spec.Role)
		want.AccountID = s.ExpectedAccount(c.Spec.Role)
		if roles := view.Roles(); len(roles) == 1 && want.RoleARN == "" && !s.Part(c.Spec.Role).NameGiven {
			want.RoleName = roles[0].Name
		}
		seen, report, err := aws.Look(context.Background(), view, want)
		return pastedVerdict{role: &report, checks: report.Checks, right: report.OK, missing: seen.Missing}, err
	}
}

// tookEvidence judges what was pasted about the user.
func (c *User) tookEvidence(s *step.Session, text string) (step.Move, []screen.Effect) {
	c.field = ""
	if read, ok := fileIn(text); ok {
		return step.Stay, []screen.Effect{read}
	}
	c.field = c.pasted.add(s, c.Spec.Role, text, c.judge(s))
	if v := c.pasted.verdict; v != nil && v.right && c.field == "" {
		if err := s.TakePastedUser(c.Spec.Role, *v.user); err != nil {
			c.field = step.InputProblem(err)
			return step.Stay, nil
		}
		s.Answered(c.ID(), c.basis(s.Answers)...)
	}
	return step.Stay, nil
}

// judge looks for the user in evidence, whatever the person called it. The key is
// the next step's.
func (c *User) judge(s *step.Session) judge {
	return func(view *evidence.View) (pastedVerdict, error) {
		want := s.WantedUser(c.Spec.Role)
		want.AccountID = s.ExpectedAccount(c.Spec.Role)
		if users := view.Users(); len(users) == 1 && !s.Part(c.Spec.Role).UserNameGiven {
			want.Name = users[0].Name
		}
		seen, report, err := aws.LookUser(context.Background(), view, want)
		v := pastedVerdict{user: &report, checks: report.Checks, right: report.OK}
		for _, m := range seen.Missing {
			if m.Part != aws.PartKeys {
				v.missing = append(v.missing, m)
			}
		}
		return v, err
	}
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
func (p *pastedEvidence) add(s *step.Session, purpose, text string, judge judge) string {
	if len(p.text)+len(text) > mostEvidence {
		return "That is more than 1 MB. Paste the outputs about this one alone, or check a large file with rolecall verify --evidence FILE."
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
	verdict, err := judge(view)
	if err != nil {
		return evidenceProblem(err)
	}
	*p = pastedEvidence{text: all, verdict: &verdict, notes: view.Notes()}
	return ""
}

func evidenceProblem(err error) string {
	var r *evidence.Refusal
	if errors.As(err, &r) {
		return r.What + " " + r.Next
	}
	return step.InputProblem(err)
}

// blocks show what the pasted evidence says of the role or user, and which output
// comes next: at first that of the given command.
func (p *pastedEvidence) blocks(what, alone string, first []string) []screen.Block {
	if p.verdict == nil {
		blocks := []screen.Block{
			screen.Text{
				Tone: screen.Dim,
				Body: "rolecall cannot look into the account. Paste what this prints in CloudShell, and it checks the " + what + "; " + alone,
			},
		}
		return append(blocks, commandFacts(first)...)
	}
	wrong := step.FirstFailure(p.verdict.checks)
	blocks := []screen.Block{step.OtherChecks(p.verdict.checks, wrong)}
	for _, note := range p.notes {
		blocks = append(blocks, screen.Text{Tone: screen.Dim, Body: note})
	}
	if wrong != nil {
		return screen.ProblemFirst(
			blocks,
			&screen.Problem{What: fmt.Sprintf("The %s is not right yet. %s: %s.", what, step.NameOfCheck(wrong.ID), wrong.Got),
				Expected: wrong.Want, Next: wrong.Fix + " Then paste anew.", Kind: screen.NotAsNeeded, Passing: true, Action: "anew"},
		)
	}
	if len(p.verdict.missing) == 0 {
		return blocks
	}
	var commands []string
	for _, m := range p.verdict.missing {
		commands = append(commands, m.Command)
	}
	blocks = append(blocks, screen.Text{Body: "So far nothing is wrong. Paste what this prints too:"})
	return append(blocks, commandFacts(commands)...)
}

// firstCommand is the one whose output shows a role or a user, before anything is
// known of it.
func firstCommand(kind, name string, check func(string) error) []string {
	if check(name) != nil {
		return nil
	}
	return []string{"aws iam get-" + kind + " --" + kind + "-name " + name + " --output json"}
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

// keyIn is the one active access key that a pasted list shows of the part's user,
// else what is wrong with the list.
func keyIn(s *step.Session, purpose, text string) (id, wrong string) {
	view, err := evidence.Read(strings.NewReader(text), evidence.Ask{AccountID: s.AccountID, Partition: s.Partition, Now: s.Now()})
	if err != nil {
		return "", evidenceProblem(err)
	}
	name := s.Part(purpose).UserName
	seen, err := view.SeeUser(context.Background(), aws.WantUser{Name: name})
	if err != nil {
		return "", evidenceProblem(err)
	}
	var active []string
	for _, key := range seen.Keys {
		if key.Active && aws.CheckAccessKeyID(key.ID) == nil {
			active = append(active, key.ID)
		}
	}
	switch len(active) {
	case 0:
		return "", "That shows no active access key of " + name + "."
	case 1:
		return active[0], ""
	}
	return "", name + " has the active keys " + strings.Join(active, " and ") + ". Enter the one that is meant."
}
