package ui_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/steps/record"
	spotrehearsal "rolecall/steps/spot/rehearsal"
)

// How many storms are gone through, and from which seed: none unless asked, since
// they wait in real time. go test ./ui -run TestStorms -storms 100 takes minutes,
// the nightly form is -storms 2000 -timeout 3h.
var (
	storms    = flag.Int("storms", 0, "how many runs TestStorms makes")
	stormSeed = flag.Uint64("storm-seed", 1, "the first seed of TestStorms")
)

// TestStorms runs whole methods while requests to AWS and to Spot go wrong in
// every way that a network, a server or a permission can, and while the program
// is killed. Whatever happened, afterwards: the exit code is one of the
// contract's, stdout is one JSON document, nothing exists twice, everything that
// exists is in the receipt, going on completes, disconnecting leaves what was
// there before, no secret is in any byte written, and all of it ended in time.
func TestStorms(t *testing.T) {
	if *storms == 0 {
		t.Skip("no storms were asked for: -storms 100")
	}
	binary := builtProgram(t)
	for i := range *storms {
		seed := *stormSeed + uint64(i)
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			t.Parallel()
			newStorm(t, binary, seed).run()
		})
	}
}

// storm is one account, one vendor, the proxies in front of them, and one
// person who runs rolecall until it is done.
type storm struct {
	t      *testing.T
	binary string
	dir    string
	rng    *rand.Rand
	seed   uint64

	aws       *awsrehearsal.Server
	spot      *spotrehearsal.Server
	awsProxy  *proxy
	spotProxy *proxy
	method    stormMethod
	told      strings.Builder // what was run and how it ended
	failed    bool
	secrets   []string
}

// stormMethod is one way to connect.
type stormMethod struct {
	name  string
	flags []string
	user  bool
}

func stormMethods() []stormMethod {
	spot := []string{"--vendor", "spot", "--account", "act-12ab12ab"}
	id := "--external-id=sprinters-customer-4711"
	return []stormMethod{
		{name: "spot direct", flags: append(slices.Clone(spot), "--method", "direct")},
		{name: "spot automatic", flags: append(slices.Clone(spot), "--method", "automatic", "--acknowledge-iam-capabilities")},
		{
			name:  "sprinters user direct",
			flags: []string{"--vendor", "sprinters", "--method", "direct", "--access", "user", "--secret-file", "key.json"},
			user:  true,
		},
		{name: "sprinters role direct", flags: []string{"--vendor", "sprinters", "--method", "direct", "--access", "role", id}},
	}
}

func newStorm(t *testing.T, binary string, seed uint64) *storm {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 11))
	s := &storm{t: t, binary: binary, dir: t.TempDir(), rng: rng, seed: seed, secrets: []string{theToken}}
	s.aws = awsrehearsal.New(awsrehearsal.Options{Propagation: -1})
	s.spot = spotrehearsal.New(spotrehearsal.Options{Token: theToken, Assume: s.aws.AssumeRole,
		Accounts: []spotrehearsal.Account{{ID: "act-12ab12ab", Name: "Production", OrganizationID: "606060606060"}}})
	if err := errors.Join(s.aws.Start(), s.spot.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(s.aws.Close(), s.spot.Close()) })
	s.awsProxy = newProxy(t, s.aws.Target().Endpoint, rand.New(rand.NewPCG(seed, 12)), awsFaults())
	s.spotProxy = newProxy(t, s.spot.URL(), rand.New(rand.NewPCG(seed, 13)), spotFaults())
	s.method = stormMethods()[rng.IntN(len(stormMethods()))]
	return s
}

// run is what the person does: connect in the storm, go on until it works,
// disconnect in the storm, and disconnect again.
func (s *storm) run() {
	before := s.exists()
	rate := []float64{0.05, 0.15, 0.3, 0.6}[s.rng.IntN(4)]
	s.awsProxy.blow(rate)
	s.spotProxy.blow(rate)
	args := append([]string{"connect", "--yes", "--json", "--wait", "4s", "--aws-account", "123456789012"}, s.method.flags...)
	first := s.rolecall(s.rng.IntN(3) == 0, 4*time.Second, args...)
	s.nothingTwice(before)
	s.everythingOnRecord(before)

	s.calm()
	session := first.session(s)
	if rand.New(rand.NewPCG(s.seed, 14)).IntN(3) == 0 {
		s.giveUp(before)
		return
	}
	done := outcome{exit: -1}
	for try := 0; done.exit != 0 && try < 4; try++ {
		switch {
		case session != "" && try < 3:
			done = s.rolecall(false, 30*time.Second, s.resumeArgs(session)...)
		default:
			done = s.rolecall(
				false,
				30*time.Second,
				slices.Concat([]string{"connect", "--yes", "--json", "--wait", "30s", "--aws-account", "123456789012"}, s.method.flags)...)
		}
		s.nothingTwice(before)
		if done.exit == 0 {
			session = cmp.Or(done.session(s), session)
		}
	}
	if done.exit != 0 {
		s.fail("after the storm it does not complete: exit %d", done.exit)
		return
	}
	s.everythingOnRecord(before)

	s.awsProxy.blow(rate)
	s.spotProxy.blow(rate)
	s.rolecall(s.rng.IntN(3) == 0, 60*time.Second, "disconnect", session, "--yes", "--json", "--wait", "40s")
	s.calm()
	s.giveUp(before)
}

// giveUp disconnects every session, whatever it came to: what was asked for and
// never seen answered is looked up by that alone.
func (s *storm) giveUp(before []string) {
	s.t.Helper()
	for _, id := range s.sessions() {
		s.rolecall(false, 60*time.Second, "disconnect", id, "--yes", "--json", "--wait", "60s")
	}
	s.journalTells()
	if left := slices.DeleteFunc(s.exists(), func(x string) bool { return slices.Contains(before, x) }); len(left) > 0 {
		s.fail("disconnect leaves %s", strings.Join(left, ", "))
	}
}

// journalTells wants an outcome for every request that was answered, and the
// number of each that AWS did.
func (s *storm) journalTells() {
	s.t.Helper()
	store := record.OpenStore(filepath.Join(s.dir, "state", "rolecall"))
	for _, id := range s.sessions() {
		entries, err := store.SessionJournal(id)
		if err != nil {
			s.fail("the journal cannot be read: %v", err)
		}
		for _, e := range entries {
			word, _, _ := strings.Cut(e.Outcome, ":")
			known := slices.Contains([]string{"done", "made", "exists", "refused", "unknown"}, word)
			if e.State == record.EntryAnswered && !known {
				s.fail("the journal says %q of %s", e.Outcome, e.Call)
			}
			several := strings.HasPrefix(e.Call, "remove ")
			if e.State == record.EntryAnswered && (word == "made" || word == "done") && e.RequestID == "" && !several &&
				!strings.Contains(e.Outcome, "a look showed it") {
				s.fail("the journal has no number of the request: %s %s", e.Call, e.Outcome)
			}
		}
	}
}

func (s *storm) resumeArgs(session string) []string {
	args := []string{"resume", session, "--yes", "--json", "--wait", "30s"}
	if s.method.user {
		args = append(args, "--secret-file", fmt.Sprintf("key-%d.json", s.rng.IntN(1_000_000)))
	}
	return args
}

// calm lets every request through again.
func (s *storm) calm() {
	s.awsProxy.blow(0)
	s.spotProxy.blow(0)
}

// outcome is how one command ended.
type outcome struct {
	exit           int
	killed         bool
	stdout, stderr string
	took           time.Duration
}

// session is the session that the document names; where it names none, the only
// one that is saved.
func (o outcome) session(s *storm) string {
	var document struct {
		Session string `json:"session"`
	}
	if json.Unmarshal([]byte(o.stdout), &document) == nil && document.Session != "" {
		if !slices.Contains(s.sessions(), document.Session) {
			s.fail("the JSON names the session %s, which does not exist", document.Session)
			return ""
		}
		return document.Session
	}
	if all := s.sessions(); len(all) == 1 {
		return all[0]
	}
	return ""
}

// rolecall runs one command, and kills it at a seeded moment where kill says so.
func (s *storm) rolecall(kill bool, wait time.Duration, args ...string) outcome {
	s.t.Helper()
	cmd := exec.Command(s.binary, args...)
	cmd.Dir = s.dir
	cmd.Env = s.environ()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended is in ProcessState
	}()
	o := outcome{}
	signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGHUP}[s.rng.IntN(3)]
	moment := time.Duration(s.rng.IntN(2500)) * time.Millisecond
	limit := time.After(wait + 30*time.Second)
	if kill {
		select {
		case <-done:
		case <-time.After(moment):
			_ = cmd.Process.Signal(signal)
			o.killed = true
		}
	}
	select {
	case <-done:
	case <-limit:
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		<-done
		s.fail("%s did not end %s after its time was up\n%s", strings.Join(args, " "), 30*time.Second, stderr.String())
	}
	o.took, o.exit, o.stdout, o.stderr = time.Since(began), cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
	fmt.Fprintf(
		&s.told,
		"\n$ rolecall %s\nexit %d in %s, signalled %v %v\n%s\n%s",
		strings.Join(args, " "),
		o.exit,
		o.took.Round(time.Millisecond),
		o.killed,
		signal,
		o.stdout,
		o.stderr,
	)
	died := cmd.ProcessState.ExitCode() < 0
	unheard := died && o.stdout+o.stderr == "" && len(s.sessions()) == 0 // a signal that came before rolecall could hear any
	if !o.killed || signal != syscall.SIGKILL && !unheard {
		s.exitsWell(o)
	}
	s.keepsSecrets(o)
	return o
}

// exitsWell holds a command to the contract: the exit code, and one document.
func (s *storm) exitsWell(o outcome) {
	if !slices.Contains([]int{0, 1, 2, 3, 4, 5, 8, 130}, o.exit) {
		s.fail("exit %d", o.exit)
	}
	decoder := json.NewDecoder(strings.NewReader(o.stdout))
	var document struct {
		Error *struct{ What, Next string } `json:"error"`
	}
	if err := decoder.Decode(&document); err != nil {
		s.fail("stdout is no JSON document: %v", err)
		return
	}
	if decoder.More() {
		s.fail("stdout has more than one JSON document")
	}
	if o.exit != 0 && (document.Error == nil || document.Error.What == "") {
		s.fail("exit %d, and the document has no error", o.exit)
	}
	if document.Error != nil && strings.Contains(document.Error.What, "Something unexpected") {
		s.fail("it says %q", document.Error.What)
	}
}

// keepsSecrets looks for the token and for every secret access key in what was
// printed and in every file but the one that was asked for.
func (s *storm) keepsSecrets(o outcome) {
	secrets := s.secrets
	for _, file := range s.keyFiles() {
		var key struct{ SecretAccessKey string }
		if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &key) == nil && key.SecretAccessKey != "" {
			secrets = append(secrets, key.SecretAccessKey)
		}
	}
	for _, secret := range secrets {
		if strings.Contains(o.stdout, secret) || strings.Contains(o.stderr, secret) {
			s.fail("a secret was printed")
		}
	}
	_ = filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || slices.Contains(s.keyFiles(), path) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				s.fail("a secret is in %s", path)
			}
		}
		return nil
	})
}

func (s *storm) keyFiles() []string {
	files, _ := filepath.Glob(filepath.Join(s.dir, "key*.json"))
	return files
}

func (s *storm) environ() []string {
	target := s.aws.Target()
	return []string{
		"HOME=" + s.dir, "XDG_STATE_HOME=" + filepath.Join(s.dir, "state"), "XDG_CONFIG_HOME=" + filepath.Join(s.dir, "config"),
		"AWS_ENDPOINT_URL=" + s.awsProxy.url, "AWS_ACCESS_KEY_ID=" + target.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + target.SecretAccessKey,
		"AWS_REGION=" + target.Region, "AWS_EC2_METADATA_DISABLED=true", "ROLECALL_SPOT_URL=" + s.spotProxy.url, "SPOTINST_TOKEN=" + theToken,
		"TERM=dumb", "NO_PROXY=*", "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8",
	}
}

// fail reports a violation with everything that led to it, once a storm.
func (s *storm) fail(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("seed %d, %s: %s", s.seed, s.method.name, fmt.Sprintf(format, args...))
	if !s.failed {
		s.failed = true
		s.t.Cleanup(func() { s.t.Logf("%s\nfaults: %s | %s", s.told.String(), s.awsProxy.done(), s.spotProxy.done()) })
	}
}

// sessions are the folders of sessions. One that was being made or removed when
// the program was killed has a hidden name, and is swept later.
func (s *storm) sessions() []string {
	entries, _ := os.ReadDir(filepath.Join(s.dir, "state", "rolecall", "sessions"))
	var ids []string
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			ids = append(ids, entry.Name())
		}
	}
	return ids
}

// exists lists what is in the account, read past the proxy: policies, roles,
// users, keys, attachments and stacks.
func (s *storm) exists() []string {
	s.t.Helper()
	ctx, target := context.Background(), s.aws.Target()
	client := iam.New(iam.Options{Region: target.Region, BaseEndpoint: &target.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(target.AccessKeyID, target.SecretAccessKey, "")})
	var all []string
	must := func(err error) {
		if err != nil {
			s.t.Fatal(err)
		}
	}
	policies, err := client.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal})
	must(err)
	for _, p := range policies.Policies {
		all = append(all, "policy "+awssdk.ToString(p.PolicyId))
	}
	roles, err := client.ListRoles(ctx, &iam.ListRolesInput{})
	must(err)
	for _, r := range roles.Roles {
		all = append(all, "role "+awssdk.ToString(r.RoleId))
	}
	users, err := client.ListUsers(ctx, &iam.ListUsersInput{})
	must(err)
	for _, u := range users.Users {
		all = append(all, "user "+awssdk.ToString(u.UserId))
		keys, err := client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: u.UserName})
		must(err)
		for _, k := range keys.AccessKeyMetadata {
			all = append(all, "access key "+awssdk.ToString(k.AccessKeyId))
		}
	}
	stacks, err := cloudformation.New(cloudformation.Options{
		Region:       target.Region,
		BaseEndpoint: &target.Endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(target.AccessKeyID, target.SecretAccessKey, ""),
	}).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	must(err)
	for _, k := range stacks.Stacks {
		all = append(all, "stack "+awssdk.ToString(k.StackId))
	}
	return all
}

// nothingTwice wants at most one of each kind that was not there before: each
// of these methods needs one policy, one role or user, one key, one stack.
func (s *storm) nothingTwice(before []string) {
	seen := map[string]int{}
	for _, x := range s.exists() {
		if !slices.Contains(before, x) {
			kind := x[:strings.LastIndex(x, " ")]
			seen[kind]++
			if seen[kind] > 1 {
				s.fail("made twice: %s", x)
			}
		}
	}
}

// everythingOnRecord wants each new thing, or the stack that made it, in a
// receipt: by its ID where an answer was seen, or at least by its name.
func (s *storm) everythingOnRecord(before []string) {
	store := record.OpenStore(filepath.Join(s.dir, "state", "rolecall"))
	receipts, err := store.Receipts()
	if err != nil {
		s.fail("the receipts cannot be read: %v", err)
		return
	}
	known := map[string]bool{}
	for _, r := range receipts {
		for _, item := range r.Items {
			if item.State == record.ItemNotMade || item.State == record.ItemRemoved {
				continue
			}
			known[string(item.Kind)+" "+item.ID] = true
			known[string(item.Kind)] = known[string(item.Kind)] || item.Unproven()
		}
	}
	if known[string(record.ItemStack)] ||
		slices.ContainsFunc(s.exists(), func(x string) bool { return strings.HasPrefix(x, "stack ") && known[x] }) {
		return // what a stack makes is the stack's
	}
	for _, x := range s.exists() {
		kind := x[:strings.LastIndex(x, " ")]
		if !slices.Contains(before, x) && !known[x] && !known[kind] {
			s.fail("not on record: %s", x)
		}
	}
}

// proxy stands in front of a server and lets requests go wrong.
type proxy struct {
	url    string
	target *url.URL
	pass   *httputil.ReverseProxy

	mu     sync.Mutex
	rng    *rand.Rand
	rate   float64
	faults []fault
	sticky map[string]fault // by action: a permission that is missing stays missing
	names  []string
}

// fault is one way for a request to go wrong.
type fault struct {
	name   string
	sticky bool
	do     func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte)
}

func newProxy(t *testing.T, target string, rng *rand.Rand, faults []fault) *proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: to, rng: rng, faults: faults, sticky: map[string]fault{}, pass: httputil.NewSingleHostReverseProxy(to)}
	p.pass.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := httptest.NewServer(p)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	p.url = server.URL
	return p
}

// blow sets how many of the requests go wrong, from 0 to 1.
func (p *proxy) blow(rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = rate
	if rate == 0 {
		clear(p.sticky)
	}
}

func (p *proxy) done() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.names, ", ")
}

// pick decides what happens to a request.
func (p *proxy) pick(action string) (fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f, ok := p.sticky[action]; ok {
		return f, true
	}
	if p.rng.Float64() >= p.rate {
		return fault{}, false
	}
	f := p.faults[p.rng.IntN(len(p.faults))]
	if f.sticky {
		p.sticky[action] = f
	}
	p.names = append(p.names, action+" "+f.name)
	return f, true
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	action := r.Method + " " + r.URL.Path
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
		action = form.Get("Action")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if f, ok := p.pick(action); ok {
		f.do(p, w, r, body)
		return
	}
	p.pass.ServeHTTP(w, r)
}

// forward sends the request on and keeps the answer.
func (p *proxy) forward(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	p.pass.ServeHTTP(answer, r)
	return answer
}

// answers makes a fault that answers by itself: nothing was done.
func answers(name string, status int, kind, body string) fault {
	return fault{name: name, do: func(_ *proxy, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}}
}

func xmlError(name string, status int, code, message string) fault {
	return answers(name, status, "text/xml", "<ErrorResponse><Error><Type>Sender</Type><Code>"+code+"</Code><Message>"+message+
		"</Message></Error><RequestId>0f1e2d3c-storm</RequestId></ErrorResponse>")
}

// commonFaults are those of any server.
func commonFaults() []fault {
	return []fault{
		{name: "slow", do: func(p *proxy, w http.ResponseWriter, r *http.Request, _ []byte) {
			time.Sleep(300 * time.Millisecond)
			p.pass.ServeHTTP(w, r)
		}},
		{name: "reset before", do: func(*proxy, http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }},
		{name: "reset after", do: func(p *proxy, _ http.ResponseWriter, r *http.Request, _ []byte) {
			p.forward(r)
			panic(http.ErrAbortHandler)
		}},
		{name: "hang before", do: func(_ *proxy, _ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }},
		{name: "hang after", do: func(p *proxy, _ http.ResponseWriter, r *http.Request, _ []byte) {
			p.forward(r.WithContext(context.WithoutCancel(r.Context())))
			<-r.Context().Done()
		}},
		{name: "truncated", do: func(p *proxy, w http.ResponseWriter, r *http.Request, _ []byte) {
			answer := p.forward(r)
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
			panic(http.ErrAbortHandler)
		}},
		answers("portal", 200, "text/html", "<html><title>Welcome to the hotel</title>Accept the terms</html>"),
		answers("gateway", 502, "text/html", "<html><h1>502 Bad Gateway</h1></html>"),
	}
}

func awsFaults() []fault {
	denied := xmlError(
		"denied",
		403,
		"AccessDenied",
		"User: arn:aws:iam::123456789012:user/ann is not authorized to perform this action because no identity-based policy allows it",
	)
	denied.sticky = true
	expired := xmlError("expired", 403, "ExpiredToken", "The security token included in the request is expired")
	expired.sticky = true
	return append(commonFaults(),
		xmlError("throttled", 400, "Throttling", "Rate exceeded"), xmlError("unavailable", 503, "ServiceUnavailable", "Service is unavailable"),
		xmlError("broken", 500, "ServiceFailure", "Internal failure"), denied, expired)
}

func spotFaults() []fault {
	return append(commonFaults(),
		answers("throttled", 429, "application/json", `{"response":{"errors":[{"code":"Too Many Requests","message":"rate"}]}}`),
		answers("unavailable", 503, "application/json", `{"response":{"errors":[{"code":"UNAVAILABLE","message":"try later"}]}}`))
}
