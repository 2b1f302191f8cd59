// Package spot is the client of Spot's API: its accounts, their external IDs
// and the role handed over. Everything that Spot answers is hostile until
// parsed, and the token shows up in no error, log or print. It stands on
// vendorapi, whose interface it implements, and only the register of the APIs
// knows it.
//
// Calls and shapes are those of Spot's public Go SDK,
// github.com/spotinst/spotinst-sdk-go (service/account/providers/aws).
package spot

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// DefaultURL is where Spot's API is.
const DefaultURL = "https://api.spotinst.io"

// maxWait bounds one request, its answer included.
const maxWait = 20 * time.Second

// Token is an API token of Spot. It prints masked, whatever the verb, and
// refuses to be marshalled; only string(token) reveals it.
type Token string

const mask = "••••••••"

// Format masks the token for every verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// String masks the token.
func (t Token) String() string {
	if t == "" {
		return ""
	}
	return mask
}

// MarshalText refuses, so that no encoder can write a token.
func (t Token) MarshalText() ([]byte, error) {
	return nil, errors.New("marshal Spot token: secrets are never written")
}

// Options say where Spot's API is and who asks.
type Options struct {
	// BaseURL replaces DefaultURL when it is not empty: https, or http to a
	// loopback address.
	BaseURL string
	Token   Token
	// HTTPClient carries the requests, each of which has 20 s; nil means one of its
	// own.
	// Redirects are never followed, whatever it says.
	HTTPClient *http.Client
}

// Client asks Spot's API. It is safe for concurrent use.
type Client struct {
	base *url.URL
	http *http.Client
	// token is behind a function, since fmt prints unexported fields raw.
	token func() string
}

// New makes a client and sends nothing. The error is a *vendorapi.Error: the
// address is refused, or the token cannot be one.
func New(o Options) (*Client, error) {
	base, err := CheckURL(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if err := o.Token.Check(); err != nil {
		return nil, err
	}
	own := http.Client{}
	if o.HTTPClient != nil {
		own = *o.HTTPClient
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	token := string(o.Token)
	return &Client{base: base, http: &own, token: func() string { return token }}, nil
}

// CheckURL judges what ROLECALL_SPOT_URL may hold: an https address, or a plain
// http one of this machine, since the token goes there. Empty means DefaultURL.
func CheckURL(text string) (*url.URL, error) {
	if text == "" {
		text = DefaultURL
	}
	u, err := url.Parse(text)
	bad := err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != ""
	if bad || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, refuse("use the address of Spot's API", envURL+" is no address that the token may go to.",
			"https://HOST, or http:// to a loopback address such as http://127.0.0.1:8080",
			"Correct "+envURL+", or unset it to use "+DefaultURL+".")
	}
	return u, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Check refuses what cannot be a token: nothing, or text that an HTTP header
// cannot carry. The error does not repeat it.
func (t Token) Check() error {
	refused := func(what string) error {
		return refuse(
			"use the token of Spot",
			what,
			"an API token, one line without spaces",
			"Copy it again from Spot's console, under Settings, API.",
		)
	}
	switch {
	case t == "":
		return refused("The token of Spot is missing.")
	case len(t) > 4096:
		return refused("The token of Spot is longer than any token.")
	case strings.ContainsFunc(string(t), func(c rune) bool { return c <= ' ' || c >= 0x7f }):
		return refused("The token of Spot holds a space or another character that no token has.")
	}
	return nil
}
