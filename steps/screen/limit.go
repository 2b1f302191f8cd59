package screen

import (
	"context"
	"time"
)

const (
	// lastWords is how long a request that writes may still wait for its answer
	// after a signal ended everything else.
	lastWords = 5 * time.Second
	// lookUpFor is how long rolecall looks what became of a request whose answer
	// got lost, also when the time is up.
	lookUpFor = 10 * time.Second
)

// Writing is the context of a request that writes. It ends when the time of ctx
// is up; when ctx ends before that, by a signal, a little is left for the
// answer, since nobody would know otherwise what was done.
func Writing(ctx context.Context) (context.Context, context.CancelFunc) {
	writing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if deadline, ok := ctx.Deadline(); ok {
		limited, end := context.WithDeadline(writing, deadline)
		writing, cancel = limited, both(end, cancel)
	}
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(lastWords):
			cancel()
		case <-writing.Done():
		}
	})
	return writing, func() { stop(); cancel() }
}

func both(first, second context.CancelFunc) context.CancelFunc {
	return func() { first(); second() }
}

// LookUp is the context of one look at what became of a request whose answer got
// lost. It outlives the request's own time.
func LookUp(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lookUpFor)
}
