package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ErrorKind sorts what can go wrong by what a person can do about it.
type ErrorKind int

// The kinds of an Error. Other is the zero value: nothing better is known.
const (
	Other          ErrorKind = iota
	NotSignedIn              // no usable credentials: none found or accepted, or configuration or clock stand in the way
	Expired                  // the credentials ran out and can be renewed
	NeedsMFA                 // the profile wants a code and none was given
	Denied                   // a permission is missing
	Throttled                // AWS asks to slow down
	NotFound                 // the named thing does not exist
	Exists                   // the name is taken
	Limit                    // a quota or size limit was reached
	Conflict                 // something else still uses it, or changed it at the same time
	Malformed                // AWS refused a document or a value
	Network                  // no answer came
	Unavailable              // AWS answered that it is not well (5xx)
	WrongAccount             // other credentials than the pinned account's
	WrongPartition           // another partition than the chosen one
	Canceled                 // the caller gave up
)

// String names the kind for logs and tests.
func (k ErrorKind) String() string {
	names := [...]string{"other", "not signed in", "expired", "needs MFA", "denied", "throttled", "not found", "exists", "limit",
		"conflict", "malformed", "network", "unavailable", "wrong account", "wrong partition", "canceled"}
	if int(k) < 0 || int(k) >= len(names) {
		return "other"
	}
	return names[k]
}

// Error is a failure in words for someone who does not know IAM by heart. All
// its texts are safe to draw: control characters were removed.
type Error struct {
	Kind     ErrorKind
	Op       string // what rolecall was doing, a bare verb phrase: "get role spot"
	Action   string // the IAM action concerned, "iam:ListRoles"; may be empty
	What     string // what happened, a sentence
	Expected string // what was expected instead; may be empty
	Next     string // what to do next, a sentence
	AWS      string // AWS's own words, cleaned; may be empty
	Err      error  // the cause

	// What AWS's answer names, empty where it names nothing.
	Code         string // "AccessDenied"
	RequestID    string // by which AWS Support finds the request
	Principal    string // who was refused, or whom AWS does not know
	Resource     string // what the refused action was to act on
	DeniedBy     string // the type of policy: "service control policy", "permissions boundary", …
	PolicyARN    string // the policy that denied
	ExplicitDeny bool   // a Deny, rather than no Allow
	Parameter    string // the value that was refused: "roleName"

	Skew time.Duration // how far this machine's clock is ahead of AWS's; negative: behind
}

// Error is the bare verb phrase, what happened and the next step.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(e.What)
	if e.AWS != "" {
		b.WriteString(" (AWS says: " + e.AWS + ")")
	}
	if e.Next != "" {
		b.WriteString(" " + e.Next)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of err, Other when err is nil or not from here.
func KindOf(err error) ErrorKind {
	if e := Explain(err); e != nil {
		return e.Kind
	}
	return Other
}

// codes maps the error codes of IAM, STS, Organizations, CloudFormation and S3 to
// kinds. Sources: the services' API references, "Common Errors" included.
var codes = sync.OnceValue(func() map[string]ErrorKind {
	return map[string]ErrorKind{
		"ExpiredToken":                        Expired,
		"ExpiredTokenException":               Expired,
		"RequestExpired":                      NotSignedIn,
		"TokenRefreshRequired":                Expired,
		"InvalidClientTokenId":                NotSignedIn,
		"UnrecognizedClientException":         NotSignedIn,
		"SignatureDoesNotMatch":               NotSignedIn,
		"MissingAuthenticationToken":          NotSignedIn,
		"AuthFailure":                         NotSignedIn,
		"IncompleteSignature":                 NotSignedIn,
		"InvalidSignatureException":           NotSignedIn,
		"InvalidAccessKeyId":                  NotSignedIn,
		"InvalidToken":                        NotSignedIn,
		"SignatureVersionNotSupported":        NotSignedIn,
		"IncompleteSignatureException":        NotSignedIn,
		"MissingAuthenticationTokenException": NotSignedIn,
		"InvalidClientTokenIdException":       NotSignedIn,
		"InvalidIdentityToken":                NotSignedIn,
		"IDPRejectedClaim":                    NotSignedIn,
		"RegionDisabledException":             NotSignedIn,
		"InvalidIdentityTokenException":       NotSignedIn,
		"RequestInTheFuture":                  NotSignedIn,
		"RequestTimeTooSkewed":                NotSignedIn,
		"AccessDenied":                        Denied,
		"AccessDeniedException":               Denied,
		"UnauthorizedOperation":               Denied,
		"OptInRequired":                       Denied,
		"UnauthorizedAccess":                  Denied,
		"UnauthorizedAccessException":         Denied,
		"NotAuthorized":                       Denied,
		"NotAuthorizedException":              Denied,
		"AuthorizationError":                  Denied,
		"AuthorizationErrorException":         Denied,
		"AllAccessDisabled":                   Denied,
		"Forbidden":                           Denied,
		"AccessDeniedForDependencyException":  Denied,
		"AccountProblem":                      Denied,
		"SubscriptionRequiredException":       Denied,
		"AccessDeniedFault":                   Denied,
		"ForbiddenException":                  Denied, // of the SSO portal: no such role for this user
		"Throttling":                          Throttled,
		"ThrottlingException":                 Throttled,
		"ThrottledException":                  Throttled,
		"TooManyRequestsException":            Throttled,
		"RequestLimitExceeded":                Throttled,
		"SlowDown":                            Throttled,
		"PriorRequestNotComplete":             Throttled,
		"RequestThrottled":                    Throttled,
		"NoSuchEntity":                        NotFound,
		"NoSuchBucket":                        NotFound,
		"EntityAlreadyExists":                 Exists,
		"AlreadyExistsException":              Exists,
		"LimitExceeded":                       Limit,
		"LimitExceededException":              Limit,
		"InsufficientCapabilitiesException":   Malformed,
		"DeleteConflict":                      Conflict,
		"ConcurrentModification":              Conflict,
		"EntityTemporarilyUnmodifiable":       Conflict,
		"UnmodifiableEntity":                  Conflict,
		"MalformedPolicyDocument":             Malformed,
		"InvalidInput":                        Malformed,
		"ValidationError":                     Malformed,
		"InvalidParameterValue":               Malformed,
		"ServiceFailure":                      Unavailable,
		"ServiceUnavailable":                  Unavailable,
		"InternalFailure":                     Unavailable,
		"InternalError":                       Unavailable,
		"AWSOrganizationsNotInUseException":   NotFound,
		"ParentNotFoundException":             NotFound,
		"TargetNotFoundException":             NotFound,
		"StackSetNotFoundException":           NotFound,
		"StackInstanceNotFoundException":      NotFound,
		"OperationNotFoundException":          NotFound,
		"NameAlreadyExistsException":          Exists,
		"OperationIdAlreadyExistsException":   Exists,
		"OperationInProgressException":        Conflict,
		"StackSetNotEmptyException":           Conflict,
	}
})

// Explain turns any error of this package or of the SDK into an *Error. It
// gives nil for nil.
func Explain(err error) *Error { return explain(err, "", "", "") }

// explain adds what was being done: op is the verb phrase, action the IAM
// action, profile the one in use, so that the next step can name it.
func explain(err error, op, action, profile string) *Error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	e := &Error{Op: op, Action: action, Err: err}
	var api smithy.APIError
	switch {
	case errors.Is(err, context.Canceled):
		e.Kind, e.What, e.Next = Canceled, "It was cancelled.", "Try again."
	case (isForeign(err) || isTimeout(err)) && !ofProcess(err) && !ofMetadata(err): // also on the way to credentials
		explainTransport(e, err)
	case noSignIn(e, err, profile):
	case errors.As(err, &api):
		explainCode(e, api, err, profile)
	default:
		explainTransport(e, err)
	}
	e.Expected = cmp.Or(e.Expected, e.wanted())
	return e
}

// wanted is what was expected in the place of a kind of error, where nothing says
// it more precisely.
func (e *Error) wanted() string {
	switch e.Kind {
	case Denied:
		return "permission for " + cmp.Or(e.Action, "this request")
	case Expired, NotSignedIn, NeedsMFA:
		return "credentials that AWS accepts"
	case Limit:
		return "room below the quota"
	case Exists:
		return "a name that is free"
	case NotFound:
		return "something of that name in this account"
	case Conflict:
		return "nothing else that uses or changes it"
	case Malformed:
		return "a request as AWS takes it"
	case Throttled, Unavailable, Network:
		return "an answer of AWS"
	}
	return ""
}

// explainCode fills e from an answer that AWS sent.
func explainCode(e *Error, api smithy.APIError, err error, profile string) {
	e.AWS, e.Code, e.RequestID = cleanText(api.ErrorMessage()), cleanText(api.ErrorCode()), requestIDOf(err)
	if aboutClock(e.Code, e.AWS) {
		explainClock(e, err)
		return
	}
	e.Kind = kindOf(e.Code, e.AWS, statusOf(err))
	switch e.Kind {
	case Expired:
		e.What, e.Next = "Your AWS credentials have expired.", renew(profile)
	case NotSignedIn:
		e.What, e.Next = "AWS does not accept these credentials.", "Check the access key or sign in again: "+signInCommand(profile)
	case Denied:
		explainDenied(e)
	case Throttled:
		e.What, e.Next = "AWS asks to slow down.", "Wait a minute and try again."
	case NotFound:
		e.What, e.Next = "It does not exist in this account.", "Check the name and the account."
	case Exists:
		e.What, e.Next = "The name is taken.", "Choose another name. IAM ignores case in names."
	case Limit:
		e.What, e.Next = "A limit of this AWS account is reached.", "Remove what is no longer used, or ask AWS Support to raise the quota."
	case Conflict:
		e.What, e.Next = "Something else uses it or changed it at the same time.", "Detach it there first, or try again."
	case Malformed:
		explainMalformed(e)
	case Unavailable:
		e.What, e.Next = "AWS could not answer just now.", "Try again in a minute. The AWS Health Dashboard says more."
	default:
		e.What, e.Next = "AWS refused the request ("+cleanText(api.ErrorCode())+").", "Read AWS's words above, then try again."
	}
}

// kindOf sorts an answer by its code, its sentence and, where the code says
// nothing, its HTTP status.
func kindOf(code, said string, status int) ErrorKind {
	code = strings.TrimPrefix(code, "Client.") // as EC2 tells codes in events
	kind := codes()[code]
	switch {
	case denied(code, said):
		return Denied
	case kind != Other:
		return kind
	case strings.Contains(said, invalidPrincipalWords):
		return Malformed
	case status >= http.StatusInternalServerError:
		return Unavailable
	case status == http.StatusForbidden:
		return Denied
	}
	return Other
}

// requestIDOf is the number by which AWS finds a request.
func requestIDOf(err error) string {
	var answer interface{ ServiceRequestID() string }
	if errors.As(err, &answer) {
		return cleanText(answer.ServiceRequestID())
	}
	return ""
}

func isForeign(err error) bool {
	var foreign *foreignAnswer
	return errors.As(err, &foreign)
}

// noSignIn recognises what the credential providers of the SDK say before any
// request reaches the service.
func noSignIn(e *Error, err error, profile string) bool {
	text := err.Error()
	var token *ssocreds.InvalidTokenError
	switch {
	case errors.As(err, &token),
		ssoRefused(err),
		strings.Contains(text, "cached SSO token is expired"),
		strings.Contains(text, "refresh SSO token"),
		strings.Contains(text, "refresh cached SSO token failed"),
		strings.Contains(text, "cached SSO token file"):
		e.Kind, e.What = Expired, "The SSO session has expired or was never started."
		e.Next = ssoCommand(profile)
	case strings.Contains(text, "please reauthenticate"),
		strings.Contains(text, "load login token"),
		strings.Contains(text, "validate login token"):
		e.Kind, e.What = Expired, "The AWS login session has expired."
		e.Next = "Run `aws login" + profileFlag(profile) + "`; over SSH add `--remote`."
	case strings.Contains(text, "AssumeRoleTokenProvider"), strings.Contains(text, askMFACode):
		needed := needsMFA()
		e.Kind, e.What, e.Next = needed.Kind, needed.What, needed.Next
	case strings.Contains(text, "MultiFactorAuthentication failed"), strings.Contains(text, "invalid MFA"):
		e.Kind, e.What, e.Next = NeedsMFA, "AWS did not accept the MFA code.", "Wait for the next code and enter it; each code works once."
	case ofProcess(err):
		e.Kind, e.What, e.Next = NotSignedIn, "The profile's credential_process gave no credentials.", "Run that command by hand and read "+
			"what it says."
	case ofMetadata(err), strings.Contains(text, "failed to refresh cached credentials"),
		strings.Contains(text, "static credentials are empty"), strings.Contains(text, "get identity: get credentials"):
		return noCredentials(e, err, profile)
	default:
		return false
	}
	return true
}

// ofProcess tells an error of a profile's credential_process.
func ofProcess(err error) bool {
	var process *processcreds.ProviderError
	return errors.As(err, &process) || strings.Contains(err.Error(), "error in credential_process")
}

// ofMetadata tells an error of instance metadata, which nobody answers outside
// of EC2.
func ofMetadata(err error) bool { return strings.Contains(err.Error(), "no EC2 IMDS role found") }

// ssoRefused tells whether AWS ended the SSO session from its side: the portal
// or the token service do not know the session any more.
func ssoRefused(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "UnauthorizedException", "InvalidGrantException", "UnauthorizedClientException":
		return true
	}
	return false
}

// noCredentials is the last resort of noSignIn: a provider answered, or nobody
// did. An answer of the service inside (say, AssumeRole denied) says more, and
// so does a connection that failed.
func noCredentials(e *Error, err error, profile string) bool {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	if errors.As(err, &api) || errors.As(err, &send) && !ofMetadata(err) {
		return false
	}
	e.Kind, e.What, e.Next = NotSignedIn, "No AWS credentials were found.", "Sign in: "+signInCommand(profile)
	if !ofMetadata(err) && !strings.Contains(err.Error(), "static credentials are empty") {
		e.What, e.Expected = "The AWS credentials could not be got.", "credentials: "+cleanText(rootCause(err))
	}
	return true
}

func profileFlag(profile string) string {
	if profile == "" {
		return ""
	}
	return " --profile " + cleanText(profile)
}

func signInCommand(profile string) string {
	flag := profileFlag(profile)
	return "`aws login" + flag + "`, `aws sso login" + flag + "` or `aws configure" + flag + "`."
}

func ssoCommand(profile string) string {
	command := "aws sso login" + profileFlag(profile)
	return "Run `" + command + "`; over SSH `" + command + " --use-device-code`."
}

func renew(profile string) string {
	return "Renew them (" + strings.TrimSuffix(signInCommand(profile), ".") + "), then go on here."
}

func statusOf(err error) int {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) {
		return r.HTTPStatusCode()
	}
	return 0
}

// refuse builds an Error that rolecall itself decided on.
func refuse(kind ErrorKind, what, expected, next string) *Error {
	e := &Error{Kind: kind, What: cleanText(what), Expected: cleanText(expected), Next: cleanText(next)}
	e.Err = fmt.Errorf("%s", kind)
	return e
}
