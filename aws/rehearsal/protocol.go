package rehearsal

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// largestBody bounds a request: IAM's largest document has 131,072 characters,
// at most nine bytes each on the wire.
const largestBody = 2 << 20

// apiError is an error that AWS answers with.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// request is one call with its parameters.
type request struct {
	service, action string
	form            url.Values
	caller          caller
	// signedWith tells whether the request was signed with a secret access key;
	// nil when it came without HTTP.
	signedWith  func(secret string) bool
	largestPage int    // see Options.LargestPage
	json        []byte // of a service that speaks JSON
}

// caller is who signed a call.
type caller struct{ arn, userID string }

// full is the action as policies name it.
func (r request) full() string { return r.service + ":" + r.action }

// action is what a call does; the lock is held. The result is marshalled into
// the element <ActionResult>, or into JSON for organizations.
type action func(*Server, request) (any, *apiError)

// actions is the table of a service's actions.
func actions(service string) map[string]action {
	switch service {
	case "iam":
		return iamActions()
	case "sts":
		return stsActions()
	case "organizations":
		return organizationsActions()
	case "cloudformation":
		return stackActions()
	case "s3":
		return bucketActions()
	}
	return nil
}

// ServeHTTP answers one call of the query protocol (XML) or, for
// organizations, of JSON 1.1.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := readRequest(r)
	if err != nil {
		writeError(w, "iam", err)
		return
	}
	s.mu.Lock()
	latency := s.latency
	s.mu.Unlock()
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-r.Context().Done():
			return
		}
	}
	result, apiErr, drop := s.do(req, r.Header.Get("Authorization"))
	w.Header().Set("Date", s.date())
	switch {
	case drop:
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http closes the connection without an answer
	case apiErr != nil:
		writeError(w, req.service, apiErr)
	default:
		writeResult(w, req, result)
	}
}

// date is the time of an answer, by the clock that dates what is made.
func (s *Server) date() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Now().UTC().Format(http.TimeFormat)
}

// do runs a call under the lock: signature, faults, then the action itself.
func (s *Server) do(req request, authorization string) (result any, err *apiError, drop bool) {
	if member := s.member(authorization); member != nil {
		return member.do(req, authorization)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{Action: req.full(), At: s.options.Now()})
	s.advanceStacks(s.options.Now())
	defer s.goWrong()
	s.goWrong()
	if req.caller, err = s.callerOf(authorization, req); err != nil {
		return nil, err, false
	}
	if err = s.regionDisabled(authorization, req); err != nil {
		return nil, err, false
	}
	kind, hit := s.fault(req.full())
	if hit && kind == DropBefore {
		return nil, nil, true
	}
	if hit && kind != DropAfter {
		return nil, s.faultError(kind, req), false
	}
	req.largestPage = s.options.LargestPage
	if result, err, ok := s.beyond(req); ok {
		return result, err, hit
	}
	run, ok := actions(req.service)[req.action]
	if !ok {
		return nil, &apiError{http.StatusBadRequest, "InvalidAction",
			fmt.Sprintf("Could not find operation %s for version %s", req.action, req.form.Get("Version"))}, false
	}
	result, err = run(s, req)
	return result, err, hit
}

// callerOf accepts the server's own access key and those it gave out, and no
// other. The signature of its own key is not computed: a rehearsal has nothing
// to protect.
func (s *Server) callerOf(authorization string, req request) (caller, *apiError) {
	key, _, _ := strings.Cut(credentialOf(authorization), "/")
	found, ok := s.state.sessions[key]
	if key == accessKeyID {
		found, ok = caller{s.options.CallerARN, "AIDAREHEARSALEXAMPLE1"}, true
	}
	switch {
	case key == "":
		return caller{}, &apiError{http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token"}
	case !ok:
		return s.callerWithKey(key, req)
	case s.expired:
		return caller{}, &apiError{http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired"}
	}
	return found, nil
}

// credentialOf is "KEY/DATE/REGION/SERVICE/aws4_request" of a SigV4 header.
func credentialOf(authorization string) string {
	_, rest, ok := strings.Cut(authorization, "Credential=")
	if !ok {
		return ""
	}
	credential, _, _ := strings.Cut(rest, ",")
	return strings.TrimSpace(credential)
}

func readRequest(r *http.Request) (request, *apiError) {
	if r.Method == http.MethodGet {
		return readBucketRequest(r)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, largestBody+1))
	if err != nil || len(body) > largestBody || r.Method != http.MethodPost {
		return request{}, &apiError{http.StatusBadRequest, "MalformedQueryString", "The query string contains a syntax error."}
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, name, _ := strings.Cut(target, ".")
		return request{service: "organizations", action: name, form: jsonForm(body), json: body}, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return request{}, &apiError{http.StatusBadRequest, "MalformedQueryString", "The query string contains a syntax error."}
	}
	service := "iam"
	if parts := strings.Split(credentialOf(r.Header.Get("Authorization")), "/"); len(parts) == 5 {
		service = parts[3]
	}
	return request{service: service, action: form.Get("Action"), form: form,
		signedWith: func(secret string) bool { return signed(r, body, secret) }}, nil
}

// namespaces are the XML name spaces of the query services.
func namespace(service string) string {
	switch service {
	case "sts":
		return "https://sts.amazonaws.com/doc/2011-06-15/"
	case "cloudformation":
		return "http://cloudformation.amazonaws.com/doc/2010-05-15/"
	}
	return "https://iam.amazonaws.com/doc/2010-05-08/"
}

const requestID = "00000000-0000-4000-8000-000000000000"

func writeResult(w http.ResponseWriter, req request, result any) {
	w.Header().Set("X-Amzn-Requestid", requestID)
	if req.service == "organizations" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(result)
		return
	}
	if req.service == "s3" {
		writeBucketResult(w, result)
		return
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<%sResponse xmlns="%s">`, req.action, namespace(req.service))
	if result != nil {
		if err := xml.NewEncoder(&b).EncodeElement(result, xml.StartElement{Name: xml.Name{Local: req.action + "Result"}}); err != nil {
			writeError(w, req.service, &apiError{http.StatusInternalServerError, "InternalFailure", err.Error()})
			return
		}
	}
	fmt.Fprintf(&b, `<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>`, requestID, req.action)
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(b.Bytes())
}

func writeError(w http.ResponseWriter, service string, e *apiError) {
	w.Header().Set("X-Amzn-Requestid", requestID)
	if service == "organizations" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(e.status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.code, "Message": e.message})
		return
	}
	if service == "s3" {
		writeBucketError(w, e)
		return
	}
	kind := "Sender"
	if e.status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	type detail struct {
		Type, Code, Message string
	}
	answer := struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		NS        string   `xml:"xmlns,attr"`
		Error     detail
		RequestID string `xml:"RequestId"`
	}{NS: namespace(service), Error: detail{kind, e.code, e.message}, RequestID: requestID}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(e.status)
	_ = xml.NewEncoder(w).Encode(answer)
}
