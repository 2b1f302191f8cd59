package rehearsal

import (
	"net/http"
	"regexp"
	"slices"
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
	return struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}{q.caller.arn, q.caller.userID, s.options.Account}, nil
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
	r, err := s.assume(policy.ParsePrincipal(q.caller.arn), f.Get("RoleArn"), id)
	if err != nil {
		return nil, err
	}
	if duration > r.session {
		return nil, &apiError{http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."}
	}
	var out assumeRoleXML
	out.AssumedRoleUser.AssumedRoleID = r.id + ":" + session
	out.AssumedRoleUser.Arn = "arn:" + s.options.Partition + ":sts::" + s.options.Account + ":assumed-role/" + r.name + "/" + session
	out.Credentials = sessionXML{AccessKeyID: s.newID("ASIA")[:20], SecretAccessKey: "rehearsal", SessionToken: "rehearsal",
		Expiration: stamp(time.Now().Add(time.Duration(duration) * time.Second))}
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

// AssumeRole tries what a vendor does: assume the role from another account
// with an external ID ("" for none). The error is AWS's. A role that is new, or
// whose trust policy is, cannot be assumed before it has propagated.
func (s *Server) AssumeRole(principalAccount, roleARN, externalID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := policy.ParsePrincipal("arn:" + s.options.Partition + ":iam::" + principalAccount + ":root")
	if _, err := s.assume(from, roleARN, externalID); err != nil {
		return err
	}
	return nil
}

func (s *Server) assume(from policy.Principal, roleARN, externalID string) (*role, *apiError) {
	denied := &apiError{http.StatusForbidden, "AccessDenied",
		"User: " + from.Value + " is not authorized to perform: sts:AssumeRole on resource: " + roleARN}
	for _, r := range s.state.roles {
		if r.arn != roleARN {
			continue
		}
		if time.Now().Before(r.assumable) || !s.trusts(r, from, externalID) {
			return nil, denied
		}
		return r, nil
	}
	return nil, denied // AWS does not tell whether a role exists
}

// trusts evaluates a trust policy: some Allow must cover the caller and the
// external ID, and no Deny may.
func (s *Server) trusts(r *role, from policy.Principal, externalID string) bool {
	return slices.ContainsFunc(r.document.Trusts(), func(g policy.TrustGrant) bool {
		covers := slices.ContainsFunc(g.Principals, func(p policy.Principal) bool { return p.Covers(from) })
		if !covers || !g.ExternalID.Accepts(externalID) {
			return false
		}
		met := func(c policy.Condition) bool { return s.meets(c, from) }
		if !all(g.Conditions, met) {
			return false
		}
		return !slices.ContainsFunc(g.Denied, func(i int) bool { return s.denies(r.document.Statements[i], from, externalID) })
	})
}

func all[T any](list []T, ok func(T) bool) bool {
	return !slices.ContainsFunc(list, func(v T) bool { return !ok(v) })
}

// denies evaluates a Deny that names the caller.
func (s *Server) denies(d policy.Statement, from policy.Principal, externalID string) bool {
	return all(d.Condition, func(c policy.Condition) bool {
		if strings.EqualFold(c.Key, "sts:ExternalId") {
			return policy.ExternalID{Conditions: []policy.Condition{c}}.Accepts(externalID)
		}
		return s.meets(c, from)
	})
}

// meets evaluates the few conditions whose context a rehearsal has: who calls.
// Any other key is absent from the request, as it would be for a vendor.
func (s *Server) meets(c policy.Condition, from policy.Principal) bool {
	operator, _, ifExists := c.Base()
	var value string
	switch strings.ToLower(c.Key) {
	case "aws:principalaccount":
		value = from.AccountID
	case "aws:principalarn":
		value = from.Value
	default:
		return ifExists || c.Negated()
	}
	found := slices.ContainsFunc(c.Values, func(v string) bool {
		return v == value || strings.HasSuffix(operator, "Like") && policy.Matches(v, value)
	})
	return found != c.Negated()
}
