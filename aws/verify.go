package aws

import "context"

// Verify looks at the role that want names (RoleARN, else RoleName) and judges
// it. A role that does not exist is a report, not an error. A refused request
// makes checks unknown, not the call fail; errors are left for what prevents
// any judgement (credentials, network).
func (a *Account) Verify(ctx context.Context, want Want) (Report, error) {
	_, report, err := Look(ctx, a, want)
	return report, err
}

// Look is Verify with what was seen beside the verdict.
func (a *Account) Look(ctx context.Context, want Want) (Seen, Report, error) {
	return Look(ctx, a, want)
}

// Place is the account signed in to.
func (a *Account) Place(ctx context.Context) (partition, accountID string, err error) {
	id, err := a.knownIdentity(ctx)
	return id.Partition, id.AccountID, err
}

// See reads the role that want names with its policies.
func (a *Account) See(ctx context.Context, want Want) (Seen, error) {
	o := &observer{account: a, web: want.Web}
	seen, err := o.observe(ctx, want)
	if err != nil {
		return Seen{}, err
	}
	seen.Now = a.options.Now()
	return seen, nil
}

// SeeUser reads the user that want names with its policies and keys.
func (a *Account) SeeUser(ctx context.Context, want WantUser) (SeenUser, error) {
	o := observer{account: a}
	seen, err := o.observeUser(ctx, want.Name)
	if err == nil && seen.User != nil {
		seen.Keys, err = a.AccessKeys(ctx, seen.User.Name)
		seen.KeysUnknown, err = seen.denied(err)
	}
	if err != nil {
		return SeenUser{}, err
	}
	return seen, nil
}
