package drift

import (
	"cmp"
	"context"
	"strings"

	"rolecall/aws"
	"rolecall/steps/record"
)

// provider compares an OIDC provider, which all roles of the account share: others
// may have added audiences to it.
func (c *Comparison) provider(ctx context.Context, item record.Item) error {
	check := aws.Check{ID: "oidc-provider", Status: aws.Pass, Want: item.ARN, Got: item.ARN,
		Why: "AWS takes tokens of providers alone that the account knows, for the audiences that it knows."}
	account, ok := c.Source.(*aws.Account)
	if !ok {
		check.Status, check.Got, check.Fix = aws.Unknown, "evidence does not show OIDC providers", "Sign in to the account: leave out --evidence."
		c.add(item, check)
		return nil
	}
	now, err := account.OIDCProvider(ctx, item.ARN)
	if err != nil && aws.KindOf(err) != aws.NotFound {
		return err
	}
	audience := c.audience(item)
	switch {
	case err != nil:
		check.Status, check.Got, check.Fix = aws.Fail, "there is no such provider", "Make it anew: rolecall connect."
	case audience != "" && !now.Takes(audience):
		check.Status, check.Want = aws.Fail, "the provider for the audience "+audience
		check.Got = "the provider, for " + cmp.Or(strings.Join(now.ClientIDs, ", "), "no audience")
		check.Fix = "On the provider's page in IAM, Actions, Add audience: " + audience + "."
	case item.State == record.ItemMade && item.ID != "" && now.ID() != item.ID:
		check.Status, check.Got = aws.Warn, "made anew at "+now.ID()
		check.Fix = "Look who made it and with which tags: rolecall disconnect does not delete it any more."
	case !item.Writes(now.Digest()):
		check.Status, check.Got, check.Fix = aws.Warn, "its audiences are "+strings.Join(now.ClientIDs, ", ")+" now",
			"Remove what no role needs, if it was not meant."
	}
	c.add(item, check)
	return nil
}

// audience is the one that the roles of the receipt ask a provider's tokens for;
// empty where none does.
func (c *Comparison) audience(item record.Item) string {
	for _, seen := range c.roles {
		if seen.Role == nil || seen.Role.Trust == nil {
			continue
		}
		for i := range seen.Role.Trust.Statements {
			for _, condition := range seen.Role.Trust.Statements[i].Condition {
				if strings.EqualFold(condition.Key, item.Name+":aud") && len(condition.Values) > 0 {
					return condition.Values[0]
				}
			}
		}
	}
	return ""
}
