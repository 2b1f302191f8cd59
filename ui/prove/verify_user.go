package prove

import (
	"context"
	"slices"

	"rolecall/aws"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
	"rolecall/ui/sessions"
)

// verifyUserJSON is what verify --user prints with --json: the contract's
// fields, with the user beside the role that is not there.
type verifyUserJSON struct {
	OK       bool           `json:"ok"`
	Role     *aws.RoleRef   `json:"role"`
	User     *aws.UserRef   `json:"user"`
	Checks   []aws.Check    `json:"checks"`
	Session  string         `json:"session,omitempty"`  // whose choices were taken
	Evidence *evidenceJSON  `json:"evidence,omitempty"` // that was judged instead of the account
	Error    *cli.ErrorJSON `json:"error,omitempty"`
}

// verifyUser checks an IAM user and its keys against what the vendor needs.
func verifyUser(ctx context.Context, a *cli.App, f *verifyFlags) error {
	until := a.Env.Now().Add(f.wait)
	if f.Role != "" || f.Connect.Given("external-id") {
		return cli.Usage(
			"--user goes with neither --role nor --external-id: a user is trusted by nobody.",
			"--user alone",
			"Leave the others out.",
		)
	}
	if err := a.CheckCommon(); err != nil {
		return err
	}
	if err := f.checkEvidence(a); err != nil {
		return err
	}
	if err := aws.CheckUserName(f.user); err != nil {
		return cli.FlagRefused("--user", err)
	}
	vendor, err := f.vendorWithUser()
	if err != nil {
		return err
	}
	prepared, err := flags.Select(&f.Connect, vendor, describe.AccessUser, false)
	if err != nil {
		return err
	}
	session, source, err := f.from(ctx, a, prepared)
	if err != nil {
		return err
	}
	want, err := f.wantUser(a, session)
	if err != nil {
		return err
	}
	var missing []aws.Missing
	report, err := lookUntil(ctx, a.Env, until, func() (aws.UserReport, bool, error) {
		seen, report, err := aws.LookUser(ctx, source, want)
		missing = seen.Missing
		return report, report.OK, err
	})
	if err != nil {
		return f.contradicted(err)
	}
	return printUserReport(a, report, want, verifyUserJSON{Session: session.ID, Evidence: evidenceOf(source, missing)})
}

// wantUser describes the user, as the flags say, else as the session that
// connected it.
func (f *verifyFlags) wantUser(a *cli.App, s *step.Session) (aws.WantUser, error) {
	needed := s.Request().Needed()
	if len(needed) == 0 {
		return aws.WantUser{}, cli.Usage("Nothing that is selected needs a user.", "products that it is for", "Name them with --products.")
	}
	purpose, err := f.Connect.Recall(a, s, needed[0].Purpose, f.user, true)
	if err != nil {
		return aws.WantUser{}, err
	}
	g, err := s.Grant(purpose)
	if len(describe.MistakesOf(err)) > 0 {
		return aws.WantUser{}, cli.FlagRefused("parameters of the policy", err)
	}
	if err != nil {
		return aws.WantUser{}, err
	}
	sessions.SayUnseen(a, &f.Connect)
	want := g.WantUser()
	want.Name, want.Key = f.user, true
	return want, nil
}

// vendorWithUser is the vendor asked for, else the first that gets a user.
func (f *verifyFlags) vendorWithUser() (string, error) {
	names := describe.List()
	if name := f.Connect.Text("vendor"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		v, err := steps.Library().Load(name)
		if err != nil {
			return "", cli.FlagRefused("--vendor", err)
		}
		if slices.ContainsFunc(v.Roles, func(role describe.Role) bool { return role.Access == describe.AccessUser }) {
			return name, nil
		}
	}
	return "", cli.Usage("This vendor gets a role, not a user.", "a vendor that gets a user", "Give --role, or see rolecall vendors list.")
}

func printUserReport(a *cli.App, r aws.UserReport, want aws.WantUser, out verifyUserJSON) error {
	out.OK, out.User, out.Checks = r.OK, r.User, r.Checks
	document := func(e *cli.ErrorJSON) any {
		out.Error = e
		return out
	}
	if !a.JSON {
		reportText(a, aws.Report{Checks: r.Checks})
	}
	sayUnchecked(a, r.Checks, out.Evidence)
	if r.OK {
		if a.JSON {
			a.WriteJSON(document(nil))
		}
		return nil
	}
	return &cli.Failure{Err: &screen.Fault{Problem: unfit("user "+want.Name, r.Checks)}, Document: document}
}
