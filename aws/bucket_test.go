package aws_test

import (
	"testing"

	"rolecall/aws"
	"rolecall/aws/rehearsal"
)

func TestBucketRegion(t *testing.T) {
	buckets := map[string]string{"reports": "123456789012", "theirs": "444455556666"}
	server, account := start(t, rehearsal.Options{Buckets: buckets})
	for name, want := range map[string]struct {
		region string
		kind   aws.ErrorKind
	}{
		"reports": {region: "us-east-1"}, "theirs": {kind: aws.Denied}, "nobodys": {kind: aws.NotFound}, "no/name?x": {kind: aws.NotFound},
	} {
		region, err := account.BucketRegion(t.Context(), name)
		if region != want.region || aws.KindOf(err) != want.kind {
			t.Errorf("bucket %s: region %q, error %v; want %q and %v", name, region, err, want.region, want.kind)
		}
	}
	server.Deny("s3:GetBucketLocation")
	if _, err := account.BucketRegion(t.Context(), "reports"); aws.KindOf(err) != aws.Denied ||
		aws.Explain(err).Action != "s3:GetBucketLocation" {
		t.Errorf("without the permission: %v, want it to name s3:GetBucketLocation", err)
	}
	server.ClearFaults()
	server.Inject(rehearsal.Fault{Kind: rehearsal.DropBefore, Actions: []string{"s3:GetBucketLocation"}})
	if _, err := account.BucketRegion(t.Context(), "reports"); aws.KindOf(err) != aws.Network {
		t.Errorf("over a broken connection: %v, want it called that", err)
	}
	server.ClearFaults()
	server.ExpireCredentials()
	if _, err := account.BucketRegion(t.Context(), "reports"); aws.KindOf(err) != aws.Expired {
		t.Errorf("with expired credentials: %v", err)
	}
}

// The request is signed with the caller's own secret: the server checks it for
// keys that it gave out.
func TestBucketRegionIsSigned(t *testing.T) {
	server, account := start(t, rehearsal.Options{Propagation: -1, Buckets: map[string]string{"reports": "123456789012"}})
	if err := server.Do("iam:CreateUser", map[string]string{"UserName": "reader"}); err != nil {
		t.Fatal(err)
	}
	key, secretKey, err := account.CreateAccessKey(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	environment(t, "", "")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_ENDPOINT_URL_STS", server.Target().Endpoint)
	t.Setenv("AWS_ENDPOINT_URL_S3", server.Target().Endpoint+"/")
	t.Setenv("AWS_ACCESS_KEY_ID", key.ID)
	for secret, want := range map[string]aws.ErrorKind{string(secretKey): aws.Other, "wrong": aws.NotSignedIn} {
		t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
		reader, err := aws.Open(t.Context(), aws.Options{Region: "eu-west-1"})
		if err != nil {
			t.Fatal(err)
		}
		region, err := reader.BucketRegion(t.Context(), "reports")
		if aws.KindOf(err) != want || want == aws.Other && region != "us-east-1" {
			t.Errorf("region %q, error %v; want %v", region, err, want)
		}
	}
}
