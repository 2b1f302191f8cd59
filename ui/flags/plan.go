package flags

import (
	"fmt"
	"path/filepath"
	"slices"

	"rolecall/steps/plan"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
)

// bindPlan reads an approved plan and lets it answer what no flag does.
func (f *Flags) bindPlan() (*plan.Plan, error) {
	if f.plan == "" {
		return nil, nil
	}
	text, err := cli.ReadFile(f.plan)
	if err != nil {
		return nil, err
	}
	plan, err := plan.Read(text)
	if err != nil {
		return nil, err
	}
	if open := plan.Unapproved(); len(open) > 0 {
		return nil, &screen.Fault{Problem: screen.Problem{What: fmt.Sprintf("%s is not approved: %d of its %d documents are in no approval.", filepath.Base(f.plan), len(open), len(plan.Documents)),
			Expected: "an approval of every document", Next: "Have it reviewed, then: rolecall approve " + f.plan + ".", Kind: screen.NotAsNeeded}}
	}
	if err := f.keepToSettings(plan); err != nil {
		return nil, err
	}
	for _, fill := range []struct {
		flag string
		into *string
		from string
	}{
		{"vendor", &f.Vendor, plan.Vendor}, {"method", &f.method, plan.Method}, {"access", &f.Access, plan.Access},
		{"partition", &f.Partition, plan.Partition}, {"account", &f.account, plan.VendorAccount}, {"restrict-tag", &f.RestrictTag, plan.RestrictTag},
		{"path", &f.Path, plan.Path}, {"permissions-boundary", &f.Boundary, plan.Boundary},
	} {
		if !f.Given(fill.flag) {
			*fill.into = fill.from
		}
	}
	if !f.Given("regions") {
		f.Regions = plan.Regions
	}
	if f.Given("account-name") {
		f.account = ""
	}
	return plan, nil
}

// keepToSettings refuses a plan whose settings are not those that were approved,
// and flags that would give the role more than they do.
func (f *Flags) keepToSettings(plan *plan.Plan) error {
	refused := func(what string) error {
		return &screen.Fault{Problem: screen.Problem{What: what, Expected: "names and settings as they were approved",
			Next: "Plan with the same flags, have the plan approved (rolecall approve FILE), and give it with --plan.", Kind: screen.NotAsNeeded}}
	}
	switch {
	case !plan.SettingsApproved():
		return refused(filepath.Base(f.plan) + ": names or settings were changed after the approval.")
	case f.Given("permissions-boundary") && f.Boundary != plan.Boundary:
		return refused("--permissions-boundary is not the plan's.")
	case f.Given("session-duration") && f.sessionDuration != plan.SessionFor:
		return refused("--session-duration is not the plan's.")
	}
	return nil
}

// fillFromPlan takes what is planned and has no flag given: the selection, the
// names and an external ID that was known.
func (f *Flags) fillFromPlan(p *Prepared, planned *plan.Plan) {
	if planned == nil {
		return
	}
	p.Answers.Plan = planned.Binding()
	if !f.Given("products") {
		p.Answers.Bundles = slices.Clone(planned.Bundles)
	}
	if !f.Given("report-bucket") {
		p.Answers.Parameters = planned.Parameters
	}
	if !f.Given("tag") {
		p.Answers.Tags = planned.Tags
	}
	if !f.Given("session-duration") {
		p.Answers.SessionFor = planned.SessionFor
	}
	parts := map[string]record.Part{}
	for _, role := range planned.Roles {
		part := p.Answers.Parts[role.Purpose]
		if part.RoleName == "" {
			part.RoleName = role.RoleName
		}
		if part.PolicyName == "" {
			part.PolicyName = role.PolicyName
		}
		if part.ExternalID == "" && role.ExternalID != plan.UnknownExternalID {
			part.ExternalID = role.ExternalID
		}
		parts[role.Purpose] = part
	}
	p.Answers.Parts = parts
	if f.TrustedAccount == "" && p.Vendor != nil && len(planned.Roles) > 0 {
		role, ok := p.Vendor.Role(planned.Roles[0].Purpose)
		if ok && len(p.Vendor.TrustedAccounts(role, planned.Partition)) == 0 && len(planned.Roles[0].Trusts) == 1 {
			p.Answers.TrustedAccount = planned.Roles[0].Trusts[0]
		}
	}
}
