package spot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Error is a call to Spot that did not go well. Its texts are safe to draw:
// control characters and the token were removed from what Spot said.
type Error struct {
	Op        string // what rolecall was doing, a bare verb phrase: "list Spot accounts"
	Status    int    // of HTTP; 0 when no answer came
	Code      string // Spot's code of its first error; often empty
	Message   string // Spot's own words; several errors are joined with "; "
	Field     string // what Spot found wrong, where it says so
	RequestID string // Spot's support asks for it
	Unsure    bool   // the call may have been carried out although no good answer came
	Err       error  // why no answer came, without the token; may be nil

	what, expected, next string // instead of the usual words
}

// Error is the verb phrase, what happened and the next step.
func (e *Error) Error() string {
	text := e.Op + ": " + e.What()
	if quoted := e.Quoted(); quoted != "" {
		text += " (Spot says: " + quoted + ")"
	}
	if next := e.Next(); next != "" {
		text += " " + next
	}
	return text
}

// Unwrap gives the cause: a cancelled context, a network error.
func (e *Error) Unwrap() error { return e.Err }

// Refused tells that Spot understood and said no (HTTP 400): for a role, most
// often that it could not assume it, which may pass.
func (e *Error) Refused() bool { return e.Status == http.StatusBadRequest }

// Denied tells that Spot does not accept the token, or not for this account.
func (e *Error) Denied() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Passing tells that the same call may go well a little later: no answer, too
// many calls, or Spot is not well. Ask again only when Unsure is false.
func (e *Error) Passing() bool {
	if e.what != "" || errors.Is(e.Err, context.Canceled) {
		return false
	}
	return e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status >= 500
}

// What says what happened, a sentence.
func (e *Error) What() string {
	switch {
	case e.what != "":
		return e.what
	case e.Status == 0:
		return "No answer came from Spot."
	case e.Status == http.StatusUnauthorized:
		return "Spot does not accept the token (HTTP 401)."
	case e.Status == http.StatusForbidden:
		return "Spot does not let this token do that (HTTP 403)."
	case e.Status == http.StatusNotFound:
		return "Spot knows no such account (HTTP 404)."
	case e.Status == http.StatusTooManyRequests:
		return "Spot asks to slow down (HTTP 429)."
	case e.Status >= 500:
		return fmt.Sprintf("Spot is not well (HTTP %d).", e.Status)
	case e.Status >= 300 && e.Status < 400:
		return fmt.Sprintf("Spot sent the request elsewhere (HTTP %d), and rolecall does not follow with a token.", e.Status)
	}
	return fmt.Sprintf("Spot refused (HTTP %d).", e.Status)
}

// Expected says what was expected instead; it may be empty.
func (e *Error) Expected() string {
	switch {
	case e.expected != "" || e.what != "":
		return e.expected
	case e.Denied():
		return "a valid API token with the right to manage accounts"
	}
	return "an answer with HTTP 200"
}

// Next says what to do, a sentence.
func (e *Error) Next() string {
	switch {
	case e.next != "" || e.what != "":
		return e.next
	case e.Unsure:
		return "Spot may have done it all the same. Look in its console before you try again."
	case e.Denied():
		return "Make a new token in Spot's console under Settings, API, and give it as SPOTINST_TOKEN."
	case e.Status == http.StatusNotFound:
		return "Check the account ID, and that the token belongs to its organization."
	case e.Status == 0:
		return "Check the network and a proxy, then try again."
	case e.Passing():
		return "Wait a minute, then try again."
	case e.Status >= 300 && e.Status < 400:
		return "Check ROLECALL_SPOT_URL."
	}
	return "Correct what Spot names, then try again."
}

// Quoted are Spot's own words with code, field and request, for its support; or
// why no answer came.
func (e *Error) Quoted() string {
	var parts []string
	if e.Message != "" {
		parts = append(parts, e.Message)
	} else if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	for _, detail := range []struct{ name, value string }{{"code", e.Code}, {"field", e.Field}, {"request", e.RequestID}} {
		if detail.value != "" {
			parts = append(parts, detail.name+" "+detail.value)
		}
	}
	return strings.Join(parts, " · ")
}

// unanswered describes why no answer came, in words without the token or the
// query.
func (c *Client) unanswered(op string, err error, write bool) *Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &Error{Op: op, Unsure: write, Err: &cause{text: c.clean(err.Error()), err: err}}
}

// cause shows a cleaned text for an error that others can still recognise.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// longest bounds what is kept of Spot's words.
const longest = 600

// clean makes a text of Spot's fit for a screen: the token goes, should Spot
// have echoed it, and so do control characters and endless lengths.
func (c *Client) clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.ReplaceAll(s, c.token(), mask)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return s
}
