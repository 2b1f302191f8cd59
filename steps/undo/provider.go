package undo

import (
	"context"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// judgeProvider judges an OIDC provider, which all roles of the account share: it
// goes only where no role trusts it but those that go before it.
func (r *Remover) judgeProvider(ctx context.Context, item record.Item) (Removal, error) {
	p, err := r.Account.OIDCProvider(ctx, item.ARN)
	switch {
	case aws.KindOf(err) == aws.NotFound:
		return Removal{Item: item, Verdict: Gone}, nil
	case err != nil:
		return Removal{}, err
	case item.Unproven():
		return r.unproven(item), nil
	case item.ID == "" || p.ID() != item.ID:
		return stays(item, "It was made anew since: AWS says that it was created "+p.ID()+".", deleteByHand(item)), nil
	case !r.madeThen(p.Created, item):
		return stays(item, notThen(p.Created), deleteByHand(item)), nil
	case !item.Writes(p.Digest()):
		return stays(item, "Its audiences were changed since rolecall made it: it serves others too.", deleteByHand(item)), nil
	}
	trusts, err := r.Account.RolesTrusting(ctx, item.ARN)
	switch {
	case aws.KindOf(err) == aws.Denied:
		return stays(item, "You lack iam:ListRoles, so that rolecall cannot see whether other roles trust it.", deleteByHand(item)), nil
	case err != nil:
		return Removal{}, err
	}
	return Removal{Item: item, Verdict: Remove, uses: len(trusts), trusts: trusts}, nil
}

// keepTrusted takes back the removal of an OIDC provider that roles trust which
// stay.
func keepTrusted(plan []Removal) []Removal {
	for i := range plan {
		item := plan[i].Item
		if plan[i].Verdict != Remove || item.Kind != record.ItemProvider {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(plan[i].trusts), func(name string) bool {
			return slices.ContainsFunc(plan, func(other Removal) bool {
				return other.Kind == record.ItemRole && other.Verdict == Remove && strings.EqualFold(other.Name, name)
			})
		})
		if len(others) == 0 {
			continue
		}
		plan[i] = trusted(item, others)
	}
	return plan
}

// trusted keeps an OIDC provider that roles trust which stay.
func trusted(item record.Item, roles []string) Removal {
	return stays(item, "Roles that stay trust it: "+screen.CleanLine(strings.Join(roles[:min(3, len(roles))], ", "))+".",
		"See which: their trust policies name "+item.ARN+".")
}
