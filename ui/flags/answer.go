package flags

import (
	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/ui/cli"
)

// Answer takes the flags into a session that goes on: what is still open is
// answered, or anew. They are checked as connect checks them, and against the
// plan that binds the session. Nothing was sent when it refuses.
func (f *Flags) Answer(s *step.Session) error {
	given := f.answers(s)
	if s.Vendor == nil && len(given) > 0 {
		return cli.Usage("--"+given[0].name+" needs to know the vendor, and session "+s.ID+" has not chosen one.", "no answers before the first",
			"Begin a new session: rolecall connect.")
	}
	p := &Prepared{Answers: s.Answers, Vendor: s.Vendor, Offers: s.Offers, Load: s.LoadVendor}
	if _, chosen := s.Rests[record.StepVendor]; chosen {
		p.Offers = []step.Offer{{Vendor: s.Answers.Vendor, Method: s.Method, Access: s.AccessOrRole()}}
	}
	if err := f.keepTo(s, given); err != nil {
		return err
	}
	if err := f.belong(p); err != nil {
		return err
	}
	if err := f.checkShapes(s.Vendor); err != nil || s.Vendor == nil {
		return err
	}
	if id := f.Text("account"); id != s.VendorAccount && f.Given("account") {
		s.ForgetExternalIDs()
		p.Answers = s.Answers
	}
	if err := f.take(p); err != nil {
		return err
	}
	s.Answers = p.Answers
	s.Prepare()
	return nil
}

// answers are the given flags that answer something of the session.
func (f *Flags) answers(s *step.Session) []row {
	var given []row
	for _, r := range f.rows(s.Vendor) {
		if r.field != nil && !isWay(r.name) && f.Given(r.name) {
			given = append(given, r)
		}
	}
	return given
}

// keepTo refuses flags that say otherwise than the plan which binds the session.
func (f *Flags) keepTo(s *step.Session, given []row) error {
	if s.Plan == nil || s.Vendor == nil {
		return nil
	}
	b := &binding{s.Plan, answersOf(s.Plan)}
	b.answers.TrustedAccount = b.trusted(s.Vendor)
	for _, r := range given {
		if !r.bound {
			continue
		}
		if err := b.same(f, r, &Prepared{Answers: b.answers, Vendor: s.Vendor}); err != nil {
			return err
		}
	}
	return nil
}
