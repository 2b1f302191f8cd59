package policy

import (
	"slices"
	"strings"
)

// Principal is one AWS principal of a trust policy.
type Principal struct {
	Value     string // as written
	Partition string // of an ARN, else ""
	AccountID string // "" for "*" and for the bare ID of a deleted principal
	Whole     bool   // the account as a whole: its number or its root ARN
	Anyone    bool   // "*"
}

func awsPrincipals(p Principals) []Principal {
	var out []Principal
	for _, value := range append(slices.Clone(p["*"]), p["AWS"]...) {
		out = append(out, ParsePrincipal(value))
	}
	return out
}

// ParsePrincipal reads an AWS principal: an account's number, an ARN, "*", or
// the unique ID that stays behind when a principal is deleted.
func ParsePrincipal(value string) Principal {
	p := Principal{Value: value, Anyone: value == "*"}
	if isAccountID(value) {
		p.AccountID, p.Whole = value, true
		return p
	}
	parts := strings.SplitN(value, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" && isAccountID(parts[4]) {
		p.Partition, p.AccountID = parts[1], parts[4]
		p.Whole = parts[2] == "iam" && parts[5] == "root"
	}
	return p
}

// Covers reports whether p lets in everything that q names: anyone, the same
// account as a whole, or the same principal.
func (p Principal) Covers(q Principal) bool {
	if p.Anyone || p.Value == q.Value {
		return true
	}
	samePartition := p.Partition == "" || q.Partition == "" || p.Partition == q.Partition
	return p.Whole && p.AccountID == q.AccountID && p.AccountID != "" && samePartition
}
