package vendorapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Vendor is what an error says of the vendor and of how rolecall reaches it.
type Vendor struct {
	Title   string // "Spot"
	Token   string // how to get another token, a sentence
	Address string // the environment variable that replaces the API's address
}

// Words are the three lines of an error, where the usual ones would not fit.
type Words struct{ What, Expected, Next string }

// Error is a call to a vendor's API that did not go well. Its texts are safe to
// draw: the client takes control characters and the token out of what the
// vendor said.
type Error struct {
	Vendor    Vendor
	Op        string // what rolecall was doing, a bare verb phrase: "list Spot accounts"
	Status    int    // of HTTP; 0 when no answer came, or nothing was sent
	Code      string // the vendor's code of its first error; often empty
	Message   string // the vendor's own words; several errors are joined with "; "
	Field     string // what the vendor found wrong, where it says so
	RequestID string // the vendor's support asks for it
	Unsure    bool   // the call may have been carried out although no good answer came
	Final     bool   // the vendor said no for a reason that no further try changes
	Foreign   string // what answered in the vendor's place, in words: "a web page"
	Err       error  // why no answer came, without the token; may be nil
	Words     Words  // instead of the usual ones, where What is set

	RetryAfter time.Duration // how long the vendor asks to wait; 0 where it does not
}

// Error is the verb phrase, what happened and the next step.
func (e *Error) Error() string {
	text := e.Op + ": " + e.What()
	if quoted := e.Quoted(); quoted != "" {
		text += " (" + e.Vendor.Title + " says: " + quoted + ")"
	}
	if next := e.Next(); next != "" {
		text += " " + next
	}
	return text
}

// Unwrap gives the cause: a cancelled context, a network error.
func (e *Error) Unwrap() error { return e.Err }

// Refused tells that the vendor understood and said no (HTTP 400) for a reason
// that may pass: for a role, most often that it could not assume it yet.
func (e *Error) Refused() bool { return e.Status == http.StatusBadRequest && e.SaidNo() && !e.Final }

// SaidNo tells that the vendor itself understood and refused.
func (e *Error) SaidNo() bool {
	return e.Foreign == "" && e.Status >= 400 && e.Status < 500 && !e.Passing() && e.Status != http.StatusProxyAuthRequired
}

// Denied tells that the vendor does not accept the token, or not for this
// account.
func (e *Error) Denied() bool {
	return e.Foreign == "" && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

// Unsent tells that rolecall refused before anything was sent.
func (e *Error) Unsent() bool { return e.Status == 0 && e.Words.What != "" }

// Passing tells that the same call may go well a little later: no answer, too
// many calls, or the vendor is not well. Ask again only when Unsure is false.
func (e *Error) Passing() bool {
	if e.Words.What != "" || errors.Is(e.Err, context.Canceled) {
		return false
	}
	passing := []int{0, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}
	return slices.Contains(passing, e.Status) || e.Status >= 500 && e.Status != http.StatusNetworkAuthenticationRequired
}

// timedOut tells that an answer took too long.
func (e *Error) timedOut() bool {
	var slow interface{ Timeout() bool }
	return errors.Is(e.Err, context.DeadlineExceeded) || errors.As(e.Err, &slow) && slow.Timeout()
}

// What says what happened, a sentence.
func (e *Error) What() string {
	vendor := e.Vendor.Title
	switch {
	case e.Words.What != "":
		return e.Words.What
	case e.timedOut():
		return vendor + " did not answer in time."
	case e.Status == 0 && e.Err != nil:
		return "No answer came from " + vendor + ": " + strings.TrimSuffix(e.Err.Error(), ".") + "."
	case e.Status == 0:
		return "No answer came from " + vendor + "."
	case e.Status == http.StatusProxyAuthRequired:
		return "The proxy on the way to " + vendor + " wants a password (HTTP 407)."
	case e.Status == http.StatusNetworkAuthenticationRequired:
		return "This network wants you to sign in before it lets anything through to " + vendor + " (HTTP 511)."
	case e.Foreign != "" && e.Status < 500:
		return fmt.Sprintf("What answered is not %s: %s (HTTP %d).", vendor, e.Foreign, e.Status)
	case e.Status == http.StatusUnauthorized:
		return vendor + " does not accept the token (HTTP 401)."
	case e.Status == http.StatusForbidden:
		return vendor + " does not let this token do that (HTTP 403)."
	case e.Status == http.StatusNotFound:
		return vendor + " knows no such account (HTTP 404)."
	case e.Status == http.StatusTooManyRequests:
		return vendor + " asks to slow down (HTTP 429)."
	case e.Status >= 500:
		return fmt.Sprintf("%s is not well (HTTP %d).", vendor, e.Status)
	case e.Status >= 300 && e.Status < 400:
		return fmt.Sprintf("%s sent the request elsewhere (HTTP %d), and rolecall does not follow with a token.", vendor, e.Status)
	}
	if e.SaidNo() {
		return fmt.Sprintf("%s refused (HTTP %d).", vendor, e.Status)
	}
	return fmt.Sprintf("%s answered with HTTP %d, which its API does not do.", vendor, e.Status)
}

// Expected says what was expected instead; it may be empty.
func (e *Error) Expected() string {
	switch {
	case e.Words.What != "":
		return e.Words.Expected
	case e.Denied():
		return "a valid API token with the right to manage accounts"
	case e.Foreign != "":
		return "an answer of " + e.Vendor.Title + "'s API"
	case e.Final:
		return e.Vendor.Title + " to take it"
	}
	return "an answer with HTTP 200"
}

// Next says what to do, a sentence.
func (e *Error) Next() string {
	switch {
	case e.Words.What != "":
		return e.Words.Next
	case e.Unsure:
		return e.MayBeDone()
	case e.Denied():
		return e.Vendor.Token
	case e.Status == http.StatusProxyAuthRequired:
		return "Put the proxy's user and password into HTTPS_PROXY, or take " + e.Vendor.Title + "'s host out of it with NO_PROXY."
	case e.Foreign != "" && e.Status < 500, e.Status == http.StatusNetworkAuthenticationRequired:
		return "Sign in to the network, or look at the proxy and at " + e.Vendor.Address + ". Then try again."
	case e.Status == http.StatusNotFound:
		return "Check the account ID, and that the token belongs to its organization."
	case e.Status == 0:
		return "Check the network and a proxy, then try again."
	case e.Passing() && e.RetryAfter > 0:
		return fmt.Sprintf("Try again in %s, as %s asks.", e.RetryAfter.Round(time.Second), e.Vendor.Title)
	case e.Passing():
		return "Wait a minute, then try again."
	case !e.SaidNo():
		return "Check " + e.Vendor.Address + ", then do this step in " + e.Vendor.Title + "'s console."
	}
	return "Correct what " + e.Vendor.Title + " names, then try again."
}

// MayBeDone is what to do where nobody knows whether the vendor did it.
func (e *Error) MayBeDone() string {
	return e.Vendor.Title + " may have done it all the same. Look in its console before you try again."
}

// Quoted are the vendor's own words.
func (e *Error) Quoted() string { return cmp.Or(e.Message, e.Code) }
