package policy

import (
	"fmt"
	"slices"
	"strings"
)

// accountPlaceholder stands for the account in which an export is run. It cannot
// be part of an ARN.
const accountPlaceholder = "\x00account"

// setupProvider is an OIDC provider that roles of a set-up trust.
type setupProvider struct {
	id        string // its name in templates
	issuer    string
	audiences []string
	tags      []SetupTag
}

// host is the issuer without its scheme.
func (p setupProvider) host() string { return WebIdentity{Issuer: p.issuer}.Host() }

// providers are those of all roles, each issuer once: an account has one.
func (s *Setup) providers() []setupProvider {
	var all []setupProvider
	for _, r := range s.Roles {
		if r.Web == nil {
			continue
		}
		i := slices.IndexFunc(all, func(p setupProvider) bool { return p.issuer == r.Web.Issuer })
		if i < 0 {
			id := "OidcProvider"
			if len(all) > 0 {
				id = fmt.Sprintf("%s%d", id, len(all)+1)
			}
			all, i = append(all, setupProvider{id: id, issuer: r.Web.Issuer, tags: r.Tags}), len(all)
		}
		if !slices.Contains(all[i].audiences, r.Web.Audience) {
			all[i].audiences = append(all[i].audiences, r.Web.Audience)
		}
	}
	return all
}

// ProviderParameters are the template's parameters that say whether it makes an
// OIDC provider, "true" or "false", by the provider's issuer.
func (s *Setup) ProviderParameters() map[string]string {
	names := map[string]string{}
	for _, p := range s.providers() {
		names[p.issuer] = "Make" + p.id
	}
	return names
}

// why says what the parameter is about.
func (p setupProvider) why() string {
	return "true makes the OIDC provider of " + p.host() + ", false where the account has it already, for " +
		strings.Join(p.audiences, " and ") + ": an account has one provider for each issuer."
}

func (p setupProvider) parameter(y *yamlWriter) {
	y.line(1, "Make%s:", p.id)
	y.line(2, "Type: String")
	y.line(2, "Description: %s", quoted(p.why()))
	y.line(2, "Default: 'true'")
	y.line(2, "AllowedValues: ['true', 'false']")
}

// resource outlives its stack: other roles of the account may trust it by then.
func (p setupProvider) resource(y *yamlWriter) {
	y.line(1, "%s:", p.id)
	y.line(2, "Type: AWS::IAM::OIDCProvider")
	y.line(2, "Condition: Makes%s", p.id)
	y.line(2, "DeletionPolicy: RetainExceptOnCreate")
	y.line(2, "UpdateReplacePolicy: Retain")
	y.line(2, "Properties:")
	y.line(3, "Url: %s", quoted(p.issuer))
	y.line(3, "ClientIdList:")
	for _, audience := range p.audiences {
		y.line(4, "- %s", quoted(audience))
	}
	y.tags(3, p.tags)
}

func (s *Setup) conditions(y *yamlWriter) {
	all := s.providers()
	if len(all) == 0 {
		return
	}
	y.line(0, "Conditions:")
	for _, p := range all {
		y.line(1, "Makes%s: !Equals [!Ref Make%s, 'true']", p.id, p.id)
	}
}

func (p setupProvider) terraform(f *hclFile) {
	name := terraformName(p.id)
	variable := hclBlock{head: hclHead("variable", "make_"+name)}
	variable.add("type", "bool")
	variable.text("description", p.why())
	variable.add("default", "true")
	f.block(variable)
	resource := hclBlock{head: hclHead("resource", "aws_iam_openid_connect_provider", name)}
	resource.add("count", "var.make_"+name+" ? 1 : 0")
	resource.text("url", p.issuer)
	resource.add("client_id_list", terraformValues(p.audiences, ""))
	addTags(&resource, p.tags)
	f.block(resource)
}

// shell makes the provider where it is missing, and else adds what it lacks.
func (p setupProvider) shell(b *strings.Builder, partition string) {
	arn := `"arn:` + partition + `:iam::$account:oidc-provider/` + p.host() + `"`
	fmt.Fprintf(b, "\n# The OIDC provider of %s, which all roles of the account share.\n", comment(p.host()))
	fmt.Fprintf(b, "if %s >/dev/null 2>&1; then\n", shellCall("get-open-id-connect-provider", "--open-id-connect-provider-arn", arn))
	var ids []string
	for _, audience := range p.audiences {
		ids = append(ids, shellQuote(audience))
		fmt.Fprintf(b, "\t%s\n", shellCall("add-client-id-to-open-id-connect-provider", "--open-id-connect-provider-arn", arn, "--client-id",
			shellQuote(audience)))
	}
	create := shellCall("create-open-id-connect-provider", "--url", shellQuote(p.issuer), "--client-id-list", strings.Join(ids, " "))
	fmt.Fprintf(b, "else\n\t%s >/dev/null\nfi\n", create.tags(p.tags))
}
