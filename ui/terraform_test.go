package ui_test

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"rolecall/aws"
	"rolecall/policy"
)

// terraformRun is as much of Terraform and its AWS provider as an export needs:
// the provider itself is larger than everything else together.
type terraformRun struct {
	*motoWorld
	data, variables map[string]cty.Value
	made            map[string]map[string]cty.Value // by type and name
}

// applyTerraform makes what the exported configuration says, with its variables'
// defaults.
func (w *motoWorld) applyTerraform(_ vendorCase, text string) {
	w.t.Helper()
	file, diagnostics := hclsyntax.ParseConfig([]byte(text), "main.tf", hcl.InitialPos)
	if diagnostics.HasErrors() {
		w.t.Fatalf("%v\n%s", diagnostics, text)
	}
	run := terraformRun{w, map[string]cty.Value{
		"aws_partition":       cty.ObjectVal(map[string]cty.Value{"current": cty.ObjectVal(map[string]cty.Value{"partition": cty.StringVal("aws")})}),
		"aws_caller_identity": cty.ObjectVal(map[string]cty.Value{"current": cty.ObjectVal(map[string]cty.Value{"account_id": cty.StringVal(motoAccount)})}),
	}, map[string]cty.Value{}, map[string]map[string]cty.Value{}}
	var later []*hclsyntax.Block // what refers to others
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		switch {
		case block.Type == "variable":
			if d := block.Body.Attributes["default"]; d != nil {
				run.variables[block.Labels[0]] = run.value(d)
			}
		case block.Type != "resource":
		case block.Labels[0] == "aws_iam_role" || block.Labels[0] == "aws_iam_policy" || block.Labels[0] == "aws_iam_openid_connect_provider":
			run.make(block)
		default:
			later = append(later, block)
		}
	}
	for _, block := range later {
		run.make(block)
	}
}

func (r *terraformRun) value(a *hclsyntax.Attribute) cty.Value {
	r.t.Helper()
	scope := &hcl.EvalContext{Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc}, Variables: map[string]cty.Value{
		"data": cty.ObjectVal(r.data), "var": cty.ObjectVal(r.variables)}}
	for kind, resources := range r.made {
		scope.Variables[kind] = cty.ObjectVal(resources)
	}
	v, diagnostics := a.Expr.Value(scope)
	if diagnostics.HasErrors() {
		r.t.Fatal(diagnostics)
	}
	return v
}

// make makes one resource.
func (r *terraformRun) make(block *hclsyntax.Block) {
	r.t.Helper()
	values := map[string]cty.Value{}
	for name, a := range block.Body.Attributes {
		values[name] = r.value(a)
	}
	text := func(name string) string {
		if v, ok := values[name]; ok {
			return v.AsString()
		}
		return ""
	}
	ctx := r.t.Context()
	switch kind := block.Labels[0]; kind {
	case "aws_iam_role":
		trust, err := policy.Parse([]byte(text("assume_role_policy")), policy.Trust)
		r.ok(err)
		role, err := r.hands.CreateRole(ctx, aws.NewRole{Name: text("name"), Path: text("path"), Description: text("description"), Trust: trust})
		r.ok(err)
		values["arn"] = cty.StringVal(role.ARN)
	case "aws_iam_policy":
		document, err := policy.Parse([]byte(text("policy")), policy.Identity)
		r.ok(err)
		made, err := r.hands.CreatePolicy(ctx, aws.NewPolicy{Name: text("name"), Path: text("path"), Document: document})
		r.ok(err)
		values["arn"] = cty.StringVal(made.ARN)
	case "aws_iam_openid_connect_provider":
		if count, ok := values["count"]; ok && count.RawEquals(cty.NumberIntVal(0)) {
			return
		}
		audience := values["client_id_list"].AsValueSlice()[0].AsString()
		_, err := r.hands.CreateOIDCProvider(ctx, policy.WebIdentity{Partition: "aws", AccountID: motoAccount, Issuer: text("url"), Audience: audience}, nil)
		r.ok(err)
	case "aws_iam_role_policy":
		document, err := policy.Parse([]byte(text("policy")), policy.Identity)
		r.ok(err)
		r.ok(r.hands.PutRolePolicy(ctx, text("role"), text("name"), document))
	case "aws_iam_role_policy_attachment":
		r.ok(r.hands.AttachRolePolicy(ctx, text("role"), text("policy_arn")))
	default:
		r.t.Fatalf("no way to make %s", strings.Join(block.Labels, "."))
	}
	if r.made[block.Labels[0]] == nil {
		r.made[block.Labels[0]] = map[string]cty.Value{}
	}
	values["id"] = values["name"]
	if values["id"] == cty.NilVal {
		delete(values, "id")
	}
	r.made[block.Labels[0]][block.Labels[1]] = cty.ObjectVal(values)
}
