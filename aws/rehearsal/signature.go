package rehearsal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// signed tells whether a request was signed with a secret access key, by AWS's
// Signature Version 4 in its Authorization header.
// Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func signed(r *http.Request, body []byte, secret string) bool {
	authorization := r.Header.Get("Authorization")
	scope := strings.SplitN(credentialOf(authorization), "/", 2)
	names, given := partOf(authorization, "SignedHeaders="), partOf(authorization, "Signature=")
	if len(scope) != 2 || names == "" || given == "" {
		return false
	}
	canonical := []string{r.Method, r.URL.EscapedPath(), r.URL.Query().Encode()}
	for _, name := range strings.Split(names, ";") {
		canonical = append(canonical, name+":"+headerOf(r, name))
	}
	sum := sha256.Sum256(body)
	canonical = append(canonical, "", names, hex.EncodeToString(sum[:]))
	request := sha256.Sum256([]byte(strings.Join(canonical, "\n")))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope[1], hex.EncodeToString(request[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range strings.Split(scope[1], "/") {
		key = keyed(key, part)
	}
	want, err := hex.DecodeString(given)
	return err == nil && hmac.Equal(keyed(key, toSign), want)
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// partOf is one value of an Authorization header.
func partOf(authorization, name string) string {
	_, rest, _ := strings.Cut(authorization, name)
	value, _, _ := strings.Cut(rest, ",")
	return strings.TrimSpace(value)
}

// headerOf is a header as it is signed. The server takes two of them out of
// the request's headers.
func headerOf(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, value := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(value), " "))
	}
	return strings.Join(values, ",")
}
