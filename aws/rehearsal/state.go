package rehearsal

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rolecall/policy"
)

// state is what the account holds. Names are unique without regard to case, so
// the maps' keys are in lower case.
type state struct {
	roles    map[string]*role
	policies map[string]*managed // by ARN
	users    map[string]*user
	// providers are the OIDC providers, by ARN.
	providers map[string]*provider
	sessions  map[string]caller // by access key ID, from AssumeRole
	stacks    []*stack          // in the order of their creation, deleted ones included

	delegations map[string]*Delegation // by ID
}

type role struct {
	name, path, id, arn, description, trust, boundary string
	document                                          *policy.Document
	session                                           int
	created, used                                     time.Time // used: zero for never
	assumable, listed                                 time.Time // from when on
	attached                                          []string  // policy ARNs in order
	inline                                            map[string]string
	tags                                              []tag
}

type managed struct {
	name, path, id, arn, description string
	versions                         []version // oldest first
	serial                           int       // of the newest version
	created, updated, listed         time.Time
	attachments                      int
	aws                              bool // AWS's own
	tags                             []tag
}

type version struct {
	id, text  string
	isDefault bool
	created   time.Time
}

type tag struct {
	Key   string
	Value string
}

func newState() state {
	return state{roles: map[string]*role{}, users: map[string]*user{}, providers: map[string]*provider{},
		policies: map[string]*managed{}, sessions: map[string]caller{},
		delegations: map[string]*Delegation{}}
}

// newID is an identifier such as AROA and 17 characters. It is made from a
// counter, so that two runs of a test see the same ones.
func (s *Server) newID(prefix string) string {
	s.serial++
	sum := sha256.Sum256([]byte(s.options.Account + strconv.Itoa(s.serial)))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

func (s *Server) arn(resource string) string {
	return "arn:" + s.options.Partition + ":iam::" + s.options.Account + ":" + resource
}

// listDelay is how long a new thing takes to show in lists; reads by name show
// it at once, and assuming a role takes the whole propagation.
func (s *Server) listDelay() time.Duration { return s.options.Propagation / 4 }

func (m *managed) current() *version {
	for i := range m.versions {
		if m.versions[i].isDefault {
			return &m.versions[i]
		}
	}
	return &m.versions[len(m.versions)-1]
}

// sortedRoles are those that show in lists, by name.
func (s *Server) sortedRoles(prefix string) []*role {
	var all []*role
	for _, r := range s.state.roles {
		if strings.HasPrefix(r.path, prefix) && !s.options.Now().Before(r.listed) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *role) int { return cmp.Compare(a.name, b.name) })
	return all
}

func (s *Server) sortedPolicies() []*managed {
	var all []*managed
	for _, p := range s.state.policies {
		if !s.options.Now().Before(p.listed) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *managed) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.arn, b.arn)) })
	return all
}

// onTheWire percent-encodes a document as IAM does (RFC 3986).
func onTheWire(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// page cuts a list as MaxItems and Marker ask. A marker is the encoded place
// in the list, opaque to the caller.
type page struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

func paged[T any](r request, all []T) ([]T, page, *apiError) {
	size, start := 100, 0
	if v := r.form.Get("MaxItems"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 1000 {
			return nil, page{}, invalid(v, "maxItems", "Member must have value between 1 and 1000")
		}
		size = n
	}
	if r.largestPage > 0 {
		size = min(size, r.largestPage)
	}
	if v := r.form.Get("Marker"); v != "" {
		text, err := base64.RawURLEncoding.DecodeString(v)
		n, numErr := strconv.Atoi(string(text))
		if err != nil || numErr != nil || n < 0 {
			return nil, page{}, &apiError{http.StatusBadRequest, "ValidationError", "Invalid Marker."}
		}
		start = min(n, len(all))
	}
	end := min(start+size, len(all))
	if end == len(all) {
		return all[start:end], page{}, nil
	}
	return all[start:end], page{IsTruncated: true, Marker: base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end)))}, nil
}

func invalid(value, field, constraint string) *apiError {
	return &apiError{http.StatusBadRequest, "ValidationError",
		fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, field, constraint)}
}

var (
	namePattern       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@-]+$`) })
	pathPattern       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(/|/[!-~]+/)$`) })
	policyPathPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^((/[A-Za-z0-9.,+@=_-]+)*)/$`) })
	tagPattern        = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`) })
)

func checkName(name, field string, longest int) *apiError {
	switch {
	case name == "":
		return invalid("", field, "Member must have length greater than or equal to 1")
	case len(name) > longest:
		return invalid(name, field, fmt.Sprintf("Member must have length less than or equal to %d", longest))
	case !namePattern().MatchString(name):
		return &apiError{http.StatusBadRequest, "ValidationError",
			fmt.Sprintf(`The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`, field)}
	}
	return nil
}

func checkPath(path string, pattern *regexp.Regexp) *apiError {
	if len(path) > 512 || !pattern.MatchString(path) {
		return &apiError{http.StatusBadRequest, "ValidationError",
			"The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."}
	}
	return nil
}

func readTags(r request) ([]tag, *apiError) {
	var all []tag
	for i := 1; ; i++ {
		key := r.form.Get(fmt.Sprintf("Tags.member.%d.Key", i))
		if key == "" {
			return all, nil
		}
		value := r.form.Get(fmt.Sprintf("Tags.member.%d.Value", i))
		switch {
		case i > 50:
			return nil, &apiError{http.StatusConflict, "LimitExceeded", "Cannot exceed quota for TagsPerEntity: 50"}
		case len(key) > 128 || len(value) > 256 || !tagPattern().MatchString(key+value):
			return nil, invalid(
				key,
				fmt.Sprintf("tags.%d.member.key", i),
				`Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`,
			)
		}
		all = append(all, tag{Key: key, Value: value})
	}
}

// readDocument refuses what AWS refuses, in AWS's words.
func readDocument(text string, kind policy.Kind) (*policy.Document, *apiError) {
	d, refusals := policy.Check([]byte(text), kind)
	for _, r := range refusals {
		if r.Category == "size" {
			continue // a quota, which has an error of its own
		}
		message := r.AWS
		if message == "" {
			message = "Syntax errors in policy."
		}
		return nil, &apiError{http.StatusBadRequest, "MalformedPolicyDocument", message}
	}
	return d, nil
}

func overQuota(name string, limit int) *apiError {
	return &apiError{http.StatusConflict, "LimitExceeded", fmt.Sprintf("Cannot exceed quota for %s: %d", name, limit)}
}
