package aws

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/logging"
)

// settings are the environment and the profile in use. The SDK's own loader is
// not asked: it refuses what the AWS CLI takes (retry_mode = legacy, quoted
// names, a byte order mark), and passes over what the CLI names as missing.
type settings struct {
	getenv  func(string) string
	files   *awsFiles
	profile profile
	byName  bool // the caller named the profile, not the environment
}

// loadSettings reads environment and files, and finds the profile: the one that
// is named, AWS_PROFILE, or the default one, which need not exist.
func loadSettings(name string, getenv func(string) string) (settings, error) {
	files, err := readAWSFiles(getenv)
	s := settings{getenv: getenv, files: files, byName: name != ""}
	if err != nil {
		return s, err
	}
	name = cmp.Or(name, getenv("AWS_PROFILE"), getenv("AWS_DEFAULT_PROFILE"))
	found, ok := files.find(cmp.Or(name, defaultProfile))
	if !ok && name != "" {
		return s, files.missing(name)
	}
	s.profile = found
	return s, nil
}

// value is a setting as the environment has it, else as the profile does.
func (s settings) value(variable, key string) string {
	return cmp.Or(s.getenv(variable), s.profile.get(key))
}

// where says where value found it.
func (s settings) where(variable, key string) string {
	if s.getenv(variable) != "" {
		return variable
	}
	return key + " in " + s.profile.place(key)
}

func (s settings) isTrue(variable, key string) bool {
	return strings.EqualFold(s.value(variable, key), "true")
}

// The settings that name an address in place of AWS's own. For a single service
// the variable is followed by its name, and the file has a section for them.
const (
	endpointVariable = "AWS_ENDPOINT_URL"
	endpointKey      = "endpoint_url"
)

// endpointServices are the services that rolecall asks, as their settings name
// them.
const endpointServices = "iam sts organizations cloudformation s3 sso sso_oidc signin"

// endpoint is the address that stands in for every service's, and where it is
// set.
func (s settings) endpoint() (address, where string) {
	if s.ignoresEndpoints() {
		return "", ""
	}
	return s.value(endpointVariable, endpointKey), s.where(endpointVariable, endpointKey)
}

func (s settings) ignoresEndpoints() bool {
	return s.isTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")
}

// endpoints are all addresses that are set, by the place where they are.
func (s settings) endpoints() map[string]string {
	found := map[string]string{}
	if s.ignoresEndpoints() {
		return found
	}
	if address, where := s.endpoint(); address != "" {
		found[where] = address
	}
	section := s.profile.get("services")
	for service := range strings.FieldsSeq(endpointServices) {
		variable := endpointVariable + "_" + strings.ToUpper(service)
		if address := s.getenv(variable); address != "" {
			found[variable] = address
		} else if address := s.files.services[section].nested[service][endpointKey]; section != "" && address != "" {
			found[service+" "+endpointKey+" in [services "+section+"] of "+s.files.config] = address
		}
	}
	return found
}

// checkEndpoints refuses addresses that are none, and what no SDK can do with
// one: FIPS and dual-stack are other addresses of AWS's own (AWS endpoint
// rules, "FIPS and custom endpoint are not supported").
func (s settings) checkEndpoints() error {
	for where, address := range s.endpoints() {
		if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return misconfigured(where+" is no address: "+address+".", "https://HOST or http://HOST:PORT", "Correct it, or remove it.")
		}
		for _, other := range []struct{ variable, key string }{
			{"AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"}, {"AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"},
		} {
			if s.isTrue(other.variable, other.key) {
				return misconfigured(
					s.where(other.variable, other.key)+" does not go with "+where+" ("+address+").",
					"one of the two",
					"Remove one of them.",
				)
			}
		}
	}
	return nil
}

// region is the one that requests are signed for.
func (s settings) region(o Options) (string, error) {
	if o.Region != "" {
		return o.Region, CheckRegion(o.Region)
	}
	variable := "AWS_DEFAULT_REGION"
	if s.getenv("AWS_REGION") != "" {
		variable = "AWS_REGION"
	}
	set := s.value(variable, "region")
	if set == "" {
		return DefaultRegion(o.Partition), nil
	}
	if err := CheckRegion(set); err != nil {
		known := Explain(err)
		return "", misconfigured(s.where(variable, "region")+" is no region: "+set+".", known.Expected, known.Next)
	}
	return set, nil
}

// environment and shared are what the SDK's clients look up by themselves:
// addresses of single services, FIPS and dual-stack, instance metadata.
func (s settings) environment() config.EnvConfig {
	e := config.EnvConfig{EC2IMDSEndpoint: s.value("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")}
	if s.isTrue("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint") {
		e.UseFIPSEndpoint = awssdk.FIPSEndpointStateEnabled
	}
	if s.isTrue("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint") {
		e.UseDualStackEndpoint = awssdk.DualStackEndpointStateEnabled
	}
	if strings.EqualFold(s.getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		e.EC2IMDSClientEnableState = imds.ClientDisabled
	}
	if strings.EqualFold(s.value("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode"), "IPv6") {
		e.EC2IMDSEndpointMode = imds.EndpointModeStateIPv6
	}
	e.EC2IMDSv1Disabled = awssdk.Bool(s.isTrue("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled"))
	e.IgnoreConfiguredEndpoints = awssdk.Bool(s.ignoresEndpoints())
	return e
}

func (s settings) shared() config.SharedConfig {
	return config.SharedConfig{
		Profile:  s.profile.name,
		Services: config.Services{ServiceValues: s.files.services[s.profile.get("services")].nested},
	}
}

// load makes the SDK's configuration. It sends nothing.
func load(ctx context.Context, o Options) (awssdk.Config, error) {
	if o.Rehearsal != nil {
		return rehearsalConfig(o)
	}
	s, err := loadSettings(o.Profile, os.Getenv)
	if err != nil {
		return awssdk.Config{}, err
	}
	if err := s.checkEndpoints(); err != nil {
		return awssdk.Config{}, err
	}
	client, err := s.httpClient(o)
	if err != nil {
		return awssdk.Config{}, err
	}
	region, err := s.region(o)
	if err != nil {
		return awssdk.Config{}, err
	}
	cfg := awssdk.Config{
		Region:        region,
		HTTPClient:    client,
		Retryer:       newRetryer,
		Logger:        logging.Nop{}, // it would be written across the screen
		ConfigSources: []any{s.environment(), s.shared()},
		AppID:         s.value("AWS_SDK_UA_APP_ID", "sdk_ua_app_id"),
	}
	if address, _ := s.endpoint(); address != "" {
		cfg.BaseEndpoint = &address
	}
	addMiddleware(&cfg, o.UserAgent)
	found, err := signIn{settings: s, cfg: cfg, mfaCode: lasting(ctx, o.MFACode)}.credentials()
	if err != nil {
		return awssdk.Config{}, err
	}
	cfg.Credentials = hinted{next: found, unread: s.files.unread}
	return cfg, nil
}

// hinted says which file could not be read when no credentials were found
// anywhere else.
type hinted struct {
	next   awssdk.CredentialsProvider
	unread error
}

// Retrieve is the provider's.
func (h hinted) Retrieve(ctx context.Context) (awssdk.Credentials, error) {
	found, err := h.next.Retrieve(ctx)
	if err != nil && h.unread != nil && ctx.Err() == nil {
		return found, h.unread
	}
	return found, err
}

// attemptLimit is how long one request may take, its answer included. IAM
// answers within a second or two; a proxy that swallowed the connection, never.
const attemptLimit = 20 * time.Second

// dialLimit is how long a connection may take to stand.
const dialLimit = 10 * time.Second

func (o Options) attemptLimit() time.Duration { return cmp.Or(o.AttemptLimit, attemptLimit) }

// withLimit is a caller's client with a time limit, and without following
// redirects: AWS sends none, and a login page is no answer.
func withLimit(client *http.Client, limit time.Duration) *http.Client {
	made := *client
	if made.Timeout == 0 {
		made.Timeout = limit
	}
	if made.CheckRedirect == nil {
		made.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &made
}

// httpClient is what every request goes through, those for credentials too.
func (s settings) httpClient(o Options) (awssdk.HTTPClient, error) {
	if o.HTTPClient != nil {
		return withLimit(o.HTTPClient, o.attemptLimit()), nil
	}
	roots, err := s.certificates()
	if err != nil {
		return nil, err
	}
	client := awshttp.NewBuildableClient().WithTimeout(o.attemptLimit()).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialLimit }).
		WithTransportOptions(func(t *http.Transport) {
			t.OnProxyConnectResponse = checkProxyAnswer
			if t.TLSClientConfig == nil {
				t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
			}
			t.TLSClientConfig.RootCAs = roots
		})
	return client, nil
}

// certificates are those of AWS_CA_BUNDLE or ca_bundle, nil for the system's.
func (s settings) certificates() (*x509.CertPool, error) {
	path := s.value("AWS_CA_BUNDLE", "ca_bundle")
	if path == "" {
		return nil, nil
	}
	where := s.where("AWS_CA_BUNDLE", "ca_bundle") + " names " + path
	text, err := readBounded(expandPath(s.getenv, path))
	if err != nil {
		return nil, misconfigured(
			where+", which cannot be read: "+rootCause(err)+".",
			"a file of certificates in PEM",
			"Correct the path or its permissions.",
		)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(text)) {
		return nil, misconfigured(
			where+", which holds no certificate.",
			"a file of certificates in PEM (-----BEGIN CERTIFICATE-----)",
			"Name another file.",
		)
	}
	return roots, nil
}

// newRetryer is the SDK's standard one with few attempts: a person waits, and
// the pollers have their own patience. An answer that did not come within its
// time is not asked for again, so that the limit is not multiplied.
func newRetryer() awssdk.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.MaxBackoff = 4 * time.Second
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(notAfterTimeout)}, o.Retryables...)
	})
}

func notAfterTimeout(err error) awssdk.Ternary {
	if isTimeout(err) {
		return awssdk.FalseTernary
	}
	return awssdk.UnknownTernary
}
