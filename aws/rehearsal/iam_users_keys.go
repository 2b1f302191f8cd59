package rehearsal

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// accessKey is one access key of a user. It works once it has propagated.
type accessKey struct {
	id, secret       string
	active           bool
	created, usable  time.Time
	lastUsed         time.Time
	service, region  string // of the last use
	userName, userID string
	userARN          string
}

// mostKeys is IAM's quota of access keys for a user, which cannot be raised.
const mostKeys = 2

// keyActions is the table of access keys.
func keyActions() map[string]action {
	return map[string]action{
		"CreateAccessKey": createAccessKey, "ListAccessKeys": listAccessKeys, "GetAccessKeyLastUsed": getAccessKeyLastUsed,
		"UpdateAccessKey": updateAccessKey, "DeleteAccessKey": deleteAccessKey,
	}
}

type accessKeyXML struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

func (k *accessKey) xml() accessKeyXML {
	x := accessKeyXML{UserName: k.userName, AccessKeyID: k.id, Status: "Inactive", CreateDate: stamp(k.created)}
	if k.active {
		x.Status = "Active"
	}
	return x
}

func createAccessKey(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	if len(u.keys) >= mostKeys {
		return nil, overQuota("AccessKeysPerUser", mostKeys)
	}
	now := s.options.Now()
	k := &accessKey{id: s.newID("AKIA")[:20], secret: s.newSecret(), active: true, created: now, usable: now.Add(s.options.Propagation / 2),
		userName: u.name, userID: u.id, userARN: u.arn}
	u.keys = append(u.keys, k)
	x := k.xml()
	x.SecretAccessKey = k.secret
	return struct{ AccessKey accessKeyXML }{x}, nil
}

// newSecret is made from a counter too, so that two runs of a test see the
// same ones; it has the form of AWS's.
func (s *Server) newSecret() string {
	s.serial++
	sum := sha256.Sum256([]byte("secret " + s.options.Account + strconv.Itoa(s.serial)))
	return base64.StdEncoding.EncodeToString(sum[:30])
}

func listAccessKeys(s *Server, q request) (any, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, err
	}
	var out []accessKeyXML
	for _, k := range u.keys {
		out = append(out, k.xml())
	}
	return struct {
		AccessKeyMetadata []accessKeyXML `xml:"AccessKeyMetadata>member"`
		page
	}{out, page{}}, nil
}

// key finds a key of any user.
func (s *Server) key(id string) (*accessKey, bool) {
	for _, u := range s.state.users {
		if i := slices.IndexFunc(u.keys, func(k *accessKey) bool { return k.id == id }); i >= 0 {
			return u.keys[i], true
		}
	}
	return nil, false
}

func getAccessKeyLastUsed(s *Server, q request) (any, *apiError) {
	id := q.form.Get("AccessKeyId")
	k, ok := s.key(id)
	if !ok {
		return nil, &apiError{http.StatusForbidden, "AccessDenied",
			"User: " + q.caller.arn + " is not authorized to perform: iam:GetAccessKeyLastUsed on resource: " + id}
	}
	type used struct {
		LastUsedDate string `xml:",omitempty"`
		ServiceName  string
		Region       string
	}
	x := used{ServiceName: "N/A", Region: "N/A"}
	if !k.lastUsed.IsZero() {
		x = used{stamp(k.lastUsed), k.service, k.region}
	}
	return struct {
		UserName          string
		AccessKeyLastUsed used
	}{k.userName, x}, nil
}

func (s *Server) keyOf(q request) (*user, int, *apiError) {
	u, err := s.user(q.form.Get("UserName"))
	if err != nil {
		return nil, 0, err
	}
	id := q.form.Get("AccessKeyId")
	i := slices.IndexFunc(u.keys, func(k *accessKey) bool { return k.id == id })
	if i < 0 {
		return nil, 0, &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf("The Access Key with id %s cannot be found.", id)}
	}
	return u, i, nil
}

func updateAccessKey(s *Server, q request) (any, *apiError) {
	u, i, err := s.keyOf(q)
	if err != nil {
		return nil, err
	}
	switch status := q.form.Get("Status"); status {
	case "Active", "Inactive":
		u.keys[i].active = status == "Active"
	default:
		return nil, invalid(status, "status", "Member must satisfy enum value set: [Active, Inactive]")
	}
	return nil, nil
}

func deleteAccessKey(s *Server, q request) (any, *apiError) {
	u, i, err := s.keyOf(q)
	if err != nil {
		return nil, err
	}
	u.keys = slices.Delete(u.keys, i, i+1)
	return nil, nil
}

// callerWithKey is who signed with a user's access key. Unlike the rehearsal's
// own key, which protects nothing, a user's key is worth checking: whether both
// halves belong together is what a wizard has to find out.
func (s *Server) callerWithKey(id string, req request) (caller, *apiError) {
	unknown := &apiError{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	k, ok := s.key(id)
	if !ok || !k.active || s.options.Now().Before(k.usable) {
		return caller{}, unknown
	}
	if req.signedWith == nil || !req.signedWith(k.secret) {
		return caller{}, &apiError{
			http.StatusForbidden,
			"SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
				"Consult the service documentation for details.",
		}
	}
	k.lastUsed, k.service, k.region = s.options.Now(), req.service, s.options.Region
	return caller{k.userARN, k.userID}, nil
}
