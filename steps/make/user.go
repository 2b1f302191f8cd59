package making

import (
	"context"

	"rolecall/aws"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// User plans an IAM user with its policies. Its access key is made later, by an
// operation of its own.
type User struct {
	access.Grant
	Want aws.WantUser // to judge it by
}

// NewUser is the planner of a grant. What counts is what the user may do,
// whatever its policies are called.
func NewUser(g access.Grant, want aws.WantUser) User {
	want.Name, want.PolicyARNs = g.Name, nil
	return User{g, want}
}

// Needs are the permissions that looking takes.
func (w User) Needs() []aws.Permission {
	needs := on(w.ARN(), "iam:GetUser", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:ListGroupsForUser", "iam:ListAccessKeys")
	for _, doc := range w.Documents {
		needs = append(needs, on(doc.ARN, "iam:GetPolicy", "iam:GetPolicyVersion")...)
	}
	return needs
}

// Look reads the user and the policies of the wanted names, and judges the user.
func (w User) Look(ctx context.Context, account *aws.Account, deep bool) (Sight, error) {
	var x Sight
	var err error
	if x.Policies, err = (wanted{w.Grant}).policies(ctx, account, deep); err != nil {
		return x, err
	}
	seen, report, err := account.LookUser(ctx, w.Want)
	if err != nil {
		return x, err
	}
	if seen.Refusal != nil {
		return x, seen.Refusal // what cannot be seen cannot be told apart from what does not exist
	}
	x.User, x.UserReport = seen.User, report
	if u := x.User; u != nil {
		carrier := FoundUser(*u, w.item())
		x.Found = wanted{w.Grant}.found(x.Policies, &carrier, u.Attached, u.Inline)
		return x, nil
	}
	x.Found = wanted{w.Grant}.found(x.Policies, nil, nil, nil)
	return x, nil
}

func (w User) item() record.Item {
	return record.Item{Kind: record.ItemUser, Purpose: w.Purpose, Name: w.Name, ARN: w.ARN(), Settings: wanted{w.Grant}.settings()}
}

// Plan compares what exists with what is wanted.
func (w User) Plan(x Sight, update map[string]bool) Plan {
	return wanted{w.Grant}.plan(x, w.create(), w.difference(x), x.User != nil && x.UserReport.OK, update)
}

func (w User) create() Operation {
	return Operation{
		Name: "create user " + w.Name, Item: w.item(), Makes: true, Once: true,
		Needs: append(on(w.ARN(), "iam:CreateUser"), onlyWith(w.TagList(), w.ARN(), "iam:TagUser")...),
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			u, err := account.CreateUser(ctx, aws.NewUser{Name: w.Name, Path: w.Path, Boundary: w.Boundary, Tags: w.TagList()})
			if err == nil {
				item.ID, item.ARN = u.ID, u.ARN
			}
			return err
		},
	}
}

// difference tells why a user of the wanted name cannot be taken; nil when it
// can, or when there is none. rolecall changes no user that exists, apart from
// giving it the policy.
func (w User) difference(x Sight) *Difference {
	u := x.User
	if u == nil {
		return nil
	}
	d := &Difference{Key: string(record.ItemUser) + " " + u.ARN + " " + u.ID, Kind: record.ItemUser, Name: u.Name,
		Fixed: "rolecall changes no user that exists"}
	more, _ := x.UserReport.Check("user-policy-matches")
	missing := missingTags(w.TagList(), u.Tags)
	switch {
	case more.Status == aws.Warn:
		d.Problem = screen.Problem{What: w.Name + " exists and may do more: " + more.Got + ".", Expected: "a user for " + w.Vendor + " alone"}
	case !samePath(w.Path, u.Path):
		d.Problem = screen.Problem{What: w.Name + " exists under the path " + u.Path + ".", Expected: "the path " + w.Path}
	case w.Boundary != "" && u.Boundary != w.Boundary:
		d.Problem = screen.Problem{What: w.Name + " exists without the permissions boundary " + w.Boundary + ".", Expected: "a user that has it"}
	case missing != "":
		d.Problem = screen.Problem{What: w.Name + " exists without the tags " + missing + ".", Expected: "a user that has them"}
	}
	return d.finish("user", "--user-name", false)
}

// NewKey is the operation that makes an access key for a user, who has those of
// before. Took is called with the answer, which alone holds the secret.
func NewKey(purpose string, user aws.UserRef, before []aws.AccessKey, took func(aws.AccessKey, aws.SecretKey)) Operation {
	item := record.Item{Kind: record.ItemKey, Purpose: purpose, User: user.Name, UserID: user.ID}
	for _, k := range before {
		item.Beside = append(item.Beside, k.ID)
	}
	return Operation{
		Name: "create an access key for " + user.Name, Item: item, Makes: true, Once: true, OnlyAnswer: true,
		Needs: on(user.ARN, "iam:CreateAccessKey", "iam:ListAccessKeys", "iam:DeleteAccessKey"),
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			key, secret, err := account.CreateAccessKey(ctx, user.Name)
			if err == nil {
				item.Name, item.ID = key.ID, key.ID
				took(key, secret)
			}
			return err
		},
		Look: func(ctx context.Context, account *aws.Account) ([]Found, error) {
			keys, err := account.AccessKeys(ctx, user.Name)
			return FoundKeys(item, user, keys), err
		},
	}
}

// MadeKeys are those of a user's keys that this session made, one whose answer
// was never seen included.
func (h Host) MadeKeys(purpose string, user aws.UserRef, keys []aws.AccessKey) ([]string, error) {
	found := FoundKeys(record.Item{Purpose: purpose}, user, keys)
	if err := h.reconcile(found); err != nil {
		return nil, err
	}
	var made []string
	for _, f := range found {
		if f.State == record.ItemMade {
			made = append(made, f.ID)
		}
	}
	return made, nil
}

// DeleteKey deletes an access key, whether or not it is there still, and writes
// that down.
func (h Host) DeleteKey(ctx context.Context, key record.Item) (record.Item, error) {
	item, err := h.Send(ctx, Operation{Name: "delete access key " + key.ID, Item: key, Removes: true,
		Do: func(ctx context.Context, account *aws.Account, item *record.Item) error {
			return account.DeleteAccessKey(ctx, item.User, item.ID)
		}})
	if err != nil && aws.KindOf(err) != aws.NotFound {
		return item, err
	}
	return item, h.Removed(key)
}
