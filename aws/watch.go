package aws

import (
	"context"
	"errors"
	"fmt"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go/middleware"
)

// How often a watch asks. A round that cost more requests is followed by a
// longer pause, so that the budget is never used up at once.
const (
	soonest     = 4 * time.Second // after a round of one request: a quarter of the budget is left for reading
	longestWait = time.Minute     // while AWS asks to slow down or does not answer
	askAgain    = 2 * time.Minute // until a denied action is tried anew: someone may have granted it
	pageSize    = 1000            // entries a list request may return, IAM's most
	listCalls   = 5               // list requests in one round, enough for 5,000 roles
)

// watch is what the watches of policies and roles share: pace, back-off and
// what is not allowed.
type watch struct {
	account *Account
	spent   int                  // requests of this round
	trouble int                  // rounds in a row that ended in throttling or without an answer
	denied  map[string]time.Time // IAM action: when it was refused
	note    string               // what is limited just now
}

// watched makes a request of a watch: it waits for room in the budget and is
// not retried by the SDK, because every retry is a request too.
func (w *watch) watched(o *iam.Options) {
	o.Retryer = awssdk.NopRetryer{}
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc(
			"rolecallBudget",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput,
				middleware.Metadata, error) {
				if err := w.account.budget.take(ctx, &w.account.options); err != nil {
					return middleware.InitializeOutput{}, middleware.Metadata{}, err
				}
				w.spent++
				return next.HandleInitialize(ctx, in)
			},
		), middleware.After)
	})
}

// may tells whether an action is worth asking for: it was not denied lately.
func (w *watch) may(action string) bool {
	at, denied := w.denied[action]
	if denied && w.account.options.Now().Sub(at) >= askAgain {
		delete(w.denied, action)
		return true
	}
	return !denied
}

// deny remembers a refusal and swallows it; any other error is returned.
func (w *watch) deny(action string, err error) error {
	e := Explain(err)
	if e == nil || e.Kind != Denied {
		return err
	}
	if e.Action == "" {
		e.Action = action
	}
	if w.denied == nil {
		w.denied = map[string]time.Time{}
	}
	w.denied[action] = w.account.options.Now()
	return nil
}

// finish turns what a round ended with into what Fetch returns. Throttling and
// a dropped connection are a later next and a note; credentials that ran out
// and refusals are errors that the caller shows, and the watch can go on.
func (w *watch) finish(err error) (time.Duration, error) {
	if err == nil {
		w.trouble = 0
		pause := time.Duration(max(w.spent, 1)) * soonest
		return max(pause, w.account.budget.delay(w.spent, w.account.options.Now())), nil
	}
	e := Explain(err)
	switch {
	case e.Kind == Canceled || errors.Is(err, context.DeadlineExceeded):
		return soonest, e
	case e.Kind == Throttled || e.Kind == Network || e.Kind == Unavailable:
		w.trouble++
		w.note = troubleNote(e)
		return min(soonest<<min(w.trouble, 5), longestWait), nil
	}
	return longestWait / 2, e
}

func troubleNote(e *Error) string {
	switch e.Kind {
	case Throttled:
		return "AWS asks to slow down. rolecall looks less often for a while."
	case Network:
		return "AWS cannot be reached just now. rolecall tries again."
	}
	return "AWS could not answer. rolecall tries again."
}

// limited is the note for an action that is not allowed.
func limited(action, instead string) string {
	return fmt.Sprintf("You are not allowed %s, so %s.", action, instead)
}
