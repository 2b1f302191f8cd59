package create

import (
	"context"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/access"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// settle compares requests of an earlier run that were sent and never seen
// answered with what exists: the name was free just before, so that a thing of
// this name and content, made since, is the one that was asked for.
func (x userSeen) settle(ledger *record.Ledger, kept func(record.Item, record.ItemState) error) error {
	receipt, err := ledger.Receipt()
	if err != nil {
		return err
	}
	for _, sent := range receipt.Left() {
		if sent.State != record.ItemSent || !x.holds(&sent) {
			continue
		}
		if err := kept(sent, record.ItemMade); err != nil {
			return err
		}
	}
	return nil
}

// holds tells whether a sent item exists now, and fills in its ID.
func (x userSeen) holds(sent *record.Item) bool {
	since, user := sent.At.Add(-clockSkew), x.user.User
	switch {
	case sent.Kind == record.ItemPolicy:
		for _, p := range x.policies {
			if p != nil && p.ARN == sent.ARN && p.Document != nil && p.Document.Digest() == sent.Digest && !p.Created.Before(since) {
				sent.ID = p.ID
				return true
			}
		}
	case user == nil:
	case sent.Kind == record.ItemUser && strings.EqualFold(user.Name, sent.Name) && !user.Created.Before(since):
		sent.ID = user.ID
		return true
	case sent.Kind == record.ItemUserAttachment && strings.EqualFold(user.Name, sent.User) && attachedTo(user, sent.ARN):
		sent.UserID = user.ID
		return true
	}
	return false
}

// difference is what exists under a wanted name and is not as wanted.
func (c *DirectUser) difference(s *step.Session) *screen.Problem {
	for i, p := range c.seen.policies {
		if p == nil {
			continue
		}
		if p.Document == nil {
			return &screen.Problem{What: p.Name + " exists, and rolecall cannot read its document.", Expected: "the document below",
				Next: "Choose another name.", Kind: screen.NotAsNeeded}
		}
		if d := policy.Compare(c.wants[i].Document, p.Document); !d.Equal {
			problem := step.DifferenceProblem(&aws.PolicySighting{Policy: *p, Difference: d})
			problem.Next, problem.Passing = "Choose another name for the policy. Unattended: --policy-name.", false
			return &problem
		}
	}
	user := c.seen.user.User
	if user == nil {
		return nil
	}
	name := s.Part(c.purpose(s)).UserName
	if extra, _ := c.seen.report.Check("user-policy-matches"); extra.Status == aws.Warn {
		return &screen.Problem{What: name + " exists and may do more: " + extra.Got + ".", Expected: "a user for " + s.Vendor.Title + " alone",
			Next: "Choose another name for the user. Unattended: --user-name.", Kind: screen.NotAsNeeded}
	}
	if s.Path != "" && user.Path != s.Path {
		return &screen.Problem{What: name + " exists under the path " + user.Path + ".", Expected: "the path " + s.Path,
			Next: "Choose another name for the user. Unattended: --user-name.", Kind: screen.NotAsNeeded}
	}
	return nil
}

// plan lists what is missing, in the order in which it can be made.
func (c *DirectUser) plan(s *step.Session) []userOp {
	purpose, part := c.purpose(s), s.Part(c.purpose(s))
	var ops []userOp
	for i, p := range c.seen.policies {
		if p == nil {
			ops = append(ops, c.policyOp(s, purpose, c.wants[i]))
		}
	}
	user := c.seen.user.User
	if user == nil {
		ops = append(ops, c.userOp(s, purpose, part.UserName))
	}
	for i, w := range c.wants {
		arn := aws.PolicyARN(s.Partition, s.AccountID, s.Path, w.Name)
		if c.seen.policies[i] != nil {
			arn = c.seen.policies[i].ARN
		}
		if user == nil || !attachedTo(user, arn) {
			ops = append(ops, attachOp(purpose, part.UserName, user, w.Name, arn))
		}
	}
	return ops
}

func attachedTo(u *aws.User, arn string) bool {
	for _, p := range u.Attached {
		if p.ARN == arn {
			return true
		}
	}
	return false
}

func (c *DirectUser) policyOp(s *step.Session, purpose string, w access.Document) userOp {
	n := aws.NewPolicy{Name: w.Name, Path: s.Path, Description: s.Role(purpose).Description, Document: w.Document, Tags: s.TagList()}
	return userOp{"create policy " + w.Name, record.Item{Kind: record.ItemPolicy, Purpose: purpose, Name: w.Name, Digest: w.Document.Digest(),
		ARN: aws.PolicyARN(s.Partition, s.AccountID, s.Path, w.Name)},
		func(ctx context.Context, account *aws.Account, item *record.Item) error {
			p, err := account.CreatePolicy(ctx, n)
			item.ID = p.ID
			return err
		}}
}

func (c *DirectUser) userOp(s *step.Session, purpose, name string) userOp {
	n := aws.NewUser{Name: name, Path: s.Path, Boundary: s.Boundary, Tags: s.TagList()}
	return userOp{"create user " + name, record.Item{Kind: record.ItemUser, Purpose: purpose, Name: name, ARN: aws.UserARN(s.Partition, s.AccountID, s.Path, name)},
		func(ctx context.Context, account *aws.Account, item *record.Item) error {
			u, err := account.CreateUser(ctx, n)
			item.ID = u.ID
			return err
		}}
}

func attachOp(purpose, name string, user *aws.User, policyName, arn string) userOp {
	item := record.Item{Kind: record.ItemUserAttachment, Purpose: purpose, Name: policyName, ARN: arn, User: name}
	if user != nil {
		item.UserID = user.ID
	}
	return userOp{"attach " + policyName + " to " + name, item, func(ctx context.Context, account *aws.Account, _ *record.Item) error {
		return account.AttachUserPolicy(ctx, name, arn)
	}}
}
