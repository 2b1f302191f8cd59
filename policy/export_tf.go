package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Terraform writes the set-up as Terraform configuration for the provider
// hashicorp/aws. It fits every partition.
func (s *Setup) Terraform() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	f := hclwrite.NewEmptyFile()
	body := f.Body()
	if s.Description != "" {
		body.AppendUnstructuredTokens(commentTokens(s.Description))
	}
	provider := body.AppendNewBlock("terraform", nil).Body().AppendNewBlock("required_providers", nil).Body()
	provider.SetAttributeValue("aws", cty.ObjectVal(map[string]cty.Value{"source": cty.StringVal("hashicorp/aws")}))
	body.AppendNewline()
	body.AppendNewBlock("data", []string{"aws_partition", "current"})
	for i := range s.Roles {
		s.terraformRole(body, &s.Roles[i])
	}
	return string(f.Bytes()), nil
}

func (s *Setup) terraformRole(body *hclwrite.Body, r *SetupRole) {
	name := terraformName(r.ID)
	if r.guarded() {
		body.AppendNewline()
		variable := body.AppendNewBlock("variable", []string{s.terraformVariable(r)}).Body()
		variable.SetAttributeTraversal("type", traversal("string"))
		variable.SetAttributeValue("description", cty.StringVal("The external ID that keeps other customers of the vendor from using "+r.ID+"."))
		if r.ExternalID != "" {
			variable.SetAttributeValue("default", cty.StringVal(r.ExternalID))
		}
	}
	body.AppendNewline()
	role := body.AppendNewBlock("resource", []string{"aws_iam_role", name}).Body()
	setText(role, "name", r.Name)
	setText(role, "path", r.Path)
	setText(role, "description", r.Description)
	if r.Boundary != "" {
		role.SetAttributeRaw("permissions_boundary", valueTokens(r.Boundary, ""))
	}
	if r.SessionDuration > 0 {
		role.SetAttributeValue("max_session_duration", cty.NumberIntVal(int64(r.SessionDuration/time.Second)))
	}
	role.SetAttributeRaw("assume_role_policy", documentTokens(r.trust("aws"), s.terraformVariable(r)))
	setTags(role, r.Tags)
	for i := range r.Policies {
		terraformPolicy(body, r, &r.Policies[i])
	}
	for i, arn := range r.ManagedPolicies {
		attach(body, name+"_managed_"+strconv.Itoa(i+1), name, valueTokens(arn, ""))
	}
	if r.Output != "" {
		body.AppendNewline()
		output := body.AppendNewBlock("output", []string{r.Output}).Body()
		output.SetAttributeTraversal("value", traversal("aws_iam_role", name, "arn"))
	}
}

func (s *Setup) terraformVariable(r *SetupRole) string {
	if len(s.Roles) == 1 {
		return "external_id"
	}
	return terraformName(r.ID) + "_external_id"
}

func terraformPolicy(body *hclwrite.Body, r *SetupRole, p *SetupPolicy) {
	kind := "aws_iam_policy"
	if p.Inline {
		kind = "aws_iam_role_policy"
	}
	name, role := terraformName(p.ID), terraformName(r.ID)
	body.AppendNewline()
	policy := body.AppendNewBlock("resource", []string{kind, name}).Body()
	setText(policy, "name", p.Name)
	if p.Inline {
		policy.SetAttributeTraversal("role", traversal("aws_iam_role", role, "id"))
		policy.SetAttributeRaw("policy", documentTokens(p.Document, ""))
		return
	}
	setText(policy, "path", r.Path)
	setText(policy, "description", p.Description)
	policy.SetAttributeRaw("policy", documentTokens(p.Document, ""))
	setTags(policy, r.Tags)
	attach(body, name, role, hclwrite.TokensForTraversal(traversal("aws_iam_policy", name, "arn")))
}

func attach(body *hclwrite.Body, name, role string, arn hclwrite.Tokens) {
	body.AppendNewline()
	attachment := body.AppendNewBlock("resource", []string{"aws_iam_role_policy_attachment", name}).Body()
	attachment.SetAttributeTraversal("role", traversal("aws_iam_role", role, "name"))
	attachment.SetAttributeRaw("policy_arn", arn)
}

func setText(body *hclwrite.Body, name, value string) {
	if value != "" {
		body.SetAttributeValue(name, cty.StringVal(value))
	}
}

func setTags(body *hclwrite.Body, tags []SetupTag) {
	if len(tags) == 0 {
		return
	}
	values := map[string]cty.Value{}
	for _, tag := range tags {
		values[tag.Key] = cty.StringVal(tag.Value)
	}
	body.SetAttributeValue("tags", cty.ObjectVal(values))
}

// terraformName turns SpotPolicy into spot_policy.
func terraformName(id string) string {
	var b strings.Builder
	for i, r := range id {
		if upper := r >= 'A' && r <= 'Z'; upper && i > 0 && (id[i-1] < 'A' || id[i-1] > 'Z') {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	name := strings.ToLower(b.String())
	if name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}

func traversal(root string, attributes ...string) hcl.Traversal {
	t := hcl.Traversal{hcl.TraverseRoot{Name: root}}
	for _, a := range attributes {
		t = append(t, hcl.TraverseAttr{Name: a})
	}
	return t
}

// documentTokens writes jsonencode({…}) with the document in it.
func documentTokens(d *Document, externalID string) hclwrite.Tokens {
	statements := make([]hclwrite.Tokens, len(d.Statements))
	for i := range d.Statements {
		statements[i] = d.Statements[i].tokens(externalID)
	}
	var attributes []hclwrite.ObjectAttrTokens
	if d.Version != "" {
		attributes = append(attributes, attribute("Version", valueTokens(d.Version, "")))
	}
	if d.ID != "" {
		attributes = append(attributes, attribute("Id", valueTokens(d.ID, "")))
	}
	attributes = append(attributes, attribute("Statement", listTokens(statements)))
	return hclwrite.TokensForFunctionCall("jsonencode", hclwrite.TokensForObject(attributes))
}

func (s *Statement) tokens(externalID string) hclwrite.Tokens {
	var attributes []hclwrite.ObjectAttrTokens
	add := func(name string, tokens hclwrite.Tokens) { attributes = append(attributes, attribute(name, tokens)) }
	if s.Sid != "" {
		add("Sid", valueTokens(s.Sid, ""))
	}
	add("Effect", valueTokens(string(s.Effect), ""))
	for name, p := range map[string]Principals{"Principal": s.Principal, "NotPrincipal": s.NotPrincipal} {
		if p != nil {
			add(name, p.tokens())
		}
	}
	for _, element := range [...]string{"Action", "NotAction", "Resource", "NotResource"} {
		if values := *s.list(element); len(values) > 0 {
			add(element, valuesTokens(values, ""))
		}
	}
	if len(s.Condition) > 0 {
		add("Condition", conditionTokens(s.Condition, externalID))
	}
	return hclwrite.TokensForObject(attributes)
}

func (p Principals) tokens() hclwrite.Tokens {
	if len(p["*"]) > 0 {
		return valueTokens("*", "")
	}
	var attributes []hclwrite.ObjectAttrTokens
	for _, kind := range p.types() {
		attributes = append(attributes, attribute(kind, valuesTokens(p[kind], "")))
	}
	return hclwrite.TokensForObject(attributes)
}

func conditionTokens(conditions []Condition, externalID string) hclwrite.Tokens {
	var operators []hclwrite.ObjectAttrTokens
	for i, c := range conditions {
		same := func(other Condition) bool { return other.Operator == c.Operator }
		if slices.ContainsFunc(conditions[:i], same) {
			continue
		}
		var keys []hclwrite.ObjectAttrTokens
		for _, one := range conditions {
			if same(one) {
				keys = append(keys, attribute(one.Key, valuesTokens(one.Values, externalID)))
			}
		}
		operators = append(operators, attribute(c.Operator, hclwrite.TokensForObject(keys)))
	}
	return hclwrite.TokensForObject(operators)
}

// attribute quotes a name that is no identifier, such as "sts:ExternalId".
func attribute(name string, value hclwrite.Tokens) hclwrite.ObjectAttrTokens {
	key := hclwrite.TokensForIdentifier(name)
	if !hclsyntax.ValidIdentifier(name) {
		key = hclwrite.TokensForValue(cty.StringVal(name))
	}
	return hclwrite.ObjectAttrTokens{Name: key, Value: value}
}

func valuesTokens(values []string, externalID string) hclwrite.Tokens {
	items := make([]hclwrite.Tokens, len(values))
	for i, v := range values {
		items[i] = valueTokens(v, externalID)
	}
	return listTokens(items)
}

// listTokens writes a list of more than one item on several lines.
func listTokens(items []hclwrite.Tokens) hclwrite.Tokens {
	if len(items) < 2 {
		return hclwrite.TokensForTuple(items)
	}
	newline := &hclwrite.Token{Type: hclsyntax.TokenNewline, Bytes: []byte("\n")}
	out := hclwrite.Tokens{{Type: hclsyntax.TokenOBrack, Bytes: []byte("[")}, newline}
	for _, item := range items {
		out = append(out, item...)
		out = append(out, &hclwrite.Token{Type: hclsyntax.TokenComma, Bytes: []byte(",")}, newline)
	}
	return append(out, &hclwrite.Token{Type: hclsyntax.TokenCBrack, Bytes: []byte("]")})
}

// valueTokens writes a string: an ARN with the partition of the provider, and
// in place of the external ID its variable.
func valueTokens(value, externalID string) hclwrite.Tokens {
	if value == externalIDPlaceholder {
		return hclwrite.TokensForTraversal(traversal("var", externalID))
	}
	rest, ok := cutPartition(value)
	if !ok {
		return hclwrite.TokensForValue(cty.StringVal(value))
	}
	literal := func(text string) *hclwrite.Token {
		// The value's tokens are a quote, the escaped text and a quote.
		return hclwrite.TokensForValue(cty.StringVal(text))[1]
	}
	out := hclwrite.Tokens{{Type: hclsyntax.TokenOQuote, Bytes: []byte(`"`)}, literal("arn:"),
		{Type: hclsyntax.TokenTemplateInterp, Bytes: []byte("${")}}
	out = append(out, hclwrite.TokensForTraversal(traversal("data", "aws_partition", "current", "partition"))...)
	return append(out, &hclwrite.Token{Type: hclsyntax.TokenTemplateSeqEnd, Bytes: []byte("}")}, literal(":"+rest),
		&hclwrite.Token{Type: hclsyntax.TokenCQuote, Bytes: []byte(`"`)})
}

func commentTokens(text string) hclwrite.Tokens {
	return hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + comment(text) + "\n")}}
}
