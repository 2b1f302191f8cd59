package step

import (
	"rolecall/aws"
	"rolecall/steps/screen"
)

// ChecksOf turns a verdict's checks into the screen's.
func ChecksOf(r aws.Report) screen.Checks {
	checks := make(screen.Checks, 0, len(r.Checks))
	for _, check := range r.Checks {
		shown := screen.Check{ID: check.ID, State: screen.CheckState(check.Status), Label: NameOfCheck(check.ID) + ": " + check.Want}
		if check.Status == aws.Pass {
			shown.Label = NameOfCheck(check.ID) + ": " + check.Got
		} else {
			shown.Why, shown.Fix = "found: "+check.Got, check.Fix
		}
		if check.Got == aws.NotInEvidence {
			shown.Fix = "" // the step shows the command, to be copied
		}
		checks = append(checks, shown)
	}
	return checks
}

// CheckList turns checks of AWS into the screen's.
func CheckList(checks []aws.Check) screen.Checks { return ChecksOf(aws.Report{Checks: checks}) }

// FirstFailure is the first failed check.
func FirstFailure(r aws.Report) *aws.Check {
	for i := range r.Checks {
		if r.Checks[i].Status == aws.Fail {
			return &r.Checks[i]
		}
	}
	return nil
}

// NameOfCheck is what a person calls a check: its id is for scripts. A check
// without a name of its own keeps its id.
func NameOfCheck(id string) string {
	switch id {
	case "role-exists":
		return "Role"
	case "user-exists":
		return "User"
	case "role-account":
		return "AWS account"
	case "role-partition":
		return "Partition"
	case "role-path":
		return "Path"
	case "trust-principal":
		return "Trusts"
	case "trust-action":
		return "Lets it call"
	case "trust-external-id":
		return "External ID"
	case "trust-extra-principals":
		return "Also trusts"
	case "policy-attached", "user-policy-attached":
		return "Policy"
	case "policy-matches", "user-policy-matches":
		return "What it grants"
	case "permissions-boundary":
		return "Permissions boundary"
	case "user-keys":
		return "Access keys"
	case "plan-approved":
		return "Approved plan"
	}
	return id
}
