package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rolecall/policy"
)

// observer reads what Judge needs to see of a role. Documents are kept by
// version, so that a poller reads each only once.
type observer struct {
	account   *Account
	opts      []func(*iam.Options)
	documents map[string]*policy.Document // by ARN and version
	web       *policy.WebIdentity         // whose provider is read with a role; nil: none
}

// observe reads the role that want names.
func (o *observer) observe(ctx context.Context, want Want) (Seen, error) {
	name := want.RoleName
	if elsewhere(want) {
		return Seen{}, nil // a role of that name here would be another one
	}
	if arn, ok := SplitARN(want.RoleARN); ok {
		_, name = splitPath(arn.Resource)
	}
	role, err := o.account.roleOnly(ctx, name, o.opts...)
	switch KindOf(err) {
	case NotFound:
		seen := Seen{}
		return seen, o.provider(ctx, &seen)
	case Denied:
		seen := Seen{}
		seen.refused(err)
		return seen, nil
	}
	if err != nil {
		return Seen{}, err
	}
	return o.complete(ctx, role)
}

// refused remembers that a request was refused.
func (s *Seen) refused(err error) {
	e := Explain(err)
	s.Denied = append(s.Denied, e.Action)
	if s.Refusal == nil {
		s.Refusal = e
	}
}

// complete reads the policies of a role.
func (o *observer) complete(ctx context.Context, role Role) (Seen, error) {
	seen := Seen{Role: &role}
	if err := o.provider(ctx, &seen); err != nil {
		return seen, err
	}
	var err error
	role.Attached, err = o.account.attachedPolicies(ctx, role.Name, o.opts...)
	if seen.PoliciesUnknown = KindOf(err) == Denied; seen.PoliciesUnknown {
		seen.refused(err)
		err = nil
	}
	if err != nil {
		return seen, err
	}
	role.Inline, err = o.account.inlinePolicies(ctx, role.Name, o.opts...)
	if seen.InlineUnknown = KindOf(err) == Denied; seen.InlineUnknown {
		seen.refused(err)
		err = nil
	}
	if err != nil {
		return seen, err
	}
	return seen, o.readAttached(ctx, &seen)
}

// readAttached fills in the documents of the attached policies.
func (o *observer) readAttached(ctx context.Context, seen *Seen) error {
	for i := range seen.Role.Attached {
		p := &seen.Role.Attached[i]
		if p.Document != nil {
			continue
		}
		d, err := o.document(ctx, p.ARN)
		switch KindOf(err) {
		case Denied:
			seen.refused(err)
			return nil
		case NotFound:
			continue // detached and deleted between two requests
		}
		if err != nil {
			return err
		}
		p.Document = d
	}
	return nil
}

func (o *observer) document(ctx context.Context, arn string) (*policy.Document, error) {
	out, err := o.account.iam().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn}, o.opts...)
	if err != nil {
		return nil, o.account.fail(err, "iam:GetPolicy", "get policy %s", cleanText(arn))
	}
	p := newPolicy(*out.Policy)
	key := p.ARN + " " + p.ID + " " + p.VersionID
	if d, ok := o.documents[key]; ok {
		return d, nil
	}
	p, err = o.account.withDocument(ctx, p, o.opts...)
	if err != nil {
		return nil, err
	}
	if o.documents == nil {
		o.documents = map[string]*policy.Document{}
	}
	o.documents[key] = p.Document
	return p.Document, nil
}
