package flags

import (
	"strings"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// Recall takes what no flag gave from the newest session that connected the
// role, or the user, of that name, so that what was chosen then is expected now.
// It returns the purpose of that role: the one given, where no session is known.
// A session that cannot be read might be the one: without every flag that it
// could answer, Recall refuses.
func (f *Flags) Recall(a *cli.App, s *step.Session, purpose, name string, user bool) (string, error) {
	store, err := a.Store()
	if err != nil {
		return "", err
	}
	vendor := ""
	if f.Given("vendor") {
		vendor = s.Answers.Vendor
	}
	found, err := step.Recall(store, s.AccountID, vendor, name, user)
	if err != nil {
		return "", err
	}
	if missing := f.missing(s, user); found.Damaged != nil && len(missing) > 0 {
		return "", unreadable(found.Damaged, missing)
	}
	if found.Answers.ID == "" {
		return purpose, f.putParts(s, purpose)
	}
	if found.Answers.Vendor != s.Answers.Vendor {
		theirs := draw.Clean(found.Answers.Vendor)
		return "", cli.Usage("Session "+found.Answers.ID+" connected "+draw.Clean(name)+" to "+theirs+", and --vendor is not given.",
			"the vendor that is meant", "Add --vendor "+theirs+", or another one.")
	}
	if _, ok := s.Vendor.Role(found.Purpose); !ok {
		return "", cli.Usage("Session "+found.Answers.ID+" connected "+draw.Clean(name)+" as "+draw.Clean(found.Purpose)+
			", which "+draw.Clean(s.Vendor.Title)+"'s description has no more.",
			"the description that it was connected with", "Connect again: rolecall connect.")
	}
	for _, r := range f.rows(s.Vendor) {
		if r.recalled&f.use != 0 && !f.Given(r.name) {
			r.field.copy(&s.Answers, &found.Answers, found.Purpose)
		}
	}
	s.ID, s.Method, s.VendorAccount = found.Answers.ID, found.Answers.Method, found.Answers.VendorAccount
	s.Prepare()
	a.Say("The choices are those of session %s, where no flag says otherwise.", found.Answers.ID)
	return found.Purpose, f.putParts(s, found.Purpose)
}

// putParts gives the names and the external ID of flags to the role that is
// meant, which need not be the first that the selection needs.
func (f *Flags) putParts(s *step.Session, purpose string) error {
	p := &Prepared{Answers: s.Answers, Vendor: s.Vendor}
	for _, r := range f.rows(nil) {
		if part, ok := r.field.(ofPart); ok && f.Given(r.name) {
			if err := part.put(f, r.name, p, purpose); err != nil {
				return err
			}
		}
	}
	s.Answers = p.Answers
	s.Prepare()
	return nil
}

// missing are the flags that a session would answer. Of a user it is only looked
// at what its policies grant.
func (f *Flags) missing(s *step.Session, user bool) []string {
	var missing []string
	for _, r := range f.rows(s.Vendor) {
		if user && r.group != groupGrants {
			continue
		}
		if r.recalled&f.use != 0 && !r.unseen && !f.Given(r.name) && (r.moot == nil || !r.moot(s.Vendor, s.Partition)) {
			missing = append(missing, "--"+r.name)
		}
	}
	return missing
}

// unreadable says which session stands in the way, and which flags would do
// without it.
func unreadable(one *record.Listed, missing []string) error {
	p := cli.ProblemOf(one.Err)
	p.What += " It may be the one that says what was chosen."
	p.Expected += ", or every choice by its flag, empty for none: " + strings.Join(missing, ", ")
	return &screen.Fault{Err: one.Err, Problem: p}
}

// Unseen are the given flags that say what nothing looks at.
func (f *Flags) Unseen() []string {
	var names []string
	for _, r := range f.rows(nil) {
		if r.unseen && f.Given(r.name) {
			names = append(names, "--"+r.name)
		}
	}
	return names
}
