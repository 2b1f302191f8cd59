package making

import (
	"context"
	"slices"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/record"
)

// FoundProvider is an OIDC provider that exists, beside what was asked for.
func FoundProvider(p aws.OIDCProvider, asked record.Item) Found {
	return Found{Created: p.Created, Alike: alike(asked, record.Settings{Tags: p.Tags}),
		Item: record.Item{Kind: record.ItemProvider, Purpose: asked.Purpose, Name: asked.Name, ARN: p.ARN, ID: p.ID(), Digest: p.Digest()}}
}

// providerItem is the provider on record, as it would be made.
func (w Role) providerItem() record.Item {
	made := aws.OIDCProvider{URL: w.Web.Host(), ClientIDs: []string{w.Web.Audience}}
	return record.Item{Kind: record.ItemProvider, Purpose: w.Purpose, Name: w.Web.Host(), ARN: w.Web.Provider(), Digest: made.Digest(),
		Settings: &record.Settings{Tags: w.TagList()}}
}

// providers are what the OIDC provider takes: to be made, or to take one more
// audience. What is there stays as it is, since other roles may trust it.
func (w Role) providers(x Sight) []Operation {
	switch {
	case w.Web == nil:
		return nil
	case x.Provider == nil:
		return []Operation{w.createProvider()}
	case !x.Provider.Takes(w.Web.Audience):
		item := FoundProvider(*x.Provider, w.providerItem()).Item
		next := *x.Provider
		next.ClientIDs = append(slices.Clone(next.ClientIDs), w.Web.Audience)
		item.Digest = next.Digest()
		op := addAudience(*w.Web, item)
		op.Rewrites = true
		return []Operation{op}
	}
	return nil
}

// addAudience lets the tokens of a provider that exists be for one more audience.
func addAudience(web policy.WebIdentity, item record.Item) Operation {
	return change("add audience "+web.Audience+" to OIDC provider "+web.Host(), "what is there stays", item,
		func(ctx context.Context, account *aws.Account) error {
			return account.AddClientID(ctx, web.Provider(), web.Audience)
		}, on(web.Provider(), "iam:AddClientIDToOpenIDConnectProvider")...)
}

func (w Role) createProvider() Operation {
	web := *w.Web
	return Operation{
		Name: "create OIDC provider " + web.Host(), Detail: "for the audience " + web.Audience, Item: w.providerItem(), Makes: true, Once: true,
		Needs: append(on(web.Provider(), "iam:CreateOpenIDConnectProvider"),
			onlyWith(w.TagList(), web.Provider(), "iam:TagOpenIDConnectProvider")...),
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			p, err := account.CreateOIDCProvider(ctx, web, w.TagList())
			if err == nil {
				item.ID, item.ARN = p.ID(), p.ARN
			}
			return err
		},
	}
}

// sharesProvider tells whether a plan makes or changes the provider already:
// roles share it.
func (p Plan) sharesProvider(op Operation) bool {
	return op.Item.Kind == record.ItemProvider && slices.ContainsFunc(p.Operations, func(other Operation) bool {
		return other.Item.Kind == op.Item.Kind && other.Name == op.Name
	})
}
