package describe

import (
	"fmt"
	"slices"
	"strings"
)

// PartitionsOf are the partitions that the vendor works in, the commercial one
// first.
func (v *Vendor) PartitionsOf() []string {
	all := sortedKeys(v.Partitions)
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

// TrustedAccounts are the vendor's AWS accounts that a role has to trust in a
// partition. It is empty where the description names none: then the person
// reads it in the vendor's console.
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

// CheckTrustedAccount refuses an account that a role of this partition cannot
// or must not trust. The error is a Mistake.
func (v *Vendor) CheckTrustedAccount(partition, account string) error {
	where := v.Partitions[partition]
	switch {
	case !isAccount(account):
		return Mistake{
			What:     fmt.Sprintf("%q is not an AWS account number.", clean(account)),
			Expected: "twelve digits",
			Next:     "Copy the account ID from " + v.Title + "'s console.",
		}
	case where.TrustedAccount == account:
		return nil
	case where.TrustedAccount != "":
		return Mistake{
			What:     fmt.Sprintf("%s's account in %s is %s, not %s.", v.Title, where.Title, where.TrustedAccount, account),
			Expected: "no --trusted-account: the description of " + v.Title + " names it",
			Next:     "Leave out --trusted-account. If " + v.Title + " moved, write a description of your own: rolecall vendors show " + v.Name + ".",
		}
	}
	if other, ok := v.partitionOf(account); ok && other != partition {
		return Mistake{
			What: fmt.Sprintf("%s is %s's account in the partition %s. A role can only trust an account of its own partition, %s.",
				account, v.Title, other, partition),
			Expected: fmt.Sprintf("the account ID that %s's console shows for %s", v.Title, where.Title),
			Next:     "Copy it from there, or go back and choose the partition " + other + ".",
		}
	}
	return nil
}

// partitionOf is the partition that the description knows an account in.
func (v *Vendor) partitionOf(account string) (string, bool) {
	for _, id := range v.PartitionsOf() {
		if v.Partitions[id].TrustedAccount == account {
			return id, true
		}
	}
	for i := range v.Roles {
		if slices.Contains(v.Roles[i].Principals, account) {
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
	if rule.Pattern == "" || matches(rule.Pattern, id) {
		return nil
	}
	m := Mistake{
		What:     fmt.Sprintf("%q is not an external ID of %s.", clean(id), v.Title),
		Expected: rule.Example,
		Next:     rule.Find,
	}
	if id == "" {
		m.What = "The external ID is missing."
	}
	return m
}

func isAccount(s string) bool {
	return len(s) == 12 && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}
