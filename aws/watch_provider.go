package aws

import (
	"context"
	"time"

	"rolecall/policy"
)

// ProviderWatch waits for an OIDC provider to appear, for an audience. Its methods
// are not safe for concurrent use.
type ProviderWatch struct {
	watch
	web  policy.WebIdentity
	seen *OIDCProvider
}

// WatchProvider begins to look for the OIDC provider of a web identity. It sends
// nothing before the first Fetch.
func (a *Account) WatchProvider(w policy.WebIdentity) *ProviderWatch {
	return &ProviderWatch{watch: watch{account: a}, web: w}
}

// Fetch does one request. It returns as PolicyWatch.Fetch does; done means that
// the provider is there and takes the audience.
func (w *ProviderWatch) Fetch(ctx context.Context) (next time.Duration, done bool, err error) {
	w.spent, w.note = 0, ""
	p, err := w.account.OIDCProvider(ctx, w.web.Provider(), w.watched)
	switch {
	case KindOf(err) == NotFound:
		w.seen, err = nil, nil
	case err == nil:
		w.seen = &p
	}
	next, err = w.finish(err)
	return next, w.Done(), err
}

// Provider is the one that was seen; nil: the account has none.
func (w *ProviderWatch) Provider() *OIDCProvider { return w.seen }

// Done tells whether the provider is there and takes the audience.
func (w *ProviderWatch) Done() bool { return w.seen != nil && w.seen.Takes(w.web.Audience) }

// Note says in a sentence what is limited just now, empty when nothing is.
func (w *ProviderWatch) Note() string { return w.note }
