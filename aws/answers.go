package aws

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// foreignAnswer is an answer that AWS did not give: a proxy's, or the page of a
// network that wants a person to sign in.
type foreignAnswer struct {
	status int
	proxy  string // the host that answered in the place of AWS, where it is known
	to     string // the host that a redirect leads to
}

// Error is what came, in short.
func (f *foreignAnswer) Error() string {
	if f.to != "" {
		return fmt.Sprintf("%d, a redirect to %s", f.status, f.to)
	}
	return fmt.Sprintf("%d %s, and no answer of AWS", f.status, http.StatusText(f.status))
}

// RetryableError tells the SDK that the same would come again, but for servers
// that are not well.
func (f *foreignAnswer) RetryableError() bool {
	return f.status >= http.StatusInternalServerError && f.status != http.StatusNetworkAuthenticationRequired
}

// sniffed is how much of a body is looked at (net/http.DetectContentType).
const sniffed = 512

// refuseForeignAnswers stands next to the wire, before the SDK reads an answer:
// what is no answer of AWS would otherwise be told as AWS's refusal or as XML
// that is broken.
func refuseForeignAnswers(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc(
		"rolecallForeignAnswer",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput,
			middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			if err != nil {
				return out, metadata, err
			}
			if answer, ok := out.RawResponse.(*smithyhttp.Response); ok {
				err = foreignIn(answer.Response, rootOf(ctx))
			}
			return out, metadata, err
		},
	), middleware.After)
}

// rootOf is what the answer to a request begins with when it succeeded, empty
// where that is not known. The SDK would take any other text for an answer without
// content: no roles, no policies.
func rootOf(ctx context.Context) string {
	switch awsmiddleware.GetServiceID(ctx) {
	case iam.ServiceID, sts.ServiceID, cloudformation.ServiceID:
		return awsmiddleware.GetOperationName(ctx) + "Response"
	case organizations.ServiceID, sso.ServiceID, ssooidc.ServiceID:
		return "{"
	}
	return ""
}

// foreignIn recognises an answer that is not AWS's, nil for one that may be.
// AWS answers in XML or JSON, never with a page, never wants a password for a
// proxy, and redirects S3's requests alone, in XML. One that succeeded has root
// near its beginning.
func foreignIn(answer *http.Response, root string) error {
	start, err := io.ReadAll(io.LimitReader(answer.Body, sniffed))
	if err != nil {
		return &smithyhttp.RequestSendError{Err: err}
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), answer.Body), answer.Body}
	f := &foreignAnswer{status: answer.StatusCode}
	redirect := answer.StatusCode >= 300 && answer.StatusCode < 400
	if redirect {
		f.to = hostOf(answer.Header.Get("Location"))
	}
	switch {
	case f.status == http.StatusProxyAuthRequired, f.status == http.StatusNetworkAuthenticationRequired:
	case redirect && !isXML(start):
	case isPage(start):
	case f.status == http.StatusOK && !bytes.Contains(start, []byte(root)):
	default:
		return nil
	}
	_ = answer.Body.Close()
	return f
}

func hostOf(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	return cleanText(u.Host)
}

func isXML(start []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(start), []byte("<")) && !isPage(start)
}

// isPage reports whether a body starts as HTML does. The type that the header
// tells is no guide: servers that stand in for AWS call their XML HTML.
func isPage(start []byte) bool {
	return strings.HasPrefix(http.DetectContentType(body(start)), "text/html")
}

// body is what follows a byte order mark and the prolog of XML.
func body(start []byte) []byte {
	start = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(start), []byte("\xef\xbb\xbf")))
	if !bytes.HasPrefix(start, []byte("<?xml")) {
		return start
	}
	_, rest, _ := bytes.Cut(start, []byte("?>"))
	return bytes.TrimSpace(rest)
}

// checkProxyAnswer looks at what a proxy says to CONNECT (http.Transport,
// OnProxyConnectResponse).
func checkProxyAnswer(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &foreignAnswer{status: answer.StatusCode, proxy: proxy.Host, to: hostOf(answer.Header.Get("Location"))}
}

// isTimeout tells whether an answer did not come in time.
func isTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}

const checkNetwork = "Check the network, the proxy and the VPN, then try again."

// explainForeign fills e for an answer that was not AWS's.
func explainForeign(e *Error, f *foreignAnswer) {
	e.Kind, e.Expected = Network, "an answer from AWS: got "+f.Error()
	whose := "Something on the way to AWS"
	if f.proxy != "" {
		whose = "The proxy " + cleanText(f.proxy)
	}
	switch {
	case f.status == http.StatusProxyAuthRequired:
		if f.proxy == "" {
			whose = "A proxy on the way to AWS"
		}
		e.What = whose + " wants a user name and a password (407)."
		e.Next = "Put them into HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT), or take AWS's hosts out of the proxy with NO_PROXY, then try again."
	case f.status == http.StatusNetworkAuthenticationRequired, f.to != "" && f.proxy == "":
		e.What = "This network wants you to sign in before it lets requests through" + leadsTo(f.to) + "."
		e.Next = "Open any page in the browser, sign in to the network there, then try again."
	case f.RetryableError(): // AWS's own front door shows a page then, too
		e.Kind, e.What = Unavailable, fmt.Sprintf("AWS, or a proxy on the way, could not answer just now (%d).", f.status)
		e.Next = "Try again in a minute."
	case f.proxy != "":
		e.What = fmt.Sprintf("%s does not let requests through to AWS (%d %s).", whose, f.status, http.StatusText(f.status))
		e.Next = "Ask whoever runs the proxy to allow AWS's hosts, or take them out of it with NO_PROXY, then try again."
	default:
		e.What = fmt.Sprintf("%s answered in its place (%d).", whose, f.status)
		e.Next = "Open any page in the browser: a network may want you to sign in, a proxy may say why it refuses. Then try again."
	}
}

func leadsTo(host string) string {
	if host == "" {
		return ""
	}
	return ": it leads to " + host
}

// explainTransport fills e for an error without an answer from AWS.
func explainTransport(e *Error, err error) {
	var foreign *foreignAnswer
	var broken *smithy.DeserializationError
	e.Kind, e.Next = Network, checkNetwork
	e.Expected = "an answer from AWS: " + cleanText(rootCause(err))
	switch {
	case errors.As(err, &foreign):
		explainForeign(e, foreign)
	case isTimeout(err):
		e.What = "AWS did not answer in time."
	case explainTLS(e, err), explainConnection(e, err):
	case statusOf(err) >= http.StatusInternalServerError:
		e.Kind, e.What, e.Expected, e.Next = Unavailable, "AWS could not answer just now.", "", "Try again in a minute."
		return
	case errors.As(err, &broken):
		e.What, e.Expected = "The answer is not one of AWS, or it was cut off.", "an answer that can be read"
	default:
		e.Kind, e.What, e.Expected, e.AWS, e.Next = Other, "Something unexpected happened.", "", cleanText(err.Error()), "Try again."
		return
	}
	if strings.HasPrefix(e.Op, "create ") || strings.HasPrefix(e.Op, "delete ") || strings.HasPrefix(e.Op, "update ") {
		e.Next += " A change may have been made all the same: look before you repeat it."
	}
}

// explainTLS recognises a certificate that does not hold.
func explainTLS(e *Error, err error) bool {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		e.What = "The certificate on the way to AWS is from nobody that this machine trusts."
		e.Next = "If a proxy opens the connection, name its certificate in AWS_CA_BUNDLE or ca_bundle, then try again."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.What = "The certificate on the way to AWS does not hold at this machine's time, " + time.Now().UTC().Format(clockFormat) + "."
		e.Next = "Look whether the clock is right; if it is, something on the way shows an old certificate. Then try again."
	case errors.As(err, &invalid), errors.As(err, &host):
		e.What, e.Next = "The certificate on the way to AWS is not AWS's.", "Look for a proxy or a network that wants you to sign in, then "+
			"try again."
	case errors.As(err, &record):
		e.What, e.Next = "What answers in the place of AWS does not speak TLS.", "Look at AWS_ENDPOINT_URL and HTTPS_PROXY: the address may "+
			"need http instead of https. Then try again."
	default:
		return false
	}
	return true
}

// explainConnection recognises a connection that did not come about or broke.
func explainConnection(e *Error, err error) bool {
	var op *net.OpError
	var name *net.DNSError
	var netErr net.Error
	var urlErr *url.Error
	var send *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &op) && op.Op == "proxyconnect":
		e.What, e.Next = "The proxy cannot be reached.", "Correct HTTPS_PROXY, or take AWS's hosts out of it with NO_PROXY, then try again."
	case errors.As(err, &name):
		e.What = "The name " + cleanText(name.Name) + " cannot be found."
		e.Next = "Check the network, the region and any endpoint_url, then try again."
	case errors.As(err, &netErr), errors.As(err, &urlErr), errors.As(err, &send), ofRequest(e, err) && brokeOff(err):
		e.What = "The connection to AWS failed."
	default:
		return false
	}
	return true
}

// ofRequest tells whether an error came of asking AWS. One of reading a file can
// be the same io.ErrUnexpectedEOF, and says nothing of any connection.
func ofRequest(e *Error, err error) bool {
	var operation *smithy.OperationError
	return e.Op != "" || e.Action != "" || errors.As(err, &operation)
}

func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}

// rootCause is the innermost text, where the network says what failed.
func rootCause(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}
