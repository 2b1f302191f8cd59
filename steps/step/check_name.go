package step

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
