package ui_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// answerAll answers every request of AWS with an error of its own.
func answerAll(status int, kind, body string) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("X-Amzn-Requestid", "11111111-2222-3333-4444-555555555555")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func errorXML(code, message string) string {
	return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message +
		"</Message></Error><RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>"
}

// TestEveryCommandTellsWhatAWSSaid gives every command the same answer to all of
// its requests: the clock of this machine is wrong, and a proxy stands between.
func TestEveryCommandTellsWhatAWSSaid(t *testing.T) {
	t.Parallel()
	clockIsWrong := "Signature expired: 20260131T101112Z is now earlier than 20260131T105012Z (20260131T110512Z - 15 min.)"
	for name, c := range map[string]struct {
		status     int
		kind, body string
		exits      map[string]int // of doctor, and of the others
		says, said string
	}{
		"the clock is wrong": {403, "text/xml", errorXML("SignatureDoesNotMatch", clockIsWrong), map[string]int{"doctor": 4, "": 4},
			"54 min", clockIsWrong},
		"a proxy wants a password": {407, "text/html", "<html>Proxy Authentication Required</html>", map[string]int{"doctor": 4, "": 1},
			"proxy", ""},
		"a login page": {200, "text/html", "<html>Welcome to the hotel</html>", map[string]int{"doctor": 4, "": 1}, "on the way " +
			"to AWS answered in its place", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.env = []string{"AWS_ENDPOINT_URL=" + intrudeOn(t, b.aws.Target().Endpoint, answerAll(c.status, c.kind, c.body))}
			for _, args := range [][]string{{"verify"}, {"verify", "--user", "sprinters-user"}, {"update", "--yes"}, {"doctor"},
				connecting("--vendor", "spot", "--account", "act-12ab12ab", "--method", "direct")} {
				r := b.run(args...)
				want, ok := c.exits[args[0]]
				if !ok {
					want = c.exits[""]
				}
				if e := r.document.Error; r.exit != want || e == nil || !strings.Contains(e.What+e.Expected, c.says) || e.Said != c.said {
					t.Errorf("%s: exit %d, want %d: %+v", strings.Join(args, " "), r.exit, want, e)
				}
				if strings.Contains(r.stdout+r.stderr, "Something unexpected") {
					t.Errorf("%s: %s", strings.Join(args, " "), r.stdout)
				}
			}
		})
	}
}

// TestAReasonedRefusalIsQuoted wants the principal that AWS does not know, and
// the words and number of its answer.
func TestAReasonedRefusalIsQuoted(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	said := `Invalid principal in policy: "AWS":"arn:aws:iam::922761411349:root"`
	b.env = []string{
		"AWS_ENDPOINT_URL=" + intrudeOn(t, b.aws.Target().Endpoint, func(w http.ResponseWriter, r *http.Request, call string) bool {
			return call == "CreateRole" &&
				answerAll(400, "text/xml", errorXML("MalformedPolicyDocument", strings.ReplaceAll(said, `"`, "&quot;")))(w, r, call)
		}),
	}
	r := b.run(connecting("--vendor", "spot", "--account", "act-12ab12ab", "--method", "direct")...)
	e := r.document.Error
	if r.exit != 1 || e == nil || e.Said != said || e.Code != "MalformedPolicyDocument" || e.RequestID == "" ||
		e.Principal != "arn:aws:iam::922761411349:root" ||
		e.Parameter != "Principal" {
		t.Errorf("exit %d: %+v\n%s", r.exit, e, r.stderr)
	}
	if !strings.Contains(r.stderr, "AWS request 11111111-2222-3333-4444-555555555555") {
		t.Errorf("stderr does not name the request:\n%s", r.stderr)
	}
}

// spotAnswers has Spot answer one call by itself.
func spotAnswers(
	call string,
	times int32,
	status int,
	header, value, body string,
) (func(http.ResponseWriter, *http.Request, string) bool, *atomic.Int32) {
	var left atomic.Int32
	left.Store(times)
	return func(w http.ResponseWriter, _ *http.Request, this string) bool {
		if !strings.HasPrefix(this, call) || left.Add(-1) < 0 {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}, &left
}

const (
	handOver       = "POST /setup/credentials/aws"
	readExternalID = "GET /setup/credentials/aws/externalId"
)

func refusedBy(code, message string) string {
	return fmt.Sprintf(`{"request":{"id":"spot-1"},"response":{"status":{"code":400},"errors":[{"code":%q,"message":%q}]}}`, code, message)
}

// TestWhatSpotAnswersToTheHandOver gives the hand-over every kind of answer that
// is not a yes.
func TestWhatSpotAnswersToTheHandOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call          string
		times         int32
		status        int
		header, value string
		body          string
		exit          int
		says, said    string
	}{
		"slow down, then yes":     {handOver, 1, 429, "Retry-After", "1", refusedBy("RATE", "too many"), 0, "", ""},
		"slow down while reading": {readExternalID, 1, 429, "Retry-After", "1", refusedBy("RATE", "too many"), 0, "", ""},
		"not now, for longer": {handOver, 1 << 20, 429, "Retry-After", "9000", refusedBy("RATE", "too many"), 8, "Spot asks to slow " +
			"down (HTTP 429)", "too many"},
		"not well, then yes": {handOver, 2, 503, "", "",
			`{"response":{"status":{"code":503},"errors":[{"code":"AWAY","message":"later"}]}}`, 0, "", ""},
		"not well at all": {handOver, 1 << 20, 500, "", "", "", 8, "Spot is not well (HTTP 500)", ""},
		"connected already": {handOver, 1 << 20, 400, "", "", refusedBy("CONFLICT", "This AWS account is already connected to "+
			"act-77777777."), 5, "Spot refused (HTTP 400)", "This AWS account is already connected to act-77777777."},
		"cannot assume it, ever": {handOver, 1 << 20, 400, "", "", refusedBy("INVALID_CREDENTIALS", "The credentials are not valid."), 5,
			"refuse", "The credentials are not valid."},
		"the token is not good": {"GET /setup/account", 1 << 20, 401, "", "", refusedBy("UNAUTHORIZED", "no"), 5, "does not accept the " +
			"token", "no"},
		"another server's JSON":     {"GET /setup/account", 1 << 20, 404, "", "", `{"message":"no route"}`, 1, "What answered is not Spot", ""},
		"a login page at the start": {"GET /setup/account", 1 << 20, 200, "", "", "<html>hotel</html>", 1, "What answered is not Spot", ""},
		"a login page":              {handOver, 1 << 20, 200, "", "", "<html>hotel</html>", 1, "What answered is not Spot", ""},
		"a gateway's page":          {"GET /setup/account", 1 << 20, 502, "", "", "<html>502</html>", 1, "Spot is not well (HTTP 502)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			intrude, left := spotAnswers(c.call, c.times, c.status, c.header, c.value, c.body)
			exact := func(w http.ResponseWriter, r *http.Request, call string) bool {
				return (call == c.call || c.call == readExternalID && strings.HasPrefix(call, c.call)) && intrude(w, r, call)
			}
			b.env = []string{"ROLECALL_SPOT_URL=" + intrudeOn(t, b.spot.URL(), exact)}
			r := b.run(
				"connect",
				"--yes",
				"--aws-account",
				"123456789012",
				"--vendor",
				"spot",
				"--account",
				"act-12ab12ab",
				"--method",
				"direct",
				"--wait",
				"2m",
			)
			e := r.document.Error
			if r.exit != c.exit || e != nil && (!strings.Contains(e.What, c.says) || e.Said != c.said) {
				t.Errorf("exit %d, want %d: %+v\n%s", r.exit, c.exit, e, r.stderr)
			}
			if c.exit == 0 && left.Load() > 0 {
				t.Error("Spot was not asked that")
			}
			if strings.Contains(r.stdout+r.stderr, "Something unexpected") {
				t.Error(r.stdout)
			}
			namesNoKeys(t, r)
		})
	}
}

// TestAnExternalIDThatChangedIsTold has somebody mint another external ID while
// the role is made.
func TestAnExternalIDThatChangedIsTold(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var minted atomic.Bool
	b.env = []string{"ROLECALL_SPOT_URL=" + intrudeOn(t, b.spot.URL(), func(_ http.ResponseWriter, r *http.Request, call string) bool {
		if call == handOver && !minted.Swap(true) {
			again, err := http.NewRequestWithContext(
				r.Context(),
				http.MethodPost,
				b.spot.URL()+"/setup/credentials/aws/externalId?accountId=act-12ab12ab",
				http.NoBody,
			)
			if err == nil {
				again.Header.Set("Authorization", "Bearer "+theToken)
				if answer, err := http.DefaultClient.Do(again); err == nil {
					_ = answer.Body.Close()
				}
			}
		}
		return false
	})}
	r := b.run(connecting("--vendor", "spot", "--account", "act-12ab12ab", "--method", "direct")...)
	e := r.document.Error
	if r.exit != 3 || e == nil || !strings.Contains(e.What, "another external ID now than the role was made with") ||
		!strings.Contains(e.What, b.spot.Accounts()[0].ExternalID) ||
		!strings.Contains(e.Next, "sts:ExternalId") ||
		e.Said == "" ||
		e.RequestID == "" {
		t.Errorf("exit %d: %+v\n%s", r.exit, e, r.stderr)
	}
	namesNoKeys(t, r)
}

// namesNoKeys wants no key of the keyboard in what an unattended run prints.
func namesNoKeys(t *testing.T, r ran) {
	t.Helper()
	keys := regexp.MustCompile(`(?i)\bpress\b|\bctrl\+|\bthe (enter|esc|tab|space) key\b|\benter to\b|\(([a-z])\)[,.;]|: [a-z]\.(\s|"|$)`)
	for _, text := range []string{r.stdout, r.stderr} {
		if found := keys.FindString(text); found != "" {
			t.Errorf("a key is named, %q:\n%s", found, text)
		}
	}
}

// TestNoUnattendedRunNamesKeys refuses each request of connect in turn, and looks
// at what is printed.
func TestNoUnattendedRunNamesKeys(t *testing.T) {
	t.Parallel()
	for _, d := range deeds()[:4] {
		actions, _ := actionsOf(t, d)
		for _, action := range actions {
			for _, answer := range []string{errorXML("ExpiredToken", "The security token included in the request is expired"),
				errorXML("LimitExceeded", "Cannot exceed quota"), errorXML("EntityAlreadyExists", "It exists already")} {
				t.Run(strings.ReplaceAll(d.name, " ", "-")+" "+action, func(t *testing.T) {
					t.Parallel()
					b := newBox(t)
					d.before(b)
					_, name, _ := strings.Cut(action, ":")
					b.env = []string{
						"AWS_ENDPOINT_URL=" + intrudeOn(t, b.aws.Target().Endpoint, func(w http.ResponseWriter, r *http.Request, call string) bool {
							return call == name && answerAll(400, "text/xml", answer)(w, r, call)
						}),
					}
					args := slices.Clone(d.args(b)) // the others have their time
					for i := range args {
						if args[i] == "5m" {
							args[i] = "40s"
						}
					}
					namesNoKeys(t, b.run(args...))
				})
			}
		}
	}
}

// TestAFullDiskIsNoSuccess has every kind of command write to a device that is
// full.
func TestAFullDiskIsNoSuccess(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	b := newBox(t)
	b.must(connecting("--vendor", "spot", "--account", "act-12ab12ab", "--method", "direct")...)
	for _, args := range [][]string{{"version"}, {"vendors"}, {"sessions"}, {"verify"}, {"doctor"}, {"policy", "show", "--vendor", "spot"},
		{"policy", "explain", "ec2:Describe*"},
		{"update", "--yes"}, {"sessions", "show", "nope"}, {"nonsense"}, {"rehearse", "--yes"}, {"disconnect", "--yes"}} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		cmd := b.command(t.Context(), args...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &stderr
		err = cmd.Run()
		_ = full.Close()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 ||
			!strings.Contains(stderr.String(), "stdout cannot be written: no space left on device") {
			t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
	}
}
