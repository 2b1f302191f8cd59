// Package policy knows IAM policy documents: it parses, composes, fits,
// compares, reviews and exports them. It is pure: no context, no network, no
// clock. It stands between aws (which fetches documents) and assets (which
// holds the action catalogue).
package policy
