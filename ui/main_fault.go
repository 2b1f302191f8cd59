package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/spot"
	"rolecall/ui/draw"
)

// errCancelled ends a command that the person left.
var errCancelled = errors.New("cancelled")

// failure is an error with everything that is known beside it. With --json, the
// document is printed with the error inside.
type failure struct {
	err      error
	document func(*errorJSON) any // nil: the error alone
}

// Error is the error's.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap gives the error.
func (f *failure) Unwrap() error { return f.err }

// errorJSON is the error member of a JSON document.
type errorJSON struct {
	What     string `json:"what"`
	Expected string `json:"expected"`
	Next     string `json:"next"`
}

// usage is a refusal of the command line: exit 2, nothing was done.
func usage(what, expected, next string) error {
	return &screen.Fault{Problem: screen.Problem{What: what, Expected: expected, Next: next, Kind: screen.Usage}}
}

func flagFault(cmd *cobra.Command, err error) error {
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What:     "The flags cannot be understood: " + draw.Clean(err.Error()) + ".",
		Expected: "flags of " + cmd.CommandPath(),
		Next:     "List them: " + cmd.CommandPath() + " --help.",
		Kind:     screen.Usage,
	}}
}

// problemOf says in three lines what any error means.
func problemOf(err error) screen.Problem {
	var fault *screen.Fault
	if errors.As(err, &fault) {
		return fault.Problem
	}
	if mistakes := describe.MistakesOf(err); len(mistakes) > 0 {
		return mistakesProblem(mistakes)
	}
	var refused *spot.Error
	if errors.As(err, &refused) {
		p := screen.Problem{What: refused.What(), Expected: refused.Expected(), Next: refused.Next(), Quoted: refused.Quoted(), Kind: screen.VendorRefuse}
		if refused.Status == 0 && !refused.Passing() {
			p.Kind = screen.Usage // the address or the credentials file, before anything was sent
		}
		return p
	}
	var known *aws.Error
	if errors.As(err, &known) {
		return awsProblem(known)
	}
	return screen.Problem{What: sentence(err.Error())}
}

func awsProblem(e *aws.Error) screen.Problem {
	p := screen.Problem{What: e.What, Expected: e.Expected, Next: e.Next, Quoted: e.AWS}
	switch e.Kind {
	case aws.NotSignedIn, aws.Expired, aws.NeedsMFA, aws.Denied:
		p.Kind = screen.AWSRefused
	case aws.WrongAccount, aws.WrongPartition:
		p.Kind = screen.NotAsNeeded
	}
	return p
}

// mistakesProblem puts a file's mistakes into one problem: all of what is wrong,
// and the first one's way out.
func mistakesProblem(mistakes describe.Mistakes) screen.Problem {
	p := screen.Problem{Expected: mistakes[0].Expected, Next: mistakes[0].Next, Kind: screen.Usage}
	lines := make([]string, len(mistakes))
	for i, m := range mistakes {
		lines[i] = m.Error()
	}
	p.What = strings.Join(lines, "\n")
	if len(mistakes) == 1 {
		p.What = mistakes[0].What
	}
	return p
}

func sentence(s string) string {
	s = draw.Clean(s)
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func exitOf(kind screen.ProblemKind) int {
	switch kind {
	case screen.Usage:
		return exitUsage
	case screen.NotAsNeeded:
		return exitNotAsIs
	case screen.AWSRefused:
		return exitAWS
	case screen.VendorRefuse:
		return exitVendor
	case screen.TimedOut:
		return exitWaiting
	case screen.Failure:
	}
	return exitFailed
}

// finish turns a command's error into words, JSON and an exit code.
func (a *app) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if !a.started {
		err = asUsage(err)
	}
	cancelled := errors.Is(err, errCancelled) || ctx.Err() != nil && errors.Is(err, context.Canceled)
	problem := problemOf(err)
	if cancelled {
		problem = cancelledProblem(err)
	}
	a.writeProblem(a.env.Stderr, problem)
	if a.json {
		a.writeFailure(err, problem)
	}
	if cancelled {
		return exitCancelled
	}
	return exitOf(problem.Kind)
}

// asUsage marks what cobra itself refused before any command began.
func asUsage(err error) error {
	var fault *screen.Fault
	if errors.As(err, &fault) {
		return err
	}
	return &screen.Fault{Err: err, Problem: screen.Problem{
		What: sentence(err.Error()), Expected: "a command of rolecall", Next: "List them: rolecall --help.", Kind: screen.Usage,
	}}
}

// cancelledError says what was saved when the person left.
type cancelledError struct{ session string }

func (c *cancelledError) Error() string { return "cancelled, session " + c.session + " is saved" }

func (c *cancelledError) Is(target error) bool { return target == errCancelled }

func cancelledProblem(err error) screen.Problem {
	p := screen.Problem{What: "Cancelled."}
	var saved *cancelledError
	if errors.As(err, &saved) && saved.session != "" {
		p.What = "Cancelled. Your answers are saved as session " + saved.session + "."
		p.Next = "Go on: rolecall resume " + saved.session
	}
	return p
}

// writeProblem writes the three lines: what happened, what was expected, what
// to do next. AWS's or the vendor's own words stand behind the first.
func (a *app) writeProblem(w io.Writer, p screen.Problem) {
	var b strings.Builder
	for i, line := range strings.Split(p.What, "\n") {
		mark := "  "
		if i == 0 {
			mark = "rolecall: "
		}
		b.WriteString(mark + draw.Clean(line) + "\n")
	}
	if p.Quoted != "" {
		b.WriteString("  said:     " + draw.Clean(p.Quoted) + "\n")
	}
	if p.Wanted != "" || p.Found != "" {
		b.WriteString("  wanted:   " + draw.Clean(p.Wanted) + "\n  found:    " + draw.Clean(p.Found) + "\n")
	}
	if p.Expected != "" {
		b.WriteString("  expected: " + draw.Clean(p.Expected) + "\n")
	}
	if p.Next != "" {
		b.WriteString("  next:     " + draw.Clean(p.Next) + "\n")
	}
	fmt.Fprint(w, b.String())
}

func (a *app) writeFailure(err error, p screen.Problem) {
	e := &errorJSON{What: draw.Clean(p.What), Expected: draw.Clean(p.Expected), Next: draw.Clean(p.Next)}
	var known *failure
	if errors.As(err, &known) && known.document != nil {
		a.writeJSON(known.document(e))
		return
	}
	a.writeJSON(struct {
		Error *errorJSON `json:"error"`
	}{e})
}

// writeJSON prints one document, indented, without HTML escapes.
func (a *app) writeJSON(document any) {
	enc := json.NewEncoder(a.env.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(document); err != nil {
		a.say("rolecall: print JSON: %s", draw.Clean(err.Error()))
	}
}
