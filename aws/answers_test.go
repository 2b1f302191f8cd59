package aws_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"rolecall/aws"
	"rolecall/policy"
)

// said is what AWS answers with a code and words.
func said(code, words string) *aws.Error {
	return aws.Explain(fmt.Errorf("wrapped: %w", &smithy.GenericAPIError{Code: code, Message: words}))
}

func TestEveryRefusalForWantOfAPermission(t *testing.T) {
	const user = "User: arn:aws:iam::111122223333:user/jane is not authorized to perform: iam:CreateRole"
	for words, want := range map[string]aws.Error{
		user + " on resource: arn:aws:iam::111122223333:role/spot because no identity-based policy allows the iam:CreateRole action": {
			Resource: "arn:aws:iam::111122223333:role/spot", DeniedBy: "identity-based policy", Next: "Ask your administrator for iam:CreateRole"},
		user + " on resource: arn:aws:iam::111122223333:role/spot with an explicit deny in a service control policy": {
			Resource: "arn:aws:iam::111122223333:role/spot", DeniedBy: "service control policy", ExplicitDeny: true, Next: "service control " +
				"policies"},
		user + " on resource: arn:aws:iam::111122223333:role/spot with an explicit deny in a service control policy: " +
			"arn:aws:organizations::444455556666:policy/o-a/service_control_policy/p-b": {
			Resource: "arn:aws:iam::111122223333:role/spot", DeniedBy: "service control policy", ExplicitDeny: true, Next: "p-b",
			PolicyARN: "arn:aws:organizations::444455556666:policy/o-a/service_control_policy/p-b"},
		user + " on resource: arn:aws:iam::111122223333:role/spot because no service control policy allows the iam:CreateRole action": {
			Resource: "arn:aws:iam::111122223333:role/spot", DeniedBy: "service control policy", Next: "service control policies"},
		user + " on resource: arn:aws:iam::111122223333:role/spot with an explicit deny in a resource control policy": {
			Resource: "arn:aws:iam::111122223333:role/spot", DeniedBy: "resource control policy", ExplicitDeny: true, Next: "resource control " +
				"policies"},
		user + " because no permissions boundary allows the iam:CreateRole action": {DeniedBy: "permissions boundary",
			Next: "permissions boundary"},
		user + " with an explicit deny in a permissions boundary": {DeniedBy: "permissions boundary", ExplicitDeny: true,
			Next: "permissions boundary"},
		user + " because no session policy allows the iam:CreateRole action": {DeniedBy: "session policy", Next: "session policy"},
		user + " with an explicit deny in a session policy": {DeniedBy: "session policy", ExplicitDeny: true,
			Next: "session policy"},
		user + " with an explicit deny in a VPC endpoint policy": {DeniedBy: "VPC endpoint policy", ExplicitDeny: true,
			Next: "VPC endpoint policy"},
		user + " on resource: role spot with an explicit deny": {Resource: "role spot", ExplicitDeny: true,
			Next: "lift the Deny on iam:CreateRole"},
		user + " with an explicit deny in an identity-based policy": {DeniedBy: "identity-based policy", ExplicitDeny: true,
			Next: "lift the Deny"},
		user: {Next: "Ask your administrator for iam:CreateRole"},
		`User: arn:aws:iam::111122223333:user/jane is not authorized to perform: "iam:CreateRole" on resource: "arn:aws:s3:::bucket" because no identity-based policy allows the "iam:CreateRole" action`: {
			Resource: "arn:aws:s3:::bucket", DeniedBy: "identity-based policy", Next: "iam:CreateRole"},
		"You are not authorized to perform this operation. " + user + " on resource: arn:aws:iam::111122223333:role/spot. Encoded " +
			"authorization failure message: abc": {
			Resource: "arn:aws:iam::111122223333:role/spot", Next: "iam:CreateRole"},
	} {
		// The code is the service's own; the sentence decides.
		for _, code := range []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Client.UnauthorizedOperation",
			"ValidationError", "AuthorizationError"} {
			e := said(code, words)
			if e.Kind != aws.Denied || e.Action != "iam:CreateRole" || e.Principal != "arn:aws:iam::111122223333:user/jane" || e.Code != code {
				t.Fatalf("%s: %q: %+v", code, words, e)
			}
			if e.Resource != want.Resource || e.DeniedBy != want.DeniedBy || e.ExplicitDeny != want.ExplicitDeny || e.PolicyARN != want.PolicyARN ||
				!strings.Contains(e.Next, want.Next) {
				t.Errorf("%q: %+v", words, e)
			}
		}
	}
	for _, code := range []string{"AccessDenied", "UnauthorizedAccess", "NotAuthorized", "AccessDeniedForDependencyException",
		"AllAccessDisabled", "ForbiddenException"} {
		if e := said(code, "You don't have permissions to access this resource."); e.Kind != aws.Denied || e.Next == "" {
			t.Errorf("%s: %+v", code, e)
		}
	}
}

func TestClockThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		code, words string
		skew        time.Duration
		what        string
	}{
		{"SignatureDoesNotMatch", "Signature expired: 20260301T090000Z is now earlier than 20260301T091500Z (20260301T093000Z - 15 min.)",
			-30 * time.Minute, "30 minutes behind"},
		{"InvalidSignatureException", "Signature expired: 20260301T090000Z is now earlier than 20260301T091500Z (20260301T093000Z - 15 min.)",
			-30 * time.Minute, "30 minutes behind"},
		{"SignatureDoesNotMatch", "Signature not yet current: 20260301T100000Z is still later than 20260301T091500Z (20260301T091000Z + 5 min.)", 50 * time.Minute, "50 minutes ahead of"},
		{"SignatureDoesNotMatch", "Signature expired: 20260301T090000Z is now earlier than 20260301T091500Z", -30 * time.Minute,
			"30 minutes behind"},
		{"SignatureDoesNotMatch", "Signature not yet current: 20260301T100000Z is still later than 20260301T091500Z", 50 * time.Minute,
			"50 minutes ahead of"},
		{"RequestTimeTooSkewed", "The difference between the request time and the current time is too large. (RequestTime 20260301T090000Z, " +
			"ServerTime 2026-03-01T12:30:00Z)", -210 * time.Minute, "210 minutes (3 h 30 min) behind"},
		{"RequestExpired", "Request has expired. Timestamp date is 2026-03-01T09:00:00Z. Current date is 2026-03-01T09:20:00Z",
			-20 * time.Minute, "20 minutes behind"},
		{"RequestExpired", "Request has expired.", 0, "clock of this machine is wrong"},
		{"RequestInTheFuture", "", 0, "clock of this machine is wrong"},
		{"SignatureDoesNotMatch", "Signature expired: 20200101T000000Z is now earlier than 20260301T091500Z (20260301T093000Z - 15 min.)",
			-3242010 * time.Minute, "days) behind"},
	} {
		e := said(c.code, c.words)
		if e.Kind != aws.NotSignedIn || e.Skew != c.skew || !strings.Contains(e.What, c.what) || !strings.Contains(e.Next, "Set the clock") ||
			strings.Contains(e.Next, "sign in") {
			t.Errorf("%s: %q: skew %v, %+v", c.code, c.words, e.Skew, e)
		}
	}
	// A secret that is wrong has the same code.
	if e := said(
		"SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided.",
	); e.Skew != 0 ||
		!strings.Contains(e.What, "credentials") {
		t.Errorf("%+v", e)
	}
}

func TestInvalidPrincipalIsNamed(t *testing.T) {
	for words, want := range map[string]string{
		`Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/gone"`: "arn:aws:iam::111122223333:role/gone",
		`Invalid principal in policy: "SERVICE":"ecs.example.com"`:                 "ecs.example.com",
		`Invalid principal in policy`:                                              "922761411349",
	} {
		server := answering(
			t,
			http.StatusBadRequest,
			"text/xml",
			`<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>`+
				`<Code>MalformedPolicyDocument</Code><Message>`+strings.ReplaceAll(words, `"`,
				"&quot;")+`</Message></Error><RequestId>7a62c49f-347e</RequestId></ErrorResponse>`,
		)
		a := reaching(t, server.URL, aws.Options{})
		trust := policy.NewTrust("aws", []string{"922761411349"}, extID)
		_, err := a.CreateRole(t.Context(), aws.NewRole{Name: "spot", Trust: trust})
		e := aws.Explain(err)
		if e.Kind != aws.Malformed || !strings.Contains(e.Principal, want) || !strings.Contains(e.What, want) || e.RequestID != "7a62c49f-347e" ||
			!strings.Contains(e.AWS, "Invalid principal") {
			t.Errorf("%q: %+v", words, e)
		}
		if err := a.UpdateTrust(t.Context(), "spot", trust); !strings.Contains(aws.Explain(err).What, want) {
			t.Errorf("%q: %v", words, err)
		}
	}
	if e := said(
		"ValidationError",
		"1 validation error detected: Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: "+
			"[\\w+=,.@-]+",
	); e.Parameter != "roleName" ||
		!strings.Contains(e.What, "roleName") {
		t.Errorf("%+v", e)
	}
}

// identity is what STS answers to GetCallerIdentity, so that requests to IAM go
// out at all.
const identityAnswer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
	`<Arn>arn:aws:iam::111122223333:user/jane</Arn><UserId>AIDAEXAMPLE</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`

// serving is a server that lets GetCallerIdentity through and hands everything
// else to answer.
func serving(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") == "GetCallerIdentity" {
			_, _ = w.Write([]byte(identityAnswer))
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// answering gives the same answer to every request.
func answering(t *testing.T, status int, kind, body string, headers ...string) *httptest.Server {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// reaching opens an account whose AWS is at an address.
func reaching(t *testing.T, endpoint string, o aws.Options) *aws.Account {
	t.Helper()
	environment(t, "", "[default]\n"+keys)
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	return must[*aws.Account](t)(aws.Open(t.Context(), o))
}

func TestAnswersThatAreNotOfAWS(t *testing.T) {
	const page = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head></html>"
	for name, c := range map[string]struct {
		status     int
		kind, body string
		headers    []string
		what       string
	}{
		"proxy":                {http.StatusProxyAuthRequired, "text/html", page, nil, "wants a user name and a password (407)"},
		"proxy without a page": {http.StatusProxyAuthRequired, "", "", nil, "wants a user name and a password (407)"},
		"proxy in XML":         {http.StatusProxyAuthRequired, "text/xml", "<ErrorResponse/>", nil, "wants a user name and a password (407)"},
		"portal, 200":          {http.StatusOK, "text/html", page, nil, "answered in its place (200)"},
		"portal, called XML":   {http.StatusOK, "text/xml", page, nil, "answered in its place (200)"},
		"portal, XHTML": {http.StatusOK, "text/html", `<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html/>`, nil,
			"answered in its place (200)"},
		"portal, 302": {http.StatusFound, "text/html", "", []string{"Location", "http://login.example.com/?to=x"}, "sign in before " +
			"it lets requests through: it leads to login.example.com"},
		"portal, 307": {http.StatusTemporaryRedirect, "text/html", page, []string{"Location", "http://login.example.com/"},
			"leads to login.example.com"},
		"portal, 511":           {http.StatusNetworkAuthenticationRequired, "text/html", page, nil, "wants you to sign in"},
		"block page, 403":       {http.StatusForbidden, "text/html", page, nil, "answered in its place (403)"},
		"not found, 404":        {http.StatusNotFound, "text/html", page, nil, "answered in its place (404)"},
		"plain words":           {http.StatusOK, "text/plain", "hello", nil, "answered in its place (200)"},
		"JSON of somebody else": {http.StatusOK, "application/json", `{"ok":true}`, nil, "answered in its place (200)"},
		"nothing":               {http.StatusOK, "text/xml", "", nil, "answered in its place (200)"},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			server := serving(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				for i := 0; i < len(c.headers); i += 2 {
					w.Header().Set(c.headers[i], c.headers[i+1])
				}
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			_, err := reaching(t, server.URL, aws.Options{}).Alias(t.Context())
			kindIs(t, err, aws.Network)
			e := aws.Explain(err)
			if !strings.Contains(e.What, c.what) || e.Next == "" || strings.Contains(e.What, "unexpected") {
				t.Errorf("%+v", e)
			}
			if calls.Load() != 1 {
				t.Errorf("asked %d times", calls.Load())
			}
		})
	}
}

// TestPagesOfServersThatAreNotWell are AWS's own front door's, or a proxy's.
func TestPagesOfServersThatAreNotWell(t *testing.T) {
	for _, status := range []int{500, 502, 503, 504} {
		server := answering(t, status, "text/html", "<html><body><b>Http/1.1 Service Unavailable</b></body> </html>")
		_, err := reaching(t, server.URL, aws.Options{}).CreatePolicy(t.Context(), aws.NewPolicy{Name: "x", Document: somePolicy(t)})
		kindIs(t, err, aws.Unavailable)
	}
}

// TestAnswersThatAreCutOff cuts a list at every byte: it is the whole
// list or an error, never a shorter one.
func TestAnswersThatAreCutOff(t *testing.T) {
	const list = `<ListAccountAliasesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListAccountAliasesResult><IsTruncated>false</IsTruncated><AccountAliases><member>acme</member></AccountAliases></ListAccountAliasesResult>`
	var cut atomic.Int32
	server := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(list[:cut.Load()]))
	})
	a := reaching(t, server.URL, aws.Options{})
	for n := range len(list) {
		cut.Store(int32(n))
		if alias, err := a.Alias(t.Context()); err == nil && alias != "acme" {
			t.Fatalf("%q gives %q and no error", list[:n], alias)
		} else if err != nil && aws.KindOf(err) != aws.Network {
			t.Fatalf("%q: %v", list[:n], err)
		}
	}
}

// TestProxyThatRefusesTheTunnel has a proxy before https, where no answer of
// AWS can come at all. Go reads HTTPS_PROXY once in a process, so each is tried
// in one of its own.
func TestProxyThatRefusesTheTunnel(t *testing.T) {
	if os.Getenv("ROLECALL_TEST_TUNNEL") != "" {
		environment(t, "", "[default]\n"+keys)
		_, err := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{})).Identity(t.Context())
		fmt.Printf("%s: %s\n", aws.KindOf(err), aws.Explain(err).What)
		return
	}
	for status, what := range map[int]string{407: "wants a user name and a password (407)",
		403: "does not let requests through to AWS (403", 302: "does not let requests through to AWS (302"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ok(t, err)
		t.Cleanup(func() { _ = l.Close() })
		go refuseTunnels(l, status)
		again := exec.Command(os.Args[0], "-test.run=^TestProxyThatRefusesTheTunnel$")
		again.Env = append(
			os.Environ(),
			"ROLECALL_TEST_TUNNEL=1",
			"HTTPS_PROXY=http://"+l.Addr().String(),
			"https_proxy=",
			"NO_PROXY=",
			"no_proxy=",
		)
		output, err := again.CombinedOutput()
		if err != nil || !strings.Contains(string(output), "network: The proxy "+l.Addr().String()+" "+what) {
			t.Errorf("%d: %v: %s", status, err, output)
		}
	}
}

func refuseTunnels(l net.Listener, status int) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = fmt.Fprintf(
			c,
			"HTTP/1.1 %d %s\r\nContent-Length: 0\r\nLocation: http://proxy.example.com/\r\n\r\n",
			status,
			http.StatusText(status),
		)
		_ = c.Close()
	}
}

// hanging is a server that never answers, and counts who asks.
func hanging(t *testing.T) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var calls atomic.Int32
	end := make(chan struct{})
	s := serving(t, func(_ http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		select {
		case <-end:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(end) })
	return s, &calls
}

// TestNoRequestWaitsForEver sends reads and writes to a server that never
// answers: each ends at the limit, and none is sent twice.
func TestNoRequestWaitsForEver(t *testing.T) {
	server, calls := hanging(t)
	a := reaching(t, server.URL, aws.Options{AttemptLimit: 10 * time.Millisecond})
	for name, send := range map[string]func() error{
		"read": func() error { _, err := a.Alias(t.Context()); return err },
		"create": func() error {
			_, err := a.CreatePolicy(t.Context(), aws.NewPolicy{Name: "x", Document: somePolicy(t)})
			return err
		},
		"change": func() error { return a.AttachRolePolicy(t.Context(), "spot", "arn:aws:iam::111122223333:policy/x") },
		"delete": func() error { return a.DeleteRole(t.Context(), "spot") },
		"stack":  func() error { _, err := a.Stack(t.Context(), "spot"); return err },
		"bucket": func() error { _, err := a.BucketRegion(t.Context(), "bucket"); return err },
	} {
		calls.Store(0)
		err := send()
		kindIs(t, err, aws.Network)
		if calls.Load() != 1 || !strings.Contains(err.Error(), "did not answer in time") {
			t.Errorf("%s: sent %d times, %v", name, calls.Load(), err)
		}
	}
}

func TestDeadlineGoesBeforeTheLimit(t *testing.T) {
	server, calls := hanging(t)
	a := reaching(t, server.URL, aws.Options{AttemptLimit: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := a.Identity(t.Context())
	ok(t, err)
	_, err = a.Alias(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || calls.Load() != 1 {
		t.Errorf("sent %d times: %v", calls.Load(), err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	_, err = a.Alias(gone)
	kindIs(t, err, aws.Canceled)
}

// TestAnswerThatTricklesIsCutOff has a body that never ends, a byte at a time.
func TestAnswerThatTricklesIsCutOff(t *testing.T) {
	server := serving(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte(" "))
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(time.Millisecond):
			}
		}
	})
	_, err := reaching(t, server.URL, aws.Options{AttemptLimit: 20 * time.Millisecond}).Alias(t.Context())
	kindIs(t, err, aws.Network)
	if !strings.Contains(err.Error(), "in time") {
		t.Error(err)
	}
}
