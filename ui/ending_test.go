package ui_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// everyHang has TestEverythingEndsInTime hang on each request of each command
// that there is, by the wall clock: go test ./ui -run TestEverythingEndsInTime
// -every-hang -parallel 16.
var everyHang = flag.Bool("every-hang", false, "hang on every request of every command")

// intruder stands in front of a server and answers some of its requests itself.
type intruder struct {
	pass    *httputil.ReverseProxy
	intrude func(w http.ResponseWriter, r *http.Request, call string) bool // false: let it pass
}

// intrudeOn puts an intruder in front of a server, and gives its address.
func intrudeOn(t *testing.T, target string, intrude func(http.ResponseWriter, *http.Request, string) bool) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&intruder{pass: httputil.NewSingleHostReverseProxy(to), intrude: intrude})
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// ServeHTTP names a request of AWS by its action and one of Spot by its path.
func (i *intruder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	call := r.Method + " " + r.URL.Path
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
		call = form.Get("Action")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !i.intrude(w, r, call) {
		i.pass.ServeHTTP(w, r)
	}
}

// patience is the --wait of these tests, and grace what a command may take
// beside it: to look up what became of a request, and to start on a busy machine.
const (
	patience = 3 * time.Second
	grace    = 15 * time.Second
)

// limited are a command's arguments with the patience of these tests.
func limited(args []string) []string {
	if args[0] == "doctor" {
		return args // has a limit of its own
	}
	args = slices.Clone(args)
	if i := slices.Index(args, "--wait"); i >= 0 {
		args[i+1] = patience.String()
		return args
	}
	return append(args, "--wait", patience.String())
}

// TestEverythingEndsInTime has a server never answer one request. The command
// ends when its time is up, or when it is signalled, with its one document.
func TestEverythingEndsInTime(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits by the wall clock")
	}
	kept := []string{
		"connect direct CreatePolicy",
		"connect direct POST /setup/credentials/aws",
		"disconnect DetachRolePolicy",
		"update CreatePolicyVersion",
		"verify GetCallerIdentity",
	}
	for _, d := range deeds() {
		t.Run(strings.ReplaceAll(d.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			var calls []string
			if *everyHang {
				calls = callsOf(t, d)
			}
			for _, one := range kept {
				if call, ok := strings.CutPrefix(one, d.name+" "); ok && !*everyHang {
					calls = append(calls, call)
				}
			}
			for _, call := range calls {
				for _, signal := range []syscall.Signal{0, syscall.SIGTERM} {
					name := call
					if signal != 0 {
						name += " signalled"
					}
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						endsInTime(t, d, call, signal)
					})
				}
			}
		})
	}
}

func endsInTime(t *testing.T, d deed, call string, signal syscall.Signal) {
	t.Helper()
	b := newBox(t)
	var on atomic.Bool
	hung := make(chan struct{}, 100)
	hang := func(w http.ResponseWriter, r *http.Request, this string) bool {
		if this != call || !on.Load() {
			return false
		}
		hung <- struct{}{}
		<-r.Context().Done()
		return true
	}
	b.env = []string{
		"AWS_ENDPOINT_URL=" + intrudeOn(t, b.aws.Target().Endpoint, hang),
		"ROLECALL_SPOT_URL=" + intrudeOn(t, b.spot.URL(), hang),
	}
	d.before(b)
	on.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := b.command(ctx, limited(d.args(b))...)
	cmd.Path, cmd.Args[0] = builtProgram(t), "rolecall" // by the wall clock
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	signalled := make(chan time.Time, 1)
	if signal != 0 {
		go func() {
			<-hung
			signalled <- time.Now()
			_ = cmd.Process.Signal(signal)
		}()
	}
	_ = cmd.Wait()
	select {
	case began = <-signalled:
	default:
	}
	took := time.Since(began)
	r := b.read(cmd.ProcessState.ExitCode(), stdout.String(), stderr.String())
	if limit := patience + grace; took > limit {
		t.Errorf("it ended after %s\n%s", took, r.stderr)
	}
	if want := []int{0, 4, 8}; signal == 0 && !slices.Contains(want, r.exit) || signal != 0 && r.exit != 130 && r.exit != 0 && r.exit != 8 {
		t.Errorf("exit %d after %s: %+v\n%s", r.exit, took.Round(time.Second), r.document.Error, r.stderr)
	}
	t.Logf("exit %d after %s: %s", r.exit, took.Round(time.Millisecond), r.what())
}

// callsOf are what a command asks of AWS and of Spot.
func callsOf(t *testing.T, d deed) []string {
	t.Helper()
	b := newBox(t)
	d.before(b)
	before, asked := len(b.aws.Calls()), len(b.spot.Calls())
	b.run(d.args(b)...)
	var calls []string
	for _, call := range b.aws.Calls()[before:] {
		_, action, _ := strings.Cut(call.Action, ":")
		if !slices.Contains(calls, action) {
			calls = append(calls, action)
		}
	}
	for _, call := range b.spot.Calls()[asked:] {
		call, _, _ = strings.Cut(call, "?")
		if !slices.Contains(calls, call) {
			calls = append(calls, call)
		}
	}
	return calls
}
