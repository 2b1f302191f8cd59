package aws_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/aws"
)

// everyWay stands in for whatever gives credentials: instance metadata, a
// container's agent, the SSO portal and STS. It tells by the access key which of
// them was asked last.
func everyWay(t *testing.T) *httptest.Server {
	t.Helper()
	const temporary = `"SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action := r.FormValue("Action")
		switch {
		case r.URL.Path == "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
			_, _ = w.Write([]byte("token"))
		case strings.HasPrefix(r.URL.Path, "/latest/meta-data/iam/security-credentials") && strings.HasSuffix(r.URL.Path, "/"):
			_, _ = w.Write([]byte("role"))
		case strings.HasPrefix(r.URL.Path, "/latest/meta-data/iam/security-credentials"):
			_, _ = w.Write([]byte(`{"Code":"Success","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"AKIAINSTANCE",` + temporary + `}`))
		case r.URL.Path == "/container":
			_, _ = w.Write([]byte(`{"AccessKeyId":"AKIACONTAINER` + r.Header.Get("Authorization") + `",` + temporary + `}`))
		case r.URL.Path == "/federation/credentials":
			_, _ = w.Write(
				[]byte(`{"roleCredentials":{"accessKeyId":"AKIASSO","secretAccessKey":"s","sessionToken":"t","expiration":4070908800000}}`),
			)
		case action == "GetCallerIdentity":
			_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
			key, _, _ = strings.Cut(key, "/")
			_, _ = w.Write([]byte(strings.ReplaceAll(identityAnswer, "user/jane", "user/"+key)))
		case strings.HasPrefix(action, "AssumeRole"):
			key := "AKIA" + strings.ToUpper(
				action,
			) + r.FormValue(
				"ExternalId",
			) + r.FormValue("DurationSeconds") + r.FormValue("TokenCode") + r.FormValue("RoleSessionName")
			_, _ = fmt.Fprintf(
				w,
				`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials><AccessKeyId>%[2]s</AccessKeyId>`+
					`<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></%[1]sResult></%[1]sResponse>`,
				action,
				key,
			)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// TestEveryWayToSignIn takes each way that the AWS CLI knows, in its order.
func TestEveryWayToSignIn(t *testing.T) {
	server := everyWay(t)
	const role = "role_arn=arn:aws:iam::111122223333:role/x\n"
	const ssoKeys = "sso_session=corp\nsso_account_id=111122223333\nsso_role_name=Admin\n"
	const session = "[sso-session corp]\nsso_region=eu-west-1\nsso_start_url=https://corp.awsapps.com/start\n"
	static := map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "s"}
	for name, c := range map[string]struct {
		config, credentials, profile string
		environment                  map[string]string
		want                         string // the access key that was used in the end
	}{
		"environment":                    {environment: static, want: "AKIAENVIRONMENT"},
		"environment before the default": {credentials: "[default]\n" + keys, environment: static, want: "AKIAENVIRONMENT"},
		"environment before AWS_PROFILE": {credentials: "[dev]\n" + keys, environment: with(static, "AWS_PROFILE", "dev"),
			want: "AKIAENVIRONMENT"},
		"--profile before the environment": {credentials: "[dev]\n" + keys, profile: "dev", environment: static, want: "AKIAREHEARSALEXAMPLE"},
		"credentials file before config": {config: "[default]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=s\n",
			credentials: "[default]\n" + keys, want: "AKIAREHEARSALEXAMPLE"},
		"config file": {config: "[default]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=s\n", want: "AKIACONFIG"},
		"role": {config: "[profile a]\n" + role +
			"source_profile=b\nrole_session_name=me\nexternal_id=e\nduration_seconds=1800\n", credentials: "[b]\n" + keys, profile: "a",
			want: "AKIAASSUMEROLEe1800me"},
		"role before its own keys": {config: "[profile a]\n" + role + "source_profile=b\nrole_session_name=me\n" + keys,
			credentials: "[b]\n" + keys, profile: "a", want: "AKIAASSUMEROLE900me"},
		"role with a code": {config: "[profile a]\n" + role +
			"source_profile=b\nmfa_serial=arn:aws:iam::111122223333:mfa/me\nrole_session_name=me\n", credentials: "[b]\n" + keys, profile: "a",
			want: "AKIAASSUMEROLE900123456me"},
		"role of SSO": {config: "[profile a]\n" + role + "source_profile=s\nrole_session_name=me\n[profile s]\n" +
			ssoKeys + session, profile: "a", want: "AKIAASSUMEROLE900me"},
		"role of the instance": {config: "[profile a]\n" + role +
			"credential_source=Ec2InstanceMetadata\nrole_session_name=me\n", profile: "a", environment: metadata(server),
			want: "AKIAASSUMEROLE900me"},
		"role of the container": {config: "[profile a]\n" + role + "credential_source=EcsContainer\nrole_session_name=me\n",
			profile: "a", environment: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.URL + "/container"},
			want: "AKIAASSUMEROLE900me"},
		"web identity": {config: "[profile w]\n" + role + "web_identity_token_file=HOME/token\nrole_session_name=me\n",
			profile: "w", want: "AKIAASSUMEROLEWITHWEBIDENTITYme"},
		"web identity of a pod": {environment: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token",
			"AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/x", "AWS_ROLE_SESSION_NAME": "pod"}, want: "AKIAASSUMEROLEWITHWEBIDENTITYpod"},
		"pod before the profile's keys": {credentials: "[default]\n" + keys,
			environment: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/x",
				"AWS_ROLE_SESSION_NAME": "pod"}, want: "AKIAASSUMEROLEWITHWEBIDENTITYpod"},
		"--profile before the pod": {credentials: "[dev]\n" + keys, profile: "dev",
			environment: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/x"},
			want:        "AKIAREHEARSALEXAMPLE"},
		"SSO": {config: "[profile s]\n" + ssoKeys + session, profile: "s", want: "AKIASSO"},
		"SSO before keys": {config: "[profile s]\n" + ssoKeys + session, credentials: "[s]\n" + keys, profile: "s",
			want: "AKIASSO"},
		"SSO for tokens alone": {config: "[profile s]\nsso_session=corp\n" + session, credentials: "[s]\n" + keys, profile: "s",
			want: "AKIAREHEARSALEXAMPLE"},
		"process": {config: "[profile p]\ncredential_process = cat HOME/keys.json\n", profile: "p",
			want: "AKIAPROCESS"},
		"keys before a process": {config: "[profile p]\ncredential_process = cat HOME/keys.json\n", credentials: "[p]\n" + keys,
			profile: "p", want: "AKIAREHEARSALEXAMPLE"},
		"process before keys of its file": {config: "[profile p]\ncredential_process = cat HOME/keys.json\n" + keys, profile: "p",
			want: "AKIAPROCESS"},
		"container": {environment: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.URL + "/container"},
			want: "AKIACONTAINER"},
		"container with a token": {environment: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.URL + "/container",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "HOME/token"}, want: "AKIACONTAINERjwt"},
		"instance": {environment: metadata(server), want: "AKIAINSTANCE"},
		"instance, for a profile of nothing": {config: "[profile n]\nregion=eu-west-1\n", profile: "n", environment: metadata(server),
			want: "AKIAINSTANCE"},
	} {
		t.Run(name, func(t *testing.T) {
			home := environment(t, "", "")
			write := func(name, text string) {
				ok(t, os.MkdirAll(filepath.Dir(filepath.Join(home, name)), 0o700))
				ok(t, os.WriteFile(filepath.Join(home, name), []byte(strings.ReplaceAll(text, "HOME", home)), 0o600))
			}
			write(".aws/config", c.config)
			write(".aws/credentials", c.credentials)
			write("token", "jwt")
			write("keys.json", `{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"s"}`)
			write(fmt.Sprintf(".aws/sso/cache/%x.json", sha1.Sum([]byte("corp"))),
				`{"accessToken":"a","expiresAt":"2099-01-01T00:00:00Z","region":"eu-west-1","startUrl":"https://corp.awsapps.com/start"}`)
			t.Setenv("AWS_ENDPOINT_URL", server.URL)
			for name, value := range c.environment {
				t.Setenv(name, strings.ReplaceAll(value, "HOME", home))
			}
			a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: c.profile, UserAgent: "rolecall/test", MFACode: code}))
			if id := must[aws.Identity](t)(a.Identity(t.Context())); id.Name != c.want {
				t.Errorf("signed in with %s, want %s", id.Name, c.want)
			}
		})
	}
}

// code is what the MFA device shows.
func code(context.Context, string) (string, error) { return "123456", nil }

func with(m map[string]string, key, value string) map[string]string {
	more := map[string]string{key: value}
	for k, v := range m {
		more[k] = v
	}
	return more
}

func metadata(s *httptest.Server) map[string]string {
	return map[string]string{"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": s.URL}
}

func TestContainersThatAreNone(t *testing.T) {
	for _, address := range []string{"http://credentials.example.com/x", "ftp://127.0.0.1/x", "http://192.0.2.1/x", "nonsense",
		"http://127.0.0.1.example.com/"} {
		environment(t, "", "")
		t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
		_, err := aws.Open(t.Context(), aws.Options{})
		kindIs(t, err, aws.NotSignedIn)
		if !strings.Contains(err.Error(), "AWS_CONTAINER_CREDENTIALS_FULL_URI") {
			t.Error(err)
		}
	}
}

func TestLoginSessionThatRanOut(t *testing.T) {
	environment(t, "[profile me]\nlogin_session = arn:aws:iam::111122223333:user/me\n", "")
	_, err := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: "me"})).Identity(t.Context())
	kindIs(t, err, aws.Expired)
	if !strings.Contains(err.Error(), "`aws login --profile me`") {
		t.Error(err)
	}
}

// TestSignInThatCannotReachAnybody is told as a connection that failed, not as
// credentials that are missing.
func TestSignInThatCannotReachAnybody(t *testing.T) {
	environment(t, "[profile a]\nrole_arn=arn:aws:iam::111122223333:role/x\nsource_profile=b\n[profile b]\n"+keys, "")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	a := must[*aws.Account](t)(aws.Open(t.Context(), aws.Options{Profile: "a", HTTPClient: &http.Client{Transport: refusing{}}}))
	_, err := a.Identity(t.Context())
	kindIs(t, err, aws.Network)
}

// refusing answers with a page, which is not tried again.
type refusing struct{}

func (refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.WriteHeader(http.StatusProxyAuthRequired)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}
