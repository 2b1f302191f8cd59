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

// Budget is the time that a command has for all that it asks of others together.
// What a person takes to answer a question does not count.
type Budget struct {
	Wait time.Duration
	Next string // what to do when it was too little

	spent time.Duration
}

// Within runs do with what is left of the time. What fails because the time was
// up is told as such.
func (b *Budget) Within(ctx context.Context, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, b.Wait-b.spent)
	defer cancel()
	began := time.Now()
	err := do(limited)
	b.spent += time.Since(began)
	if err == nil || ctx.Err() != nil || !errors.Is(limited.Err(), context.DeadlineExceeded) {
		return err
	}
	return b.late(err)
}

// late tells of a failure that came with the end of the time. Whatever else went
// wrong counts more.
func (b *Budget) late(err error) error {
	p := ProblemOf(err)
	if p.Kind != screen.Failure {
		return err
	}
	if errors.Is(err, ErrCancelled) {
		p, err = screen.Problem{What: "AWS did not answer in time."}, nil // nobody left
	}
	p.What = fmt.Sprintf("The time was up after %s. %s", b.Wait, p.What)
	p.Expected, p.Next, p.Kind = "an answer within the time", b.Next, screen.TimedOut
	return &screen.Fault{Problem: p, Err: err}
}
