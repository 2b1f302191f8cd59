package drift

import (
	"context"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/record"
)

// user compares an IAM user, its keys and its policies.
func (c *Comparison) user(ctx context.Context, item record.Item) error {
	name := item.User
	if item.Kind == record.ItemUser {
		name = item.Name
	}
	if c.gone["user "+strings.ToLower(name)] {
		return nil
	}
	seen, err := c.seeUser(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case item.Kind == record.ItemUser:
		c.userItself(item, seen)
	case seen.User == nil:
	case item.Kind == record.ItemKey:
		c.key(item, seen)
	default:
		attached := slices.ContainsFunc(seen.User.Attached, func(p aws.AttachedPolicy) bool { return p.ARN == item.ARN })
		c.attached(item, attached, seen.PoliciesUnknown, seen.Missing)
	}
	return nil
}

// seeUser looks at a user once.
func (c *Comparison) seeUser(ctx context.Context, name string) (*aws.SeenUser, error) {
	if seen, ok := c.users[strings.ToLower(name)]; ok {
		return seen, nil
	}
	seen, err := c.Source.SeeUser(ctx, aws.WantUser{Name: name, AccountID: c.Receipt.AccountID, Partition: c.Receipt.Partition})
	if err == nil && seen.Refusal != nil {
		err = seen.Refusal
	}
	if err != nil {
		return nil, err
	}
	c.users[strings.ToLower(name)] = &seen
	return &seen, nil
}

func (c *Comparison) userItself(item record.Item, seen *aws.SeenUser) {
	check := aws.Check{
		ID:     "user-exists",
		Status: aws.Pass,
		Want:   item.Name,
		Got:    item.Name,
		Why:    "The vendor works in your account as this user.",
	}
	if seen.User == nil {
		unknown, ok := lacking(check.ID, seen.Missing, aws.PartHolder)
		if !ok {
			c.gone["user "+strings.ToLower(item.Name)] = true
			unknown = check
			unknown.Status, unknown.Got, unknown.Fix = aws.Fail, "there is no such user", "Make it anew: rolecall connect."
		}
		c.add(item, unknown)
		return
	}
	c.add(item, check)
	c.same(item, seen.User.ID, "user", seen.User.Created, seen.Missing)
	if item.State != record.ItemMade {
		return
	}
	var more []string
	for _, p := range seen.User.Attached {
		if !c.lists(record.Item{Kind: record.ItemUserAttachment, User: item.Name, ARN: p.ARN}) {
			more = append(more, p.Name)
		}
	}
	for _, p := range seen.User.Inline {
		more = append(more, p.Name+" (inline)")
	}
	for _, group := range seen.User.Groups {
		more = append(more, "what the group "+group+" has")
	}
	c.more(item, more, seen.Missing)
	_, unknown := lacking("", seen.Missing, aws.PartHolder)
	c.boundary(item, seen.User.Boundary, unknown, seen.Missing)
	c.keys(item, seen)
}

// keys names the keys that the user has beside the one of the receipt.
func (c *Comparison) keys(item record.Item, seen *aws.SeenUser) {
	if unknown, lacks := lacking("user-keys", seen.Missing, aws.PartKeys); lacks {
		c.add(item, unknown)
	}
	var keys []string
	for _, k := range seen.Keys {
		if !c.lists(record.Item{Kind: record.ItemKey, User: item.Name, Name: k.ID}) {
			keys = append(keys, k.ID)
		}
	}
	if len(keys) > 0 {
		c.add(item, aws.Check{
			ID:     "user-keys",
			Status: aws.Fail,
			Want:   "the key that rolecall made",
			Got:    "also " + strings.Join(keys, ", "),
			Why:    "The vendor signs in with the user's access key. Each further key is one more that can leak.",
			Fix:    "Delete it on the user's page, Security credentials, unless it was meant.",
		})
	}
}

func (c *Comparison) key(item record.Item, seen *aws.SeenUser) {
	check := aws.Check{
		ID:     "user-keys",
		Status: aws.Pass,
		Want:   item.Name,
		Got:    "active",
		Why:    "The vendor signs in with the user's access key.",
	}
	i := slices.IndexFunc(seen.Keys, func(k aws.AccessKey) bool { return k.ID == item.Name || k.ID == item.ID && item.ID != "" })
	unknown, ok := lacking(check.ID, seen.Missing, aws.PartKeys)
	switch {
	case i < 0 && ok && seen.KeysUnknown:
		check = unknown
	case i < 0:
		check.Status, check.Got, check.Fix = aws.Fail, "deleted since", "Make another one: rolecall connect."
	case !seen.Keys[i].Active:
		check.Status, check.Got, check.Fix = aws.Fail, "deactivated since", "Activate it on the user's page, Security credentials, if the "+
			"vendor is still to use it."
	}
	c.add(item, check)
}
