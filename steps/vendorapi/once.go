package vendorapi

import "context"

type onceKey struct{}

// Once marks a context whose calls are sent once, also where the vendor asks to
// wait: the caller waits, for all of its calls together.
func Once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

// AskedOnce tells whether a context is marked by Once.
func AskedOnce(ctx context.Context) bool {
	once, _ := ctx.Value(onceKey{}).(bool)
	return once
}
