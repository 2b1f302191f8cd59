package aws

import (
	"cmp"
	"context"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Trace keeps the number of the last request that AWS answered, by which AWS
// Support finds it. It is safe for use by several goroutines.
type Trace struct {
	mu sync.Mutex
	id string
}

type traceKey struct{}

// Traced is a context whose requests are noted in the Trace.
func Traced(ctx context.Context) (context.Context, *Trace) {
	t := &Trace{}
	return context.WithValue(ctx, traceKey{}, t), t
}

// RequestID is the number of the last request; empty where it was not answered.
func (t *Trace) RequestID() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.id
}

func (t *Trace) note(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.id = id
}

// noteRequest tells the context's Trace the number of each request.
func noteRequest(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc(
		"rolecallTrace",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput,
			middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			if t, traced := ctx.Value(traceKey{}).(*Trace); traced {
				id, _ := awsmiddleware.GetRequestIDMetadata(metadata)
				t.note(cmp.Or(cleanText(id), requestIDOf(err)))
			}
			return out, metadata, err
		},
	), middleware.Before)
}
