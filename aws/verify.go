package aws

import (
	"context"
	"time"
)

// Verify looks at the role that want names (RoleARN, else RoleName) and judges
// it. A role that does not exist is a report, not an error. A refused request
// makes checks unknown, not the call fail; errors are left for what prevents
// any judgement (credentials, network).
func (a *Account) Verify(ctx context.Context, want Want) (Report, error) {
	_, report, err := a.Look(ctx, want)
	return report, err
}

// Look is Verify with what was seen beside the verdict.
func (a *Account) Look(ctx context.Context, want Want) (Seen, Report, error) {
	if want.AccountID == "" || want.Partition == "" {
		id, err := a.knownIdentity(ctx)
		if err != nil {
			return Seen{}, Report{}, err
		}
		want.AccountID, want.Partition = orElse(want.AccountID, id.AccountID), orElse(want.Partition, id.Partition)
	}
	o := &observer{account: a}
	seen, err := o.observe(ctx, want)
	if err != nil {
		return Seen{}, Report{}, err
	}
	seen.Now = time.Now()
	return seen, Judge(want, seen), nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
