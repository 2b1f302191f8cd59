package aws

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	smithymiddleware "github.com/aws/smithy-go/middleware"
)

// Options say whose account to open. The zero value takes what the AWS CLI
// would take.
type Options struct {
	Profile string // as --profile; empty: AWS_PROFILE or default
	Region  string // as --region; empty: from environment and files, else the partition's default

	// Partition chooses the default region where none is set anywhere.
	Partition string

	// PinAccount refuses every account but this one (twelve digits).
	PinAccount string

	// MFACode is asked for the current code of an MFA device. The context is
	// not cancelled when one request is, since the code serves all of them.
	MFACode func(ctx context.Context, serial string) (string, error)

	// AttemptLimit is how long one request may take, its answer included; 0: 20
	// seconds. A deadline of the context goes first.
	AttemptLimit time.Duration

	HTTPClient *http.Client     // nil: the SDK's own
	Rehearsal  *RehearsalTarget // set: nothing but this endpoint is read or reached
	UserAgent  string           // "rolecall/1.2.3", added to the SDK's

	session awssdk.CredentialsProvider // of a role that was assumed; nil: as the configuration says

	// The clock of the watches and of their budget; nil: the wall clock.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// RehearsalTarget is an AWS in a box on the loopback interface.
type RehearsalTarget struct {
	Endpoint        string // http://127.0.0.1:PORT
	AccessKeyID     string
	SecretAccessKey string
	Region          string
}

// Account is one AWS account seen through the SDK. It is safe for use by
// several goroutines.
type Account struct {
	options Options
	clients atomic.Pointer[clients]
	budget  budget

	mu       sync.Mutex
	identity *Identity // seen last; nil again after credentials failed
	owner    string    // the account ID of the first identity seen
	skew     *time.Duration
}

// clients are the SDK's, made together from one configuration.
type clients struct {
	region   string
	endpoint string
	iam      *iam.Client
	sts      *sts.Client
	org      *organizations.Client
	cfn      *cloudformation.Client
	s3       storage
}

func (a *Account) iam() *iam.Client            { return a.clients.Load().iam }
func (a *Account) sts() *sts.Client            { return a.clients.Load().sts }
func (a *Account) org() *organizations.Client  { return a.clients.Load().org }
func (a *Account) cfn() *cloudformation.Client { return a.clients.Load().cfn }

// Open loads the configuration as the AWS CLI does: environment, files, SSO,
// credential_process, mfa_serial, AWS_ENDPOINT_URL. It sends nothing; that
// nobody is signed in shows at the first request. A configuration that cannot
// work is an *Error of Kind NotSignedIn that names the section and the key.
func Open(ctx context.Context, o Options) (*Account, error) {
	if o.PinAccount != "" {
		if err := CheckAccountID(o.PinAccount); err != nil {
			return nil, err
		}
	}
	if o.Region != "" {
		if err := CheckRegion(o.Region); err != nil {
			return nil, err
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	a := &Account{options: o}
	c, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	a.clients.Store(c)
	return a, nil
}

// Renew loads the configuration again, after credentials ran out and were
// renewed outside. It sends nothing. The watches of this Account go on with
// the new credentials; should they be of another account, the next request is
// refused with Kind WrongAccount.
func (a *Account) Renew(ctx context.Context) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	a.forgetIdentity()
	a.clients.Store(c)
	return nil
}

func (a *Account) connect(ctx context.Context) (*clients, error) {
	o := a.options
	cfg, err := load(ctx, o)
	if err != nil {
		return nil, explain(err, "load the AWS configuration", "", o.Profile)
	}
	if o.session != nil {
		cfg.Credentials = o.session
	}
	c := &clients{region: cfg.Region, sts: sts.NewFromConfig(cfg)}
	c.iam = iam.NewFromConfig(cfg, func(o *iam.Options) { o.APIOptions = append(o.APIOptions, a.checkOwner) })
	c.cfn = cloudformation.NewFromConfig(cfg, func(o *cloudformation.Options) { o.APIOptions = append(o.APIOptions, a.checkOwner) })
	c.org = organizations.NewFromConfig(cfg, func(o *organizations.Options) { o.Region = homeRegion(cfg.Region) })
	c.s3 = newStorage(ctx, cfg)
	c.endpoint = c.findEndpoint()
	return c, nil
}

// checkOwner asks who is signed in before the first request to IAM or
// CloudFormation, and again after credentials failed, so that nothing is read
// from or written to another account than the pinned one, or than the one that
// was seen first.
func (a *Account) checkOwner(stack *smithymiddleware.Stack) error {
	return stack.Initialize.Add(smithymiddleware.InitializeMiddlewareFunc(
		"rolecallOwner",
		func(ctx context.Context, in smithymiddleware.InitializeInput,
			next smithymiddleware.InitializeHandler) (smithymiddleware.InitializeOutput, smithymiddleware.Metadata, error) {
			if _, err := a.knownIdentity(ctx); err != nil {
				return smithymiddleware.InitializeOutput{}, smithymiddleware.Metadata{}, err
			}
			return next.HandleInitialize(ctx, in)
		},
	), smithymiddleware.Before)
}

// homeRegion is where Organizations lives: one region per partition, to which
// the SDK's rules lead from the default one.
func homeRegion(region string) string {
	partition, _ := PartitionOf(region)
	return DefaultRegion(partition)
}

// addMiddleware names rolecall in the user agent, keeps long answers whole and
// tells what is not an answer of AWS.
func addMiddleware(cfg *awssdk.Config, agent string) {
	cfg.APIOptions = append(cfg.APIOptions, sendPlainBodies, refuseForeignAnswers, noteRequest)
	if agent != "" {
		cfg.APIOptions = append(cfg.APIOptions, middleware.AddUserAgentKey(agent))
	}
}

// rehearsalConfig is built by hand, so that no environment, file, proxy or
// instance metadata can lead a rehearsal to a real account.
func rehearsalConfig(o Options) (awssdk.Config, error) {
	t := o.Rehearsal
	host, err := loopbackHost(t.Endpoint)
	if err != nil {
		return awssdk.Config{}, err
	}
	region := t.Region
	if o.Region != "" {
		region = o.Region
	}
	if region == "" {
		region = DefaultRegion(o.Partition)
	}
	var base http.RoundTripper = &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}
	if o.HTTPClient != nil && o.HTTPClient.Transport != nil {
		base = o.HTTPClient.Transport
	}
	cfg := awssdk.Config{
		Region:       region,
		BaseEndpoint: awssdk.String(t.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(t.AccessKeyID, t.SecretAccessKey, ""),
		HTTPClient:   withLimit(&http.Client{Transport: onlyHost{host: host, next: base}}, o.attemptLimit()),
		Retryer:      newRetryer,
		Logger:       logging.Nop{},
	}
	addMiddleware(&cfg, o.UserAgent)
	return cfg, nil
}

// loopbackHost is the host:port of a rehearsal endpoint, which must be plain
// http to a loopback address.
func loopbackHost(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return "", refuse(Malformed, "The rehearsal's address is not usable.", "http://127.0.0.1:PORT", "Start the rehearsal again.")
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return "", refuse(Malformed, "The rehearsal's address is not on this machine.", "a loopback address", "Start the rehearsal again.")
	}
	return u.Host, nil
}

// onlyHost lets requests through to one host and refuses the rest, whatever
// the SDK resolved.
type onlyHost struct {
	host string
	next http.RoundTripper
}

func (h onlyHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "http" || r.URL.Host != h.host {
		return nil, fmt.Errorf("rehearsal refuses to reach %s", r.URL.Host)
	}
	return h.next.RoundTrip(r)
}

// findEndpoint is the first endpoint that replaces AWS's own.
func (c *clients) findEndpoint() string {
	for _, e := range []*string{c.iam.Options().BaseEndpoint, c.sts.Options().BaseEndpoint, c.org.Options().BaseEndpoint,
		c.cfn.Options().BaseEndpoint} {
		if e != nil && *e != "" {
			return cleanText(*e)
		}
	}
	return ""
}

// Endpoint is the address that stands in for AWS's own (AWS_ENDPOINT_URL, a
// profile's endpoint_url, a rehearsal), empty when AWS itself is meant. Show
// it as a banner.
func (a *Account) Endpoint() string { return a.clients.Load().endpoint }

// Region is the region that requests are signed for.
func (a *Account) Region() string { return a.clients.Load().region }

// Profile is the profile asked for, empty for the default chain.
func (a *Account) Profile() string { return a.options.Profile }

// fail explains an SDK error with what was being done. Credentials that failed
// may come back as another account's, so the identity is asked for anew then.
func (a *Account) fail(err error, action, format string, args ...any) error {
	if err == nil {
		return nil
	}
	e := explain(err, fmt.Sprintf(format, args...), action, a.options.Profile)
	if e.Kind == Expired || e.Kind == NotSignedIn {
		a.forgetIdentity()
	}
	return e
}

func (a *Account) forgetIdentity() {
	a.mu.Lock()
	a.identity = nil
	a.mu.Unlock()
}

// once is for requests that must not be sent twice: after a dropped connection
// nobody knows whether a creation was done, and sending it again would answer
// that the name is taken. Only throttling, where nothing was done, is retried.
func once(o *iam.Options) {
	o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
		r.MaxAttempts = 3
		r.MaxBackoff = 4 * time.Second
		r.Retryables = []retry.IsErrorRetryable{
			retry.IsErrorRetryableFunc(notAfterTimeout),
			retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes},
		}
	})
}
