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
	maxTries  = 3       // of a reading call
	firstWait = 300 * time.Millisecond
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
	wait := firstWait
	for try := 1; ; try++ {
		items, err := send[T](ctx, c, op, http.MethodGet, path, query, nil)
		if err == nil || !err.Passing() || try == maxTries || ctx.Err() != nil {
			return items, plain(err)
		}
		if sleep(ctx, wait+rand.N(wait)) != nil { //nolint:gosec // a pause is no secret
			return nil, err
		}
		wait *= 3
	}
}

// post writes, once: asking again could do the thing twice.
func post[T any](ctx context.Context, c *Client, op, path string, query url.Values, body any) ([]T, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	items, err := send[T](ctx, c, op, http.MethodPost, path, query, text)
	return items, plain(err)
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

// send makes one request and reads its answer.
func send[T any](ctx context.Context, c *Client, op, method, path string, query url.Values, body []byte) ([]T, *vendorapi.Error) {
	write := method != http.MethodGet
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
	if status := statusOf(response.StatusCode, said, malformed); status != http.StatusOK {
		return nil, c.refusal(op, status, said, write)
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
