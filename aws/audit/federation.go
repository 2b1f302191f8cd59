package audit

import (
	"regexp"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
)

// Web is whose tokens a vendor's roles trust.
type Web struct {
	Issuer   string // its URL
	Audience string
	Subject  string // with parameters in braces: "repo:{ORGANIZATION}/{REPOSITORY}:{CONTEXT}"
}

// Federation is an OIDC provider whose tokens get in. Its JSON is part of
// rolecall's interface; all texts are safe to draw.
type Federation struct {
	Provider  string   `json:"provider"`         // its ARN
	Issuer    string   `json:"issuer"`           // its host
	Vendor    string   `json:"vendor,omitempty"` // empty: nobody knows whose it is
	Audiences []string `json:"audiences"`        // that the trust policy names
	Subject   string   `json:"subject"`          // required, any (also such as match a wildcard) or none
	Subjects  []string `json:"subjects"`         // that the trust policy names
	Perhaps   bool     `json:"perhaps,omitempty"`
}

// federations are the OIDC providers whose tokens get in, save those of the
// account's own clusters.
// Source: docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html.
func (k *Known) federations(trust *policy.Document) []Federation {
	var all []Federation
	for i := range trust.Statements {
		s := &trust.Statements[i]
		if s.Effect != policy.Allow {
			continue
		}
		for _, arn := range s.Principal["Federated"] {
			parsed, _ := aws.SplitARN(arn)
			host, ok := strings.CutPrefix(parsed.Resource, "oidc-provider/")
			known := slices.ContainsFunc(all, func(f Federation) bool { return f.Provider == aws.CleanText(arn) })
			if !ok || known || strings.HasPrefix(host, "oidc.eks.") {
				continue
			}
			w := policy.WebIdentity{Partition: parsed.Partition, AccountID: parsed.AccountID, Issuer: host}
			if f, enters := k.federation(trust, w); enters {
				all = append(all, f)
			}
		}
	}
	return all
}

// federation asks whether tokens of a provider get in, and about whom.
func (k *Known) federation(trust *policy.Document, w policy.WebIdentity) (Federation, bool) {
	token, host := trust.Token(w, k.Now), w.Host()
	f := Federation{Provider: aws.CleanText(w.Provider()), Issuer: aws.CleanText(host),
		Subject: Required, Audiences: []string{}, Subjects: []string{}}
	a := trust.Ask(token)
	if !a.Possible() {
		return f, false
	}
	f.Perhaps = a.Allowed == nil
	vendor, web := k.vendorOfIssuer(host)
	f.Vendor = vendor
	key := w.SubjectKey()
	named := policy.Texts{Optional: true}
	for _, value := range valuesOf(trust, key) {
		f.Subjects = append(f.Subjects, aws.CleanText(value))
		switch {
		case !strings.ContainsAny(value, "*?"):
			named.Values = append(named.Values, value)
		case web.takes(value):
			named.Prefixes = append(named.Prefixes, strings.TrimSuffix(value, "*"))
		}
	}
	for _, value := range valuesOf(trust, w.AudienceKey()) {
		f.Audiences = append(f.Audiences, aws.CleanText(value))
	}
	switch {
	case !trust.Ask(token.Without(key, named)).Possible():
	case len(f.Subjects) == 0:
		f.Subject = None
	default:
		f.Subject = Any
	}
	return f, true
}

func (k *Known) vendorOfIssuer(host string) (string, Web) {
	for _, v := range k.Vendors {
		for _, web := range v.Webs {
			if (policy.WebIdentity{Issuer: web.Issuer}).Host() == host {
				return v.Name, web
			}
		}
	}
	return "", Web{}
}

// takes tells whether a subject that ends in * is as the vendor means it: open at
// its end alone, where the vendor's own is.
func (w Web) takes(value string) bool {
	beginning, open := strings.CutSuffix(w.Subject, "*")
	if !open {
		return false
	}
	named := regexp.MustCompile(`\\\{[A-Z_]+\\\}`) // {NAME}, as QuoteMeta writes it
	pattern := named.ReplaceAllLiteralString(regexp.QuoteMeta(beginning), `[^*?:/$]+`)
	return regexp.MustCompile(`^` + pattern + `\*$`).MatchString(value)
}

func valuesOf(trust *policy.Document, key string) []string {
	var all []string
	for i := range trust.Statements {
		for _, c := range trust.Statements[i].Condition {
			if strings.EqualFold(c.Key, key) {
				all = append(all, c.Values...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// federated judges a role that lets in tokens of OIDC providers and no vendor's
// account: as it was connected, else that each names whose tokens are meant.
func (u *Auditor) federated(seen aws.Seen, all []Federation) []aws.Check {
	first := all[0]
	if i := slices.IndexFunc(all, func(f Federation) bool { return f.Vendor != "" }); i >= 0 {
		first = all[i]
	}
	if u.Known.Want != nil && first.Vendor != "" {
		if want, ok := u.Known.Want(*seen.Role, first.Vendor); ok && want.Web != nil {
			return slices.DeleteFunc(u.judge(want, seen), func(c aws.Check) bool { return c.ID == "oidc-provider" && !seen.ProviderKnown })
		}
	}
	partition, account := u.Known.Partition, u.Known.Account
	want := aws.Want{Partition: partition, AccountID: account,
		Web: &policy.WebIdentity{Partition: partition, AccountID: account, Issuer: "https://" + first.Issuer}}
	checks := slices.DeleteFunc(u.judge(want, seen), func(c aws.Check) bool {
		return c.ID != "role-exists" && c.ID != "trust-extra-principals"
	})
	return append(checks, first.checks()...)
}

func (u *Auditor) judge(want aws.Want, seen aws.Seen) []aws.Check {
	want.Organization, want.Members = u.Known.Organization, u.Known.Members
	want.RoleName, want.RoleARN = seen.Role.Name, seen.Role.ARN
	return aws.Judge(want, seen).Checks
}

// checks are what an audit can tell of a provider without knowing what was meant.
func (f *Federation) checks() []aws.Check {
	principal := aws.Check{ID: "trust-principal", Status: aws.Pass, Want: "an issuer that is known", Got: f.Provider,
		Why: "Whoever signs the tokens decides who gets in."}
	if f.Vendor == "" {
		principal.Status, principal.Got = aws.Warn, f.Provider+", which is no vendor's that rolecall knows"
		principal.Fix = "Find out who added it. Whose issuer it is, a vendor file can tell: rolecall vendors schema."
	}
	subject := aws.Check{ID: "trust-subject", Status: aws.Pass, Want: "subjects that are spelled out", Got: strings.Join(f.Subjects, ", "),
		Why: "All customers of an issuer get tokens of one provider. The subject alone says whose token it is."}
	if f.Subject != Required {
		subject.Status = aws.Fail
		subject.Fix = "On the role's page, Trust relationships, Edit trust policy: set " + f.Issuer +
			":sub under StringEquals to the one that is meant."
		if f.Subject == None {
			subject.Got = "any subject"
		} else {
			subject.Got += " (others get in too)"
		}
	}
	return []aws.Check{principal, subject}
}
