package ui_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/spot"

	spotrehearsal "rolecall/steps/spot/rehearsal"
)

const (
	motoAccount = "123456789012"
	spotAccount = "act-12ab12ab"
	spotRole    = "arn:aws:iam::123456789012:role/Spot-Role"
	spotPolicy  = "arn:aws:iam::123456789012:policy/Spot-Policy"
	anotherID   = "spotinst:aws:extid:0123456789abcdef"
	runnerName  = "sprinters-user"
)

// TestMethodsOnMoto runs whole methods, from connect over verify to disconnect,
// against an IAM that is not this project's own: so that the rehearsal and the
// program cannot agree on a mistake.
func TestMethodsOnMoto(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("moto_server takes seconds to start")
	}
	endpoint := startMoto(t)
	for _, method := range []struct {
		name string
		run  func(*testing.T, *motoWorld)
	}{
		{"manual", manualOnMoto},
		{"direct", directOnMoto},
		{"automatic", automaticOnMoto},
		{"automatic, nothing attached", unfinishedOnMoto},
		{"user direct", userOnMoto},
		{"role direct", roleOnMoto},
	} {
		t.Run(method.name, func(t *testing.T) { method.run(t, newMotoWorld(t, endpoint)) })
	}
}

// startMoto starts moto's server on a free port for the whole test, with this
// added to its environment.
func startMoto(t *testing.T, added ...string) string {
	t.Helper()
	program, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server is not installed: no method was run against it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	cmd := exec.Command(program, "-H", "127.0.0.1", "-p", port)
	cmd.Env = append(os.Environ(), added...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	endpoint := "http://127.0.0.1:" + port
	for range 300 {
		if r, err := http.Get(endpoint + "/moto-api/data.json"); err == nil {
			_ = r.Body.Close()
			return endpoint
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("moto_server did not start")
	return ""
}

// motoWorld is an empty account in moto, a Spot that looks into it, and the
// person's own hands there.
type motoWorld struct {
	t     *testing.T
	home  string
	env   []string
	hands *aws.Account
	raw   asker     // for what rolecall itself never asks
	ear   io.Writer // hears what rolecall says as it says it; nil: nobody
	spot  *spotrehearsal.Server
}

func newMotoWorld(t *testing.T, endpoint string) *motoWorld {
	t.Helper()
	r, err := http.Post(endpoint+"/moto-api/reset", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return usedMotoWorld(t, endpoint)
}

// usedMotoWorld is an account in moto with what others left there.
func usedMotoWorld(t *testing.T, endpoint string) *motoWorld {
	t.Helper()
	return newWorld(t, aws.RehearsalTarget{Endpoint: endpoint, AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret", Region: "us-east-1"})
}

// newWorld is an account with the people around it.
func newWorld(t *testing.T, target aws.RehearsalTarget) *motoWorld {
	t.Helper()
	w := &motoWorld{t: t, home: t.TempDir(), raw: asker{target.Endpoint, target.AccessKeyID, target.SecretAccessKey, target.Region}}
	var err error
	w.hands, err = aws.Open(t.Context(), aws.Options{Rehearsal: &target})
	if err != nil {
		t.Fatal(err)
	}
	w.spot = spotrehearsal.New(
		spotrehearsal.Options{Token: theToken, Assume: w.assume, Accounts: []spotrehearsal.Account{{ID: spotAccount, Name: "Production"}}},
	)
	if err := w.spot.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.spot.Close() })
	w.env = []string{
		"AWS_ENDPOINT_URL=" + target.Endpoint,
		"AWS_ACCESS_KEY_ID=" + target.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + target.SecretAccessKey,
		"AWS_SESSION_TOKEN=",
		"AWS_REGION=" + target.Region,
		"AWS_PROFILE=",
		"AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=*",
		"ROLECALL_SPOT_URL=" + w.spot.URL(),
		"SPOTINST_TOKEN=" + theToken,
	}
	return w
}

// assume lets Spot into a role that trusts it: moto itself lets everybody in.
func (w *motoWorld) assume(principal, roleARN, externalID string) error {
	arn, ok := aws.SplitARN(roleARN)
	if !ok {
		return errors.New("not the ARN of a role")
	}
	role, err := w.hands.Role(w.t.Context(), path.Base(arn.Resource))
	if err != nil {
		return err
	}
	if role.Trust == nil || role.Trust.Digest() != policy.NewTrust("aws", []string{principal}, externalID).Digest() {
		return fmt.Errorf("%s does not trust %s under %s: %s", roleARN, principal, externalID, role.TrustText)
	}
	return nil
}

// rolecall runs a command that has to end with the exit code, and reads the one
// JSON document that it prints.
func (w *motoWorld) rolecall(exit int, args ...string) motoJSON {
	w.t.Helper()
	code, out, talk := commandHeard(w.t, w.home, w.env, w.ear, append(args, "--json")...)
	if code != exit {
		w.t.Fatalf("rolecall %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, exit, out, talk)
	}
	if strings.Contains(out+talk, theToken) {
		w.t.Fatal("the token was printed")
	}
	doc := motoJSON{out: out, talk: talk}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		w.t.Fatalf("rolecall %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return doc
}

func (w *motoWorld) connect(exit int, args ...string) motoJSON {
	w.t.Helper()
	return w.rolecall(exit, append([]string{"connect", "--yes", "--aws-account", motoAccount}, args...)...)
}

// disconnect removes what rolecall made, all of it, and again changes nothing.
func (w *motoWorld) disconnect(session string, items int) {
	w.t.Helper()
	doc := w.rolecall(0, "disconnect", "--yes")
	if !doc.Done || doc.Session != session || len(doc.Items) != items {
		w.t.Fatalf("disconnect: %s", doc.out)
	}
	for _, item := range doc.Items {
		if item.Verdict != "removed" {
			w.t.Errorf("%s %s: %s", item.Kind, item.Verdict, item.Why)
		}
	}
	w.rolecall(2, "disconnect", "--yes")
}

// gone fails when something of the kind is still there.
func (w *motoWorld) gone(what string, err error) {
	w.t.Helper()
	if aws.KindOf(err) != aws.NotFound {
		w.t.Errorf("%s is still there: %v", what, err)
	}
}

func (w *motoWorld) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// motoJSON is what the tests read of connect's, verify's and disconnect's
// documents.
type motoJSON struct {
	out, talk  string
	Session    string
	OK         bool   `json:"ok"`
	ExternalID string `json:"external_id"`
	Submitted  bool
	Done       bool
	Policies   []struct{ ARN, Digest string }
	Roles      []struct{ ARN, ID string }
	Users      []struct {
		Name, ARN   string
		AccessKeyID string `json:"access_key_id"`
	}
	Stacks []struct{ Name, ID string }
	Checks []struct{ ID, Status string }
	Items  []struct{ Kind, Verdict, Why string }
	Error  *struct{ What, Expected, Next string }
}

// passes fails unless these checks passed.
func (d motoJSON) passes(t *testing.T, checks ...string) {
	t.Helper()
	for _, id := range checks {
		i := slices.IndexFunc(d.Checks, func(c struct{ ID, Status string }) bool { return c.ID == id })
		if i < 0 || d.Checks[i].Status != "pass" {
			t.Errorf("check %s did not pass: %s", id, d.out)
		}
	}
}

// connected fails unless the role was handed over to Spot, which got in.
func (w *motoWorld) connected(d motoJSON) {
	w.t.Helper()
	account := w.spot.Accounts()[0]
	if !d.Submitted || d.Error != nil || len(d.Roles) != 1 || d.Roles[0].ARN != spotRole || d.Roles[0].ID == "" ||
		len(
			d.Policies,
		) != 1 || d.Policies[0].ARN != spotPolicy || account.Role != spotRole || account.ExternalID != d.ExternalID || d.ExternalID == "" {
		w.t.Fatalf("%+v\n%s%s", account, d.out, d.talk)
	}
	d.passes(w.t, "role-exists", "trust-principal", "trust-external-id", "policy-attached", "policy-matches")
}

// verified fails unless rolecall verify agrees, and disagrees about another
// external ID.
func (w *motoWorld) verified(externalID, another string, args ...string) {
	w.t.Helper()
	args = append([]string{"verify"}, args...)
	doc := w.rolecall(0, append(args, "--external-id", externalID)...)
	if !doc.OK {
		w.t.Fatal(doc.out)
	}
	doc.passes(w.t, "role-exists", "trust-external-id", "policy-matches")
	if doc := w.rolecall(3, append(args, "--external-id", another)...); doc.OK {
		w.t.Fatal(doc.out)
	}
}

// mint has Spot make the external ID before anything is made in AWS.
func (w *motoWorld) mint() string {
	w.t.Helper()
	api, err := spot.New(spot.Options{BaseURL: w.spot.URL(), Token: spot.Token(theToken)})
	w.ok(err)
	id, err := api.MintExternalID(w.t.Context(), spotAccount)
	w.ok(err)
	return id
}

func manualOnMoto(t *testing.T, w *motoWorld) {
	v, err := steps.Library().Load("spot")
	w.ok(err)
	bundles, err := v.Bundles(nil)
	w.ok(err)
	document := v.Compose(v.RolesFor(bundles, describe.AccessRole)[0], bundles, "aws")
	made, err := w.hands.CreatePolicy(t.Context(), aws.NewPolicy{Name: "Spot-Policy", Document: document})
	w.ok(err)
	_, err = w.hands.CreateRole(
		t.Context(),
		aws.NewRole{Name: "Spot-Role", Trust: policy.NewTrust("aws", []string{spotrehearsal.TrustedAccount}, w.mint())},
	)
	w.ok(err)
	w.ok(w.hands.AttachRolePolicy(t.Context(), "Spot-Role", made.ARN))

	doc := w.connect(0, "--method", "manual", "--account", spotAccount, "--wait", "5m")
	w.connected(doc)
	w.verified(doc.ExternalID, anotherID)
	w.rolecall(2, "disconnect", "--yes") // rolecall made nothing
	_, err = w.hands.Role(t.Context(), "Spot-Role")
	w.ok(err)
}

func directOnMoto(t *testing.T, w *motoWorld) {
	args := []string{"--method", "direct", "--account", spotAccount, "--wait", "5m"}
	doc := w.connect(0, args...)
	w.connected(doc)
	w.verified(doc.ExternalID, anotherID)
	again := w.connect(0, args...)
	if w.connected(again); again.Roles[0].ID != doc.Roles[0].ID {
		t.Errorf("the role was made anew: %s", again.out)
	}
	w.disconnect(doc.Session, 3)
	_, err := w.hands.Role(t.Context(), "Spot-Role")
	w.gone("the role", err)
	_, err = w.hands.Policy(t.Context(), spotPolicy)
	w.gone("the policy", err)
}

// automaticOnMoto does by hand what moto's CloudFormation leaves out: it attaches
// no ManagedPolicyArns.
func automaticOnMoto(t *testing.T, w *motoWorld) {
	attached := make(chan error, 1)
	go func() { attached <- w.attachWhenMade() }()
	doc := w.connect(0, "--method", "automatic", "--acknowledge-iam-capabilities", "--account", spotAccount, "--wait", "5m")
	w.ok(<-attached)
	w.connected(doc)
	if len(doc.Stacks) != 1 || doc.Stacks[0].Name != "spot-access" {
		t.Fatal(doc.out)
	}
	stack, err := w.hands.Stack(t.Context(), doc.Stacks[0].ID)
	if w.ok(err); stack.Outputs["SpotinstRoleArn"] != spotRole {
		t.Errorf("outputs %v", stack.Outputs)
	}
	w.verified(doc.ExternalID, anotherID)
	w.ok(w.hands.DetachRolePolicy(t.Context(), "Spot-Role", spotPolicy))
	w.disconnect(doc.Session, 1)
	_, err = w.hands.Role(t.Context(), "Spot-Role") // moto's CloudFormation deletes no managed policy
	w.gone("the role", err)
	_, err = w.hands.Stack(t.Context(), "spot-access")
	w.gone("the stack", err)
}

func (w *motoWorld) attachWhenMade() error {
	for range 300 {
		_, err := w.hands.Role(w.t.Context(), "Spot-Role")
		if err == nil {
			err = w.hands.AttachRolePolicy(w.t.Context(), "Spot-Role", spotPolicy)
		}
		if aws.KindOf(err) != aws.NotFound {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("nobody made the role")
}

// unfinishedOnMoto leaves the policy unattached: rolecall says so, waits in case
// that IAM is only late, and hands nothing over. What it sees to be wrong counts
// more than that the time is up (3, not 8), whichever limit ends first.
func unfinishedOnMoto(t *testing.T, w *motoWorld) {
	w.connect(2, "--method", "automatic", "--account", spotAccount) // nobody acknowledged
	if stacks, err := w.hands.Stacks(t.Context()); err != nil || len(stacks) != 0 {
		t.Fatalf("%v %v", stacks, err)
	}
	doc := w.rolecall(3, "connect", "--yes", "--aws-account", motoAccount, "--method", "automatic",
		"--acknowledge-iam-capabilities", "--account", spotAccount, "--wait", "2m")
	if doc.Submitted || doc.Error == nil || w.spot.Accounts()[0].Role != "" || len(doc.Stacks) != 1 ||
		!strings.Contains(doc.talk, "fail: Policy") {
		t.Fatalf("%s%s", doc.out, doc.talk)
	}
	w.disconnect(doc.Session, 1)
	_, err := w.hands.Role(t.Context(), "Spot-Role")
	w.gone("the role", err)
}

func userOnMoto(t *testing.T, w *motoWorld) {
	file := filepath.Join(t.TempDir(), "key.json")
	args := []string{"--vendor", "sprinters", "--access", "user", "--method", "direct", "--wait", "5m"}
	w.connect(2, args...) // nowhere to keep the secret
	_, err := w.hands.User(t.Context(), runnerName)
	w.gone("the user", err)
	doc := w.connect(0, append(args, "--secret-file", file)...)
	if doc.Submitted || doc.Error != nil || len(doc.Users) != 1 || doc.Users[0].Name != runnerName ||
		doc.Users[0].ARN != "arn:aws:iam::123456789012:user/"+runnerName {
		t.Fatal(doc.out)
	}
	doc.passes(t, "user-exists", "user-policy-attached", "user-policy-matches")
	keys, err := w.hands.AccessKeys(t.Context(), runnerName)
	if err != nil || len(keys) != 1 || keys[0].ID != doc.Users[0].AccessKeyID {
		t.Fatalf("%v %v: %s", keys, err, doc.out)
	}
	w.keptIn(file, keys[0].ID, doc)
	if doc := w.rolecall(0, "verify", "--vendor", "sprinters", "--user", runnerName); !doc.OK {
		t.Fatal(doc.out)
	}
	w.disconnect(doc.Session, 4)
	_, err = w.hands.User(t.Context(), runnerName)
	w.gone("the user", err)
}

// keptIn wants the secret in the named file, which nobody else may read, and
// nowhere in what was printed or saved.
func (w *motoWorld) keptIn(file, keyID string, doc motoJSON) {
	w.t.Helper()
	text, err := os.ReadFile(file)
	w.ok(err)
	var key struct{ AccessKeyID, SecretAccessKey string }
	w.ok(json.Unmarshal(text, &key))
	info, err := os.Stat(file)
	w.ok(err)
	if key.AccessKeyID != keyID || len(key.SecretAccessKey) != 40 || info.Mode().Perm() != 0o600 {
		w.t.Fatalf("key %s with a secret of %d characters, mode %v", key.AccessKeyID, len(key.SecretAccessKey), info.Mode())
	}
	if strings.Contains(doc.out+doc.talk, key.SecretAccessKey) {
		w.t.Error("the secret was printed")
	}
	files := 0
	w.ok(filepath.WalkDir(w.home, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(key.SecretAccessKey)) {
			w.t.Errorf("the secret is in %s", path)
		}
		return err
	}))
	if files == 0 {
		w.t.Error("no file was looked at")
	}
}

func roleOnMoto(t *testing.T, w *motoWorld) {
	doc := w.connect(0, "--vendor", "sprinters", "--access", "role", "--method", "direct", "--external-id", "octo-org", "--wait", "5m")
	if doc.Submitted || doc.Error != nil || len(doc.Roles) != 1 || doc.Roles[0].ARN != "arn:aws:iam::123456789012:role/sprinters-role" ||
		doc.ExternalID != "octo-org" {
		t.Fatal(doc.out)
	}
	doc.passes(t, "trust-external-id", "policy-matches")
	w.verified("octo-org", "another-org", "--vendor", "sprinters")
	w.disconnect(doc.Session, 2)
	_, err := w.hands.Role(t.Context(), "sprinters-role")
	w.gone("the role", err)
}
