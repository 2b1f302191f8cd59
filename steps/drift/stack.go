package drift

import (
	"context"
	"maps"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/aws/evidence"
	"rolecall/steps/record"
)

// stacks is a Source that shows CloudFormation stacks too, as a live account
// does.
type stacks interface {
	Stack(ctx context.Context, nameOrID string) (aws.Stack, error)
	Template(ctx context.Context, nameOrID string) (string, error)
}

// stack compares a stack with its receipt, and the roles that it made with its
// template.
func (c *Comparison) stack(ctx context.Context, item record.Item) error {
	check := aws.Check{
		ID:     "stack-unchanged",
		Status: aws.Pass,
		Want:   "the stack " + asMade,
		Got:    "the same template",
		Why:    "The stack says what the role is.",
	}
	source, ok := c.Source.(stacks)
	if !ok {
		check.Status, check.Got, check.Fix = aws.Unknown, "evidence does not show stacks", "Sign in to the account: leave out --evidence."
		c.add(item, check)
		return nil
	}
	stack, err := source.Stack(ctx, item.ID)
	switch {
	case aws.KindOf(err) == aws.NotFound || err == nil && stack.Status == aws.StackDeleted:
		check.Status, check.Got, check.Fix = aws.Fail, "there is no such stack", "Make it anew: rolecall connect --method automatic."
		c.add(item, check)
		return nil
	case err != nil:
		return err
	}
	template, err := source.Template(ctx, stack.ID)
	if err != nil {
		return err
	}
	if item.Digest != "" && !item.Writes(aws.TemplateDigest(template)) {
		check.Status, check.Got, check.Fix = aws.Fail, "its template was changed since", readmit
	}
	c.add(item, check)
	return c.stackRoles(ctx, stack, template)
}

// stackRoles takes the roles in a stack's outputs for items whose documents are
// those of its template.
func (c *Comparison) stackRoles(ctx context.Context, stack aws.Stack, template string) error {
	// A template that only CloudFormation understands says nothing here.
	meant, _ := evidence.TemplateOf(ctx, template, evidence.Ask{AccountID: c.Receipt.AccountID, Partition: c.Receipt.Partition,
		Parameters: stack.Parameters})
	for _, purpose := range slices.Sorted(maps.Keys(stack.Outputs)) {
		ref, err := aws.ParseRoleARN(stack.Outputs[purpose], c.Receipt.Partition, c.Receipt.AccountID)
		if err != nil {
			continue
		}
		item := record.Item{Kind: record.ItemRole, State: record.ItemAdopted, Purpose: purpose, Name: ref.Name, ARN: ref.ARN}
		role := meant[strings.ToLower(ref.Name)]
		if role != nil && role.Role.Trust != nil {
			item.Digest = role.Role.Trust.Digest()
		}
		if err := c.role(ctx, item); err != nil {
			return err
		}
		if err := c.stackPolicies(ctx, item, role); err != nil {
			return err
		}
	}
	return nil
}

// stackPolicies compares the policies and the boundary of a role with what a
// template gives it.
func (c *Comparison) stackPolicies(ctx context.Context, owner record.Item, meant *aws.Seen) error {
	seen, err := c.see(ctx, owner.Name)
	if err != nil || seen.Role == nil {
		return err
	}
	if meant == nil || meant.PoliciesUnknown || meant.InlineUnknown || meant.BoundaryUnknown {
		c.add(owner, aws.Check{ID: "policy-extra", Status: aws.Unknown, Want: "the policies that the template gives it",
			Got: "only CloudFormation knows what its template gives it", Why: "Each further policy lets the vendor do more.",
			Fix: "Ask CloudFormation what was changed: on the stack's page, Stack actions, Detect drift."})
		return nil
	}
	attached := func(in []aws.AttachedPolicy, p aws.AttachedPolicy) int {
		return slices.IndexFunc(in, func(other aws.AttachedPolicy) bool { return other.ARN == p.ARN })
	}
	inline := func(in []aws.InlinePolicy, p aws.InlinePolicy) bool {
		return slices.ContainsFunc(in, func(other aws.InlinePolicy) bool { return other.Name == p.Name })
	}
	for _, p := range meant.Role.Attached {
		i := attached(seen.Role.Attached, p)
		item := record.Item{Kind: record.ItemAttachment, Name: p.Name, ARN: p.ARN, Role: owner.Name}
		c.attached(item, i >= 0, false, nil)
		if i >= 0 && p.Document != nil {
			item = record.Item{Kind: record.ItemPolicy, Name: p.Name, ARN: p.ARN, Digest: p.Document.Digest()}
			c.document(item, seen.Role.Attached[i].Document, nil)
		}
	}
	for _, p := range meant.Role.Inline {
		if p.Document != nil {
			item := record.Item{Kind: record.ItemInline, Name: p.Name, Role: owner.Name, Digest: p.Document.Digest()}
			if err := c.inline(ctx, item); err != nil {
				return err
			}
		}
	}
	var more []string
	for _, p := range seen.Role.Attached {
		if attached(meant.Role.Attached, p) < 0 {
			more = append(more, p.Name)
		}
	}
	for _, p := range seen.Role.Inline {
		if !inline(meant.Role.Inline, p) {
			more = append(more, p.Name+" (inline)")
		}
	}
	c.more(owner, more, nil)
	owner.Settings = &record.Settings{Boundary: meant.Role.Boundary}
	c.boundary(owner, seen.Role.Boundary, false, nil)
	return nil
}
