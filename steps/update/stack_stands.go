package update

import (
	"context"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
	making "rolecall/steps/make"
	"rolecall/steps/step"
)

// stillThere is a stack's ID, empty where that stack is gone: no other ever has it.
func (u *Updater) stillThere(ctx context.Context, id string) (string, error) {
	for tries := 0; ; tries++ {
		stack, err := u.Account.Stack(ctx, id)
		switch {
		case aws.KindOf(err) == aws.NotFound, err == nil && stack.Status == aws.StackDeleted:
			return "", nil
		case err == nil:
			return id, nil
		case !step.Passes(err):
			return "", err
		}
		if err := u.pause(ctx, making.Pause(tries)); err != nil {
			return "", err
		}
	}
}

// asItStands is the wanted template with what no update may change. A managed
// policy keeps its description: for another one CloudFormation makes another policy
// (resource reference, AWS::IAM::ManagedPolicy, "Description": replacement). What
// the stack took over from somebody stays as that person made it, and stays when
// the stack goes.
func (u *Updater) asItStands(ctx context.Context, up *StackUpdate, setup *policy.Setup) (string, error) {
	resources, err := u.Account.StackResources(ctx, up.Stack.ID)
	if err != nil {
		return "", err
	}
	retained := aws.TemplateDigest(policy.Retained(up.template)) == aws.TemplateDigest(up.template)
	for i := range setup.Roles {
		r := &setup.Roles[i]
		if role, ok := up.roles[r.Output]; ok && retained {
			r.Description, r.Tags = role.Description, withOwn(r.Tags, role.Tags)
		}
		for j := range r.Policies {
			if err := u.policyAsItStands(ctx, &r.Policies[j], resources, retained); err != nil {
				return "", err
			}
		}
	}
	template, err := setup.CloudFormation()
	if err == nil && retained {
		template = policy.Retained(template)
	}
	if err == nil {
		err = aws.CheckTemplateSize(template)
	}
	return template, err
}

func (u *Updater) policyAsItStands(ctx context.Context, p *policy.SetupPolicy, resources []aws.StackResource, named bool) error {
	at := slices.IndexFunc(resources, func(r aws.StackResource) bool {
		return r.LogicalID == p.ID && r.Type == "AWS::IAM::ManagedPolicy" && r.PhysicalID != ""
	})
	if p.Inline || at < 0 {
		return nil
	}
	now, err := u.Account.Policy(ctx, resources[at].PhysicalID)
	if aws.KindOf(err) == aws.NotFound { // CloudFormation says so itself
		return nil
	}
	if err != nil {
		return err
	}
	p.Description = now.Description
	if named {
		p.Name = now.Name
	}
	return nil
}

// withOwn are tags with those of a role that have other keys. AWS sets its own.
func withOwn(tags []policy.SetupTag, own []aws.Tag) []policy.SetupTag {
	for _, t := range own {
		known := slices.ContainsFunc(tags, func(o policy.SetupTag) bool { return o.Key == t.Key })
		if !known && !strings.HasPrefix(t.Key, "aws:") {
			tags = append(tags, policy.SetupTag(t))
		}
	}
	return tags
}
