package explain

import (
	"errors"

	"rolecall/aws"
	"rolecall/steps/screen"
	"rolecall/steps/vendorapi"
)

// Refused tells whether an error means for certain that nothing was done by the
// request that it answers.
func Refused(err error) bool {
	var fault *screen.Fault
	var vendor *vendorapi.Error
	switch {
	case errors.As(err, &vendor):
		return !vendor.Unsure
	case errors.As(err, &fault):
		return true // rolecall refused by itself
	}
	switch aws.KindOf(err) {
	case aws.Denied, aws.Throttled, aws.NotFound, aws.Limit, aws.Conflict, aws.Malformed, aws.Expired, aws.NotSignedIn, aws.WrongAccount:
		return true
	}
	return false
}

// Outcome is what the journal is told of a request; done is what it came to where
// there is no error.
func Outcome(err error, done screen.Result) screen.Outcome {
	p := Problem(err)
	if p == nil {
		return screen.Outcome{Result: done}
	}
	o := screen.Outcome{Result: screen.ResultUnknown, Code: p.Named.Code, RequestID: p.Named.RequestID, Said: err.Error()}
	var vendor *vendorapi.Error
	switch {
	case !errors.As(err, &vendor) && aws.KindOf(err) == aws.Exists:
		o.Result = screen.ResultExists
	case Refused(err):
		o.Result = screen.ResultRefused
	}
	return o
}
