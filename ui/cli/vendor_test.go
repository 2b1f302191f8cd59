package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestARequestIsSentOnceAndFollowsNoRedirect(t *testing.T) {
	var seen []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen = append(seen, "elsewhere") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(text))
		if r.URL.Path == "/moved" {
			http.Redirect(out, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return
		}
		out.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(out, strings.Repeat("x", 2*longestAnswer))
	}))
	defer server.Close()
	status, answer, err := Post(t.Context(), PostClient(), server.URL+"/take", `{"a":1}`)
	if err != nil || status != http.StatusTeapot || len(answer) != longestAnswer {
		t.Errorf("%d, %d bytes, %v", status, len(answer), err)
	}
	if _, _, err := Post(
		t.Context(),
		PostClient(),
		server.URL+"/moved",
		`{}`,
	); err == nil ||
		!strings.Contains(err.Error(), "does not follow") {
		t.Errorf("redirect: %v", err)
	}
	if want := []string{
		`POST /take application/json {"a":1}`,
		`POST /moved application/json {}`,
	}; strings.Join(
		seen,
		"|",
	) != strings.Join(
		want,
		"|",
	) {
		t.Errorf("%q", seen)
	}
}
