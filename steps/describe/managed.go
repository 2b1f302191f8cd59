package describe

import (
	"slices"
	"strings"
)

// ManagedARNs are the ARNs of the AWS managed policies that the role has to
// have attached, in a partition. One that a parameter names, and that nobody named
// yet, is left out.
func (r *Role) ManagedARNs(partition string, values map[string]string) []string {
	var arns []string
	for _, name := range r.ManagedPolicies {
		if strings.HasPrefix(name, "{") {
			if name = FillWords(name, values); strings.HasPrefix(name, "{") || name == "" {
				continue
			}
		}
		if strings.HasPrefix(name, "arn:") {
			arns = append(arns, name)
			continue
		}
		arns = append(arns, "arn:"+partition+":iam::aws:policy/"+name)
	}
	return arns
}

// Sweeping says what an AWS managed policy grants, by its ARN or its name in a
// description, where that is nearly everything; empty for others.
// Source: AWS Managed Policy Reference Guide, the policies of these names.
func Sweeping(policy string) string {
	_, name, ofAWS := strings.Cut(policy, ":iam::aws:policy/")
	if !ofAWS {
		name = policy
	}
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

// CheckManaged refuses where a managed policy that a parameter names is not known,
// or is of another partition. The error is Mistakes.
func (r *Role) CheckManaged(partition string, values map[string]string) error {
	if err := r.given(values, r.ManagedPolicies...); err != nil {
		return err
	}
	for _, arn := range r.ManagedARNs(partition, values) {
		if !strings.HasPrefix(arn, "arn:"+partition+":iam::") {
			return Mistakes{{What: Clean(arn) + " is no policy of the partition " + partition + ".",
				Expected: "arn:" + partition + ":iam::ACCOUNT:policy/NAME, or the name of an AWS managed policy", Next: "Name one of this partition."}}
		}
	}
	return nil
}

// ManagedNames are the names of the AWS managed policies that the role may have,
// by what stands behind "policy/" in their ARNs. Where a parameter names one that
// nobody named yet, all that the description knows to name.
func (r *Role) ManagedNames(values map[string]string) []string {
	var all []string
	for _, name := range r.ManagedPolicies {
		word, ok := strings.CutPrefix(name, "{")
		p := r.Parameters[strings.TrimSuffix(word, "}")]
		switch {
		case !ok:
			all = append(all, name)
		case values[strings.TrimSuffix(word, "}")] != "":
			all = append(all, values[strings.TrimSuffix(word, "}")])
		default:
			all = append(append(all, p.Values()...), p.Sample())
		}
	}
	return slices.DeleteFunc(all, func(name string) bool { return name == "" || strings.HasPrefix(name, "arn:") })
}
