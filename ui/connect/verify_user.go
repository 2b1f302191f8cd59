package connect

import (
	"context"
	"slices"
	"time"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
)

// verifyUserJSON is what verify --user prints with --json: the contract's
// fields, with the user beside the role that is not there.
type verifyUserJSON struct {
	OK     bool           `json:"ok"`
	Role   *aws.RoleRef   `json:"role"`
	User   *aws.UserRef   `json:"user"`
	Checks []aws.Check    `json:"checks"`
	Error  *cli.ErrorJSON `json:"error,omitempty"`
}

// verifyUser checks an IAM user and its keys against what the vendor needs.
func verifyUser(ctx context.Context, a *cli.App, f *verifyFlags) error {
	if f.role != "" || f.connect.ExternalID != "" || f.evidence != "" {
		return cli.Usage("--user goes with neither --role, --external-id nor --evidence: a user is trusted by nobody.", "--user alone", "Leave the others out.")
	}
	if err := a.CheckCommon(); err != nil {
		return err
	}
	if err := aws.CheckUserName(f.user); err != nil {
		return cli.FlagRefused("--user", err)
	}
	v, role, err := f.vendorWithUser()
	if err != nil {
		return err
	}
	account, err := aws.Open(ctx, a.AWSOptions(a.Profile, f.connect.Partition, a.AskCode()))
	if err != nil {
		return err
	}
	identity, err := account.Identity(ctx)
	if err != nil {
		return err
	}
	want := aws.WantUser{Partition: identity.Partition, AccountID: identity.AccountID, Name: f.user, Key: true}
	want.Policies = append(want.Policies, v.Compose(role, nil, identity.Partition))
	report, err := waitForUser(ctx, a.Env, account, want, f.wait)
	if err != nil {
		return err
	}
	return printUserReport(a, report, want)
}

// vendorWithUser is the vendor asked for, else the first that gets a user.
func (f *verifyFlags) vendorWithUser() (*describe.Vendor, *describe.Role, error) {
	names := describe.List()
	if f.connect.Vendor != "" {
		names = []string{f.connect.Vendor}
	}
	for _, name := range names {
		v, err := steps.Library().Load(name)
		if err != nil {
			return nil, nil, cli.FlagRefused("--vendor", err)
		}
		if users := v.RolesFor(nil, describe.AccessUser); len(users) > 0 {
			return v, users[0], nil
		}
	}
	return nil, nil, cli.Usage("This vendor gets a role, not a user.", "a vendor that gets a user", "Give --role, or see rolecall vendors list.")
}

func waitForUser(ctx context.Context, env cli.Env, account *aws.Account, want aws.WantUser, wait time.Duration) (aws.UserReport, error) {
	deadline := env.Now().Add(wait)
	for {
		report, err := account.VerifyUser(ctx, want)
		if err != nil || report.OK || !env.Now().Add(lookAgain).Before(deadline) {
			return report, err
		}
		select {
		case <-env.Alarm(lookAgain):
		case <-ctx.Done():
			return report, ctx.Err()
		}
	}
}

func printUserReport(a *cli.App, r aws.UserReport, want aws.WantUser) error {
	document := func(e *cli.ErrorJSON) any { return verifyUserJSON{OK: r.OK, User: r.User, Checks: r.Checks, Error: e} }
	if !a.JSON {
		reportText(a, aws.Report{Checks: r.Checks})
	}
	if r.OK {
		if a.JSON {
			a.WriteJSON(document(nil))
		}
		return nil
	}
	i := slices.IndexFunc(r.Checks, func(c aws.Check) bool { return c.Status == aws.Fail })
	if i < 0 {
		i = slices.IndexFunc(r.Checks, func(c aws.Check) bool { return c.Status == aws.Unknown })
	}
	p := checkProblem(r.Checks[i], aws.Want{RoleName: want.Name})
	p.What = "The user " + want.Name + " is not as required. " + r.Checks[i].ID + ": " + r.Checks[i].Got + "."
	return &cli.Failure{Err: &screen.Fault{Problem: p}, Document: document}
}
