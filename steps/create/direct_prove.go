package create

import (
	"context"
	"time"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// prove looks until every role is seen to be right: AWS needs seconds until
// everybody sees what was made.
func (d *Direct) prove(s *step.Session) []screen.Effect {
	d.stage, d.problem, d.tries = directProving, nil, 0
	d.since, d.until = s.Now(), s.Now().Add(s.Patience(step.RetryFor))
	return d.proveAfter(s, 0)
}

func (d *Direct) proveAfter(s *step.Session, pause time.Duration) []screen.Effect {
	account, wants, ledger, head := s.AWS, d.wants, s.OpenLedger(), s.ReceiptHead()
	adopted, now, by := d.plan.adopted, s.Now().UTC(), s.Caller()
	return []screen.Effect{screen.Call{Name: "check the roles", After: pause, Do: func(ctx context.Context) screen.Msg {
		for _, item := range adopted {
			item.At, item.By = now, by
			if err := ledger.Put(head, item); err != nil {
				return directProved{err: err}
			}
		}
		reports := map[string]aws.Report{}
		for _, w := range wants {
			report, err := account.Verify(ctx, w.role)
			if err != nil {
				return directProved{err: err}
			}
			reports[w.purpose] = report
		}
		return directProved{reports: reports}
	}}}
}

func (d *Direct) proved(s *step.Session, msg directProved) (step.Move, []screen.Effect) {
	right := msg.err == nil
	for _, report := range msg.reports {
		right = right && report.OK
	}
	d.reports = msg.reports
	if right {
		return d.take(s)
	}
	if msg.err != nil && !step.Passes(msg.err) {
		d.stage, d.problem = directFailed, step.ProblemOf(msg.err)
		return step.Stay, nil
	}
	pause := min(directPause<<min(d.tries, 3), longestDirect)
	if s.Now().Add(pause).After(d.until) {
		d.stage, d.problem = directFailed, d.unproven(msg)
		return step.Stay, nil
	}
	d.tries++
	d.next = s.Now().Add(pause)
	d.problem = step.ProblemOf(msg.err).AsPassing()
	return step.Stay, d.proveAfter(s, pause)
}

// unproven says what is still not right when the time is up.
func (d *Direct) unproven(msg directProved) *screen.Problem {
	for _, w := range d.wants {
		report := msg.reports[w.purpose]
		for _, check := range report.Checks {
			if check.Status == aws.Fail || check.Status == aws.Unknown {
				return &screen.Problem{What: w.roleName + " is not as needed: " + check.Got + ".", Expected: check.Want, Next: check.Fix, Kind: screen.NotAsNeeded}
			}
		}
	}
	return step.ProblemOf(msg.err)
}

// take keeps what was proven.
func (d *Direct) take(s *step.Session) (step.Move, []screen.Effect) {
	for _, w := range d.wants {
		report, found := d.reports[w.purpose], d.seen[w.purpose]
		s.SetSeen(w.purpose, func(p *record.SeenPart) { p.Report = &report })
		s.SetPart(w.purpose, func(p *record.Part) {
			p.RoleARN, p.RoleID, p.RoleName = report.Role.ARN, report.Role.ID, report.Role.Name
			p.Policies = found.partPolicies(w)
		})
	}
	d.stage = directMade
	s.Answered(d.ID(), d.basis(s.Answers)...)
	if s.Resuming {
		return step.Next, nil
	}
	return step.Stay, nil
}
