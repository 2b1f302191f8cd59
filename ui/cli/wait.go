package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rolecall/steps/screen"
)

// DefaultWait is how long a command may take that nobody gave a --wait.
const DefaultWait = 2 * time.Minute

// CheckWait refuses what is no time.
func CheckWait(wait time.Duration) error {
	if wait > 0 {
		return nil
	}
	return Usage("--wait is "+wait.String()+".", "a time above zero, such as 2m", "Correct --wait.")
}

// Within runs do with one deadline over everything that it asks. What fails
// because the time was up is told as such, with what to do next.
func Within(ctx context.Context, wait time.Duration, next string, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	err := do(limited)
	if err == nil || ctx.Err() != nil || !errors.Is(limited.Err(), context.DeadlineExceeded) {
		return err
	}
	return late(err, wait, next)
}

// late tells of a failure that came with the end of the time. Whatever else went
// wrong counts more.
func late(err error, wait time.Duration, next string) error {
	p := ProblemOf(err)
	if p.Kind != screen.Failure {
		return err
	}
	if errors.Is(err, ErrCancelled) {
		p, err = screen.Problem{What: "AWS did not answer in time."}, nil // nobody left
	}
	p.What = fmt.Sprintf("The time was up after %s. %s", wait, p.What)
	p.Expected, p.Next, p.Kind = "an answer of AWS within the time", next, screen.TimedOut
	return &screen.Fault{Problem: p, Err: err}
}
