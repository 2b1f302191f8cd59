package spot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/steps/spot"
	"rolecall/steps/vendorapi"
)

// scripted answers the n-th request with the n-th answer, then with the last.
type scripted struct {
	answers []scriptedAnswer
	mu      sync.Mutex
	asked   int
}

func (s *scripted) next() scriptedAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.answers[min(s.asked, len(s.answers))-1]
}

func (s *scripted) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

type scriptedAnswer struct {
	status int
	header [2]string
	body   string
	hang   bool
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client left
	a := s.next()
	if a.hang {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if a.header[0] != "" {
		w.Header().Set(a.header[0], a.header[1])
	}
	w.WriteHeader(a.status)
	_, _ = fmt.Fprint(w, a.body)
}

// inVirtualTime runs a client against scripted answers.
func inVirtualTime(t *testing.T, answers []scriptedAnswer, do func(*testing.T, *spot.Client, *scripted)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		script := &scripted{answers: answers}
		listener, client := awsrehearsal.Pipe()
		server := &http.Server{Handler: script}
		go func() { _ = server.Serve(listener) }()
		do(t, newClient(t, "http://127.0.0.1", client), script)
		client.CloseIdleConnections()
		_ = server.Close()
	})
}

const (
	oneID   = `{"response":{"items":[{"externalId":"spotinst:aws:extid:0123456789abcdef"}]}}`
	slowly  = `{"response":{"status":{"code":429},"errors":[{"code":"RATE","message":"too many"}]}}`
	unwell  = `{"response":{"status":{"code":503},"errors":[{"code":"AWAY","message":"later"}]}}`
	nothing = `{"response":{"items":[]}}`
)

func TestRetryAfterIsHonouredWithinTheTime(t *testing.T) {
	after := func(value string) scriptedAnswer {
		return scriptedAnswer{status: 429, header: [2]string{"Retry-After", value}, body: slowly}
	}
	// A bubble of synctest begins at midnight UTC 2000-01-01.
	inFive := time.Date(2000, 1, 1, 0, 0, 5, 0, time.UTC).Format(http.TimeFormat)
	for name, c := range map[string]struct {
		answers []scriptedAnswer
		wait    time.Duration // of the caller; 0: none
		asked   int
		took    time.Duration // whole seconds; a pause of rolecall's own is drawn at random and may add one
		ok      bool
	}{
		"seconds": {[]scriptedAnswer{after("5"), {status: 200, body: oneID}}, time.Minute, 2, 5 * time.Second, true},
		"a date":  {[]scriptedAnswer{after(inFive), {status: 200, body: oneID}}, time.Minute, 2, 5 * time.Second, true},
		"again and again": {[]scriptedAnswer{after("4"), after("4"), after("4"), after("4"), {status: 200, body: oneID}},
			time.Minute, 5, 16 * time.Second, true},
		"longer than there is time":        {[]scriptedAnswer{after("90")}, time.Minute, 1, 0, false},
		"longer than a person waits":       {[]scriptedAnswer{after("3600")}, 0, 1, 0, false},
		"short, for a person":              {[]scriptedAnswer{after("7"), {status: 200, body: oneID}}, 0, 2, 7 * time.Second, true},
		"nonsense is no time":              {[]scriptedAnswer{after("soon"), {status: 200, body: oneID}}, time.Minute, 2, 0, true},
		"negative is no time":              {[]scriptedAnswer{after("-5"), {status: 200, body: oneID}}, time.Minute, 2, 0, true},
		"more seconds than a number holds": {[]scriptedAnswer{after("99999999999999999999")}, time.Minute, 1, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			for call, do := range map[string]func(context.Context, *spot.Client) error{
				"read": func(ctx context.Context, c *spot.Client) error { _, err := c.ExternalID(ctx, "act-1"); return err },
				"mint": func(ctx context.Context, c *spot.Client) error { _, err := c.MintExternalID(ctx, "act-1"); return err },
			} {
				inVirtualTime(t, c.answers, func(t *testing.T, client *spot.Client, script *scripted) {
					ctx, began := t.Context(), time.Now()
					if c.wait > 0 {
						limited, cancel := context.WithTimeout(ctx, c.wait)
						defer cancel()
						ctx = limited
					}
					err := do(ctx, client)
					var e *vendorapi.Error
					if c.ok != (err == nil) || !c.ok && (!errors.As(err, &e) || e.SaidNo() || e.Unsure) {
						t.Errorf("%s: %v", call, err)
					}
					if took := time.Since(began).Truncate(time.Second); script.requests() != c.asked || took < c.took || took > c.took+time.Second {
						t.Errorf("%s: %d requests in %s, want %d in %s", call, script.requests(), took, c.asked, c.took)
					}
				})
			}
		})
	}
}

func TestEveryRequestEndsInTime(t *testing.T) {
	inVirtualTime(t, []scriptedAnswer{{hang: true}}, func(t *testing.T, client *spot.Client, script *scripted) {
		began := time.Now()
		err := client.SubmitRole(t.Context(), "act-1", roleARN)
		var e *vendorapi.Error
		if !errors.As(err, &e) || !e.Unsure || !e.Passing() || e.What() != "Spot did not answer in time." {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 20*time.Second || script.requests() != 1 {
			t.Errorf("%d requests in %s", script.requests(), took)
		}
	})
}

func TestAWriteIsRepeatedOnlyWhereNothingWasDone(t *testing.T) {
	inVirtualTime(t, []scriptedAnswer{{status: 503, header: [2]string{"Retry-After", "1"}, body: unwell}, {status: 200, body: nothing}},
		func(t *testing.T, client *spot.Client, script *scripted) {
			err := client.SubmitRole(t.Context(), "act-1", roleARN)
			var e *vendorapi.Error
			if !errors.As(err, &e) || !e.Unsure || e.RetryAfter != time.Second || script.requests() != 1 {
				t.Errorf("%d requests: %v", script.requests(), err)
			}
		})
}

// What a refusal of a role means: Spot's words are undocumented, so these are
// what the kinds of a refusal could say.
func TestWhichRefusalMayPass(t *testing.T) {
	for said, passes := range map[string]bool{
		"INVALID_CREDENTIALS The credentials are not valid.":                 true,
		"ERR Failed to assume role arn:aws:iam::123456789012:role/Spot-Role": true,
		"ERR Cannot assume the role: invalid external ID":                    true,
		"ERR The role does not exist":                                        true,
		"ERR User is not authorized to perform: sts:AssumeRole":              true,
		"ERR Something went wrong":                                           true,
		"ERR Invalid role":                                                   true,
		"ERR This AWS account is already connected to act-77777777":          false,
		"ACCOUNT_EXISTS An account for this cloud account exists":            false,
		"ERR The role is in use by another account":                          false,
		"VALIDATION The value is not the ARN of a role.":                     false,
		"ERR Invalid account name":                                           false,
		"ERR The account's quota is reached":                                 false,
	} {
		code, message, _ := strings.Cut(said, " ")
		client := hostile(t, 400, fmt.Sprintf(`{"response":{"status":{"code":400},"errors":[{"code":%q,"message":%q}]}}`, code, message))
		err := client.SubmitRole(t.Context(), "act-1", roleARN)
		var e *vendorapi.Error
		if !errors.As(err, &e) || e.Refused() != passes || !e.SaidNo() {
			t.Errorf("%s: may pass %v, want %v", said, e.Refused(), passes)
		}
	}
}
