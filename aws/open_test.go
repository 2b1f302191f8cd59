package aws_test

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
)

// environment gives a test an AWS environment of its own: no variable of the
// machine, files in a folder of the test, no instance metadata.
func environment(t *testing.T, config, credentials string) (home string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			ok(t, os.Unsetenv(name))
		}
	}
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	ok(t, os.Mkdir(filepath.Join(home, ".aws"), 0o700))
	ok(t, os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(config), 0o600))
	ok(t, os.WriteFile(filepath.Join(home, ".aws", "credentials"), []byte(credentials), 0o600))
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, ".aws", "config")) // the SDK looks at HOME only once
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, ".aws", "credentials"))
	return home
}

const rehearsalKeys = "aws_access_key_id = AKIAREHEARSALEXAMPLE\naws_secret_access_key = unused\n"

func TestOpenTakesTheEndpointOfTheEnvironment(t *testing.T) {
	s, _ := start(t, rehearsal.Options{Alias: "acme"})
	environment(t, "", "[default]\n"+rehearsalKeys)
	t.Setenv("AWS_ENDPOINT_URL", s.Target().Endpoint)
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{UserAgent: "rolecall/test"}))
	if a.Endpoint() != s.Target().Endpoint || a.Region() != "us-east-1" {
		t.Errorf("endpoint %q, region %q", a.Endpoint(), a.Region())
	}
	if len(s.Calls()) != 0 {
		t.Error("Open sent something")
	}
	if alias := must[string](t)(a.Alias(t.Context())); alias != "acme" {
		t.Errorf("alias %q", alias)
	}
}

func TestOpenTakesTheEndpointOfAProfile(t *testing.T) {
	s, _ := start(t, rehearsal.Options{Partition: "aws-cn"})
	environment(t, "[profile box]\nregion = cn-northwest-1\nendpoint_url = "+s.Target().Endpoint+"\n", "[box]\n"+rehearsalKeys)
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: "box"}))
	if a.Endpoint() != s.Target().Endpoint || a.Region() != "cn-northwest-1" || a.Profile() != "box" {
		t.Errorf("endpoint %q, region %q", a.Endpoint(), a.Region())
	}
	if id := must[aws.Identity](t)(a.Identity(t.Context())); id.Partition != "aws-cn" {
		t.Errorf("identity %+v", id)
	}
}

func TestOpenWithoutAnEndpointMeansAWS(t *testing.T) {
	environment(t, "", "[default]\n"+rehearsalKeys)
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Partition: "aws-us-gov"}))
	if a.Endpoint() != "" || a.Region() != "us-gov-west-1" {
		t.Errorf("endpoint %q, region %q", a.Endpoint(), a.Region())
	}
}

func TestOpenRefusesUnknownRegions(t *testing.T) {
	environment(t, "[default]\nregion = mars-1\n", "")
	for _, o := range []aws.Options{{Region: "us-eats-1"}, {Region: "aws-cn-global"}} {
		_, err := aws.Open(t.Context(), o)
		kindIs(t, err, aws.Malformed)
	}
	_, err := aws.Open(t.Context(), aws.Options{})
	kindIs(t, err, aws.NotSignedIn)
	if !strings.Contains(err.Error(), "region in [default] of ") {
		t.Errorf("%v does not name the setting", err)
	}
}

func TestCredentialProcess(t *testing.T) {
	s, _ := start(t, rehearsal.Options{})
	home := environment(t, "[profile box]\ncredential_process = cat ${HOME}/keys.json\n[profile broken]\ncredential_process = false\n", "")
	ok(
		t,
		os.WriteFile(
			filepath.Join(home, "keys.json"),
			[]byte(`{"Version":1,"AccessKeyId":"AKIAREHEARSALEXAMPLE","SecretAccessKey":"unused"}`),
			0o600,
		),
	)
	t.Setenv("AWS_ENDPOINT_URL", s.Target().Endpoint)
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: "box"}))
	must[aws.Identity](t)(a.Identity(t.Context()))
	a = must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: "broken"}))
	_, err := a.Identity(t.Context())
	kindIs(t, err, aws.NotSignedIn)
	if !strings.Contains(err.Error(), "credential_process") {
		t.Error(err)
	}
}

func TestMFACodeIsAsked(t *testing.T) {
	s, a := start(t, rehearsal.Options{Propagation: -1})
	_, err := a.CreateRole(t.Context(), aws.NewRole{Name: "admin", Trust: parse(t,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`, 1)})
	ok(t, err)
	environment(
		t,
		"[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = box\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n",
		"[box]\n"+rehearsalKeys,
	)
	t.Setenv("AWS_ENDPOINT_URL", s.Target().Endpoint)
	var asked string
	admin := must[*aws.Account](
		t,
	)(
		aws.Open(t.Context(), aws.Options{Profile: "admin", MFACode: func(_ context.Context, serial string) (string, error) {
			asked = serial
			return "123456", nil
		}}),
	)
	id := must[aws.Identity](t)(admin.Identity(t.Context()))
	if asked != "arn:aws:iam::123456789012:mfa/me" || id.Kind != aws.IsAssumedRole || id.Name != "admin" {
		t.Errorf("asked for %q, identity %+v", asked, id)
	}
	_, err = aws.Open(t.Context(), aws.Options{Profile: "admin"})
	kindIs(t, err, aws.NeedsMFA)
	silent := must[*aws.Account](
		t,
	)(
		aws.Open(t.Context(), aws.Options{Profile: "admin", MFACode: func(context.Context, string) (string, error) {
			return "", errors.New("no terminal")
		}}),
	)
	_, err = silent.Identity(t.Context())
	kindIs(t, err, aws.NeedsMFA)
}

func TestSSOSessionThatRanOut(t *testing.T) {
	environment(t, "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\n"+
		"[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n", "")
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: "dev"}))
	_, err := a.Identity(t.Context())
	kindIs(t, err, aws.Expired)
	for _, part := range []string{"`aws sso login --profile dev`", "`aws sso login --profile dev --use-device-code`"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
}

// TestSSOSessionThatAWSEnded has a token that looks valid here, which the
// portal does not know any more.
func TestSSOSessionThatAWSEnded(t *testing.T) {
	for code, want := range map[string]aws.ErrorKind{"UnauthorizedException": aws.Expired, "ForbiddenException": aws.Denied} {
		portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Errortype", code)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"message":"Session token not found or invalid"}`))
		}))
		t.Cleanup(portal.Close)
		home := environment(t, "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\n"+
			"[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n", "")
		cache := filepath.Join(home, ".aws", "sso", "cache")
		ok(t, os.MkdirAll(cache, 0o700))
		ok(t, os.WriteFile(
			filepath.Join(cache, fmt.Sprintf("%x.json", sha1.Sum([]byte("corp")))),
			[]byte(
				`{"accessToken":"not-a-real-token","expiresAt":"2099-01-01T00:00:00Z","region":"eu-west-1","startUrl":"https://corp.awsapps.com/start"}`,
			),
			0o600,
		))
		t.Setenv("AWS_ENDPOINT_URL_SSO", portal.URL)
		a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: "dev"}))
		_, err := a.Identity(t.Context())
		kindIs(t, err, want)
		if strings.Contains(err.Error(), "not-a-real-token") {
			t.Errorf("the error holds the token: %v", err)
		}
		if want == aws.Expired && !strings.Contains(err.Error(), "`aws sso login --profile dev --use-device-code`") {
			t.Error(err)
		}
	}
}

func TestNobodyIsSignedIn(t *testing.T) {
	environment(t, "", "")
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{}))
	_, err := a.Identity(t.Context())
	kindIs(t, err, aws.NotSignedIn)
	_, err = aws.Open(t.Context(), aws.Options{Profile: "nobody"})
	kindIs(t, err, aws.NotSignedIn)
	if !strings.Contains(err.Error(), "no AWS profile of that name") {
		t.Error(err)
	}
}

// TestInstanceMetadataThatHangs has a metadata service that takes connections
// and never answers.
func TestInstanceMetadataThatHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer func() { _ = l.Close() }()
	environment(t, "", "")
	ok(t, os.Unsetenv("AWS_EC2_METADATA_DISABLED"))
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://"+l.Addr().String())
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{}))
	began := time.Now()
	_, err = a.Identity(t.Context())
	kindIs(t, err, aws.NotSignedIn)
	t.Logf("gave up after %v", time.Since(began))
}

func TestPinnedAccount(t *testing.T) {
	s, _ := start(t, rehearsal.Options{})
	a := open(t, s, aws.Options{PinAccount: stranger})
	_, err := a.Identity(t.Context())
	kindIs(t, err, aws.WrongAccount)
	if !strings.Contains(err.Error(), account) || !strings.Contains(aws.Explain(err).Expected, stranger) {
		t.Errorf("%v does not name both", err)
	}
	_, err = a.CreatePolicy(t.Context(), aws.NewPolicy{Name: "x", Document: somePolicy(t)})
	kindIs(t, err, aws.WrongAccount)
	for _, c := range s.Calls() {
		if strings.HasPrefix(c.Action, "iam:") {
			t.Errorf("%s was sent to another account than the pinned one", c.Action)
		}
	}
	if _, err := aws.Open(t.Context(), aws.Options{PinAccount: "1234"}); err == nil {
		t.Error("accepted a pin that is no account number")
	}
}

func TestRenewedCredentialsOfAnotherAccountAreRefused(t *testing.T) {
	here, _ := start(t, rehearsal.Options{})
	there, _ := start(t, rehearsal.Options{Account: stranger})
	environment(t, "", "[default]\n"+rehearsalKeys)
	t.Setenv("AWS_ENDPOINT_URL", here.Target().Endpoint)
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{}))
	must[string](t)(a.Alias(t.Context()))
	t.Setenv("AWS_ENDPOINT_URL", there.Target().Endpoint)
	ok(t, a.Renew(t.Context()))
	_, err := a.CreatePolicy(t.Context(), aws.NewPolicy{Name: "x", Document: somePolicy(t)})
	kindIs(t, err, aws.WrongAccount)
}

func TestRehearsalReachesNothingElse(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	s := rehearsal.New(rehearsal.Options{})
	ok(t, s.Start())
	t.Cleanup(func() { _ = s.Close() })
	environment(
		t,
		"[default]\nregion = eu-west-1\nendpoint_url = "+other.URL+"\n",
		"[default]\naws_access_key_id = AKIAREAL\naws_secret_access_key = real\n",
	)
	for _, v := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS", "HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(v, other.URL)
	}
	a := open(t, s, aws.Options{})
	must[aws.Identity](t)(a.Identity(t.Context()))
	must[string](t)(a.Alias(t.Context()))
	if reached || len(s.Calls()) != 2 {
		t.Errorf("reached the other server: %v; calls %v", reached, s.Calls())
	}
	for _, bad := range []string{"https://iam.amazonaws.com", "http://192.0.2.1:80", "http://localhost.example.com:80", "",
		"http://127.0.0.1.example.com"} {
		if _, err := aws.Open(t.Context(), aws.Options{Rehearsal: &aws.RehearsalTarget{Endpoint: bad}}); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

func TestOrganization(t *testing.T) {
	_, a := start(t, rehearsal.Options{})
	if o := must[aws.Organization](t)(a.Organization(t.Context())); o != (aws.Organization{}) {
		t.Errorf("organisation %+v", o)
	}
	s, a := start(t, rehearsal.Options{Organization: stranger})
	if o := must[aws.Organization](t)(a.Organization(t.Context())); o.ManagementAccountID != stranger || o.FeatureSet != "ALL" {
		t.Errorf("organisation %+v", o)
	}
	s.Deny("organizations:DescribeOrganization")
	_, err := a.Organization(t.Context())
	kindIs(t, err, aws.Denied)
}

func TestProfiles(t *testing.T) {
	home := environment(t, `# comment
[profile zeta]
region=eu-west-1
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Admin
s3 =
  region = nested
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start
[profile "with space"] ; comment
role_arn = arn:aws:iam::444455556666:role/x # why
source_profile = default
mfa_serial = arn:aws:iam::123456789012:mfa/me
[default]
region = us-east-1
[profile proc]
credential_process = /bin/secret --token hunter2
[profile login]
login_session = arn:aws:iam::123456789012:user/me
[profile bare]
output = json
[services x]
`, "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n[alpha]\n"+rehearsalKeys)
	getenv := func(name string) string { return map[string]string{"HOME": home}[name] }
	got := must[[]aws.Profile](t)(aws.Profiles(getenv))
	want := []aws.Profile{
		{Name: "default", Kind: aws.ProfileKeys, Region: "us-east-1"},
		{Name: "alpha", Kind: aws.ProfileKeys},
		{Name: "bare", Kind: aws.ProfileEmpty},
		{Name: "login", Kind: aws.ProfileLogin},
		{Name: "proc", Kind: aws.ProfileProcess},
		{Name: "with space", Kind: aws.ProfileRole, AccountID: stranger, RoleARN: "arn:aws:iam::444455556666:role/x",
			MFASerial: "arn:aws:iam::123456789012:mfa/me", SourceProfile: "default"},
		{Name: "zeta", Kind: aws.ProfileSSO, Region: "eu-west-1", AccountID: "111122223333", RoleName: "Admin", SSOSession: "corp"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	elsewhere := filepath.Join(home, "elsewhere")
	ok(t, os.WriteFile(elsewhere, []byte("[profile other]\nregion = a\x1b[2Jb\n"), 0o600))
	got = must[[]aws.Profile](t)(aws.Profiles(func(name string) string {
		return map[string]string{"AWS_CONFIG_FILE": elsewhere, "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, "missing")}[name]
	}))
	if len(got) != 1 || got[0].Name != "other" || strings.ContainsRune(got[0].Region, 0x1b) {
		t.Errorf("profiles %+v", got)
	}
	if _, err := aws.Profiles(func(string) string { return home }); err == nil {
		t.Error("a folder in place of the file is no error")
	}
}
