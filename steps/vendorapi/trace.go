package vendorapi

import (
	"context"
	"sync/atomic"
)

type traceKey struct{}

// Traced is a context whose requests to a vendor are noted: requestID tells the
// vendor's number of the last one that was answered, empty where none was.
func Traced(ctx context.Context) (traced context.Context, requestID func() string) {
	var last atomic.Pointer[string]
	return context.WithValue(ctx, traceKey{}, &last), func() string {
		if id := last.Load(); id != nil {
			return *id
		}
		return ""
	}
}

// Note tells a traced context the number of a request. Clients call it with each
// answer.
func Note(ctx context.Context, requestID string) {
	if last, ok := ctx.Value(traceKey{}).(*atomic.Pointer[string]); ok && requestID != "" {
		last.Store(&requestID)
	}
}
