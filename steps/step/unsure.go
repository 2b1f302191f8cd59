package step

import (
	"errors"

	"rolecall/steps/vendorapi"
)

// Unsure tells that a vendor may have done what it was asked, although no good
// answer came.
func Unsure(err error) bool {
	var e *vendorapi.Error
	return errors.As(err, &e) && e.Unsure
}
