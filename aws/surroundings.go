package aws

import (
	"context"
	"slices"
	"time"

	"rolecall/policy"
)

// Surroundings are what stands around a role and can keep a vendor from using it,
// as far as it could be read.
type Surroundings struct {
	Guardrails             Guardrails
	BoundaryDocument       *policy.Document // of the role's permissions boundary; nil: none, or not read
	STSActive, STSInactive []string         // regions in which STS answered for the account, and did not
	// STSInactiveNear are regions that nobody named, in which vendors often are and
	// STS did not answer.
	STSInactiveNear []string
}

// Surroundings reads what stands around the role that was seen: the policies of
// its organisation, its permissions boundary, and whether STS answers in regions
// beside the one signed in to: those that were named, and those that vendors are
// often in. What cannot be read is left out: it is asked for
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
	s.readSTS(ctx, a, regions)
	return s
}

// longestSTS bounds how long regions are asked that a firewall may keep out of
// reach.
const longestSTS = 10 * time.Second

// readSTS asks STS in the regions that were named, then in the usual ones.
func (s *Surroundings) readSTS(ctx context.Context, a *Account, named []string) {
	ctx, cancel := context.WithTimeout(ctx, longestSTS)
	defer cancel()
	own := a.Region()
	named = slices.DeleteFunc(slices.Clone(named), func(region string) bool { return region == own })
	near := slices.DeleteFunc(usualRegions(own), func(region string) bool { return region == own || slices.Contains(named, region) })
	s.STSActive = []string{own}
	for _, region := range slices.Concat(named, near) {
		inactive, err := a.InactiveSTS(ctx, []string{region})
		switch {
		case err != nil: // nobody knows
		case len(inactive) == 0:
			s.STSActive = append(s.STSActive, region)
		case slices.Contains(named, region):
			s.STSInactive = append(s.STSInactive, region)
		default:
			s.STSInactiveNear = append(s.STSInactiveNear, region)
		}
	}
}

// usualRegions are those from which a vendor most likely assumes a role. All are
// active unless somebody deactivated them.
func usualRegions(own string) []string {
	switch partition, _ := PartitionOf(own); partition {
	case "aws":
		return []string{"us-east-1", "us-west-2", "eu-west-1"}
	case "aws-us-gov":
		return []string{"us-gov-west-1", "us-gov-east-1"}
	case "aws-cn":
		return []string{"cn-north-1", "cn-northwest-1"}
	}
	return nil
}
