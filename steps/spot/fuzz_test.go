package spot_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"rolecall/steps/vendorapi"
)

// answered answers every request with the same.
type answered struct {
	status int
	body   string
}

// RoundTrip is the answer of a server that is nowhere.
func (a answered) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// FuzzAnswers: whatever Spot answers becomes accounts that can be drawn, or an
// error in words without the token.
func FuzzAnswers(f *testing.F) {
	const envelope = `{"request":{"id":"r1"},"response":{"status":{"code":200},"items":%s,"errors":[{"code":"C","message":"m\u001b","field":"f"}]}}`
	for _, items := range []string{`[]`, `[{"id":"act-1","name":"a\u0007","cloudProvider":"AWS"}]`, `[{"id":5}]`, `null`,
		`[{"id":"act-1","externalId":"spotinst:aws:extid:0123"}]`, `[{"externalId":"a b"}]`} {
		f.Add(uint16(200), fmt.Sprintf(envelope, items))
		f.Add(uint16(400), fmt.Sprintf(envelope, items))
	}
	f.Add(uint16(302), "<html>")
	f.Add(uint16(403), secret)
	f.Fuzz(func(t *testing.T, status uint16, body string) {
		if status < 200 || status > 499 || status == 429 {
			return // what is tried again waits
		}
		client := newClient(t, "http://127.0.0.1:1", &http.Client{Transport: answered{int(status), body}})
		accounts, err := client.Accounts(t.Context())
		drawn := make([]string, 0, 2*len(accounts)+2)
		for _, a := range accounts {
			drawn = append(drawn, a.ID, a.Name)
		}
		externalID, idErr := client.ExternalID(t.Context(), "act-1")
		drawn = append(drawn, externalID)
		for _, err := range []error{err, idErr} {
			var e *vendorapi.Error
			if err == nil {
				continue
			}
			if !errors.As(err, &e) || e.What() == "" {
				t.Fatalf("%T %v", err, err)
			}
			drawn = append(drawn, e.What(), e.Quoted(), err.Error())
			if strings.Contains(err.Error()+e.Quoted(), secret) {
				t.Error("the token is in an error")
			}
		}
		if text := strings.Join(drawn, " "); strings.ContainsAny(text, "\x00\x07\x1b\u202e\u009b") {
			t.Errorf("unsafe: %q", text)
		}
	})
}
