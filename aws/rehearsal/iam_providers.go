package rehearsal

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"rolecall/policy"
)

// provider is an OpenID Connect provider. It has no identifier but its ARN.
type provider struct {
	arn, url             string // url without https://
	clients, thumbprints []string
	created              time.Time
	tags                 []tag
}

// Quotas of IAM (docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const (
	mostProviders = 100
	mostClients   = 100
)

func providerActions() map[string]action {
	return map[string]action{
		"CreateOpenIDConnectProvider":        createProvider,
		"GetOpenIDConnectProvider":           getProvider,
		"ListOpenIDConnectProviders":         listProviders,
		"DeleteOpenIDConnectProvider":        deleteProvider,
		"AddClientIDToOpenIDConnectProvider": addClientID,
	}
}

func createProvider(s *Server, q request) (any, *apiError) {
	url := q.form.Get("Url")
	if err := policy.CheckIssuer(url); err != nil {
		return nil, &apiError{http.StatusBadRequest, "ValidationError", "Invalid Open ID Connect Provider URL"}
	}
	p := &provider{url: strings.TrimPrefix(url, "https://"), clients: members(q, "ClientIDList"), thumbprints: members(q, "ThumbprintList"),
		created: s.options.Now()}
	if len(p.clients) > mostClients {
		return nil, overQuota("ClientIdsPerOpenIdConnectProvider", mostClients)
	}
	var err *apiError
	if p.tags, err = readTags(q); err != nil {
		return nil, err
	}
	p.arn = s.arn("oidc-provider/" + p.url)
	if _, taken := s.state.providers[p.arn]; taken {
		return nil, &apiError{http.StatusConflict, "EntityAlreadyExists", fmt.Sprintf("Provider with url %s already exists.", url)}
	}
	if len(s.state.providers) >= mostProviders {
		return nil, overQuota("OpenIdConnectProvidersPerAccount", mostProviders)
	}
	if len(p.thumbprints) == 0 { // AWS finds the authority's out by itself
		p.thumbprints = []string{strings.Repeat("ab", 20)}
	}
	s.state.providers[p.arn] = p
	return struct {
		OpenIDConnectProviderArn string
		Tags                     []tag `xml:"Tags>member"`
	}{p.arn, p.tags}, nil
}

func (s *Server) provider(arn string) (*provider, *apiError) {
	p, ok := s.state.providers[arn]
	if !ok {
		return nil, &apiError{http.StatusNotFound, "NoSuchEntity", "OpenIDConnect Provider not found for arn " + arn}
	}
	return p, nil
}

func getProvider(s *Server, q request) (any, *apiError) {
	p, err := s.provider(q.form.Get("OpenIDConnectProviderArn"))
	if err != nil {
		return nil, err
	}
	return struct {
		URL            string   `xml:"Url"`
		ClientIDList   []string `xml:"ClientIDList>member"`
		ThumbprintList []string `xml:"ThumbprintList>member"`
		CreateDate     string
		Tags           []tag `xml:"Tags>member"`
	}{p.url, p.clients, p.thumbprints, p.created.UTC().Format("2006-01-02T15:04:05.000Z"), p.tags}, nil
}

func listProviders(s *Server, _ request) (any, *apiError) {
	type entry struct{ Arn string }
	var all []entry
	for arn := range s.state.providers {
		all = append(all, entry{arn})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.Arn, b.Arn) })
	return struct {
		OpenIDConnectProviderList []entry `xml:"OpenIDConnectProviderList>member"`
	}{all}, nil
}

// deleteProvider is none the worse where there is none, as in AWS.
func deleteProvider(s *Server, q request) (any, *apiError) {
	delete(s.state.providers, q.form.Get("OpenIDConnectProviderArn"))
	return nil, nil
}

// addClientID is none the worse where it is there already, as in AWS.
func addClientID(s *Server, q request) (any, *apiError) {
	p, err := s.provider(q.form.Get("OpenIDConnectProviderArn"))
	if err != nil {
		return nil, err
	}
	id := q.form.Get("ClientID")
	switch {
	case id == "" || len(id) > 255:
		return nil, invalid(id, "clientID", "Member must have length between 1 and 255")
	case slices.Contains(p.clients, id):
	case len(p.clients) >= mostClients:
		return nil, overQuota("ClientIdsPerOpenIdConnectProvider", mostClients)
	default:
		p.clients = append(p.clients, id)
	}
	return nil, nil
}

// AddProvider puts an OIDC provider into the account, as somebody else made it.
func (s *Server) AddProvider(url string, clients ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &provider{arn: s.arn("oidc-provider/" + strings.TrimPrefix(url, "https://")), url: strings.TrimPrefix(url, "https://"),
		clients: clients,
		created: s.options.Now()}
	s.state.providers[p.arn] = p
	return p.arn
}

// RemoveProvider takes an OIDC provider away, as somebody else would.
func (s *Server) RemoveProvider(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.state.providers, arn)
}
