package ui

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
)

// verifyUserJSON is what verify --user prints with --json: the contract's
// fields, with the user beside the role that is not there.
type verifyUserJSON struct {
	OK     bool         `json:"ok"`
	Role   *aws.RoleRef `json:"role"`
	User   *aws.UserRef `json:"user"`
	Checks []aws.Check  `json:"checks"`
	Error  *errorJSON   `json:"error,omitempty"`
}

// verifyUser checks an IAM user and its keys against what the vendor needs.
func (a *app) verifyUser(ctx context.Context, f *verifyFlags) error {
	if f.role != "" || f.connect.externalID != "" || f.evidence != "" {
		return usage("--user goes with neither --role, --external-id nor --evidence: a user is trusted by nobody.", "--user alone", "Leave the others out.")
	}
	if err := a.checkCommon(); err != nil {
		return err
	}
	if err := aws.CheckUserName(f.user); err != nil {
		return flagRefused("--user", err)
	}
	v, role, err := f.vendorWithUser()
	if err != nil {
		return err
	}
	account, err := aws.Open(ctx, a.awsOptions(a.profile, f.connect.partition, a.askCode()))
	if err != nil {
		return err
	}
	identity, err := account.Identity(ctx)
	if err != nil {
		return err
	}
	want := aws.WantUser{Partition: identity.Partition, AccountID: identity.AccountID, Name: f.user, Key: true}
	want.Policies = append(want.Policies, v.Compose(role, nil, identity.Partition))
	report, err := waitForUser(ctx, account, want, f.wait)
	if err != nil {
		return err
	}
	return a.printUserReport(report, want)
}

// vendorWithUser is the vendor asked for, else the first that gets a user.
func (f *verifyFlags) vendorWithUser() (*describe.Vendor, *describe.Role, error) {
	names := describe.List()
	if f.connect.vendor != "" {
		names = []string{f.connect.vendor}
	}
	for _, name := range names {
		v, err := describe.Load(name)
		if err != nil {
			return nil, nil, flagRefused("--vendor", err)
		}
		if users := v.RolesFor(nil, describe.AccessUser); len(users) > 0 {
			return v, users[0], nil
		}
	}
	return nil, nil, usage("This vendor gets a role, not a user.", "a vendor that gets a user", "Give --role, or see rolecall vendors list.")
}

func waitForUser(ctx context.Context, account *aws.Account, want aws.WantUser, wait time.Duration) (aws.UserReport, error) {
	deadline := time.Now().Add(wait)
	for {
		report, err := account.VerifyUser(ctx, want)
		if err != nil || report.OK || !time.Now().Add(lookAgain).Before(deadline) {
			return report, err
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return report, ctx.Err()
		}
	}
}

func (a *app) printUserReport(r aws.UserReport, want aws.WantUser) error {
	document := func(e *errorJSON) any { return verifyUserJSON{OK: r.OK, User: r.User, Checks: r.Checks, Error: e} }
	if !a.json {
		a.reportText(aws.Report{Checks: r.Checks})
	}
	if r.OK {
		if a.json {
			a.writeJSON(document(nil))
		}
		return nil
	}
	i := slices.IndexFunc(r.Checks, func(c aws.Check) bool { return c.Status == aws.Fail })
	if i < 0 {
		i = slices.IndexFunc(r.Checks, func(c aws.Check) bool { return c.Status == aws.Unknown })
	}
	p := checkProblem(r.Checks[i], aws.Want{RoleName: want.Name})
	p.What = "The user " + want.Name + " is not as required. " + r.Checks[i].ID + ": " + r.Checks[i].Got + "."
	return &failure{err: &screen.Fault{Problem: p}, document: document}
}
