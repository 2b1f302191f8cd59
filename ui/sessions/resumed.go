package sessions

import (
	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
)

// Resumed makes the session again from its answers.
func Resumed(a *cli.App, answers record.Answers) (*step.Session, error) {
	if answers.Rehearsal {
		answers = answers.ForAnotherRehearsal()
	}
	if a.Profile != "" {
		answers.Profile = a.Profile
	}
	if a.Region != "" {
		answers.Region = a.Region
	}
	switch {
	case a.Account == "" && answers.AccountPinned:
		a.Account = answers.AccountID
	case a.Account != "" && (answers.AccountID == "" || answers.AccountID == a.Account):
		answers.AccountID, answers.AccountPinned = a.Account, true
	}
	if a.Profile == "" {
		a.Profile = answers.Profile
	}
	a.Region = answers.Region
	s := &step.Session{Answers: answers, LoadVendor: steps.Library().Load, Now: a.Env.Now, Resuming: true}
	if answers.Vendor == "" || answers.Method == "" {
		p := &flags.Prepared{Load: steps.Library().Load}
		if err := p.Offer(flags.Way{Vendor: answers.Vendor}); err != nil {
			return nil, err
		}
		s.Offers = p.Offers
		return s, nil
	}
	v, err := steps.Library().Load(answers.Vendor)
	if err != nil {
		return nil, cli.FlagRefused("vendor "+answers.Vendor, err)
	}
	s.Vendor = v
	for _, m := range v.Methods {
		s.Offers = append(s.Offers, step.Offer{Vendor: answers.Vendor, Method: m.ID, Access: m.Access, Label: v.Title + " · " + m.Title})
	}
	s.Prepare()
	return s, nil
}
