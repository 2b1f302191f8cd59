package rehearsal

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
)

// bucketActions is the table of S3: only where a bucket is.
func bucketActions() map[string]action {
	return map[string]action{"GetBucketLocation": getBucketLocation}
}

// readBucketRequest reads GET /BUCKET?location, the only request of S3 here.
func readBucketRequest(r *http.Request) (request, *apiError) {
	bucket := strings.Trim(r.URL.Path, "/")
	if _, ok := r.URL.Query()["location"]; !ok || bucket == "" || strings.Contains(bucket, "/") {
		return request{
				service: "s3",
			}, &apiError{
				http.StatusNotImplemented,
				"NotImplemented",
				"A header you provided implies functionality that is not implemented",
			}
	}
	form := url.Values{"Bucket": {bucket}, "ExpectedBucketOwner": {r.Header.Get("X-Amz-Expected-Bucket-Owner")}}
	return request{service: "s3", action: "GetBucketLocation", form: form,
		signedWith: func(secret string) bool { return signed(r, nil, secret) }}, nil
}

func getBucketLocation(s *Server, q request) (any, *apiError) {
	owner, expected := s.options.Account, q.form.Get("ExpectedBucketOwner")
	exists := !s.makes(NoBucket)
	if s.options.Buckets != nil && exists {
		owner, exists = s.options.Buckets[q.form.Get("Bucket")]
	}
	if !exists {
		return nil, &apiError{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
	}
	if expected != "" && expected != owner || owner != s.options.Account {
		return nil, &apiError{http.StatusForbidden, "AccessDenied", "Access Denied"}
	}
	region := s.options.Region
	if region == "us-east-1" {
		region = "" // as S3 spells it
	}
	return region, nil
}

func writeBucketResult(w http.ResponseWriter, result any) {
	region, _ := result.(string)
	writeBucketXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: region})
}

// writeBucketError writes an error as S3 spells it, which is not as IAM does.
func writeBucketError(w http.ResponseWriter, e *apiError) {
	writeBucketXML(w, e.status, struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		RequestID string `xml:"RequestId"`
	}{Code: e.code, Message: e.message, RequestID: requestID})
}

func writeBucketXML(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(answer)
}
