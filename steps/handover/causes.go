package handover

import (
	"slices"

	"rolecall/aws"
	"rolecall/aws/diagnose"
	"rolecall/steps/explain"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/steps/vendorapi"
)

// sayingNo is the vendor's answer as diagnose reads it.
func sayingNo(answer *vendorapi.Error) *diagnose.Refusal {
	r := diagnose.Read(answer.Quoted())
	r.Status = answer.Status
	return &r
}

// diagnose ranks why the vendor cannot assume the role. The problem is nil while
// a further try may go well: what the vendor said alone ends no trying, and
// neither does what is only likely, such as a role that is young.
func (c *Connect) diagnose(s *step.Session, msg roleJudged) *screen.Problem {
	purpose := s.Submits().Purpose
	facts := diagnose.Facts{Vendor: s.Vendor.Title, Want: s.WantedRole(purpose), Held: s.Part(purpose).RoleARN, HeldID: msg.externalID,
		Session: s.SessionFor, Looked: true, Seen: msg.seen, Report: msg.report, Surroundings: msg.around}
	wrong := step.FirstFailure(msg.report.Checks)
	certain := slices.ContainsFunc(diagnose.Rank(facts), func(cause diagnose.Cause) bool { return cause.Likelihood == diagnose.Certain })
	facts.Refusal = c.said
	c.causes = diagnose.Rank(facts)
	s.Causes = c.causes
	if wrong == nil && !certain {
		return nil
	}
	p := explain.Cause(s.Vendor.Title, c.causes)
	if p == nil || wrong != nil {
		p = c.wrongRole(s, wrong, p)
	}
	p.Quoted, p.Named, p.Kind = c.refusal.Quoted, c.refusal.Named, screen.NotAsNeeded
	return p
}

// wrongRole says which check failed, beside the likeliest cause.
func (c *Connect) wrongRole(s *step.Session, wrong *aws.Check, likeliest *screen.Problem) *screen.Problem {
	p := &screen.Problem{
		What:     s.Vendor.Title + " cannot use the role, and the role is wrong. " + step.NameOfCheck(wrong.ID) + ": " + wrong.Got + ".",
		Expected: wrong.Want,
		Next:     wrong.Fix,
	}
	if found := diagnose.Found(c.causes); likeliest != nil && found[0].Likelihood == diagnose.Certain {
		p.Next = found[0].Fix
	}
	return p
}

// likeliest is what may be in the way of a role that is right, and what to do.
func (c *Connect) likeliest(s *step.Session) string {
	p := explain.Cause(s.Vendor.Title, c.causes)
	if p == nil {
		return "Try again."
	}
	return explain.CauseLine(diagnose.Found(c.causes)[0]) + " " + p.Next
}

// causesFound are the causes beside the likeliest, which the problem tells.
func (c *Connect) causesFound() []screen.Block {
	found := diagnose.Found(c.causes)
	if len(found) < 2 {
		return nil
	}
	var checks screen.Checks
	for _, cause := range found[1:] {
		state := screen.Warn
		if cause.Likelihood == diagnose.Certain {
			state = screen.Fail
		}
		checks = append(
			checks,
			screen.Check{ID: string(cause.ID), State: state, Label: explain.CauseLine(cause), Got: cause.Evidence[0], Fix: cause.Fix},
		)
	}
	return []screen.Block{checks}
}
