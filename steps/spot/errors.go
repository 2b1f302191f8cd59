package spot

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"rolecall/steps/vendorapi"
)

// vendor is what errors say of Spot.
func vendor() vendorapi.Vendor {
	return vendorapi.Vendor{Title: "Spot", Address: envURL,
		Token: "Make a new token in Spot's console under Settings, API, and give it as " + envToken + "."}
}

// refuse says no before anything was sent.
func refuse(op, what, expected, next string) *vendorapi.Error {
	return &vendorapi.Error{Vendor: vendor(), Op: op, Words: vendorapi.Words{What: what, Expected: expected, Next: next}}
}

// odd says that Spot answered something that rolecall does not understand.
func odd(op, found string) *vendorapi.Error {
	e := refuse(
		op,
		"Spot's answer holds "+found+".",
		"an answer as in Spot's public SDK",
		"Check "+envURL+", then do this step in Spot's console.",
	)
	e.Status = http.StatusOK
	return e
}

// unsure marks that the call was carried out although its answer is of no use.
func unsure(err error) error {
	var e *vendorapi.Error
	if errors.As(err, &e) {
		e.Unsure = true
		e.Words.Next = e.MayBeDone()
	}
	return err
}

// refusal keeps Spot's own words. A write that met trouble at Spot (5xx) may
// have been carried out.
func (c *Client) refusal(op string, status int, said answer, write bool, header http.Header) *vendorapi.Error {
	e := &vendorapi.Error{Vendor: vendor(), Op: op, Status: status, RequestID: c.clean(said.Request.ID),
		Unsure: write && (status >= 500 || status == http.StatusRequestTimeout), RetryAfter: vendorapi.RetryAfter(header)}
	if said.Response == nil {
		return e
	}
	var words []string
	for i, r := range said.Response.Errors {
		if i == 0 {
			e.Code, e.Field = c.clean(r.Code), c.clean(r.Field)
		}
		if r.Message != "" {
			words = append(words, r.Message)
		}
	}
	e.Message = c.clean(strings.Join(words, "; "))
	e.Final = final(e)
	return e
}

// foreign is what came from somebody else, or from a server before Spot's. Of a
// write nobody knows then whether it was carried out.
func (c *Client) foreign(op string, status int, what string, write bool, header http.Header) *vendorapi.Error {
	return &vendorapi.Error{Vendor: vendor(), Op: op, Status: status, Foreign: what, Unsure: write && status != http.StatusTooManyRequests,
		RetryAfter: vendorapi.RetryAfter(header)}
}

// final tells a refusal that no further try changes. Spot documents neither code
// nor text of its refusals, and most of them are about a role that it cannot
// assume yet; these words are about something else.
func final(e *vendorapi.Error) bool {
	said := strings.ToLower(e.Code + " " + e.Message)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(said, word) })
	}
	switch {
	case e.Status != http.StatusBadRequest:
		return true
	case has("already", "duplicate", "in use", "belongs to", "another account", "another organi", "different account", "different organi"):
		return true
	case has("assum", "credential", "trust", "permission", "external id", "externalid", "not exist", "n't exist", "not found",
		"access denied", "not authorized"):
		return false
	}
	return has("exist", "validation", "malformed", "required", "must be", "must not", "unsupported", "not supported", "not allowed",
		"quota", "limit", "suspended", "disabled",
		"not the arn") ||
		has("invalid") && !has("role")
}

// unanswered describes why no answer came, in words without the token or the
// query.
func (c *Client) unanswered(op string, err error, write bool) *vendorapi.Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &vendorapi.Error{Vendor: vendor(), Op: op, Unsure: write, Err: &cause{text: c.clean(err.Error()), err: err}}
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
