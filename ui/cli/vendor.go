package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"rolecall/steps/vendorapi"
)

// VendorEnvironment is what a vendor's API may read here when it is opened.
func (a *App) VendorEnvironment() vendorapi.Environment {
	return vendorapi.Environment{Getenv: a.Env.Getenv, ReadFile: os.ReadFile, HTTP: &http.Client{Timeout: VendorWait}}
}

// longestAnswer is how much of a vendor's answer is read, in bytes.
const longestAnswer = 4 << 10

// PostClient follows no redirect: what was confirmed is one address.
func PostClient() *http.Client {
	return &http.Client{Timeout: VendorWait, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the server wants to send it elsewhere, and rolecall does not follow")
	}}
}

// Post sends a JSON text once and returns the answer's status and the beginning
// of its text.
func Post(ctx context.Context, client *http.Client, url, body string) (int, string, error) {
	status, answer, _, err := PostAsked(ctx, client, url, body)
	return status, answer, err
}

// PostAsked is Post, and gives how long the answer asks to wait (Retry-After); 0
// where it does not.
func PostAsked(ctx context.Context, client *http.Client, url, body string) (status int, answer string, wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, "", 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "rolecall/"+Version())
	response, err := client.Do(request)
	if err != nil {
		return 0, "", 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	return response.StatusCode, string(text), vendorapi.RetryAfter(response.Header), err
}

// VendorWait bounds one request to a vendor.
const VendorWait = 20 * time.Second
