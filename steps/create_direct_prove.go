package steps

import (
	"context"
	"time"

	"rolecall/aws"
)

// prove looks until every role is seen to be right: AWS needs seconds until
// everybody sees what was made.
func (d *createDirect) prove(s *Session) []Effect {
	d.stage, d.problem, d.tries = directProving, nil, 0
	d.since, d.until = s.Now(), s.Now().Add(s.patience(retryFor))
	return d.proveAfter(s, 0)
}

func (d *createDirect) proveAfter(s *Session, pause time.Duration) []Effect {
	account, wants, ledger, head := s.AWS, d.wants, s.ledger(), s.receiptHead()
	adopted, now, by := d.plan.adopted, s.Now().UTC(), s.caller()
	return []Effect{Call{Name: "check the roles", After: pause, Do: func(ctx context.Context) Msg {
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

func (d *createDirect) proved(s *Session, msg directProved) (Move, []Effect) {
	right := msg.err == nil
	for _, report := range msg.reports {
		right = right && report.OK
	}
	d.reports = msg.reports
	if right {
		return d.take(s)
	}
	if msg.err != nil && !passes(msg.err) {
		d.stage, d.problem = directFailed, problemOf(msg.err)
		return Stay, nil
	}
	pause := min(directPause<<min(d.tries, 3), longestDirect)
	if s.Now().Add(pause).After(d.until) {
		d.stage, d.problem = directFailed, d.unproven(msg)
		return Stay, nil
	}
	d.tries++
	d.next = s.Now().Add(pause)
	d.problem = problemOf(msg.err).passing()
	return Stay, d.proveAfter(s, pause)
}

// unproven says what is still not right when the time is up.
func (d *createDirect) unproven(msg directProved) *Problem {
	for _, w := range d.wants {
		report := msg.reports[w.purpose]
		for _, check := range report.Checks {
			if check.Status == aws.Fail || check.Status == aws.Unknown {
				return &Problem{What: w.roleName + " is not as needed: " + check.Got + ".", Expected: check.Want, Next: check.Fix, Kind: NotAsNeeded}
			}
		}
	}
	return problemOf(msg.err)
}

// take keeps what was proven.
func (d *createDirect) take(s *Session) (Move, []Effect) {
	for _, w := range d.wants {
		report, found := d.reports[w.purpose], d.seen[w.purpose]
		s.setSeen(w.purpose, func(p *SeenPart) { p.Report = &report })
		s.setPart(w.purpose, func(p *Part) {
			p.RoleARN, p.RoleID, p.RoleName = report.Role.ARN, report.Role.ID, report.Role.Name
			p.Policies = found.partPolicies(w)
		})
	}
	d.stage = directMade
	s.settle(d.ID(), d.basis(s.Answers)...)
	if s.Resuming {
		return Next, nil
	}
	return Stay, nil
}
