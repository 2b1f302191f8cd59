package aws

import (
	"cmp"
	"context"
)

// Source is where roles and users are seen. A live *Account is one, and so is
// what somebody else read from the account and pasted (aws/evidence.View).
// Sources differ in how they see, never in how is judged: Verify and VerifyUser
// are the only way from a source to a verdict.
type Source interface {
	// Place is the partition and the account that the source is of, each empty
	// where it does not tell.
	Place(ctx context.Context) (partition, accountID string, err error)
	// See looks at the role that want names (RoleARN, else RoleName). A role that
	// does not exist, a refused request and an output that is missing are in
	// Seen; errors are left for what prevents any judgement.
	See(ctx context.Context, want Want) (Seen, error)
	// SeeUser is See for the user that want names.
	SeeUser(ctx context.Context, want WantUser) (SeenUser, error)
}

// Look looks at the role that want names and judges it. Where want leaves the
// partition or the account open, the source's own are expected.
func Look(ctx context.Context, source Source, want Want) (Seen, Report, error) {
	if want.AccountID == "" || want.Partition == "" {
		partition, account, err := source.Place(ctx)
		if err != nil {
			return Seen{}, Report{}, err
		}
		want.AccountID, want.Partition = cmp.Or(want.AccountID, account), cmp.Or(want.Partition, partition)
	}
	seen, err := source.See(ctx, want)
	if err != nil {
		return Seen{}, Report{}, err
	}
	return seen, Judge(want, seen), nil
}

// LookUser is Look for a user.
func LookUser(ctx context.Context, source Source, want WantUser) (SeenUser, UserReport, error) {
	if want.AccountID == "" || want.Partition == "" {
		partition, account, err := source.Place(ctx)
		if err != nil {
			return SeenUser{}, UserReport{}, err
		}
		want.AccountID, want.Partition = cmp.Or(want.AccountID, account), cmp.Or(want.Partition, partition)
	}
	seen, err := source.SeeUser(ctx, want)
	if err != nil {
		return SeenUser{}, UserReport{}, err
	}
	return seen, JudgeUser(want, seen), nil
}
