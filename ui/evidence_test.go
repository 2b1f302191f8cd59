package ui_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	awsrehearsal "rolecall/aws/rehearsal"
	"rolecall/policy"
	spotrehearsal "rolecall/steps/spot/rehearsal"
	"rolecall/ui"
	"rolecall/ui/cli"
)

// kept is a state folder with five sessions, and the account in which they made
// things beside those of others: what damaged files must never cost anybody.
type kept struct {
	t       *testing.T
	aws     *awsrehearsal.Server
	environ []string
	folder  string            // $XDG_STATE_HOME/rolecall
	files   map[string][]byte // by the path in the folder, as they are when nothing is damaged
	account awsrehearsal.Snapshot
	ids     map[string]string   // of the sessions: direct, other, user, stack, half
	owned   map[string][]string // what each made, as lines of Snapshot.Things
}

const keptAccount = "123456789012"

func newKept(t *testing.T) *kept {
	t.Helper()
	k := &kept{t: t, aws: awsrehearsal.New(awsrehearsal.Options{Propagation: -1}), ids: map[string]string{}, owned: map[string][]string{}}
	var accounts []spotrehearsal.Account
	for _, id := range []string{"act-11111111", "act-22222222", "act-33333333", "act-44444444"} {
		accounts = append(accounts, spotrehearsal.Account{ID: id, Name: id, OrganizationID: "606060606060"})
	}
	spot := spotrehearsal.New(spotrehearsal.Options{Token: theToken, Assume: k.aws.AssumeRole, Accounts: accounts})
	if err := errors.Join(k.aws.Start(), spot.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(k.aws.Close(), spot.Close()) })
	home, target := t.TempDir(), k.aws.Target()
	for name, value := range map[string]string{
		"HOME": home, "XDG_STATE_HOME": filepath.Join(home, "state"), "XDG_CONFIG_HOME": filepath.Join(home, "config"),
		"AWS_ENDPOINT_URL": target.Endpoint, "AWS_ACCESS_KEY_ID": target.AccessKeyID, "AWS_SECRET_ACCESS_KEY": target.SecretAccessKey,
		"AWS_REGION": target.Region, "AWS_EC2_METADATA_DISABLED": "true", "ROLECALL_SPOT_URL": spot.URL(), "SPOTINST_TOKEN": theToken,
		"NO_PROXY":    "*",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": filepath.Join(home, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, "none"),
	} {
		t.Setenv(name, value) // the SDK reads it by itself
		k.environ = append(k.environ, name+"="+value)
	}
	k.folder = filepath.Join(home, "state", "rolecall")
	k.connectAll(filepath.Join(home, "key.json"))
	return k
}

// connectAll makes the five sessions, the oldest first, beside things of others.
func (k *kept) connectAll(secret string) {
	k.t.Helper()
	k.do("iam:CreateRole", "RoleName", "Theirs", "AssumeRolePolicyDocument", policy.NewTrust("aws", []string{"444455556666"}, "").Pretty())
	k.do("iam:CreatePolicy", "PolicyName", "Theirs", "PolicyDocument", lessPolicy)
	k.do("iam:AttachRolePolicy", "RoleName", "Theirs", "PolicyArn", "arn:aws:iam::123456789012:policy/Theirs")
	spot := []string{"connect", "--vendor", "spot", "--yes", "--json", "--aws-account", keptAccount, "--wait", "30s"}
	k.connect("user", "connect", "--vendor", "sprinters", "--access", "user", "--method", "direct", "--yes", "--json",
		"--aws-account", keptAccount,
		"--user-name", "runner", "--secret-file", secret, "--wait", "30s")
	k.connect("stack", append(spot, "--method", "automatic", "--acknowledge-iam-capabilities", "--account", "act-11111111",
		"--role-name", "Stack-Role",
		"--policy-name", "Stack-Policy", "--stack-name", "spot-stack")...)
	k.connect("other", append(spot, "--method", "direct", "--account", "act-22222222", "--role-name", "Other-Role", "--policy-name",
		"Other-Policy")...)
	k.connect("direct", append(spot, "--method", "direct", "--account", "act-33333333")...)
	// Somebody narrows a policy: there is something to update.
	k.do("iam:CreatePolicyVersion", "PolicyArn", "arn:aws:iam::123456789012:policy/Other-Policy", "PolicyDocument", lessPolicy,
		"SetAsDefault", "true")
	if code, out, talk := k.run("connect", "--vendor", "spot", "--yes", "--json", "--method", "manual", "--aws-account",
		keptAccount, "--account", "act-44444444",
		"--role-name", "Half-Role", "--wait", "2s"); code != 8 {
		k.t.Fatalf("exit %d: %s %s", code, out, talk)
	}
	k.ids["half"] = k.newest()
	k.account, k.files = k.aws.Snapshot(), map[string][]byte{}
	err := filepath.WalkDir(k.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(k.folder, path)
		if err == nil {
			k.files[name], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil || len(k.ids) != 5 {
		k.t.Fatalf("%v %v", k.ids, err)
	}
}

const lessPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:DescribeRegions","Resource":"*"}]}`

func (k *kept) do(action string, params ...string) {
	k.t.Helper()
	all := map[string]string{}
	for i := 0; i < len(params); i += 2 {
		all[params[i]] = params[i+1]
	}
	if err := k.aws.Do(action, all); err != nil {
		k.t.Fatal(err)
	}
}

// connect makes a session and remembers what it made.
func (k *kept) connect(name string, args ...string) {
	k.t.Helper()
	before := k.aws.Snapshot().Things()
	if code, out, talk := k.run(args...); code != 0 {
		k.t.Fatalf("connect %s: exit %d: %s %s", name, code, out, talk)
	}
	k.ids[name] = k.newest()
	k.owned[name] = without(k.aws.Snapshot().Things(), before)
	if len(k.owned[name]) == 0 {
		k.t.Fatalf("%s made nothing", name)
	}
}

func (k *kept) newest() string {
	entries, err := os.ReadDir(filepath.Join(k.folder, "sessions"))
	if err != nil {
		k.t.Fatal(err)
	}
	return entries[len(entries)-1].Name()
}

func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(others, one) })
}

func (k *kept) run(args ...string) (code int, out, talk string) {
	var stdout, stderr bytes.Buffer
	code = ui.Main(context.Background(), args, cli.Env{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Environ: k.environ, Now: time.Now})
	return code, stdout.String(), stderr.String()
}

// restore puts files and account back.
func (k *kept) restore() {
	k.t.Helper()
	k.aws.Restore(k.account)
	var gone []string
	err := filepath.WalkDir(k.folder, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(k.folder, path)
		_, ours := k.files[name]
		folder := slices.ContainsFunc(slices.Collect(maps.Keys(k.files)), func(one string) bool { return strings.HasPrefix(one, name+"/") })
		if ours && !entry.Type().IsRegular() || !ours && !folder && name != "." {
			gone = append(gone, path)
		}
		return err
	})
	for _, path := range gone {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if err != nil {
		k.t.Fatal(err)
	}
	for name, text := range k.files {
		path := filepath.Join(k.folder, name)
		if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, text) {
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.RemoveAll(path), os.WriteFile(path, text, 0o600)); err != nil {
			k.t.Fatal(err)
		}
	}
}

// damages are what can happen to a file.
var damages = []string{"truncate", "flip", "empty", "remove", "folder", "chmod", "link", "another"}

// damage does it to a file, and tells whether it says something else now.
func (k *kept) damage(random *rand.Rand, name, how string) bool {
	k.t.Helper()
	path, text := filepath.Join(k.folder, name), bytes.Clone(k.files[name])
	if len(text) == 0 {
		text = []byte(" ") // of a lock
	}
	var err error
	switch how {
	case "truncate":
		text = text[:random.IntN(len(text))]
		err = os.WriteFile(path, text, 0o600)
	case "flip":
		text[random.IntN(len(text))] ^= 1 << random.IntN(8)
		err = os.WriteFile(path, text, 0o600)
	case "empty":
		text = nil
		err = os.WriteFile(path, nil, 0o600)
	case "another": // a file of another session in its place
		text = k.files[strings.ReplaceAll(name, sessionOf(name), k.ids["user"])]
		err = os.WriteFile(path, text, 0o600)
	case "chmod":
		err = os.Chmod(path, 0)
		if os.Geteuid() != 0 {
			text = nil
		}
	default:
		err = os.Remove(path)
		switch how {
		case "folder":
			err = errors.Join(err, os.Mkdir(path, 0o700))
		case "link":
			err = errors.Join(err, os.WriteFile(path+".away", text, 0o600), os.Symlink(path+".away", path))
		}
		text = nil
	}
	if err != nil {
		k.t.Fatal(err)
	}
	switch {
	case strings.HasSuffix(name, "lock"):
		return how == "folder" || how == "link" || how == "chmod" && os.Geteuid() != 0
	case strings.HasSuffix(name, ".md"):
		return how == "folder" // it is written anew, for people
	case strings.HasSuffix(name, ".jsonl"):
		return !saysTheSameLines(k.files[name], text)
	case strings.HasSuffix(name, ".json"):
		return !saysTheSame(k.files[name], text)
	}
	return false // what is for people alone
}

func saysTheSame(a, b []byte) bool {
	var left, right any
	return json.Unmarshal(a, &left) == nil && json.Unmarshal(b, &right) == nil && reflect.DeepEqual(left, right)
}

// saysTheSameLines tells whether a journal is whole, or only its last line torn.
func saysTheSameLines(a, b []byte) bool {
	if len(b) > 0 && bytes.HasPrefix(a, b) {
		return true
	}
	left, right := bytes.SplitAfter(a, []byte("\n")), bytes.SplitAfter(b, []byte("\n"))
	return len(left) == len(right) && slices.EqualFunc(left, right, func(x, y []byte) bool { return bytes.Equal(x, y) || saysTheSame(x, y) })
}

// sessionOf is the session that a file is about.
func sessionOf(name string) string {
	parts := strings.Split(name, "/")
	if parts[0] == "sessions" {
		return parts[1]
	}
	id, _, _ := strings.Cut(parts[len(parts)-1], ".")
	return id
}

// keptCommand is a command, what it may take away or change, and which files it
// goes by: what it does when one of these is damaged is to stop and name it.
type keptCommand struct {
	name    string
	args    []string
	target  string // whose things it may touch: one of kept.ids, or empty
	goesBy  func(file string) bool
	exit    int  // when nothing is damaged
	tells   bool // of what is damaged, and does its work all the same
	removes bool // the session's files
}

func (k *kept) commands() []keptCommand {
	of := func(who string, files ...string) func(string) bool {
		return func(file string) bool {
			return sessionOf(file) == k.ids[who] && slices.ContainsFunc(files, func(one string) bool { return strings.HasSuffix(file, one) })
		}
	}
	session := func(file string) bool { return strings.HasSuffix(file, "/session.json") }
	receipt := func(file string) bool {
		return strings.HasPrefix(file, "receipts/") && strings.HasSuffix(file, ".json")
	}
	either := func(all ...func(string) bool) func(string) bool {
		return func(file string) bool {
			return slices.ContainsFunc(all, func(one func(string) bool) bool { return one(file) })
		}
	}
	all := []keptCommand{
		{name: "disconnect", args: []string{"disconnect", "--yes", "--json"}, target: "direct", goesBy: either(receipt, of("direct",
			".json", ".jsonl", "lock", ".md"))},
		{name: "update", args: []string{"update", "--role", "Other-Role", "--yes", "--json"}, target: "other",
			goesBy: either(session, receipt, of("other", ".jsonl", "lock", ".md"))},
		{name: "resume", args: []string{"resume", "--yes", "--json", "--wait", "1ms"}, exit: 8, goesBy: either(session, of("half",
			".jsonl", "lock"))},
		{name: "sessions list", args: []string{"sessions", "list", "--json"}, tells: true, goesBy: either(session, receipt)},
	}
	for _, who := range []string{"direct", "other", "user", "stack"} {
		exit := map[string]int{"other": 3}[who]
		all = append(all, keptCommand{name: "disconnect " + who, args: []string{"disconnect", k.ids[who], "--yes", "--json"},
			target: who, exit: exit,
			goesBy: of(who, ".json", ".jsonl", "lock", ".md")},
			keptCommand{name: "sessions show " + who, args: []string{"sessions", "show", k.ids[who], "--json"}, goesBy: of(who, ".json", ".jsonl")},
			keptCommand{name: "sessions remove " + who, args: []string{"sessions", "remove", k.ids[who], "--json"}, removes: true,
				goesBy: func(file string) bool { return file == "sessions/"+k.ids[who]+"/lock" }})
	}
	return all
}

// TestDamagedFilesCostNobodyAnything damages one file of five sessions and runs
// one command, in many seeded ways: nothing of another session or of nobody's is
// removed or changed, what was sent is in a journal, the exit is one of the
// contract's, stdout is one JSON document, and what could not be read is named.
func TestDamagedFilesCostNobodyAnything(t *testing.T) {
	k := newKept(t)
	commands := k.commands()
	for _, c := range commands {
		k.restore()
		k.try(c, "", false)
	}
	names := make([]string, 0, len(k.files))
	for name := range k.files {
		names = append(names, name)
	}
	slices.Sort(names)
	cases := 100
	if os.Getenv("ROLECALL_TESTS") == "all" {
		cases = 500
	}
	refused, ran := 0, 0
	for i := range cases {
		random := rand.New(rand.NewPCG(20261121, uint64(i)))
		c, name, how := commands[random.IntN(len(commands))], names[random.IntN(len(names))], damages[random.IntN(len(damages))]
		for range random.IntN(2) * len(names) { // half of them are about a file that the command goes by
			if !c.goesBy(name) {
				name = names[random.IntN(len(names))]
			}
		}
		k.restore()
		damaged := k.damage(random, name, how)
		stopped := k.try(c, name, damaged)
		if stopped {
			refused++
		}
		ran++
		if t.Failed() {
			t.Fatalf("case %d: %s after %s of %s", i, c.name, how, name)
		}
	}
	t.Logf("%d cases, %d of them stopped and named the file", ran, refused)
}

// try runs a command and holds what it did to what it may do. It reports whether
// the command had to stop.
func (k *kept) try(c keptCommand, name string, damaged bool) (stopped bool) {
	k.t.Helper()
	before, sent, calls := k.account.Things(), k.sentLines(), len(k.aws.Calls())
	code, out, talk := k.run(c.args...)
	after := k.aws.Snapshot().Things()
	gone, come := without(before, after), without(after, before)
	stopped = damaged && c.goesBy(name) && !c.tells

	if !slices.Contains([]int{0, 1, 2, 3, 4, 5, 8, 130}, code) {
		k.t.Errorf("exit %d", code)
	}
	var document map[string]any
	decoder := json.NewDecoder(strings.NewReader(out))
	if err := decoder.Decode(&document); err != nil || decoder.More() {
		k.t.Errorf("stdout is not one JSON document: %v\n%s", err, out)
	}
	for _, thing := range gone {
		if c.target == "" || !slices.Contains(k.owned[c.target], thing) && c.name != "update" {
			k.t.Errorf("%q is gone, which is not of %q", thing, c.target)
		}
	}
	if len(come) > 0 && (c.name != "update" || !strings.Contains(strings.Join(come, " "), "Other-Policy")) && !k.deletedStack(come) {
		k.t.Errorf("%q came", come)
	}
	if path := filepath.Join(k.folder, name); damaged && c.goesBy(name) && !strings.Contains(out+talk, path) {
		k.t.Errorf("exit %d, and nothing names %s:\n%s%s", code, path, out, talk)
	}
	switch {
	case stopped && (code == 0 || len(gone)+len(come) > 0):
		k.t.Errorf("it went on, exit %d, and took away %q:\n%s%s", code, gone, out, talk)
	case !stopped && code != c.exit:
		k.t.Errorf("exit %d, want %d as without damage:\n%s%s", code, c.exit, out, talk)
	}
	writes := 0
	for _, call := range k.aws.Calls()[calls:] {
		if isWrite(call.Action) {
			writes++
		}
	}
	if lines := k.sentLines() - sent; writes > 0 && lines < writes {
		k.t.Errorf("%d requests changed something, and the journals tell of %d", writes, lines)
	}
	k.othersAreUntouched(c, name)
	return stopped
}

// deletedStack tells whether all that came is the tombstone of the stack.
func (k *kept) deletedStack(come []string) bool {
	return !slices.ContainsFunc(come, func(thing string) bool {
		return !strings.HasPrefix(thing, "stack ") || !strings.HasSuffix(thing, "DELETE_COMPLETE")
	})
}

func isWrite(action string) bool {
	_, short, _ := strings.Cut(action, ":")
	for _, verb := range []string{"Create", "Delete", "Put", "Attach", "Detach", "Update", "Tag", "Execute", "Set"} {
		if strings.HasPrefix(short, verb) {
			return true
		}
	}
	return false
}

// sentLines counts the requests that all journals tell of.
func (k *kept) sentLines() int {
	count := 0
	for _, pattern := range []string{"sessions/*/journal.jsonl", "receipts/*.journal.jsonl", "journal.jsonl"} {
		paths, err := filepath.Glob(filepath.Join(k.folder, pattern))
		if err != nil {
			k.t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				continue // damaged
			}
			for line := range bytes.Lines(text) {
				if bytes.HasSuffix(line, []byte("\n")) && bytes.Contains(line, []byte(`"state":"sent"`)) {
					count++
				}
			}
		}
	}
	return count
}

// othersAreUntouched wants every session and receipt of others as it was.
func (k *kept) othersAreUntouched(c keptCommand, damaged string) {
	mine := k.ids[c.target]
	if c.removes {
		mine = c.args[2]
	}
	if c.name == "resume" {
		mine = k.ids["half"]
	}
	for name, text := range k.files {
		if !strings.HasSuffix(name, ".json") || name == damaged || sessionOf(name) == mine {
			continue
		}
		if now, err := os.ReadFile(filepath.Join(k.folder, name)); err != nil || !bytes.Equal(now, text) {
			k.t.Errorf("%s was changed: %v", name, err)
		}
	}
	if c.removes && strings.HasPrefix(damaged, "receipts/") {
		return
	}
	if receipt := "receipts/" + mine + ".json"; c.removes && receipt != damaged {
		if now, err := os.ReadFile(filepath.Join(k.folder, receipt)); err != nil || !bytes.Equal(now, k.files[receipt]) {
			k.t.Errorf("the receipt of the removed session is gone: %v", err)
		}
	}
}
