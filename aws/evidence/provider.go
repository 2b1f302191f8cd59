package evidence

import (
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
)

// provider is an OIDC provider, as far as it is known.
type provider struct {
	arn       string // empty: nobody said which account it is in
	host      string // its URL without the scheme
	audiences []string
	known     bool // the provider itself was shown, with its audiences
	form      string
}

const (
	getProvider   = "aws iam get-open-id-connect-provider"
	listProviders = "aws iam list-open-id-connect-providers"
	providerARN   = "--open-id-connect-provider-arn"
)

// hostOf is the URL of an issuer as AWS tells it: without the scheme.
func hostOf(url string) string { return policy.WebIdentity{Issuer: url}.Host() }

// inARN is the host that the ARN of an OIDC provider ends in.
func inARN(arn string) (host string, ok bool) {
	parsed, ok := aws.SplitARN(arn)
	if !ok || parsed.Service != "iam" || parsed.AccountID == "" {
		return "", false
	}
	host, ok = strings.CutPrefix(parsed.Resource, "oidc-provider/")
	return host, ok && host != ""
}

// oidcProvider takes the answer of get-open-id-connect-provider, which does not
// say the ARN: a command beside it does.
func (e *reader) oidcProvider(m *node) error {
	e.view.form(getProvider)
	return e.addProvider(provider{arn: e.command.value(providerARN), host: hostOf(m.name("Url")), audiences: texts(m.items("ClientIDList")),
		known: m.get("ClientIDList") != nil, form: getProvider})
}

// oidcProviders takes the answer of list-open-id-connect-providers.
func (e *reader) oidcProviders(m *node) error {
	e.view.form(listProviders)
	var listed []string
	for _, n := range m.items("OpenIDConnectProviderList") {
		arn := n.name("Arn")
		host, _ := inARN(arn)
		if err := e.addProvider(provider{arn: arn, host: host, form: listProviders}); err != nil {
			return err
		}
		listed = append(listed, arn)
	}
	if m.isTrue("IsTruncated") || m.has("NextToken") || m.has("Marker") {
		return nil
	}
	e.view.providerLists = append(e.view.providerLists, listed)
	return nil
}

// terraformProvider takes an aws_iam_openid_connect_provider.
func (e *reader) terraformProvider(n *node) error {
	e.view.note(outsideState)
	return e.addProvider(provider{arn: n.name("arn"), host: hostOf(n.name("url")), audiences: texts(n.items("client_id_list")),
		known: n.get("client_id_list") != nil, form: terraformState})
}

// oidcProvider takes a provider of the template.
func (s *stack) oidcProvider(id string, p *node) error {
	arn, ok := s.providerARN(id)
	if !ok {
		return nil // which provider it is, the template does not spell out
	}
	url, _ := s.text(p.get("Url"))
	made := provider{arn: arn, host: hostOf(url), known: true, form: cfnTemplate}
	if list := p.get("ClientIdList"); list != nil && list.kind != '[' {
		made.known = false
	}
	for _, item := range p.items("ClientIdList") {
		audience, ok := s.text(item)
		made.known = made.known && ok
		made.audiences = append(made.audiences, audience)
	}
	if !made.known {
		s.leaves("the audiences of the OIDC provider " + made.host)
		made.audiences = nil
	}
	s.reader.view.note(outsideTemplate)
	return s.reader.addProvider(made)
}

// providerARN is the ARN that an OIDC provider of the template gets, which is
// what Ref gives too.
func (s *stack) providerARN(id string) (string, bool) {
	r, ask := s.resources.get(id), s.reader.ask
	p := s.properties(r)
	if p == nil || r.str("Type") != "AWS::IAM::OIDCProvider" || r.has("Condition") || ask.AccountID == "" || ask.Partition == "" {
		return "", false
	}
	url, ok := s.text(p.get("Url"))
	return policy.WebIdentity{Partition: ask.Partition, AccountID: ask.AccountID, Issuer: url}.Provider(), ok
}

// addProvider takes what a document says of an OIDC provider. Two that say
// different things prove nothing.
func (e *reader) addProvider(p provider) error {
	for _, name := range append([]string{p.arn, p.host}, p.audiences...) {
		if !sound(name) {
			return unsound(name)
		}
	}
	inside, ok := inARN(p.arn)
	if p.host == "" || p.arn != "" && (!ok || inside != p.host) {
		return refuse(short(p.arn)+" in the evidence is not the ARN of the OIDC provider "+short(p.host)+".",
			"Copy the output again, as AWS gave it.")
	}
	if err := e.charge(200); err != nil {
		return err
	}
	i := slices.IndexFunc(e.view.providers, func(o *provider) bool {
		return o.host == p.host && (o.arn == p.arn || o.arn == "" || p.arn == "")
	})
	if i < 0 {
		e.view.providers = append(e.view.providers, &p)
		return nil
	}
	mine := e.view.providers[i]
	if mine.known && p.known && !sameList(mine.audiences, p.audiences) {
		return contradiction("Two outputs about the OIDC provider "+p.host+" differ: its audiences are "+listed(mine.audiences)+" in one and "+
			listed(p.audiences)+" in the other.", "outputs that agree", "Run the commands again and paste the new outputs alone.")
	}
	if mine.arn == "" {
		mine.arn = p.arn
	}
	if p.known {
		mine.known, mine.audiences = true, p.audiences
	}
	return nil
}

func sameList(one, other []string) bool {
	one, other = slices.Sorted(slices.Values(one)), slices.Sorted(slices.Values(other))
	return slices.Equal(slices.Compact(one), slices.Compact(other))
}

// noProvider takes AWS's words that there is no such provider.
func (e *reader) noProvider(said string) {
	arn := e.command.value(providerARN)
	if at := strings.Index(said, "arn:"); at >= 0 {
		arn, _, _ = strings.Cut(said[at:], " ")
	}
	e.view.form("AWS's own words")
	e.view.absent = append(e.view.absent, "provider "+strings.Trim(arn, `"'.`))
	e.command = command{}
}

// checkProviders refuses evidence that shows a provider and that it is not there.
func (e *reader) checkProviders() error {
	for _, p := range e.view.providers {
		if p.arn == "" {
			e.view.note("AWS does not say which account the OIDC provider " + p.host + " is in; it is taken for that of the role.")
		}
		if p.arn != "" && p.form != cfnTemplate && e.view.lacksProvider(p.arn) {
			return contradiction("The evidence shows the OIDC provider "+p.arn+", and that there is none.", "outputs that agree",
				"Run the commands again and paste the new outputs alone.")
		}
	}
	return nil
}

// lacksProvider tells whether AWS said that there is no such provider, or a whole
// list of its account lacks it. An empty list is taken for one of that account.
func (v *View) lacksProvider(arn string) bool {
	wanted, _ := aws.SplitARN(arn)
	return slices.Contains(v.absent, "provider "+arn) || slices.ContainsFunc(v.providerLists, func(list []string) bool {
		return !slices.Contains(list, arn) && !slices.ContainsFunc(list, func(other string) bool {
			parsed, _ := aws.SplitARN(other)
			return parsed.AccountID != wanted.AccountID || parsed.Partition != wanted.Partition
		})
	})
}

// seeProvider gives what the evidence shows of the OIDC provider that is wanted,
// or the command that would show it.
func (v *View) seeProvider(web *policy.WebIdentity, seen *aws.Seen) {
	if web == nil {
		return
	}
	arn := web.Provider()
	i := slices.IndexFunc(v.providers, func(p *provider) bool { return p.known && p.host == web.Host() && (p.arn == arn || p.arn == "") })
	switch {
	case i >= 0:
		p := v.providers[i]
		seen.ProviderKnown = true
		seen.Provider = &aws.OIDCProvider{ARN: arn, URL: p.host, ClientIDs: slices.Clone(p.audiences)}
	case v.lacksProvider(arn):
		seen.ProviderKnown = true
	case web.AccountID == "":
		seen.Missing = append(seen.Missing, aws.Missing{Part: aws.PartProvider, Command: listProviders + " --output json"})
	default:
		seen.Missing = append(seen.Missing, aws.Missing{Part: aws.PartProvider, Command: call("get-open-id-connect-provider", providerARN, arn)})
	}
}

// placeOfTrust is the account of the OIDC providers that trust policies name;
// empty where they name none, or providers of several.
func (v *View) placeOfTrust() (partition, account string) {
	for _, h := range v.holders {
		if h.trust == nil {
			continue
		}
		for i := range h.trust.Statements {
			for _, arn := range h.trust.Statements[i].Principal["Federated"] {
				parsed, _ := aws.SplitARN(arn)
				if _, ok := inARN(arn); !ok || account != "" && account != parsed.AccountID {
					return "", ""
				}
				partition, account = parsed.Partition, parsed.AccountID
			}
		}
	}
	if account != "" {
		v.note("The evidence does not say which account the role is in; it is taken for " + clean(account) + ", whose OIDC provider it trusts.")
	}
	return partition, account
}
