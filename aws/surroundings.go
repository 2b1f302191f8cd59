package aws

import (
	"context"
	"slices"

	"rolecall/policy"
)

// Surroundings are what stands around a role and can keep a vendor from using it,
// as far as it could be read.
type Surroundings struct {
	Guardrails             Guardrails
	BoundaryDocument       *policy.Document // of the role's permissions boundary; nil: none, or not read
	STSActive, STSInactive []string         // regions in which STS answered for the account, and did not
}

// Surroundings reads what stands around the role that was seen: the policies of
// its organisation, its permissions boundary, and whether STS answers in regions
// beside the one signed in to. What cannot be read is left out: it is asked for
// where something is wrong already, and the rest of the answer counts.
func (a *Account) Surroundings(ctx context.Context, accountID string, seen Seen, regions []string) Surroundings {
	var s Surroundings
	var err error
	if s.Guardrails, err = a.Guardrails(ctx, accountID); err != nil {
		s.Guardrails.Refusal = Explain(err)
	}
	if seen.Role != nil && seen.Role.Boundary != "" {
		o := &observer{account: a}
		s.BoundaryDocument, _ = o.document(ctx, seen.Role.Boundary) // nil says that it is not known
	}
	own := a.Region()
	others := slices.DeleteFunc(slices.Clone(regions), func(region string) bool { return region == own })
	if s.STSInactive, err = a.InactiveSTS(ctx, others); err != nil {
		return s
	}
	s.STSActive = append(s.STSActive, own)
	for _, region := range others {
		if !slices.Contains(s.STSInactive, region) {
			s.STSActive = append(s.STSActive, region)
		}
	}
	return s
}
