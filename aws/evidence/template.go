package evidence

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"rolecall/aws"
	"rolecall/policy"
)

const cfnTemplate = "the CloudFormation template"

// outsideTemplate is what a template cannot tell.
const outsideTemplate = "A template shows what a stack makes. That the stack was made from it, and that nothing was changed since, is " +
	"not in it."

// templateJSON takes a template, or the answer of get-template with one inside.
func (e *reader) templateJSON(m *node) error {
	body := m.get("TemplateBody")
	switch {
	case body == nil:
		return e.template(m)
	case body.kind == '"' && !strings.HasPrefix(strings.TrimSpace(body.text), "{"):
		tree, err := parseYAML(body.text)
		if err != nil {
			return err
		}
		return e.template(tree)
	case body.kind == '"':
		tree, err := parse("", []byte(body.text), 1)
		if err != nil {
			return err
		}
		return e.template(tree)
	}
	return e.template(body)
}

func (e *reader) templateYAML(firstLine string) error {
	text, err := e.rest(firstLine)
	if err != nil {
		return err
	}
	tree, err := parseYAML(text)
	if err != nil {
		return err
	}
	if !tree.has("Resources") {
		return wrongForm("YAML")
	}
	e.count++
	return e.template(tree)
}

// stack is a template whose resources refer to each other.
type stack struct {
	reader    *reader
	resources *node
	// open says that policies may belong to any role or user of the template: whose
	// they are is left to a parameter, or the resources to a macro.
	open bool
}

// template takes the roles, users and policies of a template. What it leaves to
// parameters, conditions or other stacks is unknown.
func (e *reader) template(n *node) error {
	e.view.form("CloudFormation template")
	s := &stack{reader: e, resources: n.get("Resources"), open: rewritten(n.get("Transform"))}
	if s.resources == nil || s.resources.kind != '{' {
		return refuse("The template has no resources.", "Paste the whole template.")
	}
	if len(s.resources.keys) > 500 {
		return refuse("The template has more than 500 resources, which CloudFormation does not take.", "Name the right file.")
	}
	for i, id := range s.resources.keys {
		if err := s.take(id, s.resources.list[i]); err != nil {
			return err
		}
	}
	for i := range e.parts {
		e.parts[i].vague = e.parts[i].vague || s.open
	}
	if s.open {
		e.view.note("The template leaves open which policies there are, or whose they are, so rolecall cannot tell them all.")
	}
	return e.assemble()
}

// rewritten tells whether a macro other than AWS's own may write the resources
// anew.
func rewritten(transform *node) bool {
	if transform == nil {
		return false
	}
	of := func(n *node) bool {
		return n.kind != '"' || !strings.HasPrefix(n.text, "AWS::") || n.text == "AWS::Include"
	}
	if transform.kind == '[' {
		return slices.ContainsFunc(transform.list, of)
	}
	return of(transform)
}

func (s *stack) take(id string, r *node) error {
	s.open = s.open || strings.HasPrefix(id, "Fn::")
	p := s.properties(r)
	if p == nil || r.has("Condition") && strings.HasPrefix(r.str("Type"), "AWS::IAM::") {
		if r.has("Condition") {
			s.reader.view.note("The resource " + clean(id) + " is made under a condition, which rolecall cannot tell; it was not used.")
		}
		return s.perhaps(r, p)
	}
	switch r.str("Type") {
	case "AWS::IAM::Role":
		return s.role(id, p)
	case "AWS::IAM::User":
		return s.user(p)
	case "AWS::IAM::ManagedPolicy":
		return s.managedPolicy(id, p)
	case "AWS::IAM::OIDCProvider":
		return s.oidcProvider(id, p)
	case "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy":
		return s.inlinePolicy(p)
	}
	return nil
}

// perhaps notes whose policies are not all known where one is made under a
// condition.
func (s *stack) perhaps(r, p *node) error {
	if p == nil || !strings.HasSuffix(r.str("Type"), "Policy") {
		return nil
	}
	for _, to := range s.holders(p) {
		to.vague = true
		if err := s.keep(to); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) properties(r *node) *node {
	if r == nil || r.kind != '{' {
		return nil
	}
	p := r.get("Properties")
	if p == nil || p.kind != '{' {
		return nil
	}
	return p
}

// role takes a role. Where it has something that the template does not spell
// out, that stays unknown.
func (s *stack) role(id string, p *node) error {
	name, known := s.text(p.get("RoleName"))
	if !known {
		s.reader.view.note("The role " + clean(id) + " of the template has no name that is spelled out; it was not used.")
		return nil
	}
	h := s.holder(false, name, p)
	if text, ok := s.document(p, "AssumeRolePolicyDocument"); ok {
		h.trustText, h.trust = aws.ReadDocument(text, policy.Trust)
	} else {
		s.leaves("the trust policy of " + h.name)
	}
	s.lists(&h, p)
	return s.keep(h)
}

func (s *stack) user(p *node) error {
	name, known := s.text(p.get("UserName"))
	if !known {
		return nil
	}
	h := s.holder(true, name, p)
	s.lists(&h, p)
	return s.keep(h)
}

// holder is the role or user itself, with the ARN that it has in the account that
// was said.
func (s *stack) holder(user bool, name string, p *node) holder {
	ask := s.reader.ask
	h := holder{user: user, name: name, form: cfnTemplate, path: "/"}
	if p.has("Path") {
		h.path, _ = s.text(p.get("Path"))
	}
	boundary, ok := "", true
	if p.has("PermissionsBoundary") {
		boundary, ok = s.arn(p.get("PermissionsBoundary"))
	}
	if ask.AccountID == "" || ask.Partition == "" || h.path == "" {
		h.path = ""
		s.reader.view.note("A template does not say which account it is used in: --aws-account says so.")
		return h
	}
	h.arn = aws.RoleARN(ask.Partition, ask.AccountID, h.path, name)
	if user {
		h.arn = aws.UserARN(ask.Partition, ask.AccountID, h.path, name)
	}
	h.boundary, h.whole = boundary, ok
	return h
}

// leaves notes what the template does not spell out.
func (s *stack) leaves(what string) {
	s.reader.view.note("The template leaves " + clean(what) + " to a parameter or to AWS, so rolecall cannot tell it.")
}

// lists takes what the role or user itself says of its policies.
func (s *stack) lists(h *holder, p *node) {
	for _, item := range p.items("ManagedPolicyArns") {
		arn, ok := s.arn(item)
		if !ok {
			s.leaves("a policy of " + h.name)
			h.vague = true
			continue
		}
		h.attached = append(h.attached, aws.AttachedPolicy{ARN: arn, Name: nameOf(arn)})
	}
	if v := p.get("ManagedPolicyArns"); v != nil && v.kind != '[' {
		h.vague = true
	}
	for _, item := range p.items("Policies") {
		s.inline(h, item)
	}
	if v := p.get("Policies"); v != nil && v.kind != '[' {
		h.vague = true
	}
	for _, item := range p.items("Groups") {
		if group, ok := s.text(item); ok {
			h.groups = append(h.groups, group)
		}
	}
}

// inline takes one inline policy.
func (s *stack) inline(h *holder, p *node) {
	name, named := s.text(p.get("PolicyName"))
	text, ok := s.document(p, "PolicyDocument")
	if !named {
		h.vague = true
		s.leaves("an inline policy of " + h.name)
		return
	}
	if !ok {
		h.inlineNames = append(h.inlineNames, name)
		s.leaves("the inline policy " + name)
		return
	}
	h.takeInline(name, text)
}

func (s *stack) inlinePolicy(p *node) error {
	for _, to := range s.holders(p) {
		s.inline(&to, p)
		if err := s.keep(to); err != nil {
			return err
		}
	}
	return nil
}

// holders are those that a policy of its own names. With one whose name is not
// known it may be anybody's.
func (s *stack) holders(p *node) []holder {
	var all []holder
	for _, list := range []struct {
		user bool
		key  string
	}{{false, "Roles"}, {true, "Users"}, {false, "RoleName"}, {true, "UserName"}} {
		value := p.get(list.key)
		if value == nil {
			continue
		}
		nodes := p.items(list.key)
		if value.kind != '[' {
			nodes = []*node{value}
		}
		for _, item := range nodes {
			name, ok := s.text(item)
			switch {
			case ok:
				all = append(all, holder{user: list.user, name: name, form: cfnTemplate})
			case !s.unnamed(item):
				s.open = true
			}
		}
	}
	return all
}

// unnamed tells a reference to a role or user of the template that AWS gives a
// name: it is none that is asked for by its own.
func (s *stack) unnamed(n *node) bool {
	r := s.resources.get(n.str("Ref"))
	p := s.properties(r)
	kind := r.str("Type")
	return r != nil && (kind == "AWS::IAM::Role" || kind == "AWS::IAM::User") && !p.has("RoleName") && !p.has("UserName")
}

func (s *stack) managedPolicy(id string, p *node) error {
	text, ok := s.document(p, "PolicyDocument")
	arn, named := s.policyARN(id)
	if !named {
		return nil // whoever refers to it knows its placeholder
	}
	if err := s.reader.charge(len(text)); err != nil {
		return err
	}
	if !ok {
		s.leaves("the policy " + id)
	}
	if err := s.reader.managed(&managed{arn: arn, known: ok, text: text}); err != nil {
		return err
	}
	for _, to := range s.holders(p) {
		to.attached = []aws.AttachedPolicy{{ARN: arn, Name: nameOf(arn)}}
		if err := s.keep(to); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) keep(h holder) error {
	if !s.reader.ask.asked(h.user, h.name) {
		return nil
	}
	s.reader.view.note(outsideTemplate)
	return s.reader.later(h)
}

// policyARN is the ARN that a managed policy of the template gets. AWS makes up
// the name of one that has none; here it goes by that of the resource.
func (s *stack) policyARN(id string) (string, bool) {
	r := s.resources.get(id)
	p := s.properties(r)
	if p == nil || r.str("Type") != "AWS::IAM::ManagedPolicy" || r.has("Condition") {
		return "", false
	}
	name, path := id, "/"
	if p.has("ManagedPolicyName") {
		if name, _ = s.text(p.get("ManagedPolicyName")); name == "" {
			name = id
		}
	}
	if p.has("Path") {
		if text, ok := s.text(p.get("Path")); ok {
			path = text
		}
	}
	ask := s.reader.ask
	account, partition := ask.AccountID, ask.Partition
	if account == "" {
		account = "000000000000"
	}
	if partition == "" {
		partition = "aws"
	}
	return aws.PolicyARN(partition, account, path, name), true
}

// arn is the ARN that a value is, or refers to.
func (s *stack) arn(n *node) (string, bool) {
	if id := n.get("Ref"); id != nil && id.kind == '"' {
		return s.policyARN(id.text)
	}
	if id, attribute, ok := getAtt(n); ok {
		if attribute == "PolicyArn" {
			return s.policyARN(id)
		}
		return "", false
	}
	return s.text(n)
}

// getAtt reads Fn::GetAtt in both of its spellings.
func getAtt(n *node) (id, attribute string, ok bool) {
	at := n.get("Fn::GetAtt")
	switch {
	case at == nil:
		return "", "", false
	case at.kind == '[' && len(at.list) == 2:
		return at.list[0].text, at.list[1].text, true
	}
	return strings.Cut(at.text, ".")
}

// text is the text of a value that is spelled out, or made of nothing but
// pseudo parameters; false where it is not known.
func (s *stack) text(n *node) (string, bool) {
	switch {
	case n == nil:
		return "", false
	case n.kind == '"':
		return n.text, true
	case n.kind == 'w':
		return n.text, n.text != "null"
	case n.kind != '{' || len(n.keys) != 1:
		return "", false
	}
	switch n.keys[0] {
	case "Ref":
		return s.reference(n.list[0].text)
	case "Fn::Sub":
		if n.list[0].kind == '"' {
			return s.substitute(n.list[0].text)
		}
	case "Fn::Join":
		return s.join(n.list[0])
	case "Fn::GetAtt":
		if id, attribute, ok := getAtt(n); ok && attribute == "Arn" {
			return s.providerARN(id)
		}
	}
	return "", false
}

// reference is what Ref gives: a pseudo parameter, the name of a role or user of
// the template, or the ARN of its OIDC provider.
func (s *stack) reference(name string) (string, bool) {
	if value, ok := s.pseudo(name); ok {
		return value, value != ""
	}
	if value, ok := s.reader.ask.Parameters[name]; ok {
		return value, true
	}
	r := s.resources.get(name)
	p := s.properties(r)
	switch {
	case p == nil || r.has("Condition"):
	case r.str("Type") == "AWS::IAM::Role" && p.get("RoleName") != nil && p.get("RoleName").kind == '"':
		return p.get("RoleName").text, true
	case r.str("Type") == "AWS::IAM::User" && p.get("UserName") != nil && p.get("UserName").kind == '"':
		return p.get("UserName").text, true
	}
	return s.providerARN(name)
}

// pseudo are the pseudo parameters that follow from the account.
// Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html.
func (s *stack) pseudo(name string) (string, bool) {
	switch name {
	case "AWS::AccountId":
		return s.reader.ask.AccountID, true
	case "AWS::Partition":
		return s.reader.ask.Partition, true
	case "AWS::URLSuffix":
		suffix := map[string]string{"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
		return suffix[s.reader.ask.Partition], true
	}
	return "", false
}

var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{([^{}]*)\}`) })

// substitute is Fn::Sub without a map of its own; ${!Name} stays as ${Name}.
func (s *stack) substitute(text string) (string, bool) {
	known := true
	out := placeholder().ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		if rest, literal := strings.CutPrefix(name, "!"); literal {
			return "${" + rest + "}"
		}
		value, ok := s.reference(name)
		known = known && ok
		return value
	})
	return out, known
}

func (s *stack) join(n *node) (string, bool) {
	if n.kind != '[' || len(n.list) != 2 || n.list[0].kind != '"' || n.list[1].kind != '[' {
		return "", false
	}
	var parts []string
	for _, item := range n.list[1].list {
		text, ok := s.text(item)
		if !ok {
			return "", false
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, n.list[0].text), true
}

// document is a policy document with its functions carried out; false where one
// of them is not known.
func (s *stack) document(p *node, key string) (string, bool) {
	n := p.get(key)
	if n == nil {
		return "", false
	}
	if n.kind == '"' {
		return n.text, true
	}
	if n.raw != nil {
		tree, err := parse("", n.raw, 1)
		if err != nil {
			return string(n.raw), true // unreadable, as policy.Parse will say
		}
		n = tree
	}
	plain, ok := s.plain(n)
	if !ok {
		return "", false
	}
	return plain.written(), true
}

// plain carries out the functions inside a value.
func (s *stack) plain(n *node) (*node, bool) {
	if n.kind == '{' && len(n.keys) == 1 && (n.keys[0] == "Ref" || strings.HasPrefix(n.keys[0], "Fn::")) {
		text, ok := s.text(n)
		return &node{kind: '"', text: text}, ok
	}
	out := &node{kind: n.kind, text: n.text, raw: n.raw, keys: n.keys}
	if n.kind != '{' && n.kind != '[' {
		return out, true
	}
	out.keys = nil
	for i, item := range n.list {
		if ref := item.get("Ref"); ref != nil && ref.text == "AWS::NoValue" {
			continue // as if it were not there
		}
		value, ok := s.plain(item)
		if !ok {
			return nil, false
		}
		out.list = append(out.list, value)
		if n.kind == '{' {
			out.keys = append(out.keys, n.keys[i])
		}
	}
	return out, true
}
