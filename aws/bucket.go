package aws

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

// storage sends the one request to S3 that rolecall needs. S3's own client is
// larger than those of IAM, STS and CloudFormation together.
type storage struct {
	config   awssdk.Config
	region   string // where it is signed for: S3 tells the location of every bucket of a partition there
	endpoint string // without a slash at the end
}

// largestS3Answer bounds what is read of an answer of S3.
const largestS3Answer = 64 << 10

func newStorage(ctx context.Context, cfg awssdk.Config) storage {
	region := homeRegion(cfg.Region)
	s := storage{config: cfg, region: region, endpoint: "https://s3." + region + "." + dnsSuffix(region)}
	if base := awssdk.ToString(cfg.BaseEndpoint); base != "" {
		s.endpoint = base
	}
	if base := serviceEndpoint(ctx, cfg, "S3"); base != "" {
		s.endpoint = base
	}
	s.endpoint = strings.TrimRight(s.endpoint, "/")
	return s
}

// dnsSuffix is behind a service's name and region in its host (botocore,
// partitions.json).
func dnsSuffix(region string) string {
	switch partition, _ := PartitionOf(region); partition {
	case "aws-cn":
		return "amazonaws.com.cn"
	case "aws-eusc":
		return "amazonaws.eu"
	case "aws-iso":
		return "c2s.ic.gov"
	case "aws-iso-b":
		return "sc2s.sgov.gov"
	case "aws-iso-e":
		return "cloud.adc-e.uk"
	case "aws-iso-f":
		return "csp.hci.ic.gov"
	}
	return "amazonaws.com"
}

// serviceEndpoint is AWS_ENDPOINT_URL_S3 or its twin in the AWS files, as the
// SDK's own clients find theirs.
func serviceEndpoint(ctx context.Context, cfg awssdk.Config, service string) string {
	for _, source := range cfg.ConfigSources {
		if s, ok := source.(interface {
			GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
		}); ok {
			if ignore, found, err := s.GetIgnoreConfiguredEndpoints(ctx); err == nil && found && ignore {
				return ""
			}
		}
	}
	for _, source := range cfg.ConfigSources {
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		}); ok {
			if value, found, err := s.GetServiceBaseEndpoint(ctx, service); err == nil && found {
				return value
			}
		}
	}
	return ""
}

// BucketRegion tells in which region an S3 bucket of this account is: one
// request. Kind NotFound when there is no bucket of that name anywhere; Denied
// when it is another account's or the permission is missing, which S3 does not
// tell apart.
func (a *Account) BucketRegion(ctx context.Context, name string) (string, error) {
	id, err := a.knownIdentity(ctx)
	if err != nil {
		return "", err
	}
	region, err := a.clients.Load().s3.location(ctx, name, id.AccountID)
	return region, a.fail(err, "s3:GetBucketLocation", "get the location of bucket %s", cleanText(name))
}

// location is GetBucketLocation, on condition that the bucket is the owner's
// (S3 user guide, "Verifying bucket ownership with bucket owner condition").
func (s storage) location(ctx context.Context, bucket, owner string) (string, error) {
	if strings.Trim(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "" {
		return "", &smithy.GenericAPIError{Code: "NoSuchBucket", Message: "not the name of a bucket"}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint+"/"+bucket+"?location=", nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("X-Amz-Expected-Bucket-Owner", owner)
	if err := s.sign(r); err != nil {
		return "", err
	}
	answer, err := s.client().Do(r)
	if err != nil {
		return "", err
	}
	if err := foreignIn(answer, "LocationConstraint"); err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, largestS3Answer))
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", s3Error(answer, body)
	}
	var constraint struct {
		Region string `xml:",chardata"`
	}
	if err := xml.Unmarshal(body, &constraint); err != nil {
		return "", fmt.Errorf("read the answer of S3: %w", err)
	}
	switch region := cleanText(strings.TrimSpace(constraint.Region)); region {
	case "":
		return s.region, nil // S3 leaves out us-east-1
	case "EU":
		return "eu-west-1", nil // as buckets of the first years say
	default:
		return region, nil
	}
}

func (s storage) client() awssdk.HTTPClient {
	if s.config.HTTPClient == nil {
		return http.DefaultClient
	}
	return s.config.HTTPClient
}

func (s storage) sign(r *http.Request) error {
	credentials, err := s.config.Credentials.Retrieve(r.Context())
	if err != nil {
		return err
	}
	nothing := sha256.Sum256(nil)
	hash := hex.EncodeToString(nothing[:])
	r.Header.Set("X-Amz-Content-Sha256", hash)
	return signer.NewSigner(func(o *signer.SignerOptions) { o.DisableURIPathEscaping = true }).
		SignHTTP(r.Context(), credentials, r, hash, "s3", s.region, time.Now())
}

// s3Refusal is S3's own error with the number of its request.
type s3Refusal struct {
	smithy.GenericAPIError
	requestID string
}

// ServiceRequestID is the number by which AWS finds the request.
func (e *s3Refusal) ServiceRequestID() string { return e.requestID }

// s3Error is what S3 says in its own XML.
func s3Error(answer *http.Response, body []byte) error {
	var said struct{ Code, Message, RequestId, RequestTime, ServerTime string } //nolint:revive // S3's names
	status := answer.StatusCode
	if xml.Unmarshal(body, &said) != nil || said.Code == "" {
		said.Code = http.StatusText(status)
		switch {
		case status == http.StatusForbidden:
			said.Code = "AccessDenied"
		case status == http.StatusNotFound:
			said.Code = "NoSuchBucket"
		case status >= http.StatusInternalServerError:
			said.Code = "InternalError"
		}
	}
	if said.ServerTime != "" { // of RequestTimeTooSkewed
		said.Message += " (RequestTime " + said.RequestTime + ", ServerTime " + said.ServerTime + ")"
	}
	return &s3Refusal{GenericAPIError: smithy.GenericAPIError{Code: said.Code, Message: said.Message},
		requestID: cmp.Or(said.RequestId, answer.Header.Get("X-Amz-Request-Id"))}
}
