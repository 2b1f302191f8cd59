package aws_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
)

// configuration is one pair of AWS files as people have them.
type configuration struct {
	config, credentials string
	profile             string
	environment         map[string]string
	wants               []string // parts of the refusal; none: it works
}

const keys = "aws_access_key_id = AKIAREHEARSALEXAMPLE\naws_secret_access_key = unused\n"

// configurations are from public reports and from what the AWS CLI was seen to
// take or to refuse (aws-cli 1.45). HOME stands for the test's own folder.
var configurations = map[string]configuration{
	"legacy retries": {config: "[default]\nretry_mode=legacy\nregion=us-east-1\n", credentials: "[default]\n" + keys},
	"unheard-of retries": {
		config:      "[default]\nretry_mode=bogus\nmax_attempts=many\ndefaults_mode=x\n",
		credentials: "[default]\n" + keys,
	},
	"legacy retries, variable": {
		credentials: "[default]\n" + keys,
		environment: map[string]string{"AWS_RETRY_MODE": "legacy", "AWS_MAX_ATTEMPTS": "x"},
	},
	"quoted name":                 {config: "[profile \"my team\"]\nregion=us-east-1\n" + keys, profile: "my team"},
	"name in single quotes":       {config: "[profile 'my team']\n" + keys, profile: "my team"},
	"name with blanks, no quotes": {config: "[profile my team]\n" + keys, profile: "my team"},
	"quoted, asked with quotes":   {config: "[profile \"my team\"]\n" + keys, profile: `"my team"`},
	"quoted source": {
		config:  "[profile \"my team\"]\n" + keys + "[profile x]\nrole_arn=arn:aws:iam::123456789012:role/admin\nsource_profile=my team\n",
		profile: "x",
	},
	"tab and two blanks": {config: "[profile\tdev]\n" + keys + "[profile  other]\n" + keys, profile: "other"},
	"byte order mark":    {config: "\ufeff[default]\nregion=eu-west-1\n", credentials: "\ufeff[default]\n" + keys},
	"lines of Windows": {
		config:      "[profile dev]\r\nregion = eu-west-1\r\n",
		credentials: "[dev]\r\n" + strings.ReplaceAll(keys, "\n", "\r\n"),
		profile:     "dev",
	},
	"indented as a whole": {
		config: "[profile dev]\n  cli_pager =\n  region = eu-west-1\n  aws_access_key_id = AKIAREHEARSALEXAMPLE\n  aws_secret_access_key = " +
			"unused\n",
		profile: "dev",
	},
	"comments behind values": {config: "[profile dev] # mine\nregion = eu-west-1 # Ireland\n" + keys, profile: "dev"},
	"keys in capitals": {
		config:  "[profile dev]\nAWS_ACCESS_KEY_ID=AKIAREHEARSALEXAMPLE\nAws_Secret_Access_Key=unused\n",
		profile: "dev",
	},
	"long command":           {config: "[profile dev]\ncredential_process = cat\n   HOME/keys.json\n", profile: "dev"},
	"default as a profile":   {config: "[profile default]\n" + keys},
	"home in the path":       {config: "[default]\n" + keys, environment: map[string]string{"AWS_CONFIG_FILE": "~/.aws/config"}},
	"variable in the path":   {config: "[default]\n" + keys, environment: map[string]string{"AWS_CONFIG_FILE": "${HOME}/.aws/config"}},
	"older default variable": {config: "[profile dev]\n" + keys, environment: map[string]string{"AWS_DEFAULT_PROFILE": "dev"}},
	"role with its own keys": {
		config:  "[profile dev]\nrole_arn=arn:aws:iam::123456789012:role/admin\nsource_profile=dev\n" + keys,
		profile: "dev",
	},
	"role of the environment": {
		config:      "[profile dev]\nrole_arn=arn:aws:iam::123456789012:role/admin\ncredential_source=Environment\n",
		profile:     "dev",
		environment: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAREHEARSALEXAMPLE", "AWS_SECRET_ACCESS_KEY": "unused"},
	},
	"role of a role": {config: "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/admin\nsource_profile=b\n" +
		"[profile b]\nrole_arn=arn:aws:iam::123456789012:role/admin\nsource_profile=c\n", credentials: "[c]\n" + keys, profile: "a"},
	"broken profile beside": {config: "[profile broken]\nsso_session=nope\n[profile dev]\n" + keys, profile: "dev"},
	"environment before files": {config: "[default]\nrole_arn=arn:aws:iam::123456789012:role/x\n",
		environment: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAREHEARSALEXAMPLE", "AWS_SECRET_ACCESS_KEY": "unused"}},

	"no such profile": {profile: "nobody", wants: []string{"There is no AWS profile of that name: nobody"}},
	"no such profile, variable": {
		environment: map[string]string{"AWS_PROFILE": "nobody"},
		wants:       []string{"There is no AWS profile of that name: nobody"},
	},
	"the word profile is missing": {config: "[dev]\n" + keys, profile: "dev", wants: []string{"[dev] of HOME/.aws/config", "[profile dev]"}},
	"the word profile too much": {
		credentials: "[profile dev]\n" + keys,
		profile:     "dev",
		wants:       []string{"[profile dev] of HOME/.aws/credentials", "[dev]"},
	},
	"circle of two": {config: "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\nsource_profile=b\n" +
		"[profile b]\nrole_arn=arn:aws:iam::123456789012:role/b\nsource_profile=a\n", profile: "a", wants: []string{"circle", "a → b → a",
		"[profile a]"}},
	"circle behind the first": {config: "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\nsource_profile=b\n" +
		"[profile b]\nrole_arn=arn:aws:iam::123456789012:role/b\nsource_profile=c\n" +
		"[profile c]\nrole_arn=arn:aws:iam::123456789012:role/c\nsource_profile=b\n", profile: "a", wants: []string{"circle", "b → c → b"}},
	"circle of one": {
		config:  "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\nsource_profile=a\n",
		profile: "a",
		wants:   []string{"circle", "a → a"},
	},
	"source does not exist": {config: "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\nsource_profile=gone\n", profile: "a",
		wants: []string{"source_profile in [profile a]", "gone", "HOME/.aws/config"}},
	"source is misnamed": {
		config:  "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\nsource_profile=b\n[b]\n" + keys,
		profile: "a",
		wants:   []string{"[profile b]"},
	},
	"source has nothing": {
		config:  "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\nsource_profile=b\n[profile b]\nregion=eu-west-1\n",
		profile: "a",
		wants:   []string{"names b, which has no credentials", "[profile b]"},
	},
	"source has half": {
		config: "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\nsource_profile=b\n[profile " +
			"b]\naws_access_key_id=AKIAREHEARSALEXAMPLE\n",
		profile: "a",
		wants:   []string{"[profile b] of HOME/.aws/config has half a key pair", "aws_secret_access_key"},
	},
	"role without a source": {config: "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\n", profile: "a",
		wants: []string{"[profile a] of HOME/.aws/config", "neither source_profile nor credential_source"}},
	"role with two sources": {
		config:  "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\nsource_profile=b\ncredential_source=Environment\n[profile b]\n" + keys,
		profile: "a",
		wants:   []string{"both source_profile and credential_source", "[profile a]"},
	},
	"unknown source": {config: "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\ncredential_source=Ec2\n", profile: "a",
		wants: []string{"credential_source in [profile a]", "Ec2InstanceMetadata"}},
	"empty environment": {config: "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\ncredential_source=Environment\n", profile: "a",
		wants: []string{"credential_source in [profile a]", "AWS_ACCESS_KEY_ID"}},
	"no container": {
		config:  "[profile a]\nrole_arn=arn:aws:iam::123456789012:role/a\ncredential_source=EcsContainer\n",
		profile: "a",
		wants:   []string{"EcsContainer", "AWS_CONTAINER_CREDENTIALS"},
	},
	"role that is none": {
		config:  "[profile a]\nrole_arn=admin\nsource_profile=b\n[profile b]\n" + keys,
		profile: "a",
		wants:   []string{"role_arn in [profile a]", "admin"},
	},
	"source without a role": {
		config:  "[profile a]\nsource_profile=b\n[profile b]\n" + keys,
		profile: "a",
		wants:   []string{"has source_profile and no role_arn", "[profile a]"},
	},
	"secret missing": {
		credentials: "[dev]\naws_access_key_id = AKIAREHEARSALEXAMPLE\n",
		profile:     "dev",
		wants:       []string{"[dev] of HOME/.aws/credentials", "no aws_secret_access_key"},
	},
	"ID missing": {
		config:  "[profile dev]\naws_secret_access_key = unused\n",
		profile: "dev",
		wants:   []string{"[profile dev] of HOME/.aws/config", "no aws_access_key_id"},
	},
	"secret empty": {
		credentials: "[default]\naws_access_key_id = AKIAREHEARSALEXAMPLE\naws_secret_access_key =\n",
		wants:       []string{"no aws_secret_access_key"},
	},
	"halves in two files": {
		config:      "[default]\naws_secret_access_key = unused\n",
		credentials: "[default]\naws_access_key_id = AKIAREHEARSALEXAMPLE\n",
		wants:       []string{"half a key pair", "one file"},
	},
	"half in the environment": {
		environment: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAREHEARSALEXAMPLE"},
		wants:       []string{"AWS_SECRET_ACCESS_KEY"},
	},
	"session not defined": {
		config:  "[profile s]\nsso_session=nope\nsso_account_id=123456789012\nsso_role_name=Admin\nregion=us-east-1\n",
		profile: "s",
		wants:   []string{"sso_session in [profile s]", "[sso-session nope]", "HOME/.aws/config"},
	},
	"SSO role missing": {
		config: "[profile s]\nsso_session=corp\nsso_account_id=123456789012\n[sso-session " +
			"corp]\nsso_region=eu-west-1\nsso_start_url=https://corp.awsapps.com/start\n",
		profile: "s",
		wants:   []string{"sso_role_name in [profile s]"},
	},
	"SSO region and URL missing": {
		config:  "[profile s]\nsso_session=corp\nsso_account_id=123456789012\nsso_role_name=Admin\n[sso-session corp]\n",
		profile: "s",
		wants:   []string{"sso_region in [sso-session corp]", "sso_start_url in [sso-session corp]"},
	},
	"SSO without a session": {
		config:  "[profile s]\nsso_start_url=https://corp.awsapps.com/start\nsso_account_id=123456789012\nsso_role_name=Admin\n",
		profile: "s",
		wants:   []string{"sso_region in [profile s]"},
	},
	"SSO of two minds": {config: "[profile s]\nsso_session=corp\nsso_region=us-east-1\nsso_account_id=123456789012\nsso_role_name=Admin\n" +
		"[sso-session corp]\nsso_region=eu-west-1\nsso_start_url=https://corp.awsapps.com/start\n", profile: "s", wants: []string{"sso_region " +
		"in [profile s]", "[sso-session corp]"}},
	"token file is gone": {config: "[profile w]\nrole_arn=arn:aws:iam::123456789012:role/a\nweb_identity_token_file=HOME/gone\n", profile: "w",
		wants: []string{"web_identity_token_file in [profile w]", "HOME/gone", "no such file"}},
	"token without a role": {
		config:  "[profile w]\nweb_identity_token_file=HOME/gone\n",
		profile: "w",
		wants:   []string{"no role_arn", "[profile w]"},
	},
	"token of the machine": {
		environment: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/a"},
		wants:       []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token"},
	},
	"token, no role": {
		environment: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token"},
		wants:       []string{"no AWS_ROLE_ARN"},
	},
	"certificates are gone": {
		config: "[default]\nca_bundle = /nonexistent/ca.pem\n" + keys,
		wants:  []string{"ca_bundle in [default]", "/nonexistent/ca.pem", "no such file"},
	},
	"certificates, variable": {
		credentials: "[default]\n" + keys,
		environment: map[string]string{"AWS_CA_BUNDLE": "/nonexistent/ca.pem"},
		wants:       []string{"AWS_CA_BUNDLE names /nonexistent/ca.pem"},
	},
	"no certificates": {
		config: "[default]\nca_bundle = HOME/.aws/config\n" + keys,
		wants:  []string{"ca_bundle in [default]", "no certificate"},
	},
	"FIPS with an endpoint": {
		config: "[default]\nuse_fips_endpoint = true\nendpoint_url = http://127.0.0.1:1\n" + keys,
		wants:  []string{"use_fips_endpoint in [default]", "does not go with AWS_ENDPOINT_URL"},
	},
	"FIPS, variable": {
		credentials: "[default]\n" + keys,
		environment: map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"},
		wants:       []string{"AWS_USE_FIPS_ENDPOINT does not go with AWS_ENDPOINT_URL"},
	},
	"dual-stack": {
		config: "[default]\nuse_dualstack_endpoint = true\n" + keys,
		wants:  []string{"use_dualstack_endpoint in [default]"},
	},
	"endpoint that is none": {
		credentials: "[default]\n" + keys,
		environment: map[string]string{"AWS_ENDPOINT_URL_IAM": "localhost:5000"},
		wants:       []string{"AWS_ENDPOINT_URL_IAM is no address", "localhost:5000"},
	},
	"region that is none": {
		config: "[default]\nregion = us-eats-1\n" + keys,
		wants:  []string{"region in [default] of HOME/.aws/config", "us-east-1"},
	},
	"line without a meaning": {
		config: "[default]\nregion = eu-west-1\nnonsense\noutput = json\n",
		wants:  []string{"Line 3 of the AWS file HOME/.aws/config"},
	},
	"section without its end": {
		credentials: "# mine\n\n[default\naws_access_key_id = x\n",
		wants:       []string{"Line 3 of the AWS file HOME/.aws/credentials"},
	},
	"setting before sections": {
		config: "# mine\nregion = eu-west-1\n[default]\n",
		wants:  []string{"Line 2 of the AWS file HOME/.aws/config", "before any section"},
	},
	"UTF-16": {config: "\xff\xfe[\x00d\x00", wants: []string{"HOME/.aws/config is not UTF-8"}},
}

func TestConfigurationsAsPeopleHaveThem(t *testing.T) {
	s, account := start(t, rehearsal.Options{Propagation: -1})
	_, err := account.CreateRole(t.Context(), aws.NewRole{Name: "admin", Trust: parse(t,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`, 1)})
	ok(t, err)
	for name, c := range configurations {
		t.Run(name, func(t *testing.T) {
			home := c.place(t, s)
			a, err := aws.Open(t.Context(), aws.Options{Profile: c.profile})
			if err == nil {
				_, err = a.Identity(t.Context())
			}
			c.judge(t, home, err)
			c.listed(t, err)
		})
	}
}

// place puts the files where the AWS CLI looks for them, in a home of the test.
func (c configuration) place(t *testing.T, s *rehearsal.Server) (home string) {
	t.Helper()
	home = environment(t, "", "")
	for name, text := range map[string]string{"config": c.config, "credentials": c.credentials} {
		ok(t, os.WriteFile(filepath.Join(home, ".aws", name), []byte(strings.ReplaceAll(text, "HOME", home)), 0o600))
	}
	ok(
		t,
		os.WriteFile(
			filepath.Join(home, "keys.json"),
			[]byte(`{"Version":1,"AccessKeyId":"AKIAREHEARSALEXAMPLE","SecretAccessKey":"unused"}`),
			0o600,
		),
	)
	t.Setenv("AWS_ENDPOINT_URL", s.Target().Endpoint)
	for name, value := range c.environment {
		t.Setenv(name, value)
	}
	return home
}

func (c configuration) judge(t *testing.T, home string, err error) {
	t.Helper()
	if len(c.wants) == 0 {
		ok(t, err)
		return
	}
	kindIs(t, err, aws.NotSignedIn) // exit 4
	e := aws.Explain(err)
	text := e.What + " " + e.Expected + " " + e.Next
	for _, part := range c.wants {
		if part = strings.ReplaceAll(part, "HOME", home); !strings.Contains(text, part) {
			t.Errorf("%q is not in: %s", part, text)
		}
	}
	if e.Next == "" || strings.Contains(text, "unexpected") || strings.Contains(text, "unused") {
		t.Errorf("no next step, no reason, or a secret: %s", text)
	}
}

// listed holds the list of profiles against what --profile did: what is listed
// can be opened or says why not, and what is not listed cannot be opened.
func (c configuration) listed(t *testing.T, opened error) {
	t.Helper()
	list, err := aws.Profiles(os.Getenv)
	if err != nil {
		if opened == nil {
			t.Errorf("the list fails, and the profile opens: %v", err)
		}
		return
	}
	if c.profile == "" {
		return
	}
	i := slices.IndexFunc(list, func(p aws.Profile) bool { return p.Name == strings.Trim(c.profile, `"`) })
	if i < 0 {
		if opened == nil {
			t.Error("the profile opens and is not listed")
		}
		return
	}
	if p := list[i]; (p.Problem == nil) != (opened == nil) {
		t.Errorf("listed with %v, opened with %v", p.Problem, opened)
	}
}

// TestFilesThatCannotBeRead are a folder in the place of a file, and one that
// another user owns.
func TestFilesThatCannotBeRead(t *testing.T) {
	s, _ := start(t, rehearsal.Options{})
	home := environment(t, "", "[dev]\n"+keys)
	t.Setenv("AWS_ENDPOINT_URL", s.Target().Endpoint)
	folder := filepath.Join(home, "folder")
	ok(t, os.Mkdir(folder, 0o700))
	t.Setenv("AWS_CONFIG_FILE", folder)
	must[aws.Identity](
		t,
	)(
		must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: "dev"})).Identity(t.Context()),
	) // as with the AWS CLI
	for _, profile := range []string{"other", ""} {
		a, err := aws.Open(t.Context(), aws.Options{Profile: profile})
		if err == nil {
			_, err = a.Identity(t.Context())
		}
		kindIs(t, err, aws.NotSignedIn)
		if !strings.Contains(err.Error(), folder) {
			t.Errorf("%v does not name the file", err)
		}
	}
	if _, err := aws.Profiles(os.Getenv); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("the list says %v", err)
	}
	if os.Geteuid() == 0 {
		t.Log("root reads every file: permissions are not tried")
		return
	}
	closed := filepath.Join(home, "closed")
	ok(t, os.WriteFile(closed, nil, 0))
	t.Setenv("AWS_CONFIG_FILE", closed)
	_, err := aws.Open(t.Context(), aws.Options{Profile: "other"})
	kindIs(t, err, aws.NotSignedIn)
	if !strings.Contains(err.Error(), "permission denied") {
		t.Error(err)
	}
}
