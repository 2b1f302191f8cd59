package describe

// ManagedARNs are the ARNs of the AWS managed policies that the role has to
// have attached, in a partition.
func (r *Role) ManagedARNs(partition string) []string {
	var arns []string
	for _, name := range r.ManagedPolicies {
		arns = append(arns, "arn:"+partition+":iam::aws:policy/"+name)
	}
	return arns
}

// Sweeping says what an AWS managed policy grants, by its name in a description,
// where that is nearly everything; empty for others.
// Source: AWS Managed Policy Reference Guide, the policies of these names.
func Sweeping(name string) string {
	switch name {
	case "AdministratorAccess":
		return "everything in the account"
	case "PowerUserAccess":
		return "everything in the account but most of IAM and Organizations"
	case "IAMFullAccess":
		return "everything in IAM, and so whatever it gives itself"
	}
	return ""
}
