package step

import (
	"cmp"
	"slices"

	"rolecall/aws"
	"rolecall/steps/screen"
)

// ChecksOf turns checks of AWS into the screen's: what failed first, then what
// is not known, then the warnings.
func ChecksOf(checks []aws.Check) screen.Checks {
	shown := make(screen.Checks, 0, len(checks))
	for _, check := range checks {
		one := screen.Check{ID: check.ID, State: screen.CheckState(check.Status), Label: NameOfCheck(check.ID), Want: check.Want, Got: check.Got}
		if check.Status != aws.Pass {
			one.Fix = check.Fix
		}
		if check.Got == aws.NotInEvidence {
			one.Fix = "" // the step shows the command, to be copied
		}
		shown = append(shown, one)
	}
	order := []screen.CheckState{screen.Fail, screen.Unknown, screen.Warn, screen.Pending, screen.Pass}
	slices.SortStableFunc(shown, func(a, b screen.Check) int {
		return cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State))
	})
	return shown
}

// OtherChecks are ChecksOf where a problem on the screen says one of them
// already; nil: none.
func OtherChecks(checks []aws.Check, told *aws.Check) screen.Checks {
	shown := ChecksOf(checks)
	for i := range shown {
		shown[i].Told = told != nil && shown[i].ID == told.ID
	}
	return shown
}

// FirstFailure is the first failed check; nil when none failed.
func FirstFailure(checks []aws.Check) *aws.Check {
	for i := range checks {
		if checks[i].Status == aws.Fail {
			return &checks[i]
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
	case "oidc-provider":
		return "OIDC provider"
	case "trust-audience":
		return "Audience"
	case "trust-subject":
		return "Subject"
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
