package aws

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The variables that credentials are taken from.
const (
	envKeyID     = "AWS_ACCESS_KEY_ID"
	envKeySecret = "AWS_SECRET_ACCESS_KEY"
	envTokenFile = "AWS_WEB_IDENTITY_TOKEN_FILE"
	containerURI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
	containerURL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
)

// askMFACode begins the error of a code that nobody gave: the SDK passes on no
// more than its text.
const askMFACode = "ask for the MFA code"

// signIn finds the credentials in the order of the AWS CLI (botocore,
// create_credential_resolver): the environment's keys, a role of the profile, a
// web identity, the rest of the profile, a container's role, an instance's. A
// profile that was asked for by name goes before the environment.
type signIn struct {
	settings
	cfg     awssdk.Config // without credentials yet
	mfaCode func(serial string) (string, error)
}

// credentials is a provider that asks nobody until it is used. What cannot work
// is an *Error.
func (s signIn) credentials() (awssdk.CredentialsProvider, error) {
	if id, secret := environmentPair(s.getenv); !s.byName && id != "" {
		if secret == "" {
			return nil, misconfigured("The environment has half a key pair: "+envKeyID+" and no "+envKeySecret+".", "both or neither",
				"Set "+envKeySecret+" too, or unset "+envKeyID+".")
		}
		return s.environmentKeys(), nil
	}
	chain, err := s.files.chain(s.profile, s.getenv)
	if s.profile.kind() != ProfileRole && !s.byName && s.getenv(envTokenFile) != "" {
		return s.environmentWebIdentity()
	}
	if err != nil {
		return nil, err
	}
	last := chain[len(chain)-1]
	found, err := s.ofProfile(last)
	if err != nil {
		return nil, err
	}
	for i := len(chain) - 1; i >= 0; i-- {
		if chain[i].kind() != ProfileRole {
			continue
		}
		if found, err = s.ofRole(chain[i], found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s signIn) environmentKeys() awssdk.CredentialsProvider {
	id, secret := environmentPair(s.getenv)
	token := cmp.Or(s.getenv("AWS_SECURITY_TOKEN"), s.getenv("AWS_SESSION_TOKEN")) // botocore looks at the older name first
	return awssdk.NewCredentialsCache(credentials.NewStaticCredentialsProvider(id, secret, token))
}

// environmentPair is the environment's access key; the shorter names are those
// that the SDKs know too.
func environmentPair(getenv func(string) string) (id, secret string) {
	return cmp.Or(getenv(envKeyID), getenv("AWS_ACCESS_KEY")), cmp.Or(getenv(envKeySecret), getenv("AWS_SECRET_KEY"))
}

// environmentWebIdentity is how a pod signs in. What the environment leaves
// open, the profile may say.
func (s signIn) environmentWebIdentity() (awssdk.CredentialsProvider, error) {
	path, role := s.getenv(envTokenFile), s.value("AWS_ROLE_ARN", "role_arn")
	if role == "" {
		return nil, misconfigured(
			"The environment has "+envTokenFile+" and no AWS_ROLE_ARN.",
			"the role that the token is for",
			"Set AWS_ROLE_ARN.",
		)
	}
	if err := checkTokenFile(envTokenFile, path); err != nil {
		return nil, err
	}
	return s.webIdentity(path, role, s.value("AWS_ROLE_SESSION_NAME", "role_session_name")), nil
}

func (s signIn) webIdentity(path, role, session string) awssdk.CredentialsProvider {
	return awssdk.NewCredentialsCache(stscreds.NewWebIdentityRoleProvider(sts.NewFromConfig(s.cfg), role, stscreds.IdentityTokenFile(path),
		func(o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = session }))
}

// ofProfile is what a profile has itself; for a role, what the role starts from.
func (s signIn) ofProfile(p profile) (awssdk.CredentialsProvider, error) {
	switch p.kind() {
	case ProfileRole:
		return s.underRole(p)
	case ProfileWebIdentity:
		return s.webIdentity(expandPath(s.getenv, p.get("web_identity_token_file")), p.get("role_arn"), p.get("role_session_name")), nil
	case ProfileSSO:
		return s.sso(p)
	case ProfileKeys:
		return profileKeys(p), nil
	case ProfileLogin:
		path, err := logincreds.StandardCachedTokenFilepath(p.get("login_session"), s.getenv("AWS_LOGIN_CACHE_DIRECTORY"))
		if err != nil {
			return nil, err
		}
		return awssdk.NewCredentialsCache(logincreds.New(signin.NewFromConfig(s.cfg), path,
			func(o *logincreds.Options) { o.RestrictPermissions = true })), nil
	case ProfileProcess:
		return awssdk.NewCredentialsCache(processcreds.NewProvider(p.get("credential_process"))), nil
	}
	if s.getenv(containerURI) != "" || s.getenv(containerURL) != "" {
		return s.container()
	}
	return s.instance(), nil
}

func profileKeys(p profile) awssdk.CredentialsProvider {
	keys := p.keys().values
	token := cmp.Or(keys["aws_security_token"], keys["aws_session_token"])
	return awssdk.NewCredentialsCache(credentials.NewStaticCredentialsProvider(keys[keyID], keys[keySecret], token))
}

// underRole is what a role starts from when its profile names no other one.
func (s signIn) underRole(p profile) (awssdk.CredentialsProvider, error) {
	switch p.get("credential_source") {
	case sourceEnvironment:
		return s.environmentKeys(), nil
	case sourceContainer:
		return s.container()
	case sourceInstance:
		return s.instance(), nil
	}
	return profileKeys(p), nil
}

func (s signIn) sso(p profile) (awssdk.CredentialsProvider, error) {
	settings, err := s.files.sso(p)
	if err != nil {
		return nil, err
	}
	cfg := s.cfg.Copy()
	cfg.Region = settings.region
	var options []func(*ssocreds.Options)
	if settings.session != "" {
		path, err := ssocreds.StandardCachedTokenFilepath(settings.session)
		if err != nil {
			return nil, err
		}
		options = append(options, func(o *ssocreds.Options) {
			o.SSOTokenProvider, o.CachedTokenFilepath = ssocreds.NewSSOTokenProvider(ssooidc.NewFromConfig(cfg), path), path
		})
	}
	return awssdk.NewCredentialsCache(
		ssocreds.New(sso.NewFromConfig(cfg), settings.accountID, settings.roleName, settings.startURL, options...),
	), nil
}

// ofRole takes on the role of a profile.
func (s signIn) ofRole(p profile, from awssdk.CredentialsProvider) (awssdk.CredentialsProvider, error) {
	serial := p.get("mfa_serial")
	if serial != "" && s.mfaCode == nil {
		return nil, needsMFA()
	}
	cfg := s.cfg.Copy()
	cfg.Credentials = from
	return awssdk.NewCredentialsCache(
		stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), p.get("role_arn"), func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = p.get("role_session_name")
			if id := p.get("external_id"); id != "" {
				o.ExternalID = &id
			}
			if seconds, err := strconv.Atoi(p.get("duration_seconds")); err == nil && seconds > 0 {
				o.Duration = time.Duration(seconds) * time.Second
			}
			if serial != "" {
				o.SerialNumber = &serial
				o.TokenProvider = func() (string, error) { return s.askMFA(serial) }
			}
		}),
	), nil
}

func (s signIn) askMFA(serial string) (string, error) {
	code, err := s.mfaCode(serial)
	if err != nil {
		return "", fmt.Errorf("%s: %w", askMFACode, err)
	}
	return code, nil
}

// container is the role of an ECS task, an EKS pod or what stands in for them.
func (s signIn) container() (awssdk.CredentialsProvider, error) {
	address := "http://169.254.170.2" + s.getenv(containerURI)
	if s.getenv(containerURI) == "" {
		address = s.getenv(containerURL)
		if err := checkContainerURL(address); err != nil {
			return nil, err
		}
	}
	provider := endpointcreds.New(address, func(o *endpointcreds.Options) {
		o.AuthorizationToken = s.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		if path := s.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); path != "" {
			o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
				token, err := os.ReadFile(path)
				return string(token), err
			})
		}
		o.HTTPClient, o.Retryer = s.cfg.HTTPClient, newRetryer()
	})
	return awssdk.NewCredentialsCache(provider, func(o *awssdk.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute }), nil
}

// checkContainerURL lets a token go over plain http to this machine and to the
// addresses of ECS and EKS alone (aws-sdk-go-v2 config, resolveLocalHTTPCredProvider).
func checkContainerURL(address string) error {
	u, err := url.Parse(address)
	if err == nil && u.Scheme == "https" && u.Host != "" {
		return nil
	}
	if err == nil && u.Scheme == "http" {
		if u.Hostname() == "localhost" {
			return nil
		}
		switch ip := net.ParseIP(u.Hostname()); {
		case ip == nil:
		case ip.IsLoopback(), ip.Equal(net.IPv4(169, 254, 170, 2)), ip.Equal(net.IPv4(169, 254, 170, 23)), ip.Equal(net.ParseIP("fd00:ec2::23")):
			return nil
		}
	}
	return misconfigured(
		containerURL+" is no address to take credentials from.",
		"https, or http to a loopback address or to ECS or EKS",
		"Correct "+containerURL+".",
	)
}

func (s signIn) instance() awssdk.CredentialsProvider {
	cfg := s.cfg.Copy()
	cfg.APIOptions = nil // they know the answers of AWS's services
	return impatient{awssdk.NewCredentialsCache(ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = imds.NewFromConfig(cfg) }))}
}

func needsMFA() *Error {
	return refuse(NeedsMFA, "This profile needs an MFA code.", "", "Run rolecall in a terminal where it can ask for the code.")
}

// lasting asks for MFA codes with a context that outlives one request: the code
// serves all of them.
func lasting(ctx context.Context, ask func(context.Context, string) (string, error)) func(string) (string, error) {
	if ask == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	return func(serial string) (string, error) { return ask(ctx, serial) }
}
