package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// MaxPolicyText is far more than any policy, and little enough to be read
// whole before it is refused.
const MaxPolicyText = 16 << 20

// ReadFile reads the file of a policy that was named.
func ReadFile(name string) ([]byte, error) {
	text, err := describe.ReadInput(name, MaxPolicyText)
	if errors.Is(err, describe.ErrInterrupted) {
		return nil, err
	}
	if err != nil {
		return nil, CannotRead(name, err)
	}
	return text, TooMuch(name, text)
}

// Await reads beside the command, so that a signal ends the waiting for input
// that does not come: what was begun is left to end with the program.
func Await(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	type answer struct {
		text []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := read()
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, &screen.Fault{Problem: screen.Problem{What: "What was to be read did not come.", Kind: screen.Failure}}
		}
		return nil, ErrCancelled
	}
}

// TooMuch refuses a text that no policy can be.
func TooMuch(name string, text []byte) error {
	if len(text) <= MaxPolicyText {
		return nil
	}
	return Usage(draw.Clean(name)+" is larger than 16 MB.", "a policy; AWS takes 131,072 characters at most", "Name the right file.")
}

// CannotRead says why a file could not be read.
func CannotRead(name string, err error) error {
	why := err.Error()
	var path *fs.PathError
	if errors.As(err, &path) {
		why = path.Err.Error()
	}
	return Usage(
		fmt.Sprintf("%s cannot be read: %s.", draw.Clean(name), draw.Clean(why)),
		"a file, or - for standard input",
		"Check the name.",
	)
}

// CheckPolicyARN refuses what is not the ARN of a managed policy.
func CheckPolicyARN(s string) error {
	arn, ok := aws.SplitARN(s)
	if ok && arn.Service == "iam" && strings.HasPrefix(arn.Resource, "policy/") {
		return nil
	}
	return Usage(fmt.Sprintf("%q is not the ARN of a policy.", draw.Clean(s)),
		"arn:aws:iam::123456789012:policy/NAME", "Copy the ARN from the policy's page in the console.")
}
