package policy

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The calls of STS that a trust policy answers. Each is made by another kind
// of caller.
const (
	AssumeRole                = "sts:AssumeRole"
	AssumeRoleWithSAML        = "sts:AssumeRoleWithSAML"
	AssumeRoleWithWebIdentity = "sts:AssumeRoleWithWebIdentity"
)

// ExternalIDKey is the condition key of the external ID.
const ExternalIDKey = "sts:ExternalId"

// Caller is who asks to assume a role. Exactly one of ARN, Service and
// Provider is set.
type Caller struct {
	ARN      string // of the user, role, root user or federated user, as aws:PrincipalArn has it
	Session  string // the ARN of the role's session (arn:aws:sts::…:assumed-role/ROLE/SESSION), "" for one that nobody names
	Service  string // such as ec2.amazonaws.com
	Provider string // of a federated user: its provider's ARN or domain, as the document names it
}

// AccountID is the caller's account, "" for a service and a federated user.
func (c Caller) AccountID() string { return ParsePrincipal(c.ARN).AccountID }

// Type is what aws:PrincipalType has: Account, User, AssumedRole,
// FederatedUser; "" for a service and for a federated user.
func (c Caller) Type() string {
	parts := strings.SplitN(c.ARN, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	kind, _, _ := strings.Cut(parts[5], "/")
	switch kind {
	case "root":
		return "Account"
	case "user":
		return "User"
	case "role":
		return "AssumedRole"
	case "federated-user":
		return "FederatedUser"
	}
	return ""
}

// String names the caller.
func (c Caller) String() string {
	switch {
	case c.Service != "":
		return c.Service
	case c.Provider != "":
		return "a user of " + c.Provider
	case c.Session != "":
		return c.Session
	}
	return c.ARN
}

// Request is one call about a role, with what is known of it. A key has
// values, or is known to be absent, or is open: it may be absent or have any
// value. Requests are values; every method returns another one.
type Request struct {
	Action string
	Caller Caller

	now  time.Time
	open bool // keys that are not in keys are open, else absent
	keys *keyed
	memo map[string]found // shared by the requests of one question about one document
}

// keyed is one key of a request, by its name in lower case, before the keys
// that were set earlier. Requests share their tails, since a question makes
// thousands of them.
type keyed struct {
	name string
	setting
	next *keyed
}

// found is what a key can hold, kept because many callers are asked alike.
type found struct {
	values   []class
	complete bool
}

// setting is what is known of one condition key.
type setting struct {
	open     bool
	values   []string // nil: absent
	example  bool     // the values stand for others of their kind
	tried    bool     // the values were assumed to answer a question
	sealed   bool     // open, and not to be tried out: every condition on it may hold
	among    [][]string
	always   bool      // open, and never absent
	excluded []pattern // texts that an open key does not have
}

// NewRequest is a call by a caller at a time, with everything that is certain
// for any such call. The zero time is an unknown one. Other keys are absent.
//
// Sources: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// (what a key holds, and when it is there) and the API reference of STS, which
// takes requests over TLS only.
func NewRequest(action string, caller Caller, now time.Time) Request {
	r := Request{Action: action, Caller: caller, now: now}
	certain := map[string][]string{
		"aws:securetransport": {"true"}, "aws:principalisawsservice": {"false"},
	}
	if !now.IsZero() {
		certain["aws:currenttime"] = []string{now.UTC().Format(time.RFC3339)}
		certain["aws:epochtime"] = []string{formatSeconds(float64(now.Unix()))}
	}
	switch {
	case caller.Service != "":
		certain["aws:principalisawsservice"] = []string{"true"}
		certain["aws:principalservicename"] = []string{caller.Service}
	case caller.ARN != "":
		certain["aws:principalarn"] = []string{caller.ARN}
		certain["aws:principalaccount"] = []string{caller.AccountID()}
		certain["aws:principaltype"] = []string{caller.Type()}
		if caller.Type() == "User" {
			certain["aws:username"] = []string{caller.ARN[strings.LastIndex(caller.ARN, "/")+1:]}
		}
		for _, key := range onlyServices() {
			certain[key] = nil
		}
	}
	for key, values := range certain {
		r.keys = &keyed{key, setting{values: values}, r.keys}
	}
	return r
}

// onlyServices are the keys that are there only when a service calls by
// itself.
func onlyServices() []string {
	return []string{"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner",
		"aws:principalservicename", "aws:principalservicenameslist"}
}

// Open leaves every key open that is not set.
func (r Request) Open() Request {
	r.open = true
	return r
}

// With sets a key. Without values the key is absent.
func (r Request) With(key string, values ...string) Request {
	return r.set(key, setting{values: values})
}

// WithExternalID gives an external ID, none where id is "".
func (r Request) WithExternalID(id string) Request {
	if id == "" {
		return r.With(ExternalIDKey)
	}
	return r.With(ExternalIDKey, id)
}

// Unknown leaves keys open.
func (r Request) Unknown(keys ...string) Request {
	for _, key := range keys {
		r = r.set(key, setting{open: true})
	}
	return r
}

// Among leaves a key open between some values. An empty list stands for none.
func (r Request) Among(key string, values ...[]string) Request {
	return r.set(key, setting{open: true, among: values})
}

func (r Request) set(key string, s setting) Request {
	r.keys = &keyed{strings.ToLower(key), s, r.keys}
	return r
}

// get is what is known of a key, in lower case.
func (r Request) get(key string) setting {
	for k := r.keys; k != nil; k = k.next {
		if k.name == key {
			return k.setting
		}
	}
	return setting{open: r.open}
}

// settings are all keys of which something is known.
func (r Request) settings() map[string]setting {
	out := map[string]setting{}
	for k := r.keys; k != nil; k = k.next {
		if _, later := out[k.name]; !later {
			out[k.name] = k.setting
		}
	}
	return out
}

// Values are the values of a key; none where it is absent or open.
func (r Request) Values(key string) []string { return r.get(strings.ToLower(key)).values }

// ExternalID is the external ID that is given, "" for none.
func (r Request) ExternalID() string {
	if values := r.Values(ExternalIDKey); len(values) > 0 {
		return values[0]
	}
	return ""
}

// resolve is the lookup of policy variables. A value that stands for others
// fills no variable, or what is true of it would be taken as true of all.
func (r Request) resolve(key string) (value string, set, known bool) {
	s := r.get(key)
	switch {
	case s.open || s.example:
		return "", false, false
	case len(s.values) != 1:
		return "", false, true
	}
	return s.values[0], true, true
}

// String says who calls, with which external ID, and what else was assumed.
func (r Request) String() string {
	parts := []string{r.Caller.String()}
	if r.Action == AssumeRole && r.Caller.ARN != "" && !r.get("sts:externalid").open {
		if id := r.ExternalID(); id != "" {
			parts[0] += " with the external ID " + id
		} else {
			parts[0] += " without an external ID"
		}
	}
	all := r.settings()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		s := all[key]
		switch {
		case !s.tried || key == "sts:externalid":
		case len(s.values) == 0:
			parts = append(parts, "without "+key)
		default:
			parts = append(parts, key+" "+strings.Join(s.values, " and "))
		}
	}
	return strings.Join(parts, ", ")
}
