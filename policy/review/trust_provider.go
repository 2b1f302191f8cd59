package review

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"rolecall/assets"
	"rolecall/policy"
)

// provider is an OpenID Connect provider that many customers share.
type provider struct {
	issuer, name, what string
	enforced           bool // AWS refuses new trust policies that do not ask its claim
	claims             []claim
}

// claim is one that tells a provider's customers apart.
type claim struct {
	name  string
	whole bool   // a value is the customer's, as a whole
	forms []form // or begins with the customer's name
}

// form is what stands before and behind a customer's name.
type form struct{ prefix, end string }

var providers = sync.OnceValue(func() []provider {
	var out []provider
	eachLine(assets.ReviewProviders, func(fields []string) {
		issuer, enforced := strings.CutPrefix(fields[0], "!")
		p := provider{issuer: issuer, name: fields[1], what: fields[2], enforced: enforced}
		for _, field := range fields[3:] {
			p.claims = append(p.claims, readClaim(field))
		}
		out = append(out, p)
	})
	return out
})

func readClaim(field string) claim {
	name, forms, _ := strings.Cut(field, ": ")
	c := claim{name: name}
	for text := range strings.FieldsSeq(forms) {
		prefix, end, ok := strings.Cut(text, "…")
		if !ok {
			c.whole = true
			continue
		}
		c.forms = append(c.forms, form{prefix, end})
	}
	return c
}

// sharedProvider finds an issuer, and tells whether all customers share it or
// its address names the customer.
func sharedProvider(issuer string) (p provider, shared, known bool) {
	for _, p := range providers() {
		if issuer == p.issuer {
			return p, true, true
		}
		if strings.HasPrefix(issuer, p.issuer+"/") {
			return p, false, true
		}
	}
	return provider{}, false, false
}

// issuerOf is what a provider's condition keys begin with, "saml" for SAML.
func issuerOf(value string) string {
	if strings.Contains(value, ":saml-provider/") {
		return "saml"
	}
	if _, issuer, ok := strings.Cut(value, ":oidc-provider/"); ok {
		value = issuer
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(value, "https://"), "/"))
}

// federations judges identity providers: who of their users gets in.
func (m *model) federations(st *statement) []Finding {
	all := st.Principal["Federated"]
	if len(all) == 0 {
		return nil
	}
	var out []Finding
	for i, value := range all {
		if f, ok := m.federation(st, value); ok {
			out = append(out, m.trustFinding(st, "Principal.Federated", i, f))
		}
	}
	return append(out, m.claims(st)...)
}

func (m *model) federation(st *statement, value string) (Finding, bool) {
	issuer := issuerOf(value)
	action, other := policy.AssumeRoleWithWebIdentity, policy.AssumeRoleWithSAML
	if issuer == "saml" {
		action, other = other, action
	}
	if !st.Covers(action) {
		if !st.Covers(other) {
			return Finding{}, false // tags a session, or the like
		}
		return Finding{ID: "trust-action", Class: NoEffect, Category: "trust-principal", Severity: Medium,
			Title: "The provider's users cannot make this call",
			Why:   fmt.Sprintf("Users of %s call %s, and the statement allows %s. It lets nobody of them in.", short(value), action, other),
			Fix:   "Write " + action + "."}, true
	}
	g := m.doc.Grant(st.index, "Federated", value)
	if issuer == "saml" {
		return m.samlFederation(g, value)
	}
	return m.oidcFederation(g, value, issuer)
}

// samlFederation asks for a sign-in that was meant for somebody else.
func (m *model) samlFederation(g policy.Grant, value string) (Finding, bool) {
	r := m.federated(g, policy.AssumeRoleWithSAML, value, "saml")
	for _, key := range g.ConditionKeys() {
		if strings.HasPrefix(key, "saml:") {
			r = r.Without(key, m.exact(g, key))
		}
	}
	f := Finding{ID: "trust-oidc", Category: "trust-wildcard-principal", Severity: Low,
		Title: "Does not check whom the sign-in was meant for",
		Why:   "Without a condition on SAML:aud, a sign-in made for another use of the provider works here too.",
		Fix:   `Add "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}.`}
	return f, g.Ask(r).Possible()
}

// federated is a call by an outsider who signed in at a provider. Keys of
// other providers are not in it.
func (m *model) federated(g policy.Grant, action, value, issuer string) policy.Request {
	r := m.outsider()(policy.FederatedRequest(action, value, m.opts.Now))
	for _, key := range g.ConditionKeys() {
		if prefix, ok := providerOf(key); ok && prefix != issuer {
			r = r.With(key)
		}
	}
	return r
}

// providerOf is the provider that a condition key belongs to.
func providerOf(key string) (string, bool) {
	at := strings.LastIndex(key, ":")
	if at < 0 {
		return "", false
	}
	prefix := key[:at]
	return prefix, prefix == "saml" || strings.ContainsAny(prefix, "./")
}

// oidcFederation asks whether the token of a customer that the document does
// not name gets in.
func (m *model) oidcFederation(g policy.Grant, value, issuer string) (Finding, bool) {
	p, shared, known := sharedProvider(issuer)
	f := Finding{ID: "trust-oidc", Category: "trust-wildcard-principal", Severity: Medium}
	stranger := m.federated(g, policy.AssumeRoleWithWebIdentity, value, issuer)
	if shared {
		for _, c := range p.claims {
			stranger = stranger.Without(issuer+":"+c.name, c.named(m.valuesOf(g, issuer+":"+c.name)))
		}
		a := g.Ask(stranger)
		if !a.Possible() {
			return f, false
		}
		return p.open(f, issuer, a), true
	}
	for _, name := range [...]string{"aud", "sub", "app_id"} {
		stranger = stranger.Without(issuer+":"+name, beginnings(m.valuesOf(g, issuer+":"+name)))
	}
	if g.Ask(stranger).Possible() {
		f.Title = "Every user of the provider can assume the role"
		f.Why = "Without a condition on aud or sub, whoever signs in at " + short(value) + " gets in, for whatever application."
		f.Fix = `Add a condition on the provider's aud and sub keys, such as "StringEquals": {"PROVIDER:aud": "CLIENT-ID"}.`
		return f, true
	}
	cluster := strings.HasPrefix(issuer, "oidc.eks.")
	if !known && !cluster {
		return f, false
	}
	subject := claim{name: "sub", whole: true, forms: []form{{"system:serviceaccount:", ":"}}}
	if at := slices.IndexFunc(p.claims, func(c claim) bool { return c.name == "sub" }); at >= 0 {
		subject = p.claims[at]
	}
	whoever := m.federated(g, policy.AssumeRoleWithWebIdentity, value, issuer).
		Without(issuer+":sub", subject.named(m.valuesOf(g, issuer+":sub")))
	f.Severity = Low
	f.Title = "Any " + p.what + " of one customer can assume the role"
	f.Why = "The provider's address names the customer, and nothing names whose of its tokens are meant: there is no condition on sub, or " +
		"it matches all."
	if cluster {
		f.Title = "Any pod of the cluster can assume the role"
		f.Why = "Nothing names the service account: there is no condition on sub, or it matches all."
	}
	f.Fix = `Add a condition on "` + issuer + `:sub".`
	return f, g.Ask(whoever).Possible()
}

// open is a shared provider whose every customer gets in.
func (p *provider) open(f Finding, issuer string, a policy.Answer) Finding {
	key := issuer + ":" + p.claims[0].name
	f.Severity = High
	f.Title = "Any " + p.what + " can assume the role"
	f.Why = "All customers of " + p.name + " get their tokens from one issuer, and nothing says whose token is meant: " +
		"the condition on " + key + " is missing, or matches more than the names it gives."
	if a.Allowed != nil {
		if values := a.Allowed.Values(key); len(values) > 0 {
			f.Why += fmt.Sprintf(" A token whose %s is %q gets in.", p.claims[0].name, short(values[0]))
		}
	} else {
		f.Severity = Medium
		f.Why += " It depends on " + a.Key + "."
	}
	if p.enforced {
		f.Why += " AWS refuses a new role without that condition."
	}
	f.Fix = `Add "Condition": {"StringEquals": {"` + key + `": "` + p.example() + `"}}.`
	if p.issuer == "token.actions.githubusercontent.com" {
		f.Fix = `Add "StringLike": {"` + key + `": "repo:ORGANISATION/REPOSITORY:*"}.`
	}
	return f
}

func (p *provider) example() string {
	if c := p.claims[0]; !c.whole {
		return c.forms[0].prefix + "YOUR-NAME" + c.forms[0].end + "…"
	}
	return "YOUR-OWN-" + strings.ToUpper(p.claims[0].name)
}

// named are the customers that values of a claim name.
func (c claim) named(values []string) policy.Texts {
	out := policy.Texts{Optional: c.name != "sub" && c.name != "aud"}
	for _, v := range values {
		if c.whole && !strings.ContainsAny(v, "*?") {
			out.Values = append(out.Values, v)
		}
		for _, f := range c.forms {
			rest, ok := strings.CutPrefix(v, f.prefix)
			name, _, ended := strings.Cut(rest, f.end)
			switch {
			case !ok || name == "" || strings.ContainsAny(name, "*?"):
			case ended:
				out.Prefixes = append(out.Prefixes, f.prefix+name+f.end)
			default:
				out.Values = append(out.Values, v)
			}
		}
	}
	return out
}

// beginnings are the texts that values name, or the parts that they begin
// with, of a provider whose tokens have no known form: two parts at least.
func beginnings(values []string) policy.Texts {
	var out policy.Texts
	for _, v := range values {
		wild := strings.IndexAny(v, "*?")
		if wild < 0 {
			out.Values = append(out.Values, v)
			continue
		}
		head := v[:wild]
		if at := strings.LastIndexAny(head, ":/|"); at > 0 && strings.IndexAny(head[:at], ":/|") > 0 {
			out.Prefixes = append(out.Prefixes, head[:at+1])
		}
	}
	return out
}

// valuesOf are the values that conditions compare a key with.
func (m *model) valuesOf(g policy.Grant, key string) []string {
	var out []string
	for i := range g.Statements {
		for _, c := range g.Statements[i].Condition {
			if operator, _, _ := c.Base(); strings.EqualFold(c.Key, key) && operator != "Null" {
				out = append(out, c.Values...)
			}
		}
	}
	return out
}

// exact are the values of a key that are given without wildcards.
func (m *model) exact(g policy.Grant, key string) policy.Texts {
	values := slices.DeleteFunc(m.valuesOf(g, key), func(v string) bool { return strings.ContainsAny(v, "*?") })
	return policy.Texts{Values: values, Optional: key != "saml:aud"}
}

// claims are the findings about conditions on what a provider says: keys of
// another provider, and ForAllValues on a key with one value.
func (m *model) claims(st *statement) []Finding {
	var issuers []string
	for _, value := range st.Principal["Federated"] {
		issuers = append(issuers, issuerOf(value))
	}
	var out []Finding
	for i := range st.Condition {
		c := &st.Condition[i]
		key := strings.ToLower(c.Key)
		prefix, ok := providerOf(key)
		if !ok {
			continue
		}
		_, set, _ := c.Base()
		if !slices.Contains(issuers, prefix) {
			f := conditionFinding(st, c.Pos, "provider-key", Medium, "Asks for a key of another provider",
				fmt.Sprintf("%s is not in a call by a user of %s. %s", short(c.Key), short(strings.Join(issuers, " or ")), missing(st, c)))
			f.Fix = "Begin the key with the provider's own address, " + short(issuers[0]) + "."
			out = append(out, *f)
		} else if set == "ForAllValues" && !strings.HasSuffix(key, ":amr") && prefix != "saml" {
			f := conditionFinding(
				st,
				c.Pos,
				"for-all-values",
				High,
				"The condition holds where the key is missing",
				fmt.Sprintf(
					"ForAllValues is true when %s is not in the request, so the statement allows more than it says. The key has one value: leave "+
						"ForAllValues out.",
					short(c.Key),
				),
			)
			out = append(out, *f)
		}
	}
	return out
}
