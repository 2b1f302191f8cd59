package making

import (
	"context"

	"rolecall/aws"
	"rolecall/steps/record"
)

// alike tells whether a thing has the settings that were asked for. Nothing is
// known of a request whose settings are not on record.
func alike(asked record.Item, found record.Settings) bool {
	return asked.Settings != nil && asked.Settings.Fit(found)
}

// FoundRole is a role that exists, beside what was asked for.
func FoundRole(r aws.Role, asked record.Item) Found {
	trust := digest(r.Trust)
	return Found{
		Created: r.Created,
		Alike:   alike(asked, record.Settings{Path: r.Path, Boundary: r.Boundary, SessionFor: r.MaxSession, Tags: r.Tags}),
		Item: record.Item{Kind: record.ItemRole, Purpose: asked.Purpose, Name: r.Name, ARN: r.ARN, ID: r.ID, Digest: trust,
			Closed: asked.Closed && trust == asked.Digest},
	}
}

// FoundPolicy is a managed policy that exists, beside what was asked for.
func FoundPolicy(p aws.Policy, asked record.Item) Found {
	return Found{Created: p.Created, Alike: alike(asked, record.Settings{Path: p.Path, Tags: p.Tags}),
		Item: record.Item{Kind: record.ItemPolicy, Purpose: asked.Purpose, Name: p.Name, ARN: p.ARN, ID: p.ID, Digest: digest(p.Document)}}
}

// FoundUser is a user that exists, beside what was asked for.
func FoundUser(u aws.User, asked record.Item) Found {
	return Found{Created: u.Created, Alike: alike(asked, record.Settings{Path: u.Path, Boundary: u.Boundary, Tags: u.Tags}),
		Item: record.Item{Kind: record.ItemUser, Purpose: asked.Purpose, Name: u.Name, ARN: u.ARN, ID: u.ID}}
}

// FoundKeys are the access keys that a user has. One that was used is not the
// one whose secret nobody saw.
func FoundKeys(asked record.Item, user aws.UserRef, keys []aws.AccessKey) []Found {
	found := make([]Found, len(keys))
	for i, k := range keys {
		found[i] = Found{Created: k.Created, Alike: k.LastUsed.IsZero(),
			Item: record.Item{Kind: record.ItemKey, Purpose: asked.Purpose, Name: k.ID, ID: k.ID, User: user.Name, UserID: user.ID}}
	}
	return found
}

// FoundStack is a stack that exists, with the token of its newest run, beside
// what was asked for; and its template, empty where AWS does not let it be read.
func FoundStack(ctx context.Context, account *aws.Account, stack aws.Stack, asked record.Item) (found Found, template string, err error) {
	found = stackItem(stack, asked)
	template, err = account.Template(ctx, stack.ID)
	switch kind := aws.KindOf(err); {
	case kind == aws.Denied:
		found.Digest = asked.Digest
	case kind == aws.NotFound:
	case err != nil:
		return found, "", err
	default:
		found.Digest = aws.TemplateDigest(template)
	}
	found.Token = creationToken(ctx, account, stack)
	return found, template, nil
}

// FoundInReview is a stack with nothing in it yet. Its change set bears the name
// that the request gave it which made both.
func FoundInReview(ctx context.Context, account *aws.Account, stack aws.Stack, asked record.Item) (Found, error) {
	found := stackItem(stack, asked)
	if asked.ChangeSet == "" {
		return found, nil
	}
	set, err := account.ChangeSetOf(ctx, stack.ID, asked.ChangeSet)
	switch kind := aws.KindOf(err); {
	case kind == aws.NotFound, kind == aws.Denied:
		return found, nil
	case err != nil:
		return found, err
	}
	if set.StackID == stack.ID && set.Name == asked.ChangeSet {
		found.Digest = asked.Digest
	}
	return found, nil
}

func stackItem(stack aws.Stack, asked record.Item) Found {
	return Found{Created: stack.Created, Alike: alike(asked, record.Settings{Tags: stack.Tags}),
		Item: record.Item{Kind: record.ItemStack, Purpose: asked.Purpose, Name: stack.Name, ID: stack.ID, ARN: stack.ID}}
}

// creationToken is the token of the request that the stack's newest run belongs
// to; empty where AWS does not tell, or does not let it be asked.
func creationToken(ctx context.Context, account *aws.Account, stack aws.Stack) string {
	watch := account.WatchStack(stack.ID, "")
	if _, _, err := watch.Fetch(ctx); err != nil || len(watch.Events()) == 0 {
		return ""
	}
	return watch.Events()[0].Token
}

// Proven is what is on record of a request that was never seen answered, once
// what exists shows that it was done.
func Proven(sent record.Item, found []Found) (record.Item, bool) {
	one, ok := the(sent, found, true)
	if !ok {
		return sent, false
	}
	sent.ID, sent.ARN, sent.Name, sent.RoleID, sent.UserID = one.ID, one.ARN, one.Name, one.RoleID, one.UserID
	sent.State, sent.Looked = record.ItemMade, true
	return sent, true
}
