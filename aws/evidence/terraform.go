package evidence

import (
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
)

const terraformState = "the Terraform state"

// outsideState is what a state cannot tell.
const outsideState = "A Terraform state shows what Terraform saw when it last ran. What was changed or attached outside of it since " +
	"then is not in it."

// module reads a module of terraform show -json, with those inside it.
func (e *reader) module() error { return e.inModule(0) }

func (e *reader) inModule(depth int) error {
	if depth > maxDepth {
		return e.s.fail("modules nested deeper than %d levels", maxDepth)
	}
	c, err := e.s.peek()
	if err != nil {
		return err
	}
	if c != '{' {
		return e.s.skip(depth)
	}
	return e.s.object(func(key string) error {
		switch key {
		case "root_module":
			return e.inModule(depth + 1)
		case "resources":
			return e.eachOf(e.resource)
		case "child_modules":
			if c, err := e.s.peek(); err != nil || c != '[' {
				return orElse(err, e.s.fail("child_modules is no list"))
			}
			return e.s.array(func() error { return e.inModule(depth + 1) })
		}
		return e.s.skip(depth)
	})
}

// resource takes one resource: of terraform show with its values, or of a state
// with its instances. What is too large to be of IAM is passed over.
func (e *reader) resource(n *node, whole bool) error {
	if !whole || n == nil || n.kind != '{' {
		return nil
	}
	kind := n.str("type")
	if !strings.HasPrefix(kind, "aws_iam_") {
		return nil
	}
	if n.has("values") {
		return e.ofTerraform(kind, n.get("values"))
	}
	for _, instance := range n.items("instances") {
		if instance.has("deposed") {
			continue // what Terraform is about to destroy
		}
		if err := e.ofTerraform(kind, instance.get("attributes")); err != nil {
			return err
		}
	}
	return nil
}

// ofTerraform takes the attributes of a resource, as the AWS provider names them.
// Source: registry.terraform.io/providers/hashicorp/aws/latest/docs.
func (e *reader) ofTerraform(kind string, n *node) error {
	switch kind {
	case "aws_iam_role":
		return e.terraformRole(n)
	case "aws_iam_user":
		return e.terraformHolder(holder{user: true, arn: n.name("arn"), name: n.name("name"), id: n.name("unique_id"), path: n.name("path"),
			boundary: n.name("permissions_boundary"), whole: true, attachedKnown: false, form: terraformState})
	case "aws_iam_role_policy", "aws_iam_user_policy":
		h := holder{user: kind == "aws_iam_user_policy", name: n.name("role") + n.name("user"), form: terraformState}
		h.takeInline(n.name("name"), n.name("policy"))
		return e.later(h)
	case "aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment":
		return e.later(attachment(kind == "aws_iam_user_policy_attachment", n.name("role")+n.name("user"), n.name("policy_arn")))
	case "aws_iam_role_policy_attachments_exclusive", "aws_iam_user_policy_attachments_exclusive":
		return e.later(
			attachment(strings.HasPrefix(kind, "aws_iam_user"), n.name("role_name")+n.name("user_name"), texts(n.items("policy_arns"))...),
		)
	case "aws_iam_policy_attachment":
		for _, role := range texts(n.items("roles")) {
			if err := e.later(attachment(false, role, n.name("policy_arn"))); err != nil {
				return err
			}
		}
		for _, user := range texts(n.items("users")) {
			if err := e.later(attachment(true, user, n.name("policy_arn"))); err != nil {
				return err
			}
		}
		return nil
	case "aws_iam_policy":
		return e.terraformPolicy(n)
	case "aws_iam_openid_connect_provider":
		return e.terraformProvider(n)
	case "aws_iam_user_group_membership":
		return e.later(holder{user: true, name: n.name("user"), groups: texts(n.items("groups")), form: terraformState})
	case "aws_iam_access_key": // its secret stands in the state and is not read
		return e.later(holder{user: true, name: n.name("user"), form: terraformState, keys: []aws.AccessKey{{ID: n.str("id"), User: n.str("user"),
			Active: n.str("status") == "Active", Created: n.moment("create_date"), UseUnknown: true}}})
	}
	return nil
}

func attachment(user bool, name string, arns ...string) holder {
	h := holder{user: user, name: name, form: terraformState}
	for _, arn := range arns {
		if arn != "" {
			h.attached = append(h.attached, aws.AttachedPolicy{ARN: arn, Name: nameOf(arn)})
		}
	}
	return h
}

func (e *reader) terraformRole(n *node) error {
	h := holder{
		arn:      n.name("arn"),
		name:     n.name("name"),
		id:       n.name("unique_id"),
		path:     n.name("path"),
		boundary: n.name("permissions_boundary"),
		created:  n.moment("create_date"),
		whole:    true,
		form:     terraformState,
	}
	if text := n.name("assume_role_policy"); text != "" {
		h.trustText, h.trust = aws.ReadDocument(text, policy.Trust)
	}
	h.attached = attachment(false, h.name, texts(n.items("managed_policy_arns"))...).attached
	for _, p := range n.items("inline_policy") {
		if p.name("name") != "" && p.name("policy") != "" {
			h.takeInline(p.name("name"), p.name("policy"))
		}
	}
	return e.terraformHolder(h)
}

// terraformHolder takes a role or a user. Its lists are complete as far as
// Terraform knows, once all of the state was read.
func (e *reader) terraformHolder(h holder) error {
	if h.name == "" || h.arn == "" || !e.ask.asked(h.user, h.name) {
		return nil
	}
	if err := e.charge(len(h.trustText) + 1000); err != nil {
		return err
	}
	e.view.note(outsideState)
	return e.later(h)
}

func (e *reader) terraformPolicy(n *node) error {
	p := &managed{arn: n.name("arn"), known: n.has("policy"), text: n.name("policy")}
	if p.arn == "" {
		return nil
	}
	if err := e.charge(len(p.text)); err != nil {
		return err
	}
	return e.managed(p)
}

// later keeps a part of a role or user until the whole state or template was
// read: only all of them together are a complete list.
func (e *reader) later(h holder) error {
	if h.name == "" || !e.ask.asked(h.user, h.name) {
		return nil
	}
	if err := e.charge(200); err != nil {
		return err
	}
	if err := e.checkNames(&h); err != nil {
		return err
	}
	i := slices.IndexFunc(e.parts, func(p holder) bool {
		return p.user == h.user && strings.EqualFold(p.name, h.name) && (p.arn == "" || h.arn == "" || p.arn == h.arn)
	})
	if i < 0 {
		e.parts = append(e.parts, h)
		return nil
	}
	return e.parts[i].merge(&h)
}

// assemble takes the parts that a state or template has, now that it was read.
func (e *reader) assemble() error {
	parts := e.parts
	e.parts = nil
	for i := range parts {
		h := parts[i]
		twice := slices.ContainsFunc(
			parts,
			func(p holder) bool { return p.user == h.user && strings.EqualFold(p.name, h.name) && p.arn != h.arn },
		)
		if h.vague = h.vague || twice; twice {
			e.view.note("There are several of the name " + h.name + ", and what is attached is said by name; so it is not known to whom.")
		}
		if h.trustText != "" || h.whole {
			h.attachedKnown, h.inlineKnown, h.groupsKnown, h.keysKnown = !h.vague, !h.vague, true, h.form != cfnTemplate
		}
		if err := e.add(h); err != nil {
			return err
		}
	}
	return nil
}
