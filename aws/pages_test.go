package aws_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"rolecall/aws"
)

// TestNoListGoesOnForEver asks a server of which every page names another one, a
// new one or always the same.
func TestNoListGoesOnForEver(t *testing.T) {
	t.Parallel()
	for _, same := range []bool{true, false} {
		var asked atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(endless(w, r, asked.Add(1), same)))
		}))
		t.Cleanup(server.Close)
		account, err := aws.Open(
			t.Context(),
			aws.Options{Rehearsal: &aws.RehearsalTarget{Endpoint: server.URL, AccessKeyID: "AKIAREHEARSALEXAMPLE",
				SecretAccessKey: "unused", Region: "us-east-1"}},
		)
		if err != nil {
			t.Fatal(err)
		}
		for name, list := range map[string]func() error{
			"role":     func() error { _, err := account.See(t.Context(), aws.Want{RoleName: "Spot-Role"}); return err },
			"user":     func() error { _, err := account.SeeUser(t.Context(), aws.WantUser{Name: "spot"}); return err },
			"sweep":    func() error { _, err := account.Sweep(t.Context(), func(aws.Role) bool { return false }); return err },
			"policy":   func() error { _, err := account.FindPolicy(t.Context(), "Spot-Policy"); return err },
			"stacks":   func() error { _, err := account.Stacks(t.Context()); return err },
			"accounts": func() error { _, err := account.OrganizationAccounts(t.Context()); return err },
		} {
			before := asked.Load()
			if err := list(); aws.KindOf(err) != aws.Unavailable || !strings.Contains(err.Error(), "no end") {
				t.Errorf("%s, same place %v: %v", name, same, err)
			}
			if n := asked.Load() - before; n > 1010 || same && n > 10 {
				t.Errorf("%s, same place %v: %d requests", name, same, n)
			}
		}
	}
}

// endless answers a request with an empty page that is not the last one.
func endless(w http.ResponseWriter, r *http.Request, n int64, same bool) string {
	if same {
		n = 1
	}
	if r.Header.Get("X-Amz-Target") != "" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		return fmt.Sprintf(`{"Accounts":[],"NextToken":"n%d"}`, n)
	}
	w.Header().Set("Content-Type", "text/xml")
	action := r.FormValue("Action")
	inside := fmt.Sprintf("<IsTruncated>true</IsTruncated><Marker>n%d</Marker><NextToken>n%d</NextToken>", n, n)
	const id = "<Arn>arn:aws:iam::123456789012:%s</Arn><Path>/</Path><CreateDate>2026-01-01T00:00:00Z</CreateDate>"
	switch action {
	case "GetCallerIdentity":
		inside = "<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>AIDAEXAMPLE00000000001</UserId><Account>123456789012</Account>"
	case "GetRole":
		inside = "<Role><RoleName>Spot-Role</RoleName><RoleId>AROAEXAMPLE00000000001</RoleId>" + fmt.Sprintf(id, "role/Spot-Role") + "</Role>"
	case "GetUser":
		inside = "<User><UserName>spot</UserName><UserId>AIDAEXAMPLE00000000002</UserId>" + fmt.Sprintf(id, "user/spot") + "</User>"
	}
	return fmt.Sprintf("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, inside)
}
