package rehearsal

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"rolecall/policy"
)

// stsActions is the table of STS.
func stsActions() map[string]action {
	return map[string]action{"GetCallerIdentity": getCallerIdentity, "AssumeRole": assumeRole}
}

func getCallerIdentity(s *Server, q request) (any, *apiError) {
	account, arn := s.options.Account, q.caller.arn
	if s.makes(OtherLogin) {
		account, arn = strangeAccount, strings.Replace(arn, account, strangeAccount, 1)
	}
	return struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}{arn, q.caller.userID, account}, nil
}

var (
	externalIDPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@:/-]*$`) })
	sessionPattern    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@-]*$`) })
)

// assumeRole is STS's AssumeRole for the signed-in caller.
func assumeRole(s *Server, q request) (any, *apiError) {
	f := q.form
	session, id := f.Get("RoleSessionName"), f.Get("ExternalId")
	switch {
	case len(session) < 2 || len(session) > 64 || !sessionPattern().MatchString(session):
		return nil, invalid(session, "roleSessionName", `Member must satisfy regular expression pattern: [\w+=,.@-]*`)
	case id != "" && (len(id) < 2 || len(id) > 1224 || !externalIDPattern().MatchString(id)):
		return nil, invalid(id, "externalId", `Member must satisfy regular expression pattern: [\w+=,.@:\/-]*`)
	}
	duration := 3600
	if v := f.Get("DurationSeconds"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 900 || n > 43200 {
			return nil, invalid(v, "durationSeconds", "Member must have value between 900 and 43200")
		}
		duration = n
	}
	r, err := s.assume(s.assuming(q.caller.arn), f.Get("RoleArn"), session, id)
	if err != nil {
		return nil, err
	}
	if duration > r.session {
		return nil, &apiError{
			http.StatusBadRequest,
			"ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		}
	}
	var out assumeRoleXML
	out.AssumedRoleUser.AssumedRoleID = r.id + ":" + session
	out.AssumedRoleUser.Arn = "arn:" + s.options.Partition + ":sts::" + s.options.Account + ":assumed-role/" + r.name + "/" + session
	out.Credentials = sessionXML{AccessKeyID: s.newID("ASIA")[:20], SecretAccessKey: "rehearsal", SessionToken: "rehearsal",
		Expiration: stamp(s.options.Now().Add(time.Duration(duration) * time.Second))}
	s.state.sessions[out.Credentials.AccessKeyID] = caller{out.AssumedRoleUser.Arn, out.AssumedRoleUser.AssumedRoleID}
	return out, nil
}

type assumeRoleXML struct {
	Credentials     sessionXML
	AssumedRoleUser struct {
		AssumedRoleID string `xml:"AssumedRoleId"`
		Arn           string
	}
}

type sessionXML struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

// assuming reads the ARN of who is signed in. Of a role's session, a trust
// policy sees the role too.
func (s *Server) assuming(arn string) policy.Caller {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || !strings.HasPrefix(parts[5], "assumed-role/") {
		return policy.Caller{ARN: arn}
	}
	name := strings.Split(parts[5], "/")[1]
	from := policy.Caller{ARN: s.arn("role/" + name), Session: arn}
	for _, r := range s.state.roles {
		if r.name == name {
			from.ARN = r.arn
		}
	}
	return from
}

// AssumeRole tries what a vendor does: assume the role from another account
// with an external ID ("" for none). The error is AWS's. A role that is new, or
// whose trust policy is, cannot be assumed before it has propagated.
func (s *Server) AssumeRole(principalAccount, roleARN, externalID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := policy.Caller{ARN: "arn:" + s.options.Partition + ":iam::" + principalAccount + ":role/vendor"}
	s.spoilTried(roleARN)
	r, err := s.assume(from, roleARN, "rehearsal", externalID)
	if err == nil {
		err = s.tried(r)
	}
	if err != nil {
		return err
	}
	return nil
}

func (s *Server) assume(from policy.Caller, roleARN, sessionName, externalID string) (*role, *apiError) {
	denied := &apiError{http.StatusForbidden, "AccessDenied",
		"User: " + from.String() + " is not authorized to perform: sts:AssumeRole on resource: " + roleARN}
	for _, r := range s.state.roles {
		if r.arn != roleARN {
			continue
		}
		asked := s.assumption(from, sessionName, externalID)
		if err := s.guarded(from, roleARN, asked); err != nil {
			return nil, err
		}
		if s.options.Now().Before(r.assumable) || r.document.Ask(asked).Outcome != policy.Allowed {
			return nil, denied
		}
		r.used = s.options.Now()
		return r, nil
	}
	return nil, denied // AWS does not tell whether a role exists
}

// assumption is the request as policies see it. What a rehearsal does not have
// (tags, an address) is absent.
func (s *Server) assumption(from policy.Caller, sessionName, externalID string) policy.Request {
	return policy.NewRequest(policy.AssumeRole, from, s.options.Now()).WithExternalID(externalID).
		With("aws:ResourceAccount", s.options.Account).With("aws:RequestedRegion", s.options.Region).With("sts:RoleSessionName", sessionName)
}
