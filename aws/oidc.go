package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rolecall/policy"
)

// OIDCProvider is an OpenID Connect provider of the account: whose tokens its
// roles may trust. All roles of the account share it.
type OIDCProvider struct {
	ARN         string
	URL         string   // as AWS tells it, without https://
	ClientIDs   []string // the audiences that its tokens may be for
	Thumbprints []string // of its certificate authority; AWS needs none for well-known ones
	Created     time.Time
	Tags        []Tag
}

// ID tells one provider from another of the same ARN: AWS gives providers no
// identifier, so that the moment of their creation has to do.
func (p OIDCProvider) ID() string {
	if p.Created.IsZero() {
		return ""
	}
	return p.Created.UTC().Format(time.RFC3339Nano)
}

// Digest is that of what a provider says: its URL and its audiences.
func (p OIDCProvider) Digest() string {
	ids := slices.Clone(p.ClientIDs)
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(append([]string{p.URL}, slices.Compact(ids)...), "\n")))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Takes reports whether its tokens may be for an audience.
func (p OIDCProvider) Takes(audience string) bool { return slices.Contains(p.ClientIDs, audience) }

// OIDCProvider gets a provider by its ARN: one request. Kind NotFound when there
// is none.
func (a *Account) OIDCProvider(ctx context.Context, arn string, opts ...func(*iam.Options)) (OIDCProvider, error) {
	out, err := a.iam().GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn}, opts...)
	if err != nil {
		return OIDCProvider{}, a.fail(err, "iam:GetOpenIDConnectProvider", "get the OIDC provider %s", cleanText(arn))
	}
	p := OIDCProvider{ARN: arn, URL: cleanText(awssdk.ToString(out.Url)), Created: awssdk.ToTime(out.CreateDate), Tags: fromSDKTags(out.Tags)}
	for _, id := range out.ClientIDList {
		p.ClientIDs = append(p.ClientIDs, cleanText(id))
	}
	for _, thumbprint := range out.ThumbprintList {
		p.Thumbprints = append(p.Thumbprints, cleanText(thumbprint))
	}
	return p, nil
}

// OIDCProviders lists the ARNs of the account's providers: one request.
func (a *Account) OIDCProviders(ctx context.Context) ([]string, error) {
	out, err := a.iam().ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return nil, a.fail(err, "iam:ListOpenIDConnectProviders", "list the OIDC providers")
	}
	var all []string
	for _, p := range out.OpenIDConnectProviderList {
		all = append(all, cleanText(awssdk.ToString(p.Arn)))
	}
	return all, nil
}

// CreateOIDCProvider creates a provider without a thumbprint, which AWS takes
// where a certificate authority that it knows vouches for the issuer, then reads
// it back: two requests.
// Source: docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html.
func (a *Account) CreateOIDCProvider(ctx context.Context, w policy.WebIdentity, tags []Tag) (OIDCProvider, error) {
	in := &iam.CreateOpenIDConnectProviderInput{Url: &w.Issuer, ClientIDList: []string{w.Audience}, Tags: sdkTags(tags)}
	out, err := a.iam().CreateOpenIDConnectProvider(ctx, in, once)
	if err != nil {
		return OIDCProvider{}, a.fail(err, "iam:CreateOpenIDConnectProvider", "create the OIDC provider of %s", cleanText(w.Issuer))
	}
	arn := awssdk.ToString(out.OpenIDConnectProviderArn)
	p, err := a.OIDCProvider(ctx, arn)
	if KindOf(err) == NotFound || KindOf(err) == Denied { // it was made a moment ago, and nobody else can have made it
		return OIDCProvider{ARN: cleanText(arn), URL: w.Host(), ClientIDs: []string{w.Audience}, Tags: tags}, nil
	}
	return p, err
}

// AddClientID lets a provider's tokens be for one more audience: one request, and
// none the worse when it is there already.
func (a *Account) AddClientID(ctx context.Context, arn, audience string) error {
	_, err := a.iam().AddClientIDToOpenIDConnectProvider(ctx, &iam.AddClientIDToOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: &arn, ClientID: &audience})
	return a.fail(err, "iam:AddClientIDToOpenIDConnectProvider", "add the audience %s to the OIDC provider", cleanText(audience))
}

// DeleteOIDCProvider deletes a provider: one request. AWS does not ask whether
// roles trust it.
func (a *Account) DeleteOIDCProvider(ctx context.Context, arn string) error {
	_, err := a.iam().DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn}, once)
	return a.fail(err, "iam:DeleteOpenIDConnectProvider", "delete the OIDC provider %s", cleanText(arn))
}

// RolesTrusting are the names of the account's roles whose trust policy names a
// provider, or cannot be read: one or more requests.
func (a *Account) RolesTrusting(ctx context.Context, provider string) ([]string, error) {
	var names []string
	err := EveryPage("the account's roles", func(at *string) (*string, error) {
		out, err := a.iam().ListRoles(ctx, &iam.ListRolesInput{Marker: at})
		if err != nil {
			return nil, a.fail(err, "iam:ListRoles", "list the account's roles")
		}
		for _, r := range out.Roles {
			if role := newRole(r); role.Trust == nil || trustsProvider(role.Trust, provider) {
				names = append(names, role.Name)
			}
		}
		return nextMarker(out.IsTruncated, out.Marker), nil
	})
	return names, err
}

func trustsProvider(d *policy.Document, provider string) bool {
	return slices.ContainsFunc(d.Statements, func(s policy.Statement) bool {
		return s.NotPrincipal != nil || slices.ContainsFunc(s.Principal["Federated"], func(arn string) bool {
			return strings.EqualFold(arn, provider)
		})
	})
}

// provider reads the OIDC provider that is wanted; nothing without one.
func (o *observer) provider(ctx context.Context, seen *Seen) error {
	if o.web == nil {
		return nil
	}
	p, err := o.account.OIDCProvider(ctx, o.web.Provider(), o.opts...)
	seen.Provider, seen.ProviderKnown = nil, err == nil || KindOf(err) == NotFound
	switch KindOf(err) {
	case NotFound:
		return nil
	case Denied:
		seen.refused(err)
		return nil
	}
	if err == nil {
		seen.Provider = &p
	}
	return err
}
