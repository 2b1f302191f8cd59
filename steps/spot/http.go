package spot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rolecall/steps/vendorapi"
)

const (
	maxAnswer = 4 << 20 // bytes of one answer: an organisation with thousands of accounts fits
	maxTries  = 3       // of one call
	firstWait = 300 * time.Millisecond
	// longestPause is what a person who looks at the screen waits for one answer.
	longestPause = 30 * time.Second
)

// answer is the envelope of everything that Spot says.
type answer struct {
	Request struct {
		ID string `json:"id"`
	} `json:"request"`
	Response *struct {
		Status struct {
			Code int `json:"code"`
		} `json:"status"`
		Items  json.RawMessage `json:"items"`
		Errors []remark        `json:"errors"`
	} `json:"response"`
}

type remark struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field"`
}

// get reads, and asks again up to twice where the trouble may pass.
func get[T any](ctx context.Context, c *Client, op, path string, query url.Values) ([]T, error) {
	return repeat(ctx, (*vendorapi.Error).Passing, func() ([]T, *vendorapi.Error) {
		return send[T](ctx, c, op, http.MethodGet, path, query, nil)
	})
}

// post writes, and asks again only where Spot did nothing because it was asked
// too often: otherwise that could do the thing twice.
func post[T any](ctx context.Context, c *Client, op, path string, query url.Values, body any) ([]T, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	return repeat(ctx, notTaken, func() ([]T, *vendorapi.Error) {
		return send[T](ctx, c, op, http.MethodPost, path, query, text)
	})
}

func notTaken(e *vendorapi.Error) bool {
	return e.Status == http.StatusTooManyRequests && e.Foreign == ""
}

// repeat asks again where that may help: after growing pauses, or after the
// one that Spot asks for (Retry-After). With a deadline there is no other bound
// on the latter, without one nobody wants to wait for long.
func repeat[T any](ctx context.Context, again func(*vendorapi.Error) bool, ask func() ([]T, *vendorapi.Error)) ([]T, error) {
	wait := firstWait
	for try := 1; ; try++ {
		items, err := ask()
		if err == nil || !again(err) || ctx.Err() != nil || vendorapi.AskedOnce(ctx) {
			return items, plain(err)
		}
		pause := wait + rand.N(wait) //nolint:gosec // a pause is no secret
		if err.RetryAfter > 0 {
			pause = err.RetryAfter
		}
		if !fits(ctx, pause, try, err.RetryAfter > 0) || sleep(ctx, pause) != nil {
			return nil, err
		}
		wait *= 3
	}
}

// fits tells whether one more try can come after the pause.
func fits(ctx context.Context, pause time.Duration, try int, asked bool) bool {
	deadline, bounded := ctx.Deadline()
	switch {
	case bounded && asked:
		return time.Now().Add(pause).Before(deadline)
	case bounded:
		return try < maxTries && time.Now().Add(pause).Before(deadline)
	}
	return try < maxTries && pause <= longestPause
}

// plain keeps a nil *vendorapi.Error from becoming a non-nil error.
func plain(err *vendorapi.Error) error {
	if err == nil {
		return nil
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send makes one request and reads its answer. It ends in time also where the
// caller sets no limit.
func send[T any](ctx context.Context, c *Client, op, method, path string, query url.Values, body []byte) ([]T, *vendorapi.Error) {
	write := method != http.MethodGet
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	request, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return nil, c.unanswered(op, err, false)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unanswered(op, err, write)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, c.unanswered(op, err, write)
	}
	var said answer
	malformed := parse(text, &said) != nil || said.Response == nil
	vendorapi.Note(ctx, c.clean(said.Request.ID))
	status := statusOf(response.StatusCode, said, malformed)
	if malformed {
		if foreign := foreignIn(text); foreign != "" {
			return nil, c.foreign(op, status, foreign, write, response.Header)
		}
	}
	if status != http.StatusOK {
		return nil, c.refusal(op, status, said, write, response.Header)
	}
	var items []T
	if !malformed && len(said.Response.Items) > 0 {
		malformed = json.Unmarshal(said.Response.Items, &items) != nil
	}
	if malformed {
		e := odd(op, "no answer of the documented shape")
		e.Unsure = write
		return nil, e
	}
	return items, nil
}

// foreignIn says what a text is that Spot's API does not answer: the page of a
// proxy or of a network that wants a person to sign in, or another server's
// JSON. It is empty where the text says nothing of who wrote it.
func foreignIn(text []byte) string {
	var object map[string]json.RawMessage
	switch start := bytes.TrimSpace(text); {
	case bytes.HasPrefix(start, []byte("<")):
		return "a web page"
	case json.Unmarshal(start, &object) == nil && object["request"] == nil && object["response"] == nil:
		return "JSON of another server"
	}
	return ""
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Request, error) {
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = query.Encode()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, u.String(), reader)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token())
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "rolecall")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// parse reads exactly one JSON document of bounded size.
func parse(text []byte, into *answer) error {
	if len(text) > maxAnswer {
		return errors.New("the answer is too long")
	}
	return json.Unmarshal(text, into)
}

// statusOf is the status that counts: HTTP's, or the envelope's where that one
// says that a 200 went wrong.
func statusOf(status int, said answer, malformed bool) int {
	if status == http.StatusOK && !malformed && said.Response.Status.Code > http.StatusOK {
		return said.Response.Status.Code
	}
	return status
}
