package describe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PartitionsOf are the partitions that the vendor works in, the commercial one
// first.
func (v *Vendor) PartitionsOf() []string {
	all := slices.Sorted(maps.Keys(v.Partitions))
	slices.SortStableFunc(all, func(a, b string) int { return len(a) - len(b) })
	return all
}

// DefaultPartition is the partition that is meant where nobody names one: the
// commercial one, or the first that the vendor works in.
func (v *Vendor) DefaultPartition() string {
	if _, ok := v.Partitions[Commercial]; ok || len(v.Partitions) == 0 {
		return Commercial
	}
	return v.PartitionsOf()[0]
}

// What a vendor's console shows to be trusted.
const (
	AskAccount = "account" // the number of an AWS account
	AskARN     = "arn"     // the ARN of a role or user
)

// TrustLater says that whom a role trusts is known only once the role exists.
const TrustLater = "later"

// Later tells whether whom the role trusts, or under which external ID, is known
// only once it exists.
func (r *Role) Later() bool { return r.Trust == TrustLater }

// TrustedAccounts are who a role has to trust in a partition, as far as the
// description says whatever was chosen: the vendor's AWS accounts by their
// numbers, and its roles and users by their ARNs. It is empty where the
// description names none: then the person reads it in the vendor's console.
func (v *Vendor) TrustedAccounts(role *Role, partition string) []string {
	if len(role.Principals) > 0 {
		if partition != Commercial {
			return nil
		}
		return slices.Clone(role.Principals)
	}
	if account := v.Partitions[partition].TrustedAccount; account != "" {
		return []string{account}
	}
	return nil
}

// TrustsAccounts tells whether some role trusts an AWS account, or somebody of one:
// else nobody has to be named.
func (v *Vendor) TrustsAccounts() bool {
	return slices.ContainsFunc(v.Roles, func(role Role) bool { return role.WebIdentity.None() })
}

// TrustedBy is who a choice makes the role trust, by the values of its
// parameters; empty where none was made that decides it, or in another partition
// than the commercial one.
func (r *Role) TrustedBy(values map[string]string, partition string) string {
	if partition != Commercial {
		return ""
	}
	for _, name := range r.ParameterNames() {
		for _, choice := range r.Parameters[name].Choices {
			if choice.Value == values[name] && choice.TrustedAccount != "" {
				return choice.TrustedAccount
			}
		}
	}
	return ""
}

// Calls are all whom the description knows to call in a partition, whatever is
// chosen.
func (v *Vendor) Calls(partition string) []string {
	var all []string
	for i := range v.Roles {
		all = append(all, v.TrustedAccounts(&v.Roles[i], partition)...)
		if partition == Commercial {
			all = append(all, v.Roles[i].chosenAccounts()...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *Role) chosenAccounts() []string {
	var all []string
	for _, name := range r.ParameterNames() {
		all = append(all, r.Parameters[name].Accounts()...)
	}
	return all
}

// Accounts are those that the choices decide between.
func (p Parameter) Accounts() []string {
	var all []string
	for _, choice := range p.Choices {
		if choice.TrustedAccount != "" {
			all = append(all, choice.TrustedAccount)
		}
	}
	return all
}

// CheckTrustedAccount refuses whom a role of this partition cannot or must not
// trust: an account by its number, or a role or user by its ARN, as the vendor's
// console shows it. The error is a Mistake.
func (v *Vendor) CheckTrustedAccount(partition, account string) error {
	where := v.Partitions[partition]
	if where.TrustedAccount == account && account != "" {
		return nil
	}
	if m, ok := v.malformed(partition, account); ok {
		return m
	}
	if where.TrustedAccount != "" {
		return Mistake{
			What:     fmt.Sprintf("%s's account in %s is %s, not %s.", v.Title, where.Title, where.TrustedAccount, account),
			Expected: "no --trusted-account: the description of " + v.Title + " names it",
			Next: "Leave out --trusted-account. If " + v.Title + " moved, write a description of your own: rolecall vendors show " + v.Name +
				".",
		}
	}
	if other, ok := v.PartitionOf(account); ok && other != partition {
		return Mistake{
			What: fmt.Sprintf("%s is %s's account in the partition %s. A role can only trust an account of its own partition, %s.",
				account, v.Title, other, partition),
			Expected: fmt.Sprintf("the account ID that %s's console shows for %s", v.Title, where.Title),
			Next:     "Copy it from there, or go back and choose the partition " + other + ".",
		}
	}
	return nil
}

// malformed says what is wrong with the form of what was pasted as the vendor's
// account.
func (v *Vendor) malformed(partition, account string) (Mistake, bool) {
	where := v.Partitions[partition]
	if where.Ask != AskARN {
		return Mistake{
			What:     fmt.Sprintf("%q is not an AWS account number.", Clean(account)),
			Expected: "twelve digits",
			Next:     "Copy the account ID from " + v.Title + "'s console.",
		}, !IsAccount(account)
	}
	m := Mistake{
		What:     fmt.Sprintf("%q is not the ARN of a role or user.", Clean(account)),
		Expected: "an ARN such as " + SamplePrincipal(where.Ask, partition),
		Next:     "Copy the ARN from " + v.Title + "'s console.",
	}
	of, ok := ARNPartition(account)
	if ok && of != partition {
		m.What = fmt.Sprintf("%s is in the partition %s. A role can only trust somebody of its own partition, %s.", Clean(account), of, partition)
	}
	return m, !ok || of != partition
}

// SamplePrincipal is what a vendor's console may show, by what it shows.
func SamplePrincipal(ask, partition string) string {
	if ask == AskARN {
		return "arn:" + partition + ":iam::444455556666:role/vendor"
	}
	return "444455556666"
}

// ARNPartition is the partition of the ARN of one role or user; not ok for
// anything else, as for an account as a whole, a session or a pattern.
func ARNPartition(text string) (partition string, ok bool) {
	if len(text) > MaxPrincipal || !strings.HasPrefix(text, "arn:") || !Matches(PrincipalPattern, text) {
		return "", false
	}
	return strings.SplitN(text, ":", 3)[1], true
}

// PrincipalPattern is who can be trusted, in RE2: an account by its number, or
// one role or user by its ARN. A path has no wildcard, and no colon.
// Source: botocore iam/2010-05-08, pathType and roleNameType.
const PrincipalPattern = `[0-9]{12}|arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/([!-)+-9;->@-~]*/)?[A-Za-z0-9_+=,.@-]+`

// MaxPrincipal is more than the longest ARN of a role: its path has at most 512
// characters, its name 64.
const MaxPrincipal = 640

// PartitionOf is the partition that the description knows an account in.
func (v *Vendor) PartitionOf(account string) (string, bool) {
	for _, id := range v.PartitionsOf() {
		if v.Partitions[id].TrustedAccount == account {
			return id, true
		}
	}
	for i := range v.Roles {
		if slices.Contains(v.Roles[i].Principals, account) || slices.Contains(v.Roles[i].chosenAccounts(), account) {
			return Commercial, true
		}
	}
	return "", false
}

// CheckExternalID refuses what cannot be an external ID of this vendor. The
// error is a Mistake. AWS's own grammar is another question: see the package
// aws.
func (v *Vendor) CheckExternalID(id string) error {
	rule := v.ExternalID
	if rule.Pattern == "" || Matches(rule.Pattern, id) {
		return nil
	}
	m := Mistake{
		What:     fmt.Sprintf("%q is not an external ID of %s.", Clean(id), v.Title),
		Expected: rule.Example,
		Next:     rule.Find,
	}
	if id == "" {
		m.What = "The external ID is missing."
	}
	return m
}

// IsAccount tells whether a text is the number of an AWS account.
func IsAccount(s string) bool {
	return len(s) == 12 && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}
