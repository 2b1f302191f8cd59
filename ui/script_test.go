package ui_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rolecall/steps"
	"rolecall/steps/describe"

	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/policy"

	spotrehearsal "rolecall/steps/spot/rehearsal"
)

// theToken is the secret that must never show up in any output or file.
const theToken = "0123456789abcdef-secret-token-of-the-tests"

// TestScripts runs the commands as a script would, against an AWS and a Spot
// over HTTP on this machine.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "script"),
		Setup: setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":           exits,
			"json":            compareJSON,
			"onlyjson":        onlyJSON,
			"aws":             awsDo,
			"awscalls":        awsCalls,
			"spotcalls":       spotCalls,
			"deny":            deny,
			"allow":           allow,
			"modeis":          modeIs,
			"trust":           writeTrust,
			"spotpolicy":      writePolicy,
			"nosecret":        noSecret,
			"keptsecret":      keptSecret,
			"savedsession":    savedSession,
			"newestsession":   newestSession,
			"waitexternalid":  waitExternalID,
			"guardrail":       attachGuardrail,
			"stsoff":          deactivateSTS,
			"later":           later,
			"delegation":      askDelegation,
			"delegationstate": delegationState,
			"loseanswer":      loseAnswer,
		},
	})
}

// world is what stands around one script.
type world struct {
	aws  *awsrehearsal.Server
	past atomic.Int64 // how far AWS's clock is ahead of the world's, in nanoseconds
	spot *spotrehearsal.Server
}

type worldKey struct{}

func setUp(env *testscript.Env) error {
	w := &world{}
	now := func() time.Time { return clock{startOfClock()}.Now().Add(time.Duration(w.past.Load())) }
	w.aws = awsrehearsal.New(awsrehearsal.Options{Propagation: -1, Now: now, Organization: "999988887777", ReadsOrganization: true})
	w.spot = spotrehearsal.New(spotrehearsal.Options{Token: theToken, Assume: w.aws.AssumeRole,
		Accounts: []spotrehearsal.Account{{ID: "act-12ab12ab", Name: "Production", OrganizationID: "606060606060"}}})
	if err := errors.Join(w.aws.Start(), w.spot.Start()); err != nil {
		return err
	}
	env.Defer(func() { _ = errors.Join(w.aws.Close(), w.spot.Close()) })
	env.Values[worldKey{}] = w
	target := w.aws.Target()
	for name, value := range map[string]string{
		"HOME":                      filepath.Join(env.WorkDir, "home"),
		"XDG_STATE_HOME":            filepath.Join(env.WorkDir, "state"),
		"XDG_CONFIG_HOME":           filepath.Join(env.WorkDir, "config"),
		"AWS_ENDPOINT_URL":          target.Endpoint,
		"AWS_ACCESS_KEY_ID":         target.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":     target.SecretAccessKey,
		"AWS_REGION":                target.Region,
		"AWS_EC2_METADATA_DISABLED": "true",
		"ROLECALL_SPOT_URL":         w.spot.URL(),
		"SPOTINST_TOKEN":            theToken,
		"TERM":                      "xterm-256color",
		"NO_PROXY":                  "*",
		clockVariable:               os.Getenv(clockVariable),
	} {
		env.Setenv(name, value)
	}
	return nil
}

func worldOf(ts *testscript.TestScript) *world {
	w, ok := ts.Value(worldKey{}).(*world)
	if !ok {
		ts.Fatalf("the script has no world")
	}
	return w
}

// exits runs a command and wants exactly this exit code: exits 2 rolecall foo.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// compareJSON compares one field of stdout: json error.what 'text', or with !
// that it is not there.
func compareJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: json PATH [VALUE]")
	}
	var document any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &document))
	value, found := dig(document, strings.Split(args[0], "."))
	switch {
	case neg && found:
		ts.Fatalf("%s is %s, want it absent", args[0], spell(value))
	case !neg && !found:
		ts.Fatalf("%s is absent", args[0])
	case len(args) > 1 && spell(value) != args[1]:
		ts.Fatalf("%s is %s, want %s", args[0], spell(value), args[1])
	}
}

func spell(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// dig follows names, indexes, "len" for a length, and NAME=VALUE for the element
// of a list whose member has that value.
func dig(value any, path []string) (any, bool) {
	for _, name := range path {
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[name]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			next, ok := element(v, name)
			if !ok {
				return nil, false
			}
			value = next
		default:
			return nil, false
		}
	}
	return value, true
}

func element(list []any, name string) (any, bool) {
	if name == "len" {
		return len(list), true
	}
	if i, err := strconv.Atoi(name); err == nil {
		if i >= len(list) {
			return nil, false
		}
		return list[i], true
	}
	member, want, _ := strings.Cut(name, "=")
	for _, one := range list {
		if object, ok := one.(map[string]any); ok && spell(object[member]) == want {
			return one, true
		}
	}
	return nil, false
}

// onlyJSON wants exactly one JSON document on stdout.
func onlyJSON(ts *testscript.TestScript, _ bool, _ []string) {
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var document map[string]any
	ts.Check(decoder.Decode(&document))
	if decoder.More() {
		ts.Fatalf("there is more than one JSON document on stdout")
	}
}

// awsDo is a colleague's hand in the AWS account: aws CreateRole RoleName=x
// AssumeRolePolicyDocument=@file.
func awsDo(ts *testscript.TestScript, neg bool, args []string) {
	params := map[string]string{}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		if file, ok := strings.CutPrefix(value, "@"); ok {
			value = ts.ReadFile(file)
		}
		params[name] = value
	}
	if err := worldOf(ts).aws.Do("iam:"+args[0], params); (err != nil) != neg {
		ts.Fatalf("aws %s: %v", args[0], err)
	}
}

// awsCalls wants this many calls of an action, or of all: awscalls 0.
func awsCalls(ts *testscript.TestScript, neg bool, args []string) {
	calls := worldOf(ts).aws.Calls()
	got := 0
	for _, call := range calls {
		if len(args) < 2 || call.Action == args[1] {
			got++
		}
	}
	if (strconv.Itoa(got) == args[0]) == neg {
		ts.Fatalf("%d calls of AWS: %v, want %s", got, calls, args[0])
	}
}

// spotCalls wants this many calls of Spot, or of one kind.
func spotCalls(ts *testscript.TestScript, neg bool, args []string) {
	got := 0
	for _, call := range worldOf(ts).spot.Calls() {
		if len(args) < 2 || call == strings.Join(args[1:], " ") {
			got++
		}
	}
	if (strconv.Itoa(got) == args[0]) == neg {
		ts.Fatalf("%d calls of Spot: %v, want %s", got, worldOf(ts).spot.Calls(), args[0])
	}
}

// waitExternalID waits until Spot was asked for an external ID, and puts it into
// EXTERNAL_ID.
func waitExternalID(ts *testscript.TestScript, _ bool, _ []string) {
	for range 1000 {
		for _, account := range worldOf(ts).spot.Accounts() {
			if account.ExternalID != "" {
				ts.Setenv("EXTERNAL_ID", account.ExternalID)
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("nobody asked Spot for an external ID")
}

func deny(ts *testscript.TestScript, _ bool, args []string) { worldOf(ts).aws.Deny(args...) }

// attachGuardrail attaches an SCP or RCP on the account's path: guardrail scp|rcp
// NAME FILE.
func attachGuardrail(ts *testscript.TestScript, _ bool, args []string) {
	kind := map[string]string{"scp": awsrehearsal.ServiceControl, "rcp": awsrehearsal.ResourceControl}[args[0]]
	ts.Check(
		worldOf(
			ts,
		).aws.AttachGuardrail(
			awsrehearsal.Guardrail{Type: kind, Name: args[1], Document: ts.ReadFile(args[2]), Target: awsrehearsal.UnitID},
		),
	)
}

// later lets AWS's clock go on: later 1h.
func later(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	worldOf(ts).past.Add(int64(d))
}

// deactivateSTS makes STS refuse in these regions.
func deactivateSTS(ts *testscript.TestScript, _ bool, args []string) {
	worldOf(ts).aws.DeactivateSTS(args...)
}

// allow gives every permission back.
func allow(ts *testscript.TestScript, _ bool, _ []string) { worldOf(ts).aws.ClearFaults() }

// modeIs wants a file or folder to have these rights: modeis 600 FILE.
func modeIs(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[0])
	}
}

// writeTrust writes a trust policy: trust FILE ACCOUNT [EXTERNAL-ID].
func writeTrust(ts *testscript.TestScript, _ bool, args []string) {
	id := ""
	if len(args) > 2 {
		id = args[2]
	}
	document := policy.NewTrust("aws", []string{args[1]}, id)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(document.Pretty()), 0o600))
}

// writePolicy writes Spot's policy for the named products: spotpolicy FILE
// [PRODUCT ...].
func writePolicy(ts *testscript.TestScript, _ bool, args []string) {
	v, err := steps.Library().Load("spot")
	ts.Check(err)
	bundles, err := v.Bundles(args[1:])
	ts.Check(err)
	role := v.RolesFor(bundles, describe.AccessRole)[0]
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(v.Compose(role, bundles, "aws").Pretty()), 0o600))
}

// noSecret looks for the token in what was printed and in every file.
func noSecret(ts *testscript.TestScript, _ bool, _ []string) {
	for _, name := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(name), theToken) {
			ts.Fatalf("the token is on %s", name)
		}
	}
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(text, []byte(theToken)) {
			err = fmt.Errorf("the token is in %s", path)
		}
		return err
	}))
	if files == 0 {
		ts.Fatalf("no file was looked at")
	}
}

// savedSession puts the ID of the only saved session into SESSION.
func savedSession(ts *testscript.TestScript, _ bool, _ []string) {
	entries, err := os.ReadDir(ts.MkAbs("state/rolecall/sessions"))
	ts.Check(err)
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() })
	if len(entries) != 1 {
		ts.Fatalf("%d sessions are saved, want 1", len(entries))
	}
	ts.Setenv("SESSION", entries[0].Name())
}

// newestSession puts the ID of the newest saved session into SESSION.
func newestSession(ts *testscript.TestScript, _ bool, _ []string) {
	entries, err := os.ReadDir(ts.MkAbs("state/rolecall/sessions"))
	ts.Check(err)
	ts.Setenv("SESSION", entries[len(entries)-1].Name())
}
