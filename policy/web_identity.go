package policy

import (
	"errors"
	"net/url"
	"strings"
	"time"
)

// WebIdentity is whom a role trusts by web identity: who holds a token of one
// OpenID Connect provider, issued for one audience and about one subject.
// Source: docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html.
type WebIdentity struct {
	Partition, AccountID string // of the provider, which is in the role's own account
	Issuer               string // its URL: "https://token.actions.githubusercontent.com"
	Audience             string // the token's aud, which is a client ID of the provider
	Subject              string // the token's sub; one that ends in * means all that begin so
}

// Host is the issuer without its scheme, and what the provider's ARN ends in and
// its condition keys begin with: "token.actions.githubusercontent.com".
func (w WebIdentity) Host() string {
	return strings.TrimSuffix(strings.TrimPrefix(w.Issuer, "https://"), "/")
}

// Provider is the ARN that IAM gives the provider.
func (w WebIdentity) Provider() string {
	return "arn:" + w.Partition + ":iam::" + w.AccountID + ":oidc-provider/" + w.Host()
}

// AudienceKey is the condition key of the token's audience.
func (w WebIdentity) AudienceKey() string { return w.Host() + ":aud" }

// SubjectKey is the condition key of the token's subject.
func (w WebIdentity) SubjectKey() string { return w.Host() + ":sub" }

// Open reports whether the subject stands for all that begin as it does.
func (w WebIdentity) Open() bool { return strings.HasSuffix(w.Subject, "*") }

// CheckIssuer refuses what AWS takes for no issuer's URL: https, a host name, and
// a path where it has one. The error is a bare phrase.
// Source: docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
// ("must begin with https://", "path components are allowed but query parameters
// are not", "should not contain a port number"; at most 255 characters).
func CheckIssuer(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 255 || !strings.HasPrefix(text, "https://") || u.Host == "" || plain(text) != text:
		return errors.New("is no https URL of at most 255 characters")
	case u.User != nil:
		return errors.New("has a user name, which an issuer has not")
	case strings.Contains(u.Host, ":"):
		return errors.New("has a port number, which AWS takes for no issuer")
	case strings.ContainsAny(text, "?#"):
		return errors.New("has a query or a fragment, which an issuer has not")
	case u.Host != strings.ToLower(u.Host):
		return errors.New("has capitals in its host name, and tokens name it in small letters")
	case strings.HasSuffix(text, "/") || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/../"):
		return errors.New("ends in a slash, or has an empty part, which the provider's ARN has not")
	}
	return nil
}

// plain is a text without what no URL of an issuer and no condition's value may
// have: a wildcard, a variable, a quote, white space, a control character.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune(`*?$"'\<>{}%`+"`", c) {
			return -1
		}
		return c
	}, text)
}

// NewWebTrust makes the trust policy of a role that web identities may assume:
// sts:AssumeRoleWithWebIdentity under the audience and the subject, compared
// whole, or by StringLike where the subject ends in *.
func NewWebTrust(w WebIdentity) *Document {
	like := "StringEquals"
	if w.Open() {
		like = "StringLike"
	}
	s := Statement{Effect: Allow, Principal: Principals{"Federated": {w.Provider()}}, Action: []string{AssumeRoleWithWebIdentity},
		Condition: []Condition{
			{Operator: "StringEquals", Key: w.AudienceKey(), Values: []string{w.Audience}, scalar: true},
			{Operator: like, Key: w.SubjectKey(), Values: []string{w.Subject}, scalar: true},
		}}
	s.form.scalar = map[string]bool{"Action": true, "Principal.Federated": true}
	return NewDocument(s)
}

// WebVerdict is who of an OIDC provider gets in by a trust policy.
type WebVerdict struct {
	Named   bool    // some Allow names the provider, for whatever action
	Grants  bool    // some Allow of sts:AssumeRoleWithWebIdentity does
	Outcome Outcome // whether the wanted tokens get in, whatever else they say
	Key     string  // Depends: the key that decides
	Out     *Request
	// Statement is that of the Deny that keeps Out out, -1 where no Allow lets it in.
	Statement int
	// OffAudience and OffSubject say that the document asks for another audience or
	// subject than the wanted one.
	OffAudience, OffSubject bool
	// Audience and Subject are requests with another one than is wanted that get in;
	// nil where none does.
	Audience, Subject *Admission
}

// Enters reports whether the wanted tokens get in, always.
func (v *WebVerdict) Enters() bool { return v.Outcome == Allowed }

// web asks who of the provider gets in.
func (i *inquest) web(w WebIdentity) *WebVerdict {
	v := &WebVerdict{Statement: -1}
	for n := range i.d.Statements {
		s := &i.d.Statements[n]
		if s.Effect == Allow && s.names(Caller{Provider: w.Provider()}) {
			v.Named, v.Grants = true, v.Grants || s.Covers(AssumeRoleWithWebIdentity)
		}
	}
	i.webEnters(w, v)
	if v.Outcome == Denied {
		open := i.token(w)
		v.OffAudience = i.d.Ask(open).Possible() && !i.d.Ask(open.With(w.AudienceKey(), w.Audience)).Possible()
		subject := i.subjects(w)[0]
		v.OffSubject = i.d.Ask(open).Possible() && !i.d.Ask(open.With(w.SubjectKey(), subject)).Possible()
	}
	others := i.token(w).Without(w.AudienceKey(), Texts{Values: []string{w.Audience}, Optional: true})
	v.Audience = i.webDoor(others)
	but := Texts{Values: []string{w.Subject}, Optional: true}
	if w.Open() {
		but = Texts{Prefixes: []string{strings.TrimSuffix(w.Subject, "*")}, Optional: true}
	}
	v.Subject = i.webDoor(i.token(w).With(w.AudienceKey(), w.Audience).Without(w.SubjectKey(), but))
	return v
}

// Token is a call with a token of a provider, of which nothing else is known. What
// other providers' tokens say, of what the document asks, is not in it.
func (d *Document) Token(w WebIdentity, now time.Time) Request {
	r := FederatedRequest(AssumeRoleWithWebIdentity, w.Provider(), now)
	for _, key := range d.ConditionKeys() {
		at := strings.LastIndexByte(key, ':')
		if at < 0 {
			continue
		}
		if prefix := key[:at]; prefix != strings.ToLower(w.Host()) && (prefix == "saml" || strings.ContainsAny(prefix, "./")) {
			r = r.With(key)
		}
	}
	return r
}

func (i *inquest) token(w WebIdentity) Request {
	r := i.d.Token(w, i.q.Now)
	if i.q.Account != "" {
		r = r.With("aws:ResourceAccount", i.q.Account)
	}
	return r
}

// webEnters asks for each subject that is meant, as far as the document can tell
// subjects apart.
func (i *inquest) webEnters(w WebIdentity, v *WebVerdict) {
	some, kept := false, false
	for _, subject := range i.subjects(w) {
		a := i.d.Ask(i.token(w).With(w.AudienceKey(), w.Audience).With(w.SubjectKey(), subject))
		some = some || a.Possible()
		if a.Outcome != Allowed && !kept {
			kept, v.Out, v.Key, v.Statement = true, a.Denied, a.Key, a.Statement
		}
	}
	switch {
	case !some:
		v.Outcome = Denied
	case kept:
		v.Outcome = Depends
	default:
		v.Outcome = Allowed
	}
}

// subjects are the wanted one, or one of each kind of those that it stands for.
func (i *inquest) subjects(w WebIdentity) []string {
	if !w.Open() {
		return []string{w.Subject}
	}
	beginning := strings.TrimSuffix(w.Subject, "*")
	all := []string{beginning + "0zq"}
	for n := range i.d.Statements {
		for _, c := range i.d.Statements[n].Condition {
			if !strings.EqualFold(c.Key, w.SubjectKey()) {
				continue
			}
			for _, value := range c.Values {
				one := strings.NewReplacer("*", "0zq", "?", "0").Replace(value)
				if strings.HasPrefix(one, beginning) {
					all = append(all, one)
				}
			}
		}
	}
	return all
}

func (i *inquest) webDoor(r Request) *Admission {
	a := i.d.Ask(r)
	if !a.Possible() {
		return nil
	}
	found := i.admission(r.Caller, a)
	return &found
}
