package ui_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	awsrehearsal "rolecall/aws/rehearsal"
	spotrehearsal "rolecall/steps/spot/rehearsal"
)

// box is an AWS and a Spot of its own, and a home in which commands run.
type box struct {
	t    *testing.T
	aws  *awsrehearsal.Server
	spot *spotrehearsal.Server
	dir  string
	env  []string // on top of the usual ones
}

func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{t: t, aws: awsrehearsal.New(awsrehearsal.Options{Propagation: -1, Now: clock{startOfClock()}.Now}), dir: t.TempDir()}
	b.spot = spotrehearsal.New(spotrehearsal.Options{Token: theToken, Assume: b.aws.AssumeRole,
		Accounts: []spotrehearsal.Account{{ID: "act-12ab12ab", Name: "Production", OrganizationID: "606060606060"}}})
	if err := errors.Join(b.aws.Start(), b.spot.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(b.aws.Close(), b.spot.Close()) })
	return b
}

// ran is how one command ended.
type ran struct {
	exit           int
	stdout, stderr string
	document       document
}

// document is what every JSON document has, and a failed one.
type document struct {
	Session string `json:"session"`
	Error   *struct {
		What      string `json:"what"`
		Expected  string `json:"expected"`
		Next      string `json:"next"`
		Said      string `json:"said"`
		Code      string `json:"code"`
		RequestID string `json:"request_id"`
		Principal string `json:"principal"`
		Action    string `json:"action"`
		Parameter string `json:"parameter"`
	} `json:"error"`
}

// what is the error's first line; empty without one.
func (r ran) what() string {
	if r.document.Error == nil {
		return ""
	}
	return r.document.Error.What
}

// command prepares a command with --json, which writes one document.
func (b *box) command(ctx context.Context, args ...string) *exec.Cmd {
	target := b.aws.Target()
	cmd := exec.CommandContext(ctx, os.Args[0], append(args, "--json")...)
	cmd.Args[0] = "rolecall"
	cmd.Dir = b.dir
	cmd.Env = append([]string{
		"HOME=" + b.dir, "XDG_STATE_HOME=" + filepath.Join(b.dir, "state"), "XDG_CONFIG_HOME=" + filepath.Join(b.dir, "config"),
		"AWS_ENDPOINT_URL=" + target.Endpoint, "AWS_ACCESS_KEY_ID=" + target.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + target.SecretAccessKey,
		"AWS_REGION=" + target.Region, "AWS_EC2_METADATA_DISABLED=true", "ROLECALL_SPOT_URL=" + b.spot.URL(), "SPOTINST_TOKEN=" + theToken,
		"TERM=dumb", "NO_PROXY=*", "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", clockVariable + "=" + os.Getenv(clockVariable),
	}, b.env...)
	return cmd
}

// run runs a command to its end and reads its one document.
func (b *box) run(args ...string) ran {
	b.t.Helper()
	cmd := b.command(b.t.Context(), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	return b.read(cmd.ProcessState.ExitCode(), stdout.String(), stderr.String())
}

func (b *box) read(exit int, stdout, stderr string) ran {
	b.t.Helper()
	r := ran{exit: exit, stdout: stdout, stderr: stderr}
	decoder := json.NewDecoder(strings.NewReader(r.stdout))
	if err := decoder.Decode(&r.document); err != nil || decoder.More() {
		b.t.Errorf("stdout is not one JSON document (%v):\n%s\n%s", err, r.stdout, r.stderr)
	}
	if failed := r.exit != 0; failed != (r.document.Error != nil) {
		b.t.Errorf("exit %d with the error %+v\n%s", r.exit, r.document.Error, r.stderr)
	}
	return r
}

// must runs a command that has to go well.
func (b *box) must(args ...string) ran {
	b.t.Helper()
	r := b.run(args...)
	if r.exit != 0 {
		b.t.Fatalf("rolecall %s: exit %d\n%s\n%s", strings.Join(args, " "), r.exit, r.stdout, r.stderr)
	}
	return r
}

// iam reaches the account past the program.
func (b *box) iam() *iam.Client {
	target := b.aws.Target()
	return iam.New(iam.Options{Region: target.Region, BaseEndpoint: &target.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(target.AccessKeyID, target.SecretAccessKey, "")})
}

func connecting(more ...string) []string {
	return append([]string{"connect", "--yes", "--aws-account", "123456789012", "--wait", "5m"}, more...)
}

// deed is one command with what has to be there before.
type deed struct {
	name   string
	before func(*box)
	args   func(*box) []string
}

func deeds() []deed {
	spotDirect := connecting("--vendor", "spot", "--account", "act-12ab12ab", "--method", "direct")
	user := connecting("--vendor", "sprinters", "--method", "direct", "--access", "user", "--secret-file", "key.json")
	automatic := connecting("--vendor", "spot", "--account", "act-12ab12ab", "--method", "automatic", "--acknowledge-iam-capabilities")
	nothing := func(*box) {}
	always := func(args ...string) func(*box) []string { return func(*box) []string { return args } }
	connected := func(b *box) { b.must(spotDirect...) }
	return []deed{
		{"connect direct", nothing, always(spotDirect...)},
		{"connect direct again", connected, always(spotDirect...)},
		{"connect automatic", nothing, always(automatic...)},
		{"connect direct user", nothing, always(user...)},
		{"connect manual", connected, always(connecting("--vendor", "spot", "--account", "act-12ab12ab", "--method", "manual")...)},
		// Nobody makes the key that it waits for, so that this ends with exit 8.
		{
			"connect manual user",
			func(b *box) { b.must(user...) },
			always(
				"connect",
				"--yes",
				"--aws-account",
				"123456789012",
				"--wait",
				"1m",
				"--vendor",
				"sprinters",
				"--method",
				"manual",
				"--access",
				"user",
			),
		},
		{"verify", connected, always("verify")},
		{"verify user", func(b *box) { b.must(user...) }, always("verify", "--user", "Sprinters-User")},
		{"update", func(b *box) { connected(b); b.weaken() }, always("update", "--yes")},
		{"disconnect", connected, always("disconnect", "--yes")},
		{"disconnect stack", func(b *box) { b.must(automatic...) }, always("disconnect", "--yes")},
		{"disconnect user", func(b *box) { b.must(user...) }, always("disconnect", "--yes")},
		{"doctor", nothing, always("doctor")},
		{"resume", (*box).halfWay, func(b *box) []string { return []string{"resume", "--yes", "--wait", "5m"} }},
	}
}

// weaken takes something out of the vendor's policy, for update to put back.
func (b *box) weaken() {
	b.t.Helper()
	small := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}]}`
	_, err := b.iam().CreatePolicyVersion(b.t.Context(), &iam.CreatePolicyVersionInput{
		PolicyArn: awssdk.String("arn:aws:iam::123456789012:policy/Spot-Policy"), PolicyDocument: &small, SetAsDefault: true})
	if err != nil {
		b.t.Fatal(err)
	}
}

// halfWay leaves a session that made its policy and not its role.
func (b *box) halfWay() {
	b.t.Helper()
	b.aws.Deny("iam:CreateRole", "iam:SimulatePrincipalPolicy")
	if r := b.run(connecting("--vendor", "spot", "--account", "act-12ab12ab", "--method", "direct")...); r.exit != 4 {
		b.t.Fatalf("exit %d\n%s", r.exit, r.stderr)
	}
	b.aws.ClearFaults()
}

// TestAMissingPermissionIsTheCallersTrouble takes away, one by one, each
// permission that a command uses: whatever it is for, the exit is 4 and the
// document names it, or the command does without. It is never taken for
// something that is wrong, or not there yet.
func TestAMissingPermissionIsTheCallersTrouble(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("many runs of the program")
	}
	for _, d := range deeds() {
		t.Run(strings.ReplaceAll(d.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			actions, allowed := actionsOf(t, d)
			for _, action := range actions {
				t.Run(action, func(t *testing.T) {
					t.Parallel()
					b := newBox(t)
					d.before(b)
					b.aws.Deny(action, "iam:SimulatePrincipalPolicy")
					r := b.run(d.args(b)...)
					switch e := r.document.Error; {
					case r.exit == allowed.exit && r.what() == allowed.what():
						t.Logf("does without %s", action)
					case r.exit != 4:
						t.Errorf("exit %d: %+v\n%s", r.exit, e, r.stderr)
					case e == nil || !strings.Contains(e.What, action) || e.Action != action:
						t.Errorf("the document does not name it: %+v", e)
					case e.Said == "" || e.RequestID == "" || e.Principal == "":
						t.Errorf("AWS's own words are missing: %+v", e)
					}
				})
			}
		})
	}
}

// actionsOf are what a command asks of AWS where nothing is refused but the
// simulator, and how it ends then.
func actionsOf(t *testing.T, d deed) (actions []string, allowed ran) {
	t.Helper()
	b := newBox(t)
	d.before(b)
	before := len(b.aws.Calls())
	b.aws.Deny("iam:SimulatePrincipalPolicy")
	allowed = b.run(d.args(b)...)
	if allowed.exit != 0 && allowed.exit != 8 {
		t.Fatalf("exit %d with every permission", allowed.exit)
	}
	for _, call := range b.aws.Calls()[before:] {
		if call.Action != "iam:SimulatePrincipalPolicy" && !slices.Contains(actions, call.Action) {
			actions = append(actions, call.Action)
		}
	}
	slices.Sort(actions)
	return actions, allowed
}
