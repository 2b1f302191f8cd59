package step

import (
	"rolecall/aws"
	"rolecall/steps/explain"
	making "rolecall/steps/make"
	"rolecall/steps/screen"
)

// ProblemOf is explain.Problem.
func ProblemOf(err error) *screen.Problem { return explain.Problem(err) }

// InputProblem is the one line under a field: what is wrong and what to do.
func InputProblem(err error) string { return explain.Line(err) }

// Awaited is the problem of a look at something that is awaited. rolecall looks
// again by itself; unattended, a permission that is missing ends the wait, since
// nobody is asked for it meanwhile.
func (s *Session) Awaited(err error) *screen.Problem {
	return s.awaited(ProblemOf(err), aws.KindOf(err) == aws.Denied)
}

// Unseen is explain.Unseen of something that is awaited.
func (s *Session) Unseen(checks []aws.Check) *screen.Problem {
	return s.awaited(explain.Unseen(checks), true)
}

func (s *Session) awaited(p *screen.Problem, denied bool) *screen.Problem {
	if s.Unattended && denied {
		return p
	}
	return p.AsPassing()
}

// Refused is explain.Refused.
func Refused(err error) bool { return explain.Refused(err) }

// OutcomeOf is explain.Outcome.
func OutcomeOf(err error, done screen.Result) screen.Outcome { return explain.Outcome(err, done) }

// Passes is making.Passes.
func Passes(err error) bool { return making.Passes(err) }
