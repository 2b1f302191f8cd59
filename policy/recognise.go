package policy

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Form is what a text was recognised as, beyond a document of the kind that was
// asked for.
type Form struct {
	// What names it for people: "a trust policy", "a CloudFormation template",
	// "the answer of aws iam get-role". It is "" where the text is what was asked
	// for, or nothing that is known.
	What string
	// Where is the path of the document that was read inside, such as
	// "Role.AssumeRolePolicyDocument"; "" where the text itself is the document.
	Where string
	// Next is a sentence with the command that fits, or with the way to a
	// document that can be reviewed. It is "" where the document inside was read.
	Next string
}

// Reading is a text that was read, whatever it turned out to be.
type Reading struct {
	Document *Document // nil where there is none, or of another kind
	Refusals []Refusal // with one of ID "kind" at the front where the kind is not what was asked for
	Kind     Kind      // of Document
	Form     Form
	Text     string // of the document itself, where it was read from inside another text
}

// Recognise is Check for texts as people have them: it also takes the answers of the
// AWS CLI that hold one role's or policy's document, and reviews that, and it
// names what is another kind of document with the command that fits. Positions
// are those of the whole text, save in a document that was given as an encoded
// string.
func Recognise(text []byte, kind Kind) Reading {
	root, err := parseForm(text)
	if err != nil {
		d, refusals := Check(text, kind)
		r := Reading{Document: d, Refusals: refusals, Kind: kind}
		if form, ok := otherLanguage(string(text)); ok {
			r.Form = form
			r.Refusals = append([]Refusal{r.refusal(form, refusals)}, refusals...)
		}
		return r
	}
	if inside, ok := answerOf(root); ok {
		return readInside(text, inside)
	}
	if form, ok := container(root); ok {
		return foreign(text, kind, form)
	}
	if form, actual, ok := otherKind(root, kind); ok {
		if actual == nil {
			r := foreign(text, kind, form)
			d, refusals := Check(text, Identity)
			r.Document = d
			r.Refusals = append(r.Refusals, slices.DeleteFunc(refusals, ofKind)...)
			return r
		}
		// What remains wrong with a document of that kind is worth saying too.
		d, asked := Check(text, kind)
		_, refusals := Check(text, *actual)
		r := Reading{Document: d, Kind: kind, Form: form}
		r.Refusals = append([]Refusal{r.refusal(form, asked)}, refusals...)
		return r
	}
	d, refusals := Check(text, kind)
	return Reading{Document: d, Refusals: refusals, Kind: kind}
}

// parseForm parses what is not too long to be any document.
func parseForm(text []byte) (*node, *syntaxError) {
	if len(text) > maxForm {
		return nil, &syntaxError{what: "too long"}
	}
	return parseJSON(text)
}

// maxForm is more than a role with all its tags, or a template, takes.
const maxForm = 4 << 20

// refusal says in the first place what the document is. AWS's sentence is that
// for the document as the kind that was asked for.
func (r *Reading) refusal(form Form, asked []Refusal) Refusal {
	out := Refusal{ID: "kind", Category: "missing-element", What: form.What, Expected: form.Next, Line: 1, Column: 1, Statement: -1}
	if len(asked) > 0 {
		out.AWS, out.Near = asked[0].AWS, asked[0].Near
	}
	return out
}

// foreign is a text of which nothing can be reviewed: what IAM would say to its
// parts one by one helps nobody.
func foreign(text []byte, kind Kind, form Form) Reading {
	r := Reading{Kind: kind, Form: form}
	_, asked := Check(text, kind)
	r.Refusals = []Refusal{r.refusal(form, asked)}
	return r
}

// ofKind reports whether a refusal of a resource's policy comes from its being
// one: those have principals, may leave the resource out, may be of the old
// version, and may have any Sid.
func ofKind(r Refusal) bool {
	return slices.Contains([]string{"principal", "missing", "version", "sid"}, r.ID)
}

// inside is a document found in an answer of AWS.
type inside struct {
	form  Form
	kind  Kind
	value *node
}

// answers are the answers of the AWS CLI and of the IAM API that hold one
// document: the path to it and the member that must stand beside it. Sources:
// docs.aws.amazon.com/cli/latest/reference/iam/ get-role.html,
// get-policy-version.html, get-role-policy.html and their relatives.
func answerPaths() []answerPath {
	return []answerPath{
		{"Role.AssumeRolePolicyDocument", "", "aws iam get-role", Trust},
		{"AssumeRolePolicyDocument", "RoleName", "aws iam list-roles (one role)", Trust},
		{"PolicyVersion.Document", "", "aws iam get-policy-version", Identity},
		{"Document", "VersionId", "aws iam list-policy-versions (one version)", Identity},
		{"PolicyDocument", "RoleName", "aws iam get-role-policy", Identity},
		{"PolicyDocument", "UserName", "aws iam get-user-policy", Identity},
		{"PolicyDocument", "GroupName", "aws iam get-group-policy", Identity},
		{"PolicyDocument", "PolicyName", "aws iam get-account-authorization-details (one inline policy)", Identity},
	}
}

type answerPath struct {
	path, beside, command string
	kind                  Kind
}

// answerOf finds the document in an answer of AWS, also one wrapped in the
// GetRoleResponse and GetRoleResult of the API.
func answerOf(root *node) (inside, bool) {
	root = unwrapped(root)
	for _, p := range answerPaths() {
		value := root.path(p.path)
		if value == nil || p.beside != "" && root.path(p.beside) == nil {
			continue
		}
		if value.kind != nodeObject && value.kind != nodeString {
			continue
		}
		form := Form{What: "the answer of " + p.command, Where: p.path}
		return inside{form: form, kind: p.kind, value: value}, true
	}
	return inside{}, false
}

// unwrapped goes through objects of one member that the API puts around.
func unwrapped(n *node) *node {
	for n.kind == nodeObject {
		at := slices.IndexFunc(n.members, func(m member) bool {
			return strings.HasSuffix(m.key, "Response") || strings.HasSuffix(m.key, "Result")
		})
		if at < 0 || n.members[at].value.kind != nodeObject {
			break
		}
		n = n.members[at].value
	}
	return n
}

// path follows keys through objects; nil where one is missing.
func (n *node) path(keys string) *node {
	for key := range strings.SplitSeq(keys, ".") {
		if n == nil || n.kind != nodeObject {
			return nil
		}
		at := slices.IndexFunc(n.members, func(m member) bool { return m.key == key })
		if at < 0 {
			return nil
		}
		n = n.members[at].value
	}
	return n
}

// readInside reads the document in an answer. The API and some tools give it
// as a string, percent-encoded or plain.
func readInside(text []byte, in inside) Reading {
	r := Reading{Kind: in.kind, Form: in.form}
	if in.value.kind == nodeString {
		inner := in.value.text
		if !strings.HasPrefix(strings.TrimSpace(inner), "{") {
			if decoded, err := url.PathUnescape(inner); err == nil {
				inner = decoded
			}
		}
		r.Text = inner
		r.Document, r.Refusals = Check([]byte(inner), in.kind)
		return r
	}
	r.Text = string(text[in.value.at:in.value.end])
	r.Document, r.Refusals = checkNode(text, in.value, in.kind)
	return r
}

// container names documents that hold policies and are none: templates, plans,
// and answers with several policies.
func container(root *node) (Form, bool) {
	root = unwrapped(root)
	if root.kind == nodeList {
		return Form{What: "a list, not a policy", Next: "Give one policy: an object with Version and Statement."}, true
	}
	has := func(path string) bool { return root.path(path) != nil }
	if root.kind != nodeObject || has("Statement") {
		return Form{}, false
	}
	switch {
	case has("AWSTemplateFormatVersion"),
		has("Transform") && has("Resources"),
		has("Resources") && hasResourceType(root.path("Resources"), "AWS::"):
		return Form{What: "a CloudFormation template", Next: "Give the policy in it alone: " + extract(root)}, true
	case has("terraform_version"), has("planned_values"), has("resource_changes"), has("resource") && !has("Version"):
		return Form{What: "a Terraform file (configuration, plan or state)", Next: "Give the policy in it alone: " + extract(root)}, true
	case has("RoleDetailList") || has("UserDetailList") || has("Policies"):
		return Form{What: "the answer of aws iam get-account-authorization-details", Next: "Give the policy in it alone: " + extract(root)}, true
	case has("Policy.PolicySummary") || has("PolicySummary") && has("Content"):
		what := "the answer of aws organizations describe-policy"
		kind := textAt(root, "Policy.PolicySummary.Type", "PolicySummary.Type")
		what += ", which holds " + organisationPolicy(kind)
		return Form{What: what, Next: elsewhere(typeOfOrganisation(kind))}, true
	case has("Policy") && root.path("Policy").kind == nodeString:
		what := "an answer of AWS with a resource policy"
		if inner, err := parseJSON([]byte(root.path("Policy").text)); err == nil {
			if form, _, ok := otherKind(inner, Identity); ok {
				what = "an answer of AWS that holds " + form.What
			}
		}
		return Form{What: what, Next: elsewhere("RESOURCE_POLICY")}, true
	case has("Policy.Arn") || has("Policy.DefaultVersionId"):
		return Form{What: "the answer of aws iam get-policy, which holds no document",
			Next: "Give the answer of aws iam get-policy-version --policy-arn ARN --version-id VERSION, or run rolecall policy review ARN."}, true
	case has("Roles"), has("PolicyNames"), has("AttachedPolicies"), has("Versions"):
		return Form{
			What: "an answer of AWS with a list",
			Next: "Give the answer of aws iam get-role, get-role-policy or get-policy-version for one of them.",
		}, true
	case has("openapi"), has("swagger"):
		return Form{What: "an OpenAPI description", Next: "Give a permissions policy: an object with Version and Statement."}, true
	}
	return Form{}, false
}

// elsewhere is where a kind that is not reviewed here can be checked. Source:
// docs.aws.amazon.com/cli/latest/reference/accessanalyzer/validate-policy.html.
func elsewhere(policyType string) string {
	return "rolecall reviews permissions policies and roles' trust policies only. AWS checks this one: " +
		"aws accessanalyzer validate-policy --policy-type " + policyType + " --policy-document file://FILE"
}

func typeOfOrganisation(kind string) string {
	if kind == "RESOURCE_CONTROL_POLICY" {
		return kind
	}
	return "SERVICE_CONTROL_POLICY"
}

// textAt is the text at the first of some paths that holds one.
func textAt(root *node, paths ...string) string {
	for _, p := range paths {
		if n := root.path(p); n != nil && n.kind == nodeString {
			return n.text
		}
	}
	return ""
}

func organisationPolicy(kind string) string {
	switch kind {
	case "SERVICE_CONTROL_POLICY":
		return "a service control policy (SCP)"
	case "RESOURCE_CONTROL_POLICY":
		return "a resource control policy (RCP)"
	}
	return "a policy of an organization"
}

func hasResourceType(resources *node, prefix string) bool {
	return slices.ContainsFunc(resources.members, func(m member) bool {
		t := m.value.path("Type")
		return t != nil && strings.HasPrefix(t.text, prefix)
	})
}

// extract is a command that takes the first policy out of a JSON file.
func extract(root *node) string {
	path, encoded, kind := findDocument(root, "", 0)
	if path == "" {
		return "an object with Version and Statement."
	}
	decode := ""
	if encoded {
		decode = " | fromjson"
	}
	review := "rolecall policy review -"
	if kind == Trust {
		review += " --kind trust"
	}
	return fmt.Sprintf("jq '%s%s' FILE | %s", path, decode, review)
}

// findDocument looks for an object with Statement, or a string that holds one.
func findDocument(n *node, path string, depth int) (found string, encoded bool, kind Kind) {
	switch {
	case depth > maxDepth:
	case n.kind == nodeObject && n.path("Statement") != nil:
		return path, false, kindAt(n)
	case n.kind == nodeObject:
		for _, m := range n.members {
			if found, encoded, kind = findDocument(m.value, path+jqKey(m.key), depth+1); found != "" {
				return found, encoded, kind
			}
		}
	case n.kind == nodeList:
		for i, item := range n.items {
			if found, encoded, kind = findDocument(item, fmt.Sprintf("%s[%d]", path, i), depth+1); found != "" {
				return found, encoded, kind
			}
		}
	case n.kind == nodeString && strings.Contains(n.text, `"Statement"`):
		if inner, err := parseJSON([]byte(n.text)); err == nil && inner.path("Statement") != nil {
			return path, true, kindAt(inner)
		}
	}
	return "", false, Identity
}

func jqKey(key string) string {
	plain := strings.Trim(strings.ToLower(key), "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
	if plain && key != "" && (key[0] < '0' || key[0] > '9') {
		return "." + key
	}
	// Single quotes would end the shell's argument; a dot is what cannot be quoted here.
	return `["` + strings.Map(func(r rune) rune {
		if r == '\'' || r == '"' || r == '\\' || r < ' ' {
			return '.'
		}
		return r
	}, key) + `"]`
}

func kindAt(n *node) Kind {
	if looksLikeTrust(statementsOf(n)) {
		return Trust
	}
	return Identity
}

// statementsOf lists the statements of a document that are objects.
func statementsOf(root *node) []*node {
	s := root.path("Statement")
	switch {
	case s == nil:
		return nil
	case s.kind == nodeObject:
		return []*node{s}
	}
	return slices.DeleteFunc(slices.Clone(s.items), func(n *node) bool { return n.kind != nodeObject })
}

// otherKind recognises a document of another kind than was asked for. The kind
// is nil where rolecall has no review for it.
func otherKind(root *node, asked Kind) (Form, *Kind, bool) {
	statements := statementsOf(root)
	if len(statements) == 0 {
		return Form{}, nil, false
	}
	principal := slices.ContainsFunc(statements, func(s *node) bool { return s.either("Principal") != nil })
	resource := slices.ContainsFunc(statements, func(s *node) bool { return s.either("Resource") != nil })
	trust, identity := Trust, Identity
	switch {
	case asked == Identity && looksLikeTrust(statements):
		return Form{
			What: "a role's trust policy, not a permissions policy",
			Next: "Review it as one: rolecall policy review --kind trust FILE",
		}, &trust, true
	case asked == Trust && !principal && resource:
		return Form{
			What: "a permissions policy, not a role's trust policy",
			Next: "Review it without --kind trust: rolecall policy review FILE",
		}, &identity, true
	case principal && !looksLikeTrust(statements) && (resource || asked == Identity && onlyActions(statements)):
		form := Form{What: resourcePolicy(statements), Next: elsewhere("RESOURCE_POLICY")}
		if looksLikeRCP(statements) {
			form = Form{What: organisationPolicy("RESOURCE_CONTROL_POLICY"), Next: elsewhere("RESOURCE_CONTROL_POLICY")}
		}
		return form, nil, true
	}
	return Form{}, nil, false
}

// either is an element or its negation.
func (n *node) either(element string) *node {
	if v := n.path(element); v != nil {
		return v
	}
	return n.path("Not" + element)
}

// looksLikeTrust reports whether all statements are about assuming a role: a
// principal, no resource, and actions of STS alone.
func looksLikeTrust(statements []*node) bool {
	return len(statements) > 0 && !slices.ContainsFunc(statements, func(s *node) bool {
		services := servicesIn(s)
		return s.either("Principal") == nil || s.either("Resource") != nil || len(services) == 0 ||
			slices.ContainsFunc(services, func(service string) bool { return service != "sts" })
	})
}

// onlyActions reports whether every statement names a principal.
func onlyActions(statements []*node) bool {
	return !slices.ContainsFunc(statements, func(s *node) bool { return s.either("Principal") == nil })
}

// servicesIn lists the services of a statement's actions, in lower case.
func servicesIn(s *node) []string {
	var out []string
	for _, item := range s.either("Action").strings() {
		service, _, _ := strings.Cut(strings.ToLower(item.text), ":")
		out = append(out, service)
	}
	return out
}

// resourcePolicy names a policy with principals by the service it belongs to.
func resourcePolicy(statements []*node) string {
	const plain = "a resource policy (Principal and Resource), which is attached to a resource"
	names := map[string]string{
		"s3":                "a bucket policy",
		"kms":               "a key policy",
		"sqs":               "a queue policy",
		"sns":               "a topic policy",
		"ecr":               "a repository policy",
		"lambda":            "a function's policy",
		"secretsmanager":    "a secret's policy",
		"es":                "a domain's policy",
		"execute-api":       "an API's policy",
		"events":            "an event bus's policy",
		"backup":            "a backup vault's policy",
		"glue":              "a Glue catalogue's policy",
		"elasticfilesystem": "a file system's policy",
		"codeartifact":      "a domain's policy",
		"glacier":           "a vault's policy",
		"dynamodb":          "a table's policy",
	}
	service := ""
	for _, s := range statements {
		for _, name := range servicesIn(s) {
			if service != "" && service != name {
				return plain
			}
			service = name
		}
	}
	if name := names[service]; name != "" {
		return name + ", a resource policy (Principal and Resource)"
	}
	return plain
}

// looksLikeRCP reports whether everybody is denied on everything, as resource
// control policies do, which cannot allow beside AWS's own first statement.
func looksLikeRCP(statements []*node) bool {
	denies := false
	for _, s := range statements {
		effect, principal := s.path("Effect"), s.path("Principal")
		if effect == nil || principal == nil || principal.text != "*" ||
			!slices.ContainsFunc(s.either("Resource").strings(), func(n *node) bool { return n.text == "*" }) {
			return false
		}
		everything := slices.ContainsFunc(s.either("Action").strings(), func(n *node) bool { return n.text == "*" })
		switch {
		case effect.text == "Deny":
			denies = true
		case !everything || len(statements) > 1 && s.path("Condition") != nil:
			return false
		}
	}
	return denies || len(statements) == 1 && statements[0].path("Condition") == nil
}

// otherLanguage recognises texts that are no JSON.
func otherLanguage(text string) (Form, bool) {
	text = strings.TrimPrefix(text[:min(len(text), 64<<10)], "\ufeff")
	trimmed := strings.TrimSpace(text)
	line := func(prefixes ...string) bool {
		for l := range strings.Lines(text) {
			for _, p := range prefixes {
				if strings.HasPrefix(strings.TrimSpace(l), p) {
					return true
				}
			}
		}
		return false
	}
	yaml := line("Statement:", "- Effect:", "Effect:", "PolicyDocument:", "AssumeRolePolicyDocument:")
	switch {
	case trimmed == "" || trimmed[0] == '{' || trimmed[0] == '[':
		return Form{}, false
	case line("AWSTemplateFormatVersion:") || line("Resources:") && strings.Contains(text, "AWS::"):
		return Form{
			What: "a CloudFormation template in YAML",
			Next: "Give the policy in it alone, as JSON: yq -o json FILE, then its PolicyDocument.",
		}, true
	case line(`resource "`, `data "aws_iam_policy_document"`, `module "`, `variable "`, `locals {`, `provider "`):
		return Form{What: "a Terraform file",
			Next: "Give the policy as JSON: terraform show -json PLAN, then the policy in it piped to rolecall policy review -"}, true
	case line("service:") && line("provider:"):
		return Form{What: "a Serverless Framework file in YAML", Next: "Give the policy in it alone, as JSON."}, true
	case yaml || line("Version: "):
		return Form{What: "YAML", Next: "Give it as JSON: yq -o json FILE | rolecall policy review -"}, true
	case strings.HasPrefix(trimmed, "%7B") || strings.HasPrefix(trimmed, "%7b"):
		return Form{
			What: "a percent-encoded document, as the IAM API answers",
			Next: "Give it decoded, or the answer of the AWS CLI, which decodes it.",
		}, true
	case strings.HasPrefix(trimmed, "<"):
		return Form{What: "XML or HTML", Next: "Give a policy document in JSON."}, true
	case strings.HasPrefix(trimmed, "arn:") && !strings.ContainsAny(trimmed, " \n"):
		return Form{What: "an ARN", Next: "Give the ARN as the argument: rolecall policy review " + trimmed[:min(len(trimmed), 120)]}, true
	}
	return Form{}, false
}
