package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/explain"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// CheckCommon checks the flags that every command has.
func (a *App) CheckCommon() error {
	if a.Account != "" {
		if err := aws.CheckAccountID(a.Account); err != nil {
			return FlagRefused("--aws-account", err)
		}
	}
	if a.Region != "" {
		if err := aws.CheckRegion(a.Region); err != nil {
			return FlagRefused("--region", err)
		}
	}
	return nil
}

// FlagRefused says which flag an error is about, and that nothing was done.
func FlagRefused(flag string, err error) error {
	p := ProblemOf(err)
	p.What, p.Kind = flag+": "+p.What, screen.Usage
	if p.Next == "" {
		p.Next = "Correct " + flag + "."
	}
	return &screen.Fault{Problem: p, Err: err}
}

// The exit codes of every command, as scripts know them.
const (
	exitDone      = 0
	ExitFailed    = 1
	ExitUsage     = 2
	ExitNotAsIs   = 3
	ExitAWS       = 4
	ExitVendor    = 5
	ExitWaiting   = 8
	exitCancelled = 130
)

// ErrCancelled ends a command that the person left.
var ErrCancelled = errors.New("cancelled")

// Failure is an error with everything that is known beside it. With --json, the
// document is printed with the error inside.
type Failure struct {
	Err      error
	Document func(*ErrorJSON) any // nil: the error alone
}

// Error is the error's.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap gives the error.
func (f *Failure) Unwrap() error { return f.Err }

// ErrorJSON is the error member of a JSON document: our three lines, AWS's or
// the vendor's own words, and what they named.
type ErrorJSON struct {
	What      string `json:"what"`
	Expected  string `json:"expected"`
	Next      string `json:"next"`
	Said      string `json:"said,omitempty"`
	Code      string `json:"code,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Principal string `json:"principal,omitempty"`
	Action    string `json:"action,omitempty"`
	Resource  string `json:"resource,omitempty"`
	DeniedBy  string `json:"denied_by,omitempty"`
	PolicyARN string `json:"policy_arn,omitempty"`
	Parameter string `json:"parameter,omitempty"`
}

// JSONOf is a problem as a member of a JSON document.
func JSONOf(p screen.Problem) *ErrorJSON {
	n := p.Named
	return &ErrorJSON{
		What:      draw.Clean(p.What),
		Expected:  draw.Clean(p.Expected),
		Next:      draw.Clean(p.InScript()),
		Said:      draw.Clean(p.Quoted),
		Code:      draw.Clean(n.Code),
		RequestID: draw.Clean(n.RequestID),
		Principal: draw.Clean(n.Principal),
		Action:    draw.Clean(n.Action),
		Resource:  draw.Clean(n.Resource),
		DeniedBy:  draw.Clean(n.DeniedBy),
		PolicyARN: draw.Clean(n.PolicyARN),
		Parameter: draw.Clean(n.Parameter),
	}
}

// Usage is a refusal of the command line: exit 2, nothing was done.
func Usage(what, expected, next string) error {
	return &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: next, Kind: screen.Usage}}
}

// FlagFault refuses flags that could not be parsed.
func FlagFault(cmd *cobra.Command, err error) error {
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What:     screen.Sentence(err.Error()),
		Expected: "flags of " + cmd.CommandPath(),
		Next:     "List them: " + cmd.CommandPath() + " --help.",
		Kind:     screen.Usage,
	}}
}

// ProblemOf is explain.Problem of an error that there is.
func ProblemOf(err error) screen.Problem {
	if p := explain.Problem(err); p != nil {
		return *p
	}
	return screen.Problem{}
}

// ExitOf is the exit code of a kind of problem.
func ExitOf(kind screen.ProblemKind) int {
	switch kind {
	case screen.Usage:
		return ExitUsage
	case screen.NotAsNeeded:
		return ExitNotAsIs
	case screen.AWSRefused:
		return ExitAWS
	case screen.VendorRefuse:
		return ExitVendor
	case screen.TimedOut:
		return ExitWaiting
	case screen.Failure:
	}
	return ExitFailed
}

// Finish turns a command's error into words, JSON and an exit code.
func (a *App) Finish(ctx context.Context, err error) int {
	code := a.finish(ctx, err)
	if p := a.unwritten(); p != nil && code != exitCancelled {
		a.writeProblem(*p)
		return ExitFailed
	}
	return code
}

func (a *App) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if !a.Started {
		err = asUsage(err)
	}
	cancelled := errors.Is(err, ErrCancelled) || errors.Is(err, describe.ErrInterrupted) ||
		ctx.Err() != nil && errors.Is(err, context.Canceled)
	problem := ProblemOf(err)
	if cancelled {
		problem = cancelledProblem(err)
	}
	a.writeProblem(problem)
	if a.JSON {
		a.writeFailure(err, problem)
	}
	if cancelled {
		return exitCancelled
	}
	return ExitOf(problem.Kind)
}

// asUsage marks what cobra itself refused before any command began.
func asUsage(err error) error {
	var fault *screen.Fault
	if errors.As(err, &fault) {
		return err
	}
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What: screen.Sentence(err.Error()), Expected: "a command of rolecall", Next: "List them: rolecall --help.", Kind: screen.Usage,
	}}
}

// CancelledError says what was saved when the person left.
type CancelledError struct{ Session string }

func (c *CancelledError) Error() string { return "cancelled, session " + c.Session + " is saved" }

// Is makes it an ErrCancelled.
func (c *CancelledError) Is(target error) bool { return target == ErrCancelled }

func cancelledProblem(err error) screen.Problem {
	p := screen.Problem{What: "Cancelled."}
	var saved *CancelledError
	if errors.As(err, &saved) && saved.Session != "" {
		p.What = "Cancelled. Your answers are saved as session " + saved.Session + "."
		p.Next = "Go on: rolecall resume " + saved.Session
	}
	return p
}

// writeProblem writes the three lines: what happened, what was expected, what
// to do next. AWS's or the vendor's own words stand behind the first.
func (a *App) writeProblem(p screen.Problem) {
	talk, mark := a.Talk(), "rolecall: "
	for line := range strings.SplitSeq(p.What, "\n") {
		talk.Hang(mark, draw.Clean(line))
		mark = "  "
	}
	for _, row := range [][2]string{
		{"  said:     ", p.Quoted}, {"  request:  ", p.Named.Request()}, {"  wanted:   ", p.Wanted}, {"  found:    ", p.Found},
		{"  expected: ", p.Expected}, {"  next:     ", p.InScript()},
	} {
		if row[1] != "" {
			talk.Hang(row[0], draw.Clean(row[1]))
		}
	}
}

func (a *App) writeFailure(err error, p screen.Problem) {
	e := JSONOf(p)
	var known *Failure
	if errors.As(err, &known) && known.Document != nil {
		a.WriteJSON(known.Document(e))
		return
	}
	a.WriteJSON(struct {
		Error *ErrorJSON `json:"error"`
	}{e})
}

// WriteJSON prints one document, indented, with nothing in it that a terminal
// would obey.
func (a *App) WriteJSON(document any) {
	if err := draw.WriteJSON(a.Env.Stdout, document); err != nil && a.unwritten() == nil { // Finish tells the latter
		a.Say("rolecall: print JSON: %s", draw.Clean(err.Error()))
	}
}
