package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cliReads asks botocore, which reads the files for the AWS CLI, what it makes
// of each pair of files: null where it refuses them.
const cliReads = `
import json, sys
from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import ConfigParseError
answers = []
for config, credentials in json.load(sys.stdin):
    try:  # as botocore.session.Session.full_config
        full = load_config(config)
        for name, settings in raw_config_parse(credentials).items():
            full['profiles'].setdefault(name, {}).update(settings)
    except ConfigParseError:
        answers.append(None)
        continue
    flat = lambda m: {k: v for k, v in m.items() if isinstance(v, str)}
    answers.append({'profiles': {n: flat(p) for n, p in full['profiles'].items()},
                    'sso': {n: flat(p) for n, p in full['sso_sessions'].items()},
                    'services': full['services']})
json.dump(answers, sys.stdout)
`

type cliFiles struct {
	Profiles map[string]map[string]string
	SSO      map[string]map[string]string
	Services map[string]map[string]map[string]string
}

// TestFilesAreReadAsTheCLIReadsThem compares the reader with botocore's own on
// random files: whatever the AWS CLI takes means the same here.
func TestFilesAreReadAsTheCLIReadsThem(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("Python is not installed: nothing to compare with")
	}
	const files = 400
	random := rand.New(rand.NewPCG(9, 5))
	folder := t.TempDir()
	var pairs [][2]string
	for i := range files {
		pair := [2]string{filepath.Join(folder, fmt.Sprint(i, ".config")), filepath.Join(folder, fmt.Sprint(i, ".credentials"))}
		for j, path := range pair {
			if err := os.WriteFile(path, []byte(randomFile(random, j == 0)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		pairs = append(pairs, pair)
	}
	input, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(python, "-c", cliReads)
	command.Stdin = strings.NewReader(string(input))
	output, err := command.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) && strings.Contains(string(failed.Stderr), "No module named") {
		t.Skip("botocore is not installed: nothing to compare with")
	} else if err != nil {
		t.Fatal(err)
	}
	var answers []*cliFiles
	if err := json.Unmarshal(output, &answers); err != nil {
		t.Fatal(err)
	}
	taken, profiles := 0, 0
	for i, want := range answers {
		if want == nil {
			continue
		}
		taken++
		profiles += len(want.Profiles)
		sameFiles(t, pairs[i], want)
	}
	if taken < files/3 {
		t.Errorf("the CLI takes %d of %d random files: too few to mean anything", taken, files)
	}
	t.Logf("%d files of %d taken by the CLI, %d profiles compared", taken, files, profiles)
}

func sameFiles(t *testing.T, pair [2]string, want *cliFiles) {
	t.Helper()
	got, err := readAWSFiles(func(name string) string {
		return map[string]string{"AWS_CONFIG_FILE": pair[0], "AWS_SHARED_CREDENTIALS_FILE": pair[1]}[name]
	})
	if err != nil {
		t.Errorf("%v\n%s", err, bothFiles(pair))
		return
	}
	for name, settings := range want.Profiles {
		p, ok := got.find(name)
		if !ok {
			t.Errorf("the profile %q is missing\n%s", name, bothFiles(pair))
		}
		for key, value := range settings {
			if p.get(key) != strings.Join(strings.Fields(value), " ") {
				t.Errorf("%s of %q is %q, and %q to the CLI\n%s", key, name, p.get(key), value, bothFiles(pair))
			}
		}
	}
	for name, settings := range want.SSO {
		for key, value := range settings {
			if got.ssoSessions[name].values[key] != strings.Join(strings.Fields(value), " ") {
				t.Errorf("%s of sso-session %q is %q, and %q to the CLI\n%s", key, name, got.ssoSessions[name].values[key], value, bothFiles(pair))
			}
		}
	}
	for name, settings := range want.Services {
		for service, below := range settings {
			for key, value := range below {
				if got.services[name].nested[service][key] != value {
					t.Errorf(
						"%s of %s of services %q is %q, and %q to the CLI\n%s",
						key,
						service,
						name,
						got.services[name].nested[service][key],
						value,
						bothFiles(pair),
					)
				}
			}
		}
	}
}

func bothFiles(pair [2]string) string {
	config, _ := os.ReadFile(pair[0])
	credentials, _ := os.ReadFile(pair[1])
	return fmt.Sprintf("--- config\n%q\n--- credentials\n%q", config, credentials)
}

// randomFile is a file as people write them, and sometimes as nobody should.
func randomFile(random *rand.Rand, isConfig bool) string {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	var b strings.Builder
	end := pick("\n", "\n", "\n", "\r\n")
	comment := func() {
		if random.IntN(4) == 0 {
			b.WriteString(pick("# a comment", "; another", "  # an indented one", "", "   ", "#key = value") + end)
		}
	}
	used := map[string]bool{}
	for range random.IntN(5) {
		comment()
		name := pick("dev", `"dev two"`, "'dev three'", "a.b", "dev-x", "my@team", `"two  blanks"`, "default")
		var title string
		switch {
		case isConfig && name != "default":
			title = pick("profile ", "profile  ", "profile\t", "profile ") + name
		case isConfig:
			title = pick("default", "profile default")
		default:
			title = strings.Trim(name, `"'`)
		}
		if used[strings.Trim(name, `"'`)] && random.IntN(10) > 0 {
			continue
		}
		used[strings.Trim(name, `"'`)] = true
		b.WriteString("[" + title + pick("]", "]", "]", "] # comment", "]   ") + end)
		randomSettings(random, &b, pick("", "", "", "  ", "\t"), end, comment)
	}
	if isConfig && random.IntN(2) == 0 {
		b.WriteString("[sso-session corp]" + end + "sso_region = eu-west-1" + end + "sso_start_url=https://corp.awsapps.com/start#/" + end)
	}
	if isConfig && random.IntN(2) == 0 {
		b.WriteString(
			"[services box]" + end + "iam =" + end + "  endpoint_url = http://127.0.0.1:5000" + end + "s3 = " + end +
				"    endpoint_url=http://127.0.0.1:5001" + end,
		)
	}
	if random.IntN(12) == 0 {
		b.WriteString(pick("nonsense", "[open", "= value", "  half") + end)
	}
	return b.String()
}

func randomSettings(random *rand.Rand, b *strings.Builder, indent, end string, comment func()) {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	keys := []string{
		"region",
		"role_arn",
		"source_profile",
		"sso_session",
		"retry_mode",
		"output",
		"aws_access_key_id",
		"credential_process",
		"s3",
		"cli_pager",
	}
	random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys[:random.IntN(len(keys))] {
		comment()
		set := pick(" = ", "=", " =", "= ", ": ", " : ")
		written := pick(key, key, key, strings.ToUpper(key))
		value := map[string]string{
			"region": "eu-west-1", "role_arn": "arn:aws:iam::111122223333:role/x", "source_profile": pick("default", "dev", "dev two"),
			"sso_session": "corp",
			"retry_mode":  "legacy", "output": "json", "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
			"credential_process": pick(`"/opt/my tool" --flag=a#b "c d"`, "tool --x", `"/opt/x" "y"`, "tool ; true", "tool %(x)s # not a comment"),
			"s3":                 "", "cli_pager": "",
		}[key]
		b.WriteString(indent + written + set + value + end)
		switch {
		case key == "s3":
			b.WriteString(indent + "  max_concurrent_requests = 20" + end)
		case key == "credential_process" && random.IntN(2) == 0:
			b.WriteString(indent + pick("  --more", "\t--flag=x", "      more words") + end)
		}
	}
}

// FuzzFiles reads whatever somebody keeps in ~/.aws: it is profiles or a refusal
// that can be drawn, never a crash.
func FuzzFiles(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add(randomFile(random, true), randomFile(random, false))
	}
	f.Add("[profile a]\nrole_arn=x\nsource_profile=a\n", "[a\x00]\n=\n-=1\n\"x=1\n`=\n")
	f.Fuzz(func(t *testing.T, config, credentials string) {
		folder := t.TempDir()
		for name, text := range map[string]string{"config": config, "credentials": credentials} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		getenv := func(name string) string {
			return map[string]string{"AWS_CONFIG_FILE": filepath.Join(folder, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(folder, "credentials")}[name]
		}
		profiles, err := Profiles(getenv)
		drawn := []error{err}
		for _, p := range profiles {
			drawn = append(drawn, p.Problem)
			if _, err := loadSettings(p.Name, getenv); err != nil && p.Name != "" && Explain(err).What == "" {
				t.Errorf("%q is listed and refused without a word", p.Name)
			}
		}
		for _, err := range drawn {
			if e := Explain(err); e != nil && (e.Kind != NotSignedIn || e.What != cleanText(e.What) || e.Next == "") {
				t.Errorf("%+v", e)
			}
		}
	})
}
